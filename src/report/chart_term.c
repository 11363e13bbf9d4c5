/* chart_term.c - a chart as text: title and sentence, then rows, a grid or a plane of dots
 *
 * Charts whose marks stand beside names are rows (chart_rows.c), cells of names a grid, all
 * others a plane of braille dots, 2 x 4 a cell, with bars in eighth blocks. Below 40 columns
 * the numbers stand instead. */
#include <math.h>
#include <string.h>

#include "report/chart_text.h"
#include "report/report.h"

#define HEIGHT      12
#define LEAST_WIDTH 40
#define FEW_POINTS  40

struct plane {
    struct term *t;
    const struct plot *p;
    int w, h;           /* cells */
    int sx, sy;         /* dots a cell */
    uint8_t *dots;      /* [h][w] */
    uint8_t *slot;      /* [h][w] */
    const char **glyph; /* [h][w], above the dots */
};

static const char *const markers[9] = {"\u00b7", "\u25cf", "\u25a0", "\u25b2", "\u25c6",
                                       "\u25bc", "+",      "\u00d7", "\u25cb"};
static const char *const ascii_markers[9] = {".", "*", "#", "^", "o",
                                             "v", "+", "x", "@"};
static const char *const samples[9] = {"\u2500\u2500", "\u2501\u2501", "\u254d\u254d",
                                       "\u2505\u2505", "\u2509\u2509", "\u2550\u2550",
                                       "\u2508\u2508", "\u2504\u2504", "\u2574\u2574"};

const char *chart_text_marker(const struct term *t, int slot)
{
    if (slot < 0 || slot > 8) slot = 0;
    return t->ascii ? ascii_markers[slot] : markers[slot];
}

