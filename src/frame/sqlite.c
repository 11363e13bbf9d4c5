/* needs: sqlite3 */
/* sqlite.c - tables of SQLite: sqlite:FILE?QUERY, the name of a table or one SELECT
 *
 * The library is loaded when a database is first read. The database is opened read only, one
 * statement is taken, and an authorizer lets it do nothing but read. Cells keep the type of
 * their value: column types of SQLite are wishes. A bare table in rollback mode is read by
 * ranges of rowid on connections of their own, in parallel, while a read transaction of the
 * first connection keeps writers out; in WAL mode, where writers go on, one connection reads.
 * SQLite takes its memory itself: only what becomes cells counts against the limit. */
#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#include "base/ctx.h"
#include "base/dynlib.h"
#include "base/err.h"
#include "base/file.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/cells.h"
#include "frame/source.h"
#include "spec/reader.h"

#define ROWS       8192 /* of a block of cells */
#define BLOCK_TEXT ((size_t)1 << 30)
#define NAMES_MOST 256

extern const struct tide_reader tide_reader_sqlite;

/* X(function): what is used of the library */
#define FUNCTIONS(X)                                                                   \
    X(open_v2)                                                                         \
    X(close)                                                                           \
    X(errmsg)                                                                          \
    X(prepare_v2)                                                                      \
    X(step)                                                                            \
    X(finalize)                                                                        \
    X(exec)                                                                            \
    X(bind_int64)                                                                      \
    X(column_count)                                                                    \
    X(column_name)                                                                     \
    X(column_value)                                                                    \
    X(value_type)                                                                      \
    X(value_int64)                                                                     \
    X(value_double)                                                                    \
    X(value_text)                                                                      \
    X(value_bytes)                                                                     \
    X(set_authorizer)                                                                  \
    X(progress_handler)                                                                \
    X(busy_timeout)
struct api {
#define MEMBER(f) __typeof__(&sqlite3_##f) f;
    FUNCTIONS(MEMBER)
#undef MEMBER
};

struct scan {
    struct tide_ctx *ctx;
    struct api api;
    const char *file, *shown; /* shown: as the user wrote the source */
    const char *sql;
    int n_cols, ranged;
    int64_t lo, hi;
    int64_t n_parts;
    struct part *parts;
};
/* Rows of one range of rowid, or of the whole query. */
struct part {
    struct arena arena;
    struct cell_block *blocks;
    int64_t n_blocks, cap_blocks, n_rows;
    char *text;
    size_t n_text, cap_text;
    tide_status status;
    tide_error err;
};

static tide_status load(struct api *api, tide_error *err)
{
    static const char *const names[] = {"libsqlite3.so.0", "libsqlite3.so",
                                        "libsqlite3.dylib", NULL};
    void *lib = dynlib_open(names);
    int lacks = !lib;
#define FIND(f) lacks = lacks || dynlib_function(lib, "sqlite3_" #f, &api->f);
    FUNCTIONS(FIND)
#undef FIND
    if (!lacks) return TIDE_OK;
    err_set(err, TIDE_CODE_SQL, "the library libsqlite3 is not installed");
    return err_hint(err, "", "apt install libsqlite3-0");
}

static tide_status sql_fault(const struct scan *t, sqlite3 *db, tide_error *err)
{
    char shown[300];
    const char *text = db ? t->api.errmsg(db) : "out of memory";
    if (ctx_cancelled(t->ctx)) return err_cancelled(err);
    err_set(err, TIDE_CODE_SQL, "%s",
            err_quote(shown, sizeof shown, text, strlen(text), 200));
    return err_at(err, t->file, 0, 0);
}

/* ---- connections ---- */

static int only_reads(void *payload, int action, const char *a, const char *b,
                      const char *c, const char *d)
{
    (void)payload, (void)a, (void)b, (void)c, (void)d;
    return action == SQLITE_SELECT || action == SQLITE_READ ||
                   action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE
               ? SQLITE_OK
               : SQLITE_DENY;
}

