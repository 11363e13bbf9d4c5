/* parquet_chunk.c - the pages of one column in one row group
 *
 * A page is levels (which rows have a value), then the values that are there. Values are
 * decoded densely to the front of the rows they belong to and then spread backwards over
 * them, so no second array of the column's size is needed. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/size.h"
#include "frame/decimal.h"
#include "frame/parquet.h"
#include "frame/values.h"

struct chunk {
    struct pq_reader *r;
    struct pq_work *w;
    const struct pq_column *c;
    const struct pq_chunk *at;
    struct pq_part *part;
    tide_error *err;
    int group, out;
    enum tide_type type;
    int64_t row, done,
        n_rows;           /* first row in the frame; rows done, rows of the group */
    int64_t page_row;     /* first row of the page at hand */
    const uint8_t *valid; /* of its rows; NULL: all are there */
    int64_t n_page;
    /* dictionary */
    int has_dict, dict_bad; /* one of its values does not fit */
    uint32_t n_dict;
    const void *dict;        /* converted */
    const uint8_t *dict_raw; /* as it stands in the page */
    struct pq_text *text;    /* texts */
    const uint32_t *local;   /* category: entry -> local code; NULL: the same */
    struct level_set set;    /* category: local levels */
    struct pq_text *rows;    /* text: of the whole chunk */
    int64_t missing;
    int cut;
};

/* ---- faults ---- */

static tide_status damaged(const struct chunk *k, const char *what)
{
    pq_damaged(k->err, k->r->path, "row group %d of '%s': %s", k->group + 1, k->c->name,
               what);
    return err_field(k->err, k->c->name);
}

static tide_status not_read(const struct chunk *k, const char *what, int number)
{
    err_set(k->err, TIDE_CODE_PARQUET_FEATURE, "'%s' uses %s %d, which is not read",
            k->c->name, what, number);
    err_field(k->err, k->c->name);
    err_at(k->err, k->r->path, 0, 0);
    return TIDE_EDATA;
}

static tide_status no_memory(const struct chunk *k)
{
    struct pq_work *w = k->w;
    const struct arena *all[] = {&w->scratch, &w->temp, &w->keep};
    for (int i = 0; i < 3; i++)
        if (all[i]->failed) return arena_status(all[i], k->err);
    return err_nomem(k->err, 0);
}

/* Row of the frame of value `at` of the page. */
static int64_t row_of(const struct chunk *k, int64_t at)
{
    int64_t i = 0;
    if (!k->valid) return k->page_row + at;
    for (; i < k->n_page; i++)
        if (k->valid[i] && at-- == 0) break;
    return k->page_row + i;
}

static tide_status fault_at(const struct chunk *k, enum pq_fault fault, int64_t row)
{
    static const char *const what[] = {"", "does not fit", "is not UTF-8",
                                       "has a NUL byte"};
    tide_code code = fault == PQ_TOO_LARGE  ? TIDE_CODE_DATA_RANGE
                     : fault == PQ_BAD_UTF8 ? TIDE_CODE_CSV_ENCODING
                                            : TIDE_CODE_CSV_NUL;
    if (fault == PQ_TOO_LARGE && pq_type(k->c) == TIDE_I64) {
        err_set(k->err, code, "row %lld of '%s' is beyond what an int column holds",
                (long long)row + 1, k->c->name);
        err_hint(k->err, "types", "%s=number", k->c->name);
    } else {
        err_set(k->err, code, "row %lld of '%s' %s", (long long)row + 1, k->c->name,
                what[fault]);
    }
    err_field(k->err, k->c->name);
    if (k->err) k->err->row = row + 1;
    return err_at(k->err, k->r->path, 0, 0);
}

/* ---- texts ---- */

static const char hex[] = "0123456789abcdef";

static int print_uuid(struct chunk *k, struct pq_text *t)
{
    const uint8_t *p = (const uint8_t *)t->s;
    char *s = arena_push(&k->w->keep, 36);
    if (!s) return -1;
    t->s = s;
    t->n = 36;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *s++ = '-';
        *s++ = hex[p[i] >> 4];
        *s++ = hex[p[i] & 15];
    }
    return 0;
}

