/* numbers from text and back: equal to strtod and printf to the last bit */
#include "base/clock.h"
#include "base/numparse.h"
#include "base/rng.h"
#include "support/unit.h"

static uint64_t draws;
static uint64_t draw(void)
{
    return gen_mix(++draws * 0x9e3779b97f4a7c15u);
}
static int below(int n)
{
    return (int)(draw() % (uint64_t)n);
}

static uint64_t bits_of(double v)
{
    uint64_t b;
    memcpy(&b, &v, 8);
    return b;
}
static double random_double(void)
{
    double v;
    do {
        uint64_t b = draw();
        memcpy(&v, &b, 8);
    } while (!isfinite(v));
    return v;
}

static void check_text(const char *text, size_t len)
{
    double got, want = strtod(text, NULL);
    enum num_result r = num_parse(text, len, '.', &got);
    CHECK_MSG(r != NUM_BAD && bits_of(got) == bits_of(want), "%s gives %a, not %a",
              text, got, want);
    CHECK_MSG((r == NUM_OVERFLOW) == (isinf(want) != 0), "%s overflows: %d", text,
              (int)r);
    int zero =
        strspn(text, "+-0.") == strcspn(text, "eE") || strspn(text, "+-0.") == len;
    CHECK_MSG((r == NUM_UNDERFLOW) == (want == 0 && !zero), "%s underflows: %d", text,
              (int)r);
}

static size_t random_digits(char *out, int n)
{
    for (int i = 0; i < n; i++) out[i] = (char)('0' + below(10));
    out[n] = 0;
    return (size_t)n;
}

TEST(num_parse_equals_strtod_on_short_and_long_digits)
{
    char text[128];
    for (int i = 0; i < 900000; i++) {
        size_t n = 0;
        if (below(3) == 0) text[n++] = "+-"[below(2)];
        int whole = below(3) ? below(8) : below(21),
            part = below(3) ? below(8) : below(21);
        if (whole + part == 0) whole = 1;
        n += random_digits(text + n, whole);
        if (part || below(2)) text[n++] = '.';
        n += random_digits(text + n, part);
        if (below(3) == 0) {
            int e = below(4) ? below(40) - 20 : below(700) - 350;
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  below(2) ? "e%d" : "E%+03d", e);
        }
        text[n] = 0;
        check_text(text, n);
    }
}

TEST(num_parse_reads_back_every_printed_double)
{
    char text[64];
    for (int i = 0; i < 500000; i++) {
        double v = random_double();
        int n = i % 3 == 0   ? num_print(text, v)
                : i % 3 == 1 ? num_print_g(text, v, 17)
                             : num_print_g(text, v, 15 + below(3));
        check_text(text, (size_t)n);
    }
}

TEST(num_parse_equals_strtod_among_denormals)
{
    char text[64];
    for (int i = 0; i < 300000; i++) {
        uint64_t b = draw() >> (12 + below(52));
        double v;
        memcpy(&v, &b, 8);
        check_text(text, (size_t)num_print_g(text, v, 1 + below(17)));
    }
}

/* Integers and halves that lie on, just below and just above the middle of two doubles. */
TEST(num_parse_rounds_halfway_cases_to_even)
{
    char text[64];
    for (int i = 0; i < 300000; i++) {
        uint64_t m =
            (uint64_t)1 << 53 | draw() >> 11; /* 54 bits: odd ones are halfway */
        int shift = below(10);
        uint64_t v = (m | 1) << shift;
        if (i & 1) v += (uint64_t)below(3) - 1;
        size_t n = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
        if (i % 5 == 0)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  below(2) ? ".000" : ".%0*d", 12, below(2));
        if (i % 7 == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "e%d", below(20) - 10);
        check_text(text, n);
    }
}

