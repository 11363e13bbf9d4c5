/* engine_score.c - rows through an engine: blocks of codes, sums, the choice of engine
 *
 * plane   16 blocks of 64 rows become byte codes, then pass through trees in chunks that stay
 *         in the second-level cache
 * walk    up to 4,096 rows become u16 codes, then each tree is walked for all of them: a deep
 *         tree is read once a call
 * linear  leaves that are linear in columns take a walk of their own (engine_linear.c)
 * Order   base first, then leaves in tree order, in f64: every engine, kernel set and batch
 *         size gives the same bits. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/size.h"
#include "infer/engine.h"

#define LINE        64 /* rows of a plane block */
#define BLOCKS      (ENGINE_BLOCK / LINE)
#define CHUNK_NODES 16384 /* 12 bytes a node: a chunk of trees stays in L2 */
#define WALK_ROWS   4096
#define ROW_COLUMNS 2048 /* codes of one row on the stack */

/* ------------------------------------------------------------------------ plane --- */

/* Room of one call, from `block` on; its parts begin at cache lines, since the kernel reads and
 * writes whole ones. */
struct plane_room {
    void *block;
    uint8_t *codes; /* [BLOCKS][columns][64] */
    uint8_t *lines;
    double *sum; /* [BLOCKS][outputs][64] */
};

/* NULL codes when there is no memory. */
static struct plane_room plane_room_new(const struct ensemble_engine *g)
{
    const struct simd_plane *p = g->plane;
    /* bounded: 16,384 columns, 512 lines, 256 outputs */
    size_t lines = (size_t)p->first_node * 2 * LINE;
    size_t codes = (size_t)BLOCKS * (size_t)(g->n_columns + 1) * LINE;
    size_t sums = (size_t)BLOCKS * (size_t)g->e->n_outputs * LINE * sizeof(double);
    struct plane_room room = {.block = mem_alloc(sums + codes + lines + 2 * LINE)};
    if (!room.block) return room;
    uint8_t *all = (uint8_t *)room.block + (-(uintptr_t)room.block & (LINE - 1));
    room.sum = (double *)(void *)all;
    room.codes = all + sums;
    room.lines = room.codes + codes;
    memset(room.codes, 0, codes);
    for (int32_t l = 0; l < p->first_node; l++)
        memset(room.lines + (size_t)l * LINE, l, LINE);
    return room;
}

static void plane_codes(const struct ensemble_engine *g, const struct simd_table *simd,
                        const struct view *x, int64_t i0, int64_t n, uint8_t *codes)
{
    size_t block = (size_t)g->n_columns * LINE;
    uint8_t base[ENGINE_BLOCK], own[ENGINE_BLOCK];
    for (int32_t i = 0; i < g->n_used; i++) {
        engine_codes_u8(g->e, simd, i < g->n_narrow ? &g->edges[i] : NULL, x,
                        (int32_t)g->used[i], i0, n, base);
        for (uint32_t c = g->first[i]; c < g->first[i + 1]; c++) {
            const uint8_t *from = base;
            if (g->column[c].kind != COLUMN_PLAIN) {
                engine_derive_u8(&g->column[c], base, n, own);
                from = own;
            }
            for (int64_t r = 0; r < n; r += LINE)
                memcpy(codes + (size_t)(r / LINE) * block + (size_t)c * LINE, from + r,
                       (size_t)(n - r < LINE ? n - r : LINE));
        }
    }
}

static void plane_sum(const struct ensemble_engine *g, const struct simd_table *simd,
                      int64_t n, const struct plane_room *room)
{
    const struct ensemble *e = g->e;
    size_t block = (size_t)g->n_columns * LINE, sums = (size_t)e->n_outputs * LINE;
    int64_t blocks = (n + LINE - 1) / LINE;
    for (int64_t b = 0; b < blocks; b++)
        for (int32_t k = 0; k < e->n_outputs; k++)
            for (int r = 0; r < LINE; r++)
                room->sum[(size_t)b * sums + (size_t)k * LINE + (size_t)r] = e->base[k];
    for (int32_t t = 0, end; t < e->n_trees; t = end) {
        for (end = t + 1; end < e->n_trees &&
                          e->tree_node[end + 1] - e->tree_node[t] <= CHUNK_NODES;)
            end++;
        for (int64_t b = 0; b < blocks; b++)
            simd->plane(g->plane, t, end, room->codes + (size_t)b * block, room->lines,
                        room->sum + (size_t)b * sums);
    }
}

