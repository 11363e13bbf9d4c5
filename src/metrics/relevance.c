/* relevance.c - how well scores rank lists of items by their relevance: NDCG, DCG, average
 * precision, reciprocal rank, recall and precision at k
 *
 * y is the relevance of each row (above 0: relevant), pred its score; rows of one group are a
 * list, without groups all rows are. The figure of several lists is their mean, each weighted by
 * the mean weight of its rows, and the interval a bootstrap over lists. What a list without a
 * relevant row counts in it: `empty`. LightGBM and XGBoost say 1 for NDCG and MAP, scikit-learn
 * 0; a reciprocal rank of such a list is 0. Alone it has no value. DCG follows
 * scikit-learn (linear gain, log2 discount, a group of ties gets the mean of its gains);
 * gain=exponential is 2^rel - 1, as LightGBM and XGBoost train with. ties=order ranks the later
 * of two equal scores first, as scikit-learn's ignore_ties does. Rows within a list have no
 * weights. */
#include <math.h>

#include "base/err.h"
#include "math/sort.h"
#include "metrics/interval.h"
#include "simd/vmath.h"

enum relevance_gain { GAIN_LINEAR, GAIN_EXPONENTIAL };
static const char *const relevance_gains[] = {"linear", "exponential", NULL};
enum relevance_ties { TIES_AVERAGE, TIES_ORDER };
static const char *const relevance_ties[] = {"average", "order", NULL};
enum relevance_empty { EMPTY_ONE, EMPTY_ZERO, EMPTY_SKIP };
static const char *const relevance_empties[] = {"one", "zero", "skip", NULL};
struct relevance_params {
    int32_t k, gain, ties, relevant, empty;
};

#define NDCG_PLACES 10 /* of each of several lists, unless asked for */

#define ROW_EMPTY(value)                                                               \
    P_ENUM(relevance_params, empty, value, relevance_empties,                          \
           .help = "what a list without relevant rows counts as, beside others")
#define ROW_K                                                                          \
    P_INT(relevance_params, k, "0", P_RANGE(0, 2147483647),                            \
          .help = "only the first k places count; 0: all")
#define ROW_RELEVANT                                                                   \
    P_INT(relevance_params, relevant, "0", P_RANGE(0, 2147483647),                     \
          .help = "relevant items there are; 0: those of the list")
#define ROW_GAIN                                                                       \
    P_ENUM(relevance_params, gain, "linear", relevance_gains,                          \
           .help = "what a relevance is worth: itself or 2^rel - 1")
#define ROW_TIES                                                                       \
    P_ENUM(relevance_params, ties, "average", relevance_ties,                          \
           .help = "equal scores share their places, or the later row is first")
static const struct tide_param dcg_rows[] = {ROW_K, ROW_GAIN, ROW_TIES};
static const struct tide_param ndcg_rows[] = {
    P_INT(relevance_params, k, "0", P_RANGE(0, 2147483647),
          .help = "places that count; 0: all of one list, the first 10 of several"),
    ROW_GAIN, ROW_TIES, ROW_EMPTY("one")};
static const struct tide_param map_rows[] = {ROW_K, ROW_RELEVANT, ROW_EMPTY("one")};
static const struct tide_param mrr_rows[] = {ROW_K, ROW_EMPTY("zero")};
static const struct tide_param recall_rows[] = {ROW_K, ROW_RELEVANT, ROW_EMPTY("skip")};
static const struct tide_param k_rows[] = {ROW_K};

/* A list in order of its scores, highest first. */
struct listed {
    int64_t n, k; /* k: places that count */
    const double *y, *score;
    const uint32_t *idx;
    double relevant; /* items above 0 */
};

static tide_status relevance_sort(struct arena *a, const double *y, const double *score,
                                  int64_t n, const struct relevance_params *p,
                                  struct listed *out, tide_error *err)
{
    uint32_t *idx = arena_array(a, n, sizeof *idx);
    *out = (struct listed){.n = n, .y = y, .score = score, .idx = idx};
    if (!idx || sort_index_f64(a, score, n, idx)) return arena_status(a, err);
    for (int64_t i = 0; i < n / 2; i++) {
        uint32_t row = idx[i];
        idx[i] = idx[n - 1 - i];
        idx[n - 1 - i] = row;
    }
    out->k = p->k > 0 && p->k < n ? p->k : n;
    for (int64_t i = 0; i < n; i++) out->relevant += y[i] > 0;
    if (p->relevant > 0) out->relevant = p->relevant;
    return TIDE_OK;
}

static double relevance_gain(const struct relevance_params *p, double y)
{
    return p->gain == GAIN_LINEAR ? y : vm_pow(2, y) - 1;
}

static double relevance_discount(int64_t place, int64_t k)
{
    return place < k ? 1 / vm_log2((double)place + 2) : 0;
}

