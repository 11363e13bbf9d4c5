/* arrow_import.c - a frame from an Arrow stream
 *
 * All batches are taken first, then columns are converted in parallel, each over all batches.
 * What stands in one batch in our own form is kept: the frame then owns the batch. The
 * producer is code of this process, and buffers have no sizes: lengths, offsets, indices and
 * views are checked against each other, but a wrong pointer cannot be seen. */
#include <math.h>
#include <string.h>

#include <tidemill/arrow.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/decimal.h"
#include "frame/level_set.h"
#include "frame/parquet.h"
#include "frame/values.h"

enum arrow_kind {
    AR_NULL,
    AR_BOOL,
    AR_INT,
    AR_UINT,
    AR_FLOAT,   /* of 2, 4 or 8 bytes */
    AR_DECIMAL, /* unscaled integer; spans of time are seconds this way */
    AR_TIME,
    AR_TEXT, /* offsets of 4 or 8 bytes */
    AR_VIEW
};
struct arrow_type {
    uint8_t kind, width, unit; /* width: bytes of a value */
    int scale;
};

struct ar_column {
    const struct ArrowSchema *schema;
    const char *name;
    struct arrow_type type, value; /* value: of a dictionary */
    int is_dict, taken, at, out;   /* child of the struct; column of the frame */
    uint8_t declared;
    void *to;
    int64_t failed; /* row of the first fault, -1 none */
    const char *what;
    tide_code code;
    struct arena temp;
    struct level_set set;
    int kept, too_many;
    int64_t bytes;
    int cut;
};
/* A column's values in one batch. */
struct ar_part {
    const struct ArrowArray *a;
    const uint8_t *valid, *outer; /* its own bitmap; that of the struct */
    int64_t from, outer_from, n, row0;
};
struct ar_reader {
    struct tide_ctx *ctx;
    const struct tide_read_options *o;
    struct ArrowSchema schema;
    struct ArrowArray *batch; /* [n_batches], mem_ */
    int64_t n_batches, cap, n_rows;
    int n_cols, n_out;
    struct ar_column *cols;
    struct ar_column **taken; /* [n_out] */
    struct arena arena;
    tide_frame *f;
};

/* ---- types ---- */

static int set_type(struct arrow_type *t, int kind, int width, int unit, int scale)
{
    *t = (struct arrow_type){(uint8_t)kind, (uint8_t)width, (uint8_t)unit, scale};
    return 0;
}

static int unit_of(char c, enum time_unit *unit, int *scale)
{
    static const char units[] = "smun";
    const char *at = c ? strchr(units, c) : NULL;
    if (!at) return -1;
    *unit = (enum time_unit)(TIME_S + (at - units));
    *scale = 3 * (int)(at - units);
    return 0;
}

/* "d:precision,scale[,bits]" */
static int parse_decimal(const char *s, struct arrow_type *t)
{
    int64_t part[3] = {0, 0, 128};
    int n = 0;
    for (; n < 3 && *s; n++) {
        size_t len = strcspn(s, ",");
        if (!num_parse_i64(s, len, &part[n])) return -1;
        s += len + (s[len] == ',');
    }
    int ok = part[2] == 32 || part[2] == 64 || part[2] == 128 || part[2] == 256;
    if (n < 2 || !ok || part[1] < 0 || part[1] > 76) return -1;
    return set_type(t, AR_DECIMAL, (int)part[2] / 8, 0, (int)part[1]);
}

static int parse_temporal(const char *s, struct arrow_type *t)
{
    enum time_unit unit;
    int scale;
    if (strcmp(s, "tdD") == 0) return set_type(t, AR_TIME, 4, TIME_DAYS, 0);
    if (strcmp(s, "tdm") == 0) return set_type(t, AR_TIME, 8, TIME_MS, 0);
    if (!s[1] || unit_of(s[2], &unit, &scale) != 0) return -1;
    if (s[1] == 's' && s[3] == ':') return set_type(t, AR_TIME, 8, (int)unit, 0);
    if (s[1] == 'D') return set_type(t, AR_DECIMAL, 8, 0, scale);
    if (s[1] == 't') return set_type(t, AR_DECIMAL, scale < 6 ? 4 : 8, 0, scale);
    return -1;
}

