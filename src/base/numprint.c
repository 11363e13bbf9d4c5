/* numprint.c - doubles to text: the shortest digits that read back, or a given number of them
 *
 * Shortest: Giulietti 2021, "The Schubfach way to render doubles", with 128-bit powers. Fixed
 * counts: the 192-bit product of numexact.h, with big integers where its slack could matter;
 * fixed decimals: 128-bit integers, always exact. */
#include <string.h>

#include "base/numexact.h"
#include "base/numparse.h"

struct decimal {
    uint64_t digits;
    int e10;
}; /* digits 10^e10 */

/* High 64 bits of g c, the last bit made odd when what is cut off is not 0. g is at most one
 * unit too large, which the "> 1" forgives. */
static uint64_t round_to_odd(uint64_t g_hi, uint64_t g_lo, uint64_t c)
{
    num_u128 y = (num_u128)g_hi * c + (uint64_t)(((num_u128)g_lo * c) >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* The shortest decimal in the rounding interval of m 2^e, of those the nearest. All values
 * are in quarters of 10^k: v itself, and the interval's ends. */
static struct decimal shortest(uint64_t bits)
{
    int e;
    uint64_t m = numexact_split(bits, &e);
    int odd = (int)(m & 1);
    int uneven =
        m == (uint64_t)1 << 52 && bits >> 52 > 1; /* the lower neighbour is nearer */
    /* k = floor(log10 of the interval's width), 3/4 2^e or 2^e */
    int k = (e * 1262611 - (uneven ? 524031 : 0)) >> 22;
    int h = e + numexact_log2_pow10(-k) + 1;
    uint64_t g_hi, g_lo;
    numexact_pow10_up(-k, &g_hi, &g_lo);
    uint64_t v = round_to_odd(g_hi, g_lo, (4 * m) << h);
    uint64_t lo =
        round_to_odd(g_hi, g_lo, (4 * m - 2 + (uint64_t)uneven) << h) + (uint64_t)odd;
    uint64_t hi = round_to_odd(g_hi, g_lo, (4 * m + 2) << h) - (uint64_t)odd;
    uint64_t s = v / 4, ten = s / 10 * 40;
    if (s >= 10) { /* a multiple of 10^(k+1): at most one of the two lies inside */
        int down = lo <= ten, up = ten + 40 <= hi;
        if (down != up) return (struct decimal){s / 10 + (uint64_t)up, k + 1};
    }
    int down = lo <= 4 * s, up = 4 * s + 4 <= hi;
    if (down != up) return (struct decimal){s + (uint64_t)up, k};
    uint64_t middle = 4 * s + 2;
    return (struct decimal){s + (v > middle || (v == middle && (s & 1))), k};
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return bits;
}

/* "nan", "inf", "-inf", "0", "-0"; else 0. Writes the sign either way: *at is behind it. */
static int print_special(char *out, double value, int *at, uint64_t *bits)
{
    uint64_t b = bits_of(value);
    int negative = (int)(b >> 63);
    b &= UINT64_MAX >> 1;
    *bits = b;
    *at = 0;
    if (b > (uint64_t)0x7ff << 52) {
        memcpy(out, "nan", 4);
        return 3;
    }
    if (negative) out[(*at)++] = '-';
    if (b == (uint64_t)0x7ff << 52) {
        memcpy(out + *at, "inf", 4);
        return *at + 3;
    }
    return 0;
}

static int count_digits(uint64_t v)
{
    int n = 1;
    for (; v >= 10000; v /= 10000) n += 4;
    return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

/* Exactly n digits, leading zeros included. */
static void put_digits(char *out, uint64_t v, int n)
{
    while (n >= 2) {
        uint64_t r = v % 100;
        v /= 100;
        out[--n] = (char)('0' + r % 10);
        out[--n] = (char)('0' + r / 10);
    }
    if (n) out[0] = (char)('0' + v % 10);
}

/* Lays out digits (no trailing zeros) of which the first is worth 10^e: plain from 0.0001 up
 * to below 10^plain, else with an exponent of two digits or more. */
static int lay_out(char *out, int at, uint64_t digits, int n, int e, int plain)
{
    char d[24];
    put_digits(d, digits, n);
    char *p = out + at;
    if (e >= -4 && e < 0) {
        *p++ = '0', *p++ = '.';
        for (int i = -1; i > e; i--) *p++ = '0';
        memcpy(p, d, (size_t)n);
        p += n;
    } else if (e >= 0 && e < plain) {
        for (int i = 0; i < n || i <= e; i++) {
            if (i == e + 1) *p++ = '.';
            *p++ = i < n ? d[i] : '0';
        }
    } else {
        *p++ = d[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, d + 1, (size_t)n - 1);
            p += n - 1;
        }
        *p++ = 'e';
        *p++ = e < 0 ? '-' : '+';
        int a = e < 0 ? -e : e, width = a >= 100 ? 3 : 2;
        put_digits(p, (uint64_t)a, width);
        p += width;
    }
    *p = 0;
    return (int)(p - out);
}

static struct decimal strip_zeros(struct decimal x)
{
    while (x.digits % 100 == 0) x.digits /= 100, x.e10 += 2;
    if (x.digits % 10 == 0) x.digits /= 10, x.e10++;
    return x;
}

int num_print(char out[NUM_PRINT_MAX], double value)
{
    int at;
    uint64_t bits;
    int special = print_special(out, value, &at, &bits);
    if (special) return special;
    double size = value < 0 ? -value : value;
    if (size < 9007199254740992.0 && (double)(uint64_t)size == size) {
        uint64_t v = (uint64_t)size;
        int n = count_digits(v);
        put_digits(out + at, v, n);
        out[at + n] = 0;
        return at + n;
    }
    struct decimal x = strip_zeros(shortest(bits));
    int n = count_digits(x.digits);
    return lay_out(out, at, x.digits, n, x.e10 + n - 1, 16);
}

static const uint64_t tens[] = {1,
                                10,
                                100,
                                1000,
                                10000,
                                100000,
                                1000000,
                                10000000,
                                100000000,
                                1000000000,
                                10000000000,
                                100000000000,
                                1000000000000,
                                10000000000000,
                                100000000000000,
                                1000000000000000,
                                10000000000000000,
                                100000000000000000,
                                1000000000000000000};

/* floor(m 2^e 10^q), below 10^18, and in *up whether it must be rounded up (ties to even). */
static uint64_t scaled_floor(uint64_t m, int e, int q, int *up)
{
    struct num_wide p = numexact_scale(m, q);
    int drop = -(p.e2 + e); /* 3 to 64: the value is in [1/10, 10^18) */
    uint64_t half = (uint64_t)1 << (drop - 1);
    uint64_t s = drop == 64 ? 0 : p.hi >> drop, rest = p.hi & (half | (half - 1));
    if (rest == half - 1 && numexact_near(&p)) {
        struct num_big odd = {.d = {2 * s + 1}, .n = 1};
        int c = numexact_compare(&odd, -q, m, e + 1);
        *up = c < 0 || (c == 0 && (s & 1));
        return s;
    }
    int beyond = !p.exact || (p.mid | p.lo) != 0;
    *up = rest > half || (rest == half && (beyond || (s & 1)));
    return s;
}

int num_print_g(char out[NUM_PRINT_MAX], double value, int digits)
{
    int at, e, up;
    uint64_t bits;
    int special = print_special(out, value, &at, &bits);
    if (special) return special;
    if (bits == 0) {
        memcpy(out + at, "0", 2);
        return at + 1;
    }
    int n = digits < 1 ? 1 : digits > 17 ? 17 : digits;
    uint64_t m = numexact_split(bits, &e);
    int e10 = numexact_log10_pow2(e + 63 - __builtin_clzll(m)); /* or one more */
    uint64_t s = scaled_floor(m, e, n - 1 - e10, &up);
    if (s >= tens[n]) s = scaled_floor(m, e, n - 1 - ++e10, &up);
    s += (uint64_t)up;
    if (s == tens[n]) s /= 10, e10++;
    struct decimal x = strip_zeros((struct decimal){s, 0});
    return lay_out(out, at, x.digits, n - x.e10, e10, n);
}

int num_print_f(char out[NUM_PRINT_MAX], double value, int decimals)
{
    int at, e;
    uint64_t bits;
    int special = print_special(out, value, &at, &bits);
    if (special) return special;
    double size = value < 0 ? -value : value;
    if (size >= 1e15) return num_print_g(out, value, 17);
    int n = decimals < 0 ? 0 : decimals > 14 ? 14 : decimals;
    uint64_t m = numexact_split(bits, &e); /* e < 0, as the value is below 2^52 */
    num_u128 scaled = (num_u128)m * tens[n], v = 0; /* below 2^100 */
    if (e > -128) {
        num_u128 half = (num_u128)1 << (-e - 1), rest = scaled & (half | (half - 1));
        v = scaled >> -e;
        v += rest > half || (rest == half && (v & 1));
    }
    uint64_t whole = (uint64_t)(v / tens[n]), fraction = (uint64_t)(v % tens[n]);
    int width = count_digits(whole);
    put_digits(out + at, whole, width);
    at += width;
    if (n) {
        out[at++] = '.';
        put_digits(out + at, fraction, n);
        at += n;
    }
    out[at] = 0;
    return at;
}

int num_print_i64(char out[NUM_PRINT_MAX], int64_t value)
{
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int at = 0, n = count_digits(v);
    if (value < 0) out[at++] = '-';
    put_digits(out + at, v, n);
    out[at + n] = 0;
    return at + n;
}
