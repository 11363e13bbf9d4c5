/* k_lane.c - one row against 64 trees at a time
 *
 * Inner nodes stand between leaves, so a tree's tests are taken from the left: a test that fails
 * moves the tree to the leaf behind it, unless an ancestor has already passed and rules the node
 * out, which shows in the node's first leaf being right of the leaf so far. (QuickScorer, Lucchese
 * et al. 2015, without its masks of leaves.) A step is two compares of 64 bytes, which are signed
 * since AVX2 has no others: codes, thresholds and leaves are 128 less than they are. Where two
 * groups go side by side it is since each step waits for the last. Values are added in tree
 * order, in f64. */
#include <string.h>

#include "simd/simd.h"
#include "simd/trees.h"

#if defined(SIMD_IS_avx2) || defined(SIMD_IS_avx512)
#include <immintrin.h>
#endif

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out);

#define TREES SIMD_LANE_TREES
#define SIGN  SIMD_LANE_SIGN

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
    own = _mm512_mask_loadu_epi8(own, gone, p->absent + at);
    return _mm512_xor_si512(own, _mm512_set1_epi8(-SIGN));
}

/* The leaves after one more position; few: all columns are in c0. */
static inline __m512i step(const uint8_t *test, __m512i at, __m512i next, int few,
                           __m512i c0, __m512i c1)
{
    __m512i column = _mm512_loadu_si512(test);
    __m512i code = few ? _mm512_permutexvar_epi8(column, c0)
                       : _mm512_permutex2var_epi8(c0, column, c1);
    __mmask64 fail = _mm512_cmpgt_epi8_mask(code, _mm512_loadu_si512(test + TREES));
    fail = _mm512_mask_cmple_epi8_mask(fail, _mm512_loadu_si512(test + 2 * TREES), at);
    return _mm512_mask_mov_epi8(at, fail, next);
}

/* The leaves of group g, and of the next where there is one: each has as many positions. */
static inline void tests(const struct simd_lane *p, int32_t g, int few, __m512i c0,
                         __m512i c1, uint8_t *number)
{
    const __m512i one = _mm512_set1_epi8(1), sign = _mm512_set1_epi8(-SIGN);
    const uint8_t *test = p->test + (size_t)p->first[g] * SIMD_LANE_TESTS;
    const uint8_t *end = p->test + (size_t)p->first[g + 1] * SIMD_LANE_TESTS;
    __m512i a = sign, b = sign, next = _mm512_add_epi8(sign, one);
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
    _mm512_store_si512(number, _mm512_xor_si512(a, sign));
    _mm512_store_si512(number + TREES, _mm512_xor_si512(b, sign));
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

#elif defined(SIMD_IS_avx2)

#define TABLES 8 /* of 16 codes, for at most 128 columns */

/* Bytes of `n` tables of 16 by their numbers; n is a constant, so that no loop is left. */
static inline __attribute__((always_inline)) __m256i look_up(const __m256i *table,
                                                             int n, __m256i at)
{
    __m256i a[TABLES];
    for (int i = 0; i < n; i++) a[i] = _mm256_shuffle_epi8(table[i], at);
    /* bits 4, 5 and 6 of the number choose, each when it is the topmost */
    for (int shift = 3; n > 1; n /= 2, shift--) {
        __m256i high = shift == 3   ? _mm256_slli_epi16(at, 3)
                       : shift == 2 ? _mm256_slli_epi16(at, 2)
                                    : _mm256_slli_epi16(at, 1);
        for (int i = 0; i < n / 2; i++)
            a[i] = _mm256_blendv_epi8(a[2 * i], a[2 * i + 1], high);
    }
    return a[0];
}

static inline __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const void *)p);
}

/* Tables that hold n bytes, a power of two. */
static inline int tables_of(int32_t n)
{
    return n <= 16 ? 1 : n <= 32 ? 2 : n <= 64 ? 4 : 8;
}

/* Columns of a row from its codes. */
static void columns_of(const struct simd_lane *p, const uint8_t *codes, uint8_t *own)
{
    for (int32_t k = 0; k < p->n_columns; k++) {
        uint8_t c = codes[p->from[k]];
        own[k] = c == 255 ? p->absent[k] : c;
    }
}

