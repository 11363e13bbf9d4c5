/* split.c - the best split of a node from its histogram (trees.md 5, steps 5 and 6)
 *
 * Gain        T(G_l)^2/(H_l + l2) + T(G_r)^2/(H_r + l2) - T(G)^2/(H + l2), T the soft threshold
 *             l1; not halved, as XGBoost and LightGBM compare it. Each column's first best code
 *             is found by a kernel in f32, then computed again in f64; ties go to the first column.
 * Missing     both directions are tried where the node has missing rows, and "all numbers
 *             against missing"; elsewhere missing follows the side of more cover.
 * Categories  missing is one more level. Up to cat_alone levels: one against the rest. More:
 *             levels sorted by g/(h + cat_smooth), prefixes from both ends, at most cat_sides
 *             levels a side and at least cat_rows rows between two of them, cat_l2 more
 *             shrinkage; levels of fewer than min_rows or cat_smooth rows (estimated by cover)
 *             stay on the side of the rest. Fisher 1958 for the order. Sorted by
 *             what they are judged by, levels without any effect gain, too: that much (see
 *             split_chance) is taken off, and a cut in the order of the codes, as of a
 *             number, is taken where it gains more (cat_split).
 * Monotone    a split on a column bounds the values of both subtrees by the middle of theirs;
 *             gains are those of values within the bounds, in f64. Interaction groups decide
 *             which columns a node may ask.
 * min_rows    exact. h bounds the count from below; where that proves too little the winning
 *             column's rows are counted and the column is scanned again.
 * Guide       Q10
 */
#include <math.h>
#include <string.h>

#include "learners/tree/bundle.h"
#include "learners/tree/grow.h"

struct scan {
    const struct grow *g;
    const struct grow_grad *grad;
    const struct grow_node *node;
    const uint64_t *cells; /* of the lane */
    uint64_t *room;        /* [512] for those of one that shares its byte column */
    int wide;
    const uint32_t *count; /* [256] rows a code, or NULL */
    double parent;         /* T(G)^2/(H + l2) */
    struct simd_split rule;
    struct simd_scan fast;
    int is_fast;   /* tree_scan ranks the splits of this node as the gain does */
    int is_held;   /* values are bounded: some column of the table is monotone */
    int way;       /* of the lane: 1 values may not fall with its codes, -1 not rise */
    double useful; /* gain that a split must exceed to be of use */
    float floor;   /* the rank of that gain or a little less; 0: not asked */
};

static double score(double g, double h, double l1, double l2)
{
    double a = fabs(g) - l1;
    return a > 0 ? a * a / (h + l2) : 0;
}

static inline int64_t cell_g(const struct scan *s, int c)
{
    return s->wide ? (int64_t)s->cells[2 * c] : (int32_t)(s->cells[c] >> 32);
}
static inline int64_t cell_h(const struct scan *s, int c)
{
    return s->wide ? (int64_t)s->cells[2 * c + 1] : (uint32_t)s->cells[c];
}

/* Value of a side within the node's bounds, before the rate. */
static double held_value(const struct scan *s, double g, double h, double l2)
{
    double a = fabs(g) - s->rule.l1, lo = s->node->lo, hi = s->node->hi;
    double v = a <= 0 || h + l2 <= 0 ? 0 : (g > 0 ? -a : a) / (h + l2);
    return v < lo ? lo : v > hi ? hi : v;
}

/* Twice what a value takes off the loss; T(g)^2/(h + l2) at the best value. */
static double held_score(const struct scan *s, double g, double h, double l2, double v)
{
    double a = fabs(g) - s->rule.l1, t = a <= 0 ? 0 : g > 0 ? a : -a;
    return -(2 * t * v + (h + l2) * v * v);
}

/* The gain under bounds; -1 where the sides are in the forbidden order. */
static double held_gain(const struct scan *s, double gl, double hl, double l2)
{
    double gr = s->rule.g - gl, hr = s->rule.h - hl;
    double left = held_value(s, gl, hl, l2), right = held_value(s, gr, hr, l2);
    if (s->way * (right - left) < 0) return -1;
    return held_score(s, gl, hl, l2, left) + held_score(s, gr, hr, l2, right) -
           s->parent;
}

