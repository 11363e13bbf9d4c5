/* ensemble_walk.h - inside of infer/: stored column kinds and packed nodes */
#ifndef INFER_ENSEMBLE_WALK_H
#define INFER_ENSEMBLE_WALK_H
#include <stdint.h>

enum column_kind { COLUMN_PLAIN, COLUMN_MAP, COLUMN_LEFT, COLUMN_SET, COLUMN_KINDS };

/* Children: a node of the whole ensemble, or ~leaf. */
struct walk_node {
    int32_t child[2]; /* left, right */
    uint16_t thr, add;
    uint32_t feature, set; /* set 0: a number */
};
struct ensemble_walk {
    const struct walk_node *node;
    const int32_t *root;  /* [n_trees] */
    const uint64_t *bits; /* [sets][4] */
    const uint8_t *used;  /* [n_features] 1: some node tests it */
    int has_sets;
};
#endif
