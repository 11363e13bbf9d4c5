/* learners_quantiles.c - several quantiles in one boosted model */
#include "base/alloc.h"
#include "infer/ensemble.h"
#include "learners/tree/objective.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt, tide_learner_baseline;
#define GBDT  &tide_learner_gbdt
#define THREE "patience=0,loss=quantile,quantile=[0.1,0.5,0.9]"
#define TREES "multi=trees," THREE

/* Numbers with gaps, a category, and a target whose spread depends on them. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y, *w;
};
static struct table table_new(int64_t n, uint64_t seed)
{
    struct table s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b");
    uint32_t *g = toy_category(s.t, "g", 12);
    s.y = calloc((size_t)n, sizeof *s.y);
    s.w = calloc((size_t)n, sizeof *s.w);
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(seed, i, 0);
        b[i] = toy_u(seed, i, 1) < 0.2 ? (double)NAN : floor(toy_u(seed, i, 2) * 12);
        g[i] = (uint32_t)(12 * toy_u(seed, i, 3) * toy_u(seed, i, 4));
        double u = toy_u(seed, i, 5) - 0.5;
        s.y[i] = 2 * (a[i] > 0.4) + (isnan(b[i]) ? 1 : b[i] / 12) * (g[i] % 3) +
                 (0.2 + 2 * a[i]) * u;
        s.w[i] = 0.5 + toy_u(seed, i, 9);
    }
    s.d = toy_data(s.t, 0, s.y, NULL, 5);
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->w);
}

static struct toy_model *fit(const struct table *s, const char *options,
                             const struct toy_how *how)
{
    struct toy_model *m = toy_fit(GBDT, options, &s->d, s->t->n_levels, how);
    CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
    return m;
}
static double *scores(const struct toy_model *m, const struct table *s, int k)
{
    tide_error err = {0};
    int64_t n = s->d.x->n_rows;
    double *out = calloc((size_t)(n * k), sizeof *out);
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, n, out, &err), 0);
    return out;
}

TEST(the_loss_is_the_mean_of_quantiles_in_order)
{
    static const double level[] = {0.2, 0.5, 0.8};
    struct objective_fit o = {
        .of = &objective_table[OBJECTIVE_QUANTILE], .n_outputs = 3, .level = level};
    double y[2] = {1, 4}, s[6] = {0, 2, 3, 5, 4, 1}, z[6], g[2], h[2];
    struct grad_rows rows = {.n = 2, .y = y};
    /* of 4 with 1, 4, 5 once they are in order */
    CHECK_NEAR(o.of->loss(&o, &rows, 0, s, z), (0.2 + 0.5 + 0.4) / 3, 1e-15);
    CHECK_NEAR(o.of->loss(&o, &rows, 1, s + 3, z), (0.6 + 0 + 0.2) / 3, 1e-15);
    CHECK(s[3] == 5 && s[5] == 1);
    o.of->prepare(&o, &rows, 0, 2, s, z);
    static const double want[] = {-0.2, 0.8, 0.5, 0.5, 0.2, -0.8};
    for (int32_t k = 0; k < 3; k++) {
        o.of->grad(&o, &rows, 0, 2, k, z, g, h);
        CHECK_NEAR(g[0], want[2 * k], 1e-15);
        CHECK_NEAR(g[1], want[2 * k + 1], 1e-15);
        CHECK(h[0] == 1 && h[1] == 1);
    }
}

/* Four groups of rows: many rounds find each quantile of each, with weights too. */
static void check_groups(const char *multi, int weighted)
{
    enum { N = 6000 };
    static const double level[] = {0.05, 0.5, 0.9};
    static struct weighted v[N];
    struct toy *t = toy_new(N);
    double *x = toy_number(t, "x"), y[N], w[N], out[3 * N];
    char options[160];
    tide_error err = {0};
    for (int i = 0; i < N; i++) {
        double u = toy_u(6, i, 0);
        x[i] = floor(4 * toy_u(5, i, 0));
        y[i] = (1 + x[i]) * (0.1 + u * u);
        w[i] = 1 + (double)(i % 3);
    }
    struct fit_data d = toy_data(t, 0, y, NULL, 3);
    d.w = weighted ? w : NULL;
    snprintf(options, sizeof options,
             "trees=60,rate=0.5,patience=0,l2=0,loss=quantile,quantile=[0.05,0.5,0.9],"
             "multi=%s",
             multi);
    struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, N, out, &err), 0);
    for (int i = 0; i < 40; i++)
        for (int k = 0; k < 3; k++) {
            int64_t n = 0;
            for (int j = 0; j < N; j++)
                if (x[j] == x[i])
                    v[n++] = (struct weighted){y[j], weighted ? 1 + j % 3 : 1};
            double want = weighted_quantile(v, n, level[k]), got = out[3 * i + k];
            CHECK_MSG(fabs(got - want) <= 1e-9 * (1 + want), "%s, %g: %g, not %g",
                      multi, level[k], got, want);
        }
    toy_model_free(m);
    toy_free(t);
}

