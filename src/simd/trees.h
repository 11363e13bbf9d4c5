/* trees.h - what the kernels that score tree ensembles read; infer/ fills it
 *
 * Trees know nothing but code <= thr: missing directions and sets of levels are columns of
 * their own (infer/ensemble.h), so no kernel has a branch on the kind of a test. */
#ifndef SIMD_TREES_H
#define SIMD_TREES_H
#include <stdint.h>

/* Edges of one numeric feature with at most 254 of them. level: 16 pivots, then 16 groups of
 * 16 edges rounded to f32, no zero negative, and padded by infinities; edge: the edges, then one infinity. */
struct simd_edges {
    const float *level; /* NULL: two edges round to one f32, search in f64 */
    const double *edge;
    int32_t n_edge;
};
#define SIMD_LEVEL_FLOATS (17 * 16)

/* plane: 64 rows at a time. A line is 64 leaf numbers, one a row; lines below first_node are
 * constant (line l holds l), line first_node + i belongs to inner node i of the tree at hand. */
struct simd_plane_node {
    uint32_t thr4, column; /* the threshold in each of four bytes */
    uint16_t left, right;  /* lines */
};
struct simd_plane_tree {
    uint32_t node, n_nodes; /* first node, their number */
    uint32_t leaf, n_leaves;
    int32_t output;
};
struct simd_plane {
    const struct simd_plane_node *node;
    const struct simd_plane_tree *tree;
    const double *leaf; /* [leaves][width]; 32 more may be read */
    int32_t width, first_node;
};
#define SIMD_PLANE_LEAVES 256

/* lane: one row, 64 trees a group. Position p of a group holds each tree's p-th inner node from the
 * left, which stands between leaves p and p + 1: where a test fails and the leaf reached so far is
 * not left of all of the node's, the leaf is p + 1 from there on. Groups come in pairs with as
 * many positions each; trees of fewer nodes are padded with tests that pass. */
struct simd_lane {
    const uint32_t *first; /* [n_groups + 1] positions */
    /* [positions][4][64] column, thr, first leaf below the node, which code the column is of; thr
     * and leaf without SIMD_LANE_SIGN: as signed bytes they are 128 less */
    const uint8_t *test;
    const double *leaf;    /* [trees][stride] */
    const int32_t *output; /* [trees], NULL: all 0 */
    /* a column is codes[from], and absent where that is 255, missing */
    const uint8_t *from, *absent; /* [SIMD_LANE_COLUMNS] */
    int32_t n_groups, n_trees, stride;
    int32_t n_codes, n_columns; /* at most SIMD_LANE_COLUMNS */
};
#define SIMD_LANE_TREES   64
#define SIMD_LANE_TESTS   (4 * SIMD_LANE_TREES) /* bytes of a position */
#define SIMD_LANE_SIGN    128
#define SIMD_LANE_LEAVES  256
#define SIMD_LANE_COLUMNS 128

/* walk: siblings are neighbours, a leaf leads to itself (thr 65535). */
struct simd_walk_node {
    uint16_t thr, column;
    uint32_t child;
};
struct simd_walk {
    const struct simd_walk_node *node;
    const uint32_t *root;            /* [trees + 1] first nodes */
    const uint32_t *depth, *leaf_of; /* [trees], [nodes] */
    const int32_t *output;
    const double *leaf; /* [leaves][width] */
    int32_t width, n_trees, n_outputs;
};

/* shap: one tree, as steps from the root down and back up. A step enters an inner child (left or
 * right) or leaves a node, whose inner children have been left; SIMD_SHAP_KINDS of a node. */
enum simd_shap_step { SIMD_SHAP_LEFT, SIMD_SHAP_RIGHT, SIMD_SHAP_LEAVE };
enum simd_shap_kind {
    SIMD_SHAP_LEFT_LEAF = 1,
    SIMD_SHAP_RIGHT_LEAF = 2,
    SIMD_SHAP_AGAIN = 4 /* the way down has tested the feature before */
};
struct simd_shap_node {
    double share[2];  /* of the node's rows that its children have */
    uint32_t leaf[2]; /* of children that are leaves */
    uint32_t feature; /* among those in use */
    uint32_t again;   /* SIMD_SHAP_AGAIN: 2 q numbers of `again` from here on */
};
struct simd_shap {
    const uint32_t *step; /* [n_steps] node << 2 | simd_shap_step */
    const uint8_t *kind;  /* [nodes] */
    const struct simd_shap_node *node;
    int64_t n_steps, stride; /* words of a node */
    const uint64_t *left,
        *live; /* [nodes][stride] rows that pass the node's test; that have
                                    passed all of the feature above */
    const double *at, *weight; /* [q] the rule: where, how much */
    const double *again;       /* place of each of the rule's nodes, then its slope */
    const double *value;       /* of leaf i: value[i * width] */
    double *
        room; /* [2][depth + 1][q][SIMD_SHAP_GROUP]; depth of the deepest inner node, the root's 0 */
    int32_t q, depth, width, n_features;
};
#define SIMD_SHAP_GROUP 16 /* rows at a time */
#define SIMD_SHAP_NODES 16 /* most q */
#endif
