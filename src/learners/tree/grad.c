/* grad.c - gradients of boosting as small integers (trees.md 3 and 5, step 1)
 *
 * Scale      the power of two that brings max|g| to at most 32,766 and max h to 65,534: losses
 *            with a bound by it times the largest weight, the others by a pass for the maximum. value -> floor(value * scale + u), u from Philox keyed by (seed,
 *            "dither"), counter (row id / 4, tree, output), so that a row's draw is its own.
 * Fine       where the mean of |g| or h comes out below 8 levels (heavy tails), 32 bits each.
 * Sums       every sum over rows that decides something is taken in integers: no order.
 * Guide      Q10
 */
#include "learners/tree/grad.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"

#define GRAD_BLOCK  1024 /* rows of a task, some 5 us of it */
#define GRAD_COARSE 8    /* levels on average below which 16 bits are too few */

struct grad_part {
    double g_most, h_most;
    int64_t sum_g, sum_h, most_h;
    int64_t most_row;      /* of output 0: largest sum of h over the outputs */
    double far;            /* largest distance from a target */
    int64_t roots, weight; /* of the distances' roots, of the weights */
};

/* Which tiles have ids in a row? The dither of those needs no look at them. */
static void find_runs(struct grad *g)
{
    const int64_t *ids = g->rows.ids;
    for (int64_t i0 = 0; i0 < g->rows.n; i0 += GRAD_TILE) {
        int64_t end = i0 + GRAD_TILE < g->rows.n ? i0 + GRAD_TILE : g->rows.n;
        int is_run = 1;
        for (int64_t i = i0; i < end; i++) is_run &= ids[i] == ids[i0] + (i - i0);
        g->is_run[i0 / GRAD_TILE] = (uint8_t)is_run;
    }
}

tide_status grad_new(struct grad *g, struct arena *a, tide_error *err)
{
    int64_t n = g->rows.n, k = g->n_outputs, blocks = (n + GRAD_BLOCK - 1) / GRAD_BLOCK;
    g->simd = simd_get(g->ctx);
    if (g->for_vector) /* outputs that do not exist stay 0 */
        g->packed =
            arena_zero(a, ((size_t)n * (size_t)vector_cells(g->n_outputs) + 64) *
                              sizeof *g->packed);
    else
        g->packed = arena_array(a, n * k + 64, sizeof *g->packed);
    g->out = arena_zero(a, (size_t)k * sizeof *g->out);
    g->loss.simd = g->simd;
    g->loss.n_outputs = g->n_outputs;
    g->work = arena_array(a, par_threads(g->ctx),
                          GRAD_TILE * (size_t)(k + 2) * sizeof *g->work);
    g->part = arena_array(a, (blocks + 1) * k, sizeof *g->part);
    g->w_most = g->rows.w ? 0 : 1;
    for (int64_t i = 0; g->rows.w && i < n; i++)
        if (!(g->skip && g->skip[i]) && g->rows.w[i] > g->w_most)
            g->w_most = g->rows.w[i];
    g->is_run = arena_zero(a, (size_t)(n / GRAD_TILE) + 1);
    tide_status status = arena_status(a, err);
    if (!status) find_runs(g);
    return status;
}

/* Largest power of two s with most * s <= limit; 1 when most is 0. */
static double scale_for(double most, double limit)
{
    int e;
    if (!(most > 0)) return 1;
    (void)frexp(limit / most, &e); /* limit / most in [2^(e-1), 2^e) */
    if (e > 1000) e = 1000;
    return ldexp(1, e - 1);
}

struct grad_job {
    struct grad *g;
    int32_t round;
    struct rng_key key;
    int64_t blocks;
    double far; /* largest distance of a score from its target */
};

/* Dither of rows [i0, i0 + m). */
static void tile_dither(const struct grad_job *job, int64_t i0, int64_t m, int32_t k,
                        uint32_t *u)
{
    const int64_t *ids = job->g->rows.ids + i0;
    struct simd_dither d = {job->key.k0, job->key.k1, (uint32_t)job->round,
                            (uint32_t)k};
    if (job->g->is_run[i0 / GRAD_TILE])
        job->g->simd->tree_dither(&d, ids[0], m, u);
    else
        job->g->simd->tree_dither_ids(&d, ids, m, u);
}

