/* ridge.c - least squares with a squared penalty; l2=0 is ordinary least squares
 *
 * Problem       min over c, b of  sum_i w_i (y_i - x_i'c - b)^2 + l2 |c|^2;  b is not penalised
 * Method        n p^2 < 1e8: Householder QR with double-double refinement (reliability 4.4), rank deficiency gives the
 *               least-norm fit and a warning; more rows: Cholesky of the centred Gram matrix and one refinement from
 *               the residual, back to QR when the condition estimate exceeds 1e6; p > n: Cholesky of XX' + l2 I,
 *               without a penalty a QR of X' for the least norm
 * Cost          n p^2 + p^3/3 flops, p^2 doubles of scratch beside the columns; p > n: n^2 p and 2 n p
 * Rows          2 or more
 * Order         Gram blocks of 4,096 rows in the fixed tree: same bytes for any number of threads and instruction set
 * Missing       refused: impute:median. A constant column gets 0
 * Differs from  scikit-learn Ridge: same objective, our l2 is its alpha; one target at a time
 * Guide         Q3 Q8 Q11
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "learners/linear/linear.h"
#include "math/linalg.h"
#include "simd/simd.h"

struct ridge_params {
    double l2;
    int32_t intercept;
};
static const struct tide_param ridge_rows[] = {
    P_REAL(ridge_params, l2, "1", P_RANGE(0, 1e15), P_TUNE(1e-4, 1e4),
           .flags = TIDE_LOG,
           .help = "penalty on squared coefficients, 0 for least squares",
           .alias = "alpha"),
    P_BOOL(ridge_params, intercept, "yes", .help = "fit a constant term",
           .alias = "fit_intercept"),
};

/* One fit in the making. theta [p] and b in units of z. */
struct ridge_job {
    struct tide_ctx *ctx;
    const struct ridge_params *params;
    const struct fit_data *d;
    struct linear_design m;
    double *penalty; /* [p] l2 / unit^2 */
    double *theta, b, y_mean;
    struct arena *a;
    struct fit_info *info;
};

static const char *used_name(const struct ridge_job *r, int j)
{
    return r->d->x->cols[r->m.from[j]]->name;
}

/* Which column follows from which others, and the rank. */
static tide_status warn_rank(struct ridge_job *r, const struct least_squares *ls,
                             tide_error *err)
{
    struct str t = {0};
    int n = 0, terms = 0, more = -1, p = r->m.p;
    tide_error *w = &r->info->warning;
    for (int j = 0; j < p; j++) more += ls->dependent[j] != 0;
    for (int j = 0; j <= p; j++)
        terms += (j < p || r->params->intercept) && ls->relation[j] != 0;
    for (int j = 0; j < p; j++)
        if (ls->relation[j] != 0 && n++ < 6)
            str_addf(&t, "%s'%s'",
                     n == 1       ? ""
                     : n == terms ? " and "
                                  : ", ",
                     used_name(r, j));
    if (n > 6) str_addf(&t, " and %d more", n - 6);
    if (terms > n) str_addf(&t, "%sthe constant term", n ? " and " : "");
    if (more > 0) str_addf(&t, ", and so do %d more columns", more);
    err_set(
        w, TIDE_CODE_DATA_RANK,
        "rank %d of %d: '%s' follows from %s; the coefficients are those of least norm",
        ls->rank - r->params->intercept, p, used_name(r, ls->first), t.s ? t.s : "");
    err_field(w, used_name(r, ls->first));
    err_hint(w, "set", "l2=1");
    int failed = t.failed;
    str_free(&t);
    return failed ? err_nomem(err, 0) : TIDE_OK;
}

