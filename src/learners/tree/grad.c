/* grad.c - gradients of boosting as small integers (trees.md 3 and 5, step 1)
 *
 * Scale      the power of two that brings max|g| to at most 32,766 and max h to 65,534: bounded
 *            losses by their bound times the largest weight, squared error by a pass for the
 *            maximum. value -> floor(value * scale + u), u from Philox keyed by (seed,
 *            "dither"), counter (row id / 4, tree, output), so that a row's draw is its own.
 * Fine       where the mean of |g| or h comes out below 8 levels (heavy tails), 32 bits each.
 * Sums       every sum over rows that decides something is taken in integers: no order.
 * Guide      Q10
 */
#include "learners/tree/grad.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"

#define GRAD_COARSE 8 /* levels on average below which 16 bits are too few */

struct grad_part {
    double g_most;
    int64_t sum_g, sum_h, most_h;
};

tide_status grad_new(struct grad *g, struct arena *a, tide_error *err)
{
    int64_t n = g->rows.n, k = g->n_outputs, blocks = (n + PAR_BLOCK - 1) / PAR_BLOCK;
    g->simd = simd_get(g->ctx);
    g->packed = arena_array(a, n * k + 64, sizeof *g->packed);
    g->out = arena_zero(a, (size_t)k * sizeof *g->out);
    g->work =
        arena_array(a, par_threads(g->ctx), GRAD_TILE * (size_t)k * sizeof *g->work);
    g->part = arena_array(a, (blocks + 1) * k, sizeof *g->part);
    g->w_most = g->rows.w ? 0 : 1;
    for (int64_t i = 0; g->rows.w && i < n; i++)
        if (!(g->skip && g->skip[i]) && g->rows.w[i] > g->w_most)
            g->w_most = g->rows.w[i];
    return arena_status(a, err);
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
};

/* The dither of one row: word id mod 4 of the block id / 4. */
static inline uint32_t dither(struct rng_key key, int64_t id, uint32_t tree,
                              uint32_t output, int64_t *have, struct rng_word *words)
{
    if ((id >> 2) != *have) {
        *have = id >> 2;
        *words =
            rng_philox(key, (uint32_t)(id >> 2), (uint32_t)(id >> 34), tree, output);
    }
    return words->w[id & 3];
}

/* Gradients of rows [i0, i0 + m), output-major in work: z[k][m] holds p or the residual. */
static void tile_values(const struct grad *g, int64_t i0, int64_t m, double *z)
{
    int64_t k = g->n_outputs;
    const double *s = g->score + i0 * k;
    if (g->loss == GRAD_SQUARED)
        for (int64_t i = 0; i < m; i++) z[i] = s[i] - g->rows.y[i0 + i];
    else if (g->loss == GRAD_LOGISTIC)
        g->simd->vexpit(s, z, m);
    else {
        memcpy(z, s, (size_t)(m * k) * sizeof *z);
        g->simd->vsoftmax(z, m, (int)k);
    }
}

/* g and h of one row before the weight. */
static inline void row_grad(const struct grad *g, const double *z, int64_t row,
                            int64_t i, int32_t k, double *gr, double *h)
{
    double p = z[i * g->n_outputs + k];
    *gr = *h = 0;
    switch (g->loss) {
    case GRAD_SQUARED:
        *gr = p;
        *h = 1;
        break;
    case GRAD_LOGISTIC:
        *gr = p - (double)(g->rows.k[row] == 1);
        *h = p * (1 - p);
        break;
    case GRAD_SOFTMAX:
        *gr = p - (double)(g->rows.k[row] == k);
        *h = p * (1 - p) * ((double)g->n_outputs / (g->n_outputs - 1));
        break;
    }
}

static void most_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t end = (b + 1) * PAR_BLOCK < g->rows.n ? (b + 1) * PAR_BLOCK : g->rows.n;
    double most = 0;
    (void)worker;
    for (int64_t i = b * PAR_BLOCK; i < end; i++) {
        double v = fabs(g->score[i] - g->rows.y[i]) * (g->rows.w ? g->rows.w[i] : 1);
        if (!(g->skip && g->skip[i]) && v > most) most = v;
    }
    g->part[b].g_most = most;
}

