/* import_build.c - trees of any source to the canonical ensemble
 *
 * Numbers       a feature's edges are its thresholds, sorted and distinct
 * Zero          LightGBM's "zero is missing" becomes a map: the interval around zero is one
 *               code, since no threshold lies inside it (import_lightgbm.c moves those)
 * Categories    in a dictionary: levels that no set tells apart share a code. As plain numbers:
 *               edges where a run of members begins or ends, so that values that nobody trained
 *               on, fractions and negative numbers go where the source sends them
 * Columns       one a feature and way of missing, one a distinct set of codes
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/size.h"
#include "infer/ensemble.h"
#include "math/sort.h"
#include "store/import.h"

#define MOST_CODES 254

struct tree {
    int64_t node, leaf;
    int32_t output;
    uint32_t depth;
};
struct import_trees {
    struct arena *a;
    int64_t n_trees, n_nodes, n_leaves, n_sets;
    int64_t cap_trees, cap_nodes, cap_leaves, cap_values, cap_sets, cap_slots;
    struct tree *tree;
    struct import_node *node; /* children as in ensemble.h */
    double *leaf, *cover;
    const struct import_linear **linear; /* [leaves] */
    int64_t n_coefs, cap_linear;
    int has_linear;
    int64_t n_values;
    struct import_set *set;
    int32_t *slot; /* hash table of sets, cap_slots is a power of two */
};

double import_float_edge(float t)
{
    float p = nextafterf(t, -INFINITY);
    double lo = isinf(p) ? -0x1p128 : (double)p, hi = isinf(t) ? 0x1p128 : (double)t;
    double m = lo / 2 + hi / 2; /* where rounding changes its mind */
    return (float)m < t ? m : nextafter(m, -INFINITY);
}

struct import_trees *import_trees_new(struct arena *a)
{
    struct import_trees *t = arena_zero(a, sizeof *t);
    if (t) t->a = a;
    return t;
}

void import_trees_free(struct import_trees *t)
{
    if (!t) return;
    mem_free(t->tree);
    mem_free(t->node);
    mem_free(t->leaf);
    mem_free(t->cover);
    mem_free(t->linear);
    mem_free(t->set);
    mem_free(t->slot);
}

/* Room for `more` beyond n; 0 when there is. */
static int room(void **p, int64_t n, int64_t more, int64_t *cap, size_t each)
{
    if (n + more <= *cap) return 0;
    int64_t want = 2 * *cap > n + more ? 2 * *cap : n + more + 16;
    void *to =
        (size_t)want < SIZE_MAX / each ? mem_realloc(*p, (size_t)want * each) : NULL;
    if (!to) return -1;
    *p = to;
    *cap = want;
    return 0;
}

/* ---- sets ---- */

static int same_set(const struct import_set *a, const struct import_set *b)
{
    return a->feature == b->feature && a->n == b->n &&
           a->member_left == b->member_left &&
           memcmp(a->member, b->member, (size_t)a->n * sizeof *a->member) == 0;
}

static int64_t set_slot(const struct import_trees *t, const struct import_set *s)
{
    uint64_t h = hash64(s->member, (size_t)s->n * sizeof *s->member,
                        (uint64_t)s->feature * 2 + s->member_left);
    int64_t mask = t->cap_slots - 1, at = (int64_t)(h & (uint64_t)mask);
    while (t->slot[at] >= 0 && !same_set(&t->set[t->slot[at]], s)) at = (at + 1) & mask;
    return at;
}

static int grow_sets(struct import_trees *t)
{
    void *set = t->set;
    if (room(&set, t->n_sets, 1, &t->cap_sets, sizeof *t->set)) return -1;
    t->set = set;
    if (2 * (t->n_sets + 1) <= t->cap_slots) return 0;
    int64_t cap = t->cap_slots ? 2 * t->cap_slots : 64;
    int32_t *slot = mem_array((size_t)cap, sizeof *slot);
    if (!slot) return -1;
    mem_free(t->slot);
    t->slot = slot;
    t->cap_slots = cap;
    memset(slot, 255, (size_t)cap * sizeof *slot);
    for (int64_t i = 0; i < t->n_sets; i++) slot[set_slot(t, &t->set[i])] = (int32_t)i;
    return 0;
}