TEST(many_rounds_find_every_quantile_of_each_group)
{
    for (int weighted = 0; weighted < 2; weighted++) {
        check_groups("trees", weighted);
        check_groups("vector", weighted);
    }
}

TEST(quantiles_rise_in_every_row_of_batch_and_row)
{
    enum { K = 9, N = 3000 };
    static const char *const multi[] = {"trees", "vector"};
    struct table s = table_new(N, 2);
    for (int v = 0; v < 2; v++) {
        char options[200];
        snprintf(options, sizeof options,
                 "trees=40,patience=0,rate=0.3,min_rows=2,loss=quantile,multi=%s,"
                 "quantile=[.1,.2,.3,.4,.5,.6,.7,.8,.9]",
                 multi[v]);
        struct toy_model *m = fit(&s, options, NULL);
        double *out = scores(m, &s, K), *raw = calloc(K * N, sizeof *raw), x[3], one[K];
        int64_t crossed = 0;
        const struct ensemble *e = tide_learner_gbdt.trees(m->object);
        CHECK(e->n_outputs == K && e->leaf_width == (v ? K : 1));
        CHECK_INT(ensemble_margin(e, s.d.x, 0, N, 0, raw, NULL), 0);
        for (int64_t i = 0; i < N; i++) {
            for (int k = 1; k < K; k++) {
                CHECK(out[i * K + k] >= out[i * K + k - 1]);
                crossed += raw[i * K + k] < raw[i * K + k - 1];
            }
            view_numbers(s.d.x, 0, i, 1, &x[0]);
            view_numbers(s.d.x, 1, i, 1, &x[1]);
            uint32_t code;
            view_codes(s.d.x, 2, i, 1, &code);
            x[2] = code;
            tide_learner_gbdt.predict_row(m->object, x, one);
            CHECK(memcmp(one, out + i * K, sizeof one) == 0);
        }
        CHECK(crossed > 0); /* else nothing was put in order */
        free(raw);
        free(out);
        toy_model_free(m);
    }
    table_free(&s);
}

/* Coverage of new rows by the outer two of three, and the loss against three models of one. */
TEST(one_model_is_as_good_as_one_each)
{
    static const char *const one[] = {"0.1", "0.5", "0.9"};
    static const double level[] = {0.1, 0.5, 0.9};
    enum { N = 4000 };
    struct table s = table_new(N, 3), other = table_new(N, 4);
    double loss[3] = {0}, inside = 0; /* trees, vector, one each */
    for (int side = 0; side < 3; side++)
        for (int k = 0; k < 3; k++) {
            char options[128];
            if (side < 2 && k) continue;
            snprintf(options, sizeof options,
                     "trees=60,patience=0,min_rows=40,loss=quantile,%s%s",
                     side < 2 ? "quantile=[0.1,0.5,0.9]" : "quantile=",
                     side == 0   ? ",multi=trees"
                     : side == 1 ? "" /* vector */
                                 : one[k]);
            struct toy_model *m = fit(&s, options, NULL);
            int n_out = side < 2 ? 3 : 1;
            double *out = scores(m, &other, n_out);
            for (int64_t i = 0; i < N; i++)
                for (int q = 0; q < n_out; q++) {
                    double a = level[side < 2 ? q : k];
                    double e = other.y[i] - out[i * n_out + q];
                    loss[side] += (e >= 0 ? a * e : (a - 1) * e) / (3.0 * N);
                }
            for (int64_t i = 0; side == 0 && i < N; i++)
                inside += (out[3 * i] <= other.y[i] && other.y[i] <= out[3 * i + 2]) /
                          (double)N;
            free(out);
            toy_model_free(m);
        }
    CHECK_MSG(loss[0] < 1.01 * loss[2], "%g, one each %g", loss[0], loss[2]);
    CHECK_MSG(loss[1] < 1.01 * loss[2], "vector %g, one each %g", loss[1], loss[2]);
    CHECK_MSG(inside > 0.7 && inside < 0.85, "%g covered", inside);
    table_free(&s);
    table_free(&other);
}

