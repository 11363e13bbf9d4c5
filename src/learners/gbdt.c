/* gbdt.c - gradient-boosted decision trees
 *
 * Problem       min over trees of sum_i s_i loss(y_i, F(x_i)) + l2/2 |leaves|^2 + l1 |leaves|; squared
 *               error, log-loss of one margin (2 classes) or of K margins (K trees a round)
 * Method        Newton boosting on histograms of at most 255 codes a column, trees grown leaf
 *               by leaf (Friedman 2001; Ke et al. 2017); gradients as dithered 16-bit integers
 * Stopping      with validation rows given, or a tenth of the rows taken by Philox(seed, "stop",
 *               row id) from 2,000 rows on: `patience` rounds without a lower loss end it, and the model
 *               is cut to its best round
 * Missing       both directions are tried at every split; categories need no encoder (split.c)
 * Order         integer sums only: same bytes for any threads, instruction set, row order
 * Cost          about 2 core-ns a row, column and tree of 255 leaves; bytes: 2 a value, 24 a row
 * Differs from  LightGBM: exact min_rows, order-free sums, missing levels; XGBoost: leaf-wise
 * Guide         Q10 Q13
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/str.h"
#include "learners/tree/grad.h"
#include "simd/vmath.h"
#include "spec/learner.h"

#define GBDT_STOP_ROWS  2000 /* fewer: no rows are set aside */
#define GBDT_STOP_SHARE 0.1

enum { LOSS_AUTO, LOSS_SQUARED, LOSS_LOGISTIC, LOSS_SOFTMAX };
static const char *const gbdt_losses[] = {"auto", "squared", "logistic", "softmax",
                                          NULL};

struct gbdt_params {
    int32_t trees, leaves, depth, min_rows, bins, bin_sample, patience, loss;
    double rate, min_hessian, l2, l1, min_gain, rows, columns, cat_smooth, cat_l2;
};
static const struct tide_param gbdt_rows[] = {
    P_INT(gbdt_params, trees, "500", P_RANGE(1, 100000), P_TUNE(50, 5000),
          .flags = TIDE_LOG, .help = "most boosting rounds",
          .alias = "n_estimators num_boost_round iterations num_iterations max_iter "
                   "num_trees"),
    P_REAL(gbdt_params, rate, "0.05", P_RANGE(0, 1), P_TUNE(0.005, 0.5),
           .flags = TIDE_OPEN_LO | TIDE_LOG, .help = "shrinkage of each tree",
           .alias = "learning_rate eta shrinkage"),
    P_INT(gbdt_params, leaves, "31", P_RANGE(2, 65536), P_TUNE(4, 512),
          .flags = TIDE_LOG, .help = "most leaves of a tree",
          .alias = "num_leaves max_leaves max_leaf_nodes"),
    P_INT(gbdt_params, depth, "0", P_RANGE(0, 512),
          .help = "most levels of a tree, 0 for no limit", .alias = "max_depth"),
    P_INT(gbdt_params, min_rows, "20", P_RANGE(1, 1000000000), P_TUNE(1, 200),
          .flags = TIDE_LOG, .help = "fewest rows of a leaf",
          .alias = "min_child_samples min_data_in_leaf min_samples_leaf min_examples"),
    P_REAL(gbdt_params, min_hessian, "0.001", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least sum of second derivatives of a leaf",
           .alias = "min_child_weight min_sum_hessian_in_leaf"),
    P_REAL(gbdt_params, l2, "1", P_RANGE(0, 1e300), P_TUNE(0.01, 100),
           .flags = TIDE_LOG, .help = "squared penalty on leaf values",
           .alias = "reg_lambda lambda_l2 l2_regularization l2_leaf_reg"),
    P_REAL(gbdt_params, l1, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "absolute penalty on leaf values", .alias = "reg_alpha lambda_l1"),
    P_REAL(gbdt_params, min_gain, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least gain of a split",
           .alias = "gamma min_split_gain min_gain_to_split"),
    P_INT(gbdt_params, bins, "255", P_RANGE(2, 255), .flags = TIDE_EXPERT,
          .help = "most codes of a column", .alias = "max_bin max_bins border_count"),
    P_INT(gbdt_params, bin_sample, "200000", P_RANGE(1000, 2000000000),
          .flags = TIDE_EXPERT, .help = "rows that the codes are made from",
          .alias = "bin_construct_sample_cnt"),
    P_REAL(gbdt_params, rows, "1", P_RANGE(0, 1), P_TUNE(0.3, 1), .flags = TIDE_OPEN_LO,
           .help = "share of rows for each tree",
           .alias = "subsample bagging_fraction"),
    P_REAL(gbdt_params, columns, "1", P_RANGE(0, 1), P_TUNE(0.2, 1),
           .flags = TIDE_OPEN_LO, .help = "share of columns for each tree",
           .alias = "colsample_bytree feature_fraction"),
    P_REAL(gbdt_params, cat_smooth, "10", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "shrinkage of levels when they are sorted"),
    P_REAL(gbdt_params, cat_l2, "10", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "further squared penalty in splits on sorted levels"),
    P_INT(gbdt_params, patience, "50", P_RANGE(0, 100000),
          .help = "rounds without a better loss that end it, 0 for never",
          .alias = "early_stopping_rounds early_stopping_round n_iter_no_change"),
    P_ENUM(gbdt_params, loss, "auto", gbdt_losses, .flags = TIDE_EXPERT,
           .help = "what is minimised", .alias = "objective"),
};

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
};

