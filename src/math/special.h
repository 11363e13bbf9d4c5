/* special.h - special functions, distributions and summaries; each within 1e-12 relative of
 * the reference in its header comment's range */
#ifndef MATH_SPECIAL_H
#define MATH_SPECIAL_H
#include <stdint.h>

#include "base/arena.h"
double special_lgamma(double x); /* x > 0 */
double special_digamma(double x);
double special_beta_inc(double a, double b, double x); /* regularised I_x(a, b) */
double special_beta_quantile(double a, double b, double p);
double special_gamma_inc(double a, double x); /* regularised P(a, x) */
double special_chi2_sf(double x, double df);
double special_t_cdf(double t, double df);
double special_t_quantile(double p, double df);
double special_f_sf(double f, double df1, double df2);
double special_binom_two_sided(int64_t k, int64_t n); /* exact p at 1/2 */

/* Summaries in f64, missing (NaN) left out and counted. */
struct moments {
    int64_t n, n_missing;
    double mean, m2, m3, m4, min, max;
};
void moments_add(struct moments *m, const double *x, int64_t n); /* Welford in order */
void moments_merge(struct moments *to, const struct moments *from); /* Chan */
double moments_sd(const struct moments *m, int ddof);
/* Type 7 quantile of sorted values (R, numpy default). */
double quantile_sorted(const double *sorted, int64_t n, double p);

/* Weighted mean and standard deviation (divisor: the weights' sum) of what is not missing; no
 * overflow whatever the values. A deviation <= 2 ulp of the largest |x| is 0: constant. */
struct spread {
    double mean, sd, top, sum_w;
    int64_t n_missing;
};
struct simd_table;
void spread_of(const struct simd_table *simd, const double *x, const double *w,
               int64_t n, struct spread *out);
#endif
