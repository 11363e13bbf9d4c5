/* learners_target_stat.c - statistics of levels and pairs: their values, choice, use in models */
#include <stdio.h>

#include "base/ctx.h"
#include "infer/engine.h"
#include "infer/shap.h"
#include "learners/tree/target_stat.h"
#include "math/sort.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT   &tide_learner_gbdt
#define LEVELS 12

/* Two categories that only a pair of levels explains, one without effect, one with many levels, a
 * number. classes 0: a number as target. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y, *w;
    int32_t *k;
    uint32_t *a, *b, *many;
};
static struct table table_new(int64_t n, int classes, uint64_t seed)
{
    struct table s = {.t = toy_new(n)};
    s.a = toy_category(s.t, "a", LEVELS);
    s.b = toy_category(s.t, "b", LEVELS);
    uint32_t *c = toy_category(s.t, "c", LEVELS);
    s.many = toy_category(s.t, "many", 600);
    double *x = toy_number(s.t, "x");
    s.y = calloc((size_t)n, sizeof *s.y);
    s.w = calloc((size_t)n, sizeof *s.w);
    s.k = calloc((size_t)n, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        s.a[i] = (uint32_t)(LEVELS * toy_u(seed, i, 0));
        s.b[i] = (uint32_t)(LEVELS * toy_u(seed, i, 1));
        if (i % 97 == 0) s.a[i] = CODE_MISSING;
        c[i] = (uint32_t)(LEVELS * toy_u(seed, i, 2));
        s.many[i] = (uint32_t)(600 * toy_u(seed, i, 3));
        x[i] = toy_u(seed, i, 4);
        double pair = toy_u(77, s.a[i] % 64, s.b[i]) - 0.5;
        s.y[i] = 3 * pair + x[i] + 0.5 * (s.many[i] % 3) + toy_u(seed, i, 5);
        s.w[i] = 0.5 + toy_u(seed, i, 6);
        s.k[i] = classes ? (int32_t)(s.y[i] + 2) % classes : 0;
        if (classes == 2) s.k[i] = s.y[i] > 1.5;
    }
    s.d = toy_data(s.t, classes, s.y, s.k, 9);
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->w);
    free(s->k);
}
/* What the header of target_stat.c says, row by row. late: of the rows before each in the draw. */
static double brute(const struct table *s, const struct target_stat *f, int64_t row,
                    const uint8_t *skip, int ordered)
{
    int64_t n = s->d.x->n_rows;
    struct rng_key key = rng_key(s->d.seed, "cat_stat");
    uint64_t own = rng_u64(rng_at(key, row, 0, 0));
    double sum = 0, count = 0, all = 0, rows = 0, lo = INFINITY, hi = -INFINITY;
    const uint32_t *c[2] = {s->d.x->cols[f->source[0]]->code,
                            f->source[1] < 0 ? NULL : s->d.x->cols[f->source[1]]->code};
    for (int64_t i = 0; i < n && s->d.y; i++) {
        lo = s->y[i] < lo && !(skip && skip[i]) ? s->y[i] : lo;
        hi = s->y[i] > hi && !(skip && skip[i]) ? s->y[i] : hi;
    }
    for (int64_t i = 0; i < n; i++) {
        if (skip && skip[i]) continue;
        double t = s->d.y                ? (s->y[i] - lo) / (hi - lo)
                   : s->d.n_classes == 2 ? s->k[i] == 1
                                         : s->k[i] == f->output;
        double w = s->d.w ? s->w[i] : 1;
        all += w * t;
        rows += w;
        if (c[0][i] != c[0][row] || (c[1] && c[1][i] != c[1][row])) continue;
        if (ordered && !(rng_u64(rng_at(key, i, 0, 0)) < own)) continue;
        sum += w * t;
        count += w;
    }
    double a = s->d.w ? rows / (double)(n - (skip ? n / 10 : 0)) : 1;
    return (sum + a * all / rows) / (count + a);
}

/* Codes of `some` rows are the places of brute-force values among the edges; tolerance: the
 * 2^-30 (weights: 2^-15) that targets are rounded to. */
