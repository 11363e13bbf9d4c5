/* text: formats, escapes, UTF-8 that lies, and sizes as people read them */
#include "base/alloc.h"
#include "base/str.h"
#include "support/unit.h"

static char *text_of(struct str *t) /* the text, valid until the next call */
{
    static char out[4096];
    snprintf(out, sizeof out, "%s", t->s ? t->s : "");
    str_free(t);
    return out;
}

TEST(str_grows_and_stays_terminated)
{
    struct str t = {0};
    CHECK(t.s == NULL);
    str_addn(&t, "", 0);
    CHECK_STR(t.s, "");
    for (int i = 0; i < 5000; i++) str_addf(&t, "%d,", i);
    CHECK_INT(t.len, 10 * 2 + 90 * 3 + 900 * 4 + 4000 * 5);
    CHECK_INT(strlen(t.s), t.len);
    CHECK(!t.failed);
    str_clear(&t);
    CHECK_STR(t.s, "");
    str_free(&t);
    str_free(&t);
    str_free(NULL);
}

TEST(str_failure_sticks)
{
    struct str t = {0};
    str_add(&t, "kept");
    str_addn(&t, "x", SIZE_MAX - 3);
    CHECK(t.failed);
    str_add(&t, "more");
    CHECK_STR(t.s, "kept");
    str_free(&t);
    alloc_fault_set(1, 0);
    str_addf(&t, "%d", 1);
    CHECK(t.failed && t.s == NULL);
    alloc_fault_set(0, 0);
    str_clear(&t);
    str_addf(&t, "%d", 2);
    CHECK(t.failed); /* until it is freed */
    str_free(&t);
    str_addf(&t, "%d", 2);
    CHECK_STR(t.s, "2");
    str_free(&t);
}

static const char *format(const char *fmt, ...)
{
    static char out[256];
    va_list ap;
    va_start(ap, fmt);
    int n = str_formatv(out, sizeof out, fmt, ap);
    va_end(ap);
    CHECK_INT(n, strlen(out));
    return out;
}

TEST(str_format_knows_the_documented_conversions)
{
    CHECK_STR(format("%s|%5s|%-5s|%.2s|%.*s", "a", "b", "c", "defg", 3, "hijkl"),
              "a|    b|c    |de|hij");
    CHECK_STR(format("%d %i %u %x %c %%", -5, 6, 7u, 0xbeefu, 'z'), "-5 6 7 beef z %");
    CHECK_STR(format("%ld %lld %zu %jd %llx", -1L, -2LL, (size_t)3, (intmax_t)-4,
                     0xffffffffffULL),
              "-1 -2 3 -4 ffffffffff");
    CHECK_STR(format("%05d|%-5d|%5d|%04x|%*d", -42, 7, 7, 255u, 4, 9),
              "-0042|7    |    7|00ff|   9");
    CHECK_STR(format("%lld %u", (long long)INT64_MIN, UINT32_MAX),
              "-9223372036854775808 4294967295");
    CHECK_STR(format("%r %r %r %.3r", 0.1, 1e300, 3.0, 2.0 / 3), "0.1 1e+300 3 0.667");
    CHECK_STR(format("%s", (const char *)NULL), "(none)");
    char small[4];
    CHECK_INT(str_format(small, sizeof small, "%d", 123456), 6);
    CHECK_STR(small, "123");
    CHECK_INT(str_format(NULL, 0, "abc"), 3);
}

TEST(utf8_check_refuses_what_is_not_utf8)
{
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "\xc3",
                                      "\xe2\x82",
                                      "\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[16];
        snprintf(text, sizeof text, "ab%s", bad[i]);
        CHECK_INT(utf8_check(text, strlen(text)), 3);
    }
    const char *good = "a\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf"
                       "\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    CHECK_INT(utf8_check(good, strlen(good)), 0);
    CHECK_INT(utf8_check("a\0b", 3), 0);
}

TEST(utf8_width_counts_cells)
{
    CHECK_INT(utf8_width("abc", 3), 3);
    CHECK_INT(utf8_width("M\xc3\xbcnchen", 8), 7);
    CHECK_INT(utf8_width("\xe6\x9d\xb1\xe4\xba\xac", 6), 4); /* Tokyo in kanji */
    CHECK_INT(utf8_width("e\xcc\x81", 3), 1);        /* e and a combining acute */
    CHECK_INT(utf8_width("\xf0\x9f\x98\x80", 4), 2); /* a face */
    CHECK_INT(utf8_width("\xef\xbd\xb1", 3), 1);     /* a halfwidth kana */
    CHECK_INT(utf8_cut("a\xc3\xbc"
                       "b",
                       4, 2),
              1);
    CHECK_INT(utf8_cut("a\xc3\xbc"
                       "b",
                       4, 3),
              3);
    CHECK_INT(utf8_cut("ab", 2, 9), 2);
}

