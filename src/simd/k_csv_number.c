/* k_csv_number.c - a column of plain decimal cells as doubles or integers
 *
 * Cells that a few instructions read exactly; all others (empty, quoted, with an exponent, too
 * long, no number) are listed for the caller. A mantissa up to 2^53 over a power of ten up to
 * 10^22 is one correctly rounded division (Clinger 1990), a longer one is num_round's. So every set
 * gives equal bits, whatever each of them lists.
 * AVX-512: eight short cells side by side, one in a word, or four of up to sixteen bytes; longer
 * ones alone, their divisions together. The mark is taken out, digits move to the right end and are
 * multiplied pairwise: 2, 4, 8 digits a lane. Others: eight digits in a word. */
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

/* Eight cells of at most eight bytes, one in each word. */
struct eight {
    __m512i w;      /* mantissas */
    __m512i behind; /* digits behind the mark */
    uint32_t minus, bad;
};

/* Digits before a mark move over it by one; what is no digit then is something else. No branch
 * depends on the text. marked: the decimal mark may stand in a cell. */
static inline struct eight take_eight(const struct simd_cells *c, const uint32_t *end,
                                      int last, int marked)
{
    const __m512i one = _mm512_set1_epi64(1), low = _mm512_set1_epi64(0xff);
    __m512i row = _mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0),
                                     _mm512_set1_epi64(c->stride));
    __m512i both = _mm512_i64gather_epi64(row, (const void *)(end - 1), 4);
    /* end[-1] is UINT32_MAX where the first cell starts at 0 */
    __m512i at =
        _mm512_srli_epi64(_mm512_slli_epi64(_mm512_add_epi32(both, one), 32), 32);
    __m512i n = _mm512_sub_epi64(_mm512_srli_epi64(both, 32), at);
    __m512i v = _mm512_i64gather_epi64(at, (const void *)c->text, 1);
    struct eight f;
    f.minus = _mm512_cmpeq_epi64_mask(_mm512_and_si512(v, low), _mm512_set1_epi64('-'));
    if (last) { /* an empty cell has its newline looked at */
        __m512i before =
            _mm512_max_epi64(at, _mm512_add_epi64(at, _mm512_sub_epi64(n, one)));
        __m512i cr = _mm512_i64gather_epi64(before, (const void *)c->text, 1);
        n = _mm512_mask_sub_epi64(
            n,
            _mm512_cmpeq_epi64_mask(_mm512_and_si512(cr, low), _mm512_set1_epi64('\r')),
            n, one);
    }
    v = _mm512_mask_srli_epi64(v, (__mmask8)f.minus, v, 8);
    __m512i fits = n; /* with the sign */
    n = _mm512_mask_sub_epi64(n, (__mmask8)f.minus, n, one);
    __m512i bits = _mm512_slli_epi64(n, 3);
    v = _mm512_sllv_epi64(v, _mm512_sub_epi64(_mm512_set1_epi64(64), bits));
    v = _mm512_or_si512(v, _mm512_srlv_epi64(_mm512_set1_epi8('0'), bits));
    __m512i t = _mm512_sub_epi8(v, _mm512_set1_epi8('0'));
    f.behind = _mm512_setzero_si512();
    if (marked) {
        __m512i m =
            _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c->decimal)));
        __mmask8 has = _mm512_test_epi64_mask(m, m);
        /* the first mark and what is before it; a second one stays, and is bad */
        __m512i upto = _mm512_andnot_si512(m, _mm512_sub_epi64(m, one));
        upto = _mm512_maskz_or_epi64(has, _mm512_slli_epi64(upto, 8), low);
        f.behind = _mm512_sad_epu8(
            _mm512_maskz_andnot_epi64(has, upto, _mm512_set1_epi8(1)), f.behind);
        n = _mm512_mask_sub_epi64(n, has, n, one);
        t = _mm512_ternarylogic_epi64(upto, _mm512_slli_epi64(t, 8), t, 0xca);
    }
    __m512i wrong = _mm512_movm_epi8(_mm512_cmpgt_epu8_mask(t, _mm512_set1_epi8(9)));
    f.bad = _mm512_test_epi64_mask(wrong, wrong) | _mm512_cmplt_epi64_mask(n, one) |
            _mm512_cmpgt_epi64_mask(fits, _mm512_set1_epi64(8));
    t = _mm512_maddubs_epi16(t, _mm512_set1_epi16(0x010a));
    t = _mm512_madd_epi16(t, _mm512_set1_epi32(0x00010064));
    f.w = _mm512_add_epi64(_mm512_mul_epu32(t, _mm512_set1_epi64(10000)),
                           _mm512_srli_epi64(t, 32));
    return f;
}

