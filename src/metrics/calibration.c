/* calibration.c - do probabilities mean what they say: expected calibration error, and the
 * parts of the Brier score
 *
 * Two classes: the probability of the positive class against how often it came. More: the
 * largest probability against how often its class was right. Bins of equal width are
 * [i / bins, (i + 1) / bins), the last one closed; of equal count, places in sorted order.
 * Murphy 1973: Brier = reliability - resolution + uncertainty, exactly so when all
 * probabilities of a bin are equal. Intervals by bootstrap in the bins of the data. */
#include <math.h>

#include "base/err.h"
#include "base/par.h"
#include "math/sort.h"
#include "metrics/interval.h"

enum calibration_equal { EQUAL_WIDTH, EQUAL_COUNT };
static const char *const calibration_equals[] = {"width", "count", NULL};
struct calibration_params {
    int32_t bins, equal;
};
static const struct calibration_params calibration_defaults = {10, EQUAL_WIDTH};
static const struct tide_param calibration_rows[] = {
    P_INT(calibration_params, bins, "10", P_RANGE(1, 1000), .help = "number of bins",
          .alias = "n_bins"),
    P_ENUM(calibration_params, equal, "width", calibration_equals,
           .help = "what the bins have in common", .alias = "strategy"),
};

/* Sums of one bin. */
struct bin {
    double w, p, hit;
};
typedef double (*calibration_fn)(const struct bin *bin, int n, double w, double hit);
struct calibration {
    const struct metric_data *d;
    calibration_fn fn;
    int n_bins;
    double *p;        /* [n] */
    uint8_t *hit;     /* [n] */
    uint16_t *bin;    /* [n] */
    struct bin *sums; /* [workers][n_bins] */
};

static double ece_of(const struct bin *bin, int n, double w, double hit)
{
    double sum = 0;
    (void)hit;
    for (int b = 0; b < n; b++) sum += fabs(bin[b].hit - bin[b].p);
    return sum / w;
}
static double reliability_of(const struct bin *bin, int n, double w, double hit)
{
    double sum = 0;
    (void)hit;
    for (int b = 0; b < n; b++) {
        double e = bin[b].w > 0 ? (bin[b].p - bin[b].hit) / bin[b].w : 0;
        sum += bin[b].w * e * e;
    }
    return sum / w;
}
static double resolution_of(const struct bin *bin, int n, double w, double hit)
{
    double sum = 0;
    for (int b = 0; b < n; b++) {
        double e = bin[b].w > 0 ? bin[b].hit / bin[b].w - hit / w : 0;
        sum += bin[b].w * e * e;
    }
    return sum / w;
}
static double uncertainty_of(const struct bin *bin, int n, double w, double hit)
{
    (void)bin;
    (void)n;
    return hit / w * (1 - hit / w);
}

/* What is claimed of row i, and whether it came true. */
static double calibration_claim(const struct metric_data *d, int64_t i, uint8_t *hit)
{
    const double *p = d->proba + i * d->n_classes;
    int32_t best = 0;
    if (d->n_classes <= 2) {
        *hit = d->k[i] == d->positive;
        return p[d->positive];
    }
    for (int32_t k = 1; k < d->n_classes; k++)
        if (p[k] > p[best]) best = k;
    *hit = d->k[i] == best;
    return p[best];
}

static tide_status calibration_bins(struct arena *a, struct calibration *c,
                                    const struct calibration_params *p, tide_error *err)
{
    const struct metric_data *d = c->d;
    uint32_t *idx;
    for (int64_t i = 0; i < d->n; i++) {
        double b;
        c->p[i] = calibration_claim(d, i, &c->hit[i]);
        if (!(c->p[i] >= -1e-6 && c->p[i] <= 1 + 1e-6))
            return err_set(err, TIDE_CODE_HANDLE_INVALID,
                           "a probability of row %lld is %r", (long long)(i + 1),
                           c->p[i]);
        b = c->p[i] * c->n_bins;
        c->bin[i] = (uint16_t)(b < 0 ? 0 : b >= c->n_bins ? c->n_bins - 1 : (int)b);
    }
    if (p->equal == EQUAL_WIDTH) return TIDE_OK;
    idx = arena_array(a, d->n, sizeof *idx);
    if (!idx || sort_index_f64(a, c->p, d->n, idx)) return arena_status(a, err);
    for (int64_t i = 0; i < d->n; i++) {
        /* ties stay together, in the bin of their first place */
        if (i > 0 && c->p[idx[i]] == c->p[idx[i - 1]])
            c->bin[idx[i]] = c->bin[idx[i - 1]];
        else
            c->bin[idx[i]] = (uint16_t)(i * c->n_bins / d->n);
    }
    return TIDE_OK;
}

