/* sample_charts.h - a chart of each kind, and the awkward ones, for the tests of the renderers */
#ifndef SUPPORT_SAMPLE_CHARTS_H
#define SUPPORT_SAMPLE_CHARTS_H
#include <math.h>
#include <string.h>

#include "eval/chart.h"

#define SAMPLE_N 41

static struct tide_chart *sample_roc(struct arena *a)
{
    double x[SAMPLE_N], y[SAMPLE_N], lo[SAMPLE_N], hi[SAMPLE_N];
    struct tide_chart *c =
        chart_new(a, "roc", "Recall is 0.81 when one in ten is a false alarm", 9158);
    struct chart_mark *m;
    for (int i = 0; i < SAMPLE_N; i++) {
        x[i] = i / 40.0;
        y[i] = 1 - (1 - x[i]) * (1 - x[i]) * (1 - x[i]) * (1 - x[i]);
        lo[i] = y[i] - 0.1 * x[i] * (1 - x[i]);
        hi[i] = y[i] + 0.1 * x[i] * (1 - x[i]);
    }
    chart_summary(c, "The curve stays above the diagonal everywhere; its area is 0.8 "
                     "(0.79 to 0.81).");
    chart_axis_x(c, "false positive rate", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "true positive rate", NULL, SCALE_LINEAR, 0, 1);
    m = chart_mark(c, MARK_BAND, NULL, 1);
    m->x = chart_num(c, "false positive rate", x, SAMPLE_N);
    m->lo = chart_num(c, "lower", lo, SAMPLE_N);
    m->hi = chart_num(c, "upper", hi, SAMPLE_N);
    m = chart_mark(c, MARK_LINE, "model", 1);
    m->x = 0;
    m->y = chart_num(c, "true positive rate", y, SAMPLE_N);
    m = chart_mark(c, MARK_RULE, "chance", 0);
    m->rule = 'l';
    m->b = 1;
    c->is_key = 1;
    return c;
}

