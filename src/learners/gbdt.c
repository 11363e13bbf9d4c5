/* gbdt.c - gradient-boosted decision trees
 *
 * Problem       min over trees of sum_i s_i loss(y_i, F(x_i)) + l2/2 |leaves|^2 + l1 |leaves|;
 *               losses of numbers and of classes: tree/objective.c; K classes, or K quantiles of a
 *               number, are K trees a round, or one whose leaves hold K values (tree/grow_vector.c);
 *               of the order of a query's rows: tree/rank_loss.c; the caller's: tree/own_loss.c
 * Method        Newton boosting on histograms of at most 255 codes a column, trees grown leaf
 *               by leaf (Friedman 2001; Ke et al. 2017), by levels, or with one test a level;
 *               gradients as dithered 16-bit integers
 * Stopping      on rows given, or on a tenth of the rows: `patience` rounds without a lower loss
 *               end it and the model is cut to its best round; below 2,000 rows or where asked
 *               for (rounds_by) five folds choose the number of rounds and all rows are fitted
 *               with it; groups stay whole
 * Dropping      dart: trees grow on what some of the earlier leave (tree/dart.c)
 * Going on      from a model: rounds behind its trees (boost.c), or its trees with leaves from
 *               other rows (leaf_refit.c)
 * Categories    split by sets of levels or by their order (tree/split.c); pairs of levels that clearly
 *               matter become features (tree/target_stat.c)
 * Missing       both directions are tried at every split; categories need no encoder (split.c)
 * Order         integer sums only: same bytes for any threads, instruction set, row order
 * Cost          about 2 core-ns a row, column and tree of 255 leaves; bytes: 2 a value, 24 a row
 * Differs from  LightGBM: exact min_rows, order-free sums, missing levels; XGBoost: leaf-wise
 * Guide         Q10 Q13
 */
#include <math.h>

#include "base/err.h"
#include "base/str.h"
#include "infer/ensemble.h"
#include "learners/tree/boost.h"
#include "learners/tree/grow.h"
#include "learners/tree/objective.h"
#include "learners/tree/offset.h"
#include "learners/tree/row_sample.h"
#include "learners/tree/target_stat.h"

static const char *const gbdt_growths[] = {"leaf", "level", "symmetric", NULL};
static const char *const gbdt_growth_aliases[] = {
    "lossguide leafwise best_first_global", "depthwise levelwise",
    "symmetrictree oblivious", NULL};
static const char *const gbdt_cat_splits[] = {"auto", "sets", "order", NULL};
static const char *const gbdt_cat_stats[] = {"auto", "none", "single", "pairs", NULL};
static const char *const gbdt_multi[] = {"auto", "trees", "vector", NULL};
static const char *const gbdt_multi_aliases[] = {"", "one_output_per_tree",
                                                 "multi_output_tree", NULL};
static const char *const gbdt_rounds_by[] = {"auto", "share", "folds", NULL};
static const char *const gbdt_weights[] = {"none", "balanced", NULL};

