/* learners_dart.c - dropped trees and symmetric growth, through gbdt's own door */
#include <stdio.h>

#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

/* Numbers, missing values and a category of 40 levels; classes 0: a number as target. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y;
    int32_t *k;
};
static struct table table_new(int64_t n, int classes)
{
    struct table s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b");
    uint32_t *g = toy_category(s.t, "g", 40);
    s.y = calloc((size_t)n, sizeof *s.y);
    s.k = calloc((size_t)n, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(1, i, 0);
        b[i] = toy_u(1, i, 1) < 0.2 ? (double)NAN : floor(toy_u(1, i, 2) * 12);
        g[i] = (uint32_t)(40 * toy_u(1, i, 3) * toy_u(1, i, 4));
        s.y[i] = 2 * (a[i] > 0.4) + (isnan(b[i]) ? 1.5 : b[i] / 12) * (g[i] % 3) +
                 toy_u(1, i, 5);
        s.k[i] = classes ? (int32_t)(s.y[i] * 1.7) % classes : 0;
    }
    s.d = toy_data(s.t, classes, s.y, s.k, 5);
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->k);
}

static uint64_t hash_of(const struct table *s, const char *options,
                        const struct toy_how *how)
{
    struct toy_model *m = toy_fit(GBDT, options, &s->d, s->t->n_levels, how);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    uint64_t hash = m->hash;
    toy_model_free(m);
    return hash;
}

TEST(bytes_depend_on_no_thread_and_no_set)
{
    static const char *const options[] = {
        "trees=6,patience=0,growth=symmetric,depth=5,columns_level=0.7",
        "trees=12,patience=0,dart=0.4,dart_skip=0.1,rows=0.8",
        "trees=8,patience=0,dart=0.4,dart_skip=0,growth=symmetric,depth=4",
        "trees=8,patience=3,growth=oblivious"};
    for (int c = 0; c < 3; c++) {
        struct table s = table_new(c == 1 ? 70000 : 5000, 2 * c);
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            uint64_t want = hash_of(&s, options[o], NULL);
            for (int v = 0; v < 4; v++) {
                struct toy_how how = {.threads = 1 + v % 3};
                if (v == 2) how.isa = TIDE_ISA_BASE;
                if (v == 3) how.isa = TIDE_ISA_AVX2;
                CHECK_MSG(hash_of(&s, options[o], &how) == want,
                          "%s, %d classes: other bytes in variant %d", options[o],
                          2 * c, v);
            }
        }
        table_free(&s);
    }
}

TEST(a_rate_of_0_drops_nothing)
{
    struct table s = table_new(3000, 2);
    uint64_t plain = hash_of(&s, "trees=10,patience=0", NULL);
    CHECK(hash_of(&s, "trees=10,patience=0,dart=0,dart_skip=0", NULL) == plain);
    CHECK(hash_of(&s, "trees=10,patience=0,dart=0.5,dart_skip=1", NULL) == plain);
    CHECK(hash_of(&s, "trees=10,patience=0,dart=0.5,dart_skip=0", NULL) != plain);
    table_free(&s);
}

/* Two groups with means -1 and 3, of 40 rows each. */
static struct toy *groups(double *y, struct fit_data *d, uint64_t seed)
{
    struct toy *t = toy_new(80);
    double *x = toy_number(t, "x");
    for (int i = 0; i < 80; i++) {
        x[i] = i % 2;
        y[i] = i % 2 ? 3 : -1;
    }
    *d =
        (struct fit_data){.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = seed};
    return t;
}

