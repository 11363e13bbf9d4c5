/* k_tree_vector.c - histograms and split scan of trees whose leaves hold one value an output
 *
 * A code has one cell an output, `width` of them side by side (4 or 8), so a row's gradients are
 * added to a lane by one read-modify-write of 32 or 64 bytes. More outputs are passes of their
 * own over other histograms, for one of them just fits the L2 cache.
 *
 * tree_scan_vector ranks as tree_scan does: the gain of output q is c d^2 / (p r) less a number that
 * all splits of the node share, with d = G_l - p m, p = H_l + l2, r = H_r + l2, c = H + 2 l2,
 * m = G / c. Sums are exact integers, rounded once to f32 and scaled by powers of two; outputs
 * add up in their order. The operations and their order are the same on every set. The AVX2 form
 * takes packed cells whose h is below 2^31, which nearly all nodes have. */
#include <string.h>

#include "simd/simd.h"
#ifdef SIMD_IS_avx2
#include <immintrin.h>
#endif

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
#define LANES 14 /* at once: their cells lie in the L2 cache, up to 224 KB */
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

#ifdef SIMD_IS_avx2
/* Two pairs of words, those of c and of c + 4, by which 8 codes come out in order. */
INLINE __m256i load_apart(const uint64_t *c)
{
    __m128i low = _mm_loadu_si128((const __m128i *)c);
    __m128i high = _mm_loadu_si128((const __m128i *)(c + 4));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* What scan_output says of packed sums whose h is below 2^31, of whole groups of 8 codes; how many
 * codes they are. Integers that become f32 at once are rounded as those that become f64 first. */
INLINE int64_t scan_groups(const uint64_t *sum, int64_t n, const struct simd_outputs *o,
                           int q, float *gain, int64_t *h_left)
{
    const __m256 g_scale = _mm256_set1_ps(o->g_scale),
                 h_scale = _mm256_set1_ps(o->h_scale), l2 = _mm256_set1_ps(o->l2),
                 mean = _mm256_set1_ps(o->mean[q]), whole = _mm256_set1_ps(o->sum[q]);
    const __m256i total = _mm256_set1_epi32((int)(uint32_t)o->total[q]);
    const __m256i low_word = _mm256_set1_epi64x(UINT32_MAX);
    int64_t c = 0;
    for (; c + 8 <= n; c += 8) {
        __m256 x = _mm256_castsi256_ps(load_apart(sum + c));
        __m256 y = _mm256_castsi256_ps(load_apart(sum + c + 2));
        __m256i h = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88));
        __m256i g = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd));
        __m256 p = _mm256_cvtepi32_ps(h);
        __m256 r = _mm256_cvtepi32_ps(_mm256_sub_epi32(total, h));
        p = _mm256_add_ps(_mm256_mul_ps(p, h_scale), l2);
        r = _mm256_add_ps(_mm256_mul_ps(r, h_scale), l2);
        __m256 d = _mm256_sub_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(g), g_scale),
                                 _mm256_mul_ps(p, mean));
        __m256 add = _mm256_div_ps(_mm256_mul_ps(_mm256_mul_ps(d, d), whole),
                                   _mm256_mul_ps(p, r));
        _mm256_storeu_ps(gain + c, _mm256_add_ps(_mm256_loadu_ps(gain + c), add));
        for (int k = 0; k < 8; k += 4) {
            __m256i *to = (__m256i *)(h_left + c + k);
            __m256i left = _mm256_loadu_si256((const __m256i *)(sum + c + k));
            left = _mm256_and_si256(left, low_word);
            _mm256_storeu_si256(to, _mm256_add_epi64(_mm256_loadu_si256(to), left));
        }
    }
    return c;
}
#else
INLINE int64_t scan_groups(const uint64_t *sum, int64_t n, const struct simd_outputs *o,
                           int q, float *gain, int64_t *h_left)
{
    (void)sum, (void)n, (void)o, (void)q, (void)gain, (void)h_left;
    return 0;
}
#endif

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
        for (int q = 0; q < width; q++) {
            int64_t at = 0;
            if ((uint32_t)o->total[q] <= INT32_MAX)
                at = scan_groups(left[q], m, o, q, gain + c0, h_left + c0);
            scan_output(NULL, left[q] + at, 1, m - at, o, q, gain + c0 + at,
                        h_left + c0 + at);
        }
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
