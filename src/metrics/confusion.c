/* confusion.c - metrics of predicted classes, all from one confusion matrix
 *
 * Definitions and the zero-division rule (0/0 = 0, flagged) follow scikit-learn; g_mean and iba
 * imbalanced-learn. average=auto is the positive class with 2 classes and the plain mean over
 * classes (macro) with more; classes that neither occur nor are predicted do not count. A true
 * class unknown to the model counts as a class of its own that is never predicted.
 * Counts are doubles: exact to 2^53 rows. Intervals: Wilson where the metric is a proportion,
 * else a bootstrap that draws the cells (Poisson of their counts), or rows when weighted. */
#include "metrics/confusion.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "metrics/interval.h"
#include "simd/vmath.h"

enum confusion_average { AVG_AUTO, AVG_BINARY, AVG_MACRO, AVG_MICRO, AVG_WEIGHTED };
static const char *const averages[] = {"auto",  "binary",   "macro",
                                       "micro", "weighted", NULL};
enum kappa_weights { KAPPA_NONE, KAPPA_LINEAR, KAPPA_QUADRATIC };
static const char *const kappa_weights[] = {"none", "linear", "quadratic", NULL};

/* All parameters of the family; each metric's table shows those it has. */
struct confusion_params {
    int32_t average, weights, adjusted;
    double beta, correction, alpha, fp, fn, tp, tn;
};
static const struct confusion_params confusion_defaults = {
    .beta = 1, .alpha = 0.1, .fp = 1, .fn = 1};

#define ROW_AVERAGE                                                                    \
    P_ENUM(confusion_params, average, "auto", averages,                                \
           .help =                                                                     \
               "binary: positive class against the rest; auto: macro from 3 classes")
static const struct tide_param average_rows[] = {ROW_AVERAGE};
static const struct tide_param beta_rows[] = {
    ROW_AVERAGE,
    P_REAL(confusion_params, beta, "1", P_RANGE(0, 100), .flags = TIDE_OPEN_LO,
           .help = "weight of recall against precision"),
};
static const struct tide_param kappa_rows[] = {
    P_ENUM(confusion_params, weights, "none", kappa_weights,
           .help = "how far a confusion counts with ordered classes"),
};
static const struct tide_param balanced_rows[] = {
    P_BOOL(confusion_params, adjusted, "no", .help = "0 for chance, 1 for perfect"),
};
static const struct tide_param g_mean_rows[] = {
    P_REAL(confusion_params, correction, "0", P_RANGE(0, 1),
           .help = "stands in for a recall of 0"),
};
static const struct tide_param iba_rows[] = {
    P_REAL(confusion_params, alpha, "0.1", P_RANGE(0, 1),
           .help = "weight of the dominance"),
};
static const struct tide_param cost_rows[] = {
    P_REAL(confusion_params, fp, "1", .help = "cost of a false positive"),
    P_REAL(confusion_params, fn, "1", .help = "cost of a false negative"),
    P_REAL(confusion_params, tp, "0",
           .help = "cost of a true positive; below 0: profit"),
    P_REAL(confusion_params, tn, "0",
           .help = "cost of a true negative; below 0: profit"),
};

/* ---- the matrix ---- */

/* Cell of row i, or -1 when the prediction is no class. */
static inline int64_t confusion_cell(const struct metric_data *d, int64_t i)
{
    int64_t k = d->k[i] < d->n_classes && d->k[i] >= 0 ? d->k[i] : d->n_classes;
    return d->label[i] < 0 || d->label[i] >= d->n_classes
               ? -1
               : k * (d->n_classes + 1) + d->label[i];
}

static void confusion_sum(struct confusion *c)
{
    int64_t cells = (int64_t)(c->n + 1) * (c->n + 1);
    c->total = 0;
    for (int64_t j = 0; j < cells; j++) c->total += c->cell[j];
}

