/* k_tree_part.c - a node's rows to its two children, stable, without a branch on data
 *
 * Both outputs are written for every row and one of them advances. out_left may be ids itself
 * (it never runs ahead of what was read); out_right needs room for n. AVX-512 takes 16 rows at
 * a time: the side of each is looked up by plain loads and becomes a bit of a mask, by which
 * both outputs are compressed. Gathers took 1.7 times as long, and a table of bits in a register
 * had to be made for every node. */
#include "simd/simd.h"
#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right);

#define AHEAD 24

#ifdef SIMD_IS_avx512
/* Which of 16 rows go left. Two words, so that no chain of 16 is waited for. */
static inline __mmask16 sides(const uint8_t *column, const uint32_t *ids,
                              const uint8_t left[256])
{
    uint32_t low = 0, high = 0;
    for (int j = 0; j < 8; j++) {
        low |= (uint32_t)left[column[ids[j]]] << j;
        high |= (uint32_t)left[column[ids[j + 8]]] << j;
    }
    return (__mmask16)(high << 8 | low);
}

/* Whole groups of 16 rows from row i on; i and the number on the left move. */
static int64_t part_groups(const uint8_t *column, const uint32_t *ids, int64_t n,
                           const uint8_t left[256], uint32_t *out_left,
                           uint32_t *out_right, int64_t *n_left)
{
    int64_t i = 0, l = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i id = _mm512_loadu_si512(ids + i);
        __mmask16 go = sides(column, ids + i, left);
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
