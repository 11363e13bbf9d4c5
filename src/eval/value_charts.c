/* value_charts.c - charts of predicted values: predicted against true, residuals against
 * predicted, and the residuals' distribution
 *
 * Up to 2,000 rows are points; above, hexagonal bins (Carr et al. 1987) on a grid of 32
 * columns. Values further out than 1.5 times the range of the middle 99 % are left out of the
 * hexagons and declared. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "eval/charts.h"
#include "math/sort.h"
#include "math/special.h"

#define POINTS_MAX  2000
#define HEX_COLUMNS 32
#define HEX_ROWS    28
#define HEX_CELLS   ((HEX_COLUMNS + 2) * (HEX_ROWS + 3))
#define TREND       20
#define FAR         1.5

/* Ends of an axis that leave far values out; returns how many those are. */
static tide_status value_range(struct arena *temp, const double *v, int64_t n,
                               double *lo, double *hi, tide_error *err)
{
    struct arena_mark mark = arena_mark(temp);
    double *sorted = arena_array(temp, n, sizeof *sorted), q0, q1;
    if (!sorted) return arena_status(temp, err);
    memcpy(sorted, v, (size_t)n * sizeof *sorted);
    if (sort_f64(temp, sorted, n)) return arena_status(temp, err);
    q0 = quantile_sorted(sorted, n, 0.005);
    q1 = quantile_sorted(sorted, n, 0.995);
    *lo = sorted[0];
    *hi = sorted[n - 1];
    if (q1 > q0 && *lo < q0 - FAR * (q1 - q0)) *lo = q0 - FAR * (q1 - q0);
    if (q1 > q0 && *hi > q1 + FAR * (q1 - q0)) *hi = q1 + FAR * (q1 - q0);
    if (!(*hi > *lo)) {
        double pad = fabs(*lo) > 1 ? fabs(*lo) * 0.01 : 0.5;
        *lo -= pad;
        *hi += pad;
    }
    arena_reset(temp, mark);
    return TIDE_OK;
}

/* Nearest centre of the two interleaved grids; cell number. u, v: columns and rows. */
static int hex_cell(double u, double v)
{
    double u1 = floor(u + 0.5), v1 = 2 * floor(v / 2 + 0.5);
    double u2 = floor(u) + 0.5, v2 = 2 * floor(v / 2) + 1;
    double d1 = (u - u1) * (u - u1) + 0.75 * (v - v1) * (v - v1);
    double d2 = (u - u2) * (u - u2) + 0.75 * (v - v2) * (v - v2);
    int row = (int)(d1 <= d2 ? v1 : v2), column = (int)floor(d1 <= d2 ? u1 : u2);
    return row * (HEX_COLUMNS + 2) + column;
}

/* A cloud of rows as points or hexagons. */
static tide_status value_cloud(struct tide_chart *c, struct arena *temp,
                               const double *x, const double *y, int64_t n,
                               tide_error *err)
{
    double x0, x1, y0, y1, dx, dy, *count, *px, *py, *size;
    int64_t out = 0;
    int m = 0;
    struct chart_mark *mark;
    tide_status status;
    if (n <= POINTS_MAX) {
        mark = chart_mark(c, MARK_POINT, NULL, 1);
        mark->x = chart_num(c, "x", x, n);
        mark->y = chart_num(c, "y", y, n);
        return TIDE_OK;
    }
    status = value_range(temp, x, n, &x0, &x1, err);
    if (!status) status = value_range(temp, y, n, &y0, &y1, err);
    if (status) return status;
    count = arena_array(temp, HEX_CELLS, sizeof *count);
    px = arena_array(temp, HEX_CELLS, sizeof *px);
    py = arena_array(temp, HEX_CELLS, sizeof *py);
    size = arena_array(temp, HEX_CELLS, sizeof *size);
    if (temp->failed) return arena_status(temp, err);
    memset(count, 0, HEX_CELLS * sizeof *count);
    dx = (x1 - x0) / HEX_COLUMNS;
    dy = (y1 - y0) / HEX_ROWS;
    for (int64_t i = 0; i < n; i++) {
        if (x[i] < x0 || x[i] > x1 || y[i] < y0 || y[i] > y1)
            out++;
        else
            count[hex_cell((x[i] - x0) / dx, (y[i] - y0) / dy)] += 1;
    }
    for (int j = 0; j < HEX_CELLS; j++) {
        int row = j / (HEX_COLUMNS + 2), column = j % (HEX_COLUMNS + 2);
        if (!(count[j] > 0)) continue;
        px[m] = x0 + dx * (column + (row & 1 ? 0.5 : 0));
        py[m] = y0 + dy * row;
        size[m++] = count[j];
    }
    mark = chart_mark(c, MARK_HEX, NULL, 1);
    mark->x = chart_num(c, "x", px, m);
    mark->y = chart_num(c, "y", py, m);
    mark->size = chart_num(c, "rows", size, m);
    mark->a = dx;
    mark->b = dy;
    c->colour = (struct chart_axis){.label = "rows"};
    if (out) chart_note(c, "%lld rows far out are not drawn", (long long)out);
    return TIDE_OK;
}

