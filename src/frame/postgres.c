/* postgres.c - what a query on a PostgreSQL server answers, by COPY in binary
 *
 * A source is postgres:DSN?QUERY; DSN is what libpq takes (words "host=... dbname=...", or
 * //user@host/db), QUERY begins with SELECT, WITH, VALUES or TABLE. The query is prepared first,
 * which tells names and types and that it is one statement, and then copied out in a
 * transaction that can only read. libpq is loaded when the first such source is read: the
 * program starts, and is built, without it. */
/* needs: libpq */
#include "frame/postgres.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/dynlib.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "frame/level_set.h"
#include "frame/source.h"
#include "frame/values.h"
#include "spec/reader.h"

extern const struct tide_reader tide_reader_postgres;

/* ---- libpq ---- */

static tide_status load_libpq(struct libpq *pq, tide_error *err)
{
    static const char *const names[] = {"PQconnectdbParams",
                                        "PQstatus",
                                        "PQerrorMessage",
                                        "PQfinish",
                                        "PQexec",
                                        "PQprepare",
                                        "PQdescribePrepared",
                                        "PQresultStatus",
                                        "PQresultErrorField",
                                        "PQclear",
                                        "PQnfields",
                                        "PQfname",
                                        "PQftype",
                                        "PQfmod",
                                        "PQgetvalue",
                                        "PQgetResult",
                                        "PQgetCopyData",
                                        "PQfreemem"};
    _Static_assert(sizeof names / sizeof names[0] ==
                       sizeof *pq / sizeof(void (*)(void)),
                   "a name for each function");
    static const char *const files[] = {"libpq.so.5", NULL};
    void *lib = dynlib_open(files);
    if (!lib) {
        err_set(err, TIDE_CODE_FILE_MISSING, "the library libpq.so.5 is not installed");
        return err_hint(err, "", "apt install libpq5");
    }
    char *to = (char *)pq;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++, to += sizeof lib)
        if (dynlib_function(lib, names[k], to) != 0)
            return err_set(err, TIDE_CODE_FILE_MISSING, "libpq.so.5 has no %s",
                           names[k]);
    return TIDE_OK;
}

/* ---- the session ---- */

enum pg_kind {
    PG_BOOL,
    PG_INT, /* 2, 4 or 8 bytes */
    PG_REAL,
    PG_NUMERIC,
    PG_DATE,
    PG_TIME,
    PG_TEXT,
    PG_UUID
};
struct pg_column {
    const char *name;
    uint8_t kind, type, declared, taken;
    int out;
    union {
        uint8_t *b;
        int64_t *i64;
        double *f64;
        int64_t *
            at; /* texts: where they end in `text`, less one and negative when missing */
    } v;
    struct str text;
};
struct pg_reader {
    struct tide_ctx *ctx;
    const struct tide_read_options *o;
    struct libpq pq;
    PGconn *conn;
    struct arena arena;
    char *query; /* without its last semicolon */
    int n_cols, n_out;
    struct pg_column *cols;
    int64_t n_rows, cap, charged; /* bytes counted for rows that have no arena yet */
    int began;                    /* the header of the copy was seen */
    tide_frame *f;
};

/* The server's own words and SQLSTATE. */
static tide_status server_error(struct pg_reader *r, const PGresult *res,
                                tide_error *err)
{
    char shown[440];
    const char *text = res ? r->pq.field(res, 'M') : NULL;
    const char *state = res ? r->pq.field(res, 'C') : NULL;
    if (!text) text = r->pq.message(r->conn);
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' ')) n--;
    err_quote(shown, sizeof shown, text, n, 360);
    err_set(err, TIDE_CODE_SQL, "the server says \"%s\"%s%s", shown,
            state ? ", SQLSTATE " : "", state ? state : "");
    return err_at(err, "postgres", 0, 0);
}

static tide_status run(struct pg_reader *r, const char *sql, int wanted,
                       tide_error *err)
{
    PGresult *res = r->pq.exec(r->conn, sql);
    tide_status st =
        r->pq.result_status(res) == wanted ? TIDE_OK : server_error(r, res, err);
    r->pq.clear(res);
    return st;
}

