/* k_tree_part.c - a node's rows to its two children, stable, without a branch on data
 *
 * Both outputs are written for every row and one of them advances. out_left may be ids itself
 * (it never runs ahead of what was read); out_right needs room for n. AVX-512 takes 16 rows at
 * a time: the side of each becomes a bit of a mask, by which both outputs are compressed. The
 * sides come from plain loads, or from one gather and a table of bytes in four registers, by what
 * the processor does faster: on Zen 5 gathers took 1.7 times as long as the loads, on Sapphire
 * Rapids 0.75 times. Of rows that lie far apart the codes are fetched ahead there. */
#include "simd/simd.h"
#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right);

#define AHEAD 24

#ifdef SIMD_IS_avx512
#define INLINE      static inline __attribute__((always_inline))
#define GROUP_AHEAD 64 /* rows */
#define FAR_APART   6  /* bytes from a code to the next, on average */

/* What a loop over groups of 16 rows keeps. */
struct sides {
    const uint8_t *column, *left;
    __m512i table[4]; /* left[], where codes are gathered */
};

/* Which of 16 rows go left. Two words, so that no chain of 16 is waited for. */
INLINE __mmask16 sides_loaded(const struct sides *s, const uint32_t *ids)
{
    uint32_t low = 0, high = 0;
    for (int j = 0; j < 8; j++) {
        low |= (uint32_t)s->left[s->column[ids[j]]] << j;
        high |= (uint32_t)s->left[s->column[ids[j + 8]]] << j;
    }
    return (__mmask16)(high << 8 | low);
}

/* The same; three bytes behind a code are read, too. Offsets have a sign, row numbers have none. */
INLINE __mmask16 sides_gathered(const struct sides *s, __m512i id)
{
    const __m512i half = _mm512_set1_epi32(INT32_MIN);
    __m512i code = _mm512_i32gather_epi32(_mm512_xor_si512(id, half),
                                          s->column + (INT64_C(1) << 31), 1);
    __m512i low = _mm512_permutex2var_epi8(s->table[0], code, s->table[1]);
    __m512i high = _mm512_permutex2var_epi8(s->table[2], code, s->table[3]);
    __m512i side = _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(code), high);
    return _mm512_test_epi32_mask(side, _mm512_set1_epi32(1));
}

/* Whole groups of 16 rows; how many rows they are. n_left: those on the left. */
INLINE int64_t part_groups(const struct sides *s, const uint32_t *ids, int64_t n,
                           uint32_t *out_left, uint32_t *out_right, int64_t *n_left,
                           int gather, int ahead)
{
    int64_t i = 0, l = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i id = _mm512_loadu_si512(ids + i);
        for (int j = 0; ahead && j < 16 && i + GROUP_AHEAD + 16 <= n; j++)
            __builtin_prefetch(s->column + ids[i + GROUP_AHEAD + j]);
        __mmask16 go = gather ? sides_gathered(s, id) : sides_loaded(s, ids + i);
        /* l <= i and i - l <= i: 16 entries from there are read, or in room for n */
        _mm512_storeu_si512(out_left + l, _mm512_maskz_compress_epi32(go, id));
        _mm512_storeu_si512(out_right + (i - l),
                            _mm512_maskz_compress_epi32((__mmask16)~go, id));
        l += __builtin_popcount(go);
    }
    *n_left = l;
    return i;
}

/* Intel's cores from Sapphire Rapids on; those before it that take this set have slow gathers. */
static int gathers_are_quick(void)
{
    return __builtin_cpu_is("intel") && __builtin_cpu_supports("avx512bf16");
}

static int64_t part_all_groups(const uint8_t *column, const uint32_t *ids, int64_t n,
                               const uint8_t left[256], uint32_t *out_left,
                               uint32_t *out_right, int64_t *n_left)
{
    struct sides s = {.column = column, .left = left};
    if (n < 16) return 0;
    if (!gathers_are_quick())
        return part_groups(&s, ids, n, out_left, out_right, n_left, 0, 0);
    for (int k = 0; k < 4; k++) s.table[k] = _mm512_loadu_si512(left + 64 * k);
    if ((int64_t)ids[n - 1] - (int64_t)ids[0] > FAR_APART * n)
        return part_groups(&s, ids, n, out_left, out_right, n_left, 1, 1);
    return part_groups(&s, ids, n, out_left, out_right, n_left, 1, 0);
}
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right)
{
    int64_t l = 0, i = 0;
#ifdef SIMD_IS_avx512
    i = part_all_groups(column, ids, n, left, out_left, out_right, &l);
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
