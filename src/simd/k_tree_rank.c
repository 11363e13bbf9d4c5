/* k_tree_rank.c - what forests do in a node of a few thousand rows (trees.md 7)
 *
 * tree_rank: codes to ranks among themselves, without a sort: a bitmap of those met, 32 to a word
 * whose upper half then says how many stand below it; a rank is that and the bits below in its
 * own half, so one load a code.
 * tree_list: a table of cells to the list of those that are not 0, with sums up to each.
 * tree_gini: the cut of least gini impurity, as a fraction. Eight cuts are compared with the
 * best so far at once; only where one of them is below it are they looked at one by one, so the
 * cut is the one that a plain loop finds.
 * tree_cells: the two in one, without a list. A cut is looked at with doubles where single
 * precision with some room does not rule it out.
 * tree_few: a handful of rows is neither sorted nor counted: what is on the left of the cut
 * behind a row's code is the sum over all rows of a code not above it.
 * tree_span, tree_between: the range of a column's values, and what lies between two of them;
 * least, greatest and integer sums, so lanes in any order give the same. tree_ranges, tree_lefts:
 * the same of a few columns side by side, one a lane, so that nothing is left to do at the end of a
 * node of a handful of rows. */
#include <math.h>
#include <string.h>

#include "simd/simd.h"
#ifndef SIMD_IS_base
#include <immintrin.h>
#endif

uint32_t KERNEL(tree_rank)(const uint16_t *code, int64_t n, uint32_t n_from,
                           uint64_t *seen, uint16_t *rank);
int64_t KERNEL(tree_list)(uint64_t *cell, int64_t n, uint16_t *code, uint64_t *sum);
int64_t KERNEL(tree_gini)(const uint64_t *sum, int64_t n, int64_t s0, int64_t s1,
                          int64_t least, double best[2]);
int KERNEL(tree_cells)(uint32_t *cell, int64_t n, struct simd_cut *cut);
int KERNEL(tree_few)(const uint16_t *code, const uint16_t *ids, const uint32_t *two,
                     int64_t n, struct simd_cut *cut);
int KERNEL(tree_span)(const float *image, const uint16_t *ids, float *x, int64_t n,
                      float range[2]);
int64_t KERNEL(tree_part_few)(const struct simd_part *side, uint16_t *ids,
                              uint32_t *pay, int64_t n);
uint64_t KERNEL(tree_between)(const float *x, const uint32_t *pay, int64_t n,
                              float floor, float top);
void KERNEL(tree_ranges)(const struct simd_cells_of *of, const uint16_t *ids, int64_t n,
                         float *x, float low[SIMD_DRAWN], float high[SIMD_DRAWN]);
void KERNEL(tree_lefts)(const float *x, const uint32_t *two, int64_t n, int lanes,
                        const float top[SIMD_DRAWN], uint32_t left[SIMD_DRAWN]);

static inline uint32_t ones(uint64_t x)
{
#ifdef SIMD_IS_base /* no instruction for it */
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
#else
    return (uint32_t)__builtin_popcountll(x);
#endif
}

#define WORD_CODES 32

uint32_t KERNEL(tree_rank)(const uint16_t *code, int64_t n, uint32_t n_from,
                           uint64_t *seen, uint16_t *rank)
{
    uint32_t words = (n_from + WORD_CODES - 1) / WORD_CODES, k = 0;
    uint64_t total = 0;
    int64_t i = 0;
    for (; i < n; i++)
        seen[code[i] / WORD_CODES] |= UINT64_C(1) << code[i] % WORD_CODES;
#ifdef SIMD_IS_avx512
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi64(7);
    __m512i carry = zero;
    for (; k + 8 <= words; k += 8) {
        __m512i v = _mm512_loadu_si512(seen + k), t = _mm512_popcnt_epi64(v), own = t;
        t = _mm512_add_epi64(t, _mm512_alignr_epi64(t, zero, 7));
        t = _mm512_add_epi64(t, _mm512_alignr_epi64(t, zero, 6));
        t = _mm512_add_epi64(t, _mm512_alignr_epi64(t, zero, 4));
        t = _mm512_add_epi64(t, carry);
        carry = _mm512_permutexvar_epi64(last, t);
        t = _mm512_slli_epi64(_mm512_sub_epi64(t, own), 32);
        _mm512_storeu_si512(seen + k, _mm512_or_si512(v, t));
    }
    total = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(carry));
#endif
    for (; k < words; k++) {
        uint64_t v = seen[k];
        seen[k] = v | total << 32;
        total += ones(v);
    }
    i = 0;
#ifdef SIMD_IS_avx512
    const __m512i one = _mm512_set1_epi64(1),
                  in_word = _mm512_set1_epi64(WORD_CODES - 1);
    for (; i + 8 <= n; i += 8) {
        __m128i c16 = _mm_loadu_si128((const __m128i *)(const void *)(code + i));
        __m512i c = _mm512_cvtepu16_epi64(c16);
        __m256i at = _mm256_srli_epi32(_mm256_cvtepu16_epi32(c16), 5);
        __m512i v = _mm512_i32gather_epi64(at, seen, 8);
        __m512i bit = _mm512_sllv_epi64(one, _mm512_and_si512(c, in_word));
        __m512i lower = _mm512_and_si512(v, _mm512_sub_epi64(bit, one));
        __m512i r =
            _mm512_add_epi64(_mm512_popcnt_epi64(lower), _mm512_srli_epi64(v, 32));
        _mm_storeu_si128((__m128i *)(void *)(rank + i), _mm512_cvtepi64_epi16(r));
    }
