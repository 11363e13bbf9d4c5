/* eval_model.c - a model on a table that has the target: `tidemill eval` */
#include "eval/eval_model.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/str.h"

static const struct tide_param eval_rows[] = {
    P_TEXT(tide_eval_options, metric, NULL, .metavar = "M",
           .help = "metric shown first, e.g. auc or 'f_beta(beta=2)'"),
    P_BOOL(tide_eval_options, all, "no", .help = "every metric of the task"),
    P_TEXT(tide_eval_options, group, NULL, .metavar = "COLUMN",
           .help = "also how well the rows of each of its groups are ranked",
           .alias = "groups qid query_id group_id group_column"),
    P_TEXT(tide_eval_options, target, NULL, .metavar = "COLUMN",
           .help = "anomalies: the column of labels to judge them by",
           .alias = "label y"),
    P_TEXT(tide_eval_options, positive, NULL, .metavar = "LABEL",
           .help = "anomalies: the label that is one; the last by default",
           .alias = "pos_label"),
    P_INT(tide_eval_options, stages, "0", P_RANGE(0, 10000), .metavar = "N",
          .help = "also the metric after the first trees, at so many places; 0: not",
          .alias = "staged"),
    P_INT(tide_eval_options, bootstrap, "0", P_RANGE(0, 1000000), .metavar = "N",
          .flags = TIDE_EXPERT,
          .help =
              "replicates of an interval; 0 chooses (1000, from 200,000 rows fewer)"),
    P_U64(tide_eval_options, seed, "1", .flags = TIDE_COMMON,
          .help = "seed of random draws"),
};

TIDE_API const struct tide_params *tide_eval_params(void)
{
    static const struct tide_params table = TIDE_TABLE(eval_rows, tide_eval_options);
    return &table;
}

/* The lists of rows: of the column asked for, or of the model's when it ranks. */
static tide_status evaluation_groups(struct evaluation *e, tide_error *err)
{
    const char *name = e->o->group;
    struct fit_aims aims;
    pipeline_aims(e->m->pipeline, &aims);
    e->rows.is_ranked = eval_is_ranked(&aims);
    e->rows.group_name = e->m->schema.group;
    if (!name || !*name) {
        if (!e->rows.is_ranked) return TIDE_OK;
        e->rows.group = e->truth.group;
        if (e->truth.group || !e->rows.group_name) return TIDE_OK;
        name = e->rows.group_name; /* absent: the error says so */
    }
    int j = tide_frame_find(e->frame, name, "group", err);
    if (j < 0)
        return err_at(err, e->frame->source, e->frame->first_line > 0, 0), TIDE_EDATA;
    e->rows.group_name = e->frame->cols[j].name;
    return pipe_groups(e->frame, j, e->truth.rows, e->truth.n, &e->arena,
                       &e->rows.group, err);
}

tide_status evaluation_score(struct evaluation *e, tide_error *err)
{
    const struct schema *s = &e->m->schema;
    int64_t width = schema_width(s), n = e->truth.n;
    double *out = arena_array(&e->arena, n * width, sizeof *out);
    int32_t *label = arena_array(&e->arena, n, sizeof *label);
    tide_status status = arena_status(&e->arena, err);
    if (!status)
        status = pipe_predict(e->ctx, e->m, e->frame, e->truth.rows, n, out, &e->counts,
                              err);
    if (status) return status;
    for (int64_t i = 0; s->task == TIDE_CLASSIFY && i < n; i++)
        label[i] = model_label(e->m, out + i * width);
    e->rows = (struct scored){.task = s->task,
                              .n = n,
                              .n_classes = s->n_classes,
                              .positive = s->positive,
                              .y = e->truth.y,
                              .k = e->truth.k,
                              .w = e->truth.w,
                              .out = out,
                              .label = s->task == TIDE_CLASSIFY ? label : NULL,
                              .labels = s->labels,
                              .n_features = s->n_cols,
                              .bootstrap = e->o->bootstrap};
    status = scored_quantiles(&e->rows, s->shares, s->n_outputs, &e->arena, err);
    return status ? status : evaluation_groups(e, err);
}

static void evaluation_facts(struct evaluation *e, const char *metric)
{
    const struct schema *s = &e->m->schema;
    tide_report *r = e->report;
    report_fact_str(r, "model", e->m->nodes[e->m->n_nodes - 1].learner->name);
    if (e->m->sha256[0]) report_fact_str(r, "sha256", e->m->sha256);
    report_fact_int(r, "rows", e->truth.n);
    report_fact_str(r, "target", s->target);
    report_fact_str(r, "task", task_name(s->task));
    if (s->task == TIDE_CLASSIFY && s->n_classes == 2) {
        report_fact_str(r, "positive", s->labels[s->positive]);
        report_fact_num(r, "threshold", s->threshold);
    }
    report_fact_str(r, "metric", metric);
}

/* Names for a note: "'a', 'b' and 3 more". */
static void evaluation_names(const char *const *name, int n, char *out, size_t size)
{
    int shown = n > 8 ? 8 : n, used = 0;
    out[0] = 0;
    for (int i = 0; i < shown && (size_t)used < size; i++) {
        char quoted[48];
        (void)err_quote(quoted, sizeof quoted, name[i], strlen(name[i]), 32);
        used += str_format(out + used, size - (size_t)used, "%s'%s'", i ? ", " : "",
                           quoted);
    }
    if (n > shown && (size_t)used < size)
        (void)str_format(out + used, size - (size_t)used, " and %d more", n - shown);
}

