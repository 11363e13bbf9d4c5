/* exact.c - CART: exact search over sorted columns (Breiman, Friedman, Olshen, Stone 1984)
 *
 * Candidates  the midpoint of any two neighbouring values of the node, left is x <= midpoint;
 *             with missing values both directions and "numbers against missing"; categories by
 *             levels sorted by mean target, or by the share of the node's largest class
 * Score       gini sum_k n_k^2/n, entropy sum_k n_k log n_k - n log n, squared S^2/W, of both sides;
 *             the largest wins, ties go to the first column and the lowest value
 * Sums        counts, or weights and targets as integers in units of a power of two
 * Pruning     the subtree that minimises R(T) + ccp_alpha |leaves|, the smaller of equals
 * Cost        n log n a column, then n columns a level; 16 bytes a row and column
 * Differs     scikit-learn rounds features to 32 bits and shuffles columns before ties
 * Guide       Q1 Q10
 */
#include "learners/tree/exact.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "math/sort.h"
#include "simd/vmath.h"

#define EXACT_MANY_EDGES 65535
#define EXACT_PAR_WORK   65536

/* One feature, sorted once. */
struct exact_col {
    double *value;   /* numbers: [n] */
    uint32_t *order; /* numbers: [n] rows by value within each node, missing last */
    uint8_t *code;   /* categories: [n], 255 missing */
    int is_on;
};
struct exact_node {
    uint32_t beg, n;
    int32_t left, right;
    uint32_t depth;
    int64_t w; /* weight in units */
    double impurity, gain;
    struct emit_node test;
};
struct exact_split {
    double score;
    int32_t feature; /* -1: none */
    uint8_t set, missing_left;
    double thr;
    uint64_t bits[4];
};
/* A worker's own memory. */
struct exact_work {
    int64_t *left, *right, *level; /* [width], [width], [256 width] */
    uint32_t *aside;               /* [n] */
};
struct exact {
    struct tide_ctx *ctx;
    const struct fit_data *d;
    const struct exact_rules *rules;
    const struct bin_cuts *cuts;
    struct arena a;
    int64_t n;
    int32_t n_features, width; /* width: integers a row adds to: K classes, or w, wy */
    int64_t *wq, *yq;          /* NULL wq: 1 each */
    double w_unit, y_unit, y_mid;
    double *xlogx; /* [n + 1] for counts */
    struct exact_col *col;
    uint32_t *rows;     /* rows of each node, any column */
    uint8_t *goes_left; /* [n] */
    struct exact_work *work;
    struct exact_split *best; /* [n_features] */
    int64_t *total;           /* [width] of the node at hand */
    int snap;                 /* thresholds from the global cuts */
    struct exact_node *node;
    double *value; /* [nodes][n_values] */
    int64_t n_nodes, cap_nodes;
    int32_t n_values, at; /* node at hand */
};

/* ------------------------------------------------------------------------- sums --- */

static inline void add_row(const struct exact *t, uint32_t row, int64_t *sum)
{
    int64_t w = t->wq ? t->wq[row] : 1;
    if (t->d->task == TIDE_CLASSIFY) {
        sum[t->d->k[row]] += w;
    } else {
        sum[0] += w;
        sum[1] += t->yq[row];
    }
}

static int64_t weight_of(const struct exact *t, const int64_t *sum)
{
    int64_t w = 0;
    if (t->d->task == TIDE_REGRESS) return sum[0];
    for (int32_t k = 0; k < t->width; k++) w += sum[k];
    return w;
}

static inline double xlogx(const struct exact *t, int64_t v)
{
    if (v <= 0) return 0;
    return t->xlogx ? t->xlogx[v] : (double)v * vm_log2((double)v);
}

/* Score of one side: larger is purer. */
static double side_score(const struct exact *t, const int64_t *sum)
{
    if (t->d->task == TIDE_REGRESS)
        return (double)sum[1] * (double)sum[1] / (double)sum[0];
    double s = 0;
    int64_t w = weight_of(t, sum);
    for (int32_t k = 0; k < t->width; k++)
        s += t->rules->criterion == EXACT_GINI ? (double)sum[k] * (double)sum[k]
                                               : xlogx(t, sum[k]);
    return t->rules->criterion == EXACT_GINI ? s / (double)w : s - xlogx(t, w);
}

