/* interval.c - closed-form intervals, block sums of losses, the Poisson bootstrap
 *
 * The bootstrap draws for each row a Poisson(1) count (Chamandy et al. 2012) instead of n row
 * numbers: counts stand in row order, so metrics of ranks are sorted once and each replicate
 * is one pass. Draws are keyed by (seed, "boot"), row and replicate. */
#include "metrics/interval.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "math/sort.h"
#include "math/special.h"
#include "simd/vmath.h"

/* ---- closed forms ---- */

void interval_wilson(double hits, double n, double *lo, double *hi)
{
    double z = INTERVAL_Z, p = hits / n, d = 1 + z * z / n;
    double c = (p + z * z / (2 * n)) / d;
    double h = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d;
    *lo = c - h > 0 && p > 0 ? c - h : 0;
    *hi = c + h < 1 && p < 1 ? c + h : 1;
}

void interval_clopper_pearson(int64_t hits, int64_t n, double *lo, double *hi)
{
    double k = (double)hits, m = (double)n;
    /* closed forms at the ends: (0.025)^(1/n) by its logarithm */
    double end = vm_exp(vm_log(0.025) / m);
    *lo = hits == 0 ? 0 : hits == n ? end : special_beta_quantile(k, m - k + 1, 0.025);
    *hi = hits == n   ? 1
          : hits == 0 ? 1 - end
                      : special_beta_quantile(k + 1, m - k, 0.975);
}

double interval_hanley_mcneil(double auc, double n_pos, double n_neg)
{
    double q1 = auc / (2 - auc), q2 = 2 * auc * auc / (1 + auc), square = auc * auc;
    double v =
        auc * (1 - auc) + (n_pos - 1) * (q1 - square) + (n_neg - 1) * (q2 - square);
    return sqrt((v > 0 ? v : 0) / n_pos / n_neg);
}

/* ---- answers ---- */

void metric_set(struct metric_value *v, double value)
{
    *v = (struct metric_value){.defined = 1, .value = value, .lo = NAN, .hi = NAN};
}

tide_status metric_undefined(struct metric_value *v, const char *fmt, ...)
{
    va_list ap;
    *v = (struct metric_value){.value = NAN, .lo = NAN, .hi = NAN};
    va_start(ap, fmt);
    (void)str_formatv(v->reason, sizeof v->reason, fmt, ap);
    va_end(ap);
    return TIDE_OK;
}

const char *metric_class_name(const struct metric_data *d, int32_t k, char *out,
                              size_t size)
{
    if (k >= d->n_classes) {
        (void)str_format(out, size, "of a class that the model does not know");
    } else if (d->labels) {
        char text[48];
        const char *name = d->labels[k];
        (void)str_format(out, size, "'%s'",
                         err_quote(text, sizeof text, name, strlen(name), 40));
    } else {
        (void)str_format(out, size, "class %d", (int)k);
    }
    return out;
}

double metric_weight_sum(const struct metric_data *d)
{
    double s = 0;
    if (!d->w) return (double)d->n;
    for (int64_t i = 0; i < d->n; i++) s += d->w[i];
    return s;
}

static tide_status metric_check_weights(const struct metric_data *d, tide_error *err)
{
    double s = 0;
    for (int64_t i = 0; d->w && i < d->n; i++) {
        if (!(d->w[i] >= 0) || isinf(d->w[i]))
            return err_set(err, TIDE_CODE_DATA_WEIGHT,
                           "weight of row %lld is \"%r\", not a finite number from 0",
                           (long long)(i + 1), d->w[i]);
        s += d->w[i];
    }
    if (d->w && d->n > 0 && !(s > 0 && isfinite(s)))
        return err_set(err, TIDE_CODE_DATA_WEIGHT, "weights add up to %r", s);
    return TIDE_OK;
}

