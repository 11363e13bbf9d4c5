/* k_tree_part.c - stable partition of row numbers by a byte code, without branches */
#include "simd/simd.h"

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left, uint32_t *out_right);

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left, uint32_t *out_right)
{
    int64_t l = 0, r = 0;
    for (int64_t i = 0; i < n; i++) {
        uint32_t id = ids[i];
        if (left[column[id]])
            out_left[l++] = id;
        else
            out_right[r++] = id;
    }
    return l;
}