/* QR with refinement, on the columns as they came: centring would cost digits. */
static tide_status fit_by_qr(struct ridge_job *r, tide_error *err)
{
    int p = r->m.p, all = p + (r->params->intercept != 0);
    const double **x = arena_array(r->a, all, sizeof *x);
    uint8_t *penalise = arena_array(r->a, all, 1);
    struct least_squares ls;
    if (!x || !penalise) return arena_status(r->a, err);
    for (int j = 0; j < p; j++) {
        view_numbers(r->d->x, r->m.from[j], 0, r->m.n, r->m.z[j]);
        x[j] = r->m.z[j];
        penalise[j] = 1;
        r->m.mean[j] = 0;
    }
    if (all > p) x[p] = r->m.ones, penalise[p] = 0;
    tide_status st = linalg_least_squares(r->ctx, x, r->m.n, all, r->d->y, r->d->w,
                                          r->params->l2, penalise, r->a, &ls, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < p; j++) r->theta[j] = ls.coef[j] * r->m.unit[j];
    r->b = all > p ? ls.coef[p] : 0.0;
    return ls.rank < all ? warn_rank(r, &ls, err) : TIDE_OK;
}

/* res = y - b - Z theta by blocks; then out_j = sum w z_j res for the columns. */
struct residual_job {
    const struct ridge_job *r;
    const struct simd_table *simd;
    double *res, *out;
};

static void residual_task(void *arg, int64_t block, int worker)
{
    const struct residual_job *t = arg;
    const struct ridge_job *r = t->r;
    int64_t i0 = block * PAR_BLOCK,
            n = r->m.n - i0 < PAR_BLOCK ? r->m.n - i0 : PAR_BLOCK;
    double *res = t->res + i0;
    (void)worker;
    for (int64_t i = 0; i < n; i++) res[i] = r->d->y[i0 + i] - r->b;
    for (int j = 0; j < r->m.p; j++)
        t->simd->axpy(-r->theta[j], r->m.z[j] + i0, res, n);
    for (int64_t i = 0; r->d->w && i < n; i++) res[i] *= r->d->w[i0 + i];
}

static void gradient_task(void *arg, int64_t j, int worker)
{
    const struct residual_job *t = arg;
    const struct ridge_job *r = t->r;
    double s = 0;
    (void)worker;
    for (int64_t i0 = 0; i0 < r->m.n; i0 += PAR_BLOCK) {
        int64_t n = r->m.n - i0 < PAR_BLOCK ? r->m.n - i0 : PAR_BLOCK;
        s += t->simd->dot(r->m.z[j] + i0, t->res + i0, n);
    }
    t->out[j] = s;
}

/* Gradient of half the objective, with its sign turned. */
static tide_status ridge_gradient(const struct ridge_job *r, double *res, double *g,
                                  tide_error *err)
{
    struct residual_job t = {r, simd_get(r->ctx), res, g};
    int64_t n_blocks = (r->m.n + PAR_BLOCK - 1) / PAR_BLOCK;
    tide_status st = par_for(r->ctx, n_blocks, residual_task, &t, err);
    if (st == TIDE_OK) st = par_for(r->ctx, r->m.p, gradient_task, &t, err);
    for (int j = 0; j < r->m.p; j++) g[j] -= r->penalty[j] * r->theta[j];
    return st;
}

/* Gram route; *ok = 0 when the condition asks for QR. z is centred when there is an intercept. */
static tide_status fit_by_gram(struct ridge_job *r, int *ok, tide_error *err)
{
    int p = r->m.p;
    double *g = arena_array(r->a, (int64_t)p * p, sizeof *g), norm = 0;
    double *step = arena_array(r->a, p, sizeof *step),
           *res = arena_array(r->a, r->m.n, sizeof *res);
    *ok = 0;
    if (!g || !step || !res) return arena_status(r->a, err);
    tide_status st = linalg_gram(r->ctx, (const double *const *)r->m.z, r->m.n, p,
                                 r->d->w, NULL, r->d->y, r->y_mean, g, r->theta, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < p; j++) g[(int64_t)j * p + j] += r->penalty[j];
    for (int j = 0; j < p; j++) {
        double s = 0;
        for (int i = 0; i < p; i++) s += fabs(g[(int64_t)j * p + i]);
        norm = s > norm ? s : norm;
    }
    if (linalg_cholesky(g, p) || linalg_cholesky_rcond(g, p, norm) < 1e-12)
        return TIDE_OK;
    linalg_cholesky_solve(g, p, r->theta);
    st = ridge_gradient(r, res, step, err);
    if (st != TIDE_OK) return st;
    linalg_cholesky_solve(g, p, step);
    for (int j = 0; j < p; j++) r->theta[j] += step[j];
    *ok = 1;
    return TIDE_OK;
}

