/* chart_json.c - the description of a chart itself, with shortest round-trip numbers */
#include "report/report.h"

static const char *const mark_names[] = {"line",  "step", "band",     "bar",  "box",
                                         "point", "tick", "interval", "rule", "cell",
                                         "hex",   "path", "node",     "text"};
static const char *const scale_names[] = {"linear", "log",  "symlog",
                                          "logit",  "time", "band"};

static json_t *text_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *axis_json(const struct chart_axis *axis)
{
    json_t *o = json_object();
    int bad = json_put(o, "label", text_or_null(axis->label));
    if (axis->unit) bad |= json_put_str(o, "unit", axis->unit);
    bad |= json_put_str(o, "scale", scale_names[axis->scale]);
    if (axis->lo < axis->hi) {
        json_t *domain = json_array();
        bad |= json_array_append_new(domain, json_f64(axis->lo));
        bad |= json_array_append_new(domain, json_f64(axis->hi));
        bad |= json_put(o, "domain", domain);
    }
    if (axis->reversed) bad |= json_put(o, "reversed", json_true());
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static json_t *mark_json(const struct tide_chart *c, const struct chart_mark *m)
{
    const struct {
        const char *name;
        int series;
    } use[] = {{"x", m->x},       {"y", m->y},       {"lo", m->lo},
               {"hi", m->hi},     {"q1", m->q1},     {"q3", m->q3},
               {"size", m->size}, {"text", m->text}, {"left", m->bins_lo}};
    json_t *o = json_object();
    int bad = json_put_str(o, "kind", mark_names[m->kind]);
    if (m->label) bad |= json_put_str(o, "label", m->label);
    for (size_t i = 0; i < sizeof use / sizeof use[0]; i++)
        if (use[i].series >= 0)
            bad |= json_put_str(o, use[i].name, c->series[use[i].series].name);
    if (m->slot) bad |= json_put_i64(o, "slot", m->slot);
    if (m->horizontal) bad |= json_put(o, "horizontal", json_true());
    if (m->kind == MARK_RULE) {
        bad |= json_put_str(o, "rule",
                            m->rule == 'x'   ? "x"
                            : m->rule == 'y' ? "y"
                                             : "line");
        bad |= json_put_f64(o, "a", m->a);
        if (m->rule == 'l') bad |= json_put_f64(o, "b", m->b);
    }
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static json_t *series_json(const struct chart_series *s)
{
    json_t *values = json_array();
    for (int64_t i = 0; values && i < s->n; i++)
        if (json_array_append_new(values, s->text ? json_string(s->text[i])
                                                  : json_f64(s->num[i]))) {
            json_decref(values);
            return NULL;
        }
    return values;
}

json_t *chart_json(const struct tide_chart *c)
{
    json_t *o = json_object(), *axes = json_object(), *marks = json_array();
    json_t *series = json_object(), *notes = json_array();
    int bad = json_put_str(o, "key", c->key) | json_put_str(o, "title", c->title);
    if (c->subtitle) bad |= json_put_str(o, "subtitle", c->subtitle);
    bad |= json_put(o, "summary", text_or_null(c->summary));
    if (c->unit) bad |= json_put_str(o, "unit", c->unit);
    bad |= json_put_i64(o, "n", c->n);
    bad |=
        json_put(axes, "x", axis_json(&c->x)) | json_put(axes, "y", axis_json(&c->y));
    if (c->colour.label) bad |= json_put(axes, "colour", axis_json(&c->colour));
    for (int i = 0; i < c->n_marks; i++)
        bad |= json_array_append_new(marks, mark_json(c, &c->marks[i]));
    for (int i = 0; i < c->n_series; i++)
        bad |= json_put(series, c->series[i].name, series_json(&c->series[i]));
    for (int i = 0; i < c->n_notes; i++)
        bad |= json_array_append_new(notes, json_string(c->notes[i]));
    bad |= json_put(o, "axes", axes);
    bad |= json_put(o, "marks", marks);
    bad |= json_put(o, "series", series);
    bad |= json_put(o, "notes", notes);
    if (!bad) return o;
    json_decref(o);
    return NULL;
}