int32_t import_trees_set(struct import_trees *t, const struct import_set *set)
{
    if (t->n_sets == INT32_MAX || grow_sets(t)) return -1;
    int64_t at = set_slot(t, set);
    if (t->slot[at] >= 0) return t->slot[at];
    int32_t *member = arena_array(t->a, (int64_t)set->n + 1, sizeof *member);
    if (!member) return -1;
    if (set->n) memcpy(member, set->member, (size_t)set->n * sizeof *member);
    t->set[t->n_sets] = *set;
    t->set[t->n_sets].member = member;
    t->slot[at] = (int32_t)t->n_sets;
    return (int32_t)t->n_sets++;
}

/* ---- trees ---- */

static int grow_trees(struct import_trees *t, int64_t nodes, int32_t width)
{
    void *tree = t->tree, *node = t->node, *leaf = t->leaf, *cover = t->cover;
    void *linear = t->linear;
    int bad = room(&tree, t->n_trees, 1, &t->cap_trees, sizeof *t->tree);
    t->tree = tree;
    bad |= room(&node, t->n_nodes, nodes, &t->cap_nodes, sizeof *t->node);
    t->node = node;
    bad |=
        room(&leaf, t->n_values, (nodes + 1) * width, &t->cap_values, sizeof *t->leaf);
    t->leaf = leaf;
    bad |= room(&cover, t->n_leaves, nodes + 1, &t->cap_leaves, sizeof *t->cover);
    t->cover = cover;
    bad |= room(&linear, t->n_leaves, nodes + 1, &t->cap_linear, sizeof *t->linear);
    t->linear = linear;
    return bad;
}

static tide_status bad_tree(tide_error *err, const char *what)
{
    return err_set(err, TIDE_CODE_IMPORT_VALUE, "%s", what);
}

/* Numbers of the tree below node 0: how many inner nodes; each is met once. */
static tide_status count_nodes(const struct import_node *node, int32_t n,
                               uint8_t *is_met, int32_t *inner, int32_t *at,
                               tide_error *err)
{
    int32_t stack[ENSEMBLE_DEPTH_MAX + 1], n_stack = 0, here = 0;
    uint16_t depth[ENSEMBLE_DEPTH_MAX + 1], level = 0;
    *inner = 0;
    for (;;) {
        *at = here;
        if (is_met[here]++) return bad_tree(err, "a node has two parents");
        if (node[here].left >= 0) {
            int32_t l = node[here].left, r = node[here].right;
            if (l >= n || r < 0 || r >= n)
                return bad_tree(err, "a child is out of range");
            if (level == ENSEMBLE_DEPTH_MAX)
                return err_set(err, TIDE_CODE_LIMIT_DEPTH, "a tree is deeper than %d",
                               ENSEMBLE_DEPTH_MAX);
            ++*inner;
            depth[n_stack] = ++level;
            stack[n_stack++] = r;
            here = l;
            continue;
        }
        if (!n_stack) return TIDE_OK;
        here = stack[--n_stack];
        level = depth[n_stack];
    }
}

