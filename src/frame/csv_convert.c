/* csv_convert.c - columns from cells: blocks in parallel, widening, dictionaries, text
 *
 * A pass converts the columns marked `todo`, all of them in one block while its text is in
 * cache. What a pass learns of a column (counts, first rows) are sums and minima over
 * blocks, so it does not depend on who converted what. A block numbers the levels of a
 * category by first appearance; the blocks' levels are joined in the order of blocks, which
 * is the order of rows. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv.h"
#include "frame/level_set.h"

struct local {
    const struct level *level;
    uint32_t n;
    uint32_t *code; /* of the column, filled by the join */
};

struct worker {
    struct arena keep, temp;
};

struct job {
    struct csv_reader *r;
    tide_frame *f;
    struct worker *workers;
    int n_workers;
    struct local *local;      /* [n_cat][n_blocks] */
    struct level_set *joined; /* [n_cat] */
    int n_cat;
    int *cat_col; /* [n_cat] */
};

static void lower_to(atomic_llong *at, int64_t row)
{
    long long now = atomic_load_explicit(at, memory_order_relaxed);
    while (row < now && !atomic_compare_exchange_weak(at, &now, row)) {
    }
}

static void note_row(atomic_llong *count, atomic_llong *first, int64_t row)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    lower_to(first, row);
}

/* A cell that is not of the type: counted; when rows may be bad, the row is marked. */
static void note_bad(const struct csv_reader *r, struct csv_column *c,
                     enum csv_number kind, int64_t row)
{
    if (kind == CSV_RANGE || kind == CSV_INFINITE)
        note_row(&c->range_faults, &c->range_row, row);
    else
        note_row(&c->type_faults, &c->type_row, row);
    if (r->bad) r->bad[row] = 1;
}

/* ---- numbers, truth values, dates ---- */

/* The eight bytes that end the n <= 8 of a cell, with '0' before them. The bytes behind a
 * cell can be read: texts are padded. */
static inline uint64_t digits_at(const char *s, int64_t n)
{
    uint64_t v;
    memcpy(&v, s, sizeof v);
    int shift = (int)(64 - 8 * n);
    return shift ? v << shift | UINT64_C(0x3030303030303030) >> (64 - shift) : v;
}

static inline int are_digits(uint64_t v)
{
    return (((v + UINT64_C(0x4646464646464646)) | (v - UINT64_C(0x3030303030303030))) &
            UINT64_C(0x8080808080808080)) == 0;
}

/* The number that eight digits write, first digit in the lowest byte. */
static inline uint64_t value_of(uint64_t v)
{
    v -= UINT64_C(0x3030303030303030);
    v = v * 10 + (v >> 8);
    return (((v & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064)) +
            (((v >> 16) & UINT64_C(0x000000ff000000ff)) *
             UINT64_C(0x0000271000000001))) >>
           32;
}

/* A plain number of at most eight digits before its mark and eight behind: 1 when it was one.
 * The mantissa is below 10^16; above 2^53 it is left to num_parse, as it is inexact. */
static inline int short_number(const char *s, int64_t n, char decimal, double *out)
{
    static const double ten[9] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    int minus = *s == '-';
    s += minus;
    n -= minus;
    if (n < 1 || n > 17) return 0;
    int64_t whole = 0;
    while (whole < n && whole <= 8 && s[whole] != decimal) whole++;
    if (whole < 1 || whole > 8) return 0;
    uint64_t v = digits_at(s, whole);
    if (!are_digits(v)) return 0;
    uint64_t m = value_of(v);
    int64_t part = n - whole - 1;
    if (part > 0) {
        if (part > 8) return 0;
        v = digits_at(s + whole + 1, part);
        if (!are_digits(v)) return 0;
        m = m * (uint64_t)ten[part] + value_of(v);
        if (m >> 53) return 0;
    }
    double x = part > 0 ? (double)m / ten[part] : (double)m;
    *out = minus ? -x : x;
    return 1;
}

