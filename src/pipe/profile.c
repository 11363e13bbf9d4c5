/* profile.c - what the training data looked like, in counts
 *
 * Per feature: missing cells, and counts of rows between quantile edges or per level. No row
 * can be told from it but the extremes of a column, which the schema holds too. The edges of
 * long columns come from every k-th row; the counts are of all rows.
 *
 * The data hash covers the columns the model uses, the target and the weights, each keyed
 * by its name, so that neither column order nor columns left out change it. */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/par.h"
#include "math/sort.h"
#include "pipe/flow.h"
#include "simd/simd.h"

#define EDGES  19
#define SAMPLE 50000
#define CHUNK  512

struct profiling {
    struct tide_ctx *ctx;
    const struct problem *p;
    const struct view *v;
    double (*edge)[EDGES]; /* [n_cols] */
    int *n_edges;
    int64_t *missing;
    int64_t **count; /* [n_cols] -> [EDGES + 1] or [n_levels + 1] */
    uint64_t *hash;
    uint8_t *failed; /* scratch memory was refused: the tide_status */
};

static int quantile_edges(const struct view *v, struct arena *a, double *edge)
{
    int64_t step = (v->n_rows + SAMPLE - 1) / SAMPLE, m = 0;
    double *x = arena_array(a, v->n_rows / (step ? step : 1) + 1, sizeof *x);
    double chunk[CHUNK];
    for (int64_t i = 0, next = 0; x && i < v->n_rows; i += CHUNK) {
        int64_t n_here = v->n_rows - i < CHUNK ? v->n_rows - i : CHUNK;
        view_numbers(v, 0, i, n_here, chunk);
        for (; next < i + n_here; next += step) {
            x[m] = chunk[next - i];
            m += !isnan(x[m]);
        }
    }
    int n = 0;
    int64_t place[EDGES];
    double at[EDGES];
    for (int q = 1; q <= EDGES; q++) place[q - 1] = (m - 1) * q / (EDGES + 1);
    if (!x || m == 0 || sort_places_f64(a, x, m, place, EDGES, at)) return 0;
    for (int q = 0; q < EDGES; q++)
        if (n == 0 || at[q] > edge[n - 1]) edge[n++] = at[q];
    return n;
}

static void profile_numbers(struct profiling *s, const struct view *v, int64_t j)
{
    struct arena a;
    double x[CHUNK];
    uint8_t bin[CHUNK];
    int64_t count[256] = {0};
    const struct column *c = v->cols[0];
    int in_cells = !v->rows && column_is_sparse(c);
    const struct simd_table *simd = simd_get(s->ctx);
    struct simd_grid grid;
    arena_init(&a, s->ctx);
    int n = s->n_edges[j] = quantile_edges(v, &a, s->edge[j]);
    int has_grid = v->n_rows >= SIMD_GRID_ROWS && simd_grid_new(s->edge[j], n, &grid);
    for (int64_t i = 0; i < v->n_rows; i += CHUNK) {
        int64_t m = v->n_rows - i < CHUNK ? v->n_rows - i : CHUNK;
        view_numbers(v, 0, i, m, x);
        s->hash[j] = hash64(x, (size_t)m * sizeof *x, s->hash[j]);
        if (in_cells) continue;
        if (has_grid)
            simd->quantise_grid(&grid, x, m, s->edge[j], n, bin);
        else
            simd->quantise_u8(x, m, s->edge[j], n, bin);
        for (int64_t k = 0; k < m; k++) count[bin[k]]++;
    }
    for (int64_t i = 0; in_cells && i < c->n_at; i += CHUNK) { /* the others are 0 */
        int64_t m = c->n_at - i < CHUNK ? c->n_at - i : CHUNK;
        simd->quantise_u8(c->nz + i, m, s->edge[j], n, bin);
        for (int64_t k = 0; k < m; k++) count[bin[k]]++;
    }
    if (in_cells) {
        x[0] = 0;
        simd->quantise_u8(x, 1, s->edge[j], n, bin);
        count[bin[0]] += c->n_rows - c->n_at;
    }
    s->missing[j] = count[255];
    memcpy(s->count[j], count, ((size_t)n + 1) * sizeof *count);
    s->failed[j] = (uint8_t)a.failed;
    arena_free(&a);
}

static void profile_levels(struct profiling *s, const struct column *c,
                           const struct view *v, int64_t j)
{
    for (int64_t i = 0; i < v->n_rows; i++) {
        uint32_t code = c->code[view_row(v, i)];
        if (code == CODE_MISSING)
            s->missing[j]++;
        else
            s->count[j][code]++;
        s->hash[j] = (s->hash[j] ^ code) * 0x9e3779b97f4a7c15u;
        s->hash[j] ^= s->hash[j] >> 29;
    }
    s->hash[j] = hash64(c->dict.bytes, c->dict.offset[c->dict.n], s->hash[j]);
}

static void profile_column(void *arg, int64_t j, int worker)
{
    struct profiling *s = arg;
    const struct column *c = s->v->cols[j];
    struct view v = *s->v;
    (void)worker;
    v.cols = &c;
    v.n_cols = 1;
    s->hash[j] = hash64(c->name, strlen(c->name), 1);
    if (c->type == TIDE_CAT)
        profile_levels(s, c, &v, j);
    else
        profile_numbers(s, &v, j);
}

