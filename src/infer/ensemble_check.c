/* ensemble_check.c - an ensemble from a state that nobody vouches for
 *
 * Sizes first (every count is proved against the arrays before memory is taken for it), then
 * edges and maps, then each tree by one depth-first walk with a stack of fixed size: a child
 * comes after its parent, leaves turn up as 0, 1, 2 ... from left to right, and all nodes have
 * been met at the end. So each node and leaf has one parent, and a walk ends within the stored
 * depth (inference.md 6.1 step 6, reliability.md 12.5). */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "infer/engine.h"

/* One array whose type and size are as told; floats are looked at later, with their place. */
static const void *check_array(const struct state *s, const char *kind,
                               const char *name, enum state_type type, int64_t d0,
                               int64_t d1, tide_error *err)
{
    const struct state_array *it = state_find(s, name);
    if (!it)
        err_set(err, TIDE_CODE_TIDE_SCHEMA, "array '%s' is absent", name);
    else if (it->type != (int32_t)type)
        err_set(err, TIDE_CODE_TIDE_SCHEMA, "array '%s' has another element type",
                name);
    else if (it->dim[0] != d0 || it->dim[1] != d1 || it->dim[2] != 1)
        err_set(err, TIDE_CODE_TIDE_SIZE,
                "array '%s' is %lld by %lld, not %lld by %lld", name,
                (long long)it->dim[0], (long long)it->dim[1], (long long)d0,
                (long long)d1);
    else
        return it->data;
    err_place(err, "section %s, array %s", kind, name);
    return NULL;
}

static tide_status bad_place(tide_error *err, tide_code code, const char *what,
                             const char *kind, const char *of, int64_t i)
{
    err_set(err, code, "%s", what);
    return err_place(err, "section %s, %s %lld", kind, of, (long long)i);
}

/* Offsets [n + 1]: start at 0, never fall, end at `total` at most INT32_MAX. */
static int offsets_ok(const uint32_t *off, int64_t n)
{
    if (off[0] != 0 || off[n] > INT32_MAX) return 0;
    for (int64_t i = 0; i < n; i++)
        if (off[i + 1] < off[i]) return 0;
    return 1;
}

static tide_status load_shape(const struct state *s, int32_t n_cols, struct ensemble *e,
                              tide_error *err)
{
    const int32_t *shape = check_array(s, "TREES", "shape", STATE_I32, 8, 1, err);
    if (!shape) return TIDE_EMODEL;
    e->n_features = shape[0];
    e->n_columns = shape[1];
    e->n_trees = shape[2];
    e->n_outputs = shape[3];
    e->link = shape[4];
    e->leaf_width = shape[5];
    e->n_derived = shape[6];
    if (e->n_features != n_cols)
        return bad_place(err, TIDE_CODE_TIDE_SCHEMA,
                         "the trees were made for another number of columns", "TREES",
                         "columns", e->n_features);
    if (e->n_derived < 0 || e->n_derived > INT32_MAX / 4 - n_cols)
        return bad_place(err, TIDE_CODE_TIDE_SIZE, "so many derived features cannot be",
                         "TREES", "features", e->n_derived);
    if (e->n_columns < 0 || e->n_trees < 0)
        return bad_place(err, TIDE_CODE_TIDE_SIZE, "a count is negative", "TREES",
                         "count", e->n_columns < 0 ? e->n_columns : e->n_trees);
    if (e->n_outputs < 1 || e->n_outputs > 65536)
        return bad_place(err, TIDE_CODE_TIDE_CLASSES, "so many outputs cannot be",
                         "TREES", "outputs", e->n_outputs);
    if (e->leaf_width != 1 && e->leaf_width != e->n_outputs)
        return bad_place(err, TIDE_CODE_TIDE_SIZE,
                         "a leaf holds neither one value nor one for each output",
                         "LEAVES", "width", e->leaf_width);
    if (e->link < LINK_IDENTITY || e->link > LINK_MEAN_PROBA ||
        (e->n_outputs != 1 && (e->link == LINK_LOGIT || e->link == LINK_EXP)))
        return bad_place(err, TIDE_CODE_TIDE_VALUE, "the link cannot be", "TREES",
                         "link", e->link);
    return TIDE_OK;
}

