/* ensemble_first.c - the first trees of an ensemble, as a state of their own
 *
 * What a learner loads from it is an ensemble like any other: engines, contributions and
 * single rows need know nothing of the trees that were left out. */
#include <string.h>

#include "base/str.h"
#include "infer/ensemble.h"

static int32_t output_of(const struct ensemble *e, int32_t t)
{
    return e->leaf_width > 1 ? 0 : e->tree_output[t];
}

int32_t ensemble_rounds(const struct ensemble *e)
{
    int32_t most = 0;
    for (int32_t k = 0; k < e->n_outputs; k++) {
        int32_t own = 0;
        for (int32_t t = 0; t < e->n_trees; t++) own += output_of(e, t) == k;
        most = own > most ? own : most;
    }
    return most;
}

int ensemble_count_text(const struct ensemble *e, char *out, size_t size)
{
    uint32_t leaves = e->tree_leaf[e->n_trees];
    return str_format(out, size, "%d tree%s, %u lea%s", (int)e->n_trees,
                      e->n_trees == 1 ? "" : "s", leaves, leaves == 1 ? "f" : "ves");
}

/* Arrays of the trees that are kept; optional ones stay NULL. */
struct kept {
    int32_t *output;
    uint32_t *first_node, *first_leaf, *depth, *column, *left, *right;
    uint16_t *thr;
    double *leaf, *leaf_cover, *node_cover, *node_gain;
    struct {
        uint32_t *first, *feature;
        double *coef, *constant;
    } linear;
};

/* The linear leaves [l0, l0 + n) behind those that k holds, `at` of them. */
static void keep_linear(const struct ensemble_linear *l, uint32_t l0, uint32_t at,
                        uint32_t n, const struct kept *k)
{
    uint32_t i0 = l->first[l0], to = k->linear.first[at];
    size_t n_coef = l->first[l0 + n] - i0;
    for (uint32_t i = 0; i < n; i++)
        k->linear.first[at + i + 1] = to + (l->first[l0 + i + 1] - i0);
    memcpy(k->linear.constant + at, l->constant + l0, n * sizeof(double));
    memcpy(k->linear.feature + to, l->feature + i0, n_coef * sizeof(uint32_t));
    memcpy(k->linear.coef + to, l->coef + i0, n_coef * sizeof(double));
}

/* Tree t of e behind the n trees that k holds. */
static void keep_tree(const struct ensemble *e, int32_t t, int32_t n,
                      const struct kept *k)
{
    uint32_t n0 = e->tree_node[t], l0 = e->tree_leaf[t];
    size_t nodes = e->tree_node[t + 1] - n0, leaves = e->tree_leaf[t + 1] - l0;
    size_t at = k->first_node[n], to = k->first_leaf[n], width = (size_t)e->leaf_width;
    k->output[n] = e->tree_output[t];
    k->depth[n] = e->tree_depth[t];
    k->first_node[n + 1] = k->first_node[n] + (uint32_t)nodes;
    k->first_leaf[n + 1] = k->first_leaf[n] + (uint32_t)leaves;
    memcpy(k->column + at, e->node_column + n0, nodes * sizeof *k->column);
    memcpy(k->thr + at, e->node_thr + n0, nodes * sizeof *k->thr);
    memcpy(k->left + at, e->node_left + n0, nodes * sizeof *k->left);
    memcpy(k->right + at, e->node_right + n0, nodes * sizeof *k->right);
    memcpy(k->leaf + to * width, e->leaf + l0 * width,
           leaves * width * sizeof *k->leaf);
    if (e->linear) keep_linear(e->linear, l0, (uint32_t)to, (uint32_t)leaves, k);
    if (k->leaf_cover)
        memcpy(k->leaf_cover + to, e->leaf_cover + l0, leaves * sizeof(double));
    if (k->node_cover)
        memcpy(k->node_cover + at, e->node_cover + n0, nodes * sizeof(double));
    if (k->node_gain)
        memcpy(k->node_gain + at, e->node_gain + n0, nodes * sizeof(double));
}

/* Room for all of e. */
static int kept_new(const struct ensemble *e, struct arena *a, struct kept *k)
{
    int64_t nodes = (int64_t)e->tree_node[e->n_trees] + 1;
    int64_t leaves = (int64_t)e->tree_leaf[e->n_trees] + 1, trees = e->n_trees + 1;
    k->output = arena_array(a, trees, sizeof *k->output);
    k->first_node = arena_array(a, trees, sizeof *k->first_node);
    k->first_leaf = arena_array(a, trees, sizeof *k->first_leaf);
    k->depth = arena_array(a, trees, sizeof *k->depth);
    k->column = arena_array(a, nodes, sizeof *k->column);
    k->thr = arena_array(a, nodes, sizeof *k->thr);
    k->left = arena_array(a, nodes, sizeof *k->left);
    k->right = arena_array(a, nodes, sizeof *k->right);
    k->leaf = arena_array(a, leaves, (size_t)e->leaf_width * sizeof *k->leaf);
    if (e->linear) {
        int64_t n = (int64_t)e->linear->first[leaves - 1] + 1;
        k->linear.first = arena_zero(a, ((size_t)leaves + 1) * sizeof(uint32_t));
        k->linear.feature = arena_array(a, n, sizeof(uint32_t));
        k->linear.coef = arena_array(a, n, sizeof(double));
        k->linear.constant = arena_array(a, leaves, sizeof(double));
    }
    if (e->leaf_cover) k->leaf_cover = arena_array(a, leaves, sizeof(double));
    if (e->node_cover) k->node_cover = arena_array(a, nodes, sizeof(double));
    if (e->node_gain) k->node_gain = arena_array(a, nodes, sizeof(double));
    return arena_status(a, NULL) ? -1 : 0;
}

void ensemble_save_first(const struct ensemble *e, int32_t rounds, struct state *s)
{
    struct kept k = {0};
    struct ensemble first = *e;
    int32_t *seen = arena_zero(s->arena, ((size_t)e->n_outputs + 1) * sizeof *seen);
    if (!seen || kept_new(e, s->arena, &k)) return;
    k.first_node[0] = k.first_leaf[0] = 0;
    first.n_trees = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        if (seen[output_of(e, t)]++ >= rounds) continue;
        keep_tree(e, t, first.n_trees++, &k);
    }
    first.tree_output = k.output;
    first.tree_node = k.first_node;
    first.tree_leaf = k.first_leaf;
    first.tree_depth = k.depth;
    first.node_column = k.column;
    first.node_thr = k.thr;
    first.node_left = k.left;
    first.node_right = k.right;
    first.leaf = k.leaf;
    const struct ensemble_linear linear = {.first = k.linear.first,
                                           .feature = k.linear.feature,
                                           .coef = k.linear.coef,
                                           .constant = k.linear.constant};
    if (e->linear) first.linear = &linear;
    first.leaf_cover = k.leaf_cover;
    first.node_cover = k.node_cover;
    first.node_gain = k.node_gain;
    ensemble_save(&first, s);
}
