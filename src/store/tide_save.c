/* tide_save.c - models to files and back: the public door
 *
 * A model is written whole in memory, read back from those bytes by the reader that will
 * meet them later, golden rows included, and only then renamed into place. Loading copies
 * the file into the model's own memory, so a file that is replaced or cut while a model
 * serves changes nothing. */
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/par.h"
#include "store/store.h"

#define STEP ((size_t)1 << 20)

static void remember(const tide_model *model, const tide_model *read)
{
    tide_model *m = (tide_model *)(uintptr_t)model; /* what it knows of its file */
    memcpy(m->sha256, read->sha256, sizeof m->sha256);
    m->file_bytes = read->file_bytes;
}

/* Reads back what is about to be written. */
static tide_status prove(tide_ctx *ctx, const tide_model *model, const uint8_t *data,
                         size_t n, const char *path, tide_error *err)
{
    tide_model *again = model_new(ctx, err);
    if (!again) return TIDE_ENOMEM;
    tide_status st = tide_read_model(ctx, again, data, n, path, err);
    if (!st) remember(model, again);
    tide_model_free(again);
    return st;
}

tide_status tide_model_save(tide_ctx *ctx, const tide_model *model, const char *path,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct arena a;
    struct file_out out;
    uint8_t *data = NULL;
    size_t n = 0;
    if (!ctx || !model || !path)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                       !ctx     ? "ctx"
                       : !model ? "model"
                                : "path");
    if (model->whole) /* its measures and golden rows are the whole model's */
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "a model's first trees are there to predict, not to be saved");
    arena_init(&a, ctx);
    tide_status st = tide_write_model(model, &a, &data, &n, err);
    if (!st) st = prove(ctx, model, data, n, path, err);
    if (!st) {
        st = file_replace_begin(&out, path, err);
        if (!st) {
            st = file_out_write(&out, data, n, err);
            if (!st) st = file_replace_commit(&out, ctx, err);
            if (st) file_replace_abort(&out);
        }
    }
    arena_free(&a);
    return st;
}

/* ---- opening ---- */

static tide_status check_sha_text(const char *sha256, tide_error *err)
{
    size_t n = strlen(sha256);
    if (n == 64 && strspn(sha256, "0123456789abcdefABCDEF") == n) return TIDE_OK;
    char shown[128];
    err_quote(shown, sizeof shown, sha256, n, 70);
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "expected 64 hexadecimal digits for 'sha256', got \"%s\"", shown);
    return err_field(err, "sha256");
}

static int sha_differs(const char *want, const char *got)
{
    for (int i = 0; i < 64; i++) {
        char c = want[i] >= 'A' && want[i] <= 'F' ? (char)(want[i] + 32) : want[i];
        if (c != got[i]) return 1;
    }
    return 0;
}

static tide_status refuse_sha(const char *path, const char *want, const char *got,
                              tide_error *err)
{
    err_set(err, TIDE_CODE_TIDE_HASH, "SHA-256 is %.16s..., not %.16s...", got, want);
    return err_at(err, path, 0, 0);
}

/* SHA-256 of an open file, nothing kept. */
static tide_status hash_file(int fd, const char *path, int64_t size, struct arena *a,
                             char out[65], tide_error *err)
{
    struct sha256 s;
    uint8_t digest[32];
    uint8_t *chunk = arena_push(a, STEP);
    tide_status st = arena_status(a, err);
    sha256_init(&s);
    for (int64_t at = 0; !st && at < size;) {
        size_t got = 0;
        st = file_pread(fd, path, chunk, STEP, at, &got, err);
        if (!st && !got) break;
        if (!st) sha256_add(&s, chunk, got);
        at += (int64_t)got;
    }
    sha256_end(&s, digest);
    sha256_hex(digest, out);
    return st;
}

/* A regular file: its size is known, so a file that is no model costs 64 bytes. */
static tide_status read_file(int fd, const char *path, int64_t size, const char *sha256,
                             tide_model *m, uint8_t **data, size_t *n, tide_error *err)
{
    uint8_t head[TIDE_PREAMBLE];
    struct tide_preamble p;
    char hex[65];
    size_t got = 0;
    tide_status st = TIDE_OK;
    if (sha256) {
        struct arena a;
        arena_init(&a, NULL);
        st = hash_file(fd, path, size, &a, hex, err);
        arena_free(&a);
        if (!st && sha_differs(sha256, hex)) st = refuse_sha(path, sha256, hex, err);
    }
    if (!st) st = file_pread(fd, path, head, sizeof head, 0, &got, err);
    if (!st) st = tide_check_preamble(head, got, (uint64_t)size, path, &p, err);
    if (st) return st;
    *data = arena_push(&m->arena, (size_t)size);
    st = arena_status(&m->arena, err);
    if (!st) st = file_pread(fd, path, *data, (size_t)size, 0, n, err);
    return st;
}

