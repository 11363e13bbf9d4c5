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
    int64_t values, ints, numbers, bools, times, grouped;
    int64_t other_row; /* first value that is no number, -1: none */
};

struct infer {
    struct csv_reader *r;
    int64_t n_sample;
    struct counts *counts; /* [n_cols] */
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
    if (k->other_row < 0) k->other_row = row;
    if (csv_parse_bool(r, c, 0, &truth) == CSV_NUMBER)
        k->bools++;
    else if (csv_parse_time(r, c, &whole) == CSV_NUMBER)
        k->times++;
    struct csv_cell plain = csv_strip(&r->d, c, buf, sizeof buf);
    k->grouped += is_grouped(plain.s, plain.n);
}

static int64_t sample_row(const struct csv_reader *r, int64_t k)
{
    int64_t rest = r->n_rows - CSV_SAMPLE;
    if (k < CSV_SAMPLE || rest <= CSV_SAMPLE) return k;
    return CSV_SAMPLE + (int64_t)((__extension__(unsigned __int128)(k - CSV_SAMPLE) *
                                   (uint64_t)rest) /
                                  CSV_SAMPLE);
}

static void sample_column(void *arg, int64_t j, int worker)
{
    const struct infer *t = arg;
    const struct csv_reader *r = t->r;
    struct counts *k = &t->counts[j];
    (void)worker;
    k->other_row = -1;
    if (r->cols[j].out < 0 || r->cols[j].declared) return;
    const struct csv_block *b = r->blocks;
    for (int64_t s = 0; s < t->n_sample; s++) {
        int64_t row = sample_row(r, s);
        while (row >= b->row0 + b->n_rows) b++;
        count_cell(r, csv_cell_at(r, b, row - b->row0, (int)j), row, k);
    }
    if (k->values > 0) return;
    if (r->n_blocks == 0) return;
    for (b = r->blocks; k->values < CSV_SAMPLE && b < r->blocks + r->n_blocks; b++)
        for (int64_t i = 0; i < b->n_rows && k->values < CSV_SAMPLE; i++)
            count_cell(r, csv_cell_at(r, b, i, (int)j), b->row0 + i, k);
}

static int nearly_all(int64_t part, int64_t all)
{
    return all > 0 && (all - part) * 100 <= all;
}

/* More than half are numbers, but not nearly all: worth a word. */
static void warn_of_mix(const struct csv_reader *r, int j, const struct counts *k)
{
    tide_error w = {0};
    char name[160], shown[128], buf[512];
    int64_t i;
    const struct csv_block *b = csv_locate(r, k->other_row, &i);
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

static void decide(const struct csv_reader *r, int j, const struct counts *k)
{
    struct csv_column *c = &r->cols[j];
    if (c->declared || c->out < 0) return;
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
        if ((k->numbers + k->grouped) * 2 > k->values) warn_of_mix(r, j, k);
    }
}

tide_status csv_infer(struct csv_reader *r, tide_error *err)
{
    struct infer t = {.r = r};
    t.n_sample = r->n_rows < 2 * CSV_SAMPLE ? r->n_rows : 2 * CSV_SAMPLE;
    t.counts = arena_zero(&r->work, (size_t)r->n_cols * sizeof *t.counts);
    tide_status st = arena_status(&r->work, err);
    if (st == TIDE_OK) st = csv_for(r, r->n_cols, sample_column, &t, err);
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++) decide(r, j, &t.counts[j]);
    return st;
}
