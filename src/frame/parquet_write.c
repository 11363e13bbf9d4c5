/* parquet_write.c - a frame as a Parquet file
 *
 * Rows are cut into groups; the columns of a group are encoded in parallel, some at a time, and
 * given in their order, so memory is bounded by a few chunks and bytes do not depend on threads.
 * A chunk is a dictionary page of all levels (categories) and data pages of version 1: levels of
 * what is there, then PLAIN values or indices. Every page has a CRC. The same levels in every
 * group keep their order when the file is read again, the unused ones too.
 *
 * Min and max of numbers follow the format: no NaN, zeros of the sign that cannot exclude
 * any; those of texts only when short, since a cut one would have to be marked. */
#include <string.h>

#include <tidemill/version.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "frame/parquet_put.h"
#include "frame/source.h"

#define GROUP_ROWS  ((int64_t)1 << 20)
#define GROUP_BYTES ((int64_t)128 << 20) /* of one column's texts in a group */
#define PAGE_ROWS   65536
#define PAGE_BYTES                                                                     \
    ((int64_t)1 << 20) /* of texts; a longer text has a page of its own */
#define TEXT_MOST ((int64_t)1 << 30)
#define DICT_MOST ((uint32_t)64 << 20) /* a larger dictionary is written as texts */
#define STAT_MOST 64                   /* bytes of a text in the statistics */
#define PAD_RATIO 500
#define PAD_FREE  6e7 /* bytes of a table that may shrink to nothing */
#define WAVE      16  /* columns encoded before they are given */

/* What is known of a chunk. */
struct pq_told {
    int64_t raw, packed; /* bytes of its pages with their headers */
    int64_t dict;        /* bytes of the dictionary page, 0: none */
    int64_t missing;
    char lo[STAT_MOST], hi[STAT_MOST];
    int n_lo, n_hi, has_range;
};
struct pq_part_out { /* of a column of this wave */
    struct str bytes;
    struct pq_told told;
};
struct pq_hand { /* a thread's own */
    struct str body, head;
    char *packed;
    size_t room;
    struct block_coder coder;
    uint32_t *number; /* [PAGE_ROWS] */
};
struct pq_writer {
    struct tide_ctx *ctx;
    const tide_frame *f;
    enum block_kind codec;
    tide_sink_fn sink;
    void *payload;
    int64_t at;     /* bytes given */
    int64_t raw;    /* of all pages */
    int64_t i0, i1; /* rows of the group */
    int first;      /* column of the wave */
    int n_hands;
    struct pq_hand *hand;
    struct pq_part_out part[WAVE];
    struct str footer;
    struct pq_put put; /* into the footer */
};

static int is_there(const struct column *c, int64_t i)
{
    switch ((enum tide_type)c->type) {
    case TIDE_F64:
        return c->f64[i] == c->f64[i];
    case TIDE_BOOL:
        return c->b[i] != BOOL_MISSING;
    case TIDE_I64:
    case TIDE_TIME:
        return c->i64[i] != I64_MISSING;
    case TIDE_CAT:
        return c->code[i] != CODE_MISSING;
    case TIDE_TEXT:
        break;
    }
    return !c->text_missing || !c->text_missing[i];
}

static int has_dictionary(const struct column *c)
{
    return c->type == TIDE_CAT && c->dict.n > 0 && c->dict.n <= INT32_MAX &&
           c->dict.offset[c->dict.n] <= DICT_MOST;
}

