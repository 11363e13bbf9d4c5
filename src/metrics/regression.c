/* regression.c - metrics of predicted values
 *
 * Definitions follow scikit-learn. Weighted means of a loss have Student's interval (RMSE and
 * RMSLE the root of it), quotients and medians the bootstrap. R2 and its kin are undefined for
 * constant y (force_finite=yes: 1 for an exact fit, else 0, as scikit-learn), MAPE where y is 0,
 * deviances outside the domain of their distribution. */
#include <math.h>

#include "base/err.h"
#include "math/sort.h"
#include "metrics/interval.h"
#include "simd/vmath.h"

struct regression_params {
    double alpha, delta, power;
    int32_t force_finite, features;
};
static const struct regression_params regression_defaults = {
    .alpha = 0.5, .delta = 1, .power = 1.5};
static const struct tide_param pinball_rows[] = {
    P_REAL(regression_params, alpha, "0.5", P_RANGE(0, 1), .help = "quantile predicted",
           .alias = "quantile"),
};
static const struct tide_param huber_rows[] = {
    P_REAL(regression_params, delta, "1", P_RANGE(0, 1e300), .flags = TIDE_OPEN_LO,
           .help = "errors beyond it count linearly"),
};
static const struct tide_param power_rows[] = {
    P_REAL(regression_params, power, "1.5", P_RANGE(-10, 10),
           .help = "variance power: 0 normal, 1 Poisson, 2 gamma, 3 inverse Gaussian"),
};
#define ROW_FINITE                                                                     \
    P_BOOL(regression_params, force_finite, "no",                                      \
           .help = "constant y: 1 for an exact fit, else 0")
static const struct tide_param r2_rows[] = {ROW_FINITE};
static const struct tide_param adjusted_rows[] = {
    ROW_FINITE,
    P_INT(regression_params, features, "0", P_RANGE(0, 2147483647),
          .help = "columns the model used; 0: those of the model"),
};

/* ---- losses of a row ---- */

#define LOSS_ROWS(name, expression)                                                    \
    static void rows_##name(const struct loss_job *job, int64_t i0, int64_t n,         \
                            double *out)                                               \
    {                                                                                  \
        const struct regression_params *p = job->params;                               \
        (void)p;                                                                       \
        for (int64_t i = 0; i < n; i++) {                                              \
            double y = job->d->y[i0 + i], f = job->d->pred[i0 + i];                    \
            (void)f;                                                                   \
            out[i] = (expression);                                                     \
        }                                                                              \
    }

static inline double square(double x)
{
    return x * x;
}

static inline double log_error(double y, double f)
{
    return square(vm_log1p(f) - vm_log1p(y));
}
static inline double smape_error(double y, double f)
{
    double s = fabs(y) + fabs(f);
    return s > 0 ? 2 * fabs(f - y) / s : 0;
}
static inline double pinball_error(double y, double f, double alpha)
{
    return y >= f ? alpha * (y - f) : (1 - alpha) * (f - y);
}
static inline double huber_error(double e, double delta)
{
    e = fabs(e);
    return e <= delta ? 0.5 * e * e : delta * (e - 0.5 * delta);
}
static inline double power_of(double x, double y)
{
    return x > 0 ? vm_pow(x, y) : 0;
}

/* Unit deviance of the Tweedie family (Jorgensen 1987). */
static double tweedie_error(double y, double f, double power)
{
    if (power == 0) return square(y - f);
    if (power == 1) return 2 * ((y > 0 ? y * vm_log(y / f) : 0) - y + f);
    if (power == 2) return 2 * (vm_log(f / y) + y / f - 1);
    return 2 * (power_of(y, 2 - power) / ((1 - power) * (2 - power)) -
                y * vm_pow(f, 1 - power) / (1 - power) +
                vm_pow(f, 2 - power) / (2 - power));
}

LOSS_ROWS(y, y)
LOSS_ROWS(residual, y - f)
LOSS_ROWS(mae, fabs(y - f))
LOSS_ROWS(mse, square(y - f))
LOSS_ROWS(msle, log_error(y, f))
LOSS_ROWS(mape, fabs((y - f) / y))
LOSS_ROWS(smape, smape_error(y, f))
LOSS_ROWS(pinball, pinball_error(y, f, p->alpha))
LOSS_ROWS(huber, huber_error(y - f, p->delta))
LOSS_ROWS(tweedie, tweedie_error(y, f, p->power))
LOSS_ROWS(size, fabs(y))

