/* fuzz_table.h - what must hold of every format that is read and written
 *
 * One thread and three give the same cells or the same error at the same place; what was read
 * is written, and read again it is the same table, which is written to the same bytes. */
#ifndef FUZZ_TABLE_H
#define FUZZ_TABLE_H
#include <tidemill/ctx.h>

#include "fuzz/fuzz.h"
#include "support/formats.h"

static tide_ctx *table_ctx[2];

static void table_read(format_read read, const char *data, size_t n, int which,
                       tide_frame **out, tide_error *err)
{
    memset(err, 0, sizeof *err);
    tide_status st = read(table_ctx[which], "t", data, n, NULL, out, err);
    FUZZ_CHECK((st == TIDE_OK) == (*out != NULL), "status %d", (int)st);
    FUZZ_CHECK(st == err->status, "status %d, in the error %d", (int)st,
               (int)err->status);
    FUZZ_CHECK(st == TIDE_OK || st == TIDE_EDATA || st == TIDE_ELIMIT, "status %d: %s",
               (int)st, err->message);
}

static void table_check(format_read read, const struct tide_reader *reader,
                        const uint8_t *bytes, size_t n)
{
    tide_frame *a = NULL, *b = NULL, *c = NULL;
    tide_error x, y;
    struct str text = {0}, again = {0};
    for (int k = 0; k < 2; k++)
        if (!table_ctx[k]) {
            FUZZ_CHECK(tide_ctx_new(&table_ctx[k], NULL) == TIDE_OK &&
                           tide_ctx_set_threads(table_ctx[k], k ? 3 : 1, NULL) ==
                               TIDE_OK,
                       "no context");
        }
    table_read(read, (const char *)bytes, n, 0, &a, &x);
    table_read(read, (const char *)bytes, n, 1, &b, &y);
    FUZZ_CHECK(x.code == y.code && x.line == y.line && x.column == y.column &&
                   !strcmp(x.message, y.message),
               "\"%s\" at %lld:%lld, not \"%s\" at %lld:%lld", y.message,
               (long long)y.line, (long long)y.column, x.message, (long long)x.line,
               (long long)x.column);
    if (a) {
        const char *what = format_difference(a, b);
        FUZZ_CHECK(!what, "three threads: %s", what);
        FUZZ_CHECK(reader->write(table_ctx[0], a, format_sink, &text, &x) == TIDE_OK,
                   "not written: %s", x.message);
        table_read(read, text.s ? text.s : "", text.len, 0, &c, &x);
        if (!(x.status == TIDE_EDATA && x.code == TIDE_CODE_CSV_EMPTY)) {
            FUZZ_CHECK(c, "not read again: %lld:%lld: %s", (long long)x.line,
                       (long long)x.column, x.message);
            what = format_difference(a, c);
            FUZZ_CHECK(!what, "written and read: %s", what);
            FUZZ_CHECK(reader->write(table_ctx[1], c, format_sink, &again, &x) ==
                           TIDE_OK,
                       "not written again: %s", x.message);
            FUZZ_CHECK(text.len == again.len && !memcmp(text.s, again.s, text.len),
                       "written twice: other bytes");
        } else {
            FUZZ_CHECK(a->n_rows == 0, "empty, and there were %lld rows",
                       (long long)a->n_rows);
        }
    }
    str_free(&text);
    str_free(&again);
    tide_frame_free(a);
    tide_frame_free(b);
    tide_frame_free(c);
}
#endif
