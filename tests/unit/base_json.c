/* JSON: limits before parsing, exact numbers, insertion order, our own words for errors */
#include "base/alloc.h"
#include "base/json.h"
#include "support/unit.h"

static tide_status read_text(const char *s, size_t max, json_t **v, tide_error *e)
{
    return json_read(s, strlen(s), max, "m.json", TIDE_CODE_TIDE_HEADER, v, e);
}

static void check_refused(const char *s, tide_code code, const char *message, int line,
                          int column)
{
    json_t *v;
    tide_error e = {0};
    CHECK_MSG(read_text(s, 100000, &v, &e) != TIDE_OK && !v, "%.60s was taken", s);
    CHECK_INT(e.code, code);
    CHECK_STR(e.message, message);
    CHECK_STR(e.file, "m.json");
    if (line) CHECK_INT(e.line, line);
    if (column) CHECK_INT(e.column, column);
}

TEST(json_round_trips_text)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "null",
        "\"\"",
        "[1,-2,9223372036854775807]",
        "{\"b\":1,\"a\":{\"z\":[],\"y\":[true,false,null]},\"c\":\"\\n\"}",
        "[0.1,1e+300,-0.0,5e-324,0.6666666666666666]",
        "{\"\xc3\xbc\":\"\\\"\\\\\"}",
        "[[[[1],2],3],4]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *v;
        tide_error e;
        struct str t = {0};
        CHECK_INT(read_text(texts[i], 1000, &v, &e), TIDE_OK);
        json_write(&t, v, 0);
        CHECK_STR(t.s, texts[i]);
        str_free(&t);
        json_decref(v);
    }
}

TEST(json_write_indents)
{
    json_t *v;
    struct str t = {0};
    CHECK_INT(read_text("{\"a\":[1,{}],\"b\":[],\"c\":{\"d\":2}}", 1000, &v, NULL),
              TIDE_OK);
    json_write(&t, v, 2);
    CHECK_STR(t.s, "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": [],\n  \"c\": {\n    "
                   "\"d\": 2\n  }\n}");
    str_free(&t);
    json_decref(v);
}

