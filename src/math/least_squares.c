/* least_squares.c - Householder QR with double-double refinement of the augmented system
 *
 * Columns are scaled by powers of two (exact). x and the residual r are held as pairs; each
 * step solves  dr + A dx = f = b - r - A x,  A' dr = g = -A' r  by the QR of A (Bjorck 1967).
 * Where that does not converge, columns are dropped by a pivoted QR, the rest is solved as
 * above, and the solution of least norm follows from the null space: c = x0 + N u, least |c|
 * over penalised columns. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "math/linalg.h"
#include "simd/simd.h"

struct design { /* scaled columns, and what they were made from */
    struct tide_ctx *ctx;
    const struct simd_table *simd;
    int64_t m; /* rows, those of the penalty included */
    int p;
    double **col, **low; /* [p][m]; low[j] NULL: no error terms */
    double *scale;       /* [p] column = original * scale */
    double *b;           /* [m] */
    double b_scale;
};

struct qr {
    const struct simd_table *simd;
    int64_t m;
    int p, rank;  /* columns, reflections made */
    double **col; /* R above the diagonal, vectors from it on */
    double *diag; /* [p] of R */
    double *beta; /* [p] v'v / 2; 0: no reflection */
};

/* ---- reflections ---- */
static void reflect(const struct qr *q, int k, double *b)
{
    if (q->beta[k] == 0) return;
    const double *v = q->col[k] + k;
    double s = q->simd->dot(v, b + k, q->m - k) / q->beta[k];
    q->simd->axpy(-s, v, b + k, q->m - k);
}

static void make_reflection(struct qr *q, int k)
{
    double *v = q->col[k] + k, size = sqrt(q->simd->dot(v, v, q->m - k));
    q->diag[k] = v[0] > 0 ? -size : size;
    q->beta[k] = size * (size + fabs(v[0]));
    v[0] -= q->diag[k];
}

static int qr_room(struct qr *q, const struct design *d, const int *pick, int p,
                   struct arena *a)
{
    *q = (struct qr){.simd = d->simd, .m = d->m, .p = p};
    q->col = arena_array(a, p, sizeof *q->col);
    q->diag = arena_zero(a, (size_t)p * sizeof *q->diag);
    q->beta = arena_zero(a, (size_t)p * sizeof *q->beta);
    for (int j = 0; j < p && q->col; j++) {
        q->col[j] = arena_array(a, d->m, sizeof(double));
        if (!q->col[j]) return -1;
        memcpy(q->col[j], d->col[pick[j]], (size_t)d->m * sizeof(double));
    }
    return q->col && q->diag && q->beta ? 0 : -1;
}

static tide_status qr_factor(struct qr *q, struct tide_ctx *ctx, tide_error *err)
{
    for (int k = 0; k < q->p; k++) {
        if (ctx_cancelled(ctx)) return err_cancelled(err);
        make_reflection(q, k);
        for (int j = k + 1; j < q->p; j++) reflect(q, k, q->col[j]);
    }
    q->rank = q->p;
    return TIDE_OK;
}

/* Column pivoting: the first n_fixed columns are taken first, in order; then always the one
 * that is left longest. Stops at `tol` times the largest. pick follows the exchanges. */
static tide_status qr_factor_pivoted(struct qr *q, int n_fixed, int *pick, double tol,
                                     struct tide_ctx *ctx, tide_error *err)
{
    double first = 0;
    int steps = q->m < q->p ? (int)q->m : q->p;
    for (int k = 0; k < steps; k++) {
        if (ctx_cancelled(ctx)) return err_cancelled(err);
        double best = -1;
        int at = k, end = k < n_fixed ? k + 1 : q->p;
        for (int j = k; j < end; j++) {
            double s = q->simd->dot(q->col[j] + k, q->col[j] + k, q->m - k);
            if (s > best) best = s, at = j;
        }
        first = sqrt(best) > first ? sqrt(best) : first;
        if (!(sqrt(best) > tol * first)) {
            if (k >= n_fixed) break;
            n_fixed =
                k; /* a fixed column that depends on others before it is like any other */
            k--;
            continue;
        }
        double *c = q->col[k];
        int i = pick[k];
        q->col[k] = q->col[at], q->col[at] = c;
        pick[k] = pick[at], pick[at] = i;
        make_reflection(q, k);
        for (int j = k + 1; j < q->p; j++) reflect(q, k, q->col[j]);
        q->rank = k + 1;
    }
    return TIDE_OK;
}

