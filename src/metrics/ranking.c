/* ranking.c - metrics of the order that probabilities put rows in: AUC, average precision, KS,
 * lift, gain
 *
 * AUC counts pairs in integers (ties one half), so it equals Mann and Whitney's U / (n1 n0) to
 * the last bit. Several classes: one against the rest, averaged over classes that occur, or Hand
 * and Till's (2001) mean over pairs. max_fpr gives McClish's (1989) standardised partial area.
 * Average precision is the step-wise sum of scikit-learn, without interpolation. Intervals:
 * DeLong for the binary AUC, its influence form for several classes and for the average
 * precision of many rows, else the bootstrap over rows that stay sorted. */
#include <math.h>

#include "base/ctx.h"
#include "base/err.h"
#include "math/roc.h"
#include "metrics/interval.h"

enum auc_multi { AUC_OVR, AUC_OVO };
static const char *const auc_multis[] = {"ovr", "ovo", NULL};
enum auc_average { AUC_MACRO, AUC_WEIGHTED };
static const char *const auc_averages[] = {"macro", "weighted", NULL};

enum auc_interval { AUC_CLOSED, AUC_BOOTSTRAP };
static const char *const auc_intervals[] = {"delong", "bootstrap", NULL};

#define AP_BOOT_ROWS 20000 /* above, average precision's interval is by influence */

struct ranking_params {
    int32_t multi, average, interval;
    double max_fpr, at;
};
static const struct ranking_params ranking_defaults = {.max_fpr = 1, .at = 0.1};
static const struct tide_param auc_rows[] = {
    P_ENUM(ranking_params, multi, "ovr", auc_multis,
           .help = "several classes: one against the rest, or pairs",
           .alias = "multi_class"),
    P_ENUM(ranking_params, average, "macro", auc_averages,
           .help = "several classes: plain or by their weight"),
    P_REAL(ranking_params, max_fpr, "1", P_RANGE(0, 1), .flags = TIDE_OPEN_LO,
           .help = "area up to this false positive rate, standardised"),
    P_ENUM(ranking_params, interval, "delong", auc_intervals, .flags = TIDE_EXPERT,
           .help = "two classes: by placements, or by drawing rows"),
};
static const struct tide_param at_rows[] = {
    P_REAL(ranking_params, at, "0.1", P_RANGE(0, 1), .flags = TIDE_OPEN_LO,
           .help = "share of rows taken from the top"),
};

/* ---- binary curves ---- */

typedef double (*ranking_fn)(const struct roc *r, const uint8_t *count,
                             const struct ranking_params *p);

/* Walks groups from the top; counts and weights included. */
struct walk {
    const struct roc *r;
    const uint8_t *count;
    int64_t i;
    double pos, neg; /* of the group just passed */
};
static int walk_group(struct walk *s)
{
    s->pos = s->neg = 0;
    if (s->i >= s->r->n) return 0;
    for (;;) {
        int64_t i = s->i++;
        double w = s->r->w ? s->r->w[i] : 1;
        if (s->count) w *= s->count[i];
        if (s->r->pos[i])
            s->pos += w;
        else
            s->neg += w;
        if (s->r->last[i]) return 1;
    }
}

/* Weight of both classes. */
static void walk_totals(const struct roc *r, const uint8_t *count, double *pos,
                        double *neg)
{
    *pos = r->w_pos;
    *neg = r->w_neg;
    if (!count) return;
    *pos = *neg = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->w ? r->w[i] * count[i] : count[i];
        if (r->pos[i])
            *pos += w;
        else
            *neg += w;
    }
}

static double auc_of(const struct roc *r, const uint8_t *count,
                     const struct ranking_params *p)
{
    (void)p;
    return count ? roc_area_counts(r, count) : roc_area(r);
}