/* Gain of a left side, with the extra shrinkage of sorted categories in l2. */
static double gain_of(const struct scan *s, int64_t g, int64_t h, double l2)
{
    double gl = (double)g * s->grad->g_unit, hl = (double)h * s->grad->h_unit;
    if (s->is_held) return held_gain(s, gl, hl, l2);
    return score(gl, hl, s->rule.l1, l2) +
           score(s->rule.g - gl, s->rule.h - hl, s->rule.l1, l2) - s->parent;
}

/* Takes the candidate if it is better than what *best holds. */
static void offer(const struct scan *s, int64_t g, int64_t h, double l2,
                  struct grow_split *best, const struct grow_split *as)
{
    double gain = gain_of(s, g, h, l2);
    if (!(gain > best->gain)) return;
    *best = *as;
    best->gain = gain;
    best->g = g;
    best->h = h;
}

/* Marks candidates with fewer rows than asked for on one side; rows[i] is left of candidate i. */
static void drop_small(const struct scan *s, const int64_t *rows, int64_t n,
                       double *gain)
{
    int64_t least = s->g->rules.min_rows;
    for (int64_t i = 0; i < n; i++)
        if (rows[i] < least || (int64_t)s->node->n - rows[i] < least) gain[i] = -1;
}

static int64_t first_best(const double *gain, int64_t n)
{
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++) at = gain[i] > gain[at] ? i : at;
    return at;
}

/* Best of n candidates with integer sums g, h (and rows); -1: none is allowed. */
static int64_t best_of(const struct scan *s, const int64_t *g, const int64_t *h,
                       const int64_t *rows, int64_t n, double l2)
{
    double gl[256], hl[256], gain[256];
    struct simd_split rule = s->rule;
    if (n < 1) return -1;
    rule.l2 = l2;
    for (int64_t i = 0; i < n; i++) {
        gl[i] = (double)g[i] * s->grad->g_unit;
        hl[i] = (double)h[i] * s->grad->h_unit;
    }
    int64_t at = s->is_held ? 0 : s->g->simd->tree_gain(gl, hl, n, &rule, gain);
    for (int64_t i = 0; s->is_held && i < n; i++)
        gain[i] = hl[i] < rule.min_h || rule.h - hl[i] < rule.min_h
                      ? -1
                      : held_gain(s, gl[i], hl[i], l2);
    if (rows) drop_small(s, rows, n, gain);
    if (rows || s->is_held) at = first_best(gain, n);
    return gain[at] >= 0 ? at : -1;
}

/* The best split of numbers after code 0..n-1, with the rows of `from` (the missing ones, or
 * none) on the left as well; sum gets the left side. -1: none is allowed. Rules that the fast
 * scan does not know - l1, counted rows - take the scan in f64. */
static int64_t best_number(const struct scan *s, int64_t n, int from, int64_t sum[2])
{
    sum[0] = from ? cell_g(s, BIN_MISSING) : 0;
    sum[1] = from ? cell_h(s, BIN_MISSING) : 0;
    if (s->is_fast && !s->count && n == 1) { /* two codes: nothing to rank */
        sum[0] += cell_g(s, 0);
        sum[1] += cell_h(s, 0);
        return sum[1] >= s->fast.min_h && s->node->h - sum[1] >= s->fast.min_h ? 0 : -1;
    }
    if (s->is_fast && !s->count)
        return s->g->simd->tree_scan(s->cells, s->wide, n, &s->fast, sum);
    int64_t g[256], h[256], rows[256];
    int64_t ag = sum[0], ah = sum[1], ac = s->count && from ? s->count[BIN_MISSING] : 0;
    for (int c = 0; c < n; c++) {
        g[c] = ag += cell_g(s, c);
        h[c] = ah += cell_h(s, c);
        if (s->count) rows[c] = ac += s->count[c];
    }
    int64_t at = best_of(s, g, h, s->count ? rows : NULL, n, s->rule.l2);
    if (at >= 0) {
        sum[0] = g[at];
        sum[1] = h[at];
    }
    return at;
}

