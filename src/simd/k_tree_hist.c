/* k_tree_hist.c - gradient histograms of a node: one read-modify-write a row and lane
 *
 * The codes of a row are loaded as 64-bit words and taken apart in registers; g and h of a row
 * travel in one 64-bit cell. Rows of a leaf lie scattered, so row and gradient are fetched
 * ahead: near, and where they do not lie in the L2 cache, also far ahead into that one, since
 * the slots for lines on their way to L1 are too few for the time that memory takes. All sums are integers: no order, the same bits on every set. The loops are scalar;
 * one store a cycle is the limit, and gathers with scatters were slower (trees.md 4). */
#include <string.h>

#include "simd/simd.h"

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane,
                       const uint32_t *ids, int64_t n, const uint32_t *gq,
                       uint64_t *hist);

void KERNEL(tree_cells_sub)(uint64_t *to, const uint64_t *from, int64_t n);
void KERNEL(tree_cells_add)(uint64_t *to, const uint64_t *from, int64_t n);
void KERNEL(tree_cells_widen)(const uint64_t *packed, int64_t n, int sign,
                              int64_t *wide);

#define NEAR   12                 /* rows ahead, to L1 */
#define FAR    128                /* to L2 */
#define IN_L2  (INT64_C(1) << 20) /* bytes */
#define INLINE static inline __attribute__((always_inline))
#define FALLS  __attribute__((fallthrough))

INLINE uint64_t cell_of(uint32_t q)
{
    return ((uint64_t)(int64_t)((int32_t)q >> 16) << 32) + (q & 0xffff);
}

INLINE void add_word(uint64_t x, uint64_t v, uint64_t *h)
{
    h[(uint8_t)x] += v;
    h[256 + (uint8_t)(x >> 8)] += v;
    h[512 + (uint8_t)(x >> 16)] += v;
    h[768 + (uint8_t)(x >> 24)] += v;
    h[1024 + (uint8_t)(x >> 32)] += v;
    h[1280 + (uint8_t)(x >> 40)] += v;
    h[1536 + (uint8_t)(x >> 48)] += v;
    h[1792 + (x >> 56)] += v;
}

/* words: whole groups of 8 lanes; rest: lanes after them, 0..7. */
INLINE void add_row(const uint8_t *row, int words, int rest, uint64_t v, uint64_t *h)
{
    uint64_t x;
    for (int w = 0; w < words; w++, h += 2048) {
        memcpy(&x, row + 8 * w, sizeof x);
        add_word(x, v, h);
    }
    if (!rest) return;
    memcpy(&x, row + 8 * words, sizeof x);
    switch (rest) {
    case 7:
        h[1536 + (uint8_t)(x >> 48)] += v;
        FALLS;
    case 6:
        h[1280 + (uint8_t)(x >> 40)] += v;
        FALLS;
    case 5:
        h[1024 + (uint8_t)(x >> 32)] += v;
        FALLS;
    case 4:
        h[768 + (uint8_t)(x >> 24)] += v;
        FALLS;
    case 3:
        h[512 + (uint8_t)(x >> 16)] += v;
        FALLS;
    case 2:
        h[256 + (uint8_t)(x >> 8)] += v;
        FALLS;
    default:
        h[(uint8_t)x] += v;
    }
}

INLINE void add_id(const uint8_t *codes, int64_t stride, int words, int rest,
                   uint32_t id, const uint32_t *gq, uint64_t *hist)
{
    add_row(codes + (int64_t)id * stride, words, rest, cell_of(gq[id]), hist);
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

INLINE void add_rows(const uint8_t *codes, int64_t stride, int words, int rest,
                     const uint32_t *ids, int64_t n, const uint32_t *gq, uint64_t *hist)
{
    int64_t i = 0;
    if (!ids) {
        for (; i < n; i++)
            add_row(codes + i * stride, words, rest, cell_of(gq[i]), hist);
        return;
    }
    /* ids ascend: the rows lie between the first and the last */
    if (n > 1 && (ids[n - 1] - ids[0]) * (stride + 4) > IN_L2) {
        for (int64_t j = 0; j < n && j < FAR; j++) fetch_far(codes, stride, ids[j], gq);
        for (; i + FAR < n; i++) {
            fetch_far(codes, stride, ids[i + FAR], gq);
            fetch_near(codes, stride, ids[i + NEAR], gq);
            add_id(codes, stride, words, rest, ids[i], gq, hist);
        }
    }
    for (; i + NEAR < n; i++) {
        fetch_near(codes, stride, ids[i + NEAR], gq);
        add_id(codes, stride, words, rest, ids[i], gq, hist);
    }
    for (; i < n; i++) add_id(codes, stride, words, rest, ids[i], gq, hist);
}

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane,
                       const uint32_t *ids, int64_t n, const uint32_t *gq,
                       uint64_t *hist)
{
    int rest = n_lane & 7;
    switch (n_lane >> 3) {
    case 0:
        add_rows(codes, stride, 0, rest, ids, n, gq, hist);
        break;
    case 1:
        add_rows(codes, stride, 1, rest, ids, n, gq, hist);
        break;
    case 2:
        add_rows(codes, stride, 2, rest, ids, n, gq, hist);
        break;
    case 3:
        add_rows(codes, stride, 3, rest, ids, n, gq, hist);
        break;
    case 4:
        add_rows(codes, stride, 4, rest, ids, n, gq, hist);
        break;
    case 8:
        add_rows(codes, stride, 8, rest, ids, n, gq, hist);
        break;
    default:
        add_rows(codes, stride, n_lane >> 3, rest, ids, n, gq, hist);
    }
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
