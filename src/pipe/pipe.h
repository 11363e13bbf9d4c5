/* pipe.h - problems, pipelines and fitted models: the one place where fitting happens
 *
 * A problem is made once from a frame and the user's wishes: target, task, classes, weights,
 * features. A pipeline is text made into steps and a learner. pipe_fit puts them together on
 * some rows: it builds the model's own schema (columns in byte order of names, levels that
 * occur in these rows in byte order), fits each step and the learner on these rows only, and
 * so a leak would take effort. */
#ifndef PIPE_PIPE_H
#define PIPE_PIPE_H
#include <tidemill/model.h>

#include "base/json.h"
#include "frame/frame.h"
#include "spec/learner.h"
#include "spec/metric.h"
#include "spec/spec.h"
#include "spec/state.h"
#include "spec/step.h"

/* ---- problem ---- */
struct problem {
    struct arena arena;
    const tide_frame *frame; /* owned reference */
    uint32_t task;
    char why_task[160]; /* "text column with 2 values" */
    int target;         /* column of the frame; -1: anomalies are learned without */
    int32_t n_classes;
    /* [n_classes] numeric order if all are numbers, else byte order */
    const char **labels;
    int32_t positive;    /* binary: class number; default the last */
    int64_t n_rows;      /* usable rows: target present, weight > 0 */
    const int64_t *rows; /* [n_rows] rows of the frame */
    const double *y;     /* [n_rows], of numbers; else NULL */
    const int32_t *k;    /* [n_rows], of classes; else NULL */
    const double *w;     /* [n_rows] or NULL */
    int n_features;
    const int32_t *features; /* columns of the frame, byte order of names */
    int64_t n_target_missing;
    int weight_column, id_column, group_column; /* -1: none */
    const char *weight_name;
    const int64_t *group; /* [n_rows] key of each row's group, or NULL: group.c */
};
/* Rows of its views: NULL where these are all rows of the frame, in order. */
static inline const int64_t *problem_view_rows(const struct problem *p)
{
    return p->n_rows == p->frame->n_rows ? NULL : p->rows;
}
/* Warnings by ctx (data-target-missing, data-constant, data-id, data-leak, data-imbalance).
 * Errors: data-column, data-target, data-classes, data-weight, data-no-rows, data-no-features. */
tide_status problem_new(struct tide_ctx *ctx, const tide_frame *frame,
                        const struct tide_problem_options *options,
                        struct problem **out, tide_error *err);
/* The same for rows that `model` is to learn from, too: target, task, columns and classes are its
 * own, weight and id column where the options name none. Errors beyond: those of binding,
 * param-conflict for options that say otherwise, data-classes for a class that is new. */
struct tide_model;
tide_status problem_resume(struct tide_ctx *ctx, const tide_frame *frame,
                           const struct tide_problem_options *options,
                           const struct tide_model *model, struct problem **out,
                           tide_error *err);
/* The two classes of a column of labels, to judge anomalies by: rows, k, w, labels and positive
 * alone. Errors: as problem_new; data-classes for one class or more than two. */
tide_status problem_labels(struct tide_ctx *ctx, const tide_frame *frame,
                           const char *column, const char *positive,
                           struct problem **out, tide_error *err);
void problem_free(struct problem *p);

/* ---- pipeline text <-> graph ---- */
struct pipe_node {
    const struct tide_step *step;       /* or */
    const struct tide_learner *learner; /* the last node */
    /* "num", "cat", "all", or a column name; "" = what the step takes */
    char select[64];
    tide_values *values;
};
struct tide_pipeline {
    int n;
    struct pipe_node *nodes;
};
/* Text -> graph. Errors carry column (1-based byte) in the text and file "--pipeline":
 * pipeline-syntax, pipeline-step, param-*, pipeline-order, limit-depth. */
tide_status pipeline_parse(const char *text, tide_pipeline **out, tide_error *err);
/* The canonical text: parse(print(parse(x))) == parse(x). only_changed parameters are printed. */
void pipeline_print(const tide_pipeline *p, struct str *out);
/* A learner alone with its default preparation for these features; `note` (nullable) gets the one line
 * that says what was added. sets: "k=v" pairs for the learner. */
tide_status pipeline_default(const char *learner, const struct tide_text_list *sets,
                             const struct problem *p, tide_pipeline **out,
                             struct str *note, tide_error *err);
/* The pipeline of a model that is continued: its parameters, then `sets` for the learner, where
 * the one that counts rounds counts further ones; refit: no further ones. Errors: param-conflict
 * for what must stay and for learners that cannot go on. */
tide_status pipeline_resume(const struct tide_model *model, int refit,
                            const struct tide_text_list *sets, tide_pipeline **out,
                            tide_error *err);
/* What the parameters of a pipeline's learner settle, or those of a learner by name. */
void pipeline_aims(const tide_pipeline *p, struct fit_aims *out);
tide_status pipeline_default_aims(const char *learner,
                                  const struct tide_text_list *sets,
                                  struct fit_aims *out, tide_error *err);
void pipeline_free(tide_pipeline *p); /* NULL is a no-op */
tide_status pipeline_copy(const tide_pipeline *p, tide_pipeline **out, tide_error *err);
void pipeline_free(tide_pipeline *p);

