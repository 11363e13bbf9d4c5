/* grow_symmetric.c - growth of one tree whose levels share one test each (oblivious trees)
 *
 * Test        of a level: that of the largest sum of gains over the level's nodes; least gain is
 *             compared with the sum. A node that the test would leave with less than min_rows or
 *             min_hessian on a side adds nothing to the sum, stays whole, and comes to the next
 *             level as it is; so min_rows is exact here too.
 * Missing     both directions, for all nodes alike; without missing rows in the level they
 *             follow the side of more cover.
 * Categories  as split.c, with the level's sums: levels are sorted by what is left of their
 *             gradients when every node has its own value.
 * Threads     lanes of a level side by side, each over all nodes in order; then small nodes side
 *             by side, large ones by the whole crew. Children are numbered in the order of nodes.
 * Paper       Kohavi and Li 1995; Prokhorenkova et al. 2018
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "learners/tree/bundle.h"
#include "learners/tree/grow.h"

struct symmetric {
    int32_t *live, *next; /* nodes of this level, and of the next, that may be split */
    int32_t n_live;
    struct grow_node (*kid)[2]; /* [n_live]; kid[0].n = 0: the node stays whole */
    uint32_t (*count)[256];     /* [n_live] rows a code of the lane that was counted */
};
/* One level while it is split. */
struct tier {
    struct grow *g;
    struct symmetric *y;
    struct split_room *room;
    double min_h, parents, rows, rows_per_h;
    uint16_t depth;
    int is_counted; /* the lane that is scanned */
    int32_t lane;
    struct grow_split test;
    uint8_t left[256]; /* of the test */
};

struct symmetric *symmetric_new(const struct grow *g, struct arena *a)
{
    struct symmetric *y = arena_zero(a, sizeof *y);
    if (!y) return NULL;
    int64_t most = g->rules.leaves / 2 + 1; /* leaves are those of the last level */
    y->live = arena_array(a, most, sizeof *y->live);
    y->next = arena_array(a, most, sizeof *y->next);
    y->kid = arena_array(a, most, sizeof *y->kid);
    y->count = arena_array(a, most, sizeof *y->count);
    return y;
}

/* ------------------------------------------------------------------ gains of a level --- */

/* A lane's cells of a node. */
struct lane_cells {
    const uint64_t *cells;
    int wide;
    uint64_t room[512];
};

static void lane_open(const struct grow *g, const struct grow_node *q, int32_t lane,
                      struct lane_cells *t)
{
    t->wide = q->wide;
    t->cells = bundle_cells(g->codes, lane, q->hist, q->wide, q->g, q->h, t->room);
}

static inline int64_t sum_g(const struct lane_cells *t, int c)
{
    return t->wide ? (int64_t)t->cells[2 * c] : (int32_t)(t->cells[c] >> 32);
}
static inline int64_t sum_h(const struct lane_cells *t, int c)
{
    return t->wide ? (int64_t)t->cells[2 * c + 1] : (uint32_t)t->cells[c];
}

static double score_of(const struct grow *g, int64_t sum, int64_t h, double l2)
{
    double a = fabs((double)sum * g->grad->g_unit) - g->rules.l1;
    return a > 0 ? a * a / ((double)h * g->grad->h_unit + l2) : 0;
}

static const struct grow_node *live_node(const struct tier *s, int32_t i)
{
    return &s->g->node[s->y->live[i]];
}

/* Ways to cut one column: after each step the codes so far are on the left, or this one alone. */
struct cuts {
    int n, best;
    uint8_t code[256], may_cut[256];
    int from_missing, is_alone;
    double l2;
};

