/* vmath.h - own elementary functions: the same bits on every machine and instruction set
 *
 * A C library chooses variants by CPU, so its last bit is not ours (reliability.md 4.2). All
 * within 2 ulp (exp, log, log1p, expm1, tanh, erf) of the exact value; plain mul and add, no fma. */
#ifndef SIMD_VMATH_H
#define SIMD_VMATH_H
double vm_exp(double x);
double vm_expm1(double x);
double vm_log(double x); /* x <= 0: -inf at 0, NaN below */
double vm_log1p(double x);
double vm_log2(double x);
double vm_tanh(double x);
double vm_expit(double x); /* 1/(1+exp(-x)), within 2.5 ulp in both tails */
/* vm_expit(-x) and vm_expit(x), their bits, for the price of one exponential */
void vm_expit_both(double x, double *minus, double *plus);
double vm_softplus(double x); /* log(1+exp(x)) */
/* x > 0 by exp(y log x) in extra precision, <= 4 ulp; integer y by multiplication */
double vm_pow(double x, double y);
double vm_erf(double x);
double vm_erfc(double x);
double vm_norm_cdf(double x);
double vm_norm_quantile(double p);         /* AS 241 */
double vm_sin(double x), vm_cos(double x); /* |x| < 1e5 */
double vm_cosh(double x);
#endif