static tide_status load_features(const struct state *s, const uint32_t *n_levels,
                                 struct ensemble *e, tide_error *err)
{
    int64_t nf = ensemble_all(e);
    e->feature_kind = check_array(s, "EDGES", "feature_kind", STATE_U8, nf, 1, err);
    if (!e->feature_kind) return TIDE_EMODEL;
    e->edge_off = check_array(s, "EDGES", "edge_off", STATE_U32, nf + 1, 1, err);
    if (!e->edge_off) return TIDE_EMODEL;
    e->level_off = check_array(s, "EDGES", "level_off", STATE_U32, nf + 1, 1, err);
    if (!e->level_off) return TIDE_EMODEL;
    if (!offsets_ok(e->edge_off, nf) || !offsets_ok(e->level_off, nf))
        return bad_place(err, TIDE_CODE_TIDE_SIZE, "offsets do not ascend from 0",
                         "EDGES", "columns", nf);
    e->edge = check_array(s, "EDGES", "edge", STATE_F64, e->edge_off[nf], 1, err);
    if (!e->edge) return TIDE_EMODEL;
    e->level_code =
        check_array(s, "EDGES", "level_code", STATE_U8, e->level_off[nf], 1, err);
    if (!e->level_code) return TIDE_EMODEL;
    for (int64_t f = 0; f < nf; f++) {
        uint32_t e0 = e->edge_off[f], e1 = e->edge_off[f + 1];
        uint32_t levels = e->level_off[f + 1] - e->level_off[f];
        uint8_t kind = e->feature_kind[f];
        if (f >= e->n_features) continue; /* load_derived */
        if (kind > 1 || levels != n_levels[f] || (kind == 0 && levels) ||
            (kind == 1 && e1 > e0))
            return bad_place(err, TIDE_CODE_TIDE_FEATURE,
                             "edges or levels do not fit the column", "EDGES", "column",
                             f);
        if (e1 - e0 > 65534)
            return bad_place(err, TIDE_CODE_TIDE_SIZE, "more than 65,534 edges",
                             "EDGES", "column", f);
        for (uint32_t i = e0; i < e1; i++)
            if (!isfinite(e->edge[i]) || (i > e0 && !(e->edge[i - 1] < e->edge[i])))
                return bad_place(err, TIDE_CODE_TIDE_VALUE,
                                 "edges are not finite and ascending", "EDGES", "edge",
                                 i);
    }
    return TIDE_OK;
}

/* What the codes of derived features were made by; absent: it cannot be continued. */
static tide_status load_origin(const struct state *s, struct ensemble *e,
                               struct arena *a, tide_error *err)
{
    int64_t nd = e->n_derived;
    if (!state_find(s, "origin_output")) return TIDE_OK;
    struct ensemble_origin *o = arena_zero(a, sizeof *o);
    if (!o) return arena_status(a, err);
    o->output = check_array(s, "EDGES", "origin_output", STATE_I32, nd, 1, err);
    if (!o->output) return TIDE_EMODEL;
    o->edge_off = check_array(s, "EDGES", "origin_off", STATE_U32, nd + 1, 1, err);
    if (!o->edge_off) return TIDE_EMODEL;
    if (!offsets_ok(o->edge_off, nd))
        return bad_place(err, TIDE_CODE_TIDE_SIZE, "offsets do not ascend from 0",
                         "EDGES", "derived features", nd);
    o->edge =
        check_array(s, "EDGES", "origin_edge", STATE_F64, o->edge_off[nd], 1, err);
    if (!o->edge) return TIDE_EMODEL;
    o->range = check_array(s, "EDGES", "origin_range", STATE_F64, 2, 1, err);
    if (!o->range) return TIDE_EMODEL;
    if (!isfinite(o->range[0]) || !isfinite(o->range[1]) || o->range[1] < o->range[0])
        return bad_place(err, TIDE_CODE_TIDE_VALUE, "a range is not one", "EDGES",
                         "derived features", nd);
    for (int64_t d = 0; d < nd; d++) {
        uint32_t e0 = o->edge_off[d], e1 = o->edge_off[d + 1];
        uint32_t l0 = e->level_off[e->n_features + d];
        for (uint32_t l = l0; l < e->level_off[e->n_features + d + 1]; l++)
            if (e->level_code[l] > e1 - e0)
                return bad_place(err, TIDE_CODE_TIDE_FEATURE,
                                 "a code of a derived feature is behind its edges",
                                 "EDGES", "derived feature", d);
        if (e1 - e0 > 254 || o->output[d] < 0 || o->output[d] > 65535)
            return bad_place(err, TIDE_CODE_TIDE_FEATURE,
                             "the origin of a derived feature cannot be", "EDGES",
                             "derived feature", d);
        for (uint32_t i = e0; i < e1; i++)
            if (!isfinite(o->edge[i]) || (i > e0 && !(o->edge[i - 1] < o->edge[i])))
                return bad_place(err, TIDE_CODE_TIDE_VALUE,
                                 "edges are not finite and ascending", "EDGES",
                                 "derived feature", d);
    }
    e->origin = o;
    return TIDE_OK;
}

