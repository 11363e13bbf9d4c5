/* vmath.c - elementary functions of our own, one value at a time
 *
 * exp, log, expit and softplus share their bodies with the kernels (vmath_core.h). What needs
 * more than double precision on the way (pow, erfc) carries a value and an error term; products
 * are split by Dekker's method, so no fma is needed. Polynomials: interpolation at Chebyshev
 * points with 60 digits. Normal quantile: Wichura 1988, algorithm AS 241. */
#include "simd/vmath.h"

#include "simd/vmath_core.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

static double poly(const double *c, int n, double x)
{
    double p = c[n - 1];
    for (int i = n - 2; i >= 0; i--) p = p * x + c[i];
    return p;
}

double vm_exp(double x)
{
    return core_exp(x);
}
double vm_log(double x)
{
    return core_log(x);
}
double vm_expit(double x)
{
    return core_expit(x);
}
void vm_expit_both(double x, double *minus, double *plus)
{
    /* where they go is known long before they are, and which of them is the larger is no branch
     * that could be foreseen */
    double *to[2] = {minus, plus};
    int up = x > 0.0;
    double half, other, e = 0;
    if (!(fabs(x) > 760.0)) { /* beyond, e would be 0 too */
        double y = core_exp_inside(-fabs(x), &half, &other);
        e = y * core_pow2(half) * core_pow2(other);
    }
    double whole = 1.0 + e;
    *to[up] = 1.0 / whole;
    *to[!up] = e / whole;
}
double vm_softplus(double x)
{
    return core_softplus(x);
}

double vm_expm1(double x)
{
    if (x != x || fabs(x) < 0x1p-54) return x;
    if (x > 40) return core_exp(x);
    if (x < -40) return -1.0;
    double n = (x * CORE_LOG2E + CORE_SHIFT) - CORE_SHIFT;
    double hi = x - n * CORE_LN2_HI, lo = n * CORE_LN2_LO;
    double r = hi - lo, rest = (hi - r) - lo;
    double small = r * r * core_exp_poly(r) + (rest + r * rest);
    if (n == 0) return r + small;
    double two_n = core_pow2(n), a = two_n - 1.0, b = two_n * r, s = a + b;
    double lost = fabs(a) > fabs(b) ? (a - s) + b : (b - s) + a;
    return s + (lost + two_n * small);
}

double vm_log1p(double x)
{
    if (x != x || fabs(x) < 0x1p-54) return x;
    if (x <= -1) return x == -1 ? -(double)INFINITY : (double)NAN;
    if (x > 0x1p54) return core_log(x);
    double w = 1.0 + x;
    double lost = x > 1 ? 1.0 - (w - x) : x - (w - 1.0);
    double k, m = core_split(w, &k);
    if (k == 0) { /* w is near 1: f and what was lost meet before the series */
        double f = m - 1.0, s = f / (2.0 + f), half = 0.5 * f * f;
        return f - ((half - s * (half + core_log_poly(s * s))) - lost / w);
    }
    return core_log(w) + lost / w;
}

double vm_log2(double x)
{
    if (!(x > 0) || x == (double)INFINITY) return core_log(x);
    double k, m = core_split(x, &k);
    return k + core_log(m) * CORE_LOG2E;
}

double vm_tanh(double x)
{
    double a = fabs(x), t;
    if (x != x || a < 0x1p-28) return x;
    if (a > 22) {
        t = 1.0;
    } else if (a >= 0.5) {
        t = 1.0 - 2.0 / (vm_expm1(2.0 * a) + 2.0);
    } else {
        double e = vm_expm1(-2.0 * a), d = e + 2.0, q = e / d;
        t = -q + q * ((2.0 - d) + e) / d; /* what e + 2 lost */
    }
    return x < 0 ? -t : t;
}

double vm_cosh(double x)
{
    double a = fabs(x);
    if (a > 709) { /* exp(a) may overflow where cosh does not */
        double h = core_exp(0.5 * a);
        return (0.5 * h) * h;
    }
    double e = core_exp(a);
    return 0.5 * e + 0.5 / e;
}

/* ---- value + error term ---- */
struct pair {
    double hi, lo;
};