static void convert_f64(const struct csv_reader *r, const struct csv_block *b, int j)
{
    struct csv_column *c = &r->cols[j];
    double *out = (double *)c->data + b->row0;
    int64_t missing = 0;
    int plain = r->o.na.n == 0;
    char decimal = r->d.decimal;
    struct csv_walk w = csv_walk_of(r, b, j);
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        int64_t n = csv_walk_cell(&w, i, &s);
        if (plain && n > 0 &&
            (short_number(s, n, decimal, &out[i]) ||
             num_parse(s, (size_t)n, decimal, &out[i]) == NUM_OK))
            continue;
        if (n == 0) {
            out[i] = (double)NAN;
            missing++;
            continue;
        }
        enum csv_number kind = csv_parse_number(r, csv_cell_at(r, b, i, j), &out[i]);
        missing += kind == CSV_MISSING;
        if (kind == CSV_INEXACT) note_row(&c->inexact, &c->inexact_row, b->row0 + i);
        if (kind == CSV_UNDERFLOW) atomic_fetch_add(&c->underflow, 1);
        if (kind < CSV_RANGE) continue;
        note_bad(r, c, kind, b->row0 + i);
        out[i] = (double)NAN;
        missing++;
    }
    atomic_fetch_add(&c->missing, missing);
}

static void convert_i64(const struct csv_reader *r, const struct csv_block *b, int j)
{
    struct csv_column *c = &r->cols[j];
    int64_t *out = (int64_t *)c->data + b->row0, missing = 0;
    int plain = r->o.na.n == 0;
    struct csv_walk w = csv_walk_of(r, b, j);
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        int64_t n = csv_walk_cell(&w, i, &s);
        if (plain && n > 0 && n <= 8) {
            uint64_t v = digits_at(s, n);
            if (are_digits(v)) {
                out[i] = (int64_t)value_of(v);
                continue;
            }
        }
        struct csv_cell cell = csv_cell_at(r, b, i, j);
        enum csv_number kind = csv_parse_int(r, cell, &out[i]);
        if (kind == CSV_NUMBER) continue;
        missing++;
        if (kind == CSV_MISSING) continue;
        double v;
        kind = csv_parse_number(r, cell, &v);
        if (kind == CSV_MISSING) continue;
        if (kind < CSV_RANGE && !c->declared) {
            atomic_store_explicit(&c->widen, 1, memory_order_relaxed);
        } else {
            note_bad(r, c, kind == CSV_OTHER || kind < CSV_RANGE ? CSV_OTHER : kind,
                     b->row0 + i);
        }
    }
    atomic_fetch_add(&c->missing, missing);
}

/* How a yes/no cell is written (struct column: bool_style). */
static int bool_style(struct csv_cell c)
{
    size_t i = 0;
    while (i < c.n && (c.s[i] == ' ' || c.s[i] == '"' || c.s[i] == '\t')) i++;
    if (i + 1 < c.n && (c.s[i] == 'T' || c.s[i] == 'F'))
        return c.s[i + 1] >= 'A' && c.s[i + 1] <= 'Z' ? 2 : 1;
    return i < c.n && (c.s[i] == '0' || c.s[i] == '1') ? 3 : 0;
}

static void convert_bool(const struct csv_reader *r, const struct csv_block *b, int j)
{
    struct csv_column *c = &r->cols[j];
    uint8_t *out = (uint8_t *)c->data + b->row0;
    int64_t missing = 0;
    long long first = INT64_MAX, before = atomic_load(&c->bool_first);
    for (int64_t i = 0; i < b->n_rows; i++) {
        enum csv_number kind =
            csv_parse_bool(r, csv_cell_at(r, b, i, j), c->declared, &out[i]);
        missing += kind != CSV_NUMBER;
        if (kind == CSV_NUMBER && first == INT64_MAX)
            first = (b->row0 + i) * 4 + bool_style(csv_cell_at(r, b, i, j));
        if (kind == CSV_OTHER) note_bad(r, c, kind, b->row0 + i);
    }
    while (first < before &&
           !atomic_compare_exchange_weak(&c->bool_first, &before, first)) {
    }
    atomic_fetch_add(&c->missing, missing);
}

