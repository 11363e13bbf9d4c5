/* boost.c - the rounds of gradient boosting: base, trees, stopping, folds of small tables
 *
 * Stopping   rows given to watch, or a tenth of the rows by Philox(seed, "stop", row id): `patience`
 *            rounds without a lower loss end it and the model is cut to its best round. Rows of
 *            groups are drawn as whole groups; losses of queries watch 1 - NDCG@10, a caller's
 *            loss its value, without which nothing is watched.
 *            stop_on names a metric that is watched instead (stop_metric.c).
 * Small      below 2,000 rows a tenth says little, and stopping not at all overfits: five folds
 *            of the rows (Philox again) are boosted in step, the round of least summed loss is
 *            the number of rounds, and all rows are fitted with it. Six fits of a small table;
 *            of a large one where rounds_by=folds asks for it.
 * Continuing the trees of a model stand first and are replayed into the scores in their order. The
 *            edges are made from the rows at hand, so that new values can be told apart; codes of
 *            levels are the model's. Draws are keyed by the number of the round, so on the same
 *            rows 300 rounds and 200 more are the bytes of 500 at once.
 * Classes    the K trees of a round depend on the scores before it only, so they grow side by
 *            side on several threads; multi=vector grows one tree with K values a leaf.
 * Quantiles  of several shares are outputs like classes, by default of one tree a round; each has a
 *            base, and residual quantiles of its own in every leaf.
 * Guide      Q10 Q13
 */
#include "learners/tree/boost.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/str.h"
#include "learners/tree/constraint.h"
#include "learners/tree/dart.h"
#include "learners/tree/grad.h"
#include "learners/tree/leaf_refit.h"
#include "learners/tree/offset.h"
#include "learners/tree/own_loss.h"
#include "learners/tree/rank_loss.h"
#include "learners/tree/row_sample.h"
#include "learners/tree/stop_metric.h"
#include "learners/tree/target_stat.h"
#include "simd/vmath.h"

#define BOOST_STOP_SHARE 0.1
#define BOOST_FOLD_CODES 64  /* enough to count rounds, and four times as fast */
#define BOOST_FEW_ROUNDS 100 /* where not even folds can be made */

#define BOOST_LOG_STEP    0.7 /* most of a leaf where scores are logs */
#define BOOST_HUBER_LEVEL 0.9 /* share of the distances from the median below delta */

/* Rows that only follow: whose loss is watched, or outside the tree's sample (rows < 1). */
struct watch {
    struct grad_rows rows;
    const struct bin_codes *codes;
    double *score;
    uint32_t *list;
    int64_t n;
};
/* A worker's memory to send them down a tree. */
struct follow {
    uint32_t *list, *scratch;
    struct grow_seg *seg;
    struct weighted *residual; /* of a leaf, where the loss refits */
    uint8_t *sorted;           /* [nodes] child of a split on sorted levels */
};

/* One tree of a round, until it is emitted. */
struct boost_tree {
    struct emit_node *node;
    double *value; /* [nodes][width] */
    uint16_t
        *at; /* [n] leaf of each row of the sample, others 0; NULL: rows have theirs */
    int32_t n_nodes;
    tide_status status;
};

struct boost {
    struct tide_ctx *ctx;
    const struct boost_params *p;
    const struct fit_data *d;
    struct fit_info *info;
    struct arena scratch;  /* everything below, freed at the end */
    struct arena *workers; /* [n_workers] */
    int n_workers;         /* trees of one round grown at once */
    enum objective_id loss;
    struct grad grad;
    struct bin_cuts cuts;
    struct bin_codes codes, other_codes;
    struct target_stats stats; /* their features stand behind the columns */
    struct grow_rules rules;
    struct grow **grow;      /* [n_workers] */
    int32_t width;           /* values a leaf: 1, or all outputs */
    int32_t n_trees;         /* of a round */
    struct boost_tree *tree; /* [n_trees] */
    struct watch watch, bag;
    struct follow *follow; /* [n_workers] */
    uint8_t *skip;         /* [n] 1: set aside for stopping */
    uint32_t *fit_rows, *sampled;
    int64_t n_fit, n_sampled;
    int64_t *cover_unit; /* [n] weights as integers */
    double cover_scale;
    uint8_t *lane_on;
    int64_t *refit_unit; /* [n] weights of residuals as integers; NULL: all 1 */
    double max_leaf;
    struct offset offset;
    double *offsets; /* [n], or NULL */
    double *drawn_w; /* [n] weights of the rows drawn by gradients */
    int64_t *levels;
    int64_t *group_unit; /* [n] place of a row's group by its draw, or NULL */
    int64_t n_groups;
    struct rank *rank;        /* losses of queries; else NULL */
    struct own_loss *own;     /* custom; else NULL */
    struct stop_metric *stop; /* NULL: the loss itself is watched */
    double rate;              /* of this round */
    struct dart *dart;        /* NULL: no tree is ever dropped */
    double *base, *loss_scratch, *y;
    struct emit emit;
    int32_t round, rounds, best_round;
    double best_loss;
    const int64_t *ids;
    const struct ensemble *from; /* what is continued or refitted, or NULL */
    int one_value;               /* nothing to learn */
    int is_fold, is_ready;
};

static int has_stop_metric(const struct boost_params *p)
{
    return p->stop_on && *p->stop_on;
}

/* Trees of several values a leaf grow by leaves or levels, without bounds on values, and their
 * categories are split by sets. */
static tide_status check_vector(const struct boost_params *p, tide_error *err)
{
    const char *other = NULL, *why = NULL;
    if (p->dart > 0) {
        other = "dart";
        why = "'dart' weighs trees of one value a leaf, not those of 'multi' vector";
    } else if (p->growth == BOOST_SYMMETRIC) {
        other = "growth";
        why = "'growth' symmetric grows trees of one value a leaf, not those of "
              "'multi' vector";
    } else if (p->monotone &&
               p->loss != OBJECTIVE_QUANTILE) { /* else the loss is why */
        other = "monotone";
        why = "'monotone' bounds leaves of one value, not those of 'multi' vector";
    } else if (p->cat_split == CAT_ORDER) {
        other = "cat_split";
        why = "trees of 'multi' vector split categories by sets, not by 'cat_split' "
              "order";
    }
    if (!other) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s", why);
    err_field(err, other);
    return err_hint(err, "multi", "trees");
}

static tide_status boost_loss(struct boost *b, tide_error *err)
{
    const struct boost_params *p = b->p;
    enum objective_id id;
    tide_status status =
        objective_choose(p->loss, b->d->task, b->d->n_classes, &id, err);
    if (status) return status;
    if (objective_ranks((int32_t)id) && !b->d->group) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "loss '%s' orders the rows of a query, and no column names the queries",
                objective_names[id]);
        err_field(err, "loss");
        return err_hint(err, "group", "COLUMN");
    }
    if (id == OBJECTIVE_CUSTOM && !(b->d->own_loss && b->d->own_loss->gradient)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "loss '%s' takes its derivatives from a function of the program that "
                "calls the library, and there is none",
                objective_names[id]);
        err_field(err, "loss");
        return err_hint(err, "loss", "squared");
    }
    if (p->multi == BOOST_VECTOR && b->d->task == TIDE_REGRESS &&
        boost_numbers(p) == 1) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'multi' is for classes as target, or for several quantiles");
        return err_field(err, "multi");
    }
    b->loss = id;
    b->grad.n_outputs = id == OBJECTIVE_SOFTMAX ? b->d->n_classes : boost_numbers(p);
    b->width = boost_is_vector(p) ? b->grad.n_outputs : 1;
    if (b->from && p->multi == BOOST_AUTO && b->from->n_outputs == b->grad.n_outputs)
        b->width = b->from->leaf_width; /* trees are of one kind */
    if (b->from && b->width > 1) {
        tide_status refused = check_vector(p, err);
        if (refused) return refused;
    }
    b->n_trees = b->grad.n_outputs / b->width;
    b->grad.loss = (struct objective_fit){.of = &objective_table[id],
                                          .level = p->quantile.items,
                                          .delta = p->delta,
                                          .power = p->power};
    b->max_leaf = p->max_leaf;
    if (b->max_leaf == 0)
        b->max_leaf =
            objective_table[id].link == LINK_EXP ? BOOST_LOG_STEP : (double)INFINITY;
    if (!b->from ||
        (b->from->n_outputs == b->grad.n_outputs && b->from->leaf_width == b->width &&
         b->from->link == objective_table[id].link))
        return TIDE_OK;
    return err_set(err, TIDE_CODE_TIDE_CLASSES, "the trees were made by another loss");
}

static int64_t *boost_ids(const struct view *x, struct arena *a)
{
    int64_t *ids = arena_array(a, x->n_rows + 1, sizeof *ids);
    for (int64_t i = 0; ids && i < x->n_rows; i++) ids[i] = view_id(x, i);
    return ids;
}

/* Which rows are not fitted but watched: fold 0..4, a tenth, or none. */
enum { BOOST_NONE = -2, BOOST_TENTH = -1 };

static uint8_t is_group_skipped(const struct boost *b, int64_t unit, int fold)
{
    int64_t tenth = (int64_t)rint(BOOST_STOP_SHARE * (double)b->n_groups);
    return fold >= 0 ? unit % BOOST_FOLDS == fold : unit < (tenth > 0 ? tenth : 1);
}

