/* grow_vector.c - trees whose leaves hold one value an output: histograms and splits (trees.md 6)
 *
 * Gain        sum over outputs of T(G_l)^2/(H_l + l2) + T(G_r)^2/(H_r + l2) - T(G)^2/(H + l2);
 *             min_hessian bounds the sum of h over outputs. Gradients and codes of a row are read
 *             once for 4 or 8 outputs, and a node's rows are parted once for all.
 * Ranking     by a kernel in f32 over exact sums; each column's winner again in f64. With l1, without
 *             l2, for counted rows and for fine gradients all of it in f64.
 * Categories  as split.c; sorted by g/(h + cat_smooth) of the output with the largest sum of |g|.
 * Threads     a node at a time: partition by chunks, then tasks of some lanes each that build,
 *             subtract and scan, so no histograms have to meet. Integer sums: no order.
 * Memory      2 KB an output (of 4 or 8 at a time), lane and leaf; twice that above 65,536 rows.
 *             Only cells that a lane's codes can reach are cleared, and only those are read
 * Guide       Q10
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "learners/tree/grow.h"

/* What the scans of one node share. */
struct vector_scan {
    const struct grow_node *node;
    struct simd_outputs *fast; /* [n_pass] */
    int is_fast;
    int64_t least_h;       /* of a side, in units of output 0 (fast) */
    double parent;         /* sum of T(G)^2/(H + l2) */
    const uint32_t *count; /* [256] rows a code, or NULL */
};
struct vector {
    int32_t n_outputs, width, n_pass;
    int64_t *sums;              /* [nodes][n_outputs][g, h] */
    int64_t *left;              /* [threads][n_outputs][g, h] a side that is tried */
    struct vector_scan scan[2]; /* of the two nodes at hand */
};

int32_t vector_width(int32_t n_outputs)
{
    return n_outputs <= SIMD_WIDTH / 2 ? SIMD_WIDTH / 2 : SIMD_WIDTH;
}

int32_t vector_cells(int32_t n_outputs)
{
    int32_t width = vector_width(n_outputs);
    return (n_outputs + width - 1) / width * width;
}

struct vector *vector_new(const struct grow *g, int threads, struct arena *a)
{
    struct vector *v = arena_zero(a, sizeof *v);
    if (!v) return NULL;
    v->n_outputs = g->rules.outputs;
    v->width = vector_width(v->n_outputs);
    v->n_pass = vector_cells(v->n_outputs) / v->width;
    size_t pair = 2 * (size_t)v->n_outputs * sizeof *v->sums;
    v->sums = arena_array(a, 2 * (int64_t)g->rules.leaves + 2, pair);
    v->left = arena_array(a, threads, pair);
    for (int i = 0; i < 2; i++)
        v->scan[i].fast = arena_array(a, v->n_pass, sizeof *v->scan[i].fast);
    return v;
}

/* ------------------------------------------------------------------- histograms --- */

/* First cell of a lane: cells are [pass][lane][256][width]. */
static size_t cell_at(const struct grow *g, int32_t pass, int32_t lane)
{
    return ((size_t)pass * (size_t)g->codes->n_lanes + (size_t)lane) * 256 *
           (size_t)g->vector->width;
}

static int32_t n_codes(const struct grow *g, int32_t lane)
{
    return g->cuts->feature[g->cuts->lane_feature[lane]].n_code;
}

/* Output k's sums in code c of a lane. */
static inline void cell_get(const struct grow *g, const uint64_t *hist, int wide,
                            int32_t k, int32_t lane, int c, int64_t sum[2])
{
    int32_t width = g->vector->width;
    size_t at =
        cell_at(g, k / width, lane) + (size_t)c * (size_t)width + (size_t)(k % width);
    sum[0] = wide ? (int64_t)hist[2 * at] : (int32_t)(hist[at] >> 32);
    sum[1] = wide ? (int64_t)hist[2 * at + 1] : (uint32_t)hist[at];
}

struct vector_rows {
    const uint32_t *ids; /* NULL: rows 0..n-1 of the table */
    int64_t n;
};

