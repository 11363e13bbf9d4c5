/* jsonl.c - JSON lines: one object a line, its members are cells; or one array of objects
 *
 * A raw newline cannot stand inside a JSON string, so the text is cut into blocks at line
 * ends and the blocks are scanned in parallel, each with columns in order of first
 * appearance; the blocks' columns are joined in the order of blocks, which is the order of
 * rows. A column that a row does not name is missing there, as is null (and NaN, which
 * Python writes). Nothing recurses: a nested value is an error that names its place. */
#include "frame/jsonl.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/cells.h"
#include "frame/level_set.h"
#include "frame/source.h"
#include "spec/reader.h"

#define BLOCK    ((size_t)256 << 10) /* bytes, up to the end of a line */
#define NAME_MAX ((size_t)4096)

extern const struct tide_reader tide_reader_jsonl;

/* One column of a block, in its own order. */
struct local {
    struct cell_slice cells;
    int64_t last; /* row that had it last, -1: none yet */
};
struct block {
    const char *s, *end; /* text of the block */
    int64_t line0, n_rows, cap_rows;
    uint32_t *row_at;
    struct level_set keys;
    struct local *cols;
    uint32_t cap_cols;
    struct arena arena;
    tide_status status;
    tide_error err;
};
struct scan {
    struct tide_ctx *ctx;
    const char *path;
    int64_t max_field, max_line;
    uint32_t max_columns;
    int is_array;
    struct block *blocks;
    int64_t n_blocks;
};
/* Where a scan of one row stands. */
struct cursor {
    const struct scan *scan;
    struct block *b;
    const char *p;
    const char *row; /* where it begins */
};

/* ---- faults ---- */

static tide_status at(struct cursor *c, const char *p)
{
    struct block *b = c->b;
    const struct source_part part = {b->s, b->end, b->line0};
    b->status = source_place(c->scan->path, &part, p, &b->err);
    b->err.row = b->n_rows + 1;
    return b->status;
}

static tide_status syntax(struct cursor *c, const char *p, const char *wanted)
{
    char shown[64];
    size_t n = 0;
    while (p + n < c->b->end && n < 16 && p[n] != '\n' && p[n] != '\r') n++;
    err_quote(shown, sizeof shown, p, n, 16);
    if (n)
        err_set(&c->b->err, TIDE_CODE_JSON_SYNTAX, "expected %s, got \"%s\"", wanted,
                shown);
    else
        err_set(&c->b->err, TIDE_CODE_JSON_SYNTAX, "expected %s, got the end of the %s",
                wanted, p < c->b->end ? "line" : "text");
    return at(c, p);
}

static tide_status too_long(struct cursor *c, const char *p, int64_t n)
{
    err_set(&c->b->err, TIDE_CODE_LIMIT_FIELD, "a text of %lld bytes; at most %lld",
            (long long)n, (long long)c->scan->max_field);
    err_hint(&c->b->err, "max-field", "%lld", (long long)n);
    at(c, p);
    return c->b->status = TIDE_ELIMIT;
}

/* ---- strings ---- */

static int hex4(const char *p, uint32_t *out)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char ch = p[i];
        uint32_t d = ch >= '0' && ch <= '9'   ? (uint32_t)(ch - '0')
                     : ch >= 'a' && ch <= 'f' ? (uint32_t)(ch - 'a' + 10)
                     : ch >= 'A' && ch <= 'F' ? (uint32_t)(ch - 'A' + 10)
                                              : 99;
        if (d == 99) return 0;
        v = v * 16 + d;
    }
    *out = v;
    return 1;
}

static size_t put_utf8(char *out, uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 63));
        out[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 63));
    out[2] = (char)(0x80 | (cp >> 6 & 63));
    out[3] = (char)(0x80 | (cp & 63));
    return 4;
}

