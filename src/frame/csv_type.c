/* csv_type.c - the type of each column, from rows chosen by their number
 *
 * The sample is the first 1,000 rows and 1,000 spread over the others; a column without a
 * value there is searched for its first 1,000 values. A column is a number (truth value,
 * date) when at most 1 in 100 of its values is none: that one is an error then, for a
 * person to decide. Which texts are a category is settled on all rows by the conversion. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv.h"

struct counts {
    int64_t values, ints, numbers, bools, times, grouped, bytes;
    int64_t other_row; /* first value that is no number, -1: none */
};

/* Lanes take blocks that hold sampled rows; sums and least rows do not tell who counted. */
struct infer {
    struct csv_lanes lanes;
    int64_t n_sample;
    struct counts *counts; /* [lanes][n_cols] */
    struct csv_window *windows;
    tide_status *st;
    tide_error *err;
};

/* 1,234 or 1.234.567: digits in groups of three. */
static int is_grouped(const char *s, size_t n)
{
    size_t digits = 0, groups = 0;
    size_t i = n && (s[0] == '-' || s[0] == '+');
    for (; i < n; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            digits++;
        } else if (s[i] == ',' && digits > 0 && digits <= 3 &&
                   (!groups || digits == 3)) {
            groups++;
            digits = 0;
        } else {
            return 0;
        }
    }
    return groups > 0 && digits == 3;
}

static void count_cell(const struct csv_reader *r, struct csv_cell c, int64_t row,
                       struct counts *k)
{
    int64_t whole;
    double v;
    uint8_t truth;
    char buf[512];
    if (csv_parse_int(r, c, &whole) == CSV_NUMBER) {
        k->values++;
        k->ints++;
        k->numbers++;
        return;
    }
    enum csv_number kind = csv_parse_number(r, c, &v);
    if (kind == CSV_MISSING) return;
    k->values++;
    if (kind != CSV_OTHER) {
        k->numbers++;
        return;
    }
    if (k->other_row < 0 || row < k->other_row) k->other_row = row;
    if (csv_parse_bool(r, c, 0, &truth) == CSV_NUMBER)
        k->bools++;
    else if (csv_parse_time(r, c, &whole) == CSV_NUMBER)
        k->times++;
    struct csv_cell plain = csv_strip(&r->d, c, buf, sizeof buf);
    k->grouped += is_grouped(plain.s, plain.n);
    k->bytes += (int64_t)plain.n;
}

static int64_t sample_row(const struct csv_reader *r, int64_t k)
{
    int64_t rest = r->n_rows - CSV_SAMPLE;
    if (k < CSV_SAMPLE || rest <= CSV_SAMPLE) return k;
    return CSV_SAMPLE + (int64_t)((__extension__(unsigned __int128)(k - CSV_SAMPLE) *
                                   (uint64_t)rest) /
                                  CSV_SAMPLE);
}