static struct tide_chart *sample_importance(struct arena *a)
{
    static const char *const name[] = {"capital_gain",
                                       "age",
                                       "marital_status",
                                       "education_num",
                                       "a name of more than thirty letters, really",
                                       "hours"};
    static const double v[] = {0.31, 0.22, 0.19, 0.12, 0.07, 0.001},
                        lo[] = {0.28, 0.2, 0.17, 0.1, 0.05, 0},
                        hi[] = {0.34, 0.24, 0.21, 0.14, 0.09, 0.002};
    struct tide_chart *c = chart_new(a, "importance", "capital_gain matters most", 6);
    struct chart_mark *m = chart_mark(c, MARK_BAR, NULL, 1);
    chart_summary(c, "capital_gain holds 31 %% of the gain of all splits, age 22 %%, "
                     "marital_status 19 %%.");
    chart_axis_x(c, "share of gain", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    m->horizontal = 1;
    m->x = chart_text(c, "column", name, 6);
    m->y = chart_num(c, "share of gain", v, 6);
    m->lo = chart_num(c, "low", lo, 6);
    m->hi = chart_num(c, "high", hi, 6);
    c->is_key = 1;
    return c;
}

static struct tide_chart *sample_histogram(struct arena *a)
{
    double lo[20], hi[20], n[20];
    struct tide_chart *c = chart_new(a, "hist/age", "age", 32561);
    struct chart_mark *m = chart_mark(c, MARK_BAR, NULL, 1);
    for (int i = 0; i < 20; i++) {
        lo[i] = 15 + 4 * i;
        hi[i] = lo[i] + 4;
        n[i] = i < 14 ? 200.0 * (i + 1) * (14 - i) : 20 - i;
    }
    chart_summary(c, "Half of the values lie between 28 and 48; the median is 37 and "
                     "the mean 38.58.");
    chart_axis_x(c, "age", "years", SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "rows", NULL, SCALE_LINEAR, 0, 0);
    m->lo = m->bins_lo = chart_num(c, "from", lo, 20);
    m->hi = chart_num(c, "to", hi, 20);
    m->y = chart_num(c, "rows", n, 20);
    chart_note(c, "12 values above 95");
    c->is_key = 1;
    return c;
}

static struct tide_chart *sample_confusion(struct arena *a)
{
    static const char *const x[] = {"no",      "yes", "perhaps", "no",     "yes",
                                    "perhaps", "no",  "yes",     "perhaps"};
    static const char *const y[] = {"no",  "no",      "no",      "yes",    "yes",
                                    "yes", "perhaps", "perhaps", "perhaps"};
    static const double v[] = {912, 31, 4, 60, 444, 12, 9, 3, 87};
    struct tide_chart *c =
        chart_new(a, "confusion", "Most mistakes take yes for no", 1562);
    struct chart_mark *m = chart_mark(c, MARK_CELL, NULL, 1);
    chart_summary(
        c, "Of 1,562 rows 1,443 are right; 60 of class yes were predicted as no.");
    chart_axis_x(c, "predicted", NULL, SCALE_BAND, 0, 0);
    chart_axis_y(c, "true class", NULL, SCALE_BAND, 0, 0);
    c->y.reversed = 1;
    m->x = chart_text(c, "predicted", x, 9);
    m->y = chart_text(c, "true class", y, 9);
    m->size = chart_num(c, "rows", v, 9);
    return c;
}

static struct tide_chart *sample_interval(struct arena *a)
{
    static const char *const name[] = {"fold 1", "fold 2", "fold 3",
                                       "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d <b>&"};
    static const double v[] = {-0.5, 0.1, 0.3, NAN}, lo[] = {-0.9, 0, 0.1, NAN},
                        hi[] = {-0.2, 0.2, 0.45, NAN};
    struct tide_chart *c = chart_new(a, "folds", "Folds differ little", 4);
    struct chart_mark *m = chart_mark(c, MARK_INTERVAL, NULL, 2);
    chart_summary(
        c,
        "The difference lies between -0.5 and 0.3 over the folds; one is undefined.");
    chart_axis_x(c, "difference", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "fold", NULL, SCALE_BAND, 0, 0);
    m->horizontal = 1;
    m->x = chart_text(c, "fold", name, 4);
    m->y = chart_num(c, "difference", v, 4);
    m->lo = chart_num(c, "low", lo, 4);
    m->hi = chart_num(c, "high", hi, 4);
    m = chart_mark(c, MARK_RULE, "no difference", 0);
    m->rule = 'x';
    m->a = 0;
    return c;
}

static struct tide_chart *sample_box(struct arena *a)
{
    static const char *const name[] = {"<=50K", ">50K"};
    static const double lo[] = {18, 25}, q1[] = {25, 36}, mid[] = {34, 44},
                        q3[] = {46, 51}, hi[] = {66, 65};
    struct tide_chart *c = chart_new(a, "box/age", "age by income", 32561);
    struct chart_mark *m = chart_mark(c, MARK_BOX, NULL, 6);
    chart_summary(c, "The median age is 34 for <=50K and 44 for >50K; the boxes hold "
                     "half of the rows.");
    chart_axis_x(c, "age", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "income", NULL, SCALE_BAND, 0, 0);
    m->horizontal = 1;
    m->x = chart_text(c, "income", name, 2);
    m->lo = chart_num(c, "5 %", lo, 2);
    m->q1 = chart_num(c, "25 %", q1, 2);
    m->y = chart_num(c, "median", mid, 2);
    m->q3 = chart_num(c, "75 %", q3, 2);
    m->hi = chart_num(c, "95 %", hi, 2);
    return c;
}

static struct tide_chart *sample_scatter(struct arena *a)
{
    double x[300], y[300];
    struct tide_chart *c =
        chart_new(a, "residuals", "Large values are predicted too low", 300);
    struct chart_mark *m = chart_mark(c, MARK_POINT, NULL, 5);
    for (int i = 0; i < 300; i++) {
        x[i] = 1e6 + 1e4 * ((i * 7919) % 300);
        y[i] = ((i * 104729) % 997) * 10.0 - 5000;
    }
    y[17] = NAN;
    chart_summary(c, "Residuals lie between -5,000 and 4,950 and grow with the value "
                     "that is predicted.");
    chart_axis_x(c, "predicted", "USD", SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "actual - predicted", "USD", SCALE_LINEAR, 0, 0);
    m->x = chart_num(c, "predicted", x, 300);
    m->y = chart_num(c, "residual", y, 300);
    m = chart_mark(c, MARK_RULE, NULL, 0);
    m->rule = 'y';
    return c;
}

static struct tide_chart *sample_series(struct arena *a)
{
    static const char *const label[] = {"one",  "two", "three", "four",
                                        "five", "six", "seven", "eight"};
    double x[24], y[24];
    struct tide_chart *c = chart_new(a, "eight", "Eight series keep apart", 24);
    for (int i = 0; i < 24; i++) x[i] = 1577836800.0 + 86400.0 * 30.5 * i;
    chart_num(c, "month", x, 24);
    chart_summary(c, "Eight lines rise over two years from 2020 on; the eighth is the "
                     "steepest of all.");
    chart_axis_x(c, "time", NULL, SCALE_TIME, 0, 0);
    chart_axis_y(c, "loss", NULL, SCALE_LOG, 0, 0);
    for (int k = 0; k < 8; k++) {
        struct chart_mark *m = chart_mark(c, MARK_LINE, label[k], k + 1);
        for (int i = 0; i < 24; i++) y[i] = 0.001 * (k + 1) * (k + 1) * (i + 1);
        if (k == 2) y[10] = NAN;
        m->x = 0;
        m->y = chart_num(c, label[k], y, 24);
    }
    return c;
}

static struct tide_chart *sample_decades(struct arena *a)
{
    double x[13], y[13];
    struct tide_chart *c = chart_new(a, "decades", "Twelve decades on one axis", 13);
    struct chart_mark *m = chart_mark(c, MARK_STEP, NULL, 3);
    for (int i = 0; i < 13; i++) {
        x[i] = i ? x[i - 1] * 10 : 1e-6;
        y[i] = i % 3 - 1;
    }
    chart_summary(c, "The value steps between -1 and 1 while the size grows from one "
                     "millionth to a million.");
    chart_axis_x(c, "size", NULL, SCALE_LOG, 0, 0);
    chart_axis_y(c, "value", NULL, SCALE_LINEAR, 0, 0);
    m->x = chart_num(c, "size", x, 13);
    m->y = chart_num(c, "value", y, 13);
    return c;
}

static struct tide_chart *sample_negative(struct arena *a)
{
    static const char *const name[] = {"a", "b", "c"};
    static const double one[] = {-2, 3, 0.5}, two[] = {1, -1.5, 0};
    struct tide_chart *c =
        chart_new(a, "negative", "Two groups of bars around zero", 3);
    struct chart_mark *m = chart_mark(c, MARK_BAR, "first", 1);
    chart_summary(
        c, "Bars of both groups stand on either side of zero, from -2 up to 3 units.");
    chart_axis_x(c, "group", NULL, SCALE_BAND, 0, 0);
    chart_axis_y(c, "effect", NULL, SCALE_LINEAR, 0, 0);
    m->x = chart_text(c, "group", name, 3);
    m->y = chart_num(c, "first", one, 3);
    m = chart_mark(c, MARK_BAR, "second", 2);
    m->x = 0;
    m->y = chart_num(c, "second", two, 3);
    return c;
}

static struct tide_chart *sample_one_row(struct arena *a)
{
    static const double x[] = {7}, y[] = {7};
    struct tide_chart *c = chart_new(a, "one", "A single point", 1);
    struct chart_mark *m = chart_mark(c, MARK_POINT, NULL, 4);
    chart_summary(
        c, "There is one row, and so there is one point, at 7 and 7 of both axes.");
    chart_axis_x(c, "x", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "y", NULL, SCALE_LINEAR, 0, 0);
    m->x = chart_num(c, "x", x, 1);
    m->y = chart_num(c, "y", y, 1);
    return c;
}

static struct tide_chart *sample_empty(struct arena *a)
{
    struct tide_chart *c = chart_new(a, "empty", "Nothing left", 0);
    struct chart_mark *m = chart_mark(c, MARK_LINE, NULL, 1);
    chart_summary(
        c, "After filtering there are no rows, so there is nothing to be drawn here.");
    chart_axis_x(c, "x", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "y", NULL, SCALE_LINEAR, 0, 0);
    m->x = chart_num(c, "x", NULL, 0);
    m->y = chart_num(c, "y", NULL, 0);
    chart_note(c, "no rows after filtering");
    return c;
}

static struct tide_chart *sample_hex(struct arena *a)
{
    double x[60], y[60], n[60];
    struct tide_chart *c = chart_new(a, "hex", "Two columns move together", 6000);
    struct chart_mark *m = chart_mark(c, MARK_HEX, NULL, 1);
    for (int i = 0; i < 60; i++) {
        x[i] = i % 10 + 0.5 * (i / 10 % 2);
        y[i] = i / 10;
        n[i] = 1 + (x[i] - y[i]) * (x[i] - y[i]);
    }
    chart_summary(
        c, "Rows gather along the diagonal: the correlation of both columns is 0.71.");
    chart_axis_x(c, "x", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "y", NULL, SCALE_LINEAR, 0, 0);
    m->x = chart_num(c, "x", x, 60);
    m->y = chart_num(c, "y", y, 60);
    m->size = chart_num(c, "rows", n, 60);
    return c;
}

static struct tide_chart *(*const sample_charts[])(struct arena *) = {
    sample_roc,      sample_importance, sample_histogram, sample_confusion,
    sample_interval, sample_box,        sample_scatter,   sample_series,
    sample_decades,  sample_negative,   sample_one_row,   sample_empty,
    sample_hex};
#define SAMPLE_CHARTS ((int)(sizeof sample_charts / sizeof sample_charts[0]))
#endif
