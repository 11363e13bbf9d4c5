/* exact.h - one tree by exact search: every cut between neighbouring values of a node
 *
 * Columns are sorted once; a split keeps each sorted list in order by a stable partition. Sums
 * are integers (weights and targets in power-of-two units), so row order changes nothing. */
#ifndef LEARNERS_TREE_EXACT_H
#define LEARNERS_TREE_EXACT_H
#include "learners/tree/bins.h"
#include "learners/tree/emit.h"
#include "spec/entry.h"

enum exact_criterion { EXACT_GINI, EXACT_ENTROPY, EXACT_SQUARED };
struct exact_rules {
    enum exact_criterion criterion;
    int32_t depth, leaves; /* 0: no limit */
    int64_t min_rows, min_split;
    double min_gain, ccp_alpha;
};
/* Grows (and prunes) a tree and adds it to `out`, with leaf values [max(n_classes, 1)]: class
 * shares, or the mean. Gains are impurity decreases weighted by the share of the rows. */
tide_status exact_tree(struct tide_ctx *ctx, const struct fit_data *d,
                       const struct exact_rules *rules, struct emit *out,
                       struct bin_cuts *cuts, struct arena *keep, tide_error *err);
#endif
