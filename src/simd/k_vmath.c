/* k_vmath.c - exp, log, logistic and softmax over arrays, equal bits on every set */
#include "simd/simd.h"
#include "simd/vmath_core.h"

void KERNEL(vexp)(const double *x, double *out, int64_t n);
void KERNEL(vlog)(const double *x, double *out, int64_t n);
void KERNEL(vexpit)(const double *x, double *out, int64_t n);
void KERNEL(vlogaddexp0)(const double *x, double *out, int64_t n);
void KERNEL(vsoftmax)(double *z, int64_t n, int k);

/* x and out may be the same array: each element is read before it is written. Chunks pass
 * through a small buffer so that the compiler knows that nothing overlaps. */
#define CHUNK 64
#define MAP(NAME, CORE)                                                                \
    void KERNEL(NAME)(const double *x, double *out, int64_t n)                         \
    {                                                                                  \
        double in[CHUNK], res[CHUNK];                                                  \
        int64_t i = 0;                                                                 \
        for (; i + CHUNK <= n; i += CHUNK) {                                           \
            memcpy(in, x + i, sizeof in);                                              \
            for (int c = 0; c < CHUNK; c++) res[c] = CORE(in[c]);                      \
            memcpy(out + i, res, sizeof res);                                          \
        }                                                                              \
        for (; i < n; i++) out[i] = CORE(x[i]);                                        \
    }

MAP(vexp, core_exp)
MAP(vlog, core_log)
MAP(vexpit, core_expit)
MAP(vlogaddexp0, core_softplus)

void KERNEL(vsoftmax)(double *z, int64_t n, int k)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = z + i * k, top = row[0];
        for (int c = 1; c < k; c++) top = row[c] > top ? row[c] : top;
        for (int c = 0; c < k; c++) row[c] -= top;
    }
    KERNEL(vexp)(z, z, n * k);
    for (int64_t i = 0; i < n; i++) {
        double *row = z + i * k, sum = 0;
        for (int c = 0; c < k; c++) sum += row[c];
        for (int c = 0; c < k; c++) row[c] /= sum;
    }
}
