/* csv_window.c - blocks with their text and index, made again where they were not kept */
#include <string.h>

#include "base/err.h"
#include "frame/csv.h"

#define BEFORE 16 /* words before the index: end[-1], aligned */

void csv_window_init(struct csv_window *w, struct tide_ctx *ctx)
{
    *w = (struct csv_window){0};
    arena_init(&w->arena, ctx);
}

void csv_window_free(struct csv_window *w)
{
    arena_free(&w->arena);
    *w = (struct csv_window){0};
}

tide_status csv_window_room(struct csv_window *w, int64_t n_text, int64_t n_pos,
                            tide_error *err)
{
    w->of = NULL;
    if (n_text <= w->cap_text && n_pos <= w->cap_pos) return TIDE_OK;
    if (n_text < w->cap_text) n_text = w->cap_text;
    if (n_pos < w->cap_pos) n_pos = w->cap_pos;
    arena_free(&w->arena); /* what is in it is not wanted any more */
    w->cap_text = w->cap_pos = 0;
    w->text = arena_push(&w->arena, (size_t)n_text + CSV_PAD);
    uint32_t *pos =
        n_pos ? arena_array(&w->arena, n_pos + CSV_PAD + BEFORE, sizeof *pos) : NULL;
    tide_status st = arena_status(&w->arena, err);
    if (st != TIDE_OK) return st;
    w->pos = pos ? pos + BEFORE : NULL;
    w->cap_text = n_text;
    w->cap_pos = n_pos;
    return TIDE_OK;
}

static tide_status changed(const struct csv_reader *r, tide_error *err)
{
    err_set(err, TIDE_CODE_FILE_CHANGED, "the file was changed while it was read");
    return err_at(err, r->src.path, 0, 0);
}

static tide_status fetch_text(const struct csv_reader *r, const struct csv_block *b,
                              struct csv_window *w, tide_error *err)
{
    size_t n = (size_t)b->n - b->closed, got = 0;
    tide_status st = csv_source_fetch(&r->src, w->text, n, b->offset, &got, err);
    if (st != TIDE_OK) return st;
    if (got < n) return csv_source_short(&r->src, b->offset + (int64_t)got, err);
    if (r->d.cr) csv_cr_to_lf(w->text, n);
    if (b->closed) w->text[n] = '\n';
    memset(w->text + b->n, 0, CSV_PAD);
    if (simd_get(r->ctx)->csv_print(w->text, b->n) != b->print) return changed(r, err);
    w->b.text = w->text;
    return TIDE_OK;
}

tide_status csv_load(const struct csv_reader *r, const struct csv_block *b,
                     struct csv_window *w, tide_error *err)
{
    if (w->of == b) return TIDE_OK;
    tide_status st = csv_window_room(w, b->text ? 0 : b->n, b->end ? 0 : b->n, err);
    if (st != TIDE_OK) return st;
    w->b = *b;
    if (!b->text && (st = fetch_text(r, b, w, err)) != TIDE_OK) return st;
    if (!b->end) {
        struct simd_csv seen = {0};
        (void)simd_get(r->ctx)->csv_index(w->b.text, b->n, r->d.delim, r->d.quote,
                                          &seen, w->pos);
        w->b.end = w->pos + b->skip;
        w->b.end[-1] = b->first - 1; /* so that every cell starts behind an end */
    }
    w->of = b;
    return TIDE_OK;
}

tide_status csv_load_rows(const struct csv_reader *r, const struct csv_block *b,
                          int64_t from, int64_t to, struct csv_window *w,
                          tide_error *err)
{
    int k0 = 0, k1 = CSV_PARTS;
    if (w->of == b || b->text || !b->part[1]) return csv_load(r, b, w, err);
    while (k0 + 1 < CSV_PARTS && b->n_rows * (k0 + 1) / CSV_PARTS <= from) k0++;
    while (k1 > k0 + 1 && b->n_rows * (k1 - 1) / CSV_PARTS >= to) k1--;
    int64_t row0 = b->n_rows * k0 / CSV_PARTS, row1 = b->n_rows * k1 / CSV_PARTS;
    int64_t begin = k0 ? b->part[k0] : 0, end = k1 < CSV_PARTS ? b->part[k1] : b->n;
    tide_status st = csv_window_room(w, end - begin, end - begin, err);
    size_t n = (size_t)(end - begin), got = 0;
    if (st == TIDE_OK)
        st = csv_source_fetch(&r->src, w->text, n, b->offset + begin, &got, err);
    if (st != TIDE_OK) return st;
    if (got < n)
        return csv_source_short(&r->src, b->offset + begin + (int64_t)got, err);
    if (r->d.cr) csv_cr_to_lf(w->text, n);
    memset(w->text + n, 0, CSV_PAD);
    struct simd_csv seen = {0};
    int64_t cells = simd_get(r->ctx)->csv_index(w->text, end - begin, r->d.delim,
                                                r->d.quote, &seen, w->pos);
    if (cells != (row1 - row0) * r->n_cols) return changed(r, err);
    w->b = (struct csv_block){.text = w->text,
                              .end = w->pos,
                              .n = end - begin,
                              .n_rows = row1 - row0,
                              .row0 = b->row0 + row0};
    w->b.end[-1] = UINT32_MAX; /* the first cell starts at 0 */
    return TIDE_OK;
}

const struct csv_block *csv_locate(const struct csv_reader *r, int64_t row, int64_t *i)
{
    int64_t lo = 0, hi = r->n_blocks - 1;
    while (lo < hi) {
        int64_t mid = (lo + hi + 1) / 2;
        if (r->blocks[mid].row0 <= row)
            lo = mid;
        else
            hi = mid - 1;
    }
    *i = row - r->blocks[lo].row0;
    return &r->blocks[lo];
}

tide_status csv_look(struct csv_reader *r, int64_t row, const struct csv_block **b,
                     int64_t *i, tide_error *err)
{
    tide_status st = csv_load(r, csv_locate(r, row, i), &r->look, err);
    *b = &r->look.b;
    return st;
}