static void convert_time(const struct csv_reader *r, const struct csv_block *b, int j)
{
    struct csv_column *c = &r->cols[j];
    int64_t *out = (int64_t *)c->data + b->row0, missing = 0;
    int plain = r->o.na.n == 0;
    struct csv_walk w = csv_walk_of(r, b, j);
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        int64_t n = csv_walk_cell(&w, i, &s);
        if (plain && n > 0 && time_parse(s, (size_t)n, &out[i]) == 0) continue;
        enum csv_number kind = csv_parse_time(r, csv_cell_at(r, b, i, j), &out[i]);
        missing += kind != CSV_NUMBER;
        if (kind == CSV_OTHER) note_bad(r, c, kind, b->row0 + i);
    }
    atomic_fetch_add(&c->missing, missing);
}

/* ---- categories and text ---- */

/* A text of at most 16 bytes as two words; what lies behind it in the padded text is cut. */
struct key {
    uint64_t a, b;
};

static inline struct key key_of(const char *s, int64_t n)
{
    struct key k;
    memcpy(&k.a, s, 8);
    if (n <= 8) {
        k.a = n ? k.a << (64 - 8 * n) : 0;
        k.b = 0;
        return k;
    }
    memcpy(&k.b, s + 8, 8);
    k.b <<= 128 - 8 * n;
    return k;
}

static inline uint32_t hash_of_key(struct key k, int64_t n)
{
    uint64_t h = (k.a ^ (uint64_t)n) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= (k.b + (h >> 29)) * UINT64_C(0xD1B54A32D192ED03);
    return (uint32_t)(h >> 32);
}

/* The code of a short plain cell that is known already, or CODE_MISSING. Levels are compared
 * by their bytes: a level borrowed from the text or copied has no padding of its own. */
static inline uint32_t find_short(const struct level_set *set, const char *s, int64_t n,
                                  uint32_t hash)
{
    uint32_t at = hash & set->mask;
    for (; set->slot[at]; at = (at + 1) & set->mask) {
        const struct level *l = &set->level[set->slot[at] - 1];
        if (l->hash == hash && l->len == (uint32_t)n && memcmp(l->s, s, (size_t)n) == 0)
            return set->slot[at] - 1;
    }
    return CODE_MISSING;
}

/* The hash of a text, the same for a cell however it was quoted. */
static uint32_t hash_of_text(const char *s, size_t n)
{
    char text[16] = {0};
    if (n > 16) return (uint32_t)hash64(s, n, 0);
    if (n) memcpy(text, s, n);
    return hash_of_key(key_of(text, (int64_t)n), (int64_t)n);
}

static void convert_cat(const struct job *t, const struct csv_block *b, int j,
                        struct worker *w)
{
    const struct csv_reader *r = t->r;
    struct csv_column *c = &r->cols[j];
    uint32_t *out = (uint32_t *)c->data + b->row0;
    int64_t missing = 0, bytes = 0;
    struct level_set set;
    struct arena_mark mark = arena_mark(&w->temp);
    if (atomic_load_explicit(&c->too_many, memory_order_relaxed)) return;
    if (level_set_init(&set, &w->keep, &w->temp, b->n_rows) != 0) return;
    struct csv_walk walk = csv_walk_of(r, b, j);
    int plain = r->o.na.n == 0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        int64_t len = csv_walk_cell(&walk, i, &s);
        if (plain && len > 0 && len <= 16) {
            out[i] = find_short(&set, s, len, hash_of_key(key_of(s, len), len));
            if (out[i] != CODE_MISSING &&
                (len > 4 || !csv_is_missing(s, (size_t)len))) {
                bytes += len;
                continue;
            }
        }
        struct csv_cell cell = csv_cell_at(r, b, i, j);
        struct arena_mark cell_mark = arena_mark(&w->temp);
        if (!csv_parse_text(r, cell, &w->temp, &s, &n)) {
            out[i] = CODE_MISSING;
            missing++;
            continue;
        }
        int copied = s < cell.s || s > cell.s + cell.n;
        uint32_t slots = set.mask;
        out[i] = level_set_add_hashed(&set, s, n, hash_of_text(s, n), copied);
        if (out[i] == CODE_MISSING) break; /* the arena tells */
        if (copied && slots == set.mask) arena_reset(&w->temp, cell_mark);
        bytes += (int64_t)n;
        if (set.n > CSV_LEVELS && !c->declared) {
            atomic_store_explicit(&c->too_many, 1, memory_order_relaxed);
            break;
        }
    }
    t->local[(int64_t)c->cat * r->n_blocks + (b - r->blocks)] =
        (struct local){set.level, set.n, NULL};
    arena_reset(&w->temp, mark);
    atomic_fetch_add(&c->missing, missing);
    atomic_fetch_add(&c->bytes, bytes);
}

