/* learners_linear.c - baseline, ridge and logistic against scikit-learn and against themselves */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/rng.h"
#include "frame/frame.h"
#include "learners_linear_values.h"
#include "math/linalg.h"
#include "spec/learner.h"
#include "spec/spec.h"
#include "spec/state.h"
#include "support/unit.h"

/* ---- tables and fits ---- */
struct table {
    tide_ctx *ctx; /* of the frame */
    tide_frame *frame;
    struct view v;
    const struct column *cols[64];
    double *y;
    int32_t *k;
    int32_t n_classes;
    struct arena a;
};

static void table_view(struct table *t, int n_cols)
{
    for (int j = 0; j < n_cols; j++) t->cols[j] = &t->frame->cols[j];
    t->v = (struct view){t->frame->n_rows, n_cols, t->cols, NULL, NULL};
}

/* A carried table: the last column is the target; class numbers by first appearance, turned
 * round with reverse. standard: columns to mean 0 and deviation 1. */
static int carried(struct table *t, const char *name, int reverse, int standard)
{
    char path[1024];
    tide_error err = {0};
    const char *root = getenv("TIDEMILL_ROOT");
    memset(t, 0, sizeof *t);
    snprintf(path, sizeof path, "%s/data/%s.csv.gz", root ? root : ".", name);
    if (tide_ctx_new(&t->ctx, NULL)) return 0;
    tide_status st = tide_frame_read(t->ctx, path, NULL, &t->frame, &err);
    CHECK_MSG(st == TIDE_OK, "%s: %s", path, err.message);
    if (st) return 0;
    arena_init(&t->a, NULL);
    int p = t->frame->n_cols - 1;
    int64_t n = t->frame->n_rows;
    table_view(t, p);
    struct view whole = {n, 1, (const struct column *const[]){&t->frame->cols[p]}, NULL,
                         NULL};
    t->y = arena_array(&t->a, n, sizeof *t->y);
    t->k = arena_array(&t->a, n, sizeof *t->k);
    view_numbers(&whole, 0, 0, n, t->y);
    for (int64_t i = 0; i < n && t->frame->cols[p].type == TIDE_CAT; i++) {
        t->k[i] = (int32_t)t->frame->cols[p].code[i];
        t->n_classes = (int32_t)t->frame->cols[p].dict.n;
        if (reverse) t->k[i] = t->n_classes - 1 - t->k[i];
    }
    for (int j = 0; j < p; j++) {
        struct column *c = arena_zero(&t->a, sizeof *c);
        double *x = arena_array(&t->a, n, sizeof *x), mean = 0, sd = 0;
        *c = *t->cols[j];
        view_numbers(&t->v, j, 0, n, x);
        for (int64_t i = 0; i < n; i++) mean += x[i] / (double)n;
        for (int64_t i = 0; i < n; i++) sd += (x[i] - mean) * (x[i] - mean) / (double)n;
        for (int64_t i = 0; i < n && standard; i++) x[i] = (x[i] - mean) / sqrt(sd);
        c->type = TIDE_F64;
        c->f64 = x;
        t->cols[j] = c;
    }
    return 1;
}

static void synthetic(struct table *t, int64_t n, int p, double *cells) /* [p][n] */
{
    memset(t, 0, sizeof *t);
    arena_init(&t->a, NULL);
    for (int j = 0; j < p; j++) {
        struct column *c = arena_zero(&t->a, sizeof *c);
        char *name = arena_zero(&t->a, 16);
        snprintf(name, 16, "x%d", j);
        *c = (struct column){
            .name = name, .type = TIDE_F64, .n_rows = n, .f64 = cells + j * n};
        t->cols[j] = c;
    }
    t->v = (struct view){n, p, t->cols, NULL, NULL};
}

static void table_free(struct table *t)
{
    tide_frame_free(t->frame);
    tide_ctx_free(t->ctx);
    arena_free(&t->a);
}

struct fitted {
    struct arena a;
    struct state s;
    void *object;
    struct fit_info info;
    tide_error err;
    tide_status st;
    const struct tide_learner *l;
};

static const double *part(const struct fitted *f, const char *name)
{
    return state_find(&f->s, name)->data;
}

static int64_t fit_with_fault; /* arms the k-th allocation of the fit itself */