static void solve_r(const struct qr *q, int r, double *b) /* R b = b */
{
    for (int j = r - 1; j >= 0; j--) {
        b[j] /= q->diag[j];
        q->simd->axpy(-b[j], q->col[j], b, j);
    }
}

static void solve_rt(const struct qr *q, int r, double *b) /* R' b = b */
{
    for (int j = 0; j < r; j++)
        b[j] = (b[j] - q->simd->dot(q->col[j], b, j)) / q->diag[j];
}

static void solve_either(const void *arg, int transposed, double *b)
{
    const struct qr *q = arg;
    if (transposed)
        solve_rt(q, q->rank, b);
    else
        solve_r(q, q->rank, b);
}

static double qr_rcond(const struct qr *q)
{
    double norm = 0;
    for (int j = 0; j < q->rank; j++) {
        double s = fabs(q->diag[j]);
        if (s == 0) return 0;
        for (int i = 0; i < j; i++) s += fabs(q->col[j][i]);
        norm = s > norm ? s : norm;
    }
    double inverse = linalg_inverse_norm1(q->rank, solve_either, q);
    double r = 1.0 / (norm * inverse);
    return r == r && r < (double)INFINITY ? r : 0;
}

static double rank_tolerance(int64_t m, int p)
{
    return 64.0 * DBL_EPSILON * sqrt((double)(m > p ? m : p));
}

/* ---- refinement ---- */
static void add_to_pair(double *hi, double *lo, double v)
{
    double s = *hi + v, t = s - *hi;
    double rest = ((*hi - (s - t)) + (v - t)) + *lo;
    *hi = s + rest;
    *lo = rest - (*hi - s);
}

struct refine {
    double *x, *x_lo, *r, *r_lo, *f, *f_lo, *g;
};

/* One step: returns the largest correction relative to |x_j| + 1e-16 max |x|. */
static double refine_step(const struct design *d, const struct qr *q, const int *pick,
                          const struct refine *s)
{
    int64_t m = d->m;
    for (int64_t i = 0; i < m; i++) {
        s->f[i] = d->b[i], s->f_lo[i] = 0;
        add_to_pair(&s->f[i], &s->f_lo[i], -s->r[i]);
        add_to_pair(&s->f[i], &s->f_lo[i], -s->r_lo[i]);
    }
    for (int j = 0; j < q->p; j++) {
        double minus[2] = {-s->x[j], -s->x_lo[j]}, g[2];
        d->simd->dd_axpy(minus, d->col[pick[j]], d->low[pick[j]], s->f, s->f_lo, m);
        d->simd->dd_dot(d->col[pick[j]], d->low[pick[j]], s->r, s->r_lo, m, g);
        s->g[j] = -(g[0] + g[1]);
    }
    for (int64_t i = 0; i < m; i++) s->f[i] += s->f_lo[i];
    for (int k = 0; k < q->p; k++) reflect(q, k, s->f);
    solve_rt(q, q->p, s->g);
    for (int j = 0; j < q->p;
         j++) { /* f becomes [h; d2], f_lo the right side of R dx */
        s->f_lo[j] = s->f[j] - s->g[j];
        s->f[j] = s->g[j];
    }
    solve_r(q, q->p, s->f_lo);
    double top = 0, worst = 0;
    for (int j = 0; j < q->p; j++) {
        add_to_pair(&s->x[j], &s->x_lo[j], s->f_lo[j]);
        top = fabs(s->x[j]) > top ? fabs(s->x[j]) : top;
    }
    for (int j = 0; j < q->p; j++) {
        double c = fabs(s->f_lo[j]) / (fabs(s->x[j]) + 1e-16 * top);
        if (s->f_lo[j] != 0 && !(c <= worst)) worst = c;
    }
    for (int k = q->p - 1; k >= 0; k--) reflect(q, k, s->f);
    for (int64_t i = 0; i < m; i++) add_to_pair(&s->r[i], &s->r_lo[i], s->f[i]);
    return worst;
}

