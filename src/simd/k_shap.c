/* k_shap.c - what one tree adds to the contributions of the features it tests, 8 rows at a time
 *
 * Integrals over coalitions are Gauss-Legendre sums (infer/shap.c). A lane is a row. At a place t
 * of the rule every feature is known with probability t; on the way down p is the probability
 * of a node times the rule's weight, on the way up g is the expected leaf below it. A node's
 * test moves the expectation from the mean of its children to the child the row goes to; that
 * distance times p goes to the feature. A feature tested before is known with another
 * probability, a, of slope c, unless the row has failed one of its tests: then it tells nothing
 * more. Sums run over t in order, products and sums apart (no fma): the same bits on every set. */
#include "simd/simd.h"
#include "simd/trees.h"

#if defined(SIMD_IS_avx2) || defined(SIMD_IS_avx512)
#include <immintrin.h>
#endif

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out);
void KERNEL(shap_tree)(const struct simd_shap *s, int64_t groups, double *sum);

#if defined(SIMD_IS_avx512)

#define LANES 8
typedef __m512d vec;
typedef __mmask8 lanes;
#define BITS(byte)         ((lanes)(byte))
#define ALL(x)             _mm512_set1_pd(x)
#define CHOOSE(k, on, off) _mm512_mask_blend_pd(k, off, on)
#define WHERE(k, x)        _mm512_maskz_mov_pd(k, x)
#define LOAD(at)           _mm512_loadu_pd(at)
#define STORE(at, x)       _mm512_storeu_pd(at, x)
#define TIMES(a, b)        _mm512_mul_pd(a, b)
#define PLUS(a, b)         _mm512_add_pd(a, b)
#define LESS(a, b)         _mm512_sub_pd(a, b)

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out)
{
    const __m512i most = _mm512_set1_epi16((short)thr);
    for (int64_t i = 0; i < words; i++) {
        __m512i a = _mm512_loadu_si512(codes + 64 * i);
        __m512i b = _mm512_loadu_si512(codes + 64 * i + 32);
        out[i] = (uint64_t)_mm512_cmple_epu16_mask(a, most) |
                 (uint64_t)_mm512_cmple_epu16_mask(b, most) << 32;
    }
}

#elif defined(SIMD_IS_avx2)

#define LANES              4
typedef __m256d vec;
typedef __m256d lanes;
#define ALL(x)             _mm256_set1_pd(x)
#define CHOOSE(k, on, off) _mm256_blendv_pd(off, on, k)
#define WHERE(k, x)        _mm256_and_pd(k, x)
#define LOAD(at)           _mm256_loadu_pd(at)
#define STORE(at, x)       _mm256_storeu_pd(at, x)
#define TIMES(a, b)        _mm256_mul_pd(a, b)
#define PLUS(a, b)         _mm256_add_pd(a, b)
#define LESS(a, b)         _mm256_sub_pd(a, b)

static inline lanes BITS(unsigned byte)
{
    const __m256i each = _mm256_set_epi64x(8, 4, 2, 1);
    __m256i all = _mm256_set1_epi64x(byte);
    return _mm256_castsi256_pd(_mm256_cmpeq_epi64(_mm256_and_si256(all, each), each));
}

/* 32 compares as bytes, in order. */
static inline uint64_t half_word(const uint16_t *codes, __m256i most)
{
    __m256i a = _mm256_loadu_si256((const __m256i *)codes);
    __m256i b = _mm256_loadu_si256((const __m256i *)(codes + 16));
    a = _mm256_cmpeq_epi16(_mm256_min_epu16(a, most), a);
    b = _mm256_cmpeq_epi16(_mm256_min_epu16(b, most), b);
    a = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
    return (uint32_t)_mm256_movemask_epi8(a);
}

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out)
{
    const __m256i most = _mm256_set1_epi16((short)thr);
    for (int64_t i = 0; i < words; i++)
        out[i] = half_word(codes + 64 * i, most) | half_word(codes + 64 * i + 32, most)
                                                       << 32;
}

#else

#define LANES              2 /* as wide as registers are: compilers keep wider ones on the stack */
typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t lanes __attribute__((vector_size(8 * LANES)));
typedef double vec_at __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
#define EACH               ((lanes){1, 2})
#define BITS(byte)         ((((lanes){0} + (int64_t)(byte)) & EACH) == EACH)
#define ALL(x)             ((vec){0} + (x))
#define CHOOSE(k, on, off) ((vec)(((lanes)(on) & (k)) | ((lanes)(off) & ~(k))))
#define WHERE(k, x)        ((vec)((lanes)(x) & (k)))
#define LOAD(at)           ((vec) * (const vec_at *)(at))
#define STORE(at, x)       (*(vec_at *)(at) = (x))
#define TIMES(a, b)        ((a) * (b))
#define PLUS(a, b)         ((a) + (b))
#define LESS(a, b)         ((a) - (b))

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out)
{
    for (int64_t i = 0; i < words; i++) {
        uint64_t bits = 0;
        for (int r = 0; r < 64; r++) bits |= (uint64_t)(codes[64 * i + r] <= thr) << r;
        out[i] = bits;
    }
}

#endif

#define GROUP  SIMD_SHAP_GROUP
#define PARTS  (GROUP / LANES)
#define INLINE static inline __attribute__((always_inline))

