/* codec.c - gzip (one or many members) and zstd (one or many frames), streamed
 *
 * gzip: RFC 1952 by zlib, members one after another, zero padding at the end allowed.
 * zstd: RFC 8878 by libzstd, windows up to 128 MiB. Every damage is csv-compressed with the
 * offset in the compressed file up to which it was sound. */
#include "base/codec.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"

#define IN_BYTES ((size_t)128 << 10)
#define EXPAND_FREE                                                                    \
    ((int64_t)32 << 20) /* below, any ratio goes; 96 MiB with an index */
#define EXPAND_RATIO 1000.0

struct codec {
    enum codec_kind kind;
    int fd;
    char *path;
    unsigned char *in; /* in[pos..len) is read and not yet used */
    size_t pos, len, cap;
    int64_t consumed; /* bytes of the file read so far */
    int64_t produced;
    double max_ratio;
    int at_end;    /* the file has no more bytes */
    int in_stream; /* inside a member or frame: the file must not end here */
    int has_z;     /* z is to be ended */
    z_stream z;
    ZSTD_DCtx *zstd;
};

enum codec_kind codec_sniff(const void *head, size_t n)
{
    const unsigned char *h = head;
    if (n >= 3 && h[0] == 0x1f && h[1] == 0x8b && h[2] == 8) return CODEC_GZIP;
    if (n >= 4 && h[1] == 0xb5 && h[2] == 0x2f && h[3] == 0xfd && h[0] == 0x28)
        return CODEC_ZSTD;
    if (n >= 4 && (h[0] & 0xf0) == 0x50 && h[1] == 0x2a && h[2] == 0x4d && h[3] == 0x18)
        return CODEC_ZSTD; /* a skippable frame first */
    return CODEC_PLAIN;
}

static void *z_get(void *unused, unsigned n, unsigned each)
{
    (void)unused;
    return mem_array(n, each);
}

static void z_give(void *unused, void *p)
{
    (void)unused;
    mem_free(p);
}

/* Sets up the decoder of c->kind; TIDE_ENOMEM when memory is out. */
static tide_status decoder_start(struct codec *c, tide_error *err)
{
    if (c->kind == CODEC_GZIP) {
        c->z.zalloc = z_get;
        c->z.zfree = z_give;
        if (inflateInit2(&c->z, 15 + 16) != Z_OK) return err_nomem(err, 0);
        c->has_z = 1;
    } else if (c->kind == CODEC_ZSTD) {
        c->zstd = alloc_fault_point() ? NULL : ZSTD_createDCtx();
        if (!c->zstd) return err_nomem(err, 0);
    }
    return TIDE_OK;
}

tide_status codec_open(int fd, const char *path, const void *head, size_t n_head,
                       double max_ratio, struct codec **out, tide_error *err)
{
    *out = NULL;
    struct codec *c = mem_zalloc(sizeof *c);
    if (!c) {
        file_close(fd);
        return err_nomem(err, sizeof *c);
    }
    c->kind = codec_sniff(head, n_head);
    c->fd = fd;
    c->max_ratio = max_ratio > 0 ? max_ratio : EXPAND_RATIO;
    c->cap = n_head > IN_BYTES ? n_head : IN_BYTES;
    c->in = mem_alloc(c->cap);
    c->path = mem_strdup(path);
    tide_status st = c->in && c->path ? TIDE_OK : err_nomem(err, c->cap);
    if (st == TIDE_OK) st = decoder_start(c, err);
    if (st != TIDE_OK) {
        codec_close(c);
        return st;
    }
    if (n_head) memcpy(c->in, head, n_head);
    c->len = n_head;
    c->consumed = (int64_t)n_head;
    *out = c;
    return TIDE_OK;
}

void codec_close(struct codec *c)
{
    if (!c) return;
    if (c->has_z) inflateEnd(&c->z);
    ZSTD_freeDCtx(c->zstd);
    mem_free(c->in);
    mem_free(c->path);
    file_close(c->fd);
    mem_free(c);
}

int64_t codec_consumed(const struct codec *c)
{
    return c->consumed;
}

/* Offset of the first byte of the file that no decoder has taken. */
static int64_t used_offset(const struct codec *c)
{
    return c->consumed - (int64_t)(c->len - c->pos);
}

static tide_status damaged(const struct codec *c, const char *what, tide_error *err)
{
    int64_t offset = used_offset(c);
    err_set(err, TIDE_CODE_CSV_COMPRESSED, "%s data %s at byte %lld",
            c->kind == CODEC_GZIP ? "gzip" : "zstd", what, (long long)offset);
    err_at(err, c->path, 0, 0);
    if (err) err->offset = offset;
    return TIDE_EDATA;
}

/* Makes sure that there are unused bytes, unless the file is at its end. */
static tide_status refill(struct codec *c, tide_error *err)
{
    size_t got;
    if (c->pos < c->len || c->at_end) return TIDE_OK;
    c->pos = c->len = 0;
    tide_status st = file_read(c->fd, c->path, c->in, c->cap, &got, err);
    if (st != TIDE_OK) return st;
    c->len = got;
    c->consumed += (int64_t)got;
    c->at_end = got < c->cap;
    return TIDE_OK;
}

