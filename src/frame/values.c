/* values.c - wanted columns, declared types, missing tokens: shared by readers of typed tables */
#include "frame/values.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "frame/level_set.h"

#define MEAN_MOST 64 /* bytes of a category's cells on average */

int texts_are_category(int64_t levels, int64_t rows, int64_t cells, int64_t bytes)
{
    return levels <= LEVELS_MOST && levels * 2 <= rows && bytes <= MEAN_MOST * cells;
}

double half_number(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double v = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
               : exponent == 0 ? ldexp(fraction, -24)
                               : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -v : v;
}

/* ---- which columns ---- */

static int find_name(const char *const *names, int n, const char *name, size_t len)
{
    for (int j = 0; j < n; j++)
        if (strlen(names[j]) == len && memcmp(names[j], name, len) == 0) return j;
    return -1;
}

static int no_name(const char *const *names, int n, const char *name, size_t len,
                   const char *option, const char *tail, const char *path,
                   tide_error *err)
{
    char shown[128], whole[256];
    err_quote(shown, sizeof shown, name, len, 60);
    err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'", shown);
    if (path) err_at(err, path, 0, 0);
    str_format(whole, sizeof whole, "%.*s", (int)(len < 200 ? len : 200), name);
    err_field(err, whole);
    const char *near = err_nearest(whole, names, n);
    if (near) err_hint(err, option, "%s%s", near, tail);
    return -1;
}

/* An item is a name, or names with commas between. */
static int want_item(const char *const *names, int n, const char *item,
                     const char *path, uint8_t *take, tide_error *err)
{
    int j = find_name(names, n, item, strlen(item));
    for (const char *p = item; j < 0;) {
        size_t len = strcspn(p, ",");
        int k = find_name(names, n, p, len);
        if (k < 0) return no_name(names, n, p, len, "columns", "", path, err);
        take[k] = 1;
        if (!p[len]) return 0;
        p += len + 1;
    }
    take[j] = 1;
    return 0;
}

static int bad_type(const char *item, tide_error *err)
{
    char shown[160];
    err_quote(shown, sizeof shown, item, strlen(item), 100);
    err_set(err, TIDE_CODE_PARAM_VALUE, "expected COLUMN=TYPE for 'types', got \"%s\"",
            shown);
    err_field(err, "types");
    return -1;
}

static int type_item(const char *const *names, int n, const char *item,
                     const char *path, uint8_t *type, tide_error *err)
{
    const char *eq = strrchr(item, '=');
    if (!eq || eq == item) return bad_type(item, err);
    int j = find_name(names, n, item, (size_t)(eq - item));
    if (j < 0)
        return no_name(names, n, item, (size_t)(eq - item), "types", eq, path, err);
    for (int k = TIDE_BOOL; k <= TIDE_TEXT; k++)
        if (strcmp(eq + 1, tide_type_name((enum tide_type)k)) == 0)
            type[j] = (uint8_t)k;
    return type[j] ? 0 : bad_type(item, err);
}

tide_status wanted_columns(const char *const *names, int n,
                           const struct tide_read_options *o, const char *path,
                           uint8_t *take, uint8_t *type, tide_error *err)
{
    int some = o && o->columns.n > 0, bad = 0;
    memset(take, !some, (size_t)n);
    memset(type, 0, (size_t)n);
    for (int k = 0; some && !bad && k < o->columns.n; k++)
        bad = want_item(names, n, o->columns.items[k], path, take, err);
    if (bad) return TIDE_EDATA;
    for (int k = 0; o && !bad && k < o->types.n; k++)
        bad = type_item(names, n, o->types.items[k], path, type, err);
    return !bad ? TIDE_OK : err ? err->status : TIDE_EDATA;
}

/* ---- declared types ---- */

struct retype {
    tide_frame *f;
    struct column *c;
    enum tide_type type;
    tide_error *err;
};

