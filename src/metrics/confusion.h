/* confusion.h - the confusion matrix that all metrics of predicted classes are made of */
#ifndef METRICS_CONFUSION_H
#define METRICS_CONFUSION_H
#include "base/arena.h"
#include "spec/metric.h"

/* Row and column n stand for a true class that the model does not know. */
struct confusion {
    int32_t n;
    int32_t positive;
    double *cell; /* [n + 1][n + 1] weight of truth i predicted as j */
    double total;
    double rows; /* effective rows: (sum w)^2 / sum w^2 */
};
/* One class against the rest. */
struct confusion_one {
    double tp, fp, fn, tn;
};
tide_status confusion_build(struct arena *a, const struct metric_data *d,
                            struct confusion *out, tide_error *err);
struct confusion_one confusion_class(const struct confusion *c, int32_t k);
/* Elkan 2001: calibrated probabilities above this cost less when called positive. */
double confusion_cost_threshold(double cost_fp, double cost_fn);
#endif
