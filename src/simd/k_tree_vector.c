/* k_tree_vector.c - histograms and split scan of trees whose leaves hold one value an output
 *
 * A code has one cell an output, `width` of them side by side (4 or 8), so a row's gradients are
 * added to a lane by one read-modify-write of 32 or 64 bytes. More outputs are passes of their
 * own over other histograms, for one of them just fits the L2 cache.
 *
 * tree_scan_vector ranks as tree_scan does: the gain of output q is c d^2 / (p r) less a number that
 * all splits of the node share, with d = G_l - p m, p = H_l + l2, r = H_r + l2, c = H + 2 l2,
 * m = G / c. Sums are exact integers, rounded once to f32 and scaled by powers of two; outputs
 * add up in their order. The operations and their order are the same on every set. */
#include <string.h>

#include "simd/simd.h"

void KERNEL(tree_hist_vector)(const uint8_t *codes, int64_t stride, int n_lane,
                              const uint32_t *ids, int64_t n, const uint32_t *gq,
                              int width, uint64_t *hist);
void KERNEL(tree_scan_vector)(const uint64_t *cells, int wide, int64_t n,
                              const struct simd_outputs *o, const int64_t *start,
                              float *gain, int64_t *h_left);

#define NEAR  12 /* rows ahead */
#define FOUR  4
#define EIGHT 8
#define CODES 64
#define LANES 8 /* at once */
#define TILE                                                                           \
    2048 /* rows whose codes and gradients wait in the L2 cache for the next lanes */
#define INLINE static inline __attribute__((always_inline))

typedef uint64_t cells4 __attribute__((vector_size(32)));
typedef uint64_t cells8 __attribute__((vector_size(64)));

/* ------------------------------------------------------------------- histograms --- */

/* Adds a row's gradients to `lanes` lanes whose codes are row[0], row[1] ... */
INLINE void add_row(const uint8_t *row, int lanes, int width, const uint32_t *gq,
                    uint64_t *hist)
{
    uint64_t v[EIGHT];
    for (int q = 0; q < width; q++)
        v[q] = ((uint64_t)(int64_t)((int32_t)gq[q] >> 16) << 32) + (gq[q] & 0xffff);
    if (width == FOUR) {
        cells4 add, to;
        memcpy(&add, v, sizeof add);
        for (int l = 0; l < lanes; l++, hist += 256 * FOUR) {
            uint64_t *cell = hist + (size_t)row[l] * FOUR;
            memcpy(&to, cell, sizeof to);
            to += add;
            memcpy(cell, &to, sizeof to);
        }
    } else {
        cells8 add, to;
        memcpy(&add, v, sizeof add);
        for (int l = 0; l < lanes; l++, hist += 256 * EIGHT) {
            uint64_t *cell = hist + (size_t)row[l] * EIGHT;
            memcpy(&to, cell, sizeof to);
            to += add;
            memcpy(cell, &to, sizeof to);
        }
    }
}

/* at: number of the first row without ids */
INLINE void add_rows(const uint8_t *codes, int64_t stride, int lanes,
                     const uint32_t *ids, int64_t at, int64_t n, const uint32_t *gq,
                     int width, uint64_t *hist)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t id = ids ? (int64_t)ids[i] : at + i;
        if (ids && i + NEAR < n) {
            __builtin_prefetch(codes + (int64_t)ids[i + NEAR] * stride);
            __builtin_prefetch(gq + (int64_t)ids[i + NEAR] * width);
        }
        add_row(codes + id * stride, lanes, width, gq + id * width, hist);
    }
}

/* A tile of rows at a time, and of it LANES lanes whose loop is unrolled: their cells wait nearer
 * than those of all lanes. */
INLINE void add_tiles(const uint8_t *codes, int64_t stride, int n_lane,
                      const uint32_t *ids, int64_t n, const uint32_t *gq, int width,
                      uint64_t *hist)
{
    const size_t lane = 256 * (size_t)width;
    for (int64_t at = 0; at < n; at += TILE) {
        const uint32_t *some = ids ? ids + at : NULL;
        int64_t m = n - at < TILE ? n - at : TILE;
        int l = 0;
        for (; l + LANES <= n_lane; l += LANES)
            add_rows(codes + l, stride, LANES, some, at, m, gq, width,
                     hist + (size_t)l * lane);
        if (l < n_lane)
            add_rows(codes + l, stride, n_lane - l, some, at, m, gq, width,
                     hist + (size_t)l * lane);
    }
}

