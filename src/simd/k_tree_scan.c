/* k_tree_scan.c - the best split of one column, by f32 over integer sums; gains in f64
 *
 * tree_scan ranks the splits of a node by d^2 / (p q), d = G_l - p m, p = H_l + l2, q = H_r + l2,
 * m = G / (H + 2 l2): the gain of the split less a number that all splits of the node share.
 * Fractions are compared crosswise, without a division: candidate i competes with those of the
 * same i mod 16, the 16 winners by one division each. Sums are exact integers, rounded once to
 * f32 and, where products of four could overflow, scaled by powers of two to at most 1; the
 * operations and their order are the same on every set, so all give the same code, the first of
 * equals. The AVX2 form knows packed cells only, which nearly all nodes have. Who needs the gain itself computes it from the winner's sums.
 *
 * tree_gain gives all gains in f64, with one division a split: both quotients share a
 * denominator. Each element is computed alone, so every set gives the same bits. */
#include <math.h>

#include "simd/simd.h"
#if defined(SIMD_IS_avx512) || defined(SIMD_IS_avx2)
#include <immintrin.h>
#endif

int64_t KERNEL(tree_scan)(const uint64_t *cells, int wide, int64_t n,
                          const struct simd_scan *node, int64_t sum[2]);
int KERNEL(tree_scan_may)(const uint64_t *cells, int64_t n,
                          const struct simd_scan *node, const int64_t sum[2],
                          float floor);
int64_t KERNEL(tree_gain)(const double *gl, const double *hl, int64_t n,
                          const struct simd_split *split, double *out);

#define SCAN_NONE (-1.0f)

/* Codes 0..at join the left side. */
static inline void sum_left(const uint64_t *cells, int wide, int64_t at, int64_t sum[2])
{
    uint64_t g = 0, h = 0;
    if (wide) {
        for (int64_t i = 0; i <= at; i++) {
            g += cells[2 * i];
            h += cells[2 * i + 1];
        }
        sum[0] += (int64_t)g;
        sum[1] += (int64_t)h;
        return;
    }
    for (int64_t i = 0; i <= at; i++)
        h += cells[i]; /* h of all codes stays below 2^32 */
    sum[0] += (int32_t)(h >> 32);
    sum[1] += (uint32_t)h;
}

#ifdef SIMD_IS_avx512
/* Best of each of 16 lanes of candidates: d^2, p q and the candidate. */
struct scan_best {
    __m512 top, under;
    __m512i at;
};

/* scaled: 0 where both scales are 1, which multiply for nothing. */
static inline __attribute__((always_inline)) void
scan_take(struct scan_best *b, __m512 g, __m512 h, __m512 rest, __mmask16 ok,
          __m512i at, const struct simd_scan *node, int scaled)
{
    const __m512 l2 = _mm512_set1_ps(node->l2), unit = _mm512_set1_ps(node->h_scale);
    if (scaled) {
        h = _mm512_mul_ps(h, unit);
        rest = _mm512_mul_ps(rest, unit);
        g = _mm512_mul_ps(g, _mm512_set1_ps(node->g_scale));
    }
    __m512 p = _mm512_add_ps(h, l2), q = _mm512_add_ps(rest, l2);
    __m512 d = _mm512_sub_ps(g, _mm512_mul_ps(p, _mm512_set1_ps(node->mean)));
    __m512 top = _mm512_mul_ps(d, d), under = _mm512_mul_ps(p, q);
    __mmask16 better = _mm512_mask_cmp_ps_mask(
        ok, _mm512_mul_ps(top, b->under), _mm512_mul_ps(b->top, under), _CMP_GT_OQ);
    b->top = _mm512_mask_mov_ps(b->top, better, top);
    b->under = _mm512_mask_mov_ps(b->under, better, under);
    b->at = _mm512_mask_mov_epi32(b->at, better, at);
}

static inline __m512i prefix_i64(__m512i x)
{
    const __m512i zero = _mm512_setzero_si512();
    x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 7));
    x = _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 6));
    return _mm512_add_epi64(x, _mm512_alignr_epi64(x, zero, 4));
}

