/* math_special.c - special functions against scipy and closed forms (rows maths.*, ci.*) */
#include "math/special.h"
#include "simd/vmath.h"
#include "support/unit.h"

/* relative, with an absolute floor for zeros */
#define CHECK_REL(a, b, tol)                                                           \
    do {                                                                               \
        double va = (a), vb = (b);                                                     \
        CHECK_MSG(fabs(va - vb) <= (tol)*fabs(vb),                                     \
                  "%s is %.17g, not %.17g (rel %.2g)", #a, va, vb, fabs(va / vb - 1)); \
    } while (0)

TEST(gamma_and_beta_functions_match_the_reference)
{
    CHECK_REL(special_lgamma(10.5), 13.940625219403763, 1e-14);
    CHECK_REL(special_digamma(2.5), 0.7031566406452432, 1e-14);
    CHECK_REL(special_beta_inc(2, 3, .4), 0.5248, 1e-14);
    CHECK_REL(special_gamma_inc(2.5, 1.7), 0.36143007689620493, 1e-14);
    CHECK_REL(vm_erf(.7), 0.6778011938374183, 1e-15);
    CHECK_REL(vm_norm_quantile(.01), -2.3263478740408408, 1e-15);
    for (double x = 0.003; x < 200; x *= 1.0137) {
        double truth = (double)lgammal(x);
        CHECK_MSG(fabs(special_lgamma(x) - truth) <= 1e-13 * fabs(truth) + 1e-16,
                  "lgamma(%.17g)", x);
    }
    CHECK(special_lgamma(1) == 0 && special_lgamma(2) == 0);
}
#include "math_special_values.h"

TEST(wide_range_values_match_fifty_digits)
{
    for (int i = 0; i < (int)(sizeof beta_rows / sizeof *beta_rows); i++)
        CHECK_REL(special_beta_inc(beta_rows[i][0], beta_rows[i][1], beta_rows[i][2]),
                  beta_rows[i][3], 1e-12);
    for (int i = 0; i < (int)(sizeof gamma_rows / sizeof *gamma_rows); i++)
        CHECK_REL(special_gamma_inc(gamma_rows[i][0], gamma_rows[i][1]),
                  gamma_rows[i][2], 1e-12);
}

TEST(quantiles_match_the_reference)
{
    CHECK_REL(vm_norm_quantile(.975), 1.959963984540054, 1e-15);
    CHECK_REL(special_t_quantile(.975, 10), 2.2281388519862753, 1e-14);
    CHECK_REL(special_chi2_sf(11.070497693516351, 5), .05, 1e-12);
    CHECK_REL(special_f_sf(3.09839121214078, 3, 20), .05, 1e-12);
    for (int k = 0; k < 200; k++) {
        double a = pow(10, (k % 7) - 2.5), b = pow(10, (k % 5) - 1.3),
               p = (k + 0.5) / 200;
        double x = special_beta_quantile(a, b, p);
        if (x > 1e-300 && x < 0.999)
            CHECK_MSG(fabs(special_beta_inc(a, b, x) - p) < 1e-11,
                      "a %g b %g p %g x %.17g I %.17g", a, b, p, x,
                      special_beta_inc(a, b, x));
        double df = a * 10;
        double t = special_t_quantile(p, df);
        CHECK_MSG(fabs(special_t_cdf(t, df) - p) < 1e-12, "t %g df %g p %g", t, df, p);
    }
}

TEST(clopper_pearson_limits_match)
{
    CHECK_NEAR(special_beta_quantile(8, 3, .025), 0.4439045376923585, 1e-12);
    CHECK_NEAR(special_beta_quantile(9, 2, .975), 0.9747892736731666, 1e-12);
    CHECK_NEAR(special_beta_quantile(1, 20, .975), 0.16843347098308536, 1e-12);
}

TEST(exact_sign_test)
{
    CHECK_NEAR(special_binom_two_sided(2, 10), 2 * 56.0 / 1024, 1e-13);
    CHECK_NEAR(special_binom_two_sided(8, 10), 2 * 56.0 / 1024, 1e-13);
    CHECK_NEAR(special_binom_two_sided(5, 10), 1, 0);
    CHECK_NEAR(special_binom_two_sided(0, 0), 1, 0);
    CHECK_NEAR(special_binom_two_sided(0, 30), ldexp(1, -29), 1e-20);
}

TEST(welch_test_and_mean_interval_match)
{
    double a[] = {5.1, 4.9, 5.6, 5.8, 5.2}, b[] = {6.0, 5.9, 6.3, 5.7, 6.8, 6.1};
    struct moments ma = {0}, mb = {0}, mx = {0};
    moments_add(&ma, a, 5);
    moments_add(&mb, b, 6);
    double va = ma.m2 / 4 / 5, vb = mb.m2 / 5 / 6,
           t = (ma.mean - mb.mean) / sqrt(va + vb);
    double df = (va + vb) * (va + vb) / (va * va / 4 + vb * vb / 5);
    CHECK_NEAR(t, -3.5720494224919768, 1e-12);
    CHECK_NEAR(df, 8.749609068721519, 1e-12);
    CHECK_NEAR(2 * special_t_cdf(t, df), 0.00628447146917006, 1e-13);
    double x[] = {12.1, 11.8, 12.5, 12.9, 11.5, 12.2, 12.7, 12.0};
    moments_add(&mx, x, 8);
    double h = special_t_quantile(.975, 7) * moments_sd(&mx, 1) / sqrt(8);
    CHECK_NEAR(mx.mean - h, 11.82180634264302, 1e-10);
    CHECK_NEAR(mx.mean + h, 12.603193657356977, 1e-10);
}

TEST(moments_do_not_cancel)
{
    double x[] = {2, 4, 4, 4, 5, 5, 7, 9, NAN};
    struct moments m = {0}, l = {0}, r = {0};
    moments_add(&m, x, 9);
    CHECK_NEAR(m.mean, 5, 0);
    CHECK_NEAR(moments_sd(&m, 0), 2, 1e-15);
    CHECK_NEAR(m.m2 / 7, 4.571428571428571, 1e-15);
    CHECK_INT(m.n_missing, 1);
    CHECK(m.min == 2 && m.max == 9);
    moments_add(&l, x, 3);
    moments_add(&r, x + 3, 6);
    moments_merge(&l, &r);
    CHECK_NEAR(l.m3, m.m3, 1e-13);
    CHECK_NEAR(l.m4, m.m4, 1e-13);
    static double far[1001]; /* like NIST's SmLs: 1e12 + small */
    for (int i = 0; i < 1001; i++) far[i] = 1e12 + (i % 2 ? 0.25 : -0.25) * (i > 0);
    struct moments f = {0};
    moments_add(&f, far, 1001);
    CHECK_NEAR(f.m2, 62.5, 1e-6);
    CHECK(isnan(moments_sd(&(struct moments){0}, 0)));
}

TEST(quantiles_are_of_type_seven)
{
    double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
    CHECK_NEAR(quantile_sorted(x, 10, .25), 3.25, 0);
    CHECK_NEAR(quantile_sorted(x, 10, .5), 5.5, 0);
    CHECK_NEAR(quantile_sorted(x, 10, .75), 7.75, 0);
    CHECK_NEAR(quantile_sorted(x, 10, 0), 1, 0);
    CHECK_NEAR(quantile_sorted(x, 10, 1), 100, 0);
    CHECK_NEAR(quantile_sorted(x, 1, .3), 1, 0);
    CHECK(isnan(quantile_sorted(x, 0, .5)));
}
