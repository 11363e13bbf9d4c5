/* str.c - growing text with a sticky failure, and the escapes of the forms we write */
#include "base/str.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numparse.h"
#include "base/size.h"

void str_free(struct str *t)
{
    if (!t) return;
    mem_free(t->s);
    *t = (struct str){0};
}

void str_clear(struct str *t)
{
    t->len = 0;
    if (t->s) t->s[0] = 0;
}

/* Room for n more bytes and the end; 0 when there is none. */
static int str_reserve(struct str *t, size_t n)
{
    size_t need;
    if (t->failed) return 0;
    if (size_add(t->len, n, &need) || size_add(need, 1, &need)) {
        t->failed = 1;
        return 0;
    }
    if (need <= t->cap) return 1;
    size_t cap = t->cap ? t->cap : 64;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : 2 * cap;
    char *s = mem_realloc(t->s, cap);
    if (!s) {
        t->failed = 1;
        return 0;
    }
    t->s = s;
    t->cap = cap;
    return 1;
}

void str_addn(struct str *t, const char *s, size_t n)
{
    if (!str_reserve(t, n)) return;
    if (n) memcpy(t->s + t->len, s, n);
    t->len += n;
    t->s[t->len] = 0;
}

void str_add(struct str *t, const char *s)
{
    str_addn(t, s, strlen(s));
}

void str_addc(struct str *t, char c)
{
    str_addn(t, &c, 1);
}

void str_addv(struct str *t, const char *fmt, va_list ap)
{
    if (!str_reserve(t, 0)) return;
    size_t room = t->cap - t->len;
    int n = str_formatv(t->s + t->len, room, fmt, ap);
    if ((size_t)n >= room) {
        t->s[t->len] = 0;
        if (!str_reserve(t, (size_t)n)) return;
        str_formatv(t->s + t->len, t->cap - t->len, fmt, ap);
    }
    t->len += (size_t)n;
}

void str_addf(struct str *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_addv(t, fmt, ap);
    va_end(ap);
}

void str_num(struct str *t, double v)
{
    char buf[NUM_PRINT_MAX];
    str_addn(t, buf, (size_t)num_print(buf, v));
}

void str_num_g(struct str *t, double v, int digits)
{
    char buf[NUM_PRINT_MAX];
    str_addn(t, buf, (size_t)num_print_g(buf, v, digits));
}

void str_add_visible(struct str *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !t->failed;) {
        char buf[UTF8_SHOW_MAX];
        size_t used;
        int len = utf8_show(s + i, n - i, buf, &used);
        str_addn(t, buf, (size_t)len);
        i += used;
    }
}

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

void str_add_html(struct str *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n && !t->failed;) {
        uint32_t cp = 0;
        int len = utf8_decode(s + i, n - i, &cp);
        if (len == 0 || (cp < 0x20 && cp != '\n' && cp != '\t') ||
            (cp >= 0x7f && cp < 0xa0))
            str_add(t, replacement);
        else if (cp == '&')
            str_add(t, "&amp;");
        else if (cp == '<')
            str_add(t, "&lt;");
        else if (cp == '>')
            str_add(t, "&gt;");
        else if (cp == '"')
            str_add(t, "&quot;");
        else if (cp == '\'')
            str_add(t, "&#39;");
        else
            str_addn(t, s + i, (size_t)len);
        i += len ? (size_t)len : 1;
    }
}

static int is_json_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void str_add_json(struct str *t, const char *s, size_t n)
{
    str_addc(t, '"');
    for (size_t i = 0; i < n && !t->failed;) {
        size_t run = i;
        while (run < n && is_json_plain((unsigned char)s[run])) run++;
        str_addn(t, s + i, run - i);
        i = run;
        if (i == n) break;
        uint32_t cp = 0;
        int len = utf8_decode(s + i, n - i, &cp);
        const char *at = len == 1 ? strchr("\"\"\\\\\nn\rr\tt\bb\ff", (int)cp) : NULL;
        if (len == 0)
            str_add(t, "\\ufffd");
        else if (at && cp) {
            str_addc(t, '\\');
            str_addc(t, at[1]);
        } else if (cp < 0x20 || cp == 0x7f)
            str_addf(t, "\\u%04x", (unsigned)cp);
        else
            str_addn(t, s + i, (size_t)len);
        i += len ? (size_t)len : 1;
    }
    str_addc(t, '"');
}

