/* roc.h - rows of two classes in order of their scores: what ROC, precision-recall, lift, KS
 * and their bootstraps walk over
 *
 * Sorted once, highest score first; rows of one score form a group that is walked as one step,
 * so that no curve depends on the order of ties. */
#ifndef MATH_ROC_H
#define MATH_ROC_H
#include <stdint.h>

#include "base/arena.h"

struct roc {
    int64_t n;
    const double *score; /* [n] not rising */
    const uint8_t *pos;  /* [n] 1: positive */
    const uint8_t *last; /* [n] 1: last row of its group */
    const double *w;     /* [n] or NULL = 1 */
    const uint32_t *row; /* [n] where it stood before sorting */
    int64_t n_groups;
    double w_pos, w_neg;
};
/* Sorts n rows. The result lives in the arena; -1 when the arena failed. n < 2^32. */
int roc_sort(struct arena *a, const double *score, const uint8_t *pos, const double *w,
             int64_t n, struct roc *out);
/* Weight of positives and negatives at or above each of the n_groups scores, highest first. */
void roc_points(const struct roc *r, double *tp, double *fp, double *threshold);
/* Area under the curve: the share of (positive, negative) pairs in order, ties one half. Exact
 * integers without weights. NaN when a class is absent. */
double roc_area(const struct roc *r);
/* The same with row i counted count[i] times (and its weight). */
double roc_area_counts(const struct roc *r, const uint8_t *count);
/* Of each row, in sorted order, the share of the other class that it stands on the right side
 * of, ties half: its placement. -1 when the arena failed. Both classes must occur. */
int roc_places(struct arena *a, const struct roc *r, double *place);
/* Standard error of the area by placements (DeLong et al. 1988, in n log n by Sun and Xu 2014);
 * NaN with fewer than two rows of a class. */
double roc_area_error(struct arena *a, const struct roc *r);
#endif
