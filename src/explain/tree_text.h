/* tree_text.h - one tree of a model, in words; private to this room */
#ifndef EXPLAIN_TREE_TEXT_H
#define EXPLAIN_TREE_TEXT_H
#include "base/arena.h"
#include "base/str.h"
#include "infer/ensemble.h"
#include "pipe/pipe.h"

struct tree_writing {
    const tide_model *m;
    const struct ensemble *e;
    struct str *out;
};
/* The trees of a model's learner, into the arena, if it has tree number `tree`, from 1.
 * Errors: param-conflict without trees, param-range, memory. */
tide_status tree_open(const tide_model *model, int64_t tree, struct arena *a,
                      struct ensemble **out, tide_error *err);
/* "age <= 33.5" of a node; where missing values go is not said. */
void tree_put_test(const struct tree_writing *w, uint32_t node);
/* "tree 1 of 30 for yes: 31 leaves, depth 9" of tree t, from 0. */
void tree_put_head(const struct tree_writing *w, int32_t t);
#endif