static enum pq_physical physical_of(const struct column *c)
{
    switch ((enum tide_type)c->type) {
    case TIDE_F64:
        return PQ_F64;
    case TIDE_BOOL:
        return PQ_BOOL;
    case TIDE_I64:
    case TIDE_TIME:
        return PQ_I64;
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    return PQ_BYTES;
}

/* ---- statistics ---- */

static void keep_little(struct pq_told *s, uint64_t lo, uint64_t hi, int width)
{
    for (int b = 0; b < width; b++) {
        s->lo[b] = (char)(lo >> 8 * b);
        s->hi[b] = (char)(hi >> 8 * b);
    }
    s->n_lo = s->n_hi = width;
    s->has_range = 1;
}

static void tell_numbers(const double *v, int64_t i0, int64_t i1, struct pq_told *s)
{
    double lo = 0, hi = 0;
    int64_t n = 0;
    uint64_t bits[2];
    for (int64_t i = i0; i < i1; i++) {
        if (v[i] != v[i]) continue;
        if (n == 0 || v[i] < lo) lo = v[i];
        if (n == 0 || v[i] > hi) hi = v[i];
        n++;
    }
    s->missing = i1 - i0 - n;
    if (n == 0) return;
    if (!(lo < 0 || lo > 0)) lo = -0.0;
    if (!(hi < 0 || hi > 0)) hi = 0.0;
    memcpy(&bits[0], &lo, 8);
    memcpy(&bits[1], &hi, 8);
    keep_little(s, bits[0], bits[1], 8);
}

static void tell_whole(const int64_t *v, int64_t i0, int64_t i1, struct pq_told *s)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN, n = 0;
    for (int64_t i = i0; i < i1; i++) {
        if (v[i] == I64_MISSING) continue;
        if (v[i] < lo) lo = v[i];
        if (v[i] > hi) hi = v[i];
        n++;
    }
    s->missing = i1 - i0 - n;
    if (n) keep_little(s, (uint64_t)lo, (uint64_t)hi, 8);
}

static void tell_bools(const uint8_t *v, int64_t i0, int64_t i1, struct pq_told *s)
{
    int64_t n[2] = {0, 0};
    for (int64_t i = i0; i < i1; i++)
        if (v[i] != BOOL_MISSING) n[v[i] != 0]++;
    s->missing = i1 - i0 - n[0] - n[1];
    if (n[0] + n[1]) keep_little(s, n[0] == 0, n[1] != 0, 1);
}

struct text_range {
    const char *lo, *hi;
    size_t n_lo, n_hi;
};

static int text_less(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int r = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return r ? r < 0 : n_a < n_b;
}

static void widen(struct text_range *r, const char *t, size_t n)
{
    if (!r->lo || text_less(t, n, r->lo, r->n_lo)) {
        r->lo = t;
        r->n_lo = n;
    }
    if (!r->hi || text_less(r->hi, r->n_hi, t, n)) {
        r->hi = t;
        r->n_hi = n;
    }
}

/* Levels that occur, each looked at once. -1: no memory. */
static int range_of_codes(const struct column *c, int64_t i0, int64_t i1,
                          struct text_range *r, int64_t *missing)
{
    uint8_t *used = mem_zalloc((size_t)c->dict.n + 1);
    if (!used) return -1;
    for (int64_t i = i0; i < i1; i++) {
        if (c->code[i] == CODE_MISSING)
            ++*missing;
        else
            used[c->code[i]] = 1;
    }
    for (uint32_t k = 0; k < c->dict.n; k++) {
        size_t n;
        if (!used[k]) continue;
        const char *t = dict_text(&c->dict, k, &n);
        widen(r, t, n);
    }
    mem_free(used);
    return 0;
}

static int tell_texts(const struct column *c, int64_t i0, int64_t i1, struct pq_told *s)
{
    struct text_range r = {0};
    if (c->type == TIDE_CAT) {
        if (range_of_codes(c, i0, i1, &r, &s->missing) != 0) return -1;
    } else {
        for (int64_t i = i0; i < i1; i++) {
            size_t n;
            const char *t = frame_cell_text(c, i, &n);
            if (t)
                widen(&r, t, n);
            else
                s->missing++;
        }
    }
    if (!r.lo || r.n_lo > STAT_MOST || r.n_hi > STAT_MOST) return 0;
    memcpy(s->lo, r.lo, r.n_lo);
    memcpy(s->hi, r.hi, r.n_hi);
    s->n_lo = (int)r.n_lo;
    s->n_hi = (int)r.n_hi;
    s->has_range = 1;
    return 0;
}