/* ---- beginnings and domains ---- */

static tide_status regression_begin(const struct metric_data *d, struct metric_value *v,
                                    int *stop, tide_error *err)
{
    tide_status status = metric_begin(d, METRIC_VALUES, v, stop, err);
    if (*stop) return status;
    for (int64_t i = 0; i < d->n; i++)
        if (!isfinite(d->y[i]) || !isfinite(d->pred[i])) {
            *stop = 1;
            return err_set(err, TIDE_CODE_HANDLE_INVALID,
                           "value or prediction of row %lld is no finite number",
                           (long long)(i + 1));
        }
    return TIDE_OK;
}

/* Undefined when a row leaves the domain y (>|>=) 0, pred > (>=) lowest; returns 1 then. */
static int regression_outside(const struct metric_data *d, const char *name, int y_open,
                              int pred_open, struct metric_value *v)
{
    for (int64_t i = 0; i < d->n; i++) {
        double y = d->y[i], f = d->pred[i];
        if (y < 0 || (y_open && y <= 0)) {
            (void)metric_undefined(v, "%s needs values %s 0; row %lld is %r", name,
                                   y_open ? "above" : "from", (long long)(i + 1), y);
            return 1;
        }
        if (f < 0 || (pred_open && f <= 0)) {
            (void)metric_undefined(v, "%s needs predictions %s 0; row %lld has %r",
                                   name, pred_open ? "above" : "from",
                                   (long long)(i + 1), f);
            return 1;
        }
    }
    return 0;
}

/* Is the Tweedie deviance of this power defined? Non-zero: v says why not. */
static int tweedie_outside(const struct metric_data *d, const char *name, double power,
                           struct metric_value *v)
{
    if (power == 0) return 0;
    if (power > 0 && power < 1) {
        (void)metric_undefined(v, "there is no Tweedie distribution of power %r",
                               power);
        return 1;
    }
    if (power > 0) return regression_outside(d, name, power >= 2, 1, v);
    for (int64_t i = 0; i < d->n; i++)
        if (d->pred[i] <= 0) {
            (void)metric_undefined(v, "%s needs predictions above 0; row %lld has %r",
                                   name, (long long)(i + 1), d->pred[i]);
            return 1;
        }
    return 0;
}

/* ---- means ---- */

struct mean_of {
    const char *name;
    loss_fn fn;
    int is_root;  /* the square root of the mean */
    int is_log;   /* needs y and pred from 0 */
    int is_share; /* divides by y */
    int is_power; /* deviance */
    double power; /* fixed, when not NaN */
};

static tide_status mean_value(struct tide_ctx *ctx, const struct mean_of *of,
                              const void *params, const struct metric_data *d,
                              enum metric_interval ci, struct metric_value *v,
                              tide_error *err)
{
    struct regression_params p =
        params ? *(const struct regression_params *)params : regression_defaults;
    struct loss_job job = {d, &p, of->fn};
    struct loss_mean mean;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    if (stop) return status;
    if (of->is_power && !isnan(of->power)) p.power = of->power;
    if (of->is_log && regression_outside(d, of->name, 0, 0, v)) return TIDE_OK;
    if (of->is_power && tweedie_outside(d, of->name, p.power, v)) return TIDE_OK;
    for (int64_t i = 0; of->is_share && i < d->n; i++)
        if (d->y[i] == 0)
            return metric_undefined(
                v, "mape divides by y, and row %lld is 0; wape divides by the sum of y",
                (long long)(i + 1));
    status = loss_mean(ctx, &job, &mean, err);
    if (status) return status;
    loss_interval(&mean, LOSS_T, ci, 0, INFINITY, v);
    if (of->is_root) {
        v->value = sqrt(v->value);
        v->lo = sqrt(v->lo);
        v->hi = sqrt(v->hi);
    }
    return TIDE_OK;
}

/* ---- quotients: sums of per-row numbers, which the bootstrap adds up anew ---- */

enum { SUM_W, SUM_Y, SUM_YY, SUM_E, SUM_EE, SUM_A, SUM_B, SUMS };
struct quotient;
/* NaN: no value for these sums. */
typedef double (*quotient_fn)(const struct quotient *q, const double *sum);
struct quotient {
    const struct metric_data *d;
    const struct regression_params *p;
    quotient_fn fn;
    double shift;        /* of y: its mean, so that squares cancel little */
    const double *a, *b; /* [n] further numbers, or NULL */
};

