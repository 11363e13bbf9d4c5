/* proba.c - metrics of probabilities row by row: log-loss, Brier score, top-k, and D2
 *
 * Log-loss clips to [clip, 1 - clip] (1e-15) and counts what it clipped; a true class unknown
 * to the model has probability 0. Brier is (p - y)^2 of the positive class with 2 classes, the
 * sum over classes with more (0 to 2), as scikit-learn has it. Rows of probabilities must add
 * up to 1 within 1e-6. All are weighted means, so their interval is Student's. */
#include <math.h>

#include "base/err.h"
#include "base/par.h"
#include "metrics/interval.h"
#include "simd/simd.h"
#include "simd/vmath.h"

struct proba_params {
    int32_t k;
    double clip;
};
static const struct proba_params proba_defaults = {.k = 2, .clip = 1e-15};
static const struct tide_param clip_rows[] = {
    P_REAL(proba_params, clip, "1e-15", P_RANGE(0, 0.1),
           .flags = TIDE_OPEN_LO | TIDE_EXPERT,
           .help = "probabilities nearer to 0 or 1 are moved to this distance",
           .alias = "eps"),
};
static const struct tide_param top_k_rows[] = {
    P_INT(proba_params, k, "2", P_RANGE(1, 1000000),
          .help = "classes that may be named"),
};

/* Rows are distributions. Errors: handle-invalid with the row. */
static tide_status proba_check(const struct metric_data *d, int sums, tide_error *err)
{
    for (int64_t i = 0; i < d->n; i++) {
        double sum = 0;
        for (int32_t k = 0; k < d->n_classes; k++) {
            double p = d->proba[i * d->n_classes + k];
            if (!(p >= -1e-6 && p <= 1 + 1e-6))
                return err_set(err, TIDE_CODE_HANDLE_INVALID,
                               "a probability of row %lld is %r", (long long)(i + 1),
                               p);
            sum += p;
        }
        if (sums && fabs(sum - 1) > 1e-6)
            return err_set(err, TIDE_CODE_HANDLE_INVALID,
                           "the probabilities of row %lld add up to %r, not to 1",
                           (long long)(i + 1), sum);
    }
    return TIDE_OK;
}

/* Probability given to the true class. */
static inline double proba_true(const struct metric_data *d, int64_t i)
{
    int32_t k = d->k[i];
    return k >= 0 && k < d->n_classes ? d->proba[i * d->n_classes + k] : 0;
}

static void rows_log_loss(const struct loss_job *job, int64_t i0, int64_t n,
                          double *out)
{
    const struct metric_data *d = job->d;
    const struct proba_params *p = job->params;
    for (int64_t i = 0; i < n; i++) {
        double q = proba_true(d, i0 + i);
        out[i] = q < p->clip ? p->clip : q > 1 - p->clip ? 1 - p->clip : q;
    }
    simd_get(NULL)->vlog(out, out, n);
    for (int64_t i = 0; i < n; i++) out[i] = -out[i];
}

static void rows_brier(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    for (int64_t i = 0; i < n; i++) {
        const double *p = d->proba + (i0 + i) * d->n_classes;
        double sum = 0;
        if (d->n_classes <= 2) {
            double e = p[d->positive] - (d->k[i0 + i] == d->positive);
            out[i] = e * e;
            continue;
        }
        for (int32_t k = 0; k < d->n_classes; k++) {
            double e = p[k] - (k == d->k[i0 + i]);
            sum += e * e;
        }
        out[i] = sum + (d->k[i0 + i] >= d->n_classes);
    }
}

/* Is the true class among the k most likely? Ties go to the lower class number, as in predict. */
static void rows_top_k(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    const struct proba_params *p = job->params;
    for (int64_t i = 0; i < n; i++) {
        const double *q = d->proba + (i0 + i) * d->n_classes;
        int32_t t = d->k[i0 + i], before = 0;
        if (t >= 0 && t < d->n_classes)
            for (int32_t k = 0; k < d->n_classes; k++)
                before += q[k] > q[t] || (q[k] == q[t] && k < t);
        out[i] = t >= 0 && t < d->n_classes && before < p->k;
    }
}