static double auc_partial_of(const struct roc *r, const uint8_t *count,
                             const struct ranking_params *p)
{
    struct walk s = {r, count, 0, 0, 0};
    double all_pos, all_neg, tp = 0, fp = 0, area = 0, end, low;
    walk_totals(r, count, &all_pos, &all_neg);
    if (!(all_pos > 0) || !(all_neg > 0)) return NAN;
    end = p->max_fpr * all_neg;
    while (fp < end && walk_group(&s)) {
        double rest = end - fp, part = s.neg <= rest ? 1 : rest / s.neg;
        area += part * s.neg * (tp + 0.5 * part * s.pos);
        tp += s.pos;
        fp += s.neg;
    }
    area /= all_pos * all_neg;
    low = 0.5 * p->max_fpr * p->max_fpr;
    return 0.5 * (1 + (area - low) / (p->max_fpr - low));
}

static double ap_of(const struct roc *r, const uint8_t *count,
                    const struct ranking_params *p)
{
    struct walk s = {r, count, 0, 0, 0};
    double tp = 0, n = 0, sum = 0;
    (void)p;
    while (walk_group(&s)) {
        tp += s.pos;
        n += s.pos + s.neg;
        if (s.pos > 0) sum += s.pos * (tp / n);
    }
    return tp > 0 ? sum / tp : (double)NAN;
}

static double ks_of(const struct roc *r, const uint8_t *count,
                    const struct ranking_params *p)
{
    struct walk s = {r, count, 0, 0, 0};
    double all_pos, all_neg, tp = 0, fp = 0, best = 0;
    (void)p;
    walk_totals(r, count, &all_pos, &all_neg);
    if (!(all_pos > 0) || !(all_neg > 0)) return NAN;
    while (walk_group(&s)) {
        double d;
        tp += s.pos;
        fp += s.neg;
        d = tp / all_pos - fp / all_neg;
        if (d > best) best = d;
    }
    return best;
}

/* Share of positives among the top `at` of rows; a group across the border counts in part. */
static double gain_of(const struct roc *r, const uint8_t *count,
                      const struct ranking_params *p)
{
    struct walk s = {r, count, 0, 0, 0};
    double all_pos, all_neg, tp = 0, rest;
    walk_totals(r, count, &all_pos, &all_neg);
    if (!(all_pos > 0)) return NAN;
    rest = p->at * (all_pos + all_neg);
    while (rest > 0 && walk_group(&s)) {
        double n = s.pos + s.neg;
        tp += n <= rest ? s.pos : s.pos * (rest / n);
        rest -= n;
    }
    return tp / all_pos;
}

static double lift_of(const struct roc *r, const uint8_t *count,
                      const struct ranking_params *p)
{
    return gain_of(r, count, p) / p->at;
}

/* ---- sorting a problem ---- */

/* Rows of class pos against the rest (or, when against >= 0, against rows of that class
 * only), by the probability of class pos. from (nullable): [n] the data's row of each. */
static tide_status ranked_sort(struct arena *a, const struct metric_data *d,
                               int32_t pos, int32_t against, uint32_t *from,
                               struct roc *out, tide_error *err)
{
    struct arena temp;
    double *score, *w;
    uint8_t *is;
    int64_t m = 0;
    tide_status status = TIDE_OK;
    arena_init(&temp, a->ctx);
    score = arena_array(&temp, d->n, sizeof *score);
    w = d->w ? arena_array(&temp, d->n, sizeof *w) : NULL;
    is = arena_array(&temp, d->n, 1);
    if (temp.failed) {
        status = arena_status(&temp, err);
        goto done;
    }
    for (int64_t i = 0; i < d->n; i++) {
        double p = d->proba[i * d->n_classes + pos];
        if (isnan(p)) {
            status =
                err_set(err, TIDE_CODE_HANDLE_INVALID,
                        "the probability of row %lld is no number", (long long)(i + 1));
            goto done;
        }
        if (against >= 0 && d->k[i] != pos && d->k[i] != against) continue;
        if (d->w && !(d->w[i] > 0)) continue; /* weight 0: as if absent */
        score[m] = p;
        is[m] = d->k[i] == pos;
        if (w) w[m] = d->w[i];
        if (from) from[m] = (uint32_t)i;
        m++;
    }
    if (roc_sort(a, score, is, w, m, out)) status = arena_status(a, err);
done:
    arena_free(&temp);
    return status;
}

