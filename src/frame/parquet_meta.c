/* parquet_meta.c - the footer and page headers: Thrift's compact protocol, read by hand
 *
 * A struct is fields with small ids; what is not known is skipped with a stack of fixed
 * depth. Every list is at least one byte an element, so nothing larger than the footer times a
 * small factor is ever allocated. */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "frame/parquet.h"

enum {
    T_STOP,
    T_TRUE,
    T_FALSE,
    T_BYTE,
    T_I16,
    T_I32,
    T_I64,
    T_DOUBLE,
    T_BINARY,
    T_LIST,
    T_SET,
    T_MAP,
    T_STRUCT,
    T_UUID
};
#define DEPTH 32 /* of what is skipped, and of groups in a schema */

struct thrift {
    const uint8_t *p, *end;
    int bad;
};

tide_status pq_damaged(tide_error *err, const char *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_setv(err, TIDE_CODE_PARQUET_DAMAGED, fmt, ap);
    va_end(ap);
    return err_at(err, path, 0, 0);
}

/* ---- the protocol ---- */

static size_t left(const struct thrift *t)
{
    return (size_t)(t->end - t->p);
}

static uint8_t get_byte(struct thrift *t)
{
    if (t->p == t->end) {
        t->bad = 1;
        return 0;
    }
    return *t->p++;
}

static uint64_t get_varint(struct thrift *t)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        uint8_t byte = get_byte(t);
        if (shift < 64) v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return v;
    }
    t->bad = 1;
    return 0;
}

static int64_t get_int(struct thrift *t)
{
    uint64_t v = get_varint(t);
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static int32_t get_i32(struct thrift *t)
{
    int64_t v = get_int(t);
    if (v < INT32_MIN || v > INT32_MAX) t->bad = 1;
    return (int32_t)v;
}

/* The next field's type, T_STOP at the end; *id goes on from the last one. */
static int get_field(struct thrift *t, int *id)
{
    uint8_t head = get_byte(t);
    if (t->bad || (head & 15) == T_STOP) return T_STOP;
    if (head >> 4)
        *id += head >> 4;
    else
        *id = (int)(int16_t)get_int(t);
    return t->bad ? T_STOP : head & 15;
}

/* Elements and their type. */
static int64_t get_list(struct thrift *t, int *type)
{
    uint8_t head = get_byte(t);
    uint64_t n = head >> 4;
    *type = head & 15;
    if (n == 15) n = get_varint(t);
    if (t->bad || n > left(t)) {
        t->bad = 1;
        return 0;
    }
    return (int64_t)n;
}

static const char *get_binary(struct thrift *t, size_t *n)
{
    uint64_t len = get_varint(t);
    *n = 0;
    if (t->bad || len > left(t)) {
        t->bad = 1;
        return "";
    }
    const char *s = (const char *)t->p;
    *n = (size_t)len;
    t->p += len;
    return s;
}

static void skip_bytes(struct thrift *t, size_t n)
{
    if (n > left(t))
        t->bad = 1;
    else
        t->p += n;
}

/* A value that holds no others; -1 when the type holds some. */
static int skip_scalar(struct thrift *t, int type, int in_list)
{
    size_t n;
    switch (type) {
    case T_TRUE:
    case T_FALSE:
        if (in_list) skip_bytes(t, 1);
        return 0;
    case T_BYTE:
        skip_bytes(t, 1);
        return 0;
    case T_I16:
    case T_I32:
    case T_I64:
        get_varint(t);
        return 0;
    case T_DOUBLE:
        skip_bytes(t, 8);
        return 0;
    case T_UUID:
        skip_bytes(t, 16);
        return 0;
    case T_BINARY:
        get_binary(t, &n);
        return 0;
    default:
        return -1;
    }
}

static void skip_value(struct thrift *t, int type)
{
    struct {
        int64_t left; /* -1: a struct */
        int type[2];  /* of the elements, of keys and values in turn */
    } stack[DEPTH];
    int depth = 0, in_list = 0;
    for (;;) {
        if (skip_scalar(t, type, in_list) != 0) {
            if (depth == DEPTH || type < T_LIST || type > T_STRUCT) {
                t->bad = 1;
                return;
            }
            stack[depth].left = -1;
            if (type == T_MAP) {
                uint64_t n = get_varint(t);
                uint8_t both = n && !t->bad ? get_byte(t) : 0;
                if (n > left(t)) t->bad = 1;
                stack[depth].left = t->bad ? 0 : 2 * (int64_t)n;
                stack[depth].type[0] = both >> 4;
                stack[depth].type[1] = both & 15;
            } else if (type != T_STRUCT) {
                stack[depth].left = get_list(t, &stack[depth].type[0]);
                stack[depth].type[1] = stack[depth].type[0];
            }
            depth++;
        }
        for (type = T_STOP; type == T_STOP;) {
            if (t->bad || depth == 0) return;
            int id = 0;
            in_list = stack[depth - 1].left >= 0;
            if (!in_list)
                type = get_field(t, &id);
            else if (stack[depth - 1].left > 0)
                type = stack[depth - 1].type[stack[depth - 1].left-- & 1];
            if (in_list && type == T_STOP && stack[depth - 1].left > 0) {
                t->bad = 1; /* elements of no type */
                return;
            }
            if (type == T_STOP) depth--;
        }
    }
}

/* ---- the schema ---- */

struct element {
    int type, length, repetition, children, converted, scale;
    int logic, unit, bits, is_signed; /* of the logical type, -1 when absent */
    const char *name;
    size_t n_name;
};

/* ms, us or ns: 3, 6, 9 */
static int read_unit(struct thrift *t)
{
    int id = 0, type, unit = 0;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (id >= 1 && id <= 3) unit = 3 * id;
        skip_value(t, type);
    }
    return unit;
}

