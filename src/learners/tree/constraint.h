/* constraint.h - what a user forbids a tree, from text to lanes (trees.md 5) */
#ifndef LEARNERS_TREE_CONSTRAINT_H
#define LEARNERS_TREE_CONSTRAINT_H
#include "learners/tree/bins.h"
#include "learners/tree/grow.h"

/* "+age,-price": the prediction never falls when age grows, nor rises when price does. Gives
 * +1, -1 or 0 a lane into rules->monotone (NULL where the text is empty). */
tide_status constraint_monotone(const char *text, const struct view *x,
                                const struct bin_cuts *cuts, struct arena *a,
                                struct grow_rules *rules, tide_error *err);
/* "age,sex;price,area": columns on one path from the root share one of the groups; a column in no
 * group shares a path with none. Gives a bit a group and lane into rules->groups. */
#define CONSTRAINT_GROUPS 64
tide_status constraint_interact(const char *text, const struct view *x,
                                const struct bin_cuts *cuts, struct arena *a,
                                struct grow_rules *rules, tide_error *err);
/* The column of the view that an option names. */
tide_status constraint_column(const char *option, const char *name,
                              const struct view *x, struct arena *a, int32_t *out,
                              tide_error *err);
#endif
