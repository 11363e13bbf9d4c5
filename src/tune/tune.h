/* tune.h - candidates, the choice among them, and the training of one */
#ifndef TUNE_TUNE_H
#define TUNE_TUNE_H
#include "eval/eval.h"

/* How the rows of a problem are validated. Rows with fold >= k are never scored (hold-out: k is 1,
 * the rows held out have fold 0, the others 1). */
struct plan {
    int32_t *fold; /* [n_rows] */
    int k;
    char how[96]; /* "5 stratified folds" */
};

struct candidate {
    const char *name; /* of the learner */
    tide_pipeline *pipeline;
    struct cv_result cv;
    double mean, se;      /* of the chosen metric over folds */
    double diff, diff_se; /* how far it stands behind the best, paired, and its error */
};

/* Fits and scores every candidate by the plan, then applies the one-standard-error rule on
 * paired differences: kept is the first candidate, in order of simplicity, whose mean
 * stands no more than one standard error behind the best. *why is the reason as a sentence. */
tide_status auto_choose(struct tide_ctx *ctx, const struct problem *p,
                        const struct plan *plan, const struct tide_metric *metric,
                        uint64_t seed, struct arena *a, struct candidate *c, int n,
                        int *chosen, char why[320], tide_error *err);
/* The candidates of a task in order of simplicity: names, NULL-ended. */
const char *const *auto_candidates(uint32_t task);
#endif
