/* out_of_bag.h - what members say of the rows that they have not seen: forests, bagging */
#ifndef LEARNERS_TREE_OUT_OF_BAG_H
#define LEARNERS_TREE_OUT_OF_BAG_H
#include "base/arena.h"
#include "spec/entry.h"

/* Rows that somebody spoke of; sums by weight. */
struct oob_sums {
    double weight;
    double score;  /* classes: right answers; numbers: squared errors */
    double spread; /* numbers: squared distances from the mean */
};
/* Adds row i, of which `said` members said sum[] together (a class's probabilities, or a number);
 * mean: of the targets. */
void oob_add(struct oob_sums *to, const struct fit_data *d, int64_t i,
             const double *sum, int32_t said, double mean);
void oob_fold(struct oob_sums *to, const struct oob_sums *part);
/* "out-of-bag accuracy 0.9512" or "out-of-bag R2 0.8123"; what: "tree". Memory from the arena, NULL
 * without. */
const char *oob_text(const struct oob_sums *s, uint32_t task, const char *what,
                     struct arena *a);
#endif
