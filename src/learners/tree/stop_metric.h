/* stop_metric.h - a metric of the rows watched, instead of the loss (stop_metric.c) */
#ifndef LEARNERS_TREE_STOP_METRIC_H
#define LEARNERS_TREE_STOP_METRIC_H
#include "base/arena.h"
#include "learners/tree/objective.h"
#include "spec/metric.h"

struct stop_metric;
/* The metric `name`, if it is one for such rows. Errors: param-unknown, param-conflict. */
tide_status stop_metric_find(const char *name, const struct fit_data *d,
                             const struct tide_metric **out, tide_error *err);
/* The metric `name` of rows list[0..m) of `rows`, with the weights w (by row, NULL: 1). link: enum
 * ensemble_link; base is what an identity link takes off the targets. From the arena; `rows` and `list` must outlive it.
 * Errors: those of stop_metric_find, memory. */
tide_status stop_metric_new(const char *name, const struct fit_data *d,
                            const struct grad_rows *rows, const uint32_t *list,
                            int64_t m, int32_t link, double base, struct arena *a,
                            struct stop_metric **out, tide_error *err);
/* At these scores [rows][outputs]; turned so that less is better.
 * Errors: param-conflict where the metric is not defined on the rows, memory. */
tide_status stop_metric_value(struct tide_ctx *ctx, struct stop_metric *s,
                              const double *score, double *value, tide_error *err);
const struct tide_metric *stop_metric_of(const struct stop_metric *s);
#endif
