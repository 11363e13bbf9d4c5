/* csv_early.c - conversion beside reading: columns are filled while blocks are in cache
 *
 * Columns have room for as many rows as samples of the file suggest, and the types that the first
 * blocks suggest; csv_convert.c finishes what was guessed right and forgets the rest. Long texts go
 * to one piece of memory in the order of rows: the texts of a batch of blocks are measured, each
 * block is told where its own begin (text_at of its first row), and converting writes them there.
 * Blocks that were not clean are measured too, from the file, and find their place kept. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "frame/csv_job.h"

#define EARLY_SLABS 8 /* smaller files are not worth its preparation */

/* Lines in pieces spread over the file tell about how many rows it has. */
static tide_status guess_rows(struct csv_reader *r, int64_t *rows, tide_error *err)
{
    enum { PIECES = 8 };
    int64_t size = r->src.size, piece = r->slab / 16, lines = 0, bytes = 0;
    if (piece > size / PIECES) piece = size / PIECES;
    if (piece < 1) piece = 1;
    tide_status st = csv_window_room(&r->look, piece, 0, err);
    for (int k = 0; st == TIDE_OK && k < PIECES; k++) {
        size_t got = 0;
        int64_t at = size / PIECES * k + (size / PIECES - piece) / 2;
        st = csv_source_fetch(&r->src, r->look.text, (size_t)piece, at, &got, err);
        lines += simd_get(r->ctx)->count_byte(r->look.text, (int64_t)got,
                                              r->d.cr ? '\r' : '\n');
        bytes += (int64_t)got;
    }
    double guess = bytes ? (double)lines * (double)size / (double)bytes : 0;
    int64_t most = size / r->n_cols + 1; /* a cell takes a byte, and blank lines none */
    *rows = (int64_t)(guess * 33 / 32) + r->slab / 256;
    if (*rows > most) *rows = most;
    return st;
}

/* With a limit on memory what is wanted is made when its size is known, unless there is room for a
 * wrong guess. */
static int has_room(const struct csv_reader *r, int64_t n, int64_t each)
{
    int64_t bytes, limit = r->ctx ? r->ctx->memory_limit : 0;
    if (__builtin_mul_overflow(n, each, &bytes)) return 0;
    return !limit || bytes < (limit - atomic_load(&r->ctx->memory_used)) / 2;
}

/* ---- places of texts ---- */

/* Bytes of the texts of a block, a sum a placed column. */
static void sum_texts(struct csv_job *t, struct csv_lane *l, const struct csv_block *b,
                      int clean, int64_t *sums)
{
    for (int j = 0; j < t->r->n_cols; j++)
        if (t->r->cols[j].placed) *sums++ = csv_text_bytes(t->r, b, j, clean, &l->temp);
}

/* Views of the batch at hand, or blocks from the file, behind those that have a place. */
static void sum_lane(void *arg, int64_t lane, int worker)
{
    struct csv_job *t = arg;
    struct csv_lane *l = &t->lane[lane];
    int64_t *sums = (int64_t *)(void *)t->sums.p;
    (void)worker;
    l->st = TIDE_OK;
    for (int64_t k; l->st == TIDE_OK && (k = csv_next(&t->lanes)) >= 0;) {
        const struct csv_block *b = t->views ? &t->views[k] : &l->window.b;
        if (!t->views)
            l->st = csv_load(t->r, &t->r->blocks[t->n_placed + k], &l->window, &l->err);
        if (l->st == TIDE_OK)
            sum_texts(t, l, b, t->views != NULL, &sums[k * t->n_texts]);
    }
}

/* The next n blocks get places for their texts; views: what is kept of them, or NULL. *fits: there
 * was room. */
