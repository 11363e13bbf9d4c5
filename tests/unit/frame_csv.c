/* Reading CSV: the rows of the catalogue of bad inputs that concern the reader, and more. */
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "frame/csv.h"
#include "support/unit.h"

struct seen {
    int notes, warnings;
    tide_error last; /* warning */
    char note[512];
};

static void see(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    struct seen *s = payload;
    if (kind == TIDE_EVENT_WARNING) {
        s->warnings++;
        s->last = *event;
    } else {
        s->notes++;
        memcpy(s->note, event->message, sizeof s->note - 1);
    }
}

static struct seen seen;
static tide_error err;
static tide_ctx *ctx;

static tide_frame *read_n(const char *text, size_t n, const struct tide_read_options *o)
{
    tide_frame *f = NULL;
    if (!ctx && tide_ctx_new(&ctx, NULL) != TIDE_OK) return NULL;
    memset(&seen, 0, sizeof seen);
    memset(&err, 0, sizeof err);
    tide_ctx_set_events(ctx, see, &seen);
    tide_status st = csv_read_table(ctx, "data.csv", text, n, o, 0, &f, &err);
    if ((st == TIDE_OK) != (f != NULL)) UNIT_FAIL("status and frame disagree");
    if (st != err.status) UNIT_FAIL("status %d, error %d", (int)st, (int)err.status);
    return f;
}

static tide_frame *read_text(const char *text)
{
    return read_n(text, strlen(text), NULL);
}

static tide_frame *read_with(const char *text, const struct tide_read_options *o)
{
    return read_n(text, strlen(text), o);
}

/* The error as the program prints it: FILE:LINE:COL: message (hint: ...) [code] */
static const char *line_of(const tide_error *e)
{
    static char line[1400];
    char place[64] = "", hint[256] = "";
    if (e->line)
        snprintf(place, sizeof place, ":%lld:%lld", (long long)e->line,
                 (long long)e->column);
    if (e->value[0] || e->option[0])
        snprintf(hint, sizeof hint, " (hint: %s%s%s%s)", e->option[0] ? "--" : "",
                 e->option, e->option[0] ? " " : "", e->value);
    snprintf(line, sizeof line, "%s%s: %s%s [%s]", e->file, place, e->message, hint,
             tide_code_name(e->code));
    return line;
}

static const char *cell(const tide_frame *f, int64_t row, int col)
{
    static char text[8][8192];
    static int at;
    char *out = text[at++ % 8];
    if (tide_frame_text(f, row, col, out, sizeof text[0]) < 0) return "(missing)";
    return out;
}

#define REFUSED(text, wanted)                                                          \
    do {                                                                               \
        tide_frame *refused = read_text(text);                                         \
        CHECK(refused == NULL);                                                        \
        CHECK_STR(line_of(&err), wanted);                                              \
        tide_frame_free(refused);                                                      \
    } while (0)
#define REFUSED_N(text, wanted)                                                        \
    do {                                                                               \
        tide_frame *refused = read_n(text, sizeof(text) - 1, NULL);                    \
        CHECK(refused == NULL);                                                        \
        CHECK_STR(line_of(&err), wanted);                                              \
        tide_frame_free(refused);                                                      \
    } while (0)

TEST(plain_table)
{
    tide_frame *f = read_text("a,b,c\n1,2.5,x\n2,,y\n3,1e3,x\n4,4,x\n");
    CHECK(f != NULL);
    if (!f) return;
    CHECK_INT(tide_frame_rows(f), 4);
    CHECK_INT(tide_frame_columns(f), 3);
    CHECK_STR(tide_frame_name(f, 1), "b");
    CHECK_INT(tide_frame_type(f, 0), TIDE_I64);
    CHECK_INT(tide_frame_type(f, 1), TIDE_F64);
    CHECK_INT(tide_frame_type(f, 2), TIDE_CAT);
    CHECK_INT(tide_frame_missing(f, 1), 1);
    CHECK_STR(cell(f, 2, 1), "1000");
    CHECK_STR(cell(f, 1, 1), "(missing)");
    CHECK_STR(cell(f, 1, 2), "y");
    CHECK_STR(f->dialect, "comma, header, LF");
    CHECK_INT(frame_line(f, 0), 2);
    CHECK_INT(frame_line(f, 3), 5);
    tide_frame_free(f);
}

TEST(c01_empty_file)
{
    REFUSED("", "data.csv: file is empty (0 bytes) [csv-empty]");
}

TEST(c02_only_blank_lines)
{
    REFUSED("\n\n\n", "data.csv: 3 lines, all blank [csv-empty]");
}

TEST(c03_header_only)
{
    tide_frame *f = read_text("a,b\n");
    CHECK(f && tide_frame_rows(f) == 0 && tide_frame_columns(f) == 2);
    tide_frame_free(f);
}

