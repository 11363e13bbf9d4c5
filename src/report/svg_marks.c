/* svg_marks.c - the marks of a picture, one path or few for each */
#include <math.h>
#include <string.h>

#include "report/svg.h"

#define SHAPES 200 /* points that get a shape; above, dots of one path */

static void place(const struct svg *g, const struct chart_mark *m, int y_series,
                  int64_t i, double at[2])
{
    const struct plot *p = g->p;
    double along = plot_value(p, m->horizontal ? &p->y : &p->x, m->x, i);
    double across = plot_value(p, m->horizontal ? &p->x : &p->y, y_series, i);
    at[0] = plot_at(&p->x, m->horizontal ? across : along);
    at[1] = plot_at(&p->y, m->horizontal ? along : across);
}

static int is_gap(const double at[2])
{
    return isnan(at[0]) || isnan(at[1]);
}

static int is_outside(const double at[2])
{
    return is_gap(at) || at[0] < -1e-9 || at[0] > 1 + 1e-9 || at[1] < -1e-9 ||
           at[1] > 1 + 1e-9;
}

static void curve(struct svg *g, const struct chart_mark *m)
{
    int64_t n = plot_length(g->p->chart, m);
    svg_path_begin(g, "ln", palette_slots[m->slot].dash);
    for (int64_t i = 0; i < n; i++) {
        double at[2];
        int x, y;
        place(g, m, m->y, i, at);
        if (is_gap(at)) {
            g->is_open = 0;
            continue;
        }
        x = svg_x(g, at[0]);
        y = svg_y(g, at[1]);
        if (m->kind == MARK_STEP && g->is_open) svg_line(g, x, g->py);
        if (!g->is_open || x != g->px || y != g->py) svg_line(g, x, y);
    }
    svg_path_end(g);
}

/* There along the upper end, back along the lower; gaps part the area. */
static void band(struct svg *g, const struct chart_mark *m)
{
    int64_t n = plot_length(g->p->chart, m), from = 0;
    svg_path_begin(g, "ar", NULL);
    for (int64_t i = 0; i <= n; i++) {
        double hi[2] = {NAN, NAN}, lo[2] = {NAN, NAN};
        if (i < n) {
            place(g, m, m->hi, i, hi);
            place(g, m, m->lo, i, lo);
        }
        if (!is_gap(hi) && !is_gap(lo)) {
            svg_line(g, svg_x(g, hi[0]), svg_y(g, hi[1]));
            continue;
        }
        for (int64_t k = i - 1; k >= from && g->is_open; k--) {
            place(g, m, m->lo, k, lo);
            svg_line(g, svg_x(g, lo[0]), svg_y(g, lo[1]));
        }
        if (g->is_open) svg_close(g);
        from = i + 1;
    }
    svg_path_end(g);
}

static void histogram(struct svg *g, const struct chart_mark *m, const char *class)
{
    const struct plot *p = g->p;
    int edge = m->lo >= 0 ? m->lo : m->bins_lo;
    int64_t n = plot_length(p->chart, m);
    int zero = svg_y(g, plot_at(&p->y, p->y.scale == SCALE_LOG ? p->y.lo : 0));
    svg_path_begin(g, class, NULL);
    for (int64_t i = 0; i < n; i++) {
        double a = plot_at(&p->x, plot_value(p, &p->x, edge, i));
        double b = plot_at(&p->x, plot_value(p, &p->x, m->hi, i));
        double v = plot_at(&p->y, plot_value(p, &p->y, m->y, i));
        int x0, x1, y;
        if (isnan(a) || isnan(b) || isnan(v)) continue;
        x0 = svg_x(g, a < b ? a : b);
        x1 = svg_x(g, a < b ? b : a);
        y = svg_y(g, v);
        if (x1 - x0 > 30) x1 -= 10; /* 1 px of air */
        if (y != zero) svg_rect(g, x0, y, x1, zero);
    }
    svg_path_end(g);
}