/* Columns pick[0..p), all independent as far as one knows. x [p]: solution of the scaled
 * problem. *sure = 0: refinement did not settle. */
static tide_status solve_full(const struct design *d, const int *pick, int p, double *x,
                              struct least_squares *out, int *sure, struct arena *a,
                              tide_error *err)
{
    struct qr q;
    struct refine s = {.x = arena_zero(a, (size_t)p * sizeof(double)),
                       .x_lo = arena_zero(a, (size_t)p * sizeof(double)),
                       .r = arena_array(a, d->m, sizeof(double)),
                       .r_lo = arena_zero(a, (size_t)d->m * sizeof(double)),
                       .f = arena_array(a, d->m, sizeof(double)),
                       .f_lo = arena_array(a, d->m, sizeof(double)),
                       .g = arena_array(a, p, sizeof(double))};
    if (qr_room(&q, d, pick, p, a) || arena_status(a, NULL))
        return arena_status(a, err);
    tide_status st = qr_factor(&q, d->ctx, err);
    if (st != TIDE_OK) return st;
    *sure = 0;
    out->rcond = qr_rcond(&q);
    if (out->rcond == 0) return TIDE_OK;
    memcpy(s.r, d->b,
           (size_t)d->m * sizeof(double)); /* x and r of the plain solution */
    for (int k = 0; k < p; k++) reflect(&q, k, s.r);
    memcpy(s.x, s.r, (size_t)p * sizeof(double));
    solve_r(&q, p, s.x);
    memset(s.r, 0, (size_t)p * sizeof(double));
    for (int k = p - 1; k >= 0; k--) reflect(&q, k, s.r);
    double before = (double)INFINITY, least = before;
    for (out->refined = 0; out->refined < 10;) {
        if (ctx_cancelled(d->ctx)) return err_cancelled(err);
        double c = refine_step(d, &q, pick, &s);
        out->refined++;
        least = c < least ? c : least;
        if (c < 1e-17 || !(c <= 0.5 * before)) break;
        before = c;
    }
    /* a column that depends on others to the last bit might settle too, anywhere: such have
     * rcond below 0.04 eps sqrt(m), a polynomial of degree 15 on 27 points 5 times that unit */
    *sure = least < 1e-10 && out->rcond > rank_tolerance(d->m, p) / 32;
    memcpy(x, s.x, (size_t)p * sizeof(double));
    return TIDE_OK;
}

/* ---- rank deficiency ---- */
/* c [p] += N u so that |c| over penalised columns is least; N spans the null space: column k
 * holds -R11^-1 R12 for the columns kept and 1 for dropped column k, in original units. */