/* Four cells of at most sixteen bytes side by side. */
struct four {
    __m256i w;    /* mantissas */
    uint32_t e;   /* bytes: digits behind the mark, 128: minus */
    uint32_t bad; /* bits: something else is there, or more than sixteen bytes */
};

/* The set bits of each lane. */
static inline __m128i count_16(__m128i v)
{
    const __m128i of_four =
        _mm_set_epi8(4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0);
    const __m128i low = _mm_set1_epi8(15);
    __m128i n = _mm_add_epi8(
        _mm_shuffle_epi8(of_four, _mm_and_si128(v, low)),
        _mm_shuffle_epi8(of_four, _mm_and_si128(_mm_srli_epi16(v, 4), low)));
    return _mm_maddubs_epi16(n, _mm_set1_epi8(1));
}

/* Digits before a mark move over it by one, then all to the right end of their sixteen bytes. No
 * branch depends on the text. marked: the decimal mark may stand in a cell. */
static inline struct four take_four(const struct simd_cells *c, const uint32_t *end,
                                    int last, int marked)
{
    const __m512i iota = _mm512_broadcast_i32x4(
        _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    const __m512i spread = _mm512_set_epi64(
        0x0303030303030303, 0x0303030303030303, 0x0202020202020202, 0x0202020202020202,
        0x0101010101010101, 0x0101010101010101, 0, 0);
    const char *s[4];
    uint32_t sizes = 0, minuses = 0;
    for (int k = 0; k < 4; k++, end += c->stride) {
        uint32_t b = end[-1] + 1, e = *end;
        s[k] = c->text + b;
        if (last) e -= e > b && c->text[e - 1] == '\r';
        uint32_t minus = *s[k] == '-', n = e - b - minus;
        s[k] += minus;
        n = n <= 16 ? n : 0; /* without a digit: bad */
        sizes |= n << (8 * k);
        minuses |= minus << (8 * k + 7);
    }
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const void *)s[0]));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)s[1]), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)s[2]), 2);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const void *)s[3]), 3);
    __m512i n = _mm512_permutexvar_epi8(
        spread, _mm512_castsi128_si512(_mm_cvtsi32_si128((int)sizes)));
    uint64_t used = _mm512_cmplt_epu8_mask(iota, n);
    __m512i t = _mm512_sub_epi8(v, _mm512_set1_epi8('0'));
    uint64_t digit = _mm512_mask_cmplt_epu8_mask(used, t, _mm512_set1_epi8(10));
    uint64_t other = used ^ digit;
    __m128i zero = _mm_setzero_si128(), digits = _mm_cvtsi64_si128((int64_t)digit);
    struct four f = {.e = minuses};
    if (marked) {
        uint64_t mark =
            _mm512_mask_cmpeq_epi8_mask(used, v, _mm512_set1_epi8(c->decimal));
        __m128i m = _mm_cvtsi64_si128((int64_t)mark);
        __m128i less = _mm_subs_epu16(m, _mm_set1_epi16(1));
        __m128i wrong = _mm_or_si128(_mm_cvtsi64_si128((int64_t)(other ^ mark)),
                                     _mm_and_si128(m, less)); /* two marks */
        __m128i upto = _mm_or_si128(m, less); /* the mark and what is before it */
        __m128i behind = _mm_andnot_si128(_mm_or_si128(upto, _mm_cmpeq_epi16(m, zero)),
                                          _mm_cvtsi64_si128((int64_t)used));
        behind = count_16(behind);
        f.e |= (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(behind, behind));
        f.bad = _mm_test_epi16_mask(wrong, wrong);
        t = _mm512_mask_blend_epi8((uint64_t)_mm_cvtsi128_si64(upto), t,
                                   _mm512_bslli_epi128(t, 1));
    } else {
        __m128i wrong = _mm_cvtsi64_si128((int64_t)other);
        f.bad = _mm_test_epi16_mask(wrong, wrong);
    }
    f.bad |= _mm_testn_epi16_mask(digits, digits);
    t = _mm512_shuffle_epi8(
        t, _mm512_add_epi8(iota, _mm512_sub_epi8(n, _mm512_set1_epi8(16))));
    t = _mm512_maddubs_epi16(t, _mm512_set1_epi16(0x010a));
    t = _mm512_madd_epi16(t, _mm512_set1_epi32(0x00010064));
    t = _mm512_packus_epi32(t, t);
    t = _mm512_madd_epi16(t, _mm512_set1_epi32(0x00012710));
    __m256i w = _mm512_castsi512_si256(
        _mm512_permutexvar_epi64(_mm512_set_epi64(0, 0, 0, 0, 6, 4, 2, 0), t));
    f.w = _mm256_add_epi64(_mm256_mul_epu32(w, _mm256_set1_epi64x(100000000)),
                           _mm256_srli_epi64(w, 32));
    f.bad &= 15;
    return f;
}