static tide_status place_blocks(struct csv_job *t, const struct csv_block *views,
                                int64_t n, int *fits, tide_error *err)
{
    struct csv_reader *r = t->r;
    *fits = 1;
    if (n < 1 || !t->n_texts) return TIDE_OK;
    t->views = views;
    csv_lanes_init(&t->lanes, r);
    t->lanes.n_blocks = n;
    if (t->lanes.n > n) t->lanes.n = (int)n;
    if (!arena_room(&r->work, &t->sums,
                    (size_t)n * (size_t)t->n_texts * sizeof(int64_t)))
        return arena_status(&r->work, err);
    tide_status st = csv_run_lanes(t, sum_lane, err);
    const int64_t *sum = (const int64_t *)(const void *)t->sums.p;
    for (int64_t k = 0; st == TIDE_OK && k < n; k++)
        for (int j = 0; j < r->n_cols; j++) {
            struct csv_column *c = &r->cols[j];
            if (!c->placed) continue;
            ((int64_t *)c->data)[r->blocks[t->n_placed + k].row0] = c->n_text;
            c->n_text += *sum++;
            *fits &= c->n_text <= c->cap_text;
        }
    t->n_placed += n;
    return st;
}

/* Lengths first, when all rows are there: texts do not go to their place while reading. */
static void late_texts(struct csv_reader *r)
{
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->placed) c->early = c->todo = c->placed = 0;
    }
    r->early->n_texts = 0;
}

/* Room that the texts of a column seem to need: a quarter more than the first blocks suggest, and no
 * more than all there is. */
static int64_t guess_text(const struct csv_reader *r, const struct csv_column *c)
{
    double guess = (double)c->n_text / (double)(r->n_rows + 1) *
                   (double)r->early->cap_rows * 5 / 4;
    int64_t room = guess < (double)r->src.size ? (int64_t)guess + r->slab : r->src.size;
    return room > c->n_text ? room : c->n_text;
}

/* Room for the texts of columns that are texts for certain, or by the first blocks, for all of them
 * or for none. */
static tide_status begin_texts(struct csv_reader *r, tide_error *err)
{
    struct csv_job *t = r->early;
    int fits;
    double all = 0;
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        c->n_text = 0;
        c->cap_text = INT64_MAX; /* not known yet */
        c->placed = c->early == TIDE_TEXT;
        t->n_texts += c->placed;
    }
    tide_status st = place_blocks(t, NULL, r->n_blocks, &fits, err);
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (!c->placed) continue;
        c->cap_text = guess_text(r, c);
        all += (double)c->cap_text + (double)t->cap_rows;
    }
    /* Texts are not longer than the file: when they seem so, the first rows tell little. */
    double most = 2.0 * (double)r->src.size + (double)t->n_texts * (double)r->slab;
    if (st != TIDE_OK || !t->n_texts) return st;
    if (all > most || !has_room(r, (int64_t)all, 1)) {
        late_texts(r);
        return TIDE_OK;
    }
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (!c->placed) continue;
        c->text = arena_push(&t->f->arena, (size_t)c->cap_text + 1);
        c->text_missing = arena_zero(&t->f->arena, (size_t)t->cap_rows + 1);
    }
    return TIDE_OK;
}

tide_status csv_early_end(struct csv_reader *r, tide_error *err)
{
    struct csv_job *t = r->early;
    int fits = r->n_rows <= t->cap_rows;
    for (int j = 0; j < r->n_cols; j++)
        if (r->cols[j].placed && !csv_is_early(&r->cols[j])) {
            r->cols[j].placed = 0; /* it is none after all */
            t->n_texts--;
        }
    tide_status st = TIDE_OK;
    if (fits) st = place_blocks(t, NULL, r->n_blocks - t->n_placed, &fits, err);
    if (st == TIDE_OK && !fits) csv_early_drop(r);
    for (int j = 0; st == TIDE_OK && r->early && j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (!c->placed) continue;
        ((int64_t *)c->data)[r->n_rows] = c->n_text;
        c->text[c->n_text] = '\0';
    }
    return st;
}

/* ---- begin, blocks, end ---- */

