/* chart_rows.c - marks beside names, one line each: bars, intervals, boxes, points
 *
 * Whatever the chart's direction on paper, names stand at the left on a terminal, where they
 * can be read, and values run to the right. */
#include <math.h>
#include <string.h>

#include "report/chart_text.h"

#define NAME_MAX  26
#define ROWS_MAX  40
#define VALUE_MAX 18

struct rows {
    struct term *t;
    const struct plot *p;
    const struct plot_axis *names, *values;
    int name, bar, value; /* widths in cells */
    struct arena *a;
};

const char *chart_text_bar(const struct term *t, int slot)
{
    static const char *const plain[9] = {"\u2591", "\u2588", "\u2593",
                                         "\u2592", "\u2591", "\u2588",
                                         "\u2593", "\u2592", "\u2591"};
    static const char *const ascii[9] = {":", "#", "=", "-", ":", "%", "+", "~", "."};
    if (slot < 0 || slot > 8) slot = 0;
    if (t->ascii) return ascii[slot];
    return t->colours > 0 ? "\u2588" : plain[slot];
}

/* Series that holds the names of a mark. */
static int names_of(const struct rows *r, const struct chart_mark *m)
{
    if (m->horizontal || r->names == &r->p->x) return m->x;
    return m->y; /* an upright point whose y is a name */
}

static int value_of(const struct rows *r, const struct chart_mark *m)
{
    return names_of(r, m) == m->x ? m->y : m->x;
}

static double number(const struct rows *r, int series, int64_t i)
{
    const struct chart_series *s = series >= 0 ? &r->p->chart->series[series] : NULL;
    if (!s || !s->num) return NAN;
    return s->num[i];
}

static void put_bar(struct rows *r, const struct chart_mark *m, double v)
{
    static const char *const part[8] = {"",       "\u258f", "\u258e", "\u258d",
                                        "\u258c", "\u258b", "\u258a", "\u2589"};
    struct term *t = r->t;
    double zero = plot_at(r->values, 0), at = plot_at(r->values, v);
    int a, b, full, rest;
    if (!(zero >= 0)) zero = 0;
    if (zero > 1) zero = 1;
    if (isnan(at)) {
        term_pad(t, r->bar);
        return;
    }
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    a = (int)floor((at < zero ? at : zero) * r->bar * 8 + 0.5);
    b = (int)floor((at < zero ? zero : at) * r->bar * 8 + 0.5);
    if (b == a && v != 0) b = a + 1;
    if (at < zero || t->ascii || (!t->colours && m->slot > 1)) { /* whole cells only */
        a = (a + 4) / 8 * 8;
        b = (b + 4) / 8 * 8;
        if (b == a && v != 0) b = a + 8;
    } else {
        b -= a % 8; /* bars begin at a cell */
        a -= a % 8;
    }
    full = (b - a) / 8;
    rest = (b - a) % 8;
    term_pad(t, a / 8);
    term_slot(t, m->slot);
    term_repeat(t, chart_text_bar(t, m->slot), full);
    str_add(t->out, part[rest]);
    term_slot(t, 0);
    term_pad(t, r->bar - a / 8 - full - (rest > 0));
}

static int cell_of(const struct rows *r, double v)
{
    double at = plot_at(r->values, v);
    if (isnan(at)) return -1;
    at = at < 0 ? 0 : at > 1 ? 1 : at;
    return (int)floor(at * (r->bar - 1) + 0.5);
}

/* Whiskers, box and middle of one row. */
static void put_span(struct rows *r, const struct chart_mark *m, int64_t i)
{
    struct term *t = r->t;
    int lo = cell_of(r, number(r, m->lo, i)), hi = cell_of(r, number(r, m->hi, i));
    int q1 = cell_of(r, number(r, m->q1, i)), q3 = cell_of(r, number(r, m->q3, i));
    int mid = cell_of(r, number(r, value_of(r, m), i));
    term_slot(t, m->slot);
    for (int x = 0; x < r->bar; x++) {
        if (x == mid)
            str_add(t->out, q1 >= 0 ? (t->ascii ? "|" : "\u2503")
                                    : chart_text_marker(t, m->slot));
        else if (q1 >= 0 && q3 >= 0 && x >= q1 && x <= q3)
            str_add(t->out, t->ascii ? "=" : "\u2592");
        else if (lo >= 0 && x == lo)
            str_add(t->out, t->ascii ? "|" : "\u251c");
        else if (hi >= 0 && x == hi)
            str_add(t->out, t->ascii ? "|" : "\u2524");
        else if (lo >= 0 && hi >= 0 && x > lo && x < hi)
            str_add(t->out, t->ascii ? "-" : "\u2500");
        else
            str_addc(t->out, ' ');
    }
    term_slot(t, 0);
}

