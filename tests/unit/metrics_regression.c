/* Metrics of values, with the vectors of the checks "reg.*". */
#include "../support/metric.h"

static const double t[] = {3, -0.5, 2, 7}, p[] = {2.5, 0.0, 2, 8};
static const double tm[2][3] = {{0.5, -1, 7}, {1, 1, -6}};
static const double pm[2][3] = {{0, -1, 8}, {2, 2, -5}};
#define FOUR(metric) metric_values(metric, t, p, 4)

TEST(errors_of_four_rows)
{
    CHECK_NEAR(FOUR("mae"), 0.5, 1e-12);
    CHECK_NEAR(FOUR("mse"), 0.375, 1e-12);
    CHECK_NEAR(FOUR("rmse"), 0.6123724356957945, 1e-12);
    CHECK_NEAR(FOUR("mape"), 0.3273809523809524, 1e-12);
    CHECK_NEAR(FOUR("median_ae"), 0.5, 1e-12);
    CHECK_NEAR(FOUR("smape"), 0.5787878787878787, 1e-12);
    CHECK_NEAR(FOUR("huber(delta=1)"), 0.1875, 1e-12);
    CHECK_NEAR(FOUR("wape"), 2 / 12.5, 1e-12);
}

TEST(shares_of_variance)
{
    static const double up[] = {1, 2, 3}, down[] = {3, 2, 1};
    CHECK_NEAR(FOUR("r2"), 0.9486081370449679, 1e-12);
    CHECK_NEAR(FOUR("explained_variance"), 0.9571734475374732, 1e-12);
    CHECK_NEAR(FOUR("adjusted_r2(features=1)"), 0.9229122055674519, 1e-12);
    CHECK_NEAR(FOUR("adjusted_r2"), 0.9229122055674519, 1e-12);
    CHECK_NEAR(metric_values("r2", up, down, 3), -3, 1e-12);
}

TEST(r2_of_a_constant_is_undefined_unless_forced)
{
    static const double same[] = {-2, -2, -2}, near[] = {-2, -2, -2.00000001};
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 3, .y = same, .pred = same};
    struct tide_metric_out out = metric_ask("r2", &in, 1);
    CHECK(!out.defined);
    CHECK_STR(out.reason, "r2 needs a target that varies; all 3 rows are -2");
    CHECK(metric_values("r2(force_finite=yes)", same, same, 3) == 1);
    CHECK(metric_values("r2(force_finite=yes)", same, near, 3) == 0);
    in.n = 1;
    CHECK_STR(metric_ask("r2", &in, 0).reason, "r2 needs 2 rows");
}

TEST(several_targets_are_measured_one_by_one)
{
    static const double mse[] = {0.4166666666666667, 1};
    double r2 = 0, sum = 0;
    for (int j = 0; j < 2; j++) {
        double mean = (tm[j][0] + tm[j][1] + tm[j][2]) / 3, var = 0;
        for (int i = 0; i < 3; i++) var += (tm[j][i] - mean) * (tm[j][i] - mean);
        CHECK_NEAR(metric_values("mse", tm[j], pm[j], 3), mse[j], 1e-12);
        r2 += var * metric_values("r2", tm[j], pm[j], 3);
        sum += var;
    }
    CHECK_NEAR(r2 / sum, 0.9382566585956417, 1e-12);
}

TEST(logarithmic_errors)
{
    static const double y[] = {3, 5, 2.5, 7}, f[] = {2.5, 5, 4, 8};
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 4, .y = t, .pred = p};
    CHECK_NEAR(metric_values("msle", y, f, 4), 0.03973012298459376, 1e-12);
    CHECK_NEAR(metric_values("rmsle", y, f, 4), 0.1993241655810799, 1e-12);
    CHECK_STR(metric_ask("msle", &in, 0).reason,
              "msle needs values from 0; row 2 is -0.5");
}

TEST(the_largest_error)
{
    static const double y[] = {3, 2, 7, 1}, f[] = {4, 2, 7, 1};
    CHECK(metric_values("max_error", y, f, 4) == 1);
}

TEST(pinball_leans_to_its_quantile)
{
    static const double y[] = {1, 2, 3}, under[] = {0, 2, 3}, over[] = {1, 2, 4};
    CHECK_NEAR(metric_values("pinball(alpha=0.1)", y, under, 3), 0.03333333333333333,
               1e-12);
    CHECK_NEAR(metric_values("pinball(alpha=0.1)", y, over, 3), 0.3, 1e-12);
    CHECK_NEAR(metric_values("pinball(alpha=0.9)", y, under, 3), 0.3, 1e-12);
    CHECK_NEAR(metric_values("pinball(alpha=0.9)", y, over, 3), 0.033333333333333326,
               1e-12);
}

