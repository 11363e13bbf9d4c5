/* hist.c - gradient histograms: a pool of them, building, subtracting (trees.md 3, 4)
 *
 * Cells     packed: (g int32 << 32) + h uint32, exact for nodes of at most 65,536 rows; wide:
 *           two i64. A child of a wide node with fewer rows is packed again, without loss.
 * Joined    lanes that share a byte of a row (bins.c) are summed as one, in the place of one of them;
 *           each lane's cells are sums of those, taken when all rows are in
 * Parallel  tasks of up to 16,384 rows into a member's own histogram; integer sums meet in any
 *           order, a byte column at a time ("lanes" here: those of the codes, bundle.h).
 * Pool      grows to one histogram a leaf that can still be split; the ctx's memory limit holds
 * Guide     Q10
 */
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "learners/tree/bundle.h"
#include "learners/tree/grow.h"

#define HIST_TASK     16384
#define HIST_TASK_MIN 1024
#define HIST_TILE     2048 /* rows whose codes wait in the L2 cache for the next lanes */
#define HIST_IN_L2    (INT64_C(1) << 20) /* bytes */

struct hist_wide {
    int64_t g, h;
};
struct hist_own { /* one worker's */
    uint64_t *packed;
    struct hist_wide *wide;
    int64_t rows; /* in packed */
    int dirty, wide_dirty;
};
struct hist_pool {
    struct tide_ctx *ctx;
    const struct bin_codes *codes;
    const struct simd_table *simd;
    struct arena *a;
    int32_t width; /* cells a code */
    uint64_t **free_list[2];
    int32_t n_free[2], cap_free[2];
    int threads;
    int is_fine;          /* what own histograms hold was added by add_fine */
    struct hist_own *own; /* [threads] */
};

static size_t hist_cells(const struct hist_pool *p)
{
    return 256 * (size_t)p->codes->n_planes * (size_t)p->width;
}

struct hist_pool *hist_pool_new(struct tide_ctx *ctx, const struct bin_codes *codes,
                                const struct simd_table *simd, int threads,
                                int64_t n_max, int32_t width, struct arena *a)
{
    struct hist_pool *p = arena_zero(a, sizeof *p);
    if (!p) return NULL;
    *p = (struct hist_pool){
        .ctx = ctx, .codes = codes, .simd = simd, .a = a, .width = width};
    p->threads = threads;
    p->own = arena_zero(a, (size_t)p->threads * sizeof *p->own);
    for (int i = 0; p->own && i < p->threads; i++) {
        if (n_max <= HIST_PACKED_ROWS && p->threads == 1) break;
        p->own[i].packed = arena_zero(a, hist_cells(p) * sizeof(uint64_t));
        if (p->threads > 1 && width == 1)
            p->own[i].wide =
                arena_array(a, (int64_t)hist_cells(p), sizeof(struct hist_wide));
    }
    return p->own ? p : NULL;
}

uint64_t *hist_own(const struct hist_pool *p, int member)
{
    return p->own[member].packed;
}

uint64_t *hist_take(struct hist_pool *p, int wide)
{
    if (p->n_free[wide]) return p->free_list[wide][--p->n_free[wide]];
    size_t bytes = hist_cells(p) * (wide ? sizeof(struct hist_wide) : sizeof(uint64_t));
    uint64_t *hist = arena_push(p->a, bytes);
    return hist;
}

tide_status hist_refused(const struct hist_pool *p, tide_error *err)
{
    tide_status status = arena_status(p->a, err);
    return status ? status : err_nomem(err, 0);
}

void hist_give(struct hist_pool *p, uint64_t *hist, int wide)
{
    if (!hist) return;
    if (p->n_free[wide] == p->cap_free[wide]) {
        int32_t cap = p->cap_free[wide] ? 2 * p->cap_free[wide] : 64;
        uint64_t **more = arena_array(p->a, cap, sizeof *more);
        if (!more) return; /* sticky: found at the end of the tree */
        if (p->n_free[wide])
            memcpy(more, p->free_list[wide], (size_t)p->n_free[wide] * sizeof *more);
        p->free_list[wide] = more;
        p->cap_free[wide] = cap;
    }
    p->free_list[wide][p->n_free[wide]++] = hist;
}

