/* maker.h - the descriptor of a synthetic table (`tidemill make KIND`) */
#ifndef SPEC_MAKER_H
#define SPEC_MAKER_H
#include "spec/entry.h"

struct tide_frame;
struct tide_maker {
    TIDE_ENTRY;
    int64_t rows;       /* default number of rows */
    const char *target; /* name of the target column, or NULL */
    /* Fills a frame made by frame_begin (any row range can be made alone, so this is parallel). */
    tide_status (*make)(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        struct tide_frame **out, tide_error *err);
};
#endif