static void scan_number(const struct scan *s, int32_t lane, struct grow_split *best)
{
    const struct bin_feature *f = &s->g->cuts->feature[s->g->cuts->lane_feature[lane]];
    int missing = cell_g(s, BIN_MISSING) != 0 || cell_h(s, BIN_MISSING) != 0;
    int64_t n = f->n_code, cand = missing ? n : n - 1, sum[2];
    int64_t at = cand > 0 ? best_number(s, cand, 0, sum) : -1;
    if (at >= 0) {
        struct grow_split as = {.lane = lane,
                                .thr = (int32_t)at,
                                .missing_left = !missing && 2 * sum[1] >= s->node->h};
        offer(s, sum[0], sum[1], s->rule.l2, best, &as);
    }
    if (!missing || n < 2) return;
    at = best_number(s, n - 1, 1, sum);
    if (at < 0) return;
    struct grow_split as = {.lane = lane, .thr = (int32_t)at, .missing_left = 1};
    offer(s, sum[0], sum[1], s->rule.l2, best, &as);
}

/* A level of a category column in this node. */
struct level {
    double about; /* rows, as far as the cover tells */
    int64_t g, h, rows;
    int code;
};

/* Codes that no row of the node has follow the side of more cover. */
static void close_set(const struct scan *s, int n_code, struct grow_split *best)
{
    if (2 * best->h < s->node->h) return;
    for (int c = 0; c < 256; c++) {
        int absent = (c >= n_code && c != BIN_MISSING) ||
                     (cell_g(s, c) == 0 && cell_h(s, c) == 0);
        if (absent) best->bits[c >> 6] |= UINT64_C(1) << (c & 63);
    }
}

static void scan_one_level(const struct scan *s, int32_t lane, const struct level *lv,
                           int n, struct grow_split *best)
{
    for (int i = 0; i < n; i++) {
        double hl = (double)lv[i].h * s->grad->h_unit, hr = s->rule.h - hl;
        int64_t least = s->g->rules.min_rows;
        if (hl < s->rule.min_h || hr < s->rule.min_h || hl <= 0 || hr <= 0) continue;
        if (s->count &&
            (lv[i].rows < least || (int64_t)s->node->n - lv[i].rows < least))
            continue;
        struct grow_split as = {.lane = lane, .set = 1};
        as.bits[lv[i].code >> 6] |= UINT64_C(1) << (lv[i].code & 63);
        offer(s, lv[i].g, lv[i].h, s->rule.l2, best, &as);
    }
}

static inline void order_two(uint64_t *a, uint64_t *b)
{
    uint64_t x = *a, y = *b;
    *a = x < y ? x : y;
    *b = x < y ? y : x;
}

/* Merges runs v[0..na) and v[na..na + nb). As many keys as the shorter has are taken from the front and
 * from the back at once, two chains that do not wait for each other; neither run can end before. */
static void merge_keys(const uint64_t *v, int na, int nb, uint64_t *to)
{
    int i = 0, j = na, p = na - 1, q = na + nb - 1, m = na < nb ? na : nb, k = 0;
    for (; k < m; k++) {
        uint64_t x = v[i], y = v[j], last_x = v[p], last_y = v[q];
        int right = y<x, left = last_x> last_y;
        to[k] = right ? y : x;
        to[na + nb - 1 - k] = left ? last_x : last_y;
        j += right;
        i += !right;
        p -= left;
        q -= !left;
    }
    for (; k < na + nb - m; k++)
        to[k] = i <= p && (j > q || v[i] < v[j]) ? v[i++] : v[j++];
}

/* Sorts n different keys: fours by exchanges, then merges, hardly with a branch on the keys. v has room
 * up to the next multiple of 4. The result is in v or in room. */
static const uint64_t *sort_keys(uint64_t v[256], uint64_t room[256], int n)
{
    while (n & 3) v[n++] = UINT64_MAX;
    for (uint64_t *q = v; q < v + n; q += 4) {
        order_two(q, q + 1);
        order_two(q + 2, q + 3);
        order_two(q, q + 2);
        order_two(q + 1, q + 3);
        order_two(q + 1, q + 2);
    }
    for (int width = 4; width < n; width *= 2) {
        for (int from = 0; from < n; from += 2 * width) {
            int na = n - from < width ? n - from : width;
            int nb = n - from - na < width ? n - from - na : width;
            merge_keys(v + from, na, nb, room + from);
        }
        uint64_t *other = v;
        v = room;
        room = other;
    }
    return v;
}

