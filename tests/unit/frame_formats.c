/* JSON lines, ARFF, SVMlight, NumPy arrays: what is read, what is refused and where, and that
 * what is written reads the same. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "frame/arff.h"
#include "frame/jsonl.h"
#include "frame/npy.h"
#include "frame/svmlight.h"
#include "support/formats.h"
#include "support/unit.h"

extern const struct tide_reader tide_reader_jsonl, tide_reader_arff,
    tide_reader_svmlight, tide_reader_npy, tide_reader_csv;

static tide_ctx *ctx;
static tide_error err;
static int n_warnings;
static tide_error warning;

static void see(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    (void)payload;
    if (kind != TIDE_EVENT_WARNING) return;
    n_warnings++;
    warning = *event;
}

static tide_frame *read_with(format_read read, const char *text, size_t n,
                             const struct tide_read_options *o)
{
    tide_frame *f = NULL;
    if (!ctx) {
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
    }
    tide_ctx_set_events(ctx, see, NULL);
    memset(&err, 0, sizeof err);
    n_warnings = 0;
    tide_status st = read(ctx, "t", text, n, o, &f, &err);
    if ((st == TIDE_OK) != (f != NULL)) UNIT_FAIL("status and frame disagree");
    if (st != err.status) UNIT_FAIL("status %d, error %d", (int)st, (int)err.status);
    return f;
}

static tide_frame *read_text(format_read read, const char *text)
{
    tide_frame *f = read_with(read, text, strlen(text), NULL);
    if (!f)
        UNIT_FAIL("%lld:%lld: %s", (long long)err.line, (long long)err.column,
                  err.message);
    return f;
}

/* The rows as CSV, and the types, as one text. */
static const char *shown(const tide_frame *f)
{
    static struct str t;
    str_clear(&t);
    for (int j = 0; f && j < f->n_cols; j++)
        str_addf(&t, "%s%s", j ? " " : "",
                 tide_type_name((enum tide_type)f->cols[j].type));
    str_addc(&t, '\n');
    if (f && tide_reader_csv.write(ctx, f, format_sink, &t, NULL) != TIDE_OK)
        UNIT_FAIL("not written");
    return t.s;
}

static const char *fault(void)
{
    static char line[1000];
    snprintf(line, sizeof line, "%lld:%lld: %s [%s]", (long long)err.line,
             (long long)err.column, err.message, tide_code_name(err.code));
    return line;
}

#define SHOWS(read, text, wanted)                                                      \
    do {                                                                               \
        tide_frame *shows_f = read_text(read, text);                                   \
        CHECK_STR(shown(shows_f), wanted);                                             \
        tide_frame_free(shows_f);                                                      \
    } while (0)
#define REFUSES(read, text, wanted)                                                    \
    do {                                                                               \
        tide_frame *refuses_f = read_with(read, text, sizeof(text) - 1, NULL);         \
        CHECK_STR(fault(), wanted);                                                    \
        tide_frame_free(refuses_f);                                                    \
    } while (0)

/* Written by a reader and read again: the same cells, and written again the same bytes. */
static void round_trip(const struct tide_reader *reader, format_read read,
                       const tide_frame *f)
{
    struct str a = {0}, b = {0};
    CHECK_INT(reader->write(ctx, f, format_sink, &a, &err), TIDE_OK);
    tide_frame *g = read_with(read, a.s, a.len, NULL);
    if (!g) UNIT_FAIL("%s: %s\n%s", reader->name, fault(), a.s);
    const char *what = g ? format_difference(f, g) : NULL;
    if (what) UNIT_FAIL("%s: %s", reader->name, what);
    if (g) CHECK_INT(reader->write(ctx, g, format_sink, &b, &err), TIDE_OK);
    CHECK(a.len == b.len && memcmp(a.s, b.s, a.len) == 0);
    tide_frame_free(g);
    str_free(&a);
    str_free(&b);
}

