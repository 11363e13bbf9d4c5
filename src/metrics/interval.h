/* interval.h - what the families share: means of per-row losses, closed-form intervals, the
 * bootstrap, and how a metric says that it has no value
 *
 * All intervals are 95 %. Wilson 1927, Clopper and Pearson 1934, Hanley and McNeil 1982,
 * percentile and BCa bootstrap of Efron 1987. Weighted rows count as n = (sum w)^2 / sum w^2. */
#ifndef METRICS_INTERVAL_H
#define METRICS_INTERVAL_H
#include "base/arena.h"
#include "base/rng.h"
#include "spec/metric.h"

#define INTERVAL_Z 1.9599639845400542 /* normal quantile at 0.975 */

/* ---- closed forms ---- */
void interval_wilson(double hits, double n, double *lo, double *hi);
void interval_clopper_pearson(int64_t hits, int64_t n, double *lo, double *hi);
double interval_hanley_mcneil(double auc, double n_pos,
                              double n_neg); /* standard error */

/* ---- answers ---- */
void metric_set(struct metric_value *v, double value);
/* NaN with a reason; TIDE_OK, since having no value is no failure. */
tide_status metric_undefined(struct metric_value *v, const char *fmt, ...);
/* "'no'" or "class 0" into out; returns out. */
const char *metric_class_name(const struct metric_data *d, int32_t k, char *out,
                              size_t size);
/* Checks every metric begins with: rows, what it needs, finite weights that are not all 0. Non-zero *stop:
 * v is undefined or the status an error. */
tide_status metric_begin(const struct metric_data *d, uint32_t needs,
                         struct metric_value *v, int *stop, tide_error *err);
double metric_weight_sum(const struct metric_data *d);

/* ---- weighted means of per-row numbers ---- */
struct loss_job;
/* Numbers of rows [i0, i0 + n), n <= 1024. */
typedef void (*loss_fn)(const struct loss_job *job, int64_t i0, int64_t n, double *out);
struct loss_job {
    const struct metric_data *d;
    const void *params;
    loss_fn fn;
};
struct loss_mean {
    double mean, var; /* weighted; var = mean square about the mean */
    double n;         /* effective rows */
};
/* In blocks of PAR_BLOCK rows folded in order: same bytes for any number of threads. */
tide_status loss_mean(struct tide_ctx *ctx, const struct loss_job *job,
                      struct loss_mean *out, tide_error *err);
enum loss_interval { LOSS_T, LOSS_WILSON };
/* Sets v to the mean, and its interval when wanted; ends are kept within [lo, hi]. */
void loss_interval(const struct loss_mean *m, enum loss_interval how,
                   enum metric_interval ci, double lo, double hi,
                   struct metric_value *v);

/* ---- bootstrap ---- */
#define BOOT_DEFAULT 1000
#define BOOT_LEAST   200 /* when there are more than BOOT_ROWS rows to draw */
#define BOOT_ROWS    200000000
struct boot_draw {
    struct rng_key key;
    uint32_t replicate;
    const uint8_t
        *count; /* [n] times that row i was drawn, Poisson(1); NULL when n is 0 */
    int worker; /* index of scratch memory */
};
struct boot_job {
    int64_t n;      /* rows to draw counts for, 0: the function draws for itself */
    int replicates; /* 0: BOOT_DEFAULT, fewer above 200,000 rows */
    uint64_t seed;
    /* One replicate; returns 0 when it has no value. */
    int (*value)(void *arg, const struct boot_draw *draw, double *out);
    void *arg;
    /* A sum of sizes or a largest size (ECE, KS) grows when rows repeat: shift the interval by
     * the mean of replicates less the value, and keep it from 0. */
    int is_biased;
};
/* Percentile interval into v->lo, v->hi (method "bootstrap"); none when fewer than nine in ten
 * replicates have a value. */
tide_status boot_interval(struct tide_ctx *ctx, const struct boot_job *job,
                          struct metric_value *v, tide_error *err);
/* BCa interval from replicates (any order) and the n values with one row left out. */
tide_status boot_bca(struct arena *a, const double *replicate, int64_t n_replicates,
                     double estimate, const double *left_out, int64_t n, double *lo,
                     double *hi, tide_error *err);
/* A Poisson number of this mean. */
double boot_poisson(const struct boot_draw *draw, uint32_t cell, double mean);
#endif
