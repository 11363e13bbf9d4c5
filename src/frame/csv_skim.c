/* csv_skim.c - blocks of clean text found in many slabs at once
 *
 * A slab but the first of a batch does not know whether it begins inside quotes. It guesses from
 * the neighbours of its first telling quote, takes the first newline outside for the start of
 * a row and ends its block at the first one behind the slab. Blocks are then joined in order:
 * one counts only when it begins where the one before ended, which is the end of a row for
 * certain; so a wrong guess costs time (the slab is read again from there), never a cell.
 * Whatever is to be told, repaired or judged is left to csv_index.c: clean text alone gets here.
 * Where columns are filled beside reading, batches are as small as caches, every slab keeps its
 * text and index until its block is converted, and one thread alone, which need not guess, takes
 * all whole rows of what it read. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "frame/csv.h"

#define SLABS       32 /* of a batch, for each thread */
#define SLABS_EARLY 3  /* when they are converted as well */

struct slab {
    int64_t begin, end; /* of its block in the file; begin -1: to be guessed */
    int64_t n_rows, n_lines;
    uint64_t print;
    uint32_t part[CSV_PARTS];
    const char *text; /* of its block */
    int clean;
    tide_status st;
};

struct skim {
    struct csv_reader *r;
    struct csv_window
        *windows;       /* [threads], or [slabs of a batch] when they are kept */
    tide_error *errors; /* [threads] */
    struct slab *slabs;
    struct csv_block *views; /* blocks of the batch, to be converted; NULL: not now */
    int64_t n_views;
    int64_t base, size,
        over;  /* slab k is [base + k size, + size), read `over` further */
    int whole; /* one slab a batch: all of its rows are taken */
};

/* Are the bytes from s[0] inside quotes? Only a guess. */
static int guess_inside(const struct csv_dialect *d, const char *s, int64_t n)
{
    int odd = 0;
    if (!d->quote) return 0;
    for (const char *p = s; (p = memchr(p, d->quote, (size_t)(s + n - p)));
         p++, odd ^= 1) {
        if (p == s || p + 1 >= s + n) continue;
        int opens = p[-1] == d->delim || p[-1] == '\n';
        int closes = p[1] == d->delim || p[1] == '\n' || p[1] == '\r';
        if (opens != closes) return closes ^ odd;
    }
    return 0;
}

/* The byte behind the first newline outside quotes, or -1. */
static int64_t next_row(const struct csv_dialect *d, const char *s, int64_t n,
                        int inside)
{
    for (int64_t i = 0; i < n; i++) {
        if (d->quote && s[i] == d->quote) inside ^= 1;
        if (s[i] == '\n' && !inside) return i + 1;
    }
    return -1;
}

/* Cells and rows within their limits; asked only where a block is longer than one. */
static int within_limits(const struct csv_reader *r, const char *s, const uint32_t *pos,
                         int64_t n_pos)
{
    int64_t cell = 0, row = 0;
    for (int64_t k = 0; k < n_pos; k++) {
        int64_t e = pos[k];
        if (e - cell > r->o.max_field) return 0;
        cell = e + 1;
        if (s[e] != '\n') continue;
        if (e - row > r->o.max_line) return 0;
        row = cell;
    }
    return 1;
}

/* The block that begins at s: its rows, when all is clean. from: it ends at the first end of
 * a row at or behind. */
