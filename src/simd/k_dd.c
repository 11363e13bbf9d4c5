/* k_dd.c - sums of products in double-double, for the residuals of refinement
 *
 * A product and its rounding error: by fma where the set has it, else by Dekker's splitting.
 * Both are exact, so the bits are equal. Elements: hi + lo, |lo| <= ulp(hi)/2. */
#include "simd/simd.h"

void KERNEL(dd_axpy)(const double a[2], const double *x, const double *x_lo,
                     double *r_hi, double *r_lo, int64_t n);
void KERNEL(dd_dot)(const double *x, const double *x_lo, const double *r_hi,
                    const double *r_lo, int64_t n, double out[2]);

#define INLINE static inline __attribute__((always_inline))

INLINE double product_error(double a, double b, double p)
{
#if defined(SIMD_IS_avx2) || defined(SIMD_IS_avx512)
    return __builtin_fma(a, b, -p);
#else
    double c = 134217729.0; /* 2^27 + 1 */
    double ac = c * a, ah = ac - (ac - a), al = a - ah;
    double bc = c * b, bh = bc - (bc - b), bl = b - bh;
    return ((ah * bh - p) + ah * bl + al * bh) + al * bl;
#endif
}

/* (hi, lo) += (p, e) */
INLINE void add_pair(double *hi, double *lo, double p, double e)
{
    double s = *hi + p, t = s - *hi;
    double rest = ((*hi - (s - t)) + (p - t)) + (*lo + e);
    *hi = s + rest;
    *lo = rest - (*hi - s);
}

/* r += a x, all in pairs; x_lo NULL: 0 */
void KERNEL(dd_axpy)(const double a[2], const double *restrict x,
                     const double *restrict x_lo, double *restrict r_hi,
                     double *restrict r_lo, int64_t n)
{
    double ah = a[0], al = a[1];
    if (x_lo) {
        for (int64_t i = 0; i < n; i++) {
            double p = ah * x[i],
                   e = product_error(ah, x[i], p) + (al * x[i] + ah * x_lo[i]);
            add_pair(&r_hi[i], &r_lo[i], p, e);
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        double p = ah * x[i], e = product_error(ah, x[i], p) + al * x[i];
        add_pair(&r_hi[i], &r_lo[i], p, e);
    }
}

#define LANES 8
void KERNEL(dd_dot)(const double *x, const double *x_lo, const double *r_hi,
                    const double *r_lo, int64_t n, double out[2])
{
    double hi[LANES] = {0}, lo[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) {
            double p = x[i + l] * r_hi[i + l];
            double e = product_error(x[i + l], r_hi[i + l], p) + x[i + l] * r_lo[i + l];
            if (x_lo) e += x_lo[i + l] * r_hi[i + l];
            add_pair(&hi[l], &lo[l], p, e);
        }
    for (int l = 0; i + l < n; l++) {
        double p = x[i + l] * r_hi[i + l];
        double e = product_error(x[i + l], r_hi[i + l], p) + x[i + l] * r_lo[i + l];
        if (x_lo) e += x_lo[i + l] * r_hi[i + l];
        add_pair(&hi[l], &lo[l], p, e);
    }
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            add_pair(&hi[l], &lo[l], hi[l + half], lo[l + half]);
    out[0] = hi[0], out[1] = lo[0];
}