tide_status confusion_build(struct arena *a, const struct metric_data *d,
                            struct confusion *out, tide_error *err)
{
    int64_t cells = (int64_t)(d->n_classes + 1) * (d->n_classes + 1);
    double w2 = 0;
    *out = (struct confusion){.n = d->n_classes, .positive = d->positive};
    out->cell = arena_array(a, cells, sizeof *out->cell);
    if (!out->cell) return arena_status(a, err);
    memset(out->cell, 0, (size_t)cells * sizeof *out->cell);
    for (int64_t i = 0; i < d->n; i++) {
        int64_t cell = confusion_cell(d, i);
        double w = d->w ? d->w[i] : 1;
        if (cell < 0)
            return err_set(err, TIDE_CODE_HANDLE_INVALID,
                           "predicted class %d of row %lld is none of %d",
                           (int)d->label[i], (long long)(i + 1), (int)d->n_classes);
        out->cell[cell] += w;
        w2 += w * w;
    }
    confusion_sum(out);
    out->rows = d->w ? out->total * out->total / w2 : out->total;
    return TIDE_OK;
}

static double confusion_row(const struct confusion *c, int32_t k)
{
    double s = 0;
    for (int32_t j = 0; j <= c->n; j++) s += c->cell[(int64_t)k * (c->n + 1) + j];
    return s;
}

static double confusion_column(const struct confusion *c, int32_t k)
{
    double s = 0;
    for (int32_t i = 0; i <= c->n; i++) s += c->cell[(int64_t)i * (c->n + 1) + k];
    return s;
}

static double confusion_hit(const struct confusion *c, int32_t k)
{
    return c->cell[(int64_t)k * (c->n + 1) + k];
}

struct confusion_one confusion_class(const struct confusion *c, int32_t k)
{
    struct confusion_one o = {.tp = confusion_hit(c, k)};
    o.fn = confusion_row(c, k) - o.tp;
    o.fp = confusion_column(c, k) - o.tp;
    o.tn = c->total - o.tp - o.fn - o.fp;
    return o;
}

double confusion_cost_threshold(double cost_fp, double cost_fn)
{
    return cost_fp / (cost_fp + cost_fn);
}

/* ---- what a metric computes ---- */

struct confusion_answer {
    double value;
    const char *why;   /* undefined: the reason, else NULL */
    int zero_division; /* a 0/0 was taken as 0 */
    /* the metric is hits out of trials: a Wilson interval */
    int is_share;
    double hits, trials;
};
typedef void (*confusion_fn)(const struct confusion *c,
                             const struct confusion_params *p,
                             struct confusion_answer *out);

static double confusion_ratio(double a, double b, struct confusion_answer *out)
{
    if (b != 0) return a / b;
    out->zero_division = 1;
    return 0;
}

/* ---- ratios averaged over classes ---- */

struct ratio {
    double num, den;
};
typedef struct ratio (*ratio_fn)(const struct confusion_one *o, double beta);

static struct ratio ratio_precision(const struct confusion_one *o, double beta)
{
    (void)beta;
    return (struct ratio){o->tp, o->tp + o->fp};
}
static struct ratio ratio_recall(const struct confusion_one *o, double beta)
{
    (void)beta;
    return (struct ratio){o->tp, o->tp + o->fn};
}
static struct ratio ratio_specificity(const struct confusion_one *o, double beta)
{
    (void)beta;
    return (struct ratio){o->tn, o->tn + o->fp};
}
static struct ratio ratio_jaccard(const struct confusion_one *o, double beta)
{
    (void)beta;
    return (struct ratio){o->tp, o->tp + o->fp + o->fn};
}
static struct ratio ratio_f_beta(const struct confusion_one *o, double beta)
{
    double b = beta * beta;
    return (struct ratio){(1 + b) * o->tp, (1 + b) * o->tp + b * o->fn + o->fp};
}

static int confusion_average_of(const struct confusion *c,
                                const struct confusion_params *p)
{
    if (p->average != AVG_AUTO) return p->average;
    return c->n <= 2 ? AVG_BINARY : AVG_MACRO;
}