/* Lanes [l0, l1) of one pass, at most HIST_PACKED_ROWS rows from row i on. */
static void add_packed(const struct grow *g, const struct vector_rows *rows, int64_t i,
                       int64_t n, int32_t pass, int32_t l0, int32_t l1, uint64_t *out)
{
    int32_t width = g->vector->width;
    const uint32_t *gq = g->grad->packed + pass * g->codes->n_rows * width;
    const uint32_t *ids = rows->ids ? rows->ids + i : NULL;
    if (!ids) gq += i * width;
    for (int32_t b = 0; b < g->codes->n_blocks; b++) {
        const struct bin_block *k = &g->codes->block[b];
        int32_t from = l0 > k->first ? l0 : k->first;
        int32_t end = l1 < k->first + k->n_lanes ? l1 : k->first + k->n_lanes;
        const uint8_t *codes = k->rows + (from - k->first) + (ids ? 0 : i * k->stride);
        if (from < end)
            g->simd->tree_hist_vector(codes, k->stride, end - from, ids, n, gq, width,
                                      out + cell_at(g, pass, from));
    }
}

static void add_fine(const struct grow *g, const struct vector_rows *rows, int32_t k,
                     int32_t lane, uint64_t *out)
{
    int32_t width = g->vector->width;
    const uint8_t *code = g->codes->plane[lane];
    uint64_t *to = out + 2 * (cell_at(g, k / width, lane) + (size_t)(k % width));
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t row = rows->ids ? (int64_t)rows->ids[i] : i;
        uint64_t *cell = to + 2 * (size_t)code[row] * (size_t)width;
        cell[0] += (uint64_t)(int64_t)g->grad[k].fine_g[row];
        cell[1] += g->grad[k].fine_h[row];
    }
}

/* Clears the cells of lanes [l0, l1) that codes can reach; words: of a cell. */
static void clear_lanes(const struct grow *g, int32_t pass, int32_t l0, int32_t l1,
                        size_t words, uint64_t *hist)
{
    size_t code = words * (size_t)g->vector->width;
    for (int32_t l = l0; l < l1; l++) {
        uint64_t *at = hist + words * cell_at(g, pass, l);
        memset(at, 0, (size_t)n_codes(g, l) * code * sizeof *at);
        memset(at + BIN_MISSING * code, 0, code * sizeof *at);
    }
}

static void widen_lanes(const struct grow *g, int32_t pass, int32_t l0, int32_t l1,
                        const uint64_t *packed, uint64_t *wide)
{
    int32_t width = g->vector->width;
    for (int32_t l = l0; l < l1; l++) {
        size_t at = cell_at(g, pass, l), last = at + BIN_MISSING * (size_t)width;
        g->simd->tree_cells_widen(packed + at, n_codes(g, l) * width, 1,
                                  (int64_t *)wide + 2 * at);
        g->simd->tree_cells_widen(packed + last, width, 1, (int64_t *)wide + 2 * last);
    }
}

/* Histograms of lanes [l0, l1). */
static void hist_lanes(const struct grow *g, int member, const struct vector_rows *rows,
                       int wide, int32_t l0, int32_t l1, uint64_t *out)
{
    const struct vector *v = g->vector;
    uint64_t *own = hist_own(g->pool, member);
    for (int32_t pass = 0; pass < v->n_pass; pass++) {
        clear_lanes(g, pass, l0, l1, wide ? 2 : 1, out);
        if (!wide) add_packed(g, rows, 0, rows->n, pass, l0, l1, out);
        for (int64_t i = 0; wide && !g->grad->fine_g && i < rows->n;
             i += HIST_PACKED_ROWS) {
            int64_t n = rows->n - i;
            if (n > HIST_PACKED_ROWS) n = HIST_PACKED_ROWS;
            if (ctx_cancelled(g->ctx)) return; /* the tree is dropped */
            clear_lanes(g, pass, l0, l1, 1, own);
            add_packed(g, rows, i, n, pass, l0, l1, own);
            widen_lanes(g, pass, l0, l1, own, out);
        }
    }
    for (int32_t k = 0; g->grad->fine_g && k < v->n_outputs; k++)
        for (int32_t l = l0; l < l1; l++) add_fine(g, rows, k, l, out);
}

