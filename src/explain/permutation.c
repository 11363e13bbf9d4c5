/* permutation.c - importance by permutation, and mean absolute contributions
 *
 * A column's rows are exchanged over the whole sample, `repeats` times, by keys of seed and
 * column name; its importance is how much worse the metric becomes (Breiman 2001; Fisher, Rudin,
 * Dominici 2019). The interval is Student's over the repeats: it says how exact the figure is,
 * not how it would change on other rows. Correlated columns stand in for each other here. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/numparse.h"
#include "base/rng.h"
#include "base/str.h"
#include "explain/explain.h"
#include "math/sort.h"
#include "math/special.h"
#include "pipe/flow.h"

#define SHOWN 20

/* Truth of the sample's rows that have one. */
struct judged {
    const struct tide_metric *metric;
    int64_t n;
    int64_t *at; /* [n] places in the sample */
    struct scored rows;
    double *out, *centre; /* of quantiles, or NULL */
    int32_t *label;
};

static tide_status find_truth(struct explanation *e, const tide_frame *frame,
                              const int64_t *rows, struct judged *q, tide_error *err)
{
    const struct schema *s = &e->m->schema;
    struct arena *a = &e->arena;
    struct truth t;
    struct fit_aims aims;
    pipeline_aims(e->m->pipeline, &aims);
    if (!(aims.tasks & s->task)) aims.metric = NULL;
    tide_status status = eval_metric_default(s->task, aims.metric, &q->metric, err);
    if (!status) status = pipe_truth(e->ctx, e->m, frame, a, &t, err);
    if (status) return status;
    int is_ranked = eval_is_ranked(&aims);
    if (is_ranked && !t.group && s->group && /* absent: the error says so */
        tide_frame_find(frame, s->group, "", err) < 0)
        return err_at(err, frame->source, frame->first_line > 0, 0), TIDE_EDATA;
    q->at = arena_array(a, e->n, sizeof *q->at);
    double *y = arena_array(a, e->n, sizeof *y), *w = arena_array(a, e->n, sizeof *w);
    int32_t *k = arena_array(a, e->n, sizeof *k);
    int64_t *group = is_ranked ? arena_array(a, e->n, sizeof *group) : NULL;
    q->out = arena_array(a, e->n * e->width, sizeof *q->out);
    q->label = arena_array(a, e->n, sizeof *q->label);
    if (a->failed) return arena_status(a, err);
    for (int64_t i = 0, j = 0; i < e->n && j < t.n;) { /* both ascend */
        if (t.rows[j] < rows[i]) {
            j++;
        } else if (t.rows[j] > rows[i]) {
            i++;
        } else {
            if (t.y) y[q->n] = t.y[j];
            if (t.k) k[q->n] = t.k[j];
            w[q->n] = t.w ? t.w[j] : 1;
            if (group) group[q->n] = t.group ? t.group[j] : 0;
            q->at[q->n++] = i++;
            j++;
        }
    }
    q->rows = (struct scored){.task = s->task,
                              .n = q->n,
                              .n_classes = s->n_classes,
                              .positive = s->positive,
                              .y = t.y ? y : NULL,
                              .k = t.k ? k : NULL,
                              .w = t.w ? w : NULL,
                              .out = q->out,
                              .label = s->task == TIDE_CLASSIFY ? q->label : NULL,
                              .labels = s->labels,
                              .n_features = s->n_cols,
                              .group = group};
    if (!s->n_outputs) return TIDE_OK;
    q->rows.quantiles = q->out;
    q->rows.shares = s->shares;
    q->rows.n_shares = s->n_outputs;
    q->centre = arena_array(a, e->n, sizeof *q->centre);
    return arena_status(a, err);
}

/* The metric of scores of the sample; NaN where it is not defined. */
static tide_status judge(struct explanation *e, struct judged *q, const double *out,
                         double *value, tide_error *err)
{
    struct metric_value v = {0};
    for (int64_t i = 0; i < q->n; i++) {
        double *to = q->out + i * e->width;
        memcpy(to, out + q->at[i] * e->width, (size_t)e->width * sizeof *to);
        if (q->rows.label) q->label[i] = model_label(e->m, to);
    }
    if (q->centre) scored_centre(&q->rows, q->centre);
    tide_status status = eval_value(e->ctx, q->metric, NULL, &q->rows, METRIC_CI_NONE,
                                    e->o->seed, &v, err);
    *value = !status && v.defined ? v.value : (double)NAN;
    return status;
}

