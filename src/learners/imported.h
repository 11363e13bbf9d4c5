/* imported.h - models of other programs: what the importers write beside the ensemble
 *
 * The state of an imported model is an ensemble (infer/ensemble.h) and two arrays of section
 * TREES: "import_how" holds the fields below, "import_scale" one number. */
#ifndef LEARNERS_IMPORTED_H
#define LEARNERS_IMPORTED_H
#include "infer/imported_state.h"
#include "spec/learner.h"

/* Raw scores [n][outputs] of view rows [i0, i0 + n): in the mode of the model (`strict` -1), or
 * strict (1) or not (0). Strict is the source's own order and type of sums, so that the bits are
 * those of its raw scores; it does not use the engines and is the slow oracle of the tests. */
tide_status imported_margin(const void *object, const struct view *x, int64_t i0,
                            int64_t n, int strict, double *out, tide_error *err);
#endif