static void ratio_average(const struct confusion *c, const struct confusion_params *p,
                          ratio_fn fn, struct confusion_answer *out)
{
    int average = confusion_average_of(c, p);
    struct ratio sum = {0, 0};
    double classes = 0, support = 0, mean = 0, weighted = 0;
    if (average == AVG_BINARY) {
        struct confusion_one o = confusion_class(c, c->positive);
        sum = fn(&o, p->beta);
        out->value = confusion_ratio(sum.num, sum.den, out);
        out->hits = sum.num;
        out->trials = sum.den;
        out->is_share = fn != ratio_f_beta;
        return;
    }
    for (int32_t k = 0; k <= c->n; k++) {
        struct confusion_one o = confusion_class(c, k);
        struct ratio r = fn(&o, p->beta);
        double ratio;
        if (!(o.tp + o.fn + o.fp > 0)) continue; /* neither occurs nor is predicted */
        sum.num += r.num;
        sum.den += r.den;
        ratio = average == AVG_MICRO ? 0 : confusion_ratio(r.num, r.den, out);
        classes += 1;
        support += o.tp + o.fn;
        mean += ratio;
        weighted += ratio * (o.tp + o.fn);
    }
    if (average == AVG_MICRO) {
        out->value = confusion_ratio(sum.num, sum.den, out);
        out->hits = sum.num;
        out->trials = sum.den;
        out->is_share = fn == ratio_precision || fn == ratio_recall;
    } else {
        out->value = average == AVG_MACRO ? confusion_ratio(mean, classes, out)
                                          : confusion_ratio(weighted, support, out);
    }
}

static void precision_of(const struct confusion *c, const struct confusion_params *p,
                         struct confusion_answer *out)
{
    ratio_average(c, p, ratio_precision, out);
}
static void recall_of(const struct confusion *c, const struct confusion_params *p,
                      struct confusion_answer *out)
{
    ratio_average(c, p, ratio_recall, out);
}
static void specificity_of(const struct confusion *c, const struct confusion_params *p,
                           struct confusion_answer *out)
{
    ratio_average(c, p, ratio_specificity, out);
}
static void jaccard_of(const struct confusion *c, const struct confusion_params *p,
                       struct confusion_answer *out)
{
    ratio_average(c, p, ratio_jaccard, out);
}
static void f_beta_of(const struct confusion *c, const struct confusion_params *p,
                      struct confusion_answer *out)
{
    ratio_average(c, p, ratio_f_beta, out);
}

static void f1_of(const struct confusion *c, const struct confusion_params *p,
                  struct confusion_answer *out)
{
    struct confusion_params one = *p;
    one.beta = 1;
    ratio_average(c, &one, ratio_f_beta, out);
}

/* ---- the others ---- */

static void balanced_of(const struct confusion *c, const struct confusion_params *p,
                        struct confusion_answer *out)
{
    double sum = 0, classes = 0;
    for (int32_t k = 0; k <= c->n; k++) {
        double row = confusion_row(c, k);
        if (!(row > 0)) continue;
        sum += confusion_hit(c, k) / row;
        classes += 1;
    }
    out->value = confusion_ratio(sum, classes, out);
    if (p->adjusted && classes < 2) out->why = "adjusted accuracy needs two classes";
    if (p->adjusted) out->value = (out->value - 1 / classes) / (1 - 1 / classes);
}

/* Matthews' coefficient for K classes (Gorodkin 2004). */
static void mcc_of(const struct confusion *c, const struct confusion_params *p,
                   struct confusion_answer *out)
{
    double hit = 0, both = 0, rows = 0, columns = 0, s = c->total, d;
    (void)p;
    for (int32_t k = 0; k <= c->n; k++) {
        double row = confusion_row(c, k), column = confusion_column(c, k);
        hit += confusion_hit(c, k);
        both += row * column;
        rows += row * row;
        columns += column * column;
    }
    d = sqrt(s * s - rows) * sqrt(s * s - columns);
    out->value = confusion_ratio(hit * s - both, d > 0 ? d : 0, out);
}

static double kappa_weight(int weights, int32_t i, int32_t j)
{
    double d = fabs((double)(i - j));
    if (weights == KAPPA_NONE) return i != j;
    return weights == KAPPA_LINEAR ? d : d * d;
}

