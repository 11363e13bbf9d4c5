/* eval_report.c - the numbers of a report: which metrics, in which order, with which notes */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "eval/eval.h"
#include "eval/metric_text.h"
#include "math/sort.h"

#define CHOSEN_MOST 160
#define IMPORTANT   20 /* columns shown */

/* What a report shows without --all, in this order after the chosen one. */
static const char *const binary_metrics[] = {
    "log_loss", "auc",       "ap",     "brier",       "accuracy", "balanced_accuracy",
    "f1",       "precision", "recall", "specificity", "mcc",      "ece",
    NULL};
static const char *const score_metrics[] = {"auc",    "ap", "precision",
                                            "recall", "f1", NULL};
static const char *const class_metrics[] = {
    "log_loss", "auc", "brier", "accuracy", "balanced_accuracy",
    "f1",       "mcc", "ece",   NULL};
static const char *const value_metrics[] = {
    "rmse", "mae", "median_ae", "r2", "explained_variance", "max_error", NULL};
static const char *const quantile_metrics[] = {"mean_pinball", "coverage",
                                               "interval_width", NULL};
static const char *const median_metrics[] = {"mae", "median_ae", NULL};
static const char *const ranking_metrics[] = {"ndcg", "map", "mrr", NULL};

/* Is it of any use to list this metric for these rows unasked? */
static int eval_fits(const struct tide_metric *m, const struct scored *s)
{
    if (!(m->tasks & s->task)) return 0;
    if (s->is_score && m->needs & METRIC_PROBA && !(m->needs & METRIC_ORDER)) return 0;
    if (m->needs & METRIC_LIST) return s->group != NULL;
    if (m->needs & METRIC_QUANTILES) return s->n_shares > 1;
    if (s->is_ranked) return 0;         /* a score is no value of the target */
    if (!scored_has_value(s)) return 0; /* nor is an outer quantile */
    if (s->n_classes <= 2 && str_same(m->name, "top_k")) return 0; /* always 1 */
    return !(m->needs & METRIC_BINARY) || s->n_classes <= 2;
}

static tide_status eval_add(struct tide_ctx *ctx, tide_report *r,
                            const struct scored *s, const struct tide_metric *m,
                            const char *key, const void *params, int main,
                            uint64_t seed, tide_error *err)
{
    struct metric_value v;
    const char *changed =
        strchr(key, '('); /* parameters tell two of one metric apart */
    char title[160];
    (void)str_format(title, sizeof title, "%s%s%s", m->title, changed ? " " : "",
                     changed ? changed : "");
    struct report_metric item = {.key = key,
                                 .title = title,
                                 .n = s->n,
                                 .worst = m->worst,
                                 .chance = m->chance,
                                 .best = m->best,
                                 .main = main};
    tide_status status = eval_value(ctx, m, params, s, METRIC_CI_95, seed, &v, err);
    if (status) return status;
    item.value = v.value;
    item.lo = v.lo;
    item.hi = v.hi;
    item.method = v.method;
    item.reason = v.defined ? NULL : v.reason;
    report_metric(r, &item);
    if (v.clipped)
        report_note(
            r,
            "%s: %lld probabilities of a true class were 0 or 1 to 15 digits and "
            "were clipped",
            key, (long long)v.clipped);
    if (v.zero_division)
        report_note(r, "%s: a class without predictions or rows counts as 0", key);
    return TIDE_OK;
}

/* Appends metrics by name to the n that are there. Returns the number, -1 on error. */
static int eval_named(const char *const *names, const struct tide_metric **out, int n,
                      tide_error *err)
{
    for (; *names && n >= 0 && n < CHOSEN_MOST; names++) {
        out[n] = metric_find(*names, err);
        n = out[n] ? n + 1 : -1;
    }
    return n;
}

/* The list of a report, or every metric of the task. Returns the number. */
static int eval_choose(const struct scored *s, int all, const struct tide_metric **out,
                       tide_error *err)
{
    const char *const *names = s->task != TIDE_CLASSIFY ? value_metrics
                               : s->is_score            ? score_metrics
                               : s->n_classes <= 2      ? binary_metrics
                                                        : class_metrics;
    int n = 0;
    if (s->n_shares > 1) {
        n = eval_named(quantile_metrics, out, n, err);
        names = median_metrics;
    }
    if (n >= 0 && !s->is_ranked && scored_has_value(s))
        n = eval_named(names, out, n, err);
    if (s->group && s->task != TIDE_CLASSIFY && n >= 0)
        n = eval_named(ranking_metrics, out, n, err);
    if (n < 0) return -1;
    for (int i = 0; all && i < tide_registry_count(TIDE_METRIC) && n < CHOSEN_MOST;
         i++) {
        const struct tide_metric *m = metric_get(i);
        int seen = !eval_fits(m, s);
        for (int j = 0; j < n && !seen; j++) seen = out[j] == m;
        if (!seen) out[n++] = m;
    }
    return n;
}

