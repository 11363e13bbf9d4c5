/* chart.c - building and checking the description of a chart
 *
 * Builders never fail visibly: mistakes stick in `error` (the first one stays), memory in the
 * arena; chart_finish tells both. chart_new never returns NULL: when memory is out callers
 * fill a spare chart of their thread, which chart_finish refuses. */
#include "eval/chart.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define CHART_SERIES                                                                   \
    ((int)(sizeof((struct tide_chart *)0)->series / sizeof(struct chart_series)))
#define CHART_MARKS                                                                    \
    ((int)(sizeof((struct tide_chart *)0)->marks / sizeof(struct chart_mark)))
#define CHART_NOTES    3
#define CHART_VERTICES 2000 /* of a line after aggregation */
#define CHART_COLOURS  8
#define SUMMARY_MIN    40
#define SUMMARY_MAX    250

static _Thread_local struct tide_chart chart_spare;

struct tide_chart *chart_new(struct arena *a, const char *key, const char *title,
                             int64_t n)
{
    struct tide_chart *c = arena_zero(a, sizeof *c);
    if (!c) {
        c = &chart_spare;
        memset(c, 0, sizeof *c);
    }
    c->arena = a;
    c->key = arena_str(a, key);
    c->title = arena_str(a, title);
    c->n = n;
    return c;
}

/* Keeps the first mistake. */
static void chart_mistake(struct tide_chart *c, const char *fmt, ...)
{
    va_list ap;
    if (c->error[0]) return;
    va_start(ap, fmt);
    (void)str_formatv(c->error, sizeof c->error, fmt, ap);
    va_end(ap);
}

static struct chart_series *chart_series(struct tide_chart *c, const char *name,
                                         int64_t n)
{
    struct chart_series *s;
    if (c->n_series == CHART_SERIES) {
        chart_mistake(c, "more than %d series, at '%s'", CHART_SERIES, name);
        return NULL;
    }
    s = &c->series[c->n_series];
    memset(s, 0, sizeof *s);
    s->name = arena_str(c->arena, name);
    s->n = n;
    return s;
}

int chart_num(struct tide_chart *c, const char *name, const double *v, int64_t n)
{
    struct chart_series *s = chart_series(c, name, n);
    double *copy;
    if (!s) return -1;
    copy = arena_array(c->arena, n > 0 ? n : 1, sizeof *copy);
    if (!copy) return -1;
    if (n > 0) memcpy(copy, v, (size_t)n * sizeof *copy);
    s->num = copy;
    return c->n_series++;
}

int chart_text(struct tide_chart *c, const char *name, const char *const *v, int64_t n)
{
    struct chart_series *s = chart_series(c, name, n);
    const char **copy;
    if (!s) return -1;
    copy = arena_array(c->arena, n > 0 ? n : 1, sizeof *copy);
    if (!copy) return -1;
    for (int64_t i = 0; i < n; i++) copy[i] = arena_str(c->arena, v[i] ? v[i] : "");
    s->text = copy;
    return c->n_series++;
}

struct chart_mark *chart_mark(struct tide_chart *c, int kind, const char *label,
                              int slot)
{
    struct chart_mark *m;
    if (c->n_marks == CHART_MARKS) {
        chart_mistake(c, "more than %d marks", CHART_MARKS);
        m = &c->marks[CHART_MARKS - 1];
    } else {
        m = &c->marks[c->n_marks++];
    }
    *m = (struct chart_mark){.kind = kind, .slot = slot};
    m->x = m->y = m->lo = m->hi = m->size = m->text = m->q1 = m->q3 = -1;
    m->bins_lo = -1;
    if (label) m->label = arena_str(c->arena, label);
    return m;
}

static void chart_axis(struct tide_chart *c, struct chart_axis *axis, const char *label,
                       const char *unit, int scale, double lo, double hi)
{
    axis->label = label ? arena_str(c->arena, label) : NULL;
    axis->unit = unit ? arena_str(c->arena, unit) : NULL;
    axis->scale = scale;
    axis->lo = lo;
    axis->hi = hi;
}

void chart_axis_x(struct tide_chart *c, const char *label, const char *unit, int scale,
                  double lo, double hi)
{
    chart_axis(c, &c->x, label, unit, scale, lo, hi);
}

void chart_axis_y(struct tide_chart *c, const char *label, const char *unit, int scale,
                  double lo, double hi)
{
    chart_axis(c, &c->y, label, unit, scale, lo, hi);
}

static const char *chart_format(struct tide_chart *c, const char *fmt, va_list ap)
{
    char text[1024];
    (void)str_formatv(text, sizeof text, fmt, ap);
    return arena_str(c->arena, text);
}

void chart_summary(struct tide_chart *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->summary = chart_format(c, fmt, ap);
    va_end(ap);
}

void chart_note(struct tide_chart *c, const char *fmt, ...)
{
    va_list ap;
    if (c->n_notes == CHART_NOTES) return;
    va_start(ap, fmt);
    c->notes[c->n_notes++] = chart_format(c, fmt, ap);
    va_end(ap);
}

/* ---- checks ---- */

