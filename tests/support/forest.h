/* forest.h - random ensembles with rows to score them on, for tests of infer/
 *
 * Trees split a random leaf until they have as many as asked for; covers are shares of rows as
 * if each split sent a random part left; leaves are numbered from left to right. */
#ifndef SUPPORT_FOREST_H
#define SUPPORT_FOREST_H
#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "infer/ensemble.h"
#include "support/toy_table.h"

struct forest_shape {
    uint64_t seed;
    int features, trees, leaves, outputs, width;
    int edges;      /* of a number */
    int wide_edges; /* of feature 1 where > 0 */
    int categories; /* 1: every third feature is one, with sets */
    int vary;       /* 1: trees of 1 to `leaves` leaves */
    int whole;      /* 1: no missing values */
    int chain;      /* 1: each split is of the leaf that came last */
    int32_t n_rows;
};
struct forest {
    struct arena arena;
    struct ensemble e; /* plain */
    struct ensemble *loaded;
    struct toy *toy;
    const struct view *view;
    double *rows; /* [n_rows][features] as ensemble_row takes them */
};

struct forest_grow {
    int32_t left[4096], right[4096], number[8192], depth[8192], parent[8192];
    double cover[8192];
};

/* Cells: number i of a feature's grid lies half-way between edges or upon one. */
static inline void forest_table(struct forest *f, const struct forest_shape *s,
                                const uint8_t *kind, const uint32_t *n_edge)
{
    char name[16];
    f->toy = toy_new(s->n_rows);
    f->rows = arena_array(&f->arena, (int64_t)s->n_rows * s->features, 8);
    for (int j = 0; j < s->features; j++) {
        snprintf(name, sizeof name, "f%03d", j);
        double *x = kind[j] ? NULL : toy_number(f->toy, name);
        uint32_t *c = kind[j] ? toy_category(f->toy, name, 40) : NULL;
        for (int32_t i = 0; i < s->n_rows; i++) {
            double u = toy_u(s->seed, i, (uint32_t)j), v;
            int gone = !s->whole && toy_u(s->seed, i, (uint32_t)(j + 1000)) < 0.1;
            if (x) {
                v = gone ? (double)NAN : floor(u * (double)n_edge[j] * 2.2 - 1) * 0.5;
                x[i] = v;
            } else {
                c[i] = gone ? CODE_MISSING : (uint32_t)(u * 44);
                if (c[i] != CODE_MISSING && c[i] >= 40) c[i] = CODE_MISSING;
                v = c[i] == CODE_MISSING ? (double)NAN : c[i];
            }
            f->rows[(int64_t)i * s->features + j] = v;
        }
    }
    f->view = toy_view(f->toy);
}

/* One tree into arrays that begin at its first node and leaf. Returns its depth. */
static inline uint32_t forest_tree(struct forest_grow *g, uint64_t seed, uint64_t t,
                                   int leaves, int chain, uint32_t *left,
                                   uint32_t *right, double *node_cover,
                                   double *leaf_cover)
{
    int n = 1, inner = 0, open[4096], n_open = 1;
    g->number[0] = -1;
    g->depth[0] = 0;
    g->cover[0] = 1000;
    open[0] = 0;
    /* grow: nodes get numbers in the order of their splits, so children come later */
    while (n_open < leaves) {
        int pick = (int)(toy_u(seed, (int64_t)t, (uint32_t)(7000 + n)) * n_open);
        if (chain) pick = n_open - 1;
        int at = open[pick];
        double share = 0.1 + 0.8 * toy_u(seed, (int64_t)t, (uint32_t)(17000 + n));
        g->number[at] = inner;
        g->left[inner] = n;
        g->right[inner++] = n + 1;
        for (int k = 0; k < 2; k++) {
            g->number[n + k] = -1;
            g->depth[n + k] = g->depth[at] + 1;
            g->cover[n + k] = g->cover[at] * (k ? 1 - share : share);
        }
        open[pick] = n;
        open[n_open++] = n + 1;
        n += 2;
    }
    /* leaves from left to right */
    int stack[4096], top = 0, leaf = 0;
    uint32_t depth = 0;
    stack[top++] = 0;
    while (top) {
        int at = stack[--top];
        if (g->number[at] < 0) {
            if ((uint32_t)g->depth[at] > depth) depth = (uint32_t)g->depth[at];
            leaf_cover[leaf] = g->cover[at];
            g->parent[at] = inner + leaf++; /* its number */
        } else {
            g->parent[at] = g->number[at];
            stack[top++] = g->right[g->number[at]];
            stack[top++] = g->left[g->number[at]];
        }
    }
    for (int at = 0; at < n; at++) {
        int i = g->number[at];
        if (i < 0) continue;
        left[i] = (uint32_t)g->parent[g->left[i]];
        right[i] = (uint32_t)g->parent[g->right[i]];
        node_cover[i] = g->cover[at];
    }
    return depth;
}