static tide_status least_norm(const struct design *d, const struct qr *q,
                              const int *pick, const uint8_t *penalise, double *c,
                              struct arena *a, tide_error *err)
{
    int r = q->rank, k = q->p - r;
    struct design null = {.ctx = d->ctx, .simd = d->simd, .m = q->p, .p = k};
    int *all = arena_array(a, k, sizeof *all);
    double *t = arena_array(a, r + 1, sizeof *t),
           *rhs = arena_array(a, q->p, sizeof *rhs);
    null.col = arena_array(a, k, sizeof *null.col);
    double **whole = arena_array(a, k, sizeof *whole);
    if (arena_status(a, NULL)) return arena_status(a, err);
    for (int i = 0; i < k; i++) {
        all[i] = i;
        whole[i] = arena_zero(a, (size_t)q->p * sizeof(double));
        null.col[i] = arena_zero(a, (size_t)q->p * sizeof(double));
        if (!whole[i] || !null.col[i]) return arena_status(a, err);
        memcpy(t, q->col[r + i], (size_t)r * sizeof *t);
        solve_r(q, r, t);
        double unit = 1.0 / d->scale[pick[r + i]]; /* dropped column counts 1 */
        for (int j = 0; j < r; j++)
            whole[i][pick[j]] = -t[j] * d->scale[pick[j]] * unit;
        whole[i][pick[r + i]] = 1.0;
        for (int j = 0; j < q->p; j++)
            if (!penalise || penalise[j]) null.col[i][j] = whole[i][j];
    }
    for (int j = 0; j < q->p; j++) rhs[j] = !penalise || penalise[j] ? -c[j] : 0.0;
    struct qr n;
    if (qr_room(&n, &null, all, k, a)) return arena_status(a, err);
    tide_status st = qr_factor(&n, d->ctx, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < k; j++) reflect(&n, j, rhs);
    for (int j = 0; j < k; j++)
        if (n.diag[j] == 0)
            return TIDE_OK; /* only unpenalised columns depend on each other */
    solve_r(&n, k, rhs);
    for (int i = 0; i < k; i++) d->simd->axpy(rhs[i], whole[i], c, q->p);
    return TIDE_OK;
}

/* Which columns the first dependent one follows from: R11^-1 R12 in original units. */
static tide_status first_relation(const struct design *d, const struct qr *q,
                                  const int *pick, struct arena *keep,
                                  struct least_squares *out, struct arena *a,
                                  tide_error *err)
{
    int r = q->rank, at = r;
    double *t = arena_array(a, r + 1, sizeof *t), top = 0;
    out->relation = arena_zero(keep, (size_t)d->p * sizeof *out->relation);
    if (!t || !out->relation) return arena_status(out->relation ? a : keep, err);
    for (int i = r; i < q->p; i++) at = pick[i] < pick[at] ? i : at;
    out->first = pick[at];
    memcpy(t, q->col[at], (size_t)r * sizeof *t);
    solve_r(q, r, t);
    for (int j = 0; j < r; j++) top = fabs(t[j]) > top ? fabs(t[j]) : top;
    for (int j = 0; j < r; j++)
        if (fabs(t[j]) > 1e-8 * top)
            out->relation[pick[j]] = t[j] * d->scale[pick[j]] / d->scale[pick[at]];
    return TIDE_OK;
}

static tide_status solve_deficient(const struct design *d, const uint8_t *penalise,
                                   struct arena *keep, struct least_squares *out,
                                   struct arena *a, tide_error *err)
{
    struct qr q;
    int *pick = arena_array(a, d->p, sizeof *pick), n_fixed = 0, sure, last = 0;
    double *x = arena_zero(a, (size_t)d->p * sizeof *x);
    out->dependent = arena_zero(keep, (size_t)d->p);
    if (!pick || !x || arena_status(keep, NULL))
        return arena_status(arena_status(a, NULL) ? a : keep, err);
    for (int j = 0; j < d->p; j++)
        if (penalise && !penalise[j]) pick[n_fixed++] = j;
    last = n_fixed;
    for (int j = 0; j < d->p; j++)
        if (!penalise || penalise[j]) pick[last++] = j;
    if (qr_room(&q, d, pick, d->p, a)) return arena_status(a, err);
    tide_status st =
        qr_factor_pivoted(&q, n_fixed, pick, rank_tolerance(d->m, d->p), d->ctx, err);
    if (st != TIDE_OK) return st;
    out->rank = q.rank;
    for (int j = q.rank; j < d->p; j++) out->dependent[pick[j]] = 1;
    if (q.rank < d->p) st = first_relation(d, &q, pick, keep, out, a, err);
    if (st != TIDE_OK) return st;
    if (q.rank > 0) st = solve_full(d, pick, q.rank, x, out, &sure, a, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < d->p; j++) out->coef[j] = 0;
    for (int j = 0; j < q.rank; j++)
        out->coef[pick[j]] = x[j] * d->scale[pick[j]] / d->b_scale;
    return q.rank < d->p ? least_norm(d, &q, pick, penalise, out->coef, a, err)
                         : TIDE_OK;
}

