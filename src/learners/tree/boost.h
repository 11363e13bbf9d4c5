/* boost.h - gradient boosting from a table to an ensemble's state (gbdt.c holds the descriptor) */
#ifndef LEARNERS_TREE_BOOST_H
#define LEARNERS_TREE_BOOST_H
#include "learners/tree/grow.h"
#include "learners/tree/objective.h"
#include "spec/learner.h"

enum boost_growth { BOOST_LEAF, BOOST_LEVEL, BOOST_SYMMETRIC };
enum boost_multi { BOOST_AUTO, BOOST_TREES, BOOST_VECTOR };
enum boost_rounds_by { BOOST_BY_SIZE, BOOST_BY_SHARE, BOOST_BY_FOLDS };
#define BOOST_LEAVES          31 /* unless asked for */
#define BOOST_SYMMETRIC_DEPTH 6
#define BOOST_SYMMETRIC_MOST  16

/* Fewer rows than this: rounds are chosen by folds instead of one set of rows put aside. */
#define BOOST_FOLD_ROWS 2000
#define BOOST_FOLDS     5
struct boost_params {
    int32_t trees, leaves, depth, min_rows, bins, bin_sample, patience;
    int32_t loss; /* enum objective_id */
    int32_t weights, cat_rows, cat_split, sampling, rounds_by;
    int32_t growth;    /* enum boost_growth */
    int32_t multi;     /* enum boost_multi */
    int32_t cat_stats; /* enum cat_stats */
    const char *monotone, *interact, *offset, *exposure, *stop_on;
    double rate, min_hessian, l2, l1, min_gain, rows, columns, cat_smooth, cat_l2;
    struct tide_real_list quantile;
    double power, delta, max_leaf, path_smooth, pos_weight, decay, columns_level,
        columns_node;
    double dart, dart_skip;
    int32_t dart_most, truncation;
};
/* Scores of a row of numbers: one, or those of several quantiles. */
static inline int32_t boost_numbers(const struct boost_params *p)
{
    return p->loss == OBJECTIVE_QUANTILE ? p->quantile.n : 1;
}
/* Has a tree of several outputs a value of each in every leaf? Quantiles of one target share their
 * tests well: less loss than a tree each, and fewer nodes; classes do not. */
static inline int boost_is_vector(const struct boost_params *p)
{
    return p->multi == BOOST_VECTOR ||
           (p->multi == BOOST_AUTO && boost_numbers(p) > 1 && p->dart == 0 &&
            p->growth != BOOST_SYMMETRIC && p->cat_split != CAT_ORDER);
}
/* Do folds choose the rounds of a table, if anything does? */
static inline int boost_has_folds(const struct boost_params *p, int64_t n_rows)
{
    return p->rounds_by == BOOST_BY_SIZE ? n_rows < BOOST_FOLD_ROWS
                                         : p->rounds_by == BOOST_BY_FOLDS;
}
/* As tide_learner.check and tide_learner.fit. */
tide_status boost_check(const void *params, tide_error *err);
tide_status boost_fit(struct tide_ctx *ctx, const struct boost_params *p,
                      const struct fit_data *d, const struct fit_data *valid,
                      int32_t rounds, struct state *out, struct fit_info *info,
                      tide_error *err);
/* As tide_learner.resume, from an ensemble that boost_fit made. */
struct ensemble;
tide_status boost_resume(struct tide_ctx *ctx, const struct boost_params *p,
                         const struct ensemble *from, const struct fit_resume *how,
                         const struct fit_data *d, const struct fit_data *valid,
                         int32_t rounds, struct state *out, struct fit_info *info,
                         tide_error *err);
#endif
