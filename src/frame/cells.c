/* cells.c - a frame from tagged cells: types over all rows, then columns in parallel */
#include "frame/cells.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv.h"
#include "frame/level_set.h"

/* What a column is found to be, and its arrays while they are filled. */
struct work {
    int64_t count[CELL_TAGS], first[CELL_TAGS]; /* first row of each tag */
    int64_t times;                              /* texts that are dates */
    uint8_t type;
    int64_t bytes, missing, bad_row, cut_row, n_cut, n_bad;
    int is_infinite;
    void *data;
    uint8_t *text_missing;
    char *text;
    struct level_set set;
    struct arena keep, temp;
};

struct build {
    struct cell_table *t;
    struct work *cols; /* [n_cols] */
    tide_frame *f;
    int bad_is_null;
};

const struct cell_block *cells_locate(const struct cell_table *t, int64_t row,
                                      int64_t *i)
{
    int64_t lo = 0, hi = t->n_blocks - 1;
    while (lo < hi) {
        int64_t mid = (lo + hi + 1) / 2;
        if (t->blocks[mid].row0 <= row)
            lo = mid;
        else
            hi = mid - 1;
    }
    *i = row - t->blocks[lo].row0;
    return &t->blocks[lo];
}

int64_t cells_line(const struct cell_block *b, size_t at)
{
    int64_t line = b->line0;
    const char *s = b->text, *end = b->text + at;
    while (s < end && (s = memchr(s, '\n', (size_t)(end - s)))) {
        line++;
        s++;
    }
    return line;
}

/* ---- one cell ---- */

/* Text of a cell; `buf` takes printed numbers, the arena escaped texts. */
static const char *text_of(const struct cell_table *t, const struct cell_block *b,
                           int j, int64_t i, struct arena *temp, char *buf, size_t *n)
{
    uint64_t value = b->cols[j].value[i];
    union {
        uint64_t u;
        double d;
        int64_t i;
    } x = {value};
    char *out;
    switch ((enum cell_tag)b->cols[j].tag[i]) {
    case CELL_TEXT:
        *n = (uint32_t)value;
        return b->text + (value >> 32);
    case CELL_RAW:
        out = arena_push(temp, (uint32_t)value + 1);
        *n = 0;
        if (!out) return "";
        *n = t->unescape(b->text + (value >> 32), (uint32_t)value, out);
        return out;
    case CELL_FALSE:
        *n = 5;
        return "false";
    case CELL_TRUE:
        *n = 4;
        return "true";
    case CELL_INT:
        *n = (size_t)num_print_i64(buf, x.i);
        return buf;
    case CELL_REAL:
    case CELL_CUT:
        *n = (size_t)num_print(buf, x.d);
        return buf;
    case CELL_FIRST:
        if (t->cols[j].fixed && t->cols[j].fixed->n)
            return dict_text(t->cols[j].fixed, 0, n);
        break;
    case CELL_MISSING:
    case CELL_TAGS:
        break;
    }
    *n = 0;
    return "";
}

static int is_text_tag(uint8_t tag)
{
    return tag == CELL_TEXT || tag == CELL_RAW || tag == CELL_FIRST;
}

static int is_na(const struct tide_read_options *o, const char *s, size_t n)
{
    for (int k = 0; o && k < o->na.n; k++)
        if (strlen(o->na.items[k]) == n && memcmp(o->na.items[k], s, n) == 0) return 1;
    return 0;
}

/* ---- types ---- */

static int64_t texts_of(const struct work *c)
{
    return c->count[CELL_TEXT] + c->count[CELL_RAW] + c->count[CELL_FIRST];
}

