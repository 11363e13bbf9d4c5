/* numexact.h - the exact arithmetic that numparse.c and numprint.c share; private to them
 *
 * Two tools: a 192-bit product with a table of powers of five, right but for a known slack,
 * and big integers that settle the few cases inside that slack. */
#ifndef BASE_NUMEXACT_H
#define BASE_NUMEXACT_H
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 num_u128;

/* w 10^q = (hi + f) 2^e2 with the top bit of hi set and 0 <= f < 1; mid, lo are f's next 128
 * bits. exact = 0: the true value is above (hi, mid, lo) by less than 2 units of mid. */
struct num_wide {
    uint64_t hi, mid, lo;
    int e2, exact;
};
enum { NUM_Q_LO = -342, NUM_Q_HI = 344 };
struct num_wide numexact_scale(uint64_t w,
                               int q); /* w > 0, NUM_Q_LO <= q <= NUM_Q_HI */
/* Could the truth reach into the next hi? */
static inline int numexact_near(const struct num_wide *p)
{
    return !p->exact && p->mid >= UINT64_MAX - 1;
}
/* 10^q = g 2^(floor(log2 10^q) - 127), g rounded up to 128 bits (high, low). */
void numexact_pow10_up(int q, uint64_t *hi, uint64_t *lo);
/* floor(log2 10^q) and floor(log10 2^e) in the ranges of doubles. */
static inline int numexact_log2_pow10(int q)
{
    return q + ((q * 152170) >> 16);
}
static inline int numexact_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

/* Bits of a positive double as m 2^e; infinity as 2^53 2^971, so that midpoints go on. */
static inline uint64_t numexact_split(uint64_t bits, int *e)
{
    int biased = (int)(bits >> 52);
    uint64_t m = bits & 0xfffffffffffffu;
    *e = (biased ? biased : 1) - 1075;
    return biased ? m | (uint64_t)1 << 52 : m;
}

enum {
    NUM_LIMBS = 80
}; /* 5,120 bits: 770 digits, or 64 bits times 5^1120, fit with room */
struct num_big {
    uint64_t d[NUM_LIMBS];
    int n;
}; /* little-endian limbs, top limb not 0 */
void numexact_mul_add(struct num_big *b, uint64_t factor, uint64_t add);
/* Sign of digits 10^e10 - m 2^e2. |e10| <= 1120 + 770; m > 0. */
int numexact_compare(const struct num_big *digits, int e10, uint64_t m, int e2);
#endif