static int quotient_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct quotient *q = arg;
    const struct metric_data *d = q->d;
    double s[SUMS] = {0};
    for (int64_t i = 0; i < d->n; i++) {
        double w = (d->w ? d->w[i] : 1) * draw->count[i];
        double y = d->y[i] - q->shift, e = d->y[i] - d->pred[i];
        s[SUM_W] += w;
        s[SUM_Y] += w * y;
        s[SUM_YY] += w * y * y;
        s[SUM_E] += w * e;
        s[SUM_EE] += w * e * e;
        if (q->a) s[SUM_A] += w * q->a[i];
        if (q->b) s[SUM_B] += w * q->b[i];
    }
    *out = s[SUM_W] > 0 ? q->fn(q, s) : (double)NAN;
    return isfinite(*out);
}

static tide_status quotient_boot(struct tide_ctx *ctx, struct quotient *q,
                                 uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct boot_job job = {.n = q->d->n,
                           .replicates = q->d->bootstrap,
                           .seed = seed,
                           .value = quotient_replicate,
                           .arg = q};
    return boot_interval(ctx, &job, v, err);
}

/* Mean square of y about its mean, over sums. */
static double quotient_var_y(const double *s)
{
    return s[SUM_YY] - s[SUM_Y] * s[SUM_Y] / s[SUM_W];
}
static double r2_of(const struct quotient *q, const double *s)
{
    double var = quotient_var_y(s);
    (void)q;
    return var > 0 ? 1 - s[SUM_EE] / var : (double)NAN;
}
static double explained_of(const struct quotient *q, const double *s)
{
    double var = quotient_var_y(s);
    (void)q;
    return var > 0 ? 1 - (s[SUM_EE] - s[SUM_E] * s[SUM_E] / s[SUM_W]) / var
                   : (double)NAN;
}
static double wape_of(const struct quotient *q, const double *s)
{
    (void)q;
    return s[SUM_B] > 0 ? s[SUM_A] / s[SUM_B] : (double)NAN;
}

static int regression_is_constant(const struct metric_data *d)
{
    for (int64_t i = 1; i < d->n; i++)
        if (d->y[i] != d->y[0]) return 0;
    return 1;
}

/* y is constant or has one row: undefined, or scikit-learn's finite answer. */
static tide_status r2_constant(const struct metric_data *d, const char *name,
                               double mse, int force_finite, struct metric_value *v)
{
    if (force_finite && d->n > 1) {
        metric_set(v, mse == 0 ? 1 : 0);
        return TIDE_OK;
    }
    if (d->n == 1) return metric_undefined(v, "%s needs 2 rows", name);
    return metric_undefined(v, "%s needs a target that varies; all %lld rows are %r",
                            name, (long long)d->n, d->y[0]);
}

enum r2_kind { R2_PLAIN, R2_ADJUSTED, R2_EXPLAINED };
static const char *const r2_names[] = {"r2", "adjusted_r2", "explained_variance"};

static tide_status r2_value_of(struct tide_ctx *ctx, enum r2_kind kind,
                               const void *params, const struct metric_data *d,
                               enum metric_interval ci, uint64_t seed,
                               struct metric_value *v, tide_error *err)
{
    const struct regression_params *p = params ? params : &regression_defaults;
    struct loss_job y = {d, p, rows_y}, e = {d, p, rows_residual},
                    ee = {d, p, rows_mse};
    struct loss_mean my, me, mee;
    struct quotient q = {.d = d, .p = p};
    double k = p->features > 0 ? p->features : d->n_features, n = (double)d->n, r2;
    double factor = kind == R2_ADJUSTED ? (n - 1) / (n - k - 1) : 1;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    if (stop) return status;
    status = loss_mean(ctx, &y, &my, err);
    if (!status) status = loss_mean(ctx, &e, &me, err);
    if (!status) status = loss_mean(ctx, &ee, &mee, err);
    if (status) return status;
    if (regression_is_constant(d))
        return r2_constant(d, r2_names[kind], kind == R2_EXPLAINED ? me.var : mee.mean,
                           p->force_finite, v);
    if (kind == R2_ADJUSTED && n - k - 1 <= 0)
        return metric_undefined(
            v, "adjusted_r2 needs more than %lld rows for %lld columns",
            (long long)k + 1, (long long)k);
    r2 = 1 - (kind == R2_EXPLAINED ? me.var : mee.mean) / my.var;
    metric_set(v, 1 - (1 - r2) * factor);
    if (kind != R2_ADJUSTED) v->value = r2;
    if (ci == METRIC_CI_NONE) return TIDE_OK;
    q.fn = kind == R2_EXPLAINED ? explained_of : r2_of;
    q.shift = my.mean;
    status = quotient_boot(ctx, &q, seed, v, err);
    if (kind == R2_ADJUSTED) {
        v->lo = 1 - (1 - v->lo) * factor;
        v->hi = 1 - (1 - v->hi) * factor;
    }
    return status;
}

