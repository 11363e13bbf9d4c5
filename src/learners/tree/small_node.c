/* small_node.c - subtrees of at most 4,096 rows (16,384 where thresholds are drawn and columns are
 * few), finished depth first in cache (trees.md 7)
 *
 * A subtree's rows are renumbered and its codes copied, from a copy of all codes by rows where
 * columns are few; a column that is asked for becomes ranks among these rows, so that exact search
 * needs a table of 4,096 cells. Only row numbers and weights move after that. Random thresholds
 * need no ranks, so images (rank_codes.h) are copied in their place: by columns, and for the last 512
 * rows by rows, where nodes are so small that all columns tried are read at once. Which rank of the
 * whole column a node is cut at, is looked up when the tree is grown.
 * Guide        Q10
 */
#include "learners/tree/small_node.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* ---------------------------------------------------------------------- columns --- */

void columns_begin(struct grow_work *w, uint64_t path)
{
    int32_t *deck = w->deck;
    for (int32_t i = w->n_drawn; w->rules->columns < w->n_on && i-- > 0;) {
        int32_t back = deck[i];
        deck[i] = deck[w->swap[i]];
        deck[w->swap[i]] = back;
    }
    w->n_drawn = 0;
    w->deck_path = path;
}

int32_t columns_next(struct grow_work *w)
{
    int32_t at = w->n_drawn, *deck = w->deck;
    if (at == w->n_on) return -1;
    w->n_drawn++;
    if (w->rules->columns >= w->n_on) return at;
    w->deck_path += UINT64_C(0xa0761d6478bd642f);
    uint64_t u = path_mix(w->deck_path) >> 32, left = (uint64_t)(w->n_on - at);
    int32_t j = w->swap[at] = at + (int32_t)(u * left >> 32), drawn = deck[j];
    deck[j] = deck[at];
    deck[at] = drawn;
    return drawn;
}

/* ------------------------------------------------------------------ tree so far --- */

static int room(void **p, int64_t n, int64_t *cap, size_t each)
{
    if (n < *cap) return 0;
    int64_t want = *cap ? 2 * *cap : 1024;
    void *to = mem_realloc(*p, (size_t)want * each);
    if (!to) return -1;
    *p = to;
    *cap = want;
    return 0;
}

static void link_parent(struct grow_work *w, const struct grow_frame *f,
                        uint32_t number)
{
    if (f->parent == UINT32_MAX) return;
    struct forest_node *up = &w->tree.node[f->parent];
    if (f->right)
        up->right = number;
    else
        up->left = number;
}

static int64_t rows_weight(const struct grow_work *w, const struct grow_rows *rows)
{
    return w->data->mode == FOREST_TWO ? rows->s0 + rows->s1 : rows->s1;
}

static void node_value(const struct grow_work *w, const struct grow_rows *rows,
                       double *out)
{
    const struct forest_data *d = w->data;
    if (d->mode == FOREST_TWO) {
        double all = (double)(rows->s0 + rows->s1);
        out[0] = (double)rows->s0 / all;
        out[1] = (double)rows->s1 / all;
    } else if (d->mode == FOREST_SUM) {
        out[0] = d->y_mid + (double)rows->s0 / (double)rows->s1 * d->y_unit;
    } else {
        for (int32_t k = 0; k < d->width; k++)
            out[k] = (double)w->total[k] / (double)rows->s1;
    }
}

void add_leaf(struct grow_work *w, const struct grow_frame *f,
              const struct grow_rows *rows)
{
    struct forest_tree *t = &w->tree;
    size_t width = (size_t)w->data->width * sizeof(double);
    void *leaf = t->leaf, *cover = t->leaf_cover;
    int64_t cap = w->cap_leaves;
    if (room(&leaf, t->n_leaves, &cap, width)) {
        w->failed = 1;
        return;
    }
    t->leaf = leaf;
    cap = w->cap_leaves;
    if (room(&cover, t->n_leaves, &cap, sizeof *t->leaf_cover)) {
        w->failed = 1;
        return;
    }
    t->leaf_cover = cover;
    w->cap_leaves = cap;
    node_value(w, rows, t->leaf + t->n_leaves * w->data->width);
    t->leaf_cover[t->n_leaves] = (uint32_t)rows_weight(w, rows);
    t->depth = f->depth > t->depth ? f->depth : t->depth;
    link_parent(w, f, ~(uint32_t)t->n_leaves++);
}

