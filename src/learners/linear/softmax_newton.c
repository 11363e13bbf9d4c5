/* softmax_newton.c - Newton's method on the penalised logistic objective
 *
 * One vector v holds theta [n_out][p] and then b [n_out]. A pass over the rows gives loss,
 * probabilities and residuals; gradients and Hessian blocks are sums of columns against them.
 * For many classes the Hessian is singular where all rows move together; adding c uu' for
 * those directions u changes no step, since gradients are orthogonal to them. */
#include "learners/linear/softmax_newton.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "math/linalg.h"
#include "simd/simd.h"

#define FULL_LIMIT    2000 /* n_out * p up to which the Hessian is formed */
#define PRECOND_LIMIT 2500 /* p up to which the bound is factored */
#define STRIP         512

struct newton {
    struct softmax_problem *q;
    const struct simd_table *simd;
    int64_t dim, n_blocks;
    const double **col;    /* [p + 1], the ones last */
    double *prob, *res;    /* [n_out][n]; n_out = 1: prob is w p (1 - p) */
    double *loss;          /* [n_blocks] */
    uint8_t *parted;       /* [n_blocks] every row on its side */
    double *g, *d, *v_new; /* [dim] */
    double *h, *row_w;     /* [dim][dim]; [n] */
    double norm;           /* 1-norm of H */
    int keep_factor;
    double *bound;      /* [p + 1][p + 1] factor, or its diagonal */
    double *cg;         /* [4][dim] */
    const double *from; /* what a pass reads: parameters or a direction */
    double *out;
    const double *sums_of; /* [n_out][n] */
};

/* ---- passes over rows ---- */
/* eta of rows [i0, i0 + n), n <= STRIP: [n_out][STRIP] */
static void eta_strip(const struct newton *t, const double *v, int64_t i0, int64_t n,
                      double *eta)
{
    const struct softmax_problem *q = t->q;
    for (int k = 0; k < q->n_out; k++) {
        double *e = eta + k * STRIP;
        double b = v[(int64_t)q->n_out * q->p + k];
        for (int64_t i = 0; i < n; i++) e[i] = b;
        for (int j = 0; j < q->p; j++)
            t->simd->axpy(v[(int64_t)k * q->p + j], q->z[j] + i0, e, n);
    }
}

/* Two classes: m = -margin, loss = log(1 + e^m), s = 1/(1 + e^-m) the share of the other class. */
static double binary_strip(const struct newton *t, int64_t i0, int64_t n, double *eta,
                           uint8_t *parted)
{
    const struct softmax_problem *q = t->q;
    double s[STRIP];
    for (int64_t i = 0; i < n; i++) eta[i] = q->k[i0 + i] == 1 ? -eta[i] : eta[i];
    t->simd->vexpit(eta, s, n);
    t->simd->vlogaddexp0(eta, eta, n);
    for (int64_t i = 0; i < n; i++) {
        double w = q->w ? q->w[i0 + i] : 1.0;
        *parted &= s[i] < 0.5;
        t->res[i0 + i] = q->k[i0 + i] == 1 ? -w * s[i] : w * s[i];
        t->prob[i0 + i] = w * s[i] * (1.0 - s[i]);
    }
    return q->w ? t->simd->dot(eta, q->w + i0, n) : t->simd->sum(eta, n);
}

static double many_strip(const struct newton *t, int64_t i0, int64_t n, double *eta,
                         uint8_t *parted)
{
    const struct softmax_problem *q = t->q;
    double top[STRIP], sum[STRIP];
    memcpy(top, eta, sizeof top);
    for (int k = 1; k < q->n_out; k++)
        for (int64_t i = 0; i < n; i++)
            top[i] = eta[k * STRIP + i] > top[i] ? eta[k * STRIP + i] : top[i];
    for (int64_t i = 0; i < n; i++) sum[i] = 0;
    for (int k = 0; k < q->n_out; k++) {
        double *p = t->prob + (int64_t)k * q->n + i0;
        for (int64_t i = 0; i < n; i++) eta[k * STRIP + i] -= top[i];
        t->simd->vexp(eta + k * STRIP, p, n);
        for (int64_t i = 0; i < n; i++) sum[i] += p[i];
    }
    t->simd->vlog(sum, top, n);
    for (int64_t i = 0; i < n; i++) {
        double own = eta[q->k[i0 + i] * STRIP + i];
        top[i] -= own;
        *parted &= own == 0;
    }
    for (int k = 0; k < q->n_out; k++)
        for (int64_t i = 0; i < n; i++) {
            int64_t at = (int64_t)k * q->n + i0 + i;
            double p = t->prob[at] / sum[i], w = q->w ? q->w[i0 + i] : 1.0;
            t->prob[at] = p;
            t->res[at] = w * (q->k[i0 + i] == k ? p - 1.0 : p);
        }
    return q->w ? t->simd->dot(top, q->w + i0, n) : t->simd->sum(top, n);
}