static void put_dot(struct plane *c, int x, int y, int slot)
{
    static const uint8_t bit[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    int cx, cy, at;
    if (x < 0 || y < 0 || x >= c->w * c->sx || y >= c->h * c->sy) return;
    cx = x / c->sx;
    cy = y / c->sy;
    at = cy * c->w + cx;
    if (c->t->ascii) {
        if (!c->glyph[at] || slot > 0) c->glyph[at] = ascii_markers[slot];
    } else {
        c->dots[at] |= bit[y % 4][x % 2];
    }
    if (slot > 0 || !c->slot[at]) c->slot[at] = (uint8_t)slot;
}

static void put_glyph(struct plane *c, int cx, int cy, const char *glyph, int slot)
{
    if (cx < 0 || cy < 0 || cx >= c->w || cy >= c->h) return;
    c->glyph[cy * c->w + cx] = glyph;
    c->slot[cy * c->w + cx] = (uint8_t)slot;
}

/* Dot of a place 0..1; -1 outside. */
static int dot_x(const struct plane *c, double at)
{
    if (!(at >= -1e-9 && at <= 1 + 1e-9)) return -1;
    return (int)floor(at * (c->w * c->sx - 1) + 0.5);
}

static int dot_y(const struct plane *c, double at)
{
    if (!(at >= -1e-9 && at <= 1 + 1e-9)) return -1;
    return (int)floor((1 - at) * (c->h * c->sy - 1) + 0.5);
}

/* Dots from place to place; `phase` counts them so that series without colour differ. */
static void put_line(struct plane *c, const double from[2], const double to[2],
                     int slot, int *phase)
{
    static const int on[9] = {1, 1, 5, 2, 8, 12, 3, 7, 1},
                     off[9] = {2, 0, 3, 2, 3, 3, 2, 2, 2};
    int nx = c->w * c->sx, ny = c->h * c->sy, steps;
    double dx = (to[0] - from[0]) * nx, dy = (to[1] - from[1]) * ny;
    double len = fabs(dx) > fabs(dy) ? fabs(dx) : fabs(dy);
    if (!(len < 1e6)) return;
    steps = (int)len + 1;
    for (int i = 0; i <= steps; i++) {
        double u = (double)i / steps;
        int x = dot_x(c, from[0] + u * (to[0] - from[0]));
        int y = dot_y(c, from[1] + u * (to[1] - from[1]));
        int solid = c->t->colours > 0 && slot > 0;
        if (x < 0 || y < 0) continue;
        if (solid || *phase % (on[slot] + off[slot]) < on[slot]) put_dot(c, x, y, slot);
        if (i > 0) ++*phase;
    }
}

static void place(const struct plane *c, const struct chart_mark *m, int y_series,
                  int64_t i, double out[2])
{
    const struct plot *p = c->p;
    double along = plot_value(p, m->horizontal ? &p->y : &p->x, m->x, i);
    double across = plot_value(p, m->horizontal ? &p->x : &p->y, y_series, i);
    out[0] = plot_at(&p->x, m->horizontal ? across : along);
    out[1] = plot_at(&p->y, m->horizontal ? along : across);
}

static void put_curve(struct plane *c, const struct chart_mark *m, int y_series)
{
    double from[2] = {NAN, NAN}, to[2], corner[2];
    int phase = 0;
    int64_t n = plot_length(c->p->chart, m);
    for (int64_t i = 0; i < n; i++) {
        place(c, m, y_series, i, to);
        if (m->kind == MARK_STEP && !isnan(from[0]) && !isnan(to[0])) {
            corner[0] = to[0];
            corner[1] = from[1];
            put_line(c, from, corner, m->slot, &phase);
            put_line(c, corner, to, m->slot, &phase);
        } else if (!isnan(from[0]) && !isnan(from[1]) && !isnan(to[0]) &&
                   !isnan(to[1])) {
            put_line(c, from, to, m->slot, &phase);
        }
        memcpy(from, to, sizeof from);
    }
}

static void put_points(struct plane *c, const struct chart_mark *m)
{
    int64_t n = plot_length(c->p->chart, m);
    for (int64_t i = 0; i < n; i++) {
        double at[2];
        int x, y;
        place(c, m, m->y, i, at);
        x = dot_x(c, at[0]);
        y = dot_y(c, at[1]);
        if (x < 0 || y < 0) continue;
        if (n <= FEW_POINTS)
            put_glyph(c, x / c->sx, y / c->sy, chart_text_marker(c->t, m->slot),
                      m->slot);
        else
            put_dot(c, x, y, m->slot);
    }
}

/* Vertical whiskers at numeric x. */
static void put_whiskers(struct plane *c, const struct chart_mark *m)
{
    int64_t n = plot_length(c->p->chart, m);
    for (int64_t i = 0; i < n; i++) {
        double lo[2], hi[2];
        int phase = 0;
        place(c, m, m->lo, i, lo);
        place(c, m, m->hi, i, hi);
        if (!isnan(lo[1]) && !isnan(hi[1]))
            put_line(c, lo, hi, c->t->ascii || !m->slot ? m->slot : 1, &phase);
    }
    if (m->y >= 0) put_points(c, m);
}

static void put_rule(struct plane *c, const struct chart_mark *m)
{
    const struct plot *p = c->p;
    double from[2] = {0, 0}, to[2] = {1, 1};
    int phase = 0;
    if (m->rule == 'x') {
        from[0] = to[0] = plot_at(&p->x, m->a);
    } else if (m->rule == 'y') {
        from[1] = to[1] = plot_at(&p->y, m->a);
    } else {
        from[1] = plot_at(&p->y, m->a + m->b * p->x.lo);
        to[1] = plot_at(&p->y, m->a + m->b * p->x.hi);
    }
    if (!isnan(from[0]) && !isnan(from[1]) && !isnan(to[0]) && !isnan(to[1]))
        put_line(c, from, to, m->slot, &phase);
}

/* Height of the bars over one column of cells, 0 to 1. */
static double bar_height(const struct plane *c, const struct chart_mark *m, int column)
{
    const struct plot *p = c->p;
    double left = (double)column / c->w, right = (double)(column + 1) / c->w,
           best = NAN;
    int64_t n = plot_length(p->chart, m);
    for (int64_t i = 0; i < n; i++) {
        double a, b, v = plot_at(&p->y, plot_value(p, &p->y, m->y, i));
        if (plot_is_histogram(m)) {
            int edge = m->bins_lo >= 0 && m->lo < 0 ? m->bins_lo : m->lo;
            a = plot_at(&p->x, plot_value(p, &p->x, edge, i));
            b = plot_at(&p->x, plot_value(p, &p->x, m->hi, i));
        } else {
            a = b = plot_at(&p->x, plot_value(p, &p->x, m->x, i));
            a -= 0.3 / (double)(n + 1);
            b += 0.3 / (double)(n + 1);
        }
        if (a < right - 1e-9 && b > left + 1e-9 && !(best >= v)) best = v;
    }
    return best;
}

static void put_bars(struct plane *c, const struct chart_mark *m)
{
    static const char *const eighth[9] = {NULL,     "\u2581", "\u2582",
                                          "\u2583", "\u2584", "\u2585",
                                          "\u2586", "\u2587", "\u2588"};
    double zero = plot_at(&c->p->y, 0);
    zero = zero >= 0 ? zero < 1 ? zero : 1 : 0;
    for (int x = 0; x < c->w; x++) {
        double v = bar_height(c, m, x);
        int top, floor_at = (int)floor(zero * c->h * 8 + 0.5);
        if (isnan(v)) continue;
        v = v < 0 ? 0 : v > 1 ? 1 : v;
        top = (int)floor(v * c->h * 8 + 0.5);
        if (v > zero && top <= floor_at) top = floor_at + 1; /* few are not none */
        for (int y = 0; y < c->h; y++) {
            int base = (c->h - 1 - y) * 8, part = top - base;
            if (base + 8 <= floor_at || part <= 0) continue;
            if (part > 8) part = 8;
            if (c->t->ascii)
                put_glyph(c, x, y, part >= 4 || base == 0 ? "#" : NULL, m->slot);
            else
                put_glyph(c, x, y, eighth[part], m->slot);
        }
    }
}

/* Density by shades. */
static void put_shades(struct plane *c, const struct chart_mark *m)
{
    static const char *const shade[4] = {"\u2591", "\u2592", "\u2593", "\u2588"};
    static const char *const ascii[4] = {".", "-", "+", "#"};
    const struct plot *p = c->p;
    int64_t n = plot_length(p->chart, m);
    for (int64_t i = 0; i < n; i++) {
        double at[2], v = m->size >= 0 ? p->chart->series[m->size].num[i] : 1;
        int x, y, k;
        place(c, m, m->y, i, at);
        x = dot_x(c, at[0]);
        y = dot_y(c, at[1]);
        if (x < 0 || y < 0 || isnan(v)) continue;
        k = palette_class(v, p->colour_lo, p->colour_hi) * 4 / 9;
        put_glyph(c, x / c->sx, y / c->sy, c->t->ascii ? ascii[k] : shade[k], m->slot);
    }
}

static void put_mark(struct plane *c, const struct chart_mark *m)
{
    switch ((enum chart_mark_kind)m->kind) {
    case MARK_LINE:
    case MARK_STEP:
    case MARK_PATH:
        put_curve(c, m, m->y);
        break;
    case MARK_BAND: {
        struct chart_mark edge = *m;
        edge.slot = 0; /* both ends, dotted */
        put_curve(c, &edge, m->lo);
        put_curve(c, &edge, m->hi);
        break;
    }
    case MARK_BAR:
        put_bars(c, m);
        break;
    case MARK_POINT:
    case MARK_TICK:
        if (m->y >= 0) put_points(c, m);
        break;
    case MARK_INTERVAL:
    case MARK_BOX:
        put_whiskers(c, m);
        break;
    case MARK_RULE:
        put_rule(c, m);
        break;
    case MARK_CELL:
    case MARK_HEX:
        put_shades(c, m);
        break;
    case MARK_NODE:
    case MARK_TEXT:
        break;
    }
}

/* ---- the plane with its axes ---- */

static void braille(struct str *out, uint8_t dots)
{
    char s[4] = {(char)0xe2, (char)(0xa0 | dots >> 6), (char)(0x80 | (dots & 0x3f)), 0};
    str_add(out, dots ? s : " ");
}

static void put_cells_of_row(struct plane *c, int y)
{
    int slot = 0, last = c->w - 1;
    while (last >= 0 && !c->glyph[y * c->w + last] && !c->dots[y * c->w + last]) last--;
    for (int x = 0; x <= last; x++) {
        int at = y * c->w + x;
        if (c->slot[at] != slot) {
            if (slot) term_slot(c->t, 0);
            slot = c->slot[at];
            if (slot) term_slot(c->t, slot);
        }
        if (c->glyph[at])
            str_add(c->t->out, c->glyph[at]);
        else
            braille(c->t->out, c->dots[at]);
    }
    if (slot) term_slot(c->t, 0);
    str_addc(c->t->out, '\n');
}

static void put_x_axis(struct plane *c, int left)
{
    struct term *t = c->t;
    const struct plot_axis *x = &c->p->x;
    struct ticks k = {0};
    struct str line = {0};
    int at = 0;
    ticks_make(x->scale, x->lo, x->hi, c->w >= 60 ? 7 : 5, &k);
    if (x->reversed)
        for (int i = 0; i < k.n / 2; i++) {
            struct tick swap = k.at[i];
            k.at[i] = k.at[k.n - 1 - i];
            k.at[k.n - 1 - i] = swap;
        }
    term_pad(t, left);
    str_add(t->out, t->ascii ? "+" : "\u2514");
    for (int i = 0; i < c->w; i++) {
        int is_tick = 0;
        for (int j = 0; j < k.n; j++)
            is_tick |= dot_x(c, plot_at(x, k.at[j].value)) / c->sx == i;
        str_add(t->out,
                is_tick ? (t->ascii ? "+" : "\u252c") : (t->ascii ? "-" : "\u2500"));
    }
    str_addc(t->out, '\n');
    for (int j = 0; j < k.n; j++) {
        int w = (int)strlen(k.at[j].label);
        int mid = left + 1 + dot_x(c, plot_at(x, k.at[j].value)) / c->sx;
        int from = mid - w / 2;
        if (from < at + (j > 0)) {
            if (j > 0) continue; /* no room */
            from = 0;
        }
        if (from + w > t->width) from = t->width - w;
        if (from < at + (j > 0)) continue;
        for (; at < from; at++) str_addc(&line, ' ');
        str_add(&line, k.at[j].label);
        at += w;
    }
    str_add(t->out, line.s ? line.s : "");
    str_addc(t->out, '\n');
    t->out->failed |= line.failed;
    str_free(&line);
}

static void axis_title(struct str *out, const struct chart_axis *axis)
{
    str_add(out, axis->label ? axis->label : "");
    if (axis->unit) str_addf(out, " (%s)", axis->unit);
    if (axis->scale == SCALE_LOG) str_add(out, ", log scale");
}

static void put_titles(struct plane *c, int left, int is_x)
{
    struct str title = {0};
    axis_title(&title, is_x ? &c->p->chart->x : &c->p->chart->y);
    if (title.s && *title.s) {
        int w = term_width(title.s);
        term_ink(c->t, TERM_MUTED);
        if (is_x && w < c->w)
            term_pad(c->t, left + 1 + (c->w - w) / 2);
        else
            term_pad(c->t, is_x ? 0 : left > 2 ? 2 : 0);
        (void)term_text(c->t, title.s, c->t->width - 4);
        term_ink(c->t, TERM_PLAIN);
        str_addc(c->t->out, '\n');
    }
    c->t->out->failed |= title.failed;
    str_free(&title);
}

static void put_plane(struct plane *c, const struct ticks *yt, int left)
{
    struct term *t = c->t;
    put_titles(c, left, 0);
    for (int y = 0; y < c->h; y++) {
        const char *label = NULL;
        for (int i = 0; i < yt->n; i++) {
            int row = dot_y(c, plot_at(&c->p->y, yt->at[i].value));
            if (row >= 0 && row / c->sy == y) label = yt->at[i].label;
        }
        term_pad(t, left - 1 - (label ? (int)strlen(label) : 0));
        str_add(t->out, label ? label : "");
        str_add(t->out,
                label ? (t->ascii ? " +" : " \u2524") : (t->ascii ? " |" : " \u2502"));
        put_cells_of_row(c, y);
    }
    put_x_axis(c, left);
    put_titles(c, left, 1);
}

static void draw_plane(struct term *t, const struct plot *p, struct arena *a)
{
    struct plane c = {t,    p,    0,   HEIGHT, t->ascii ? 1 : 2, t->ascii ? 1 : 4,
                      NULL, NULL, NULL};
    struct ticks yt = {0};
    int left = 0;
    size_t cells;
    ticks_make(p->y.scale, p->y.lo, p->y.hi, 5, &yt);
    for (int i = 0; i < yt.n; i++)
        if ((int)strlen(yt.at[i].label) > left) left = (int)strlen(yt.at[i].label);
    left += 1;
    c.w = t->width - left - 2;
    if (c.w > 100) c.w = 100;
    cells = (size_t)c.w * (size_t)c.h;
    c.dots = arena_zero(a, cells);
    c.slot = arena_zero(a, cells);
    c.glyph = arena_zero(a, cells * sizeof *c.glyph);
    if (!c.dots || !c.slot || !c.glyph) return;
    /* bars lie below what is drawn over them */
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < p->chart->n_marks; i++)
            if ((p->chart->marks[i].kind == MARK_BAR) == (pass == 0))
                put_mark(&c, &p->chart->marks[i]);
    put_plane(&c, &yt, left);
}