/* Bits that stand in the order of the numbers; their last 8 make room for the level. */
static uint64_t level_key(double x, int level)
{
    uint64_t u;
    x += 0.0; /* no -0 */
    memcpy(&u, &x, sizeof u);
    u ^= u >> 63 ? UINT64_MAX : UINT64_C(1) << 63;
    return (u & ~UINT64_C(255)) | (uint64_t)level;
}

/* The levels with rows enough by g/(h + cat_smooth), those of one key (to 44 bits) in the order of
 * their codes: order[] gets their places in lv. How many they are. */
static int sort_levels(const struct scan *s, struct level *lv, int n,
                       uint8_t order[256])
{
    uint64_t key[256], room[256];
    double smooth = s->g->rules.cat_smooth, least = (double)s->g->rules.min_rows;
    double per_row = (double)s->node->n / (s->node->h > 0 ? (double)s->node->h : 1);
    int used = 0;
    if (least < smooth) least = smooth;
    for (int i = 0; i < n; i++) {
        struct level *q = &lv[i];
        q->about = s->count ? (double)q->rows : (double)q->h * per_row;
        if (q->about < least) continue;
        double k =
            (double)q->g * s->grad->g_unit / ((double)q->h * s->grad->h_unit + smooth);
        key[used++] = level_key(k, i);
    }
    const uint64_t *sorted = sort_keys(key, room, used);
    for (int i = 0; i < used; i++) order[i] = (uint8_t)sorted[i];
    return used;
}

/* Prefixes of sorted levels, from the front (step 1) or the back (step -1). Between two of them
 * lie cat_rows rows, or the best of many would be chance. */
static void scan_prefixes(const struct scan *s, int32_t lane, const struct level *lv,
                          const uint8_t *order, int n, int step,
                          struct grow_split *best)
{
    int64_t g[256], h[256], rows[256], ag = 0, ah = 0, ac = 0;
    int upto[256], m = 0;
    double l2 = s->rule.l2 + s->g->rules.cat_l2, since = 0,
           least = s->g->rules.cat_rows;
    double rest = (double)s->node->n;
    int most =
        s->g->rules.cat_sides < (n + 1) / 2 ? s->g->rules.cat_sides : (n + 1) / 2;
    for (int i = 0; i < most; i++) {
        const struct level *q = &lv[order[step > 0 ? i : n - 1 - i]];
        ag += q->g;
        ah += q->h;
        ac += q->rows;
        since += q->about;
        rest -= q->about;
        if (since < least || rest < least) continue;
        g[m] = ag;
        h[m] = ah;
        rows[m] = ac;
        upto[m++] = i;
        since = 0;
    }
    int64_t at = m > 0 ? best_of(s, g, h, s->count ? rows : NULL, m, l2) : -1;
    if (at < 0) return;
    struct grow_split as = {.lane = lane, .set = 1};
    for (int i = 0; i <= upto[at]; i++) {
        int c = lv[order[step > 0 ? i : n - 1 - i]].code;
        as.bits[c >> 6] |= UINT64_C(1) << (c & 63);
    }
    offer(s, g[at], h[at], l2, best, &as);
}

/* Are there too many levels to try one against the rest? */
static int has_many_levels(const struct grow *g, const struct bin_feature *f)
{
    return f->n_code + 1 > g->rules.cat_alone;
}

int split_has_many_levels(const struct grow *g, int32_t lane)
{
    return has_many_levels(g, &g->cuts->feature[g->cuts->lane_feature[lane]]);
}

int split_by_set(const struct grow *g, const struct bin_feature *f)
{
    return f->kind && (g->rules.cat_split != CAT_ORDER || !has_many_levels(g, f));
}

int split_by_order(const struct grow *g, const struct bin_feature *f)
{
    return !f->kind || (g->rules.cat_split != CAT_SETS && has_many_levels(g, f));
}

/* Levels without effect have sums z sqrt(noise h), z normal. Those of positive z on one side and the
 * others on the other gain noise (E|z|)^2 = 2/pi noise a level, since both means are E|z| away. */
double split_chance(const struct grow *g, const struct bin_feature *f, int levels)
{
    if (g->rules.cat_split != CAT_AUTO || !has_many_levels(g, f)) return 0;
    return 0.6366197723675814 * g->noise * levels;
}