static tide_status boost_rows_without(struct boost *b, int fold)
{
    int64_t n = b->d->x->n_rows, m = 0;
    struct rng_key key = rng_key(b->d->seed, "stop");
    b->fit_rows = arena_array(&b->scratch, n + 64, sizeof *b->fit_rows);
    if (fold != BOOST_NONE) b->skip = arena_zero(&b->scratch, (size_t)n + 1);
    tide_status status = arena_status(&b->scratch, NULL);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) {
        if (b->skip && b->group_unit) {
            b->skip[i] = is_group_skipped(b, b->group_unit[i], fold);
        } else if (b->skip) {
            double u = rng_u01(rng_at(key, b->ids[i], 0, 0));
            b->skip[i] =
                fold >= 0 ? (int)(u * BOOST_FOLDS) == fold : u < BOOST_STOP_SHARE;
        }
        if (!b->skip || !b->skip[i]) b->fit_rows[m++] = (uint32_t)i;
    }
    b->n_fit = m;
    return TIDE_OK;
}

/* The offset of every row of the fit. */
static tide_status boost_offset(struct boost *b, tide_error *err)
{
    const struct boost_params *p = b->p;
    const struct view *x = b->d->x;
    int is_log = p->exposure && *p->exposure;
    const char *option = is_log ? "exposure" : "offset";
    const char *name = is_log ? p->exposure : p->offset;
    b->offset.column = -1;
    if (!name || !*name) return TIDE_OK;
    const char *why =
        is_log && p->offset && *p->offset ? "'exposure' and 'offset' exclude "
                                            "each other"
        : b->grad.n_outputs > 1
            ? (b->d->task == TIDE_REGRESS ? "'offset' is for one score a row, not for "
                                            "several quantiles"
                                          : "'offset' is for one score a row, not for "
                                            "more than two classes")
        : is_log && b->grad.loss.of->link != LINK_EXP
            ? "'exposure' is for losses on a log scale: poisson, gamma, tweedie"
            : NULL;
    if (why) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s", why);
        return err_field(err, option);
    }
    tide_status status =
        constraint_column(option, name, x, &b->scratch, &b->offset.column, err);
    if (status) return status;
    b->offset.is_log = is_log;
    if (x->cols[b->offset.column]->type == TIDE_CAT) {
        err_set(err, TIDE_CODE_DATA_TYPE, "%s '%s' holds categories", option, name);
        return err_field(err, option);
    }
    b->offsets = arena_array(&b->scratch, x->n_rows + 1, sizeof *b->offsets);
    if (!b->offsets) return arena_status(&b->scratch, err);
    return offset_read(&b->offset, x, b->offsets, err);
}

/* Weights of residuals for a loss that refits its leaves, as integers. */
static void boost_refit_units(struct boost *b)
{
    int64_t n = b->d->x->n_rows;
    double most = 0;
    if (b->loss != OBJECTIVE_MAPE && !b->d->w) return;
    double *w = arena_array(&b->scratch, n + 1, sizeof *w);
    b->refit_unit = arena_array(&b->scratch, n + 1, sizeof *b->refit_unit);
    for (int64_t i = 0; b->refit_unit && w && i < n; i++) {
        w[i] = objective_refit_weight(b->loss, b->d->y[i]);
        if (b->d->w) w[i] *= b->d->w[i];
        most = w[i] > most ? w[i] : most;
    }
    /* sums stay below 2^53, where doubles are exact */
    double scale = ldexp(grad_sum_scale(most, n), -10);
    for (int64_t i = 0; b->refit_unit && w && i < n; i++)
        b->refit_unit[i] = (int64_t)rint(w[i] * scale);
}

/* The quantile of the targets (y) or of their distances from `from`. */
static double boost_quantile(struct boost *b, double level, int distances, double from,
                             struct weighted *v)
{
    int64_t m = 0;
    for (int64_t j = 0; j < b->n_fit; j++) {
        int64_t i = b->fit_rows[j];
        double y = b->offsets ? b->d->y[i] - b->offsets[i] : b->d->y[i];
        v[m].value = distances ? fabs(y - from) : y;
        v[m++].weight = b->refit_unit ? b->refit_unit[i] : 1;
    }
    return weighted_quantile(v, m, level);
}

/* Mean of the targets; beyond offsets o under an identity link, and under a log link the root of
 * sum w (y e^((1-p) o) - m e^((2-p) o)), where the variance grows as the p-th power. */
static double boost_mean(const struct boost *b, double *work)
{
    const struct fit_data *d = b->d;
    int64_t n = d->x->n_rows;
    double power = b->loss == OBJECTIVE_POISSON ? 1
                   : b->loss == OBJECTIVE_GAMMA ? 2
                                                : b->p->power;
    if (!b->offsets) return grad_mean(d->y, d->w, b->skip, n);
    int is_log = b->grad.loss.of->link == LINK_EXP;
    for (int64_t i = 0; i < n; i++)
        work[i] = is_log ? d->y[i] * vm_exp((1 - power) * b->offsets[i])
                         : d->y[i] - b->offsets[i];
    double mean = grad_mean(work, d->w, b->skip, n);
    if (!is_log) return mean;
    for (int64_t i = 0; i < n; i++) work[i] = vm_exp((2 - power) * b->offsets[i]);
    return mean / grad_mean(work, d->w, b->skip, n);
}

/* The best constant for a number, in scores of output k. work: [n] */
static double boost_best(struct boost *b, int32_t k, struct weighted *v, double *work)
{
    const struct fit_data *d = b->d;
    const struct objective *of = b->grad.loss.of;
    if (of->constant != CONSTANT_MEAN)
        return boost_quantile(b, objective_level(&b->grad.loss, k), 0, 0, v);
    if (b->offsets && of->link == LINK_LOGIT) return 0; /* the offset is all there is */
    double mean = boost_mean(b, work), top = 0;
    for (int64_t i = 0; i < d->x->n_rows; i++) top = d->y[i] > top ? d->y[i] : top;
    if (of->link == LINK_LOGIT) { /* a share of 0 or 1 has no log-odds */
        mean = mean < 1e-9 ? 1e-9 : mean > 1 - 1e-9 ? 1 - 1e-9 : mean;
        return vm_log(mean / (1 - mean));
    }
    if (of->link == LINK_EXP) return vm_log(mean > 1e-9 * top ? mean : 1e-9 * top);
    return mean;
}

static tide_status boost_constant(struct boost *b, tide_error *err)
{
    const struct fit_data *d = b->d;
    const struct objective *of = b->grad.loss.of;
    int64_t n = d->x->n_rows;
    struct weighted *v = NULL;
    if (of->constant == CONSTANT_MEDIAN || of->constant == CONSTANT_LEVEL) {
        v = arena_array(&b->scratch, b->n_fit + 1, sizeof *v);
        boost_refit_units(b);
    }
    b->y = arena_array(&b->scratch, n + 1, sizeof *b->y);
    tide_status status = arena_status(&b->scratch, err);
    if (!status) status = objective_check(b->loss, d, err);
    if (status) return status;
    /* what a caller's loss makes of equal targets is not known */
    b->one_value = !b->from && b->loss != OBJECTIVE_CUSTOM;
    for (int64_t i = 0; i < n; i++) b->one_value &= d->y[i] == d->y[0] && !b->offsets;
    if (of->constant == CONSTANT_ZERO) {
        memcpy(b->y, d->y, (size_t)n * sizeof *b->y);
        return TIDE_OK;
    }
    if (b->one_value) {
        for (int32_t k = 0; k < b->grad.n_outputs; k++)
            b->base[k] = n > 0 ? d->y[0] : 0;
        return TIDE_OK;
    }
    for (int32_t k = 0; k < b->grad.n_outputs; k++)
        b->base[k] = b->from ? b->from->base[k] : boost_best(b, k, v, b->y);
    if (of->link == LINK_IDENTITY) b->grad.loss.base = b->base[0];
    for (int64_t i = 0; i < n; i++) b->y[i] = d->y[i] - b->grad.loss.base;
    if (b->p->delta == 0 &&
        (b->loss == OBJECTIVE_HUBER || b->loss == OBJECTIVE_PSEUDO_HUBER)) {
        double far = boost_quantile(b, BOOST_HUBER_LEVEL, 1, b->base[0], v);
        b->grad.loss.delta = far > 0 ? far : 1;
    }
    return TIDE_OK;
}

static tide_status boost_base(struct boost *b, tide_error *err)
{
    const struct fit_data *d = b->d;
    int64_t n = d->x->n_rows;
    int32_t k = b->grad.n_outputs;
    b->base = arena_zero(&b->scratch, (size_t)k * sizeof *b->base);
    if (!b->base) return arena_status(&b->scratch, err);
    if (d->task == TIDE_REGRESS) return boost_constant(b, err);
    if (b->from) {
        memcpy(b->base, b->from->base, (size_t)k * sizeof *b->base);
        return TIDE_OK;
    }
    double *sum = arena_array(&b->scratch, d->n_classes + 2, sizeof *sum), all = 0;
    if (!sum) return arena_status(&b->scratch, err);
    grad_class_weights(d->k, d->w, b->skip, n, d->n_classes, sum);
    int seen = 0;
    for (int32_t c = 0; c < d->n_classes; c++) {
        all += sum[c];
        seen += sum[c] > 0;
    }
    b->one_value = seen <= 1;
    double least = all > 0 ? all * 1e-9 : 1; /* a class without rows has no log */
    for (int32_t c = 0; c < d->n_classes; c++) sum[c] = sum[c] > least ? sum[c] : least;
    if (k == 1 && b->offsets && !b->one_value)
        b->base[0] = 0; /* the offset is all there is */
    else if (k == 1)
        b->base[0] = d->n_classes > 1 ? vm_log(sum[1] / sum[0]) : 0;
    else
        for (int32_t c = 0; c < k; c++) b->base[c] = vm_log(sum[c] / all);
    return TIDE_OK;
}

