/* model.h - problems, pipelines, training, models and scores */
#ifndef TIDEMILL_MODEL_H
#define TIDEMILL_MODEL_H

#include <tidemill/ctx.h>
#include <tidemill/frame.h>
#include <tidemill/params.h>
#include <tidemill/report.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_pipeline tide_pipeline;
typedef struct tide_model tide_model;
typedef struct tide_scores tide_scores;

/* What is to be learned. The program's flags are a table over this struct. */
struct tide_problem_options {
    const char *target; /* column name; NULL: anomalies are found without */
    int32_t task;       /* 0 auto, 1 classify, 2 regress, 3 anomaly */
    /* binary: label that counts as positive; NULL: the last level */
    const char *positive;
    const char *weight;         /* column of row weights, or NULL */
    const char *id;             /* column carried to predictions, never a feature */
    struct tide_text_list drop; /* columns left out */
    /* column whose equal values are one group (the query of a ranking), never a feature; folds
     * and hold-outs keep groups whole. NULL: none */
    const char *group;
};
TIDE_API const struct tide_params *tide_problem_params(void);

/* First and second derivatives of a loss by the scores, for gbdt(loss=custom): g[i], h[i] of row i,
 * before its weight, which is multiplied in afterwards. scores, targets, g, h: [n]; weights: [n], or
 * NULL where all are 1. The n rows of a fit are the same in every round, in the table's order; rows
 * without a target and those put aside for stopping are not among them. Returns 0, or what is
 * said in the error that ends the fit.
 * Threads: called on the thread that called the library, once a round. */
typedef int (*tide_gradient_fn)(const double *scores, const double *targets,
                                const double *weights, int64_t n, double *g, double *h,
                                void *payload);
/* Value of the loss on rows put aside, less is better; arrays as above.
 * Threads: as tide_gradient_fn, after every round. */
typedef double (*tide_loss_fn)(const double *scores, const double *targets,
                               const double *weights, int64_t n, void *payload);
/* A loss of the caller's own. Scores begin at 0 (or at the offset column), h below 0 is taken as 0
 * and counted in a note; the model predicts raw scores. */
struct tide_loss {
    uint32_t size;
    tide_gradient_fn gradient;
    tide_loss_fn value; /* NULL: rounds are not stopped early, and a note says so */
    void *payload;
};

/* The model of the rounds so far, of a learner with trait TIDE_CONTINUES: whole, cut to its best round,
 * partial as after a cancel (tide_model_is_partial), so that it can be saved, predict and be gone
 * on from. */
struct tide_snapshot {
    uint32_t size;
    int32_t every; /* rounds, >= 1; rounds of the final fit, not of folds */
    /* The model is borrowed for the call, which may use the context (to save the model, say).
     * Other than TIDE_OK ends the training with *err.
     * Threads: called on the thread that called the library. */
    tide_status (*take)(void *payload, const tide_model *model, tide_error *err);
    void *payload;
};

struct tide_train_options {
    const char *learner;       /* NULL or "auto", or a learner's name */
    struct tide_text_list set; /* k=v for the learner */
    const char *pipeline;      /* text; excludes learner and set */
    double holdout;            /* 0: automatic */
    /* folds; 0: automatic (5 up to 50,000 rows, else hold-out 20%), 1: no validation */
    int32_t cv;
    /* 0 shuffled (Philox), 1 file order, 2 crc32 of the row number */
    int32_t folds;
    const char *metric; /* chooses in auto and is shown first; NULL: by task */
    uint64_t seed;
    /* of loss=custom, which needs it and which alone takes it; borrowed. NULL: none */
    const struct tide_loss *own_loss;
    const struct tide_snapshot *snapshot; /* borrowed; NULL: none */
};
TIDE_API const struct tide_params *tide_train_params(void);

/* Fits one pipeline (or the best of `auto`), validates it, and fits it on all rows.
 * `valid` (nullable): a frame to validate on instead of folds. *report is the account of it:
 * metrics with intervals, verdict, notes, charts; its JSON is the verb's object.
 * Ownership: caller frees both. On TIDE_ECANCELLED *model may be a whole model of the work done
 * so far (else NULL). Errors: data-*, param-*, pipeline-*, memory, numeric-*. */
