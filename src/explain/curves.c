/* curves.c - how a score goes with one column: partial dependence, single rows, local effects
 *
 * Partial dependence   every row of the sample gets each value of a grid in turn; the mean of
 *                      the scores (Friedman 2001), and of single rows (Goldstein et al. 2015) the
 *                      tenth and ninetieth hundredth at each value
 * Local effects        rows of a group of quantiles are scored at both its edges; mean
 *                      differences, accumulated and centred by counts (Apley, Zhu 2020): free of
 *                      combinations of values that do not occur
 */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "explain/explain.h"
#include "math/sort.h"
#include "math/special.h"

#define GRID   24
#define LEVELS 12

/* A column of the sample's rows with the same number or level everywhere. */
static struct column *constant(struct explanation *e, int j, double number,
                               uint32_t level)
{
    struct arena *a = &e->arena;
    const struct column *from = e->v.cols[j];
    struct column *c = arena_zero(a, sizeof *c);
    if (!c) return NULL;
    *c = (struct column){.name = from->name, .n_rows = e->n, .type = TIDE_F64};
    if (from->type == TIDE_CAT) {
        uint32_t *code = arena_array(a, e->n, sizeof *code);
        for (int64_t i = 0; code && i < e->n; i++) code[i] = level;
        c->type = TIDE_CAT;
        c->dict = from->dict;
        c->code = code;
        return code ? c : NULL;
    }
    double *x = arena_array(a, e->n, sizeof *x);
    for (int64_t i = 0; x && i < e->n; i++) x[i] = number;
    c->f64 = x;
    return x ? c : NULL;
}

static tide_status score_at(struct explanation *e, int j, double number, uint32_t level,
                            tide_error *err)
{
    struct column *c = constant(e, j, number, level);
    if (!c) return arena_status(&e->arena, err);
    return explain_with(e, j, c, err);
}

/* Distinct quantiles of the present values, ascending. Returns how many. */
static int grid_of(struct explanation *e, int j, double grid[GRID + 1])
{
    struct arena *a = &e->arena;
    double *x = arena_array(a, e->n, sizeof *x);
    int64_t n = 0;
    int m = 0;
    if (!x) return 0;
    view_numbers(&e->v, j, 0, e->n, x);
    for (int64_t i = 0; i < e->n; i++)
        if (!isnan(x[i])) x[n++] = x[i];
    if (n == 0 || sort_f64(a, x, n)) return 0;
    for (int k = 0; k <= GRID; k++) {
        double q = x[(int64_t)((double)(n - 1) * k / GRID)];
        if (m == 0 || q > grid[m - 1]) grid[m++] = q;
    }
    return m;
}

/* Most frequent levels of a category, by number. Returns how many. */
static int levels_of(struct explanation *e, int j, uint32_t level[LEVELS])
{
    const struct column *c = e->v.cols[j];
    struct arena *a = &e->arena;
    uint32_t n = c->dict.n, *order = arena_array(a, n, sizeof *order);
    double *minus = arena_zero(a, ((size_t)n + 1) * sizeof *minus);
    int m = 0;
    if (!order || !minus) return 0;
    for (int64_t i = 0; i < e->n; i++)
        if (c->code[i] != CODE_MISSING) minus[c->code[i]]--;
    if (sort_index_f64(a, minus, n, order)) return 0;
    while (m < LEVELS && m < (int)n && minus[order[m]] < 0) {
        level[m] = order[m];
        m++;
    }
    return m;
}

/* Mean and the tenth and ninetieth hundredth of what is scored now. */
static tide_status spread_of_work(struct explanation *e, double *mean, double *lo,
                                  double *hi, tide_error *err)
{
    double *v = arena_array(&e->arena, e->n, sizeof *v), sum = 0;
    if (!v) return arena_status(&e->arena, err);
    for (int64_t i = 0; i < e->n; i++) {
        v[i] = e->work[i * e->width + e->class_no];
        sum += v[i];
    }
    if (sort_f64(&e->arena, v, e->n)) return arena_status(&e->arena, err);
    *mean = sum / (double)e->n;
    *lo = quantile_sorted(v, e->n, 0.1);
    *hi = quantile_sorted(v, e->n, 0.9);
    return TIDE_OK;
}

static struct tide_chart *curve_chart(struct explanation *e, int j, const char *kind,
                                      const char *what)
{
    struct arena *a = &e->report->arena;
    char key[96], title[128], name[64];
    const char *of = e->v.cols[j]->name;
    (void)err_quote(name, sizeof name, of, strlen(of), 48);
    (void)str_format(key, sizeof key, "%s_%s", kind, name);
    (void)str_format(title, sizeof title, "%s of %s", what, name);
    const char *kept = arena_str(a, key), *shown = arena_str(a, title);
    return chart_new(a, kept ? kept : kind, shown ? shown : what, e->n);
}