static double class_impurity(const struct exact *t, const int64_t *sum, int64_t w)
{
    double s = 0;
    for (int32_t k = 0; k < t->width; k++) {
        double p = (double)sum[k] / (double)w;
        if (t->rules->criterion == EXACT_GINI)
            s += p * p;
        else if (p > 0)
            s += p * vm_log2(p);
    }
    double out = t->rules->criterion == EXACT_GINI ? 1 - s : -s;
    return out > 0 ? out : 0;
}

/* Mean of squares about the mean: a second pass, in integers of its own unit. */
static double value_impurity(const struct exact *t, const struct exact_node *q,
                             double mean)
{
    double most = 0;
    int64_t sum = 0;
    int e, en;
    for (int pass = 0; pass < 2; pass++) {
        double scale = 1;
        if (pass) {
            if (!(most > 0)) return 0;
            (void)frexp(most, &e);
            (void)frexp((double)q->n, &en);
            e = 61 - e - en;
            scale = ldexp(1, e > 1000 ? 1000 : e);
        }
        for (uint32_t i = 0; i < q->n; i++) {
            uint32_t row = t->rows[q->beg + i];
            double r = t->d->y[row] - mean, v = r * r * (t->d->w ? t->d->w[row] : 1);
            if (pass)
                sum += (int64_t)rint(v * scale);
            else
                most = v > most ? v : most;
        }
        if (pass) return (double)sum / scale / ((double)q->w * t->w_unit);
    }
    return 0;
}

/* Sums, impurity and value of a node from its rows; returns 1 when it is pure. */
static int describe_node(struct exact *t, int64_t at)
{
    struct exact_node *q = &t->node[at];
    double *value = t->value + at * t->n_values;
    memset(t->total, 0, (size_t)t->width * sizeof *t->total);
    for (uint32_t i = 0; i < q->n; i++) add_row(t, t->rows[q->beg + i], t->total);
    q->w = weight_of(t, t->total);
    if (t->d->task == TIDE_CLASSIFY) {
        int seen = 0;
        for (int32_t k = 0; k < t->width; k++) {
            value[k] = (double)t->total[k] / (double)q->w;
            seen += t->total[k] > 0;
        }
        q->impurity = class_impurity(t, t->total, q->w);
        return seen <= 1;
    }
    double lo = t->d->y[t->rows[q->beg]], hi = lo;
    for (uint32_t i = 1; i < q->n; i++) {
        double y = t->d->y[t->rows[q->beg + i]];
        lo = y < lo ? y : lo;
        hi = y > hi ? y : hi;
    }
    value[0] = lo == hi ? lo
                        : t->y_mid + (double)t->total[1] * t->y_unit /
                                         ((double)t->total[0] * t->w_unit);
    q->impurity = lo == hi ? 0 : value_impurity(t, q, value[0]);
    return lo == hi;
}

/* ----------------------------------------------------------------------- search --- */

struct exact_scan {
    struct exact *t;
    const struct exact_node *q;
    struct exact_work *w;
    struct exact_split *best;
    int32_t feature;
};

/* Tries the split with w->left on the left; `thr` and the like are in *as. */
static void exact_offer(const struct exact_scan *s, int64_t rows_left,
                        const struct exact_split *as)
{
    const struct exact *t = s->t;
    int64_t least = t->rules->min_rows;
    if (rows_left < least || (int64_t)s->q->n - rows_left < least) return;
    for (int32_t k = 0; k < t->width; k++) s->w->right[k] = t->total[k] - s->w->left[k];
    if (weight_of(t, s->w->left) <= 0 || weight_of(t, s->w->right) <= 0) return;
    double score = side_score(t, s->w->left) + side_score(t, s->w->right);
    if (s->best->feature >= 0 && !(score > s->best->score)) return;
    *s->best = *as;
    s->best->score = score;
    s->best->feature = s->feature;
    if (!as->set &&
        as->missing_left == 2) /* nothing missing here: the side of more cover */
        s->best->missing_left = weight_of(t, s->w->left) >= weight_of(t, s->w->right);
}

