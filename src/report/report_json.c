/* report_json.c - a report as one JSON object
 *
 * Facts stand at the top level under their keys, then "metrics", "verdict", "notes", "advice",
 * "text", "tables", "charts". What is undefined is null and has a reason. */
#include <math.h>

#include "report/report.h"

static json_t *metric_json(const struct report_metric *m)
{
    json_t *o = json_object();
    int bad = json_put_f64(o, "value", m->value);
    if (!isnan(m->lo) && !isnan(m->hi)) {
        bad |= json_put_f64(o, "lo", m->lo);
        bad |= json_put_f64(o, "hi", m->hi);
    }
    if (m->method) bad |= json_put_str(o, "method", m->method);
    if (m->n > 0) bad |= json_put_i64(o, "n", m->n);
    if (!isnan(m->chance)) bad |= json_put_f64(o, "chance", m->chance);
    if (m->reason) bad |= json_put_str(o, "reason", m->reason);
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static json_t *table_json(const struct report_table *t)
{
    json_t *o = json_object(), *head = json_array(), *rows = json_array();
    int bad = json_put_str(o, "key", t->key);
    if (t->title) bad |= json_put_str(o, "title", t->title);
    for (int j = 0; j < t->n_cols; j++)
        bad |= json_array_append_new(head, json_string(t->head[j] ? t->head[j] : ""));
    for (int64_t i = 0; i < t->n_rows && !bad; i++) {
        json_t *row = json_array();
        for (int j = 0; j < t->n_cols; j++) {
            const char *cell = t->cell[i * t->n_cols + j];
            bad |= json_array_append_new(row, cell ? json_string(cell) : json_null());
        }
        bad |= json_array_append_new(rows, row);
    }
    bad |= json_put(o, "columns", head);
    bad |= json_put(o, "rows", rows);
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static json_t *advice_json(const tide_report *r)
{
    json_t *list = json_array();
    for (int i = 0; i < r->n_advice; i++) {
        json_t *o = json_object();
        int bad = json_put_str(o, "text", r->advice[i].text);
        bad |= json_put(o, "command",
                        r->advice[i].command ? json_string(r->advice[i].command)
                                             : json_null());
        if (bad) {
            json_decref(o);
            o = NULL;
        }
        if (json_array_append_new(list, o)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Items of one kind: metrics by key, the others as lists. */
static int put_items(json_t *o, const tide_report *r)
{
    json_t *metrics = json_object(), *texts = json_array();
    json_t *tables = json_array(), *charts = json_array(), *notes = json_array();
    int bad = 0, n_texts = 0, n_metrics = 0;
    for (int i = 0; i < r->n && !bad; i++) {
        const struct report_item *item = &r->items[i];
        switch ((enum report_item_kind)item->kind) {
        case REPORT_TEXT:
            n_texts++;
            bad |= json_array_append_new(texts, json_string(item->text));
            break;
        case REPORT_METRIC:
            n_metrics++;
            bad |= json_put(metrics, item->metric.key, metric_json(&item->metric));
            break;
        case REPORT_TABLE:
            bad |= json_array_append_new(tables, table_json(&item->table));
            break;
        case REPORT_CHART:
            bad |= json_array_append_new(charts, chart_json(item->chart));
            break;
        case REPORT_HEADING:
            break;
        }
    }
    for (int i = 0; i < r->n_notes; i++)
        bad |= json_array_append_new(notes, json_string(r->notes[i]));
    bad |= json_put(o, "metrics", metrics);
    bad |= json_put(o, "verdict", r->verdict ? json_string(r->verdict) : json_null());
    bad |= json_put(o, "notes", notes);
    bad |= json_put(o, "advice", advice_json(r));
    bad |= json_put(o, "text", texts);
    bad |= json_put(o, "tables", tables);
    bad |= json_put(o, "charts", charts);
    return bad;
}

json_t *report_json(const tide_report *r)
{
    json_t *o = json_object(), *fact;
    const char *key;
    int bad = json_put_str(o, "report", r->kind) | json_put_str(o, "title", r->title);
    if (r->subtitle) bad |= json_put_str(o, "subtitle", r->subtitle);
    /* clang-format off */
    json_object_foreach(r->facts, key, fact)
        bad |= json_put(o, key, json_incref(fact));
    /* clang-format on */
    bad |= put_items(o, r);
    if (!bad) return o;
    json_decref(o);
    return NULL;
}