/* One tree of a round, until it is emitted. */
struct boost_tree {
    struct emit_node *node;
    double *value;
    int32_t n_nodes;
    tide_status status;
};

struct boost {
    struct tide_ctx *ctx;
    const struct gbdt_params *p;
    const struct fit_data *d;
    struct fit_info *info;
    struct arena scratch;  /* everything below, freed at the end */
    struct arena *workers; /* [n_workers] */
    int n_workers;         /* trees of one round grown at once */
    struct grad grad;
    struct bin_cuts cuts;
    struct bin_codes codes, other_codes;
    struct grow_rules rules;
    struct grow **grow;      /* [n_workers] */
    struct boost_tree *tree; /* [n_outputs] */
    struct watch watch, bag;
    struct follow *follow; /* [n_workers] */
    uint8_t *skip;         /* [n] 1: set aside for stopping */
    uint32_t *fit_rows, *sampled;
    int64_t n_fit, n_sampled;
    int64_t *cover_unit; /* [n] weights as integers */
    double cover_scale;
    uint8_t *lane_on;
    double *base, *losses, *loss_scratch, *y;
    struct emit emit;
    int32_t round, rounds, best_round;
    double best_loss;
    int one_value; /* nothing to learn */
};

static int32_t boost_outputs(const struct boost *b)
{
    if (b->d->task == TIDE_REGRESS) return 1;
    if (b->p->loss == LOSS_SOFTMAX) return b->d->n_classes;
    return b->d->n_classes <= 2 && b->d->n_classes > 0 ? 1 : b->d->n_classes;
}

static tide_status boost_loss(struct boost *b, tide_error *err)
{
    int loss = b->p->loss, regress = b->d->task == TIDE_REGRESS;
    if (regress ? loss == LOSS_LOGISTIC || loss == LOSS_SOFTMAX : loss == LOSS_SQUARED)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT, "loss '%s' does not fit %s",
                       gbdt_losses[loss],
                       regress ? "a number as target" : "classes as target");
    if (loss == LOSS_LOGISTIC && b->d->n_classes > 2)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "loss 'logistic' is for 2 classes and the target has %d",
                       (int)b->d->n_classes);
    b->grad.n_outputs = boost_outputs(b);
    b->grad.loss = regress                  ? GRAD_SQUARED
                   : b->grad.n_outputs == 1 ? GRAD_LOGISTIC
                                            : GRAD_SOFTMAX;
    return TIDE_OK;
}

