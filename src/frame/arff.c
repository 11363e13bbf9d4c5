/* arff.c - ARFF: attributes with their types, then rows, dense or sparse
 *
 * The header is read line by line; data lines are cut into blocks and scanned in parallel.
 * Nominal attributes keep the order of their declaration, and a value that was not declared
 * is an error; {false, true} is read as truth values. In sparse rows a cell that is not named
 * is 0, of a nominal attribute the first value, as the format says; a text is missing there.
 * Relational attributes are refused, and dates of a format that is not ISO 8601. */
#include "frame/arff.h"

#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/cells.h"
#include "frame/level_set.h"
#include "frame/source.h"
#include "spec/reader.h"

#define BLOCK    ((size_t)256 << 10)
#define NAME_MAX ((size_t)4096)

extern const struct tide_reader tide_reader_arff;

enum kind { NUMERIC, TEXT, DATE, NOMINAL, TRUTH };

struct attribute {
    const char *name;
    enum kind kind;
    struct dict levels;
};
struct block {
    struct source_part part;
    struct arena arena;
    struct cell_block cells;
    int64_t cap_rows;
    uint8_t *is_odd; /* [n_cols] a numeric column has a cell that is no number */
    tide_status status;
    tide_error err;
};
struct scan {
    struct tide_ctx *ctx;
    struct source_text text;
    int64_t max_field;
    int max_columns;
    struct arena *work;
    struct attribute *attr;
    int n_cols, cap_cols;
    struct block *blocks;
    int64_t n_blocks;
    int64_t line;      /* of the header */
    const char *begin; /* of that line */
};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip(const char *p, const char *end)
{
    while (p < end && is_blank(*p)) p++;
    return p;
}

/* ---- one value ---- */

/* A value: quoted by ' or ", or up to a blank or a mark of `stops`. */
struct value {
    const char *s;
    size_t n;
    uint8_t quoted, raw;
};

/* NULL when a quote never ends; else what follows the value. */
static const char *take_value(const char *p, const char *end, const char *stops,
                              struct value *out)
{
    *out = (struct value){p, 0, 0, 0};
    if (p < end && (*p == '\'' || *p == '"')) {
        char quote = *p++;
        out->quoted = 1;
        out->s = p;
        for (; p < end && *p != '\n' && *p != quote; p++)
            if (*p == '\\') {
                out->raw = 1;
                if (++p >= end) return NULL;
            }
        if (p >= end || *p != quote) return NULL;
        out->n = (size_t)(p - out->s);
        return p + 1;
    }
    while (p < end && *p != '\n' && !(*p && strchr(stops, *p)) &&
           !(*p == '%' && p > out->s && is_blank(p[-1])))
        p++;
    out->n = (size_t)(p - out->s);
    while (out->n && is_blank(out->s[out->n - 1])) out->n--;
    return p;
}

static size_t unescape(const char *s, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '\\' || i + 1 >= n) {
            *o++ = s[i];
            continue;
        }
        i++;
        *o++ = s[i] == 'n' ? '\n' : s[i] == 't' ? '\t' : s[i] == 'r' ? '\r' : s[i];
    }
    return (size_t)(o - out);
}

static int is_word(const struct value *v, const char *word)
{
    if (v->n != strlen(word)) return 0;
    for (size_t i = 0; i < v->n; i++) {
        char c = v->s[i] >= 'A' && v->s[i] <= 'Z' ? (char)(v->s[i] + 32) : v->s[i];
        if (c != word[i]) return 0;
    }
    return 1;
}

/* ---- the header ---- */

static tide_status header_fault(const struct scan *t, const char *p, tide_error *err)
{
    return err_at(err, t->text.path, t->line, p - t->begin + 1);
}

