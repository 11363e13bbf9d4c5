/* make_anomaly.c - five clusters of which one row in a hundred strays
 *
 * y = [u(s,i,d) < 0.01]; c = floor(5 u(s,i,d+1)); x_j = 10 u(s+100,c,j) + 0.5 (1 + y) z(s,i,j),
 * rounded to 32 bits. What strays has twice the spread of its cluster. */
#include <stddef.h>

#include "frame/make.h"

struct anomaly_params {
    uint64_t seed;
    int32_t columns;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct anomaly_params *p = t->params;
    uint64_t d = (uint64_t)p->columns;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        int64_t strays = gen_u(p->seed, i, d) < 0.01;
        uint64_t c = (uint64_t)(5 * gen_u(p->seed, i, d + 1));
        for (uint64_t j = 0; j < d; j++)
            t->f64[j][row] =
                (double)(float)(10 * gen_u(p->seed + 100, c, j) +
                                0.5 * (double)(1 + strays) * gen_z(p->seed, i, j));
        t->i64[d][row] = strays;
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    const struct anomaly_params *p = params;
    const struct make_column cols[] = {{"x%d", TIDE_F64, p->columns},
                                       {"y", TIDE_I64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(anomaly_params, seed, "27", .help = "seed of the rows"),
    P_INT(anomaly_params, columns, "16", P_RANGE(1, 10000), .alias = "n-features d",
          .help = "number of columns"),
};
const struct tide_maker tide_maker_anomaly = {
    .name = "anomaly",
    .title = "five clusters, one row in a hundred strays",
    .camel = "Anomaly",
    .guide = "Q1",
    .paper = "",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, anomaly_params),
    .rows = 10000,
    .target = "y",
    .make = make,
};