static tide_status wape_value(struct tide_ctx *ctx, const void *params,
                              const struct metric_data *d, enum metric_interval ci,
                              uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct loss_job a = {d, params, rows_mae}, b = {d, params, rows_size};
    struct loss_mean ma, mb;
    struct quotient q = {.d = d, .fn = wape_of};
    struct arena arena;
    double *pa, *pb;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    if (stop) return status;
    status = loss_mean(ctx, &a, &ma, err);
    if (!status) status = loss_mean(ctx, &b, &mb, err);
    if (status) return status;
    if (!(mb.mean > 0))
        return metric_undefined(v, "wape divides by the sum of y, which is 0");
    metric_set(v, ma.mean / mb.mean);
    if (ci == METRIC_CI_NONE) return TIDE_OK;
    arena_init(&arena, ctx);
    q.a = pa = arena_array(&arena, d->n, sizeof *pa);
    q.b = pb = arena_array(&arena, d->n, sizeof *pb);
    status = arena_status(&arena, err);
    if (!status) {
        rows_mae(&a, 0, d->n, pa);
        rows_size(&b, 0, d->n, pb);
        status = quotient_boot(ctx, &q, seed, v, err);
    }
    arena_free(&arena);
    return status;
}

/* ---- D2 of the Tweedie family ---- */

/* The part of a constant's deviance that only depends on y. */
static double d2_part(double y, double power)
{
    if (power == 1) return y > 0 ? y * vm_log(y) : 0;
    if (power == 2) return vm_log(y);
    return power_of(y, 2 - power);
}

/* Half the mean deviance of the mean of y, from sums of y and d2_part. */
static double d2_of_mean(double w, double y, double part, double power)
{
    double m = y / w;
    if (power == 1) return part / w - m * vm_log(m);
    if (power == 2) return vm_log(m) - part / w;
    return part / w / ((1 - power) * (2 - power)) - vm_pow(m, 2 - power) / (1 - power) +
           vm_pow(m, 2 - power) / (2 - power);
}

static double d2_tweedie_of(const struct quotient *q, const double *s)
{
    double base = q->p->power == 0
                      ? quotient_var_y(s) / s[SUM_W]
                      : 2 * d2_of_mean(s[SUM_W], s[SUM_Y] + q->shift * s[SUM_W],
                                       s[SUM_B], q->p->power);
    return base > 0 ? 1 - s[SUM_A] / s[SUM_W] / base : (double)NAN;
}

/* Deviance of always predicting the mean, row by row: exact where sums would cancel. */
static tide_status d2_baseline(struct tide_ctx *ctx, struct arena *a,
                               const struct metric_data *d,
                               const struct regression_params *p, double mean,
                               double *out, tide_error *err)
{
    double *constant = arena_array(a, d->n, sizeof *constant);
    struct metric_data same = *d;
    struct loss_job job = {&same, p, rows_tweedie};
    struct loss_mean base;
    tide_status status;
    if (!constant) return arena_status(a, err);
    for (int64_t i = 0; i < d->n; i++) constant[i] = mean;
    same.pred = constant;
    status = loss_mean(ctx, &job, &base, err);
    *out = base.mean;
    return status;
}

