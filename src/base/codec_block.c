/* codec_block.c - blocks of snappy, LZ4, gzip and zstd, decoded at once; gzip and zstd made
 *
 * Snappy and LZ4 are decoded here: both are literals and copies from what is already out, and
 * their formats are a page each. Every length is compared with what is left before it is
 * used, so a hostile block reads and writes nothing outside its two buffers. */
#include "base/codec_block.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"

void block_coder_free(struct block_coder *b)
{
    ZSTD_freeDCtx(b->zstd);
    ZSTD_freeCCtx(b->zstd_out);
    b->zstd = b->zstd_out = NULL;
}

/* ---- literals and copies ---- */

struct span {
    const uint8_t *in, *in_end;
    uint8_t *begin, *out, *out_end;
};

static int take_literal(struct span *s, size_t n)
{
    size_t left_in = (size_t)(s->in_end - s->in), left = (size_t)(s->out_end - s->out);
    if (n > left_in || n > left) return -1;
    if (n <= 16 && left_in >= 16 && left >= 16)
        memcpy(s->out, s->in, 16); /* a fixed size is one load and one store */
    else
        memcpy(s->out, s->in, n);
    s->in += n;
    s->out += n;
    return 0;
}

/* n bytes from `back` bytes before; the two ranges may overlap, then the bytes repeat. */
static int take_copy(struct span *s, size_t back, size_t n)
{
    size_t left = (size_t)(s->out_end - s->out);
    if (back == 0 || back > (size_t)(s->out - s->begin) || n > left) return -1;
    const uint8_t *from = s->out - back;
    if (back >= 16 && left >= n + 16) {
        for (size_t k = 0; k < n; k += 16) memcpy(s->out + k, from + k, 16);
    } else if (back >= 8 && left >= n + 8) {
        for (size_t k = 0; k < n; k += 8) memcpy(s->out + k, from + k, 8);
    } else if (back == 1) {
        memset(s->out, *from, n);
    } else {
        for (size_t k = 0; k < n; k++) s->out[k] = from[k];
    }
    s->out += n;
    return 0;
}

/* ---- snappy ---- */

static uint32_t little(const uint8_t *p, int n)
{
    uint32_t v = 0;
    for (int k = 0; k < n; k++) v |= (uint32_t)p[k] << 8 * k;
    return v;
}

static int snappy_size(struct span *s, size_t wanted)
{
    uint64_t n = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (s->in == s->in_end) return -1;
        uint8_t byte = *s->in++;
        n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return n == wanted ? 0 : -1;
    }
    return -1;
}

static int snappy_decode(struct span *s)
{
    if (snappy_size(s, (size_t)(s->out_end - s->out)) != 0) return -1;
    while (s->in < s->in_end) {
        uint8_t tag = *s->in++;
        size_t left = (size_t)(s->in_end - s->in), n = tag >> 2;
        int bad;
        if ((tag & 3) == 0) {
            if (n >= 60) {
                int extra = (int)n - 59;
                if (left < (size_t)extra) return -1;
                n = little(s->in, extra);
                s->in += extra;
            }
            bad = take_literal(s, n + 1);
        } else if ((tag & 3) == 1) {
            if (left < 1) return -1;
            size_t back = (size_t)(tag >> 5) << 8 | s->in[0];
            s->in += 1;
            bad = take_copy(s, back, (n & 7) + 4);
        } else {
            int extra = (tag & 3) == 2 ? 2 : 4;
            if (left < (size_t)extra) return -1;
            size_t back = little(s->in, extra);
            s->in += extra;
            bad = take_copy(s, back, n + 1);
        }
        if (bad) return -1;
    }
    return s->out == s->out_end ? 0 : -1;
}

/* ---- LZ4 ---- */

/* A length of 15 goes on in the next bytes, up to one that is not 255. */
static int lz4_length(struct span *s, size_t *n)
{
    if (*n < 15) return 0;
    uint8_t byte;
    do {
        if (s->in == s->in_end) return -1;
        byte = *s->in++;
        *n += byte;
    } while (byte == 255);
    return 0;
}

static int lz4_decode(struct span *s)
{
    while (s->in < s->in_end) {
        uint8_t token = *s->in++;
        size_t n = token >> 4;
        if (lz4_length(s, &n) != 0 || take_literal(s, n) != 0) return -1;
        if (s->in == s->in_end) break; /* the last sequence has no copy */
        if (s->in_end - s->in < 2) return -1;
        size_t back = little(s->in, 2);
        s->in += 2;
        n = token & 15;
        if (lz4_length(s, &n) != 0 || take_copy(s, back, n + 4) != 0) return -1;
    }
    return s->out == s->out_end ? 0 : -1;
}

/* ---- gzip and zstd ---- */

static void *zlib_get(void *unused, unsigned n, unsigned each)
{
    (void)unused;
    return mem_array(n, each);
}

static void zlib_give(void *unused, void *p)
{
    (void)unused;
    mem_free(p);
}

