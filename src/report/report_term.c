/* report_term.c - a report for the terminal, and the door of this room
 *
 * The order answers a reader's questions: what is this, is it good, how sure, what lies behind
 * it, what next. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "report/report.h"

#define TABLE_ROWS 40
#define FACT_MAX   240

/* ---- facts ---- */

static int is_shown_fact(const char *key, const json_t *fact)
{
    if (json_is_object(fact) || json_is_array(fact) || json_is_null(fact)) return 0;
    if (json_is_string(fact) && strlen(json_string_value(fact)) > FACT_MAX) return 0;
    return strcmp(key, "chosen_because") != 0; /* a text item says it */
}

static void fact_text(struct str *out, const json_t *fact)
{
    struct figure f;
    if (json_is_string(fact))
        str_add(out, json_string_value(fact));
    else if (json_is_integer(fact))
        str_add(out, figure_count(&f, (int64_t)json_integer_value(fact)));
    else if (json_is_real(fact))
        str_add(out, figure_number(&f, json_real_value(fact), 4));
    else
        str_add(out, json_is_true(fact) ? "yes" : "no");
}

/* "name   value"; returns the width of a line that is not ended yet. */
static int put_fact(struct term *t, const char *key, int width, const char *value,
                    int is_short)
{
    struct str first = {0};
    int used = 0;
    str_add(&first, "  ");
    figure_words(&first, key);
    for (int i = term_width(key); i < width + 2; i++) str_addc(&first, ' ');
    if (is_short) {
        str_add(t->out, first.s ? first.s : "");
        used = width + 4 + term_text(t, value, 0);
    } else {
        term_wrap(t, first.s ? first.s : "", value);
    }
    t->out->failed |= first.failed;
    str_free(&first);
    return used;
}

static int widest_fact(const tide_report *r)
{
    const char *key;
    json_t *fact;
    int width = 0;
    /* clang-format off */
    json_object_foreach(r->facts, key, fact) {
        int w = is_shown_fact(key, fact) ? term_width(key) : 0;
        if (w > width) width = w;
    }
    /* clang-format on */
    return width;
}

/* Short facts stand two on a line. */
static void put_facts(struct term *t, const tide_report *r)
{
    const char *key;
    json_t *fact;
    int width = widest_fact(r), half = t->width / 2, used = 0;
    /* clang-format off */
    json_object_foreach(r->facts, key, fact) {
        /* clang-format on */
        struct str text = {0};
        int is_short, is_second = used > 0;
        if (!is_shown_fact(key, fact)) continue;
        fact_text(&text, fact);
        is_short = term_width(text.s ? text.s : "") + width + 5 <= half;
        if (is_second && is_short) term_pad(t, half - used);
        if (is_second && !is_short) str_addc(t->out, '\n');
        used = put_fact(t, key, width, text.s ? text.s : "", is_short);
        if (is_second && is_short) str_addc(t->out, '\n');
        if (is_second && is_short) used = 0;
        t->out->failed |= text.failed;
        str_free(&text);
    }
    if (used > 0) str_addc(t->out, '\n');
    if (width > 0) str_addc(t->out, '\n');
}

/* ---- metrics ---- */

struct metric_row {
    const struct report_metric *m;
    struct figure value, lo, hi;
};

static int gather_metrics(const tide_report *r, struct metric_row *rows, int cap)
{
    int n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < r->n && n < cap; i++) {
            const struct report_metric *m = &r->items[i].metric;
            if (r->items[i].kind != REPORT_METRIC || !m->main != (pass == 1)) continue;
            rows[n].m = m;
            figure_estimate(&rows[n].value, &rows[n].lo, &rows[n].hi, m);
            n++;
        }
    return n;
}

static void put_right(struct term *t, const char *s, int width)
{
    term_pad(t, width - term_width(s));
    str_add(t->out, s);
}

static void put_metric(struct term *t, const struct metric_row *row, int name,
                       int value, int ends)
{
    const struct report_metric *m = row->m;
    struct figure f;
    const char *title = m->title ? m->title : m->key;
    if (m->main) term_ink(t, TERM_BOLD);
    str_add(t->out, "  ");
    term_pad(t, name - term_text(t, title, name));
    str_add(t->out, "  ");
    put_right(t, row->value.s, value);
    if (m->main) term_ink(t, TERM_PLAIN);
    if (isnan(m->value) && m->reason) {
        str_add(t->out, "  ");
        (void)term_text(t, m->reason,
                        t->width > name + value + 8 ? t->width - name - value - 6 : 0);
    } else if (!isnan(m->lo) && !isnan(m->hi)) {
        str_add(t->out, "  ");
        put_right(t, row->lo.s, ends);
        str_add(t->out, " to ");
        put_right(t, row->hi.s, ends);
        if (m->method &&
            name + value + 2 * ends + 14 + term_width(m->method) <= t->width) {
            term_ink(t, TERM_MUTED);
            str_addf(t->out, "  95 %% %s", m->method);
            term_ink(t, TERM_PLAIN);
        }
    }
    if (m->main && !isnan(m->chance))
        str_addf(t->out, "%schance %s", isnan(m->lo) ? "  " : ", ",
                 figure_number(&f, m->chance, 4));
    str_addc(t->out, '\n');
}

