/* adaboost.c - adaptive boosting of small trees
 *
 * Problem       a weighted vote of small trees, each grown on rows weighted by how often those
 *               before it were wrong
 * Method        classes: SAMME (Zhu, Zou, Rosset, Hastie 2009), with alpha = rate (log((1-e)/e) +
 *               log(K-1)) and p_k ~ exp(f_k / (K-1)), f = (K-1)^2/K sum alpha h;
 *               numbers: R2 with linear loss (Drucker 1997) and the weighted median
 * Stopping      a tree without an error ends it; one no better than chance ends it unheard
 * Missing       both directions are tried at every cut; levels are ordered once by mean target
 * Order         weights and targets of a tree are integers, sums of weights too: same bytes for any
 *               threads, instruction set, row order
 * Cost          about 2 ns a row, column and level of a tree; bytes: 2 a value, 60 a row
 * Differs from  scikit-learn: rows are weighted, not drawn again, in R2; votes are not divided by
 *               their sum before they become probabilities; nothing is drawn, ties go to the first
 *               column by name
 * Guide         Q10
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "learners/tree/forest_grow.h"
#include "simd/vmath.h"
#include "spec/learner.h"

struct adaboost_params {
    int32_t trees, depth;
    double rate;
};
static const struct tide_param adaboost_rows[] = {
    P_INT(adaboost_params, trees, "50", P_RANGE(1, 100000), P_TUNE(20, 1000),
          .flags = TIDE_LOG, .help = "most rounds, one tree each",
          .alias = "n_estimators iterations num_trees"),
    P_INT(adaboost_params, depth, "0", P_RANGE(0, 512), P_TUNE(1, 8),
          .help = "levels of a tree, 0 for 1 (3 for numbers)", .alias = "max_depth"),
    P_REAL(adaboost_params, rate, "1", P_RANGE(0, 10), P_TUNE(0.01, 2),
           .flags = TIDE_OPEN_LO | TIDE_LOG, .help = "how much each tree's vote counts",
           .alias = "learning_rate eta shrinkage"),
};

struct boosting {
    const struct fit_data *d;
    const struct adaboost_params *p;
    struct forest_data data;
    struct forest_rules rules;
    struct forest all;
    double *importance; /* [n_cols] */
    double *vote;       /* [trees] */
    double *w, *miss;   /* [n] */
    const char *note;
};

/* ---------------------------------------------------------------------- rounds --- */

/* What a row counts from here on; kept away from the ends of the range. */
static void rescale(struct boosting *b)
{
    double most = 0;
    int e = 0;
    for (int64_t i = 0; i < b->data.n; i++) most = b->w[i] > most ? b->w[i] : most;
    (void)frexp(most, &e);
    if (e > -100 && e < 100) return;
    for (int64_t i = 0; i < b->data.n; i++) b->w[i] = ldexp(b->w[i], -e);
}

static int32_t leaf_class(const double *leaf, int32_t width)
{
    int32_t best = 0;
    for (int32_t k = 1; k < width; k++)
        if (leaf[k] > leaf[best]) best = k;
    return best;
}

