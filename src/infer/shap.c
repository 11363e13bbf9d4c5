/* shap.c - exact path-dependent Shapley contributions, leaf by leaf, many rows at once
 *
 * Method    Where every feature is known with probability t, and the others are averaged over by
 *           covers, phi[i] = int_0^1 d(expectation) / d(t of feature i) dt. Along a path of m
 *           features the integrand has degree m - 1, so a Gauss-Legendre rule of ceil(m / 2)
 *           nodes is exact. At one t a tree takes one walk down, for the probabilities of its
 *           nodes, and one up, for the expectations below them (simd/k_shap.c): a node costs as
 *           much wherever it is, not as much as its path is long.
 * Again     A node whose feature was tested above, by tests that leave a share w of the rows: a
 *           row that passed them all knows the next with probability a = t / (w + t (1 - w)), and
 *           da/dt goes to the feature; a row that failed one learns nothing. Nothing is divided
 *           out as in classic TreeSHAP, and no share is too small.
 * Layout    A tree's tests become one bit a row. Tables of a tree are small, made for a block of
 *           512 rows and not kept.
 * Derived   A feature made of two columns is one player; what it is given is halved between the two.
 * Numbers   f64 throughout; trees in order: the same bits for any threads and set.
 * Differs   LightGBM and shap divide weights out again and lose digits in deep trees; XGBoost
 *           sums in f32.
 */
#include "infer/shap.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "infer/engine.h"
#include "infer/shap_plan.h"
#include "simd/vmath.h"

#define WORDS      (SHAP_ROWS / 64)
#define MOST_PATH  ENSEMBLE_DEPTH_MAX
#define MOST_NODES ((MOST_PATH + 1) / 2)

/* A Gauss-Legendre rule on [0, 1]. */
struct rule {
    int32_t q;
    double *at, *weight;
};

/* Room of one call, for one block of rows. */
struct shap_work {
    const struct simd_table *simd;
    const struct ensemble *e;
    const struct ensemble_engine *g;
    int64_t words;
    uint16_t *codes; /* [columns][SHAP_ROWS] */
    uint64_t *test;  /* [nodes of the largest tree][WORDS] */
    double *sum;     /* [outputs][groups][used features][SIMD_SHAP_GROUP] */
    struct shap_plan plan;
    int32_t *place;                    /* [features] number among the used ones */
    struct rule rules[MOST_NODES + 1]; /* made when first asked for */
    struct arena *a;
    /* the leaf at hand */
    int32_t m;
    int32_t feature[MOST_PATH]; /* used-feature numbers */
    double share[MOST_PATH];    /* w */
    uint64_t *bits;             /* [MOST_PATH][WORDS] */
    int32_t *slot;              /* [used features] slot on this path, -1 */
    double *bias;               /* [outputs] */
    double *phi; /* of the rows at hand: what functions of a leaf add to beyond sums */
    int64_t n;   /* rows at hand */
    struct pairs *pairs;
};

/* ------------------------------------------------------------------------- rules --- */

static void legendre(int32_t n, double x, double *value, double *slope)
{
    double p0 = 1, p1 = x;
    for (int32_t k = 2; k <= n; k++) {
        double p2 = ((2 * k - 1) * x * p1 - (k - 1) * p0) / k;
        p0 = p1;
        p1 = p2;
    }
    *value = n ? p1 : 1;
    *slope = n * (x * p1 - p0) / (x * x - 1);
}

static const struct rule *rule_of(struct shap_work *s, int32_t q)
{
    struct rule *r = &s->rules[q];
    if (r->q) return r;
    r->at = arena_array(s->a, q, sizeof(double));
    r->weight = arena_array(s->a, q, sizeof(double));
    if (!r->at || !r->weight) return NULL;
    for (int32_t i = 0; i < q; i++) {
        double x = vm_sin(3.14159265358979323846 * (0.5 - (i + 0.75) / (q + 0.5)));
        double p = 0, d = 1;
        for (int k = 0; k < 8 && q > 1; k++) {
            legendre(q, x, &p, &d);
            x -= p / d;
        }
        if (q == 1) x = 0;
        legendre(q, x, &p, &d);
        if (q == 1) d = 1;
        r->at[i] = 0.5 * (1 - x);
        r->weight[i] = 1 / ((1 - x * x) * d * d);
    }
    r->q = q;
    return r;
}

