/* k_tree_grad.c - gradients to small integers with their dither
 *
 * tree_dither: Philox4x32-10 (base/rng.c) with counter (id / 4 low, id / 4 high, tree, output);
 * word id mod 4 is the row's. AVX-512 runs eight counters side by side, AVX2 four. tree_dither_ids:
 * the same of any ids; neighbours that share a counter share its run.
 * tree_logit: derivatives of the log-loss of two classes by the score; tree_logit_quantise: their
 * integers at once. Both stand on t = e/(1 + e), e = exp(-|score|), in f32 (|t - exact| < 1.2e-7):
 * the probability of the less likely class, so both tails keep their digits; below 2^-30 it is 0.
 * g is kept in units of 2^-30 and h in units of 2^-32, which small integers of 2^-14 and 2^-17 and
 * 16 bits of dither take without a further rounding, so both ways give the same integers.
 * tree_softmax: probabilities of many classes from scores by row, a class after the other, so that
 * what follows reads them in a row; the values are those of vsoftmax. tree_softmax_grad: their
 * derivatives.
 * tree_quantise: floor(value * scale + u), the low half of u for g and the high half for h. */
#include <string.h>

#include "simd/simd.h"
#if defined(SIMD_IS_avx512) || defined(SIMD_IS_avx2)
#include <immintrin.h>
#endif

void KERNEL(tree_dither)(const struct simd_dither *d, int64_t id0, int64_t n,
                         uint32_t *out);
void KERNEL(tree_quantise)(const double *g, const double *h, const uint32_t *u,
                           int64_t n, double g_scale, double h_scale, uint32_t *out,
                           int64_t sum[3]);
void KERNEL(tree_dither_ids)(const struct simd_dither *d, const int64_t *ids, int64_t n,
                             uint32_t *out);
void KERNEL(tree_logit)(const double *score, const int32_t *k, int64_t n, double *g,
                        double *h);
void KERNEL(tree_logit_quantise)(const double *score, const int32_t *k,
                                 const uint32_t *u, int64_t n, uint32_t *out,
                                 int64_t sum[3]);
void KERNEL(tree_softmax)(const double *score, int64_t n, int k, double *z);
void KERNEL(tree_softmax_grad)(const double *p, const int32_t *k, int64_t n, int at,
                               double up, double *g, double *h);
void KERNEL(vexp)(const double *x, double *out, int64_t n);

#define MUL_A 0xd2511f53u
#define MUL_B 0xcd9e8d57u
#define KEY_A 0x9e3779b9u
#define KEY_B 0xbb67ae85u

static inline void philox(const struct simd_dither *d, uint64_t block, uint32_t out[4])
{
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = d->tree;
    uint32_t c3 = d->output, k0 = d->k0, k1 = d->k1;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)MUL_A * c0, p1 = (uint64_t)MUL_B * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += KEY_A;
        k1 += KEY_B;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Words of DITHER_BLOCKS counters, block[i] each, to out[4 i ..]. */