TEST(json_lines_have_the_types_of_their_values)
{
    SHOWS(jsonl_read_table,
          "{\"a\":1,\"b\":\"x\",\"c\":true}\n\n{\"c\":false,\"a\":2.5,\"d\":\"2024-01-"
          "02\"}\r\n"
          "{\"b\":\"\\u00e9\\ud83d\\ude00\\n\",\"c\":null,\"a\":-3}",
          "number text bool time\na,b,c,d\n1,x,true,\n2.5,,false,2024-01-02\n"
          "-3,\"\xc3\xa9\xf0\x9f\x98\x80\n\",,\n");
    SHOWS(jsonl_read_table, "[{\"a\":1},\n {\"a\":true}]", "int\na\n1\n1\n");
    SHOWS(jsonl_read_table, "{\"a\":NaN}\n{}\n", "number\na\n\n\n");
}

TEST(json_that_is_none_is_told_with_its_place)
{
    REFUSES(jsonl_read_table, "", "0:0: file is empty (0 bytes) [csv-empty]");
    REFUSES(jsonl_read_table, "{\"a\":1}{\"b\":2}",
            "1:8: expected the end of the line behind the object, got \"{\"b\":2}\" "
            "[json-syntax]");
    REFUSES(
        jsonl_read_table, "{\"a\":1}\n{\"a\":[1]}",
        "2:6: expected a number, a text, true, false or null, got an array [csv-type]");
    REFUSES(jsonl_read_table, "{\"a\":1,\"a\":2}",
            "1:8: key 'a' stands twice in a row [json-duplicate-key]");
    REFUSES(jsonl_read_table, "{\"a\":\"\\ud800\"}",
            "1:7: half of a surrogate pair in a string [json-utf8]");
    REFUSES(jsonl_read_table, "{\"a\":\"\xff\"}",
            "1:7: byte 0xff is not UTF-8 [json-utf8]");
    REFUSES(jsonl_read_table, "{\"a\":01}",
            "1:6: expected a number, got \"01}\" [json-syntax]");
    REFUSES(jsonl_read_table, "{\"a\":1,}",
            "1:8: expected a key in quotes, got \"}\" [json-syntax]");
    REFUSES(jsonl_read_table, "{\"a\":\"x\n\"}",
            "1:6: the string opened here never ends [json-syntax]");
    REFUSES(jsonl_read_table, "{\"a\":1}\n{\"a\":1e400}",
            "2:6: a value of 'a' is beyond the range of numbers [data-range]");
    REFUSES(jsonl_read_table, "[{\"a\":1}",
            "1:9: expected a comma or the end of the array, got the end of the text "
            "[json-syntax]");
}

TEST(one_text_among_a_hundred_numbers_is_an_error_and_null_when_asked)
{
    struct str t = {0};
    for (int i = 0; i < 120; i++)
        str_addf(&t, i == 70 ? "{\"b\":0,\"a\":\"n/a\"}\n" : "{\"b\":0,\"a\":%d}\n", i);
    CHECK(!read_with(jsonl_read_table, t.s, t.len, NULL));
    CHECK_STR(fault(), "71:12: expected a number in 'a', got \"n/a\" [csv-type]");
    CHECK_STR(err.option, "na");
    struct tide_read_options o = {.on_bad = "null"};
    tide_frame *f = read_with(jsonl_read_table, t.s, t.len, &o);
    CHECK(f && f->cols[1].n_missing == 1 && n_warnings == 1);
    tide_frame_free(f);
    static const char *const na[] = {"n/a"};
    o = (struct tide_read_options){.na = {na, 1}};
    f = read_with(jsonl_read_table, t.s, t.len, &o);
    CHECK(f && f->cols[1].type == TIDE_I64 && f->cols[1].n_missing == 1);
    tide_frame_free(f);
    str_free(&t);
}

TEST(options_of_json_lines_choose_columns_and_types)
{
    static const char *const columns[] = {"b"}, *const types[] = {"b=category"};
    struct tide_read_options o = {.columns = {columns, 1}, .types = {types, 1}};
    const char *text = "{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":3}\n";
    tide_frame *f = read_with(jsonl_read_table, text, strlen(text), &o);
    CHECK_STR(shown(f), "category\nb\n2\n3\n");
    tide_frame_free(f);
    o = (struct tide_read_options){.delim = ";"};
    CHECK(!read_with(jsonl_read_table, text, strlen(text), &o));
    CHECK_STR(fault(), "0:0: 'delim' has no meaning for jsonl [param-conflict]");
    static const char *const none[] = {"c"};
    o = (struct tide_read_options){.columns = {none, 1}};
    CHECK(!read_with(jsonl_read_table, text, strlen(text), &o));
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
}

