/* engine.c - which derived columns an ensemble uses, and their codes */
#include "infer/engine.h"

#include <math.h>
#include <string.h>

int ensemble_map_kind(const uint8_t *map)
{
    int left = map[255] == 0, set = 1;
    for (int c = 0; c < 256; c++) {
        if (c < 255 && map[c] != c) left = 0;
        if (map[c] != 0 && map[c] != 255) set = 0;
    }
    return left ? COLUMN_LEFT : set ? COLUMN_SET : COLUMN_MAP;
}

/* ------------------------------------------------------------------------ codes --- */

/* The levels of a source, each beyond the last as the last. */
static void source_levels(const struct view *x, int32_t j, uint32_t n_level, int64_t i0,
                          int64_t n, uint32_t *out)
{
    if (x->cols[j]->type != TIDE_CAT) { /* nothing is known */
        for (int64_t r = 0; r < n; r++) out[r] = n_level;
        return;
    }
    view_codes(x, j, i0, n, out);
    for (int64_t r = 0; r < n; r++) out[r] = out[r] < n_level ? out[r] : n_level;
}

void ensemble_derived_codes(const struct view *x, const int32_t source[2],
                            const uint32_t n_level[2], const uint8_t *table, int64_t i0,
                            int64_t n, uint8_t *out)
{
    uint32_t first[ENGINE_BLOCK], second[ENGINE_BLOCK];
    source_levels(x, source[0], n_level[0], i0, n, first);
    if (source[1] < 0) {
        for (int64_t r = 0; r < n; r++) out[r] = table[first[r]];
        return;
    }
    source_levels(x, source[1], n_level[1], i0, n, second);
    for (int64_t r = 0; r < n; r++)
        out[r] = table[(size_t)first[r] * (n_level[1] + 1) + second[r]];
}

/* Levels of the columns that a derived feature is made of. */
static const int32_t *derived_source(const struct ensemble *e, int32_t f,
                                     uint32_t n_level[2])
{
    const int32_t *source = e->source + 2 * (size_t)(f - e->n_features);
    for (int i = 0; i < 2; i++)
        n_level[i] =
            source[i] < 0 ? 0 : e->level_off[source[i] + 1] - e->level_off[source[i]];
    return source;
}

void engine_codes_u8(const struct ensemble *e, const struct simd_table *simd,
                     const struct simd_edges *edges, const struct view *x, int32_t f,
                     int64_t i0, int64_t n, uint8_t *out)
{
    if (f >= e->n_features) {
        uint32_t n_level[2];
        const int32_t *source = derived_source(e, f, n_level);
        ensemble_derived_codes(x, source, n_level, e->level_code + e->level_off[f], i0,
                               n, out);
        return;
    }
    const struct column *col = x->cols[f];
    if (e->feature_kind[f] == 1 && col->type == TIDE_CAT) {
        uint32_t raw[ENGINE_BLOCK];
        uint32_t l0 = e->level_off[f], n_level = e->level_off[f + 1] - l0;
        view_codes(x, f, i0, n, raw);
        for (int64_t r = 0; r < n; r++)
            out[r] = raw[r] < n_level ? e->level_code[l0 + raw[r]] : 255;
    } else if (e->feature_kind[f] == 0 && column_is_numeric(col)) {
        double v[ENGINE_BLOCK];
        uint32_t e0 = e->edge_off[f];
        view_numbers(x, f, i0, n, v);
        if (edges)
            simd->codes_u8(edges, v, n, out);
        else
            simd->quantise_u8(v, n, e->edge + e0, (int)(e->edge_off[f + 1] - e0), out);
    } else { /* a column of another kind than the model's: nothing is known */
        memset(out, 255, (size_t)n);
    }
}

void engine_codes_u16(const struct ensemble *e, const struct simd_table *simd,
                      const struct view *x, int32_t f, int64_t i0, int64_t n,
                      uint16_t *out)
{
    uint32_t e0 = e->edge_off[f], n_edge = e->edge_off[f + 1] - e0;
    if (n_edge > 254 && column_is_numeric(x->cols[f])) { /* never derived */
        double v[ENGINE_BLOCK];
        view_numbers(x, f, i0, n, v);
        simd->quantise_u16(v, n, e->edge + e0, (int)n_edge, out);
        return;
    }
    uint8_t c[ENGINE_BLOCK];
    engine_codes_u8(e, simd, NULL, x, f, i0, n, c);
    for (int64_t r = 0; r < n; r++) out[r] = c[r] == 255 ? UINT16_MAX : c[r];
}