/* ------------------------------------------------------------------------ a leaf --- */

static double ratio_of(const struct ensemble *e, int32_t t, uint32_t parent,
                       uint32_t child, uint32_t n)
{
    if (!e->node_cover || !e->leaf_cover) return 0.5; /* interventional: not asked */
    double all = e->node_cover[e->tree_node[t] + parent];
    double own = child < n ? e->node_cover[e->tree_node[t] + child]
                           : e->leaf_cover[e->tree_leaf[t] + child - n];
    return all > 0 ? own / all : 0.5;
}

/* The product over a row's features at one node of the rule, times its weight; h is the part of
 * a feature over its factor: where the factor is 0 the row does not satisfy the feature and the
 * share is 0 too, so that nothing is moved. */
static double row_products(const struct shap_work *s, const struct rule *rule,
                           int32_t t, int64_t r, double *h)
{
    double p = rule->weight[t];
    for (int32_t j = 0; j < s->m; j++) {
        int is_on = (int)(s->bits[j * WORDS + r / 64] >> (r % 64) & 1);
        double moved = is_on - s->share[j];
        double factor = s->share[j] + rule->at[t] * moved;
        p *= factor;
        h[j] = factor > 0 ? moved / factor : 0;
    }
    return p;
}

/* ------------------------------------------------------------------------ a tree --- */

/* A step of the way down: the child that was taken. */
struct way {
    uint32_t node;
    uint8_t went_right;
};

/* Slots, shares and bits of the path. */
static void gather_path(struct shap_work *s, int32_t t, const struct way *way,
                        uint32_t n_way, uint32_t n)
{
    const struct ensemble *e = s->e;
    s->m = 0;
    for (uint32_t d = 0; d < n_way; d++) {
        uint32_t i = e->tree_node[t] + way[d].node;
        int32_t f = s->place[e->column_feature[e->node_column[i]]], at = s->slot[f];
        uint32_t child = way[d].went_right ? e->node_right[i] : e->node_left[i];
        uint64_t flip = way[d].went_right ? UINT64_MAX : 0;
        const uint64_t *test = s->test + (size_t)way[d].node * WORDS;
        if (at < 0) {
            at = s->slot[f] = s->m++;
            s->feature[at] = f;
            s->share[at] = 1;
            memset(s->bits + at * WORDS, 255, WORDS * sizeof *s->bits);
        }
        s->share[at] *= ratio_of(e, t, way[d].node, child, n);
        for (int64_t k = 0; k < s->words; k++)
            s->bits[at * WORDS + k] &= test[k] ^ flip;
    }
    for (int32_t j = 0; j < s->m; j++) s->slot[s->feature[j]] = -1;
}

typedef tide_status (*leaf_fn)(struct shap_work *s, int32_t t, uint32_t number,
                               tide_error *err);

/* Every leaf of tree t with its path, from left to right. */
static tide_status each_leaf(struct shap_work *s, int32_t t, leaf_fn fn,
                             tide_error *err)
{
    const struct ensemble *e = s->e;
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, n_way = 0, at = 0;
    struct way way[MOST_PATH];
    for (uint32_t i = 0; i < n; i++)
        s->simd->shap_bits(s->codes + (size_t)s->g->of_node[n0 + i] * SHAP_ROWS,
                           e->node_thr[n0 + i], s->words, s->test + (size_t)i * WORDS);
    for (;;) {
        while (at < n) { /* the checked depth bounds the way */
            way[n_way++] = (struct way){at, 0};
            at = e->node_left[n0 + at];
        }
        gather_path(s, t, way, n_way, n);
        tide_status status = fn(s, t, at - n, err);
        if (status) return status;
        while (n_way && way[n_way - 1].went_right) n_way--;
        if (!n_way) return TIDE_OK;
        way[n_way - 1].went_right = 1;
        at = e->node_right[n0 + way[n_way - 1].node];
    }
}

/* ------------------------------------------------------------------------- rows --- */

