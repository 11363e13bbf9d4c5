/* spread.c - weighted mean and standard deviation of a column with gaps
 *
 * Two passes over values scaled by a power of two: the mean about the first value, then the
 * squares about the mean, less what the mean's rounding put in. */
#include <math.h>

#include "math/special.h"
#include "simd/simd.h"

#define STRIP 512

/* Sums of w t and of w t^2, t = x scale - shift, over what is there. */
static void strip_sums(const struct simd_table *simd, const double *x, const double *w,
                       int64_t n, double scale, double shift, double sum[3])
{
    double t[STRIP], u[STRIP];
    sum[0] = sum[1] = sum[2] = 0;
    for (int64_t r = 0; r < n; r += STRIP) {
        int64_t m = 0, end = n - r < STRIP ? n : r + STRIP;
        for (int64_t i = r; i < end; i++) {
            if (x[i] != x[i]) continue;
            t[m] = x[i] * scale - shift;
            u[m++] = w ? w[i] : 1.0;
        }
        sum[0] += w ? simd->dot(t, u, m) : simd->sum(t, m);
        sum[1] += w ? simd->dot3(t, t, u, m) : simd->dot(t, t, m);
        sum[2] += w ? simd->sum(u, m) : (double)m;
    }
}

void spread_of(const struct simd_table *simd, const double *x, const double *w,
               int64_t n, struct spread *out)
{
    double top = 0, first = 0, sum[3];
    int e;
    *out = (struct spread){.n_missing = n};
    for (int64_t i = n - 1; i >= 0; i--) {
        if (x[i] != x[i]) continue;
        first = x[i];
        top = fabs(x[i]) > top ? fabs(x[i]) : top;
        out->n_missing--;
    }
    if (out->n_missing == n) return;
    (void)frexp(top, &e);
    e = e > 1000 ? 1000 : e < -1000 ? -1000 : e;
    double scale = ldexp(1.0, -e), back = ldexp(1.0, e);
    strip_sums(simd, x, w, n, scale, first * scale, sum);
    double mean = first * scale + sum[0] / sum[2];
    out->sum_w = sum[2];
    strip_sums(simd, x, w, n, scale, mean, sum);
    double off = sum[0] / sum[2], square = sum[1] / sum[2] - off * off;
    double sd = sqrt(square > 0 ? square : 0.0);
    out->top = top;
    out->mean = (mean + off) * back;
    out->sd = sd <= 2 * 0x1p-52 * (top * scale) ? 0.0 : sd * back;
}
