/* k_quantise.c - code = #{i: edge[i] < x}, by a search whose steps depend on n_edge alone
 *
 * Eight values take each halving step together, so that their loads overlap; there is no
 * branch on data. NaN compares false at every step and gets the missing code afterwards.
 * AVX-512: every 16th edge lies in two registers, where four steps find the group; four steps
 * of gathers find the place within it.
 * quantise_grid: the cell of a value by arithmetic, then the few edges of the cell; AVX-512 searches
 * as above. */
#include "simd/grid.h"
#include "simd/simd.h"
#ifdef SIMD_IS_avx512
#include <immintrin.h>
#include <math.h>
#endif

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint8_t *out);
void KERNEL(quantise_grid)(const struct simd_grid *grid, const double *x, int64_t n,
                           const double *edge, int n_edge, uint8_t *out);
void KERNEL(quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge,
                          uint16_t *out);

#define LANES 8

/* `half` where the edge is below x; a mask, for a choice may become a branch */
static inline uint32_t step_by(double edge, double x, uint32_t half)
{
    return half & ((uint32_t)0 - (uint32_t)(edge < x));
}

/* Codes of LANES values; every value does the same steps. */
static inline void search_lanes(const double *x, const double *edge, int n_edge,
                                uint32_t *at)
{
    for (int j = 0; j < LANES; j++) at[j] = 0;
    int left = n_edge;
    while (left > 1) {
        uint32_t half = (uint32_t)(left >> 1);
        for (int j = 0; j < LANES; j++)
            at[j] += step_by(edge[at[j] + half - 1], x[j], half);
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
        at += step_by(edge[at + half - 1], x, half);
        left -= (int)half;
    }
    return left == 1 ? at + (edge[at] < x) : at;
}

#ifdef SIMD_IS_avx512
/* Edges below x among the 15 of two registers (the 16th is infinite), for 8 values. */
static inline __m512i search_near(__m512d x, __m512d near0, __m512d near1)
{
    __m512i at = _mm512_setzero_si512();
    for (long long half = 8; half >= 1; half /= 2) {
        __m512i probe = _mm512_add_epi64(at, _mm512_set1_epi64(half - 1));
        __m512d e = _mm512_permutex2var_pd(near0, probe, near1);
        __mmask8 below = _mm512_cmp_pd_mask(e, x, _CMP_LT_OQ);
        at = _mm512_mask_add_epi64(at, below, at, _mm512_set1_epi64(half));
    }
    return at;
}

/* Whole groups of 8 values; how many were done. few: at most 15 edges. */
static inline int64_t quantise_groups(const double *x, int64_t n, const double *all,
                                      int few, uint8_t *out)
{
    double near[16];
    int64_t i = 0;
    for (int j = 0; j < 16; j++)
        near[j] = few ? all[j] : j < 15 ? all[16 * j + 15] : (double)INFINITY;
    const __m512d near0 = _mm512_loadu_pd(near), near1 = _mm512_loadu_pd(near + 8);
    for (; i + 8 <= n; i += 8) {
        __m512d v = _mm512_loadu_pd(x + i);
        __m512i at = search_near(v, near0, near1);
        if (!few) {
            at = _mm512_slli_epi64(at, 4);
            for (long long half = 8; half >= 1; half /= 2) {
                __m512i probe = _mm512_add_epi64(at, _mm512_set1_epi64(half - 1));
                __m512d e = _mm512_i64gather_pd(probe, all, 8);
                __mmask8 below = _mm512_cmp_pd_mask(e, v, _CMP_LT_OQ);
                at = _mm512_mask_add_epi64(at, below, at, _mm512_set1_epi64(half));
            }
        }
        __mmask8 nan = _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q);
        at = _mm512_mask_mov_epi64(at, nan, _mm512_set1_epi64(255));
        _mm_storel_epi64((__m128i *)(void *)(out + i), _mm512_cvtepi64_epi8(at));
    }
    return i;
}
#endif

void KERNEL(quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint8_t *out)
{
    int64_t i = 0;
#ifdef SIMD_IS_avx512
    double all[256];
    for (int j = 0; j < 256; j++) all[j] = j < n_edge ? edge[j] : (double)INFINITY;
    i = n_edge <= 15 ? quantise_groups(x, n, all, 1, out)
                     : quantise_groups(x, n, all, 0, out);
#else
    for (; i + LANES <= n; i += LANES) {
        uint32_t at[LANES];
        search_lanes(x + i, edge, n_edge, at);
        for (int j = 0; j < LANES; j++)
            out[i + j] = (uint8_t)(x[i + j] == x[i + j] ? at[j] : 255);
    }
#endif
    for (; i < n; i++)
        out[i] = (uint8_t)(x[i] == x[i] ? search_one(x[i], edge, n_edge) : 255);
}

#ifdef SIMD_IS_avx512
void KERNEL(quantise_grid)(const struct simd_grid *grid, const double *x, int64_t n,
                           const double *edge, int n_edge, uint8_t *out)
{
    (void)grid;
    KERNEL(quantise_u8)(x, n, edge, n_edge, out);
}
#else
#define GRID_ROWS 64

/* Codes of n values in the given cells, each of which holds at most `most` edges. */
static inline void grid_some(const struct simd_grid *grid, const double *x,
                             const int32_t *cell, int n, int most, uint8_t *out)
{
    for (int i = 0; i < n; i++) {
        uint32_t first = grid->first[cell[i]], at = first;
        for (int j = 0; j < most; j++) at += grid->edge[first + (uint32_t)j] < x[i];
        out[i] = (uint8_t)(at | ((uint32_t)0 - (uint32_t)(x[i] != x[i])));
    }
}

void KERNEL(quantise_grid)(const struct simd_grid *grid, const double *x, int64_t n,
                           const double *edge, int n_edge, uint8_t *out)
{
    int32_t cell[GRID_ROWS];
    (void)edge;
    (void)n_edge;
    for (int64_t i = 0; i < n; i += GRID_ROWS) {
        int m = n - i < GRID_ROWS ? (int)(n - i) : GRID_ROWS;
        for (int j = 0; j < m; j++)
            cell[j] = grid_cell(x[i + j], grid->lo, grid->scale);
        if (grid->most == 1)
            grid_some(grid, x + i, cell, m, 1, out + i);
        else if (grid->most == 2)
            grid_some(grid, x + i, cell, m, 2, out + i);
        else
            grid_some(grid, x + i, cell, m, SIMD_GRID_MOST, out + i);
    }
}
#endif

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