#endif
    for (; i < n; i++) {
        uint64_t v = seen[code[i] / WORD_CODES];
        uint64_t lower = (UINT64_C(1) << code[i] % WORD_CODES) - 1;
        rank[i] = (uint16_t)((v >> 32) + ones(v & lower));
    }
    memset(seen, 0, words * sizeof *seen);
    return (uint32_t)total;
}

int64_t KERNEL(tree_list)(uint64_t *cell, int64_t n, uint16_t *code, uint64_t *sum)
{
    uint64_t all = 0;
    int64_t m = 0, c = 0;
#ifdef SIMD_IS_avx512
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi64(7);
    __m512i carry = zero;
    __m128i number = _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0);
    for (; c + 8 <= n; c += 8) {
        __m512i v = _mm512_loadu_si512(cell + c);
        __mmask8 some = _mm512_test_epi64_mask(v, v);
        _mm512_storeu_si512(cell + c, zero);
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 7));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 6));
        v = _mm512_add_epi64(v, _mm512_alignr_epi64(v, zero, 4));
        v = _mm512_add_epi64(v, carry);
        carry = _mm512_permutexvar_epi64(last, v);
        /* m <= c: eight entries from there are below n */
        _mm512_storeu_si512(sum + m, _mm512_maskz_compress_epi64(some, v));
        _mm_storeu_si128((__m128i *)(void *)(code + m),
                         _mm_maskz_compress_epi16(some, number));
        number = _mm_add_epi16(number, _mm_set1_epi16(8));
        m += __builtin_popcount(some);
    }
    all = (uint64_t)_mm_cvtsi128_si64(_mm512_castsi512_si128(carry));
#endif
    for (; c < n; c++) {
        uint64_t v = cell[c];
        cell[c] = 0;
        all += v;
        code[m] = (uint16_t)c;
        sum[m] = all;
        m += v != 0;
    }
    return m;
}

#define CUTS 8

static inline void gini_cut(uint64_t sum, double s0, double s1, double *num,
                            double *den, double *nl, double *nr)
{
    double a = (double)(int64_t)(sum & UINT32_MAX), b = (double)(int64_t)(sum >> 32);
    double c = s0 - a, d = s1 - b;
    *nl = a + b;
    *nr = c + d;
    *num = a * b * *nr + c * d * *nl;
    *den = *nl * *nr;
}

/* Is one of CUTS cuts below the best so far? gini_cut in vectors of the compiler's, since it takes
 * the loop apart before it looks for lanes. */
#ifdef SIMD_IS_avx512
#define LANES_WIDE CUTS
#else
#define LANES_WIDE 4 /* wider ones go through memory */
#endif
static inline int any_below(const uint64_t *sum, double s0, double s1, double bnum,
                            double bden)
{
    typedef uint64_t words __attribute__((vector_size(LANES_WIDE * 8)));
    typedef int64_t signs __attribute__((vector_size(LANES_WIDE * 8)));
    typedef double lanes __attribute__((vector_size(LANES_WIDE * 8)));
    signs any = {0};
    for (int k = 0; k < CUTS; k += LANES_WIDE) {
        words v;
        memcpy(&v, sum + k, sizeof v);
        /* a count of 32 bits through the bits of 2^52 + count */
        words low = (v & UINT32_MAX) | UINT64_C(0x4330000000000000);
        words high = (v >> 32) | UINT64_C(0x4330000000000000);
        lanes a = (lanes)low - 0x1p52, b = (lanes)high - 0x1p52;
        lanes c = s0 - a, d = s1 - b, nl = a + b, nr = c + d;
        any |= (a * b * nr + c * d * nl) * bden < bnum * (nl * nr);
    }
#ifdef SIMD_IS_avx2
    return _mm256_movemask_pd((__m256d)any) != 0;
#else
    int64_t hit = 0;
    for (int k = 0; k < LANES_WIDE; k++) hit |= any[k];
    return hit != 0;
#endif
}

int64_t KERNEL(tree_gini)(const uint64_t *sum, int64_t n, int64_t s0, int64_t s1,
                          int64_t least, double best[2])
{
    const double t0 = (double)s0, t1 = (double)s1, min = (double)least;
    double bnum = best[0], bden = best[1];
    int64_t at = -1, i = 0;
    for (; i < n; i += CUTS) {
        int64_t end = i + CUTS;
        if (end <= n) {
            if (!any_below(sum + i, t0, t1, bnum, bden)) continue;
        } else {
            end = n;
        }
        for (int64_t k = i; k < end; k++) {
            double num, den, nl, nr;
            gini_cut(sum[k], t0, t1, &num, &den, &nl, &nr);
            if (nl < min || nr < min || !(num * bden < bnum * den)) continue;
            bnum = num;
            bden = den;
            at = k;
        }
    }
    best[0] = bnum;
    best[1] = bden;
    return at;
}

#ifndef SIMD_IS_base
/* Takes the cut behind code c if it is below the best so far. */
static inline int take_cut(struct simd_cut *cut, uint32_t left, uint16_t c)
{
    double num, den, nl, nr, min = (double)cut->least;
    uint64_t sum = (uint64_t)(left & 65535) | (uint64_t)(left >> 16) << 32;
    gini_cut(sum, (double)cut->s0, (double)cut->s1, &num, &den, &nl, &nr);
    if (nl < min || nr < min || !(num * cut->den < cut->num * den)) return 0;
    cut->num = num;
    cut->den = den;
    cut->left = left;
    cut->lo = c;
    return 1;
}
#endif

