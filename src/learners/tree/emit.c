/* emit.c - grown trees to one canonical ensemble (ensemble.h)
 *
 * Nodes are numbered depth first, so children come after parents and leaves from left to
 * right. Columns are numbered by feature: plain, missing left, then sets as first met. */
#include "learners/tree/emit.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"
#include "math/sort.h"

struct emit_tree {
    int64_t node, leaf;
    int32_t output;
    uint32_t depth;
};
struct emit_test {
    uint32_t left, right;
    int32_t feature;
    uint8_t set, missing_left;
    double thr, gain, cover;
    uint64_t bits[4];
};

void emit_init(struct emit *t, int32_t n_outputs, int32_t width)
{
    *t = (struct emit){.n_outputs = n_outputs, .width = width};
}

void emit_free(struct emit *t)
{
    mem_free(t->tree);
    mem_free(t->node);
    mem_free(t->leaf);
    mem_free(t->leaf_cover);
    emit_init(t, t->n_outputs, t->width);
}

/* Room for `more` beyond n; 0 when there is. */
static int emit_room(void **p, int64_t n, int64_t more, int64_t *cap, size_t each)
{
    if (n + more <= *cap) return 0;
    int64_t want = 2 * *cap > n + more ? 2 * *cap : n + more + 64;
    void *to =
        (size_t)want < SIZE_MAX / each ? mem_realloc(*p, (size_t)want * each) : NULL;
    if (!to) return -1;
    *p = to;
    *cap = want;
    return 0;
}

static int emit_grow(struct emit *t, int64_t leaves)
{
    size_t width = (size_t)t->width * sizeof(double);
    int64_t cap = t->cap_leaves;
    void *tree = t->tree, *node = t->node, *leaf = t->leaf, *cover = t->leaf_cover;
    int bad = emit_room(&tree, t->n_trees, 1, &t->cap_trees, sizeof *t->tree);
    t->tree = tree;
    bad |= emit_room(&node, t->n_nodes, leaves, &t->cap_nodes, sizeof *t->node);
    t->node = node;
    if (!emit_room(&leaf, t->n_leaves, leaves, &cap, width)) {
        t->leaf = leaf;
        cap = t->cap_leaves;
        if (!emit_room(&cover, t->n_leaves, leaves, &cap, sizeof(double))) {
            t->leaf_cover = cover;
            t->cap_leaves = cap;
            return bad;
        }
    }
    return -1;
}

/* Leaves of a grown tree: nodes of a binary tree, halved. */
static int64_t emit_count(const struct emit_node *node, int32_t root)
{
    int32_t stack[ENSEMBLE_DEPTH_MAX + 2];
    int n = 0;
    int64_t leaves = 0;
    stack[n++] = root;
    while (n) {
        int32_t at = stack[--n];
        while (node[at].left >= 0) {
            stack[n++] = node[at].right;
            at = node[at].left;
        }
        leaves++;
    }
    return leaves;
}

void emit_add(struct emit *t, int32_t output, const struct emit_node *node,
              int32_t root, const double *value)
{
    struct {
        int32_t at;
        uint32_t depth;
        int64_t parent;
    } stack[ENSEMBLE_DEPTH_MAX + 2];
    int64_t leaves = emit_count(node, root);
    uint32_t ni = (uint32_t)(leaves - 1), next = 0, leaf = 0, depth = 0, level = 0;
    int n = 0;
    if (t->failed || emit_grow(t, leaves)) {
        t->failed = 1;
        return;
    }
    int64_t n0 = t->n_nodes,
            parent = -1; /* parent: waits for the number of its right child */
    for (int32_t at = root;;) {
        if (parent >= 0) t->node[parent].right = node[at].left >= 0 ? next : ni + leaf;
        while (node[at].left >= 0) {
            const struct emit_node *from = &node[at];
            struct emit_test *to = &t->node[n0 + next];
            *to = (struct emit_test){.feature = from->feature,
                                     .set = from->set,
                                     .missing_left = from->missing_left,
                                     .thr = from->thr,
                                     .gain = from->gain,
                                     .cover = from->cover};
            memcpy(to->bits, from->bits, sizeof to->bits);
            stack[n].at = from->right;
            stack[n].depth = ++level;
            stack[n++].parent = n0 + next++;
            at = from->left;
            to->left = node[at].left >= 0 ? next : ni + leaf;
        }
        memcpy(t->leaf + (t->n_leaves + leaf) * t->width,
               value + (int64_t)at * t->width, (size_t)t->width * sizeof *value);
        t->leaf_cover[t->n_leaves + leaf++] = node[at].cover;
        depth = level > depth ? level : depth;
        if (!n) break;
        at = stack[--n].at;
        level = stack[n].depth;
        parent = stack[n].parent;
    }
    t->tree[t->n_trees++] = (struct emit_tree){t->n_nodes, t->n_leaves, output, depth};
    t->n_nodes += ni;
    t->n_leaves += leaf;
}