static void count_block(struct build *w, struct cell_block *b, int j)
{
    const struct tide_read_options *o = w->t->options;
    struct work *c = &w->cols[j];
    char buf[NUM_PRINT_MAX];
    int64_t us;
    if (!b->cols[j].tag) {
        c->count[CELL_MISSING] += b->n_rows;
        return;
    }
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint8_t *tag = &b->cols[j].tag[i];
        if (is_text_tag(*tag) || (o && o->na.n)) {
            struct arena_mark mark = arena_mark(&c->temp);
            size_t n;
            const char *s = text_of(w->t, b, j, i, &c->temp, buf, &n);
            if (*tag != CELL_MISSING && is_na(o, s, n))
                *tag = CELL_MISSING;
            else if (is_text_tag(*tag) && c->times == texts_of(c))
                c->times += time_parse(s, n, &us) == 0;
            arena_reset(&c->temp, mark);
        }
        if (!c->count[*tag]++) c->first[*tag] = b->row0 + i;
    }
}

static void count_column(void *arg, int64_t j, int worker)
{
    struct build *w = arg;
    (void)worker;
    if (w->t->cols[j].out < 0) return;
    for (int64_t k = 0; k < w->t->n_blocks; k++)
        count_block(w, &w->t->blocks[k], (int)j);
}

static tide_status cell_fault(const struct build *w, int64_t row, int j,
                              const char *wanted, tide_error *err)
{
    const struct cell_table *t = w->t;
    int64_t i;
    const struct cell_block *b = cells_locate(t, row, &i);
    char buf[NUM_PRINT_MAX], name[128], shown[128];
    struct arena temp;
    size_t n;
    arena_init(&temp, t->ctx);
    const char *s = text_of(t, b, j, i, &temp, buf, &n);
    err_quote(shown, sizeof shown, s, n, 80);
    err_quote(name, sizeof name, t->cols[j].name, strlen(t->cols[j].name), 60);
    if (w->cols[j].is_infinite) {
        err_set(err, TIDE_CODE_DATA_RANGE,
                "a value of '%s' is beyond the range of numbers", name);
        err_hint(err, "inf", "missing");
    } else {
        err_set(err, TIDE_CODE_CSV_TYPE, "expected %s in '%s', got \"%s\"", wanted,
                name, shown);
        if (n <= 60) err_hint(err, "na", "%s", shown);
    }
    arena_free(&temp);
    err_field(err, t->cols[j].name);
    err_at(err, t->path, 0, 0);
    if (t->place) t->place(t, row, j, err);
    if (err) err->row = row + 1;
    return TIDE_EDATA;
}

/* A column of numbers with at most one text in a hundred is at fault; else it is text. */
static tide_status decide_mixed(struct build *w, int j, int64_t numbers, int64_t texts,
                                tide_error *err)
{
    const struct cell_table *t = w->t;
    struct work *c = &w->cols[j];
    int64_t row = INT64_MAX;
    tide_error e = {0};
    for (int tag = CELL_TEXT; tag <= CELL_FIRST; tag++)
        if (c->count[tag] && c->first[tag] < row) row = c->first[tag];
    if (w->bad_is_null && texts * 100 <= numbers) {
        c->type = TIDE_F64;
        return TIDE_OK;
    }
    if (!(t->options && t->options->mixed)) {
        if (texts * 100 <= numbers + texts)
            return cell_fault(w, row, j, "a number", err);
        (void)cell_fault(w, row, j, "a number", &e);
        ctx_warn(t->ctx, &e);
    } else {
        ctx_note(t->ctx, "'%s' is mixed: %lld of %lld values are no numbers",
                 t->cols[j].name, (long long)texts, (long long)(numbers + texts));
    }
    w->f->n_mixed++;
    c->type = TIDE_CAT;
    return TIDE_OK;
}

static tide_status decide(struct build *w, int j, tide_error *err)
{
    struct work *c = &w->cols[j];
    const int64_t *k = c->count;
    int64_t bools = k[CELL_FALSE] + k[CELL_TRUE], reals = k[CELL_REAL] + k[CELL_CUT];
    int64_t texts = k[CELL_TEXT] + k[CELL_RAW] + k[CELL_FIRST],
            numbers = bools + k[CELL_INT] + reals;
    c->bad_row = c->cut_row = INT64_MAX;
    if (w->t->cols[j].type) {
        c->type = w->t->cols[j].type;
        return TIDE_OK;
    }
    if (texts && numbers) return decide_mixed(w, j, numbers, texts, err);
    if (texts)
        c->type = c->times == texts ? TIDE_TIME : TIDE_CAT;
    else if (numbers && bools == numbers)
        c->type = TIDE_BOOL;
    else if (numbers && !reals)
        c->type = TIDE_I64;
    else
        c->type = TIDE_F64;
    return TIDE_OK;
}

