/* k_walk.c - descent without branches for deep trees: 8 or 16 rows, or 8 trees of one row, abreast
 *
 * A step is one load of a node, one of a code, and child + (code > thr); a leaf leads to
 * itself. What bounds a walk is the latency of its loads, so many go side by side, and every
 * few steps it is asked whether any of them still moves: the fewer they are, the less they wait
 * for the last. Values of leaves are added one group late, when they have come; the nodes of
 * the next tree are called for while the rows walk this one. */
#include <string.h>

#include "simd/simd.h"
#include "simd/trees.h"

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes,
                       int32_t n_columns, int64_t n, double *out);
void KERNEL(walk_row)(const struct simd_walk *w, const uint16_t *codes, double *out);

#define ROWS 16 /* a group of codes */
#ifdef SIMD_IS_avx512
#define ABREAST 16
#else
#define ABREAST 8
#endif
#define TREES 8
#define STEPS 4
#define LINE  64

/* The leaves of m rows, by their numbers. */
static inline void add_leaves(const struct simd_walk *w, int32_t t,
                              const uint32_t *leaf, int64_t m, double *out)
{
    const int32_t width = w->width, each = w->n_outputs;
    for (int64_t j = 0; j < m; j++) {
        const double *v = w->leaf + (size_t)leaf[j] * (size_t)width;
        double *to = out + j * each;
        if (width == 1)
            to[w->output[t]] += v[0];
        else
            for (int32_t k = 0; k < width; k++) to[k] += v[k];
    }
}

#ifdef SIMD_IS_avx512

/* One load for the whole node; little-endian, as the build demands: thr, column, child. */
static inline uint32_t step(const struct simd_walk_node *node, const uint16_t *codes,
                            uint32_t each)
{
    uint64_t q;
    memcpy(&q, node, sizeof q);
    uint16_t code = codes[(uint32_t)(q >> 16 & 0xffff) * each];
    return (uint32_t)(q >> 32) + (code > (uint16_t)q);
}

#else

/* Older machines do better with a load for each part: the last two belong to compare and add. */
static inline uint32_t step(const struct simd_walk_node *node, const uint16_t *codes,
                            uint32_t each)
{
    const uint16_t *row = codes + (size_t)node->column * each;
    return node->child + (*row > node->thr);
}

#endif

static inline uint32_t some_steps(const struct simd_walk_node *node,
                                  const uint16_t *codes, uint32_t *at)
{
    uint32_t moved = 0;
    for (int s = 0; s + 1 < STEPS; s++)
        for (int j = 0; j < ABREAST; j++) at[j] = step(node + at[j], codes + j, ROWS);
    for (int j = 0; j < ABREAST; j++) {
        uint32_t to = step(node + at[j], codes + j, ROWS);
        moved |= to ^ at[j];
        at[j] = to;
    }
    return moved;
}

/* Nodes of the next tree, some with each group of rows. */
struct ahead {
    const char *at;
    int64_t lines, each;
};

/* Where there are many more lines than rows, most would be called for in vain. */
static inline struct ahead look_ahead(const struct simd_walk *w, int32_t t, int64_t n)
{
    struct ahead a = {0};
    if (t + 1 == w->n_trees) return a;
    int64_t nodes = w->root[t + 2] - w->root[t + 1],
            lines = nodes * (int64_t)sizeof *w->node / LINE;
    if (lines == 0 || lines > 4 * n) return a;
    a.at = (const char *)(w->node + w->root[t + 1]);
    a.lines = lines;
    a.each = lines / ((n + ROWS - 1) / ROWS) + 1;
    return a;
}

static inline void call_for_some(struct ahead *a)
{
    for (int64_t i = 0; i < a->each && a->lines > 0; i++, a->lines--, a->at += LINE)
        __builtin_prefetch(a->at);
}

/* Leaves that rows have come to, and their way into the cache begun. */
static inline void find_leaves(const struct simd_walk *w, const uint32_t *at,
                               uint32_t *leaf)
{
    for (int j = 0; j < ROWS; j++) {
        leaf[j] = w->leaf_of[at[j]];
        __builtin_prefetch(w->leaf + (size_t)leaf[j] * (size_t)w->width);
    }
}

void KERNEL(walk_rows)(const struct simd_walk *w, const uint16_t *codes,
                       int32_t n_columns, int64_t n, double *out)
{
    for (int32_t t = 0; t < w->n_trees; t++) {
        uint32_t leaf[ROWS];
        struct ahead next = look_ahead(w, t, n);
        for (int64_t i = 0; i < n; i += ROWS) {
            const uint16_t *own = codes + i * n_columns;
            uint32_t at[ROWS];
            for (int j = 0; j < ROWS; j++) at[j] = w->root[t];
            call_for_some(&next);
            for (int from = 0; from < ROWS; from += ABREAST)
                for (uint32_t d = 0; d < w->depth[t]; d += STEPS)
                    if (!some_steps(w->node, own + from, at + from)) break;
            if (i) add_leaves(w, t, leaf, ROWS, out + (i - ROWS) * w->n_outputs);
            find_leaves(w, at, leaf);
        }
        int64_t last = (n - 1) / ROWS * ROWS;
        add_leaves(w, t, leaf, n - last, out + last * w->n_outputs);
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
            for (int j = 0; j < TREES; j++) at[j] = step(w->node + at[j], codes, 1);
            for (int j = 0; j < TREES; j++) {
                uint32_t to = step(w->node + at[j], codes, 1);
                moved |= to ^ at[j];
                at[j] = to;
            }
        }
        for (int32_t j = 0; j < n; j++)
            add_leaves(w, t + j, &w->leaf_of[at[j]], 1, out);
    }
}