/* Inner node i of the ensemble as it was handed over: a set's map sends its codes to 0, a map
 * or mark that "missing goes left" sends the code of missing there. */
static struct emit_node node_again(const struct ensemble *e, uint32_t i)
{
    uint32_t col = e->node_column[i], f = e->column_feature[col], thr = e->node_thr[i];
    const uint8_t *map = e->map + 256 * (size_t)col;
    struct emit_node q = {.left = (int32_t)e->node_left[i],
                          .right = (int32_t)e->node_right[i],
                          .feature = (int32_t)f,
                          .set = (uint8_t)ensemble_is_set(e, col),
                          .gain = e->node_gain ? e->node_gain[i] : 0,
                          .cover = e->node_cover ? e->node_cover[i] : 0};
    uint32_t n_edge = e->edge_off[f + 1] - e->edge_off[f];
    q.thr = thr < n_edge ? e->edge[e->edge_off[f] + thr] : (double)INFINITY;
    for (int c = 0; q.set && c < 256; c++)
        q.bits[c >> 6] |= (uint64_t)(map[c] == 0) << (c & 63);
    q.missing_left = !q.set && (e->column_mapped[col] == 2 ||
                                (e->column_mapped[col] == 1 && map[255] == 0));
    if (q.set) q.thr = 0;
    if (e->feature_kind[f] && !q.set) q.thr = thr;
    return q;
}

void emit_ensemble(struct emit *t, const struct ensemble *e, struct arena *a)
{
    uint32_t most = 0;
    for (int32_t k = 0; k < e->n_trees; k++) {
        uint32_t leaves = e->tree_leaf[k + 1] - e->tree_leaf[k];
        most = leaves > most ? leaves : most;
    }
    struct emit_node *node = arena_array(a, 2 * (int64_t)most + 1, sizeof *node);
    size_t each = (size_t)t->width * sizeof(double);
    double *value = arena_array(a, 2 * (int64_t)most + 1, each);
    t->failed |= !node || !value;
    for (int32_t k = 0; k < e->n_trees && !t->failed; k++) {
        uint32_t n0 = e->tree_node[k], ni = e->tree_node[k + 1] - n0;
        uint32_t l0 = e->tree_leaf[k], nl = e->tree_leaf[k + 1] - l0;
        for (uint32_t i = 0; i < ni; i++) node[i] = node_again(e, n0 + i);
        for (uint32_t i = 0; i < nl; i++) { /* leaf i has number ni + i in its tree */
            node[ni + i] =
                (struct emit_node){.left = -1,
                                   .right = -1,
                                   .cover = e->leaf_cover ? e->leaf_cover[l0 + i] : 0};
            memcpy(value + (size_t)(ni + i) * (size_t)t->width,
                   e->leaf + (size_t)(l0 + i) * (size_t)t->width, each);
        }
        emit_add(t, e->tree_output[k], node, 0, value);
    }
}

void emit_cut(struct emit *t, int32_t n)
{
    if (n >= t->n_trees) return;
    t->n_nodes = t->tree[n].node;
    t->n_leaves = t->tree[n].leaf;
    t->n_trees = n;
}