/* k alpha = alpha in place, by Cholesky into l and one refinement with f as scratch. 0, and
 * alpha as it was: k is too near to singular. */
static int solve_rows(const struct simd_table *simd, const double *k, double *l, int n,
                      double *alpha, double *f)
{
    double norm = 0;
    for (int i = 0; i < n; i++) {
        double s = 0;
        for (int j = 0; j < n; j++) s += fabs(k[(int64_t)i * n + j]);
        norm = s > norm ? s : norm;
    }
    memcpy(l, k, (size_t)n * (size_t)n * sizeof *l);
    if (linalg_cholesky(l, n) || linalg_cholesky_rcond(l, n, norm) < 1e-8) return 0;
    memcpy(f, alpha, (size_t)n * sizeof *f);
    linalg_cholesky_solve(l, n, alpha);
    for (int i = 0; i < n; i++) f[i] -= simd->dot(k + (int64_t)i * n, alpha, n);
    linalg_cholesky_solve(l, n, f);
    for (int i = 0; i < n; i++) alpha[i] += f[i];
    return 1;
}

/* p > n: theta = U^-2 Z' S alpha with (S Z U^-2 Z' S + l2 I) alpha = S (y - b), S^2 = w; rows
 * of Z / unit as vectors of length p. Without a penalty, or one too small for that: QR. */
static tide_status fit_by_rows(struct ridge_job *r, tide_error *err)
{
    int n = (int)r->m.n, p = r->m.p, rank = 0, ok = 0;
    double l2 = r->params->l2;
    double *t = arena_array(r->a, (int64_t)n * p, sizeof *t);
    const double **row = arena_array(r->a, n, sizeof *row);
    double *alpha = arena_array(r->a, n, sizeof *alpha),
           *f = arena_array(r->a, n, sizeof *f);
    double *k = l2 > 0 ? arena_array(r->a, (int64_t)n * n, sizeof *k) : NULL,
           *l = l2 > 0 ? arena_array(r->a, (int64_t)n * n, sizeof *l) : NULL;
    const struct simd_table *simd = simd_get(r->ctx);
    tide_status st = arena_status(r->a, err);
    if (st != TIDE_OK) return st;
    for (int i = 0; i < n; i++) {
        double s = r->d->w ? sqrt(r->d->w[i]) : 1.0;
        row[i] = t + (int64_t)i * p;
        for (int j = 0; j < p; j++)
            t[(int64_t)i * p + j] = s * r->m.z[j][i] * r->m.unit[j];
        alpha[i] = s * (r->d->y[i] - r->y_mean);
    }
    if (l2 > 0) {
        st = linalg_gram(r->ctx, row, p, n, NULL, NULL, NULL, 0, k, NULL, err);
        if (st != TIDE_OK) return st;
        for (int i = 0; i < n; i++) k[(int64_t)i * n + i] += l2;
        ok = solve_rows(simd, k, l, n, alpha, f);
    }
    if (ok) {
        for (int j = 0; j < p; j++) r->theta[j] = 0;
        for (int i = 0; i < n; i++) simd->axpy(alpha[i], row[i], r->theta, p);
    } else {
        st = linalg_least_norm(r->ctx, row, n, p, alpha, l2, r->theta, &rank, err);
    }
    for (int j = 0; j < p; j++) r->theta[j] *= r->m.unit[j];
    if (st != TIDE_OK || l2 > 0) return st;
    err_set(
        &r->info->warning, TIDE_CODE_DATA_RANK,
        "rank %d of %d: %d rows cannot tell the columns apart; the coefficients are "
        "those of least norm",
        rank, p, n);
    err_hint(&r->info->warning, "set", "l2=1");
    return TIDE_OK;
}

