/* eval.h - scoring of models: metrics with intervals, folds, verdicts, the charts of a report */
#ifndef EVAL_EVAL_H
#define EVAL_EVAL_H
#include "eval/chart.h"
#include "eval/report_data.h"
#include "pipe/pipe.h"

/* Predictions of a problem's rows, with the truth beside them. */
struct scored {
    uint32_t task;
    int64_t n;
    int32_t n_classes, positive;
    const double *y;
    const int32_t *k;
    const double *w;
    const double *out; /* [n][K] probabilities or [n] values */
    /* regress: [n][n_shares] quantiles, rising, of which `out` is the central one; or NULL */
    const double *quantiles;
    const double *shares; /* [n_shares] rising */
    int32_t n_shares;
    const int32_t *label;      /* classify: predicted class */
    const char *const *labels; /* class names */
    int n_features;
    int bootstrap; /* replicates of intervals, 0: by the number of rows */
    const int64_t
        *group; /* [n] lists for ranking metrics, which are shown then; or NULL */
    const char *group_name; /* or NULL */
    int is_score;           /* classify: `out` orders the rows and is no probability */
    int is_ranked; /* regress: scores order the rows of a list and are no values */
};
/* Cross-validation of a pipeline: out-of-fold scores for every row of the problem. */
struct cv_result {
    double *out;    /* [n_rows][width] */
    int32_t width;  /* classes, quantiles, or 1 */
    int32_t *label; /* [n_rows] */
    int32_t *fold;  /* [n_rows] */
    int k;
    double *fold_metric; /* [k] of the chosen metric */
    /* [k] the same on the fold's own training rows (a sample of at most 20,000) */
    double *train_metric;
    int32_t *rounds; /* [k] best rounds (boosting), 0 else */
    double fit_s, predict_s;
};
/* Metric chosen by name, or the task's default: log_loss for classification, rmse for regression. */
tide_status eval_metric_default(uint32_t task, const char *name,
                                const struct tide_metric **out, tide_error *err);
/* Is a model of these aims judged by the order that its scores give the rows of lists? */
int eval_is_ranked(const struct fit_aims *aims);
tide_status eval_cross_validate(struct tide_ctx *ctx, const struct problem *p,
                                const tide_pipeline *pipeline, const int32_t *fold,
                                int k, const struct tide_metric *metric, uint64_t seed,
                                const char *phase, struct arena *a,
                                struct cv_result *out, tide_error *err);
/* The same with fits like one: its seed, its phase, the model that it goes on from. */
tide_status eval_cross_validate_like(struct tide_ctx *ctx, const struct problem *p,
                                     const tide_pipeline *pipeline, const int32_t *fold,
                                     int k, const struct tide_metric *metric,
                                     const struct pipe_fit *like, struct arena *a,
                                     struct cv_result *out, tide_error *err);
/* The metrics of a task into a report, chosen first (with intervals), then charts of reports.md 7 (ROC, PR, confusion,
 * calibration, threshold; residuals, predicted against actual for regression). */
tide_status eval_report_metrics(struct tide_ctx *ctx, tide_report *r,
                                const struct scored *s, const char *first, int all,
                                int bootstrap, uint64_t seed, tide_error *err);
tide_status eval_report_charts(struct tide_ctx *ctx, tide_report *r,
                               const struct scored *s, tide_error *err);
/* A model of anomalies on rows with labels, as tide_model_eval. */
tide_status eval_anomalies(struct tide_ctx *ctx, const tide_model *m,
                           const tide_frame *frame, const struct tide_eval_options *o,
                           tide_report **out, tide_error *err);
/* Notes of what binding met; the report's title, "Evaluation of income on adult.csv". */
void eval_note_binding(tide_report *r, const struct bind_counts *counts);
tide_status eval_begin_report(struct tide_ctx *ctx, const char *of,
                              const tide_frame *frame, tide_report **out,
                              tide_error *err);
tide_status eval_report_importance(tide_report *r, const tide_model *m,
                                   tide_error *err);
/* "underfits", "overfits", "fits well", with the reason in numbers: train against validation. */
struct eval_verdict {
    double train, valid; /* means over the folds */
    double valid_sd, baseline;
    const struct tide_learner *learner; /* for the advice; NULL: any */
};
void eval_verdict(tide_report *r, const struct tide_metric *metric,
                  const struct eval_verdict *q);
/* Rows whose `out` is [n][n] quantiles of these shares: `out` becomes the central one. Nothing for
 * n < 2. */
tide_status scored_quantiles(struct scored *s, const double *shares, int32_t n,
                             struct arena *a, tide_error *err);
/* The central quantiles again, into centre [n], once s->quantiles have changed. */
void scored_centre(struct scored *s, double *centre);
/* Is `out` a value of the target, a mean or median? */
int scored_has_value(const struct scored *s);
/* How often each quantile comes true, as a table. Nothing for one value a row. */
tide_status eval_report_quantiles(tide_report *r, const struct scored *s,
                                  tide_error *err);
/* A metric value with its interval, from scored rows. */
tide_status eval_value(struct tide_ctx *ctx, const struct tide_metric *m,
                       const void *params, const struct scored *s,
                       enum metric_interval ci, uint64_t seed, struct metric_value *v,
                       tide_error *err);
#endif
