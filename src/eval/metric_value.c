/* metric_value.c - metrics by their text, on arrays and on scored rows */
#include <math.h>
#include <string.h>

#include <tidemill/model.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "eval/eval.h"
#include "eval/metric_text.h"

#define METRIC_TEXT_MAX 400

/* ---- text ---- */

static const char *const metric_aliases[][2] = {
    {"average_precision", "ap"},
    {"roc_auc", "auc"},
    {"logloss", "log_loss"},
    {"cross_entropy", "log_loss"},
    {"brier_score", "brier"},
    {"zero_one_loss", "error"},
    {"error_rate", "error"},
    {"matthews_corrcoef", "mcc"},
    {"cohen_kappa", "kappa"},
    {"f1_score", "f1"},
    {"fbeta", "f_beta"},
    {"sensitivity", "recall"},
    {"top_k_accuracy", "top_k"},
    {"mean_absolute_error", "mae"},
    {"l1", "mae"},
    {"mean_squared_error", "mse"},
    {"l2", "mse"},
    {"root_mean_squared_error", "rmse"},
    {"median_absolute_error", "median_ae"},
    {"r2_score", "r2"},
    {"mean_absolute_percentage_error", "mape"},
    {"d2_absolute_error", "d2_absolute"},
    {"hamming_loss", "hamming"},
    {"geometric_mean", "g_mean"},
};

const char *metric_text_alias(const char *name)
{
    int n = (int)(sizeof metric_aliases / sizeof metric_aliases[0]);
    for (int i = 0; i < n; i++)
        if (str_same(metric_aliases[i][0], name)) return metric_aliases[i][1];
    return name;
}

/* The text between two ends without blanks around it, terminated. */
static int metric_trim(const char *from, const char *to, char *out, size_t size)
{
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
    if ((size_t)(to - from) >= size) return -1;
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = 0;
    return 0;
}

static tide_status metric_bad(const char *text, const char *what, tide_error *err)
{
    char quoted[96];
    err_set(err, TIDE_CODE_PARAM_VALUE, "metric \"%s\" %s",
            err_quote(quoted, sizeof quoted, text, strlen(text), 80), what);
    return err_field(err, "metric");
}

/* "beta=2, average=macro" into values. */
static tide_status metric_set_all(const char *text, const char *from, const char *to,
                                  tide_values *values, tide_error *err)
{
    char key[64], value[64];
    while (from < to) {
        const char *end = memchr(from, ',', (size_t)(to - from)), *equals;
        tide_status status;
        if (!end) end = to;
        equals = memchr(from, '=', (size_t)(end - from));
        if (!equals || metric_trim(from, equals, key, sizeof key) ||
            metric_trim(equals + 1, end, value, sizeof value) || !*key)
            return metric_bad(text, "has a parameter that is not name=value", err);
        status = tide_values_set(values, key, value, err);
        if (status) return status;
        from = end + 1;
    }
    return TIDE_OK;
}

static tide_status metric_canonical(struct metric_text *t, tide_error *err)
{
    struct str name = {0}, changed = {0};
    tide_status status = TIDE_OK;
    str_add(&name, t->metric->name);
    if (t->values) values_print(&changed, t->values, 1);
    if (changed.len) str_addf(&name, "(%s)", changed.s);
    if (name.failed || changed.failed || !name.s)
        status = err_nomem(err, 0);
    else
        (void)str_format(t->name, sizeof t->name, "%s", name.s);
    str_free(&changed);
    str_free(&name);
    return status;
}