/* Numbers the nodes depth first: children after parents, leaves from left to right. */
static void add_nodes(struct import_trees *t, const struct import_node *node,
                      int32_t inner, const double *value, int32_t width,
                      uint32_t *deepest)
{
    struct {
        int32_t at, parent;
        uint32_t depth;
    } stack[ENSEMBLE_DEPTH_MAX + 1];
    int32_t n_stack = 0, here = 0, parent = -1, next = 0, leaf = 0;
    uint32_t level = 0;
    /* no room was made while all trees were lone leaves */
    struct import_node *to = t->node ? t->node + t->n_nodes : NULL;
    *deepest = 0;
    for (;;) {
        int is_leaf = node[here].left < 0;
        if (parent >= 0) to[parent].right = is_leaf ? inner + leaf : next;
        while (!is_leaf) {
            int32_t me = next++;
            to[me] = node[here];
            stack[n_stack].at = node[here].right;
            stack[n_stack].parent = me;
            stack[n_stack++].depth = ++level;
            here = node[here].left;
            is_leaf = node[here].left < 0;
            to[me].left = is_leaf ? inner + leaf : next;
        }
        memcpy(t->leaf + t->n_values + (int64_t)leaf * width,
               value + (int64_t)here * width, (size_t)width * sizeof *value);
        t->linear[t->n_leaves + leaf] = node[here].linear;
        if (node[here].linear) {
            t->has_linear = 1;
            t->n_coefs += node[here].linear->n;
        }
        t->cover[t->n_leaves + leaf++] = node[here].cover;
        *deepest = level > *deepest ? level : *deepest;
        if (!n_stack) return;
        here = stack[--n_stack].at;
        parent = stack[n_stack].parent;
        level = stack[n_stack].depth;
    }
}

tide_status import_trees_add(struct import_trees *t, int32_t output,
                             const struct import_node *node, int32_t n_nodes,
                             const double *value, int32_t width, int32_t *at,
                             tide_error *err)
{
    int32_t inner = 0;
    uint32_t depth = 0;
    *at = 0;
    if (n_nodes < 1) return bad_tree(err, "a tree has no node");
    struct arena_mark mark = arena_mark(t->a);
    uint8_t *is_met = arena_zero(t->a, (size_t)n_nodes);
    tide_status st = arena_status(t->a, err);
    if (!st) st = count_nodes(node, n_nodes, is_met, &inner, at, err);
    arena_reset(t->a, mark);
    if (st) return st;
    if (t->n_trees == INT32_MAX || t->n_leaves + inner + 1 > INT32_MAX)
        return err_set(err, TIDE_CODE_LIMIT_NUMBER, "more than %d trees or leaves",
                       INT32_MAX);
    if (grow_trees(t, inner, width)) return err_nomem(err, 0);
    add_nodes(t, node, inner, value, width, &depth);
    t->tree[t->n_trees++] = (struct tree){t->n_nodes, t->n_leaves, output, depth};
    t->n_nodes += inner;
    t->n_leaves += inner + 1;
    t->n_values += (int64_t)(inner + 1) * width;
    return TIDE_OK;
}

/* ---- codes of features ---- */

struct build {
    const struct import_source *s;
    const struct import_trees *t;
    const int32_t *place;
    const uint32_t *const *code_of_level;
    struct arena *a;
    struct ensemble *e;
    uint8_t *has_zero;     /* [n_features] a node takes zero for missing */
    uint32_t **level_code; /* [n_features] class of each code of the dictionary */
    int64_t *first_set;    /* [n_features + 1] into set_list */
    int32_t *set_list;     /* sets by feature */
    uint64_t (*bits)[4];   /* [n_sets] codes that go left, missing (255) not yet said */
};

static int is_number(const struct build *b, int32_t feature)
{
    return b->s->feature[feature].n_levels == 0;
}

/* A member as the source meets it: the edge below category k. */
static double category_edge(const struct build *b, int32_t k)
{
    if (b->s->program == IMPORTED_XGBOOST) return import_float_edge((float)k);
    return k == 0 ? -1 : nextafter((double)k, -INFINITY); /* cut towards 0 */
}

/* The category of a number, -1: none that a set could hold. */
static int32_t category_of(const struct build *b, double x)
{
    if (b->s->program == IMPORTED_XGBOOST) x = (double)(float)x;
    if (!(x < IMPORT_MOST_CATEGORY)) return -1;
    if (b->s->program == IMPORTED_XGBOOST ? x < 0 : x <= -1) return -1;
    return (int32_t)x;
}