/* ---- conversion ---- */

static void note_bad(struct work *c, int64_t row)
{
    if (!c->n_bad++) c->bad_row = row;
}

/* A number of any cell: 0 when there is none. */
static int number_of(const struct build *w, const struct cell_block *b, int j,
                     int64_t i, double *out)
{
    struct work *c = &w->cols[j];
    uint8_t tag = b->cols[j].tag[i];
    uint64_t value = b->cols[j].value[i];
    int64_t row = b->row0 + i;
    union {
        uint64_t u;
        double d;
        int64_t i;
    } x = {value};
    char buf[NUM_PRINT_MAX];
    size_t n;
    switch ((enum cell_tag)tag) {
    case CELL_FALSE:
    case CELL_TRUE:
        *out = tag == CELL_TRUE;
        return 1;
    case CELL_INT:
        *out = (double)x.i;
        if ((x.i > INT64_C(1) << 53 || x.i < -(INT64_C(1) << 53)) &&
            (*out >= 0x1p63 || (int64_t)*out != x.i) && !c->n_cut++)
            c->cut_row = row;
        return 1;
    case CELL_CUT:
    case CELL_REAL:
        if (tag == CELL_CUT && !c->n_cut++) c->cut_row = row;
        *out = x.d;
        return 1;
    case CELL_TEXT:
    case CELL_RAW:
    case CELL_FIRST: {
        struct arena_mark mark = arena_mark(&c->temp);
        const char *s = text_of(w->t, b, j, i, &c->temp, buf, &n);
        enum num_result how = num_parse(s, n, '.', out);
        arena_reset(&c->temp, mark);
        return how != NUM_BAD;
    }
    case CELL_MISSING:
    case CELL_TAGS:
        break;
    }
    return 0;
}

static void fill_f64(struct build *w, const struct cell_block *b, int j)
{
    struct work *c = &w->cols[j];
    double *out = (double *)c->data + b->row0;
    int drop_inf = w->t->options && w->t->options->inf == 1;
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint8_t tag = b->cols[j].tag[i];
        double v = (double)NAN;
        if (tag == CELL_MISSING) {
            c->missing++;
        } else if (!number_of(w, b, j, i, &v)) {
            note_bad(c, b->row0 + i);
            v = (double)NAN;
            c->missing++;
        } else if (isnan(v)) {
            c->missing++;
        } else if (isinf(v)) {
            if (!drop_inf) {
                if (!c->n_bad) c->is_infinite = 1;
                note_bad(c, b->row0 + i);
            }
            v = (double)NAN;
            c->missing++;
        }
        out[i] = v;
    }
}

/* A whole number of a cell that is declared to be one. */
static int whole_of(const struct build *w, const struct cell_block *b, int j, int64_t i,
                    int64_t *out)
{
    double v;
    uint8_t tag = b->cols[j].tag[i];
    if (tag == CELL_INT) {
        memcpy(out, &b->cols[j].value[i], sizeof *out);
        return *out != I64_MISSING;
    }
    if (!number_of(w, b, j, i, &v)) return 0;
    if (!(v >= -0x1p53 && v <= 0x1p53) || v != floor(v)) return 0;
    *out = (int64_t)v;
    return 1;
}

static int time_of(const struct build *w, const struct cell_block *b, int j, int64_t i,
                   int64_t *out)
{
    struct work *c = &w->cols[j];
    char buf[NUM_PRINT_MAX];
    size_t n;
    uint8_t tag = b->cols[j].tag[i];
    struct arena_mark mark = arena_mark(&c->temp);
    const char *s = text_of(w->t, b, (int)j, i, &c->temp, buf, &n);
    int ok = is_text_tag(tag) && time_parse(s, n, out) == 0;
    arena_reset(&c->temp, mark);
    return ok;
}

