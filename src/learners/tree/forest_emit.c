/* forest_emit.c - trees on ranks to the canonical ensemble
 *
 * A feature's edges are those that some node cuts at, so a model holds nothing that no tree asks
 * for. Levels keep their rank as code, so a category needs no more derived columns than a number:
 * one with missing on the right, one with missing on the left. */
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "learners/tree/forest_grow.h"

struct emitting {
    const struct forest *f;
    const struct forest_data *data;
    struct ensemble *e;
    uint16_t **number; /* [n_cols] of a cut among the feature's edges, or NULL */
    uint32_t *column;  /* [n_cols][2] derived column by side of missing */
    /* arrays being filled */
    uint32_t *node_column, *node_left, *node_right;
    uint16_t *node_thr;
    double *leaf, *leaf_cover, *node_cover;
};

/* Which cuts and sides are used. */
static tide_status mark_cuts(const struct emitting *m, uint8_t **used, uint8_t *sides,
                             struct arena *a, tide_error *err)
{
    for (int32_t j = 0; j < m->data->codes.n_cols; j++) {
        const struct rank_col *c = &m->data->codes.col[j];
        used[j] = c->on && !c->kind ? arena_zero(a, (size_t)c->n_rank + 1) : NULL;
    }
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int32_t t = 0; t < m->f->n_trees; t++)
        for (int64_t i = 0; i < m->f->tree[t].n_nodes; i++) {
            const struct forest_node *q = &m->f->tree[t].node[i];
            sides[q->feature] |= q->missing_left == 1 ? 2 : 1;
            if (used[q->feature] && q->missing_left != 2) used[q->feature][q->cut] = 1;
        }
    return TIDE_OK;
}

static tide_status make_edges(struct emitting *m, uint8_t *const *used, struct arena *a,
                              struct arena *work, tide_error *err)
{
    const struct rank_codes *codes = &m->data->codes;
    int64_t total = 0;
    uint32_t *off = arena_zero(a, ((size_t)codes->n_cols + 1) * sizeof *off);
    for (int32_t j = 0; j < codes->n_cols; j++) {
        for (int32_t r = 0; used[j] && r + 1 < codes->col[j].n_rank; r++)
            total += used[j][r];
        m->number[j] =
            used[j] ? arena_array(work, codes->col[j].n_rank + 1, sizeof **m->number)
                    : NULL;
    }
    double *edge = arena_array(a, total + 1, sizeof *edge);
    tide_status status = arena_status(a, err);
    if (!status) status = arena_status(work, err);
    uint32_t n = 0;
    for (int32_t j = 0; j < codes->n_cols && !status; j++) {
        const struct rank_col *c = &codes->col[j];
        for (int32_t r = 0; used[j] && r + 1 < c->n_rank; r++) {
            if (!used[j][r]) continue;
            m->number[j][r] = (uint16_t)(n - off[j]);
            edge[n++] = c->edge[r];
        }
        off[j + 1] = n;
    }
    m->e->edge = edge;
    m->e->edge_off = off;
    return status;
}

/* sides[feature]: bit 0 missing on the right is asked for, bit 1 on the left; column[feature][side]
 * becomes the derived column. */
static tide_status make_columns(struct ensemble *e, const uint8_t *sides,
                                uint32_t *column, struct arena *a, tide_error *err)
{
    int32_t nc = e->n_features;
    uint32_t *feature = arena_array(a, 2 * (int64_t)nc + 1, sizeof *feature), n = 0;
    uint8_t *mapped = arena_zero(a, 2 * (size_t)nc + 1);
    uint8_t *map = arena_array(a, 2 * (int64_t)nc + 1, 256);
    tide_status status = arena_status(a, err);
    for (int32_t j = 0; j < nc && !status; j++)
        for (int left = 0; left < 2; left++) {
            if (!(sides[j] & (1 << left))) continue;
            uint8_t *row = map + 256 * (size_t)n;
            for (int c = 0; c < 256; c++) row[c] = (uint8_t)c;
            if (left) row[255] = 0;
            if (left) mapped[n] = e->edge_off[j + 1] - e->edge_off[j] > 254 ? 2 : 1;
            feature[n] = (uint32_t)j;
            column[2 * j + left] = n++;
        }
    e->n_columns = (int32_t)n;
    e->column_feature = feature;
    e->column_mapped = mapped;
    e->map = map;
    return status;
}