static double threshold_between(const struct exact_scan *s, double low, double high)
{
    if (s->t->snap) { /* the first global edge that is not below */
        const struct bin_feature *f = &s->t->cuts->feature[s->feature];
        int32_t lo = 0, hi = f->n_edge - 1;
        while (lo < hi) {
            int32_t mid = lo + (hi - lo) / 2;
            if (f->edge[mid] < low)
                lo = mid + 1;
            else
                hi = mid;
        }
        return f->edge[lo];
    }
    double mid = low / 2 + high / 2;
    return mid >= low && mid < high ? mid : low;
}

/* One pass over the sorted rows, with missing rows on one side. */
static void scan_sorted(const struct exact_scan *s, int64_t present, int missing_left)
{
    const struct exact *t = s->t;
    const struct exact_col *c = &t->col[s->feature];
    const uint32_t *order = c->order + s->q->beg;
    int64_t n = s->q->n, rows = 0;
    memset(s->w->left, 0, (size_t)t->width * sizeof *s->w->left);
    for (int64_t i = present; missing_left && i < n; i++, rows++)
        add_row(t, order[i], s->w->left);
    struct exact_split as = {.missing_left =
                                 (uint8_t)(present == n ? 2 : missing_left)};
    for (int64_t i = 0; i < present; i++) {
        add_row(t, order[i], s->w->left);
        rows++;
        int last = i + 1 == present;
        if (last && (missing_left || present == n)) break;
        double low = c->value[order[i]], high = last ? 0 : c->value[order[i + 1]];
        if (!last && low == high) continue;
        as.thr = last ? (double)INFINITY : threshold_between(s, low, high);
        if (!last && t->snap && as.thr >= high) continue; /* one cut for both */
        exact_offer(s, rows, &as);
    }
}

static void scan_column(const struct exact_scan *s)
{
    const struct exact_col *c = &s->t->col[s->feature];
    const uint32_t *order = c->order + s->q->beg;
    int64_t present = s->q->n;
    while (present > 0 && isnan(c->value[order[present - 1]])) present--;
    if (present == 0) return;
    scan_sorted(s, present, 0);
    if (present < (int64_t)s->q->n) scan_sorted(s, present, 1);
}

