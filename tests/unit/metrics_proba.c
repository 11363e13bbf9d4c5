/* Metrics of probabilities and of their calibration, with the vectors of the checks "proba.*". */
#include "../support/metric.h"

TEST(log_loss_of_named_classes)
{
    /* ham is class 0, spam class 1 */
    static const int32_t t[] = {1, 0, 0, 1};
    static const double p[] = {0.1, 0.9, 0.9, 0.1, 0.8, 0.2, 0.35, 0.65};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 4,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t,
                                .proba = p};
    CHECK_NEAR(metric_ask("log_loss", &in, 0).value, 0.21616187468057912, 1e-12);
}

TEST(log_loss_clips_at_the_distance_asked)
{
    static const int32_t t[] = {1, 0};
    static const double p[] = {0, 0};
    CHECK_NEAR(metric_scores("log_loss(clip=2.220446049250313e-16)", t, p, 2, 0).value,
               18.021826694558577, 1e-9);
    CHECK_NEAR(metric_scores("log_loss", t, p, 2, 0).value, 17.269388197455342, 1e-9);
}

TEST(brier_of_two_classes)
{
    static const int32_t t[] = {0, 1, 1, 0};
    static const double p[] = {0.1, 0.9, 0.8, 0.3};
    CHECK_NEAR(metric_scores("brier", t, p, 4, 0).value, 0.03749999999999999, 1e-12);
}

TEST(brier_falls_into_murphys_parts)
{
    static const int32_t t[] = {0, 0, 1, 0, 1, 1, 0, 1, 1, 1};
    static const double p[] = {0.2, 0.2, 0.2, 0.2, 0.6, 0.6, 0.6, 0.6, 0.9, 0.9};
    double rel = metric_scores("brier_reliability", t, p, 10, 0).value;
    double res = metric_scores("brier_resolution", t, p, 10, 0).value;
    double unc = metric_scores("brier_uncertainty", t, p, 10, 0).value;
    double brier = metric_scores("brier", t, p, 10, 0).value;
    CHECK_NEAR(rel, 0.012, 1e-12);
    CHECK_NEAR(res, 0.09, 1e-12);
    CHECK_NEAR(unc, 0.24, 1e-12);
    CHECK_NEAR(rel - res + unc, 0.16199999999999998, 1e-12);
    CHECK_NEAR(brier, 0.16200000000000003, 1e-12);
}

TEST(calibration_error_in_ten_bins)
{
    static const int32_t t[] = {0, 0, 1, 0, 1, 1, 0, 1, 1, 1};
    static const double p[] = {0.05, 0.15, 0.18, 0.32, 0.38,
                               0.61, 0.66, 0.72, 0.91, 0.97};
    struct tide_metric_out out =
        metric_scores("ece(bins=10, equal=width)", t, p, 10, 1);
    CHECK_NEAR(out.value, 0.169, 1e-12);
    CHECK(out.lo <= out.hi);
    /* two bins of five rows: |2 - 1.08| and |4 - 3.87| over ten rows */
    CHECK_NEAR(metric_scores("ece(bins=2, equal=count)", t, p, 10, 0).value,
               (2 - 1.08) / 10 + (4 - 3.87) / 10, 1e-12);
}

TEST(top_two_of_three_classes)
{
    static const int32_t t[] = {0, 1, 2, 2};
    static const double p[] = {0.5, 0.2, 0.2, 0.3, 0.4, 0.2,
                               0.2, 0.4, 0.3, 0.7, 0.2, 0.1};
    struct tide_metric_in in = {
        .task = TIDE_CLASSIFY, .n = 4, .n_classes = 3, .k = t, .proba = p};
    CHECK(metric_ask("top_k(k=2)", &in, 0).value == 0.75);
}

TEST(probabilities_must_add_up)
{
    static const int32_t t[] = {0, 1};
    static const double p[] = {0.5, 0.2, 0.3, 0.7};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 2,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t,
                                .proba = p};
    struct tide_metric_out out;
    tide_error err = {0};
    CHECK_INT(tide_metric_value(metric_ctx(), "log_loss", &in, 0, &out, &err),
              TIDE_EINVAL);
    CHECK_STR(err.message, "the probabilities of row 1 add up to 0.7, not to 1");
}

TEST(d2_compares_with_the_class_shares)
{
    static const int32_t t[] = {0, 0, 1, 1};
    static const double half[] = {0.5, 0.5, 0.5, 0.5}, right[] = {0, 0, 1, 1};
    CHECK_NEAR(metric_scores("d2_log_loss", t, half, 4, 0).value, 0, 1e-12);
    CHECK_NEAR(metric_scores("d2_log_loss", t, right, 4, 0).value, 1, 1e-12);
    CHECK_NEAR(metric_scores("d2_brier", t, half, 4, 0).value, 0, 1e-12);
}

TEST(losses_have_students_interval)
{
    /* losses 0.01 0.01 0.04 0.09: mean 0.0375, sd 0.037749172, t(3) 3.182446305 */
    static const int32_t t[] = {0, 1, 1, 0};
    static const double p[] = {0.1, 0.9, 0.8, 0.3};
    struct tide_metric_out out = metric_scores("brier", t, p, 4, 1);
    CHECK_STR(out.method, "t");
    CHECK_NEAR(out.hi, 0.0375 + 3.182446305284263 * 0.03774917217635375 / 2, 1e-10);
    CHECK(out.lo == 0);
}

TEST(weights_that_are_all_zero_are_refused)
{
    static const int32_t t[] = {0, 1};
    static const double p[] = {0.5, 0.5, 0.3, 0.7}, zero[] = {0, 0}, minus[] = {1, -1};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 2,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t,
                                .proba = p,
                                .w = zero};
    struct tide_metric_out out;
    CHECK_INT(tide_metric_value(metric_ctx(), "log_loss", &in, 0, &out, NULL),
              TIDE_EDATA);
    in.w = minus;
    CHECK_INT(tide_metric_value(metric_ctx(), "auc", &in, 0, &out, NULL), TIDE_EDATA);
}
