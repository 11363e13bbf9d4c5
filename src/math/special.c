/* special.c - gamma and beta functions, and the distributions that stand on them
 *
 * lgamma: Taylor series about 1 and 2 (sums of zeta(k) - 1), recurrence, Stirling from 10 on.
 * Incomplete functions: continued fractions of DLMF 8.17.22 and 8.9.2 by Lentz's method; their
 * prefix in the saddle-point form of Loader 2000, which keeps 1e-13 where a and b are huge.
 * Quantiles: Newton on log I as a function of logit x, kept inside a bracket. */
#include "math/special.h"

#include <math.h>

#include "simd/vmath.h"

#define HALF_LOG_2PI 0x1.d67f1c864beb5p-1
#define TWO_PI       6.283185307179586

/* lgamma(2 + z), |z| <= 1/2 */
static double lgamma_near_two(double z)
{
    static const double zeta1[] = {
        /* zeta(k) - 1, k = 2 .. 29 */
        0x1.4a34cc4a60fa6p-1,  0x1.9dd002780310ap-3,  0x1.51322ac7d8483p-4,
        0x1.2e831d94f99b7p-5,  0x1.1c26130249124p-6,  0x1.1196d0a679c47p-7,
        0x1.0b36af86396e9p-8,  0x1.073e7b02d6ae0p-9,  0x1.04b8ce96ee5f8p-10,
        0x1.0318df2459954p-11, 0x1.020a5b2cd3042p-12, 0x1.01593a1177bd6p-13,
        0x1.00e4af2b4e156p-14, 0x1.0097bcbf11bedp-15, 0x1.0064cdeb22f0fp-16,
        0x1.0043073686681p-17, 0x1.002c9953744ccp-18, 0x1.001db08f9ba4ap-19,
        0x1.0013c594466eap-20, 0x1.000d2bab28121p-21, 0x1.0008c66cec77dp-22,
        0x1.0005d8f13858cp-23, 0x1.0003e59ffde12p-24, 0x1.000298ea55633p-25,
        0x1.0001bb316ccdap-26, 0x1.0001276b90845p-27, 0x1.0000c4ed05ae3p-28,
        0x1.0000834601a87p-29};
    double s = 0;
    for (int k = 29; k >= 2; k--) s = zeta1[k - 2] / k - z * s;
    return z * (0x1.b0ee6072093cep-2 + z * s);
}

/* lgamma(x) - ((x - 1/2) log x - x + log(2 pi)/2), x >= 10 */
static double stirling_rest(double x)
{
    double z = 1.0 / (x * x);
    double s = -0.02955065359477124183;
    s = s * z + 0.00641025641025641026;
    s = s * z - 0.00191752691752691753;
    s = s * z + 0.00084175084175084175;
    s = s * z - 0.00059523809523809524;
    s = s * z + 0.00079365079365079365;
    s = s * z - 0.00277777777777777778;
    s = s * z + 0.08333333333333333333;
    return s / x;
}

double special_lgamma(double x)
{
    if (!(x > 0)) return x == 0 ? (double)INFINITY : (double)NAN;
    if (x == (double)INFINITY) return x;
    if (x >= 10) return (x - 0.5) * vm_log(x) - x + HALF_LOG_2PI + stirling_rest(x);
    if (x < 0.5) return lgamma_near_two(x) - vm_log1p(x) - vm_log(x);
    if (x < 1.5) return lgamma_near_two(x - 1.0) - vm_log1p(x - 1.0);
    double product = 1;
    while (x > 2.5) {
        x -= 1.0;
        product *= x;
    }
    return vm_log(product) + lgamma_near_two(x - 2.0);
}

double special_digamma(double x)
{
    if (!(x > 0)) return (double)NAN;
    double y = 0;
    while (x < 10) {
        y -= 1.0 / x;
        x += 1.0;
    }
    double z = 1.0 / (x * x), s = -1.0 / 12.0; /* -B(2k) / 2k, k = 7 .. 1 */
    s = s * z + 691.0 / 32760.0;
    s = s * z - 1.0 / 132.0;
    s = s * z + 1.0 / 240.0;
    s = s * z - 1.0 / 252.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 12.0;
    return y + vm_log(x) - 0.5 / x + s * z;
}

/* ---- prefixes ---- */
static double binet(double x)
{
    if (x >= 10) return stirling_rest(x);
    return special_lgamma(x) - (x - 0.5) * vm_log(x) + x - HALF_LOG_2PI;
}

/* x log(x/m) + m - x without cancellation */
static double deviance(double x, double m)
{
    if (fabs(x - m) >= 0.1 * (x + m)) return x * vm_log(x / m) + m - x;
    double v = (x - m) / (x + m), s = (x - m) * v, e = 2.0 * x * v;
    for (int j = 3; j < 60; j += 2) {
        e *= v * v;
        double next = s + e / j;
        if (next == s) break;
        s = next;
    }
    return s;
}

/* x^a (1-x)^b / B(a, b); y = 1 - x */
static double beta_prefix(double a, double b, double x, double y)
{
    double n = a + b;
    double e = binet(n) - binet(a) - binet(b) - deviance(a, n * x) - deviance(b, n * y);
    return sqrt(a / TWO_PI * (b / n)) * vm_exp(e);
}

/* x^a e^-x / Gamma(a) */
static double gamma_prefix(double a, double x)
{
    return sqrt(a / TWO_PI) * vm_exp(-binet(a) - deviance(a, x));
}