/* Cells [from, end) of large = parent - small, in place of parent or packed. */
static void subtract_cells(const struct grow *g, uint64_t *parent, int parent_wide,
                           const uint64_t *small, int small_wide, uint64_t *to_packed,
                           size_t from, size_t end)
{
    int64_t n = (int64_t)(end - from);
    if (!parent_wide) {
        g->simd->tree_cells_sub(parent + from, small + from, n);
        return;
    }
    if (small_wide)
        g->simd->tree_cells_sub(parent + 2 * from, small + 2 * from, 2 * n);
    else
        g->simd->tree_cells_widen(small + from, n, -1, (int64_t *)parent + 2 * from);
    for (size_t c = from; to_packed && c < end; c++)
        to_packed[c] = (parent[2 * c] << 32) + parent[2 * c + 1];
}

static void subtract_lane(const struct grow *g, int32_t lane, uint64_t *parent,
                          int parent_wide, const struct grow_node *small,
                          uint64_t *to_packed)
{
    size_t width = (size_t)g->vector->width, used = (size_t)n_codes(g, lane) * width;
    for (int32_t pass = 0; pass < g->vector->n_pass; pass++) {
        size_t at = cell_at(g, pass, lane);
        subtract_cells(g, parent, parent_wide, small->hist, small->wide, to_packed, at,
                       at + used);
        subtract_cells(g, parent, parent_wide, small->hist, small->wide, to_packed,
                       at + BIN_MISSING * width, at + 256 * width);
    }
}

/* Adds codes c0 <= c < c1 of a lane to a side's sums. */
static void side_add(const struct grow *g, const struct grow_node *q, int32_t lane,
                     int c0, int c1, int64_t *side)
{
    int32_t width = g->vector->width, n = g->vector->n_outputs;
    for (int32_t first = 0; first < n; first += width) {
        size_t at = cell_at(g, first / width, lane);
        const uint64_t *from = q->hist + (q->wide ? 2 : 1) * at;
        uint64_t sum[2 * SIMD_WIDTH] = {0};
        int words = q->wide ? 2 * width : width;
        for (int c = c0; c < c1; c++)
            for (int i = 0; i < words; i++) sum[i] += from[c * words + i];
        for (int32_t i = 0; i < width && first + i < n; i++) {
            int64_t *to = side + 2 * (first + i);
            to[0] += q->wide ? (int64_t)sum[2 * i] : (int32_t)(sum[i] >> 32);
            to[1] += q->wide ? (int64_t)sum[2 * i + 1] : (uint32_t)sum[i];
        }
    }
}

static void side_clear(const struct grow *g, int64_t *side)
{
    memset(side, 0, 2 * (size_t)g->vector->n_outputs * sizeof *side);
}

static int is_met(const struct grow *g, const struct grow_node *q, int32_t lane, int c)
{
    int32_t width = g->vector->width, words = q->wide ? 2 * width : width;
    uint64_t any = 0;
    for (int32_t pass = 0; pass < g->vector->n_pass; pass++) {
        const uint64_t *from =
            q->hist + (q->wide ? 2 : 1) * cell_at(g, pass, lane) + c * words;
        for (int32_t i = 0; i < words; i++) any |= from[i];
    }
    return any != 0;
}

/* Sums of a node by one of its lanes. */
static void lane_sums(const struct grow *g, const struct grow_node *q, int32_t lane,
                      int64_t *sums)
{
    side_clear(g, sums);
    side_add(g, q, lane, 0, n_codes(g, lane), sums);
    side_add(g, q, lane, BIN_MISSING, BIN_MISSING + 1, sums);
}