/* Sums of nodes with packed cells fit 32 bits: g signed, h without sign, and h never carries into
 * g, so both are summed as one. Prefixes of pairs of codes give those of the odd codes, less
 * the odd codes' own cells those of the even ones. sum_at: what is on the left of candidate i,
 * [n rounded up to 16], of 16 the even ones first. */
static inline __attribute__((always_inline)) void
scan_packed(const uint64_t *cells, int64_t n, const struct simd_scan *node,
            const int64_t sum[2], struct scan_best *b, uint64_t *sum_at, int scaled)
{
    const __m512i even_code = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd_code = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    const __m512i low =
        _mm512_setr_epi32(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(1));
    const __m512i last = _mm512_set1_epi64(7);
    const __m512i most = _mm512_set1_epi32((int)(uint32_t)node->h);
    const __m512i least = _mm512_set1_epi32((int)(uint32_t)node->min_h);
    const __m512i spare = _mm512_set1_epi32((int)(uint32_t)(node->h - 2 * node->min_h));
    __m512i carry =
        _mm512_set1_epi64((int64_t)(((uint64_t)sum[0] << 32) + (uint64_t)sum[1]));
    __m512i at =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    if (node->h < 2 * node->min_h || node->min_h > (int64_t)UINT32_MAX) return;
    for (int64_t i = 0; i < n; i += 16) {
        __m512i x = _mm512_loadu_si512(cells + i),
                y = _mm512_loadu_si512(cells + i + 8);
        __m512i own = _mm512_permutex2var_epi64(x, odd_code, y);
        __m512i pair =
            _mm512_add_epi64(_mm512_permutex2var_epi64(x, even_code, y), own);
        __m512i odd = _mm512_add_epi64(prefix_i64(pair), carry);
        __m512i even = _mm512_sub_epi64(odd, own);
        carry = _mm512_permutexvar_epi64(last, odd);
        _mm512_storeu_si512(sum_at + i, even);
        _mm512_storeu_si512(sum_at + i + 8, odd);
        __m512i h = _mm512_permutex2var_epi32(even, low, odd);
        __m512i g = _mm512_permutex2var_epi32(even, high, odd);
        /* min_h <= h <= node->h - min_h, in one comparison */
        __mmask16 ok = _mm512_mask_cmple_epu32_mask(
            (__mmask16)(n - i >= 16 ? 0xffff : (1 << (n - i)) - 1),
            _mm512_sub_epi32(h, least), spare);
        scan_take(b, _mm512_cvtepi32_ps(g), _mm512_cvtepu32_ps(h),
                  _mm512_cvtepu32_ps(_mm512_sub_epi32(most, h)), ok, at, node, scaled);
        at = _mm512_add_epi32(at, _mm512_set1_epi32(16));
    }
}

/* i64 -> f64 -> f32, as everywhere */
static inline __m512 narrow(__m512i a, __m512i b)
{
    __m256 x = _mm512_cvtpd_ps(_mm512_cvtepi64_pd(a));
    return _mm512_insertf32x8(_mm512_castps256_ps512(x),
                              _mm512_cvtpd_ps(_mm512_cvtepi64_pd(b)), 1);
}

static void scan_wide(const uint64_t *cells, int64_t n, const struct simd_scan *node,
                      const int64_t sum[2], struct scan_best *b)
{
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    const __m512i last = _mm512_set1_epi64(7), most = _mm512_set1_epi64(node->h);
    const __m512i least = _mm512_set1_epi64(node->min_h);
    __m512i cg = _mm512_set1_epi64(sum[0]), ch = _mm512_set1_epi64(sum[1]);
    __m512i at =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int64_t i = 0; i < n; i += 16) {
        __m512i g[2], h[2], rest[2];
        unsigned ok = n - i >= 16 ? 0xffff : (1u << (n - i)) - 1;
        for (int k = 0; k < 2; k++) {
            const uint64_t *c = cells + 2 * i + 16 * k;
            __m512i x = _mm512_loadu_si512(c), y = _mm512_loadu_si512(c + 8);
            g[k] =
                _mm512_add_epi64(prefix_i64(_mm512_permutex2var_epi64(x, even, y)), cg);
            h[k] =
                _mm512_add_epi64(prefix_i64(_mm512_permutex2var_epi64(x, odd, y)), ch);
            cg = _mm512_permutexvar_epi64(last, g[k]);
            ch = _mm512_permutexvar_epi64(last, h[k]);
            rest[k] = _mm512_sub_epi64(most, h[k]);
            unsigned small = _mm512_cmplt_epi64_mask(h[k], least) |
                             _mm512_cmplt_epi64_mask(rest[k], least);
            ok &= ~(small << 8 * k);
        }
        scan_take(b, narrow(g[0], g[1]), narrow(h[0], h[1]), narrow(rest[0], rest[1]),
                  (__mmask16)ok, at, node, 1);
        at = _mm512_add_epi32(at, _mm512_set1_epi32(16));
    }
}

