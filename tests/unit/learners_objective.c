/* learners_objective.c - losses: derivatives, best constants, ranges, quantiles of residuals */
#include "base/alloc.h"
#include "infer/ensemble.h"
#include "learners/tree/objective.h"
#include "simd/vmath.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

static struct objective_fit fit_of(enum objective_id id)
{
    static const double level[] = {0.3};
    return (struct objective_fit){.of = &objective_table[id],
                                  .simd = simd_get(NULL),
                                  .n_outputs = id == OBJECTIVE_SOFTMAX ? 3 : 1,
                                  .level = level,
                                  .delta = 0.7,
                                  .power = 1.4};
}

TEST(derivatives_are_those_of_the_loss)
{
    /* deviances are twice the negative log-likelihood; |r| has no second derivative, so its trees
     * are searched on the smooth loss of pseudo_huber, by a parabola above it */
    static const double factor[OBJECTIVE_COUNT] = {
        [OBJECTIVE_SQUARED] = 0.5, [OBJECTIVE_ABSOLUTE] = 1,
        [OBJECTIVE_HUBER] = 1,     [OBJECTIVE_PSEUDO_HUBER] = 1,
        [OBJECTIVE_QUANTILE] = 1,  [OBJECTIVE_MAPE] = 1,
        [OBJECTIVE_POISSON] = 0.5, [OBJECTIVE_GAMMA] = 0.5,
        [OBJECTIVE_TWEEDIE] = 0.5, [OBJECTIVE_CROSS_ENTROPY] = 1,
        [OBJECTIVE_LOGISTIC] = 1,  [OBJECTIVE_SOFTMAX] = 1};
    for (int id = 1; id < OBJECTIVE_COUNT; id++) {
        struct objective_fit o = fit_of((enum objective_id)id);
        const struct objective *what =
            &objective_table[o.of->scaled ? OBJECTIVE_PSEUDO_HUBER : id];
        if (!o.of->loss) continue; /* of queries: learners_rank.c */
        for (int i = 0; i < 200; i++) {
            double s[3], z[3], g, h, e = 1e-5, y = 0.05 + 0.9 * toy_u(1, i, 0);
            int32_t k = (int32_t)(3 * toy_u(1, i, 4)), n = o.n_outputs, at = i % n;
            if (n == 1) k %= 2;
            for (int q = 0; q < 3; q++) s[q] = 3 * toy_u(1, i, (uint32_t)q + 1) - 1.5;
            struct grad_rows rows = {.n = 1, .y = &y, .k = &k};
            o.of->prepare(&o, &rows, 0, 1, s, z);
            o.of->grad(&o, &rows, 0, 1, at, z, &g, &h);
            if (o.of->g_most > 0) CHECK(fabs(g) <= o.of->g_most);
            if (o.of->scaled) g *= o.delta;
            double there = s[at], scratch[3], lo, mid, hi;
            mid = what->loss(&o, &rows, 0, s, scratch);
            s[at] = there - e;
            lo = what->loss(&o, &rows, 0, s, scratch);
            s[at] = there + e;
            hi = what->loss(&o, &rows, 0, s, scratch);
            CHECK(mid >= 0);
            if (o.of->link == LINK_IDENTITY && fabs(there - y) < 3 * e) continue;
            CHECK_MSG(fabs((hi - lo) / (2 * e) * factor[id] - g) < 1e-6,
                      "%s: g is %g at %g for %g", objective_names[id], g, there, y);
            double want = o.of->unit_h ? 1 : (hi - 2 * mid + lo) / (e * e) * factor[id];
            if (id == OBJECTIVE_SOFTMAX) want *= 1.5;
            if (o.of->scaled) want = g / (there - y);
            CHECK_MSG(fabs(want - h) < 1e-4 * (1 + h), "%s: h is %g, not %g",
                      objective_names[id], h, want);
        }
    }
}

