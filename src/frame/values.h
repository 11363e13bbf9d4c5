/* values.h - what readers of typed tables share: which columns are wanted, values of other
 * widths and units, columns made into a declared type
 *
 * Formats with types of their own (Parquet, Arrow, PostgreSQL) read each column as the nearest
 * type of ours; a type that the caller declared is made from that afterwards. */
#ifndef FRAME_VALUES_H
#define FRAME_VALUES_H
#include <stdint.h>

#include "base/size.h"
#include "frame/frame.h"

/* Texts of a column are a category, and not text, when levels are few, repeat and are short:
 * the same rule as for CSV. */
#define LEVELS_MOST 65536
int texts_are_category(int64_t levels, int64_t rows, int64_t cells, int64_t bytes);

enum time_unit { TIME_DAYS, TIME_S, TIME_MS, TIME_US, TIME_NS };
/* Microseconds; non-zero when they do not fit. Sets *cut when nanoseconds were dropped. */
static inline int time_from(int64_t v, enum time_unit unit, int64_t *us, int *cut)
{
    static const int64_t factor[] = {INT64_C(86400000000), 1000000, 1000, 1};
    if (unit != TIME_NS) return i64_mul(v, factor[unit], us);
    int64_t rest = v % 1000;
    *us = v / 1000 - (rest < 0);
    *cut |= rest != 0;
    return 0;
}
/* A number of 16 bits (IEEE binary16). */
double half_number(uint16_t bits);

/* take[j] = 1 for the columns that the options want (all, when they name none), type[j] = the
 * declared enum tide_type or 0. Errors: data-column with the nearest name, param-value. */
tide_status wanted_columns(const char *const *names, int n,
                           const struct tide_read_options *o, const char *path,
                           uint8_t *take, uint8_t *type, tide_error *err);
/* Makes a column of a frame that is being built the declared type. Errors: data-type with the
 * row. */
tide_status column_retype(tide_frame *f, struct column *c, enum tide_type type,
                          tide_error *err);
/* The tokens of `na` become missing in a category or text column. */
tide_status column_drop_tokens(tide_frame *f, struct column *c,
                               const struct tide_text_list *na, tide_error *err);
#endif
