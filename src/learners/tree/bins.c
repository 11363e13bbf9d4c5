/* bins.c - cuts, codes, row blocks and byte columns (trees.md 3)
 *
 * Cuts         up to max_codes distinct values: one code each. More: equal counts, a value
 *              with more than its share alone in its code. An edge lies midway between
 *              neighbouring values, rounded so that low <= edge < high.
 * Row block    the codes of one row side by side, 8, 16, 32 or 64 bytes, for histograms; columns
 *              of few codes whose counts (missing is one) multiply to at most 256 share a byte
 * Byte column  one byte a row and lane, for the partition
 * Guide        Q10
 */
#include "learners/tree/bins.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/rng.h"
#include "learners/tree/bundle.h"
#include "math/sort.h"
#include "simd/simd.h"

static double edge_between(double low, double high)
{
    double mid = low / 2 + high / 2;
    return mid >= low && mid < high ? mid : low;
}

/* Where the runs of equal values begin in sorted order; start[d] is n. Their number d. */
static int64_t runs_of(const double *sorted, int64_t n, int64_t *start)
{
    int64_t d = 0;
    start[0] = 0;
    for (int64_t i = 1; i < n; i++) { /* without a branch: runs are short or long */
        start[d + 1] = i;
        d += sorted[i] != sorted[i - 1];
    }
    d += n > 0;
    start[d] = n;
    return d;
}

/* The same edges as below where no value is heavy: straight from one to the next. */
static int32_t edges_between_light(const double *sorted, const int64_t *start,
                                   int64_t d, int32_t codes, double *edge)
{
    int32_t n_edge = 0;
    double mean = (double)start[d] / (double)codes;
    for (int64_t from = 0, bins = codes; n_edge < codes - 1; n_edge++) {
        int64_t lo = from, hi = d - 1; /* the first run that makes the bin full */
        while (lo < hi) {
            int64_t mid = lo + (hi - lo) / 2;
            if ((double)(start[mid + 1] - start[from]) >= mean)
                hi = mid;
            else
                lo = mid + 1;
        }
        if (lo + 1 >= d) break;
        edge[n_edge] = edge_between(sorted[start[lo]], sorted[start[lo + 1]]);
        from = lo + 1;
        if (--bins > 0) mean = (double)(start[d] - start[from]) / (double)bins;
    }
    return n_edge;
}

/* Equal counts: a heavy value stands alone, the others share what is left of the codes. */
static int32_t edges_by_count(const double *sorted, const int64_t *start, int64_t d,
                              int32_t codes, double *edge)
{
    int32_t n_edge = 0;
    int64_t n = start[d], heavy = 0, rest = n, here = 0, share = n / codes;
    for (int64_t i = 0; i < d; i++) {
        int64_t count = start[i + 1] - start[i];
        heavy += count > share;
        rest -= count > share ? count : 0;
    }
    if (!heavy) return edges_between_light(sorted, start, d, codes, edge);
    int64_t bins = codes - heavy; /* heavy values are fewer than codes */
    double mean = bins > 0 ? (double)rest / (double)bins : (double)n;
    for (int64_t i = 0; i + 1 < d && n_edge < codes - 1; i++) {
        int64_t count = start[i + 1] - start[i];
        int alone = count > share, next_alone = start[i + 2] - start[i + 1] > share;
        if (!alone) rest -= count;
        here += count;
        if (alone || (double)here >= mean || (next_alone && (double)here >= mean / 2)) {
            edge[n_edge++] = edge_between(sorted[start[i]], sorted[start[i + 1]]);
            here = 0;
            if (!alone && --bins > 0) mean = (double)rest / (double)bins;
        }
    }
    return n_edge;
}

/* `start` is scratch of n + 1 entries. */
static int32_t edges_of(const double *sorted, int64_t n, int32_t max_codes,
                        int64_t *start, double *edge)
{
    int64_t d = runs_of(sorted, n, start);
    if (d > max_codes) return edges_by_count(sorted, start, d, max_codes, edge);
    for (int64_t i = 0; i + 1 < d; i++)
        edge[i] = edge_between(sorted[start[i]], sorted[start[i + 1]]);
    return d > 0 ? (int32_t)(d - 1) : 0;
}

int32_t bins_edges(const double *sorted, int64_t n, int32_t max_codes, double *edge)
{
    int64_t *start = mem_array((size_t)n + 1, sizeof *start);
    if (!start) return -1;
    int32_t n_edge = edges_of(sorted, n, max_codes, start, edge);
    mem_free(start);
    return n_edge;
}

/* ------------------------------------------------------------------------- cuts --- */