#ifdef SIMD_IS_avx512
/* Which of 16 cuts may be below the best? Weights below 2^16 are exact, products round by a few
 * parts in 2^24, and the best is taken 2^-18 too high. */
static inline __mmask16 may_be_below(__m512i v, const struct simd_cut *cut)
{
    const __m512 s0 = _mm512_set1_ps((float)cut->s0);
    const __m512 s1 = _mm512_set1_ps((float)cut->s1);
    const __m512 bnum = _mm512_set1_ps((float)cut->num * (1 + 0x1p-18f));
    const __m512 bden = _mm512_set1_ps((float)cut->den);
    __m512 a = _mm512_cvtepi32_ps(_mm512_and_si512(v, _mm512_set1_epi32(65535)));
    __m512 b = _mm512_cvtepi32_ps(_mm512_srli_epi32(v, 16));
    __m512 c = _mm512_sub_ps(s0, a), d = _mm512_sub_ps(s1, b);
    __m512 nl = _mm512_add_ps(a, b), nr = _mm512_add_ps(c, d);
    __m512 num = _mm512_add_ps(_mm512_mul_ps(_mm512_mul_ps(a, b), nr),
                               _mm512_mul_ps(_mm512_mul_ps(c, d), nl));
    return _mm512_cmp_ps_mask(_mm512_mul_ps(num, bden),
                              _mm512_mul_ps(bnum, _mm512_mul_ps(nl, nr)), _CMP_LT_OQ);
}

int KERNEL(tree_cells)(uint32_t *cell, int64_t n, struct simd_cut *cut)
{
    const __m512i zero = _mm512_setzero_si512(), last = _mm512_set1_epi32(15);
    __m512i carry = zero;
    int found = 0, open = 0; /* hi is not known yet */
    for (int64_t c = 0; c < n; c += 16) {
        __mmask16 in =
            n - c < 16 ? (__mmask16)((1u << (n - c)) - 1) : (__mmask16)0xffff;
        __m512i v = _mm512_maskz_loadu_epi32(in, cell + c);
        uint32_t some = _mm512_test_epi32_mask(v, v);
        if (!some) continue;
        _mm512_mask_storeu_epi32(cell + c, in, zero);
        if (open) cut->hi = (uint16_t)(c + __builtin_ctz(some));
        open = 0;
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 15));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 14));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 12));
        v = _mm512_add_epi32(v, _mm512_alignr_epi32(v, zero, 8));
        v = _mm512_add_epi32(v, carry);
        carry = _mm512_permutexvar_epi32(last, v);
        uint32_t hits = some & may_be_below(v, cut);
        if (!hits) continue;
        uint32_t sum[16], at = 16;
        _mm512_storeu_si512(sum, v);
        for (; hits; hits &= hits - 1) {
            uint32_t k = (uint32_t)__builtin_ctz(hits);
            if (take_cut(cut, sum[k], (uint16_t)(c + k))) at = k;
        }
        if (at == 16) continue;
        found = 1;
        some &= 0xfffeu << at;
        if (some)
            cut->hi = (uint16_t)(c + __builtin_ctz(some));
        else
            open = 1;
    }
    return found;
}

