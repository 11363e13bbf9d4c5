/* objective.c - the losses of boosting (trees.md 6)
 *
 * Identity    squared, absolute, huber, pseudo_huber, quantile, mape: the base score is taken off
 *             the targets in f64, so that z = score - y is small numbers only.
 * Log link    poisson, gamma, tweedie: scores are logs of means; values are deviances, which
 *             differ from the negative log-likelihood by a constant of the row and are >= 0.
 * Refit       where the second derivative is 0 almost everywhere (absolute, quantile, mape) a
 *             leaf's value is the weighted quantile of its residuals, by exact selection
 *             (Friedman 2001, algorithm 3). Splits are searched with h = 1, but for:
 * Absolute    signs do not say how far a row is off, and a split of near rows from far ones on the
 *             same side gains nothing by them. So it is searched on a smooth loss, linear beyond
 *             delta: with q = z/delta, g = q c, h = c, c = 1/sqrt(1 + q^2), the parabola that lies
 *             above sqrt(1 + q^2) - 1 and meets it at q (Hunter and Lange 2004). delta is the
 *             square of the mean root of the round's distances (grad_make), so it shrinks as the
 *             fit gets close.
 * quantile    of several shares at once each is an output, judged in rising order; a row's loss is
 *             their mean.
 * mape        rows weigh 1/max(1, |y|), as in LightGBM: targets below 1 are not blown up.
 * softmax     h = p (1 - p) K/(K - 1).
 * lambdarank  (and xendcg) derivatives of a row come from its query: rank_loss.c.
 * custom      they come from the caller: own_loss.c.
 * Guide       Q3 Q10
 */
#include "learners/tree/objective.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "frame/frame.h"
#include "infer/ensemble.h"
#include "learners/tree/grad.h"
#include "learners/tree/rank_loss.h"
#include "simd/vmath.h"

const char *const objective_names[OBJECTIVE_COUNT + 1] = {
    "auto",          "squared",  "absolute", "huber",      "pseudo_huber",
    "quantile",      "mape",     "poisson",  "gamma",      "tweedie",
    "cross_entropy", "logistic", "softmax",  "lambdarank", "xendcg",
    "custom",        NULL};

const char *const objective_aliases[OBJECTIVE_COUNT + 1] = {
    "",
    "squared_error reg:squarederror regression regression_l2 l2 mse rmse",
    "absolute_error reg:absoluteerror regression_l1 l1 mae",
    "",
    "pseudohuber reg:pseudohubererror",
    "reg:quantileerror pinball",
    "mean_absolute_percentage_error",
    "count:poisson",
    "reg:gamma",
    "reg:tweedie",
    "crossentropy xentropy reg:logistic",
    "binary binary:logistic log_loss logloss",
    "multiclass multi:softprob multi:softmax multi_logloss",
    "lambdamart rank:ndcg",
    "rank_xendcg xe_ndcg xe_ndcg_mart",
    "",
    NULL};

/* ----------------------------------------------------------------- identity links --- */

static void residuals(const struct objective_fit *o, const struct grad_rows *rows,
                      int64_t i0, int64_t n, const double *score, double *z)
{
    (void)o;
    for (int64_t i = 0; i < n; i++) z[i] = score[i] - rows->y[i0 + i];
}

#define GRAD_ARGS                                                                      \
    const struct objective_fit *o, const struct grad_rows *rows, int64_t i0,           \
        int64_t n, int32_t k, const double *z, double *g, double *h
#define LOSS_ARGS                                                                      \
    const struct objective_fit *o, const struct grad_rows *rows, int64_t i,            \
        const double *s, double *z
#define UNUSED_GRAD ((void)o, (void)rows, (void)i0, (void)k)
#define UNUSED_LOSS ((void)o, (void)z)

static void squared_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        g[i] = z[i];
        h[i] = 1;
    }
}
static double squared_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double r = s[0] - rows->y[i];
    return r * r;
}

static inline double sign(double x)
{
    return (double)(x > 0) - (double)(x < 0);
}

