/* grid.c - cells for the edges of a column */
#include "simd/grid.h"

#define GRID_LEAST 16 /* edges below which a search takes few steps anyway */

int simd_grid_new(const double *edge, int n_edge, struct simd_grid *grid)
{
    int32_t count[SIMD_GRID] = {0}, before = 0;
    if (n_edge < GRID_LEAST || n_edge > 254) return 0;
    double lo = edge[0], scale = SIMD_GRID / (edge[n_edge - 1] - lo);
    if (!(scale > 0 && scale < (double)INFINITY)) return 0;
    grid->lo = lo;
    grid->scale = scale;
    grid->most = 0;
    for (int i = 0; i < n_edge; i++) count[grid_cell(edge[i], lo, scale)]++;
    for (int c = 0; c < SIMD_GRID; c++) {
        grid->first[c] = (uint8_t)before;
        before += count[c];
        if (count[c] > grid->most) grid->most = count[c];
    }
    for (int i = 0; i < 254 + SIMD_GRID_MOST; i++)
        grid->edge[i] = i < n_edge ? edge[i] : (double)INFINITY;
    return grid->most <= SIMD_GRID_MOST;
}