#define AHEAD      16 /* nodes */
#define ROWS_AHEAD 16

/* A node's threshold as an image, and near which rank it lies. */
static void find_near(const struct grow_work *w, struct grow_cut *cut,
                      struct forest_node *q)
{
    const struct rank_col *c = &w->data->codes.col[q->feature];
    const float *image = c->image - c->missing;
    if (!w->rules->random) cut->top = image[cut->lo] / 2 + image[cut->hi] / 2;
    q->cut = (uint16_t)rank_near(c, cut->top);
    for (int line = 0; line < RANK_STEP; line += 16)
        __builtin_prefetch(c->image + q->cut + line);
}

static void find_rank(const struct grow_work *w, const struct grow_cut *cut,
                      struct forest_node *q)
{
    const struct rank_col *c = &w->data->codes.col[q->feature];
    int32_t at = rank_from(c, q->cut, cut->top);
    if (!w->rules->random) { /* a middle is rounded */
        int32_t lo = cut->lo - c->missing, hi = cut->hi - c->missing - 1;
        at = at > hi ? hi : at;
        at = at < lo ? lo : at;
    }
    q->cut = (uint16_t)at;
}

/* Ranks are looked up in whole columns, out of the caches: for all nodes of a tree together, and
 * what a node will ask for is fetched while others are at work. */
void resolve_cuts(struct grow_work *w)
{
    struct forest_node *node = w->tree.node;
    int64_t n = w->tree.n_nodes;
    for (int64_t i = 0; i < n + 2 * AHEAD; i++) {
        int64_t near = i - AHEAD, done = i - 2 * AHEAD;
        if (i < n && !w->rules->random) {
            const struct rank_col *c = &w->data->codes.col[node[i].feature];
            __builtin_prefetch(c->image - c->missing + w->cut[i].lo);
            __builtin_prefetch(c->image - c->missing + w->cut[i].hi);
        }
        if (near >= 0 && near < n && node[near].missing_left != 2)
            find_near(w, &w->cut[near], &node[near]);
        if (done >= 0 && node[done].missing_left != 2)
            find_rank(w, &w->cut[done], &node[done]);
    }
}

uint32_t add_node(struct grow_work *w, const struct grow_frame *f,
                  const struct grow_rows *rows, const struct grow_split *s, uint16_t lo,
                  uint16_t hi, double gain)
{
    struct forest_tree *t = &w->tree;
    void *node = t->node, *cuts = w->cut, *gains = w->node_gain,
         *values = w->node_value;
    size_t width = (size_t)w->data->width * sizeof(double);
    int64_t all = rows_weight(w, rows);
    int64_t left = w->data->mode == FOREST_TWO ? s->l0 + s->l1 : s->l1;
    if (room(&node, t->n_nodes, &w->cap_nodes, sizeof *t->node)) {
        w->failed = 1;
        return 0;
    }
    t->node = node;
    if (room(&cuts, t->n_nodes, &w->cap_cuts, sizeof *w->cut)) {
        w->failed = 1;
        return 0;
    }
    w->cut = cuts;
    w->cut[t->n_nodes] = (struct grow_cut){.lo = lo, .hi = hi, .top = s->top};
    if (w->rules->leaves) { /* what a cut back to fewer leaves needs to know */
        int bad = room(&gains, t->n_nodes, &w->cap_gain, sizeof *w->node_gain);
        w->node_gain = gains;
        bad |= room(&values, t->n_nodes, &w->cap_value, width);
        w->node_value = values;
        if (bad) {
            w->failed = 1;
            return 0;
        }
        w->node_gain[t->n_nodes] = gain;
        node_value(w, rows, w->node_value + t->n_nodes * w->data->width);
    }
    int32_t f_col = w->on[s->feature];
    const struct rank_col *c = &w->data->codes.col[f_col];
    uint16_t side = s->missing == MISSING_LEFT    ? 1
                    : s->missing == MISSING_RIGHT ? 0
                    : s->missing == MISSING_ALONE ? 2
                                                  : (uint16_t)(2 * left >= all);
    t->node[t->n_nodes] = (struct forest_node){.feature = (uint32_t)f_col,
                                               .cut = (uint16_t)(c->n_rank - 1),
                                               .missing_left = side,
                                               .cover = (uint32_t)all};
    w->importance[f_col] += gain;
    link_parent(w, f, (uint32_t)t->n_nodes);
    return (uint32_t)t->n_nodes++;
}

