/* stat_order.c - the rows of a fit in the order of a random permutation, for target statistics
 *
 * Order    by a draw of 64 bits a row, rows of equal draws by their number. Draws are spread evenly, so
 *          the first 8 bits cut the rows into buckets of much the same size; within one, 11 bits more
 *          leave few rows a slot. Buckets begin where counts say, so which thread sorts one changes nothing.
 * Targets  and weights as integers, whose sums have no order.
 * Guide    Q10
 */
#include "learners/tree/stat_order.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"

#define BUCKETS   256
#define SLOT_BITS 11
#define DRAW_ROWS 65536 /* of a task that has its own counts of the buckets */
#define WORD_DRAW                                                                      \
    32 /* a word: 32 bits of the draw behind the bucket's, the row's place */
#define BUCKET_AT (64 - 8)

struct order_job {
    struct stat_order *o;
    struct rng_key key;
    const uint32_t *fit; /* [n] rows of the fit, NULL: all */
    int64_t n_blocks;
    uint64_t *draw, *word;      /* [n] */
    int64_t n_tasks;            /* of sorting */
    int64_t (*count)[BUCKETS];  /* [n_blocks] rows of a bucket, then where they go */
    int64_t start[BUCKETS + 1]; /* of a bucket */
    int64_t (*span)[2];         /* [n_blocks] least and largest id */
};

static int64_t blocks_of(int64_t n, int64_t each)
{
    return (n + each - 1) / each;
}

static uint64_t draw_of(const struct order_job *job, uint32_t i)
{
    int64_t row = job->fit ? job->fit[i] : i;
    return rng_u64(rng_at(job->key, view_id(job->o->d->x, row), 0, 0));
}

static void draw_block(void *arg, int64_t block, int worker)
{
    const struct order_job *job = arg;
    int64_t i0 = block * DRAW_ROWS, end = i0 + DRAW_ROWS, *span = job->span[block];
    (void)worker;
    memset(job->count[block], 0, sizeof job->count[block]);
    span[0] = INT64_MAX;
    span[1] = INT64_MIN;
    for (int64_t i = i0; i < end && i < job->o->n; i++) {
        int64_t id = view_id(job->o->d->x, job->fit ? job->fit[i] : i);
        uint64_t draw = job->draw[i] = rng_u64(rng_at(job->key, id, 0, 0));
        job->count[block][draw >> BUCKET_AT]++;
        span[0] = id < span[0] ? id : span[0];
        span[1] = id > span[1] ? id : span[1];
    }
}

/* From counts to places: a bucket's rows of earlier blocks first. */
static void place_buckets(struct order_job *job)
{
    int64_t at = 0;
    for (int b = 0; b < BUCKETS; b++) {
        job->start[b] = at;
        for (int64_t k = 0; k < job->n_blocks; k++) {
            int64_t here = job->count[k][b];
            job->count[k][b] = at;
            at += here;
        }
    }
    job->start[BUCKETS] = at;
}

static void bucket_block(void *arg, int64_t block, int worker)
{
    const struct order_job *job = arg;
    int64_t i0 = block * DRAW_ROWS, end = i0 + DRAW_ROWS, *to = job->count[block];
    (void)worker;
    for (int64_t i = i0; i < end && i < job->o->n; i++) {
        uint64_t draw = job->draw[i], later = draw << (64 - BUCKET_AT) >> WORD_DRAW;
        job->word[to[draw >> BUCKET_AT]++] = later << WORD_DRAW | (uint64_t)i;
    }
}

/* Sorts words that are in order but for a few places. */
static void insert_words(uint64_t *w, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        uint64_t x = w[i];
        int64_t k = i;
        for (; k > 0 && w[k - 1] > x; k--) w[k] = w[k - 1];
        w[k] = x;
    }
}

static void spread_words(const uint64_t *from, int64_t n, uint64_t *to)
{
    uint32_t at[(1 << SLOT_BITS) + 1];
    int bits = 0;
    while (bits < SLOT_BITS && (INT64_C(2) << bits) < n) bits++;
    memset(at, 0, (((size_t)1 << bits) + 1) * sizeof *at);
    for (int64_t i = 0; i < n; i++) at[(from[i] >> 32 >> (32 - bits)) + 1]++;
    for (int s = 0; s < 1 << bits; s++) at[s + 1] += at[s];
    for (int64_t i = 0; i < n; i++) to[at[from[i] >> 32 >> (32 - bits)]++] = from[i];
}

/* Words agree in 40 bits of the draw: the rest of it decides, which is hardly ever needed. */
static void settle_ties(const struct order_job *job, uint64_t *w, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        uint64_t x = w[i], own = 0;
        int64_t k = i;
        for (; k > 0 && w[k - 1] >> WORD_DRAW == x >> WORD_DRAW; k--) {
            if (k == i) own = draw_of(job, (uint32_t)x);
            if (draw_of(job, (uint32_t)w[k - 1]) <= own) break;
            w[k] = w[k - 1];
        }
        w[k] = x;
    }
}