/* The first sampled row at or behind `row`, as its number in the sample. */
static int64_t sample_at(const struct infer *t, int64_t row)
{
    int64_t lo = 0, hi = t->n_sample;
    while (lo < hi) {
        int64_t mid = (lo + hi) / 2;
        if (sample_row(t->lanes.r, mid) < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int is_open(const struct csv_column *c)
{
    return c->out >= 0 && !c->declared;
}

/* Rows [i0, i0 + n) of one column, n <= SOME: what the kernels know for integers or numbers is
 * counted at once. */
#define SOME 256
static void count_cells(const struct csv_reader *r, const struct csv_block *b, int j,
                        int64_t i0, int64_t n, struct counts *k)
{
    union {
        double number[SOME];
        int64_t integer[SOME];
    } value;
    uint32_t left[SOME];
    const struct simd_table *simd = simd_get(r->ctx);
    struct simd_cells cells = csv_cells_of(r, b, j);
    cells.end += i0 * cells.stride;
    cells.n = n;
    int64_t n_left = simd->csv_integers(&cells, value.integer, left);
    k->ints += n - n_left;
    if (n_left == n) n_left = simd->csv_numbers(&cells, value.number, left);
    k->values += n - n_left;
    k->numbers += n - n_left;
    for (int64_t l = 0; l < n_left; l++) {
        int64_t i = i0 + left[l];
        count_cell(r, csv_cell_at(r, b, i, j), b->row0 + i, k);
    }
}

/* Column by column, so that the branches of one type follow each other. */
static void sample_block(const struct csv_reader *r, const struct csv_block *b,
                         int64_t from, int64_t to, struct counts *counts)
{
    for (int j = 0; j < r->n_cols; j++) {
        if (!is_open(&r->cols[j])) continue;
        int64_t s = from, first = sample_row(r, from);
        int adjoin = sample_row(r, to - 1) - first == to - 1 - from;
        for (; adjoin && csv_is_simple(r, b) && s < to; s += SOME)
            count_cells(r, b, j, first - b->row0 + (s - from),
                        to - s < SOME ? to - s : SOME, &counts[j]);
        for (; s < to; s++) {
            int64_t row = sample_row(r, s);
            count_cell(r, csv_cell_at(r, b, row - b->row0, j), row, &counts[j]);
        }
    }
}

static void sample_lane(void *arg, int64_t lane, int worker)
{
    struct infer *t = arg;
    struct csv_reader *r = t->lanes.r;
    struct csv_window *w = &t->windows[lane];
    tide_status st = TIDE_OK;
    (void)worker;
    for (int64_t k; st == TIDE_OK && (k = csv_next(&t->lanes)) >= 0;) {
        const struct csv_block *b = &r->blocks[k];
        int64_t from = sample_at(t, b->row0), to = sample_at(t, b->row0 + b->n_rows);
        if (from == to) continue;
        st = csv_load_rows(r, b, sample_row(r, from) - b->row0,
                           sample_row(r, to - 1) + 1 - b->row0, w, &t->err[lane]);
        if (st == TIDE_OK)
            sample_block(r, &w->b, from, to, &t->counts[lane * r->n_cols]);
    }
    t->st[lane] = st;
}

static void add_counts(struct counts *to, const struct counts *from)
{
    to->values += from->values;
    to->ints += from->ints;
    to->numbers += from->numbers;
    to->bools += from->bools;
    to->times += from->times;
    to->grouped += from->grouped;
    to->bytes += from->bytes;
    if (to->other_row < 0 || (from->other_row >= 0 && from->other_row < to->other_row))
        to->other_row = from->other_row;
}

/* Columns without a value in the sample: their first 1,000 values, wherever they are. */
static tide_status search_values(struct csv_reader *r, struct counts *counts,
                                 tide_error *err)
{
    int n_left = 0;
    int *left = arena_array(&r->work, r->n_cols, sizeof *left);
    if (!left) return arena_status(&r->work, err);
    for (int j = 0; j < r->n_cols; j++)
        if (is_open(&r->cols[j]) && counts[j].values == 0) left[n_left++] = j;
    for (int64_t k = 0; n_left && k < r->n_blocks; k++) {
        tide_status st = csv_load(r, &r->blocks[k], &r->look, err);
        if (st != TIDE_OK) return st;
        if (ctx_cancelled(r->ctx)) return err_cancelled(err);
        const struct csv_block *b = &r->look.b;
        int kept = 0;
        for (int l = 0; l < n_left; l++) {
            struct counts *c = &counts[left[l]];
            for (int64_t i = 0; i < b->n_rows && c->values < CSV_SAMPLE; i++)
                count_cell(r, csv_cell_at(r, b, i, left[l]), b->row0 + i, c);
            if (c->values < CSV_SAMPLE) left[kept++] = left[l];
        }
        n_left = kept;
    }
    return TIDE_OK;
}

static int nearly_all(int64_t part, int64_t all)
{
    return all > 0 && (all - part) * 100 <= all;
}

/* More than half are numbers, but not nearly all: worth a word. */
static void warn_of_mix(struct csv_reader *r, int j, const struct counts *k)
{
    tide_error w = {0};
    char name[160], shown[128], buf[512];
    int64_t i;
    const struct csv_block *b;
    if (csv_look(r, k->other_row, &b, &i, NULL) != TIDE_OK) return; /* told later */
    struct csv_cell c = csv_cell_at(r, b, i, j);
    const char *place = c.s;
    c = csv_strip(&r->d, c, buf, sizeof buf);
    err_quote(shown, sizeof shown, c.s, c.n, 60);
    csv_name_of(r, j, name, sizeof name);
    if (k->grouped * 2 > k->values - k->numbers && r->d.thousands == 0) {
        ctx_note(r->ctx,
                 "%s holds numbers with thousands marks such as \"%s\": taken as "
                 "text (--thousands , makes them numbers)",
                 name, shown);
        return;
    }
    err_set(
        &w, TIDE_CODE_CSV_TYPE,
        "%s is taken as text: %lld of %lld sampled values are no numbers, first \"%s\"",
        name, (long long)(k->values - k->numbers), (long long)k->values, shown);
    err_hint(&w, "na", "%s", shown);
    err_field(&w, r->cols[j].name);
    csv_place(r, b, place - b->text, &w);
    w.row = k->other_row + 1;
    ctx_warn(r->ctx, &w);
}

static void decide(struct csv_reader *r, int j, const struct counts *k, int warn)
{
    struct csv_column *c = &r->cols[j];
    if (c->declared || c->out < 0) return;
    c->long_text = 0;
    if (k->values == 0) {
        c->type = TIDE_F64;
    } else if (nearly_all(k->bools, k->values)) {
        c->type = TIDE_BOOL;
    } else if (nearly_all(k->numbers, k->values)) {
        c->type = k->ints == k->numbers ? TIDE_I64 : TIDE_F64;
    } else if (nearly_all(k->times, k->values)) {
        c->type = TIDE_TIME;
    } else {
        c->type = TIDE_CAT;
        c->long_text = k->bytes > CSV_MEAN * k->values;
        if (warn && (k->numbers + k->grouped) * 2 > k->values) warn_of_mix(r, j, k);
    }
}

static tide_status infer_room(struct infer *t, tide_error *err)
{
    struct csv_reader *r = t->lanes.r;
    int64_t n = t->lanes.n, cells;
    if (__builtin_mul_overflow(n, (int64_t)r->n_cols, &cells)) cells = INT64_MAX;
    t->windows = arena_zero(&r->work, (size_t)n * sizeof *t->windows);
    t->st = arena_zero(&r->work, (size_t)n * sizeof *t->st);
    t->err = arena_zero(&r->work, (size_t)n * sizeof *t->err);
    t->counts = arena_array(&r->work, cells, sizeof *t->counts);
    tide_status st = arena_status(&r->work, err);
    if (st != TIDE_OK) return st;
    memset(t->counts, 0, (size_t)cells * sizeof *t->counts);
    for (int64_t k = 0; k < cells; k++) t->counts[k].other_row = -1;
    for (int k = 0; k < n; k++) csv_window_init(&t->windows[k], r->ctx);
    return TIDE_OK;
}

tide_status csv_infer(struct csv_reader *r, int warn, tide_error *err)
{
    struct infer t = {.n_sample =
                          r->n_rows < 2 * CSV_SAMPLE ? r->n_rows : 2 * CSV_SAMPLE};
    csv_lanes_init(&t.lanes, r);
    if (t.lanes.n == 0) t.lanes.n = 1;
    tide_status st = infer_room(&t, err);
    if (st != TIDE_OK) return st;
    st = csv_for(r, t.lanes.n, sample_lane, &t, err);
    for (int k = 0; k < t.lanes.n; k++) {
        csv_window_free(&t.windows[k]);
        if (st == TIDE_OK && (st = t.st[k]) != TIDE_OK && err) *err = t.err[k];
        for (int j = 0; k && j < r->n_cols; j++)
            add_counts(&t.counts[j], &t.counts[k * r->n_cols + j]);
    }
    if (st == TIDE_OK && ctx_cancelled(r->ctx)) st = err_cancelled(err);
    if (st == TIDE_OK) st = search_values(r, t.counts, err);
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++)
        decide(r, j, &t.counts[j], warn);
    return st;
}
