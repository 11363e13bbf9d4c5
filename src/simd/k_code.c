/* k_code.c - codes of values against at most 254 edges, by two levels of 16
 *
 * Values and edges are rounded to f32, which keeps their order: where the rounded edge is below
 * the rounded value the edge is below the value, and of edges that are distinct as f32 at most
 * one can round to the same as the value; that one is compared in f64. Sixteen pivots are
 * compared at once and counted, then the sixteen edges of the group. */
#include <string.h>

#include "simd/simd.h"
#include "simd/trees.h"

#if defined(SIMD_IS_avx2) || defined(SIMD_IS_avx512)
#include <immintrin.h>
#endif

void KERNEL(codes_u8)(const struct simd_edges *e, const double *x, int64_t n,
                      uint8_t *out);
void KERNEL(codes_row)(const struct simd_edges *e, const uint32_t *feature, int32_t n,
                       const double *x, uint8_t *out);
void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint8_t *out);

#ifdef SIMD_IS_avx512

#define BATCH 64

static inline uint32_t count16(__m512 edges, __m512 x)
{
    return (uint32_t)__builtin_popcount(_mm512_cmp_ps_mask(edges, x, _CMP_LT_OQ));
}

void KERNEL(codes_u8)(const struct simd_edges *e, const double *x, int64_t n,
                      uint8_t *out)
{
    if (!e->level) {
        KERNEL(quantise_u8)(x, n, e->edge, e->n_edge, out);
        return;
    }
    const float *group = e->level + 16;
    const __m512 pivots = _mm512_loadu_ps(e->level);
    for (int64_t i = 0; i < n; i += BATCH) {
        int64_t m = n - i < BATCH ? n - i : BATCH;
        float near[BATCH] __attribute__((aligned(64)));
        uint8_t at[BATCH] __attribute__((aligned(64)));
        for (int64_t j = 0; j < m; j += 8) {
            __mmask8 live = (__mmask8)((1u << (m - j < 8 ? m - j : 8)) - 1);
            __m512d v = _mm512_maskz_loadu_pd(live, x + i + j);
            _mm256_store_ps(near + j, _mm512_cvtpd_ps(v));
        }
        for (int64_t j = 0; j < m; j++) {
            __m512 v = _mm512_set1_ps(near[j]);
            uint32_t g = count16(pivots, v);
            at[j] = (uint8_t)(16 * g + count16(_mm512_loadu_ps(group + 16 * g), v));
        }
        for (int64_t j = 0; j < m; j += 8) {
            __mmask8 live = (__mmask8)((1u << (m - j < 8 ? m - j : 8)) - 1);
            __m512d v = _mm512_maskz_loadu_pd(live, x + i + j);
            __m512i c = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(at + j)));
            __m512d next = _mm512_mask_i64gather_pd(v, live, c, e->edge, 8);
            __mmask8 more = _mm512_cmp_pd_mask(next, v, _CMP_LT_OQ);
            __mmask8 gone = _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q);
            c = _mm512_mask_add_epi64(c, more, c, _mm512_set1_epi64(1));
            c = _mm512_mask_mov_epi64(c, gone, _mm512_set1_epi64(255));
            _mm512_mask_cvtepi64_storeu_epi8(out + i + j, live, c);
        }
    }
}

/* x[feature[j]] as f32, no zero of them negative, and which are missing. Features ascend, so
 * a run of neighbours is one load. */
static inline uint64_t near_values(const uint32_t *feature, int32_t n, const double *x,
                                   float *near)
{
    uint64_t gone = 0;
    for (int32_t j = 0; j < n; j += 8) {
        const uint32_t *f = feature + j;
        __mmask8 live = (__mmask8)((1u << (n - j < 8 ? n - j : 8)) - 1);
        __m512d v = _mm512_setzero_pd();
        if (live == 255 && f[7] - f[0] == 7) {
            v = _mm512_loadu_pd(x + f[0]);
        } else {
            __m256i at = _mm256_maskz_loadu_epi32(live, f);
            v = _mm512_mask_i32gather_pd(v, live, at, x, 8);
        }
        _mm256_storeu_ps(near + j,
                         _mm256_add_ps(_mm512_cvtpd_ps(v), _mm256_setzero_ps()));
        gone |= (uint64_t)_mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q) << j;
    }
    return gone;
}