static tide_status does_not_fit(const struct retype *t, int64_t row)
{
    char name[128], cell[128], shown[200];
    int64_t n = column_text(t->c, row, cell, sizeof cell);
    err_quote(name, sizeof name, t->c->name, strlen(t->c->name), 60);
    err_quote(shown, sizeof shown, cell,
              n < 0                      ? 0
              : n < (int64_t)sizeof cell ? (size_t)n
                                         : sizeof cell - 1,
              60);
    err_set(t->err, TIDE_CODE_DATA_TYPE, "row %lld of '%s' is no %s: \"%s\"",
            (long long)row + 1, name, tide_type_name(t->type), shown);
    if (t->err) t->err->row = row + 1;
    return err_field(t->err, t->c->name);
}

/* Cells as texts, a category or text column. */
static tide_status to_texts(struct retype *t)
{
    struct column *c = t->c, was = *c;
    struct arena *a = &t->f->arena, temp;
    struct level_set set;
    int64_t total = 0;
    int cat = t->type == TIDE_CAT;
    int64_t *at = cat ? NULL : arena_array(a, was.n_rows + 1, sizeof *at);
    uint8_t *missing = cat ? NULL : arena_push(a, (size_t)was.n_rows + 1);
    uint32_t *code = cat ? arena_array(a, was.n_rows + 1, sizeof *code) : NULL;
    if (a->failed) return arena_status(a, t->err);
    struct str cell = {0}, all = {0};
    tide_status st = TIDE_OK;
    arena_init(&temp, a->ctx);
    int bad = level_set_init(&set, &temp, &temp, was.n_rows);
    for (int64_t i = 0; !bad && i < was.n_rows; i++) {
        char small[128], *s = small;
        int64_t n = column_text(&was, i, small, sizeof small);
        if (n >= (int64_t)sizeof small) {
            char *big = arena_push(&temp, (size_t)n + 1);
            if (!big) break;
            column_text(&was, i, big, (size_t)n + 1);
            s = big;
        }
        if (cat) {
            code[i] = n < 0 ? CODE_MISSING : level_set_add(&set, s, (size_t)n, 1);
        } else {
            at[i] = total;
            missing[i] = n < 0;
            if (n > 0) str_addn(&all, s, (size_t)n);
            total += n > 0 ? n : 0;
        }
    }
    st = arena_status(&temp, t->err);
    if (st == TIDE_OK && all.failed) st = err_nomem(t->err, (size_t)total);
    if (st == TIDE_OK && cat) {
        if (level_set_dict(&set, a, &c->dict) != 0 && !a->failed)
            st = err_set(t->err, TIDE_CODE_DATA_TYPE,
                         "the levels of '%s' take more than 4 GiB", c->name);
        c->code = code;
    } else if (st == TIDE_OK) {
        char *text = arena_push(a, (size_t)total + 1);
        if (text && total) memcpy(text, all.s, (size_t)total);
        at[was.n_rows] = total;
        c->text = text;
        c->text_at = at;
        c->text_missing = missing;
    }
    c->type = (uint8_t)t->type;
    str_free(&cell);
    str_free(&all);
    arena_free(&temp);
    return st == TIDE_OK ? arena_status(a, t->err) : st;
}

/* Number of a cell of any type; 0 when it is none. Times only become times. */
static int cell_number(const struct column *c, int64_t i, double *v)
{
    char text[64];
    int64_t n;
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        *v = c->b[i];
        return 1;
    case TIDE_I64:
        *v = (double)c->i64[i];
        return 1;
    case TIDE_F64:
        *v = c->f64[i];
        return 1;
    case TIDE_TIME:
        return 0;
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    n = column_text(c, i, text, sizeof text);
    if (n < 1 || n >= (int64_t)sizeof text) return 0;
    enum num_result r = num_parse(text, (size_t)n, '.', v);
    return r != NUM_BAD && r != NUM_OVERFLOW;
}

static int cell_i64(const struct column *c, int64_t i, int64_t *out)
{
    char text[64];
    double v;
    if (c->type == TIDE_CAT || c->type == TIDE_TEXT) {
        int64_t n = column_text(c, i, text, sizeof text);
        if (n > 0 && n < (int64_t)sizeof text && num_parse_i64(text, (size_t)n, out))
            return *out != I64_MISSING;
    }
    if (!cell_number(c, i, &v) || v != floor(v) || !(fabs(v) < 9.2e18)) return 0;
    *out = (int64_t)v;
    return 1;
}