static int is_member(const struct import_set *s, int32_t category)
{
    int32_t lo = 0, hi = s->n;
    while (lo < hi) {
        int32_t mid = lo + (hi - lo) / 2;
        if (s->member[mid] < category)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->n && s->member[lo] == category;
}

/* Edges that a set asks for, counted or written to *to. */
static int64_t set_edges(const struct build *b, const struct import_set *s, double *to)
{
    int64_t n = 0;
    for (int32_t i = 0; i < s->n; i++) {
        int begins = i == 0 || s->member[i - 1] != s->member[i] - 1;
        int ends = i + 1 == s->n || s->member[i + 1] != s->member[i] + 1;
        if (to && begins) to[n] = category_edge(b, s->member[i]);
        n += begins;
        if (to && ends) to[n] = category_edge(b, s->member[i] + 1);
        n += ends;
    }
    return n;
}

static tide_status too_many(const struct build *b, int32_t feature, const char *what,
                            int64_t n, tide_error *err)
{
    char shown[128];
    const char *name = b->s->feature[feature].name;
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    import_bad(b->s, TIDE_CODE_IMPORT_UNSUPPORTED, err,
               "column '%s' needs %lld different %s, at most %d can be kept", shown,
               (long long)n, what, strcmp(what, "thresholds") ? MOST_CODES : 65534);
    return err_field(err, name);
}

/* Every number is at most infinity: no edge, the number behind the last one. */
static int has_edge(const struct import_node *q)
{
    return q->test != IMPORT_SET && q->thr < HUGE_VAL;
}

/* All edges, by the model's columns. */
static tide_status build_edges(struct build *b, tide_error *err)
{
    const struct import_trees *t = b->t;
    int32_t nf = b->s->n_features;
    int64_t *off = arena_zero(b->a, ((size_t)nf + 2) * sizeof *off);
    uint32_t *edge_off = arena_zero(b->a, ((size_t)nf + 1) * sizeof *edge_off);
    uint8_t *has_map = arena_zero(b->a, (size_t)nf + 1);
    if (!off || !edge_off || !has_map) return arena_status(b->a, err);
    for (int64_t i = 0; i < t->n_nodes; i++) {
        const struct import_node *q = &t->node[i];
        int32_t j = b->place[q->feature];
        if (has_edge(q)) off[j + 2]++;
        if (q->test != IMPORT_AT_MOST) has_map[j] = 1;
        if (q->test == IMPORT_ZERO) b->has_zero[j] = 1;
    }
    for (int64_t i = 0; i < t->n_sets; i++)
        if (is_number(b, t->set[i].feature))
            off[b->place[t->set[i].feature] + 2] += set_edges(b, &t->set[i], NULL);
    for (int32_t j = 0; j < nf; j++) off[j + 2] += off[j + 1] + 2 * b->has_zero[j];
    double *edge = arena_array(b->a, off[nf + 1] + 1, sizeof *edge);
    if (!edge) return arena_status(b->a, err);
    for (int32_t j = 0; j < nf; j++) {
        if (!b->has_zero[j]) continue;
        edge[off[j + 1]++] = nextafter(-IMPORT_ZERO_EDGE, -INFINITY);
        edge[off[j + 1]++] = IMPORT_ZERO_EDGE;
    }
    for (int64_t i = 0; i < t->n_nodes; i++)
        if (has_edge(&t->node[i]))
            edge[off[b->place[t->node[i].feature] + 1]++] = t->node[i].thr;
    for (int64_t i = 0; i < t->n_sets; i++) {
        int32_t j = b->place[t->set[i].feature];
        if (is_number(b, t->set[i].feature))
            off[j + 1] += set_edges(b, &t->set[i], edge + off[j + 1]);
    }
    int64_t kept = 0, from = 0; /* off[j + 1] is now the end of column j */
    for (int32_t f = 0; f < nf; f++) {
        int32_t j = f;
        int64_t end = off[j + 1], first = kept;
        struct arena_mark mark = arena_mark(b->a);
        if (sort_f64(b->a, edge + from, end - from)) return arena_status(b->a, err);
        arena_reset(b->a, mark);
        for (int64_t i = from; i < end; i++)
            if (kept == first || edge[i] != edge[kept - 1]) edge[kept++] = edge[i];
        int32_t feature = 0;
        while (b->place[feature] != j && kept - first > MOST_CODES) feature++;
        if (kept - first > 65534)
            return too_many(b, feature, "thresholds", kept - first, err);
        if (has_map[j] && kept - first > MOST_CODES)
            return too_many(b, feature, "groups of values", kept - first, err);
        from = end;
        if (kept > INT32_MAX) return bad_tree(err, "there are too many thresholds");
        edge_off[j + 1] = (uint32_t)kept;
    }
    b->e->edge = edge;
    b->e->edge_off = edge_off;
    return TIDE_OK;
}

/* Classes of a dictionary's codes: two that no set tells apart are one. Each set splits the
 * classes that it touches, so the work is that of reading the sets. */
static tide_status build_classes(struct build *b, int32_t feature, int64_t members,
                                 tide_error *err)
{
    const struct import_trees *t = b->t;
    int64_t n = b->s->feature[feature].n_levels;
    uint32_t *of = arena_zero(b->a, ((size_t)n + 1) * sizeof *of);
    struct arena_mark mark = arena_mark(b->a);
    uint32_t *split = arena_zero(b->a, ((size_t)members + 1) * sizeof *split);
    int64_t *stamp = arena_zero(b->a, ((size_t)members + 1) * sizeof *stamp);
    uint32_t *final = arena_array(b->a, members + 1, sizeof *final);
    if (!of || !split || !stamp || !final) return arena_status(b->a, err);
    uint32_t n_classes = 1;
    for (int64_t k = b->first_set[feature]; k < b->first_set[feature + 1]; k++) {
        const struct import_set *s = &t->set[b->set_list[k]];
        for (int32_t i = 0; i < s->n && s->member[i] < n; i++) {
            uint32_t c = of[s->member[i]];
            if (stamp[c] != k + 1) {
                stamp[c] = k + 1;
                split[c] = n_classes++;
            }
            of[s->member[i]] = split[c];
        }
    }
    uint32_t kept = 0;
    memset(final, 255, (size_t)n_classes * sizeof *final);
    for (int64_t l = 0; l < n; l++) {
        if (final[of[l]] == UINT32_MAX) final[of[l]] = kept++;
        of[l] = final[of[l]];
    }
    arena_reset(b->a, mark);
    if (kept > MOST_CODES) return too_many(b, feature, "groups of levels", kept, err);
    b->level_code[feature] = of;
    return TIDE_OK;
}

static tide_status list_sets(struct build *b, tide_error *err)
{
    int32_t nf = b->s->n_features;
    const struct import_trees *t = b->t;
    b->first_set = arena_zero(b->a, ((size_t)nf + 2) * sizeof *b->first_set);
    b->set_list = arena_array(b->a, t->n_sets + 1, sizeof *b->set_list);
    if (!b->first_set || !b->set_list) return arena_status(b->a, err);
    for (int64_t k = 0; k < t->n_sets; k++) b->first_set[t->set[k].feature + 2]++;
    for (int32_t f = 0; f < nf; f++) b->first_set[f + 2] += b->first_set[f + 1];
    for (int64_t k = 0; k < t->n_sets; k++)
        b->set_list[b->first_set[t->set[k].feature + 1]++] = (int32_t)k;
    return TIDE_OK;
}

static tide_status build_levels(struct build *b, tide_error *err)
{
    const struct import_source *s = b->s;
    struct ensemble *e = b->e;
    int32_t nf = s->n_features;
    int64_t total = 0;
    uint8_t *kind = arena_zero(b->a, (size_t)nf + 1);
    uint32_t *off = arena_zero(b->a, ((size_t)nf + 2) * sizeof *off);
    int64_t *members = arena_zero(b->a, ((size_t)nf + 1) * sizeof *members);
    b->level_code = arena_zero(b->a, ((size_t)nf + 1) * sizeof *b->level_code);
    tide_status st = arena_status(b->a, err);
    if (!st) st = list_sets(b, err);
    if (st) return st;
    for (int64_t k = 0; k < b->t->n_sets; k++)
        members[b->t->set[k].feature] += b->t->set[k].n;
    for (int32_t f = 0; f < nf && !st; f++) {
        kind[b->place[f]] = s->feature[f].n_levels > 0;
        off[b->place[f] + 1] = s->feature[f].n_levels;
        total += s->feature[f].n_levels;
        if (s->feature[f].n_levels) st = build_classes(b, f, members[f], err);
    }
    if (st) return st;
    for (int32_t j = 0; j < nf; j++) off[j + 1] += off[j];
    uint8_t *code = arena_array(b->a, total + 1, 1);
    if (!code) return arena_status(b->a, err);
    for (int32_t f = 0; f < nf; f++) {
        int32_t j = b->place[f];
        for (uint32_t l = 0; l < s->feature[f].n_levels; l++)
            code[off[j] + l] = (uint8_t)b->level_code[f][b->code_of_level[j][l]];
    }
    e->feature_kind = kind;
    e->level_off = off;
    e->level_code = code;
    return TIDE_OK;
}

/* Which codes a set sends left. */
static tide_status build_sets(struct build *b, tide_error *err)
{
    b->bits = arena_zero(b->a, ((size_t)b->t->n_sets + 1) * sizeof *b->bits);
    if (!b->bits) return arena_status(b->a, err);
    for (int64_t k = 0; k < b->t->n_sets; k++) {
        const struct import_set *s = &b->t->set[k];
        uint8_t in[256] = {0};
        int32_t j = b->place[s->feature];
        if (is_number(b, s->feature)) {
            const double *edge = b->e->edge + b->e->edge_off[j];
            uint32_t n = b->e->edge_off[j + 1] - b->e->edge_off[j];
            for (uint32_t c = 1; c <= n; c++) /* code 0 lies below every member */
                in[c] = (uint8_t)is_member(
                    s, category_of(b, nextafter(edge[c - 1], INFINITY)));
        } else {
            int64_t n = b->s->feature[s->feature].n_levels;
            for (int32_t i = 0; i < s->n && s->member[i] < n; i++)
                in[b->level_code[s->feature][s->member[i]]] = 1;
        }
        for (int c = 0; c < 255; c++)
            if (in[c] == s->member_left) b->bits[k][c >> 6] |= UINT64_C(1) << (c & 63);
    }
    return TIDE_OK;
}

/* ---- columns and nodes ---- */

/* Number of x among the edges of column j; it is one of them. */
static uint32_t edge_number(const struct ensemble *e, int32_t j, double x)
{
    uint32_t lo = e->edge_off[j], hi = e->edge_off[j + 1], first = lo;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e->edge[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo - first;
}

/* Which derived column a node wants: 4 a feature, then 2 a set. */
static int64_t wanted_column(const struct build *b, const struct import_node *q)
{
    if (q->test == IMPORT_SET)
        return 4 * (int64_t)b->s->n_features + 2 * (int64_t)q->set + q->missing_left;
    return 4 * (int64_t)b->place[q->feature] + 2 * (q->test == IMPORT_ZERO) +
           q->missing_left;
}

static void fill_map(const struct build *b, int64_t want, uint8_t *row)
{
    int64_t nf = b->s->n_features;
    int left = (int)(want & 1);
    for (int c = 0; c < 256; c++) row[c] = (uint8_t)c;
    if (want >= 4 * nf) {
        const uint64_t *bits = b->bits[(want - 4 * nf) / 2];
        for (int c = 0; c < 255; c++) row[c] = (bits[c >> 6] >> (c & 63)) & 1 ? 0 : 255;
    } else if (want & 2) {
        row[edge_number(b->e, (int32_t)(want / 4), IMPORT_ZERO_EDGE)] =
            left ? 0 : 255; /* the codes of (edge below -zero, edge at +zero] */
    }
    row[255] = left ? 0 : 255;
}

static tide_status build_columns(struct build *b, uint32_t *number, int64_t n_wanted,
                                 tide_error *err)
{
    const struct import_trees *t = b->t;
    struct ensemble *e = b->e;
    int64_t n = 0, nf = b->s->n_features;
    memset(number, 255, (size_t)n_wanted * sizeof *number);
    for (int64_t i = 0; i < t->n_nodes; i++) number[wanted_column(b, &t->node[i])] = 0;
    for (int64_t k = 0; k < n_wanted; k++)
        if (number[k] == 0) number[k] = (uint32_t)n++;
    if (n > INT32_MAX) return bad_tree(err, "there are too many different tests");
    uint32_t *feature = arena_array(b->a, n + 1, sizeof *feature);
    uint8_t *mapped = arena_zero(b->a, (size_t)n + 1);
    uint8_t *map = arena_array(b->a, n + 1, 256);
    tide_status st = arena_status(b->a, err);
    if (st) return st;
    for (int64_t k = 0; k < n_wanted; k++) {
        if (number[k] == UINT32_MAX) continue;
        uint32_t c = number[k];
        int32_t j =
            k < 4 * nf ? (int32_t)(k / 4) : b->place[t->set[(k - 4 * nf) / 2].feature];
        int is_plain = k < 4 * nf && !(k & 2);
        int is_wide = e->edge_off[j + 1] - e->edge_off[j] > MOST_CODES;
        feature[c] = (uint32_t)j;
        mapped[c] = is_plain && !(k & 1) ? 0 : is_wide ? 2 : 1;
        fill_map(b, k, map + 256 * (size_t)c);
    }
    e->n_columns = (int32_t)n;
    e->column_feature = feature;
    e->column_mapped = mapped;
    e->map = map;
    return TIDE_OK;
}

static tide_status build_nodes(struct build *b, const uint32_t *number, tide_error *err)
{
    const struct import_trees *t = b->t;
    struct ensemble *e = b->e;
    int64_t n = t->n_nodes, nt = t->n_trees;
    uint32_t *column = arena_array(b->a, n + 1, 4), *left = arena_array(b->a, n + 1, 4);
    uint32_t *right = arena_array(b->a, n + 1, 4);
    uint16_t *thr = arena_array(b->a, n + 1, 2);
    double *gain = arena_array(b->a, n + 1, 8), *cover = arena_array(b->a, n + 1, 8);
    uint32_t *first = arena_array(b->a, nt + 1, 4),
             *leaf = arena_array(b->a, nt + 1, 4);
    uint32_t *depth = arena_array(b->a, nt + 1, 4);
    int32_t *output = arena_array(b->a, nt + 1, 4);
    tide_status st = arena_status(b->a, err);
    if (st) return st;
    for (int64_t i = 0; i < n; i++) {
        const struct import_node *q = &t->node[i];
        column[i] = number[wanted_column(b, q)];
        thr[i] = q->test == IMPORT_SET
                     ? 0
                     : (uint16_t)edge_number(e, b->place[q->feature], q->thr);
        left[i] = (uint32_t)q->left;
        right[i] = (uint32_t)q->right;
        gain[i] = q->gain > 0 && isfinite(q->gain) ? q->gain : 0;
        cover[i] = q->cover > 0 && isfinite(q->cover) ? q->cover : 0;
    }
    for (int64_t i = 0; i < t->n_leaves; i++)
        if (!(t->cover[i] > 0 && isfinite(t->cover[i]))) t->cover[i] = 0;
    for (int64_t i = 0; i < nt; i++) {
        first[i] = (uint32_t)t->tree[i].node;
        leaf[i] = (uint32_t)t->tree[i].leaf;
        depth[i] = t->tree[i].depth;
        output[i] = t->tree[i].output;
    }
    first[nt] = (uint32_t)n;
    leaf[nt] = (uint32_t)t->n_leaves;
    e->n_trees = (int32_t)nt;
    e->node_column = column;
    e->node_thr = thr;
    e->node_left = left;
    e->node_right = right;
    e->node_gain = gain;
    e->node_cover = cover;
    e->tree_node = first;
    e->tree_leaf = leaf;
    e->tree_depth = depth;
    e->tree_output = output;
    e->leaf = t->leaf;
    e->leaf_cover = t->cover;
    return TIDE_OK;
}

/* Linear leaves, where there are any; others are constants among them. */
static tide_status build_linear(struct build *b, tide_error *err)
{
    const struct import_trees *t = b->t;
    int64_t n = 0;
    if (!t->has_linear) return TIDE_OK;
    if (t->n_coefs > INT32_MAX)
        return err_set(err, TIDE_CODE_LIMIT_NUMBER, "more than %d coefficients",
                       INT32_MAX);
    struct ensemble_linear *l = arena_zero(b->a, sizeof *l);
    uint32_t *first = arena_array(b->a, t->n_leaves + 1, sizeof *first);
    uint32_t *feature = arena_array(b->a, t->n_coefs + 1, sizeof *feature);
    double *coef = arena_array(b->a, t->n_coefs + 1, sizeof *coef);
    double *constant = arena_array(b->a, t->n_leaves + 1, sizeof *constant);
    tide_status st = arena_status(b->a, err);
    if (st) return st;
    for (int64_t i = 0; i < t->n_leaves; i++) {
        const struct import_linear *from = t->linear[i];
        first[i] = (uint32_t)n;
        constant[i] = from ? from->constant : t->leaf[i];
        for (int32_t k = 0; from && k < from->n; k++) {
            feature[n] = (uint32_t)b->place[from->feature[k]];
            coef[n++] = from->coef[k];
        }
    }
    first[t->n_leaves] = (uint32_t)n;
    *l = (struct ensemble_linear){
        .first = first, .feature = feature, .coef = coef, .constant = constant};
    b->e->linear = l;
    return TIDE_OK;
}

static int32_t engine_link(const struct import_source *s)
{
    if (s->divide > 1) return LINK_IDENTITY;
    if (s->link == IMPORTED_SIGMOID && s->scale == 1) return LINK_LOGIT;
    if (s->link == IMPORTED_SOFTMAX) return LINK_SOFTMAX;
    return s->link == IMPORTED_EXP ? LINK_EXP : LINK_IDENTITY;
}

tide_status import_trees_save(const struct import_source *s, const int32_t *place,
                              const uint32_t *const *code_of_level, struct state *out,
                              tide_error *err)
{
    struct ensemble e = {.n_features = s->n_features,
                         .n_outputs = s->n_outputs,
                         .leaf_width = s->leaf_width,
                         .link = engine_link(s),
                         .base = s->base};
    struct build b = {.s = s,
                      .t = s->trees,
                      .place = place,
                      .code_of_level = code_of_level,
                      .a = s->a,
                      .e = &e};
    int64_t n_wanted = 4 * (int64_t)s->n_features + 2 * s->trees->n_sets;
    uint32_t *number = arena_array(b.a, n_wanted + 1, sizeof *number);
    b.has_zero = arena_zero(b.a, (size_t)s->n_features + 1);
    tide_status st = arena_status(b.a, err);
    if (!st) st = build_edges(&b, err);
    if (!st) st = build_levels(&b, err);
    if (!st) st = build_sets(&b, err);
    if (!st) st = build_columns(&b, number, n_wanted, err);
    if (!st) st = build_nodes(&b, number, err);
    if (!st) st = build_linear(&b, err);
    if (st) return st;
    ensemble_save(&e, out);
    return arena_status(out->arena, err);
}

int32_t import_trees_mixed(const struct import_source *s)
{
    const struct import_trees *t = s->trees;
    for (int64_t i = 0; t->has_linear && i < t->n_leaves; i++)
        for (int32_t k = 0; t->linear[i] && k < t->linear[i]->n; k++)
            if (s->feature[t->linear[i]->feature[k]].n_levels)
                return t->linear[i]->feature[k];
    for (int64_t i = 0; i < s->trees->n_nodes; i++) {
        const struct import_node *q = &s->trees->node[i];
        if (q->test != IMPORT_SET && s->feature[q->feature].n_levels) return q->feature;
    }
    return -1;
}
