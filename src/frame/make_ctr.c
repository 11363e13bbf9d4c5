/* make_ctr.c - clicks: 13 counts with missing cells, 26 categories of up to 2,000,000 levels
 *
 * Shape of the Criteo display advertising data. The best possible AUC is 0.8605, log-loss
 * 0.2049; 300,000 rows of seed 3 have 24,269 positives, 26.9 % of the counts are missing. */
#include <math.h>
#include <stddef.h>

#include "frame/make.h"
#include "simd/vmath.h"

struct ctr_params {
    uint64_t seed;
    int32_t names;
};

#define COUNTS     13
#define CATEGORIES 26

static int64_t card_of(int k)
{
    double card = 10;
    for (int i = 0; i < k; i++) card *= 1.75;
    return card > 2000000 ? 2000000 : (int64_t)card;
}

static double take_counts(const struct make_task *t, uint64_t s, int64_t row)
{
    static const double weight[3] = {1, -0.4, 0};
    double sum = 0;
    for (int k = 0; k < COUNTS; k++) {
        uint64_t i = (uint64_t)row, slot = (uint64_t)k;
        if (gen_u(s, i, 100 + slot) < 0.045 * k) {
            t->i64[k][row] = I64_MISSING;
            continue;
        }
        double v = floor(vm_exp(1.2 * gen_z(s, i, slot) + 0.35 * k));
        t->i64[k][row] = (int64_t)v;
        sum += 0.12 * weight[k % 3] * vm_log(1 + v);
    }
    return sum;
}

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    uint64_t s = ((const struct ctr_params *)t->params)->seed;
    int64_t card[CATEGORIES];
    for (int k = 0; k < CATEGORIES; k++) card[k] = card_of(k);
    for (int64_t row = i0; row < i1; row++) {
        int64_t c[CATEGORIES];
        double score = take_counts(t, s, row), effects = 0;
        for (int k = 0; k < CATEGORIES; k++) {
            double u = gen_u(s, (uint64_t)row, 20 + (uint64_t)k);
            c[k] = (int64_t)((double)card[k] * (u * u * u * u));
            t->i64[COUNTS + k][row] = c[k];
            if (k < 14) effects += gen_z(1003 + (uint64_t)k, (uint64_t)c[k], 0);
        }
        score += -3.9 + 0.45 * effects +
                 0.6 * gen_z(2003, (uint64_t)(1000 * c[2] + c[5]), 0);
        t->i64[COUNTS + CATEGORIES][row] =
            gen_u(s, (uint64_t)row, 60) < make_sig(score);
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {
        {"I%d", TIDE_I64, COUNTS}, {"C%d", TIDE_I64, CATEGORIES}, {"y", TIDE_I64, 1}};
    const struct ctr_params *p = params;
    tide_frame *f;
    tide_status st = make_table(ctx, cols, 3, fill, params, n_rows, &f, err);
    for (int k = 0; st == TIDE_OK && p->names && k < CATEGORIES; k++)
        st = make_category(f, COUNTS + k, card_of(k), "c", err);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        f = NULL;
    }
    *out = f;
    return st;
}

static const struct tide_param rows[] = {
    P_U64(ctr_params, seed, "3", .help = "seed of the rows"),
    P_BOOL(ctr_params, names, "no",
           .help = "C columns as categories c17 instead of numbers"),
};
const struct tide_maker tide_maker_ctr_like = {
    .name = "ctr_like",
    .title = "clicks: counts with missing cells, categories of many levels",
    .camel = "CtrLike",
    .guide = "Q12 Q13",
    .paper = "shape of the Criteo display advertising data",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, ctr_params),
    .rows = 100000,
    .target = "y",
    .make = make,
};
