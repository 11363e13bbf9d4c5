/* parquet_convert.c - PLAIN values as the frame's types
 *
 * float is widened exactly; decimals and times of day become the nearest double; dates and
 * times become microseconds, and nanoseconds are cut (towards the past). Whole numbers that int64_t
 * cannot hold, its smallest one included (it means missing), do not fit. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "frame/decimal.h"
#include "frame/parquet.h"
#include "frame/values.h"

int pq_width(const struct pq_column *c)
{
    switch ((enum pq_physical)c->physical) {
    case PQ_I32:
    case PQ_F32:
        return 4;
    case PQ_I64:
    case PQ_F64:
        return 8;
    case PQ_I96:
        return 12;
    case PQ_FIXED:
        return c->length;
    case PQ_BOOL:
    case PQ_BYTES:
    case PQ_PHYSICALS:
        break;
    }
    return 0;
}

enum tide_type pq_type(const struct pq_column *c)
{
    switch ((enum pq_as)c->as) {
    case PQ_AS_BOOL:
        return TIDE_BOOL;
    case PQ_AS_INT:
    case PQ_AS_UINT:
        /* declared numbers are converted at once: more fit */
        return c->type == TIDE_F64 ? TIDE_F64 : TIDE_I64;
    case PQ_AS_FLOAT:
    case PQ_AS_HALF:
    case PQ_AS_DECIMAL:
    case PQ_AS_NULL:
        return TIDE_F64;
    case PQ_AS_DATE:
    case PQ_AS_MILLIS:
    case PQ_AS_MICROS:
    case PQ_AS_NANOS:
    case PQ_AS_INT96:
        return TIDE_TIME;
    case PQ_AS_TEXT:
    case PQ_AS_UUID:
    case PQ_AS_NOTHING:
        break;
    }
    return TIDE_CAT;
}

