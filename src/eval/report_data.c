/* report_data.c - reports as data; nothing here knows how a report is drawn
 *
 * One arena owns all text and numbers, one json_t the facts. The first failure sticks in
 * `failed` (or in the arena), so that a verb that fills a report tests it once, at the end. */
#include "eval/report_data.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "eval/chart.h"

#define REPORT_KEYS 512 /* names that tide_report_nearest looks at */

tide_report *report_new(struct tide_ctx *ctx, const char *kind, const char *title,
                        tide_error *err)
{
    tide_report *r = mem_zalloc(sizeof *r);
    if (!r) {
        err_nomem(err, sizeof *r);
        return NULL;
    }
    json_init();
    arena_init(&r->arena, ctx);
    r->kind = arena_str(&r->arena, kind ? kind : "");
    r->title = arena_str(&r->arena, title ? title : "");
    r->facts = json_object();
    if (!r->facts || r->arena.failed) {
        if (r->facts) err_nomem(err, 0);
        if (r->arena.failed)
            (void)arena_status(&r->arena, err);
        else
            err_nomem(err, 0);
        tide_report_free(r);
        return NULL;
    }
    return r;
}

TIDE_API void tide_report_free(tide_report *r)
{
    if (!r) return;
    json_decref(r->facts);
    arena_free(&r->arena);
    mem_free(r);
}

/* Formatted text in the report's arena; NULL after a failure, which sticks. */
static const char *report_format(tide_report *r, const char *fmt, va_list ap)
{
    struct str t = {0};
    const char *out = NULL;
    str_addv(&t, fmt, ap);
    if (t.failed)
        r->failed = TIDE_ENOMEM;
    else
        out = arena_str(&r->arena, t.s ? t.s : "");
    str_free(&t);
    return out;
}

static const char *report_copy(tide_report *r, const char *s)
{
    return s ? arena_str(&r->arena, s) : NULL;
}

/* The next item, or NULL after a failure. */
static struct report_item *report_push(tide_report *r, int kind)
{
    struct report_item *item;
    if (r->failed || r->arena.failed) return NULL;
    if (r->n == r->cap) {
        int cap = r->cap ? 2 * r->cap : 32;
        struct report_item *items = arena_array(&r->arena, cap, sizeof *items);
        if (!items) return NULL;
        if (r->n) memcpy(items, r->items, (size_t)r->n * sizeof *items);
        r->items = items;
        r->cap = cap;
    }
    item = &r->items[r->n++];
    memset(item, 0, sizeof *item);
    item->kind = kind;
    return item;
}

void report_heading(tide_report *r, const char *text)
{
    struct report_item *item = report_push(r, REPORT_HEADING);
    if (item) item->text = report_copy(r, text);
}

void report_text(tide_report *r, const char *fmt, ...)
{
    va_list ap;
    struct report_item *item = report_push(r, REPORT_TEXT);
    if (!item) return;
    va_start(ap, fmt);
    item->text = report_format(r, fmt, ap);
    va_end(ap);
}

void report_metric(tide_report *r, const struct report_metric *m)
{
    struct report_item *item = report_push(r, REPORT_METRIC);
    if (!item) return;
    item->metric = *m;
    item->metric.key = report_copy(r, m->key);
    item->metric.title = report_copy(r, m->title);
    item->metric.method = report_copy(r, m->method);
    item->metric.reason = report_copy(r, m->reason);
}

/* Copies n strings; NULL strings stay NULL. */
static const char *const *report_strings(tide_report *r, const char *const *s,
                                         int64_t n)
{
    const char **out = arena_array(&r->arena, n > 0 ? n : 1, sizeof *out);
    if (!out) return NULL;
    for (int64_t i = 0; i < n; i++) out[i] = report_copy(r, s[i]);
    return out;
}

void report_table(tide_report *r, const char *key, const char *title, int n_cols,
                  const char *const *head, const uint8_t *right, int64_t n_rows,
                  const char *const *cells)
{
    struct report_item *item = report_push(r, REPORT_TABLE);
    uint8_t *align;
    if (!item) return;
    item->table.key = report_copy(r, key);
    item->table.title = report_copy(r, title);
    item->table.n_cols = n_cols;
    item->table.n_rows = n_rows;
    item->table.head = report_strings(r, head, n_cols);
    item->table.cell = report_strings(r, cells, n_rows * n_cols);
    align = arena_zero(&r->arena, (size_t)(n_cols > 0 ? n_cols : 1));
    if (align && right) memcpy(align, right, (size_t)n_cols);
    item->table.right = align;
}