int KERNEL(tree_few)(const uint16_t *code, const uint16_t *ids, const uint32_t *two,
                     int64_t n, struct simd_cut *cut)
{
    const __m512d s0 = _mm512_set1_pd((double)cut->s0), inf = _mm512_set1_pd(INFINITY);
    const __m512d s1 = _mm512_set1_pd((double)cut->s1);
    const __m512d min = _mm512_set1_pd((double)cut->least);
    const __m512i low = _mm512_set1_epi32(65535);
    uint32_t c[SIMD_FEW], left[SIMD_FEW];
    double ratio[SIMD_FEW], least = (double)INFINITY;
    int64_t parts = n > 16 ? 2 : 1;
    for (int64_t p = 0; p < parts; p++) {
        __m512i id = _mm512_cvtepu16_epi32(
            _mm256_loadu_si256((const __m256i *)(const void *)(ids + 16 * p)));
        int64_t have = n - 16 * p;
        __mmask16 in = have < 16 ? (__mmask16)((1u << have) - 1) : (__mmask16)0xffff;
        __m512i v = _mm512_mask_i32gather_epi32(low, in, id, code, 2);
        _mm512_storeu_si512(c + 16 * p, _mm512_and_si512(v, low));
    }
    for (int64_t p = 0; p < parts; p++) {
        __m512i own = _mm512_loadu_si512(c + 16 * p), sum = _mm512_setzero_si512();
        for (int64_t j = 0; j < n; j++) {
            __mmask16 within =
                _mm512_cmp_epu32_mask(_mm512_set1_epi32((int)c[j]), own, _MM_CMPINT_LE);
            sum =
                _mm512_mask_add_epi32(sum, within, sum, _mm512_set1_epi32((int)two[j]));
        }
        _mm512_storeu_si512(left + 16 * p, sum);
        for (int64_t h = 0; h < 2; h++) {
            __m256i half = _mm256_loadu_si256(
                (const __m256i *)(const void *)(left + 16 * p + 8 * h));
            __m512d a =
                _mm512_cvtepi32_pd(_mm256_and_si256(half, _mm512_castsi512_si256(low)));
            __m512d b = _mm512_cvtepi32_pd(_mm256_srli_epi32(half, 16));
            __m512d d = _mm512_sub_pd(s0, a), e = _mm512_sub_pd(s1, b);
            __m512d nl = _mm512_add_pd(a, b), nr = _mm512_add_pd(d, e);
            __m512d num = _mm512_add_pd(_mm512_mul_pd(_mm512_mul_pd(a, b), nr),
                                        _mm512_mul_pd(_mm512_mul_pd(d, e), nl));
            __mmask8 fine = _mm512_cmp_pd_mask(nl, min, _CMP_GE_OQ);
            fine = _mm512_mask_cmp_pd_mask(fine, nr, min, _CMP_GE_OQ);
            __m512d q = _mm512_mask_div_pd(inf, fine, num, _mm512_mul_pd(nl, nr));
            _mm512_storeu_pd(ratio + 16 * p + 8 * h, q);
            double here = _mm512_reduce_min_pd(q);
            least = here < least ? here : least;
        }
    }
#else
#ifdef SIMD_IS_avx2
/* Sums up to each of eight cells; carry: of all before, then of all. */
static inline __m256i sums_to(__m256i v, __m128i *carry)
{
    __m128i a = _mm256_castsi256_si128(v), b = _mm256_extracti128_si256(v, 1);
    a = _mm_add_epi32(a, _mm_slli_si128(a, 4));
    b = _mm_add_epi32(b, _mm_slli_si128(b, 4));
    a = _mm_add_epi32(a, _mm_slli_si128(a, 8));
    b = _mm_add_epi32(b, _mm_slli_si128(b, 8));
    a = _mm_add_epi32(a, *carry);
    b = _mm_add_epi32(b, _mm_shuffle_epi32(a, 0xff));
    *carry = _mm_shuffle_epi32(b, 0xff);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
}

/* The node and the best so far, for a look at eight cuts. With a, b on the left and s = s0 + s1,
 * a cut's impurity is less than the best iff d^2 > (s0 s1 - s best) nl nr with d = a s1 - b s0. d is
 * whole and below 2^30, so only three products round, and the factor is taken a little too low. */
struct cells_best {
    __m256i turn; /* s1, -s0 in 16 bits each */
    __m256 all, factor;
};

static inline void best_now(const struct simd_cut *cut, struct cells_best *to)
{
    double s0 = (double)cut->s0, s1 = (double)cut->s1;
    double factor = s0 * s1 - (s0 + s1) * (cut->num / cut->den);
    factor = factor * (1 - 0x1p-18) - 0x1p-18; /* two terms below 2^31 in doubles */
    to->factor = _mm256_set1_ps((float)factor);
}

static inline void best_new(const struct simd_cut *cut, struct cells_best *to)
{
    to->turn = _mm256_set1_epi32((int)(cut->s1 | -cut->s0 * 65536));
    to->all = _mm256_set1_ps((float)(cut->s0 + cut->s1));
    best_now(cut, to);
}

static inline uint32_t may_be_below(__m256i v, const struct cells_best *best)
{
    __m256 d = _mm256_cvtepi32_ps(_mm256_madd_epi16(v, best->turn));
    __m256 nl = _mm256_cvtepi32_ps(_mm256_madd_epi16(v, _mm256_set1_epi16(1)));
    __m256 both = _mm256_mul_ps(nl, _mm256_sub_ps(best->all, nl));
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(
        _mm256_mul_ps(d, d), _mm256_mul_ps(best->factor, both), _CMP_GT_OQ));
}

int KERNEL(tree_cells)(uint32_t *cell, int64_t n, struct simd_cut *cut)
{
    const __m256i zero = _mm256_setzero_si256();
    struct cells_best best;
    __m128i carry = _mm_setzero_si128();
    int found = 0, open = 0; /* hi is not known yet */
    best_new(cut, &best);
    for (int64_t c = 0; c < n; c += 8) {
        uint32_t last[8] = {0}, *from = cell + c;
        if (n - c < 8) {
            memcpy(last, from, (size_t)(n - c) * sizeof *last);
            memset(from, 0, (size_t)(n - c) * sizeof *from);
            from = last;
        }
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
        uint32_t some = 0xff & ~(uint32_t)_mm256_movemask_ps(
                                   _mm256_castsi256_ps(_mm256_cmpeq_epi32(v, zero)));
        if (!some) continue;
        _mm256_storeu_si256((__m256i *)(void *)from, zero);
        if (open) cut->hi = (uint16_t)(c + __builtin_ctz(some));
        open = 0;
        v = sums_to(v, &carry);
        uint32_t hits = some & may_be_below(v, &best);
        if (!hits) continue;
        uint32_t sum[8], at = 8;
        _mm256_storeu_si256((__m256i *)(void *)sum, v);
        for (; hits; hits &= hits - 1) {
            uint32_t k = (uint32_t)__builtin_ctz(hits);
            if (take_cut(cut, sum[k], (uint16_t)(c + k))) at = k;
        }
        if (at == 8) continue;
        best_now(cut, &best);
        found = 1;
        some &= 0xfeu << at;
        if (some)
            cut->hi = (uint16_t)(c + __builtin_ctz(some));
        else
            open = 1;
    }
    return found;
}
#else
static inline int flush_list(const uint64_t *sum, const uint16_t *code, int64_t m,
                             struct simd_cut *cut)
{
    double best[2] = {cut->num, cut->den};
    int64_t at = KERNEL(tree_gini)(sum, m, cut->s0, cut->s1, cut->least, best);
    if (at < 0) return 0;
    cut->num = best[0];
    cut->den = best[1];
    cut->left = (uint32_t)(sum[at] & 65535) | (uint32_t)(sum[at] >> 32) << 16;
    cut->lo = code[at];
    if (at + 1 < m) cut->hi = code[at + 1];
    return at + 1 < m ? 1 : 2;
}

