/* csv_convert.c - columns from cells: blocks in parallel, widening, dictionaries, text
 *
 * A pass converts the columns marked `todo`, all of them in one block while its text is in
 * cache. What a pass learns of a column (counts, first rows) are sums and minima over
 * blocks, so it does not depend on who converted what. A lane takes blocks in their order and
 * numbers the levels of a category by first appearance; the lanes' levels are joined in the
 * order of their first rows. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv_job.h"

/* A text of at most 16 bytes as two words with zeros behind it. No text holds a NUL, so its
 * length need not be kept, and 0 is no key. */
struct key {
    uint64_t a, b;
};
struct slot {
    struct key key;
    uint32_t code;
};

/* The levels of one column that one lane has seen, in the order of its rows. */
struct csv_cat {
    struct level_set set;
    int64_t *first; /* [cap_first] row of each level */
    uint32_t cap_first;
    struct slot
        *slot; /* [mask + 1] open addressing: levels a plain short cell may be */
    uint32_t mask, n_keys;
    uint32_t *joined; /* code in the column, filled by the join */
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

static void convert_f64_cell(const struct csv_reader *r, const struct csv_block *b,
                             int j, int64_t i, double *out, int64_t *missing)
{
    struct csv_column *c = &r->cols[j];
    enum csv_number kind = csv_parse_number(r, csv_cell_at(r, b, i, j), out);
    *missing += kind == CSV_MISSING;
    if (kind == CSV_INEXACT) note_row(&c->inexact, &c->inexact_row, b->row0 + i);
    if (kind == CSV_UNDERFLOW) atomic_fetch_add(&c->underflow, 1);
    if (kind < CSV_RANGE) return;
    note_bad(r, c, kind, b->row0 + i);
    *out = (double)NAN;
    ++*missing;
}

static void convert_f64(const struct csv_reader *r, const struct csv_block *b, int j,
                        uint32_t *left)
{
    struct csv_column *c = &r->cols[j];
    double *out = (double *)c->data + b->row0;
    int64_t missing = 0, n = b->n_rows;
    int simple = csv_is_simple(r, b);
    struct csv_walk w = csv_walk_of(r, b, j);
    struct simd_cells cells = csv_cells_of(r, b, j);
    if (simple) n = simd_get(r->ctx)->csv_numbers(&cells, out, left);
    for (int64_t k = 0; k < n; k++) {
        const char *s;
        int64_t i = simple ? left[k] : k;
        if (simple && csv_walk_cell(&w, i, &s) == 0) {
            out[i] = (double)NAN;
            missing++;
        } else {
            convert_f64_cell(r, b, j, i, &out[i], &missing);
        }
    }
    atomic_fetch_add(&c->missing, missing);
}

static void convert_i64_cell(const struct csv_reader *r, const struct csv_block *b,
                             int j, int64_t i, int64_t *out, int64_t *missing)
{
    struct csv_column *c = &r->cols[j];
    struct csv_cell cell = csv_cell_at(r, b, i, j);
    enum csv_number kind = csv_parse_int(r, cell, out);
    double v;
    if (kind == CSV_NUMBER) return;
    ++*missing;
    if (kind == CSV_MISSING) return;
    kind = csv_parse_number(r, cell, &v);
    if (kind == CSV_MISSING) return;
    if (kind < CSV_RANGE && !c->declared)
        atomic_store_explicit(&c->widen, 1, memory_order_relaxed);
    else
        note_bad(r, c, kind == CSV_OTHER || kind < CSV_RANGE ? CSV_OTHER : kind,
                 b->row0 + i);
}

static void convert_i64(const struct csv_reader *r, const struct csv_block *b, int j,
                        uint32_t *left)
{
    struct csv_column *c = &r->cols[j];
    int64_t *out = (int64_t *)c->data + b->row0, missing = 0, n = b->n_rows;
    int simple = csv_is_simple(r, b);
    struct simd_cells cells = csv_cells_of(r, b, j);
    if (simple) n = simd_get(r->ctx)->csv_integers(&cells, out, left);
    for (int64_t k = 0; k < n; k++) {
        int64_t i = simple ? left[k] : k;
        convert_i64_cell(r, b, j, i, &out[i], &missing);
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
    struct time_date last = {0};
    for (int64_t i = 0; i < b->n_rows; i++) {
        const char *s;
        int64_t n = csv_walk_cell(&w, i, &s);
        if (plain && n > 0 && time_parse_near(s, (size_t)n, &last, &out[i]) == 0)
            continue;
        enum csv_number kind = csv_parse_time(r, csv_cell_at(r, b, i, j), &out[i]);
        missing += kind != CSV_NUMBER;
        if (kind == CSV_OTHER) note_bad(r, c, kind, b->row0 + i);
    }
    atomic_fetch_add(&c->missing, missing);
}

/* ---- categories and text ---- */

static inline struct key key_of(const char *s, int64_t n)
{
    uint64_t a, b, all = ~UINT64_C(0), rest = ~(all << (n & 7) * 8);
    memcpy(&a, s, sizeof a);
    memcpy(&b, s + 8, sizeof b);
    /* No branch on the length, which is as good as random, and no vector: halves of one are
     * slow to get at. */
    a &= n < 8 ? rest : all;
    b &= n < 8 ? 0 : n < 16 ? rest : all;
    return (struct key){a, b};
}

static inline uint32_t slot_of(const struct csv_cat *c, struct key k)
{
    uint64_t h = k.a * UINT64_C(0x9E3779B97F4A7C15);
    h ^= (k.b + (h >> 29)) * UINT64_C(0xD1B54A32D192ED03);
    return (uint32_t)(h >> 32) & c->mask;
}

static inline int is_key(const struct slot *s, struct key k)
{
    return ((s->key.a ^ k.a) | (s->key.b ^ k.b)) == 0;
}

static inline int is_free(const struct slot *s)
{
    return (s->key.a | s->key.b) == 0;
}

/* The code of a short text that was met before, or CODE_MISSING. */
static uint32_t find_key(const struct csv_cat *c, struct key k)
{
    for (uint32_t at = slot_of(c, k);; at = (at + 1) & c->mask) {
        if (is_key(&c->slot[at], k)) return c->slot[at].code;
        if (is_free(&c->slot[at])) return CODE_MISSING;
    }
}

static void put_key(struct csv_cat *c, struct key k, uint32_t code)
{
    uint32_t at = slot_of(c, k);
    for (; !is_free(&c->slot[at]); at = (at + 1) & c->mask)
        if (is_key(&c->slot[at], k)) return;
    c->slot[at] = (struct slot){k, code};
    c->n_keys++;
}

static int cat_slots(struct csv_cat *c, struct arena *a, uint32_t slots)
{
    struct csv_cat old = *c;
    c->slot = arena_zero(a, slots * sizeof *c->slot);
    if (!c->slot) return -1;
    c->mask = slots - 1;
    c->n_keys = 0;
    for (uint32_t k = 0; old.slot && k <= old.mask; k++)
        if (!is_free(&old.slot[k])) put_key(c, old.slot[k].key, old.slot[k].code);
    return 0;
}

static int cat_init(struct csv_cat *c, struct arena *a, int64_t hint)
{
    *c = (struct csv_cat){0};
    return level_set_init(&c->set, a, a, hint) || cat_slots(c, a, 64) ? -1 : 0;
}

/* The code of any text, new or not; CODE_MISSING: the arena tells. */
static uint32_t cat_add(struct csv_cat *c, struct arena *a, const char *s, size_t n,
                        int64_t row, int keyed)
{
    uint32_t before = c->set.n, code = level_set_add(&c->set, s, n, 1);
    if (code == CODE_MISSING) return code;
    if (c->set.n > before) {
        if (code == c->cap_first) {
            uint32_t cap = c->cap_first ? c->cap_first * 2 : 16;
            int64_t *more = arena_array(a, cap, sizeof *more);
            if (!more) return CODE_MISSING;
            if (code) memcpy(more, c->first, code * sizeof *more);
            c->first = more;
            c->cap_first = cap;
        }
        c->first[code] = row;
    }
    if (keyed && n > 0 && n <= 16) {
        char text[16] = {0};
        if (c->n_keys > c->mask / 2 && cat_slots(c, a, (c->mask + 1) * 2) != 0)
            return CODE_MISSING;
        memcpy(text, s, n);
        put_key(c, key_of(text, (int64_t)n), code);
    }
    return code;
}

/* A byte of the word is c. */
static inline int has_byte(uint64_t v, char c)
{
    v ^= UINT64_C(0x0101010101010101) * (unsigned char)c;
    return ((v - UINT64_C(0x0101010101010101)) & ~v & UINT64_C(0x8080808080808080)) !=
           0;
}

/* Cells [i0, i0 + n) as keys where they are short and plain, or in quotes with none inside. len:
 * of the text, 0 when it is neither. at: their slots, asked for from memory. */
static void take_keys(const struct csv_cat *c, const struct csv_walk *w, int64_t i0,
                      int n, struct key *key, uint32_t *at, uint8_t *len)
{
    const uint32_t *end = w->end + i0 * w->stride;
    const char *text = w->text;
    int64_t stride = w->stride;
    char quote = w->quote;
    for (int k = 0; k < n; k++, end += stride) {
        uint32_t e = *end, begin = w->start ? w->start[i0 + k] : end[-1] + 1;
        uint32_t size = e > begin ? e - begin : 0;
        const char *s = text + begin;
        if (w->last && size && text[e - 1] == '\r') size--;
        int quoted = quote && *s == quote;
        if (quoted) {
            int closed = size >= 3 && size <= 18 && s[size - 1] == quote;
            size = closed ? size - 2 : 0;
            s++;
        }
        if (size > 16) size = 0;
        key[k] = key_of(s, size);
        if (quoted && (has_byte(key[k].a, quote) || has_byte(key[k].b, quote)))
            size = 0;
        len[k] = (uint8_t)size;
        at[k] = slot_of(c, key[k]);
        __builtin_prefetch(&c->slot[at[k]]);
    }
}

/* What a pass over some cells of a category adds up. */
struct cat_sums {
    int64_t missing, bytes;
};

/* A cell that may be anything. Texts that stand for missing are never keys: a cell that is one
 * of them, or might be, and every cell seen for the first time comes here. 0: stop. */
static int convert_cat_cell(struct csv_lane *l, const struct csv_reader *r,
                            const struct csv_block *b, int j, int64_t i,
                            struct cat_sums *sums)
{
    struct csv_column *col = &r->cols[j];
    struct csv_cat *c = &l->cats[col->cat];
    uint32_t *out = (uint32_t *)col->data + b->row0 + i;
    const char *s;
    size_t n;
    struct arena_mark mark = arena_mark(&l->temp);
    if (!csv_parse_text(r, csv_cell_at(r, b, i, j), &l->temp, &s, &n)) {
        *out = CODE_MISSING;
        sums->missing++;
        return 1;
    }
    *out = cat_add(c, &l->keep, s, n, b->row0 + i, !csv_is_na(r, s, n));
    if (*out == CODE_MISSING) return 0; /* the arena tells */
    arena_reset(&l->temp, mark);
    sums->bytes += (int64_t)n;
    if (c->set.n <= CSV_LEVELS || col->declared) return 1;
    atomic_store_explicit(&col->too_many, 1, memory_order_relaxed);
    return 0;
}

/* The codes of keys where the first two slots tell; the others are listed. */
static int look_up(const struct csv_cat *c, const struct key *key, const uint32_t *at,
                   const uint8_t *len, int n, uint32_t *out, uint8_t *left)
{
    const struct slot *slot = c->slot;
    uint32_t mask = c->mask;
    int n_left = 0;
    for (int k = 0; k < n; k++) {
        const struct slot *one = &slot[at[k]], *two = &slot[(at[k] + 1) & mask];
        int first = is_key(one, key[k]), second = is_key(two, key[k]);
        out[k] = first ? one->code : two->code;
        left[n_left] = (uint8_t)k;
        n_left += !((first | second) & (len[k] > 0));
    }
    return n_left;
}

/* Cells [i0, i0 + n), n <= SOME, in three steps, so that no cell waits for the one before: their
 * keys; their codes, where the first two slots tell; the others in their order. 0: stop. */
#define SOME 64
static int convert_cat_some(struct csv_lane *l, const struct csv_reader *r,
                            const struct csv_block *b, int j, int64_t i0, int n,
                            struct cat_sums *sums)
{
    struct csv_walk walk = csv_walk_of(r, b, j);
    struct csv_cat *c = &l->cats[r->cols[j].cat];
    uint32_t *out = (uint32_t *)r->cols[j].data + b->row0 + i0;
    struct key key[SOME];
    uint32_t at[SOME];
    uint8_t len[SOME], left[SOME];
    int n_left = 0;
    if (walk.plain) {
        take_keys(c, &walk, i0, n, key, at, len);
        n_left = look_up(c, key, at, len, n, out, left);
    } else {
        for (; n_left < n; n_left++) left[n_left] = (uint8_t)n_left;
        memset(len, 0, sizeof len);
    }
    for (int m = 0; m < n_left; m++) {
        int k = left[m];
        uint32_t code = len[k] ? find_key(c, key[k]) : CODE_MISSING;
        if (code != CODE_MISSING) {
            out[k] = code;
        } else {
            len[k] = 0; /* it adds its bytes itself */
            if (!convert_cat_cell(l, r, b, j, i0 + k, sums)) return 0;
        }
    }
    for (int k = 0; k < n; k++) sums->bytes += len[k];
    return 1;
}

static void convert_cat(struct csv_lane *l, const struct csv_reader *r,
                        const struct csv_block *b, int j)
{
    struct csv_column *col = &r->cols[j];
    struct cat_sums sums = {0};
    if (atomic_load_explicit(&col->too_many, memory_order_relaxed)) return;
    for (int64_t i = 0; i < b->n_rows; i += SOME) {
        int n = b->n_rows - i < SOME ? (int)(b->n_rows - i) : SOME;
        if (!convert_cat_some(l, r, b, j, i, n, &sums)) break;
    }
    atomic_fetch_add(&col->missing, sums.missing);
    atomic_fetch_add(&col->bytes, sums.bytes);
}

/* ---- lines of rows ---- */

void csv_number_lines(const struct csv_reader *r, const struct csv_block *b)
{
    const struct simd_table *simd = simd_get(r->ctx);
    const char *s = b->text;
    int64_t line = b->line0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint32_t at = b->start ? b->start[i] : b->end[i * r->n_cols - 1] + 1;
        const char *first = b->text + at;
        line += simd->count_byte(s, first - s, '\n');
        s = first;
        r->line_of_row[b->row0 + i] = line;
    }
}

/* Room for the lines of rows, unless rows stand line by line. */
static tide_status begin_lines(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    int plain = 1;
    int64_t first = 0;
    for (int64_t k = 0; k < r->n_blocks; k++) {
        const struct csv_block *b = &r->blocks[k];
        if (!b->n_rows) continue;
        if (!first) first = b->first_line;
        plain &= b->plain && b->first_line - b->row0 == first;
    }
    t->numbering = !plain;
    if (plain) r->line_of_row = NULL; /* dropped rows may have left the others so */
    if (plain || r->line_of_row) return TIDE_OK;
    r->line_of_row = arena_array(&t->f->arena, r->n_rows, sizeof *r->line_of_row);
    return arena_status(&t->f->arena, err);
}

/* ---- passes ---- */

#define ROWS_TEXT 16384 /* bytes of text converted together */

enum { PASS_CONVERT = 1, PASS_COPY = 2 };

/* more: rows of the same block follow. */
static void convert_rows(struct csv_job *t, struct csv_lane *l,
                         const struct csv_block *b, int more)
{
    const struct csv_reader *r = t->r;
    for (int j = 0; j < r->n_cols; j++) {
        const struct csv_column *c = &r->cols[j];
        if (!c->todo) continue;
        switch ((enum tide_type)c->type) {
        case TIDE_BOOL:
            convert_bool(r, b, j);
            break;
        case TIDE_I64:
            convert_i64(r, b, j, l->left);
            break;
        case TIDE_F64:
            convert_f64(r, b, j, l->left);
            break;
        case TIDE_TIME:
            convert_time(r, b, j);
            break;
        case TIDE_CAT:
            convert_cat(l, r, b, j);
            break;
        case TIDE_TEXT:
            if (c->placed)
                csv_text_place(r, b, j, more, &l->temp);
            else if (c->todo == PASS_COPY)
                csv_text_copy(r, b, j, &l->temp);
            else
                csv_text_measure(r, b, j, &l->temp);
            break;
        }
    }
}

/* All columns of some rows, then the next rows: their text and index stay in the first cache. */
void csv_convert_block(struct csv_job *t, struct csv_lane *l, const struct csv_block *b)
{
    int64_t some = b->n_rows * ROWS_TEXT / (b->n + 1) & ~(int64_t)63, n = b->n_rows;
    if (some < 64) some = 64;
    for (int64_t i = 0; i < n; i += some) {
        struct csv_block rows = *b;
        rows.end += i * t->r->n_cols;
        if (rows.start) rows.start += i;
        rows.row0 += i;
        rows.n_rows = n - i < some ? n - i : some;
        convert_rows(t, l, &rows, i + some < n);
    }
}

static void convert_lane(void *arg, int64_t lane, int worker)
{
    struct csv_job *t = arg;
    struct csv_lane *l = &t->lane[t->lane0 + lane];
    (void)worker;
    l->st = TIDE_OK;
    for (int64_t k; l->st == TIDE_OK && (k = csv_next(&t->lanes)) >= 0;) {
        struct csv_block *b = &t->r->blocks[k];
        if (t->lane0 && b->early) continue;
        l->st = csv_load(t->r, b, &l->window, &l->err);
        b->lane = (int32_t)(t->lane0 + lane);
        if (l->st != TIDE_OK) return;
        if (t->numbering) csv_number_lines(t->r, &l->window.b);
        csv_convert_block(t, l, &l->window.b);
    }
}

/* Runs the lanes of a pass; the first trouble in their order. */
tide_status csv_run_lanes(struct csv_job *t, par_fn fn, tide_error *err)
{
    tide_status st = csv_for(t->r, t->lanes.n, fn, t, err);
    if (st == TIDE_OK && ctx_cancelled(t->r->ctx)) st = err_cancelled(err);
    for (int k = 0; k < t->lanes.n && st == TIDE_OK; k++) {
        struct csv_lane *l = &t->lane[t->lane0 + k];
        if ((st = l->st) != TIDE_OK && err) *err = l->err;
        if (st == TIDE_OK) st = arena_status(&l->keep, err);
        if (st == TIDE_OK) st = arena_status(&l->temp, err);
    }
    return st;
}

static tide_status run_pass(struct csv_job *t, tide_error *err)
{
    csv_lanes_init(&t->lanes, t->r);
    tide_status st = csv_run_lanes(t, convert_lane, err);
    t->numbering = 0; /* the first pass did it */
    return st;
}

static size_t size_of_type(int type)
{
    return type == TIDE_BOOL  ? 1
           : type == TIDE_CAT ? sizeof(uint32_t)
                              : sizeof(int64_t);
}

/* Room for a column of its type, kept when the old one fits. */
void csv_begin_column(struct csv_job *t, struct csv_column *c)
{
    size_t each = size_of_type(c->type);
    if (!c->data || c->data_each < each)
        c->data = arena_array(&t->f->arena, t->cap_rows + 1, each);
    c->data_each = each;
    c->placed = 0;
    c->text_missing = NULL;
    c->text = NULL;
    c->todo = PASS_CONVERT;
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

/* Empty sets of levels for the categories of this pass, in every lane. */
tide_status csv_begin_categories(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    t->n_cat = 0;
    for (int j = 0; j < r->n_cols; j++)
        t->n_cat += r->cols[j].todo && r->cols[j].type == TIDE_CAT;
    if (!t->n_cat) return TIDE_OK;
    t->cat_col = arena_array(&r->work, t->n_cat, sizeof *t->cat_col);
    t->joined = arena_zero(&r->work, (size_t)t->n_cat * sizeof *t->joined);
    t->same = arena_zero(&r->work, (size_t)t->n_cat);
    tide_status st = arena_status(&r->work, err);
    for (int k = 0; st == TIDE_OK && k < t->n_lanes; k++) {
        struct csv_lane *l = &t->lane[k];
        arena_free(&l->keep); /* of the pass before */
        l->cats = arena_array(&l->keep, t->n_cat, sizeof *l->cats);
        for (int c = 0; l->cats && c < t->n_cat; c++)
            if (cat_init(&l->cats[c], &l->keep, r->n_rows) != 0) break;
        st = arena_status(&l->keep, err);
    }
    for (int j = 0, k = 0; st == TIDE_OK && j < r->n_cols; j++)
        if (r->cols[j].todo && r->cols[j].type == TIDE_CAT) {
            r->cols[j].cat = k;
            t->cat_col[k++] = j;
        }
    return st;
}

/* ---- joining dictionaries ---- */

/* The lane whose next level, from at[lane] on, was met first. */
static int earliest(const struct csv_job *t, int64_t k, const uint32_t *at)
{
    int best = -1;
    int64_t row = INT64_MAX;
    for (int l = 0; l < t->n_lanes; l++) {
        const struct csv_cat *c = &t->lane[l].cats[k];
        if (at[l] >= c->set.n || c->first[at[l]] >= row) continue;
        best = l;
        row = c->first[at[l]];
    }
    return best;
}

/* Levels in the order of their first rows, whoever met them. */
static void join_levels(void *arg, int64_t k, int worker)
{
    const struct csv_job *t = arg;
    struct csv_column *c = &t->r->cols[t->cat_col[k]];
    struct arena *keep = &t->lane[worker].keep;
    struct level_set *set = &t->joined[k];
    uint8_t same = 1;
    if (c->type != TIDE_CAT || atomic_load(&c->too_many)) return;
    uint32_t *at = arena_zero(keep, (size_t)t->n_lanes * sizeof *at);
    if (!at || level_set_init(set, keep, keep, 16) != 0) return;
    for (int l = 0; l < t->n_lanes; l++) {
        struct csv_cat *from = &t->lane[l].cats[k];
        from->joined = arena_array(keep, (int64_t)from->set.n + 1, sizeof *at);
        if (!from->joined) return;
    }
    for (int l; (l = earliest(t, k, at)) >= 0; at[l]++) {
        struct csv_cat *from = &t->lane[l].cats[k];
        const struct level *v = &from->set.level[at[l]];
        uint32_t code = level_set_add_hashed(set, v->s, v->len, v->hash, 0);
        if (code == CODE_MISSING) return;
        from->joined[at[l]] = code;
        same &= code == at[l];
        if (set->n > CSV_LEVELS && !c->declared) {
            atomic_store(&c->too_many, 1);
            return;
        }
    }
    t->same[k] = same;
}

static void recode_block(void *arg, int64_t block, int worker)
{
    const struct csv_job *t = arg;
    const struct csv_block *b = &t->r->blocks[block];
    (void)worker;
    for (int k = 0; k < t->n_cat; k++) {
        const struct csv_column *c = &t->r->cols[t->cat_col[k]];
        if (c->type != TIDE_CAT || t->same[k]) continue;
        const uint32_t *code = t->lane[b->lane].cats[k].joined;
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

static tide_status join_categories(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    tide_status st = TIDE_OK;
    if (!t->n_cat) return st;
    st = csv_for(r, t->n_cat, join_levels, t, err);
    for (int k = 0; k < t->n_lanes && st == TIDE_OK; k++)
        st = arena_status(&t->lane[k].keep, err);
    for (int k = 0; st == TIDE_OK && k < t->n_cat; k++) {
        struct csv_column *c = &r->cols[t->cat_col[k]];
        if (c->type != TIDE_CAT) continue; /* guessed early, and wrong */
        if (is_text(r, c, &t->joined[k])) {
            c->type = TIDE_TEXT;
            csv_begin_column(t, c);
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
static int widen_column(struct csv_job *t, int j)
{
    struct csv_reader *r = t->r;
    struct csv_column *c = &r->cols[j];
    if (c->long_text && c->type == TIDE_TEXT && !c->measured) {
        int64_t cells = r->n_rows - atomic_load(&c->missing);
        c->measured = atomic_load(&c->bytes) > CSV_MEAN * cells;
        c->long_text = c->measured;
        if (c->measured) return 0;
        c->type = TIDE_CAT; /* the sample was wrong */
        csv_begin_column(t, c);
        return 1;
    }
    if (c->type == TIDE_I64 && atomic_load(&c->widen)) {
        c->type = TIDE_F64;
        csv_begin_column(t, c);
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
    csv_begin_column(t, c);
    return 1;
}

/* The first bad cell by row, then column, as the error. */
static tide_status tell_first_bad(struct csv_reader *r, tide_error *err)
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

static void warn_of_bad_row(struct csv_reader *r, int64_t row)
{
    int64_t i;
    const struct csv_block *b;
    if (csv_look(r, row, &b, &i, NULL) != TIDE_OK) return; /* told by the next pass */
    for (int j = 0; j < r->n_cols; j++) {
        const struct csv_column *c = &r->cols[j];
        int64_t whole;
        double v;
        uint8_t truth;
        if (c->out < 0) continue;
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

static void warn_of_digits(struct csv_reader *r, int j)
{
    struct csv_column *c = &r->cols[j];
    int64_t n = atomic_load(&c->inexact), i, row = atomic_load(&c->inexact_row);
    if (c->out < 0 || c->type != TIDE_F64 || n == 0) return;
    const struct csv_block *b;
    if (csv_look(r, row, &b, &i, NULL) != TIDE_OK) return;
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

static tide_status convert_texts(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    int any = 0, unknown = 0;
    for (int j = 0; j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->placed) continue;
        any |= c->todo || c->measured;
        unknown |= c->todo;
    }
    tide_status st = unknown ? run_pass(t, err) : TIDE_OK;
    for (int j = 0; any && st == TIDE_OK && j < r->n_cols; j++) {
        struct csv_column *c = &r->cols[j];
        if (c->placed || (!c->todo && !c->measured)) continue;
        csv_text_lay_out(r, c, &t->f->arena);
        c->todo = PASS_COPY;
    }
    if (st == TIDE_OK) st = arena_status(&t->f->arena, err);
    if (st == TIDE_OK && any) st = run_pass(t, err);
    for (int j = 0; j < r->n_cols; j++) r->cols[j].todo = 0;
    return st;
}

/* What could not be converted while it was read, of columns whose type was guessed right. */
static tide_status finish_early(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    if (t != r->early) return TIDE_OK;
    for (int j = 0; j < r->n_cols; j++)
        r->cols[j].todo = (uint8_t)csv_is_early(&r->cols[j]);
    for (int64_t k = 0; t->numbering && k < r->n_blocks; k++) {
        const struct csv_block *b = &r->blocks[k];
        for (int64_t i = 0; b->early && b->plain && i < b->n_rows; i++)
            r->line_of_row[b->row0 + i] = b->first_line + i;
    }
    t->lane0 = par_threads(r->ctx);
    tide_status st = run_pass(t, err);
    t->lane0 = 0;
    for (int j = 0; j < r->n_cols; j++) r->cols[j].todo = 0;
    return st == TIDE_OK ? join_categories(t, err) : st;
}

/* Converts every column, again where it must be wider. Texts wait for convert_texts. */
static tide_status convert_types(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    for (int again = 1; again;) {
        int any = t->numbering;
        tide_status st = arena_status(&t->f->arena, err);
        if (st == TIDE_OK) st = csv_begin_categories(t, err);
        for (int j = 0; j < r->n_cols; j++)
            if (r->cols[j].todo && r->cols[j].type == TIDE_TEXT &&
                !r->cols[j].long_text)
                r->cols[j].unread = 1;
        for (int j = 0; j < r->n_cols; j++) {
            if (atomic_load(&r->cols[j].unread)) r->cols[j].todo = 0;
            any |= r->cols[j].todo;
        }
        if (st == TIDE_OK && any) st = run_pass(t, err);
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

static tide_status convert_all(struct csv_job *t, tide_error *err)
{
    struct csv_reader *r = t->r;
    tide_status st = TIDE_OK;
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < r->n_cols; j++) {
            struct csv_column *c = &r->cols[j];
            atomic_store(&c->unread, 0);
            c->long_text &=
                pass == 0; /* rows went: all lengths are to be taken again */
            c->measured = 0;
            if (c->long_text && c->type == TIDE_CAT) c->type = TIDE_TEXT;
        }
        st = begin_lines(t, err);
        if (st == TIDE_OK && pass == 0) st = finish_early(t, err);
        for (int j = 0; j < r->n_cols; j++)
            if (r->cols[j].out >= 0 && (pass > 0 || !csv_is_early(&r->cols[j])))
                csv_begin_column(t, &r->cols[j]);
        if (st == TIDE_OK) st = convert_types(t, err);
        if (st != TIDE_OK) return st;
        st = r->on_bad == CSV_FAIL ? tell_first_bad(r, err) : TIDE_OK;
        if (st != TIDE_OK || !r->bad) break;
        int64_t before = r->n_bad;
        warn_of_bad_rows(r);
        if (r->on_bad == CSV_NULL || r->n_bad == before) break;
        st = csv_drop_rows(r, err);
        if (st != TIDE_OK) return st;
        memset(r->bad, 0, (size_t)r->n_rows);
        for (int k = 0; k < t->n_lanes; k++) t->lane[k].window.of = NULL;
    }
    if (st != TIDE_OK) return st;
    for (int j = 0; j < r->n_cols; j++) {
        r->cols[j].todo = 0;
        if (atomic_load(&r->cols[j].unread)) r->cols[j].todo = PASS_CONVERT;
    }
    return convert_texts(t, err);
}

static void finish(struct csv_job *t)
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
        o->text_missing = o->n_missing ? c->text_missing : NULL;
        warn_of_digits(r, j);
        under += atomic_load(&c->underflow);
    }
    if (under)
        ctx_note(r->ctx, "%s: %lld number%s too small to hold became 0", r->path,
                 (long long)under, under == 1 ? "" : "s");
}

/* A conversion into columns of up to cap_rows rows; the frame is its own. */
tide_status csv_job_new(struct csv_reader *r, int n_out, int n_lanes, int64_t cap_rows,
                        struct csv_job **out, tide_error *err)
{
    struct csv_job *t = arena_zero(&r->work, sizeof *t);
    *out = t;
    if (!t) return arena_status(&r->work, err);
    t->r = r;
    t->cap_rows = cap_rows;
    t->lane = arena_zero(&r->work, (size_t)n_lanes * sizeof *t->lane);
    if (!t->lane) return arena_status(&r->work, err);
    t->n_lanes = n_lanes;
    int64_t some = cap_rows < ROWS_TEXT ? cap_rows + 1 : ROWS_TEXT;
    for (int k = 0; k < n_lanes; k++) {
        struct csv_lane *l = &t->lane[k];
        arena_init(&l->keep, r->ctx);
        arena_init(&l->temp, r->ctx);
        csv_window_init(&l->window, r->ctx);
        (void)arena_push(&l->temp, 1); /* so that a reset keeps a chunk */
        l->left = arena_array(&r->work, some, sizeof *l->left);
    }
    if (r->on_bad != CSV_FAIL) r->bad = arena_zero(&r->work, (size_t)cap_rows + 1);
    tide_status st = arena_status(&r->work, err);
    return st == TIDE_OK ? frame_begin(r->ctx, cap_rows, n_out, &t->f, err) : st;
}

void csv_job_free(struct csv_job *t)
{
    for (int k = 0; t && k < t->n_lanes; k++) {
        arena_free(&t->lane[k].keep);
        arena_free(&t->lane[k].temp);
        csv_window_free(&t->lane[k].window);
    }
    if (t) tide_frame_free(t->f);
}

tide_status csv_convert(struct csv_reader *r, int n_out, tide_frame **out,
                        tide_error *err)
{
    tide_status st = TIDE_OK;
    if (r->early) st = csv_early_end(r, err);
    struct csv_job *t = r->early;
    if (st == TIDE_OK && !t)
        st = csv_job_new(r, n_out, par_threads(r->ctx), r->n_rows, &t, err);
    if (st == TIDE_OK) st = convert_all(t, err);
    if (st == TIDE_OK) finish(t);
    if (st == TIDE_OK) st = arena_status(&t->f->arena, err);
    if (st == TIDE_OK) {
        *out = t->f;
        t->f = NULL;
    }
    if (t && !r->early) csv_job_free(t);
    return st;
}
