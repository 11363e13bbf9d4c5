/* rank_loss.c - lambdarank (Burges 2010) and xendcg (Bruch 2020), with the conventions of LightGBM
 *
 * lambdarank
 * Pairs       of rows i, j of a query with labels l_i > l_j, one of them among the first
 *             `truncation` places by score. D = |2^l_i - 2^l_j| |d_i - d_j| / best, where
 *             d = 1/log2(place + 2) and best is the largest DCG of the first `truncation` places;
 *             D is divided by 0.01 + |s_i - s_j| once a query's scores differ.
 * Gradients   p = 1/(1 + exp(s_i - s_j)):  g_i -= p D, g_j += p D, h += p (1 - p) D; then all of
 *             the query times log2(1 + S)/S, S twice the sum of p D, where S > 0.
 * xendcg
 * Labels      of a query, as shares q_i of 2^l_i - u_i, with u_i in (0, 1) by Philox(seed, "xendcg",
 *             row id, round); p is the softmax of its scores.
 * Gradients   g = p - q and x = g; then twice (Bruch's terms of second and third order) t_i =
 *             x_i/(1 - p_i), x_i = p_i (sum_j t_j - t_i), g_i += x_i; h = p (1 - p). A query of one
 *             row, or without a relevant one, teaches nothing; in LightGBM the latter does.
 * both
 * Stopping    NDCG of the first 10 places, gain 2^label - 1; rows of one score share their
 *             places; a query without a relevant row counts as 1.
 * Weights     a query weighs the mean of its rows' weights.
 * Order       rows by key of the group, then row number: a view's order changes no bit. Equal
 *             scores are placed by row number. A query's sums are f64 in the order of its pairs,
 *             on one thread; nothing is added up across queries but the NDCG, in their order.
 * Cost        lambdarank: truncation pairs a row and round, n log n to sort; xendcg: linear
 * Guide       Q4 Q10
 */
#include "learners/tree/rank_loss.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/sort.h"
#include "simd/simd.h"
#include "simd/vmath.h"

#define RANK_NEAR 0.01  /* keeps the weight of pairs of nearly equal scores finite */
#define RANK_SURE 1e-12 /* least share that a row leaves to the others of its query */
#define RANK_LOW                                                                       \
    -700 /* scores further below the first of their query are as low as that */
#define RANK_FEW   128 /* rows of a query whose places are counted, not sorted */
#define RANK_SPARE 8   /* rows that kernels may read behind the last */

/* Rows of one table, query by query. */
struct queries {
    int64_t n, n_rows;
    int64_t *begin; /* [n + 1] into row */
    uint32_t *row;  /* [n_rows] by key of the group, then row number */
    int64_t longest;
};

struct placed {
    double score;
    uint32_t at; /* within the query */
};

/* A worker's memory for one query. */
struct rank_scratch {
    struct placed *placed, *merge;
    uint32_t *place;
    double *s, *gain, *x, *p, *g, *h; /* in order of places, RANK_SPARE more */
    double *discount;
};

struct rank {
    struct tide_ctx *ctx;
    const struct simd_table *simd;
    int32_t truncation;
    struct queries all;
    const struct view *x; /* for the ids of rows */
    uint64_t seed;
    const double *y;
    const uint8_t *skip;
    double *inverse; /* [all.n] 1 / best; 0: no pair can gain */
    double *g, *h;   /* [all.n_rows] by row */
    struct queries watched;
    const double *watched_y, *watched_w;
    double *watched_best;         /* [watched.n] of the first RANK_PLACES places */
    struct rank_scratch *scratch; /* [threads] */
    double *discount;             /* [longest] of every place */
    double gain[RANK_LABEL_MOST + 1];
};

/* ---- queries ---- */

/* Rows in order of (group, number). */
static uint32_t *sort_rows(const struct fit_data *d, struct arena *a)
{
    int64_t n = d->x->n_rows;
    uint32_t *by_id = arena_array(a, n + 1, sizeof *by_id);
    uint32_t *by_group = arena_array(a, n + 1, sizeof *by_group);
    uint64_t *key = arena_array(a, n + 1, sizeof *key);
    if (!by_id || !by_group || !key) return NULL;
    for (int64_t i = 0; i < n; i++) key[i] = (uint64_t)view_id(d->x, i);
    if (sort_index_u64(a, key, n, by_id)) return NULL;
    for (int64_t i = 0; i < n; i++) key[i] = (uint64_t)d->group[by_id[i]];
    if (sort_index_u64(a, key, n, by_group)) return NULL;
    for (int64_t i = 0; i < n; i++) by_group[i] = by_id[by_group[i]];
    return by_group;
}