/* A lane's cells (of `words` words) from the first n of its byte, of which those of higher digits
 * are added up: then the first unit * radix are left, by which lower digits' cells are made. */
static void digit_cells(const struct hist_pool *p, const struct bin_digit *d,
                        uint64_t *of_byte, int n, int words, uint64_t *to)
{
    int unit = d->unit, all = d->unit * d->radix;
    for (int from = all; from < n; from += all)
        p->simd->tree_cells_add(of_byte, of_byte + words * from,
                                words * (n - from < all ? n - from : all));
    memset(to, 0, 256 * (size_t)words * sizeof *to);
    for (int digit = 0; digit < d->radix; digit++) {
        const uint64_t *cell = of_byte + words * digit * unit;
        uint64_t sum[2] = {0, 0};
        for (int i = 0; i < words * unit; i += words) sum[0] += cell[i];
        for (int i = 1; words == 2 && i < 2 * unit; i += 2) sum[1] += cell[i];
        memcpy(to + words * (digit == d->radix - 1 ? BIN_MISSING : digit), sum,
               (size_t)words * sizeof *sum);
    }
}

/* Packed cells of bytes become those of lanes, in place. From the last lane to the first: a
 * byte's cells stand in the place of a lane that comes before all others of the byte, or is the
 * first of them; and its last lane has the highest digit. */
static void spread_packed(const struct hist_pool *p, uint64_t *hist)
{
    uint64_t of_byte[256];
    for (int32_t b = 0; p->codes->digit && b < p->codes->n_blocks; b++) {
        const struct bin_block *k = &p->codes->block[b];
        int32_t byte = -1, n = 256;
        for (int32_t l = k->n_lanes - 1; l >= k->n_lanes - k->n_joined; l--) {
            const struct bin_digit *d = &p->codes->digit[k->first + l];
            const uint64_t *from = hist + 256 * (size_t)(k->first + d->byte);
            if (d->byte != byte) memcpy(of_byte, from, sizeof of_byte);
            if (d->byte != byte) n = 256;
            byte = d->byte;
            digit_cells(p, d, of_byte, n, 1, hist + 256 * (size_t)(k->first + l));
            n = d->unit * d->radix;
        }
    }
}

/* At most HIST_PACKED_ROWS rows, bytes [first, end) counted over all blocks: a tile of rows at a
 * time, and of it as many lanes as one call takes, so that their cells stay in the L1 cache.
 * row: number of the first row without ids. fresh: the cells are cleared, each just before its
 * first rows. Calls share the lanes out evenly: 16 of them fill a cache of 32 KB to the last cell,
 * 13 leave room for rows. */
static void add_bytes(const struct hist_pool *p, const struct grow_grad *grad,
                      const uint32_t *ids, int64_t row, int64_t n, int fresh,
                      int32_t first, int32_t end, uint64_t *out)
{
    int64_t i = 0;
    do {
        int64_t m = n - i < HIST_TILE ? n - i : HIST_TILE, from = ids ? 0 : row + i;
        for (int32_t b = 0; b < p->codes->n_blocks; b++) {
            const struct bin_block *k = &p->codes->block[b];
            int is_far = p->codes->n_rows * (k->stride + 4) > HIST_IN_L2;
            int32_t bytes = bin_block_bytes(k), begin = first - k->first;
            if (bytes > end - k->first) bytes = end - k->first;
            if (begin < 0) begin = 0;
            int32_t calls = (bytes - begin + TREE_HIST_LANES - 1) / TREE_HIST_LANES;
            for (int32_t l = begin, call = 0; l < bytes; call++) {
                int lanes = (bytes - l) / (calls - call);
                uint64_t *to = out + 256 * (size_t)(k->first + l);
                if (fresh && i == 0) memset(to, 0, 256 * (size_t)lanes * sizeof *to);
                p->simd->tree_hist(k->rows + from * k->stride + l, k->stride, lanes,
                                   ids ? ids + i : NULL, m, grad->packed + from,
                                   is_far && l == begin, to);
                l += lanes;
            }
        }
        i += HIST_TILE;
    } while (i < n);
}

