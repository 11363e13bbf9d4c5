/* bind.c - a frame's columns in the model's order, types and codes, matched by name
 *
 * Whole columns are bound at once: numbers are borrowed, categories get the model's codes.
 * A category is matched by its text, so a column of codes that a new file spells with digits
 * alone (and a reader takes for numbers) still finds its levels. */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "frame/level_set.h"
#include "math/sort.h"
#include "pipe/flow.h"

#define POLL_ROWS 65536

/* One call's view of what is bound. */
struct binding {
    struct tide_ctx *ctx;
    const struct schema *schema;
    const tide_frame *frame;
    const int64_t *rows;
    int64_t n;
    struct arena *a;
    struct bind_counts *counts; /* may be NULL */
};

static int text_cmp(const char *a, size_t na, const char *b, size_t nb)
{
    int c = memcmp(a, b, na < nb ? na : nb);
    return c ? c : na < nb ? -1 : na > nb;
}

uint32_t bind_level(const struct dict *levels, const char *text, size_t len)
{
    uint32_t lo = 0, hi = levels->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        size_t n;
        const char *s = dict_text(levels, mid, &n);
        int c = text_cmp(s, n, text, len);
        if (c == 0) return mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return CODE_MISSING;
}

/* ---- names ---- */

struct named {
    const char *name;
    int at;
};