static tide_status work_new(const struct simd_table *simd, const struct ensemble *e,
                            int needs_covers, struct arena *a, struct shap_work **out,
                            tide_error *err)
{
    struct shap_work *s = arena_zero(a, sizeof *s);
    *out = s;
    if (!s) return arena_status(a, err);
    if (!e->engine || (needs_covers && (!e->node_cover || !e->leaf_cover))) {
        err_set(err, TIDE_CODE_TIDE_SCHEMA,
                "the model does not say how many rows its nodes saw");
        return err_place(err, "section COVER");
    }
    uint32_t most = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n = e->tree_node[t + 1] - e->tree_node[t];
        most = n > most ? n : most;
    }
    *s = (struct shap_work){.simd = simd, .e = e, .g = e->engine, .a = a};
    int64_t nf = s->g->n_used;
    s->codes =
        arena_zero(a, ((size_t)s->g->n_columns + 1) * SHAP_ROWS * sizeof *s->codes);
    s->test = arena_array(a, (int64_t)most + 1, WORDS * sizeof *s->test);
    s->sum = arena_array(a, (nf + 1) * e->n_outputs, SHAP_ROWS * sizeof *s->sum);
    s->place = arena_zero(a, ((size_t)ensemble_all(e) + 1) * sizeof *s->place);
    s->bits = arena_array(a, MOST_PATH, WORDS * sizeof *s->bits);
    s->slot = arena_array(a, nf + 1, sizeof *s->slot);
    s->bias = arena_array(a, e->n_outputs, sizeof(double));
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int64_t i = 0; i < nf; i++) {
        s->slot[i] = -1;
        s->place[s->g->used[i]] = (int32_t)i;
    }
    return TIDE_OK;
}

/* The columns that a feature stands for: itself, or those that it is made of. */
static int columns_of(const struct ensemble *e, uint32_t f, int64_t column[2])
{
    column[0] = f;
    if (f < (uint32_t)e->n_features) return 1;
    const int32_t *source = e->source + 2 * (size_t)(f - (uint32_t)e->n_features);
    column[0] = source[0];
    column[1] = source[1];
    return source[1] >= 0 ? 2 : 1;
}

/* A contribution of feature f to its columns, in equal parts. */
static void share_out(const struct ensemble *e, uint32_t f, double v, double *row)
{
    int64_t column[2];
    int n = columns_of(e, f, column);
    for (int i = 0; i < n; i++) row[column[i]] += v / n;
}

/* Derived codes of up to SHAP_ROWS rows. */
static void take_codes(struct shap_work *s, const struct view *x, int64_t i0, int64_t n)
{
    uint16_t base[SHAP_ROWS];
    s->words = (n + 63) / 64;
    for (int32_t i = 0; i < s->g->n_used; i++) {
        engine_codes_u16(s->e, s->simd, x, (int32_t)s->g->used[i], i0, n, base);
        for (uint32_t c = s->g->first[i]; c < s->g->first[i + 1]; c++)
            engine_derive_u16(&s->g->column[c], base, n,
                              s->codes + (size_t)c * SHAP_ROWS);
    }
}

static tide_status sum_trees(struct shap_work *s, leaf_fn fn, tide_error *err)
{
    tide_status status = TIDE_OK;
    memcpy(s->bias, s->e->base, (size_t)s->e->n_outputs * sizeof *s->bias);
    for (int32_t t = 0; t < s->e->n_trees && !status; t++)
        status = each_leaf(s, t, fn, err);
    return status;
}

/* Contributions of tree t to the rows at hand. A rule of many nodes is taken in parts. */
static tide_status add_tree(struct shap_work *s, int32_t t, tide_error *err)
{
    const struct ensemble *e = s->e;
    int64_t groups = (s->n + SIMD_SHAP_GROUP - 1) / SIMD_SHAP_GROUP;
    shap_plan_tree(&s->plan, t, s->place);
    if (s->plan.n_nodes == 0) { /* one leaf: nothing to share out */
        for (int32_t o = 0; o < e->leaf_width; o++)
            s->bias[e->leaf_width > 1 ? o : e->tree_output[t]] +=
                shap_plan_mean(&s->plan, o);
        return TIDE_OK;
    }
    shap_plan_rows(&s->plan, s->codes, s->words);
    const struct rule *rule = rule_of(s, (s->plan.most + 1) / 2);
    if (!rule) return arena_status(s->a, err);
    for (int32_t o = 0; o < e->leaf_width; o++) {
        int32_t output = e->leaf_width > 1 ? o : e->tree_output[t];
        double *sum = s->sum + (int64_t)output * s->g->n_used * SHAP_ROWS;
        s->bias[output] += shap_plan_mean(&s->plan, o);
        for (int32_t k = 0; k < rule->q; k += SIMD_SHAP_NODES) {
            int32_t q = rule->q - k < SIMD_SHAP_NODES ? rule->q - k : SIMD_SHAP_NODES;
            shap_plan_add(&s->plan, rule->at + k, rule->weight + k, q, o, groups, sum);
        }
    }
    return TIDE_OK;
}

