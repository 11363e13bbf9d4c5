/* npy.c - NumPy arrays of one or two dimensions: columns c0, c1 ... of one type
 *
 * Header: "\x93NUMPY", version, length, then a Python dict of the keys descr, fortran_order
 * and shape, which must be exactly these. Truth values, whole numbers of 1 to 8 bytes and
 * floats of 4 and 8 bytes, of either byte order, in C or Fortran order. NaN is missing. */
#include "frame/npy.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/source.h"
#include "spec/reader.h"

#define ROWS 4096 /* of a block read */
#define PART 1024 /* numbers written at once */

extern const struct tide_reader tide_reader_npy;

struct header {
    char kind; /* b i u f */
    int size;  /* bytes of one */
    int swap, fortran;
    int64_t n_rows, n_cols;
    size_t data; /* offset of the first */
};

static tide_status bad(const struct source_text *text, size_t offset, const char *what,
                       tide_error *err)
{
    err_set(err, TIDE_CODE_NPY_HEADER, "%s", what);
    err_at(err, text->path, 0, 0);
    if (err) err->offset = (int64_t)offset;
    return TIDE_EDATA;
}

/* ---- the header ---- */

static const char *skip(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t')) p++;
    return p;
}

/* 'text' or "text". */
static const char *take_string(const char *p, const char *end, char *out, size_t size)
{
    if (p >= end || (*p != '\'' && *p != '"')) return NULL;
    const char *stop = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (!stop || (size_t)(stop - p) > size) return NULL;
    memcpy(out, p + 1, (size_t)(stop - p - 1));
    out[stop - p - 1] = '\0';
    return stop + 1;
}

/* (3, 4) or (3,): at most two. *dims: how many. */
static const char *take_shape(const char *p, const char *end, struct header *h,
                              int *dims)
{
    int64_t n[2] = {1, 1};
    *dims = 0;
    if (p >= end || *p++ != '(') return NULL;
    for (;;) {
        p = skip(p, end);
        if (p < end && *p == ')') break;
        const char *s = p;
        while (p < end && *p >= '0' && *p <= '9') p++;
        if (*dims == 2) return NULL;
        if (!num_parse_i64(s, (size_t)(p - s), &n[*dims])) return NULL;
        (*dims)++;
        p = skip(p, end);
        if (p < end && *p == ',')
            p++;
        else if (p >= end || *p != ')')
            return NULL;
    }
    h->n_rows = n[0];
    h->n_cols = n[1];
    return p + 1;
}

static int host_is_little(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first;
}

static tide_status take_descr(const struct source_text *text, const char *d,
                              struct header *h, tide_error *err)
{
    char what[200], shown[64];
    int64_t size = 0;
    size_t n = strlen(d);
    int ok = n >= 3 && strchr("<>|=", d[0]) && strchr("biuf", d[1]) &&
             num_parse_i64(d + 2, n - 2, &size);
    h->kind = ok ? d[1] : 0;
    if (ok)
        ok = h->kind == 'b'   ? size == 1
             : h->kind == 'f' ? size == 4 || size == 8
                              : size == 1 || size == 2 || size == 4 || size == 8;
    if (!ok) {
        err_quote(shown, sizeof shown, d, n, 30);
        str_format(what, sizeof what,
                   "type \"%s\" is none of b1, i1 to i8, u1 to u8, f4, f8", shown);
        return bad(text, 10, what, err);
    }
    h->size = (int)size;
    h->swap = size > 1 &&
              ((d[0] == '>' && host_is_little()) || (d[0] == '<' && !host_is_little()));
    return TIDE_OK;
}

static tide_status take_dict(const struct source_text *text, const char *p,
                             const char *end, struct header *h, tide_error *err)
{
    int seen = 0, dims = 0;
    p = skip(p, end);
    if (p >= end || *p++ != '{') return bad(text, 10, "the header is no dict", err);
    for (;;) {
        char key[32], value[64];
        int bit = 0;
        p = skip(p, end);
        if (p < end && *p == '}') break;
        p = take_string(p, end, key, sizeof key);
        if (p) p = skip(p, end);
        if (!p || p >= end || *p != ':')
            return bad(text, 10, "the header's dict is not well formed", err);
        p = skip(p + 1, end);
        if (strcmp(key, "descr") == 0) {
            bit = 1;
            if (p < end && *p == '[')
                return bad(text, 10, "an array of records; only plain types are read",
                           err);
            p = take_string(p, end, value, sizeof value);
            tide_status st = p ? take_descr(text, value, h, err) : TIDE_OK;
            if (st != TIDE_OK) return st;
        } else if (strcmp(key, "fortran_order") == 0) {
            bit = 2;
            h->fortran = end - p >= 4 && memcmp(p, "True", 4) == 0;
            p = h->fortran
                    ? p + 4
                    : (end - p >= 5 && memcmp(p, "False", 5) == 0 ? p + 5 : NULL);
        } else if (strcmp(key, "shape") == 0) {
            bit = 4;
            p = take_shape(p, end, h, &dims);
            if (!p) return bad(text, 10, "the shape must have one or two numbers", err);
        }
        if (!bit || !p || seen & bit)
            return bad(text, 10, "the header's dict is not well formed", err);
        seen |= bit;
        p = skip(p, end);
        if (p < end && *p == ',') p++;
    }
    if (seen != 7)
        return bad(text, 10, "the header lacks descr, fortran_order or shape", err);
    if (dims == 0)
        return bad(text, 10, "the array is a single number, not a table", err);
    return TIDE_OK;
}