/* Takes a tree's vote and weighs the rows anew; 1: go on, 0: the last, -1: do not keep it. */
static int vote_classes(struct boosting *b, struct forest_tree *t, int32_t round)
{
    int32_t width = b->data.width;
    double chance = 1 - 1.0 / width;
    for (int64_t i = 0; i < b->data.n; i++) {
        const double *leaf = t->leaf + forest_leaf(t, &b->data.codes, i) * width;
        b->miss[i] = leaf_class(leaf, width) != b->d->k[i];
    }
    double error =
        forest_sum(b->w, b->miss, b->data.n) / forest_sum(b->w, NULL, b->data.n);
    double alpha = 1;
    if (error >= chance && width > 1) {
        if (round > 0) return -1;
        b->note = "the first tree is no better than chance: it stands alone";
    } else if (error > 0) {
        alpha = b->p->rate *
                (vm_log((1 - error) / error) + (width > 2 ? vm_log(width - 1.0) : 0.0));
    }
    for (int64_t i = 0; i < t->n_leaves; i++) { /* leaves say the vote */
        double *leaf = t->leaf + i * width;
        int32_t k = leaf_class(leaf, width);
        for (int32_t q = 0; q < width; q++)
            leaf[q] = width == 1 ? 0 : alpha * (q == k ? width - 1.0 : -1.0) / width;
    }
    b->vote[round] = alpha;
    if (error >= chance || error <= 0) return 0;
    /* only ratios of weights count; a vote beyond what exp can hold lowers the others instead */
    int lower = alpha > 500;
    double by = vm_exp(lower ? -alpha : alpha);
    for (int64_t i = 0; i < b->data.n; i++)
        if ((b->miss[i] > 0) != lower) b->w[i] *= by;
    return 1;
}

/* Means of the leaves by the weights themselves: a tree's own weights have 30 bits. */
static int leaf_means(struct boosting *b, struct forest_tree *t)
{
    int64_t n = b->data.n, *sum = mem_zalloc((size_t)t->n_leaves * 2 * sizeof *sum);
    double w_most = 0, y_most = 0, mid = b->data.y_mid;
    int e = 0, ew = 0, ey = 0;
    if (!sum) return -1;
    for (int64_t i = 0; i < n; i++) {
        double y = fabs(b->d->y[i] - mid);
        w_most = b->w[i] > w_most ? b->w[i] : w_most;
        y_most = y > y_most ? y : y_most;
    }
    (void)frexp((double)n, &e);
    (void)frexp(w_most, &ew);
    (void)frexp(y_most, &ey);
    int by = 61 - e - ew - ey;
    double w_up = ldexp(1, 61 - e - ew), y_up = ldexp(1, by > 1000 ? 1000 : by);
    for (int64_t i = 0; i < n && y_most > 0; i++) {
        int64_t leaf = forest_leaf(t, &b->data.codes, i);
        sum[2 * leaf] += (int64_t)rint(b->w[i] * w_up);
        sum[2 * leaf + 1] += (int64_t)rint(b->w[i] * (b->d->y[i] - mid) * y_up);
    }
    for (int64_t i = 0; i < t->n_leaves; i++)
        if (sum[2 * i] > 0)
            t->leaf[i] =
                mid + (double)sum[2 * i + 1] / y_up / ((double)sum[2 * i] / w_up);
    mem_free(sum);
    return 0;
}

static int vote_numbers(struct boosting *b, struct forest_tree *t, int32_t round)
{
    double most = 0;
    for (int64_t i = 0; i < b->data.n; i++) {
        double e = fabs(t->leaf[forest_leaf(t, &b->data.codes, i)] - b->d->y[i]);
        b->miss[i] = e;
        most = e > most ? e : most;
    }
    b->vote[round] = 1;
    if (!(most > 0)) return 0;
    for (int64_t i = 0; i < b->data.n; i++) b->miss[i] /= most;
    double loss =
        forest_sum(b->w, b->miss, b->data.n) / forest_sum(b->w, NULL, b->data.n);
    if (loss >= 0.5) {
        if (round > 0) return -1;
        b->note = "the first tree is no better than chance: it stands alone";
        return 0;
    }
    if (!(loss > 0)) return 0;
    double log_beta = vm_log(loss / (1 - loss));
    b->vote[round] = -b->p->rate * log_beta;
    for (int64_t i = 0; i < b->data.n; i++)
        b->w[i] *= vm_exp(log_beta * b->p->rate * (1 - b->miss[i]));
    return 1;
}

