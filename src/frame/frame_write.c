/* frame_write.c - rows as text: blocks of them are printed in parallel, given in order; rows of
 * a frame; and CSV, the first to use it */
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv.h"
#include "frame/source.h"

#define WRITE_ROWS  2048        /* rows of a block */
#define WRITE_CELLS (128 << 10) /* about, where rows are wide */
#define WRITE_WAVE  32          /* blocks printed before they are given */

struct write_task {
    const struct row_text *rows;
    int64_t first; /* block of this wave */
    int64_t block_rows;
    struct str part[WRITE_WAVE];
};

static void write_block(void *arg, int64_t block, int worker)
{
    struct write_task *w = arg;
    struct str *t = &w->part[block];
    int64_t i0 = (w->first + block) * w->block_rows, i1 = i0 + w->block_rows;
    (void)worker;
    str_clear(t);
    if (i1 > w->rows->n_rows) i1 = w->rows->n_rows;
    for (int64_t i = i0; i < i1; i++) w->rows->print(w->rows->arg, i, t);
}

tide_status write_text(const struct str *t, tide_sink_fn sink, void *payload,
                       tide_error *err)
{
    if (t->failed) return err_nomem(err, 0);
    if (t->len && sink(payload, t->s, t->len) != 0)
        return err_set(err, TIDE_CODE_FILE_ERROR, "the output was not taken");
    return TIDE_OK;
}

tide_status write_row_text(struct tide_ctx *ctx, const struct row_text *rows,
                           tide_sink_fn sink, void *payload, tide_error *err)
{
    int64_t most = WRITE_CELLS / (rows->n_cols > 0 ? rows->n_cols : 1);
    struct write_task w = {.rows = rows,
                           .block_rows = most < 1            ? 1
                                         : most < WRITE_ROWS ? most
                                                             : WRITE_ROWS};
    int64_t blocks = (rows->n_rows + w.block_rows - 1) / w.block_rows;
    tide_status st = TIDE_OK;
    for (; st == TIDE_OK && w.first < blocks; w.first += WRITE_WAVE) {
        int64_t n = blocks - w.first < WRITE_WAVE ? blocks - w.first : WRITE_WAVE;
        st = par_for(ctx, n, write_block, &w, err);
        for (int64_t k = 0; st == TIDE_OK && k < n; k++)
            st = write_text(&w.part[k], sink, payload, err);
        int64_t done = (w.first + n) * w.block_rows;
        if (st == TIDE_OK)
            st = ctx_progress(ctx, "writing",
                              (double)(done < rows->n_rows ? done : rows->n_rows),
                              (double)rows->n_rows, NULL, err);
    }
    for (int k = 0; k < WRITE_WAVE; k++) str_free(&w.part[k]);
    return st;
}

/* ---- rows of a frame ---- */

struct frame_rows {
    const tide_frame *f;
    row_printer print;
    const void *arg;
};

static void print_frame_row(const void *arg, int64_t row, struct str *out)
{
    const struct frame_rows *r = arg;
    r->print(out, r->f, row, r->arg);
}

tide_status frame_write_rows(struct tide_ctx *ctx, const tide_frame *frame,
                             const struct str *head, row_printer print_row,
                             const void *arg, tide_sink_fn sink, void *payload,
                             tide_error *err)
{
    struct frame_rows r = {.f = frame, .print = print_row, .arg = arg};
    struct row_text rows = {.n_rows = frame->n_rows,
                            .n_cols = frame->n_cols,
                            .print = print_frame_row,
                            .arg = &r};
    tide_status st = head ? write_text(head, sink, payload, err) : TIDE_OK;
    return st == TIDE_OK ? write_row_text(ctx, &rows, sink, payload, err) : st;
}

const char *frame_cell_text(const struct column *c, int64_t row, size_t *n)
{
    *n = 0;
    if (c->type == TIDE_CAT)
        return c->code[row] == CODE_MISSING ? NULL
                                            : dict_text(&c->dict, c->code[row], n);
    if (c->type != TIDE_TEXT || (c->text_missing && c->text_missing[row])) return NULL;
    *n = (size_t)(c->text_at[row + 1] - c->text_at[row]);
    return c->text + c->text_at[row];
}

/* ---- CSV ---- */

/* Text that would be read back as missing gets quotes. */
static void add_field(struct str *t, const char *s, size_t len)
{
    if (csv_is_missing(s, len)) {
        str_addc(t, '"');
        str_addn(t, s, len);
        str_addc(t, '"');
    } else {
        str_add_csv(t, s, len, 0);
    }
}

static void add_cell(struct str *t, const struct column *c, int64_t row, int digits)
{
    char text[64];
    size_t len;
    if (c->type == TIDE_F64) {
        double v = column_f64(c, row);
        if (v == v)
            str_addn(
                t, text,
                (size_t)(digits ? num_print_g(text, v, digits) : num_print(text, v)));
    } else if (c->type == TIDE_CAT || c->type == TIDE_TEXT) {
        const char *s = frame_cell_text(c, row, &len);
        if (s) add_field(t, s, len);
    } else {
        int64_t n = column_text(c, row, text, sizeof text);
        if (n > 0) str_addn(t, text, (size_t)n);
    }
}

static void print_csv(struct str *t, const tide_frame *f, int64_t row, const void *arg)
{
    const int *digits = arg;
    for (int j = 0; j < f->n_cols; j++) {
        if (j) str_addc(t, ',');
        add_cell(t, &f->cols[j], row, *digits);
    }
    str_addc(t, '\n');
}

tide_status tide_frame_write(tide_ctx *ctx, const tide_frame *frame, int digits,
                             tide_sink_fn sink, void *payload, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct str head = {0};
    if (!frame || !sink || digits < 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument cannot be");
    for (int j = 0; j < frame->n_cols; j++) {
        if (j) str_addc(&head, ',');
        str_add_csv(&head, frame->cols[j].name, strlen(frame->cols[j].name), 0);
    }
    str_addc(&head, '\n');
    tide_status st =
        frame_write_rows(ctx, frame, &head, print_csv, &digits, sink, payload, err);
    str_free(&head);
    return st;
}