static tide_status plain_texts(struct chunk *k, const uint8_t *p, size_t n_bytes,
                               int64_t n, struct pq_text *out)
{
    const uint8_t *end = p + n_bytes;
    size_t fixed = k->c->physical == PQ_FIXED ? (size_t)k->c->length : 0;
    for (int64_t i = 0; i < n; i++) {
        size_t len = fixed;
        if (!fixed) {
            if (end - p < 4) return damaged(k, "a page of texts ends early");
            len = pq_u32(p);
            p += 4;
        }
        if (len > (size_t)(end - p)) return damaged(k, "a page of texts ends early");
        out[i] = (struct pq_text){(const char *)p, (uint32_t)len};
        p += len;
    }
    return TIDE_OK;
}

/* Lengths as deltas, then the bytes. */
static tide_status length_texts(struct chunk *k, const uint8_t *p, size_t n_bytes,
                                int64_t n, struct pq_text *out)
{
    size_t used;
    int64_t *len = arena_array(&k->w->temp, n + 1, sizeof *len);
    if (!len) return no_memory(k);
    if (pq_delta(p, n_bytes, n, len, &used) != 0)
        return damaged(k, "lengths are not well formed");
    p += used;
    size_t left = n_bytes - used;
    for (int64_t i = 0; i < n; i++) {
        if (len[i] < 0 || (uint64_t)len[i] > left)
            return damaged(k, "a page of texts ends early");
        out[i] = (struct pq_text){(const char *)p, (uint32_t)len[i]};
        p += len[i];
        left -= (size_t)len[i];
    }
    return TIDE_OK;
}

/* How many bytes each shares with the one before, then what follows them. */
static tide_status shared_texts(struct chunk *k, const uint8_t *p, size_t n_bytes,
                                int64_t n, struct pq_text *out)
{
    size_t used;
    int64_t *same = arena_array(&k->w->temp, n + 1, sizeof *same);
    if (!same) return no_memory(k);
    if (pq_delta(p, n_bytes, n, same, &used) != 0)
        return damaged(k, "prefixes are not well formed");
    tide_status st = length_texts(k, p + used, n_bytes - used, n, out);
    if (st != TIDE_OK) return st;
    size_t total = 0, before = 0;
    for (int64_t i = 0; i < n; i++) {
        if (same[i] < 0 || (uint64_t)same[i] > before)
            return damaged(k, "prefixes are not well formed");
        before = (size_t)same[i] + out[i].n;
        if (before > UINT32_MAX || size_add(total, before, &total))
            return damaged(k, "prefixes are not well formed");
    }
    /* a few bytes may stand for many: what they expand to counts */
    if (atomic_fetch_add(&k->r->expanded, (long long)total) + (int64_t)total >
        k->r->most)
        return err_set(k->err, TIDE_CODE_LIMIT_EXPAND,
                       "texts of '%s' expand to more than %lld bytes", k->c->name,
                       (long long)k->r->most);
    char *to = arena_push(&k->w->keep, total + 1);
    if (!to) return no_memory(k);
    const char *last = to;
    for (int64_t i = 0; i < n; i++) {
        if (same[i]) memcpy(to, last, (size_t)same[i]);
        if (out[i].n) memcpy(to + same[i], out[i].s, out[i].n);
        out[i] = (struct pq_text){to, out[i].n + (uint32_t)same[i]};
        last = to;
        to += out[i].n;
    }
    return TIDE_OK;
}

/* n byte arrays of the encoding, checked when they are text. */
static tide_status take_texts(struct chunk *k, int encoding, const uint8_t *p,
                              size_t n_bytes, int64_t n, struct pq_text *out)
{
    tide_status st = encoding == PQ_PLAIN          ? plain_texts(k, p, n_bytes, n, out)
                     : encoding == PQ_DELTA_LENGTH ? length_texts(k, p, n_bytes, n, out)
                     : encoding == PQ_DELTA_BYTES  ? shared_texts(k, p, n_bytes, n, out)
                                                   : not_read(k, "encoding", encoding);
    if (st != TIDE_OK) return st;
    for (int64_t i = 0; k->c->as == PQ_AS_UUID && i < n; i++) {
        if (out[i].n != 16) return damaged(k, "a UUID has not 16 bytes");
        if (print_uuid(k, &out[i]) != 0) return no_memory(k);
    }
    for (int64_t i = 0; k->c->as == PQ_AS_TEXT && i < n; i++) {
        enum pq_fault fault = pq_check_text(out[i].s, out[i].n);
        if (fault) return fault_at(k, fault, row_of(k, i));
    }
    return TIDE_OK;
}

