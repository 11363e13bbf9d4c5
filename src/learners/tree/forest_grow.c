/* forest_grow.c - many deep trees on ranks, side by side (trees.md 7)
 *
 * Rows        a tree's rows carry how often they were drawn, times their weight; Poisson counts
 *             by Philox(seed, "bag", id of the row, tree), so no row order enters
 * Large nodes above 4,096 rows: 1,024 coarse cells a column, then single ranks around the best
 *             boundary; smaller ones exactly, in cache (small_node.c)
 * Leaf limit  a tree is grown in full and the splits of largest gain are kept: what best-first
 *             growth gives, since no split depends on the order in which nodes were split
 * Threads     over trees; each has its own memory, and a tree's bytes depend on nothing else
 * Guide       Q10
 */
#include "learners/tree/forest_grow.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"
#include "frame/frame.h"
#include "learners/tree/small_node.h"
#include "simd/vmath.h"

#define UNIT_BITS  27 /* of all weights together; times MOST_DRAWS within 31 */
#define BOOST_BITS 30
#define MOST_DRAWS 15
#define BAG_TREES  8
#define COARSE     1024
#define FETCH      32 /* rows ahead */
/* A copy of the codes by rows is made for so many columns at most, and trees at least. */
#define WIDE_MOST  128
#define WIDE_TREES 4
#define WIDE_BLOCK 512

/* ------------------------------------------------------------------------- data --- */

/* A power of two u with x / u <= 2^bits. */
static double unit_for(double x, int bits)
{
    int e = 0;
    if (!(x > 0)) return 1;
    (void)frexp(x, &e);
    e -= bits;
    return ldexp(1, e < -1000 ? -1000 : e);
}

double forest_sum(const double *w, const double *x, int64_t n)
{
    double most = 0;
    int64_t sum = 0;
    int e = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = (w ? w[i] : 1) * (x ? x[i] : 1);
        most = v > most ? v : most;
    }
    if (!(most > 0)) return 0;
    (void)frexp((double)n, &e);
    double unit = unit_for(most, 61 - e);
    for (int64_t i = 0; i < n; i++)
        sum += (int64_t)rint((w ? w[i] : 1) * (x ? x[i] : 1) / unit);
    return (double)sum * unit;
}

tide_status forest_level_classes(const struct fit_data *d, double *w, struct arena *a,
                                 tide_error *err)
{
    int64_t n = d->x->n_rows;
    double *is = arena_array(a, n + 1, sizeof *is), all = forest_sum(d->w, NULL, n);
    if (!is) return arena_status(a, err);
    for (int32_t k = 0; k < d->n_classes; k++) {
        for (int64_t i = 0; i < n; i++) is[i] = d->k[i] == k;
        double own = forest_sum(d->w, is, n);
        for (int64_t i = 0; i < n; i++)
            if (d->k[i] == k) w[i] = (d->w ? d->w[i] : 1) * all / (d->n_classes * own);
    }
    return TIDE_OK;
}

static tide_status weight_units(const struct fit_data *d, enum forest_weighting how,
                                struct arena *a, struct forest_data *out,
                                tide_error *err)
{
    int64_t n = out->n;
    const double *w = d->w;
    double *level = NULL;
    int whole = 1;
    if (how == FOREST_BALANCED && d->task == TIDE_CLASSIFY) {
        level = arena_array(a, n + 1, sizeof *level);
        if (!level) return arena_status(a, err);
        tide_status status = forest_level_classes(d, level, a, err);
        if (status) return status;
        w = level;
    }
    out->w_unit = 1;
    double sum = forest_sum(w, NULL, n);
    for (int64_t i = 0; w && i < n && whole; i++) whole = w[i] == rint(w[i]);
    if (!whole || sum > (double)(1 << UNIT_BITS))
        out->w_unit = unit_for(sum, UNIT_BITS);
    for (int64_t i = 0; i < n; i++) {
        double u = rint((w ? w[i] : 1) / out->w_unit);
        out->w[i] = u < 1 ? 1 : (uint32_t)u;
    }
    return TIDE_OK;
}

void forest_data_weigh(struct forest_data *data, const double *w)
{
    data->w_unit = unit_for(forest_sum(w, NULL, data->n), BOOST_BITS);
    for (int64_t i = 0; i < data->n; i++)
        data->w[i] = (uint32_t)rint(w[i] / data->w_unit);
}

