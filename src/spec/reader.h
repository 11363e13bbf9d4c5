/* reader.h - the descriptor of a table format: one .c file of frame/ exports one of these
 *
 * A source is a path, "-" (standard input), or SCHEME:REST. tide_frame_read asks, in this order:
 * the format that the caller named, the scheme, the first bytes, the ending of the name (less
 * .gz and .zst); what nobody claims is CSV. */
#ifndef SPEC_READER_H
#define SPEC_READER_H
#include <tidemill/frame.h>

#include "base/codec.h"
#include "spec/entry.h"

struct tide_reader {
    TIDE_ENTRY;
    const char *endings; /* ".jsonl .ndjson", or NULL */
    const char *scheme;  /* "sqlite:", or NULL */
    /* Is this ours, by its first bytes (after gzip or zstd)? NULL: never. */
    int (*claims)(const char *head, size_t n);
    /* Reads a whole table. Honours every field of the options that has a meaning for the
     * format, and refuses (param-conflict) one that is set and has none. */
    tide_status (*read)(struct tide_ctx *ctx, const char *path,
                        const struct tide_read_options *options, tide_frame **out,
                        tide_error *err);
    /* Writes a frame through a sink; NULL: read only. */
    tide_status (*write)(struct tide_ctx *ctx, const tide_frame *frame,
                         tide_sink_fn sink, void *payload, tide_error *err);
    /* The same for a format that compresses its own parts, by the kind given; NULL: what
     * `write` gives is compressed as one stream. */
    tide_status (*write_packed)(struct tide_ctx *ctx, const tide_frame *frame,
                                enum codec_kind how, tide_sink_fn sink, void *payload,
                                tide_error *err);
    enum codec_kind packs_by; /* such a format: the kind when none is asked for */
};
#endif