static int asked_to_stop(void *ctx)
{
    return ctx_cancelled(ctx);
}

static tide_status connect(const struct scan *t, sqlite3 **db, tide_error *err)
{
    *db = NULL;
    if (t->api.open_v2(t->file, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return sql_fault(t, *db, err);
    t->api.busy_timeout(*db, 2000);
    t->api.progress_handler(*db, 100000, asked_to_stop, t->ctx);
    if (t->api.exec(*db, "PRAGMA query_only=1; PRAGMA trusted_schema=0", NULL, NULL,
                    NULL) != SQLITE_OK)
        return sql_fault(t, *db, err);
    return TIDE_OK;
}

/* One statement; what follows it is refused. */
static tide_status prepare(const struct scan *t, sqlite3 *db, const char *sql,
                           sqlite3_stmt **stmt, tide_error *err)
{
    const char *tail = NULL;
    if (t->api.prepare_v2(db, sql, -1, stmt, &tail) != SQLITE_OK)
        return sql_fault(t, db, err);
    while (tail && *tail && strchr(" \t\r\n;", *tail)) tail++;
    if (*stmt && (!tail || !*tail)) return TIDE_OK;
    err_set(err, TIDE_CODE_SQL, "the query must be one SELECT or the name of a table");
    return err_at(err, t->file, 0, 0);
}

/* ---- cells ---- */

static tide_status part_fault(struct part *p, const struct scan *t, const char *column,
                              tide_code code, const char *what)
{
    char name[128];
    err_set(&p->err, code, "%s in '%s'", what,
            err_quote(name, sizeof name, column, strlen(column), 60));
    err_place(&p->err, "row %lld", (long long)p->n_rows + 1);
    err_field(&p->err, column);
    p->err.row = p->n_rows + 1;
    return p->status = err_at(&p->err, t->shown, 0, 0);
}

static struct cell_block *new_block(struct part *p, const struct scan *t)
{
    struct arena *a = &p->arena;
    if (p->n_blocks == p->cap_blocks) {
        int64_t cap = p->cap_blocks ? p->cap_blocks * 2 : 16;
        struct cell_block *more = arena_array(a, cap, sizeof *more);
        if (!more) return NULL;
        if (p->n_blocks) memcpy(more, p->blocks, (size_t)p->n_blocks * sizeof *more);
        p->blocks = more;
        p->cap_blocks = cap;
    }
    struct cell_block *b = &p->blocks[p->n_blocks++];
    *b = (struct cell_block){0};
    b->cols = arena_array(a, t->n_cols, sizeof *b->cols);
    for (int j = 0; b->cols && j < t->n_cols; j++) {
        b->cols[j].tag = arena_push(a, ROWS);
        b->cols[j].value = arena_array(a, ROWS, sizeof(uint64_t));
    }
    p->text = NULL;
    p->n_text = p->cap_text = 0;
    return a->failed ? NULL : b;
}

static tide_status take_text(struct part *p, const struct scan *t, sqlite3_stmt *stmt,
                             int j, sqlite3_value *cell, uint64_t *value)
{
    const char *s = (const char *)t->api.value_text(cell);
    size_t n = (size_t)t->api.value_bytes(cell);
    if (!s && n) return p->status = err_nomem(&p->err, n);
    if (n > UINT32_MAX / 4 || p->n_text + n > UINT32_MAX)
        return part_fault(p, t, t->api.column_name(stmt, j), TIDE_CODE_LIMIT_FIELD,
                          "a text is too long");
    if (n && memchr(s, 0, n))
        return part_fault(p, t, t->api.column_name(stmt, j), TIDE_CODE_CSV_NUL,
                          "NUL byte");
    if (n && utf8_check(s, n) != 0)
        return part_fault(p, t, t->api.column_name(stmt, j), TIDE_CODE_CSV_ENCODING,
                          "text that is not UTF-8");
    if (p->n_text + n > p->cap_text) {
        size_t cap = p->cap_text ? p->cap_text : 64 << 10;
        while (cap < p->n_text + n) cap *= 2;
        char *more = arena_push(&p->arena, cap);
        if (!more) return p->status = arena_status(&p->arena, &p->err);
        if (p->n_text) memcpy(more, p->text, p->n_text);
        p->text = more;
        p->cap_text = cap;
    }
    if (n) memcpy(p->text + p->n_text, s, n);
    *value = cell_span(p->n_text, n);
    p->n_text += n;
    return TIDE_OK;
}

static tide_status take_row(struct part *p, const struct scan *t, sqlite3_stmt *stmt,
                            struct cell_block *b)
{
    for (int j = 0; j < t->n_cols; j++) {
        uint8_t *tag = &b->cols[j].tag[b->n_rows];
        uint64_t *value = &b->cols[j].value[b->n_rows];
        /* not protected, and without need: connections are in multi-thread mode */
        sqlite3_value *cell = t->api.column_value(stmt, j);
        switch (t->api.value_type(cell)) {
        case SQLITE_INTEGER:
            *tag = CELL_INT;
            *value = (uint64_t)t->api.value_int64(cell);
            break;
        case SQLITE_FLOAT:
            *tag = CELL_REAL;
            *value = cell_bits(t->api.value_double(cell));
            break;
        case SQLITE_TEXT: {
            *tag = CELL_TEXT;
            tide_status st = take_text(p, t, stmt, j, cell, value);
            if (st != TIDE_OK) return st;
            break;
        }
        case SQLITE_BLOB:
            return part_fault(p, t, t->api.column_name(stmt, j), TIDE_CODE_CSV_TYPE,
                              "a blob where numbers and texts can be");
        default:
            *tag = CELL_MISSING;
            *value = 0;
        }
    }
    b->n_rows++;
    p->n_rows++;
    return TIDE_OK;
}

static tide_status read_rows(struct part *p, const struct scan *t, sqlite3 *db,
                             sqlite3_stmt *stmt)
{
    struct cell_block *b = NULL;
    for (;;) {
        int how = t->api.step(stmt);
        if (how == SQLITE_DONE) break;
        if (how != SQLITE_ROW) return p->status = sql_fault(t, db, &p->err);
        if (!b || b->n_rows == ROWS || p->n_text > BLOCK_TEXT) {
            if (b) b->text = p->text;
            if (ctx_cancelled(t->ctx)) return p->status = err_cancelled(&p->err);
            if (!(b = new_block(p, t)))
                return p->status = arena_status(&p->arena, &p->err);
        }
        if (take_row(p, t, stmt, b) != TIDE_OK) return p->status;
    }
    if (b) b->text = p->text;
    return TIDE_OK;
}

static void read_part(void *arg, int64_t k, int worker)
{
    const struct scan *t = arg;
    struct part *p = &t->parts[k];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    (void)worker;
    p->status = connect(t, &db, &p->err);
    if (p->status == TIDE_OK) {
        t->api.set_authorizer(db, only_reads, NULL);
        p->status = prepare(t, db, t->sql, &stmt, &p->err);
    }
    if (p->status == TIDE_OK && t->ranged) {
        uint64_t width = (uint64_t)t->hi - (uint64_t)t->lo;
        uint64_t step = width / (uint64_t)t->n_parts + 1;
        uint64_t from = (uint64_t)k * step, to = from + (step - 1);
        if (to > width) to = width;
        if (from <= width) {
            t->api.bind_int64(stmt, 1, (int64_t)((uint64_t)t->lo + from));
            t->api.bind_int64(stmt, 2, (int64_t)((uint64_t)t->lo + to));
            p->status = read_rows(p, t, db, stmt);
        }
    } else if (p->status == TIDE_OK) {
        p->status = read_rows(p, t, db, stmt);
    }
    t->api.finalize(stmt);
    t->api.close(db);
}

/* ---- what is asked for ---- */

static int is_select(const char *s)
{
    static const char *const words[] = {"select", "with", "values"};
    while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '(') s++;
    for (int k = 0; k < 3; k++) {
        size_t n = strlen(words[k]), i = 0;
        while (i < n && (s[i] | 32) == words[k][i]) i++;
        if (i == n && s[n] && strchr(" \t\r\n(*", s[n])) return 1;
    }
    return 0;
}

/* Names of tables and views, at most NAMES_MOST; *is_table[k]. */
static tide_status list_tables(const struct scan *t, sqlite3 *db, struct arena *a,
                               const char **names, uint8_t *is_table, int *n,
                               tide_error *err)
{
    sqlite3_stmt *stmt = NULL;
    *n = 0;
    tide_status st =
        prepare(t, db,
                "SELECT name, type = 'table' FROM sqlite_master WHERE type IN "
                "('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
                "ORDER BY name",
                &stmt, err);
    int how = SQLITE_DONE;
    while (st == TIDE_OK && *n < NAMES_MOST &&
           (how = t->api.step(stmt)) == SQLITE_ROW) {
        const char *name =
            (const char *)t->api.value_text(t->api.column_value(stmt, 0));
        names[*n] = name ? arena_str(a, name) : NULL;
        is_table[*n] = t->api.value_int64(t->api.column_value(stmt, 1)) != 0;
        if (!names[(*n)++]) st = arena_status(a, err);
    }
    if (st == TIDE_OK && how != SQLITE_ROW && how != SQLITE_DONE)
        st = sql_fault(t, db, err);
    t->api.finalize(stmt);
    return st;
}

static tide_status no_table(const struct scan *t, const char *name,
                            const char *const *names, int n, tide_error *err)
{
    char shown[128];
    if (*name) {
        err_set(err, TIDE_CODE_SQL, "no table '%s'",
                err_quote(shown, sizeof shown, name, strlen(name), 60));
        const char *near = err_nearest(name, names, n);
        if (!near && n) near = names[0];
        if (near) err_hint(err, "", "sqlite:%s?%s", t->file, near);
    } else {
        err_set(err, TIDE_CODE_SQL, n ? "%d tables; one must be named" : "%d tables",
                n);
        if (n) err_hint(err, "", "sqlite:%s?%s", t->file, names[0]);
    }
    return err_at(err, t->file, 0, 0);
}

/* SELECT * FROM "name" into *sql; with `where` by a range of rowid. */
static tide_status table_sql(const char *name, const char *what, const char *tail,
                             struct arena *a, const char **sql, tide_error *err)
{
    struct str s = {0};
    str_addf(&s, "SELECT %s FROM \"", what);
    for (const char *p = name; *p; p++) {
        if (*p == '"') str_addc(&s, '"');
        str_addc(&s, *p);
    }
    str_addf(&s, "\"%s", tail);
    *sql = s.failed ? NULL : arena_str(a, s.s);
    str_free(&s);
    return *sql ? TIDE_OK : err_nomem(err, 0);
}

/* Rowids of a bare table in rollback mode that can be read by ranges. Not being able is no error. */
static void find_range(struct scan *t, sqlite3 *db, const char *table, struct arena *a)
{
    sqlite3_stmt *stmt = NULL;
    const char *sql;
    int is_wal = 1;
    if (t->api.prepare_v2(db, "PRAGMA journal_mode", -1, &stmt, NULL) == SQLITE_OK &&
        t->api.step(stmt) == SQLITE_ROW) {
        const char *mode =
            (const char *)t->api.value_text(t->api.column_value(stmt, 0));
        is_wal = !mode || strcmp(mode, "wal") == 0;
    }
    t->api.finalize(stmt);
    stmt = NULL;
    if (is_wal || par_threads(t->ctx) < 2) return;
    if (table_sql(table,
                  "min(rowid), max(rowid), typeof(min(rowid)), typeof(max(rowid))", "",
                  a, &sql, NULL) != TIDE_OK)
        return;
    if (t->api.prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        t->api.step(stmt) == SQLITE_ROW &&
        t->api.value_type(t->api.column_value(stmt, 0)) == SQLITE_INTEGER &&
        t->api.value_type(t->api.column_value(stmt, 1)) == SQLITE_INTEGER) {
        t->lo = t->api.value_int64(t->api.column_value(stmt, 0));
        t->hi = t->api.value_int64(t->api.column_value(stmt, 1));
        t->ranged = t->hi > t->lo && (uint64_t)t->hi - (uint64_t)t->lo > 4 * ROWS;
    }
    t->api.finalize(stmt);
}

/* Does the table have a column of its own named rowid, so that ranges could lose rows? */
static int hides_rowid(const struct scan *t, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int hides = t->api.prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK;
    for (int j = 0; !hides && j < t->api.column_count(stmt); j++) {
        const char *s = t->api.column_name(stmt, j);
        size_t i = 0;
        while (s && i < 5 && (s[i] | 32) == "rowid"[i]) i++;
        hides = !s || (i == 5 && !s[5]);
    }
    t->api.finalize(stmt);
    return hides;
}

static tide_status settle_query(struct scan *t, sqlite3 *db, const char *query,
                                struct arena *a, tide_error *err)
{
    const char *names[NAMES_MOST];
    uint8_t is_table[NAMES_MOST];
    int n = 0, which = -1;
    tide_status st = list_tables(t, db, a, names, is_table, &n, err);
    for (int k = 0; st == TIDE_OK && k < n; k++)
        if (strcmp(names[k], query) == 0 || (!*query && n == 1)) which = k;
    if (st == TIDE_OK && which < 0) {
        if (!is_select(query)) return no_table(t, query, names, n, err);
        t->sql = query;
    } else if (st == TIDE_OK) {
        st = table_sql(names[which], "*", "", a, &t->sql, err);
        if (st == TIDE_OK && is_table[which] && !hides_rowid(t, db, t->sql))
            find_range(t, db, names[which], a);
        if (st == TIDE_OK && t->ranged)
            st = table_sql(names[which], "*",
                           " WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid", a, &t->sql,
                           err);
    }
    t->n_parts = t->ranged ? 4 * (int64_t)par_threads(t->ctx) : 1;
    return st;
}

/* Names of the query's columns. */
static tide_status take_columns(struct scan *t, sqlite3 *db, struct cell_table *table,
                                const struct tide_read_options *o, tide_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int most = o && o->max_columns ? o->max_columns : 65536;
    t->api.set_authorizer(db, only_reads, NULL);
    tide_status st = prepare(t, db, t->sql, &stmt, err);
    if (st == TIDE_OK) {
        table->n_cols = t->n_cols = t->api.column_count(stmt);
        if (t->n_cols > most || t->n_cols < 1)
            st = err_set(err, TIDE_CODE_LIMIT_COLUMNS, "%d columns; at most %d",
                         t->n_cols, most);
    }
    if (st == TIDE_OK) {
        table->cols = arena_zero(table->work, (size_t)t->n_cols * sizeof *table->cols);
        for (int j = 0; table->cols && j < t->n_cols; j++) {
            const char *name = t->api.column_name(stmt, j);
            table->cols[j].name = arena_str(table->work, name ? name : "");
        }
        st = arena_status(table->work, err);
    }
    t->api.finalize(stmt);
    return st;
}

static tide_status join(struct scan *t, struct cell_table *table, tide_error *err)
{
    int64_t n = 0;
    for (int64_t k = 0; k < t->n_parts; k++) {
        if (t->parts[k].status != TIDE_OK) {
            if (err) *err = t->parts[k].err;
            return t->parts[k].status;
        }
        n += t->parts[k].n_blocks;
    }
    table->blocks = arena_zero(table->work, ((size_t)n + 1) * sizeof *table->blocks);
    if (!table->blocks) return arena_status(table->work, err);
    for (int64_t k = 0; k < t->n_parts; k++)
        for (int64_t b = 0; b < t->parts[k].n_blocks; b++) {
            struct cell_block *to = &table->blocks[table->n_blocks++];
            *to = t->parts[k].blocks[b];
            if (!to->text) to->text = "";
            to->row0 = table->n_rows;
            table->n_rows += to->n_rows;
        }
    return TIDE_OK;
}

static tide_status read_all(struct scan *t, struct cell_table *table, tide_frame **out,
                            tide_error *err)
{
    t->parts = arena_zero(table->work, (size_t)t->n_parts * sizeof *t->parts);
    if (!t->parts) return arena_status(table->work, err);
    for (int64_t k = 0; k < t->n_parts; k++) arena_init(&t->parts[k].arena, t->ctx);
    tide_status st = par_for_progress(t->ctx, t->n_parts, read_part, t, "reading", err);
    if (st == TIDE_OK) st = join(t, table, err);
    if (st == TIDE_OK) st = cells_frame(table, out, err);
    for (int64_t k = 0; k < t->n_parts; k++) arena_free(&t->parts[k].arena);
    return st;
}

/* ---- the descriptor ---- */

/* The file is there and is a database: the sentences of base/ are better than SQLite's. */
static tide_status check_file(const char *path, tide_error *err)
{
    int fd = -1;
    int64_t size;
    char head[16];
    size_t n = 0;
    tide_status st = file_open_read(path, &fd, &size, err);
    if (st != TIDE_OK) return st;
    st = file_read(fd, path, head, sizeof head, &n, err);
    file_close(fd);
    if (st != TIDE_OK || (n == 16 && memcmp(head, "SQLite format 3", 16) == 0))
        return st;
    err_set(err, TIDE_CODE_CSV_NOT_TEXT, "this is no SQLite database");
    return err_at(err, path, 0, 0);
}

static void place(const struct cell_table *t, int64_t row, int col, tide_error *err)
{
    (void)t, (void)col;
    err_place(err, "row %lld", (long long)row + 1);
}

static tide_status read_sqlite(struct tide_ctx *ctx, const char *path,
                               const struct tide_read_options *options,
                               tide_frame **out, tide_error *err)
{
    struct arena work;
    struct scan t = {.ctx = ctx, .shown = path};
    struct cell_table table = {.ctx = ctx,
                               .path = path,
                               .options = options,
                               .dialect = "SQLite",
                               .work = &work,
                               .place = place};
    sqlite3 *db = NULL;
    *out = NULL;
    tide_status st = reader_refuse(&tide_reader_sqlite, options,
                                   READER_NA | READER_TYPES | READER_ON_BAD, err);
    if (st == TIDE_OK) st = load(&t.api, err);
    if (st != TIDE_OK) return st;
    arena_init(&work, ctx);
    const char *file = strncmp(path, "sqlite:", 7) == 0 ? path + 7 : path;
    size_t n = file == path ? strlen(file) : strcspn(file, "?");
    const char *query = file[n] ? file + n + 1 : "";
    t.file = arena_strn(&work, file, n);
    st = arena_status(&work, err);
    if (st == TIDE_OK) st = check_file(t.file, err);
    if (st == TIDE_OK) st = connect(&t, &db, err);
    if (st == TIDE_OK && t.api.exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        st = sql_fault(&t, db, err);
    if (st == TIDE_OK) st = settle_query(&t, db, query, &work, err);
    if (st == TIDE_OK) st = take_columns(&t, db, &table, options, err);
    if (st == TIDE_OK) st = read_all(&t, &table, out, err);
    if (t.api.close) t.api.close(db);
    arena_free(&work);
    return st;
}

static int claims(const char *head, size_t n)
{
    return n >= 16 && memcmp(head, "SQLite format 3", 16) == 0;
}

const struct tide_reader tide_reader_sqlite = {
    .name = "sqlite",
    .title = "table or SELECT of an SQLite database: sqlite:FILE?QUERY",
    .camel = "SQLite",
    .guide = "Q13",
    .paper = "",
    .scheme = "sqlite:",
    .claims = claims,
    .read = read_sqlite,
};