static void fit(struct fitted *f, tide_ctx *ctx, const char *learner, const char *sets,
                const struct table *t, const double *w)
{
    tide_values *values = NULL;
    struct fit_data d = {.x = &t->v,
                         .task = t->n_classes ? TIDE_CLASSIFY : TIDE_REGRESS,
                         .n_classes = t->n_classes,
                         .y = t->y,
                         .k = t->k,
                         .w = w};
    memset(f, 0, sizeof *f);
    f->l = learner_find(learner, &f->err);
    CHECK(f->l && tide_values_new(&f->l->params, learner, &values, &f->err) == TIDE_OK);
    for (char name[32], value[32]; sets && *sets;
         sets += strcspn(sets, " "), sets += *sets == ' ') {
        int eq = (int)strcspn(sets, "="), end = (int)strcspn(sets, " ");
        snprintf(name, sizeof name, "%.*s", eq, sets);
        snprintf(value, sizeof value, "%.*s", end - eq - 1, sets + eq + 1);
        CHECK(tide_values_set(values, name, value, &f->err) == TIDE_OK);
    }
    arena_init(&f->a, NULL);
    state_init(&f->s, &f->a);
    if (fit_with_fault) alloc_fault_set(fit_with_fault, 1);
    f->st = f->l->fit(ctx, tide_values_struct(values), &d, NULL, 0, &f->s, &f->info,
                      &f->err);
    uint32_t levels[64] = {0};
    if (f->st == TIDE_OK)
        f->st = f->l->load(&f->s, d.task, t->n_classes ? t->n_classes : 1, t->v.n_cols,
                           levels, &f->a, &f->object, &f->err);
    tide_values_free(values);
}

#define FIT(f, ctx, learner, t, w, sets)                                               \
    do {                                                                               \
        fit(f, ctx, learner, sets, t, w);                                              \
        CHECK_MSG((f)->st == TIDE_OK, "%s: %s", learner, (f)->err.message);            \
    } while (0)

static double log_loss(const struct fitted *f, const struct table *t, int confusion[4])
{
    int64_t n = t->v.n_rows;
    double *p = malloc(sizeof *p * (size_t)(n * t->n_classes)), s = 0;
    CHECK(f->l->predict(f->object, &t->v, 0, n, p, NULL) == TIDE_OK);
    for (int64_t i = 0; i < n; i++) {
        s -= log(p[i * t->n_classes + t->k[i]]) / (double)n;
        if (confusion) confusion[2 * t->k[i] + (p[2 * i + 1] > 0.5)]++;
    }
    free(p);
    return s;
}

static double objective(const struct fitted *f, const struct table *t, double l2)
{
    const struct state_array *c = state_find(&f->s, "coef");
    double s = log_loss(f, t, NULL) * (double)t->v.n_rows;
    for (int64_t i = 0; i < c->dim[0] * c->dim[1]; i++) {
        double v = ((const double *)c->data)[i];
        s += l2 / 2 * v * v;
    }
    return s;
}

#define NEAR_ALL(got, want, n, tol)                                                    \
    for (int near_i = 0; near_i < (n); near_i++)                                       \
    CHECK_NEAR((got)[near_i], (want)[near_i], tol)

/* ---- logistic ---- */
TEST(logistic_on_iris_is_the_symmetric_softmax)
{
    struct table t;
    struct fitted f;
    if (!carried(&t, "iris", 0, 0)) return;
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK_INT(f.info.converged, 1);
    NEAR_ALL(part(&f, "coef"), iris_coef, 12, 1e-9);
    NEAR_ALL(part(&f, "intercept"), iris_intercept, 3, 1e-8);
    CHECK_NEAR(log_loss(&f, &t, NULL), 0.11963667822284667, 1e-9);
    CHECK(objective(&f, &t, 1) <= iris_objective[0] * (1 + 1e-12));
    arena_free(&f.a);
    table_free(&t);
}

TEST(logistic_balances_classes)
{
    struct table t;
    struct fitted f;
    double p[9];
    if (!carried(&t, "iris", 0, 0)) return;
    int64_t rows[120];
    for (int i = 0; i < 120; i++) rows[i] = i + 30, t.k[i] = t.k[i + 30];
    t.v.rows = rows;
    t.v.n_rows = 120;
    FIT(&f, NULL, "logistic", &t, NULL, "l2=0.1 weights=balanced");
    CHECK(f.l->predict(f.object, &t.v, 40, 3, p, NULL) == TIDE_OK);
    NEAR_ALL(p, iris_balanced_proba, 9, 1e-9);
    arena_free(&f.a);
    table_free(&t);
}

