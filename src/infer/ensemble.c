/* ensemble.c - tree ensembles: to a state, and scores from them
 *
 * Scoring      by an engine (engine.h) where the ensemble was loaded; here is the oracle, a walk
 *              over the unpacked arrays for blocks of 128 rows of u16 codes (missing 65535),
 *              which also scores the first rounds of an ensemble alone.
 * Order        a row's score is base + leaves in tree order, in f64: any batch, any engine
 *              gives the same bytes as row by row.
 * File         sets and "missing goes left" are stored as kinds, not as 256-byte maps: a set
 *              takes 32 bytes. Column kinds in a state: 0 plain, 1 map, 2 missing left, 3 set.
 */
#include "infer/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "base/size.h"
#include "infer/engine.h"
#include "simd/simd.h"
#include "simd/vmath.h"

#define WALK_ROWS 128

/* ------------------------------------------------------------------ to a state --- */

static void save_columns(const struct ensemble *e, struct state *s)
{
    uint8_t *kind = state_new(s, "MAPS", "column_kind", STATE_U8, e->n_columns, 1, 1);
    int64_t n_map = 0, n_set = 0;
    if (!kind) return;
    for (int32_t c = 0; c < e->n_columns; c++) {
        kind[c] = e->column_mapped[c] == 2 ? COLUMN_LEFT : COLUMN_PLAIN;
        if (e->column_mapped[c] == 1)
            kind[c] = (uint8_t)ensemble_map_kind(e->map + 256 * (size_t)c);
        n_map += kind[c] == COLUMN_MAP;
        n_set += kind[c] == COLUMN_SET;
    }
    uint8_t *map = state_new(s, "MAPS", "map", STATE_U8, n_map, 256, 1);
    uint8_t *set = state_new(s, "MAPS", "set", STATE_U8, n_set, 32, 1);
    if (!map || !set) return;
    for (int32_t c = 0; c < e->n_columns; c++) {
        const uint8_t *from = e->map + 256 * (size_t)c;
        if (kind[c] == COLUMN_MAP) {
            memcpy(map, from, 256);
            map += 256;
        } else if (kind[c] == COLUMN_SET) {
            for (int i = 0; i < 256; i++)
                if (from[i] == 0) set[i >> 3] |= (uint8_t)(1u << (i & 7));
            set += 32;
        }
    }
}

static void save_derived(const struct ensemble *e, struct state *s)
{
    const struct ensemble_origin *o = e->origin;
    int64_t nd = e->n_derived;
    state_put(s, "EDGES", "source", STATE_I32, nd, 2, 1, e->source);
    if (!o) return;
    state_put(s, "EDGES", "origin_output", STATE_I32, nd, 1, 1, o->output);
    state_put(s, "EDGES", "origin_off", STATE_U32, nd + 1, 1, 1, o->edge_off);
    state_put(s, "EDGES", "origin_edge", STATE_F64, o->edge_off[nd], 1, 1, o->edge);
    state_put(s, "EDGES", "origin_range", STATE_F64, 2, 1, 1, o->range);
}

/* `put` takes what grows with nodes and leaves. */
static void save(const struct ensemble *e, struct state *s,
                 void (*put)(struct state *, const char *, const char *,
                             enum state_type, int64_t, int64_t, int64_t, const void *))
{
    int64_t nf = ensemble_all(e), nt = e->n_trees;
    int64_t nodes = e->tree_node[nt], leaves = e->tree_leaf[nt];
    int32_t shape[8] = {e->n_features, e->n_columns,  e->n_trees,  e->n_outputs,
                        e->link,       e->leaf_width, e->n_derived};
    state_put(s, "TREES", "shape", STATE_I32, 8, 1, 1, shape);
    state_put(s, "EDGES", "feature_kind", STATE_U8, nf, 1, 1, e->feature_kind);
    state_put(s, "EDGES", "edge_off", STATE_U32, nf + 1, 1, 1, e->edge_off);
    state_put(s, "EDGES", "edge", STATE_F64, e->edge_off[nf], 1, 1, e->edge);
    state_put(s, "EDGES", "level_off", STATE_U32, nf + 1, 1, 1, e->level_off);
    state_put(s, "EDGES", "level_code", STATE_U8, e->level_off[nf], 1, 1,
              e->level_code);
    if (e->n_derived) save_derived(e, s);
    state_put(s, "MAPS", "column_feature", STATE_U32, e->n_columns, 1, 1,
              e->column_feature);
    save_columns(e, s);
    state_put(s, "TREES", "tree_output", STATE_I32, nt, 1, 1, e->tree_output);
    state_put(s, "TREES", "tree_node", STATE_U32, nt + 1, 1, 1, e->tree_node);
    state_put(s, "TREES", "tree_leaf", STATE_U32, nt + 1, 1, 1, e->tree_leaf);
    state_put(s, "TREES", "tree_depth", STATE_U32, nt, 1, 1, e->tree_depth);
    state_put(s, "TREES", "base", STATE_F64, e->n_outputs, 1, 1, e->base);
    put(s, "NODES", "node_column", STATE_U32, nodes, 1, 1, e->node_column);
    put(s, "NODES", "node_thr", STATE_U16, nodes, 1, 1, e->node_thr);
    put(s, "NODES", "node_left", STATE_U32, nodes, 1, 1, e->node_left);
    put(s, "NODES", "node_right", STATE_U32, nodes, 1, 1, e->node_right);
    put(s, "LEAVES", "leaf", STATE_F64, leaves, e->leaf_width, 1, e->leaf);
    if (e->leaf_cover)
        put(s, "COVER", "leaf_cover", STATE_F64, leaves, 1, 1, e->leaf_cover);
    if (e->node_cover)
        put(s, "COVER", "node_cover", STATE_F64, nodes, 1, 1, e->node_cover);
    if (e->node_gain)
        put(s, "COVER", "node_gain", STATE_F64, nodes, 1, 1, e->node_gain);
    ensemble_save_linear(e, s);
}

