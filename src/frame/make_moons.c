/* make_moons.c - two half circles, one inside the bend of the other
 *
 * Class u(s,i,0) < .5, angle a = pi u(s,i,1): (cos a, sin a) and (1 - cos a, .5 - sin a), plus
 * noise z(s,i,2), z(s,i,3). */
#include <stddef.h>

#include "frame/make.h"
#include "simd/vmath.h"

struct moons_params {
    uint64_t seed;
    double noise;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct moons_params *p = t->params;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        int y = gen_u(p->seed, i, 0) < 0.5;
        double a = 3.14159265358979323846 * gen_u(p->seed, i, 1), c = vm_cos(a),
               s = vm_sin(a);
        t->f64[0][row] = (y ? 1 - c : c) + p->noise * gen_z(p->seed, i, 2);
        t->f64[1][row] = (y ? 0.5 - s : s) + p->noise * gen_z(p->seed, i, 3);
        t->i64[2][row] = y;
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {{"x%d", TIDE_F64, 2}, {"y", TIDE_I64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(moons_params, seed, "1", .help = "seed of the rows"),
    P_REAL(moons_params, noise, "0.1", P_RANGE(0, 1e6),
           .help = "standard deviation of the noise"),
};
const struct tide_maker tide_maker_moons = {
    .name = "moons",
    .title = "two half circles that a straight line cannot part",
    .camel = "Moons",
    .guide = "Q3",
    .paper = "",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, moons_params),
    .rows = 1000,
    .target = "y",
    .make = make,
};