static double relevance_dcg(const struct listed *l, const struct relevance_params *p)
{
    double sum = 0;
    int64_t i = 0;
    while (i < l->k) {
        double gain = 0, discount = 0;
        int64_t j = i;
        do {
            gain += relevance_gain(p, l->y[l->idx[j]]);
            discount += relevance_discount(j, l->k);
            j++;
        } while (p->ties == TIES_AVERAGE && j < l->n &&
                 l->score[l->idx[j]] == l->score[l->idx[i]]);
        sum += gain / (double)(j - i) * discount;
        i = j;
    }
    return sum;
}

/* DCG of the rows in order of their relevance. */
static tide_status relevance_best(struct arena *a, const double *y, int64_t n,
                                  const struct relevance_params *p, double *out,
                                  tide_error *err)
{
    struct relevance_params order = *p;
    struct listed ideal;
    tide_status status = relevance_sort(a, y, y, n, p, &ideal, err);
    order.ties = TIES_ORDER;
    if (!status) *out = relevance_dcg(&ideal, &order);
    return status;
}

enum relevance_what {
    LIST_DCG,
    LIST_NDCG,
    LIST_MAP,
    LIST_MRR,
    LIST_RECALL,
    LIST_PRECISION
};

/* Average precision at k, over min(relevant, k). */
static double relevance_map(const struct listed *l)
{
    double hits = 0, sum = 0;
    for (int64_t i = 0; i < l->k; i++) {
        if (!(l->y[l->idx[i]] > 0)) continue;
        hits += 1;
        sum += hits / (double)(i + 1);
    }
    return sum / (l->relevant < (double)l->k ? l->relevant : (double)l->k);
}

static double relevance_mrr(const struct listed *l)
{
    for (int64_t i = 0; i < l->k; i++)
        if (l->y[l->idx[i]] > 0) return 1 / (double)(i + 1);
    return 0;
}

static double relevance_hits(const struct listed *l)
{
    double hits = 0;
    for (int64_t i = 0; i < l->k; i++) hits += l->y[l->idx[i]] > 0;
    return hits;
}

/* The figure of one list; NaN: no row is relevant, and it has none. */
static tide_status relevance_list(struct arena *a, enum relevance_what what,
                                  const struct relevance_params *p, const double *y,
                                  const double *score, int64_t n, double *out,
                                  tide_error *err)
{
    struct listed l;
    double best = 0;
    tide_status status = relevance_sort(a, y, score, n, p, &l, err);
    if (!status && what == LIST_NDCG) status = relevance_best(a, y, n, p, &best, err);
    *out = NAN;
    if (status) return status;
    if (what != LIST_DCG && what != LIST_PRECISION && !(l.relevant > 0)) return TIDE_OK;
    switch (what) {
    case LIST_DCG:
        *out = relevance_dcg(&l, p);
        break;
    case LIST_NDCG:
        *out = relevance_dcg(&l, p) / best;
        break;
    case LIST_MAP:
        *out = relevance_map(&l);
        break;
    case LIST_MRR:
        *out = relevance_mrr(&l);
        break;
    case LIST_RECALL:
        *out = relevance_hits(&l) / l.relevant;
        break;
    case LIST_PRECISION:
        *out = relevance_hits(&l) / (double)l.k;
        break;
    }
    return TIDE_OK;
}

/* ---- several lists ---- */

struct lists {
    int64_t n;
    double *value, *w; /* [n], in the order of the groups' keys */
};

/* Each group's figure; lists that are left out have weight 0. */
static tide_status lists_value(struct arena *a, enum relevance_what what,
                               const struct relevance_params *p,
                               const struct metric_data *d, struct lists *out,
                               tide_error *err)
{
    uint64_t *key = arena_array(a, d->n, sizeof *key);
    uint32_t *order = arena_array(a, d->n, sizeof *order);
    double *y = arena_array(a, d->n, sizeof *y), *s = arena_array(a, d->n, sizeof *s);
    *out = (struct lists){.value = arena_array(a, d->n, sizeof *out->value),
                          .w = arena_array(a, d->n, sizeof *out->w)};
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int64_t i = 0; i < d->n; i++) key[i] = (uint64_t)d->group[i];
    if (sort_index_u64(a, key, d->n, order)) return arena_status(a, err);
    for (int64_t i = 0, end; i < d->n && !status; i = end) {
        struct arena_mark mark = arena_mark(a);
        double w = 0;
        for (end = i; end < d->n && key[order[end]] == key[order[i]]; end++) {
            y[end - i] = d->y[order[end]];
            s[end - i] = d->pred[order[end]];
            w += d->w ? d->w[order[end]] : 1;
        }
        double value;
        status = relevance_list(a, what, p, y, s, end - i, &value, err);
        int is_left_out = isnan(value) && p->empty == EMPTY_SKIP;
        out->w[out->n] = is_left_out ? 0 : w / (double)(end - i);
        out->value[out->n++] = isnan(value) ? p->empty == EMPTY_ONE : value;
        arena_reset(a, mark);
    }
    return status;
}