/* ---- around the drawing ---- */

static void put_legend(struct term *t, const struct tide_chart *c)
{
    int n = 0;
    for (int i = 0; i < c->n_marks; i++) n += c->marks[i].label != NULL;
    if (n < 1) return;
    str_add(t->out, "  ");
    n = 2;
    for (int i = 0; i < c->n_marks; i++) {
        const struct chart_mark *m = &c->marks[i];
        int is_line = m->kind == MARK_LINE || m->kind == MARK_STEP ||
                      m->kind == MARK_RULE || m->kind == MARK_PATH ||
                      m->kind == MARK_BAND;
        int w = m->label ? term_width(m->label) + 5 : 0;
        if (!m->label) continue;
        if (n + 2 + w > t->width && n > 2) {
            str_add(t->out, "\n  ");
            n = 2;
        } else if (n > 2) {
            str_add(t->out, "  ");
            n += 2;
        }
        term_slot(t, m->slot ? m->slot : -1);
        if (is_line && !t->ascii)
            str_add(t->out, samples[t->colours > 0 && m->slot ? 1 : m->slot]);
        else if (m->kind == MARK_BAR)
            str_add(t->out, chart_text_bar(t, m->slot));
        else
            str_add(t->out, chart_text_marker(t, m->slot));
        term_slot(t, 0);
        str_addc(t->out, ' ');
        n += 3 + term_text(t, m->label, t->width - 8);
    }
    str_addc(t->out, '\n');
}