int may_split(struct grow_work *w, const struct grow_frame *f,
              const struct grow_rows *rows)
{
    if (node_is_pure(w, rows)) return 0;
    return (int32_t)f->depth < w->rules->depth &&
           rows_weight(w, rows) >= 2 * w->min_units;
}

void split_test(const struct grow_split *s, uint16_t *sub, uint16_t *top)
{
    *sub = s->missing == MISSING_RIGHT || s->missing == MISSING_ALONE;
    *top = s->missing == MISSING_ALONE ? (uint16_t)(CUT_ALONE - 1)
                                       : (uint16_t)(s->lo - *sub);
}

float split_floor(const struct grow_split *s)
{
    int right = s->missing == MISSING_RIGHT || s->missing == MISSING_ALONE;
    return right ? -FLT_MAX : -(float)INFINITY;
}

void child_frames(const struct grow_frame *f, const struct grow_split *s, uint32_t node,
                  uint32_t n_left, struct grow_frame *left, struct grow_frame *right)
{
    *left =
        (struct grow_frame){.beg = f->beg,
                            .n = n_left,
                            .depth = f->depth + 1,
                            .parent = node,
                            .s0 = s->l0,
                            .s1 = s->l1,
                            .path = path_mix(f->path + UINT64_C(0x9e3779b97f4a7c15))};
    *right =
        (struct grow_frame){.beg = f->beg + n_left,
                            .n = f->n - n_left,
                            .depth = f->depth + 1,
                            .parent = node,
                            .right = 1,
                            .s0 = f->s0 - s->l0,
                            .s1 = f->s1 - s->l1,
                            .path = path_mix(f->path + UINT64_C(0xd1b54a32d192ed03))};
}

/* --------------------------------------------------------------------- subtrees --- */

void levels_init(struct grow_work *w, struct arena *a)
{
    int64_t on = w->n_on + 1;
    for (int k = 0; k < 2; k++) {
        struct grow_level *l = &w->level[k];
        l->cap = k && w->rules->random               ? DRAWN_TINY
                 : k                                 ? TINY_ROWS
                 : w->n_on <= 64 && w->rules->random ? DRAWN_ROWS
                 : w->n_on <= 256                    ? SMALL_ROWS
                 : w->n_on <= 4096                   ? SMALL_ROWS / 4
                                                     : TINY_ROWS;
        l->have = arena_zero(a, (size_t)on * sizeof *l->have);
        l->n_code = arena_array(a, on, sizeof *l->n_code);
        l->gaps = arena_zero(a, (size_t)on);
        int64_t codes = on * (l->cap + COLUMN_PAD);
        l->across = k ? 1 : l->cap + COLUMN_PAD;
        l->step = k ? (w->n_on + 3) / 4 * 4 : 1;
        if (k && w->level[0].cap <= l->cap) break; /* never entered */
        if (w->rules->random) {
            l->image = arena_array(a, k ? l->step * l->cap : codes, sizeof *l->image);
        } else {
            l->code = arena_array(a, codes, sizeof *l->code);
            if (k == 0) l->whole = arena_array(a, codes, sizeof *l->whole);
        }
    }
}

static inline size_t column_at(const struct grow_level *l, int32_t q)
{
    return (size_t)q * (size_t)(l->cap + COLUMN_PAD);
}

