/* shap_plan.h - inside of infer/: trees as simd->shap_tree takes them */
#ifndef INFER_SHAP_PLAN_H
#define INFER_SHAP_PLAN_H
#include "infer/engine.h"

/* The edge that leads to a node. */
struct shap_edge {
    uint32_t parent; /* UINT32_MAX: none, the root */
    uint32_t side;   /* 0 left, 1 right */
};

/* Room for any tree of an ensemble and blocks of at most `words` words of rows, and the tree at
 * hand. What a node knows of its feature comes from the nearest node above that tests it, too. */
struct shap_plan {
    const struct ensemble *e;
    const struct simd_table *simd;
    int64_t stride;
    int32_t t; /* the tree at hand */
    uint32_t n_nodes;
    int32_t most;            /* features of one path */
    struct shap_edge *edge;  /* [nodes] */
    struct shap_edge *above; /* [nodes] the last edge of the node's feature */
    uint16_t *features;      /* [nodes] of the path to the node and its own */
    double *share;           /* [nodes] of the rows that those edges leave */
    double *mean;            /* [nodes] */
    uint32_t *step;          /* [2 nodes] */
    uint8_t *kind;           /* [nodes] */
    struct simd_shap_node *node;
    uint64_t *left, *live; /* [nodes][stride] */
    double *again, *room;
};

/* Leaves the arena failed where there is no room. The ensemble has covers. */
void shap_plan_new(struct shap_plan *plan, const struct simd_table *simd,
                   const struct ensemble *e, int64_t words, struct arena *a);
/* Takes tree t. place: [features] numbers among the used features. Afterwards most is known. */
void shap_plan_tree(struct shap_plan *plan, int32_t t, const int32_t *place);
/* Its expected leaf, by covers; o: of a leaf's values. */
double shap_plan_mean(struct shap_plan *plan, int32_t o);
/* Which rows pass its tests; codes: [columns][64 stride]. */
void shap_plan_rows(struct shap_plan *plan, const uint16_t *codes, int64_t words);
/* Adds contributions by q places of a rule, at most SIMD_SHAP_NODES, for groups of
 * SIMD_SHAP_GROUP rows: to sum [groups][used features][SIMD_SHAP_GROUP]. */
void shap_plan_add(const struct shap_plan *plan, const double *at, const double *weight,
                   int32_t q, int32_t o, int64_t groups, double *sum);
#endif