static tide_status expected(const struct scan *t, const char *p, const char *end,
                            const char *what, tide_error *err)
{
    char shown[64];
    size_t n = 0;
    while (p + n < end && n < 30 && p[n] != '\n') n++;
    err_quote(shown, sizeof shown, p, n, 30);
    err_set(err, TIDE_CODE_ARFF_HEADER, "expected %s, got \"%s\"", what, shown);
    return header_fault(t, p, err);
}

/* {a, 'b c', ...}: p is behind the brace. */
static tide_status take_levels(struct scan *t, struct attribute *a, const char *p,
                               const char *end, tide_error *err)
{
    struct level_set set;
    if (level_set_init(&set, t->work, t->work, 16) != 0)
        return arena_status(t->work, err);
    p = skip(p, end);
    while (p < end && *p != '}') {
        struct value v;
        const char *at = p, *s;
        p = take_value(p, end, ",}", &v);
        if (!p) return expected(t, at, end, "the end of the quoted value", err);
        s = v.s;
        if (v.raw) {
            char *plain = arena_push(t->work, v.n + 1);
            if (!plain) return arena_status(t->work, err);
            v.n = unescape(v.s, v.n, plain);
            s = plain;
        }
        uint32_t before = set.n;
        if (level_set_add(&set, s, v.n, 0) == CODE_MISSING)
            return arena_status(t->work, err);
        if (set.n == before) {
            char shown[64];
            err_set(err, TIDE_CODE_ARFF_HEADER, "value \"%s\" is declared twice",
                    err_quote(shown, sizeof shown, s, v.n, 40));
            return header_fault(t, at, err);
        }
        p = skip(p, end);
        if (p < end && *p == ',') {
            p = skip(p + 1, end);
            continue;
        }
        if (p >= end || *p != '}') return expected(t, p, end, "a comma or }", err);
    }
    if (p >= end) return expected(t, p, end, "} behind the values", err);
    if (level_set_dict(&set, t->work, &a->levels) != 0)
        return arena_status(t->work, err);
    a->kind = NOMINAL;
    if (set.n == 2) {
        struct value one = {set.level[0].s, set.level[0].len, 0, 0};
        struct value two = {set.level[1].s, set.level[1].len, 0, 0};
        if ((is_word(&one, "true") && is_word(&two, "false")) ||
            (is_word(&one, "false") && is_word(&two, "true")))
            a->kind = TRUTH;
    }
    return TIDE_OK;
}

static tide_status take_date(struct scan *t, struct attribute *a, const char *p,
                             const char *end, tide_error *err)
{
    static const char *const known[] = {"yyyy-MM-dd",
                                        "yyyy-MM-dd'T'HH:mm:ss",
                                        "yyyy-MM-dd HH:mm:ss",
                                        "yyyy-MM-dd HH:mm",
                                        "yyyy-MM-dd'T'HH:mm",
                                        "yyyy-MM-dd'T'HH:mm:ss.SSS",
                                        "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
                                        "yyyy-MM-dd HH:mm:ss.SSS"};
    struct value v;
    a->kind = DATE;
    p = skip(p, end);
    if (p >= end || *p == '\n' || *p == '%') return TIDE_OK;
    const char *next = take_value(p, end, "\n", &v);
    char *plain = arena_push(t->work, v.n + 1);
    if (!next || !plain)
        return next ? arena_status(t->work, err)
                    : expected(t, p, end, "the end of the date format", err);
    size_t n = unescape(v.s, v.n, plain);
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
        if (strlen(known[k]) == n && memcmp(plain, known[k], n) == 0) return TIDE_OK;
    return expected(t, p, end, "a date format of ISO 8601 (yyyy-MM-dd'T'HH:mm:ss)",
                    err);
}