static void kappa_of(const struct confusion *c, const struct confusion_params *p,
                     struct confusion_answer *out)
{
    double seen = 0, chance = 0;
    for (int32_t i = 0; i <= c->n; i++) {
        double row = confusion_row(c, i);
        if (!(row > 0)) continue;
        for (int32_t j = 0; j <= c->n; j++) {
            double w = kappa_weight(p->weights, i, j);
            seen += w * c->cell[(int64_t)i * (c->n + 1) + j];
            chance += w * row * confusion_column(c, j) / c->total;
        }
    }
    if (!(chance > 0))
        out->why = "kappa needs two classes; truth and predictions are of one";
    else
        out->value = 1 - seen / chance;
}

static void g_mean_of(const struct confusion *c, const struct confusion_params *p,
                      struct confusion_answer *out)
{
    double sum = 0, product = 1, classes = 0;
    for (int32_t k = 0; k <= c->n; k++) {
        double row = confusion_row(c, k), recall;
        if (!(row > 0)) continue;
        recall = confusion_hit(c, k) / row;
        if (recall <= 0) recall = p->correction;
        product *= recall;
        sum += recall > 0 ? vm_log(recall) : 0;
        classes += 1;
    }
    if (product <= 0)
        out->value = 0;
    else
        out->value = classes == 2 ? sqrt(product) : vm_exp(sum / classes);
}

/* Sensitivity and specificity of the positive class; 0 and a reason when one has no rows. */
static int confusion_sides(const struct confusion *c, double *sens, double *spec,
                           struct confusion_answer *out)
{
    struct confusion_one o = confusion_class(c, c->positive);
    if (!(o.tp + o.fn > 0))
        out->why = "there is no row of the positive class";
    else if (!(o.tn + o.fp > 0))
        out->why = "all rows are of the positive class";
    if (out->why) return 0;
    *sens = o.tp / (o.tp + o.fn);
    *spec = o.tn / (o.tn + o.fp);
    return 1;
}

static void iba_of(const struct confusion *c, const struct confusion_params *p,
                   struct confusion_answer *out)
{
    double sens, spec;
    if (confusion_sides(c, &sens, &spec, out))
        out->value = (1 + p->alpha * (sens - spec)) * sens * spec;
}

static void youden_of(const struct confusion *c, const struct confusion_params *p,
                      struct confusion_answer *out)
{
    double sens, spec;
    (void)p;
    if (confusion_sides(c, &sens, &spec, out)) out->value = sens - (1 - spec);
}

static void lr_plus_of(const struct confusion *c, const struct confusion_params *p,
                       struct confusion_answer *out)
{
    struct confusion_one o = confusion_class(c, c->positive);
    double sens, spec;
    (void)p;
    if (!confusion_sides(c, &sens, &spec, out)) return;
    if (!(o.fp > 0))
        out->why = "there is no false positive";
    else
        out->value = sens / (o.fp / (o.fp + o.tn));
}

static void lr_minus_of(const struct confusion *c, const struct confusion_params *p,
                        struct confusion_answer *out)
{
    struct confusion_one o = confusion_class(c, c->positive);
    double sens, spec;
    (void)p;
    if (!confusion_sides(c, &sens, &spec, out)) return;
    if (!(o.tn > 0))
        out->why = "there is no true negative";
    else
        out->value = o.fn / (o.fn + o.tp) / spec;
}

/* ---- intervals by drawing the matrix anew ---- */

struct confusion_boot {
    const struct metric_data *d;
    const struct confusion *real;
    confusion_fn fn;
    const struct confusion_params *params;
    const int64_t *used; /* [n_used] cells that are not 0 */
    int64_t n_used;
    struct confusion *scratch; /* [workers] */
};