/* A worker's tile: what scores are made into, and one output's derivatives. */
struct grad_tile {
    double *z, *g, *h;
};
static struct grad_tile tile_of(const struct grad *g, int worker)
{
    double *z = g->work + (size_t)worker * GRAD_TILE * (size_t)(g->n_outputs + 2);
    return (struct grad_tile){z, z + (size_t)GRAD_TILE * (size_t)g->n_outputs,
                              z + (size_t)GRAD_TILE * (size_t)(g->n_outputs + 1)};
}

/* The values that scores of rows [i0, i0 + m) lack, while they are in the cache anyway. */
static void tile_late(const struct grad *g, int64_t i0, int64_t m)
{
    for (int64_t i = i0; g->late && i < i0 + m; i++)
        g->score[i] += g->late_value[g->late[i]];
}

static void late_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    int64_t n = job->g->rows.n - b * GRAD_BLOCK;
    (void)worker;
    tile_late(job->g, b * GRAD_BLOCK, n < GRAD_BLOCK ? n : GRAD_BLOCK);
}

static void tile_prepare(const struct grad *g, int64_t i0, int64_t m, double *z)
{
    g->loss.of->prepare(&g->loss, &g->rows, i0, m, g->score + i0 * g->n_outputs, z);
}

static void tile_grad(const struct grad *g, int64_t i0, int64_t m, int32_t k,
                      const double *z, const struct grad_tile *t)
{
    g->loss.of->grad(&g->loss, &g->rows, i0, m, k, z, t->g, t->h);
}

/* The largest derivatives times weights of a block, where no bound is known. */
static void most_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t end = (b + 1) * GRAD_BLOCK < g->rows.n ? (b + 1) * GRAD_BLOCK : g->rows.n;
    struct grad_tile t = tile_of(g, worker);
    double g_most = 0, h_most = 0;
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_prepare(g, i0, m, t.z);
        for (int32_t k = 0; k < g->n_outputs; k++) {
            tile_grad(g, i0, m, k, t.z, &t);
            for (int64_t i = 0; i < m; i++) {
                double w = g->rows.w ? g->rows.w[i0 + i] : 1;
                if (g->skip && g->skip[i0 + i]) continue;
                g_most = fabs(t.g[i]) * w > g_most ? fabs(t.g[i]) * w : g_most;
                h_most = t.h[i] * w > h_most ? t.h[i] * w : h_most;
            }
        }
    }
    g->part[b].g_most = g_most;
    g->part[b].h_most = h_most;
}

/* Output k's integers of rows [i0, i0 + m) to the places beside the others', and to the sums of h. */
static void tile_spread(const struct grad *g, int64_t i0, int64_t m, int32_t k,
                        const uint32_t *packed, uint32_t *row_h)
{
    int32_t width = vector_width(g->n_outputs);
    uint32_t *to = g->packed + grad_place(g, k, i0);
    for (int64_t i = 0; i < m; i++) {
        to[i * width] = packed[i];
        row_h[i] = (k ? row_h[i] : 0) + (packed[i] & 65535);
    }
}

/* Does one kernel make the integers from the scores? */
static int is_direct(const struct grad *g)
{
    return g->loss.of->quantise && !g->rows.w && !g->for_vector && !g->by_pass;
}

/* The integers of rows [i0, i0 + m) where it does. */
static void tile_direct(const struct grad_job *job, int64_t i0, int64_t m, int64_t *sum)
{
    const struct grad *g = job->g;
    const int32_t *k = g->rows.k + i0;
    uint32_t u[GRAD_TILE];
    int32_t live[GRAD_TILE];
    for (int64_t i = 0; g->skip && i < m; i++) live[i] = g->skip[i0 + i] ? -1 : k[i];
    tile_dither(job, i0, m, 0, u);
    tile_late(g, i0, m);
    g->loss.of->quantise(&g->loss, g->score + i0, g->skip ? live : k, u, m,
                         g->packed + i0, sum);
}

static void direct_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t n = g->rows.n, end = (b + 1) * GRAD_BLOCK < n ? (b + 1) * GRAD_BLOCK : n;
    int64_t sum[3] = {0, 0, 0};
    (void)worker;
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE)
        tile_direct(job, i0, end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE, sum);
    g->part[b] = (struct grad_part){.sum_g = sum[0], .sum_h = sum[1], .most_h = sum[2]};
}

