/* fuzz_number.c - text to numbers and back, against the C library
 *
 * The text: num_parse accepts its grammar and nothing else, with the bits of strtod and the
 * right word for what was lost; integers as strtoll. Its first 8 bytes as a double: printed,
 * it reads back equal, and no shorter text does. */
#include <errno.h>
#include <math.h>

#include "base/numparse.h"
#include "fuzz.h"

enum { MOST = 1200 };
__extension__ typedef unsigned __int128 wide;

static uint64_t bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static size_t digits(const char *s, size_t i, size_t n)
{
    while (i < n && s[i] >= '0' && s[i] <= '9') i++;
    return i;
}

/* [+-]?(d+[.]?d*|[.]d+)([eE][+-]?d+)? */
static int is_number(const char *s, size_t n, char decimal)
{
    size_t i = n && (s[0] == '+' || s[0] == '-'), from = i;
    i = digits(s, i, n);
    size_t whole = i - from, part = 0;
    if (i < n && s[i] == decimal) {
        from = ++i;
        i = digits(s, i, n);
        part = i - from;
    }
    if (!whole && !part) return 0;
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        if (i < n && (s[i] == '+' || s[i] == '-')) i++;
        from = i;
        i = digits(s, i, n);
        if (i == from) return 0;
    }
    return i == n;
}

static int is_integer(const char *s, size_t n)
{
    size_t i = n && (s[0] == '+' || s[0] == '-');
    return i < n && digits(s, i, n) == n;
}

static int has_value(const char *s, size_t n)
{
    for (size_t i = 0; i < n && s[i] != 'e' && s[i] != 'E'; i++)
        if (s[i] >= '1' && s[i] <= '9') return 1;
    return 0;
}

/* Integer text of at most 38 digits that no double equals? -1: too long to tell here. */
static int is_inexact(const char *s, size_t n, double got)
{
    wide v = 0;
    size_t i = s[0] == '+' || s[0] == '-';
    while (i < n && s[i] == '0') i++;
    if (n - i > 38) return -1;
    for (; i < n; i++) v = v * 10 + (unsigned)(s[i] - '0');
    return (wide)fabs(got) != v;
}

static void check_text(const char *text, size_t n, char decimal)
{
    char copy[MOST + 1];
    double got = 12.25;
    enum num_result r = num_parse(text, n, decimal, &got);
    int want = is_number(text, n, decimal);
    FUZZ_CHECK((r != NUM_BAD) == want, "\"%.*s\" gives %d", (int)n, text, r);
    if (!want) return;
    memcpy(copy, text, n);
    copy[n] = '\0';
    char *point = strchr(copy, decimal);
    if (point) *point = '.';
    double real = strtod(copy, NULL);
    FUZZ_CHECK(bits(real) == bits(got), "\"%s\" gives %a, not %a", copy, got, real);
    FUZZ_CHECK((r == NUM_OVERFLOW) == !isfinite(real), "\"%s\" gives %d", copy, r);
    FUZZ_CHECK((r == NUM_UNDERFLOW) == (real == 0 && has_value(copy, n)),
               "\"%s\" gives %d", copy, r);
    int inexact = isfinite(real) && is_integer(text, n) ? is_inexact(text, n, real) : 0;
    if (inexact >= 0)
        FUZZ_CHECK((r == NUM_INEXACT_INT) == inexact, "\"%s\" gives %d", copy, r);
}

static void check_integer(const char *text, size_t n)
{
    char copy[32];
    int64_t i = 0;
    uint64_t u = 0;
    int got = num_parse_i64(text, n, &i), got_u = num_parse_u64(text, n, &u);
    if (!is_integer(text, n)) {
        FUZZ_CHECK(!got && !got_u, "\"%.*s\" is taken for an integer", (int)n, text);
        return;
    }
    if (n >= sizeof copy) return;
    memcpy(copy, text, n);
    copy[n] = '\0';
    errno = 0;
    long long want = strtoll(copy, NULL, 10);
    FUZZ_CHECK(got == (errno == 0) && (!got || i == want), "\"%s\" gives %d, %lld",
               copy, got, (long long)i);
    if (copy[0] == '-' || copy[0] == '+') return;
    errno = 0;
    unsigned long long want_u = strtoull(copy, NULL, 10);
    FUZZ_CHECK(got_u == (errno == 0) && (!got_u || u == want_u),
               "\"%s\" gives %d, %llu", copy, got_u, (unsigned long long)u);
}

/* Significant digits of a printed number. */
static int count_digits(const char *s)
{
    int n = 0, zeros = 0, begun = 0;
    for (; *s && *s != 'e'; s++) {
        if (*s < '0' || *s > '9') continue;
        begun |= *s != '0';
        if (!begun) continue;
        n++;
        zeros = *s == '0' ? zeros + 1 : 0;
    }
    return n - zeros;
}

static void check_double(double x, int digits_wanted)
{
    char text[NUM_PRINT_MAX + 1], other[64];
    double back = 0;
    int n = num_print(text, x);
    FUZZ_CHECK(n > 0 && n < NUM_PRINT_MAX, "%a prints in %d bytes", x, n);
    text[n] = '\0';
    if (!isfinite(x)) {
        FUZZ_CHECK(!strcmp(text, isnan(x) ? "nan"
                                 : x < 0  ? "-inf"
                                          : "inf"),
                   "%s", text);
        return;
    }
    FUZZ_CHECK(num_parse(text, (size_t)n, '.', &back) != NUM_BAD, "%s", text);
    FUZZ_CHECK(bits(back) == bits(x) && bits(strtod(text, NULL)) == bits(x),
               "%a prints as %s", x, text);
    int shown = count_digits(text);
    if (shown > 1) {
        snprintf(other, sizeof other, "%.*e", shown - 2, x);
        FUZZ_CHECK(bits(strtod(other, NULL)) != bits(x), "%s is longer than %s", text,
                   other);
    }
    n = num_print_g(text, x, digits_wanted);
    text[n] = '\0';
    snprintf(other, sizeof other, "%.*g", digits_wanted, x);
    FUZZ_CHECK(bits(strtod(other, NULL)) == bits(strtod(text, NULL)), "%s is not %s",
               text, other);
}

/* The first byte says what: text with a point, with a comma, an integer, a double. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST) return 0;
    uint8_t what = data[0];
    const char *text = (const char *)data + 1;
    size--;
    if ((what & 3) == 3 && size >= 8) {
        double x;
        memcpy(&x, text, sizeof x);
        check_double(x, 1 + (what >> 2) % 17);
    } else if ((what & 3) == 2) {
        check_integer(text, size);
    } else {
        check_text(text, size, what & 1 ? ',' : '.');
    }
    return 0;
}