TEST(logistic_on_breast_cancer_matches_the_anchor)
{
    struct table t;
    struct fitted f;
    int c[4] = {0};
    if (!carried(&t, "breast_cancer", 0, 1))
        return; /* malignant comes first: class 0 */
    FIT(&f, NULL, "logistic", &t, NULL, "");
    NEAR_ALL(part(&f, "coef"), breast_std_coef, 30, 1e-8);
    CHECK_NEAR(*part(&f, "intercept"), breast_std_coef[30], 1e-8);
    CHECK_NEAR(log_loss(&f, &t, c), 0.053391857502225706, 1e-10);
    CHECK(c[0] == 207 && c[1] == 5 && c[2] == 2 && c[3] == 355);
    CHECK(objective(&f, &t, 1) <= breast_std_objective[0] * (1 + 1e-12));
    static const double norms[5] = {0.33403303935221484, 0.9024480991843024,
                                    1.946620828015096, 3.8416087888043835,
                                    8.497190985747288};
    static const char *const l2[5] = {"l2=1000", "l2=100", "l2=10", "l2=1", "l2=0.1"};
    arena_free(&f.a);
    for (int k = 0; k < 5; k++) {
        double s = 0;
        FIT(&f, NULL, "logistic", &t, NULL, l2[k]);
        for (int j = 0; j < 30; j++) s += part(&f, "coef")[j] * part(&f, "coef")[j];
        CHECK_NEAR(sqrt(s) / norms[k], 1, 1e-8);
        arena_free(&f.a);
    }
    table_free(&t);
}

TEST(logistic_on_raw_columns_reaches_the_optimum)
{
    struct table t;
    struct fitted f;
    if (!carried(&t, "breast_cancer", 0, 0)) return;
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK_MSG(objective(&f, &t, 1) <= breast_raw_objective[0] * (1 + 1e-10), "%.12g",
              objective(&f, &t, 1));
    arena_free(&f.a);
    table_free(&t);
    if (!carried(&t, "wine", 0, 1)) return;
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK_NEAR(log_loss(&f, &t, NULL), wine_std_log_loss[0], 1e-10);
    arena_free(&f.a);
    table_free(&t);
}

TEST(logistic_without_features_is_the_share)
{
    struct table t;
    struct fitted f;
    if (!carried(&t, "breast_cancer", 0, 0)) return;
    t.v.n_cols = 0;
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK_NEAR(*part(&f, "intercept"), 0.5211495071076268, 1e-12);
    CHECK_NEAR(log_loss(&f, &t, NULL), 0.6603163491952275, 1e-12);
    arena_free(&f.a);
    table_free(&t);
}

TEST(logistic_tells_what_c_is_called)
{
    tide_error err = {0};
    tide_values *values = NULL;
    const struct tide_learner *l = learner_find("logistic", &err);
    CHECK(tide_values_new(&l->params, "logistic", &values, &err) == TIDE_OK);
    CHECK(tide_values_set(values, "C", "10", &err) == TIDE_EINVAL);
    CHECK_STR(err.message, "logistic has no parameter 'C'");
    CHECK(strncmp(err.value, "l2: ", 4) == 0 && strstr(err.value, "1/C"));
    tide_values_free(values);
}

TEST(logistic_warns_when_classes_are_separated)
{
    static double x[2][40];
    int32_t k[40];
    struct table t;
    struct fitted f;
    for (int kind = 0; kind < 3; kind++) {
        for (int i = 0; i < 40; i++) {
            x[0][i] = i + (i == 39 ? 1e6 : 0);
            x[1][i] = (i * 7) % 5;
            k[i] = kind == 2 ? i % 3 == 0 : i >= 20;
        }
        if (kind == 1) x[0][19] = x[0][20]; /* quasi: one tie on the border */
        synthetic(&t, 40, 2, x[0]);
        t.k = k;
        t.n_classes = 2;
        FIT(&f, NULL, "logistic", &t, NULL, "l2=0");
        CHECK_INT(f.info.warning.code,
                  kind < 2 ? TIDE_CODE_NUMERIC_SEPARABLE : TIDE_CODE_OK);
        if (kind == 0)
            CHECK_STR(f.info.warning.message,
                      "classes are separated by 'x0', so no coefficients are "
                      "best without a penalty");
        for (int j = 0; j < 2; j++)
            CHECK(isfinite(part(&f, "coef")[j]) && fabs(part(&f, "coef")[j]) < 1e6);
        arena_free(&f.a);
        table_free(&t);
    }
}

