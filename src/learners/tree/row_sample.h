/* row_sample.h - which rows a tree learns from, and what they weigh */
#ifndef LEARNERS_TREE_ROW_SAMPLE_H
#define LEARNERS_TREE_ROW_SAMPLE_H
#include "learners/tree/grad.h"

enum row_sampling { SAMPLE_UNIFORM, SAMPLE_GOSS, SAMPLE_MVS };
extern const char *const row_sampling_names[4];

/* Chances of rows by their gradients. */
struct row_chances {
    enum row_sampling how;
    int shift; /* gradients are looked at in units of 2^shift */
    double edge, rest, ridge;
};
#define ROW_SAMPLE_LEVELS 32768
/* Chances that make `share` of the rows list[0..n) likely to be drawn, by the gradients that
 * grad_make left. count: scratch [ROW_SAMPLE_LEVELS]. Order-free. */
void row_chances_find(const struct grad *g, enum row_sampling how, double share,
                      const uint32_t *list, int64_t n, int64_t *count,
                      struct row_chances *out);
/* The chance of one row, in (0, 1]; a row that was drawn weighs 1 over it. */
double row_chance(const struct grad *g, const struct row_chances *c, int64_t row);
/* unit[i]: place of row i's group among all groups in the order of their draws for stopping.
 * Returns how many groups there are, 0 when the arena failed. */
int64_t row_groups_draw(const int64_t *group, int64_t n, uint64_t seed, struct arena *a,
                        int64_t *unit);
#endif