static void target_units(const struct fit_data *d, enum forest_weighting how,
                         struct forest_data *out)
{
    int64_t n = out->n, all = 0;
    double lo = 0, hi = 0;
    if (d->task == TIDE_CLASSIFY) {
        for (int64_t i = 0; i < n; i++) out->aux[i] = d->k[i];
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        lo = i == 0 || d->y[i] < lo ? d->y[i] : lo;
        hi = i == 0 || d->y[i] > hi ? d->y[i] : hi;
        all += out->w[i];
    }
    out->y_mid = lo / 2 + hi / 2;
    double most = hi / 2 - lo / 2;
    int e = 0;
    (void)frexp((double)all * (MOST_DRAWS + 1), &e);
    if (how == FOREST_BOOSTED) e = BOOST_BITS + 1; /* what later weights may come to */
    out->y_unit = unit_for(most, 61 - e);
    for (int64_t i = 0; i < n; i++)
        out->aux[i] = (int64_t)rint((d->y[i] - out->y_mid) / out->y_unit);
}

tide_status forest_data_make(struct tide_ctx *ctx, const struct fit_data *d,
                             enum forest_weighting weighting,
                             const struct ensemble *from, struct arena *a,
                             struct forest_data *out, tide_error *err)
{
    int64_t n = d->x->n_rows;
    *out = (struct forest_data){.d = d, .n = n, .w_unit = 1, .y_unit = 1};
    if (n > (INT64_C(1) << UNIT_BITS))
        return err_set(err, TIDE_CODE_MEMORY_BUDGET, "forests take at most %d rows",
                       1 << UNIT_BITS);
    out->mode = d->task == TIDE_REGRESS ? FOREST_SUM
                : d->n_classes == 2     ? FOREST_TWO
                                        : FOREST_MANY;
    out->width = d->task == TIDE_REGRESS ? 1 : d->n_classes;
    out->w = arena_array(a, n + 1, sizeof *out->w);
    out->aux = arena_array(a, n + 1, sizeof *out->aux);
    tide_status status = arena_status(a, err);
    if (!status) status = weight_units(d, weighting, a, out, err);
    if (status) return status;
    target_units(d, weighting, out);
    struct rank_target target = {.n_classes =
                                     d->task == TIDE_REGRESS ? 0 : d->n_classes,
                                 .w = out->w,
                                 .aux = out->aux,
                                 .from = from};
    return rank_codes_make(ctx, d, &target, a, &out->codes, err);
}

/* --------------------------------------------------------------------- the draw --- */

/* 16-bit thresholds of a Poisson count: the count is how many are <= a draw. */
static void poisson_steps(double rate, uint32_t step[MOST_DRAWS])
{
    double p = vm_exp(-rate), sum = 0;
    for (int k = 0; k < MOST_DRAWS; k++) {
        sum += p;
        p *= rate / (k + 1);
        double at = rint(sum * 65536);
        step[k] = at > 65536 ? 65536 : (uint32_t)at;
    }
}

static inline uint32_t poisson_count(const uint32_t step[MOST_DRAWS], uint32_t u)
{
    uint32_t n = 0; /* no early end: it would be guessed wrongly for every other row */
    for (int k = 0; k < MOST_DRAWS; k++) n += step[k] <= u;
    return n;
}

static inline uint32_t bag_half(struct rng_word r, int32_t tree)
{
    int at = tree % BAG_TREES;
    return r.w[at >> 1] >> (16 * (at & 1)) & 65535;
}

uint32_t forest_multiplicity(const struct forest_rules *rules, int32_t tree, int64_t id)
{
    uint32_t step[MOST_DRAWS];
    if (!(rules->rows > 0)) return 1;
    poisson_steps(rules->rows, step);
    struct rng_word r =
        rng_at(rng_key(rules->seed, "bag"), id, (uint32_t)(tree / BAG_TREES), 0);
    return poisson_count(step, bag_half(r, tree));
}

int forest_saw_all(const struct forest_rules *rules, const struct forest_data *data,
                   int32_t tree)
{
    for (int64_t i = 0; i < data->n; i++)
        if (data->w[i] && forest_multiplicity(rules, tree, view_id(data->d->x, i)))
            return 0;
    return 1;
}