static void evaluation_notes(struct evaluation *e)
{
    char names[480];
    tide_report *r = e->report;
    if (e->truth.n_missing)
        report_note(r, "%lld rows without a value of '%s' are left out",
                    (long long)e->truth.n_missing, e->m->schema.target);
    if (e->truth.n_unknown) {
        evaluation_names(e->truth.unknown, e->truth.n_unknown, names, sizeof names);
        report_note(r, "classes the model does not know count as wrong: %s", names);
    }
    eval_note_binding(r, &e->counts);
}

void eval_note_binding(tide_report *r, const struct bind_counts *counts)
{
    char names[480];
    if (counts->unseen)
        report_note(
            r,
            "%lld cells hold categories that were not there in training and count "
            "as missing",
            (long long)counts->unseen);
    if (counts->n_extra) {
        evaluation_names(counts->extra, counts->n_extra, names, sizeof names);
        report_note(r, "columns the model does not use: %s", names);
    }
}

/* The last part of the path only. */
tide_status eval_begin_report(struct tide_ctx *ctx, const char *of,
                              const tide_frame *frame, tide_report **out,
                              tide_error *err)
{
    struct str title = {0};
    const char *source = frame->source ? frame->source : "memory";
    const char *slash = strrchr(source, '/');
    str_addf(&title, "Evaluation of %s on %s", of,
             slash && slash[1] ? slash + 1 : source);
    if (title.failed) {
        str_free(&title);
        return err_nomem(err, 0);
    }
    *out = report_new(ctx, "eval", title.s, err);
    str_free(&title);
    return *out ? TIDE_OK : err ? err->status : TIDE_ENOMEM;
}

static tide_status evaluation_run(struct evaluation *e, tide_error *err)
{
    struct metric_text chosen = {0};
    const struct schema *s = &e->m->schema;
    struct fit_aims aims;
    pipeline_aims(e->m->pipeline, &aims);
    const char *first = e->o->metric && *e->o->metric ? e->o->metric
                        : aims.metric                 ? aims.metric
                        : s->task == TIDE_CLASSIFY    ? "log_loss"
                                                      : "rmse";
    /* a wrong name shows before the work, not after it */
    tide_status status = metric_text_parse(first, &chosen, err);
    if (!status && !(chosen.metric->tasks & s->task)) {
        const struct tide_metric *none;
        status = eval_metric_default(s->task, chosen.metric->name, &none, err);
    }
    if (!status) status = pipe_truth(e->ctx, e->m, e->frame, &e->arena, &e->truth, err);
    if (!status && e->truth.n == 0) {
        err_set(err, TIDE_CODE_DATA_NO_ROWS, "no row has a value of '%s'", s->target);
        status = err_field(err, s->target);
    }
    if (!status) status = evaluation_score(e, err);
    if (!status)
        status = eval_begin_report(e->ctx, s->target, e->frame, &e->report, err);
    if (!status) {
        evaluation_facts(e, chosen.name);
        evaluation_notes(e);
        status = eval_report_metrics(e->ctx, e->report, &e->rows, first, e->o->all,
                                     e->o->bootstrap, e->o->seed, err);
    }
    if (!status && e->o->stages > 0) status = eval_report_stages(e, &chosen, err);
    if (!status) status = eval_report_charts(e->ctx, e->report, &e->rows, err);
    if (!status) status = eval_report_importance(e->report, e->m, err);
    if (!status) status = report_status(e->report, err);
    metric_text_free(&chosen);
    return status;
}

TIDE_API tide_status tide_model_eval(tide_ctx *ctx, const tide_model *model,
                                     const tide_frame *frame,
                                     const struct tide_eval_options *options,
                                     tide_report **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    static const struct tide_eval_options none = {.seed = 1};
    struct evaluation e = {
        .ctx = ctx, .m = model, .frame = frame, .o = options ? options : &none};
    tide_status status;
    if (!out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "a place for the report is needed");
    *out = NULL;
    if (!ctx || !model || !frame)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "a context, a model and a table are needed");
    if (e.o->n_also > 0 && e.o->stages < 1) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "further tables are for stages");
        err_field(err, "also");
        return err_hint(err, "stages", "20");
    }
    if (model->schema.task == TIDE_ANOMALY && e.o->stages > 0) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "trees that look for anomalies stand beside each other, not in stages");
        return err_field(err, "stages");
    }
    if (model->schema.task == TIDE_ANOMALY)
        return eval_anomalies(ctx, model, frame, e.o, out, err);
    if ((e.o->target && *e.o->target) || (e.o->positive && *e.o->positive)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model's own target is '%s', so '%s' cannot be given",
                model->schema.target,
                e.o->target && *e.o->target ? "target" : "positive");
        return err_field(err, e.o->target && *e.o->target ? "target" : "positive");
    }
    arena_init(&e.arena, ctx);
    status = evaluation_run(&e, err);
    arena_free(&e.arena);
    if (status) {
        tide_report_free(e.report);
        return status;
    }
    *out = e.report;
    return TIDE_OK;
}
