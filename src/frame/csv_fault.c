/* csv_fault.c - where something stands in the file, and sentences about cells */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "frame/csv.h"

int64_t csv_line_of(const struct csv_block *b, int64_t at)
{
    int64_t line = b->line0;
    const char *s = b->text, *end = b->text + at;
    while ((s = memchr(s, '\n', (size_t)(end - s)))) {
        line++;
        s++;
    }
    return line;
}

tide_status csv_place(const struct csv_reader *r, const struct csv_block *b, int64_t at,
                      tide_error *err)
{
    int64_t begin = at;
    while (begin > 0 && b->text[begin - 1] != '\n') begin--;
    tide_status st = err_at(err, r->path, csv_line_of(b, at), at - begin + 1);
    if (err) err->offset = b->offset + at;
    return st;
}

const char *csv_name_of(const struct csv_reader *r, int j, char *buf, size_t size)
{
    char name[128];
    if (!r->cols || j >= r->n_cols || !r->cols[j].name) {
        str_format(buf, size, "column %d", j + 1);
        return buf;
    }
    err_quote(name, sizeof name, r->cols[j].name, strlen(r->cols[j].name), 60);
    str_format(buf, size, "'%s'", name);
    return buf;
}

static const char *wanted(const struct csv_column *c)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return "true or false";
    case TIDE_TIME:
        return "a date";
    case TIDE_I64:
        return c->declared ? "a whole number" : "a number";
    case TIDE_F64:
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    return "a number";
}

tide_status csv_cell_fault(struct csv_reader *r, int64_t row, int j, tide_error *err)
{
    int64_t i;
    const struct csv_block *b;
    tide_status st = csv_look(r, row, &b, &i, err);
    if (st != TIDE_OK) return st;
    const struct csv_column *col = &r->cols[j];
    struct csv_cell c = csv_cell_at(r, b, i, j);
    char buf[512], shown[128], hint[128], name[160];
    double v;
    enum csv_number kind = CSV_OTHER;
    const char *place = c.s;
    if (col->type == TIDE_F64 || col->type == TIDE_I64)
        kind = csv_parse_number(r, c, &v);
    c = csv_strip(&r->d, c, buf, sizeof buf);
    err_quote(shown, sizeof shown, c.s, c.n, 80);
    csv_name_of(r, j, name, sizeof name);
    if (kind == CSV_RANGE) {
        err_set(err, TIDE_CODE_DATA_RANGE, "%s in %s is beyond the range of numbers",
                shown, name);
        err_hint(err, "inf", "missing");
    } else if (kind == CSV_INFINITE) {
        err_set(err, TIDE_CODE_DATA_INFINITE, "infinite value \"%s\" in %s", shown,
                name);
        err_hint(err, "inf", "missing");
    } else {
        err_set(err, TIDE_CODE_CSV_TYPE, "expected %s in %s, got \"%s\"", wanted(col),
                name, shown);
        err_quote(hint, sizeof hint, c.s, c.n, 60);
        if (col->type == TIDE_I64 && kind < CSV_RANGE)
            err_hint(err, "types", "%s=number", col->name);
        else if (c.n <= 60)
            err_hint(err, "na", "%s", hint);
    }
    err_field(err, col->name);
    st = csv_place(r, b, place - b->text, err);
    if (err) err->row = row + 1;
    return st;
}
