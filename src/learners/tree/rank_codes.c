/* rank_codes.c - columns as u16 ranks (trees.md 7)
 *
 * Numbers     one radix sort a column; ranks are written along the sorted order
 * Categories  the 254 most frequent levels have a code of their own, the rest share one; codes are
 *             sorted by mean target, or by the share of the class that differs most between
 *             levels; sums are integers, ties go to the lower level
 * Guide       Q10
 */
#include "learners/tree/rank_codes.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "frame/frame.h"
#include "infer/ensemble.h"
#include "learners/tree/bins.h"
#include "math/sort.h"

#define OWN_LEVELS 254

struct rank_job {
    const struct fit_data *d;
    const struct rank_target *target;
    struct rank_codes *out;
    struct tide_ctx *ctx;
    struct arena *own;  /* [workers] memory that stays */
    struct arena *work; /* [workers] the same memory for one column after another */
    tide_status *status;
};

static double edge_between(double low, double high)
{
    double mid = low / 2 + high / 2;
    return mid >= low && mid < high ? mid : low;
}

/* ---------------------------------------------------------------------- numbers --- */

/* Ranks along the sorted order; `snap` edges (n_edge of them) where values are too many. The
 * largest value of a rank goes to value[]. */
static void write_ranks(struct rank_col *c, const double *v, const uint32_t *order,
                        int64_t present, const double *snap, int32_t n_edge,
                        double *value)
{
    int32_t rank = -1, at = 0;
    for (int64_t i = 0; i < present; i++) {
        double x = v[order[i]];
        if (snap) {
            while (at < n_edge && snap[at] < x) at++;
            if (at != rank && rank >= 0)
                for (int32_t r = rank; r < at; r++) c->edge[r] = value[r + 1] = snap[r];
            rank = at;
        } else if (i == 0 || x != value[rank]) {
            if (rank >= 0) c->edge[rank] = edge_between(value[rank], x);
            rank++;
        }
        value[rank] = x;
        c->code[order[i]] = (uint16_t)(rank + c->missing);
    }
    c->n_rank = rank + 1;
}

/* 32 bits tell values best around 0, so the median is taken off; values that round to the same
 * are moved apart by single steps, which leaves a threshold to fall between any two ranks. */
static tide_status draw_images(struct rank_col *c, const double *value, double median,
                               struct arena *own)
{
    const double most = (double)FLT_MAX / 2;
    float last = -(float)INFINITY;
    c->image = arena_array(own, (int64_t)c->n_rank + 1, sizeof *c->image);
    c->mark = arena_array(own, (int64_t)c->n_rank / RANK_STEP + 1, sizeof *c->mark);
    if (!c->image || !c->mark) return TIDE_ENOMEM;
    *c->image++ = last;
    for (int32_t r = 0; r < c->n_rank; r++) {
        double x = value ? value[r] - median : r;
        float v = (float)(x > most ? most : x < -most ? -most : x) + 0.0f;
        if (!(v > last)) v = nextafterf(last, (float)INFINITY);
        c->image[r] = last = v;
        if (r % RANK_STEP == 0) c->mark[r / RANK_STEP] = v;
    }
    return TIDE_OK;
}

/* The last of n ascending floats that is not above x, or 0; no branch depends on x. */
static int32_t last_within(const float *v, int32_t n, float x)
{
    const float *at = v;
    for (; n > 1; n -= n / 2) at = at[n / 2] <= x ? at + n / 2 : at;
    return (int32_t)(at - v);
}

int32_t rank_near(const struct rank_col *c, float x)
{
    return RANK_STEP * last_within(c->mark, (c->n_rank + RANK_STEP - 1) / RANK_STEP, x);
}

int32_t rank_from(const struct rank_col *c, int32_t near, float x)
{
    int32_t left = c->n_rank - near;
    return near + last_within(c->image + near, left < RANK_STEP ? left : RANK_STEP, x);
}

static tide_status rank_number(const struct rank_job *job, int32_t f, struct arena *own,
                               struct arena *work)
{
    struct rank_col *c = &job->out->col[f];
    int64_t n = job->out->n_rows, present = 0, distinct = 0;
    double *v = arena_array(work, n + 1, sizeof *v), *snap = NULL, *value;
    uint32_t *order = arena_array(work, n + 1, sizeof *order);
    int32_t n_edge = 0;
    if (!v || !order) return TIDE_ENOMEM;
    view_numbers(job->d->x, f, 0, n, v);
    if (sort_index_f64(work, v, n, order)) return TIDE_ENOMEM;
    for (; present < n && !isnan(v[order[present]]); present++)
        distinct += present == 0 || v[order[present]] != v[order[present - 1]];
    c->missing = present < n;
    if (distinct > RANK_MOST) {
        double *sorted = arena_array(work, present, sizeof *sorted);
        snap = arena_array(work, RANK_MOST + 1, sizeof *snap);
        if (!sorted || !snap) return TIDE_ENOMEM;
        for (int64_t i = 0; i < present; i++) sorted[i] = v[order[i]];
        n_edge = bins_edges(sorted, present, RANK_MOST, snap);
        if (n_edge < 0) return TIDE_ENOMEM;
        distinct = n_edge + 1;
    }
    value = arena_array(work, distinct + 1, sizeof *value);
    c->edge = arena_array(own, distinct + 1, sizeof *c->edge);
    c->code = arena_array(own, n + 64, sizeof *c->code);
    if (!value || !c->edge || !c->code) return TIDE_ENOMEM;
    for (int64_t i = present; i < n; i++) c->code[order[i]] = 0;
    write_ranks(c, v, order, present, snap, n_edge, value);
    c->on = c->n_rank + c->missing > 1 && c->n_rank > 0;
    return draw_images(c, value, present ? v[order[present / 2]] : 0, own);
}