static void fill_i64(struct build *w, const struct cell_block *b, int j)
{
    struct work *c = &w->cols[j];
    int64_t *out = (int64_t *)c->data + b->row0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        out[i] = I64_MISSING;
        int is_there = b->cols[j].tag[i] != CELL_MISSING;
        if (is_there && (c->type == TIDE_TIME ? time_of(w, b, j, i, &out[i])
                                              : whole_of(w, b, j, i, &out[i])))
            continue;
        out[i] = I64_MISSING;
        if (is_there) note_bad(c, b->row0 + i);
        c->missing++;
    }
}

static void fill_bool(struct build *w, const struct cell_block *b, int j)
{
    struct work *c = &w->cols[j];
    uint8_t *out = (uint8_t *)c->data + b->row0;
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint8_t tag = b->cols[j].tag[i];
        int64_t whole;
        out[i] = BOOL_MISSING;
        if (tag == CELL_FALSE || tag == CELL_TRUE)
            out[i] = tag == CELL_TRUE;
        else if (tag == CELL_MISSING)
            c->missing++;
        else if (whole_of(w, b, j, i, &whole) && (whole == 0 || whole == 1))
            out[i] = (uint8_t)whole;
        else {
            note_bad(c, b->row0 + i);
            c->missing++;
        }
    }
}

static void fill_codes(struct build *w, const struct cell_block *b, int j)
{
    struct work *c = &w->cols[j];
    uint32_t *out = (uint32_t *)c->data + b->row0;
    uint32_t n_fixed = w->t->cols[j].fixed ? w->t->cols[j].fixed->n : UINT32_MAX;
    char buf[NUM_PRINT_MAX];
    for (int64_t i = 0; i < b->n_rows; i++) {
        uint8_t tag = b->cols[j].tag[i];
        size_t n;
        out[i] = CODE_MISSING;
        if (tag == CELL_MISSING) {
            c->missing++;
            continue;
        }
        struct arena_mark mark = arena_mark(&c->temp);
        const char *s = text_of(w->t, b, (int)j, i, &c->temp, buf, &n);
        out[i] = level_set_add(&c->set, s, n, tag != CELL_TEXT);
        arena_reset(&c->temp, mark);
        c->bytes += (int64_t)n;
        if (out[i] != CODE_MISSING && out[i] >= n_fixed) {
            note_bad(c, b->row0 + i);
            out[i] = CODE_MISSING;
            c->missing++;
        }
    }
}

static void fill_missing(struct work *c, const struct cell_block *b)
{
    c->missing += b->n_rows;
    for (int64_t i = b->row0; i < b->row0 + b->n_rows; i++) {
        if (c->type == TIDE_BOOL)
            ((uint8_t *)c->data)[i] = BOOL_MISSING;
        else if (c->type == TIDE_CAT)
            ((uint32_t *)c->data)[i] = CODE_MISSING;
        else if (c->type == TIDE_F64)
            ((double *)c->data)[i] = (double)NAN;
        else
            ((int64_t *)c->data)[i] = I64_MISSING;
    }
}

static void add_fixed(struct work *c, const struct dict *d)
{
    for (uint32_t k = 0; k < d->n; k++) {
        size_t n;
        const char *s = dict_text(d, k, &n);
        (void)level_set_add(&c->set, s, n, 0);
    }
}

static void convert_column(void *arg, int64_t j, int worker)
{
    struct build *w = arg;
    struct work *c = &w->cols[j];
    (void)worker;
    if (w->t->cols[j].out < 0 || c->type == TIDE_TEXT) return;
    if (c->type == TIDE_CAT) {
        if (level_set_init(&c->set, &c->keep, &c->keep, w->t->n_rows) != 0) return;
        if (w->t->cols[j].fixed) add_fixed(c, w->t->cols[j].fixed);
    }
    for (int64_t k = 0; k < w->t->n_blocks; k++) {
        const struct cell_block *b = &w->t->blocks[k];
        if (c->type == TIDE_CAT && c->set.n > CSV_LEVELS && !w->t->cols[j].type)
            return; /* text, as settle_text will say */
        if (!b->cols[j].tag)
            fill_missing(c, b);
        else if (c->type == TIDE_F64)
            fill_f64(w, b, (int)j);
        else if (c->type == TIDE_BOOL)
            fill_bool(w, b, (int)j);
        else if (c->type == TIDE_CAT)
            fill_codes(w, b, (int)j);
        else
            fill_i64(w, b, (int)j);
    }
}

