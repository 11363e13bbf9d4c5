/* numparse.c - decimal text to the nearest double, ties to even
 *
 * Three ways, each exact where it answers: w 10^q as one operation on two exact doubles (w below
 * 2^53, |q| <= 22); the 192-bit product; and, for ties and for more than 19 digits that the product
 * leaves open, a comparison of big integers with the midpoints beside a guess. After 769
 * significant digits the rest can only say "more than", so one digit 1 stands for it. */
#include "base/numparse.h"

#include <math.h>
#include <string.h>

#include "base/numexact.h"

enum { DIGITS_FAST = 19, DIGITS_BIG = 769 };
static const uint64_t bits_infinity = (uint64_t)0x7ff << 52;

/* The number as it stands in the text: digits first..last without sign, w 10^e10. */
struct scan {
    const char *first, *last; /* may hold leading zeros and the decimal mark */
    int64_t n_frac, exponent; /* digits behind the mark; the written exponent */
    int64_t n;                /* significant digits (leading zeros not counted) */
    uint64_t w;               /* the first 19 of them */
    int negative, is_integer;
};

static uint64_t load64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint64_t load32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

/* Eight characters, the first in the lowest byte, as a number; 0 when one is no digit. */
static int eight_digits(uint64_t v, uint64_t *out)
{
    uint64_t t = v - 0x3030303030303030u;
    if (((t | (v + 0x4646464646464646u)) & 0x8080808080808080u) != 0) return 0;
    t = t * 10 + (t >> 8); /* pairs, then fours, then eight, each in its lane */
    t = (t & 0x000000ff000000ffu) * 0x000f424000000064u +
        ((t >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u;
    *out = t >> 32;
    return 1;
}

static const char *take_digits(const char *p, const char *end, uint64_t *w)
{
    uint64_t v = *w, d;
    for (; p < end && (d = (uint64_t)(unsigned char)*p - '0') < 10; p++) v = v * 10 + d;
    *w = v;
    return p;
}

/* "e-12" and so on; a huge exponent is cut at 10^17, beyond which no text is long enough to
 * bring it back. NULL when no digit follows. */
static const char *take_exponent(const char *p, const char *end, int64_t *out)
{
    int negative = 0;
    if (p < end && (*p == '+' || *p == '-')) negative = *p++ == '-';
    if (p == end) return NULL;
    int64_t v = 0;
    const char *start = p;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (v < 10000000000000000) v = v * 10 + (*p - '0');
    *out = negative ? -v : v;
    return p > start ? p : NULL;
}

/* More than 19 digits: skips leading zeros and takes the first 19 significant ones. */
static void scan_long(struct scan *s)
{
    const char *p = s->first;
    int64_t zeros = 0;
    for (; p < s->last && (*p < '1' || *p > '9'); p++) zeros += *p == '0';
    s->n -= zeros;
    s->first = p;
    s->w = 0;
    for (int k = 0; p < s->last && k < DIGITS_FAST; p++) {
        if (*p < '0' || *p > '9') continue;
        s->w = s->w * 10 + (uint64_t)(*p - '0');
        k++;
    }
}

static int scan_text(struct scan *s, const char *text, size_t len, char decimal)
{
    const char *p = text, *end = text + len;
    s->negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    s->first = p;
    s->w = 0;
    s->n_frac = 0;
    s->exponent = 0;
    p = take_digits(p, end, &s->w);
    s->n = p - s->first;
    s->is_integer = p == end;
    if (p < end && *p == decimal) {
        const char *start = ++p;
        uint64_t eight;
        while (end - p >= 8 && eight_digits(load64(p), &eight)) {
            s->w = s->w * 100000000 + eight;
            p += 8;
        }
        p = take_digits(p, end, &s->w);
        s->n_frac = p - start;
        s->n += s->n_frac;
    }
    s->last = p;
    if (s->n == 0) return 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p = take_exponent(p + 1, end, &s->exponent);
        if (!p) return 0;
    }
    if (p != end) return 0;
    if (s->n > DIGITS_FAST) scan_long(s);
    return 1;
}

/* Rounds w 10^q. Non-zero when the product cannot tell; *bits is then a neighbour. */
static int round_product(uint64_t w, int64_t q, uint64_t *bits)
{
    if (q < NUM_Q_LO) {
        *bits = 0;
        return 0;
    }
    if (q > 310) {
        *bits = bits_infinity;
        return 0;
    }
    struct num_wide p = numexact_scale(w, (int)q);
    int drop =
        -1074 - p.e2 > 11 ? -1074 - p.e2 : 11; /* bits of hi below the result's last */
    if (drop > 64) {
        *bits = 0;
        return 0;
    }
    uint64_t half = (uint64_t)1 << (drop - 1);
    uint64_t m = drop == 64 ? 0 : p.hi >> drop;
    uint64_t rest = p.hi & (half | (half - 1));
    int beyond = !p.exact || (p.mid | p.lo) != 0;
    m += rest > half || (rest == half && (beyond || (m & 1)));
    int biased =
        drop > 11 ? 0 : p.e2 + 11 + 1075; /* a denormal's carry makes it normal */
    if (biased == 0)
        *bits = m;
    else
        *bits = biased >= 2047 ? bits_infinity : ((uint64_t)(biased - 1) << 52) + m;
    return rest == half - 1 && numexact_near(&p);
}

/* The digits as an integer with its exponent of ten. */
static int big_from(const struct scan *s, struct num_big *big)
{
    int taken = 0, more = 0, k = 0;
    uint64_t chunk = 0, scale = 1;
    big->n = 0;
    for (const char *p = s->first; p < s->last; p++) {
        if (*p < '0' || *p > '9') continue;
        if (taken == DIGITS_BIG) {
            more |= *p != '0';
            if (more) break;
            continue;
        }
        chunk = chunk * 10 + (uint64_t)(*p - '0');
        scale *= 10;
        taken++;
        if (++k == DIGITS_FAST) {
            numexact_mul_add(big, scale, chunk);
            chunk = 0, scale = 1, k = 0;
        }
    }
    numexact_mul_add(big, scale, chunk);
    if (more) numexact_mul_add(big, 10, 1);
    return (int)(s->exponent - s->n_frac + s->n - taken - (more ? 1 : 0));
}

/* Sign of the number minus the midpoint between the double `bits` and the next one. */
static int above_middle(const struct num_big *big, int e10, uint64_t bits)
{
    if (bits >= bits_infinity) return -1;
    int e;
    uint64_t m = numexact_split(bits, &e);
    return numexact_compare(big, e10, 2 * m + 1, e - 1);
}

static uint64_t round_big(const struct num_big *big, int e10, uint64_t guess)
{
    uint64_t b = guess;
    for (;;) {
        int c = above_middle(big, e10, b);
        if (c > 0) {
            b++;
            continue;
        }
        if (c == 0) return b + (b & 1);
        if (b == 0) return 0;
        c = above_middle(big, e10, b - 1);
        if (c > 0) return b;
        b--;
        if (c == 0) return b + (b & 1);
    }
}

/* Is the integer text exactly the double? Only asked beyond 2^53. */
static int integer_is(const struct scan *s, uint64_t bits)
{
    int e;
    uint64_t m = numexact_split(bits, &e);
    if (s->n <= DIGITS_FAST) {
        double d;
        memcpy(&d, &bits, 8);
        return (uint64_t)d == s->w;
    }
    struct num_big big;
    int e10 = big_from(s, &big);
    return numexact_compare(&big, e10, m, e) == 0;
}

static enum num_result parse_slow(const struct scan *s, int64_t q, double *out)
{
    uint64_t bits = 0;
    int64_t size =
        s->n + q; /* value < 10^size; for long text also 10^(size-1) <= value */
    if (s->w == 0) {
        *out = s->negative ? -0.0 : 0.0;
        return NUM_OK;
    }
    if (s->n > DIGITS_FAST && size >= 310) {
        bits = bits_infinity;
    } else if (size > -324) {
        int64_t cut = s->n > DIGITS_FAST ? s->n - DIGITS_FAST : 0;
        uint64_t upper = 0;
        int open = round_product(s->w, q + cut, &bits);
        if (!open && cut)
            open = round_product(s->w + 1, q + cut, &upper) || upper != bits;
        if (open) {
            struct num_big big;
            int e10 = big_from(s, &big);
            bits = round_big(&big, e10, bits);
        }
    }
    enum num_result result = NUM_OK;
    if (bits == bits_infinity)
        result = NUM_OVERFLOW;
    else if (bits == 0)
        result = NUM_UNDERFLOW;
    else if (s->is_integer && !integer_is(s, bits))
        result = NUM_INEXACT_INT;
    bits |= (uint64_t)s->negative << 63;
    memcpy(out, &bits, 8);
    return result;
}

static const uint64_t byte_ones = 0x0101010101010101u, zeros = 0x3030303030303030u;

static uint64_t low_bits(unsigned n)
{
    return ((uint64_t)1 << n) - 1;
} /* n < 64 */

/* text[0..len), 1 <= len <= 8, at the end of eight characters '0'. Overlapping words spare a
 * branch on the length, which in a column is as good as random. */
static uint64_t load_right(const char *text, size_t len)
{
    if (len == 8) return load64(text);
    unsigned gap = 8 * (8 - (unsigned)len); /* bits */
    uint64_t v = zeros & low_bits(gap);
    if (len >= 4) return v | load32(text + len - 4) << 32 | load32(text) << gap;
    /* of two characters and of one the middle is also an end */
    return v | (uint64_t)(unsigned char)text[len - 1] << 56 |
           (uint64_t)(unsigned char)text[0] << gap |
           (uint64_t)(unsigned char)text[len / 2] << (gap + 8 * (unsigned)(len / 2));
}

/* The first decimal mark in v as its bit position, 64 when there is none. */
static unsigned find_mark(uint64_t v, char decimal)
{
    uint64_t t = v ^ byte_ones * (unsigned char)decimal,
             found = (t - byte_ones) & ~t & byte_ones << 7;
    return found ? (unsigned)__builtin_ctzll(found) & ~7u : 64;
}

/* Moves the bytes before the mark up by one, over it. */
static uint64_t close_gap(uint64_t v, unsigned mark, uint64_t carry)
{
    uint64_t below = low_bits(mark);
    return (v & ~(below << 8 | 0xff)) | (v & below) << 8 | carry;
}

/* Most fields of a table: at most 16 characters, no exponent. Works on eight digits at once,
 * since a loop over a random number of them costs a wrong guess of the processor. 0: not
 * such a number, or none at all. */
static int parse_short(const char *text, size_t len, char decimal, double *out)
{
    static const double tens[16] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t first = (unsigned char)text[0], negative = first == '-',
             sign = negative | (first == '+');
    uint64_t flip = (first ^ '0') & (0 - sign), high = 0, low; /* a sign becomes '0' */
    unsigned behind = 0, mark;
    size_t digits = len - sign;
    if (len <= 8) {
        uint64_t v = load_right(text, len) ^ flip << 8 * (8 - len);
        mark = find_mark(v, decimal);
        if (mark < 64) v = close_gap(v, mark, '0'), behind = 7 - mark / 8, digits--;
        if (!eight_digits(v, &low)) return 0;
    } else {
        unsigned gap = 8 * (16 - (unsigned)len);
        uint64_t v = load64(text + len - 8);
        uint64_t u = (load64(text) << gap | (zeros & low_bits(gap))) ^ flip << gap;
        mark = find_mark(u, decimal);
        if (mark < 64) {
            u = close_gap(u, mark, '0'), behind = 15 - mark / 8, digits--;
        } else if ((mark = find_mark(v, decimal)) < 64) {
            v = close_gap(v, mark, u >> 56), behind = 7 - mark / 8, digits--;
            u = u << 8 | '0';
        }
        if (!eight_digits(u, &high) || !eight_digits(v, &low)) return 0;
    }
    uint64_t w = high * 100000000 + low;
    if (digits == 0 || w > (uint64_t)1 << 53) return 0;
    double d = (double)w / tens[behind];
    uint64_t bits;
    memcpy(&bits, &d, 8);
    bits |= negative << 63;
    memcpy(out, &bits, 8);
    return 1;
}

enum num_result num_parse(const char *text, size_t len, char decimal, double *out)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct scan s;
    if (len - 1 < 16 && parse_short(text, len, decimal, out)) return NUM_OK;
    if (!scan_text(&s, text, len, decimal)) {
        *out = (double)NAN;
        return NUM_BAD;
    }
    int64_t q = s.exponent - s.n_frac;
    if (s.n <= DIGITS_FAST && s.w <= (uint64_t)1 << 53 && q >= -22 && q <= 22) {
        double v = (double)s.w;
        v = q < 0 ? v / tens[-q] : v * tens[q];
        *out = s.negative ? -v : v;
        return NUM_OK;
    }
    return parse_slow(&s, q, out);
}

