/* make_sea.c - a stream whose rule changes three times
 *
 * SEA concepts (Street and Kim 2001): y = x0 + x1 <= theta with theta 8, 9, 7, 9.5 in the four
 * quarters of the rows, one label in ten flipped. No learner can pass 0.90 accuracy. */
#include <stddef.h>

#include "frame/make.h"

struct sea_params {
    uint64_t seed;
    double flip;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    static const double theta[4] = {8, 9, 7, 9.5};
    const struct sea_params *p = t->params;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        double x[3];
        for (int k = 0; k < 3; k++)
            t->f64[k][row] = x[k] = 10 * gen_u(p->seed, i, (uint64_t)k);
        int y = x[0] + x[1] <= theta[4 * row / t->n_rows];
        t->i64[3][row] = y ^ (gen_u(p->seed, i, 3) < p->flip);
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {{"x%d", TIDE_F64, 3}, {"y", TIDE_I64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(sea_params, seed, "7", .help = "seed of the rows"),
    P_REAL(sea_params, flip, "0.1", P_RANGE(0, 1), .help = "share of labels flipped"),
};
const struct tide_maker tide_maker_sea_drift = {
    .name = "sea_drift",
    .title = "a stream whose rule changes three times",
    .camel = "SeaDrift",
    .guide = "Q12 Q15",
    .paper = "Street and Kim 2001",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, sea_params),
    .rows = 40000,
    .target = "y",
    .make = make,
};
