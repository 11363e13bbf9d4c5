/* column.c - cells of one column as text, levels of a dictionary, missing cells */
#include <math.h>
#include <string.h>

#include "base/numparse.h"
#include "frame/frame.h"

const char *tide_type_name(enum tide_type type)
{
    switch (type) {
    case TIDE_BOOL:
        return "bool";
    case TIDE_I64:
        return "int";
    case TIDE_F64:
        return "number";
    case TIDE_TIME:
        return "time";
    case TIDE_CAT:
        return "category";
    case TIDE_TEXT:
        return "text";
    }
    return "unknown";
}

int column_is_numeric(const struct column *c)
{
    return c->type == TIDE_BOOL || c->type == TIDE_I64 || c->type == TIDE_F64 ||
           c->type == TIDE_TIME;
}

const char *dict_text(const struct dict *d, uint32_t code, size_t *len)
{
    if (code >= d->n) {
        *len = 0;
        return "";
    }
    *len = d->offset[code + 1] - d->offset[code];
    return d->bytes + d->offset[code];
}

static int64_t copy_cut(char *buf, size_t size, const char *s, size_t len)
{
    if (size) {
        size_t n = len < size ? len : size - 1;
        if (n) memcpy(buf, s, n);
        buf[n] = '\0';
    }
    return (int64_t)len;
}

static int64_t number_text(const struct column *c, int64_t row, char *buf, size_t size)
{
    char text[64];
    int n = 0;
    if (c->type == TIDE_F64) {
        double v = column_f64(c, row);
        if (v != v) return -1;
        n = num_print(text, v);
    } else if (c->type == TIDE_BOOL) {
        if (c->b[row] == BOOL_MISSING) return -1;
        static const char *const words[4][2] = {
            {"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"}, {"0", "1"}};
        const char *word = words[c->bool_style & 3][c->b[row] != 0];
        return copy_cut(buf, size, word, strlen(word));
    } else {
        if (c->i64[row] == I64_MISSING) return -1;
        n = c->type == TIDE_TIME ? time_print(text, sizeof text, c->i64[row])
                                 : num_print_i64(text, c->i64[row]);
    }
    return copy_cut(buf, size, text, (size_t)n);
}

int column_is_missing(const struct column *c, int64_t row)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return c->b[row] == BOOL_MISSING;
    case TIDE_I64:
    case TIDE_TIME:
        return c->i64[row] == I64_MISSING;
    case TIDE_F64:
        return isnan(column_f64(c, row));
    case TIDE_CAT:
        return c->code[row] == CODE_MISSING;
    case TIDE_TEXT:
        break;
    }
    return c->text_missing && c->text_missing[row];
}

int64_t column_text(const struct column *c, int64_t row, char *buf, size_t size)
{
    size_t len;
    const char *s;
    if (size) buf[0] = '\0';
    switch ((enum tide_type)c->type) {
    case TIDE_CAT:
        if (c->code[row] == CODE_MISSING) return -1;
        s = dict_text(&c->dict, c->code[row], &len);
        return copy_cut(buf, size, s, len);
    case TIDE_TEXT:
        if (c->text_missing && c->text_missing[row]) return -1;
        len = (size_t)(c->text_at[row + 1] - c->text_at[row]);
        return copy_cut(buf, size, c->text + c->text_at[row], len);
    case TIDE_BOOL:
    case TIDE_I64:
    case TIDE_F64:
    case TIDE_TIME:
        break;
    }
    return number_text(c, row, buf, size);
}