tide_status metric_begin(const struct metric_data *d, uint32_t needs,
                         struct metric_value *v, int *stop, tide_error *err)
{
    tide_status status;
    *v = (struct metric_value){.value = NAN, .lo = NAN, .hi = NAN};
    *stop = 1;
    if (d->n <= 0) return metric_undefined(v, "0 rows");
    status = metric_check_weights(d, err);
    if (status) return status;
    if ((needs & METRIC_VALUES) && (!d->y || !d->pred))
        return metric_undefined(v, "needs numbers and their predictions");
    if (!(needs & METRIC_VALUES) && (!d->k || d->n_classes < 1))
        return metric_undefined(v, "needs classes");
    if (!(needs & METRIC_VALUES) && (d->positive < 0 || d->positive >= d->n_classes))
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "positive class %d is none of %d",
                       (int)d->positive, (int)d->n_classes);
    if ((needs & METRIC_LABELS) && !d->label)
        return metric_undefined(v, "needs predicted classes");
    if ((needs & METRIC_PROBA) && !d->proba)
        return metric_undefined(v, "needs probabilities, and the model gives none");
    if ((needs & METRIC_BINARY) && d->n_classes > 2)
        return metric_undefined(v, "is for 2 classes, and there are %d",
                                (int)d->n_classes);
    if ((needs & METRIC_QUANTILES) && !d->quantiles)
        return metric_undefined(v,
                                "needs several quantiles, and the model predicts one "
                                "value a row");
    *stop = 0;
    return TIDE_OK;
}

/* ---- weighted means ---- */

#define LOSS_CHUNK 1024

struct loss_part {
    double w, w2, s, mean, m2; /* sums of w, w^2, w l; mean; sum of w (l - mean)^2 */
};
struct loss_run {
    const struct loss_job *job;
    struct loss_part *part;
};

/* Chan's merge; s adds plainly so that exact sums stay exact. */
static void loss_merge(struct loss_part *to, const struct loss_part *from)
{
    double w = to->w + from->w, delta = from->mean - to->mean;
    if (!(from->w > 0)) return;
    if (!(to->w > 0)) {
        *to = *from;
        return;
    }
    to->m2 += from->m2 + delta * delta * (to->w / w) * from->w;
    to->mean += delta * (from->w / w);
    to->w = w;
    to->w2 += from->w2;
    to->s += from->s;
}

static void loss_chunk(const struct loss_job *job, int64_t i0, int64_t n,
                       struct loss_part *out)
{
    double x[LOSS_CHUNK];
    const double *w = job->d->w ? job->d->w + i0 : NULL;
    *out = (struct loss_part){0};
    job->fn(job, i0, n, x);
    for (int64_t i = 0; i < n; i++) {
        double wi = w ? w[i] : 1;
        out->w += wi;
        out->w2 += wi * wi;
        out->s += wi * x[i];
    }
    out->mean = out->w > 0 ? out->s / out->w : 0;
    for (int64_t i = 0; i < n; i++) {
        double e = x[i] - out->mean;
        out->m2 += (w ? w[i] : 1) * e * e;
    }
}

static void loss_block(void *arg, int64_t block, int worker)
{
    const struct loss_run *run = arg;
    int64_t i0 = block * PAR_BLOCK, i1 = i0 + PAR_BLOCK;
    struct loss_part sum = {0}, part;
    (void)worker;
    if (i1 > run->job->d->n) i1 = run->job->d->n;
    for (int64_t i = i0; i < i1; i += LOSS_CHUNK) {
        loss_chunk(run->job, i, i1 - i < LOSS_CHUNK ? i1 - i : LOSS_CHUNK, &part);
        loss_merge(&sum, &part);
    }
    run->part[block] = sum;
}

tide_status loss_mean(struct tide_ctx *ctx, const struct loss_job *job,
                      struct loss_mean *out, tide_error *err)
{
    int64_t n_blocks = (job->d->n + PAR_BLOCK - 1) / PAR_BLOCK;
    struct loss_part sum = {0};
    struct loss_run run = {job, mem_array((size_t)n_blocks, sizeof *run.part)};
    tide_status status;
    *out = (struct loss_mean){0};
    if (!run.part) return err_nomem(err, (size_t)n_blocks * sizeof *run.part);
    status = par_for(ctx, n_blocks, loss_block, &run, err);
    if (!status) {
        for (int64_t b = 0; b < n_blocks; b++) loss_merge(&sum, &run.part[b]);
        out->mean = sum.s / sum.w;
        out->var = sum.m2 / sum.w;
        out->n = sum.w * sum.w / sum.w2;
    }
    mem_free(run.part);
    return status;
}