int split_is_sorted(const struct grow *g, const struct grow_split *s)
{
    return s->set && split_has_many_levels(g, s->lane);
}

static void scan_levels(const struct scan *s, int32_t lane, struct grow_split *best)
{
    struct level lv[256];
    const struct bin_feature *f = &s->g->cuts->feature[s->g->cuts->lane_feature[lane]];
    int n = 0;
    for (int i = 0; i <= f->n_code; i++) {
        int c = i < f->n_code ? i : BIN_MISSING;
        struct level q = {.g = cell_g(s, c), .h = cell_h(s, c), .code = c};
        if (q.g == 0 && q.h == 0) continue;
        if (s->count) q.rows = s->count[c];
        lv[n++] = q;
    }
    if (n < 2) return;
    struct grow_split mine = {.gain = best->gain};
    if (!split_has_many_levels(s->g, lane) || n == 2) {
        scan_one_level(s, lane, lv, n, &mine);
    } else {
        uint8_t order[256];
        int used = sort_levels(s, lv, n, order);
        if (used < 1) return;
        scan_prefixes(s, lane, lv, order, used, 1, &mine);
        scan_prefixes(s, lane, lv, order, used, -1, &mine);
    }
    mine.gain -= split_chance(s->g, f, n);
    if (!(mine.gain > best->gain)) return;
    *best = mine;
    close_set(s, f->n_code, best);
}

/* Best split of one lane; gain 0: none. */
static void scan_lane(struct scan *s, const uint64_t *hist, int32_t lane,
                      struct grow_split *best)
{
    s->cells =
        bundle_cells(s->g->codes, lane, hist, s->wide, s->node->g, s->node->h, s->room);
    s->way = s->is_held ? s->g->rules.monotone[lane] : 0;
    *best = (struct grow_split){.gain = 0};
    const struct bin_feature *f = &s->g->cuts->feature[s->g->cuts->lane_feature[lane]];
    if (split_by_set(s->g, f)) scan_levels(s, lane, best);
    if (split_by_order(s->g, f)) scan_number(s, lane, best);
}

/* Do both sides have min_rows rows, by what h alone can prove? */
static int rows_proved(const struct scan *s, const struct grow_split *q)
{
    int64_t most = s->grad->h_most, least = s->g->rules.min_rows;
    int64_t need = (least - 1) * most; /* more h than that: at least `least` rows */
    return least <= 1 || (q->h > need && s->node->h - q->h > need);
}

void split_table(const struct grow_split *s, uint8_t left[256])
{
    for (int c = 0; c < 256; c++)
        left[c] = (uint8_t)(s->set ? (s->bits[c >> 6] >> (c & 63)) & 1 : c <= s->thr);
    if (!s->set) left[BIN_MISSING] = s->missing_left;
}

void split_count(const struct grow *g, int32_t lane, const uint32_t *ids, uint32_t n,
                 uint32_t count[256])
{
    const uint8_t *plane = bundle_plane(g->codes, lane);
    memset(count, 0, 256 * sizeof *count);
    for (uint32_t i = 0; i < n; i++) count[plane[ids[i]]]++;
    bundle_counts(g->codes, lane, n, count);
}

float split_scale_below(double most, uint32_t n)
{
    int e;
    (void)frexp(most * n, &e);
    return (float)ldexp(1, -e);
}

/* What all columns of a node share. */
static struct scan scan_of(const struct grow *g, const struct grow_grad *grad,
                           const struct grow_node *node)
{
    const struct grow_rules *r = &g->rules;
    struct scan s = {.g = g, .grad = grad, .node = node, .wide = node->wide};
    s.rule = (struct simd_split){.g = (double)node->g * grad->g_unit,
                                 .h = (double)node->h * grad->h_unit,
                                 .l1 = r->l1,
                                 .l2 = r->l2,
                                 .min_h = r->min_hessian};
    if (grad->h_is_count && s.rule.min_h < (double)r->min_rows)
        s.rule.min_h = (double)r->min_rows;
    s.parent = score(s.rule.g, s.rule.h, r->l1, r->l2);
    double least = ceil(s.rule.min_h / grad->h_unit), l2 = r->l2 / grad->h_unit;
    s.fast.h = node->h;
    s.fast.min_h = least < 1 ? 1 : least < 0x1p61 ? (int64_t)least : INT64_C(1) << 61;
    double sum = (double)node->h + 2 * l2;
    /* packed sums are small enough as they are: d^2 p q stays below 2^126 */
    int as_is = !node->wide && sum <= 0x1p32;
    s.fast.g_scale =
        as_is ? 1 : split_scale_below(grad->fine_g ? 0x1p31 : 0x1p15, node->n);
    s.fast.h_scale = as_is ? 1 : split_scale_below(sum, 1);
    s.fast.l2 = (float)(l2 * (double)s.fast.h_scale);
    s.fast.mean = (float)((double)node->g / sum * (double)s.fast.g_scale /
                          (double)s.fast.h_scale);
    s.is_held = r->monotone != NULL;
    s.is_fast = r->l1 == 0 && l2 < 0x1p60 && !s.is_held;
    if (s.is_held)
        s.parent = held_score(&s, s.rule.g, s.rule.h, r->l2,
                              held_value(&s, s.rule.g, s.rule.h, r->l2));
    return s;
}

