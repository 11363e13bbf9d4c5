/* k_csv.c - positions of delimiters and newlines outside quotes
 *
 * 64 bytes make one mask per special byte. Inside quotes = carry-less product of the quote
 * mask with all ones (the running parity), turned over by the state carried in; what is left
 * of the delimiters is taken out sixteen or four at a time (Langdale and Lemire 2019). What else
 * the reader wants to know of all bytes (lines, NUL, bytes from 0x80, quotes where none may
 * stand) is seen in the same pass. */
#include <string.h>

#include "simd/simd.h"

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          struct simd_csv *seen, uint32_t *pos);
int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte);
uint64_t KERNEL(csv_print)(const char *text, int64_t n);

#if defined(SIMD_IS_avx2) || defined(SIMD_IS_avx512)
#include <immintrin.h>

#if defined(SIMD_IS_avx512)
struct block {
    __m512i v;
};

static inline struct block load(const char *p)
{
    return (struct block){_mm512_loadu_si512((const void *)p)};
}

static inline uint64_t equal(const struct block *b, char c)
{
    return _mm512_cmpeq_epi8_mask(b->v, _mm512_set1_epi8(c));
}

static inline uint64_t high_bits(const struct block *b)
{
    return _mm512_movepi8_mask(b->v);
}
#else
struct block {
    __m256i lo, hi;
};

static inline struct block load(const char *p)
{
    return (struct block){_mm256_loadu_si256((const __m256i *)(const void *)p),
                          _mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
}

static inline uint64_t join(__m256i lo, __m256i hi)
{
    return (uint64_t)(uint32_t)_mm256_movemask_epi8(hi) << 32 |
           (uint32_t)_mm256_movemask_epi8(lo);
}

static inline uint64_t equal(const struct block *b, char c)
{
    __m256i v = _mm256_set1_epi8(c);
    return join(_mm256_cmpeq_epi8(b->lo, v), _mm256_cmpeq_epi8(b->hi, v));
}

static inline uint64_t high_bits(const struct block *b)
{
    return join(b->lo, b->hi);
}
#endif

static inline uint64_t parity_of(uint64_t bits)
{
    __m128i v = _mm_set_epi64x(0, (int64_t)bits), ones = _mm_set1_epi8(-1);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(v, ones, 0));
}

#if defined(SIMD_IS_avx512)
/* Positions of set bits, sixteen a store; what is written too much stays below the bytes
 * looked at. */
static inline int64_t take_bits(uint64_t bits, uint32_t base, uint32_t *pos)
{
    const __m512i iota =
        _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48,
                        47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
                        31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                        15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    int64_t n = _mm_popcnt_u64(bits);
    __m512i at = _mm512_maskz_compress_epi8(bits, iota);
    __m512i from = _mm512_set1_epi32((int)base);
    _mm512_storeu_si512(
        (void *)pos,
        _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
    for (int64_t k = 16; k < n; k += 16) {
        at = _mm512_shuffle_i64x2(at, at, 0x39); /* the next sixteen bytes */
        _mm512_storeu_si512(
            (void *)(pos + k),
            _mm512_add_epi32(from, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(at))));
    }
    return n;
}
#else
/* Writes up to three entries too many, but never past the bytes looked at. */
static inline int64_t take_bits(uint64_t bits, uint32_t base, uint32_t *pos)
{
    int64_t n = _mm_popcnt_u64(bits);
    for (int64_t k = 0; k < n; k += 4) {
        for (int u = 0; u < 4; u++) {
            pos[k + u] = base + (uint32_t)_tzcnt_u64(bits);
            bits = _blsr_u64(bits);
        }
    }
    return n;
}
#endif

struct state {
    uint64_t inside, high, nul; /* inside: all ones in quotes */
    uint64_t bad;               /* quotes that are irregular */
    uint64_t border;            /* the byte before ends a cell or is a quote */
    uint64_t closed, cr; /* the byte before is a closing quote; a CR behind one */
    int64_t quotes, lines, rows;
};

/* The ends of cells in a group of 64. Where quotes are regular the byte before an opening one
 * and the byte behind a closing one are ends or quotes; a CR must stand before a newline. */
