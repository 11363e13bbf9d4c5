/* svmlight.c - SVMlight and LIBSVM: LABEL [qid:N] INDEX:VALUE ... [# remark]
 *
 * Columns label, qid when any row has one, and f1 .. fN by index (from f0 when index 0 is used).
 * What a row does not name is 0, as the format says; nan is missing. Columns of mostly zeros are
 * sparse (sparse.c). Labels become whole numbers when all are. Indices rise within a row. A first
 * scan in parallel checks rows and counts; a second one lists the cells, which then go to columns. */
#include "frame/svmlight.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/source.h"
#include "spec/reader.h"

#define BLOCK ((size_t)256 << 10)

extern const struct tide_reader tide_reader_svmlight;

struct block {
    struct source_part part;
    int64_t n_rows, row0, n_qid, n_cells, cell0;
    int64_t lo, hi; /* of the indices; hi -1: none */
    int is_whole;   /* all labels are whole numbers */
    tide_status status;
    tide_error err;
};
struct scan {
    struct tide_ctx *ctx;
    const char *path;
    int drop_inf;
    int64_t max_index;
    struct block *blocks;
    int64_t n_blocks;
    /* second scan: where values go */
    int64_t lo;
    double *label;
    struct tide_csr_in cells; /* arrays that are filled */
    int64_t *qid, *line;
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static tide_status fault(struct block *b, const struct scan *t, const char *p)
{
    b->status = source_place(t->path, &b->part, p, &b->err);
    b->err.row = b->n_rows + 1;
    return b->status;
}

static tide_status expected(struct block *b, const struct scan *t, const char *p,
                            const char *end, const char *what)
{
    char shown[64];
    size_t n = 0;
    while (p + n < end && n < 30 && !is_blank(p[n])) n++;
    err_set(&b->err, TIDE_CODE_SVMLIGHT_SYNTAX, "expected %s, got \"%s\"", what,
            err_quote(shown, sizeof shown, p, n, 30));
    return fault(b, t, p);
}

static int is_nan_word(const char *s, size_t n)
{
    return n == 3 && (s[0] | 32) == 'n' && (s[1] | 32) == 'a' && (s[2] | 32) == 'n';
}

/* A number, nan, or what --inf lets become missing. */
static tide_status number(struct block *b, const struct scan *t, const char *s,
                          const char *stop, double *out)
{
    size_t n = (size_t)(stop - s);
    enum num_result how = num_parse(s, n, '.', out);
    if (how == NUM_OVERFLOW) {
        *out = (double)NAN;
        if (t->drop_inf) return TIDE_OK;
        char shown[64];
        err_set(&b->err, TIDE_CODE_DATA_RANGE, "%s is beyond the range of numbers",
                err_quote(shown, sizeof shown, s, n, 40));
        err_hint(&b->err, "inf", "missing");
        return fault(b, t, s);
    }
    if (how != NUM_BAD) return TIDE_OK;
    if (!is_nan_word(s, n)) return expected(b, t, s, stop, "a number");
    *out = (double)NAN;
    return TIDE_OK;
}

/* One row; with t->label its values are stored. */
static tide_status take_row(struct block *b, const struct scan *t, const char *p,
                            const char *end, int64_t row)
{
    const char *s = p;
    double v;
    int64_t last = -1, index, query;
    while (p < end && !is_blank(*p) && *p != '#') p++;
    tide_status st = number(b, t, s, p, &v);
    if (st != TIDE_OK) return st;
    b->is_whole &=
        !(v == v) || (v == floor(v) && fabs(v) <= 0x1p53 && !(v == 0 && *s == '-'));
    if (t->label) t->label[row] = v;
    for (;;) {
        while (p < end && is_blank(*p)) p++;
        if (p >= end || *p == '#') return TIDE_OK;
        s = p;
        while (p < end && !is_blank(*p) && *p != ':' && *p != '#') p++;
        if (p >= end || *p != ':') return expected(b, t, s, end, "INDEX:VALUE");
        const char *value = p + 1;
        size_t n = (size_t)(p - s);
        for (p = value; p < end && !is_blank(*p) && *p != '#';) p++;
        if (n == 3 && memcmp(s, "qid", 3) == 0) {
            if (last >= 0 || !num_parse_i64(value, (size_t)(p - value), &query) ||
                query == I64_MISSING)
                return expected(b, t, s, end, "qid:NUMBER before the features");
            b->n_qid++;
            if (t->qid) t->qid[row] = query;
            continue;
        }
        if (!num_parse_i64(s, n, &index) || index < 0)
            return expected(b, t, s, end, "an index from 0 on");
        if (index <= last) return expected(b, t, s, end, "indices that rise");
        if (index > t->max_index) {
            err_set(&b->err, TIDE_CODE_LIMIT_COLUMNS,
                    "index %lld; at most %lld columns", (long long)index,
                    (long long)t->max_index);
            err_hint(&b->err, "max-columns", "%lld", (long long)index);
            fault(b, t, s);
            return b->status = TIDE_ELIMIT;
        }
        if ((st = number(b, t, value, p, &v)) != TIDE_OK) return st;
        last = index;
        if (b->lo > index) b->lo = index;
        if (b->hi < index) b->hi = index;
        if (t->label) {
            ((int32_t *)(uintptr_t)t->cells.indices)[b->cell0 + b->n_cells] =
                (int32_t)(index - t->lo);
            ((double *)(uintptr_t)t->cells.f64)[b->cell0 + b->n_cells] = v;
        }
        b->n_cells++;
    }
}

static void scan_block(void *arg, int64_t k, int worker)
{
    const struct scan *t = arg;
    struct block *b = &t->blocks[k];
    int64_t line = b->part.line0;
    (void)worker;
    b->n_rows = b->n_qid = b->n_cells = 0;
    b->lo = INT64_MAX;
    b->hi = -1;
    b->is_whole = 1;
    for (const char *s = b->part.s; s < b->part.end; line++) {
        const char *stop = memchr(s, '\n', (size_t)(b->part.end - s));
        if (!stop) stop = b->part.end;
        const char *p = s;
        while (p < stop && is_blank(*p)) p++;
        s = stop + 1;
        if (p == stop || *p == '#') continue;
        int64_t qids = b->n_qid;
        if (take_row(b, t, p, stop, b->row0 + b->n_rows) != TIDE_OK) return;
        if (b->n_qid > qids + 1) {
            (void)expected(b, t, p, stop, "one qid a row");
            return;
        }
        if (t->line) t->line[b->row0 + b->n_rows] = line;
        b->n_rows++;
        if (t->label)
            ((int64_t *)(uintptr_t)t->cells.indptr)[b->row0 + b->n_rows] =
                b->cell0 + b->n_cells;
    }
}

static tide_status scan_all(struct scan *t, tide_error *err)
{
    tide_status st =
        par_for_progress(t->ctx, t->n_blocks, scan_block, t, "reading", err);
    for (int64_t k = 0; st == TIDE_OK && k < t->n_blocks; k++)
        if (t->blocks[k].status != TIDE_OK) {
            if (err) *err = t->blocks[k].err;
            st = t->blocks[k].status;
        }
    return st;
}

/* ---- the frame ---- */

struct shape {
    int64_t n_rows, n_qid, n_cells, lo, hi;
    int is_whole;
    int n_cols; /* label, qid?, features */
};

static struct shape measure(struct scan *t)
{
    struct shape s = {.lo = INT64_MAX, .hi = -1, .is_whole = 1};
    for (int64_t k = 0; k < t->n_blocks; k++) {
        struct block *b = &t->blocks[k];
        b->row0 = s.n_rows;
        b->cell0 = s.n_cells;
        s.n_cells += b->n_cells;
        s.n_rows += b->n_rows;
        s.n_qid += b->n_qid;
        if (b->lo < s.lo) s.lo = b->lo;
        if (b->hi > s.hi) s.hi = b->hi;
        s.is_whole &= b->is_whole;
    }
    s.lo = s.lo == 0 ? 0 : 1;
    s.n_cols = 1 + (s.n_qid > 0) + (s.hi < 0 ? 0 : (int)(s.hi - s.lo + 1));
    return s;
}

static const char *name_of(const struct shape *s, int j, char *buf, size_t size)
{
    int first = 1 + (s->n_qid > 0);
    if (j == 0) return "label";
    if (j < first) return "qid";
    str_format(buf, size, "f%lld", (long long)(s->lo + j - first));
    return buf;
}

/* Which columns are wanted: want[j] = 1. */
static tide_status choose(const struct scan *t, const struct shape *s,
                          const struct tide_read_options *o, uint8_t *want, int *n,
                          tide_error *err)
{
    char buf[32];
    *n = s->n_cols;
    memset(want, !(o && o->columns.n), (size_t)s->n_cols);
    if (!o || !o->columns.n) return TIDE_OK;
    for (int k = 0; k < o->columns.n; k++)
        for (const char *p = o->columns.items[k];;) {
            size_t len = strcspn(p, ",");
            int found = 0;
            for (int j = 0; j < s->n_cols && !found; j++) {
                const char *name = name_of(s, j, buf, sizeof buf);
                found = strlen(name) == len && memcmp(name, p, len) == 0;
                if (found) want[j] = 1;
            }
            if (!found) {
                char shown[128];
                err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'",
                        err_quote(shown, sizeof shown, p, len, 60));
                err_hint(err, "columns", "label, qid, f%lld to f%lld", (long long)s->lo,
                         (long long)s->hi);
                return err_at(err, t->path, 0, 0);
            }
            if (!p[len]) break;
            p += len + 1;
        }
    *n = 0;
    for (int j = 0; j < s->n_cols; j++) *n += want[j];
    return TIDE_OK;
}