/* The same of all bytes. */
static void add_packed(const struct hist_pool *p, const struct grow_grad *grad,
                       const uint32_t *ids, int64_t row, int64_t n, int fresh,
                       uint64_t *out)
{
    add_bytes(p, grad, ids, row, n, fresh, 0, p->codes->n_planes, out);
}

int hist_has_ranges(const struct hist_pool *p)
{
    return !p->codes->digit && !p->codes->bundles;
}

void hist_range(const struct hist_pool *p, const struct grow_grad *grad,
                const uint32_t *ids, int64_t n, int32_t first, int32_t n_lanes,
                uint64_t *out)
{
    add_bytes(p, grad, ids, 0, n, 1, first, first + n_lanes, out);
}

static void add_fine(const struct hist_pool *p, const struct grow_grad *grad,
                     const uint32_t *ids, int64_t first, int64_t n,
                     struct hist_wide *out)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t row = ids ? (int64_t)ids[i] : first + i;
        int64_t g = grad->fine_g[row], h = grad->fine_h[row];
        for (int32_t b = 0; b < p->codes->n_blocks; b++) {
            const struct bin_block *k = &p->codes->block[b];
            const uint8_t *c = k->rows + row * k->stride;
            struct hist_wide *to = out + 256 * (size_t)k->first;
            for (int32_t l = 0; l < k->n_lanes; l++, to += 256) {
                uint8_t code = l < k->n_lanes - k->n_joined
                                   ? c[l]
                                   : p->codes->plane[k->first + l][row];
                to[code].g += g;
                to[code].h += h;
            }
        }
    }
}

void hist_alone(struct hist_pool *p, int member, const struct grow_grad *grad,
                const uint32_t *ids, int64_t n, int wide, uint64_t *out)
{
    size_t cells = hist_cells(p);
    uint64_t *packed = p->own[member].packed;
    if (!wide) {
        add_packed(p, grad, ids, 0, n, 1, out);
        spread_packed(p, out);
        return;
    }
    memset(out, 0, cells * sizeof(struct hist_wide));
    for (int64_t i = 0; i < n; i += HIST_PACKED_ROWS) {
        int64_t m = n - i < HIST_PACKED_ROWS ? n - i : HIST_PACKED_ROWS;
        if (ctx_cancelled(p->ctx)) return; /* the tree is dropped */
        if (grad->fine_g) {
            add_fine(p, grad, ids ? ids + i : NULL, i, m, (struct hist_wide *)out);
            continue;
        }
        add_packed(p, grad, ids ? ids + i : NULL, i, m, 1, packed);
        spread_packed(p, packed);
        p->simd->tree_cells_widen(packed, (int64_t)cells, 1, (int64_t *)out);
    }
}

struct hist_job {
    struct hist_pool *p;
    const struct grow_grad *grad;
    const uint32_t *ids;
    int64_t n, chunk;
};

static void own_flush(const struct hist_pool *p, struct hist_own *o, size_t cells)
{
    if (!o->wide_dirty) memset(o->wide, 0, cells * sizeof *o->wide);
    o->wide_dirty = 1;
    if (!o->dirty) return;
    p->simd->tree_cells_widen(o->packed, (int64_t)cells, 1, &o->wide->g);
    o->dirty = 0;
    o->rows = 0;
}

static void hist_task(void *arg, int64_t task, int member)
{
    struct hist_job *job = arg;
    struct hist_own *o = &job->p->own[member];
    size_t cells = hist_cells(job->p);
    int64_t i = task * job->chunk,
            m = job->n - i < job->chunk ? job->n - i : job->chunk;
    const uint32_t *ids = job->ids ? job->ids + i : NULL;
    if (ctx_cancelled(job->p->ctx)) return; /* the tree is dropped */
    if (job->grad->fine_g) {
        own_flush(job->p, o, cells);
        add_fine(job->p, job->grad, ids, i, m, o->wide);
        return;
    }
    if (o->dirty && o->rows + m > HIST_PACKED_ROWS) own_flush(job->p, o, cells);
    add_packed(job->p, job->grad, ids, i, m, !o->dirty, o->packed);
    o->dirty = 1;
    o->rows += m;
}