static tide_status take_type(struct scan *t, struct attribute *a, const char *p,
                             const char *end, tide_error *err)
{
    struct value v;
    if (p < end && *p == '{') return take_levels(t, a, p + 1, end, err);
    const char *next = take_value(p, end, " \t\r{", &v);
    if (!next) return expected(t, p, end, "a type", err);
    if (is_word(&v, "numeric") || is_word(&v, "real") || is_word(&v, "integer"))
        a->kind = NUMERIC;
    else if (is_word(&v, "string"))
        a->kind = TEXT;
    else if (is_word(&v, "date"))
        return take_date(t, a, next, end, err);
    else
        return expected(t, p, end, "numeric, real, integer, string, date or {values}",
                        err);
    next = skip(next, end);
    if (next < end && *next != '%' && *next != '\n')
        return expected(t, next, end, "the end of the line", err);
    return TIDE_OK;
}

static tide_status take_attribute(struct scan *t, const char *p, const char *end,
                                  tide_error *err)
{
    struct value v;
    p = skip(p, end);
    const char *next = take_value(p, end, " \t\r{", &v);
    if (!next || v.n == 0) return expected(t, p, end, "a name", err);
    if (v.n > NAME_MAX) {
        err_set(err, TIDE_CODE_LIMIT_NAME, "a name of %zu bytes; at most 4096", v.n);
        return header_fault(t, p, err);
    }
    if (t->n_cols >= t->max_columns) {
        err_set(err, TIDE_CODE_LIMIT_COLUMNS, "more than %d columns", t->max_columns);
        err_hint(err, "max-columns", "%lld", (long long)t->max_columns * 2);
        return header_fault(t, p, err);
    }
    if (t->n_cols == t->cap_cols) {
        int cap = t->cap_cols ? t->cap_cols * 2 : 64;
        struct attribute *more = arena_array(t->work, cap, sizeof *more);
        if (!more) return arena_status(t->work, err);
        if (t->n_cols) memcpy(more, t->attr, (size_t)t->n_cols * sizeof *more);
        t->attr = more;
        t->cap_cols = cap;
    }
    struct attribute *a = &t->attr[t->n_cols++];
    *a = (struct attribute){0};
    char *name = arena_push(t->work, v.n + 1);
    if (!name) return arena_status(t->work, err);
    if (v.raw)
        v.n = unescape(v.s, v.n, name);
    else
        memcpy(name, v.s, v.n);
    name[v.n] = '\0';
    a->name = name;
    return take_type(t, a, skip(next, end), end, err);
}

/* Names and values are UTF-8 without NUL. Remarks may hold anything. */
static tide_status check_line(const struct scan *t, const char *s, const char *stop,
                              tide_error *err)
{
    const char *nul = memchr(s, 0, (size_t)(stop - s));
    size_t bad = utf8_check(s, (size_t)(stop - s));
    if (nul) {
        err_set(err, TIDE_CODE_CSV_NUL, "NUL byte in the header");
        return header_fault(t, nul, err);
    }
    if (!bad) return TIDE_OK;
    err_set(err, TIDE_CODE_CSV_ENCODING, "byte 0x%02x is not UTF-8",
            (unsigned)(unsigned char)s[bad - 1]);
    err_hint(err, "", "iconv -f latin1 -t utf-8");
    return header_fault(t, s + bad - 1, err);
}

/* Lines up to @data; *data is the offset behind it. */
static tide_status read_header(struct scan *t, size_t *data, tide_error *err)
{
    const char *s = t->text.s, *end = s + t->text.n;
    if (t->text.n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) s += 3;
    for (t->line = 1; s < end; t->line++) {
        const char *stop = memchr(s, '\n', (size_t)(end - s));
        if (!stop) stop = end;
        t->begin = s;
        const char *p = skip(s, stop);
        s = stop < end ? stop + 1 : end;
        if (p == stop || *p == '%') continue;
        struct value word;
        const char *next = take_value(p, stop, " \t\r", &word);
        if (next && is_word(&word, "@relation")) continue;
        if (next && is_word(&word, "@data")) {
            if (!t->n_cols) return expected(t, p, stop, "an @attribute before", err);
            *data = (size_t)(s - t->text.s);
            t->line++;
            return TIDE_OK;
        }
        if (!next || !is_word(&word, "@attribute"))
            return expected(t, p, stop, "@relation, @attribute or @data", err);
        tide_status st = check_line(t, p, stop, err);
        if (st == TIDE_OK) st = take_attribute(t, next, stop, err);
        if (st != TIDE_OK) return st;
    }
    t->begin = s;
    if (t->text.n == 0) return source_empty(&t->text, "a header", err);
    err_set(err, TIDE_CODE_ARFF_HEADER, "the text ends before @data");
    return header_fault(t, s, err);
}