static tide_status make_features(struct emitting *m, struct arena *a, tide_error *err)
{
    const struct rank_codes *codes = &m->data->codes;
    int64_t levels = 0;
    for (int32_t j = 0; j < codes->n_cols; j++) levels += codes->col[j].n_level;
    uint8_t *kind = arena_array(a, codes->n_cols + 1, 1);
    uint32_t *off = arena_zero(a, ((size_t)codes->n_cols + 1) * sizeof *off);
    uint8_t *code = arena_array(a, levels + 1, 1);
    tide_status status = arena_status(a, err);
    for (int32_t j = 0; j < codes->n_cols && !status; j++) {
        const struct rank_col *c = &codes->col[j];
        kind[j] = c->kind;
        if (c->n_level) memcpy(code + off[j], c->level_code, c->n_level);
        off[j + 1] = off[j] + c->n_level;
    }
    m->e->feature_kind = kind;
    m->e->level_off = off;
    m->e->level_code = code;
    return status;
}

static void emit_tree(void *arg, int64_t t, int worker)
{
    const struct emitting *m = arg;
    const struct forest_tree *from = &m->f->tree[t];
    const struct ensemble *e = m->e;
    double unit = m->data->w_unit;
    uint32_t n0 = e->tree_node[t], l0 = e->tree_leaf[t], ni = (uint32_t)from->n_nodes;
    int32_t width = m->data->width;
    (void)worker;
    for (uint32_t i = 0; i < ni; i++) {
        const struct forest_node *q = &from->node[i];
        const struct rank_col *c = &m->data->codes.col[q->feature];
        uint32_t side[2] = {q->left, q->right}, thr = q->cut;
        for (int s = 0; s < 2; s++)
            if (side[s] >= ni) side[s] = ni + ~side[s];
        if (q->missing_left == 2) /* every number left */
            thr = c->kind ? 254 : e->edge_off[q->feature + 1] - e->edge_off[q->feature];
        else if (!c->kind)
            thr = m->number[q->feature][q->cut];
        m->node_column[n0 + i] = m->column[2 * q->feature + (q->missing_left == 1)];
        m->node_thr[n0 + i] = (uint16_t)thr;
        m->node_left[n0 + i] = side[0];
        m->node_right[n0 + i] = side[1];
        m->node_cover[n0 + i] = q->cover * unit;
    }
    memcpy(m->leaf + (size_t)l0 * (size_t)width, from->leaf,
           (size_t)from->n_leaves * (size_t)width * sizeof *m->leaf);
    for (int64_t i = 0; i < from->n_leaves; i++)
        m->leaf_cover[l0 + i] = from->leaf_cover[i] * unit;
}