/* Half the width of a bar or box on the axis of names, and the middle of the bar. */
static int bar_middle(const struct svg *g, const struct chart_mark *m, int bar,
                      double at, int *half)
{
    const struct plot *p = g->p;
    const struct plot_axis *names = m->horizontal ? &p->y : &p->x;
    int span = m->horizontal ? g->h : g->w, n = names->n_cats, bars = p->n_bars, band,
        each;
    int mid = m->horizontal ? svg_y(g, at) : svg_x(g, at);
    if (n == 0) n = (int)plot_length(p->chart, m) + 1;
    if (bars < 1 || m->kind != MARK_BAR) bars = 1;
    band = span / n * 8 / 10;
    each = band / bars;
    *half = each / 2 > 5 ? (bars > 1 ? each / 2 - 5 : each / 2) : each / 2;
    if (m->kind != MARK_BAR) {
        if (*half > 140) *half = 140;
        return mid;
    }
    if (*half > 300) *half = 300;
    if (bars == 1) return mid;
    return mid + ((2 * bar + 1 - bars) * each) / 2;
}

/* A rectangle that may lie on its side, held inside the plane: bars at numbers may stand at
 * its very end. `along` is the axis of names. */
static void side_rect(struct svg *g, int horizontal, int mid, int half, int from,
                      int to)
{
    int least = horizontal ? g->top : g->left,
        most = least + (horizontal ? g->h : g->w);
    int a = mid - half < least ? least : mid - half,
        b = mid + half > most ? most : mid + half;
    int lo = from < to ? from : to, hi = from < to ? to : from;
    if (horizontal)
        svg_rect(g, lo, a, hi, b);
    else
        svg_rect(g, a, lo, b, hi);
}

static int across(const struct svg *g, const struct chart_mark *m, double at)
{
    return m->horizontal ? svg_x(g, at) : svg_y(g, at);
}

static void stroke(struct svg *g, int horizontal, int mid, int from, int to)
{
    svg_move(g, horizontal ? from : mid, horizontal ? mid : from);
    svg_line(g, horizontal ? to : mid, horizontal ? mid : to);
}

static void cap(struct svg *g, int horizontal, int mid, int half, int at)
{
    svg_move(g, horizontal ? at : mid - half, horizontal ? mid - half : at);
    svg_line(g, horizontal ? at : mid + half, horizontal ? mid + half : at);
}

/* Place of value i of a series on the axis of values; NaN for a gap. */
static double value_at(const struct svg *g, const struct chart_mark *m, int series,
                       int64_t i)
{
    const struct plot_axis *axis = m->horizontal ? &g->p->x : &g->p->y;
    return plot_at(axis, plot_value(g->p, axis, series, i));
}

static double name_at(const struct svg *g, const struct chart_mark *m, int64_t i)
{
    const struct plot_axis *axis = m->horizontal ? &g->p->y : &g->p->x;
    return plot_at(axis, plot_value(g->p, axis, m->x, i));
}

static void whiskers(struct svg *g, const struct chart_mark *m, int bar,
                     const char *class)
{
    int64_t n = plot_length(g->p->chart, m);
    if (m->lo < 0 || m->hi < 0) return;
    svg_path_begin(g, class, NULL);
    for (int64_t i = 0; i < n; i++) {
        double lo = value_at(g, m, m->lo, i), hi = value_at(g, m, m->hi, i);
        double at = name_at(g, m, i);
        int half, mid;
        if (isnan(lo) || isnan(hi) || isnan(at)) continue;
        mid = bar_middle(g, m, bar, at, &half);
        if (half > 40) half = 40;
        stroke(g, m->horizontal, mid, across(g, m, lo), across(g, m, hi));
        cap(g, m->horizontal, mid, half, across(g, m, lo));
        cap(g, m->horizontal, mid, half, across(g, m, hi));
    }
    svg_path_end(g);
}

static void bars(struct svg *g, const struct chart_mark *m, int bar)
{
    const struct plot_axis *values = m->horizontal ? &g->p->x : &g->p->y;
    double zero = plot_at(values, values->scale == SCALE_LOG ? values->lo : 0);
    int64_t n = plot_length(g->p->chart, m);
    svg_path_begin(g, "br", NULL);
    for (int64_t i = 0; i < n; i++) {
        double v = value_at(g, m, m->y, i), at = name_at(g, m, i);
        int half, mid;
        if (isnan(v) || isnan(at)) continue;
        mid = bar_middle(g, m, bar, at, &half);
        side_rect(g, m->horizontal, mid, half, across(g, m, zero), across(g, m, v));
    }
    svg_path_end(g);
    whiskers(g, m, bar, "wi");
}