/* Sums of row r and output o to its columns. */
static void put_row(const struct shap_work *s, int64_t r, int64_t o, double *row)
{
    int64_t used = s->g->n_used;
    const double *sum = s->sum + o * used * SHAP_ROWS +
                        r / SIMD_SHAP_GROUP * used * SIMD_SHAP_GROUP +
                        r % SIMD_SHAP_GROUP;
    for (int64_t i = 0; i < used; i++)
        share_out(s->e, s->g->used[i], sum[i * SIMD_SHAP_GROUP], row);
    row[s->e->n_features] = s->bias[o];
}

tide_status shap_values_on(const struct simd_table *simd, const struct ensemble *e,
                           const struct view *x, int64_t i0, int64_t n, double *phi,
                           tide_error *err)
{
    struct arena a;
    struct shap_work *s;
    int64_t k = e->n_outputs, width = (int64_t)e->n_features + 1;
    arena_init(&a, NULL);
    tide_status status = work_new(simd, e, 1, &a, &s, err);
    if (!status) shap_plan_new(&s->plan, simd, e, WORDS, &a);
    if (!status) status = arena_status(&a, err);
    for (int64_t r0 = 0; r0 < n && !status; r0 += SHAP_ROWS) {
        double *to = phi + r0 * k * width;
        s->n = n - r0 < SHAP_ROWS ? n - r0 : SHAP_ROWS;
        take_codes(s, x, i0 + r0, s->n);
        memset(s->sum, 0, (size_t)(s->g->n_used * k) * SHAP_ROWS * sizeof *s->sum);
        memcpy(s->bias, e->base, (size_t)k * sizeof *s->bias);
        for (int32_t t = 0; t < e->n_trees && !status; t++)
            status = add_tree(s, t, err);
        memset(to, 0, (size_t)(s->n * k * width) * sizeof *to);
        for (int64_t r = 0; r < s->n * k; r++) put_row(s, r / k, r % k, to + r * width);
    }
    arena_free(&a);
    return status;
}

tide_status shap_values(const struct ensemble *e, const struct view *x, int64_t i0,
                        int64_t n, double *phi, tide_error *err)
{
    return shap_values_on(simd_get(NULL), e, x, i0, n, phi, err);
}

/* ----------------------------------------------------------------- interactions --- */

/* What features f and g do together, to the cells of their columns; f and g the same: the whole
 * contribution, which the diagonal gets for now and with it what columns do with themselves. */
static void add_between(const struct ensemble *e, uint32_t f, uint32_t g, double v,
                        double *to, int64_t line)
{
    int64_t a[2], b[2];
    int n = columns_of(e, f, a), m = columns_of(e, g, b);
    for (int i = 0; i < n && f == g; i++) to[a[i] * line + a[i]] += v / n;
    for (int i = 0; i < n && f != g; i++)
        for (int j = 0; j < m; j++) {
            if (a[i] == b[j]) continue;
            to[a[i] * line + b[j]] += v / (n * m);
            to[b[j] * line + a[i]] += v / (n * m);
        }
}

static tide_status add_interactions(struct shap_work *s, int32_t t, uint32_t number,
                                    tide_error *err)
{
    const struct ensemble *e = s->e;
    const struct rule *rule = s->m ? rule_of(s, (s->m + 1) / 2) : NULL;
    int64_t line = (int64_t)e->n_features + 1,
            output = e->leaf_width > 1 ? 0 : e->tree_output[t];
    const double *value =
        e->leaf + (size_t)(e->tree_leaf[t] + number) * (size_t)e->leaf_width;
    double all = 1, h[MOST_PATH];
    for (int32_t j = 0; j < s->m; j++) all *= s->share[j];
    for (int32_t o = 0; o < e->leaf_width; o++) s->bias[output + o] += value[o] * all;
    if (!s->m) return TIDE_OK;
    if (!rule) return arena_status(s->a, err);
    for (int64_t r = 0; r < s->n; r++)
        for (int32_t k = 0; k < rule->q; k++) {
            double p = row_products(s, rule, k, r, h);
            for (int32_t i = 0; i < s->m; i++)
                for (int32_t j = 0; j <= i; j++)
                    for (int32_t o = 0; o < e->leaf_width; o++) {
                        double *to =
                            s->phi + (r * e->n_outputs + output + o) * line * line;
                        double v = value[o] * p * (i == j ? h[i] : h[i] * h[j] / 2);
                        add_between(e, s->g->used[s->feature[i]],
                                    s->g->used[s->feature[j]], v, to, line);
                    }
        }
    return TIDE_OK;
}