static tide_status take_header(const struct source_text *text, struct header *h,
                               const struct tide_read_options *o, tide_error *err)
{
    const unsigned char *s = (const unsigned char *)text->s;
    if (text->n == 0) return source_empty(text, "a header", err);
    if (text->n < 10 || memcmp(s, "\x93NUMPY", 6) != 0)
        return bad(text, 0, "this is no NumPy array", err);
    size_t at = s[6] == 1 ? 10 : 12, n = (size_t)s[8] | (size_t)s[9] << 8;
    if (s[6] < 1 || s[6] > 3) return bad(text, 6, "version must be 1, 2 or 3", err);
    if (at == 12 && text->n >= 12) n |= (size_t)s[10] << 16 | (size_t)s[11] << 24;
    if (text->n < at || n > text->n - at)
        return bad(text, 8, "the header is longer than the file", err);
    tide_status st = take_dict(text, text->s + at, text->s + at + n, h, err);
    if (st != TIDE_OK) return st;
    h->data = at + n;
    int64_t most = o && o->max_columns ? o->max_columns : 65536;
    if (h->n_cols > most) {
        err_set(err, TIDE_CODE_LIMIT_COLUMNS, "%lld columns; at most %lld",
                (long long)h->n_cols, (long long)most);
        err_hint(err, "max-columns", "%lld", (long long)h->n_cols);
        return err_at(err, text->path, 0, 0), TIDE_ELIMIT;
    }
    int64_t cells, bytes;
    if (__builtin_mul_overflow(h->n_rows, h->n_cols, &cells) ||
        __builtin_mul_overflow(cells, (int64_t)h->size, &bytes) ||
        (uint64_t)bytes != text->n - h->data) {
        char what[160];
        str_format(
            what, sizeof what,
            "%lld x %lld values of %d bytes do not fill the %zu bytes behind the "
            "header",
            (long long)h->n_rows, (long long)h->n_cols, h->size, text->n - h->data);
        return bad(text, h->data, what, err);
    }
    return TIDE_OK;
}

/* ---- values ---- */

struct fill {
    const struct header *h;
    const char *data;
    tide_frame *f;
    const int *from; /* [n_cols] column of the array */
};

static uint64_t bits_at(const struct header *h, const char *p)
{
    unsigned char b[8] = {0};
    uint64_t v = 0;
    memcpy(b, p, (size_t)h->size);
    int big = host_is_little() ? h->swap : !h->swap;
    for (int k = 0; k < h->size; k++)
        v |= (uint64_t)b[big ? h->size - 1 - k : k] << 8 * k;
    return v;
}

static double real_of(int size, uint64_t v)
{
    union {
        uint64_t u;
        double d;
    } wide = {v};
    union {
        uint32_t u;
        float f;
    } narrow = {(uint32_t)v};
    return size == 4 ? (double)narrow.f : wide.d;
}

static int64_t whole_of(const struct header *h, uint64_t v)
{
    if (h->kind == 'u' || h->size == 8)
        return v > INT64_MAX && h->kind == 'u' ? I64_MISSING : (int64_t)v;
    int shift = 64 - 8 * h->size;
    return (int64_t)(v << shift) >> shift;
}

static void fill_block(void *arg, int64_t block, int worker)
{
    const struct fill *w = arg;
    const struct header *h = w->h;
    int64_t i0 = block * ROWS, i1 = i0 + ROWS < h->n_rows ? i0 + ROWS : h->n_rows;
    (void)worker;
    for (int j = 0; j < w->f->n_cols; j++) {
        const struct column *c = &w->f->cols[j];
        int64_t step = h->fortran ? h->size : h->size * h->n_cols;
        const char *p =
            w->data + (h->fortran ? w->from[j] * h->n_rows * h->size + i0 * step
                                  : w->from[j] * h->size + i0 * step);
        for (int64_t i = i0; i < i1; i++, p += step) {
            uint64_t v = bits_at(h, p);
            if (h->kind == 'f')
                ((double *)c->f64)[i] = real_of(h->size, v);
            else if (h->kind == 'b')
                ((uint8_t *)c->b)[i] = v != 0;
            else
                ((int64_t *)c->i64)[i] = whole_of(h, v);
        }
    }
}