TEST(c04_long_row)
{
    REFUSED(
        "a,b\n1,2\n3,4,5\n",
        "data.csv:3:5: expected 2 fields, got 3 (hint: --on-bad skip) [csv-fields]");
    struct tide_read_options o = {.on_bad = "skip"};
    tide_frame *f = read_with("a,b\n1,2\n3,4,5\n6,7\n", &o);
    CHECK(f && tide_frame_rows(f) == 2 && f->n_bad_rows == 1);
    if (f) CHECK_STR(cell(f, 1, 0), "6");
    if (f) CHECK_INT(frame_line(f, 1), 4);
    CHECK_INT(seen.warnings, 1);
    tide_frame_free(f);
}

TEST(c05_short_row)
{
    REFUSED(
        "a,b,c\n1,2,3\n4\n",
        "data.csv:3:1: expected 3 fields, got 1 (hint: --on-bad null) [csv-fields]");
    struct tide_read_options o = {.on_bad = "null"};
    tide_frame *f = read_with("a,b,c\r\n1,2,3\r\n4\r\n5,6,7\r\n", &o);
    CHECK(f && tide_frame_rows(f) == 3 && f->n_bad_rows == 1);
    if (f) {
        CHECK_STR(cell(f, 1, 0), "4");
        CHECK_STR(cell(f, 1, 1), "(missing)");
        CHECK_STR(cell(f, 1, 2), "(missing)");
        CHECK_STR(cell(f, 2, 2), "7");
    }
    tide_frame_free(f);
}

TEST(rows_that_are_not_utf8_can_be_left_out)
{
    struct tide_read_options o = {.on_bad = "skip"};
    tide_frame *f = read_with("a,b\n1,x\n2,\"y\n\xff\"\n3\n4,\xc3\xa9\n5,\xc3\n", &o);
    CHECK(f && tide_frame_rows(f) == 2 && f->n_bad_rows == 3);
    if (f) CHECK_STR(cell(f, 0, 1), "x");
    if (f) CHECK_STR(cell(f, 1, 1), "\xc3\xa9");
    if (f) CHECK_INT(frame_line(f, 1), 6);
    CHECK_INT(seen.warnings, 3);
    tide_frame_free(f);
    o.on_bad = "null"; /* nothing is put in the place of bytes that mean nothing */
    f = read_with("a,b\n1,x\n\xff\n3\n", &o);
    CHECK(f && tide_frame_rows(f) == 2 && f->n_bad_rows == 2);
    tide_frame_free(f);
    f = NULL;
    CHECK(!read_with("a,b\xff\n1,x\n", &o)); /* a name belongs to no row */
    CHECK_INT(err.code, TIDE_CODE_CSV_ENCODING);
}

TEST(c06_quote_never_closed)
{
    REFUSED("a,b\n\"1,2\n3,4\n",
            "data.csv:2:1: the quote opened here in 'a' is never closed "
            "(hint: --quote none) [csv-quote]");
    struct tide_read_options o = {.quote = 1};
    tide_frame *f = read_with("a,b\n\"1,2\n3,4\n", &o);
    CHECK(f != NULL);
    if (f) CHECK_STR(cell(f, 0, 0), "\"1");
    tide_frame_free(f);
}

TEST(c07_c33_long_field)
{
    size_t n = 8 << 20;
    char *text = malloc(n);
    if (!text) return;
    memset(text, 'x', n);
    memcpy(text, "a,b\n1,\"", 7);
    CHECK(read_n(text, n, NULL) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:2:3: the field that begins here in 'b' is longer than "
              "1048576 bytes (hint: --quote none) [limit-field]");
    memset(text, 'x', n);
    CHECK(read_n(text, n, NULL) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:1:1: the field that begins here in column 1 is longer "
              "than 1048576 bytes (hint: --max-field 16777216) [limit-field]");
    struct tide_read_options o = {.comment = "#"};
    CHECK(read_n(text, n, &o) == NULL);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_FIELD);
    for (size_t i = 0; i < n; i++) text[i] = i % 4000 == 3999 ? ',' : 'x';
    o = (struct tide_read_options){.max_line = 1 << 20};
    CHECK(read_n(text, n, &o) == NULL);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_LINE);
    free(text);
}

TEST(c08_text_after_a_closing_quote)
{
    REFUSED("a,b\n\"1\"x,2\n", "data.csv:2:4: text after the closing quote in 'a' "
                               "(hint: --quote lenient) [csv-quote]");
    struct tide_read_options o = {.quote = 2};
    tide_frame *f = read_with("a,b\n\"1\"x,2\n", &o);
    CHECK(f != NULL);
    if (f) CHECK_STR(cell(f, 0, 0), "1x");
    CHECK_INT(seen.warnings, 1);
    CHECK_INT(seen.last.code, TIDE_CODE_CSV_QUOTE);
    tide_frame_free(f);
}