/* ---- rows ---- */

static tide_status fault(struct block *b, const struct scan *t, const char *p)
{
    b->status = source_place(t->text.path, &b->part, p, &b->err);
    b->err.row = b->cells.n_rows + 1;
    return b->status;
}

static tide_status open_quote(struct block *b, const struct scan *t, const char *p)
{
    err_set(&b->err, TIDE_CODE_CSV_QUOTE, "the quote opened here is never closed");
    return fault(b, t, p);
}

static int level_is(const struct dict *d, uint32_t k, const char *s, size_t n)
{
    size_t len;
    const char *l = dict_text(d, k, &len);
    return len == n && memcmp(l, s, n) == 0;
}

static void put_number(struct block *b, int j, const struct value *v, uint8_t *tag,
                       uint64_t *out)
{
    int64_t whole;
    double d;
    if (!(v->n > 1 && v->s[0] == '-' && v->s[1] == '0') &&
        num_parse_i64(v->s, v->n, &whole) && whole != I64_MISSING) {
        *tag = CELL_INT;
        *out = (uint64_t)whole;
        return;
    }
    enum num_result how = num_parse(v->s, v->n, '.', &d);
    if (how == NUM_BAD) {
        b->is_odd[j] = 1; /* stays a text, which the column cannot hold */
        return;
    }
    *tag = how == NUM_INEXACT_INT ? CELL_CUT : CELL_REAL;
    *out = cell_bits(d);
}

static tide_status put(struct block *b, const struct scan *t, int j,
                       const struct value *v)
{
    uint8_t *tag = &b->cells.cols[j].tag[b->cells.n_rows];
    uint64_t *out = &b->cells.cols[j].value[b->cells.n_rows];
    *tag = CELL_MISSING;
    if (!v->quoted && v->n == 1 && *v->s == '?') return TIDE_OK;
    if (!v->quoted && v->n == 0) {
        err_set(&b->err, TIDE_CODE_CSV_TYPE, "expected a value of '%s', got nothing",
                t->attr[j].name);
        err_hint(&b->err, "", "? is missing");
        return fault(b, t, v->s);
    }
    if ((int64_t)v->n > t->max_field) {
        err_set(&b->err, TIDE_CODE_LIMIT_FIELD, "a value of %zu bytes; at most %lld",
                v->n, (long long)t->max_field);
        err_hint(&b->err, "max-field", "%zu", v->n);
        fault(b, t, v->s);
        return b->status = TIDE_ELIMIT;
    }
    *tag = v->raw ? CELL_RAW : CELL_TEXT;
    *out = cell_span((size_t)(v->s - b->part.s), v->n);
    if (t->attr[j].kind == NUMERIC) {
        put_number(b, j, v, tag, out);
    } else if (t->attr[j].kind == TRUTH) {
        if (level_is(&t->attr[j].levels, 0, v->s, v->n) ||
            level_is(&t->attr[j].levels, 1, v->s, v->n))
            *tag = is_word(v, "true") ? CELL_TRUE : CELL_FALSE;
    }
    return TIDE_OK;
}

static tide_status wrong_count(struct block *b, const struct scan *t, const char *p,
                               int got)
{
    err_set(&b->err, TIDE_CODE_CSV_FIELDS, "expected %d values, got %s%d", t->n_cols,
            got > t->n_cols ? "more than " : "", got > t->n_cols ? t->n_cols : got);
    return fault(b, t, p);
}

