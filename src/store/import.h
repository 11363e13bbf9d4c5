/* import.h - models of other programs on their way in (private to store)
 *
 * A reader (import_xgboost.c, import_lightgbm.c) turns a file that nobody vouches for into one
 * form: features, sets of categories, trees. import_build.c makes an ensemble of it, import.c
 * the model around it. Text and arrays live in the reader's arena. */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H
#include <tidemill/model.h>

#include "base/arena.h"
#include "infer/imported_state.h"
#include "pipe/pipe.h"

#define IMPORT_MOST_FEATURES 65536
#define IMPORT_MOST_CATEGORY (1 << 24)

/* A test of a node. */
enum import_test {
    IMPORT_AT_MOST, /* x <= thr; missing as missing_left says */
    IMPORT_ZERO,    /* the same, but zero is missing too (LightGBM) */
    IMPORT_SET      /* category in the set */
};
/* constant + sum of coef times feature; a row without one of them takes the leaf's plain value */
struct import_linear {
    double constant;
    int32_t n;
    const int32_t *feature;
    const double *coef;
};
struct import_node {
    int32_t left, right; /* nodes of this array; left < 0: a leaf */
    int32_t feature;
    uint8_t test, missing_left;
    double thr; /* finite or +infinity */
    int32_t set;
    double gain, cover;
    const struct import_linear *linear; /* of a leaf, kept; NULL: it is its value */
};
/* Categories of one feature, ascending; equal sets share a number. */
struct import_set {
    int32_t feature, n;
    const int32_t *member;
    uint8_t member_left; /* members go left and all others right, or the other way */
};
struct import_feature {
    const char *name;
    /* dictionary: text of code 0, 1, ...; n_levels 0: a number (or a code that the table holds) */
    uint32_t n_levels;
    const char *const *level;
    double lo, hi; /* seen in training, NaN: unknown */
};
struct import_trees; /* import_build.c */
struct import_source {
    struct arena *a;
    const char *file;
    enum imported_source program;
    const char *version, *objective; /* for the header */
    int32_t n_features;
    struct import_feature *feature;
    uint32_t task;
    int32_t n_classes, n_outputs, leaf_width;
    int32_t link, divide;
    double scale;
    const double *base;  /* [n_outputs] */
    int64_t best_rounds; /* early stopping's, 0: not said */
    int64_t n_rounds;
    struct import_trees *trees;
};

/* tide_model_import of bytes in memory. options NULL: defaults. */
tide_status import_bytes(tide_ctx *ctx, const void *data, size_t n, const char *file,
                         const struct tide_import_options *options, tide_model **out,
                         tide_error *err);

/* ---- readers ---- */
struct import_how {
    int64_t rounds; /* trees of so many rounds; 0: all, -1: the best */
    int raw;        /* raw scores of whatever objective */
};
struct doc;
tide_status import_xgboost(struct import_source *s, const struct doc *root,
                           const struct import_how *how, tide_error *err);
tide_status import_lightgbm(struct import_source *s, const char *text, size_t n,
                            const struct import_how *how, tide_error *err);

/* ---- trees ---- */
struct import_trees *import_trees_new(struct arena *a);
void import_trees_free(struct import_trees *t);
/* A set to use in nodes; members ascending, in [0, IMPORT_MOST_CATEGORY). -1: out of memory. */
int32_t import_trees_set(struct import_trees *t, const struct import_set *set);
/* Adds the tree below node 0; value[node * width]. Nodes that cannot be reached are left out.
 * import-value: a child out of range, with two parents, or deeper than 512; *at is the node. */
tide_status import_trees_add(struct import_trees *t, int32_t output,
                             const struct import_node *node, int32_t n_nodes,
                             const double *value, int32_t width, int32_t *at,
                             tide_error *err);
/* The ensemble of all trees into a state. Features as the model's columns stand:
 * place[j] is the column of feature j; code_of_level[column] maps its sorted levels back. */
tide_status import_trees_save(const struct import_source *s, const int32_t *place,
                              const uint32_t *const *code_of_level, struct state *out,
                              tide_error *err);

/* The largest double whose nearest float is below t: (float)x < t exactly when x <= it. */
double import_float_edge(float t);
/* LightGBM takes numbers within this of 0 for 0. */
#define IMPORT_ZERO_EDGE ((double)1e-35f)

/* A feature that has a dictionary and is taken for a number by a node or a leaf, or -1. */
int32_t import_trees_mixed(const struct import_source *s);

/* ---- errors ---- */
tide_status import_bad(const struct import_source *s, tide_code code, tide_error *err,
                       const char *fmt, ...);
#endif
