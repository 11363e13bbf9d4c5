/* k_tree_part.c - a node's rows to its two children, stable, without a branch on data
 *
 * Both outputs are written for every row and one of them advances. out_left may be ids itself
 * (it never runs ahead of what was read); out_right needs room for n. AVX-512 takes 16 rows at
 * a time: the side of each becomes a bit of a mask, by which both outputs are compressed. The
 * sides come from plain loads, or from one gather and a table of bytes in four registers, by what
 * the processor does faster: on Zen 5 gathers took 1.7 times as long as the loads, on Sapphire
 * Rapids 0.75 times. Of rows that lie far apart the codes are fetched ahead there. AVX2 has no
 * compression, but a byte shuffle by a table of its 16 kinds does it for 4 rows; the codes of 16
 * rows are loaded one by one into a vector and compared at once where the codes on the left are
 * those up to one. */
#include "simd/simd.h"
#if defined(SIMD_IS_avx512) || defined(SIMD_IS_avx2)
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

#ifdef SIMD_IS_avx2
#define INLINE    static inline __attribute__((always_inline))
#define GROUP     16  /* rows */
#define COMPARE   256 /* rows that make up for looking at the table */
#define FAR_APART 64 /* bytes from a code to the next, on average: lines of their own */
#define FAR_SPAN  262144 /* bytes of codes that leave the L2 cache */

/* Bytes that bring those of 4 rows to the front whose bits are set. */
#define R(i) 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3
static const _Alignas(16) uint8_t to_front[16][16] = {{0},
                                                      {R(0)},
                                                      {R(1)},
                                                      {R(0), R(1)},
                                                      {R(2)},
                                                      {R(0), R(2)},
                                                      {R(1), R(2)},
                                                      {R(0), R(1), R(2)},
                                                      {R(3)},
                                                      {R(0), R(3)},
                                                      {R(1), R(3)},
                                                      {R(0), R(1), R(3)},
                                                      {R(2), R(3)},
                                                      {R(0), R(2), R(3)},
                                                      {R(1), R(2), R(3)},
                                                      {R(0), R(1), R(2), R(3)}};
#undef R

/* What a loop over groups of 16 rows keeps. */
struct sides {
    const uint8_t *column, *left;
    __m128i most,
        missing; /* codes up to most go left; missing: and, where all bits are set, 255 */
};

/* Codes of 8 rows, or (compare 0) what the table says of them. */
INLINE __m128i eight_rows(const struct sides *s, const uint32_t *ids, int compare)
{
#define BYTE(j) (compare ? s->column[ids[j]] : s->left[s->column[ids[j]]])
    __m128i x = _mm_cvtsi32_si128(BYTE(0));
    x = _mm_insert_epi8(x, BYTE(1), 1);
    x = _mm_insert_epi8(x, BYTE(2), 2);
    x = _mm_insert_epi8(x, BYTE(3), 3);
    x = _mm_insert_epi8(x, BYTE(4), 4);
    x = _mm_insert_epi8(x, BYTE(5), 5);
    x = _mm_insert_epi8(x, BYTE(6), 6);
    return _mm_insert_epi8(x, BYTE(7), 7);
#undef BYTE
}

/* Which of 16 rows go left. */
INLINE uint32_t sides_of(const struct sides *s, const uint32_t *ids, int compare)
{
    __m128i x = _mm_unpacklo_epi64(eight_rows(s, ids, compare),
                                   eight_rows(s, ids + 8, compare));
    if (!compare) return (uint32_t)_mm_movemask_epi8(_mm_slli_epi16(x, 7));
    __m128i below = _mm_cmpeq_epi8(_mm_min_epu8(x, s->most), x);
    __m128i absent = _mm_cmpeq_epi8(x, _mm_set1_epi8(-1));
    return (uint32_t)_mm_movemask_epi8(
        _mm_or_si128(below, _mm_and_si128(absent, s->missing)));
}

/* 4 entries at both places are written. */
INLINE void put_four(const uint32_t *ids, uint32_t go, uint32_t *to_left,
                     uint32_t *to_right)
{
    __m128i id = _mm_loadu_si128((const __m128i *)ids);
    __m128i l = _mm_load_si128((const __m128i *)to_front[go]);
    __m128i r = _mm_load_si128((const __m128i *)to_front[15 - go]);
    _mm_storeu_si128((__m128i *)to_left, _mm_shuffle_epi8(id, l));
    _mm_storeu_si128((__m128i *)to_right, _mm_shuffle_epi8(id, r));
}

/* Whole groups of 16 rows; how many rows they are. n_left: those on the left. */
INLINE int64_t part_groups(const struct sides *s, const uint32_t *ids, int64_t n,
                           uint32_t *out_left, uint32_t *out_right, int64_t *n_left,
                           int compare, int ahead)
{
    int64_t i = 0, l = 0;
    for (; i + GROUP <= n; i += GROUP) {
        for (int j = 0; ahead && j < GROUP && i + AHEAD + GROUP <= n; j++)
            __builtin_prefetch(s->column + ids[i + AHEAD + j]);
        uint32_t go = sides_of(s, ids + i, compare);
        for (int64_t k = i; k < i + GROUP; k += 4, go >>= 4) {
            /* l <= k and k - l <= k: 4 entries from there are read, or in room for n */
            put_four(ids + k, go & 15, out_left + l, out_right + (k - l));
            l += __builtin_popcount(go & 15);
        }
    }
    *n_left = l;
    return i;
}

/* How many codes from 0 on go left, if below 255 no other does; else -1. */
static int codes_in_front(const uint8_t left[256])
{
    int n = 0;
    for (int c = 0; c < 256; c += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(left + c));
        uint32_t bits = (uint32_t)_mm_movemask_epi8(_mm_slli_epi16(x, 7));
        if (c == 240) bits &= 0x7fff;
        if ((bits & (bits + 1)) || (bits && n < c)) return -1;
        n += __builtin_popcount(bits);
    }
    return n;
}

static int64_t part_all_groups(const uint8_t *column, const uint32_t *ids, int64_t n,
                               const uint8_t left[256], uint32_t *out_left,
                               uint32_t *out_right, int64_t *n_left)
{
    struct sides s = {.column = column, .left = left};
    int front = n < COMPARE ? -1 : codes_in_front(left);
    if (n < GROUP) return 0;
    if (front < 1) return part_groups(&s, ids, n, out_left, out_right, n_left, 0, 0);
    int64_t span = (int64_t)ids[n - 1] - (int64_t)ids[0];
    s.most = _mm_set1_epi8((char)(front - 1));
    s.missing = _mm_set1_epi8(left[255] ? -1 : 0);
    if (span > FAR_SPAN && span > FAR_APART * n)
        return part_groups(&s, ids, n, out_left, out_right, n_left, 1, 1);
    return part_groups(&s, ids, n, out_left, out_right, n_left, 1, 0);
}
#endif

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right)
{
    int64_t l = 0, i = 0;
#if defined(SIMD_IS_avx512) || defined(SIMD_IS_avx2)
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
