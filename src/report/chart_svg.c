/* chart_svg.c - a chart as SVG: frame, axes, legend, and the marks of svg_marks.c
 *
 * Text is placed by the width table, so labels neither meet nor leave the picture whatever
 * font the reader has: ticks are made fewer until they fit, names are cut in the middle at 24
 * letters, names below an axis stand upright when they do not fit side by side. */
#include <math.h>
#include <string.h>

#include "report/svg.h"

#define WIDTH       6400 /* of a file of its own */
#define HEIGHT      3600
#define WIDTH_PAGE  4600 /* beside others on a page: text keeps its size */
#define HEIGHT_PAGE 2900
#define LETTERS     24
#define TITLE       36 /* letters of an axis title */
#define SMALL       11 /* px of ticks */
#define LARGE       12 /* of titles */
#define ROW         180

struct frame {
    int legend_rows;
    int x_upright; /* names below the axis stand upright */
    struct ticks x, y;
    int is_plain; /* boxes and links only */
};

static void short_name(struct str *t, const char *s)
{
    str_clear(t);
    text_shorten(t, s, LETTERS);
}

static int widest_name(struct str *out, const struct plot_axis *axis)
{
    struct str t = {0};
    int most = 0;
    for (int i = 0; i < axis->n_cats; i++) {
        int w;
        short_name(&t, axis->cats[i]);
        w = text_width(t.s ? t.s : "", t.len, SMALL);
        if (w > most) most = w;
    }
    out->failed |= t.failed;
    str_free(&t);
    return most;
}

static int widest_tick(const struct ticks *k)
{
    int most = 0;
    for (int i = 0; i < k->n; i++) {
        int w = text_width(k->at[i].label, strlen(k->at[i].label), SMALL);
        if (w > most) most = w;
    }
    return most;
}

/* The most ticks whose labels keep 12 px apart and inside the picture. */
static void fit_x_ticks(const struct svg *g, struct ticks *out)
{
    const struct plot_axis *x = &g->p->x;
    for (int most = TICKS_MAX; most >= 2; most--) {
        int end = -1000000, fits = 1;
        ticks_make(x->scale, x->lo, x->hi, most, out);
        for (int k = 0; k < out->n; k++) {
            const struct tick *t = &out->at[x->reversed ? out->n - 1 - k : k];
            int w = text_width(t->label, strlen(t->label), SMALL);
            int mid = svg_x(g, plot_at(x, t->value));
            fits &= mid - w / 2 >= end + 120;
            end = mid + w / 2;
        }
        if (fits) return;
    }
    out->n = out->n > 0 ? 1 : 0;
}

/* ---- legend ---- */

static int is_ramp(const struct plot *p)
{
    for (int i = 0; i < p->chart->n_marks; i++)
        if (p->chart->marks[i].kind == MARK_CELL || p->chart->marks[i].kind == MARK_HEX)
            return p->colour_lo <= p->colour_hi;
    return 0;
}

static void swatch(struct svg *g, const struct chart_mark *m, int x, int y)
{
    str_addf(g->out, "<g class=\"c%d\">", m->slot);
    if (m->kind == MARK_BAR || m->kind == MARK_BOX || m->kind == MARK_BAND) {
        svg_path_begin(g, m->kind == MARK_BAND ? "ar" : "br", NULL);
        svg_rect(g, x + 40, y - 90, x + 180, y);
    } else if (m->kind == MARK_POINT || m->kind == MARK_INTERVAL) {
        svg_path_begin(g, "mk", NULL);
        svg_marker(g, m->slot, x + 110, y - 40, 45);
    } else {
        const char *dash = palette_slots[m->slot].dash;
        if (m->kind == MARK_RULE && !m->slot) dash = "5 4";
        svg_path_begin(g, m->kind == MARK_RULE ? "ru" : "ln", dash);
        svg_move(g, x, y - 40);
        svg_line(g, x + 220, y - 40);
    }
    svg_path_end(g);
    str_add(g->out, "</g>\n");
}