static tide_status d2_tweedie_value(struct tide_ctx *ctx, const void *params,
                                    const struct metric_data *d,
                                    enum metric_interval ci, uint64_t seed,
                                    struct metric_value *v, tide_error *err)
{
    const struct regression_params *p = params ? params : &regression_defaults;
    struct loss_job dev = {d, p, rows_tweedie}, y = {d, p, rows_y};
    struct loss_mean mdev, my;
    struct quotient q = {.d = d, .p = p, .fn = d2_tweedie_of};
    struct arena arena;
    double *a, *b, base = 0;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    if (stop) return status;
    if (tweedie_outside(d, "d2_tweedie", p->power, v)) return TIDE_OK;
    if (regression_is_constant(d)) return r2_constant(d, "d2_tweedie", 1, 0, v);
    arena_init(&arena, ctx);
    status = loss_mean(ctx, &dev, &mdev, err);
    if (!status) status = loss_mean(ctx, &y, &my, err);
    if (!status) status = d2_baseline(ctx, &arena, d, p, my.mean, &base, err);
    if (status) goto done;
    metric_set(v, 1 - mdev.mean / base);
    if (ci == METRIC_CI_NONE) goto done;
    q.a = a = arena_array(&arena, d->n, sizeof *a);
    q.b = b = arena_array(&arena, d->n, sizeof *b);
    status = arena_status(&arena, err);
    if (status) goto done;
    q.shift = my.mean;
    rows_tweedie(&dev, 0, d->n, a);
    for (int64_t i = 0; i < d->n; i++) b[i] = d2_part(d->y[i], p->power);
    status = quotient_boot(ctx, &q, seed, v, err);
done:
    arena_free(&arena);
    return status;
}

/* ---- medians ---- */

/* Numbers in rising order with their rows' weights and another number each. */
struct median_boot {
    int64_t n;
    const double *sorted, *w, *other; /* [n]; other: NULL for the median itself */
};

static double median_weight(const struct median_boot *b, const uint8_t *count,
                            int64_t i)
{
    return (b->w ? b->w[i] : 1) * (count ? count[i] : 1);
}

/* The number with half the weight below; the mean of two when half ends between them. */
static double median_find(const struct median_boot *b, const uint8_t *count,
                          double *total)
{
    double sum = 0, half, first;
    int64_t i = 0;
    *total = 0;
    for (int64_t j = 0; j < b->n; j++) *total += median_weight(b, count, j);
    half = *total / 2;
    if (!(half > 0)) return (double)NAN;
    for (; i < b->n; i++) {
        sum += median_weight(b, count, i);
        if (sum >= half) break;
    }
    if (i == b->n) i = b->n - 1;
    first = b->sorted[i];
    if (sum > half) return first;
    for (i++; i < b->n; i++)
        if (median_weight(b, count, i) > 0) return 0.5 * first + 0.5 * b->sorted[i];
    return first;
}

static int median_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct median_boot *b = arg;
    double total, half = median_find(b, draw->count, &total), base = 0, loss = 0;
    if (isnan(half)) return 0;
    *out = half;
    if (!b->other) return 1;
    for (int64_t i = 0; i < b->n; i++) {
        double w = median_weight(b, draw->count, i);
        base += w * fabs(b->sorted[i] - half);
        loss += w * b->other[i];
    }
    *out = 1 - loss / base;
    return base > 0;
}

static tide_status median_value(struct tide_ctx *ctx, int is_d2,
                                const struct metric_data *d, enum metric_interval ci,
                                uint64_t seed, struct metric_value *v, tide_error *err)
{
    struct loss_job mae = {d, NULL, rows_mae};
    struct median_boot b = {.n = d->n};
    struct boot_draw all = {.worker = 0};
    struct arena arena;
    double *size, *sorted, *other, *w, value;
    uint32_t *idx;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    if (stop) return status;
    if (d->n > UINT32_MAX) return metric_undefined(v, "more than 4294967295 rows");
    if (is_d2 && regression_is_constant(d))
        return r2_constant(d, "d2_absolute", 1, 0, v);
    arena_init(&arena, ctx);
    size = arena_array(&arena, d->n, sizeof *size);
    sorted = arena_array(&arena, d->n, sizeof *sorted);
    other = is_d2 ? arena_array(&arena, d->n, sizeof *other) : NULL;
    w = d->w ? arena_array(&arena, d->n, sizeof *w) : NULL;
    idx = arena_array(&arena, d->n, sizeof *idx);
    if (arena.failed || (rows_mae(&mae, 0, d->n, size),
                         sort_index_f64(&arena, is_d2 ? d->y : size, d->n, idx))) {
        status = arena_status(&arena, err);
        goto done;
    }
    for (int64_t i = 0; i < d->n; i++) {
        sorted[i] = is_d2 ? d->y[idx[i]] : size[idx[i]];
        if (other) other[i] = size[idx[i]];
        if (w) w[i] = d->w[idx[i]];
    }
    b.sorted = sorted;
    b.other = other;
    b.w = w;
    (void)median_replicate(&b, &all, &value);
    metric_set(v, value);
    if (ci != METRIC_CI_NONE) {
        struct boot_job job = {.n = d->n,
                               .replicates = d->bootstrap,
                               .seed = seed,
                               .value = median_replicate,
                               .arg = &b};
        status = boot_interval(ctx, &job, v, err);
    }
done:
    arena_free(&arena);
    return status;
}