static void quantise_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t n = g->rows.n, end = (b + 1) * GRAD_BLOCK < n ? (b + 1) * GRAD_BLOCK : n;
    struct grad_tile t = tile_of(g, worker);
    struct grad_part *part = g->part + b * g->n_outputs;
    uint32_t u[GRAD_TILE], packed[GRAD_TILE], row_h[GRAD_TILE];
    for (int32_t k = 0; k < g->n_outputs; k++) part[k] = (struct grad_part){0};
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_late(g, i0, m);
        tile_prepare(g, i0, m, t.z);
        for (int32_t k = 0; k < g->n_outputs; k++) {
            tile_grad(g, i0, m, k, t.z, &t);
            tile_dither(job, i0, m, k, u);
            for (int64_t i = 0; g->rows.w && i < m; i++) {
                t.g[i] *= g->rows.w[i0 + i];
                t.h[i] *= g->rows.w[i0 + i];
            }
            for (int64_t i = 0; g->skip && i < m; i++)
                if (g->skip[i0 + i]) t.g[i] = t.h[i] = u[i] = 0;
            int64_t sum[3] = {part[k].sum_g, part[k].sum_h, part[k].most_h};
            g->simd->tree_quantise(
                t.g, t.h, u, m, 1 / g->out[k].g_unit, 1 / g->out[k].h_unit,
                g->for_vector ? packed : g->packed + k * n + i0, sum);
            part[k].sum_g = sum[0];
            part[k].sum_h = sum[1];
            part[k].most_h = sum[2];
            if (g->for_vector) tile_spread(g, i0, m, k, packed, row_h);
        }
        for (int64_t i = 0; g->for_vector && i < m; i++)
            if (row_h[i] > part->most_row) part->most_row = row_h[i];
    }
}

#define FEW_GRADIENTS 4096 /* made by one thread sooner than others come */

static tide_status each_block(struct grad_job *job, par_fn fn, tide_error *err)
{
    struct grad *g = job->g;
    if (g->rows.n * g->n_outputs >= FEW_GRADIENTS)
        return par_for(g->ctx, job->blocks, fn, job, err);
    for (int64_t b = 0; b < job->blocks; b++) fn(job, b, 0);
    return TIDE_OK;
}

/* The largest distance of a block's scores from the targets that weigh something. */
static void far_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t end = (b + 1) * GRAD_BLOCK < g->rows.n ? (b + 1) * GRAD_BLOCK : g->rows.n;
    struct grad_tile t = tile_of(g, worker);
    double far = 0;
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_prepare(g, i0, m, t.z);
        for (int64_t i = 0; g->skip && i < m; i++)
            if (g->skip[i0 + i]) t.z[i] = 0;
        for (int64_t i = 0; g->rows.w && i < m; i++)
            if (!(g->rows.w[i0 + i] > 0)) t.z[i] = 0;
        for (int64_t i = 0; i < m; i++) far = fabs(t.z[i]) > far ? fabs(t.z[i]) : far;
    }
    g->part[b].far = far < DBL_MAX ? far : DBL_MAX;
}

#define ROOT_UNIT 1073741824.0 /* roots of shares as integers: n 2^30 fits 63 bits */

/* Sums of the roots of a block's distances, as shares of the largest, and of the weights. */
static void root_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t end = (b + 1) * GRAD_BLOCK < g->rows.n ? (b + 1) * GRAD_BLOCK : g->rows.n;
    int64_t roots = 0, weight = 0;
    struct grad_tile t = tile_of(g, worker);
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_prepare(g, i0, m, t.z);
        for (int64_t i = 0; i < m; i++) {
            double share = fabs(t.z[i]) / job->far;
            t.g[i] = sqrt(share < 1 ? share : 1) * ROOT_UNIT;
            t.h[i] = ROOT_UNIT;
        }
        for (int64_t i = 0; g->rows.w && i < m; i++) {
            double w = g->rows.w[i0 + i] / g->w_most;
            t.g[i] *= w;
            t.h[i] *= w;
        }
        for (int64_t i = 0; i < m; i++) {
            if (g->skip && g->skip[i0 + i]) continue;
            roots += (int64_t)(t.g[i] + 0.5);
            weight += (int64_t)(t.h[i] + 0.5);
        }
    }
    g->part[b].roots = roots;
    g->part[b].weight = weight;
}

