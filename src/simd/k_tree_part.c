/* k_tree_part.c - a node's rows to its two children, stable, without a branch on data
 *
 * Both outputs are written for every row and one of them advances. out_left may be ids itself
 * (it never runs ahead of what was read); out_right needs room for n. AVX-512 takes 16 rows at
 * a time: their codes by one gather (which reads 3 bytes behind a code), the side of each by a
 * bit of a table in a register, both outputs by compression. */
#include "simd/simd.h"
#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right);

#define AHEAD 24

#ifdef SIMD_IS_avx512
/* Bit c of the table: does code c go left? */
static inline __m512i left_bits(const uint8_t left[256])
{
    uint32_t word[16] = {0};
    for (int c = 0; c < 256; c++) word[c >> 5] |= (uint32_t)(left[c] & 1) << (c & 31);
    return _mm512_loadu_si512(word);
}

/* Whole groups of 16 rows from row i on; i and the number on the left move. */
static int64_t part_groups(const uint8_t *column, const uint32_t *ids, int64_t n,
                           const uint8_t left[256], uint32_t *out_left,
                           uint32_t *out_right, int64_t *n_left)
{
    const __m512i bits = left_bits(left);
    int64_t i = 0, l = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i id = _mm512_loadu_si512(ids + i);
        __m512i lo = _mm512_cvtepu32_epi64(_mm512_castsi512_si256(id));
        __m512i hi = _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(id, 1));
        __m512i code = _mm512_castsi256_si512(_mm512_i64gather_epi32(lo, column, 1));
        code = _mm512_inserti64x4(code, _mm512_i64gather_epi32(hi, column, 1), 1);
        code = _mm512_and_si512(code, _mm512_set1_epi32(255));
        __m512i word = _mm512_permutexvar_epi32(_mm512_srli_epi32(code, 5), bits);
        __m512i bit =
            _mm512_srlv_epi32(word, _mm512_and_si512(code, _mm512_set1_epi32(31)));
        __mmask16 go = _mm512_test_epi32_mask(bit, _mm512_set1_epi32(1));
        /* l <= i and i - l <= i: 16 entries from there are read, or in room for n */
        _mm512_storeu_si512(out_left + l, _mm512_maskz_compress_epi32(go, id));
        _mm512_storeu_si512(out_right + (i - l),
                            _mm512_maskz_compress_epi32((__mmask16)~go, id));
        l += __builtin_popcount(go);
    }
    *n_left = l;
    return i;
}
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right)
{
    int64_t l = 0, i = 0;
#ifdef SIMD_IS_avx512
    i = part_groups(column, ids, n, left, out_left, out_right, &l);
#endif
    for (; i + AHEAD < n; i++) {
        uint32_t id = ids[i];
        int64_t go = left[column[id]];
        __builtin_prefetch(column + ids[i + AHEAD]);
        out_left[l] = id;
        out_right[i - l] = id;
        l += go;
    }
    for (; i < n; i++) {
        uint32_t id = ids[i];
        int64_t go = left[column[id]];
        out_left[l] = id;
        out_right[i - l] = id;
        l += go;
    }
    return l;
}
