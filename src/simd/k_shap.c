/* k_shap.c - what one leaf adds to the contributions of its path's features, 4 or 8 rows at a time
 *
 * Integrals over coalitions are Gauss-Legendre sums (infer/shap.c). A lane is a row; the bits
 * of a row say which features of the path it satisfies. At each node t of the rule the product
 * over features starts as that of a row that satisfies none and is multiplied by on/off of each
 * satisfied one; one product less feature i is that product over its own factor. Sums run
 * over t in order, products and sums apart (no fma): the same bits on every set. */
#include "simd/simd.h"
#include "simd/trees.h"

#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out);
void KERNEL(shap_leaf)(const struct simd_leaf *leaf, int64_t words);

#ifdef SIMD_IS_avx512
#define LANES 8
#else
#define LANES 4
#endif

#ifdef SIMD_IS_avx512

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

typedef __m512d vec;
typedef __mmask8 lanes;
#define BITS(byte) ((lanes)(byte))
#define ALL(x)     _mm512_set1_pd(x)
/* p * x where the lane is set */
#define MUL_SET(p, k, x)   _mm512_mask_mul_pd(p, k, p, ALL(x))
#define CHOOSE(k, on, off) _mm512_mask_blend_pd(k, off, on)
#define ADD_TO(at, x)      _mm512_storeu_pd(at, _mm512_add_pd(_mm512_loadu_pd(at), x))
#define TIMES(a, b)        _mm512_mul_pd(a, b)
#define PLUS(a, b)         _mm512_add_pd(a, b)

#else

void KERNEL(shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                       uint64_t *out)
{
    for (int64_t i = 0; i < words; i++) {
        uint64_t bits = 0;
        for (int r = 0; r < 64; r++) bits |= (uint64_t)(codes[64 * i + r] <= thr) << r;
        out[i] = bits;
    }
}

/* Vectors as wide as the registers: compilers keep wider ones on the stack. */
typedef double vec __attribute__((vector_size(8 * LANES)));
typedef int64_t lanes __attribute__((vector_size(8 * LANES)));
typedef double vec_at __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
#define EACH               ((lanes){1, 2, 4, 8})
#define BITS(byte)         ((((lanes){0} + (int64_t)(byte)) & EACH) == EACH)
#define ALL(x)             ((vec){0} + (x))
#define CHOOSE(k, on, off) ((vec)(((lanes)(on) & (k)) | ((lanes)(off) & ~(k))))
#define MUL_SET(p, k, x)   ((p)*CHOOSE(k, ALL(x), ALL(1.0)))
#define ADD_TO(at, x)      (*(vec_at *)(at) = *(const vec_at *)(at) + (x))
#define TIMES(a, b)        ((a) * (b))
#define PLUS(a, b)         ((a) + (b))

#endif

/* One word of 64 rows with a rule of Q nodes. */
static inline __attribute__((always_inline)) void
leaf_word(const struct simd_leaf *leaf, int64_t w, const int Q)
{
    for (int g = 0; g < 64 / LANES; g++) {
        vec p[SIMD_LEAF_NODES];
        for (int t = 0; t < Q; t++) p[t] = ALL(leaf->none[t]);
        for (int32_t j = 0; j < leaf->m; j++) {
            lanes k = BITS(leaf->bits[j * leaf->stride + w] >> (LANES * g) &
                           ((1 << LANES) - 1));
            const double *ratio = leaf->ratio + (int64_t)j * Q;
            for (int t = 0; t < Q; t++) p[t] = MUL_SET(p[t], k, ratio[t]);
        }
        vec off = TIMES(p[0], ALL(leaf->off[0]));
        for (int t = 1; t < Q; t++) off = PLUS(off, TIMES(p[t], ALL(leaf->off[t])));
        for (int32_t i = 0; i < leaf->m; i++) {
            lanes k = BITS(leaf->bits[i * leaf->stride + w] >> (LANES * g) &
                           ((1 << LANES) - 1));
            const double *on = leaf->on + (int64_t)i * Q;
            vec sum = TIMES(p[0], ALL(on[0]));
            for (int t = 1; t < Q; t++) sum = PLUS(sum, TIMES(p[t], ALL(on[t])));
            sum = CHOOSE(k, sum, off);
            for (int32_t o = 0; o < leaf->width; o++)
                ADD_TO(leaf->to[i] + o * leaf->output_stride + 64 * w + LANES * g,
                       TIMES(sum, ALL(leaf->value[o])));
        }
    }
}

void KERNEL(shap_leaf)(const struct simd_leaf *leaf, int64_t words)
{
    for (int64_t w = 0; w < words; w++) switch (leaf->q) {
        case 1:
            leaf_word(leaf, w, 1);
            break;
        case 2:
            leaf_word(leaf, w, 2);
            break;
        case 3:
            leaf_word(leaf, w, 3);
            break;
        case 4:
            leaf_word(leaf, w, 4);
            break;
        case 5:
            leaf_word(leaf, w, 5);
            break;
        case 6:
            leaf_word(leaf, w, 6);
            break;
        case 7:
            leaf_word(leaf, w, 7);
            break;
        default:
            leaf_word(leaf, w, SIMD_LEAF_NODES);
        }
}