/* One cell, whatever is in it, as w / 10^e; 0: it is left. */
static inline int take_one(const struct simd_cells *c, const uint32_t *end, int last,
                           uint64_t *w, uint8_t *e)
{
    uint32_t b = end[-1] + 1, at = *end;
    const char *s = c->text + b;
    if (last && at > b && c->text[at - 1] == '\r') at--;
    int64_t minus = *s == '-', size = (int64_t)(at - b) - minus;
    int ok = 0, behind = 0;
    *w = 0;
    *e = 0;
    if ((uint64_t)size - 1 < 16) {
        ok = take_16(s + minus, size, c->decimal, w, &behind);
        if (behind < 0) { /* an integer beyond 2^53 is told of */
            behind = 0;
            ok &= *w <= UINT64_C(1) << 53;
        }
    } else if ((uint64_t)size - 1 < 32) {
        ok = take_32(s + minus, size, c->decimal, w, &behind);
    }
    if (ok) *e = (uint8_t)(behind | (int)minus << 7);
    return ok;
}

static inline int round_one(uint64_t w, uint8_t e, double *out)
{
    int behind = e & 127;
    if (w <= UINT64_C(1) << 53)
        *out = (double)w / ten[behind];
    else if (!num_round(w, -behind, out))
        return 0;
    *out = with_sign(*out, e >> 7);
    return 1;
}

/* Cells that are long: mantissas first, then eight divisions at once. */
#define RUN 64
struct run {
    uint64_t w[RUN];
    uint8_t e[RUN]; /* digits behind the mark, 128: minus */
};

static inline __m512d signed_as(__m512d x, __m512i e)
{
    __m512i minus = _mm512_slli_epi64(_mm512_srli_epi64(e, 7), 63);
    return _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), minus));
}

/* Quotients of any mantissa, as w = hi + lo: q = hi / p has an exact remainder, so the quotient is q
 * plus a small number known to 50 bits. Rounded it is right unless it lies within that number's
 * error of the middle between two doubles; such lanes are returned as bits. */
static inline uint32_t divide_wide(const struct run *run, int k, __m512d *out)
{
    int64_t bytes;
    memcpy(&bytes, run->e + k, 8);
    __m512i e = _mm512_cvtepu8_epi64(_mm_cvtsi64_si128(bytes));
    __m512i at = _mm512_and_si512(e, _mm512_set1_epi64(31));
    __m512i w = _mm512_loadu_si512((const void *)(run->w + k));
    __m512d p = _mm512_i64gather_pd(at, ten, 8);
    __m512d hi = _mm512_cvtepu64_pd(w);
    __m512d lo = _mm512_cvtepi64_pd(_mm512_sub_epi64(w, _mm512_cvtpd_epu64(hi)));
    __m512d q = _mm512_div_pd(hi, p);
    __m512d r = _mm512_add_pd(_mm512_fnmadd_pd(q, p, hi), lo);
    __m512d small = _mm512_div_pd(r, p);
    __m512d sum = _mm512_add_pd(q, small);
    __m512d lost = _mm512_sub_pd(small, _mm512_sub_pd(sum, q));
    __m512d doubt = _mm512_mul_pd(_mm512_abs_pd(small), _mm512_set1_pd(0x1p-48));
    __m512d over = _mm512_add_pd(sum, _mm512_add_pd(lost, doubt));
    __m512d under = _mm512_add_pd(sum, _mm512_sub_pd(lost, doubt));
    *out = signed_as(sum, e);
    return _mm512_cmp_pd_mask(over, under, _CMP_NEQ_OQ) |
           _mm512_cmp_pd_mask(over, sum, _CMP_NEQ_OQ);
}