int64_t forest_left_out(const struct forest_rules *rules,
                        const struct forest_data *data, int32_t tree, uint32_t *row)
{
    uint32_t step[MOST_DRAWS];
    struct rng_key key = rng_key(rules->seed, "bag");
    int64_t n = 0;
    if (!(rules->rows > 0) || forest_saw_all(rules, data, tree)) return 0;
    poisson_steps(rules->rows, step);
    for (int64_t i = 0; i < data->n; i++) {
        struct rng_word r =
            rng_at(key, view_id(data->d->x, i), (uint32_t)(tree / BAG_TREES), 0);
        if (!poisson_count(step, bag_half(r, tree))) row[n++] = (uint32_t)i;
    }
    return n;
}

/* ----------------------------------------------------------------- large nodes --- */

struct coarse {
    const struct rank_col *c;
    int missing, shift;
};

static inline uint32_t coarse_of(const struct coarse *k, uint32_t code)
{
    uint32_t m = (uint32_t)k->missing;
    return code < m ? 0 : m + ((code - m) >> k->shift);
}

/* Single ranks of two coarse cells; what lies below them is one cell, what lies above another. */
static void search_around(struct grow_work *w, const struct grow_rows *rows,
                          const struct coarse *k, uint32_t lo, uint32_t hi, int32_t q,
                          struct grow_split *out)
{
    uint32_t m = (uint32_t)k->missing, wide = 1u << k->shift;
    uint32_t lo0 = m + ((lo - m) << k->shift), hi0 = m + ((hi - m) << k->shift);
    uint32_t in_lo = m + 1, in_hi = in_lo + wide, above = in_hi + wide;
    for (uint32_t i = 0; i < rows->n; i++) { /* no row is between the two */
        uint32_t c = w->code[i], high = in_hi + c - hi0;
        uint32_t to = high < above ? high : above;
        to = c < hi0 ? in_lo + c - lo0 : to;
        to = c < lo0 ? m : to;
        w->seq[i] = (uint16_t)(c < m ? 0 : to);
    }
    search_column(w, w->seq, NULL, rows, above + 1, k->missing, q, out);
    if (out->feature < 0 || out->missing == MISSING_ALONE) return;
    uint32_t a = out->lo, b = out->hi;
    out->lo = (uint16_t)(a < in_lo   ? lo0 - 1
                         : a < in_hi ? lo0 + a - in_lo
                                     : hi0 + a - in_hi);
    out->hi = (uint16_t)(b < in_hi   ? lo0 + b - in_lo
                         : b < above ? hi0 + b - in_hi
                                     : hi0 + wide);
}

static void search_exact(struct grow_work *w, const struct grow_rows *rows,
                         const uint32_t *id, int32_t q, struct grow_split *best)
{
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    struct grow_split mine = {.num = (double)INFINITY, .den = 1, .feature = -1};
    struct coarse k = {.c = c, .missing = c->missing};
    for (uint32_t i = 0; i < rows->n; i++) { /* ids are followed by FETCH more */
        __builtin_prefetch(c->code + id[i + FETCH]);
        w->code[i] = c->code[id[i]];
    }
    if (c->n_rank + c->missing <= SMALL_CODES) {
        search_column(w, w->code, NULL, rows, (uint32_t)(c->n_rank + c->missing),
                      c->missing, q, best);
        return;
    }
    while (c->n_rank >> k.shift > COARSE) k.shift++;
    for (uint32_t i = 0; i < rows->n; i++)
        w->seq[i] = (uint16_t)coarse_of(&k, w->code[i]);
    uint32_t n_cells = coarse_of(&k, (uint32_t)(c->n_rank + c->missing - 1)) + 1;
    int cells = search_column(w, w->seq, NULL, rows, n_cells, c->missing, q, &mine);
    /* single ranks only where the cells promise something: they add little to it */
    if (mine.feature >= 0 && !(mine.num * best->den < best->num * mine.den)) return;
    if (mine.feature >= 0 && mine.missing != MISSING_ALONE) {
        uint32_t lo = mine.lo, hi = mine.hi;
        mine.num = (double)INFINITY;
        mine.den = 1;
        mine.feature = -1;
        search_around(w, rows, &k, lo, hi, q, &mine);
    } else if (cells == 1) { /* all in one coarse cell: its ranks */
        uint32_t at = w->list_code[0];
        if (at >= (uint32_t)c->missing)
            search_around(w, rows, &k, at, at + 1, q, &mine);
    }
    if (mine.feature >= 0 && mine.num * best->den < best->num * mine.den) *best = mine;
}

