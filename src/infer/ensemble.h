/* ensemble.h - the canonical tree ensemble: what tree learners write and engines predict from
 *
 * Inner node of tree t: goes left when code <= node_thr, where code is the base code of the
 * node's derived column: for numbers #{i: edge[i] < x} (so left means x <= edge[thr]), missing
 * 255 or 65535; for categories the dictionary code. A derived column is a base column plus a
 * 256-byte map (or none); sets and "missing goes left" are maps (inference.md 1.2), applied to u8
 * codes; a category column of more than 254 levels keeps the 254 most useful ones and sends the rest to
 * one code by `level_code` below. Derived features stand behind the columns: what was learned of the
 * levels of one category column, or of the pairs of two, as ordered codes. Children after parents; a child number < n_internal of its
 * tree is a node, else leaf = number - n_internal; leaves are numbered left to right. */
#ifndef INFER_ENSEMBLE_H
#define INFER_ENSEMBLE_H
#include "frame/frame.h"
#include "spec/state.h"

enum ensemble_link {
    LINK_IDENTITY,
    LINK_LOGIT,
    LINK_SOFTMAX,
    LINK_EXP,
    LINK_MEAN_PROBA
};

struct ensemble {
    int32_t n_features, n_columns, n_trees, n_outputs, link;
    /* features: the view's columns, [n_features], then those made of them, [n_derived]; both are
     * meant where an array has [n_all] */
    int32_t n_derived;
    const int32_t *source; /* [n_derived][2] category columns; the second may be -1 */
    const uint8_t *feature_kind; /* [n_all] 0 number, 1 category */
    const uint32_t *edge_off;    /* [n_all + 1] */
    const double *edge;          /* ascending; at most 65,534 a feature */
    const uint32_t *level_off;   /* [n_all + 1], categories: */
    /* level -> u8 code; 255 is missing/unseen. Derived: [n0 + 1][n1 + 1] (n1 is 0 where there is no
     * second column), the last of each being missing and unseen levels; codes are ordered. */
    const uint8_t *level_code;
    const struct ensemble_origin
        *origin; /* NULL: derived features cannot be continued */
    /* derived columns */
    const uint32_t *column_feature; /* [n_columns] */
    /* [n_columns] 1: map applies (u8 features only); 2: missing counts as code 0 (what u16
     * features do where u8 ones have a map), map row unused */
    const uint8_t *column_mapped;
    const uint8_t *map; /* [n_columns][256] (identity rows for unmapped) */
    /* trees */
    const int32_t *tree_output;  /* [n_trees] */
    const uint32_t *tree_node;   /* [n_trees + 1] first node */
    const uint32_t *tree_leaf;   /* [n_trees + 1] first leaf */
    const uint32_t *tree_depth;  /* [n_trees] */
    const uint32_t *node_column; /* [nodes] */
    const uint16_t *node_thr;
    const uint32_t *node_left, *node_right; /* numbers within the tree */
    const double *leaf;                     /* [leaves][leaf_width] */
    const struct ensemble_linear *linear;   /* NULL: leaves are constants */
    /* 1, or n_outputs for vector leaves (single trees, forests, gbdt's multi=vector) */
    int32_t leaf_width;
    const double *leaf_cover, *node_cover; /* weight of training rows; may be NULL */
    const double *node_gain;               /* may be NULL */
    const double *base;                    /* [n_outputs] */
    /* what scores it, made by ensemble_load; NULL: the plain walk */
    const struct ensemble_engine *engine;
};
/* What the codes of derived features were made by: value <= edge[code], of the statistic of an output,
 * as share of the target's range. */
struct ensemble_origin {
    const int32_t *output;    /* [n_derived] */
    const uint32_t *edge_off; /* [n_derived + 1], at most 254 each */
    const double *edge;       /* ascending */
    const double *range;      /* [2] least and largest target; of classes 0, 0 */
};
/* Leaves that are linear in columns of numbers (imported models; leaf_width is 1): leaf i is worth
 * constant[i] + sum of coef times column over [first[i], first[i + 1]), in that order, in f64; with a
 * number within 1e-35 of 0 as 0, and with one of the columns missing leaf[i] instead. */
struct ensemble_linear {
    const uint32_t *first;   /* [leaves + 1] */
    const uint32_t *feature; /* [first[leaves]] */
    const double *coef;      /* the same */
    const double *constant;  /* [leaves] */
    /* made by ensemble_load_linear: the columns that any leaf has, ascending, the place of each
     * coefficient's among them, and what the engines count leaves and outputs by */
    const uint32_t *used, *place;
    int32_t n_used;
    const double *number; /* [leaves] 0, 1, ... */
    const int32_t *count; /* 0, 1, ... */
};
/* Features, the derived ones among them. */
static inline int32_t ensemble_all(const struct ensemble *e)
{
    return e->n_features + e->n_derived;
}
/* Codes of a derived feature for view rows [i0, i0 + n), n at most 1024; n_level as the table has. */
void ensemble_derived_codes(const struct view *x, const int32_t source[2],
                            const uint32_t n_level[2], const uint8_t *table, int64_t i0,
                            int64_t n, uint8_t *out);