/* Cells [i0, i0 + n), most of which are long. */
static int64_t long_run(const struct simd_cells *c, int64_t i0, int n, int last,
                        double *out, uint32_t *left)
{
    struct run run;
    const uint32_t *end = c->end + i0 * c->stride;
    int64_t n_left = 0;
    for (int k = 0; k < n; k++, end += c->stride)
        if (!take_one(c, end, last, &run.w[k], &run.e[k]))
            left[n_left++] = (uint32_t)(i0 + k);
    for (int k = n; k % 8; k++) run.w[k] = run.e[k] = 0;
    for (int k = 0; k < n; k += 8) {
        __m512d x;
        uint32_t room = n - k < 8 ? (1u << (n - k)) - 1 : 0xff;
        uint32_t unsure = divide_wide(&run, k, &x) & room;
        _mm512_mask_storeu_pd(out + k, (__mmask8)room, x);
        for (; unsure; unsure = _blsr_u32(unsure)) {
            int l = k + (int)_tzcnt_u32(unsure);
            if (!round_one(run.w[l], run.e[l], &out[l]))
                left[n_left++] = (uint32_t)(i0 + l);
        }
    }
    return n_left;
}

/* Cells k to k + 8 of at most eight bytes each; returns the bits of the others. */
static inline uint64_t eight_numbers(const struct simd_cells *c, const uint32_t *end,
                                     int last, double *out)
{
    const __m512d power = _mm512_loadu_pd(ten);
    struct eight f = take_eight(c, end, last, 1);
    __m512d x =
        _mm512_div_pd(_mm512_cvtepi64_pd(f.w), _mm512_permutexvar_pd(f.behind, power));
    __m512i minus = _mm512_maskz_set1_epi64((__mmask8)f.minus, INT64_MIN);
    x = _mm512_castsi512_pd(_mm512_xor_si512(_mm512_castpd_si512(x), minus));
    _mm512_storeu_pd(out, x);
    return f.bad;
}

static inline uint64_t four_numbers(const struct simd_cells *c, const uint32_t *end,
                                    int last, double *out)
{
    const __m256i most = _mm256_set1_epi64x(INT64_C(1) << 53);
    const __m512d low = _mm512_loadu_pd(ten), high = _mm512_loadu_pd(ten + 8);
    struct four f = take_four(c, end, last, 1);
    f.bad |= _mm256_cmpgt_epu64_mask(f.w, most); /* no mark: to be told of */
    __m256i e = _mm256_cvtepu8_epi64(_mm_cvtsi32_si128((int)f.e));
    __m256d p = _mm512_castpd512_pd256(
        _mm512_permutex2var_pd(low, _mm512_castsi256_si512(e), high));
    __m256d x = _mm256_div_pd(_mm256_cvtepi64_pd(f.w), p);
    __m256i minus = _mm256_slli_epi64(_mm256_srli_epi64(e, 7), 63);
    x = _mm256_castsi256_pd(_mm256_xor_si256(_mm256_castpd_si256(x), minus));
    _mm256_storeu_pd(out, x);
    return f.bad;
}

/* Bytes that most cells of a run fit into, by a look at three of them: 8, 16 or more. */
static inline int usual_size(const uint32_t *end, int64_t stride, int n)
{
    int over8 = 0, over16 = 0;
    for (int k = 0; k < 3; k++) {
        const uint32_t *e = end + k * (n / 3) * stride;
        uint32_t size = *e - e[-1] - 1;
        over8 += size > 8;
        over16 += size > 16;
    }
    return over16 > 1 ? 32 : over8 > 1 ? 16 : 8;
}