static int tell(const struct column *c, int64_t i0, int64_t i1, struct pq_told *s)
{
    *s = (struct pq_told){0};
    switch ((enum tide_type)c->type) {
    case TIDE_F64:
        tell_numbers(c->f64, i0, i1, s);
        return 0;
    case TIDE_BOOL:
        tell_bools(c->b, i0, i1, s);
        return 0;
    case TIDE_I64:
    case TIDE_TIME:
        tell_whole(c->i64, i0, i1, s);
        return 0;
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    return tell_texts(c, i0, i1, s);
}

/* ---- pages ---- */

static int make_room(struct pq_hand *h, size_t n)
{
    if (n <= h->room) return 0;
    mem_free(h->packed);
    h->packed = mem_alloc(n);
    h->room = h->packed ? n : 0;
    return h->packed ? 0 : -1;
}

/* The body in h->body as a page of `n` values at the end of the part. */
static int end_page(const struct pq_writer *w, struct pq_hand *h, int is_dict,
                    int64_t n, enum pq_encoding encoding, struct pq_part_out *to)
{
    size_t room = block_room(w->codec, h->body.len), n_packed = 0;
    if (h->body.failed || room == 0 || make_room(h, room) != 0 ||
        block_encode(&h->coder, w->codec, h->body.s, h->body.len, h->packed, room,
                     &n_packed) != BLOCK_OK)
        return -1;
    str_clear(&h->head);
    struct pq_put p = {.to = &h->head};
    pq_put_int(&p, 1, PQ_PUT_I32, is_dict ? PQ_DICT_PAGE : PQ_DATA_PAGE);
    pq_put_int(&p, 2, PQ_PUT_I32, (int64_t)h->body.len);
    pq_put_int(&p, 3, PQ_PUT_I32, (int64_t)n_packed);
    pq_put_int(&p, 4, PQ_PUT_I32, (int32_t)crc32_zlib(h->packed, n_packed));
    pq_put_struct(&p, is_dict ? 7 : 5);
    pq_put_int(&p, 1, PQ_PUT_I32, n);
    pq_put_int(&p, 2, PQ_PUT_I32, (int64_t)encoding);
    if (!is_dict) {
        pq_put_int(&p, 3, PQ_PUT_I32, PQ_RLE);
        pq_put_int(&p, 4, PQ_PUT_I32, PQ_RLE);
    }
    pq_put_end(&p);
    str_addc(&h->head, 0);
    str_addn(&to->bytes, h->head.s, h->head.len);
    str_addn(&to->bytes, h->packed, n_packed);
    to->told.raw += (int64_t)(h->head.len + h->body.len);
    if (is_dict) to->told.dict = (int64_t)to->bytes.len;
    return h->head.failed || to->bytes.failed ? -1 : 0;
}

static void add_text_value(struct str *t, const char *s, size_t n)
{
    pq_put_little(t, n, 4);
    str_addn(t, s, n);
}

static int dictionary_page(const struct pq_writer *w, struct pq_hand *h,
                           const struct column *c, struct pq_part_out *to)
{
    str_clear(&h->body);
    for (uint32_t k = 0; k < c->dict.n; k++) {
        size_t n;
        const char *s = dict_text(&c->dict, k, &n);
        add_text_value(&h->body, s, n);
    }
    return end_page(w, h, 1, c->dict.n, PQ_PLAIN, to);
}

/* Which rows have a value, behind the bytes that it takes. */
static void add_levels(struct pq_hand *h, const struct column *c, int64_t i0,
                       int64_t i1)
{
    size_t at = h->body.len;
    for (int64_t i = i0; i < i1; i++) h->number[i - i0] = (uint32_t)is_there(c, i);
    pq_put_little(&h->body, 0, 4);
    pq_put_runs(&h->body, h->number, i1 - i0, 1);
    if (h->body.failed) return;
    size_t n = h->body.len - at - 4;
    for (int b = 0; b < 4; b++) h->body.s[at + (size_t)b] = (char)(n >> 8 * b);
}

static void add_bools(struct str *t, const struct column *c, int64_t i0, int64_t i1)
{
    int n = 0;
    unsigned byte = 0;
    for (int64_t i = i0; i < i1; i++) {
        if (c->b[i] == BOOL_MISSING) continue;
        byte |= (c->b[i] != 0 ? 1u : 0u) << n++;
        if (n < 8) continue;
        str_addc(t, (char)byte);
        byte = 0;
        n = 0;
    }
    if (n) str_addc(t, (char)byte);
}

static void add_numbers(struct str *t, const struct column *c, int64_t i0, int64_t i1)
{
    char part[512];
    size_t n = 0;
    for (int64_t i = i0; i < i1; i++) {
        uint64_t bits;
        if (!is_there(c, i)) continue;
        if (c->type == TIDE_F64)
            memcpy(&bits, &c->f64[i], 8);
        else
            bits = (uint64_t)c->i64[i];
        for (int b = 0; b < 8; b++) part[n++] = (char)(bits >> 8 * b);
        if (n < sizeof part) continue;
        str_addn(t, part, n);
        n = 0;
    }
    str_addn(t, part, n);
}

static void add_codes(struct pq_hand *h, const struct column *c, int64_t i0, int64_t i1)
{
    int width = 0;
    int64_t n = 0;
    while (width < 31 && c->dict.n > UINT32_C(1) << width) width++;
    for (int64_t i = i0; i < i1; i++)
        if (c->code[i] != CODE_MISSING) h->number[n++] = c->code[i];
    str_addc(&h->body, (char)width);
    pq_put_runs(&h->body, h->number, n, width);
}

static void add_texts(struct str *t, const struct column *c, int64_t i0, int64_t i1)
{
    for (int64_t i = i0; i < i1; i++) {
        size_t n;
        const char *s = frame_cell_text(c, i, &n);
        if (s) add_text_value(t, s, n);
    }
}

/* Where the page that begins at row i ends. */
static int64_t page_end(const struct column *c, int64_t i, int64_t end)
{
    int64_t bytes = 0, most = i + PAGE_ROWS < end ? i + PAGE_ROWS : end;
    if (physical_of(c) != PQ_BYTES || has_dictionary(c)) return most;
    for (int64_t k = i; k < most; k++) {
        size_t n;
        (void)frame_cell_text(c, k, &n);
        bytes += (int64_t)n;
        if (bytes > PAGE_BYTES && k > i) return k;
    }
    return most;
}

static int data_pages(const struct pq_writer *w, struct pq_hand *h,
                      const struct column *c, struct pq_part_out *to)
{
    int coded = has_dictionary(c);
    for (int64_t i = w->i0, end; i < w->i1; i = end) {
        end = page_end(c, i, w->i1);
        str_clear(&h->body);
        add_levels(h, c, i, end);
        if (c->type == TIDE_BOOL)
            add_bools(&h->body, c, i, end);
        else if (coded)
            add_codes(h, c, i, end);
        else if (physical_of(c) == PQ_BYTES)
            add_texts(&h->body, c, i, end);
        else
            add_numbers(&h->body, c, i, end);
        if (end_page(w, h, 0, end - i, coded ? PQ_RLE_DICTIONARY : PQ_PLAIN, to) != 0)
            return -1;
    }
    return 0;
}

static void encode_column(void *arg, int64_t k, int worker)
{
    struct pq_writer *w = arg;
    struct pq_part_out *to = &w->part[k];
    struct pq_hand *h = &w->hand[worker];
    const struct column *c = &w->f->cols[w->first + (int)k];
    str_clear(&to->bytes);
    if (tell(c, w->i0, w->i1, &to->told) != 0 ||
        (has_dictionary(c) && dictionary_page(w, h, c, to) != 0) ||
        data_pages(w, h, c, to) != 0)
        to->bytes.failed = 1;
    to->told.packed = (int64_t)to->bytes.len;
}

/* ---- the footer ---- */

static void put_schema_column(struct pq_put *p, const struct column *c)
{
    pq_item_struct(p);
    pq_put_int(p, 1, PQ_PUT_I32, physical_of(c));
    pq_put_int(p, 3, PQ_PUT_I32, 1); /* optional */
    pq_put_bytes(p, 4, c->name, strlen(c->name));
    if (physical_of(c) == PQ_BYTES) {
        pq_put_int(p, 6, PQ_PUT_I32, 0); /* the older name of a string */
        pq_put_struct(p, 10);
        pq_put_struct(p, 1); /* string */
        pq_put_end(p);
        pq_put_end(p);
    } else if (c->type == TIDE_TIME) {
        pq_put_struct(p, 10);
        pq_put_struct(p, 8);  /* timestamp */
        pq_put_bool(p, 1, 0); /* of no zone, as the table has it */
        pq_put_struct(p, 2);
        pq_put_struct(p, 2); /* microseconds */
        pq_put_end(p);
        pq_put_end(p);
        pq_put_end(p);
        pq_put_end(p);
    }
    pq_put_end(p);
}

static void begin_footer(struct pq_writer *w, int64_t n_groups)
{
    struct pq_put *p = &w->put;
    *p = (struct pq_put){.to = &w->footer};
    pq_put_int(p, 1, PQ_PUT_I32, 2);
    pq_put_list(p, 2, PQ_PUT_STRUCT, (int64_t)w->f->n_cols + 1);
    pq_item_struct(p);
    pq_put_bytes(p, 4, "schema", 6);
    pq_put_int(p, 5, PQ_PUT_I32, w->f->n_cols);
    pq_put_end(p);
    for (int j = 0; j < w->f->n_cols; j++) put_schema_column(p, &w->f->cols[j]);
    pq_put_int(p, 3, PQ_PUT_I64, w->f->n_rows);
    pq_put_list(p, 4, PQ_PUT_STRUCT, n_groups);
}

static void end_footer(struct pq_writer *w)
{
    static const char writer[] = "tidemill " TIDE_VERSION;
    struct pq_put *p = &w->put;
    pq_put_bytes(p, 6, writer, sizeof writer - 1);
    pq_put_list(p, 7, PQ_PUT_STRUCT, w->f->n_cols);
    for (int j = 0; j < w->f->n_cols; j++) {
        pq_item_struct(p);
        pq_put_struct(p, 1); /* in the order of the type */
        pq_put_end(p);
        pq_put_end(p);
    }
    str_addc(p->to, 0);
    size_t n = w->footer.len;
    pq_put_little(&w->footer, n, 4);
    str_add(&w->footer, "PAR1");
}

static void put_statistics(struct pq_put *p, const struct pq_told *s)
{
    pq_put_struct(p, 12);
    pq_put_int(p, 3, PQ_PUT_I64, s->missing);
    if (s->has_range) {
        pq_put_bytes(p, 5, s->hi, (size_t)s->n_hi);
        pq_put_bytes(p, 6, s->lo, (size_t)s->n_lo);
    }
    pq_put_end(p);
}

/* A chunk that begins at w->at. */
static void put_chunk(struct pq_writer *w, const struct column *c,
                      const struct pq_told *s)
{
    static const int codec[] = {[BLOCK_PLAIN] = 0, [BLOCK_GZIP] = 2, [BLOCK_ZSTD] = 6};
    struct pq_put *p = &w->put;
    int coded = has_dictionary(c);
    pq_item_struct(p);
    pq_put_int(p, 2, PQ_PUT_I64, 0); /* its metadata stand here alone */
    pq_put_struct(p, 3);
    pq_put_int(p, 1, PQ_PUT_I32, physical_of(c));
    pq_put_list(p, 2, PQ_PUT_I32, coded ? 3 : 2);
    pq_item_int(p, PQ_PLAIN);
    pq_item_int(p, PQ_RLE);
    if (coded) pq_item_int(p, PQ_RLE_DICTIONARY);
    pq_put_list(p, 3, PQ_PUT_BYTES, 1);
    pq_item_bytes(p, c->name, strlen(c->name));
    pq_put_int(p, 4, PQ_PUT_I32, codec[w->codec]);
    pq_put_int(p, 5, PQ_PUT_I64, w->i1 - w->i0);
    pq_put_int(p, 6, PQ_PUT_I64, s->raw);
    pq_put_int(p, 7, PQ_PUT_I64, s->packed);
    pq_put_int(p, 9, PQ_PUT_I64, w->at + s->dict);
    if (coded) pq_put_int(p, 11, PQ_PUT_I64, w->at);
    put_statistics(p, s);
    pq_put_end(p);
    pq_put_end(p);
}

/* ---- groups ---- */

/* Where the group that begins at row i ends: rows, and bytes of any column of texts. */
static int64_t group_end(const tide_frame *f, int64_t i)
{
    int64_t end = f->n_rows - i < GROUP_ROWS ? f->n_rows : i + GROUP_ROWS;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        if (c->type != TIDE_TEXT || c->text_at[end] - c->text_at[i] <= GROUP_BYTES)
            continue;
        int64_t lo = i + 1, hi = end; /* the largest end in bounds, at least one row */
        while (lo < hi) {
            int64_t mid = hi - (hi - lo) / 2;
            if (c->text_at[mid] - c->text_at[i] <= GROUP_BYTES)
                lo = mid;
            else
                hi = mid - 1;
        }
        end = lo;
    }
    return end;
}

