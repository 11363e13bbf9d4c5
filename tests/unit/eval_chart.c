/* Descriptions of charts: what is refused, and how histograms are cut. */
#include "base/ctx.h"
#include "eval/chart.h"
#include "eval/charts.h"
#include "support/unit.h"

#define SENTENCE "Ten points rise from 0 to 9 in steps of 1, one a row."

static struct tide_chart *begin(struct arena *a)
{
    struct tide_chart *c = chart_new(a, "line", "A line", 10);
    chart_axis_x(c, "step", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "height", "m", SCALE_LINEAR, 0, 0);
    chart_summary(c, SENTENCE);
    return c;
}

static struct chart_mark *line(struct tide_chart *c, const double *x, const double *y,
                               int64_t nx, int64_t ny)
{
    struct chart_mark *m = chart_mark(c, MARK_LINE, NULL, 1);
    m->x = chart_num(c, "x", x, nx);
    m->y = chart_num(c, "y", y, ny);
    return m;
}

static const double ten[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

TEST(a_whole_chart_is_taken)
{
    struct arena a;
    tide_error err = {0};
    arena_init(&a, NULL);
    struct tide_chart *c = begin(&a);
    line(c, ten, ten, 10, 10);
    chart_note(c, "%d rows were dropped", 3);
    CHECK_MSG(chart_finish(c, &err) == TIDE_OK, "%s", err.message);
    CHECK_STR(c->notes[0], "3 rows were dropped");
    CHECK(c->series[0].num != ten && c->series[0].num[9] == 9);
    arena_free(&a);
}

static void refused(struct tide_chart *c, const char *why)
{
    tide_error err = {0};
    CHECK_INT(chart_finish(c, &err), TIDE_EINTERNAL);
    CHECK_MSG(strstr(err.message, why) != NULL, "\"%s\" does not say \"%s\"",
              err.message, why);
}

TEST(charts_without_words_are_refused)
{
    struct arena a;
    arena_init(&a, NULL);
    struct tide_chart *c = begin(&a);
    c->summary = NULL;
    refused(c, "no summary");
    c = begin(&a);
    chart_summary(c, "Too short.");
    refused(c, "the summary has 10 characters");
    c = begin(&a);
    line(c, ten, ten, 10, 10);
    c->y.label = NULL;
    refused(c, "no label of axis y");
    arena_free(&a);
}

TEST(charts_with_wrong_numbers_are_refused)
{
    static const double bad[] = {0, INFINITY}, gap[] = {0, NAN, 2};
    struct arena a;
    arena_init(&a, NULL);
    struct tide_chart *c = begin(&a);
    line(c, ten, ten, 10, 9);
    refused(c, "'y' has 9 values and others 10");
    c = begin(&a);
    line(c, bad, bad, 2, 2);
    refused(c, "holds an infinity");
    c = begin(&a);
    line(c, ten, ten, 10, 10);
    c->y.scale = SCALE_LOG;
    refused(c, "at or below 0 on a log axis");
    c = begin(&a);
    line(c, ten, ten, 10, 10)->slot = 9;
    refused(c, "colour 9 of 8");
    c = begin(&a);
    line(c, gap, gap, 3, 3);
    CHECK_INT(chart_finish(c, NULL), TIDE_OK);
    for (int i = 0; i < 14; i++) chart_mark(c, MARK_LINE, NULL, 1);
    refused(c, "more than 12 marks");
    arena_free(&a);
}

TEST(a_key_twice_sticks_in_the_report)
{
    tide_ctx *ctx;
    tide_error err = {0};
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_report *r = report_new(ctx, "eval", "Title", &err);
    report_chart(r, begin(&r->arena));
    CHECK_INT(report_status(r, &err), TIDE_OK);
    report_chart(r, begin(&r->arena));
    CHECK_INT(report_status(r, &err), TIDE_EINTERNAL);
    tide_report_free(r);
    tide_ctx_free(ctx);
}

static struct chart_bins bins_of(struct arena *a, const double *v, int64_t n)
{
    struct chart_bins b;
    CHECK_INT(chart_histogram(a, v, n, &b, NULL), TIDE_OK);
    double sum = 0;
    for (int i = 0; i < b.n; i++) {
        sum += b.count[i];
        CHECK(b.lo[i] < b.hi[i]);
        CHECK(i == 0 || b.lo[i] == b.hi[i - 1]);
    }
    CHECK_NEAR(sum, (double)(n - b.n_missing), 0);
    CHECK(b.n <= 64);
    return b;
}

TEST(histograms_have_nice_edges)
{
    double v[1000];
    struct arena a;
    arena_init(&a, NULL);
    for (int i = 0; i < 1000; i++) v[i] = i * 389 % 1000 / 1000.0;
    struct chart_bins b = bins_of(&a, v, 1000);
    CHECK_INT(b.n, 10);
    CHECK(b.lo[3] == 0.3 && b.hi[9] == 1.0 && !b.is_integer && !b.is_log);
    for (int i = 0; i < 10; i++) CHECK_NEAR(b.count[i], 100, 0);
    for (int i = 0; i < 1000; i++) v[i] = i % 6;
    b = bins_of(&a, v, 1000);
    CHECK(b.is_integer && b.n == 6 && b.lo[0] == 0 && b.hi[5] == 6);
    arena_free(&a);
}

TEST(histograms_count_what_lies_far_out)
{
    double v[1000];
    struct arena a;
    arena_init(&a, NULL);
    for (int i = 0; i < 1000; i++) v[i] = i * 389 % 1000 / 1000.0 - 0.5;
    v[17] = 1e9;
    v[18] = -1e9;
    v[19] = NAN;
    struct chart_bins b = bins_of(&a, v, 1000);
    CHECK(b.below == 1 && b.above == 1 && b.n_missing == 1);
    CHECK(b.hi[b.n - 1] < 10);
    arena_free(&a);
}

TEST(histograms_of_long_tails_grow)
{
    double v[1000];
    struct arena a;
    arena_init(&a, NULL);
    for (int i = 0; i < 1000; i++) v[i] = exp((i - 500) / 100.0);
    struct chart_bins b = bins_of(&a, v, 1000);
    CHECK(b.is_log && b.lo[0] > 0 && b.n >= 8);
    arena_free(&a);
}

TEST(histograms_of_odd_data)
{
    static const double same[] = {7, 7, 7}, tenth[] = {0.1, 0.1}, one[] = {3.5};
    static const double huge[] = {-1e308, 0, 1e308}, none[] = {NAN, NAN};
    static const double tiny[] = {5e-324, 1e-323, 2e-323}, wide[] = {1e-300, 1, 1e300};
    static const double near[] = {1e15, 1e15 + 1, 1e15 + 2};
    struct arena a;
    arena_init(&a, NULL);
    CHECK_INT(bins_of(&a, same, 3).n, 1);
    CHECK_INT(bins_of(&a, tenth, 2).n, 1);
    CHECK_INT(bins_of(&a, one, 1).n, 1);
    CHECK(bins_of(&a, huge, 3).n > 0);
    CHECK_INT(bins_of(&a, none, 2).n, 0);
    CHECK_INT(bins_of(&a, none, 0).n, 0);
    CHECK(bins_of(&a, tiny, 3).n > 0);
    CHECK(bins_of(&a, wide, 3).n > 0);
    CHECK(bins_of(&a, near, 3).n > 0);
    arena_free(&a);
}

TEST(curves_are_thinned_but_keep_their_ends)
{
    static double x[100000], y[100000];
    int64_t keep[CURVE_POINTS];
    for (int i = 0; i < 100000; i++) {
        x[i] = i / 1e5;
        y[i] = sqrt(i / 1e5);
    }
    int64_t n = charts_thin(x, y, 100000, keep);
    CHECK(n > 400 && n <= CURVE_POINTS);
    CHECK(keep[0] == 0 && keep[n - 1] == 99999);
    n = charts_thin(x, y, 300, keep);
    CHECK_INT(n, 300);
    /* a saw cannot be drawn in 512 points, yet stays within them */
    for (int i = 0; i < 100000; i++) y[i] = i % 2;
    n = charts_thin(x, y, 100000, keep);
    CHECK(n <= CURVE_POINTS && keep[n - 1] == 99999);
}

TEST(figures_have_four_digits_or_are_whole)
{
    char out[NUM_PRINT_MAX];
    CHECK_STR(charts_figure(out, 0.123456), "0.1235");
    CHECK_STR(charts_figure(out, 9999.4), "9999");
    CHECK_STR(charts_figure(out, 38475.2), "38,475");
    CHECK_STR(charts_figure(out, -1234567), "-1,234,567");
    CHECK_STR(charts_figure(out, 999999999999999), "999,999,999,999,999");
    CHECK_STR(charts_figure(out, 1e20), "1e+20");
}