static inline int64_t take_numbers(const struct simd_cells *c, int last, double *out,
                                   uint32_t *left)
{
    int64_t n_left = 0, stride = c->stride;
    for (int64_t i = 0; i < c->n; i += RUN, out += RUN) {
        int n = c->n - i < RUN ? (int)(c->n - i) : RUN, k = 0;
        const uint32_t *end = c->end + i * stride;
        uint64_t rest = n < RUN ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0), w;
        uint8_t e;
        int size = usual_size(end, stride, n);
        if (size > 16) {
            n_left += long_run(c, i, n, last, out, left + n_left);
            continue;
        }
        if (size == 8)
            for (; k + 8 <= n; k += 8)
                rest ^= (eight_numbers(c, end + k * stride, last, out + k) ^ 0xff) << k;
        for (; k + 4 <= n; k += 4)
            rest ^= (four_numbers(c, end + k * stride, last, out + k) ^ 15) << k;
        for (; rest; rest = _blsr_u64(rest)) {
            k = (int)_tzcnt_u64(rest);
            if (!take_one(c, end + k * stride, last, &w, &e) ||
                !round_one(w, e, &out[k]))
                left[n_left++] = (uint32_t)(i + k);
        }
    }
    return n_left;
}

int64_t KERNEL(csv_numbers)(const struct simd_cells *c, double *out, uint32_t *left)
{
    return c->last ? take_numbers(c, 1, out, left) : take_numbers(c, 0, out, left);
}

/* One integer of at most sixteen digits: every one that csv_numbers reads. */
static int one_integer(const struct simd_cells *c, int64_t i, int64_t *out)
{
    const char *s;
    int64_t n = cell_at(c, i, &s);
    int64_t minus = *s == '-';
    int behind = 0;
    uint64_t w = 0;
    s += minus;
    n -= minus;
    int ok = (uint64_t)n - 1 < 16 && take_16(s, n, (char)0xff, &w, &behind);
    if (!ok || behind >= 0 || (!w && minus)) return 0;
    out[i] = ((int64_t)w ^ -minus) + minus;
    return 1;
}

static inline int64_t take_integers(const struct simd_cells *c, int last, int64_t *out,
                                    uint32_t *left)
{
    int64_t n_left = 0, i = 0;
    int some = c->n < RUN ? (int)c->n : RUN;
    if (some >= 8 && usual_size(c->end, c->stride, some) == 8)
        for (; i + 8 <= c->n; i += 8) {
            struct eight f = take_eight(c, c->end + i * c->stride, last, 0);
            uint32_t bad = f.bad | (f.minus & _mm512_testn_epi64_mask(f.w, f.w));
            __m512i minus = _mm512_movm_epi64((__mmask8)f.minus);
            _mm512_storeu_si512((void *)(out + i),
                                _mm512_sub_epi64(_mm512_xor_si512(f.w, minus), minus));
            for (; bad; bad = _blsr_u32(bad)) {
                int64_t k = i + _tzcnt_u32(bad);
                if (!one_integer(c, k, out)) left[n_left++] = (uint32_t)k;
            }
        }
    for (; i + 4 <= c->n; i += 4) {
        struct four f = take_four(c, c->end + i * c->stride, last, 0);
        __m256i minus = _mm256_cvtepi8_epi64(_mm_cvtsi32_si128((int)f.e));
        uint32_t negative = _mm256_movepi64_mask(minus);
        minus = _mm256_movm_epi64((__mmask8)negative);
        f.bad |= negative & _mm256_testn_epi64_mask(f.w, f.w); /* -0 */
        _mm256_storeu_si256((void *)(out + i),
                            _mm256_sub_epi64(_mm256_xor_si256(f.w, minus), minus));
        for (; f.bad; f.bad = _blsr_u32(f.bad))
            left[n_left++] = (uint32_t)i + _tzcnt_u32(f.bad);
    }
    for (; i < c->n; i++)
        if (!one_integer(c, i, out)) left[n_left++] = (uint32_t)i;
    return n_left;
}

int64_t KERNEL(csv_integers)(const struct simd_cells *c, int64_t *out, uint32_t *left)
{
    return c->last ? take_integers(c, 1, out, left) : take_integers(c, 0, out, left);
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