void KERNEL(tree_hist_vector)(const uint8_t *codes, int64_t stride, int n_lane,
                              const uint32_t *ids, int64_t n, const uint32_t *gq,
                              int width, uint64_t *hist)
{
    if (width == FOUR)
        add_tiles(codes, stride, n_lane, ids, n, gq, FOUR, hist);
    else
        add_tiles(codes, stride, n_lane, ids, n, gq, EIGHT, hist);
}

/* ------------------------------------------------------------------------- scan --- */

/* 0 <= x < 2^52, without a conversion from 64 bits, which AVX2 has not */
INLINE double small_f64(uint64_t x)
{
    double d;
    x |= UINT64_C(0x4330000000000000); /* 2^52 + x */
    memcpy(&d, &x, sizeof d);
    return d - 0x1p52;
}

/* Adds what one output says of the splits after each code, with sums g and h up to it, or both
 * packed in h. */
INLINE void scan_output(const uint64_t *g, const uint64_t *h, int packed, int64_t n,
                        const struct simd_outputs *o, int q, float *restrict gain,
                        int64_t *restrict h_left)
{
    const float g_scale = o->g_scale, h_scale = o->h_scale, l2 = o->l2;
    const float mean = o->mean[q], sum = o->sum[q];
    const uint64_t total = o->total[q];
    for (int64_t c = 0; c < n; c++) {
        uint64_t left = packed ? h[c] & UINT32_MAX : h[c];
        uint64_t right = packed ? (total - h[c]) & UINT32_MAX : total - h[c];
        double gl = packed ? small_f64((h[c] >> 32) ^ UINT64_C(0x80000000)) - 0x1p31
                           : small_f64(g[c] + (UINT64_C(1) << 51)) - 0x1p51;
        float p = (float)small_f64(left) * h_scale + l2;
        float r = (float)small_f64(right) * h_scale + l2;
        float d = (float)gl * g_scale - p * mean;
        gain[c] += d * d * sum / (p * r);
        h_left[c] += (int64_t)left;
    }
}

/* Sums up to each code by output, some codes at a time. */
INLINE void scan_packed(const uint64_t *cells, int width, int64_t n,
                        const struct simd_outputs *o, const int64_t *start, float *gain,
                        int64_t *h_left)
{
    uint64_t sum[EIGHT], left[EIGHT][CODES];
    for (int q = 0; q < width; q++)
        sum[q] = ((uint64_t)start[q] << 32) + (uint64_t)start[width + q];
    for (int64_t c0 = 0; c0 < n; c0 += CODES) {
        int64_t m = n - c0 < CODES ? n - c0 : CODES;
        for (int64_t c = 0; c < m; c++, cells += width)
            for (int q = 0; q < width; q++) left[q][c] = sum[q] += cells[q];
        for (int q = 0; q < width; q++)
            scan_output(NULL, left[q], 1, m, o, q, gain + c0, h_left + c0);
    }
}

static void scan_wide(const uint64_t *cells, int64_t n, const struct simd_outputs *o,
                      const int64_t *start, float *gain, int64_t *h_left)
{
    uint64_t g[256], h[256];
    for (int q = 0; q < o->width; q++) {
        uint64_t sum_g = (uint64_t)start[q], sum_h = (uint64_t)start[o->width + q];
        for (int64_t c = 0; c < n; c++) {
            g[c] = sum_g += cells[2 * (c * o->width + q)];
            h[c] = sum_h += cells[2 * (c * o->width + q) + 1];
        }
        scan_output(g, h, 0, n, o, q, gain, h_left);
    }
}

void KERNEL(tree_scan_vector)(const uint64_t *cells, int wide, int64_t n,
                              const struct simd_outputs *o, const int64_t *start,
                              float *gain, int64_t *h_left)
{
    if (wide)
        scan_wide(cells, n, o, start, gain, h_left);
    else if (o->width == FOUR)
        scan_packed(cells, FOUR, n, o, start, gain, h_left);
    else
        scan_packed(cells, EIGHT, n, o, start, gain, h_left);
}
