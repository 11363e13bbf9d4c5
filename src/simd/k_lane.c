/* k_lane.c - one row against 64 trees at a time
 *
 * Inner nodes stand between leaves, so a tree's tests are taken from the left: a test that fails
 * moves the tree to the leaf behind it, unless an ancestor has already passed and rules the node
 * out, which shows in the node's first leaf being right of the leaf so far. (QuickScorer, Lucchese
 * et al. 2015, without its masks of leaves.) A step is two compares of 64 bytes. Two groups go
 * side by side, since each step waits for the last. Values are added in tree order, in f64. */
#include "simd/simd.h"
#include "simd/trees.h"

#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out);

#define TREES SIMD_LANE_TREES

/* Adds the leaves `at` of group g. */
static inline void add_leaves(const struct simd_lane *p, int32_t g, const uint8_t *at,
                              double *out)
{
    size_t t0 = (size_t)g * TREES, left = (size_t)p->n_trees - t0, j = 0;
    size_t n = left < TREES ? left : TREES, stride = (size_t)p->stride;
    const double *leaf = p->leaf + t0 * stride;
    if (p->output) {
        for (; j < n; j++, leaf += stride) out[p->output[t0 + j]] += leaf[at[j]];
        return;
    }
    double s = out[0];
    for (; j + 8 <= n; j += 8, leaf += 8 * stride)
        for (size_t k = 0; k < 8; k++) s += leaf[k * stride + at[j + k]];
    for (; j < n; j++, leaf += stride) s += leaf[at[j]];
    out[0] = s;
}

#ifdef SIMD_IS_avx512

/* Columns of a row from its codes. */
static inline __m512i columns_of(const struct simd_lane *p, __m512i c0, __m512i c1,
                                 int at)
{
    __m512i own = _mm512_permutex2var_epi8(c0, _mm512_loadu_si512(p->from + at), c1);
    __mmask64 gone = _mm512_cmpeq_epi8_mask(own, _mm512_set1_epi8(-1));
    return _mm512_mask_loadu_epi8(own, gone, p->absent + at);
}

/* The leaves after one more position; few: all columns are in c0. */
static inline __m512i step(const uint8_t *test, __m512i at, __m512i next, int few,
                           __m512i c0, __m512i c1)
{
    __m512i column = _mm512_loadu_si512(test);
    __m512i code = few ? _mm512_permutexvar_epi8(column, c0)
                       : _mm512_permutex2var_epi8(c0, column, c1);
    __mmask64 fail = _mm512_cmpgt_epu8_mask(code, _mm512_loadu_si512(test + TREES));
    fail = _mm512_mask_cmple_epu8_mask(fail, _mm512_loadu_si512(test + 2 * TREES), at);
    return _mm512_mask_mov_epi8(at, fail, next);
}

/* The leaves of group g, and of the next where there is one: each has as many positions. */
static inline void tests(const struct simd_lane *p, int32_t g, int few, __m512i c0,
                         __m512i c1, uint8_t *number)
{
    const __m512i one = _mm512_set1_epi8(1);
    const uint8_t *test = p->test + (size_t)p->first[g] * SIMD_LANE_TESTS;
    const uint8_t *end = p->test + (size_t)p->first[g + 1] * SIMD_LANE_TESTS;
    __m512i a = _mm512_setzero_si512(), b = a, next = one;
    const uint8_t *other = end;
    if (g + 1 == p->n_groups) {
        for (; test != end; test += SIMD_LANE_TESTS) {
            a = step(test, a, next, few, c0, c1);
            next = _mm512_add_epi8(next, one);
        }
    } else {
        for (; test != end; test += SIMD_LANE_TESTS, other += SIMD_LANE_TESTS) {
            a = step(test, a, next, few, c0, c1);
            b = step(other, b, next, few, c0, c1);
            next = _mm512_add_epi8(next, one);
        }
    }
    _mm512_store_si512(number, a);
    _mm512_store_si512(number + TREES, b);
}

static inline void add_groups(const struct simd_lane *p, int few, __m512i c0,
                              __m512i c1, double *out)
{
    for (int32_t g = 0; g < p->n_groups; g += 2) {
        uint8_t number[2 * TREES] __attribute__((aligned(64)));
        tests(p, g, few, c0, c1, number);
        add_leaves(p, g, number, out);
        if (g + 1 < p->n_groups) add_leaves(p, g + 1, number + TREES, out);
    }
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
        uint8_t at[TREES] = {0};
        const uint8_t *test = p->test + (size_t)p->first[g] * SIMD_LANE_TESTS;
        uint32_t n_positions = p->first[g + 1] - p->first[g];
        for (uint32_t q = 0; q < n_positions; q++, test += SIMD_LANE_TESTS)
            for (size_t j = 0; j < TREES; j++) {
                int fails = own[test[j]] > test[TREES + j];
                int counts = test[2 * TREES + j] <= at[j];
                at[j] = (uint8_t)(fails & counts ? q + 1 : at[j]);
            }
        add_leaves(p, g, at, out);
    }
}

#endif
