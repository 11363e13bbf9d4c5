/* metric.h - metrics on short arrays, for tests of metrics and eval */
#ifndef SUPPORT_METRIC_H
#define SUPPORT_METRIC_H
#include <string.h>

#include <tidemill/model.h>
#include <tidemill/registry.h>

#include "unit.h"

static inline tide_ctx *metric_ctx(void)
{
    static tide_ctx *ctx;
    if (!ctx && tide_ctx_new(&ctx, NULL)) abort();
    return ctx;
}

/* The answer of any metric; a failing call fails the test. */
static inline struct tide_metric_out
metric_ask(const char *metric, const struct tide_metric_in *in, int with_interval)
{
    struct tide_metric_out out = {0};
    tide_error err = {0};
    tide_status status =
        tide_metric_value(metric_ctx(), metric, in, with_interval, &out, &err);
    CHECK_MSG(status == TIDE_OK, "%s: %s", metric, err.message);
    return out;
}

#define METRIC_COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

static inline double metric_classes(const char *metric, const int32_t *k,
                                    const int32_t *label, int64_t n, int n_classes)
{
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = n,
                                .n_classes = n_classes,
                                .positive = n_classes == 2,
                                .k = k,
                                .label = label};
    return metric_ask(metric, &in, 0).value;
}

/* Binary, with the probability of class 1. */
static inline struct tide_metric_out metric_scores(const char *metric, const int32_t *k,
                                                   const double *p1, int64_t n,
                                                   int with_interval)
{
    double proba[2 * 64];
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = n,
                                .n_classes = 2,
                                .positive = 1,
                                .k = k,
                                .proba = proba};
    for (int64_t i = 0; i < n && i < 64; i++) {
        proba[2 * i] = 1 - p1[i];
        proba[2 * i + 1] = p1[i];
    }
    return metric_ask(metric, &in, with_interval);
}

static inline double metric_values(const char *metric, const double *y,
                                   const double *pred, int64_t n)
{
    struct tide_metric_in in = {
        .task = TIDE_REGRESS, .n = n, .y = y, .pred = pred, .n_features = 1};
    return metric_ask(metric, &in, 0).value;
}
#endif
