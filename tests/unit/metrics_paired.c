/* Tests of one model against another, with the vectors of the checks "test.*". */
#include "../support/metric.h"
#include "metrics/paired.h"

static const double d[] = {0.012, 0.02,  -0.004, 0.015, 0.009,
                           0.018, 0.002, 0.011,  0.007, 0.016};

TEST(delong_compares_two_scores)
{
    static const uint8_t t[] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
    static const double a[] = {0.1, 0.3, 0.35, 0.5, 0.6, 0.4, 0.55, 0.7, 0.8, 0.9};
    static const double b[] = {0.2, 0.1, 0.6, 0.4, 0.55, 0.3, 0.5, 0.65, 0.9, 0.7};
    struct paired_delong r;
    struct arena arena;
    arena_init(&arena, NULL);
    CHECK_INT(paired_delong(&arena, t, a, b, 10, &r, NULL), TIDE_OK);
    CHECK_NEAR(r.auc_a, 0.88, 1e-10);
    CHECK_NEAR(r.auc_b, 0.8, 1e-10);
    CHECK_NEAR(r.se_a, 0.1131370849898476, 1e-10);
    CHECK_NEAR(r.se_b, 0.15491933384829668, 1e-10);
    CHECK_NEAR(r.z, 0.8528028654224411, 1e-10);
    CHECK_NEAR(r.p, 0.39376863464299305, 1e-10);
    CHECK(r.lo < 0.08 && r.hi > 0.08);
    CHECK_INT(paired_delong(&arena, t, a, a, 10, &r, NULL), TIDE_OK);
    CHECK(isnan(r.z));
    CHECK_INT(paired_delong(&arena, t, a, b, 5, &r, NULL), TIDE_EDATA);
    arena_free(&arena);
}

TEST(mcnemar_exact_and_corrected)
{
    struct paired_test r = paired_mcnemar_exact(12, 4);
    CHECK_NEAR(r.p, 0.076812744140625, 1e-12);
    r = paired_mcnemar_corrected(12, 4);
    CHECK_NEAR(r.statistic, 3.0625, 1e-12);
    CHECK_NEAR(r.p, 0.08011831372763421, 1e-12);
    CHECK(paired_mcnemar_exact(0, 0).p == 1 && paired_mcnemar_corrected(0, 0).p == 1);
}

TEST(corrected_resampled_t_of_ten_folds)
{
    struct paired_test r = paired_corrected_t(d, 10, 0.1 / 0.9);
    CHECK_NEAR(r.statistic, 3.106387913852064, 1e-10);
    CHECK_NEAR(r.p, 0.01259200960575996, 1e-10);
}

TEST(wilcoxon_is_exact)
{
    static const double ties[] = {1, 1, -1, 2, 2, 3, 0};
    struct paired_test r;
    struct arena a;
    arena_init(&a, NULL);
    CHECK_INT(paired_wilcoxon(&a, d, 10, &r, NULL), TIDE_OK);
    CHECK(r.statistic == 2.0);
    CHECK_NEAR(r.p, 0.005859375, 1e-15);
    CHECK_STR(r.method, "exact");
    /* ranks 2 2 2 4.5 4.5 6, the zero left out: W- is 2, and 4 of 64 sign patterns give no more */
    CHECK_INT(paired_wilcoxon(&a, ties, 7, &r, NULL), TIDE_OK);
    CHECK(r.statistic == 2.0);
    CHECK_NEAR(r.p, 2 * 4.0 / 64, 1e-15);
    CHECK_INT(paired_wilcoxon(&a, d, 0, &r, NULL), TIDE_OK);
    CHECK(r.p == 1);
    arena_free(&a);
}

TEST(wilcoxon_of_many_is_normal)
{
    double x[400];
    struct paired_test r;
    struct arena a;
    arena_init(&a, NULL);
    for (int i = 0; i < 400; i++) x[i] = (i * 7919 % 401 - 200) / 401.0 + 0.5 / 401;
    CHECK_INT(paired_wilcoxon(&a, x, 400, &r, NULL), TIDE_OK);
    CHECK_STR(r.method, "normal");
    CHECK(r.p > 0.5 && r.p <= 1);
    arena_free(&a);
}

TEST(permutation_of_signs)
{
    static const double three[] = {1, 2, 3};
    struct paired_test r = paired_permutation(three, 3, 1000, 1);
    /* only all plus and all minus reach 6: 2 of 8 */
    CHECK_NEAR(r.p, 0.25, 1e-15);
    CHECK_NEAR(r.statistic, 2, 1e-15);
    r = paired_permutation(d, 10, 1000, 1);
    CHECK(r.p > 0.001 && r.p < 0.02);
    double x[40];
    for (int i = 0; i < 40; i++) x[i] = d[i % 10];
    r = paired_permutation(x, 40, 999, 1);
    CHECK_NEAR(r.p, 0.001, 1e-12);
    CHECK(paired_permutation(x, 40, 999, 1).p == r.p);
}

TEST(friedman_of_three_models)
{
    static const double m[] = {0.8,  0.82, 0.81, 0.75, 0.79, 0.76, 0.9,  0.91, 0.88,
                               0.66, 0.7,  0.68, 0.71, 0.74, 0.75, 0.83, 0.86, 0.82};
    struct paired_test r;
    struct arena a;
    arena_init(&a, NULL);
    CHECK_INT(paired_friedman(&a, m, 6, 3, &r, NULL), TIDE_OK);
    CHECK_NEAR(r.statistic, 7, 1e-12);
    CHECK_NEAR(r.p, 0.0301973834223185, 1e-12);
    arena_free(&a);
}