/* Of text that scan_string took: every escape is whole. Never longer than the escapes. */
static size_t unescape(const char *s, size_t n, char *out)
{
    char *o = out;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '\\') {
            *o++ = s[i];
            continue;
        }
        uint32_t cp = 0, low = 0;
        switch (s[++i]) {
        case 'u':
            (void)hex4(s + i + 1, &cp);
            i += 4;
            if (cp >= 0xd800 && cp < 0xdc00) {
                (void)hex4(s + i + 3, &low);
                i += 6;
                cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            }
            o += put_utf8(o, cp);
            break;
        case 'n':
            *o++ = '\n';
            break;
        case 't':
            *o++ = '\t';
            break;
        case 'r':
            *o++ = '\r';
            break;
        case 'b':
            *o++ = '\b';
            break;
        case 'f':
            *o++ = '\f';
            break;
        default:
            *o++ = s[i];
        }
    }
    return (size_t)(o - out);
}

static tide_status bad_unicode(struct cursor *c, const char *p, const char *what)
{
    err_set(&c->b->err, TIDE_CODE_JSON_UTF8, "%s in a string", what);
    return at(c, p);
}

/* One escape at p, the backslash; moves behind it. */
static tide_status scan_escape(struct cursor *c, const char **at_p)
{
    const char *p = *at_p;
    uint32_t cp, low;
    if (c->b->end - p < 2) return syntax(c, p, "an escape");
    if (p[1] != 'u') {
        if (!p[1] || !strchr("\"\\/bfnrt", p[1])) return syntax(c, p, "an escape");
        *at_p = p + 2;
        return TIDE_OK;
    }
    if (c->b->end - p < 6 || !hex4(p + 2, &cp))
        return syntax(c, p, "four hexadecimal digits");
    if (cp == 0) return bad_unicode(c, p, "U+0000");
    *at_p = p + 6;
    if (cp < 0xd800 || cp > 0xdfff) return TIDE_OK;
    if (cp > 0xdbff || c->b->end - p < 12 || p[6] != '\\' || p[7] != 'u' ||
        !hex4(p + 8, &low) || low < 0xdc00 || low > 0xdfff)
        return bad_unicode(c, p, "half of a surrogate pair");
    *at_p = p + 12;
    return TIDE_OK;
}

/* Is a quote, a backslash or a control byte among the eight of v? */
static inline int has_special(uint64_t v)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = v ^ (ones * '"'), back = v ^ (ones * '\\');
    return (((quote - ones) & ~quote) | ((back - ones) & ~back) |
            ((v - ones * 0x20) & ~v)) &
                   tops
               ? 1
               : 0;
}

/* The string at c->p, which is its quote: [*s, *s + *n) inside, and whether it has escapes. */
static tide_status scan_string(struct cursor *c, const char **s, size_t *n, int *raw)
{
    const char *p = c->p + 1, *end = c->b->end;
    *raw = 0;
    *s = p;
    for (;;) {
        uint64_t v;
        while (end - p >= 8 && (memcpy(&v, p, 8), !has_special(v))) p += 8;
        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20) p++;
        if (p == end || *p == '\n' || *p == '\r') {
            err_set(&c->b->err, TIDE_CODE_JSON_SYNTAX,
                    "the string opened here never ends");
            return at(c, c->p);
        }
        if (*p == '"') break;
        if (*p != '\\') {
            char shown[16];
            err_quote(shown, sizeof shown, p, 1, 8);
            err_set(&c->b->err, TIDE_CODE_JSON_SYNTAX,
                    "control byte %s in a string; it must be escaped", shown);
            return at(c, p);
        }
        *raw = 1;
        tide_status st = scan_escape(c, &p);
        if (st != TIDE_OK) return st;
    }
    *n = (size_t)(p - *s);
    if ((int64_t)*n > c->scan->max_field) return too_long(c, *s, (int64_t)*n);
    c->p = p + 1;
    return TIDE_OK;
}

/* ---- values ---- */

static int ends_word(const struct cursor *c, const char *p)
{
    return p >= c->b->end || strchr(",}] \t\r\n", *p) != NULL;
}

static int take_word(struct cursor *c, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(c->b->end - c->p) < n || memcmp(c->p, word, n) != 0 ||
        !ends_word(c, c->p + n))
        return 0;
    c->p += n;
    return 1;
}