static void quantise_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t n = g->rows.n, end = (b + 1) * PAR_BLOCK < n ? (b + 1) * PAR_BLOCK : n;
    double *z = g->work + (size_t)worker * GRAD_TILE * (size_t)g->n_outputs;
    struct grad_part *part = g->part + b * g->n_outputs;
    for (int32_t k = 0; k < g->n_outputs; k++) part[k] = (struct grad_part){0};
    for (int64_t i0 = b * PAR_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_values(g, i0, m, z);
        for (int32_t k = 0; k < g->n_outputs; k++) {
            double gs = 1 / g->out[k].g_unit, hs = 1 / g->out[k].h_unit;
            uint32_t *to = g->packed + k * n + i0;
            struct rng_word words = {{0}};
            int64_t have = -1;
            for (int64_t i = 0; i < m; i++) {
                double gr, h, w = g->rows.w ? g->rows.w[i0 + i] : 1;
                if (g->skip && g->skip[i0 + i]) {
                    to[i] = 0;
                    continue;
                }
                uint32_t u = dither(job->key, g->rows.ids[i0 + i], (uint32_t)job->round,
                                    (uint32_t)k, &have, &words);
                row_grad(g, z, i0 + i, i, k, &gr, &h);
                /* adding 2^15 keeps the value positive: the cast is then the floor */
                int32_t q =
                    (int32_t)(gr * w * gs + (u & 0xffff) * 0x1p-16 + 32768) - 32768;
                int64_t hq = g->out[k].h_is_count
                                 ? 1
                                 : (int64_t)(h * w * hs + (u >> 16) * 0x1p-16);
                to[i] = (uint32_t)q << 16 | (uint32_t)hq;
                part[k].sum_g += q < 0 ? -q : q;
                part[k].sum_h += hq;
                if (hq > part[k].most_h) part[k].most_h = hq;
            }
        }
    }
}

tide_status grad_make(struct grad *g, int32_t round, tide_error *err)
{
    struct grad_job job = {.g = g, .round = round, .key = rng_key(g->seed, "dither")};
    job.blocks = (g->rows.n + PAR_BLOCK - 1) / PAR_BLOCK;
    double g_most = g->w_most, k = g->n_outputs;
    double h_most = g->w_most * (g->loss == GRAD_SOFTMAX ? 0.25 * k / (k - 1) : 0.25);
    tide_status status = TIDE_OK;
    if (g->loss == GRAD_SQUARED) {
        h_most = g->w_most;
        g_most = 0;
        status = par_for(g->ctx, job.blocks, most_block, &job, err);
        for (int64_t b = 0; b < job.blocks && !status; b++)
            if (g->part[b].g_most > g_most) g_most = g->part[b].g_most;
    }
    for (int32_t o = 0; o < g->n_outputs; o++) {
        int count = g->loss == GRAD_SQUARED && !g->rows.w;
        g->out[o] = (struct grow_grad){.packed = g->packed + o * g->rows.n,
                                       .h_is_count = count};
        g->out[o].g_unit = 1 / scale_for(g_most, 32766);
        g->out[o].h_unit = count ? 1 : 1 / scale_for(h_most, 65534);
    }
    if (!status) status = par_for(g->ctx, job.blocks, quantise_block, &job, err);
    for (int64_t b = 0; b < job.blocks && !status; b++)
        for (int32_t o = 0; o < g->n_outputs; o++) {
            int64_t most = g->part[b * g->n_outputs + o].most_h;
            if (most > g->out[o].h_most) g->out[o].h_most = most;
        }
    return status;
}

int grad_is_coarse(const struct grad *g, int32_t k)
{
    int64_t sum_g = 0, sum_h = 0, blocks = (g->rows.n + PAR_BLOCK - 1) / PAR_BLOCK,
            n = 0;
    for (int64_t b = 0; b < blocks; b++) {
        sum_g += g->part[b * g->n_outputs + k].sum_g;
        sum_h += g->part[b * g->n_outputs + k].sum_h;
    }
    for (int64_t i = 0; i < g->rows.n; i++) n += !(g->skip && g->skip[i]);
    return sum_g < GRAD_COARSE * n ||
           (!g->out[k].h_is_count && sum_h < GRAD_COARSE * n);
}

static void prob_block(void *arg, int64_t b, int worker)
{
    const struct grad_job *job = arg;
    const struct grad *g = job->g;
    int64_t n = g->rows.n, end = (b + 1) * PAR_BLOCK < n ? (b + 1) * PAR_BLOCK : n;
    (void)worker;
    for (int64_t i0 = b * PAR_BLOCK; i0 < end; i0 += GRAD_TILE) {
        int64_t m = end - i0 < GRAD_TILE ? end - i0 : GRAD_TILE;
        tile_values(g, i0, m, g->prob + i0 * g->n_outputs);
    }
}

