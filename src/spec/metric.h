/* metric.h - the descriptor of a metric; a metrics file holds a family */
#ifndef SPEC_METRIC_H
#define SPEC_METRIC_H
#include "spec/entry.h"

enum metric_needs {
    METRIC_LABELS = 1,
    METRIC_PROBA = 2,
    METRIC_VALUES = 4,
    METRIC_BINARY = 8,
    METRIC_ORDER = 32,     /* of the probabilities only their order */
    METRIC_QUANTILES = 64, /* several of each row */
    METRIC_NO_ORDER = 128, /* neither more nor less is better: nothing to choose by */
    METRIC_LIST = 16       /* y is the relevance of lists that pred ranks: `group` */
};

struct metric_data {
    uint32_t task;
    int64_t n;
    const double *y;    /* regress: truth */
    const double *pred; /* regress: prediction; of several quantiles the central one */
    const double *quantiles; /* regress: [n][n_shares] rising in each row, or NULL */
    const double *shares;    /* [n_shares] rising */
    int32_t n_shares;
    /* classify: true class, may be >= n_classes (class unknown to the model) */
    const int32_t *k;
    const int32_t *label; /* classify: predicted class */
    const double *proba;  /* classify: [n][n_classes] row-major, or NULL */
    int32_t n_classes;
    int32_t positive;          /* binary: class number that counts as positive */
    const double *w;           /* [n], NULL = 1 */
    const int64_t *group;      /* [n] equal keys are one list; NULL: all rows are */
    int n_features;            /* adjusted R2 */
    const char *const *labels; /* [n_classes] class names for reasons, or NULL */
    int bootstrap;             /* replicates, 0: 1000, from 200 above 200,000 rows */
};
enum metric_interval { METRIC_CI_NONE, METRIC_CI_95 };
struct metric_value {
    int defined;          /* 0: value is NaN and reason says why */
    double value, lo, hi; /* lo, hi NaN when there is no interval */
    /* of the interval: "wilson", "delong", "bootstrap" ... static */
    const char *method;
    char reason[160];
    int64_t clipped;   /* log-loss: probabilities clipped */
    int zero_division; /* a 0/0 inside was taken as 0 (precision, F1 ...) */
};
struct tide_metric {
    TIDE_ENTRY;
    uint32_t needs;
    double worst, chance, best; /* NaN where there is none */
    int higher_is_better;
    /* Fills v; with METRIC_CI_95 an interval too (closed form where one exists, else the
     * bootstrap of metrics/, `seed` keyed). Only memory and hostile input make it fail. */
    tide_status (*value)(struct tide_ctx *ctx, const void *params,
                         const struct metric_data *d, enum metric_interval ci,
                         uint64_t seed, struct metric_value *v, tide_error *err);
    /* Per-row loss whose weighted mean is the metric (for paired tests and the fold rule), or
     * NULL when the metric is no mean. out: [n]. */
    void (*per_row)(const struct metric_data *d, double *out);
};
#endif