static int is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static tide_status scan_number(struct cursor *c, uint8_t *tag, uint64_t *value)
{
    const char *s = c->p, *p = s, *end = c->b->end;
    int is_real = 0;
    uint64_t v = 0;
    double d = 0;
    if (*p == '-') p++;
    const char *first = p;
    for (; p < end && is_digit(*p); p++) v = v * 10 + (uint64_t)(*p - '0');
    ptrdiff_t digits = p - first;
    if (digits == 0 || (digits > 1 && *first == '0')) return syntax(c, s, "a number");
    if (p < end && *p == '.') {
        const char *dot = ++p;
        while (p < end && is_digit(*p)) p++;
        if (p == dot) return syntax(c, s, "a number");
        is_real = 1;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        const char *power = p;
        while (p < end && is_digit(*p)) p++;
        if (p == power) return syntax(c, s, "a number");
        is_real = 1;
    }
    if (!ends_word(c, p)) return syntax(c, s, "a number");
    if (p - s > c->scan->max_field) return too_long(c, s, p - s);
    c->p = p;
    if (!is_real && digits <= 18 && !(v == 0 && *s == '-')) {
        *tag = CELL_INT;
        *value = *s == '-' ? 0 - v : v;
        return TIDE_OK;
    }
    int64_t whole;
    if (!is_real && v != 0 && num_parse_i64(s, (size_t)(p - s), &whole) &&
        whole != I64_MISSING) {
        *tag = CELL_INT;
        *value = (uint64_t)whole;
        return TIDE_OK;
    }
    *tag = num_parse(s, (size_t)(p - s), '.', &d) == NUM_INEXACT_INT ? CELL_CUT
                                                                     : CELL_REAL;
    *value = cell_bits(d);
    return TIDE_OK;
}

static tide_status scan_value(struct cursor *c, uint8_t *tag, uint64_t *value)
{
    const char *s;
    size_t n;
    int raw;
    *tag = CELL_MISSING;
    *value = 0;
    if (c->p >= c->b->end) return syntax(c, c->p, "a value");
    switch (*c->p) {
    case '"': {
        tide_status st = scan_string(c, &s, &n, &raw);
        if (st != TIDE_OK) return st;
        *tag = raw ? CELL_RAW : CELL_TEXT;
        *value = cell_span((size_t)(s - c->b->s), n);
        return TIDE_OK;
    }
    case 't':
        *tag = CELL_TRUE;
        return take_word(c, "true") ? TIDE_OK : syntax(c, c->p, "a value");
    case 'f':
        *tag = CELL_FALSE;
        return take_word(c, "false") ? TIDE_OK : syntax(c, c->p, "a value");
    case 'n':
        return take_word(c, "null") ? TIDE_OK : syntax(c, c->p, "a value");
    case 'N':
        return take_word(c, "NaN") ? TIDE_OK : syntax(c, c->p, "a value");
    case 'I':
        *tag = CELL_REAL;
        *value = cell_bits(HUGE_VAL);
        return take_word(c, "Infinity") ? TIDE_OK : syntax(c, c->p, "a value");
    case '{':
    case '[':
        err_set(&c->b->err, TIDE_CODE_CSV_TYPE,
                "expected a number, a text, true, false or null, got %s",
                *c->p == '{' ? "an object" : "an array");
        return at(c, c->p);
    default:
        if (*c->p == '-' && take_word(c, "-Infinity")) {
            *tag = CELL_REAL;
            *value = cell_bits(-HUGE_VAL);
            return TIDE_OK;
        }
        if (*c->p == '-' || is_digit(*c->p)) return scan_number(c, tag, value);
        return syntax(c, c->p, "a value");
    }
}

static void skip_blanks(struct cursor *c)
{
    const char *p = c->p, *end = c->b->end;
    if (c->scan->is_array)
        while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    else
        while (p < end && (*p == ' ' || *p == '\t')) p++;
    c->p = p;
}

/* ---- columns of a block ---- */

static tide_status arena_fault(struct block *b)
{
    return b->status = arena_status(&b->arena, &b->err);
}

