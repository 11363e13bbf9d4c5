/* plot.c - a chart's axes resolved once for every back end: domains, names, places
 *
 * The domain is the description's, else that of the data: bars begin at 0, others get 4 % of
 * air, logarithmic axes end at 1, 2 or 5 times a power of ten. Names keep their order of
 * appearance, which the code that made the chart has chosen. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "report/report.h"

int plot_is_histogram(const struct chart_mark *m)
{
    return m->kind == MARK_BAR && m->hi >= 0 &&
           (m->bins_lo >= 0 || (m->x < 0 && m->lo >= 0));
}

int64_t plot_length(const struct tide_chart *c, const struct chart_mark *m)
{
    const int use[] = {m->x, m->y, m->lo, m->hi, m->size, m->text, m->bins_lo};
    for (size_t i = 0; i < sizeof use / sizeof use[0]; i++)
        if (use[i] >= 0) return c->series[use[i]].n;
    return 0;
}

const char *plot_cell(const struct chart_series *s, int64_t i, struct figure *f,
                      int digits)
{
    if (s->text) return s->text[i];
    return figure_number(f, s->num[i], digits);
}

static int find_cat(const struct plot_axis *axis, const char *name, int64_t guess)
{
    if (guess < axis->n_cats && str_same(axis->cats[guess], name)) return (int)guess;
    for (int i = 0; i < axis->n_cats; i++)
        if (str_same(axis->cats[i], name)) return i;
    return -1;
}

static void add_cat(struct plot *p, struct plot_axis *axis, const char *name)
{
    if (axis->n_cats > 0 && str_same(axis->cats[axis->n_cats - 1], name)) return;
    if (find_cat(axis, name, 0) >= 0) return;
    if (axis->n_cats == axis->cap) {
        int cap = axis->cap ? 2 * axis->cap : 16;
        const char **cats = arena_array(p->arena, cap, sizeof *cats);
        if (!cats) return;
        if (axis->n_cats) memcpy(cats, axis->cats, (size_t)axis->n_cats * sizeof *cats);
        axis->cats = cats;
        axis->cap = cap;
    }
    axis->cats[axis->n_cats++] = arena_str(p->arena, name);
}

static void widen(struct plot_axis *axis, double v)
{
    if (!isfinite(v)) return;
    if (!(axis->lo <= v)) axis->lo = v;
    if (!(axis->hi >= v)) axis->hi = v;
}

/* A series that lies on an axis: its names or its range. */
static void take_series(struct plot *p, struct plot_axis *axis, int index)
{
    const struct chart_series *s;
    struct figure f;
    if (index < 0) return;
    s = &p->chart->series[index];
    if (s->text) axis->scale = SCALE_BAND;
    for (int64_t i = 0; i < s->n; i++) {
        if (axis->scale == SCALE_BAND)
            add_cat(p, axis, plot_cell(s, i, &f, 4));
        else
            widen(axis, s->num[i]);
    }
}

static void take_mark(struct plot *p, const struct chart_mark *m)
{
    struct plot_axis *along = m->horizontal ? &p->y : &p->x;
    struct plot_axis *across = m->horizontal ? &p->x : &p->y;
    if (m->kind == MARK_RULE) {
        if (m->rule == 'x') widen(&p->x, m->a);
        if (m->rule == 'y') widen(&p->y, m->a);
        return;
    }
    if (plot_is_histogram(m)) {
        take_series(p, along, m->lo);
        take_series(p, along, m->bins_lo);
        take_series(p, along, m->hi);
    } else {
        take_series(p, across, m->lo);
        take_series(p, across, m->hi);
    }
    if (m->kind == MARK_CELL)
        p->x.scale = p->y.scale = SCALE_BAND; /* a grid of names */
    take_series(p, along, m->x);
    take_series(p, across, m->y);
    take_series(p, across, m->q1);
    take_series(p, across, m->q3);
    if (m->kind == MARK_BAR) widen(across, 0);
    if (m->kind == MARK_BAR && !plot_is_histogram(m)) p->n_bars++;
    if (m->kind == MARK_CELL || m->kind == MARK_HEX) {
        const struct chart_series *s = m->size >= 0 ? &p->chart->series[m->size] : NULL;
        p->colour_lo = 0;
        for (int64_t i = 0; s && s->num && i < s->n; i++) {
            if (isnan(s->num[i])) continue;
            if (!(p->colour_lo <= s->num[i])) p->colour_lo = s->num[i];
            if (!(p->colour_hi >= s->num[i])) p->colour_hi = s->num[i];
        }
    }
}

