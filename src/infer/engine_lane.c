/* engine_lane.c - the lane engine's arrays: trees of few leaves, 64 a group
 *
 * Leaves are numbered from left to right, so the leaves below a node are a range, and the node
 * stands between the last leaf of its left child and the first of its right one. */
#include <string.h>

#include "infer/engine.h"

#define TREES SIMD_LANE_TREES
/* Every test of a tree costs something here, and only those on the way in a walk: larger trees
 * come with enough others in their group, or are walked. */
#define SMALL_LEAVES   32
#define MOST_POSITIONS 16 /* a tree, of any kernel set */

int engine_lane_pays(const struct ensemble_engine *g, int positions)
{
    const struct simd_lane *p = g->lane;
    if (!p || !positions) return 0;
    return p->stride <= SMALL_LEAVES ||
           p->first[p->n_groups] <= (uint32_t)positions * (uint64_t)p->n_trees;
}

static uint32_t most_leaves(const struct ensemble *e)
{
    uint32_t most = 1;
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n = e->tree_leaf[t + 1] - e->tree_leaf[t];
        most = n > most ? n : most;
    }
    return most;
}

static int fits(const struct ensemble_engine *g)
{
    const struct ensemble *e = g->e;
    return g->is_narrow && g->n_columns <= SIMD_LANE_COLUMNS && e->leaf_width == 1 &&
           e->n_trees <= INT32_MAX / 2 - TREES && most_leaves(e) <= SIMD_LANE_LEAVES;
}

/* Positions of groups g and g + 1: the inner nodes of their largest tree. */
static uint32_t pair_positions(const struct ensemble *e, int32_t g)
{
    uint32_t most = 0;
    for (int32_t t = g * TREES; t < e->n_trees && t < (g + 2) * TREES; t++) {
        uint32_t n = e->tree_node[t + 1] - e->tree_node[t];
        most = n > most ? n : most;
    }
    return most;
}

/* Nodes of tree t into lane t % TREES of the group whose tests begin at `test`. */
static void put_tree(const struct ensemble_engine *g, int32_t t, const uint8_t *from,
                     uint8_t *test)
{
    const struct ensemble *e = g->e;
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0;
    uint32_t first[SIMD_LANE_LEAVES], last[SIMD_LANE_LEAVES]; /* leaves below a node */
    for (uint32_t i = n; i-- > 0;) { /* children come after their parent */
        uint32_t l = e->node_left[n0 + i], r = e->node_right[n0 + i];
        first[i] = l < n ? first[l] : l - n;
        last[i] = r < n ? last[r] : r - n;
        uint32_t place = l < n ? last[l] : l - n;
        uint8_t *at = test + (size_t)place * SIMD_LANE_TESTS + t % TREES;
        at[0] = (uint8_t)g->of_node[n0 + i];
        at[TREES] = (uint8_t)(e->node_thr[n0 + i] ^ SIMD_LANE_SIGN);
        at[2 * TREES] = (uint8_t)(first[i] ^ SIMD_LANE_SIGN);
        at[3 * TREES] = from[at[0]];
    }
}

/* Where the kernel finds each column: among the codes of features, or, where some columns are
 * maps, among columns that are all made but for the direction of missing. */
static void put_columns(const struct ensemble_engine *g, uint8_t *from, uint8_t *absent)
{
    memset(absent, 255, SIMD_LANE_COLUMNS);
    for (int32_t i = 0; i < g->n_used; i++)
        for (uint32_t k = g->first[i]; k < g->first[i + 1]; k++) {
            from[k] = (uint8_t)(g->has_maps ? k : (uint32_t)i);
            if (g->column[k].kind == COLUMN_LEFT) absent[k] = 0;
        }
}

void engine_lane_new(const struct ensemble_engine *g, struct arena *a,
                     const struct simd_lane **out)
{
    const struct ensemble *e = g->e;
    *out = NULL;
    if (!fits(g)) return;
    int32_t n_groups = (e->n_trees + TREES - 1) / TREES;
    struct simd_lane *p = arena_zero(a, sizeof *p);
    uint32_t *start = arena_array(a, n_groups + 1, sizeof *start);
    if (!p || !start) return;
    start[0] = 0;
    for (int32_t k = 0; k < n_groups; k++)
        start[k + 1] = start[k] + pair_positions(e, k / 2 * 2);
    int64_t positions = start[n_groups];
    if (most_leaves(e) > SMALL_LEAVES &&
        positions > (int64_t)MOST_POSITIONS * e->n_trees)
        return;
    size_t stride = (most_leaves(e) + 7) / 8 * 8; /* whole cache lines */
    uint8_t *test = arena_zero(a, ((size_t)positions + 1) * SIMD_LANE_TESTS);
    double *leaf = arena_zero(a, ((size_t)e->n_trees + 1) * stride * sizeof *leaf);
    uint8_t *from = arena_zero(a, SIMD_LANE_COLUMNS);
    uint8_t *absent = arena_array(a, SIMD_LANE_COLUMNS, sizeof *absent);
    if (!test || !leaf || !from || !absent) return;
    put_columns(g, from, absent);
    for (int64_t q = 0; q < positions; q++) /* tests that always pass */
        memset(test + q * SIMD_LANE_TESTS + TREES, 255 ^ SIMD_LANE_SIGN, TREES);
    int has_outputs = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        put_tree(g, t, from, test + (size_t)start[t / TREES] * SIMD_LANE_TESTS);
        memcpy(leaf + (size_t)t * stride, e->leaf + e->tree_leaf[t],
               (e->tree_leaf[t + 1] - e->tree_leaf[t]) * sizeof *leaf);
        has_outputs |= e->tree_output[t] != 0;
    }
    *p = (struct simd_lane){.first = start,
                            .test = test,
                            .leaf = leaf,
                            .output = has_outputs ? e->tree_output : NULL,
                            .from = from,
                            .absent = absent,
                            .n_groups = n_groups,
                            .n_trees = e->n_trees,
                            .stride = (int32_t)stride,
                            .n_codes = g->has_maps ? g->n_columns : g->n_used,
                            .n_columns = g->n_columns};
    *out = p;
}