/* Lengths first: text_at[row] holds the length of the row, ~length when missing. */
static void measure_text(const struct job *t, const struct csv_block *b, int j,
                         struct worker *w)
{
    const struct csv_reader *r = t->r;
    struct csv_column *c = &r->cols[j];
    int64_t *at = (int64_t *)c->data + b->row0, missing = 0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        struct arena_mark mark = arena_mark(&w->temp);
        int there = csv_parse_text(r, csv_cell_at(r, b, i, j), &w->temp, &s, &n);
        at[i] = there ? (int64_t)n : -1;
        missing += !there;
        arena_reset(&w->temp, mark);
    }
    atomic_fetch_add(&c->missing, missing);
}

static void copy_text(const struct job *t, const struct csv_block *b, int j,
                      struct worker *w)
{
    const struct csv_reader *r = t->r;
    struct csv_column *c = &r->cols[j];
    const int64_t *at = (const int64_t *)c->data + b->row0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        size_t n;
        struct arena_mark mark = arena_mark(&w->temp);
        int there = csv_parse_text(r, csv_cell_at(r, b, i, j), &w->temp, &s, &n);
        if (there && n && (int64_t)n == at[i + 1] - at[i])
            memcpy(c->text + at[i], s, n);
        if (c->text_missing) c->text_missing[b->row0 + i] = !there;
        arena_reset(&w->temp, mark);
    }
}

/* ---- passes ---- */

enum { TODO_CONVERT = 1, TODO_COPY = 2 };

static void convert_block(void *arg, int64_t block, int worker)
{
    const struct job *t = arg;
    const struct csv_block *b = &t->r->blocks[block];
    struct worker *w = &t->workers[worker];
    for (int j = 0; j < t->r->n_cols; j++) {
        const struct csv_column *c = &t->r->cols[j];
        if (!c->todo) continue;
        switch ((enum tide_type)c->type) {
        case TIDE_BOOL:
            convert_bool(t->r, b, j);
            break;
        case TIDE_I64:
            convert_i64(t->r, b, j);
            break;
        case TIDE_F64:
            convert_f64(t->r, b, j);
            break;
        case TIDE_TIME:
            convert_time(t->r, b, j);
            break;
        case TIDE_CAT:
            convert_cat(t, b, j, w);
            break;
        case TIDE_TEXT:
            if (c->todo == TODO_COPY)
                copy_text(t, b, j, w);
            else
                measure_text(t, b, j, w);
            break;
        }
    }
}

static tide_status run_pass(struct job *t, tide_error *err)
{
    tide_status st = csv_for(t->r, t->r->n_blocks, convert_block, t, err);
    for (int k = 0; k < t->n_workers && st == TIDE_OK; k++) {
        st = arena_status(&t->workers[k].keep, err);
        if (st == TIDE_OK) st = arena_status(&t->workers[k].temp, err);
    }
    return st;
}

