/* size.h - checked arithmetic on sizes: every product or sum that a file or a caller can
 * influence goes through these. Each returns 0 and stores the result, or -1 on overflow. */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H
#include <stddef.h>
#include <stdint.h>

static inline int size_mul(size_t a, size_t b, size_t *out)
{
    return __builtin_mul_overflow(a, b, out) ? -1 : 0;
}
static inline int size_add(size_t a, size_t b, size_t *out)
{
    return __builtin_add_overflow(a, b, out) ? -1 : 0;
}
static inline int i64_mul(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_mul_overflow(a, b, out) ? -1 : 0;
}
static inline int i64_add(int64_t a, int64_t b, int64_t *out)
{
    return __builtin_add_overflow(a, b, out) ? -1 : 0;
}
#endif
