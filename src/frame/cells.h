/* cells.h - tables whose cells tell their own types: JSON lines, ARFF, SQLite
 *
 * A reader fills blocks of rows with tagged cells; cells_frame decides the type of each
 * column over all rows, in the order truth value < integer < number, else date, category,
 * text, and makes the frame. The text of blocks is left as it was read, so that the place
 * of a cell can be found again. */
#ifndef FRAME_CELLS_H
#define FRAME_CELLS_H
#include "base/arena.h"
#include "frame/frame.h"

enum cell_tag {
    CELL_MISSING,
    CELL_FALSE,
    CELL_TRUE,
    CELL_INT,   /* value: int64_t */
    CELL_REAL,  /* value: bits of a double; infinite: beyond the range */
    CELL_CUT,   /* as CELL_REAL, of an integer that lost digits */
    CELL_TEXT,  /* value: offset << 32 | length, in the text of the block */
    CELL_RAW,   /* as CELL_TEXT, with escapes */
    CELL_FIRST, /* the first of the fixed levels */
    CELL_TAGS
};

struct cell_slice {
    uint8_t *tag; /* [n_rows]; NULL: all missing */
    uint64_t *value;
};
struct cell_block {
    int64_t n_rows, row0, line0; /* line0: line of text[0] */
    struct cell_slice *cols;     /* [n_cols] */
    const char *text;
    const uint32_t *row_at; /* [n_rows] where rows begin; NULL: no lines */
};

struct cell_col {
    const char *name;
    uint8_t type;             /* an enum tide_type, 0: by its cells */
    const struct dict *fixed; /* levels in a given order, all others are at fault */
    int out;                  /* column of the frame, -1: not wanted */
};

struct cell_table {
    struct tide_ctx *ctx;
    const char *path; /* as messages name it */
    const struct tide_read_options *options;
    const char *dialect;
    int64_t n_rows, n_blocks;
    int n_cols;
    struct cell_col *cols;
    struct cell_block *blocks;
    struct arena *work;
    /* Text of a CELL_RAW cell into out, which holds n bytes; returns its length. */
    size_t (*unescape)(const char *s, size_t n, char *out);
    /* Adds line and column of a cell to an error just set. */
    void (*place)(const struct cell_table *t, int64_t row, int col, tide_error *err);
};

static inline uint64_t cell_span(size_t offset, size_t n)
{
    return (uint64_t)offset << 32 | (uint64_t)n;
}
static inline uint64_t cell_bits(double v)
{
    union {
        double d;
        uint64_t u;
    } x = {v};
    return x.u;
}
/* The frame; honours columns, types, na, inf, mixed, and on_bad (fail or null) of the options. */
tide_status cells_frame(struct cell_table *t, tide_frame **out, tide_error *err);
/* Block of a row and its row there. */
const struct cell_block *cells_locate(const struct cell_table *t, int64_t row,
                                      int64_t *i);
/* Line of offset `at` in the block's text. */
int64_t cells_line(const struct cell_block *b, size_t at);
#endif
