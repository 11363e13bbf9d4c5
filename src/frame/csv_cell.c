/* csv_cell.c - one cell: missing tokens, quotes, numbers, truth values, dates, text */
#include <math.h>
#include <string.h>

#include "base/numparse.h"
#include "frame/csv.h"

int csv_is_missing(const char *s, size_t n)
{
    switch (n) {
    case 0:
        return 1;
    case 1:
        return s[0] == '?';
    case 2:
        return s[0] == 'N' && s[1] == 'A';
    case 3:
        return memcmp(s, "N/A", 3) == 0 || memcmp(s, "NaN", 3) == 0;
    case 4:
        return memcmp(s, "null", 4) == 0 || memcmp(s, "NULL", 4) == 0;
    default:
        return 0;
    }
}

int csv_is_na(const struct csv_reader *r, const char *s, size_t n)
{
    if (csv_is_missing(s, n)) return 1;
    for (int i = 0; i < r->o.na.n; i++)
        if (strlen(r->o.na.items[i]) == n && memcmp(r->o.na.items[i], s, n) == 0)
            return 1;
    return 0;
}

size_t csv_unquote(const char *s, size_t n, char quote, char *out)
{
    size_t k = 0, i = 1;
    while (i < n) {
        const char *q = memchr(s + i, quote, n - i);
        size_t part = q ? (size_t)(q - s) - i : n - i;
        int twice = q && i + part + 1 < n && q[1] == quote;
        if (twice) part++; /* one of the two */
        memcpy(out + k, s + i, part);
        k += part;
        i += part + (q != NULL);
        if (q && !twice) break;
    }
    if (i < n) memcpy(out + k, s + i, n - i); /* lenient: behind the closing quote */
    return i < n ? k + n - i : k;
}

struct csv_cell csv_strip(const struct csv_dialect *d, struct csv_cell c, char *buf,
                          size_t size)
{
    if (c.quoted && c.n >= 2 && c.s[c.n - 1] == d->quote) {
        c.s++;
        c.n -= 2;
    } else if (c.quoted && c.n <= size) {
        c.n = csv_unquote(c.s, c.n, d->quote, buf);
        c.s = buf;
    }
    while (c.n && (c.s[0] == ' ' || c.s[0] == '\t')) c.s++, c.n--;
    while (c.n && (c.s[c.n - 1] == ' ' || c.s[c.n - 1] == '\t')) c.n--;
    return c;
}

static int same_word(const char *s, size_t n, const char *lower)
{
    if (strlen(lower) != n) return 0;
    for (size_t i = 0; i < n; i++)
        if ((s[i] | 32) != lower[i]) return 0;
    return 1;
}

/* Missing, infinite, or something else: what is no number. */
static enum csv_number word_kind(const struct csv_reader *r, struct csv_cell c)
{
    if (csv_is_na(r, c.s, c.n) || (c.n == 1 && c.s[0] == '-')) return CSV_MISSING;
    int sign = c.s[0] == '-' || c.s[0] == '+';
    const char *s = c.s + sign;
    size_t n = c.n - (size_t)sign;
    if (same_word(s, n, "nan")) return CSV_MISSING;
    if (same_word(s, n, "inf") || same_word(s, n, "infinity")) return CSV_INFINITE;
    return CSV_OTHER;
}

static enum csv_number from_result(enum num_result res)
{
    switch (res) {
    case NUM_OK:
        return CSV_NUMBER;
    case NUM_UNDERFLOW:
        return CSV_UNDERFLOW;
    case NUM_INEXACT_INT:
        return CSV_INEXACT;
    case NUM_OVERFLOW:
        return CSV_RANGE;
    case NUM_BAD:
        break;
    }
    return CSV_OTHER;
}

/* 1,234,567.8 without its marks; 0 when groups are not of three digits. */
static size_t drop_thousands(const struct csv_dialect *d, struct csv_cell c, char *buf,
                             size_t size)
{
    size_t i = 0, k = 0, digits = 0, groups = 0;
    if (c.n > size) return 0;
    if (i < c.n && (c.s[i] == '+' || c.s[i] == '-')) buf[k++] = c.s[i++];
    for (; i < c.n; i++) {
        if (c.s[i] == d->thousands) {
            if (digits == 0 || digits > 3 || (groups && digits != 3)) return 0;
            groups++;
            digits = 0;
        } else if (c.s[i] >= '0' && c.s[i] <= '9') {
            digits++;
            buf[k++] = c.s[i];
        } else {
            break;
        }
    }
    if (groups && digits != 3) return 0;
    for (; i < c.n; i++) buf[k++] = c.s[i];
    return groups ? k : 0;
}

