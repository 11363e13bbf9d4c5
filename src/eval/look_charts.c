/* look_charts.c - pictures of a table: gaps, target, associations, one for each column */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "eval/charts.h"
#include "eval/look.h"

#define BARS_MAX 15
#define Z95      1.9599639845400542

/* A column's name in a sentence: escaped and short. */
static const char *short_name(const struct look *l, const char *name)
{
    char t[CHARTS_NAME];
    return arena_str(&l->report->arena, charts_name(t, name));
}

/* "hist/Lot_Area": what no key may hold becomes '_'; twice the same: with the number. */
static const char *chart_key(struct look *l, const char *kind, int j)
{
    struct arena *a = &l->report->arena;
    size_t n = strlen(kind), m = strlen(l->col[j].c->name);
    char *key = arena_push(a, n + m + 20);
    int again = 0;
    if (!key) return kind;
    (void)str_format(key, n + m + 2, "%s/%s", kind, l->col[j].c->name);
    for (char *p = key + n + 1; *p; p++)
        if ((unsigned char)*p <= ' ' || strchr("\"'<&", *p)) *p = '_';
    if (key[n + 1] == '\0') memcpy(key + n + 1, "_", 2);
    for (int i = 0; i < l->report->n; i++)
        again |= l->report->items[i].kind == REPORT_CHART &&
                 str_same(l->report->items[i].chart->key, key);
    if (again) (void)str_format(key + strlen(key), 18, "-%d", j + 1);
    return key;
}

static tide_status done(struct look *l, struct tide_chart *c, tide_error *err)
{
    tide_status s = chart_finish(c, err);
    if (!s) report_chart(l->report, c);
    return s;
}

/* ---- gaps ---- */