/* h of all outputs, whose units are the same. */
static int64_t sum_h(const struct grow *g, const int64_t *sums)
{
    int64_t h = 0;
    for (int32_t k = 0; k < g->vector->n_outputs; k++) h += sums[2 * k + 1];
    return h;
}

/* ------------------------------------------------------------------------- scan --- */

static double score(double g, double h, const struct grow_rules *r, double l2)
{
    double a = fabs(g) - r->l1;
    return a > 0 && h + l2 > 0 ? a * a / (h + l2) : 0;
}

/* Gain of the split with `left` on the left, before what the node has; -1: a side has too little
 * h. The sum over outputs runs in their order. */
static double gain_of(const struct grow *g, const struct vector_scan *s,
                      const int64_t *left, double l2)
{
    double gain = 0, hl = 0, hr = 0;
    for (int32_t k = 0; k < g->vector->n_outputs; k++) {
        const struct grow_grad *grad = &g->grad[k];
        const int64_t *all = s->node->sums + 2 * k, *l = left + 2 * k;
        double h = (double)l[1] * grad->h_unit;
        double rest = (double)(all[1] - l[1]) * grad->h_unit;
        gain += score((double)l[0] * grad->g_unit, h, &g->rules, l2) +
                score((double)(all[0] - l[0]) * grad->g_unit, rest, &g->rules, l2);
        hl += h;
        hr += rest;
    }
    return hl > 0 && hr > 0 && hl >= g->rules.min_hessian && hr >= g->rules.min_hessian
               ? gain
               : -1;
}

static void offer(const struct grow *g, const struct vector_scan *s,
                  const int64_t *left, double l2, struct grow_split *best,
                  const struct grow_split *as)
{
    double gain = gain_of(g, s, left, l2) - s->parent;
    if (!(gain > best->gain)) return;
    *best = *as;
    best->gain = gain;
    best->g = 0;
    best->h = sum_h(g, left);
}

static int has_rows(const struct grow *g, const struct vector_scan *s, int64_t left)
{
    int64_t least = g->rules.min_rows;
    return !s->count || (left >= least && (int64_t)s->node->n - left >= least);
}

/* Rank of the splits after codes 0..n-1 by the kernel; the first of the best, or -1. */
static int64_t best_fast(const struct grow *g, const struct vector_scan *s,
                         int32_t lane, int64_t n, int from)
{
    const struct vector *v = g->vector;
    const struct grow_node *q = s->node;
    float gain[256] = {0}, most = -1;
    int64_t h_left[256] = {0}, at = -1;
    for (int32_t pass = 0; pass < v->n_pass; pass++) {
        int64_t start[2 * SIMD_WIDTH] = {0}, cell[2];
        for (int32_t i = 0; from && i < v->width; i++) {
            int32_t k = pass * v->width + i;
            if (k >= v->n_outputs) break;
            cell_get(g, q->hist, q->wide, k, lane, BIN_MISSING, cell);
            start[i] = cell[0];
            start[v->width + i] = cell[1];
        }
        g->simd->tree_scan_vector(q->hist + (q->wide ? 2 : 1) * cell_at(g, pass, lane),
                                  q->wide, n, &s->fast[pass], start, gain, h_left);
    }
    for (int64_t c = 0; c < n; c++) {
        int ok = h_left[c] >= s->least_h && q->h - h_left[c] >= s->least_h;
        if (!ok || !(gain[c] > most)) continue;
        most = gain[c];
        at = c;
    }
    return at;
}

static int64_t best_slow(const struct grow *g, const struct vector_scan *s,
                         int32_t lane, int64_t n, int from, int64_t *left)
{
    int64_t at = -1, rows = from && s->count ? s->count[BIN_MISSING] : 0;
    double most = 0;
    side_clear(g, left);
    if (from) side_add(g, s->node, lane, BIN_MISSING, BIN_MISSING + 1, left);
    for (int64_t c = 0; c < n; c++) {
        side_add(g, s->node, lane, (int)c, (int)c + 1, left);
        if (s->count) rows += s->count[c];
        double gain = has_rows(g, s, rows) ? gain_of(g, s, left, g->rules.l2) : -1;
        if (gain < 0 || (at >= 0 && !(gain > most))) continue;
        most = gain;
        at = c;
    }
    return at;
}

