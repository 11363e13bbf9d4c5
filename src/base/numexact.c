/* numexact.c - products with powers of five, and big integers for what they leave open
 *
 * The table holds 128 truncated bits of each 5^q. A 64-bit w gives w 5^q as 192 bits whose
 * error is below w units of the last limb, that is below one unit of the middle one; 0 <= q
 * <= 55 is exact. (Lemire 2021, "Number parsing at a gigabyte per second"; the slack is ours to
 * test, so no further theorem is needed.) */
#include "base/numexact.h"

#include <assert.h>

#include "numexact_pow5.h"

static_assert(NUM_Q_LO == (int)POW5_LO && NUM_Q_HI == (int)POW5_HI,
              "the table's range");

enum { POW5_EXACT = 55 }; /* 5^55 is the last power below 2^128 */

struct num_wide numexact_scale(uint64_t w, int q)
{
    assert(w > 0 && q >= NUM_Q_LO && q <= NUM_Q_HI);
    int lz = __builtin_clzll(w);
    w <<= lz;
    num_u128 a = (num_u128)w * pow5_table[q - POW5_LO].hi;
    num_u128 b = (num_u128)w * pow5_table[q - POW5_LO].lo;
    a += (uint64_t)(b >> 64);
    struct num_wide p = {.hi = (uint64_t)(a >> 64),
                         .mid = (uint64_t)a,
                         .lo = (uint64_t)b,
                         .e2 = numexact_log2_pow10(q) + 1 - lz,
                         .exact = q >= 0 && q <= POW5_EXACT};
    if (!(p.hi >> 63)) {
        p.hi = p.hi << 1 | p.mid >> 63;
        p.mid = p.mid << 1 | p.lo >> 63;
        p.lo <<= 1;
        p.e2--;
    }
    return p;
}

void numexact_pow10_up(int q, uint64_t *hi, uint64_t *lo)
{
    uint64_t up = !(q >= 0 && q <= POW5_EXACT);
    *lo = pow5_table[q - POW5_LO].lo + up;
    *hi = pow5_table[q - POW5_LO].hi + (up && *lo == 0);
}

void numexact_mul_add(struct num_big *b, uint64_t factor, uint64_t add)
{
    uint64_t carry = add;
    for (int i = 0; i < b->n; i++) {
        num_u128 t = (num_u128)b->d[i] * factor + carry;
        b->d[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    if (carry) {
        assert(b->n < NUM_LIMBS);
        b->d[b->n++] = carry;
    }
}

static void mul_pow5(struct num_big *b, int e)
{
    for (; e >= 27; e -= 27) numexact_mul_add(b, 7450580596923828125u, 0); /* 5^27 */
    uint64_t rest = 1;
    while (e-- > 0) rest *= 5;
    numexact_mul_add(b, rest, 0);
}

static int bit_length(const struct num_big *b)
{
    return b->n == 0 ? 0 : 64 * b->n - __builtin_clzll(b->d[b->n - 1]);
}

static void shift_left(struct num_big *b, int bits)
{
    int limbs = bits / 64, rest = bits % 64;
    if (b->n == 0) return;
    assert(b->n + limbs + 1 <= NUM_LIMBS);
    uint64_t over = rest ? b->d[b->n - 1] >> (64 - rest) : 0;
    for (int i = b->n - 1; i >= 0; i--) {
        uint64_t low = i > 0 && rest ? b->d[i - 1] >> (64 - rest) : 0;
        b->d[i + limbs] = b->d[i] << rest | low;
    }
    for (int i = 0; i < limbs; i++) b->d[i] = 0;
    b->n += limbs;
    if (over) b->d[b->n++] = over;
}

int numexact_compare(const struct num_big *digits, int e10, uint64_t m, int e2)
{
    struct num_big left, right;
    left.n = digits->n;
    for (int i = 0; i < left.n; i++) left.d[i] = digits->d[i];
    right.d[0] = m;
    right.n = 1;
    if (e10 >= 0)
        mul_pow5(&left, e10);
    else
        mul_pow5(&right, -e10);
    int shift = e10 - e2; /* of left; negative: of right */
    int nl = bit_length(&left) + (shift > 0 ? shift : 0);
    int nr = bit_length(&right) + (shift < 0 ? -shift : 0);
    if (nl != nr) return nl < nr ? -1 : 1;
    shift_left(shift > 0 ? &left : &right, shift > 0 ? shift : -shift);
    for (int i = left.n - 1; i >= 0; i--)
        if (left.d[i] != right.d[i]) return left.d[i] < right.d[i] ? -1 : 1;
    return 0;
}