static tide_status new_column(struct cursor *c, const char *key)
{
    struct block *b = c->b;
    uint32_t n = b->keys.n; /* with the new one */
    if (n > c->scan->max_columns) {
        err_set(&b->err, TIDE_CODE_LIMIT_COLUMNS, "more than %u columns",
                (unsigned)c->scan->max_columns);
        err_hint(&b->err, "max-columns", "%u", (unsigned)c->scan->max_columns * 2);
        at(c, key);
        return b->status = TIDE_ELIMIT;
    }
    tide_status st =
        source_guard(c->scan->path, b->cap_rows, n, b->end - b->s, &b->err);
    if (st != TIDE_OK) return b->status = st;
    if (n > b->cap_cols) {
        uint32_t cap = b->cap_cols ? b->cap_cols * 2 : 32;
        struct local *more = arena_array(&b->arena, cap, sizeof *more);
        if (!more) return arena_fault(b);
        if (b->cap_cols) memcpy(more, b->cols, b->cap_cols * sizeof *more);
        b->cols = more;
        b->cap_cols = cap;
    }
    struct local *l = &b->cols[n - 1];
    l->cells.tag = arena_zero(&b->arena, (size_t)b->cap_rows + 1);
    l->cells.value = arena_array(&b->arena, b->cap_rows + 1, sizeof *l->cells.value);
    l->last = -1;
    return arena_fault(b);
}

/* The column of the key at c->p; guess: the one behind the column before. */
static tide_status take_key(struct cursor *c, uint32_t guess, uint32_t *col)
{
    struct block *b = c->b;
    const char *s, *key = c->p;
    size_t n;
    int raw;
    if (key >= b->end || *key != '"') return syntax(c, key, "a key in quotes");
    tide_status st = scan_string(c, &s, &n, &raw);
    if (st != TIDE_OK) return st;
    const struct level *l = guess < b->keys.n ? &b->keys.level[guess] : NULL;
    if (l && !raw && l->len == n && memcmp(l->s, s, n) == 0) {
        *col = guess;
    } else {
        uint32_t before = b->keys.n;
        if (raw) {
            char *plain = arena_push(&b->arena, n + 1);
            if (!plain) return arena_fault(b);
            n = unescape(s, n, plain);
            s = plain;
        }
        if (n == 0 || n > NAME_MAX) {
            err_set(&b->err, n ? TIDE_CODE_LIMIT_NAME : TIDE_CODE_JSON_SYNTAX,
                    n ? "a key of %zu bytes; at most 4096" : "a key without a name", n);
            st = at(c, key);
            return b->status = n ? TIDE_ELIMIT : st;
        }
        *col = level_set_add(&b->keys, s, n, 0);
        if (*col == CODE_MISSING) return arena_fault(b);
        if (b->keys.n > before && (st = new_column(c, key)) != TIDE_OK) return st;
    }
    if (b->cols[*col].last == b->n_rows) {
        char name[128];
        err_quote(name, sizeof name, s, n, 60);
        err_set(&b->err, TIDE_CODE_JSON_DUPLICATE_KEY, "key '%s' stands twice in a row",
                name);
        return at(c, key);
    }
    b->cols[*col].last = b->n_rows;
    skip_blanks(c);
    if (c->p >= b->end || *c->p != ':') return syntax(c, c->p, "a colon");
    c->p++;
    skip_blanks(c);
    return TIDE_OK;
}

/* The object at c->p. */
static tide_status scan_row(struct cursor *c)
{
    struct block *b = c->b;
    uint32_t col = UINT32_MAX;
    c->row = c->p;
    if (*c->p != '{') return syntax(c, c->p, "an object");
    b->row_at[b->n_rows] = (uint32_t)(c->p - b->s);
    c->p++;
    skip_blanks(c);
    if (c->p < b->end && *c->p == '}') {
        c->p++;
    } else {
        for (;;) {
            tide_status st = take_key(c, col + 1, &col);
            if (st != TIDE_OK) return st;
            struct cell_slice *cells = &b->cols[col].cells;
            st = scan_value(c, &cells->tag[b->n_rows], &cells->value[b->n_rows]);
            if (st != TIDE_OK) {
                const struct level *l = &b->keys.level[col];
                char *name = arena_strn(&b->arena, l->s, l->len);
                if (name) err_field(&b->err, name);
                return st;
            }
            skip_blanks(c);
            if (c->p < b->end && *c->p == '}') break;
            if (c->p >= b->end || *c->p != ',')
                return syntax(c, c->p, "a comma or the end of the object");
            c->p++;
            skip_blanks(c);
        }
        c->p++;
    }
    if (c->p - c->row > c->scan->max_line) {
        err_set(&b->err, TIDE_CODE_LIMIT_LINE, "a row of %lld bytes; at most %lld",
                (long long)(c->p - c->row), (long long)c->scan->max_line);
        err_hint(&b->err, "max-line", "%lld", (long long)(c->p - c->row));
        at(c, c->row);
        return b->status = TIDE_ELIMIT;
    }
    b->n_rows++;
    return TIDE_OK;
}