static tide_status make_trees(struct emitting *m, struct tide_ctx *ctx, struct arena *a,
                              tide_error *err)
{
    struct ensemble *e = m->e;
    int64_t nt = m->f->n_trees, nodes = 0, leaves = 0;
    int32_t *output = arena_zero(a, ((size_t)nt + 1) * sizeof *output);
    uint32_t *tree_node = arena_array(a, nt + 1, 4),
             *tree_leaf = arena_array(a, nt + 1, 4);
    uint32_t *depth = arena_array(a, nt + 1, 4);
    tide_status status = arena_status(a, err);
    for (int64_t t = 0; t < nt && !status; t++) {
        tree_node[t] = (uint32_t)nodes;
        tree_leaf[t] = (uint32_t)leaves;
        depth[t] = m->f->tree[t].depth;
        output[t] = m->data->width > 1 ? 0 : (int32_t)(t % e->n_outputs);
        nodes += m->f->tree[t].n_nodes;
        leaves += m->f->tree[t].n_leaves;
        if (leaves > INT32_MAX)
            status = err_set(err, TIDE_CODE_MEMORY_BUDGET,
                             "the trees have more than %d leaves together", INT32_MAX);
    }
    if (status) return status;
    tree_node[nt] = (uint32_t)nodes;
    tree_leaf[nt] = (uint32_t)leaves;
    e->node_column = m->node_column = arena_array(a, nodes + 1, 4);
    e->node_left = m->node_left = arena_array(a, nodes + 1, 4);
    e->node_right = m->node_right = arena_array(a, nodes + 1, 4);
    e->node_thr = m->node_thr = arena_array(a, nodes + 1, 2);
    e->node_cover = m->node_cover = arena_array(a, nodes + 1, 8);
    e->leaf_cover = m->leaf_cover = arena_array(a, leaves + 1, 8);
    e->leaf = m->leaf = arena_array(a, leaves + 1, (size_t)m->data->width * 8);
    e->tree_node = tree_node;
    e->tree_leaf = tree_leaf;
    e->tree_depth = depth;
    e->tree_output = output;
    status = arena_status(a, err);
    return status ? status : par_for(ctx, nt, emit_tree, m, err);
}

tide_status forest_emit(struct tide_ctx *ctx, const struct forest *f,
                        const struct forest_data *data, int32_t outputs, int32_t link,
                        const double *base, struct arena *a, struct ensemble **out,
                        tide_error *err)
{
    int32_t nc = data->codes.n_cols;
    struct arena work;
    arena_init(&work, ctx);
    struct emitting m = {.f = f, .data = data, .e = arena_zero(a, sizeof *m.e)};
    double *to_base = arena_array(a, outputs, sizeof *to_base);
    uint8_t **used = arena_zero(&work, ((size_t)nc + 1) * sizeof *used);
    uint8_t *sides = arena_zero(&work, (size_t)nc + 1);
    m.number = arena_zero(&work, ((size_t)nc + 1) * sizeof *m.number);
    m.column = arena_zero(&work, (2 * (size_t)nc + 1) * sizeof *m.column);
    *out = NULL;
    tide_status status = arena_status(a, err);
    if (!status) status = arena_status(&work, err);
    if (!status) {
        memcpy(to_base, base, (size_t)outputs * sizeof *base);
        *m.e = (struct ensemble){.n_features = nc,
                                 .n_trees = f->n_trees,
                                 .n_outputs = outputs,
                                 .link = link,
                                 .leaf_width = data->width,
                                 .base = to_base};
        status = mark_cuts(&m, used, sides, &work, err);
    }
    if (!status) status = make_edges(&m, used, a, &work, err);
    if (!status) status = make_features(&m, a, err);
    if (!status) status = make_columns(m.e, sides, m.column, a, err);
    if (!status) status = make_trees(&m, ctx, a, err);
    if (!status) *out = m.e;
    arena_free(&work);
    return status;
}

/* ------------------------------------------------------- behind other trees --- */

struct joining {
    const struct ensemble *from[2];
    struct ensemble *e;
    uint16_t **number
        [2]; /* [n_features] an edge's number among those of both; one more entry */
    uint32_t *column[2]; /* derived column of both */
};