tide_status shap_interactions(const struct ensemble *e, const struct view *x,
                              int64_t i0, int64_t n, double *phi, tide_error *err)
{
    struct arena a;
    struct shap_work *s;
    int64_t k = e->n_outputs, line = (int64_t)e->n_features + 1;
    arena_init(&a, NULL);
    tide_status status = work_new(simd_get(NULL), e, 1, &a, &s, err);
    for (int64_t r0 = 0; r0 < n && !status; r0 += SHAP_ROWS) {
        int64_t m = n - r0 < SHAP_ROWS ? n - r0 : SHAP_ROWS;
        take_codes(s, x, i0 + r0, m);
        s->n = m;
        s->phi = phi + r0 * k * line * line;
        memset(s->phi, 0, (size_t)(m * k * line * line) * sizeof *phi);
        status = sum_trees(s, add_interactions, err);
        for (int64_t r = 0; r < m * k; r++) {
            double *to = s->phi + r * line * line;
            for (int64_t i = 0; i + 1 < line; i++)
                for (int64_t j = 0; j + 1 < line; j++)
                    if (j != i) to[i * line + i] -= to[i * line + j];
            to[line * line - 1] = s->bias[r % k];
        }
    }
    arena_free(&a);
    return status;
}

/* --------------------------------------------------------------- interventional --- */

#define PAIR_BITS 64 /* features of a path, as bits of a pattern */

/* The explained row at hand beside a block of background rows. Row 0 of the work is the
 * explained one, background row b is row b + 1. */
struct pairs {
    double *phi;    /* [SHAP_ROWS][n_outputs][used features] for each background row */
    double *margin; /* [SHAP_ROWS][n_outputs]: the trees' sum of each row of the work */
};

/* (a - 1)! b! / (a + b)!, a >= 1: as a product, which keeps its digits. */
static double pair_weight(int a, int b)
{
    double w = 1.0 / a;
    for (int k = 1; k <= b; k++) w *= (double)k / (a + k);
    return w;
}

static uint64_t pattern_of(const struct shap_work *s, int64_t r)
{
    uint64_t p = 0;
    for (int32_t j = 0; j < s->m; j++)
        p |= (s->bits[j * WORDS + r / 64] >> (r % 64) & 1) << j;
    return p;
}

static tide_status add_pairs(struct shap_work *s, int32_t t, uint32_t number,
                             tide_error *err)
{
    const struct ensemble *e = s->e;
    int64_t used = s->g->n_used, output = e->leaf_width > 1 ? 0 : e->tree_output[t];
    const double *value =
        e->leaf + (size_t)(e->tree_leaf[t] + number) * (size_t)e->leaf_width;
    if (s->m > PAIR_BITS)
        return err_set(err, TIDE_CODE_LIMIT_DEPTH,
                       "a path tests %d columns, and at most %d can be told apart",
                       s->m, PAIR_BITS);
    uint64_t full = s->m == PAIR_BITS ? UINT64_MAX : (UINT64_C(1) << s->m) - 1;
    uint64_t own = pattern_of(s, 0);
    for (int64_t r = 0; r < s->n; r++) {
        uint64_t other = pattern_of(s, r);
        if (other == full)
            for (int32_t o = 0; o < e->leaf_width; o++)
                s->pairs->margin[r * e->n_outputs + output + o] += value[o];
        if (r == 0 || (own | other) != full || own == other) continue;
        uint64_t mine = own & ~other, theirs = other & ~own;
        int a = __builtin_popcountll(mine), b = __builtin_popcountll(theirs);
        double gain = a ? pair_weight(a, b) : 0, loss = b ? pair_weight(b, a) : 0;
        for (uint64_t rest = mine | theirs; rest; rest &= rest - 1) {
            int j = __builtin_ctzll(rest);
            double w = mine >> j & 1 ? gain : -loss;
            for (int32_t o = 0; o < e->leaf_width; o++)
                s->pairs->phi[(r * e->n_outputs + output + o) * used + s->feature[j]] +=
                    w * value[o];
        }
    }
    return TIDE_OK;
}