static tide_status boost(struct tide_ctx *ctx, struct boosting *b, tide_error *err)
{
    int regress = b->d->task == TIDE_REGRESS, go = 1;
    tide_status status = TIDE_OK;
    for (int32_t round = 0; round < b->p->trees && go > 0 && !status; round++) {
        struct forest one = {0};
        status = ctx_progress(ctx, b->d->phase, round, b->p->trees, NULL, err);
        rescale(b);
        forest_data_weigh(&b->data, b->w);
        if (!status)
            status = forest_grow(ctx, &b->data, &b->rules, 1, b->d->phase, &one, err);
        if (status) {
            forest_free(&one);
            break;
        }
        if (regress && leaf_means(b, one.tree)) {
            forest_free(&one);
            return err_nomem(err, 0);
        }
        go = regress ? vote_numbers(b, one.tree, round)
                     : vote_classes(b, one.tree, round);
        if (go >= 0) {
            double sum = 0;
            for (int32_t f = 0; f < b->data.codes.n_cols; f++) sum += one.importance[f];
            for (int32_t f = 0; f < b->data.codes.n_cols && sum > 0; f++)
                b->importance[f] += b->vote[round] * one.importance[f] / sum;
            b->all.tree[b->all.n_trees++] = one.tree[0];
            one.n_trees = 0; /* the tree moved */
        }
        forest_free(&one);
    }
    return status;
}

static tide_status boost_begin(struct tide_ctx *ctx, struct boosting *b,
                               struct arena *a, tide_error *err)
{
    int64_t n = b->d->x->n_rows;
    tide_status status =
        forest_data_make(ctx, b->d, FOREST_BOOSTED, NULL, a, &b->data, err);
    if (status) return status;
    int regress = b->d->task == TIDE_REGRESS;
    b->rules = (struct forest_rules){
        .criterion = regress ? FOREST_SQUARED : FOREST_GINI,
        .trees = 1,
        .depth = b->p->depth ? b->p->depth
                 : regress   ? 3
                             : 1,
        .columns = b->data.codes.n_cols > 0 ? b->data.codes.n_cols : 1,
        .seed = b->d->seed};
    b->importance = arena_zero(a, ((size_t)b->data.codes.n_cols + 1) * sizeof(double));
    b->vote = arena_array(a, b->p->trees, sizeof *b->vote);
    b->w = arena_array(a, n + 1, sizeof *b->w);
    b->miss = arena_array(a, n + 1, sizeof *b->miss);
    status = arena_status(a, err);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) b->w[i] = b->d->w ? b->d->w[i] : 1;
    b->all.tree = mem_zalloc((size_t)b->p->trees * sizeof *b->all.tree);
    return b->all.tree ? TIDE_OK : err_nomem(err, 0);
}

static tide_status save_votes(struct tide_ctx *ctx, struct boosting *b, struct arena *a,
                              struct state *out, tide_error *err)
{
    struct ensemble *e = NULL;
    int regress = b->d->task == TIDE_REGRESS;
    int32_t outputs = regress ? b->all.n_trees : b->data.width;
    double *base = arena_zero(a, (size_t)outputs * sizeof *base);
    if (!base) return arena_status(a, err);
    tide_status status =
        forest_emit(ctx, &b->all, &b->data, outputs,
                    regress ? LINK_IDENTITY : LINK_SOFTMAX, base, a, &e, err);
    if (status) return status;
    ensemble_save(e, out);
    state_put(out, "TREES", "importance", STATE_F64, b->data.codes.n_cols, 1, 1,
              b->importance);
    state_put(out, "TREES", "vote", STATE_F64, b->all.n_trees, 1, 1, b->vote);
    return arena_status(out->arena, err);
}

static tide_status adaboost_fit(struct tide_ctx *ctx, const void *params,
                                const struct fit_data *d, const struct fit_data *valid,
                                int32_t rounds, struct state *out,
                                struct fit_info *info, tide_error *err)
{
    struct boosting b = {.d = d, .p = params};
    struct arena a;
    (void)valid;
    (void)rounds;
    arena_init(&a, ctx);
    tide_status status = boost_begin(ctx, &b, &a, err);
    if (!status) status = boost(ctx, &b, err);
    if (!status) status = save_votes(ctx, &b, &a, out, err);
    if (!status) {
        info->converged = -1;
        info->note = b.note;
    }
    forest_free(&b.all);
    arena_free(&a);
    return status;
}