static double *noise(int64_t n, int p)
{
    double *x = malloc(sizeof *x * (size_t)(n * p));
    for (int64_t i = 0; i < n; i++)
        for (int j = 0; j < p; j++)
            x[j * n + i] = gen_z(5, (uint64_t)i, (uint64_t)j) + 3;
    return x;
}

/* Largest absolute gradient of the summed objective in units of sqrt n. */
static double gradient_left(const struct fitted *f, const struct table *t, double l2)
{
    int64_t n = t->v.n_rows;
    int kk = t->n_classes;
    double *p = malloc(sizeof *p * (size_t)(n * kk)), worst = 0;
    CHECK(f->l->predict(f->object, &t->v, 0, n, p, NULL) == TIDE_OK);
    for (int c = 0; c < kk; c++)
        for (int j = 0; j < t->v.n_cols; j++) {
            double g = l2 * part(f, "coef")[c * t->v.n_cols + j];
            for (int64_t i = 0; i < n; i++)
                g += t->cols[j]->f64[i] * (p[i * kk + c] - (t->k[i] == c));
            worst = fabs(g) > worst ? fabs(g) : worst;
        }
    free(p);
    return worst / sqrt((double)n);
}

TEST(logistic_with_many_classes_and_columns_uses_conjugate_gradients)
{
    int64_t n = 1500;
    int p = 60, kk = 40;
    double *x = noise(n, p);
    int32_t *k = malloc(sizeof *k * (size_t)n);
    struct table t;
    struct fitted f;
    for (int64_t i = 0; i < n; i++)
        k[i] = (int32_t)((uint64_t)(i * 40 / n) + (x[i] > 3 ? 1u : 0u)) % 40;
    synthetic(&t, n, p, x);
    t.k = k;
    t.n_classes = kk;
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK_INT(f.info.converged, 1);
    CHECK_MSG(gradient_left(&f, &t, 1) < 1e-4, "gradient %.3g",
              gradient_left(&f, &t, 1));
    arena_free(&f.a);
    table_free(&t);
    free(x);
    free(k);
}

/* ---- the same bytes ---- */
static int same_states(const struct state *a, const struct state *b)
{
    int same = a->n == b->n;
    for (int i = 0; same && i < a->n; i++) {
        const struct state_array *x = &a->arrays[i], *y = &b->arrays[i];
        size_t bytes = (size_t)(x->dim[0] * x->dim[1] * x->dim[2]) *
                       state_type_size((enum state_type)x->type);
        same = memcmp(x->data, y->data, bytes) == 0;
    }
    return same;
}

TEST(fits_are_the_same_for_any_threads_and_set_and_rows_alone)
{
    int64_t n = 9001;
    int p = 40;
    double *x = noise(n, p), *y = malloc(sizeof *y * (size_t)n),
           *out = malloc(sizeof *out * (size_t)n * 3);
    int32_t *k = malloc(sizeof *k * (size_t)n);
    struct table t;
    synthetic(&t, n, p, x);
    for (int64_t i = 0; i < n; i++) {
        y[i] = x[i] + 2 * x[n + i] + gen_z(9, (uint64_t)i, 0);
        k[i] = (y[i] > 9) + (y[i] > 11);
    }
    for (int which = 0; which < 4; which++) {
        static const char *const names[] = {"ridge", "logistic", "logistic",
                                            "baseline"};
        struct fitted base, f;
        t.y = y, t.k = k;
        t.n_classes = which == 0 ? 0 : which == 3 ? 3 : which + 1;
        for (int64_t i = 0; i < n; i++) k[i] = (y[i] > 9) + (y[i] > 11 && which != 1);
        FIT(&base, NULL, names[which], &t, NULL, "");
        for (int threads = 1; threads <= 3; threads++)
            for (int isa = TIDE_ISA_BASE; isa <= TIDE_ISA_AVX512; isa++) {
                tide_ctx *ctx;
                CHECK(tide_ctx_new(&ctx, NULL) == TIDE_OK);
                CHECK(tide_ctx_set_threads(ctx, threads, NULL) == TIDE_OK);
                if (tide_ctx_set_isa(ctx, (enum tide_isa)isa, NULL) == TIDE_OK) {
                    FIT(&f, ctx, names[which], &t, NULL, "");
                    CHECK_MSG(same_states(&base.s, &f.s), "%s, %d threads, set %d",
                              names[which], threads, isa);
                    arena_free(&f.a);
                }
                tide_ctx_free(ctx);
            }
        int width = t.n_classes ? t.n_classes : 1;
        CHECK(base.l->predict(base.object, &t.v, 0, 700, out, NULL) == TIDE_OK);
        for (int i = 0; i < 700; i++) {
            double one[3];
            CHECK(base.l->predict(base.object, &t.v, i, 1, one, NULL) == TIDE_OK);
            CHECK(memcmp(one, out + i * width, sizeof *one * (size_t)width) == 0);
        }
        arena_free(&base.a);
    }
    table_free(&t);
    free(x), free(y), free(k), free(out);
}

