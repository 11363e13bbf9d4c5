/* own_loss.h - the caller's own loss: derivatives and value by callback (own_loss.c) */
#ifndef LEARNERS_TREE_OWN_LOSS_H
#define LEARNERS_TREE_OWN_LOSS_H
#include <tidemill/model.h>

#include "base/arena.h"
#include "learners/tree/objective.h"

struct own_loss;
/* For the rows list[0..m) of `rows`, in ascending order; ids name them in errors. Everything is
 * from the arena; `rows` and `list` must outlive it. Errors: param-conflict when `of` has no
 * gradient, memory. */
tide_status own_loss_new(const struct tide_loss *of, const struct grad_rows *rows,
                         const uint32_t *list, int64_t m, struct arena *a,
                         struct own_loss **out, tide_error *err);
/* Derivatives at these scores [rows->n] into own_loss_g and own_loss_h; rows outside the list keep
 * 0. round, from 0, is for errors. Errors: numeric-diverged with row and round. */
tide_status own_loss_derive(struct own_loss *l, const double *score, int32_t round,
                            tide_error *err);
const double *own_loss_g(const struct own_loss *l); /* [rows->n] */
const double *own_loss_h(const struct own_loss *l); /* [rows->n] */
/* Second derivatives below 0 that were taken as 0, in all rounds. */
int64_t own_loss_raised(const struct own_loss *l);
/* The caller's value of rows list[0..m) at these scores; memory for it is made when first asked.
 * Errors: numeric-diverged, memory. */
tide_status own_loss_value(struct own_loss *l, const struct grad_rows *rows,
                           const double *score, const uint32_t *list, int64_t m,
                           double *value, tide_error *err);
#endif