/* ---- text ---- */

/* Offsets first, as lengths are not known before escapes are gone. */
static void measure_text(void *arg, int64_t j, int worker)
{
    struct build *w = arg;
    struct work *c = &w->cols[j];
    int64_t *at = c->data, row = 0, total = 0;
    char buf[NUM_PRINT_MAX];
    (void)worker;
    if (w->t->cols[j].out < 0 || c->type != TIDE_TEXT) return;
    c->missing = 0;
    for (int64_t k = 0; k < w->t->n_blocks; k++) {
        const struct cell_block *b = &w->t->blocks[k];
        for (int64_t i = 0; i < b->n_rows; i++, row++) {
            uint8_t tag = b->cols[j].tag ? b->cols[j].tag[i] : CELL_MISSING;
            size_t n = 0;
            struct arena_mark mark = arena_mark(&c->temp);
            if (tag != CELL_MISSING)
                (void)text_of(w->t, b, (int)j, i, &c->temp, buf, &n);
            arena_reset(&c->temp, mark);
            c->missing += tag == CELL_MISSING;
            at[row] = total;
            total += (int64_t)n;
        }
    }
    at[row] = total;
}

static void copy_text(void *arg, int64_t j, int worker)
{
    struct build *w = arg;
    struct work *c = &w->cols[j];
    const int64_t *at = c->data;
    int64_t row = 0;
    char buf[NUM_PRINT_MAX];
    (void)worker;
    if (w->t->cols[j].out < 0 || c->type != TIDE_TEXT) return;
    for (int64_t k = 0; k < w->t->n_blocks; k++) {
        const struct cell_block *b = &w->t->blocks[k];
        for (int64_t i = 0; i < b->n_rows; i++, row++) {
            uint8_t tag = b->cols[j].tag ? b->cols[j].tag[i] : CELL_MISSING;
            size_t n = 0;
            if (c->text_missing) c->text_missing[row] = tag == CELL_MISSING;
            if (tag == CELL_MISSING) continue;
            struct arena_mark mark = arena_mark(&c->temp);
            const char *s = text_of(w->t, b, (int)j, i, &c->temp, buf, &n);
            if (n && (int64_t)n == at[row + 1] - at[row])
                memcpy(c->text + at[row], s, n);
            arena_reset(&c->temp, mark);
        }
    }
}

/* ---- which columns ---- */

static tide_status no_column(const struct cell_table *t, const char *name,
                             const char *option, tide_error *err)
{
    char shown[128];
    const char **names = arena_array(t->work, t->n_cols + 1, sizeof *names);
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'", shown);
    err_at(err, t->path, 0, 0);
    err_field(err, name);
    for (int j = 0; names && j < t->n_cols; j++) names[j] = t->cols[j].name;
    const char *near = names ? err_nearest(name, names, t->n_cols) : NULL;
    if (near) err_hint(err, option, "%s", near);
    return TIDE_EDATA;
}

static int find_col(const struct cell_table *t, const char *name)
{
    for (int j = 0; j < t->n_cols; j++)
        if (strcmp(t->cols[j].name, name) == 0) return j;
    return -1;
}

static tide_status want_columns(struct cell_table *t, const char *item, tide_error *err)
{
    int j = find_col(t, item);
    if (j >= 0) {
        t->cols[j].out = 0;
        return TIDE_OK;
    }
    for (const char *p = item;;) {
        size_t n = strcspn(p, ",");
        char *name = arena_strn(t->work, p, n);
        if (!name) return arena_status(t->work, err);
        j = find_col(t, name);
        if (j < 0) return no_column(t, name, "columns", err);
        t->cols[j].out = 0;
        if (!p[n]) return TIDE_OK;
        p += n + 1;
    }
}