/* "auc needs both classes; all 40 rows are 'no'" */
static tide_status ranked_one_class(const struct metric_data *d, const char *name,
                                    int32_t positive, struct metric_value *v)
{
    char text[80];
    int32_t other = -1;
    for (int64_t i = 0; i < d->n && other < 0; i++)
        if (d->k[i] != positive) other = d->k[i];
    (void)metric_class_name(d, other < 0 ? positive : other, text, sizeof text);
    for (int64_t i = 0; i < d->n; i++)
        if (other >= 0 && d->k[i] != other)
            return metric_undefined(v, "%s needs rows of the positive class", name);
    return metric_undefined(v, "%s needs both classes; all %lld rows are %s", name,
                            (long long)d->n, text);
}

static tide_status ranked_too_many(const struct metric_data *d, const char *name,
                                   struct metric_value *v)
{
    return metric_undefined(v, "%s sorts at most 4294967295 rows, and there are %lld",
                            name, (long long)d->n);
}

/* ---- binary values ---- */

struct ranking_boot {
    const struct roc *roc;
    ranking_fn fn;
    const struct ranking_params *params;
};
static int ranking_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct ranking_boot *b = arg;
    *out = b->fn(b->roc, draw->count, b->params);
    return !isnan(*out);
}

static tide_status ranking_boot(struct tide_ctx *ctx, const struct metric_data *d,
                                const struct roc *roc, ranking_fn fn,
                                const struct ranking_params *p, uint64_t seed,
                                struct metric_value *v, tide_error *err)
{
    struct ranking_boot b = {roc, fn, p};
    struct boot_job job = {.n = roc->n,
                           .replicates = d->bootstrap,
                           .seed = seed,
                           .value = ranking_replicate,
                           .arg = &b,
                           .is_biased = fn == ks_of};
    return boot_interval(ctx, &job, v, err);
}

/* DeLong's interval, kept in [0, 1]; a perfect order has no error to go by: Wilson on the
 * smaller class. */
static void auc_delong(struct arena *a, const struct roc *r, struct metric_value *v)
{
    double se = roc_area_error(a, r);
    if (isnan(se)) return;
    if (!(se > 0)) {
        double n = r->w_pos < r->w_neg ? r->w_pos : r->w_neg;
        interval_wilson(v->value * n, n, &v->lo, &v->hi);
        v->method = "wilson";
        return;
    }
    v->lo = v->value - INTERVAL_Z * se > 0 ? v->value - INTERVAL_Z * se : 0;
    v->hi = v->value + INTERVAL_Z * se < 1 ? v->value + INTERVAL_Z * se : 1;
    v->method = "delong";
}

/* Normal interval of average precision from each row's influence, the derivative by its weight
 * w_j: with n_g, p_g rows and precision at or above group g, q_g its positives and P all,
 * (1/P) (pos_j (p_j - AP) + sum over g from j's on of q_g (pos_j - p_g) / n_g). */
static tide_status ap_influence(struct arena *a, const struct roc *r,
                                struct metric_value *v, tide_error *err)
{
    double *tp = arena_array(a, r->n_groups, sizeof *tp);
    double *fp = arena_array(a, r->n_groups, sizeof *fp);
    double share = 0, loss = 0, sum = 0;
    int64_t g = r->n_groups;
    if (!tp || !fp) return arena_status(a, err);
    roc_points(r, tp, fp, NULL);
    for (int64_t i = r->n - 1; i >= 0; i--) { /* from the lowest score up */
        double w = r->w ? r->w[i] : 1, e, precision;
        if (r->last[i]) {
            double n, q;
            g--;
            n = tp[g] + fp[g];
            q = tp[g] - (g ? tp[g - 1] : 0);
            share += q / n;
            loss += q / n * (tp[g] / n);
        }
        precision = tp[g] / (tp[g] + fp[g]);
        e = r->pos[i] ? precision - v->value + share - loss : -loss;
        sum += w * w * e * e;
    }
    sum = INTERVAL_Z * sqrt(sum) / r->w_pos;
    v->lo = v->value - sum > 0 ? v->value - sum : 0;
    v->hi = v->value + sum < 1 ? v->value + sum : 1;
    v->method = "influence";
    return TIDE_OK;
}

