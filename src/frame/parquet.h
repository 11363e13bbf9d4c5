/* parquet.h - inside of the Parquet reader, and the way to the writer
 *
 * parquet_meta.c reads the footer, parquet_encoding.c unpacks runs, bits, deltas and split
 * streams, parquet_convert.c turns PLAIN values into ours, parquet_chunk.c walks the pages of
 * one column of one row group, and parquet_read.c hands chunks to threads, joins dictionaries
 * and makes the frame.
 *
 * Nothing that a file says is trusted: each size is compared with the bytes there are, and
 * what is allocated, with all that pages expand to, is at most `most` bytes. */
#ifndef FRAME_PARQUET_H
#define FRAME_PARQUET_H
#include <stdatomic.h>

#include "base/arena.h"
#include "base/codec_block.h"
#include "frame/frame.h"
#include "frame/level_set.h"

/* As in the format's own numbering. */
enum pq_physical {
    PQ_BOOL,
    PQ_I32,
    PQ_I64,
    PQ_I96,
    PQ_F32,
    PQ_F64,
    PQ_BYTES,
    PQ_FIXED,
    PQ_PHYSICALS
};
enum pq_encoding {
    PQ_PLAIN = 0,
    PQ_PLAIN_DICTIONARY = 2,
    PQ_RLE = 3,
    PQ_BIT_PACKED = 4,
    PQ_DELTA = 5,
    PQ_DELTA_LENGTH = 6,
    PQ_DELTA_BYTES = 7,
    PQ_RLE_DICTIONARY = 8,
    PQ_SPLIT = 9
};
/* What the values of a column mean. */
enum pq_as {
    PQ_AS_BOOL,
    PQ_AS_INT,
    PQ_AS_UINT,
    PQ_AS_FLOAT,
    PQ_AS_HALF,
    PQ_AS_DECIMAL, /* unscaled integer and `scale`; times of day are seconds this way */
    PQ_AS_DATE,
    PQ_AS_MILLIS,
    PQ_AS_MICROS,
    PQ_AS_NANOS,
    PQ_AS_INT96, /* nanoseconds of the day, Julian day */
    PQ_AS_TEXT,
    PQ_AS_UUID,
    PQ_AS_NULL,
    PQ_AS_NOTHING /* not read; `what` says what it is */
};

struct pq_column {
    const char *name; /* dotted path */
    const char *what; /* PQ_AS_NOTHING: for the message */
    uint8_t physical, as, optional;
    int32_t length; /* PQ_FIXED */
    int32_t scale;
    int taken;    /* is read */
    int out;      /* its column of the frame */
    uint8_t type; /* declared by the options, or 0 */
};
struct pq_chunk {
    int64_t offset, bytes; /* of the first page, in the file */
    int64_t n_values;
    int32_t codec, physical;
    int elsewhere, sealed; /* in another file; encrypted */
};
struct pq_meta {
    int64_t n_rows;
    int n_cols, n_groups;
    struct pq_column *cols;
    int64_t *row0;          /* [n_groups + 1] */
    struct pq_chunk *chunk; /* [n_groups][n_cols] */
    const char *writer;
};

/* The footer's bytes; all that is kept comes from the arena. */
tide_status pq_meta_read(struct pq_meta *m, struct arena *a, const uint8_t *p, size_t n,
                         const char *path, int64_t max_columns, tide_error *err);
tide_status pq_damaged(tide_error *err, const char *path, const char *fmt, ...);

struct pq_page {
    int32_t kind, raw_bytes, bytes; /* uncompressed and compressed */
    int32_t n_values, encoding, level_encoding;
    int32_t n_nulls, def_bytes, rep_bytes; /* version 2 */
    int packed, has_crc;
    uint32_t crc;
};
enum { PQ_DATA_PAGE = 0, PQ_INDEX_PAGE = 1, PQ_DICT_PAGE = 2, PQ_DATA_PAGE_2 = 3 };
/* Bytes of the header at p, 0 when it is none. */
size_t pq_page_header(struct pq_page *page, const uint8_t *p, size_t n);