TEST(many_blocks_of_json_are_one_table_whatever_the_threads)
{
    struct str t = {0};
    for (int i = 0; i < 30000; i++)
        str_addf(&t, "{\"i\":%d,\"c\":\"level %d\"%s}\n", i, i * 7 % 90,
                 i == 29000 ? ",\"late\":1" : "");
    tide_frame *f = read_with(jsonl_read_table, t.s, t.len, NULL);
    CHECK(f && f->n_rows == 30000 && f->n_cols == 3 && f->cols[2].n_missing == 29999);
    CHECK(f && f->cols[1].type == TIDE_CAT && f->cols[1].dict.n == 90);
    CHECK_INT(f ? frame_line(f, 29999) : 0, 30000);
    if (f) round_trip(&tide_reader_jsonl, jsonl_read_table, f);
    tide_frame_free(f);
    str_free(&t);
}

#define HEAD                                                                           \
    "@relation r\n@attribute x numeric\n@attribute 'c c' {a,'b b',\"c\"}\n@data\n"

TEST(arff_keeps_declared_levels_and_reads_sparse_rows)
{
    SHOWS(arff_read_table,
          "% remark\n@RELATION 'a b'\n@attribute x real % why\n@attribute c {b, 'a a', "
          "c}\n"
          "@attribute t string\n@attribute d date \"yyyy-MM-dd\"\n@attribute k "
          "{TRUE,FALSE}\n"
          "@data\n% none\n1,'a a','it\\'s',2024-01-02,TRUE\n?,?,?,?,?\n\n"
          "{0 2.5, 2 \"x, y\"}\n{ }\n",
          "number category category time bool\nx,c,t,d,k\n1,a "
          "a,it's,2024-01-02,true\n,,,,\n"
          "2.5,b,\"x, y\",,true\n0,b,,,true\n");
    tide_frame *f = read_text(arff_read_table, HEAD "1,c\n2,a\n");
    CHECK(f && f->cols[1].code[0] == 2 && f->cols[1].code[1] == 0 &&
          f->cols[1].dict.n == 3);
    CHECK_INT(f ? frame_line(f, 0) : 0, 5);
    tide_frame_free(f);
}

TEST(arff_that_is_none_is_told_with_its_place)
{
    REFUSES(arff_read_table, "@relation r\n@attribute x numeric\n",
            "3:1: the text ends before @data [arff-header]");
    REFUSES(arff_read_table, "@relation r\n@attribute x relational\n",
            "2:14: expected numeric, real, integer, string, date or {values}, got "
            "\"relational\" [arff-header]");
    REFUSES(arff_read_table, "@relation r\n@attribute x {a,a}\n",
            "2:17: value \"a\" is declared twice [arff-header]");
    REFUSES(arff_read_table, "@relation r\n@attribute \0x numeric\n@data\n",
            "2:12: NUL byte in the header [csv-nul]");
    REFUSES(arff_read_table, "@relation r\n@attribute x {\xff}\n@data\n",
            "2:15: byte 0xff is not UTF-8 [csv-encoding]");
    REFUSES(arff_read_table, HEAD "1\n", "5:1: expected 2 values, got 1 [csv-fields]");
    REFUSES(arff_read_table, HEAD "1,a,2\n",
            "5:5: expected 2 values, got more than 2 [csv-fields]");
    REFUSES(arff_read_table, HEAD "1,'a\n",
            "5:3: the quote opened here is never closed [csv-quote]");
    REFUSES(arff_read_table, HEAD "1,d\n",
            "5:3: expected one of the declared values in 'c c', got \"d\" [csv-type]");
    REFUSES(arff_read_table, HEAD "1,a\nx,a\n",
            "6:1: expected a number in 'x', got \"x\" [csv-type]");
    REFUSES(arff_read_table, HEAD "{1 a, 0 2}\n",
            "5:7: expected an index above 1 and below 2 [csv-fields]");
}

