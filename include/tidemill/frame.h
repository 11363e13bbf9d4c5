/* frame.h - an immutable table of typed columns, shared by reference */
#ifndef TIDEMILL_FRAME_H
#define TIDEMILL_FRAME_H

#include <stddef.h>

#include <tidemill/ctx.h>
#include <tidemill/params.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tide_type { TIDE_BOOL = 1, TIDE_I64, TIDE_F64, TIDE_TIME, TIDE_CAT, TIDE_TEXT };
/* bool int number time category text */
TIDE_API const char *tide_type_name(enum tide_type type);

typedef struct tide_frame tide_frame;
struct tide_entry;

/* Where bytes go. Return non-zero to stop (the call answers TIDE_EFILE). */
typedef int (*tide_sink_fn)(void *payload, const void *data, size_t n);

/* Options of reading. Zero means default. The program's flags are a table over this struct
 * (tide_read_params), so that every verb that reads has the same flags. */
struct tide_read_options {
    const char *delim;     /* auto , tab ; | space or one character */
    int32_t quote;         /* 0 double, 1 none, 2 lenient */
    int32_t header;        /* 0 auto, 1 yes, 2 no, 3 rename (duplicates become a_2) */
    const char *decimal;   /* auto . , */
    const char *thousands; /* "" none */
    const char *comment;   /* lines that begin with it are skipped; "" none */
    struct tide_text_list na;      /* further missing tokens */
    struct tide_text_list types;   /* col=type (bool int number time category text) */
    struct tide_text_list columns; /* read only these */
    const char *on_bad;            /* fail null skip reject=FILE */
    int32_t inf;                   /* 0 refuse, 1 missing */
    /* internal: 1 = a mixed column becomes text and is noted (look) */
    int32_t mixed;
    int64_t max_field, max_line; /* bytes; 0: 1 MiB, 64 MiB */
    int32_t max_columns;         /* 0: 65,536 */
    const char *format;          /* auto, or a reader of the registry (TIDE_READER) */
    /* 1: the columns of a file are kept in FILE.tcol beside it, and read from there while size
     * and time of the file and these options are the same */
    int32_t cache;
};
TIDE_API const struct tide_params *tide_read_params(void);

/* Reads a table: a file (plain, gzip, zstd; "-" is standard input) or SCHEME:REST. The reader
 * is the one that options name, else that of the scheme, of the first bytes, of the ending;
 * else CSV.
 * Ownership: caller frees. Errors: csv-*, data-*, limit-*, file-*, memory. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_read(
    tide_ctx *ctx, const char *path, const struct tide_read_options *options,
    tide_frame **out, tide_error *err);
/* One column of memory to copy from. Exactly one of f64, f32, i64, text is set; text becomes a
 * category unless type says TIDE_TEXT, whose levels stand in byte order where they are at most 65,536;
 * texts may not change during the call. NaN, INT64_MIN and NULL text are missing. f32 columns are kept as
 * f64; with a stride they may lie in a row-major matrix. */
struct tide_column_in {
    const char *name;
    const double *f64;
    const int64_t *i64;
    const char *const *text;
    /* an enum tide_type, 0: by the pointer that is set (text: category) */
    int32_t type;
    const float *f32;
    int64_t stride; /* values from one row to the next of f32; 0 means 1 */
};
/* Errors: data-infinite (column and row), csv-duplicate-name, memory, cancelled. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_new(tide_ctx *ctx, int64_t n_rows,
                                                  int n_cols,
                                                  const struct tide_column_in *cols,
                                                  tide_frame **out, tide_error *err);
/* Sparse rows of numbers (CSR) to copy from: row i has values[indptr[i] .. indptr[i+1]) in the columns
 * that indices names, which rise within a row; other cells are 0. Exactly one of f32, f64 is set. */
