/* eval_stages.c - the metric after the first trees of a model: how much is enough?
 *
 * Each stage is the model of tide_model_first_trees, scored like any other, so a stage's figure is
 * the figure that `predict --trees` would have. Several tables make several lines. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "eval/charts.h"
#include "eval/eval_model.h"

#define STAGE_TABLES 9 /* lines of a chart */

struct stages {
    struct evaluation *of; /* [n_tables] the same metric on each table */
    struct arena *arena;   /* of the first */
    const struct metric_text *metric;
    int n_tables, n;
    double *trees;               /* [n] rounds of each stage */
    double *value[STAGE_TABLES]; /* [n] of each table; NaN: not defined */
    char name[STAGE_TABLES][CHARTS_NAME];
};

/* Which numbers of trees: evenly spaced, the last is all of them. */
static tide_status stages_plan(struct stages *s, const tide_model *m, int32_t wanted,
                               struct arena *a, tide_error *err)
{
    int64_t rounds = tide_model_trees(m);
    if (rounds < 1) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s has no trees to take the first of",
                m->nodes[m->n_nodes - 1].learner->name);
        return err_field(err, "stages");
    }
    s->n = wanted < rounds ? wanted : (int)rounds;
    s->trees = arena_array(a, s->n, sizeof *s->trees);
    for (int j = 0; j < s->n_tables; j++)
        s->value[j] = arena_array(a, s->n, sizeof(double));
    if (a->failed) return arena_status(a, err);
    for (int i = 0; i < s->n; i++)
        s->trees[i] = floor((double)(i + 1) * (double)rounds / s->n + 0.5);
    return TIDE_OK;
}

static tide_status stages_measure(struct stages *s, int i, tide_error *err)
{
    const struct evaluation *first = &s->of[0];
    tide_model *stage = NULL;
    /* holds its origin, which it leaves as it is */
    tide_status status =
        tide_model_first_trees(first->ctx, (tide_model *)(uintptr_t)first->m,
                               (int64_t)s->trees[i], &stage, err);
    for (int j = 0; j < s->n_tables && !status; j++) {
        struct evaluation e = s->of[j];
        struct metric_value v = {0};
        arena_init(&e.arena, e.ctx);
        e.m = stage;
        status = evaluation_score(&e, err);
        if (!status)
            status = eval_value(e.ctx, s->metric->metric, metric_text_params(s->metric),
                                &e.rows, METRIC_CI_NONE, e.o->seed, &v, err);
        s->value[j][i] = v.defined ? v.value : (double)NAN;
        arena_free(&e.arena);
    }
    tide_model_free(stage);
    return status;
}

static int stages_best(const struct stages *s, int j)
{
    const struct tide_metric *m = s->metric->metric;
    int best = -1;
    for (int i = 0; i < s->n; i++) {
        double v = s->value[j][i];
        if (isnan(v)) continue;
        double lead = best < 0 ? 1 : s->value[j][best] - v;
        if (best < 0 || (m->higher_is_better ? lead < 0 : lead > 0)) best = i;
    }
    return best;
}

static json_t *stages_list(const double *v, int n, int whole)
{
    json_t *all = json_array();
    int bad = !all;
    for (int i = 0; i < n && !bad; i++)
        bad |= json_array_append_new(all, whole ? json_integer((json_int_t)v[i])
                                                : json_f64(v[i]));
    if (!bad) return all;
    json_decref(all);
    return NULL;
}

/* {"trees": [20, 40], "values": {"churn.csv": [0.5, 0.4]}} */
static json_t *stages_json(const struct stages *s)
{
    json_t *all = json_object(), *values = json_object();
    int bad = !all | !values;
    if (!bad) bad |= json_object_set_new(all, "trees", stages_list(s->trees, s->n, 1));
    for (int j = 0; j < s->n_tables && !bad; j++)
        bad |=
            json_object_set_new(values, s->name[j], stages_list(s->value[j], s->n, 0));
    if (!bad) bad |= json_object_set(all, "values", values);
    json_decref(values);
    if (!bad) return all;
    json_decref(all);
    return NULL;
}

static const char stages_how_to_read[] =
    "Each point is the model with its first trees only, as `predict --trees` uses it. "
    "A line that "
    "turns for the worse shows trees that learn the training rows by heart; one that "
    "still "
    "improves at its end asks for more trees.";

