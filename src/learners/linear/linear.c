/* linear.c - columns as standardised numbers, coefficients as state, scores of linear models */
#include "learners/linear/linear.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "math/special.h"
#include "simd/simd.h"

#define STRIP 256 /* rows scored at a time */

/* ---- columns ---- */
struct column_job {
    struct tide_ctx *ctx;
    double *x; /* [p][n], made z in place */
    const double *w;
    int64_t n;
    int centre;
    double *mean, *unit, *sd, *average;
    uint8_t *constant;
};

static double power_of_two(double v) /* 2^e <= v < 2^(e+1) */
{
    int e;
    if (!(v > 0)) return 1.0;
    (void)frexp(v, &e);
    return ldexp(1.0, e > 1000 ? 1000 : e < -1000 ? -1000 : e - 1);
}

static void column_task(void *arg, int64_t j, int worker)
{
    const struct column_job *job = arg;
    double *x = job->x + j * job->n;
    struct spread s;
    (void)worker;
    spread_of(simd_get(job->ctx), x, job->w, job->n, &s);
    double unit = s.sd > 0 ? power_of_two(s.sd) : power_of_two(s.top);
    double big = unit > 1 ? 1.0 / unit : 1.0, mean = job->centre ? s.mean : 0.0;
    double rest =
        big < 1 ? 1.0 : unit; /* one of the two is 1: nothing overflows or is lost */
    for (int64_t i = 0; i < job->n; i++) x[i] = (x[i] * big - mean * big) / rest;
    job->constant[j] = !(s.sd > 0);
    job->sd[j] = s.sd;
    job->average[j] = s.mean;
    job->mean[j] = mean;
    job->unit[j] = unit;
}

static tide_status keep_varying(struct linear_design *d, const struct column_job *job,
                                struct arena *a, tide_error *err)
{
    d->from = arena_array(a, d->p_all, sizeof *d->from);
    d->z = arena_array(a, d->p_all, sizeof *d->z);
    d->ones = arena_array(a, d->n, sizeof *d->ones);
    if (arena_status(a, NULL)) return arena_status(a, err);
    for (int64_t i = 0; i < d->n; i++) d->ones[i] = 1;
    for (int j = 0; j < d->p_all; j++) {
        if (job->constant[j] && (job->centre || job->x[(int64_t)j * d->n] == 0))
            continue;
        d->from[d->p] = j;
        d->z[d->p] = job->x + (int64_t)j * d->n;
        d->unit[d->p] = job->unit[j];
        d->mean[d->p++] = job->mean[j];
    }
    return TIDE_OK;
}

tide_status linear_open(struct tide_ctx *ctx, const struct fit_data *d, int centre,
                        struct arena *a, struct linear_design *out, tide_error *err)
{
    int p = d->x->n_cols;
    *out = (struct linear_design){.n = d->x->n_rows, .p_all = p};
    struct column_job job = {.ctx = ctx, .w = d->w, .n = out->n, .centre = centre};
    if (out->n < 1)
        return err_set(err, TIDE_CODE_DATA_NO_ROWS, "there are no rows to learn from");
    job.x = view_matrix(ctx, d->x, a);
    out->mean = job.mean = arena_array(a, p, sizeof *job.mean);
    out->unit = job.unit = arena_array(a, p, sizeof *job.unit);
    out->sd = job.sd = arena_array(a, p, sizeof *job.sd);
    out->average = job.average = arena_array(a, p, sizeof *job.average);
    job.constant = arena_array(a, p, 1);
    tide_status st = arena_status(a, err);
    if (st == TIDE_OK) st = par_for(ctx, p, column_task, &job, err);
    return st == TIDE_OK ? keep_varying(out, &job, a, err) : st;
}

/* ---- state ---- */
tide_status linear_store(const struct linear_design *m, const char *learner, int n_out,
                         const double *theta, const double *intercept,
                         struct state *out, tide_error *err)
{
    double *coef = state_new(out, "DENSE", "coef", STATE_F64, n_out, m->p_all, 1);
    double *at_zero = state_new(out, "DENSE", "intercept", STATE_F64, n_out, 1, 1);
    double *sd = state_new(out, "DENSE", "sd", STATE_F64, m->p_all, 1, 1);
    double *mean = state_new(out, "DENSE", "mean", STATE_F64, m->p_all, 1, 1);
    if (!coef || !at_zero || !sd || !mean) return arena_status(out->arena, err);
    for (int j = 0; j < m->p_all; j++) sd[j] = isfinite(m->sd[j]) ? m->sd[j] : 0x1p1023;
    for (int j = 0; j < m->p_all; j++)
        mean[j] = isfinite(m->average[j]) ? m->average[j] : 0;
    for (int k = 0; k < n_out; k++) {
        double b = intercept[k];
        int finite = 1;
        for (int j = 0; j < m->p; j++) {
            double c = theta[(int64_t)k * m->p + j] / m->unit[j];
            coef[(int64_t)k * m->p_all + m->from[j]] = c;
            b -= c * m->mean[j];
            finite &= isfinite(c);
        }
        at_zero[k] = b;
        if (finite && isfinite(b)) continue;
        err_set(err, TIDE_CODE_NUMERIC_DIVERGED,
                "the coefficients of %s are not finite", learner);
        return err_hint(err, "", "scale:standard");
    }
    return TIDE_OK;
}