/* Queries of the rows with skip[i] != 0 (NULL: of all). */
static tide_status queries_find(const struct fit_data *d, const uint8_t *skip,
                                struct arena *a, struct queries *q, tide_error *err)
{
    int64_t n = d->x->n_rows;
    *q = (struct queries){.row = sort_rows(d, a)};
    q->begin = arena_array(a, n + 1, sizeof *q->begin);
    if (!q->row || !q->begin) return arena_status(a, err);
    for (int64_t p = 0; p < n; p++) {
        uint32_t i = q->row[p];
        if (skip && !skip[i]) continue;
        if (!q->n_rows || d->group[i] != d->group[q->row[q->n_rows - 1]])
            q->begin[q->n++] = q->n_rows;
        q->row[q->n_rows++] = i;
    }
    q->begin[q->n] = q->n_rows;
    for (int64_t k = 0; k < q->n; k++) {
        int64_t m = q->begin[k + 1] - q->begin[k];
        q->longest = m > q->longest ? m : q->longest;
    }
    return TIDE_OK;
}

static double gain_of(double label)
{
    return ldexp(1, (int)label) - 1;
}

/* The largest DCG that m rows can have in their first `places`: labels counted, highest first. */
static double best_dcg(const double *y, const uint32_t *row, int64_t m, int64_t places,
                       const double *discount)
{
    int64_t count[RANK_LABEL_MOST + 1] = {0}, place = 0;
    double sum = 0;
    for (int64_t i = 0; i < m; i++) count[(int)y[row[i]]]++;
    for (int label = RANK_LABEL_MOST; label > 0; label--)
        for (int64_t c = 0; c < count[label] && place < places; c++, place++)
            sum += gain_of(label) * discount[place];
    return sum;
}

tide_status rank_weigh(const struct fit_data *d, struct arena *a, struct fit_data *to,
                       tide_error *err)
{
    struct queries q;
    *to = *d;
    if (!d->w) return TIDE_OK;
    tide_status status = queries_find(d, NULL, a, &q, err);
    double *w = arena_array(a, d->x->n_rows + 1, sizeof *w);
    if (!status) status = arena_status(a, err);
    for (int64_t k = 0; k < q.n && !status; k++) {
        double sum = 0;
        int64_t m = q.begin[k + 1] - q.begin[k];
        const uint32_t *row = q.row + q.begin[k];
        for (int64_t i = 0; i < m; i++) sum += d->w[row[i]];
        for (int64_t i = 0; i < m; i++) w[row[i]] = sum / (double)m;
    }
    to->w = w;
    return status;
}

/* ---- memory ---- */

static tide_status scratch_new(struct rank *r, int64_t longest, struct arena *a,
                               tide_error *err)
{
    int threads = par_threads(r->ctx);
    r->scratch = arena_array(a, threads, sizeof *r->scratch);
    r->discount = arena_array(a, longest + 1, sizeof *r->discount);
    for (int t = 0; r->scratch && t < threads; t++) {
        struct rank_scratch *s = &r->scratch[t];
        s->placed = arena_array(a, 2 * longest + 2, sizeof *s->placed);
        s->place = arena_array(a, RANK_FEW, sizeof *s->place);
        double *all = arena_zero(a, 7 * (size_t)(longest + RANK_SPARE) * sizeof *all);
        if (!s->placed || !s->place || !all) break;
        s->merge = s->placed + longest + 1;
        double **at[] = {&s->s, &s->gain, &s->x, &s->p, &s->g, &s->h, &s->discount};
        for (int i = 0; i < 7; i++) *at[i] = all + i * (longest + RANK_SPARE);
    }
    for (int64_t i = 0; r->discount && i < longest; i++)
        r->discount[i] = 1 / vm_log2((double)i + 2);
    return arena_status(a, err);
}

tide_status rank_new(struct tide_ctx *ctx, const struct fit_data *d,
                     const struct fit_data *valid, const uint8_t *skip,
                     int32_t truncation, struct arena *a, struct rank **out,
                     tide_error *err)
{
    struct rank *r = arena_zero(a, sizeof *r);
    *out = r;
    if (!r) return arena_status(a, err);
    const struct fit_data *of = valid ? valid : d;
    *r = (struct rank){.ctx = ctx,
                       .simd = simd_get(ctx),
                       .truncation = truncation,
                       .x = d->x,
                       .seed = d->seed,
                       .y = d->y,
                       .skip = skip,
                       .watched_y = of->y,
                       .watched_w = of->w};
    for (int label = 0; label <= RANK_LABEL_MOST; label++)
        r->gain[label] = gain_of(label);
    tide_status status = queries_find(d, NULL, a, &r->all, err);
    if (!status && (valid || skip))
        status = queries_find(of, valid ? NULL : skip, a, &r->watched, err);
    if (status) return status;
    int64_t longest =
        r->all.longest > r->watched.longest ? r->all.longest : r->watched.longest;
    r->inverse = arena_array(a, r->all.n + 1, sizeof *r->inverse);
    r->watched_best = arena_array(a, r->watched.n + 1, sizeof *r->watched_best);
    r->g = arena_array(a, d->x->n_rows + 1, sizeof *r->g);
    r->h = arena_array(a, d->x->n_rows + 1, sizeof *r->h);
    status = scratch_new(r, longest, a, err);
    for (int64_t k = 0; k < r->all.n && !status; k++) {
        const struct queries *q = &r->all;
        double best = best_dcg(r->y, q->row + q->begin[k],
                               q->begin[k + 1] - q->begin[k], truncation, r->discount);
        r->inverse[k] = best > 0 ? 1 / best : 0;
    }
    for (int64_t k = 0; k < r->watched.n && !status; k++) {
        const struct queries *q = &r->watched;
        r->watched_best[k] =
            best_dcg(of->y, q->row + q->begin[k], q->begin[k + 1] - q->begin[k],
                     RANK_PLACES, r->discount);
    }
    return status;
}