static void adaboost_cost(const void *params, const struct fit_data *d,
                          struct fit_cost *out)
{
    const struct adaboost_params *p = params;
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    double depth = p->depth ? p->depth : 3,
           leaves = depth < 30 ? ldexp(1, (int)depth) : n;
    leaves = leaves < n ? leaves : n;
    out->scratch_bytes = (int64_t)(n * (2 * f + 90));
    out->model_bytes = (int64_t)(p->trees * leaves * 60);
    out->work = n * f * p->trees * depth;
}

/* -------------------------------------------------------------------- the model --- */

struct adaboost_model {
    struct ensemble *e;
    const struct ensemble *margin; /* NULL: of numbers, whose median is no sum */
    const double *importance, *vote;
    uint32_t task;
    int32_t n_out;
};

static const double *take_numbers(const struct state *s, const char *name, int64_t n,
                                  struct arena *a, tide_status *status, tide_error *err)
{
    const struct state_array *from = NULL;
    double *to = arena_array(a, n + 1, sizeof *to);
    *status = state_need(s, name, STATE_F64, n, 1, &from, err);
    if (*status) return NULL;
    if (!to) {
        *status = arena_status(a, err);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) {
        to[i] = ((const double *)from->data)[i];
        if (to[i] >= 0) continue;
        err_set(err, TIDE_CODE_TIDE_VALUE, "a number is below 0");
        *status = err_place(err, "section TREES, %s %lld", name, (long long)i);
        return NULL;
    }
    return to;
}

/* Two classes: the log-odds of the second, one value a leaf, over the same nodes. */
static const struct ensemble *log_odds(const struct ensemble *e, struct arena *a)
{
    int64_t n = e->tree_leaf[e->n_trees];
    struct ensemble *out = arena_push(a, sizeof *out);
    double *leaf = arena_array(a, n + 1, sizeof *leaf);
    double *base = arena_array(a, 1, sizeof *base);
    int32_t *output = arena_zero(a, ((size_t)e->n_trees + 1) * sizeof *output);
    if (!out || !leaf || !base || !output) return NULL;
    for (int64_t i = 0; i < n; i++) leaf[i] = e->leaf[2 * i + 1] - e->leaf[2 * i];
    base[0] = e->base[1] - e->base[0];
    *out = *e;
    out->n_outputs = out->leaf_width = 1;
    out->link = LINK_LOGIT;
    out->leaf = leaf;
    out->base = base;
    out->tree_output = output;
    return out;
}

static tide_status adaboost_load(const struct state *s, uint32_t task, int32_t n_out,
                                 int32_t n_cols, const uint32_t *n_levels,
                                 struct arena *a, void **object, tide_error *err)
{
    struct adaboost_model *m = arena_zero(a, sizeof *m);
    int classify = task == TIDE_CLASSIFY;
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (!status) m->importance = take_numbers(s, "importance", n_cols, a, &status, err);
    if (!status) m->vote = take_numbers(s, "vote", m->e->n_trees, a, &status, err);
    if (status) return status;
    int32_t outputs = classify ? n_out : m->e->n_trees;
    int fits = m->e->n_trees > 0 && m->e->n_outputs == outputs &&
               m->e->leaf_width == (classify ? n_out : 1) &&
               m->e->link == (classify ? LINK_SOFTMAX : LINK_IDENTITY);
    for (int32_t t = 0; fits && !classify && t < m->e->n_trees; t++)
        fits = m->e->tree_output[t] == t;
    if (!fits) {
        err_set(err, TIDE_CODE_TIDE_CLASSES,
                "the trees give other outputs than the model says");
        return err_place(err, "section TREES");
    }
    m->margin = !classify ? NULL : n_out == 2 ? log_odds(m->e, a) : m->e;
    if (classify && !m->margin) return arena_status(a, err);
    m->task = task;
    m->n_out = n_out;
    *object = m;
    return TIDE_OK;
}

