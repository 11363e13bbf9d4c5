/* stop_metric.c - early stopping by any metric: scores of the rows watched become what the metric
 * takes, probabilities of classes or values */
#include "learners/tree/stop_metric.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "infer/ensemble.h"
#include "simd/vmath.h"
#include "spec/spec.h"

struct stop_metric {
    const struct tide_metric *of;
    const uint32_t *list;
    struct metric_data d;
    int32_t n_outputs;
    int32_t link;      /* enum ensemble_link */
    double base, *out; /* [m][classes], or values [m] */
    int32_t *label;    /* [m]; NULL for values */
};

static tide_status refuse_task(const char *name, const struct fit_data *d,
                               tide_error *err)
{
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "metric '%s' is not for %s", name,
            d->task != TIDE_CLASSIFY ? "values"
            : d->n_classes > 2       ? "more than two classes"
                                     : "classes");
    return err_field(err, "stop_on");
}

/* What the rows are, in the order of the list. */
static tide_status stop_rows(struct stop_metric *s, const struct fit_data *d,
                             const struct grad_rows *rows, struct arena *a,
                             tide_error *err)
{
    int64_t m = s->d.n;
    int is_class = d->task == TIDE_CLASSIFY;
    double *y = is_class ? NULL : arena_array(a, m + 1, sizeof *y);
    int32_t *k = is_class ? arena_array(a, m + 1, sizeof *k) : NULL;
    double *w = d->w ? arena_array(a, m + 1, sizeof *w) : NULL;
    int64_t *group = d->group ? arena_array(a, m + 1, sizeof *group) : NULL;
    s->label = is_class ? arena_array(a, m + 1, sizeof *s->label) : NULL;
    s->out =
        arena_array(a, m + 1, (is_class ? (size_t)d->n_classes : 1) * sizeof *s->out);
    if (a->failed) return arena_status(a, err);
    for (int64_t j = 0; j < m; j++) {
        uint32_t i = s->list[j];
        if (y) y[j] = rows->y[i] + s->base;
        if (k) k[j] = rows->k[i];
        if (w) w[j] = d->w[i];
        if (group) group[j] = d->group[i];
    }
    s->d.y = y;
    s->d.k = k;
    s->d.w = w;
    s->d.group = group;
    s->d.label = s->label;
    s->d.proba = is_class ? s->out : NULL;
    s->d.pred = is_class ? NULL : s->out;
    return TIDE_OK;
}

tide_status stop_metric_find(const char *name, const struct fit_data *d,
                             const struct tide_metric **out, tide_error *err)
{
    const struct tide_metric *of = metric_find(name, err);
    if (!of) return err_field(err, "stop_on");
    if (!(of->tasks & d->task) ||
        (of->needs & METRIC_BINARY && d->task == TIDE_CLASSIFY && d->n_classes > 2))
        return refuse_task(name, d, err);
    *out = of;
    return TIDE_OK;
}

tide_status stop_metric_new(const char *name, const struct fit_data *d,
                            const struct grad_rows *rows, const uint32_t *list,
                            int64_t m, int32_t link, double base, struct arena *a,
                            struct stop_metric **out, tide_error *err)
{
    const struct tide_metric *of = NULL;
    tide_status status = stop_metric_find(name, d, &of, err);
    if (status) return status;
    struct stop_metric *s = *out = arena_zero(a, sizeof *s);
    if (!s) return arena_status(a, err);
    *s = (struct stop_metric){.of = of, .list = list, .link = link, .base = base};
    s->n_outputs = link == LINK_SOFTMAX ? d->n_classes : 1;
    s->d = (struct metric_data){.task = d->task,
                                .n = m,
                                .n_classes = d->n_classes,
                                .positive = d->positive,
                                .n_features = d->x->n_cols};
    return stop_rows(s, d, rows, a, err);
}

static void probabilities(const struct stop_metric *s, const double *score, double *p)
{
    int32_t k = s->d.n_classes;
    if (s->link == LINK_LOGIT) {
        double e = vm_exp(-fabs(score[0])), high = 1 / (1 + e), low = e / (1 + e);
        p[0] = score[0] > 0 ? low : high;
        p[1] = score[0] > 0 ? high : low;
        return;
    }
    double top = score[0], sum = 0;
    for (int32_t c = 1; c < k; c++) top = score[c] > top ? score[c] : top;
    for (int32_t c = 0; c < k; c++) sum += p[c] = vm_exp(score[c] - top);
    for (int32_t c = 0; c < k; c++) p[c] /= sum;
}

tide_status stop_metric_value(struct tide_ctx *ctx, struct stop_metric *s,
                              const double *score, double *value, tide_error *err)
{
    struct metric_value v = {0};
    int32_t k = s->d.n_classes;
    for (int64_t j = 0; j < s->d.n; j++) {
        const double *of = score + (int64_t)s->list[j] * s->n_outputs;
        if (!s->label) {
            s->out[j] = s->link == LINK_EXP     ? vm_exp(*of)
                        : s->link == LINK_LOGIT ? 1 / (1 + vm_exp(-*of))
                                                : *of + s->base;
            continue;
        }
        double *p = s->out + j * k;
        probabilities(s, of, p);
        s->label[j] = 0;
        for (int32_t c = 1; c < k; c++)
            if (p[c] > p[s->label[j]]) s->label[j] = c;
    }
    tide_status status = s->of->value(ctx, NULL, &s->d, METRIC_CI_NONE, 0, &v, err);
    *value = s->of->higher_is_better ? -v.value : v.value;
    if (status || v.defined) return status;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "metric '%s' cannot stop the rounds: of the rows watched, %s", s->of->name,
            v.reason);
    return err_field(err, "stop_on");
}

const struct tide_metric *stop_metric_of(const struct stop_metric *s)
{
    return s->of;
}
