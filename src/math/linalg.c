/* linalg.c - Gram matrices in the fixed order of rows, Cholesky by blocks of dot products
 *
 * A Gram matrix is cut into tiles of columns; a task makes one tile from the rows of eight
 * shards and folds them as par_tree_fold would, then the eight parts meet. Every element thus
 * has its own fixed order of additions, whatever the tiles and threads. */
#include "math/linalg.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "simd/simd.h"

#define TILE   64  /* columns */
#define PIECE  256 /* rows copied at a time */
#define GROUPS 8   /* of PAR_SHARDS / GROUPS shards */
#define LEVELS 4   /* partial sums alive while 8 shards fold */

struct gram_job {
    const struct simd_table *simd;
    const double *const *x; /* [q], the last may be y */
    const double *shift;    /* [q] */
    const double *w;
    int64_t n, n_blocks;
    int q, n_tiles;
    int side;            /* of a tile: TILE, or less where there are fewer columns */
    const int16_t *pair; /* [n_pairs][2]: tile of rows, tile of columns */
    double *part;        /* [n_pairs][GROUPS][side * side] */
    double *scratch;     /* per worker: [2 * side][PIECE] + [LEVELS][side * side] */
};

static int64_t scratch_size(int side)
{
    return (int64_t)2 * side * PIECE + (int64_t)LEVELS * side * side;
}

/* Columns [j0, j0 + nj) of rows [r0, r0 + m), shifted, times w if asked. */
static void copy_piece(const struct gram_job *job, int j0, int nj, int64_t r0,
                       int64_t m, const double *w, double *buf, const double **col)
{
    for (int j = 0; j < nj; j++) {
        const double *from = job->x[j0 + j] + r0;
        double s = job->shift ? job->shift[j0 + j] : 0.0, *to = buf + j * PIECE;
        if (!job->shift && !w) {
            col[j] = from;
            continue;
        }
        job->simd->shift_scale(from, s, w ? w + r0 : NULL, to, m);
        col[j] = to;
    }
}

static void gram_shard(const struct gram_job *job, int it, int jt, int shard,
                       double *buf, double *g)
{
    const double *xi[TILE], *xj[TILE];
    int i0 = it * TILE, j0 = jt * TILE;
    int ni = job->q - i0 < TILE ? job->q - i0 : TILE;
    int nj = job->q - j0 < TILE ? job->q - j0 : TILE;
    int64_t end = par_shard_begin(job->n_blocks, shard + 1) * PAR_BLOCK;
    if (end > job->n) end = job->n;
    for (int64_t r = par_shard_begin(job->n_blocks, shard) * PAR_BLOCK; r < end;
         r += PIECE) {
        int64_t m = end - r < PIECE ? end - r : PIECE;
        copy_piece(job, i0, ni, r, m, job->w, buf, xi);
        if (it == jt && !job->w)
            memcpy(xj, xi, sizeof xi);
        else
            copy_piece(job, j0, nj, r, m, NULL, buf + job->side * PIECE, xj);
        job->simd->gram_rect(xi, ni, xj, nj, m, g, job->side, it == jt);
    }
}

static void add_tile(double *to, const double *from, int cells)
{
    for (int k = 0; k < cells; k++) to[k] += from[k];
}

static void gram_task(void *arg, int64_t task, int worker)
{
    const struct gram_job *job = arg;
    int64_t pair = task / GROUPS;
    int group = (int)(task % GROUPS), depth = 0, size[LEVELS];
    int cells = job->side * job->side;
    double *buf = job->scratch + worker * scratch_size(job->side);
    double *stack = buf + 2 * job->side * PIECE;
    for (int s = 0; s < PAR_SHARDS / GROUPS;
         s++) { /* a binary counter of partial sums */
        double *top = stack + depth * cells;
        memset(top, 0, sizeof(double) * (size_t)cells);
        gram_shard(job, job->pair[2 * pair], job->pair[2 * pair + 1],
                   group * (PAR_SHARDS / GROUPS) + s, buf, top);
        size[depth++] = 1;
        while (depth > 1 && size[depth - 1] == size[depth - 2]) {
            add_tile(stack + (depth - 2) * cells, stack + (depth - 1) * cells, cells);
            size[depth - 2] *= 2;
            depth--;
        }
    }
    memcpy(job->part + task * cells, stack, sizeof(double) * (size_t)cells);
}