static tide_status dense_row(struct block *b, const struct scan *t, const char *p,
                             const char *end)
{
    const char *row = p;
    for (int j = 0;; j++) {
        struct value v;
        p = skip(p, end);
        if (j >= t->n_cols) return wrong_count(b, t, p, j + 1);
        const char *at = p;
        p = take_value(p, end, ",", &v);
        if (!p) return open_quote(b, t, at);
        tide_status st = put(b, t, j, &v);
        if (st != TIDE_OK) return st;
        p = skip(p, end);
        if (p < end && *p == ',') {
            p++;
            continue;
        }
        if (p < end && *p != '%') {
            err_set(&b->err, TIDE_CODE_CSV_QUOTE,
                    "text behind the quoted value of '%s'", t->attr[j].name);
            return fault(b, t, p);
        }
        return j + 1 == t->n_cols ? TIDE_OK : wrong_count(b, t, row, j + 1);
    }
}

/* {index value, index value}: indices from 0, rising. */
static tide_status sparse_row(struct block *b, const struct scan *t, const char *p,
                              const char *end)
{
    int64_t last = -1, i = b->cells.n_rows;
    for (int j = 0; j < t->n_cols; j++) {
        enum kind kind = t->attr[j].kind;
        b->cells.cols[j].tag[i] = kind == NUMERIC   ? CELL_INT
                                  : kind == NOMINAL ? CELL_FIRST
                                                    : CELL_MISSING;
        b->cells.cols[j].value[i] = 0;
        if (kind == TRUTH)
            b->cells.cols[j].tag[i] =
                level_is(&t->attr[j].levels, 0, "true", 4) ||
                        level_is(&t->attr[j].levels, 0, "TRUE", 4) ||
                        level_is(&t->attr[j].levels, 0, "True", 4)
                    ? CELL_TRUE
                    : CELL_FALSE;
    }
    p = skip(p + 1, end);
    while (p < end && *p != '}') {
        struct value index, v;
        int64_t j;
        const char *at = p;
        p = take_value(p, end, " \t,}", &index);
        if (!p || !num_parse_i64(index.s, index.n, &j) || j <= last || j >= t->n_cols) {
            err_set(&b->err, TIDE_CODE_CSV_FIELDS,
                    "expected an index above %lld and below %d", (long long)last,
                    t->n_cols);
            return fault(b, t, at);
        }
        last = j;
        at = p = skip(p, end);
        p = take_value(p, end, ",}", &v);
        if (!p) return open_quote(b, t, at);
        tide_status st = put(b, t, (int)j, &v);
        if (st != TIDE_OK) return st;
        p = skip(p, end);
        if (p < end && *p == ',') p = skip(p + 1, end);
    }
    if (p >= end) {
        err_set(&b->err, TIDE_CODE_CSV_FIELDS, "the sparse row has no } at its end");
        return fault(b, t, end);
    }
    p = skip(p + 1, end);
    if (p == end || *p == '%') return TIDE_OK;
    err_set(&b->err, TIDE_CODE_CSV_FIELDS, "text behind the sparse row");
    return fault(b, t, p);
}