/* The round's delta: the square of the mean root of the distances. Less drawn by a few far rows than
 * their mean, and not 0 while any row is off, as their median may be. */
static tide_status grad_delta(struct grad_job *job, tide_error *err)
{
    struct grad *g = job->g;
    int64_t roots = 0, weight = 0;
    tide_status status = each_block(job, far_block, err);
    job->far = 0;
    for (int64_t b = 0; b < job->blocks && !status; b++)
        job->far = g->part[b].far > job->far ? g->part[b].far : job->far;
    g->loss.delta = 1;
    if (status || !(job->far > 0)) return status;
    if (!(g->w_most > 0)) return TIDE_OK;
    status = each_block(job, root_block, err);
    for (int64_t b = 0; b < job->blocks && !status; b++) {
        roots += g->part[b].roots;
        weight += g->part[b].weight;
    }
    double mean = roots > 0 ? (double)roots / (double)weight : 1;
    g->loss.delta = mean * mean * job->far;
    return status;
}

/* What the second derivatives of rows of weight 1 stay within, where that is known. */
static double h_bound(const struct grad *g)
{
    const struct objective *of = g->loss.of;
    double k = g->n_outputs;
    if (of->unit_h || of->scaled) return 1;
    return k > 1 ? 0.25 * k / (k - 1) : 0.25; /* p (1 - p) */
}

tide_status grad_make(struct grad *g, int32_t round, tide_error *err)
{
    struct grad_job job = {.g = g, .round = round, .key = rng_key(g->seed, "dither")};
    job.blocks = (g->rows.n + GRAD_BLOCK - 1) / GRAD_BLOCK;
    const struct objective *of = g->loss.of;
    double g_most = of->g_most * g->w_most;
    int by_pass = !(of->g_most > 0) || g->by_pass;
    tide_status status = TIDE_OK;
    if (g->late && (by_pass || of->scaled)) { /* a pass comes before the last */
        status = each_block(&job, late_block, err);
        g->late = NULL;
    }
    if (of->scaled && !status) status = grad_delta(&job, err);
    int h_by_pass = g->by_pass || (by_pass && !of->unit_h);
    double h_most = by_pass ? g->w_most : g->w_most * h_bound(g);
    if (by_pass && !status) {
        g_most = 0;
        if (h_by_pass) h_most = 0;
        status = each_block(&job, most_block, err);
        for (int64_t b = 0; b < job.blocks && !status; b++) {
            g_most = g->part[b].g_most > g_most ? g->part[b].g_most : g_most;
            if (h_by_pass && g->part[b].h_most > h_most) h_most = g->part[b].h_most;
        }
    }
    for (int32_t o = 0; o < g->n_outputs; o++) {
        int count = of->unit_h && !g->rows.w;
        g->out[o] = (struct grow_grad){.packed = g->packed +
                                                 (g->for_vector ? 0 : o * g->rows.n),
                                       .h_is_count = count};
        g->out[o].g_unit = 1 / scale_for(g_most, 32766);
        g->out[o].h_unit = count ? 1 : 1 / scale_for(h_most, 65534);
    }
    if (!status)
        status = each_block(&job, is_direct(g) ? direct_block : quantise_block, err);
    g->late = NULL;
    for (int64_t b = 0; b < job.blocks && !status; b++)
        for (int32_t o = 0; o < g->n_outputs; o++) {
            const struct grad_part *part = &g->part[b * g->n_outputs + o];
            int64_t most = g->for_vector ? part->most_row : part->most_h;
            if (most > g->out[o].h_most) g->out[o].h_most = most;
        }
    return status;
}

int grad_is_coarse(const struct grad *g, int32_t k)
{
    int64_t sum_g = 0, sum_h = 0, blocks = (g->rows.n + GRAD_BLOCK - 1) / GRAD_BLOCK,
            n = g->rows.n;
    int32_t first = g->together ? 0 : k, end = g->together ? g->n_outputs : k + 1;
    for (int64_t b = 0; b < blocks; b++)
        for (int32_t o = first; o < end; o++) {
            sum_g += g->part[b * g->n_outputs + o].sum_g;
            sum_h += g->part[b * g->n_outputs + o].sum_h;
        }
    for (int64_t i = 0; g->skip && i < g->rows.n; i++) n -= g->skip[i] != 0;
    n *= end - first;
    return sum_g < GRAD_COARSE * n ||
           (!g->out[k].h_is_count && sum_h < GRAD_COARSE * n);
}