/* Adds one node's gains; -1 of tree_gain: a side falls short. */
static void add_gains(const struct tier *s, int32_t i, const struct cuts *f,
                      double *sum)
{
    const struct grow *g = s->g;
    const struct grow_node *q = live_node(s, i);
    const uint32_t *count = s->is_counted ? s->y->count[i] : NULL;
    const struct simd_split rule = {.g = (double)q->g * g->grad->g_unit,
                                    .h = (double)q->h * g->grad->h_unit,
                                    .l1 = g->rules.l1,
                                    .l2 = f->l2,
                                    .min_h = s->min_h};
    double gl[256], hl[256], gain[256];
    int64_t rows[256], ag = 0, ah = 0, ar = 0, least = g->rules.min_rows;
    struct lane_cells t;
    lane_open(g, q, s->lane, &t);
    if (f->from_missing) {
        ag = sum_g(&t, BIN_MISSING);
        ah = sum_h(&t, BIN_MISSING);
        ar = count ? count[BIN_MISSING] : 0;
    }
    for (int c = 0; c < f->n; c++) {
        if (f->is_alone) ag = ah = ar = 0;
        ag += sum_g(&t, f->code[c]);
        ah += sum_h(&t, f->code[c]);
        gl[c] = (double)ag * g->grad->g_unit;
        hl[c] = (double)ah * g->grad->h_unit;
        if (count) rows[c] = ar += count[f->code[c]];
    }
    g->simd->tree_gain(gl, hl, f->n, &rule, gain);
    double parent = score_of(g, q->g, q->h, g->rules.l2);
    for (int c = 0; c < f->n; c++) {
        if (count && (rows[c] < least || (int64_t)q->n - rows[c] < least)) continue;
        if (gain[c] >= 0) sum[c] += gain[c] - parent;
    }
}

/* The best cut, if it beats *best: its sum of gains into best->gain, its number into f->best. */
static int cuts_try(const struct tier *s, struct cuts *f, struct grow_split *best)
{
    double sum[256] = {0};
    f->best = -1;
    if (f->n < 1) return 0;
    for (int32_t i = 0; i < s->y->n_live; i++) add_gains(s, i, f, sum);
    for (int c = 0; c < f->n; c++) {
        if (!f->may_cut[c] || !(sum[c] > best->gain)) continue;
        best->gain = sum[c];
        f->best = c;
    }
    return f->best >= 0;
}

/* What the nodes of a level hold of a column's codes together. */
struct codes_sum {
    int64_t h[256], rows[256];
    double rest[256]; /* gradients beyond the nodes' own values */
    uint8_t seen[256];
    int64_t all_h;
};

static void codes_add(const struct tier *s, struct codes_sum *t)
{
    const struct grow *g = s->g;
    int n = g->cuts->feature[g->cuts->lane_feature[s->lane]].n_code;
    memset(t, 0, sizeof *t);
    for (int32_t i = 0; i < s->y->n_live; i++) {
        const struct grow_node *q = live_node(s, i);
        double mean = q->h > 0 ? (double)q->g / (double)q->h : 0;
        struct lane_cells cells;
        lane_open(g, q, s->lane, &cells);
        t->all_h += q->h;
        for (int k = 0; k <= n; k++) {
            int c = k < n ? k : BIN_MISSING;
            int64_t a = sum_g(&cells, c), h = sum_h(&cells, c);
            if (a == 0 && h == 0) continue;
            t->seen[c] = 1;
            t->h[c] += h;
            t->rest[c] += ((double)a - mean * (double)h) * g->grad->g_unit;
            if (s->is_counted) t->rows[c] += s->y->count[i][c];
        }
    }
}

static void tier_numbers(const struct tier *s, int n, const struct codes_sum *t,
                         struct grow_split *best)
{
    int missing = t->seen[BIN_MISSING];
    struct cuts f = {.n = missing ? n : n - 1, .l2 = s->g->rules.l2};
    for (int c = 0; c < f.n; c++) {
        f.code[c] = (uint8_t)c;
        f.may_cut[c] = 1;
    }
    if (cuts_try(s, &f, best)) {
        int64_t h = 0;
        for (int c = 0; c <= f.best; c++) h += t->h[c];
        best->set = 0;
        best->thr = f.best;
        best->missing_left = !missing && 2 * h >= t->all_h;
    }
    if (!missing) return;
    f.n = n - 1;
    f.from_missing = 1;
    if (!cuts_try(s, &f, best)) return;
    best->set = 0;
    best->thr = f.best;
    best->missing_left = 1;
}

/* The codes of a cut of categories; those that no row of the level has follow the side of more
 * cover. */