TIDE_API TIDE_MUST_USE tide_status
tide_train(tide_ctx *ctx, const tide_frame *frame, const tide_frame *valid,
           const struct tide_problem_options *problem,
           const struct tide_train_options *options, tide_model **model,
           tide_report **report, tide_error *err);
/* How to go on from a model. */
struct tide_resume_options {
    uint32_t size;
    /* 0: further rounds behind the model's trees; 1: its trees with leaves made anew */
    int32_t refit;
    /* refit: the share of an old leaf's value that stays, in [0, 1] */
    double refit_decay;
};
/* Training that goes on from `from`, a model of a learner with trait TIDE_CONTINUES, on the rows of
 * `frame`. Columns, levels, classes, fitted steps and seed are the model's; `options->set` may change
 * parameters that are not TIDE_KEPT, and the one for rounds counts further ones. Validated on `valid`
 * or on a hold-out, else not: the model may know the other rows. how NULL: further rounds. The new
 * model does not need `from`. Ownership, cancelling as tide_train. Errors: those, data-classes for
 * a class that the model does not know. */
TIDE_API TIDE_MUST_USE tide_status
tide_train_from(tide_ctx *ctx, const tide_model *from,
                const struct tide_resume_options *how, const tide_frame *frame,
                const tide_frame *valid, const struct tide_problem_options *problem,
                const struct tide_train_options *options, tide_model **model,
                tide_report **report, tide_error *err);
/* Checks pipeline text and gives its canonical form (mem owned by caller: tide_text_free). */
TIDE_API TIDE_MUST_USE tide_status tide_pipeline_check(const char *text,
                                                       char **canonical,
                                                       tide_error *err);
TIDE_API void tide_text_free(char *text);

/* A model file: written durably (temporary file, fsync, rename), validated before rename. */
TIDE_API TIDE_MUST_USE tide_status tide_model_save(tide_ctx *ctx,
                                                   const tide_model *model,
                                                   const char *path, tide_error *err);
/* Opens and validates a model; sha256 (nullable, 64 hex digits) must match before anything is
 * parsed. Errors: tide-*, file-*, limit-*, memory. */
TIDE_API TIDE_MUST_USE tide_status tide_model_open(tide_ctx *ctx, const char *path,
                                                   const char *sha256, tide_model **out,
                                                   tide_error *err);
TIDE_API TIDE_MUST_USE tide_status tide_model_open_memory(tide_ctx *ctx,
                                                          const void *data, size_t size,
                                                          tide_model **out,
                                                          tide_error *err);
TIDE_API void tide_model_free(tide_model *model);
/* "" before it was saved */
TIDE_API const char *tide_model_sha256(const tide_model *model);
TIDE_API int64_t tide_model_bytes(const tide_model *model);
TIDE_API int tide_model_is_partial(const tide_model *model);
/* NULL: learned without */
TIDE_API const char *tide_model_target(const tide_model *model);
/* What is in a model, as a report (show). */
TIDE_API TIDE_MUST_USE tide_status tide_model_show(tide_ctx *ctx,
                                                   const tide_model *model,
                                                   tide_report **out, tide_error *err);

/* Tree number `tree`, from 1, of a model of trees as text, a line a node.
 * Ownership: the caller frees *text by tide_text_free. Errors: param-conflict when the model has
 * no trees, param-range, memory. */
TIDE_API TIDE_MUST_USE tide_status tide_model_tree(tide_ctx *ctx,
                                                   const tide_model *model,
                                                   int64_t tree, char **text,
                                                   tide_error *err);

/* The picture of that tree as a report: its first levels. Ownership: caller frees *out. Errors: as
 * tide_model_tree. */
TIDE_API TIDE_MUST_USE tide_status tide_model_tree_report(tide_ctx *ctx,
                                                          const tide_model *model,
                                                          int64_t tree,
                                                          tide_report **out,
                                                          tide_error *err);