static size_t size_of_type(int type)
{
    return type == TIDE_BOOL  ? 1
           : type == TIDE_CAT ? sizeof(uint32_t)
                              : sizeof(int64_t);
}

/* Room for a column of its type, kept when the old one fits. */
static void begin_column(struct job *t, struct csv_column *c)
{
    size_t each = size_of_type(c->type);
    if (!c->data || c->data_each < each)
        c->data = arena_array(&t->f->arena, t->r->n_rows + 1, each);
    c->data_each = each;
    c->todo = TODO_CONVERT;
    atomic_store(&c->missing, 0);
    atomic_store(&c->bytes, 0);
    atomic_store(&c->inexact, 0);
    atomic_store(&c->underflow, 0);
    atomic_store(&c->bool_first, INT64_MAX);
    atomic_store(&c->type_faults, 0);
    atomic_store(&c->range_faults, 0);
    atomic_store(&c->inexact_row, INT64_MAX);
    atomic_store(&c->type_row, INT64_MAX);
    atomic_store(&c->range_row, INT64_MAX);
    atomic_store(&c->widen, 0);
    atomic_store(&c->too_many, 0);
}

/* Slots for the local levels of the categories of this pass. */
static tide_status begin_categories(struct job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    t->n_cat = 0;
    for (int j = 0; j < r->n_cols; j++)
        t->n_cat += r->cols[j].todo && r->cols[j].type == TIDE_CAT;
    if (!t->n_cat) return TIDE_OK;
    t->cat_col = arena_array(&r->work, t->n_cat, sizeof *t->cat_col);
    t->joined = arena_zero(&r->work, (size_t)t->n_cat * sizeof *t->joined);
    int64_t slots;
    if (__builtin_mul_overflow(r->n_blocks, (int64_t)t->n_cat, &slots))
        slots = INT64_MAX;
    t->local = arena_array(&r->work, slots, sizeof *t->local);
    tide_status st = arena_status(&r->work, err);
    if (st != TIDE_OK) return st;
    memset(t->local, 0, (size_t)slots * sizeof *t->local);
    for (int j = 0, k = 0; j < r->n_cols; j++)
        if (r->cols[j].todo && r->cols[j].type == TIDE_CAT) {
            r->cols[j].cat = k;
            t->cat_col[k++] = j;
        }
    return TIDE_OK;
}

/* ---- joining dictionaries ---- */

static void join_levels(void *arg, int64_t k, int worker)
{
    const struct job *t = arg;
    struct csv_column *c = &t->r->cols[t->cat_col[k]];
    struct arena *keep = &t->workers[worker].keep;
    struct level_set *set = &t->joined[k];
    if (atomic_load(&c->too_many) || level_set_init(set, keep, keep, 16) != 0) return;
    for (int64_t b = 0; b < t->r->n_blocks; b++) {
        struct local *l = &t->local[k * t->r->n_blocks + b];
        l->code = arena_array(keep, (int64_t)l->n + 1, sizeof *l->code);
        if (!l->code) return;
        for (uint32_t i = 0; i < l->n; i++) {
            const struct level *v = &l->level[i];
            l->code[i] = level_set_add_hashed(set, v->s, v->len, v->hash, 0);
            if (l->code[i] == CODE_MISSING) return;
        }
        if (set->n > CSV_LEVELS && !c->declared) {
            atomic_store(&c->too_many, 1);
            return;
        }
    }
}

static void recode_block(void *arg, int64_t block, int worker)
{
    const struct job *t = arg;
    const struct csv_block *b = &t->r->blocks[block];
    (void)worker;
    for (int k = 0; k < t->n_cat; k++) {
        const struct csv_column *c = &t->r->cols[t->cat_col[k]];
        if (c->type != TIDE_CAT) continue;
        const uint32_t *code = t->local[(int64_t)k * t->r->n_blocks + block].code;
        uint32_t *out = (uint32_t *)c->data + b->row0;
        for (int64_t i = 0; i < b->n_rows; i++)
            if (out[i] != CODE_MISSING) out[i] = code[out[i]];
    }
}

