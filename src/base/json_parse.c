/* json_parse.c - JSON text to jansson's values by a parser of our own
 *
 * jansson's lexer ends the process when an allocation fails in the middle of a long token
 * (an assertion in lex_unget_unsave, 2.14), and reads numbers by the locale. This one has a
 * stack of fixed depth: the caller has checked UTF-8, depth and the length of numbers. Most
 * of the time goes to allocations, so short strings and small integers that come again in
 * one text are one value with more references; readers must not change values in place. */
#include "base/json_parse.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numparse.h"

enum { SHARED = 64, SHARED_LENGTH = 15 };

struct parser {
    const char *s;
    size_t n, at;
    const char *clause; /* what is wrong; stays NULL when memory is out */
    json_t *word[SHARED], *integer[SHARED]; /* borrowed: they are in the tree */
};
/* Characters of the text, or decoded ones. */
struct span {
    const char *s;
    size_t n;
    char *owned; /* where escapes were decoded */
};
struct holder {
    json_t *value;   /* array or object */
    struct span key; /* object: of the value to come */
};

static json_t *wrong(struct parser *p, const char *clause)
{
    p->clause = p->at >= p->n ? "JSON text ends early" : clause;
    return NULL;
}

static void skip(struct parser *p)
{
    while (p->at < p->n && (p->s[p->at] == ' ' || p->s[p->at] == '\t' ||
                            p->s[p->at] == '\n' || p->s[p->at] == '\r'))
        p->at++;
}

static char peek(const struct parser *p)
{
    return p->at < p->n ? p->s[p->at] : '\0';
}

/* ---- strings ---- */

static int hex4(const char *s, unsigned *out)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                            : 16;
        if (d > 15) return 0;
        v = v * 16 + d;
    }
    *out = v;
    return 1;
}

static size_t put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The code point of an escape at "\u"; 0 when it is none (or NUL: clause says so). */
static unsigned read_unicode(struct parser *p, size_t end)
{
    unsigned c = 0, low = 0;
    if (end - p->at < 6 || !hex4(p->s + p->at + 2, &c)) return 0;
    p->at += 6;
    if (c == 0) p->clause = "NUL character in a JSON string";
    if (c < 0xd800 || c > 0xdfff) return c;
    if (c > 0xdbff || end - p->at < 6 || p->s[p->at] != '\\' ||
        p->s[p->at + 1] != 'u' || !hex4(p->s + p->at + 2, &low) || low < 0xdc00 ||
        low > 0xdfff)
        return 0;
    p->at += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* Decodes the string whose inside ends at `end` into out; its length, or -1. */
static int64_t decode(struct parser *p, size_t end, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t n = 0;
    while (p->at < end) {
        if (p->s[p->at] != '\\') {
            out[n++] = p->s[p->at++];
            continue;
        }
        char c = p->s[p->at + 1]; /* a quote that ends is never escaped */
        const char *hit = strchr(from, c);
        if (c && hit) {
            out[n++] = to[hit - from];
            p->at += 2;
            continue;
        }
        unsigned code = c == 'u' ? read_unicode(p, end) : 0;
        if (!code) {
            if (!p->clause) wrong(p, "not JSON");
            return -1;
        }
        n += put_utf8(out + n, code);
    }
    out[n] = '\0';
    return (int64_t)n;
}

/* A string; p->at behind it. Nonzero: wrong, or no memory. */
static int read_string(struct parser *p, struct span *out)
{
    size_t from = ++p->at, end = from;
    int escaped = 0;
    for (; end < p->n && p->s[end] != '"'; end++) {
        if ((unsigned char)p->s[end] < 32) {
            p->at = end;
            wrong(p, "not JSON");
            return -1;
        }
        if (p->s[end] == '\\') end++, escaped = 1;
    }
    if (end >= p->n) {
        p->at = p->n;
        wrong(p, "");
        return -1;
    }
    *out = (struct span){p->s + from, end - from, NULL};
    if (escaped) {
        char *text = mem_alloc(end - from + 1); /* decoding never makes it longer */
        if (!text) return -1;
        int64_t n = decode(p, end, text);
        if (n < 0) {
            mem_free(text);
            return -1;
        }
        *out = (struct span){text, (size_t)n, text};
    }
    p->at = end + 1;
    return 0;
}

static json_t *string_value(struct parser *p)
{
    struct span t;
    if (read_string(p, &t)) return NULL;
    json_t **same = NULL, *v = NULL;
    if (!t.owned && t.n <= SHARED_LENGTH) {
        size_t h = t.n;
        for (size_t i = 0; i < t.n; i++) h = h * 31 + (unsigned char)t.s[i];
        same = &p->word[h % SHARED];
        if (*same && json_string_length(*same) == t.n &&
            !memcmp(json_string_value(*same), t.s, t.n))
            return json_incref(*same);
    }
    v = json_stringn_nocheck(t.s, t.n);
    if (same) *same = v;
    mem_free(t.owned);
    return v;
}

/* ---- numbers and words ---- */

static size_t digits(const struct parser *p, size_t at)
{
    size_t from = at;
    while (at < p->n && p->s[at] >= '0' && p->s[at] <= '9') at++;
    return at - from;
}

static json_t *read_number(struct parser *p)
{
    size_t at = p->at, n, from = p->at;
    int is_real = 0;
    at += p->s[at] == '-';
    n = digits(p, at);
    if (n == 0 || (n > 1 && p->s[at] == '0')) return wrong(p, "not JSON");
    at += n;
    if (at < p->n && p->s[at] == '.') {
        n = digits(p, at + 1);
        if (!n) return wrong(p, "not JSON");
        at += 1 + n;
        is_real = 1;
    }
    if (at < p->n && (p->s[at] == 'e' || p->s[at] == 'E')) {
        size_t k = at + 1;
        k += k < p->n && (p->s[k] == '+' || p->s[k] == '-');
        n = digits(p, k);
        if (!n) return wrong(p, "not JSON");
        at = k + n;
        is_real = 1;
    }
    int64_t i;
    double x;
    p->at = at;
    if (!is_real && num_parse_i64(p->s + from, at - from, &i)) {
        if (i < 0 || i >= SHARED) return json_integer(i);
        if (p->integer[i]) return json_incref(p->integer[i]);
        return p->integer[i] = json_integer(i);
    }
    enum num_result r = num_parse(p->s + from, at - from, '.', &x);
    if (is_real && r != NUM_BAD && r != NUM_OVERFLOW) return json_real(x);
    p->clause = "a number is out of range";
    p->at = from;
    return NULL;
}

static json_t *read_word(struct parser *p)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (p->n - p->at < n || memcmp(p->s + p->at, words[i], n) != 0) continue;
        p->at += n;
        return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
    }
    return wrong(p, "not JSON");
}