static void sort_bucket(const struct order_job *job, int b)
{
    const struct stat_order *o = job->o;
    int64_t from = job->start[b], n = job->start[b + 1] - from;
    int64_t first = job->span[0][0], last = job->span[0][1];
    uint64_t *w = job->draw + from; /* the draws are in the words now */
    spread_words(job->word + from, n, w);
    insert_words(w, n);
    settle_ties(job, w, n);
    for (int64_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)w[i], row = job->fit ? job->fit[at] : at;
        o->row[from + i] = row;
        o->late[from + i] = view_id(o->d->x, row) - first > (last - first) / 2;
    }
}

static void sort_task(void *arg, int64_t task, int worker)
{
    const struct order_job *job = arg;
    (void)worker;
    for (int b = (int)task; b < BUCKETS; b += (int)job->n_tasks) sort_bucket(job, b);
}

static tide_status order_rows(struct tide_ctx *ctx, struct order_job *job,
                              struct arena *a, tide_error *err)
{
    int64_t n = job->o->n, blocks = job->n_blocks = blocks_of(n, DRAW_ROWS);
    job->draw = arena_array(a, n + 1, sizeof *job->draw);
    job->word = arena_array(a, n + 1, sizeof *job->word);
    job->count = arena_array(a, blocks + 1, sizeof *job->count);
    job->span = arena_array(a, blocks + 1, sizeof *job->span);
    tide_status status = arena_status(a, err);
    if (!status) status = par_for(ctx, blocks, draw_block, job, err);
    if (status || !n) return status;
    for (int64_t k = 1; k < blocks; k++) {
        int64_t *all = job->span[0], *s = job->span[k];
        all[0] = s[0] < all[0] ? s[0] : all[0];
        all[1] = s[1] > all[1] ? s[1] : all[1];
    }
    place_buckets(job);
    status = par_for(ctx, blocks, bucket_block, job, err);
    job->n_tasks = n < STAT_BLOCK ? 1 : BUCKETS / 8;
    return status ? status : par_for(ctx, job->n_tasks, sort_task, job, err);
}

/* The rows of the fit, by their order. */
static tide_status rows_new(struct tide_ctx *ctx, const uint8_t *skip, struct arena *a,
                            struct stat_order *o, tide_error *err)
{
    struct order_job job = {.o = o, .key = rng_key(o->d->seed, "cat_stat")};
    int64_t n = o->d->x->n_rows;
    o->n = n;
    for (int64_t i = 0; i < n && skip; i++) o->n -= skip[i] != 0;
    o->row = arena_array(a, o->n + 1, sizeof *o->row);
    o->late = arena_array(a, o->n + 1, sizeof *o->late);
    if (!o->row || !o->late) return arena_status(a, err);
    struct arena_mark mark = arena_mark(a);
    if (o->n < n) {
        uint32_t *fit = arena_array(a, o->n + 1, sizeof *fit);
        int64_t m = 0;
        for (int64_t i = 0; i < n && fit; i++)
            if (!skip[i]) fit[m++] = (uint32_t)i;
        job.fit = fit;
    }
    tide_status status = order_rows(ctx, &job, a, err);
    if (!a->failed) arena_reset(a, mark);
    return status;
}

/* The range of the targets. */
static void order_range(struct stat_order *o)
{
    const double *y = o->d->y;
    for (int64_t i = 0; i < o->n && y; i++) {
        double v = y[o->row[i]];
        o->range[0] = i == 0 || v < o->range[0] ? v : o->range[0];
        o->range[1] = i == 0 || v > o->range[1] ? v : o->range[1];
    }
}

struct gather_job {
    const struct stat_order *o;
    int64_t i0, n;         /* the rows asked for */
    double scale;          /* of targets */
    const uint32_t *codes; /* levels */
    uint32_t n_level;
    uint16_t *level; /* [n] where they go */
};

/* Targets from 0 to the unit over the range, or 0 and the unit for a class. */
static void target_block(void *arg, int64_t block, int worker)
{
    const struct gather_job *job = arg;
    const struct stat_order *o = job->o;
    const struct fit_data *d = o->d;
    int64_t i0 = block * STAT_BLOCK,
            end = i0 + STAT_BLOCK < o->n ? i0 + STAT_BLOCK : o->n;
    double lo = o->range[0], hi = o->range[1];
    uint32_t unit = (uint32_t)stat_unit(o);
    (void)worker;
    for (int32_t k = 0; k < o->n_outputs; k++) {
        uint32_t one = o->n_outputs > 1 ? (uint32_t)k : 1, *t = o->t[k];
        for (int64_t i = i0; i < end && !d->y; i++)
            t[i] = (uint32_t)d->k[o->row[i]] == one ? unit : 0;
        for (int64_t i = i0; i < end && d->y; i++) {
            double y = fmin(fmax(d->y[o->row[i]], lo), hi);
            t[i] = (uint32_t)rint((y / 2 - lo / 2) * job->scale);
        }
    }
}