TEST(svmlight_is_dense_with_label_and_qid)
{
    SHOWS(svmlight_read_table, "# head\n1 qid:3 1:0.5 3:2 # tail\n-1 qid:4\n+1 2:nan\n",
          "int int number number "
          "number\nlabel,qid,f1,f2,f3\n1,3,0.5,0,2\n-1,4,0,0,0\n1,,0,,0\n");
    SHOWS(svmlight_read_table, "0.5 0:1\n", "number number\nlabel,f0\n0.5,1\n");
    REFUSES(svmlight_read_table, "1 2:1\n1 3:1 3:2\n",
            "2:7: expected indices that rise, got \"3:2\" [svmlight-syntax]");
    REFUSES(svmlight_read_table, "1 x\n",
            "1:3: expected INDEX:VALUE, got \"x\" [svmlight-syntax]");
    REFUSES(svmlight_read_table, "a 1:1\n",
            "1:1: expected a number, got \"a\" [svmlight-syntax]");
    REFUSES(svmlight_read_table, "1 1:1 qid:2\n",
            "1:7: expected qid:NUMBER before the features, got \"qid:2\" "
            "[svmlight-syntax]");
    REFUSES(svmlight_read_table, "1 99999999:1\n",
            "1:3: index 99999999; at most 65536 columns [limit-columns]");
    REFUSES(svmlight_read_table, "1 1:1e999\n",
            "1:5: 1e999 is beyond the range of numbers [data-range]");
}

TEST(a_sparse_table_that_would_fill_the_memory_is_refused)
{
    struct str t = {0};
    for (int i = 0; i < 2000; i++) str_add(&t, i == 1000 ? "1 65536:1\n" : "1\n");
    CHECK(!read_with(svmlight_read_table, t.s, t.len, NULL));
    CHECK_INT(err.code, TIDE_CODE_LIMIT_EXPAND);
    str_free(&t);
}

/* A header of version 1 before the values. */
static size_t npy(char *out, const char *dict, const void *data, size_t n)
{
    size_t len = strlen(dict);
    memcpy(out, "\x93NUMPY\1\0", 8);
    out[8] = (char)(len & 255);
    out[9] = (char)(len >> 8);
    memcpy(out + 10, dict, len);
    memcpy(out + 10 + len, data, n);
    return 10 + len + n;
}

#define NPY(dict, data, wanted)                                                        \
    do {                                                                               \
        tide_frame *npy_f =                                                            \
            read_with(npy_read_table, buf, npy(buf, dict, data, sizeof(data)), NULL);  \
        CHECK_STR(npy_f ? shown(npy_f) : fault(), wanted);                             \
        tide_frame_free(npy_f);                                                        \
    } while (0)

TEST(npy_of_all_plain_types_and_both_orders)
{
    char buf[512];
    const float f4[] = {1, 2.5F, NAN, 4};
    const int64_t i8[] = {1, 2, 3, 4};
    const unsigned char be2[] = {0, 1, 0xff, 0xfe}, b1[] = {1, 0};
    NPY("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }\n", f4,
        "number number\nc0,c1\n1,2.5\n,4\n");
    NPY("{'descr': '<i8', 'fortran_order': True, 'shape': (2, 2), }\n", i8,
        "int int\nc0,c1\n1,3\n2,4\n");
    NPY("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", be2,
        "int\nc0\n1\n-2\n");
    NPY("{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2), }\n", b1,
        "bool bool\nc0,c1\ntrue,false\n");
    const double inf[] = {1, INFINITY};
    NPY("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }\n", inf,
        "0:0: row 2 of 'c0' is infinite [data-infinite]");
}

TEST(npy_headers_that_lie_are_refused)
{
    char buf[512];
    const char none[] = {0, 0, 0, 0, 0, 0, 0, 0};
    NPY("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", none,
        "0:0: type \"|O\" is none of b1, i1 to i8, u1 to u8, f4, f8 [npy-header]");
    NPY("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", none,
        "0:0: 2 x 1 values of 8 bytes do not fill the 8 bytes behind the header "
        "[npy-header]");
    NPY("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2), }",
        none,
        "0:0: 9223372036854775807 x 2 values of 8 bytes do not fill the 8 bytes behind "
        "the "
        "header [npy-header]");
    NPY("{'descr': '<f8', 'shape': (1,), }", none,
        "0:0: the header lacks descr, fortran_order or shape [npy-header]");
    NPY("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", none,
        "0:0: an array of records; only plain types are read [npy-header]");
    REFUSES(npy_read_table, "\x93NUMPY\1\0\xff\xff{",
            "0:0: the header is longer than the file [npy-header]");
}

