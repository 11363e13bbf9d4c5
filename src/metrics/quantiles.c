/* quantiles.c - metrics of several quantiles of a number
 *
 * Pinball loss at share a of an error e = y - q: a e above, (a - 1) e below (Koenker and Bassett
 * 1978); here the mean over the shares. The outer interval goes from the lowest to the highest
 * quantile, ends included; it should hold what the shares leave between them. */
#include <math.h>

#include "base/err.h"
#include "metrics/interval.h"

static void rows_pinball(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    int32_t k = d->n_shares;
    for (int64_t i = 0; i < n; i++) {
        const double *q = d->quantiles + (i0 + i) * k;
        double sum = 0;
        for (int32_t c = 0; c < k; c++) {
            double e = d->y[i0 + i] - q[c];
            sum += e >= 0 ? d->shares[c] * e : (d->shares[c] - 1) * e;
        }
        out[i] = sum / k;
    }
}

static void rows_coverage(const struct loss_job *job, int64_t i0, int64_t n,
                          double *out)
{
    const struct metric_data *d = job->d;
    int32_t k = d->n_shares;
    for (int64_t i = 0; i < n; i++) {
        const double *q = d->quantiles + (i0 + i) * k;
        double y = d->y[i0 + i];
        out[i] = q[0] <= y && y <= q[k - 1];
    }
}

static void rows_width(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    int32_t k = d->n_shares;
    for (int64_t i = 0; i < n; i++) {
        const double *q = d->quantiles + (i0 + i) * k;
        out[i] = q[k - 1] - q[0];
    }
}

static tide_status quantiles_begin(const struct metric_data *d, struct metric_value *v,
                                   int *stop, tide_error *err)
{
    tide_status status =
        metric_begin(d, METRIC_VALUES | METRIC_QUANTILES, v, stop, err);
    if (*stop) return status;
    for (int64_t i = 0; i < d->n; i++)
        for (int32_t c = 0; c < d->n_shares; c++)
            if (!isfinite(d->y[i]) || !isfinite(d->quantiles[i * d->n_shares + c])) {
                *stop = 1;
                return err_set(err, TIDE_CODE_HANDLE_INVALID,
                               "value or prediction of row %lld is no finite number",
                               (long long)(i + 1));
            }
    return TIDE_OK;
}

static tide_status quantiles_mean(struct tide_ctx *ctx, const struct metric_data *d,
                                  loss_fn fn, enum loss_interval how,
                                  enum metric_interval ci, struct metric_value *v,
                                  tide_error *err)
{
    struct loss_job job = {d, NULL, fn};
    struct loss_mean mean;
    int stop;
    tide_status status = quantiles_begin(d, v, &stop, err);
    if (stop) return status;
    status = loss_mean(ctx, &job, &mean, err);
    if (!status) loss_interval(&mean, how, ci, 0, INFINITY, v);
    return status;
}

#define QUANTILES_VALUE(name, how)                                                     \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        (void)params;                                                                  \
        (void)seed;                                                                    \
        return quantiles_mean(ctx, d, rows_##name, how, ci, v, err);                   \
    }
QUANTILES_VALUE(pinball, LOSS_T)
QUANTILES_VALUE(coverage, LOSS_WILSON)
QUANTILES_VALUE(width, LOSS_T)

#define QUANTILES_METRIC                                                               \
    .guide = "Q4", .tasks = TIDE_REGRESS, .traits = TIDE_TAKES_WEIGHTS,                \
    .needs = METRIC_VALUES | METRIC_QUANTILES

const struct tide_metric tide_metric_mean_pinball = {
    .name = "mean_pinball",
    .title = "Mean pinball loss",
    .camel = "MeanPinball",
    QUANTILES_METRIC,
    .paper = "Koenker and Bassett 1978",
    .worst = NAN,
    .chance = NAN,
    .best = 0,
    .value = pinball_value,
};
/* It should be what the shares leave between them. */
const struct tide_metric tide_metric_coverage = {
    .name = "coverage",
    .title = "Rows in outer interval",
    .camel = "Coverage",
    QUANTILES_METRIC | METRIC_NO_ORDER,
    .worst = NAN,
    .chance = NAN,
    .best = NAN,
    .value = coverage_value,
};
const struct tide_metric tide_metric_interval_width = {
    .name = "interval_width",
    .title = "Width of outer interval",
    .camel = "IntervalWidth",
    QUANTILES_METRIC | METRIC_NO_ORDER,
    .worst = NAN,
    .chance = NAN,
    .best = 0,
    .value = width_value,
};