/* Rows of a group that satisfy something, from a byte. */
struct rows {
    lanes part[PARTS];
};
INLINE struct rows rows_of(unsigned byte)
{
    struct rows r;
    for (int h = 0; h < PARTS; h++)
        r.part[h] = BITS(byte >> (LANES * h) & ((1 << LANES) - 1));
    return r;
}

/* The node at hand. */
struct here {
    const struct simd_shap *s;
    const struct simd_shap_node *node;
    unsigned left, live; /* bits */
    double *p, *g;       /* its own p; the next free g */
};

/* p of an inner child: behind its parent's. */
INLINE void enter(const struct here *x, int side, const int again)
{
    const int q = x->s->q;
    const double *a = again ? x->s->again + x->node->again : x->s->at;
    const struct rows on = rows_of((side ? ~x->left : x->left) & x->live);
    const struct rows live = rows_of(x->live);
    const vec share = ALL(x->node->share[side]);
    const double *from = x->p;
    double *to = x->p + q * GROUP;
    for (int t = 0; t < q; t++) {
        vec known = ALL(a[t]);
        vec off = TIMES(share, LESS(ALL(1.0), known)), both = PLUS(off, known);
        for (int h = 0; h < PARTS; h++) {
            int at = t * GROUP + h * LANES;
            vec f = CHOOSE(on.part[h], both, off);
            if (again) f = CHOOSE(live.part[h], f, share);
            STORE(to + at, TIMES(LOAD(from + at), f));
        }
    }
}

/* g of a node and its feature's part. */
INLINE void leave(const struct here *x, double *sum, const int kind)
{
    const int q = x->s->q, again = kind & SIMD_SHAP_AGAIN;
    const int is_left = kind & SIMD_SHAP_LEFT_LEAF,
              is_right = kind & SIMD_SHAP_RIGHT_LEAF;
    const double *a = again ? x->s->again + x->node->again : x->s->at;
    const struct rows left = rows_of(x->left), live = rows_of(x->live);
    const vec share0 = ALL(x->node->share[0]), share1 = ALL(x->node->share[1]);
    const double *value = x->s->value;
    vec v0 = ALL(0.0), v1 = v0, part[PARTS];
    if (is_left) v0 = ALL(value[(int64_t)x->node->leaf[0] * x->s->width]);
    if (is_right) v1 = ALL(value[(int64_t)x->node->leaf[1] * x->s->width]);
    /* those of inner children lie on top of the others, the right one's last */
    const double *g1 = is_right ? x->g : x->g - q * GROUP;
    const double *g0 = is_left ? g1 : g1 - q * GROUP;
    double *to = is_left && is_right   ? x->g
                 : is_left || is_right ? x->g - q * GROUP
                                       : x->g - 2 * q * GROUP;
    for (int h = 0; h < PARTS; h++) part[h] = ALL(0.0);
    for (int t = 0; t < q; t++) {
        vec known = ALL(a[t]), slope = again ? ALL(a[q + t]) : ALL(1.0);
        for (int h = 0; h < PARTS; h++) {
            int at = t * GROUP + h * LANES;
            vec l = is_left ? v0 : LOAD(g0 + at), r = is_right ? v1 : LOAD(g1 + at);
            vec mean = PLUS(TIMES(share0, l), TIMES(share1, r));
            vec move = LESS(CHOOSE(left.part[h], l, r), mean);
            if (again) move = WHERE(live.part[h], move);
            vec p = LOAD(x->p + at);
            if (again) p = TIMES(p, slope);
            part[h] = PLUS(part[h], TIMES(p, move));
            STORE(to + at, PLUS(mean, TIMES(known, move)));
        }
    }
    sum += (int64_t)x->node->feature * GROUP;
    for (int h = 0; h < PARTS; h++)
        STORE(sum + h * LANES, PLUS(LOAD(sum + h * LANES), part[h]));
}

static void group(const struct simd_shap *s, int64_t g, double *sum)
{
    const int64_t size = (int64_t)s->q * GROUP;
    struct here x = {.s = s, .p = s->room + (s->depth + 1) * size, .g = s->room};
    for (int64_t i = 0; i < s->n_steps; i++) {
        uint32_t n = s->step[i] >> 2, step = s->step[i] & 3;
        int64_t word = n * s->stride + g / (64 / GROUP);
        x.node = s->node + n;
        x.left = s->left[word] >> (g % (64 / GROUP) * GROUP) & ((1u << GROUP) - 1);
        x.live = s->live[word] >> (g % (64 / GROUP) * GROUP) & ((1u << GROUP) - 1);
        if (step != SIMD_SHAP_LEAVE) {
            if (s->kind[n] & SIMD_SHAP_AGAIN)
                enter(&x, step == SIMD_SHAP_RIGHT, 1);
            else
                enter(&x, step == SIMD_SHAP_RIGHT, 0);
            x.p += size;
            continue;
        }
        switch (s->kind[n]) {
#define CASE(k)                                                                        \
    case k:                                                                            \
        leave(&x, sum, k);                                                             \
        x.g += ((k & 1) + (k >> 1 & 1) - 1) * size;                                    \
        break;
            CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7)
        }
        x.p -= size;
    }
}

void KERNEL(shap_tree)(const struct simd_shap *s, int64_t groups, double *sum)
{
    double *root = s->room + (s->depth + 1) * s->q * GROUP;
    for (int t = 0; t < s->q; t++)
        for (int r = 0; r < GROUP; r++) root[t * GROUP + r] = s->weight[t];
    for (int64_t g = 0; g < groups; g++) group(s, g, sum + g * s->n_features * GROUP);
}
