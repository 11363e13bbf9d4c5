/* moments.c - mean, spread and higher moments without cancellation; quantiles of type 7
 *
 * Pieces of 256 values take two passes (mean about the first value, then powers of the
 * distance to it) and meet by the pairwise formulas of Chan et al. 1979 and Pebay 2008. */
#include <math.h>

#include "math/special.h"

#define PIECE 256

void moments_merge(struct moments *to, const struct moments *from)
{
    to->n_missing += from->n_missing;
    if (from->n == 0) return;
    if (to->n == 0) {
        int64_t missing = to->n_missing;
        *to = *from;
        to->n_missing = missing;
        return;
    }
    double na = (double)to->n, nb = (double)from->n, n = na + nb;
    double d = from->mean - to->mean, d2 = d * d, ab = na * nb / n;
    double m2 = to->m2 + from->m2 + d2 * ab;
    double m3 = to->m3 + from->m3 + d2 * d * ab * (na - nb) / n +
                3.0 * d * (na * from->m2 - nb * to->m2) / n;
    double m4 = to->m4 + from->m4 +
                d2 * d2 * ab * (na * na - na * nb + nb * nb) / (n * n) +
                6.0 * d2 * (na * na * from->m2 + nb * nb * to->m2) / (n * n) +
                4.0 * d * (na * from->m3 - nb * to->m3) / n;
    to->mean += d * nb / n;
    to->m2 = m2, to->m3 = m3, to->m4 = m4;
    to->n += from->n;
    to->min = from->min < to->min ? from->min : to->min;
    to->max = from->max > to->max ? from->max : to->max;
}

void moments_add(struct moments *m, const double *x, int64_t n)
{
    double v[PIECE];
    for (int64_t i = 0; i < n;) {
        struct moments p = {.n = 0};
        for (; i < n && p.n < PIECE; i++) {
            if (x[i] == x[i])
                v[p.n++] = x[i];
            else
                p.n_missing++;
        }
        if (p.n > 0) {
            double sum = 0, low = v[0], high = v[0], lost = 0;
            for (int64_t k = 1; k < p.n; k++) {
                sum += v[k] - v[0];
                low = v[k] < low ? v[k] : low;
                high = v[k] > high ? v[k] : high;
            }
            p.mean = v[0] + sum / (double)p.n;
            for (int64_t k = 0; k < p.n; k++) {
                double d = v[k] - p.mean, d2 = d * d;
                lost += d;
                p.m2 += d2;
                p.m3 += d2 * d;
                p.m4 += d2 * d2;
            }
            lost /= (double)p.n; /* the mean's rounding, taken back out */
            p.mean += lost;
            p.m2 -= lost * lost * (double)p.n;
            p.min = low, p.max = high;
        }
        moments_merge(m, &p);
    }
}

double moments_sd(const struct moments *m, int ddof)
{
    return m->n > ddof ? sqrt(m->m2 / (double)(m->n - ddof)) : (double)NAN;
}

double quantile_sorted(const double *sorted, int64_t n, double p)
{
    if (n <= 0 || !(p >= 0 && p <= 1)) return (double)NAN;
    double h = (double)(n - 1) * p, whole = floor(h), t = h - whole;
    int64_t lo = (int64_t)whole, hi = lo + 1 < n ? lo + 1 : lo;
    double d = sorted[hi] - sorted[lo];
    if (!(fabs(d) < (double)INFINITY)) return sorted[lo] * (1.0 - t) + sorted[hi] * t;
    return t < 0.5 ? sorted[lo] + t * d : sorted[hi] - (1.0 - t) * d;
}