int num_round(uint64_t w, int q, double *out)
{
    uint64_t bits = 0;
    if (w == 0) {
        *out = 0;
        return 1;
    }
    if (round_product(w, q, &bits) || bits == bits_infinity || bits == 0) return 0;
    memcpy(out, &bits, 8);
    return 1;
}

/* Digits after an optional sign as a magnitude; 0 when there are none, others, or too many. */
static int parse_magnitude(const char *text, size_t len, int *negative, uint64_t *out)
{
    const char *p = text, *end = text + len;
    *negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (p == end) return 0;
    uint64_t v = 0;
    for (; p < end; p++) {
        uint64_t d = (uint64_t)(unsigned char)*p - '0';
        if (d > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, d, &v))
            return 0;
    }
    *out = v;
    return 1;
}

int num_parse_i64(const char *text, size_t len, int64_t *out)
{
    int negative;
    uint64_t v;
    if (!parse_magnitude(text, len, &negative, &v)) return 0;
    if (v > (uint64_t)INT64_MAX + (uint64_t)negative) return 0;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return 1;
}

int num_parse_u64(const char *text, size_t len, uint64_t *out)
{
    int negative;
    uint64_t v;
    if (!parse_magnitude(text, len, &negative, &v) || (negative && v != 0)) return 0;
    *out = v;
    return 1;
}