/* Edges of both, ascending and each once; number[] tells where those of each went. */
static tide_status join_feature(struct joining *j, int32_t f, const struct view *x,
                                double *to, uint32_t *n, tide_error *err)
{
    const double *edge[2];
    uint32_t at[2] = {0, 0}, many[2], all = 0;
    for (int s = 0; s < 2; s++) {
        const struct ensemble *e = j->from[s];
        edge[s] = e->edge + e->edge_off[f];
        many[s] = e->edge_off[f + 1] - e->edge_off[f];
    }
    while (at[0] < many[0] || at[1] < many[1]) {
        int first =
            at[1] == many[1] || (at[0] < many[0] && edge[0][at[0]] <= edge[1][at[1]]);
        double next = first ? edge[0][at[0]] : edge[1][at[1]];
        for (int s = 0; s < 2; s++)
            if (at[s] < many[s] && edge[s][at[s]] == next)
                j->number[s][f][at[s]++] = (uint16_t)all;
        to[all++] = next;
    }
    for (int s = 0; s < 2; s++) j->number[s][f][many[s]] = (uint16_t)all;
    *n = all;
    if (all < RANK_MOST) return TIDE_OK;
    err_set(
        err, TIDE_CODE_PARAM_CONFLICT,
        "'%s' would have %u thresholds with those of the model, and %d is the most; "
        "rows of both fits in one table need fewer",
        x->cols[f]->name, all, RANK_MOST - 1);
    return err_field(err, "continue");
}

static tide_status join_edges(struct joining *j, const struct view *x, struct arena *a,
                              struct arena *work, tide_error *err)
{
    int32_t nf = j->e->n_features;
    uint32_t *off = arena_zero(a, ((size_t)nf + 1) * sizeof *off);
    double *edge =
        arena_array(a, (int64_t)j->from[0]->edge_off[nf] + j->from[1]->edge_off[nf] + 1,
                    sizeof *edge);
    for (int s = 0; s < 2; s++) {
        const uint32_t *own = j->from[s]->edge_off;
        j->number[s] = arena_zero(work, ((size_t)nf + 1) * sizeof *j->number[s]);
        for (int32_t f = 0; f < nf && j->number[s]; f++)
            j->number[s][f] =
                arena_array(work, (int64_t)(own[f + 1] - own[f]) + 1, sizeof(uint16_t));
    }
    tide_status status = arena_status(a, err);
    if (!status) status = arena_status(work, err);
    for (int32_t f = 0; f < nf && !status; f++) {
        uint32_t n = 0;
        status = join_feature(j, f, x, edge + off[f], &n, err);
        off[f + 1] = off[f] + n;
    }
    j->e->edge = edge;
    j->e->edge_off = off;
    return status;
}

static tide_status join_columns(struct joining *j, struct arena *a, struct arena *work,
                                tide_error *err)
{
    size_t nf = (size_t)j->e->n_features;
    uint8_t *sides = arena_zero(work, nf + 1);
    uint32_t *column = arena_zero(work, (2 * nf + 1) * sizeof *column);
    for (int s = 0; s < 2; s++)
        j->column[s] =
            arena_array(work, j->from[s]->n_columns + 1, sizeof *j->column[s]);
    tide_status status = arena_status(work, err);
    for (int s = 0; s < 2 && !status; s++)
        for (int32_t c = 0; c < j->from[s]->n_columns; c++)
            sides[j->from[s]->column_feature[c]] |=
                j->from[s]->column_mapped[c] ? 2 : 1;
    if (!status) status = make_columns(j->e, sides, column, a, err);
    for (int s = 0; s < 2 && !status; s++)
        for (int32_t c = 0; c < j->from[s]->n_columns; c++)
            j->column[s][c] = column[2 * j->from[s]->column_feature[c] +
                                     (j->from[s]->column_mapped[c] != 0)];
    return status;
}

/* Nodes and leaves, one ensemble behind the other; numbers within a tree stay. */
struct joined_trees {
    int32_t *output;
    uint32_t *tree_node, *tree_leaf, *depth, *column, *left, *right;
    uint16_t *thr;
    double *leaf, *leaf_cover, *node_cover;
};