/* Derived features: made of category columns of the model, a code for each pair of levels. */
static tide_status load_derived(const struct state *s, struct ensemble *e,
                                struct arena *a, tide_error *err)
{
    if (!e->n_derived) return TIDE_OK;
    e->source = check_array(s, "EDGES", "source", STATE_I32, e->n_derived, 2, err);
    if (!e->source) return TIDE_EMODEL;
    for (int64_t d = 0; d < e->n_derived; d++) {
        int64_t f = e->n_features + d, cells = 1;
        int fits = e->feature_kind[f] == 1 && e->edge_off[f + 1] == e->edge_off[f];
        for (int i = 0; i < 2 && fits; i++) {
            int32_t j = e->source[2 * d + i];
            if (i == 1 && j == -1) continue;
            fits = j >= 0 && j < e->n_features && e->feature_kind[j] == 1 &&
                   (i == 0 || j != e->source[2 * d]);
            /* no overflow: levels are below 2^31 each */
            if (fits) cells *= (int64_t)e->level_off[j + 1] - e->level_off[j] + 1;
        }
        if (!fits || cells != (int64_t)e->level_off[f + 1] - e->level_off[f])
            return bad_place(err, TIDE_CODE_TIDE_FEATURE,
                             "a derived feature does not fit its columns", "EDGES",
                             "derived feature", d);
    }
    return load_origin(s, e, a, err);
}

/* A map row [256] and the in-memory mark of one stored column. */
static uint8_t expand_column(uint8_t kind, int wide, const uint8_t *from, uint8_t *row)
{
    for (int c = 0; c < 256; c++) row[c] = (uint8_t)c;
    if (kind == COLUMN_LEFT) row[255] = 0;
    if (kind == COLUMN_MAP) memcpy(row, from, 256);
    if (kind == COLUMN_SET)
        for (int c = 0; c < 256; c++) row[c] = (from[c >> 3] >> (c & 7)) & 1 ? 0 : 255;
    return (uint8_t)(kind == COLUMN_PLAIN ? 0 : kind == COLUMN_LEFT && wide ? 2 : 1);
}

static tide_status load_columns(const struct state *s, struct ensemble *e,
                                struct arena *a, tide_error *err)
{
    int64_t n = e->n_columns, n_map = 0, n_set = 0;
    e->column_feature = check_array(s, "MAPS", "column_feature", STATE_U32, n, 1, err);
    if (!e->column_feature) return TIDE_EMODEL;
    const uint8_t *kind = check_array(s, "MAPS", "column_kind", STATE_U8, n, 1, err);
    if (!kind) return TIDE_EMODEL;
    for (int64_t c = 0; c < n; c++) {
        uint32_t f = e->column_feature[c];
        if (f >= (uint32_t)ensemble_all(e) || kind[c] >= COLUMN_KINDS)
            return bad_place(err, TIDE_CODE_TIDE_FEATURE, "a column is out of range",
                             "MAPS", "column", c);
        int wide = e->edge_off[f + 1] - e->edge_off[f] > 254;
        if (wide && (kind[c] == COLUMN_MAP || kind[c] == COLUMN_SET))
            return bad_place(err, TIDE_CODE_TIDE_FEATURE,
                             "a map of 256 codes on a column with more", "MAPS",
                             "column", c);
        n_map += kind[c] == COLUMN_MAP;
        n_set += kind[c] == COLUMN_SET;
    }
    const uint8_t *map = check_array(s, "MAPS", "map", STATE_U8, n_map, 256, err);
    if (!map) return TIDE_EMODEL;
    const uint8_t *set = check_array(s, "MAPS", "set", STATE_U8, n_set, 32, err);
    if (!set) return TIDE_EMODEL;
    uint8_t *rows = arena_array(a, n + 1, 256), *mapped = arena_array(a, n + 1, 1);
    if (!rows || !mapped) return arena_status(a, err);
    for (int64_t c = 0; c < n; c++) {
        uint32_t f = e->column_feature[c];
        int wide = e->edge_off[f + 1] - e->edge_off[f] > 254;
        mapped[c] = expand_column(kind[c], wide, kind[c] == COLUMN_MAP ? map : set,
                                  rows + 256 * (size_t)c);
        if (kind[c] == COLUMN_MAP) map += 256;
        if (kind[c] == COLUMN_SET) set += 32;
    }
    e->map = rows;
    e->column_mapped = mapped;
    return TIDE_OK;
}