static int64_t *boost_ids(const struct view *x, struct arena *a)
{
    int64_t *ids = arena_array(a, x->n_rows + 1, sizeof *ids);
    for (int64_t i = 0; ids && i < x->n_rows; i++) ids[i] = view_id(x, i);
    return ids;
}

/* Sets rows aside for stopping, when nobody gave any. */
static void boost_set_aside(struct boost *b, const struct fit_data *valid,
                            int32_t rounds, const int64_t *ids)
{
    int64_t n = b->d->x->n_rows, m = 0;
    b->fit_rows = arena_array(&b->scratch, n + 64, sizeof *b->fit_rows);
    if (!b->fit_rows) return;
    if (!valid && rounds <= 0 && b->p->patience > 0 && n >= GBDT_STOP_ROWS)
        b->skip = arena_zero(&b->scratch, (size_t)n);
    struct rng_key key = rng_key(b->d->seed, "stop");
    for (int64_t i = 0; i < n; i++) {
        if (b->skip) b->skip[i] = rng_u01(rng_at(key, ids[i], 0, 0)) < GBDT_STOP_SHARE;
        if (!b->skip || !b->skip[i]) b->fit_rows[m++] = (uint32_t)i;
    }
    b->n_fit = m;
}

static tide_status boost_base(struct boost *b, tide_error *err)
{
    const struct fit_data *d = b->d;
    int64_t n = d->x->n_rows;
    int32_t k = b->grad.n_outputs;
    b->base = arena_zero(&b->scratch, (size_t)k * sizeof *b->base);
    if (!b->base) return arena_status(&b->scratch, err);
    if (d->task == TIDE_REGRESS) {
        b->base[0] = grad_mean(d->y, d->w, b->skip, n);
        b->y = arena_array(&b->scratch, n + 1, sizeof *b->y);
        if (!b->y) return arena_status(&b->scratch, err);
        b->one_value = 1;
        for (int64_t i = 0; i < n; i++) {
            b->y[i] = d->y[i] - b->base[0];
            b->one_value &= d->y[i] == d->y[0];
        }
        if (b->one_value) b->base[0] = n > 0 ? d->y[0] : 0;
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
    if (k == 1)
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

static double *boost_scores(struct boost *b, int64_t n)
{
    int32_t k = b->grad.n_outputs;
    double *score = arena_array(&b->scratch, n * k + 1, sizeof *score);
    for (int64_t i = 0; score && i < n; i++)
        for (int32_t c = 0; c < k; c++)
            score[i * k + c] = b->grad.loss == GRAD_SQUARED ? 0 : b->base[c];
    return score;
}

/* The rows whose loss stops the rounds. */
static tide_status boost_watch(struct boost *b, const struct fit_data *valid,
                               tide_error *err)
{
    struct watch *w = &b->watch;
    if (valid) {
        int64_t n = valid->x->n_rows;
        tide_status status =
            bins_code(b->ctx, &b->cuts, valid->x, 0, &b->scratch, &b->other_codes, err);
        if (status) return status;
        double *y = valid->y ? arena_array(&b->scratch, n + 1, sizeof *y) : NULL;
        for (int64_t i = 0; y && i < n; i++) y[i] = valid->y[i] - b->base[0];
        w->rows = (struct grad_rows){.n = n, .y = y, .k = valid->k, .w = valid->w};
        w->codes = &b->other_codes;
        w->score = boost_scores(b, n);
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
    }
    b->loss_scratch = arena_array(&b->scratch, w->n + 1, sizeof *b->loss_scratch);
    return arena_status(&b->scratch, err);
}

static void boost_rules(struct boost *b)
{
    const struct gbdt_params *p = b->p;
    b->rules = (struct grow_rules){.leaves = p->leaves,
                                   .depth = p->depth,
                                   .min_rows = p->min_rows,
                                   .min_hessian = p->min_hessian,
                                   .l1 = p->l1,
                                   .l2 = p->l2,
                                   .min_gain = p->min_gain,
                                   .cat_smooth = p->cat_smooth,
                                   .cat_l2 = p->cat_l2,
                                   .cat_sides = 32,
                                   .cat_alone = 4};
}

/* Workspaces: one tree at a time, or the trees of a round side by side. */
static tide_status boost_workers(struct boost *b, tide_error *err)
{
    int threads = par_threads(b->ctx);
    int32_t k = b->grad.n_outputs;
    int64_t slots = 2 * (int64_t)b->rules.leaves + 2;
    b->n_workers = k >= 3 && threads > 1 ? threads : 1;
    b->workers = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof *b->workers);
    b->grow = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof(struct grow *));
    b->tree = arena_zero(&b->scratch, (size_t)k * sizeof *b->tree);
    b->lane_on = arena_array(&b->scratch, b->cuts.n_lanes + 1, 1);
    tide_status status = arena_status(&b->scratch, err);
    if (slots > 2 * b->n_fit + 4) slots = 2 * b->n_fit + 4;
    for (int32_t c = 0; c < k && !status; c++) {
        b->tree[c].node = arena_array(&b->scratch, slots, sizeof *b->tree[c].node);
        b->tree[c].value = arena_array(&b->scratch, slots, sizeof *b->tree[c].value);
    }
    int64_t most = b->bag.list && b->n_fit > b->watch.n ? b->n_fit : b->watch.n;
    b->follow = arena_zero(&b->scratch, (size_t)b->n_workers * sizeof *b->follow);
    for (int i = 0; i < b->n_workers && b->follow && most; i++) {
        struct follow *w = &b->follow[i];
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
        if (!status) b->grow[i]->lane_on = b->p->columns < 1 ? b->lane_on : NULL;
    }
    return status;
}

