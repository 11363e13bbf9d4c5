/* k_quantise.c - bin codes of numbers: how many edges lie below, NaN is the missing code */
#include "simd/simd.h"

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge, uint8_t *out);
void KERNEL(quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge, uint16_t *out);

/* #{i: edge[i] < x} by halving; x is not NaN */
static int count_below(double x, const double *edge, int n_edge)
{
    int lo = 0, hi = n_edge;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (edge[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] != x[i] ? UINT8_MAX : (uint8_t)count_below(x[i], edge, n_edge);
}

void KERNEL(quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge, uint16_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] != x[i] ? UINT16_MAX : (uint16_t)count_below(x[i], edge, n_edge);
}
