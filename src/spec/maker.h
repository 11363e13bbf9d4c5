/* maker.h - the descriptor of a synthetic table (`tidemill make KIND`) */
#ifndef SPEC_MAKER_H
#define SPEC_MAKER_H
#include "spec/entry.h"

struct tide_frame;
struct str;
struct tide_maker {
    TIDE_ENTRY;
    int64_t rows;       /* default number of rows */
    const char *target; /* name of the target column, or NULL */
    /* Fills a frame made by frame_begin (any row range can be made alone, so this is parallel).
     * NULL for a kind that is defined by its text and may be no table at all: it has the next two. */
    tide_status (*make)(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        struct tide_frame **out, tide_error *err);
    /* The line of names, and line `row` (from 0), with their line ends. Threads: any. */
    void (*text_head)(const void *params, struct str *out);
    void (*text_row)(const void *params, int64_t row, struct str *out);
};
#endif