static int cell_time(const struct column *c, int64_t i, int64_t *out)
{
    char text[64];
    int64_t n;
    if (c->type != TIDE_CAT && c->type != TIDE_TEXT) return 0;
    n = column_text(c, i, text, sizeof text);
    return n > 0 && n < (int64_t)sizeof text && time_parse(text, (size_t)n, out) == 0;
}

static tide_status to_values(struct retype *t)
{
    struct column *c = t->c;
    size_t each = t->type == TIDE_BOOL ? 1 : 8;
    void *data = arena_array(&t->f->arena, c->n_rows + 1, each);
    double *f64 = data, v;
    int64_t *i64 = data;
    uint8_t *b = data;
    if (!data) return arena_status(&t->f->arena, t->err);
    for (int64_t i = 0; i < c->n_rows; i++) {
        int missing = column_is_missing(c, i), fits = 1;
        if (t->type == TIDE_F64) {
            f64[i] = (double)NAN;
            if (!missing) fits = cell_number(c, i, &f64[i]);
        } else if (t->type == TIDE_BOOL) {
            b[i] = BOOL_MISSING;
            if (!missing) fits = cell_number(c, i, &v) && (v == 0 || v == 1);
            if (!missing && fits) b[i] = v == 1;
        } else {
            i64[i] = I64_MISSING;
            if (!missing)
                fits = t->type == TIDE_TIME ? cell_time(c, i, &i64[i])
                                            : cell_i64(c, i, &i64[i]);
        }
        if (!fits) return does_not_fit(t, i);
    }
    c->type = (uint8_t)t->type;
    if (t->type == TIDE_F64)
        c->f64 = data;
    else if (t->type == TIDE_BOOL)
        c->b = data;
    else
        c->i64 = data;
    return TIDE_OK;
}

tide_status column_retype(tide_frame *f, struct column *c, enum tide_type type,
                          tide_error *err)
{
    struct retype t = {f, c, type, err};
    if (!type || type == (enum tide_type)c->type) return TIDE_OK;
    return type == TIDE_CAT || type == TIDE_TEXT ? to_texts(&t) : to_values(&t);
}

/* ---- missing tokens ---- */

static int is_token(const struct tide_text_list *na, const char *s, size_t n)
{
    for (int k = 0; k < na->n; k++)
        if (strlen(na->items[k]) == n && memcmp(na->items[k], s, n) == 0) return 1;
    return 0;
}

tide_status column_drop_tokens(tide_frame *f, struct column *c,
                               const struct tide_text_list *na, tide_error *err)
{
    struct arena *a = &f->arena;
    if (!na || na->n == 0 || (c->type != TIDE_CAT && c->type != TIDE_TEXT))
        return TIDE_OK;
    if (c->type == TIDE_TEXT) {
        uint8_t *missing = arena_zero(a, (size_t)c->n_rows + 1);
        for (int64_t i = 0; missing && i < c->n_rows; i++)
            missing[i] = (c->text_missing && c->text_missing[i]) ||
                         is_token(na, c->text + c->text_at[i],
                                  (size_t)(c->text_at[i + 1] - c->text_at[i]));
        c->text_missing = missing;
        return arena_status(a, err);
    }
    uint32_t *code = arena_array(a, c->n_rows + 1, sizeof *code);
    uint8_t *drop = arena_zero(a, (size_t)c->dict.n + 1);
    if (!code || !drop) return arena_status(a, err);
    for (uint32_t k = 0; k < c->dict.n; k++) {
        size_t n;
        const char *s = dict_text(&c->dict, k, &n);
        drop[k] = (uint8_t)is_token(na, s, n);
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint32_t v = c->code[i];
        code[i] = v == CODE_MISSING || drop[v] ? CODE_MISSING : v;
    }
    c->code = code;
    return TIDE_OK;
}