const double *rank_g(const struct rank *r)
{
    return r->g;
}

const double *rank_h(const struct rank *r)
{
    return r->h;
}

/* ---- places ---- */

/* Few rows: each goes to where it belongs. */
static void place_few(const struct rank *r, const uint32_t *row, int64_t m,
                      const double *score, struct rank_scratch *s)
{
    for (int64_t i = 0; i < m; i++) s->x[i] = score[row[i]];
    r->simd->rank_places(s->x, m, s->place);
    for (int64_t i = 0; i < m; i++)
        s->placed[s->place[i]] = (struct placed){s->x[i], (uint32_t)i};
}

/* Highest score first; equal scores stay in the order of rows. Bottom-up merges. */
static void place_rows(const struct rank *r, const struct queries *q, int64_t k,
                       const double *score, struct rank_scratch *s)
{
    int64_t m = q->begin[k + 1] - q->begin[k];
    const uint32_t *row = q->row + q->begin[k];
    struct placed *from = s->placed, *to = s->merge;
    if (m <= RANK_FEW) {
        place_few(r, row, m, score, s);
        return;
    }
    for (int64_t i = 0; i < m; i++)
        from[i] = (struct placed){score[row[i]], (uint32_t)i};
    for (int64_t width = 1; width < m; width *= 2) {
        for (int64_t lo = 0; lo < m; lo += 2 * width) {
            int64_t mid = lo + width < m ? lo + width : m;
            int64_t hi = lo + 2 * width < m ? lo + 2 * width : m;
            int64_t i = lo, j = mid;
            for (int64_t out = lo; out < hi; out++)
                to[out] = j >= hi || (i < mid && from[i].score >= from[j].score)
                              ? from[i++]
                              : from[j++];
        }
        struct placed *swap = from;
        from = to;
        to = swap;
    }
    s->placed = from; /* where the order ended */
    s->merge = to;
}

/* ---- derivatives ---- */

static void derive_query(struct rank *r, int64_t k, const double *score,
                         struct rank_scratch *s)
{
    const struct queries *q = &r->all;
    int64_t m = q->begin[k + 1] - q->begin[k];
    const uint32_t *row = q->row + q->begin[k];
    for (int64_t i = 0; i < m; i++) r->g[row[i]] = r->h[row[i]] = 0;
    /* rows that are only watched teach nothing */
    if (r->inverse[k] == 0 || (r->skip && r->skip[row[0]])) return;
    place_rows(r, q, k, score, s);
    for (int64_t i = 0; i < m + RANK_SPARE - 1; i++) {
        struct placed at = s->placed[i < m ? i : 0];
        double below = at.score - s->placed[0].score;
        s->s[i] = at.score;
        s->p[i] = below > RANK_LOW ? below : RANK_LOW;
        s->gain[i] = r->gain[(int)r->y[row[at.at]]];
        s->discount[i] = i < m ? r->discount[i] : 2;
        s->g[i] = s->h[i] = 0;
    }
    r->simd->vexp(s->p, s->p, m + RANK_SPARE - 1);
    int has_distance = s->s[0] != s->s[m - 1];
    struct simd_pairs pairs = {.m = m,
                               .s = s->s,
                               .e = s->p,
                               .gain = s->gain,
                               .discount = s->discount,
                               .inverse = r->inverse[k],
                               .near = has_distance ? RANK_NEAR : 1,
                               .slope = has_distance};
    double sum = 2 * r->simd->rank_pairs(&pairs, r->truncation, s->g, s->h);
    double scale = sum > 0 ? vm_log2(1 + sum) / sum : 1;
    for (int64_t i = 0; i < m; i++) {
        uint32_t to = row[s->placed[i].at];
        r->g[to] = s->g[i] * scale;
        r->h[to] = s->h[i] * scale;
    }
}

