/* metric_text.h - a metric as a user writes it: "auc", "f_beta(beta=2, average=macro)" */
#ifndef EVAL_METRIC_TEXT_H
#define EVAL_METRIC_TEXT_H
#include "spec/metric.h"
#include "spec/spec.h"

struct metric_text {
    const struct tide_metric *metric;
    tide_values *values; /* NULL: the metric has no parameters */
    char name[128];      /* canonical: "f_beta(beta=2)" */
};
/* Peers' names are known ("roc_auc" is auc). Errors: param-unknown, param-value, param-range, with
 * field "metric" where it is the text itself. */
tide_status metric_text_parse(const char *text, struct metric_text *out,
                              tide_error *err);
void metric_text_free(struct metric_text *t);
const void *metric_text_params(const struct metric_text *t);
/* The metric's own name behind a peer's name. */
const char *metric_text_alias(const char *name);
#endif