/* Offers the best split after codes 0..n-1, with the missing rows on the left as well (from). */
static void scan_cuts(const struct grow *g, const struct vector_scan *s, int32_t lane,
                      int64_t n, int from, int missing, int64_t *left,
                      struct grow_split *best)
{
    int64_t at = s->is_fast && !s->count ? best_fast(g, s, lane, n, from)
                                         : best_slow(g, s, lane, n, from, left);
    if (at < 0) return;
    struct grow_split as = {.lane = lane, .thr = (int32_t)at};
    side_clear(g, left);
    if (from) side_add(g, s->node, lane, BIN_MISSING, BIN_MISSING + 1, left);
    side_add(g, s->node, lane, 0, (int)at + 1, left);
    as.missing_left = (uint8_t)(missing ? from : 2 * sum_h(g, left) >= s->node->h);
    offer(g, s, left, g->rules.l2, best, &as);
}

static void scan_number(const struct grow *g, const struct vector_scan *s, int32_t lane,
                        int64_t *left, struct grow_split *best)
{
    int missing = is_met(g, s->node, lane, BIN_MISSING);
    int64_t n = n_codes(g, lane), cand = missing ? n : n - 1;
    if (cand > 0) scan_cuts(g, s, lane, cand, 0, missing, left, best);
    if (missing && n > 1) scan_cuts(g, s, lane, n - 1, 1, missing, left, best);
}

struct level {
    double key, about; /* rows, as far as the cover tells */
    int code;
};

static void scan_one_level(const struct grow *g, const struct vector_scan *s,
                           int32_t lane, const struct level *lv, int n, int64_t *left,
                           struct grow_split *best)
{
    for (int i = 0; i < n; i++) {
        struct grow_split as = {.lane = lane, .set = 1};
        if (!has_rows(g, s, s->count ? s->count[lv[i].code] : 0)) continue;
        as.bits[lv[i].code >> 6] |= UINT64_C(1) << (lv[i].code & 63);
        side_clear(g, left);
        side_add(g, s->node, lane, lv[i].code, lv[i].code + 1, left);
        offer(g, s, left, g->rules.l2, best, &as);
    }
}

/* Prefixes of sorted levels, from the front (step 1) or the back (step -1). */
static void scan_prefixes(const struct grow *g, const struct vector_scan *s,
                          int32_t lane, const struct level *lv, int n, int step,
                          int64_t *left, struct grow_split *best)
{
    const struct grow_rules *r = &g->rules;
    int most = r->cat_sides < (n + 1) / 2 ? r->cat_sides : (n + 1) / 2;
    double since = 0, rest = (double)s->node->n;
    int64_t rows = 0;
    struct grow_split as = {.lane = lane, .set = 1};
    side_clear(g, left);
    for (int i = 0; i < most; i++) {
        const struct level *q = &lv[step > 0 ? i : n - 1 - i];
        as.bits[q->code >> 6] |= UINT64_C(1) << (q->code & 63);
        side_add(g, s->node, lane, q->code, q->code + 1, left);
        if (s->count) rows += s->count[q->code];
        since += q->about;
        rest -= q->about;
        if (since < r->cat_rows || rest < r->cat_rows) continue;
        since = 0;
        if (has_rows(g, s, rows)) offer(g, s, left, r->l2 + r->cat_l2, best, &as);
    }
}

/* The output whose gradients of the levels are largest, in sum. */
static int32_t loudest(const struct grow *g, const struct grow_node *q, int32_t lane,
                       const struct level *lv, int n)
{
    int32_t at = 0;
    double most = -1;
    for (int32_t k = 0; k < g->vector->n_outputs; k++) {
        int64_t cell[2];
        double sum = 0;
        for (int i = 0; i < n; i++) {
            cell_get(g, q->hist, q->wide, k, lane, lv[i].code, cell);
            sum += fabs((double)cell[0]) * g->grad[k].g_unit;
        }
        if (!(sum > most)) continue;
        most = sum;
        at = k;
    }
    return at;
}

