/* step.h - the descriptor of a pipeline step; impute_median.c is "impute:median" */
#ifndef SPEC_STEP_H
#define SPEC_STEP_H
#include "spec/entry.h"

enum step_takes { STEP_NUMERIC = 1, STEP_CATEGORY = 2 };

/* Columns a step makes: pointers to new columns in the arena. `from[i]` is the index (within
 * the step's input view) of the column that output i derives from. */
struct step_out {
    int n_cols;
    const struct column **cols;
    const int32_t *from;
};

struct tide_step {
    TIDE_ENTRY;
    uint32_t takes; /* which columns it works on when the pipeline text does not say */
    tide_status (*check)(const void *params, tide_error *err);
    /* Learns from the columns given (only those it takes). */
    tide_status (*fit)(struct tide_ctx *ctx, const void *params,
                       const struct fit_data *d, struct state *out, tide_error *err);
    /* Rebuilds the working object; n_cols and n_levels as in learner.h. */
    tide_status (*load)(const struct state *s, int32_t n_cols, const uint32_t *n_levels,
                        struct arena *a, void **object, tide_error *err);
    /* New columns that replace the view's, with view order and n_rows rows (rows = NULL from
     * then on). Names of outputs are a function of input names and state only. A column that
     * does not change may be passed on only when view->rows is NULL. Memory from the arena. */
    tide_status (*apply)(struct tide_ctx *ctx, const void *object, const struct view *x,
                         struct arena *a, struct step_out *out, tide_error *err);
};
#endif
