/* charts.c - what the charts of both tasks share, and the choice by task */
#include "eval/charts.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define CURVE_STEPS 500

const char *charts_figure(char out[NUM_PRINT_MAX], double v)
{
    char digits[NUM_PRINT_MAX];
    int n, at = 0;
    if (!(fabs(v) >= 9999.5 && fabs(v) < 1e15)) {
        (void)num_print_g(out, v, 4);
        return out;
    }
    n = num_print_f(digits, fabs(v), 0); /* 38,475 */
    if (v < 0) out[at++] = '-';
    for (int i = 0; i < n; i++) {
        out[at++] = digits[i];
        if ((n - i) % 3 == 1 && i + 1 < n) out[at++] = ',';
    }
    out[at] = 0;
    return out;
}

const char *charts_name(char out[CHARTS_NAME], const char *name)
{
    return err_quote(out, CHARTS_NAME, name, strlen(name), 24);
}

int64_t charts_thin(const double *x, const double *y, int64_t n,
                    int64_t keep[CURVE_POINTS])
{
    double length = 0, step, since = 0;
    int64_t m = 0;
    for (int64_t i = 1; i < n; i++)
        length += fabs(x[i] - x[i - 1]) + fabs(y[i] - y[i - 1]);
    step = n > CURVE_POINTS ? length / CURVE_STEPS : 0;
    for (int64_t i = 0; i < n; i++) {
        if (i > 0) since += fabs(x[i] - x[i - 1]) + fabs(y[i] - y[i - 1]);
        if (i > 0 && i + 1 < n && since < step) continue;
        if (m == CURVE_POINTS) keep[--m] = i; /* the last point stays */
        keep[m++] = i;
        since = 0;
    }
    return m;
}

tide_status charts_metric(struct tide_ctx *ctx, const char *name,
                          const struct scored *s, enum metric_interval ci, char out[96],
                          double *value, tide_error *err)
{
    const struct tide_metric *m = metric_find(name, err);
    char v[NUM_PRINT_MAX], lo[NUM_PRINT_MAX], hi[NUM_PRINT_MAX];
    struct metric_value answer;
    tide_status status;
    *value = (double)NAN;
    (void)str_format(out, 96, "-");
    if (!m) return err ? err->status : TIDE_EINTERNAL;
    status = eval_value(ctx, m, NULL, s, ci, 1, &answer, err);
    if (status) return status;
    *value = answer.value;
    if (!answer.defined) return TIDE_OK;
    charts_figure(v, answer.value);
    if (isnan(answer.lo))
        (void)str_format(out, 96, "%s", v);
    else
        (void)str_format(out, 96, "%s (%s to %s, 95 %%)", v,
                         charts_figure(lo, answer.lo), charts_figure(hi, answer.hi));
    return TIDE_OK;
}

tide_status charts_done(tide_report *r, struct tide_chart *c, const char *how_to_read,
                        tide_error *err)
{
    tide_status status;
    c->how_to_read = how_to_read; /* static text */
    c->guide = "Q4";
    status = chart_finish(c, err);
    if (!status) report_chart(r, c);
    return status;
}

tide_status eval_report_charts(struct tide_ctx *ctx, tide_report *r,
                               const struct scored *s, tide_error *err)
{
    if (s->is_ranked) return TIDE_OK; /* scores have no scale to draw the target on */
    if (!scored_has_value(s)) return TIDE_OK;
    return s->task == TIDE_CLASSIFY ? class_charts(ctx, r, s, err)
                                    : value_charts(ctx, r, s, err);
}