/* The exact decimal expansion of the middle above a double, and its neighbours. */
static void check_middle(double v)
{
    static char text[2048];
    double up = nextafter(v, (double)INFINITY);
    uint64_t whole = bits_of(up) - bits_of(v);
    CHECK_INT(whole, 1);
    /* glibc prints exactly: the middle has one binary digit more than v */
    long double middle = ((long double)v + (long double)up) / 2;
    int n = snprintf(text, sizeof text, "%.1100Lf", middle);
    check_text(text, (size_t)n);
    text[n - 1] = '1';
    check_text(text, (size_t)n);
    for (int k = n - 2; k > 0;
         k--) { /* just below: the last digit that is not 0 less one, then 9s */
        if (text[k] >= '1' && text[k] <= '9') {
            text[k]--;
            break;
        }
        if (text[k] == '0') text[k] = '9';
    }
    check_text(text, (size_t)n);
}

TEST(num_parse_needs_all_of_770_digits)
{
    static const double some[] = {0x1p-1074, 0x1.8p-1073,
                                  0x1p-1022, 0x0.fffffffffffffp-1022,
                                  1,         0x1.fffffffffffffp1022,
                                  1e100,     1e-300};
    for (int i = 0; i < 8; i++) check_middle(some[i]);
    for (int i = 0; i < 3000; i++) {
        double v = fabs(random_double());
        if (v < 1e300) check_middle(v);
    }
    static char text[20100];
    memset(text, '0', sizeof text);
    memcpy(text, "0.", 2);
    memcpy(text + 10000, "123e9999", sizeof "123e9999");
    check_text(text, strlen(text));
    memset(text, '0', sizeof text);
    memcpy(text, "123", 3);
    memcpy(text + 10000, "e-9990", sizeof "e-9990");
    check_text(text, strlen(text));
    memset(text, '9', 20000);
    memcpy(text + 20000, "e-19995", sizeof "e-19995");
    check_text(text, strlen(text));
}

TEST(num_parse_takes_only_its_grammar)
{
    static const char *const bad[] = {
        "",    "+",   "-",   ".",     "-.",    "e1",  ".e1",     "1e",
        "1e+", "1 ",  " 1",  "1..2",  "1.2.3", "--1", "+-1",     "0x10",
        "nan", "inf", "1,5", "1e1.5", "1_0",   "1f",  "\xd9\xa1"};
    double v;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_MSG(num_parse(bad[i], strlen(bad[i]), '.', &v) == NUM_BAD,
                  "\"%s\" was taken", bad[i]);
    CHECK_INT(num_parse("1\0", 2, '.', &v), NUM_BAD);
    CHECK_INT(num_parse("3,25", 4, ',', &v), NUM_OK);
    CHECK(v == 3.25);
    CHECK_INT(num_parse("3.25", 4, ',', &v), NUM_BAD);
    CHECK_INT(num_parse("1.", 2, '.', &v), NUM_OK);
    CHECK_INT(num_parse(".5", 2, '.', &v), NUM_OK);
    CHECK_INT(num_parse("-0", 2, '.', &v), NUM_OK);
    CHECK(signbit(v));
    CHECK_INT(num_parse("0e99999999999999999999", 22, '.', &v), NUM_OK);
    CHECK_INT(num_parse("1e99999999999999999999", 22, '.', &v), NUM_OVERFLOW);
    CHECK_INT(num_parse("-1e-99999999999999999999", 24, '.', &v), NUM_UNDERFLOW);
    CHECK(v == 0 && signbit(v));
    CHECK_INT(num_parse("-1e400", 6, '.', &v), NUM_OVERFLOW);
    CHECK(v == -HUGE_VAL);
    CHECK_INT(num_parse("4e-324", 6, '.', &v), NUM_OK);
    CHECK(v == 0x1p-1074);
    CHECK_INT(num_parse("2e-324", 6, '.', &v), NUM_UNDERFLOW);
}

