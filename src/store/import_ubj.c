/* import_ubj.c - UBJSON of foreign models: big-endian, every length proved before it is used */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "store/import_doc.h"

struct reader {
    const uint8_t *p;
    size_t n, at;
    struct doc_builder b;
    int64_t
        left[DOC_DEPTH]; /* members to come in a counted container; -1: until its end */
};

static int wrong(struct reader *r, const char *clause)
{
    if (!r->b.wrong && !r->b.failed) r->b.wrong = clause;
    return -1;
}

/* Bytes of a number with this marker, 0: no number. */
static size_t width_of(uint8_t marker)
{
    switch (marker) {
    case 'i':
    case 'U':
    case 'C':
    case 'T':
    case 'F':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

/* A number of a marker; the bytes are there. */
static struct doc number_at(const uint8_t *p, uint8_t marker)
{
    uint64_t v = 0;
    float f;
    double x;
    size_t width = width_of(marker);
    for (size_t i = 0; i < width; i++) v = v << 8 | p[i];
    if (marker == 'd') {
        uint32_t bits = (uint32_t)v;
        memcpy(&f, &bits, sizeof f);
        return (struct doc){.kind = DOC_REAL, .v.x = (double)f};
    }
    if (marker == 'D') {
        memcpy(&x, &v, sizeof x);
        return (struct doc){.kind = DOC_REAL, .v.x = x};
    }
    int64_t i = 0;
    if (marker == 'i')
        i = (int8_t)v;
    else if (marker == 'I')
        i = (int16_t)v;
    else if (marker == 'l')
        i = (int32_t)v;
    else
        memcpy(&i, &v, sizeof i);
    return (struct doc){.kind = DOC_INT, .v.i = i};
}

static int read_byte(struct reader *r, uint8_t *out)
{
    if (r->at >= r->n) return wrong(r, "the file ends early");
    *out = r->p[r->at++];
    return 0;
}

/* A length with its marker, at most the bytes that are left. */
static int read_length(struct reader *r, int64_t *out)
{
    uint8_t marker;
    if (read_byte(r, &marker)) return -1;
    size_t width = width_of(marker);
    if (!strchr("iUIlL", marker) || !width) return wrong(r, "a length is expected");
    if (r->n - r->at < width) return wrong(r, "the file ends early");
    *out = number_at(r->p + r->at, marker).v.i;
    r->at += width;
    if (*out < 0 || (uint64_t)*out > r->n - r->at)
        return wrong(r, "a length is negative or beyond the end of the file");
    return 0;
}

static int read_text(struct reader *r, struct doc *out)
{
    int64_t n;
    if (read_length(r, &n)) return -1;
    const char *s = (const char *)r->p + r->at;
    if (utf8_check(s, (size_t)n)) return wrong(r, "a text is not UTF-8");
    if (n && memchr(s, 0, (size_t)n)) return wrong(r, "a text holds a NUL byte");
    char *t = arena_strn(r->b.a, s, (size_t)n);
    if (!t) {
        r->b.failed = 1;
        return -1;
    }
    r->at += (size_t)n;
    *out = (struct doc){.kind = DOC_TEXT, .n = n, .v.s = t};
    return 0;
}

/* An array of one type: the whole of it. */
static int read_typed(struct reader *r, uint8_t marker, int64_t count)
{
    size_t width = width_of(marker);
    if (!width || marker == 'T' || marker == 'F')
        return wrong(r, "an array of a type that is not known");
    if ((uint64_t)count > (r->n - r->at) / width)
        return wrong(r, "a length is beyond the end of the file");
    struct doc out = {.kind = count ? DOC_INTS : DOC_LIST, .n = count};
    if (count && (marker == 'd' || marker == 'D')) {
        double *x = arena_array(r->b.a, count, sizeof *x);
        for (int64_t i = 0; x && i < count; i++)
            x[i] = number_at(r->p + r->at + (size_t)i * width, marker).v.x;
        out.kind = DOC_REALS;
        out.v.reals = x;
    } else if (count) {
        int64_t *x = arena_array(r->b.a, count, sizeof *x);
        for (int64_t i = 0; x && i < count; i++)
            x[i] = number_at(r->p + r->at + (size_t)i * width, marker).v.i;
        out.v.ints = x;
    }
    if (r->b.a->failed) {
        r->b.failed = 1;
        return -1;
    }
    r->at += (size_t)count * width;
    return doc_push(&r->b, out);
}

/* What follows '[' or '{'. */
static int read_open(struct reader *r, int is_object)
{
    int64_t count = -1;
    uint8_t type = 0, c = r->at < r->n ? r->p[r->at] : 0;
    if (c == '$') {
        r->at++;
        if (read_byte(r, &type)) return -1;
        c = r->at < r->n ? r->p[r->at] : 0;
        if (c != '#') return wrong(r, "a type without a count");
    }
    if (c == '#') {
        r->at++;
        if (read_length(r, &count)) return -1;
    }
    if (type && is_object) return wrong(r, "an object of one type");
    if (type) return read_typed(r, type, count);
    if (doc_open(&r->b, is_object)) return -1;
    r->left[r->b.depth - 1] = count;
    return 0;
}

static int read_value(struct reader *r)
{
    uint8_t marker;
    struct doc v = {0};
    do {
        if (read_byte(r, &marker)) return -1;
    } while (marker == 'N');
    if (marker == '[' || marker == '{') return read_open(r, marker == '{');
    if (marker == 'S') {
        if (read_text(r, &v)) return -1;
    } else if (marker == 'T' || marker == 'F') {
        v = (struct doc){.kind = DOC_BOOL, .v.i = marker == 'T'};
    } else if (marker != 'Z') {
        size_t width = width_of(marker);
        if (!width) return wrong(r, "a marker that is not known");
        if (r->n - r->at < width) return wrong(r, "the file ends early");
        v = number_at(r->p + r->at, marker);
        r->at += width;
    }
    return doc_push(&r->b, v);
}

static int read_member(struct reader *r)
{
    int top = r->b.depth - 1, is_object = r->b.open[top].is_object;
    struct doc key;
    int is_end = r->left[top] == 0;
    if (r->left[top] < 0 && r->at < r->n && r->p[r->at] == (is_object ? '}' : ']')) {
        r->at++;
        is_end = 1;
    }
    if (is_end) return doc_close(&r->b);
    if (r->left[top] > 0) r->left[top]--;
    if (is_object && (read_text(r, &key) || doc_push(&r->b, key))) return -1;
    return read_value(r);
}

tide_status doc_read_ubj(const uint8_t *data, size_t n, struct arena *a,
                         struct doc *out, tide_error *err)
{
    struct reader r = {.p = data, .n = n};
    doc_begin(&r.b, a);
    r.b.bools_are_ints = 1;
    int bad = read_value(&r);
    while (!bad && r.b.depth > 0) bad = read_member(&r);
    if (!bad && r.at < n) bad = wrong(&r, "bytes follow the value");
    if (!bad) *out = r.b.value[0];
    doc_end(&r.b);
    if (!bad) return TIDE_OK;
    if (r.b.failed)
        return arena_status(a, err) ? arena_status(a, err) : err_nomem(err, 0);
    tide_status st =
        err_set(err, r.b.too_deep ? TIDE_CODE_LIMIT_DEPTH : TIDE_CODE_IMPORT_SYNTAX,
                "%s", r.b.wrong);
    err_place(err, "byte %zu", r.at);
    if (err) err->offset = (int64_t)r.at;
    return st;
}