static int64_t proba_clipped(const struct metric_data *d, double clip)
{
    int64_t n = 0;
    for (int64_t i = 0; i < d->n; i++) {
        double q = proba_true(d, i);
        n += q < clip || q > 1 - clip;
    }
    return n;
}

static tide_status log_loss_value(struct tide_ctx *ctx, const void *params,
                                  const struct metric_data *d, enum metric_interval ci,
                                  uint64_t seed, struct metric_value *v,
                                  tide_error *err)
{
    const struct proba_params *p = params ? params : &proba_defaults;
    struct loss_job job = {d, p, rows_log_loss};
    struct loss_mean mean;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    (void)seed;
    if (stop) return status;
    status = proba_check(d, 1, err);
    if (!status) status = loss_mean(ctx, &job, &mean, err);
    if (status) return status;
    loss_interval(&mean, LOSS_T, ci, 0, INFINITY, v);
    v->clipped = proba_clipped(d, p->clip);
    return TIDE_OK;
}

static tide_status brier_value(struct tide_ctx *ctx, const void *params,
                               const struct metric_data *d, enum metric_interval ci,
                               uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct loss_job job = {d, params, rows_brier};
    struct loss_mean mean;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    (void)seed;
    if (stop) return status;
    status = proba_check(d, 1, err);
    if (!status) status = loss_mean(ctx, &job, &mean, err);
    if (!status) loss_interval(&mean, LOSS_T, ci, 0, d->n_classes <= 2 ? 1 : 2, v);
    return status;
}

static tide_status top_k_value(struct tide_ctx *ctx, const void *params,
                               const struct metric_data *d, enum metric_interval ci,
                               uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct loss_job job = {d, params ? params : &proba_defaults, rows_top_k};
    struct loss_mean mean;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    (void)seed;
    if (stop) return status;
    status = proba_check(d, 0, err); /* scores need not add up to 1 */
    if (!status) status = loss_mean(ctx, &job, &mean, err);
    if (!status) loss_interval(&mean, LOSS_WILSON, ci, 0, 1, v);
    return status;
}

/* ---- D2: one minus the loss over the loss of always giving the class shares ---- */

/* Sums that D2 is made of, for given counts of rows. */
struct d2_boot {
    const struct metric_data *d;
    const double *loss; /* [n] */
    int is_brier;
    double *share; /* [workers][K + 1] */
};

/* Loss of the class shares themselves: entropy, or 1 - sum of squares. */
static double shares_loss(const struct metric_data *d, const double *share,
                          int is_brier)
{
    double total = 0, out = 0;
    for (int32_t k = 0; k <= d->n_classes; k++) total += share[k];
    for (int32_t k = 0; k <= d->n_classes; k++) {
        double p = share[k] / total;
        if (p > 0) out += is_brier ? p * (1 - p) : -p * vm_log(p);
    }
    return is_brier && d->n_classes <= 2 ? out / 2 : out;
}

static int d2_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct d2_boot *b = arg;
    const struct metric_data *d = b->d;
    double *share = b->share + (int64_t)draw->worker * (d->n_classes + 1);
    double sum = 0, total = 0, base;
    for (int32_t k = 0; k <= d->n_classes; k++) share[k] = 0;
    for (int64_t i = 0; i < d->n; i++) {
        double w = (d->w ? d->w[i] : 1) * (draw->count ? draw->count[i] : 1);
        int32_t k = d->k[i] >= 0 && d->k[i] < d->n_classes ? d->k[i] : d->n_classes;
        share[k] += w;
        sum += w * b->loss[i];
        total += w;
    }
    if (!(total > 0)) return 0;
    base = shares_loss(d, share, b->is_brier);
    *out = 1 - sum / total / base;
    return base > 0;
}

