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

#ifdef SIMD_IS_avx512

/* Columns of a row from its codes. */
static inline __m512i columns_of(const struct simd_lane *p, __m512i c0, __m512i c1,
                                 int at)
{
    __m512i own = _mm512_permutex2var_epi8(c0, _mm512_loadu_si512(p->from + at), c1);
    __mmask64 gone = _mm512_cmpeq_epi8_mask(own, _mm512_set1_epi8(-1));
    return _mm512_mask_loadu_epi8(own, gone, p->absent + at);
}

/* Number of the lowest set bit of 16 trees. */
static inline __m512i exit_leaves(__m512i stay)
{
    __m512i low =
        _mm512_and_si512(stay, _mm512_sub_epi32(_mm512_setzero_si512(), stay));
    return _mm512_sub_epi32(
        _mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepu32_ps(low)), 23),
        _mm512_set1_epi32(127));
}

/* stay &= left where the test failed. In C the merged operand is copied first, every time. */
static inline __m512i keep(__m512i stay, __mmask16 fail, const uint32_t *left)
{
    __asm__("vpandd %2, %0, %0 %{%1%}"
            : "+v"(stay)
            : "Yk"(fail), "m"(*(const __m512i *)(const void *)left));
    return stay;
}

/* Leaves that stay of group g's trees; few: all columns are in c0. Two masks, so that one
 * test need not wait for the last. */
static inline __m512i tests(const struct simd_lane *p, int32_t g, int few, __m512i c0,
                            __m512i c1)
{
    const uint8_t *own = p->column, *thr = p->thr;
    const uint32_t *left = p->stay;
    __m512i stay = _mm512_set1_epi32(-1), other = stay;
    size_t end = (size_t)p->first[g + 1] * TREES;
    for (size_t q = (size_t)p->first[g] * TREES; q < end; q += 4 * TREES) {
        __m512i column = _mm512_loadu_si512(own + q);
        __m512i code = few ? _mm512_permutexvar_epi8(column, c0)
                           : _mm512_permutex2var_epi8(c0, column, c1);
        __mmask64 fail = _mm512_cmpgt_epu8_mask(code, _mm512_loadu_si512(thr + q));
        stay = keep(stay, (__mmask16)fail, left + q);
        other = keep(other, (__mmask16)(fail >> 16), left + q + TREES);
        stay = keep(stay, (__mmask16)(fail >> 32), left + q + 2 * TREES);
        other = keep(other, (__mmask16)(fail >> 48), left + q + 3 * TREES);
    }
    return _mm512_and_si512(stay, other);
}

static inline double add_leaves(const double *leaf, const uint32_t *at, int32_t n,
                                double s)
{
    if (n == TREES)
        for (size_t j = 0; j < TREES; j++) s += leaf[j * SIMD_LANE_LEAVES + at[j]];
    else
        for (size_t j = 0; j < (size_t)n; j++) s += leaf[j * SIMD_LANE_LEAVES + at[j]];
    return s;
}

static inline void add_groups(const struct simd_lane *p, int few, __m512i c0,
                              __m512i c1, double *out)
{
    double s = out[0];
    for (int32_t g = 0; g < p->n_groups; g++) {
        uint32_t at[TREES] __attribute__((aligned(64)));
        int32_t n = p->n_trees - TREES * g < TREES ? p->n_trees - TREES * g : TREES;
        const double *leaf = p->leaf + (size_t)g * TREES * SIMD_LANE_LEAVES;
        _mm512_store_si512(at, exit_leaves(tests(p, g, few, c0, c1)));
        /* numbers go through memory: gcc would take them out of the register one by one */
        __asm__("" : "+m"(at));
        if (!p->output)
            s = add_leaves(leaf, at, n, s);
        else
            for (int32_t j = 0; j < n; j++)
                out[p->output[TREES * g + j]] +=
                    leaf[(uint32_t)j * SIMD_LANE_LEAVES + at[j]];
    }
    if (!p->output) out[0] = s;
}

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    const __m512i c0 = _mm512_loadu_si512(codes), c1 = _mm512_loadu_si512(codes + 64);
    const __m512i own = columns_of(p, c0, c1, 0);
    if (p->n_columns <= 64)
        add_groups(p, 1, own, own, out);
    else
        add_groups(p, 0, own, columns_of(p, c0, c1, 64), out);
}

#else

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    uint8_t own[SIMD_LANE_COLUMNS];
    for (int32_t k = 0; k < p->n_columns; k++) {
        uint8_t c = codes[p->from[k]];
        own[k] = c == 255 ? p->absent[k] : c;
    }
    for (int32_t g = 0; g < p->n_groups; g++) {
        uint32_t stay[TREES];
        int32_t n = p->n_trees - TREES * g < TREES ? p->n_trees - TREES * g : TREES;
        for (int j = 0; j < TREES; j++) stay[j] = UINT32_MAX;
        for (uint32_t q = p->first[g]; q < p->first[g + 1]; q++) {
            size_t at = (size_t)q * TREES;
            for (size_t j = 0; j < TREES; j++)
                stay[j] &= own[p->column[at + j]] > p->thr[at + j] ? p->stay[at + j]
                                                                   : UINT32_MAX;
        }
        for (int32_t j = 0; j < n; j++)
            out[p->output ? p->output[TREES * g + j] : 0] +=
                p->leaf[(size_t)(g * TREES + j) * SIMD_LANE_LEAVES +
                        (size_t)__builtin_ctz(stay[j])];
    }
}

#endif
