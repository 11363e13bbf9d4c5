/* make_friedman.c - Friedman's regression #1 with noise of standard deviation 1
 *
 * Ten uniform columns, five of which matter: y = 10 sin(pi x0 x1) + 20 (x2 - .5)^2 + 10 x3 +
 * 5 x4 + z. No learner can pass R2 0.9597 (RMSE 1). */
#include <stddef.h>

#include "frame/make.h"
#include "simd/vmath.h"

struct friedman_params {
    uint64_t seed;
    double noise;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct friedman_params *p = t->params;
    for (int64_t i = i0; i < i1; i++) {
        double x[10];
        for (int k = 0; k < 10; k++) {
            x[k] = gen_u(p->seed, (uint64_t)i, (uint64_t)k);
            t->f64[k][i] = x[k];
        }
        double d = x[2] - 0.5;
        t->f64[10][i] = 10 * vm_sin(3.14159265358979323846 * x[0] * x[1]) +
                        20 * (d * d) + 10 * x[3] + 5 * x[4] +
                        p->noise * gen_z(p->seed, (uint64_t)i, 10);
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {{"x%d", TIDE_F64, 10},
                                              {"y", TIDE_F64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(friedman_params, seed, "4", .help = "seed of the rows"),
    P_REAL(friedman_params, noise, "1", P_RANGE(0, 1e6),
           .help = "standard deviation of the noise"),
};
const struct tide_maker tide_maker_friedman1 = {
    .name = "friedman1",
    .title = "Friedman's regression #1: five of ten columns matter",
    .camel = "Friedman1",
    .guide = "Q2 Q5",
    .paper = "Friedman 1991, Multivariate adaptive regression splines",
    .tasks = TIDE_REGRESS,
    .params = TIDE_TABLE(rows, friedman_params),
    .rows = 10000,
    .target = "y",
    .make = make,
};