static tide_status cell_fault(const struct source_text *text, const struct column *c,
                              int64_t row, int is_inf, tide_error *err)
{
    err_set(err, is_inf ? TIDE_CODE_DATA_INFINITE : TIDE_CODE_DATA_RANGE,
            is_inf ? "row %lld of '%s' is infinite"
                   : "row %lld of '%s' is beyond the whole numbers of 64 bits",
            (long long)row + 1, c->name);
    if (is_inf) err_hint(err, "inf", "missing");
    err_field(err, c->name);
    if (err) err->row = row + 1;
    return err_at(err, text->path, 0, 0);
}

/* Infinities as --inf says; whole numbers that are the missing one are refused. */
static tide_status check_values(const struct source_text *text, const tide_frame *f,
                                int drop_inf, tide_error *err)
{
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        for (int64_t i = 0; c->f64 && i < f->n_rows; i++) {
            if (!isinf(c->f64[i])) continue;
            if (!drop_inf) return cell_fault(text, c, i, 1, err);
            ((double *)c->f64)[i] = (double)NAN;
        }
        for (int64_t i = 0; c->i64 && i < f->n_rows; i++)
            if (c->i64[i] == I64_MISSING) return cell_fault(text, c, i, 0, err);
    }
    return TIDE_OK;
}

/* Columns by name c0, c1 ... or all. */
static tide_status choose(const struct source_text *text, const struct header *h,
                          const struct tide_read_options *o, int *from, int *n,
                          tide_error *err)
{
    *n = 0;
    if (!o || !o->columns.n) {
        for (; *n < h->n_cols; (*n)++) from[*n] = *n;
        return TIDE_OK;
    }
    memset(from, 0, (size_t)h->n_cols * sizeof *from);
    for (int k = 0; k < o->columns.n; k++)
        for (const char *p = o->columns.items[k];;) {
            size_t len = strcspn(p, ",");
            int64_t j = -1;
            if (len < 2 || *p != 'c' || !num_parse_i64(p + 1, len - 1, &j) || j < 0 ||
                j >= h->n_cols) {
                char shown[128];
                err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'",
                        err_quote(shown, sizeof shown, p, len, 60));
                err_hint(err, "columns", "c0 to c%lld", (long long)h->n_cols - 1);
                return err_at(err, text->path, 0, 0);
            }
            from[j] = 1;
            if (!p[len]) break;
            p += len + 1;
        }
    for (int j = 0; j < h->n_cols; j++)
        if (from[j]) from[(*n)++] = j;
    return TIDE_OK;
}

static tide_status make_frame(struct tide_ctx *ctx, const struct source_text *text,
                              const struct header *h, const struct tide_read_options *o,
                              struct arena *work, tide_frame **out, tide_error *err)
{
    int *from = arena_array(work, h->n_cols + 1, sizeof *from), n = 0;
    struct fill w = {h, text->s + h->data, NULL, from};
    char line[96];
    tide_status st = arena_status(work, err);
    if (st == TIDE_OK) st = choose(text, h, o, from, &n, err);
    if (st == TIDE_OK) st = frame_begin(ctx, h->n_rows, n, &w.f, err);
    if (st != TIDE_OK) return st;
    tide_frame *f = w.f;
    for (int j = 0; j < n; j++) {
        struct column *c = &f->cols[j];
        str_format(line, sizeof line, "c%d", from[j]);
        c->name = arena_str(&f->arena, line);
        c->type = h->kind == 'f' ? TIDE_F64 : h->kind == 'b' ? TIDE_BOOL : TIDE_I64;
        void *data = arena_array(&f->arena, h->n_rows + 1, h->kind == 'b' ? 1 : 8);
        if (h->kind == 'f')
            c->f64 = data;
        else if (h->kind == 'b')
            c->b = data;
        else
            c->i64 = data;
    }
    st = arena_status(&f->arena, err);
    if (st == TIDE_OK)
        st = par_for_progress(ctx, (h->n_rows + ROWS - 1) / ROWS, fill_block, &w,
                              "reading", err);
    if (st == TIDE_OK) st = check_values(text, f, o && o->inf == 1, err);
    if (st == TIDE_OK) {
        str_format(line, sizeof line, "NumPy %c%d, %s order%s", h->kind, h->size,
                   h->fortran ? "Fortran" : "C", text->kind);
        f->source = arena_str(&f->arena, text->path);
        f->dialect = arena_str(&f->arena, line);
        st = frame_seal(f, err);
    }
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    *out = f;
    return TIDE_OK;
}