static tide_status wide_decimals(struct chunk *k, const struct pq_text *t, int64_t n,
                                 double *out)
{
    for (int64_t i = 0; i < n; i++) {
        if (t[i].n > 32) return damaged(k, "a decimal has more than 32 bytes");
        out[i] = decimal_bytes((const uint8_t *)t[i].s, (int)t[i].n, 1, k->c->scale);
    }
    return TIDE_OK;
}

/* ---- numbers ---- */

/* Any encoding but a dictionary's as PLAIN bytes; *plain borrows. */
static tide_status make_plain(struct chunk *k, int encoding, const uint8_t *p,
                              size_t n_bytes, int64_t n, const uint8_t **plain)
{
    const struct pq_column *c = k->c;
    struct pq_work *w = k->w;
    size_t bytes, used, width = (size_t)pq_width(c);
    if (c->physical == PQ_BOOL)
        bytes = (size_t)(n + 7) / 8;
    else if (size_mul((size_t)n, width, &bytes))
        return damaged(k, "a page ends early");
    if (encoding == PQ_PLAIN || (encoding == PQ_SPLIT && width > 0)) {
        if (bytes > n_bytes) return damaged(k, "a page ends early");
        *plain = p;
        if (encoding == PQ_PLAIN) return TIDE_OK;
        uint8_t *out = arena_room(&w->scratch, &w->plain, bytes);
        if (!out) return no_memory(k);
        pq_unsplit(p, n, (int)width, out);
        *plain = out;
        return TIDE_OK;
    }
    if (encoding != PQ_DELTA || (c->physical != PQ_I32 && c->physical != PQ_I64))
        return not_read(k, "encoding", encoding);
    int64_t *v = arena_room(&w->scratch, &w->numbers, (size_t)(n + 1) * sizeof *v);
    uint8_t *out = arena_room(&w->scratch, &w->plain, bytes + 8);
    if (!v || !out) return no_memory(k);
    if (pq_delta(p, n_bytes, n, v, &used) != 0)
        return damaged(k, "deltas are not well formed");
    for (int64_t i = 0; i < n; i++)
        for (size_t b = 0; b < width; b++)
            out[(size_t)i * width + b] = (uint8_t)((uint64_t)v[i] >> 8 * b);
    *plain = out;
    return TIDE_OK;
}

/* n values that are no texts, to the front of out. */
static tide_status take_values(struct chunk *k, int encoding, const uint8_t *p,
                               size_t n_bytes, int64_t n, void *out)
{
    const uint8_t *plain = NULL;
    int64_t at = 0;
    if (k->c->physical == PQ_BYTES ||
        (encoding == PQ_DELTA_BYTES && k->c->physical == PQ_FIXED)) {
        struct pq_text *t = arena_array(&k->w->temp, n + 1, sizeof *t);
        if (!t) return no_memory(k);
        tide_status st = take_texts(k, encoding, p, n_bytes, n, t);
        if (st != TIDE_OK) return st;
        if (k->c->as != PQ_AS_DECIMAL) return not_read(k, "encoding", encoding);
        return wide_decimals(k, t, n, out);
    }
    tide_status st = make_plain(k, encoding, p, n_bytes, n, &plain);
    if (st != TIDE_OK) return st;
    enum pq_fault fault = pq_convert(k->c, plain, n, out, &at, &k->cut);
    return fault ? fault_at(k, fault, row_of(k, at)) : TIDE_OK;
}

/* ---- the dictionary ---- */

/* Entries get local codes; equal entries one. */
static tide_status number_levels(struct chunk *k)
{
    struct pq_work *w = k->w;
    uint32_t *local = arena_array(&w->temp, (int64_t)k->n_dict + 1, sizeof *local);
    int same = 1;
    if (!local) return no_memory(k);
    for (uint32_t i = 0; i < k->n_dict; i++) {
        local[i] = level_set_add(&k->set, k->text[i].s, k->text[i].n, 0);
        if (local[i] == CODE_MISSING) return no_memory(k);
        same &= local[i] == i;
    }
    k->local = same ? NULL : local;
    return TIDE_OK;
}

