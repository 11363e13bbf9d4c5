/* formats.h - tables through a reader and back: for unit tests and fuzzing */
#ifndef SUPPORT_FORMATS_H
#define SUPPORT_FORMATS_H
#include <string.h>

#include "base/str.h"
#include "frame/frame.h"
#include "spec/reader.h"

typedef tide_status (*format_read)(struct tide_ctx *ctx, const char *path,
                                   const char *data, size_t n_data,
                                   const struct tide_read_options *options,
                                   tide_frame **out, tide_error *err);

static inline int format_sink(void *payload, const void *data, size_t n)
{
    str_addn(payload, data, n);
    return 0;
}

static inline int format_is_number(const struct column *c)
{
    return c->type == TIDE_I64 || c->type == TIDE_F64;
}

/* NULL when both hold the same cells; else what differs. 1.0 may come back as the whole number 1. */
static inline const char *format_difference(const tide_frame *a, const tide_frame *b)
{
    static char said[400];
    if (a->n_rows != b->n_rows || a->n_cols != b->n_cols) {
        str_format(said, sizeof said, "%lld x %d, not %lld x %d", (long long)b->n_rows,
                   b->n_cols, (long long)a->n_rows, a->n_cols);
        return said;
    }
    for (int j = 0; j < a->n_cols; j++) {
        const struct column *x = &a->cols[j], *y = &b->cols[j];
        str_format(said, sizeof said, "column %d '%.40s': name, type %s or %s, missing",
                   j, x->name, tide_type_name((enum tide_type)x->type),
                   tide_type_name((enum tide_type)y->type));
        if (strcmp(x->name, y->name) != 0 || x->n_missing != y->n_missing) return said;
        if (x->type != y->type && !(format_is_number(x) && format_is_number(y)))
            return said;
        for (int64_t i = 0; i < a->n_rows; i++) {
            char s[64], t[64];
            int64_t n = column_text(x, i, s, sizeof s),
                    m = column_text(y, i, t, sizeof t);
            if (format_is_number(x)) {
                double u = tide_frame_number(a, i, j), v = tide_frame_number(b, i, j);
                if (u == v || (u != u && v != v)) continue;
            } else if (n == m && strcmp(s, t) == 0) {
                continue;
            }
            str_format(said, sizeof said, "row %lld of '%.40s': \"%s\", not \"%s\"",
                       (long long)i, x->name, t, s);
            return said;
        }
    }
    return NULL;
}
#endif