int KERNEL(tree_cells)(uint32_t *cell, int64_t n, struct simd_cut *cut)
{
    enum { MANY = 256 };
    uint64_t sum[MANY], all = 0;
    uint16_t code[MANY];
    int found = 0, open = 0; /* hi is not known yet */
    int64_t m = 0;
    for (int64_t c = 0; c < n; c++) {
        uint32_t v = cell[c];
        cell[c] = 0;
        all += (uint64_t)(v & 65535) | (uint64_t)(v >> 16) << 32;
        code[m] = (uint16_t)c;
        sum[m] = all;
        m += v != 0;
        if (m < MANY && c + 1 < n) continue;
        if (open && m > 0) {
            cut->hi = code[0];
            open = 0;
        }
        int got = flush_list(sum, code, m, cut);
        found |= got;
        open |= got == 2;
        m = 0;
    }
    return found != 0;
}

#endif

#ifdef SIMD_IS_avx2
static inline __m256i codes_at(const uint32_t *c)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)c);
}

/* What is on the left of the cut behind each of 8 * parts rows. Four by name: gcc leaves an array of
 * them in memory. */
static inline void few_sums(const uint32_t *c, const uint32_t *two, int64_t n,
                            const int parts, __m256i *sum)
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i c0 = codes_at(c), c1 = parts > 1 ? codes_at(c + 8) : zero;
    __m256i c2 = parts > 2 ? codes_at(c + 16) : zero;
    __m256i c3 = parts > 3 ? codes_at(c + 24) : zero;
    __m256i s0 = zero, s1 = zero, s2 = zero, s3 = zero;
    for (int64_t j = 0; j < n; j++) {
        __m256i v = _mm256_set1_epi32((int)c[j]), add = _mm256_set1_epi32((int)two[j]);
#define BEHIND(own) _mm256_andnot_si256(_mm256_cmpgt_epi32(v, own), add)
        s0 = _mm256_add_epi32(s0, BEHIND(c0));
        if (parts > 1) s1 = _mm256_add_epi32(s1, BEHIND(c1));
        if (parts > 2) s2 = _mm256_add_epi32(s2, BEHIND(c2));
        if (parts > 3) s3 = _mm256_add_epi32(s3, BEHIND(c3));
#undef BEHIND
    }
    sum[0] = s0;
    if (parts > 1) sum[1] = s1;
    if (parts > 2) sum[2] = s2;
    if (parts > 3) sum[3] = s3;
}

/* d^2 / (nl nr), as cells_best has them, of eight cuts; -1 where a side is too small. */
static inline __m256 few_gain(__m256i sum, const struct cells_best *best, __m256 min)
{
    __m256 d = _mm256_cvtepi32_ps(_mm256_madd_epi16(sum, best->turn));
    __m256 nl = _mm256_cvtepi32_ps(_mm256_madd_epi16(sum, _mm256_set1_epi16(1)));
    __m256 nr = _mm256_sub_ps(best->all, nl);
    __m256 fine = _mm256_cmp_ps(_mm256_min_ps(nl, nr), min, _CMP_GE_OQ);
    __m256 gain = _mm256_div_ps(_mm256_mul_ps(d, d), _mm256_mul_ps(nl, nr));
    return _mm256_blendv_ps(_mm256_set1_ps(-1), gain, fine);
}

static inline float most_of(__m256 v)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
}

/* The lowest code above lo. */
static inline uint16_t code_above(const uint32_t *c, int64_t n, uint32_t lo)
{
    __m256i low = _mm256_set1_epi32((int)lo), least = _mm256_set1_epi32(65536);
    for (int64_t i = 0; i < n; i += 8) {
        __m256i v = codes_at(c + i);
        __m256i above = _mm256_cmpgt_epi32(v, low);
        least = _mm256_blendv_epi8(least, _mm256_min_epi32(least, v), above);
    }
    __m128i m = _mm_min_epi32(_mm256_castsi256_si128(least),
                              _mm256_extracti128_si256(least, 1));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_min_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return (uint16_t)_mm_cvtsi128_si32(m);
}