/* Category or text: settled on all rows. */
static int is_text(const struct csv_reader *r, struct csv_column *c,
                   const struct level_set *set)
{
    if (c->declared) return 0;
    int64_t cells = r->n_rows - atomic_load(&c->missing);
    return atomic_load(&c->too_many) || set->n > CSV_LEVELS ||
           (int64_t)set->n * 2 > r->n_rows || atomic_load(&c->bytes) > CSV_MEAN * cells;
}

static tide_status join_categories(struct job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    tide_status st = TIDE_OK;
    if (!t->n_cat) return st;
    st = csv_for(r, t->n_cat, join_levels, t, err);
    for (int k = 0; k < t->n_workers && st == TIDE_OK; k++)
        st = arena_status(&t->workers[k].keep, err);
    for (int k = 0; st == TIDE_OK && k < t->n_cat; k++) {
        struct csv_column *c = &r->cols[t->cat_col[k]];
        if (is_text(r, c, &t->joined[k])) {
            c->type = TIDE_TEXT;
            begin_column(t, c);
        } else if (level_set_dict(&t->joined[k], &t->f->arena, &c->dict) != 0) {
            st = arena_status(&t->f->arena, err);
            if (st == TIDE_OK)
                st = err_set(err, TIDE_CODE_DATA_TYPE,
                             "the levels of '%s' take more than 4 GiB", c->name);
        }
    }
    if (st == TIDE_OK) st = csv_for(r, r->n_blocks, recode_block, t, err);
    return st;
}

/* ---- what a pass showed ---- */

/* Widens a column that is to be converted again; 1 when it is. */
static int widen_column(struct job *t, int j)
{
    struct csv_reader *r = t->r;
    struct csv_column *c = &r->cols[j];
    if (c->type == TIDE_I64 && atomic_load(&c->widen)) {
        c->type = TIDE_F64;
        begin_column(t, c);
        return 1;
    }
    int64_t faults = atomic_load(&c->type_faults);
    if (!r->o.mixed || r->on_bad != CSV_FAIL || c->declared || faults == 0 ||
        atomic_load(&c->range_faults) > 0)
        return 0;
    tide_error e = {0};
    char name[160];
    (void)csv_cell_fault(r, atomic_load(&c->type_row), j, &e);
    ctx_note(r->ctx,
             "%s is mixed: %lld of %lld values are of another type, first in line %lld",
             csv_name_of(r, j, name, sizeof name), (long long)faults,
             (long long)(r->n_rows - atomic_load(&c->missing) + faults),
             (long long)e.line);
    c->type = TIDE_CAT;
    c->mixed = 1;
    begin_column(t, c);
    return 1;
}

/* The first bad cell by row, then column, as the error. */
static tide_status tell_first_bad(const struct csv_reader *r, tide_error *err)
{
    int64_t row = INT64_MAX;
    int col = 0;
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->out < 0) continue;
        int64_t first = atomic_load(&c->type_row), range = atomic_load(&c->range_row);
        if (range < first) first = range;
        if (first < row) {
            row = first;
            col = j;
        }
    }
    return row == INT64_MAX ? TIDE_OK : csv_cell_fault(r, row, col, err);
}

static void warn_of_bad_row(const struct csv_reader *r, int64_t row)
{
    for (int j = 0; j < r->n_cols; j++) {
        const struct csv_column *c = &r->cols[j];
        int64_t i, whole;
        double v;
        uint8_t truth;
        if (c->out < 0) continue;
        const struct csv_block *b = csv_locate(r, row, &i);
        struct csv_cell cell = csv_cell_at(r, b, i, j);
        int bad = 0;
        if (c->type == TIDE_F64)
            bad = csv_parse_number(r, cell, &v) >= CSV_RANGE;
        else if (c->type == TIDE_I64)
            bad = csv_parse_int(r, cell, &whole) == CSV_OTHER &&
                  csv_parse_number(r, cell, &v) != CSV_MISSING;
        else if (c->type == TIDE_BOOL)
            bad = csv_parse_bool(r, cell, c->declared, &truth) == CSV_OTHER;
        else if (c->type == TIDE_TIME)
            bad = csv_parse_time(r, cell, &whole) == CSV_OTHER;
        if (!bad) continue;
        tide_error w = {0};
        (void)csv_cell_fault(r, row, j, &w);
        w.option[0] = w.value[0] = '\0';
        ctx_warn(r->ctx, &w);
        return;
    }
}