/* ---- fitted model ---- */
struct schema_column {
    const char *name;
    uint8_t type;       /* enum tide_type of the training column */
    uint32_t n_levels;  /* categories; 0: number */
    struct dict levels; /* byte order */
    double lo, hi;      /* numbers seen, NaN when none */
    int64_t n_missing;
};
struct schema {
    int n_cols;
    struct schema_column *cols; /* byte order of names */
    uint32_t task;
    const char *target; /* NULL: learned without */
    uint8_t target_type;
    int32_t n_classes, positive;
    const char **labels;
    /* regress: quantiles that a row's scores are, rising; 0: one value */
    int32_t n_outputs;
    const char **outputs; /* [n_outputs] "q0.1" */
    const double *shares; /* [n_outputs] 0.1 */
    /* binary: on p(positive), 0.5; anomaly: on the score */
    double threshold;
    const char *weight, *id, *group; /* names or NULL */
};
/* Scores of a row. */
static inline int32_t schema_width(const struct schema *s)
{
    return s->task == TIDE_CLASSIFY ? s->n_classes
           : s->n_outputs > 1       ? s->n_outputs
                                    : 1;
}
/* The outputs that a pipeline makes of a model of this task, into s and the arena. */
tide_status schema_outputs(const tide_pipeline *p, struct schema *s, struct arena *a,
                           tide_error *err);
/* The one of n rising shares that stands for a row where one value does: nearest to a half. */
int32_t shares_centre(const double *share, int32_t n);
struct fitted_node {
    const struct tide_step *step;
    const struct tide_learner *learner;
    int32_t width;       /* columns of the view it meets */
    int32_t n_in;        /* columns it takes; a step that takes none is idle */
    const int32_t *in;   /* indices into the view it meets */
    uint32_t *in_levels; /* [n_in] */
    struct state state;
    void *object;
};
struct tide_model {
    atomic_int refs;
    struct arena arena;
    struct schema schema;
    tide_pipeline *pipeline;
    int n_nodes;
    struct fitted_node *nodes; /* last: the learner */
    uint64_t seed;
    /* header parts: metrics, rows, validation, data hash, notes, verdict */
    json_t *about;
    struct state profile; /* PROFILE arrays */
    struct state golden;  /* GOLDEN arrays */
    char sha256[65];      /* of the file it came from or went to, else "" */
    int64_t file_bytes;
    int partial;
    struct tide_model *whole; /* held: what a model of first trees shares; else NULL */
    void *map;
    size_t map_bytes; /* store: the block it lives in, if any */
};
struct pipe_fit { /* what to fit on */
    /* positions in the problem (0..n_rows-1), NULL = all */
    const int64_t *rows;
    int64_t n;
    /* positions watched for early stopping, or NULL */
    const int64_t *valid;
    int64_t n_valid;
    int32_t rounds; /* > 0: fixed boosting rounds */
    uint64_t seed;
    const char *phase;
    /* a model to go on from (a problem of problem_resume, a pipeline of pipeline_resume), or NULL;
     * refit: as struct fit_resume */
    const struct tide_model *from;
    int refit;
    double decay;
    const struct tide_loss *own_loss; /* as struct fit_data */
    /* of a learner that can be continued; or NULL */
    const struct tide_snapshot *snapshot;
};
/* Fits a pipeline on rows of a problem. On TIDE_ECANCELLED *out may be a whole, partial model. */
tide_status pipe_fit(struct tide_ctx *ctx, const struct problem *p,
                     const tide_pipeline *pipeline, const struct pipe_fit *how,
                     tide_model **out, struct fit_info *info, tide_error *err);
/* Counts what binding met. */
struct bind_counts {
    int64_t unseen, missing;
    int n_extra;
    const char *extra[8];
};
/* Binds a frame to the model's schema by name (errors: data-column listing all missing names,
 * data-type) and scores rows (NULL = all rows of the frame): out [n][schema_width]. */
tide_status pipe_predict(struct tide_ctx *ctx, const tide_model *m,
                         const tide_frame *frame, const int64_t *rows, int64_t n,
                         double *out, struct bind_counts *counts, tide_error *err);
/* True classes of a frame's target column in the model's class numbers (unknown labels get
 * n_classes), or values; missing targets are left out of rows. For eval. */
struct truth {
    int64_t n;
    const int64_t *rows;
    const double *y;
    const int32_t *k;
    const double *w;
    const int64_t *group; /* NULL: the model has none, or the frame lacks its column */
    int64_t n_missing;
    int n_unknown;
    const char *unknown[8];
};
tide_status pipe_truth(struct tide_ctx *ctx, const tide_model *m,
                       const tide_frame *frame, struct arena *a, struct truth *out,
                       tide_error *err);
/* Keys of the groups that a column's values name, for rows [n] of the frame: equal values, equal
 * keys. Errors: data-missing with the row. */
tide_status pipe_groups(const tide_frame *frame, int column, const int64_t *rows,
                        int64_t n, struct arena *a, const int64_t **out,
                        tide_error *err);
/* Rebuilds every node's object from its state (store calls it after reading a file). */
tide_status model_load_nodes(tide_model *m, tide_error *err);
tide_model *model_new(struct tide_ctx *ctx, tide_error *err);
/* Training profile and golden rows (inference.md 6), synthesised, no person's record. */
tide_status model_add_profile(struct tide_ctx *ctx, tide_model *m,
                              const struct problem *p, tide_error *err);
tide_status model_add_golden(struct tide_ctx *ctx, tide_model *m, tide_error *err);
/* Scores the golden rows and compares with the stored bits (within the learner's tolerance). */
tide_status model_check_golden(struct tide_ctx *ctx, const tide_model *m,
                               tide_error *err);
/* Predicted class of one row of probabilities (binary: threshold; else argmax, ties to the lower). */
int32_t model_label(const tide_model *m, const double *proba);
/* (*origin)[j]: the schema column that the learner's column j derives from; in the arena. */
tide_status model_origins(const tide_model *m, struct arena *a, int32_t **origin,
                          tide_error *err);
/* Importance by input column [schema.n_cols], from the learner through the steps. */
tide_status model_importance(const tide_model *m, double *out, tide_error *err);
#endif
