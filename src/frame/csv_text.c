/* csv_text.c - columns of text: lengths, places, bytes
 *
 * Two ways to the same column. Where all rows are there, lengths are taken first, made offsets,
 * and a second reading copies. Beside reading (csv_early.c) a batch of blocks is measured as a
 * whole while it is in cache, and each block then writes its texts from where it begins. */
#include <string.h>

#include "frame/csv.h"

void csv_text_measure(const struct csv_reader *r, const struct csv_block *b, int j,
                      struct arena *temp)
{
    struct csv_column *c = &r->cols[j];
    int64_t *at = (int64_t *)c->data + b->row0, missing = 0, bytes = 0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        struct arena_mark mark = arena_mark(temp);
        int there = csv_parse_text(r, csv_cell_at(r, b, i, j), temp, &s, &n);
        at[i] = there ? (int64_t)n : -1;
        missing += !there;
        bytes += there ? (int64_t)n : 0;
        arena_reset(temp, mark);
    }
    atomic_fetch_add(&c->missing, missing);
    atomic_fetch_add(&c->bytes, bytes);
}

void csv_text_lay_out(const struct csv_reader *r, struct csv_column *c, struct arena *a)
{
    int64_t n = r->n_rows, at = 0, *lengths = c->data;
    if (atomic_load(&c->missing) > 0) c->text_missing = arena_zero(a, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t length = lengths[i] < 0 ? 0 : lengths[i];
        lengths[i] = at;
        at += length;
    }
    lengths[n] = at;
    c->text = arena_push(a, (size_t)at + 1);
    if (c->text) c->text[at] = '\0';
}

void csv_text_copy(const struct csv_reader *r, const struct csv_block *b, int j,
                   struct arena *temp)
{
    struct csv_column *c = &r->cols[j];
    const int64_t *at = (const int64_t *)c->data + b->row0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        struct arena_mark mark = arena_mark(temp);
        int there = csv_parse_text(r, csv_cell_at(r, b, i, j), temp, &s, &n);
        if (there && n && (int64_t)n == at[i + 1] - at[i])
            memcpy(c->text + at[i], s, n);
        if (c->text_missing) c->text_missing[b->row0 + i] = !there;
        arena_reset(temp, mark);
    }
}

int64_t csv_text_bytes(const struct csv_reader *r, const struct csv_block *b, int j,
                       int clean, struct arena *temp)
{
    const struct simd_table *simd = simd_get(r->ctx);
    int64_t bytes = 0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        struct csv_cell cell = csv_cell_at(r, b, i, j);
        if (clean && cell.quoted) { /* closed, and quotes inside are doubled */
            int64_t n = (int64_t)cell.n - 2;
            bytes += n - simd->count_byte(cell.s + 1, n, r->d.quote) / 2;
            continue;
        }
        const char *s;
        size_t n;
        struct arena_mark mark = arena_mark(temp);
        if (csv_parse_text(r, cell, temp, &s, &n)) bytes += (int64_t)n;
        arena_reset(temp, mark);
    }
    return bytes;
}

void csv_text_place(const struct csv_reader *r, const struct csv_block *b, int j,
                    int more, struct arena *temp)
{
    struct csv_column *c = &r->cols[j];
    int64_t *at = (int64_t *)c->data + b->row0, begin = at[0], to = begin, missing = 0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        struct csv_cell cell = csv_cell_at(r, b, i, j);
        struct arena_mark mark = arena_mark(temp);
        if (i) at[i] = to;
        if (cell.quoted && (int64_t)cell.n <= c->cap_text - to) {
            to += (int64_t)csv_unquote(cell.s, cell.n, r->d.quote, c->text + to);
        } else if (csv_parse_text(r, cell, temp, &s, &n)) {
            /* Always so, unless the file is another one than a moment ago. */
            if ((int64_t)n > c->cap_text - to) n = (size_t)(c->cap_text - to);
            memcpy(c->text + to, s, n);
            to += (int64_t)n;
        } else {
            c->text_missing[b->row0 + i] = 1;
            missing++;
        }
        arena_reset(temp, mark);
    }
    if (more) at[b->n_rows] = to;
    atomic_fetch_add(&c->missing, missing);
    atomic_fetch_add(&c->bytes, to - begin);
}
