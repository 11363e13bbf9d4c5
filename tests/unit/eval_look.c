/* look on small tables whose answers are known */
#include <tidemill/tidemill.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/str.h"
#include "support/unit.h"

static int take(void *payload, const void *data, size_t n)
{
    str_addn(payload, data, n);
    return 0;
}

/* The report of a table as JSON. */
static json_t *looked(int64_t rows, const struct tide_column_in *cols, int n,
                      const char *target, int threads)
{
    tide_ctx *ctx = NULL;
    tide_frame *f = NULL;
    tide_report *r = NULL;
    tide_error err = {0};
    struct str out = {0};
    json_t *o = NULL;
    struct tide_look_options options = {.target = target};
    struct tide_report_style style = {.format = TIDE_FORMAT_JSON};
    CHECK(tide_ctx_new(&ctx, &err) == TIDE_OK);
    CHECK(tide_ctx_set_threads(ctx, threads, &err) == TIDE_OK);
    CHECK_MSG(tide_frame_new(ctx, rows, n, cols, &f, &err) == TIDE_OK, "%s",
              err.message);
    CHECK_MSG(tide_look(ctx, f, &options, &r, &err) == TIDE_OK, "%s", err.message);
    if (r) CHECK(tide_report_write(r, &style, take, &out, &err) == TIDE_OK);
    if (out.s)
        CHECK(json_read(out.s, out.len, 1 << 24, "look", TIDE_CODE_INTERNAL, &o,
                        &err) == 0);
    str_free(&out);
    for (int format = TIDE_FORMAT_TERM; r && format <= TIDE_FORMAT_HTML; format++) {
        style.format = format;
        CHECK(tide_report_write(r, &style, take, &out, &err) == TIDE_OK);
        CHECK(out.len > 500);
        str_free(&out);
    }
    tide_report_free(r);
    tide_frame_free(f);
    tide_ctx_free(ctx);
    return o;
}

static json_t *column(json_t *o, const char *name)
{
    json_t *list = json_object_get(o, "by_column"), *c;
    size_t i;
    /* clang-format off */
    json_array_foreach(list, i, c)
        if (strcmp(json_get_str(c, "name", ""), name) == 0) return c;
    /* clang-format on */
    UNIT_FAIL("no column %s", name);
    return NULL;
}

static int found(json_t *o, const char *name, const char *what)
{
    json_t *list = json_object_get(o, "tables"), *t, *row;
    size_t i, k;
    /* clang-format off */
    json_array_foreach(list, i, t) {
        if (strcmp(json_get_str(t, "key", ""), "findings") != 0) continue;
        json_array_foreach(json_object_get(t, "rows"), k, row)
            if (strcmp(json_string_value(json_array_get(row, 0)), name) == 0 &&
                strcmp(json_string_value(json_array_get(row, 1)), what) == 0)
                return 1;
    }
    /* clang-format on */
    return 0;
}

TEST(moments_and_quantiles_of_one_to_ten)
{
    double x[10];
    const struct tide_column_in col = {.name = "x", .f64 = x};
    json_t *o, *c;
    for (int i = 0; i < 10; i++) x[i] = i + 1;
    o = looked(10, &col, 1, NULL, 1);
    c = column(o, "x");
    CHECK_NEAR(json_get_f64(c, "mean", 0), 5.5, 1e-15);
    CHECK_NEAR(json_get_f64(c, "sd", 0), 3.0276503540974917, 1e-14); /* n - 1 */
    CHECK_NEAR(json_get_f64(c, "q25", 0), 3.25, 1e-15);
    CHECK_NEAR(json_get_f64(c, "median", 0), 5.5, 1e-15);
    CHECK_NEAR(json_get_f64(c, "q95", 0), 9.55, 1e-15);
    CHECK_NEAR(json_get_f64(c, "skewness", 1), 0, 1e-15);
    CHECK_INT(json_get_i64(c, "distinct", 0), 10);
    CHECK_INT(json_get_i64(o, "rows", 0), 10);
    json_decref(o);
}