static int begins_query(const char *s)
{
    static const char *const words[] = {"select", "with", "values", "table"};
    while (*s == ' ' || *s == '\n' || *s == '\t' || *s == '(') s++;
    for (int k = 0; k < 4; k++) {
        size_t i = 0;
        while (words[k][i] && (s[i] | 32) == words[k][i]) i++;
        if (!words[k][i]) return 1;
    }
    return 0;
}

/* Splits at the first '?' before a query: a DSN may have one of its own. */
static tide_status split_source(struct pg_reader *r, const char *path, char **dsn,
                                tide_error *err)
{
    const char *rest = path + strlen("postgres:"), *mark = rest;
    while ((mark = strchr(mark, '?')) && !begins_query(mark + 1)) mark++;
    if (!mark) {
        err_set(err, TIDE_CODE_SQL,
                "a source is postgres:DSN?QUERY, and there is no query");
        return err_hint(err, "", "postgres:dbname=shop?SELECT * FROM orders");
    }
    size_t n = (size_t)(mark - rest), len = strlen(mark + 1);
    int uri = strncmp(rest, "//", 2) == 0;
    char *to = arena_push(&r->arena, n + 16);
    while (len > 0 && strchr("; \n\t", mark[len])) len--;
    r->query = arena_strn(&r->arena, mark + 1, len);
    if (!to || !r->query) return arena_status(&r->arena, err);
    str_format(to, n + 16, "%s%.*s", uri ? "postgresql:" : "", (int)n, rest);
    *dsn = to;
    return TIDE_OK;
}

static tide_status open_session(struct pg_reader *r, const char *dsn, tide_error *err)
{
    /* later words win, so the DSN may set its own patience, but not the encoding */
    static const char *const words[] = {"connect_timeout", "application_name", "dbname",
                                        "client_encoding", NULL};
    const char *const values[] = {"10", "tidemill", dsn, "UTF8", NULL};
    r->conn = r->pq.connect(words, values, 1);
    if (!r->conn) return err_nomem(err, 0);
    if (r->pq.status(r->conn) != CONNECTION_OK) return server_error(r, NULL, err);
    return run(r, "BEGIN READ ONLY", PGRES_COMMAND_OK, err);
}

/* ---- columns ---- */

static int kind_of(unsigned oid)
{
    switch (oid) {
    case 16:
        return PG_BOOL;
    case 20: /* int8, int2, int4, oid */
    case 21:
    case 23:
    case 26:
        return PG_INT;
    case 700:
    case 701:
        return PG_REAL;
    case 1700:
        return PG_NUMERIC;
    case 1082:
        return PG_DATE;
    case 1114:
    case 1184:
        return PG_TIME;
    case 18: /* "char", name, text, bpchar, varchar, enum labels have oids of their own */
    case 19:
    case 25:
    case 1042:
    case 1043:
        return PG_TEXT;
    case 2950:
        return PG_UUID;
    default:
        return -1;
    }
}

static tide_status refuse_type(struct pg_reader *r, const char *name, unsigned oid,
                               int mod, tide_error *err)
{
    char sql[80], shown[80] = "?";
    str_format(sql, sizeof sql, "SELECT format_type(%u, %d)", oid, mod);
    PGresult *res = r->pq.exec(r->conn, sql);
    if (r->pq.result_status(res) == PGRES_TUPLES_OK) {
        const char *text = r->pq.value(res, 0, 0);
        err_quote(shown, sizeof shown, text, strlen(text), 60);
    }
    r->pq.clear(res);
    err_set(err, TIDE_CODE_DATA_TYPE,
            "column '%s' has the PostgreSQL type \"%s\", which is not read", name,
            shown);
    err_hint(err, "", "cast it in the query: %s::text", name);
    err_field(err, name);
    return err_at(err, "postgres", 0, 0);
}

static enum tide_type type_of(int kind)
{
    static const uint8_t types[] = {
        [PG_BOOL] = TIDE_BOOL,   [PG_INT] = TIDE_I64,   [PG_REAL] = TIDE_F64,
        [PG_NUMERIC] = TIDE_F64, [PG_DATE] = TIDE_TIME, [PG_TIME] = TIDE_TIME,
        [PG_TEXT] = TIDE_CAT,    [PG_UUID] = TIDE_CAT};
    return (enum tide_type)types[kind];
}