static tide_status dict_texts(struct chunk *k, const uint8_t *p, size_t n_bytes)
{
    struct pq_work *w = k->w;
    struct arena *a = k->type == TIDE_TEXT ? &w->temp : &w->keep;
    k->text = arena_array(a, (int64_t)k->n_dict + 1, sizeof *k->text);
    if (!k->text) return no_memory(k);
    tide_status st = take_texts(k, PQ_PLAIN, p, n_bytes, k->n_dict, k->text);
    return st == TIDE_OK && k->type == TIDE_CAT ? number_levels(k) : st;
}

static tide_status dict_values(struct chunk *k, const uint8_t *p, size_t n_bytes)
{
    size_t width = (size_t)pq_width(k->c);
    void *dict = arena_room(&k->w->scratch, &k->w->dict, ((size_t)k->n_dict + 1) * 8);
    int64_t at = 0;
    if (!dict) return no_memory(k);
    k->dict = dict;
    if (k->c->physical == PQ_BYTES) {
        k->page_row = k->row;
        return take_values(k, PQ_PLAIN, p, n_bytes, k->n_dict, dict);
    }
    if (k->c->physical == PQ_BOOL || n_bytes / width < k->n_dict)
        return damaged(k, "its dictionary ends early");
    k->dict_raw = p;
    int cut = 0; /* told by the rows that use it: nearly always all are used */
    k->dict_bad = pq_convert(k->c, p, k->n_dict, dict, &at, &cut) != PQ_FINE;
    k->cut |= cut;
    return TIDE_OK;
}

static tide_status take_dict(struct chunk *k, const struct pq_page *page,
                             const uint8_t *p, size_t n_bytes)
{
    if (k->has_dict || k->done) return damaged(k, "it has a second dictionary");
    if (page->encoding != PQ_PLAIN && page->encoding != PQ_PLAIN_DICTIONARY)
        return not_read(k, "dictionary encoding", page->encoding);
    k->has_dict = 1;
    k->n_dict = (uint32_t)page->n_values;
    size_t least = k->c->physical == PQ_BYTES ? 4 : 1;
    if (n_bytes / least < k->n_dict) return damaged(k, "its dictionary ends early");
    k->page_row = k->row;
    if (k->type == TIDE_CAT || k->type == TIDE_TEXT) return dict_texts(k, p, n_bytes);
    return dict_values(k, p, n_bytes);
}

/* Dictionary values that do not fit were not converted: which row has the first? */
static tide_status find_bad_row(struct chunk *k, const uint32_t *index, int64_t n)
{
    size_t width = (size_t)pq_width(k->c);
    for (int64_t i = 0; i < n; i++) {
        uint64_t one;
        int64_t at;
        enum pq_fault fault =
            pq_convert(k->c, k->dict_raw + index[i] * width, 1, &one, &at, &k->cut);
        if (fault) return fault_at(k, fault, row_of(k, i));
        memcpy((char *)(uintptr_t)k->dict + index[i] * sizeof one, &one, sizeof one);
    }
    return TIDE_OK;
}

static tide_status take_index(struct chunk *k, const uint8_t *p, size_t n_bytes,
                              int64_t n, const uint32_t **out)
{
    uint32_t *index =
        arena_room(&k->w->scratch, &k->w->index, ((size_t)n + 8) * sizeof *index);
    if (!index) return no_memory(k);
    *out = index;
    if (n == 0) return TIDE_OK;
    if (!k->has_dict) return damaged(k, "its dictionary is absent");
    if (n_bytes < 1 || pq_rle(p + 1, n_bytes - 1, p[0], n, index) != 0)
        return damaged(k, "a page of indices ends early");
    uint32_t most = 0;
    for (int64_t i = 0; i < n; i++) most = index[i] > most ? index[i] : most;
    if (most >= k->n_dict) return damaged(k, "an index is beyond its dictionary");
    return k->dict_bad ? find_bad_row(k, index, n) : TIDE_OK;
}

static void gather(const struct chunk *k, const uint32_t *index, int64_t n, void *out)
{
    uint64_t *to = out;
    const uint64_t *from = k->dict;
    for (int64_t i = 0; i < n; i++) to[i] = from[index[i]];
}

/* ---- pages ---- */