/* The level that a number of a row stands for, n_level: missing or unseen. */
static uint32_t level_of(double x, uint32_t n_level)
{
    return x >= 0 && x < n_level ? (uint32_t)x : n_level;
}

static uint16_t derived_code(const struct ensemble *e, int32_t f, const double *row)
{
    uint32_t n_level[2];
    const int32_t *source = derived_source(e, f, n_level);
    size_t at = level_of(row[source[0]], n_level[0]);
    if (source[1] >= 0)
        at = at * (n_level[1] + 1) + level_of(row[source[1]], n_level[1]);
    uint8_t c = e->level_code[e->level_off[f] + at];
    return c == 255 ? UINT16_MAX : c;
}

uint16_t engine_code(const struct ensemble *e, int32_t f, const double *row)
{
    if (f >= e->n_features) return derived_code(e, f, row);
    double x = row[f];
    if (e->feature_kind[f] == 1) {
        uint32_t l0 = e->level_off[f], n_level = e->level_off[f + 1] - l0;
        uint32_t l = level_of(x, n_level);
        uint8_t c = l < n_level ? e->level_code[l0 + l] : 255;
        return c == 255 ? UINT16_MAX : c;
    }
    if (isnan(x)) return UINT16_MAX;
    uint32_t lo = e->edge_off[f], hi = e->edge_off[f + 1];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e->edge[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint16_t)(lo - e->edge_off[f]);
}

void engine_derive_u8(const struct engine_column *c, const uint8_t *base, int64_t n,
                      uint8_t *out)
{
    switch (c->kind) {
    case COLUMN_LEFT:
        for (int64_t r = 0; r < n; r++) out[r] = base[r] == 255 ? 0 : base[r];
        break;
    case COLUMN_MAP:
        for (int64_t r = 0; r < n; r++) out[r] = c->map[base[r]];
        break;
    default:
        memcpy(out, base, (size_t)n);
    }
}

void engine_derive_u16(const struct engine_column *c, const uint16_t *base, int64_t n,
                       uint16_t *out)
{
    switch (c->kind) {
    case COLUMN_LEFT:
        for (int64_t r = 0; r < n; r++) out[r] = base[r] == UINT16_MAX ? 0 : base[r];
        break;
    case COLUMN_MAP:
        for (int64_t r = 0; r < n; r++) out[r] = c->map[base[r] & 255];
        break;
    default:
        memcpy(out, base, (size_t)n * sizeof *out);
    }
}

/* ---------------------------------------------------------------------- columns --- */

static int is_narrow(const struct ensemble *e, uint32_t f)
{
    return e->edge_off[f + 1] - e->edge_off[f] <= 254;
}

/* Edges of a feature as the kernels take them. */
static int edges_new(const struct ensemble *e, uint32_t f, struct arena *a,
                     struct simd_edges *out)
{
    int32_t n = (int32_t)(e->edge_off[f + 1] - e->edge_off[f]);
    const double *from = e->edge + e->edge_off[f];
    float *level = arena_array(a, SIMD_LEVEL_FLOATS, sizeof *level);
    double *edge = arena_array(a, n + 1, sizeof *edge);
    if (!level || !edge) return -1;
    int is_distinct = 1;
    for (int i = 0; i < SIMD_LEVEL_FLOATS; i++) level[i] = INFINITY;
    for (int32_t i = 0; i < n; i++) {
        float near = (float)from[i] + 0.0f; /* no negative zero */
        edge[i] = from[i];
        level[16 + i] = near;
        if (i % 16 == 15) level[i / 16] = near;
        is_distinct &= isfinite(near) && (i == 0 || level[15 + i] < near);
    }
    edge[n] = INFINITY;
    *out = (struct simd_edges){
        .level = is_distinct ? level : NULL, .edge = edge, .n_edge = n};
    return 0;
}

/* Which columns nodes use: plain and missing-left ones once a feature, others as they are. */
struct column_use {
    const struct ensemble *e;
    uint8_t *kind;    /* [n_columns] of the ensemble's columns */
    uint32_t *same;   /* [n_columns] the column that stands for it */
    uint8_t *is_used; /* [n_columns] */
};

