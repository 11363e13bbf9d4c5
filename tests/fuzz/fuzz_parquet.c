/* fuzz_parquet.c - the bytes of a Parquet file
 *
 * Two readings, with one thread and with three, give the same table or the same error. A column
 * read alone, where all can be read, is the same as among the others. */
#include <tidemill/ctx.h>

#include "frame/parquet.h"
#include "fuzz/fuzz.h"

enum { MOST = 1 << 16, EXPAND = 1 << 20 };

static tide_ctx *ctx[2]; /* one thread, three */

static int start(void)
{
    if (ctx[0]) return 0;
    for (int k = 0; k < 2; k++)
        if (tide_ctx_new(&ctx[k], NULL) ||
            tide_ctx_set_threads(ctx[k], k ? 3 : 1, NULL))
            return 1;
    return 0;
}

static void same_column(const struct column *a, const struct column *b)
{
    char x[256], y[256];
    FUZZ_CHECK(a->type == b->type && a->n_rows == b->n_rows &&
                   a->n_missing == b->n_missing && !strcmp(a->name, b->name),
               "%s: %d %d", a->name, a->type, b->type);
    int64_t step = 1 + a->n_rows / 1000;
    for (int64_t i = 0; i < a->n_rows; i += step) {
        int64_t n = column_text(a, i, x, sizeof x), m = column_text(b, i, y, sizeof y);
        FUZZ_CHECK(n == m && (n < 0 || !memcmp(x, y, strlen(x))), "%s: row %lld",
                   a->name, (long long)i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MOST || start()) return 0;
    tide_frame *f[2], *one;
    tide_error e[2] = {{0}, {0}}, err;
    int threads = size % 16 == 0; /* seldom: idle threads spin */
    for (int k = 0; k < 2; k++) {
        tide_status st = parquet_read_table(ctx[k && threads], NULL, data, size, NULL,
                                            EXPAND, &f[k], &e[k]);
        FUZZ_CHECK((st == TIDE_OK) == (f[k] != NULL) &&
                       (st == TIDE_OK || e[k].message[0]),
                   "status %d", (int)st);
    }
    FUZZ_CHECK(e[0].code == e[1].code && !strcmp(e[0].message, e[1].message), "%s / %s",
               e[0].message, e[1].message);
    for (int j = 0; f[0] && j < f[0]->n_cols; j++) {
        same_column(&f[0]->cols[j], &f[1]->cols[j]);
        FUZZ_CHECK(f[0]->cols[j].type != TIDE_F64 || !f[0]->n_rows ||
                       f[0]->cols[j].f64[0] - f[0]->cols[j].f64[0] == 0 ||
                       f[0]->cols[j].n_missing > 0,
                   "an infinity in %s", f[0]->cols[j].name);
    }
    const char *name =
        f[0] && f[0]->n_cols ? f[0]->cols[size % (size_t)f[0]->n_cols].name : NULL;
    if (name && !strchr(name, ',')) {
        struct tide_read_options o = {.columns = {&name, 1}};
        tide_status st =
            parquet_read_table(ctx[0], NULL, data, size, &o, EXPAND, &one, &err);
        FUZZ_CHECK(st == TIDE_OK && one->n_cols == 1, "%s", err.message);
        same_column(&one->cols[0], &f[0]->cols[size % (size_t)f[0]->n_cols]);
        tide_frame_free(one);
    }
    tide_frame_free(f[0]);
    tide_frame_free(f[1]);
    return 0;
}