static tide_status settle_columns(struct pg_reader *r, const PGresult *res,
                                  tide_error *err)
{
    int n = r->n_cols = r->pq.n_fields(res);
    r->cols = arena_zero(&r->arena, ((size_t)n + 1) * sizeof *r->cols);
    const char **names = arena_array(&r->arena, n + 1, sizeof *names);
    uint8_t *take = arena_push(&r->arena, (size_t)n + 1);
    uint8_t *type = arena_push(&r->arena, (size_t)n + 1);
    if (r->arena.failed) return arena_status(&r->arena, err);
    for (int j = 0; j < n; j++) {
        const char *name = r->pq.name(res, j);
        names[j] = r->cols[j].name = arena_str(&r->arena, name);
        if (!names[j]) return arena_status(&r->arena, err);
    }
    tide_status st = wanted_columns(names, n, r->o, "postgres", take, type, err);
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        struct pg_column *c = &r->cols[j];
        int kind = kind_of(r->pq.type(res, j));
        c->taken = take[j];
        c->declared = type[j];
        if (c->taken && kind < 0)
            st = refuse_type(r, c->name, r->pq.type(res, j), r->pq.mod(res, j), err);
        c->kind = (uint8_t)(kind < 0 ? PG_TEXT : kind);
        c->type = (uint8_t)type_of(c->kind);
        if (c->taken) c->out = r->n_out++;
    }
    return st;
}

static tide_status describe(struct pg_reader *r, tide_error *err)
{
    PGresult *res = r->pq.prepare(r->conn, "", r->query, 0, NULL);
    tide_status st = r->pq.result_status(res) == PGRES_COMMAND_OK
                         ? TIDE_OK
                         : server_error(r, res, err);
    r->pq.clear(res);
    if (st != TIDE_OK) return st;
    res = r->pq.describe(r->conn, "");
    st = r->pq.result_status(res) == PGRES_COMMAND_OK ? settle_columns(r, res, err)
                                                      : server_error(r, res, err);
    r->pq.clear(res);
    return st;
}

/* ---- rows ---- */

static uint64_t big(const uint8_t *p, int n)
{
    uint64_t v = 0;
    for (int k = 0; k < n; k++) v = v << 8 | p[k];
    return v;
}

/* n: 1 to 8 */
static int64_t signed_big(const uint8_t *p, int n)
{
    int shift = 64 - 8 * n;
    return (int64_t)(big(p, n) << shift) >> shift;
}

/* Digits of base 10,000 as decimal text, which is then rounded once; non-zero: not that form. */
static int numeric_value(struct pg_reader *r, const uint8_t *p, int n, double *out)
{
    if (n < 8) return -1;
    int digits = (int)big(p, 2), weight = (int)signed_big(p + 2, 2);
    unsigned sign = (unsigned)big(p + 4, 2);
    *out = sign == 0xc000   ? (double)NAN
           : sign == 0xd000 ? (double)INFINITY
           : sign == 0xf000 ? -(double)INFINITY
                            : 0;
    if (sign >= 0xc000) return 0;
    if (n != 8 + 2 * digits) return -1;
    if (digits == 0) return 0;
    struct arena_mark mark = arena_mark(&r->arena);
    size_t size = 4 * (size_t)digits + 32;
    char *text = arena_push(&r->arena, size), *s = text;
    if (!text) return -1;
    if (sign == 0x4000) *s++ = '-';
    for (int k = 0; k < digits; k++) {
        unsigned d = (unsigned)big(p + 8 + 2 * k, 2);
        if (d > 9999) return -1;
        for (unsigned unit = 1000; unit; unit /= 10) *s++ = (char)('0' + d / unit % 10);
    }
    int len =
        str_format(s, size - (size_t)(s - text), "e%d", 4 * (weight - digits + 1));
    enum num_result res = num_parse(text, (size_t)(s - text + len), '.', out);
    arena_reset(&r->arena, mark);
    return res == NUM_BAD;
}

static void add_uuid(struct str *t, const uint8_t *p)
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) str_addc(t, '-');
        str_addc(t, hex[p[i] >> 4]);
        str_addc(t, hex[p[i] & 15]);
    }
}