static void warn_of_bad_rows(struct csv_reader *r)
{
    for (int64_t i = 0; i < r->n_rows; i++) {
        if (!r->bad[i]) continue;
        r->n_bad++;
        if (r->n_warned++ < CSV_PRINTED) warn_of_bad_row(r, i);
    }
}

static void warn_of_digits(const struct csv_reader *r, int j)
{
    struct csv_column *c = &r->cols[j];
    int64_t n = atomic_load(&c->inexact), i, row = atomic_load(&c->inexact_row);
    if (c->out < 0 || c->type != TIDE_F64 || n == 0) return;
    const struct csv_block *b = csv_locate(r, row, &i);
    struct csv_cell cell = csv_cell_at(r, b, i, j);
    char buf[512], shown[64], name[160], more[64] = "";
    double v;
    tide_error w = {0};
    const char *place = cell.s;
    (void)csv_parse_number(r, cell, &v);
    cell = csv_strip(&r->d, cell, buf, sizeof buf);
    err_quote(shown, sizeof shown, cell.s, cell.n, 40);
    if (n > 1)
        str_format(more, sizeof more, ", and %lld more lose digits", (long long)n - 1);
    err_set(&w, TIDE_CODE_DATA_PRECISION, "%s in %s is kept as %r%s", shown,
            csv_name_of(r, j, name, sizeof name), v, more);
    err_field(&w, c->name);
    csv_place(r, b, place - b->text, &w);
    w.row = row + 1;
    ctx_warn(r->ctx, &w);
}

/* ---- text columns ---- */

/* Lengths become offsets; the texts and the marks of missing rows get their room. */
static void lay_out_text(struct job *t, struct csv_column *c)
{
    int64_t n = t->r->n_rows, at = 0, *lengths = c->data;
    if (atomic_load(&c->missing) > 0)
        c->text_missing = arena_zero(&t->f->arena, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t length = lengths[i] < 0 ? 0 : lengths[i];
        lengths[i] = at;
        at += length;
    }
    lengths[n] = at;
    c->text = arena_push(&t->f->arena, (size_t)at + 1);
    if (c->text) c->text[at] = '\0';
    c->todo = TODO_COPY;
}

static tide_status convert_texts(struct job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    int any = 0;
    for (int j = 0; j < r->n_cols; j++) any |= r->cols[j].todo;
    tide_status st = any ? run_pass(t, err) : TIDE_OK;
    for (int j = 0; any && st == TIDE_OK && j < r->n_cols; j++)
        if (r->cols[j].todo) lay_out_text(t, &r->cols[j]);
    if (st == TIDE_OK) st = arena_status(&t->f->arena, err);
    if (st == TIDE_OK && any) st = run_pass(t, err);
    for (int j = 0; j < r->n_cols; j++) r->cols[j].todo = 0;
    return st;
}

/* Converts every column, again where it must be wider. Texts wait for convert_texts. */
static tide_status convert_types(struct job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    for (int again = 1; again;) {
        tide_status st = arena_status(&t->f->arena, err);
        if (st == TIDE_OK) st = begin_categories(t, err);
        for (int j = 0; j < r->n_cols; j++)
            if (r->cols[j].todo && r->cols[j].type == TIDE_TEXT) r->cols[j].unread = 1;
        for (int j = 0; j < r->n_cols; j++)
            if (atomic_load(&r->cols[j].unread)) r->cols[j].todo = 0;
        if (st == TIDE_OK) st = run_pass(t, err);
        if (st != TIDE_OK) return st;
        for (int j = 0; j < r->n_cols; j++) r->cols[j].todo = 0;
        if ((st = join_categories(t, err)) != TIDE_OK) return st;
        again = 0;
        for (int j = 0; j < r->n_cols; j++) again |= widen_column(t, j);
        for (int j = 0; j < r->n_cols; j++)
            if (r->cols[j].type == TIDE_TEXT && r->cols[j].todo) again = 1;
    }
    return TIDE_OK;
}