static const struct tide_param gbdt_rows[] = {
    P_INT(boost_params, trees, "500", P_RANGE(1, 100000), P_TUNE(50, 5000),
          .flags = TIDE_LOG, .help = "most boosting rounds",
          .alias = "n_estimators num_boost_round iterations num_iterations max_iter "
                   "num_trees"),
    P_REAL(boost_params, rate, "0.05", P_RANGE(0, 1), P_TUNE(0.005, 0.5),
           .flags = TIDE_OPEN_LO | TIDE_LOG, .help = "shrinkage of each tree",
           .alias = "learning_rate eta shrinkage"),
    P_REAL(boost_params, decay, "1", P_RANGE(0, 1), .flags = TIDE_OPEN_LO | TIDE_EXPERT,
           .help = "factor on the rate from round to round",
           .alias = "rate_decay learning_rate_decay"),
    P_INT(boost_params, leaves, "31", P_RANGE(2, 65536), P_TUNE(4, 512),
          .flags = TIDE_LOG, .help = "most leaves of a tree",
          .alias = "num_leaves max_leaves max_leaf_nodes"),
    P_INT(boost_params, depth, "0", P_RANGE(0, 512),
          .help = "most levels of a tree; 0: no limit, growth=symmetric 6",
          .alias = "max_depth"),
    P_ENUM(boost_params, growth, "leaf", gbdt_growths, .flags = TIDE_EXPERT,
           .choice_alias = gbdt_growth_aliases,
           .help =
               "leaf: largest gain next; level: least depth; symmetric: a test a level",
           .alias = "grow grow_policy growing_strategy"),
    P_ENUM(boost_params, multi, "auto", gbdt_multi, .choice_alias = gbdt_multi_aliases,
           .flags = TIDE_KEPT | TIDE_EXPERT,
           .help =
               "a tree for each output, or one with vector leaves; auto: for quantiles",
           .alias = "multi_strategy"),
    P_INT(boost_params, min_rows, "20", P_RANGE(1, 1000000000), P_TUNE(1, 200),
          .flags = TIDE_LOG, .help = "fewest rows of a leaf",
          .alias = "min_child_samples min_data_in_leaf min_samples_leaf min_examples"),
    P_REAL(boost_params, min_hessian, "0.001", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least sum of second derivatives of a leaf",
           .alias = "min_child_weight min_sum_hessian_in_leaf"),
    P_REAL(boost_params, l2, "1", P_RANGE(0, 1e300), P_TUNE(0.01, 100),
           .flags = TIDE_LOG, .help = "squared penalty on leaf values",
           .alias = "reg_lambda lambda_l2 l2_regularization l2_leaf_reg"),
    P_REAL(boost_params, l1, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "absolute penalty on leaf values", .alias = "reg_alpha lambda_l1"),
    P_REAL(boost_params, min_gain, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least gain of a split",
           .alias = "gamma min_split_gain min_gain_to_split"),
    P_INT(boost_params, bins, "255", P_RANGE(2, 255), .flags = TIDE_KEPT | TIDE_EXPERT,
          .help = "most codes of a column", .alias = "max_bin max_bins border_count"),
    P_INT(boost_params, bin_sample, "200000", P_RANGE(1000, 2000000000),
          .flags = TIDE_KEPT | TIDE_EXPERT, .help = "rows that the codes are made from",
          .alias = "bin_construct_sample_cnt"),
    P_REAL(boost_params, rows, "1", P_RANGE(0, 1), P_TUNE(0.3, 1),
           .flags = TIDE_OPEN_LO, .help = "share of rows for each tree",
           .alias = "subsample bagging_fraction"),
    P_ENUM(boost_params, sampling, "uniform", row_sampling_names, .flags = TIDE_EXPERT,
           .when = "rows<1",
           .help = "rows drawn alike, or more often where gradients are large",
           .alias = "data_sample_strategy sampling_method bootstrap_type"),
    P_REAL(boost_params, columns, "1", P_RANGE(0, 1), P_TUNE(0.2, 1),
           .flags = TIDE_OPEN_LO, .help = "share of columns for each tree",
           .alias = "colsample_bytree feature_fraction"),
    P_REAL(boost_params, columns_level, "1", P_RANGE(0, 1), P_TUNE(0.2, 1),
           .flags = TIDE_OPEN_LO | TIDE_EXPERT,
           .help = "chance of a column in each level of a tree",
           .alias = "colsample_bylevel"),
    P_REAL(boost_params, columns_node, "1", P_RANGE(0, 1), P_TUNE(0.2, 1),
           .flags = TIDE_OPEN_LO | TIDE_EXPERT,
           .help = "chance of a column in each node of a tree",
           .alias = "colsample_bynode feature_fraction_bynode"),
    P_REAL(boost_params, cat_smooth, "10", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "shrinkage of levels when they are sorted"),
    P_REAL(boost_params, cat_l2, "10", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "further squared penalty in splits on sorted levels"),
    P_INT(boost_params, cat_rows, "100", P_RANGE(1, 1000000000), .flags = TIDE_EXPERT,
          .help = "fewest rows between two cuts of sorted levels",
          .alias = "min_data_per_group"),
    P_ENUM(boost_params, cat_split, "auto", gbdt_cat_splits, .flags = TIDE_EXPERT,
           .help = "sets: levels sorted by effect; order: by name; auto: the better"),
    P_ENUM(boost_params, cat_stats, "auto", gbdt_cat_stats,
           .flags = TIDE_KEPT | TIDE_EXPERT,
           .help =
               "features of the target by levels; auto: by pairs that clearly matter"),
    P_INT(boost_params, patience, "50", P_RANGE(0, 100000),
          .help = "rounds without a better loss that end it, 0 for never",
          .alias = "early_stopping_rounds early_stopping_round n_iter_no_change"),
    P_TEXT(boost_params, stop_on, NULL, .metavar = "METRIC",
           .help =
               "metric of the rows watched that ends the rounds; by default the loss",
           .alias = "eval_metric stop_metric scoring", .flags = TIDE_EXPERT),
    P_ENUM(boost_params, rounds_by, "auto", gbdt_rounds_by, .flags = TIDE_EXPERT,
           .help =
               "watched: a tenth of the rows, or five folds; auto: folds below 2,000"),
    P_ENUM(boost_params, loss, "auto", objective_names,
           .choice_alias = objective_aliases, .help = "what is minimised",
           .alias = "objective", .flags = TIDE_KEPT),
    P_REALS(boost_params, quantile, "0.5", P_RANGE(0, 1),
            .flags = TIDE_KEPT | TIDE_OPEN_LO | TIDE_OPEN_HI, .when = "loss=quantile",
            .help = "share of targets below the prediction; several: 0.1,0.5,0.9",
            .alias = "alpha quantile_alpha quantiles"),
    P_REAL(boost_params, power, "1.5", P_RANGE(1, 2), P_TUNE(1.1, 1.9),
           .flags = TIDE_KEPT | TIDE_OPEN_LO | TIDE_OPEN_HI, .when = "loss=tweedie",
           .help = "the variance grows as this power of the mean",
           .alias = "tweedie_variance_power"),
    P_REAL(boost_params, delta, "0", P_RANGE(0, 1e150),
           .flags = TIDE_KEPT | TIDE_EXPERT, .when = "loss=huber",
           .help = "error where it turns linear; 0: 0.9 quantile around the median",
           .alias = "huber_slope huber_delta"),
    P_TEXT(boost_params, exposure, NULL, .metavar = "COLUMN",
           .help = "column that a count or amount is proportional to (log links)",
           .flags = TIDE_KEPT),
    P_TEXT(boost_params, offset, NULL, .metavar = "COLUMN",
           .help = "column added to the score, not learned from",
           .alias = "init_score base_margin", .flags = TIDE_KEPT),
    P_ENUM(boost_params, weights, "none", gbdt_weights,
           .help = "balanced: every class counts as much as the others",
           .alias = "class_weight is_unbalance"),
    P_REAL(boost_params, pos_weight, "1", P_RANGE(0, 1e15), .flags = TIDE_OPEN_LO,
           .help = "two classes: factor on the weights of the last",
           .alias = "scale_pos_weight"),
    P_REAL(boost_params, max_leaf, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "most of a leaf before the rate; 0: none, log links 0.7",
           .alias = "max_delta_step"),
    P_TEXT(boost_params, monotone, NULL, .flags = TIDE_EXPERT, .metavar = "SIGNS",
           .help = "'+age,-price': predictions never fall with age, rise with price",
           .alias = "monotone_constraints"),
    P_TEXT(boost_params, interact, NULL, .flags = TIDE_EXPERT, .metavar = "GROUPS",
           .help = "'a,b;c,d': columns of one path share a group",
           .alias = "interaction_constraints"),
    P_REAL(boost_params, path_smooth, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "rows that draw a node's value to its parent's"),
    P_REAL(boost_params, dart, "0", P_RANGE(0, 1),
           .flags = TIDE_KEPT | TIDE_OPEN_HI | TIDE_EXPERT,
           .help = "chance of an earlier round to be dropped while one is trained",
           .alias = "drop_rate rate_drop dropout"),
    P_REAL(boost_params, dart_skip, "0.5", P_RANGE(0, 1),
           .flags = TIDE_KEPT | TIDE_EXPERT, .help = "chance of a round to drop none",
           .alias = "skip_drop", .when = "dart>0"),
    P_INT(boost_params, dart_most, "50", P_RANGE(0, 100000),
          .flags = TIDE_KEPT | TIDE_EXPERT,
          .help = "rounds dropped at once on average, at most; 0: no limit",
          .alias = "max_drop", .when = "dart>0"),
    P_INT(boost_params, truncation, "30", P_RANGE(1, 1000000),
          .flags = TIDE_KEPT | TIDE_EXPERT,
          .help = "places of a query whose rows are paired with all others",
          .alias = "lambdarank_truncation_level", .when = "loss=lambdarank"),
};