/* All columns for the rows of the outer level, from the copy by rows: four rows at a time, so that a
 * column's codes stand side by side when written. */
static void copy_rows(struct grow_work *w)
{
    struct grow_level *l = &w->level[0];
    const uint16_t *code = w->wide->code;
    size_t step = column_at(l, 1), stride = (size_t)w->wide->stride;
    uint32_t i = 0;
    for (; i + 4 + ROWS_AHEAD <= l->n; i += 4) {
        const uint32_t *row = l->row + i;
        const uint16_t *a = code + row[0] * stride, *b = code + row[1] * stride,
                       *c = code + row[2] * stride, *d = code + row[3] * stride;
        uint16_t *to = l->whole + i;
        for (int k = 0; k < 4; k++)
            __builtin_prefetch(code + row[ROWS_AHEAD + k] * stride);
        for (int32_t q = 0; q < w->n_on; q++, to += step) {
            to[0] = a[q];
            to[1] = b[q];
            to[2] = c[q];
            to[3] = d[q];
        }
    }
    for (; i < l->n; i++) {
        const uint16_t *from = code + l->row[i] * stride;
        for (int32_t q = 0; q < w->n_on; q++) l->whole[i + (size_t)q * step] = from[q];
    }
}

static inline const float *wide_image(const struct grow_work *w, uint32_t row)
{
    return w->wide->image + row * (size_t)w->wide->stride;
}

/* Asks for the images of the row that is so many ahead: two lines of memory. */
static inline void fetch_images(const struct grow_work *w, const uint32_t *row)
{
    const float *ahead = wide_image(w, row[ROWS_AHEAD]);
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 16);
}

/* The same of images. */
static void copy_row_images(struct grow_work *w)
{
    struct grow_level *l = &w->level[0];
    size_t step = column_at(l, 1);
    uint32_t i = 0;
    for (; i + 4 + ROWS_AHEAD <= l->n; i += 4) {
        const uint32_t *row = l->row + i;
        const float *a = wide_image(w, row[0]), *b = wide_image(w, row[1]),
                    *c = wide_image(w, row[2]), *d = wide_image(w, row[3]);
        float *to = l->image + i;
        for (int k = 0; k < 4; k++) fetch_images(w, row + k);
        for (int32_t q = 0; q < w->n_on; q++, to += step) {
            to[0] = a[q];
            to[1] = b[q];
            to[2] = c[q];
            to[3] = d[q];
        }
    }
    for (; i < l->n; i++) {
        const float *from = wide_image(w, l->row[i]);
        for (int32_t q = 0; q < w->n_on; q++) l->image[i + (size_t)q * step] = from[q];
    }
}

/* The rows of the inner level: what a node asks for of a row is in two lines of the cache. */
static void copy_whole_rows(struct grow_work *w)
{
    struct grow_level *l = &w->level[1];
    size_t bytes = (size_t)w->n_on * sizeof(float);
    for (uint32_t i = 0; i < l->n; i++) l->whole_row[i] = w->level[0].row[l->row[i]];
    for (uint32_t i = 0; i < l->n; i++) {
        if (i + ROWS_AHEAD < l->n) fetch_images(w, l->whole_row + i);
        memcpy(l->image + i * l->step, wide_image(w, l->whole_row[i]), bytes);
    }
}

/* Column q for the rows of a level, as images. */
static void copy_images(struct grow_work *w, int k, int32_t q)
{
    struct grow_level *l = &w->level[k], *up = k ? &w->level[0] : NULL;
    float *to = l->image + q * l->across;
    l->have[q] = l->stamp;
    if (w->wide->image) return; /* copied by rows */
    if (up && up->have[q] != up->stamp) copy_images(w, 0, q);
    if (up) {
        const float *from = up->image + q * up->across;
        for (uint32_t i = 0; i < l->n; i++) to[i * l->step] = from[l->row[i]];
        return;
    }
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    const float *image = c->image - c->missing;
    for (uint32_t i = 0; i < l->n; i++) to[i] = image[c->code[l->row[i]]];
}

static const uint16_t *codes_at(const struct grow_level *l, int32_t q)
{
    return (l->whole && !l->n_code[q] ? l->whole : l->code) + column_at(l, q);
}

