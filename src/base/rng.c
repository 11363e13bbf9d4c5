/* rng.c - Philox4x32-10, its uniform and normal numbers, and the generator of synthetic data */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

__extension__ typedef unsigned __int128 rng_u128;

struct rng_key rng_key(uint64_t seed, const char *purpose)
{
    uint64_t h = hash64(purpose, strlen(purpose), seed);
    return (struct rng_key){(uint32_t)h, (uint32_t)(h >> 32)};
}

struct rng_word rng_philox(struct rng_key key, uint32_t c0, uint32_t c1, uint32_t c2,
                           uint32_t c3)
{
    uint32_t k0 = key.k0, k1 = key.k1;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xd2511f53u * c0, p1 = (uint64_t)0xcd9e8d57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    return (struct rng_word){{c0, c1, c2, c3}};
}

struct rng_word rng_at(struct rng_key key, int64_t row, uint32_t column, uint32_t draw)
{
    return rng_philox(key, (uint32_t)(uint64_t)row, (uint32_t)((uint64_t)row >> 32),
                      column, draw);
}

/* The last value, 1 - 2^-54, is no double: it would round to 1 and leave (0, 1). */
double rng_u01(struct rng_word w)
{
    double u = ((double)((uint64_t)w.w[0] << 21 | w.w[1] >> 11) + 0.5) * 0x1p-53;
    return u < 1 ? u : 0x1.fffffffffffffp-1;
}

uint64_t rng_u64(struct rng_word w)
{
    return (uint64_t)w.w[0] << 32 | w.w[1];
}

uint64_t rng_below(struct rng_word w, uint64_t n)
{
    return (uint64_t)(((rng_u128)rng_u64(w) * n) >> 64);
}

/* Natural logarithm of a normal x > 0: x = 2^k (1 + f) with 1 + f in [sqrt 1/2, sqrt 2); then
 * log(1 + f) = f - (f^2/2 - s (f^2/2 + R)), s = f/(2 + f), R = s^2 (2/3 + 2/5 s^2 + ...),
 * the series of atanh to s^22. Only basic arithmetic, so the bits are the same everywhere. */
static double base_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, 8);
    int k = (int)(bits >> 52) - 1023;
    bits = (bits & 0xfffffffffffffu) | (uint64_t)1023 << 52;
    double m;
    memcpy(&m, &bits, 8);
    if (m > 1.4142135623730951) m *= 0.5, k++;
    double f = m - 1, s = f / (2 + f), z = s * s, r = 2.0 / 23;
    for (int odd = 21; odd >= 3; odd -= 2) r = r * z + 2.0 / odd;
    r *= z;
    double half = 0.5 * f * f;
    double hi = k * 6.93147180369123816490e-01,
           lo = k * 1.90821492927058770002e-10; /* k ln 2 */
    return hi - ((half - (s * (half + r) + lo)) - f);
}

static double ratio(const double a[8], const double b[8], double r)
{
    double p = a[7], q = b[7];
    for (int i = 6; i >= 0; i--) p = p * r + a[i], q = q * r + b[i];
    return p / q;
}

/* Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", PPND16. */
static double normal_quantile(double u)
{
    static const double a[8] = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                1.9715909503065514427e3, 1.3731693765509461125e4,
                                4.5921953931549871457e4, 6.7265770927008700853e4,
                                3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e1,
                                6.8718700749205790830e2,
                                5.3941960214247511077e3,
                                2.1213794301586595867e4,
                                3.9307895800092710610e4,
                                2.8729085735721942674e4,
                                5.2264952788528545610e3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = u - 0.5;
    if (q >= -0.425 && q <= 0.425) return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-base_log(q < 0 ? u : 1 - u));
    double v = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -v : v;
}

double rng_normal(struct rng_word w)
{
    return normal_quantile(rng_u01(w));
}

uint64_t gen_mix(uint64_t z)
{
    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9u;
    z ^= z >> 27;
    z *= 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t gen_h(uint64_t s, uint64_t i, uint64_t j)
{
    return gen_mix(gen_mix(s + 0x9e3779b97f4a7c15u * (i + 1)) +
                   0xd1b54a32d192ed03u * (j + 1));
}

double gen_u(uint64_t s, uint64_t i, uint64_t j)
{
    return (double)(gen_h(s, i, j) >> 11) * 0x1p-53;
}

double gen_z(uint64_t s, uint64_t i, uint64_t j)
{
    uint64_t h = gen_h(s, i, j);
    uint64_t sum = (h & 0xffff) + (h >> 16 & 0xffff) + (h >> 32 & 0xffff) + (h >> 48);
    return ((double)sum - 131070) / sqrt((65536.0 * 65536.0 - 1) / 3);
}