int KERNEL(tree_few)(const uint16_t *code, const uint16_t *ids, const uint32_t *two,
                     int64_t n, struct simd_cut *cut)
{
    struct cells_best best;
    uint32_t c[SIMD_FEW], left[SIMD_FEW], bits = 0, lo = 65536, at = 0;
    __m256i sum[SIMD_FEW / 8];
    __m256 gain[SIMD_FEW / 8], most = _mm256_set1_ps(-1);
    __m256 min = _mm256_set1_ps((float)cut->least);
    int parts = (int)((n + 7) / 8);
    for (int64_t i = 0; i < 8 * parts; i++) c[i] = i < n ? code[ids[i]] : 65536;
    best_new(cut, &best);
    switch (parts) { /* loops of known length stay in registers */
    case 1:
        few_sums(c, two, n, 1, sum);
        break;
    case 2:
        few_sums(c, two, n, 2, sum);
        break;
    case 3:
        few_sums(c, two, n, 3, sum);
        break;
    default:
        few_sums(c, two, n, 4, sum);
    }
    for (int p = 0; p < parts; p++) {
        gain[p] = few_gain(sum[p], &best, min);
        most = _mm256_max_ps(most, gain[p]);
    }
    float top = most_of(most);
    if (top < 0 || !(top >= _mm256_cvtss_f32(best.factor))) return 0;
    /* those that rounding does not tell apart */
    __m256 limit = _mm256_set1_ps(top * (1 - 0x1p-18f));
    for (int p = 0; p < parts; p++) {
        __m256 near = _mm256_cmp_ps(gain[p], limit, _CMP_GE_OQ);
        bits |= (uint32_t)_mm256_movemask_ps(near) << 8 * p;
        _mm256_storeu_si256((__m256i *)(void *)(left + 8 * p), sum[p]);
    }
    /* with so little weight different fractions are different quotients */
    double least = (double)INFINITY;
    for (; bits; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        double num, den, nl, nr;
        uint64_t both = (uint64_t)(left[i] & 65535) | (uint64_t)(left[i] >> 16) << 32;
        gini_cut(both, (double)cut->s0, (double)cut->s1, &num, &den, &nl, &nr);
        double ratio = num / den;
        if (ratio > least || (ratio == least && c[i] >= lo)) continue;
        least = ratio;
        lo = c[i];
        at = i;
    }
    if (!(least < cut->num / cut->den)) return 0;
    double nl, nr;
    uint64_t both = (uint64_t)(left[at] & 65535) | (uint64_t)(left[at] >> 16) << 32;
    gini_cut(both, (double)cut->s0, (double)cut->s1, &cut->num, &cut->den, &nl, &nr);
    cut->left = left[at];
    cut->lo = (uint16_t)lo;
    cut->hi = code_above(c, n, lo);
    return 1;
}
#else
int KERNEL(tree_few)(const uint16_t *code, const uint16_t *ids, const uint32_t *two,
                     int64_t n, struct simd_cut *cut)
{
    typedef uint32_t lanes __attribute__((vector_size(64)));
    if (n > 8) return -1;
    double s0 = (double)cut->s0, s1 = (double)cut->s1, min = (double)cut->least;
    double ratio[SIMD_FEW], least = (double)INFINITY;
    uint32_t c[SIMD_FEW], left[SIMD_FEW];
    for (int64_t i = 0; i < SIMD_FEW; i++) c[i] = i < n ? code[ids[i]] : 65535;
    for (int64_t p = 0; p < n; p += 16) {
        lanes own, sum = {0};
        memcpy(&own, c + p, sizeof own);
        for (int64_t j = 0; j < n; j++) sum += (lanes)(c[j] <= own) & two[j];
        memcpy(left + p, &sum, sizeof sum);
    }
    for (int64_t i = 0; i < n; i++) {
        double num, den, nl, nr;
        uint64_t sum = (uint64_t)(left[i] & 65535) | (uint64_t)(left[i] >> 16) << 32;
        gini_cut(sum, s0, s1, &num, &den, &nl, &nr);
        int fine = nl >= min && nr >= min;
        ratio[i] = fine ? num / den : (double)INFINITY;
        least = ratio[i] < least ? ratio[i] : least;
    }
#endif /* avx2 */
#endif /* avx512 */
#ifndef SIMD_IS_avx2
    /* with so little weight different fractions are different quotients */
    if (!(least < cut->num / cut->den)) return 0;
    uint32_t lo = 65536, hi = 65536;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        if (ratio[i] == least && c[i] < lo) {
            lo = c[i];
            at = i;
        }
    for (int64_t i = 0; i < n; i++) hi = c[i] > lo && c[i] < hi ? c[i] : hi;
    double nl, nr;
    uint64_t sum = (uint64_t)(left[at] & 65535) | (uint64_t)(left[at] >> 16) << 32;
    gini_cut(sum, (double)cut->s0, (double)cut->s1, &cut->num, &cut->den, &nl, &nr);
    cut->left = left[at];
    cut->lo = (uint16_t)lo;
    cut->hi = (uint16_t)hi;
    return 1;
}
#endif

int KERNEL(tree_span)(const float *image, const uint16_t *ids, float *x, int64_t n,
                      float range[2])
{
    const float none = (float)INFINITY;
#ifdef SIMD_IS_avx512
    const __m512 inf = _mm512_set1_ps(none), minus = _mm512_set1_ps(-none);
    __m512 least = inf, most = minus;
    __mmask16 gaps = 0;
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 in =
            n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;
        __m512 v;
        if (ids) {
            __m512i id = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(in, ids + i));
            v = _mm512_mask_i32gather_ps(inf, in, id, image, 4);
            _mm512_mask_storeu_ps(x + i, in, v);
        } else {
            v = _mm512_mask_loadu_ps(inf, in, x + i);
        }
        __mmask16 gap = _mm512_cmp_ps_mask(v, minus, _CMP_EQ_OQ);
        gaps |= gap;
        least = _mm512_mask_min_ps(least, (__mmask16)~gap, least, v);
        most = _mm512_mask_max_ps(most, in, most, v);
    }
    range[0] = _mm512_reduce_min_ps(least);
    range[1] = _mm512_reduce_max_ps(most);
    return gaps != 0;
#elif defined SIMD_IS_avx2
    __m128 least = _mm_set1_ps(none), most = _mm_set1_ps(-none);
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        __m128 v = ids ? _mm_setr_ps(image[ids[i]], image[ids[i + 1]],
                                     image[ids[i + 2]], image[ids[i + 3]])
                       : _mm_loadu_ps(x + i);
        if (ids) _mm_storeu_ps(x + i, v);
        least = _mm_min_ps(least, v);
        most = _mm_max_ps(most, v);
    }
    for (; i < n; i++) { /* not _ss: the other lanes stay */
        __m128 v = _mm_set1_ps(ids ? image[ids[i]] : x[i]);
        if (ids) _mm_store_ss(x + i, v);
        least = _mm_min_ps(least, v);
        most = _mm_max_ps(most, v);
    }
    least = _mm_min_ps(least, _mm_movehl_ps(least, least));
    most = _mm_max_ps(most, _mm_movehl_ps(most, most));
    least = _mm_min_ss(least, _mm_shuffle_ps(least, least, 1));
    most = _mm_max_ss(most, _mm_shuffle_ps(most, most, 1));
    range[0] = _mm_cvtss_f32(least);
    range[1] = _mm_cvtss_f32(most);
    if (range[0] > -none) return 0;
    range[0] = none; /* the least of the others */
    for (i = 0; i < n; i++)
        range[0] = x[i] > -none && x[i] < range[0] ? x[i] : range[0];
    return 1;
