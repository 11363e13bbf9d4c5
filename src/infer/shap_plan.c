/* shap_plan.c - a tree as steps down and up, with all that its nodes need for a block of rows */
#include "infer/shap_plan.h"

#include <string.h>

#define NONE UINT32_MAX

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void shap_plan_new(struct shap_plan *plan, const struct simd_table *simd,
                   const struct ensemble *e, int64_t words, struct arena *a)
{
    uint32_t nodes = 0, depth = 0;
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n = e->tree_node[t + 1] - e->tree_node[t];
        nodes = n > nodes ? n : nodes;
        depth = e->tree_depth[t] > depth ? e->tree_depth[t] : depth;
    }
    int64_t n = (int64_t)nodes + 1;
    /* half of the features of a path, rounded up; it has no more than levels or features */
    uint32_t most = least(depth, (uint32_t)e->engine->n_used);
    int64_t q = least(most / 2 + 1, SIMD_SHAP_NODES);
    *plan = (struct shap_plan){.e = e, .simd = simd, .stride = words};
    plan->edge = arena_array(a, n, sizeof *plan->edge);
    plan->above = arena_array(a, n, sizeof *plan->above);
    plan->features = arena_array(a, n, sizeof *plan->features);
    plan->share = arena_array(a, n, sizeof *plan->share);
    plan->mean = arena_array(a, n, sizeof *plan->mean);
    plan->step = arena_array(a, 2 * n, sizeof *plan->step);
    plan->kind = arena_array(a, n, sizeof *plan->kind);
    plan->node = arena_array(a, n, sizeof *plan->node);
    plan->left = arena_array(a, n * words, sizeof *plan->left);
    plan->live = arena_array(a, n * words, sizeof *plan->live);
    plan->again = arena_array(a, n * 2 * q, sizeof *plan->again);
    plan->room =
        arena_array(a, 2 * ((int64_t)depth + 1) * q * SIMD_SHAP_GROUP, sizeof(double));
}

/* ------------------------------------------------------------------------ a tree --- */

static uint32_t child_of(const struct shap_plan *plan, uint32_t i, int side)
{
    const struct ensemble *e = plan->e;
    uint32_t at = e->tree_node[plan->t] + i;
    return side ? e->node_right[at] : e->node_left[at];
}

static double share_of(const struct shap_plan *plan, uint32_t parent, uint32_t child)
{
    const struct ensemble *e = plan->e;
    uint32_t n0 = e->tree_node[plan->t], l0 = e->tree_leaf[plan->t];
    double all = e->node_cover[n0 + parent];
    double own = child < plan->n_nodes ? e->node_cover[n0 + child]
                                       : e->leaf_cover[l0 + child - plan->n_nodes];
    return all > 0 ? own / all : 0.5;
}

/* What node i is, its parents being known. */
static void take_node(struct shap_plan *plan, uint32_t i, const int32_t *place)
{
    const struct ensemble *e = plan->e;
    uint32_t col = e->node_column[e->tree_node[plan->t] + i];
    struct simd_shap_node *node = &plan->node[i];
    struct shap_edge up = plan->edge[i];
    node->feature = (uint32_t)place[e->column_feature[col]];
    plan->kind[i] = 0;
    for (int side = 0; side < 2; side++) {
        uint32_t c = child_of(plan, i, side);
        node->share[side] = share_of(plan, i, c);
        if (c < plan->n_nodes) {
            plan->edge[c] = (struct shap_edge){i, (uint32_t)side};
        } else {
            node->leaf[side] = c - plan->n_nodes;
            plan->kind[i] |= side ? SIMD_SHAP_RIGHT_LEAF : SIMD_SHAP_LEFT_LEAF;
        }
    }
    plan->features[i] = up.parent == NONE ? 1 : plan->features[up.parent] + 1;
    while (up.parent != NONE && plan->node[up.parent].feature != node->feature)
        up = plan->edge[up.parent];
    plan->above[i] = up;
    plan->share[i] = 1;
    if (up.parent == NONE) return;
    plan->features[i]--;
    plan->kind[i] |= SIMD_SHAP_AGAIN;
    plan->share[i] = plan->share[up.parent] * plan->node[up.parent].share[up.side];
}