/* Weights as integers, so that covers do not depend on the order of rows. */
static void boost_cover_units(struct boost *b)
{
    const double *w = b->d->w;
    int64_t n = b->d->x->n_rows;
    int e, en;
    if (!w) return;
    b->cover_unit = arena_array(&b->scratch, n + 1, sizeof *b->cover_unit);
    if (!b->cover_unit) return;
    (void)frexp(b->grad.w_most, &e);
    (void)frexp((double)n, &en);
    b->cover_scale = ldexp(1, 52 - e - en);
    for (int64_t i = 0; i < n; i++)
        b->cover_unit[i] = (int64_t)rint(w[i] * b->cover_scale);
}

static double boost_cover(const struct boost *b, const struct grow *g,
                          const struct grow_node *q)
{
    int64_t sum = 0;
    if (!b->cover_unit) return (double)q->n;
    for (uint32_t i = 0; i < q->n; i++) sum += b->cover_unit[g->ids[q->beg + i]];
    return (double)sum / b->cover_scale;
}

/* Scores before the first tree; under an identity link less what is off the targets. */
static double *boost_scores(struct boost *b, const struct view *x)
{
    int32_t k = b->grad.n_outputs;
    int64_t n = x->n_rows;
    double *score = arena_array(&b->scratch, n * k + 1, sizeof *score);
    for (int64_t i = 0; score && i < n; i++)
        for (int32_t c = 0; c < k; c++)
            score[i * k + c] = b->base[c] - b->grad.loss.base;
    if (score) offset_add(&b->offset, x, 0, n, score);
    return score;
}

/* Codes of the fit's rows, which do not know their own targets; NULL: no statistics. */
static const uint8_t *const *boost_stat_codes(struct boost *b)
{
    if (!b->stats.n) return NULL;
    const uint8_t **own = arena_array(&b->scratch, b->stats.n, sizeof *own);
    for (int32_t i = 0; i < b->stats.n && own; i++) own[i] = b->stats.of[i].codes;
    return own;
}

/* Scores after the trees that a model has. */
static tide_status boost_replay(struct boost *b, const struct view *x, double *score,
                                tide_error *err)
{
    if (!b->from || !score) return arena_status(&b->scratch, err);
    const uint8_t *const *own = x == b->d->x ? boost_stat_codes(b) : NULL;
    tide_status status = arena_status(&b->scratch, err);
    return status ? status
                  : ensemble_add(b->ctx, b->from, x, own, &b->scratch, score, err);
}

/* The rows whose loss stops the rounds. */
static tide_status boost_watch(struct boost *b, const struct fit_data *valid,
                               tide_error *err)
{
    struct watch *w = &b->watch;
    if (valid) {
        int64_t n = valid->x->n_rows;
        tide_status status = objective_check(b->loss, valid, err);
        if (!status)
            status = target_stats_code(&b->stats, valid->x, &b->scratch, &b->cuts, err);
        if (!status)
            status = bins_code(b->ctx, &b->cuts, valid->x, 0, &b->scratch,
                               &b->other_codes, err);
        if (status) return status;
        double *y = valid->y ? arena_array(&b->scratch, n + 1, sizeof *y) : NULL;
        for (int64_t i = 0; y && i < n; i++) y[i] = valid->y[i] - b->grad.loss.base;
        w->rows = (struct grad_rows){.n = n, .y = y, .k = valid->k, .w = valid->w};
        w->codes = &b->other_codes;
        w->score = boost_scores(b, valid->x);
        status = boost_replay(b, valid->x, w->score, err);
        if (status) return status;
        w->list = arena_array(&b->scratch, n + 64, sizeof *w->list);
        for (int64_t i = 0; w->list && i < n; i++) w->list[i] = (uint32_t)i;
        w->n = n;
    } else if (b->skip) {
        int64_t n = b->d->x->n_rows;
        w->rows = b->grad.rows;
        w->codes = &b->codes;
        w->score = b->grad.score;
        w->list = arena_array(&b->scratch, n - b->n_fit + 64, sizeof *w->list);
        for (int64_t i = 0; w->list && i < n; i++)
            if (b->skip[i]) w->list[w->n++] = (uint32_t)i;
    }
    if (b->p->rows < 1) {
        b->bag.codes = &b->codes;
        b->bag.score = b->grad.score;
        b->bag.list = arena_array(&b->scratch, b->n_fit + 64, sizeof *b->bag.list);
        b->sampled = arena_array(&b->scratch, b->n_fit + 64, sizeof *b->sampled);
        if (b->p->sampling != SAMPLE_UNIFORM) {
            b->levels = arena_array(&b->scratch, ROW_SAMPLE_LEVELS, sizeof *b->levels);
            b->drawn_w = arena_array(&b->scratch, b->d->x->n_rows + 1, sizeof(double));
        }
    }
    b->loss_scratch = arena_array(&b->scratch, w->n + 1, sizeof *b->loss_scratch);
    return arena_status(&b->scratch, err);
}

/* A statistic is in the groups that all its columns are in. */
static void boost_stat_groups(struct boost *b)
{
    uint64_t *groups = (uint64_t *)(uintptr_t)b->rules.groups; /* made for us */
    for (int32_t i = 0; i < b->stats.n; i++) {
        const struct bin_feature *f = b->cuts.feature;
        const int32_t *source = b->stats.of[i].source;
        int32_t lane = f[b->d->x->n_cols + i].lane;
        if (lane < 0 || f[source[0]].lane < 0) continue;
        groups[lane] = groups[f[source[0]].lane];
        if (source[1] >= 0)
            groups[lane] &= f[source[1]].lane < 0 ? 0 : groups[f[source[1]].lane];
    }
}

static tide_status boost_rules(struct boost *b, tide_error *err)
{
    const struct boost_params *p = b->p;
    b->rules = (struct grow_rules){.leaves = p->leaves,
                                   .depth = p->depth,
                                   .min_rows = p->min_rows,
                                   .min_hessian = p->min_hessian,
                                   .l1 = p->l1,
                                   .l2 = p->l2,
                                   .min_gain = p->min_gain,
                                   .cat_smooth = p->cat_smooth,
                                   .cat_l2 = p->cat_l2,
                                   .cat_rows = p->cat_rows,
                                   .cat_sides = 32,
                                   .cat_alone = 4,
                                   .cat_split = (enum cat_split)p->cat_split,
                                   .outputs = b->width,
                                   .level_wise = p->growth == BOOST_LEVEL,
                                   .symmetric = p->growth == BOOST_SYMMETRIC};
    const struct view *x = b->d->x;
    if (b->rules.symmetric) {
        b->rules.depth = p->depth > 0 ? p->depth : BOOST_SYMMETRIC_DEPTH;
        if (b->rules.depth > BOOST_SYMMETRIC_MOST)
            b->rules.depth = BOOST_SYMMETRIC_MOST;
        b->rules.leaves = 1 << b->rules.depth;
    }
    if (p->monotone && b->grad.loss.of->refit) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "loss '%s' fits its leaves by quantiles, which 'monotone' cannot bound",
                objective_names[b->loss]);
        err_field(err, "monotone");
        return err_hint(err, "loss", "huber");
    }
    tide_status status =
        constraint_monotone(p->monotone, x, &b->cuts, &b->scratch, &b->rules, err);
    if (!status)
        status =
            constraint_interact(p->interact, x, &b->cuts, &b->scratch, &b->rules, err);
    if (!status && b->rules.groups) boost_stat_groups(b);
    return status;
}

/* Workspaces: one tree at a time, or the trees of a round side by side. */
static tide_status boost_workers(struct boost *b, tide_error *err)
{
    int threads = par_threads(b->ctx);
    int64_t slots = 2 * (int64_t)b->rules.leaves + 2;
    b->n_workers = b->n_trees >= 3 && threads > 1 && !b->is_fold ? threads : 1;
    b->workers = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof *b->workers);
    b->grow = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof(struct grow *));
    b->tree = arena_zero(&b->scratch, (size_t)b->n_trees * sizeof *b->tree);
    b->lane_on = arena_array(&b->scratch, b->cuts.n_lanes + 1, 1);
    tide_status status = arena_status(&b->scratch, err);
    if (slots > 2 * b->n_fit + 4) slots = 2 * b->n_fit + 4;
    int late = b->width == 1 && !(b->p->dart > 0) && !b->own && !b->rank;
    int meet = (b->n_trees > 1 || late) && slots <= UINT16_MAX;
    for (int32_t c = 0; c < b->n_trees && !status; c++) {
        b->tree[c].node = arena_array(&b->scratch, slots, sizeof *b->tree[c].node);
        b->tree[c].value =
            arena_array(&b->scratch, slots, (size_t)b->width * sizeof(double));
        if (meet)
            b->tree[c].at = arena_zero(&b->scratch, ((size_t)b->d->x->n_rows + 1) *
                                                        sizeof(uint16_t));
    }
    int64_t most = b->bag.list && b->n_fit > b->watch.n ? b->n_fit : b->watch.n;
    b->follow = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof *b->follow);
    for (int i = 0; i < b->n_workers && b->follow; i++) {
        struct follow *w = &b->follow[i];
        w->sorted = arena_array(&b->scratch, slots, 1);
        if (b->grad.loss.of->refit)
            w->residual = arena_array(&b->scratch, b->n_fit + 1, sizeof *w->residual);
        if (!most) continue;
        w->list = arena_array(&b->scratch, most + 64, sizeof *w->list);
        w->scratch = arena_array(&b->scratch, most + 64, sizeof *w->scratch);
        w->seg = arena_array(&b->scratch, slots, sizeof *w->seg);
    }
    if (!status) status = arena_status(&b->scratch, err);
    for (int i = 0; i < b->n_workers && !status; i++) {
        arena_init(&b->workers[i], b->ctx);
        status =
            grow_new(b->ctx, &b->cuts, &b->codes, &b->rules, b->n_fit,
                     b->n_workers > 1 ? 1 : threads, &b->workers[i], &b->grow[i], err);
        if (!status)
            b->grow[i]->lane_on = b->p->columns < 1 || b->offsets ? b->lane_on : NULL;
    }
    return status;
}

