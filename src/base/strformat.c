/* strformat.c - the formatter behind every message: err.h's conversions and nothing of a locale
 *
 * The text goes to a sink that counts what it would need, so a growing string formats twice
 * at most. An unknown conversion is a bug of ours: it asserts, and prints itself in release. */
#include <assert.h>
#include <string.h>

#include "base/numparse.h"
#include "base/str.h"

struct sink {
    char *out;
    size_t size, len;
}; /* len may pass size */

static void sink_put(struct sink *k, const char *s, size_t n)
{
    if (k->len < k->size) {
        size_t room = k->size - k->len;
        memcpy(k->out + k->len, s, n < room ? n : room);
    }
    k->len += n;
}

static void sink_fill(struct sink *k, char c, int n)
{
    for (; n > 0; n--) sink_put(k, &c, 1);
}

struct directive {
    int left, zero, width, precision;
    char size;
}; /* precision < 0: none */

/* Text in its width; `digits` of the tail may get zeros between sign and digits. */
static void put_padded(struct sink *k, const struct directive *d, const char *s,
                       size_t n, int number)
{
    int pad = n < (size_t)d->width ? d->width - (int)n : 0;
    if (number && d->zero && !d->left) {
        size_t sign = n > 0 && s[0] == '-';
        sink_put(k, s, sign);
        sink_fill(k, '0', pad);
        sink_put(k, s + sign, n - sign);
        return;
    }
    if (!d->left) sink_fill(k, ' ', pad);
    sink_put(k, s, n);
    if (d->left) sink_fill(k, ' ', pad);
}

static void put_unsigned(struct sink *k, const struct directive *d, uint64_t v,
                         unsigned base, int negative)
{
    char buf[72];
    int at = (int)sizeof buf, least = d->precision < 0    ? 1
                                      : d->precision > 64 ? 64
                                                          : d->precision;
    int n = 0;
    for (; v || n < least; n++, v /= base) buf[--at] = "0123456789abcdef"[v % base];
    if (negative) buf[--at] = '-';
    put_padded(k, d, buf + at, sizeof buf - (size_t)at, 1);
}

/* L stands for ll. */
static const char *read_directive(const char *p, struct directive *d, va_list *ap)
{
    *d = (struct directive){.precision = -1};
    for (; *p == '-' || *p == '0'; p++) {
        d->left |= *p == '-';
        d->zero |= *p == '0';
    }
    if (*p == '*') {
        d->width = va_arg(*ap, int);
        if (d->width < 0) d->left = 1, d->width = -d->width;
        p++;
    }
    for (; *p >= '0' && *p <= '9'; p++) d->width = d->width * 10 + (*p - '0');
    if (*p == '.') {
        d->precision = 0;
        if (*++p == '*') {
            d->precision = va_arg(*ap, int);
            p++;
        }
        for (; *p >= '0' && *p <= '9'; p++)
            d->precision = d->precision * 10 + (*p - '0');
    }
    if (*p == 'l' || *p == 'z' || *p == 'j') {
        d->size = *p++;
        if (d->size == 'l' && *p == 'l') d->size = 'L', p++;
    }
    return p;
}

static int64_t take_signed(char size, va_list *ap)
{
    switch (size) {
    case 'l':
        return va_arg(*ap, long);
    case 'L':
        return va_arg(*ap, long long);
    case 'z':
        return (int64_t)va_arg(*ap, size_t); /* the signed twin has no name in C17 */
    case 'j':
        return va_arg(*ap, intmax_t);
    default:
        return va_arg(*ap, int);
    }
}

static uint64_t take_unsigned(char size, va_list *ap)
{
    switch (size) {
    case 'l':
        return va_arg(*ap, unsigned long);
    case 'L':
        return va_arg(*ap, unsigned long long);
    case 'z':
        return va_arg(*ap, size_t);
    case 'j':
        return va_arg(*ap, uintmax_t);
    default:
        return va_arg(*ap, unsigned);
    }
}

static void put_text(struct sink *k, const struct directive *d, const char *s)
{
    if (!s) s = "(none)";
    size_t n = d->precision < 0 ? strlen(s) : strnlen(s, (size_t)d->precision);
    put_padded(k, d, s, n, 0);
}

static void put_directive(struct sink *k, char conversion, const struct directive *d,
                          va_list *ap)
{
    char buf[NUM_PRINT_MAX];
    switch (conversion) {
    case 's':
        put_text(k, d, va_arg(*ap, const char *));
        break;
    case 'c':
        buf[0] = (char)va_arg(*ap, int);
        put_padded(k, d, buf, 1, 0);
        break;
    case 'd':
    case 'i': {
        int64_t v = take_signed(d->size, ap);
        put_unsigned(k, d, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
        break;
    }
    case 'u':
        put_unsigned(k, d, take_unsigned(d->size, ap), 10, 0);
        break;
    case 'x':
        put_unsigned(k, d, take_unsigned(d->size, ap), 16, 0);
        break;
    case 'r': {
        double v = va_arg(*ap, double);
        int n =
            d->precision < 0 ? num_print(buf, v) : num_print_g(buf, v, d->precision);
        put_padded(k, d, buf, (size_t)n, 1);
        break;
    }
    case '%':
        sink_put(k, "%", 1);
        break;
    default:
        assert(0 && "a conversion that err.h does not list");
        sink_put(k, "%", 1);
        if (conversion) sink_put(k, &conversion, 1);
    }
}

int str_formatv(char *out, size_t size, const char *fmt, va_list ap)
{
    struct sink k = {out, size ? size - 1 : 0, 0};
    va_list args;
    va_copy(args, ap);
    for (const char *p = fmt; *p;) {
        size_t plain = strcspn(p, "%");
        sink_put(&k, p, plain);
        p += plain;
        if (!*p) break;
        struct directive d;
        p = read_directive(p + 1, &d, &args);
        put_directive(&k, *p, &d, &args);
        if (*p) p++;
    }
    va_end(args);
    if (size) out[k.len < size ? k.len : size - 1] = 0;
    return k.len < INT32_MAX ? (int)k.len : INT32_MAX;
}

int str_format(char *out, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = str_formatv(out, size, fmt, ap);
    va_end(ap);
    return n;
}
