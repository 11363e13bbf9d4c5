/* explain.h - inside of explain/ */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H
#include "pipe/pipe.h"

struct ensemble;
/* The trees of a model's learner, or NULL. */
const struct ensemble *explain_trees(const tide_model *model);
/* What the learner sees of a frame: bound columns after the steps, in the arena. */
tide_status explain_see(tide_ctx *ctx, const tide_model *model, const tide_frame *frame,
                        struct arena *a, struct view *v, tide_error *err);
#endif
