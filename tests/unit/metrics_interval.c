/* Closed-form intervals ("ci.*") and the bootstrap. */
#include "../support/metric.h"
#include "metrics/interval.h"

TEST(wilson_of_eight_in_ten)
{
    double lo, hi;
    interval_wilson(8, 10, &lo, &hi);
    CHECK_NEAR(lo, 0.49016247153664183, 1e-10);
    CHECK_NEAR(hi, 0.9433178485456247, 1e-10);
    interval_wilson(0, 10, &lo, &hi);
    CHECK(lo == 0 && hi > 0.27 && hi < 0.28);
    interval_wilson(10, 10, &lo, &hi);
    CHECK(hi == 1);
}

TEST(clopper_pearson_at_the_end_and_inside)
{
    double lo, hi;
    interval_clopper_pearson(8, 10, &lo, &hi);
    CHECK_NEAR(lo, 0.4439045376923585, 1e-10);
    CHECK_NEAR(hi, 0.9747892736731666, 1e-10);
    interval_clopper_pearson(0, 20, &lo, &hi);
    CHECK(lo == 0);
    CHECK_NEAR(hi, 0.16843347098308536, 1e-12);
    interval_clopper_pearson(20, 20, &lo, &hi);
    CHECK_NEAR(lo, 1 - 0.16843347098308536, 1e-12);
    CHECK(hi == 1);
}

TEST(hanley_and_mcneils_standard_error)
{
    CHECK_NEAR(interval_hanley_mcneil(0.85, 30, 70), 0.04706569473209128, 1e-12);
}

TEST(bootstrap_agrees_with_students_interval)
{
    double y[400], f[400];
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 400, .y = y, .pred = f};
    struct tide_metric_out mean, half;
    for (int i = 0; i < 400; i++) {
        y[i] = 5 + (i * 7919 % 401) / 401.0;
        f[i] = 5;
    }
    /* sum |e| / sum |y| moves like its numerator, the mean of |e|, which has a closed form */
    mean = metric_ask("mae", &in, 1);
    half = metric_ask("wape", &in, 1);
    CHECK_STR(half.method, "bootstrap");
    CHECK_NEAR((half.hi - half.lo) / half.value, (mean.hi - mean.lo) / mean.value,
               0.03);
}

TEST(poisson_numbers_have_their_mean)
{
    static const double means[] = {0.5, 3, 12, 29, 31, 400};
    struct boot_draw draw = {.key = rng_key(7, "boot")};
    for (int m = 0; m < 6; m++) {
        double sum = 0, squares = 0;
        for (uint32_t i = 0; i < 20000; i++) {
            double x = boot_poisson(&draw, i, means[m]);
            sum += x;
            squares += x * x;
        }
        sum /= 20000;
        squares = squares / 20000 - sum * sum;
        CHECK_MSG(fabs(sum - means[m]) < 5 * sqrt(means[m] / 20000), "mean %g of %g",
                  sum, means[m]);
        CHECK_MSG(fabs(squares / means[m] - 1) < 0.06, "variance %g of %g", squares,
                  means[m]);
    }
}

TEST(bca_without_bias_or_skew_is_the_percentile_interval)
{
    double boot[1001], left[5] = {-2, -1, 0, 1, 2}, lo, hi;
    struct arena a;
    arena_init(&a, NULL);
    for (int i = 0; i <= 1000; i++) boot[i] = i * 613 % 1001 / 1000.0;
    CHECK_INT(boot_bca(&a, boot, 1001, 0.5, left, 5, &lo, &hi, NULL), TIDE_OK);
    CHECK_NEAR(lo, 0.025, 1e-6);
    CHECK_NEAR(hi, 0.975, 1e-6);
    /* a tail to the left of the left-out values pulls both ends up */
    left[4] = 30;
    CHECK_INT(boot_bca(&a, boot, 1001, 0.5, left, 5, &lo, &hi, NULL), TIDE_OK);
    CHECK(lo < 0.025 && hi < 0.975);
    arena_free(&a);
}

TEST(intervals_do_not_depend_on_threads)
{
    static int32_t k[5000];
    static double p[10000];
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 5000,
                                .n_classes = 2,
                                .positive = 1,
                                .k = k,
                                .proba = p};
    static const char *const names[] = {"ap",       "ece", "f1",
                                        "log_loss", "auc", "d2_brier"};
    for (unsigned i = 0; i < 5000; i++) {
        p[2 * i + 1] = (i * 2654435761u % 10007) / 10007.0;
        p[2 * i] = 1 - p[2 * i + 1];
        k[i] = (i * 40503u % 1009) / 1009.0 < p[2 * i + 1];
    }
    for (int m = 0; m < 6; m++) {
        struct tide_metric_out a, b;
        tide_ctx *one;
        CHECK_INT(tide_ctx_new(&one, NULL), TIDE_OK);
        CHECK_INT(tide_ctx_set_threads(one, 1, NULL), TIDE_OK);
        CHECK_INT(tide_metric_value(one, names[m], &in, 1, &a, NULL), TIDE_OK);
        CHECK_INT(tide_ctx_set_threads(one, 3, NULL), TIDE_OK);
        CHECK_INT(tide_metric_value(one, names[m], &in, 1, &b, NULL), TIDE_OK);
        CHECK(a.value == b.value && a.lo == b.lo && a.hi == b.hi);
        CHECK_MSG(a.lo <= a.value && a.value <= a.hi, "%s: %g in %g %g", names[m],
                  a.value, a.lo, a.hi);
        tide_ctx_free(one);
    }
}