/* Relevance is a whole number, and still nothing to be guessed as classes; nor is what several
 * quantiles are asked of. */
static void gbdt_aims(const void *params, struct fit_aims *out)
{
    const struct boost_params *p = params;
    out->own_loss = p->loss == OBJECTIVE_CUSTOM;
    if (out->own_loss) out->tasks = TIDE_REGRESS; /* scores, whatever they stand for */
    if (boost_numbers(p) > 1) {
        out->tasks = TIDE_REGRESS;
        out->metric = "mean_pinball";
        out->quantiles = p->quantile;
    }
    if (!objective_ranks(p->loss)) return;
    out->tasks = TIDE_REGRESS;
    out->metric = "ndcg";
}

static tide_status gbdt_fit(struct tide_ctx *ctx, const void *params,
                            const struct fit_data *d, const struct fit_data *valid,
                            int32_t rounds, struct state *out, struct fit_info *info,
                            tide_error *err)
{
    return boost_fit(ctx, params, d, valid, rounds, out, info, err);
}

/* Features that statistics of categories may add, and the most cells of a table of theirs. */
static double gbdt_stats(const struct boost_params *p, const struct fit_data *d,
                         double k, double *cells)
{
    double most[2] = {0, 0}; /* levels of the largest columns, missing one of them */
    int cats = 0;
    *cells = 0;
    if (p->cat_stats == CAT_STATS_NONE || k > TARGET_STAT_CLASSES) return 0;
    for (int32_t j = 0; j < d->x->n_cols; j++) {
        double n = (double)d->x->cols[j]->dict.n + 1;
        if (d->x->cols[j]->type != TIDE_CAT) continue;
        cats++;
        most[1] = n > most[0] ? most[0] : n > most[1] ? n : most[1];
        most[0] = n > most[0] ? n : most[0];
    }
    int pairs = p->cat_stats != CAT_STATS_SINGLE && cats > 1 ? TARGET_STAT_PAIRS : 0;
    if (pairs) *cells = fmin(most[0] * most[1], target_stat_cells(d->x->n_rows));
    *cells = fmax(*cells, most[0]);
    return k * (pairs + (p->cat_stats == CAT_STATS_AUTO ? 0 : cats));
}