static void made_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t n = g->rows.n, end = (b + 1) * GRAD_BLOCK < n ? (b + 1) * GRAD_BLOCK : n;
    (void)worker;
    for (int64_t i0 = b * GRAD_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_prepare(g, i0, m, g->made + i0 * g->n_outputs);
    }
}

/* One pass over the rows of output k: the largest values (pass 0), or the integers (1). */
static void fine_pass(const struct grad *g, int32_t k, double gs, double hs, int pass,
                      const struct grad_tile *t, double most[2])
{
    int64_t n = g->rows.n;
    int32_t *fine_g = g->fine_g + k * n;
    uint32_t *fine_h = g->fine_h + k * n;
    for (int64_t i0 = 0; i0 < n; i0 += GRAD_TILE) {
        int64_t m = n - i0 < GRAD_TILE ? n - i0 : GRAD_TILE;
        const double *v = g->made ? g->made + i0 * g->n_outputs : t->z;
        if (!g->made) tile_prepare(g, i0, m, t->z);
        tile_grad(g, i0, m, k, v, t);
        for (int64_t i = 0; i < m; i++) {
            double w = g->rows.w ? g->rows.w[i0 + i] : 1;
            if (g->skip && g->skip[i0 + i]) w = 0;
            double gr = w > 0 ? t->g[i] * w : 0, h = w > 0 ? t->h[i] * w : 0;
            if (pass) {
                fine_g[i0 + i] = (int32_t)rint(gr * gs);
                fine_h[i0 + i] = (uint32_t)rint(h * hs);
            } else {
                most[0] = fabs(gr) > most[0] ? fabs(gr) : most[0];
                most[1] = h > most[1] ? h : most[1];
            }
        }
    }
}

/* The largest values of an output. */
static void fine_most(void *arg, int64_t k, int worker)
{
    const struct grad_job *job = arg;
    struct grad_tile t = tile_of(job->g, worker);
    double *most = &job->g->fine_most[2 * k];
    most[0] = most[1] = 0;
    fine_pass(job->g, (int32_t)k, 0, 0, 0, &t, most);
}

static void fine_output(void *arg, int64_t k, int worker)
{
    const struct grad_job *job = arg;
    struct grad *g = job->g;
    struct grow_grad *out = &g->out[k];
    struct grad_tile t = tile_of(g, worker);
    double most[2];
    if (!grad_is_coarse(g, (int32_t)k)) return;
    memcpy(most, &g->fine_most[2 * k], sizeof most);
    int32_t first = g->for_vector ? 0 : (int32_t)k,
            end = g->for_vector ? g->n_outputs : first + 1;
    double all[2] = {0, 0}; /* outputs of one tree have one unit */
    for (int32_t o = first; o < end; o++)
        for (int i = 0; i < 2; i++)
            if (g->fine_most[2 * o + i] > all[i]) all[i] = g->fine_most[2 * o + i];
    double gs = scale_for(all[0], 0x1p30);
    double hs = out->h_is_count ? 1 : scale_for(all[1], 0x1p30);
    fine_pass(g, (int32_t)k, gs, hs, 1, &t, most);
    out->g_unit = 1 / gs;
    out->h_unit = 1 / hs;
    out->h_most = (int64_t)rint(most[1] * hs);
    out->fine_g = g->fine_g + k * g->rows.n;
    out->fine_h = g->fine_h + k * g->rows.n;
}

