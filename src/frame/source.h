/* source.h - what readers share: whose a file is, and which options a format knows */
#ifndef FRAME_SOURCE_H
#define FRAME_SOURCE_H
#include "base/codec.h"
#include "frame/frame.h"

struct tide_reader;
struct str;

/* The reader whose ending (less .gz and .zst) the path has, or NULL. */
const struct tide_reader *reader_of_ending(const char *path);

/* tide_frame_read without options->cache; *reader is the one that was asked. */
tide_status frame_read_fresh(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options,
                             const struct tide_reader **reader, tide_frame **out,
                             tide_error *err);
/* Is it SCHEME:REST of some reader? */
int source_has_scheme(const char *path);

/* Files that pack their columns may expand to so much, or to so many times their size. */
#define EXPAND_FREE  ((int64_t)64 << 20)
#define EXPAND_RATIO 1000

/* Options that a format has a meaning for. columns, inf and the limits every reader takes. */
enum {
    READER_MARKS = 1, /* delim decimal thousands comment quote header */
    READER_NA = 2,
    READER_TYPES = 4,
    READER_ON_BAD = 8
};
/* param-conflict when an option is set that is not among `takes`. */
tide_status reader_refuse(const struct tide_reader *reader,
                          const struct tide_read_options *options, unsigned takes,
                          tide_error *err);

/* The whole text of a source (plain, gzip, zstd, standard input) into the arena, with 64
 * readable bytes behind it. *kind: "", ", gzip" or ", zstd". data: memory instead of a file,
 * NULL: none; it is copied, so that it is padded. */
struct source_text {
    char *s;
    size_t n;
    const char *kind;
    const char *path; /* as messages name it */
};
tide_status source_slurp(struct tide_ctx *ctx, const char *path, const char *data,
                         size_t n_data, struct arena *a, struct source_text *out,
                         tide_error *err);
/* limit-expand when `rows` x `cols` cells would take more than 64 MiB and more than 1,000
 * times the bytes they come from. */
tide_status source_guard(const char *path, int64_t rows, int64_t cols, int64_t bytes,
                         tide_error *err);
/* The text from offset `from` on, cut into parts of about `bytes` that end behind a newline;
 * line0: the line that `from` is in. limit-line when a part passes 4 GiB. */
struct source_part {
    const char *s, *end;
    int64_t line0;
};
tide_status source_cut(const struct source_text *text, size_t from, int64_t line0,
                       size_t bytes, struct arena *a, struct source_part **out,
                       int64_t *n, tide_error *err);
/* Line and column of a byte of a part, into an error just set. Returns err's status. */
tide_status source_place(const char *path, const struct source_part *part,
                         const char *p, tide_error *err);
/* csv-empty, saying how much was there. */
tide_status source_empty(const struct source_text *text, const char *what,
                         tide_error *err);

/* n_rows rows as text: blocks are printed in parallel by print and given in order. */
struct row_text {
    int64_t n_rows;
    int n_cols; /* the wider a row, the fewer rows a block has: it changes no byte */
    void (*print)(const void *arg, int64_t row, struct str *out);
    const void *arg;
};
tide_status write_row_text(struct tide_ctx *ctx, const struct row_text *rows,
                           tide_sink_fn sink, void *payload, tide_error *err);
/* Hands a text to a sink; a failed one is memory. */
tide_status write_text(const struct str *t, tide_sink_fn sink, void *payload,
                       tide_error *err);
/* The same of a frame; head (may be NULL) comes first. */
typedef void (*row_printer)(struct str *t, const tide_frame *f, int64_t row,
                            const void *arg);
tide_status frame_write_rows(struct tide_ctx *ctx, const tide_frame *frame,
                             const struct str *head, row_printer print_row,
                             const void *arg, tide_sink_fn sink, void *payload,
                             tide_error *err);
/* ---- frame_save.c ---- */
/* Reader and compression of what these options write; NULL and err when that is nothing. */
const struct tide_reader *write_choose(const struct tide_write_options *o,
                                       enum codec_kind *kind, tide_error *err);
/* What `give` gives, compressed on its way to the sink. */
typedef tide_status (*text_giver)(const void *task, tide_sink_fn sink, void *payload,
                                  tide_error *err);
tide_status write_compressed(enum codec_kind kind, text_giver give, const void *task,
                             tide_sink_fn sink, void *payload, tide_error *err);
/* Text of a category or text cell (not terminated), NULL when missing. */
const char *frame_cell_text(const struct column *c, int64_t row, size_t *n);
#endif