static tide_status plane_margin(const struct ensemble_engine *g,
                                const struct simd_table *simd, const struct view *x,
                                int64_t i0, int64_t n, double *out, tide_error *err)
{
    struct plane_room room = plane_room_new(g);
    int32_t k = g->e->n_outputs;
    if (!room.block) return err_nomem(err, 0);
    for (int64_t r0 = 0; r0 < n; r0 += ENGINE_BLOCK) {
        int64_t m = n - r0 < ENGINE_BLOCK ? n - r0 : ENGINE_BLOCK;
        plane_codes(g, simd, x, i0 + r0, m, room.codes);
        plane_sum(g, simd, m, &room);
        for (int64_t r = 0; r < m; r++)
            for (int32_t q = 0; q < k; q++)
                out[(r0 + r) * k + q] =
                    room.sum[((r / LINE) * k + q) * LINE + r % LINE];
    }
    mem_free(room.block);
    return TIDE_OK;
}

/* ------------------------------------------------------------------------- walk --- */

void engine_walk_codes(const struct ensemble_engine *g, const struct simd_table *simd,
                       const struct view *x, int64_t i0, int64_t n, uint16_t *codes)
{
    uint16_t base[ENGINE_BLOCK] = {0}, own[ENGINE_BLOCK];
    for (int32_t i = 0; i < g->n_used; i++)
        for (int64_t r0 = 0; r0 < n; r0 += ENGINE_BLOCK) {
            int64_t m = n - r0 < ENGINE_BLOCK ? n - r0 : ENGINE_BLOCK;
            engine_codes_u16(g->e, simd, x, (int32_t)g->used[i], i0 + r0, m, base);
            for (uint32_t c = g->first[i]; c < g->first[i + 1]; c++) {
                engine_derive_u16(&g->column[c], base, (m + 15) / 16 * 16, own);
                for (int64_t r = 0; r < m; r += 16)
                    memcpy(codes + (r0 + r) * g->n_columns + (int64_t)c * 16, own + r,
                           16 * sizeof *own);
            }
        }
}

static tide_status walk_margin(const struct ensemble_engine *g,
                               const struct simd_table *simd, const struct view *x,
                               int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct ensemble *e = g->e;
    int64_t most =
        ((int64_t)1 << 21) / (g->n_columns + 1) / 16 * 16; /* 4 MiB of codes */
    int64_t stride = (n + 15) / 16 * 16;
    if (most > WALK_ROWS) most = WALK_ROWS;
    if (most < 64) most = 64;
    if (stride > most) stride = most;
    size_t bytes = (size_t)(g->n_columns + 1) * (size_t)stride * sizeof(uint16_t);
    uint16_t *codes = mem_alloc(bytes);
    if (!codes) return err_nomem(err, bytes);
    for (int64_t r0 = 0; r0 < n; r0 += stride) {
        int64_t m = n - r0 < stride ? n - r0 : stride;
        double *to = out + r0 * e->n_outputs;
        engine_walk_codes(g, simd, x, i0 + r0, m, codes);
        for (int64_t r = 0; r < m; r++)
            memcpy(to + r * e->n_outputs, e->base, (size_t)e->n_outputs * sizeof *to);
        simd->walk_rows(g->walk, codes, g->n_columns, m, to);
    }
    mem_free(codes);
    return TIDE_OK;
}

/* ---------------------------------------------------------------------- one row --- */

/* Columns that are maps are made here, others by the kernel from the codes of features. */
static void lane_row(const struct ensemble_engine *g, const struct simd_table *simd,
                     const double *x, double *out)
{
    uint8_t base[SIMD_LANE_COLUMNS], codes[SIMD_LANE_COLUMNS];
    simd->codes_row(g->edges, g->used, g->n_narrow, x, base);
    for (int32_t i = g->n_narrow; i < g->n_used; i++)
        base[i] = (uint8_t)engine_code(g->e, (int32_t)g->used[i], x);
    for (int32_t q = 0; q < g->e->n_outputs; q++) out[q] = g->e->base[q];
    if (!g->has_maps) {
        simd->lane(g->lane, base, out);
        return;
    }
    for (int32_t i = 0; i < g->n_used; i++)
        for (uint32_t k = g->first[i]; k < g->first[i + 1]; k++)
            codes[k] =
                g->column[k].kind == COLUMN_MAP ? g->column[k].map[base[i]] : base[i];
    simd->lane(g->lane, codes, out);
}