/* Rows of this round's trees: those whose draw is below their chance, `rows` where all are
 * alike. Chances by gradients need these first, and weights of the rows drawn make them anew. */
static tide_status boost_sample(struct boost *b, tide_error *err)
{
    struct rng_key key = rng_key(b->d->seed, "bag");
    struct row_chances chances = {0};
    struct grad *g = &b->grad;
    if (b->p->rows >= 1) {
        b->sampled = b->fit_rows;
        b->n_sampled = b->n_fit;
        return TIDE_OK;
    }
    if (b->drawn_w) {
        row_chances_find(g, (enum row_sampling)b->p->sampling, b->p->rows, b->fit_rows,
                         b->n_fit, b->levels, &chances);
        memset(b->drawn_w, 0, (size_t)g->rows.n * sizeof *b->drawn_w);
    }
    b->n_sampled = b->bag.n = 0;
    for (int64_t j = 0; j < b->n_fit; j++) {
        int64_t i = b->fit_rows[j];
        double p = b->drawn_w ? row_chance(g, &chances, i) : b->p->rows;
        if (rng_u01(rng_at(key, g->rows.ids[i], (uint32_t)b->round, 0)) < p) {
            b->sampled[b->n_sampled++] = b->fit_rows[j];
            if (b->drawn_w) b->drawn_w[i] = (b->d->w ? b->d->w[i] : 1) / p;
        } else {
            b->bag.list[b->bag.n++] = b->fit_rows[j];
        }
    }
    if (!b->drawn_w) return TIDE_OK;
    g->rows.w = b->drawn_w;
    g->by_pass = 1;
    return grad_make(g, b->round, err);
}

/* Columns of this round's trees: the smallest draws by name. */
static void boost_columns(struct boost *b)
{
    struct rng_key key = rng_key(b->d->seed, "column");
    int32_t n = b->cuts.n_lanes, want = (int32_t)rint(b->p->columns * n);
    int32_t never = b->offsets ? b->cuts.feature[b->offset.column].lane : -1;
    if (b->p->columns >= 1) {
        memset(b->lane_on, 1, (size_t)n);
        if (never >= 0) b->lane_on[never] = 0;
        return;
    }
    if (never >= 0 && want > n - 1) want = n - 1;
    want = want < 1 && n > (never >= 0) ? 1 : want;
    memset(b->lane_on, 0, (size_t)n);
    for (int32_t have = 0; have < want; have++) {
        int32_t best = -1;
        uint64_t least = 0;
        for (int32_t l = 0; l < n; l++) {
            if (b->lane_on[l] || l == never) continue;
            uint32_t name = b->cuts.feature[b->cuts.lane_feature[l]].hash;
            uint64_t u = rng_u64(rng_at(key, b->round, name, 0));
            if (best < 0 || u < least) {
                best = l;
                least = u;
            }
        }
        b->lane_on[best] = 1;
    }
}

static void watch_add(const struct boost *b, const struct watch *w, struct follow *f,
                      const struct grow *g, int32_t k, const double *value)
{
    if (!w->n) return;
    memcpy(f->list, w->list, (size_t)w->n * sizeof *w->list);
    grow_replay(g, w->codes, f->list, w->n, f->scratch, f->seg);
    for (int32_t i = 0; i < g->n_nodes; i++, value += b->width)
        for (uint32_t r = 0; g->node[i].left < 0 && r < f->seg[i].n; r++) {
            int64_t row = f->list[f->seg[i].beg + r];
            double *to = w->score + row * b->grad.n_outputs + k;
            for (int32_t c = 0; c < b->width; c++) to[c] += value[c];
        }
}

/* Quantile of the residuals of output k in a leaf's rows. */
static double boost_refit(const struct boost *b, const struct grow *g, int64_t k,
                          const struct grow_node *q, struct weighted *v)
{
    const double *score = b->grad.score + k;
    int64_t n_out = b->grad.n_outputs;
    for (uint32_t r = 0; r < q->n; r++) {
        uint32_t i = g->ids[q->beg + r];
        v[r].value = b->y[i] - score[i * n_out];
        v[r].weight = b->refit_unit ? b->refit_unit[i] : 1;
    }
    return weighted_quantile(v, q->n, objective_level(&b->grad.loss, (int32_t)k));
}

static double held(double v, double lo, double hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* Value c of a node, before limits. */
static double boost_step(const struct boost *b, const struct grow *g,
                         const struct grow_grad *grad, const struct grow_node *q,
                         struct follow *f, int32_t c)
{
    uint8_t sorted = f->sorted[q - g->node];
    if (b->grad.loss.of->refit)
        return boost_refit(b, g, grad - b->grad.out + c, q, f->residual);
    return b->width > 1 ? vector_value(g, grad, q, c, sorted)
                        : grow_value(g, grad, q, sorted);
}

/* Steps of the leaves, before the rate: Newton's or a quantile, within max_leaf, drawn to the
 * value of the parent by path_smooth. value: [n_nodes][width], of inner nodes too where smoothed. */
static void boost_values(const struct boost *b, const struct grow *g,
                         const struct grow_grad *grad, struct follow *f, double *value)
{
    double smooth = b->p->path_smooth;
    int64_t width = b->width;
    f->sorted[0] = 0;
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const struct grow_node *q = &g->node[i];
        if (q->left >= 0)
            f->sorted[q->left] = f->sorted[q->right] =
                (uint8_t)split_is_sorted(g, &q->split);
        if (q->left >= 0 && smooth == 0) continue;
        for (int32_t c = 0; c < width; c++) {
            double *at = &value[i * width + c];
            double v = boost_step(b, g, grad, q, f, c);
            v = held(v, -b->max_leaf, b->max_leaf);
            if (smooth > 0 && i > 0) /* *at holds the parent's */
                v = (v * q->n + *at * smooth) / (q->n + smooth);
            *at = v = held(held(v, q->lo, q->hi), -b->max_leaf, b->max_leaf);
            if (q->left >= 0)
                value[q->left * width + c] = value[q->right * width + c] = v;
        }
    }
}

/* Leaf values to the scores of the rows of nodes. */
struct score_job {
    const struct boost *b;
    const struct grow *g;
    const double *value;
    int64_t k;
};

#define SCORE_NODES   4 /* nodes of one task */
#define SCORE_AHEAD   32
#define SCORE_PAR_MIN 4096

static void score_task(void *arg, int64_t task, int worker)
{
    const struct score_job *job = arg;
    const struct grow *g = job->g;
    int64_t n_out = job->b->grad.n_outputs, end = (task + 1) * SCORE_NODES;
    double *score = job->b->grad.score + job->k;
    (void)worker;
    for (int64_t i = task * SCORE_NODES; i < end && i < g->n_nodes; i++) {
        const struct grow_node *q = &g->node[i];
        const uint32_t *ids = g->ids + q->beg;
        int32_t width = job->b->width;
        const double *value = job->value + i * width;
        if (q->left >= 0) continue;
        for (uint32_t r = 0; r < q->n; r++) {
            double *to = score + (int64_t)ids[r] * n_out;
            if (r + SCORE_AHEAD < q->n)
                __builtin_prefetch(score + (int64_t)ids[r + SCORE_AHEAD] * n_out, 1);
            for (int32_t c = 0; c < width; c++) to[c] += value[c];
        }
    }
}

/* The same, told by leaf: two bytes a row are written where scores are eight. */
static void place_task(void *arg, int64_t task, int worker)
{
    const struct score_job *job = arg;
    const struct grow *g = job->g;
    uint16_t *at = job->b->tree[job->k].at;
    int64_t end = (task + 1) * SCORE_NODES;
    (void)worker;
    for (int64_t i = task * SCORE_NODES; i < end && i < g->n_nodes; i++) {
        const struct grow_node *q = &g->node[i];
        const uint32_t *ids = g->ids + q->beg;
        for (uint32_t r = 0; q->left < 0 && r < q->n; r++) at[ids[r]] = (uint16_t)i;
    }
}

/* Leaf values of tree k to the scores of its rows: when the next gradients are made or, where a
 * round has several trees, once they are all there (scores_meet), so that a row's scores come
 * into the cache once; else at once. */
static tide_status scores_add(struct boost *b, const struct grow *g, int64_t k)
{
    const struct boost_tree *t = &b->tree[k];
    struct score_job job = {b, g, t->value, k};
    int64_t tasks = (g->n_nodes + SCORE_NODES - 1) / SCORE_NODES;
    int places = t->at && g->n_nodes > 1;
    par_fn fn = places ? place_task : score_task;
    if (t->at && (g->n_nodes == 1 || b->p->rows < 1))
        memset(t->at, 0, (size_t)b->d->x->n_rows * sizeof *t->at);
    if (places && b->n_trees == 1) {
        b->grad.late = t->at;
        b->grad.late_value = t->value;
    }
    if (b->n_sampled >= SCORE_PAR_MIN && b->n_workers == 1)
        return par_for(b->ctx, tasks, fn, &job, NULL);
    for (int64_t i = 0; i < tasks; i++) fn(&job, i, 0);
    return TIDE_OK;
}

