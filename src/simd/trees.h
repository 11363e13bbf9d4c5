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
    const uint32_t *root, *depth, *leaf_of; /* [trees], [trees], [nodes] */
    const int32_t *output;
    const double *leaf; /* [leaves][width] */
    int32_t width, n_trees, n_outputs;
};

/* shap: one leaf, m features on its path, a rule of q <= SIMD_LEAF_NODES nodes. */
struct simd_leaf {
    int32_t m, q, width;
    int64_t stride;         /* words of a feature */
    const uint64_t *bits;   /* [m][stride] rows that satisfy the feature's tests */
    const double *none;     /* [q] weight and product where no feature is satisfied */
    const double *ratio;    /* [m][q] factor of a satisfied feature over the other */
    const double *on, *off; /* [m][q], [q] contribution over the product */
    const double *value;    /* [width] of the leaf */
    double *const *to;      /* [m] sums of the feature's rows, output 0 */
    int64_t output_stride;
};
#define SIMD_LEAF_NODES 8
#endif
