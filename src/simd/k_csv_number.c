/* k_csv_number.c - a column of plain decimal cells as doubles or integers
 *
 * Cells that a few instructions read exactly; all others (empty, quoted, with an exponent, too
 * long, no number) are listed for the caller. A mantissa up to 2^53 over a power of ten up to
 * 10^22 is one correctly rounded division (Clinger 1990), a longer one is num_round's. So every set
 * gives equal bits, whatever each of them lists.
 * AVX-512: digits are squeezed together by a byte compress, moved to the right end of the
 * register and multiplied pairwise: 2, 4, 8 digits a lane. Others: eight digits in a word. */
#include <string.h>

#include "base/numparse.h"
#include "simd/simd.h"

int64_t KERNEL(csv_numbers)(const struct simd_cells *c, double *out, uint32_t *left);
int64_t KERNEL(csv_integers)(const struct simd_cells *c, int64_t *out, uint32_t *left);

static const double ten[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Cell i as s[0..n). */
static inline int64_t cell_at(const struct simd_cells *c, int64_t i, const char **s)
{
    const uint32_t *end = c->end + i * c->stride;
    uint32_t b = end[-1] + 1, e = *end;
    *s = c->text + b;
    if (c->last && e > b && c->text[e - 1] == '\r') e--;
    return (int64_t)(e - b);
}

static inline double with_sign(double x, int minus)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    bits |= (uint64_t)minus << 63;
    memcpy(&x, &bits, 8);
    return x;
}

#if defined(SIMD_IS_avx512)
#include <immintrin.h>

/* s[0..n), 1 <= n <= 16, as digits with at most one mark; the digits behind it in *behind, -1
 * when there is none. 0: something else is there. */
static inline int take_16(const char *s, int64_t n, char mark, uint64_t *w, int *behind)
{
    const __m128i iota =
        _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __mmask16 used = (__mmask16)_bzhi_u32(0xffff, (uint32_t)n);
    __m128i t =
        _mm_sub_epi8(_mm_maskz_loadu_epi8(used, (const void *)s), _mm_set1_epi8('0'));
    uint32_t digit = _mm_mask_cmplt_epu8_mask(used, t, _mm_set1_epi8(10));
    uint32_t other = used ^ digit; /* the mark, if all is well */
    int n_digits = (int)n;
    *behind = -1;
    if (other) {
        int at = (int)_tzcnt_u32(other);
        if (_blsr_u32(other) || s[at] != mark || !digit) return 0;
        *behind = (int)n - 1 - at;
        n_digits--;
        t = _mm_maskz_compress_epi8((__mmask16)digit, t);
    }
    t = _mm_shuffle_epi8(t, _mm_add_epi8(iota, _mm_set1_epi8((char)(n_digits - 16))));
    t = _mm_maddubs_epi16(t, _mm_set1_epi16(0x010a));
    t = _mm_madd_epi16(t, _mm_set1_epi32(0x00010064));
    t = _mm_packus_epi32(t, t);
    t = _mm_madd_epi16(t, _mm_set1_epi32(0x00012710));
    uint64_t x = (uint64_t)_mm_cvtsi128_si64(t);
    *w = (x & 0xffffffff) * 100000000 + (x >> 32);
    return 1;
}

/* As take_16 for 17 <= n <= 32 with at most 19 digits and a mark. */
static inline int take_32(const char *s, int64_t n, char mark, uint64_t *w, int *behind)
{
    const __m256i iota =
        _mm256_set_epi8(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                        15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t used = (uint32_t)_bzhi_u64(0xffffffff, (uint32_t)n);
    __m256i t = _mm256_sub_epi8(_mm256_maskz_loadu_epi8(used, (const void *)s),
                                _mm256_set1_epi8('0'));
    uint32_t digit = _mm256_mask_cmplt_epu8_mask(used, t, _mm256_set1_epi8(10));
    uint32_t other = used ^ digit;
    int at = (int)_tzcnt_u32(other), n_digits = (int)n - 1;
    if (!other || _blsr_u32(other) || n_digits > 19 || s[at] != mark) return 0;
    *behind = (int)n - 1 - at;
    t = _mm256_maskz_compress_epi8(digit, t);
    t = _mm256_maskz_permutexvar_epi8(
        UINT32_MAX << (32 - n_digits),
        _mm256_add_epi8(iota, _mm256_set1_epi8((char)(n_digits - 32))), t);
    t = _mm256_maddubs_epi16(t, _mm256_set1_epi16(0x010a));
    t = _mm256_madd_epi16(t, _mm256_set1_epi32(0x00010064));
    t = _mm256_packus_epi32(t, t);
    t = _mm256_madd_epi16(t, _mm256_set1_epi32(0x00012710));
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(t)) >> 32;
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(t, 1));
    *w = (high * 100000000 + (low & 0xffffffff)) * 100000000 + (low >> 32);
    return 1;
}