static void check_codes(const struct table *s, const struct target_stats *t,
                        const uint8_t *skip, double tolerance)
{
    for (int32_t f = 0; f < t->n; f++) {
        const struct target_stat *q = &t->of[f];
        CHECK(q->n_edge > 1 && q->n_edge < 255);
        for (int64_t i = 0; i < s->d.x->n_rows; i += 13) {
            double v = brute(s, q, i, skip, !(skip && skip[i]));
            int code = q->codes[i];
            CHECK_MSG((code == 0 || q->edge[code - 1] < v + tolerance) &&
                          (code == q->n_edge || v - tolerance <= q->edge[code]),
                      "feature %d row %d code %d of value %.9g", (int)f, (int)i, code,
                      v);
        }
    }
}

TEST(statistics_are_those_of_the_rows_before)
{
    for (int variant = 0; variant < 5; variant++) {
        int classes = variant < 2 ? 0 : variant == 4 ? 3 : 2;
        struct table s = table_new(3000, classes, 1);
        struct arena a;
        struct bin_cuts cuts;
        struct target_stats t;
        tide_error err = {0};
        tide_ctx *ctx = toy_ctx(1 + variant % 2);
        uint8_t *skip = calloc(3000, 1);
        for (int i = 0; i < 3000; i += 10) skip[i] = variant == 3;
        if (variant == 1) s.d.w = s.w;
        struct bin_how bins = {.max_codes = 255, .seed = 9, .skip = skip};
        struct target_stat_how how = {
            .what = CAT_STATS_PAIRS, .n_codes = 255, .skip = skip};
        arena_init(&a, NULL);
        CHECK_INT(bins_cut(ctx, s.d.x, &bins, &a, &cuts, &err), 0);
        CHECK_INT(target_stats_new(ctx, &s.d, &how, &cuts, &a, &t, &err), 0);
        int outputs = classes > 2 ? classes : 1;
        /* `many` has more levels than codes; of the pairs only a, b is one */
        CHECK_INT(t.n, 2 * outputs);
        CHECK(t.of[0].source[0] == 3 && t.of[0].source[1] == -1);
        CHECK(t.of[outputs].source[0] == 0 && t.of[outputs].source[1] == 1);
        check_codes(&s, &t, variant == 3 ? skip : NULL, variant == 1 ? 2e-4 : 1e-8);
        /* other views get the table's codes, rows of a level alike */
        CHECK_INT(target_stats_lanes(&t, &a, &cuts, &err), 0);
        CHECK_INT(target_stats_code(&t, s.d.x, &a, &cuts, &err), 0);
        const uint8_t *by_table = cuts.feature[5].codes;
        for (int64_t i = 0; i < 3000; i++)
            CHECK_INT(by_table[i], t.of[0].table[s.many[i]]);
        for (int64_t i = 0; i < 3000 && variant == 3; i += 10)
            CHECK_INT(by_table[i], t.of[0].codes[i]);
        arena_free(&a);
        free(skip);
        tide_ctx_free(ctx);
        table_free(&s);
    }
}

static int32_t derived_of(const struct toy_model *m)
{
    return ((const int32_t *)toy_array(m, "shape", NULL))[6];
}

TEST(a_pair_needs_an_effect_that_both_halves_of_the_table_know)
{
    struct table s = table_new(8000, 0, 2);
    static const char *const ways[] = {"auto", "pairs", "single", "none"};
    for (int w = 0; w < 4; w++) {
        char options[64];
        snprintf(options, sizeof options, "trees=2,patience=0,cat_stats=%s", ways[w]);
        struct toy_model *m = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
        static const int want[] = {1, 2, 1, 0};
        CHECK_INT(derived_of(m), want[w]);
        toy_model_free(m);
    }
    /* the same effect, of the other sign from the middle on */
    for (int64_t i = 4000; i < 8000; i++)
        s.y[i] -= 6 * (toy_u(77, s.a[i] % 64, s.b[i]) - 0.5);
    struct toy_model *m =
        toy_fit(GBDT, "trees=2,patience=0,cat_stats=pairs", &s.d, s.t->n_levels, NULL);
    CHECK_INT(derived_of(m), 1);
    toy_model_free(m);
    table_free(&s);
}

