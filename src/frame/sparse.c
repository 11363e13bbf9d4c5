/* sparse.c - number columns that hold the cells besides 0 and their rows
 *
 * A wide table of counts or one-hot columns is almost all zeros: 12 bytes for a cell that is none
 * instead of 8 for each. Such a column is TIDE_F64 like any other; readers of views see no
 * difference, and who needs the cells as an array asks for frame_dense. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "frame/frame.h"

static int is_zero(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits == 0;
}

/* The first of the column's cells from a row on. */
static int64_t sparse_find(const struct column *c, int64_t row)
{
    int64_t lo = 0, hi = c->n_at;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if ((int64_t)c->at[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

double column_sparse(const struct column *c, int64_t row)
{
    int64_t k = sparse_find(c, row);
    return k < c->n_at && c->at[k] == row ? c->nz[k] : 0;
}

void sparse_numbers(const struct column *c, const int64_t *rows, int64_t i0, int64_t n,
                    double *out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    if (n == 0 || c->n_at == 0) return;
    int64_t k = sparse_find(c, rows ? rows[i0] : i0);
    if (!rows) {
        for (; k < c->n_at && c->at[k] < i0 + n; k++) out[c->at[k] - i0] = c->nz[k];
        return;
    }
    int64_t before = rows[i0], next = k < c->n_at ? (int64_t)c->at[k] : INT64_MAX;
    for (int64_t i = 0; i < n; i++) { /* rows rise, mostly */
        int64_t row = rows[i0 + i];
        if (row >= before && row < next) continue;
        if (row < before || row > next + 64) k = sparse_find(c, row);
        while (k < c->n_at && c->at[k] < row) k++;
        next = k < c->n_at ? (int64_t)c->at[k] : INT64_MAX;
        before = row;
        if (row == next) out[i] = c->nz[k];
    }
}

int64_t view_nonzero(const struct view *v, int j, uint32_t *at, double *nz)
{
    double x[1024];
    int64_t m = 0;
    const struct column *c = v->cols[j];
    if (!v->rows && column_is_sparse(c)) {
        if (at && c->n_at) {
            memcpy(at, c->at, (size_t)c->n_at * sizeof *at);
            memcpy(nz, c->nz, (size_t)c->n_at * sizeof *nz);
        }
        return c->n_at;
    }
    for (int64_t i0 = 0; i0 < v->n_rows; i0 += 1024) {
        int64_t n = v->n_rows - i0 < 1024 ? v->n_rows - i0 : 1024;
        view_numbers(v, j, i0, n, x);
        for (int64_t i = 0; i < n; i++) {
            if (is_zero(x[i])) continue;
            if (at) {
                at[m] = (uint32_t)(i0 + i);
                nz[m] = x[i];
            }
            m++;
        }
    }
    return m;
}

/* The columns that are not sparse stay those of `from`, which the new frame keeps alive. */
static void drop_ref(void *owner)
{
    tide_frame_free(owner);
}

tide_status frame_dense(struct tide_ctx *ctx, const tide_frame *frame, tide_frame **out,
                        tide_error *err)
{
    int sparse = 0;
    for (int j = 0; j < frame->n_cols; j++) sparse += column_is_sparse(&frame->cols[j]);
    *out = NULL;
    if (!sparse) {
        *out = frame_ref(frame);
        return TIDE_OK;
    }
    tide_frame *f = NULL;
    tide_status st = frame_begin(ctx, frame->n_rows, frame->n_cols, &f, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < f->n_cols; j++) {
        f->cols[j] = frame->cols[j];
        if (!column_is_sparse(&frame->cols[j])) continue;
        f->cols[j].f64 = arena_array(&f->arena, f->n_rows + 1, sizeof(double));
        f->cols[j].at = NULL;
    }
    f->source = frame->source;
    f->dialect = frame->dialect;
    f->n_bad_rows = frame->n_bad_rows;
    f->n_mixed = frame->n_mixed;
    f->line_of_row = frame->line_of_row;
    f->first_line = frame->first_line;
    st = arena_status(&f->arena, err);
    /* on the caller's thread: an Arrow stream is asked for while the context may be at work */
    for (int j = 0; st == TIDE_OK && j < f->n_cols; j++)
        if (column_is_sparse(&frame->cols[j]))
            sparse_numbers(&frame->cols[j], NULL, 0, f->n_rows,
                           (double *)(uintptr_t)f->cols[j].f64);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    f->owner = frame_ref(frame);
    f->drop = drop_ref;
    *out = f;
    return TIDE_OK;
}

static double csr_value(const struct tide_csr_in *in, int64_t k)
{
    return in->f64 ? in->f64[k] : (double)in->f32[k];
}

static void put_cell(struct column *c, int64_t row, double value)
{
    if (c->f64) {
        ((double *)(uintptr_t)c->f64)[row] = value;
        return;
    }
    ((uint32_t *)(uintptr_t)c->at)[c->n_at] = (uint32_t)row;
    ((double *)(uintptr_t)c->nz)[c->n_at++] = value;
}

tide_status sparse_columns(tide_frame *f, const struct tide_csr_in *in,
                           struct column *const *cols, tide_error *err)
{
    struct arena work;
    arena_init(&work, f->arena.ctx);
    int64_t n = in->indptr[in->n_rows];
    int64_t *count = arena_zero(&work, ((size_t)in->n_cols + 1) * sizeof *count);
    tide_status st = arena_status(&work, err);
    for (int64_t k = 0; st == TIDE_OK && k < n; k++)
        count[in->indices[k]] += !is_zero(csr_value(in, k));
    for (int64_t j = 0; st == TIDE_OK && j < in->n_cols; j++) {
        struct column *c = cols[j];
        if (!c) continue;
        if (count[j] > f->n_rows / 2) {
            c->f64 = arena_zero(&f->arena, ((size_t)f->n_rows + 1) * sizeof(double));
            continue;
        }
        c->at = arena_array(&f->arena, count[j] + 1, sizeof *c->at);
        c->nz = arena_array(&f->arena, count[j] + 1, sizeof *c->nz);
    }
    if (st == TIDE_OK) st = arena_status(&f->arena, err);
    for (int64_t i = 0; st == TIDE_OK && i < in->n_rows; i++)
        for (int64_t k = in->indptr[i]; k < in->indptr[i + 1]; k++) {
            struct column *c = cols[in->indices[k]];
            double value = csr_value(in, k);
            if (c && !is_zero(value)) put_cell(c, i, value);
        }
    arena_free(&work);
    return st;
}

/* ---- tables from memory ---- */

static tide_status bad_row(int64_t row, const char *what, tide_error *err)
{
    err_set(err, TIDE_CODE_HANDLE_INVALID, "row %lld %s", (long long)row + 1, what);
    if (err) err->row = row + 1;
    return TIDE_EINVAL;
}

static tide_status check_rows(const struct tide_csr_in *in, tide_error *err)
{
    for (int64_t i = 0; i < in->n_rows; i++)
        if (in->indptr[i + 1] < in->indptr[i])
            return bad_row(i, "ends before it begins", err);
    for (int64_t i = 0; i < in->n_rows; i++) {
        int32_t last = -1;
        for (int64_t k = in->indptr[i]; k < in->indptr[i + 1]; k++) {
            int32_t j = in->indices[k];
            if (j < 0 || j >= in->n_cols)
                return bad_row(i, "has a column that is none", err);
            if (j <= last) return bad_row(i, "has columns that do not rise", err);
            last = j;
        }
    }
    return TIDE_OK;
}

static tide_status take_rows(tide_frame *f, const struct tide_csr_in *in,
                             struct arena *work, tide_error *err)
{
    struct column **cols = arena_array(work, (int64_t)in->n_cols + 1, sizeof *cols);
    tide_status st = arena_status(work, err);
    if (st != TIDE_OK) return st;
    for (int j = 0; j < in->n_cols; j++) {
        char own[32];
        const char *name = in->names ? in->names[j] : own;
        if (!in->names) str_format(own, sizeof own, "f%d", j);
        if (!name)
            return err_set(err, TIDE_CODE_HANDLE_INVALID, "a column has no name");
        if (strlen(name) > 4096)
            return err_set(err, TIDE_CODE_LIMIT_NAME,
                           "a column name has %lld bytes, the limit is 4096",
                           (long long)strlen(name));
        cols[j] = &f->cols[j];
        f->cols[j].name = arena_str(&f->arena, name);
        f->cols[j].type = TIDE_F64;
    }
    return sparse_columns(f, in, cols, err);
}

tide_status tide_frame_new_csr(tide_ctx *ctx, const struct tide_csr_in *rows,
                               int n_more, const struct tide_column_in *more,
                               tide_frame **out, tide_error *err)
{
    tide_frame *f = NULL;
    struct arena work;
    if (out) *out = NULL;
    if (!out || !rows || n_more < 0 || (n_more && !more) || rows->n_rows < 0 ||
        rows->n_rows > (int64_t)UINT32_MAX || rows->n_cols < 0 || !rows->indptr ||
        n_more > INT32_MAX - rows->n_cols || rows->indptr[0] != 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument cannot be");
    if (rows->n_rows && rows->indptr[rows->n_rows] &&
        (!rows->indices || (rows->f32 != NULL) + (rows->f64 != NULL) != 1))
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "indices and exactly one of f32 and f64 are needed");
    tide_status st = check_rows(rows, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    st = frame_begin(ctx, rows->n_rows, rows->n_cols + n_more, &f, err);
    if (st == TIDE_OK) st = take_rows(f, rows, &work, err);
    if (st == TIDE_OK) st = frame_take(f, f->cols + rows->n_cols, more, n_more, err);
    if (st == TIDE_OK) st = frame_seal(f, err);
    arena_free(&work);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    *out = f;
    return TIDE_OK;
}
