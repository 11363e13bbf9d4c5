/* codec_out.h - a gzip or zstd stream over a sink: what is put in comes out compressed
 *
 * Memory is bounded by the coder's window. One member or frame, so that every reader takes it
 * (more frames only where rows repeat without end); no time and no name in it, so the same puts
 * give the same bytes. */
#ifndef BASE_CODEC_OUT_H
#define BASE_CODEC_OUT_H
#include "base/codec.h"

typedef int (*codec_sink)(void *payload, const void *data, size_t n);

struct codec_out;
/* kind: CODEC_GZIP or CODEC_ZSTD. */
tide_status codec_out_open(enum codec_kind kind, codec_sink sink, void *payload,
                           struct codec_out **out, tide_error *err);
/* Is a codec_sink itself, with the codec_out as payload: non-zero when the sink took nothing or
 * memory is out. */
int codec_out_put(void *codec_out, const void *data, size_t n);
/* The end of the stream; then codec_out_status. */
tide_status codec_out_end(struct codec_out *c, tide_error *err);
/* What made a put fail: TIDE_OK, memory, or file-error when the sink took nothing. */
tide_status codec_out_status(const struct codec_out *c, tide_error *err);
void codec_out_free(struct codec_out *c); /* NULL is a no-op */
#endif