static void absolute_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        double q = z[i] / o->delta;
        q = q > 1e150 ? 1e150 : q < -1e150 ? -1e150 : q; /* its square is a number */
        if (q != q) q = 0; /* nothing by a delta of nothing, or no finite residual */
        double c = 1 / sqrt(1 + q * q);
        g[i] = q * c;
        h[i] = c;
    }
}
static double absolute_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    return fabs(s[0] - rows->y[i]);
}

static void huber_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    double d = o->delta;
    for (int64_t i = 0; i < n; i++) {
        g[i] = z[i] > d ? d : z[i] < -d ? -d : z[i];
        h[i] = 1;
    }
}
static double huber_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double r = fabs(s[0] - rows->y[i]), d = o->delta;
    return r <= d ? 0.5 * r * r : d * (r - 0.5 * d);
}

static void pseudo_huber_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        double q = z[i] / o->delta, root = sqrt(1 + q * q);
        g[i] = z[i] / root;
        h[i] = 1 / (root * root * root);
    }
}
static double pseudo_huber_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    /* d^2 (sqrt(1 + q^2) - 1), without the cancellation near 0 */
    double r = s[0] - rows->y[i], q = r / o->delta;
    return r * r / (sqrt(1 + q * q) + 1);
}

/* z [n_outputs][n] */
static void residuals_of_each(const struct objective_fit *o,
                              const struct grad_rows *rows, int64_t i0, int64_t n,
                              const double *score, double *z)
{
    for (int64_t k = 0; k < o->n_outputs; k++)
        for (int64_t i = 0; i < n; i++)
            z[k * n + i] = score[i * o->n_outputs + k] - rows->y[i0 + i];
}
static void quantile_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        g[i] = z[k * n + i] >= 0 ? 1 - o->level[k] : -o->level[k];
        h[i] = 1;
    }
}
static double quantile_loss(LOSS_ARGS)
{
    int32_t n = o->n_outputs;
    double sum = 0;
    memcpy(z, s, (size_t)n * sizeof *z);
    quantiles_sort(z, n);
    for (int32_t k = 0; k < n; k++) {
        double r = z[k] - rows->y[i];
        sum += r >= 0 ? (1 - o->level[k]) * r : -o->level[k] * r;
    }
    return sum / n;
}

static double percent_weight(double y)
{
    return 1 / (fabs(y) > 1 ? fabs(y) : 1);
}
static void mape_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        g[i] = sign(z[i]) * percent_weight(rows->y[i0 + i] + o->base);
        h[i] = 1;
    }
}
static double mape_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    return fabs(s[0] - rows->y[i]) * percent_weight(rows->y[i] + o->base);
}

/* ---------------------------------------------------------------------- log links --- */

static void exponentials(const struct objective_fit *o, const struct grad_rows *rows,
                         int64_t i0, int64_t n, const double *score, double *z)
{
    (void)rows;
    (void)i0;
    o->simd->vexp(score, z, n);
}

static void poisson_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        g[i] = z[i] - rows->y[i0 + i];
        h[i] = z[i];
    }
}
/* Deviances are 0 at best; rounding may not make them less. */
static double at_least_0(double x)
{
    return x > 0 ? x : 0;
}
static double poisson_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double y = rows->y[i], mu = vm_exp(s[0]);
    return at_least_0(2 * ((y > 0 ? y * (vm_log(y) - s[0]) : 0) - y + mu));
}

static void gamma_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        double q = rows->y[i0 + i] / z[i];
        g[i] = 1 - q;
        h[i] = q;
    }
}
static double gamma_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double log_q = vm_log(rows->y[i]) - s[0];
    return at_least_0(2 * (vm_expm1(log_q) - log_q));
}