static tide_status begin_block(struct block *b, const struct scan *t)
{
    size_t bad = utf8_check(b->part.s, (size_t)(b->part.end - b->part.s));
    if (bad) {
        err_set(&b->err, TIDE_CODE_CSV_ENCODING, "byte 0x%02x is not UTF-8",
                (unsigned)(unsigned char)b->part.s[bad - 1]);
        err_hint(&b->err, "", "iconv -f latin1 -t utf-8");
        return fault(b, t, b->part.s + bad - 1);
    }
    for (const char *p = b->part.s; (p = memchr(p, '\n', (size_t)(b->part.end - p)));
         p++)
        b->cap_rows++;
    b->cap_rows++;
    b->status = source_guard(t->text.path, b->cap_rows, t->n_cols,
                             b->part.end - b->part.s, &b->err);
    if (b->status != TIDE_OK) return b->status;
    uint32_t *row_at = arena_array(&b->arena, b->cap_rows, sizeof *row_at);
    b->is_odd = arena_zero(&b->arena, (size_t)t->n_cols);
    b->cells = (struct cell_block){0, 0, b->part.line0, NULL, b->part.s, row_at};
    b->cells.cols = arena_array(&b->arena, t->n_cols, sizeof *b->cells.cols);
    for (int j = 0; b->cells.cols && j < t->n_cols; j++) {
        b->cells.cols[j].tag = arena_push(&b->arena, (size_t)b->cap_rows);
        b->cells.cols[j].value = arena_array(&b->arena, b->cap_rows, sizeof(uint64_t));
    }
    return b->status = arena_status(&b->arena, &b->err);
}

static void scan_block(void *arg, int64_t k, int worker)
{
    const struct scan *t = arg;
    struct block *b = &t->blocks[k];
    (void)worker;
    if (begin_block(b, t) != TIDE_OK) return;
    uint32_t *row_at = (uint32_t *)b->cells.row_at;
    for (const char *s = b->part.s; s < b->part.end;) {
        const char *stop = memchr(s, '\n', (size_t)(b->part.end - s));
        if (!stop) stop = b->part.end;
        const char *p = skip(s, stop);
        s = stop + 1;
        if (p == stop || *p == '%') continue;
        row_at[b->cells.n_rows] = (uint32_t)(p - b->part.s);
        const char *nul = memchr(p, 0, (size_t)(stop - p));
        if (nul) {
            err_set(&b->err, TIDE_CODE_CSV_NUL, "NUL byte in the text");
            (void)fault(b, t, nul);
            return;
        }
        if ((*p == '{' ? sparse_row(b, t, p, stop) : dense_row(b, t, p, stop)) !=
            TIDE_OK)
            return;
        b->cells.n_rows++;
    }
}

/* Column of a cell: dense rows are walked again, of sparse ones the row's begin is told. */
static void place(const struct cell_table *t, int64_t row, int col, tide_error *err)
{
    int64_t i;
    const struct cell_block *b = cells_locate(t, row, &i);
    uint8_t tag = b->cols[col].tag[i];
    const char *p = b->text + b->row_at[i];
    if (tag == CELL_TEXT || tag == CELL_RAW)
        p = b->text + (b->cols[col].value[i] >> 32);
    const struct source_part part = {b->text, NULL, b->line0};
    source_place(t->path, &part, p, err);
}

/* ---- the table ---- */

static tide_status join(struct scan *t, struct cell_table *table, tide_error *err)
{
    struct arena *a = t->work;
    table->n_cols = t->n_cols;
    table->n_blocks = t->n_blocks;
    table->cols = arena_zero(a, (size_t)t->n_cols * sizeof *table->cols);
    table->blocks = arena_zero(a, ((size_t)t->n_blocks + 1) * sizeof *table->blocks);
    if (!table->cols || !table->blocks) return arena_status(a, err);
    for (int64_t k = 0; k < t->n_blocks; k++) {
        table->blocks[k] = t->blocks[k].cells;
        table->blocks[k].row0 = table->n_rows;
        table->n_rows += t->blocks[k].cells.n_rows;
    }
    for (int j = 0; j < t->n_cols; j++) {
        struct cell_col *c = &table->cols[j];
        const struct attribute *at = &t->attr[j];
        c->name = at->name;
        c->type = at->kind == NOMINAL ? TIDE_CAT
                  : at->kind == TRUTH ? TIDE_BOOL
                  : at->kind == DATE  ? TIDE_TIME
                                      : 0;
        if (at->kind == NOMINAL) c->fixed = &at->levels;
        for (int64_t k = 0; k < t->n_blocks; k++)
            if (at->kind == NUMERIC && t->blocks[k].is_odd && t->blocks[k].is_odd[j])
                c->type = TIDE_F64;
    }
    return TIDE_OK;
}

