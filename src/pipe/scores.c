/* scores.c - predictions as the caller gets them, and as CSV
 *
 * Scores own what they show: labels and threshold are copied, so a model may be freed
 * before its scores. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "pipe/flow.h"

#define WRITE_BYTES 65536

struct tide_scores {
    struct arena arena;
    int64_t n;
    int32_t n_classes; /* 0: regression, anomalies */
    int32_t width;     /* scores of a row */
    int is_anomaly;
    int32_t positive;
    double threshold;
    const char **labels;  /* [n_classes] */
    const char **outputs; /* [width] of several quantiles; else NULL */
    double *values;       /* [n][width] */
};

static tide_status copy_schema(const tide_model *m, tide_scores *s, tide_error *err)
{
    const struct schema *from = &m->schema;
    s->n_classes = from->task == TIDE_CLASSIFY ? from->n_classes : 0;
    s->is_anomaly = from->task == TIDE_ANOMALY;
    s->positive = from->positive;
    s->threshold = from->threshold;
    s->labels = arena_array(&s->arena, s->n_classes, sizeof *s->labels);
    for (int32_t k = 0; s->labels && k < s->n_classes; k++)
        s->labels[k] = arena_str(&s->arena, from->labels[k]);
    s->width = schema_width(from);
    if (from->n_outputs)
        s->outputs = arena_array(&s->arena, s->width, sizeof *s->outputs);
    for (int32_t k = 0; s->outputs && k < s->width; k++)
        s->outputs[k] = arena_str(&s->arena, from->outputs[k]);
    s->values = arena_array(&s->arena, s->n, (size_t)s->width * sizeof(double));
    return arena_status(&s->arena, err);
}

/* What binding met and the caller should know. */
static void note_binding(struct tide_ctx *ctx, const struct bind_counts *c)
{
    struct str list = {0};
    int shown = c->n_extra < 8 ? c->n_extra : 8;
    for (int i = 0; i < shown; i++)
        str_addf(&list, "%s'%s'", i ? ", " : "", c->extra[i]);
    if (shown && !list.failed)
        ctx_note(ctx, "%d column%s the model does not use: %s%s", c->n_extra,
                 c->n_extra == 1 ? "" : "s", list.s, c->n_extra > 8 ? ", ..." : "");
    if (c->unseen)
        ctx_note(ctx, "%lld cell%s a category the model has not seen, taken as missing",
                 (long long)c->unseen, c->unseen == 1 ? " holds" : "s hold");
    str_free(&list);
}

tide_status tide_model_predict(tide_ctx *ctx, const tide_model *model,
                               const tide_frame *frame, tide_scores **out,
                               tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct bind_counts counts = {0};
    if (!out) return err_set(err, TIDE_CODE_HANDLE_INVALID, "'out' is NULL");
    *out = NULL;
    if (!ctx || !model || !frame)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                       !ctx     ? "ctx"
                       : !model ? "model"
                                : "frame");
    tide_scores *s = mem_zalloc(sizeof *s);
    if (!s) return err_nomem(err, sizeof *s);
    arena_init(&s->arena, NULL); /* may outlive ctx */
    s->n = frame->n_rows;
    tide_status st = copy_schema(model, s, err);
    if (!st) st = pipe_predict(ctx, model, frame, NULL, s->n, s->values, &counts, err);
    if (st) {
        tide_scores_free(s);
        return st;
    }
    note_binding(ctx, &counts);
    *out = s;
    return TIDE_OK;
}

void tide_scores_free(tide_scores *scores)
{
    if (!scores) return;
    arena_free(&scores->arena);
    mem_free(scores);
}

int64_t tide_scores_rows(const tide_scores *scores)
{
    return scores->n;
}

int tide_scores_classes(const tide_scores *scores)
{
    return scores->n_classes;
}

const char *tide_scores_label(const tide_scores *scores, int k)
{
    return k >= 0 && k < scores->n_classes ? scores->labels[k] : NULL;
}

int tide_scores_width(const tide_scores *scores)
{
    return scores->width;
}

const char *tide_scores_output(const tide_scores *scores, int k)
{
    if (k < 0 || k >= scores->width) return NULL;
    return scores->n_classes ? scores->labels[k]
           : scores->outputs ? scores->outputs[k]
                             : "prediction";
}

const double *tide_scores_values(const tide_scores *scores)
{
    return scores->values;
}