static void take_block_of(const struct skim *t, struct slab *out, const char *s,
                          int64_t n, int64_t from, uint32_t *pos)
{
    const struct csv_reader *r = t->r;
    const struct simd_table *simd = simd_get(r->ctx);
    struct simd_csv seen = {0};
    int64_t n_pos = simd->csv_index(s, n, r->d.delim, r->d.quote, &seen, pos);
    if (seen.irregular || seen.nul) return;
    int64_t k = n_pos, last = -1;
    while (t->whole && k > 0 && s[pos[k - 1]] != '\n') k--;
    if (t->whole) last = k - 1;
    for (; !t->whole && k > 0 && pos[k - 1] >= from; k--)
        if (s[pos[k - 1]] == '\n') {
            seen.rows -= last >= 0;
            last = k - 1;
        }
    if (last < 0) return;
    int64_t end = (int64_t)pos[last] + 1, cols = r->n_cols;
    n_pos = last + 1;
    if (n_pos != seen.rows * cols) return;
    for (int64_t i = cols - 1; i < n_pos; i += cols)
        if (s[pos[i]] != '\n') return;
    if (seen.high && utf8_check(s, (size_t)end)) return;
    if ((end > r->o.max_field || end > r->o.max_line) &&
        !within_limits(r, s, pos, n_pos))
        return;
    out->end = out->begin + end;
    out->n_rows = seen.rows;
    out->n_lines = seen.lines - simd->count_byte(s + end, n - end, '\n');
    out->print = simd->csv_print(s, end);
    for (int64_t p = 1; p < CSV_PARTS && seen.rows >= CSV_PARTS; p++)
        out->part[p] = pos[seen.rows * p / CSV_PARTS * cols - 1] + 1;
    out->text = s;
    out->clean = 1;
}

static void skim_slab(void *arg, int64_t k, int worker)
{
    const struct skim *t = arg;
    const struct csv_reader *r = t->r;
    struct csv_window *w = &t->windows[t->views ? k : worker];
    struct slab *out = &t->slabs[k];
    int64_t lo = t->base + k * t->size, hi = lo + t->size;
    int64_t from = out->begin >= 0 ? out->begin : lo - 1;
    size_t n = (size_t)(hi + t->over - from), got = 0;
    out->clean = 0;
    out->st = csv_window_room(w, (int64_t)n, (int64_t)n, &t->errors[worker]);
    if (out->st == TIDE_OK)
        out->st = csv_source_fetch(&r->src, w->text, n, from, &got, &t->errors[worker]);
    if (out->st != TIDE_OK || got < n) return; /* a file cut short is told elsewhere */
    if (r->d.cr) csv_cr_to_lf(w->text, n);
    int64_t at = 0;
    if (out->begin < 0) {
        at = next_row(&r->d, w->text, (int64_t)n,
                      guess_inside(&r->d, w->text, (int64_t)n));
        if (at < 0 || from + at >= hi) return;
        out->begin = from + at;
    }
    memset(w->text + n, 0, CSV_PAD);
    take_block_of(t, out, w->text + at, (int64_t)n - at, hi - 1 - out->begin, w->pos);
}

/* The block of slab k as the conversion wants it: with text and index. */
static void keep_view(struct skim *t, const struct csv_block *b, int64_t k)
{
    struct csv_block *view = &t->views[t->n_views++];
    *view = *b;
    view->text = (char *)t->slabs[k].text;
    view->end = t->windows[k].pos;
    view->end[-1] = UINT32_MAX; /* the first cell starts at 0 */
}

/* Joins the blocks of a batch to *offset; *joined counts slabs. */
static tide_status join_slabs(struct skim *t, int64_t n_slabs, int64_t *offset,
                              int64_t *joined, tide_error *err)
{
    struct csv_reader *r = t->r;
    t->n_views = 0;
    for (*joined = 0; *joined < n_slabs; ++*joined) {
        struct slab *s = &t->slabs[*joined];
        if (s->st == TIDE_OK && (!s->clean || s->begin != *offset)) {
            if (*offset >= t->base + (*joined + 1) * t->size) continue; /* a long row */
            *s = (struct slab){.begin = *offset};
            skim_slab(t, *joined, 0);
        }
        if (s->st != TIDE_OK) {
            for (int k = 0; err && k < par_threads(r->ctx); k++)
                if (t->errors[k].code) *err = t->errors[k];
            return s->st;
        }
        if (!s->clean) return TIDE_OK;
        struct csv_block b = {.offset = *offset,
                              .n = s->end - *offset,
                              .n_rows = s->n_rows,
                              .row0 = r->n_rows,
                              .line0 = r->n_lines + 1,
                              .first_line = r->n_lines + 1,
                              .print = s->print,
                              .plain = s->n_lines == s->n_rows};
        memcpy(b.part, s->part, sizeof b.part);
        tide_status st = csv_add_block(r, &b, err);
        if (st != TIDE_OK) return st;
        if (t->views) keep_view(t, &b, *joined);
        r->n_rows += s->n_rows;
        r->n_lines += s->n_lines;
        *offset = s->end;
    }
    return TIDE_OK;
}