/* Values stand at the front of n rows: each goes to its row, from the last one on. */
#define SPREAD(T, none)                                                                \
    do {                                                                               \
        T *v = out;                                                                    \
        for (int64_t i = n - 1; i >= 0; i--) {                                         \
            at -= k->valid[i];                                                         \
            v[i] = k->valid[i] ? v[at] : (none);                                       \
        }                                                                              \
    } while (0)

static void spread(const struct chunk *k, int64_t n, int64_t n_valid, void *out)
{
    int64_t at = n_valid;
    if (!k->valid) return;
    switch (k->type) {
    case TIDE_BOOL:
        SPREAD(uint8_t, BOOL_MISSING);
        break;
    case TIDE_F64:
        SPREAD(double, (double)NAN);
        break;
    case TIDE_I64:
    case TIDE_TIME:
        SPREAD(int64_t, I64_MISSING);
        break;
    case TIDE_CAT:
        SPREAD(uint32_t, CODE_MISSING);
        break;
    case TIDE_TEXT:
        SPREAD(struct pq_text, ((struct pq_text){NULL, 0}));
        break;
    }
}

/* Counts NaN; infinities are refused, or become missing. */
static tide_status look_at_numbers(struct chunk *k, double *v, int64_t n)
{
    int64_t missing = 0, infinite = 0;
    for (int64_t i = 0; i < n; i++) {
        missing += v[i] != v[i];
        infinite += fabs(v[i]) > 1.7976931348623157e308;
    }
    k->missing += missing;
    if (!infinite) return TIDE_OK;
    for (int64_t i = 0; i < n; i++) {
        if (!isinf(v[i])) continue;
        if (k->r->o && k->r->o->inf == 1) {
            v[i] = (double)NAN;
            k->missing++;
            continue;
        }
        int64_t row = k->page_row + i + 1;
        err_set(k->err, TIDE_CODE_DATA_INFINITE, "row %lld of '%s' is infinite",
                (long long)row, k->c->name);
        err_hint(k->err, "inf", "missing");
        err_field(k->err, k->c->name);
        if (k->err) k->err->row = row;
        return err_at(k->err, k->r->path, 0, 0);
    }
    return TIDE_OK;
}

/* Texts of a page that has no dictionary, numbered. */
static tide_status number_texts(struct chunk *k, const struct pq_text *t, int64_t n,
                                uint32_t *out)
{
    int declared = k->c->type == TIDE_CAT;
    for (int64_t i = 0; i < n; i++) {
        out[i] = level_set_add(&k->set, t[i].s, t[i].n, 1);
        if (out[i] == CODE_MISSING) return no_memory(k);
        if (k->set.n > LEVELS_MOST && !declared) {
            atomic_store(&k->r->too_many[k->out], 1);
            break;
        }
    }
    return TIDE_OK;
}

static tide_status page_of_texts(struct chunk *k, int encoding, const uint8_t *p,
                                 size_t n_bytes, int64_t n, void *out)
{
    const uint32_t *index;
    uint32_t *code = out;
    struct pq_text *row = out;
    if (encoding == PQ_PLAIN_DICTIONARY || encoding == PQ_RLE_DICTIONARY) {
        tide_status st = take_index(k, p, n_bytes, n, &index);
        if (st != TIDE_OK) return st;
        if (k->type == TIDE_TEXT)
            for (int64_t i = 0; i < n; i++) row[i] = k->text[index[i]];
        else if (k->local)
            for (int64_t i = 0; i < n; i++) code[i] = k->local[index[i]];
        else if (n)
            memcpy(code, index, (size_t)n * sizeof *code);
        return TIDE_OK;
    }
    if (k->type == TIDE_TEXT) return take_texts(k, encoding, p, n_bytes, n, row);
    struct pq_text *t =
        arena_room(&k->w->scratch, &k->w->text, (size_t)(n + 1) * sizeof *t);
    if (!t) return no_memory(k);
    tide_status st = take_texts(k, encoding, p, n_bytes, n, t);
    return st == TIDE_OK ? number_texts(k, t, n, code) : st;
}

static tide_status page_of_bools(struct chunk *k, const uint8_t *p, size_t n_bytes,
                                 int64_t n, uint8_t *out)
{
    uint32_t *index =
        arena_room(&k->w->scratch, &k->w->index, ((size_t)n + 8) * sizeof *index);
    if (!index) return no_memory(k);
    if (n_bytes < 4 || pq_u32(p) > n_bytes - 4 ||
        pq_rle(p + 4, pq_u32(p), 1, n, index) != 0)
        return damaged(k, "a page of runs ends early");
    for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)index[i];
    return TIDE_OK;
}

