/* k_walk.c - descent without branches for deep trees: 16 rows, or 8 trees of one row, abreast
 *
 * A step is one load of a node, one of a code, and child + (code > thr); a leaf leads to
 * itself. What bounds a walk is the latency of its loads, so many go side by side, and every
 * few steps it is asked whether any of them still moves. */
#include "simd/simd.h"
#include "simd/trees.h"

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes, int64_t stride,
                       int64_t n, double *out);
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

static inline uint32_t step(struct simd_walk_node q, uint16_t code)
{
    return q.child + (code > q.thr);
}

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes, int64_t stride,
                       int64_t n, double *out)
{
    const struct simd_walk_node *node = w->node;
    for (int32_t t = 0; t < w->n_trees; t++)
        for (int64_t i = 0; i < n; i += ROWS) {
            int64_t m = n - i < ROWS ? n - i : ROWS; /* stride covers whole groups */
            const uint16_t *own = codes + i;
            uint32_t at[ROWS], moved = 1;
            for (int j = 0; j < ROWS; j++) at[j] = w->root[t];
            for (uint32_t d = 0; moved && d < w->depth[t]; d += STEPS) {
                for (int s = 0; s + 1 < STEPS; s++)
                    for (int j = 0; j < ROWS; j++) {
                        struct simd_walk_node q = node[at[j]];
                        at[j] = step(q, own[q.column * stride + j]);
                    }
                moved = 0;
                for (int j = 0; j < ROWS; j++) {
                    struct simd_walk_node q = node[at[j]];
                    uint32_t to = step(q, own[q.column * stride + j]);
                    moved |= to ^ at[j];
                    at[j] = to;
                }
            }
            for (int64_t j = 0; j < m; j++)
                add_leaf(w, t, at[j], out + (i + j) * w->n_outputs);
        }
}

void KERNEL(walk_row)(const struct simd_walk *w, const uint16_t *codes, double *out)
{
    const struct simd_walk_node *node = w->node;
    for (int32_t t = 0; t < w->n_trees; t += TREES) {
        int32_t n = w->n_trees - t < TREES ? w->n_trees - t : TREES;
        uint32_t at[TREES], moved = 1;
        for (int j = 0; j < TREES; j++) at[j] = w->root[t + (j < n ? j : 0)];
        while (moved) {
            moved = 0;
            for (int j = 0; j < TREES; j++) {
                uint32_t to = at[j];
                for (int s = 0; s < 2; s++) {
                    struct simd_walk_node q = node[to];
                    to = step(q, codes[q.column]);
                }
                moved |= to ^ at[j];
                at[j] = to;
            }
        }
        for (int32_t j = 0; j < n; j++) add_leaf(w, t + j, at[j], out);
    }
}