static tide_status declare_type(struct cell_table *t, const char *item, tide_error *err)
{
    const char *eq = strrchr(item, '=');
    int type = 0;
    for (int k = TIDE_BOOL; eq && k <= TIDE_TEXT; k++)
        if (strcmp(eq + 1, tide_type_name((enum tide_type)k)) == 0) type = k;
    if (!type || eq == item) {
        char shown[160];
        err_quote(shown, sizeof shown, item, strlen(item), 100);
        err_set(err, TIDE_CODE_PARAM_VALUE,
                "expected COLUMN=TYPE for 'types', got \"%s\"", shown);
        err_hint(err, "", "types: bool, int, number, time, category, text");
        return err_field(err, "types");
    }
    char *name = arena_strn(t->work, item, (size_t)(eq - item));
    if (!name) return arena_status(t->work, err);
    int j = find_col(t, name);
    if (j < 0) return no_column(t, name, "types", err);
    t->cols[j].type = (uint8_t)type;
    if (type != TIDE_CAT) t->cols[j].fixed = NULL;
    return TIDE_OK;
}

static tide_status choose_columns(struct cell_table *t, int *n_out, tide_error *err)
{
    const struct tide_read_options *o = t->options;
    int n_wanted = o ? o->columns.n : 0;
    tide_status st = TIDE_OK;
    for (int j = 0; j < t->n_cols; j++) t->cols[j].out = n_wanted ? -1 : 0;
    for (int k = 0; st == TIDE_OK && k < n_wanted; k++)
        st = want_columns(t, o->columns.items[k], err);
    for (int k = 0; st == TIDE_OK && o && k < o->types.n; k++)
        st = declare_type(t, o->types.items[k], err);
    for (int j = 0; j < t->n_cols; j++)
        if (t->cols[j].out >= 0) t->cols[j].out = (*n_out)++;
    return st;
}

static tide_status take_on_bad(struct build *w, tide_error *err)
{
    const char *how = w->t->options ? w->t->options->on_bad : NULL;
    if (!how || !*how || strcmp(how, "fail") == 0) return TIDE_OK;
    w->bad_is_null = strcmp(how, "null") == 0;
    if (w->bad_is_null) return TIDE_OK;
    char shown[160];
    err_quote(shown, sizeof shown, how, strlen(how), 100);
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'on-bad' must be fail or null for this format, got \"%s\"", shown);
    return err_field(err, "on-bad");
}

/* ---- the frame ---- */

static size_t size_of_type(int type)
{
    return type == TIDE_BOOL  ? 1
           : type == TIDE_CAT ? sizeof(uint32_t)
                              : sizeof(int64_t);
}

static int is_text_column(const struct cell_table *t, int j, const struct work *c)
{
    int64_t there = t->n_rows - c->missing;
    if (t->cols[j].type) return 0;
    return c->set.n > CSV_LEVELS || (int64_t)c->set.n * 2 > t->n_rows ||
           c->bytes > CSV_MEAN * there;
}

/* Dictionaries, and room for what turned out to be text. */
static tide_status settle_text(struct build *w, tide_error *err)
{
    struct cell_table *t = w->t;
    for (int j = 0; j < t->n_cols; j++) {
        struct work *c = &w->cols[j];
        if (t->cols[j].out < 0) continue;
        tide_status st = arena_status(&c->keep, err);
        if (st == TIDE_OK) st = arena_status(&c->temp, err);
        if (st != TIDE_OK) return st;
        if (c->type == TIDE_CAT && is_text_column(t, j, c)) {
            c->type = TIDE_TEXT;
            c->data = arena_array(&w->f->arena, t->n_rows + 1, sizeof(int64_t));
        } else if (c->type == TIDE_CAT) {
            if (t->cols[j].fixed) c->set.n = t->cols[j].fixed->n;
            if (level_set_dict(&c->set, &w->f->arena,
                               &w->f->cols[t->cols[j].out].dict) &&
                !w->f->arena.failed)
                return err_set(err, TIDE_CODE_DATA_TYPE,
                               "the levels of '%s' take more than 4 GiB",
                               t->cols[j].name);
        }
    }
    return arena_status(&w->f->arena, err);
}

