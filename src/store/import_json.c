/* import_json.c - JSON of foreign models: large, and with words that JSON does not have */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "store/import_doc.h"

#define MOST_NUMBER 400

struct reader {
    const char *s;
    size_t n, at;
    int as_float;
    struct doc_builder b;
};

static int wrong(struct reader *r, const char *clause)
{
    if (!r->b.wrong && !r->b.failed)
        r->b.wrong = r->at >= r->n ? "the text ends early" : clause;
    return -1;
}

static void skip(struct reader *r)
{
    while (r->at < r->n && (r->s[r->at] == ' ' || r->s[r->at] == '\t' ||
                            r->s[r->at] == '\n' || r->s[r->at] == '\r'))
        r->at++;
}

/* ---- text ---- */

static int hex4(const struct reader *r, size_t at, size_t end, unsigned *out)
{
    *out = 0;
    if (end - at < 6 || r->s[at] != '\\' || r->s[at + 1] != 'u') return -1;
    for (size_t i = at + 2; i < at + 6; i++) {
        char c = r->s[i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                            : 16;
        if (d > 15) return -1;
        *out = *out * 16 + d;
    }
    return 0;
}

static size_t put_utf8(char *out, unsigned c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (char)(0x80 | (c & 63));
    out[0] = (char)(lead[n] | c);
    return n;
}

/* The character of \uXXXX (or two of them) at r->at, which moves on; 0: none. */
static unsigned read_unicode(struct reader *r, size_t end)
{
    unsigned c, low;
    if (hex4(r, r->at, end, &c)) return 0;
    r->at += 6;
    if (c < 0xd800 || c > 0xdfff) return c;
    if (c > 0xdbff || hex4(r, r->at, end, &low) || low < 0xdc00 || low > 0xdfff)
        return 0;
    r->at += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

static int read_text(struct reader *r, struct doc *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t end = ++r->at, n = 0;
    for (; end < r->n && r->s[end] != '"'; end++)
        if (r->s[end] == '\\') end++;
    if (end >= r->n) {
        r->at = r->n;
        return wrong(r, "");
    }
    char *t = arena_push(r->b.a, end - r->at + 1);
    if (!t) {
        r->b.failed = 1;
        return -1;
    }
    while (r->at < end) {
        char c = r->s[r->at];
        if ((unsigned char)c < 32) return wrong(r, "a control character in a text");
        if (c != '\\') {
            t[n++] = c;
            r->at++;
            continue;
        }
        const char *hit = strchr(from, r->s[r->at + 1]);
        if (r->s[r->at + 1] && hit) {
            t[n++] = to[hit - from];
            r->at += 2;
            continue;
        }
        unsigned code = read_unicode(r, end);
        if (!code) return wrong(r, "an escape that JSON does not have");
        n += put_utf8(t + n, code);
    }
    t[n] = '\0';
    r->at = end + 1;
    *out = (struct doc){.kind = DOC_TEXT, .n = (int64_t)n, .v.s = t};
    return 0;
}

/* ---- numbers and words ---- */

static int is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' ||
           c == 'E';
}

/* Through f64 to float. Both steps round, which differs from one step only for a text within
 * 2^-54 of the middle between two floats; writers print the shortest text of a float, which
 * is no such text. */
static int read_number(struct reader *r, struct doc *out)
{
    size_t from = r->at, end = from;
    int64_t i = 0;
    double x = 0;
    while (end < r->n && is_number_byte(r->s[end])) end++;
    if (end - from > MOST_NUMBER) return wrong(r, "a number has too many digits");
    if (num_parse_i64(r->s + from, end - from, &i)) {
        *out = (struct doc){.kind = DOC_INT, .v.i = i};
    } else {
        if (num_parse(r->s + from, end - from, '.', &x) == NUM_BAD)
            return wrong(r, "not JSON");
        *out =
            (struct doc){.kind = DOC_REAL, .v.x = r->as_float ? (double)(float)x : x};
    }
    r->at = end;
    return 0;
}

static int read_word(struct reader *r, struct doc *out)
{
    static const struct {
        const char *word;
        uint8_t kind;
        double x;
    } known[] = {{"true", DOC_BOOL, 1},
                 {"false", DOC_BOOL, 0},
                 {"null", DOC_NULL, 0},
                 {"NaN", DOC_REAL, (double)NAN},
                 {"Infinity", DOC_REAL, HUGE_VAL},
                 {"-Infinity", DOC_REAL, -HUGE_VAL}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        size_t n = strlen(known[k].word);
        if (r->n - r->at < n || memcmp(r->s + r->at, known[k].word, n) != 0) continue;
        r->at += n;
        *out = (struct doc){.kind = known[k].kind};
        if (known[k].kind == DOC_BOOL) out->v.i = (int64_t)known[k].x;
        if (known[k].kind == DOC_REAL) out->v.x = known[k].x;
        return 0;
    }
    return wrong(r, "not JSON");
}

/* ---- structure ---- */

/* A value, or the opening of one. */
static int read_value(struct reader *r)
{
    struct doc v = {0};
    char c = r->at < r->n ? r->s[r->at] : '\0';
    if (c == '[' || c == '{') {
        if (doc_open(&r->b, c == '{')) return -1;
        r->at++;
        return 0;
    }
    int is_word = c == '-' && r->at + 1 < r->n && r->s[r->at + 1] == 'I';
    int bad = c == '"'                                           ? read_text(r, &v)
              : (c == '-' && !is_word) || (c >= '0' && c <= '9') ? read_number(r, &v)
                                                                 : read_word(r, &v);
    return bad ? -1 : doc_push(&r->b, v);
}

static int read_key(struct reader *r)
{
    struct doc key;
    if (r->at >= r->n || r->s[r->at] != '"') return wrong(r, "a key is expected");
    if (read_text(r, &key) || doc_push(&r->b, key)) return -1;
    skip(r);
    if (r->at >= r->n || r->s[r->at] != ':') return wrong(r, "':' is expected");
    r->at++;
    skip(r);
    return 0;
}

/* Inside a container that is open; is_first: nothing stands in it yet. */
static int read_member(struct reader *r, int *is_first)
{
    int is_object = r->b.open[r->b.depth - 1].is_object;
    skip(r);
    if (r->at < r->n && r->s[r->at] == (is_object ? '}' : ']')) {
        r->at++;
        *is_first = 0;
        return doc_close(&r->b);
    }
    if (!*is_first) {
        if (r->at >= r->n || r->s[r->at] != ',') return wrong(r, "',' is expected");
        r->at++;
        skip(r);
    }
    if (is_object && read_key(r)) return -1;
    int depth = r->b.depth;
    if (read_value(r)) return -1;
    *is_first = r->b.depth > depth;
    return 0;
}

static tide_status place(const struct reader *r, tide_error *err)
{
    int64_t line = 1, column = 1;
    for (size_t i = 0; i < r->at && i < r->n; i++) {
        column += ((unsigned char)r->s[i] & 0xc0) != 0x80;
        if (r->s[i] == '\n') line++, column = 1;
    }
    tide_status st = err_at(err, "", line, column);
    if (err) err->offset = (int64_t)r->at;
    return st;
}

tide_status doc_read_json(const char *text, size_t n, int as_xgboost, struct arena *a,
                          struct doc *out, tide_error *err)
{
    struct reader r = {.s = text, .n = n, .as_float = as_xgboost};
    int is_first = 1, bad = 0;
    size_t not_utf8 = utf8_check(text, n);
    doc_begin(&r.b, a);
    r.b.bools_are_ints = as_xgboost;
    if (not_utf8) {
        r.at = not_utf8 - 1;
        bad = wrong(&r, "not UTF-8");
    }
    skip(&r);
    if (!bad) bad = read_value(&r);
    while (!bad && r.b.depth > 0) bad = read_member(&r, &is_first);
    skip(&r);
    if (!bad && r.at < n) bad = wrong(&r, "text follows the JSON value");
    if (!bad) *out = r.b.value[0];
    doc_end(&r.b);
    if (!bad) return TIDE_OK;
    if (r.b.failed)
        return arena_status(a, err) ? arena_status(a, err) : err_nomem(err, 0);
    err_set(err, r.b.too_deep ? TIDE_CODE_LIMIT_DEPTH : TIDE_CODE_IMPORT_SYNTAX, "%s",
            r.b.wrong);
    return place(&r, err);
}