static int64_t block_rows(const struct newton *t, int64_t block)
{
    int64_t left = t->q->n - block * PAR_BLOCK;
    return left < PAR_BLOCK ? left : PAR_BLOCK;
}

static void loss_task(void *arg, int64_t block, int worker)
{
    struct newton *t = arg;
    double *eta = t->out + (int64_t)worker * t->q->n_out * STRIP, total = 0;
    uint8_t parted = 1;
    for (int64_t r = 0; r < block_rows(t, block); r += STRIP) {
        int64_t i0 = block * PAR_BLOCK + r, n = block_rows(t, block) - r;
        n = n < STRIP ? n : STRIP;
        eta_strip(t, t->from, i0, n, eta);
        total += t->q->n_out == 1 ? binary_strip(t, i0, n, eta, &parted)
                                  : many_strip(t, i0, n, eta, &parted);
    }
    t->loss[block] = total;
    t->parted[block] = parted;
}

/* Objective at v; probabilities and residuals stay behind. */
static tide_status objective(struct newton *t, const double *v, double *f,
                             tide_error *err)
{
    const struct softmax_problem *q = t->q;
    double part[PAR_SHARDS] = {0}, penalty = 0;
    t->from = v;
    tide_status st = par_for(q->ctx, t->n_blocks, loss_task, t, err);
    if (st != TIDE_OK) return st;
    for (int s = 0; s < PAR_SHARDS; s++)
        for (int64_t b = par_shard_begin(t->n_blocks, s);
             b < par_shard_begin(t->n_blocks, s + 1); b++)
            part[s] += t->loss[b];
    par_tree_fold(part, 1);
    for (int k = 0; k < q->n_out; k++)
        for (int j = 0; j < q->p; j++) {
            double c = v[(int64_t)k * q->p + j];
            penalty += q->penalty[j] * c * c;
        }
    *f = part[0] + 0.5 * penalty;
    return TIDE_OK;
}

/* out [dim] = sums of columns against t->sums_of, one task a number. */
static void sum_task(void *arg, int64_t task, int worker)
{
    const struct newton *t = arg;
    const struct softmax_problem *q = t->q;
    int k = (int)(task / (q->p + 1)), j = (int)(task % (q->p + 1));
    const double *r = t->sums_of + (int64_t)k * q->n;
    double s = 0;
    (void)worker;
    for (int64_t b = 0; b < t->n_blocks; b++) {
        int64_t i0 = b * PAR_BLOCK, n = block_rows(t, b);
        s += j < q->p ? t->simd->dot(q->z[j] + i0, r + i0, n) : t->simd->sum(r + i0, n);
    }
    t->out[j < q->p ? (int64_t)k * q->p + j : (int64_t)q->n_out * q->p + k] = s;
}

static tide_status column_sums(struct newton *t, const double *rows, const double *v,
                               double *out, tide_error *err)
{
    const struct softmax_problem *q = t->q;
    double *keep = t->out;
    t->sums_of = rows;
    t->out = out;
    tide_status st = par_for(q->ctx, (int64_t)q->n_out * (q->p + 1), sum_task, t, err);
    t->out = keep;
    for (int k = 0; k < q->n_out; k++)
        for (int j = 0; j < q->p; j++)
            out[(int64_t)k * q->p + j] += q->penalty[j] * v[(int64_t)k * q->p + j];
    return st;
}

/* ---- the whole Hessian ---- */
static int64_t place(const struct softmax_problem *q, int k, int j)
{
    return j < q->p ? (int64_t)k * q->p + j : (int64_t)q->n_out * q->p + k;
}

static tide_status hessian_block(struct newton *t, int k, int l, double *g,
                                 tide_error *err)
{
    const struct softmax_problem *q = t->q;
    const double *pk = t->prob + (int64_t)k * q->n, *pl = t->prob + (int64_t)l * q->n;
    const double *w = t->prob;
    if (q->n_out > 1) {
        w = t->row_w;
        for (int64_t i = 0; i < q->n; i++)
            t->row_w[i] =
                (q->w ? q->w[i] : 1.0) * pk[i] * (k == l ? 1.0 - pl[i] : -pl[i]);
    }
    tide_status st =
        linalg_gram(q->ctx, t->col, q->n, q->p + 1, w, NULL, NULL, 0, g, NULL, err);
    for (int i = 0; st == TIDE_OK && i <= q->p; i++)
        for (int j = 0; j <= q->p; j++) {
            int64_t a = place(q, k, i), b = place(q, l, j);
            t->h[a * t->dim + b] = t->h[b * t->dim + a] =
                g[(int64_t)i * (q->p + 1) + j];
        }
    return st;
}