static void gram_finish(const struct gram_job *job, int64_t n_pairs, int p,
                        double *gram, double *xty)
{
    int side = job->side, cells = side * side;
    for (int64_t k = 0; k < n_pairs; k++) {
        double *part = job->part + k * GROUPS * cells;
        for (int step = 1; step < GROUPS; step *= 2)
            for (int g = 0; g < GROUPS; g += 2 * step)
                add_tile(part + g * cells, part + (g + step) * cells, cells);
        int i0 = job->pair[2 * k] * TILE, j0 = job->pair[2 * k + 1] * TILE;
        for (int i = i0; i < i0 + TILE && i < p; i++)
            for (int j = j0 > i ? j0 : i; j < j0 + TILE && j < job->q; j++) {
                double v = part[(i - i0) * side + j - j0];
                if (j == p)
                    xty[i] = v;
                else
                    gram[(int64_t)i * p + j] = gram[(int64_t)j * p + i] = v;
            }
    }
}

tide_status linalg_gram(struct tide_ctx *ctx, const double *const *x, int64_t n, int p,
                        const double *w, const double *shift, const double *y,
                        double y_shift, double *gram, double *xty, tide_error *err)
{
    struct arena a;
    struct gram_job job = {.simd = simd_get(ctx), .w = w, .n = n, .q = p + (y != NULL)};
    arena_init(&a, ctx);
    job.n_blocks = (n + PAR_BLOCK - 1) / PAR_BLOCK;
    job.n_tiles = (job.q + TILE - 1) / TILE;
    int64_t n_pairs = (int64_t)job.n_tiles * (job.n_tiles + 1) / 2, k = 0;
    const double **col = arena_array(&a, job.q, sizeof *col);
    double *shifts = arena_array(&a, job.q, sizeof *shifts);
    int16_t *pair = arena_array(&a, 2 * n_pairs, sizeof *pair);
    job.side = job.q < TILE ? (job.q + 7) / 8 * 8 : TILE;
    job.part =
        arena_array(&a, n_pairs * GROUPS * job.side * job.side, sizeof *job.part);
    job.scratch =
        arena_array(&a, par_threads(ctx) * scratch_size(job.side), sizeof *job.scratch);
    tide_status st = arena_status(&a, err);
    if (st != TIDE_OK) goto done;
    memcpy(col, x, (size_t)p * sizeof *col);
    for (int j = 0; j < p; j++) shifts[j] = shift ? shift[j] : 0.0;
    if (y) col[p] = y, shifts[p] = y_shift;
    for (int i = 0; i < job.n_tiles; i++)
        for (int j = i; j < job.n_tiles; j++, k++)
            pair[2 * k] = (int16_t)i, pair[2 * k + 1] = (int16_t)j;
    job.x = col;
    job.shift = shift || (y && y_shift != 0) ? shifts : NULL;
    job.pair = pair;
    st = par_for(ctx, n_pairs * GROUPS, gram_task, &job, err);
    if (st == TIDE_OK) gram_finish(&job, n_pairs, p, gram, xty);
done:
    arena_free(&a);
    return st;
}

/* ---- means ---- */
struct mean_job {
    const struct simd_table *simd;
    const double *const *x;
    const double *w;
    int64_t n, n_blocks;
    int p;
    double *part; /* [PAR_SHARDS][p + 1] */
};

static void mean_task(void *arg, int64_t shard, int worker)
{
    const struct mean_job *job = arg;
    double *out = job->part + shard * (job->p + 1);
    int64_t b1 = par_shard_begin(job->n_blocks, (int)shard + 1);
    (void)worker;
    for (int64_t b = par_shard_begin(job->n_blocks, (int)shard); b < b1; b++) {
        int64_t r = b * PAR_BLOCK, m = job->n - r < PAR_BLOCK ? job->n - r : PAR_BLOCK;
        for (int j = 0; j < job->p; j++)
            out[j] += job->w ? job->simd->dot(job->x[j] + r, job->w + r, m)
                             : job->simd->sum(job->x[j] + r, m);
        out[job->p] += job->w ? job->simd->sum(job->w + r, m) : (double)m;
    }
}

tide_status linalg_means(struct tide_ctx *ctx, const double *const *x, int64_t n, int p,
                         const double *w, double *mean, double *sum_w, tide_error *err)
{
    struct arena a;
    struct mean_job job = {.simd = simd_get(ctx), .x = x, .w = w, .n = n, .p = p};
    arena_init(&a, ctx);
    job.n_blocks = (n + PAR_BLOCK - 1) / PAR_BLOCK;
    job.part = arena_array(&a, (int64_t)PAR_SHARDS * (p + 1), sizeof *job.part);
    tide_status st = arena_status(&a, err);
    if (st == TIDE_OK) {
        memset(job.part, 0, sizeof *job.part * PAR_SHARDS * (size_t)(p + 1));
        st = par_for(ctx, PAR_SHARDS, mean_task, &job, err);
    }
    if (st == TIDE_OK) {
        par_tree_fold(job.part, p + 1);
        double total = job.part[p];
        for (int j = 0; j < p; j++) mean[j] = total > 0 ? job.part[j] / total : 0.0;
        if (sum_w) *sum_w = total;
    }
    arena_free(&a);
    return st;
}

