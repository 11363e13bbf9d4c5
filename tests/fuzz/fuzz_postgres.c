/* fuzz_postgres.c - a server that answers with any bytes
 *
 * Input: a byte of flags, a byte for the number of columns and one a column for its type, then
 * messages of the binary copy, each behind two bytes of its length. The reader ends with a table or an
 * error, twice the same; messages are given back, the session is finished, what the server was
 * told is what the query says. */
#include <tidemill/ctx.h>

#include "frame/postgres.h"
#include "fuzz/fuzz.h"
#include "support/formats.h"

enum { NO_SESSION = 1, REFUSES = 2, BREAKS = 4, FAILS_AT_END = 8, NOT_PREPARED = 16 };
static struct {
    struct fuzz_bytes left;
    unsigned flags;
    int n_cols, sessions, messages, results;
    uint8_t type[16];
} server;

struct pg_result {
    int status, fields;
};

static PGresult *answer(int status, int fields)
{
    PGresult *res = malloc(sizeof *res);
    FUZZ_CHECK(res, "no memory");
    *res = (PGresult){status, fields};
    server.results++;
    return res;
}

static PGconn *fake_connect(const char *const *words, const char *const *values,
                            int expand)
{
    (void)words, (void)values, (void)expand;
    server.sessions++;
    return (PGconn *)&server;
}
static int fake_status(const PGconn *conn)
{
    (void)conn;
    return server.flags & NO_SESSION ? 1 : CONNECTION_OK;
}
static char *fake_message(const PGconn *conn)
{
    static char text[] = "no\xff such \"thing\"\n";
    (void)conn;
    return text;
}
static void fake_finish(PGconn *conn)
{
    (void)conn;
    server.sessions--;
}
static PGresult *fake_exec(PGconn *conn, const char *sql)
{
    (void)conn;
    if (!strncmp(sql, "SELECT format_type(", 19))
        return answer(server.flags & BREAKS ? 7 : PGRES_TUPLES_OK, 1);
    if (!strncmp(sql, "COPY (", 6))
        return answer(server.flags & REFUSES ? 7 : PGRES_COPY_OUT, 0);
    FUZZ_CHECK(!strcmp(sql, "BEGIN READ ONLY"), "%s", sql);
    return answer(PGRES_COMMAND_OK, 0);
}
static PGresult *fake_prepare(PGconn *conn, const char *name, const char *sql, int n,
                              const unsigned *types)
{
    (void)conn, (void)name, (void)n, (void)types;
    FUZZ_CHECK(!strcmp(sql, "SELECT 1"), "%s", sql);
    return answer(server.flags & NOT_PREPARED ? 7 : PGRES_COMMAND_OK, 0);
}
static PGresult *fake_describe(PGconn *conn, const char *name)
{
    (void)conn, (void)name;
    return answer(PGRES_COMMAND_OK, server.n_cols);
}
static int fake_result_status(const PGresult *res)
{
    return res->status;
}
static char *fake_field(const PGresult *res, int code)
{
    static char text[] = "42P01";
    (void)res;
    return code == 'C' ? text : NULL;
}
static void fake_clear(PGresult *res)
{
    server.results--;
    free(res);
}
static int fake_n_fields(const PGresult *res)
{
    return res->fields;
}
static char *fake_name(const PGresult *res, int j)
{
    static char names[16][4];
    (void)res;
    names[j][0] = (char)('a' + j); /* the last may be the first again */
    if (j == 15) names[j][0] = 'a';
    return names[j];
}
static unsigned fake_type(const PGresult *res, int j)
{
    static const unsigned oids[] = {16,   20,   21, 23, 26, 700,  701,  1700, 1082,
                                    1114, 1184, 18, 19, 25, 1042, 1043, 2950, 3802};
    (void)res;
    return oids[server.type[j] % (sizeof oids / sizeof oids[0])];
}
static int fake_mod(const PGresult *res, int j)
{
    (void)res;
    return j - 1;
}
static char *fake_value(const PGresult *res, int row, int j)
{
    static char text[] = "json\"b";
    (void)res, (void)row, (void)j;
    return text;
}
static PGresult *fake_result(PGconn *conn)
{
    (void)conn;
    return answer(server.flags & FAILS_AT_END ? 7 : PGRES_COMMAND_OK, 0);
}
static int fake_copy(PGconn *conn, char **out, int async)
{
    (void)conn, (void)async;
    size_t n = fuzz_u8(&server.left);
    n = n << 8 | fuzz_u8(&server.left);
    if (!server.left.n) return server.flags & BREAKS ? -2 : -1;
    if (n > server.left.n) n = server.left.n;
    if (!n) n = 1;
    *out = malloc(n); /* of its own, so that a byte too far is seen */
    FUZZ_CHECK(*out, "no memory");
    memcpy(*out, server.left.p, n);
    server.left.p += n;
    server.left.n -= n;
    server.messages++;
    return (int)n;
}
static void fake_give(void *message)
{
    server.messages--;
    free(message);
}

static void read_once(tide_ctx *ctx, struct fuzz_bytes in, tide_frame **out,
                      tide_error *err)
{
    static const struct libpq pq = {
        fake_connect,  fake_status,   fake_message,       fake_finish, fake_exec,
        fake_prepare,  fake_describe, fake_result_status, fake_field,  fake_clear,
        fake_n_fields, fake_name,     fake_type,          fake_mod,    fake_value,
        fake_result,   fake_copy,     fake_give};
    memset(&server, 0, sizeof server);
    memset(err, 0, sizeof *err);
    server.flags = fuzz_u8(&in);
    server.n_cols = fuzz_u8(&in) % 17;
    for (int j = 0; j < server.n_cols; j++) server.type[j] = fuzz_u8(&in);
    server.left = in;
    tide_status st =
        postgres_read(ctx, &pq, "postgres:dbname=x?SELECT 1;", NULL, out, err);
    FUZZ_CHECK((st == TIDE_OK) == (*out != NULL) && st == err->status, "status %d",
               (int)st);
    FUZZ_CHECK(st == TIDE_OK || st == TIDE_EDATA || st == TIDE_EFILE ||
                   st == TIDE_ELIMIT,
               "status %d: %s", (int)st, err->message);
    FUZZ_CHECK(!server.sessions && !server.messages && !server.results,
               "left: %d sessions, %d messages, %d results", server.sessions,
               server.messages, server.results);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static tide_ctx *ctx;
    tide_frame *a = NULL, *b = NULL;
    tide_error x, y;
    struct fuzz_bytes in = {data, size};
    if (!ctx) FUZZ_CHECK(tide_ctx_new(&ctx, NULL) == TIDE_OK, "no context");
    read_once(ctx, in, &a, &x);
    read_once(ctx, in, &b, &y);
    FUZZ_CHECK(x.code == y.code && x.row == y.row && !strcmp(x.message, y.message),
               "\"%s\", not \"%s\"", y.message, x.message);
    if (a) {
        const char *what = format_difference(a, b);
        FUZZ_CHECK(!what, "read again: %s", what);
    }
    tide_frame_free(a);
    tide_frame_free(b);
    return 0;
}