static void meet_block(void *arg, int64_t block, int worker)
{
    const struct boost *b = arg;
    int64_t n = b->d->x->n_rows, k = b->n_trees, end = (block + 1) * PAR_BLOCK;
    (void)worker;
    for (int64_t i0 = block * PAR_BLOCK; i0 < end && i0 < n; i0 += GRAD_TILE) {
        double *score = b->grad.score + i0 * k;
        int64_t m = n - i0 < GRAD_TILE ? n - i0 : GRAD_TILE;
        for (int64_t c = 0; c < k; c++) {
            const struct boost_tree *t = &b->tree[c];
            for (int64_t i = 0; i < m && t->n_nodes > 1; i++)
                score[i * k + c] += t->value[t->at[i0 + i]];
        }
    }
}

static tide_status scores_meet(struct boost *b, tide_error *err)
{
    int64_t blocks = (b->d->x->n_rows + PAR_BLOCK - 1) / PAR_BLOCK;
    int meet = b->n_trees > 1 && b->tree[0].at;
    return meet ? par_for(b->ctx, blocks, meet_block, b, err) : TIDE_OK;
}

/* Grows tree k of this round, output k's or that of all, and adds it to the scores of the fit's
 * rows. */
static void boost_one(void *arg, int64_t k, int worker)
{
    struct boost *b = arg;
    struct boost_tree *t = &b->tree[k];
    int own = b->n_workers > 1 ? worker : 0;
    struct grow *g = b->grow[own];
    const struct grow_grad *grad = &b->grad.out[k];
    g->draw = (struct grow_draw){.level = b->p->columns_level,
                                 .node = b->p->columns_node,
                                 .key = rng_key(b->d->seed, "node"),
                                 .tree = (int64_t)b->round * b->n_trees + k};
    double rate = b->dart ? b->rate * dart_share(b->dart) : b->rate;
    t->status = grow_tree(g, grad, b->sampled, b->n_sampled, NULL);
    t->n_nodes = g->n_nodes;
    if (!t->status) boost_values(b, g, grad, &b->follow[own], t->value);
    for (int32_t i = g->n_nodes - 1; i >= 0 && !t->status; i--) {
        const struct grow_node *q = &g->node[i];
        grow_describe(g, q, &t->node[i]);
        if (t->node[i].feature >= b->d->x->n_cols)
            t->node[i].missing_left = 0; /* a statistic is never missing */
        for (int32_t c = 0; c < b->width; c++) {
            double *v = &t->value[(int64_t)i * b->width + c];
            *v = q->left < 0 ? *v * rate : 0;
        }
        t->node[i].cover = q->left < 0
                               ? boost_cover(b, g, q)
                               : t->node[q->left].cover + t->node[q->right].cover;
    }
    if (t->status) return;
    t->status = scores_add(b, g, k);
    watch_add(b, &b->watch, &b->follow[own], g, (int32_t)k, t->value);
    watch_add(b, &b->bag, &b->follow[own], g, (int32_t)k, t->value);
    if (b->dart && !t->status)
        t->status = dart_keep(b->dart, (int32_t)k, g, t->value, &b->workers[own]);
}

/* Derivatives of losses whose rows have none of their own. */
static tide_status boost_derive(struct boost *b, tide_error *err)
{
    const double *score = b->grad.score;
    if (b->own) return own_loss_derive(b->own, score, b->round, err);
    if (!b->rank) return TIDE_OK;
    return b->loss == OBJECTIVE_XENDCG
               ? rank_derive_entropy(b->rank, score, b->round, err)
               : rank_derive(b->rank, score, err);
}

/* One round: gradients, a tree an output or one of all. */
static tide_status boost_round(struct boost *b, tide_error *err)
{
    int32_t k = b->n_trees;
    boost_columns(b);
    b->rate = b->round ? b->rate * b->p->decay : b->p->rate;
    b->grad.rows.w = b->d->w;
    b->grad.by_pass = 0;
    tide_status status =
        b->dart ? dart_drop(b->dart, b->round, b->grad.score, err) : TIDE_OK;
    if (!status) status = boost_derive(b, err);
    if (!status) status = grad_make(&b->grad, b->round, err);
    if (!status) status = boost_sample(b, err);
    int coarse = 0;
    for (int32_t c = 0; c < k && !status; c++) coarse |= grad_is_coarse(&b->grad, c);
    if (coarse && !status) status = grad_refine(&b->grad, &b->scratch, err);
    if (b->n_workers > 1 && !status) {
        status = par_for(b->ctx, k, boost_one, b, err);
    } else {
        for (int32_t c = 0; c < k && !status && !(c && b->tree[c - 1].status); c++)
            boost_one(b, c, 0);
    }
    for (int32_t c = 0; c < k && !status; c++) {
        if (b->tree[c].status == TIDE_ECANCELLED) return err_cancelled(err);
        if (b->tree[c].status == TIDE_ELIMIT) return ctx_memory_refused(b->ctx, 0, err);
        if (b->tree[c].status) return err_nomem(err, 0);
    }
    if (!status) status = scores_meet(b, err);
    for (int32_t c = 0; c < k && !status; c++)
        emit_add(&b->emit, c, b->tree[c].node, 0, b->tree[c].value);
    if (!status && b->emit.failed) status = err_nomem(err, 0);
    if (!status && b->dart) dart_return(b->dart, b->grad.score, &b->emit);
    return status;
}

/* What the rows watched say of the scores: less is better. */
static tide_status watch_loss(const struct boost *b, double *loss, tide_error *err)
{
    const struct watch *w = &b->watch;
    if (b->stop) return stop_metric_value(b->ctx, b->stop, w->score, loss, err);
    if (b->own)
        return own_loss_value(b->own, &w->rows, w->score, w->list, w->n, loss, err);
    *loss = b->rank ? 1 - rank_watched(b->rank, w->score)
                    : grad_loss_of(&b->grad, &w->rows, w->score, w->list, w->n,
                                   b->loss_scratch);
    return TIDE_OK;
}

static int32_t boost_say(const struct boost *b, double loss, char *text, int size)
{
    if (!b->watch.n) return str_format(text, (size_t)size, "round %d", (int)b->round);
    struct str s = {0};
    const struct tide_metric *of = b->stop ? stop_metric_of(b->stop) : NULL;
    double shown = of        ? (of->higher_is_better ? -loss : loss)
                   : b->rank ? 1 - loss
                             : loss;
    str_num_g(&s, shown, 4);
    int32_t n = str_format(text, (size_t)size, "%s %s",
                           of ? of->name : b->grad.loss.of->shown, s.s ? s.s : "");
    str_free(&s);
    return n;
}

/* The statistics as features behind the columns. */
static tide_status boost_save_stats(const struct boost *b, struct arena *a,
                                    struct emit_feature *f, struct emit *to,
                                    tide_error *err)
{
    int32_t n = b->stats.n;
    uint32_t edges = 0;
    if (!n) return TIDE_OK;
    for (int32_t i = 0; i < n; i++) edges += (uint32_t)b->stats.of[i].n_edge;
    int32_t *source = arena_array(a, n, 2 * sizeof *source);
    int32_t *output = arena_array(a, n, sizeof *output);
    uint32_t *off = arena_zero(a, ((size_t)n + 1) * sizeof *off);
    double *edge = arena_array(a, (int64_t)edges + 1, sizeof *edge);
    struct ensemble_origin *origin = arena_array(a, 1, sizeof *origin);
    if (!source || !output || !off || !edge || !origin) return arena_status(a, err);
    for (int32_t i = 0; i < n; i++) {
        const struct target_stat *s = &b->stats.of[i];
        f[i] = (struct emit_feature){.kind = 1, .level_code = s->table};
        f[i].n_level = (s->n_level[0] + 1) * (s->source[1] < 0 ? 1 : s->n_level[1] + 1);
        memcpy(source + 2 * (size_t)i, s->source, sizeof s->source);
        output[i] = s->output;
        memcpy(edge + off[i], s->edge, (size_t)s->n_edge * sizeof *edge);
        off[i + 1] = off[i] + (uint32_t)s->n_edge;
    }
    *origin = (struct ensemble_origin){
        .output = output, .edge_off = off, .edge = edge, .range = b->stats.range};
    to->n_derived = n;
    to->source = source;
    to->origin = origin;
    return TIDE_OK;
}

static tide_status boost_save(const struct boost *b, struct arena *a, struct state *out,
                              tide_error *err)
{
    const struct view *x = b->d->x;
    int64_t all = (int64_t)x->n_cols + b->stats.n;
    struct emit_feature *f = arena_zero(a, ((size_t)all + 1) * sizeof *f);
    struct ensemble *e = NULL;
    struct emit best = b->emit; /* its trees are shared, its counts are cut */
    int32_t link = b->grad.loss.of->link;
    if (b->d->task == TIDE_REGRESS && b->one_value) link = LINK_IDENTITY;
    if (!f) return arena_status(a, err);
    if (b->d->task == TIDE_CLASSIFY && b->d->n_classes == 1) link = LINK_SOFTMAX;
    for (int32_t j = 0; j < x->n_cols; j++) {
        f[j].kind = x->cols[j]->type == TIDE_CAT;
        f[j].n_level = f[j].kind ? x->cols[j]->dict.n : 0;
        if (b->cuts.feature) f[j].level_code = b->cuts.feature[j].level_code;
    }
    emit_cut(&best, b->best_round * b->n_trees);
    tide_status status = boost_save_stats(b, a, f + x->n_cols, &best, err);
    if (status) return status;
    status = emit_finish(&best, f, x->n_cols, link, b->base, a, &e, err);
    if (status) return status;
    ensemble_save(e, out);
    offset_save(&b->offset, out);
    return arena_status(out->arena, err);
}