struct tide_csr_in {
    int64_t n_rows;
    int n_cols;
    const int64_t *indptr;  /* [n_rows + 1] from 0 on */
    const int32_t *indices; /* [indptr[n_rows]] below n_cols */
    const float *f32;
    const double *f64;
    const char *const *names; /* [n_cols]; NULL: f0, f1 ... */
};
/* A table of sparse rows, and of further columns behind them (the target, weights). Columns of
 * mostly zeros take 12 bytes for a cell besides 0, others 8 for each; all are numbers as from
 * tide_frame_new. At most 2^32 - 1 rows.
 * Ownership: everything is copied. Errors: handle-invalid with the row whose indices do not rise or
 * lie outside, those of tide_frame_new. Since 0.1. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_new_csr(
    tide_ctx *ctx, const struct tide_csr_in *rows, int n_more,
    const struct tide_column_in *more, tide_frame **out, tide_error *err);
/* A synthetic table: kind of the registry (TIDE_MAKER), parameters as values of its table.
 * Errors: param-unknown, param-range, memory; param-conflict for a kind that is a text, which
 * tide_make_write gives. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_make(tide_ctx *ctx, const char *kind,
                                                   int64_t n_rows,
                                                   const tide_values *values,
                                                   tide_frame **out, tide_error *err);
/* Drops a reference; NULL is a no-op. A frame counts against its context's memory, so it is
 * freed before the context. Threads: any. */
TIDE_API void tide_frame_free(tide_frame *frame);
TIDE_API int64_t tide_frame_rows(const tide_frame *frame);
TIDE_API int tide_frame_columns(const tide_frame *frame);
TIDE_API const char *tide_frame_name(const tide_frame *frame, int column);
TIDE_API enum tide_type tide_frame_type(const tide_frame *frame, int column);
TIDE_API int64_t tide_frame_missing(const tide_frame *frame, int column);
/* Index of a name, or -1 (err: data-column with the nearest name as hint --`option`). */
TIDE_API int tide_frame_find(const tide_frame *frame, const char *name,
                             const char *option, tide_error *err);
/* Number of a cell (bool 0/1, time in seconds since 1970, category code); NaN when missing. */
TIDE_API double tide_frame_number(const tide_frame *frame, int64_t row, int column);
/* Text of a cell as CSV would hold it (unquoted), into buf; returns the length, -1 when missing. */
TIDE_API int64_t tide_frame_text(const tide_frame *frame, int64_t row, int column,
                                 char *buf, size_t size);
/* Writes CSV with a header. digits 0 = shortest round trip, else significant digits. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_write(tide_ctx *ctx,
                                                    const tide_frame *frame, int digits,
                                                    tide_sink_fn sink, void *payload,
                                                    tide_error *err);
/* How a table is written. Zeroed: CSV without compression. */
struct tide_write_options {
    const char *
        format; /* NULL, "" and auto: by the ending of path, less .gz and .zst; else CSV */
    const char *path; /* a name whose ending counts; NULL: none. It is not opened */
    /* none gzip zstd; NULL, "" and auto: by the ending of path; formats that compress their own
     * parts have a default: Parquet zstd, column files (tcol) none */
    const char *compression;
    int32_t digits; /* CSV: significant digits; 0 = shortest round trip */
};
/* The format that these options write, checked before any work: NULL when there is none of the
 * name, it is read only, ending and compression contradict each other, or digits have no
 * meaning. Ownership: borrowed from the registry. Errors: param-unknown, param-value,
 * param-conflict. Since 0.1. */
TIDE_API const struct tide_entry *
tide_frame_writer(const struct tide_write_options *options, tide_error *err);
/* Writes a frame in a format of the registry through a sink, as a stream where the format
 * allows.
 * Errors: those of tide_frame_writer, data-type and data-column when the format cannot hold the
 * columns, file-error, memory, cancelled. Since 0.1. */
TIDE_API TIDE_MUST_USE tide_status tide_frame_save(
    tide_ctx *ctx, const tide_frame *frame, const struct tide_write_options *options,
    tide_sink_fn sink, void *payload, tide_error *err);
/* What tide_make_write makes, and how it is written. */
struct tide_make_options {
    const char *kind;          /* of the registry (TIDE_MAKER) */
    int64_t n_rows;            /* 0: as many as the kind likes */
    const tide_values *values; /* of the kind's table; NULL: its defaults */
    struct tide_write_options write;
};
struct tide_made {
    int64_t n_rows;
    int32_t n_cols;
};
/* Writes a synthetic table through a sink: as tide_frame_make and tide_frame_save, and kinds
 * that are a text (csv-mixed) as CSV, printed as it goes and never held. made: NULL, or what
 * was written.
 * Errors: those of both, param-conflict for a text in another format. Since 0.1. */
TIDE_API TIDE_MUST_USE tide_status tide_make_write(
    tide_ctx *ctx, const struct tide_make_options *options, tide_sink_fn sink,
    void *payload, struct tide_made *made, tide_error *err);

#ifdef __cplusplus
}
#endif
#endif