TEST(c09_bare_quote_is_literal)
{
    tide_frame *f =
        read_text("a,b\n1,a\"b\n2,5\"\n3,\"x,y\"\n4,\"x,y\"\n5,a\"b\n6,a\"b\n");
    CHECK(f && tide_frame_rows(f) == 6);
    if (f) {
        CHECK_STR(cell(f, 0, 1), "a\"b");
        CHECK_STR(cell(f, 1, 1), "5\"");
        CHECK_STR(cell(f, 2, 1), "x,y");
    }
    CHECK_INT(seen.warnings, 1);
    CHECK_STR(line_of(&seen.last),
              "data.csv:2:4: a quote inside an unquoted field of 'b' is "
              "taken literally, and 3 more [csv-quote]");
    tide_frame_free(f);
}

TEST(c10_nul)
{
    REFUSED_N("a,b\n1\0,2\n", "data.csv:2:2: NUL byte in 'a' [csv-nul]");
}

TEST(c11_byte_order_mark)
{
    tide_frame *f = read_text("\xef\xbb\xbf"
                              "a,b\n1,2\n");
    CHECK(f != NULL);
    if (f) CHECK_STR(tide_frame_name(f, 0), "a");
    tide_frame_free(f);
}

TEST(c12_utf16)
{
    REFUSED_N("\xff\xfe"
              "a\0,\0b\0\n\0",
              "data.csv: looks like UTF-16 (hint: iconv -f utf-16 "
              "-t utf-8) [csv-encoding]");
    REFUSED_N("\xfe\xff\0a\0,\0b\0\n",
              "data.csv: looks like UTF-16 (hint: iconv -f utf-16 "
              "-t utf-8) [csv-encoding]");
    REFUSED_N("a\0,\0b\0\n\0"
              "1\0,\0"
              "2\0\n\0",
              "data.csv: looks like UTF-16 (hint: iconv -f "
              "utf-16le -t utf-8) [csv-encoding]");
}

TEST(c13_c14_not_utf8)
{
    REFUSED("a,b\n\xff\xfe\xfd,1\n",
            "data.csv:2:1: byte 0xff in 'a' is not UTF-8 (hint: iconv "
            "-f latin1 -t utf-8) [csv-encoding]");
    REFUSED("a,b\n1,x\xc0\x80\n",
            "data.csv:2:4: byte 0xc0 in 'b' is not UTF-8 (hint: iconv "
            "-f latin1 -t utf-8) [csv-encoding]");
    REFUSED("a,b\n1,2\n1,\xed\xa0\x80\n",
            "data.csv:3:3: byte 0xed in 'b' is not UTF-8 (hint: "
            "iconv -f latin1 -t utf-8) [csv-encoding]");
    REFUSED("a,b\xf5\n1,2\n",
            "data.csv:1:4: byte 0xf5 in column 2 is not UTF-8 (hint: iconv "
            "-f latin1 -t utf-8) [csv-encoding]");
}

TEST(c15_lone_cr)
{
    tide_frame *f = read_text("a,b\r1,2\r3,4\r");
    CHECK(f && tide_frame_rows(f) == 2);
    if (f) CHECK_STR(cell(f, 1, 1), "4");
    if (f) CHECK_STR(f->dialect, "comma, header, CR");
    tide_frame_free(f);
}

TEST(c16_c17_mixed_ends_and_no_last_newline)
{
    tide_frame *f = read_text("a,b\r\n1,x\n3,\"x\"\r\n5,y\n6,x");
    CHECK(f && tide_frame_rows(f) == 4);
    if (f) {
        CHECK_STR(cell(f, 1, 1), "x");
        CHECK_STR(cell(f, 3, 1), "x");
        CHECK_INT(tide_frame_type(f, 1), TIDE_CAT);
        CHECK_INT(f->cols[1].dict.n, 2);
        CHECK_STR(f->dialect, "comma, header, CRLF and LF");
    }
    tide_frame_free(f);
}

TEST(c18_duplicate_names)
{
    REFUSED("a,a\n1,2\n",
            "data.csv:1:3: column name 'a' stands at columns 1 and 2 (hint: "
            "--header rename) [csv-duplicate-name]");
    struct tide_read_options o = {.header = 3};
    tide_frame *f = read_with("a,a,a_2,a\n1,2,3,4\n", &o);
    CHECK(f != NULL);
    if (f) {
        CHECK_STR(tide_frame_name(f, 0), "a");
        CHECK_STR(tide_frame_name(f, 1), "a_2");
        CHECK_STR(tide_frame_name(f, 2), "a_2_2");
        CHECK_STR(tide_frame_name(f, 3), "a_3");
    }
    tide_frame_free(f);
}

TEST(c19_empty_name)
{
    tide_frame *f = read_text("a,,b\n1,2,3\n");
    CHECK(f != NULL);
    if (f) CHECK_STR(tide_frame_name(f, 1), "column_2");
    CHECK_INT(seen.warnings, 1);
    CHECK_INT(seen.last.code, TIDE_CODE_CSV_NAME);
    tide_frame_free(f);
}