/* Ranks stand for images, which have the same order, and half as much memory is asked for. */
static void search_drawn_large(struct grow_work *w, const struct grow_rows *rows,
                               const uint32_t *id, int32_t q, uint64_t path,
                               struct grow_split *best)
{
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    const uint16_t *code = c->code;
    float *restrict x = w->x;
    for (uint32_t i = 0; i < rows->n; i++) {
        __builtin_prefetch(code + id[i + FETCH]);
        x[i] = (float)((int32_t)code[id[i]] - c->missing);
    }
    for (uint32_t i = 0; c->missing && i < rows->n; i++)
        x[i] = x[i] < 0 ? -(float)INFINITY : x[i];
    search_ranks(w, rows, path, q, best);
}

static void search_large(struct grow_work *w, const struct grow_frame *f,
                         const struct grow_rows *rows, struct grow_split *best)
{
    const uint32_t *id = w->id + f->beg;
    int32_t q;
    columns_begin(w, f->path);
    for (int32_t tried = 0; (q = columns_next(w)) >= 0; tried++) {
        if (tried >= w->rules->columns && best->feature >= 0) break;
        if (cannot_be_better(w, best)) break;
        if (w->rules->random)
            search_drawn_large(w, rows, id, q, f->path, best);
        else
            search_exact(w, rows, id, q, best);
    }
}

static uint32_t part_large(struct grow_work *w, const struct grow_frame *f,
                           const struct grow_split *s)
{
    const uint16_t *code = w->data->codes.col[w->on[s->feature]].code;
    uint32_t *id = w->id + f->beg, *pay = w->pay + f->beg, l = 0, r = 0;
    int64_t *aux = w->aux ? w->aux + f->beg : NULL;
    uint16_t sub, top;
    split_test(s, &sub, &top);
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t row = id[i], p = pay[i], go = (uint16_t)(code[row] - sub) <= top;
        id[l] = row;
        pay[l] = p;
        w->id2[r] = row;
        w->pay2[r] = p;
        if (aux) {
            int64_t x = aux[i];
            aux[l] = x;
            w->aux2[r] = x;
        }
        l += go;
        r += !go;
    }
    memcpy(id + l, w->id2, r * sizeof *id);
    memcpy(pay + l, w->pay2, r * sizeof *pay);
    if (aux) memcpy(aux + l, w->aux2, r * sizeof *aux);
    return l;
}

/* --------------------------------------------------------------- one whole tree --- */

static void grow_walk(struct grow_work *w, const struct grow_frame *root)
{
    int n_stack = 0;
    w->stack[n_stack++] = *root;
    while (n_stack && !w->failed) {
        struct grow_frame at = w->stack[--n_stack], left, right;
        struct grow_rows rows = {
            w->pay + at.beg, w->aux ? w->aux + at.beg : NULL, at.n, at.s0, at.s1, NULL};
        struct grow_split best = {.num = (double)INFINITY, .den = 1, .feature = -1};
        if (at.n <= (uint32_t)w->level[0].cap) {
            grow_small(w, &at);
            continue;
        }
        int splits = may_split(w, &at, &rows);
        if (splits) search_large(w, &at, &rows, &best);
        double gain = best.feature >= 0 ? split_gain(w, &rows, &best) : 0;
        if (best.feature < 0 || gain < w->rules->min_gain * w->root_weight) {
            add_leaf(w, &at, &rows);
            continue;
        }
        uint32_t node = add_node(w, &at, &rows, &best, best.lo, best.hi, gain);
        if (w->failed) break;
        child_frames(&at, &best, node, part_large(w, &at, &best), &left, &right);
        w->stack[n_stack++] = right;
        w->stack[n_stack++] = left;
    }
}