static tide_status load_tree_arrays(const struct state *s, struct ensemble *e,
                                    tide_error *err)
{
    int64_t nt = e->n_trees;
    e->tree_output = check_array(s, "TREES", "tree_output", STATE_I32, nt, 1, err);
    if (!e->tree_output) return TIDE_EMODEL;
    e->tree_node = check_array(s, "TREES", "tree_node", STATE_U32, nt + 1, 1, err);
    if (!e->tree_node) return TIDE_EMODEL;
    e->tree_leaf = check_array(s, "TREES", "tree_leaf", STATE_U32, nt + 1, 1, err);
    if (!e->tree_leaf) return TIDE_EMODEL;
    e->tree_depth = check_array(s, "TREES", "tree_depth", STATE_U32, nt, 1, err);
    if (!e->tree_depth) return TIDE_EMODEL;
    e->base = check_array(s, "TREES", "base", STATE_F64, e->n_outputs, 1, err);
    if (!e->base) return TIDE_EMODEL;
    if (!offsets_ok(e->tree_node, nt) || !offsets_ok(e->tree_leaf, nt))
        return bad_place(err, TIDE_CODE_TIDE_SIZE, "offsets do not ascend from 0",
                         "TREES", "trees", nt);
    int64_t nodes = e->tree_node[nt], leaves = e->tree_leaf[nt];
    e->node_column = check_array(s, "NODES", "node_column", STATE_U32, nodes, 1, err);
    if (!e->node_column) return TIDE_EMODEL;
    e->node_thr = check_array(s, "NODES", "node_thr", STATE_U16, nodes, 1, err);
    if (!e->node_thr) return TIDE_EMODEL;
    e->node_left = check_array(s, "NODES", "node_left", STATE_U32, nodes, 1, err);
    if (!e->node_left) return TIDE_EMODEL;
    e->node_right = check_array(s, "NODES", "node_right", STATE_U32, nodes, 1, err);
    if (!e->node_right) return TIDE_EMODEL;
    e->leaf = check_array(s, "LEAVES", "leaf", STATE_F64, leaves, e->leaf_width, err);
    if (!e->leaf) return TIDE_EMODEL;
    const struct {
        const char *name;
        int64_t n;
        const double **to;
    } extra[3] = {
        {"leaf_cover", leaves, &e->leaf_cover},
        {"node_cover", nodes, &e->node_cover},
        {"node_gain", nodes, &e->node_gain},
    };
    for (int i = 0; i < 3; i++) {
        if (!state_find(s, extra[i].name)) continue;
        *extra[i].to =
            check_array(s, "COVER", extra[i].name, STATE_F64, extra[i].n, 1, err);
        if (!*extra[i].to) return TIDE_EMODEL;
    }
    return TIDE_OK;
}

/* Structure of one tree. */
struct tree_check {
    const struct ensemble *e;
    int64_t tree;
    uint32_t n_nodes, n_leaves;
};

static tide_status bad_node(const struct tree_check *c, tide_error *err, tide_code code,
                            const char *what, const char *kind, const char *of,
                            uint32_t i)
{
    err_set(err, code, "%s", what);
    return err_place(err, "section %s, tree %lld, %s %u", kind, (long long)c->tree, of,
                     i);
}

