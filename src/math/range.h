/* range.h - least, largest and missing values of numbers, taken in pieces */
#ifndef MATH_RANGE_H
#define MATH_RANGE_H
#include <stdint.h>

#define RANGE_LANES 4

/* Begin with range_new(), add pieces in any order, then ask. */
struct range {
    double lane_lo[RANGE_LANES], lane_hi[RANGE_LANES];
    int64_t n_missing; /* NaN */
};
struct range range_new(void);
void range_add(struct range *r, const double *x, int64_t n);
/* NaN where no number was added; -0 counts as 0. */
double range_lo(const struct range *r);
double range_hi(const struct range *r);
#endif