/* A pipe: chunks as they come, up to what the preamble claims and one byte more. */
static tide_status read_pipe(int fd, const char *path, tide_model *m, uint8_t **data,
                             size_t *n, tide_error *err)
{
    struct arena a;
    struct tide_preamble p;
    uint8_t head[TIDE_PREAMBLE], *buf = NULL;
    size_t got = 0, cap = STEP;
    tide_status st = file_read(fd, path, head, sizeof head, &got, err);
    if (!st) {
        uint64_t total = 0; /* the claim, so that only the rest is judged here */
        memcpy(&total, head + 32, sizeof total);
        st = tide_check_preamble(head, got, got < sizeof head ? got : total, path, &p,
                                 err);
    }
    if (st) return st;
    arena_init(&a, NULL);
    buf = arena_push(&a, cap);
    st = arena_status(&a, err);
    if (!st) memcpy(buf, head, sizeof head);
    *n = sizeof head;
    while (!st && *n <= p.total) {
        if (*n == cap) {
            uint8_t *more = arena_push(&a, 2 * cap);
            st = arena_status(&a, err);
            if (st) break;
            memcpy(more, buf, cap);
            buf = more;
            cap *= 2;
        }
        st = file_read(fd, path, buf + *n, cap - *n, &got, err);
        if (!got) break;
        *n += got;
    }
    if (!st) {
        *data = arena_push(&m->arena, *n);
        st = arena_status(&m->arena, err);
        if (!st) memcpy(*data, buf, *n);
    }
    arena_free(&a);
    return st;
}

static tide_status check_handles(tide_ctx *ctx, const void *from, tide_model **out,
                                 tide_error *err)
{
    if (out) *out = NULL;
    if (ctx && from && out) return TIDE_OK;
    return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                   !ctx    ? "ctx"
                   : !from ? "path"
                           : "out");
}

tide_status tide_model_open(tide_ctx *ctx, const char *path, const char *sha256,
                            tide_model **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    int fd = -1;
    int64_t size = -1;
    uint8_t *data = NULL;
    size_t n = 0;
    tide_status st = check_handles(ctx, path, out, err);
    if (!st && sha256) st = check_sha_text(sha256, err);
    if (!st) st = file_open_read(path, &fd, &size, err);
    if (st) return st;
    tide_model *m = model_new(ctx, err);
    if (!m) st = TIDE_ENOMEM;
    if (!st && size >= 0)
        st = read_file(fd, path, size, sha256, m, &data, &n, err);
    else if (!st)
        st = read_pipe(fd, path, m, &data, &n, err);
    file_close(fd);
    if (!st && sha256) { /* again: the file may have changed since */
        struct sha256 s;
        uint8_t digest[32];
        char hex[65];
        sha256_init(&s);
        sha256_add(&s, data, n);
        sha256_end(&s, digest);
        sha256_hex(digest, hex);
        if (sha_differs(sha256, hex)) st = refuse_sha(path, sha256, hex, err);
    }
    if (!st) st = tide_read_model(ctx, m, data, n, path, err);
    if (st)
        tide_model_free(m);
    else
        *out = m;
    return st;
}

tide_status tide_model_open_memory(tide_ctx *ctx, const void *data, size_t size,
                                   tide_model **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct tide_preamble p;
    tide_status st = check_handles(ctx, data, out, err);
    if (st) return st;
    st = tide_check_preamble(data, size < TIDE_PREAMBLE ? size : TIDE_PREAMBLE, size,
                             "memory", &p, err);
    if (st) return st;
    tide_model *m = model_new(ctx, err);
    if (!m) return TIDE_ENOMEM;
    uint8_t *copy = arena_push(&m->arena, size);
    st = arena_status(&m->arena, err);
    if (!st) {
        memcpy(copy, data, size);
        st = tide_read_model(ctx, m, copy, size, "memory", err);
    }
    if (st)
        tide_model_free(m);
    else
        *out = m;
    return st;
}