/* Nine colours from least to most. */
static void ramp(struct svg *g, int y)
{
    struct figure least, most;
    const struct plot *p = g->p;
    int div = svg_is_diverging(p), x = g->left, w, all;
    double end = -p->colour_lo > p->colour_hi ? -p->colour_lo : p->colour_hi;
    (void)figure_number(&least, div ? -end : p->colour_lo, 3);
    (void)figure_number(&most, div ? end : p->colour_hi, 3);
    w = text_width(least.s, strlen(least.s), SMALL);
    all = w + text_width(most.s, strlen(most.s), SMALL) + 9 * 160 + 120;
    if (x + all > g->width) x = all < g->width ? g->width - all : 0;
    svg_label(g, "tk", x, y, NULL, least.s);
    x += w + 60;
    for (int k = 0; k < 9; k++) {
        char class[3] = {div ? 'd' : 'q', (char)('0' + k), 0};
        svg_path_begin(g, class, NULL);
        svg_rect(g, x + k * 160, y - 90, x + (k + 1) * 160, y);
        svg_path_end(g);
    }
    svg_label(g, "tk", x + 9 * 160 + 60, y, NULL, most.s);
}

/* Lays the legend out from y on; draws it when told to. Returns its rows. */
static int legend(struct svg *g, int y, int draw)
{
    const struct tide_chart *c = g->p->chart;
    struct str t = {0};
    int rows = 0, x = g->left;
    for (int i = 0; i < c->n_marks; i++) {
        const struct chart_mark *m = &c->marks[i];
        int w;
        if (!m->label || !*m->label) continue;
        short_name(&t, m->label);
        w = 280 + text_width(t.s ? t.s : "", t.len, SMALL) + 160;
        if (rows == 0) rows = 1;
        if (x + w > g->width && x > g->left) {
            rows++;
            x = g->left;
        }
        if (draw) {
            swatch(g, m, x, y + (rows - 1) * ROW);
            svg_label(g, "tk", x + 280, y + (rows - 1) * ROW, NULL, t.s ? t.s : "");
        }
        x += w;
    }
    g->out->failed |= t.failed;
    str_free(&t);
    if (is_ramp(g->p)) {
        if (draw) ramp(g, y + rows * ROW);
        rows++;
    }
    return rows;
}

/* ---- axes ---- */

static void axis_title(struct str *t, const struct chart_axis *axis)
{
    str_clear(t);
    text_shorten(t, axis->label ? axis->label : "", TITLE);
    if (axis->unit) str_addf(t, " (%s)", axis->unit);
    if (axis->scale == SCALE_LOG) str_add(t, ", log scale");
}

static void x_names(struct svg *g, const struct frame *f)
{
    const struct plot_axis *x = &g->p->x;
    struct str t = {0};
    for (int i = 0; i < x->n_cats; i++) {
        int mid = svg_x(g, plot_at(x, i + 0.5)), y = g->top + g->h;
        if (f->x_upright && x->n_cats > 1 && g->w / x->n_cats < 130 &&
            i % (130 * x->n_cats / g->w + 1))
            continue;
        short_name(&t, x->cats[i]);
        if (!f->x_upright) {
            svg_label(g, "tk", mid, y + 150, "middle", t.s ? t.s : "");
            continue;
        }
        str_add(g->out,
                "<text class=\"tk\" text-anchor=\"end\" transform=\"translate(");
        svg_number(g->out, mid + 40);
        str_addc(g->out, ' ');
        svg_number(g->out, y + 60);
        str_add(g->out, ") rotate(-90)\">");
        svg_text(g->out, t.s ? t.s : "");
        str_add(g->out, "</text>\n");
    }
    g->out->failed |= t.failed;
    str_free(&t);
}