static tide_status hessian(struct newton *t, double *g, tide_error *err)
{
    const struct softmax_problem *q = t->q;
    for (int k = 0; k < q->n_out; k++)
        for (int l = k; l < q->n_out; l++) {
            tide_status st = hessian_block(t, k, l, g, err);
            if (st != TIDE_OK) return st;
        }
    for (int j = 0; j <= q->p && q->n_out > 1; j++) {
        double c = 0; /* the directions in which all rows move together */
        for (int k = 0; k < q->n_out; k++) c += t->h[place(q, k, j) * (t->dim + 1)];
        c /= q->n_out;
        for (int k = 0; k < q->n_out; k++)
            for (int l = 0; l < q->n_out; l++)
                t->h[place(q, k, j) * t->dim + place(q, l, j)] += c;
    }
    for (int k = 0; k < q->n_out; k++)
        for (int j = 0; j < q->p; j++)
            t->h[place(q, k, j) * (t->dim + 1)] += q->penalty[j];
    return TIDE_OK;
}

/* Factors H; one that is singular gets a growing share of its diagonal on top. */
static tide_status factor_hessian(struct newton *t, struct arena *a, tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    int dim = (int)t->dim, p1 = t->q->p + 1, bad = 1;
    double *g = arena_array(a, (int64_t)p1 * p1, sizeof *g), more = 0;
    if (!g) return arena_status(a, err);
    while (bad && more < 1) {
        tide_status st = hessian(t, g, err); /* anew: a factor overwrote it */
        if (st != TIDE_OK) return st;
        t->norm = 0;
        for (int i = 0; i < dim; i++) {
            double s = 0;
            for (int j = 0; j < dim; j++) s += fabs(t->h[(int64_t)i * dim + j]);
            t->norm = s > t->norm ? s : t->norm;
        }
        for (int i = 0; i < dim; i++) t->h[(int64_t)i * (dim + 1)] += more * t->norm;
        bad = linalg_cholesky(t->h, dim);
        more = more > 0 ? more * 100 : 1e-12;
    }
    arena_reset(a, mark);
    return TIDE_OK;
}

/* d = H^-1 g. Near the optimum the last factor serves again, as long as steps shrink. */
static tide_status direct_step(struct newton *t, struct arena *a, tide_error *err)
{
    tide_status st = t->keep_factor ? TIDE_OK : factor_hessian(t, a, err);
    memcpy(t->d, t->g, (size_t)t->dim * sizeof *t->d);
    if (st == TIDE_OK) linalg_cholesky_solve(t->h, (int)t->dim, t->d);
    return st;
}

/* ---- conjugate gradients ---- */
static void product_task(void *arg, int64_t block, int worker)
{
    struct newton *t = arg;
    const struct softmax_problem *q = t->q;
    double *eta = t->out + (int64_t)worker * q->n_out * STRIP;
    for (int64_t r = 0; r < block_rows(t, block); r += STRIP) {
        int64_t i0 = block * PAR_BLOCK + r, n = block_rows(t, block) - r;
        double mean[STRIP] = {0};
        n = n < STRIP ? n : STRIP;
        eta_strip(t, t->from, i0, n, eta);
        for (int k = 0; k < q->n_out && q->n_out > 1; k++)
            for (int64_t i = 0; i < n; i++)
                mean[i] += t->prob[(int64_t)k * q->n + i0 + i] * eta[k * STRIP + i];
        for (int k = 0; k < q->n_out; k++)
            for (int64_t i = 0; i < n; i++) {
                double w = q->n_out > 1 && q->w ? q->w[i0 + i] : 1.0;
                int64_t at = (int64_t)k * q->n + i0 + i;
                t->res[at] = w * t->prob[at] * (eta[k * STRIP + i] - mean[i]);
            }
    }
}

static tide_status hessian_times(struct newton *t, const double *v, double *out,
                                 tide_error *err)
{
    t->from = v;
    tide_status st = par_for(t->q->ctx, t->n_blocks, product_task, t, err);
    return st == TIDE_OK ? column_sums(t, t->res, v, out, err) : st;
}