static int find_uses(struct column_use *u, struct arena *a)
{
    const struct ensemble *e = u->e;
    int64_t nodes = e->tree_node[e->n_trees];
    uint32_t *plain = arena_array(a, 2 * (int64_t)ensemble_all(e) + 1, sizeof *plain);
    u->kind = arena_zero(a, (size_t)e->n_columns + 1);
    u->is_used = arena_zero(a, (size_t)e->n_columns + 1);
    u->same = arena_array(a, e->n_columns + 1, sizeof *u->same);
    if (!plain || !u->kind || !u->is_used || !u->same) return -1;
    memset(plain, 255, 2 * (size_t)ensemble_all(e) * sizeof *plain);
    for (int32_t c = 0; c < e->n_columns; c++) {
        const uint8_t *map = e->map + 256 * (size_t)c;
        int is_left =
            e->column_mapped[c] == 2 ||
            (e->column_mapped[c] == 1 && ensemble_map_kind(map) == COLUMN_LEFT);
        u->kind[c] = is_left                    ? COLUMN_LEFT
                     : e->column_mapped[c] == 1 ? COLUMN_MAP
                                                : COLUMN_PLAIN;
        u->same[c] = (uint32_t)c;
        if (u->kind[c] == COLUMN_MAP) continue;
        uint32_t *known = &plain[2 * (size_t)e->column_feature[c] + (size_t)is_left];
        if (*known == UINT32_MAX) *known = (uint32_t)c;
        u->same[c] = *known;
    }
    for (int64_t i = 0; i < nodes; i++) u->is_used[u->same[e->node_column[i]]] = 1;
    return 0;
}

/* Features in use, narrow numbers first, each with its columns in a row. */
static int list_columns(struct ensemble_engine *g, const struct column_use *u,
                        struct arena *a)
{
    const struct ensemble *e = g->e;
    int64_t nf = ensemble_all(e), nodes = e->tree_node[e->n_trees];
    uint32_t *count = arena_zero(a, ((size_t)nf + 1) * sizeof *count);
    uint32_t *used = arena_array(a, nf + 1, sizeof *used);
    uint32_t *first = arena_array(a, nf + 1, sizeof *first);
    uint32_t *number = arena_array(a, e->n_columns + 1, sizeof *number);
    uint32_t *of_node = arena_array(a, nodes + 1, sizeof *of_node);
    struct engine_column *column = arena_array(a, e->n_columns + 1, sizeof *column);
    if (!count || !used || !first || !number || !of_node || !column) return -1;
    g->is_narrow = 1;
    for (int32_t c = 0; c < e->n_columns; c++)
        if (u->is_used[c]) count[e->column_feature[c]]++;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t f = 0; f < (uint32_t)nf; f++) {
            int narrow = is_narrow(e, f), is_first = narrow && e->feature_kind[f] == 0;
            if (!count[f] || is_first == pass) continue;
            g->is_narrow &= narrow;
            g->n_narrow += is_first;
            used[g->n_used++] = f;
        }
    for (int32_t i = 0; i < g->n_used; i++) {
        first[i] = (uint32_t)g->n_columns;
        g->n_columns += (int32_t)count[used[i]];
        count[used[i]] = first[i]; /* the next free one */
    }
    first[g->n_used] = (uint32_t)g->n_columns;
    for (uint32_t c = 0; c < (uint32_t)e->n_columns; c++) {
        if (!u->is_used[c]) continue;
        number[c] = count[e->column_feature[c]]++;
        g->has_maps |= u->kind[c] == COLUMN_MAP;
        column[number[c]] = (struct engine_column){.feature = e->column_feature[c],
                                                   .kind = u->kind[c],
                                                   .map = e->map + 256 * (size_t)c};
    }
    for (int64_t i = 0; i < nodes; i++) of_node[i] = number[u->same[e->node_column[i]]];
    g->used = used;
    g->first = first;
    g->column = column;
    g->of_node = of_node;
    return 0;
}

const struct ensemble_engine *engine_new(const struct ensemble *e, struct arena *a)
{
    struct ensemble_engine *g = arena_zero(a, sizeof *g);
    struct column_use u = {.e = e};
    if (!g) return NULL;
    g->e = e;
    if (find_uses(&u, a) || list_columns(g, &u, a)) return NULL;
    struct simd_edges *edges = arena_array(a, g->n_narrow + 1, sizeof *edges);
    if (!edges) return NULL;
    for (int32_t i = 0; i < g->n_narrow; i++)
        if (edges_new(e, g->used[i], a, &edges[i])) return NULL;
    g->edges = edges;
    engine_plane_new(g, a, &g->plane);
    engine_lane_new(g, a, &g->lane);
    engine_walk_new(g, a, &g->walk);
    return arena_status(a, NULL) ? NULL : g;
}