static tide_status check_test(const struct tree_check *c, uint32_t i, tide_error *err)
{
    const struct ensemble *e = c->e;
    uint32_t at = e->tree_node[c->tree] + i, col = e->node_column[at];
    if (col >= (uint32_t)e->n_columns)
        return bad_node(c, err, TIDE_CODE_TIDE_FEATURE, "the column is out of range",
                        "NODES", "node", i);
    uint32_t f = e->column_feature[col], n_edge = e->edge_off[f + 1] - e->edge_off[f];
    /* n_edge itself: every number left, missing right */
    uint32_t most = e->feature_kind[f] || e->column_mapped[col] == 1 ? 254 : n_edge;
    if (e->node_thr[at] > most)
        return bad_node(c, err, TIDE_CODE_TIDE_FEATURE, "the threshold is out of range",
                        "NODES", "node", i);
    return TIDE_OK;
}

static tide_status check_tree(const struct tree_check *c, tide_error *err)
{
    const struct ensemble *e = c->e;
    uint32_t stack[ENSEMBLE_DEPTH_MAX + 1];
    uint16_t depth[ENSEMBLE_DEPTH_MAX + 1];
    uint32_t n_stack = 0, at = 0, level = 0, deepest = 0, met = 0, leaf = 0;
    if (c->n_leaves != c->n_nodes + 1)
        return bad_node(c, err, TIDE_CODE_TIDE_TREE,
                        "a tree has one leaf more than nodes", "NODES", "nodes",
                        c->n_nodes);
    for (;;) {
        if (at < c->n_nodes) {
            uint32_t n0 = e->tree_node[c->tree] + at;
            uint32_t left = e->node_left[n0], right = e->node_right[n0];
            uint32_t total = c->n_nodes + c->n_leaves;
            met++;
            if (left <= at || right <= at || left >= total || right >= total)
                return bad_node(c, err, TIDE_CODE_TIDE_TREE,
                                "a child does not come after its parent", "NODES",
                                "node", at);
            if (level == ENSEMBLE_DEPTH_MAX)
                return bad_node(c, err, TIDE_CODE_LIMIT_DEPTH, "deeper than 512 levels",
                                "NODES", "node", at);
            tide_status status = check_test(c, at, err);
            if (status) return status;
            stack[n_stack] = right;
            depth[n_stack++] = (uint16_t)(level + 1);
            at = left;
            level++;
            continue;
        }
        if (at - c->n_nodes != leaf++)
            return bad_node(c, err, TIDE_CODE_TIDE_TREE,
                            "leaves are shared or not from left to right", "NODES",
                            "leaf", at - c->n_nodes);
        deepest = level > deepest ? level : deepest;
        if (!n_stack) break;
        at = stack[--n_stack];
        level = depth[n_stack];
    }
    if (met != c->n_nodes || leaf != c->n_leaves)
        return bad_node(c, err, TIDE_CODE_TIDE_TREE, "not every node can be reached",
                        "NODES", "nodes", c->n_nodes);
    if (deepest != e->tree_depth[c->tree])
        return bad_node(c, err, TIDE_CODE_TIDE_TREE, "the stored depth is another",
                        "TREES", "depth", e->tree_depth[c->tree]);
    return TIDE_OK;
}

/* Finite, and not below `least`; the first that is not is named. */
static tide_status check_numbers(const struct ensemble *e, const double *x,
                                 const uint32_t *off, int32_t width, double least,
                                 const char *kind, const char *of, tide_error *err)
{
    for (int64_t t = 0; x && t < e->n_trees; t++) {
        struct tree_check c = {.e = e, .tree = t};
        for (int64_t i = (int64_t)off[t] * width; i < (int64_t)off[t + 1] * width; i++)
            if (!isfinite(x[i]) || x[i] < least)
                return bad_node(&c, err, TIDE_CODE_TIDE_VALUE,
                                "a number is not finite or below 0", kind, of,
                                (uint32_t)(i / width - off[t]));
    }
    return TIDE_OK;
}