tide_status linear_load(const struct state *s, int n_out, int32_t n_cols,
                        const uint32_t *n_levels, struct arena *a,
                        struct linear_model **out, tide_error *err)
{
    const struct state_array *coef, *intercept, *sd;
    *out = NULL;
    tide_status st = state_need(s, "coef", STATE_F64, n_out, n_cols, &coef, err);
    if (st == TIDE_OK)
        st = state_need(s, "intercept", STATE_F64, n_out, 1, &intercept, err);
    if (st == TIDE_OK) st = state_need(s, "sd", STATE_F64, n_cols, 1, &sd, err);
    /* files of before have no means */
    const struct state_array *mean = state_find(s, "mean");
    if (st == TIDE_OK && mean)
        st = state_need(s, "mean", STATE_F64, n_cols, 1, &mean, err);
    if (st != TIDE_OK) return st;
    for (int32_t j = 0; j < n_cols; j++) {
        if (n_levels[j])
            return err_set(
                err, TIDE_CODE_TIDE_FEATURE,
                "a linear model takes numbers and column %d holds categories", j + 1);
        if (((const double *)sd->data)[j] < 0)
            return err_set(err, TIDE_CODE_TIDE_VALUE,
                           "array 'sd' holds a negative number");
    }
    struct linear_model *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    *m = (struct linear_model){n_cols,          n_out,    coef->data,
                               intercept->data, sd->data, mean ? mean->data : NULL};
    *out = m;
    return TIDE_OK;
}

/* ---- scores ---- */

/* A score whose terms leave the range of doubles, or cancel out there: summed 2^-1060 as
 * large, then the nearest finite number. */
static double far_score(const struct linear_model *m, const struct view *x, int64_t i,
                        int k)
{
    const double down = 0x1p-530, up = 0x1p530;
    double v, s = m->intercept[k] * down * down;
    for (int j = 0; j < m->p; j++) {
        view_numbers(x, j, i, 1, &v);
        s += m->coef[(int64_t)k * m->p + j] * down * (v * down);
    }
    s = s * up * up;
    return s > DBL_MAX ? DBL_MAX : s < -DBL_MAX ? -DBL_MAX : s;
}

void linear_scores(const struct linear_model *m, const struct view *x, int64_t i0,
                   int64_t n, double *eta)
{
    double v[STRIP];
    for (int64_t r = 0; r < n; r += STRIP) {
        int64_t rows = n - r < STRIP ? n - r : STRIP;
        double *to = eta + r * m->n_out;
        for (int64_t i = 0; i < rows; i++)
            for (int k = 0; k < m->n_out; k++) to[i * m->n_out + k] = m->intercept[k];
        for (int j = 0; j < m->p; j++) {
            view_numbers(x, j, i0 + r, rows, v);
            for (int k = 0; k < m->n_out; k++) {
                double c = m->coef[(int64_t)k * m->p + j];
                for (int64_t i = 0; i < rows; i++) to[i * m->n_out + k] += c * v[i];
            }
        }
        for (int64_t i = 0; i < rows; i++)
            for (int k = 0; k < m->n_out; k++)
                if (!isfinite(to[i * m->n_out + k]))
                    to[i * m->n_out + k] = far_score(m, x, i0 + r + i, k);
    }
}

void linear_form_of(const struct linear_model *m, struct linear_form *out)
{
    *out = (struct linear_form){.n_out = m->n_out,
                                .p = m->p,
                                .coef = m->coef,
                                .intercept = m->intercept,
                                .mean = m->mean};
}

void linear_importance(const struct linear_model *m, double *out)
{
    double total = 0, top = 0;
    for (int j = 0; j < m->p; j++) top = m->sd[j] > top ? m->sd[j] : top;
    double s = top > 0 ? 1.0 / power_of_two(top) : 0.0; /* no overflow */
    for (int j = 0; j < m->p; j++) {
        out[j] = 0;
        for (int k = 0; k < m->n_out; k++)
            out[j] += fabs(m->coef[(int64_t)k * m->p + j]) * (m->sd[j] * s);
        total += out[j];
    }
    for (int j = 0; j < m->p; j++)
        out[j] = total > 0 && isfinite(total) ? out[j] / total : 0.0;
}
