/* stat_order.h - the rows of a fit in the order of a random permutation, for target statistics */
#ifndef LEARNERS_TREE_STAT_ORDER_H
#define LEARNERS_TREE_STAT_ORDER_H
#include "frame/frame.h"
#include "spec/learner.h"

#define STAT_BLOCK         8192 /* rows of a task, where any order of them will do */
#define STAT_UNIT_ALONE    1073741824.0 /* targets as integers, rows weighing the same */
#define STAT_UNIT_WEIGHTED 32768.0      /* targets and weights: n 2^30 fits 63 bits */

/* The fit's rows in the order of Philox(seed, "cat_stat", row). */
struct stat_order {
    const struct fit_data *d;
    int64_t n;
    uint32_t *row;   /* [n] */
    uint8_t *late;   /* [n] 1: of the second half of the table */
    uint16_t *w;     /* [n] weights as integers, NULL: 1 */
    double w_mean;   /* of those */
    double range[2]; /* that targets are shares of */
    int32_t n_outputs;
    uint32_t **t;     /* [n_outputs][n] targets as integers */
    uint16_t **level; /* [columns][n_known], missing is n_level */
    int64_t *n_known; /* [columns] of how many rows levels are known */
    uint32_t *n_level;
};

/* skip: [n_rows] 1: not a row of the fit, or NULL. range: of the targets, or NULL for that of the
 * rows. All lives in the arena. */
tide_status stat_order_new(struct tide_ctx *ctx, const struct fit_data *d,
                           const uint8_t *skip, const double *range, struct arena *a,
                           struct stat_order *o, tide_error *err);
/* Levels of column j of at least the first n rows, at most 65,534 and missing. */
tide_status stat_order_levels(struct tide_ctx *ctx, struct stat_order *o, int32_t j,
                              int64_t n, struct arena *a, tide_error *err);

static inline double stat_unit(const struct stat_order *o)
{
    return o->w ? STAT_UNIT_WEIGHTED : STAT_UNIT_ALONE;
}
static inline double stat_weight(const struct stat_order *o, int64_t i)
{
    return o->w ? o->w[i] : 1;
}
/* Levels of column a and missing, or pairs of them with those of column b >= 0; and a row's place
 * among them. */
static inline size_t stat_cells(const struct stat_order *o, int32_t a, int32_t b)
{
    return ((size_t)o->n_level[a] + 1) * (b < 0 ? 1 : (size_t)o->n_level[b] + 1);
}
static inline size_t stat_cell(const struct stat_order *o, int32_t a, int32_t b,
                               int64_t i)
{
    size_t at = o->level[a][i];
    return b < 0 ? at : at * (o->n_level[b] + 1) + o->level[b][i];
}
#endif