static int parse_format(const char *s, struct arrow_type *t)
{
    static const char ints[] = "cCsSiIlL";
    const char *at = s[0] ? strchr(ints, s[0]) : NULL;
    if (s[0] == 'd' && s[1] == ':') return parse_decimal(s + 2, t);
    if (s[0] == 't') return parse_temporal(s, t);
    if (s[0] == 'v' && (s[1] == 'u' || s[1] == 'z') && !s[2])
        return set_type(t, AR_VIEW, 16, 0, 0);
    if (!s[0] || s[1]) return -1;
    if (at)
        return set_type(t, (at - ints) % 2 ? AR_UINT : AR_INT, 1 << (at - ints) / 2, 0,
                        0);
    switch (s[0]) {
    case 'n':
        return set_type(t, AR_NULL, 0, 0, 0);
    case 'b':
        return set_type(t, AR_BOOL, 0, 0, 0);
    case 'e':
        return set_type(t, AR_FLOAT, 2, 0, 0);
    case 'f':
        return set_type(t, AR_FLOAT, 4, 0, 0);
    case 'g':
        return set_type(t, AR_FLOAT, 8, 0, 0);
    case 'u':
    case 'z':
        return set_type(t, AR_TEXT, 4, 0, 0);
    case 'U':
    case 'Z':
        return set_type(t, AR_TEXT, 8, 0, 0);
    default:
        return -1;
    }
}

static enum tide_type type_of(const struct arrow_type *t, uint8_t declared)
{
    switch ((enum arrow_kind)t->kind) {
    case AR_BOOL:
        return TIDE_BOOL;
    case AR_INT:
    case AR_UINT:
        return declared == TIDE_F64 ? TIDE_F64 : TIDE_I64;
    case AR_NULL:
    case AR_FLOAT:
    case AR_DECIMAL:
        return TIDE_F64;
    case AR_TIME:
        return TIDE_TIME;
    case AR_TEXT:
    case AR_VIEW:
        break;
    }
    return TIDE_CAT;
}

static int n_buffers(const struct arrow_type *t)
{
    return t->kind == AR_NULL ? 0 : t->kind == AR_TEXT ? 3 : t->kind == AR_VIEW ? 3 : 2;
}

/* ---- the stream ---- */

static tide_status producer_error(struct ArrowArrayStream *s, const char *what,
                                  tide_error *err)
{
    char shown[320];
    const char *text = s->get_last_error ? s->get_last_error(s) : NULL;
    if (!text) text = "no reason given";
    err_quote(shown, sizeof shown, text, strlen(text), 250);
    return err_set(err, TIDE_CODE_ARROW_STREAM, "the stream has no %s: \"%s\"", what,
                   shown);
}

static tide_status malformed(const char *what, tide_error *err)
{
    return err_set(err, TIDE_CODE_ARROW_STREAM, "the stream's %s", what);
}

static tide_status take_batch(struct ar_reader *r, struct ArrowArray *a,
                              tide_error *err)
{
    if (r->n_batches == r->cap) {
        int64_t cap = r->cap ? 2 * r->cap : 4;
        struct ArrowArray *more = mem_realloc(r->batch, (size_t)cap * sizeof *r->batch);
        if (!more) {
            a->release(a);
            return err_nomem(err, (size_t)cap * sizeof *r->batch);
        }
        r->batch = more;
        r->cap = cap;
    }
    r->batch[r->n_batches++] = *a; /* moved */
    if (a->n_children != r->schema.n_children || a->length < 0 || a->offset < 0 ||
        (a->n_children > 0 && !a->children) ||
        i64_add(r->n_rows, a->length, &r->n_rows) != 0)
        return malformed("batches do not fit their schema", err);
    return TIDE_OK;
}

static tide_status drain(struct ar_reader *r, struct ArrowArrayStream *s,
                         tide_error *err)
{
    if (s->get_schema(s, &r->schema) != 0) {
        r->schema.release = NULL;
        return producer_error(s, "schema", err);
    }
    if (!r->schema.format || strcmp(r->schema.format, "+s") != 0 ||
        r->schema.n_children < 0 || (r->schema.n_children > 0 && !r->schema.children))
        return malformed("schema is no struct of columns", err);
    if (r->schema.n_children > INT32_MAX / 2)
        return err_set(err, TIDE_CODE_LIMIT_COLUMNS, "more than %d columns",
                       INT32_MAX / 2);
    for (;;) {
        struct ArrowArray a = {0};
        if (ctx_cancelled(r->ctx)) return err_cancelled(err);
        if (s->get_next(s, &a) != 0) return producer_error(s, "next batch", err);
        if (!a.release) return TIDE_OK;
        tide_status st = take_batch(r, &a, err);
        if (st != TIDE_OK) return st;
    }
}