/* ---- encodings: 0 when all was there, -1 when the bytes do not hold it ---- */

/* n numbers of `width` bits (0 to 32), runs and packed groups mixed. */
int pq_rle(const uint8_t *p, size_t n_bytes, int width, int64_t n, uint32_t *out);
/* Levels of an optional column: 1 = there. *n_valid counts them; when all are there, `valid`
 * is left alone. */
int pq_levels(const uint8_t *p, size_t n_bytes, int64_t n, uint8_t *valid,
              int64_t *n_valid);
/* Exactly n numbers; *used bytes. */
int pq_delta(const uint8_t *p, size_t n_bytes, int64_t n, int64_t *out, size_t *used);
void pq_unsplit(const uint8_t *p, int64_t n, int width, uint8_t *out);
static inline uint32_t pq_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* ---- values ---- */

enum pq_fault { PQ_FINE, PQ_TOO_LARGE, PQ_BAD_UTF8, PQ_HAS_NUL };
/* Bytes of one PLAIN value, 0 for PQ_BYTES and PQ_BOOL. */
int pq_width(const struct pq_column *c);
enum tide_type pq_type(const struct pq_column *c); /* of the column as it is decoded */
/* n PLAIN values into out (of pq_type's kind). *at: the first that does not fit.
 * *cut is set when nanoseconds were dropped. */
enum pq_fault pq_convert(const struct pq_column *c, const uint8_t *p, int64_t n,
                         void *out, int64_t *at, int *cut);
enum pq_fault pq_check_text(const char *s, size_t n);

/* ---- one chunk ---- */

struct pq_text { /* a string in some page */
    const char *s;
    uint32_t n;
};
/* A thread's own memory. */
struct pq_work {
    /* for all its chunks; for one; until the frame is made */
    struct arena scratch, temp, keep;
    struct arena_buffer chunk, page, plain, index, valid, text, numbers, dict;
    struct block_coder coder;
    int64_t failed; /* lowest task that failed, or INT64_MAX */
    tide_error err;
};
/* What a chunk of texts leaves for the join. */
struct pq_part {
    const struct level *level; /* category: of its local codes */
    uint32_t n_levels;
    uint32_t *map;             /* local code -> code of the column */
    const struct pq_text *row; /* text: [rows], s NULL = missing */
    int64_t bytes;             /* of all rows, in text and category */
};
struct pq_reader {
    struct tide_ctx *ctx;
    const char *path;
    const struct tide_read_options *o;
    const uint8_t *data; /* the whole file, or NULL: pread from fd */
    int fd;
    int64_t size, most;
    atomic_llong expanded;
    struct arena arena; /* metadata */
    struct pq_meta meta;
    tide_frame *f;
    int n_out;
    int *col_of;           /* [n_out] column of the file */
    void **to;             /* [n_out] where its values go */
    struct pq_part *part;  /* [n_groups][n_out] */
    atomic_llong *missing; /* [n_out] */
    atomic_int *too_many;  /* [n_out] more levels than a category has */
    atomic_int *cut;       /* [n_out] nanoseconds dropped */
    struct pq_work *work;  /* [par_threads] */
    int n_work;
};
/* Decodes column `out` of a row group into the frame's column, or, texts, into its part. */
tide_status pq_chunk_read(struct pq_reader *r, struct pq_work *w, int group, int out,
                          tide_error *err);

/* path NULL reads data[0..n_data). expand_free: bytes that any file may expand to; 0 = 64 MiB. */
tide_status parquet_read_table(struct tide_ctx *ctx, const char *path, const void *data,
                               size_t n_data, const struct tide_read_options *options,
                               int64_t expand_free, tide_frame **out, tide_error *err);

/* parquet_write.c. codec: plain, gzip or zstd. */
tide_status parquet_write_table(struct tide_ctx *ctx, const tide_frame *frame,
                                enum block_kind codec, tide_sink_fn sink, void *payload,
                                tide_error *err);
#endif
