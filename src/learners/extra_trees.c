/* extra_trees.c - extremely randomised trees
 *
 * Problem       the mean of many deep trees whose thresholds are drawn, not searched: still less
 *               variance than a forest, at a little more bias
 * Method        Geurts, Ernst, Wehenkel 2006: at each node one threshold a tried column, uniform
 *               between the node's least and largest value; the best of them splits
 * Draws         thresholds: hash of (seed, tree, path of the node, name); columns: a deck in the
 *               order of names, by the same without the name
 * Missing       the side of missing cells is drawn too; levels are ordered once by mean target
 * Order         integer sums only: same bytes for any threads, instruction set, row order
 * Cost          about 0.2 us a row and tree at 28 columns; bytes: 18 a value, 40 a leaf
 * Differs from  scikit-learn: a threshold moves to the middle of the two values it fell between;
 *               it is drawn in 32 bits about the median, but any two of up to 65,534 values part
 * Guide         Q10
 */
#include "learners/tree/forest_fit.h"

static const struct tide_param extra_rows[] = {
    P_INT(forest_params, trees, "300", P_RANGE(1, 100000), P_TUNE(50, 2000),
          .flags = TIDE_LOG, .help = "number of trees",
          .alias = "n_estimators num_trees iterations"),
    P_REAL(forest_params, columns, "0", P_RANGE(0, 1), P_TUNE(0.05, 1),
           .help = "share of columns tried at a node, 0: root of their number, or 1/3",
           .alias = "max_features colsample_bynode"),
    P_INT(forest_params, min_rows, "0", P_RANGE(0, 1000000000), P_TUNE(1, 100),
          .flags = TIDE_LOG, .help = "fewest rows of a leaf, 0 for 1 (5 for numbers)",
          .alias = "min_samples_leaf min_node_size min_examples"),
    P_INT(forest_params, depth, "0", P_RANGE(0, 512),
          .help = "most levels, 0 for no limit", .alias = "max_depth"),
    P_INT(forest_params, leaves, "0", P_RANGE(0, 1000000000),
          .help = "most leaves of a tree, best first, 0 for no limit",
          .alias = "max_leaf_nodes max_leaves"),
    P_BOOL(forest_params, bootstrap, "no",
           .help = "draw rows with replacement; no: each tree sees every row once"),
    P_REAL(forest_params, rows, "1", P_RANGE(0, 1), .flags = TIDE_OPEN_LO,
           .help = "mean number of times that a row is drawn", .when = "bootstrap=yes",
           .alias = "max_samples subsample sample_fraction"),
    P_ENUM(forest_params, criterion, "auto", forest_criteria,
           .help = "impurity: gini or entropy for classes, squared for numbers"),
    P_ENUM(forest_params, class_weight, "none", forest_class_weights,
           .help = "balanced: every class counts the same"),
    P_REAL(forest_params, min_gain, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least weighted impurity decrease of a split",
           .alias = "min_impurity_decrease"),
    P_BOOL(forest_params, oob, "no",
           .help = "score each row by the trees that have not seen it",
           .when = "bootstrap=yes", .alias = "oob_score"),
    P_ENUM(forest_params, importance, "impurity", forest_importances,
           .flags = TIDE_KEPT,
           .help = "permutation: what rows out of bag lose by shuffled columns"),
};

static tide_status extra_trees_fit(struct tide_ctx *ctx, const void *params,
                                   const struct fit_data *d,
                                   const struct fit_data *valid, int32_t rounds,
                                   struct state *out, struct fit_info *info,
                                   tide_error *err)
{
    (void)valid;
    return forest_fit(ctx, params, 1, d, rounds, out, info, err);
}

static tide_status extra_trees_resume(struct tide_ctx *ctx, const void *params,
                                      const struct fit_data *d,
                                      const struct fit_data *valid, int32_t rounds,
                                      const struct fit_resume *from, struct state *out,
                                      struct fit_info *info, tide_error *err)
{
    (void)valid;
    return forest_resume(ctx, params, 1, d, rounds, from, out, info, err);
}

const struct tide_learner tide_learner_extra_trees = {
    .name = "extra_trees",
    .title = "Extremely randomised trees",
    .camel = "ExtraTrees",
    .guide = "Q10",
    .paper = "Geurts, Ernst, Wehenkel 2006",
    .small = "trees=20",
    .min_rows = 2,
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS | TIDE_INTEGER_SUMS |
              TIDE_CONTINUES,
    .params = TIDE_TABLE(extra_rows, forest_params),
    .check = forest_check,
    .cost = forest_cost,
    .fit = extra_trees_fit,
    .resume = extra_trees_resume,
    .counts = "trees",
    .rounds = forest_rounds,
    .load = forest_load,
    .predict = forest_predict,
    .predict_row = forest_predict_row,
    .trees = forest_trees,
    .importance = forest_importance,
    .describe = forest_describe,
};