TEST(weight_two_is_the_row_twice)
{
    enum { N = 300, P = 5 };
    static double x2[P][2 * N], y[N], y2[2 * N], w[N];
    static int32_t k[N], k2[2 * N];
    double *x = noise(N, P);
    struct table t, twice;
    struct fitted f, g;
    int64_t m = 0;
    for (int i = 0; i < N; i++) {
        y[i] = x[i] - x[N + i] + gen_z(4, (uint64_t)i, 1);
        k[i] = y[i] > 0;
        w[i] = 1 + i % 2;
        for (int r = 0; r < 1 + i % 2; r++, m++) {
            for (int j = 0; j < P; j++) x2[j][m] = x[j * N + i];
            y2[m] = y[i], k2[m] = k[i];
        }
    }
    double *packed = malloc(sizeof *packed * (size_t)(m * P));
    for (int j = 0; j < P; j++)
        memcpy(packed + j * m, x2[j], sizeof *packed * (size_t)m);
    synthetic(&t, N, P, x);
    synthetic(&twice, m, P, packed);
    for (int which = 0; which < 3; which++) {
        static const char *const names[] = {"ridge", "logistic", "baseline"};
        t.y = y, t.k = k, twice.y = y2, twice.k = k2;
        t.n_classes = twice.n_classes = which == 1 ? 2 : 0;
        FIT(&f, NULL, names[which], &t, w, "");
        FIT(&g, NULL, names[which], &twice, NULL, "");
        const struct state_array *c = state_find(&f.s, which == 2 ? "value" : "coef");
        NEAR_ALL((const double *)c->data, part(&g, which == 2 ? "value" : "coef"),
                 c->dim[0] * c->dim[1], 1e-10);
        arena_free(&f.a);
        arena_free(&g.a);
    }
    table_free(&t);
    table_free(&twice);
    free(x), free(packed);
}

/* ---- ridge ---- */
TEST(ridge_on_diabetes_matches_the_reference)
{
    struct table t;
    struct fitted f;
    double w[442];
    if (!carried(&t, "diabetes", 0, 0)) return;
    FIT(&f, NULL, "ridge", &t, NULL, "l2=0");
    NEAR_ALL(part(&f, "coef"), diabetes_ols, 10, 1e-10);
    CHECK_NEAR(*part(&f, "intercept"), diabetes_ols[10], 1e-12);
    arena_free(&f.a);
    FIT(&f, NULL, "ridge", &t, NULL, "");
    NEAR_ALL(part(&f, "coef"), diabetes_ridge1, 10, 1e-12);
    CHECK_NEAR(part(&f, "coef")[0], 29.466111893476867, 1e-11);
    arena_free(&f.a);
    for (int i = 0; i < 442; i++) w[i] = 1 + i % 3;
    FIT(&f, NULL, "ridge", &t, w, "alpha=0.3");
    NEAR_ALL(part(&f, "coef"), diabetes_ridge_weighted, 10, 1e-11);
    CHECK_NEAR(*part(&f, "intercept"), diabetes_ridge_weighted[10], 1e-11);
    arena_free(&f.a);
    FIT(&f, NULL, "ridge", &t, NULL, "alpha=0.5 intercept=no");
    NEAR_ALL(part(&f, "coef"), diabetes_ridge_no_intercept, 10, 1e-11);
    CHECK_NEAR(*part(&f, "intercept"), 0, 0);
    arena_free(&f.a);
    t.v.n_rows = 8; /* more columns than rows */
    FIT(&f, NULL, "ridge", &t, NULL, "alpha=0.01");
    NEAR_ALL(part(&f, "coef"), diabetes_wide, 10, 1e-10);
    CHECK_NEAR(*part(&f, "intercept"), diabetes_wide[10], 1e-11);
    double share[10], sum = 0;
    f.l->importance(f.object, share);
    for (int j = 0; j < 10; j++) sum += share[j];
    CHECK_NEAR(sum, 1, 1e-14);
    arena_free(&f.a);
    table_free(&t);
}

