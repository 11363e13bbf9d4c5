/* spec_params.c - parameter tables: parsing, bounds, names, printing */
#include <tidemill/params.h>

#include "spec/spec.h"
#include "support/unit.h"

struct demo {
    int32_t trees, loss, quiet;
    double rate;
    const char *metric;
    uint64_t seed;
    int64_t memory;
    struct tide_text_list drop;
    struct tide_real_list shares;
};
static const char *const losses[] = {"auto", "squared", "absolute", NULL};
static const struct tide_param rows[] = {
    P_INT(demo, trees, "500", P_RANGE(1, 100000), .help = "boosting rounds",
          .alias = "n_estimators num_boost_round"),
    P_REAL(demo, rate, "0.05", P_RANGE(0, 1), .flags = TIDE_OPEN_LO,
           .help = "shrinkage", .alias = "learning_rate eta"),
    P_ENUM(demo, loss, "auto", losses, .help = "what is minimised"),
    P_BOOL(demo, quiet, "no", .help = "say less"),
    P_TEXT(demo, metric, NULL, .help = "metric"),
    P_U64(demo, seed, "42", .help = "seed"),
    P_BYTES(demo, memory, "0", P_RANGE(67108864, 1e18), .help = "memory"),
    P_LIST(demo, drop, .help = "columns left out"),
    P_REALS(demo, shares, "0.5", P_RANGE(0, 1), .flags = TIDE_OPEN_LO | TIDE_OPEN_HI,
            .help = "shares"),
};
static const struct tide_params table = TIDE_TABLE(rows, demo);

static tide_error set(const char *name, const char *text, tide_values **keep)
{
    tide_error err = {0};
    tide_values *v = NULL;
    CHECK_INT(tide_values_new(&table, "gbdt", &v, &err), 0);
    err.status = tide_values_set(v, name, text, &err);
    if (keep)
        *keep = v;
    else
        tide_values_free(v);
    return err;
}

TEST(params_have_defaults)
{
    tide_values *v;
    CHECK_INT(tide_values_new(&table, "gbdt", &v, NULL), 0);
    const struct demo *d = tide_values_struct(v);
    CHECK_INT(d->trees, 500);
    CHECK(d->rate == 0.05);
    CHECK_INT(d->seed, 42);
    CHECK(d->metric == NULL);
    tide_values_free(v);
}

TEST(params_are_found_by_alias_and_either_dash)
{
    tide_values *v;
    CHECK_INT(set("n-estimators", "12", &v).status, 0);
    CHECK_INT(((const struct demo *)tide_values_struct(v))->trees, 12);
    CHECK(tide_values_given(v, "trees"));
    CHECK(!tide_values_given(v, "rate"));
    tide_values_free(v);
}

TEST(params_name_the_nearest)
{
    tide_error e = set("n_estimater", "12", NULL);
    CHECK_STR(tide_code_name(e.code), "param-unknown");
    CHECK_STR(e.message, "gbdt has no parameter 'n_estimater'");
    CHECK_STR(e.value, "trees, also known as n_estimators");
}

TEST(params_refuse_what_is_out_of_range)
{
    static const char *const bad[] = {"-5", "0", "99999999999999999999"};
    for (int i = 0; i < 3; i++) {
        tide_error e = set("trees", bad[i], NULL);
        CHECK_STR(tide_code_name(e.code), "param-range");
    }
    CHECK_STR(set("trees", "-5", NULL).message,
              "'trees' must be in [1, 100000], got \"-5\"");
    CHECK_STR(tide_code_name(set("trees", "1e3", NULL).code), "param-value");
    CHECK_STR(set("eta", "0", NULL).message, "'rate' must be in (0, 1], got \"0\"");
    CHECK_STR(tide_code_name(set("rate", "nan", NULL).code), "param-range");
    CHECK_STR(tide_code_name(set("rate", "inf", NULL).code), "param-range");
    CHECK_STR(tide_code_name(set("seed", "-1", NULL).code), "param-range");
    CHECK_STR(tide_code_name(set("seed", "18446744073709551616", NULL).code),
              "param-range");
    CHECK_STR(tide_code_name(set("memory", "1k", NULL).code), "param-range");
    CHECK_STR(tide_code_name(set("metric", "", NULL).code), "param-value");
}