TEST(c20_names)
{
    char text[6000];
    memset(text, 'n', sizeof text);
    memcpy(text + 5120, ",b\n1,2\n", 8);
    CHECK(read_text(text) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:1:1: the name of column 1 has more than 4096 bytes "
              "[limit-name]");
    tide_frame *f =
        read_text("\"two\nlines\",\xf0\x9f\x98\x80\n1,x\n2,\xc3\xa9\n3,x\n4,x\n");
    CHECK(f != NULL);
    if (f) {
        CHECK_STR(tide_frame_name(f, 0), "two\nlines");
        CHECK_STR(tide_frame_name(f, 1), "\xf0\x9f\x98\x80");
        CHECK_STR(cell(f, 1, 1), "\xc3\xa9");
        CHECK_INT(frame_line(f, 0), 3);
    }
    tide_frame_free(f);
}

TEST(c22_semicolon_and_decimal_comma)
{
    tide_frame *f = read_text("a;b\n1,5;2\n");
    CHECK(f && tide_frame_columns(f) == 2);
    if (f) {
        CHECK_NEAR(tide_frame_number(f, 0, 0), 1.5, 0);
        CHECK_STR(f->dialect, "semicolon, header, LF, decimal comma");
    }
    tide_frame_free(f);
    f = read_text("1,5;2,5\n3,5;4,25\n");
    CHECK(f && tide_frame_columns(f) == 2 && tide_frame_rows(f) == 2);
    if (f) CHECK_NEAR(tide_frame_number(f, 1, 1), 4.25, 0);
    tide_frame_free(f);
}

TEST(c23_thousands)
{
    const char *text = "a,b\n\"1,234\",x\n\"1,234\",x\n\"2,234\",x\n\"1,234\",x\n";
    tide_frame *f = read_text(text);
    CHECK(f && tide_frame_type(f, 0) == TIDE_CAT);
    CHECK_INT(seen.notes, 1);
    tide_frame_free(f);
    struct tide_read_options o = {.thousands = ","};
    f = read_with(text, &o);
    CHECK(f && tide_frame_type(f, 0) == TIDE_I64);
    if (f) CHECK_NEAR(tide_frame_number(f, 2, 0), 2234, 0);
    tide_frame_free(f);
    o = (struct tide_read_options){.thousands =
                                       "."}; /* the comma is then for decimals */
    f = read_with("a;b\n1.234;1,5\n20;2.345,5\n", &o);
    CHECK(f && tide_frame_type(f, 0) == TIDE_I64);
    if (f) CHECK_NEAR(tide_frame_number(f, 0, 0), 1234, 0);
    if (f) CHECK_NEAR(tide_frame_number(f, 1, 1), 2345.5, 0);
    tide_frame_free(f);
    o.decimal = ".";
    CHECK(!read_with("a;b\n1.234;1,5\n", &o));
}

TEST(c24_out_of_range)
{
    REFUSED("a,b\n1,1\n2,1e400\n",
            "data.csv:3:3: 1e400 in 'b' is beyond the range of numbers "
            "(hint: --inf missing) [data-range]");
    struct tide_read_options o = {.inf = 1};
    tide_frame *f = read_with("a,b\n1,1\n2,1e400\n3,inf\n", &o);
    CHECK(f && tide_frame_missing(f, 1) == 2);
    tide_frame_free(f);
}

TEST(c25_underflow)
{
    tide_frame *f = read_text("a,b\n1,1e-400\n");
    CHECK(f && tide_frame_number(f, 0, 1) == 0);
    CHECK_INT(seen.notes, 1);
    tide_frame_free(f);
}

TEST(c26_c27_lost_digits)
{
    tide_frame *f =
        read_text("a,b\n1,1.5\n99999999999999999999,9007199254740993\n2,1\n");
    CHECK(f != NULL);
    if (f) {
        CHECK_INT(tide_frame_type(f, 0), TIDE_F64);
        CHECK_NEAR(tide_frame_number(f, 1, 0), 1e20, 0);
        CHECK_NEAR(tide_frame_number(f, 1, 1), 9007199254740992.0, 0);
    }
    CHECK_INT(seen.warnings, 2);
    CHECK_STR(line_of(&seen.last), "data.csv:3:22: 9007199254740993 in 'b' is kept as "
                                   "9007199254740992 [data-precision]");
    tide_frame_free(f);
}

TEST(c28_no_numbers)
{
    tide_frame *f = read_text(
        "a,b,c,d\n0x10,1_000,\xef\xbc\x91,1d5\n0x10,1_000,\xef\xbc\x91,1d5\n");
    CHECK(f != NULL);
    for (int j = 0; f && j < 4; j++) CHECK_INT(tide_frame_type(f, j), TIDE_CAT);
    tide_frame_free(f);
}

TEST(c29_infinities)
{
    REFUSED("a,b\n1,inf\n",
            "data.csv:2:3: infinite value \"inf\" in 'b' (hint: --inf missing) "
            "[data-infinite]");
    REFUSED("a,b\n1,2\n3,-Infinity\n",
            "data.csv:3:3: infinite value \"-Infinity\" in 'b' (hint: "
            "--inf missing) [data-infinite]");
    tide_frame *f = read_text("a,b\n1,NaN\n2,nan\n3,1\n");
    CHECK(f && tide_frame_type(f, 1) == TIDE_I64 && tide_frame_missing(f, 1) == 2);
    tide_frame_free(f);
}

