/* arrow.h - tables to and from other libraries of the same process, by the Arrow C interfaces */
#ifndef TIDEMILL_ARROW_H
#define TIDEMILL_ARROW_H

#include <tidemill/arrow_abi.h>
#include <tidemill/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a frame of a stream of struct arrays. The stream is moved: it is used up and released,
 * after failure too. Columns that have no missing values and stand in one batch are kept, not
 * copied, when they are f64, i64, timestamps in microseconds, int32 or uint32 dictionary
 * indices, or large_utf8 text; their arrays are released with the frame. Of the options,
 * columns, types, na and inf have a meaning (NULL: none).
 * Ownership: caller frees. Errors: arrow-stream (what the producer says), data-type (a type
 * that has no column of ours), data-range and data-infinite (with the row), memory. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_from_arrow_stream(
    tide_ctx *ctx, struct ArrowArrayStream *stream,
    const struct tide_read_options *options, tide_frame **out, tide_error *err);
/* Fills *out with a stream of one batch of all rows: bool, int64, double, timestamp[us],
 * dictionary of utf8, large_utf8. All but bools and sparse columns are the frame's own memory; what is missing
 * is marked in bitmaps made when the batch is asked for. The stream and each array hold a
 * reference on the frame, so the frame may be freed at once; its context must outlive them.
 * Ownership: the consumer releases *out. Errors: memory. Threads: any, one a stream. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_to_arrow_stream(
    const tide_frame *frame, struct ArrowArrayStream *out, tide_error *err);

#ifdef __cplusplus
}
#endif
#endif