static void gbdt_cost(const void *params, const struct fit_data *d,
                      struct fit_cost *out)
{
    const struct boost_params *p = params;
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    double k = d->task == TIDE_REGRESS ? boost_numbers(p)
               : d->n_classes > 2      ? d->n_classes
                                       : 1;
    double leaves = p->growth != BOOST_SYMMETRIC ? p->leaves
                    : p->depth > 0               ? ldexp(1, p->depth)
                                                 : ldexp(1, BOOST_SYMMETRIC_DEPTH);
    if (leaves > n) leaves = n;
    int32_t cells = boost_is_vector(p) && k > 1 ? vector_cells((int32_t)k) : 1;
    double row = 2 * f + 24 + 12 * k +
                 (cells > 1 ? 4 * (cells - k)
                  : k > 1   ? 2 * k
                            : 0);
    if (p->loss == OBJECTIVE_ABSOLUTE || p->loss == OBJECTIVE_QUANTILE ||
        p->loss == OBJECTIVE_MAPE)
        row += 32 + 16 * k; /* residuals of leaves and their weights */
    if (p->loss == OBJECTIVE_CUSTOM) row += 72; /* derivatives, copies of rows */
    if (p->offset || p->exposure) row += 8;
    if (d->group) row += 32;
    if (objective_ranks(p->loss)) row += 80; /* queries, derivatives, sorting */
    if (p->weights || p->pos_weight != 1) row += 8;
    if (p->rows < 1 && p->sampling != SAMPLE_UNIFORM) row += 8;
    if (p->dart > 0) row += 8 * k;
    double table = 0, stats = gbdt_stats(p, d, k, &table);
    row += 3 * stats + (stats > 0 ? 40 + 2 * f + 24 * k : 0);
    double kept =
        p->dart > 0 ? p->trees * k * leaves * 2 * sizeof(struct grow_node) : 0;
    double hists = leaves, trees = p->trees * (cells > 1 ? 1 : k);
    if (cells > 1 && n > HIST_PACKED_ROWS) /* large nodes have cells twice as wide */
        hists += fmin(leaves, n / HIST_PACKED_ROWS + 2);
    out->scratch_bytes =
        (int64_t)(n * row + (f + stats) * 2048 * cells * hists + kept + 200 * table);
    out->model_bytes = (int64_t)(trees * leaves * (cells > 1 ? 52 + 8 * k : 60) +
                                 f * 2048 + stats * (2048 + table));
    out->work = n * f * p->trees * k;
    if (p->patience > 0 && boost_has_folds(p, d->x->n_rows)) { /* fits side by side */
        out->scratch_bytes *= BOOST_FOLDS + 1;
        out->work *= BOOST_FOLDS + 1;
    }
}

/* ---------------------------------------------------------------------- the model --- */

struct gbdt_model {
    struct ensemble *e;
    struct offset offset;
    uint32_t task;
    int32_t n_out;
};