static tide_status grow_rows(struct pg_reader *r, tide_error *err)
{
    int64_t cap = r->cap ? 2 * r->cap : 1024, added = 8 * r->n_out * (cap - r->cap);
    tide_status st = ctx_memory_take(r->ctx, added, err);
    if (st == TIDE_OK) r->charged += added;
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++) {
        struct pg_column *c = &r->cols[j];
        size_t each = c->type == TIDE_BOOL ? 1 : 8, bytes = (size_t)cap * each;
        if (!c->taken) continue;
        void *more = mem_realloc(c->v.b, bytes);
        if (!more) return err_nomem(err, bytes);
        c->v.b = more;
    }
    r->cap = cap;
    return st;
}

static tide_status bad_value(const struct pg_reader *r, const struct pg_column *c,
                             const char *what, tide_error *err)
{
    err_set(err, TIDE_CODE_DATA_RANGE, "row %lld of '%s' %s", (long long)r->n_rows + 1,
            c->name, what);
    if (err) err->row = r->n_rows + 1;
    err_field(err, c->name);
    return err_at(err, "postgres", 0, 0);
}

static void put_missing(const struct pg_reader *r, struct pg_column *c)
{
    if (c->type == TIDE_BOOL)
        c->v.b[r->n_rows] = BOOL_MISSING;
    else if (c->type == TIDE_F64)
        c->v.f64[r->n_rows] = (double)NAN;
    else if (c->type == TIDE_CAT)
        c->v.at[r->n_rows] = -1 - (int64_t)c->text.len;
    else
        c->v.i64[r->n_rows] = I64_MISSING;
}

static tide_status put_time(struct pg_reader *r, struct pg_column *c, const uint8_t *p,
                            int n, tide_error *err)
{
    static const int64_t day = INT64_C(86400000000), epoch = INT64_C(946684800000000);
    if (n != (c->kind == PG_DATE ? 4 : 8))
        return bad_value(r, c, "has a strange size", err);
    int64_t v = signed_big(p, n), *out = &c->v.i64[r->n_rows];
    int bad = 0;
    if (c->kind == PG_DATE)
        bad |= v == INT32_MAX || v == INT32_MIN || i64_mul(v, day, &v) != 0;
    else
        bad |= v == INT64_MAX || v == INT64_MIN;
    if (bad || i64_add(v, epoch, out) != 0)
        return bad_value(r, c, "is an infinite or too distant time", err);
    return TIDE_OK;
}

static tide_status put_value(struct pg_reader *r, struct pg_column *c, const uint8_t *p,
                             int n, tide_error *err)
{
    int64_t row = r->n_rows;
    union {
        uint64_t u;
        double d;
    } x;
    float single;
    uint32_t bits;
    switch ((enum pg_kind)c->kind) {
    case PG_BOOL:
        c->v.b[row] = n > 0 && *p != 0;
        break;
    case PG_INT:
        if (n != 2 && n != 4 && n != 8)
            return bad_value(r, c, "has a strange size", err);
        c->v.i64[row] = signed_big(p, n);
        if (c->v.i64[row] == I64_MISSING)
            return bad_value(r, c, "is beyond what an int column holds", err);
        break;
    case PG_REAL:
        if (n != 8 && n != 4) return bad_value(r, c, "has a strange size", err);
        x.u = big(p, n);
        bits = (uint32_t)x.u;
        memcpy(&single, &bits, sizeof single);
        c->v.f64[row] = n == 8 ? x.d : (double)single;
        break;
    case PG_NUMERIC:
        if (numeric_value(r, p, n, &c->v.f64[row]) != 0)
            return r->arena.failed ? arena_status(&r->arena, err)
                                   : bad_value(r, c, "is no numeric value", err);
        break;
    case PG_DATE:
    case PG_TIME:
        return put_time(r, c, p, n, err);
    case PG_TEXT:
    case PG_UUID:
        if (c->kind == PG_UUID && n == 16)
            add_uuid(&c->text, p);
        else
            str_addn(&c->text, (const char *)p, (size_t)n);
        c->v.at[row] = (int64_t)c->text.len;
        if (c->text.failed) return err_nomem(err, c->text.len);
        break;
    }
    return TIDE_OK;
}