static double loss_of(const struct toy_model *m, const struct table *s)
{
    int64_t n = s->d.x->n_rows;
    double *p = calloc((size_t)n, sizeof *p), sum = 0;
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, n, p, NULL), 0);
    for (int64_t i = 0; i < n; i++) sum += (p[i] - s->y[i]) * (p[i] - s->y[i]);
    free(p);
    return sum / (double)n;
}

TEST(pairs_say_what_few_splits_cannot)
{
    struct table s = table_new(6000, 0, 3), other = table_new(3000, 0, 4);
    const char *const how = "trees=40,leaves=8,rate=0.2,patience=0,cat_stats=";
    char options[2][128];
    snprintf(options[0], sizeof options[0], "%snone", how);
    snprintf(options[1], sizeof options[1], "%sauto", how);
    struct toy_model *without = toy_fit(GBDT, options[0], &s.d, s.t->n_levels, NULL);
    struct toy_model *with = toy_fit(GBDT, options[1], &s.d, s.t->n_levels, NULL);
    CHECK(loss_of(with, &other) < 0.7 * loss_of(without, &other));
    /* both columns of the pair share what it gains; the column without effect has next to none */
    double gain[5];
    tide_learner_gbdt.importance(with->object, gain);
    CHECK(gain[0] > 0.2 && gain[1] > 0.2 && gain[2] < 0.05);
    CHECK_NEAR(gain[0] + gain[1] + gain[2] + gain[3] + gain[4], 1, 1e-12);
    toy_model_free(with);
    toy_model_free(without);
    table_free(&s);
    table_free(&other);
}

TEST(bytes_depend_on_neither_threads_nor_instructions_nor_order)
{
    static const int classes[] = {0, 2, 3};
    for (int c = 0; c < 3; c++) {
        struct table s = table_new(2500, classes[c], 5);
        const char *options =
            c == 2 ? "trees=6,multi=vector,cat_stats=pairs" : "trees=6";
        struct toy_model *m = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
        CHECK(derived_of(m) > 0);
        for (int v = 0; v < 3; v++) {
            struct toy_how how = {.threads = 2 + v, .isa = v == 2 ? TIDE_ISA_BASE : 0};
            struct toy_model *o = toy_fit(GBDT, options, &s.d, s.t->n_levels, &how);
            CHECK(o->hash == m->hash);
            toy_model_free(o);
        }
        /* the rows in another order, as a view */
        struct view back = *s.d.x;
        struct table r = s;
        int64_t rows[2500];
        double *y = calloc(2500, sizeof *y);
        int32_t *k = calloc(2500, sizeof *k);
        for (int64_t i = 0; i < 2500; i++) {
            rows[i] = (i * 7 + 3) % 2500;
            y[i] = s.y[rows[i]];
            k[i] = s.k[rows[i]];
        }
        back.rows = rows;
        r.d.x = &back;
        if (r.d.y) r.d.y = y;
        if (r.d.k) r.d.k = k;
        struct toy_model *o = toy_fit(GBDT, options, &r.d, s.t->n_levels, NULL);
        CHECK(o->hash == m->hash);
        toy_model_free(o);
        free(y);
        free(k);
        toy_model_free(m);
        table_free(&s);
    }
}

/* Row i as numbers, levels as they are counted. */
static void row_of(const struct view *x, int64_t i, double *out)
{
    for (int32_t j = 0; j < x->n_cols; j++) {
        if (x->cols[j]->type == TIDE_CAT) {
            uint32_t code;
            view_codes(x, j, i, 1, &code);
            out[j] = code == CODE_MISSING ? (double)NAN : code;
        } else {
            view_numbers(x, j, i, 1, &out[j]);
        }
    }
}