/* gzip or zlib; several members one after another. */
static enum block_result gzip_decode(const void *src, size_t n_src, void *dst,
                                     size_t n_dst)
{
    z_stream z = {.zalloc = zlib_get, .zfree = zlib_give};
    if (n_src > UINT32_MAX || n_dst > UINT32_MAX) return BLOCK_DAMAGED;
    if (inflateInit2(&z, 15 + 32) != Z_OK) return BLOCK_NOMEM;
    uint8_t none;
    z.next_in = (Bytef *)(uintptr_t)src;
    z.avail_in = (uInt)n_src;
    z.next_out = n_dst ? dst : &none;
    z.avail_out = (uInt)n_dst;
    int r;
    do {
        r = inflate(&z, Z_FINISH);
    } while (r == Z_STREAM_END && z.avail_in > 0 && z.avail_out > 0 &&
             inflateReset(&z) == Z_OK);
    int whole = r == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
    inflateEnd(&z);
    return whole ? BLOCK_OK : r == Z_MEM_ERROR ? BLOCK_NOMEM : BLOCK_DAMAGED;
}

static enum block_result zstd_decode(struct block_coder *b, const void *src,
                                     size_t n_src, void *dst, size_t n_dst)
{
    if (!b->zstd) b->zstd = alloc_fault_point() ? NULL : ZSTD_createDCtx();
    if (!b->zstd) return BLOCK_NOMEM;
    size_t n = ZSTD_decompressDCtx(b->zstd, dst, n_dst, src, n_src);
    return n == n_dst ? BLOCK_OK : BLOCK_DAMAGED;
}

enum block_result block_decode(struct block_coder *b, enum block_kind kind,
                               const void *src, size_t n_src, void *dst, size_t n_dst)
{
    struct span s = {src, (const uint8_t *)src + n_src, dst, dst,
                     (uint8_t *)dst + n_dst};
    switch (kind) {
    case BLOCK_PLAIN:
        if (n_src != n_dst) return BLOCK_DAMAGED;
        if (n_dst) memcpy(dst, src, n_dst);
        return BLOCK_OK;
    case BLOCK_SNAPPY:
        return snappy_decode(&s) == 0 ? BLOCK_OK : BLOCK_DAMAGED;
    case BLOCK_LZ4:
        return lz4_decode(&s) == 0 ? BLOCK_OK : BLOCK_DAMAGED;
    case BLOCK_GZIP:
        return gzip_decode(src, n_src, dst, n_dst);
    case BLOCK_ZSTD:
        return zstd_decode(b, src, n_src, dst, n_dst);
    }
    return BLOCK_DAMAGED;
}

/* ---- making blocks ---- */

#define GZIP_FRAME ((size_t)18) /* header and trailer */

size_t block_room(enum block_kind kind, size_t n)
{
    if (n > INT32_MAX) return 0;
    if (kind == BLOCK_PLAIN) return n + 1;
    if (kind == BLOCK_ZSTD) return ZSTD_compressBound(n);
    /* deflateBound of the default window, and a gzip frame around it */
    return kind == BLOCK_GZIP ? compressBound((uLong)n) + GZIP_FRAME : 0;
}

static enum block_result gzip_encode(const void *src, size_t n_src, void *dst,
                                     size_t room, size_t *n_dst)
{
    z_stream z = {.zalloc = zlib_get, .zfree = zlib_give};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return BLOCK_NOMEM;
    z.next_in = (Bytef *)(uintptr_t)src;
    z.avail_in = (uInt)n_src;
    z.next_out = dst;
    z.avail_out = room < UINT32_MAX ? (uInt)room : UINT32_MAX;
    int r = deflate(&z, Z_FINISH);
    *n_dst = z.total_out;
    deflateEnd(&z);
    return r == Z_STREAM_END ? BLOCK_OK : BLOCK_DAMAGED;
}

static enum block_result zstd_encode(struct block_coder *b, const void *src,
                                     size_t n_src, void *dst, size_t room,
                                     size_t *n_dst)
{
    if (!b->zstd_out) b->zstd_out = alloc_fault_point() ? NULL : ZSTD_createCCtx();
    if (!b->zstd_out) return BLOCK_NOMEM;
    size_t n = ZSTD_compressCCtx(b->zstd_out, dst, room, src, n_src,
                                 b->level ? b->level : ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(n)) /* the room is enough: what is left is memory */
        return ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation ? BLOCK_NOMEM
                                                                    : BLOCK_DAMAGED;
    *n_dst = n;
    return BLOCK_OK;
}

enum block_result block_encode(struct block_coder *b, enum block_kind kind,
                               const void *src, size_t n_src, void *dst, size_t room,
                               size_t *n_dst)
{
    *n_dst = 0;
    if (room < block_room(kind, n_src) || block_room(kind, n_src) == 0)
        return BLOCK_DAMAGED;
    if (kind == BLOCK_GZIP) return gzip_encode(src, n_src, dst, room, n_dst);
    if (kind == BLOCK_ZSTD) return zstd_encode(b, src, n_src, dst, room, n_dst);
    if (n_src) memcpy(dst, src, n_src);
    *n_dst = n_src;
    return BLOCK_OK;
}