TEST(quantiles_have_the_same_bytes_whatever_the_machine)
{
    static const char *const options[] = {
        "trees=5," THREE,
        "trees=5," TREES,
        "trees=5,rows=0.7,columns=0.7,path_smooth=2," TREES,
        "trees=5,rows=0.6,sampling=mvs," THREE,
        "trees=5,growth=symmetric,depth=4," THREE,
        "trees=5,dart=0.3," THREE,
        "trees=30,patience=5,loss=quantile,quantile=[0.1,0.9]",
    };
    struct table s = table_new(20000, 6);
    int64_t row[20000];
    for (int64_t i = 0; i < 20000; i++) row[i] = (i * 7919) % 20000;
    for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
        uint64_t want = 0;
        s.d.w = o % 2 ? s.w : NULL;
        for (int v = 0; v < 4; v++) {
            struct toy_how how = {.threads = 1 + v, .isa = v == 1 ? TIDE_ISA_BASE : 0};
            struct toy_model *m = fit(&s, options[o], &how);
            if (v == 0) want = m->hash;
            CHECK_MSG(m->hash == want, "%s: other bytes in variant %d", options[o], v);
            toy_model_free(m);
        }
        struct view turned = *s.d.x; /* the same rows in another order */
        struct table t = s;
        t.y = calloc(20000, sizeof *t.y);
        t.w = calloc(20000, sizeof *t.w);
        for (int64_t i = 0; i < 20000; i++) {
            t.y[i] = s.y[row[i]];
            t.w[i] = s.w[row[i]];
        }
        turned.rows = row;
        t.d.x = &turned;
        t.d.y = t.y;
        t.d.w = s.d.w ? t.w : NULL;
        struct toy_model *m = fit(&t, options[o], NULL);
        CHECK_MSG(m->hash == want, "%s: the order of rows matters", options[o]);
        toy_model_free(m);
        free(t.y);
        free(t.w);
    }
    table_free(&s);
}

TEST(rounds_are_chosen_by_the_mean_loss)
{
    struct table s = table_new(1500, 7), v = table_new(1500, 8);
    const char *options =
        "trees=400,patience=10,rate=0.3,loss=quantile,quantile=[0.1,0.9]";
    struct toy_how watched = {.valid = &v.d};
    struct toy_model *stopped = fit(&s, options, &watched),
                     *folds = fit(&s, options, NULL);
    CHECK(stopped->info.best_round > 1 && stopped->info.best_round < 200);
    CHECK(folds->info.best_round > 1 && folds->info.best_round < 200);
    CHECK_INT(tide_learner_gbdt.trees(stopped->object)->n_trees,
              stopped->info.best_round);
    CHECK_INT(tide_learner_gbdt.trees(stopped->object)->leaf_width, 2);
    toy_model_free(stopped);
    toy_model_free(folds);
    table_free(&s);
    table_free(&v);
}

TEST(one_value_is_every_quantile)
{
    struct table s = table_new(300, 9);
    for (int i = 0; i < 300; i++) s.y[i] = 7;
    struct toy_model *m = fit(&s, "trees=5," THREE, NULL);
    double *out = scores(m, &s, 3);
    for (int i = 0; i < 900; i++) CHECK(out[i] == 7);
    free(out);
    toy_model_free(m);
    table_free(&s);
}

TEST(what_needs_one_value_is_refused)
{
    static const struct {
        const char *options, *message;
    } bad[] = {
        {"trees=3,offset=a," THREE,
         "'offset' is for one score a row, not for several quantiles"},
        {"trees=3,multi=vector,loss=quantile",
         "'multi' is for classes as target, or for several quantiles"},
        {"trees=3,monotone=+a," THREE,
         "loss 'quantile' fits its leaves by quantiles, which 'monotone' cannot bound"},
    };
    struct table s = table_new(300, 10);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct toy_model *m = toy_fit(GBDT, bad[i].options, &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
        CHECK_STR(m->err.message, bad[i].message);
        toy_model_free(m);
    }
    table_free(&s);
    tide_values *v = NULL;
    tide_error err = {0};
    CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
    toy_set(v, "stop_on=mae," THREE);
    CHECK_INT(tide_learner_gbdt.check(tide_values_struct(v), &err), TIDE_EINVAL);
    CHECK_STR(
        err.message,
        "several quantiles are watched by their mean pinball loss, not by 'stop_on'");
    tide_values_free(v);
}

TEST(a_baseline_of_quantiles_is_that_of_the_targets)
{
    struct table s = table_new(101, 11);
    for (int i = 0; i < 101; i++) s.y[i] = (i * 37) % 101;
    struct toy_model *m =
        toy_fit(&tide_learner_baseline, "value=quantile,quantile=[0.05,0.5,0.9]", &s.d,
                s.t->n_levels, NULL);
    double out[6];
    tide_error err = {0};
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    CHECK_INT(tide_learner_baseline.predict(m->object, s.d.x, 0, 2, out, &err), 0);
    CHECK(out[0] == 5 && out[1] == 50 && out[2] == 90 && out[5] == 90);
    toy_model_free(m);
    table_free(&s);
}

TEST(quantiles_survive_every_failed_allocation)
{
    struct table s = table_new(250, 12);
    toy_fail_each(GBDT, "trees=2," THREE, &s.d, s.t->n_levels, 1);
    toy_fail_each(GBDT, "trees=2," TREES, &s.d, s.t->n_levels, 1);
    table_free(&s);
}