/* The sample's rows of one column in another order. */
static tide_status exchange(struct explanation *e, int j, int repeat, struct view *out,
                            tide_error *err)
{
    struct arena *a = &e->arena;
    const char *name = e->v.cols[j]->name;
    struct rng_key key = rng_key(e->o->seed, "permute");
    uint64_t *draw = arena_array(a, e->n, sizeof *draw);
    uint32_t *order = arena_array(a, e->n, sizeof *order);
    int64_t *rows = arena_array(a, e->n, sizeof *rows);
    if (a->failed) return arena_status(a, err);
    uint32_t column = hash_name(name);
    for (int64_t i = 0; i < e->n; i++)
        draw[i] = rng_u64(rng_at(key, i, column, (uint32_t)repeat));
    if (sort_index_u64(a, draw, e->n, order)) return arena_status(a, err);
    for (int64_t i = 0; i < e->n; i++) rows[i] = order[i];
    struct view one = {
        .n_rows = e->n, .n_cols = 1, .cols = &e->v.cols[j], .rows = rows};
    return flow_gather(e->ctx, &one, a, out, err);
}

static tide_status measure(struct explanation *e, struct judged *q, double base, int j,
                           double *mean, double *half, tide_error *err)
{
    int n = e->o->repeats;
    double sum = 0, squares = 0;
    tide_status status = TIDE_OK;
    struct arena_mark mark = arena_mark(&e->arena);
    for (int r = 0; r < n && !status; r++) {
        struct view one;
        double value = 0;
        status = exchange(e, j, r, &one, err);
        if (!status) status = explain_with(e, j, one.cols[0], err);
        if (!status) status = judge(e, q, e->work, &value, err);
        double worse = q->metric->higher_is_better ? base - value : value - base;
        sum += worse;
        squares += worse * worse;
        arena_reset(&e->arena, mark);
    }
    *mean = sum / n;
    double var = (squares - sum * sum / n) / (n - 1);
    *half = special_t_quantile(0.975, n - 1) * sqrt(var > 0 ? var / n : 0);
    return status;
}

/* The largest columns of a figure, in order. Returns how many. */
static int largest(struct explanation *e, const double *v, uint32_t *order)
{
    int n = e->v.n_cols;
    double *minus = arena_array(&e->arena, n, sizeof *minus);
    if (!minus) return 0;
    for (int j = 0; j < n; j++) minus[j] = isnan(v[j]) ? (double)INFINITY : -v[j];
    if (sort_index_f64(&e->arena, minus, n, order)) return 0;
    return n < SHOWN ? n : SHOWN;
}