static tide_status chart_missing(struct look *l, tide_error *err)
{
    const char *name[BARS_MAX];
    double share[BARS_MAX];
    int at[BARS_MAX], n = 0, with = 0;
    struct tide_chart *c;
    struct chart_mark *m;
    char most[NUM_PRINT_MAX];
    for (int j = 0; j < l->n_cols; j++) {
        int k = n;
        if (l->col[j].n_missing == 0) continue;
        with++;
        if (n == BARS_MAX && l->col[j].n_missing <= l->col[at[n - 1]].n_missing)
            continue;
        if (n == BARS_MAX)
            k--;
        else
            n++;
        for (; k > 0 && l->col[at[k - 1]].n_missing < l->col[j].n_missing; k--)
            at[k] = at[k - 1];
        at[k] = j;
    }
    if (n == 0 || l->frame->n_rows == 0) return TIDE_OK;
    for (int i = 0; i < n; i++) {
        name[i] = l->col[at[i]].c->name;
        share[i] = 100.0 * (double)l->col[at[i]].n_missing / (double)l->frame->n_rows;
    }
    c = chart_new(&l->report->arena, "missing",
                  with == 1 ? "One column has missing values"
                            : "Columns with missing values",
                  l->frame->n_rows);
    chart_axis_x(c, "missing", "%", SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    chart_summary(
        c, "%d of %d columns have missing values; most are in '%s', %s %% of its rows.",
        with, l->n_cols, short_name(l, name[0]), charts_figure(most, share[0]));
    if (with > n) chart_note(c, "%d more columns with fewer missing values", with - n);
    m = chart_mark(c, MARK_BAR, NULL, 1);
    m->horizontal = 1;
    m->x = chart_text(c, "column", name, n);
    m->y = chart_num(c, "missing (%)", share, n);
    c->is_key = 1;
    return done(l, c, err);
}

/* ---- one column ---- */

static tide_status chart_numbers(struct look *l, const struct look_column *p,
                                 const char *key, int is_key, tide_error *err)
{
    const struct look_bins *b = p->bins;
    const char *name = p->c->name;
    struct tide_chart *c = chart_new(&l->report->arena, key, name, p->n);
    struct chart_mark *m;
    struct arena *a = &l->report->arena;
    int scale = p->c->type == TIDE_TIME ? SCALE_TIME
                : b->is_log             ? SCALE_LOG
                                        : SCALE_LINEAR;
    chart_axis_x(c, name, NULL, scale, b->lo[0], b->hi[b->n - 1]);
    chart_axis_y(c, "rows", NULL, SCALE_LINEAR, 0, 0);
    chart_summary(c,
                  "Half of the values of '%s' lie between %s and %s; the median is %s "
                  "and the mean %s.",
                  short_name(l, name), look_number(p, p->q25, a),
                  look_number(p, p->q75, a), look_number(p, p->q50, a),
                  look_number(p, p->mean, a));
    if (b->above)
        chart_note(c, "%s values above %s are in the last bar",
                   look_count(&l->arena, b->above), look_number(p, b->hi[b->n - 1], a));
    if (b->below)
        chart_note(c, "%s values below %s are in the first bar",
                   look_count(&l->arena, b->below), look_number(p, b->lo[0], a));
    if (p->n_missing)
        chart_note(c, "%s rows are missing", look_count(&l->arena, p->n_missing));
    m = chart_mark(c, MARK_BAR, NULL, 1);
    m->lo = m->bins_lo = chart_num(c, "from", b->lo, b->n);
    m->hi = chart_num(c, "to", b->hi, b->n);
    m->y = chart_num(c, "rows", b->count, b->n);
    c->is_key = is_key;
    return done(l, c, err);
}

static tide_status chart_levels(struct look *l, const struct look_column *p,
                                const char *key, int is_key, tide_error *err)
{
    const char *name[LOOK_TOP + 1];
    double n[LOOK_TOP + 1], rest = (double)p->n;
    char other[64], share[NUM_PRINT_MAX];
    struct arena *a = &l->report->arena;
    struct tide_chart *c = chart_new(a, key, p->c->name, p->n);
    struct chart_mark *m;
    int k = 0;
    for (; k < p->n_top; k++) {
        const char *s = look_level(p, p->top[k], a);
        name[k] = s && *s ? s : "(empty)";
        n[k] = (double)p->top_n[k];
        rest -= n[k];
    }
    chart_summary(
        c, "The most frequent of %s values of '%s' is '%s' with %s %% of %s rows.",
        look_count(&l->arena, p->n_distinct), short_name(l, p->c->name),
        short_name(l, name[0]), charts_figure(share, 100 * n[0] / (double)p->n),
        look_count(&l->arena, p->n));
    if (rest > 0) {
        (void)str_format(other, sizeof other, "other (%s levels)",
                         look_count(&l->arena, (p->n_distinct - p->n_top)));
        name[k] = other;
        n[k++] = rest;
    }
    chart_axis_x(c, "rows", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, p->c->name, NULL, SCALE_BAND, 0, 0);
    m = chart_mark(c, MARK_BAR, NULL, 1);
    m->horizontal = 1;
    m->x = chart_text(c, "level", name, k);
    m->y = chart_num(c, "rows", n, k);
    if (p->n_missing)
        chart_note(c, "%s rows are missing", look_count(&l->arena, p->n_missing));
    c->is_key = is_key;
    return done(l, c, err);
}

static tide_status chart_column(struct look *l, int j, const char *kind, int is_key,
                                tide_error *err)
{
    const struct look_column *p = &l->col[j];
    const char *key = str_same(kind, "target") ? kind : chart_key(l, kind, j);
    if (p->is_number && p->bins && p->bins->n > 0)
        return chart_numbers(l, p, key, is_key, err);
    if (!p->is_number && p->n_top > 0) return chart_levels(l, p, key, is_key, err);
    return TIDE_OK;
}

/* ---- with the target ---- */

/* Columns by strength, strongest first; returns how many of at most `cap`. */
static int by_strength(const struct look *l, int *at, int cap)
{
    int n = 0;
    for (int j = 0; j < l->n_cols; j++) {
        int k = n;
        double s = l->col[j].strength;
        if (!l->col[j].how || isnan(s)) continue;
        if (n == cap && s <= l->col[at[n - 1]].strength) continue;
        if (n == cap)
            k--;
        else
            n++;
        for (; k > 0 && l->col[at[k - 1]].strength < s; k--) at[k] = at[k - 1];
        at[k] = j;
    }
    return n;
}

static tide_status chart_association(struct look *l, tide_error *err)
{
    int at[BARS_MAX], n = by_strength(l, at, BARS_MAX);
    const char *name[BARS_MAX], *how[BARS_MAX];
    double v[BARS_MAX], measured[BARS_MAX];
    char value[NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *m;
    if (n == 0) return TIDE_OK;
    for (int i = 0; i < n; i++) {
        name[i] = l->col[at[i]].c->name;
        how[i] = l->col[at[i]].how;
        v[i] = l->col[at[i]].strength;
        measured[i] = l->col[at[i]].value;
    }
    c = chart_new(&l->report->arena, "association", "What goes along with the target",
                  l->n_target);
    chart_axis_x(c, "strength", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    chart_summary(c,
                  "'%s' goes along with '%s' most (%s %s); each column is taken alone.",
                  short_name(l, name[0]), short_name(l, l->frame->cols[l->target].name),
                  how[0], charts_figure(value, measured[0]));
    chart_note(
        c, "strength from 0 to 1: |r| of numbers, 2 |AUC - 1/2| of numbers with two "
           "classes, eta or Cramer's V of categories");
    m = chart_mark(c, MARK_BAR, NULL, 1);
    m->horizontal = 1;
    m->x = chart_text(c, "column", name, n);
    m->y = chart_num(c, "strength", v, n);
    (void)chart_text(c, "measure", how, n);
    (void)chart_num(c, "measured", measured, n);
    c->is_key = 1;
    return done(l, c, err);
}

static void part_interval(const struct look *l, const struct look_part *t, double *mean,
                          double *lo, double *hi)
{
    double n = (double)t->n, p = t->sum / n;
    *mean = p;
    if (l->task == TIDE_CLASSIFY) { /* Wilson 1927 */
        double z2 = Z95 * Z95, mid = (p + z2 / (2 * n)) / (1 + z2 / n);
        double half = Z95 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
        *lo = mid - half < 0 ? 0 : mid - half;
        *hi = mid + half > 1 ? 1 : mid + half;
        return;
    }
    double var = n > 1 ? (t->sum2 - n * p * p) / (n - 1) : 0;
    double se = var > 0 ? sqrt(var / n) : 0;
    *lo = p - Z95 * se;
    *hi = p + Z95 * se;
}

/* The target's mean, or share of the positive class, by parts of a column. */
static tide_status chart_by(struct look *l, int j, tide_error *err)
{
    const struct look_column *p = &l->col[j];
    struct arena *a = &l->report->arena;
    const char *name[LOOK_TOP], *target = short_name(l, l->frame->cols[l->target].name);
    double mean[LOOK_TOP], lo[LOOK_TOP], hi[LOOK_TOP], rows[LOOK_TOP];
    char low[NUM_PRINT_MAX], high[NUM_PRINT_MAX], t[160];
    struct tide_chart *c;
    struct chart_mark *m;
    int n = 0, least = 0, most = 0;
    for (int i = 0; i < p->n_parts; i++) {
        if (p->parts[i].n == 0) continue;
        part_interval(l, &p->parts[i], &mean[n], &lo[n], &hi[n]);
        rows[n] = (double)p->parts[i].n;
        if (!p->is_number)
            name[n] = look_level(p, p->parts[i].level, a);
        else if (p->parts[i].lo == p->parts[i].hi)
            name[n] = look_number(p, p->parts[i].lo, a);
        else {
            (void)str_format(t, sizeof t, "%s to %s", look_number(p, p->parts[i].lo, a),
                             look_number(p, p->parts[i].hi, a));
            name[n] = arena_str(a, t);
        }
        if (!name[n] || !*name[n]) name[n] = "(empty)";
        if (mean[n] < mean[least]) least = n;
        if (mean[n] > mean[most]) most = n;
        n++;
    }
    if (n < 2) return TIDE_OK;
    (void)str_format(t, sizeof t, "%s by %s", target, short_name(l, p->c->name));
    c = chart_new(a, chart_key(l, "by", j), t, l->n_target);
    if (l->task == TIDE_CLASSIFY)
        (void)str_format(t, sizeof t, "share of '%s'",
                         short_name(l, l->labels[l->positive]));
    else
        (void)str_format(t, sizeof t, "mean of '%s'", target);
    chart_axis_x(c, t, NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, p->c->name, NULL, SCALE_BAND, 0, 0);
    chart_summary(c, "The %s is lowest, %s, at %s and highest, %s, at %s.", t,
                  charts_figure(low, mean[least]), short_name(l, name[least]),
                  charts_figure(high, mean[most]), short_name(l, name[most]));
    m = chart_mark(c, MARK_INTERVAL, NULL, 1);
    m->horizontal = 1;
    m->x = chart_text(c, "part", name, n);
    m->y = chart_num(c, l->task == TIDE_CLASSIFY ? "share" : "mean", mean, n);
    m->lo = chart_num(c, "low", lo, n);
    m->hi = chart_num(c, "high", hi, n);
    (void)chart_num(c, "rows", rows, n);
    return done(l, c, err);
}

/* ---- the map ---- */

static tide_status chart_map(struct look *l, tide_error *err)
{
    int n = l->n_numeric < LOOK_MAP ? l->n_numeric : LOOK_MAP;
    const char **x = arena_array(&l->arena, (int64_t)n * n + 1, sizeof *x);
    const char **y = arena_array(&l->arena, (int64_t)n * n + 1, sizeof *y);
    double *r = arena_array(&l->arena, (int64_t)n * n + 1, sizeof *r);
    char most[NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *m;
    if (n < 3 || !l->r) return TIDE_OK;
    if (!x || !y || !r) return arena_status(&l->arena, err);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            y[i * n + j] = l->col[l->numeric[i]].c->name;
            x[i * n + j] = l->col[l->numeric[j]].c->name;
            r[i * n + j] = l->r[i * l->n_numeric + j];
        }
    c = chart_new(&l->report->arena, "correlation", "Numbers that move together",
                  l->r_rows);
    chart_axis_x(c, "column", NULL, SCALE_BAND, 0, 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    c->colour.label = "r";
    c->colour.lo = -1;
    c->colour.hi = 1;
    if (l->n_pairs)
        chart_summary(c,
                      "The strongest correlation is %s, between '%s' and '%s'; %d "
                      "columns are shown.",
                      charts_figure(most, l->pairs[0].r),
                      short_name(l, l->col[l->pairs[0].a].c->name),
                      short_name(l, l->col[l->pairs[0].b].c->name), n);
    else
        chart_summary(
            c,
            "No two of the %d columns shown have a correlation of 0.5 or more in size.",
            n);
    if (l->r_rows < l->frame->n_rows)
        chart_note(c, "%s of %s rows, evenly taken", look_count(&l->arena, l->r_rows),
                   look_count(&l->arena, l->frame->n_rows));
    m = chart_mark(c, MARK_CELL, NULL, 1);
    m->x = chart_text(c, "column x", x, (int64_t)n * n);
    m->y = chart_text(c, "column y", y, (int64_t)n * n);
    m->size = chart_num(c, "r", r, (int64_t)n * n);
    return done(l, c, err);
}

tide_status look_charts(struct look *l, tide_error *err)
{
    int strong[3], n = 0;
    tide_status s = chart_missing(l, err);
    if (!s && l->target >= 0) {
        report_heading(l->report, "The target");
        s = chart_column(l, l->target, "target", 1, err);
        if (!s) s = chart_association(l, err);
        if (l->y) n = by_strength(l, strong, 3);
        for (int i = 0; !s && i < n; i++) s = chart_by(l, strong[i], err);
    }
    if (!s && l->n_numeric > 2 && l->r) {
        report_heading(l->report, "Together");
        s = chart_map(l, err);
    }
    report_heading(l->report, "Each column");
    for (int j = 0; !s && j < l->n_cols && j < LOOK_FULL; j++)
        if (j != l->target) s = chart_column(l, j, "hist", 0, err);
    return s;
}
