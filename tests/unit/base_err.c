/* errors: filling, cutting, quoting, and the nearest name */
#include "base/err.h"
#include "support/unit.h"

TEST(err_set_fills_code_status_and_message)
{
    tide_error e;
    memset(&e, 0x55, sizeof e);
    e.size = sizeof e;
    CHECK_INT(err_set(&e, TIDE_CODE_CSV_TYPE, "expected a number in '%s', got \"%s\"",
                      "age", "x"),
              TIDE_EDATA);
    CHECK_INT(e.status, TIDE_EDATA);
    CHECK_INT(e.code, TIDE_CODE_CSV_TYPE);
    CHECK_STR(e.message, "expected a number in 'age', got \"x\"");
    CHECK_INT(e.size, sizeof e);
    CHECK_INT(e.offset, -1);
    CHECK_INT(e.line, 0);
    CHECK_STR(e.file, "");
    CHECK_INT(err_at(&e, "a.csv", 3, 4), TIDE_EDATA);
    CHECK_INT(err_field(&e, "age"), TIDE_EDATA);
    CHECK_INT(err_place(&e, "/rows/%d", 7), TIDE_EDATA);
    CHECK_INT(err_hint(&e, "na", "%s", "n/a"), TIDE_EDATA);
    CHECK_STR(e.file, "a.csv");
    CHECK_INT(e.line, 3);
    CHECK_INT(e.column, 4);
    CHECK_STR(e.field, "age");
    CHECK_STR(e.place, "/rows/7");
    CHECK_STR(e.option, "na");
    CHECK_STR(e.value, "n/a");
    CHECK_INT(err_set(&e, TIDE_CODE_USAGE_VERB, "%s again", e.message), TIDE_EINVAL);
    CHECK_STR(e.message, "expected a number in 'age', got \"x\" again");
    CHECK_STR(e.option, "");
}

TEST(err_functions_take_null_and_keep_the_status)
{
    CHECK_INT(err_set(NULL, TIDE_CODE_FILE_MISSING, "no %s", "x"), TIDE_EFILE);
    CHECK_INT(err_at(NULL, "x", 1, 1), TIDE_EFILE);
    CHECK_INT(err_field(NULL, "x"), TIDE_EFILE);
    CHECK_INT(err_place(NULL, "x"), TIDE_EFILE);
    CHECK_INT(err_hint(NULL, "x", "y"), TIDE_EFILE);
    CHECK_INT(err_nomem(NULL, 5), TIDE_ENOMEM);
    CHECK_INT(err_cancelled(NULL), TIDE_ECANCELLED);
}

TEST(err_messages_are_cut_between_characters)
{
    tide_error e = {0};
    for (int shift = 0; shift < 4; shift++) {
        char text[2000];
        int n = 0;
        for (; n < shift; n++) text[n] = 'a';
        while (n < 1990)
            n += snprintf(text + n, sizeof text - (size_t)n, "\xe2\x82\xac");
        err_set(&e, TIDE_CODE_INTERNAL, "%s", text);
        CHECK_INT((strlen(e.message) - (size_t)shift) % 3, 0);
        CHECK(strlen(e.message) >= sizeof e.message - 3);
        err_field(&e, text);
        CHECK_INT((strlen(e.field) - (size_t)shift) % 3, 0);
    }
    char exact[sizeof e.message];
    memset(exact, 'x', sizeof exact);
    exact[sizeof exact - 1] = 0;
    err_set(&e, TIDE_CODE_INTERNAL, "%s", exact);
    CHECK_STR(e.message, exact);
}

TEST(err_nomem_names_the_size)
{
    tide_error e = {0};
    err_nomem(&e, 0);
    CHECK_STR(e.message, "out of memory");
    CHECK_INT(e.code, TIDE_CODE_MEMORY);
    err_nomem(&e, 1500000000);
    CHECK_STR(e.message, "out of memory: 1.5 GB more are needed");
}

TEST(err_quote_shows_hostile_text)
{
    char out[64];
    CHECK_STR(err_quote(out, sizeof out, "plain", 5, 20), "plain");
    CHECK_STR(err_quote(out, sizeof out, "a\x1b[0m\n\xff", 7, 20), "a\\x1b[0m\\n\\xff");
    CHECK_STR(err_quote(out, sizeof out, "abcdefgh", 8, 5), "abcde...");
    CHECK_STR(err_quote(out, sizeof out,
                        "ab\xc3\xbc"
                        "cd",
                        6, 3),
              "ab...");
    CHECK_STR(err_quote(out, 8, "abcdefghij", 10, 20), "abcd...");
    CHECK_STR(err_quote(out, 8, "abcdefg", 7, 20), "abcdefg");
    CHECK_STR(err_quote(out, 8,
                        "abc\x1b"
                        "defg",
                        8, 20),
              "abc...");
    CHECK_STR(err_quote(out, 1, "abc", 3, 20), "");
    CHECK_STR(err_quote(out, 3, "abc", 3, 20), "..");
    CHECK_STR(err_quote(out, sizeof out, "", 0, 20), "");
}

TEST(err_nearest_finds_what_was_meant)
{
    static const char *const names[] = {"trees", "leaves", "rate", "loss",
                                        "n_estimators"};
    CHECK_STR(err_nearest("tress", names, 5), "trees");
    CHECK_STR(err_nearest("RATE", names, 5), "rate");
    CHECK_STR(err_nearest("n_estimater", names, 5), "n_estimators");
    CHECK(err_nearest("quantile", names, 5) == NULL);
    CHECK(err_nearest("x", names, 0) == NULL);
    CHECK_STR(err_nearest("leves", names, 5), "leaves");
}

TEST(status_names_every_code_once)
{
    CHECK_STR(tide_code_name(TIDE_CODE_CSV_TYPE), "csv-type");
    CHECK_STR(tide_code_name((tide_code)77), "internal");
    CHECK_INT(tide_code_status(TIDE_CODE_MEMORY), TIDE_ENOMEM);
    CHECK_INT(tide_code_status((tide_code)77), TIDE_EINTERNAL);
    CHECK_INT(tide_status_exit(TIDE_ENOMEM), 6);
    CHECK_INT(tide_status_exit(TIDE_EINTERNAL), 70);
    const char *seen[256];
    int n = 0;
    for (int c = 0; c < 256; c++) {
        const char *name = tide_code_name((tide_code)c);
        if (c != TIDE_CODE_INTERNAL && strcmp(name, "internal") == 0) continue;
        for (int k = 0; k < n; k++)
            CHECK_MSG(strcmp(seen[k], name) != 0, "%s twice", name);
        seen[n++] = name;
    }
    CHECK(n > 80);
}