struct said {
    double value, vote;
};

/* Shell sort: a few hundred values, no memory. */
static void sort_said(struct said *s, int32_t n)
{
    static const int32_t gaps[] = {19903, 8848, 3933, 1750, 777, 345,
                                   153,   68,   30,   13,   4,   1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (int32_t i = gaps[g]; i < n; i++) {
            struct said x = s[i];
            int32_t j = i;
            for (; j >= gaps[g] && s[j - gaps[g]].value > x.value; j -= gaps[g])
                s[j] = s[j - gaps[g]];
            s[j] = x;
        }
}

/* The least value that at least half of the votes do not exceed. */
static double weighted_median(struct said *s, int32_t n)
{
    double all = 0, sum = 0;
    sort_said(s, n);
    for (int32_t t = 0; t < n; t++) all += s[t].vote;
    for (int32_t t = 0; t < n; t++) {
        sum += s[t].vote;
        if (sum >= 0.5 * all) return s[t].value;
    }
    return s[n - 1].value;
}

#define MEDIAN_ROWS 32

static tide_status predict_median(const struct adaboost_model *m, const struct view *x,
                                  int64_t i0, int64_t n, double *out, tide_error *err)
{
    int32_t nt = m->e->n_trees;
    double *each = mem_array((size_t)nt, MEDIAN_ROWS * sizeof *each);
    struct said *said = mem_array((size_t)nt, sizeof *said);
    tide_status status = each && said ? TIDE_OK : err_nomem(err, 0);
    for (int64_t r0 = 0; r0 < n && !status; r0 += MEDIAN_ROWS) {
        int64_t rows = n - r0 < MEDIAN_ROWS ? n - r0 : MEDIAN_ROWS;
        status = ensemble_margin(m->e, x, i0 + r0, rows, 0, each, err);
        for (int64_t r = 0; r < rows && !status; r++) {
            for (int32_t t = 0; t < nt; t++)
                said[t] = (struct said){each[r * nt + t], m->vote[t]};
            out[r0 + r] = weighted_median(said, nt);
        }
    }
    mem_free(said);
    mem_free(each);
    return status;
}

static tide_status adaboost_predict(const void *object, const struct view *x,
                                    int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct adaboost_model *m = object;
    if (m->task == TIDE_REGRESS) return predict_median(m, x, i0, n, out, err);
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status) ensemble_link(m->e, m->n_out, n, out, out);
    return status;
}

static const struct ensemble *adaboost_margin_trees(const void *object)
{
    return ((const struct adaboost_model *)object)->margin;
}

static void adaboost_importance(const void *object, double *out)
{
    const struct adaboost_model *m = object;
    double sum = 0;
    for (int32_t f = 0; f < m->e->n_features; f++) sum += m->importance[f];
    for (int32_t f = 0; f < m->e->n_features; f++)
        out[f] = sum > 0 && isfinite(sum) ? m->importance[f] / sum : 0;
}

static void adaboost_describe(const void *object, char *out, size_t size)
{
    (void)ensemble_count_text(((const struct adaboost_model *)object)->e, out, size);
}

const struct tide_learner tide_learner_adaboost = {
    .name = "adaboost",
    .title = "Adaptive boosting of small trees",
    .camel = "AdaBoost",
    .guide = "Q10",
    .paper = "Zhu, Zou, Rosset, Hastie 2009; Drucker 1997",
    .small = "trees=10",
    .min_rows = 2,
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS | TIDE_INTEGER_SUMS,
    .params = TIDE_TABLE(adaboost_rows, adaboost_params),
    .cost = adaboost_cost,
    .fit = adaboost_fit,
    .load = adaboost_load,
    .predict = adaboost_predict,
    .margin_trees = adaboost_margin_trees,
    .importance = adaboost_importance,
    .describe = adaboost_describe,
};