TEST(sentinels_are_far_round_and_repeated)
{
    static const double x[] = {-999, 12, 15, -999, 11, 13, 14, -999, 12};
    static const double y[] = {-999, 12, 15, 13, 11, 13, 14, 10, 12};
    const struct tide_column_in cols[] = {{.name = "x", .f64 = x},
                                          {.name = "once", .f64 = y}};
    json_t *o = looked(9, cols, 2, NULL, 1);
    CHECK_INT(json_get_i64(column(o, "x"), "sentinel_rows", 0), 3);
    CHECK(json_get_f64(column(o, "x"), "sentinel", 0) == -999);
    CHECK(!json_object_get(column(o, "once"), "sentinel"));
    CHECK(found(o, "x", "sentinel"));
    json_decref(o);
}

TEST(associations_equal_their_definitions)
{
    double x[40], noise[40];
    const char *y[40], *g[40];
    json_t *o;
    for (int i = 0; i < 40; i++) {
        x[i] = i;
        noise[i] = (i * 7) % 11;
        y[i] = i < 20 || i == 30 ? "no" : "yes";
        g[i] = i % 4 < 2 ? "a" : "b";
    }
    const struct tide_column_in cols[] = {{.name = "x", .f64 = x},
                                          {.name = "noise", .f64 = noise},
                                          {.name = "y", .text = y},
                                          {.name = "g", .text = g},
                                          {.name = "copy", .text = y}};
    o = looked(40, cols, 5, "y", 1);
    CHECK_STR(json_get_str(o, "task", ""), "classify");
    CHECK_STR(json_get_str(o, "positive", ""), "yes");
    /* 19 yes, 21 no; x = 30 is a no that 10 of the yes lie below */
    CHECK_STR(json_get_str(column(o, "x"), "association", ""), "AUC");
    CHECK_NEAR(json_get_f64(column(o, "x"), "value", 0), 1 - 10.0 / (19 * 21), 1e-15);
    CHECK_STR(json_get_str(column(o, "copy"), "association", ""), "V");
    CHECK_NEAR(json_get_f64(column(o, "copy"), "value", 0), 1, 1e-12);
    CHECK(found(o, "copy", "leak") && found(o, "copy", "duplicate"));
    CHECK(!found(o, "x", "leak"));
    CHECK_INT(json_get_i64(o, "leak_suspects", 0), 1);
    json_decref(o);
}

TEST(regression_gives_r_and_eta)
{
    double x[30], y[30];
    const char *g[30];
    for (int i = 0; i < 30; i++) {
        x[i] = i;
        y[i] = 3.5 - 2.25 * i;
        g[i] = i % 2 ? "odd" : "even";
    }
    const struct tide_column_in cols[] = {
        {.name = "x", .f64 = x}, {.name = "g", .text = g}, {.name = "y", .f64 = y}};
    json_t *o = looked(30, cols, 3, "y", 2);
    CHECK_NEAR(json_get_f64(column(o, "x"), "value", 0), -1, 1e-12);
    CHECK(found(o, "x", "leak"));
    /* between two interleaved halves: 30 * 0.5^2 of 30 * (900 - 1) / 12 */
    CHECK_NEAR(json_get_f64(column(o, "g"), "value", 0), sqrt(0.25 * 12 / 899), 1e-12);
    json_decref(o);
}

