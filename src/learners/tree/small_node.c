/* small_node.c - subtrees of at most 4,096 rows, finished depth first in cache (trees.md 7)
 *
 * A subtree's rows are renumbered and its codes copied, from a copy of all codes by rows where
 * columns are few; a column that is asked for becomes ranks among these rows, so that exact search
 * needs a table of 4,096 cells. Only row numbers and weights move after that. Random thresholds
 * need no ranks: codes stay as they are, and below 256 rows values stand beside them, so that a
 * cut is looked up in the whole column once a node and not once a candidate.
 * Guide        Q10
 */
#include "learners/tree/small_node.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

uint64_t path_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double path_draw(uint64_t path, uint32_t column_hash, int *coin)
{
    uint64_t z =
        path_mix(path + ((uint64_t)column_hash << 20) + UINT64_C(0x632be59bd9b4e019));
    *coin = (int)(z & 1);
    return ((double)(z >> 11) + 0.5) * 0x1p-53;
}

/* ---------------------------------------------------------------------- columns --- */

static inline uint32_t column_key(uint32_t base, uint32_t hash)
{
    uint32_t h = base ^ hash;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}

void columns_begin(struct grow_work *w, uint64_t path)
{
    int32_t n = w->n_on, m = w->rules->columns;
    uint32_t base = w->pick_base = (uint32_t)(path >> 32);
    w->at_pick = w->n_pick = 0;
    w->pick_limit = 0;
    if (m >= n) { /* all of them, in the order of names */
        w->n_pick = n;
        return;
    }
    double share = (2.0 * m + 8) / n;
    w->pick_limit = n <= 64 || share >= 1 ? UINT32_MAX : (uint32_t)(share * UINT32_MAX);
    for (int32_t j = 0; j < n; j++) {
        uint32_t k = column_key(base, w->hash[j]);
        w->pick[w->n_pick] = (uint64_t)k << 32 | (uint32_t)j;
        w->n_pick += k <= w->pick_limit;
    }
}