static tide_status ridge_solve(struct ridge_job *r, tide_error *err)
{
    int ok = 0;
    double n = (double)r->m.n, p = r->m.p;
    tide_status st = TIDE_OK;
    r->b = r->y_mean;
    if (p == 0) return TIDE_OK;
    if (p > n) return fit_by_rows(r, err);
    if (n * p * p >= 1e8) st = fit_by_gram(r, &ok, err);
    return st == TIDE_OK && !ok ? fit_by_qr(r, err) : st;
}

static tide_status ridge_fit(struct tide_ctx *ctx, const void *params,
                             const struct fit_data *d, const struct fit_data *valid,
                             int32_t rounds, struct state *out, struct fit_info *info,
                             tide_error *err)
{
    struct arena a;
    struct ridge_job r = {.ctx = ctx, .params = params, .d = d, .a = &a, .info = info};
    (void)valid;
    (void)rounds;
    info->converged = -1;
    arena_init(&a, ctx);
    tide_status st = linear_open(ctx, d, r.params->intercept, &a, &r.m, err);
    if (st == TIDE_OK && r.params->intercept)
        st = linalg_means(ctx, &d->y, r.m.n, 1, d->w, &r.y_mean, NULL, err);
    if (st != TIDE_OK) goto done;
    r.theta = arena_zero(&a, (size_t)(r.m.p ? r.m.p : 1) * sizeof *r.theta);
    r.penalty = arena_array(&a, r.m.p, sizeof *r.penalty);
    if ((st = arena_status(&a, err)) != TIDE_OK) goto done;
    for (int j = 0; j < r.m.p; j++)
        r.penalty[j] = r.params->l2 / r.m.unit[j] / r.m.unit[j];
    st = ridge_solve(&r, err);
    if (st == TIDE_OK) st = linear_store(&r.m, "ridge", 1, r.theta, &r.b, out, err);
done:
    arena_free(&a);
    return st;
}

static tide_status ridge_load(const struct state *s, uint32_t task, int32_t n_out,
                              int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                              void **object, tide_error *err)
{
    struct linear_model *m;
    (void)task;
    tide_status st = linear_load(s, n_out, n_cols, n_levels, a, &m, err);
    *object = m;
    return st;
}

static tide_status ridge_predict(const void *object, const struct view *x, int64_t i0,
                                 int64_t n, double *out, tide_error *err)
{
    (void)err;
    linear_scores(object, x, i0, n, out);
    return TIDE_OK;
}

static void ridge_importance(const void *object, double *out)
{
    linear_importance(object, out);
}

static void ridge_linear(const void *object, struct linear_form *out)
{
    linear_form_of(object, out);
}

static void ridge_describe(const void *object, char *out, size_t size)
{
    const struct linear_model *m = object;
    int used = 0;
    for (int j = 0; j < m->p; j++) used += m->coef[j] != 0;
    str_format(out, size, "%d coefficient%s, intercept %.6r", used,
               used == 1 ? "" : "s", m->intercept[0]);
}

const struct tide_learner tide_learner_ridge = {
    .name = "ridge",
    .title = "Least squares with a squared penalty",
    .camel = "Ridge",
    .guide = "Q3 Q8 Q11",
    .paper = "Hoerl and Kennard 1970; Bjorck 1967",
    .tasks = TIDE_REGRESS,
    .traits = TIDE_TAKES_WEIGHTS | TIDE_WANTS_SCALED,
    .params = TIDE_TABLE(ridge_rows, ridge_params),
    .small = "",
    .min_rows = 2,
    .fit = ridge_fit,
    .load = ridge_load,
    .predict = ridge_predict,
    .linear = ridge_linear,
    .importance = ridge_importance,
    .describe = ridge_describe,
};