/* Characters, not bytes. */
static int chart_letters(const char *s)
{
    int n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static int chart_is_slug(const char *key)
{
    if (!key || !*key) return 0;
    for (const char *p = key; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\'' || *p == '<' ||
            *p == '&')
            return 0;
    return 1;
}

static void chart_check_text(struct tide_chart *c)
{
    int n = c->summary ? chart_letters(c->summary) : 0;
    if (!chart_is_slug(c->key)) chart_mistake(c, "the key is no slug");
    if (!c->title || !*c->title) chart_mistake(c, "no title");
    if (!n)
        chart_mistake(c, "no summary");
    else if (n < SUMMARY_MIN || n > SUMMARY_MAX)
        chart_mistake(c, "the summary has %d characters, %d to %d are wanted", n,
                      SUMMARY_MIN, SUMMARY_MAX);
}

static int chart_is_bad_log(const struct chart_axis *axis, const struct chart_series *s)
{
    if (axis->scale != SCALE_LOG || !s->num) return 0;
    for (int64_t i = 0; i < s->n; i++)
        if (s->num[i] <= 0) return 1;
    return 0;
}

/* One series of a mark: its index, its length against the mark's, the axis it lies on. */
static void chart_check_use(struct tide_chart *c, int mark, int index, int64_t *n,
                            const struct chart_axis *axis)
{
    const struct chart_series *s;
    if (index == -1) return;
    if (index < -1 || index >= c->n_series) {
        chart_mistake(c, "mark %d uses series %d of %d", mark + 1, index, c->n_series);
        return;
    }
    s = &c->series[index];
    if (*n >= 0 && s->n != *n)
        chart_mistake(c, "mark %d: '%s' has %lld values and others %lld", mark + 1,
                      s->name, (long long)s->n, (long long)*n);
    *n = s->n;
    if (axis && chart_is_bad_log(axis, s))
        chart_mistake(c, "mark %d: '%s' has values at or below 0 on a log axis",
                      mark + 1, s->name);
}

static int chart_is_curve(int kind)
{
    return kind == MARK_LINE || kind == MARK_STEP || kind == MARK_BAND;
}

static void chart_check_mark(struct tide_chart *c, int i)
{
    const struct chart_mark *m = &c->marks[i];
    const struct chart_axis *along = m->horizontal ? &c->y : &c->x;
    const struct chart_axis *across = m->horizontal ? &c->x : &c->y;
    int64_t n = -1;
    if (m->kind < MARK_LINE || m->kind > MARK_TEXT)
        chart_mistake(c, "mark %d is of no kind", i + 1);
    if (m->slot < 0 || m->slot > CHART_COLOURS)
        chart_mistake(c, "mark %d: colour %d of %d", i + 1, m->slot, CHART_COLOURS);
    if (m->kind == MARK_RULE) {
        if (!isfinite(m->a) || !isfinite(m->b))
            chart_mistake(c, "mark %d: the rule is not finite", i + 1);
        return;
    }
    if (m->kind == MARK_BAR && m->bins_lo >= 0) {
        chart_check_use(c, i, m->lo, &n, along);
        chart_check_use(c, i, m->hi, &n, along);
        chart_check_use(c, i, m->bins_lo, &n, along);
    } else {
        chart_check_use(c, i, m->lo, &n, across);
        chart_check_use(c, i, m->hi, &n, across);
    }
    chart_check_use(c, i, m->x, &n, along);
    chart_check_use(c, i, m->y, &n, m->kind == MARK_BAR ? NULL : across);
    chart_check_use(c, i, m->size, &n, NULL);
    chart_check_use(c, i, m->text, &n, NULL);
    chart_check_use(c, i, m->q1, &n, across);
    chart_check_use(c, i, m->q3, &n, across);
    if (n > CHART_VERTICES && chart_is_curve(m->kind))
        chart_mistake(c, "mark %d has %lld vertices, %d are drawn at most", i + 1,
                      (long long)n, CHART_VERTICES);
}

static void chart_check_series(struct tide_chart *c)
{
    for (int s = 0; s < c->n_series; s++)
        for (int64_t i = 0; c->series[s].num && i < c->series[s].n; i++)
            if (isinf(c->series[s].num[i])) {
                chart_mistake(c, "series '%s' holds an infinity", c->series[s].name);
                break;
            }
}

tide_status chart_finish(struct tide_chart *c, tide_error *err)
{
    int has_axes = 0;
    if (c->arena->failed) return arena_status(c->arena, err);
    chart_check_text(c);
    chart_check_series(c);
    for (int i = 0; i < c->n_marks; i++) {
        chart_check_mark(c, i);
        has_axes |= c->marks[i].kind != MARK_NODE && c->marks[i].kind != MARK_TEXT;
    }
    if (has_axes && (!c->x.label || !*c->x.label))
        chart_mistake(c, "no label of axis x");
    if (has_axes && (!c->y.label || !*c->y.label))
        chart_mistake(c, "no label of axis y");
    if (c->error[0])
        return err_set(err, TIDE_CODE_INTERNAL, "chart '%s': %s", c->key ? c->key : "",
                       c->error);
    return TIDE_OK;
}