static tide_status convert_all(struct job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    tide_status st = TIDE_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < r->n_cols; j++) {
            atomic_store(&r->cols[j].unread, 0);
            if (r->cols[j].out >= 0) begin_column(t, &r->cols[j]);
        }
        st = convert_types(t, err);
        if (st != TIDE_OK) return st;
        st = r->on_bad == CSV_FAIL ? tell_first_bad(r, err) : TIDE_OK;
        if (st != TIDE_OK || !r->bad) break;
        int64_t before = r->n_bad;
        warn_of_bad_rows(r);
        if (r->on_bad == CSV_NULL || r->n_bad == before) break;
        st = csv_drop_rows(r, err);
        if (st != TIDE_OK) return st;
        memset(r->bad, 0, (size_t)r->n_rows);
    }
    if (st != TIDE_OK) return st;
    for (int j = 0; j < r->n_cols; j++) {
        r->cols[j].todo = 0;
        if (atomic_load(&r->cols[j].unread)) r->cols[j].todo = TODO_CONVERT;
    }
    return convert_texts(t, err);
}

static void finish(struct job *t)
{
    struct csv_reader *r = t->r;
    int64_t under = 0;
    t->f->n_rows = r->n_rows;
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->out < 0) continue;
        struct column *o = &t->f->cols[c->out];
        o->name = arena_str(&t->f->arena, c->name);
        o->type = c->type;
        o->n_rows = r->n_rows;
        o->n_missing = atomic_load(&c->missing);
        o->f64 = c->type == TIDE_F64 ? c->data : NULL;
        o->i64 = c->type == TIDE_I64 || c->type == TIDE_TIME ? c->data : NULL;
        o->b = c->type == TIDE_BOOL ? c->data : NULL;
        if (o->b && atomic_load(&c->bool_first) != INT64_MAX)
            o->bool_style = (uint8_t)(atomic_load(&c->bool_first) & 3);
        o->code = c->type == TIDE_CAT ? c->data : NULL;
        if (c->type == TIDE_CAT) o->dict = c->dict;
        o->text_at = c->type == TIDE_TEXT ? c->data : NULL;
        o->text = c->text;
        o->text_missing = c->text_missing;
        warn_of_digits(r, j);
        under += atomic_load(&c->underflow);
    }
    if (under)
        ctx_note(r->ctx, "%s: %lld number%s too small to hold became 0", r->path,
                 (long long)under, under == 1 ? "" : "s");
}

tide_status csv_convert(struct csv_reader *r, tide_frame *f, tide_error *err)
{
    struct job t = {.r = r, .f = f, .n_workers = par_threads(r->ctx)};
    t.workers = arena_zero(&r->work, (size_t)t.n_workers * sizeof *t.workers);
    if (!t.workers) return arena_status(&r->work, err);
    for (int k = 0; k < t.n_workers; k++) {
        arena_init(&t.workers[k].keep, r->ctx);
        arena_init(&t.workers[k].temp, r->ctx);
    }
    if (r->on_bad != CSV_FAIL) r->bad = arena_zero(&r->work, (size_t)r->n_rows + 1);
    tide_status st = arena_status(&r->work, err);
    if (st == TIDE_OK) st = convert_all(&t, err);
    if (st == TIDE_OK) finish(&t);
    if (st == TIDE_OK) st = arena_status(&f->arena, err);
    for (int k = 0; k < t.n_workers; k++) {
        arena_free(&t.workers[k].keep);
        arena_free(&t.workers[k].temp);
    }
    return st;
}