#else
    enum { LANES = 8 };
    float least[LANES], most[LANES];
    int gaps = 0;
    for (int64_t i = 0; ids && i < n; i++) x[i] = image[ids[i]];
    for (int k = 0; k < LANES; k++) {
        least[k] = none;
        most[k] = -none;
    }
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) {
            float v = x[i + k], w = v == -none ? none : v;
            least[k] = w < least[k] ? w : least[k];
            most[k] = v > most[k] ? v : most[k];
            gaps |= v == -none;
        }
    for (; i < n; i++) {
        float v = x[i], w = v == -none ? none : v;
        least[0] = w < least[0] ? w : least[0];
        most[0] = v > most[0] ? v : most[0];
        gaps |= v == -none;
    }
    for (int k = 1; k < LANES; k++) {
        least[0] = least[k] < least[0] ? least[k] : least[0];
        most[0] = most[k] > most[0] ? most[k] : most[0];
    }
    range[0] = least[0];
    range[1] = most[0];
    return gaps;
#endif
}

uint64_t KERNEL(tree_between)(const float *x, const uint32_t *pay, int64_t n,
                              float floor, float top)
{
    uint32_t all = 0, second = 0;
#ifdef SIMD_IS_avx512
    const __m512 low = _mm512_set1_ps(floor), high = _mm512_set1_ps(top);
    __m512i sum = _mm512_setzero_si512(), sum1 = sum, bit = _mm512_set1_epi32(1);
    for (int64_t i = 0; i < n; i += 16) {
        __mmask16 in =
            n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)0xffff;
        __m512 v = _mm512_maskz_loadu_ps(in, x + i);
        in = _mm512_mask_cmp_ps_mask(in, v, low, _CMP_GE_OQ);
        in = _mm512_mask_cmp_ps_mask(in, v, high, _CMP_LE_OQ);
        __m512i p = _mm512_maskz_loadu_epi32(in, pay + i);
        __m512i add = _mm512_srli_epi32(p, 1);
        sum = _mm512_add_epi32(sum, add);
        sum1 = _mm512_mask_add_epi32(sum1, _mm512_test_epi32_mask(p, bit), sum1, add);
    }
    all = (uint32_t)_mm512_reduce_add_epi32(sum);
    second = (uint32_t)_mm512_reduce_add_epi32(sum1);
#else
    for (int64_t i = 0; i < n; i++) {
        uint32_t in = (uint32_t)0 - (uint32_t)((x[i] >= floor) & (x[i] <= top));
        uint32_t add = (pay[i] >> 1) & in;
        all += add;
        second += add & ((uint32_t)0 - (pay[i] & 1));
    }
#endif
    return (uint64_t)(all - second) | (uint64_t)second << 32;
}

#ifndef SIMD_IS_base
/* A row's cells in as many columns, four at most; other lanes are 0. */
static inline __m128 cells_of(const float *row, const int64_t *at, int lanes)
{
    switch (lanes) {
    case 1:
        return _mm_load_ss(row + at[0]);
    case 2:
        return _mm_setr_ps(row[at[0]], row[at[1]], 0, 0);
    case 3:
        return _mm_setr_ps(row[at[0]], row[at[1]], row[at[2]], 0);
    default:
        return _mm_setr_ps(row[at[0]], row[at[1]], row[at[2]], row[at[3]]);
    }
}
#endif

/* tree_ranges for a number of columns that the compiler knows. */
static inline __attribute__((always_inline)) void
ranges_of(const struct simd_cells_of *of, int lanes, const uint16_t *ids, int64_t n,
          float *x, float low[SIMD_DRAWN], float high[SIMD_DRAWN])
{
    const float none = (float)INFINITY, *image = of->image;
    const int64_t step = of->step, x_step = simd_drawn_step(lanes);
    int64_t at[SIMD_DRAWN];
    for (int k = 0; k < SIMD_DRAWN; k++) at[k] = of->at[k];
#ifdef SIMD_IS_base
    for (int k = 0; k < SIMD_DRAWN; k++) {
        low[k] = none;
        high[k] = -none;
    }
    for (int64_t i = 0; i < n; i++) {
        const float *row = image + ids[i] * step;
        for (int k = 0; k < x_step; k++) {
            float v = x[x_step * i + k] = k < lanes ? row[at[k]] : 0;
            low[k] = v < low[k] ? v : low[k];
            high[k] = v > high[k] ? v : high[k];
        }
    }
#else
    __m128 least = _mm_set1_ps(none), most = _mm_set1_ps(-none);
    __m128 least2 = least, most2 = most;
    for (int64_t i = 0; i < n; i++) {
        const float *row = image + ids[i] * step;
        __m128 v = cells_of(row, at, lanes < 4 ? lanes : 4);
        _mm_storeu_ps(x + x_step * i, v);
        least = _mm_min_ps(least, v);
        most = _mm_max_ps(most, v);
        if (lanes <= 4) continue;
        v = cells_of(row, at + 4, lanes - 4);
        _mm_storeu_ps(x + x_step * i + 4, v);
        least2 = _mm_min_ps(least2, v);
        most2 = _mm_max_ps(most2, v);
    }
    _mm_storeu_ps(low, least);
    _mm_storeu_ps(high, most);
    _mm_storeu_ps(low + 4, least2);
    _mm_storeu_ps(high + 4, most2);
#endif
}