void emit_scale(struct emit *t, int32_t tree, double factor)
{
    int64_t end = tree + 1 < t->n_trees ? t->tree[tree + 1].leaf : t->n_leaves;
    for (int64_t i = t->tree[tree].leaf * t->width; i < end * t->width; i++)
        t->leaf[i] *= factor;
}

/* ----------------------------------------------------------------------- finish --- */

struct finish {
    const struct emit *t;
    const struct emit_feature *feature;
    int32_t n_features; /* with the derived ones */
    struct arena *a;
    struct ensemble *e;
    int32_t *set_of;   /* [n_nodes] distinct set of a set node */
    int64_t *set_node; /* [n_sets] its first node */
    int32_t n_sets;
};

/* Does a node ask for a value? Categories cut by their order are asked for the code. */
static int has_edge(const struct finish *f, const struct emit_test *q)
{
    return !q->set && !f->feature[q->feature].kind && isfinite(q->thr);
}

/* Sorted distinct thresholds of every feature. */
static tide_status finish_edges(struct finish *f, tide_error *err)
{
    const struct emit *t = f->t;
    uint32_t *off = arena_zero(f->a, ((size_t)f->n_features + 2) * sizeof *off);
    double *edge = arena_array(f->a, t->n_nodes + 1, sizeof *edge);
    if (!off || !edge) return arena_status(f->a, err);
    for (int64_t i = 0; i < t->n_nodes; i++)
        if (has_edge(f, &t->node[i])) off[t->node[i].feature + 2]++;
    for (int32_t j = 0; j < f->n_features; j++) off[j + 2] += off[j + 1];
    for (int64_t i = 0; i < t->n_nodes; i++)
        if (has_edge(f, &t->node[i]))
            edge[off[t->node[i].feature + 1]++] = t->node[i].thr;
    uint32_t kept = 0, from = 0; /* off[j + 1] is now the end of feature j */
    for (int32_t j = 0; j < f->n_features; j++) {
        uint32_t end = off[j + 1], first = kept;
        struct arena_mark mark = arena_mark(f->a);
        if (sort_f64(f->a, edge + from, end - from)) return arena_status(f->a, err);
        arena_reset(f->a, mark);
        for (uint32_t i = from; i < end; i++)
            if (kept == first || edge[i] != edge[kept - 1]) edge[kept++] = edge[i];
        if (kept - first > 65534)
            return err_set(err, TIDE_CODE_LIMIT_NUMBER,
                           "more than 65,534 different thresholds in column %d",
                           (int)j);
        from = end;
        off[j + 1] = kept;
    }
    off[0] = 0;
    f->e->edge = edge;
    f->e->edge_off = off;
    return TIDE_OK;
}