/* Codes of column q for the rows of a level: ranks among them, or as they are one level out
 * where those are few. */
static void copy_column(struct grow_work *w, int k, int32_t q)
{
    struct grow_level *l = &w->level[k], *up = k ? &w->level[0] : NULL;
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    if (up && up->have[q] != up->stamp) copy_column(w, 0, q);
    const uint16_t *from = up ? codes_at(up, q) : c->code;
    uint32_t n_from = (uint32_t)(c->n_rank + c->missing), n = l->n;
    uint16_t *code = l->code + column_at(l, q);
    uint16_t *copy = up ? code : l->whole + column_at(l, q);
    if (up && up->n_code[q]) n_from = up->n_code[q];
    l->have[q] = l->stamp;
    l->n_code[q] = 0;
    if (up || !w->wide->code)
        for (uint32_t i = 0; i < n; i++) copy[i] = from[l->row[i]];
    l->gaps[q] = up ? up->gaps[q] : c->missing;
    if (n_from <= (uint32_t)l->cap) return;
    if (l->gaps[q]) { /* is it still, among these rows? */
        l->gaps[q] = 0;
        for (uint32_t i = 0; i < n; i++) l->gaps[q] |= copy[i] == 0;
    }
    l->n_code[q] = (uint16_t)w->simd->tree_rank(copy, n, n_from, w->seen, code);
}

static uint32_t codes_of(const struct grow_work *w, int k, int32_t q)
{
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    for (; k >= 0; k--)
        if (w->level[k].n_code[q]) return w->level[k].n_code[q];
    return (uint32_t)(c->n_rank + c->missing);
}

/* A row's code in the whole column. */
static uint16_t whole_code(const struct grow_work *w, int k, int32_t q, uint16_t id)
{
    const struct grow_level *l = &w->level[0];
    return l->whole[column_at(l, q) + (k ? w->level[k].row[id] : id)];
}

static void try_cuts(struct grow_work *w, int k, const struct grow_rows *rows,
                     const uint16_t *ids, int32_t q, struct grow_split *best)
{
    const struct grow_level *l = &w->level[k];
    search_column(w, codes_at(l, q), ids, rows, codes_of(w, k, q), l->gaps[q], q, best);
}

/* Weights in 15 bits a class, where they fit. */
static void pack_weights(struct grow_work *w, struct grow_rows *rows)
{
    if (w->data->mode != FOREST_TWO || w->rules->criterion != FOREST_GINI ||
        rows->s0 + rows->s1 > INT16_MAX)
        return;
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t u = rows->pay[i] >> 1, second = (uint32_t)0 - (rows->pay[i] & 1);
        w->two[i] = (u << 16 & second) | (u & ~second);
    }
    rows->two = w->two;
}

/* Tries n columns of a node of level k by one threshold each, at once where that can be. */
static void try_drawn(struct grow_work *w, int k, const struct grow_frame *f,
                      const struct grow_rows *rows, const int32_t *q, int32_t n,
                      struct grow_split *best)
{
    struct grow_level *l = &w->level[k];
    const uint16_t *ids = l->id + f->beg;
    struct simd_cells_of of = {.image = l->image, .step = l->step, .lanes = n};
    for (int32_t j = 0; j < n; j++) {
        of.at[j] = q[j] * l->across;
        if (l->have[q[j]] != l->stamp) copy_images(w, k, q[j]);
    }
    if (rows->two && search_lanes(w, &of, ids, rows, f->path, q, best)) return;
    for (int32_t j = 0; j < n && !cannot_be_better(w, best); j++)
        search_drawn(w, l->image + of.at[j], l->step, ids, rows, f->path, q[j], best);
}