tide_status grad_refine(struct grad *g, struct arena *a, tide_error *err)
{
    int64_t n = g->rows.n, k = g->n_outputs;
    struct grad_job job = {.g = g, .blocks = (n + GRAD_BLOCK - 1) / GRAD_BLOCK};
    if (!g->fine_g) {
        g->fine_g = arena_array(a, n * k + 1, sizeof *g->fine_g);
        g->fine_h = arena_array(a, n * k + 1, sizeof *g->fine_h);
        g->fine_most = arena_array(a, 2 * k, sizeof *g->fine_most);
        if (k > 1) g->made = arena_array(a, n * k + 1, sizeof *g->made);
        if (arena_status(a, NULL)) return arena_status(a, err);
    }
    tide_status status = TIDE_OK;
    if (g->made) status = par_for(g->ctx, job.blocks, made_block, &job, err);
    if (!status) status = par_for(g->ctx, k, fine_most, &job, err);
    if (!status) status = par_for(g->ctx, k, fine_output, &job, err);
    if (status || !g->for_vector) return status;
    for (int32_t o = 1; o < k; o++) /* no row has more than this of all together */
        g->out[0].h_most += g->out[o].h_most;
    return TIDE_OK;
}

/* --------------------------------------------------------------- order-free sums --- */

/* Unit of an exact sum of n values up to most: 2^(ceil(log2(n most)) - 62). */
double grad_sum_scale(double most, int64_t n)
{
    int em, en;
    (void)frexp(most, &em);
    (void)frexp((double)(n > 0 ? n : 1), &en);
    int e = 61 - em - en;
    return ldexp(1, e > 1000 ? 1000 : e < -1000 ? -1000 : e);
}

double grad_mean(const double *v, const double *w, const uint8_t *skip, int64_t n)
{
    double most = 0, w_most = 0;
    int64_t sum = 0, w_sum = 0, m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (skip && skip[i]) continue;
        double x = w ? v[i] * w[i] : v[i];
        most = fabs(x) > most ? fabs(x) : most;
        w_most = w && w[i] > w_most ? w[i] : w_most;
        m++;
    }
    if (m == 0) return 0;
    double s = grad_sum_scale(most, m), ws = grad_sum_scale(w_most, m);
    for (int64_t i = 0; i < n; i++) {
        if (skip && skip[i]) continue;
        sum += (int64_t)rint((w ? v[i] * w[i] : v[i]) * s);
        if (w) w_sum += (int64_t)rint(w[i] * ws);
    }
    double total = w ? (double)w_sum / ws : (double)m;
    return (double)sum / s / total;
}

void grad_class_weights(const int32_t *k, const double *w, const uint8_t *skip,
                        int64_t n, int32_t n_classes, double *out)
{
    double most = 1;
    for (int64_t i = 0; w && i < n; i++) most = w[i] > most ? w[i] : most;
    double s = w ? grad_sum_scale(most, n) : 1;
    for (int32_t c = 0; c < n_classes; c++) out[c] = 0;
    /* doubles hold sums of up to 2^53 units exactly; unit so that they stay below */
    if (w) s = ldexp(s, -10);
    for (int64_t i = 0; i < n; i++)
        if (!(skip && skip[i])) out[k[i]] += w ? rint(w[i] * s) : 1;
    for (int32_t c = 0; c < n_classes; c++) out[c] /= s;
}

double grad_loss_of(const struct grad *g, const struct grad_rows *rows,
                    const double *score, const uint32_t *list, int64_t m,
                    double *scratch)
{
    double most = 0;
    double *z = g->work;
    for (int64_t j = 0; j < m; j++) {
        int64_t i = list ? (int64_t)list[j] : j;
        double v = g->loss.of->loss(&g->loss, rows, i, score + i * g->n_outputs, z);
        scratch[j] = rows->w ? v * rows->w[i] : v;
        most = scratch[j] > most ? scratch[j] : most;
    }
    double s = grad_sum_scale(most, m);
    int64_t sum = 0;
    for (int64_t j = 0; j < m; j++) sum += (int64_t)rint(scratch[j] * s);
    double total = (double)m;
    if (rows->w) {
        double w_most = 0;
        int64_t w_sum = 0;
        for (int64_t j = 0; j < m; j++) {
            double w = rows->w[list ? (int64_t)list[j] : j];
            w_most = w > w_most ? w : w_most;
        }
        double ws = grad_sum_scale(w_most, m);
        for (int64_t j = 0; j < m; j++)
            w_sum += (int64_t)rint(rows->w[list ? (int64_t)list[j] : j] * ws);
        total = (double)w_sum / ws;
    }
    return m > 0 ? (double)sum / s / total : 0;
}