/* Keeps the `leaves` - 1 splits of largest gain that can be reached, in the order of the walk. */
static int keep_best(struct grow_work *w)
{
    struct forest_tree *t = &w->tree;
    int64_t most = w->rules->leaves - 1, n_open = 0, width = w->data->width;
    if (!w->rules->leaves || t->n_nodes <= most) return 0;
    uint8_t *kept = mem_zalloc((size_t)t->n_nodes);
    uint32_t *open = mem_array((size_t)t->n_nodes + 1, sizeof *open);
    double *leaf = mem_array((size_t)(most + 1), (size_t)width * sizeof *leaf);
    uint32_t *cover = mem_array((size_t)(most + 1), sizeof *cover);
    struct forest_node *node = mem_array((size_t)most + 1, sizeof *node);
    int bad = !kept || !open || !leaf || !cover || !node;
    if (bad) goto done;
    open[n_open++] = 0;
    for (int64_t i = 0; i < most && n_open; i++) {
        int64_t best = 0;
        for (int64_t j = 1; j < n_open; j++) {
            double a = w->node_gain[open[j]], b = w->node_gain[open[best]];
            if (a > b || (a == b && open[j] < open[best])) best = j;
        }
        uint32_t at = open[best];
        open[best] = open[--n_open];
        kept[at] = 1;
        for (int side = 0; side < 2; side++) {
            uint32_t c = side ? t->node[at].right : t->node[at].left;
            if (c < (uint32_t)t->n_nodes) open[n_open++] = c;
        }
    }
    struct {
        uint32_t at, parent, depth;
        int right;
    } stack[ENSEMBLE_DEPTH_MAX + 4];
    int n_stack = 0;
    uint32_t nodes = 0, leaves = 0, deepest = 0;
    for (int32_t f = 0; f < w->data->codes.n_cols; f++) w->importance[f] = 0;
    stack[n_stack].at = 0;
    stack[n_stack].parent = UINT32_MAX;
    stack[n_stack].depth = 0;
    stack[n_stack++].right = 0;
    while (n_stack) {
        uint32_t at = stack[--n_stack].at, up = stack[n_stack].parent, number;
        uint32_t depth = stack[n_stack].depth;
        int right = stack[n_stack].right, inner = at < (uint32_t)t->n_nodes;
        if (inner && kept[at]) {
            number = nodes;
            node[nodes++] = t->node[at];
            w->importance[t->node[at].feature] += w->node_gain[at];
            for (int side = 1; side >= 0; side--) {
                stack[n_stack].at = side ? t->node[at].right : t->node[at].left;
                stack[n_stack].parent = number;
                stack[n_stack].depth = depth + 1;
                stack[n_stack++].right = side;
            }
        } else {
            const double *from = inner ? w->node_value + (int64_t)at * width
                                       : t->leaf + (int64_t)~at * width;
            memcpy(leaf + (int64_t)leaves * width, from, (size_t)width * sizeof *leaf);
            cover[leaves] = inner ? t->node[at].cover : t->leaf_cover[~at];
            deepest = depth > deepest ? depth : deepest;
            number = ~leaves++;
        }
        if (up != UINT32_MAX) *(right ? &node[up].right : &node[up].left) = number;
    }
    memcpy(t->node, node, nodes * sizeof *node);
    memcpy(t->leaf, leaf, (size_t)leaves * (size_t)width * sizeof *leaf);
    memcpy(t->leaf_cover, cover, leaves * sizeof *cover);
    t->n_nodes = nodes;
    t->n_leaves = leaves;
    t->depth = deepest;
done:
    mem_free(node);
    mem_free(cover);
    mem_free(leaf);
    mem_free(open);
    mem_free(kept);
    return bad ? -1 : 0;
}

struct growing {
    const struct forest_data *data;
    const struct forest_rules *rules;
    struct forest *out;
    double *importance; /* [trees][n_cols] */
    struct grow_work **work;
    struct arena *arena; /* [workers] */
    uint8_t **bag;       /* [workers] [n][BAG_TREES] */
    int32_t *bag_of;     /* [workers] */
    uint32_t step[MOST_DRAWS];
    uint8_t *failed;          /* [trees] */
    int64_t first;            /* tree of the batch */
    struct forest_tree *tree; /* [trees] in out->tree */
    int32_t number;           /* of the first tree, for draws */
    struct grow_wide wide;
    const struct simd_table *simd;
};

/* Trees between two words about progress, which the calling thread says. */
static int64_t batch_of(int workers)
{
    return workers > 8 ? 4 * (int64_t)workers : 32;
}