static tide_status make_texts(struct build *w, tide_error *err)
{
    struct cell_table *t = w->t;
    tide_status st = par_for(t->ctx, t->n_cols, measure_text, w, err);
    for (int j = 0; st == TIDE_OK && j < t->n_cols; j++) {
        struct work *c = &w->cols[j];
        if (t->cols[j].out < 0 || c->type != TIDE_TEXT) continue;
        int64_t total = ((int64_t *)c->data)[t->n_rows];
        c->text = arena_push(&w->f->arena, (size_t)total + 1);
        if (c->text) c->text[total] = '\0';
        if (c->missing) c->text_missing = arena_zero(&w->f->arena, (size_t)t->n_rows);
        st = arena_status(&w->f->arena, err);
        if (st == TIDE_OK) st = arena_status(&c->temp, err);
    }
    if (st == TIDE_OK) st = par_for(t->ctx, t->n_cols, copy_text, w, err);
    for (int j = 0; st == TIDE_OK && j < t->n_cols; j++)
        st = arena_status(&w->cols[j].temp, err);
    return st;
}

static const char *wanted(const struct cell_table *t, int j, int type)
{
    return type == TIDE_BOOL   ? "true or false"
           : type == TIDE_TIME ? "a date"
           : type == TIDE_I64  ? "a whole number"
           : t->cols[j].fixed  ? "one of the declared values"
                               : "a number";
}

/* The first bad cell by row, then column. */
static tide_status tell_first_bad(const struct build *w, tide_error *err)
{
    int64_t row = INT64_MAX;
    int col = 0;
    for (int j = 0; j < w->t->n_cols; j++)
        if (w->t->cols[j].out >= 0 && w->cols[j].n_bad && w->cols[j].bad_row < row) {
            row = w->cols[j].bad_row;
            col = j;
        }
    if (row == INT64_MAX) return TIDE_OK;
    if (!w->bad_is_null)
        return cell_fault(w, row, col, wanted(w->t, col, w->cols[col].type), err);
    tide_error e = {0};
    int64_t n = 0;
    for (int j = 0; j < w->t->n_cols; j++) n += w->cols[j].n_bad;
    (void)cell_fault(w, row, col, wanted(w->t, col, w->cols[col].type), &e);
    ctx_warn(w->t->ctx, &e);
    if (n > 1)
        ctx_note(w->t->ctx, "%s: %lld values that do not fit are missing", w->t->path,
                 (long long)n);
    return TIDE_OK;
}

static void warn_of_digits(const struct build *w, int j)
{
    const struct work *c = &w->cols[j];
    const struct cell_table *t = w->t;
    if (!c->n_cut || c->type != TIDE_F64) return;
    tide_error e = {0};
    char name[128], more[64] = "";
    err_quote(name, sizeof name, t->cols[j].name, strlen(t->cols[j].name), 60);
    if (c->n_cut > 1)
        str_format(more, sizeof more, ", and %lld more", (long long)c->n_cut - 1);
    err_set(&e, TIDE_CODE_DATA_PRECISION, "a whole number in '%s' is kept as %r%s",
            name, ((const double *)c->data)[c->cut_row], more);
    err_field(&e, t->cols[j].name);
    err_at(&e, t->path, 0, 0);
    if (t->place) t->place(t, c->cut_row, j, &e);
    e.row = c->cut_row + 1;
    ctx_warn(t->ctx, &e);
}

static void finish(const struct build *w)
{
    for (int j = 0; j < w->t->n_cols; j++) {
        const struct work *c = &w->cols[j];
        if (w->t->cols[j].out < 0) continue;
        struct column *o = &w->f->cols[w->t->cols[j].out];
        o->name = arena_str(&w->f->arena, w->t->cols[j].name);
        o->type = c->type;
        o->f64 = c->type == TIDE_F64 ? c->data : NULL;
        o->i64 = c->type == TIDE_I64 || c->type == TIDE_TIME ? c->data : NULL;
        o->b = c->type == TIDE_BOOL ? c->data : NULL;
        o->code = c->type == TIDE_CAT ? c->data : NULL;
        o->text_at = c->type == TIDE_TEXT ? c->data : NULL;
        o->text = c->text;
        o->text_missing = c->text_missing;
        warn_of_digits(w, j);
    }
}

