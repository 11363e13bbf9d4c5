/* decimal.c - decimals as doubles
 *
 * Below 2^53 and up to 10^22 both operands of the division are exact, so its result is the
 * nearest double. Beyond that the digits are written out and parsed, which is exact too. */
#include "frame/decimal.h"

#include <string.h>

#include "base/numparse.h"

static const double power[23] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The number with the given magnitude, little-endian words of 32 bits, which are used up. */
static double from_words(uint32_t *word, int n, int minus, int scale)
{
    char text[128], *s = text + sizeof text;
    int exponent = scale;
    *--s = (char)('0' + exponent % 10);
    *--s = (char)('0' + exponent / 10);
    *--s = '-';
    *--s = 'e';
    do {
        uint64_t rest = 0;
        for (int k = n - 1; k >= 0; k--) {
            rest = rest << 32 | word[k];
            word[k] = (uint32_t)(rest / 10);
            rest %= 10;
        }
        *--s = (char)('0' + rest);
        while (n > 0 && word[n - 1] == 0) n--;
    } while (n > 0);
    if (minus) *--s = '-';
    double v = 0;
    (void)num_parse(s, (size_t)(text + sizeof text - s), '.', &v);
    return v;
}

double decimal_i64(int64_t v, int scale)
{
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    if (m >> 53 == 0 && scale <= 22) return (double)v / power[scale];
    uint32_t word[2] = {(uint32_t)m, (uint32_t)(m >> 32)};
    return from_words(word, 2, v < 0, scale);
}

double decimal_bytes(const uint8_t *p, int n, int big, int scale)
{
    uint8_t sign = n && p[big ? 0 : n - 1] & 0x80 ? 0xff : 0;
    uint32_t word[8];
    uint8_t le[32];
    memset(le, sign, sizeof le);
    for (int k = 0; k < n; k++) le[k] = p[big ? n - 1 - k : k];
    uint64_t low = 0, carry = sign & 1;
    int small = 1;
    for (int k = 0; k < 32; k++) {
        if (k < 8) low |= (uint64_t)le[k] << 8 * k;
        small &= k < 8 || le[k] == sign;
    }
    if (small && low >> 63 == (sign & 1u)) return decimal_i64((int64_t)low, scale);
    for (int k = 0; k < 8; k++) {
        uint64_t w = (uint64_t)le[4 * k] | (uint64_t)le[4 * k + 1] << 8 |
                     (uint64_t)le[4 * k + 2] << 16 | (uint64_t)le[4 * k + 3] << 24;
        if (sign) w = (~w & UINT32_MAX) + carry;
        carry = sign ? w >> 32 : 0;
        word[k] = (uint32_t)w;
    }
    return from_words(word, 8, sign != 0, scale);
}