/* The wanted columns; label and qid are read even when not wanted. feature[index - lo]: NULL where
 * not wanted. */
static tide_status lay_out(struct scan *t, const struct shape *s, const uint8_t *want,
                           tide_frame *f, struct arena *work, struct column **feature,
                           tide_error *err)
{
    int first = 1 + (s->n_qid > 0), out = 0;
    t->label = arena_array(want[0] && !s->is_whole ? &f->arena : work, s->n_rows + 1,
                           sizeof *t->label);
    if (s->n_qid) t->qid = arena_array(&f->arena, s->n_rows + 1, sizeof *t->qid);
    t->line = arena_array(&f->arena, s->n_rows + 1, sizeof *t->line);
    for (int j = 0; j < s->n_cols; j++) {
        char buf[32];
        if (!want[j]) continue;
        struct column *c = &f->cols[out++];
        c->name = arena_str(&f->arena, name_of(s, j, buf, sizeof buf));
        c->type = j == 0      ? (s->is_whole ? TIDE_I64 : TIDE_F64)
                  : j < first ? TIDE_I64
                              : TIDE_F64;
        if (j == 0)
            c->f64 = t->label;
        else if (j < first)
            c->i64 = t->qid;
        else
            feature[j - first] = c;
    }
    t->lo = s->lo;
    t->cells = (struct tide_csr_in){
        .n_rows = s->n_rows,
        .n_cols = s->hi < 0 ? 0 : (int)(s->hi - s->lo + 1),
        .indptr = arena_zero(work, ((size_t)s->n_rows + 1) * sizeof(int64_t)),
        .indices = arena_array(work, s->n_cells + 1, sizeof(int32_t)),
        .f64 = arena_array(work, s->n_cells + 1, sizeof(double))};
    for (int64_t i = 0; t->qid && i < s->n_rows; i++) t->qid[i] = I64_MISSING;
    tide_status st = arena_status(&f->arena, err);
    return st == TIDE_OK ? arena_status(work, err) : st;
}