/* Rows of the tree; their number. */
static uint32_t draw_rows(struct growing *g, struct grow_work *w, int32_t tree,
                          int worker, struct grow_frame *root)
{
    const struct forest_data *d = g->data;
    const struct view *x = d->d->x;
    int drawn = g->rules->rows > 0, group = tree / BAG_TREES;
    uint8_t *bag = g->bag[worker];
    uint32_t n = 0;
    if (drawn && g->bag_of[worker] != group) {
        struct rng_key key = rng_key(g->rules->seed, "bag");
        for (int64_t i = 0; i < d->n; i++) {
            struct rng_word r = rng_at(key, view_id(x, i), (uint32_t)group, 0);
            for (int t = 0; t < BAG_TREES; t++)
                bag[i * BAG_TREES + t] =
                    (uint8_t)poisson_count(g->step, bag_half(r, t));
        }
        g->bag_of[worker] = group;
    }
    for (int all = !drawn; all < 2 && n == 0; all++) { /* none drawn: every row once */
        root->s0 = root->s1 = 0;
        for (int64_t i = 0; i < d->n; i++) {
            uint32_t m = all ? 1 : bag[i * BAG_TREES + tree % BAG_TREES];
            if (!m) continue;
            uint32_t u = m * d->w[i];
            if (!u) continue;
            w->id[n] = (uint32_t)i;
            w->pay[n] = d->mode == FOREST_TWO ? u << 1 | (uint32_t)d->aux[i] : u;
            if (w->aux) w->aux[n] = d->aux[i];
            if (d->mode == FOREST_TWO)
                *(d->aux[i] ? &root->s1 : &root->s0) += u;
            else
                root->s1 += u;
            if (d->mode == FOREST_SUM) root->s0 += d->aux[i] * (int64_t)u;
            n++;
        }
    }
    root->n = n;
    return n;
}

static struct grow_work *work_new(struct growing *g, int worker)
{
    const struct forest_data *d = g->data;
    struct arena *a = &g->arena[worker];
    int64_t n = d->n + 1, nc = d->codes.n_cols, on = 0;
    struct grow_work *w = arena_zero(a, sizeof *w);
    if (!w) return NULL;
    for (int64_t f = 0; f < nc; f++) on += d->codes.col[f].on;
    w->data = d;
    w->rules = g->rules;
    double least = ceil(g->rules->min_rows / d->w_unit);
    w->min_units = least < 1      ? 1
                   : least > 1e15 ? INT64_C(1000000000000000)
                                  : (int64_t)least;
    w->on = arena_array(a, on + 1, sizeof *w->on);
    w->hash = arena_array(a, on + 1, sizeof *w->hash);
    w->deck = arena_array(a, on + 1, sizeof *w->deck);
    w->swap = arena_array(a, on + 1, sizeof *w->swap);
    w->id = arena_zero(a, ((size_t)n + FETCH) * sizeof *w->id);
    w->id2 = arena_array(a, n, sizeof *w->id2);
    w->pay = arena_array(a, n, sizeof *w->pay);
    w->pay2 = arena_array(a, n, sizeof *w->pay2);
    w->seq = arena_array(a, n, sizeof *w->seq);
    w->code = arena_array(a, n, sizeof *w->code);
    int64_t few = SIMD_DRAWN * DRAWN_TINY;
    if (g->rules->random) w->x = arena_array(a, n > few ? n : few, sizeof *w->x);
    w->wide = &g->wide;
    w->simd = g->simd;
    if (d->mode != FOREST_TWO) {
        w->aux = arena_array(a, n, sizeof *w->aux);
        w->aux2 = arena_array(a, n, sizeof *w->aux2);
    }
    if (d->mode == FOREST_MANY) {
        w->by_code = arena_array(a, n, sizeof *w->by_code);
        w->by_pay = arena_array(a, n, sizeof *w->by_pay);
        w->by_aux = arena_array(a, n, sizeof *w->by_aux);
        w->left = arena_zero(a, (size_t)d->width * sizeof *w->left);
        w->total = arena_zero(a, (size_t)d->width * sizeof *w->total);
    }
    g->bag[worker] = g->rules->rows > 0 ? arena_array(a, n, BAG_TREES) : NULL;
    g->bag_of[worker] = -1;
    if (a->failed) return NULL;
    for (int64_t f = 0; f < nc; f++) {
        if (!d->codes.col[f].on) continue;
        w->hash[w->n_on] = d->codes.col[f].hash;
        w->deck[w->n_on] = w->n_on;
        w->on[w->n_on++] = (int32_t)f;
    }
    levels_init(w, a);
    return a->failed ? NULL : w;
}

