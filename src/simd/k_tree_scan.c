/* k_tree_scan.c - the gain of every split of one column, and the first best
 *
 * One division a split: both quotients share a denominator. Each element is computed alone, so
 * every set gives the same bits; the largest is taken by value, the first of equals. */
#include <math.h>

#include "simd/simd.h"

int64_t KERNEL(tree_gain)(const double *gl, const double *hl, int64_t n,
                          const struct simd_split *split, double *out);

static inline double soft(double g, double l1)
{
    double a = fabs(g) - l1;
    return a > 0 ? a : 0; /* squared later: the sign does not matter */
}

int64_t KERNEL(tree_gain)(const double *restrict gl, const double *restrict hl,
                          int64_t n, const struct simd_split *split,
                          double *restrict out)
{
    const double g = split->g, h = split->h, l1 = split->l1, l2 = split->l2;
    const double min_h = split->min_h;
    for (int64_t i = 0; i < n; i++) {
        double a = soft(gl[i], l1), b = soft(g - gl[i], l1);
        double p = hl[i], q = h - hl[i];
        double gain = (a * a * (q + l2) + b * b * (p + l2)) / ((p + l2) * (q + l2));
        int ok = (p >= min_h) & (q >= min_h) & (p > 0) & (q > 0);
        out[i] = ok ? gain : -1;
    }
    double most[4] = {out[0], out[0], out[0], out[0]};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++)
            most[j] = out[i + j] > most[j] ? out[i + j] : most[j];
    for (; i < n; i++) most[0] = out[i] > most[0] ? out[i] : most[0];
    for (int j = 1; j < 4; j++) most[0] = most[j] > most[0] ? most[j] : most[0];
    for (i = 0; i + 1 < n && out[i] != most[0]; i++) {
    }
    return i;
}