TEST(ridge_by_gram_equals_ridge_by_qr)
{
    int64_t n = 30000;
    int p = 60;
    double *x = noise(n, p), *y = malloc(sizeof *y * (size_t)n);
    struct table t;
    struct fitted f;
    for (int64_t i = 0; i < n; i++) {
        x[7 * n + i] = x[7 * n + i] * 1e5 + 1e7;
        y[i] = 5 + 2 * x[i] - x[n + i] + gen_z(6, (uint64_t)i, 3);
    }
    synthetic(&t, n, p, x);
    t.y = y;
    FIT(&f, NULL, "ridge", &t, NULL, "l2=3");
    const double *c[61];
    double *one = malloc(sizeof *one * (size_t)n);
    uint8_t pen[61];
    for (int64_t i = 0; i < n; i++) one[i] = 1;
    for (int j = 0; j < p; j++) c[j] = x + j * n, pen[j] = 1;
    c[p] = one, pen[p] = 0;
    struct arena a;
    struct least_squares ls;
    arena_init(&a, NULL);
    CHECK(linalg_least_squares(NULL, c, n, p + 1, y, NULL, 3, pen, &a, &ls, NULL) ==
          TIDE_OK);
    for (int j = 0; j < p; j++) CHECK_NEAR(part(&f, "coef")[j] / ls.coef[j], 1, 1e-11);
    CHECK_NEAR(*part(&f, "intercept"), ls.coef[p], 1e-11);
    arena_free(&a);
    arena_free(&f.a);
    table_free(&t);
    free(x), free(y), free(one);
}

TEST(ridge_names_dependent_columns_and_zeroes_constant_ones)
{
    static double x[4][50], y[50];
    struct table t;
    struct fitted f;
    for (int i = 0; i < 50; i++) {
        x[0][i] = i * i % 13, x[1][i] = 7.25, x[2][i] = i % 7,
        x[3][i] = x[0][i] + 2 * x[2][i];
        y[i] = 1 + x[0][i] + x[2][i] + (i % 3) * 0.1;
    }
    synthetic(&t, 50, 4, x[0]);
    t.y = y;
    FIT(&f, NULL, "ridge", &t, NULL, "l2=0");
    CHECK_INT(f.info.warning.code, TIDE_CODE_DATA_RANK);
    CHECK_STR(
        f.info.warning.message,
        "rank 2 of 3: 'x3' follows from 'x0' and 'x2'; the coefficients are those "
        "of least norm");
    CHECK(part(&f, "coef")[1] == 0);
    CHECK_NEAR(part(&f, "coef")[0] - part(&f, "coef")[3] * 1 + 2 * 0,
               part(&f, "coef")[0] - part(&f, "coef")[3], 0);
    /* least norm: orthogonal to the null vector (1, 2, -1) */
    CHECK_NEAR(part(&f, "coef")[0] + 2 * part(&f, "coef")[2] - part(&f, "coef")[3], 0,
               1e-12);
    arena_free(&f.a);
    t.v.n_rows = 1;
    FIT(&f, NULL, "ridge", &t, NULL, "");
    CHECK_NEAR(*part(&f, "intercept"), y[0], 0);
    arena_free(&f.a);
    table_free(&t);
}