static int take_tree(const struct grow_work *w, struct forest_tree *to)
{
    const struct forest_tree *t = &w->tree;
    size_t width = (size_t)w->data->width * sizeof *to->leaf;
    *to = *t;
    to->node = mem_array((size_t)t->n_nodes + 1, sizeof *to->node);
    to->leaf = mem_array((size_t)t->n_leaves, width);
    to->leaf_cover = mem_array((size_t)t->n_leaves, sizeof *to->leaf_cover);
    if (!to->node || !to->leaf || !to->leaf_cover) return -1;
    if (t->n_nodes) memcpy(to->node, t->node, (size_t)t->n_nodes * sizeof *to->node);
    memcpy(to->leaf, t->leaf, (size_t)t->n_leaves * width);
    memcpy(to->leaf_cover, t->leaf_cover, (size_t)t->n_leaves * sizeof *to->leaf_cover);
    return 0;
}

static void grow_tree(void *arg, int64_t tree, int worker)
{
    struct growing *g = arg;
    tree += g->first;
    struct grow_frame root = {.parent = UINT32_MAX};
    if (!g->work[worker]) g->work[worker] = work_new(g, worker);
    struct grow_work *w = g->work[worker];
    g->failed[tree] = 1;
    if (!w || w->failed) return;
    w->tree.n_nodes = w->tree.n_leaves = 0;
    w->tree.depth = 0;
    w->importance = g->importance + tree * g->data->codes.n_cols;
    int32_t number = g->number + (int32_t)tree;
    draw_rows(g, w, number, worker, &root);
    w->root_weight =
        (double)(g->data->mode == FOREST_TWO ? root.s0 + root.s1 : root.s1);
    root.path = rng_u64(rng_at(rng_key(g->rules->seed, "columns"), number, 0, 0));
    grow_walk(w, &root);
    if (!w->failed) resolve_cuts(w);
    if (!w->failed && keep_best(w) == 0)
        g->failed[tree] = take_tree(w, &g->tree[tree]) != 0;
}

static tide_status growing_init(struct growing *g, int workers, struct arena *a,
                                tide_error *err)
{
    int32_t nt = g->rules->trees, nc = g->data->codes.n_cols, had = g->out->n_trees;
    size_t each = sizeof *g->tree;
    struct forest_tree *tree =
        mem_realloc(g->out->tree, ((size_t)had + (size_t)nt) * each);
    if (!tree) return err_nomem(err, 0);
    g->out->tree = tree;
    g->tree = tree + had;
    g->number = g->out->first + had;
    memset(g->tree, 0, (size_t)nt * each);
    if (!g->out->importance)
        g->out->importance = mem_zalloc(((size_t)nc + 1) * sizeof *g->out->importance);
    g->importance =
        arena_zero(a, ((size_t)nt * (size_t)nc + 1) * sizeof *g->importance);
    g->work = arena_zero(a, (size_t)workers * sizeof *g->work);
    g->arena = arena_zero(a, (size_t)workers * sizeof *g->arena);
    g->bag = arena_zero(a, (size_t)workers * sizeof *g->bag);
    g->bag_of = arena_zero(a, (size_t)workers * sizeof *g->bag_of);
    g->failed = arena_zero(a, (size_t)nt);
    return g->out->importance ? arena_status(a, err) : err_nomem(err, 0);
}

static void rows_block(void *arg, int64_t block, int worker)
{
    const struct growing *g = arg;
    const struct grow_wide *to = &g->wide;
    int64_t n = g->data->n, end = (block + 1) * WIDE_BLOCK, q = 0;
    (void)worker;
    end = end < n ? end : n;
    for (int32_t f = 0; f < g->data->codes.n_cols; f++) {
        const struct rank_col *c = &g->data->codes.col[f];
        const float *image = c->image - c->missing;
        if (!c->on) continue;
        for (int64_t i = block * WIDE_BLOCK; i < end; i++) {
            if (to->code) to->code[i * to->stride + q] = c->code[i];
            if (to->image) to->image[i * to->stride + q] = image[c->code[i]];
        }
        q++;
    }
}