int64_t KERNEL(tree_scan)(const uint64_t *cells, int wide, int64_t n,
                          const struct simd_scan *node, int64_t sum[2])
{
    uint64_t sum_at[256];
    struct scan_best b = {_mm512_set1_ps(SCAN_NONE), _mm512_set1_ps(1),
                          _mm512_setzero_si512()};
    if (wide)
        scan_wide(cells, n, node, sum, &b);
    else if (node->g_scale == 1 && node->h_scale == 1)
        scan_packed(cells, n, node, sum, &b, sum_at, 0);
    else
        scan_packed(cells, n, node, sum, &b, sum_at, 1);
    __m512 rank = _mm512_div_ps(b.top, b.under);
    float most = _mm512_reduce_max_ps(rank);
    __mmask16 equal = _mm512_cmp_ps_mask(rank, _mm512_set1_ps(most), _CMP_EQ_OQ);
    if (!(most > SCAN_NONE)) return -1;
    int64_t at = _mm512_mask_reduce_min_epi32(equal, b.at);
    if (wide) {
        sum_left(cells, wide, at, sum);
    } else {
        uint64_t left = sum_at[(at & ~(int64_t)15) + (at & 1) * 8 + (at & 15) / 2];
        sum[0] = (int32_t)(left >> 32);
        sum[1] = (uint32_t)left;
    }
    return at;
}
#else
/* Best of each of 16 lanes of candidates: d^2, p q and the candidate. */
struct scan_best {
    float top[16], under[16];
    int32_t at[16];
};

/* Candidates i0 .. i0 + 15; ok is 0 where a side has less than min_h. */
static inline void scan_take(struct scan_best *restrict b, const float *restrict g,
                             const float *restrict h, const float *restrict rest,
                             const int32_t *restrict ok, int32_t i0,
                             const struct simd_scan *node)
{
    const float l2 = node->l2, mean = node->mean, g_scale = node->g_scale;
    const float h_scale = node->h_scale;
    for (int j = 0; j < 16; j++) {
        float p = h[j] * h_scale + l2, q = rest[j] * h_scale + l2;
        float d = g[j] * g_scale - p * mean, top = d * d, under = p * q;
        int better = ok[j] & (top * b->under[j] > b->top[j] * under);
        b->top[j] = better ? top : b->top[j];
        b->under[j] = better ? under : b->under[j];
        b->at[j] = better ? i0 + j : b->at[j];
    }
}

static int64_t scan_plain(const uint64_t *cells, int wide, int64_t n,
                          const struct simd_scan *node, int64_t sum[2])
{
    struct scan_best b;
    float g[256], h[256], rest[256], best = SCAN_NONE;
    int32_t ok[256];
    int64_t ag = sum[0], ah = sum[1], at = -1;
    for (int j = 0; j < 16; j++) {
        b.top[j] = SCAN_NONE;
        b.under[j] = 1;
        b.at[j] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        ag += wide ? (int64_t)cells[2 * i] : (int32_t)(cells[i] >> 32);
        ah += wide ? (int64_t)cells[2 * i + 1] : (uint32_t)cells[i];
        int64_t ar = node->h - ah;
        g[i] = wide ? (float)(double)ag : (float)(int32_t)ag;
        h[i] = wide ? (float)(double)ah : (float)(uint32_t)ah;
        rest[i] = wide ? (float)(double)ar : (float)(uint32_t)ar;
        ok[i] = (ah >= node->min_h) & (ar >= node->min_h);
    }
    for (int64_t i = n; i & 15; i++) g[i] = h[i] = rest[i] = 0, ok[i] = 0;
    for (int64_t i = 0; i < n; i += 16)
        scan_take(&b, g + i, h + i, rest + i, ok + i, (int32_t)i, node);
    for (int j = 0; j < 16; j++) {
        float rank = b.top[j] / b.under[j];
        if (rank > best || (rank == best && at >= 0 && b.at[j] < at)) {
            best = rank;
            at = b.at[j];
        }
    }
    sum_left(cells, wide, at, sum);
    return at;
}