/* Mean of lists drawn count times (NULL: once); NaN when none is drawn. */
static double lists_mean(const struct lists *l, const uint8_t *count)
{
    double sum = 0, w = 0;
    for (int64_t k = 0; k < l->n; k++) {
        double times = count ? l->w[k] * count[k] : l->w[k];
        sum += times * l->value[k];
        w += times;
    }
    return w > 0 ? sum / w : (double)NAN;
}

static int lists_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    *out = lists_mean(arg, draw->count);
    return !isnan(*out);
}

static tide_status relevance_lists(struct tide_ctx *ctx, enum relevance_what what,
                                   const struct relevance_params *p,
                                   const struct metric_data *d, enum metric_interval ci,
                                   uint64_t seed, struct metric_value *v,
                                   tide_error *err)
{
    struct arena arena;
    struct lists lists = {0};
    struct relevance_params of = *p;
    if (what == LIST_NDCG && of.k == 0) of.k = NDCG_PLACES;
    arena_init(&arena, ctx);
    tide_status status = lists_value(&arena, what, &of, d, &lists, err);
    double mean = status ? 0 : lists_mean(&lists, NULL);
    if (!status && isnan(mean))
        (void)metric_undefined(v, "no row is relevant in any of %lld lists",
                               (long long)lists.n);
    else if (!status)
        metric_set(v, mean);
    if (!status && v->defined && ci != METRIC_CI_NONE && lists.n > 1) {
        struct boot_job job = {.n = lists.n,
                               .replicates = d->bootstrap,
                               .seed = seed,
                               .value = lists_replicate,
                               .arg = &lists};
        status = boot_interval(ctx, &job, v, err);
    }
    arena_free(&arena);
    return status;
}

static tide_status relevance_value(struct tide_ctx *ctx, enum relevance_what what,
                                   const struct relevance_params *p,
                                   const struct metric_data *d, enum metric_interval ci,
                                   uint64_t seed, struct metric_value *v,
                                   tide_error *err)
{
    struct arena arena;
    double value = NAN;
    int stop;
    tide_status status = metric_begin(d, METRIC_VALUES, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return metric_undefined(v, "more than 4294967295 rows");
    if (d->group) return relevance_lists(ctx, what, p, d, ci, seed, v, err);
    arena_init(&arena, ctx);
    status = relevance_list(&arena, what, p, d->y, d->pred, d->n, &value, err);
    if (!status && isnan(value))
        (void)metric_undefined(v, "no row is relevant: all %lld are 0 or below",
                               (long long)d->n);
    else if (!status)
        metric_set(v, value);
    arena_free(&arena);
    return status;
}

/* `without`: the parameters when none are given. */
#define RELEVANCE_VALUE(name, what, without)                                           \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        static const struct relevance_params defaults = {.empty = (without)};          \
        return relevance_value(ctx, what, params ? params : &defaults, d, ci, seed, v, \
                               err);                                                   \
    }
RELEVANCE_VALUE(dcg, LIST_DCG, EMPTY_ZERO)
RELEVANCE_VALUE(ndcg, LIST_NDCG, EMPTY_ONE)
RELEVANCE_VALUE(map, LIST_MAP, EMPTY_ONE)
RELEVANCE_VALUE(mrr, LIST_MRR, EMPTY_ZERO)
RELEVANCE_VALUE(recall_k, LIST_RECALL, EMPTY_SKIP)
RELEVANCE_VALUE(precision_k, LIST_PRECISION, EMPTY_ZERO)

#define LIST_METRIC(name_, title_, camel_)                                             \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4",                    \
    .tasks = TIDE_REGRESS, .needs = METRIC_VALUES | METRIC_LIST, .higher_is_better = 1

const struct tide_metric tide_metric_dcg = {
    LIST_METRIC("dcg", "Discounted cumulative gain", "DCG"),
    .paper = "Jarvelin and Kekalainen 2002",
    .params = TIDE_TABLE(dcg_rows, relevance_params),
    .worst = NAN,
    .chance = NAN,
    .best = NAN,
    .value = dcg_value,
};
const struct tide_metric tide_metric_ndcg = {
    LIST_METRIC("ndcg", "Normalised DCG", "NDCG"),
    .paper = "Jarvelin and Kekalainen 2002; McSherry and Najork 2008",
    .params = TIDE_TABLE(ndcg_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = ndcg_value,
};
const struct tide_metric tide_metric_map = {
    LIST_METRIC("map", "Average precision of a list", "MAP"),
    .params = TIDE_TABLE(map_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = map_value,
};
const struct tide_metric tide_metric_mrr = {
    LIST_METRIC("mrr", "Reciprocal rank", "MRR"),
    .params = TIDE_TABLE(mrr_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = mrr_value,
};
const struct tide_metric tide_metric_recall_k = {
    LIST_METRIC("recall_k", "Recall in the first k", "RecallAtK"),
    .params = TIDE_TABLE(recall_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = recall_k_value,
};
const struct tide_metric tide_metric_precision_k = {
    LIST_METRIC("precision_k", "Precision in the first k", "PrecisionAtK"),
    .params = TIDE_TABLE(k_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = precision_k_value,
};
