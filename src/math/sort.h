/* sort.h - stable sorts whose order of ties is ours: LSD radix on order-preserving keys */
#ifndef MATH_SORT_H
#define MATH_SORT_H
#include <stdint.h>

#include "base/arena.h"

/* Stable permutation that sorts keys ascending: idx[i] is filled with 0..n-1 in order.
 * -0 equals +0, NaN last. n < 2^32. Scratch from the arena (released by the caller's mark).
 * Returns 0, or -1 when the arena failed. */
int sort_index_f64(struct arena *a, const double *key, int64_t n, uint32_t *idx);
int sort_index_u64(struct arena *a, const uint64_t *key, int64_t n, uint32_t *idx);
int sort_index_u32(struct arena *a, const uint32_t *key, int64_t n, uint32_t *idx);
/* In place. */
int sort_f64(struct arena *a, double *x, int64_t n);
/* out[k] is what x[place[k]] would be in sorted order, for rising places in 0 .. n - 1; x holds
 * no NaN and is left in disorder. Some three times as fast as sorting, where values do not
 * crowd in a thousandth of their range. */
int sort_places_f64(struct arena *a, double *x, int64_t n, const int64_t *place,
                    int n_place, double *out);
/* Merge sort of anything small by a comparison (stable). */
typedef int (*sort_cmp)(const void *a, const void *b, const void *arg);
int sort_any(struct arena *a, void *base, int64_t n, size_t each, sort_cmp cmp,
             const void *arg);
#endif