void ensemble_save(const struct ensemble *e, struct state *s)
{
    save(e, s, state_put);
}

void ensemble_save_kept(const struct ensemble *e, struct state *s)
{
    save(e, s, state_keep);
}

int ensemble_is_set(const struct ensemble *e, uint32_t column)
{
    return e->feature_kind[e->column_feature[column]] &&
           e->column_mapped[column] == 1 &&
           ensemble_map_kind(e->map + 256 * (size_t)column) == COLUMN_SET;
}

/* ---------------------------------------------------------------------- scoring --- */

/* Leaf number (global) of row r of the block, over the unpacked arrays: the oracle. */
static int64_t walk_plain(const struct ensemble *e, int32_t t, const uint16_t *codes,
                          int64_t r)
{
    uint32_t n0 = e->tree_node[t], ni = e->tree_node[t + 1] - n0, at = 0;
    while (at < ni) {
        uint32_t col = e->node_column[n0 + at], f = e->column_feature[col];
        uint32_t c = codes[(size_t)f * WALK_ROWS + (size_t)r];
        if (e->column_mapped[col] == 1) c = e->map[256 * (size_t)col + (c & 255)];
        if (e->column_mapped[col] == 2 && c == UINT16_MAX) c = 0;
        at = c <= e->node_thr[n0 + at] ? e->node_left[n0 + at] : e->node_right[n0 + at];
    }
    return (int64_t)e->tree_leaf[t] + (at - ni);
}

/* number: those of linear leaves [used][n], NULL without such. */
static void score_block(const struct ensemble *e, const uint16_t *codes,
                        const double *number, int64_t n, int32_t rounds, int32_t *seen,
                        double *out)
{
    int32_t k = e->n_outputs, width = e->leaf_width;
    for (int64_t r = 0; r < n; r++)
        memcpy(out + r * k, e->base, (size_t)k * sizeof *out);
    memset(seen, 0, (size_t)k * sizeof *seen);
    for (int32_t t = 0; t < e->n_trees; t++) {
        int32_t o = width > 1 ? 0 : e->tree_output[t];
        if (rounds > 0 && seen[o] >= rounds) continue;
        seen[o]++;
        for (int64_t r = 0; r < n; r++) {
            int64_t leaf = walk_plain(e, t, codes, r);
            const double *v = e->leaf + leaf * width;
            double *to = out + r * k + o;
            if (number)
                *to += ensemble_linear_value(e, leaf, number + r, n, e->linear->place);
            else
                for (int32_t q = 0; q < width; q++) to[q] += v[q];
        }
    }
}