struct cut_job {
    const struct view *x;
    const struct bin_how *how;
    struct view some; /* the rows that make the cuts of numbers */
    struct bin_cuts *cuts;
    double *edge;           /* [n_features][256] */
    uint8_t **level;        /* [n_features] room for level codes */
    struct simd_grid *grid; /* [n_features], or NULL: too few rows to be worth it */
    tide_status *status;    /* [n_features] */
    struct arena *room;     /* [workers] scratch, used again for the next column */
};

#define CUT_TILE     1024
#define GRID_COLUMNS 4096 /* up to which their memory, 3 kB each, does not matter */
#define CUT_MORE     2200 /* rows' worth of room for the counters of a sort */

/* Has a row of the fit no value in column f? */
static int has_missing(const struct cut_job *job, int32_t f)
{
    double v[CUT_TILE];
    int missing = 0;
    for (int64_t i0 = 0; i0 < job->x->n_rows && !missing; i0 += CUT_TILE) {
        int64_t m = job->x->n_rows - i0 < CUT_TILE ? job->x->n_rows - i0 : CUT_TILE;
        view_numbers(job->x, f, i0, m, v);
        for (int64_t i = 0; i < m; i++)
            missing |= isnan(v[i]) && !(job->how->skip && job->how->skip[i0 + i]);
    }
    return missing;
}

static tide_status cut_number(const struct cut_job *job, int32_t f,
                              struct arena *scratch)
{
    struct bin_feature *out = &job->cuts->feature[f];
    double *edge = job->edge + 256 * (size_t)f;
    int64_t n = job->some.n_rows, m = 0;
    double *v = arena_array(scratch, n + 1, sizeof *v);
    if (!v) return TIDE_ENOMEM;
    view_numbers(&job->some, f, 0, n, v);
    for (int64_t i = 0; i < n; i++) {
        v[m] = v[i];
        m += !isnan(v[i]);
    }
    struct arena_mark sorted = arena_mark(scratch);
    if (sort_f64(scratch, v, m)) return TIDE_ENOMEM;
    arena_reset(scratch, sorted);
    int64_t *start = arena_array(scratch, n + 1, sizeof *start);
    if (!start) return TIDE_ENOMEM;
    out->n_edge = edges_of(v, m, job->how->max_codes, start, edge);
    out->edge = edge;
    if (job->grid && simd_grid_new(edge, out->n_edge, &job->grid[f]))
        out->grid = &job->grid[f];
    out->n_code = out->n_edge + 1;
    out->lane = out->n_code > 1 || (m > 0 && has_missing(job, f)) ? 0 : -1;
    return TIDE_OK;
}

/* Codes that an earlier fit gave to the levels, whatever the rows of this one hold. */
static tide_status keep_levels(struct bin_feature *out, const uint8_t *from,
                               uint8_t *to, int64_t missing)
{
    for (uint32_t l = 0; l < out->n_level; l++) {
        to[l] = from[l];
        if (from[l] != BIN_MISSING && from[l] >= out->n_code) out->n_code = from[l] + 1;
    }
    out->level_code = to;
    out->lane = out->n_code > 1 || (missing && out->n_code > 0) ? 0 : -1;
    return TIDE_OK;
}

/* The 254 most frequent levels keep a code of their own, the rest share code 254. */
static tide_status cut_levels(const struct cut_job *job, int32_t f,
                              struct arena *scratch)
{
    struct bin_feature *out = &job->cuts->feature[f];
    uint32_t n_level = out->n_level, present = 0, code[1024];
    int64_t n = job->x->n_rows, missing = 0;
    uint8_t *to = job->level[f];
    uint64_t *count = arena_zero(scratch, ((size_t)n_level + 1) * sizeof *count);
    uint32_t *order = arena_array(scratch, (int64_t)n_level + 1, sizeof *order);
    if (!count || !order) return TIDE_ENOMEM;
    for (int64_t i0 = 0; i0 < n; i0 += 1024) {
        int64_t m = n - i0 < 1024 ? n - i0 : 1024;
        view_codes(job->x, f, i0, m, code);
        for (int64_t i = 0; i < m; i++) {
            if (job->how->skip && job->how->skip[i0 + i]) continue;
            if (code[i] < n_level)
                count[code[i]]++;
            else
                missing++;
        }
    }
    if (job->how->level_code)
        return keep_levels(out, job->how->level_code[f], to, missing);
    for (uint32_t l = 0; l < n_level; l++) present += count[l] > 0;
    uint64_t least = 0; /* levels with more rows than this have their own code */
    uint32_t ties = UINT32_MAX; /* and the first so many with just as many */
    uint32_t own = (uint32_t)job->how->max_codes - 1;
    if (present > own + 1) {
        for (uint32_t l = 0; l < n_level; l++) count[l] = UINT64_MAX - count[l];
        if (sort_index_u64(scratch, count, n_level, order)) return TIDE_ENOMEM;
        for (uint32_t l = 0; l < n_level; l++) count[l] = UINT64_MAX - count[l];
        least = count[order[own - 1]];
        ties = own;
        for (uint32_t l = 0; l < n_level; l++) ties -= count[l] > least;
    }
    uint32_t next = 0, shared = 0;
    for (uint32_t l = 0; l < n_level; l++) {
        int keeps = count[l] > least || (least && count[l] == least && ties > 0);
        if (least && count[l] == least && ties > 0) ties--;
        to[l] = (uint8_t)(count[l] == 0 ? 255 : keeps ? next++ : own);
        shared |= count[l] > 0 && !keeps;
    }
    out->level_code = to;
    out->n_code = (int32_t)(next + shared);
    out->lane = out->n_code > 1 || (missing && out->n_code > 0) ? 0 : -1;
    return TIDE_OK;
}

