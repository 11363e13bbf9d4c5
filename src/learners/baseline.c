/* baseline.c - what one predicts without looking: class shares, the mean, the median, quantiles
 *
 * Problem       classes: shares of the training weights; numbers: the constant of least squared or absolute error,
 *               or of least pinball loss for each of some shares
 * Method        counts; mean about the first value; weighted quantiles (where both parts meet: their middle)
 * Cost          one pass, for quantiles a sort
 * Order         blocks of 4,096 rows in the fixed tree: same bytes for any number of threads and instruction set
 * Missing       taken: features are not read
 * Differs from  scikit-learn DummyClassifier(strategy="prior"), DummyRegressor: same values; weighted medians as there
 * Guide         Q1 Q4
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "frame/frame.h"
#include "math/linalg.h"
#include "math/sort.h"
#include "spec/learner.h"
#include "spec/state.h"

enum { BASELINE_MEAN, BASELINE_MEDIAN, BASELINE_QUANTILE };
static const char *const baseline_values[] = {"mean", "median", "quantile", NULL};
struct baseline_params {
    int32_t value;
    struct tide_real_list quantile;
};
static const struct tide_param baseline_rows[] = {
    P_ENUM(baseline_params, value, "mean", baseline_values,
           .help = "numbers: what is predicted everywhere", .alias = "strategy"),
    P_REALS(baseline_params, quantile, "0.5", P_RANGE(0, 1),
            .flags = TIDE_OPEN_LO | TIDE_OPEN_HI, .when = "value=quantile",
            .help = "share of targets below the prediction; several: 0.1,0.5,0.9"),
};

/* Weighted: the value where the share of the weight is reached; where it is met exactly, the
 * middle of it and the next. */
static double quantile_of(const struct fit_data *d, const uint32_t *idx, double total,
                          double share)
{
    int64_t n = d->x->n_rows, i = 0;
    double below = 0;
    for (; i < n - 1; i++) {
        below += d->w ? d->w[idx[i]] : 1.0;
        if (below >= share * total) break;
    }
    double at = d->y[idx[i]];
    if (i + 1 < n && below == share * total) at = 0.5 * at + 0.5 * d->y[idx[i + 1]];
    return at;
}

static tide_status quantiles_of(const struct fit_data *d, const double *share, int n,
                                struct arena *a, double *out, tide_error *err)
{
    int64_t rows = d->x->n_rows;
    uint32_t *idx = arena_array(a, rows, sizeof *idx);
    if (!idx || sort_index_f64(a, d->y, rows, idx)) return arena_status(a, err);
    double total = 0;
    for (int64_t r = 0; r < rows; r++) total += d->w ? d->w[r] : 1.0;
    for (int k = 0; k < n; k++) out[k] = quantile_of(d, idx, total, share[k]);
    return TIDE_OK;
}

/* Values of a row of numbers. */
static int numbers_of(const struct baseline_params *p)
{
    return p->value == BASELINE_QUANTILE ? p->quantile.n : 1;
}

static tide_status shares_of(const struct fit_data *d, struct arena *a, double *out,
                             tide_error *err)
{
    double total = 0, *sum = arena_zero(a, (size_t)d->n_classes * sizeof *sum);
    if (!sum) return arena_status(a, err);
    for (int64_t i = 0; i < d->x->n_rows; i++) sum[d->k[i]] += d->w ? d->w[i] : 1.0;
    for (int c = 0; c < d->n_classes; c++) total += sum[c];
    for (int c = 0; c < d->n_classes; c++) out[c] = sum[c] / total;
    return TIDE_OK;
}

static tide_status baseline_fit(struct tide_ctx *ctx, const void *params,
                                const struct fit_data *d, const struct fit_data *valid,
                                int32_t rounds, struct state *out,
                                struct fit_info *info, tide_error *err)
{
    const struct baseline_params *p = params;
    int classify = d->task == TIDE_CLASSIFY;
    struct arena a;
    (void)valid;
    (void)rounds;
    info->converged = -1;
    if (d->x->n_rows < 1)
        return err_set(err, TIDE_CODE_DATA_NO_ROWS, "there are no rows to learn from");
    arena_init(&a, ctx);
    double *value = state_new(out, "DENSE", "value", STATE_F64,
                              classify ? d->n_classes : numbers_of(p), 1, 1);
    static const double half = 0.5;
    tide_status st = value ? TIDE_OK : arena_status(out->arena, err);
    if (st == TIDE_OK && classify)
        st = shares_of(d, &a, value, err);
    else if (st == TIDE_OK && p->value == BASELINE_MEDIAN)
        st = quantiles_of(d, &half, 1, &a, value, err);
    else if (st == TIDE_OK && p->value == BASELINE_QUANTILE)
        st = quantiles_of(d, p->quantile.items, p->quantile.n, &a, value, err);
    else if (st == TIDE_OK)
        st = linalg_means(ctx, &d->y, d->x->n_rows, 1, d->w, value, NULL, err);
    arena_free(&a);
    return st;
}

struct baseline_model {
    int n;
    const double *value;
};

static tide_status baseline_load(const struct state *s, uint32_t task, int32_t n_out,
                                 int32_t n_cols, const uint32_t *n_levels,
                                 struct arena *a, void **object, tide_error *err)
{
    const struct state_array *value;
    (void)n_cols;
    (void)n_levels;
    *object = NULL;
    tide_status st = state_need(s, "value", STATE_F64, n_out, 1, &value, err);
    if (st != TIDE_OK) return st;
    for (int c = 0; task == TIDE_CLASSIFY && c < n_out; c++) {
        double v = ((const double *)value->data)[c];
        if (!(v >= 0 && v <= 1))
            return err_set(err, TIDE_CODE_TIDE_VALUE, "a class share is not in [0, 1]");
    }
    for (int c = 1; task == TIDE_REGRESS && c < n_out; c++)
        if (((const double *)value->data)[c] < ((const double *)value->data)[c - 1])
            return err_set(err, TIDE_CODE_TIDE_VALUE, "the quantiles do not rise");
    struct baseline_model *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    *m = (struct baseline_model){n_out, value->data};
    *object = m;
    return TIDE_OK;
}

static tide_status baseline_predict(const void *object, const struct view *x,
                                    int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct baseline_model *m = object;
    (void)x;
    (void)i0;
    (void)err;
    for (int64_t i = 0; i < n; i++)
        memcpy(out + i * m->n, m->value, (size_t)m->n * sizeof *out);
    return TIDE_OK;
}

static void baseline_aims(const void *params, struct fit_aims *out)
{
    const struct baseline_params *p = params;
    if (numbers_of(p) < 2) return;
    out->tasks = TIDE_REGRESS;
    out->metric = "mean_pinball";
    out->quantiles = p->quantile;
}

const struct tide_learner tide_learner_baseline = {
    .name = "baseline",
    .title = "What one predicts without looking",
    .camel = "Baseline",
    .guide = "Q1 Q4",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS,
    .params = TIDE_TABLE(baseline_rows, baseline_params),
    .small = "",
    .aims = baseline_aims,
    .fit = baseline_fit,
    .load = baseline_load,
    .predict = baseline_predict,
};