static void walk_row(const struct ensemble_engine *g, const struct simd_table *simd,
                     const double *x, double *out)
{
    uint16_t codes[ROW_COLUMNS];
    for (int32_t i = 0; i < g->n_used; i++) {
        uint16_t c = engine_code(g->e, (int32_t)g->used[i], x);
        for (uint32_t k = g->first[i]; k < g->first[i + 1]; k++)
            engine_derive_u16(&g->column[k], &c, 1, &codes[k]);
    }
    if (g->e->linear) {
        engine_linear_row(g->e, simd, codes, x, out);
        return;
    }
    memcpy(out, g->e->base, (size_t)g->e->n_outputs * sizeof *out);
    simd->walk_row(g->walk, codes, out);
}

/* Over the unpacked arrays, values against edges. */
static void plain_row(const struct ensemble *e, const double *x, double *out)
{
    memcpy(out, e->base, (size_t)e->n_outputs * sizeof *out);
    for (int32_t t = 0; t < e->n_trees; t++) {
        uint32_t n0 = e->tree_node[t], ni = e->tree_node[t + 1] - n0, at = 0;
        while (at < ni) {
            uint32_t col = e->node_column[n0 + at];
            uint32_t c = engine_code(e, (int32_t)e->column_feature[col], x);
            if (e->column_mapped[col] == 1) c = e->map[256 * (size_t)col + (c & 255)];
            if (e->column_mapped[col] == 2 && c == UINT16_MAX) c = 0;
            at = c <= e->node_thr[n0 + at] ? e->node_left[n0 + at]
                                           : e->node_right[n0 + at];
        }
        const size_t leaf = e->tree_leaf[t] + at - ni;
        const double *v = e->leaf + leaf * (size_t)e->leaf_width;
        double *to = out + (e->leaf_width > 1 ? 0 : e->tree_output[t]);
        if (e->linear) {
            *to += ensemble_linear_value(e, (int64_t)leaf, x, 1, e->linear->feature);
            continue;
        }
        for (int32_t q = 0; q < e->leaf_width; q++) to[q] += v[q];
    }
}

/* ----------------------------------------------------------------------- choice --- */

enum engine_kind engine_choice(const struct ensemble *e, const struct simd_table *simd,
                               int64_t n)
{
    const struct ensemble_engine *g = e->engine;
    if (!g) return ENGINE_PLAIN;
    if (n == 1) {
        if (!e->linear && engine_lane_pays(g, simd->lane_positions)) return ENGINE_LANE;
        return g->walk && g->n_columns <= ROW_COLUMNS ? ENGINE_WALK : ENGINE_PLAIN;
    }
    if (g->plane && n >= 16 && !e->linear) return ENGINE_PLANE;
    return g->walk ? ENGINE_WALK : ENGINE_PLAIN;
}

void engine_row(const struct ensemble *e, const struct simd_table *simd,
                enum engine_kind kind, const double *x, double *out)
{
    const struct ensemble_engine *g = e->engine;
    if (kind == ENGINE_AUTO) kind = engine_choice(e, simd, 1);
    if (kind == ENGINE_LANE && g && g->lane && !e->linear)
        lane_row(g, simd, x, out);
    else if (kind == ENGINE_WALK && g && g->walk && g->n_columns <= ROW_COLUMNS)
        walk_row(g, simd, x, out);
    else
        plain_row(e, x, out);
}

tide_status engine_margin(const struct ensemble *e, const struct simd_table *simd,
                          enum engine_kind kind, const struct view *x, int64_t i0,
                          int64_t n, double *out, tide_error *err)
{
    const struct ensemble_engine *g = e->engine;
    if (n <= 0) return TIDE_OK;
    if (kind == ENGINE_AUTO) kind = engine_choice(e, simd, n > 1 ? n : 2);
    if (kind == ENGINE_WALK && e->linear && g && g->walk)
        return engine_linear_margin(e, simd, x, i0, n, out, err);
    if (kind == ENGINE_PLANE && g && g->plane && !e->linear)
        return plane_margin(g, simd, x, i0, n, out, err);
    if (kind == ENGINE_WALK && g && g->walk)
        return walk_margin(g, simd, x, i0, n, out, err);
    return ensemble_margin_plain(e, x, i0, n, 0, out, err);
}

void ensemble_row(const struct ensemble *e, const double *x, double *out)
{
    engine_row(e, simd_get(NULL), ENGINE_AUTO, x, out);
}

void ensemble_engines(const struct ensemble *e, const char **batch, const char **row)
{
    const struct ensemble_engine *g = e->engine;
    const char *any = g && g->walk ? "walk" : "plain";
    *batch = g && g->plane && !e->linear ? "plane" : any;
    *row = g && g->lane && !e->linear         ? "lane"
           : g && g->n_columns <= ROW_COLUMNS ? any
                                              : "plain";
}
