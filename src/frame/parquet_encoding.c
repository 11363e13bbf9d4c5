/* parquet_encoding.c - runs, packed bits, deltas and split streams
 *
 * All four are little-endian and padded to whole bytes. A decoder is told how many values must
 * come and how many bytes there are; it answers -1 when the bytes do not hold them. */
#include <string.h>

#include "frame/parquet.h"

/* ---- packed bits ---- */

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Eight numbers of w bits stand in w bytes; 8 bytes from the start of each can be read. */
static inline __attribute__((always_inline)) void unpack8(const uint8_t *p, int w,
                                                          uint32_t *out)
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << w) - 1);
    for (int k = 0; k < 8; k++)
        out[k] = (uint32_t)(load64(p + (k * w >> 3)) >> (k * w & 7)) & mask;
}

#define UNPACK_CASE(w)                                                                 \
    case w:                                                                            \
        for (int64_t g = 0; g < groups; g++) unpack8(p + g * w, w, out + 8 * g);       \
        return;

static void unpack_groups(const uint8_t *p, int width, int64_t groups, uint32_t *out)
{
    switch (width) {
        UNPACK_CASE(1)
        UNPACK_CASE(2)
        UNPACK_CASE(3)
        UNPACK_CASE(4)
        UNPACK_CASE(5)
        UNPACK_CASE(6)
        UNPACK_CASE(7)
        UNPACK_CASE(8)
        UNPACK_CASE(9)
        UNPACK_CASE(10)
        UNPACK_CASE(11)
        UNPACK_CASE(12)
        UNPACK_CASE(13)
        UNPACK_CASE(14)
        UNPACK_CASE(15)
        UNPACK_CASE(16)
        UNPACK_CASE(17)
        UNPACK_CASE(18)
        UNPACK_CASE(19)
        UNPACK_CASE(20)
    default:
        for (int64_t g = 0; g < groups; g++) unpack8(p + g * width, width, out + 8 * g);
    }
}

/* n numbers of width 1 to 32 out of n_bytes bytes, which hold them. */
static void unpack(const uint8_t *p, size_t n_bytes, int width, int64_t n,
                   uint32_t *out)
{
    /* a group is read up to 7 bytes past its end: the last ones go through a copy */
    int64_t groups = n / 8, safe = 0;
    if (n_bytes > 8) safe = (int64_t)((n_bytes - 8) / (size_t)width);
    if (safe > groups) safe = groups;
    unpack_groups(p, width, safe, out);
    for (int64_t at = 8 * safe; at < n; at += 8) {
        uint8_t copy[48] = {0};
        uint32_t eight[8];
        size_t from = (size_t)(at / 8) * (size_t)width, some = n_bytes - from;
        memcpy(copy, p + from, some < (size_t)width ? some : (size_t)width);
        unpack8(copy, width, eight);
        memcpy(out + at, eight, (size_t)(n - at < 8 ? n - at : 8) * sizeof *out);
    }
}

static int get_uvarint(const uint8_t **p, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 64 && *p < end; shift += 7) {
        uint8_t byte = *(*p)++;
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return 0;
    }
    return -1;
}

/* ---- runs ---- */

int pq_rle(const uint8_t *p, size_t n_bytes, int width, int64_t n, uint32_t *out)
{
    const uint8_t *end = n_bytes ? p + n_bytes : p; /* p may be NULL then */
    int bytes = (width + 7) / 8;
    if (width < 0 || width > 32) return -1;
    if (width == 0) {
        memset(out, 0, (size_t)n * sizeof *out);
        return 0;
    }
    while (n > 0) {
        uint64_t head;
        if (get_uvarint(&p, end, &head) != 0) return -1;
        uint64_t count = head >> 1;
        size_t there = (size_t)(end - p);
        if (head & 1) {
            if (count == 0 || count > (uint64_t)INT64_MAX / 64) return -1;
            int64_t some = count * 8 < (uint64_t)n ? (int64_t)count * 8 : n;
            size_t held =
                count > there / (size_t)width ? there : (size_t)count * (size_t)width;
            /* the last group may be cut short behind the last value */
            if ((uint64_t)some * (unsigned)width > (uint64_t)held * 8) return -1;
            unpack(p, held, width, some, out);
            p += held;
            out += some;
            n -= some;
        } else {
            if (count == 0 || there < (size_t)bytes) return -1;
            uint32_t v = 0;
            for (int k = 0; k < bytes; k++) v |= (uint32_t)*p++ << 8 * k;
            int64_t some = count < (uint64_t)n ? (int64_t)count : n;
            for (int64_t i = 0; i < some; i++) out[i] = v;
            out += some;
            n -= some;
        }
    }
    return 0;
}

/* Is it one run of ones over all n? */
static int all_there(const uint8_t *p, size_t n_bytes, int64_t n)
{
    const uint8_t *at = p;
    uint64_t head;
    if (get_uvarint(&at, p + n_bytes, &head) != 0 || (head & 1)) return 0;
    return head >> 1 >= (uint64_t)n && at < p + n_bytes && *at == 1;
}