/* Text that a spreadsheet would run as a formula; plain numbers are left alone. */
static int is_formula(const char *s, size_t n)
{
    double v;
    return n > 0 && memchr("=+-@\t\r", s[0], 6) != NULL &&
           num_parse(s, n, '.', &v) == NUM_BAD;
}

void str_add_csv(struct str *t, const char *s, size_t n, int spreadsheet_safe)
{
    int formula = spreadsheet_safe && is_formula(s, n);
    int quoted =
        n > 0 && (s[0] == ' ' || s[n - 1] == ' ' || s[0] == '\t' || s[n - 1] == '\t');
    for (size_t i = 0; i < n && !quoted; i++)
        quoted = s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r';
    if (!quoted) {
        if (formula) str_addc(t, '\'');
        str_addn(t, s, n);
        return;
    }
    str_addc(t, '"');
    if (formula) str_addc(t, '\'');
    for (size_t i = 0; i < n;) {
        const char *q = memchr(s + i, '"', n - i);
        size_t end = q ? (size_t)(q - s) + 1 : n;
        str_addn(t, s + i, end - i);
        if (q) str_addc(t, '"');
        i = end;
    }
    str_addc(t, '"');
}

int str_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment over three rows, less what both begin and end with; of what remains
 * only 255 bytes are compared, the rest counts by its length. */
int str_edit_distance(const char *a, const char *b)
{
    enum { MAX = 255 };
    int rows[3][MAX + 1];
    size_t len_a = strlen(a), len_b = strlen(b);
    while (len_a && len_b && fold(*a) == fold(*b)) a++, b++, len_a--, len_b--;
    while (len_a && len_b && fold(a[len_a - 1]) == fold(b[len_b - 1])) len_a--, len_b--;
    int n = len_a < MAX ? (int)len_a : MAX, m = len_b < MAX ? (int)len_b : MAX;
    size_t rest_a = len_a - (size_t)n, rest_b = len_b - (size_t)m;
    size_t beyond = rest_a > rest_b ? rest_a : rest_b;
    int *older = rows[0], *old = rows[1], *row = rows[2];
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int *t = older;
        older = old, old = row, row = t;
        row[0] = i;
        char ca = fold(a[i - 1]), before = i > 1 ? fold(a[i - 2]) : (char)0;
        for (int j = 1; j <= m; j++) {
            char cb = fold(b[j - 1]);
            int best = old[j - 1] + (ca != cb);
            if (old[j] + 1 < best) best = old[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && ca == fold(b[j - 2]) && before == cb &&
                older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            row[j] = best;
        }
    }
    return beyond < 1000000 ? row[m] + (int)beyond : 1000000;
}

void str_add_bytes(struct str *t, int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    char buf[NUM_PRINT_MAX];
    if (bytes > -1000 && bytes < 1000) {
        str_addf(t, "%lld B", (long long)bytes);
        return;
    }
    double v = (double)bytes / 1000;
    int unit = 0;
    while (unit < 5 && (v >= 999.5 || v <= -999.5)) v /= 1000, unit++;
    int n = num_print_f(buf, v, v > -99.95 && v < 99.95 ? 1 : 0);
    str_addn(t, buf, (size_t)n);
    str_addc(t, ' ');
    str_add(t, units[unit]);
}

void str_add_seconds(struct str *t, double s)
{
    char buf[NUM_PRINT_MAX];
    if (s < 0.9995) {
        str_addn(t, buf, (size_t)num_print_g(buf, s * 1000, 3));
        str_add(t, " ms");
    } else if (s < 59.95) {
        str_addn(t, buf, (size_t)num_print_f(buf, s, 1));
        str_add(t, " s");
    } else if (s < 3599.5) {
        long long whole = (long long)(s + 0.5);
        str_addf(t, "%lld min %lld s", whole / 60, whole % 60);
    } else if (s < 1e15) {
        long long minutes = (long long)(s / 60 + 0.5);
        str_addf(t, "%lld h %lld min", minutes / 60, minutes % 60);
    } else {
        str_num(t, s);
        str_add(t, " s");
    }
}