static inline uint64_t ends_of(const struct block *b, char delim, char quote,
                               uint64_t used, struct state *s)
{
    uint64_t nl = equal(b, '\n') & used, ends = (equal(b, delim) & used) | nl;
    uint64_t q = quote ? equal(b, quote) & used : 0, border = ends | q;
    s->high |= high_bits(b);
    s->nul |= equal(b, 0) & used;
    s->lines += _mm_popcnt_u64(nl);
    if (s->inside && !(q | s->closed | s->cr)) { /* long quoted text: no end here */
        s->border = border >> 63;
        return 0;
    }
    if (q | s->inside | s->closed | s->cr) {
        uint64_t in = parity_of(q) ^ s->inside, cr = equal(b, '\r') & used;
        uint64_t closing = q & ~in, behind = (closing << 1 | s->closed) & used;
        uint64_t tail = (behind & cr) << 1 | s->cr;
        s->bad |= q & in & ~(border << 1 | s->border);
        s->bad |= behind & ~(border | cr);
        s->bad |= tail & used & ~nl;
        s->closed = closing >> 63;
        s->cr = (behind & cr) >> 63;
        s->quotes += _mm_popcnt_u64(q);
        s->inside = (uint64_t)((int64_t)in >> 63);
        ends &= ~in & ~q;
        nl &= ends;
    }
    s->border = border >> 63;
    s->rows += _mm_popcnt_u64(nl);
    return ends;
}

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          struct simd_csv *seen, uint32_t *pos)
{
    struct state s = {.inside = seen->in_quote ? ~UINT64_C(0) : 0, .border = 1};
    int64_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        struct block b = load(text + i);
        uint64_t ends = ends_of(&b, delim, quote, ~UINT64_C(0), &s);
        if (s.inside && !ends) continue;
        count += take_bits(ends, (uint32_t)i, pos + count);
    }
    if (i < n) {
        char rest[64] = {0};
        memcpy(rest, text + i, (size_t)(n - i));
        struct block b = load(rest);
        uint64_t used = ~UINT64_C(0) >> (64 - (n - i));
        uint64_t ends = ends_of(&b, delim, quote, used, &s);
        for (; ends; ends = _blsr_u64(ends))
            pos[count++] = (uint32_t)i + (uint32_t)_tzcnt_u64(ends);
    }
    *seen = (struct simd_csv){s.quotes,    s.lines,    s.rows,    s.inside != 0,
                              s.high != 0, s.nul != 0, s.bad != 0};
    return count;
}

int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte)
{
    int64_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        struct block b = load(text + i);
        count += _mm_popcnt_u64(equal(&b, byte));
    }
    if (i < n && i > 0) { /* the last 64 bytes again, those not counted yet */
        struct block b = load(text + n - 64);
        return count + _mm_popcnt_u64(equal(&b, byte) >> (64 - (n - i)));
    }
    for (; i < n; i++) count += text[i] == byte;
    return count;
}

#else

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          struct simd_csv *seen, uint32_t *pos)
{
    struct simd_csv f = {.in_quote = seen->in_quote};
    int64_t count = 0;
    int border = 1, closed = 0, cr = 0; /* of the byte before */
    for (int64_t i = 0; i < n; i++) {
        char c = text[i];
        int nl = c == '\n', end = nl || c == delim, q = quote && c == quote;
        f.high |= (unsigned char)c >> 7;
        f.nul |= c == 0;
        f.lines += nl;
        f.irregular |= (closed && !end && !q && c != '\r') || (cr && !nl);
        cr = closed && c == '\r';
        closed = 0;
        if (q) {
            f.irregular |= !f.in_quote && !border;
            closed = f.in_quote;
            f.in_quote ^= 1;
            f.quotes++;
        } else if (!f.in_quote && end) {
            pos[count++] = (uint32_t)i;
            f.rows += nl;
        }
        border = end || q;
    }
    *seen = f;
    return count;
}

int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += text[i] == byte;
    return count;
}
#endif

/* Eight lanes of words, turned and added: plain C, equal on every set. */
uint64_t KERNEL(csv_print)(const char *text, int64_t n)
{
    uint64_t lane[8] = {0}, word[8], h = (uint64_t)n;
    int64_t i = 0;
    for (; i + 64 <= n; i += 64) {
        memcpy(word, text + i, 64);
        for (int k = 0; k < 8; k++) lane[k] = (lane[k] << 5 | lane[k] >> 59) + word[k];
    }
    if (i < n) {
        memset(word, 0, 64);
        memcpy(word, text + i, (size_t)(n - i));
        for (int k = 0; k < 8; k++) lane[k] = (lane[k] << 5 | lane[k] >> 59) + word[k];
    }
    for (int k = 0; k < 8; k++) {
        h = (h ^ lane[k]) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    return h;
}