TEST(names_and_aliases_of_losses_are_one_of_a_kind)
{
    for (int id = 0; id < OBJECTIVE_COUNT; id++) {
        tide_values *v = NULL;
        tide_error err = {0};
        char words[256];
        snprintf(words, sizeof words, "%s %s", objective_names[id],
                 objective_aliases[id]);
        for (char *w = words; *w;) {
            size_t len = strcspn(w, " ");
            int more = w[len] == ' ';
            w[len] = 0;
            CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
            CHECK_MSG(*w && !tide_values_set(v, "objective", w, &err), "'%s'", w);
            const struct tide_param *row =
                tide_params_find(&tide_learner_gbdt.params, "loss");
            char text[64];
            tide_values_text(v, row, text, sizeof text);
            CHECK_MSG(!strcmp(text, objective_names[id]), "%s is %s", w, text);
            tide_values_free(v);
            w += len + (size_t)more;
            if (more && !*w) break;
        }
    }
    CHECK(objective_names[OBJECTIVE_COUNT] == NULL);
}

TEST(weighted_quantiles_are_exact_in_any_order)
{
    for (int round = 0; round < 300; round++) {
        enum { N = 40 };
        struct weighted v[N];
        int n = 1 + round % N;
        double level = 0.05 + 0.1 * (round % 10), all = 0;
        for (int i = 0; i < n; i++) {
            v[i].value = floor(12 * toy_u(2, i, (uint32_t)round));
            v[i].weight =
                round % 3 ? 1 + (int64_t)(4 * toy_u(3, i, (uint32_t)round)) : 1;
            all += (double)v[i].weight;
        }
        /* by the definition: walk the distinct values upwards */
        double want = 0, below = 0;
        for (double x = 0; x < 12; x++) {
            double here = 0;
            for (int i = 0; i < n; i++)
                if (v[i].value == x) here += (double)v[i].weight;
            if (here == 0) continue;
            below += here;
            if (below < level * all) continue;
            want = x;
            if (below == level * all)
                for (double next = x + 1; next < 12 && want == x; next++)
                    for (int i = 0; i < n; i++)
                        if (v[i].value == next) want = 0.5 * x + 0.5 * next;
            break;
        }
        CHECK_MSG(weighted_quantile(v, n, level) == want, "round %d", round);
    }
}

/* A table of one number with a count, an amount and a share that depend on it. */
struct amounts {
    struct toy *t;
    double *x, *y;
    struct fit_data d;
};
static struct amounts amounts_new(int64_t n)
{
    struct amounts a = {.t = toy_new(n)};
    a.x = toy_number(a.t, "x");
    a.y = calloc((size_t)n, sizeof *a.y);
    for (int64_t i = 0; i < n; i++) a.x[i] = floor(4 * toy_u(5, i, 0));
    a.d = (struct fit_data){
        .x = toy_view(a.t), .task = TIDE_REGRESS, .y = a.y, .seed = 3};
    return a;
}
static void amounts_free(struct amounts *a)
{
    toy_free(a->t);
    free(a->y);
}

/* Per value of x: the mean, or the quantile, of y. */
static double group(const struct amounts *a, double x, double level)
{
    static struct weighted v[8000];
    int64_t n = 0;
    double sum = 0;
    for (int64_t i = 0; i < a->d.x->n_rows; i++) {
        if (a->x[i] != x) continue;
        sum += a->y[i];
        v[n++] = (struct weighted){a->y[i], 1};
    }
    return level > 0 ? weighted_quantile(v, n, level) : sum / (double)n;
}

TEST(many_rounds_find_the_best_constant_of_each_group)
{
    static const struct {
        const char *options;
        double level, within;
        int kind;
    } part[] = {{"loss=poisson", 0, 0.01, 0},
                {"loss=gamma", 0, 0.01, 1},
                {"loss=tweedie,power=1.3", 0, 0.01, 0},
                {"loss=cross_entropy", 0, 0.01, 2},
                {"loss=absolute", 0.5, 1e-9, 1},
                {"loss=quantile,quantile=0.9", 0.9, 1e-9, 1},
                {"loss=quantile,quantile=0.05", 0.05, 1e-9, 1}};
    enum { N = 6000 };
    for (size_t p = 0; p < sizeof part / sizeof part[0]; p++) {
        struct amounts a = amounts_new(N);
        char options[160];
        double out[N];
        tide_error err = {0};
        for (int i = 0; i < N; i++) {
            double u = toy_u(6, i, 0), m = 1 + a.x[i];
            a.y[i] = part[p].kind == 0   ? floor(m * 2 * u)
                     : part[p].kind == 1 ? m * (0.1 + u * u)
                                         : (double)(u < m / 5);
        }
        snprintf(options, sizeof options, "trees=60,rate=0.5,patience=0,l2=0,%s",
                 part[p].options);
        struct toy_model *m = toy_fit(GBDT, options, &a.d, a.t->n_levels, NULL);
        CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
        CHECK_INT(tide_learner_gbdt.predict(m->object, a.d.x, 0, N, out, &err), 0);
        for (int i = 0; i < 40; i++) {
            double want = group(&a, a.x[i], part[p].level);
            CHECK_MSG(fabs(out[i] - want) <= part[p].within * (1 + want),
                      "%s: %g, not %g", part[p].options, out[i], want);
        }
        toy_model_free(m);
        amounts_free(&a);
    }
}