TEST(params_refuse_two_values)
{
    tide_values *v;
    tide_error e = set("trees", "12", &v);
    CHECK_INT(e.status, 0);
    CHECK_INT(tide_values_set(v, "n_estimators", "12", &e), 0);
    CHECK_INT(tide_values_set(v, "n_estimators", "13", &e), TIDE_EINVAL);
    CHECK_STR(tide_code_name(e.code), "param-duplicate");
    CHECK_INT(tide_values_set(v, "drop", "a", &e), 0);
    CHECK_INT(tide_values_set(v, "drop", "b", &e), 0);
    CHECK_INT(((const struct demo *)tide_values_struct(v))->drop.n, 2);
    tide_values_free(v);
}

TEST(params_print_what_changed)
{
    tide_values *v;
    CHECK_INT(set("trees", "800", &v).status, 0);
    CHECK_INT(tide_values_set(v, "rate", "0.1", NULL), 0);
    CHECK_INT(tide_values_set(v, "memory", "1G", NULL), 0);
    CHECK_INT(((const struct demo *)tide_values_struct(v))->memory, 1073741824);
    struct str s = {0};
    values_print(&s, v, 1);
    CHECK_STR(s.s, "trees=800, rate=0.1, memory=1073741824");
    str_clear(&s);
    values_json(&s, v);
    CHECK(strstr(s.s, "\"loss\":\"auto\",\"quiet\":false,\"metric\":null") != NULL);
    str_free(&s);
    tide_values_free(v);
}

static void check_shares(const char *text, int n, const char *printed)
{
    tide_values *v = NULL;
    char out[128];
    CHECK_MSG(!set("shares", text, &v).status, "%s", text);
    const struct demo *d = tide_values_struct(v);
    CHECK_INT(d->shares.n, n);
    CHECK(d->shares.items[n - 1] == 0.9);
    tide_values_text(v, tide_params_find(&table, "shares"), out, sizeof out);
    CHECK_STR(out, printed);
    tide_values_free(v);
}

TEST(lists_of_numbers_have_one_form)
{
    struct str json = {0};
    check_shares("0.9", 1, "0.9");
    check_shares("[.9]", 1, "0.9");
    check_shares("0.1,0.5,0.9", 3, "[0.1,0.5,0.9]");
    check_shares("[0.10, 5e-1 , 0.9]", 3, "[0.1,0.5,0.9]");
    params_schema_json(&json, &table, "demo");
    CHECK(strstr(json.s,
                 "\"shares\":{\"type\":[\"number\",\"array\"],\"items\":{\"type\":"
                 "\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}"));
    str_free(&json);
}

TEST(lists_of_numbers_are_checked_one_by_one)
{
    static const struct {
        const char *text, *code, *message;
    } bad[] = {
        {"0.1,,0.9", "param-value",
         "expected numbers with commas between for 'shares', got \"0.1,,0.9\""},
        {"0.1,", "param-value",
         "expected numbers with commas between for 'shares', got \"0.1,\""},
        {"[0.1,0.9", "param-value",
         "expected numbers with commas between for 'shares', got \"[0.1,0.9\""},
        {"0.1,half", "param-value",
         "expected numbers with commas between for 'shares', got \"0.1,half\""},
        {"0.1,1", "param-range", "'shares' must be in (0, 1), got \"0.1,1\""},
        {"0.5,0.5", "param-value", "'shares' must rise, got 0.5 behind 0.5"},
        {"0.9,0.1", "param-value", "'shares' must rise, got 0.1 behind 0.9"},
        {"[]", "param-value",
         "expected numbers with commas between for 'shares', got \"[]\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tide_error e = set("shares", bad[i].text, NULL);
        CHECK_STR(tide_code_name(e.code), bad[i].code);
        CHECK_STR(e.message, bad[i].message);
    }
    struct str many = {0};
    for (int i = 1; i <= 100; i++) str_addf(&many, "%s%r", i > 1 ? "," : "", i / 128.0);
    CHECK_STR(set("shares", many.s, NULL).message, "'shares' takes at most 99 numbers");
    str_free(&many);
}