/* A value, or an empty array or object that is open now (*opened). */
static json_t *read_value(struct parser *p, int *opened)
{
    char c = peek(p);
    *opened = c == '[' || c == '{';
    if (*opened) p->at++;
    if (c == '[') return json_array();
    if (c == '{') return json_object();
    if (c == '"') return string_value(p);
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(p);
    return read_word(p);
}

/* ---- members ---- */

/* The key and colon before a member of an object; 0 when they are there. */
static int read_key(struct parser *p, struct holder *h)
{
    if (peek(p) != '"') {
        wrong(p, "not JSON");
        return -1;
    }
    size_t from = p->at;
    if (read_string(p, &h->key)) return -1;
    if (json_object_getn(h->value, h->key.s, h->key.n)) {
        p->at = from;
        p->clause = "a key is there twice";
        return -1;
    }
    skip(p);
    if (peek(p) != ':') {
        wrong(p, "not JSON");
        return -1;
    }
    p->at++;
    skip(p);
    return 0;
}

/* Puts a value (taken over) where it belongs. */
static int attach(struct holder *h, json_t *v)
{
    if (json_is_array(h->value)) return json_array_append_new(h->value, v);
    int bad = json_object_setn_new_nocheck(h->value, h->key.s, h->key.n, v);
    mem_free(h->key.owned);
    h->key.owned = NULL;
    return bad;
}

/* What comes after a value or an opened list: 1 another member, 0 its end, -1 wrong. */
static int next_member(struct parser *p, struct holder *h, int is_first)
{
    char end = json_is_array(h->value) ? ']' : '}';
    skip(p);
    if (peek(p) == end) {
        p->at++;
        return 0;
    }
    if (!is_first) {
        if (peek(p) != ',') {
            wrong(p, "not JSON");
            return -1;
        }
        p->at++;
        skip(p);
    }
    return end == '}' && read_key(p, h) ? -1 : 1;
}

/* Fills the open list at the bottom of the stack, whatever is nested in it. */
static int fill(struct parser *p, struct holder *stack, int most)
{
    int depth = 0, is_first = 1;
    while (depth >= 0) {
        int more = next_member(p, &stack[depth], is_first), opened = 0;
        if (more < 0) return -1;
        is_first = 0;
        if (more == 0) {
            depth--; /* it was attached when it was opened */
            continue;
        }
        json_t *v = read_value(p, &opened);
        if (!v || attach(&stack[depth], v)) return -1;
        if (!opened) continue;
        if (depth + 1 == most) return -1;
        stack[++depth] = (struct holder){.value = v};
        is_first = 1;
    }
    return 0;
}

json_t *json_parse(const char *text, size_t n, size_t *at, const char **clause)
{
    struct parser p = {.s = text, .n = n};
    struct holder stack[JSON_PARSE_DEPTH] = {{0}};
    int opened = 0, bad = 0;
    skip(&p);
    json_t *v = p.at < n ? read_value(&p, &opened) : wrong(&p, "");
    stack[0].value = v;
    if (v && opened) bad = fill(&p, stack, JSON_PARSE_DEPTH);
    for (int i = 0; i < JSON_PARSE_DEPTH; i++) mem_free(stack[i].key.owned);
    skip(&p);
    if (v && !bad && p.at < n) {
        p.clause = "text follows the JSON value";
        bad = 1;
    }
    if (bad) {
        json_decref(v);
        v = NULL;
    }
    *at = p.at;
    *clause = p.clause;
    return v;
}