/* Rows of one object a line. */
static tide_status scan_lines(struct cursor *c)
{
    const char *end = c->b->end;
    while (c->p < end) {
        skip_blanks(c);
        if (c->p < end && *c->p == '\r') c->p++;
        if (c->p >= end) break;
        if (*c->p == '\n') {
            c->p++;
            continue;
        }
        tide_status st = scan_row(c);
        if (st != TIDE_OK) return st;
        skip_blanks(c);
        if (c->p < end && *c->p == '\r') c->p++;
        if (c->p < end && *c->p != '\n')
            return syntax(c, c->p, "the end of the line behind the object");
    }
    return TIDE_OK;
}

/* Rows of [{...}, {...}]. */
static tide_status scan_array(struct cursor *c)
{
    const char *end = c->b->end;
    skip_blanks(c);
    c->p++; /* the bracket, seen before */
    skip_blanks(c);
    if (c->p < end && *c->p == ']') {
        c->p++;
    } else {
        for (;;) {
            if (c->p >= end) return syntax(c, c->p, "an object");
            tide_status st = scan_row(c);
            if (st != TIDE_OK) return st;
            skip_blanks(c);
            if (c->p < end && *c->p == ']') break;
            if (c->p >= end || *c->p != ',')
                return syntax(c, c->p, "a comma or the end of the array");
            c->p++;
            skip_blanks(c);
        }
        c->p++;
    }
    skip_blanks(c);
    return c->p < end ? syntax(c, c->p, "the end of the text") : TIDE_OK;
}

static void scan_block(void *arg, int64_t k, int worker)
{
    const struct scan *t = arg;
    struct block *b = &t->blocks[k];
    struct cursor c = {t, b, b->s, b->s};
    (void)worker;
    for (const char *p = b->s; p < b->end; p++) {
        p = memchr(p, t->is_array ? '{' : '\n', (size_t)(b->end - p));
        if (!p) break;
        b->cap_rows++;
    }
    b->cap_rows++;
    size_t bad = utf8_check(b->s, (size_t)(b->end - b->s));
    if (bad) {
        err_set(&b->err, TIDE_CODE_JSON_UTF8, "byte 0x%02x is not UTF-8",
                (unsigned)(unsigned char)b->s[bad - 1]);
        err_hint(&b->err, "", "iconv -f latin1 -t utf-8");
        (void)at(&c, b->s + bad - 1);
        return;
    }
    b->row_at = arena_array(&b->arena, b->cap_rows, sizeof *b->row_at);
    if (level_set_init(&b->keys, &b->arena, &b->arena, 64) != 0 || !b->row_at) {
        (void)arena_fault(b);
        return;
    }
    b->status = t->is_array ? scan_array(&c) : scan_lines(&c);
}

/* ---- the table ---- */

/* Cuts the text into blocks that end behind a newline. */
static tide_status cut(struct scan *t, const struct source_text *text,
                       struct arena *work, tide_error *err)
{
    const char *s = text->s, *end = s + text->n;
    if (text->n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) s += 3;
    const char *p = s;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    if (p == end) return source_empty(text, "an object", err);
    t->is_array = *p == '[';
    struct source_part *part;
    size_t bytes = t->is_array ? text->n + 1 : BLOCK;
    tide_status st = source_cut(text, (size_t)(s - text->s), 1, bytes, work, &part,
                                &t->n_blocks, err);
    if (st != TIDE_OK) return st;
    t->blocks = arena_zero(work, (size_t)t->n_blocks * sizeof *t->blocks);
    for (int64_t k = 0; t->blocks && k < t->n_blocks; k++) {
        t->blocks[k].s = part[k].s;
        t->blocks[k].end = part[k].end;
        t->blocks[k].line0 = part[k].line0;
        arena_init(&t->blocks[k].arena, t->ctx);
    }
    if (!t->blocks) t->n_blocks = 0;
    return arena_status(work, err);
}

