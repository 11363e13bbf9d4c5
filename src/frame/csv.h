/* csv.h - the inside of the CSV reader
 *
 * Three phases, each of which sees the whole file before the next begins, so that neither
 * the size of a slab nor the number of threads shows in a table or in an error:
 *   1. slabs are read and cut at the end of a row; an index of cell ends is made of each,
 *      and every fault of structure (quotes, NUL, encoding, fields, limits) is found;
 *   2. types are inferred from rows chosen by their number;
 *   3. blocks are converted in parallel, all columns of a block while its text is in cache.
 * Clean text does not wait for phase 3: blocks that csv_skim.c found are converted at once, while
 * they and their index are in cache, with the types that the first block suggests, into columns
 * with room for as many rows as samples of the file suggest. Phase 2 then decides from the whole
 * file as ever: a column whose type was guessed right is finished but for the blocks that were
 * not clean, others are converted as if nothing had been guessed. Long texts are measured a batch
 * at a time, so that they go to their place at once, too.
 * What phase 1 leaves of a block is where it lies and how many rows it has. Its text is read
 * again from a file when a later phase wants it, and its index made again, which costs less than
 * fresh memory for either; a column whose type turns out wider is read again alone. Texts that
 * come only once (pipes, compressed files) stay in memory, and so do indexes of blocks whose
 * rows are no plain rectangle. */
#ifndef FRAME_CSV_H
#define FRAME_CSV_H
#include <stdatomic.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/par.h"
#include "frame/frame.h"
#include "simd/simd.h"

#define CSV_PARTS   16 /* pieces of a block that can be read alone */
#define CSV_PAD     64 /* readable bytes behind every text */
#define CSV_NAME    4096
#define CSV_LEVELS  65536
#define CSV_MEAN    64   /* bytes of a category's cells on average */
#define CSV_SAMPLE  1000 /* first rows, and as many spread over the rest */
#define CSV_PRINTED 20   /* bad rows warned of one by one */

struct csv_dialect {
    char delim;
    char quote;     /* 0: none */
    char decimal;   /* . or , */
    char thousands; /* 0: none */
    uint8_t lenient;
    uint8_t cr;   /* lone CR ends lines: read as LF */
    uint8_t trim; /* blanks separate: runs of them count as one */
    const char *comment;
    size_t n_comment;
};

/* Where bytes come from: a descriptor, a decoder over one, or memory. */
struct codec;
struct csv_source {
    struct tide_ctx *ctx;
    const char *path;
    int fd;
    int64_t size, total; /* of the file, -1 unknown; bytes delivered */
    int sized;           /* size is what must come */
    struct codec *codec;
    const char *kind; /* ", gzip" */
    const char *head; /* bytes looked at before */
    size_t head_len, head_at;
    struct arena arena;
};
/* n bytes at `offset` of a sized file or of memory; *got < n at the end only. */
tide_status csv_source_fetch(const struct csv_source *s, char *buf, size_t n,
                             int64_t offset, size_t *got, tide_error *err);

/* Whole rows of the text and the ends of their cells. Cell j of row i is
 * [start, end[i * n_cols + j]); the first cell starts at start[i], others one byte behind
 * the end before. A cell whose end lies before its start is absent (a short row filled). */
struct csv_block {
    char *text;      /* NULL: to be read again, by csv_load */
    uint32_t *end;   /* [n_rows * n_cols]; without `start` also end[-1] = first - 1;
                      * NULL: to be made again */
    uint32_t *start; /* [n_rows]; NULL: rows adjoin, the first starts at `first` */
    uint32_t first;
    int64_t skip; /* cell ends before those of the first row */
    int64_t n, n_rows, row0;
    int64_t line0;      /* physical line of text[0] */
    int64_t first_line; /* and of row 0 */
    int64_t offset;     /* of text[0] in the text of the file */
    uint64_t print;     /* of the text, to see that it is the same */
    uint32_t part
        [CSV_PARTS]; /* starts of rows k n_rows / CSV_PARTS, k > 0; [1] = 0: unknown */
    int32_t lane;    /* who converted it */
    uint8_t plain;   /* one physical line a row, nothing between */
    uint8_t closed;  /* the newline at the end is not in the file */
    uint8_t early;   /* converted while it was read */
};

/* Room for one block at a time, with its text and index. */
struct csv_window {
    struct arena arena;
    char *text;
    uint32_t *pos; /* [cap_pos + CSV_PAD], a word before it is ours too */
    int64_t cap_text, cap_pos;
    const struct csv_block *of; /* what is loaded, or NULL */
    struct csv_block b;
};

