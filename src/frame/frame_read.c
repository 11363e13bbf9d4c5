/* frame_read.c - which reader takes a source, and asking it
 *
 * The first bytes are looked at in regular files only: what a pipe gave cannot be put back.
 * There, and for standard input, the ending and --format speak. */
#include <string.h>

#include "base/codec.h"
#include "base/err.h"
#include "base/file.h"
#include "base/par.h"
#include "frame/frame.h"
#include "frame/source.h"
#include "frame/tcol.h"
#include "spec/reader.h"
#include "spec/spec.h"

#define HEAD ((size_t)4096)

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int is_set(const char *text)
{
    return text && *text && strcmp(text, "auto") != 0;
}

/* Does the text of n bytes end with the word, whatever the case? */
static int ends_with(const char *s, size_t n, const char *word, size_t len)
{
    if (n < len) return 0;
    for (size_t i = 0; i < len; i++)
        if (lower(s[n - len + i]) != lower(word[i])) return 0;
    return 1;
}

const struct tide_reader *reader_of_ending(const char *path)
{
    size_t n = strlen(path);
    if (ends_with(path, n, ".gz", 3))
        n -= 3;
    else if (ends_with(path, n, ".zst", 4))
        n -= 4;
    for (int i = 0; i < tide_registry_count(TIDE_READER); i++) {
        const struct tide_reader *r = reader_get(i);
        for (const char *p = r->endings; p && *p;) {
            size_t len = strcspn(p, " ");
            if (ends_with(path, n, p, len)) return r;
            p += len + (p[len] == ' ');
        }
    }
    return NULL;
}

static const struct tide_reader *of_scheme(const char *path)
{
    for (int i = 0; i < tide_registry_count(TIDE_READER); i++) {
        const struct tide_reader *r = reader_get(i);
        if (r->scheme && strncmp(path, r->scheme, strlen(r->scheme)) == 0) return r;
    }
    return NULL;
}

/* The first bytes of the table, behind gzip or zstd. Damage there is the reader's to tell. */
static tide_status head_of(const char *path, char *head, size_t *n, tide_error *err)
{
    int fd = -1;
    int64_t size = 0;
    struct codec *codec = NULL;
    *n = 0;
    tide_status st = file_open_read(path, &fd, &size, err);
    if (st != TIDE_OK) return st;
    st = file_read(fd, path, head, HEAD, n, err);
    enum codec_kind kind = st == TIDE_OK ? codec_sniff(head, *n) : CODEC_PLAIN;
    if (kind == CODEC_PLAIN) {
        file_close(fd);
        return st;
    }
    char packed[HEAD];
    size_t n_packed = *n;
    memcpy(packed, head, n_packed);
    *n = 0;
    st = codec_open(fd, path, packed, n_packed, 1000, &codec, err);
    if (st == TIDE_OK) st = codec_read(codec, head, HEAD, n, err);
    codec_close(codec);
    if (st != TIDE_EDATA && st != TIDE_ELIMIT) return st;
    *n = 0;
    return TIDE_OK;
}

static const struct tide_reader *of_head(const char *head, size_t n)
{
    for (int i = 0; i < tide_registry_count(TIDE_READER); i++) {
        const struct tide_reader *r = reader_get(i);
        if (r->claims && r->claims(head, n)) return r;
    }
    return NULL;
}

static tide_status choose(const char *path, const char *format,
                          const struct tide_reader **out, tide_error *err)
{
    tide_status st = TIDE_OK;
    if (is_set(format)) {
        *out = reader_find(format, err);
        if (!*out) err_field(err, "format");
        return *out ? TIDE_OK : TIDE_EINVAL;
    }
    *out = of_scheme(path);
    if (!*out && strcmp(path, "-") != 0 && file_is_regular(path)) {
        char head[HEAD];
        size_t n = 0;
        st = head_of(path, head, &n, err);
        if (st == TIDE_OK) *out = of_head(head, n);
    }
    if (st == TIDE_OK && !*out) *out = reader_of_ending(path);
    if (st == TIDE_OK && !*out) *out = reader_find("csv", err);
    return st != TIDE_OK ? st : *out ? TIDE_OK : TIDE_EINTERNAL;
}

int source_has_scheme(const char *path)
{
    return of_scheme(path) != NULL;
}

tide_status frame_read_fresh(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options,
                             const struct tide_reader **reader, tide_frame **out,
                             tide_error *err)
{
    tide_status st = choose(path, options ? options->format : NULL, reader, err);
    return st == TIDE_OK ? (*reader)->read(ctx, path, options, out, err) : st;
}

tide_status tide_frame_read(tide_ctx *ctx, const char *path,
                            const struct tide_read_options *options, tide_frame **out,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    const struct tide_reader *reader = NULL;
    if (!ctx || !path || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    if (options && options->cache)
        return tcol_cached_read(ctx, path, options, out, err);
    return frame_read_fresh(ctx, path, options, &reader, out, err);
}