/* ---- incomplete beta ---- */
static double beta_fraction(double a, double b, double x)
{
    double f = 1, c = 1, d = 0;
    for (int k = 1; k < 200000; k++) {
        double m = k / 2,
               t = k % 2 ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                         : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1.0 + t * d;
        c = 1.0 + t / c;
        if (fabs(d) < 1e-300) d = 1e-300;
        if (fabs(c) < 1e-300) c = 1e-300;
        d = 1.0 / d;
        f *= c * d;
        if (fabs(c * d - 1.0) < 1e-16) break;
    }
    return 1.0 / f;
}

/* I_x(a, b), y = 1 - x given apart; upper: 1 - I */
static double beta_inc_sides(double a, double b, double x, double y, int upper)
{
    if (!(a > 0 && b > 0) || x != x) return (double)NAN;
    if (x <= 0) return upper;
    if (y <= 0) return !upper;
    if (x > (a + 1) / (a + b + 2)) {
        double q = beta_prefix(b, a, y, x) / b * beta_fraction(b, a, y);
        return upper ? q : 1.0 - q;
    }
    double p = beta_prefix(a, b, x, y) / a * beta_fraction(a, b, x);
    return upper ? 1.0 - p : p;
}

double special_beta_inc(double a, double b, double x)
{
    return beta_inc_sides(a, b, x, 1.0 - x, 0);
}

/* log(x / (1 - x)) of the quantile: both x and 1 - x follow from it without loss */
static double beta_quantile_logit(double a, double b, double p, double q)
{
    if (p > q) return -beta_quantile_logit(b, a, q, p); /* at most once: then p <= q */
    double lo = -745, hi = 745, t = vm_log(a / b);
    for (int k = 0; k < 200; k++) {
        double x = vm_expit(t), y = vm_expit(-t);
        double i = beta_inc_sides(a, b, x, y, 0), slope = beta_prefix(a, b, x, y);
        if (i < p)
            lo = t;
        else
            hi = t;
        double step = vm_log(i / p) * i / slope, next = t - step;
        if (fabs(step) <= 1e-15 * fabs(t) + 1e-18) break;
        if (!(next > lo && next < hi)) next = 0.5 * (lo + hi);
        if (next == t) break;
        t = next;
    }
    return t;
}

double special_beta_quantile(double a, double b, double p)
{
    if (!(a > 0 && b > 0 && p >= 0 && p <= 1)) return (double)NAN;
    if (p == 0 || p == 1) return p;
    return vm_expit(beta_quantile_logit(a, b, p, 1.0 - p));
}

/* ---- incomplete gamma ---- */
static double gamma_inc_sides(double a, double x, int upper)
{
    if (!(a > 0) || x != x) return (double)NAN;
    if (x <= 0) return upper;
    if (x == (double)INFINITY) return !upper;
    if (x < a + 1) {
        double term = 1.0 / a, s = term;
        for (int k = 1; k < 200000 && term > s * 1e-17; k++) {
            term *= x / (a + k);
            s += term;
        }
        double p = gamma_prefix(a, x) * s;
        return upper ? 1.0 - p : p;
    }
    double b = x + 1 - a, c = 1e300, d = 1.0 / b, f = d;
    for (int k = 1; k < 200000; k++) {
        double t = -k * (k - a);
        b += 2;
        d = t * d + b;
        c = b + t / c;
        if (fabs(d) < 1e-300) d = 1e-300;
        if (fabs(c) < 1e-300) c = 1e-300;
        d = 1.0 / d;
        f *= c * d;
        if (fabs(c * d - 1.0) < 1e-16) break;
    }
    double q = gamma_prefix(a, x) * f;
    return upper ? q : 1.0 - q;
}

double special_gamma_inc(double a, double x)
{
    return gamma_inc_sides(a, x, 0);
}
double special_chi2_sf(double x, double df)
{
    return gamma_inc_sides(0.5 * df, 0.5 * x, 1);
}

/* ---- Student, Fisher, binomial ---- */
double special_t_cdf(double t, double df)
{
    if (t != t || !(df > 0)) return (double)NAN;
    double x = df / (df + t * t), y = t * t / (df + t * t);
    if (t * t == (double)INFINITY) x = 0, y = 1;
    if (y < 0.5) {
        double centre = 0.5 * beta_inc_sides(0.5, 0.5 * df, y, x, 0);
        return t < 0 ? 0.5 - centre : 0.5 + centre;
    }
    double tail = 0.5 * beta_inc_sides(0.5 * df, 0.5, x, y, 0);
    return t < 0 ? tail : 1.0 - tail;
}

double special_t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1 && df > 0)) return (double)NAN;
    if (p == 0.5) return 0;
    double tail = p < 0.5 ? p : 1.0 - p, t = (double)INFINITY;
    if (tail > 0) {
        double logit = beta_quantile_logit(0.5 * df, 0.5, 2 * tail, 1.0 - 2 * tail);
        t = sqrt(df) * vm_exp(-0.5 * logit);
    }
    return p < 0.5 ? -t : t;
}

double special_f_sf(double f, double df1, double df2)
{
    if (f != f || !(df1 > 0 && df2 > 0)) return (double)NAN;
    if (f <= 0) return 1;
    double n = df1 * f + df2;
    return beta_inc_sides(0.5 * df2, 0.5 * df1, df2 / n, df1 * f / n, 0);
}

double special_binom_two_sided(int64_t k, int64_t n)
{
    int64_t low = k < n - k ? k : n - k;
    if (n <= 0 || low < 0) return n == 0 ? 1.0 : (double)NAN;
    double p = 2.0 * special_beta_inc((double)(n - low), (double)low + 1.0, 0.5);
    return 2 * low == n || p > 1 ? 1.0 : p;
}
