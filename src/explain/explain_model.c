/* explain_model.c - the account of a model: what it rests on, and how: `tidemill explain`
 *
 * All of it looks at one sample of rows, drawn evenly over the table, so that the parts can be
 * compared. Explanations are of the model, not of the world, and the report says so. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "explain/explain.h"
#include "math/sort.h"
#include "pipe/flow.h"

static const struct tide_param explain_rows[] = {
    P_INT(tide_explain_options, top, "4", P_RANGE(0, 1000), .metavar = "N",
          .help = "columns whose curves are drawn"),
    P_INT(tide_explain_options, repeats, "5", P_RANGE(2, 1000), .metavar = "N",
          .help = "permutations of each column", .alias = "n_repeats"),
    P_INT(tide_explain_options, sample, "2000", P_RANGE(1, 1000000000), .metavar = "N",
          .help = "rows that are looked at, drawn evenly"),
    P_U64(tide_explain_options, seed, "1", .flags = TIDE_COMMON,
          .help = "seed of random draws"),
};

TIDE_API const struct tide_params *tide_explain_params(void)
{
    static const struct tide_params table =
        TIDE_TABLE(explain_rows, tide_explain_options);
    return &table;
}

tide_status explain_with(struct explanation *e, int j, const struct column *instead,
                         tide_error *err)
{
    const struct column **cols = arena_array(&e->arena, e->v.n_cols, sizeof *cols);
    if (!cols) return arena_status(&e->arena, err);
    for (int i = 0; i < e->v.n_cols; i++) cols[i] = i == j ? instead : e->v.cols[i];
    struct view v = e->v;
    v.cols = cols;
    return predict_view(e->ctx, e->m, &v, e->work, err);
}

const char *explain_figure(char out[NUM_PRINT_MAX], double v)
{
    (void)num_print_g(out, v, 4);
    return out;
}

/* What the scores are of. */
static const char *explained(const struct schema *s)
{
    return s->target ? s->target : "anomaly score";
}

const char *explain_says(const struct explanation *e)
{
    const struct schema *s = &e->m->schema;
    char text[96], name[64];
    const char *of = s->task == TIDE_CLASSIFY ? s->labels[e->class_no] : explained(s);
    (void)err_quote(name, sizeof name, of, strlen(of), 40);
    (void)str_format(text, sizeof text, "%s%s",
                     s->task == TIDE_CLASSIFY ? "probability of " : "", name);
    if (s->n_outputs)
        (void)str_format(text, sizeof text, "%s of %s", s->outputs[e->class_no], name);
    const char *kept = arena_str(&e->report->arena, text);
    return kept ? kept : "";
}

/* The class to draw: the positive one of two, else the one that is likeliest on average; of
 * quantiles the central one. */
static int32_t choose_class(const struct explanation *e)
{
    const struct schema *s = &e->m->schema;
    if (s->n_outputs) return shares_centre(s->shares, s->n_outputs);
    if (s->task != TIDE_CLASSIFY) return 0;
    if (s->n_classes == 2 && s->positive >= 0 && s->positive < 2) return s->positive;
    int32_t best = 0;
    double most = -1;
    for (int32_t k = 0; k < e->width; k++) {
        double sum = 0;
        for (int64_t i = 0; i < e->n; i++) sum += e->out[i * e->width + k];
        if (sum > most) {
            most = sum;
            best = k;
        }
    }
    return best;
}

static tide_status take_sample(struct explanation *e, const tide_frame *frame,
                               int64_t **rows, tide_error *err)
{
    struct arena *a = &e->arena;
    struct bind_counts counts;
    const struct column **cols = NULL;
    int64_t all = frame->n_rows;
    e->n = all < e->o->sample ? all : e->o->sample;
    if (e->n == 0) {
        err_set(err, TIDE_CODE_DATA_NO_ROWS, "there is no row to explain");
        return err_at(err, frame->source, 0, 0);
    }
    *rows = arena_array(a, e->n, sizeof **rows);
    if (!*rows) return arena_status(a, err);
    for (int64_t i = 0; i < e->n; i++)
        (*rows)[i] = (int64_t)((double)i * ((double)all / (double)e->n));
    tide_status status =
        bind_frame(e->ctx, &e->m->schema, frame, *rows, e->n, a, &cols, &counts, err);
    if (status) return status;
    e->v = (struct view){
        .n_rows = e->n, .n_cols = e->m->schema.n_cols, .cols = cols, .rows = *rows};
    status = flow_gather(e->ctx, &e->v, a, &e->v, err);
    e->v.ids = NULL;
    e->width = schema_width(&e->m->schema);
    e->out = arena_array(a, e->n * e->width, sizeof *e->out);
    e->work = arena_array(a, e->n * e->width, sizeof *e->work);
    e->weight = arena_zero(a, ((size_t)e->v.n_cols + 1) * sizeof *e->weight);
    if (!status) status = arena_status(a, err);
    if (!status) status = predict_view(e->ctx, e->m, &e->v, e->out, err);
    if (!status) e->class_no = choose_class(e);
    return status;
}