TEST(every_engine_and_single_rows_know_them)
{
    struct table s = table_new(3000, 2, 6);
    static const char *const options[] = {
        "trees=20,cat_stats=pairs", "trees=20,cat_stats=pairs,leaves=600,min_rows=1",
        "trees=20,cat_stats=pairs,growth=symmetric,depth=4",
        "trees=20,cat_stats=pairs,leaves=8,cat_split=order"};
    for (int64_t i = 0; i < 3000; i += 5) s.many[i] = CODE_MISSING;
    for (int o = 0; o < 4; o++) {
        struct toy_model *m = toy_fit(GBDT, options[o], &s.d, s.t->n_levels, NULL);
        const struct ensemble *e = tide_learner_gbdt.trees(m->object);
        double *want = calloc(3000, sizeof *want), *got = calloc(3000, sizeof *got);
        const struct simd_table *simd = simd_get(NULL);
        CHECK(e->n_derived == 2 && e->origin);
        CHECK_INT(ensemble_margin_plain(e, s.d.x, 0, 3000, 0, want, NULL), 0);
        for (int kind = ENGINE_AUTO; kind <= ENGINE_PLAIN; kind++) {
            CHECK_INT(engine_margin(e, simd, (enum engine_kind)kind, s.d.x, 0, 3000,
                                    got, NULL),
                      0);
            CHECK(memcmp(want, got, 3000 * sizeof *want) == 0);
            for (int64_t i = 0; i < 3000; i += 11) {
                double row[5], z;
                row_of(s.d.x, i, row);
                engine_row(e, simd, (enum engine_kind)kind, row, &z);
                CHECK(z == want[i]);
            }
        }
        /* levels that nobody has seen are those that are missing */
        double unseen[5], missing[5], z[2];
        row_of(s.d.x, 1, unseen);
        memcpy(missing, unseen, sizeof unseen);
        unseen[0] = 4000;
        unseen[1] = -1;
        missing[0] = missing[1] = NAN;
        ensemble_row(e, unseen, &z[0]);
        ensemble_row(e, missing, &z[1]);
        CHECK(z[0] == z[1]);
        free(want);
        free(got);
        toy_model_free(m);
    }
    table_free(&s);
}

TEST(contributions_add_up_and_halve_what_a_pair_does)
{
    struct table s = table_new(3000, 0, 7);
    struct toy_model *m =
        toy_fit(GBDT, "trees=15,patience=0,cat_stats=pairs", &s.d, s.t->n_levels, NULL);
    const struct ensemble *e = tide_learner_gbdt.trees(m->object);
    double z[64], phi[64][6], *two = calloc(64 * 36, sizeof *two), other[64][6];
    struct view few = *s.d.x;
    few.n_rows = 20;
    CHECK_INT(ensemble_margin(e, s.d.x, 0, 64, 0, z, NULL), 0);
    CHECK_INT(shap_values(e, s.d.x, 0, 64, phi[0], NULL), 0);
    CHECK_INT(shap_interactions(e, s.d.x, 0, 64, two, NULL), 0);
    CHECK_INT(shap_interventional(e, s.d.x, 0, 64, &few, 0, other[0], NULL), 0);
    for (int r = 0; r < 64; r++) {
        double sum = 0, sum_other = 0;
        for (int j = 0; j < 6; j++) {
            double line = 0;
            sum += phi[r][j];
            sum_other += other[r][j];
            for (int q = 0; q < 5; q++) {
                line += two[r * 36 + j * 6 + q];
                CHECK_NEAR(two[r * 36 + j * 6 + q], two[r * 36 + q * 6 + j], 1e-12);
            }
            if (j < 5) CHECK_NEAR(line, phi[r][j], 1e-9);
        }
        CHECK_NEAR(sum, z[r], 1e-9);
        CHECK_NEAR(sum_other, z[r], 1e-9);
    }
    /* one split on the pair alone: a and b get the same */
    struct toy_model *one =
        toy_fit(GBDT, "trees=1,leaves=2,patience=0", &s.d, s.t->n_levels, NULL);
    const struct ensemble *stump = tide_learner_gbdt.trees(one->object);
    CHECK(stump->column_feature[stump->node_column[0]] == 5);
    CHECK_INT(shap_values(stump, s.d.x, 0, 64, phi[0], NULL), 0);
    for (int r = 0; r < 64; r++) CHECK(phi[r][0] == phi[r][1] && phi[r][2] == 0);
    free(two);
    toy_model_free(one);
    toy_model_free(m);
    table_free(&s);
}