void loss_interval(const struct loss_mean *m, enum loss_interval how,
                   enum metric_interval ci, double lo, double hi,
                   struct metric_value *v)
{
    metric_set(v, m->mean);
    if (ci == METRIC_CI_NONE) return;
    if (how == LOSS_WILSON) {
        interval_wilson(m->mean * m->n, m->n, &v->lo, &v->hi);
        v->method = "wilson";
    } else if (m->n > 1 && isfinite(m->var)) {
        double half = special_t_quantile(0.975, m->n - 1) * sqrt(m->var / (m->n - 1));
        v->lo = m->mean - half > lo ? m->mean - half : lo;
        v->hi = m->mean + half < hi ? m->mean + half : hi;
        v->method = "t";
    }
}

/* ---- bootstrap ---- */

struct boot_run {
    const struct boot_job *job;
    struct rng_key key;
    uint8_t *count; /* [workers][n] */
    double *value;  /* [replicates], NaN: none */
};

/* Poisson(1) from 16 random bits: how many of 65536 P(X <= k) lie at or below them. */
static inline uint8_t boot_count(uint16_t u)
{
    return (uint8_t)((u >= 24109) + (u >= 48219) + (u >= 60273) + (u >= 64291) +
                     (u >= 65296) + (u >= 65497) + (u >= 65531) + (u >= 65535));
}

#define BOOT_CHUNK 1024 /* rows drawn at once */

static void boot_counts(struct rng_key key, uint32_t replicate, int64_t n, uint8_t *out)
{
    uint16_t bits[BOOT_CHUNK] = {0};
    for (int64_t i0 = 0; i0 < n; i0 += BOOT_CHUNK) {
        uint8_t count[BOOT_CHUNK];
        int64_t m = n - i0 < BOOT_CHUNK ? n - i0 : BOOT_CHUNK;
        for (int64_t i = 0; i < m; i += 8) {
            uint64_t c = (uint64_t)(i0 + i) / 8;
            struct rng_word r =
                rng_philox(key, (uint32_t)c, (uint32_t)(c >> 32), replicate, 1);
            for (int j = 0; j < 4; j++) {
                bits[i + 2 * j] = (uint16_t)(r.w[j] & 0xFFFF);
                bits[i + 2 * j + 1] = (uint16_t)(r.w[j] >> 16);
            }
        }
        /* of the whole chunk, so that the loop has a fixed length; the end is not copied */
        for (int i = 0; i < BOOT_CHUNK; i++) count[i] = boot_count(bits[i]);
        memcpy(out + i0, count, (size_t)m);
    }
}

double boot_poisson(const struct boot_draw *draw, uint32_t cell, double mean)
{
    struct rng_word r = rng_philox(draw->key, cell, 0, draw->replicate, 2);
    if (mean < 30) {
        double u = rng_u01(r), p = vm_exp(-mean), sum = p;
        int k = 0;
        for (; u > sum && k < 200; sum += p) p *= mean / ++k;
        return k;
    } else {
        /* normal with the first Cornish-Fisher term: third moments agree */
        double z = rng_normal(r);
        double x = floor(mean + sqrt(mean) * z + (z * z - 1) / 6 + 0.5);
        return x > 0 ? x : 0;
    }
}

static void boot_one(void *arg, int64_t block, int worker)
{
    const struct boot_run *run = arg;
    struct boot_draw draw = {run->key, (uint32_t)block, NULL, worker};
    double value = NAN;
    if (run->job->n > 0) {
        uint8_t *count = run->count + worker * run->job->n;
        boot_counts(run->key, draw.replicate, run->job->n, count);
        draw.count = count;
    }
    if (!run->job->value(run->job->arg, &draw, &value)) value = NAN;
    run->value[block] = value;
}

