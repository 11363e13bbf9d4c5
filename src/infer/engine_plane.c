/* engine_plane.c - the plane engine's arrays: trees of at most 256 leaves on byte codes
 *
 * Nodes are laid out level by level. The kernel goes through them from the last to the first, and
 * what a node reads of its children was written many nodes ago; depth first it would wait for the
 * line written just before. */
#include "infer/engine.h"

#define MOST_COLUMNS 16384 /* 64 bytes each and block */
#define MOST_OUTPUTS 256   /* 512 bytes each and block */

/* Nodes of tree t level by level: order[place] is the number, place[number] the place. */
static void lay_levels(const struct ensemble *e, int32_t t, uint32_t *order,
                       uint32_t *place)
{
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, end = n > 0;
    order[0] = 0;
    for (uint32_t i = 0; i < end; i++) {
        uint32_t at = n0 + order[i];
        place[order[i]] = i;
        if (e->node_left[at] < n) order[end++] = e->node_left[at];
        if (e->node_right[at] < n) order[end++] = e->node_right[at];
    }
}

/* The line of a child, whose nodes stand in their places. */
static uint16_t line_of(uint32_t child, uint32_t n_nodes, const uint32_t *place,
                        int32_t first_node)
{
    return (uint16_t)(child < n_nodes ? (uint32_t)first_node + place[child]
                                      : child - n_nodes);
}

void engine_plane_new(const struct ensemble_engine *g, struct arena *a,
                      const struct simd_plane **out)
{
    const struct ensemble *e = g->e;
    uint32_t most = 1, order[SIMD_PLANE_LEAVES], place[SIMD_PLANE_LEAVES];
    *out = NULL;
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n = e->tree_leaf[t + 1] - e->tree_leaf[t];
        most = n > most ? n : most;
    }
    if (!g->is_narrow || most > SIMD_PLANE_LEAVES || g->n_columns > MOST_COLUMNS ||
        e->n_outputs > MOST_OUTPUTS)
        return;
    int64_t nodes = e->tree_node[e->n_trees], leaves = e->tree_leaf[e->n_trees];
    struct simd_plane *p = arena_zero(a, sizeof *p);
    struct simd_plane_node *node = arena_array(a, nodes + 1, sizeof *node);
    struct simd_plane_tree *tree = arena_array(a, e->n_trees + 1, sizeof *tree);
    double *leaf = arena_array(a, leaves * e->leaf_width + 32, sizeof *leaf);
    if (!p || !node || !tree || !leaf) return;
    p->first_node = (int32_t)most;
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0;
        tree[t] = (struct simd_plane_tree){.node = n0,
                                           .n_nodes = n,
                                           .leaf = e->tree_leaf[t],
                                           .n_leaves = n + 1,
                                           .output = e->tree_output[t]};
        lay_levels(e, t, order, place);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t i = n0 + order[k];
            node[n0 + k] = (struct simd_plane_node){
                .thr4 = (e->node_thr[i] & 255u) * 0x01010101u,
                .column = g->of_node[i],
                .left = line_of(e->node_left[i], n, place, p->first_node),
                .right = line_of(e->node_right[i], n, place, p->first_node)};
        }
    }
    for (int64_t i = 0; i < leaves * e->leaf_width; i++) leaf[i] = e->leaf[i];
    for (int i = 0; i < 32; i++) leaf[leaves * e->leaf_width + i] = 0;
    p->node = node;
    p->tree = tree;
    p->leaf = leaf;
    p->width = e->leaf_width;
    *out = p;
}
