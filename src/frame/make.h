/* make.h - what the makers of synthetic tables share
 *
 * Numbers come from an integer hash of (seed, row, slot), gen_u and gen_z of base/rng.h, so a
 * table is the same on every machine, with any threads, and any range of rows can be made
 * alone. Definitions that other languages can repeat stand at the head of each maker. */
#ifndef FRAME_MAKE_H
#define FRAME_MAKE_H
#include "base/rng.h"
#include "frame/frame.h"
#include "spec/maker.h"

/* One name with a number: "x%d" for k columns, or "y" when k is 1 and there is no %d. */
struct make_column {
    const char *name;
    uint8_t type;
    int k;
};
struct make_task {
    struct tide_ctx *ctx;
    const void *params;
    tide_frame *f;
    double **f64;  /* [n_cols] where the type is TIDE_F64 */
    int64_t **i64; /* [n_cols] TIDE_I64 */
    int64_t n_rows;
};
/* Fills rows [i0, i1). */
typedef void (*make_fn)(const struct make_task *t, int64_t i0, int64_t i1);

/* A frame of these columns (numbers and integers), filled in parallel and sealed. */
tide_status make_table(struct tide_ctx *ctx, const struct make_column *cols, int n,
                       make_fn fill, const void *params, int64_t n_rows,
                       tide_frame **out, tide_error *err);
/* Turns integer column j (values 0 .. card - 1) into a category of texts prefix + number. */
tide_status make_category(tide_frame *f, int j, int64_t card, const char *prefix,
                          tide_error *err);
double make_sig(double x);
/* x^p for x >= 0 */
double make_pow(double x, double p);
#endif
