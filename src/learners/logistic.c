/* logistic.c - logistic regression, two classes or many, with a squared penalty
 *
 * Problem       min over c, b of  sum_i w_i loss(k_i, b + x_i'c) + l2/2 |c|^2;  b is not penalised; loss is log(1 + e^-m)
 *               for two classes, -log softmax with one row of c a class for more (symmetric: rows sum to 0)
 * Method        Newton with the true Hessian and step halving; many classes with K p > 2000, or p > 2000: Newton with
 *               conjugate gradients, preconditioned by the bound of Boehning 1992. Columns are centred and scaled
 *               inside, which changes no optimum
 * Stop          the quadratic model promises less than tol of the objective
 * Separation    l2=0 and classes that a plane separates have no optimum: warned about, coefficients stay finite
 * Cost          n p^2 (K^2/2 times that for K classes) an iteration, 5 to 10 iterations
 * Order         blocks of 4,096 rows in the fixed tree: same bytes for any number of threads and instruction set
 * Missing       refused: impute:median. A constant column gets 0
 * Differs from  scikit-learn LogisticRegression: same objective, our l2 is 1/C; runs to convergence
 * Guide         Q1 Q2 Q11
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "learners/linear/linear.h"
#include "learners/linear/softmax_newton.h"
#include "simd/simd.h"

enum { WEIGHTS_NONE, WEIGHTS_BALANCED };
static const char *const logistic_weights[] = {"none", "balanced", NULL};
struct logistic_params {
    double l2, tol;
    int32_t max_iter, weights;
};
static const struct tide_param logistic_rows[] = {
    P_REAL(logistic_params, l2, "1", P_RANGE(0, 1e15), P_TUNE(1e-4, 1e4),
           .flags = TIDE_LOG,
           .help = "penalty on squared coefficients, 1/C elsewhere; 0 for none"),
    P_ENUM(logistic_params, weights, "none", logistic_weights,
           .help = "balanced: every class counts as much as the others",
           .alias = "class_weight"),
    P_REAL(logistic_params, tol, "1e-12", P_RANGE(0, 1),
           .flags = TIDE_OPEN_LO | TIDE_EXPERT,
           .help = "stop when the objective can fall by less than this share"),
    P_INT(logistic_params, max_iter, "100", P_RANGE(1, 1000000), .flags = TIDE_EXPERT,
          .help = "most iterations"),
};

/* Row weights with the class weights in, or the data's own. */
static tide_status logistic_row_weights(const struct logistic_params *p,
                                        const struct fit_data *d, struct arena *a,
                                        const double **out, tide_error *err)
{
    *out = d->w;
    if (p->weights == WEIGHTS_NONE) return TIDE_OK;
    int64_t n = d->x->n_rows;
    double *w = arena_array(a, n, sizeof *w),
           *share = arena_zero(a, (size_t)d->n_classes * sizeof *share);
    if (!w || !share) return arena_status(a, err);
    double total = 0;
    for (int64_t i = 0; i < n; i++) share[d->k[i]] += d->w ? d->w[i] : 1.0;
    for (int c = 0; c < d->n_classes; c++) total += share[c];
    for (int64_t i = 0; i < n; i++)
        w[i] = (d->w ? d->w[i] : 1.0) * total / (d->n_classes * share[d->k[i]]);
    *out = w;
    return TIDE_OK;
}

/* The column whose classes do not overlap, else (*alone = 0) the one that moves scores most. */
static const char *separating_column(const struct linear_design *m,
                                     const struct fit_data *d,
                                     const struct softmax_problem *q, int *alone)
{
    int best = 0;
    double most = -1, inf = (double)INFINITY;
    *alone = 0;
    for (int j = 0; j < m->p; j++) {
        double size = 0;
        for (int k = 0; k < q->n_out; k++)
            size +=
                fabs(q->theta[(int64_t)k * m->p + j]) * m->sd[m->from[j]] / m->unit[j];
        if (size > most) most = size, best = j;
    }
    for (int j = 0; j < m->p && d->n_classes == 2; j++) {
        double lo[2] = {inf, inf}, hi[2] = {-inf, -inf};
        for (int64_t i = 0; i < m->n; i++) {
            double z = m->z[j][i];
            lo[d->k[i]] = z < lo[d->k[i]] ? z : lo[d->k[i]];
            hi[d->k[i]] = z > hi[d->k[i]] ? z : hi[d->k[i]];
        }
        *alone = hi[0] < lo[1] || hi[1] < lo[0];
        if (*alone) return d->x->cols[m->from[j]]->name;
    }
    return m->p ? d->x->cols[m->from[best]]->name : "";
}

static void warn_separable(tide_error *w, const char *column, int alone)
{
    err_set(w, TIDE_CODE_NUMERIC_SEPARABLE,
            "classes are separated%s by '%s', so no coefficients are best without a "
            "penalty",
            alone ? "" : ", most of all", column);
    err_field(w, column);
    err_hint(w, "set", "l2=1e-4");
}