static void y_names(struct svg *g)
{
    const struct plot_axis *y = &g->p->y;
    struct str t = {0};
    int every =
        y->n_cats > 0 && g->h / y->n_cats < 130 ? 130 * y->n_cats / g->h + 1 : 1;
    for (int i = 0; i < y->n_cats; i += every) {
        short_name(&t, y->cats[i]);
        svg_label(g, "tk", g->left - 60, svg_y(g, plot_at(y, i + 0.5)) + 40, "end",
                  t.s ? t.s : "");
    }
    g->out->failed |= t.failed;
    str_free(&t);
}

static void grid(struct svg *g, const struct frame *f)
{
    const struct plot *p = g->p;
    int upright = p->y.scale == SCALE_BAND; /* values run to the right */
    const struct ticks *k = upright ? &f->x : &f->y;
    if (k->n == 0) return;
    svg_path_begin(g, "gr", NULL);
    for (int i = 0; i < k->n; i++) {
        if (upright) {
            int x = svg_x(g, plot_at(&p->x, k->at[i].value));
            svg_move(g, x, g->top);
            svg_line(g, x, g->top + g->h);
        } else {
            int y = svg_y(g, plot_at(&p->y, k->at[i].value));
            svg_move(g, g->left, y);
            svg_line(g, g->left + g->w, y);
        }
    }
    svg_path_end(g);
}

static void axes(struct svg *g, const struct frame *f)
{
    const struct plot *p = g->p;
    struct str t = {0};
    int x, w;
    svg_path_begin(g, "ax", NULL);
    svg_move(g, g->left, g->top);
    svg_line(g, g->left, g->top + g->h);
    svg_line(g, g->left + g->w, g->top + g->h);
    for (int i = 0; i < f->x.n; i++) {
        svg_move(g, svg_x(g, plot_at(&p->x, f->x.at[i].value)), g->top + g->h);
        svg_line(g, g->px, g->py + 40);
    }
    svg_path_end(g);
    for (int i = 0; i < f->x.n; i++) {
        const struct tick *k = &f->x.at[i];
        w = text_width(k->label, strlen(k->label), SMALL);
        x = svg_x(g, plot_at(&p->x, k->value));
        if (x + w / 2 > g->width) x = g->width - w / 2;
        svg_label(g, "tk", x, g->top + g->h + 160, "middle", k->label);
    }
    for (int i = 0; i < f->y.n; i++)
        svg_label(g, "tk", g->left - 60,
                  svg_y(g, plot_at(&p->y, f->y.at[i].value)) + 40, "end",
                  f->y.at[i].label);
    if (p->x.scale == SCALE_BAND) x_names(g, f);
    if (p->y.scale == SCALE_BAND) y_names(g);
    axis_title(&t, &p->chart->y);
    svg_label(g, "at", 20, g->top - 130, NULL, t.s ? t.s : "");
    axis_title(&t, &p->chart->x);
    x = g->left + g->w / 2;
    w = text_width(t.s ? t.s : "", t.len, LARGE);
    if (x + w / 2 > g->width - 20) x = g->width - 20 - w / 2;
    svg_label(g, "at", x, g->height - 50, "middle", t.s ? t.s : "");
    g->out->failed |= t.failed;
    str_free(&t);
}

/* ---- the whole ---- */