static tide_status gbdt_load(const struct state *s, uint32_t task, int32_t n_out,
                             int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                             void **object, tide_error *err)
{
    struct gbdt_model *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (status) return status;
    int32_t want = task == TIDE_CLASSIFY && m->e->link == LINK_LOGIT ? 1 : n_out;
    int fits =
        task == TIDE_CLASSIFY
            ? m->e->link == LINK_SOFTMAX || (m->e->link == LINK_LOGIT && n_out == 2)
            : m->e->link == LINK_IDENTITY || m->e->link == LINK_EXP ||
                  m->e->link == LINK_LOGIT;
    if (m->e->n_outputs != want || !fits) {
        err_set(err, TIDE_CODE_TIDE_CLASSES,
                "the trees give other outputs than the model says");
        return err_place(err, "section TREES");
    }
    status = offset_load(s, n_cols, n_levels, &m->offset, err);
    if (status) return status;
    if (m->offset.column >= 0 && m->e->n_outputs != 1) {
        err_set(err, TIDE_CODE_TIDE_CLASSES, "an offset goes with one output only");
        return err_place(err, "section TREES");
    }
    m->task = task;
    m->n_out = n_out;
    *object = m;
    return TIDE_OK;
}

static int32_t gbdt_rounds(const void *object)
{
    return ensemble_rounds(((const struct gbdt_model *)object)->e);
}

static tide_status gbdt_resume(struct tide_ctx *ctx, const void *params,
                               const struct fit_data *d, const struct fit_data *valid,
                               int32_t rounds, const struct fit_resume *from,
                               struct state *out, struct fit_info *info,
                               tide_error *err)
{
    const struct gbdt_model *m = from->object;
    return boost_resume(ctx, params, m->e, from, d, valid, rounds, out, info, err);
}

/* Trees of one quantile know nothing of the others, so where two cross they change places. */
static int has_quantiles(const struct gbdt_model *m)
{
    return m->task == TIDE_REGRESS && m->n_out > 1;
}

static tide_status gbdt_predict(const void *object, const struct view *x, int64_t i0,
                                int64_t n, double *out, tide_error *err)
{
    const struct gbdt_model *m = object;
    /* a lone margin of two classes goes to the front half and is spread from the back */
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status) offset_add(&m->offset, x, i0, n, out);
    if (status) return status;
    ensemble_link(m->e, m->n_out, n, out, out);
    for (int64_t i = 0; has_quantiles(m) && i < n; i++)
        quantiles_sort(out + i * m->n_out, m->n_out);
    return TIDE_OK;
}

static void gbdt_predict_row(const void *object, const double *x, double *out)
{
    const struct gbdt_model *m = object;
    ensemble_row(m->e, x, out); /* a lone margin of two classes: as above */
    if (m->offset.column >= 0) out[0] += offset_of(&m->offset, x[m->offset.column]);
    ensemble_link(m->e, m->n_out, 1, out, out);
    if (has_quantiles(m)) quantiles_sort(out, m->n_out);
}

static const struct ensemble *gbdt_trees(const void *object)
{
    return ((const struct gbdt_model *)object)->e;
}

static int gbdt_offset(const void *object, const struct view *x, int64_t i0, int64_t n,
                       double *margin)
{
    const struct gbdt_model *m = object;
    offset_add(&m->offset, x, i0, n, margin);
    return m->offset.column >= 0;
}

static void gbdt_importance(const void *object, double *out)
{
    ensemble_importance(((const struct gbdt_model *)object)->e, out);
}

static void gbdt_describe(const void *object, char *out, size_t size)
{
    const struct ensemble *e = ((const struct gbdt_model *)object)->e;
    const char *batch, *row;
    ensemble_engines(e, &batch, &row);
    char count[64];
    (void)ensemble_count_text(e, count, sizeof count);
    str_format(out, size, "%s; scored by %s, single rows by %s", count, batch, row);
}

const struct tide_learner tide_learner_gbdt = {
    .name = "gbdt",
    .title = "Gradient-boosted decision trees",
    .camel = "GBDT",
    .guide = "Q10 Q13",
    .paper = "Friedman 2001; Ke et al. 2017",
    .small = "trees=20",
    .min_rows = 2,
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_STOPS_EARLY | TIDE_TAKES_ONE_CLASS |
              TIDE_INTEGER_SUMS | TIDE_CONTINUES,
    .params = TIDE_TABLE(gbdt_rows, boost_params),
    .check = boost_check,
    .aims = gbdt_aims,
    .cost = gbdt_cost,
    .fit = gbdt_fit,
    .resume = gbdt_resume,
    .refits = 1,
    .counts = "trees",
    .rounds = gbdt_rounds,
    .load = gbdt_load,
    .predict = gbdt_predict,
    .predict_row = gbdt_predict_row,
    .trees = gbdt_trees,
    .offset = gbdt_offset,
    .importance = gbdt_importance,
    .describe = gbdt_describe,
};