static tide_status logistic_fit(struct tide_ctx *ctx, const void *params,
                                const struct fit_data *d, const struct fit_data *valid,
                                int32_t rounds, struct state *out,
                                struct fit_info *info, tide_error *err)
{
    const struct logistic_params *p = params;
    struct arena a;
    struct linear_design m;
    struct softmax_problem q = {.ctx = ctx,
                                .k = d->k,
                                .n_classes = d->n_classes,
                                .tol = p->tol,
                                .max_iter = p->max_iter,
                                .phase = d->phase};
    (void)valid;
    (void)rounds;
    if (d->n_classes < 2)
        return err_set(err, TIDE_CODE_DATA_ONE_CLASS,
                       "logistic needs two classes and all %lld rows are of one",
                       (long long)d->x->n_rows);
    arena_init(&a, ctx);
    tide_status st = linear_open(ctx, d, 1, &a, &m, err);
    if (st == TIDE_OK) st = logistic_row_weights(p, d, &a, &q.w, err);
    if (st != TIDE_OK) goto done;
    q.n = m.n, q.p = m.p;
    q.z = (const double *const *)m.z;
    q.ones = m.ones;
    q.n_out = d->n_classes == 2 ? 1 : d->n_classes;
    q.penalty = arena_array(&a, m.p, sizeof *q.penalty);
    q.theta = arena_zero(&a, (size_t)q.n_out * (size_t)(m.p + 1) * sizeof *q.theta);
    q.b = q.theta ? q.theta + (int64_t)q.n_out * m.p : NULL;
    if ((st = arena_status(&a, err)) != TIDE_OK) goto done;
    for (int j = 0; j < m.p; j++) q.penalty[j] = p->l2 / m.unit[j] / m.unit[j];
    q.no_penalty = p->l2 == 0;
    st = softmax_newton(&q, &a, err);
    if (st != TIDE_OK) goto done;
    info->converged = q.converged;
    if (q.separated) {
        int alone;
        const char *column = separating_column(&m, d, &q, &alone);
        warn_separable(&info->warning, column, alone);
        info->converged = -1; /* said already */
    }
    st = linear_store(&m, "logistic", q.n_out, q.theta, q.b, out, err);
done:
    arena_free(&a);
    return st;
}

struct logistic_model {
    struct linear_model *linear;
    int n_classes;
};

static tide_status logistic_load(const struct state *s, uint32_t task, int32_t n_out,
                                 int32_t n_cols, const uint32_t *n_levels,
                                 struct arena *a, void **object, tide_error *err)
{
    (void)task;
    *object = NULL;
    if (n_out < 2)
        return err_set(err, TIDE_CODE_TIDE_CLASSES,
                       "logistic needs two classes or more");
    struct logistic_model *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    m->n_classes = n_out;
    tide_status st =
        linear_load(s, n_out == 2 ? 1 : n_out, n_cols, n_levels, a, &m->linear, err);
    if (st == TIDE_OK) *object = m;
    return st;
}

static tide_status logistic_predict(const void *object, const struct view *x,
                                    int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct logistic_model *m = object;
    const struct simd_table *simd = simd_get(NULL);
    double p[256];
    (void)err;
    if (m->n_classes > 2) {
        linear_scores(m->linear, x, i0, n, out);
        simd->vsoftmax(out, n, m->n_classes);
        return TIDE_OK;
    }
    for (int64_t r = 0; r < n; r += 256) {
        int64_t rows = n - r < 256 ? n - r : 256;
        linear_scores(m->linear, x, i0 + r, rows, p);
        simd->vexpit(p, p, rows);
        for (int64_t i = 0; i < rows; i++) {
            out[2 * (r + i)] = 1.0 - p[i];
            out[2 * (r + i) + 1] = p[i];
        }
    }
    return TIDE_OK;
}

static void logistic_importance(const void *object, double *out)
{
    linear_importance(((const struct logistic_model *)object)->linear, out);
}

static void logistic_linear(const void *object, struct linear_form *out)
{
    linear_form_of(((const struct logistic_model *)object)->linear, out);
}

static void logistic_describe(const void *object, char *out, size_t size)
{
    const struct logistic_model *m = object;
    str_format(out, size, "%d coefficient%s for %d classes",
               m->linear->p * m->linear->n_out,
               m->linear->p * m->linear->n_out == 1 ? "" : "s", m->n_classes);
}

const struct tide_learner tide_learner_logistic = {
    .name = "logistic",
    .title = "Logistic regression with a squared penalty",
    .camel = "Logistic",
    .guide = "Q1 Q2 Q11",
    .paper = "Cox 1958; Boehning 1992",
    .tasks = TIDE_CLASSIFY,
    .traits = TIDE_TAKES_WEIGHTS | TIDE_GIVES_PROBA | TIDE_WANTS_SCALED,
    .params = TIDE_TABLE(logistic_rows, logistic_params),
    .small = "",
    .min_rows = 2,
    .fit = logistic_fit,
    .load = logistic_load,
    .predict = logistic_predict,
    .linear = logistic_linear,
    .importance = logistic_importance,
    .describe = logistic_describe,
};