static int confusion_replicate(void *arg, const struct boot_draw *draw, double *out)
{
    const struct confusion_boot *b = arg;
    struct confusion *c = &b->scratch[draw->worker];
    struct confusion_answer answer = {0};
    for (int64_t j = 0; j < b->n_used; j++) c->cell[b->used[j]] = 0;
    if (draw->count) {
        for (int64_t i = 0; i < b->d->n; i++)
            c->cell[confusion_cell(b->d, i)] += draw->count[i] * b->d->w[i];
    } else {
        for (int64_t j = 0; j < b->n_used; j++)
            c->cell[b->used[j]] =
                boot_poisson(draw, (uint32_t)b->used[j], b->real->cell[b->used[j]]);
    }
    confusion_sum(c);
    if (!(c->total > 0)) return 0;
    b->fn(c, b->params, &answer);
    *out = answer.value;
    return !answer.why;
}

static tide_status confusion_boot(struct tide_ctx *ctx, struct arena *a,
                                  const struct metric_data *d,
                                  const struct confusion *c, confusion_fn fn,
                                  const struct confusion_params *p, uint64_t seed,
                                  struct metric_value *v, tide_error *err)
{
    int64_t cells = (int64_t)(c->n + 1) * (c->n + 1);
    int workers = par_threads(ctx);
    struct confusion_boot b = {.d = d, .real = c, .fn = fn, .params = p};
    struct boot_job job = {.n = d->w ? d->n : 0,
                           .replicates = d->bootstrap,
                           .seed = seed,
                           .value = confusion_replicate,
                           .arg = &b};
    int64_t *used = arena_array(a, cells, sizeof *used);
    b.scratch = arena_array(a, workers, sizeof *b.scratch);
    for (int i = 0; b.scratch && i < workers; i++) {
        b.scratch[i] = *c;
        b.scratch[i].cell = arena_array(a, cells, sizeof(double));
        if (b.scratch[i].cell)
            memset(b.scratch[i].cell, 0, (size_t)cells * sizeof(double));
    }
    if (a->failed) return arena_status(a, err);
    for (int64_t j = 0; j < cells; j++)
        if (c->cell[j] != 0) used[b.n_used++] = j;
    b.used = used;
    return boot_interval(ctx, &job, v, err);
}

static tide_status confusion_value(struct tide_ctx *ctx, confusion_fn fn,
                                   uint32_t needs, const void *params,
                                   const struct metric_data *d, enum metric_interval ci,
                                   uint64_t seed, struct metric_value *v,
                                   tide_error *err)
{
    const struct confusion_params *p = params ? params : &confusion_defaults;
    struct confusion_answer answer = {0};
    struct confusion c;
    struct arena arena;
    int stop;
    tide_status status = metric_begin(d, METRIC_LABELS | needs, v, &stop, err);
    if (stop) return status;
    arena_init(&arena, ctx);
    status = confusion_build(&arena, d, &c, err);
    if (status) goto done;
    fn(&c, p, &answer);
    if (answer.why) {
        (void)metric_undefined(v, "%s", answer.why);
        goto done;
    }
    metric_set(v, answer.value);
    v->zero_division = answer.zero_division;
    if (ci == METRIC_CI_NONE) goto done;
    if (answer.is_share) {
        double scale = c.rows / c.total;
        if (!(answer.trials > 0)) goto done;
        interval_wilson(answer.hits * scale, answer.trials * scale, &v->lo, &v->hi);
        v->method = "wilson";
    } else {
        status = confusion_boot(ctx, &arena, d, &c, fn, p, seed, v, err);
    }
done:
    arena_free(&arena);
    return status;
}

/* ---- means over rows ---- */

static void rows_hit(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    for (int64_t i = 0; i < n; i++) out[i] = d->k[i0 + i] == d->label[i0 + i];
}
static void rows_miss(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    for (int64_t i = 0; i < n; i++) out[i] = d->k[i0 + i] != d->label[i0 + i];
}
static void rows_cost(const struct loss_job *job, int64_t i0, int64_t n, double *out)
{
    const struct metric_data *d = job->d;
    const struct confusion_params *p = job->params;
    for (int64_t i = 0; i < n; i++) {
        int is = d->k[i0 + i] == d->positive, said = d->label[i0 + i] == d->positive;
        out[i] = is ? (said ? p->tp : p->fn) : (said ? p->fp : p->tn);
    }
}

