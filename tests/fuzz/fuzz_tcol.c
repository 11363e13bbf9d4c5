/* fuzz_tcol.c - the bytes of a column file; fuzz_table.h says what must hold
 *
 * Each input is read as it is and with its checksums made right, for without that nearly all would
 * be refused by the first of them. */
#include "base/bytes.h"
#include "base/hash.h"
#include "frame/tcol.h"
#include "fuzz/fuzz_table.h"

enum { MOST = 1 << 15, MOST_CELLS = 1 << 17 };
extern const struct tide_reader tide_reader_tcol;

static void put_crc(uint8_t *to, const uint8_t *p, size_t n)
{
    uint32_t crc = crc32c(0, p, n);
    memcpy(to, &crc, sizeof crc);
}

static void mend(uint8_t *p, size_t size)
{
    uint8_t *end = p + size - TCOL_HEAD;
    uint64_t all = size, table = get64(end + 8), n = get64(end + 16),
             n_header = get64(end + 24);
    memcpy(end, &all, sizeof all);
    if (table < size && n < size / TCOL_ENTRY && n_header < size &&
        table + n * TCOL_ENTRY + n_header < size) {
        for (uint64_t i = 0; i < n; i++) {
            uint8_t *e = p + table + i * TCOL_ENTRY;
            uint64_t at = get64(e), stored = get64(e + 8);
            if (at < size && stored < size && at + stored < size)
                put_crc(e + 32, p + at, (size_t)stored);
        }
        put_crc(end + 32, p + table, (size_t)n * TCOL_ENTRY);
        put_crc(end + 36, p + table + n * TCOL_ENTRY, (size_t)n_header);
    }
    put_crc(p + 60, p, 60);
    put_crc(end + 60, end, 60);
}

/* Large tables, which few bytes can hold, are read only: the rest would take too long. */
static void check(const uint8_t *p, size_t size)
{
    static tide_ctx *ctx;
    tide_frame *f = NULL;
    tide_error err;
    if (!ctx)
        FUZZ_CHECK(tide_ctx_new(&ctx, NULL) == TIDE_OK &&
                       tide_ctx_set_threads(ctx, 1, NULL) == TIDE_OK,
                   "no context");
    (void)!tcol_read_table(ctx, "t", (const char *)p, size, NULL, &f, &err);
    int small = !f || f->n_rows * (f->n_cols + 1) <= MOST_CELLS;
    tide_frame_free(f);
    if (small) table_check(tcol_read_table, &tide_reader_tcol, p, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MOST) return 0;
    check(data, size);
    if (size < 2 * TCOL_HEAD) return 0;
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    mend(copy, size);
    check(copy, size);
    free(copy);
    return 0;
}
