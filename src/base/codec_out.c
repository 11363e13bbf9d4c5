/* codec_out.c - gzip and zstd, written as a stream
 *
 * codec.c refuses what expands 1,000-fold, and rows of one value alone shrink further: such a
 * stream is made less dense, by flushes (gzip, never far beyond) or frames of zeros that every
 * reader skips (zstd). */
#include "base/codec_out.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/err.h"

#define OUT_BYTES   ((size_t)256 << 10)
#define DENSE_FREE  ((int64_t)16 << 20) /* bytes that may shrink to nothing */
#define DENSE_RATIO 500
#define THIN_BYTES  32768             /* of a frame that is skipped */
#define IN_MOST     ((size_t)1 << 18) /* put at once */

struct codec_out {
    enum codec_kind kind;
    codec_sink sink;
    void *payload;
    int failed, nomem;   /* the sink took nothing; memory is out */
    int64_t n_in, n_out; /* bytes put and given */
    int has_z;           /* z is to be ended */
    z_stream z;
    ZSTD_CCtx *zstd;
    unsigned char out[OUT_BYTES];
};

static void *z_take(void *unused, unsigned n, unsigned each)
{
    (void)unused;
    return mem_array(n, each);
}

static void z_drop(void *unused, void *p)
{
    (void)unused;
    mem_free(p);
}

tide_status codec_out_open(enum codec_kind kind, codec_sink sink, void *payload,
                           struct codec_out **out, tide_error *err)
{
    struct codec_out *c = mem_zalloc(sizeof *c);
    *out = NULL;
    if (!c) return err_nomem(err, sizeof *c);
    c->kind = kind;
    c->sink = sink;
    c->payload = payload;
    if (kind == CODEC_GZIP) {
        c->z.zalloc = z_take;
        c->z.zfree = z_drop;
        c->has_z = deflateInit2(&c->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
                                Z_DEFAULT_STRATEGY) == Z_OK;
    } else {
        c->zstd = alloc_fault_point() ? NULL : ZSTD_createCCtx();
    }
    if (!c->has_z && (!c->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(
                                      c->zstd, ZSTD_c_checksumFlag, 1)))) {
        codec_out_free(c);
        return err_nomem(err, 0);
    }
    *out = c;
    return TIDE_OK;
}

void codec_out_free(struct codec_out *c)
{
    if (!c) return;
    if (c->has_z) deflateEnd(&c->z);
    ZSTD_freeCCtx(c->zstd);
    mem_free(c);
}

static void out_give(struct codec_out *c, size_t n)
{
    if (n && !c->failed) c->failed = c->sink(c->payload, c->out, n) != 0;
    c->n_out += (int64_t)n;
}

static int is_too_dense(const struct codec_out *c)
{
    return c->n_in > DENSE_FREE && c->n_in / DENSE_RATIO > c->n_out;
}

static void gzip_put(struct codec_out *c, const unsigned char *p, size_t n, int is_end)
{
    int how = is_end ? Z_FINISH : is_too_dense(c) ? Z_FULL_FLUSH : Z_NO_FLUSH;
    c->z.next_in = (Bytef *)(uintptr_t)p;
    c->z.avail_in = (uInt)n;
    do {
        c->z.next_out = c->out;
        c->z.avail_out = OUT_BYTES;
        (void)deflate(&c->z, how); /* no room is no error */
        out_give(c, OUT_BYTES - c->z.avail_out);
    } while (c->z.avail_out == 0 && !c->failed);
}

static void zstd_put(struct codec_out *c, const unsigned char *p, size_t n, int is_end)
{
    ZSTD_inBuffer in = {p, n, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {c->out, OUT_BYTES, 0};
        left = ZSTD_compressStream2(c->zstd, &out, &in,
                                    is_end ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) { /* nothing else can go wrong with a sound stream */
            c->nomem = 1;
            return;
        }
        out_give(c, out.pos);
    } while ((is_end ? left != 0 : in.pos < in.size) && !c->failed);
}

/* Ends the frame, so that one to be skipped can stand before the next. */
static void zstd_thin(struct codec_out *c)
{
    static const unsigned char none;
    zstd_put(c, &none, 0, 1);
    while (is_too_dense(c) && !c->failed && !c->nomem) {
        memset(c->out, 0, THIN_BYTES);
        memcpy(c->out, "\x50\x2a\x4d\x18", 4); /* its number and its length */
        c->out[4] = (THIN_BYTES - 8) & 255;
        c->out[5] = (THIN_BYTES - 8) >> 8;
        out_give(c, THIN_BYTES);
    }
}

static void out_put(struct codec_out *c, const unsigned char *p, size_t n, int is_end)
{
    if (c->failed || c->nomem) return;
    if (c->kind == CODEC_GZIP)
        gzip_put(c, p, n, is_end);
    else
        zstd_put(c, p, n, is_end);
}

int codec_out_put(void *codec_out, const void *data, size_t n)
{
    struct codec_out *c = codec_out;
    const unsigned char *p = data;
    for (size_t part; n; p += part, n -= part) {
        part = n < IN_MOST ? n : IN_MOST;
        c->n_in += (int64_t)part;
        out_put(c, p, part, 0);
        if (c->kind == CODEC_ZSTD && is_too_dense(c)) zstd_thin(c);
    }
    return c->failed || c->nomem;
}

tide_status codec_out_end(struct codec_out *c, tide_error *err)
{
    static const unsigned char none;
    out_put(c, &none, 0, 1);
    return codec_out_status(c, err);
}

tide_status codec_out_status(const struct codec_out *c, tide_error *err)
{
    if (c->nomem) return err_nomem(err, 0);
    if (c->failed)
        return err_set(err, TIDE_CODE_FILE_ERROR, "the output was not taken");
    return TIDE_OK;
}