TEST(groups_and_signs_hold_for_pairs)
{
    struct table s = table_new(4000, 0, 8);
    struct toy_model *apart =
        toy_fit(GBDT, "trees=3,patience=0,cat_stats=pairs,interact=a;b", &s.d,
                s.t->n_levels, NULL);
    CHECK_INT(derived_of(apart), 1);
    struct toy_model *m =
        toy_fit(GBDT, "trees=30,patience=0,cat_stats=pairs,monotone=+x", &s.d,
                s.t->n_levels, NULL);
    CHECK_INT(derived_of(m), 2);
    for (int64_t i = 0; i < 4000; i += 7) {
        double row[5], z[2];
        row_of(s.d.x, i, row);
        row[4] = 0.1 * (double)(i % 9);
        tide_learner_gbdt.predict_row(m->object, row, &z[0]);
        row[4] += 0.1;
        tide_learner_gbdt.predict_row(m->object, row, &z[1]);
        CHECK(z[1] >= z[0]);
    }
    toy_model_free(m);
    toy_model_free(apart);
    table_free(&s);
}

/* Statistics with one usual code are no candidates by columns of the view; their trees are those of
 * byte columns apart. */
TEST(statistics_stand_beside_columns_that_exclude_each_other)
{
    enum { N = 3000 };
    struct toy *t = toy_new(N);
    uint32_t *u = toy_category(t, "u", N);
    double *x[3] = {toy_number(t, "v"), toy_number(t, "w"), toy_number(t, "x")};
    int32_t *k = calloc(N, sizeof *k);
    for (int64_t i = 0; i < N; i++) {
        u[i] = toy_u(3, i, 0) < 0.7 ? (uint32_t)i : (uint32_t)(7 * toy_u(3, i, 1));
        for (int j = 0; j < 3; j++)
            x[j][i] = i % 20 == j ? 1 + floor(9 * toy_u(3, i, 2)) : 0;
        k[i] = toy_u(3, i, 3) < (u[i] < 7 ? 0.2 * u[i] : 0.5);
    }
    struct fit_data d = {
        .x = toy_view(t), .task = TIDE_CLASSIFY, .n_classes = 2, .k = k, .seed = 9};
    uint64_t hash[2];
    for (int apart = 0; apart < 2; apart++) {
        struct toy_how how = {.ctx = toy_ctx(2)};
        how.ctx->lanes_apart = apart;
        struct toy_model *m =
            toy_fit(GBDT, "trees=5,patience=0,cat_stats=single", &d, t->n_levels, &how);
        CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
        CHECK(tide_learner_gbdt.trees(m->object)->n_derived > 0);
        hash[apart] = m->hash;
        toy_model_free(m);
        tide_ctx_free(how.ctx);
    }
    CHECK(hash[0] == hash[1]);
    free(k);
    toy_free(t);
}

/* A target beyond the range of the first fit changes codes of its own cell alone. */
TEST(going_on_keeps_the_range_of_the_first_fit)
{
    struct table s = table_new(4000, 0, 5);
    struct toy_model *m =
        toy_fit(GBDT, "trees=5,patience=0,cat_stats=pairs", &s.d, s.t->n_levels, NULL);
    const struct ensemble *e = tide_learner_gbdt.trees(m->object);
    struct target_stat_how how = {.what = CAT_STATS_PAIRS};
    struct target_stats was, is;
    struct arena a;
    tide_error err = {0};
    tide_ctx *ctx = toy_ctx(1);
    arena_init(&a, ctx);
    CHECK(e->n_derived > 0);
    CHECK_INT(target_stats_again(ctx, &s.d, e, &how, NULL, &a, &was, &err), TIDE_OK);
    s.y[100] = 1000;
    CHECK_INT(target_stats_again(ctx, &s.d, e, &how, NULL, &a, &is, &err), TIDE_OK);
    for (int32_t f = 0; f < was.n; f++) {
        int64_t others = 0;
        for (int64_t i = 0; i < 4000; i++)
            others += was.of[f].codes[i] != is.of[f].codes[i] &&
                      (s.a[i] != s.a[100] || s.b[i] != s.b[100]);
        /* the prior is the mean of the rows, which moves a little; shares of another range would
         * change nearly all codes */
        CHECK_MSG(others < 1000, "%lld", (long long)others);
    }
    arena_free(&a);
    tide_ctx_free(ctx);
    toy_model_free(m);
    table_free(&s);
}