/* ---- design ---- */
static double
power_of_two_below(double top) /* 1/2^e with top in [2^e, 2^(e+1)), 1 for 0 */
{
    int e;
    if (!(top > 0)) return 1.0;
    (void)frexp(top, &e);
    e = e > 1000 ? 1000 : e < -1000 ? -1000 : e;
    return ldexp(1.0, -e);
}

static double largest(const double *x, const double *root, int64_t n)
{
    double top = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = fabs(root ? root[i] * x[i] : x[i]);
        top = v > top ? v : top;
    }
    return top;
}

struct problem {
    const double *const *x, *const *x_lo;
    int64_t n;
    int p;
    const double *y, *w;
    double l2;
    const uint8_t *penalise;
};

static tide_status make_design(struct design *d, const struct problem *q,
                               struct arena *a, tide_error *err)
{
    int64_t n = q->n, at = n;
    double *root = NULL, ridge = sqrt(q->l2);
    d->p = q->p;
    d->m = n;
    for (int j = 0; j < q->p && q->l2 > 0; j++) d->m += !q->penalise || q->penalise[j];
    d->col = arena_array(a, q->p, sizeof *d->col);
    d->low = arena_zero(a, (size_t)q->p * sizeof *d->low);
    d->scale = arena_array(a, q->p, sizeof *d->scale);
    d->b = arena_zero(a, (size_t)d->m * sizeof *d->b);
    if (q->w) root = arena_array(a, n, sizeof *root);
    if (arena_status(a, NULL)) return arena_status(a, err);
    for (int64_t i = 0; root && i < n; i++) root[i] = sqrt(q->w[i]);
    d->b_scale = power_of_two_below(largest(q->y, root, n));
    for (int64_t i = 0; i < n; i++)
        d->b[i] = (root ? root[i] * q->y[i] : q->y[i]) * d->b_scale;
    for (int j = 0; j < q->p; j++) {
        const double *from = q->x[j], *low = q->x_lo ? q->x_lo[j] : NULL;
        double *to = d->col[j] = arena_zero(a, (size_t)d->m * sizeof *to), top, s;
        if (!to) return arena_status(a, err);
        int pen = q->l2 > 0 && (!q->penalise || q->penalise[j]);
        top = largest(from, root, n);
        top = pen && ridge > top ? ridge : top;
        s = power_of_two_below(top);
        for (int64_t i = 0; i < n; i++)
            to[i] = (root ? root[i] * from[i] : from[i]) * s;
        if (pen) to[at++] = ridge * s;
        double size = sqrt(d->simd->dot(to, to, d->m)), t = power_of_two_below(size);
        for (int64_t i = 0; i < d->m; i++) to[i] *= t;
        d->scale[j] = s * t;
        if (!low) continue;
        d->low[j] = arena_zero(a, (size_t)d->m * sizeof *to);
        if (!d->low[j]) return arena_status(a, err);
        for (int64_t i = 0; i < n; i++)
            d->low[j][i] = (root ? root[i] * low[i] : low[i]) * s * t;
    }
    return TIDE_OK;
}