enum csv_number csv_parse_number(const struct csv_reader *r, struct csv_cell c,
                                 double *out)
{
    char buf[512], plain[512];
    *out = (double)NAN;
    if (!c.s) return CSV_MISSING;
    c = csv_strip(&r->d, c, buf, sizeof buf);
    enum csv_number kind = from_result(num_parse(c.s, c.n, r->d.decimal, out));
    if (kind == CSV_OTHER && r->d.thousands) {
        size_t n = drop_thousands(&r->d, c, plain, sizeof plain);
        if (n) kind = from_result(num_parse(plain, n, r->d.decimal, out));
    }
    if (kind == CSV_OTHER) kind = word_kind(r, c);
    /* A token of --na may be a number: -999. */
    if (r->o.na.n && kind != CSV_MISSING && csv_is_na(r, c.s, c.n)) kind = CSV_MISSING;
    if (kind == CSV_RANGE || kind == CSV_INFINITE) {
        *out = (double)NAN;
        if (r->o.inf) return CSV_MISSING;
    }
    if (kind == CSV_MISSING) *out = (double)NAN;
    return kind;
}

enum csv_number csv_parse_int(const struct csv_reader *r, struct csv_cell c,
                              int64_t *out)
{
    char buf[512], plain[512];
    *out = I64_MISSING;
    if (!c.s) return CSV_MISSING;
    c = csv_strip(&r->d, c, buf, sizeof buf);
    int ok = num_parse_i64(c.s, c.n, out);
    const char *s = c.s;
    if (!ok && r->d.thousands) {
        size_t n = drop_thousands(&r->d, c, plain, sizeof plain);
        ok = n && num_parse_i64(plain, n, out);
    }
    if (r->o.na.n && csv_is_na(r, c.s, c.n)) ok = 0;
    if (ok && *out != I64_MISSING && !(*out == 0 && s[0] == '-')) return CSV_NUMBER;
    *out = I64_MISSING;
    if (ok) return CSV_OTHER; /* -0 and the missing value itself are floats */
    return word_kind(r, c) == CSV_MISSING ? CSV_MISSING : CSV_OTHER;
}

enum csv_number csv_parse_bool(const struct csv_reader *r, struct csv_cell c, int loose,
                               uint8_t *out)
{
    char buf[512];
    *out = BOOL_MISSING;
    if (!c.s) return CSV_MISSING;
    c = csv_strip(&r->d, c, buf, sizeof buf);
    if (csv_is_na(r, c.s, c.n)) return CSV_MISSING;
    if (c.n == 4 &&
        (!memcmp(c.s, "true", 4) || !memcmp(c.s, "True", 4) || !memcmp(c.s, "TRUE", 4)))
        *out = 1;
    else if (c.n == 5 && (!memcmp(c.s, "false", 5) || !memcmp(c.s, "False", 5) ||
                          !memcmp(c.s, "FALSE", 5)))
        *out = 0;
    else if (loose && c.n == 1 && (c.s[0] == '0' || c.s[0] == '1'))
        *out = (uint8_t)(c.s[0] - '0');
    return *out == BOOL_MISSING ? CSV_OTHER : CSV_NUMBER;
}

enum csv_number csv_parse_time(const struct csv_reader *r, struct csv_cell c,
                               int64_t *out)
{
    char buf[512];
    *out = I64_MISSING;
    if (!c.s) return CSV_MISSING;
    c = csv_strip(&r->d, c, buf, sizeof buf);
    if (time_parse(c.s, c.n, out) == 0 && !(r->o.na.n && csv_is_na(r, c.s, c.n)))
        return CSV_NUMBER;
    *out = I64_MISSING;
    if (csv_is_na(r, c.s, c.n) || (c.n == 1 && c.s[0] == '-')) return CSV_MISSING;
    return CSV_OTHER;
}

int csv_parse_text(const struct csv_reader *r, struct csv_cell c, struct arena *temp,
                   const char **s, size_t *n)
{
    *s = c.s;
    *n = c.n;
    if (!c.s) return 0;
    if (!c.quoted) return !csv_is_na(r, c.s, c.n);
    int closed = c.n >= 2 && c.s[c.n - 1] == r->d.quote;
    if (closed && !memchr(c.s + 1, r->d.quote, c.n - 2)) {
        *s = c.s + 1;
        *n = c.n - 2;
        return 1;
    }
    char *plain = arena_push(temp, c.n + 1);
    if (!plain) return 0; /* the arena tells */
    *n = csv_unquote(c.s, c.n, r->d.quote, plain);
    *s = plain;
    return 1;
}
