/* grow.c - best-first growth of one tree (trees.md 5)
 *
 * The leaf of largest gain is split next (ties: the lower node) until leaves, depth or min_gain
 * stop it. The smaller child's histogram is built from its rows, the larger child's is the
 * parent's less that. No histogram where a child cannot be split any more.
 * Guide  Q10
 */
#include "learners/tree/grow.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"

tide_status grow_new(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                     const struct bin_codes *codes, const struct grow_rules *rules,
                     int64_t n_max, int threads, struct arena *a, struct grow **out,
                     tide_error *err)
{
    struct grow *g = arena_zero(a, sizeof *g);
    *out = NULL;
    if (!g) return arena_status(a, err);
    *g = (struct grow){.ctx = ctx,
                       .cuts = cuts,
                       .codes = codes,
                       .simd = simd_get(ctx),
                       .rules = *rules};
    if (g->rules.depth <= 0 || g->rules.depth > ENSEMBLE_DEPTH_MAX)
        g->rules.depth = ENSEMBLE_DEPTH_MAX;
    if (g->rules.leaves > n_max) g->rules.leaves = n_max > 1 ? (int32_t)n_max : 1;
    g->ids = arena_array(a, n_max + 64, sizeof *g->ids);
    g->aside = arena_array(a, n_max + 64, sizeof *g->aside);
    if (threads > 1) g->aside2 = arena_array(a, n_max + 64, sizeof *g->aside2);
    g->pool = hist_pool_new(ctx, codes, g->simd, threads, n_max, a);
    g->node = arena_array(a, 2 * (int64_t)g->rules.leaves + 2, sizeof *g->node);
    g->heap = arena_array(a, (int64_t)g->rules.leaves + 2, sizeof *g->heap);
    g->lane_best = arena_array(a, codes->n_lanes + 1, sizeof *g->lane_best);
    g->lane_exact = arena_array(a, codes->n_lanes + 1, 1);
    tide_status status = arena_status(a, err);
    if (!status) *out = g;
    return status;
}

/* Does node a come out of the queue before node b? */
static int goes_first(const struct grow *g, int32_t a, int32_t b)
{
    double ga = g->node[a].split.gain, gb = g->node[b].split.gain;
    return ga > gb || (ga == gb && a < b);
}