TEST(columns_of_more_levels_than_16_bits_have_no_statistics)
{
    struct table s = table_new(3000, 0, 11);
    uint32_t *huge = toy_category(s.t, "huge", 70000);
    for (int64_t i = 0; i < 3000; i++) huge[i] = (uint32_t)(i * 23);
    s.d.x = toy_view(s.t);
    struct toy_model *m =
        toy_fit(GBDT, "trees=2,patience=0,cat_stats=pairs", &s.d, s.t->n_levels, NULL);
    CHECK_INT(derived_of(m), 2); /* of `many`, of a and b */
    toy_model_free(m);
    table_free(&s);
}

TEST(no_allocation_that_fails_leaves_anything)
{
    struct table s = table_new(2100, 0, 9);
    toy_fail_each(GBDT, "trees=2,patience=0,leaves=4,cat_stats=pairs", &s.d,
                  s.t->n_levels, 1);
    table_free(&s);
}

/* ------------------------------------------------------------------------ files --- */

struct bent {
    const char *array;
    int64_t at;
    double to; /* as the array's type */
};

TEST(a_model_file_that_lies_about_them_is_refused)
{
    struct table s = table_new(2500, 0, 10);
    struct toy_model *m =
        toy_fit(GBDT, "trees=3,cat_stats=pairs", &s.d, s.t->n_levels, NULL);
    static const struct bent bent[] = {
        {"shape", 6, -1},           {"shape", 6, 1},
        {"shape", 6, 2e9},          {"source", 0, 4},
        {"source", 0, -1},          {"source", 0, 5},
        {"source", 1, 0},           {"source", 2, 1},
        {"source", 3, 4},           {"source", 3, -2},
        {"source", 3, 2147483647},  {"source", 3, -1},
        {"origin_output", 0, -1},   {"origin_output", 1, 70000},
        {"origin_off", 1, 9e8},     {"origin_off", 2, 0},
        {"origin_edge", 1, -1e300}, {"origin_edge", 0, INFINITY},
        {"level_off", 6, 5},        {"feature_kind", 5, 0},
        {"feature_kind", 6, 7},     {"column_feature", 0, 99},
    };
    for (size_t b = 0; b < sizeof bent / sizeof bent[0]; b++) {
        struct arena a;
        struct state to;
        void *object = NULL;
        tide_error err = {0};
        arena_init(&a, NULL);
        state_init(&to, &a);
        for (int i = 0; i < m->state.n; i++) {
            const struct state_array *f = &m->state.arrays[i];
            void *copy = state_new(&to, f->kind, f->name, (enum state_type)f->type,
                                   f->dim[0], f->dim[1], f->dim[2]);
            size_t each = state_type_size((enum state_type)f->type);
            memcpy(copy, f->data, (size_t)(f->dim[0] * f->dim[1] * f->dim[2]) * each);
            if (strcmp(f->name, bent[b].array)) continue;
            if (f->type == STATE_F64) ((double *)copy)[bent[b].at] = bent[b].to;
            if (f->type == STATE_I32)
                ((int32_t *)copy)[bent[b].at] = (int32_t)bent[b].to;
            if (f->type == STATE_U32)
                ((uint32_t *)copy)[bent[b].at] = (uint32_t)bent[b].to;
            if (f->type == STATE_U8)
                ((uint8_t *)copy)[bent[b].at] = (uint8_t)bent[b].to;
        }
        CHECK_MSG(tide_learner_gbdt.load(&to, TIDE_REGRESS, 1, 5, s.t->n_levels, &a,
                                         &object, &err) == TIDE_EMODEL,
                  "%s[%d] = %g is taken", bent[b].array, (int)bent[b].at, bent[b].to);
        arena_free(&a);
    }
    toy_model_free(m);
    table_free(&s);
}
