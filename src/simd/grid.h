/* grid.h - the cell of a value, the same to who fills a grid and to who reads it */
#ifndef SIMD_GRID_H
#define SIMD_GRID_H
#include "simd/simd.h"
#include "simd/vmath_core.h"

/* Without a branch; missing values come into cell 0. */
CORE_INLINE int32_t grid_cell(double x, double lo, double scale)
{
    double at = (x - lo) * scale;
    at = core_select(at > 0, at, 0.0);
    at = core_select(at < SIMD_GRID - 1, at, SIMD_GRID - 1);
    return (int32_t)at;
}
#endif