TEST(c30_missing_tokens)
{
    const char *text =
        "n,c,d\n1,x,2020-01-01\n,,\nNA,NA,NA\nN/A,N/A,N/A\nNaN,NaN,NaN\n"
        "null,null,null\nNULL,NULL,NULL\n?,?,?\n-,-,-\n2,\"NA\",2020-01-02\n"
        "3,na,2020-01-02T03:04\n";
    tide_frame *f = read_text(text);
    CHECK(f != NULL);
    if (f) {
        CHECK_INT(tide_frame_type(f, 0), TIDE_I64);
        CHECK_INT(tide_frame_type(f, 1), TIDE_CAT);
        CHECK_INT(tide_frame_type(f, 2), TIDE_TIME);
        CHECK_INT(tide_frame_missing(f, 0), 8);
        CHECK_INT(tide_frame_missing(f, 1), 7);
        CHECK_INT(tide_frame_missing(f, 2), 8);
        CHECK_STR(cell(f, 8, 1), "-");
        CHECK_STR(cell(f, 9, 1), "NA");
        CHECK_STR(cell(f, 10, 2), "2020-01-02T03:04:00");
    }
    tide_frame_free(f);
    const char *na[] = {"-999", "none"};
    struct tide_read_options o = {.na = {na, 2}};
    f = read_with("n,c\n-999,x\n5,none\n-999,x\n7,x\n", &o);
    CHECK(f != NULL);
    if (f) CHECK_INT(tide_frame_missing(f, 0), 2);
    if (f) CHECK_INT(tide_frame_missing(f, 1), 1);
    tide_frame_free(f);
}

static struct str long_table(int rows, const char *last)
{
    struct str t = {0};
    str_add(&t, "a,x\n");
    for (int i = 0; i < rows; i++) str_addf(&t, "%d,%d\n", i % 10, i);
    str_addf(&t, "1,%s\n", last);
    return t;
}

TEST(c31_text_far_down_a_number_column)
{
    struct str t = long_table(100000, "abc");
    CHECK(read_text(t.s) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:100002:3: expected a number in 'x', got \"abc\" (hint: "
              "--na abc) [csv-type]");
    CHECK_INT(err.row, 100001);
    CHECK_STR(err.field, "x");
    struct tide_read_options o = {.mixed = 1};
    tide_frame *f = read_with(t.s, &o);
    CHECK(f && tide_frame_type(f, 1) == TIDE_TEXT);
    if (f) CHECK_STR(cell(f, 100000, 1), "abc");
    if (f) CHECK_STR(cell(f, 99999, 1), "99999");
    CHECK_INT(seen.notes, 1);
    tide_frame_free(f);
    o = (struct tide_read_options){.on_bad = "null"};
    f = read_with(t.s, &o);
    CHECK(f && tide_frame_rows(f) == 100001 && tide_frame_missing(f, 1) == 1);
    tide_frame_free(f);
    o.on_bad = "skip";
    f = read_with(t.s, &o);
    CHECK(f && tide_frame_rows(f) == 100000 && tide_frame_missing(f, 1) == 0);
    if (f) CHECK_INT(f->n_bad_rows, 1);
    tide_frame_free(f);
    str_free(&t);
}

TEST(c32_trailing_garbage)
{
    struct str t = long_table(1000, "2abc");
    CHECK(read_text(t.s) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:1002:3: expected a number in 'x', got \"2abc\" (hint: "
              "--na 2abc) [csv-type]");
    str_free(&t);
    t = long_table(50000, "1.5");
    tide_frame *f = read_text(t.s);
    CHECK(f && tide_frame_type(f, 1) == TIDE_F64);
    if (f) CHECK_NEAR(tide_frame_number(f, 777, 1), 777, 0);
    if (f) CHECK_NEAR(tide_frame_number(f, 50000, 1), 1.5, 0);
    tide_frame_free(f);
    str_free(&t);
}

TEST(half_numbers_are_text_with_a_warning)
{
    tide_frame *f = read_text("a,b\n1,x\n2,x\n3,x\nfoo,x\n3,x\n3,x\n3,x\n3,x\n");
    CHECK(f && tide_frame_type(f, 0) == TIDE_CAT);
    CHECK_INT(seen.warnings, 1);
    CHECK_STR(line_of(&seen.last),
              "data.csv:5:1: 'a' is taken as text: 1 of 8 sampled values "
              "are no numbers, first \"foo\" (hint: --na foo) [csv-type]");
    tide_frame_free(f);
}

TEST(c34_too_many_columns)
{
    struct str t = {0};
    for (int i = 0; i < 100000; i++) str_addf(&t, "%s%d", i ? "," : "", i);
    str_addc(&t, '\n');
    CHECK(read_text(t.s) == NULL);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_COLUMNS);
    CHECK_STR(err.option, "max-columns");
    struct tide_read_options o = {.max_columns = 100000};
    tide_frame *f = read_with(t.s, &o);
    CHECK(f && tide_frame_columns(f) == 100000 && tide_frame_rows(f) == 1);
    tide_frame_free(f);
    str_free(&t);
}

