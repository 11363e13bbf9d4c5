/* make_blobs.c - round clusters of standard deviation 1 around centres in a box
 *
 * Row i belongs to cluster c = floor(k u(s,i,0)); x_j = 10 (2 u(9,c,j) - 1) + z(s,i,1+j). */
#include <stddef.h>

#include "frame/make.h"

struct blobs_params {
    uint64_t seed;
    int32_t clusters, columns;
    double spread;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct blobs_params *p = t->params;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        int64_t c = (int64_t)(p->clusters * gen_u(p->seed, i, 0));
        for (int j = 0; j < p->columns; j++)
            t->f64[j][row] = 10 * (2 * gen_u(9, (uint64_t)c, (uint64_t)j) - 1) +
                             p->spread * gen_z(p->seed, i, 1 + (uint64_t)j);
        t->i64[p->columns][row] = c;
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    const struct blobs_params *p = params;
    const struct make_column cols[] = {{"x%d", TIDE_F64, p->columns},
                                       {"y", TIDE_I64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(blobs_params, seed, "8", .help = "seed of the rows"),
    P_INT(blobs_params, clusters, "3", P_RANGE(1, 1e6), .alias = "centers k",
          .help = "number of clusters"),
    P_INT(blobs_params, columns, "2", P_RANGE(1, 10000), .alias = "n-features d",
          .help = "number of columns"),
    P_REAL(blobs_params, spread, "1", P_RANGE(0, 1e6), .alias = "cluster-std",
           .help = "standard deviation of a cluster"),
};
const struct tide_maker tide_maker_blobs = {
    .name = "blobs",
    .title = "round clusters around centres in a box",
    .camel = "Blobs",
    .guide = "Q3",
    .paper = "",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, blobs_params),
    .rows = 1000,
    .target = "y",
    .make = make,
};