TEST(str_add_visible_lets_nothing_reach_the_terminal)
{
    struct str t = {0};
    const char *s = "a\x1b[31m\nb\x7f\xc2\x9b\xff\xe2\x80\xae\xc3\xbc";
    str_add_visible(&t, s, strlen(s));
    CHECK_STR(text_of(&t), "a\\x1b[31m\\nb\\x7f\\xc2\\x9b\\xff\\xe2\\x80\\xae\xc3\xbc");
}

TEST(str_add_html_escapes_markup_and_controls)
{
    struct str t = {0};
    const char *s = "<a href=\"x\" id='y'>&\x01\xff</a>";
    str_add_html(&t, s, strlen(s));
    CHECK_STR(text_of(&t), "&lt;a href=&quot;x&quot; "
                           "id=&#39;y&#39;&gt;&amp;\xef\xbf\xbd\xef\xbf\xbd&lt;/a&gt;");
}

TEST(str_add_json_quotes_any_bytes)
{
    struct str t = {0};
    str_add_json(&t, "a\"b\\c\n\t\x01\x00\x7f\xff\xc3\xbc/", 14);
    CHECK_STR(text_of(&t),
              "\"a\\\"b\\\\c\\n\\t\\u0001\\u0000\\u007f\\ufffd\xc3\xbc/\"");
}

static const char *csv(const char *s, int safe)
{
    struct str t = {0};
    str_add_csv(&t, s, strlen(s), safe);
    return text_of(&t);
}

TEST(str_add_csv_quotes_only_where_needed)
{
    CHECK_STR(csv("plain text", 0), "plain text");
    CHECK_STR(csv("a,b", 0), "\"a,b\"");
    CHECK_STR(csv("say \"hi\"", 0), "\"say \"\"hi\"\"\"");
    CHECK_STR(csv("two\nlines", 0), "\"two\nlines\"");
    CHECK_STR(csv(" blank", 0), "\" blank\"");
    CHECK_STR(csv("", 0), "");
    CHECK_STR(csv("=1+1", 0), "=1+1");
    CHECK_STR(csv("=1+1", 1), "'=1+1");
    CHECK_STR(csv("@x,y", 1), "\"'@x,y\"");
    CHECK_STR(csv("-1.5", 1), "-1.5");
    CHECK_STR(csv("-a", 1), "'-a");
}

TEST(str_edit_distance_counts_edits)
{
    CHECK_INT(str_edit_distance("", ""), 0);
    CHECK_INT(str_edit_distance("abc", ""), 3);
    CHECK_INT(str_edit_distance("kitten", "sitting"), 3);
    CHECK_INT(str_edit_distance("trees", "tress"), 1);
    CHECK_INT(str_edit_distance("form", "from"), 1);
    CHECK_INT(str_edit_distance("Age", "aGE"), 0);
    CHECK_INT(str_edit_distance("n_estimater", "n_estimators"), 2);
    char a[400], b[300];
    memset(a, 'x', 399), a[399] = 0;
    memset(b, 'x', 299), b[299] = 0;
    CHECK_INT(str_edit_distance(a, b), 100);
    CHECK(str_same(NULL, NULL) && str_same("a", "a") && !str_same("a", NULL) &&
          !str_same("a", "b"));
}

static const char *bytes(int64_t n)
{
    struct str t = {0};
    str_add_bytes(&t, n);
    return text_of(&t);
}
static const char *seconds(double s)
{
    struct str t = {0};
    str_add_seconds(&t, s);
    return text_of(&t);
}

TEST(sizes_and_durations_read_well)
{
    CHECK_STR(bytes(0), "0 B");
    CHECK_STR(bytes(999), "999 B");
    CHECK_STR(bytes(1000), "1.0 kB");
    CHECK_STR(bytes(1400000000), "1.4 GB");
    CHECK_STR(bytes(123456789), "123 MB");
    CHECK_STR(bytes(999950), "1.0 MB");
    CHECK_STR(bytes(INT64_MAX), "9.2 EB");
    CHECK_STR(seconds(0.0123), "12.3 ms");
    CHECK_STR(seconds(12.34), "12.3 s");
    CHECK_STR(seconds(59.97), "1 min 0 s");
    CHECK_STR(seconds(125), "2 min 5 s");
    CHECK_STR(seconds(4320), "1 h 12 min");
    CHECK_STR(seconds(0), "0 ms");
}