/* Levels sorted by mean target, prefixes to the left. */
static void scan_categories(const struct exact_scan *s)
{
    const struct exact *t = s->t;
    const uint8_t *code = t->col[s->feature].code;
    int32_t width = t->width, n = 0, big = 0;
    int64_t rows[256] = {0}, left = 0;
    int level[256];
    double key[256];
    memset(s->w->level, 0, 256 * (size_t)width * sizeof *s->w->level);
    for (uint32_t i = 0; i < s->q->n; i++) {
        uint32_t row = t->rows[s->q->beg + i];
        add_row(t, row, s->w->level + (size_t)code[row] * (size_t)width);
        rows[code[row]]++;
    }
    for (int32_t k = 0; k < width; k++) big = t->total[k] > t->total[big] ? k : big;
    if (t->d->task == TIDE_REGRESS || width == 2) big = 1;
    for (int c = 0; c < 256; c++) {
        const int64_t *sum = s->w->level + (size_t)c * (size_t)width;
        if (!rows[c]) continue;
        double mean = (double)sum[width > 1 ? big : 0] / (double)weight_of(t, sum);
        int j = n++;
        for (; j > 0 && key[j - 1] > mean; j--) {
            key[j] = key[j - 1];
            level[j] = level[j - 1];
        }
        key[j] = mean;
        level[j] = c;
    }
    struct exact_split as = {.set = 1};
    memset(s->w->left, 0, (size_t)width * sizeof *s->w->left);
    for (int i = 0; i + 1 < n; i++) {
        const int64_t *sum = s->w->level + (size_t)level[i] * (size_t)width;
        for (int32_t k = 0; k < width; k++) s->w->left[k] += sum[k];
        left += rows[level[i]];
        as.bits[level[i] >> 6] |= UINT64_C(1) << (level[i] & 63);
        exact_offer(s, left, &as);
    }
    if (s->best->feature != s->feature) return;
    left = 0;
    for (int c = 0; c < 256; c++)
        if ((s->best->bits[c >> 6] >> (c & 63)) & 1) left += rows[c];
    for (int c = 0; c < 256 && 2 * left >= (int64_t)s->q->n;
         c++) /* levels not here: more cover */
        if (!rows[c]) s->best->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

static void scan_feature(void *arg, int64_t f, int worker)
{
    struct exact *t = arg;
    struct exact_scan s = {.t = t,
                           .q = &t->node[t->at],
                           .w = &t->work[worker],
                           .best = &t->best[f],
                           .feature = (int32_t)f};
    t->best[f].feature = -1;
    if (!t->col[f].is_on) return;
    if (t->col[f].code)
        scan_categories(&s);
    else
        scan_column(&s);
}

/* ----------------------------------------------------------------------- growth --- */

static void part_feature(void *arg, int64_t f, int worker)
{
    struct exact *t = arg;
    const struct exact_node *q = &t->node[t->at];
    uint32_t *list = f == t->n_features ? t->rows : t->col[f].order;
    if (!list) return;
    uint32_t *ids = list + q->beg, *aside = t->work[worker].aside;
    int64_t l = 0, r = 0;
    for (uint32_t i = 0; i < q->n; i++) {
        uint32_t row = ids[i];
        int go = t->goes_left[row];
        ids[l] = row;
        aside[r] = row;
        l += go;
        r += !go;
    }
    memcpy(ids + l, aside, (size_t)r * sizeof *ids);
}

/* fn for features 0..m-1 of the node at hand: side by side when it is large. */
static tide_status over_features(struct exact *t, int64_t m, par_fn fn, tide_error *err)
{
    if ((int64_t)t->node[t->at].n * m >= EXACT_PAR_WORK)
        return par_for(t->ctx, m, fn, t, err);
    for (int64_t f = 0; f < m; f++) fn(t, f, 0);
    return ctx_cancelled(t->ctx) ? err_cancelled(err) : TIDE_OK;
}

static int more_nodes(struct exact *t)
{
    if (t->n_nodes + 2 <= t->cap_nodes) return 0;
    int64_t cap = t->cap_nodes ? 2 * t->cap_nodes : 64;
    struct exact_node *node = mem_realloc(t->node, (size_t)cap * sizeof *node);
    if (!node) return -1;
    t->node = node;
    double *value =
        mem_realloc(t->value, (size_t)cap * (size_t)t->n_values * sizeof *value);
    if (!value) return -1;
    t->value = value;
    t->cap_nodes = cap;
    return 0;
}

/* The best split of a node, into its test; gain < 0 when it stays a leaf. */
static tide_status find_split(struct exact *t, int64_t at, tide_error *err)
{
    struct exact_node *q = &t->node[at];
    const struct exact_rules *r = t->rules;
    int pure = describe_node(t, at);
    q->gain = -1;
    q->test =
        (struct emit_node){.left = -1, .right = -1, .cover = (double)q->w * t->w_unit};
    if (pure || q->depth >= (uint32_t)r->depth || (int64_t)q->n < r->min_split ||
        (int64_t)q->n < 2 * r->min_rows)
        return TIDE_OK;
    t->at = (int32_t)at;
    tide_status status = over_features(t, t->n_features, scan_feature, err);
    if (status) return status;
    const struct exact_split *best = NULL;
    for (int32_t f = 0; f < t->n_features; f++)
        if (t->best[f].feature >= 0 && (!best || t->best[f].score > best->score))
            best = &t->best[f];
    if (!best) return TIDE_OK;
    /* impurity decrease from scores: sum over sides less the node's own */
    double w_all = (double)t->node[0].w, unit = 1;
    if (t->d->task == TIDE_REGRESS)
        unit = t->y_unit * t->y_unit / t->w_unit / t->w_unit;
    double gain = (best->score - side_score(t, t->total)) * unit / w_all;
    gain = gain > 0 ? gain : 0;
    if (gain < r->min_gain) return TIDE_OK;
    q->gain = gain;
    q->test.feature = best->feature;
    q->test.set = best->set;
    q->test.missing_left = best->missing_left;
    q->test.thr = best->thr;
    q->test.gain = gain;
    memcpy(q->test.bits, best->bits, sizeof q->test.bits);
    return TIDE_OK;
}

static tide_status split_node(struct exact *t, int64_t at, tide_error *err)
{
    if (more_nodes(t)) return err_nomem(err, 0);
    struct exact_node *q = &t->node[at];
    const struct exact_col *c = &t->col[q->test.feature];
    uint32_t n_left = 0;
    for (uint32_t i = 0; i < q->n; i++) {
        uint32_t row = t->rows[q->beg + i];
        int go =
            q->test.set
                ? (int)((q->test.bits[c->code[row] >> 6] >> (c->code[row] & 63)) & 1)
            : isnan(c->value[row]) ? q->test.missing_left
                                   : c->value[row] <= q->test.thr;
        t->goes_left[row] = (uint8_t)go;
        n_left += (uint32_t)go;
    }
    t->at = (int32_t)at;
    tide_status status = over_features(t, t->n_features + 1, part_feature, err);
    if (status) return status;
    q->left = q->test.left = (int32_t)t->n_nodes++;
    q->right = q->test.right = (int32_t)t->n_nodes++;
    t->node[q->left] = (struct exact_node){
        .beg = q->beg, .n = n_left, .left = -1, .right = -1, .depth = q->depth + 1};
    t->node[q->right] = (struct exact_node){.beg = q->beg + n_left,
                                            .n = q->n - n_left,
                                            .left = -1,
                                            .right = -1,
                                            .depth = q->depth + 1};
    status = find_split(t, q->left, err);
    if (!status) status = find_split(t, t->node[at].right, err);
    return status;
}

/* Depth first without a limit on leaves; else the leaf of largest gain, ties to the first. */
static tide_status grow_exact(struct exact *t, tide_error *err)
{
    int64_t leaves = 1, most = t->rules->leaves > 0 ? t->rules->leaves : INT64_MAX;
    if (more_nodes(t)) return err_nomem(err, 0);
    t->node[0] = (struct exact_node){.n = (uint32_t)t->n, .left = -1, .right = -1};
    t->n_nodes = 1;
    tide_status status = find_split(t, 0, err);
    for (int64_t i = 0; most == INT64_MAX && i < t->n_nodes && !status; i++)
        if (t->node[i].gain >= 0) status = split_node(t, i, err);
    while (most < INT64_MAX && leaves < most && !status) {
        int64_t best = -1;
        for (int64_t i = 0; i < t->n_nodes; i++)
            if (t->node[i].left < 0 && t->node[i].gain >= 0 &&
                (best < 0 || t->node[i].gain > t->node[best].gain))
                best = i;
        if (best < 0) break;
        status = split_node(t, best, err);
        leaves++;
    }
    for (int64_t i = 0; i < t->n_nodes; i++)
        if (t->node[i].left < 0) t->node[i].test.left = t->node[i].test.right = -1;
    return status;
}

/* Collapses what costs more than it earns: bottom up, each node once. */
static tide_status prune(struct exact *t, tide_error *err)
{
    double alpha = t->rules->ccp_alpha, all = (double)t->node[0].w;
    if (!(alpha > 0)) return TIDE_OK;
    double *cost = arena_array(&t->a, t->n_nodes, sizeof *cost);
    if (!cost) return arena_status(&t->a, err);
    for (int64_t i = t->n_nodes - 1; i >= 0; i--) {
        struct exact_node *q = &t->node[i];
        double own = q->impurity * (double)q->w / all + alpha;
        cost[i] = own;
        if (q->left < 0) continue;
        double below = cost[q->left] + cost[q->right];
        if (own <= below)
            q->test.left = q->test.right = -1;
        else
            cost[i] = below;
    }
    return TIDE_OK;
}

/* ------------------------------------------------------------------------ setup --- */

static double unit_for(double most, int64_t n, int bits)
{
    int e, en;
    (void)frexp(most, &e);
    (void)frexp((double)(n > 0 ? n : 1), &en);
    e = e + en - bits;
    return ldexp(1, e < -1000 ? -1000 : e > 900 ? 900 : e);
}

static tide_status set_units(struct exact *t, tide_error *err)
{
    const struct fit_data *d = t->d;
    double w_most = 0, y_most = 0, lo = 0, hi = 0;
    t->w_unit = t->y_unit = 1;
    for (int64_t i = 0; d->w && i < t->n; i++)
        w_most = d->w[i] > w_most ? d->w[i] : w_most;
    if (d->w) {
        t->w_unit = unit_for(w_most, t->n, 52);
        t->wq = arena_array(&t->a, t->n, sizeof *t->wq);
        for (int64_t i = 0; t->wq && i < t->n; i++) {
            t->wq[i] = (int64_t)rint(d->w[i] / t->w_unit);
            if (t->wq[i] < 1) t->wq[i] = 1;
        }
    }
    if (d->task == TIDE_REGRESS) {
        for (int64_t i = 0; i < t->n; i++) {
            lo = i == 0 || d->y[i] < lo ? d->y[i] : lo;
            hi = i == 0 || d->y[i] > hi ? d->y[i] : hi;
        }
        t->y_mid = lo / 2 + hi / 2;
        y_most = hi / 2 - lo / 2;
        t->yq = arena_array(&t->a, t->n + 1, sizeof *t->yq);
        t->y_unit = y_most > 0 ? unit_for(y_most * (d->w ? w_most : 1), t->n, 61) : 1;
        for (int64_t i = 0; t->yq && i < t->n; i++)
            t->yq[i] =
                (int64_t)rint((d->y[i] - t->y_mid) * (d->w ? d->w[i] : 1) / t->y_unit);
    } else if (t->rules->criterion == EXACT_ENTROPY && !d->w) {
        t->xlogx = arena_array(&t->a, t->n + 2, sizeof *t->xlogx);
        for (int64_t i = 0; t->xlogx && i <= t->n; i++)
            t->xlogx[i] = i ? (double)i * vm_log2((double)i) : 0;
    }
    return arena_status(&t->a, err);
}

static void load_feature(void *arg, int64_t f, int worker)
{
    struct exact *t = arg;
    const struct bin_feature *b = &t->cuts->feature[f];
    struct exact_col *c = &t->col[f];
    struct arena scratch;
    (void)worker;
    if (!c->is_on) return;
    if (b->kind) {
        uint32_t raw[1024];
        for (int64_t i0 = 0; i0 < t->n; i0 += 1024) {
            int64_t m = t->n - i0 < 1024 ? t->n - i0 : 1024;
            view_codes(t->d->x, (int)f, i0, m, raw);
            for (int64_t i = 0; i < m; i++)
                c->code[i0 + i] =
                    raw[i] < b->n_level ? b->level_code[raw[i]] : BIN_MISSING;
        }
        return;
    }
    arena_init(&scratch, NULL);
    view_numbers(t->d->x, (int)f, 0, t->n, c->value);
    if (sort_index_f64(&scratch, c->value, t->n, c->order)) c->is_on = -1;
    arena_free(&scratch);
}

static tide_status load_columns(struct exact *t, tide_error *err)
{
    int64_t n = t->n;
    t->col = arena_zero(&t->a, ((size_t)t->n_features + 1) * sizeof *t->col);
    t->best = arena_array(&t->a, t->n_features + 1, sizeof *t->best);
    t->rows = arena_array(&t->a, n, sizeof *t->rows);
    t->goes_left = arena_array(&t->a, n, 1);
    t->total = arena_array(&t->a, t->width, sizeof *t->total);
    int threads = par_threads(t->ctx);
    t->work = arena_zero(&t->a, (size_t)threads * sizeof *t->work);
    tide_status status = arena_status(&t->a, err);
    for (int i = 0; i < threads && !status; i++) {
        t->work[i].left = arena_array(&t->a, t->width, sizeof(int64_t));
        t->work[i].right = arena_array(&t->a, t->width, sizeof(int64_t));
        t->work[i].level = arena_array(&t->a, t->width, 256 * sizeof(int64_t));
        t->work[i].aside = arena_array(&t->a, n + 1, sizeof(uint32_t));
    }
    for (int32_t f = 0; f < t->n_features && !status; f++) {
        t->col[f].is_on = t->cuts->feature[f].lane >= 0;
        if (!t->col[f].is_on) continue;
        if (t->cuts->feature[f].kind) {
            t->col[f].code = arena_array(&t->a, n, 1);
        } else {
            t->col[f].value = arena_array(&t->a, n, sizeof(double));
            t->col[f].order = arena_array(&t->a, n, sizeof(uint32_t));
        }
    }
    if (!status) status = arena_status(&t->a, err);
    for (int64_t i = 0; i < n && !status; i++) t->rows[i] = (uint32_t)i;
    if (!status) status = par_for(t->ctx, t->n_features, load_feature, t, err);
    for (int32_t f = 0; f < t->n_features && !status; f++)
        if (t->col[f].is_on < 0) status = err_nomem(err, (size_t)n * sizeof(double));
    return status;
}

/* Could more than 65,534 different thresholds come up? Then they are taken from fixed cuts. */
static int many_edges(const struct exact *t)
{
    const struct exact_rules *r = t->rules;
    int64_t most = r->leaves > 0 && r->leaves < t->n ? r->leaves : t->n;
    if (r->depth < 40 && (INT64_C(1) << r->depth) < most) most = INT64_C(1) << r->depth;
    return most > EXACT_MANY_EDGES;
}

/* Global cuts of every number column, up to 65,534. */
static tide_status many_cuts(struct exact *t, struct arena *keep, tide_error *err)
{
    t->snap = 1;
    for (int32_t f = 0; f < t->n_features; f++) {
        struct exact_col *c = &t->col[f];
        struct bin_feature *b = &t->cuts->feature[f];
        int64_t m = 0;
        if (!c->is_on || c->code) continue;
        double *sorted = arena_array(&t->a, t->n, sizeof *sorted);
        double *edge = arena_array(keep, EXACT_MANY_EDGES, sizeof *edge);
        if (!sorted) return arena_status(&t->a, err);
        if (!edge) return arena_status(keep, err);
        for (int64_t i = 0; i < t->n && !isnan(c->value[c->order[i]]); i++)
            sorted[m++] = c->value[c->order[i]];
        b->n_edge = bins_edges(sorted, m, EXACT_MANY_EDGES, edge);
        if (b->n_edge < 0) return err_nomem(err, (size_t)m * sizeof *sorted);
        b->edge = edge;
    }
    return TIDE_OK;
}

static void hand_over(struct exact *t, struct emit *out, struct arena *a,
                      tide_error *err, tide_status *status)
{
    struct emit_node *node = arena_array(a, t->n_nodes, sizeof *node);
    if (!node) {
        *status = arena_status(a, err);
        return;
    }
    for (int64_t i = 0; i < t->n_nodes; i++) node[i] = t->node[i].test;
    emit_add(out, 0, node, 0, t->value);
    if (out->failed) *status = err_nomem(err, 0);
}

tide_status exact_tree(struct tide_ctx *ctx, const struct fit_data *d,
                       const struct exact_rules *rules, struct emit *out,
                       struct bin_cuts *cuts, struct arena *keep, tide_error *err)
{
    struct exact_rules own = *rules;
    struct exact t = {
        .ctx = ctx, .d = d, .rules = &own, .cuts = cuts, .n = d->x->n_rows};
    struct bin_how how = {.max_codes = 255, .seed = d->seed};
    if (own.depth <= 0 || own.depth > ENSEMBLE_DEPTH_MAX)
        own.depth = ENSEMBLE_DEPTH_MAX;
    t.n_features = d->x->n_cols;
    t.width = d->task == TIDE_CLASSIFY ? d->n_classes : 2;
    t.n_values = d->task == TIDE_CLASSIFY ? d->n_classes : 1;
    arena_init(&t.a, ctx);
    tide_status status = bins_cut(ctx, d->x, &how, keep, cuts, err);
    if (!status) status = set_units(&t, err);
    if (!status) status = load_columns(&t, err);
    if (!status && many_edges(&t)) status = many_cuts(&t, keep, err);
    if (!status) status = grow_exact(&t, err);
    if (!status) status = prune(&t, err);
    if (!status) hand_over(&t, out, &t.a, err, &status);
    mem_free(t.node);
    mem_free(t.value);
    arena_free(&t.a);
    return status;
}
