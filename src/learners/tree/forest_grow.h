/* forest_grow.h - many deep trees on ranks: forests, extra trees, boosted stumps
 *
 * Every number that decides a split is an integer sum: class weights in 32 bits, targets in 64.
 * Columns of a node are drawn from a deck in the order of names by (seed, tree, path of the node),
 * random thresholds by these and the name of the column. */
#ifndef LEARNERS_TREE_FOREST_GROW_H
#define LEARNERS_TREE_FOREST_GROW_H
#include "base/arena.h"
#include "infer/ensemble.h"
#include "learners/tree/rank_codes.h"
#include "spec/entry.h"

enum forest_criterion { FOREST_GINI, FOREST_ENTROPY, FOREST_SQUARED };
enum forest_weighting { FOREST_PLAIN, FOREST_BALANCED, FOREST_BOOSTED };
struct forest_rules {
    enum forest_criterion criterion;
    int random; /* one random threshold a column instead of the best */
    int32_t trees;
    int32_t depth;   /* <= ENSEMBLE_DEPTH_MAX */
    int32_t leaves;  /* 0: no limit; else the splits of largest gain */
    int32_t columns; /* tried at a node */
    double min_rows; /* of a leaf: drawn rows, weighted */
    double min_gain; /* of a split, as a share of all rows */
    double rows;     /* mean multiplicity of a row; 0: every row once */
    uint64_t seed;
};

/* A test on ranks: left when rank <= cut. */
struct forest_node {
    uint32_t left, right; /* node of the tree, or ~leaf */
    uint32_t feature;
    uint16_t cut;
    uint16_t missing_left; /* 2: every number left, missing right */
    uint32_t cover;        /* units */
};
struct forest_tree {
    int64_t n_nodes, n_leaves;
    uint32_t depth;
    struct forest_node *node; /* in the order of a walk, left first */
    double *leaf;             /* [n_leaves][width] */
    uint32_t *leaf_cover;
};

enum forest_mode { FOREST_TWO, FOREST_MANY, FOREST_SUM };
struct forest_data {
    const struct fit_data *d;
    enum forest_mode mode;
    int32_t width; /* values of a leaf */
    int64_t n;
    uint32_t *w;  /* [n] units */
    int64_t *aux; /* [n] class, or target in units */
    double w_unit, y_unit, y_mid;
    struct rank_codes codes;
};
/* Integer weights and targets, and ranks; weights may be multiplied by 15 without overflow. from: trees
 * that those grown will stand behind, or NULL. */
tide_status forest_data_make(struct tide_ctx *ctx, const struct fit_data *d,
                             enum forest_weighting weighting,
                             const struct ensemble *from, struct arena *a,
                             struct forest_data *out, tide_error *err);
/* Weights w[n_rows] as they count: those of the rows, times those that level the classes. */
tide_status forest_level_classes(const struct fit_data *d, double *w, struct arena *a,
                                 tide_error *err);
/* Other weights for the next tree, 0 allowed; rules.rows must be 0 then. */
void forest_data_weigh(struct forest_data *data, const double *w);
/* The sum of w[i] x[i] (x NULL: 1), all >= 0, in an order of its own: the same for any rows'. */
double forest_sum(const double *w, const double *x, int64_t n);

struct forest {
    int32_t first; /* number of the first tree, for draws */
    int32_t n_trees;
    struct forest_tree *tree; /* mem_* memory */
    double *importance;       /* [n_cols] not normalised: impurity decrease */
};
/* Grows rules->trees trees more, side by side; the result does not depend on who grew what. On an error
 * the trees before are kept, on TIDE_ECANCELLED also those that were whole. goal: trees in all,
 * for what is said about progress. */
tide_status forest_grow(struct tide_ctx *ctx, const struct forest_data *data,
                        const struct forest_rules *rules, int32_t goal,
                        const char *phase, struct forest *out, tide_error *err);
void forest_free(struct forest *f);
/* Was the row drawn for this tree? How often. */
uint32_t forest_multiplicity(const struct forest_rules *rules, int32_t tree,
                             int64_t id);
/* Was no row that weighs something drawn for this tree? Then it was grown on every row. */
int forest_saw_all(const struct forest_rules *rules, const struct forest_data *data,
                   int32_t tree);
/* Rows that this tree has not seen, in order, to row [data->n]; how many. */
int64_t forest_left_out(const struct forest_rules *rules,
                        const struct forest_data *data, int32_t tree, uint32_t *row);
/* Leaf that a row of the fit reaches. */
int64_t forest_leaf(const struct forest_tree *t, const struct rank_codes *codes,
                    int64_t row);
/* The same if its code of a column were `value`. */
int64_t forest_leaf_with(const struct forest_tree *t, const struct rank_codes *codes,
                         int64_t row, int32_t column, uint16_t value);

/* The trees as a canonical ensemble in the arena; leaves [width] go to `outputs` outputs, or with
 * one value a leaf tree t to output t mod `outputs`. */
tide_status forest_emit(struct tide_ctx *ctx, const struct forest *f,
                        const struct forest_data *data, int32_t outputs, int32_t link,
                        const double *base, struct arena *a, struct ensemble **out,
                        tide_error *err);
/* The trees of `first`, then those of `second`, which was grown with `first` as forest_data.from: edges
 * of both. Errors: param-conflict where a column would have more than RANK_MOST - 1 edges. */
tide_status forest_join(struct tide_ctx *ctx, const struct ensemble *first,
                        const struct ensemble *second, const struct view *x,
                        struct arena *a, struct ensemble **out, tide_error *err);
#endif