/* Shows what there is after some rounds to who asked for it. */
static tide_status boost_snapshot(const struct boost *b, tide_error *err)
{
    const struct fit_snapshot *to = b->info->snapshot;
    struct arena a;
    struct state so_far;
    if (!to || b->round % to->every || b->round == b->rounds) return TIDE_OK;
    arena_init(&a, b->ctx);
    state_init(&so_far, &a);
    tide_status status = boost_save(b, &a, &so_far, err);
    if (!status) status = to->take(to->payload, &so_far, err);
    arena_free(&a);
    return status;
}

static tide_status boost_rounds(struct boost *b, tide_error *err)
{
    const char *phase = b->d->phase ? b->d->phase : "boosting";
    char text[64];
    tide_status status = TIDE_OK;
    if (b->from && b->watch.n) /* of best_round */
        status = watch_loss(b, &b->best_loss, err);
    while (b->round < b->rounds && !status) {
        double loss = 0;
        status = boost_round(b, err);
        if (status) break;
        b->round++;
        if (b->watch.n) {
            status = watch_loss(b, &loss, err);
            if (status) break;
            if (b->best_round == 0 || loss < b->best_loss) {
                b->best_loss = loss;
                b->best_round = b->round;
            }
        } else {
            b->best_round = b->round;
        }
        status = boost_snapshot(b, err);
        if (status) break;
        boost_say(b, loss, text, sizeof text);
        status = ctx_progress(b->ctx, phase, b->round, b->rounds, text, err);
        if (b->watch.n && b->p->patience > 0 &&
            b->round - b->best_round >= b->p->patience)
            break;
    }
    return status;
}

struct lead_job {
    tide_status (*fn)(void *arg, tide_error *err);
    void *arg;
    tide_error *err;
    tide_status status;
    int has_run;
};

static void lead_run(struct par_crew *crew, void *arg)
{
    struct lead_job *job = arg;
    (void)crew;
    job->has_run = 1;
    job->status = job->fn(job->arg, job->err);
}

/* Runs fn as the lead of one crew, so that threads are called once and not a few times a round:
 * its loops and the crews of its trees are phases of that crew. */
static tide_status lead_through(struct tide_ctx *ctx,
                                tide_status (*fn)(void *, tide_error *), void *arg,
                                tide_error *err)
{
    struct lead_job job = {.fn = fn, .arg = arg, .err = err};
    tide_status status = par_crew(ctx, par_threads(ctx), lead_run, &job, err);
    return job.has_run ? job.status : status;
}

static tide_status boost_rounds_of(void *b, tide_error *err)
{
    return boost_rounds(b, err);
}

static tide_status boost_loop(struct boost *b, tide_error *err)
{
    return lead_through(b->ctx, boost_rounds_of, b, err);
}

/* What a caller's loss had that others do not, behind the rest of the note. */
static void note_own(struct boost *b, struct state *out, const char *rest)
{
    struct str s = {0};
    int64_t raised = own_loss_raised(b->own);
    str_add(&s, rest);
    if (!b->d->own_loss->value && b->p->patience > 0 && !b->stop)
        str_addf(&s, "%sthe loss has no value, so 'patience' stops no round",
                 s.len ? "; " : "");
    if (raised)
        str_addf(&s, "%ssecond derivatives below 0, taken as 0: %lld",
                 s.len ? "; " : "", (long long)raised);
    if (s.len) b->info->note = arena_str(out->arena, s.s);
    str_free(&s);
}

static void boost_note(struct boost *b, struct state *out, int by_folds)
{
    char text[160] = "";
    b->info->rounds = b->round;
    b->info->best_round = b->best_round;
    b->info->converged = -1;
    if (b->one_value)
        str_format(text, sizeof text, "%s: the model says the same for every row",
                   b->d->task == TIDE_REGRESS ? "the target has one value"
                                              : "the target has one class");
    else if (b->cuts.n_lanes == 0 && b->from)
        str_format(text, sizeof text,
                   "no column has two values: the model stays as it was");
    else if (b->cuts.n_lanes == 0)
        str_format(text, sizeof text,
                   "no column has two values: the model says the same for every row");
    else if (b->watch.n)
        str_format(text, sizeof text, "best round %d of %d (%s limit %d)",
                   (int)b->best_round, (int)b->round,
                   b->round < b->rounds ? "stopped;" : "not stopped;", (int)b->rounds);
    else if (by_folds)
        str_format(text, sizeof text, "%d round%s, chosen by %d folds%s", (int)b->round,
                   b->round == 1 ? "" : "s", BOOST_FOLDS,
                   b->p->rounds_by == BOOST_BY_SIZE ? " (fewer than 2,000 rows)" : "");
    if (b->own) note_own(b, out, text);
    if (!b->own && *text) b->info->note = arena_str(out->arena, text);
}

/* What stands already: trees, rounds, the rate of the last, codes of levels. */
static tide_status boost_take_over(struct boost *b, struct bin_how *how,
                                   tide_error *err)
{
    const struct ensemble *e = b->from;
    const uint8_t **code =
        arena_array(&b->scratch, (int64_t)e->n_features + 1, sizeof *code);
    if (!code) return arena_status(&b->scratch, err);
    for (int32_t j = 0; j < e->n_features; j++)
        code[j] = e->level_code + e->level_off[j];
    how->level_code = code;
    b->round = b->best_round = ensemble_rounds(e);
    b->rate = b->p->rate;
    for (int32_t r = 1; r < b->round; r++) b->rate *= b->p->decay;
    if (!b->is_fold) emit_ensemble(&b->emit, e, &b->scratch); /* folds emit nothing */
    return b->emit.failed ? err_nomem(err, 0) : TIDE_OK;
}

/* Rows and scores as the losses want them. */
static tide_status boost_grad(struct boost *b, int is_refit, tide_error *err)
{
    const struct fit_data *d = b->d;
    b->grad.ctx = b->ctx;
    b->grad.seed = d->seed;
    b->grad.skip = b->skip;
    b->grad.together = b->width > 1;
    b->grad.for_vector = b->width > 1 && !is_refit;
    b->grad.rows = (struct grad_rows){
        .n = d->x->n_rows, .y = b->y, .k = d->k, .w = d->w, .ids = b->ids};
    b->grad.score = boost_scores(b, d->x);
    tide_status status = arena_status(&b->scratch, err);
    if (!status) status = grad_new(&b->grad, &b->scratch, err);
    if (status || b->loss != OBJECTIVE_CUSTOM) return status;
    status = own_loss_new(d->own_loss, &b->grad.rows, b->fit_rows, b->n_fit,
                          &b->scratch, &b->own, err);
    if (status) return status;
    b->grad.loss.g = own_loss_g(b->own);
    b->grad.loss.h = own_loss_h(b->own);
    return TIDE_OK;
}

/* Statistics of categories, as further features of the cuts. */
static tide_status boost_stats(struct boost *b, int32_t n_codes, tide_error *err)
{
    struct grow_rules rules = {0};
    struct target_stat_how how = {
        .what = (enum cat_stats)b->p->cat_stats, .n_codes = n_codes, .skip = b->skip};
    tide_status status = constraint_interact(b->p->interact, b->d->x, &b->cuts,
                                             &b->scratch, &rules, err);
    how.groups = rules.groups;
    if (!status && b->from)
        status = target_stats_again(b->ctx, b->d, b->from, &how, &b->cuts, &b->scratch,
                                    &b->stats, err);
    else if (!status)
        status =
            target_stats_new(b->ctx, b->d, &how, &b->cuts, &b->scratch, &b->stats, err);
    return status ? status : target_stats_lanes(&b->stats, &b->scratch, &b->cuts, err);
}