/* ------------------------------------------------------------------- categories --- */

/* Codes in level order: own codes for the most frequent, one for the rest. */
static tide_status own_codes(struct arena *work, const int64_t *count, uint32_t n_level,
                             uint8_t *code, int32_t *n_code)
{
    uint64_t *key = arena_array(work, (int64_t)n_level + 1, sizeof *key);
    uint32_t *order = arena_array(work, (int64_t)n_level + 1, sizeof *order);
    uint32_t present = 0, next = 0;
    if (!key || !order) return TIDE_ENOMEM;
    for (uint32_t l = 0; l < n_level; l++) {
        present += count[l] > 0;
        key[l] = UINT64_MAX - (uint64_t)count[l];
    }
    if (sort_index_u64(work, key, n_level, order)) return TIDE_ENOMEM;
    memset(code, 255, n_level);
    for (uint32_t i = 0; i < present; i++)
        code[order[i]] = (uint8_t)(present <= OWN_LEVELS + 1 || i < OWN_LEVELS);
    for (uint32_t l = 0; l < n_level; l++)
        if (code[l] != 255) code[l] = (uint8_t)(code[l] ? next++ : OWN_LEVELS);
    *n_code = (int32_t)(present < OWN_LEVELS + 1 ? present : OWN_LEVELS + 1);
    return TIDE_OK;
}

/* The class whose shares differ most between codes; sum[k * 256 + c], w[c]. */
static int32_t telling_class(const int64_t *sum, const int64_t *w, int32_t n_classes)
{
    int32_t best = n_classes == 2;
    double most = -1, all = 0;
    for (int c = 0; c < 256; c++) all += (double)w[c];
    for (int32_t k = 0; k < n_classes && n_classes > 2; k++) {
        double mean = 0, spread = 0;
        for (int c = 0; c < 256; c++) mean += (double)sum[(size_t)k * 256 + (size_t)c];
        mean /= all;
        for (int c = 0; c < 256; c++) {
            if (!w[c]) continue;
            double off = (double)sum[(size_t)k * 256 + (size_t)c] / (double)w[c] - mean;
            spread += (double)w[c] * off * off;
        }
        if (spread > most) {
            most = spread;
            best = k;
        }
    }
    return best;
}

/* rank[c] of each u8 code by mean target. */
static tide_status order_codes(const struct rank_job *job, const uint8_t *code,
                               int32_t n_code, struct arena *work, uint8_t *rank)
{
    const struct rank_target *t = job->target;
    int64_t n = job->out->n_rows, w[256] = {0};
    int32_t width = t->n_classes ? t->n_classes : 1;
    int64_t *sum = arena_zero(work, (size_t)width * 256 * sizeof *sum);
    double *key = arena_array(work, 256, sizeof *key);
    uint32_t *order = arena_array(work, 256, sizeof *order);
    if (!sum || !key || !order) return TIDE_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        if (code[i] == 255) continue;
        w[code[i]] += t->w[i];
        if (t->n_classes)
            sum[(size_t)t->aux[i] * 256 + code[i]] += t->w[i];
        else
            sum[code[i]] += t->aux[i] * (int64_t)t->w[i];
    }
    int32_t k = t->n_classes > 1 ? telling_class(sum, w, t->n_classes) : 0;
    for (int32_t c = 0; c < n_code; c++)
        key[c] = w[c] ? (double)sum[(size_t)k * 256 + (size_t)c] / (double)w[c] : 0;
    if (sort_index_f64(work, key, n_code, order)) return TIDE_ENOMEM;
    for (int32_t r = 0; r < n_code; r++) rank[order[r]] = (uint8_t)r;
    return TIDE_OK;
}

/* The codes that levels have in other trees, which are ranks already; their number. */
static int32_t given_codes(const struct ensemble *from, int32_t f, uint32_t n_level,
                           uint8_t *code)
{
    int32_t n_code = 0;
    memcpy(code, from->level_code + from->level_off[f], n_level);
    for (uint32_t l = 0; l < n_level; l++)
        n_code = code[l] != 255 && code[l] >= n_code ? code[l] + 1 : n_code;
    return n_code;
}