static tide_status confusion_mean(struct tide_ctx *ctx, loss_fn fn,
                                  enum loss_interval how, uint32_t needs,
                                  const void *params, const struct metric_data *d,
                                  enum metric_interval ci, struct metric_value *v,
                                  tide_error *err)
{
    struct loss_job job = {d, params ? params : &confusion_defaults, fn};
    struct loss_mean mean;
    int stop;
    tide_status status = metric_begin(d, METRIC_LABELS | needs, v, &stop, err);
    if (stop) return status;
    status = loss_mean(ctx, &job, &mean, err);
    if (!status) loss_interval(&mean, how, ci, -INFINITY, INFINITY, v);
    return status;
}

static void accuracy_rows(const struct metric_data *d, double *out)
{
    struct loss_job job = {d, NULL, rows_hit};
    rows_hit(&job, 0, d->n, out);
}
static void error_rows(const struct metric_data *d, double *out)
{
    struct loss_job job = {d, NULL, rows_miss};
    rows_miss(&job, 0, d->n, out);
}

/* ---- descriptors ---- */

/* NAME_value of a metric made from the matrix */
#define CONFUSION_VALUE(name, needs)                                                   \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        return confusion_value(ctx, name##_of, needs, params, d, ci, seed, v, err);    \
    }
CONFUSION_VALUE(precision, 0)
CONFUSION_VALUE(recall, 0)
CONFUSION_VALUE(specificity, 0)
CONFUSION_VALUE(jaccard, 0)
CONFUSION_VALUE(f_beta, 0)
CONFUSION_VALUE(f1, 0)
CONFUSION_VALUE(balanced, 0)
CONFUSION_VALUE(mcc, 0)
CONFUSION_VALUE(kappa, 0)
CONFUSION_VALUE(g_mean, 0)
CONFUSION_VALUE(iba, METRIC_BINARY)
CONFUSION_VALUE(youden, METRIC_BINARY)
CONFUSION_VALUE(lr_plus, METRIC_BINARY)
CONFUSION_VALUE(lr_minus, METRIC_BINARY)

#define MEAN_VALUE(name, fn, how, needs)                                               \
    static tide_status name##_value(struct tide_ctx *ctx, const void *params,          \
                                    const struct metric_data *d,                       \
                                    enum metric_interval ci, uint64_t seed,            \
                                    struct metric_value *v, tide_error *err)           \
    {                                                                                  \
        (void)seed;                                                                    \
        return confusion_mean(ctx, fn, how, needs, params, d, ci, v, err);             \
    }
MEAN_VALUE(accuracy, rows_hit, LOSS_WILSON, 0)
MEAN_VALUE(error, rows_miss, LOSS_WILSON, 0)
MEAN_VALUE(cost, rows_cost, LOSS_T, METRIC_BINARY)

#define CLASS_METRIC(name_, title_, camel_)                                            \
    .name = name_, .title = title_, .camel = camel_, .guide = "Q4",                    \
    .tasks = TIDE_CLASSIFY, .traits = TIDE_TAKES_WEIGHTS

