/* offset.h - a column whose value is added to the score instead of being learned from
 *
 * It stays a column of the model, so that predicting needs it by name as it needs the others. */
#ifndef LEARNERS_TREE_OFFSET_H
#define LEARNERS_TREE_OFFSET_H
#include "frame/frame.h"
#include "spec/state.h"

struct offset {
    int32_t column; /* -1: none */
    int32_t is_log; /* the logarithm of the value is added (exposure) */
};
/* Numbers of every row; a missing one, or an exposure that is not above 0, is an error. */
tide_status offset_read(const struct offset *o, const struct view *x, double *out,
                        tide_error *err);
/* Adds the values of rows [i0, i0 + n) to their scores; what cannot be read adds 0. */
void offset_add(const struct offset *o, const struct view *x, int64_t i0, int64_t n,
                double *score);
/* What one value adds. */
double offset_of(const struct offset *o, double value);
void offset_save(const struct offset *o, struct state *s);
/* {-1, 0} where the state has none. */
tide_status offset_load(const struct state *s, int32_t n_cols, const uint32_t *n_levels,
                        struct offset *out, tide_error *err);
#endif
