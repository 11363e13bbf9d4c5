/* k_tree_hist.c - gradient histograms of a node: one read-modify-write a row and lane
 *
 * The codes of a row are loaded as 64-bit words and taken apart in registers; g and h of a row
 * travel in one 64-bit cell. A call fills at most 16 lanes, whose 32 KB of cells stay in the L1
 * cache: more lanes are more calls (hist.c). Rows of a leaf lie scattered, so row and gradient
 * are fetched ahead: near, and where they do not lie in the L2 cache, also far ahead into that
 * one, since the slots for lines on their way to L1 are too few for the time that memory takes.
 * The caller knows: the first lanes of a row bring its line there, the next ones find it.
 * All sums are integers: no order, the same bits on every set. The loops are scalar; one store a
 * cycle is the limit, and gathers with scatters were slower (trees.md 4). */
#include <string.h>

#include "simd/simd.h"

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane,
                       const uint32_t *ids, int64_t n, const uint32_t *gq, int is_far,
                       uint64_t *hist);

void KERNEL(tree_cells_sub)(uint64_t *to, const uint64_t *from, int64_t n);
void KERNEL(tree_cells_add)(uint64_t *to, const uint64_t *from, int64_t n);
void KERNEL(tree_cells_widen)(const uint64_t *packed, int64_t n, int sign,
                              int64_t *wide);

#define NEAR   16 /* rows ahead, to L1 */
#define FAR    96 /* to L2 */
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t cell_of(uint32_t q)
{
    return ((uint64_t)(int64_t)((int32_t)q >> 16) << 32) + (q & 0xffff);
}

/* Two codes by their byte registers, then one shift for the next two. Compilers would merge the
 * shifts into one a code, from a fresh copy of the word: twice the instructions, and with the
 * ids' own no longer below the time of the stores. */
INLINE uint64_t next_two(uint64_t x)
{
    x >>= 16;
    __asm__("" : "+r"(x));
    return x;
}

/* n: codes of the word, 1..8. */
INLINE void add_word(uint64_t x, int n, uint64_t v, uint64_t *h)
{
    for (int i = 0; i < n; i += 2) {
        h[256 * i + (uint8_t)x] += v;
        if (i + 1 < n) h[256 * i + 256 + (uint8_t)(x >> 8)] += v;
        if (i + 2 < n) x = next_two(x);
    }
}

INLINE void add_row(const uint8_t *row, int n_lane, uint64_t v, uint64_t *h)
{
    for (int at = 0; at < n_lane; at += 8) {
        uint64_t x;
        memcpy(&x, row + at, sizeof x);
        add_word(x, n_lane - at < 8 ? n_lane - at : 8, v, h + 256 * at);
    }
}

INLINE void add_id(const uint8_t *codes, int64_t stride, int n_lane, uint32_t id,
                   const uint32_t *gq, uint64_t *hist)
{
    add_row(codes + (int64_t)id * stride, n_lane, cell_of(gq[id]), hist);
}

INLINE void fetch_near(const uint8_t *codes, int64_t stride, uint32_t id,
                       const uint32_t *gq)
{
    __builtin_prefetch(codes + (int64_t)id * stride);
    __builtin_prefetch(gq + id);
}

INLINE void fetch_far(const uint8_t *codes, int64_t stride, uint32_t id,
                      const uint32_t *gq)
{
    __builtin_prefetch(codes + (int64_t)id * stride, 0, 2);
    __builtin_prefetch(gq + id, 0, 2);
}

INLINE void add_rows(const uint8_t *codes, int64_t stride, int n_lane,
                     const uint32_t *ids, int64_t n, const uint32_t *gq, int is_far,
                     uint64_t *hist)
{
    int64_t i = 0;
    if (!ids) {
        for (; i < n; i++) add_row(codes + i * stride, n_lane, cell_of(gq[i]), hist);
        return;
    }
    if (is_far) {
        for (int64_t j = 0; j < n && j < FAR; j++) fetch_far(codes, stride, ids[j], gq);
        for (; i + FAR < n; i++) {
            fetch_far(codes, stride, ids[i + FAR], gq);
            fetch_near(codes, stride, ids[i + NEAR], gq);
            add_id(codes, stride, n_lane, ids[i], gq, hist);
        }
    }
    for (; i + NEAR < n; i++) {
        fetch_near(codes, stride, ids[i + NEAR], gq);
        add_id(codes, stride, n_lane, ids[i], gq, hist);
    }
    for (; i < n; i++) add_id(codes, stride, n_lane, ids[i], gq, hist);
}

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane,
                       const uint32_t *ids, int64_t n_rows, const uint32_t *gq,
                       int is_far, uint64_t *hist)
{
#define LANES(n)                                                                       \
    case n:                                                                            \
        add_rows(codes, stride, n, ids, n_rows, gq, is_far, hist);                     \
        break
    switch (n_lane) { /* loops over lanes are unrolled */
        LANES(1);
        LANES(2);
        LANES(3);
        LANES(4);
        LANES(5);
        LANES(6);
        LANES(7);
        LANES(8);
        LANES(9);
        LANES(10);
        LANES(11);
        LANES(12);
        LANES(13);
        LANES(14);
        LANES(15);
        LANES(16);
    }
#undef LANES
}

void KERNEL(tree_cells_sub)(uint64_t *restrict to, const uint64_t *restrict from,
                            int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] -= from[i];
}

void KERNEL(tree_cells_add)(uint64_t *restrict to, const uint64_t *restrict from,
                            int64_t n)
{
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

void KERNEL(tree_cells_widen)(const uint64_t *restrict packed, int64_t n, int sign,
                              int64_t *restrict wide)
{
    int64_t flip = sign < 0 ? -1 : 0; /* (x ^ -1) - (-1) = -x */
    for (int64_t i = 0; i < n; i++) {
        int64_t g = (int32_t)(packed[i] >> 32), h = (uint32_t)packed[i];
        wide[2 * i] += (g ^ flip) - flip;
        wide[2 * i + 1] += (h ^ flip) - flip;
    }
}