static void put_numbers(struct term *t, const struct tide_chart *c, struct arena *a)
{
    struct chart_grid grid[CHART_GRIDS];
    int n = chart_table_grids(c, a, 0, grid);
    for (int i = 0; i < n; i++)
        term_table(t, grid[i].n_cols, grid[i].head, grid[i].right, grid[i].n_rows,
                   grid[i].cell, a);
}

static int has_kind(const struct tide_chart *c, int kind)
{
    for (int i = 0; i < c->n_marks; i++)
        if (c->marks[i].kind == kind) return 1;
    return 0;
}

static void put_body(struct term *t, const struct plot *p, struct arena *a)
{
    const struct tide_chart *c = p->chart;
    int is_band = p->x.scale == SCALE_BAND || p->y.scale == SCALE_BAND;
    if (p->is_empty)
        str_addf(t->out, "  (%s)\n", c->n_notes ? c->notes[0] : "nothing to draw");
    else if (t->width < LEAST_WIDTH || has_kind(c, MARK_NODE) ||
             (has_kind(c, MARK_CELL) && is_band))
        put_numbers(t, c, a);
    else if (is_band)
        chart_rows(t, p, a);
    else
        draw_plane(t, p, a);
}

void chart_term(struct term *t, const struct tide_chart *c, struct arena *a)
{
    struct plot p;
    if (plot_init(&p, c, a)) return;
    term_ink(t, TERM_BOLD);
    term_wrap(t, "", c->title);
    term_ink(t, TERM_PLAIN);
    if (c->summary) term_wrap(t, "", c->summary);
    str_addc(t->out, '\n');
    put_body(t, &p, a);
    if (!p.is_empty) put_legend(t, c);
    for (int i = p.is_empty; i < c->n_notes; i++) term_wrap(t, "  ", c->notes[i]);
}