tide_status ensemble_margin_plain(const struct ensemble *e, const struct view *x,
                                  int64_t i0, int64_t n, int32_t trees, double *out,
                                  tide_error *err)
{
    const struct simd_table *simd = simd_get(NULL);
    size_t bytes = 0, seen_bytes = (size_t)e->n_outputs * sizeof(int32_t);
    size_t number_bytes =
        e->linear ? ((size_t)e->linear->n_used + 1) * WALK_ROWS * sizeof(double) : 0;
    if (n <= 0) return TIDE_OK;
    if (size_mul((size_t)ensemble_all(e) + 1, WALK_ROWS * sizeof(uint16_t), &bytes))
        return err_nomem(err, 0);
    uint16_t *codes = mem_alloc(bytes);
    int32_t *seen = mem_alloc(seen_bytes);
    double *number = number_bytes ? mem_alloc(number_bytes) : NULL;
    tide_status status = TIDE_OK;
    if (!codes || !seen || (number_bytes && !number)) {
        status = err_nomem(err, bytes + seen_bytes + number_bytes);
        goto done;
    }
    for (int64_t r0 = 0; r0 < n; r0 += WALK_ROWS) {
        int64_t m = n - r0 < WALK_ROWS ? n - r0 : WALK_ROWS;
        for (int32_t f = 0; f < ensemble_all(e); f++)
            engine_codes_u16(e, simd, x, f, i0 + r0, m, codes + (size_t)f * WALK_ROWS);
        if (number) ensemble_linear_numbers(e, x, i0 + r0, m, number);
        score_block(e, codes, number, m, trees, seen, out + r0 * e->n_outputs);
    }
done:
    mem_free(number);
    mem_free(seen);
    mem_free(codes);
    return status;
}

tide_status ensemble_margin(const struct ensemble *e, const struct view *x, int64_t i0,
                            int64_t n, int32_t trees, double *out, tide_error *err)
{
    if (trees > 0 || !e->engine)
        return ensemble_margin_plain(e, x, i0, n, trees, out, err);
    return engine_margin(e, simd_get(NULL), ENGINE_AUTO, x, i0, n, out, err);
}

/* ------------------------------------------------------------------- tree by tree --- */

struct tree_job {
    const struct ensemble *e;
    const struct simd_table *simd;
    const struct view *x;
    int64_t n;
    const uint8_t *const *derived; /* codes that are not the tables', or NULL */
    size_t block;                  /* codes of 128 rows */
    uint16_t *codes;
    int32_t tree;
    uint32_t *leaf;
    double *score;
};

static void codes_of_block(const struct tree_job *j, int64_t b, uint16_t *codes)
{
    int64_t i0 = b * WALK_ROWS, m = j->n - i0 < WALK_ROWS ? j->n - i0 : WALK_ROWS;
    int32_t nf = j->e->n_features, all = j->derived ? nf : ensemble_all(j->e);
    for (int32_t f = 0; f < all; f++)
        engine_codes_u16(j->e, j->simd, j->x, f, i0, m, codes + (size_t)f * WALK_ROWS);
    for (int32_t d = 0; all == nf && d < j->e->n_derived; d++)
        for (int64_t r = 0; r < m; r++)
            codes[(size_t)(nf + d) * WALK_ROWS + (size_t)r] = j->derived[d][i0 + r];
}

static void codes_block(void *arg, int64_t b, int worker)
{
    const struct tree_job *j = arg;
    (void)worker;
    codes_of_block(j, b, j->codes + (size_t)b * j->block);
}

static void leaves_block(void *arg, int64_t b, int worker)
{
    const struct tree_job *j = arg;
    int64_t i0 = b * WALK_ROWS;
    (void)worker;
    for (int64_t r = 0; r < WALK_ROWS && i0 + r < j->n; r++)
        j->leaf[i0 + r] =
            (uint32_t)walk_plain(j->e, j->tree, j->codes + (size_t)b * j->block, r);
}

static void add_block(void *arg, int64_t b, int worker)
{
    const struct tree_job *j = arg;
    const struct ensemble *e = j->e;
    uint16_t *codes = j->codes + (size_t)worker * j->block;
    int64_t i0 = b * WALK_ROWS, m = j->n - i0 < WALK_ROWS ? j->n - i0 : WALK_ROWS;
    codes_of_block(j, b, codes);
    for (int32_t t = 0; t < e->n_trees; t++)
        for (int64_t r = 0; r < m; r++) {
            const double *leaf = e->leaf + walk_plain(e, t, codes, r) * e->leaf_width;
            double *to = j->score + (i0 + r) * e->n_outputs +
                         (e->leaf_width > 1 ? 0 : e->tree_output[t]);
            for (int32_t q = 0; q < e->leaf_width; q++) to[q] += leaf[q];
        }
}

static struct tree_job tree_job(struct tide_ctx *ctx, const struct ensemble *e,
                                const struct view *x, int64_t n)
{
    return (struct tree_job){.e = e,
                             .simd = simd_get(ctx),
                             .x = x,
                             .n = n,
                             .block = ((size_t)ensemble_all(e) + 1) * WALK_ROWS};
}

