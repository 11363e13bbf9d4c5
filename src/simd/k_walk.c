/* k_walk.c - descent without branches for deep trees: 16 rows, or 8 trees of one row, abreast
 *
 * A step is one load of a node, one of a code, and child + (code > thr); a leaf leads to
 * itself. What bounds a walk is the latency of its loads, so many go side by side, and every
 * few steps it is asked whether any of them still moves. */
#include <string.h>

#include "simd/simd.h"
#include "simd/trees.h"

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes,
                       int32_t n_columns, int64_t n, double *out);
void KERNEL(walk_row)(const struct simd_walk *w, const uint16_t *codes, double *out);

#define ROWS  16
#define TREES 8
#define STEPS 4

static inline void add_leaf(const struct simd_walk *w, int32_t t, uint32_t at,
                            double *out)
{
    const double *v = w->leaf + (size_t)w->leaf_of[at] * (size_t)w->width;
    if (w->width == 1)
        out[w->output[t]] += v[0];
    else
        for (int32_t k = 0; k < w->width; k++) out[k] += v[k];
}

/* One load for the whole node. */
static inline uint64_t fetch(const struct simd_walk_node *node)
{
    uint64_t q;
    memcpy(&q, node, sizeof q);
    return q;
}

/* Little-endian, as the build demands: thr, column, child from the low end. */
static inline uint32_t step(uint64_t q, const uint16_t *codes, uint32_t each)
{
    uint16_t code = codes[(uint32_t)(q >> 16 & 0xffff) * each];
    return (uint32_t)(q >> 32) + (code > (uint16_t)q);
}

static inline uint32_t steps_of_group(const struct simd_walk_node *node,
                                      const uint16_t *codes, uint32_t *at)
{
    uint32_t moved = 0;
    for (int s = 0; s + 1 < STEPS; s++)
        for (int j = 0; j < ROWS; j++)
            at[j] = step(fetch(node + at[j]), codes + j, ROWS);
    for (int j = 0; j < ROWS; j++) {
        uint32_t to = step(fetch(node + at[j]), codes + j, ROWS);
        moved |= to ^ at[j];
        at[j] = to;
    }
    return moved;
}

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes,
                       int32_t n_columns, int64_t n, double *out)
{
    for (int32_t t = 0; t < w->n_trees; t++)
        for (int64_t i = 0; i < n; i += ROWS) {
            int64_t m = n - i < ROWS ? n - i : ROWS;
            const uint16_t *own = codes + i * n_columns;
            uint32_t at[ROWS];
            for (int j = 0; j < ROWS; j++) at[j] = w->root[t];
            for (uint32_t d = 0; d < w->depth[t]; d += STEPS)
                if (!steps_of_group(w->node, own, at)) break;
            for (int64_t j = 0; j < m; j++)
                add_leaf(w, t, at[j], out + (i + j) * w->n_outputs);
        }
}

void KERNEL(walk_row)(const struct simd_walk *w, const uint16_t *codes, double *out)
{
    for (int32_t t = 0; t < w->n_trees; t += TREES) {
        int32_t n = w->n_trees - t < TREES ? w->n_trees - t : TREES;
        uint32_t at[TREES], moved = 1;
        for (int j = 0; j < TREES; j++) at[j] = w->root[t + (j < n ? j : 0)];
        while (moved) {
            moved = 0;
            for (int j = 0; j < TREES; j++)
                at[j] = step(fetch(w->node + at[j]), codes, 1);
            for (int j = 0; j < TREES; j++) {
                uint32_t to = step(fetch(w->node + at[j]), codes, 1);
                moved |= to ^ at[j];
                at[j] = to;
            }
        }
        for (int32_t j = 0; j < n; j++) add_leaf(w, t + j, at[j], out);
    }
}
