/* csv_source.c - bytes of a table: a file, a pipe, gzip, zstd, or memory
 *
 * A file is read, never mapped: one that another process cuts short gives an error, not
 * a signal. Pipes are waited for, so that a request to stop is seen. */
#include <string.h>

#include "base/codec.h"
#include "base/ctx.h"
#include "base/err.h"
#include "frame/csv.h"

#define EXPAND_MAX 1000.0

/* One read of the descriptor: regular files at once, others as bytes come. */
static tide_status read_some(struct csv_source *s, char *buf, size_t n, size_t *got,
                             tide_error *err)
{
    if (s->codec) return codec_read(s->codec, buf, n, got, err);
    if (s->size >= 0) return file_read(s->fd, s->path, buf, n, got, err);
    size_t at = 0;
    while (at < n) {
        int64_t ready = 0;
        size_t part;
        tide_status st = file_wait(s->fd, s->path, s->ctx, &ready, err);
        if (st != TIDE_OK) return st;
        size_t want = (uint64_t)ready < n - at ? (size_t)ready : n - at;
        if ((st = file_read(s->fd, s->path, buf + at, want, &part, err)) != TIDE_OK)
            return st;
        at += part;
        if (part < want) break;
    }
    *got = at;
    return TIDE_OK;
}

/* The first bytes say whether the file is compressed. */
static tide_status look_for_codec(struct csv_source *s, tide_error *err)
{
    char magic[16];
    size_t got = 0;
    tide_status st = read_some(s, magic, sizeof magic, &got, err);
    if (st != TIDE_OK) return st;
    enum codec_kind kind = codec_sniff(magic, got);
    if (kind != CODEC_PLAIN) {
        s->kind = kind == CODEC_GZIP ? ", gzip" : ", zstd";
        int fd = s->fd;
        s->fd = -1; /* the codec's from here on */
        return codec_open(fd, s->path, magic, got, EXPAND_MAX, &s->codec, err);
    }
    char *head = arena_push(&s->arena, sizeof magic); /* may hold NULs: no text yet */
    if (head) memcpy(head, magic, got);
    s->head = head;
    s->head_len = head ? got : 0;
    return arena_status(&s->arena, err);
}

tide_status csv_source_open(struct csv_source *s, struct tide_ctx *ctx,
                            const char *path, tide_error *err)
{
    *s =
        (struct csv_source){.ctx = ctx, .path = path, .fd = -1, .size = -1, .kind = ""};
    arena_init(&s->arena, ctx);
    tide_status st = file_open_read(path, &s->fd, &s->size, err);
    if (st != TIDE_OK) return st;
    s->sized = s->size > 0 && strcmp(path, "-") != 0;
    if (s->size == 0) s->size = -1; /* files of /proc tell 0 */
    return look_for_codec(s, err);
}

void csv_source_memory(struct csv_source *s, struct tide_ctx *ctx, const char *data,
                       size_t n)
{
    *s = (struct csv_source){.ctx = ctx, .path = "memory", .fd = -1, .kind = ""};
    arena_init(&s->arena, ctx);
    s->size = (int64_t)n;
    s->head = data;
    s->head_len = n;
}

tide_status csv_source_short(const struct csv_source *s, int64_t end, tide_error *err)
{
    err_set(err, TIDE_CODE_FILE_CHANGED,
            "the file had %lld bytes and ended after %lld while it was read",
            (long long)s->size, (long long)end);
    return err_at(err, s->path, 0, 0);
}

tide_status csv_source_read(struct csv_source *s, char *buf, size_t n, size_t *got,
                            tide_error *err)
{
    size_t at = 0, part = 0;
    tide_status st = TIDE_OK;
    if (s->head_at < s->head_len) {
        at = s->head_len - s->head_at < n ? s->head_len - s->head_at : n;
        memcpy(buf, s->head + s->head_at, at);
        s->head_at += at;
    }
    if (at < n && (s->codec || s->fd >= 0)) {
        st = read_some(s, buf + at, n - at, &part, err);
        if (st != TIDE_OK) return st;
        at += part;
    }
    s->total += (int64_t)at;
    *got = at;
    if (at < n && !s->codec && s->sized && s->total < s->size)
        return csv_source_short(s, s->total, err);
    return TIDE_OK;
}

tide_status csv_source_fetch(const struct csv_source *s, char *buf, size_t n,
                             int64_t offset, size_t *got, tide_error *err)
{
    if (s->sized) return file_pread(s->fd, s->path, buf, n, offset, got, err);
    size_t from = (size_t)offset < s->head_len ? (size_t)offset : s->head_len;
    *got = s->head_len - from < n ? s->head_len - from : n;
    if (*got) memcpy(buf, s->head + from, *got);
    return TIDE_OK;
}

void csv_source_close(struct csv_source *s)
{
    codec_close(s->codec);
    if (s->fd >= 0) file_close(s->fd);
    arena_free(&s->arena);
    s->codec = NULL;
    s->fd = -1;
    s->head_len = s->head_at = 0;
}
