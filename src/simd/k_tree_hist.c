/* k_tree_hist.c - sums of quantised gradients by bin code (trees.md 4) */
#include "simd/simd.h"

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane, const uint32_t *ids,
                       int64_t n, const uint32_t *gq, uint64_t *hist);

void KERNEL(tree_hist)(const uint8_t *codes, int64_t stride, int n_lane, const uint32_t *ids,
                       int64_t n, const uint32_t *gq, uint64_t *hist)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t row = ids ? ids[i] : i;
        int16_t g = (int16_t)(gq[row] >> 16);
        uint64_t cell = ((uint64_t)(int64_t)g << 32) + (gq[row] & 0xffff);
        const uint8_t *code = codes + row * stride;
        for (int f = 0; f < n_lane; f++) hist[f * 256 + code[f]] += cell;
    }
}