/* n rows in p columns: the route by rows against the normal equations of least norm */
TEST(ridge_with_more_columns_than_rows_has_the_least_norm)
{
    enum { N = 9, P = 60 };
    static double x[P][N], y[N], w[N], out[N];
    struct table t;
    struct fitted f;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < P; j++)
            x[j][i] = 3 + gen_z(9, (uint64_t)(i == 5 ? 4 : i), (uint64_t)j); /* 4 = 5 */
        y[i] = i * 7 % 5, w[i] = 1 + i % 3;
    }
    synthetic(&t, N, P, x[0]);
    t.y = y;
    for (int kind = 0; kind < 3; kind++) {
        const double *weight = kind == 1 ? w : NULL;
        FIT(&f, NULL, "ridge", &t, weight, kind == 2 ? "l2=0 intercept=no" : "l2=0");
        const double *c = part(&f, "coef");
        double s4 = weight ? w[4] : 1, s5 = weight ? w[5] : 1;
        double both = (s4 * y[4] + s5 * y[5]) / (s4 + s5);
        CHECK_INT(f.info.warning.code, TIDE_CODE_DATA_RANK);
        CHECK_STR(f.info.warning.message,
                  kind == 2 ? "rank 8 of 60: 9 rows cannot tell the columns apart; the "
                              "coefficients are those of least norm"
                            : "rank 7 of 60: 9 rows cannot tell the columns apart; the "
                              "coefficients are those of least norm");
        CHECK(f.l->predict(f.object, &t.v, 0, N, out, NULL) == TIDE_OK);
        for (int i = 0; i < N; i++)
            CHECK_NEAR(out[i], i == 4 || i == 5 ? both : y[i], 1e-12);
        /* least norm: c is in the row space, so a tiny penalty changes next to nothing */
        struct fitted g;
        FIT(&g, NULL, "ridge", &t, weight,
            kind == 2 ? "l2=1e-9 intercept=no" : "l2=1e-9");
        CHECK_INT(g.info.warning.code, TIDE_CODE_OK);
        for (int j = 0; j < P; j++) CHECK_NEAR(part(&g, "coef")[j], c[j], 1e-9);
        arena_free(&g.a);
        arena_free(&f.a);
    }
    table_free(&t);
}

TEST(huge_and_tiny_columns_give_finite_models)
{
    static double x[3][60], y[60], out[60];
    int32_t k[60];
    struct table t;
    struct fitted f;
    for (int i = 0; i < 60; i++) {
        x[0][i] = (i % 7 - 3) * 1e300, x[1][i] = (i % 5) * 1e-200, x[2][i] = i % 11;
        y[i] = i % 7 + i % 5, k[i] = (i * i) % 3 > 0;
    }
    synthetic(&t, 60, 3, x[0]);
    t.y = y;
    FIT(&f, NULL, "ridge", &t, NULL, "");
    CHECK(f.l->predict(f.object, &t.v, 0, 60, out, NULL) == TIDE_OK);
    for (int i = 0; i < 60; i++) CHECK(isfinite(out[i]));
    arena_free(&f.a);
    t.k = k, t.n_classes = 2;
    double p[120];
    FIT(&f, NULL, "logistic", &t, NULL, "");
    CHECK(f.l->predict(f.object, &t.v, 0, 60, p, NULL) == TIDE_OK);
    for (int i = 0; i < 120; i++) CHECK(isfinite(p[i]));
    arena_free(&f.a);
    table_free(&t);
}

/* ---- baseline and loading ---- */
TEST(baseline_gives_shares_mean_and_median)
{
    static double x[1][5], y[5] = {5, 1, 9, 2, 3}, w[5] = {1, 1, 1, 1, 4}, p[10];
    int32_t k[5] = {0, 1, 1, 2, 1};
    struct table t;
    struct fitted f;
    synthetic(&t, 5, 1, x[0]);
    t.y = y, t.k = k;
    FIT(&f, NULL, "baseline", &t, NULL, "");
    CHECK_NEAR(*part(&f, "value"), 4, 0);
    arena_free(&f.a);
    FIT(&f, NULL, "baseline", &t, NULL, "value=median");
    CHECK_NEAR(*part(&f, "value"), 3, 0);
    arena_free(&f.a);
    FIT(&f, NULL, "baseline", &t, w, "value=median");
    CHECK_NEAR(*part(&f, "value"), 3, 0);
    arena_free(&f.a);
    t.v.n_rows = 4;
    FIT(&f, NULL, "baseline", &t, NULL, "value=median");
    CHECK_NEAR(*part(&f, "value"), 3.5, 0);
    arena_free(&f.a);
    t.v.n_rows = 5, t.n_classes = 3;
    FIT(&f, NULL, "baseline", &t, NULL, "");
    CHECK(f.l->predict(f.object, &t.v, 0, 2, p, NULL) == TIDE_OK);
    CHECK_NEAR(p[4], 0.6, 1e-16);
    arena_free(&f.a);
    table_free(&t);
}