static void cut_feature(void *arg, int64_t f, int worker)
{
    const struct cut_job *job = arg;
    struct arena *room = &job->room[worker];
    int is_number = !job->cuts->feature[f].kind;
    if (is_number &&
        !room->chunk) /* all that a column needs: the next finds it there */
        (void)arena_array(room, job->some.n_rows + CUT_MORE, 3 * sizeof(double));
    arena_reset(room, (struct arena_mark){.chunk = room->chunk});
    job->status[f] = is_number ? cut_number(job, (int32_t)f, room)
                               : cut_levels(job, (int32_t)f, room);
}

#define DRAW_ROWS 65536 /* of a task */

struct draw_job {
    const struct view *x;
    const uint8_t *skip;
    struct rng_key key;
    double share;   /* of rows drawn, 1: all */
    uint8_t *taken; /* [n_rows] */
    int64_t *count; /* [tasks] rows taken, then those of earlier tasks */
    int64_t *rows;  /* where they go */
};

static void draw_task(void *arg, int64_t task, int worker)
{
    const struct draw_job *job = arg;
    int64_t i0 = task * DRAW_ROWS, end = i0 + DRAW_ROWS, m = 0;
    (void)worker;
    if (end > job->x->n_rows) end = job->x->n_rows;
    for (int64_t i = i0; i < end; i++) {
        int takes = !(job->skip && job->skip[i]);
        if (takes && job->share < 1)
            takes = rng_u01(rng_at(job->key, view_id(job->x, i), 0, 0)) < job->share;
        m += job->taken[i] = (uint8_t)takes;
    }
    job->count[task] = m;
}

static void list_task(void *arg, int64_t task, int worker)
{
    const struct draw_job *job = arg;
    int64_t i0 = task * DRAW_ROWS, end = i0 + DRAW_ROWS, m = job->count[task];
    (void)worker;
    if (end > job->x->n_rows) end = job->x->n_rows;
    for (int64_t i = i0; i < end; i++)
        if (job->taken[i]) job->rows[m++] = view_row(job->x, i);
}

/* The rows of the fit, or of many those whose draw is below the share; order-free. */
static tide_status sample_rows(struct tide_ctx *ctx, const struct view *x,
                               const struct bin_how *how, struct arena *a,
                               struct view *some, tide_error *err)
{
    int64_t n = 0, m = 0, tasks = (x->n_rows + DRAW_ROWS - 1) / DRAW_ROWS;
    *some = *x;
    for (int64_t i = 0; i < x->n_rows; i++) n += !(how->skip && how->skip[i]);
    int all = how->sample <= 0 || n <= how->sample;
    if (all && n == x->n_rows) return TIDE_OK;
    struct draw_job job = {.x = x, .skip = how->skip, .key = rng_key(how->seed, "bin")};
    job.share = all ? 1 : (double)how->sample / (double)n;
    job.taken = arena_array(a, x->n_rows + 1, 1);
    job.count = arena_array(a, tasks + 1, sizeof *job.count);
    tide_status status = arena_status(a, err);
    if (!status) status = par_for(ctx, tasks, draw_task, &job, err);
    for (int64_t t = 0; t < tasks && !status; t++) {
        int64_t here = job.count[t];
        job.count[t] = m;
        m += here;
    }
    some->rows = job.rows = status ? NULL : arena_array(a, m + 1, sizeof *job.rows);
    some->n_rows = m;
    if (!status) status = arena_status(a, err);
    return status ? status : par_for(ctx, tasks, list_task, &job, err);
}

