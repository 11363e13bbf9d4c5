/* vmath_core.h - branch-free bodies of exp and log, shared by vmath.c and the kernels
 *
 * One body, compiled as a scalar function and inside vectorised loops: every operation is a
 * rounded add, multiply, divide, compare or integer operation, so all copies give equal bits.
 * Coefficients: interpolation at Chebyshev points with 60 digits, then rounded. */
#ifndef SIMD_VMATH_CORE_H
#define SIMD_VMATH_CORE_H
#include <math.h>
#include <stdint.h>
#include <string.h>

#define CORE_INLINE static inline __attribute__((always_inline))
#define CORE_SHIFT  0x1.8p52 /* adding it rounds to an integer, kept in the low bits */
#define CORE_LN2_HI 0x1.62e42feep-1
#define CORE_LN2_LO 0x1.a39ef35793c76p-33
#define CORE_LOG2E  0x1.71547652b82fep+0

CORE_INLINE uint64_t core_bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

CORE_INLINE double core_double(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* A choice without a branch: gcc turns no ?: between floats into a blend while comparisons may
 * trap, but does so for integers. */
CORE_INLINE double core_select(int yes, double a, double b)
{
    uint64_t m = (uint64_t)0 - (uint64_t)yes;
    return core_double((core_bits(a) & m) | (core_bits(b) & ~m));
}

/* (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, relative error of e^r 1.3e-17 */
CORE_INLINE double core_exp_poly(double r)
{
    double p = 0x1.af38a9b0ec855p-26;
    p = p * r + 0x1.289185613a3d6p-22;
    p = p * r + 0x1.71de0dae63bb3p-19;
    p = p * r + 0x1.a019b90d2ae7ap-16;
    p = p * r + 0x1.a01a01a7c41d5p-13;
    p = p * r + 0x1.6c16c1788bd90p-10;
    p = p * r + 0x1.11111111109b3p-7;
    p = p * r + 0x1.5555555553d63p-5;
    p = p * r + 0x1.5555555555556p-3;
    return p * r + 0x1.0000000000001p-1;
}

/* 2^n for an integer n in [-1022, 1023] given as a double */
CORE_INLINE double core_pow2(double n)
{
    return core_double((core_bits(n + CORE_SHIFT) << 52) + ((uint64_t)1023 << 52));
}

/* exp(c) = y 2^half 2^(n - half) for c in [-760, 720]: two steps, so that subnormals round once.
 * NaN stays NaN. */
CORE_INLINE double core_exp_inside(double c, double *half, double *other)
{
    double n = (c * CORE_LOG2E + CORE_SHIFT) - CORE_SHIFT;
    double hi = c - n * CORE_LN2_HI, lo = n * CORE_LN2_LO;
    double r = hi - lo;
    double s = 1.0 + r, lost = (1.0 - s) + r;
    *half = (n * 0.5 + CORE_SHIFT) - CORE_SHIFT;
    *other = n - *half;
    return s + (lost + (r * r * core_exp_poly(r) + ((hi - r) - lo)));
}

/* The same for any x: what is beyond becomes infinity or 0. */
CORE_INLINE double core_exp_mantissa(double x, double *half, double *other)
{
    double c = core_select(x > 720.0, 720.0, x);
    c = core_select(c < -760.0, -760.0, c);
    return core_exp_inside(c, half, other);
}

CORE_INLINE double core_exp(double x)
{
    double half, other, y = core_exp_mantissa(x, &half, &other);
    return y * core_pow2(half) * core_pow2(other);
}

/* (2 atanh(s) - 2 s) / s as a function of z = s^2, s = f / (2 + f), on f in [-0.293, 0.415] */
CORE_INLINE double core_log_poly(double z)
{
    double p = 0x1.2b5900de53b32p-3;
    p = p * z + 0x1.39fe51a7c18f9p-3;
    p = p * z + 0x1.7462b51cb66b1p-3;
    p = p * z + 0x1.c71c62e3f11e6p-3;
    p = p * z + 0x1.2492492df281ap-2;
    p = p * z + 0x1.99999999952d7p-2;
    p = p * z + 0x1.5555555555558p-1;
    return p * z;
}

/* x > 0 finite as m 2^k with m in [sqrt(1/2), sqrt(2)) */
CORE_INLINE double core_split(double x, double *k)
{
    int tiny = x < 0x1p-1022;
    double xs = core_select(tiny, x * 0x1p54, x);
    uint64_t u = core_bits(xs);
    uint64_t e =
        (u + (UINT64_C(0x3ff0000000000000) - UINT64_C(0x3fe6a09e667f3bcd))) >> 52;
    *k = core_double(e | UINT64_C(0x4330000000000000)) -
         core_select(tiny, 0x1p52 + 1077.0, 0x1p52 + 1023.0);
    return core_double(u - (e << 52) + ((uint64_t)1023 << 52));
}

CORE_INLINE double core_log(double x)
{
    double k, f = core_split(x, &k) - 1.0;
    double s = f / (2.0 + f);
    double half = 0.5 * f * f;
    double y = k * CORE_LN2_HI -
               ((half - (s * (half + core_log_poly(s * s)) + k * CORE_LN2_LO)) - f);
    y = core_select(x < 0.0, (double)NAN, y);
    y = core_select(x == 0.0, -(double)INFINITY, y);
    return core_select(x < (double)INFINITY, y, x); /* also NaN */
}

/* log(1 + u) for u in [0, 1] */
CORE_INLINE double core_log1p01(double u)
{
    double w = 1.0 + u;
    return core_log(w) + (u - (w - 1.0)) / w;
}

CORE_INLINE double core_expit(double x)
{
    double e = core_exp(-fabs(x));
    return core_select(x < 0.0, e, 1.0) / (1.0 + e);
}

CORE_INLINE double core_softplus(double x)
{
    return core_select(x > 0.0, x, 0.0) + core_log1p01(core_exp(-fabs(x)));
}
#endif