static void read_logic_body(struct thrift *t, struct element *e)
{
    int id = 0, type;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (e->logic == 5 && id == 1 && type == T_I32)
            e->scale = get_i32(t);
        else if ((e->logic == 7 || e->logic == 8) && id == 2 && type == T_STRUCT)
            e->unit = read_unit(t);
        else if (e->logic == 10 && id == 1 && type == T_BYTE)
            e->bits = get_byte(t);
        else if (e->logic == 10 && id == 2 && (type == T_TRUE || type == T_FALSE))
            e->is_signed = type == T_TRUE;
        else
            skip_value(t, type);
    }
}

static void read_logic(struct thrift *t, struct element *e)
{
    int id = 0, type;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (type != T_STRUCT) {
            skip_value(t, type);
            continue;
        }
        e->logic = id;
        read_logic_body(t, e);
    }
}

static void read_element(struct thrift *t, struct element *e)
{
    int id = 0, type;
    *e = (struct element){
        .type = -1, .converted = -1, .logic = -1, .is_signed = 1, .name = ""};
    while ((type = get_field(t, &id)) != T_STOP) {
        if (id == 4 && type == T_BINARY)
            e->name = get_binary(t, &e->n_name);
        else if (id == 10 && type == T_STRUCT)
            read_logic(t, e);
        else if (type != T_I32)
            skip_value(t, type);
        else if (id == 1)
            e->type = get_i32(t);
        else if (id == 2)
            e->length = get_i32(t);
        else if (id == 3)
            e->repetition = get_i32(t);
        else if (id == 5)
            e->children = get_i32(t);
        else if (id == 6)
            e->converted = get_i32(t);
        else if (id == 7)
            e->scale = get_i32(t);
        else
            skip_value(t, type);
    }
}

static void nothing(struct pq_column *c, const char *what)
{
    c->as = PQ_AS_NOTHING;
    c->what = what;
}

/* By the logical type, and where it is absent by the older converted type. */
static int logic_of(const struct element *e)
{
    static const int8_t logic[] = {1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 8};
    if (e->logic > 0) return e->logic;
    if (e->converted >= 0 && e->converted <= 10) return logic[e->converted];
    if (e->converted >= 11 && e->converted <= 18) return 10;
    return e->converted == 19   ? 12
           : e->converted == 20 ? 13
           : e->converted == 21 ? 9
                                : 0;
}

static int unit_of(const struct element *e)
{
    if (e->logic > 0) return e->unit;
    return e->converted == 8 || e->converted == 10 ? 6 : 3;
}

static int is_signed(const struct element *e)
{
    return e->logic > 0 ? e->is_signed : e->converted >= 15;
}