#ifdef SIMD_IS_avx512
#define DITHER_BLOCKS 8
static inline void philox_some(const struct simd_dither *d, const uint64_t *block,
                               uint32_t *out)
{
    const __m512i a = _mm512_set1_epi64(MUL_A), b = _mm512_set1_epi64(MUL_B);
    const __m512i low = _mm512_set1_epi64(0xffffffff);
    __m512i c0 = _mm512_loadu_si512(block); /* upper halves are not looked at */
    __m512i c1 = _mm512_srli_epi64(c0, 32);
    __m512i c2 = _mm512_set1_epi64(d->tree), c3 = _mm512_set1_epi64(d->output);
    uint32_t k0 = d->k0, k1 = d->k1;
    for (int round = 0; round < 10; round++) {
        __m512i p0 = _mm512_mul_epu32(c0, a), p1 = _mm512_mul_epu32(c2, b);
        c0 = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p1, 32), c1),
                              _mm512_set1_epi64(k0));
        c2 = _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(p0, 32), c3),
                              _mm512_set1_epi64(k1));
        c1 = p1;
        c3 = p0;
        k0 += KEY_A;
        k1 += KEY_B;
    }
    __m512i w01 = _mm512_or_si512(_mm512_and_si512(c0, low), _mm512_slli_epi64(c1, 32));
    __m512i w23 = _mm512_or_si512(_mm512_and_si512(c2, low), _mm512_slli_epi64(c3, 32));
    const __m512i front = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i back = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_si512(out, _mm512_permutex2var_epi64(w01, front, w23));
    _mm512_storeu_si512(out + 16, _mm512_permutex2var_epi64(w01, back, w23));
}
#elif defined(SIMD_IS_avx2)
#define DITHER_BLOCKS 8 /* two of four, which hide each other's latency */
static inline void philox_some(const struct simd_dither *d, const uint64_t *block,
                               uint32_t *out)
{
    const __m256i a = _mm256_set1_epi64x(MUL_A), b = _mm256_set1_epi64x(MUL_B);
    __m256i c0[2], c1[2], c2[2], c3[2]; /* upper halves are not looked at */
    uint32_t k0 = d->k0, k1 = d->k1;
    for (int v = 0; v < 2; v++) {
        c0[v] = _mm256_loadu_si256((const __m256i *)(block + 4 * v));
        c1[v] = _mm256_srli_epi64(c0[v], 32);
        c2[v] = _mm256_set1_epi64x(d->tree);
        c3[v] = _mm256_set1_epi64x(d->output);
    }
    for (int round = 0; round < 10; round++) {
        const __m256i key0 = _mm256_set1_epi32((int32_t)k0);
        const __m256i key1 = _mm256_set1_epi32((int32_t)k1);
        for (int v = 0; v < 2; v++) {
            __m256i p0 = _mm256_mul_epu32(c0[v], a), p1 = _mm256_mul_epu32(c2[v], b);
            c0[v] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32),
                                     _mm256_xor_si256(c1[v], key0));
            c2[v] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32),
                                     _mm256_xor_si256(c3[v], key1));
            c1[v] = p1;
            c3[v] = p0;
        }
        k0 += KEY_A;
        k1 += KEY_B;
    }
    for (int v = 0; v < 2; v++) {
        __m256i w01 = _mm256_blend_epi32(c0[v], _mm256_slli_epi64(c1[v], 32), 0xaa);
        __m256i w23 = _mm256_blend_epi32(c2[v], _mm256_slli_epi64(c3[v], 32), 0xaa);
        __m256i even = _mm256_unpacklo_epi64(w01, w23); /* counters 0 and 2 */
        __m256i odd = _mm256_unpackhi_epi64(w01, w23);
        __m256i *to = (__m256i *)(out + 16 * v);
        _mm256_storeu_si256(to, _mm256_permute2x128_si256(even, odd, 0x20));
        _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(even, odd, 0x31));
    }
}
#else
#define DITHER_BLOCKS 1
static inline void philox_some(const struct simd_dither *d, const uint64_t *block,
                               uint32_t *out)
{
    philox(d, *block, out);
}
#endif

void KERNEL(tree_dither)(const struct simd_dither *d, int64_t id0, int64_t n,
                         uint32_t *out)
{
    uint32_t word[4];
    uint64_t block[DITHER_BLOCKS];
    int64_t i = 0;
    for (; i < n && ((id0 + i) & 3); i++) {
        philox(d, (uint64_t)(id0 + i) >> 2, word);
        out[i] = word[(id0 + i) & 3];
    }
    for (; i + 4 * DITHER_BLOCKS <= n; i += 4 * DITHER_BLOCKS) {
        uint64_t first = (uint64_t)(id0 + i) >> 2;
        for (uint64_t b = 0; b < DITHER_BLOCKS; b++) block[b] = first + b;
        philox_some(d, block, out + i);
    }
    for (; i + 4 <= n; i += 4) philox(d, (uint64_t)(id0 + i) >> 2, out + i);
    if (i < n) philox(d, (uint64_t)(id0 + i) >> 2, word);
    for (int64_t j = i; j < n; j++) out[j] = word[j - i];
}

#define DITHER_ROWS 64