static tide_status whole_labels(struct scan *t, int64_t n, tide_frame *f,
                                tide_error *err)
{
    int64_t *out = arena_array(&f->arena, n + 1, sizeof *out);
    if (!out) return arena_status(&f->arena, err);
    for (int64_t i = 0; i < n; i++)
        out[i] = t->label[i] == t->label[i] ? (int64_t)t->label[i] : I64_MISSING;
    f->cols[0].f64 = NULL;
    f->cols[0].i64 = out;
    return TIDE_OK;
}

static tide_status fill(struct scan *t, const struct shape *s,
                        const struct tide_read_options *options, const char *kind,
                        struct arena *work, tide_frame **out, tide_error *err)
{
    tide_frame *f = NULL;
    char dialect[64];
    int n = 0;
    uint8_t *want = arena_push(work, (size_t)s->n_cols + 1);
    struct column **feature =
        arena_zero(work, ((size_t)s->n_cols + 1) * sizeof *feature);
    tide_status st = arena_status(work, err);
    if (st == TIDE_OK) st = choose(t, s, options, want, &n, err);
    if (st == TIDE_OK) st = frame_begin(t->ctx, s->n_rows, n, &f, err);
    if (st != TIDE_OK) return st;
    st = lay_out(t, s, want, f, work, feature, err);
    if (st == TIDE_OK) st = scan_all(t, err);
    if (st == TIDE_OK) st = sparse_columns(f, &t->cells, feature, err);
    if (st == TIDE_OK && want[0] && s->is_whole)
        st = whole_labels(t, s->n_rows, f, err);
    if (st == TIDE_OK) {
        str_format(dialect, sizeof dialect, "SVMlight%s%s", s->n_qid ? " with qid" : "",
                   kind);
        f->source = arena_str(&f->arena, t->path);
        f->dialect = arena_str(&f->arena, dialect);
        f->first_line = s->n_rows ? t->line[0] : 1;
        f->line_of_row = t->line;
        st = frame_seal(f, err);
    }
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    *out = f;
    return TIDE_OK;
}

