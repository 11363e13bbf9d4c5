/* column_make.c - new columns in an arena */
#include "prep/column_make.h"

#include <string.h>

#include "base/err.h"

struct column *make_column(struct arena *a, const char *name, enum tide_type type,
                           int64_t n_rows)
{
    struct column *c = arena_zero(a, sizeof *c);
    size_t each = type == TIDE_BOOL ? 1 : type == TIDE_CAT ? 4 : 8;
    void *cells = arena_array(a, n_rows ? n_rows : 1, each);
    if (!c || !cells || !name) return NULL;
    memset(cells, 0, (size_t)n_rows * each);
    c->name = name;
    c->type = (uint8_t)type;
    c->n_rows = n_rows;
    if (type == TIDE_F64)
        c->f64 = cells;
    else if (type == TIDE_BOOL)
        c->b = cells;
    else if (type == TIDE_CAT)
        c->code = cells;
    else
        c->i64 = cells;
    return c;
}

double *make_f64(const struct column *c)
{
    return (double *)(uintptr_t)c->f64;
}
uint8_t *make_bool(const struct column *c)
{
    return (uint8_t *)(uintptr_t)c->b;
}
uint32_t *make_codes(const struct column *c)
{
    return (uint32_t *)(uintptr_t)c->code;
}

const char *make_name(struct arena *a, const char *name, const char *suffix, size_t len)
{
    size_t n = strlen(name);
    char *s = arena_push(a, n + len + 1);
    if (!s) return NULL;
    memcpy(s, name, n);
    memcpy(s + n, suffix, len);
    s[n + len] = '\0';
    return s;
}

tide_status make_outputs(struct arena *a, int n, struct step_out *out, tide_error *err)
{
    out->n_cols = n;
    out->cols = arena_zero(a, sizeof *out->cols * (size_t)(n ? n : 1));
    out->from = arena_zero(a, sizeof *out->from * (size_t)(n ? n : 1));
    return arena_status(a, err);
}

void make_from(struct step_out *out, int i, int from)
{
    ((int32_t *)(uintptr_t)out->from)[i] = from;
}

tide_status make_passed(const struct view *x, int j, struct arena *a,
                        const struct column **out, tide_error *err)
{
    const struct column *from = x->cols[j];
    *out = from;
    if (!x->rows) return TIDE_OK;
    struct column *c =
        make_column(a, from->name, (enum tide_type)from->type, x->n_rows);
    if (!c) return arena_status(a, err);
    if (c->f64) view_numbers(x, j, 0, x->n_rows, make_f64(c));
    for (int64_t i = 0; i < x->n_rows; i++) {
        int64_t r = view_row(x, i);
        if (c->f64)
            c->n_missing += c->f64[i] != c->f64[i];
        else if (c->b)
            make_bool(c)[i] = from->b[r], c->n_missing += from->b[r] == BOOL_MISSING;
        else if (c->code)
            make_codes(c)[i] = from->code[r],
            c->n_missing += from->code[r] == CODE_MISSING;
        else
            ((int64_t *)(uintptr_t)c->i64)[i] = from->i64[r],
                      c->n_missing += from->i64[r] == I64_MISSING;
    }
    c->dict = from->dict;
    *out = c;
    return TIDE_OK;
}

tide_status make_numbers_only(const uint32_t *n_levels, int32_t n_cols,
                              const char *step, tide_error *err)
{
    for (int32_t j = 0; j < n_cols; j++)
        if (n_levels[j])
            return err_set(err, TIDE_CODE_TIDE_FEATURE,
                           "%s takes numbers and column %d holds categories", step,
                           j + 1);
    return TIDE_OK;
}