TEST(num_parse_tells_integers_that_lose_digits)
{
    static const struct {
        const char *text;
        enum num_result r;
    } cases[] = {{"9007199254740992", NUM_OK},
                 {"9007199254740993", NUM_INEXACT_INT},
                 {"9007199254740994", NUM_OK},
                 {"-9007199254740993", NUM_INEXACT_INT},
                 {"9007199254740993.0", NUM_OK},
                 {"18446744073709551616", NUM_OK},
                 {"18446744073709551617", NUM_INEXACT_INT},
                 {"10000000000000000000000", NUM_OK},
                 {"100000000000000000000000", NUM_INEXACT_INT},
                 {"0000000000000000000000000007", NUM_OK},
                 {"9223372036854775807", NUM_INEXACT_INT},
                 {"1e23", NUM_OK}};
    double v;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_MSG(num_parse(cases[i].text, strlen(cases[i].text), '.', &v) ==
                      cases[i].r,
                  "%s", cases[i].text);
}

TEST(num_parse_integers_to_the_last_bit)
{
    int64_t i;
    uint64_t u;
    CHECK(num_parse_i64("-9223372036854775808", 20, &i) && i == INT64_MIN);
    CHECK(num_parse_i64("9223372036854775807", 19, &i) && i == INT64_MAX);
    CHECK(!num_parse_i64("9223372036854775808", 19, &i));
    CHECK(!num_parse_i64("-9223372036854775809", 20, &i));
    CHECK(!num_parse_i64("", 0, &i) && !num_parse_i64("+", 1, &i) &&
          !num_parse_i64("1.0", 3, &i));
    CHECK(num_parse_i64("+0012", 5, &i) && i == 12);
    CHECK(num_parse_u64("18446744073709551615", 20, &u) && u == UINT64_MAX);
    CHECK(!num_parse_u64("18446744073709551616", 20, &u) &&
          !num_parse_u64("-1", 2, &u));
    CHECK(num_parse_u64("-0", 2, &u) && u == 0);
}

TEST(num_print_writes_the_documented_forms)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {-15, "-15"},
                 {0.1, "0.1"},
                 {0.001, "0.001"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {1e15, "1000000000000000"},
                 {123456789012345680.0, "1.2345678901234568e+17"},
                 {1e16, "1e+16"},
                 {9999999999999998.0, "9999999999999998"},
                 {1e22, "1e+22"},
                 {1e23, "1e+23"},
                 {0x1p-1074, "5e-324"},
                 {0x1.fffffffffffffp1023, "1.7976931348623157e+308"},
                 {0x1p-1022, "2.2250738585072014e-308"},
                 {2.0 / 3, "0.6666666666666666"},
                 {1234.5, "1234.5"},
                 {-1e-7, "-1e-07"},
                 {9007199254740993.0, "9007199254740992"},
                 {2e-323, "2e-323"},
                 {0x1p53, "9007199254740992"},
                 {0x1p54, "1.8014398509481984e+16"},
                 {1.5e300, "1.5e+300"}};
    char out[NUM_PRINT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(num_print(out, cases[i].v), strlen(cases[i].text));
        CHECK_STR(out, cases[i].text);
    }
    num_print(out, (double)NAN);
    CHECK_STR(out, "nan");
    num_print(out, -(double)INFINITY);
    CHECK_STR(out, "-inf");
    num_print_i64(out, INT64_MIN);
    CHECK_STR(out, "-9223372036854775808");
}

static int digits_in(const char *s)
{
    int n = 0, zeros = 0;
    for (; *s && *s != 'e'; s++) {
        if (*s < '0' || *s > '9' || (n == 0 && *s == '0')) continue;
        zeros = *s == '0' ? zeros + 1 : 0;
        n++;
    }
    return n - zeros;
}

/* Shortest: one digit less, correctly rounded, does not read back; and of all of that length it
 * is the nearest, that is num_print_g gives the same. */