static void heap_push(struct grow *g, int32_t v)
{
    int32_t i = g->n_heap++;
    for (; i > 0 && goes_first(g, v, g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = v;
}

static int32_t heap_pop(struct grow *g)
{
    int32_t top = g->heap[0], v = g->heap[--g->n_heap], i = 0;
    for (;;) {
        int32_t k = 2 * i + 1;
        if (k >= g->n_heap) break;
        if (k + 1 < g->n_heap && goes_first(g, g->heap[k + 1], g->heap[k])) k++;
        if (goes_first(g, v, g->heap[k])) break;
        g->heap[i] = g->heap[k];
        i = k;
    }
    g->heap[i] = v;
    return top;
}

/* May this node be split at all, by what is known before its histogram? */
static int can_split(const struct grow *g, const struct grow_grad *grad,
                     const struct grow_node *q)
{
    return q->depth < g->rules.depth && q->n >= 2 &&
           (int64_t)q->n >= 2 * g->rules.min_rows &&
           (double)q->h * grad->h_unit >= 2 * g->rules.min_hessian;
}

static int is_wide(const struct grow_grad *grad, const struct grow_node *q)
{
    return grad->fine_g != NULL || q->n > HIST_PACKED_ROWS;
}

/* Finds the split of a node whose histogram is there, and queues it. */
static void look_at(struct grow *g, const struct grow_grad *grad, int32_t at)
{
    struct grow_node *q = &g->node[at];
    split_find(g, grad, q->hist, q->wide, g->ids + q->beg, q);
    if (q->split.gain > 0) {
        heap_push(g, at);
    } else {
        hist_give(g->pool, q->hist, q->wide);
        q->hist = NULL;
    }
}

static tide_status build_own(struct grow *g, const struct grow_grad *grad, int32_t at,
                             tide_error *err)
{
    struct grow_node *q = &g->node[at];
    q->wide = (uint8_t)is_wide(grad, q);
    q->hist = hist_take(g->pool, q->wide);
    if (!q->hist) return hist_refused(g->pool, err);
    return hist_build(g->pool, grad, g->ids + q->beg, q->n, q->wide, q->hist, err);
}

/* Histograms of both children out of the parent's, which is used up. */
static tide_status child_hists(struct grow *g, const struct grow_grad *grad,
                               int32_t parent, tide_error *err)
{
    struct grow_node *p = &g->node[parent];
    int32_t small = p->left, large = p->right;
    if (g->node[small].n > g->node[large].n) {
        small = p->right;
        large = p->left;
    }
    struct grow_node *s = &g->node[small], *l = &g->node[large];
    int need_s = can_split(g, grad, s), need_l = can_split(g, grad, l);
    tide_status status = TIDE_OK;
    if (need_s || need_l) status = build_own(g, grad, small, err);
    if (status) return status;
    if (need_l) {
        l->wide = (uint8_t)is_wide(grad, l);
        if (p->wide && !l->wide) {
            l->hist = hist_take(g->pool, 0);
            if (!l->hist) return hist_refused(g->pool, err);
            hist_subtract(g->pool, g->cuts, p->hist, 1, s->hist, s->wide, l->hist);
            hist_give(g->pool, p->hist, 1);
        } else {
            hist_subtract(g->pool, g->cuts, p->hist, p->wide, s->hist, s->wide, NULL);
            l->hist = p->hist;
        }
    } else {
        hist_give(g->pool, p->hist, p->wide);
    }
    p->hist = NULL;
    if (!need_s) {
        hist_give(g->pool, s->hist, s->wide);
        s->hist = NULL;
    }
    if (p->left == small) {
        if (need_s) look_at(g, grad, small);
        if (need_l) look_at(g, grad, large);
    } else {
        if (need_l) look_at(g, grad, large);
        if (need_s) look_at(g, grad, small);
    }
    return TIDE_OK;
}

static tide_status expand(struct grow *g, const struct grow_grad *grad, int32_t at,
                          tide_error *err)
{
    struct grow_node *p = &g->node[at];
    int64_t n_left = 0;
    tide_status status =
        part_rows(g, g->codes, &p->split, g->ids + p->beg, p->n, &n_left, err);
    if (status) return status;
    assert(n_left > 0 && n_left < (int64_t)p->n);
    p->left = g->n_nodes;
    p->right = g->n_nodes + 1;
    uint16_t depth = (uint16_t)(p->depth + 1);
    g->node[p->left] = (struct grow_node){.beg = p->beg,
                                          .n = (uint32_t)n_left,
                                          .depth = depth,
                                          .left = -1,
                                          .right = -1,
                                          .g = p->split.g,
                                          .h = p->split.h};
    g->node[p->right] = (struct grow_node){.beg = p->beg + (uint32_t)n_left,
                                           .n = p->n - (uint32_t)n_left,
                                           .depth = depth,
                                           .left = -1,
                                           .right = -1,
                                           .g = p->g - p->split.g,
                                           .h = p->h - p->split.h};
    g->n_nodes += 2;
    g->n_leaves++;
    if (g->n_leaves < g->rules.leaves) return child_hists(g, grad, at, err);
    hist_give(g->pool, p->hist, p->wide);
    p->hist = NULL;
    return TIDE_OK;
}

#ifndef NDEBUG
/* A node's histogram adds up to the node, in every lane. */
static int adds_up(const struct grow *g, const struct grow_node *q)
{
    int64_t sum_g = 0, sum_h = 0;
    for (int32_t l = 0; q->hist && l < g->codes->n_lanes; l++) {
        hist_total(q->hist + (q->wide ? 512 : 256) * (size_t)l, q->wide,
                   g->cuts->feature[g->cuts->lane_feature[l]].n_code, &sum_g, &sum_h);
        if (sum_g != q->g || sum_h != q->h) return 0;
    }
    return 1;
}
#endif

tide_status grow_tree(struct grow *g, const struct grow_grad *grad,
                      const uint32_t *rows, int64_t n, tide_error *err)
{
    tide_status status = TIDE_OK;
    memcpy(g->ids, rows, (size_t)n * sizeof *rows);
    g->n_nodes = g->n_leaves = 1;
    g->n_heap = 0;
    g->node[0] = (struct grow_node){.n = (uint32_t)n, .left = -1, .right = -1};
    if (g->codes->n_lanes == 0 || n == 0) return TIDE_OK;
    status = build_own(g, grad, 0, err);
    if (status) goto done;
    hist_total(g->node[0].hist, g->node[0].wide,
               g->cuts->feature[g->cuts->lane_feature[0]].n_code, &g->node[0].g,
               &g->node[0].h);
    if (g->rules.leaves > 1 && can_split(g, grad, &g->node[0])) look_at(g, grad, 0);
    while (g->n_heap && g->n_leaves < g->rules.leaves) {
        int32_t at = heap_pop(g);
        if (ctx_cancelled(g->ctx)) {
            status = err_cancelled(err);
            goto done;
        }
        assert(adds_up(g, &g->node[at]));
        status = expand(g, grad, at, err);
        if (status) goto done;
    }
done:
    for (int32_t i = 0; i < g->n_nodes; i++) {
        hist_give(g->pool, g->node[i].hist, g->node[i].wide);
        g->node[i].hist = NULL;
    }
    return status;
}

void grow_replay(const struct grow *g, const struct bin_codes *codes, uint32_t *rows,
                 int64_t n, uint32_t *scratch, struct grow_seg *seg)
{
    seg[0] = (struct grow_seg){.n = (uint32_t)n};
    for (int32_t at = 0; at < g->n_nodes; at++) { /* children come after their parent */
        const struct grow_node *q = &g->node[at];
        uint8_t left[256];
        if (q->left < 0) continue;
        uint32_t *ids = rows + seg[at].beg;
        int64_t m = seg[at].n, l = 0;
        if (m) {
            split_table(&q->split, left);
            l = g->simd->tree_part(codes->plane[q->split.lane], ids, m, left, ids,
                                   scratch);
            memcpy(ids + l, scratch, (size_t)(m - l) * sizeof *ids);
        }
        seg[q->left] = (struct grow_seg){seg[at].beg, (uint32_t)l};
        seg[q->right] = (struct grow_seg){seg[at].beg + (uint32_t)l, (uint32_t)(m - l)};
    }
}

double grow_value(const struct grow *g, const struct grow_grad *grad,
                  const struct grow_node *q, int sorted)
{
    double sum = (double)q->g * grad->g_unit, h = (double)q->h * grad->h_unit;
    double a = fabs(sum) - g->rules.l1;
    h += g->rules.l2 + (sorted ? g->rules.cat_l2 : 0);
    if (a <= 0 || h <= 0) return 0;
    return (sum > 0 ? -a : a) / h;
}

void grow_describe(const struct grow *g, const struct grow_node *q,
                   struct emit_node *out)
{
    *out = (struct emit_node){.left = q->left, .right = q->right};
    if (q->left < 0) return;
    out->feature = g->cuts->lane_feature[q->split.lane];
    out->gain = q->split.gain;
    out->set = q->split.set;
    out->missing_left = q->split.missing_left;
    memcpy(out->bits, q->split.bits, sizeof out->bits);
    const struct bin_feature *f = &g->cuts->feature[out->feature];
    if (!q->split.set)
        out->thr = q->split.thr < f->n_edge ? f->edge[q->split.thr] : (double)INFINITY;
}
