/* range.c - four values at a time, which compilers turn into vectors */
#include "math/range.h"

#include <math.h>

struct range range_new(void)
{
    struct range r = {.n_missing = 0};
    for (int l = 0; l < RANGE_LANES; l++) {
        r.lane_lo[l] = INFINITY;
        r.lane_hi[l] = -INFINITY;
    }
    return r;
}

void range_add(struct range *r, const double *x, int64_t n)
{
    double lo[RANGE_LANES], hi[RANGE_LANES];
    int64_t i = 0, gaps[RANGE_LANES] = {0};
    for (int l = 0; l < RANGE_LANES; l++) lo[l] = r->lane_lo[l], hi[l] = r->lane_hi[l];
    for (; i + RANGE_LANES <= n; i += RANGE_LANES)
        for (int l = 0; l < RANGE_LANES; l++) { /* NaN is neither less nor more */
            double v = x[i + l];
            lo[l] = v < lo[l] ? v : lo[l];
            hi[l] = v > hi[l] ? v : hi[l];
            gaps[l] += v != v;
        }
    for (; i < n; i++) {
        lo[0] = x[i] < lo[0] ? x[i] : lo[0];
        hi[0] = x[i] > hi[0] ? x[i] : hi[0];
        gaps[0] += x[i] != x[i];
    }
    for (int l = 0; l < RANGE_LANES; l++) {
        r->lane_lo[l] = lo[l];
        r->lane_hi[l] = hi[l];
        r->n_missing += gaps[l];
    }
}

double range_lo(const struct range *r)
{
    double lo = r->lane_lo[0], hi = r->lane_hi[0];
    for (int l = 1; l < RANGE_LANES; l++) {
        lo = r->lane_lo[l] < lo ? r->lane_lo[l] : lo;
        hi = r->lane_hi[l] > hi ? r->lane_hi[l] : hi;
    }
    return lo <= hi ? lo + 0.0 : (double)NAN;
}

double range_hi(const struct range *r)
{
    double hi = r->lane_hi[0];
    for (int l = 1; l < RANGE_LANES; l++) hi = r->lane_hi[l] > hi ? r->lane_hi[l] : hi;
    return isnan(range_lo(r)) ? (double)NAN : hi + 0.0;
}
