/* k_tree_grad.c - gradients to small integers with their dither
 *
 * tree_dither: Philox4x32-10 (base/rng.c) with counter (id / 4 low, id / 4 high, tree, output);
 * word id mod 4 is the row's. AVX-512 runs eight counters side by side.
 * tree_logit: derivatives of the log-loss of two classes, of which class 1 has probability p.
 * tree_softmax: probabilities of many classes from scores by row, a class after the other, so that
 * what follows reads them in a row; the values are those of vsoftmax. tree_softmax_grad: their
 * derivatives.
 * tree_quantise: floor(value * scale + u), the low half of u for g and the high half for h. */
#include "simd/simd.h"
#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

void KERNEL(tree_dither)(const struct simd_dither *d, int64_t id0, int64_t n,
                         uint32_t *out);
void KERNEL(tree_quantise)(const double *g, const double *h, const uint32_t *u,
                           int64_t n, double g_scale, double h_scale, uint32_t *out,
                           int64_t sum[3]);
void KERNEL(tree_logit)(const double *p, const int32_t *k, int64_t n, double *g,
                        double *h);
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

#ifdef SIMD_IS_avx512
/* Words of eight counters; the upper halves of the lanes are not looked at. */
static void philox8(const struct simd_dither *d, uint64_t block, uint32_t out[32])
{
    const __m512i step = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const __m512i a = _mm512_set1_epi64(MUL_A), b = _mm512_set1_epi64(MUL_B);
    const __m512i low = _mm512_set1_epi64(0xffffffff);
    __m512i c0 = _mm512_add_epi64(_mm512_set1_epi64((int64_t)block), step);
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
#endif

void KERNEL(tree_dither)(const struct simd_dither *d, int64_t id0, int64_t n,
                         uint32_t *out)
{
    uint32_t word[4];
    int64_t i = 0;
    for (; i < n && ((id0 + i) & 3); i++) {
        philox(d, (uint64_t)(id0 + i) >> 2, word);
        out[i] = word[(id0 + i) & 3];
    }
#ifdef SIMD_IS_avx512
    for (; i + 32 <= n; i += 32) philox8(d, (uint64_t)(id0 + i) >> 2, out + i);
#endif
    for (; i + 4 <= n; i += 4) philox(d, (uint64_t)(id0 + i) >> 2, out + i);
    if (i < n) philox(d, (uint64_t)(id0 + i) >> 2, word);
    for (int64_t j = i; j < n; j++) out[j] = word[j - i];
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

void KERNEL(tree_logit)(const double *restrict p, const int32_t *restrict k, int64_t n,
                        double *restrict g, double *restrict h)
{
    for (int64_t i = 0; i < n; i++) {
        g[i] = p[i] - (double)(k[i] == 1);
        h[i] = p[i] * (1 - p[i]);
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