/* The way through the inner nodes: each is entered from its parent, and left after its children. */
static void take_steps(struct shap_plan *plan)
{
    int64_t n = 0;
    uint32_t at = 0;
    int side = 0; /* the first child that has not been seen to */
    for (;;) {
        uint32_t c = side < 2 ? child_of(plan, at, side) : NONE;
        if (c < plan->n_nodes) {
            plan->step[n++] = at << 2 | (side ? SIMD_SHAP_RIGHT : SIMD_SHAP_LEFT);
            at = c;
            side = 0;
        } else if (side < 2) {
            side++;
        } else {
            plan->step[n++] = at << 2 | SIMD_SHAP_LEAVE;
            if (!at) return;
            side = (int)plan->edge[at].side + 1;
            at = plan->edge[at].parent;
        }
    }
}

void shap_plan_tree(struct shap_plan *plan, int32_t t, const int32_t *place)
{
    const struct ensemble *e = plan->e;
    plan->t = t;
    plan->n_nodes = e->tree_node[t + 1] - e->tree_node[t];
    plan->most = 0;
    plan->edge[0].parent = NONE;
    for (uint32_t i = 0; i < plan->n_nodes; i++) { /* children come after parents */
        take_node(plan, i, place);
        if (plan->features[i] > plan->most) plan->most = plan->features[i];
    }
    if (plan->n_nodes) take_steps(plan);
}

static const double *values_of(const struct shap_plan *plan, int32_t o)
{
    const struct ensemble *e = plan->e;
    return e->leaf + (size_t)e->tree_leaf[plan->t] * (size_t)e->leaf_width + o;
}

double shap_plan_mean(struct shap_plan *plan, int32_t o)
{
    const double *value = values_of(plan, o);
    for (uint32_t i = plan->n_nodes; i-- > 0;) {
        plan->mean[i] = 0;
        for (int side = 0; side < 2; side++) {
            uint32_t c = child_of(plan, i, side);
            double v =
                c < plan->n_nodes
                    ? plan->mean[c]
                    : value[(size_t)(c - plan->n_nodes) * (size_t)plan->e->leaf_width];
            plan->mean[i] += plan->node[i].share[side] * v;
        }
    }
    return plan->n_nodes ? plan->mean[0] : value[0];
}

/* -------------------------------------------------------------------------- rows --- */

void shap_plan_rows(struct shap_plan *plan, const uint16_t *codes, int64_t words)
{
    const struct ensemble *e = plan->e;
    uint32_t n0 = e->tree_node[plan->t];
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        size_t column = e->engine->of_node[n0 + i];
        uint64_t *live = plan->live + i * plan->stride;
        struct shap_edge up = plan->above[i];
        plan->simd->shap_bits(codes + column * 64 * (size_t)plan->stride,
                              e->node_thr[n0 + i], words,
                              plan->left + i * plan->stride);
        if (up.parent == NONE) {
            memset(live, 255, (size_t)words * sizeof *live);
            continue;
        }
        const uint64_t *left = plan->left + up.parent * plan->stride,
                       *own = plan->live + up.parent * plan->stride;
        for (int64_t k = 0; k < words; k++)
            live[k] = (up.side ? ~left[k] : left[k]) & own[k];
    }
}

/* Of a feature whose tests above left a share of the rows, the next test is known at place t
 * with probability t / (share + t (1 - share)). */
static void take_again(const struct shap_plan *plan, const double *at, int32_t q)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        double share = plan->share[i], *known = plan->again + next;
        if (!(plan->kind[i] & SIMD_SHAP_AGAIN)) continue;
        plan->node[i].again = next;
        next += 2 * (uint32_t)q;
        for (int32_t k = 0; k < q; k++) {
            double over = 1 / (share + at[k] * (1 - share));
            known[k] = at[k] * over;
            known[q + k] = share * over * over;
        }
    }
}

void shap_plan_add(const struct shap_plan *plan, const double *at, const double *weight,
                   int32_t q, int32_t o, int64_t groups, double *sum)
{
    const struct ensemble *e = plan->e;
    struct simd_shap s = {.step = plan->step,
                          .kind = plan->kind,
                          .node = plan->node,
                          .n_steps = 2 * (int64_t)plan->n_nodes - 1,
                          .stride = plan->stride,
                          .left = plan->left,
                          .live = plan->live,
                          .at = at,
                          .weight = weight,
                          .again = plan->again,
                          .value = values_of(plan, o),
                          .room = plan->room,
                          .q = q,
                          .depth = (int32_t)e->tree_depth[plan->t],
                          .width = e->leaf_width,
                          .n_features = e->engine->n_used};
    take_again(plan, at, q);
    plan->simd->shap_tree(&s, groups, sum);
}
