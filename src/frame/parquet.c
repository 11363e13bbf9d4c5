/* parquet.c - the format: how a Parquet file is known, and what options mean to it */
#include "frame/parquet.h"

#include <string.h>

#include "frame/source.h"
#include "spec/reader.h"

extern const struct tide_reader tide_reader_parquet;

static int claims(const char *head, size_t n)
{
    return n >= 4 && memcmp(head, "PAR1", 4) == 0;
}

static tide_status read_parquet(struct tide_ctx *ctx, const char *path,
                                const struct tide_read_options *options,
                                tide_frame **out, tide_error *err)
{
    tide_status st =
        reader_refuse(&tide_reader_parquet, options, READER_NA | READER_TYPES, err);
    return st == TIDE_OK ? parquet_read_table(ctx, path, NULL, 0, options, 0, out, err)
                         : st;
}

static tide_status write_packed(struct tide_ctx *ctx, const tide_frame *frame,
                                enum codec_kind how, tide_sink_fn sink, void *payload,
                                tide_error *err)
{
    static const enum block_kind kinds[] = {[CODEC_PLAIN] = BLOCK_PLAIN,
                                            [CODEC_GZIP] = BLOCK_GZIP,
                                            [CODEC_ZSTD] = BLOCK_ZSTD};
    return parquet_write_table(ctx, frame, kinds[how], sink, payload, err);
}

static tide_status write_parquet(struct tide_ctx *ctx, const tide_frame *frame,
                                 tide_sink_fn sink, void *payload, tide_error *err)
{
    return write_packed(ctx, frame, CODEC_ZSTD, sink, payload, err);
}

const struct tide_reader tide_reader_parquet = {
    .name = "parquet",
    .title = "flat columns of a Parquet file",
    .camel = "Parquet",
    .guide = "Q13",
    .paper = "Apache Parquet format 2.11",
    .endings = ".parquet .pq",
    .claims = claims,
    .read = read_parquet,
    .write = write_parquet,
    .write_packed = write_packed,
    .packs_by = CODEC_ZSTD,
};