TEST(absolute_error_tells_far_rows_from_near_ones_of_the_same_side)
{
    enum { N = 600 };
    /* half are low; the others lie above them, near and far, which signs do not tell */
    static const double level[3] = {-50, 1, 100}, units[] = {1, 1e-300, 1e300};
    for (size_t p = 0; p < sizeof units / sizeof units[0]; p++) {
        struct amounts a = amounts_new(N);
        double out[N];
        tide_error err = {0};
        for (int i = 0; i < N; i++) {
            int k = a.x[i] < 2 ? 0 : a.x[i] < 3 ? 1 : 2;
            a.y[i] = level[k] * units[p];
        }
        struct toy_model *m =
            toy_fit(GBDT, "trees=1,rate=1,leaves=3,patience=0,l2=0,loss=absolute", &a.d,
                    a.t->n_levels, NULL);
        CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
        CHECK_INT(tide_learner_gbdt.predict(m->object, a.d.x, 0, N, out, &err), 0);
        for (int i = 0; i < N; i++)
            CHECK_MSG(fabs(out[i] - a.y[i]) <= 1e-12 * units[p], "%g, not %g", out[i],
                      a.y[i]);
        toy_model_free(m);
        amounts_free(&a);
    }
}

TEST(targets_out_of_range_are_named)
{
    static const struct {
        const char *loss;
        double bad;
    } part[] = {{"poisson", -1},      {"gamma", 0},          {"tweedie", -0.5},
                {"cross_entropy", 2}, {"cross_entropy", -1}, {"gamma", -3}};
    for (size_t p = 0; p < sizeof part / sizeof part[0]; p++) {
        struct amounts a = amounts_new(60);
        char options[64];
        for (int i = 0; i < 60; i++) a.y[i] = i == 41 ? part[p].bad : 0.25 + 0.01 * i;
        snprintf(options, sizeof options, "trees=3,loss=%s", part[p].loss);
        struct toy_model *m = toy_fit(GBDT, options, &a.d, a.t->n_levels, NULL);
        CHECK_INT(m->err.code, TIDE_CODE_DATA_TARGET);
        CHECK_INT(m->err.row, 42);
        CHECK_MSG(strstr(m->err.message, part[p].loss) != NULL, "%s", m->err.message);
        toy_model_free(m);
        amounts_free(&a);
    }
}

TEST(every_loss_gives_the_same_bytes_whatever_the_machine)
{
    for (int id = OBJECTIVE_SQUARED; id <= OBJECTIVE_CROSS_ENTROPY; id++) {
        struct amounts a = amounts_new(40000);
        double *w = calloc(40000, sizeof *w);
        char options[128];
        for (int i = 0; i < 40000; i++) {
            a.y[i] = 0.01 + 0.98 * toy_u(6, i, 0) * (a.x[i] + 1) / 4;
            w[i] = 0.5 + toy_u(7, i, 0);
        }
        a.d.w = id % 2 ? w : NULL;
        snprintf(options, sizeof options, "trees=4,rows=0.8,path_smooth=2,loss=%s",
                 objective_names[id]);
        uint64_t want = 0;
        for (int v = 0; v < 3; v++) {
            struct toy_how how = {.threads = 1 + 2 * v, .isa = v ? TIDE_ISA_BASE : 0};
            struct toy_model *m = toy_fit(GBDT, options, &a.d, a.t->n_levels, &how);
            CHECK_INT(m->status, TIDE_OK);
            if (v == 0) want = m->hash;
            CHECK_MSG(m->hash == want, "%s: other bytes", objective_names[id]);
            toy_model_free(m);
        }
        free(w);
        amounts_free(&a);
    }
}