tide_status linalg_least_squares_pair(struct tide_ctx *ctx, const double *const *x,
                                      const double *const *x_lo, int64_t n, int p,
                                      const double *y, const double *w, double l2,
                                      const uint8_t *penalise, struct arena *a,
                                      struct least_squares *out, tide_error *err)
{
    struct arena tmp;
    struct design d = {.ctx = ctx, .simd = simd_get(ctx)};
    struct problem q = {x, x_lo, n, p, y, w, l2, penalise};
    int sure = 0;
    arena_init(&tmp, ctx);
    *out = (struct least_squares){.rank = p, .first = -1};
    out->coef = arena_zero(a, (size_t)p * sizeof *out->coef);
    tide_status st = out->coef ? make_design(&d, &q, &tmp, err) : arena_status(a, err);
    int *all = arena_array(&tmp, p, sizeof *all);
    double *z = arena_array(&tmp, p, sizeof *z);
    if (st == TIDE_OK) st = arena_status(&tmp, err);
    if (st != TIDE_OK) goto done;
    for (int j = 0; j < p; j++) all[j] = j;
    if (p == 0) goto done;
    if (d.m >= p) st = solve_full(&d, all, p, z, out, &sure, &tmp, err);
    if (st != TIDE_OK) goto done;
    if (sure)
        for (int j = 0; j < p; j++) out->coef[j] = z[j] * d.scale[j] / d.b_scale;
    else
        st = solve_deficient(&d, penalise, a, out, &tmp, err);
done:
    arena_free(&tmp);
    return st;
}

tide_status linalg_least_squares(struct tide_ctx *ctx, const double *const *x,
                                 int64_t n, int p, const double *y, const double *w,
                                 double l2, const uint8_t *penalise, struct arena *a,
                                 struct least_squares *out, tide_error *err)
{
    return linalg_least_squares_pair(ctx, x, NULL, n, p, y, w, l2, penalise, a, out,
                                     err);
}

/* ---- more columns than rows ---- */
tide_status linalg_least_norm(struct tide_ctx *ctx, const double *const *row, int n,
                              int64_t p, const double *y, double l2, double *coef,
                              int *rank, tide_error *err)
{
    struct arena a;
    struct qr q;
    struct least_squares ls;
    struct design d = {.ctx = ctx, .simd = simd_get(ctx), .m = p, .p = n};
    double top = 0;
    arena_init(&a, ctx);
    int *pick = arena_array(&a, n, sizeof *pick);
    double *rhs = arena_array(&a, n, sizeof *rhs);
    double *r = arena_zero(&a, (size_t)n * (size_t)n * sizeof *r);
    const double **col = arena_array(&a, n, sizeof *col);
    d.col = arena_array(&a, n, sizeof *d.col);
    tide_status st = arena_status(&a, err);
    for (int i = 0; st == TIDE_OK && i < n; i++) {
        double size = largest(row[i], NULL, p);
        top = size > top ? size : top;
        pick[i] = i;
    }
    double scale = power_of_two_below(top);
    for (int i = 0; st == TIDE_OK && i < n; i++) {
        d.col[i] = arena_array(&a, p, sizeof(double));
        if (!d.col[i]) break;
        for (int64_t j = 0; j < p; j++) d.col[i][j] = row[i][j] * scale;
    }
    if (st == TIDE_OK && (arena_status(&a, NULL) || qr_room(&q, &d, pick, n, &a)))
        st = arena_status(&a, err);
    if (st == TIDE_OK)
        st = qr_factor_pivoted(&q, 0, pick, rank_tolerance(p, n), ctx, err);
    if (st != TIDE_OK) goto done;
    memset(coef, 0, (size_t)p * sizeof *coef);
    *rank = q.rank;
    for (int j = 0; j < q.rank; j++) { /* column j of R' */
        double *to = r + (int64_t)j * n;
        to[j] = q.diag[j];
        for (int i = j + 1; i < n; i++) to[i] = q.col[i][j];
        col[j] = to;
    }
    for (int i = 0; i < n; i++) rhs[i] = y[pick[i]];
    st = linalg_least_squares(ctx, col, n, q.rank, rhs, NULL, l2 * scale * scale, NULL,
                              &a, &ls, err);
    if (st != TIDE_OK) goto done;
    memcpy(coef, ls.coef, (size_t)q.rank * sizeof *coef);
    for (int k = q.rank - 1; k >= 0; k--) reflect(&q, k, coef);
    for (int64_t j = 0; j < p; j++) coef[j] *= scale;
done:
    arena_free(&a);
    return st;
}
