/* Frames from memory, views, cells as text, CSV out and in again, times. */
#include "base/str.h"
#include "frame/csv.h"
#include "support/unit.h"

static tide_frame *sample(tide_ctx *ctx)
{
    static const double x[5] = {1.5, NAN, -0.0, 1e300, 3};
    static const int64_t n[5] = {1, 2, INT64_MIN, -4, 5},
                         when[5] = {0, 86400000000, INT64_MIN, 1, -1};
    static const char *const word[5] = {"a", "b,c", NULL, "NA", "a"};
    static const char *const text[5] = {"", "line\nend", "say \"x\"", NULL, "\xc3\xa9"};
    static const double flag[5] = {1, 0, NAN, 1, 1};
    const struct tide_column_in cols[] = {
        {.name = "x", .f64 = x},
        {.name = "n", .i64 = n},
        {.name = "word", .text = word},
        {.name = "text", .text = text, .type = TIDE_TEXT},
        {.name = "flag", .f64 = flag, .type = TIDE_BOOL},
        {.name = "when", .i64 = when, .type = TIDE_TIME},
    };
    tide_frame *f = NULL;
    tide_error err = {0};
    if (tide_frame_new(ctx, 5, 6, cols, &f, &err) != TIDE_OK)
        UNIT_FAIL("%s", err.message);
    return f;
}

static int append(void *payload, const void *data, size_t n)
{
    str_addn(payload, data, n);
    return 0;
}

TEST(a_matrix_of_floats_gives_columns)
{
    static const float x[6] = {1.5f, -2, 0.1f, 4, NAN, 6}; /* 3 rows of 2 */
    const struct tide_column_in cols[] = {
        {.name = "a", .f32 = x, .stride = 2},
        {.name = "b", .f32 = x + 1, .stride = 2},
        {.name = "c", .f32 = x},
        {.name = "whole", .f32 = x + 1, .stride = 2, .type = TIDE_I64},
    };
    tide_ctx *ctx = NULL;
    tide_frame *f = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_frame_new(ctx, 3, 4, cols, &f, NULL), TIDE_OK);
    CHECK(tide_frame_number(f, 1, 0) == (double)0.1f);
    CHECK(isnan(tide_frame_number(f, 2, 0)));
    CHECK(tide_frame_number(f, 2, 1) == 6);
    CHECK(tide_frame_number(f, 1, 2) == -2);
    CHECK(tide_frame_number(f, 0, 3) == -2);
    CHECK_INT(tide_frame_missing(f, 0), 1);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

/* More columns than are coded at a time, of texts that rows share and of equal texts at places of their
 * own; levels stand in byte order. */