/* What a leaf's values mean, from its physical and its logical type. */
static void settle_column(struct pq_column *c, const struct element *e)
{
    int logic = logic_of(e), whole = e->type == PQ_I32 || e->type == PQ_I64;
    c->physical = (uint8_t)e->type;
    c->length = e->length;
    c->scale = 0;
    if (c->as == PQ_AS_NOTHING) return; /* nested */
    static const uint8_t plain[] = {PQ_AS_BOOL,  PQ_AS_INT,    PQ_AS_INT,
                                    PQ_AS_INT96, PQ_AS_FLOAT,  PQ_AS_FLOAT,
                                    PQ_AS_TEXT,  PQ_AS_NOTHING};
    c->as = plain[e->type];
    c->what = "of bytes of fixed length";
    if (logic == 11) {
        c->as = PQ_AS_NULL;
    } else if (logic == 5) {
        if (e->type == PQ_BOOL || e->type == PQ_I96 || e->type == PQ_F32 ||
            e->type == PQ_F64 || e->scale < 0 || e->scale > 76 ||
            (e->type == PQ_FIXED && e->length > 32))
            nothing(c, "of decimals of a form that is not read");
        else
            c->as = PQ_AS_DECIMAL;
        c->scale = e->scale;
    } else if (logic == 6 && e->type == PQ_I32) {
        c->as = PQ_AS_DATE;
    } else if (logic == 7 && whole) {
        c->as = PQ_AS_DECIMAL; /* a time of day, in seconds */
        c->scale = unit_of(e);
    } else if (logic == 8 && e->type == PQ_I64) {
        int unit = unit_of(e);
        c->as = unit == 3 ? PQ_AS_MILLIS : unit == 6 ? PQ_AS_MICROS : PQ_AS_NANOS;
    } else if (logic == 10 && whole && !is_signed(e)) {
        c->as = PQ_AS_UINT;
    } else if (logic == 9) {
        nothing(c, "of intervals");
    } else if (logic == 13) {
        nothing(c, "of BSON");
    } else if (logic == 14 && e->type == PQ_FIXED && e->length == 16) {
        c->as = PQ_AS_UUID;
    } else if (logic == 15 && e->type == PQ_FIXED && e->length == 2) {
        c->as = PQ_AS_HALF;
    } else if (logic >= 16) {
        nothing(c, "of a logical type that is not read");
    }
}

struct path_part {
    int left; /* children to come */
    const char *name;
    size_t n;
};

static tide_status name_column(struct pq_meta *m, struct arena *a, int j,
                               const struct path_part *stack, int depth,
                               const struct element *e, const char *path,
                               tide_error *err)
{
    struct str name = {0};
    for (int k = 1; k < depth; k++) {
        str_addn(&name, stack[k].name, stack[k].n);
        str_addc(&name, '.');
    }
    str_addn(&name, e->name, e->n_name);
    tide_status st = TIDE_OK;
    if (name.failed)
        st = err_nomem(err, name.len);
    else if (name.len == 0)
        st = err_set(err, TIDE_CODE_CSV_NAME, "column %d has no name", j + 1);
    else if (name.len > 4096)
        st = err_set(err, TIDE_CODE_LIMIT_NAME,
                     "the name of column %d has %lld bytes, the limit is 4096", j + 1,
                     (long long)name.len);
    else if (memchr(name.s, 0, name.len) || utf8_check(name.s, name.len) != 0)
        st = err_set(err, TIDE_CODE_CSV_ENCODING, "the name of column %d is not UTF-8",
                     j + 1);
    else
        m->cols[j].name = arena_strn(a, name.s, name.len);
    if (st != TIDE_OK && st != TIDE_ENOMEM) err_at(err, path, 0, 0);
    str_free(&name);
    return st;
}

