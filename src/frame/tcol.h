/* tcol.h - the inside of column files (.tcol), and tables kept beside their source (--cache)
 *
 * docs/tcol-format.md states the layout. tcol_block.c turns the cells of one column of 65,536
 * rows into bytes and back, tcol_write.c lays blocks out, tcol.c finds them and proves that
 * they lie where they must, tcol_read.c fills a frame with them in parallel, tcol_cache.c
 * decides whether a file may stand for the table it was made from.
 *
 * Nothing that a file says is trusted: checksums prove that the bytes are those that somebody
 * wrote, so every size, code and length is compared with what it may be, and no more is
 * allocated than the size of the file justifies. */
#ifndef FRAME_TCOL_H
#define FRAME_TCOL_H
#include "base/arena.h"
#include "base/codec_block.h"
#include "base/json.h"
#include "frame/frame.h"

#define TCOL_ROWS        ((int64_t)65536)
#define TCOL_ALIGN       64 /* blocks begin at multiples of it */
#define TCOL_HEAD        64 /* bytes before the first block; as many end the file */
#define TCOL_ENTRY       48 /* bytes of a block's entry in the table of blocks */
#define TCOL_MOST_HEADER ((int64_t)64 << 20)
#define TCOL_MAJOR       1
#define TCOL_MINOR       0
#define TCOL_BYTE_MARK   0x01020304U
extern const unsigned char tcol_magic[8];

/* What a file is: a table, or one that stands for another file and may be thrown away. */
enum tcol_kind { TCOL_TABLE, TCOL_CACHE };

/* A block as the table of blocks describes it. */
struct tcol_block {
    int64_t offset, stored; /* where it lies */
    int64_t raw;            /* bytes when unpacked */
    int64_t base;           /* whole numbers and times narrower than 8 bytes: + this */
    uint32_t crc;           /* CRC-32C of what is stored */
    uint32_t missing;       /* cells */
    uint8_t width; /* bytes of a cell; of a text's length; of a level's offset */
    uint8_t codec; /* enum block_kind: plain, gzip, zstd */
};
static inline int64_t tcol_align(int64_t n)
{
    return (n + TCOL_ALIGN - 1) & -(int64_t)TCOL_ALIGN;
}
static inline int64_t tcol_blocks(int64_t n_rows)
{
    return n_rows / TCOL_ROWS + (n_rows % TCOL_ROWS != 0);
}

/* ---- tcol_block.c ---- */

/* A block's bytes in up to two parts, which may be the column's own memory. */
struct tcol_piece {
    struct arena arena;
    struct arena_buffer cells, text, raw, packed;
    struct block_coder coder;
    struct tcol_block told; /* all but the offset */
    const void *part[2];
    size_t n_part[2];
};
void tcol_pack_cells(struct tcol_piece *p, const struct column *c, int64_t row0,
                     int64_t n, enum block_kind codec);
void tcol_pack_levels(struct tcol_piece *p, const struct dict *d,
                      enum block_kind codec);
/* Bytes of a cell that a column of the frame holds; 0: text. */
int tcol_cell_bytes(enum tide_type type);
/* May cells of the type be `width` bytes wide? */
int tcol_width_fits(enum tide_type type, int64_t n_levels, int width);

/* Cells of one block on their way into a column. NULL when they are as they must be, else what
 * is wrong. */
struct tcol_cells {
    enum tide_type type;
    int64_t n_levels; /* TIDE_CAT */
    int64_t row0, n;
    int width;
    int64_t base;
    int drop_inf;
    /* out: missing cells, infinite ones (which drop_inf makes missing too), the first such row
     * or -1 */
    int64_t missing, n_infinite, infinite;
};
/* src NULL: they were read into the column and are only looked at. */
const char *tcol_take_cells(struct tcol_cells *t, const void *src, struct column *c);
/* Lengths of texts whose bytes begin at `at` of the column and are n_text. */
const char *tcol_take_lengths(struct tcol_cells *t, const void *src, int64_t at,
                              int64_t n_text, struct column *c);
/* The texts of those rows, once they are in the column. */
const char *tcol_check_texts(const struct tcol_cells *t, int64_t n_text,
                             const struct column *c);
/* A dictionary in its raw bytes, which are aligned and stay; work: to see that levels differ. */
const char *tcol_take_levels(const void *raw, int64_t n_raw, uint32_t n,
                             struct arena *work, struct dict *out);

/* ---- tcol_write.c ---- */

/* about: the JSON object that tells what the table stands for, with the lines of its rows in
 * the file; NULL: a table of its own. */
tide_status tcol_write_table(struct tide_ctx *ctx, const tide_frame *frame,
                             enum block_kind codec, const struct str *about,
                             tide_sink_fn sink, void *payload, tide_error *err);

/* ---- tcol.c: the file ---- */

struct tcol_column {
    const char *name;
    uint8_t type, bool_style;
    int64_t n_levels, n_missing;
    uint8_t taken;    /* is read */
    uint8_t declared; /* type of the options, or 0 */
};
struct tcol_file {
    struct tide_ctx *ctx;
    const char *path;    /* as messages name it */
    const uint8_t *data; /* all of it, or NULL: pread from fd */
    int fd;
    int64_t size;
    struct arena arena;
    enum tcol_kind kind;
    int64_t n_rows, n_blocks;
    int n_cols;               /* with the column of lines, if there is one */
    struct tcol_column *cols; /* [n_cols] */
    int has_lines;            /* the last column is the line of each row */
    /* [n_blocks][n_cols], then one for each dictionary, in the order of columns */
    struct tcol_block *blocks;
    int64_t n_entries;
    int64_t end; /* of the blocks */
    json_t *header;
};
/* Opens the path, or (path NULL) data; everything but the blocks is checked. Close it in any
 * case. most_columns: 0 = 65,536. */
tide_status tcol_open(struct tcol_file *f, struct tide_ctx *ctx, const char *path,
                      const void *data, size_t n_data, int64_t most_columns,
                      tide_error *err);
void tcol_close(struct tcol_file *f);
/* n bytes at the offset, which lie in the file: into `to`, which they fill. */
tide_status tcol_fetch(const struct tcol_file *f, int64_t offset, size_t n, void *to,
                       tide_error *err);
tide_status tcol_damaged(tide_error *err, const char *path, int64_t offset,
                         const char *fmt, ...);
/* Is this regular file one whose first bytes are whole and say "a table of its own"? */
int tcol_is_table(const char *path);

/* ---- tcol_read.c ---- */

/* The frame of an open file; lines: also the line of each row. */
tide_status tcol_read_frame(struct tcol_file *f, const struct tide_read_options *o,
                            int lines, tide_frame **out, tide_error *err);
/* As the descriptor reads; data NULL: the file. */
tide_status tcol_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                            size_t n_data, const struct tide_read_options *options,
                            tide_frame **out, tide_error *err);

/* ---- tcol_cache.c ---- */

/* tide_frame_read with options->cache. */
tide_status tcol_cached_read(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options, tide_frame **out,
                             tide_error *err);
#endif