static struct pair two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    return (struct pair){s, (a - (s - t)) + (b - t)};
}

static struct pair two_product(double a, double b)
{
    double p = a * b, c = 134217729.0; /* 2^27 + 1 */
    double ac = c * a, ah = ac - (ac - a), al = a - ah;
    double bc = c * b, bh = bc - (bc - b), bl = b - bh;
    return (struct pair){p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

static struct pair pair_multiply(struct pair a, struct pair b)
{
    struct pair p = two_product(a.hi, b.hi);
    p.lo += a.hi * b.lo + a.lo * b.hi;
    return two_sum(p.hi, p.lo);
}

/* exp(x + tail), tail tiny against 1 */
static double exp_pair(double x, double tail)
{
    double half, other, y = core_exp_mantissa(x, &half, &other);
    return (y + y * tail) * core_pow2(half) * core_pow2(other);
}

static struct pair pair_add(struct pair a, struct pair b)
{
    struct pair s = two_sum(a.hi, b.hi);
    return two_sum(s.hi, s.lo + (a.lo + b.lo));
}

/* log(x) to about 2^-64 relative, x > 0 finite */
static struct pair log_pair(double x)
{
    static const double rest[] = {
        /* of the series after 2/3 z: /z^2 */
        0x1.999999999999ap-2, 0x1.2492492492491p-2, 0x1.c71c71c71cfd9p-3,
        0x1.745d174513593p-3, 0x1.3b13b1bc75cd4p-3, 0x1.1110dfad0f8eap-3,
        0x1.e1f7fa7547177p-4, 0x1.ac4a89c964b82p-4, 0x1.b8d433113b7fap-4};
    double k, f = core_split(x, &k) - 1.0;
    struct pair d = two_sum(2.0, f), s;
    s.hi = f / d.hi;
    struct pair back = two_product(s.hi, d.hi);
    s.lo = (((f - back.hi) - back.lo) - s.hi * d.lo) / d.hi;
    struct pair z = pair_multiply(s, s);
    struct pair third = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
    struct pair cubic = pair_multiply(pair_multiply(z, third), s);
    cubic.lo += s.hi * (z.hi * z.hi * poly(rest, COUNT(rest), z.hi));
    struct pair m = pair_add((struct pair){2.0 * s.hi, 2.0 * s.lo}, cubic);
    struct pair ln2 = two_product(k, 0x1.62e42fefa39efp-1);
    ln2.lo += k * 0x1.abc9e3b39803fp-56;
    return pair_add(ln2, m);
}

static double power_integer(double x, int n)
{
    double y = x;
    for (int i = 1; i < n; i++) y *= x;
    return y;
}

double vm_pow(double x, double y)
{
    if (y == 0) return 1.0;
    int whole = fabs(y) <= 4 && y == (double)(int)y;
    if (whole) {
        double p = power_integer(x, (int)fabs(y));
        return y < 0 ? 1.0 / p : p;
    }
    if (x != x || y != y) return x + y;
    if (x == 0) return y > 0 ? 0.0 : (double)INFINITY;
    if (x == (double)INFINITY) return y > 0 ? x : 0.0;
    if (x < 0) return (double)NAN;
    if (fabs(y) > 1e300)
        return x == 1 ? 1.0 : ((x > 1) == (y > 0) ? (double)INFINITY : 0.0);
    struct pair l = log_pair(x), p;
    if (fabs(y * l.hi) > 800) return y * l.hi > 0 ? (double)INFINITY : 0.0;
    p = two_product(y, l.hi);
    p.lo += y * l.lo;
    return exp_pair(p.hi, p.lo);
}

/* ---- error function ---- */
static const double erf_small[] = {/* erf(x)/x - 1 in x^2 on [0, 1] */
                                   0x1.06eba8214db68p-3,  -0x1.812746b0379c1p-2,
                                   0x1.ce2f21a040f66p-4,  -0x1.b82ce31203772p-6,
                                   0x1.565bccfa44156p-8,  -0x1.c02db0665e53dp-11,
                                   0x1.f9a2be4f731a1p-14, -0x1.f4ca838adb73bp-17,
                                   0x1.b981d78881a5dp-20, -0x1.5c131500d3f88p-23,
                                   0x1.d76af6ca49787p-27, -0x1.ac9585a44fe29p-31};
static const double erfcx_near[] =
    {/* exp(x^2) erfc(x) in (x - 1.6)/(x + 1.6), x in [1, 2.5] */
     0x1.394bbdbfab0aap-2,   -0x1.e952bda952f4ep-2, 0x1.aafbb63298d55p-3,
     -0x1.932dc9164a675p-6,  -0x1.13c3e05be6e25p-6, 0x1.3e099a84722dep-9,
     0x1.744a91a2a6b22p-9,   0x1.905f0806b8de5p-13, -0x1.02891c1c5aa58p-11,
     -0x1.b9dbcef9238dep-13, 0x1.cf7f34c76fbf9p-16, 0x1.0852a41a8d07fp-14,
     0x1.77850625259dbp-16,  -0x1.15ca89ad555c1p-18};
static const double erfcx_mid[] = {/* the same in (x - 3.6)/(x + 3.6), x in [2.5, 6] */
                                   0x1.35ca94de65becp-3,   -0x1.2185c578789dcp-2,
                                   0x1.d7b0601950f8ap-3,   -0x1.4cb0d69da484ep-3,
                                   0x1.91229c2f022afp-4,   -0x1.93e3352f71b9ap-5,
                                   0x1.44c6059b4a1a3p-6,   -0x1.780cc3509ec83p-8,
                                   0x1.9e5f0dee21cc9p-11,  0x1.bdf581c6fd5c0p-13,
                                   -0x1.251d369348eddp-13, 0x1.fc9f09bf49f8ap-17,
                                   0x1.92b35c25bc11ap-17,  -0x1.2160e38ffe183p-18};
static const double erfcx_far[] = {/* sqrt(pi) x exp(x^2) erfc(x) in 1/x^2, x >= 6 */
                                   0x1p+0,
                                   -0x1.ffffffffffc9ep-2,
                                   0x1.7fffffff66ecdp-1,
                                   -0x1.dfffff5638f9bp+0,
                                   0x1.a3ffcf699d7cdp+2,
                                   -0x1.d877d20f596bep+4,
                                   0x1.4468c8ae84f35p+7,
                                   -0x1.0411825ef1c1ep+10,
                                   0x1.c1238680c4d0bp+12,
                                   -0x1.5a44c799cdd4dp+15,
                                   0x1.3ebf7355d7d63p+17};

static double erfcx(double x) /* x >= 1 */
{
    if (x < 2.5) return poly(erfcx_near, COUNT(erfcx_near), (x - 1.6) / (x + 1.6));
    if (x < 6) return poly(erfcx_mid, COUNT(erfcx_mid), (x - 3.6) / (x + 3.6));
    return 0x1.20dd750429b6dp-1 / x * poly(erfcx_far, COUNT(erfcx_far), 1.0 / (x * x));
}

/* erfc(x) for x >= 1; scale * x^2 is the exponent, given apart to keep its low bits */
static double erfc_tail(double x, double root, double scale)
{
    if (x > 28) return 0.0;
    struct pair sq = two_product(root, root);
    return exp_pair(-sq.hi * scale, -sq.lo * scale) * erfcx(x);
}

double vm_erf(double x)
{
    double a = fabs(x);
    if (x != x) return x;
    if (a <= 1) return x + x * poly(erf_small, COUNT(erf_small), x * x);
    double y = a > 6 ? 1.0 : 1.0 - erfc_tail(a, a, 1.0);
    return x < 0 ? -y : y;
}

double vm_erfc(double x)
{
    if (x != x) return x;
    if (x < -1) return 2.0 - erfc_tail(-x, -x, 1.0);
    if (x <= 1) return x < 0.25 ? 1.0 - vm_erf(x) : 0.5 - (vm_erf(x) - 0.5);
    return erfc_tail(x, x, 1.0);
}

double vm_norm_cdf(double x)
{
    double z = fabs(x) * 0x1.6a09e667f3bcdp-1;
    if (x != x) return x;
    if (z <= 1) return 0.5 * vm_erfc(x < 0 ? z : -z);
    double tail =
        0.5 * erfc_tail(z, fabs(x), 0.5); /* exp(-x^2/2) without the root's rounding */
    return x < 0 ? tail : 1.0 - tail;
}

double vm_norm_quantile(double p)
{
    static const double a[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                               1.9715909503065514427e+3, 1.3731693765509461125e+4,
                               4.5921953931549871457e+4, 6.7265770927008700853e+4,
                               3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[] = {1.0,
                               4.2313330701600911252e+1,
                               6.8718700749205790830e+2,
                               5.3941960214247511077e+3,
                               2.1213794301586595867e+4,
                               3.9307895800092710610e+4,
                               2.8729085735721942674e+4,
                               5.2264952788528545610e+3};
    static const double c[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                               5.76949722146069140550e0,  3.64784832476320460504e0,
                               1.27045825245236838258e0,  2.41780725177450611770e-1,
                               2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[] = {1.0,
                               2.05319162663775882187e0,
                               1.67638483018380384940e0,
                               6.89767334985100004550e-1,
                               1.48103976427480074590e-1,
                               1.51986665636164571966e-2,
                               5.47593808499534494600e-4,
                               1.05075007164441684324e-9};
    static const double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                               1.78482653991729133580e0,  2.96560571828504891230e-1,
                               2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    if (!(p >= 0 && p <= 1)) return (double)NAN;
    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * poly(a, 8, r) / poly(b, 8, r);
    }
    double tail = q < 0 ? p : 1.0 - p;
    if (tail == 0) return q < 0 ? -(double)INFINITY : (double)INFINITY;
    double r = sqrt(-core_log(tail));
    double y = r <= 5 ? poly(c, 8, r - 1.6) / poly(d, 8, r - 1.6)
                      : poly(e, 8, r - 5.0) / poly(f, 8, r - 5.0);
    return q < 0 ? -y : y;
}

/* ---- sine and cosine: quarter turns taken off in three parts of pi/2 ---- */
static double sin_small(double r, double rest)
{
    static const double c[] = {-0x1.5555555555555p-3,  0x1.1111111110babp-7,
                               -0x1.a01a019e820aep-13, 0x1.71de37946ed6dp-19,
                               -0x1.ae6008d114485p-26, 0x1.5e0a4fc16be59p-33};
    double z = r * r;
    return r + (r * z * poly(c, COUNT(c), z) + rest * (1.0 - 0.5 * z));
}

static double cos_small(double r, double rest)
{
    static const double c[] = {0x1.5555555555555p-5,  -0x1.6c16c16c16963p-10,
                               0x1.a01a019f4ddfdp-16, -0x1.27e4fa16cc2d1p-22,
                               0x1.1eeb67d026ec6p-29, -0x1.907cd8ff5ede7p-37};
    double z = r * r, half = 0.5 * z, w = 1.0 - half;
    return w + (((1.0 - w) - half) + (z * z * poly(c, COUNT(c), z) - r * rest));
}

static double sin_turned(double x, int turn)
{
    double n = (x * 0x1.45f306dc9c883p-1 + CORE_SHIFT) - CORE_SHIFT;
    if (!(fabs(n) < 0x1p20)) return (double)NAN;
    double a = x - n * 0x1.921fb544p+0; /* exact: 33 + 20 bits */
    struct pair b = two_sum(a, -n * 0x1.0b4611a6p-34);
    b.lo -= n * 0x1.3198a2e037073p-69;
    struct pair r = two_sum(b.hi, b.lo);
    switch (((int)n + turn) & 3) {
    case 0:
        return sin_small(r.hi, r.lo);
    case 1:
        return cos_small(r.hi, r.lo);
    case 2:
        return -sin_small(r.hi, r.lo);
    default:
        return -cos_small(r.hi, r.lo);
    }
}

double vm_sin(double x)
{
    return fabs(x) < 0x1p-27 ? x : sin_turned(x, 0);
}
double vm_cos(double x)
{
    return sin_turned(x, 1);
}