static tide_status ranking_value(struct tide_ctx *ctx, const char *name, ranking_fn fn,
                                 const struct ranking_params *p,
                                 const struct metric_data *d, enum metric_interval ci,
                                 uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct arena arena;
    struct roc roc;
    double value;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA | METRIC_BINARY, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return ranked_too_many(d, name, v);
    arena_init(&arena, ctx);
    status = ranked_sort(&arena, d, d->positive, -1, NULL, &roc, err);
    if (status) goto done;
    value = fn(&roc, NULL, p);
    if (isnan(value)) {
        status = ranked_one_class(d, name, d->positive, v);
        goto done;
    }
    metric_set(v, value);
    if (ci == METRIC_CI_NONE) goto done;
    if (fn == auc_of && p->interval == AUC_CLOSED)
        auc_delong(&arena, &roc, v);
    else if (fn == ap_of && roc.n > AP_BOOT_ROWS && !d->bootstrap)
        status = ap_influence(&arena, &roc, v, err);
    else
        status = ranking_boot(ctx, d, &roc, fn, p, seed, v, err);
done:
    if (!status && arena.failed) status = arena_status(&arena, err);
    arena_free(&arena);
    return status;
}

/* ---- several classes ---- */

/* The mean of areas over classes or ordered pairs, and each row's influence on it: the
 * derivative by the row's weight, whose squares add up to the variance (as in DeLong's). */
struct auc_mean {
    double sum, weight;
    double *influence; /* [n] */
    uint32_t *from;    /* [n] scratch */
    double *place;     /* [n] scratch */
};

static tide_status auc_add(struct arena *a, const struct metric_data *d,
                           const struct ranking_params *p, int32_t k, int32_t against,
                           struct auc_mean *m, tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    struct roc r;
    double area, share;
    tide_status status = ranked_sort(a, d, k, against, m->from, &r, err);
    if (status) return status;
    area = p->max_fpr < 1 ? auc_partial_of(&r, NULL, p) : roc_area(&r);
    share = p->average == AUC_MACRO ? 1 : against >= 0 ? r.w_pos + r.w_neg : r.w_pos;
    if (!isnan(area)) {
        m->sum += area * share;
        m->weight += share;
        if (roc_places(a, &r, m->place)) return arena_status(a, err);
        for (int64_t i = 0; i < r.n; i++)
            m->influence[m->from[r.row[i]]] +=
                share * (m->place[i] - area) / (r.pos[i] ? r.w_pos : r.w_neg);
    }
    arena_reset(a, mark);
    return TIDE_OK;
}