/* The n values that are there, of a page whose levels are known, into their rows. */
static tide_status page_values(struct chunk *k, int encoding, const uint8_t *p,
                               size_t n_bytes, int64_t n)
{
    static const uint8_t each[] = {[TIDE_BOOL] = 1,
                                   [TIDE_I64] = 8,
                                   [TIDE_F64] = 8,
                                   [TIDE_TIME] = 8,
                                   [TIDE_CAT] = 4};
    char *out = k->type == TIDE_TEXT
                    ? (char *)(k->rows + k->done)
                    : (char *)k->r->to[k->out] + k->page_row * each[k->type];
    tide_status st;
    k->missing += k->type == TIDE_F64 ? 0 : k->n_page - n;
    if (k->c->as == PQ_AS_NULL && n > 0)
        return damaged(k, "a column of nulls has values");
    if (k->type == TIDE_CAT || k->type == TIDE_TEXT) {
        st = page_of_texts(k, encoding, p, n_bytes, n, out);
    } else if (encoding == PQ_PLAIN_DICTIONARY || encoding == PQ_RLE_DICTIONARY) {
        const uint32_t *index;
        st = take_index(k, p, n_bytes, n, &index);
        if (st == TIDE_OK && k->type == TIDE_BOOL)
            st = not_read(k, "encoding", encoding);
        if (st == TIDE_OK) gather(k, index, n, out);
    } else if (encoding == PQ_RLE && k->c->physical == PQ_BOOL) {
        st = page_of_bools(k, p, n_bytes, n, (uint8_t *)out);
    } else {
        st = take_values(k, encoding, p, n_bytes, n, out);
    }
    if (st != TIDE_OK || atomic_load(&k->r->too_many[k->out])) return st;
    spread(k, k->n_page, n, out);
    if (k->type == TIDE_F64) st = look_at_numbers(k, (double *)out, k->n_page);
    return st;
}

/* Reads levels of n_bytes; sets k->valid and *n_valid. */
static tide_status page_levels(struct chunk *k, const uint8_t *p, size_t n_bytes,
                               int64_t *n_valid)
{
    uint8_t *valid = arena_room(&k->w->scratch, &k->w->valid, (size_t)k->n_page + 8);
    if (!valid) return no_memory(k);
    if (pq_levels(p, n_bytes, k->n_page, valid, n_valid) != 0)
        return damaged(k, "levels are not well formed");
    k->valid = *n_valid < k->n_page ? valid : NULL;
    return TIDE_OK;
}

static enum block_kind block_of(int codec)
{
    static const enum block_kind kinds[] = {BLOCK_PLAIN, BLOCK_SNAPPY, BLOCK_GZIP,
                                            BLOCK_PLAIN, BLOCK_PLAIN,  BLOCK_PLAIN,
                                            BLOCK_ZSTD,  BLOCK_LZ4};
    return kinds[codec];
}

/* A page's bytes, decompressed. Texts must outlive the chunk, numbers only the page; a
 * dictionary outlives the pages that follow it. */
static tide_status open_page(struct chunk *k, const struct pq_page *page,
                             const uint8_t *p, size_t n_bytes, size_t n_raw,
                             const uint8_t **out)
{
    struct pq_work *w = k->w;
    int texts = k->type == TIDE_CAT || k->type == TIDE_TEXT;
    int dict = page->kind == PQ_DICT_PAGE;
    int packed = k->at->codec != 0 && page->packed;
    int index =
        page->encoding == PQ_PLAIN_DICTIONARY || page->encoding == PQ_RLE_DICTIONARY;
    int stays = texts && (dict || (k->type == TIDE_TEXT && !index));
    long long all = atomic_fetch_add(&k->r->expanded, (long long)n_raw);
    if (all + (int64_t)n_raw > k->r->most) {
        err_set(k->err, TIDE_CODE_LIMIT_EXPAND, "pages expand to more than %lld bytes",
                (long long)k->r->most);
        return err_at(k->err, k->r->path, 0, 0);
    }
    if (!packed && n_bytes != n_raw) return damaged(k, "sizes of a page differ");
    *out = p;
    if (!packed && !stays) return TIDE_OK;
    uint8_t *to = stays  ? arena_push(&w->keep, n_raw + 1)
                  : dict ? arena_push(&w->temp, n_raw + 1)
                         : arena_room(&w->scratch, &w->page, n_raw + 1);
    if (!to) return no_memory(k);
    *out = to;
    if (n_raw == 0) return TIDE_OK; /* some writers leave no block then */
    enum block_result res =
        block_decode(&w->coder, packed ? block_of(k->at->codec) : BLOCK_PLAIN, p,
                     n_bytes, to, n_raw);
    if (res == BLOCK_NOMEM) return err_nomem(k->err, n_raw);
    return res == BLOCK_OK ? TIDE_OK : damaged(k, "compressed data is damaged");
}

