/* emit.h - grown trees to one canonical ensemble: thresholds become shared edges, sets and
 * missing directions become derived columns
 *
 * Learners hand over trees with thresholds as values. At the end each feature gets the sorted
 * distinct thresholds that some node uses, and nodes their number among them; so a model holds
 * nothing that no tree asks for. */
#ifndef LEARNERS_TREE_EMIT_H
#define LEARNERS_TREE_EMIT_H
#include "infer/ensemble.h"

/* Node of a tree as grown, in any order; left < 0: a leaf. */
struct emit_node {
    int32_t left, right, feature;
    uint8_t set;          /* 1: category codes in bits go left */
    uint8_t missing_left; /* numbers */
    double thr;       /* left: x <= thr; INFINITY: every number; categories: the code */
    uint64_t bits[4]; /* bit 255: missing and unseen */
    double gain, cover;
};
struct emit {
    int32_t n_outputs, width; /* values a leaf */
    int32_t n_trees;
    /* features behind the columns, as ensemble.h; the caller's */
    int32_t n_derived;
    const int32_t *source;
    const struct ensemble_origin *origin;
    int64_t n_nodes, n_leaves;
    int failed; /* sticky: memory */
    int64_t cap_trees, cap_nodes, cap_leaves;
    struct emit_tree *tree;
    struct emit_test *node;
    double *leaf, *leaf_cover;
};
void emit_init(struct emit *t, int32_t n_outputs, int32_t width);
void emit_free(struct emit *t);
/* Adds a tree; value[node * width] of its leaves. */
void emit_add(struct emit *t, int32_t output, const struct emit_node *node,
              int32_t root, const double *value);
/* Adds the trees of an ensemble whose leaves are as wide; scratch from the arena. */
void emit_ensemble(struct emit *t, const struct ensemble *e, struct arena *a);
/* Keeps the first n trees. */
void emit_cut(struct emit *t, int32_t n);
/* Multiplies the values of one tree's leaves. */
void emit_scale(struct emit *t, int32_t tree, double factor);
/* What the features are. level_code as ensemble.h; NULL where n_level is 0. */
struct emit_feature {
    uint8_t kind;
    uint32_t n_level;
    const uint8_t *level_code;
};
/* Builds the ensemble in the arena (not packed). feature: [n_features + n_derived]; derived ones are
 * categories asked by order. */
tide_status emit_finish(const struct emit *t, const struct emit_feature *feature,
                        int32_t n_features, int32_t link, const double *base,
                        struct arena *a, struct ensemble **out, tide_error *err);
#endif