static void value_text(const struct rows *r, const struct chart_mark *m, int64_t i,
                       struct str *out)
{
    struct figure f;
    double v = number(r, value_of(r, m), i), lo = number(r, m->lo, i),
           hi = number(r, m->hi, i);
    str_add(out, figure_number(&f, v, 4));
    if (m->kind != MARK_BOX && !plot_is_histogram(m) && !isnan(lo) && !isnan(hi)) {
        str_addf(out, " (%s", figure_number(&f, lo, 3));
        str_addf(out, " to %s)", figure_number(&f, hi, 3));
    }
}

static void put_row(struct rows *r, const struct chart_mark *m, int64_t i,
                    const char *name)
{
    struct term *t = r->t;
    struct str text = {0};
    str_add(t->out, "  ");
    term_pad(t, r->name - term_text(t, name, r->name));
    str_addc(t->out, ' ');
    if (m->kind == MARK_BAR)
        put_bar(r, m, number(r, value_of(r, m), i));
    else
        put_span(r, m, i);
    value_text(r, m, i, &text);
    str_addc(t->out, ' ');
    str_add(t->out, text.s ? text.s : "");
    str_addc(t->out, '\n');
    t->out->failed |= text.failed;
    str_free(&text);
}

static int is_row_mark(const struct chart_mark *m)
{
    return m->kind == MARK_BAR || m->kind == MARK_INTERVAL || m->kind == MARK_BOX ||
           m->kind == MARK_POINT || m->kind == MARK_LINE;
}

/* Widths: names and values as they are, the bars take what is left. */
static void measure(struct rows *r)
{
    r->name = 4;
    r->value = 1;
    for (int k = 0; k < r->names->n_cats; k++) {
        int w = term_width(r->names->cats[k]);
        if (w > r->name) r->name = w > NAME_MAX ? NAME_MAX : w;
    }
    for (int j = 0; j < r->p->chart->n_marks; j++) {
        const struct chart_mark *m = &r->p->chart->marks[j];
        int64_t n = plot_length(r->p->chart, m);
        for (int64_t i = 0; is_row_mark(m) && i < n; i++) {
            struct str text = {0};
            value_text(r, m, i, &text);
            if ((int)text.len > r->value) r->value = (int)text.len;
            r->t->out->failed |= text.failed;
            str_free(&text);
        }
    }
    if (r->name > r->t->width - r->value - 13) r->name = r->t->width - r->value - 13;
    if (r->name < 4) r->name = 4;
    r->bar = r->t->width - r->name - r->value - 5;
    if (r->bar > 60) r->bar = 60;
    if (r->bar < 8) r->bar = 8;
}

void chart_rows(struct term *t, const struct plot *p, struct arena *a)
{
    struct rows r = {.t = t, .p = p, .a = a};
    int shown;
    r.names = p->y.scale == SCALE_BAND ? &p->y : &p->x;
    r.values = r.names == &p->y ? &p->x : &p->y;
    measure(&r);
    shown = r.names->n_cats > ROWS_MAX + 4 ? ROWS_MAX : r.names->n_cats;
    for (int k = 0; k < shown; k++) {
        int first = 1;
        for (int j = 0; j < p->chart->n_marks; j++) {
            const struct chart_mark *m = &p->chart->marks[j];
            int64_t n = plot_length(p->chart, m);
            for (int64_t i = 0; is_row_mark(m) && i < n; i++) {
                double at = plot_value(p, r.names, names_of(&r, m), i);
                if (isnan(at) || (int)at != k) continue;
                put_row(&r, m, i, first ? r.names->cats[k] : "");
                first = 0;
            }
        }
    }
    if (shown < r.names->n_cats)
        str_addf(t->out, "  %d more: --json or --html\n", r.names->n_cats - shown);
}