static void check_shortest(double v)
{
    char text[NUM_PRINT_MAX], other[NUM_PRINT_MAX];
    double back;
    int len = num_print(text, v), n = digits_in(text);
    CHECK(num_parse(text, (size_t)len, '.', &back) == NUM_OK ||
          num_parse(text, (size_t)len, '.', &back) == NUM_INEXACT_INT);
    CHECK_MSG(bits_of(back) == bits_of(v), "%s does not read back as %a", text, v);
    if (n > 1) {
        int k = num_print_g(other, v, n - 1);
        num_parse(other, (size_t)k, '.', &back);
        CHECK_MSG(bits_of(back) != bits_of(v), "%s is shorter than %s", other, text);
    }
    int k = num_print_g(other, v, n);
    double same;
    num_parse(other, (size_t)k, '.', &same);
    if (bits_of(same) == bits_of(v)) {
        num_print_g(text, v, 17);
        CHECK_MSG(n == 17 || digits_in(other) == n, "%a", v);
        num_print(text, v);
        if (!strchr(text, 'e') && !strchr(other, 'e')) CHECK_STR(text, other);
    }
}

TEST(num_print_is_the_shortest_that_reads_back)
{
    for (int i = 0; i < 300000; i++) check_shortest(random_double());
    for (int e = -1074; e < 1024; e++) { /* powers of two have an uneven interval */
        check_shortest(ldexp(1, e));
        check_shortest(nextafter(ldexp(1, e), 0) > 0 ? nextafter(ldexp(1, e), 0) : 1);
        check_shortest(nextafter(ldexp(1, e), (double)INFINITY));
    }
    for (int i = 0; i < 100000; i++)
        check_shortest((double)(int)(draw() >> 36) / (below(2) ? 1000 : 100000));
}

TEST(num_print_g_equals_printf)
{
    char out[NUM_PRINT_MAX], want[64];
    for (int i = 0; i < 300000; i++) {
        double v =
            i & 1 ? random_double() : (double)(int)(draw() >> 40) / (1 << below(20));
        int digits = 1 + below(17);
        snprintf(want, sizeof want, "%.*g", digits, v);
        CHECK_INT(num_print_g(out, v, digits), strlen(want));
        CHECK_STR(out, want);
    }
}

TEST(num_print_f_equals_printf)
{
    char out[NUM_PRINT_MAX], want[64];
    for (int i = 0; i < 300000; i++) {
        double v = i % 3 == 0 ? (double)(int)(draw() >> 40) / (1 << below(20))
                              : ldexp((double)(int64_t)draw(), below(90) - 103);
        if (!(fabs(v) < 1e15)) continue;
        int decimals = below(15);
        snprintf(want, sizeof want, "%.*f", decimals, v);
        CHECK_INT(num_print_f(out, v, decimals), strlen(want));
        CHECK_STR(out, want);
    }
    num_print_f(out, 1e300, 3);
    CHECK_STR(out, "1.0000000000000001e+300");
}

/* Not a limit, which a busy machine would break: UNIT_SPEED=1 prints the times. */
TEST(num_parse_is_fast)
{
    enum { N = 1 << 16, LEN = 32 };
    static char text[N][LEN];
    static size_t len[N];
    static const char *const kinds[] = {"%.7g", "%.3f", "%.17g", "%.0f"};
    if (!getenv("UNIT_SPEED")) return;
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < N; i++)
            len[i] = (size_t)snprintf(text[i], LEN, kinds[k],
                                      gen_z(1, (uint64_t)i, 0) * 1000);
        double sum = 0, v = 0;
        int64_t t0 = clock_ns();
        for (int r = 0; r < 20; r++)
            for (int i = 0; i < N; i++)
                sum += num_parse(text[i], len[i], '.', &v) == NUM_OK ? v : 0;
        double parse = clock_since(t0) * 1e9 / (20 * N);
        t0 = clock_ns();
        for (int i = 0; i < N; i++) sum += strtod(text[i], NULL);
        double libc = clock_since(t0) * 1e9 / N;
        t0 = clock_ns();
        char out[NUM_PRINT_MAX];
        for (int i = 0; i < N; i++)
            sum += num_print(out, gen_z(1, (uint64_t)i, (uint64_t)k));
        printf("%s: num_parse %.1f ns, strtod %.1f ns, num_print %.1f ns (%g)\n",
               kinds[k], parse, libc, clock_since(t0) * 1e9 / N, sum);
    }
}