static void place(const struct cell_table *t, int64_t row, int col, tide_error *err)
{
    int64_t i;
    const struct cell_block *cb = cells_locate(t, row, &i);
    struct scan scan = {.path = t->path, .max_field = INT64_MAX, .is_array = 1};
    struct block b = {.s = cb->text, .line0 = cb->line0};
    struct cursor c = {&scan, &b, cb->text + cb->row_at[i] + 1, NULL};
    const char *name = t->cols[col].name, *s;
    struct str key = {0};
    size_t n;
    int raw;
    uint8_t tag;
    uint64_t value;
    b.end = b.s + UINT32_MAX; /* the row was found whole before */
    for (;;) {
        skip_blanks(&c);
        if (*c.p != '"' || scan_string(&c, &s, &n, &raw) != TIDE_OK) break;
        str_clear(&key);
        str_addn(&key, s, n);
        if (raw && key.s) key.len = unescape(s, n, key.s);
        skip_blanks(&c);
        c.p++;
        skip_blanks(&c);
        if (key.s && key.len == strlen(name) && memcmp(key.s, name, key.len) == 0) {
            (void)at(&c, c.p);
            err_at(err, t->path, b.err.line, b.err.column);
            break;
        }
        if (scan_value(&c, &tag, &value) != TIDE_OK) break;
        skip_blanks(&c);
        if (*c.p++ != ',') break;
    }
    str_free(&key);
}

/* The columns of all blocks in order of first appearance, and the blocks' cells under them. */
static tide_status join(struct scan *t, struct cell_table *table, tide_error *err)
{
    struct arena *a = table->work;
    struct level_set names;
    if (level_set_init(&names, a, a, 64) != 0) return arena_status(a, err);
    for (int64_t k = 0; k < t->n_blocks; k++)
        for (uint32_t j = 0; j < t->blocks[k].keys.n; j++) {
            const struct level *l = &t->blocks[k].keys.level[j];
            if (level_set_add_hashed(&names, l->s, l->len, l->hash, 0) == CODE_MISSING)
                return arena_status(a, err);
        }
    int64_t bytes = 0;
    for (int64_t k = 0; k < t->n_blocks; k++) {
        bytes += t->blocks[k].end - t->blocks[k].s;
        table->n_rows += t->blocks[k].n_rows;
    }
    if (names.n > t->max_columns) {
        err_set(err, TIDE_CODE_LIMIT_COLUMNS, "%u columns; at most %u",
                (unsigned)names.n, (unsigned)t->max_columns);
        err_hint(err, "max-columns", "%u", (unsigned)names.n);
        return err_at(err, t->path, 0, 0);
    }
    tide_status st = source_guard(t->path, table->n_rows, names.n, bytes, err);
    if (st != TIDE_OK) return st;
    table->n_cols = (int)names.n;
    table->n_blocks = t->n_blocks;
    table->cols = arena_zero(a, ((size_t)names.n + 1) * sizeof *table->cols);
    table->blocks = arena_zero(a, (size_t)t->n_blocks * sizeof *table->blocks);
    for (uint32_t j = 0; table->cols && j < names.n; j++)
        table->cols[j].name = arena_strn(a, names.level[j].s, names.level[j].len);
    int64_t row0 = 0;
    for (int64_t k = 0; table->blocks && k < t->n_blocks; k++) {
        const struct block *b = &t->blocks[k];
        struct cell_block *c = &table->blocks[k];
        *c = (struct cell_block){b->n_rows, row0, b->line0, NULL, b->s, b->row_at};
        row0 += b->n_rows;
        c->cols = arena_zero(a, ((size_t)names.n + 1) * sizeof *c->cols);
        for (uint32_t j = 0; c->cols && j < b->keys.n; j++) {
            const struct level *l = &b->keys.level[j];
            c->cols[level_set_add_hashed(&names, l->s, l->len, l->hash, 0)] =
                b->cols[j].cells;
        }
    }
    return arena_status(a, err);
}