/* ---- values ---- */

#define MEAN_METRIC(name, ...)                                                         \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        static const struct mean_of of = {#name, __VA_ARGS__};                         \
        (void)seed;                                                                    \
        return mean_value(ctx, &of, params, d, ci, v, err);                            \
    }
MEAN_METRIC(mae, rows_mae, .power = NAN)
MEAN_METRIC(mse, rows_mse, .power = NAN)
MEAN_METRIC(rmse, rows_mse, .is_root = 1)
MEAN_METRIC(msle, rows_msle, .is_log = 1)
MEAN_METRIC(rmsle, rows_msle, .is_log = 1, .is_root = 1)
MEAN_METRIC(mape, rows_mape, .is_share = 1)
MEAN_METRIC(smape, rows_smape, .power = NAN)
MEAN_METRIC(pinball, rows_pinball, .power = NAN)
MEAN_METRIC(huber, rows_huber, .power = NAN)
MEAN_METRIC(poisson, rows_tweedie, .is_power = 1, .power = 1)
MEAN_METRIC(gamma, rows_tweedie, .is_power = 1, .power = 2)
MEAN_METRIC(tweedie, rows_tweedie, .is_power = 1, .power = NAN)

#define R2_METRIC(name, kind)                                                          \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        return r2_value_of(ctx, kind, params, d, ci, seed, v, err);                    \
    }
R2_METRIC(r2, R2_PLAIN)
R2_METRIC(adjusted_r2, R2_ADJUSTED)
R2_METRIC(explained, R2_EXPLAINED)

static tide_status median_ae_value(struct tide_ctx *ctx, const void *params,
                                   const struct metric_data *d, enum metric_interval ci,
                                   uint64_t seed, struct metric_value *v,
                                   tide_error *err)
{
    (void)params;
    return median_value(ctx, 0, d, ci, seed, v, err);
}
static tide_status d2_absolute_value(struct tide_ctx *ctx, const void *params,
                                     const struct metric_data *d,
                                     enum metric_interval ci, uint64_t seed,
                                     struct metric_value *v, tide_error *err)
{
    (void)params;
    return median_value(ctx, 1, d, ci, seed, v, err);
}
static tide_status max_error_value(struct tide_ctx *ctx, const void *params,
                                   const struct metric_data *d, enum metric_interval ci,
                                   uint64_t seed, struct metric_value *v,
                                   tide_error *err)
{
    double most = 0;
    int stop;
    tide_status status = regression_begin(d, v, &stop, err);
    (void)ctx;
    (void)params;
    (void)ci; /* the largest of a sample has no interval worth its name */
    (void)seed;
    if (stop) return status;
    for (int64_t i = 0; i < d->n; i++) {
        double e = fabs(d->y[i] - d->pred[i]);
        if (e > most && (!d->w || d->w[i] > 0)) most = e;
    }
    metric_set(v, most);
    return TIDE_OK;
}