tide_status ensemble_codes(struct tide_ctx *ctx, const struct ensemble *e,
                           const struct view *x, const uint8_t *const *derived,
                           struct arena *a, uint16_t **out, tide_error *err)
{
    struct tree_job j = tree_job(ctx, e, x, x->n_rows);
    j.derived = derived;
    int64_t blocks = (j.n + WALK_ROWS - 1) / WALK_ROWS;
    *out = j.codes = arena_array(a, blocks + 1, j.block * sizeof *j.codes);
    return j.codes ? par_for(ctx, blocks, codes_block, &j, err) : arena_status(a, err);
}

tide_status ensemble_leaves(struct tide_ctx *ctx, const struct ensemble *e, int32_t t,
                            const uint16_t *codes, int64_t n, uint32_t *leaf,
                            tide_error *err)
{
    struct tree_job j = tree_job(ctx, e, NULL, n);
    j.codes = (uint16_t *)(uintptr_t)codes;
    j.tree = t;
    j.leaf = leaf;
    return par_for(ctx, (n + WALK_ROWS - 1) / WALK_ROWS, leaves_block, &j, err);
}

tide_status ensemble_add(struct tide_ctx *ctx, const struct ensemble *e,
                         const struct view *x, const uint8_t *const *derived,
                         struct arena *a, double *score, tide_error *err)
{
    struct tree_job j = tree_job(ctx, e, x, x->n_rows);
    j.derived = derived;
    j.codes = arena_array(a, par_threads(ctx), j.block * sizeof *j.codes);
    j.score = score;
    if (!j.codes) return arena_status(a, err);
    return par_for(ctx, (j.n + WALK_ROWS - 1) / WALK_ROWS, add_block, &j, err);
}

/* ------------------------------------------------------------------------ links --- */

static void softmax_row(const double *z, int32_t k, double *out)
{
    double top = z[0], sum = 0;
    for (int32_t q = 1; q < k; q++) top = z[q] > top ? z[q] : top;
    for (int32_t q = 0; q < k; q++) sum += out[q] = vm_exp(z[q] - top);
    for (int32_t q = 0; q < k; q++) out[q] /= sum;
}

/* Shares of one row: sums of leaves over the sum of all; a lone output is their mean. */
static void mean_row(const double *z, int32_t k, int32_t n_trees, double *out)
{
    double sum = 0;
    for (int32_t q = 0; q < k; q++) sum += z[q];
    for (int32_t q = 0; q < k; q++)
        out[q] = k == 1 ? z[q] / n_trees : sum > 0 ? z[q] / sum : 1.0 / k;
}

void ensemble_link(const struct ensemble *e, int32_t k, int64_t n, const double *margin,
                   double *out)
{
    int32_t m = e->n_outputs;
    /* from the back, so that one margin may become two columns in place */
    for (int64_t r = n - 1; r >= 0; r--) {
        const double *z = margin + r * m;
        double *to = out + r * k, z0 = z[0];
        switch ((enum ensemble_link)e->link) {
        case LINK_IDENTITY:
            for (int32_t q = 0; q < k; q++) to[q] = z[q < m ? q : 0];
            break;
        case LINK_LOGIT:
            if (k > 1)
                vm_expit_both(z0, &to[0], &to[1]);
            else
                to[0] = vm_expit(z0);
            break;
        case LINK_SOFTMAX:
            softmax_row(z, k, to);
            break;
        case LINK_EXP:
            to[0] = vm_exp(z0);
            break;
        case LINK_MEAN_PROBA:
            mean_row(z, k, e->n_trees > 0 ? e->n_trees : 1, to);
            break;
        }
    }
}

void ensemble_importance(const struct ensemble *e, double *out)
{
    double sum = 0;
    for (int32_t f = 0; f < e->n_features; f++) out[f] = 0;
    if (!e->node_gain) return;
    for (int64_t i = 0; i < (int64_t)e->tree_node[e->n_trees]; i++) {
        int32_t f = (int32_t)e->column_feature[e->node_column[i]];
        const int32_t *of =
            f < e->n_features ? NULL : e->source + 2 * (size_t)(f - e->n_features);
        int is_pair = of && of[1] >= 0; /* half to each column */
        double gain = is_pair ? e->node_gain[i] / 2 : e->node_gain[i];
        out[of ? of[0] : f] += gain;
        if (is_pair) out[of[1]] += gain;
    }
    for (int32_t f = 0; f < e->n_features; f++) sum += out[f];
    for (int32_t f = 0; f < e->n_features; f++) out[f] = sum > 0 ? out[f] / sum : 0;
}