TEST(what_is_written_reads_the_same)
{
    tide_frame *f = read_text(
        jsonl_read_table,
        "{\"a\":1,\"b\":\"it's, 50% \\\"x\\\"\\n\\\\\",\"c "
        "c\":true,\"d\":\"2024-01-02T03:04:05\",\"e\":0.1,\"g\":\"?\"}\n"
        "{\"a\":null,\"b\":\"\",\"c "
        "c\":false,\"d\":\"2024-01-02\",\"e\":-1e300,\"g\":\"b\"}\n"
        "{\"a\":3,\"b\":null,\"c c\":null,\"d\":null,\"e\":null,\"g\":\"?\"}\n"
        "{\"a\":9007199254740993,\"b\":\"z\",\"c "
        "c\":true,\"d\":\"1969-12-31\",\"e\":2,\"g\":\"b\"}\n");
    round_trip(&tide_reader_jsonl, jsonl_read_table, f);
    round_trip(&tide_reader_arff, arff_read_table, f);
    tide_frame_free(f);
    f = read_text(svmlight_read_table,
                  "1 qid:3 1:0.5 3:-2 7:0\n-1 qid:4\n0 qid:4 2:nan\n");
    round_trip(&tide_reader_svmlight, svmlight_read_table, f);
    round_trip(&tide_reader_jsonl, jsonl_read_table, f);
    tide_frame_free(f);
    char buf[512];
    const double v[] = {1, NAN, 3, -0.5};
    f = read_with(npy_read_table, buf,
                  npy(buf, "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }",
                      v, sizeof v),
                  NULL);
    round_trip(&tide_reader_npy, npy_read_table, f);
    tide_frame_free(f);
}

TEST(a_format_that_cannot_hold_a_column_says_which)
{
    struct str t = {0};
    tide_frame *f = read_text(jsonl_read_table, "{\"label\":1,\"w\":\"x\"}\n");
    CHECK_INT(tide_reader_svmlight.write(ctx, f, format_sink, &t, &err), TIDE_EDATA);
    CHECK_STR(fault(), "0:0: SVMlight holds numbers only and 'w' is text [data-type]");
    CHECK_INT(tide_reader_npy.write(ctx, f, format_sink, &t, &err), TIDE_EDATA);
    CHECK_STR(fault(), "0:0: an array holds numbers only and 'w' is text [data-type]");
    tide_frame_free(f);
    str_free(&t);
}

TEST(formats_are_known_by_first_bytes_and_by_ending)
{
    CHECK(tide_reader_jsonl.claims("\xef\xbb\xbf {\"a\"", 8));
    CHECK(!tide_reader_jsonl.claims("{a},b\n", 6));
    CHECK(tide_reader_arff.claims("% x\n\n@RELATION r", 16));
    CHECK(tide_reader_svmlight.claims("1 1:2 3:4\n0 2:", 14));
    CHECK(!tide_reader_svmlight.claims("1 10:30\n2 11:30\n", 16));
    CHECK(!tide_reader_svmlight.claims("a,b\n1,2\n", 8));
    struct tide_write_options o = {.path = "x/Y.JSONL"};
    CHECK_STR(tide_frame_writer(&o, &err)->name, "jsonl");
    o = (struct tide_write_options){.format = "auto", .path = "noending"};
    CHECK_STR(tide_frame_writer(&o, &err)->name, "csv");
    o = (struct tide_write_options){.path = "t.jsonl.gz"};
    CHECK_STR(tide_frame_writer(&o, &err)->name, "jsonl");
    o.compression = "zstd";
    CHECK(!tide_frame_writer(&o, &err));
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    o.compression = NULL;
    o.digits = 3;
    CHECK(!tide_frame_writer(&o, &err));
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    o = (struct tide_write_options){.path = "t.parquet.gz"};
    CHECK(!tide_frame_writer(&o, &err));
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    o = (struct tide_write_options){.format = "cvs"};
    CHECK(!tide_frame_writer(&o, &err));
    CHECK_STR(err.value, "csv");
}

/* ---- faults ---- */