static void value_rule(struct tide_chart *c, int kind, double a, double b,
                       const char *label)
{
    struct chart_mark *rule = chart_mark(c, MARK_RULE, label, 0);
    rule->rule = kind;
    rule->a = a;
    rule->b = b;
}

static tide_status chart_predicted(struct tide_ctx *ctx, tide_report *r,
                                   struct arena *temp, const struct scored *s,
                                   tide_error *err)
{
    char r2[96], mae[96], lo[NUM_PRINT_MAX], hi[NUM_PRINT_MAX];
    double value, least = s->y[0], most = s->y[0];
    struct tide_chart *c;
    tide_status status = charts_metric(ctx, "r2", s, METRIC_CI_NONE, r2, &value, err);
    if (!status)
        status = charts_metric(ctx, "mae", s, METRIC_CI_NONE, mae, &value, err);
    if (status) return status;
    for (int64_t i = 1; i < s->n; i++) {
        least = s->y[i] < least ? s->y[i] : least;
        most = s->y[i] > most ? s->y[i] : most;
    }
    c = chart_new(&r->arena, "predicted", "Predicted against true", s->n);
    c->is_key = 1;
    chart_axis_x(c, "true value", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "predicted value", NULL, SCALE_LINEAR, 0, 0);
    status = value_cloud(c, temp, s->y, s->out, s->n, err);
    if (status) return status;
    value_rule(c, 'l', 0, 1, "exact");
    chart_summary(
        c,
        "R2 is %s: over %lld rows with true values from %s to %s the predictions "
        "are %s away on average.",
        r2, (long long)s->n, charts_figure(lo, least), charts_figure(hi, most), mae);
    return charts_done(
        r, c,
        "On the diagonal a prediction is exact. A cloud flatter than the "
        "diagonal pulls everything towards the mean.",
        err);
}

/* Mean residual of groups of rows in order of the prediction. */
static tide_status residual_trend(struct tide_chart *c, struct arena *temp,
                                  const struct scored *s, const double *e,
                                  double *worst, tide_error *err)
{
    uint32_t *idx = arena_array(temp, s->n, sizeof *idx);
    double x[TREND], y[TREND];
    int groups = s->n < TREND * 5 ? (int)(s->n / 5) : TREND;
    struct chart_mark *line;
    *worst = 0;
    if (!idx || sort_index_f64(temp, s->out, s->n, idx)) return arena_status(temp, err);
    if (groups < 2) return TIDE_OK;
    for (int g = 0; g < groups; g++) {
        int64_t i0 = s->n * g / groups, i1 = s->n * (g + 1) / groups;
        x[g] = y[g] = 0;
        for (int64_t i = i0; i < i1; i++) {
            x[g] += s->out[idx[i]] / (double)(i1 - i0);
            y[g] += e[idx[i]] / (double)(i1 - i0);
        }
        if (fabs(y[g]) > fabs(*worst)) *worst = y[g];
    }
    line = chart_mark(c, MARK_LINE, "mean", 2);
    line->x = chart_num(c, "mean: predicted", x, groups);
    line->y = chart_num(c, "mean: residual", y, groups);
    return TIDE_OK;
}

