/* column_make.h - what steps share: new columns in an arena, and their names */
#ifndef PREP_COLUMN_MAKE_H
#define PREP_COLUMN_MAKE_H
#include "base/arena.h"
#include "frame/frame.h"
#include "spec/state.h"
#include "spec/step.h"

/* A column of zeros; NULL when the arena failed. name NULL: the arena failed before. */
struct column *make_column(struct arena *a, const char *name, enum tide_type type,
                           int64_t n_rows);
/* The cells of a column just made. */
double *make_f64(const struct column *c);
uint8_t *make_bool(const struct column *c);
uint32_t *make_codes(const struct column *c);
/* name + suffix[0..len) */
const char *make_name(struct arena *a, const char *name, const char *suffix,
                      size_t len);
tide_status make_outputs(struct arena *a, int n, struct step_out *out, tide_error *err);
void make_from(struct step_out *out, int i, int from);
/* The column itself, or its gathered copy when the view picks rows. */
tide_status make_passed(const struct view *x, int j, struct arena *a,
                        const struct column **out, tide_error *err);
/* tide-feature when one of the columns holds categories. */
tide_status make_numbers_only(const uint32_t *n_levels, int32_t n_cols,
                              const char *step, tide_error *err);
#endif