static tide_status check_trees(const struct ensemble *e, tide_error *err)
{
    tide_status status = TIDE_OK;
    for (int32_t k = 0; k < e->n_outputs; k++)
        if (!isfinite(e->base[k]))
            return bad_place(err, TIDE_CODE_TIDE_VALUE, "the base score is not finite",
                             "TREES", "output", k);
    for (int32_t t = 0; t < e->n_trees && !status; t++) {
        struct tree_check c = {.e = e,
                               .tree = t,
                               .n_nodes = e->tree_node[t + 1] - e->tree_node[t],
                               .n_leaves = e->tree_leaf[t + 1] - e->tree_leaf[t]};
        if (e->tree_output[t] < 0 || e->tree_output[t] >= e->n_outputs)
            return bad_node(&c, err, TIDE_CODE_TIDE_FEATURE,
                            "the output is out of range", "TREES", "output",
                            (uint32_t)e->tree_output[t]);
        status = check_tree(&c, err);
    }
    if (!status)
        status = check_numbers(e, e->leaf, e->tree_leaf, e->leaf_width, -INFINITY,
                               "LEAVES", "leaf", err);
    if (!status)
        status =
            check_numbers(e, e->leaf_cover, e->tree_leaf, 1, 0, "COVER", "leaf", err);
    if (!status)
        status =
            check_numbers(e, e->node_cover, e->tree_node, 1, 0, "COVER", "node", err);
    if (!status)
        status =
            check_numbers(e, e->node_gain, e->tree_node, 1, 0, "COVER", "node", err);
    return status;
}

static const void *keep(struct arena *a, const void *from, int64_t n, size_t each)
{
    void *to = arena_array(a, n ? n : 1, each);
    if (to && from && n) memcpy(to, from, (size_t)n * each);
    return to;
}

/* The object outlives the state: its arrays move into the arena. */
static void keep_arrays(struct ensemble *e, struct arena *a)
{
    int64_t nf = ensemble_all(e), nt = e->n_trees;
    int64_t nodes = e->tree_node[nt], leaves = e->tree_leaf[nt];
    e->edge = keep(a, e->edge, e->edge_off[nf], 8);
    e->edge_off = keep(a, e->edge_off, nf + 1, 4);
    e->level_code = keep(a, e->level_code, e->level_off[nf], 1);
    e->level_off = keep(a, e->level_off, nf + 1, 4);
    e->feature_kind = keep(a, e->feature_kind, nf, 1);
    if (e->n_derived) e->source = keep(a, e->source, e->n_derived, 8);
    if (e->origin) {
        struct ensemble_origin *o = arena_array(a, 1, sizeof *o);
        int64_t nd = e->n_derived;
        if (!o) return;
        *o = (struct ensemble_origin){
            .output = keep(a, e->origin->output, nd, 4),
            .edge = keep(a, e->origin->edge, e->origin->edge_off[nd], 8),
            .edge_off = keep(a, e->origin->edge_off, nd + 1, 4),
            .range = keep(a, e->origin->range, 2, 8)};
        e->origin = o;
    }
    e->column_feature = keep(a, e->column_feature, e->n_columns, 4);
    e->tree_output = keep(a, e->tree_output, nt, 4);
    e->tree_node = keep(a, e->tree_node, nt + 1, 4);
    e->tree_leaf = keep(a, e->tree_leaf, nt + 1, 4);
    e->tree_depth = keep(a, e->tree_depth, nt, 4);
    e->node_column = keep(a, e->node_column, nodes, 4);
    e->node_thr = keep(a, e->node_thr, nodes, 2);
    e->node_left = keep(a, e->node_left, nodes, 4);
    e->node_right = keep(a, e->node_right, nodes, 4);
    e->leaf = keep(a, e->leaf, leaves * e->leaf_width, 8);
    e->base = keep(a, e->base, e->n_outputs, 8);
    if (e->leaf_cover) e->leaf_cover = keep(a, e->leaf_cover, leaves, 8);
    if (e->node_cover) e->node_cover = keep(a, e->node_cover, nodes, 8);
    if (e->node_gain) e->node_gain = keep(a, e->node_gain, nodes, 8);
}

tide_status ensemble_load(const struct state *s, int32_t n_cols,
                          const uint32_t *n_levels, struct arena *a,
                          struct ensemble **out, tide_error *err)
{
    struct ensemble *e = arena_zero(a, sizeof *e);
    *out = NULL;
    if (!e) return arena_status(a, err);
    tide_status status = load_shape(s, n_cols, e, err);
    if (!status) status = load_features(s, n_levels, e, err);
    if (!status) status = load_derived(s, e, a, err);
    if (!status) status = load_columns(s, e, a, err);
    if (!status) status = load_tree_arrays(s, e, err);
    if (!status) status = check_trees(e, err);
    if (status) return status;
    keep_arrays(e, a);
    status = arena_status(a, err);
    if (status) return status;
    e->engine = engine_new(e, a);
    if (!e->engine) return arena_status(a, err);
    *out = e;
    return TIDE_OK;
}