TEST(a_leaf_goes_no_farther_than_max_leaf)
{
    struct amounts a = amounts_new(400);
    int64_t n = 0;
    for (int i = 0; i < 400; i++) a.y[i] = a.x[i] * 10;
    struct toy_model *m = toy_fit(GBDT, "trees=5,rate=1,patience=0,max_leaf=0.25", &a.d,
                                  a.t->n_levels, NULL);
    const double *leaf = toy_array(m, "leaf", &n);
    for (int64_t i = 0; i < n; i++) CHECK(fabs(leaf[i]) <= 0.25);
    CHECK(n > 4);
    toy_model_free(m);
    m = toy_fit(GBDT, "trees=5,rate=1,patience=0,loss=poisson", &a.d, a.t->n_levels,
                NULL);
    leaf = toy_array(m, "leaf", &n);
    for (int64_t i = 0; i < n; i++) CHECK(fabs(leaf[i]) <= 0.7);
    toy_model_free(m);
    amounts_free(&a);
}

TEST(path_smooth_draws_leaves_to_their_parents)
{
    struct amounts a = amounts_new(400);
    int64_t n = 0;
    for (int i = 0; i < 400; i++) a.y[i] = a.x[i] > 1 ? 8 : 0;
    const char *plain = "trees=1,rate=1,leaves=2,patience=0,l2=0";
    struct toy_model *m = toy_fit(GBDT, plain, &a.d, a.t->n_levels, NULL);
    struct toy_model *s =
        toy_fit(GBDT, "trees=1,rate=1,leaves=2,patience=0,l2=0,path_smooth=100", &a.d,
                a.t->n_levels, NULL);
    const double *leaf = toy_array(m, "leaf", &n), *smooth = toy_array(s, "leaf", NULL),
                 *rows = toy_array(m, "leaf_cover", NULL);
    CHECK_INT(n, 2);
    for (int i = 0; i < 2; i++) /* the root's value is 0 */
        CHECK_NEAR(smooth[i], leaf[i] * rows[i] / (rows[i] + 100), 1e-3);
    toy_model_free(m);
    toy_model_free(s);
    amounts_free(&a);
}