static tide_status data_page(struct chunk *k, const struct pq_page *page,
                             const uint8_t *p)
{
    size_t n_bytes = (size_t)page->bytes, n_raw = (size_t)page->raw_bytes, levels = 0;
    int64_t n = page->n_values, n_valid = n;
    const uint8_t *raw;
    tide_status st = TIDE_OK;
    k->n_page = n;
    k->valid = NULL;
    k->page_row = k->row + k->done;
    if (n > k->n_rows - k->done) return damaged(k, "pages have too many values");
    if (page->kind == PQ_DATA_PAGE_2) { /* its levels are outside the compressed part */
        if (page->rep_bytes < 0 || page->def_bytes < 0 ||
            page->rep_bytes > page->bytes ||
            page->def_bytes > page->bytes - page->rep_bytes ||
            page->rep_bytes + page->def_bytes > page->raw_bytes)
            return damaged(k, "sizes of a page differ");
        levels = (size_t)page->rep_bytes + (size_t)page->def_bytes;
        if (k->c->optional)
            st = page_levels(k, p + page->rep_bytes, (size_t)page->def_bytes, &n_valid);
    }
    if (st == TIDE_OK)
        st = open_page(k, page, p + levels, n_bytes - levels, n_raw - levels, &raw);
    if (st != TIDE_OK) return st;
    n_raw -= levels;
    if (page->kind == PQ_DATA_PAGE && k->c->optional) {
        if (page->level_encoding != PQ_RLE)
            return not_read(k, "level encoding", page->level_encoding);
        if (n_raw < 4 || pq_u32(raw) > n_raw - 4)
            return damaged(k, "levels are not well formed");
        st = page_levels(k, raw + 4, pq_u32(raw), &n_valid);
        n_raw -= 4 + (size_t)pq_u32(raw);
        raw += 4 + (size_t)pq_u32(raw);
    }
    if (st == TIDE_OK) st = page_values(k, page->encoding, raw, n_raw, n_valid);
    k->done += n;
    return st;
}

static tide_status one_page(struct chunk *k, const uint8_t **p, const uint8_t *end)
{
    struct pq_page page;
    size_t head = pq_page_header(&page, *p, (size_t)(end - *p));
    if (!head) return damaged(k, "a page header is not well formed");
    *p += head;
    if (page.bytes > end - *p) return damaged(k, "a page is cut short");
    const uint8_t *body = *p, *raw;
    *p += page.bytes;
    if (page.has_crc && crc32_zlib(body, (size_t)page.bytes) != page.crc)
        return damaged(k, "the checksum of a page differs");
    if (page.kind == PQ_INDEX_PAGE) return TIDE_OK;
    if (page.kind != PQ_DICT_PAGE) return data_page(k, &page, body);
    k->n_page = 0;
    k->valid = NULL;
    tide_status st =
        open_page(k, &page, body, (size_t)page.bytes, (size_t)page.raw_bytes, &raw);
    return st == TIDE_OK ? take_dict(k, &page, raw, (size_t)page.raw_bytes) : st;
}

/* ---- the chunk ---- */