/* Between members: skips zero padding; a byte that starts no member is damage. */
static tide_status gzip_next_member(struct codec *c, tide_error *err)
{
    while (c->pos < c->len && c->in[c->pos] == 0) c->pos++;
    if (c->pos == c->len) return TIDE_OK;
    if (c->in[c->pos] != 0x1f) return damaged(c, "is followed by something else", err);
    if (inflateReset(&c->z) != Z_OK) return err_nomem(err, 0);
    c->in_stream = 1;
    return TIDE_OK;
}

static tide_status gzip_step(struct codec *c, unsigned char *buf, size_t n, size_t *put,
                             tide_error *err)
{
    *put = 0;
    if (!c->in_stream) {
        tide_status st = gzip_next_member(c, err);
        if (st != TIDE_OK || !c->in_stream) return st;
    }
    uInt room = n < (1u << 30) ? (uInt)n : 1u << 30;
    size_t unused = c->len - c->pos;
    c->z.next_in = c->in + c->pos;
    c->z.avail_in = unused < (1u << 30) ? (uInt)unused : 1u << 30;
    c->z.next_out = buf;
    c->z.avail_out = room;
    uInt before = c->z.avail_in;
    int r = inflate(&c->z, Z_NO_FLUSH);
    c->pos += before - c->z.avail_in;
    *put = room - c->z.avail_out;
    c->produced += (int64_t)*put;
    if (r == Z_STREAM_END) c->in_stream = 0;
    if (r == Z_MEM_ERROR) return err_nomem(err, 0);
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
        return damaged(c, "is damaged", err);
    return TIDE_OK;
}

static tide_status zstd_step(struct codec *c, unsigned char *buf, size_t n, size_t *put,
                             tide_error *err)
{
    ZSTD_inBuffer in = {c->in + c->pos, c->len - c->pos, 0};
    ZSTD_outBuffer out = {buf, n, 0};
    size_t r = ZSTD_decompressStream(c->zstd, &out, &in);
    c->pos += in.pos;
    *put = out.pos;
    c->produced += (int64_t)out.pos;
    if (!ZSTD_isError(r)) {
        if (in.pos || out.pos || c->in_stream) c->in_stream = r != 0;
        return TIDE_OK;
    }
    switch (ZSTD_getErrorCode(r)) {
    case ZSTD_error_memory_allocation:
        return err_nomem(err, 0);
    case ZSTD_error_frameParameter_windowTooLarge:
        err_set(err, TIDE_CODE_LIMIT_EXPAND, "zstd data wants a window above 128 MiB");
        return err_at(err, c->path, 0, 0);
    case ZSTD_error_prefix_unknown:
        if (c->produced > 0) return damaged(c, "is followed by something else", err);
        return damaged(c, "is damaged", err);
    default:
        return damaged(c, "is damaged", err);
    }
}

static tide_status plain_step(struct codec *c, unsigned char *buf, size_t n,
                              size_t *put)
{
    *put = c->len - c->pos < n ? c->len - c->pos : n;
    memcpy(buf, c->in + c->pos, *put);
    c->pos += *put;
    c->produced += (int64_t)*put;
    return TIDE_OK;
}

static tide_status expansion_check(const struct codec *c, tide_error *err)
{
    int64_t used = used_offset(c) > 0 ? used_offset(c) : 1;
    if (c->kind == CODEC_PLAIN || c->produced <= EXPAND_FREE ||
        (double)c->produced <= c->max_ratio * (double)used)
        return TIDE_OK;
    err_set(err, TIDE_CODE_LIMIT_EXPAND,
            "compressed data expands %lld-fold, more than %lld-fold",
            (long long)(c->produced / used), (long long)c->max_ratio);
    err_at(err, c->path, 0, 0);
    if (err) err->offset = used_offset(c);
    return TIDE_ELIMIT;
}

tide_status codec_read(struct codec *c, void *buf, size_t n, size_t *got,
                       tide_error *err)
{
    *got = 0;
    while (*got < n) {
        size_t put = 0, before;
        unsigned char *to = (unsigned char *)buf + *got;
        tide_status st = refill(c, err);
        if (st != TIDE_OK) return st;
        if (c->pos == c->len && !c->in_stream) return TIDE_OK;
        before = c->pos;
        if (c->kind == CODEC_GZIP)
            st = gzip_step(c, to, n - *got, &put, err);
        else if (c->kind == CODEC_ZSTD)
            st = zstd_step(c, to, n - *got, &put, err);
        else
            st = plain_step(c, to, n - *got, &put);
        *got += put;
        if (st == TIDE_OK) st = expansion_check(c, err);
        if (st != TIDE_OK) return st;
        if (put == 0 && c->pos == before && c->in_stream && c->at_end &&
            c->pos == c->len)
            return damaged(c, "ends early", err);
    }
    return TIDE_OK;
}