TEST(deviances_of_the_tweedie_family)
{
    static const double y[] = {2, 0, 1, 4}, g[] = {2, 0.5, 1, 4},
                        f[] = {0.5, 0.5, 2, 2};
    CHECK_NEAR(metric_values("poisson_deviance", y, f, 4), 1.4260151319598084, 1e-12);
    CHECK_NEAR(metric_values("gamma_deviance", g, f, 4), 1.0568528194400546, 1e-12);
    CHECK_NEAR(metric_values("tweedie_deviance(power=1.5)", y, f, 4),
               1.7781745930520232, 1e-12);
    CHECK_NEAR(metric_values("tweedie_deviance(power=0)", y, f, 4),
               metric_values("mse", y, f, 4), 1e-15);
    CHECK(isnan(metric_values("gamma_deviance", y, f, 4)));
    CHECK(isnan(metric_values("tweedie_deviance(power=0.5)", g, f, 4)));
}

TEST(shares_of_deviance)
{
    static const double y[] = {0.5, 1, 2.5, 7}, f[] = {1, 1, 5, 3.5};
    CHECK_NEAR(metric_values("d2_tweedie(power=1)", y, f, 4), 0.4879151349031142,
               1e-12);
    CHECK_NEAR(metric_values("d2_tweedie(power=0)", y, f, 4),
               metric_values("r2", y, f, 4), 1e-12);
    CHECK_NEAR(FOUR("d2_absolute"), 0.7647058823529411, 1e-12);
}

TEST(mape_of_zero_offers_wape)
{
    static const double y[] = {1, 0, 2};
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 3, .y = y, .pred = y};
    CHECK_STR(metric_ask("mape", &in, 0).reason,
              "mape divides by y, and row 2 is 0; wape divides by the sum of y");
}

TEST(value_metrics_have_intervals)
{
    static const char *const names[] = {"mae",
                                        "mse",
                                        "rmse",
                                        "mape",
                                        "smape",
                                        "r2",
                                        "adjusted_r2",
                                        "explained_variance",
                                        "median_ae",
                                        "pinball",
                                        "huber",
                                        "wape",
                                        "poisson_deviance",
                                        "gamma_deviance",
                                        "tweedie_deviance",
                                        "d2_tweedie",
                                        "d2_absolute",
                                        "msle",
                                        "rmsle"};
    double y[60], f[60], w[60];
    for (int i = 0; i < 60; i++) {
        y[i] = 1 + i % 7 + 0.1 * (i % 11);
        f[i] = y[i] + 0.3 * ((i * 37) % 13 - 6) / 6.0;
        w[i] = 1 + i % 2;
    }
    for (int i = 0; i < METRIC_COUNT(names); i++) {
        struct tide_metric_in in = {
            .task = TIDE_REGRESS, .n = 60, .y = y, .pred = f, .n_features = 3};
        for (int weighted = 0; weighted < 2; weighted++) {
            struct tide_metric_out a;
            in.w = weighted ? w : NULL;
            a = metric_ask(names[i], &in, 1);
            CHECK_MSG(a.lo < a.value && a.value < a.hi, "%s: %g in %g %g (%s)",
                      names[i], a.value, a.lo, a.hi, a.method);
        }
    }
}

TEST(weights_count_as_rows_of_values)
{
    static const double w[] = {2, 1, 3, 1};
    static const double tw[] = {3, 3, -0.5, 2, 2, 2, 7},
                        pw[] = {2.5, 2.5, 0, 2, 2, 2, 8};
    static const char *const names[] = {
        "mae",         "rmse",  "r2",  "median_ae", "explained_variance",
        "d2_absolute", "smape", "wape"};
    struct tide_metric_in in = {
        .task = TIDE_REGRESS, .n = 4, .y = t, .pred = p, .w = w};
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(metric_ask(names[i], &in, 0).value,
                   metric_values(names[i], tw, pw, 7), 1e-14);
}

TEST(infinite_predictions_are_refused)
{
    static const double bad[] = {1, 2, INFINITY, 3};
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 4, .y = t, .pred = bad};
    struct tide_metric_out out;
    CHECK_INT(tide_metric_value(metric_ctx(), "mae", &in, 0, &out, NULL), TIDE_EINVAL);
}