static tide_status wide_rows(struct tide_ctx *ctx, struct growing *g, struct arena *a,
                             tide_error *err)
{
    int64_t n = g->data->n, on = 0;
    struct grow_wide *to = &g->wide;
    for (int32_t f = 0; f < g->data->codes.n_cols; f++) on += g->data->codes.col[f].on;
    int by_rows = on <= WIDE_MOST && g->rules->trees >= WIDE_TREES && n > SMALL_ROWS;
    if (!by_rows) return TIDE_OK;
    to->stride = on % 32 == 0 || on % 32 > 16 ? (on + 31) / 32 * 32 : on;
    if (g->rules->random)
        to->image = arena_array(a, n * to->stride, sizeof *to->image);
    else
        to->code = arena_array(a, n * to->stride, sizeof *to->code);
    tide_status status = arena_status(a, err);
    if (status) return status;
    return par_for(ctx, (n + WIDE_BLOCK - 1) / WIDE_BLOCK, rows_block, g, err);
}

static void tree_free(struct forest_tree *t)
{
    mem_free(t->node);
    mem_free(t->leaf);
    mem_free(t->leaf_cover);
}

/* Counts the first n of the new trees, and lets go of the others. */
static void take_grown(struct growing *g, int64_t n)
{
    int32_t nc = g->data->codes.n_cols;
    for (int64_t t = 0; t < g->rules->trees; t++) {
        if (t >= n) tree_free(&g->tree[t]);
        for (int32_t f = 0; f < nc && t < n; f++)
            g->out->importance[f] += g->importance[t * nc + f];
    }
    g->out->n_trees += (int32_t)n;
}

tide_status forest_grow(struct tide_ctx *ctx, const struct forest_data *data,
                        const struct forest_rules *rules, int32_t goal,
                        const char *phase, struct forest *out, tide_error *err)
{
    struct growing g = {
        .data = data, .rules = rules, .out = out, .simd = simd_get(ctx)};
    struct arena a;
    int workers = par_threads(ctx);
    int64_t whole = 0, n = rules->trees;
    arena_init(&a, ctx);
    tide_status status = growing_init(&g, workers, &a, err);
    if (status) {
        arena_free(&a);
        return status;
    }
    status = wide_rows(ctx, &g, &a, err);
    if (rules->rows > 0) poisson_steps(rules->rows, g.step);
    if (!status) {
        for (int k = 0; k < workers; k++) arena_init(&g.arena[k], ctx);
        int64_t batch = batch_of(workers);
        for (; g.first < n && !status; g.first += batch) {
            int64_t now = n - g.first < batch ? n - g.first : batch;
            status =
                ctx_progress(ctx, phase, (double)(g.number + g.first), goal, NULL, err);
            if (!status) status = par_for(ctx, now, grow_tree, &g, err);
            if (!status) whole += now;
        }
        for (int k = 0; k < workers; k++) {
            struct grow_work *w = g.work[k];
            if (!status) status = arena_status(&g.arena[k], err);
            if (w) {
                mem_free(w->tree.node);
                mem_free(w->tree.leaf);
                mem_free(w->tree.leaf_cover);
                mem_free(w->cut);
                mem_free(w->node_gain);
                mem_free(w->node_value);
            }
            arena_free(&g.arena[k]);
        }
    }
    for (int64_t t = 0; t < whole && (!status || status == TIDE_ECANCELLED); t++)
        if (g.failed[t]) status = err_nomem(err, 0);
    take_grown(&g, status && status != TIDE_ECANCELLED ? 0 : whole);
    arena_free(&a);
    return status;
}

void forest_free(struct forest *f)
{
    for (int32_t t = 0; f->tree && t < f->n_trees; t++) tree_free(&f->tree[t]);
    mem_free(f->tree);
    mem_free(f->importance);
    *f = (struct forest){0};
}

int64_t forest_leaf_with(const struct forest_tree *t, const struct rank_codes *codes,
                         int64_t row, int32_t column, uint16_t value)
{
    if (!t->n_nodes) return 0;
    uint32_t at = 0;
    for (;;) {
        const struct forest_node *q = &t->node[at];
        const struct rank_col *c = &codes->col[q->feature];
        uint16_t code = (int32_t)q->feature == column ? value : c->code[row];
        int left = c->missing && code == 0 ? q->missing_left == 1
                                           : code - c->missing <= q->cut;
        at = left ? q->left : q->right;
        if (at >= (uint32_t)t->n_nodes) return (int64_t)~at;
    }
}

int64_t forest_leaf(const struct forest_tree *t, const struct rank_codes *codes,
                    int64_t row)
{
    return forest_leaf_with(t, codes, row, -1, 0);
}