/* ---- the plan ---- */

static tide_status refuse_type(const struct ar_column *c, tide_error *err)
{
    char shown[80];
    const char *format = c->schema->format ? c->schema->format : "";
    err_quote(shown, sizeof shown, format, strlen(format), 40);
    err_set(err, TIDE_CODE_DATA_TYPE,
            "column '%s' has the Arrow type \"%s\", which is not read", c->name, shown);
    return err_field(err, c->name);
}

static tide_status name_column(struct ar_column *c, int j, tide_error *err)
{
    const char *name = c->schema->name ? c->schema->name : "";
    size_t n = strlen(name);
    c->name = name;
    if (n == 0) return err_set(err, TIDE_CODE_CSV_NAME, "column %d has no name", j + 1);
    if (n > 4096)
        return err_set(err, TIDE_CODE_LIMIT_NAME,
                       "the name of column %d has %lld bytes, the limit is 4096", j + 1,
                       (long long)n);
    if (utf8_check(name, n) != 0)
        return err_set(err, TIDE_CODE_CSV_ENCODING,
                       "the name of column %d is not UTF-8", j + 1);
    return TIDE_OK;
}

static tide_status settle_column(struct ar_column *c, tide_error *err)
{
    const struct ArrowSchema *s = c->schema;
    int bad = !s->format || parse_format(s->format, &c->type) != 0;
    c->is_dict = s->dictionary != NULL;
    if (!bad && c->is_dict)
        bad = (c->type.kind != AR_INT && c->type.kind != AR_UINT) ||
              s->dictionary->dictionary || !s->dictionary->format ||
              parse_format(s->dictionary->format, &c->value) != 0;
    return bad ? refuse_type(c, err) : TIDE_OK;
}

/* The arrays of a column must have the buffers that its type needs. */
static int fits_schema(const struct arrow_type *t, const struct ArrowArray *a)
{
    int n = n_buffers(t);
    if (a->length < 0 || a->offset < 0 || a->n_buffers < n || (n && !a->buffers))
        return 0;
    if (a->length == 0) return 1;
    if (n > 1 && !a->buffers[1]) return 0;
    return 1;
}

static tide_status check_parts(const struct ar_reader *r, const struct ar_column *c,
                               tide_error *err)
{
    for (int64_t b = 0; b < r->n_batches; b++) {
        const struct ArrowArray *outer = &r->batch[b], *a = outer->children[c->at];
        const struct ArrowArray *d = a ? a->dictionary : NULL;
        int64_t end;
        if (!a || !fits_schema(&c->type, a) ||
            i64_add(outer->offset, outer->length, &end) || end > a->length ||
            (c->is_dict && (!d || !fits_schema(&c->value, d)))) {
            err_set(err, TIDE_CODE_ARROW_STREAM,
                    "batch %lld does not hold what its schema says of '%s'",
                    (long long)b + 1, c->name);
            return err_field(err, c->name);
        }
    }
    return TIDE_OK;
}

static tide_status plan(struct ar_reader *r, tide_error *err)
{
    int n = r->n_cols = (int)r->schema.n_children;
    const char **names = arena_array(&r->arena, n + 1, sizeof *names);
    uint8_t *take = arena_push(&r->arena, (size_t)n + 1);
    uint8_t *type = arena_push(&r->arena, (size_t)n + 1);
    r->cols = arena_zero(&r->arena, ((size_t)n + 1) * sizeof *r->cols);
    r->taken = arena_array(&r->arena, n + 1, sizeof *r->taken);
    tide_status st = arena_status(&r->arena, err);
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        r->cols[j].schema = r->schema.children[j];
        r->cols[j].at = j;
        if (!r->cols[j].schema) return malformed("schema is no struct of columns", err);
        st = name_column(&r->cols[j], j, err);
        names[j] = r->cols[j].name;
    }
    if (st == TIDE_OK) st = wanted_columns(names, n, r->o, NULL, take, type, err);
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        struct ar_column *c = &r->cols[j];
        c->failed = -1;
        c->declared = type[j];
        if (!take[j]) continue;
        c->out = r->n_out;
        r->taken[r->n_out++] = c;
        arena_init(&c->temp, r->ctx);
        st = settle_column(c, err);
        if (st == TIDE_OK) st = check_parts(r, c, err);
    }
    return st == TIDE_OK ? frame_begin(r->ctx, r->n_rows, r->n_out, &r->f, err) : st;
}