TEST(c38_c39_not_text)
{
    REFUSED_N("\x89PNG\r\n\x1a\n\0\0",
              "data.csv: looks like a PNG image [csv-not-text]");
    REFUSED_N("PK\3\4\24\0\0\0[Content_Types].xml", "data.csv: looks like an XLSX file "
                                                    "[csv-not-text]");
    REFUSED_N("\x7f"
              "ELF\2\1\1\0",
              "data.csv: looks like an ELF program [csv-not-text]");
    REFUSED_N("PAR1\25\0", "data.csv: looks like a Parquet file [csv-not-text]");
    REFUSED("\n <!DOCTYPE html><html>", "data.csv: looks like HTML [csv-not-text]");
    REFUSED("<html><body>", "data.csv: looks like HTML [csv-not-text]");
}

TEST(c40_comments)
{
    const char *text = "# made by hand\na,b\n1,2\n";
    REFUSED(text,
            "data.csv:2:3: expected 1 field, got 2 (hint: --comment '#') [csv-fields]");
    struct tide_read_options o = {.comment = "#"};
    tide_frame *f = read_with("# it's \"so\na,b\n1,2\n# more\n3,4\n", &o);
    CHECK(f && tide_frame_rows(f) == 2 && tide_frame_columns(f) == 2);
    if (f) CHECK_INT(frame_line(f, 1), 5);
    tide_frame_free(f);
    f = read_text("a,b\n#1,2\n#3,4\n");
    CHECK(f && tide_frame_rows(f) == 2);
    tide_frame_free(f);
}

TEST(c44_declared_dates)
{
    const char *types[] = {"d=time"};
    struct tide_read_options o = {.types = {types, 1}};
    CHECK(read_with("a,d\n1,2024-02-29\n2,2024-13-45\n", &o) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:3:3: expected a date in 'd', got \"2024-13-45\" (hint: --na "
              "2024-13-45) [csv-type]");
}

TEST(declared_types_and_columns)
{
    const char *types[] = {"a=category", "b=number", "c=text", "e=bool"},
               *cols[] = {"c,a", "b"};
    struct tide_read_options o = {.types = {types, 3}, .columns = {cols, 2}};
    const char *text = "a,b,c,d\n1,2,x,4\n2,3,x,5\n";
    tide_frame *f = read_with(text, &o);
    CHECK(f && tide_frame_columns(f) == 3);
    if (f) {
        CHECK_INT(tide_frame_type(f, 0), TIDE_CAT);
        CHECK_INT(tide_frame_type(f, 1), TIDE_F64);
        CHECK_INT(tide_frame_type(f, 2), TIDE_TEXT);
        CHECK_STR(cell(f, 1, 0), "2");
        CHECK_STR(cell(f, 1, 2), "x");
    }
    tide_frame_free(f);
    o.types.n = 4;
    CHECK(read_with(text, &o) == NULL);
    CHECK_STR(line_of(&err),
              "data.csv:1:1: no column 'e' (hint: --types a=bool) [data-column]");
    const char *odd[] = {"a=float"};
    o.types = (struct tide_text_list){odd, 1};
    CHECK(read_with(text, &o) == NULL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
}

TEST(quoted_newlines_and_doubled_quotes)
{
    tide_frame *f = read_text(
        "id,t\n1,\"a\nb\"\n2,\"say \"\"hi\"\"\"\n3,\"\"\n4,\n5,\"a\nb\"\n6,\"a\nb\"\n");
    CHECK(f && tide_frame_rows(f) == 6);
    if (f) {
        CHECK_STR(cell(f, 0, 1), "a\nb");
        CHECK_STR(cell(f, 1, 1), "say \"hi\"");
        CHECK_STR(cell(f, 2, 1), "");
        CHECK_STR(cell(f, 3, 1), "(missing)");
        CHECK_INT(frame_line(f, 1), 4);
        CHECK_INT(frame_line(f, 5), 9);
        CHECK_INT(tide_frame_missing(f, 1), 1);
    }
    tide_frame_free(f);
}

TEST(blank_lines_and_single_columns)
{
    tide_frame *f = read_text("\na,b\n\n1,2\n\r\n3,4\n\n");
    CHECK(f && tide_frame_rows(f) == 2);
    if (f) CHECK_STR(f->dialect, "comma, header, CRLF and LF, 4 blank lines skipped");
    if (f) CHECK_INT(frame_line(f, 1), 6);
    tide_frame_free(f);
    f = read_text("a\n1\n\n3\n");
    CHECK(f && tide_frame_rows(f) == 3 && tide_frame_missing(f, 0) == 1);
    tide_frame_free(f);
}

TEST(no_header_when_the_first_row_has_numbers)
{
    tide_frame *f = read_text("1,x\n2,y\n3,x\n4,x\n");
    CHECK(f && tide_frame_rows(f) == 4);
    if (f) CHECK_STR(tide_frame_name(f, 1), "column_2");
    tide_frame_free(f);
    struct tide_read_options o = {.header = 1};
    f = read_with("1960,1961\n2,3\n", &o);
    CHECK(f && tide_frame_rows(f) == 1);
    if (f) CHECK_STR(tide_frame_name(f, 0), "1960");
    tide_frame_free(f);
}

TEST(blanks_as_delimiters)
{
    tide_frame *f = read_text("  1.5   2\n3 4  \n 5.25  6\r\n");
    CHECK(f && tide_frame_rows(f) == 3 && tide_frame_columns(f) == 2);
    if (f) {
        CHECK_NEAR(tide_frame_number(f, 2, 0), 5.25, 0);
        CHECK_NEAR(tide_frame_number(f, 1, 1), 4, 0);
        CHECK_NEAR(tide_frame_number(f, 2, 1), 6, 0);
    }
    tide_frame_free(f);
}

TEST(text_or_category)
{
    struct str t = {0};
    str_add(&t, "k,u,c\n");
    for (int i = 0; i < 3000; i++)
        str_addf(&t, "%d,row %d,level %d\n", i % 7, i, i % 90);
    tide_frame *f = read_text(t.s);
    CHECK(f != NULL);
    if (f) {
        CHECK_INT(tide_frame_type(f, 1), TIDE_TEXT);
        CHECK_INT(tide_frame_type(f, 2), TIDE_CAT);
        CHECK_INT(f->cols[2].dict.n, 90);
        CHECK_INT(f->cols[2].code[89], 89);
        CHECK_STR(cell(f, 2999, 1), "row 2999");
    }
    tide_frame_free(f);
    str_free(&t);
}

TEST(true_and_false)
{
    tide_frame *f = read_text("a,b\nTrue,0\nFALSE,1\ntrue,0\n,1\n");
    CHECK(f && tide_frame_type(f, 0) == TIDE_BOOL && tide_frame_type(f, 1) == TIDE_I64);
    if (f) CHECK_NEAR(tide_frame_number(f, 0, 0), 1, 0);
    if (f) CHECK_STR(cell(f, 1, 0), "False");
    if (f) CHECK_INT(tide_frame_missing(f, 0), 1);
    tide_frame_free(f);
}

static const char *temp_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/tidemill-csv-%d.csv", (int)getpid());
    return path;
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f) return;
    fputs(text, f);
    fclose(f);
}