/* The leaves of 32 trees after one more position, whose columns, or codes, are part `which`. */
static inline __attribute__((always_inline)) __m256i step(const __m256i *table, int n,
                                                          const uint8_t *test,
                                                          size_t which, __m256i at,
                                                          __m256i next)
{
    __m256i code = look_up(table, n, load(test + which));
    __m256i fail = _mm256_cmpgt_epi8(code, load(test + TREES));
    __m256i gone = _mm256_cmpgt_epi8(load(test + 2 * TREES), at);
    return _mm256_blendv_epi8(at, next, _mm256_andnot_si256(gone, fail));
}

/* n tables of the bytes that part `which` of a test names. */
static inline __attribute__((always_inline)) void add_groups(const struct simd_lane *p,
                                                             const uint8_t *own, int n,
                                                             size_t which, double *out)
{
    const __m256i one = _mm256_set1_epi8(1), sign = _mm256_set1_epi8(-SIGN);
    __m256i table[TABLES];
    for (int i = 0; i < n; i++) {
        __m128i of = _mm_loadu_si128((const void *)(own + 16 * (size_t)i));
        table[i] = _mm256_xor_si256(_mm256_broadcastsi128_si256(of), sign);
    }
    for (int32_t g = 0; g < p->n_groups; g++) {
        const uint8_t *test = p->test + (size_t)p->first[g] * SIMD_LANE_TESTS;
        const uint8_t *end = p->test + (size_t)p->first[g + 1] * SIMD_LANE_TESTS;
        uint8_t number[TREES] __attribute__((aligned(32)));
        __m256i a = sign, b = sign, next = _mm256_add_epi8(sign, one);
        if (p->n_trees - g * TREES > TREES / 2)
            for (; test != end; test += SIMD_LANE_TESTS) {
                a = step(table, n, test, which, a, next);
                b = step(table, n, test + TREES / 2, which, b, next);
                next = _mm256_add_epi8(next, one);
            }
        for (; test != end; test += SIMD_LANE_TESTS) {
            a = step(table, n, test, which, a, next);
            next = _mm256_add_epi8(next, one);
        }
        _mm256_store_si256((void *)number, _mm256_xor_si256(a, sign));
        _mm256_store_si256((void *)(number + TREES / 2), _mm256_xor_si256(b, sign));
        add_leaves(p, g, number, out);
    }
}

static inline __attribute__((always_inline)) void
add_all(const struct simd_lane *p, const uint8_t *own, int n, size_t which, double *out)
{
    if (n == 1)
        add_groups(p, own, 1, which, out);
    else if (n == 2)
        add_groups(p, own, 2, which, out);
    else if (n == 4)
        add_groups(p, own, 4, which, out);
    else
        add_groups(p, own, 8, which, out);
}

/* Where nothing is missing a column is its code, and of these there are fewer. */
void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    int is_gone = 0;
    for (int32_t j = 0; j < p->n_codes; j++) is_gone |= codes[j] == 255;
    if (!is_gone) {
        add_all(p, codes, tables_of(p->n_codes), (size_t)3 * TREES, out);
    } else {
        uint8_t own[SIMD_LANE_COLUMNS];
        columns_of(p, codes, own);
        add_all(p, own, tables_of(p->n_columns), 0, out);
    }
}

#else

void KERNEL(lane)(const struct simd_lane *p, const uint8_t *codes, double *out)
{
    int8_t own[SIMD_LANE_COLUMNS];
    for (int32_t k = 0; k < p->n_columns; k++) {
        uint8_t c = codes[p->from[k]];
        own[k] = (int8_t)((c == 255 ? p->absent[k] : c) ^ SIGN);
    }
    for (int32_t g = 0; g < p->n_groups; g++) {
        uint8_t number[TREES];
        int8_t at[TREES];
        memset(at, SIGN, sizeof at);
        const uint8_t *test = p->test + (size_t)p->first[g] * SIMD_LANE_TESTS;
        uint32_t n_positions = p->first[g + 1] - p->first[g];
        for (uint32_t q = 0; q < n_positions; q++, test += SIMD_LANE_TESTS)
            for (size_t j = 0; j < TREES; j++) {
                int fails = own[test[j]] > (int8_t)test[TREES + j];
                int counts = (int8_t)test[2 * TREES + j] <= at[j];
                at[j] = (int8_t)(fails & counts ? (q + 1) ^ SIGN : (uint8_t)at[j]);
            }
        for (size_t j = 0; j < TREES; j++) number[j] = (uint8_t)at[j] ^ SIGN;
        add_leaves(p, g, number, out);
    }
}

#endif
