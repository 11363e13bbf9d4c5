/* view.c - what steps and learners read: rows and columns of a frame, as numbers or codes */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/par.h"
#include "frame/frame.h"

static double column_number(const struct column *c, int64_t row)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return c->b[row] == BOOL_MISSING ? (double)NAN : (double)c->b[row];
    case TIDE_I64:
        return c->i64[row] == I64_MISSING ? (double)NAN : (double)c->i64[row];
    case TIDE_F64:
        return column_f64(c, row);
    case TIDE_TIME:
        return c->i64[row] == I64_MISSING ? (double)NAN : (double)c->i64[row] / 1e6;
    case TIDE_CAT:
        return c->code[row] == CODE_MISSING ? (double)NAN : (double)c->code[row];
    case TIDE_TEXT:
        break;
    }
    return (double)NAN;
}

double tide_frame_number(const tide_frame *frame, int64_t row, int column)
{
    if (!frame || column < 0 || column >= frame->n_cols || row < 0 ||
        row >= frame->n_rows)
        return (double)NAN;
    return column_number(&frame->cols[column], row);
}

void view_numbers(const struct view *v, int j, int64_t i0, int64_t n, double *out)
{
    const struct column *c = v->cols[j];
    if (column_is_sparse(c)) {
        sparse_numbers(c, v->rows, i0, n, out);
    } else if (c->type == TIDE_F64 && !v->rows) {
        if (n) memcpy(out, c->f64 + i0, (size_t)n * sizeof *out);
    } else if (c->type == TIDE_F64) {
        for (int64_t i = 0; i < n; i++) out[i] = c->f64[v->rows[i0 + i]];
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = column_number(c, view_row(v, i0 + i));
    }
}

void view_codes(const struct view *v, int j, int64_t i0, int64_t n, uint32_t *out)
{
    const struct column *c = v->cols[j];
    if (c->type != TIDE_CAT)
        for (int64_t i = 0; i < n; i++) out[i] = CODE_MISSING;
    else
        for (int64_t i = 0; i < n; i++) out[i] = c->code[view_row(v, i0 + i)];
}

struct matrix_task {
    const struct view *v;
    double *out;
    int64_t per_column; /* blocks of one column */
};

static void matrix_block(void *arg, int64_t block, int worker)
{
    const struct matrix_task *t = arg;
    int64_t j = block / t->per_column, i0 = block % t->per_column * PAR_BLOCK;
    int64_t n = t->v->n_rows - i0 < PAR_BLOCK ? t->v->n_rows - i0 : PAR_BLOCK;
    (void)worker;
    view_numbers(t->v, (int)j, i0, n, t->out + j * t->v->n_rows + i0);
}

double *view_matrix(struct tide_ctx *ctx, const struct view *v, struct arena *a)
{
    int64_t cells;
    if (__builtin_mul_overflow(v->n_rows, (int64_t)v->n_cols, &cells))
        cells = INT64_MAX;
    double *out = arena_array(a, cells ? cells : 1, sizeof *out);
    if (!out || !cells) return out;
    struct matrix_task t = {v, out, (v->n_rows + PAR_BLOCK - 1) / PAR_BLOCK};
    /* A cancelled copy leaves rows unwritten; the caller's next poll ends the work, so they
     * are only kept from being garbage. */
    if (par_for(ctx, t.per_column * v->n_cols, matrix_block, &t, NULL) != TIDE_OK)
        memset(out, 0, (size_t)cells * sizeof *out);
    return out;
}

int64_t view_missing(const struct view *v, int j, int64_t *first)
{
    const struct column *c = v->cols[j];
    int64_t n = 0;
    if (first) *first = -1;
    if (c->n_missing == 0 && column_is_sparse(c)) return 0;
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (!column_is_missing(c, view_row(v, i))) continue;
        if (first && n == 0) *first = i;
        n++;
    }
    return n;
}