tide_status svmlight_read_table(struct tide_ctx *ctx, const char *path,
                                const char *data, size_t n_data,
                                const struct tide_read_options *options,
                                tide_frame **out, tide_error *err)
{
    struct arena work;
    struct source_text text;
    struct source_part *part;
    struct scan t = {.ctx = ctx, .max_index = 65536};
    *out = NULL;
    if (options && options->max_columns) t.max_index = options->max_columns;
    if (options) t.drop_inf = options->inf == 1;
    tide_status st = reader_refuse(&tide_reader_svmlight, options, 0, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    st = source_slurp(ctx, path, data, n_data, &work, &text, err);
    t.path = text.path;
    if (st == TIDE_OK)
        st = source_cut(&text, 0, 1, BLOCK, &work, &part, &t.n_blocks, err);
    if (st == TIDE_OK) {
        t.blocks = arena_zero(&work, ((size_t)t.n_blocks + 1) * sizeof *t.blocks);
        st = arena_status(&work, err);
    }
    for (int64_t k = 0; st == TIDE_OK && k < t.n_blocks; k++)
        t.blocks[k].part = part[k];
    if (st == TIDE_OK) st = scan_all(&t, err);
    if (st == TIDE_OK) {
        struct shape s = measure(&t);
        if (!s.n_rows) st = source_empty(&text, "a row", err);
        if (s.n_rows > (int64_t)UINT32_MAX) {
            st = err_set(err, TIDE_CODE_LIMIT_EXPAND, "more than %u rows", UINT32_MAX);
            err_at(err, t.path, 0, 0);
        }
        if (st == TIDE_OK)
            st = source_guard(t.path, s.n_rows, s.n_cols, (int64_t)text.n, err);
        if (st == TIDE_OK) st = fill(&t, &s, options, text.kind, &work, out, err);
    }
    arena_free(&work);
    return st;
}

/* ---- the descriptor ---- */

/* Every whole line of the head must be a row, and one must have two features. */
static int claims(const char *head, size_t n)
{
    struct scan t = {.path = "", .max_index = INT64_MAX - 1};
    struct block b = {.lo = INT64_MAX, .hi = -1};
    const char *s = head, *end = head + n;
    int rows = 0, wide = 0;
    b.part = (struct source_part){head, end, 1};
    while (s < end) {
        const char *stop = memchr(s, '\n', (size_t)(end - s)), *p = s;
        if (!stop && (rows || n >= 4096)) break; /* the head may end inside a row */
        if (!stop) stop = end;
        while (p < stop && is_blank(*p)) p++;
        s = stop + 1;
        if (p == stop || *p == '#') continue;
        b.lo = INT64_MAX;
        b.hi = -1;
        if (take_row(&b, &t, p, stop, 0) != TIDE_OK) return 0;
        wide |= b.hi > b.lo;
        rows++;
    }
    return wide;
}

static tide_status read_svmlight(struct tide_ctx *ctx, const char *path,
                                 const struct tide_read_options *options,
                                 tide_frame **out, tide_error *err)
{
    return svmlight_read_table(ctx, path, NULL, 0, options, out, err);
}

/* ---- writing ---- */

struct writer {
    int label, qid;
    const int64_t *index; /* [n_cols] of features */
    int first, last;      /* feature columns that every table shows once */
};

static void print_row(struct str *t, const tide_frame *f, int64_t row, const void *arg)
{
    const struct writer *w = arg;
    char text[NUM_PRINT_MAX];
    double v = tide_frame_number(f, row, w->label);
    str_addn(t, text, (size_t)num_print(text, v));
    if (w->qid >= 0 && f->cols[w->qid].i64[row] != I64_MISSING)
        str_addf(t, " qid:%lld", (long long)f->cols[w->qid].i64[row]);
    for (int j = 0; j < f->n_cols; j++) {
        if (j == w->label || j == w->qid) continue;
        v = tide_frame_number(f, row, j);
        if (v == 0 && !(row == 0 && (j == w->first || j == w->last))) continue;
        str_addf(t, " %lld:", (long long)w->index[j]);
        str_addn(t, text, (size_t)num_print(text, v));
    }
    str_addc(t, '\n');
}

static int number_in_name(const char *name, int64_t *out)
{
    return name[0] == 'f' && (name[1] != '0' || !name[2]) &&
           num_parse_i64(name + 1, strlen(name + 1), out) && *out >= 0 &&
           name[1] != '+';
}

/* Indices: the numbers of names f1, f2 ... when all are so and rise, else places from 1. */
static void number_features(const tide_frame *f, struct writer *w, int64_t *index)
{
    int64_t last = -1, k = 0, number;
    int named = 1;
    for (int j = 0; j < f->n_cols; j++) {
        if (j == w->label || j == w->qid) continue;
        if (w->first < 0) w->first = j;
        w->last = j;
        named = named && number_in_name(f->cols[j].name, &number) && number > last;
        if (named) last = number;
    }
    for (int j = 0; j < f->n_cols; j++) {
        if (j == w->label || j == w->qid) continue;
        if (named && number_in_name(f->cols[j].name, &number))
            index[j] = number;
        else
            index[j] = ++k;
    }
    if (!named) last = k;
}

static tide_status write_svmlight(struct tide_ctx *ctx, const tide_frame *frame,
                                  tide_sink_fn sink, void *payload, tide_error *err)
{
    struct writer w = {-1, -1, NULL, -1, -1};
    struct arena work;
    for (int j = 0; j < frame->n_cols; j++) {
        const struct column *c = &frame->cols[j];
        if (strcmp(c->name, "label") == 0) w.label = j;
        if (strcmp(c->name, "qid") == 0 && c->type == TIDE_I64) w.qid = j;
        if (column_is_numeric(c) && c->type != TIDE_TIME) continue;
        char name[128];
        err_set(err, TIDE_CODE_DATA_TYPE, "SVMlight holds numbers only and '%s' is %s",
                err_quote(name, sizeof name, c->name, strlen(c->name), 60),
                tide_type_name((enum tide_type)c->type));
        return err_field(err, c->name);
    }
    if (w.label < 0) {
        err_set(err, TIDE_CODE_DATA_COLUMN, "SVMlight needs a column 'label'");
        return err_field(err, "label");
    }
    arena_init(&work, ctx);
    int64_t *index = arena_zero(&work, ((size_t)frame->n_cols + 1) * sizeof *index);
    tide_status st = arena_status(&work, err);
    if (st == TIDE_OK) {
        number_features(frame, &w, index);
        w.index = index;
        st = frame_write_rows(ctx, frame, NULL, print_row, &w, sink, payload, err);
    }
    arena_free(&work);
    return st;
}

const struct tide_reader tide_reader_svmlight = {
    .name = "svmlight",
    .title = "SVMlight and LIBSVM: label, qid, index:value",
    .camel = "SVMLight",
    .guide = "Q13",
    .paper = "Joachims 1999",
    .endings = ".svm .svmlight .libsvm",
    .claims = claims,
    .read = read_svmlight,
    .write = write_svmlight,
};