/* A model that XGBoost (JSON, UBJSON) or LightGBM (text) saved. Zero means default. */
struct tide_import_options {
    uint32_t size;
    int32_t sums;       /* 0 f64; 1 the source's own order and type, bit for bit */
    int32_t raw;        /* raw scores of one output, whatever the objective */
    const char *target; /* NULL: "target" */
    struct tide_text_list names, classes; /* instead of the file's; of class 0, 1 ... */
    const char *trees; /* NULL or "all", "best", a number of rounds */
};
TIDE_API const struct tide_params *tide_import_params(void);
/* Every decision is that of the source; docs/do/import.md says what else is equal.
 * Ownership: caller frees. Errors: import-*, limit-*, file-*, memory. */
TIDE_API TIDE_MUST_USE tide_status tide_model_import(
    tide_ctx *ctx, const char *path, const struct tide_import_options *options,
    tide_model **out, tide_error *err);

/* How many trees a class (or the value) has in a boosted ensemble, forest or imported model; 0: none. */
TIDE_API int64_t tide_model_trees(const tide_model *model);
/* A model that uses only the first `trees` trees of each class of `model`, a boosted ensemble,
 * forest or imported model, to predict and to explain; it holds `model` and cannot be saved.
 * Ownership: caller frees. Errors: param-conflict when the model has no trees, param-range,
 * memory. */
TIDE_API TIDE_MUST_USE tide_status tide_model_first_trees(
    tide_ctx *ctx, tide_model *model, int64_t trees, tide_model **out, tide_error *err);

/* Scores of every row. Columns are bound by name. */
TIDE_API TIDE_MUST_USE tide_status tide_model_predict(tide_ctx *ctx,
                                                      const tide_model *model,
                                                      const tide_frame *frame,
                                                      tide_scores **out,
                                                      tide_error *err);
/* The columns that the learner sees: every row of `frame` after the model's steps, in byte order
 * of names. Ownership: caller frees. Errors: as tide_model_predict. */
TIDE_API TIDE_MUST_USE tide_status tide_model_transform(tide_ctx *ctx,
                                                        const tide_model *model,
                                                        const tide_frame *frame,
                                                        tide_frame **out,
                                                        tide_error *err);
/* Single rows, bound once. names[i] (i < n) says what values[i] of a row is; NULL: the model's own
 * columns in their order, see tide_row_predictor_name. The predictor holds the model; caller
 * frees it. Errors: data-column, memory. */
typedef struct tide_row_predictor tide_row_predictor;
TIDE_API TIDE_MUST_USE tide_status tide_row_predictor_new(tide_model *model,
                                                          const char *const *names,
                                                          int n,
                                                          tide_row_predictor **out,
                                                          tide_error *err);
TIDE_API void tide_row_predictor_free(tide_row_predictor *predictor);
/* Scores of a row: classes, quantiles, or 1. */
TIDE_API int tide_row_predictor_width(const tide_row_predictor *predictor);
TIDE_API int tide_row_predictor_columns(const tide_row_predictor *predictor);
TIDE_API const char *tide_row_predictor_name(const tide_row_predictor *predictor,
                                             int column);
/* The value that stands for a text in a category of the model (its column number); NaN, which is
 * missing, for one that the model has not seen and in columns of numbers. */
TIDE_API double tide_row_predictor_level(const tide_row_predictor *predictor,
                                         int column, const char *text);
/* Scores one row into out [width]: numbers as they are, categories by
 * tide_row_predictor_level, NaN is missing. Any number of threads may share a predictor. The
 * bits of tide_model_predict; tree ensembles behind no step allocate nothing.
 * Errors: data-infinite, and those of the model's steps. */
TIDE_API TIDE_MUST_USE tide_status tide_predict_row(const tide_row_predictor *predictor,
                                                    const double *values, double *out,
                                                    tide_error *err);