static tide_status pq_give(struct pq_writer *w, const struct str *t, tide_error *err)
{
    if (t->failed) return err_nomem(err, 0);
    if (t->len && w->sink(w->payload, t->s, t->len) != 0)
        return err_set(err, TIDE_CODE_FILE_ERROR, "the output was not taken");
    w->at += (int64_t)t->len;
    return TIDE_OK;
}

static tide_status write_group(struct pq_writer *w, tide_error *err)
{
    struct pq_put *p = &w->put;
    int n_cols = w->f->n_cols, n;
    int64_t raw = 0, begin = w->at;
    tide_status st = TIDE_OK;
    pq_item_struct(p);
    pq_put_list(p, 1, PQ_PUT_STRUCT, n_cols);
    for (w->first = 0; st == TIDE_OK && w->first < n_cols; w->first += n) {
        n = n_cols - w->first < WAVE ? n_cols - w->first : WAVE;
        st = par_for(w->ctx, n, encode_column, w, err);
        for (int k = 0; st == TIDE_OK && k < n; k++) {
            const struct pq_told *s = &w->part[k].told;
            put_chunk(w, &w->f->cols[w->first + k], s);
            raw += s->raw;
            st = pq_give(w, &w->part[k].bytes, err);
        }
        double share = (double)(w->first + n) / n_cols;
        if (st == TIDE_OK)
            st = ctx_progress(w->ctx, "writing",
                              (double)w->i0 + share * (double)(w->i1 - w->i0),
                              (double)w->f->n_rows, NULL, err);
    }
    w->raw += raw;
    pq_put_int(p, 2, PQ_PUT_I64, raw);
    pq_put_int(p, 3, PQ_PUT_I64, w->i1 - w->i0);
    pq_put_int(p, 6, PQ_PUT_I64, w->at - begin);
    pq_put_end(p);
    return st;
}