/* Lines of rows, where rows have any. */
static tide_status keep_lines(struct build *w, tide_error *err)
{
    const struct cell_table *t = w->t;
    int plain = 1;
    int64_t first = 0;
    if (!t->n_rows || !t->n_blocks || !t->blocks[0].row_at) return TIDE_OK;
    int64_t *line = arena_array(t->work, t->n_rows, sizeof *line);
    if (!line) return arena_status(t->work, err);
    for (int64_t k = 0; k < t->n_blocks; k++) {
        const struct cell_block *b = &t->blocks[k];
        int64_t at = b->line0;
        const char *s = b->text;
        for (int64_t i = 0; i < b->n_rows; i++) {
            const char *row = b->text + b->row_at[i];
            for (const char *p; s < row && (p = memchr(s, '\n', (size_t)(row - s)));
                 s = p + 1)
                at++;
            s = row;
            line[b->row0 + i] = at;
            if (!first) first = at;
            plain &= at - first == b->row0 + i;
        }
    }
    w->f->first_line = first;
    if (plain) return TIDE_OK;
    int64_t *kept = arena_array(&w->f->arena, t->n_rows, sizeof *kept);
    if (kept) memcpy(kept, line, (size_t)t->n_rows * sizeof *kept);
    w->f->line_of_row = kept;
    return arena_status(&w->f->arena, err);
}

static tide_status build_columns(struct build *w, tide_error *err)
{
    struct cell_table *t = w->t;
    tide_status st = par_for(t->ctx, t->n_cols, count_column, w, err);
    for (int j = 0; st == TIDE_OK && j < t->n_cols; j++) {
        if (t->cols[j].out < 0) continue;
        st = arena_status(&w->cols[j].temp, err);
        if (st == TIDE_OK) st = decide(w, j, err);
        w->cols[j].data =
            arena_array(&w->f->arena, t->n_rows + 1, size_of_type(w->cols[j].type));
    }
    if (st == TIDE_OK) st = arena_status(&w->f->arena, err);
    if (st == TIDE_OK) st = par_for(t->ctx, t->n_cols, convert_column, w, err);
    if (st == TIDE_OK) st = settle_text(w, err);
    if (st == TIDE_OK) st = tell_first_bad(w, err);
    if (st == TIDE_OK) st = make_texts(w, err);
    if (st == TIDE_OK) st = keep_lines(w, err);
    if (st != TIDE_OK) return st;
    finish(w);
    w->f->source = arena_str(&w->f->arena, t->path);
    w->f->dialect = arena_str(&w->f->arena, t->dialect);
    return frame_seal(w->f, err);
}

tide_status cells_frame(struct cell_table *t, tide_frame **out, tide_error *err)
{
    struct build w = {.t = t};
    int n_out = 0;
    tide_status st = take_on_bad(&w, err);
    if (st == TIDE_OK) st = choose_columns(t, &n_out, err);
    if (st == TIDE_OK) st = frame_begin(t->ctx, t->n_rows, n_out, &w.f, err);
    if (st != TIDE_OK) return st;
    w.cols = arena_zero(t->work, ((size_t)t->n_cols + 1) * sizeof *w.cols);
    st = arena_status(t->work, err);
    for (int j = 0; w.cols && j < t->n_cols; j++) {
        arena_init(&w.cols[j].keep, t->ctx);
        arena_init(&w.cols[j].temp, t->ctx);
    }
    if (st == TIDE_OK) st = build_columns(&w, err);
    for (int j = 0; w.cols && j < t->n_cols; j++) {
        arena_free(&w.cols[j].keep);
        arena_free(&w.cols[j].temp);
    }
    if (st != TIDE_OK) {
        tide_frame_free(w.f);
        return st;
    }
    *out = w.f;
    return TIDE_OK;
}
