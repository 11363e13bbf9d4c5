/* report_write.c - the public door: one report or one of its charts, in one format, to a sink */
#include "base/err.h"
#include "base/par.h"
#include "report/report.h"

#define PIECE 65536
#define NAMES 256

static tide_status find_chart(const tide_report *r, const char *key,
                              const struct tide_chart **out, tide_error *err)
{
    const char *names[NAMES] = {NULL};
    const char *near;
    int n = 0;
    for (int i = 0; i < r->n; i++) {
        if (r->items[i].kind != REPORT_CHART) continue;
        *out = r->items[i].chart;
        if (str_same((*out)->key, key)) return TIDE_OK;
        if (n < NAMES) names[n++] = (*out)->key;
    }
    *out = NULL;
    near = err_nearest(key, names, n);
    (void)err_set(err, TIDE_CODE_PARAM_UNKNOWN, "the %s report has no chart '%s'",
                  r->kind, key);
    if (near) return err_hint(err, "chart", "%s", near);
    if (n > 0) return err_hint(err, "chart", "%s", names[0]);
    return TIDE_EINVAL;
}

static void put_json(struct str *out, json_t *value)
{
    if (!value) {
        out->failed = 1;
        return;
    }
    json_write(out, value, 0);
    str_addc(out, '\n');
    json_decref(value);
}

static void put_chart(struct str *out, const struct tide_chart *c, struct term *t,
                      int format, struct arena *a)
{
    switch ((enum tide_report_format)format) {
    case TIDE_FORMAT_JSON:
        put_json(out, chart_json(c));
        break;
    case TIDE_FORMAT_SVG:
        chart_svg(out, c, 1, a);
        break;
    case TIDE_FORMAT_TABLE:
        chart_table_csv(out, c, a);
        break;
    case TIDE_FORMAT_TERM:
    case TIDE_FORMAT_HTML:
        chart_term(t, c, a);
        break;
    }
}

static tide_status send(const struct str *out, tide_sink_fn sink, void *payload,
                        tide_error *err)
{
    for (size_t at = 0; at < out->len; at += PIECE) {
        size_t n = out->len - at < PIECE ? out->len - at : PIECE;
        if (sink(payload, out->s + at, n) != 0)
            return err_set(err, TIDE_CODE_FILE_ERROR,
                           "the report could not be written");
    }
    return TIDE_OK;
}

TIDE_API tide_status tide_report_write(const tide_report *r,
                                       const struct tide_report_style *style,
                                       tide_sink_fn sink, void *payload,
                                       tide_error *err)
{
    PAR_FLOAT_SCOPE;
    static const struct tide_report_style plain = {0};
    const struct tide_chart *c = NULL;
    struct str out = {0};
    struct arena a;
    struct term t;
    tide_status s = TIDE_OK;
    if (!r || !sink)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "no report or no sink");
    if (!style) style = &plain;
    t = (struct term){&out, style->width > 0 ? style->width : 80, style->colours,
                      style->ascii};
    if (t.width > 400) t.width = 400;
    if (t.width < 20) t.width = 20;
    arena_init(&a, r->arena.ctx);
    if (style->chart) s = find_chart(r, style->chart, &c, err);
    if (!s && !c && style->format == TIDE_FORMAT_SVG)
        s = err_set(err, TIDE_CODE_PARAM_VALUE,
                    "SVG holds one chart, and none is named");
    if (s) goto done;
    if (c)
        put_chart(&out, c, &t, style->format, &a);
    else if (style->format == TIDE_FORMAT_JSON)
        put_json(&out, report_json(r));
    else if (style->format == TIDE_FORMAT_HTML)
        html_report(&out, r, &a);
    else
        report_term(&t, r, style->format == TIDE_FORMAT_TABLE ? -1 : style->charts, &a);
    s = a.failed ? arena_status(&a, err) : out.failed ? err_nomem(err, 0) : TIDE_OK;
    if (!s) s = send(&out, sink, payload, err);
done:
    str_free(&out);
    arena_free(&a);
    return s;
}