void KERNEL(tree_dither_ids)(const struct simd_dither *d, const int64_t *ids, int64_t n,
                             uint32_t *out)
{
    uint64_t block[DITHER_ROWS + DITHER_BLOCKS];
    uint32_t word[4 * (DITHER_ROWS + DITHER_BLOCKS)];
    uint16_t at[DITHER_ROWS];
    for (int64_t i0 = 0; i0 < n; i0 += DITHER_ROWS) {
        int64_t m = n - i0 < DITHER_ROWS ? n - i0 : DITHER_ROWS, blocks = 0;
        for (int64_t i = 0; i < m; i++) {
            uint64_t id = (uint64_t)ids[i0 + i], of = id >> 2;
            if (!blocks || block[blocks - 1] != of) block[blocks++] = of;
            at[i] = (uint16_t)(4 * (blocks - 1) + (int64_t)(id & 3));
        }
        for (int64_t b = 0; b < DITHER_BLOCKS; b++) block[blocks + b] = 0;
        for (int64_t b = 0; b < blocks; b += DITHER_BLOCKS)
            philox_some(d, block + b, word + 4 * b);
        for (int64_t i = 0; i < m; i++) out[i0 + i] = word[at[i]];
    }
}

void KERNEL(tree_quantise)(const double *restrict g, const double *restrict h,
                           const uint32_t *restrict u, int64_t n, double g_scale,
                           double h_scale, uint32_t *restrict out, int64_t sum[3])
{
    int64_t sum_g = 0, sum_h = 0;
    int32_t most = 0;
    for (int64_t i = 0; i < n; i++) {
        /* adding 2^15 keeps the value positive: the cast is then the floor */
        double a = g[i] * g_scale + (int32_t)(u[i] & 0xffff) * 0x1p-16 + 32768;
        double b = h[i] * h_scale + (int32_t)(u[i] >> 16) * 0x1p-16;
        int32_t q = (int32_t)a - 32768, p = (int32_t)b;
        out[i] = (uint32_t)q << 16 | (uint32_t)p;
        sum_g += q < 0 ? -q : q;
        sum_h += p;
        most = p > most ? p : most;
    }
    sum[0] += sum_g;
    sum[1] += sum_h;
    sum[2] = most > sum[2] ? most : sum[2];
}

/* ---- the logistic loss ---- */