TIDE_API void tide_scores_free(tide_scores *scores);
TIDE_API int64_t tide_scores_rows(const tide_scores *scores);
TIDE_API int tide_scores_classes(const tide_scores *scores); /* 0: numbers, anomalies */
TIDE_API const char *tide_scores_label(const tide_scores *scores, int k);
/* Values of a row: one a class, one a quantile, rising, or 1. Static facts of the scores; any
 * thread. Since 0.1 */
TIDE_API int tide_scores_width(const tide_scores *scores);
/* What value k of a row is: its class, "q0.1" for a quantile, else "prediction"; NULL beyond the
 * width. Borrowed from the scores. Since 0.1 */
TIDE_API const char *tide_scores_output(const tide_scores *scores, int k);
/* [rows][width] */
TIDE_API const double *tide_scores_values(const tide_scores *scores);
/* class number; of anomalies 1 where the score reaches the model's threshold */
TIDE_API int tide_scores_predicted(const tide_scores *scores, int64_t row);
/* CSV: [id column,] prediction[, p_<class>...] (of several quantiles q0.1, q0.5 ... instead)[, further columns]; of anomalies "anomaly" or
 * "normal" as prediction, then score. */
struct tide_scores_csv {
    int32_t proba;
    int32_t spreadsheet_safe;
    const tide_frame *frame;
    const char *id;
    /* further columns at the end: n_extra names, and values [rows][n_extra] */
    int32_t n_extra;
    const char *const *extra_names;
    const double *extra;
};
TIDE_API TIDE_MUST_USE tide_status tide_scores_write(const tide_scores *scores,
                                                     const struct tide_scores_csv *how,
                                                     tide_sink_fn sink, void *payload,
                                                     tide_error *err);

/* Metrics with intervals, curves, confusion, calibration on a frame that has the target, or for
 * a model of anomalies labels. */
struct tide_eval_options {
    const char *metric; /* shown first; NULL: by task */
    int32_t all;        /* every metric of the task */
    uint64_t seed;
    int32_t bootstrap; /* replicates where no closed form exists; 0: 1000 */
    /* column of the groups that ranking metrics look into; NULL: the one the model was trained
     * with, if it ranks */
    const char *group;
    /* models of anomalies: column of labels with two classes, and the one that is an anomaly
     * (NULL: the last) */
    const char *target, *positive;
    /* models of trees: the metric after each of so many numbers of first trees; 0: not */
    int32_t stages;
    /* further tables (at most 8) whose stages are shown beside; borrowed */
    int32_t n_also;
    const tide_frame *const *also;
};
TIDE_API const struct tide_params *tide_eval_params(void);
TIDE_API TIDE_MUST_USE tide_status tide_model_eval(
    tide_ctx *ctx, const tide_model *model, const tide_frame *frame,
    const struct tide_eval_options *options, tide_report **out, tide_error *err);
/* One metric by its text "auc" or "f_beta(beta=2)" on arrays (tests, bindings). task: TIDE_CLASSIFY:
 * k, and label or proba [n][n_classes]; TIDE_REGRESS: y and pred. *value is NaN with a reason when undefined. */
struct tide_metric_in {
    uint32_t task;
    int64_t n;
    int32_t n_classes, positive;
    const double *y, *pred;
    const int32_t *k, *label;
    const double *proba, *w;
    int32_t n_features;
};
struct tide_metric_out {
    double value, lo, hi;
    int32_t defined;
    char method[24];
    char reason[160];
};
TIDE_API TIDE_MUST_USE tide_status tide_metric_value(tide_ctx *ctx, const char *metric,
                                                     const struct tide_metric_in *in,
                                                     int with_interval,
                                                     struct tide_metric_out *out,
                                                     tide_error *err);

/* Explores a table: types, missing, distributions, target balance, suspicious columns, advice. */
struct tide_look_options {
    const char *target;
    int32_t task;
    uint64_t seed;
};
TIDE_API TIDE_MUST_USE tide_status tide_look(tide_ctx *ctx, const tide_frame *frame,
                                             const struct tide_look_options *options,
                                             tide_report **out, tide_error *err);

#ifdef __cplusplus
}
#endif
#endif