/* Nothing that all derivatives of a row share. */
static void plain_scores(const struct objective_fit *o, const struct grad_rows *rows,
                         int64_t i0, int64_t n, const double *score, double *z)
{
    (void)o;
    (void)rows;
    (void)i0;
    memcpy(z, score, (size_t)n * sizeof *z);
}
static void tweedie_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    double p1 = 1 - o->power, p2 = 2 - o->power;
    for (int64_t i = 0; i < n; i++) {
        g[i] = p1 * z[i];
        h[i] = p2 * z[i];
    }
    o->simd->vexp(g, g, n);
    o->simd->vexp(h, h, n);
    for (int64_t i = 0; i < n; i++) {
        double ya = rows->y[i0 + i] * g[i], b = h[i];
        g[i] = b - ya;
        h[i] = p2 * b - p1 * ya;
    }
}
static double tweedie_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double y = rows->y[i], p1 = 1 - o->power, p2 = 2 - o->power;
    double best = y > 0 ? vm_exp(p2 * vm_log(y)) / (p1 * p2) : 0;
    return at_least_0(2 * (best - y * vm_exp(p1 * s[0]) / p1 + vm_exp(p2 * s[0]) / p2));
}

/* ------------------------------------------------------------------- probabilities --- */

static void expits(const struct objective_fit *o, const struct grad_rows *rows,
                   int64_t i0, int64_t n, const double *score, double *z)
{
    (void)rows;
    (void)i0;
    o->simd->vexpit(score, z, n);
}

static void cross_entropy_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    for (int64_t i = 0; i < n; i++) {
        g[i] = z[i] - rows->y[i0 + i];
        h[i] = z[i] * (1 - z[i]);
    }
}
static double cross_entropy_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    return at_least_0(vm_softplus(s[0]) - rows->y[i] * s[0]);
}

static void logistic_grad(GRAD_ARGS)
{
    UNUSED_GRAD;
    o->simd->tree_logit(z, rows->k + i0, n, g, h);
}
static void logistic_quantise(const struct objective_fit *o, const double *score,
                              const int32_t *k, const uint32_t *u, int64_t n,
                              uint32_t *out, int64_t sum[3])
{
    o->simd->tree_logit_quantise(score, k, u, n, out, sum);
}
static double logistic_loss(LOSS_ARGS)
{
    UNUSED_LOSS;
    double m = rows->k[i] == 1 ? -s[0] : s[0], out;
    o->simd->vlogaddexp0(&m, &out, 1);
    return out;
}

static void softmaxes(const struct objective_fit *o, const struct grad_rows *rows,
                      int64_t i0, int64_t n, const double *score, double *z)
{
    (void)rows;
    (void)i0;
    o->simd->tree_softmax(score, n, (int)o->n_outputs, z);
}
static void softmax_grad(GRAD_ARGS)
{
    double up = (double)o->n_outputs / (o->n_outputs - 1);
    o->simd->tree_softmax_grad(z + k * n, rows->k + i0, n, (int)k, up, g, h);
}
static double softmax_loss(LOSS_ARGS)
{
    int32_t k = o->n_outputs;
    double top = s[0], sum = 0, log_sum;
    for (int32_t q = 1; q < k; q++) top = s[q] > top ? s[q] : top;
    for (int32_t q = 0; q < k; q++) z[q] = s[q] - top;
    o->simd->vexp(z, z, k);
    for (int32_t q = 0; q < k; q++) sum += z[q];
    o->simd->vlog(&sum, &log_sum, 1);
    return log_sum + top - s[rows->k[i] < k ? rows->k[i] : 0];
}

/* ----------------------------------------------------------- derivatives made before --- */

static void no_scores(const struct objective_fit *o, const struct grad_rows *rows,
                      int64_t i0, int64_t n, const double *score, double *z)
{
    (void)o, (void)rows, (void)i0, (void)n, (void)score, (void)z;
}

static void given_grad(GRAD_ARGS)
{
    (void)rows, (void)k, (void)z;
    memcpy(g, o->g + i0, (size_t)n * sizeof *g);
    memcpy(h, o->h + i0, (size_t)n * sizeof *h);
}

/* ---------------------------------------------------------------------- the table --- */