static void boxes(struct svg *g, const struct chart_mark *m)
{
    int64_t n = plot_length(g->p->chart, m);
    whiskers(g, m, 0, "ln");
    svg_path_begin(g, "bx", NULL);
    for (int64_t i = 0; i < n; i++) {
        double q1 = value_at(g, m, m->q1, i), q3 = value_at(g, m, m->q3, i);
        double at = name_at(g, m, i);
        int half, mid;
        if (isnan(q1) || isnan(q3) || isnan(at)) continue;
        mid = bar_middle(g, m, 0, at, &half);
        side_rect(g, m->horizontal, mid, half, across(g, m, q1), across(g, m, q3));
    }
    svg_path_end(g);
    svg_path_begin(g, "md", NULL);
    for (int64_t i = 0; i < n; i++) {
        double v = value_at(g, m, m->y, i), at = name_at(g, m, i);
        int half, mid;
        if (isnan(v) || isnan(at)) continue;
        mid = bar_middle(g, m, 0, at, &half);
        cap(g, m->horizontal, mid, half, across(g, m, v));
    }
    svg_path_end(g);
}

static void points(struct svg *g, const struct chart_mark *m)
{
    int64_t n = plot_length(g->p->chart, m);
    int few = n <= SHAPES;
    svg_path_begin(g, few ? "mk" : "dt", NULL);
    for (int64_t i = 0; i < n; i++) {
        double at[2];
        place(g, m, m->y, i, at);
        if (is_outside(at)) continue;
        if (few) {
            svg_marker(g, m->slot, svg_x(g, at[0]), svg_y(g, at[1]), n > 60 ? 35 : 45);
        } else {
            svg_move(g, svg_x(g, at[0]), svg_y(g, at[1]));
            str_add(g->out, "h0");
        }
    }
    svg_path_end(g);
}

/* Short strokes at the foot of the axis the values lie on. */
static void rug(struct svg *g, const struct chart_mark *m)
{
    int on_y = m->x < 0;
    int64_t n = plot_length(g->p->chart, m);
    const struct plot_axis *axis = on_y ? &g->p->y : &g->p->x;
    svg_path_begin(g, "ln", NULL);
    for (int64_t i = 0; i < n; i++) {
        double at = plot_at(axis, plot_value(g->p, axis, on_y ? m->y : m->x, i));
        if (isnan(at) || at < 0 || at > 1) continue;
        if (on_y) {
            svg_move(g, g->left, svg_y(g, at));
            svg_line(g, g->left + 80, svg_y(g, at));
        } else {
            svg_move(g, svg_x(g, at), g->top + g->h);
            svg_line(g, svg_x(g, at), g->top + g->h - 80);
        }
    }
    svg_path_end(g);
}

/* y = a + b x cut at the plane's ends. */
static void sloped(struct svg *g, const struct chart_mark *m)
{
    const struct plot *p = g->p;
    int any = 0;
    for (int i = 0; i <= 64; i++) { /* bent on scales that are not even */
        double x = p->x.lo + (p->x.hi - p->x.lo) * i / 64;
        double at[2] = {plot_at(&p->x, x), plot_at(&p->y, m->a + m->b * x)};
        if (is_outside(at)) continue;
        if (p->x.scale == SCALE_LINEAR && p->y.scale == SCALE_LINEAR && any && i < 64) {
            double next = p->x.lo + (p->x.hi - p->x.lo) * (i + 1) / 64;
            double then[2] = {plot_at(&p->x, next), plot_at(&p->y, m->a + m->b * next)};
            if (!is_outside(then)) continue;
        }
        svg_line(g, svg_x(g, at[0]), svg_y(g, at[1]));
        any = 1;
    }
}