static int same_set(const struct emit_test *a, const struct emit_test *b)
{
    return a->feature == b->feature && memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

/* Equal sets of one feature share a number; numbers as first met. */
static tide_status finish_sets(struct finish *f, tide_error *err)
{
    const struct emit *t = f->t;
    int64_t m = 0, size = 16;
    for (int64_t i = 0; i < t->n_nodes; i++) m += t->node[i].set;
    while (size < 2 * m) size *= 2;
    f->set_of = arena_array(f->a, t->n_nodes + 1, sizeof *f->set_of);
    f->set_node = arena_array(f->a, m + 1, sizeof *f->set_node);
    int32_t *slot = arena_array(f->a, size, sizeof *slot);
    if (!f->set_of || !f->set_node || !slot) return arena_status(f->a, err);
    memset(slot, 255, (size_t)size * sizeof *slot);
    for (int64_t i = 0; i < t->n_nodes; i++) {
        const struct emit_test *q = &t->node[i];
        if (!q->set) continue;
        uint64_t h = hash64(q->bits, sizeof q->bits, (uint64_t)q->feature) &
                     (uint64_t)(size - 1);
        while (slot[h] >= 0 && !same_set(q, &t->node[f->set_node[slot[h]]]))
            h = (h + 1) & (uint64_t)(size - 1);
        if (slot[h] < 0) {
            slot[h] = f->n_sets;
            f->set_node[f->n_sets++] = i;
        }
        f->set_of[i] = slot[h];
    }
    return TIDE_OK;
}

/* Derived columns; number[2 f], number[2 f + 1]: plain and missing left; set columns after. */
static tide_status finish_columns(struct finish *f, uint32_t *number,
                                  uint32_t *set_number, tide_error *err)
{
    const struct emit *t = f->t;
    struct ensemble *e = f->e;
    int64_t most = 2 * (int64_t)f->n_features + f->n_sets;
    uint32_t *column_feature = arena_array(f->a, most + 1, sizeof *column_feature);
    uint8_t *mapped = arena_zero(f->a, (size_t)most + 1),
            *map = arena_array(f->a, most + 1, 256);
    if (!column_feature || !mapped || !map) return arena_status(f->a, err);
    memset(number, 255, 2 * (size_t)f->n_features * sizeof *number);
    for (int64_t i = 0; i < t->n_nodes; i++)
        if (!t->node[i].set)
            number[2 * t->node[i].feature + t->node[i].missing_left] = 0;
    uint32_t n = 0;
    for (int32_t j = 0; j < f->n_features; j++)
        for (int left = 0; left < 2; left++) {
            if (number[2 * j + left] == UINT32_MAX) continue;
            uint8_t *row = map + 256 * (size_t)n;
            for (int c = 0; c < 256; c++) row[c] = (uint8_t)c;
            if (left) row[255] = 0;
            if (left) mapped[n] = e->edge_off[j + 1] - e->edge_off[j] > 254 ? 2 : 1;
            column_feature[n] = (uint32_t)j;
            number[2 * j + left] = n++;
        }
    for (int32_t s = 0; s < f->n_sets; s++) {
        const struct emit_test *q = &t->node[f->set_node[s]];
        uint8_t *row = map + 256 * (size_t)n;
        for (int c = 0; c < 256; c++)
            row[c] = (q->bits[c >> 6] >> (c & 63)) & 1 ? 0 : 255;
        mapped[n] = 1;
        column_feature[n] = (uint32_t)q->feature;
        set_number[s] = n++;
    }
    e->n_columns = (int32_t)n;
    e->column_feature = column_feature;
    e->column_mapped = mapped;
    e->map = map;
    return TIDE_OK;
}

/* Number of a threshold among its feature's edges. */
static uint16_t edge_number(const struct ensemble *e, int32_t feature, double thr)
{
    uint32_t lo = e->edge_off[feature], hi = e->edge_off[feature + 1], first = lo;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e->edge[mid] < thr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint16_t)(lo - first);
}

static tide_status finish_nodes(struct finish *f, const uint32_t *number,
                                const uint32_t *set_number, tide_error *err)
{
    const struct emit *t = f->t;
    struct ensemble *e = f->e;
    int64_t n = t->n_nodes, nt = t->n_trees;
    uint32_t *column = arena_array(f->a, n + 1, 4), *left = arena_array(f->a, n + 1, 4);
    uint32_t *right = arena_array(f->a, n + 1, 4),
             *depth = arena_array(f->a, nt + 1, 4);
    uint32_t *tree_node = arena_array(f->a, nt + 1, 4),
             *tree_leaf = arena_array(f->a, nt + 1, 4);
    int32_t *output = arena_array(f->a, nt + 1, 4);
    uint16_t *thr = arena_array(f->a, n + 1, 2);
    double *gain = arena_array(f->a, n + 1, 8), *cover = arena_array(f->a, n + 1, 8);
    tide_status status = arena_status(f->a, err);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) {
        const struct emit_test *q = &t->node[i];
        column[i] = q->set ? set_number[f->set_of[i]]
                           : number[2 * q->feature + q->missing_left];
        thr[i] = q->set                        ? 0
                 : f->feature[q->feature].kind ? (uint16_t)q->thr
                                               : edge_number(e, q->feature, q->thr);
        left[i] = q->left;
        right[i] = q->right;
        gain[i] = q->gain > 0 ? q->gain : 0;
        cover[i] = q->cover;
    }
    for (int64_t i = 0; i < nt; i++) {
        tree_node[i] = (uint32_t)t->tree[i].node;
        tree_leaf[i] = (uint32_t)t->tree[i].leaf;
        depth[i] = t->tree[i].depth;
        output[i] = t->tree[i].output;
    }
    tree_node[nt] = (uint32_t)n;
    tree_leaf[nt] = (uint32_t)t->n_leaves;
    e->node_column = column;
    e->node_thr = thr;
    e->node_left = left;
    e->node_right = right;
    e->node_gain = gain;
    e->node_cover = cover;
    e->tree_node = tree_node;
    e->tree_leaf = tree_leaf;
    e->tree_depth = depth;
    e->tree_output = output;
    return TIDE_OK;
}