TEST(odd_columns_are_named)
{
    static const char *const digit[] = {"1", "2", "3", "4", "5",
                                        "6", "7", "8", "9", "n/k"};
    int64_t id[60];
    double constant[60], empty[60], skew[60], gap[60];
    const char *mixed[60], *name[60];
    char text[60][16];
    for (int i = 0; i < 60; i++) {
        id[i] = 1000 + (i * 7) % 60;
        constant[i] = 4;
        empty[i] = NAN;
        skew[i] = i == 0 ? 1e6 : i % 7;
        gap[i] = i < 40 ? (double)NAN : i % 3;
        mixed[i] = digit[i % 10];
        snprintf(text[i], sizeof text[i], "user-%d", i);
        name[i] = text[i];
    }
    const struct tide_column_in cols[] = {
        {.name = "id", .i64 = id},       {.name = "constant", .f64 = constant},
        {.name = "empty", .f64 = empty}, {.name = "skew", .f64 = skew},
        {.name = "gap", .f64 = gap},     {.name = "mixed", .text = mixed},
        {.name = "name", .text = name},  {.name = "gap too", .f64 = gap}};
    json_t *o = looked(60, cols, 8, NULL, 2);
    CHECK(found(o, "id", "identifier") && found(o, "name", "identifier"));
    CHECK(found(o, "constant", "constant") && found(o, "empty", "empty"));
    CHECK(found(o, "skew", "skew") && found(o, "gap", "mostly missing"));
    CHECK(found(o, "mixed", "mixed types") && found(o, "gap too", "duplicate"));
    CHECK_INT(json_get_i64(o, "identifiers", 0), 2);
    CHECK_INT(json_get_i64(o, "duplicate_rows", -1), 0);
    CHECK(json_array_size(json_object_get(o, "notes")) >= 1); /* missing together */
    json_decref(o);
}

TEST(repeated_rows_are_counted_and_threads_change_nothing)
{
    double x[500];
    const char *g[500];
    json_t *a, *b;
    for (int i = 0; i < 500; i++) {
        x[i] = i % 50 == 49 ? (double)NAN : i % 50;
        g[i] = i % 2 ? "u" : "v";
    }
    const struct tide_column_in cols[] = {{.name = "x", .f64 = x},
                                          {.name = "g", .text = g}};
    a = looked(500, cols, 2, "g", 1);
    b = looked(500, cols, 2, "g", 3);
    CHECK_INT(json_get_i64(a, "duplicate_rows", 0), 450);
    CHECK(json_equal(a, b));
    json_decref(a);
    json_decref(b);
}

TEST(tables_without_rows_or_with_one_are_looked_at_too)
{
    static const double x[] = {1};
    static const char *const g[] = {"\xe2\x80\xae<b>\x1b[0m"};
    const struct tide_column_in cols[] = {{.name = "x y<&\"'", .f64 = x},
                                          {.name = "x y_&\"'", .text = g}};
    json_decref(looked(1, cols, 2, NULL, 1));
    json_decref(looked(1, cols, 2, "x y_&\"'", 1));
    json_decref(looked(0, cols, 2, NULL, 1));
}

TEST(starved_looks_end_without_a_trace)
{
    double x[50], y[50];
    const char *g[50];
    tide_ctx *ctx = NULL;
    tide_frame *f = NULL;
    tide_error err = {0};
    struct tide_look_options options = {.target = "g"};
    int hit = 1;
    for (int i = 0; i < 50; i++) {
        x[i] = i % 13;
        y[i] = i % 5 ? i * 0.5 : (double)NAN;
        g[i] = i % 3 ? "u" : "v";
    }
    const struct tide_column_in cols[] = {
        {.name = "x", .f64 = x}, {.name = "y", .f64 = y}, {.name = "g", .text = g}};
    CHECK(tide_ctx_new(&ctx, &err) == TIDE_OK);
    CHECK(tide_ctx_set_threads(ctx, 1, &err) == TIDE_OK);
    CHECK(tide_frame_new(ctx, 50, 3, cols, &f, &err) == TIDE_OK);
    int64_t live = alloc_live();
    for (int64_t k = 1; hit; k += 1 + k / 100) {
        tide_report *r = NULL;
        alloc_fault_set(k, (int)(k % 2));
        tide_status s = tide_look(ctx, f, &options, &r, &err);
        hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        CHECK_MSG(s == TIDE_OK ? r != NULL : hit && s == TIDE_ENOMEM && !r,
                  "call %d: %d", (int)k, (int)s);
        tide_report_free(r);
        CHECK_MSG(alloc_live() == live, "call %d: %d blocks", (int)k,
                  (int)(alloc_live() - live));
    }
    tide_frame_free(f);
    tide_ctx_free(ctx);
}