static void say_facts(struct explanation *e)
{
    const struct schema *s = &e->m->schema;
    tide_report *r = e->report;
    report_fact_str(r, "model", e->m->nodes[e->m->n_nodes - 1].learner->name);
    if (e->m->sha256[0]) report_fact_str(r, "sha256", e->m->sha256);
    report_fact_int(r, "rows", e->n);
    if (s->target) report_fact_str(r, "target", s->target);
    report_fact_str(r, "task", task_name(s->task));
    if (s->task == TIDE_CLASSIFY) report_fact_str(r, "class", s->labels[e->class_no]);
    if (s->n_outputs) report_fact_str(r, "quantile", s->outputs[e->class_no]);
    report_text(r,
                "Explanations are of the model, not of the world: they say what the "
                "model uses, not what causes '%s'.",
                explained(s));
}

/* The curves of the columns with the largest weights. */
static tide_status draw_curves(struct explanation *e, tide_error *err)
{
    int n = e->v.n_cols;
    double *minus = arena_array(&e->arena, n, sizeof *minus);
    uint32_t *order = arena_array(&e->arena, n, sizeof *order);
    if (!minus || !order) return arena_status(&e->arena, err);
    for (int j = 0; j < n; j++) minus[j] = -e->weight[j];
    if (sort_index_f64(&e->arena, minus, n, order)) return arena_status(&e->arena, err);
    tide_status status = TIDE_OK;
    for (int j = 0; j < n && j < e->o->top && !status; j++)
        status = explain_curves(e, (int)order[j], err);
    return status;
}

static tide_status explain_run(struct explanation *e, const tide_frame *frame,
                               tide_error *err)
{
    char title[256], name[64];
    int64_t *rows = NULL;
    const char *target = explained(&e->m->schema);
    (void)err_quote(name, sizeof name, target, strlen(target), 48);
    (void)str_format(title, sizeof title, "What the model of %s rests on", name);
    tide_status status = take_sample(e, frame, &rows, err);
    if (status) return status;
    e->report = report_new(e->ctx, "explain", title, err);
    if (!e->report) return err ? err->status : TIDE_ENOMEM;
    say_facts(e);
    status = model_importance(e->m, e->weight, err);
    int has_target =
        e->m->schema.target && tide_frame_find(frame, target, "", NULL) >= 0;
    if (!status && has_target) status = explain_permutation(e, frame, rows, err);
    if (!e->m->schema.target)
        report_note(e->report, "learned without a target: no permutation importance");
    else if (!has_target)
        report_note(e->report,
                    "without '%s' in the table there is no permutation importance",
                    name);
    if (!status && explain_has_parts(e->m)) status = explain_contributions(e, err);
    if (!status) status = draw_curves(e, err);
    return status ? status : report_status(e->report, err);
}

TIDE_API tide_status tide_model_explain(tide_ctx *ctx, const tide_model *model,
                                        const tide_frame *frame,
                                        const struct tide_explain_options *options,
                                        tide_report **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    static const struct tide_explain_options none = {
        .top = 4, .repeats = 5, .sample = 2000, .seed = 1};
    struct explanation e = {.ctx = ctx, .m = model, .o = options ? options : &none};
    if (!ctx || !model || !frame || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    if (e.o->repeats < 2 || e.o->sample < 1)
        return err_set(err, TIDE_CODE_PARAM_RANGE,
                       "'repeats' must be at least 2 and 'sample' at least 1");
    arena_init(&e.arena, ctx);
    tide_status status = explain_run(&e, frame, err);
    arena_free(&e.arena);
    if (status)
        tide_report_free(e.report);
    else
        *out = e.report;
    return status;
}