static tide_status finish_features(struct finish *f, tide_error *err)
{
    struct ensemble *e = f->e;
    int64_t levels = 0;
    for (int32_t j = 0; j < f->n_features; j++) levels += f->feature[j].n_level;
    uint8_t *kind = arena_array(f->a, f->n_features + 1, 1);
    uint32_t *level_off = arena_array(f->a, f->n_features + 1, sizeof *level_off);
    uint8_t *level_code = arena_array(f->a, levels + 1, 1);
    if (!kind || !level_off || !level_code) return arena_status(f->a, err);
    level_off[0] = 0;
    for (int32_t j = 0; j < f->n_features; j++) {
        const struct emit_feature *from = &f->feature[j];
        kind[j] = from->kind;
        if (from->n_level && from->level_code)
            memcpy(level_code + level_off[j], from->level_code, from->n_level);
        else
            memset(level_code + level_off[j], 255, from->n_level);
        level_off[j + 1] = level_off[j] + from->n_level;
    }
    e->feature_kind = kind;
    e->level_off = level_off;
    e->level_code = level_code;
    return TIDE_OK;
}

tide_status emit_finish(const struct emit *t, const struct emit_feature *feature,
                        int32_t n_features, int32_t link, const double *base,
                        struct arena *a, struct ensemble **out, tide_error *err)
{
    struct ensemble *e = arena_zero(a, sizeof *e);
    int32_t all = n_features + t->n_derived;
    struct finish f = {.t = t, .feature = feature, .n_features = all, .a = a, .e = e};
    uint32_t *number = arena_array(a, all + 1, 2 * sizeof *number);
    double *to_base = arena_array(a, t->n_outputs, sizeof *to_base);
    double *leaf = arena_array(a, t->n_leaves + 1, (size_t)t->width * sizeof *leaf);
    double *cover = arena_array(a, t->n_leaves + 1, sizeof *cover);
    *out = NULL;
    if (t->failed) return err_nomem(err, 0);
    tide_status status = arena_status(a, err);
    if (status) return status;
    *e = (struct ensemble){.n_features = n_features,
                           .n_derived = t->n_derived,
                           .source = t->source,
                           .origin = t->origin,
                           .n_trees = t->n_trees,
                           .link = link,
                           .n_outputs = t->n_outputs,
                           .leaf_width = t->width,
                           .leaf = leaf,
                           .leaf_cover = cover,
                           .base = to_base};
    memcpy(to_base, base, (size_t)t->n_outputs * sizeof *base);
    if (t->n_leaves) {
        memcpy(leaf, t->leaf, (size_t)(t->n_leaves * t->width) * sizeof *leaf);
        memcpy(cover, t->leaf_cover, (size_t)t->n_leaves * sizeof *cover);
    }
    status = finish_features(&f, err);
    if (!status) status = finish_edges(&f, err);
    if (!status) status = finish_sets(&f, err);
    if (status) return status;
    uint32_t *set_number = arena_array(a, f.n_sets + 1, sizeof *set_number);
    if (!set_number) return arena_status(a, err);
    status = finish_columns(&f, number, set_number, err);
    if (!status) status = finish_nodes(&f, number, set_number, err);
    if (!status) *out = e;
    return status;
}