#define SCORES(what) .prepare = (what)
#define OF(name)     .grad = name##_grad, .loss = name##_loss
const struct objective objective_table[OBJECTIVE_COUNT] = {
    [OBJECTIVE_SQUARED] = {"squared error", TIDE_REGRESS, LINK_IDENTITY, .unit_h = 1,
                           SCORES(residuals), OF(squared)},
    [OBJECTIVE_ABSOLUTE] = {"absolute error", TIDE_REGRESS, LINK_IDENTITY,
                            .constant = CONSTANT_MEDIAN, .g_most = 1, .scaled = 1,
                            .refit = 1, SCORES(residuals), OF(absolute)},
    [OBJECTIVE_HUBER] = {"huber loss", TIDE_REGRESS, LINK_IDENTITY,
                         .constant = CONSTANT_MEDIAN, .unit_h = 1, SCORES(residuals),
                         OF(huber)},
    [OBJECTIVE_PSEUDO_HUBER] = {"pseudo-huber loss", TIDE_REGRESS, LINK_IDENTITY,
                                .constant = CONSTANT_MEDIAN, SCORES(residuals),
                                OF(pseudo_huber)},
    [OBJECTIVE_QUANTILE] = {"quantile loss", TIDE_REGRESS, LINK_IDENTITY,
                            .constant = CONSTANT_LEVEL, .g_most = 1, .unit_h = 1,
                            .refit = 1, SCORES(residuals_of_each), OF(quantile)},
    [OBJECTIVE_MAPE] = {"relative error", TIDE_REGRESS, LINK_IDENTITY,
                        .constant = CONSTANT_MEDIAN, .unit_h = 1, .refit = 1,
                        SCORES(residuals), OF(mape)},
    [OBJECTIVE_POISSON] = {"poisson deviance", TIDE_REGRESS, LINK_EXP,
                           .range = RANGE_NOT_NEGATIVE, SCORES(exponentials),
                           OF(poisson)},
    [OBJECTIVE_GAMMA] = {"gamma deviance", TIDE_REGRESS, LINK_EXP,
                         .range = RANGE_POSITIVE, SCORES(exponentials), OF(gamma)},
    [OBJECTIVE_TWEEDIE] = {"tweedie deviance", TIDE_REGRESS, LINK_EXP,
                           .range = RANGE_NOT_NEGATIVE, SCORES(plain_scores),
                           OF(tweedie)},
    [OBJECTIVE_CROSS_ENTROPY] = {"cross-entropy", TIDE_REGRESS, LINK_LOGIT,
                                 .range = RANGE_SHARE, .g_most = 1, SCORES(expits),
                                 OF(cross_entropy)},
    [OBJECTIVE_LOGISTIC] = {"log-loss", TIDE_CLASSIFY, LINK_LOGIT, .g_most = 1,
                            SCORES(plain_scores), OF(logistic),
                            .quantise = logistic_quantise},
    [OBJECTIVE_SOFTMAX] = {"log-loss", TIDE_CLASSIFY, LINK_SOFTMAX, .g_most = 1,
                           SCORES(softmaxes), OF(softmax)},
    [OBJECTIVE_LAMBDARANK] = {"ndcg@10", TIDE_REGRESS, LINK_IDENTITY,
                              .range = RANGE_LABEL, .constant = CONSTANT_ZERO,
                              SCORES(no_scores), .grad = given_grad},
    [OBJECTIVE_XENDCG] = {"ndcg@10", TIDE_REGRESS, LINK_IDENTITY, .range = RANGE_LABEL,
                          .constant = CONSTANT_ZERO, SCORES(no_scores),
                          .grad = given_grad},
    [OBJECTIVE_CUSTOM] = {"loss", TIDE_REGRESS, LINK_IDENTITY,
                          .constant = CONSTANT_ZERO, SCORES(no_scores),
                          .grad = given_grad},
};

tide_status objective_choose(int32_t asked, uint32_t task, int32_t n_classes,
                             enum objective_id *out, tide_error *err)
{
    int regress = task == TIDE_REGRESS;
    *out = regress          ? OBJECTIVE_SQUARED
           : n_classes <= 2 ? OBJECTIVE_LOGISTIC
                            : OBJECTIVE_SOFTMAX;
    if (asked == OBJECTIVE_AUTO) return TIDE_OK;
    if (!(objective_table[asked].task & task))
        return err_set(err, TIDE_CODE_PARAM_CONFLICT, "loss '%s' does not fit %s",
                       objective_names[asked],
                       regress ? "a number as target" : "classes as target");
    if (asked == OBJECTIVE_LOGISTIC && n_classes > 2)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "loss 'logistic' is for 2 classes and the target has %d",
                       (int)n_classes);
    *out = (enum objective_id)asked;
    return TIDE_OK;
}