/* ---- Cholesky ---- */
#define NB 40

/* Rows [i0, i1) of the block column [j0, j1): what stands left of it is taken off, then the
 * triangle of the block is solved. Returns 0 or 1 + the column that is not positive. */
static int cholesky_block(double *a, int n, int i0, int i1, int j0, int j1,
                          const struct simd_table *simd)
{
    const double *row_i[NB], *row_j[NB];
    double g[NB * NB] = {0};
    for (int i = i0; i < i1; i++) row_i[i - i0] = a + (int64_t)i * n;
    for (int j = j0; j < j1; j++) row_j[j - j0] = a + (int64_t)j * n;
    simd->gram_rect(row_i, i1 - i0, row_j, j1 - j0, j0, g, NB, 0);
    for (int i = i0; i < i1; i++) {
        double *ai = a + (int64_t)i * n;
        int last = i < j1 - 1 ? i : j1 - 1;
        for (int j = j0; j <= last; j++) {
            const double *aj = a + (int64_t)j * n;
            double before = ai[j], s = ai[j] - g[(i - i0) * NB + j - j0];
            for (int k = j0; k < j; k++) s -= ai[k] * aj[k];
            if (i == j) {
                if (!(s > 4.0 * n * 0x1p-53 * before)) return 1 + j;
                ai[j] = sqrt(s);
            } else {
                ai[j] = s / aj[j];
            }
        }
    }
    return 0;
}

int linalg_cholesky(double *a, int n)
{
    const struct simd_table *simd = simd_get(NULL);
    for (int i0 = 0; i0 < n; i0 += NB) {
        int i1 = i0 + NB < n ? i0 + NB : n;
        for (int j0 = 0; j0 <= i0; j0 += NB) {
            int bad = cholesky_block(a, n, i0, i1, j0, j0 + NB < n ? j0 + NB : n, simd);
            if (bad) return bad;
        }
    }
    return 0;
}

void linalg_cholesky_solve(const double *l, int n, double *b)
{
    const struct simd_table *simd = simd_get(NULL);
    for (int i = 0; i < n; i++) {
        const double *row = l + (int64_t)i * n;
        b[i] = (b[i] - simd->dot(row, b, i)) / row[i];
    }
    for (int i = n - 1; i >= 0; i--) {
        const double *row = l + (int64_t)i * n;
        b[i] /= row[i];
        simd->axpy(-b[i], row, b, i);
    }
}

/* ---- condition ---- */
static double norm1(const double *v, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++) s += fabs(v[i]);
    return s;
}

double linalg_inverse_norm1(int n, linalg_solve solve, const void *arg)
{
    double *v = mem_array((size_t)n * 2, sizeof *v), *z = v ? v + n : NULL, best = 0;
    if (!v || n == 0) goto done;
    for (int i = 0; i < n; i++) v[i] = 1.0 / n;
    for (int k = 0; k < 5; k++) {
        memcpy(z, v, (size_t)n * sizeof *z);
        solve(arg, 0, z);
        double size = norm1(z, n);
        if (!(size > best)) break;
        best = size;
        for (int i = 0; i < n; i++) z[i] = z[i] < 0 ? -1.0 : 1.0;
        solve(arg, 1, z);
        double along = 0;
        int top = 0;
        for (int i = 0; i < n; i++) along += z[i] * v[i];
        for (int i = 1; i < n; i++) top = fabs(z[i]) > fabs(z[top]) ? i : top;
        if (k > 0 && fabs(z[top]) <= along) break;
        memset(v, 0, (size_t)n * sizeof *v);
        v[top] = 1;
    }
    for (int i = 0; i < n; i++)
        z[i] = (i % 2 ? -1.0 : 1.0) * (1.0 + (n > 1 ? (double)i / (n - 1) : 0.0));
    solve(arg, 0, z);
    double other = 2.0 * norm1(z, n) / (3.0 * n);
    best = other > best ? other : best;
done:
    mem_free(v);
    return best;
}

struct factor {
    const double *l;
    int n;
};
static void factor_solve(const void *arg, int transposed, double *b)
{
    const struct factor *f = arg;
    (void)transposed; /* symmetric */
    linalg_cholesky_solve(f->l, f->n, b);
}

double linalg_cholesky_rcond(const double *l, int n, double norm)
{
    double inverse = linalg_inverse_norm1(n, factor_solve, &(struct factor){l, n});
    return inverse > 0 && norm > 0 ? 1.0 / (inverse * norm) : 0.0;
}