/* Writes the ensemble into a state (kinds EDGES, MAPS, TREES, NODES, LEAVES, COVER). */
void ensemble_save(const struct ensemble *e, struct state *s);
/* The same without a copy of nodes and leaves: these live as long as the state does. */
void ensemble_save_kept(const struct ensemble *e, struct state *s);
/* The same of the first `rounds` trees of each output. */
void ensemble_save_first(const struct ensemble *e, int32_t rounds, struct state *s);
/* Does a derived column ask which levels of a category go left, in whatever order? */
int ensemble_is_set(const struct ensemble *e, uint32_t column);
/* The most trees that an output has. */
int32_t ensemble_rounds(const struct ensemble *e);
/* "312 trees, 9672 leaves" into out; returns its length, as str_format. */
int ensemble_count_text(const struct ensemble *e, char *out, size_t size);
/* Rebuilds and validates (reliability.md 12.5): any state gives an error or an ensemble whose
 * predict ends and stays in bounds. n_levels[j] is 0 for numbers. */
tide_status ensemble_load(const struct state *s, int32_t n_cols,
                          const uint32_t *n_levels, struct arena *a,
                          struct ensemble **out, tide_error *err);
/* Makes the leaves of a loaded ensemble linear where the state says so. Nothing is in place with an
 * error; numbers are taken for hostile. */
tide_status ensemble_load_linear(const struct state *s, struct ensemble *e,
                                 struct arena *a, tide_error *err);
/* The value of linear leaf `leaf` (over the whole ensemble), where coefficient i has its number at
 * x[place[i] * stride]. */
double ensemble_linear_value(const struct ensemble *e, int64_t leaf, const double *x,
                             int64_t stride, const uint32_t *place);
/* Numbers [n_used][n] of linear leaves, of view rows [i0, i0 + n), at most 1024. */
void ensemble_linear_numbers(const struct ensemble *e, const struct view *x, int64_t i0,
                             int64_t n, double *out);
/* Raw scores [n][n_outputs] of view rows [i0, i0 + n): base + sum of leaves, in tree order in f64;
 * trees: use only the first `trees` rounds (0 = all). */
tide_status ensemble_margin(const struct ensemble *e, const struct view *x, int64_t i0,
                            int64_t n, int32_t trees, double *out, tide_error *err);
/* Rows as codes, for leaves of single trees: [blocks of 128 rows][n_all][128]. derived: [n_derived]
 * codes of the rows' derived features, or NULL: by the model's tables. */
tide_status ensemble_codes(struct tide_ctx *ctx, const struct ensemble *e,
                           const struct view *x, const uint8_t *const *derived,
                           struct arena *a, uint16_t **out, tide_error *err);
/* The leaves, numbered within the ensemble, that rows 0..n-1 reach in tree t. */
tide_status ensemble_leaves(struct tide_ctx *ctx, const struct ensemble *e, int32_t t,
                            const uint16_t *codes, int64_t n, uint32_t *leaf,
                            tide_error *err);
/* Adds the leaves of every tree to the scores [n][n_outputs] of all rows, in
 * the order of trees: the bits of scores that grew with the trees. derived: as above. Scratch from the
 * arena. */
tide_status ensemble_add(struct tide_ctx *ctx, const struct ensemble *e,
                         const struct view *x, const uint8_t *const *derived,
                         struct arena *a, double *score, tide_error *err);
/* Margins through the link, in place; out has K columns (binary logit: 1 margin -> 2). */
void ensemble_link(const struct ensemble *e, int32_t k, int64_t n, const double *margin,
                   double *out);
void ensemble_importance(const struct ensemble *e, double *out); /* gain, normalised */
/* The same over the unpacked arrays, the oracle of all engines. */
tide_status ensemble_margin_plain(const struct ensemble *e, const struct view *x,
                                  int64_t i0, int64_t n, int32_t trees, double *out,
                                  tide_error *err);
/* Margins of one row, without allocating: x[f] is a number, or the level of a category; NaN is
 * missing. The bits of ensemble_margin. */
void ensemble_row(const struct ensemble *e, const double *x, double *out);
/* Names of the engines that the shape offers for batches and single rows; where lanes are slower on a
 * machine, rows that they would take are walked. */
void ensemble_engines(const struct ensemble *e, const char **batch, const char **row);
/* Deepest tree that a model may hold; trainers keep below, load refuses beyond. */
#define ENSEMBLE_DEPTH_MAX 512
#endif
