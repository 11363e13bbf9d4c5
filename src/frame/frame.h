/* frame.h - columns, dictionaries and views: what steps and learners read
 *
 * Invariants: a frame never changes after it is built; names are unique, UTF-8, at most 4 KiB;
 * floats hold NaN for missing and never an infinity; codes hold CODE_MISSING; bool is 0, 1 or
 * BOOL_MISSING; i64 and time hold I64_MISSING. No validity bitmaps: each type has its own
 * missing value, which every reader must know anyway. */
#ifndef FRAME_FRAME_H
#define FRAME_FRAME_H
#include <stdatomic.h>

#include <tidemill/frame.h>

#include "base/arena.h"

#define CODE_MISSING UINT32_MAX
#define BOOL_MISSING 255
#define I64_MISSING  INT64_MIN

/* Levels of a category column. Text of level c is bytes[offset[c] .. offset[c+1]). */
struct dict {
    uint32_t n;
    const uint32_t *offset; /* [n + 1] */
    const char *bytes;      /* UTF-8, not terminated */
};

struct column {
    const char *name;
    uint8_t type; /* enum tide_type */
    int64_t n_rows, n_missing;
    const double *f64; /* TIDE_F64; NULL: sparse */
    /* sparse TIDE_F64: the rows, rising, of the cells that are not 0, and these cells */
    const uint32_t *at;
    const double *nz;
    int64_t n_at;
    const int64_t *i64; /* TIDE_I64; TIDE_TIME: microseconds since 1970 UTC */
    const uint8_t *b;   /* TIDE_BOOL */
    uint8_t bool_style; /* how its table writes it: 0 true, 1 True, 2 TRUE, 3 1 and 0 */
    const uint32_t *code;   /* TIDE_CAT */
    struct dict dict;       /* TIDE_CAT */
    const int64_t *text_at; /* TIDE_TEXT [n_rows + 1] offsets into text */
    const char *text;
    const uint8_t *text_missing; /* [n_rows], 1 = missing; NULL: none is */
};

struct tide_frame {
    atomic_int refs;
    struct arena arena; /* owns everything below, but what is `owner`'s */
    void (*drop)(
        void *owner); /* NULL, or frees memory of others that columns point to */
    void *owner;
    int64_t n_rows;
    int n_cols;
    struct column *cols;
    const char *source; /* file name as given, or "memory" */
    /* what the reader saw, for look and for notes */
    const char *dialect; /* one line: "comma, header, LF" */
    int64_t n_bad_rows;  /* left out or repaired by --on-bad */
    /* columns whose type or warnings hang on tide_read_options.mixed */
    int n_mixed;
    const int64_t *line_of_row; /* NULL, or [n_rows]: physical line */
    /* line of row 0 when line_of_row is NULL; 0 = no lines */
    int64_t first_line;
};
tide_frame *frame_ref(const tide_frame *frame); /* another owner */

/* Rows and columns that one fit or predict works on. Borrowed: the frame must outlive it. */
struct view {
    int64_t n_rows;
    int n_cols;
    /* [n_cols]; learners get them in byte order of names */
    const struct column *const *cols;
    const int64_t *rows; /* [n_rows] row of the columns, or NULL: view row i is row i */
    /* [n_rows] key of random draws (row in the file), NULL: the row itself */
    const int64_t *ids;
};
static inline int64_t view_row(const struct view *v, int64_t i)
{
    return v->rows ? v->rows[i] : i;
}
static inline int64_t view_id(const struct view *v, int64_t i)
{
    return v->ids ? v->ids[i] : view_row(v, i);
}
static inline int column_is_sparse(const struct column *c)
{
    return c->at != NULL;
}
double column_sparse(const struct column *c, int64_t row); /* slow: a search */
/* A cell of a TIDE_F64 column. */
static inline double column_f64(const struct column *c, int64_t row)
{
    return c->f64 ? c->f64[row] : column_sparse(c, row);
}
/* Cells of a sparse column: of rows[i0 .. i0 + n), or of rows [i0, i0 + n) where rows is NULL. */
void sparse_numbers(const struct column *c, const int64_t *rows, int64_t i0, int64_t n,
                    double *out);
int column_is_missing(const struct column *c, int64_t row);
int column_is_numeric(const struct column *c); /* bool, int, number, time */
/* Numbers of view rows [i0, i0 + n) of column j into out; missing is NaN. bool 0/1; time in
 * seconds. */
