/* source.c - whole texts for readers that look at them twice, and their limits */
#include "frame/source.h"

#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/size.h"
#include "frame/csv.h"
#include "spec/reader.h"

#define FIRST ((size_t)256 << 10)

/* Reads on into *out, twice as much each time; the arena keeps what it outgrew until its end,
 * so the parts are kept instead and joined. */
static tide_status read_all(struct csv_source *src, size_t first, struct arena *a,
                            struct source_text *out, tide_error *err)
{
    struct {
        char *s;
        size_t n;
    } part[48];
    struct arena parts;
    size_t want = first, got = 0;
    int n = 0;
    tide_status st = TIDE_OK;
    arena_init(&parts, src->ctx);
    for (out->n = 0; n < 48; want *= 2) {
        part[n].s = arena_push(&parts, want);
        st = arena_status(&parts, err);
        if (st == TIDE_OK) st = csv_source_read(src, part[n].s, want, &got, err);
        if (st == TIDE_OK && ctx_cancelled(src->ctx)) st = err_cancelled(err);
        if (st != TIDE_OK) break;
        part[n++].n = got;
        out->n += got;
        if (got < want) break;
    }
    out->s = st == TIDE_OK ? arena_push(a, out->n + CSV_PAD) : NULL;
    if (st == TIDE_OK) st = arena_status(a, err);
    size_t at = 0;
    for (int k = 0; out->s && k < n; at += part[k++].n)
        if (part[k].n) memcpy(out->s + at, part[k].s, part[k].n);
    arena_free(&parts);
    return st;
}

tide_status source_slurp(struct tide_ctx *ctx, const char *path, const char *data,
                         size_t n_data, struct arena *a, struct source_text *out,
                         tide_error *err)
{
    struct csv_source src = {.fd = -1};
    *out = (struct source_text){.kind = "",
                                .path = strcmp(path, "-") == 0 ? "stdin" : path};
    tide_status st = TIDE_OK;
    if (data)
        csv_source_memory(&src, ctx, data, n_data);
    else
        st = csv_source_open(&src, ctx, path, err);
    if (st != TIDE_OK) {
        csv_source_close(&src);
        return st;
    }
    if (src.size >= 0 && !src.codec) { /* of a known size: no second copy */
        size_t want = (size_t)src.size + 1;
        out->s = arena_push(a, want + CSV_PAD);
        st = arena_status(a, err);
        if (st == TIDE_OK) st = csv_source_read(&src, out->s, want, &out->n, err);
        if (st == TIDE_OK && out->n == want) { /* it grew */
            err_set(err, TIDE_CODE_FILE_CHANGED,
                    "the file had %lld bytes and grew while it was read",
                    (long long)src.size);
            st = err_at(err, out->path, 0, 0);
        }
    } else {
        st = read_all(&src, FIRST, a, out, err);
    }
    out->kind = src.kind ? src.kind : "";
    csv_source_close(&src);
    if (st == TIDE_OK) memset(out->s + out->n, 0, CSV_PAD);
    return st;
}

tide_status source_cut(const struct source_text *text, size_t from, int64_t line0,
                       size_t bytes, struct arena *a, struct source_part **out,
                       int64_t *n, tide_error *err)
{
    const char *s = text->s + from, *end = text->s + text->n;
    *n = 0;
    *out = arena_array(a, (int64_t)((size_t)(end - s) / bytes) + 1, sizeof **out);
    if (!*out) return arena_status(a, err);
    while (s < end) {
        const char *stop = end;
        if ((size_t)(end - s) > bytes) {
            stop = memchr(s + bytes, '\n', (size_t)(end - s) - bytes);
            stop = stop ? stop + 1 : end;
        }
        if ((uint64_t)(stop - s) > UINT32_MAX) {
            err_set(err, TIDE_CODE_LIMIT_LINE, "a line of more than 4 GiB");
            return err_at(err, text->path, line0, 1);
        }
        (*out)[(*n)++] = (struct source_part){s, stop, line0};
        for (; s < stop && (s = memchr(s, '\n', (size_t)(stop - s))); s++) line0++;
        s = stop;
    }
    return TIDE_OK;
}

tide_status source_place(const char *path, const struct source_part *part,
                         const char *p, tide_error *err)
{
    const char *line = p, *s = part->s;
    int64_t number = part->line0;
    while (line > part->s && line[-1] != '\n') line--;
    for (; s < line && (s = memchr(s, '\n', (size_t)(line - s))); s++) number++;
    return err_at(err, path, number, p - line + 1);
}

tide_status source_guard(const char *path, int64_t rows, int64_t cols, int64_t bytes,
                         tide_error *err)
{
    int64_t cells = 0, size = 0;
    if (!__builtin_mul_overflow(rows, cols, &cells) &&
        !__builtin_mul_overflow(cells, INT64_C(8), &size) &&
        (size <= INT64_C(64) << 20 || size / 1000 <= bytes))
        return TIDE_OK;
    err_set(
        err, TIDE_CODE_LIMIT_EXPAND,
        "%lld rows x %lld columns are more than 1000 times the %lld bytes they come "
        "from",
        (long long)rows, (long long)cols, (long long)bytes);
    return err_at(err, path, 0, 0);
}

tide_status source_empty(const struct source_text *text, const char *what,
                         tide_error *err)
{
    if (text->n == 0)
        err_set(err, TIDE_CODE_CSV_EMPTY, "file is empty (0 bytes)");
    else
        err_set(err, TIDE_CODE_CSV_EMPTY, "%zu bytes without %s", text->n, what);
    return err_at(err, text->path, 0, 0);
}

/* ---- options that mean nothing to a format ---- */

static int is_set(const char *text)
{
    return text && *text && strcmp(text, "auto") != 0;
}

tide_status reader_refuse(const struct tide_reader *reader,
                          const struct tide_read_options *o, unsigned takes,
                          tide_error *err)
{
    const char *set = NULL;
    if (!o) return TIDE_OK;
    if (!(takes & READER_MARKS)) {
        set = is_set(o->delim)       ? "delim"
              : is_set(o->decimal)   ? "decimal"
              : is_set(o->thousands) ? "thousands"
              : is_set(o->comment)   ? "comment"
              : o->quote             ? "quote"
              : o->header            ? "header"
                                     : NULL;
    }
    if (!set && !(takes & READER_NA) && o->na.n) set = "na";
    if (!set && !(takes & READER_TYPES) && o->types.n) set = "types";
    if (!set && !(takes & READER_ON_BAD) && o->on_bad && *o->on_bad &&
        strcmp(o->on_bad, "fail") != 0)
        set = "on-bad";
    if (!set) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "'%s' has no meaning for %s", set,
            reader->name);
    return err_field(err, set);
}
