/* metrics_quantiles.c - metrics of several quantiles, against figures worked out by hand */
#include <math.h>

#include <tidemill/ctx.h>

#include "spec/metric.h"
#include "support/unit.h"

extern const struct tide_metric tide_metric_mean_pinball, tide_metric_coverage,
    tide_metric_interval_width;

static const double shares[] = {0.1, 0.5, 0.9};
static const double y[] = {1, 2, 3, 10};
static const double q[] = {0, 1, 2, /**/ 2, 2, 2, /**/ 3.5, 4, 5, /**/ 4, 6, 10};

static struct metric_value ask(const struct tide_metric *m, const double *w,
                               const double *quantiles, enum metric_interval ci)
{
    struct metric_data d = {.task = TIDE_REGRESS,
                            .n = 4,
                            .y = y,
                            .pred = y,
                            .quantiles = quantiles,
                            .shares = shares,
                            .n_shares = 3,
                            .w = w};
    struct metric_value v;
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    CHECK_INT(tide_ctx_new(&ctx, &err), 0);
    CHECK_MSG(!m->value(ctx, NULL, &d, ci, 1, &v, &err), "%s", err.message);
    tide_ctx_free(ctx);
    return v;
}

TEST(pinball_loss_is_the_mean_over_rows_and_shares)
{
    /* rows: 0.1+0+0.1, 0, 0.45+0.5+0.2, 0.6+2+0 */
    struct metric_value v = ask(&tide_metric_mean_pinball, NULL, q, METRIC_CI_95);
    CHECK_NEAR(v.value, (0.2 + 0 + 1.15 + 2.6) / 12, 1e-15);
    CHECK(v.lo >= 0 && v.lo < v.value && v.hi > v.value);
    CHECK_STR(v.method, "t");
    static const double w[] = {0, 3, 1, 0};
    v = ask(&tide_metric_mean_pinball, w, q, METRIC_CI_NONE);
    CHECK_NEAR(v.value, 1.15 / 12, 1e-15);
}

TEST(coverage_counts_rows_in_the_outer_interval_with_its_ends)
{
    struct metric_value v = ask(&tide_metric_coverage, NULL, q, METRIC_CI_95);
    CHECK(v.value == 0.75);
    CHECK_STR(v.method, "wilson");
    CHECK(v.lo > 0.2 && v.hi < 1);
    v = ask(&tide_metric_interval_width, NULL, q, METRIC_CI_NONE);
    CHECK_NEAR(v.value, (2 + 0 + 1.5 + 6) / 4, 1e-15);
    CHECK((tide_metric_coverage.needs & METRIC_NO_ORDER) != 0);
}

TEST(one_value_a_row_has_no_interval)
{
    struct metric_value v = ask(&tide_metric_coverage, NULL, NULL, METRIC_CI_95);
    CHECK(!v.defined && isnan(v.value));
    CHECK_STR(v.reason,
              "needs several quantiles, and the model predicts one value a row");
}