TEST(weights_of_trees_are_those_of_a_slow_replay)
{
    /* without penalty a leaf is what is missing to the mean of its rows */
    enum { ROUNDS = 30 };
    for (uint64_t seed = 1; seed < 6; seed++) { /* odd seeds: the rate falls, too */
        double y[80], rate = 0.4, value[2][ROUNDS], weight[ROUNDS], out[80];
        struct fit_data d;
        struct toy *t = groups(y, &d, seed);
        struct rng_key key = rng_key(seed, "dart");
        int drops = 0;
        for (int r = 0; r < ROUNDS; r++) {
            double sum[2] = {0, 0};
            int dropped[ROUNDS] = {0}, k = 0;
            int skips = rng_u01(rng_at(key, r, 0, 1)) < 0.3;
            for (int e = 0; e < r && !skips; e++)
                k += dropped[e] = rng_u01(rng_at(key, r, (uint32_t)e, 0)) < 0.2;
            for (int e = 0; e < r; e++)
                for (int g = 0; g < 2 && !dropped[e]; g++)
                    sum[g] += weight[e] * value[g][e];
            for (int e = 0; e < r; e++)
                if (dropped[e]) weight[e] *= (double)k / (k + 1);
            weight[r] = rate / (k + 1);
            rate *= seed % 2 ? 0.97 : 1;
            for (int g = 0; g < 2; g++) value[g][r] = (g ? 2 : -2) - sum[g];
            drops += k;
        }
        struct toy_model *m =
            toy_fit(GBDT,
                    seed % 2 ? "trees=30,rate=0.4,leaves=2,min_rows=1,l2=0,patience=0,"
                               "dart=0.2,dart_skip=0.3,dart_most=0,rate_decay=0.97"
                             : "trees=30,rate=0.4,leaves=2,min_rows=1,l2=0,patience=0,"
                               "dart=0.2,dart_skip=0.3,dart_most=0",
                    &d, t->n_levels, NULL);
        int64_t leaves = 0;
        const double *leaf = toy_array(m, "leaf", &leaves);
        CHECK(drops > 10);
        CHECK_INT(leaves, 2 * ROUNDS);
        double want[2] = {1, 1};
        for (int r = 0; r < ROUNDS && leaves == 2 * ROUNDS; r++)
            for (int g = 0; g < 2; g++) {
                CHECK_NEAR(leaf[2 * r + g], weight[r] * value[g][r], 1e-3);
                want[g] += weight[r] * value[g][r];
            }
        tide_error err = {0};
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, 80, out, &err), 0);
        CHECK_NEAR(out[0], want[0], 2e-3);
        CHECK_NEAR(out[1], want[1], 2e-3);
        toy_model_free(m);
        toy_free(t);
    }
}

TEST(trees_that_all_drop_each_other_weigh_alike)
{
    /* the new one 1/(k + 1), the k others k/(k + 1) of 1/k each */
    double y[80];
    struct fit_data d;
    struct toy *t = groups(y, &d, 3);
    struct toy_model *m = toy_fit(GBDT,
                                  "trees=5,rate=1,leaves=2,min_rows=1,l2=0,patience=0,"
                                  "dart=0.99999999,dart_skip=0",
                                  &d, t->n_levels, NULL);
    const double *leaf = toy_array(m, "leaf", NULL);
    for (int r = 0; r < 5; r++) {
        CHECK_NEAR(leaf[2 * r], -2.0 / 5, 1e-4);
        CHECK_NEAR(leaf[2 * r + 1], 2.0 / 5, 1e-4);
    }
    toy_model_free(m);
    toy_free(t);
}

TEST(a_level_asks_one_question_on_paper)
{
    /* y = 10 a + (a ? 2 c : 3 b): after a, b gains more than c over both sides */
    double y[80], out[80];
    struct toy *t = toy_new(80);
    double *x[3] = {toy_number(t, "a"), toy_number(t, "b"), toy_number(t, "c")};
    for (int i = 0; i < 80; i++) {
        for (int j = 0; j < 3; j++) x[j][i] = i >> j & 1;
        y[i] = 10 * x[0][i] + (x[0][i] > 0 ? 2 * x[2][i] : 3 * x[1][i]);
    }
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = 1};
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        char options[128];
        snprintf(options, sizeof options,
                 "trees=1,rate=1,min_rows=1,l2=0,patience=0,depth=2,growth=%s",
                 symmetric ? "symmetric" : "level");
        struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        tide_error err = {0};
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, 80, out, &err), 0);
        for (int i = 0; i < 80; i++) {
            double right = symmetric ? 11 : y[i];
            CHECK_NEAR(out[i], x[0][i] > 0 ? right : y[i], 5e-3);
        }
        toy_model_free(m);
    }
    toy_free(t);
}