static tide_status read_rows(struct scan *t, size_t data, struct cell_table *table,
                             tide_frame **out, tide_error *err)
{
    struct source_part *part;
    tide_status st =
        source_cut(&t->text, data, t->line, BLOCK, t->work, &part, &t->n_blocks, err);
    if (st != TIDE_OK) return st;
    t->blocks = arena_zero(t->work, ((size_t)t->n_blocks + 1) * sizeof *t->blocks);
    if (!t->blocks) return arena_status(t->work, err);
    for (int64_t k = 0; k < t->n_blocks; k++) {
        arena_init(&t->blocks[k].arena, t->ctx);
        t->blocks[k].part = part[k];
    }
    st = par_for_progress(t->ctx, t->n_blocks, scan_block, t, "reading", err);
    for (int64_t k = 0; st == TIDE_OK && k < t->n_blocks; k++)
        if (t->blocks[k].status != TIDE_OK) {
            if (err) *err = t->blocks[k].err;
            st = t->blocks[k].status;
        }
    if (st == TIDE_OK) st = join(t, table, err);
    if (st == TIDE_OK) st = cells_frame(table, out, err);
    for (int64_t k = 0; k < t->n_blocks; k++) arena_free(&t->blocks[k].arena);
    return st;
}

tide_status arff_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                            size_t n_data, const struct tide_read_options *options,
                            tide_frame **out, tide_error *err)
{
    struct arena work;
    struct scan t = {
        .ctx = ctx, .max_field = 1 << 20, .max_columns = 65536, .work = &work};
    struct cell_table table = {.ctx = ctx,
                               .options = options,
                               .work = &work,
                               .unescape = unescape,
                               .place = place};
    char dialect[64];
    size_t rows = 0;
    *out = NULL;
    if (options && options->max_field) t.max_field = options->max_field;
    if (options && options->max_columns) t.max_columns = options->max_columns;
    tide_status st = reader_refuse(&tide_reader_arff, options,
                                   READER_NA | READER_TYPES | READER_ON_BAD, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    st = source_slurp(ctx, path, data, n_data, &work, &t.text, err);
    if (st == TIDE_OK) st = read_header(&t, &rows, err);
    if (st == TIDE_OK) {
        str_format(dialect, sizeof dialect, "ARFF%s", t.text.kind);
        table.path = t.text.path;
        table.dialect = dialect;
        st = read_rows(&t, rows, &table, out, err);
    }
    arena_free(&work);
    return st;
}

/* ---- the descriptor ---- */

static int claims(const char *head, size_t n)
{
    const char *p = head, *end = head + n;
    if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0) p += 3;
    while (p < end) {
        p = skip(p, end);
        if (p < end && *p != '%' && *p != '\n') break;
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p) return 0;
        p++;
    }
    struct value v = {p, end - p < 9 ? 0 : 9, 0, 0};
    return v.n && is_word(&v, "@relation");
}

static tide_status read_arff(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options, tide_frame **out,
                             tide_error *err)
{
    return arff_read_table(ctx, path, NULL, 0, options, out, err);
}

/* ---- writing ---- */

/* Quoted when a reader could take it for something else. */
static void add_text(struct str *t, const char *s, size_t n)
{
    int plain = n > 0 && !(n == 1 && *s == '?');
    for (size_t i = 0; i < n && plain; i++)
        plain = !strchr(" \t\r\n,%{}'\"\\", s[i]) && s[i];
    if (plain) {
        str_addn(t, s, n);
        return;
    }
    str_addc(t, '\'');
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
            str_addc(t, '\\');
            str_addc(t, s[i] == '\n' ? 'n' : s[i] == '\r' ? 'r' : 't');
            continue;
        }
        if (s[i] == '\'' || s[i] == '\\' || s[i] == '"' || s[i] == '%')
            str_addc(t, '\\');
        str_addc(t, s[i]);
    }
    str_addc(t, '\'');
}

