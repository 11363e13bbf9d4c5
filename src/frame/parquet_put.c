/* parquet_put.c - the compact protocol and the run encoding, written by hand */
#include "frame/parquet_put.h"

#include <string.h>

#define RUN_LEAST 16 /* equal numbers that are worth a run of their own */

static void add_varint(struct str *t, uint64_t v)
{
    char s[10];
    size_t n = 0;
    for (; v >= 128; v >>= 7) s[n++] = (char)(v | 128);
    s[n++] = (char)v;
    str_addn(t, s, n);
}

static void add_zigzag(struct str *t, int64_t v)
{
    add_varint(t, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static void add_binary(struct str *t, const char *s, size_t n)
{
    add_varint(t, n);
    str_addn(t, s, n);
}

/* ---- structs ---- */

static void add_field(struct pq_put *p, int id, int type)
{
    int *last = &p->last[p->depth];
    if (id > *last && id - *last <= 15) {
        str_addc(p->to, (char)((id - *last) << 4 | type));
    } else {
        str_addc(p->to, (char)type);
        add_zigzag(p->to, id);
    }
    *last = id;
}

void pq_put_int(struct pq_put *p, int id, enum pq_put_type type, int64_t v)
{
    add_field(p, id, (int)type);
    add_zigzag(p->to, v);
}

void pq_put_bool(struct pq_put *p, int id, int v)
{
    add_field(p, id, v ? PQ_PUT_TRUE : PQ_PUT_FALSE);
}

void pq_put_bytes(struct pq_put *p, int id, const char *s, size_t n)
{
    add_field(p, id, PQ_PUT_BYTES);
    add_binary(p->to, s, n);
}

void pq_put_struct(struct pq_put *p, int id)
{
    add_field(p, id, PQ_PUT_STRUCT);
    pq_item_struct(p);
}

void pq_put_list(struct pq_put *p, int id, enum pq_put_type type, int64_t n)
{
    add_field(p, id, PQ_PUT_LIST);
    if (n < 15) {
        str_addc(p->to, (char)(n << 4 | (int)type));
    } else {
        str_addc(p->to, (char)(15 << 4 | (int)type));
        add_varint(p->to, (uint64_t)n);
    }
}

void pq_item_int(struct pq_put *p, int64_t v)
{
    add_zigzag(p->to, v);
}

void pq_item_bytes(struct pq_put *p, const char *s, size_t n)
{
    add_binary(p->to, s, n);
}

void pq_item_struct(struct pq_put *p)
{
    p->last[++p->depth] = 0;
}

void pq_put_end(struct pq_put *p)
{
    str_addc(p->to, 0);
    p->depth--;
}

/* ---- numbers ---- */

void pq_put_little(struct str *t, uint64_t v, int width)
{
    char s[8];
    for (int b = 0; b < width; b++) s[b] = (char)(v >> 8 * b);
    str_addn(t, s, (size_t)width);
}

/* n numbers in groups of eight, of `width` bytes each; the last is filled with zeros. */
static void add_packed(struct str *t, const uint32_t *v, int64_t n, int width)
{
    int64_t groups = (n + 7) / 8;
    if (n == 0) return;
    add_varint(t, (uint64_t)groups << 1 | 1);
    for (int64_t g = 0; g < groups; g++) {
        char s[32];
        uint64_t bits = 0;
        int have = 0, at = 0;
        for (int64_t i = g * 8; i < g * 8 + 8; i++) {
            bits |= (uint64_t)(i < n ? v[i] : 0) << have;
            for (have += width; have >= 8; have -= 8, bits >>= 8) s[at++] = (char)bits;
        }
        str_addn(t, s, (size_t)at);
    }
}

void pq_put_runs(struct str *t, const uint32_t *v, int64_t n, int width)
{
    int64_t packed = 0; /* v[packed..i) waits to be packed: whole groups */
    for (int64_t i = 0; i < n;) {
        int64_t run = 1;
        while (i + run < n && v[i + run] == v[i]) run++;
        if (run < RUN_LEAST && (run < n - i || i > packed)) {
            i = n - i < 8 ? n : i + 8;
            continue;
        }
        add_packed(t, v + packed, i - packed, width);
        add_varint(t, (uint64_t)run << 1);
        pq_put_little(t, v[i], (width + 7) / 8);
        i += run;
        packed = i;
    }
    add_packed(t, v + packed, n - packed, width);
}