/* A text that a page's 32-bit sizes cannot hold. */
static tide_status check_texts(const tide_frame *f, tide_error *err)
{
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        if (c->type != TIDE_TEXT || c->text_at[f->n_rows] <= TEXT_MOST) continue;
        for (int64_t i = 0; i < f->n_rows; i++) {
            if (c->text_at[i + 1] - c->text_at[i] <= TEXT_MOST) continue;
            err_set(err, TIDE_CODE_DATA_RANGE,
                    "row %lld of '%s' has more than 1 GiB, which a page cannot hold",
                    (long long)i + 1, c->name);
            return err_field(err, c->name);
        }
    }
    return TIDE_OK;
}

/* Tables of one value alone shrink so far that our reader, which refuses a file that expands
 * 1,000-fold, would not take them back. Zeros between the chunks and the footer, where no
 * offset leads, make the file at least a 500th of its table. */
static tide_status pad(struct pq_writer *w, tide_error *err)
{
    double table = 8.0 * (double)w->f->n_rows * (double)w->f->n_cols;
    if (table < (double)w->raw) table = (double)w->raw;
    if (table < PAD_FREE) return TIDE_OK;
    struct str zeros = {0};
    for (int k = 0; k < 512; k++) pq_put_little(&zeros, 0, 8);
    tide_status st = TIDE_OK;
    while (st == TIDE_OK && (double)w->at < table / PAD_RATIO)
        st = pq_give(w, &zeros, err);
    str_free(&zeros);
    return st;
}