static int named_cmp(const void *a, const void *b, const void *arg)
{
    (void)arg;
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static int is_other_name(const struct schema *s, const char *name)
{
    return str_same(name, s->target) || str_same(name, s->weight) ||
           str_same(name, s->id) || str_same(name, s->group);
}

static tide_status refuse_missing(const struct binding *b, const int *found, int n_gone,
                                  tide_error *err)
{
    struct str list = {0};
    const char *first = NULL;
    int said = 0;
    for (int j = 0; j < b->schema->n_cols; j++) {
        if (found[j] >= 0) continue;
        const char *name = b->schema->cols[j].name;
        if (!first) first = name;
        char shown[96];
        err_quote(shown, sizeof shown, name, strlen(name), 60);
        str_addf(&list, "%s'%s'",
                 !said                ? ""
                 : said + 1 == n_gone ? " and "
                                      : ", ",
                 shown);
        said++;
    }
    if (list.failed) {
        str_free(&list);
        return err_nomem(err, 0);
    }
    if (n_gone == 1)
        err_set(err, TIDE_CODE_DATA_COLUMN, "no column %s, which the model needs",
                list.s);
    else
        err_set(err, TIDE_CODE_DATA_COLUMN,
                "the model needs %d columns that are not here: %s", n_gone, list.s);
    str_free(&list);
    err_field(err, first);
    return err_at(err, b->frame->source, b->frame->first_line > 0, 0);
}

/* found[j]: column of the frame with the name of schema column j. */
static tide_status find_names(const struct binding *b, int *found, tide_error *err)
{
    const tide_frame *f = b->frame;
    const struct schema *s = b->schema;
    struct named *names = arena_array(b->a, f->n_cols, sizeof *names);
    if (!names) return arena_status(b->a, err);
    for (int j = 0; j < f->n_cols; j++) names[j] = (struct named){f->cols[j].name, j};
    if (sort_any(b->a, names, f->n_cols, sizeof *names, named_cmp, NULL))
        return arena_status(b->a, err);
    int i = 0, j = 0, n_gone = 0, n_extra = 0;
    while (i < f->n_cols || j < s->n_cols) {
        int c = i >= f->n_cols   ? 1
                : j >= s->n_cols ? -1
                                 : strcmp(names[i].name, s->cols[j].name);
        if (c > 0) {
            found[j++] = -1;
            n_gone++;
        } else if (c < 0) {
            const char *name = names[i++].name;
            if (is_other_name(s, name)) continue;
            if (b->counts && n_extra < 8) b->counts->extra[n_extra] = name;
            n_extra++;
        } else {
            found[j++] = names[i++].at;
        }
    }
    if (b->counts) b->counts->n_extra = n_extra;
    return n_gone ? refuse_missing(b, found, n_gone, err) : TIDE_OK;
}

/* ---- numbers ---- */

static tide_status refuse_type(const struct binding *b,
                               const struct schema_column *want, int64_t row,
                               const char *got, size_t len, tide_error *err)
{
    char shown[128];
    err_quote(shown, sizeof shown, got, len, 60);
    err_set(err, TIDE_CODE_DATA_TYPE,
            "'%s' held %s when the model was fitted, got \"%s\"", want->name,
            want->type == TIDE_TIME ? "times" : "numbers", shown);
    err_field(err, want->name);
    if (err && row >= 0) err->row = row + 1;
    return err_at(err, b->frame->source, row >= 0 ? frame_line(b->frame, row) : 0, 0);
}

/* A column of no type in particular: every cell is missing. */
static tide_status bind_empty(const struct binding *b, struct column *out,
                              tide_error *err)
{
    int64_t n = b->frame->n_rows;
    double *x = arena_array(b->a, n, sizeof *x);
    if (!x) return arena_status(b->a, err);
    for (int64_t i = 0; i < n; i++) x[i] = NAN;
    out->type = TIDE_F64;
    out->f64 = x;
    out->n_missing = n;
    return TIDE_OK;
}

/* Numbers that a reader took for categories, because of other rows or a declared type. */
static tide_status bind_spelt(const struct binding *b, const struct schema_column *want,
                              const struct column *from, struct column *out,
                              tide_error *err)
{
    const struct dict *d = &from->dict;
    double *value = arena_array(b->a, d->n, sizeof *value);
    uint8_t *is_bad = arena_zero(b->a, d->n + 1u);
    double *x = arena_array(b->a, from->n_rows, sizeof *x);
    tide_status st = arena_status(b->a, err);
    if (st) return st;
    size_t len;
    for (uint32_t c = 0; c < d->n; c++) {
        const char *s = dict_text(d, c, &len);
        is_bad[c] = num_parse(s, len, '.', &value[c]) == NUM_BAD || !isfinite(value[c]);
    }
    for (int64_t i = 0; i < from->n_rows; i++)
        x[i] = from->code[i] == CODE_MISSING ? (double)NAN : value[from->code[i]];
    for (int64_t i = 0; i < b->n; i++) {
        int64_t row = b->rows ? b->rows[i] : i;
        uint32_t c = from->code[row];
        if (c == CODE_MISSING || !is_bad[c]) continue;
        const char *s = dict_text(d, c, &len);
        return refuse_type(b, want, row, s, len, err);
    }
    out->type = TIDE_F64;
    out->f64 = x;
    return TIDE_OK;
}

static tide_status bind_number(const struct binding *b,
                               const struct schema_column *want,
                               const struct column *from, struct column *out,
                               tide_error *err)
{
    int is_time = want->type == TIDE_TIME;
    if (column_is_numeric(from) && (from->type == TIDE_TIME) == is_time) {
        *out = *from;
        out->name = want->name;
        return TIDE_OK;
    }
    if (from->type == TIDE_CAT && !is_time) return bind_spelt(b, want, from, out, err);
    char text[128];
    for (int64_t i = 0; i < b->n; i++) {
        int64_t row = b->rows ? b->rows[i] : i;
        int64_t len = column_text(from, row, text, sizeof text);
        if (len < 0) continue;
        if (len >= (int64_t)sizeof text) len = (int64_t)sizeof text - 1;
        return refuse_type(b, want, row, text, (size_t)len, err);
    }
    return bind_empty(b, out, err);
}

/* ---- categories ---- */

#define FEW_LEVELS 256 /* below, a search by halves is as fast as a table */

/* map[c]: the model's code of the frame's level c. */
static tide_status map_levels(const struct binding *b, const struct dict *from,
                              const struct dict *to, uint32_t *map, tide_error *err)
{
    struct level_set set;
    size_t len;
    int by_table = from->n > FEW_LEVELS;
    if (by_table && level_set_init(&set, b->a, b->a, (int64_t)to->n + (int64_t)from->n))
        return arena_status(b->a, err);
    for (uint32_t c = 0; by_table && c < to->n; c++) {
        const char *s = dict_text(to, c, &len);
        level_set_add(&set, s, len, 0);
    }
    for (uint32_t c = 0; c < from->n; c++) {
        const char *s = dict_text(from, c, &len);
        map[c] = by_table ? level_set_add(&set, s, len, 0) : bind_level(to, s, len);
        if (map[c] >= to->n) map[c] = CODE_MISSING; /* new to the table */
    }
    return arena_status(b->a, err);
}

/* Codes through the map of one dictionary onto another. */
static tide_status bind_codes(const struct binding *b, const struct column *from,
                              struct column *out, tide_error *err)
{
    const struct dict *d = &from->dict;
    uint32_t *map = arena_array(b->a, d->n, sizeof *map);
    if (!map) return arena_status(b->a, err);
    tide_status st = map_levels(b, d, &out->dict, map, err);
    if (st) return st;
    int is_identity = 1;
    for (uint32_t c = 0; c < d->n; c++) is_identity &= map[c] == c;
    if (is_identity) {
        out->code = from->code;
        out->n_missing = from->n_missing;
        return TIDE_OK;
    }
    uint32_t *code = arena_array(b->a, from->n_rows, sizeof *code);
    if (!code) return arena_status(b->a, err);
    for (int64_t i = 0; i < from->n_rows; i++) {
        code[i] = from->code[i] == CODE_MISSING ? CODE_MISSING : map[from->code[i]];
        out->n_missing += code[i] == CODE_MISSING;
    }
    out->code = code;
    if (!b->counts) return TIDE_OK;
    for (int64_t i = 0; i < b->n; i++) {
        uint32_t c = from->code[b->rows ? b->rows[i] : i];
        b->counts->unseen += c != CODE_MISSING && map[c] == CODE_MISSING;
    }
    return TIDE_OK;
}

/* Cells of any other type by their text; only the rows asked for are looked at. */
static tide_status bind_texts(const struct binding *b, const struct column *from,
                              struct column *out, tide_error *err)
{
    uint32_t *code = arena_array(b->a, from->n_rows, sizeof *code);
    if (!code) return arena_status(b->a, err);
    memset(code, 0xff, (size_t)from->n_rows * sizeof *code);
    out->n_missing = from->n_rows;
    char text[4096];
    for (int64_t i = 0; i < b->n; i++) {
        if (i % POLL_ROWS == 0 && ctx_cancelled(b->ctx)) return err_cancelled(err);
        int64_t row = b->rows ? b->rows[i] : i;
        int64_t len = column_text(from, row, text, sizeof text);
        if (len < 0) continue;
        if (len < (int64_t)sizeof text)
            code[row] = bind_level(&out->dict, text, (size_t)len);
        out->n_missing -= code[row] != CODE_MISSING;
        if (b->counts) b->counts->unseen += code[row] == CODE_MISSING;
    }
    out->code = code;
    return TIDE_OK;
}

static tide_status bind_category(const struct binding *b,
                                 const struct schema_column *want,
                                 const struct column *from, struct column *out,
                                 tide_error *err)
{
    out->type = TIDE_CAT;
    out->dict = want->levels;
    return from->type == TIDE_CAT ? bind_codes(b, from, out, err)
                                  : bind_texts(b, from, out, err);
}

/* Missing cells of a bound column among the rows; unseen levels do not count as missing. */
static int64_t count_missing(const struct binding *b, const struct column *from)
{
    if (!b->rows || from->n_missing == 0) return from->n_missing;
    struct view v = {.n_rows = b->n, .n_cols = 1, .cols = &from, .rows = b->rows};
    return view_missing(&v, 0, NULL);
}

tide_status bind_frame(struct tide_ctx *ctx, const struct schema *schema,
                       const tide_frame *frame, const int64_t *rows, int64_t n,
                       struct arena *a, const struct column ***cols,
                       struct bind_counts *counts, tide_error *err)
{
    struct binding b = {ctx, schema, frame, rows, rows ? n : frame->n_rows, a, counts};
    int *found = arena_array(a, schema->n_cols, sizeof *found);
    struct column *own = arena_array(a, schema->n_cols, sizeof *own);
    const struct column **list = arena_array(a, schema->n_cols, sizeof *list);
    tide_status st = arena_status(a, err);
    if (counts) *counts = (struct bind_counts){0};
    if (!st) st = find_names(&b, found, err);
    for (int j = 0; !st && j < schema->n_cols; j++) {
        const struct schema_column *want = &schema->cols[j];
        const struct column *from = &frame->cols[found[j]];
        own[j] = (struct column){.name = want->name, .n_rows = frame->n_rows};
        st = want->type == TIDE_CAT ? bind_category(&b, want, from, &own[j], err)
                                    : bind_number(&b, want, from, &own[j], err);
        if (!st && want->type != TIDE_CAT && own[j].n_missing == 0)
            own[j].n_missing = from->n_missing;
        if (!st && counts) counts->missing += count_missing(&b, from);
        list[j] = &own[j];
        if (!st && ctx_cancelled(ctx)) st = err_cancelled(err);
    }
    *cols = list;
    return st;
}