static void join_part(const struct joining *j, int s, struct joined_trees *to)
{
    const struct ensemble *e = j->from[s];
    size_t nt = (size_t)e->n_trees, width = (size_t)e->leaf_width;
    uint32_t t0 = s ? (uint32_t)j->from[0]->n_trees : 0;
    uint32_t n0 = s ? j->from[0]->tree_node[t0] : 0,
             l0 = s ? j->from[0]->tree_leaf[t0] : 0;
    uint32_t nodes = e->tree_node[nt], leaves = e->tree_leaf[nt];
    for (uint32_t t = 0; t <= nt; t++) {
        to->tree_node[t0 + t] = n0 + e->tree_node[t];
        to->tree_leaf[t0 + t] = l0 + e->tree_leaf[t];
    }
    memcpy(to->output + t0, e->tree_output, nt * sizeof *to->output);
    memcpy(to->depth + t0, e->tree_depth, nt * sizeof *to->depth);
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t column = e->node_column[i], f = e->column_feature[column];
        uint32_t most = e->edge_off[f + 1] - e->edge_off[f], thr = e->node_thr[i];
        thr = thr < most ? thr : most; /* every number left */
        to->column[n0 + i] = j->column[s][column];
        to->thr[n0 + i] = e->feature_kind[f] ? e->node_thr[i] : j->number[s][f][thr];
    }
    memcpy(to->left + n0, e->node_left, nodes * sizeof *to->left);
    memcpy(to->right + n0, e->node_right, nodes * sizeof *to->right);
    memcpy(to->node_cover + n0, e->node_cover, nodes * sizeof *to->node_cover);
    memcpy(to->leaf + (size_t)l0 * width, e->leaf, leaves * width * sizeof *to->leaf);
    memcpy(to->leaf_cover + l0, e->leaf_cover, leaves * sizeof *to->leaf_cover);
}

static tide_status join_trees(struct joining *j, struct arena *a, tide_error *err)
{
    const struct ensemble *const *from = j->from;
    struct ensemble *e = j->e;
    struct joined_trees to = {0};
    int64_t nt = (int64_t)from[0]->n_trees + from[1]->n_trees, nodes = 1, leaves = 1;
    for (int s = 0; s < 2; s++) {
        nodes += from[s]->tree_node[from[s]->n_trees];
        leaves += from[s]->tree_leaf[from[s]->n_trees];
    }
    if (leaves > INT32_MAX)
        return err_set(err, TIDE_CODE_MEMORY_BUDGET,
                       "the trees have more than %d leaves together", INT32_MAX);
    e->tree_output = to.output = arena_array(a, nt + 1, 4);
    e->tree_node = to.tree_node = arena_array(a, nt + 1, 4);
    e->tree_leaf = to.tree_leaf = arena_array(a, nt + 1, 4);
    e->tree_depth = to.depth = arena_array(a, nt + 1, 4);
    e->node_column = to.column = arena_array(a, nodes, 4);
    e->node_left = to.left = arena_array(a, nodes, 4);
    e->node_right = to.right = arena_array(a, nodes, 4);
    e->node_thr = to.thr = arena_array(a, nodes, 2);
    e->node_cover = to.node_cover = arena_array(a, nodes, 8);
    e->leaf_cover = to.leaf_cover = arena_array(a, leaves, 8);
    e->leaf = to.leaf = arena_array(a, leaves, (size_t)e->leaf_width * 8);
    e->n_trees = (int32_t)nt;
    tide_status status = arena_status(a, err);
    for (int s = 0; s < 2 && !status; s++) join_part(j, s, &to);
    return status;
}

tide_status forest_join(struct tide_ctx *ctx, const struct ensemble *first,
                        const struct ensemble *second, const struct view *x,
                        struct arena *a, struct ensemble **out, tide_error *err)
{
    struct joining j = {.from = {first, second}, .e = arena_zero(a, sizeof *j.e)};
    struct arena work;
    *out = NULL;
    if (!j.e) return arena_status(a, err);
    *j.e = *second; /* features, outputs, levels: as those of the first */
    arena_init(&work, ctx);
    tide_status status = join_edges(&j, x, a, &work, err);
    if (!status) status = join_columns(&j, a, &work, err);
    if (!status) status = join_trees(&j, a, err);
    if (!status) *out = j.e;
    arena_free(&work);
    return status;
}