static void rule(struct svg *g, const struct chart_mark *m)
{
    double at = m->rule == 'x' ? plot_at(&g->p->x, m->a) : plot_at(&g->p->y, m->a);
    if (m->rule != 'l' && !(at >= -1e-9 && at <= 1 + 1e-9)) return;
    svg_path_begin(g, "ru", m->slot ? palette_slots[m->slot].dash : "5 4");
    if (m->rule == 'x') {
        svg_move(g, svg_x(g, at), g->top);
        svg_line(g, svg_x(g, at), g->top + g->h);
    } else if (m->rule == 'y') {
        svg_move(g, g->left, svg_y(g, at));
        svg_line(g, g->left + g->w, svg_y(g, at));
    } else {
        sloped(g, m);
    }
    svg_path_end(g);
}

static int edge_of(int from, int span, int k, int n)
{
    return from + (int)((int64_t)span * k / n);
}

/* One path a colour, then the numbers where they have room. */
static void cells(struct svg *g, const struct chart_mark *m)
{
    const struct plot *p = g->p;
    const struct chart_series *v = m->size >= 0 ? &p->chart->series[m->size] : NULL;
    int nx = p->x.n_cats, ny = p->y.n_cats, div = svg_is_diverging(p);
    if (!v || !v->num || nx < 1 || ny < 1) return;
    for (int k = 0; k < 9; k++) {
        char class[4] = {div ? 'd' : 'q', (char)('0' + k), 0, 0};
        int any = 0;
        for (int64_t i = 0; i < v->n; i++) {
            double x = plot_at(&p->x, plot_value(p, &p->x, m->x, i)) * nx - 0.5;
            double y = (1 - plot_at(&p->y, plot_value(p, &p->y, m->y, i))) * ny - 0.5;
            int cx = (int)(x + 0.25), cy = (int)(y + 0.25);
            if (isnan(v->num[i]) || isnan(x) || isnan(y) ||
                svg_class(p, v->num[i]) != k)
                continue;
            if (!any) svg_path_begin(g, class, NULL);
            any = 1;
            svg_rect(g, edge_of(g->left, g->w, cx, nx), edge_of(g->top, g->h, cy, ny),
                     edge_of(g->left, g->w, cx + 1, nx),
                     edge_of(g->top, g->h, cy + 1, ny));
        }
        if (any) svg_path_end(g);
    }
    for (int64_t i = 0; i < v->n && nx <= 16 && ny <= 24; i++) {
        double x = plot_at(&p->x, plot_value(p, &p->x, m->x, i));
        double y = plot_at(&p->y, plot_value(p, &p->y, m->y, i));
        char class[8] = "ct qt0";
        struct figure f;
        if (isnan(v->num[i]) || isnan(x) || isnan(y)) continue;
        class[3] = div ? 'd' : 'q';
        class[5] = (char)('0' + svg_class(p, v->num[i]));
        (void)figure_number(&f, v->num[i], fabs(v->num[i]) < 1 ? 2 : 4);
        if (text_width(f.s, strlen(f.s), 11) + 40 > g->w / nx) continue;
        svg_label(g, class, svg_x(g, x), svg_y(g, y) + 40, "middle", f.s);
    }
}

/* Smallest step between neighbours in order, in 0.1 px. */
static void hex_steps(struct svg *g, const struct chart_mark *m, int *dx, int *dy)
{
    int64_t n = plot_length(g->p->chart, m);
    double last[2] = {NAN, NAN}, at[2];
    *dx = *dy = 0;
    for (int64_t i = 0; i < n; i++) {
        place(g, m, m->y, i, at);
        if (!is_gap(last) && !is_gap(at)) {
            int x = svg_x(g, at[0]) - svg_x(g, last[0]),
                y = svg_y(g, at[1]) - svg_y(g, last[1]);
            if (x < 0) x = -x;
            if (y < 0) y = -y;
            if (y <= 1 && x > 1 && (!*dx || x < *dx)) *dx = x;
            if (y > 1 && (!*dy || y < *dy)) *dy = y;
        }
        memcpy(last, at, sizeof last);
    }
    if (!*dx) *dx = 160;
    if (!*dy) *dy = 140;
}