struct csv_column {
    const char *name;
    uint8_t type, declared, todo, mixed;
    uint8_t long_text; /* a category too long in the sample: its lengths come first */
    uint8_t measured;  /* text whose lengths are known */
    uint8_t placed;    /* text that goes to its place in one pass (csv_early.c) */
    uint8_t
        early;  /* type with which blocks were converted while they were read, or 0 */
    int out;    /* column of the frame, -1: not wanted */
    void *data; /* of the frame's arena: numbers, codes, text_at */
    size_t data_each;
    uint8_t *text_missing;
    char *text;
    int64_t n_text, cap_text; /* of a placed one: bytes that have a place, and room */
    struct dict dict;
    int cat; /* slot of its levels */
    /* Counts and first rows over all blocks: sums and minima, the same in any order. */
    atomic_llong missing, bytes, inexact, underflow, type_faults, range_faults;
    atomic_llong inexact_row, type_row, range_row; /* INT64_MAX: none */
    atomic_llong
        bool_first; /* first row with a value * 4 + its style; INT64_MAX: none */
    atomic_int widen, too_many, unread;
};

enum csv_on_bad { CSV_FAIL, CSV_NULL, CSV_SKIP, CSV_REJECT };

struct csv_reader {
    struct tide_ctx *ctx;
    const char *path; /* as messages name it */
    struct tide_read_options o;
    enum csv_on_bad on_bad;
    struct csv_dialect d;
    struct csv_source src;
    struct arena text, work; /* texts; index, names, everything else */
    int64_t slab;
    int again;                    /* blocks are read again from the source, not kept */
    int64_t skim_wait, skim_rest; /* slabs until skimming is tried again */
    struct csv_job *early;        /* conversion beside reading, or NULL */
    int early_tried;
    struct csv_window look; /* for single cells, on the calling thread */
    struct csv_block *blocks;
    int64_t n_blocks, cap_blocks;
    uint32_t *pos, *starts; /* scratch of the index */
    int64_t cap_pos;
    int n_cols; /* 0: not known yet */
    struct csv_column *cols;
    int has_header, crlf, lf, first_is_remark;
    int64_t header_line, n_lines; /* lines before the block at hand */
    int64_t n_rows, n_blank, n_bad, n_bare, bare_line, bare_column;
    int bare_field;
    int64_t n_warned;
    int64_t
        *line_of_row; /* [n_rows] of the frame's arena; NULL: rows stand line by line */
    uint8_t *bad;     /* [n_rows] rows with a bad cell, when on_bad is not fail */
    struct file_out reject;
    int rejecting;
};

/* ---- csv_source.c ---- */
tide_status csv_source_open(struct csv_source *s, struct tide_ctx *ctx,
                            const char *path, tide_error *err);
void csv_source_memory(struct csv_source *s, struct tide_ctx *ctx, const char *data,
                       size_t n);
/* Fills buf; *got < n at the end only. */
tide_status csv_source_read(struct csv_source *s, char *buf, size_t n, size_t *got,
                            tide_error *err);
/* The error of a file that ends too early. */
tide_status csv_source_short(const struct csv_source *s, int64_t end, tide_error *err);
void csv_source_close(struct csv_source *s);

/* ---- csv_sniff.c ---- */
/* Looks at the head: refuses what is no text table, skips a BOM, settles the dialect. */
tide_status csv_sniff(struct csv_reader *r, tide_error *err);

/* ---- csv_index.c ---- */
tide_status csv_read_blocks(struct csv_reader *r, tide_error *err);
void csv_cr_to_lf(char *s, size_t n);
int64_t csv_slab(const struct csv_reader *r); /* bytes of text to take at once */
/* csv_skim.c: blocks of clean text from *offset on, many slabs at once; stops where something
 * is to be judged row by row. */
tide_status csv_skim(struct csv_reader *r, int64_t *offset, tide_error *err);
tide_status csv_add_block(struct csv_reader *r, const struct csv_block *b,
                          tide_error *err);
/* Takes marked rows out of the blocks. */
tide_status csv_drop_rows(struct csv_reader *r, tide_error *err);

/* ---- csv_header.c ---- */
/* The first row: makes r->cols, named by it or by number. end: ends of its n cells. */
tide_status csv_take_header(struct csv_reader *r, const struct csv_block *b,
                            const uint32_t *end, uint32_t begin, int n,
                            tide_error *err);

/* ---- csv_type.c ---- */
/* From the blocks there are. warn: say what is odd (not while more blocks may come). */
tide_status csv_infer(struct csv_reader *r, int warn, tide_error *err);