static tide_status show_permutation(struct explanation *e, const struct judged *q,
                                    double base, const double *mean, const double *half,
                                    tide_error *err)
{
    struct arena *a = &e->report->arena;
    uint32_t *order = arena_array(&e->arena, e->v.n_cols, sizeof *order);
    if (!order) return arena_status(&e->arena, err);
    int n = largest(e, mean, order);
    if (n == 0) return arena_status(&e->arena, err);
    const char *name[SHOWN];
    double value[SHOWN], lo[SHOWN], hi[SHOWN];
    for (int i = 0; i < n; i++) {
        int j = (int)order[i];
        name[i] = e->v.cols[j]->name;
        value[i] = mean[j];
        lo[i] = mean[j] - half[j];
        hi[i] = mean[j] + half[j];
    }
    char label[96], figures[NUM_PRINT_MAX], most[NUM_PRINT_MAX];
    (void)str_format(label, sizeof label, "%s becomes worse by", q->metric->name);
    report_fact_str(e->report, "metric", q->metric->name);
    report_fact_num(e->report, "metric_value", base);
    struct tide_chart *c =
        chart_new(a, "permutation", "Importance by permutation", q->n);
    c->is_key = 1;
    chart_axis_x(c, label, NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    struct chart_mark *mark = chart_mark(c, MARK_INTERVAL, NULL, 1);
    mark->horizontal = 1;
    mark->x = chart_text(c, "column", name, n);
    mark->y = chart_num(c, "worse by", value, n);
    mark->lo = chart_num(c, "from", lo, n);
    mark->hi = chart_num(c, "to", hi, n);
    char first[64];
    (void)err_quote(first, sizeof first, name[0], strlen(name[0]), 48);
    chart_summary(
        c,
        "%s is %s on these rows; with '%s' exchanged between rows it is worse "
        "by %s, the most of all %d columns.",
        q->metric->name, explain_figure(figures, base), first,
        explain_figure(most, value[0]), e->v.n_cols);
    tide_status status = chart_finish(c, err);
    if (!status) report_chart(e->report, c);
    return status;
}

tide_status explain_permutation(struct explanation *e, const tide_frame *frame,
                                const int64_t *rows, tide_error *err)
{
    struct judged q = {0};
    double base = 0;
    int p = e->v.n_cols;
    tide_status status = find_truth(e, frame, rows, &q, err);
    if (status) return status;
    double *mean = arena_array(&e->arena, p, sizeof *mean);
    double *half = arena_array(&e->arena, p, sizeof *half);
    if (!mean || !half) return arena_status(&e->arena, err);
    if (q.n > 0) status = judge(e, &q, e->out, &base, err);
    if (q.n == 0 || isnan(base)) {
        report_note(
            e->report,
            "no permutation importance: too few rows have a value of the target");
        return status;
    }
    for (int j = 0; j < p && !status; j++)
        status = measure(e, &q, base, j, &mean[j], &half[j], err);
    if (status) return status;
    for (int j = 0; j < p; j++) e->weight[j] = isnan(mean[j]) ? 0 : mean[j];
    return show_permutation(e, &q, base, mean, half, err);
}

/* ---- contributions ---- */

tide_status explain_contributions(struct explanation *e, tide_error *err)
{
    tide_shap *shap = NULL;
    tide_status status = explain_shap(e->ctx, e->m, &e->v, NULL, &shap, err);
    if (status == TIDE_EMODEL) { /* an imported model, say, or a linear one of before */
        report_note(e->report, "no contributions: the model holds no %s",
                    explain_trees(e->m) ? "covers" : "means of its columns");
        if (err) *err = (tide_error){0};
        return TIDE_OK;
    }
    if (status) return status;
    struct arena *a = &e->report->arena;
    int p = tide_shap_columns(shap), k = tide_shap_outputs(shap);
    const double *phi = tide_shap_values(shap);
    double *mean = arena_zero(&e->arena, ((size_t)p + 1) * sizeof *mean);
    uint32_t *order = arena_array(&e->arena, p, sizeof *order);
    const char *name[SHOWN];
    double value[SHOWN];
    int n = 0;
    int one =
        e->m->schema.n_outputs ? e->class_no : -1; /* quantiles: the central one */
    for (int64_t r = 0; mean && r < e->n * k; r++)
        for (int j = 0; j < p && (one < 0 || r % k == one); j++)
            mean[j] += fabs(phi[r * (p + 1) + j]) / (double)e->n;
    if (mean && order) n = largest(e, mean, order);
    for (int i = 0; i < n; i++) {
        value[i] = mean[order[i]];
        name[i] = e->v.cols[order[i]]->name;
    }
    tide_shap_free(shap);
    if (n == 0) return arena_status(&e->arena, err);
    struct tide_chart *c =
        chart_new(a, "contributions", "Contributions of columns", e->n);
    c->is_key = 1;
    chart_axis_x(c, "mean absolute contribution to the margin", NULL, SCALE_LINEAR, 0,
                 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    struct chart_mark *bar = chart_mark(c, MARK_BAR, NULL, 1);
    bar->horizontal = 1;
    bar->x = chart_text(c, "column", name, n);
    bar->y = chart_num(c, "contribution", value, n);
    char first[64], most[NUM_PRINT_MAX];
    (void)err_quote(first, sizeof first, name[0], strlen(name[0]), 48);
    chart_summary(c,
                  "A row's margin is moved by %s on average by '%s' (Shapley values, "
                  "%s).",
                  explain_figure(most, value[0]), first,
                  explain_trees(e->m) ? "path-dependent, exact"
                                      : "against the column's mean, exact");
    status = chart_finish(c, err);
    if (!status) report_chart(e->report, c);
    return status;
}