void view_numbers(const struct view *v, int j, int64_t i0, int64_t n, double *out);
/* The cells of column j that are not +0, and their view rows; their number. at NULL: only that. */
int64_t view_nonzero(const struct view *v, int j, uint32_t *at, double *nz);
/* Codes of a category column, missing is CODE_MISSING. */
void view_codes(const struct view *v, int j, int64_t i0, int64_t n, uint32_t *out);
/* Column-major matrix [n_cols][n_rows] of all columns as numbers, from the arena; NULL when
 * the arena failed. */
double *view_matrix(struct tide_ctx *ctx, const struct view *v, struct arena *a);
/* Missing cells of column j among the view's rows, and the first such view row (-1: none). */
int64_t view_missing(const struct view *v, int j, int64_t *first);
/* One cell as text, as tide_frame_text. */
int64_t column_text(const struct column *c, int64_t row, char *buf, size_t size);
/* Level text of a dictionary (not terminated). */
const char *dict_text(const struct dict *d, uint32_t code, size_t *len);
/* 1-based line of a row in its file, 0 when there is none. */
int64_t frame_line(const tide_frame *frame, int64_t row);

/* Building a frame by hand: fill cols in the arena, then frame_seal checks the invariants
 * (unique names, infinities refused with row and column) and counts missing. */
tide_status frame_begin(struct tide_ctx *ctx, int64_t n_rows, int n_cols,
                        tide_frame **out, tide_error *err);
tide_status frame_seal(tide_frame *frame, tide_error *err);
/* Copies n columns of memory to `to`, which are columns of the frame, as tide_frame_new. */
tide_status frame_take(tide_frame *frame, struct column *to,
                       const struct tide_column_in *in, int n, tide_error *err);
/* The part of it that a reader needs which has looked at every value already. */
tide_status frame_check_names(const tide_frame *frame, tide_error *err);

/* The same table without sparse columns; another owner of `frame` where it has none. */
tide_status frame_dense(struct tide_ctx *ctx, const tide_frame *frame, tide_frame **out,
                        tide_error *err);
/* Fills number columns from rows that have been checked; cols[index] NULL: not wanted. A column with more
 * cells besides 0 than half of the rows becomes an array, others are sparse. */
tide_status sparse_columns(tide_frame *f, const struct tide_csr_in *rows,
                           struct column *const *cols, tide_error *err);

/* Folds: fold[i] in 0..k-1 for view row i, stratified when cls (class numbers) is not NULL.
 * FOLD_PHILOX shuffles by rng keys of (seed, "fold", id); FOLD_FILE is scope.md's unshuffled
 * rule (a) or (b); FOLD_CRC32 is data.md's reference split by id (crc32(decimal id) mod k).
 * Errors: data-folds naming the class (hint: --cv). */
enum fold_how { FOLD_PHILOX, FOLD_FILE, FOLD_CRC32 };
tide_status fold_assign(int64_t n, const int64_t *ids, const int32_t *cls,
                        int n_classes, int k, enum fold_how how, uint64_t seed,
                        int32_t *fold, tide_error *err);
/* Hold-out: mark[i] = 1 for about share*n rows (stratified when cls), by Philox keys. */
tide_status fold_holdout(int64_t n, const int64_t *ids, const int32_t *cls,
                         int n_classes, double share, uint64_t seed, uint8_t *mark,
                         tide_error *err);
/* The same for rows of groups, which stay whole: group[i] is the key of row i's group. Folds are as
 * even in rows as the groups allow: the largest group goes first, to the fold of fewest rows;
 * groups of one size in the order of Philox keys of (seed, purpose, group).
 * Errors: data-folds. */
tide_status fold_assign_groups(int64_t n, const int64_t *group, int k, uint64_t seed,
                               int32_t *fold, tide_error *err);
tide_status fold_holdout_groups(int64_t n, const int64_t *group, double share,
                                uint64_t seed, uint8_t *mark, tide_error *err);
/* How many groups there are; 0 without groups or when memory is out. */
int64_t fold_groups(const int64_t *group, int64_t n);
/* Date or time text (ISO 8601, as data tables write it) to microseconds; 0 on success. */
int time_parse(const char *s, size_t len, int64_t *us);
/* The same for a column, whose dates repeat: *last is zeroed first and holds the last one. */
struct time_date {
    uint64_t head;
    uint16_t tail; /* its ten bytes */
    int64_t days;
};
int time_parse_near(const char *s, size_t len, struct time_date *last, int64_t *us);
int time_print(char *out, size_t size, int64_t us);
#endif