static void take_set(const struct cuts *f, const struct codes_sum *t,
                     struct grow_split *best)
{
    int64_t h = 0;
    best->set = 1;
    memset(best->bits, 0, sizeof best->bits);
    for (int i = f->is_alone ? f->best : 0; i <= f->best; i++) {
        int c = f->code[i];
        best->bits[c >> 6] |= UINT64_C(1) << (c & 63);
        h += t->h[c];
    }
    if (2 * h < t->all_h) return;
    for (int c = 0; c < 256; c++)
        if (!t->seen[c]) best->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

/* Prefixes of m sorted codes, from the front or the back, cat_rows rows apart. */
static void tier_sorted(const struct tier *s, const uint8_t *code, int m, int is_back,
                        const struct codes_sum *t, struct grow_split *best)
{
    const struct grow_rules *r = &s->g->rules;
    struct cuts f = {.l2 = r->l2 + r->cat_l2};
    double since = 0, rest = s->rows;
    f.n = r->cat_sides < (m + 1) / 2 ? r->cat_sides : (m + 1) / 2;
    for (int i = 0; i < f.n; i++) {
        int c = f.code[i] = code[is_back ? m - 1 - i : i];
        double about =
            s->is_counted ? (double)t->rows[c] : (double)t->h[c] * s->rows_per_h;
        since += about;
        rest -= about;
        f.may_cut[i] = since >= r->cat_rows && rest >= r->cat_rows;
        if (f.may_cut[i]) since = 0;
    }
    if (cuts_try(s, &f, best)) take_set(&f, t, best);
}

static void tier_categories(const struct tier *s, int n, const struct codes_sum *t,
                            struct grow_split *best)
{
    const struct grow_rules *r = &s->g->rules;
    struct cuts f = {.is_alone = 1, .l2 = r->l2};
    for (int k = 0; k <= n; k++) {
        int c = k < n ? k : BIN_MISSING;
        if (!t->seen[c]) continue;
        f.code[f.n] = (uint8_t)c;
        f.may_cut[f.n++] = 1;
    }
    if (f.n < 2) return;
    if (n + 1 <= r->cat_alone || f.n == 2) {
        if (cuts_try(s, &f, best)) take_set(&f, t, best);
        return;
    }
    double key[256], least = (double)r->min_rows;
    if (least < r->cat_smooth) least = r->cat_smooth;
    int m = 0;
    for (int k = 0; k < f.n; k++) { /* sorted into the front of f.code */
        uint8_t c = f.code[k];
        double h = (double)t->h[c], about = h * s->rows_per_h;
        if (s->is_counted) about = (double)t->rows[c];
        if (about < least) continue;
        double at = t->rest[c] / (h * s->g->grad->h_unit + r->cat_smooth);
        int j = m++;
        for (; j > 0 && key[j - 1] > at; j--) {
            key[j] = key[j - 1];
            f.code[j] = f.code[j - 1];
        }
        key[j] = at;
        f.code[j] = c;
    }
    if (m < 1) return;
    tier_sorted(s, f.code, m, 0, t, best);
    tier_sorted(s, f.code, m, 1, t, best);
}

/* Takes off the best set what it gains by chance: one order of the levels for all nodes. */
static void tier_chance(const struct tier *s, const struct bin_feature *f,
                        const struct codes_sum *t, struct grow_split *best)
{
    int levels = 0;
    for (int c = 0; c < 256; c++) levels += t->seen[c];
    best->gain -= split_chance(s->g, f, levels);
    if (best->gain <= 0) *best = (struct grow_split){.lane = s->lane};
}

/* Is the lane drawn for this tree and this level? */
static int tier_has_lane(const struct tier *s, int32_t lane)
{
    const struct grow_draw *d = &s->g->draw;
    if (s->g->lane_on && !s->g->lane_on[lane]) return 0;
    if (d->level >= 1) return 1;
    uint32_t name = s->g->cuts->feature[s->g->cuts->lane_feature[lane]].hash;
    return rng_u01(rng_at(d->key, d->tree << 32, name, 2u * s->depth)) < d->level;
}

static void tier_scan_lane(void *arg, int64_t lane, int member)
{
    struct tier s = *(const struct tier *)arg; /* with a lane of its own */
    const struct bin_feature *f = &s.g->cuts->feature[s.g->cuts->lane_feature[lane]];
    struct grow_split *best = &s.room->best[lane];
    struct codes_sum t;
    (void)member;
    s.lane = (int32_t)lane;
    *best = (struct grow_split){.lane = s.lane};
    if (!tier_has_lane(&s, s.lane)) return;
    codes_add(&s, &t);
    if (split_by_set(s.g, f)) tier_categories(&s, f->n_code, &t, best);
    if (best->gain > 0) tier_chance(&s, f, &t, best);
    if (split_by_order(s.g, f)) tier_numbers(&s, f->n_code, &t, best);
}

/* --------------------------------------------------------------- the test of a level --- */

/* The left sums of a node under the level's test; 0: a side has too little. */
static int has_sides(const struct tier *s, const struct grow_node *q, int64_t *left_g,
                     int64_t *left_h)
{
    const struct grow *g = s->g;
    int n = g->cuts->feature[g->cuts->lane_feature[s->test.lane]].n_code;
    struct lane_cells t;
    lane_open(g, q, s->test.lane, &t);
    *left_g = *left_h = 0;
    for (int k = 0; k <= n; k++) {
        int c = k < n ? k : BIN_MISSING;
        if (!s->left[c]) continue;
        *left_g += sum_g(&t, c);
        *left_h += sum_h(&t, c);
    }
    double l = (double)*left_h * g->grad->h_unit;
    double r = (double)(q->h - *left_h) * g->grad->h_unit;
    return l > 0 && r > 0 && l >= s->min_h && r >= s->min_h;
}

/* Do both sides have min_rows rows for certain, by what h can prove? */
static int is_proved(const struct grow *g, const struct grow_node *q, int64_t left_h)
{
    int64_t least = g->rules.min_rows, need = (least - 1) * g->grad->h_most;
    if (g->grad->h_is_count || least <= 1) return 1;
    return left_h > need && q->h - left_h > need;
}

static int test_is_proved(const struct tier *s)
{
    int64_t left_g, left_h;
    for (int32_t i = 0; i < s->y->n_live; i++)
        if (has_sides(s, live_node(s, i), &left_g, &left_h) &&
            !is_proved(s->g, live_node(s, i), left_h))
            return 0;
    return 1;
}

static void count_node(void *arg, int64_t i, int member)
{
    const struct tier *s = arg;
    const struct grow_node *q = live_node(s, (int32_t)i);
    (void)member;
    split_count(s->g, s->test.lane, s->g->ids + q->beg, q->n, s->y->count[i]);
}

/* Sets the level's test; 0: none gains anything. A winner whose rows h cannot prove is scanned
 * again with counted rows, as split.c does. */
static int tier_choose(struct tier *s)
{
    struct grow *g = s->g;
    double least =
        g->rules.min_gain > 1e-12 * s->parents ? g->rules.min_gain : 1e-12 * s->parents;
    memset(s->room->exact, 0, (size_t)g->codes->n_lanes);
    grow_phase(g, g->codes->n_lanes, tier_scan_lane, s);
    for (;;) {
        int32_t best = split_best_lane(g, s->room, least);
        if (best < 0) return 0;
        s->test = s->room->best[best];
        split_table(&s->test, s->left);
        if (s->room->exact[best] || test_is_proved(s)) return 1;
        grow_phase(g, s->y->n_live, count_node, s);
        s->is_counted = 1;
        tier_scan_lane(s, best, 0);
        s->is_counted = 0;
        s->room->exact[best] = 1;
    }
}

/* --------------------------------------------------------------------- the split --- */

/* May the node be split in a level below it? */
static int may_live(const struct grow *g, const struct grow_node *q)
{
    return q->depth < g->rules.depth && q->n >= 2 &&
           (int64_t)q->n >= 2 * g->rules.min_rows &&
           (double)q->h * g->grad->h_unit >= 2 * g->rules.min_hessian;
}

/* The node takes the test as its split, unless a side falls short. */
static int take_test(const struct tier *s, struct grow_node *q)
{
    const struct grow *g = s->g;
    int64_t left_g, left_h, rows = 0, least = g->rules.min_rows;
    if (!has_sides(s, q, &left_g, &left_h)) return 0;
    if (!is_proved(g, q, left_h)) {
        uint8_t left[256];
        memcpy(left, s->left, sizeof left);
        const uint8_t *column = bundle_table(g->codes, s->test.lane, left);
        for (uint32_t r = 0; r < q->n; r++) rows += left[column[g->ids[q->beg + r]]];
        if (rows < least || (int64_t)q->n - rows < least) return 0;
    }
    double l2 = g->rules.l2 + (split_is_sorted(g, &s->test) ? g->rules.cat_l2 : 0);
    q->split = s->test;
    q->split.g = left_g;
    q->split.h = left_h;
    q->split.gain = score_of(g, left_g, left_h, l2) +
                    score_of(g, q->g - left_g, q->h - left_h, l2) -
                    score_of(g, q->g, q->h, g->rules.l2);
    return 1;
}

static void make_kids(const struct tier *s, const struct grow_node *q, int64_t n_left,
                      struct grow_node kid[2])
{
    const struct grow *g = s->g;
    assert(n_left > 0 && n_left < (int64_t)q->n);
    for (int i = 0; i < 2; i++) {
        struct grow_node *k = &kid[i];
        *k = (struct grow_node){.kids = -1, .left = -1, .right = -1};
        k->beg = i ? q->beg + (uint32_t)n_left : q->beg;
        k->n = i ? q->n - (uint32_t)n_left : (uint32_t)n_left;
        k->g = i ? q->g - q->split.g : q->split.g;
        k->h = i ? q->h - q->split.h : q->split.h;
        k->depth = (uint16_t)(s->depth + 1);
        k->wide = g->grad->fine_g != NULL || k->n > HIST_PACKED_ROWS;
    }
    split_pass_on(g, g->grad, q, kid);
}

/* A node of few rows, whose children's cells are like its own, by one member. */
static void split_small(void *arg, int64_t i, int member)
{
    struct tier *s = arg;
    struct grow *g = s->g;
    struct grow_node *q = &g->node[s->y->live[i]], *kid = s->y->kid[i];
    uint64_t *fresh = kid[0].hist;
    if (q->n > HIST_PACKED_ROWS || !take_test(s, q)) return;
    make_kids(s, q, part_alone(g, q), kid);
    int small = kid[0].n > kid[1].n;
    struct grow_node *k = &kid[small], *l = &kid[!small];
    k->hist = fresh;
    if (!may_live(g, k) && !may_live(g, l)) return;
    hist_alone(g->pool, member, g->grad, g->ids + k->beg, k->n, k->wide, k->hist);
    if (!may_live(g, l)) return;
    for (int32_t at = 0; at < g->codes->n_planes; at++)
        hist_subtract(g, at, q->hist, q->wide, k->hist, k->wide, NULL);
    l->hist = q->hist;
    q->hist = NULL;
}

struct meet {
    struct grow *g;
    struct grow_node *q, *small, *large; /* large: NULL where it needs no histogram */
};

static void meet_lane(void *arg, int64_t lane, int member)
{
    const struct meet *m = arg;
    const struct grow_node *k = m->small;
    (void)member;
    if (m->g->members > 1) hist_meet(m->g->pool, (int32_t)lane, k->wide, k->hist);
    if (m->large)
        hist_subtract(m->g, (int32_t)lane, m->q->hist, m->q->wide, k->hist, k->wide,
                      m->large->wide == m->q->wide ? NULL : m->large->hist);
}

/* A node of many rows, by the whole crew. */
static void split_large(struct tier *s, int32_t i)
{
    struct grow *g = s->g;
    struct grow_node *q = &g->node[s->y->live[i]], *kid = s->y->kid[i];
    if (!take_test(s, q)) return;
    make_kids(s, q, part_together(g, q), kid);
    int small = kid[0].n > kid[1].n;
    struct grow_node *k = &kid[small], *l = &kid[!small];
    struct meet m = {.g = g, .q = q, .small = k, .large = may_live(g, l) ? l : NULL};
    if (!may_live(g, k) && !m.large) return;
    k->hist = hist_take(g->pool, k->wide);
    if (m.large && l->wide != q->wide) l->hist = hist_take(g->pool, l->wide);
    if (!k->hist || (m.large && l->wide != q->wide && !l->hist)) {
        g->status = hist_refused(g->pool, NULL);
        return;
    }
    if (g->members > 1)
        hist_together(g, g->ids + k->beg, k->n);
    else
        hist_alone(g->pool, 0, g->grad, g->ids + k->beg, k->n, k->wide, k->hist);
    grow_phase(g, g->codes->n_planes, meet_lane, &m);
    if (!m.large || l->wide != q->wide) return;
    l->hist = q->hist;
    q->hist = NULL;
}

/* Children become nodes, in the order of their parents; who may be split again goes on. */
static void tier_accept(struct tier *s)
{
    struct grow *g = s->g;
    struct symmetric *y = s->y;
    int32_t n = 0;
    for (int32_t i = 0; i < y->n_live; i++) {
        struct grow_node *q = &g->node[y->live[i]], *kid = y->kid[i];
        if (kid[0].n == 0) { /* stays whole */
            hist_give(g->pool, kid[0].hist, q->wide);
            q->depth++;
            if (may_live(g, q)) y->next[n++] = y->live[i];
            continue;
        }
        hist_give(g->pool, q->hist, q->wide);
        q->hist = NULL;
        q->left = g->n_nodes;
        q->right = g->n_nodes + 1;
        for (int k = 0; k < 2; k++) {
            int lives = may_live(g, &kid[k]);
            if (!lives) hist_give(g->pool, kid[k].hist, kid[k].wide);
            if (!lives) kid[k].hist = NULL;
            if (lives) y->next[n++] = g->n_nodes;
            g->node[g->n_nodes++] = kid[k];
        }
        g->n_leaves++;
    }
    int32_t *done = y->live;
    y->live = y->next;
    y->next = done;
    y->n_live = n;
}

static void tier_split(struct tier *s)
{
    struct grow *g = s->g;
    struct symmetric *y = s->y;
    int is_last = s->depth + 1 >= g->rules.depth;
    for (int32_t i = 0; i < y->n_live; i++) {
        const struct grow_node *q = live_node(s, i);
        memset(y->kid[i], 0, sizeof y->kid[i]);
        if (is_last || q->n > HIST_PACKED_ROWS || g->status) continue;
        y->kid[i][0].hist = hist_take(g->pool, q->wide);
        if (!y->kid[i][0].hist) g->status = hist_refused(g->pool, NULL);
    }
    if (g->status) return;
    for (int32_t i = 0; i < y->n_live && !g->status; i++)
        if (live_node(s, i)->n > HIST_PACKED_ROWS) split_large(s, i);
    if (g->status) return;
    grow_phase(g, y->n_live, split_small, s);
    tier_accept(s);
}

static struct tier tier_of(struct grow *g, int32_t depth)
{
    struct tier s = {.g = g,
                     .y = g->symmetric,
                     .room = &g->room[g->threads],
                     .min_h = g->rules.min_hessian,
                     .depth = (uint16_t)depth};
    double h = 0;
    if (g->grad->h_is_count && s.min_h < (double)g->rules.min_rows)
        s.min_h = (double)g->rules.min_rows;
    for (int32_t i = 0; i < s.y->n_live; i++) {
        const struct grow_node *q = live_node(&s, i);
        s.parents += score_of(g, q->g, q->h, g->rules.l2);
        s.rows += q->n;
        h += (double)q->h;
    }
    s.rows_per_h = s.rows / (h > 0 ? h : 1);
    return s;
}

void grow_symmetric(struct grow *g)
{
    struct symmetric *y = g->symmetric;
    y->n_live = 0;
    if (may_live(g, &g->node[0])) y->live[y->n_live++] = 0;
    for (int32_t depth = 0; depth < g->rules.depth && y->n_live; depth++) {
        struct tier s = tier_of(g, depth);
        if (g->status || crew_cancelled(g->crew) || !tier_choose(&s)) break;
        tier_split(&s);
    }
}