/* So many that an interval costs at most BOOT_ROWS drawn rows, but never few. */
static int boot_replicates(int64_t n)
{
    int64_t fits = n > 0 ? BOOT_ROWS / n : BOOT_DEFAULT;
    return fits > BOOT_DEFAULT ? BOOT_DEFAULT
           : fits < BOOT_LEAST ? BOOT_LEAST
                               : (int)fits;
}

static void boot_shift(const double *value, int64_t n, struct metric_value *v)
{
    double bias = 0;
    for (int64_t b = 0; b < n; b++) bias += (value[b] - v->value) / (double)n;
    if (!(bias > 0)) return;
    v->lo = v->lo - bias > 0 ? v->lo - bias : 0;
    v->hi -= bias;
    v->method = "bootstrap less bias";
}

tide_status boot_interval(struct tide_ctx *ctx, const struct boot_job *job,
                          struct metric_value *v, tide_error *err)
{
    struct boot_run run = {.job = job, .key = rng_key(job->seed, "boot")};
    int n = job->replicates > 0 ? job->replicates : boot_replicates(job->n);
    int64_t kept = 0;
    struct arena arena;
    tide_status status;
    arena_init(&arena, ctx);
    run.value = arena_array(&arena, n, sizeof *run.value);
    run.count =
        job->n > 0 ? arena_array(&arena, job->n, (size_t)par_threads(ctx)) : NULL;
    status = arena_status(&arena, err);
    if (!status) status = par_for(ctx, n, boot_one, &run, err);
    for (int b = 0; !status && b < n; b++)
        if (!isnan(run.value[b])) run.value[kept++] = run.value[b];
    if (!status && kept >= 10 && kept * 10 >= (int64_t)n * 9) {
        if (sort_f64(&arena, run.value, kept)) {
            status = arena_status(&arena, err);
        } else {
            v->lo = quantile_sorted(run.value, kept, 0.025);
            v->hi = quantile_sorted(run.value, kept, 0.975);
            v->method = "bootstrap";
            if (job->is_biased) boot_shift(run.value, kept, v);
        }
    }
    arena_free(&arena);
    return status;
}

/* Acceleration of BCa: skewness of the jackknife values, over 6. */
static double boot_acceleration(const double *left_out, int64_t n)
{
    double mean = 0, s2 = 0, s3 = 0;
    for (int64_t i = 0; i < n; i++) mean += left_out[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        double d = mean - left_out[i];
        s2 += d * d;
        s3 += d * d * d;
    }
    return s2 > 0 ? s3 / (6 * s2 * sqrt(s2)) : 0;
}

tide_status boot_bca(struct arena *a, const double *replicate, int64_t n_replicates,
                     double estimate, const double *left_out, int64_t n, double *lo,
                     double *hi, tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    double *sorted =
        arena_array(a, n_replicates > 0 ? n_replicates : 1, sizeof *sorted);
    double below = 0, z0, accel = boot_acceleration(left_out, n);
    *lo = *hi = NAN;
    if (!sorted) return arena_status(a, err);
    if (n_replicates > 0)
        memcpy(sorted, replicate, (size_t)n_replicates * sizeof *sorted);
    if (sort_f64(a, sorted, n_replicates)) return arena_status(a, err);
    for (int64_t b = 0; b < n_replicates; b++)
        below += sorted[b] < estimate ? 1 : sorted[b] > estimate ? 0 : 0.5;
    below /= (double)n_replicates;
    if (below > 0 && below < 1) {
        double a_lo, a_hi;
        z0 = vm_norm_quantile(below);
        a_lo = z0 + (z0 - INTERVAL_Z) / (1 - accel * (z0 - INTERVAL_Z));
        a_hi = z0 + (z0 + INTERVAL_Z) / (1 - accel * (z0 + INTERVAL_Z));
        *lo = quantile_sorted(sorted, n_replicates, vm_norm_cdf(a_lo));
        *hi = quantile_sorted(sorted, n_replicates, vm_norm_cdf(a_hi));
    }
    arena_reset(a, mark);
    return TIDE_OK;
}