int32_t columns_next(struct grow_work *w)
{
    if (w->at_pick == w->n_pick) {
        uint32_t above = w->pick_limit;
        if (above == 0 || above == UINT32_MAX) return -1;
        w->at_pick = w->n_pick = 0; /* those that the first look passed over */
        w->pick_limit = UINT32_MAX;
        for (int32_t j = 0; j < w->n_on; j++) {
            uint32_t k = column_key(w->pick_base, w->hash[j]);
            if (k > above) w->pick[w->n_pick++] = (uint64_t)k << 32 | (uint32_t)j;
        }
        if (!w->n_pick) return -1;
    }
    if (w->pick_limit == 0) return w->at_pick++;
    uint64_t least = w->pick[w->at_pick]; /* it moves to the front, without a branch */
    for (int32_t i = w->at_pick + 1; i < w->n_pick; i++) {
        uint64_t k = w->pick[i];
        w->pick[i] = k < least ? least : k;
        least = k < least ? k : least;
    }
    w->at_pick++;
    return (int32_t)(least & UINT32_MAX);
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

/* The highest of ranks a..b whose value is not above x, value[a] being so: first among the marks,
 * which stay in the caches where a column's values do not. */
static int32_t not_above(const struct rank_col *c, int32_t a, int32_t b, double x)
{
    if (c->mark && b - a > RANK_STEP) {
        int32_t i = a / RANK_STEP, j = b / RANK_STEP;
        while (i < j) {
            int32_t at = i + (j - i + 1) / 2;
            int low = c->mark[at] <= x;
            i = low ? at : i;
            j = low ? j : at - 1;
        }
        a = i * RANK_STEP > a ? i * RANK_STEP : a;
        b = (i + 1) * RANK_STEP - 1 < b ? (i + 1) * RANK_STEP - 1 : b;
    }
    while (a < b) {
        int32_t at = a + (b - a + 1) / 2;
        int low = c->value[at] <= x;
        a = low ? at : a;
        b = low ? b : at - 1;
    }
    return a;
}

uint16_t cut_between(const struct rank_col *c, uint16_t lo, uint16_t hi)
{
    int32_t a = lo - c->missing, b = hi - c->missing - 1;
    if (lo == hi || b <= a) return (uint16_t)a;
    double mid = c->value[a] / 2 + c->value[b + 1] / 2;
    return (uint16_t)not_above(c, a, b, mid);
}

uint32_t add_node(struct grow_work *w, const struct grow_frame *f,
                  const struct grow_rows *rows, const struct grow_split *s, uint16_t lo,
                  uint16_t hi, double gain)
{
    struct forest_tree *t = &w->tree;
    void *node = t->node, *gains = w->node_gain, *values = w->node_value;
    size_t width = (size_t)w->data->width * sizeof(double);
    int64_t all = rows_weight(w, rows);
    int64_t left = w->data->mode == FOREST_TWO ? s->l0 + s->l1 : s->l1;
    if (room(&node, t->n_nodes, &w->cap_nodes, sizeof *t->node)) {
        w->failed = 1;
        return 0;
    }
    t->node = node;
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
    uint16_t cut = side == 2 ? (uint16_t)(c->n_rank - 1) : cut_between(c, lo, hi);
    t->node[t->n_nodes] = (struct forest_node){.feature = (uint32_t)f_col,
                                               .cut = cut,
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

/* ------------------------------------------------------------ random thresholds --- */

void code_range(const uint16_t *seq, const uint16_t *ids, uint32_t n, int missing,
                uint16_t *lo, uint16_t *hi, int *gaps)
{
    uint16_t least = UINT16_MAX, most = 0, sub = (uint16_t)missing;
    *gaps = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t c = ids ? seq[ids[i]] : seq[i], below = (uint16_t)(c - sub);
        least = below < least ? below : least;
        most = c > most ? c : most;
        *gaps |= c < sub;
    }
    *lo = (uint16_t)(least + sub);
    *hi = most;
}

/* In [lo, hi): rounding may lead out of it. */
static double draw_between(double lo, double hi, double u)
{
    double t = lo * (1 - u) + hi * u;
    if (!(t < hi)) t = nextafter(hi, lo);
    return t > lo ? t : lo;
}

uint16_t draw_cut(const struct rank_col *c, uint16_t lo, uint16_t hi, double u)
{
    int32_t a = lo - c->missing, b = hi - c->missing;
    double t = draw_between(c->value[a], c->value[b], u);
    return (uint16_t)(not_above(c, a, b - 1, t) + c->missing);
}

/* --------------------------------------------------------------------- subtrees --- */

void levels_init(struct grow_work *w, struct arena *a)
{
    int64_t on = w->n_on + 1;
    for (int k = 0; k < 2; k++) {
        struct grow_level *l = &w->level[k];
        l->cap = k                 ? TINY_ROWS
                 : w->n_on <= 256  ? SMALL_ROWS
                 : w->n_on <= 4096 ? SMALL_ROWS / 4
                                   : TINY_ROWS;
        l->have = arena_zero(a, (size_t)on * sizeof *l->have);
        l->n_code = arena_array(a, on, sizeof *l->n_code);
        l->code = arena_array(a, on * (l->cap + COLUMN_PAD), sizeof *l->code);
        if (!w->rules->random)
            l->outer = arena_array(a, on * (l->cap + COLUMN_PAD), sizeof *l->outer);
        else if (k)
            l->value = arena_array(a, on * (l->cap + COLUMN_PAD), sizeof *l->value);
    }
}

static inline size_t column_at(const struct grow_level *l, int32_t q)
{
    return (size_t)q * (size_t)(l->cap + COLUMN_PAD);
}

/* Codes of all columns for the rows of the outer level, from the copy by rows. */
static void copy_rows(struct grow_work *w)
{
    struct grow_level *l = &w->level[0];
    size_t step = (size_t)(l->cap + COLUMN_PAD), stride = (size_t)w->wide_stride;
    for (uint32_t i = 0; i < l->n; i++) {
        const uint16_t *from = w->wide + l->row[i] * stride;
        uint16_t *to = l->code + i;
        if (i + 8 < l->n) __builtin_prefetch(w->wide + l->row[i + 8] * stride);
        for (int32_t q = 0; q < w->n_on; q++, to += step) *to = from[q];
    }
}

/* Codes of column q for the rows of a level: ranks among them, or as they are one level out
 * where those are few, or thresholds are drawn. */
static void copy_column(struct grow_work *w, int k, int32_t q)
{
    struct grow_level *l = &w->level[k], *up = k ? &w->level[0] : NULL;
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    if (up && up->have[q] != up->stamp) copy_column(w, 0, q);
    const uint16_t *from = up ? up->code + column_at(up, q) : c->code;
    uint32_t n_from = (uint32_t)(c->n_rank + c->missing), n = l->n;
    uint16_t *code = l->code + column_at(l, q);
    if (up && up->n_code[q]) n_from = up->n_code[q];
    l->have[q] = l->stamp;
    l->n_code[q] = 0;
    if (up || !w->wide)
        for (uint32_t i = 0; i < n; i++) code[i] = from[l->row[i]];
    if (w->rules->random && k) {
        double *value = l->value + column_at(l, q);
        for (uint32_t i = 0; i < n; i++) value[i] = c->value[code[i] - c->missing];
    }
    if (w->rules->random || n_from <= (uint32_t)l->cap) return;
    l->n_code[q] = (uint16_t)w->simd->tree_rank(code, n, n_from, w->seen, w->below,
                                                l->outer + column_at(l, q));
}

static uint32_t codes_of(const struct grow_work *w, int k, int32_t q)
{
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    for (; k >= 0; k--)
        if (w->level[k].n_code[q]) return w->level[k].n_code[q];
    return (uint32_t)(c->n_rank + c->missing);
}

/* The code in the whole column. */
static uint16_t whole_code(const struct grow_work *w, int k, int32_t q, uint16_t code)
{
    for (; k >= 0; k--)
        if (w->level[k].n_code[q])
            code = w->level[k].outer[column_at(&w->level[k], q) + code];
    return code;
}

/* The drawn threshold of a column without missing cells, in values: which rank it is at, is
 * asked for the column that wins alone (whole_cut). */
static void try_values(struct grow_work *w, const struct grow_rows *rows,
                       const uint16_t *ids, int32_t q, double u,
                       struct grow_split *best)
{
    const double *value = w->level[1].value + column_at(&w->level[1], q);
    double lo = value[ids[0]], hi = lo;
    for (uint32_t i = 1; i < rows->n; i++) {
        double v = value[ids[i]];
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    if (!(lo < hi)) return;
    double t = draw_between(lo, hi, u);
    for (uint32_t i = 0; i < rows->n; i++) w->seq[i] = value[ids[i]] > t;
    search_cut(w, w->seq, NULL, rows, 0, 0, 0, q, best);
}

static void whole_cut(const struct grow_work *w, const struct grow_rows *rows,
                      const uint16_t *ids, uint64_t path, struct grow_split *best)
{
    const struct grow_level *l = &w->level[1];
    uint16_t lo, hi;
    int gaps, coin;
    double u = path_draw(path, w->hash[best->feature], &coin);
    code_range(l->code + column_at(l, best->feature), ids, rows->n, 0, &lo, &hi, &gaps);
    best->lo = best->hi =
        draw_cut(&w->data->codes.col[w->on[best->feature]], lo, hi, u);
}

static void try_random(struct grow_work *w, int k, const struct grow_rows *rows,
                       const uint16_t *ids, int missing, int32_t q, uint64_t path,
                       struct grow_split *best)
{
    const uint16_t *code = w->level[k].code + column_at(&w->level[k], q);
    const struct rank_col *c = &w->data->codes.col[w->on[q]];
    uint16_t lo, hi;
    int gaps, coin;
    double u = path_draw(path, w->hash[q], &coin);
    if (k && !c->missing) {
        try_values(w, rows, ids, q, u, best);
        return;
    }
    code_range(code, ids, rows->n, missing, &lo, &hi, &gaps);
    if (lo < hi)
        search_cut(w, code, ids, rows, gaps, draw_cut(c, lo, hi, u), coin, q, best);
    else if (lo == hi && gaps)
        search_cut(w, code, ids, rows, 1, CUT_ALONE, 0, q, best);
}

/* The best split of a node of level k. */
static void search_small(struct grow_work *w, int k, const struct grow_frame *f,
                         const struct grow_rows *rows, struct grow_split *best)
{
    struct grow_level *l = &w->level[k];
    const uint16_t *ids = l->id + f->beg;
    int32_t q;
    columns_begin(w, f->path);
    for (int32_t tried = 0; (q = columns_next(w)) >= 0; tried++) {
        if (tried >= w->rules->columns && best->feature >= 0) break;
        if (cannot_be_better(w, best)) break;
        if (l->have[q] != l->stamp) copy_column(w, k, q);
        int missing =
            w->data->codes.col[w->on[q]].missing && whole_code(w, k, q, 0) == 0;
        if (w->rules->random)
            try_random(w, k, rows, ids, missing, q, f->path, best);
        else
            search_column(w, l->code + column_at(l, q), ids, rows, codes_of(w, k, q),
                          missing, q, best);
    }
    if (w->rules->random && k && best->feature >= 0 &&
        !w->data->codes.col[w->on[best->feature]].missing)
        whole_cut(w, rows, ids, f->path, best);
}

static uint32_t part_small(struct grow_work *w, struct grow_level *level,
                           const struct grow_frame *f, const struct grow_split *s,
                           uint32_t *pay, int64_t *aux)
{
    const uint16_t *code = level->code + column_at(level, s->feature);
    uint16_t *ids = level->id + f->beg, *aside = level->aside, sub, top;
    uint32_t l = 0, r = 0;
    split_test(s, &sub, &top);
    for (uint32_t i = 0; i < f->n; i++) {
        uint16_t id = ids[i];
        uint32_t p = pay[i], go = (uint16_t)(code[id] - sub) <= top;
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
    return l;
}

static void grow_level(struct grow_work *w, int k, const struct grow_frame *f)
{
    struct grow_level *l = &w->level[k];
    int n_stack = 0;
    l->stamp++;
    if (k == 0 && w->wide) copy_rows(w);
    l->stack[n_stack] = *f;
    l->stack[n_stack++].beg = 0;
    while (n_stack && !w->failed) {
        struct grow_frame at = l->stack[--n_stack], left, right;
        uint32_t *pay = w->pay + l->beg + at.beg;
        int64_t *aux = w->aux ? w->aux + l->beg + at.beg : NULL;
        struct grow_rows rows = {pay, aux, at.n, at.s0, at.s1};
        struct grow_split best = {.num = (double)INFINITY, .den = 1, .feature = -1};
        if (!may_split(w, &at, &rows)) {
            add_leaf(w, &at, &rows);
            continue;
        }
        if (k == 0 && at.n <= TINY_ROWS && l->cap > TINY_ROWS) {
            struct grow_level *tiny = &w->level[1];
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
        uint16_t lo = best.lo, hi = best.hi;
        if (best.missing != MISSING_ALONE) {
            if (w->rules->random) hi = (uint16_t)(lo + 1);
            lo = whole_code(w, k, best.feature, lo);
            hi = whole_code(w, k, best.feature, hi);
        }
        uint32_t node = add_node(w, &at, &rows, &best, lo, hi, gain);
        if (w->failed) break;
        child_frames(&at, &best, node, part_small(w, l, &at, &best, pay, aux), &left,
                     &right);
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