/* Of two or three rows one column or two mostly part the classes, which ends the search. */
static void search_small_drawn(struct grow_work *w, int k, const struct grow_frame *f,
                               const struct grow_rows *rows, struct grow_split *best)
{
    int32_t want = w->rules->columns, tried = 0;
    while (!cannot_be_better(w, best) && (tried < want || best->feature < 0)) {
        int32_t most = tried < want ? want - tried : 1, n = 0, q[SIMD_DRAWN];
        int32_t at_once = rows->n <= 3 ? (int32_t)rows->n - 1 : SIMD_DRAWN;
        most = most < at_once ? most : at_once;
        while (n < most && (q[n] = columns_next(w)) >= 0) n++;
        if (!n) return;
        try_drawn(w, k, f, rows, q, n, best);
        tried += n;
    }
}

/* The best split of a node of level k. */
static void search_small(struct grow_work *w, int k, const struct grow_frame *f,
                         struct grow_rows *rows, struct grow_split *best)
{
    struct grow_level *l = &w->level[k];
    const uint16_t *ids = l->id + f->beg;
    int32_t q;
    if (k == 1 || !w->rules->random) pack_weights(w, rows);
    columns_begin(w, f->path);
    if (w->rules->random) {
        search_small_drawn(w, k, f, rows, best);
        return;
    }
    for (int32_t tried = 0; (q = columns_next(w)) >= 0; tried++) {
        if (tried >= w->rules->columns && best->feature >= 0) break;
        if (cannot_be_better(w, best)) break;
        if (l->have[q] != l->stamp) copy_column(w, k, q);
        try_cuts(w, k, rows, ids, q, best);
    }
}

/* Rows to their sides, by codes or by images; edge[]: rows at the cut's codes, 0 without. */
static inline uint32_t part_rows(struct grow_work *w, struct grow_level *level,
                                 const struct grow_frame *f, const struct grow_split *s,
                                 const uint16_t *code, const float *image,
                                 uint16_t edge[2])
{
    uint32_t *pay = w->pay + level->beg + f->beg, l = 0, r = 0;
    int64_t *aux = w->aux ? w->aux + level->beg + f->beg : NULL;
    uint16_t *ids = level->id + f->beg, *aside = level->aside, sub, top;
    uint16_t at_lo = 0, at_hi = 0;
    float floor = split_floor(s), most = s->top;
    const int64_t step = level->step;
    split_test(s, &sub, &top);
    for (uint32_t i = 0; i < f->n; i++) {
        uint16_t id = ids[i], c = image ? 0 : code[id];
        uint32_t p = pay[i];
        float v = image ? image[id * step] : 0;
        uint32_t go = image ? (v >= floor) & (v <= most) : (uint16_t)(c - sub) <= top;
        if (!image) {
            at_lo = c == s->lo ? id : at_lo;
            at_hi = c == s->hi ? id : at_hi;
        }
        ids[l] = id;
        pay[l] = p;
        aside[r] = id;
        w->pay2[r] = p;
        if (aux) {
            int64_t x = aux[i];
            aux[l] = x;
            w->aux2[r] = x;
        }
        l += go;
        r += !go;
    }
    memcpy(ids + l, aside, r * sizeof *ids);
    memcpy(pay + l, w->pay2, r * sizeof *pay);
    if (aux) memcpy(aux + l, w->aux2, r * sizeof *aux);
    edge[0] = at_lo;
    edge[1] = at_hi;
    return l;
}

/* The same by images, no sum beside the weights: what the compiler makes a short loop of. */
static uint32_t part_drawn(const float *image, int64_t step, float floor, float most,
                           uint16_t *restrict ids, uint32_t *restrict pay,
                           uint16_t *restrict aside, uint32_t *restrict pay2,
                           uint32_t n)
{
    size_t l = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t id = ids[i];
        uint32_t p = pay[i];
        float x = image[id * step];
        ids[l] = id;
        pay[l] = p;
        aside[i - l] = id;
        pay2[i - l] = p;
        l += (size_t)((x >= floor) & (x <= most));
    }
    memcpy(ids + l, aside, (n - l) * sizeof *ids);
    memcpy(pay + l, pay2, (n - l) * sizeof *pay);
    return (uint32_t)l;
}

