/* k_tree_part.c - a node's rows to its two children, stable, without a branch on data
 *
 * Both outputs are written for every row and one of them advances. out_left may be ids itself
 * (it never runs ahead of what was read); out_right needs room for n. */
#include "simd/simd.h"

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right);

#define AHEAD 24

int64_t KERNEL(tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                          const uint8_t left[256], uint32_t *out_left,
                          uint32_t *out_right)
{
    int64_t l = 0, i = 0;
    for (; i + AHEAD < n; i++) {
        uint32_t id = ids[i];
        int64_t go = left[column[id]];
        __builtin_prefetch(column + ids[i + AHEAD]);
        out_left[l] = id;
        out_right[i - l] = id;
        l += go;
    }
    for (; i < n; i++) {
        uint32_t id = ids[i];
        int64_t go = left[column[id]];
        out_left[l] = id;
        out_right[i - l] = id;
        l += go;
    }
    return l;
}
