/* learner.h - the descriptor of a learning algorithm: one .c file exports one of these */
#ifndef SPEC_LEARNER_H
#define SPEC_LEARNER_H
#include "spec/entry.h"

/* Bounds known before fitting. */
struct fit_cost {
    int64_t scratch_bytes, model_bytes;
    double work;
};

/* Where states so far go to; states belong to the call. */
struct fit_snapshot {
    int32_t every; /* rounds */
    tide_status (*take)(void *payload, const struct state *s, tide_error *err);
    void *payload;
};

/* What a fit reports besides its state. Zeroed by the caller; strings from the arena. */
struct fit_info {
    int32_t rounds, best_round; /* boosting: trained, kept */
    int converged;              /* iterative solvers: 1 yes, 0 no, -1 does not apply */
    const char *note;           /* one sentence for the user, or NULL */
    double threshold;           /* anomaly: scores from here on are called so */
    tide_error warning;         /* of the model as it is; code 0: none */
    /* the fit was cancelled and the state holds a whole, smaller model */
    int partial;
    /* given by the caller: what a fit that can be continued also reports on its way; or NULL */
    const struct fit_snapshot *snapshot;
};

/* What a fit goes on from, with trait CONTINUES. */
struct fit_resume {
    const void *object; /* of the fitted model, as load made it */
    int refit;    /* 0: rounds behind its trees; 1: its trees, with leaves made anew */
    double decay; /* refit: the share of an old leaf's value that stays */
};

/* What the parameters of a learner settle before any data is seen. */
struct fit_aims {
    uint32_t tasks;                  /* those of the learner that they leave */
    const char *metric;              /* to judge by; NULL: the task's */
    int own_loss;                    /* the loss is the caller's: fit_data.own_loss */
    struct tide_real_list quantiles; /* predicted at once; n 0: one value. Borrowed */
};

/* Margins that are intercept + sum of coef x, for explanations. */
struct linear_form {
    int n_out, p;
    const double *coef;      /* [n_out][p] */
    const double *intercept; /* [n_out] */
    const double *mean; /* [p] of the rows that were learned from; NULL: not known */
};

struct ensemble; /* infer/ensemble.h */
struct tide_learner {
    TIDE_ENTRY;
    const char *small; /* "trees=20": what the test suites set */
    int32_t min_rows;  /* fewer are refused: data-few-rows */
    /* Rules between parameters only. NULL: none. */
    tide_status (*check)(const void *params, tide_error *err);
    /* Narrows `out`, which holds all tasks and no metric. NULL: they settle nothing. */
    void (*aims)(const void *params, struct fit_aims *out);
    /* NULL: nothing worth stating (O(n p) doubles). */
    void (*cost)(const void *params, const struct fit_data *d, struct fit_cost *out);
    /* Fits and writes the state. `valid` (nullable) are rows to watch for early stopping; with
     * trait STOPS_EARLY and valid NULL the learner splits its own by (seed, "stop", id).
     * `rounds` > 0 fixes the number of boosting rounds and turns stopping off. On
     * TIDE_ECANCELLED a learner may leave a whole smaller model and set info->partial. */
    tide_status (*fit)(struct tide_ctx *ctx, const void *params,
                       const struct fit_data *d, const struct fit_data *valid,
                       int32_t rounds, struct state *out, struct fit_info *info,
                       tide_error *err);
    /* As fit, from a fitted object; `rounds` counts those of the object, too. The parameter named
     * `counts` holds all rounds, and parameters flagged KEPT are those of the model. With refit
     * nothing is watched, and rounds is 0. NULL: such a model cannot be continued. */
    tide_status (*resume)(struct tide_ctx *ctx, const void *params,
                          const struct fit_data *d, const struct fit_data *valid,
                          int32_t rounds, const struct fit_resume *from,
                          struct state *out, struct fit_info *info, tide_error *err);
    int refits;                            /* resume takes refit, too */
    const char *counts;                    /* "trees"; NULL without resume */
    int32_t (*rounds)(const void *object); /* that it has; NULL without resume */
    /* Rebuilds the working object from a state (fresh or from a file), checking everything.
     * n_cols and n_levels[j] (0: numeric) describe the view it will be given; n_out is K for
     * classification and for K quantiles, else 1. Memory from the arena, which outlives the object. */
    tide_status (*load)(const struct state *s, uint32_t task, int32_t n_out,
                        int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                        void **object, tide_error *err);
    /* Scores view rows [i0, i0 + n): probabilities [n][K] for classification, values [n] for
     * regression ([n][K] of K quantiles, rising in each row), scores [n] in [0, 1] for anomalies, the strangest highest; row-major. No allocation that outlives the call; may be called from any thread. */
    tide_status (*predict)(const void *object, const struct view *x, int64_t i0,
                           int64_t n, double *out, tide_error *err);
    /* Scores one row, the bits of `predict`, without allocating: x[j] is a number, or the level of
     * a category; NaN is missing. NULL: rows come as views of one. */
    void (*predict_row)(const void *object, const double *x, double *out);
    /* The trees behind a fitted object, for explanations. NULL: it has none. */
    const struct ensemble *(*trees)(const void *object);
    /* The trees whose leaves add up to the margins, where those of `trees` do not. NULL: `trees`. */
    const struct ensemble *(*margin_trees)(const void *object);
    /* NULL: the margins are not linear. */
    void (*linear)(const void *object, struct linear_form *out);
    /* Adds to the margins of rows what is no tree's: an offset column. Returns 0 when this
     * object has none (n may be 0 to ask). NULL: never. */
    int (*offset)(const void *object, const struct view *x, int64_t i0, int64_t n,
                  double *margin);
    /* Importance of each column, >= 0, summing to 1 (all 0 when there is none). NULL: none. */
    void (*importance)(const void *object, double *out);
    /* One line about the fitted object for show: "312 trees, 9,672 leaves". NULL: none. */
    void (*describe)(const void *object, char *out, size_t size);
};
#endif