/* Base score, cuts, codes, scores, workspaces: all that the first round needs. skip is set. */
static tide_status boost_prepare(struct boost *b, const struct fit_data *valid,
                                 tide_error *err)
{
    const struct fit_data *d = b->d;
    struct bin_how how = {.max_codes = b->p->bins,
                          .sample = b->p->bin_sample,
                          .seed = d->seed,
                          .skip = b->skip};
    if (b->is_fold && d->x->n_rows < BOOST_FOLD_ROWS &&
        how.max_codes > BOOST_FOLD_CODES)
        how.max_codes = BOOST_FOLD_CODES;
    tide_status status = boost_loss(b, err);
    if (!status) status = boost_offset(b, err);
    if (!status) status = boost_base(b, err);
    if (status) return status;
    emit_init(&b->emit, b->grad.n_outputs, b->width);
    how.share = b->width == 1; /* histograms of several outputs have a byte a lane */
    if (b->from) status = boost_take_over(b, &how, err);
    if (!b->one_value && !status)
        status = bins_cut(b->ctx, d->x, &how, &b->scratch, &b->cuts, err);
    if (!b->one_value && !status) status = boost_stats(b, how.max_codes, err);
    if (status || b->one_value || b->cuts.n_lanes == 0) return status;
    int layout = BIN_BLOCKS | (b->width > 1 ? BIN_APART : 0);
    status = bins_code(b->ctx, &b->cuts, d->x, layout, &b->scratch, &b->codes, err);
    if (!status) status = boost_grad(b, 0, err);
    if (!status) status = boost_replay(b, d->x, b->grad.score, err);
    if (!status) status = boost_watch(b, valid, err);
    if (!status && objective_ranks((int32_t)b->loss)) {
        status = rank_new(b->ctx, d, valid, b->skip, b->p->truncation, &b->scratch,
                          &b->rank, err);
        if (status) return status;
        b->grad.loss.g = rank_g(b->rank);
        b->grad.loss.h = rank_h(b->rank);
    }
    if (!status && b->watch.n && has_stop_metric(b->p)) {
        const struct fit_data *of = valid ? valid : d;
        status = stop_metric_new(b->p->stop_on, of, &b->watch.rows, b->watch.list,
                                 b->watch.n, b->grad.loss.of->link, b->grad.loss.base,
                                 &b->scratch, &b->stop, err);
        if (status) return status;
    }
    boost_cover_units(b);
    if (!status) status = boost_rules(b, err);
    if (!status) status = boost_workers(b, err);
    b->is_ready = !status;
    return status;
}

static void boost_free(struct boost *b)
{
    for (int i = 0; b->workers && i < b->n_workers; i++) arena_free(&b->workers[i]);
    emit_free(&b->emit);
    arena_free(&b->scratch);
}

/* ------------------------------------------------------------------------- folds --- */

/* Rounds of the folds, in step. */
struct folds {
    struct boost fold[BOOST_FOLDS];
    const struct boost *of;
    int32_t most, best_round; /* 0: none yet */
    tide_error *err;          /* where one thread does all; else NULL */
    tide_error why[BOOST_FOLDS];
    tide_status status[BOOST_FOLDS];
    double loss[BOOST_FOLDS];
};

static void fold_prepare(void *arg, int64_t i, int worker)
{
    struct folds *f = arg;
    struct boost *b = &f->fold[i];
    (void)worker;
    f->status[i] = boost_rows_without(b, (int)i);
    if (!f->status[i])
        f->status[i] = boost_prepare(b, NULL, f->err ? f->err : &f->why[i]);
}

static void fold_round(void *arg, int64_t i, int worker)
{
    struct folds *f = arg;
    struct boost *b = &f->fold[i];
    tide_error *err = f->err ? f->err : &f->why[i];
    (void)worker;
    f->loss[i] = 0;
    if (!b->is_ready || b->watch.n == 0) return;
    f->status[i] = boost_round(b, err);
    emit_cut(&b->emit, 0); /* only the scores matter */
    b->round++;
    if (!f->status[i]) f->status[i] = watch_loss(b, &f->loss[i], err);
    f->loss[i] *= (double)b->watch.n;
}

/* A caller's functions are not for several threads. */
static tide_status folds_each(const struct boost *b, struct folds *f, par_fn task,
                              tide_error *err)
{
    if (!b->own) return par_for(b->ctx, BOOST_FOLDS, task, f, err);
    f->err = err;
    for (int i = 0; i < BOOST_FOLDS; i++) {
        task(f, i, 0);
        if (f->status[i]) return f->status[i];
    }
    return TIDE_OK;
}

static tide_status folds_status(const struct folds *f, tide_error *err)
{
    for (int i = 0; i < BOOST_FOLDS; i++) {
        if (f->status[i] == TIDE_ECANCELLED) return err_cancelled(err);
        if (f->status[i] == TIDE_ELIMIT)
            return ctx_memory_refused(f->fold[i].ctx, 0, err);
        if (f->status[i] && f->why[i].code) {
            err_set(err, (tide_code)f->why[i].code, "%s", f->why[i].message);
            return err_field(err, f->why[i].field);
        }
        if (f->status[i]) return err_nomem(err, 0);
    }
    return TIDE_OK;
}

/* Rounds up to `most` of all folds, until `patience` of them are no better. */
static tide_status folds_rounds(void *arg, tide_error *err)
{
    struct folds *f = arg;
    const struct boost *b = f->of;
    double best = 0;
    char text[64];
    tide_status status = folds_each(b, f, fold_prepare, err);
    if (!status) status = folds_status(f, err);
    int ready = 0;
    for (int i = 0; i < BOOST_FOLDS; i++)
        ready += f->fold[i].is_ready && f->fold[i].watch.n > 0;
    for (int32_t r = 1; r <= f->most && ready && !status; r++) {
        double sum = 0;
        status = folds_each(b, f, fold_round, err);
        if (!status) status = folds_status(f, err);
        for (int i = 0; i < BOOST_FOLDS; i++) sum += f->loss[i];
        if (f->best_round == 0 || sum < best) {
            best = sum;
            f->best_round = r;
        }
        boost_say(b, sum / (double)b->d->x->n_rows, text, sizeof text);
        if (!status)
            status = ctx_progress(b->ctx, "choosing the rounds", r, f->most, text, err);
        if (r - f->best_round >= b->p->patience) break;
    }
    return status;
}

/* The number of rounds with the least loss over the folds' rows. */
static tide_status folds_choose(const struct boost *b, int32_t *rounds, tide_error *err)
{
    struct folds *f = mem_zalloc(sizeof *f);
    int32_t had = b->round, most = b->p->trees - had;
    if (!f) return err_nomem(err, sizeof *f);
    for (int i = 0; i < BOOST_FOLDS; i++) {
        f->fold[i] = (struct boost){.ctx = b->ctx,
                                    .p = b->p,
                                    .d = b->d,
                                    .info = b->info,
                                    .ids = b->ids,
                                    .from = b->from,
                                    .group_unit = b->group_unit,
                                    .n_groups = b->n_groups,
                                    .is_fold = 1};
        arena_init(&f->fold[i].scratch, b->ctx);
    }
    f->of = b;
    f->most = most;
    tide_status status = lead_through(b->ctx, folds_rounds, f, err);
    int32_t best_round = f->best_round;
    for (int i = 0; i < BOOST_FOLDS; i++) boost_free(&f->fold[i]);
    mem_free(f);
    int32_t few = most < BOOST_FEW_ROUNDS ? most : BOOST_FEW_ROUNDS;
    *rounds = had + (best_round ? best_round : few);
    return status;
}

/* ------------------------------------------------------------------------- whole --- */

static tide_status refuse_stopping(tide_error *err)
{
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'dart' goes on changing earlier trees, so no round can be the best one "
            "and early stopping must be off");
    err_field(err, "dart");
    return err_hint(err, "patience", "0");
}

/* Rows with the weights of their classes: `d` becomes `to`, which points to new weights. */
static tide_status boost_weigh(struct boost *b, const struct fit_data **d,
                               struct fit_data *to, const double *factor,
                               tide_error *err)
{
    int64_t n = (*d)->x->n_rows;
    double *w = arena_array(&b->scratch, n + 1, sizeof *w);
    if (!w) return arena_status(&b->scratch, err);
    for (int64_t i = 0; i < n; i++)
        w[i] = ((*d)->w ? (*d)->w[i] : 1) *
               ((*d)->k[i] < (*d)->n_classes ? factor[(*d)->k[i]] : 1);
    *to = **d;
    to->w = w;
    *d = to;
    return TIDE_OK;
}

/* weights=balanced and pos_weight: factors by class on the weights of rows. Rows of a query weigh
 * what it does. */
static tide_status boost_class_weights(struct boost *b, const struct fit_data **valid,
                                       struct fit_data to[2], tide_error *err)
{
    const struct boost_params *p = b->p;
    const struct fit_data *d = b->d;
    int32_t k = d->n_classes, seen = 0;
    double all = 0;
    if (objective_ranks(p->loss) && d->group && d->w) {
        tide_status st = rank_weigh(d, &b->scratch, &to[0], err);
        b->d = &to[0];
        if (st || !*valid || !(*valid)->group) return st;
        st = rank_weigh(*valid, &b->scratch, &to[1], err);
        *valid = &to[1];
        return st;
    }
    if (!p->weights && p->pos_weight == 1) return TIDE_OK;
    if (d->task == TIDE_REGRESS || (p->pos_weight != 1 && k > 2)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "'%s' is for %s",
                p->pos_weight != 1 ? "pos_weight" : "weights",
                p->pos_weight != 1 ? "a target of two classes" : "classes as target");
        return err_field(err, p->pos_weight != 1 ? "pos_weight" : "weights");
    }
    double *f = arena_array(&b->scratch, k + 1, sizeof *f);
    if (!f) return arena_status(&b->scratch, err);
    grad_class_weights(d->k, d->w, NULL, d->x->n_rows, k, f);
    for (int32_t c = 0; c < k; c++) {
        all += f[c];
        seen += f[c] > 0;
    }
    for (int32_t c = 0; c < k; c++)
        f[c] = p->weights && f[c] > 0 ? all / seen / f[c] : 1;
    if (k == 2) f[1] *= p->pos_weight;
    tide_status status = boost_weigh(b, &b->d, &to[0], f, err);
    if (!status && *valid) status = boost_weigh(b, valid, &to[1], f, err);
    return status;
}