void hist_together(struct grow *g, const uint32_t *ids, int64_t n)
{
    struct hist_pool *p = g->pool;
    struct hist_job job = {.p = p, .grad = g->grad, .ids = ids, .n = n};
    job.chunk = n / (4 * p->threads) + 1;
    if (job.chunk > HIST_TASK) job.chunk = HIST_TASK;
    if (job.chunk < HIST_TASK_MIN) job.chunk = HIST_TASK_MIN;
    p->is_fine = g->grad->fine_g != NULL;
    for (int m = 0; m < p->threads; m++)
        p->own[m].rows = p->own[m].dirty = p->own[m].wide_dirty = 0;
    grow_phase(g, (n + job.chunk - 1) / job.chunk, hist_task, &job);
}

/* The members' cells of one lane or byte. A node with packed cells has so few rows that no member
 * flushed: own cells are packed, or all are wide (fine gradients). */
static void meet_cells(const struct hist_pool *p, size_t at, int wide, uint64_t *to)
{
    memset(to, 0, 256 * (wide ? sizeof(struct hist_wide) : sizeof *to));
    for (int m = 0; m < p->threads; m++) {
        const struct hist_own *o = &p->own[m];
        if (o->dirty && wide)
            p->simd->tree_cells_widen(o->packed + at, 256, 1, (int64_t *)to);
        else if (o->dirty)
            p->simd->tree_cells_add(to, o->packed + at, 256);
        if (o->wide_dirty && wide)
            p->simd->tree_cells_add(to, (const uint64_t *)&o->wide[at], 512);
    }
}

void hist_meet(const struct hist_pool *p, int32_t lane, int wide, uint64_t *out)
{
    int words = wide ? 2 : 1;
    const struct bin_digit *d = p->codes->digit ? &p->codes->digit[lane] : NULL;
    uint64_t of_byte[512], *to = out + 256 * (size_t)words * (size_t)lane;
    if (!d || !d->radix || p->is_fine) {
        meet_cells(p, 256 * (size_t)lane, wide, to);
        return;
    }
    size_t first = (size_t)(lane / BIN_BLOCK_LANES * BIN_BLOCK_LANES);
    meet_cells(p, 256 * (first + d->byte), wide, of_byte);
    digit_cells(p, d, of_byte, 256, words, to);
}

/* Cells c0 <= c < c1 of a lane. */
static void subtract_wide(const struct simd_table *simd, struct hist_wide *w,
                          const uint64_t *small, int small_wide, uint64_t *to_packed,
                          int c0, int c1)
{
    if (small_wide)
        simd->tree_cells_sub((uint64_t *)(w + c0), small + 2 * c0, 2 * (c1 - c0));
    else
        simd->tree_cells_widen(small + c0, c1 - c0, -1, (int64_t *)(w + c0));
    for (int c = c0; to_packed && c < c1; c++)
        to_packed[c] = ((uint64_t)w[c].g << 32) + (uint64_t)w[c].h;
}

void hist_subtract(const struct grow *g, int32_t lane, uint64_t *parent,
                   int parent_wide, const uint64_t *small, int small_wide,
                   uint64_t *to_packed)
{
    size_t at = 256 * (size_t)lane;
    int n = bundle_codes(g->codes, g->cuts, lane);
    small += (small_wide ? 2 : 1) * at;
    if (!parent_wide) {
        parent += at;
        g->simd->tree_cells_sub(parent, small, n);
        parent[BIN_MISSING] -= small[BIN_MISSING];
        return;
    }
    struct hist_wide *w = (struct hist_wide *)parent + at;
    if (to_packed) to_packed += at;
    subtract_wide(g->simd, w, small, small_wide, to_packed, 0, n);
    subtract_wide(g->simd, w, small, small_wide, to_packed, BIN_MISSING, 256);
}

void hist_total(const uint64_t *hist, int wide, int32_t n_code, int64_t *g, int64_t *h)
{
    *g = *h = 0;
    for (int32_t i = 0; i <= n_code; i++) {
        int32_t c = i < n_code ? i : BIN_MISSING;
        *g += wide ? ((const struct hist_wide *)hist)[c].g : (int32_t)(hist[c] >> 32);
        *h += wide ? ((const struct hist_wide *)hist)[c].h : (uint32_t)hist[c];
    }
}