/* What the figures of lists are means of, since peers differ here. */
static void eval_note_groups(tide_report *r, const struct scored *s)
{
    long long n = (long long)fold_groups(s->group, s->n);
    report_note(r,
                "ranking metrics are means over the %lld group%s of '%s'; ndcg counts "
                "the first 10 rows of each and takes the target as gain",
                n, n == 1 ? "" : "s", s->group_name ? s->group_name : "the rows");
}

tide_status eval_report_metrics(struct tide_ctx *ctx, tide_report *r,
                                const struct scored *s, const char *first, int all,
                                int bootstrap, uint64_t seed, tide_error *err)
{
    const struct tide_metric *list[CHOSEN_MOST];
    struct scored rows = *s;
    struct metric_text chosen;
    int n;
    tide_status status;
    if (!first || !*first) first = s->task == TIDE_CLASSIFY ? "log_loss" : "rmse";
    status = metric_text_parse(first, &chosen, err);
    if (status) return status;
    rows.bootstrap = bootstrap;
    if (s->group) eval_note_groups(r, s);
    status = eval_add(ctx, r, &rows, chosen.metric, chosen.name,
                      metric_text_params(&chosen), 1, seed, err);
    n = status ? 0 : eval_choose(s, all, list, err);
    if (n < 0) status = err ? err->status : TIDE_EINTERNAL;
    for (int i = 0; !status && i < n; i++) {
        if (str_same(list[i]->name, chosen.name)) continue;
        status = ctx_progress(ctx, "measuring", i, n, list[i]->name, err);
        if (!status)
            status =
                eval_add(ctx, r, &rows, list[i], list[i]->name, NULL, 0, seed, err);
    }
    metric_text_free(&chosen);
    return status ? status : eval_report_quantiles(r, s, err);
}

/* ---- importance ---- */

/* Largest first, ties by column; values and names of the first columns and of the rest. */
static tide_status importance_chart(tide_report *r, const tide_model *m,
                                    const double *share, tide_error *err)
{
    struct arena *a = &r->arena;
    int n = m->schema.n_cols, shown = n > IMPORTANT ? IMPORTANT : n;
    uint32_t *idx = arena_array(a, n, sizeof *idx);
    double *minus = arena_array(a, n, sizeof *minus), value[IMPORTANT + 1], rest = 0;
    const char *name[IMPORTANT + 1];
    char other[64], first[64];
    struct tide_chart *c;
    struct chart_mark *bar;
    tide_status status;
    if (a->failed) return arena_status(a, err);
    for (int j = 0; j < n; j++) minus[j] = -share[j];
    if (sort_index_f64(a, minus, n, idx)) return arena_status(a, err);
    for (int j = 0; j < n; j++) {
        if (j < shown) {
            value[j] = share[idx[j]];
            name[j] = m->schema.cols[idx[j]].name;
        } else {
            rest += share[idx[j]];
        }
    }
    (void)err_quote(first, sizeof first, name[0], strlen(name[0]), 48);
    if (n > shown) {
        (void)str_format(other, sizeof other, "other (%d columns)", n - shown);
        value[shown] = rest;
        name[shown++] = other;
    }
    c = chart_new(a, "importance", "Importance of columns", 0);
    chart_axis_x(c, "share of importance", NULL, SCALE_LINEAR, 0, 0);
    chart_axis_y(c, "column", NULL, SCALE_BAND, 0, 0);
    bar = chart_mark(c, MARK_BAR, NULL, 1);
    bar->horizontal = 1;
    bar->x = chart_text(c, "column", name, shown);
    bar->y = chart_num(c, "share", value, shown);
    chart_summary(
        c,
        "The model rests most on '%s' (%r %% of its importance); %d of its %d "
        "columns are shown by name, with %r %% in all.",
        first, round(value[0] * 1000) / 10, n > IMPORTANT ? IMPORTANT : n, n,
        round((1 - rest) * 1000) / 10);
    status = chart_finish(c, err);
    if (!status) report_chart(r, c);
    return status;
}

tide_status eval_report_importance(tide_report *r, const tide_model *m, tide_error *err)
{
    int n = m->schema.n_cols;
    double *share, sum = 0;
    tide_status status;
    if (n < 1) return TIDE_OK;
    share = arena_array(&r->arena, n, sizeof *share);
    if (!share) return arena_status(&r->arena, err);
    status = model_importance(m, share, err);
    if (status) return status;
    for (int j = 0; j < n; j++) sum += share[j];
    return sum > 0 ? importance_chart(r, m, share, err) : TIDE_OK;
}