/* Boehning's bound: every block is at most 1/2 (two classes: 1/4) of the weighted Gram. */
static tide_status make_bound(struct newton *t, struct arena *a, tide_error *err)
{
    const struct softmax_problem *q = t->q;
    int p1 = q->p + 1;
    double share = q->n_out > 1 ? 0.5 : 0.25;
    int whole = q->p <= PRECOND_LIMIT;
    t->bound = arena_array(a, whole ? (int64_t)p1 * p1 : p1, sizeof *t->bound);
    if (!t->bound) return arena_status(a, err);
    for (int j = 0; j < p1 && !whole; j++) {
        double s = 0;
        for (int64_t i = 0; i < q->n; i++)
            s += (q->w ? q->w[i] : 1.0) * t->col[j][i] * t->col[j][i];
        t->bound[j] = share * s + (j < q->p ? q->penalty[j] : 0.0);
    }
    if (!whole) return TIDE_OK;
    tide_status st =
        linalg_gram(q->ctx, t->col, q->n, p1, q->w, NULL, NULL, 0, t->bound, NULL, err);
    if (st != TIDE_OK) return st;
    for (int i = 0; i < p1; i++)
        for (int j = 0; j < p1; j++) {
            double *b = &t->bound[(int64_t)i * p1 + j];
            *b = share * *b;
            if (i == j) *b = *b * (1 + 1e-10) + (j < q->p ? q->penalty[j] : 0.0);
        }
    return linalg_cholesky(t->bound, p1) == 0
               ? TIDE_OK
               : err_set(err, TIDE_CODE_NUMERIC_DIVERGED,
                         "the columns of logistic depend on each other");
}

static void precondition(const struct newton *t, const double *r, double *out)
{
    const struct softmax_problem *q = t->q;
    double *s = t->cg + 3 * t->dim;
    for (int k = 0; k < q->n_out; k++) {
        for (int j = 0; j <= q->p; j++) s[j] = r[place(q, k, j)];
        if (q->p <= PRECOND_LIMIT)
            linalg_cholesky_solve(t->bound, q->p + 1, s);
        else
            for (int j = 0; j <= q->p; j++) s[j] /= t->bound[j];
        for (int j = 0; j <= q->p; j++) out[place(q, k, j)] = s[j];
    }
}

/* d with |H d - g| below `share` of |g|, both in the norm of the bound. */
static tide_status cg_step(struct newton *t, double share, tide_error *err)
{
    double *r = t->cg, *s = r + t->dim, *hs = s + t->dim, *z = t->v_new;
    memset(t->d, 0, (size_t)t->dim * sizeof *t->d);
    memcpy(r, t->g, (size_t)t->dim * sizeof *r);
    precondition(t, r, z);
    memcpy(s, z, (size_t)t->dim * sizeof *s);
    double rz = t->simd->dot(r, z, t->dim), first = rz;
    for (int it = 0; it < 250 && rz > share * share * first && rz > 0; it++) {
        tide_status st = hessian_times(t, s, hs, err);
        if (st != TIDE_OK) return st;
        double curve = t->simd->dot(s, hs, t->dim);
        if (!(curve > 0)) break;
        t->simd->axpy(rz / curve, s, t->d, t->dim);
        t->simd->axpy(-rz / curve, hs, r, t->dim);
        precondition(t, r, z);
        double next = t->simd->dot(r, z, t->dim), beta = next / rz;
        for (int64_t i = 0; i < t->dim; i++) s[i] = z[i] + beta * s[i];
        rz = next;
    }
    return TIDE_OK;
}

/* ---- the loop ---- */
static int all_parted(const struct newton *t)
{
    int all = 1;
    for (int64_t b = 0; b < t->n_blocks; b++) all &= t->parted[b];
    return all;
}

/* v -= step d, halved until the objective falls. *moved 0: it never did. */
static tide_status line_search(struct newton *t, double fall, double *f, int *moved,
                               tide_error *err)
{
    double *v = t->q->theta, step = 1;
    *moved = 0;
    for (int half = 0; half < 40 && !*moved; half++, step *= 0.5) {
        double next;
        for (int64_t i = 0; i < t->dim; i++) t->v_new[i] = v[i] - step * t->d[i];
        tide_status st = objective(t, t->v_new, &next, err);
        if (st != TIDE_OK) return st;
        /* fall 0: the last step, whose gain is below the sums' rounding */
        if (!(next <= *f - 1e-4 * step * fall + (fall == 0 ? 1e-13 * *f : 0))) continue;
        memcpy(v, t->v_new, (size_t)t->dim * sizeof *v);
        *f = next;
        *moved = 1;
    }
    return TIDE_OK;
}