/* From now on splits of no larger gain are of no use. The gain is d^2 S / (p q) - C with S = H + 2 l2
 * and C the node's own score less G^2 / S. The floor lies so far below its rank as no rounding
 * reaches: an error in d, up to 2^-20 of G, must be small beside the least d that counts, at p q's
 * least. Where it is not, all columns are scanned. */
static void raise_floor(struct scan *s, double gain)
{
    if (!(gain > s->useful)) return;
    s->useful = gain;
    if (!s->is_fast || s->wide || s->fast.g_scale != 1) return;
    double l2 = s->rule.l2, sum = s->rule.h + 2 * l2, g = s->rule.g;
    double rank = (gain + s->parent - g * g / sum) / sum;
    double p = (double)s->fast.min_h * s->grad->h_unit + l2;
    double least = rank * p * (sum - p), error = fabs(g) * 0x1p-20 * 256;
    if (gain > 1e-8 * s->parent && least > error * error) {
        double unit = s->grad->h_unit / s->grad->g_unit;
        s->floor = (float)(0.98 * rank * unit * unit);
    }
}

/* Is the lane drawn for this level and this node? A node is known by its depth and by how many
 * rows lie left of it, which no order of rows changes. */
static int lane_is_drawn(const struct grow *g, const struct grow_node *node,
                         int32_t lane)
{
    const struct grow_draw *d = &g->draw;
    uint32_t name = g->cuts->feature[g->cuts->lane_feature[lane]].hash;
    int64_t at = d->tree << 32;
    if (d->level < 1 &&
        !(rng_u01(rng_at(d->key, at, name, 2u * node->depth)) < d->level))
        return 0;
    return d->node >= 1 || rng_u01(rng_at(d->key, at | node->beg, name,
                                          2u * node->depth + 1)) < d->node;
}

int split_lane_is_on(const struct grow *g, const struct grow_node *node, int32_t lane)
{
    const uint64_t *groups = g->rules.groups;
    if (g->lane_on && !g->lane_on[lane]) return 0;
    if ((g->draw.level < 1 || g->draw.node < 1) && !lane_is_drawn(g, node, lane))
        return 0;
    if (!groups || node->alone >= 0) return !groups || node->alone == lane;
    if (groups[lane] == 0) return node->groups == UINT64_MAX; /* the root */
    return (groups[lane] & node->groups) != 0;
}

void split_pass_on(const struct grow *g, const struct grow_grad *grad,
                   const struct grow_node *node, struct grow_node kid[2])
{
    const struct grow_rules *r = &g->rules;
    int32_t lane = node->split.lane;
    for (int i = 0; i < 2; i++) {
        kid[i].lo = node->lo;
        kid[i].hi = node->hi;
        kid[i].groups = node->groups;
        kid[i].alone = node->alone;
        if (!r->groups) continue;
        kid[i].groups &= r->groups[lane];
        if (!r->groups[lane]) kid[i].alone = lane;
    }
    if (!r->monotone || !r->monotone[lane]) return;
    double left = grow_value(g, grad, &kid[0], 0),
           right = grow_value(g, grad, &kid[1], 0);
    double middle = 0.5 * left + 0.5 * right;
    int rises = r->monotone[lane] > 0;
    *(rises ? &kid[0].hi : &kid[0].lo) = middle;
    *(rises ? &kid[1].lo : &kid[1].hi) = middle;
}