static tide_status chunk_bytes(struct chunk *k, const uint8_t **p)
{
    struct pq_reader *r = k->r;
    const struct pq_chunk *at = k->at;
    size_t got = 0;
    if (at->sealed || at->elsewhere) {
        err_set(k->err, TIDE_CODE_PARQUET_FEATURE, "'%s' is %s, which is not read",
                k->c->name, at->sealed ? "encrypted" : "in another file");
        return err_at(k->err, r->path, 0, 0);
    }
    if (at->codec < 0 || at->codec > 7 || (at->codec >= 3 && at->codec <= 5)) {
        tide_status st = not_read(k, "compression", at->codec);
        err_hint(k->err, "", "write it with zstd, snappy, gzip or lz4_raw");
        return st;
    }
    if (at->offset < 4 || at->bytes < 0 || at->offset > r->size ||
        at->bytes > r->size - at->offset)
        return damaged(k, "its bytes lie outside the file");
    if (at->n_values != k->n_rows) return damaged(k, "it has another number of rows");
    if (r->data) {
        *p = r->data + at->offset;
        return TIDE_OK;
    }
    uint8_t *to = arena_room(&k->w->scratch, &k->w->chunk, (size_t)at->bytes + 1);
    if (!to) return no_memory(k);
    *p = to;
    tide_status st =
        file_pread(r->fd, r->path, to, (size_t)at->bytes, at->offset, &got, k->err);
    if (st == TIDE_OK && got < (size_t)at->bytes) {
        err_set(k->err, TIDE_CODE_FILE_CHANGED,
                "the file became shorter while it was read");
        st = err_at(k->err, r->path, 0, 0);
    }
    return st;
}

static tide_status begin_texts(struct chunk *k)
{
    struct pq_work *w = k->w;
    if (k->type == TIDE_TEXT) {
        k->rows = arena_array(&w->keep, k->n_rows + 1, sizeof *k->rows);
        return k->rows ? TIDE_OK : no_memory(k);
    }
    return level_set_init(&k->set, &w->keep, &w->temp, k->n_rows) == 0 ? TIDE_OK
                                                                       : no_memory(k);
}

static void end_texts(struct chunk *k)
{
    struct pq_part *part = k->part;
    int64_t bytes = 0;
    if (k->type == TIDE_TEXT) {
        for (int64_t i = 0; i < k->n_rows; i++) bytes += k->rows[i].n;
        part->row = k->rows;
    } else {
        uint32_t longest = 0;
        for (uint32_t i = 0; i < k->set.n; i++)
            if (k->set.level[i].len > longest) longest = k->set.level[i].len;
        part->level = k->set.level;
        part->n_levels = k->set.n;
        const uint32_t *code = (const uint32_t *)k->r->to[k->out] + k->row;
        bytes = 0; /* only long levels can make it a text */
        for (int64_t i = 0; longest > 32 && i < k->n_rows; i++)
            if (code[i] != CODE_MISSING) bytes += k->set.level[code[i]].len;
    }
    part->bytes = bytes;
}

tide_status pq_chunk_read(struct pq_reader *r, struct pq_work *w, int group, int out,
                          tide_error *err)
{
    const struct pq_meta *m = &r->meta;
    int col = r->col_of[out];
    const struct pq_column *c = &m->cols[col];
    struct chunk k = {.r = r,
                      .w = w,
                      .c = c,
                      .at = &m->chunk[(int64_t)group * m->n_cols + col],
                      .part = &r->part[(int64_t)group * r->n_out + out],
                      .err = err,
                      .group = group,
                      .out = out,
                      .type = (enum tide_type)r->f->cols[out].type,
                      .row = m->row0[group],
                      .n_rows = m->row0[group + 1] - m->row0[group]};
    int texts = k.type == TIDE_CAT || k.type == TIDE_TEXT;
    const uint8_t *p = NULL;
    if (k.n_rows == 0) return TIDE_OK; /* some writers give such a chunk no place */
    arena_free(&w->temp);
    tide_status st = chunk_bytes(&k, &p);
    if (st == TIDE_OK && texts) st = begin_texts(&k);
    const uint8_t *end = p ? p + k.at->bytes : NULL;
    while (st == TIDE_OK && k.done < k.n_rows && !atomic_load(&r->too_many[out])) {
        if (p == end) return damaged(&k, "pages are missing");
        st = one_page(&k, &p, end);
    }
    if (st != TIDE_OK || atomic_load(&r->too_many[out])) return st;
    if (texts) end_texts(&k);
    atomic_fetch_add(&r->missing[out], k.missing);
    if (k.cut) atomic_store(&r->cut[out], 1);
    return TIDE_OK;
}