static tide_status order_targets(struct tide_ctx *ctx, struct arena *a,
                                 struct stat_order *o, tide_error *err)
{
    struct gather_job job = {.o = o};
    double lo = o->range[0], hi = o->range[1];
    /* halves, since the range may be beyond what a double holds */
    job.scale = hi > lo ? stat_unit(o) / (hi / 2 - lo / 2) : 0;
    if (!isfinite(job.scale)) job.scale = 0;
    o->t = arena_zero(a, (size_t)o->n_outputs * sizeof *o->t);
    for (int32_t k = 0; o->t && k < o->n_outputs; k++)
        o->t[k] = arena_array(a, o->n + 1, sizeof *o->t[k]);
    tide_status status = arena_status(a, err);
    return status ? status
                  : par_for(ctx, blocks_of(o->n, STAT_BLOCK), target_block, &job, err);
}

static tide_status order_weights(struct arena *a, struct stat_order *o, tide_error *err)
{
    const double *w = o->d->w;
    double most = 0;
    int64_t sum = 0;
    o->w_mean = 1;
    if (!w) return TIDE_OK;
    for (int64_t i = 0; i < o->n; i++) {
        double own = w[o->row[i]];
        most = own > most ? own : most;
    }
    o->w = arena_array(a, o->n + 1, sizeof *o->w);
    if (!o->w) return arena_status(a, err);
    for (int64_t i = 0; i < o->n; i++) {
        double own = most > 0 ? w[o->row[i]] / most * (STAT_UNIT_WEIGHTED - 1) : 0;
        sum += o->w[i] = (uint16_t)rint(own);
    }
    o->w_mean = o->n > 0 && sum > 0 ? (double)sum / (double)o->n : 1;
    return TIDE_OK;
}

tide_status stat_order_new(struct tide_ctx *ctx, const struct fit_data *d,
                           const uint8_t *skip, const double *range, struct arena *a,
                           struct stat_order *o, tide_error *err)
{
    int32_t n_cols = d->x->n_cols;
    *o = (struct stat_order){.d = d, .n_outputs = 1};
    if (!d->y && d->n_classes > 2) o->n_outputs = d->n_classes;
    o->level = arena_zero(a, ((size_t)n_cols + 1) * sizeof *o->level);
    o->n_known = arena_zero(a, ((size_t)n_cols + 1) * sizeof *o->n_known);
    o->n_level = arena_zero(a, ((size_t)n_cols + 1) * sizeof *o->n_level);
    if (!o->level || !o->n_known || !o->n_level) return arena_status(a, err);
    tide_status status = rows_new(ctx, skip, a, o, err);
    if (status) return status;
    if (range)
        memcpy(o->range, range, sizeof o->range);
    else
        order_range(o);
    status = order_weights(a, o, err); /* which say the unit of targets */
    return status ? status : order_targets(ctx, a, o, err);
}

static void level_block(void *arg, int64_t block, int worker)
{
    const struct gather_job *job = arg;
    int64_t i0 = job->i0 + block * STAT_BLOCK, end = i0 + STAT_BLOCK;
    uint32_t n_level = job->n_level;
    (void)worker;
    if (end > job->n) end = job->n;
    for (int64_t i = i0; i < end; i++) {
        uint32_t code = job->codes[view_row(job->o->d->x, job->o->row[i])];
        job->level[i] = (uint16_t)(code < n_level ? code : n_level);
    }
}

tide_status stat_order_levels(struct tide_ctx *ctx, struct stat_order *o, int32_t j,
                              int64_t n, struct arena *a, tide_error *err)
{
    const struct column *c = o->d->x->cols[j];
    struct gather_job job = {.o = o, .i0 = o->n_known[j], .n = n, .codes = c->code};
    job.n_level = o->n_level[j] = c->dict.n;
    job.level = o->level[j];
    if (n <= o->n_known[j]) return TIDE_OK;
    if (!job.level)
        job.level = o->level[j] = arena_array(a, o->n + 1, sizeof *job.level);
    if (!job.level) return arena_status(a, err);
    tide_status status =
        par_for(ctx, blocks_of(n - job.i0, STAT_BLOCK), level_block, &job, err);
    if (!status) o->n_known[j] = n;
    return status;
}