/* Arrays of the state from the columns' parts. */
static tide_status keep_profile(tide_model *m, const struct profiling *s,
                                tide_error *err)
{
    int p = m->schema.n_cols;
    struct state *to = &m->profile;
    int64_t n_edges = 0, n_counts = 0;
    for (int j = 0; j < p; j++) {
        const struct schema_column *c = &m->schema.cols[j];
        n_edges += c->type == TIDE_CAT ? 0 : s->n_edges[j];
        n_counts += c->type == TIDE_CAT ? (int64_t)c->n_levels + 1 : s->n_edges[j] + 1;
    }
    int64_t rows = s->v->n_rows;
    state_init(to, &m->arena);
    state_put(to, "PROFILE", "rows", STATE_I64, 1, 1, 1, &rows);
    state_put(to, "PROFILE", "missing", STATE_I64, p, 1, 1, s->missing);
    uint32_t *edge_off = state_new(to, "PROFILE", "edge_off", STATE_U32, p + 1, 1, 1);
    double *edge = state_new(to, "PROFILE", "edge", STATE_F64, n_edges, 1, 1);
    uint32_t *count_off = state_new(to, "PROFILE", "count_off", STATE_U32, p + 1, 1, 1);
    int64_t *count = state_new(to, "PROFILE", "count", STATE_I64, n_counts, 1, 1);
    tide_status st = arena_status(&m->arena, err);
    for (int j = 0; !st && j < p; j++) {
        const struct schema_column *c = &m->schema.cols[j];
        uint32_t ne = c->type == TIDE_CAT ? 0 : (uint32_t)s->n_edges[j];
        uint32_t nc = c->type == TIDE_CAT ? c->n_levels + 1 : ne + 1;
        if (ne) memcpy(edge + edge_off[j], s->edge[j], ne * sizeof *edge);
        memcpy(count + count_off[j], s->count[j], nc * sizeof *count);
        edge_off[j + 1] = edge_off[j] + ne;
        count_off[j + 1] = count_off[j] + nc;
    }
    return st;
}

static tide_status keep_hash(tide_model *m, const struct profiling *s, tide_error *err)
{
    const struct problem *p = s->p;
    const char *name = m->schema.target ? m->schema.target : "";
    uint64_t sum = 0, target = hash64(name, strlen(name), 2);
    char hex[20];
    for (int j = 0; j < m->schema.n_cols; j++) sum += s->hash[j];
    if (p->y) target = hash64(p->y, (size_t)p->n_rows * sizeof *p->y, target);
    if (p->k) target = hash64(p->k, (size_t)p->n_rows * sizeof *p->k, target);
    for (int32_t k = 0; p->k && k < p->n_classes; k++)
        target = hash64(p->labels[k], strlen(p->labels[k]), target);
    if (p->w) target = hash64(p->w, (size_t)p->n_rows * sizeof *p->w, target);
    str_format(hex, sizeof hex, "%016llx", (unsigned long long)(sum + target));
    if (json_put_str(m->about, "data_hash", hex)) return err_nomem(err, 0);
    return TIDE_OK;
}

tide_status model_add_profile(struct tide_ctx *ctx, tide_model *m,
                              const struct problem *p, tide_error *err)
{
    struct arena a;
    const struct column **cols = NULL;
    int n = m->schema.n_cols;
    arena_init(&a, ctx);
    struct profiling s = {.ctx = ctx, .p = p};
    tide_status st =
        bind_frame(ctx, &m->schema, p->frame, p->rows, p->n_rows, &a, &cols, NULL, err);
    struct view v = {
        .n_rows = p->n_rows, .n_cols = n, .cols = cols, .rows = problem_view_rows(p)};
    s.v = &v;
    s.edge = arena_array(&a, n, sizeof *s.edge);
    s.n_edges = arena_zero(&a, (size_t)n * sizeof *s.n_edges + 1);
    s.missing = arena_zero(&a, (size_t)n * sizeof *s.missing + 1);
    s.hash = arena_zero(&a, (size_t)n * sizeof *s.hash + 1);
    s.count = arena_zero(&a, (size_t)n * sizeof *s.count + 1);
    s.failed = arena_zero(&a, (size_t)n + 1);
    for (int j = 0; s.count && j < n; j++) {
        size_t slots = m->schema.cols[j].type == TIDE_CAT
                           ? m->schema.cols[j].n_levels + 1u
                           : EDGES + 1;
        s.count[j] = arena_zero(&a, slots * sizeof **s.count);
    }
    if (!st) st = arena_status(&a, err);
    if (!st) st = par_for(ctx, n, profile_column, &s, err);
    for (int j = 0; !st && j < n; j++)
        if (s.failed[j])
            st = s.failed[j] == TIDE_ELIMIT
                     ? ctx_memory_refused(ctx, p->n_rows * 8, err)
                     : err_nomem(err, 0);
    if (!st) st = keep_profile(m, &s, err);
    if (!st) st = keep_hash(m, &s, err);
    arena_free(&a);
    return st;
}