/* Rows to watch have nothing to choose: a round's trees go on changing after it. */
static tide_status boost_dart(struct boost *b, const struct fit_data *valid,
                              tide_error *err)
{
    const struct boost_params *p = b->p;
    struct dart_rules rules = {.rate = p->dart,
                               .skip = p->dart_skip,
                               .most = p->dart_most,
                               .seed = b->d->seed};
    if (p->dart == 0) return TIDE_OK;
    if (valid) return refuse_stopping(err);
    if (!b->is_ready) return TIDE_OK;
    return dart_new(b->ctx, &rules, &b->codes, b->grow[0]->simd, b->grad.n_outputs,
                    b->rounds, 2 * (int64_t)b->rules.leaves + 2, &b->scratch, &b->dart,
                    err);
}

/* Nothing says how good scores are. */
static int boost_is_blind(const struct boost *b)
{
    return b->p->loss == OBJECTIVE_CUSTOM && b->d->own_loss && !b->d->own_loss->value &&
           !has_stop_metric(b->p);
}

static tide_status boost_train(struct boost *b, const struct fit_data *valid,
                               int32_t rounds, struct state *out, tide_error *err)
{
    int64_t n = b->d->x->n_rows;
    int by_folds = 0, is_blind = boost_is_blind(b);
    if (is_blind) valid = NULL;
    int chooses = !valid && !is_blind && rounds <= 0 && b->p->patience > 0;
    struct fit_data weighed[2];
    const struct tide_metric *stop = NULL;
    if (has_stop_metric(b->p)) {
        tide_status known = stop_metric_find(b->p->stop_on, b->d, &stop, err);
        if (known) return known;
    }
    b->ids = boost_ids(b->d->x, &b->scratch);
    if (b->d->group) {
        b->group_unit = arena_array(&b->scratch, n + 1, sizeof *b->group_unit);
        if (b->group_unit)
            b->n_groups =
                row_groups_draw(b->d->group, n, b->d->seed, &b->scratch, b->group_unit);
        if (b->n_groups < 2) chooses = 0; /* no group is left to learn from */
    }
    tide_status status = arena_status(&b->scratch, err);
    if (!status) status = boost_class_weights(b, &valid, weighed, err);
    if (status) return status;
    status = boost_rows_without(b, chooses && !boost_has_folds(b->p, n) ? BOOST_TENTH
                                                                        : BOOST_NONE);
    if (!status)
        status = boost_prepare(b, valid, err);
    else
        return arena_status(&b->scratch, err);
    if (status) return status;
    b->rounds = rounds > 0 ? rounds : b->p->trees;
    status = boost_dart(b, valid, err);
    if (status) return status;
    if (b->is_ready && chooses && boost_has_folds(b->p, n)) {
        status = folds_choose(b, &b->rounds, err);
        if (status) return status;
        by_folds = 1;
    }
    if (b->is_ready) status = boost_loop(b, err);
    if (status && (status != TIDE_ECANCELLED || b->best_round == 0)) return status;
    boost_note(b, out, by_folds);
    if (status) b->info->partial = 1;
    tide_status saved = boost_save(b, &b->scratch, out, status ? NULL : err);
    return saved ? saved : status;
}

/* The trees of a model with leaves made anew from other rows. */
static tide_status boost_renew(struct boost *b, double decay, struct state *out,
                               tide_error *err)
{
    struct fit_data weighed[2];
    const struct fit_data *none = NULL;
    struct ensemble renewed = *b->from;
    b->ids = boost_ids(b->d->x, &b->scratch);
    tide_status status = arena_status(&b->scratch, err);
    if (!status) status = boost_class_weights(b, &none, weighed, err);
    if (!status) status = boost_rows_without(b, BOOST_NONE);
    if (!status) status = boost_loss(b, err);
    if (!status) status = boost_offset(b, err);
    if (!status) status = boost_base(b, err);
    if (!status) status = boost_grad(b, 1, err);
    if (!status)
        status = target_stats_again(b->ctx, b->d, b->from,
                                    &(struct target_stat_how){.skip = NULL}, NULL,
                                    &b->scratch, &b->stats, err);
    const uint8_t *const *derived = status ? NULL : boost_stat_codes(b);
    if (!status) status = arena_status(&b->scratch, err);
    if (status) return status;
    struct leaf_refit r = {.ctx = b->ctx,
                           .p = b->p,
                           .e = b->from,
                           .x = b->d->x,
                           .derived = derived,
                           .grad = &b->grad,
                           .loss = b->loss,
                           .own = b->own,
                           .refit_unit = b->refit_unit,
                           .max_leaf = b->max_leaf,
                           .decay = decay,
                           .phase = b->d->phase ? b->d->phase : "refitting"};
    status = leaf_refit(&r, &b->scratch, &renewed.leaf, err);
    if (status) return status;
    b->info->rounds = b->info->best_round = ensemble_rounds(b->from);
    b->info->converged = -1;
    ensemble_save(&renewed, out);
    offset_save(&b->offset, out);
    return arena_status(out->arena, err);
}

/* What cannot go on, and why. */
static tide_status resume_check(const struct boost_params *p,
                                const struct ensemble *from,
                                const struct fit_resume *how, tide_error *err)
{
    const char *verb = how->refit ? "refitted" : "continued";
    const char *row = p->dart > 0                        ? "dart"
                      : how->refit && p->monotone        ? "monotone"
                      : how->refit && p->path_smooth > 0 ? "path_smooth"
                                                         : NULL;
    if (from->n_trees == 0)
        return err_set(
            err, TIDE_CODE_PARAM_CONFLICT,
            "the model says the same for every row and has no trees to be %s", verb);
    for (int32_t t = 0; t < from->n_trees && from->leaf_width == 1; t++)
        if (from->n_trees % from->n_outputs ||
            from->tree_output[t] != t % from->n_outputs)
            return err_set(err, TIDE_CODE_TIDE_VALUE, "the trees stand in no rounds");
    if (how->refit && objective_ranks(p->loss)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "leaves of 'loss' %s depend on each other's scores, so the model "
                "cannot be refitted",
                objective_names[p->loss]);
        return err_field(err, "loss");
    }
    if (!row) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            p->dart > 0
                ? "'%s' goes on changing earlier trees, so the model cannot be %s"
                : "a model with '%s' cannot be %s: its leaves depend on each other",
            row, verb);
    return err_field(err, row);
}

/* Growth by shared tests has no leaf, path or node of its own to rule over. */
static tide_status check_symmetric(const struct boost_params *p, tide_error *err)
{
    if (p->depth > BOOST_SYMMETRIC_MOST) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "growth 'symmetric' takes a depth of at most %d, got \"%d\"",
                BOOST_SYMMETRIC_MOST, (int)p->depth);
        return err_field(err, "depth");
    }
    const char *other = p->leaves != BOOST_LEAVES ? "leaves"
                        : p->columns_node < 1     ? "columns_node"
                        : p->monotone             ? "monotone"
                        : p->interact             ? "interact"
                                                  : NULL;
    if (!other) return TIDE_OK;
    err_set(
        err, TIDE_CODE_PARAM_CONFLICT,
        p->leaves != BOOST_LEAVES
            ? "growth 'symmetric' is bounded by 'depth', not by '%s'"
            : "growth 'symmetric' asks all nodes of a level alike and knows no '%s'",
        other);
    err_field(err, other);
    return err_hint(err, "growth", "level");
}

static tide_status check_quantiles(const struct boost_params *p, tide_error *err)
{
    if (boost_numbers(p) < 2 || !has_stop_metric(p)) return TIDE_OK;
    err_set(
        err, TIDE_CODE_PARAM_CONFLICT,
        "several quantiles are watched by their mean pinball loss, not by 'stop_on'");
    return err_field(err, "stop_on");
}

tide_status boost_check(const void *params, tide_error *err)
{
    const struct boost_params *p = params;
    tide_status quantiles = check_quantiles(p, err);
    if (quantiles) return quantiles;
    if (boost_is_vector(p)) {
        tide_status status = check_vector(p, err);
        if (status) return status;
    }
    if (p->dart > 0 && p->patience > 0) return refuse_stopping(err);
    return p->growth == BOOST_SYMMETRIC ? check_symmetric(p, err) : TIDE_OK;
}

static tide_status boost_run(struct boost *b, const struct fit_data *valid,
                             int32_t rounds, const struct fit_resume *how,
                             struct state *out, tide_error *err)
{
    if (b->d->x->n_rows > (int64_t)UINT32_MAX - 64)
        return err_set(err, TIDE_CODE_MEMORY_BUDGET,
                       "gbdt takes at most %u rows in one process", UINT32_MAX - 64);
    arena_init(&b->scratch, b->ctx);
    tide_status status = how && how->refit ? boost_renew(b, how->decay, out, err)
                                           : boost_train(b, valid, rounds, out, err);
    boost_free(b);
    return status;
}

tide_status boost_fit(struct tide_ctx *ctx, const struct boost_params *p,
                      const struct fit_data *d, const struct fit_data *valid,
                      int32_t rounds, struct state *out, struct fit_info *info,
                      tide_error *err)
{
    struct boost b = {.ctx = ctx, .p = p, .d = d, .info = info};
    return boost_run(&b, valid, rounds, NULL, out, err);
}

tide_status boost_resume(struct tide_ctx *ctx, const struct boost_params *p,
                         const struct ensemble *from, const struct fit_resume *how,
                         const struct fit_data *d, const struct fit_data *valid,
                         int32_t rounds, struct state *out, struct fit_info *info,
                         tide_error *err)
{
    struct boost b = {.ctx = ctx, .p = p, .d = d, .info = info, .from = from};
    tide_status status = resume_check(p, from, how, err);
    return status ? status : boost_run(&b, valid, rounds, how, out, err);
}