static tide_status stages_chart(const struct stages *s, tide_report *r, tide_error *err)
{
    const struct tide_metric *m = s->metric->metric;
    int best = stages_best(s, 0), x;
    char v[NUM_PRINT_MAX], last[NUM_PRINT_MAX];
    struct tide_chart *c = chart_new(
        &r->arena, "stages", "The metric by the number of trees", s->of[0].truth.n);
    chart_axis_x(c, "trees", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, m->title, NULL, SCALE_LINEAR, 0, 0);
    x = chart_num(c, "trees", s->trees, s->n);
    for (int j = 0; j < s->n_tables; j++) {
        struct chart_mark *line = chart_mark(c, MARK_LINE, s->name[j], j + 1);
        line->x = x;
        line->y = chart_num(c, s->name[j], s->value[j], s->n);
    }
    if (best < 0) {
        chart_summary(c,
                      "%s is not defined on the rows of '%s', for no number of trees.",
                      m->title, s->name[0]);
        return charts_done(r, c, stages_how_to_read, err);
    }
    if (best + 1 < s->n) {
        struct chart_mark *rule = chart_mark(c, MARK_RULE, "best", 0);
        rule->rule = 'x';
        rule->a = s->trees[best];
    }
    chart_summary(c, "%s of '%s' is best (%s) after %d of %d trees; with all it is %s.",
                  m->title, s->name[0], charts_figure(v, s->value[0][best]),
                  (int)s->trees[best], (int)s->trees[s->n - 1],
                  charts_figure(last, s->value[0][s->n - 1]));
    c->is_key = 1;
    return charts_done(r, c, stages_how_to_read, err);
}

/* The last part of a table's path; twice the same name gets a number. */
static void stages_name(struct stages *s, int j, const tide_frame *frame)
{
    const char *source = frame->source ? frame->source : "memory";
    const char *slash = strrchr(source, '/');
    const char *name = slash && slash[1] ? slash + 1 : source;
    int same = 0;
    int n = (int)strlen(name);
    if (n > 28) /* not within a character */
        for (n = 28; n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80; n--) {
        }
    (void)str_format(s->name[j], sizeof s->name[j], "%.*s", n, name);
    for (int i = 0; i < j; i++) same |= str_same(s->name[i], s->name[j]);
    if (same)
        (void)str_format(s->name[j], sizeof s->name[j], "%.*s (%d)", n, name, j + 1);
}

/* Table j > 0: what the first is, with rows of its own. */
static tide_status stages_table(struct stages *s, int j, const tide_frame *frame,
                                tide_error *err)
{
    struct evaluation *e = &s->of[j];
    if (!frame)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "a table of 'also' is NULL");
    e->frame = frame;
    memset(&e->truth, 0, sizeof e->truth);
    stages_name(s, j, frame);
    tide_status status = pipe_truth(e->ctx, e->m, frame, s->arena, &e->truth, err);
    if (status || e->truth.n > 0) return status;
    err_set(err, TIDE_CODE_DATA_NO_ROWS, "no row of '%s' has a value of '%s'",
            s->name[j], e->m->schema.target);
    return err_field(err, "also");
}

tide_status eval_report_stages(struct evaluation *e, const struct metric_text *metric,
                               tide_error *err)
{
    struct stages s = {.metric = metric, .arena = &e->arena};
    if (e->o->n_also < 0 || e->o->n_also >= STAGE_TABLES) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "at most %d further tables, got \"%d\"",
                STAGE_TABLES - 1, (int)e->o->n_also);
        return err_field(err, "also");
    }
    s.n_tables = e->o->n_also + 1;
    s.of = arena_array(&e->arena, s.n_tables, sizeof *s.of);
    if (!s.of) return arena_status(&e->arena, err);
    tide_status status = stages_plan(&s, e->m, e->o->stages, &e->arena, err);
    for (int j = 0; j < s.n_tables && !status; j++) s.of[j] = *e;
    if (!status) stages_name(&s, 0, e->frame);
    for (int j = 1; j < s.n_tables && !status; j++)
        status = stages_table(&s, j, e->o->also[j - 1], err);
    for (int i = 0; i < s.n && !status; i++) {
        status = ctx_progress(e->ctx, "measuring stages", i, s.n, NULL, err);
        if (!status) status = stages_measure(&s, i, err);
    }
    if (status) return status;
    report_fact_json(e->report, "stages", stages_json(&s));
    return stages_chart(&s, e->report, err);
}