tide_status metric_text_parse(const char *text, struct metric_text *out,
                              tide_error *err)
{
    const char *end, *open, *stop;
    char name[64];
    tide_status status;
    *out = (struct metric_text){0};
    if (!text || !*text) return metric_bad(text ? text : "", "has no name", err);
    if (strlen(text) > METRIC_TEXT_MAX) return metric_bad(text, "is too long", err);
    end = text + strlen(text);
    open = strchr(text, '(');
    stop = open ? end : NULL;
    while (stop && stop > open && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
    if (open && stop[-1] != ')')
        return metric_bad(text, "lacks its closing bracket", err);
    if (metric_trim(text, open ? open : end, name, sizeof name))
        return metric_bad(text, "is unknown", err);
    out->metric = metric_find(metric_text_alias(name), err);
    if (!out->metric) {
        (void)err_field(err, "metric");
        return err ? err->status : TIDE_EINVAL;
    }
    if (open && stop - 1 > open + 1 && !out->metric->params.n)
        return metric_bad(text, "takes no parameters", err);
    if (out->metric->params.n) {
        status =
            tide_values_new(&out->metric->params, out->metric->name, &out->values, err);
        if (!status && open)
            status = metric_set_all(text, open + 1, stop - 1, out->values, err);
        if (!status) status = tide_values_check(out->values, err);
        if (status) goto bad;
    }
    status = metric_canonical(out, err);
    if (!status) return TIDE_OK;
bad:
    metric_text_free(out);
    return status;
}

void metric_text_free(struct metric_text *t)
{
    tide_values_free(t->values);
    t->values = NULL;
}

const void *metric_text_params(const struct metric_text *t)
{
    return t->values ? tide_values_struct(t->values) : NULL;
}

static tide_status metric_other_task(const struct tide_metric *m, tide_error *err)
{
    err_set(err, TIDE_CODE_PARAM_VALUE, "metric \"%s\" is for %s", m->name,
            m->tasks & TIDE_CLASSIFY ? "classification" : "regression");
    return err_field(err, "metric");
}

tide_status eval_metric_default(uint32_t task, const char *name,
                                const struct tide_metric **out, tide_error *err)
{
    struct metric_text t;
    tide_status status;
    *out = NULL;
    if (!name || !*name) name = task == TIDE_CLASSIFY ? "log_loss" : "rmse";
    status = metric_text_parse(name, &t, err);
    if (status) return status;
    if (!str_same(t.name, t.metric->name))
        status = metric_bad(name, "must have its default parameters here", err);
    else if (!(t.metric->tasks & task))
        status = metric_other_task(t.metric, err);
    else if (t.metric->needs & METRIC_NO_ORDER)
        status = metric_bad(name, "says neither better nor worse", err);
    else
        *out = t.metric;
    metric_text_free(&t);
    return status;
}

int eval_is_ranked(const struct fit_aims *aims)
{
    const struct tide_metric *m = aims->metric ? metric_find(aims->metric, NULL) : NULL;
    return m && (m->needs & METRIC_LIST) != 0;
}

/* ---- scored rows ---- */

tide_status eval_value(struct tide_ctx *ctx, const struct tide_metric *m,
                       const void *params, const struct scored *s,
                       enum metric_interval ci, uint64_t seed, struct metric_value *v,
                       tide_error *err)
{
    struct metric_data d = {.task = s->task,
                            .n = s->n,
                            .y = s->y,
                            .k = s->k,
                            .label = s->label,
                            .n_classes = s->n_classes,
                            .positive = s->positive,
                            .w = s->w,
                            .group = s->group,
                            .n_features = s->n_features,
                            .labels = s->labels,
                            .bootstrap = s->bootstrap};
    if (!(m->tasks & s->task)) return metric_other_task(m, err);
    if (s->task == TIDE_CLASSIFY)
        d.proba = s->out;
    else
        d.pred = s->out;
    d.quantiles = s->quantiles;
    d.shares = s->shares;
    d.n_shares = s->n_shares;
    return m->value(ctx, params, &d, ci, seed, v, err);
}

/* ---- arrays ---- */

static tide_status metric_check_classes(const struct tide_metric_in *in,
                                        tide_error *err)
{
    if (in->n_classes < 1 || in->positive < 0 || in->positive >= in->n_classes)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "%d classes with class %d as the positive one cannot be",
                       (int)in->n_classes, (int)in->positive);
    for (int64_t i = 0; in->k && i < in->n; i++)
        if (in->k[i] < 0)
            return err_set(err, TIDE_CODE_HANDLE_INVALID, "class of row %lld is %d",
                           (long long)(i + 1), (int)in->k[i]);
    return TIDE_OK;
}

/* Predicted classes from probabilities, as a model with threshold 0.5 would say. */
static tide_status metric_make_labels(struct arena *a, const struct tide_metric_in *in,
                                      const int32_t **out, tide_error *err)
{
    int32_t K = in->n_classes, *label = arena_array(a, in->n, sizeof *label);
    if (!label) return arena_status(a, err);
    for (int64_t i = 0; i < in->n; i++) {
        const double *p = in->proba + i * K;
        int32_t best = 0;
        for (int32_t k = 1; k < K; k++)
            if (p[k] > p[best]) best = k;
        if (K == 2) best = p[in->positive] >= 0.5 ? in->positive : 1 - in->positive;
        label[i] = best;
    }
    *out = label;
    return TIDE_OK;
}

TIDE_API tide_status tide_metric_value(tide_ctx *ctx, const char *metric,
                                       const struct tide_metric_in *in,
                                       int with_interval, struct tide_metric_out *out,
                                       tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct metric_text t;
    struct metric_value v;
    struct arena arena;
    struct metric_data d;
    tide_status status;
    if (!ctx || !in || !out || in->n < 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "a context, rows and a place for the "
                       "value are needed");
    memset(out, 0, sizeof *out);
    out->value = out->lo = out->hi = (double)NAN;
    status = metric_text_parse(metric, &t, err);
    if (status) return status;
    arena_init(&arena, ctx);
    d = (struct metric_data){.task = in->task,
                             .n = in->n,
                             .y = in->y,
                             .pred = in->pred,
                             .k = in->k,
                             .label = in->label,
                             .proba = in->proba,
                             .n_classes = in->n_classes,
                             .positive = in->positive,
                             .w = in->w,
                             .n_features = in->n_features};
    if (!(t.metric->tasks & in->task)) status = metric_other_task(t.metric, err);
    if (!status && in->task == TIDE_CLASSIFY) status = metric_check_classes(in, err);
    if (!status && in->task == TIDE_CLASSIFY && !d.label && d.proba && in->n > 0)
        status = metric_make_labels(&arena, in, &d.label, err);
    if (!status)
        status =
            t.metric->value(ctx, metric_text_params(&t), &d,
                            with_interval ? METRIC_CI_95 : METRIC_CI_NONE, 0, &v, err);
    if (!status) {
        out->value = v.value;
        out->lo = v.lo;
        out->hi = v.hi;
        out->defined = v.defined;
        (void)str_format(out->method, sizeof out->method, "%s",
                         v.method ? v.method : "");
        (void)str_format(out->reason, sizeof out->reason, "%s", v.reason);
    }
    arena_free(&arena);
    metric_text_free(&t);
    return status;
}