/* Eight bits as eight bytes, lowest bit first. */
static inline uint64_t spread_bits(uint8_t bits)
{
    uint64_t v = bits * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
    return (v + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
}

static void spread_levels(const uint8_t *p, int64_t n, uint8_t *valid)
{
    for (int64_t i = 0; i < n; i += 8) {
        uint64_t v = spread_bits(p[i / 8]);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        memcpy(valid + i, &v, (size_t)(n - i < 8 ? n - i : 8));
    }
}

int pq_levels(const uint8_t *p, size_t n_bytes, int64_t n, uint8_t *valid,
              int64_t *n_valid)
{
    const uint8_t *end = p + n_bytes, *first = valid;
    int64_t rows = n;
    *n_valid = n;
    if (n == 0 || all_there(p, n_bytes, n)) return 0;
    while (n > 0) {
        uint64_t head;
        if (get_uvarint(&p, end, &head) != 0) return -1;
        uint64_t count = head >> 1;
        size_t there = (size_t)(end - p);
        if (count == 0) return -1;
        int64_t some = n;
        if (head & 1) {
            if (count < (uint64_t)n / 8 + 1 && (int64_t)count * 8 < n)
                some = (int64_t)count * 8;
            if ((size_t)((some + 7) / 8) > there) return -1;
            spread_levels(p, some, valid);
            p += count < there ? (size_t)count : there;
        } else {
            if (there < 1 || *p > 1) return -1;
            if (count < (uint64_t)n) some = (int64_t)count;
            memset(valid, *p++, (size_t)some);
        }
        valid += some;
        n -= some;
    }
    int64_t sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += first[i];
    *n_valid = sum;
    return 0;
}

/* ---- deltas ---- */

/* Number k of `width` bits (0 to 64); 9 bytes from each one's first can be read. */
static inline uint64_t bits_at(const uint8_t *p, int width, int64_t k)
{
    int64_t bit = k * width;
    int shift = (int)(bit & 7);
    uint64_t v = load64(p + (bit >> 3)) >> shift;
    if (shift + width > 64) v |= (uint64_t)p[(bit >> 3) + 8] << (64 - shift);
    return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

/* `n` deltas of one miniblock, of which `bytes` are there, added up from *last. */
static void add_deltas(const uint8_t *p, size_t bytes, size_t to_end, int width,
                       uint64_t least, int64_t n, uint64_t *last, int64_t *out)
{
    uint8_t copy[64 * 8 + 16];
    uint64_t v = *last;
    for (int64_t at = 0; at < n; at += 64) {
        size_t from = (size_t)(at / 8) * (size_t)width;
        int64_t some = n - at < 64 ? n - at : 64;
        const uint8_t *q = p + from;
        if (to_end - from < (size_t)width * 8 + 16) {
            memset(copy, 0, sizeof copy);
            size_t held = bytes - from;
            memcpy(copy, q, held < (size_t)width * 8 ? held : (size_t)width * 8);
            q = copy;
        }
        for (int64_t k = 0; k < some; k++) {
            v += least + bits_at(q, width, k);
            out[at + k] = (int64_t)v;
        }
    }
    *last = v;
}

int pq_delta(const uint8_t *p, size_t n_bytes, int64_t n, int64_t *out, size_t *used)
{
    const uint8_t *from = p, *end = p + n_bytes;
    uint64_t block, minis, total, v;
    if (get_uvarint(&p, end, &block) || get_uvarint(&p, end, &minis) ||
        get_uvarint(&p, end, &total) || get_uvarint(&p, end, &v))
        return -1;
    if (minis == 0 || block > 1 << 20 || block % minis || block / minis % 8 ||
        block == 0 || total != (uint64_t)n)
        return -1;
    uint64_t last = v >> 1 ^ (~(v & 1) + 1);
    int64_t per = (int64_t)(block / minis), at = 0;
    if (n > 0) out[at++] = (int64_t)last;
    while (at < n) {
        if (get_uvarint(&p, end, &v) != 0 || (uint64_t)(end - p) < minis) return -1;
        uint64_t least = v >> 1 ^ (~(v & 1) + 1);
        const uint8_t *widths = p;
        p += minis;
        for (uint64_t k = 0; k < minis && at < n; k++) {
            int width = widths[k];
            size_t bytes = (size_t)(per / 8) * (size_t)(width & 127);
            int64_t some = n - at < per ? n - at : per;
            if (width > 64 || (size_t)(end - p) < bytes) return -1;
            add_deltas(p, bytes, (size_t)(end - p), width, least, some, &last,
                       out + at);
            p += bytes;
            at += some;
        }
    }
    *used = (size_t)(p - from);
    return 0;
}

/* ---- split streams ---- */

void pq_unsplit(const uint8_t *p, int64_t n, int width, uint8_t *out)
{
    for (int k = 0; k < width; k++)
        for (int64_t i = 0; i < n; i++) out[i * width + k] = p[k * n + i];
}