/* Levels that are frequent enough, by the key of one output; their number. */
static int sort_levels(const struct grow *g, const struct vector_scan *s, int32_t lane,
                       struct level *lv, int n)
{
    int32_t k = loudest(g, s->node, lane, lv, n);
    double least = (double)g->rules.min_rows;
    int used = 0;
    if (least < g->rules.cat_smooth) least = g->rules.cat_smooth;
    for (int i = 0; i < n; i++) {
        struct level q = lv[i];
        int64_t cell[2];
        if (q.about < least) continue;
        cell_get(g, s->node->hist, s->node->wide, k, lane, q.code, cell);
        q.key = (double)cell[0] * g->grad[k].g_unit /
                ((double)cell[1] * g->grad[k].h_unit + g->rules.cat_smooth);
        int j = used++;
        for (; j > 0 && lv[j - 1].key > q.key; j--) lv[j] = lv[j - 1];
        lv[j] = q;
    }
    return used;
}

static void scan_levels(const struct grow *g, const struct vector_scan *s, int32_t lane,
                        int64_t *left, struct grow_split *best)
{
    struct level lv[256];
    uint8_t met[256] = {0};
    int n = 0, codes = n_codes(g, lane);
    double per_row = (double)s->node->n / (s->node->h > 0 ? (double)s->node->h : 1);
    for (int i = 0; i <= codes; i++) {
        int c = i < codes ? i : BIN_MISSING;
        if (!is_met(g, s->node, lane, c)) continue;
        met[c] = 1;
        side_clear(g, left);
        side_add(g, s->node, lane, c, c + 1, left);
        lv[n].code = c;
        lv[n++].about =
            s->count ? (double)s->count[c] : (double)sum_h(g, left) * per_row;
    }
    if (n < 2) return;
    struct grow_split mine = {.gain = best->gain, .lane = -1};
    if (n == 2 || !split_has_many_levels(g, lane)) {
        scan_one_level(g, s, lane, lv, n, left, &mine);
    } else {
        n = sort_levels(g, s, lane, lv, n);
        scan_prefixes(g, s, lane, lv, n, 1, left, &mine);
        scan_prefixes(g, s, lane, lv, n, -1, left, &mine);
    }
    if (mine.lane < 0) return;
    *best = mine; /* codes that no row of the node has follow the side of more cover */
    for (int c = 0; c < 256 && 2 * mine.h >= s->node->h; c++)
        if (!met[c]) best->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

static void scan_lane(const struct grow *g, const struct vector_scan *s, int32_t lane,
                      int64_t *left, struct grow_split *best)
{
    *best = (struct grow_split){.gain = 0};
    if (g->cuts->feature[g->cuts->lane_feature[lane]].kind)
        scan_levels(g, s, lane, left, best);
    else
        scan_number(g, s, lane, left, best);
}

/* What the kernel wants to know of the outputs of one pass. */
static void scan_fast(const struct grow *g, const struct grow_node *q, int32_t pass,
                      double l2, float g_scale, float h_scale, struct simd_outputs *o)
{
    int32_t width = g->vector->width;
    *o = (struct simd_outputs){.width = width,
                               .g_scale = g_scale,
                               .h_scale = h_scale,
                               .l2 = (float)(l2 * (double)h_scale)};
    for (int32_t i = 0; i < width && pass * width + i < g->vector->n_outputs; i++) {
        const int64_t *sum = q->sums + 2 * (pass * width + i);
        double all = (double)sum[1] + 2 * l2;
        o->sum[i] = (float)(all * (double)h_scale);
        o->mean[i] = (float)((double)sum[0] / all * (double)g_scale / (double)h_scale);
        o->total[i] = (uint64_t)sum[1] + (q->wide ? 0 : (uint64_t)sum[0] << 32);
    }
}

static void scan_start(const struct grow *g, struct vector_scan *s,
                       const struct grow_node *q)
{
    const struct vector *v = g->vector;
    double most = 0, l2 = g->rules.l2 / g->grad->h_unit;
    double least = ceil(g->rules.min_hessian / g->grad->h_unit);
    s->node = q;
    s->count = NULL;
    s->parent = 0;
    s->least_h = least < 1 ? 1 : least < 0x1p61 ? (int64_t)least : INT64_C(1) << 61;
    for (int32_t k = 0; k < v->n_outputs; k++) {
        double h = (double)q->sums[2 * k + 1];
        s->parent += score((double)q->sums[2 * k] * g->grad[k].g_unit,
                           h * g->grad[k].h_unit, &g->rules, g->rules.l2);
        most = h > most ? h : most;
    }
    float g_scale = split_scale_below(0x1p15, q->n);
    float h_scale = split_scale_below(most + 2 * l2, 1);
    /* smaller products would leave the range of f32 */
    s->is_fast = g->rules.l1 == 0 && !g->grad->fine_g && l2 < 0x1p60 &&
                 l2 * (double)h_scale > 0x1p-50;
    for (int32_t pass = 0; s->is_fast && pass < v->n_pass; pass++)
        scan_fast(g, q, pass, l2, g_scale, h_scale, &s->fast[pass]);
}

static void scan_lanes(const struct grow *g, int which, int member, int32_t l0,
                       int32_t l1)
{
    struct vector *v = g->vector;
    const struct vector_scan *s = &v->scan[which];
    struct split_room *room = &g->room[g->threads + which];
    for (int32_t l = l0; l < l1; l++) {
        room->exact[l] = 0;
        room->best[l].gain = 0;
        if (split_lane_is_on(g, s->node, l))
            scan_lane(g, s, l, v->left + 2 * (int64_t)member * v->n_outputs,
                      &room->best[l]);
    }
}

/* The best of the lanes' splits that has min_rows on both sides. */
static void choose(const struct grow *g, int which, struct grow_node *q)
{
    struct vector_scan *s = &g->vector->scan[which];
    struct split_room *room = &g->room[g->threads + which];
    int64_t need = (g->rules.min_rows - 1) * g->grad->h_most;
    double least =
        g->rules.min_gain > 1e-12 * s->parent ? g->rules.min_gain : 1e-12 * s->parent;
    uint32_t count[256];
    for (;;) {
        int32_t at = split_best_lane(g, room, least);
        if (at < 0) return;
        struct grow_split *b = &room->best[at];
        if (room->exact[at] || g->rules.min_rows <= 1 ||
            (b->h > need && q->h - b->h > need)) {
            q->split = *b;
            return;
        }
        split_count(g, at, g->ids + q->beg, q->n, count);
        s->count = count;
        scan_lane(g, s, at, g->vector->left, b);
        s->count = NULL;
        room->exact[at] = 1;
    }
}

/* ------------------------------------------------------------------------ nodes --- */

struct vector_job {
    struct grow *g;
    struct grow_node *kid; /* [2]; the root alone: [1] */
    int small;
    const int *need;
    uint64_t *parent;
    int parent_wide;
    int32_t lanes; /* of a task */
    int scans;     /* root: 0 builds, 1 scans */
};

static int32_t lanes_end(const struct vector_job *job, int64_t task)
{
    int64_t end = (task + 1) * job->lanes, n = job->g->codes->n_lanes;
    return (int32_t)(end < n ? end : n);
}

/* Two tasks a member: each reads all rows again, so more of them cost more than they even out. */
static void run(struct vector_job *job, par_fn fn)
{
    int32_t n = job->g->codes->n_lanes,
            tasks = job->g->members > 1 ? 2 * job->g->members : 1;
    job->lanes = (n + tasks - 1) / tasks;
    grow_phase(job->g, (n + job->lanes - 1) / job->lanes, fn, job);
}

static void kids_task(void *arg, int64_t task, int member)
{
    const struct vector_job *job = arg;
    struct grow *g = job->g;
    const struct grow_node *s = &job->kid[job->small], *l = &job->kid[!job->small];
    int32_t l0 = (int32_t)task * job->lanes, l1 = lanes_end(job, task);
    struct vector_rows rows = {g->ids + s->beg, s->n};
    hist_lanes(g, member, &rows, s->wide, l0, l1, s->hist);
    for (int32_t i = l0; i < l1 && job->need[!job->small]; i++)
        subtract_lane(g, i, job->parent, job->parent_wide, s,
                      l->hist == job->parent ? NULL : l->hist);
    for (int i = 0; i < 2; i++)
        if (job->need[i]) scan_lanes(g, i, member, l0, l1);
}

void vector_left(const struct grow *g, const struct grow_node *p,
                 struct grow_node kid[2])
{
    struct vector *v = g->vector;
    int32_t lane = p->split.lane;
    uint8_t left[256];
    split_table(&p->split, left);
    for (int i = 0; i < 2; i++)
        kid[i].sums = v->sums + 2 * (int64_t)(g->n_nodes + i) * v->n_outputs;
    side_clear(g, kid[0].sums);
    for (int c = 0; c < 256; c++)
        if (left[c] && (c < n_codes(g, lane) || c == BIN_MISSING))
            side_add(g, p, lane, c, c + 1, kid[0].sums);
    for (int32_t j = 0; j < 2 * v->n_outputs; j++)
        kid[1].sums[j] = p->sums[j] - kid[0].sums[j];
}

void vector_kids(struct grow *g, struct grow_node kid[2], int small, const int need[2],
                 uint64_t *parent, int parent_wide)
{
    struct vector_job job = {.g = g,
                             .kid = kid,
                             .small = small,
                             .need = need,
                             .parent = parent,
                             .parent_wide = parent_wide};
    for (int i = 0; i < 2; i++) scan_start(g, &g->vector->scan[i], &kid[i]);
    run(&job, kids_task);
    for (int i = 0; i < 2; i++)
        if (need[i]) choose(g, i, &kid[i]);
}

static void root_task(void *arg, int64_t task, int member)
{
    const struct vector_job *job = arg;
    struct grow *g = job->g;
    struct grow_node *q = job->kid;
    int32_t l0 = (int32_t)task * job->lanes, l1 = lanes_end(job, task);
    struct vector_rows rows = {(int64_t)q->n == g->codes->n_rows ? NULL : g->ids, q->n};
    if (job->scans)
        scan_lanes(g, 0, member, l0, l1);
    else
        hist_lanes(g, member, &rows, q->wide, l0, l1, q->hist);
}

void vector_no_sums(struct grow *g)
{
    g->node[0].sums = g->vector->sums;
    side_clear(g, g->vector->sums);
}

void vector_root_sums(struct grow *g)
{
    struct grow_node *q = &g->node[0];
    struct vector_job job = {.g = g, .kid = q};
    run(&job, root_task);
    q->sums = g->vector->sums;
    lane_sums(g, q, 0, q->sums);
    q->g = 0;
    q->h = sum_h(g, q->sums);
}

void vector_root_split(struct grow *g)
{
    struct vector_job job = {.g = g, .kid = &g->node[0], .scans = 1};
    scan_start(g, &g->vector->scan[0], &g->node[0]);
    run(&job, root_task);
    choose(g, 0, &g->node[0]);
}

int vector_adds_up(const struct grow *g, const struct grow_node *q, int32_t lane)
{
    int64_t *sums = g->vector->left, same = 1;
    lane_sums(g, q, lane, sums);
    for (int32_t j = 0; j < 2 * g->vector->n_outputs; j++)
        same &= sums[j] == q->sums[j];
    return (int)same;
}

double vector_value(const struct grow *g, const struct grow_grad *grad,
                    const struct grow_node *q, int32_t k, int sorted)
{
    struct grow_node one = *q;
    one.g = q->sums[2 * k];
    one.h = q->sums[2 * k + 1];
    return grow_value(g, &grad[k], &one, sorted);
}