TEST(class_weights_are_weights_of_rows)
{
    enum { N = 3000 };
    struct amounts a = amounts_new(N);
    static int32_t k[N];
    static double w[N];
    int64_t rare = 0;
    for (int i = 0; i < N; i++) rare += k[i] = toy_u(6, i, 0) < 0.05 + 0.1 * a.x[i] / 4;
    struct fit_data d = {.x = a.d.x,
                         .task = TIDE_CLASSIFY,
                         .n_classes = 2,
                         .k = k,
                         .seed = 3},
                    by = d;
    for (int i = 0; i < N; i++) w[i] = k[i] ? 4 : 1;
    by.w = w;
    struct toy_model *m = toy_fit(GBDT, "trees=20,pos_weight=4", &d, a.t->n_levels,
                                  NULL),
                     *q = toy_fit(GBDT, "trees=20", &by, a.t->n_levels, NULL);
    CHECK(m->hash == q->hash);
    toy_model_free(m);
    toy_model_free(q);
    double out[2], mean = 0;
    tide_error err = {0};
    m = toy_fit(GBDT, "trees=20,weights=balanced", &d, a.t->n_levels, NULL);
    for (int i = 0; i < N; i++) {
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, i, 1, out, &err), 0);
        mean += k[i] ? out[1] / (double)rare : out[1] / (double)(N - rare);
    }
    CHECK_NEAR(mean / 2, 0.5, 0.01);
    toy_model_free(m);
    d.n_classes = 3;
    m = toy_fit(GBDT, "trees=2,pos_weight=2", &d, a.t->n_levels, NULL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    toy_model_free(m);
    m = toy_fit(GBDT, "trees=2,weights=balanced", &a.d, a.t->n_levels, NULL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    toy_model_free(m);
    amounts_free(&a);
}

TEST(exposure_scales_what_is_predicted)
{
    enum { N = 4000 };
    static const char *const losses[] = {"poisson", "gamma", "tweedie"};
    for (int v = 0; v < 3; v++) {
        struct toy *t = toy_new(N);
        double *x = toy_number(t, "x"), *e = toy_number(t, "years"), y[N], out[2];
        double top[4] = {0}, under[4] = {0};
        char options[128];
        tide_error err = {0};
        for (int i = 0; i < N; i++) {
            x[i] = floor(4 * toy_u(5, i, 0));
            e[i] = 0.1 + 5 * toy_u(5, i, 1);
            y[i] = e[i] * (1 + x[i]) * (0.5 + toy_u(5, i, 2));
            /* the root of the score: variances grow as the p-th power of the mean */
            double p = v == 0 ? 1 : v == 1 ? 2 : 1.5;
            top[(int)x[i]] += y[i] * pow(e[i], 1 - p);
            under[(int)x[i]] += pow(e[i], 2 - p);
        }
        struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = 3};
        snprintf(options, sizeof options,
                 "trees=60,rate=0.5,patience=0,l2=0,exposure=years,loss=%s", losses[v]);
        struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
        for (int i = 0; i < 40; i++) {
            int k = (int)x[i];
            CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, i, 1, &out[0], &err),
                      0);
            CHECK_NEAR(out[0] / e[i], top[k] / under[k], 0.01 * top[k] / under[k]);
            double was = e[i];
            e[i] *= 2;
            CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, i, 1, &out[1], &err),
                      0);
            CHECK_NEAR(out[1], 2 * out[0], 1e-12 * out[1]);
            e[i] = (double)NAN; /* neutral */
            CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, i, 1, &out[1], &err),
                      0);
            CHECK_NEAR(out[1], out[0] / was, 1e-12 * out[1]);
            e[i] = was;
        }
        toy_model_free(m);
        e[7] = v ? 0 : (double)NAN;
        m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        CHECK_INT(m->err.row, 8);
        CHECK_MSG(strstr(m->err.message, "years") != NULL, "%s", m->err.message);
        toy_model_free(m);
        m = toy_fit(GBDT, "exposure=years", &d, t->n_levels, NULL);
        CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
        toy_model_free(m);
        m = toy_fit(GBDT, "offset=year", &d, t->n_levels, NULL);
        CHECK_INT(m->err.code, TIDE_CODE_PARAM_VALUE);
        toy_model_free(m);
        toy_free(t);
    }
}

TEST(an_offset_is_added_and_not_learned)
{
    enum { N = 3000 };
    struct toy *t = toy_new(N);
    double *x = toy_number(t, "x"), *o = toy_number(t, "o"), *y = calloc(N, sizeof *y);
    int32_t *k = calloc(N, sizeof *k);
    for (int i = 0; i < N; i++) {
        x[i] = floor(4 * toy_u(5, i, 0));
        o[i] = 10 * toy_u(5, i, 1);
        y[i] = x[i] - o[i]; /* the opposite of what the offset says */
        k[i] = toy_u(5, i, 2) < vm_expit(o[i] - 5 + x[i]);
    }
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = 3},
                    c = {.x = toy_view(t),
                         .task = TIDE_CLASSIFY,
                         .n_classes = 2,
                         .k = k,
                         .seed = 3};
    static const char *const options[] = {"offset=o,loss=squared",
                                          "offset=o,loss=absolute",
                                          "offset=o,columns=0.5,rows=0.7"};
    for (int v = 0; v < 3; v++) {
        struct toy_model *m = toy_fit(GBDT, options[v], &d, t->n_levels, NULL);
        double a[N], b, sum = 0;
        tide_error err = {0};
        CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, N, a, &err), 0);
        for (int i = 0; i < N; i++) sum += (y[i] - a[i]) / N;
        if (v != 1) CHECK_NEAR(sum, 0, 0.2);
        o[0] += 3;
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, 1, &b, &err), 0);
        CHECK_NEAR(b, a[0] + 3, 1e-9);
        o[0] -= 3;
        toy_model_free(m);
    }
    struct toy_model *m = toy_fit(GBDT, "trees=100,offset=o", &c, t->n_levels, NULL);
    double p[2 * N], gap = 0;
    tide_error err = {0};
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    CHECK_INT(tide_learner_gbdt.predict(m->object, c.x, 0, N, p, &err), 0);
    for (int i = 0; i < N; i++)
        gap += fabs(p[2 * i + 1] - vm_expit(o[i] - 5 + x[i])) / N;
    CHECK_MSG(gap < 0.04, "mean distance of probabilities %g", gap);
    toy_model_free(m);
    c.n_classes = 3;
    m = toy_fit(GBDT, "trees=10,offset=o", &c, t->n_levels, NULL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    toy_model_free(m);
    free(y);
    free(k);
    toy_free(t);
}