static struct sample {
    const char *name;
    format_read read;
    const struct tide_reader *reader;
    const char *text;
} samples[] = {
    {"s.jsonl", jsonl_read_table, &tide_reader_jsonl,
     "{\"a\":1,\"b\":\"x\\n\",\"c\\u0041\":true,\"d\":\"2024-01-02\"}\n\n{\"b\":\"a "
     "long text that is "
     "free\",\"a\":2.5}\n"},
    {"s.arff", arff_read_table, &tide_reader_arff,
     "@relation r\n@attribute x numeric\n@attribute 'c\\'c' {a,'b\\'b'}\n@attribute t "
     "string\n"
     "@attribute d date\n@data\n1,'b\\'b',x,2024-01-02T03:04:05\n{0 2, 2 'it\\'s'}\n"},
    {"s.svm", svmlight_read_table, &tide_reader_svmlight,
     "1 qid:1 1:2 3:4\n-1 qid:2\n"},
};

TEST(every_failed_allocation_is_an_error_and_leaks_nothing)
{
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
        int done = 0;
        CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), TIDE_OK);
        int64_t live = alloc_live();
        for (int k = 1; k < 4000 && !done; k++) {
            struct str out = {0};
            tide_frame *f = NULL;
            memset(&err, 0, sizeof err);
            alloc_fault_set(k, k % 2);
            tide_status st = samples[s].read(ctx, "t", samples[s].text,
                                             strlen(samples[s].text), NULL, &f, &err);
            if (st == TIDE_OK) {
                tide_error e = {0};
                tide_status w = samples[s].reader->write(ctx, f, format_sink, &out, &e);
                CHECK_MSG(w == TIDE_OK || w == TIDE_ENOMEM, "%s, fault %d: wrote %s",
                          samples[s].name, k, e.message);
            }
            done = !alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(st == TIDE_OK || st == TIDE_ENOMEM, "%s, fault %d: %s",
                      samples[s].name, k, err.message);
            CHECK((st == TIDE_OK) == (f != NULL));
            tide_frame_free(f);
            str_free(&out);
            CHECK_INT(alloc_live(), live);
        }
        CHECK(done);
    }
}

static void save(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(text, 1, n, f) != n) UNIT_FAIL("%s not written", path);
    if (f) fclose(f);
}

TEST(every_failed_read_of_a_file_is_an_error)
{
    for (size_t s = 0; s < sizeof samples / sizeof samples[0]; s++) {
        char path[64];
        int done = 0;
        snprintf(path, sizeof path, "unit_formats_%s", samples[s].name);
        save(path, samples[s].text, strlen(samples[s].text));
        for (int64_t k = 1; k < 100 && !done; k++) {
            tide_frame *f = NULL;
            memset(&err, 0, sizeof err);
            file_fault_set(k, 0, 5); /* EIO */
            tide_status st = tide_frame_read(ctx, path, NULL, &f, &err);
            done = !file_fault_hit();
            file_fault_set(0, 0, 0);
            CHECK_MSG(done ? st == TIDE_OK : st == TIDE_OK || st == TIDE_EFILE,
                      "%s, fault %lld: %s", path, (long long)k, err.message);
            tide_frame_free(f);
        }
        CHECK(done);
        file_fault_set(1, 1, FILE_FAULT_SHORT);
        tide_frame *f = NULL;
        CHECK_INT(tide_frame_read(ctx, path, NULL, &f, &err), TIDE_OK);
        file_fault_set(0, 0, 0);
        CHECK(f && f->n_rows == 2);
        tide_frame_free(f);
        remove(path);
    }
}

TEST(first_bytes_speak_before_the_ending_and_the_name_before_both)
{
    tide_frame *f = NULL;
    save("unit_formats.txt", "{\"a\":1}\n", 8);
    CHECK_INT(tide_frame_read(ctx, "unit_formats.txt", NULL, &f, &err), TIDE_OK);
    CHECK(f && strcmp(f->dialect, "JSON lines") == 0);
    tide_frame_free(f);
    f = NULL;
    struct tide_read_options o = {.format = "csv"};
    CHECK_INT(tide_frame_read(ctx, "unit_formats.txt", &o, &f, &err), TIDE_OK);
    CHECK(f && f->n_rows == 0 && f->n_cols == 1);
    tide_frame_free(f);
    remove("unit_formats.txt");
}