/* Code of a value against one feature's edges. Only an edge that rounds to the same f32 needs
 * its f64, which lies in a line of its own. */
static inline uint32_t near_code(const struct simd_edges *e, const float *near,
                                 const double *x)
{
    __m512 all = _mm512_set1_ps(*near);
    uint32_t same, own;
    uint32_t c = 16 * (uint32_t)__builtin_popcount(_mm512_cmp_ps_mask(
                          all, _mm512_loadu_ps(e->level), _CMP_GT_OQ));
    c += (uint32_t)__builtin_popcount(
        _mm512_cmp_ps_mask(all, _mm512_loadu_ps(e->level + 16 + c), _CMP_GT_OQ));
    memcpy(&same, e->level + 16 + c, sizeof same);
    memcpy(&own, near, sizeof own);
    if (__builtin_expect(same == own, 0)) c += e->edge[c] < *x;
    return c;
}

void KERNEL(codes_row)(const struct simd_edges *e, const uint32_t *feature, int32_t n,
                       const double *x, uint8_t *out)
{
    float near[BATCH];
    for (int32_t j0 = 0; j0 < n; j0 += BATCH) {
        int32_t m = n - j0 < BATCH ? n - j0 : BATCH;
        const uint32_t *f = feature + j0;
        const struct simd_edges *own = e + j0;
        uint8_t *to = out + j0;
        uint64_t gone = near_values(f, m, x, near);
        for (int32_t j = 0; j < m; j++)
            if (own[j].level)
                to[j] = (uint8_t)near_code(&own[j], &near[j], x + f[j]);
            else
                KERNEL(quantise_u8)(x + f[j], 1, own[j].edge, own[j].n_edge, to + j);
        for (; gone; gone &= gone - 1) to[__builtin_ctzll(gone)] = 255;
    }
}

#elif defined(SIMD_IS_avx2)

static inline uint32_t count16(const float *edges, __m256 x)
{
    __m256 a = _mm256_cmp_ps(_mm256_loadu_ps(edges), x, _CMP_LT_OQ);
    __m256 b = _mm256_cmp_ps(_mm256_loadu_ps(edges + 8), x, _CMP_LT_OQ);
    return (uint32_t)__builtin_popcount((unsigned)_mm256_movemask_ps(a) |
                                        (unsigned)_mm256_movemask_ps(b) << 8);
}

static inline uint8_t code_of(const struct simd_edges *e, double v)
{
    __m256 near = _mm256_set1_ps((float)v);
    uint32_t g = count16(e->level, near);
    uint32_t c = 16 * g + count16(e->level + 16 + 16 * g, near);
    c += e->edge[c] < v;
    return (uint8_t)(v == v ? c : 255);
}

void KERNEL(codes_u8)(const struct simd_edges *e, const double *x, int64_t n,
                      uint8_t *out)
{
    if (!e->level)
        KERNEL(quantise_u8)(x, n, e->edge, e->n_edge, out);
    else
        for (int64_t i = 0; i < n; i++) out[i] = code_of(e, x[i]);
}

void KERNEL(codes_row)(const struct simd_edges *e, const uint32_t *feature, int32_t n,
                       const double *x, uint8_t *out)
{
    for (int32_t j = 0; j < n; j++) {
        double v = x[feature[j]];
        if (e[j].level)
            out[j] = code_of(&e[j], v);
        else
            KERNEL(quantise_u8)(&v, 1, e[j].edge, e[j].n_edge, out + j);
    }
}

#else

void KERNEL(codes_u8)(const struct simd_edges *e, const double *x, int64_t n,
                      uint8_t *out)
{
    KERNEL(quantise_u8)(x, n, e->edge, e->n_edge, out);
}

void KERNEL(codes_row)(const struct simd_edges *e, const uint32_t *feature, int32_t n,
                       const double *x, uint8_t *out)
{
    for (int32_t j = 0; j < n; j++)
        KERNEL(quantise_u8)(x + feature[j], 1, e[j].edge, e[j].n_edge, out + j);
}

#endif