static tide_status d2_value(struct tide_ctx *ctx, const struct metric_data *d,
                            int is_brier, enum metric_interval ci, uint64_t seed,
                            struct metric_value *v, tide_error *err)
{
    struct loss_job job = {d, &proba_defaults, is_brier ? rows_brier : rows_log_loss};
    struct d2_boot b = {.d = d, .is_brier = is_brier};
    struct boot_draw all = {.worker = 0};
    struct arena arena;
    double *loss, value;
    int stop;
    tide_status status = metric_begin(d, METRIC_PROBA, v, &stop, err);
    if (stop) return status;
    status = proba_check(d, 1, err);
    if (status) return status;
    arena_init(&arena, ctx);
    b.loss = loss = arena_array(&arena, d->n, sizeof *loss);
    b.share = arena_array(&arena, (int64_t)par_threads(ctx) * (d->n_classes + 1),
                          sizeof *b.share);
    if (arena.failed) {
        status = arena_status(&arena, err);
        goto done;
    }
    job.fn(&job, 0, d->n, loss);
    if (!d2_replicate(&b, &all, &value)) {
        char text[80];
        (void)metric_undefined(v, "d2 needs two classes; all %lld rows are %s",
                               (long long)d->n,
                               metric_class_name(d, d->k[0], text, sizeof text));
        goto done;
    }
    metric_set(v, value);
    if (!is_brier) v->clipped = proba_clipped(d, proba_defaults.clip);
    if (ci != METRIC_CI_NONE) {
        struct boot_job boot = {.n = d->n,
                                .replicates = d->bootstrap,
                                .seed = seed,
                                .value = d2_replicate,
                                .arg = &b};
        status = boot_interval(ctx, &boot, v, err);
    }
done:
    arena_free(&arena);
    return status;
}

static tide_status d2_log_loss_value(struct tide_ctx *ctx, const void *params,
                                     const struct metric_data *d,
                                     enum metric_interval ci, uint64_t seed,
                                     struct metric_value *v, tide_error *err)
{
    (void)params;
    return d2_value(ctx, d, 0, ci, seed, v, err);
}
static tide_status d2_brier_value(struct tide_ctx *ctx, const void *params,
                                  const struct metric_data *d, enum metric_interval ci,
                                  uint64_t seed, struct metric_value *v,
                                  tide_error *err)
{
    (void)params;
    return d2_value(ctx, d, 1, ci, seed, v, err);
}

static void log_loss_rows(const struct metric_data *d, double *out)
{
    struct loss_job job = {d, &proba_defaults, rows_log_loss};
    rows_log_loss(&job, 0, d->n, out);
}
static void brier_rows(const struct metric_data *d, double *out)
{
    struct loss_job job = {d, &proba_defaults, rows_brier};
    rows_brier(&job, 0, d->n, out);
}

#define PROBA_METRIC(name_, title_, camel_)                                            \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4",                    \
    .tasks = TIDE_CLASSIFY, .traits = TIDE_TAKES_WEIGHTS, .needs = METRIC_PROBA

const struct tide_metric tide_metric_log_loss = {
    PROBA_METRIC("log_loss", "Log-loss", "LogLoss"),
    .paper = "Good 1952",
    .params = TIDE_TABLE(clip_rows, proba_params),
    .worst = NAN,
    .chance = NAN,
    .best = 0,
    .value = log_loss_value,
    .per_row = log_loss_rows,
};
const struct tide_metric tide_metric_brier = {
    PROBA_METRIC("brier", "Brier score", "Brier"),
    .paper = "Brier 1950",
    .worst = 1,
    .chance = NAN,
    .best = 0,
    .value = brier_value,
    .per_row = brier_rows,
};
const struct tide_metric tide_metric_top_k = {
    PROBA_METRIC("top_k", "Top-k accuracy", "TopK"),
    .params = TIDE_TABLE(top_k_rows, proba_params),
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = top_k_value,
};
const struct tide_metric tide_metric_d2_log_loss = {
    PROBA_METRIC("d2_log_loss", "Log-loss explained (D2)", "D2LogLoss"),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = d2_log_loss_value,
};
const struct tide_metric tide_metric_d2_brier = {
    PROBA_METRIC("d2_brier", "Brier score explained (D2)", "D2Brier"),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = d2_brier_value,
};