TEST(json_read_enforces_its_limits_first)
{
    static char text[2000];
    json_t *v;
    tide_error e = {0};
    CHECK_INT(read_text("[1,2,3]", 6, &v, &e), TIDE_ELIMIT);
    CHECK_INT(e.code, TIDE_CODE_LIMIT_METADATA);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    text[66] = 0;
    check_refused(text, TIDE_CODE_LIMIT_DEPTH, "JSON nested deeper than 32", 1, 33);
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    text[64] = 0;
    CHECK_INT(read_text(text, 100, &v, &e), TIDE_OK);
    json_decref(v);
    memset(text, '1', 401);
    text[1] = '.', text[401] = 0;
    check_refused(text, TIDE_CODE_LIMIT_NUMBER, "a number has more than 400 characters",
                  1, 0);
    text[400] = 0;
    CHECK_INT(read_text(text, 1000, &v, &e), TIDE_OK);
    json_decref(v);
    memset(text, '1', 600);
    text[0] = '"', text[600] = '"',
    text[601] = 0; /* digits in a string are no number */
    CHECK_INT(read_text(text, 1000, &v, &e), TIDE_OK);
    json_decref(v);
    CHECK_INT(
        read_text("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"", 1000, &v, &e),
        TIDE_OK);
    json_decref(v);
}

TEST(json_read_says_what_is_wrong_and_where)
{
    check_refused("{\n \"a\": 1,\n}", TIDE_CODE_TIDE_HEADER, "not JSON", 3, 0);
    check_refused("[1, 2", TIDE_CODE_TIDE_HEADER, "JSON text ends early", 1, 0);
    check_refused("", TIDE_CODE_TIDE_HEADER, "JSON text ends early", 1, 0);
    check_refused("[1] 2", TIDE_CODE_TIDE_HEADER, "text follows the JSON value", 1, 0);
    check_refused("{\"a\":1,\"a\":2}", TIDE_CODE_TIDE_HEADER, "a key is there twice", 1,
                  0);
    check_refused("[1e400]", TIDE_CODE_TIDE_HEADER, "a number is out of range", 1, 0);
    check_refused("[9223372036854775808]", TIDE_CODE_TIDE_HEADER,
                  "a number is out of range", 1, 0);
    check_refused("[\n\"\xc3\xbc\xff\"]", TIDE_CODE_TIDE_HEADER, "not UTF-8", 2, 3);
    check_refused("[NaN]", TIDE_CODE_TIDE_HEADER, "not JSON", 1, 0);
    check_refused("\xef\xbb\xbf{}", TIDE_CODE_TIDE_HEADER, "not JSON", 1, 0);
    check_refused("[\"a\\u0000b\"]", TIDE_CODE_TIDE_HEADER,
                  "NUL character in a JSON string", 1, 0);
    check_refused("[\"\\ud800\"]", TIDE_CODE_TIDE_HEADER, "not JSON", 1, 0);
    json_t *v;
    tide_error e;
    CHECK_INT(json_read("[\"a\0b\"]", 7, 100, "m.json", TIDE_CODE_TIDE_HEADER, &v, &e),
              TIDE_EMODEL);
    CHECK_STR(e.message, "NUL byte in JSON text");
    CHECK_INT(e.offset, 3);
    CHECK_INT(json_read("[1,2", 4, 100, "m.json", TIDE_CODE_TIDE_HEADER, &v, NULL),
              TIDE_EMODEL);
}

TEST(json_put_and_get)
{
    json_init();
    json_t *o = json_object();
    CHECK(!json_put_str(o, "s", "text") && !json_put_f64(o, "x", 0.25) &&
          !json_put_i64(o, "i", -7));
    CHECK(!json_put_f64(o, "nan", (double)NAN) &&
          !json_put_f64(o, "inf", (double)INFINITY) && !json_put_str(o, "none", NULL));
    CHECK(!json_put_f64(o, "whole", 1e6) && !json_put(o, "list", json_array()));
    CHECK(json_put(o, "x", NULL) != 0);
    CHECK(json_put(NULL, "x", json_array()) != 0);
    struct str t = {0};
    json_write(&t, o, 0);
    CHECK_STR(t.s, "{\"s\":\"text\",\"x\":0.25,\"i\":-7,\"nan\":null,\"inf\":null,"
                   "\"none\":null,\"whole\":1000000,\"list\":[]}");
    str_free(&t);
    CHECK_STR(json_get_str(o, "s", "?"), "text");
    CHECK_STR(json_get_str(o, "x", "?"), "?");
    CHECK_STR(json_get_str(o, "absent", "?"), "?");
    CHECK(json_get_f64(o, "x", 9) == 0.25 && json_get_f64(o, "i", 9) == -7 &&
          json_get_f64(o, "s", 9) == 9);
    CHECK(json_get_f64(o, "nan", 9) == 9 && json_get_f64(NULL, "x", 9) == 9);
    CHECK_INT(json_get_i64(o, "i", 9), -7);
    CHECK_INT(json_get_i64(o, "whole", 9), 1000000);
    CHECK_INT(json_get_i64(o, "x", 9), 9);
    json_decref(o);
}

TEST(json_write_refuses_endless_depth)
{
    json_t *v = json_array();
    for (int i = 0; i < 100; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, v);
        v = outer;
    }
    struct str t = {0};
    json_write(&t, v, 0);
    CHECK(t.failed);
    str_free(&t);
    json_decref(v);
}

TEST(json_survives_every_failing_allocation)
{
    static const char text[] =
        "{\"name\":\"a\",\"list\":[1,2.5,{\"deep\":\"\\u00fc\"}]}";
    json_init();
    int64_t live = alloc_live();
    int done = 0;
    for (int k = 1; k < 200 && !done; k++) {
        json_t *v;
        tide_error e = {0};
        struct str t = {0};
        alloc_fault_set(k, 0);
        tide_status status = read_text(text, 1000, &v, &e);
        if (!status) json_write(&t, v, 0);
        done = !alloc_fault_hit();
        alloc_fault_set(0, 0);
        CHECK(status == TIDE_OK ||
              (status == TIDE_ENOMEM && !v && e.code == TIDE_CODE_MEMORY));
        CHECK(done ? status == TIDE_OK && !t.failed : status != TIDE_OK || t.failed);
        str_free(&t);
        json_decref(v);
        CHECK_INT(alloc_live(), live);
    }
    CHECK(done);
}