/* ---- csv_convert.c ---- */
/* The columns of a new frame, n_out of them; types are decided. */
tide_status csv_convert(struct csv_reader *r, int n_out, tide_frame **out,
                        tide_error *err);

/* ---- csv_early.c: conversion beside reading ---- */
/* Once, with at least one block read: r->early, where blocks can be converted as they come. */
tide_status csv_early_begin(struct csv_reader *r, tide_error *err);
/* Converts the newest n blocks; views: the same with text and index. */
tide_status csv_early_take(struct csv_reader *r, const struct csv_block *views,
                           int64_t n, tide_error *err);
/* r->early and its columns go, if there are any. */
void csv_early_drop(struct csv_reader *r);

/* ---- csv_cell.c: one cell ---- */
struct csv_cell {
    const char *s; /* NULL: absent */
    size_t n;
    uint8_t quoted; /* s[0] is the opening quote */
};
enum csv_number {
    CSV_NUMBER,
    CSV_MISSING,
    CSV_UNDERFLOW, /* a number, 0 */
    CSV_INEXACT,   /* a number, digits lost */
    CSV_RANGE,
    CSV_INFINITE,
    CSV_OTHER
};
int csv_is_missing(const char *s, size_t n); /* the standard tokens, exact case */
int csv_is_na(const struct csv_reader *r, const char *s, size_t n); /* and --na */
/* The text without quotes and outer blanks, for typed parsing. Text with doubled quotes
 * inside is left as it is: no number or date holds a quote. buf takes lenient text. */
struct csv_cell csv_strip(const struct csv_dialect *d, struct csv_cell c, char *buf,
                          size_t size);
enum csv_number csv_parse_number(const struct csv_reader *r, struct csv_cell c,
                                 double *out);
/* An integer cell: CSV_NUMBER, CSV_MISSING, or CSV_OTHER. "-0" is none. */
enum csv_number csv_parse_int(const struct csv_reader *r, struct csv_cell c,
                              int64_t *out);
enum csv_number csv_parse_bool(const struct csv_reader *r, struct csv_cell c, int loose,
                               uint8_t *out);
enum csv_number csv_parse_time(const struct csv_reader *r, struct csv_cell c,
                               int64_t *out);
/* Text of a cell as a category or text column holds it; 0 = missing. *s may point into the
 * cell or into `temp`. */
int csv_parse_text(const struct csv_reader *r, struct csv_cell c, struct arena *temp,
                   const char **s, size_t *n);
/* Copies without quotes, doubled ones once; s[0] is the opening quote. Returns the length. */
size_t csv_unquote(const char *s, size_t n, char quote, char *out);

static inline struct csv_cell csv_cell_at(const struct csv_reader *r,
                                          const struct csv_block *b, int64_t i, int j)
{
    const uint32_t *end = b->end + i * r->n_cols + j;
    uint32_t e = *end, s = j == 0 && b->start ? b->start[i] : end[-1] + 1;
    struct csv_cell c = {b->text + s, 0, 0};
    if (e < s) {
        c.s = NULL;
        return c;
    }
    if (j == r->n_cols - 1 && e > s && b->text[e - 1] == '\r') e--;
    if (r->d.trim) {
        while (s < e && b->text[s] == ' ') s++;
        while (e > s && b->text[e - 1] == ' ') e--;
        c.s = b->text + s;
    }
    c.n = e - s;
    c.quoted = c.n && r->d.quote && *c.s == r->d.quote;
    return c;
}
/* What a loop over the cells of one column needs, hoisted: cells that are plain (not quoted,
 * not absent) as [s, e). The others are left to csv_cell_at. */
struct csv_walk {
    const char *text;
    const uint32_t *end, *start; /* start: of rows, for column 0 of odd blocks */
    int64_t stride;
    char quote;
    uint8_t plain; /* no blanks to trim */
    uint8_t last;
};
static inline struct csv_walk csv_walk_of(const struct csv_reader *r,
                                          const struct csv_block *b, int j)
{
    return (struct csv_walk){b->text,    b->end + j, j ? NULL : b->start, r->n_cols,
                             r->d.quote, !r->d.trim, j == r->n_cols - 1};
}
/* The cell of row i; returns its length, -1 when it needs csv_cell_at. */
static inline int64_t csv_walk_cell(const struct csv_walk *w, int64_t i, const char **s)
{
    const uint32_t *end = w->end + i * w->stride;
    uint32_t e = *end, b = w->start ? w->start[i] : end[-1] + 1;
    *s = w->text + b;
    if (e < b || !w->plain || (w->quote && **s == w->quote)) return -1;
    if (w->last && e > b && w->text[e - 1] == '\r') e--;
    return (int64_t)(e - b);
}
/* The cells of a column for the kernels; they take blocks whose cells are all there and
 * need nothing trimmed. */
