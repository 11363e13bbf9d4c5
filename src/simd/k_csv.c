/* k_csv.c - positions of delimiters and newlines outside quotes
 *
 * 64 bytes make one mask per special byte. Inside quotes = carry-less product of the quote
 * mask with all ones (the running parity), turned over by the state carried in; what is left
 * of the delimiters is taken out bit by bit, four at a time (Langdale and Lemire 2019). */
#include <string.h>

#include "simd/simd.h"

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          int *in_quote, uint32_t *pos, int64_t *quotes, int *high);
int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte);

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

struct state {
    uint64_t inside, high; /* all ones in quotes */
    int64_t quotes;
};

static inline uint64_t ends_of(const struct block *b, char delim, char quote,
                               struct state *s)
{
    uint64_t ends = equal(b, delim) | equal(b, '\n');
    s->high |= high_bits(b);
    uint64_t q = quote ? equal(b, quote) : 0;
    if (q | s->inside) {
        uint64_t in = parity_of(q) ^ s->inside;
        s->quotes += _mm_popcnt_u64(q);
        s->inside = (uint64_t)((int64_t)in >> 63);
        ends &= ~in & ~q;
    }
    return ends;
}

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          int *in_quote, uint32_t *pos, int64_t *quotes, int *high)
{
    struct state s = {*in_quote ? ~UINT64_C(0) : 0, 0, 0};
    int64_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        struct block b = load(text + i);
        count += take_bits(ends_of(&b, delim, quote, &s), (uint32_t)i, pos + count);
    }
    if (i < n) {
        char rest[64] = {0};
        memcpy(rest, text + i, (size_t)(n - i));
        struct block b = load(rest);
        uint64_t ends =
            ends_of(&b, delim, quote, &s) & (~UINT64_C(0) >> (64 - (n - i)));
        for (; ends; ends = _blsr_u64(ends))
            pos[count++] = (uint32_t)i + (uint32_t)_tzcnt_u64(ends);
    }
    *in_quote = s.inside != 0;
    *quotes += s.quotes;
    *high |= s.high != 0;
    return count;
}

int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte)
{
    int64_t count = 0, i = 0;
    for (; i + 64 <= n; i += 64) {
        struct block b = load(text + i);
        count += _mm_popcnt_u64(equal(&b, byte));
    }
    for (; i < n; i++) count += text[i] == byte;
    return count;
}

#else

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote,
                          int *in_quote, uint32_t *pos, int64_t *quotes, int *high)
{
    int64_t count = 0, seen = 0;
    int quoted = *in_quote, any_high = 0;
    for (int64_t i = 0; i < n; i++) {
        char c = text[i];
        any_high |= (unsigned char)c >> 7;
        if (quote && c == quote) {
            quoted ^= 1;
            seen++;
        } else if (!quoted && (c == delim || c == '\n')) {
            pos[count++] = (uint32_t)i;
        }
    }
    *in_quote = quoted;
    *quotes += seen;
    *high |= any_high;
    return count;
}

int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += text[i] == byte;
    return count;
}
#endif