/* Is some row sure of its class beyond e^-20? */
static int some_row_is_sure(const struct newton *t)
{
    const struct softmax_problem *q = t->q;
    for (int64_t i = 0; i < q->n; i++) {
        double most = 0, w = q->w ? q->w[i] : 1.0;
        for (int k = 0; k < q->n_out; k++) {
            double p = t->prob[(int64_t)k * q->n + i];
            most = p > most ? p : most;
        }
        if (q->n_out == 1 ? most / w < 2e-9 : most > 1 - 2e-9) return 1;
    }
    return 0;
}

static tide_status newton_loop(struct newton *t, struct arena *a, tide_error *err)
{
    struct softmax_problem *q = t->q;
    double f, share = 0.1, before = 0;
    tide_status st = objective(t, q->theta, &f, err);
    for (q->iterations = 0; st == TIDE_OK && q->iterations < q->max_iter;
         q->iterations++) {
        int moved;
        char text[64];
        str_format(text, sizeof text, "objective %.8r", f);
        st = ctx_progress(q->ctx, q->phase ? q->phase : "fitting", q->iterations,
                          q->max_iter, text, err);
        if (st == TIDE_OK) st = column_sums(t, t->res, q->theta, t->g, err);
        if (st == TIDE_OK) st = t->h ? direct_step(t, a, err) : cg_step(t, share, err);
        if (st != TIDE_OK) break;
        double fall = t->simd->dot(t->g, t->d, t->dim);
        if (!(fall > 0) || !(fall < (double)INFINITY)) {
            q->converged = fall == 0 || fabs(fall) <= q->tol * f;
            break;
        }
        share = sqrt(fall / f) < 0.1 ? sqrt(fall / f) : 0.1;
        /* a kept factor converges linearly: it goes on until nothing is left */
        int small = 0.5 * fall <= q->tol * f;
        int last = small && (!t->keep_factor || 0.5 * fall <= 1e-8 * q->tol * f);
        t->keep_factor = t->keep_factor ? fall < 1e-2 * before : fall < 1e-4 * f;
        before = fall;
        st = line_search(t, small ? 0 : fall, &f, &moved, err);
        if (st != TIDE_OK) break;
        if (last || !moved) { /* no step falls: the sums' last digits are reached */
            q->converged = small || 0.5 * fall <= 1e-9 * f;
            if (!moved) st = objective(t, q->theta, &f, err);
            break;
        }
        if (q->no_penalty && all_parted(t) && f < 1e-3 * (double)q->n) {
            q->separated = 1;
            break;
        }
    }
    if (st == TIDE_OK && q->no_penalty && t->h && q->iterations > 0 &&
        some_row_is_sure(t) && linalg_cholesky_rcond(t->h, (int)t->dim, t->norm) < 1e-9)
        q->separated = 1;
    q->objective = f;
    return st;
}

tide_status softmax_newton(struct softmax_problem *q, struct arena *a, tide_error *err)
{
    struct newton t = {.q = q, .simd = simd_get(q->ctx)};
    int full = (int64_t)q->n_out * q->p <= FULL_LIMIT;
    t.dim = (int64_t)q->n_out * (q->p + 1);
    t.n_blocks = (q->n + PAR_BLOCK - 1) / PAR_BLOCK;
    t.col = arena_array(a, q->p + 1, sizeof *t.col);
    t.prob = arena_array(a, q->n * q->n_out, sizeof *t.prob);
    t.res = arena_array(a, q->n * q->n_out, sizeof *t.res);
    t.loss = arena_array(a, t.n_blocks, sizeof *t.loss);
    t.parted = arena_array(a, t.n_blocks, 1);
    t.g = arena_array(a, 3 * t.dim, sizeof *t.g);
    t.out =
        arena_array(a, (int64_t)par_threads(q->ctx) * q->n_out * STRIP, sizeof *t.out);
    if (full)
        t.h = arena_array(a, t.dim * t.dim, sizeof *t.h);
    else
        t.cg = arena_array(a, 4 * t.dim, sizeof *t.cg);
    if (full && q->n_out > 1) t.row_w = arena_array(a, q->n, sizeof *t.row_w);
    if (arena_status(a, NULL)) return arena_status(a, err);
    t.d = t.g + t.dim;
    t.v_new = t.d + t.dim;
    for (int j = 0; j < q->p; j++) t.col[j] = q->z[j];
    t.col[q->p] = q->ones;
    tide_status st = full ? TIDE_OK : make_bound(&t, a, err);
    return st == TIDE_OK ? newton_loop(&t, a, err) : st;
}
