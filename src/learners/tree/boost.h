/* boost.h - gradient boosting from a table to an ensemble's state (gbdt.c holds the descriptor) */
#ifndef LEARNERS_TREE_BOOST_H
#define LEARNERS_TREE_BOOST_H
#include "spec/learner.h"

struct boost_params {
    int32_t trees, leaves, depth, min_rows, bins, bin_sample, patience;
    int32_t loss; /* enum objective_id */
    int32_t weights, cat_rows, growth, sampling;
    const char *monotone, *interact, *offset, *exposure;
    double rate, min_hessian, l2, l1, min_gain, rows, columns, cat_smooth, cat_l2;
    double quantile, power, delta, max_leaf, path_smooth, pos_weight, decay,
        columns_level, columns_node;
};
/* Fewer rows than this: rounds are chosen by folds instead of one set of rows put aside. */
#define BOOST_FOLD_ROWS 2000
/* As tide_learner.fit. */
tide_status boost_fit(struct tide_ctx *ctx, const struct boost_params *p,
                      const struct fit_data *d, const struct fit_data *valid,
                      int32_t rounds, struct state *out, struct fit_info *info,
                      tide_error *err);
#endif