#define FEW_CODES 16 /* missing is one: two such columns fill a byte */

void bins_number_lanes(struct bin_cuts *out)
{
    out->n_lanes = out->n_few = 0;
    for (int few = 0; few < 1 + (out->share != 0); few++)
        for (int32_t f = 0; f < out->n_features; f++) {
            struct bin_feature *b = &out->feature[f];
            if (b->lane < 0 || (out->share && (b->n_code < FEW_CODES) != few)) continue;
            b->lane = out->n_lanes;
            out->lane_feature[out->n_lanes++] = f;
            out->n_few += few;
        }
}

tide_status bins_cut(struct tide_ctx *ctx, const struct view *x,
                     const struct bin_how *how, struct arena *a, struct bin_cuts *out,
                     tide_error *err)
{
    int32_t nf = x->n_cols;
    struct cut_job job = {.x = x, .how = how, .cuts = out};
    *out = (struct bin_cuts){.n_features = nf};
    out->feature = arena_zero(a, ((size_t)nf + 1) * sizeof *out->feature);
    out->lane_feature = arena_array(a, nf + 1, sizeof *out->lane_feature);
    job.edge = arena_array(a, (int64_t)nf + 1, 256 * sizeof *job.edge);
    if (x->n_rows >= SIMD_GRID_ROWS && nf <= GRID_COLUMNS)
        job.grid = arena_array(a, nf + 1, sizeof *job.grid);
    job.level = arena_zero(a, ((size_t)nf + 1) * sizeof *job.level);
    job.status = arena_zero(a, ((size_t)nf + 1) * sizeof *job.status);
    job.room = arena_array(a, par_threads(ctx), sizeof *job.room);
    tide_status status = arena_status(a, err);
    if (!status) status = sample_rows(ctx, x, how, a, &job.some, err);
    if (status) return status;
    for (int32_t f = 0; f < nf; f++) {
        struct bin_feature *b = &out->feature[f];
        b->kind = x->cols[f]->type == TIDE_CAT;
        b->hash = hash_name(x->cols[f]->name);
        b->n_level = b->kind ? x->cols[f]->dict.n : 0;
        if (b->kind) job.level[f] = arena_array(a, (int64_t)b->n_level + 1, 1);
    }
    status = arena_status(a, err);
    if (status) return status;
    for (int w = 0; w < par_threads(ctx); w++) arena_init(&job.room[w], ctx);
    status = par_for(ctx, nf, cut_feature, &job, err);
    for (int w = 0; w < par_threads(ctx); w++) {
        if (!status) status = arena_status(&job.room[w], err);
        arena_free(&job.room[w]);
    }
    for (int32_t f = 0; f < nf && !status; f++)
        if (job.status[f]) return err_nomem(err, (size_t)x->n_rows * sizeof(double));
    out->share = how->share;
    if (!status) bins_number_lanes(out);
    return status;
}

/* ------------------------------------------------------------------------ codes --- */

struct code_job {
    const struct bin_cuts *cuts;
    const struct view *x;
    const struct simd_table *simd;
    struct bin_codes *out;
    uint8_t **to; /* [n_lanes] where codes go; NULL: they are there */
};

#define CODE_TILE 1024

void bins_code_lane(const struct bin_cuts *cuts, const struct simd_table *simd,
                    const struct view *x, int32_t lane, int64_t i0, int64_t n,
                    uint8_t *to)
{
    int32_t f = cuts->lane_feature[lane];
    const struct bin_feature *b = &cuts->feature[f];
    if (b->codes) {
        memcpy(to, b->codes + i0, (size_t)n);
    } else if (b->kind) {
        uint32_t raw[CODE_TILE];
        view_codes(x, f, i0, n, raw);
        for (int64_t i = 0; i < n; i++)
            to[i] = raw[i] < b->n_level ? b->level_code[raw[i]] : BIN_MISSING;
    } else {
        double v[CODE_TILE];
        view_numbers(x, f, i0, n, v);
        if (b->grid)
            simd->quantise_grid(b->grid, v, n, b->edge, b->n_edge, to);
        else
            simd->quantise_u8(v, n, b->edge, b->n_edge, to);
    }
}