static void put_metrics(struct term *t, const tide_report *r, struct arena *a)
{
    int n, name = 0, value = 0, ends = 0, cap = r->n > 0 ? r->n : 1;
    struct metric_row *rows = arena_array(a, cap, sizeof *rows);
    if (!rows) return;
    n = gather_metrics(r, rows, cap);
    for (int i = 0; i < n; i++) {
        const char *title = rows[i].m->title ? rows[i].m->title : rows[i].m->key;
        int w = term_width(title), v = (int)strlen(rows[i].value.s);
        int l = (int)strlen(rows[i].lo.s), h = (int)strlen(rows[i].hi.s);
        if (w > name) name = w > 32 ? 32 : w;
        if (v > value) value = v;
        if (l > ends) ends = l;
        if (h > ends) ends = h;
    }
    for (int i = 0; i < n; i++) put_metric(t, &rows[i], name, value, ends);
    if (n > 0) str_addc(t->out, '\n');
}

/* ---- items ---- */

static void put_table(struct term *t, const struct report_table *table, struct arena *a)
{
    struct figure f;
    int64_t n = table->n_rows > TABLE_ROWS + 5 ? TABLE_ROWS : table->n_rows;
    if (table->title && *table->title) {
        term_ink(t, TERM_BOLD);
        (void)term_text(t, table->title, 0);
        term_ink(t, TERM_PLAIN);
        str_addc(t->out, '\n');
    }
    term_table(t, table->n_cols, table->head, table->right, n, table->cell, a);
    if (n < table->n_rows)
        str_addf(t->out, "  %s more rows: --json or --html\n",
                 figure_count(&f, table->n_rows - n));
    str_addc(t->out, '\n');
}

static void put_item(struct term *t, const struct report_item *item, int charts,
                     struct arena *a)
{
    struct arena_mark mark = arena_mark(a);
    switch ((enum report_item_kind)item->kind) {
    case REPORT_HEADING:
        term_ink(t, TERM_BOLD);
        (void)term_text(t, item->text, 0);
        term_ink(t, TERM_PLAIN);
        str_add(t->out, "\n\n");
        break;
    case REPORT_TEXT:
        term_wrap(t, "", item->text);
        str_addc(t->out, '\n');
        break;
    case REPORT_TABLE:
        put_table(t, &item->table, a);
        break;
    case REPORT_CHART:
        if (charts > 0 || (charts == 0 && item->chart->is_key)) {
            chart_term(t, item->chart, a);
            str_addc(t->out, '\n');
        }
        break;
    case REPORT_METRIC:
        break;
    }
    if (!a->failed) arena_reset(a, mark);
}

/* A heading whose section shows nothing here is left out. */
static int is_bare_heading(const tide_report *r, int i, int charts)
{
    if (r->items[i].kind != REPORT_HEADING) return 0;
    for (i++; i < r->n && r->items[i].kind != REPORT_HEADING; i++) {
        int kind = r->items[i].kind;
        if (kind == REPORT_TEXT || kind == REPORT_TABLE) return 0;
        if (kind == REPORT_CHART &&
            (charts > 0 || (charts == 0 && r->items[i].chart->is_key)))
            return 0;
    }
    return 1;
}

static void put_ends(struct term *t, const tide_report *r)
{
    for (int i = 0; i < r->n_notes; i++) term_wrap(t, "note: ", r->notes[i]);
    if (r->n_notes > 0 && r->n_advice > 0) str_addc(t->out, '\n');
    if (r->n_advice > 0) {
        term_ink(t, TERM_BOLD);
        str_add(t->out, "Next");
        term_ink(t, TERM_PLAIN);
        str_addc(t->out, '\n');
    }
    for (int i = 0; i < r->n_advice; i++) {
        term_wrap(t, "- ", r->advice[i].text);
        if (!r->advice[i].command) continue;
        str_add(t->out, "    $ ");
        (void)term_text(t, r->advice[i].command, 0);
        str_addc(t->out, '\n');
    }
}

void report_term(struct term *t, const tide_report *r, int charts, struct arena *a)
{
    term_ink(t, TERM_BOLD);
    term_wrap(t, "", r->title);
    term_ink(t, TERM_PLAIN);
    if (r->subtitle) term_wrap(t, "", r->subtitle);
    put_facts(t, r);
    if (r->verdict) {
        term_wrap(t, "", r->verdict);
        str_addc(t->out, '\n');
    }
    put_metrics(t, r, a);
    for (int i = 0; i < r->n; i++)
        if (!is_bare_heading(r, i, charts)) put_item(t, &r->items[i], charts, a);
    put_ends(t, r);
    /* no empty line at the end */
    while (t->out->len > 1 && !t->out->failed && t->out->s[t->out->len - 1] == '\n' &&
           t->out->s[t->out->len - 2] == '\n')
        t->out->s[--t->out->len] = '\0';
}