static uint32_t part_small(struct grow_work *w, struct grow_level *level,
                           const struct grow_frame *f, const struct grow_split *s,
                           uint16_t edge[2])
{
    int random = w->rules->random;
    const float *image = random ? level->image + s->feature * level->across : NULL;
    const uint16_t *code = random ? NULL : codes_at(level, s->feature);
    if (f->n > SIMD_PART && random && !w->aux)
        return part_drawn(image, level->step, split_floor(s), s->top,
                          level->id + f->beg, w->pay + level->beg + f->beg,
                          level->aside, w->pay2, f->n);
    if (f->n > SIMD_PART || w->aux)
        return random ? part_rows(w, level, f, s, NULL, image, edge)
                      : part_rows(w, level, f, s, code, NULL, edge);
    struct simd_part side = {.image = image,
                             .step = level->step,
                             .code = code,
                             .floor = split_floor(s),
                             .top = s->top};
    uint16_t *ids = level->id + f->beg;
    split_test(s, &side.sub, &side.most);
    edge[0] = edge[1] = 0;
    for (uint32_t i = 0; i < f->n && !random; i++) {
        uint16_t c = code[ids[i]];
        edge[0] = c == s->lo ? ids[i] : edge[0];
        edge[1] = c == s->hi ? ids[i] : edge[1];
    }
    return (uint32_t)w->simd->tree_part_few(&side, ids, w->pay + level->beg + f->beg,
                                            f->n);
}

static void grow_level(struct grow_work *w, int k, const struct grow_frame *f)
{
    struct grow_level *l = &w->level[k];
    int n_stack = 0;
    l->stamp++;
    if (k == 0 && w->wide->code) copy_rows(w);
    if (k == 0 && w->wide->image) copy_row_images(w);
    if (k == 1 && w->wide->image) copy_whole_rows(w);
    l->stack[n_stack] = *f;
    l->stack[n_stack++].beg = 0;
    while (n_stack && !w->failed) {
        struct grow_frame at = l->stack[--n_stack], left, right;
        uint32_t *pay = w->pay + l->beg + at.beg;
        int64_t *aux = w->aux ? w->aux + l->beg + at.beg : NULL;
        struct grow_rows rows = {pay, aux, at.n, at.s0, at.s1, NULL};
        struct grow_split best = {.num = (double)INFINITY, .den = 1, .feature = -1};
        if (!may_split(w, &at, &rows)) {
            add_leaf(w, &at, &rows);
            continue;
        }
        struct grow_level *tiny = &w->level[1];
        if (k == 0 && at.n <= (uint32_t)tiny->cap && l->cap > tiny->cap) {
            tiny->n = at.n;
            tiny->beg = l->beg + at.beg;
            for (uint32_t i = 0; i < at.n; i++) {
                tiny->row[i] = l->id[at.beg + i];
                tiny->id[i] = (uint16_t)i;
            }
            grow_level(w, 1, &at);
            continue;
        }
        search_small(w, k, &at, &rows, &best);
        double gain = best.feature >= 0 ? split_gain(w, &rows, &best) : 0;
        if (best.feature < 0 || gain < w->rules->min_gain * w->root_weight) {
            add_leaf(w, &at, &rows);
            continue;
        }
        uint16_t lo = best.lo, hi = best.hi, edge[2];
        uint32_t n_left = part_small(w, l, &at, &best, edge);
        if (!w->rules->random && best.missing != MISSING_ALONE) {
            lo = whole_code(w, k, best.feature, edge[0]);
            hi = whole_code(w, k, best.feature, edge[1]);
        }
        uint32_t node = add_node(w, &at, &rows, &best, lo, hi, gain);
        if (w->failed) break;
        child_frames(&at, &best, node, n_left, &left, &right);
        l->stack[n_stack++] = right;
        l->stack[n_stack++] = left;
    }
}

void grow_small(struct grow_work *w, const struct grow_frame *f)
{
    struct grow_level *l = &w->level[0];
    l->n = f->n;
    l->beg = f->beg;
    for (uint32_t i = 0; i < f->n; i++) {
        l->row[i] = w->id[f->beg + i];
        l->id[i] = (uint16_t)i;
    }
    grow_level(w, 0, f);
}