#ifdef SIMD_IS_avx2
#define INLINE     static inline __attribute__((always_inline))

/* Best of 8 of the 16 lanes: d^2, p q and the first code of the group of 16. A vector holds the
 * codes LANES of its half of the group, so that no word crosses its middle. */
struct best8 {
    __m256 top, under, group;
};
#define LANES      0, 1, 4, 5, 2, 3, 6, 7

/* b where the mask is set, else a. Of the intrinsic some compilers make a comparison with 0, too. */
INLINE __m256 pick(__m256 a, __m256 b, __m256 mask)
{
    __m256 out;
    __asm__("vblendvps %3, %2, %1, %0" : "=x"(out) : "x"(a), "x"(b), "x"(mask));
    return out;
}

/* The low or the high words of two vectors. */
INLINE __m256i words_of(__m256i a, __m256i b, int high)
{
    __m256 x = _mm256_castsi256_ps(a), y = _mm256_castsi256_ps(b);
    return _mm256_castps_si256(high ? _mm256_shuffle_ps(x, y, 0xdd)
                                    : _mm256_shuffle_ps(x, y, 0x88));
}

/* Sums up to each of 16 codes, by integer instructions: those of vectors have enough to do. */
INLINE uint64_t sum_group(const uint64_t *cells, uint64_t sum, uint64_t *to)
{
    for (int k = 0; k < 16; k++) {
        to[k] = sum += cells[k];
        __asm__("" : "+r"(sum));
    }
    return sum;
}

/* Codes of a half of a group: those below n that leave min_h on both sides. */
INLINE __m256 allowed(__m256i h, const struct simd_scan *node, int64_t n)
{
    __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)node->min_h), h);
    __m256i high =
        _mm256_cmpgt_epi32(h, _mm256_set1_epi32((int)(node->h - node->min_h)));
    __m256i below =
        _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(LANES));
    return _mm256_castsi256_ps(_mm256_andnot_si256(_mm256_or_si256(low, high), below));
}

/* all: of the half's codes none is ruled out. */
INLINE void take_half(struct best8 *b, const uint64_t *left, __m256 group, int64_t n,
                      const struct simd_scan *node, int all)
{
    const __m256i *from = (const __m256i *)left;
    const __m256 l2 = _mm256_set1_ps(node->l2), mean = _mm256_set1_ps(node->mean);
    __m256i h = words_of(from[0], from[1], 0);
    __m256i rest = _mm256_sub_epi32(_mm256_set1_epi32((int)node->h), h);
    __m256 g = _mm256_cvtepi32_ps(words_of(from[0], from[1], 1));
    __m256 p = _mm256_add_ps(_mm256_cvtepi32_ps(h), l2);
    __m256 q = _mm256_add_ps(_mm256_cvtepi32_ps(rest), l2);
    __m256 d = _mm256_sub_ps(g, _mm256_mul_ps(p, mean));
    __m256 top = _mm256_mul_ps(d, d), under = _mm256_mul_ps(p, q);
    __m256 better = _mm256_cmp_ps(_mm256_mul_ps(top, b->under),
                                  _mm256_mul_ps(b->top, under), _CMP_GT_OQ);
    if (!all) better = _mm256_and_ps(better, allowed(h, node, n));
    b->top = pick(b->top, top, better);
    b->under = pick(b->under, under, better);
    b->group = pick(b->group, group, better);
}

INLINE __m128 most_of(__m256 x)
{
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    m = _mm_max_ps(m, _mm_shuffle_ps(m, m, 0x4e));
    return _mm_max_ps(m, _mm_shuffle_ps(m, m, 0xb1));
}