void KERNEL(tree_ranges)(const struct simd_cells_of *of, const uint16_t *ids, int64_t n,
                         float *x, float low[SIMD_DRAWN], float high[SIMD_DRAWN])
{
    switch (of->lanes) {
    case 1:
        ranges_of(of, 1, ids, n, x, low, high);
        break;
    case 2:
        ranges_of(of, 2, ids, n, x, low, high);
        break;
    case 3:
        ranges_of(of, 3, ids, n, x, low, high);
        break;
    case 4:
        ranges_of(of, 4, ids, n, x, low, high);
        break;
    case 5:
        ranges_of(of, 5, ids, n, x, low, high);
        break;
    case 6:
        ranges_of(of, 6, ids, n, x, low, high);
        break;
    case 7:
        ranges_of(of, 7, ids, n, x, low, high);
        break;
    default:
        ranges_of(of, SIMD_DRAWN, ids, n, x, low, high);
        break;
    }
}

#ifndef SIMD_IS_base
/* sum, and two where x <= top */
static inline __m128i add_left(__m128i sum, const float *x, __m128 top, __m128i two)
{
    __m128 in = _mm_cmple_ps(_mm_loadu_ps(x), top);
    return _mm_add_epi32(sum, _mm_and_si128(_mm_castps_si128(in), two));
}
#endif

void KERNEL(tree_lefts)(const float *x, const uint32_t *two, int64_t n, int lanes,
                        const float top[SIMD_DRAWN], uint32_t left[SIMD_DRAWN])
{
#ifdef SIMD_IS_base
    uint32_t sum[SIMD_DRAWN] = {0};
    int step = simd_drawn_step(lanes);
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < step; k++)
            sum[k] += two[i] & ((uint32_t)0 - (x[step * i + k] <= top[k]));
    memcpy(left, sum, sizeof sum);
#else
    const __m128 most = _mm_loadu_ps(top), most2 = _mm_loadu_ps(top + 4);
    __m128i sum = _mm_setzero_si128(), sum2 = sum;
    if (lanes <= 4)
        for (int64_t i = 0; i < n; i++)
            sum = add_left(sum, x + 4 * i, most, _mm_set1_epi32((int)two[i]));
    else
        for (int64_t i = 0; i < n; i++) {
            __m128i add = _mm_set1_epi32((int)two[i]);
            sum = add_left(sum, x + SIMD_DRAWN * i, most, add);
            sum2 = add_left(sum2, x + SIMD_DRAWN * i + 4, most2, add);
        }
    _mm_storeu_si128((__m128i *)(void *)left, sum);
    _mm_storeu_si128((__m128i *)(void *)(left + 4), sum2);
#endif
}

int64_t KERNEL(tree_part_few)(const struct simd_part *side, uint16_t *ids,
                              uint32_t *pay, int64_t n)
{
#ifdef SIMD_IS_avx512
    __mmask16 in = (__mmask16)((1u << n) - 1), left;
    __m512i id = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(in, ids));
    __m512i p = _mm512_maskz_loadu_epi32(in, pay);
    if (side->image) {
        __m512i at = _mm512_mullo_epi32(id, _mm512_set1_epi32((int)side->step));
        __m512 v =
            _mm512_mask_i32gather_ps(_mm512_setzero_ps(), in, at, side->image, 4);
        left = _mm512_mask_cmp_ps_mask(in, v, _mm512_set1_ps(side->floor), _CMP_GE_OQ);
        left = _mm512_mask_cmp_ps_mask(left, v, _mm512_set1_ps(side->top), _CMP_LE_OQ);
    } else {
        __m512i low = _mm512_set1_epi32(65535);
        __m512i c = _mm512_mask_i32gather_epi32(low, in, id, side->code, 2);
        c = _mm512_and_si512(_mm512_sub_epi32(c, _mm512_set1_epi32(side->sub)), low);
        left = _mm512_mask_cmple_epu32_mask(in, c, _mm512_set1_epi32(side->most));
    }
    int n_left = __builtin_popcount(left);
    __mmask16 right = (__mmask16)(in & ~left), behind = (__mmask16)(0xffffu << n_left);
    id = _mm512_mask_expand_epi32(_mm512_maskz_compress_epi32(left, id), behind,
                                  _mm512_maskz_compress_epi32(right, id));
    p = _mm512_mask_expand_epi32(_mm512_maskz_compress_epi32(left, p), behind,
                                 _mm512_maskz_compress_epi32(right, p));
    _mm256_mask_storeu_epi16(ids, in, _mm512_cvtepi32_epi16(id));
    _mm512_mask_storeu_epi32(pay, in, p);
    return n_left;
#else
    uint16_t aside[SIMD_PART];
    uint32_t aside_pay[SIMD_PART];
    int64_t l = 0, r = 0;
    for (int64_t i = 0; i < n; i++) {
        uint16_t id = ids[i];
        uint32_t p = pay[i];
        float x = side->image ? side->image[id * side->step] : 0;
        int go = side->image ? (x >= side->floor) & (x <= side->top)
                             : (uint16_t)(side->code[id] - side->sub) <= side->most;
        ids[l] = id;
        pay[l] = p;
        aside[r] = id;
        aside_pay[r] = p;
        l += go;
        r += !go;
    }
    for (int64_t i = 0; i < r; i++) {
        ids[l + i] = aside[i];
        pay[l + i] = aside_pay[i];
    }
    return l;
#endif
}
