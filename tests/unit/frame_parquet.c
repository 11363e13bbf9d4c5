/* frame_parquet.c - the Parquet reader */
#include "frame/parquet.h"
#include "support/unit.h"
#include <time.h>
TEST(tmp)
{
    tide_ctx *ctx; tide_frame *f; tide_error err;
    const char *p = getenv("PQ");
    if (!p) return;
    CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), 0);
    for (int k = 0; k < 5; k++) {
        clock_t t = clock();
        tide_status st = parquet_read_table(ctx, p, NULL, 0, NULL, 0, &f, &err);
        printf("%d %s %.1f ms\n", st, st ? err.message : "", (double)(clock() - t) * 1e3 / CLOCKS_PER_SEC);
        if (st) return;
        if (k == 4) for (int j = 0; j < f->n_cols; j++) {
            printf("%s %s missing %lld:", f->cols[j].name, tide_type_name(f->cols[j].type), (long long)f->cols[j].n_missing);
            for (int i = 0; i < 5; i++) { char b[100]; long n = tide_frame_text(f, i, j, b, 100); printf(" %s", n < 0 ? "-" : b); }
            printf("\n");
        }
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}