/* Leaves of the tree, which is written in depth-first order. */
static tide_status read_schema(struct pq_meta *m, struct arena *a, struct thrift *t,
                               const char *path, int64_t max_columns, tide_error *err)
{
    struct path_part stack[DEPTH];
    struct element e;
    int type, depth = 0;
    int64_t n = get_list(t, &type);
    if (t->bad || type != T_STRUCT || n < 1 || m->cols) goto damaged;
    m->cols = arena_zero(a, (size_t)n * sizeof *m->cols);
    if (!m->cols) return arena_status(a, err);
    for (int64_t k = 0; k < n; k++) {
        read_element(t, &e);
        if (t->bad || e.children < 0 || (k > 0 && depth == 0)) goto damaged;
        if (k == 0 || e.children > 0) {
            if (depth == DEPTH)
                return err_set(err, TIDE_CODE_LIMIT_DEPTH,
                               "columns are nested deeper than %d", DEPTH);
            if (depth > 0) stack[depth - 1].left--;
            stack[depth++] = (struct path_part){e.children, e.name, e.n_name};
        } else {
            struct pq_column *c = &m->cols[m->n_cols];
            if (e.type < 0 || e.type >= PQ_PHYSICALS || e.repetition < 0 ||
                e.repetition > 2 ||
                (e.type == PQ_FIXED && (e.length < 1 || e.length > 1 << 20)))
                goto damaged;
            if (m->n_cols >= max_columns)
                return err_set(err, TIDE_CODE_LIMIT_COLUMNS, "more than %lld columns",
                               (long long)max_columns);
            c->optional = e.repetition == 1;
            if (depth > 1 || e.repetition == 2) nothing(c, "nested");
            settle_column(c, &e);
            tide_status st = name_column(m, a, m->n_cols, stack, depth, &e, path, err);
            if (st != TIDE_OK) return st;
            m->n_cols++;
            stack[depth - 1].left--;
        }
        while (depth > 0 && stack[depth - 1].left <= 0) depth--;
    }
    if (depth == 0) return arena_status(a, err);
damaged:
    return pq_damaged(err, path, "the schema is not well formed");
}

/* ---- row groups ---- */

static void read_chunk_meta(struct thrift *t, struct pq_chunk *c)
{
    int id = 0, type;
    int64_t data = -1, dict = 0;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (type == T_I32 && id == 1)
            c->physical = get_i32(t);
        else if (type == T_I32 && id == 4)
            c->codec = get_i32(t);
        else if (type != T_I64)
            skip_value(t, type);
        else if (id == 5)
            c->n_values = get_int(t);
        else if (id == 7)
            c->bytes = get_int(t);
        else if (id == 9)
            data = get_int(t);
        else if (id == 11)
            dict = get_int(t);
        else
            skip_value(t, type);
    }
    c->offset = dict > 0 && dict < data ? dict : data;
}

static void read_chunk(struct thrift *t, struct pq_chunk *c)
{
    int id = 0, type;
    *c = (struct pq_chunk){.physical = -1, .offset = -1};
    while ((type = get_field(t, &id)) != T_STOP) {
        if (id == 3 && type == T_STRUCT) {
            read_chunk_meta(t, c);
            continue;
        }
        if (id == 1) c->elsewhere = 1;
        if (id == 8) c->sealed = 1;
        skip_value(t, type);
    }
}

static void read_group(struct pq_meta *m, struct thrift *t, int64_t group,
                       int64_t *n_rows)
{
    int id = 0, type, seen = 0;
    *n_rows = -1;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (id == 1 && type == T_LIST && !seen) {
            int64_t n = get_list(t, &type);
            seen = 1;
            if (n != m->n_cols || type != T_STRUCT) t->bad = 1;
            for (int64_t j = 0; j < n && !t->bad; j++)
                read_chunk(t, &m->chunk[group * m->n_cols + j]);
        } else if (id == 3 && type == T_I64) {
            *n_rows = get_int(t);
        } else {
            skip_value(t, type);
        }
    }
    if (!seen) t->bad = 1;
}

static tide_status read_groups(struct pq_meta *m, struct arena *a, struct thrift *t,
                               const char *path, tide_error *err)
{
    int type;
    int64_t n = get_list(t, &type), rows;
    if (t->bad || n > INT32_MAX || (n && type != T_STRUCT) || !m->cols || m->row0 ||
        (n && (int64_t)(left(t) / (size_t)n) < m->n_cols))
        return pq_damaged(err, path, "the row groups are not well formed");
    m->row0 = arena_zero(a, (size_t)(n + 1) * sizeof *m->row0);
    m->chunk = arena_array(a, n * m->n_cols + 1, sizeof *m->chunk);
    if (!m->row0 || !m->chunk) return arena_status(a, err);
    m->n_groups = (int)n;
    for (int64_t g = 0; g < n; g++) {
        read_group(m, t, g, &rows);
        if (t->bad || rows < 0 || rows > INT64_MAX / 64 - m->row0[g])
            return pq_damaged(err, path, "row group %lld is not well formed",
                              (long long)g + 1);
        m->row0[g + 1] = m->row0[g] + rows;
        for (int j = 0; j < m->n_cols; j++) {
            const struct pq_chunk *c = &m->chunk[g * m->n_cols + j];
            if (c->physical != m->cols[j].physical && !c->sealed)
                return pq_damaged(err, path, "row group %lld has another type for '%s'",
                                  (long long)g + 1, m->cols[j].name);
        }
    }
    return TIDE_OK;
}