static inline uint32_t f32_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float f32_of(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* exp(-a) for a in [0, 25], relative error below 2^-22.4 beside that of a. */
static inline float f32_exp_minus(float a)
{
    const float shift =
        0x1.8p23f; /* adding it rounds to an integer, kept in the low bits */
    float turned = shift - a * 0x1.715476p+0f, n = turned - shift;
    float r = (-a - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f; /* n hi is exact */
    float p = 0x1.6d10fcp-10f;
    p = p * r + 0x1.120b62p-7f;
    p = p * r + 0x1.55551ap-5f;
    p = p * r + 0x1.5554dep-3f;
    p = p * r + 0x1p-1f;
    p = (p * (r * r) + r) + 1.0f;
    return f32_of(f32_bits(p) + (f32_bits(turned) << 23));
}

#define LOGIT_ROWS 256

/* Derivatives of m rows, m <= LOGIT_ROWS: g in units of 2^-30, h of 2^-32; both 0 where the class
 * is below 0. */
static inline void logit_rows(const double *restrict score, const int32_t *restrict k,
                              int m, int32_t *restrict g, int32_t *restrict h)
{
    float x[LOGIT_ROWS];
    for (int i = 0; i < m; i++) x[i] = (float)score[i];
    for (int i = 0; i < m; i++) {
        uint32_t bits = f32_bits(x[i]), size = bits & 0x7fffffffu;
        uint32_t most =
            0x41c80000u; /* of 25.0f; what is larger, or no number, becomes it */
        float e = f32_exp_minus(f32_of(size < most ? size : most)), t = e / (1.0f + e);
        int32_t far = (int32_t)(t * 0x1p30f), live = ~(k[i] >> 31);
        int32_t p = bits >> 31 ? far : (1 << 30) - far;
        g[i] = (p - (k[i] == 1 ? 1 << 30 : 0)) & live;
        h[i] = (int32_t)((t - t * t) * 0x1p32f) & live;
    }
}

void KERNEL(tree_logit)(const double *restrict score, const int32_t *restrict k,
                        int64_t n, double *restrict g, double *restrict h)
{
    int32_t gi[LOGIT_ROWS], hi[LOGIT_ROWS];
    for (int64_t i0 = 0; i0 < n; i0 += LOGIT_ROWS) {
        int m = n - i0 < LOGIT_ROWS ? (int)(n - i0) : LOGIT_ROWS;
        logit_rows(score + i0, k + i0, m, gi, hi);
        for (int i = 0; i < m; i++) {
            g[i0 + i] = gi[i] * 0x1p-30;
            h[i0 + i] = hi[i] * 0x1p-32;
        }
    }
}

void KERNEL(tree_logit_quantise)(const double *restrict score,
                                 const int32_t *restrict k, const uint32_t *restrict u,
                                 int64_t n, uint32_t *restrict out, int64_t sum[3])
{
    int32_t g[LOGIT_ROWS], h[LOGIT_ROWS];
    for (int64_t i0 = 0; i0 < n; i0 += LOGIT_ROWS) {
        int m = n - i0 < LOGIT_ROWS ? (int)(n - i0) : LOGIT_ROWS;
        int32_t sum_g = 0, sum_h = 0, most = 0; /* at most 2^14 and 2^15 a row */
        logit_rows(score + i0, k + i0, m, g, h);
        for (int i = 0; i < m; i++) {
            /* a row that counts for nothing has no dither either */
            uint32_t draw = k[i0 + i] < 0 ? 0 : u[i0 + i];
            int32_t q = (g[i] + (int32_t)(draw & 0xffff)) >> 16;
            int32_t p = (int32_t)((2 * (uint32_t)h[i] + (draw >> 16)) >> 16);
            out[i0 + i] = (uint32_t)q << 16 | (uint32_t)p;
            sum_g += q < 0 ? -q : q;
            sum_h += p;
            most = p > most ? p : most;
        }
        sum[0] += sum_g;
        sum[1] += sum_h;
        sum[2] = most > sum[2] ? most : sum[2];
    }
}

#define SOFTMAX_ROWS 64

/* Rows [i0, i0 + m) of n, m <= SOFTMAX_ROWS. */
static void softmax_rows(const double *restrict score, int64_t i0, int64_t m, int64_t n,
                         int k, double *restrict z)
{
    double top[SOFTMAX_ROWS], sum[SOFTMAX_ROWS];
    for (int c = 0; c < k; c++) {
        double *to = z + c * n + i0;
        for (int64_t i = 0; i < m; i++) {
            double s = score[(i0 + i) * k + c];
            to[i] = s;
            top[i] = c == 0 || s > top[i] ? s : top[i];
        }
    }
    for (int c = 0; c < k; c++) {
        double *to = z + c * n + i0;
        for (int64_t i = 0; i < m; i++) to[i] -= top[i];
        KERNEL(vexp)(to, to, m);
        for (int64_t i = 0; i < m; i++) sum[i] = (c ? sum[i] : 0) + to[i];
    }
    for (int c = 0; c < k; c++) {
        double *to = z + c * n + i0;
        for (int64_t i = 0; i < m; i++) to[i] /= sum[i];
    }
}

void KERNEL(tree_softmax)(const double *score, int64_t n, int k, double *z)
{
    for (int64_t i = 0; i < n; i += SOFTMAX_ROWS)
        softmax_rows(score, i, n - i < SOFTMAX_ROWS ? n - i : SOFTMAX_ROWS, n, k, z);
}

void KERNEL(tree_softmax_grad)(const double *restrict p, const int32_t *restrict k,
                               int64_t n, int at, double up, double *restrict g,
                               double *restrict h)
{
    for (int64_t i = 0; i < n; i++) {
        g[i] = p[i] - (double)(k[i] == at);
        h[i] = p[i] * (1 - p[i]) * up;
    }
}