tide_status csv_early_begin(struct csv_reader *r, tide_error *err)
{
    int n_out = 0;
    int64_t rows = 0;
    if (r->early_tried || r->on_bad != CSV_FAIL || !r->n_blocks) return TIDE_OK;
    r->early_tried = 1;
    if (r->src.size / r->slab < EARLY_SLABS) return TIDE_OK;
    /* A wrong option is told behind what is wrong with the file. */
    if (csv_choose_columns(r, &n_out, NULL) != TIDE_OK) return TIDE_OK;
    tide_status st = csv_infer(r, 0, err);
    if (st == TIDE_OK) st = guess_rows(r, &rows, err);
    if (st != TIDE_OK || rows < r->n_rows ||
        !has_room(r, rows, n_out * (int64_t)sizeof(int64_t)))
        return st;
    st = csv_job_new(r, n_out, 2 * par_threads(r->ctx), rows, &r->early, err);
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->out < 0) continue;
        if (c->type == TIDE_CAT && c->long_text) c->type = TIDE_TEXT;
        c->early = c->type;
        csv_begin_column(r->early, c);
    }
    if (st == TIDE_OK) st = arena_status(&r->early->f->arena, err);
    if (st == TIDE_OK) st = csv_begin_categories(r->early, err);
    if (st == TIDE_OK) st = begin_texts(r, err);
    /* Where there is no memory for guesses, there may be for what is needed. */
    if (st == TIDE_OK && arena_status(&r->early->f->arena, NULL) != TIDE_OK)
        csv_early_drop(r);
    return st;
}

void csv_early_drop(struct csv_reader *r)
{
    if (!r->early) return;
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        c->data = NULL;
        c->data_each = 0;
        c->text = NULL;
        c->text_missing = NULL;
        c->early = c->todo = c->placed = 0;
    }
    for (int64_t k = 0; k < r->n_blocks; k++) r->blocks[k].early = 0;
    r->line_of_row = NULL;
    csv_job_free(r->early);
    r->early = NULL;
}

static void convert_views(void *arg, int64_t lane, int worker)
{
    struct csv_job *t = arg;
    struct csv_reader *r = t->r;
    (void)worker;
    t->lane[lane].st = TIDE_OK;
    for (int64_t k; (k = csv_next(&t->lanes)) >= 0;) {
        struct csv_block *b = &r->blocks[t->view0 + k];
        b->lane = (int32_t)lane;
        b->early = 1;
        if (!b->plain) csv_number_lines(r, &t->views[k]);
        csv_convert_block(t, &t->lane[lane], &t->views[k]);
    }
}

tide_status csv_early_take(struct csv_reader *r, const struct csv_block *views,
                           int64_t n, tide_error *err)
{
    struct csv_job *t = r->early;
    int plain = 1, fits = 1;
    if (r->n_rows > t->cap_rows) { /* lines are shorter than they seemed */
        csv_early_drop(r);
        return TIDE_OK;
    }
    for (int64_t k = 0; k < n; k++) plain &= views[k].plain;
    if (!plain && !r->line_of_row)
        r->line_of_row = arena_array(&t->f->arena, t->cap_rows, sizeof *r->line_of_row);
    tide_status st = arena_status(&t->f->arena, err);
    t->view0 = r->n_blocks - n;
    if (st == TIDE_OK) st = place_blocks(t, NULL, t->view0 - t->n_placed, &fits, err);
    if (st == TIDE_OK && fits) st = place_blocks(t, views, n, &fits, err);
    if (st != TIDE_OK) return st;
    if (!fits) { /* texts are longer than they seemed */
        csv_early_drop(r);
        return TIDE_OK;
    }
    t->views = views;
    csv_lanes_init(&t->lanes, r);
    t->lanes.n_blocks = n;
    if (t->lanes.n > n) t->lanes.n = (int)n;
    return csv_run_lanes(t, convert_views, err);
}
