/* engine_walk.c - the walk engine's nodes: eight bytes, siblings side by side
 *
 * A tree is laid out depth first, the child of larger cover (left without covers) next to its
 * parent, so that the frequent paths of a deep tree touch few pages. */
#include "infer/engine.h"

/* A number of the tree (node or leaf) and the place that was kept for it. */
struct to_place {
    uint32_t number, place;
};

struct layout {
    const struct ensemble_engine *g;
    struct simd_walk_node *node;
    uint32_t *leaf_of;
    struct to_place *stack; /* [ENSEMBLE_DEPTH_MAX + 2] */
};

static double cover_of(const struct ensemble *e, int32_t t, uint32_t number, uint32_t n)
{
    if (!e->node_cover || !e->leaf_cover) return 0;
    return number < n ? e->node_cover[e->tree_node[t] + number]
                      : e->leaf_cover[e->tree_leaf[t] + number - n];
}

/* Places tree t from `next` on; returns the next free place. */
static uint32_t lay_out(const struct layout *w, int32_t t, uint32_t next)
{
    const struct ensemble *e = w->g->e;
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, n_stack = 0;
    w->stack[n_stack++] = (struct to_place){0, next++};
    while (n_stack) {
        struct to_place it = w->stack[--n_stack];
        if (it.number >= n) {
            w->node[it.place] =
                (struct simd_walk_node){.thr = UINT16_MAX, .child = it.place};
            w->leaf_of[it.place] = e->tree_leaf[t] + it.number - n;
            continue;
        }
        uint32_t l = e->node_left[n0 + it.number], r = e->node_right[n0 + it.number];
        struct to_place left = {l, next}, right = {r, next + 1};
        int is_right = cover_of(e, t, r, n) > cover_of(e, t, l, n);
        w->node[it.place] =
            (struct simd_walk_node){.thr = e->node_thr[n0 + it.number],
                                    .column = (uint16_t)w->g->of_node[n0 + it.number],
                                    .child = next};
        next += 2;
        /* at most one waits on each level above: the checked depth bounds the stack */
        w->stack[n_stack++] = is_right ? left : right;
        w->stack[n_stack++] = is_right ? right : left;
    }
    return next;
}

void engine_walk_new(const struct ensemble_engine *g, struct arena *a,
                     const struct simd_walk **out)
{
    const struct ensemble *e = g->e;
    int64_t nodes = e->tree_node[e->n_trees], leaves = e->tree_leaf[e->n_trees];
    *out = NULL;
    if (g->n_columns > UINT16_MAX || nodes + leaves > UINT32_MAX - 2) return;
    struct simd_walk *w = arena_zero(a, sizeof *w);
    struct layout lay = {.g = g};
    uint32_t *root = arena_array(a, e->n_trees + 1, sizeof *root);
    lay.node = arena_array(a, nodes + leaves + 1, sizeof *lay.node);
    lay.leaf_of = arena_zero(a, (size_t)(nodes + leaves + 1) * sizeof *lay.leaf_of);
    lay.stack = arena_array(a, ENSEMBLE_DEPTH_MAX + 2, sizeof *lay.stack);
    if (!w || !root || !lay.node || !lay.leaf_of || !lay.stack) return;
    uint32_t next = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        root[t] = next;
        next = lay_out(&lay, t, next);
    }
    root[e->n_trees] = next;
    *w = (struct simd_walk){.node = lay.node,
                            .root = root,
                            .depth = e->tree_depth,
                            .leaf_of = lay.leaf_of,
                            .output = e->tree_output,
                            .leaf = e->leaf,
                            .width = e->leaf_width,
                            .n_trees = e->n_trees,
                            .n_outputs = e->n_outputs};
    *out = w;
}
