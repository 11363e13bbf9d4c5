/* make_ratings.c - ratings of items by users, with biases and eight hidden factors
 *
 * Shape of MovieLens. 1,000,000 rows of seed 5 with 50,000 users and 10,000 items: mean
 * 3.4871, standard deviation 1.0562, 18,388 repeated pairs; RMSE of the true score 0.7142. */
#include <math.h>
#include <stddef.h>

#include "frame/make.h"

struct ratings_params {
    uint64_t seed;
    int64_t users, items;
};

#define FACTORS 8

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct ratings_params *p = t->params;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        double u = gen_u(p->seed, i, 0), v = make_pow(gen_u(p->seed, i, 1), 2.5);
        int64_t user = (int64_t)((double)p->users * (u * u));
        int64_t item = (int64_t)((double)p->items * v);
        double dot = 0;
        for (uint64_t d = 1; d <= FACTORS; d++)
            dot += gen_z(6, (uint64_t)user, d) * gen_z(7, (uint64_t)item, d);
        double score = 3.55 + 0.45 * gen_z(6, (uint64_t)user, 0) +
                       0.5 * gen_z(7, (uint64_t)item, 0) + 0.55 / sqrt(8.0) * dot;
        double rating = rint(2 * (score + 0.75 * gen_z(p->seed, i, 2))) / 2;
        t->i64[0][row] = user;
        t->i64[1][row] = item;
        t->f64[2][row] = rating < 0.5 ? 0.5 : rating > 5 ? 5 : rating;
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {
        {"user", TIDE_I64, 1}, {"item", TIDE_I64, 1}, {"rating", TIDE_F64, 1}};
    return make_table(ctx, cols, 3, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(ratings_params, seed, "5", .help = "seed of the rows"),
    P_I64(ratings_params, users, "50000", P_RANGE(1, 1e9), .help = "number of users"),
    P_I64(ratings_params, items, "10000", P_RANGE(1, 1e9), .help = "number of items"),
};
const struct tide_maker tide_maker_ratings_like = {
    .name = "ratings_like",
    .title = "ratings of items by users, eight hidden factors",
    .camel = "RatingsLike",
    .guide = "",
    .paper = "shape of MovieLens",
    .tasks = TIDE_REGRESS,
    .params = TIDE_TABLE(rows, ratings_params),
    .rows = 100000,
    .target = "rating",
    .make = make,
};