int tide_scores_predicted(const tide_scores *scores, int64_t row)
{
    if (row < 0 || row >= scores->n) return 0;
    if (scores->is_anomaly) return scores->values[row] >= scores->threshold;
    if (!scores->n_classes) return 0;
    struct tide_model like = {.schema = {.n_classes = scores->n_classes,
                                         .positive = scores->positive,
                                         .threshold = scores->threshold}};
    return model_label(&like, scores->values + row * scores->n_classes);
}

/* ---- CSV ---- */

static void write_header(const tide_scores *s, const struct tide_scores_csv *how,
                         int id, struct str *out)
{
    int safe = how->spreadsheet_safe;
    if (id >= 0) {
        str_add_csv(out, how->id, strlen(how->id), safe);
        str_addc(out, ',');
    }
    if (!s->outputs) str_add(out, s->is_anomaly ? "prediction,score" : "prediction");
    for (int32_t k = 0; s->outputs && k < s->width; k++)
        str_addf(out, "%s%s", k ? "," : "", s->outputs[k]);
    for (int32_t k = 0; how->proba && k < s->n_classes; k++) {
        struct str name = {0};
        str_addf(&name, "p_%s", s->labels[k]);
        str_addc(out, ',');
        if (name.s) str_add_csv(out, name.s, name.len, safe);
        out->failed |= name.failed;
        str_free(&name);
    }
    for (int32_t k = 0; k < how->n_extra; k++) {
        str_addc(out, ',');
        str_add_csv(out, how->extra_names[k], strlen(how->extra_names[k]), safe);
    }
    str_addc(out, '\n');
}

static void write_id(const struct column *c, int64_t row, int safe, struct str *out)
{
    char text[4096];
    int64_t n = column_text(c, row, text, sizeof text);
    if (n >= (int64_t)sizeof text) n = (int64_t)sizeof text - 1;
    if (n >= 0 && c->type != TIDE_I64 && c->type != TIDE_F64)
        str_add_csv(out, text, (size_t)n, safe);
    else if (n >= 0)
        str_addn(out, text, (size_t)n); /* a number is no formula */
    str_addc(out, ',');
}

static void write_row(const tide_scores *s, const struct tide_scores_csv *how,
                      const struct column *id, int64_t i, struct str *out)
{
    if (id) write_id(id, i, how->spreadsheet_safe, out);
    if (s->is_anomaly)
        str_add(out, tide_scores_predicted(s, i) ? "anomaly," : "normal,");
    if (!s->n_classes) {
        for (int32_t k = 0; k < s->width; k++) {
            if (k) str_addc(out, ',');
            str_num(out, s->values[i * s->width + k]);
        }
    } else {
        const char *label = s->labels[tide_scores_predicted(s, i)];
        str_add_csv(out, label, strlen(label), how->spreadsheet_safe);
    }
    for (int32_t k = 0; how->proba && k < s->n_classes; k++) {
        str_addc(out, ',');
        str_num(out, s->values[i * s->n_classes + k]);
    }
    for (int32_t k = 0; k < how->n_extra; k++) {
        str_addc(out, ',');
        str_num(out, how->extra[i * how->n_extra + k]);
    }
    str_addc(out, '\n');
}

tide_status tide_scores_write(const tide_scores *scores,
                              const struct tide_scores_csv *how, tide_sink_fn sink,
                              void *payload, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    int id = -1;
    struct str out = {0};
    if (how->id) {
        if (!how->frame)
            return err_set(err, TIDE_CODE_HANDLE_INVALID, "'id' needs the frame");
        id = tide_frame_find(how->frame, how->id, "id", err);
        if (id < 0) return TIDE_EDATA;
    }
    if (id >= 0 && how->frame->n_rows != scores->n)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "the frame has %lld rows and the scores %lld",
                       (long long)how->frame->n_rows, (long long)scores->n);
    write_header(scores, how, id, &out);
    tide_status st = TIDE_OK;
    for (int64_t i = 0; !st && i <= scores->n; i++) {
        if (out.failed || (out.len && (out.len >= WRITE_BYTES || i == scores->n))) {
            if (out.failed)
                st = err_nomem(err, out.len);
            else if (sink(payload, out.s, out.len))
                st = err_set(err, TIDE_CODE_FILE_ERROR, "the output cannot be written");
            str_clear(&out);
        }
        if (!st && i < scores->n)
            write_row(scores, how, id >= 0 ? &how->frame->cols[id] : NULL, i, &out);
    }
    str_free(&out);
    return st;
}