TEST(files_and_rejected_rows)
{
    const char *path = temp_path();
    char reject[128], option[160], text[256] = "";
    tide_frame *f = NULL;
    snprintf(reject, sizeof reject, "%s.bad", path);
    snprintf(option, sizeof option, "reject=%s", reject);
    put_file(path, "a,b\n1,2\n\"3\",4,5\n6,x\n7,8\n");
    const char *types[] = {"b=number"};
    struct tide_read_options o = {.on_bad = option, .types = {types, 1}};
    CHECK_INT(tide_frame_read(ctx, path, &o, &f, &err), TIDE_OK);
    CHECK(f && tide_frame_rows(f) == 2 && f->n_bad_rows == 2);
    tide_frame_free(f);
    FILE *in = fopen(reject, "r");
    if (in) {
        size_t n = fread(text, 1, sizeof text - 1, in);
        text[n] = '\0';
        fclose(in);
    }
    CHECK_STR(text, "\"3\",4,5\n6,x\n");
    unlink(reject);
    unlink(path);
    CHECK_INT(tide_frame_read(ctx, path, NULL, &f, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
}

static void *drip(void *arg)
{
    FILE *f = fopen(arg, "w");
    if (!f) return NULL;
    for (int i = 0; i < 20; i++) {
        fputs("1,2\n", f);
        fflush(f);
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    tide_ctx_cancel(ctx);
    nanosleep(&(struct timespec){0, 200000000}, NULL);
    fclose(f);
    return NULL;
}

TEST(c42_fifo_is_streamed_and_can_be_stopped)
{
    const char *path = temp_path();
    pthread_t thread;
    tide_frame *f = NULL;
    unlink(path);
    if (mkfifo(path, 0600) != 0 ||
        pthread_create(&thread, NULL, drip, (void *)path) != 0)
        return;
    CHECK_INT(tide_frame_read(ctx, path, NULL, &f, &err), TIDE_ECANCELLED);
    CHECK(f == NULL);
    pthread_join(thread, NULL);
    tide_ctx_uncancel(ctx);
    unlink(path);
}

TEST(f23_devices)
{
    tide_frame *f = NULL;
    CHECK_INT(tide_frame_read(ctx, "/dev/zero", NULL, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_CSV_NUL);
    CHECK_INT(tide_frame_read(ctx, "/dev/urandom", NULL, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_CSV_NOT_TEXT);
    CHECK_INT(tide_frame_read(ctx, "/dev/null", NULL, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_CSV_EMPTY);
    CHECK_INT(tide_frame_read(ctx, "/tmp", NULL, &f, &err), TIDE_EFILE);
}

TEST(r01_every_allocation_may_fail)
{
    const char *text =
        "n,c,t,d,b\n1,x,\"a\nb\",2020-01-01,true\n2.5,y,w,2020-01-02,false\n"
        "3,x,\"q\"\"q\",2020-01-02,true\n4,x,z,2020-01-02,true\n";
    int64_t live = alloc_live();
    int k = 1, done = 0;
    for (; k < 2000 && !done; k++) {
        tide_frame *f = NULL;
        tide_error e = {0};
        alloc_fault_set(k, k % 2);
        tide_status st = csv_read_table(ctx, "t", text, strlen(text), NULL, 0, &f, &e);
        done = !alloc_fault_hit();
        alloc_fault_set(0, 0);
        if (st != TIDE_OK) CHECK_INT(st, TIDE_ENOMEM);
        CHECK((st == TIDE_OK) == (f != NULL));
        if (done) CHECK_INT(st, TIDE_OK);
        tide_frame_free(f);
        CHECK_INT(alloc_live(), live);
        if (unit_bad > 10) break;
    }
    CHECK(done && k > 10);
}

TEST(f08_every_read_may_fail)
{
    const char *path = temp_path();
    put_file(path, "a,b\n1,2\n3,4\n");
    for (int k = 1, done = 0; k < 100 && !done; k++) {
        tide_frame *f = NULL;
        tide_error e = {0};
        file_fault_set(k, 0, 5); /* EIO */
        tide_status st = tide_frame_read(ctx, path, NULL, &f, &e);
        done = !file_fault_hit();
        file_fault_set(0, 0, 0);
        CHECK((st == TIDE_OK) == (f != NULL));
        CHECK(done ? st == TIDE_OK : st == TIDE_OK || st == TIDE_EFILE);
        tide_frame_free(f);
    }
    file_fault_set(1, 1, FILE_FAULT_SHORT);
    tide_frame *f = NULL;
    CHECK_INT(tide_frame_read(ctx, path, NULL, &f, NULL), TIDE_OK);
    CHECK(f && f->n_rows == 2);
    file_fault_set(0, 0, 0);
    tide_frame_free(f);
    unlink(path);
}

TEST(memory_limit_is_an_error_with_the_option)
{
    struct str t = {0};
    str_add(&t, "a,b\n");
    for (int i = 0; i < 4000000; i++) str_add(&t, "1,2\n");
    CHECK_INT(tide_ctx_set_memory(ctx, 64 << 20, NULL), TIDE_OK);
    CHECK(read_text(t.s) == NULL);
    CHECK_INT(err.code, TIDE_CODE_MEMORY_BUDGET);
    CHECK_STR(err.option, "memory");
    CHECK_INT(tide_ctx_set_memory(ctx, 0, NULL), TIDE_OK);
    str_free(&t);
}

TEST(c41_a_file_cut_short_while_it_is_read)
{
    char path[] = "/tmp/tidemill-c41-XXXXXX", block[4096], *buf = mem_alloc(1 << 20);
    int fd = mkstemp(path);
    size_t got = 0;
    struct csv_source s;
    memset(block, '1', sizeof block);
    for (int i = 0; i < 256; i++) CHECK(write(fd, block, sizeof block) == sizeof block);
    memset(&err, 0, sizeof err);
    CHECK_INT(csv_source_open(&s, NULL, path, &err), TIDE_OK);
    CHECK_INT(csv_source_read(&s, buf, 500000, &got, &err), TIDE_OK);
    CHECK_INT(got, 500000);
    CHECK_INT(ftruncate(fd, 600000), 0);
    CHECK_INT(csv_source_read(&s, buf, 1 << 20, &got, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_CHANGED);
    CHECK_STR(err.message,
              "the file had 1048576 bytes and ended after 600000 while it was read");
    CHECK_STR(err.file, path);
    csv_source_close(&s);
    close(fd);
    unlink(path);
    mem_free(buf);
}

TEST(the_context_is_given_back)
{
    tide_ctx_free(ctx);
    ctx = NULL;
}

TEST(csv_writes_yes_and_no_as_its_table_does)
{
    static const char *const tables[] = {"y\n\nTrue\nfalse\n", "y\nFALSE\nTrue\n",
                                         "y\ntrue\nFalse\n"};
    static const char *const wants[] = {"True", "TRUE", "true"};
    static const int64_t rows[] = {1, 1, 0};
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    for (int k = 0; k < 3; k++) {
        tide_frame *f = NULL;
        char text[16];
        CHECK_INT(
            csv_read_table(ctx, "t", tables[k], strlen(tables[k]), NULL, 0, &f, NULL),
            TIDE_OK);
        CHECK(tide_frame_text(f, rows[k], 0, text, sizeof text) ==
              (int64_t)strlen(wants[k]));
        CHECK_STR(text, wants[k]);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}
