/* scale_standard.c - numbers less their mean, over their standard deviation
 *
 * Problem       columns of mean 0 and deviation 1 (divisor: the weights' sum)
 * Method        two passes over shifted values; a deviation <= 2 ulp of the largest |x| is constant and becomes 0
 * Cost          three passes over a column
 * Order         strips of 512 rows in order, lanes fixed: same bytes for any threads and instruction set
 * Missing       left out of mean and deviation, stays missing
 * Differs from  scikit-learn StandardScaler: yes/no columns (one-hot ones too) stay 0 and 1 unless bools=yes, since a
 *               penalty should not weigh rare levels as if they were as common as others
 * Guide         Q14
 */
#include <float.h>
#include <math.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "math/special.h"
#include "prep/column_make.h"
#include "simd/simd.h"
#include "spec/step.h"

struct scale_standard_params {
    int32_t bools;
};
static const struct tide_param scale_standard_rows[] = {
    P_BOOL(scale_standard_params, bools, "no", .help = "scale yes/no columns too"),
};

struct scale_job {
    const struct fit_data *d;
    const struct simd_table *simd;
    double *buf; /* per worker: [n] */
    double *mean, *sd;
    const uint8_t *keep;
};

static void scale_task(void *arg, int64_t j, int worker)
{
    const struct scale_job *job = arg;
    const struct view *x = job->d->x;
    double *v = job->buf + (int64_t)worker * x->n_rows;
    struct spread s;
    if (job->keep[j]) return;
    view_numbers(x, (int)j, 0, x->n_rows, v);
    spread_of(job->simd, v, job->d->w, x->n_rows, &s);
    job->mean[j] = s.mean;
    job->sd[j] = isfinite(s.sd) ? s.sd : DBL_MAX;
}

static tide_status scale_standard_fit(struct tide_ctx *ctx, const void *params,
                                      const struct fit_data *d, struct state *out,
                                      tide_error *err)
{
    const struct scale_standard_params *p = params;
    int n_cols = d->x->n_cols;
    struct arena a;
    struct scale_job job = {.d = d, .simd = simd_get(ctx)};
    uint8_t *keep = state_new(out, "STEP", "keep", STATE_U8, n_cols, 1, 1);
    job.mean = state_new(out, "STEP", "mean", STATE_F64, n_cols, 1, 1);
    job.sd = state_new(out, "STEP", "sd", STATE_F64, n_cols, 1, 1);
    if (!keep || !job.mean || !job.sd) return arena_status(out->arena, err);
    for (int j = 0; j < n_cols; j++)
        keep[j] = !p->bools && d->x->cols[j]->type == TIDE_BOOL;
    job.keep = keep;
    arena_init(&a, ctx);
    int64_t cells = 0;
    if (__builtin_mul_overflow(d->x->n_rows, (int64_t)par_threads(ctx), &cells))
        cells = INT64_MAX;
    job.buf = arena_array(&a, cells ? cells : 1, sizeof *job.buf);
    tide_status st = arena_status(&a, err);
    if (st == TIDE_OK) st = par_for(ctx, n_cols, scale_task, &job, err);
    arena_free(&a);
    return st;
}

struct scale_standard {
    int n_cols;
    const double *mean, *sd;
    const uint8_t *keep;
};

static tide_status scale_standard_load(const struct state *s, int32_t n_cols,
                                       const uint32_t *n_levels, struct arena *a,
                                       void **object, tide_error *err)
{
    const struct state_array *mean, *sd, *keep;
    *object = NULL;
    tide_status st = make_numbers_only(n_levels, n_cols, "scale:standard", err);
    if (st == TIDE_OK) st = state_need(s, "mean", STATE_F64, n_cols, 1, &mean, err);
    if (st == TIDE_OK) st = state_need(s, "sd", STATE_F64, n_cols, 1, &sd, err);
    if (st == TIDE_OK) st = state_need(s, "keep", STATE_U8, n_cols, 1, &keep, err);
    if (st != TIDE_OK) return st;
    for (int32_t j = 0; j < n_cols; j++)
        if (((const double *)sd->data)[j] < 0)
            return err_set(err, TIDE_CODE_TIDE_VALUE,
                           "array 'sd' holds a negative number");
    struct scale_standard *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    *m = (struct scale_standard){n_cols, mean->data, sd->data, keep->data};
    *object = m;
    return TIDE_OK;
}

static tide_status scale_column(const struct view *x, int j, double mean, double sd,
                                struct arena *a, const struct column **out,
                                tide_error *err)
{
    struct column *c = make_column(a, x->cols[j]->name, TIDE_F64, x->n_rows);
    if (!c) return arena_status(a, err);
    double *v = make_f64(c), s = sd > 1e300 || fabs(mean) > 1e300 ? 0x1p-8 : 1.0;
    view_numbers(x, j, 0, x->n_rows, v);
    for (int64_t i = 0; i < x->n_rows; i++) {
        if (v[i] != v[i]) {
            c->n_missing++;
            continue;
        }
        double z = sd > 0 ? (v[i] * s - mean * s) / (sd * s) : 0.0;
        v[i] = z > DBL_MAX    ? DBL_MAX
               : z < -DBL_MAX ? -DBL_MAX
                              : z; /* no infinity enters a column */
    }
    *out = c;
    return TIDE_OK;
}

static tide_status scale_standard_apply(struct tide_ctx *ctx, const void *object,
                                        const struct view *x, struct arena *a,
                                        struct step_out *out, tide_error *err)
{
    const struct scale_standard *m = object;
    (void)ctx;
    tide_status st = make_outputs(a, m->n_cols, out, err);
    for (int j = 0; st == TIDE_OK && j < m->n_cols; j++) {
        make_from(out, j, j);
        st = m->keep[j]
                 ? make_passed(x, j, a, &out->cols[j], err)
                 : scale_column(x, j, m->mean[j], m->sd[j], a, &out->cols[j], err);
    }
    return st;
}

const struct tide_step tide_step_scale_standard = {
    .name = "scale:standard",
    .title = "Numbers to mean 0 and deviation 1",
    .camel = "ScaleStandard",
    .guide = "Q14",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS | TIDE_ANOMALY,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_WEIGHTS,
    .params = TIDE_TABLE(scale_standard_rows, scale_standard_params),
    .takes = STEP_NUMERIC,
    .fit = scale_standard_fit,
    .load = scale_standard_load,
    .apply = scale_standard_apply,
};