static int calibration_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct calibration *c = arg;
    struct bin *sums = c->sums + (int64_t)draw->worker * c->n_bins;
    double w = 0, hit = 0;
    for (int b = 0; b < c->n_bins; b++) sums[b] = (struct bin){0};
    for (int64_t i = 0; i < c->d->n; i++) {
        double wi = (c->d->w ? c->d->w[i] : 1) * (draw->count ? draw->count[i] : 1);
        struct bin *b = &sums[c->bin[i]];
        b->w += wi;
        b->p += wi * c->p[i];
        b->hit += wi * c->hit[i];
    }
    for (int b = 0; b < c->n_bins; b++) {
        w += sums[b].w;
        hit += sums[b].hit;
    }
    if (!(w > 0)) return 0;
    *out = c->fn(sums, c->n_bins, w, hit);
    return 1;
}

static tide_status calibration_value(struct tide_ctx *ctx, calibration_fn fn,
                                     const void *params, const struct metric_data *d,
                                     enum metric_interval ci, uint64_t seed,
                                     struct metric_value *v, tide_error *err)
{
    const struct calibration_params *p = params ? params : &calibration_defaults;
    struct calibration c = {.d = d, .fn = fn, .n_bins = p->bins};
    struct boot_draw all = {.worker = 0};
    struct arena arena;
    double value;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return metric_undefined(v, "more than 4294967295 rows");
    arena_init(&arena, ctx);
    c.p = arena_array(&arena, d->n, sizeof *c.p);
    c.hit = arena_array(&arena, d->n, sizeof *c.hit);
    c.bin = arena_array(&arena, d->n, sizeof *c.bin);
    c.sums = arena_array(&arena, (int64_t)par_threads(ctx) * p->bins, sizeof *c.sums);
    status = arena_status(&arena, err);
    if (!status) status = calibration_bins(&arena, &c, p, err);
    if (status) goto done;
    (void)calibration_replicate(&c, &all, &value);
    metric_set(v, value);
    if (ci != METRIC_CI_NONE) {
        struct boot_job job = {.n = d->n,
                               .replicates = d->bootstrap,
                               .seed = seed,
                               .value = calibration_replicate,
                               .arg = &c,
                               .is_biased = fn != uncertainty_of};
        status = boot_interval(ctx, &job, v, err);
    }
done:
    arena_free(&arena);
    return status;
}

#define CALIBRATION_VALUE(name)                                                        \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        return calibration_value(ctx, name##_of, params, d, ci, seed, v, err);         \
    }
CALIBRATION_VALUE(ece)
CALIBRATION_VALUE(reliability)
CALIBRATION_VALUE(resolution)
CALIBRATION_VALUE(uncertainty)

#define CALIBRATION_METRIC(name_, title_, camel_)                                      \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4",                    \
    .tasks = TIDE_CLASSIFY, .traits = TIDE_TAKES_WEIGHTS,                              \
    .params = TIDE_TABLE(calibration_rows, calibration_params)

const struct tide_metric tide_metric_ece = {
    CALIBRATION_METRIC("ece", "Expected calibration error", "ECE"),
    .paper = "Naeini, Cooper and Hauskrecht 2015",
    .needs = METRIC_PROBA,
    .worst = 1,
    .chance = NAN,
    .best = 0,
    .value = ece_value,
};
const struct tide_metric tide_metric_brier_reliability = {
    CALIBRATION_METRIC("brier_reliability", "Brier score: reliability part",
                       "BrierReliability"),
    .paper = "Murphy 1973",
    .needs = METRIC_PROBA,
    .worst = 1,
    .chance = NAN,
    .best = 0,
    .value = reliability_value,
};
const struct tide_metric tide_metric_brier_resolution = {
    CALIBRATION_METRIC("brier_resolution", "Brier score: resolution part",
                       "BrierResolution"),
    .paper = "Murphy 1973",
    .needs = METRIC_PROBA,
    .worst = 0,
    .chance = 0,
    .best = NAN,
    .higher_is_better = 1,
    .value = resolution_value,
};
const struct tide_metric tide_metric_brier_uncertainty = {
    CALIBRATION_METRIC("brier_uncertainty", "Brier score: uncertainty part",
                       "BrierUncertainty"),
    .paper = "Murphy 1973",
    .needs = METRIC_PROBA,
    .worst = NAN,
    .chance = NAN,
    .best = NAN,
    .value = uncertainty_value,
};