const struct tide_metric tide_metric_accuracy = {
    CLASS_METRIC("accuracy", "Accuracy", "Accuracy"),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = accuracy_value,
    .per_row = accuracy_rows,
};
const struct tide_metric tide_metric_error = {
    CLASS_METRIC("error", "Share of wrong predictions", "ErrorRate"),
    .needs = METRIC_LABELS,
    .worst = 1,
    .chance = NAN,
    .best = 0,
    .value = error_value,
    .per_row = error_rows,
};
const struct tide_metric tide_metric_hamming = {
    CLASS_METRIC("hamming", "Hamming loss", "HammingLoss"),
    .needs = METRIC_LABELS,
    .worst = 1,
    .chance = NAN,
    .best = 0,
    .value = error_value,
    .per_row = error_rows,
};
const struct tide_metric tide_metric_balanced_accuracy = {
    CLASS_METRIC("balanced_accuracy", "Balanced accuracy", "BalancedAccuracy"),
    .paper = "Brodersen et al. 2010",
    .params = TIDE_TABLE(balanced_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = balanced_value,
};
const struct tide_metric tide_metric_precision = {
    CLASS_METRIC("precision", "Precision", "Precision"),
    .params = TIDE_TABLE(average_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = precision_value,
};
const struct tide_metric tide_metric_recall = {
    CLASS_METRIC("recall", "Recall", "Recall"),
    .params = TIDE_TABLE(average_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = recall_value,
};
const struct tide_metric tide_metric_specificity = {
    CLASS_METRIC("specificity", "Specificity", "Specificity"),
    .params = TIDE_TABLE(average_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = specificity_value,
};
const struct tide_metric tide_metric_f_beta = {
    CLASS_METRIC("f_beta", "F-beta", "FBeta"),
    .paper = "van Rijsbergen 1979",
    .params = TIDE_TABLE(beta_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = f_beta_value,
};
const struct tide_metric tide_metric_f1 = {
    CLASS_METRIC("f1", "F1", "F1"),
    .paper = "van Rijsbergen 1979",
    .params = TIDE_TABLE(average_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = f1_value,
};
const struct tide_metric tide_metric_jaccard = {
    CLASS_METRIC("jaccard", "Jaccard index", "Jaccard"),
    .paper = "Jaccard 1912",
    .params = TIDE_TABLE(average_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = jaccard_value,
};
const struct tide_metric tide_metric_mcc = {
    CLASS_METRIC("mcc", "Matthews correlation", "MatthewsCorrelation"),
    .paper = "Matthews 1975; Gorodkin 2004",
    .needs = METRIC_LABELS,
    .worst = -1,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = mcc_value,
};
const struct tide_metric tide_metric_kappa = {
    CLASS_METRIC("kappa", "Cohen's kappa", "CohenKappa"),
    .paper = "Cohen 1960, 1968",
    .params = TIDE_TABLE(kappa_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = -1,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = kappa_value,
};
const struct tide_metric tide_metric_g_mean = {
    CLASS_METRIC("g_mean", "Geometric mean of recalls", "GeometricMean"),
    .paper = "Kubat and Matwin 1997",
    .params = TIDE_TABLE(g_mean_rows, confusion_params),
    .needs = METRIC_LABELS,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = g_mean_value,
};
const struct tide_metric tide_metric_iba = {
    CLASS_METRIC("iba", "Index of balanced accuracy", "IndexBalancedAccuracy"),
    .paper = "Garcia, Mollineda and Sanchez 2009",
    .params = TIDE_TABLE(iba_rows, confusion_params),
    .needs = METRIC_LABELS | METRIC_BINARY,
    .worst = 0,
    .chance = NAN,
    .best = 1,
    .higher_is_better = 1,
    .value = iba_value,
};
const struct tide_metric tide_metric_youden = {
    CLASS_METRIC("youden", "Youden's J", "YoudenJ"),
    .paper = "Youden 1950",
    .needs = METRIC_LABELS | METRIC_BINARY,
    .worst = -1,
    .chance = 0,
    .best = 1,
    .higher_is_better = 1,
    .value = youden_value,
};
const struct tide_metric tide_metric_lr_plus = {
    CLASS_METRIC("lr_plus", "Positive likelihood ratio", "PositiveLikelihoodRatio"),
    .needs = METRIC_LABELS | METRIC_BINARY,
    .worst = 0,
    .chance = 1,
    .best = NAN,
    .higher_is_better = 1,
    .value = lr_plus_value,
};
const struct tide_metric tide_metric_lr_minus = {
    CLASS_METRIC("lr_minus", "Negative likelihood ratio", "NegativeLikelihoodRatio"),
    .needs = METRIC_LABELS | METRIC_BINARY,
    .worst = NAN,
    .chance = 1,
    .best = 0,
    .value = lr_minus_value,
};
const struct tide_metric tide_metric_cost = {
    CLASS_METRIC("cost", "Expected cost of a row", "ExpectedCost"),
    .paper = "Elkan 2001",
    .params = TIDE_TABLE(cost_rows, confusion_params),
    .needs = METRIC_LABELS | METRIC_BINARY,
    .worst = NAN,
    .chance = NAN,
    .best = NAN,
    .value = cost_value,
};
