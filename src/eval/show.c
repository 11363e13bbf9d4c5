/* show.c - what is in a model, from its header alone: `tidemill show`
 *
 * The metrics are those of training, on rows the scoring models had not seen; a model file that
 * was written without validation says so. What the header holds is shown as it is: a number
 * that is absent there is absent here. */
#include <math.h>
#include <string.h>

#include <tidemill/model.h>
#include <tidemill/registry.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "eval/charts.h"
#include "eval/eval.h"
#include "eval/look.h"

#define LEVELS_SHOWN  4
#define LEARNED_SHOWN 4096 /* numbers of an array that JSON holds */

static const char *show_number(struct arena *a, double v)
{
    char t[NUM_PRINT_MAX];
    if (isnan(v)) return "-";
    if (v == floor(v) && fabs(v) < 1e15)
        (void)num_print_f(t, v, 0);
    else
        (void)num_print_g(t, v, 6);
    return arena_str(a, t);
}

static void show_outputs(tide_report *r, const struct schema *s)
{
    struct str all = {0};
    for (int32_t k = 0; k < s->n_outputs; k++)
        str_addf(&all, "%s%s", k ? " " : "", s->outputs[k]);
    report_fact_str(r, "outputs", all.s ? all.s : "");
    if (all.failed) r->failed = TIDE_ENOMEM;
    str_free(&all);
}

static void show_facts(tide_report *r, const tide_model *m)
{
    const struct schema *s = &m->schema;
    const struct fitted_node *last = &m->nodes[m->n_nodes - 1];
    const struct state_array *golden = state_find(&m->golden, "score");
    struct str text = {0};
    char line[160] = "";
    report_fact_str(r, "learner", last->learner->name);
    if (last->learner->describe && last->object)
        last->learner->describe(last->object, line, sizeof line);
    if (line[0]) report_fact_str(r, "fitted", line);
    pipeline_print(m->pipeline, &text);
    report_fact_str(r, "pipeline", text.s ? text.s : "");
    if (text.failed) r->failed = TIDE_ENOMEM;
    str_free(&text);
    const json_t *from = json_object_get(m->about, "imported");
    if (from) {
        report_fact_str(r, "program", json_get_str(from, "program", ""));
        report_fact_str(r, "program_version", json_get_str(from, "version", ""));
        report_fact_str(r, "objective", json_get_str(from, "objective", ""));
    }
    if (s->target) report_fact_str(r, "target", s->target);
    report_fact_str(r, "task", task_name(s->task));
    if (s->task == TIDE_CLASSIFY) report_fact_int(r, "classes", s->n_classes);
    if (s->n_outputs) show_outputs(r, s);
    if (s->task == TIDE_CLASSIFY && s->n_classes == 2) {
        report_fact_str(r, "positive", s->labels[s->positive]);
        report_fact_num(r, "threshold", s->threshold);
    }
    if (s->task == TIDE_ANOMALY) report_fact_num(r, "threshold", s->threshold);
    report_fact_int(r, "columns", s->n_cols);
    if (json_get_i64(m->about, "rows", -1) >= 0)
        report_fact_int(r, "rows", json_get_i64(m->about, "rows", 0));
    report_fact_str(r, "validation", json_get_str(m->about, "validation", "none"));
    static const char *const from_model[] = {"continued", "refitted"};
    for (int i = 0; i < 2; i++)
        if (json_get_str(m->about, from_model[i], NULL))
            report_fact_str(r, from_model[i],
                            json_get_str(m->about, from_model[i], ""));
    if (s->weight) report_fact_str(r, "weight", s->weight);
    if (s->id) report_fact_str(r, "id", s->id);
    if (s->group) report_fact_str(r, "group", s->group);
    report_fact_json(r, "seed", json_integer((json_int_t)m->seed));
    if (m->file_bytes) report_fact_int(r, "bytes", m->file_bytes);
    if (m->sha256[0]) report_fact_str(r, "sha256", m->sha256);
    if (json_get_str(m->about, "data_hash", NULL))
        report_fact_str(r, "data_hash", json_get_str(m->about, "data_hash", ""));
    report_fact_int(r, "golden_rows", golden ? golden->dim[0] : 0);
    if (json_get_str(m->about, "tidemill", NULL))
        report_fact_str(r, "tidemill", json_get_str(m->about, "tidemill", ""));
    if (m->partial) report_fact_json(r, "partial", json_true());
}

/* ---- what was learned ---- */

static json_t *learned_number(const struct state_array *s, int64_t i)
{
    switch ((enum state_type)s->type) {
    case STATE_F64:
        return json_f64(((const double *)s->data)[i]);
    case STATE_F32:
        return json_f64((double)((const float *)s->data)[i]);
    case STATE_I64:
        return json_integer(((const int64_t *)s->data)[i]);
    case STATE_I32:
        return json_integer(((const int32_t *)s->data)[i]);
    case STATE_U32:
        return json_integer(((const uint32_t *)s->data)[i]);
    case STATE_U16:
        return json_integer(((const uint16_t *)s->data)[i]);
    case STATE_U8:
        return json_integer(((const uint8_t *)s->data)[i]);
    }
    return json_null();
}