static tide_status auc_several(struct tide_ctx *ctx, const struct ranking_params *p,
                               const struct metric_data *d, enum metric_interval ci,
                               struct metric_value *v, tide_error *err)
{
    struct arena arena;
    struct auc_mean m = {0};
    tide_status status = TIDE_OK;
    double se = 0;
    arena_init(&arena, ctx);
    m.influence = arena_array(&arena, d->n, sizeof *m.influence);
    m.place = arena_array(&arena, d->n, sizeof *m.place);
    m.from = arena_array(&arena, d->n, sizeof *m.from);
    if (arena.failed) status = arena_status(&arena, err);
    for (int64_t i = 0; !status && i < d->n; i++) m.influence[i] = 0;
    for (int32_t k = 0; !status && k < d->n_classes; k++) {
        if (ctx_cancelled(ctx))
            status = err_cancelled(err);
        else if (p->multi == AUC_OVR)
            status = auc_add(&arena, d, p, k, -1, &m, err);
        for (int32_t j = 0; p->multi == AUC_OVO && !status && j < d->n_classes; j++)
            if (j != k) status = auc_add(&arena, d, p, k, j, &m, err);
    }
    if (status) goto done;
    if (!(m.weight > 0)) {
        status = ranked_one_class(d, "auc", d->k[0], v);
        goto done;
    }
    metric_set(v, m.sum / m.weight);
    if (ci == METRIC_CI_NONE || p->max_fpr < 1) goto done;
    for (int64_t i = 0; i < d->n; i++) {
        double e = (d->w ? d->w[i] : 1) * m.influence[i] / m.weight;
        se += e * e;
    }
    se = sqrt(se);
    if (!(se > 0)) goto done;
    v->lo = v->value - INTERVAL_Z * se > 0 ? v->value - INTERVAL_Z * se : 0;
    v->hi = v->value + INTERVAL_Z * se < 1 ? v->value + INTERVAL_Z * se : 1;
    v->method = "influence";
done:
    arena_free(&arena);
    return status;
}

static tide_status auc_value(struct tide_ctx *ctx, const void *params,
                             const struct metric_data *d, enum metric_interval ci,
                             uint64_t seed, struct metric_value *v, tide_error *err)
{
    const struct ranking_params *p = params ? params : &ranking_defaults;
    int stop;
    tide_status status;
    if (d->n_classes <= 2)
        return ranking_value(ctx, "auc", p->max_fpr < 1 ? auc_partial_of : auc_of, p, d,
                             ci, seed, v, err);
    status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return ranked_too_many(d, "auc", v);
    return auc_several(ctx, p, d, ci, v, err);
}

#define RANKING_VALUE(name)                                                            \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        return ranking_value(ctx, #name, name##_of,                                    \
                             params ? params : &ranking_defaults, d, ci, seed, v,      \
                             err);                                                     \
    }
RANKING_VALUE(ap)
RANKING_VALUE(ks)
RANKING_VALUE(gain)
RANKING_VALUE(lift)

#define ORDER_METRIC(name_, title_, camel_)                                            \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4 Q9",                 \
    .tasks = TIDE_CLASSIFY, .traits = TIDE_TAKES_WEIGHTS

const struct tide_metric tide_metric_auc = {
    ORDER_METRIC("auc", "Area under the ROC curve", "AUC"),
    .paper = "Hanley and McNeil 1982; DeLong et al. 1988; Hand and Till 2001",
    .params = TIDE_TABLE(auc_rows, ranking_params),
    .needs = METRIC_PROBA | METRIC_ORDER,
    .worst = 0,
    .chance = 0.5,
    .best = 1,
    .higher_is_better = 1,
    .value = auc_value,
};
const struct tide_metric tide_metric_ap = {
    ORDER_METRIC("ap", "Average precision", "AveragePrecision"),
    .needs = METRIC_PROBA | METRIC_ORDER | METRIC_BINARY,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = ap_value,
};
const struct tide_metric tide_metric_ks = {
    ORDER_METRIC("ks", "Kolmogorov-Smirnov distance", "KS"),
    .needs = METRIC_PROBA | METRIC_ORDER | METRIC_BINARY,
    .worst = 0,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = ks_value,
};
const struct tide_metric tide_metric_lift = {
    ORDER_METRIC("lift", "Lift of the top scores", "Lift"),
    .params = TIDE_TABLE(at_rows, ranking_params),
    .needs = METRIC_PROBA | METRIC_ORDER | METRIC_BINARY,
    .worst = 0,
    .chance = 1,
    .best = NAN,
    .higher_is_better = 1,
    .value = lift_value,
};
const struct tide_metric tide_metric_gain = {
    ORDER_METRIC("gain", "Gain of the top scores", "Gain"),
    .params = TIDE_TABLE(at_rows, ranking_params),
    .needs = METRIC_PROBA | METRIC_ORDER | METRIC_BINARY,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = gain_value,
};