static tide_status skim_batches(struct skim *t, int64_t most, int64_t *offset,
                                tide_error *err)
{
    struct csv_reader *r = t->r;
    for (;;) {
        t->base = *offset;
        int64_t n = (r->src.size - t->base - t->over) / t->size, joined = 0;
        if (n > most) n = most;
        if (n < 1) return TIDE_OK;
        for (int64_t k = 0; k < n; k++)
            t->slabs[k] = (struct slab){.begin = k ? -1 : *offset};
        tide_status st = csv_for(r, n, skim_slab, t, err);
        if (st == TIDE_OK) st = join_slabs(t, n, offset, &joined, err);
        if (st == TIDE_OK && t->views)
            st = csv_early_take(r, t->views, t->n_views, err);
        if (!r->early) t->views = NULL;
        if (st == TIDE_OK)
            st = ctx_progress(r->ctx, "reading", (double)*offset, (double)r->src.size,
                              NULL, err);
        if (st != TIDE_OK) return st;
        if (ctx_cancelled(r->ctx)) return err_cancelled(err);
        r->skim_rest = joined * 4 >= n ? 0 : r->skim_rest * 2 + 1;
        if (r->skim_rest > 64) r->skim_rest = 64;
        if (joined < n) return TIDE_OK;
    }
}

/* How many slabs and windows a batch has, and room for them. */
static tide_status skim_room(struct skim *t, int64_t offset, struct arena *work,
                             int64_t *most, int64_t *n_windows, tide_error *err)
{
    int threads = par_threads(t->r->ctx), early = t->r->early != NULL;
    t->whole = early && threads == 1;
    if (early && t->size > 1) t->size /= 2; /* a batch fits a cache */
    int64_t some =
        t->size / 64 + 4 * (offset / (t->r->n_rows + 1)) + 32; /* rows so far */
    if (some < t->over) t->over = some;
    *most = t->whole ? 1 : (int64_t)threads * (early ? SLABS_EARLY : SLABS);
    *n_windows = early ? *most : threads;
    t->windows = arena_zero(work, (size_t)*n_windows * sizeof *t->windows);
    t->errors = arena_zero(work, (size_t)threads * sizeof *t->errors);
    t->slabs = arena_array(work, *most, sizeof *t->slabs);
    if (early) t->views = arena_array(work, *most, sizeof *t->views);
    tide_status st = arena_status(work, err);
    for (int64_t k = 0; st == TIDE_OK && k < *n_windows; k++)
        csv_window_init(&t->windows[k], t->r->ctx);
    return st;
}

tide_status csv_skim(struct csv_reader *r, int64_t *offset, tide_error *err)
{
    struct skim t = {.r = r, .size = csv_slab(r)};
    int64_t most = 0, n_windows = 0;
    if (r->d.n_comment || r->d.lenient || r->d.trim) return TIDE_OK;
    if (r->skim_wait > 0) { /* it did not pay lately */
        r->skim_wait--;
        return TIDE_OK;
    }
    t.over = t.size / 8 + 32;
    if ((r->src.size - *offset - t.over) / t.size < 1) return TIDE_OK;
    struct arena work;
    arena_init(&work, r->ctx);
    tide_status st = csv_early_begin(r, err);
    if (st == TIDE_OK) st = skim_room(&t, *offset, &work, &most, &n_windows, err);
    if (st == TIDE_OK) st = skim_batches(&t, most, offset, err);
    for (int64_t k = 0; t.windows && k < n_windows; k++) csv_window_free(&t.windows[k]);
    arena_free(&work);
    r->skim_wait = r->skim_rest;
    return st;
}