TEST(failing_allocations_are_errors_and_leak_nothing)
{
    enum { N = 2100 };
    static const char *const options[] = {
        "trees=2,loss=mape,path_smooth=1", "trees=2,loss=huber,monotone=+x,offset=z",
        "trees=2,loss=poisson,exposure=z,rows=0.5,sampling=goss",
        "trees=2,weights=balanced,pos_weight=2,rows=0.5,sampling=mvs"};
    struct toy *t = toy_new(N);
    double *x = toy_number(t, "x"), *z = toy_number(t, "z"), y[N];
    int32_t k[N];
    for (int i = 0; i < N; i++) {
        x[i] = floor(40 * toy_u(5, i, 0));
        z[i] = 0.5 + toy_u(5, i, 1);
        y[i] = x[i] + toy_u(5, i, 2);
        k[i] = x[i] > 30;
    }
    for (int v = 0; v < 4; v++) {
        struct fit_data d = {.x = toy_view(t),
                             .task = v == 3 ? TIDE_CLASSIFY : TIDE_REGRESS,
                             .n_classes = v == 3 ? 2 : 0,
                             .y = v == 3 ? NULL : y,
                             .k = v == 3 ? k : NULL,
                             .w = v == 0 ? z : NULL};
        tide_ctx *ctx = NULL;
        tide_error err = {0};
        tide_values *values = NULL;
        CHECK_INT(tide_ctx_new(&ctx, &err), TIDE_OK);
        CHECK_INT(tide_ctx_set_threads(ctx, 1, &err), TIDE_OK);
        CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &values, &err), 0);
        toy_set(values, options[v]);
        int64_t live = alloc_live();
        for (int64_t n = 1; n < 400; n++) {
            struct arena a;
            struct state state;
            struct fit_info info = {0};
            void *object = NULL;
            arena_init(&a, ctx);
            state_init(&state, &a);
            alloc_fault_set(n, 1);
            tide_status status = tide_learner_gbdt.fit(
                ctx, tide_values_struct(values), &d, NULL, 0, &state, &info, &err);
            if (!status)
                status = tide_learner_gbdt.load(&state, d.task,
                                                d.n_classes ? d.n_classes : 1, 2,
                                                t->n_levels, &a, &object, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            arena_free(&a);
            CHECK_MSG(hit ? status == TIDE_ENOMEM : status == TIDE_OK,
                      "%s: allocation %lld: %s", options[v], (long long)n, err.message);
            CHECK_INT(alloc_live(), live);
            if (!hit) break;
        }
        tide_values_free(values);
        tide_ctx_free(ctx);
    }
    toy_free(t);
}

TEST(an_offset_of_a_hostile_file_is_refused)
{
    static const int32_t bad[][2] = {{2, 0}, {-1, 0}, {1, 0}, {0, 2}, {INT32_MAX, 1}};
    struct toy *t = toy_new(300);
    double *o = toy_number(t, "o"), y[300];
    uint32_t *g = toy_category(t, "p", 5);
    for (int i = 0; i < 300; i++) y[i] = o[i] = g[i] = (uint32_t)i % 5;
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
    struct toy_model *m = toy_fit(GBDT, "trees=3,offset=o", &d, t->n_levels, NULL);
    int32_t *both = (int32_t *)(uintptr_t)toy_array(m, "offset", NULL);
    CHECK_INT(m->status, TIDE_OK);
    for (size_t v = 0; v < sizeof bad / sizeof bad[0]; v++) {
        void *object = NULL;
        tide_error err = {0};
        memcpy(both, bad[v], sizeof bad[v]);
        CHECK_INT(tide_learner_gbdt.load(&m->state, TIDE_REGRESS, 1, 2, t->n_levels,
                                         &m->arena, &object, &err),
                  TIDE_EMODEL);
    }
    toy_model_free(m);
    toy_free(t);
}