tide_status npy_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                           size_t n_data, const struct tide_read_options *options,
                           tide_frame **out, tide_error *err)
{
    struct arena work;
    struct source_text text;
    struct header h = {0};
    *out = NULL;
    tide_status st = reader_refuse(&tide_reader_npy, options, 0, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    st = source_slurp(ctx, path, data, n_data, &work, &text, err);
    if (st == TIDE_OK) st = take_header(&text, &h, options, err);
    if (st == TIDE_OK) st = make_frame(ctx, &text, &h, options, &work, out, err);
    arena_free(&work);
    return st;
}

/* ---- the descriptor ---- */

static int claims(const char *head, size_t n)
{
    return n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0;
}

static tide_status read_npy(struct tide_ctx *ctx, const char *path,
                            const struct tide_read_options *options, tide_frame **out,
                            tide_error *err)
{
    return npy_read_table(ctx, path, NULL, 0, options, out, err);
}

/* The one type that holds all columns: b1 or i8 when every column is so and complete. */
static tide_status type_of(const tide_frame *f, char *kind, tide_error *err)
{
    int bools = 0, whole = 0;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        if (!column_is_numeric(c) || c->type == TIDE_TIME) {
            char name[128];
            err_set(err, TIDE_CODE_DATA_TYPE,
                    "an array holds numbers only and '%s' is %s",
                    err_quote(name, sizeof name, c->name, strlen(c->name), 60),
                    tide_type_name((enum tide_type)c->type));
            return err_field(err, c->name);
        }
        bools += c->type == TIDE_BOOL && !c->n_missing;
        whole += c->type == TIDE_I64 && !c->n_missing;
    }
    *kind = f->n_cols && bools == f->n_cols   ? 'b'
            : f->n_cols && whole == f->n_cols ? 'i'
                                              : 'f';
    return TIDE_OK;
}

/* Fortran order: columns as the frame holds them. */
static tide_status write_npy(struct tide_ctx *ctx, const tide_frame *frame,
                             tide_sink_fn sink, void *payload, tide_error *err)
{
    char kind, dict[256], head[512], part[PART * 8];
    tide_status st = type_of(frame, &kind, err);
    if (st != TIDE_OK) return st;
    int n =
        str_format(dict, sizeof dict,
                   "{'descr': '%c%c%d', 'fortran_order': True, 'shape': (%lld, %d), }",
                   kind == 'b'        ? '|'
                   : host_is_little() ? '<'
                                      : '>',
                   kind, kind == 'b' ? 1 : 8, (long long)frame->n_rows, frame->n_cols);
    int padded = (n + 1 + 10 + 63) / 64 * 64 - 10;
    memcpy(head, "\x93NUMPY\1\0", 8);
    head[8] = (char)(padded & 255);
    head[9] = (char)(padded >> 8);
    memset(head + 10, ' ', (size_t)padded);
    memcpy(head + 10, dict, (size_t)n);
    head[10 + padded - 1] = '\n';
    int stop = sink(payload, head, (size_t)padded + 10) != 0;
    for (int j = 0; j < frame->n_cols && !stop; j++)
        for (int64_t i0 = 0; i0 < frame->n_rows && !stop; i0 += PART) {
            int64_t m = frame->n_rows - i0 < PART ? frame->n_rows - i0 : PART;
            const struct column *c = &frame->cols[j];
            tide_status go = ctx_progress(
                ctx, "writing", (double)j * (double)frame->n_rows + (double)i0,
                (double)frame->n_cols * (double)frame->n_rows, NULL, err);
            if (go != TIDE_OK) return go;
            if (kind == 'b') {
                stop = sink(payload, c->b + i0, (size_t)m) != 0;
                continue;
            }
            if (kind == 'i') {
                stop = sink(payload, c->i64 + i0, (size_t)m * 8) != 0;
                continue;
            }
            for (int64_t i = 0; i < m; i++) {
                double v = tide_frame_number(frame, i0 + i, j);
                memcpy(part + i * 8, &v, 8);
            }
            stop = sink(payload, part, (size_t)m * 8) != 0;
        }
    if (stop) return err_set(err, TIDE_CODE_FILE_ERROR, "the output was not taken");
    return TIDE_OK;
}

const struct tide_reader tide_reader_npy = {
    .name = "npy",
    .title = "NumPy array of one or two dimensions",
    .camel = "NPY",
    .guide = "Q13",
    .paper = "NEP 1",
    .endings = ".npy",
    .claims = claims,
    .read = read_npy,
    .write = write_npy,
};
