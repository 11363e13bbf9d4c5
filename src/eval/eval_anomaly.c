/* eval_anomaly.c - scores of anomalies held against labels that training never saw
 *
 * A score orders the rows and its threshold calls some of them anomalies; it is no probability.
 * So what is measured is the order (AUC, average precision) and the calls (precision, recall).
 * Guide   Q1 Q4
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "eval/eval.h"
#include "eval/metric_text.h"

struct judging {
    struct tide_ctx *ctx;
    const tide_model *m;
    const tide_frame *frame;
    const struct tide_eval_options *o;
    struct arena arena;
    struct problem *labels;
    struct bind_counts counts;
    struct scored rows;
    tide_report *report;
};

static tide_status judging_options(const struct tide_eval_options *o, tide_error *err)
{
    if (!o->target || !*o->target) {
        err_set(err, TIDE_CODE_PARAM_VALUE,
                "the model learned without a target, so eval needs 'target', a column "
                "of labels to judge it by");
        return err_field(err, "target");
    }
    if (!o->group || !*o->group) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "anomalies are no ranking of groups, so 'group' cannot be given");
    return err_field(err, "group");
}

/* The metric shown first must not take the score for a probability. */
static tide_status judging_metric(const char *name, struct metric_text *out,
                                  tide_error *err)
{
    tide_status status = metric_text_parse(name, out, err);
    if (status) return status;
    uint32_t needs = out->metric->needs;
    if (out->metric->tasks & TIDE_CLASSIFY &&
        (!(needs & METRIC_PROBA) || needs & METRIC_ORDER))
        return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "metric \"%s\" does not measure anomalies, whose scores are no %s",
            out->metric->name,
            out->metric->tasks & TIDE_CLASSIFY ? "probabilities" : "numbers to be met");
    err_field(err, "metric");
    return err_hint(err, "metric", "auc");
}

/* Scores, and calls by the model's threshold, of the rows that have a label. */
static tide_status judging_score(struct judging *e, tide_error *err)
{
    const struct problem *p = e->labels;
    int64_t n = p->n_rows;
    double *score = arena_array(&e->arena, n, sizeof *score);
    double *out = arena_array(&e->arena, n, 2 * sizeof *out);
    int32_t *label = arena_array(&e->arena, n, sizeof *label);
    tide_status status = arena_status(&e->arena, err);
    if (!status)
        status =
            pipe_predict(e->ctx, e->m, e->frame, p->rows, n, score, &e->counts, err);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) {
        int is_called = score[i] >= e->m->schema.threshold;
        out[2 * i + p->positive] = score[i];
        out[2 * i + 1 - p->positive] = 1 - score[i];
        label[i] = is_called ? p->positive : 1 - p->positive;
    }
    e->rows = (struct scored){.task = TIDE_CLASSIFY,
                              .n = n,
                              .n_classes = 2,
                              .positive = p->positive,
                              .k = p->k,
                              .w = p->w,
                              .out = out,
                              .label = label,
                              .labels = p->labels,
                              .n_features = e->m->schema.n_cols,
                              .bootstrap = e->o->bootstrap,
                              .is_score = 1};
    return TIDE_OK;
}

static void judging_facts(struct judging *e, const char *metric)
{
    tide_report *r = e->report;
    const struct problem *p = e->labels;
    report_fact_str(r, "model", e->m->nodes[e->m->n_nodes - 1].learner->name);
    if (e->m->sha256[0]) report_fact_str(r, "sha256", e->m->sha256);
    report_fact_int(r, "rows", p->n_rows);
    report_fact_str(r, "target", e->o->target);
    report_fact_str(r, "task", task_name(TIDE_ANOMALY));
    report_fact_str(r, "positive", p->labels[p->positive]);
    report_fact_num(r, "threshold", e->m->schema.threshold);
    report_fact_str(r, "metric", metric);
    if (p->n_target_missing)
        report_note(r, "%lld rows without a value of '%s' are left out",
                    (long long)p->n_target_missing, e->o->target);
    eval_note_binding(r, &e->counts);
}

static tide_status judging_run(struct judging *e, tide_error *err)
{
    const struct tide_eval_options *o = e->o;
    struct metric_text chosen = {0};
    const char *first = o->metric && *o->metric ? o->metric : "auc";
    tide_status status = judging_options(o, err);
    if (!status) status = judging_metric(first, &chosen, err);
    if (!status)
        status =
            problem_labels(e->ctx, e->frame, o->target, o->positive, &e->labels, err);
    if (!status) status = judging_score(e, err);
    if (!status)
        status = eval_begin_report(e->ctx, "anomalies", e->frame, &e->report, err);
    if (!status) {
        judging_facts(e, chosen.name);
        status = eval_report_metrics(e->ctx, e->report, &e->rows, first, o->all,
                                     o->bootstrap, o->seed, err);
    }
    if (!status) status = eval_report_charts(e->ctx, e->report, &e->rows, err);
    if (!status) status = report_status(e->report, err);
    metric_text_free(&chosen);
    return status;
}

tide_status eval_anomalies(struct tide_ctx *ctx, const tide_model *m,
                           const tide_frame *frame, const struct tide_eval_options *o,
                           tide_report **out, tide_error *err)
{
    struct judging e = {.ctx = ctx, .m = m, .frame = frame, .o = o};
    arena_init(&e.arena, ctx);
    tide_status status = judging_run(&e, err);
    arena_free(&e.arena);
    problem_free(e.labels);
    if (status)
        tide_report_free(e.report);
    else
        *out = e.report;
    return status;
}