/* Rows of lists when there are two dimensions, else one list. */
static json_t *learned_array(const struct state_array *s)
{
    int64_t width = s->dim[1] * s->dim[2], n = s->dim[0] * width;
    json_t *all = json_array(), *row = all;
    int bad = !all;
    for (int64_t i = 0; i < n && !bad; i++) {
        if (width > 1 && i % width == 0) {
            row = json_array();
            bad |= json_array_append_new(all, row);
        }
        bad |= json_array_append_new(row, learned_number(s, i));
    }
    if (!bad) return all;
    json_decref(all);
    return NULL;
}

/* The short arrays of every node, for programs: {"ridge": {"coef": [...]}}. A step that
 * occurs again is "scale:standard#2". */
static void show_learned(tide_report *r, const tide_model *m)
{
    json_t *all = json_object();
    int bad = !all;
    for (int i = 0; i < m->n_nodes && !bad; i++) {
        const struct fitted_node *f = &m->nodes[i];
        const char *name = f->step ? f->step->name : f->learner->name;
        json_t *node = json_object();
        char key[96];
        (void)str_format(key, sizeof key, "%s", name);
        for (int again = 2; json_object_get(all, key); again++)
            (void)str_format(key, sizeof key, "%s#%d", name, again);
        bad |= json_put(all, key, node);
        for (int k = 0; k < f->state.n && !bad; k++) {
            const struct state_array *s = &f->state.arrays[k];
            if (s->dim[0] * s->dim[1] * s->dim[2] <= LEARNED_SHOWN)
                bad |= json_put(node, s->name, learned_array(s));
        }
    }
    if (bad) {
        json_decref(all);
        r->failed = TIDE_ENOMEM;
        return;
    }
    report_fact_json(r, "learned", all);
}

/* The metrics of the header, in its order. */
static void show_metrics(tide_report *r, const tide_model *m)
{
    const char *key, *first = json_get_str(m->about, "metric", "");
    json_t *metrics = json_object_get(m->about, "metrics"), *v;
    int64_t rows = json_get_i64(m->about, "rows", 0);
    /* clang-format off */
    json_object_foreach(metrics, key, v) {
        /* clang-format on */
        const struct tide_metric *known = metric_find(key, NULL);
        struct report_metric out = {.key = key,
                                    .title = known ? known->title : key,
                                    .value = json_get_f64(v, "value", (double)NAN),
                                    .lo = json_get_f64(v, "lo", (double)NAN),
                                    .hi = json_get_f64(v, "hi", (double)NAN),
                                    .method = json_get_str(v, "method", NULL),
                                    .n = json_get_i64(v, "n", rows),
                                    .worst = known ? known->worst : (double)NAN,
                                    .chance = json_get_f64(v, "chance", (double)NAN),
                                    .best = known ? known->best : (double)NAN,
                                    .main = str_same(key, first)};
        if (!json_is_object(v)) continue;
        if (isnan(out.value))
            out.reason = json_get_str(v, "reason", "undefined in training");
        report_metric(r, &out);
    }
}

/* "4 levels: Female, Male ..." or "17 to 90" */
static const char *show_range(struct arena *a, const struct schema_column *c)
{
    struct str t = {0};
    const char *out;
    if (c->n_levels == 0) {
        if (isnan(c->lo)) return "no value seen";
        str_addf(&t, "%s to %s", show_number(a, c->lo), show_number(a, c->hi));
        if (c->type == TIDE_TIME) {
            char lo[40], hi[40];
            str_clear(&t);
            (void)time_print(lo, sizeof lo, (int64_t)(c->lo * 1e6));
            (void)time_print(hi, sizeof hi, (int64_t)(c->hi * 1e6));
            str_addf(&t, "%s to %s", lo, hi);
        }
    } else {
        str_addf(&t, "%u levels: ", c->n_levels);
        for (uint32_t k = 0; k < c->n_levels && k < LEVELS_SHOWN; k++) {
            size_t len;
            const char *s = dict_text(&c->levels, k, &len);
            char name[CHARTS_NAME];
            str_addf(&t, "%s%s", k ? ", " : "",
                     err_quote(name, sizeof name, s, len, 24));
        }
        if (c->n_levels > LEVELS_SHOWN) str_add(&t, " ...");
    }
    out = arena_str(a, t.s ? t.s : "");
    if (t.failed) a->failed = TIDE_ENOMEM;
    str_free(&t);
    return out;
}

static void show_schema(tide_report *r, const tide_model *m, struct arena *a)
{
    static const char *const head[] = {"column", "type", "values", "missing"};
    static const uint8_t right[] = {0, 0, 0, 1};
    const struct schema *s = &m->schema;
    const char **cell = arena_array(a, (int64_t)s->n_cols * 4 + 1, sizeof *cell);
    if (!cell) return;
    for (int j = 0; j < s->n_cols; j++) {
        char n[32];
        cell[j * 4] = s->cols[j].name;
        cell[j * 4 + 1] = tide_type_name((enum tide_type)s->cols[j].type);
        cell[j * 4 + 2] = show_range(a, &s->cols[j]);
        (void)str_format(n, sizeof n, "%lld", (long long)s->cols[j].n_missing);
        cell[j * 4 + 3] = arena_str(a, n);
    }
    report_table(r, "schema", "Columns", 4, head, right, s->n_cols, cell);
}