/* One message: the header once, then whole rows; -1 ends the data. */
static tide_status take_message(struct pg_reader *r, const uint8_t *p, size_t n,
                                tide_error *err)
{
    static const char head[] = "PGCOPY\n\377\r\n"; /* and its NUL: 11 bytes */
    const uint8_t *end = p + n;
    if (!r->began) {
        if (n < 19 || memcmp(p, head, 11) != 0 || big(p + 15, 4) > n - 19) goto bad;
        r->began = 1;
        p += 19 + big(p + 15, 4);
    }
    while (end - p >= 2) {
        int fields = (int)signed_big(p, 2);
        p += 2;
        if (fields == -1) return TIDE_OK;
        if (fields != r->n_cols) goto bad;
        if (r->n_rows == r->cap) {
            tide_status st = grow_rows(r, err);
            if (st != TIDE_OK) return st;
        }
        for (int j = 0; j < fields; j++) {
            struct pg_column *c = &r->cols[j];
            if (end - p < 4) goto bad;
            int64_t len = signed_big(p, 4);
            p += 4;
            if (len > end - p) goto bad;
            if (c->taken && len < 0) put_missing(r, c);
            tide_status st =
                c->taken && len >= 0 ? put_value(r, c, p, (int)len, err) : TIDE_OK;
            if (st != TIDE_OK) return st;
            if (len > 0) p += len;
        }
        r->n_rows++;
    }
    if (p == end) return TIDE_OK;
bad:
    err_set(err, TIDE_CODE_SQL, "the server's binary copy is not well formed");
    return err_at(err, "postgres", 0, 0);
}

static tide_status copy_rows(struct pg_reader *r, tide_error *err)
{
    struct str sql = {0};
    char *message = NULL;
    int n = 0;
    /* the line end closes a comment at the query's end */
    str_addf(&sql, "COPY (%s\n) TO STDOUT (FORMAT binary)", r->query);
    tide_status st =
        sql.failed ? err_nomem(err, sql.len) : run(r, sql.s, PGRES_COPY_OUT, err);
    str_free(&sql);
    while (st == TIDE_OK && (n = r->pq.copy(r->conn, &message, 0)) > 0) {
        st = take_message(r, (const uint8_t *)message, (size_t)n, err);
        r->pq.give(message);
        if (st == TIDE_OK && r->n_rows % 1024 == 0 && ctx_cancelled(r->ctx))
            st = err_cancelled(err);
    }
    if (st != TIDE_OK) return st;
    if (n == -2) return server_error(r, NULL, err);
    PGresult *res = r->pq.result(r->conn);
    if (r->pq.result_status(res) != PGRES_COMMAND_OK) st = server_error(r, res, err);
    r->pq.clear(res);
    return st;
}

/* ---- the frame ---- */

/* Texts become levels, and where those are no category, a text column. */
static tide_status end_texts(struct pg_reader *r, struct pg_column *c,
                             struct column *col, tide_error *err)
{
    struct arena *a = &r->f->arena;
    uint32_t *code = arena_array(a, r->n_rows + 1, sizeof *code);
    struct level_set set;
    struct arena temp;
    int64_t from = 0, cells = 0;
    arena_init(&temp, r->ctx);
    int bad = !code || level_set_init(&set, &temp, &temp, r->n_rows) != 0;
    for (int64_t i = 0; !bad && i < r->n_rows; i++) {
        int64_t to = c->v.at[i];
        code[i] = CODE_MISSING;
        if (to < 0) continue;
        code[i] = level_set_add(&set, c->text.s + from, (size_t)(to - from), 0);
        bad = code[i] == CODE_MISSING;
        from = to;
        cells++;
    }
    tide_status st = arena_status(&temp, err);
    if (st == TIDE_OK) st = arena_status(a, err);
    if (st == TIDE_OK && level_set_dict(&set, a, &col->dict) != 0 && !a->failed)
        st = err_set(err, TIDE_CODE_DATA_TYPE,
                     "the levels of '%s' take more than 4 GiB", c->name);
    col->code = code;
    col->type = TIDE_CAT;
    int category = c->declared == TIDE_CAT ||
                   texts_are_category(set.n, r->n_rows, cells, (int64_t)c->text.len);
    arena_free(&temp);
    if (st == TIDE_OK && !category) st = column_retype(r->f, col, TIDE_TEXT, err);
    return st;
}