/* One pass over the rows of output k: the largest values (pass 0), or the integers (1). */
static void fine_pass(const struct grad *g, int32_t k, double gs, double hs, int pass,
                      double *z, double most[2])
{
    int64_t n = g->rows.n;
    int32_t *fine_g = g->fine_g + k * n;
    uint32_t *fine_h = g->fine_h + k * n;
    for (int64_t i0 = 0; i0 < n; i0 += GRAD_TILE) {
        int64_t m = n - i0 < GRAD_TILE ? n - i0 : GRAD_TILE;
        const double *v = g->prob ? g->prob + i0 * g->n_outputs : z;
        if (!g->prob) tile_values(g, i0, m, z);
        for (int64_t i = 0; i < m; i++) {
            double gr, h, w = g->rows.w ? g->rows.w[i0 + i] : 1;
            if (g->skip && g->skip[i0 + i]) w = 0;
            row_grad(g, v, i0 + i, i, k, &gr, &h);
            gr *= w;
            h *= w;
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

static void fine_output(void *arg, int64_t k, int worker)
{
    const struct grad_job *job = arg;
    struct grad *g = job->g;
    struct grow_grad *out = &g->out[k];
    double *z = g->work + (size_t)worker * GRAD_TILE * (size_t)g->n_outputs;
    double most[2] = {0, 0};
    if (!grad_is_coarse(g, (int32_t)k)) return;
    fine_pass(g, (int32_t)k, 0, 0, 0, z, most);
    double gs = scale_for(most[0], 0x1p30);
    double hs = out->h_is_count ? 1 : scale_for(most[1], 0x1p30);
    fine_pass(g, (int32_t)k, gs, hs, 1, z, most);
    out->g_unit = 1 / gs;
    out->h_unit = 1 / hs;
    out->h_most = (int64_t)rint(most[1] * hs);
    out->fine_g = g->fine_g + k * g->rows.n;
    out->fine_h = g->fine_h + k * g->rows.n;
}

tide_status grad_refine(struct grad *g, struct arena *a, tide_error *err)
{
    int64_t n = g->rows.n, k = g->n_outputs;
    struct grad_job job = {.g = g, .blocks = (n + PAR_BLOCK - 1) / PAR_BLOCK};
    if (!g->fine_g) {
        g->fine_g = arena_array(a, n * k + 1, sizeof *g->fine_g);
        g->fine_h = arena_array(a, n * k + 1, sizeof *g->fine_h);
        if (g->loss == GRAD_SOFTMAX)
            g->prob = arena_array(a, n * k + 1, sizeof *g->prob);
        if (arena_status(a, NULL)) return arena_status(a, err);
    }
    tide_status status = TIDE_OK;
    if (g->prob) status = par_for(g->ctx, job.blocks, prob_block, &job, err);
    return status ? status : par_for(g->ctx, k, fine_output, &job, err);
}

/* --------------------------------------------------------------- order-free sums --- */

/* Unit of an exact sum of n values up to most: 2^(ceil(log2(n most)) - 62). */
static double sum_scale(double most, int64_t n)
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
    double s = sum_scale(most, m), ws = sum_scale(w_most, m);
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
    double s = w ? sum_scale(most, n) : 1;
    for (int32_t c = 0; c < n_classes; c++) out[c] = 0;
    /* doubles hold sums of up to 2^53 units exactly; unit so that they stay below */
    if (w) s = ldexp(s, -10);
    for (int64_t i = 0; i < n; i++)
        if (!(skip && skip[i])) out[k[i]] += w ? rint(w[i] * s) : 1;
    for (int32_t c = 0; c < n_classes; c++) out[c] /= s;
}

static double row_loss(const struct grad *g, const struct grad_rows *rows,
                       const double *score, int64_t i, double *z)
{
    int32_t k = g->n_outputs;
    if (g->loss == GRAD_SQUARED) {
        double d = score[i] - rows->y[i];
        return d * d;
    }
    if (g->loss == GRAD_LOGISTIC) {
        double s = rows->k[i] == 1 ? -score[i] : score[i], out;
        g->simd->vlogaddexp0(&s, &out, 1);
        return out;
    }
    const double *s = score + i * k;
    double top = s[0], sum = 0, log_sum;
    for (int32_t q = 1; q < k; q++) top = s[q] > top ? s[q] : top;
    for (int32_t q = 0; q < k; q++) z[q] = s[q] - top;
    g->simd->vexp(z, z, k);
    for (int32_t q = 0; q < k; q++) sum += z[q];
    g->simd->vlog(&sum, &log_sum, 1);
    return log_sum + top - s[rows->k[i] < k ? rows->k[i] : 0];
}

double grad_loss_of(const struct grad *g, const struct grad_rows *rows,
                    const double *score, const uint32_t *list, int64_t m,
                    double *scratch)
{
    double most = 0;
    double *z = g->work;
    for (int64_t j = 0; j < m; j++) {
        int64_t i = list ? (int64_t)list[j] : j;
        double v = row_loss(g, rows, score, i, z);
        scratch[j] = rows->w ? v * rows->w[i] : v;
        most = scratch[j] > most ? scratch[j] : most;
    }
    double s = sum_scale(most, m);
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
        double ws = sum_scale(w_most, m);
        for (int64_t j = 0; j < m; j++)
            w_sum += (int64_t)rint(rows->w[list ? (int64_t)list[j] : j] * ws);
        total = (double)w_sum / ws;
    }
    return m > 0 ? (double)sum / s / total : 0;
}