static int is_in_range(enum objective_range range, double y)
{
    switch (range) {
    case RANGE_ANY:
        return 1;
    case RANGE_NOT_NEGATIVE:
        return y >= 0;
    case RANGE_POSITIVE:
        return y > 0;
    case RANGE_SHARE:
        return y >= 0 && y <= 1;
    case RANGE_LABEL:
        return y >= 0 && y <= RANK_LABEL_MOST && y == floor(y);
    }
    return 1;
}

tide_status objective_check(enum objective_id id, const struct fit_data *d,
                            tide_error *err)
{
    static const char *const must[] = {"", "at least 0", "above 0", "in [0, 1]",
                                       "of whole numbers in [0, 31]"};
    enum objective_range range = objective_table[id].range;
    for (int64_t i = 0; range != RANGE_ANY && i < d->x->n_rows; i++) {
        double y = d->y[i];
        if (is_in_range(range, y)) continue;
        err_set(err, TIDE_CODE_DATA_TARGET,
                "loss '%s' needs a target %s, got \"%r\" in row %lld",
                objective_names[id], must[range], y, (long long)view_id(d->x, i) + 1);
        if (err) err->row = view_id(d->x, i) + 1;
        return err_hint(err, "loss", "squared");
    }
    return TIDE_OK;
}

double objective_refit_weight(enum objective_id id, double y)
{
    return id == OBJECTIVE_MAPE ? percent_weight(y) : 1;
}

/* ------------------------------------------------------------ quantiles of residuals --- */

double objective_level(const struct objective_fit *o, int32_t k)
{
    return o->of->constant == CONSTANT_LEVEL ? o->level[k] : 0.5;
}

/* By insertion: they are few, and mostly in order. */
void quantiles_sort(double *v, int32_t n)
{
    for (int32_t i = 1; i < n; i++) {
        double x = v[i];
        int32_t j = i;
        for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

static void swap(struct weighted *a, struct weighted *b)
{
    struct weighted t = *a;
    *a = *b;
    *b = t;
}

/* Least value above `than` in v[0..n), or `than`. */
static double next_above(const struct weighted *v, int64_t n, double than)
{
    double best = (double)INFINITY;
    for (int64_t i = 0; i < n; i++)
        if (v[i].weight > 0 && v[i].value > than && v[i].value < best)
            best = v[i].value;
    return best < (double)INFINITY ? best : than;
}

double weighted_quantile(struct weighted *v, int64_t n, double level)
{
    int64_t lo = 0, hi = n, below = 0, all = 0;
    uint64_t draw = 0x9e3779b97f4a7c15u;
    for (int64_t i = 0; i < n; i++) all += v[i].weight;
    double want = level * (double)all;
    /* rows before lo have `below` of the weight and are smaller, those from hi on larger */
    while (lo < hi) {
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        double pivot = v[lo + (int64_t)((draw >> 33) % (uint64_t)(hi - lo))].value;
        int64_t less = lo, more = hi, w_less = 0, w_same = 0;
        for (int64_t i = lo; i < more;) {
            if (v[i].value < pivot) {
                w_less += v[i].weight;
                swap(&v[i++], &v[less++]);
            } else if (v[i].value > pivot) {
                swap(&v[i], &v[--more]);
            } else {
                w_same += v[i++].weight;
            }
        }
        if ((double)(below + w_less) >= want && w_less > 0) {
            hi = less;
        } else if ((double)(below + w_less + w_same) >= want && w_same > 0) {
            double at = (double)(below + w_less + w_same);
            return at > want ? pivot : 0.5 * pivot + 0.5 * next_above(v, n, pivot);
        } else {
            below += w_less + w_same;
            lo = more;
        }
    }
    return n > 0 ? v[n - 1].value : 0;
}