static tide_status end_column(struct pg_reader *r, struct pg_column *c, tide_error *err)
{
    struct column *col = &r->f->cols[c->out];
    size_t each = c->type == TIDE_BOOL ? 1 : 8;
    tide_status st = TIDE_OK;
    col->name = arena_str(&r->f->arena, c->name);
    col->type = c->type;
    if (c->type == TIDE_CAT) {
        st = end_texts(r, c, col, err);
    } else {
        void *data = arena_array(&r->f->arena, r->n_rows + 1, each);
        if (!data) return arena_status(&r->f->arena, err);
        if (r->n_rows) memcpy(data, c->v.b, (size_t)r->n_rows * each);
        double *v = data;
        for (int64_t i = 0;
             c->type == TIDE_F64 && r->o && r->o->inf == 1 && i < r->n_rows; i++)
            if (isinf(v[i])) v[i] = (double)NAN;
        col->b = c->type == TIDE_BOOL ? data : NULL;
        col->f64 = c->type == TIDE_F64 ? data : NULL;
        col->i64 = c->type == TIDE_I64 || c->type == TIDE_TIME ? data : NULL;
    }
    mem_free(c->v.b);
    c->v.b = NULL;
    str_free(&c->text);
    if (st == TIDE_OK && r->o) st = column_drop_tokens(r->f, col, &r->o->na, err);
    return st == TIDE_OK ? column_retype(r->f, col, (enum tide_type)c->declared, err)
                         : st;
}

static tide_status make_frame(struct pg_reader *r, tide_error *err)
{
    tide_status st = frame_begin(r->ctx, r->n_rows, r->n_out, &r->f, err);
    for (int j = 0; st == TIDE_OK && j < r->n_cols; j++)
        if (r->cols[j].taken) st = end_column(r, &r->cols[j], err);
    if (st != TIDE_OK) return st;
    r->f->source = "postgres"; /* the DSN may hold a password */
    r->f->dialect = "postgres";
    return frame_seal(r->f, err);
}

tide_status postgres_read(struct tide_ctx *ctx, const struct libpq *pq,
                          const char *path, const struct tide_read_options *options,
                          tide_frame **out, tide_error *err)
{
    struct pg_reader r = {.ctx = ctx, .o = options};
    char *dsn = NULL;
    *out = NULL;
    tide_status st =
        reader_refuse(&tide_reader_postgres, options, READER_NA | READER_TYPES, err);
    arena_init(&r.arena, ctx);
    if (pq) r.pq = *pq;
    if (st == TIDE_OK && strncmp(path, "postgres:", 9) != 0)
        st = err_set(err, TIDE_CODE_SQL, "a source is postgres:DSN?QUERY");
    if (st == TIDE_OK) st = split_source(&r, path, &dsn, err);
    if (st == TIDE_OK && !pq) st = load_libpq(&r.pq, err);
    if (st == TIDE_OK) st = open_session(&r, dsn, err);
    if (st == TIDE_OK) st = describe(&r, err);
    if (st == TIDE_OK) st = copy_rows(&r, err);
    if (st == TIDE_OK) st = make_frame(&r, err);
    if (st == TIDE_OK)
        *out = r.f;
    else
        tide_frame_free(r.f);
    for (int j = 0; j < r.n_cols; j++) {
        mem_free(r.cols[j].v.b);
        str_free(&r.cols[j].text);
    }
    ctx_memory_give(ctx, r.charged);
    if (r.conn)
        r.pq.finish(r.conn); /* ends the transaction, and a copy that was left */
    arena_free(&r.arena);
    return st;
}

static tide_status read_postgres(struct tide_ctx *ctx, const char *path,
                                 const struct tide_read_options *options,
                                 tide_frame **out, tide_error *err)
{
    return postgres_read(ctx, NULL, path, options, out, err);
}

const struct tide_reader tide_reader_postgres = {
    .name = "postgres",
    .title = "the answer of a query on a PostgreSQL server",
    .camel = "PostgreSQL",
    .guide = "Q13",
    .paper = "PostgreSQL 15 documentation, COPY",
    .scheme = "postgres:",
    .read = read_postgres,
};