/* What is added to a margin's contributions to make them those of the score. */
static double link_slope(const struct ensemble *e, double own, double other,
                         double *score)
{
    double to[2], from[2];
    int32_t k = e->link == LINK_LOGIT ? 2 : 1;
    ensemble_link(e, k, 1, &own, to);
    ensemble_link(e, k, 1, &other, from);
    *score = from[k - 1];
    return own != other ? (to[k - 1] - from[k - 1]) / (own - other) : 0;
}

/* One explained row against background rows [b0, b0 + m): adds to row [n_outputs][features + 1]. */
static tide_status add_background(struct shap_work *s, const struct view *x, int64_t i,
                                  const struct view *background, int64_t b0, int64_t m,
                                  int on_scores, double *row, tide_error *err)
{
    const struct ensemble *e = s->e;
    int64_t k = e->n_outputs, used = s->g->n_used, width = (int64_t)e->n_features + 1;
    take_codes(s, background, b0, m);
    for (int32_t c = 0; c < s->g->n_columns; c++) /* make place for the explained row */
        memmove(s->codes + (size_t)c * SHAP_ROWS + 1, s->codes + (size_t)c * SHAP_ROWS,
                (size_t)m * sizeof *s->codes);
    for (int32_t f = 0; f < s->g->n_used; f++) {
        uint16_t base;
        engine_codes_u16(e, s->simd, x, (int32_t)s->g->used[f], i, 1, &base);
        for (uint32_t c = s->g->first[f]; c < s->g->first[f + 1]; c++)
            engine_derive_u16(&s->g->column[c], &base, 1,
                              s->codes + (size_t)c * SHAP_ROWS);
    }
    s->n = m + 1;
    s->words = (s->n + 63) / 64;
    memset(s->pairs->phi, 0, (size_t)(s->n * k * used) * sizeof(double));
    for (int64_t r = 0; r < s->n * k; r++) s->pairs->margin[r] = e->base[r % k];
    tide_status status = sum_trees(s, add_pairs, err);
    for (int64_t r = 1; r < s->n && !status; r++)
        for (int64_t o = 0; o < k; o++) {
            double bias = s->pairs->margin[r * k + o], slope = 1;
            if (on_scores) slope = link_slope(e, s->pairs->margin[o], bias, &bias);
            for (int64_t f = 0; f < used; f++)
                share_out(e, s->g->used[f],
                          slope * s->pairs->phi[(r * k + o) * used + f],
                          row + o * width);
            row[o * width + width - 1] += bias;
        }
    return status;
}

tide_status shap_interventional(const struct ensemble *e, const struct view *x,
                                int64_t i0, int64_t n, const struct view *background,
                                int on_scores, double *phi, tide_error *err)
{
    struct arena a;
    struct shap_work *s;
    int64_t k = e->n_outputs, width = (int64_t)e->n_features + 1, most = SHAP_ROWS - 1;
    if (background->n_rows < 1)
        return err_set(err, TIDE_CODE_DATA_NO_ROWS, "there is no background row");
    arena_init(&a, NULL);
    tide_status status = work_new(simd_get(NULL), e, 0, &a, &s, err);
    struct pairs *pairs = status ? NULL : arena_zero(&a, sizeof *pairs);
    if (pairs) {
        pairs->phi =
            arena_array(&a, (s->g->n_used + 1) * k, SHAP_ROWS * sizeof(double));
        pairs->margin = arena_array(&a, k, SHAP_ROWS * sizeof(double));
    }
    if (!status) status = arena_status(&a, err);
    if (!status) s->pairs = pairs;
    memset(phi, 0, (size_t)(n * k * width) * sizeof *phi);
    for (int64_t r = 0; r < n && !status; r++) {
        double *row = phi + r * k * width;
        for (int64_t b = 0; b < background->n_rows && !status; b += most)
            status = add_background(
                s, x, i0 + r, background, b,
                background->n_rows - b < most ? background->n_rows - b : most,
                on_scores && k == 1, row, err);
        for (int64_t j = 0; j < k * width; j++) row[j] /= (double)background->n_rows;
    }
    arena_free(&a);
    return status;
}