/* The lane's cells, those of packed nodes without shared columns where they lie. */
static inline const uint64_t *lane_cells(const struct scan *s, int32_t lane)
{
    const struct bin_codes *codes = s->g->codes;
    const struct grow_node *q = s->node;
    if (!codes->bundles && !s->wide) return q->hist + 256 * (size_t)lane;
    return bundle_cells(codes, lane, q->hist, s->wide, q->g, q->h, s->room);
}

/* May a split of the lane's numbers exceed the useful gain? Levels are scanned in any case. */
static inline int may_be_useful(const struct scan *s, int32_t lane)
{
    const struct bin_feature *f = &s->g->cuts->feature[s->g->cuts->lane_feature[lane]];
    int64_t n = f->n_code, none[2] = {0, 0};
    if (!(s->floor > 0) || f->kind) return 1;
    const uint64_t *cells = lane_cells(s, lane), absent = cells[BIN_MISSING];
    const struct simd_table *simd = s->g->simd;
    if (simd->tree_scan_may(cells, n - !absent, &s->fast, none, s->floor)) return 1;
    int64_t left[2] = {(int32_t)(absent >> 32), (uint32_t)absent};
    return absent && simd->tree_scan_may(cells, n - 1, &s->fast, left, s->floor);
}

/* Best split of one lane into room; none of no use is looked for, and its gain raises the floor. */
static inline void split_lane(struct scan *s, int32_t lane, struct split_room *room)
{
    struct grow_split *best = &room->best[lane];
    room->exact[lane] = (uint8_t)s->grad->h_is_count;
    best->gain = 0;
    if (!split_lane_is_on(s->g, s->node, lane) || !may_be_useful(s, lane)) return;
    scan_lane(s, s->node->hist, lane, best);
    /* a split whose rows are yet to be counted may be refused: it proves nothing of others */
    if (room->exact[lane] || rows_proved(s, best)) raise_floor(s, best->gain);
}

void split_lanes(const struct grow *g, const struct grow_grad *grad,
                 const struct grow_node *node, int32_t first, int32_t n,
                 struct split_room *room)
{
    uint64_t cells[512];
    struct scan s = scan_of(g, grad, node);
    s.room = cells;
    raise_floor(&s, node->useful);
    int32_t end = bundle_from(g->codes, first + n), from = bundle_from(g->codes, first);
    int32_t early = -1; /* the first to be scanned */
    for (int32_t i = from; i < end && early < 0; i++)
        if (bundle_nth(g->codes, i) == node->first) early = node->first;
    if (early >= 0) split_lane(&s, early, room);
    for (int32_t i = from; i < end; i++) {
        int32_t l = bundle_nth(g->codes, i);
        if (l != early) split_lane(&s, l, room);
    }
}

int32_t split_best_lane(const struct grow *g, const struct split_room *room,
                        double least)
{
    const int32_t *feature = g->cuts->lane_feature;
    int32_t best = -1;
    for (int32_t l = 0; l < g->codes->n_lanes; l++) {
        double gain = room->best[l].gain;
        if (!(gain > least)) continue;
        if (best < 0 || gain > room->best[best].gain ||
            (gain == room->best[best].gain && feature[l] < feature[best]))
            best = l;
    }
    return best;
}

void split_choose(const struct grow *g, const struct grow_grad *grad,
                  const uint32_t *ids, struct grow_node *node, struct split_room *room)
{
    uint32_t count[256];
    uint64_t cells[512];
    struct scan s = scan_of(g, grad, node);
    s.room = cells;
    node->split = (struct grow_split){.gain = 0};
    /* a gain that rounding alone can make is none */
    double least =
        g->rules.min_gain > 1e-12 * s.parent ? g->rules.min_gain : 1e-12 * s.parent;
    for (;;) {
        int32_t best = split_best_lane(g, room, least);
        if (best < 0) return;
        if (room->exact[best] || rows_proved(&s, &room->best[best])) {
            node->split = room->best[best];
            return;
        }
        split_count(g, best, ids, node->n, count);
        s.count = count;
        scan_lane(&s, node->hist, best, &room->best[best]);
        s.count = NULL;
        room->exact[best] = 1;
    }
}