TEST(texts_from_memory_are_levels_in_byte_order)
{
    enum { ROWS = 6000, COLUMNS = 18, SOME = 900 };
    static char own[ROWS][8], shared[SOME][8];
    static const char *text[2][ROWS];
    struct tide_column_in cols[COLUMNS] = {{0}};
    char name[COLUMNS][8], buf[16];
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    for (int i = 0; i < SOME; i++) str_format(shared[i], 8, "%d", i);
    for (int i = 0; i < ROWS; i++) {
        str_format(own[i], 8, "%d", i * 7 % 23);
        text[0][i] = i % 50 == 3 ? NULL : own[i];
        text[1][i] = i % 70 == 5 ? NULL : shared[(unsigned)i * 2654435761u % SOME];
    }
    for (int j = 0; j < COLUMNS; j++) {
        str_format(name[j], 8, "c%d", j);
        cols[j] = (struct tide_column_in){.name = name[j], .text = text[j % 2]};
    }
    for (int threads = 1; threads <= 2; threads++) {
        tide_frame *f = NULL;
        CHECK_INT(tide_ctx_set_threads(ctx, threads, NULL), TIDE_OK);
        CHECK_INT(tide_frame_new(ctx, ROWS, COLUMNS, cols, &f, NULL), TIDE_OK);
        for (int j = 0; j < COLUMNS; j++) {
            CHECK_INT(f->cols[j].dict.n, j % 2 ? SOME : 23);
            for (uint32_t c = 1; c < f->cols[j].dict.n; c++) {
                size_t n0, n1;
                const char *a = dict_text(&f->cols[j].dict, c - 1, &n0);
                const char *b = dict_text(&f->cols[j].dict, c, &n1);
                int order = memcmp(a, b, n0 < n1 ? n0 : n1);
                CHECK(order < 0 || (order == 0 && n0 < n1));
            }
            for (int i = 0; i < ROWS; i++) {
                int64_t n = tide_frame_text(f, i, j, buf, sizeof buf);
                CHECK_INT(n < 0, !text[j % 2][i]);
                if (n >= 0) CHECK_STR(buf, text[j % 2][i]);
            }
        }
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

TEST(frame_from_memory)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_frame *f = sample(ctx);
    char buf[64];
    CHECK_INT(tide_frame_rows(f), 5);
    for (int j = 0; j < 6; j++) CHECK_INT(tide_frame_missing(f, j), 1);
    CHECK_INT(tide_frame_type(f, 2), TIDE_CAT);
    CHECK_NEAR(tide_frame_number(f, 1, 5), 86400, 0);
    CHECK_NEAR(tide_frame_number(f, 0, 4), 1, 0);
    CHECK(isnan(tide_frame_number(f, 2, 1)));
    CHECK_INT(tide_frame_text(f, 1, 3, buf, 5), 8);
    CHECK_STR(buf, "line");
    CHECK_INT(tide_frame_text(f, 3, 3, buf, sizeof buf), -1);
    tide_frame *again = frame_ref(f);
    tide_frame_free(f);
    CHECK_INT(tide_frame_text(again, 4, 5, buf, sizeof buf), 26);
    CHECK_STR(buf, "1969-12-31T23:59:59.999999");
    tide_error err;
    CHECK_INT(tide_frame_find(again, "wrd", "target", &err), -1);
    CHECK_STR(err.message, "no column 'wrd'");
    CHECK_STR(err.option, "target");
    CHECK_STR(err.value, "word");
    tide_frame_free(again);
    tide_ctx_free(ctx);
}

TEST(frame_refuses_infinities_and_equal_names)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    static const double x[3] = {1, 2, -INFINITY};
    struct tide_column_in cols[2] = {{.name = "x", .f64 = x}, {.name = "x", .f64 = x}};
    tide_frame *f = NULL;
    tide_error err;
    CHECK_INT(tide_frame_new(ctx, 3, 1, cols, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_INFINITE);
    CHECK_INT(err.row, 3);
    CHECK_STR(err.field, "x");
    CHECK_INT(tide_frame_new(ctx, 2, 2, cols, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_CSV_DUPLICATE_NAME);
    CHECK(f == NULL);
    tide_ctx_free(ctx);
}

TEST(csv_written_is_read_back_equal)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_frame *f = sample(ctx), *g = NULL;
    struct str out = {0};
    const char *types[] = {"word=category", "text=text", "n=int"};
    struct tide_read_options o = {.types = {types, 3}};
    tide_error err = {0};
    CHECK_INT(tide_frame_write(ctx, f, 0, append, &out, &err), TIDE_OK);
    CHECK_STR(out.s, "x,n,word,text,flag,when\n"
                     "1.5,1,a,\"\",true,1970-01-01\n"
                     ",2,\"b,c\",\"line\nend\",false,1970-01-02\n"
                     "-0,,,\"say \"\"x\"\"\",,\n"
                     "1e+300,-4,\"NA\",,true,1970-01-01T00:00:00.000001\n"
                     "3,5,a,\xc3\xa9,true,1969-12-31T23:59:59.999999\n");
    CHECK_INT(csv_read_table(ctx, "back", out.s, out.len, &o, 0, &g, &err), TIDE_OK);
    for (int j = 0; g && j < 6; j++) {
        CHECK_INT(tide_frame_type(g, j), tide_frame_type(f, j));
        for (int i = 0; i < 5; i++) {
            char a[64], b[64];
            CHECK_INT(tide_frame_text(f, i, j, a, sizeof a),
                      tide_frame_text(g, i, j, b, sizeof b));
            CHECK_STR(b, a);
        }
    }
    str_clear(&out);
    CHECK_INT(tide_frame_write(ctx, f, 1, append, &out, &err), TIDE_OK);
    CHECK(out.s && strstr(out.s, "\n2,1,a"));
    str_free(&out);
    tide_frame_free(f);
    tide_frame_free(g);
    tide_ctx_free(ctx);
}

TEST(views_select_rows)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_frame *f = sample(ctx);
    const struct column *cols[2] = {&f->cols[1], &f->cols[0]};
    static const int64_t rows[4] = {4, 2, 0, 4};
    struct view v = {.n_rows = 4, .n_cols = 2, .cols = cols, .rows = rows};
    double out[3];
    uint32_t code[4];
    int64_t first;
    view_numbers(&v, 0, 1, 3, out);
    CHECK(isnan(out[0]) && out[1] == 1 && out[2] == 5);
    CHECK_INT(view_missing(&v, 0, &first), 1);
    CHECK_INT(first, 1);
    CHECK_INT(view_missing(&v, 1, &first), 0);
    CHECK_INT(first, -1);
    cols[0] = &f->cols[2];
    view_codes(&v, 0, 0, 4, code);
    CHECK(code[0] == 1 && code[1] == CODE_MISSING && code[2] == 1); /* NA, a, b,c */
    cols[0] = &f->cols[1];
    struct arena a;
    arena_init(&a, ctx);
    double *m = view_matrix(ctx, &v, &a);
    CHECK(m && m[0] == 5 && isnan(m[1]) && m[4] == 3 && m[6] == 1.5);
    arena_free(&a);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

static void check_time(const char *text, int64_t seconds, const char *printed)
{
    int64_t us = 0;
    char out[64];
    CHECK_MSG(time_parse(text, strlen(text), &us) == 0, "\"%s\" is no time", text);
    CHECK_INT(us, seconds * 1000000);
    time_print(out, sizeof out, us);
    CHECK_STR(out, printed);
}

TEST(times_are_parsed_and_printed)
{
    check_time("1970-01-01", 0, "1970-01-01");
    check_time("2000-02-29", 951782400, "2000-02-29");
    check_time("2011-01-01 01:00:00", 1293843600, "2011-01-01T01:00:00");
    check_time("2001-05-25T21:03", 990824580, "2001-05-25T21:03:00");
    check_time("2001-05-25T21:03:00Z", 990824580, "2001-05-25T21:03:00");
    check_time("2001-05-25T23:03:00+02:00", 990824580, "2001-05-25T21:03:00");
    check_time("2001-05-25T20:03:00-0100", 990824580, "2001-05-25T21:03:00");
    check_time("0001-01-01", -62135596800, "0001-01-01");
    check_time("9999-12-31T23:59:59", 253402300799, "9999-12-31T23:59:59");
    static const char *const bad[] = {
        "2024-13-45",           "2023-02-29",         "2024-1-1",   "2024-01-01T24:00",
        "2024-01-01x",          "2024-01-01T10",      "0000-01-01", "20240101",
        "2024-01-01T10:00:00.", "2024-01-01T10:00+1", "",           "1900-02-29"};
    int64_t us;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(time_parse(bad[i], strlen(bad[i]), &us) != 0, "\"%s\" is a time",
                  bad[i]);
    for (int64_t day = -719162; day < 2932896; day += 37) {
        char out[64];
        time_print(out, sizeof out, day * 86400000000);
        CHECK(time_parse(out, strlen(out), &us) == 0 && us == day * 86400000000);
    }
}

TEST(a_date_met_before_is_that_date)
{
    static const char *const text[] = {
        "2001-05-25T21:03", "2001-05-25 00:00:01", "2001-05-26",       "2001-05-25",
        "2001-13-25",       "2001-05-25T99:03",    "2001-05-25T21:04", "2001-05-2"};
    struct time_date last = {0};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        int64_t one = 0, other = 0;
        size_t n = strlen(text[i]);
        CHECK_INT(time_parse_near(text[i], n, &last, &one),
                  time_parse(text[i], n, &other));
        CHECK_INT(one, other);
    }
    int64_t us;
    CHECK(time_parse("\0\0\0\0\0\0\0\0\0\0", 10, &us) != 0);
}
