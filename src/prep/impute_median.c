/* impute_median.c - missing numbers become the column's median
 *
 * Problem       a value for cells that are missing
 * Method        weighted median of what is there; where exactly half the weight lies on both sides, the middle
 * Cost          a sort of each column
 * Order         a sort and sums of weights in row order of equal values: same bytes for any threads
 * Missing       indicator=yes adds <column>_missing for columns that had gaps in training; a column of gaps only gets 0
 * Differs from  scikit-learn SimpleImputer(strategy="median"): a column of gaps only stays (as 0)
 * Guide         Q13
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "math/sort.h"
#include "prep/column_make.h"
#include "spec/step.h"

struct impute_median_params {
    int32_t indicator;
};
static const struct tide_param impute_median_rows[] = {
    P_BOOL(impute_median_params, indicator, "no",
           .help = "add a column <name>_missing where training rows had gaps",
           .alias = "add_indicator"),
};

struct median_job {
    const struct fit_data *d;
    struct arena *arena; /* per worker */
    double *value;
    uint8_t *gaps;
};

static void median_column(struct median_job *job, int j, struct arena *a)
{
    const struct view *x = job->d->x;
    int64_t n = x->n_rows, m = 0, i = 0;
    double *v = arena_array(a, n, sizeof *v), *w = arena_array(a, n, sizeof *w),
           total = 0, below = 0;
    uint32_t *idx = arena_array(a, n, sizeof *idx);
    if (!v || !w || !idx) return;
    view_numbers(x, j, 0, n, v);
    for (int64_t r = 0; r < n; r++) {
        if (v[r] != v[r]) continue;
        w[m] = job->d->w ? job->d->w[r] : 1.0;
        total += w[m];
        v[m++] = v[r];
    }
    job->gaps[j] = m < n;
    if (m == 0 || sort_index_f64(a, v, m, idx)) return;
    for (; i < m - 1; i++) {
        below += w[idx[i]];
        if (below >= 0.5 * total) break;
    }
    job->value[j] = v[idx[i]];
    if (i + 1 < m && below == 0.5 * total)
        job->value[j] = 0.5 * v[idx[i]] + 0.5 * v[idx[i + 1]];
}

static void median_task(void *arg, int64_t j, int worker)
{
    struct median_job *job = arg;
    struct arena *a = &job->arena[worker];
    struct arena_mark mark = arena_mark(a);
    median_column(job, (int)j, a);
    arena_reset(a, mark);
}

static tide_status impute_median_fit(struct tide_ctx *ctx, const void *params,
                                     const struct fit_data *d, struct state *out,
                                     tide_error *err)
{
    const struct impute_median_params *p = params;
    int n_cols = d->x->n_cols, n_arenas = par_threads(ctx);
    struct arena a;
    struct median_job job = {.d = d};
    job.value = state_new(out, "STEP", "value", STATE_F64, n_cols, 1, 1);
    uint8_t *indicate = state_new(out, "STEP", "indicate", STATE_U8, n_cols, 1, 1);
    if (!job.value || !indicate) return arena_status(out->arena, err);
    arena_init(&a, ctx);
    job.gaps = arena_zero(&a, (size_t)n_cols + 1);
    job.arena = arena_array(&a, n_arenas, sizeof *job.arena);
    tide_status st = arena_status(&a, err);
    for (int i = 0; st == TIDE_OK && i < n_arenas; i++) arena_init(&job.arena[i], ctx);
    if (st == TIDE_OK) {
        st = par_for(ctx, n_cols, median_task, &job, err);
        for (int i = 0; i < n_arenas; i++) {
            if (st == TIDE_OK) st = arena_status(&job.arena[i], err);
            arena_free(&job.arena[i]);
        }
        for (int j = 0; j < n_cols; j++) indicate[j] = p->indicator && job.gaps[j];
    }
    arena_free(&a);
    return st;
}

struct impute_median {
    int n_cols;
    const double *value;
    const uint8_t *indicate;
};

static tide_status impute_median_load(const struct state *s, int32_t n_cols,
                                      const uint32_t *n_levels, struct arena *a,
                                      void **object, tide_error *err)
{
    const struct state_array *value, *indicate;
    *object = NULL;
    tide_status st = make_numbers_only(n_levels, n_cols, "impute:median", err);
    if (st == TIDE_OK) st = state_need(s, "value", STATE_F64, n_cols, 1, &value, err);
    if (st == TIDE_OK)
        st = state_need(s, "indicate", STATE_U8, n_cols, 1, &indicate, err);
    if (st != TIDE_OK) return st;
    struct impute_median *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    *m = (struct impute_median){n_cols, value->data, indicate->data};
    *object = m;
    return TIDE_OK;
}

/* A bool column stays one where its median is 0 or 1. */
static tide_status impute_column(const struct view *x, int j, double value,
                                 struct arena *a, const struct column **out,
                                 tide_error *err)
{
    const struct column *from = x->cols[j];
    int is_bool = from->type == TIDE_BOOL && (value == 0 || value == 1);
    if (!x->rows && from->n_missing == 0 && (is_bool || from->type == TIDE_F64)) {
        *out = from;
        return TIDE_OK;
    }
    struct column *c =
        make_column(a, from->name, is_bool ? TIDE_BOOL : TIDE_F64, x->n_rows);
    double *v = is_bool ? arena_array(a, x->n_rows, sizeof *v) : c ? make_f64(c) : NULL;
    if (!c || !v) return arena_status(a, err);
    view_numbers(x, j, 0, x->n_rows, v);
    for (int64_t i = 0; i < x->n_rows; i++)
        if (v[i] != v[i]) v[i] = value;
    for (int64_t i = 0; is_bool && i < x->n_rows; i++) make_bool(c)[i] = v[i] != 0;
    *out = c;
    return TIDE_OK;
}

static tide_status gap_column(const struct view *x, int j, struct arena *a,
                              const struct column **out, tide_error *err)
{
    struct column *c = make_column(a, make_name(a, x->cols[j]->name, "_missing", 8),
                                   TIDE_BOOL, x->n_rows);
    double *v = arena_array(a, x->n_rows, sizeof *v);
    if (!c || !v) return arena_status(a, err);
    view_numbers(x, j, 0, x->n_rows, v);
    for (int64_t i = 0; i < x->n_rows; i++) make_bool(c)[i] = v[i] != v[i];
    *out = c;
    return TIDE_OK;
}

static tide_status impute_median_apply(struct tide_ctx *ctx, const void *object,
                                       const struct view *x, struct arena *a,
                                       struct step_out *out, tide_error *err)
{
    const struct impute_median *m = object;
    int n = m->n_cols, at = 0;
    (void)ctx;
    for (int j = 0; j < m->n_cols; j++) n += m->indicate[j] != 0;
    tide_status st = make_outputs(a, n, out, err);
    for (int j = 0; st == TIDE_OK && j < m->n_cols; j++) {
        make_from(out, at, j);
        st = impute_column(x, j, m->value[j], a, &out->cols[at++], err);
        if (st != TIDE_OK || !m->indicate[j]) continue;
        make_from(out, at, j);
        st = gap_column(x, j, a, &out->cols[at++], err);
    }
    return st;
}

const struct tide_step tide_step_impute_median = {
    .name = "impute:median",
    .title = "Missing numbers become the median",
    .camel = "ImputeMedian",
    .guide = "Q13",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS | TIDE_ANOMALY,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_WEIGHTS,
    .params = TIDE_TABLE(impute_median_rows, impute_median_params),
    .takes = STEP_NUMERIC,
    .fit = impute_median_fit,
    .load = impute_median_load,
    .apply = impute_median_apply,
};