static tide_status dependence(struct explanation *e, int j, const double *grid,
                              const uint32_t *level, int m, tide_error *err)
{
    double mean[GRID + 1], lo[GRID + 1], hi[GRID + 1];
    const char *name[LEVELS];
    const struct column *col = e->v.cols[j];
    tide_status status = TIDE_OK;
    struct arena_mark mark = arena_mark(&e->arena);
    char least[NUM_PRINT_MAX], most[NUM_PRINT_MAX];
    int low = 0, high = 0;
    for (int k = 0; k < m && !status; k++) {
        status = score_at(e, j, level ? 0 : grid[k], level ? level[k] : 0, err);
        if (!status) status = spread_of_work(e, &mean[k], &lo[k], &hi[k], err);
        arena_reset(&e->arena, mark);
        if (mean[k] < mean[low]) low = k;
        if (mean[k] > mean[high]) high = k;
        size_t len = 0;
        const char *text = level ? dict_text(&col->dict, level[k], &len) : NULL;
        if (text) name[k] = arena_strn(&e->report->arena, text, len);
        if (text && !name[k]) status = arena_status(&e->report->arena, err);
    }
    if (status) return status;
    struct tide_chart *c = curve_chart(e, j, "pdp", "Partial dependence");
    chart_axis_x(c, col->name, NULL, level ? SCALE_BAND : SCALE_LINEAR, 0, 0);
    chart_axis_y(c, explain_says(e), NULL, SCALE_LINEAR, 0, 0);
    int x =
        level ? chart_text(c, col->name, name, m) : chart_num(c, col->name, grid, m);
    int at = chart_num(c, "mean", mean, m), from = chart_num(c, "tenth", lo, m),
        to = chart_num(c, "ninetieth", hi, m);
    if (level) {
        struct chart_mark *q = chart_mark(c, MARK_INTERVAL, NULL, 1);
        q->x = x;
        q->y = at;
        q->lo = from;
        q->hi = to;
    } else {
        struct chart_mark *band = chart_mark(c, MARK_BAND, "eight rows in ten", 1);
        band->x = x;
        band->lo = from;
        band->hi = to;
        struct chart_mark *line = chart_mark(c, MARK_LINE, "mean of all rows", 1);
        line->x = x;
        line->y = at;
    }
    chart_summary(c, "Over its values the mean of the %s goes from %s to %s.",
                  explain_says(e), explain_figure(least, mean[low]),
                  explain_figure(most, mean[high]));
    status = chart_finish(c, err);
    if (!status) report_chart(e->report, c);
    return status;
}

/* Means of local differences of the groups between edges grid[0..m). */
static tide_status local_effects(struct explanation *e, int j, const double *grid,
                                 int m, double *effect, tide_error *err)
{
    struct arena *a = &e->arena;
    double *x = arena_array(a, e->n, sizeof *x), *at = arena_array(a, e->n, sizeof *at);
    double *low = arena_array(a, e->n, sizeof *low);
    int32_t *group = arena_array(a, e->n, sizeof *group);
    double sum[GRID] = {0}, count[GRID] = {0}, centre = 0, all = 0;
    if (a->failed) return arena_status(a, err);
    struct column own = {
        .name = e->v.cols[j]->name, .type = TIDE_F64, .n_rows = e->n, .f64 = at};
    view_numbers(&e->v, j, 0, e->n, x);
    for (int64_t i = 0; i < e->n; i++) {
        group[i] = isnan(x[i]) ? -1 : 0;
        while (group[i] >= 0 && group[i] + 2 < m && grid[group[i] + 1] < x[i])
            group[i]++;
    }
    tide_status status = TIDE_OK;
    for (int side = 0; side < 2 && !status; side++) {
        for (int64_t i = 0; i < e->n; i++)
            at[i] = group[i] < 0 ? (double)NAN : grid[group[i] + side];
        own.n_missing = 0;
        for (int64_t i = 0; i < e->n; i++) own.n_missing += group[i] < 0;
        status = explain_with(e, j, &own, err);
        for (int64_t i = 0; i < e->n && !status; i++) {
            double v = e->work[i * e->width + e->class_no];
            if (side == 0) {
                low[i] = v;
            } else if (group[i] >= 0) {
                sum[group[i]] += v - low[i];
                count[group[i]]++;
            }
        }
    }
    effect[0] = 0;
    for (int g = 0; g + 1 < m; g++) {
        effect[g + 1] = effect[g] + (count[g] > 0 ? sum[g] / count[g] : 0);
        centre += count[g] * (effect[g] + effect[g + 1]) / 2;
        all += count[g];
    }
    for (int g = 0; g < m && all > 0; g++) effect[g] -= centre / all;
    return status;
}

static tide_status effects(struct explanation *e, int j, const double *grid, int m,
                           tide_error *err)
{
    double effect[GRID + 1];
    char most[NUM_PRINT_MAX];
    struct arena_mark mark = arena_mark(&e->arena);
    tide_status status = local_effects(e, j, grid, m, effect, err);
    arena_reset(&e->arena, mark);
    if (status) return status;
    struct tide_chart *c = curve_chart(e, j, "ale", "Accumulated local effects");
    chart_axis_x(c, e->v.cols[j]->name, NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "difference from the mean", NULL, SCALE_LINEAR, 0, 0);
    struct chart_mark *line = chart_mark(c, MARK_LINE, NULL, 1);
    line->x = chart_num(c, e->v.cols[j]->name, grid, m);
    line->y = chart_num(c, "effect", effect, m);
    chart_summary(c, "Between its least and its largest value the %s changes by %s.",
                  explain_says(e), explain_figure(most, effect[m - 1] - effect[0]));
    status = chart_finish(c, err);
    if (!status) report_chart(e->report, c);
    return status;
}

tide_status explain_curves(struct explanation *e, int j, tide_error *err)
{
    const struct column *c = e->v.cols[j];
    double grid[GRID + 1];
    uint32_t level[LEVELS];
    if (c->type == TIDE_CAT) {
        int m = levels_of(e, j, level);
        if (e->arena.failed) return arena_status(&e->arena, err);
        return m < 2 ? TIDE_OK : dependence(e, j, NULL, level, m, err);
    }
    if (c->type == TIDE_TIME) return TIDE_OK; /* steps take times apart */
    int m = grid_of(e, j, grid);
    if (e->arena.failed) return arena_status(&e->arena, err);
    if (m < 2) return TIDE_OK;
    tide_status status = dependence(e, j, grid, NULL, m, err);
    return status ? status : effects(e, j, grid, m, err);
}