static tide_status rank_levels(const struct rank_job *job, int32_t f, struct arena *own,
                               struct arena *work)
{
    struct rank_col *c = &job->out->col[f];
    int64_t n = job->out->n_rows, missing;
    int32_t n_code = 0;
    uint8_t rank[256] = {0};
    int64_t *count = arena_zero(work, ((size_t)c->n_level + 1) * sizeof *count);
    uint32_t *raw = arena_array(work, n + 1, sizeof *raw);
    uint8_t *code = arena_array(work, n + 1, 1);
    c->level_code = arena_array(own, (int64_t)c->n_level + 1, 1);
    c->code = arena_array(own, n + 64, sizeof *c->code);
    if (!count || !raw || !code || !c->level_code || !c->code) return TIDE_ENOMEM;
    view_codes(job->d->x, f, 0, n, raw);
    for (int64_t i = 0; i < n; i++)
        if (raw[i] < c->n_level) count[raw[i]]++;
    const struct ensemble *from = job->target->from;
    tide_status status = TIDE_OK;
    if (from)
        n_code = given_codes(from, f, c->n_level, c->level_code);
    else
        status = own_codes(work, count, c->n_level, c->level_code, &n_code);
    if (status) return status;
    missing = 0;
    for (int64_t i = 0; i < n; i++) {
        code[i] = raw[i] < c->n_level ? c->level_code[raw[i]] : 255;
        missing += code[i] == 255;
    }
    for (int32_t r = 0; r < n_code && from; r++) rank[r] = (uint8_t)r;
    if (!from) status = order_codes(job, code, n_code, work, rank);
    if (status) return status;
    c->missing = missing > 0;
    c->n_rank = n_code;
    for (int64_t i = 0; i < n; i++)
        c->code[i] = code[i] == 255 ? 0 : (uint16_t)(rank[code[i]] + c->missing);
    for (uint32_t l = 0; l < c->n_level; l++)
        if (c->level_code[l] != 255) c->level_code[l] = rank[c->level_code[l]];
    c->on = c->n_rank + c->missing > 1 && c->n_rank > 0;
    return draw_images(c, NULL, 0, own);
}

/* Bytes of work a row: value, order, what sorting takes, and twice the values sorted. */
#define WORK_BYTES 52

static void rank_column(void *arg, int64_t f, int worker)
{
    const struct rank_job *job = arg;
    struct arena *work = &job->work[worker], *own = &job->own[worker];
    if (!work->chunk) arena_array(work, job->out->n_rows + 4096, WORK_BYTES);
    struct arena_mark all = {work->chunk, 0};
    arena_reset(work, all);
    job->status[f] = job->out->col[f].kind ? rank_levels(job, (int32_t)f, own, work)
                                           : rank_number(job, (int32_t)f, own, work);
    if (work->failed && !own->failed) { /* told through what stays */
        own->failed = work->failed;
        own->failed_size = work->failed_size;
    }
    arena_reset(work, all);
}

tide_status rank_codes_make(struct tide_ctx *ctx, const struct fit_data *d,
                            const struct rank_target *target, struct arena *a,
                            struct rank_codes *out, tide_error *err)
{
    const struct view *x = d->x;
    int32_t nf = x->n_cols;
    struct rank_job job = {.d = d, .target = target, .out = out, .ctx = ctx};
    *out = (struct rank_codes){.n_rows = x->n_rows, .n_cols = nf};
    out->col = arena_zero(a, ((size_t)nf + 1) * sizeof *out->col);
    job.status = arena_zero(a, ((size_t)nf + 1) * sizeof *job.status);
    int workers = par_threads(ctx);
    job.own = arena_zero(a, (size_t)workers * sizeof *job.own);
    job.work = arena_zero(a, (size_t)workers * sizeof *job.work);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int32_t f = 0; f < nf; f++) {
        struct rank_col *c = &out->col[f];
        c->kind = x->cols[f]->type == TIDE_CAT;
        c->n_level = c->kind ? x->cols[f]->dict.n : 0;
        c->hash = hash_name(x->cols[f]->name);
    }
    for (int k = 0; k < workers; k++) {
        arena_init(&job.own[k], ctx);
        arena_init(&job.work[k], ctx);
    }
    status = par_for(ctx, nf, rank_column, &job, err);
    for (int k = 0; k < workers; k++) {
        arena_free(&job.work[k]);
        arena_absorb(a, &job.own[k]);
    }
    if (!status) status = arena_status(a, err);
    for (int32_t f = 0; f < nf; f++) {
        if (!status && job.status[f])
            status = err_nomem(err, (size_t)x->n_rows * sizeof(double));
    }
    return status;
}
