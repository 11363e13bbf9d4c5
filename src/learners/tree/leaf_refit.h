/* leaf_refit.h - the leaves of a boosted model made anew from other rows (leaf_refit.c) */
#ifndef LEARNERS_TREE_LEAF_REFIT_H
#define LEARNERS_TREE_LEAF_REFIT_H
#include "infer/ensemble.h"
#include "learners/tree/boost.h"
#include "learners/tree/grad.h"
#include "learners/tree/own_loss.h"

struct leaf_refit {
    struct tide_ctx *ctx;
    const struct boost_params *p;
    const struct ensemble *e; /* tree t belongs to round t / n_outputs */
    const struct view *x;
    const uint8_t *const *derived; /* [n_derived] codes of its rows, NULL: none */
    struct grad *grad; /* scores before the first tree; they end behind the last */
    enum objective_id loss;
    struct own_loss *own;      /* the caller's loss, or NULL */
    const int64_t *refit_unit; /* weights of residuals; NULL: all 1 */
    double max_leaf;
    double decay; /* share of an old value that stays */
    const char *phase;
};
/* *leaf: the values of all leaves of e, from the arena. */
tide_status leaf_refit(const struct leaf_refit *r, struct arena *a, const double **leaf,
                       tide_error *err);
#endif
