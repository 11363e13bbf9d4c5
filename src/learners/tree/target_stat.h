/* target_stat.h - what the target does at levels of categories and at pairs of them, as features */
#ifndef LEARNERS_TREE_TARGET_STAT_H
#define LEARNERS_TREE_TARGET_STAT_H
#include "infer/ensemble.h"
#include "learners/tree/bins.h"
#include "spec/learner.h"

/* What is made of category columns. none: nothing; single: statistics of those with more levels than
 * codes; pairs: of pairs, too, that say more than both columns; auto: of pairs alone, that say clearly
 * more. */
enum cat_stats { CAT_STATS_AUTO, CAT_STATS_NONE, CAT_STATS_SINGLE, CAT_STATS_PAIRS };

#define TARGET_STAT_PAIRS   4  /* most pairs */
#define TARGET_STAT_CLASSES 10 /* more classes than this have no statistics */

struct target_stat {
    int32_t source[2]; /* columns of the view; [1] -1: of one */
    int32_t output;    /* the class, where there are several */
    int32_t n_edge;
    double *edge;        /* [n_edge] code = #{edge < value} */
    uint32_t n_level[2]; /* 0 where there is no second */
    int is_off;          /* only the trees of the model gone on from may ask it */
    uint8_t *table; /* [n_level[0] + 1][n_level[1] + 1] codes by all rows of the fit */
    const uint8_t *
        codes; /* [n_rows] of the fit's view: by the rows before each, others' by table */
};
struct target_stats {
    int32_t n;
    double range[2];        /* least and largest target; of classes 0, 0 */
    struct target_stat *of; /* [n] */
};
/* What they are made from. */
struct target_stat_how {
    enum cat_stats what;
    int32_t n_codes;        /* of a feature, at most 255 */
    const uint8_t *skip;    /* [n_rows] 1: not a row of the fit; or NULL */
    const uint64_t *groups; /* [lanes] interaction groups of columns; NULL: no rules */
};
/* Most cells of a table of pairs. */
double target_stat_cells(int64_t n_rows);
/* Chooses features, and codes the rows of the fit. Columns without a lane in `cuts` are left out. */
tide_status target_stats_new(struct tide_ctx *ctx, const struct fit_data *d,
                             const struct target_stat_how *how,
                             const struct bin_cuts *cuts, struct arena *a,
                             struct target_stats *out, tide_error *err);
/* Those of an ensemble, with its tables and edges and the codes of the fit's rows, targets beyond
 * the range of its rows held to it. how: skip and groups; cuts NULL: no trees are added. */
tide_status target_stats_again(struct tide_ctx *ctx, const struct fit_data *d,
                               const struct ensemble *e,
                               const struct target_stat_how *how,
                               const struct bin_cuts *cuts, struct arena *a,
                               struct target_stats *out, tide_error *err);
/* Appends their features and lanes to the cuts; codes come from `codes`, or by tables for the rows of
 * another view (target_stats_code). */
tide_status target_stats_lanes(const struct target_stats *t, struct arena *a,
                               struct bin_cuts *cuts, tide_error *err);
/* Codes of all rows by the tables, into the cuts' features. */
tide_status target_stats_code(const struct target_stats *t, const struct view *x,
                              struct arena *a, struct bin_cuts *cuts, tide_error *err);
#endif