/* The codes of n rows of a block from the byte columns. */
static void code_rows(const struct bin_codes *out, const struct bin_block *k,
                      int64_t i0, int64_t n)
{
    uint8_t *rows = k->rows + i0 * k->stride;
    if (k->stride > k->n_lanes - k->n_joined)
        memset(rows, 0, (size_t)n * (size_t)k->stride);
    for (int32_t l = 0; l < k->n_lanes - k->n_joined; l++) {
        const uint8_t *from = out->plane[k->first + l] + i0;
        for (int64_t i = 0; i < n; i++) rows[i * k->stride + l] = from[i];
    }
    for (int32_t l = k->n_lanes - k->n_joined; l < k->n_lanes; l++) {
        const uint8_t *from = out->plane[k->first + l] + i0;
        const struct bin_digit *d = &out->digit[k->first + l];
        uint8_t *to = rows + d->byte;
        for (int64_t i = 0; i < n; i++) {
            int digit = from[i] == BIN_MISSING ? d->radix - 1 : from[i];
            to[i * k->stride] = (uint8_t)(to[i * k->stride] + digit * d->unit);
        }
    }
}

static void code_tile(void *arg, int64_t tile, int worker)
{
    const struct code_job *job = arg;
    int64_t i0 = tile * CODE_TILE, n = job->x->n_rows - i0;
    if (n > CODE_TILE) n = CODE_TILE;
    (void)worker;
    for (int32_t l = 0; l < job->out->n_lanes; l++)
        if (job->to[l])
            bins_code_lane(job->cuts, job->simd, job->x, l, i0, n, job->to[l] + i0);
    for (int32_t b = 0; job->out->block && b < job->out->n_blocks; b++)
        code_rows(job->out, &job->out->block[b], i0, n);
}

/* Byte columns and row bytes of block b: lanes of few codes are joined in their order, where none
 * share a byte column. */
static void block_shape(const struct bin_cuts *cuts, struct bin_codes *out, int32_t b)
{
    struct bin_block *k = &out->block[b];
    int32_t rest = out->n_planes - b * BIN_BLOCK_LANES;
    *k = (struct bin_block){.first = b * BIN_BLOCK_LANES};
    k->n_lanes = rest < BIN_BLOCK_LANES ? rest : BIN_BLOCK_LANES;
    int32_t plain = rest - (out->digit ? cuts->n_few : 0),
            unit = 256; /* of a byte that is full */
    if (plain < 0) plain = 0;
    k->n_joined = k->n_lanes > plain ? k->n_lanes - plain : 0;
    for (int32_t l = k->first + k->n_lanes - k->n_joined; l < k->first + k->n_lanes;
         l++) {
        int32_t radix = cuts->feature[cuts->lane_feature[l]].n_code + 1;
        if (unit * radix > 256) {
            k->n_shared++;
            unit = 1;
        }
        out->digit[l] = (struct bin_digit){
            .byte = (uint16_t)(k->n_lanes - k->n_joined + k->n_shared - 1),
            .unit = (uint16_t)unit,
            .radix = (uint16_t)radix};
        unit *= radix;
    }
    int32_t bytes = bin_block_bytes(k);
    k->stride = bytes <= 8 ? 8 : bytes <= 16 ? 16 : bytes <= 32 ? 32 : 64;
}

tide_status bins_code(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                      const struct view *x, int how, struct arena *a,
                      struct bin_codes *out, tide_error *err)
{
    int32_t lanes = cuts->n_lanes, with_blocks = how & BIN_BLOCKS;
    int64_t n = x->n_rows;
    *out = (struct bin_codes){.n_rows = n, .n_lanes = lanes};
    out->plane = arena_array(a, lanes + 1, sizeof *out->plane);
    uint8_t **to = arena_array(a, lanes + 1, sizeof *to);
    tide_status status = arena_status(a, err);
    if (!status) status = bundle_make(ctx, cuts, x, how & BIN_APART, a, out, to, err);
    if (status) return status;
    int32_t planes = out->n_planes;
    int32_t blocks = out->n_blocks = (planes + BIN_BLOCK_LANES - 1) / BIN_BLOCK_LANES;
    if (with_blocks) out->block = arena_array(a, blocks + 1, sizeof *out->block);
    if (with_blocks && cuts->n_few && !out->bundles)
        out->digit = arena_zero(a, (size_t)lanes * sizeof *out->digit);
    status = arena_status(a, err);
    if (status) return status;
    for (int32_t b = 0; with_blocks && b < blocks; b++) {
        struct bin_block *k = &out->block[b];
        block_shape(cuts, out, b);
        k->rows = arena_array(a, n + 1, (size_t)k->stride);
    }
    status = arena_status(a, err);
    if (status) return status;
    struct code_job job = {
        .cuts = cuts, .x = x, .simd = simd_get(ctx), .out = out, .to = to};
    return par_for(ctx, (n + CODE_TILE - 1) / CODE_TILE, code_tile, &job, err);
}