void report_chart(tide_report *r, struct tide_chart *chart)
{
    struct report_item *item;
    for (int i = 0; chart && i < r->n; i++) {
        /* a key twice would be an element id twice */
        if (r->items[i].kind == REPORT_CHART &&
            str_same(r->items[i].chart->key, chart->key)) {
            r->failed = TIDE_EINTERNAL;
            return;
        }
    }
    if (!chart || chart->error[0]) {
        if (!r->arena.failed) r->failed = TIDE_EINTERNAL;
        return;
    }
    item = report_push(r, REPORT_CHART);
    if (item) item->chart = chart;
}

static void report_fact(tide_report *r, int put)
{
    if (put != 0 && !r->failed) r->failed = TIDE_ENOMEM;
}

void report_fact_str(tide_report *r, const char *key, const char *value)
{
    report_fact(r, value ? json_put_str(r->facts, key, value)
                         : json_put(r->facts, key, json_null()));
}

void report_fact_num(tide_report *r, const char *key, double value)
{
    report_fact(r, json_put_f64(r->facts, key, value));
}

void report_fact_int(tide_report *r, const char *key, int64_t value)
{
    report_fact(r, json_put_i64(r->facts, key, value));
}

void report_fact_json(tide_report *r, const char *key, json_t *value)
{
    report_fact(r, json_put(r->facts, key, value));
}

void report_verdict(tide_report *r, const char *fmt, ...)
{
    va_list ap;
    const char *text;
    va_start(ap, fmt);
    text = report_format(r, fmt, ap);
    va_end(ap);
    if (text && r->verdict) {
        size_t a = strlen(r->verdict), b = strlen(text);
        char *both = arena_push(&r->arena, a + b + 2);
        if (!both) return;
        memcpy(both, r->verdict, a);
        both[a] = ' ';
        memcpy(both + a + 1, text, b + 1);
        text = both;
    }
    if (text) r->verdict = text;
}

void report_note(tide_report *r, const char *fmt, ...)
{
    va_list ap;
    const char *text;
    if (r->n_notes == (int)(sizeof r->notes / sizeof r->notes[0])) return;
    va_start(ap, fmt);
    text = report_format(r, fmt, ap);
    va_end(ap);
    if (text) r->notes[r->n_notes++] = text;
}

void report_advice(tide_report *r, const char *command, const char *fmt, ...)
{
    va_list ap;
    const char *text;
    if (r->n_advice == (int)(sizeof r->advice / sizeof r->advice[0])) return;
    va_start(ap, fmt);
    text = report_format(r, fmt, ap);
    va_end(ap);
    if (!text) return;
    r->advice[r->n_advice].text = text;
    r->advice[r->n_advice++].command = report_copy(r, command);
}

tide_status report_status(const tide_report *r, tide_error *err)
{
    if (r->arena.failed) return arena_status(&r->arena, err);
    if (r->failed == TIDE_ENOMEM) return err_nomem(err, 0);
    if (r->failed)
        return err_set(
            err, TIDE_CODE_INTERNAL,
            "the %s report holds an unfinished chart or two charts of one key",
            r->kind);
    return TIDE_OK;
}

/* ---- numbers by key ---- */

TIDE_API int tide_report_number(const tide_report *r, const char *key, double *value,
                                const char **reason)
{
    const json_t *fact;
    if (value) *value = NAN;
    if (reason) *reason = NULL;
    if (!r || !key) return -1;
    for (int i = 0; i < r->n; i++) {
        const struct report_metric *m = &r->items[i].metric;
        if (r->items[i].kind != REPORT_METRIC || !str_same(m->key, key)) continue;
        if (value) *value = m->value;
        if (reason) *reason = m->reason;
        return 0;
    }
    fact = json_object_get(r->facts, key);
    if (!json_is_number(fact)) return -1;
    if (value) *value = json_number_value(fact);
    return 0;
}

TIDE_API const char *tide_report_nearest(const tide_report *r, const char *key)
{
    const char *names[REPORT_KEYS];
    const char *name;
    json_t *fact;
    int n = 0;
    if (!r || !key) return NULL;
    for (int i = 0; i < r->n && n < REPORT_KEYS; i++)
        if (r->items[i].kind == REPORT_METRIC && r->items[i].metric.key)
            names[n++] = r->items[i].metric.key;
    json_object_foreach(r->facts, name, fact) if (json_is_number(fact) &&
                                                  n < REPORT_KEYS) names[n++] = name;
    return err_nearest(key, names, n);
}