static tide_status chart_residuals(tide_report *r, struct arena *temp,
                                   const struct scored *s, const double *e,
                                   tide_error *err)
{
    double mean = 0, worst = 0;
    char t[2][NUM_PRINT_MAX];
    struct tide_chart *c =
        chart_new(&r->arena, "residuals", "Residuals against predicted", s->n);
    tide_status status;
    for (int64_t i = 0; i < s->n; i++) mean += e[i] / (double)s->n;
    chart_axis_x(c, "predicted value", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "true - predicted", NULL, SCALE_LINEAR, 0, 0);
    status = value_cloud(c, temp, s->out, e, s->n, err);
    if (!status) status = residual_trend(c, temp, s, e, &worst, err);
    if (status) return status;
    value_rule(c, 'y', 0, 0, "exact");
    chart_summary(c,
                  "The mean residual is %s over %lld rows; among groups of like "
                  "predictions it strays furthest to %s.",
                  charts_figure(t[0], mean), (long long)s->n,
                  charts_figure(t[1], worst));
    return charts_done(
        r, c,
        "A line of means that bends is structure the model has missed; a cloud "
        "that widens means larger errors for larger values.",
        err);
}

static tide_status chart_errors(tide_report *r, struct arena *temp,
                                const struct scored *s, const double *e,
                                tide_error *err)
{
    struct chart_bins bins;
    double *sorted = arena_array(temp, s->n, sizeof *sorted);
    char t[3][NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *m;
    tide_status status;
    if (!sorted) return arena_status(temp, err);
    memcpy(sorted, e, (size_t)s->n * sizeof *sorted);
    if (sort_f64(temp, sorted, s->n)) return arena_status(temp, err);
    status = chart_histogram(temp, e, s->n, &bins, err);
    if (status) return status;
    c = chart_new(&r->arena, "errors", "Distribution of residuals", s->n);
    chart_axis_x(c, "true - predicted", NULL, bins.is_log ? SCALE_LOG : SCALE_LINEAR, 0,
                 0);
    chart_axis_y(c, "rows", NULL, SCALE_LINEAR, 0, 0);
    m = chart_mark(c, MARK_BAR, NULL, 1);
    m->lo = m->bins_lo = chart_num(c, "from", bins.lo, bins.n);
    m->hi = chart_num(c, "to", bins.hi, bins.n);
    m->y = chart_num(c, "rows", bins.count, bins.n);
    if (bins.below)
        chart_note(c, "%lld rows further below are in the first bar",
                   (long long)bins.below);
    if (bins.above)
        chart_note(c, "%lld rows further above are in the last bar",
                   (long long)bins.above);
    chart_summary(
        c,
        "Half of %lld residuals lie between %s and %s; their median is %s, and 0 "
        "would be an exact prediction.",
        (long long)s->n, charts_figure(t[0], quantile_sorted(sorted, s->n, 0.25)),
        charts_figure(t[1], quantile_sorted(sorted, s->n, 0.75)),
        charts_figure(t[2], quantile_sorted(sorted, s->n, 0.5)));
    return charts_done(
        r, c,
        "A heap around 0 is what is wanted; a long tail on one side is a kind "
        "of row the model mistakes in the same way.",
        err);
}

tide_status value_charts(struct tide_ctx *ctx, tide_report *r, const struct scored *s,
                         tide_error *err)
{
    struct arena temp;
    double *e;
    tide_status status = TIDE_OK;
    if (s->n < 1 || s->n > UINT32_MAX) return TIDE_OK;
    arena_init(&temp, ctx);
    e = arena_array(&temp, s->n, sizeof *e);
    if (!e) status = arena_status(&temp, err);
    for (int64_t i = 0; !status && i < s->n; i++) e[i] = s->y[i] - s->out[i];
    if (!status) status = chart_predicted(ctx, r, &temp, s, err);
    if (!status) status = chart_residuals(r, &temp, s, e, err);
    if (!status) status = chart_errors(r, &temp, s, e, err);
    arena_free(&temp);
    return status;
}
