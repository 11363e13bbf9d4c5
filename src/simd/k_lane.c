/* k_lane.c - one row against 16 trees at a time (QuickScorer across trees)
 *
 * Four tests of each of 16 trees are one compare of 64 codes. A test that fails leaves the
 * leaves that are not on its left (Lucchese et al. 2015); the lowest of those that stay in the
 * end is the exit leaf. Values are added in tree order, in f64. */
#include "simd/simd.h"
#include "simd/trees.h"

#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out);

#define TREES 16

static void add_leaves(const struct simd_lane *p, int32_t g, const double *value,
                       double *out)
{
    int32_t n = p->n_trees - TREES * g;
    if (n > TREES) n = TREES;
    if (!p->output) {
        double s = out[0];
        for (int32_t j = 0; j < n; j++) s += value[j];
        out[0] = s;
        return;
    }
    for (int32_t j = 0; j < n; j++) out[p->output[TREES * g + j]] += value[j];
}

#ifdef SIMD_IS_avx512

/* Values of the lowest set bit of eight trees. */
static inline __m512d exit_values(const double *leaf, __m256i bit)
{
    const __m256i step = _mm256_setr_epi32(0, 32, 64, 96, 128, 160, 192, 224);
    return _mm512_i32gather_pd(_mm256_add_epi32(bit, step), leaf, 8);
}

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    const __m512i c0 = _mm512_loadu_si512(codes), c1 = _mm512_loadu_si512(codes + 64);
    for (int32_t g = 0; g < p->n_groups; g++) {
        __m512i stay = _mm512_set1_epi32(-1);
        for (uint32_t q = p->first[g]; q < p->first[g + 1]; q += 4) {
            __m512i column = _mm512_loadu_si512(p->column + (size_t)q * TREES);
            __m512i code = _mm512_permutex2var_epi8(c0, column, c1);
            __mmask64 fail = _mm512_cmpgt_epu8_mask(
                code, _mm512_loadu_si512(p->thr + (size_t)q * TREES));
            const uint32_t *left = p->stay + (size_t)q * TREES;
            for (int k = 0; k < 4; k++)
                stay = _mm512_mask_and_epi32(stay, (__mmask16)(fail >> (16 * k)), stay,
                                             _mm512_loadu_si512(left + k * TREES));
        }
        __m512i low =
            _mm512_and_si512(stay, _mm512_sub_epi32(_mm512_setzero_si512(), stay));
        __m512i bit = _mm512_sub_epi32(
            _mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepu32_ps(low)), 23),
            _mm512_set1_epi32(127));
        double value[TREES] __attribute__((aligned(64)));
        const double *leaf = p->leaf + (size_t)g * TREES * SIMD_LANE_LEAVES;
        _mm512_store_pd(value, exit_values(leaf, _mm512_castsi512_si256(bit)));
        _mm512_store_pd(value + 8, exit_values(leaf + 8 * SIMD_LANE_LEAVES,
                                               _mm512_extracti64x4_epi64(bit, 1)));
        add_leaves(p, g, value, out);
    }
}

#else

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    for (int32_t g = 0; g < p->n_groups; g++) {
        uint32_t stay[TREES];
        double value[TREES];
        for (int j = 0; j < TREES; j++) stay[j] = UINT32_MAX;
        for (uint32_t q = p->first[g]; q < p->first[g + 1]; q++) {
            size_t at = (size_t)q * TREES;
            for (size_t j = 0; j < TREES; j++)
                stay[j] &= codes[p->column[at + j]] > p->thr[at + j] ? p->stay[at + j]
                                                                     : UINT32_MAX;
        }
        for (int j = 0; j < TREES; j++)
            value[j] = p->leaf[(size_t)(g * TREES + j) * SIMD_LANE_LEAVES +
                               (size_t)__builtin_ctz(stay[j])];
        add_leaves(p, g, value, out);
    }
}

#endif