/* ---- values ---- */

static const uint8_t *bitmap(const struct ArrowArray *a)
{
    return a->null_count != 0 && a->n_buffers > 0 ? a->buffers[0] : NULL;
}

static struct ar_part part_of(const struct ar_reader *r, const struct ar_column *c,
                              int64_t batch, int64_t row0)
{
    const struct ArrowArray *outer = &r->batch[batch], *a = outer->children[c->at];
    return (struct ar_part){.a = a,
                            .valid = bitmap(a),
                            .outer = bitmap(outer),
                            .from = a->offset + outer->offset,
                            .outer_from = outer->offset,
                            .n = outer->length,
                            .row0 = row0};
}

static inline int bit(const uint8_t *bits, int64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

static inline int is_valid(const struct ar_part *p, int64_t i)
{
    return (!p->valid || bit(p->valid, p->from + i)) &&
           (!p->outer || bit(p->outer, p->outer_from + i));
}

static int has_nulls(const struct ar_part *p)
{
    return p->valid || p->outer;
}

/* Integer i, of its sign; one of 8 bytes without a sign may come out negative. */
static inline int64_t int_at(const struct arrow_type *t, const uint8_t *p, int64_t i)
{
    uint64_t v = 0;
    memcpy(&v, p + i * t->width, t->width); /* little-endian hosts: checked below */
    if (t->kind == AR_UINT || t->width >= 8) return (int64_t)v;
    int shift = 64 - 8 * t->width;
    return (int64_t)(v << shift) >> shift;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "small integers are copied to the low end");

static void set_fault(struct ar_column *c, int64_t row, tide_code code,
                      const char *what)
{
    if (c->failed >= 0) return;
    c->failed = row;
    c->code = code;
    c->what = what;
}

static void take_numbers(struct ar_column *c, const struct arrow_type *t,
                         const struct ar_part *p, double *out)
{
    const uint8_t *s = p->a->n_buffers > 1 ? p->a->buffers[1] : NULL;
    for (int64_t i = 0; i < p->n; i++) {
        int64_t at = p->from + i;
        uint16_t half;
        float single;
        if (t->kind == AR_NULL) {
            out[i] = (double)NAN;
        } else if (t->kind == AR_DECIMAL) {
            out[i] = t->width <= 8
                         ? decimal_i64(int_at(t, s, at), t->scale)
                         : decimal_bytes(s + at * t->width, t->width, 0, t->scale);
        } else if (t->kind == AR_INT) {
            out[i] = (double)int_at(t, s, at);
        } else if (t->kind == AR_UINT) {
            out[i] = (double)(uint64_t)int_at(t, s, at);
        } else if (t->width == 8) {
            memcpy(&out[i], s + at * 8, 8);
        } else if (t->width == 4) {
            memcpy(&single, s + at * 4, 4);
            out[i] = (double)single;
        } else {
            memcpy(&half, s + at * 2, 2);
            out[i] = half_number(half);
        }
    }
    for (int64_t i = 0; has_nulls(p) && i < p->n; i++)
        if (!is_valid(p, i)) out[i] = (double)NAN;
    (void)c;
}

static void take_wholes(struct ar_column *c, const struct arrow_type *t,
                        const struct ar_part *p, int64_t *out)
{
    const uint8_t *s = p->a->buffers[1];
    int nulls = has_nulls(p), wide = t->width == 8;
    for (int64_t i = 0; i < p->n; i++) {
        int64_t v = int_at(t, s, p->from + i);
        int bad = 0, cut = 0;
        if (t->kind == AR_TIME) {
            bad = time_from(v, (enum time_unit)t->unit, &out[i], &cut);
            bad |= out[i] == I64_MISSING;
        } else {
            out[i] = v;
            bad = wide && (t->kind == AR_UINT ? v < 0 : v == I64_MISSING);
        }
        if (nulls && !is_valid(p, i)) {
            out[i] = I64_MISSING;
            continue;
        }
        c->cut |= cut;
        if (bad)
            set_fault(c, p->row0 + i, TIDE_CODE_DATA_RANGE,
                      t->kind == AR_TIME ? "is beyond what a time holds"
                                         : "is beyond what an int column holds");
    }
}

static void take_bools(const struct ar_part *p, uint8_t *out)
{
    const uint8_t *s = p->a->buffers[1];
    for (int64_t i = 0; i < p->n; i++)
        out[i] = is_valid(p, i) ? (uint8_t)bit(s, p->from + i) : BOOL_MISSING;
}

/* Text i of an array; -1 when its offsets cannot be. */
static int text_at(const struct arrow_type *t, const struct ArrowArray *a, int64_t i,
                   struct pq_text *out)
{
    if (t->kind == AR_VIEW) {
        const uint8_t *view = (const uint8_t *)a->buffers[1] + 16 * i;
        int32_t len, index, offset;
        memcpy(&len, view, 4);
        if (len < 0) return -1;
        *out = (struct pq_text){(const char *)view + 4, (uint32_t)len};
        if (len <= 12) return 0;
        memcpy(&index, view + 8, 4);
        memcpy(&offset, view + 12, 4);
        int64_t n_blocks = a->n_buffers - 3;
        const int64_t *size = a->buffers[a->n_buffers - 1];
        if (index < 0 || index >= n_blocks || offset < 0 || !size ||
            !a->buffers[2 + index] || offset > size[index] - len)
            return -1;
        out->s = (const char *)a->buffers[2 + index] + offset;
        return 0;
    }
    int64_t from, to;
    if (t->width == 4) {
        int32_t two[2];
        memcpy(two, (const uint8_t *)a->buffers[1] + 4 * i, 8);
        from = two[0];
        to = two[1];
    } else {
        memcpy(&from, (const uint8_t *)a->buffers[1] + 8 * i, 8);
        memcpy(&to, (const uint8_t *)a->buffers[1] + 8 * i + 8, 8);
    }
    if (from < 0 || to < from || to - from > UINT32_MAX ||
        (to > from && !a->buffers[2]))
        return -1;
    *out = (struct pq_text){to > from ? (const char *)a->buffers[2] + from : "",
                            (uint32_t)(to - from)};
    return 0;
}

/* Text of row i, checked; 0 when it is there, 1 when missing, -1 with a fault set. */
static int row_text(struct ar_column *c, const struct ar_part *p, int64_t i,
                    struct pq_text *out)
{
    if (has_nulls(p) && !is_valid(p, i)) return 1;
    if (text_at(&c->type, p->a, p->from + i, out) != 0) {
        set_fault(c, p->row0 + i, TIDE_CODE_ARROW_STREAM, "has offsets that cannot be");
        return -1;
    }
    enum pq_fault fault = pq_check_text(out->s, out->n);
    if (!fault) return 0;
    if (fault == PQ_BAD_UTF8)
        set_fault(c, p->row0 + i, TIDE_CODE_CSV_ENCODING, "is not UTF-8");
    else
        set_fault(c, p->row0 + i, TIDE_CODE_CSV_NUL, "has a NUL byte");
    return -1;
}

static void take_texts(struct ar_column *c, const struct ar_part *p, uint32_t *out)
{
    for (int64_t i = 0; i < p->n && !c->too_many; i++) {
        struct pq_text t;
        int r = row_text(c, p, i, &t);
        if (r < 0) return;
        out[i] = r ? CODE_MISSING : level_set_add(&c->set, t.s, t.n, 0);
        if (r) continue;
        if (out[i] == CODE_MISSING) return; /* the arena tells */
        c->bytes += t.n;
        c->too_many = c->set.n > LEVELS_MOST && c->declared != TIDE_CAT;
    }
}

/* Levels of one batch's dictionary as codes of the column. */
static const uint32_t *map_levels(struct ar_column *c, const struct ar_part *p,
                                  int *same)
{
    const struct ArrowArray *d = p->a->dictionary;
    const struct ar_part q = {
        .a = d, .valid = bitmap(d), .from = d->offset, .n = d->length, .row0 = p->row0};
    struct ar_column one = {.name = c->name, .type = c->value, .failed = -1};
    struct column cells = {.type = (uint8_t)type_of(&c->value, 0), .n_rows = d->length};
    uint32_t *map = arena_array(&c->temp, d->length + 1, sizeof *map);
    void *data = arena_array(&c->temp, d->length + 1, 8);
    *same = map != NULL;
    if (!map || !data) return NULL;
    if (cells.type == TIDE_BOOL)
        take_bools(&q, data);
    else if (cells.type == TIDE_F64)
        take_numbers(&one, &c->value, &q, data);
    else if (cells.type != TIDE_CAT)
        take_wholes(&one, &c->value, &q, data);
    cells.b = data;
    cells.i64 = data;
    cells.f64 = data;
    for (int64_t k = 0; k < d->length && one.failed < 0; k++) {
        char text[64], *s = text;
        struct pq_text t = {text, 0};
        int missing = has_nulls(&q) && !is_valid(&q, k), copy = 1;
        if (!missing && cells.type == TIDE_CAT) {
            missing = row_text(&one, &q, k, &t);
            copy = 0;
        } else if (!missing) {
            int64_t n = column_text(&cells, k, s, sizeof text);
            missing = n < 0;
            t.n = n < 0 ? 0 : (uint32_t)n;
        }
        map[k] = missing ? CODE_MISSING : level_set_add(&c->set, t.s, t.n, copy);
        *same &= map[k] == k;
    }
    if (one.failed >= 0) set_fault(c, p->row0, one.code, one.what);
    return map;
}

static void take_codes(struct ar_column *c, const struct ar_part *p, uint32_t *out)
{
    int same;
    const uint32_t *map = map_levels(c, p, &same);
    const uint8_t *s = p->a->buffers[1];
    uint64_t n_levels = (uint64_t)p->a->dictionary->length;
    for (int64_t i = 0; map && c->failed < 0 && i < p->n; i++) {
        uint64_t k = (uint64_t)int_at(&c->type, s, p->from + i);
        out[i] = CODE_MISSING;
        if (has_nulls(p) && !is_valid(p, i)) continue;
        if (k >= n_levels)
            set_fault(c, p->row0 + i, TIDE_CODE_ARROW_STREAM,
                      "has an index beyond its dictionary");
        else
            out[i] = map[k];
    }
}

/* ---- keeping what needs no change ---- */

/* A batch's buffer as the whole column, or NULL. */
static const void *whole_buffer(const struct ar_reader *r, const struct ar_column *c,
                                size_t width)
{
    if (r->n_batches != 1 || r->n_rows == 0) return NULL;
    struct ar_part p = part_of(r, c, 0, 0);
    const uint8_t *s = (const uint8_t *)p.a->buffers[1] + p.from * (int64_t)width;
    return has_nulls(&p) || (uintptr_t)s % width ? NULL : s;
}

static int keep_numbers(const struct ar_reader *r, const struct ar_column *c,
                        struct column *col)
{
    const struct arrow_type *t = &c->type;
    int plain =
        (t->kind == AR_FLOAT && col->type == TIDE_F64 && !(r->o && r->o->inf)) ||
        (t->kind == AR_INT && col->type == TIDE_I64) ||
        (t->kind == AR_TIME && t->unit == TIME_US);
    if (c->is_dict || t->width != 8 || !plain) return 0;
    const void *s = whole_buffer(r, c, 8);
    const int64_t *v = s;
    if (!s) return 0;
    /* one that is our mark of missing: the copying way tells its row */
    for (int64_t i = 0; col->type != TIDE_F64 && i < r->n_rows; i++)
        if (v[i] == I64_MISSING) return 0;
    if (col->type == TIDE_F64)
        col->f64 = s;
    else
        col->i64 = s;
    return 1;
}

static int keep_codes(struct ar_column *c, const struct ar_reader *r,
                      struct column *col)
{
    if (!c->is_dict || c->type.width != 4) return 0;
    const uint32_t *v = whole_buffer(r, c, 4);
    if (!v) return 0;
    struct ar_part p = part_of(r, c, 0, 0);
    uint32_t most = 0;
    int same;
    for (int64_t i = 0; i < r->n_rows; i++) most = v[i] > most ? v[i] : most;
    if (most >= p.a->dictionary->length) return 0;
    int ready = map_levels(c, &p, &same) != NULL && same && c->failed < 0;
    if (ready) col->code = v;
    return ready;
}

static int keep_texts(struct ar_column *c, const struct ar_reader *r,
                      struct column *col)
{
    if (c->is_dict || c->type.kind != AR_TEXT || c->type.width != 8) return 0;
    const int64_t *at = whole_buffer(r, c, 8);
    if (!at) return 0;
    struct ar_part p = part_of(r, c, 0, 0);
    struct pq_text t;
    for (int64_t i = 0; i < r->n_rows; i++)
        if (row_text(c, &p, i, &t) != 0) return 0; /* told again by the copying way */
    col->text_at = at;
    col->text = p.a->buffers[2];
    return col->text != NULL;
}

/* ---- columns ---- */

static void one_column(void *arg, int64_t j, int worker)
{
    struct ar_reader *r = arg;
    struct ar_column *c = r->taken[j];
    struct column *col = &r->f->cols[c->out];
    int64_t row0 = 0;
    (void)worker;
    if (col->type == TIDE_CAT &&
        level_set_init(&c->set, &c->temp, &c->temp, r->n_rows) != 0)
        return;
    c->kept = keep_numbers(r, c, col) || keep_codes(c, r, col);
    if (col->type == TIDE_CAT && c->is_dict && !c->kept && r->n_batches &&
        level_set_init(&c->set, &c->temp, &c->temp, r->n_rows) != 0)
        return;
    for (int64_t b = 0; !c->kept && b < r->n_batches && c->failed < 0; b++) {
        struct ar_part p = part_of(r, c, b, row0);
        char *to = c->to;
        if (p.n == 0) continue;
        if (col->type == TIDE_CAT && c->is_dict)
            take_codes(c, &p, (uint32_t *)to + row0);
        else if (col->type == TIDE_CAT)
            take_texts(c, &p, (uint32_t *)to + row0);
        else if (col->type == TIDE_BOOL)
            take_bools(&p, (uint8_t *)to + row0);
        else if (col->type == TIDE_F64)
            take_numbers(c, &c->type, &p, (double *)to + row0);
        else
            take_wholes(c, &c->type, &p, (int64_t *)to + row0);
        row0 += p.n;
    }
    for (int64_t i = 0;
         r->o && r->o->inf == 1 && col->type == TIDE_F64 && i < r->n_rows; i++) {
        double *v = (double *)c->to + i;
        if (isinf(*v)) *v = (double)NAN;
    }
}

static tide_status begin_column(struct ar_reader *r, struct ar_column *c,
                                tide_error *err)
{
    struct column *col = &r->f->cols[c->out];
    struct arena *a = &r->f->arena;
    col->name = arena_str(a, c->name);
    col->type = c->is_dict ? TIDE_CAT : (uint8_t)type_of(&c->type, c->declared);
    size_t each = col->type == TIDE_BOOL ? 1 : col->type == TIDE_CAT ? 4 : 8;
    c->to =
        arena_array(a, r->n_rows + 1, each); /* not touched when the column is kept */
    col->f64 = col->type == TIDE_F64 ? c->to : NULL;
    col->b = col->type == TIDE_BOOL ? c->to : NULL;
    col->code = col->type == TIDE_CAT ? c->to : NULL;
    col->i64 = col->type == TIDE_I64 || col->type == TIDE_TIME ? c->to : NULL;
    return arena_status(a, err);
}

static tide_status tell_fault(const struct ar_column *c, tide_error *err)
{
    err_set(err, c->code, "row %lld of '%s' %s", (long long)c->failed + 1, c->name,
            c->what);
    if (c->code == TIDE_CODE_DATA_RANGE && c->type.kind != AR_TIME)
        err_hint(err, "types", "%s=number", c->name);
    if (err) err->row = c->failed + 1;
    return err_field(err, c->name);
}

/* Texts that are no category, laid out one behind another. */
static tide_status lay_texts(struct ar_reader *r, struct ar_column *c, tide_error *err)
{
    struct column *col = &r->f->cols[c->out];
    struct arena *a = &r->f->arena;
    int64_t total = 0, row = 0, *at = NULL;
    uint8_t *missing = NULL;
    char *text = NULL;
    col->type = TIDE_TEXT;
    col->code = NULL;
    c->kept = keep_texts(c, r, col);
    if (c->kept) return TIDE_OK;
    for (int pass = 0; pass < 2 && c->failed < 0; pass++) {
        if (pass == 0) {
            at = arena_array(a, r->n_rows + 1, sizeof *at);
            missing = arena_push(a, (size_t)r->n_rows + 1);
        } else {
            text = arena_push(a, (size_t)total + 1);
        }
        if (a->failed) return arena_status(a, err);
        row = 0;
        for (int64_t b = 0; b < r->n_batches && c->failed < 0; b++) {
            struct ar_part p = part_of(r, c, b, row);
            for (int64_t i = 0; i < p.n && c->failed < 0; i++, row++) {
                struct pq_text t = {"", 0};
                if (pass == 0) {
                    missing[row] = row_text(c, &p, i, &t) == 1;
                    at[row] = total;
                    total += missing[row] ? 0 : t.n;
                } else if (!missing[row]) {
                    text_at(&c->type, p.a, p.from + i, &t);
                    if (t.n) memcpy(text + at[row], t.s, t.n);
                }
            }
        }
    }
    if (c->failed >= 0) return tell_fault(c, err);
    at[r->n_rows] = total;
    col->text_at = at;
    col->text = text;
    col->text_missing = missing;
    return TIDE_OK;
}

static tide_status end_column(struct ar_reader *r, struct ar_column *c, tide_error *err)
{
    struct column *col = &r->f->cols[c->out];
    struct arena *a = &r->f->arena;
    tide_status st = arena_status(&c->temp, err);
    if (st == TIDE_OK && c->failed >= 0) st = tell_fault(c, err);
    if (st != TIDE_OK) return st;
    if (col->type == TIDE_CAT) {
        int64_t cells = 0;
        for (int64_t i = 0; !c->is_dict && i < r->n_rows && !c->too_many; i++)
            cells += col->code[i] != CODE_MISSING;
        int text = c->too_many || c->declared == TIDE_TEXT ||
                   (c->declared != TIDE_CAT &&
                    !texts_are_category(c->set.n, r->n_rows, cells, c->bytes));
        if (!c->is_dict && text) {
            st = lay_texts(r, c, err);
        } else if (level_set_dict(&c->set, a, &col->dict) != 0 && !a->failed) {
            st = err_set(err, TIDE_CODE_DATA_TYPE,
                         "the levels of '%s' take more than 4 GiB", c->name);
        }
    }
    if (st == TIDE_OK) st = arena_status(a, err);
    if (st == TIDE_OK && r->o) st = column_drop_tokens(r->f, col, &r->o->na, err);
    if (st == TIDE_OK) st = column_retype(r->f, col, (enum tide_type)c->declared, err);
    if (st == TIDE_OK && c->cut) {
        tide_error w = {0};
        err_set(&w, TIDE_CODE_DATA_PRECISION,
                "nanoseconds of '%s' are cut to microseconds", c->name);
        err_field(&w, c->name);
        ctx_warn(r->ctx, &w);
    }
    return st;
}

/* ---- the frame ---- */

static void drop_batch(void *owner)
{
    struct ArrowArray *a = owner;
    if (a->release) a->release(a);
}

static tide_status read_columns(struct ar_reader *r, tide_error *err)
{
    tide_status st = TIDE_OK;
    int kept = 0;
    for (int j = 0; st == TIDE_OK && j < r->n_out; j++)
        st = begin_column(r, r->taken[j], err);
    if (st == TIDE_OK && r->n_out) st = par_for(r->ctx, r->n_out, one_column, r, err);
    for (int j = 0; st == TIDE_OK && j < r->n_out; j++) {
        st = end_column(r, r->taken[j], err);
        kept |= r->taken[j]->kept;
    }
    if (st == TIDE_OK) {
        r->f->source = "arrow";
        r->f->dialect = "arrow";
        st = frame_seal(r->f, err);
    }
    if (st == TIDE_OK && kept) {
        struct ArrowArray *own = arena_push(&r->f->arena, sizeof *own);
        if (!own) return arena_status(&r->f->arena, err);
        *own = r->batch[0]; /* moved into the frame */
        r->batch[0].release = NULL;
        r->f->owner = own;
        r->f->drop = drop_batch;
    }
    return st;
}

tide_status tide_frame_from_arrow_stream(tide_ctx *ctx, struct ArrowArrayStream *stream,
                                         const struct tide_read_options *options,
                                         tide_frame **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct ar_reader r = {.ctx = ctx, .o = options};
    if (out) *out = NULL;
    if (!stream || !stream->release)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "the stream was released");
    tide_status st =
        ctx && out ? TIDE_OK
                   : err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    arena_init(&r.arena, ctx);
    if (st == TIDE_OK) st = drain(&r, stream, err);
    stream->release(stream);
    if (st == TIDE_OK) st = plan(&r, err);
    if (st == TIDE_OK) st = read_columns(&r, err);
    if (st == TIDE_OK)
        *out = r.f;
    else
        tide_frame_free(r.f);
    for (int j = 0; j < r.n_out; j++) arena_free(&r.taken[j]->temp);
    for (int64_t b = 0; b < r.n_batches; b++)
        if (r.batch[b].release) r.batch[b].release(&r.batch[b]);
    if (r.schema.release) r.schema.release(&r.schema);
    mem_free(r.batch);
    arena_free(&r.arena);
    return st;
}