/* What the shares of the others make of terms x, added to g; x becomes what was added. */
static void entropy_term(const double *p, int64_t m, double *x, double *g)
{
    double sum = 0;
    for (int64_t i = 0; i < m; i++) {
        x[i] /= 1 - p[i] > RANK_SURE ? 1 - p[i] : RANK_SURE;
        sum += x[i];
    }
    for (int64_t i = 0; i < m; i++) {
        x[i] = p[i] * (sum - x[i]);
        g[i] += x[i];
    }
}

static void derive_entropy(struct rank *r, int64_t k, const double *score,
                           int32_t round, struct rank_scratch *s)
{
    const struct queries *q = &r->all;
    int64_t m = q->begin[k + 1] - q->begin[k];
    const uint32_t *row = q->row + q->begin[k];
    struct rng_key key = rng_key(r->seed, "xendcg");
    double sum = 0;
    for (int64_t i = 0; i < m; i++) r->g[row[i]] = r->h[row[i]] = 0;
    if (m < 2 || r->inverse[k] == 0 || (r->skip && r->skip[row[0]])) return;
    for (int64_t i = 0; i < m; i++) {
        double u = rng_u01(rng_at(key, view_id(r->x, row[i]), (uint32_t)round, 0));
        s->p[i] = score[row[i]];
        s->gain[i] = r->gain[(int)r->y[row[i]]] + 1 - u;
        sum += s->gain[i];
    }
    r->simd->vsoftmax(s->p, 1, (int)m);
    for (int64_t i = 0; i < m; i++) s->g[i] = s->x[i] = s->p[i] - s->gain[i] / sum;
    entropy_term(s->p, m, s->x, s->g);
    entropy_term(s->p, m, s->x, s->g);
    for (int64_t i = 0; i < m; i++) {
        r->g[row[i]] = s->g[i];
        r->h[row[i]] = s->p[i] * (1 - s->p[i]);
    }
}

struct derive_job {
    struct rank *r;
    const double *score;
    int32_t round; /* of the cross-entropy; -1: pairs */
};

/* First query that begins at or after this place. */
static int64_t query_from(const struct queries *q, int64_t place)
{
    int64_t lo = 0, hi = q->n;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (q->begin[mid] < place)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A block is the queries that begin in PAR_BLOCK rows. */
static void derive_block(void *arg, int64_t block, int worker)
{
    const struct derive_job *job = arg;
    const struct queries *q = &job->r->all;
    int64_t end = query_from(q, (block + 1) * PAR_BLOCK);
    struct rank_scratch *s = &job->r->scratch[worker];
    for (int64_t k = query_from(q, block * PAR_BLOCK); k < end; k++)
        if (job->round < 0)
            derive_query(job->r, k, job->score, s);
        else
            derive_entropy(job->r, k, job->score, job->round, s);
}

static tide_status derive(struct derive_job job, tide_error *err)
{
    int64_t blocks = (job.r->all.n_rows + PAR_BLOCK - 1) / PAR_BLOCK;
    return par_for(job.r->ctx, blocks, derive_block, &job, err);
}

tide_status rank_derive(struct rank *r, const double *score, tide_error *err)
{
    return derive((struct derive_job){r, score, -1}, err);
}

tide_status rank_derive_entropy(struct rank *r, const double *score, int32_t round,
                                tide_error *err)
{
    return derive((struct derive_job){r, score, round}, err);
}

/* ---- NDCG ---- */

static double watched_ndcg(struct rank *r, int64_t k, const double *score)
{
    const struct queries *q = &r->watched;
    struct rank_scratch *s = &r->scratch[0];
    int64_t m = q->begin[k + 1] - q->begin[k], i = 0;
    const uint32_t *row = q->row + q->begin[k];
    double sum = 0;
    if (!(r->watched_best[k] > 0)) return 1;
    place_rows(r, q, k, score, s);
    while (i < m && i < RANK_PLACES) {
        double gain = 0, discount = 0;
        int64_t j = i;
        for (; j < m && s->placed[j].score == s->placed[i].score; j++) {
            gain += r->gain[(int)r->watched_y[row[s->placed[j].at]]];
            discount += j < RANK_PLACES ? r->discount[j] : 0;
        }
        sum += gain / (double)(j - i) * discount;
        i = j;
    }
    return sum / r->watched_best[k];
}

double rank_watched(struct rank *r, const double *score)
{
    double sum = 0, all = 0;
    for (int64_t k = 0; k < r->watched.n; k++) {
        double w = r->watched_w ? r->watched_w[r->watched.row[r->watched.begin[k]]] : 1;
        sum += w * watched_ndcg(r, k, score);
        all += w;
    }
    return all > 0 ? sum / all : 0;
}
