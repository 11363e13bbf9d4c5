/* group.c - the groups of rows that a column names: queries, patients, sessions
 *
 * A group is known by a key of 64 bits that its value alone makes, so what is drawn by group does
 * not depend on the order of rows: a whole number is its own key, anything else the hash of its
 * text or bits. Two of a million groups share a hash once in 10^7 tables, and then count as one. */
#include <math.h>

#include "base/err.h"
#include "base/hash.h"
#include "pipe/pipe.h"

#define WHOLE 9007199254740992.0 /* 2^53: doubles below are whole numbers exactly */

/* Key of a number; 7 and 7.0 are one group, whatever type a table gave them. */
static int64_t key_of_number(double x)
{
    if (x == floor(x) && fabs(x) < WHOLE) return (int64_t)x;
    return (int64_t)hash64(&x, sizeof x, 0);
}

static tide_status refuse_missing(const tide_frame *frame, const struct column *c,
                                  int64_t row, tide_error *err)
{
    err_set(err, TIDE_CODE_DATA_MISSING, "group '%s' is missing in row %lld", c->name,
            (long long)row + 1);
    if (err) err->row = row + 1;
    err_field(err, c->name);
    return err_at(err, frame->source, frame_line(frame, row), 0);
}

static int64_t key_of_cell(const struct column *c, int64_t i)
{
    size_t len = 0;
    const char *text;
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return c->b[i];
    case TIDE_I64:
    case TIDE_TIME:
        return c->i64[i];
    case TIDE_F64:
        return key_of_number(column_f64(c, i));
    case TIDE_CAT:
        text = dict_text(&c->dict, c->code[i], &len);
        return (int64_t)hash64(text, len, 0);
    case TIDE_TEXT:
        break;
    }
    len = (size_t)(c->text_at[i + 1] - c->text_at[i]);
    return (int64_t)hash64(c->text + c->text_at[i], len, 0);
}

tide_status pipe_groups(const tide_frame *frame, int column, const int64_t *rows,
                        int64_t n, struct arena *a, const int64_t **out,
                        tide_error *err)
{
    const struct column *c = &frame->cols[column];
    int64_t *key = arena_array(a, n + 1, sizeof *key);
    *out = NULL;
    if (!key) return arena_status(a, err);
    for (int64_t i = 0; i < n; i++) {
        if (column_is_missing(c, rows[i]))
            return refuse_missing(frame, c, rows[i], err);
        key[i] = key_of_cell(c, rows[i]);
    }
    *out = key;
    return TIDE_OK;
}