static inline struct forest *forest_new(const struct forest_shape *s)
{
    struct forest *f = calloc(1, sizeof *f);
    struct forest_grow *grow = calloc(1, sizeof *grow);
    struct arena *a = &f->arena;
    struct state state;
    int nf = s->features;
    int64_t most = (int64_t)s->trees * s->leaves;
    arena_init(a, NULL);
    state_init(&state, a);
    uint8_t *kind = arena_zero(a, (size_t)nf), *lcode = arena_array(a, nf * 40, 1);
    uint32_t *eoff = arena_zero(a, ((size_t)nf + 1) * 4),
             *n_edge = arena_zero(a, (size_t)nf * 4);
    uint32_t *loff = arena_zero(a, ((size_t)nf + 1) * 4),
             *n_level = arena_zero(a, (size_t)nf * 4);
    for (int j = 0; j < nf; j++) {
        kind[j] = s->categories && j % 3 == 2;
        n_edge[j] =
            kind[j] ? 0
                    : (uint32_t)(j == 1 && s->wide_edges ? s->wide_edges : s->edges);
        n_level[j] = kind[j] ? 40 : 0;
        eoff[j + 1] = eoff[j] + n_edge[j];
        loff[j + 1] = loff[j] + n_level[j];
    }
    double *edge = arena_array(a, eoff[nf] + 1, 8);
    for (int j = 0; j < nf; j++) {
        for (uint32_t i = 0; i < n_edge[j]; i++) edge[eoff[j] + i] = i;
        for (uint32_t i = 0; i < n_level[j]; i++)
            lcode[loff[j] + i] = (uint8_t)(i == 7 ? 255 : i);
    }
    /* three columns a feature: plain, missing left, a set (numbers: missing left again) */
    uint32_t *cf = arena_array(a, 3 * nf, 4);
    uint8_t *mapped = arena_zero(a, 3 * (size_t)nf), *map = arena_array(a, 3 * nf, 256);
    for (int c = 0; c < 3 * nf; c++) {
        uint32_t j = (uint32_t)c / 3;
        cf[c] = j;
        for (int i = 0; i < 256; i++) map[c * 256 + i] = (uint8_t)i;
        if (c % 3 == 0) continue;
        mapped[c] = n_edge[j] > 254 ? 2 : 1;
        map[c * 256 + 255] = 0;
        if (c % 3 == 2 && kind[j])
            for (int i = 0; i < 256; i++)
                map[c * 256 + i] =
                    toy_u(s->seed, i, (uint32_t)(99 + c)) < 0.5 ? 0 : 255;
    }
    uint32_t *tn = arena_zero(a, ((size_t)s->trees + 1) * 4);
    uint32_t *tl = arena_zero(a, ((size_t)s->trees + 1) * 4);
    uint32_t *td = arena_zero(a, (size_t)s->trees * 4);
    uint32_t *nc = arena_array(a, most, 4), *left = arena_array(a, most, 4),
             *right = arena_array(a, most, 4);
    uint16_t *thr = arena_array(a, most, 2);
    double *ncover = arena_array(a, most, 8), *lcover = arena_array(a, most, 8);
    double *value = arena_array(a, most * s->width, 8);
    double *base = arena_array(a, s->outputs, 8);
    int32_t *output = arena_zero(a, (size_t)s->trees * 4);
    for (int k = 0; k < s->outputs; k++) base[k] = 0.5 - k;
    for (int t = 0; t < s->trees; t++) {
        int leaves = s->vary ? 1 + (int)(toy_u(s->seed, t, 55) * s->leaves) : s->leaves;
        output[t] = s->width > 1 ? 0 : t % s->outputs;
        tn[t + 1] = tn[t] + (uint32_t)leaves - 1;
        tl[t + 1] = tl[t] + (uint32_t)leaves;
        td[t] = forest_tree(grow, s->seed, (uint64_t)t, leaves, s->chain, left + tn[t],
                            right + tn[t], ncover + tn[t], lcover + tl[t]);
        for (uint32_t i = tn[t]; i < tn[t + 1]; i++) {
            nc[i] = (uint32_t)(toy_u(s->seed, i, 60) * 3 * nf);
            if (s->whole) nc[i] -= nc[i] % 3;
            uint32_t j = cf[nc[i]];
            thr[i] = (uint16_t)(toy_u(s->seed, i, 61) * (kind[j] ? 40 : n_edge[j] + 1));
            if (kind[j] && nc[i] % 3 == 2) thr[i] = 0;
        }
        for (int64_t i = (int64_t)tl[t] * s->width; i < (int64_t)tl[t + 1] * s->width;
             i++)
            value[i] = toy_u(s->seed, i, 62) - 0.5;
    }
    f->e = (struct ensemble){.n_features = nf,
                             .n_columns = 3 * nf,
                             .n_trees = s->trees,
                             .n_outputs = s->outputs,
                             .link = s->outputs > 1 ? LINK_SOFTMAX : LINK_IDENTITY,
                             .feature_kind = kind,
                             .edge_off = eoff,
                             .edge = edge,
                             .level_off = loff,
                             .level_code = lcode,
                             .column_feature = cf,
                             .column_mapped = mapped,
                             .map = map,
                             .tree_output = output,
                             .tree_node = tn,
                             .tree_leaf = tl,
                             .tree_depth = td,
                             .node_column = nc,
                             .node_thr = thr,
                             .node_left = left,
                             .node_right = right,
                             .leaf = value,
                             .leaf_width = s->width,
                             .leaf_cover = lcover,
                             .node_cover = ncover,
                             .base = base};
    forest_table(f, s, kind, n_edge);
    tide_error err = {0};
    ensemble_save(&f->e, &state);
    if (ensemble_load(&state, nf, n_level, a, &f->loaded, &err))
        fprintf(stderr, "forest: %s at %s\n", err.message, err.place);
    free(grow);
    return f;
}
static inline void forest_free(struct forest *f)
{
    toy_free(f->toy);
    arena_free(&f->arena);
    free(f);
}
#endif