TEST(a_symmetric_model_is_as_deep_as_asked)
{
    struct table s = table_new(5000, 2);
    for (int depth = 0; depth < 9; depth += 4) {
        char options[128];
        snprintf(options, sizeof options,
                 "trees=5,patience=0,min_rows=1,growth=symmetric,depth=%d", depth);
        struct toy_model *m = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
        const uint32_t *has = toy_array(m, "tree_depth", NULL);
        uint32_t want = depth ? (uint32_t)depth : 6; /* no path need meet all tests */
        for (int i = 0; i < 5; i++) CHECK(has[i] <= want && has[i] + 1 >= want);
        toy_model_free(m);
    }
    table_free(&s);
}

TEST(what_contradicts_is_refused)
{
    static const struct {
        const char *options, *says;
    } part[] = {
        {"dart=0.1", "early stopping must be off"},
        {"growth=symmetric,depth=17", "at most 16"},
        {"growth=symmetric,leaves=8", "bounded by 'depth'"},
        {"growth=symmetric,columns_node=0.5", "knows no 'columns_node'"},
        {"growth=symmetric,monotone=+a", "knows no 'monotone'"},
        {"growth=symmetric,interact=a", "knows no 'interact'"},
        {"growth=symmetric", NULL},
        {"dart=0.1,patience=0", NULL},
    };
    for (size_t p = 0; p < sizeof part / sizeof part[0]; p++) {
        tide_values *v = NULL;
        tide_error err = {0};
        CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
        toy_set(v, part[p].options);
        tide_status st = tide_learner_gbdt.check(tide_values_struct(v), &err);
        CHECK_INT(st != TIDE_OK, part[p].says != NULL);
        if (part[p].says)
            CHECK_MSG(strstr(err.message, part[p].says) != NULL, "%s", err.message);
        tide_values_free(v);
    }
    struct table s = table_new(300, 0), w = table_new(100, 0);
    struct toy_how how = {.valid = &w.d};
    struct toy_model *m =
        toy_fit(GBDT, "trees=5,patience=0,dart=0.1", &s.d, s.t->n_levels, &how);
    CHECK_INT(m->status, TIDE_EINVAL);
    CHECK(strstr(m->err.message, "early stopping") != NULL);
    toy_model_free(m);
    table_free(&s);
    table_free(&w);
}

TEST(every_failing_allocation_is_an_error_and_leaks_nothing)
{
    struct table s = table_new(300, 3);
    toy_fail_each(&tide_learner_gbdt,
                  "trees=4,growth=symmetric,depth=3,dart=0.6,dart_skip=0,patience=0",
                  &s.d, s.t->n_levels, 2);
    table_free(&s);
}

static int stop_after(void *payload, const char *phase, double done, double total,
                      const char *text)
{
    (void)phase;
    (void)total;
    (void)text;
    return done >= *(const double *)payload;
}

TEST(a_cancelled_fit_with_dropped_trees_leaves_whole_rounds)
{
    struct table s = table_new(20000, 2);
    double after = 5;
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    CHECK_INT(tide_ctx_new(&ctx, &err), TIDE_OK);
    tide_ctx_set_progress(ctx, stop_after, &after);
    struct toy_how how = {.ctx = ctx};
    struct toy_model *m =
        toy_fit(GBDT, "trees=5000,patience=0,growth=symmetric,dart=0.5,dart_skip=0",
                &s.d, s.t->n_levels, &how);
    CHECK_INT(m->status, TIDE_ECANCELLED);
    CHECK(m->info.partial && m->object);
    int64_t trees = 0;
    toy_array(m, "tree_output", &trees);
    CHECK_INT(trees, m->info.best_round);
    CHECK(trees >= 5);
    toy_model_free(m);
    tide_ctx_free(ctx);
    table_free(&s);
}
