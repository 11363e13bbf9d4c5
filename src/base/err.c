/* err.c - filling a tide_error; what is formatted may be part of the error being replaced */
#include "base/err.h"

#include <string.h>

#include "base/str.h"

/* The status of the last err_set, for err_at and its like when the caller wants no error. */
static _Thread_local tide_status last_status = TIDE_EINTERNAL;

static tide_status err_status(const tide_error *err)
{
    return err ? err->status : last_status;
}

/* snprintf that ends at a character's border. */
static void format_cut(char *out, size_t size, const char *fmt, va_list ap)
{
    int n = str_formatv(out, size, fmt, ap);
    if (n < 0 || (size_t)n < size) return;
    size_t k =
        size -
        1; /* the byte that would have followed is gone: look back for a whole one */
    while (k > 0 && ((unsigned char)out[k - 1] & 0xc0) == 0x80) k--;
    uint32_t cp;
    if (k > 0 && (unsigned char)out[k - 1] >= 0xc0 &&
        !utf8_decode(out + k - 1, size - k, &cp))
        out[k - 1] = 0;
}

static void copy_cut(char *out, size_t size, const char *s)
{
    size_t n = s ? strlen(s) : 0, k = utf8_cut(s ? s : "", n, size - 1);
    if (k) memmove(out, s, k);
    out[k] = 0;
}

tide_status err_setv(tide_error *err, tide_code code, const char *fmt, va_list ap)
{
    tide_status status = tide_code_status(code);
    last_status = status;
    if (!err) return status;
    char message[sizeof err->message];
    format_cut(message, sizeof message, fmt, ap);
    uint32_t size = err->size;
    memset(err, 0, sizeof *err);
    err->size = size;
    err->status = status;
    err->code = code;
    err->offset = -1;
    memcpy(err->message, message, sizeof message);
    return status;
}

tide_status err_set(tide_error *err, tide_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tide_status status = err_setv(err, code, fmt, ap);
    va_end(ap);
    return status;
}

tide_status err_nomem(tide_error *err, size_t wanted)
{
    static const struct {
        size_t size;
        const char *name;
    } units[] = {{1000000000, "GB"}, {1000000, "MB"}, {1000, "kB"}, {1, "bytes"}};
    if (wanted == 0) return err_set(err, TIDE_CODE_MEMORY, "out of memory");
    int u = 0; /* no growing text here: memory is out */
    while (wanted < units[u].size) u++;
    double v = (double)wanted / (double)units[u].size;
    return err_set(err, TIDE_CODE_MEMORY, "out of memory: %.3r %s more are needed", v,
                   units[u].name);
}

tide_status err_cancelled(tide_error *err)
{
    return err_set(err, TIDE_CODE_CANCELLED, "cancelled");
}

tide_status err_at(tide_error *err, const char *file, int64_t line, int64_t column)
{
    if (err) {
        copy_cut(err->file, sizeof err->file, file);
        err->line = line;
        err->column = column;
    }
    return err_status(err);
}

tide_status err_field(tide_error *err, const char *field)
{
    if (err) copy_cut(err->field, sizeof err->field, field);
    return err_status(err);
}

tide_status err_place(tide_error *err, const char *fmt, ...)
{
    if (err) {
        char place[sizeof err->place];
        va_list ap;
        va_start(ap, fmt);
        format_cut(place, sizeof place, fmt, ap);
        va_end(ap);
        memcpy(err->place, place, sizeof place);
    }
    return err_status(err);
}

tide_status err_hint(tide_error *err, const char *option, const char *fmt, ...)
{
    if (err) {
        char value[sizeof err->value];
        va_list ap;
        va_start(ap, fmt);
        format_cut(value, sizeof value, fmt, ap);
        va_end(ap);
        memcpy(err->value, value, sizeof value);
        copy_cut(err->option, sizeof err->option, option);
    }
    return err_status(err);
}

char *err_quote(char *dst, size_t dst_size, const char *text, size_t len, size_t max)
{
    size_t end = utf8_cut(text, len, max), at = 0, i = 0, fits = 0;
    if (dst_size == 0) return dst;
    size_t room = dst_size - 1, dots = room < 3 ? room : 3;
    while (i < end) {
        char buf[UTF8_SHOW_MAX];
        size_t used;
        size_t n = (size_t)utf8_show(text + i, len - i, buf, &used);
        if (at + n > room) break;
        memcpy(dst + at, buf, n);
        at += n;
        i += used;
        if (at + dots <= room) fits = at; /* the last place where "..." still fits */
    }
    if (i < len) {
        at = fits;
        memcpy(dst + at, "...", dots);
        at += dots;
    }
    dst[at] = 0;
    return dst;
}

const char *err_nearest(const char *name, const char *const *names, int n)
{
    const char *best = NULL;
    int least = (int)(strnlen(name, 3000) / 3) + 2; /* one more than is allowed */
    for (int i = 0; i < n; i++) {
        if (!names[i]) continue;
        int d = str_edit_distance(name, names[i]);
        if (d < least) least = d, best = names[i];
    }
    return best;
}
