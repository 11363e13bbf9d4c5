/* simd_vmath.c - own functions: near the truth, and the same bits in every kernel set */
#include "simd/simd.h"
#include "simd/vmath.h"
#include "support/unit.h"

static uint64_t seed = 7;
static double draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 11) * 0x1p-53;
}

static const struct simd_table *fast(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &simd_table_avx2;
#endif
    return &simd_table_base;
}

/* Distance in units of the last place of the double nearest to the truth. */
static double ulps(double got, long double truth)
{
    double near = (double)truth;
    if (got == near)
        return (double)(fabsl((long double)got - truth) /
                        (long double)(nextafter(fabs(near), INFINITY) - fabs(near)));
    if (isinf(near) || isnan(near) || isinf(got) || isnan(got)) return 1e9;
    long double step = nextafter(fabs(near), INFINITY) - fabs(near);
    return (double)(fabsl((long double)got - truth) / step);
}

#define SAMPLE(TIMES, X, GOT, TRUTH, BOUND)                                            \
    do {                                                                               \
        double worst = 0, at = 0;                                                      \
        for (int s = 0; s < (TIMES); s++) {                                            \
            double v = (X), u = ulps((GOT), (TRUTH));                                  \
            if (u > worst) worst = u, at = v;                                          \
        }                                                                              \
        CHECK_MSG(worst <= (BOUND), #GOT ": %.2f ulp at %.17g", worst, at);            \
        if (getenv("UNIT_VERBOSE"))                                                    \
            fprintf(stderr, "%-24s %-28s %.3f ulp\n", #GOT, #X, worst);                \
    } while (0)
#define MANY 40000

TEST(exp_and_log_are_within_two_ulp)
{
    SAMPLE(MANY, draw() * 1450 - 740, vm_exp(v), expl(v), 1.0);
    SAMPLE(MANY, draw() * 2 - 1, vm_exp(v), expl(v), 1.0);
    SAMPLE(MANY, ldexp(draw() + 1e-9, (int)(draw() * 2000) - 1000), vm_log(v), logl(v),
           1.5);
    SAMPLE(MANY, 0.5 + draw(), vm_log(v), logl(v), 1.5);
    SAMPLE(MANY, 1 + (draw() - .5) * 1e-4, vm_log(v), logl(v), 1.5);
    SAMPLE(1000, draw() * 0x1p-1023, vm_log(v), logl(v), 1.5);
}

TEST(expm1_log1p_and_tanh_are_within_two_ulp)
{
    SAMPLE(MANY, draw() * 4 - 2, vm_expm1(v), expm1l(v), 2);
    SAMPLE(MANY, draw() * 120 - 60, vm_expm1(v), expm1l(v), 2);
    SAMPLE(MANY, (draw() - .5) * 1e-5, vm_expm1(v), expm1l(v), 2);
    SAMPLE(MANY, draw() * 3 - 0.999, vm_log1p(v), log1pl(v), 2);
    SAMPLE(MANY, (draw() - .5) * 0.9, vm_log1p(v), log1pl(v), 2);
    SAMPLE(MANY, (draw() - .5) * 1e-6, vm_log1p(v), log1pl(v), 2);
    SAMPLE(MANY, draw() * 1e18, vm_log1p(v), log1pl(v), 2);
    SAMPLE(MANY, draw() * 4 - 2, vm_tanh(v), tanhl(v), 2);
    SAMPLE(MANY, draw() * 50 - 25, vm_tanh(v), tanhl(v), 2);
    SAMPLE(MANY, (draw() - .5) * 1e-3, vm_tanh(v), tanhl(v), 2);
}

TEST(logistic_functions_hold_in_both_tails)
{
    SAMPLE(MANY, draw() * 80 - 40, vm_expit(v), 1 / (1 + expl(-(long double)v)), 2.5);
    SAMPLE(MANY, -draw() * 700, vm_expit(v), expl(v) / (1 + expl(v)), 2.5);
    SAMPLE(MANY, draw() * 80 - 40, vm_softplus(v),
           v > 0 ? v + log1pl(expl(-(long double)v)) : log1pl(expl(v)), 2);
    CHECK_NEAR(vm_expit(800), 1, 0);
    CHECK(vm_expit(-800) == 0 && vm_softplus(-800) == 0);
    CHECK_NEAR(vm_softplus(800), 800, 0);
}

TEST(erf_is_within_two_ulp_and_its_complement_holds_far_out)
{
    SAMPLE(MANY, draw() * 8 - 4, vm_erf(v), erfl(v), 2);
    SAMPLE(MANY, (draw() - .5) * 1e-3, vm_erf(v), erfl(v), 2);
    SAMPLE(MANY, draw() * 30 - 3, vm_erfc(v), erfcl(v), 5);
    SAMPLE(MANY, draw() * 40 - 36, vm_norm_cdf(v),
           0.5L * erfcl(-(long double)v * 0.707106781186547524400844362104849039L), 6);
}

TEST(powers_are_within_four_ulp)
{
    SAMPLE(MANY, draw() * 10, vm_pow(v, 1.7), powl(v, 1.7), 4);
    SAMPLE(MANY, draw() * 1e6, vm_pow(v, -33.3), powl(v, -33.3), 4);
    SAMPLE(MANY, draw() * 600 - 300, vm_pow(3.3, v), powl(3.3, v), 4);
    SAMPLE(MANY, 1 + draw() * 1e-3, vm_pow(v, 4e5), powl(v, 4e5), 4);
    CHECK_NEAR(vm_pow(3, 2), 9, 0);
    CHECK_NEAR(vm_pow(-2, 3), -8, 0);
    CHECK_NEAR(vm_pow(5, 0), 1, 0);
    CHECK(isnan(vm_pow(-2, 0.5)));
}

TEST(circle_functions_hold_to_a_hundred_thousand)
{
    SAMPLE(MANY, draw() * 200000 - 100000, vm_sin(v), sinl(v), 2);
    SAMPLE(MANY, draw() * 200000 - 100000, vm_cos(v), cosl(v), 2);
    SAMPLE(MANY, draw() * 7 - 3.5, vm_sin(v), sinl(v), 2);
    SAMPLE(MANY, draw() * 7 - 3.5, vm_cos(v), cosl(v), 2);
    for (int k = 1; k < 60000; k += 911) { /* next to the zeros */
        double v = k * 1.5707963267948966;
        CHECK(ulps(vm_sin(v), sinl(v)) <= 2 && ulps(vm_cos(v), cosl(v)) <= 2);
    }
    SAMPLE(MANY, draw() * 1400 - 700, vm_cosh(v), coshl(v), 2);
}

TEST(normal_quantile_inverts_its_distribution)
{
    CHECK_NEAR(vm_norm_quantile(.975), 1.959963984540054, 1e-15);
    CHECK_NEAR(vm_norm_quantile(.01), -2.3263478740408408, 1e-15);
    CHECK_NEAR(vm_norm_quantile(1e-300), -37.0471, 1e-5);
    for (int s = 0; s < 2000; s++) {
        double p = pow(10, -300 * draw());
        CHECK(fabs(vm_norm_cdf(vm_norm_quantile(p)) / p - 1) < 2e-12);
    }
    CHECK(isnan(vm_norm_quantile(-1)) && isinf(vm_norm_quantile(0)) &&
          isinf(vm_norm_quantile(1)));
}

TEST(limits_are_those_of_the_standard)
{
    CHECK(vm_exp(-800) == 0 && isinf(vm_exp(800)) && isnan(vm_exp(NAN)) &&
          vm_exp(0) == 1);
    CHECK(vm_exp(-INFINITY) == 0 && isinf(vm_exp(INFINITY)));
    CHECK(isinf(vm_log(0)) && isnan(vm_log(-1)) && isinf(vm_log(INFINITY)) &&
          vm_log(1) == 0);
    CHECK(isnan(vm_log(NAN)) && isnan(vm_log1p(-2)) && isinf(vm_log1p(-1)));
    CHECK(vm_expm1(-100) == -1 && vm_tanh(50) == 1 && vm_tanh(-50) == -1);
    CHECK(isnan(vm_tanh(NAN)) && isnan(vm_erf(NAN)) && isnan(vm_expit(NAN)));
    CHECK(vm_log2(8) == 3 && vm_log2(0x1p-1060) == -1060);
    CHECK(vm_exp(-745) > 0 && vm_exp(-745.2) == 0 && isinf(vm_exp(709.79)) &&
          vm_exp(709.78) < (double)INFINITY);
}

TEST(arrays_have_the_bits_of_single_values)
{
    static double x[2000], a[2000], b[2000];
    const struct simd_table *t[2] = {&simd_table_base, fast()};
    for (int i = 0; i < 2000; i++) x[i] = i % 3 ? draw() * 1600 - 800 : draw() * 4 - 2;
    x[5] = NAN, x[11] = INFINITY, x[12] = -INFINITY, x[13] = 0, x[14] = -0.0,
    x[15] = 0x1p-1070;
    for (int s = 0; s < 2; s++)
        for (int n = 0; n < 2000; n += n < 140 ? 1 : 311) {
            t[s]->vexp(x, a, n);
            for (int i = 0; i < n; i++) b[i] = vm_exp(x[i]);
            for (int i = 0; i < n; i++)
                CHECK(memcmp(a + i, b + i, 8) == 0 || b[i] != b[i]);
            t[s]->vlog(x, a, n);
            for (int i = 0; i < n; i++) b[i] = vm_log(x[i]);
            for (int i = 0; i < n; i++)
                CHECK(memcmp(a + i, b + i, 8) == 0 || b[i] != b[i]);
            t[s]->vexpit(x, a, n);
            for (int i = 0; i < n; i++) b[i] = vm_expit(x[i]);
            for (int i = 0; i < n; i++)
                CHECK(memcmp(a + i, b + i, 8) == 0 || b[i] != b[i]);
            t[s]->vlogaddexp0(x, a, n);
            for (int i = 0; i < n; i++) b[i] = vm_softplus(x[i]);
            for (int i = 0; i < n; i++)
                CHECK(memcmp(a + i, b + i, 8) == 0 || b[i] != b[i]);
        }
}

TEST(softmax_has_equal_bits_and_rows_of_sum_one)
{
    static double z[600], a[600], b[600];
    for (int k = 1; k < 12; k++) {
        int n = 600 / k;
        for (int i = 0; i < 600; i++) z[i] = draw() * 100 - 50;
        memcpy(a, z, sizeof z);
        memcpy(b, z, sizeof z);
        simd_table_base.vsoftmax(a, n, k);
        fast()->vsoftmax(b, n, k);
        CHECK(memcmp(a, b, sizeof(double) * (size_t)(n * k)) == 0);
        for (int i = 0; i < n; i++) { /* a row alone gives the same */
            double one[12], sum = 0;
            memcpy(one, z + i * k, sizeof(double) * (size_t)k);
            simd_table_base.vsoftmax(one, 1, k);
            CHECK(memcmp(one, a + i * k, sizeof(double) * (size_t)k) == 0);
            for (int c = 0; c < k; c++) sum += one[c];
            CHECK_NEAR(sum, 1, 1e-14);
        }
    }
}

TEST(both_sides_of_expit_have_the_bits_of_each)
{
    static const double odd[] = {0,   -0.0, 1e-320,   -1e-320,
                                 800, -800, INFINITY, -INFINITY};
    for (int i = 0; i < 4008; i++) {
        double x = i < 8 ? odd[i] : (i - 2000) * 0.01713, minus, plus;
        double want[2] = {vm_expit(-x), vm_expit(x)};
        vm_expit_both(x, &minus, &plus);
        CHECK(memcmp(&minus, &want[0], 8) == 0 && memcmp(&plus, &want[1], 8) == 0);
    }
}
