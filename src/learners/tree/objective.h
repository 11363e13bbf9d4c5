/* objective.h - the losses of boosting: one table row a loss
 *
 * A loss says what it learns from (task, range of the target), how scores become predictions
 * (link), its best constant, its first and second derivatives by the score, and its value. */
#ifndef LEARNERS_TREE_OBJECTIVE_H
#define LEARNERS_TREE_OBJECTIVE_H
#include "simd/simd.h"
#include "spec/entry.h"

enum objective_id {
    OBJECTIVE_AUTO,
    OBJECTIVE_SQUARED,
    OBJECTIVE_ABSOLUTE,
    OBJECTIVE_HUBER,
    OBJECTIVE_PSEUDO_HUBER,
    OBJECTIVE_QUANTILE,
    OBJECTIVE_MAPE,
    OBJECTIVE_POISSON,
    OBJECTIVE_GAMMA,
    OBJECTIVE_TWEEDIE,
    OBJECTIVE_CROSS_ENTROPY,
    OBJECTIVE_LOGISTIC,
    OBJECTIVE_SOFTMAX,
    OBJECTIVE_LAMBDARANK,
    OBJECTIVE_XENDCG,
    OBJECTIVE_CUSTOM,
    OBJECTIVE_COUNT
};
/* For a row of a parameter table: the losses in the order of the enum, and the peers' names. */
extern const char *const objective_names[OBJECTIVE_COUNT + 1];
extern const char *const objective_aliases[OBJECTIVE_COUNT + 1];

/* Is it a loss of the order of a query's rows? */
static inline int objective_ranks(int32_t id)
{
    return id == OBJECTIVE_LAMBDARANK || id == OBJECTIVE_XENDCG;
}

/* Rows to learn from or to watch. */
struct grad_rows {
    int64_t n;          /* rows of the view */
    const double *y;    /* identity link: target less base; other links: target */
    const int32_t *k;   /* class numbers */
    const double *w;    /* or NULL */
    const int64_t *ids; /* keys of the draws */
};
/* The range that a target must lie in. */
enum objective_range {
    RANGE_ANY,
    RANGE_NOT_NEGATIVE,
    RANGE_POSITIVE,
    RANGE_SHARE,
    RANGE_LABEL /* whole numbers from 0 to RANK_LABEL_MOST */
};
enum objective_constant {
    CONSTANT_MEAN,
    CONSTANT_MEDIAN,
    CONSTANT_LEVEL,
    CONSTANT_ZERO
};

struct objective;
/* A loss with its numbers, for one fit. */
struct objective_fit {
    const struct objective *of;
    const struct simd_table *simd;
    int32_t n_outputs;
    const double *level; /* [n_outputs] quantile: the shares, rising */
    double delta; /* huber, pseudo_huber, absolute: where the loss turns linear */
    double power; /* tweedie */
    double base;  /* what was taken off the targets (identity link) */
    /* of queries and callers: derivatives of all rows, made before a round (rank_loss.h,
     * own_loss.h) */
    const double *g, *h;
};
struct objective {
    const char *shown; /* in progress lines */
    uint32_t task;
    int32_t link; /* enum ensemble_link */
    enum objective_range range;
    enum objective_constant constant;
    double g_most;  /* |g| of a row of weight 1 stays within; 0: a pass finds it */
    uint8_t unit_h; /* every second derivative is 1 */
    uint8_t
        scaled; /* delta is the round's and the unit of g and h, which stay within 1 */
    uint8_t refit; /* a leaf's value is the quantile of its rows' residuals */
    /* what the derivatives of rows [i0, i0 + n) are made from: z [n_outputs][n] */
    void (*prepare)(const struct objective_fit *o, const struct grad_rows *rows,
                    int64_t i0, int64_t n, const double *score, double *z);
    /* derivatives of output k, before weights */
    void (*grad)(const struct objective_fit *o, const struct grad_rows *rows,
                 int64_t i0, int64_t n, int32_t k, const double *z, double *g,
                 double *h);
    /* derivatives of rows of weight 1 as small integers of the scales by g_most (simd.h,
     * tree_quantise), k as rows->k but below 0 where a row counts for nothing; the same integers
     * as by grad. NULL: by grad only */
    void (*quantise)(const struct objective_fit *o, const double *score,
                     const int32_t *k, const uint32_t *u, int64_t n, uint32_t *out,
                     int64_t sum[3]);
    /* loss of row i with scores s [n_outputs], >= 0; z has room for n_outputs. NULL: rows have
     * none of their own, queries or the caller do */
    double (*loss)(const struct objective_fit *o, const struct grad_rows *rows,
                   int64_t i, const double *s, double *z);
};
extern const struct objective objective_table[OBJECTIVE_COUNT];

/* The loss that `auto` stands for, or the one asked for if it fits task and classes. */
tide_status objective_choose(int32_t asked, uint32_t task, int32_t n_classes,
                             enum objective_id *out, tide_error *err);
/* Every target lies in the loss's range; else an error that names the row. */
tide_status objective_check(enum objective_id id, const struct fit_data *d,
                            tide_error *err);
/* Rows whose loss per row and leaf is refitted: a weight of its own (mape). */
double objective_refit_weight(enum objective_id id, double y);

/* Value and weight of a row, to be reordered. */
struct weighted {
    double value;
    int64_t weight; /* >= 0 */
};
/* The least value with at least `level` of the weight at or below it; the middle between it and
 * the next where the weight is met exactly. Any order of the rows gives the same. */
double weighted_quantile(struct weighted *v, int64_t n, double level);
/* The share that output k's leaves are fitted to, of a loss that refits them. */
double objective_level(const struct objective_fit *o, int32_t k);
/* The n values of a row in rising order: quantiles that cross change places. */
void quantiles_sort(double *v, int32_t n);
#endif