static void hexes(struct svg *g, const struct chart_mark *m)
{
    const struct plot *p = g->p;
    int64_t n = plot_length(p->chart, m);
    int dx, dy;
    hex_steps(g, m, &dx, &dy);
    for (int k = 0; k < 9; k++) {
        char class[3] = {'q', (char)('0' + k), 0};
        int any = 0;
        for (int64_t i = 0; i < n; i++) {
            double at[2], v = m->size >= 0 ? p->chart->series[m->size].num[i] : 1;
            int x, y, r = dy * 2 / 3;
            place(g, m, m->y, i, at);
            if (is_outside(at) || isnan(v) || svg_class(p, v) != k) continue;
            if (!any) svg_path_begin(g, class, NULL);
            any = 1;
            x = svg_x(g, at[0]);
            y = svg_y(g, at[1]);
            for (int e = 0; e < 6; e++) {
                static const int8_t side[6] = {0, 1, 1, 0, -1, -1};
                static const int8_t up[6] = {-2, -1, 1, 2, 1, -1};
                int hx = x + side[e] * dx / 2, hy = y + up[e] * r / 2;
                hx = hx < g->left ? g->left : hx > g->left + g->w ? g->left + g->w : hx;
                hy = hy < g->top ? g->top : hy > g->top + g->h ? g->top + g->h : hy;
                svg_line(g, hx, hy);
            }
            svg_close(g);
        }
        if (any) svg_path_end(g);
    }
}

/* Text at places; nodes are boxed, and linked to the node whose number stands in `lo`. */
static void labels(struct svg *g, const struct chart_mark *m)
{
    const struct plot *p = g->p;
    int64_t n = plot_length(p->chart, m);
    if (m->kind == MARK_NODE && m->lo >= 0) {
        svg_path_begin(g, "ax", NULL);
        for (int64_t i = 0; i < n; i++) {
            double at[2], up[2], parent = p->chart->series[m->lo].num[i];
            if (!(parent >= 0 && parent < (double)n)) continue;
            place(g, m, m->y, i, at);
            place(g, m, m->y, (int64_t)parent, up);
            if (is_gap(at) || is_gap(up)) continue;
            svg_move(g, svg_x(g, up[0]), svg_y(g, up[1]));
            svg_line(g, svg_x(g, at[0]), svg_y(g, at[1]));
        }
        svg_path_end(g);
    }
    for (int64_t i = 0; i < n && m->text >= 0; i++) {
        double at[2];
        int x, y, w;
        struct str t = {0};
        place(g, m, m->y, i, at);
        if (is_outside(at) || !p->chart->series[m->text].text) continue;
        text_shorten(&t, p->chart->series[m->text].text[i],
                     m->kind == MARK_NODE ? 28 : 24);
        w = text_width(t.s ? t.s : "", t.len, 11);
        x = svg_x(g, at[0]);
        y = svg_y(g, at[1]);
        if (x + w / 2 + 60 > g->width) x = g->width - w / 2 - 60;
        if (x - w / 2 < 60) x = w / 2 + 60;
        if (m->kind == MARK_NODE) {
            svg_path_begin(g, "nd", NULL);
            svg_rect(g, x - w / 2 - 60, y - 100, x + w / 2 + 60, y + 100);
            svg_path_end(g);
        }
        svg_label(g, "lb", x, y + 40, "middle", t.s ? t.s : "");
        g->out->failed |= t.failed;
        str_free(&t);
    }
}

void svg_mark(struct svg *g, const struct chart_mark *m, int bar)
{
    switch ((enum chart_mark_kind)m->kind) {
    case MARK_LINE:
    case MARK_STEP:
    case MARK_PATH:
        curve(g, m);
        break;
    case MARK_BAND:
        band(g, m);
        break;
    case MARK_BAR:
        if (plot_is_histogram(m))
            histogram(g, m, bar > 0 ? "bx" : "br");
        else
            bars(g, m, bar);
        break;
    case MARK_BOX:
        boxes(g, m);
        break;
    case MARK_POINT:
        points(g, m);
        break;
    case MARK_TICK:
        rug(g, m);
        break;
    case MARK_INTERVAL:
        whiskers(g, m, 0, "ln");
        if (m->y >= 0) points(g, m);
        break;
    case MARK_RULE:
        rule(g, m);
        break;
    case MARK_CELL:
        cells(g, m);
        break;
    case MARK_HEX:
        hexes(g, m);
        break;
    case MARK_NODE:
    case MARK_TEXT:
        labels(g, m);
        break;
    }
}