static tide_status read_rows(struct scan *t, const struct source_text *text,
                             struct cell_table *table, tide_frame **out,
                             tide_error *err)
{
    tide_status st =
        par_for_progress(t->ctx, t->n_blocks, scan_block, t, "reading", err);
    for (int64_t k = 0; st == TIDE_OK && k < t->n_blocks; k++)
        if (t->blocks[k].status != TIDE_OK) {
            if (err) *err = t->blocks[k].err;
            st = t->blocks[k].status;
        }
    if (st == TIDE_OK) st = join(t, table, err);
    if (st == TIDE_OK && !table->n_cols)
        st = source_empty(text, "an object with members", err);
    return st == TIDE_OK ? cells_frame(table, out, err) : st;
}

tide_status jsonl_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                             size_t n_data, const struct tide_read_options *options,
                             tide_frame **out, tide_error *err)
{
    struct arena work;
    struct source_text text;
    struct scan t = {
        .ctx = ctx, .max_field = 1 << 20, .max_line = 64 << 20, .max_columns = 65536};
    struct cell_table table = {.ctx = ctx,
                               .options = options,
                               .work = &work,
                               .unescape = unescape,
                               .place = place};
    char dialect[64];
    *out = NULL;
    if (options && options->max_field) t.max_field = options->max_field;
    if (options && options->max_line) t.max_line = options->max_line;
    if (options && options->max_columns) t.max_columns = (uint32_t)options->max_columns;
    tide_status st = reader_refuse(&tide_reader_jsonl, options,
                                   READER_NA | READER_TYPES | READER_ON_BAD, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    st = source_slurp(ctx, path, data, n_data, &work, &text, err);
    table.path = t.path = text.path;
    if (st == TIDE_OK) st = cut(&t, &text, &work, err);
    if (st == TIDE_OK) {
        str_format(dialect, sizeof dialect, "JSON %s%s", t.is_array ? "array" : "lines",
                   text.kind);
        table.dialect = dialect;
        st = read_rows(&t, &text, &table, out, err);
    }
    for (int64_t k = 0; k < t.n_blocks; k++) arena_free(&t.blocks[k].arena);
    arena_free(&work);
    return st;
}

/* ---- the descriptor ---- */

static int claims(const char *head, size_t n)
{
    size_t i = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < n && strchr(" \t\r\n", head[i]) && head[i]) i++;
    if (i >= n || (head[i] != '{' && head[i] != '[')) return 0;
    char open = head[i++];
    while (i < n && strchr(" \t\r\n", head[i]) && head[i]) i++;
    return i < n && (open == '{' ? head[i] == '"' || head[i] == '}' : head[i] == '{');
}

static tide_status read_jsonl(struct tide_ctx *ctx, const char *path,
                              const struct tide_read_options *options, tide_frame **out,
                              tide_error *err)
{
    return jsonl_read_table(ctx, path, NULL, 0, options, out, err);
}

static void print_row(struct str *t, const tide_frame *f, int64_t row, const void *arg)
{
    char text[64];
    size_t len;
    (void)arg;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        str_addc(t, j ? ',' : '{');
        str_add_json(t, c->name, strlen(c->name));
        str_addc(t, ':');
        if (c->type == TIDE_CAT || c->type == TIDE_TEXT) {
            const char *s = frame_cell_text(c, row, &len);
            if (s)
                str_add_json(t, s, len);
            else
                str_add(t, "null");
            continue;
        }
        if (c->type == TIDE_BOOL) {
            str_add(t, c->b[row] == BOOL_MISSING ? "null"
                       : c->b[row]               ? "true"
                                                 : "false");
            continue;
        }
        int64_t n = column_text(c, row, text, sizeof text);
        if (n < 0)
            str_add(t, "null");
        else if (c->type == TIDE_TIME)
            str_add_json(t, text, (size_t)n);
        else
            str_addn(t, text, (size_t)n);
    }
    str_add(t, "}\n");
}

static tide_status write_jsonl(struct tide_ctx *ctx, const tide_frame *frame,
                               tide_sink_fn sink, void *payload, tide_error *err)
{
    return frame_write_rows(ctx, frame, NULL, print_row, NULL, sink, payload, err);
}

const struct tide_reader tide_reader_jsonl = {
    .name = "jsonl",
    .title = "one JSON object a line, or an array of objects",
    .camel = "JSONLines",
    .guide = "Q13",
    .paper = "RFC 8259",
    .endings = ".jsonl .ndjson .json",
    .claims = claims,
    .read = read_jsonl,
    .write = write_jsonl,
};