/* The first code of the best rank; -1: there is none. */
INLINE int64_t first_best(const struct best8 b[2])
{
    __m256 r0 = _mm256_div_ps(b[0].top, b[0].under);
    __m256 r1 = _mm256_div_ps(b[1].top, b[1].under);
    __m128 most = most_of(_mm256_max_ps(r0, r1));
    __m256 at0 = _mm256_add_ps(b[0].group, _mm256_setr_ps(LANES));
    __m256 at1 = _mm256_add_ps(b[1].group, _mm256_setr_ps(LANES));
    if (!(_mm_cvtss_f32(most) > SCAN_NONE)) return -1;
    __m256 all = _mm256_broadcastss_ps(most);
    at1 = _mm256_add_ps(at1, _mm256_set1_ps(8));
    /* of those the least: the most of what they lack of 256 */
    at0 = _mm256_and_ps(_mm256_sub_ps(_mm256_set1_ps(256), at0),
                        _mm256_cmp_ps(r0, all, _CMP_EQ_OQ));
    at1 = _mm256_and_ps(_mm256_sub_ps(_mm256_set1_ps(256), at1),
                        _mm256_cmp_ps(r1, all, _CMP_EQ_OQ));
    return 256 - _mm_cvtss_si32(most_of(_mm256_max_ps(at0, at1)));
}

/* Sums run ahead of the vectors that read them, or those would wait for the stores. */
#define SUMS_AHEAD 32

/* Packed cells of a node whose h is below 2^31, not scaled. g and h are summed as one: h never
 * carries into g. Codes with min_h on both sides lie side by side, since h only grows, so most
 * groups of 16 have either none of them or no other. */
static int64_t scan_packed(const uint64_t *cells, int64_t n,
                           const struct simd_scan *node, int64_t sum[2])
{
    _Alignas(32) uint64_t left[256];
    const int64_t least = node->min_h, most = node->h - node->min_h;
    struct best8 b[2];
    uint64_t all = ((uint64_t)sum[0] << 32) + (uint64_t)sum[1];
    if (least > most) return -1;
    for (int k = 0; k < 2; k++)
        b[k] = (struct best8){_mm256_set1_ps(SCAN_NONE), _mm256_set1_ps(1),
                              _mm256_setzero_ps()};
    __m256 group = _mm256_setzero_ps();
    for (int64_t i = 0; i < n && i < SUMS_AHEAD; i += 16)
        all = sum_group(cells + i, all, left + i);
    for (int64_t i = 0; i < n; i += 16) {
        int64_t next = i + SUMS_AHEAD, m = n - i;
        if (next < n) all = sum_group(cells + next, all, left + next);
        int64_t h0 = (uint32_t)left[i], h1 = (uint32_t)left[m < 16 ? n - 1 : i + 15];
        if (h0 > most) break;
        if (h0 >= least && h1 <= most && m >= 16) {
            take_half(&b[0], left + i, group, 0, node, 1);
            take_half(&b[1], left + i + 8, group, 0, node, 1);
        } else if (h1 >= least) {
            take_half(&b[0], left + i, group, m, node, 0);
            take_half(&b[1], left + i + 8, group, m - 8, node, 0);
        }
        group = _mm256_add_ps(group, _mm256_set1_ps(16));
    }
    int64_t at = first_best(b);
    if (at < 0) return -1;
    sum[0] = (int32_t)(left[at] >> 32);
    sum[1] = (uint32_t)left[at];
    return at;
}

/* What scan_may asks of every code. */
struct asked {
    __m256 l2, mean, total, floor;
};

/* Whose d^2 is above floor p q, of the codes of a half of a group; q errs to less. */
INLINE __m256 half_above(const uint64_t *left, const struct asked *a)
{
    const __m256i *from = (const __m256i *)left;
    __m256 h = _mm256_cvtepi32_ps(words_of(from[0], from[1], 0));
    __m256 g = _mm256_cvtepi32_ps(words_of(from[0], from[1], 1));
    __m256 p = _mm256_add_ps(h, a->l2);
    __m256 d = _mm256_sub_ps(g, _mm256_mul_ps(p, a->mean));
    __m256 under =
        _mm256_mul_ps(_mm256_mul_ps(p, a->floor), _mm256_sub_ps(a->total, p));
    return _mm256_cmp_ps(_mm256_mul_ps(d, d), under, _CMP_GT_OQ);
}