static tide_status write_all(struct pq_writer *w, tide_error *err)
{
    const tide_frame *f = w->f;
    int64_t n_groups = 0;
    struct str magic = {0};
    for (int64_t i = 0; i < f->n_rows; i = group_end(f, i)) n_groups++;
    begin_footer(w, n_groups);
    str_add(&magic, "PAR1");
    tide_status st = pq_give(w, &magic, err);
    str_free(&magic);
    for (w->i0 = 0; st == TIDE_OK && w->i0 < f->n_rows; w->i0 = w->i1) {
        w->i1 = group_end(f, w->i0);
        st = write_group(w, err);
    }
    if (st == TIDE_OK) st = pad(w, err);
    if (st != TIDE_OK) return st;
    end_footer(w);
    if (w->footer.len > INT32_MAX)
        return err_set(err, TIDE_CODE_LIMIT_COLUMNS,
                       "%d columns in %lld row groups make a footer of more than 2 GiB",
                       f->n_cols, (long long)n_groups);
    return pq_give(w, &w->footer, err);
}

tide_status parquet_write_table(struct tide_ctx *ctx, const tide_frame *frame,
                                enum block_kind codec, tide_sink_fn sink, void *payload,
                                tide_error *err)
{
    struct arena a;
    struct pq_writer w = {
        .ctx = ctx, .f = frame, .codec = codec, .sink = sink, .payload = payload};
    tide_status st = check_texts(frame, err);
    if (st != TIDE_OK) return st;
    arena_init(&a, ctx);
    w.n_hands = par_threads(ctx);
    w.hand = arena_zero(&a, (size_t)w.n_hands * sizeof *w.hand);
    for (int k = 0; w.hand && k < w.n_hands; k++)
        w.hand[k].number = arena_array(&a, PAGE_ROWS, sizeof *w.hand[k].number);
    st = arena_status(&a, err);
    if (st == TIDE_OK) st = write_all(&w, err);
    for (int k = 0; w.hand && k < w.n_hands; k++) {
        str_free(&w.hand[k].body);
        mem_free(w.hand[k].packed);
        str_free(&w.hand[k].head);
        block_coder_free(&w.hand[k].coder);
    }
    for (int k = 0; k < WAVE; k++) str_free(&w.part[k].bytes);
    str_free(&w.footer);
    arena_free(&a);
    return st;
}
