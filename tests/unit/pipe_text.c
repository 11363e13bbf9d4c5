/* pipeline text: forms, places of faults, canonical text */
#include "base/str.h"
#include "pipe/pipe.h"
#include "support/unit.h"

static tide_error err;

static tide_status parse(const char *text)
{
    tide_pipeline *p = NULL;
    memset(&err, 0, sizeof err);
    tide_status st = pipeline_parse(text, &p, &err);
    CHECK((st == TIDE_OK) == (p != NULL));
    pipeline_free(p);
    return st;
}

/* Refused with this code at this byte. */
#define REFUSED(text, want, col, words)                                                \
    do {                                                                               \
        CHECK(parse(text) != TIDE_OK);                                                 \
        CHECK_STR(tide_code_name(err.code), want);                                     \
        CHECK_INT(err.column, col);                                                    \
        CHECK_STR(err.message, words);                                                 \
    } while (0)

TEST(p01_empty_text_and_an_open_parenthesis)
{
    CHECK_INT(parse(""), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    CHECK_INT(parse("  \n"), TIDE_EINVAL);
    REFUSED("num: impute:knn(", "pipeline-syntax", 16,
            "the parenthesis opened here is never closed");
    CHECK_STR(err.file, "--pipeline");
    CHECK_INT(err.line, 1);
    REFUSED("gbdt(trees=8", "pipeline-syntax", 5,
            "the parenthesis opened here is never closed");
    REFUSED("gbdt(trees=(8)", "pipeline-syntax", 5,
            "the parenthesis opened here is never closed");
    REFUSED("\"a b: gbdt", "pipeline-syntax", 1,
            "the quote opened here is never closed");
}

TEST(p02_unknown_steps_and_learners)
{
    CHECK(parse("num: impute:medain; gbdt") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PIPELINE_STEP);
    CHECK_INT(err.column, 6);
    CHECK(parse("gbdtt") != TIDE_OK);
    CHECK_INT(err.column, 1);
    CHECK_STR(err.value, "gbdt");
}

TEST(p03_p04_parameters_are_checked_where_they_stand)
{
    CHECK(parse("gbdt(treees=8)") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PARAM_UNKNOWN);
    CHECK_INT(err.column, 6);
    CHECK(parse("gbdt(trees=five)") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    CHECK_INT(err.column, 12);
    CHECK(parse("gbdt(trees=8, trees=9)") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PARAM_DUPLICATE);
}

TEST(p08_depth_is_limited)
{
    static char deep[20100];
    int n = snprintf(deep, sizeof deep, "gbdt(trees=");
    memset(deep + n, '(', 10000);
    deep[n + 10000] = '\0';
    CHECK_INT(parse(deep), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_DEPTH);
    CHECK_INT(err.column, 11 + 32); /* the list is the first, so the 33rd */
}

TEST(p16_a_learner_stands_last_and_only_there)
{
    REFUSED("gbdt; gbdt", "pipeline-order", 1,
            "gbdt is a learner and nothing can come after it");
    REFUSED("num: gbdt", "pipeline-order", 1,
            "gbdt takes every column and cannot stand behind 'num'");
}

TEST(forms_that_are_not_pipelines)
{
    REFUSED("gbdt;", "pipeline-syntax", 6, "expected a step or a learner at the end");
    REFUSED(";gbdt", "pipeline-syntax", 1, "expected a step or a learner, got \";\"");
    REFUSED("gbdt gbdt", "pipeline-syntax", 6,
            "expected ';' between parts, got \"gbdt\"");
    REFUSED("gbdt(trees)", "pipeline-syntax", 11, "expected '=', got \")\"");
    REFUSED("gbdt(trees=)", "pipeline-syntax", 12, "expected a value, got \")\"");
    REFUSED("gbdt(trees=8,)", "pipeline-syntax", 14,
            "expected a parameter's name, got \")\"");
    CHECK(parse("gbdt;\n  gbdt(") != TIDE_OK);
    CHECK_INT(err.line, 2);
    CHECK_INT(err.column, 7);
    CHECK(parse("gbdt(trees=\xff)") != TIDE_OK);
    CHECK_INT(err.column, 12);
}

static void canonical_is(const char *text, const char *want)
{
    char *got = NULL, *again = NULL;
    memset(&err, 0, sizeof err);
    CHECK_MSG(!tide_pipeline_check(text, &got, &err), "%s: %s", text, err.message);
    CHECK_STR(got, want);
    if (got) CHECK(!tide_pipeline_check(got, &again, &err));
    CHECK_STR(again, want);
    tide_text_free(got);
    tide_text_free(again);
}

TEST(canonical_text_keeps_what_differs_from_the_defaults)
{
    canonical_is(" gbdt ", "gbdt");
    canonical_is("gbdt( trees = 20 )", "gbdt(trees=20)");
    canonical_is("gbdt(n_estimators=20)", "gbdt(trees=20)");
}

TEST(a_copy_prints_the_same)
{
    tide_pipeline *p = NULL, *c = NULL;
    struct str a = {0}, b = {0};
    CHECK(!pipeline_parse("gbdt(trees=20, rate=0.30000000000000004)", &p, &err));
    CHECK(!pipeline_copy(p, &c, &err));
    pipeline_print(p, &a);
    if (c) pipeline_print(c, &b);
    CHECK_STR(b.s, a.s);
    CHECK_STR(a.s, "gbdt(trees=20, rate=0.30000000000000004)");
    str_free(&a);
    str_free(&b);
    pipeline_free(p);
    pipeline_free(c);
}

TEST(lists_of_numbers_need_no_quotes)
{
    static const char *const same[] = {
        "gbdt(loss=quantile, quantile=0.1,0.5,0.9, trees=7)",
        "gbdt(trees=7,quantile=[0.1, 0.5, 0.9],loss=quantile)",
        "gbdt(trees=7, loss=quantile, quantile=\"0.1,0.5,0.9\")",
        "gbdt(trees=7, loss=quantile, quantile=.1 , .5, .9)",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        tide_pipeline *p = NULL;
        struct str text = {0};
        CHECK_MSG(!pipeline_parse(same[i], &p, &err), "%s: %s", same[i], err.message);
        if (p) pipeline_print(p, &text);
        CHECK_STR(text.s, "gbdt(trees=7, loss=quantile, quantile=[0.1,0.5,0.9])");
        str_free(&text);
        pipeline_free(p);
    }
    CHECK(parse("gbdt(loss=quantile, quantile=0.1,0.5") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PIPELINE_SYNTAX);
    CHECK(parse("gbdt(trees=7,8)") != TIDE_OK);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    CHECK(parse("gbdt(loss=quantile, quantile=0.9,0.1)") != TIDE_OK);
    CHECK_INT(err.column, 30);
}
