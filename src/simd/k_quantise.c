/* k_quantise.c - code = #{i: edge[i] < x}, by a search whose steps depend on n_edge alone
 *
 * Eight values take each halving step together, so that their loads overlap; there is no
 * branch on data. NaN compares false at every step and gets the missing code afterwards. */
#include "simd/simd.h"

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint8_t *out);
void KERNEL(quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge,
                          uint16_t *out);

#define LANES 8

/* Codes of LANES values; every value does the same steps. */
static inline void search_lanes(const double *x, const double *edge, int n_edge,
                                uint32_t *at)
{
    for (int j = 0; j < LANES; j++) at[j] = 0;
    int left = n_edge;
    while (left > 1) {
        uint32_t half = (uint32_t)(left >> 1);
        for (int j = 0; j < LANES; j++)
            at[j] += edge[at[j] + half - 1] < x[j] ? half : 0;
        left -= (int)half;
    }
    if (left == 1)
        for (int j = 0; j < LANES; j++) at[j] += edge[at[j]] < x[j];
}

static inline uint32_t search_one(double x, const double *edge, int n_edge)
{
    uint32_t at = 0;
    int left = n_edge;
    while (left > 1) {
        uint32_t half = (uint32_t)(left >> 1);
        at += edge[at + half - 1] < x ? half : 0;
        left -= (int)half;
    }
    return left == 1 ? at + (edge[at] < x) : at;
}

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint8_t *out)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        uint32_t at[LANES];
        search_lanes(x + i, edge, n_edge, at);
        for (int j = 0; j < LANES; j++)
            out[i + j] = (uint8_t)(x[i + j] == x[i + j] ? at[j] : 255);
    }
    for (; i < n; i++)
        out[i] = (uint8_t)(x[i] == x[i] ? search_one(x[i], edge, n_edge) : 255);
}

void KERNEL(quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge,
                          uint16_t *out)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        uint32_t at[LANES];
        search_lanes(x + i, edge, n_edge, at);
        for (int j = 0; j < LANES; j++)
            out[i + j] = (uint16_t)(x[i + j] == x[i + j] ? at[j] : 65535);
    }
    for (; i < n; i++)
        out[i] = (uint16_t)(x[i] == x[i] ? search_one(x[i], edge, n_edge) : 65535);
}