enum pq_fault pq_check_text(const char *s, size_t n)
{
    size_t i = 0;
    uint64_t v;
    for (; i + 8 <= n; i += 8) { /* most texts are ASCII without NUL */
        memcpy(&v, s + i, 8);
        if ((v | (v - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < n && (unsigned char)s[i] - 1u < 127) i++;
    if (i == n) return PQ_FINE;
    if (memchr(s, 0, n)) return PQ_HAS_NUL;
    return utf8_check(s, n) == 0 ? PQ_FINE : PQ_BAD_UTF8;
}

static int64_t get_i64(const uint8_t *p)
{
    return (int64_t)((uint64_t)pq_u32(p) | (uint64_t)pq_u32(p + 4) << 32);
}

/* Value i of an INT32 or INT64 column, of its sign. */
static inline int64_t whole(const struct pq_column *c, const uint8_t *p, int64_t i)
{
    if (c->physical == PQ_I64) return get_i64(p + 8 * i);
    uint32_t v = pq_u32(p + 4 * i);
    return c->as == PQ_AS_UINT ? (int64_t)v : (int64_t)(int32_t)v;
}

static enum pq_fault convert_ints(const struct pq_column *c, const uint8_t *p,
                                  int64_t n, int64_t *out, int64_t *at)
{
    int64_t bad = 0;
    if (c->physical == PQ_I64) {
        if (n) memcpy(out, p, (size_t)n * sizeof *out);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        for (int64_t i = 0; i < n; i++) out[i] = get_i64(p + 8 * i);
#endif
        /* as unsigned, a negative number is above INT64_MAX */
        if (c->as == PQ_AS_UINT)
            for (int64_t i = 0; i < n; i++) bad |= out[i] < 0;
        else
            for (int64_t i = 0; i < n; i++) bad |= out[i] == I64_MISSING;
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = whole(c, p, i);
    }
    if (!bad) return PQ_FINE;
    *at = 0;
    while (c->as == PQ_AS_UINT ? out[*at] >= 0 : out[*at] != I64_MISSING) ++*at;
    return PQ_TOO_LARGE;
}

static void convert_floats(const struct pq_column *c, const uint8_t *p, int64_t n,
                           double *out)
{
    if (c->as == PQ_AS_HALF) {
        for (int64_t i = 0; i < n; i++)
            out[i] = half_number((uint16_t)(p[2 * i] | p[2 * i + 1] << 8));
    } else if (c->physical == PQ_F32) {
        for (int64_t i = 0; i < n; i++) {
            uint32_t bits = pq_u32(p + 4 * i);
            float v;
            memcpy(&v, &bits, sizeof v);
            out[i] = (double)v;
        }
    } else {
        if (n) memcpy(out, p, (size_t)n * sizeof *out);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        for (int64_t i = 0; i < n; i++) {
            int64_t bits = get_i64(p + 8 * i);
            memcpy(&out[i], &bits, sizeof bits);
        }
#endif
    }
}

static void convert_numbers(const struct pq_column *c, const uint8_t *p, int64_t n,
                            double *out)
{
    if (c->as == PQ_AS_NULL) { /* its physical type means nothing */
        for (int64_t i = 0; i < n; i++) out[i] = (double)NAN;
    } else if (c->as == PQ_AS_DECIMAL && c->physical == PQ_FIXED) {
        int length = c->length;
        for (int64_t i = 0; i < n; i++)
            out[i] = decimal_bytes(p + i * length, length, 1, c->scale);
    } else if (c->as == PQ_AS_DECIMAL) {
        for (int64_t i = 0; i < n; i++) out[i] = decimal_i64(whole(c, p, i), c->scale);
    } else if (c->as == PQ_AS_UINT && c->physical == PQ_I64) {
        for (int64_t i = 0; i < n; i++) out[i] = (double)(uint64_t)whole(c, p, i);
    } else if (c->as == PQ_AS_INT || c->as == PQ_AS_UINT) {
        for (int64_t i = 0; i < n; i++) out[i] = (double)whole(c, p, i);
    } else {
        convert_floats(c, p, n, out);
    }
}

static enum pq_fault convert_times(const struct pq_column *c, const uint8_t *p,
                                   int64_t n, int64_t *out, int64_t *at, int *cut)
{
    for (int64_t i = 0; i < n; i++) {
        int bad = 0;
        if (c->as == PQ_AS_INT96) {
            const uint8_t *q = p + 12 * i;
            int64_t ns = get_i64(q), day = (int64_t)pq_u32(q + 8) - 2440588;
            bad = i64_mul(day, INT64_C(86400000000), &out[i]) ||
                  i64_add(out[i], ns / 1000, &out[i]) || ns < 0;
            *cut |= ns % 1000 != 0;
        } else {
            int64_t v = whole(c, p, i);
            enum time_unit unit = c->as == PQ_AS_DATE     ? TIME_DAYS
                                  : c->as == PQ_AS_MILLIS ? TIME_MS
                                  : c->as == PQ_AS_MICROS ? TIME_US
                                                          : TIME_NS;
            bad = time_from(v, unit, &out[i], cut);
        }
        if (bad || out[i] == I64_MISSING) {
            *at = i;
            return PQ_TOO_LARGE;
        }
    }
    return PQ_FINE;
}

enum pq_fault pq_convert(const struct pq_column *c, const uint8_t *p, int64_t n,
                         void *out, int64_t *at, int *cut)
{
    switch (pq_type(c)) {
    case TIDE_I64:
        return convert_ints(c, p, n, out, at);
    case TIDE_F64:
        convert_numbers(c, p, n, out);
        return PQ_FINE;
    case TIDE_TIME:
        return convert_times(c, p, n, out, at, cut);
    case TIDE_BOOL:
        for (int64_t i = 0; i < n; i++) ((uint8_t *)out)[i] = p[i / 8] >> (i & 7) & 1;
        return PQ_FINE;
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    return PQ_FINE;
}
