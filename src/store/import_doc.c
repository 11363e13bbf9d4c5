/* import_doc.c - building nested values, and looking into them */
#include "store/import_doc.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

void doc_begin(struct doc_builder *b, struct arena *a)
{
    *b = (struct doc_builder){.a = a};
}

void doc_end(struct doc_builder *b)
{
    mem_free(b->value);
    b->value = NULL;
}

int doc_push(struct doc_builder *b, struct doc value)
{
    if (b->n == b->cap) {
        int64_t cap = b->cap ? 2 * b->cap : 256;
        struct doc *more = (size_t)cap < SIZE_MAX / sizeof *more
                               ? mem_realloc(b->value, (size_t)cap * sizeof *more)
                               : NULL;
        if (!more) {
            b->failed = 1;
            return -1;
        }
        b->value = more;
        b->cap = cap;
    }
    b->value[b->n++] = value;
    return 0;
}

int doc_open(struct doc_builder *b, int is_object)
{
    if (b->depth == DOC_DEPTH) {
        b->wrong = "nested deeper than 32";
        b->too_deep = 1;
        return -1;
    }
    b->open[b->depth].first = b->n;
    b->open[b->depth++].is_object = (uint8_t)is_object;
    return 0;
}

/* Keys of an object, each once. */
static int check_keys(struct doc_builder *b, const struct doc *item, int64_t n)
{
    uint64_t seen[DOC_MOST_MEMBERS];
    if (n / 2 > DOC_MOST_MEMBERS) {
        b->wrong = "an object has more than 1024 members";
        return -1;
    }
    for (int64_t i = 0; i < n / 2; i++) {
        seen[i] = hash64(item[2 * i].v.s, (size_t)item[2 * i].n, 0);
        for (int64_t k = 0; k < i; k++)
            if (seen[k] == seen[i] && strcmp(item[2 * k].v.s, item[2 * i].v.s) == 0) {
                b->wrong = "a key is there twice";
                return -1;
            }
    }
    return 0;
}

/* A list as small as it can be. */
static struct doc shrink(struct doc_builder *b, const struct doc *item, int64_t n)
{
    struct doc out = {.kind = DOC_LIST, .n = n};
    int is_int = n > 0, is_number = n > 0;
    for (int64_t i = 0; i < n; i++) {
        int is_whole =
            item[i].kind == DOC_INT || (item[i].kind == DOC_BOOL && b->bools_are_ints);
        is_int &= is_whole;
        is_number &= is_whole || item[i].kind == DOC_REAL;
    }
    if (is_int) {
        int64_t *x = arena_array(b->a, n, sizeof *x);
        for (int64_t i = 0; x && i < n; i++) x[i] = item[i].v.i;
        out.kind = DOC_INTS;
        out.v.ints = x;
    } else if (is_number) {
        double *x = arena_array(b->a, n, sizeof *x);
        for (int64_t i = 0; x && i < n; i++)
            x[i] = item[i].kind == DOC_REAL ? item[i].v.x : (double)item[i].v.i;
        out.kind = DOC_REALS;
        out.v.reals = x;
    } else {
        struct doc *x = arena_array(b->a, n + 1, sizeof *x);
        if (x && n) memcpy(x, item, (size_t)n * sizeof *x);
        out.v.item = x;
    }
    b->failed |= b->a->failed != 0;
    return out;
}

int doc_close(struct doc_builder *b)
{
    int64_t first = b->open[--b->depth].first, n = b->n - first;
    const struct doc *from = n ? b->value + first : NULL;
    struct doc out;
    if (b->open[b->depth].is_object) {
        if (check_keys(b, from, n)) return -1;
        struct doc *x = arena_array(b->a, n + 1, sizeof *x);
        if (x && n) memcpy(x, from, (size_t)n * sizeof *x);
        out = (struct doc){.kind = DOC_OBJECT, .n = n / 2, .v.item = x};
        b->failed |= !x;
    } else {
        out = n ? shrink(b, from, n) : (struct doc){.kind = DOC_LIST};
    }
    b->n = first;
    if (b->failed) return -1;
    return doc_push(b, out);
}

const struct doc *doc_get(const struct doc *d, const char *key)
{
    if (!d || d->kind != DOC_OBJECT) return NULL;
    for (int64_t i = 0; i < d->n; i++)
        if (strcmp(d->v.item[2 * i].v.s, key) == 0) return &d->v.item[2 * i + 1];
    return NULL;
}

int64_t doc_count(const struct doc *d)
{
    if (!d || (d->kind != DOC_LIST && d->kind != DOC_INTS && d->kind != DOC_REALS))
        return -1;
    return d->n;
}

double doc_real_at(const struct doc *d, int64_t i)
{
    if (d->kind == DOC_INTS) return (double)d->v.ints[i];
    return d->kind == DOC_REALS ? d->v.reals[i] : (double)NAN;
}

int64_t doc_int_at(const struct doc *d, int64_t i)
{
    if (d->kind == DOC_INTS) return d->v.ints[i];
    double x = doc_real_at(d, i);
    return fabs(x) < 0x1p53 && x == (double)(int64_t)x ? (int64_t)x : INT64_MIN;
}