/* A run of cells: mantissas first, then eight divisions at once. */
#define RUN 64
struct run {
    uint64_t w[RUN];
    uint8_t e[RUN]; /* digits behind the mark, 128: minus */
    int n_long;
    uint8_t longs[RUN]; /* cells beyond 2^53 or 10^15 */
};

/* The mantissas of cells [i0, i0 + n); the rows of what is left are added to left. */
static inline int64_t take_run(const struct simd_cells *c, int64_t i0, int n, int last,
                               struct run *run, uint32_t *left)
{
    const char *text = c->text, mark = c->decimal;
    const uint32_t *end = c->end + i0 * c->stride;
    int64_t stride = c->stride, n_left = 0;
    run->n_long = 0;
    for (int k = 0; k < n; k++, end += stride) {
        uint32_t b = end[-1] + 1, e = *end;
        const char *s = text + b;
        if (last && e > b && text[e - 1] == '\r') e--;
        int64_t minus = *s == '-', size = (int64_t)(e - b) - minus;
        int ok = 0, behind = 0;
        uint64_t w = 0;
        if ((uint64_t)size - 1 < 16) {
            ok = take_16(s + minus, size, mark, &w, &behind);
            if (behind < 0) { /* an integer beyond 2^53 is told of */
                behind = 0;
                ok &= w <= UINT64_C(1) << 53;
            }
        } else if ((uint64_t)size - 1 < 32) {
            ok = take_32(s + minus, size, mark, &w, &behind);
        }
        if (!ok) {
            left[n_left++] = (uint32_t)(i0 + k);
            w = 0;
            behind = 0;
        } else if (w > UINT64_C(1) << 53 || behind > 15) {
            run->longs[run->n_long++] = (uint8_t)k;
        }
        run->w[k] = w;
        run->e[k] = (uint8_t)(behind | (int)minus << 7);
    }
    return n_left;
}

static inline void divide_run(const struct run *run, int n, double *out)
{
    const __m512d low = _mm512_loadu_pd(ten), high = _mm512_loadu_pd(ten + 8);
    for (int k = 0; k < n; k += 8) {
        int64_t bytes;
        memcpy(&bytes, run->e + k, 8);
        __m512i e = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128(bytes));
        __m512d p = _mm512_permutex2var_pd(low, e, high); /* by the low four bits */
        __m512d x = _mm512_cvtepu64_pd(_mm512_loadu_si512((const void *)(run->w + k)));
        __m512i minus = _mm512_slli_epi64(_mm512_srli_epi64(e, 7), 63);
        x = _mm512_div_pd(x, p);
        x = _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), minus));
        uint32_t room = n - k < 8 ? (1u << (n - k)) - 1 : 0xff;
        _mm512_mask_storeu_pd(out + k, (__mmask8)room, x);
    }
}

static inline int64_t take_numbers(const struct simd_cells *c, int last, double *out,
                                   uint32_t *left)
{
    struct run run;
    int64_t n_left = 0;
    for (int64_t i = 0; i < c->n; i += RUN) {
        int n = c->n - i < RUN ? (int)(c->n - i) : RUN;
        n_left += take_run(c, i, n, last, &run, left + n_left);
        divide_run(&run, n, out + i);
        for (int l = 0; l < run.n_long; l++) {
            int k = run.longs[l];
            double *to = &out[i + k];
            if (num_round(run.w[k], -(run.e[k] & 127), to))
                *to = with_sign(*to, run.e[k] >> 7);
            else
                left[n_left++] = (uint32_t)(i + k);
        }
    }
    return n_left;
}