/* The next of 1, 2, 5 times a power of ten at or beyond v, downwards or upwards. */
static double round_log(double v, int up)
{
    double p = 1, best;
    while (p > v && p > 1e-300) p /= 10;
    while (p * 10 <= v && p < 1e300) p *= 10;
    if (up) return v <= p ? p : v <= 2 * p ? 2 * p : v <= 5 * p ? 5 * p : 10 * p;
    best = v >= 5 * p ? 5 * p : v >= 2 * p ? 2 * p : p;
    return best;
}

static int touches_bars(const struct plot *p, const struct plot_axis *axis)
{
    for (int i = 0; i < p->chart->n_marks; i++) {
        const struct chart_mark *m = &p->chart->marks[i];
        if (m->kind == MARK_BAR && (m->horizontal ? axis == &p->x : axis == &p->y))
            return 1;
        if (plot_is_histogram(m)) return 2;
    }
    return 0;
}

static void settle(const struct plot *p, struct plot_axis *axis,
                   const struct chart_axis *wish)
{
    double air;
    int bars = touches_bars(p, axis);
    axis->reversed = wish->reversed;
    if (axis->scale == SCALE_BAND) {
        axis->reversed = axis == &p->y; /* names are read from the top */
        axis->lo = 0;
        axis->hi = axis->n_cats > 0 ? axis->n_cats : 1;
    } else if (wish->lo < wish->hi) {
        axis->lo = wish->lo;
        axis->hi = wish->hi;
    } else if (!isfinite(axis->lo)) {
        axis->lo = axis->scale == SCALE_LOG ? 1 : axis->scale == SCALE_LOGIT ? 0.01 : 0;
        axis->hi = axis->scale == SCALE_LOG     ? 10
                   : axis->scale == SCALE_LOGIT ? 0.99
                                                : 1;
    } else if (axis->scale == SCALE_LOG) {
        axis->lo = round_log(axis->lo, 0);
        axis->hi = round_log(axis->hi, 1);
        if (!(axis->lo < axis->hi)) axis->hi = axis->lo * 10;
    } else if (axis->scale != SCALE_LOGIT) {
        air = (axis->hi / 2 - axis->lo / 2) * 0.08;
        if (!(air > 0)) air = axis->hi != 0 ? fabs(axis->hi) * 0.1 : 0.5;
        if (bars == 2 && axis->lo < axis->hi) air = 0; /* edges of bins are the frame */
        if (!(bars == 1 && axis->lo == 0)) axis->lo -= air;
        if (!(bars == 1 && axis->hi == 0)) axis->hi += air;
    }
    axis->even_lo = scale_even(axis->scale, axis->lo);
    axis->even_hi = scale_even(axis->scale, axis->hi);
}

int plot_init(struct plot *p, const struct tide_chart *c, struct arena *a)
{
    memset(p, 0, sizeof *p);
    p->arena = a;
    p->chart = c;
    p->x = (struct plot_axis){.scale = c->x.scale, .lo = NAN, .hi = NAN};
    p->y = (struct plot_axis){.scale = c->y.scale, .lo = NAN, .hi = NAN};
    p->colour_lo = p->colour_hi = NAN;
    p->is_empty = 1;
    for (int i = 0; i < c->n_marks; i++) {
        take_mark(p, &c->marks[i]);
        if (c->marks[i].kind != MARK_RULE && plot_length(c, &c->marks[i]) > 0)
            p->is_empty = 0;
    }
    if (c->colour.lo < c->colour.hi) {
        p->colour_lo = c->colour.lo;
        p->colour_hi = c->colour.hi;
    }
    settle(p, &p->x, &c->x);
    settle(p, &p->y, &c->y);
    return a->failed ? -1 : 0;
}

double plot_at(const struct plot_axis *axis, double v)
{
    double t =
        (scale_even(axis->scale, v) - axis->even_lo) / (axis->even_hi - axis->even_lo);
    return axis->reversed ? 1 - t : t;
}

double plot_value(const struct plot *p, const struct plot_axis *axis, int series,
                  int64_t i)
{
    const struct chart_series *s;
    struct figure f;
    int cat;
    if (series < 0) return NAN;
    s = &p->chart->series[series];
    if (axis->scale != SCALE_BAND) {
        if (s->num) return s->num[i];
        return NAN;
    }
    cat = find_cat(axis, plot_cell(s, i, &f, 4), i);
    if (cat < 0) return NAN;
    return cat + 0.5;
}