/* Dates of a column are written alike: bit 0 with a time of day, bit 1 with its fraction. */
static int clock_of(const struct column *c)
{
    int how = 0;
    for (int64_t i = 0; i < c->n_rows && how < 3; i++)
        if (c->i64[i] != I64_MISSING)
            how |= c->i64[i] % 1000000 ? 3 : c->i64[i] % INT64_C(86400000000) != 0;
    return how;
}

static void add_type(struct str *t, const struct column *c, int clock)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        str_add(t, "{false,true}");
        break;
    case TIDE_I64:
    case TIDE_F64:
        str_add(t, "numeric");
        break;
    case TIDE_TIME:
        str_add(t, clock == 3   ? "date \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS\""
                   : clock == 1 ? "date \"yyyy-MM-dd'T'HH:mm:ss\""
                                : "date \"yyyy-MM-dd\"");
        break;
    case TIDE_CAT:
        str_addc(t, '{');
        for (uint32_t k = 0; k < c->dict.n; k++) {
            size_t n;
            const char *s = dict_text(&c->dict, k, &n);
            if (k) str_addc(t, ',');
            add_text(t, s, n);
        }
        str_addc(t, '}');
        break;
    case TIDE_TEXT:
        str_add(t, "string");
        break;
    }
    str_addc(t, '\n');
}

static void print_row(struct str *t, const tide_frame *f, int64_t row, const void *arg)
{
    const int *clock = arg;
    char text[64];
    size_t len;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        if (j) str_addc(t, ',');
        if (c->type == TIDE_CAT || c->type == TIDE_TEXT) {
            const char *s = frame_cell_text(c, row, &len);
            if (s)
                add_text(t, s, len);
            else
                str_addc(t, '?');
        } else if (c->type == TIDE_BOOL) {
            str_add(t, c->b[row] == BOOL_MISSING ? "?" : c->b[row] ? "true" : "false");
        } else {
            int64_t n = column_text(c, row, text, sizeof text);
            if (n < 0) {
                str_addc(t, '?');
                continue;
            }
            str_addn(t, text, (size_t)n);
            if (c->type == TIDE_TIME && clock[j] && n == 10) str_add(t, "T00:00:00");
            if (c->type == TIDE_TIME && clock[j] == 3 && n <= 19) str_add(t, ".000000");
        }
    }
    str_addc(t, '\n');
}

static tide_status write_arff(struct tide_ctx *ctx, const tide_frame *frame,
                              tide_sink_fn sink, void *payload, tide_error *err)
{
    struct str head = {0};
    struct arena work;
    arena_init(&work, ctx);
    int *clock = arena_zero(&work, ((size_t)frame->n_cols + 1) * sizeof *clock);
    tide_status st = arena_status(&work, err);
    if (st == TIDE_OK) {
        str_add(&head, "@relation table\n\n");
        for (int j = 0; j < frame->n_cols; j++) {
            const struct column *c = &frame->cols[j];
            clock[j] = c->type == TIDE_TIME ? clock_of(c) : 0;
            str_add(&head, "@attribute ");
            add_text(&head, c->name, strlen(c->name));
            str_addc(&head, ' ');
            add_type(&head, c, clock[j]);
        }
        str_add(&head, "\n@data\n");
        st = frame_write_rows(ctx, frame, &head, print_row, clock, sink, payload, err);
    }
    str_free(&head);
    arena_free(&work);
    return st;
}

const struct tide_reader tide_reader_arff = {
    .name = "arff",
    .title = "Weka's attribute-relation file: dense or sparse rows",
    .camel = "ARFF",
    .guide = "Q13",
    .paper = "Witten and Frank 2005",
    .endings = ".arff",
    .claims = claims,
    .read = read_arff,
    .write = write_arff,
};