int64_t KERNEL(csv_numbers)(const struct simd_cells *c, double *out, uint32_t *left)
{
    return c->last ? take_numbers(c, 1, out, left) : take_numbers(c, 0, out, left);
}

int64_t KERNEL(csv_integers)(const struct simd_cells *c, int64_t *out, uint32_t *left)
{
    int64_t n_left = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const char *s;
        int64_t n = cell_at(c, i, &s);
        int64_t minus = *s == '-';
        int behind = 0;
        uint64_t w = 0;
        s += minus;
        n -= minus;
        int ok = (uint64_t)n - 1 < 16 && take_16(s, n, (char)0xff, &w, &behind);
        if (ok && behind < 0 && (w || !minus))
            out[i] = ((int64_t)w ^ -minus) + minus;
        else
            left[n_left++] = (uint32_t)i;
    }
    return n_left;
}

#else

/* The eight bytes that end the n <= 8 of a cell, with '0' before them. The bytes behind a
 * cell can be read: texts are padded. */
static inline uint64_t digits_at(const char *s, int64_t n)
{
    uint64_t v;
    memcpy(&v, s, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    int shift = (int)(64 - 8 * n);
    return shift ? v << shift | UINT64_C(0x3030303030303030) >> (64 - shift) : v;
}

static inline int are_digits(uint64_t v)
{
    return (((v + UINT64_C(0x4646464646464646)) | (v - UINT64_C(0x3030303030303030))) &
            UINT64_C(0x8080808080808080)) == 0;
}

/* The number that eight digits write, first digit in the lowest byte. */
static inline uint64_t value_of(uint64_t v)
{
    v -= UINT64_C(0x3030303030303030);
    v = v * 10 + (v >> 8);
    return (((v & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)) +
            (((v >> 16) & UINT64_C(0x000000ff000000ff)) *
             UINT64_C(0x0000271000000001))) >>
           32;
}

/* At most eight digits before the mark and 17 behind it; below 10^19. */
static inline int short_number(const char *s, int64_t n, char decimal, double *out)
{
    static const uint64_t scale[9] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    int minus = *s == '-';
    s += minus;
    n -= minus;
    int64_t whole = 0;
    while (whole < n && whole <= 8 && s[whole] != decimal) whole++;
    if (whole < 1 || whole > 8) return 0;
    uint64_t v = digits_at(s, whole);
    if (!are_digits(v)) return 0;
    uint64_t m = value_of(v);
    int64_t part = n - whole - 1, rest = part;
    if (part > 22) return 0; /* an overflow of the digits is seen below */
    for (s += whole + 1; rest > 0;) {
        int64_t step = rest < 8 ? rest : 8;
        v = digits_at(s, step);
        if (!are_digits(v)) return 0;
        if (__builtin_mul_overflow(m, scale[step], &m) ||
            __builtin_add_overflow(m, value_of(v), &m))
            return 0;
        s += step;
        rest -= step;
    }
    if (part < 0) part = 0;
    if (m <= UINT64_C(1) << 53) {
        *out = with_sign((double)m / ten[part], minus);
        return 1;
    }
    if (!num_round(m, -(int)part, out)) return 0;
    *out = with_sign(*out, minus);
    return 1;
}

int64_t KERNEL(csv_numbers)(const struct simd_cells *c, double *out, uint32_t *left)
{
    int64_t n_left = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const char *s;
        int64_t n = cell_at(c, i, &s);
        if (n < 1 || !short_number(s, n, c->decimal, &out[i]))
            left[n_left++] = (uint32_t)i;
    }
    return n_left;
}

int64_t KERNEL(csv_integers)(const struct simd_cells *c, int64_t *out, uint32_t *left)
{
    int64_t n_left = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const char *s;
        int64_t n = cell_at(c, i, &s);
        int minus = *s == '-';
        uint64_t v = 0;
        s += minus;
        n -= minus;
        if (n >= 1 && n <= 8 && are_digits(v = digits_at(s, n)) &&
            ((v = value_of(v)) != 0 || !minus))
            out[i] = minus ? -(int64_t)v : (int64_t)v;
        else
            left[n_left++] = (uint32_t)i;
    }
    return n_left;
}
#endif