TEST(states_that_cannot_be_are_refused)
{
    static double x[2][30], y[30];
    int32_t k[30];
    struct table t;
    struct fitted f;
    tide_error err = {0};
    void *object;
    for (int i = 0; i < 30; i++)
        x[0][i] = i % 4, x[1][i] = i % 9, y[i] = i, k[i] = i % 2;
    synthetic(&t, 30, 2, x[0]);
    t.y = y, t.k = k;
    FIT(&f, NULL, "ridge", &t, NULL, "");
    uint32_t none[3] = {0}, levels[2] = {0, 5};
    CHECK(f.l->load(&f.s, TIDE_REGRESS, 1, 3, none, &f.a, &object, &err) ==
              TIDE_EMODEL &&
          !object);
    CHECK(f.l->load(&f.s, TIDE_REGRESS, 1, 2, levels, &f.a, &object, &err) ==
              TIDE_EMODEL &&
          !object);
    ((double *)(uintptr_t)part(&f, "coef"))[1] = NAN;
    CHECK(f.l->load(&f.s, TIDE_REGRESS, 1, 2, none, &f.a, &object, &err) ==
              TIDE_EMODEL &&
          !object);
    arena_free(&f.a);
    t.n_classes = 1;
    memset(k, 0, sizeof k);
    fit(&f, NULL, "logistic", "", &t, NULL);
    CHECK_STR(tide_code_name(f.err.code), "data-one-class");
    arena_free(&f.a);
    table_free(&t);
}

/* ---- memory and cancelling ---- */
TEST(fits_survive_every_failing_allocation)
{
    static double x[6][90], y[90];
    static int32_t k[90];
    struct table t;
    for (int i = 0; i < 90; i++) {
        for (int j = 0; j < 6; j++) x[j][i] = gen_z(8, (uint64_t)i, (uint64_t)j);
        x[5][i] = x[4][i];
        y[i] = i % 7, k[i] = i % 3;
    }
    synthetic(&t, 90, 6, x[0]);
    t.y = y, t.k = k;
    for (int which = 0; which < 5; which++) {
        static const char *const names[] = {"baseline", "ridge", "logistic", "ridge",
                                            "baseline"};
        static const char *const sets[] = {"", "l2=0", "l2=0 weights=balanced", "",
                                           "value=median"};
        t.n_classes = which == 2 ? 3 : 0;
        t.v.n_rows = which == 3 ? 4 : 90;
        int64_t live = alloc_live(), at = 1;
        for (int done = 0; !done && at < 2000; at++) {
            struct fitted f;
            fit_with_fault = at;
            fit(&f, NULL, names[which], sets[which], &t, NULL);
            fit_with_fault = 0;
            done = !alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(f.st == (done ? TIDE_OK : TIDE_ENOMEM), "%s, allocation %d: %s",
                      names[which], (int)at, f.err.message);
            arena_free(&f.a);
        }
        CHECK_MSG(at > 3 && at < 2000, "%s: %d allocations", names[which], (int)at);
        CHECK_INT(alloc_live(), live);
    }
    table_free(&t);
}

TEST(fits_stop_when_cancelled)
{
    double *x = noise(5000, 20);
    static double y[5000];
    static int32_t k[5000];
    struct table t;
    tide_ctx *ctx;
    for (int i = 0; i < 5000; i++) y[i] = x[i], k[i] = x[i] > 3;
    CHECK(tide_ctx_new(&ctx, NULL) == TIDE_OK);
    tide_ctx_cancel(ctx);
    synthetic(&t, 5000, 20, x);
    t.y = y, t.k = k;
    for (int which = 0; which < 2; which++) {
        struct fitted f;
        t.n_classes = which ? 2 : 0;
        fit(&f, ctx, which ? "logistic" : "ridge", "", &t, NULL);
        CHECK_INT(f.st, TIDE_ECANCELLED);
        arena_free(&f.a);
    }
    tide_ctx_free(ctx);
    table_free(&t);
    free(x);
}
