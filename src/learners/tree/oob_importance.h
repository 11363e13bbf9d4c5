/* oob_importance.h - what a column is worth to rows that a tree has not seen */
#ifndef LEARNERS_TREE_OOB_IMPORTANCE_H
#define LEARNERS_TREE_OOB_IMPORTANCE_H
#include "learners/tree/forest_grow.h"

/* importance[n_cols]: how much worse the trees of f are, on average, with rows that they have not
 * seen when the column's values change places among these: share of right answers, or squared
 * error; never below 0. rules->rows > 0: those that the trees were grown by. */
tide_status oob_importance(struct tide_ctx *ctx, const struct forest *f,
                           const struct forest_data *data,
                           const struct forest_rules *rules, double *importance,
                           tide_error *err);
#endif