/* Rows of this round's trees: those whose draw is below `rows`. */
static void boost_sample(struct boost *b)
{
    struct rng_key key = rng_key(b->d->seed, "bag");
    if (b->p->rows >= 1) {
        b->sampled = b->fit_rows;
        b->n_sampled = b->n_fit;
        return;
    }
    b->n_sampled = b->bag.n = 0;
    for (int64_t i = 0; i < b->n_fit; i++) {
        int64_t id = b->grad.rows.ids[b->fit_rows[i]];
        if (rng_u01(rng_at(key, id, (uint32_t)b->round, 0)) < b->p->rows)
            b->sampled[b->n_sampled++] = b->fit_rows[i];
        else
            b->bag.list[b->bag.n++] = b->fit_rows[i];
    }
}

/* Columns of this round's trees: the smallest draws by name. */
static void boost_columns(struct boost *b)
{
    struct rng_key key = rng_key(b->d->seed, "column");
    int32_t n = b->cuts.n_lanes, want = (int32_t)rint(b->p->columns * n);
    if (b->p->columns >= 1) return;
    want = want < 1 ? 1 : want;
    memset(b->lane_on, 0, (size_t)n);
    for (int32_t have = 0; have < want; have++) {
        int32_t best = -1;
        uint64_t least = 0;
        for (int32_t l = 0; l < n; l++) {
            if (b->lane_on[l]) continue;
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
    for (int32_t i = 0; i < g->n_nodes; i++)
        for (uint32_t r = 0; g->node[i].left < 0 && r < f->seg[i].n; r++)
            w->score[(int64_t)f->list[f->seg[i].beg + r] * b->grad.n_outputs + k] +=
                value[i];
}

/* Grows output k's tree of this round and adds it to the scores of the fit's rows. */
static void boost_one(void *arg, int64_t k, int worker)
{
    struct boost *b = arg;
    struct boost_tree *t = &b->tree[k];
    int own = b->n_workers > 1 ? worker : 0;
    struct grow *g = b->grow[own];
    const struct grow_grad *grad = &b->grad.out[k];
    int32_t n_out = b->grad.n_outputs;
    t->status = grow_tree(g, grad, b->sampled, b->n_sampled, NULL);
    t->n_nodes = g->n_nodes;
    for (int32_t i = g->n_nodes - 1; i >= 0 && !t->status; i--) {
        const struct grow_node *q = &g->node[i];
        grow_describe(g, q, &t->node[i]);
        t->value[i] = q->left < 0 ? grow_value(g, grad, q) * b->p->rate : 0;
        t->node[i].cover = q->left < 0
                               ? boost_cover(b, g, q)
                               : t->node[q->left].cover + t->node[q->right].cover;
        for (uint32_t r = 0; q->left < 0 && r < q->n; r++)
            b->grad.score[(int64_t)g->ids[q->beg + r] * n_out + k] += t->value[i];
    }
    if (t->status) return;
    watch_add(b, &b->watch, &b->follow[own], g, (int32_t)k, t->value);
    watch_add(b, &b->bag, &b->follow[own], g, (int32_t)k, t->value);
}

/* One round: gradients, a tree an output. */
static tide_status boost_round(struct boost *b, tide_error *err)
{
    int32_t k = b->grad.n_outputs;
    boost_sample(b);
    boost_columns(b);
    tide_status status = grad_make(&b->grad, b->round, err);
    int coarse = 0;
    for (int32_t c = 0; c < k && !status; c++) coarse |= grad_is_coarse(&b->grad, c);
    if (b->n_workers > 1 && !coarse) {
        status = status ? status : par_for(b->ctx, k, boost_one, b, err);
    } else {
        for (int32_t c = 0; c < k && !status; c++) {
            if (coarse && grad_is_coarse(&b->grad, c))
                status = grad_make_fine(&b->grad, c, &b->scratch, err);
            if (!status) boost_one(b, c, 0);
            if (b->tree[c].status) break;
        }
    }
    for (int32_t c = 0; c < k && !status; c++) {
        if (b->tree[c].status == TIDE_ECANCELLED) return err_cancelled(err);
        if (b->tree[c].status) return err_nomem(err, 0);
    }
    for (int32_t c = 0; c < k && !status; c++)
        emit_add(&b->emit, c, b->tree[c].node, 0, b->tree[c].value);
    if (!status && b->emit.failed) status = err_nomem(err, 0);
    return status;
}

static int32_t boost_say(const struct boost *b, double loss, char *text, int size)
{
    static const char *const names[] = {"squared error", "log-loss", "log-loss"};
    if (!b->watch.n) return str_format(text, (size_t)size, "round %d", (int)b->round);
    struct str s = {0};
    str_num_g(&s, loss, 4);
    int32_t n =
        str_format(text, (size_t)size, "%s %s", names[b->grad.loss], s.s ? s.s : "");
    str_free(&s);
    return n;
}

static tide_status boost_loop(struct boost *b, tide_error *err)
{
    const char *phase = b->d->phase ? b->d->phase : "boosting";
    char text[64];
    tide_status status = TIDE_OK;
    while (b->round < b->rounds && !status) {
        double loss = 0;
        status = boost_round(b, err);
        if (status) break;
        b->round++;
        if (b->watch.n) {
            loss = grad_loss_of(&b->grad, &b->watch.rows, b->watch.score, b->watch.list,
                                b->watch.n, b->loss_scratch);
            if (b->best_round == 0 || loss < b->best_loss) {
                b->best_loss = loss;
                b->best_round = b->round;
            }
        } else {
            b->best_round = b->round;
        }
        boost_say(b, loss, text, sizeof text);
        status = ctx_progress(b->ctx, phase, b->round, b->rounds, text, err);
        if (b->watch.n && b->p->patience > 0 &&
            b->round - b->best_round >= b->p->patience)
            break;
    }
    return status;
}

static tide_status boost_save(struct boost *b, struct state *out, tide_error *err)
{
    const struct view *x = b->d->x;
    struct emit_feature *f =
        arena_zero(&b->scratch, ((size_t)x->n_cols + 1) * sizeof *f);
    struct ensemble *e = NULL;
    int32_t link = b->grad.loss == GRAD_SQUARED    ? LINK_IDENTITY
                   : b->grad.loss == GRAD_LOGISTIC ? LINK_LOGIT
                                                   : LINK_SOFTMAX;
    if (!f) return arena_status(&b->scratch, err);
    if (b->d->task == TIDE_CLASSIFY && b->d->n_classes == 1) link = LINK_SOFTMAX;
    for (int32_t j = 0; j < x->n_cols; j++) {
        f[j].kind = x->cols[j]->type == TIDE_CAT;
        f[j].n_level = f[j].kind ? x->cols[j]->dict.n : 0;
        if (b->cuts.feature) f[j].level_code = b->cuts.feature[j].level_code;
    }
    emit_cut(&b->emit, b->best_round * b->grad.n_outputs);
    tide_status status =
        emit_finish(&b->emit, f, x->n_cols, link, b->base, &b->scratch, &e, err);
    if (status) return status;
    ensemble_save(e, out);
    return arena_status(out->arena, err);
}

static void boost_note(struct boost *b, struct state *out, int watched, int32_t rounds)
{
    char text[160];
    b->info->rounds = b->round;
    b->info->best_round = b->best_round;
    b->info->converged = -1;
    if (b->one_value)
        str_format(text, sizeof text, "%s: the model says the same for every row",
                   b->d->task == TIDE_REGRESS ? "the target has one value"
                                              : "the target has one class");
    else if (b->cuts.n_lanes == 0)
        str_format(text, sizeof text,
                   "no column has two values: the model says the same for every row");
    else if (watched)
        str_format(text, sizeof text, "best round %d of %d (%s limit %d)",
                   (int)b->best_round, (int)b->round,
                   b->round < b->rounds ? "stopped;" : "not stopped;", (int)b->rounds);
    else if (rounds <= 0 && b->p->patience > 0)
        str_format(text, sizeof text,
                   "%d rounds without early stopping (fewer than %d rows)",
                   (int)b->round, GBDT_STOP_ROWS);
    else
        return;
    b->info->note = arena_str(out->arena, text);
}

static tide_status gbdt_train(struct boost *b, const struct fit_data *valid,
                              int32_t rounds, struct state *out, tide_error *err)
{
    const struct fit_data *d = b->d;
    int64_t n = d->x->n_rows;
    int32_t k = 1;
    tide_status status = boost_loss(b, err);
    if (status) return status;
    k = b->grad.n_outputs;
    int64_t *ids = boost_ids(d->x, &b->scratch);
    if (ids) boost_set_aside(b, valid, rounds, ids);
    status = arena_status(&b->scratch, err);
    if (status) return status;
    status = boost_base(b, err);
    if (status) return status;
    emit_init(&b->emit, k, 1);
    b->rounds = rounds > 0 ? rounds : b->p->trees;
    if (!b->one_value) {
        struct bin_how how = {.max_codes = b->p->bins,
                              .sample = b->p->bin_sample,
                              .seed = d->seed,
                              .skip = b->skip};
        status = bins_cut(b->ctx, d->x, &how, &b->scratch, &b->cuts, err);
        if (status) return status;
    }
    if (!b->one_value && b->cuts.n_lanes > 0) {
        status = bins_code(b->ctx, &b->cuts, d->x, 1, &b->scratch, &b->codes, err);
        if (status) return status;
        b->grad.ctx = b->ctx;
        b->grad.seed = d->seed;
        b->grad.skip = b->skip;
        b->grad.rows =
            (struct grad_rows){.n = n, .y = b->y, .k = d->k, .w = d->w, .ids = ids};
        b->grad.score = boost_scores(b, n);
        if (b->grad.score) status = grad_new(&b->grad, &b->scratch, err);
        if (!status) status = arena_status(&b->scratch, err);
        if (!status) status = boost_watch(b, valid, err);
        boost_cover_units(b);
        boost_rules(b);
        if (!status) status = boost_workers(b, err);
        if (!status) status = boost_loop(b, err);
        if (status && (status != TIDE_ECANCELLED || b->best_round == 0)) return status;
    }
    boost_note(b, out, b->watch.n > 0, rounds);
    if (status) b->info->partial = 1;
    tide_status saved = boost_save(b, out, status ? NULL : err);
    return saved ? saved : status;
}

static tide_status gbdt_fit(struct tide_ctx *ctx, const void *params,
                            const struct fit_data *d, const struct fit_data *valid,
                            int32_t rounds, struct state *out, struct fit_info *info,
                            tide_error *err)
{
    struct boost b = {.ctx = ctx, .p = params, .d = d, .info = info};
    if (d->x->n_rows > (int64_t)UINT32_MAX - 64)
        return err_set(err, TIDE_CODE_MEMORY_BUDGET,
                       "gbdt takes at most %u rows in one process", UINT32_MAX - 64);
    arena_init(&b.scratch, ctx);
    tide_status status = gbdt_train(&b, valid, rounds, out, err);
    for (int i = 0; b.workers && i < b.n_workers; i++) arena_free(&b.workers[i]);
    emit_free(&b.emit);
    arena_free(&b.scratch);
    return status;
}

static void gbdt_cost(const void *params, const struct fit_data *d,
                      struct fit_cost *out)
{
    const struct gbdt_params *p = params;
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    double k = d->task == TIDE_CLASSIFY && d->n_classes > 2 ? d->n_classes : 1;
    double leaves = p->leaves < n ? p->leaves : n;
    out->scratch_bytes = (int64_t)(n * (2 * f + 24 + 12 * k) + f * 2048 * leaves);
    out->model_bytes = (int64_t)(p->trees * k * leaves * 60 + f * 2048);
    out->work = n * f * p->trees * k;
}

/* ---------------------------------------------------------------------- the model --- */

struct gbdt_model {
    struct ensemble *e;
    uint32_t task;
    int32_t n_out;
};

static tide_status gbdt_load(const struct state *s, uint32_t task, int32_t n_out,
                             int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                             void **object, tide_error *err)
{
    struct gbdt_model *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (status) return status;
    int32_t want = task == TIDE_CLASSIFY && m->e->link != LINK_LOGIT ? n_out : 1;
    int fits = task == TIDE_CLASSIFY ? m->e->link == LINK_SOFTMAX ||
                                           (m->e->link == LINK_LOGIT && n_out == 2)
                                     : m->e->link == LINK_IDENTITY;
    if (m->e->n_outputs != want || !fits) {
        err_set(err, TIDE_CODE_TIDE_CLASSES,
                "the trees give other outputs than the model says");
        return err_place(err, "section TREES");
    }
    m->task = task;
    m->n_out = n_out;
    *object = m;
    return TIDE_OK;
}

static tide_status gbdt_predict(const void *object, const struct view *x, int64_t i0,
                                int64_t n, double *out, tide_error *err)
{
    const struct gbdt_model *m = object;
    /* a lone margin of two classes goes to the front half and is spread from the back */
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status)
        ensemble_link(m->e, m->task == TIDE_CLASSIFY ? m->n_out : 1, n, out, out);
    return status;
}

static void gbdt_importance(const void *object, double *out)
{
    ensemble_importance(((const struct gbdt_model *)object)->e, out);
}

static void gbdt_describe(const void *object, char *out, size_t size)
{
    const struct ensemble *e = ((const struct gbdt_model *)object)->e;
    str_format(out, size, "%d trees, %u leaves", (int)e->n_trees,
               e->tree_leaf[e->n_trees]);
}

const struct tide_learner tide_learner_gbdt = {
    .name = "gbdt",
    .title = "Gradient-boosted decision trees",
    .camel = "GBDT",
    .guide = "Q10 Q13",
    .paper = "Friedman 2001; Ke et al. 2017",
    .small = "trees=20",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_STOPS_EARLY | TIDE_TAKES_ONE_CLASS |
              TIDE_INTEGER_SUMS,
    .params = TIDE_TABLE(gbdt_rows, gbdt_params),
    .cost = gbdt_cost,
    .fit = gbdt_fit,
    .load = gbdt_load,
    .predict = gbdt_predict,
    .importance = gbdt_importance,
    .describe = gbdt_describe,
};
