/* engine_lane.c - the lane engine's arrays: trees of at most 32 leaves, 16 a group
 *
 * Leaves are numbered from left to right, so a node's leaves are a range: it begins where the
 * node's leftmost path ends, and a failed test rules out the range of the left child. */
#include <string.h>

#include "infer/engine.h"

#define TREES 16

static int fits(const struct ensemble_engine *g)
{
    const struct ensemble *e = g->e;
    if (!g->is_narrow || g->n_columns > SIMD_LANE_COLUMNS || e->leaf_width > 1 ||
        e->n_trees > INT32_MAX / TREES)
        return 0;
    for (int32_t t = 0; t < e->n_trees; t++)
        if (e->tree_leaf[t + 1] - e->tree_leaf[t] > SIMD_LANE_LEAVES) return 0;
    return 1;
}

/* Positions that a group takes: its largest tree's nodes, rounded up to four. */
static uint32_t group_positions(const struct ensemble *e, int32_t g)
{
    uint32_t most = 0;
    for (int32_t t = g * TREES; t < e->n_trees && t < (g + 1) * TREES; t++) {
        uint32_t n = e->tree_node[t + 1] - e->tree_node[t];
        most = n > most ? n : most;
    }
    return (most + 3) / 4 * 4;
}

/* Nodes of tree t into lane j of the group that starts at position q. */
static void put_tree(const struct ensemble_engine *g, int32_t t, size_t at,
                     uint8_t *column, uint8_t *thr, uint32_t *stay)
{
    const struct ensemble *e = g->e;
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0;
    uint32_t first[SIMD_LANE_LEAVES], last[SIMD_LANE_LEAVES]; /* leaves below a node */
    for (uint32_t i = n; i-- > 0;) { /* children come after their parent */
        uint32_t l = e->node_left[n0 + i], r = e->node_right[n0 + i];
        first[i] = l < n ? first[l] : l - n;
        last[i] = r < n ? last[r] : r - n;
        uint32_t left_end = (l < n ? last[l] : l - n) + 1, gone = 0;
        for (uint32_t k = first[i]; k < left_end; k++) gone |= UINT32_C(1) << k;
        column[at + i * TREES] = (uint8_t)g->of_node[n0 + i];
        thr[at + i * TREES] = (uint8_t)e->node_thr[n0 + i];
        stay[at + i * TREES] = ~gone;
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
        start[k + 1] = start[k] + group_positions(e, k);
    int64_t cells = (int64_t)start[n_groups] * TREES;
    uint8_t *column = arena_zero(a, (size_t)cells + 64);
    uint8_t *thr = arena_array(a, cells + 64, sizeof *thr);
    uint32_t *stay = arena_array(a, cells + 64, sizeof *stay);
    double *leaf =
        arena_zero(a, ((size_t)n_groups * TREES + 1) * SIMD_LANE_LEAVES * sizeof *leaf);
    uint8_t *from = arena_zero(a, SIMD_LANE_COLUMNS);
    uint8_t *absent = arena_array(a, SIMD_LANE_COLUMNS, sizeof *absent);
    if (!column || !thr || !stay || !leaf || !from || !absent) return;
    put_columns(g, from, absent);
    memset(thr, 255, (size_t)cells + 64); /* tests that always pass */
    memset(stay, 255, ((size_t)cells + 64) * sizeof *stay);
    int has_outputs = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        size_t at = (size_t)start[t / TREES] * TREES + (size_t)(t % TREES);
        put_tree(g, t, at, column, thr, stay);
        memcpy(leaf + (size_t)t * SIMD_LANE_LEAVES, e->leaf + e->tree_leaf[t],
               (e->tree_leaf[t + 1] - e->tree_leaf[t]) * sizeof *leaf);
        has_outputs |= e->tree_output[t] != 0;
    }
    *p = (struct simd_lane){.first = start,
                            .column = column,
                            .thr = thr,
                            .stay = stay,
                            .leaf = leaf,
                            .output = has_outputs ? e->tree_output : NULL,
                            .from = from,
                            .absent = absent,
                            .n_groups = n_groups,
                            .n_trees = e->n_trees,
                            .n_columns = g->n_columns};
    *out = p;
}