#define PER_ROW(name)                                                                  \
    static void name##_rows(const struct metric_data *d, double *out)                  \
    {                                                                                  \
        struct loss_job job = {d, &regression_defaults, rows_##name};                  \
        rows_##name(&job, 0, d->n, out);                                               \
    }
PER_ROW(mae)
PER_ROW(mse)
PER_ROW(msle)
PER_ROW(mape)
PER_ROW(smape)

#define VALUE_METRIC(name_, title_, camel_)                                            \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4",                    \
    .tasks = TIDE_REGRESS, .traits = TIDE_TAKES_WEIGHTS, .needs = METRIC_VALUES
#define IS_LOSS .worst = NAN, .chance = NAN, .best = 0

const struct tide_metric tide_metric_mae = {
    VALUE_METRIC("mae", "Mean absolute error", "MAE"),
    IS_LOSS,
    .value = mae_value,
    .per_row = mae_rows,
};
const struct tide_metric tide_metric_mse = {
    VALUE_METRIC("mse", "Mean squared error", "MSE"),
    IS_LOSS,
    .value = mse_value,
    .per_row = mse_rows,
};
const struct tide_metric tide_metric_rmse = {
    VALUE_METRIC("rmse", "Root mean squared error", "RMSE"),
    IS_LOSS,
    .value = rmse_value,
};
const struct tide_metric tide_metric_msle = {
    VALUE_METRIC("msle", "Mean squared log error", "MSLE"),
    IS_LOSS,
    .value = msle_value,
    .per_row = msle_rows,
};
const struct tide_metric tide_metric_rmsle = {
    VALUE_METRIC("rmsle", "Root mean squared log error", "RMSLE"),
    IS_LOSS,
    .value = rmsle_value,
};
const struct tide_metric tide_metric_mape = {
    VALUE_METRIC("mape", "Mean absolute percentage error", "MAPE"),
    IS_LOSS,
    .value = mape_value,
    .per_row = mape_rows,
};
const struct tide_metric tide_metric_smape = {
    VALUE_METRIC("smape", "Symmetric percentage error", "SMAPE"),
    .worst = 2,
    .chance = NAN,
    .best = 0,
    .value = smape_value,
    .per_row = smape_rows,
};
const struct tide_metric tide_metric_wape = {
    VALUE_METRIC("wape", "Weighted percentage error", "WAPE"),
    IS_LOSS,
    .value = wape_value,
};
const struct tide_metric tide_metric_median_ae = {
    VALUE_METRIC("median_ae", "Median absolute error", "MedianAE"),
    IS_LOSS,
    .value = median_ae_value,
};
const struct tide_metric tide_metric_max_error = {
    VALUE_METRIC("max_error", "Largest absolute error", "MaxError"),
    IS_LOSS,
    .value = max_error_value,
};
const struct tide_metric tide_metric_r2 = {
    VALUE_METRIC("r2", "R2", "R2"),
    .params = TIDE_TABLE(r2_rows, regression_params),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = r2_value,
};
const struct tide_metric tide_metric_adjusted_r2 = {
    VALUE_METRIC("adjusted_r2", "Adjusted R2", "AdjustedR2"),
    .params = TIDE_TABLE(adjusted_rows, regression_params),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = adjusted_r2_value,
};
const struct tide_metric tide_metric_explained_variance = {
    VALUE_METRIC("explained_variance", "Explained variance", "ExplainedVariance"),
    .params = TIDE_TABLE(r2_rows, regression_params),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = explained_value,
};
const struct tide_metric tide_metric_pinball = {
    VALUE_METRIC("pinball", "Pinball loss of a quantile", "Pinball"),
    IS_LOSS,
    .paper = "Koenker and Bassett 1978",
    .params = TIDE_TABLE(pinball_rows, regression_params),
    .value = pinball_value,
};
const struct tide_metric tide_metric_huber = {
    VALUE_METRIC("huber", "Huber loss", "Huber"),
    IS_LOSS,
    .paper = "Huber 1964",
    .params = TIDE_TABLE(huber_rows, regression_params),
    .value = huber_value,
};
const struct tide_metric tide_metric_poisson_deviance = {
    VALUE_METRIC("poisson_deviance", "Mean Poisson deviance", "PoissonDeviance"),
    IS_LOSS,
    .value = poisson_value,
};
const struct tide_metric tide_metric_gamma_deviance = {
    VALUE_METRIC("gamma_deviance", "Mean gamma deviance", "GammaDeviance"),
    IS_LOSS,
    .value = gamma_value,
};
const struct tide_metric tide_metric_tweedie_deviance = {
    VALUE_METRIC("tweedie_deviance", "Mean Tweedie deviance", "TweedieDeviance"),
    IS_LOSS,
    .params = TIDE_TABLE(power_rows, regression_params),
    .value = tweedie_value,
};
const struct tide_metric tide_metric_d2_tweedie = {
    VALUE_METRIC("d2_tweedie", "Tweedie deviance explained (D2)", "D2Tweedie"),
    .params = TIDE_TABLE(power_rows, regression_params),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = d2_tweedie_value,
};
const struct tide_metric tide_metric_d2_absolute = {
    VALUE_METRIC("d2_absolute", "Absolute error explained (D2)", "D2Absolute"),
    .worst = NAN,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = d2_absolute_value,
};