/* Steps in order with the number of columns each takes. */
static void show_steps(tide_report *r, const tide_model *m, struct arena *a)
{
    static const char *const head[] = {"step", "columns", "does"};
    static const uint8_t right[] = {0, 1, 0};
    const char **cell = arena_array(a, (int64_t)m->n_nodes * 3 + 1, sizeof *cell);
    if (!cell || m->n_nodes < 2) return;
    for (int i = 0; i < m->n_nodes; i++) {
        const struct fitted_node *f = &m->nodes[i];
        char n[32];
        cell[i * 3] = f->step ? f->step->name : f->learner->name;
        (void)str_format(n, sizeof n, "%d", (int)f->n_in);
        cell[i * 3 + 1] = arena_str(a, n);
        cell[i * 3 + 2] = f->step ? f->step->title : f->learner->title;
    }
    report_table(r, "steps", "Steps", 3, head, right, m->n_nodes, cell);
}

/* Parameters that differ from their defaults, of every node. */
static void show_parameters(tide_report *r, const tide_model *m, struct arena *a)
{
    static const char *const head[] = {"of", "parameter", "value", "default"};
    const char *cell[200];
    int n = 0;
    for (int i = 0; i < m->pipeline->n; i++) {
        const struct pipe_node *node = &m->pipeline->nodes[i];
        const struct tide_params *t =
            node->step ? &node->step->params : &node->learner->params;
        for (int k = 0; k < t->n && n < 50 && node->values; k++) {
            char now[160];
            (void)tide_values_text(node->values, &t->rows[k], now, sizeof now);
            if (str_same(now, t->rows[k].fallback ? t->rows[k].fallback : "")) continue;
            if (!tide_values_given(node->values, t->rows[k].name)) continue;
            cell[n * 4] = node->step ? node->step->name : node->learner->name;
            cell[n * 4 + 1] = t->rows[k].name;
            cell[n * 4 + 2] = arena_str(a, now);
            cell[n * 4 + 3] = t->rows[k].fallback;
            n++;
        }
    }
    if (n)
        report_table(r, "parameters", "Parameters other than the defaults", 4, head,
                     NULL, n, cell);
}

static void show_notes(tide_report *r, const tide_model *m)
{
    const struct state_array *rows = state_find(&m->profile, "rows");
    const char *why = json_get_str(m->about, "chosen_because", NULL);
    if (m->partial)
        report_note(
            r,
            "training was stopped early: this is the model of the work done till then");
    if (why) report_note(r, "learner chosen: %s", why);
    if (rows && rows->type == STATE_I64 && rows->dim[0] == 1)
        report_note(
            r,
            "a profile of the %s training rows is in the file, in counts: no row "
            "can be told from it but the extremes of a column",
            look_count(&r->arena, ((const int64_t *)rows->data)[0]));
    if (m->schema.task == TIDE_ANOMALY)
        report_note(r,
                    "learned without a target: scores from %s on are called anomalies; "
                    "eval with a column of labels says how good they are",
                    show_number(&r->arena, m->schema.threshold));
    else if (!json_object_size(json_object_get(m->about, "metrics")))
        report_note(r, "not validated, so nothing is known about how good it is");
}

static tide_status show_fill(tide_report *r, const tide_model *m, struct arena *a,
                             tide_error *err)
{
    tide_status s;
    const char *verdict = json_get_str(m->about, "verdict", NULL);
    show_facts(r, m);
    show_learned(r, m);
    if (verdict) report_verdict(r, "%s", verdict);
    show_metrics(r, m);
    s = eval_report_importance(r, m, err);
    if (s) return s;
    show_steps(r, m, a);
    show_parameters(r, m, a);
    show_schema(r, m, a);
    show_notes(r, m);
    s = arena_status(a, err);
    return s ? s : report_status(r, err);
}

tide_status tide_model_show(tide_ctx *ctx, const tide_model *model, tide_report **out,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    char title[128], name[CHARTS_NAME];
    struct arena a;
    tide_report *r;
    tide_status s;
    *out = NULL;
    if (!model || model->n_nodes < 1 || !model->nodes[model->n_nodes - 1].learner)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "the model is empty");
    (void)str_format(
        title, sizeof title, "%s model of %s",
        model->nodes[model->n_nodes - 1].learner->name,
        charts_name(name, model->schema.target ? model->schema.target : "anomalies"));
    r = report_new(ctx, "show", title, err);
    if (!r) return err ? err->status : TIDE_ENOMEM;
    arena_init(&a, ctx);
    s = show_fill(r, model, &a, err);
    arena_free(&a);
    if (s) {
        tide_report_free(r);
        return s;
    }
    *out = r;
    return TIDE_OK;
}