/* Margins from what stands in them. */
static void lay_out(struct svg *g, struct frame *f, int alone)
{
    const struct plot *p = g->p;
    int below = 420;
    g->width = alone ? WIDTH : WIDTH_PAGE;
    g->height = alone ? HEIGHT : HEIGHT_PAGE;
    if (p->y.scale == SCALE_BAND) {
        int bars = p->n_bars > 1 ? p->n_bars : 1;
        int64_t want = 900 + (int64_t)p->y.n_cats * (bars > 1 ? 120 * bars + 60 : 220);
        g->height = (int)(want < 1400 ? 1400 : want > 9000 ? 9000 : want);
        g->left = widest_name(g->out, &p->y) + 100;
    } else {
        ticks_make(p->y.scale, p->y.lo, p->y.hi, 6, &f->y);
        g->left = widest_tick(&f->y) + 100;
    }
    if (f->is_plain) { /* a tree: its rows, and half a box beside the first level */
        g->height = 900 + (int)((p->y.hi - p->y.lo) * 320);
        g->left = 800;
        g->width = 2 * WIDTH_PAGE;
    }
    if (g->left < 300) g->left = 300;
    g->w = g->width - g->left - (f->is_plain ? 500 : 160);
    f->legend_rows = legend(g, 0, 0);
    g->top = 120 + f->legend_rows * ROW + 200;
    if (p->x.scale == SCALE_BAND) {
        int widest = widest_name(g->out, &p->x);
        f->x_upright = p->x.n_cats > 0 && widest + 80 > g->w / p->x.n_cats;
        if (f->x_upright) below += widest;
        if (f->x_upright && g->height - below - g->top < 1600)
            g->height = below + g->top + 1600;
    }
    g->h = g->height - g->top - below;
    if (g->h < 300) {
        g->h = 300;
        g->height = g->top + g->h + below;
    }
    if (p->x.scale != SCALE_BAND) fit_x_ticks(g, &f->x);
}

static void element_id(struct str *out, const char *key)
{
    html_id(out, key);
}

static void head(struct svg *g, int alone)
{
    const struct tide_chart *c = g->p->chart;
    struct str *o = g->out;
    str_add(o, "<svg class=\"chart\" role=\"img\"");
    if (alone) str_add(o, " xmlns=\"http://www.w3.org/2000/svg\" width=\"640\"");
    str_add(o, " viewBox=\"0 0 ");
    svg_number(o, g->width);
    str_addc(o, ' ');
    svg_number(o, g->height);
    str_add(o, "\" aria-labelledby=\"");
    element_id(o, c->key);
    str_add(o, "-t ");
    element_id(o, c->key);
    str_add(o, "-d\">\n<title id=\"");
    element_id(o, c->key);
    str_add(o, "-t\">");
    svg_text(o, c->title);
    str_add(o, "</title>\n<desc id=\"");
    element_id(o, c->key);
    str_add(o, "-d\">");
    svg_text(o, c->summary ? c->summary : "");
    str_add(o, "</desc>\n");
    if (!alone) return;
    str_add(o, "<style>\n");
    palette_css(o);
    html_chart_css(o);
    str_add(o, "</style>\n<path class=\"pg\" d=\"M0 0h");
    svg_number(o, g->width);
    str_addc(o, 'v');
    svg_number(o, g->height);
    str_addc(o, 'h');
    svg_number(o, -g->width);
    str_add(o, "z\"/>\n");
}

static void draw_marks(struct svg *g)
{
    const struct tide_chart *c = g->p->chart;
    int bar = 0;
    for (int i = 0; i < c->n_marks; i++) {
        str_addf(g->out, "<g class=\"c%d\">", c->marks[i].slot);
        svg_mark(g, &c->marks[i], bar);
        str_add(g->out, "</g>\n");
        bar += c->marks[i].kind == MARK_BAR;
    }
}

void chart_svg(struct str *out, const struct tide_chart *c, int alone, struct arena *a)
{
    struct plot p;
    struct svg g = {.out = out, .p = &p, .a = a};
    struct frame f = {0};
    if (plot_init(&p, c, a)) return;
    f.is_plain = 1;
    for (int i = 0; i < c->n_marks; i++) f.is_plain &= c->marks[i].kind == MARK_NODE;
    lay_out(&g, &f, alone);
    head(&g, alone);
    if (p.is_empty) {
        struct str why = {0};
        text_shorten(&why, c->n_notes ? c->notes[0] : "nothing to draw",
                     2 * TITLE - 12);
        svg_label(&g, "at", g.width / 2, g.height / 2, "middle", why.s ? why.s : "");
        out->failed |= why.failed;
        str_free(&why);
    } else if (f.is_plain) {
        draw_marks(&g);
    } else {
        (void)legend(&g, 120, 1);
        grid(&g, &f);
        draw_marks(&g);
        axes(&g, &f);
    }
    str_add(out, "</svg>\n");
}