tide_status pq_meta_read(struct pq_meta *m, struct arena *a, const uint8_t *p, size_t n,
                         const char *path, int64_t max_columns, tide_error *err)
{
    struct thrift t = {p, p + n, 0};
    int id = 0, type;
    size_t len;
    tide_status st = TIDE_OK;
    *m = (struct pq_meta){.n_rows = -1, .writer = ""};
    while (st == TIDE_OK && (type = get_field(&t, &id)) != T_STOP) {
        if (id == 2 && type == T_LIST) {
            st = read_schema(m, a, &t, path, max_columns, err);
        } else if (id == 3 && type == T_I64) {
            m->n_rows = get_int(&t);
        } else if (id == 4 && type == T_LIST) {
            st = read_groups(m, a, &t, path, err);
        } else if (id == 6 && type == T_BINARY) {
            const char *s = get_binary(&t, &len);
            char shown[80];
            m->writer = arena_str(a, err_quote(shown, sizeof shown, s, len, 60));
        } else {
            skip_value(&t, type);
        }
    }
    if (st == TIDE_OK &&
        (t.bad || !m->cols || !m->row0 || m->n_rows != m->row0[m->n_groups]))
        st = pq_damaged(err, path, "the footer is not well formed");
    return st == TIDE_OK ? arena_status(a, err) : st;
}

/* ---- page headers ---- */

/* Fields of a data page (kind 5), dictionary page (7) or data page of version 2 (8). */
static void read_page_body(struct thrift *t, struct pq_page *page, int kind)
{
    int id = 0, type;
    while ((type = get_field(t, &id)) != T_STOP) {
        if (kind == 8 && id == 7 && (type == T_TRUE || type == T_FALSE))
            page->packed = type == T_TRUE;
        else if (type != T_I32)
            skip_value(t, type);
        else if (id == 1)
            page->n_values = get_i32(t);
        else if (id == (kind == 8 ? 4 : 2))
            page->encoding = get_i32(t);
        else if (kind == 5 && id == 3)
            page->level_encoding = get_i32(t);
        else if (kind == 8 && id == 2)
            page->n_nulls = get_i32(t);
        else if (kind == 8 && id == 5)
            page->def_bytes = get_i32(t);
        else if (kind == 8 && id == 6)
            page->rep_bytes = get_i32(t);
        else
            skip_value(t, type);
    }
}

size_t pq_page_header(struct pq_page *page, const uint8_t *p, size_t n)
{
    struct thrift t = {p, p + n, 0};
    int id = 0, type, body = 0;
    *page = (struct pq_page){.kind = -1,
                             .raw_bytes = -1,
                             .bytes = -1,
                             .n_values = -1,
                             .encoding = -1,
                             .level_encoding = PQ_RLE,
                             .packed = 1};
    while ((type = get_field(&t, &id)) != T_STOP) {
        if (type == T_STRUCT && (id == 5 || id == 7 || id == 8)) {
            read_page_body(&t, page, id);
            body = id;
        } else if (type != T_I32) {
            skip_value(&t, type);
        } else if (id == 1) {
            page->kind = get_i32(&t);
        } else if (id == 2) {
            page->raw_bytes = get_i32(&t);
        } else if (id == 3) {
            page->bytes = get_i32(&t);
        } else if (id == 4) {
            page->crc = (uint32_t)get_i32(&t);
            page->has_crc = 1;
        } else {
            skip_value(&t, type);
        }
    }
    static const int wanted[] = {5, 0, 7, 8};
    int known = page->kind >= 0 && page->kind <= 3;
    if (t.bad || page->raw_bytes < 0 || page->bytes < 0 || !known) return 0;
    if (page->kind != PQ_INDEX_PAGE &&
        (body != wanted[page->kind] || page->n_values < 0))
        return 0;
    return (size_t)(t.p - p);
}
