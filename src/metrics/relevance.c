/* relevance.c - how well scores rank one list of items by their relevance: NDCG, DCG, average
 * precision, reciprocal rank, recall and precision at k
 *
 * y is the relevance of each row (above 0: relevant), pred its score; one list. DCG follows
 * scikit-learn (linear gain, log2 discount, a group of ties gets the mean of its gains);
 * gain=exponential is 2^rel - 1, as LightGBM and XGBoost train with. ties=order ranks the later
 * of two equal scores first, as scikit-learn's ignore_ties does. Weights do not apply. */
#include <math.h>

#include "base/err.h"
#include "math/sort.h"
#include "metrics/interval.h"
#include "simd/vmath.h"

enum relevance_gain { GAIN_LINEAR, GAIN_EXPONENTIAL };
static const char *const relevance_gains[] = {"linear", "exponential", NULL};
enum relevance_ties { TIES_AVERAGE, TIES_ORDER };
static const char *const relevance_ties[] = {"average", "order", NULL};
struct relevance_params {
    int32_t k, gain, ties, relevant;
};
static const struct relevance_params relevance_defaults = {0};

#define ROW_K                                                                          \
    P_INT(relevance_params, k, "0", P_RANGE(0, 2147483647),                            \
          .help = "only the first k places count; 0: all")
#define ROW_RELEVANT                                                                   \
    P_INT(relevance_params, relevant, "0", P_RANGE(0, 2147483647),                     \
          .help = "relevant items there are; 0: those of the list")
static const struct tide_param dcg_rows[] = {
    ROW_K,
    P_ENUM(relevance_params, gain, "linear", relevance_gains,
           .help = "what a relevance is worth: itself or 2^rel - 1"),
    P_ENUM(relevance_params, ties, "average", relevance_ties,
           .help = "equal scores share their places, or the later row is first"),
};
static const struct tide_param map_rows[] = {ROW_K, ROW_RELEVANT};
static const struct tide_param k_rows[] = {ROW_K};

/* A list in order of its scores, highest first. */
struct listed {
    int64_t n, k; /* k: places that count */
    const double *y, *score;
    const uint32_t *idx;
    double relevant; /* items above 0 */
};

static tide_status relevance_sort(struct arena *a, const struct metric_data *d,
                                  const double *score, const struct relevance_params *p,
                                  struct listed *out, tide_error *err)
{
    uint32_t *idx = arena_array(a, d->n, sizeof *idx);
    *out = (struct listed){.n = d->n, .y = d->y, .score = score, .idx = idx};
    if (!idx || sort_index_f64(a, score, d->n, idx)) return arena_status(a, err);
    for (int64_t i = 0; i < d->n / 2; i++) {
        uint32_t row = idx[i];
        idx[i] = idx[d->n - 1 - i];
        idx[d->n - 1 - i] = row;
    }
    out->k = p->k > 0 && p->k < d->n ? p->k : d->n;
    for (int64_t i = 0; i < d->n; i++) out->relevant += d->y[i] > 0;
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

static tide_status relevance_best(struct arena *a, const struct metric_data *d,
                                  const struct relevance_params *p, double *out,
                                  tide_error *err)
{
    struct relevance_params order = *p;
    struct listed ideal;
    tide_status status = relevance_sort(a, d, d->y, p, &ideal, err);
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

static tide_status relevance_value(struct tide_ctx *ctx, enum relevance_what what,
                                   const void *params, const struct metric_data *d,
                                   struct metric_value *v, tide_error *err)
{
    const struct relevance_params *p = params ? params : &relevance_defaults;
    struct arena arena;
    struct listed l;
    double best = 0;
    int stop;
    tide_status status = metric_begin(d, METRIC_VALUES, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return metric_undefined(v, "more than 4294967295 rows");
    arena_init(&arena, ctx);
    status = relevance_sort(&arena, d, d->pred, p, &l, err);
    if (!status && what == LIST_NDCG) status = relevance_best(&arena, d, p, &best, err);
    if (status) goto done;
    if (what != LIST_DCG && what != LIST_PRECISION && !(l.relevant > 0)) {
        (void)metric_undefined(v, "no row is relevant: all %lld are 0 or below",
                               (long long)d->n);
        goto done;
    }
    switch (what) {
    case LIST_DCG:
        metric_set(v, relevance_dcg(&l, p));
        break;
    case LIST_NDCG:
        metric_set(v, relevance_dcg(&l, p) / best);
        break;
    case LIST_MAP:
        metric_set(v, relevance_map(&l));
        break;
    case LIST_MRR:
        metric_set(v, relevance_mrr(&l));
        break;
    case LIST_RECALL:
        metric_set(v, relevance_hits(&l) / l.relevant);
        break;
    case LIST_PRECISION:
        metric_set(v, relevance_hits(&l) / (double)l.k);
        break;
    }
done:
    arena_free(&arena);
    return status;
}

#define RELEVANCE_VALUE(name, what)                                                    \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        (void)ci;                                                                      \
        (void)seed;                                                                    \
        return relevance_value(ctx, what, params, d, v, err);                          \
    }
RELEVANCE_VALUE(dcg, LIST_DCG)
RELEVANCE_VALUE(ndcg, LIST_NDCG)
RELEVANCE_VALUE(map, LIST_MAP)
RELEVANCE_VALUE(mrr, LIST_MRR)
RELEVANCE_VALUE(recall_k, LIST_RECALL)
RELEVANCE_VALUE(precision_k, LIST_PRECISION)

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
    .params = TIDE_TABLE(dcg_rows, relevance_params),
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
    .params = TIDE_TABLE(k_rows, relevance_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .value = mrr_value,
};
const struct tide_metric tide_metric_recall_k = {
    LIST_METRIC("recall_k", "Recall in the first k", "RecallAtK"),
    .params = TIDE_TABLE(map_rows, relevance_params),
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