static inline int csv_is_simple(const struct csv_reader *r, const struct csv_block *b)
{
    return !b->start && !r->d.trim && r->o.na.n == 0;
}
static inline struct simd_cells csv_cells_of(const struct csv_reader *r,
                                             const struct csv_block *b, int j)
{
    return (struct simd_cells){b->text,   b->end + j,   r->n_cols,
                               b->n_rows, r->d.decimal, j == r->n_cols - 1};
}

/* ---- csv_text.c: columns of text, cell by cell ---- */
/* text_at[row] becomes the length of the row's text, -1 where it is missing; for c->missing and
 * c->bytes both are counted. */
void csv_text_measure(const struct csv_reader *r, const struct csv_block *b, int j,
                      struct arena *temp);
/* Lengths of all rows become offsets; room for the texts and the marks of missing rows. */
void csv_text_lay_out(const struct csv_reader *r, struct csv_column *c,
                      struct arena *a);
/* Texts to where text_at says. */
void csv_text_copy(const struct csv_reader *r, const struct csv_block *b, int j,
                   struct arena *temp);
/* Bytes that the texts of a block take. clean: csv_skim.c found it so. */
int64_t csv_text_bytes(const struct csv_reader *r, const struct csv_block *b, int j,
                       int clean, struct arena *temp);
/* Texts of a placed column from text_at[row0] on, and where the others begin; more: that of the
 * row behind, too. */
void csv_text_place(const struct csv_reader *r, const struct csv_block *b, int j,
                    int more, struct arena *temp);

/* ---- csv_window.c: blocks with text and index ---- */
void csv_window_init(struct csv_window *w, struct tide_ctx *ctx);
void csv_window_free(struct csv_window *w);
tide_status csv_window_room(struct csv_window *w, int64_t n_text, int64_t n_pos,
                            tide_error *err);
/* w->b becomes the block with text and index. Errors: reading, memory, file-changed. */
tide_status csv_load(const struct csv_reader *r, const struct csv_block *b,
                     struct csv_window *w, tide_error *err);
/* As csv_load, but only rows [from, to) need be there: w->b has its own row0 and n_rows. */
tide_status csv_load_rows(const struct csv_reader *r, const struct csv_block *b,
                          int64_t from, int64_t to, struct csv_window *w,
                          tide_error *err);
/* Which block holds a row of the file's table, and its row there. */
const struct csv_block *csv_locate(const struct csv_reader *r, int64_t row, int64_t *i);
/* The same loaded; stays until the next call. */
tide_status csv_look(struct csv_reader *r, int64_t row, const struct csv_block **b,
                     int64_t *i, tide_error *err);

/* ---- csv_fault.c: places and sentences ---- */
/* Sets file, line and column of text offset `at` of a block. Returns err's status. */
tide_status csv_place(const struct csv_reader *r, const struct csv_block *b, int64_t at,
                      tide_error *err);
/* Name of column j for a message (quoted, or "column 3"). */
const char *csv_name_of(const struct csv_reader *r, int j, char *buf, size_t size);
/* The error of a cell that is not of its column's type. */
tide_status csv_cell_fault(struct csv_reader *r, int64_t row, int j, tide_error *err);
int64_t csv_line_of(const struct csv_block *b, int64_t at);

/* ---- csv_read.c ---- */
/* Which columns are wanted and declared: sets out, type and declared of each. */
tide_status csv_choose_columns(struct csv_reader *r, int *n_out, tide_error *err);
#define CSV_SLAB  ((int64_t)256 << 10)
#define CSV_SMALL ((int64_t)128 << 10) /* files up to here stay in memory */
/* A loop over the blocks in up to par_threads lanes: csv_for runs `n` of them, and each takes
 * the next block by csv_next until that is -1 (none is left, or cancelled). So a lane sees
 * rows in their order. */
struct csv_lanes {
    struct csv_reader *r;
    atomic_llong next;
    int64_t n_blocks;
    int n; /* lanes */
};
void csv_lanes_init(struct csv_lanes *l, struct csv_reader *r);
int64_t csv_next(struct csv_lanes *l);
/* par_for, but inline where the file is too small for threads to pay. */
tide_status csv_for(struct csv_reader *r, int64_t n, par_fn fn, void *arg,
                    tide_error *err);
/* slab: bytes read at once, 0 = default (tests). data: text instead of a file, or NULL. */
tide_status csv_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                           size_t n_data, const struct tide_read_options *options,
                           int64_t slab, tide_frame **out, tide_error *err);
#endif