/* The same of those that leave min_h on both sides, below n. */
INLINE __m256 allowed_above(const uint64_t *left, const struct asked *a, int64_t n,
                            const struct simd_scan *node)
{
    const __m256i *from = (const __m256i *)left;
    return _mm256_and_ps(half_above(left, a),
                         allowed(words_of(from[0], from[1], 0), node, n));
}

/* As scan_packed, but nothing is kept of a code. Which codes are allowed matters only where some
 * code is above the floor. */
static int scan_may(const uint64_t *cells, int64_t n, const struct simd_scan *node,
                    const int64_t sum[2], float floor)
{
    _Alignas(32) uint64_t left[256];
    const float total = (float)node->h + 2 * node->l2;
    const struct asked a = {_mm256_set1_ps(node->l2), _mm256_set1_ps(node->mean),
                            _mm256_set1_ps(total - total * 0x1p-21f),
                            _mm256_set1_ps(floor)};
    uint64_t all = ((uint64_t)sum[0] << 32) + (uint64_t)sum[1];
    __m256 any = _mm256_setzero_ps();
    for (int64_t i = 0; i < n && i < SUMS_AHEAD; i += 16)
        all = sum_group(cells + i, all, left + i);
    for (int64_t i = 0; i < n; i += 16) {
        int64_t next = i + SUMS_AHEAD;
        if (next < n) all = sum_group(cells + next, all, left + next);
        any = _mm256_or_ps(any, half_above(left + i, &a));
        any = _mm256_or_ps(any, half_above(left + i + 8, &a));
    }
    if (!_mm256_movemask_ps(any)) return 0;
    any = _mm256_setzero_ps();
    for (int64_t i = 0; i < n; i += 8)
        any = _mm256_or_ps(any, allowed_above(left + i, &a, n - i, node));
    return _mm256_movemask_ps(any) != 0;
}
#undef INLINE
#endif

int64_t KERNEL(tree_scan)(const uint64_t *cells, int wide, int64_t n,
                          const struct simd_scan *node, int64_t sum[2])
{
#ifdef SIMD_IS_avx2
    if (!wide && node->h <= INT32_MAX && node->g_scale == 1 && node->h_scale == 1)
        return scan_packed(cells, n, node, sum);
#endif
    return scan_plain(cells, wide, n, node, sum);
}
#endif

int KERNEL(tree_scan_may)(const uint64_t *cells, int64_t n,
                          const struct simd_scan *node, const int64_t sum[2],
                          float floor)
{
#ifdef SIMD_IS_avx2
    if (node->h <= INT32_MAX && node->g_scale == 1 && node->h_scale == 1)
        return scan_may(cells, n, node, sum, floor);
#endif
    (void)cells;
    (void)n;
    (void)node;
    (void)sum;
    (void)floor;
    return 1;
}

static inline double soft(double g, double l1)
{
    double a = fabs(g) - l1;
    return a > 0 ? a : 0; /* squared later: the sign does not matter */
}

int64_t KERNEL(tree_gain)(const double *restrict gl, const double *restrict hl,
                          int64_t n, const struct simd_split *split,
                          double *restrict out)
{
    const double g = split->g, h = split->h, l1 = split->l1, l2 = split->l2;
    const double min_h = split->min_h;
    for (int64_t i = 0; i < n; i++) {
        double a = soft(gl[i], l1), b = soft(g - gl[i], l1);
        double p = hl[i], q = h - hl[i];
        double gain = (a * a * (q + l2) + b * b * (p + l2)) / ((p + l2) * (q + l2));
        int ok = (p >= min_h) & (q >= min_h) & (p > 0) & (q > 0);
        out[i] = ok ? gain : -1;
    }
    double most[4] = {out[0], out[0], out[0], out[0]};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++)
            most[j] = out[i + j] > most[j] ? out[i + j] : most[j];
    for (; i < n; i++) most[0] = out[i] > most[0] ? out[i] : most[0];
    for (int j = 1; j < 4; j++) most[0] = most[j] > most[0] ? most[j] : most[0];
    for (i = 0; i + 1 < n && out[i] != most[0]; i++) {
    }
    return i;
}
