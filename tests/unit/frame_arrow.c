/* frame_arrow.c - Arrow streams in and out: types, slices, batches, what is kept, what is refused */
#include <errno.h>

#include <tidemill/arrow.h>

#include "base/alloc.h"
#include "frame/frame.h"
#include "support/unit.h"

static tide_ctx *ctx;

static void start(void)
{
    if (ctx) return;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
}

/* ---- a producer: columns of static buffers; releases are counted ---- */

enum { MOST_COLS = 4, MOST_BATCHES = 3 };
struct given {
    const char *name, *format, *levels_format;
    struct {
        int64_t n, offset, nulls;
        const void *buffer[5];
        int n_buffers;
        int64_t n_levels;
        const void *levels[3];
    } at[MOST_BATCHES];
};
struct producer {
    const struct given *cols;
    int n_cols, n_batches, next;
    int64_t outer_offset, outer_length;
    const uint8_t *outer_valid;
    const char *fails; /* at the last batch */
};
static int live; /* arrays and schemas not yet released */

static void drop_schema(struct ArrowSchema *s)
{
    for (int64_t j = 0; j < s->n_children; j++) s->children[j]->release(s->children[j]);
    for (int64_t j = 0; j < s->n_children; j++) free(s->children[j]);
    free(s->children);
    free(s->dictionary);
    s->release = NULL;
    live--;
}

static void drop_array(struct ArrowArray *a)
{
    for (int64_t j = 0; j < a->n_children; j++) a->children[j]->release(a->children[j]);
    for (int64_t j = 0; j < a->n_children; j++) free(a->children[j]);
    free(a->children);
    free(a->dictionary);
    free(a->private_data);
    a->release = NULL;
    live--;
}

static int give_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const struct producer *p = stream->private_data;
    *out = (struct ArrowSchema){.format = "+s", .name = "", .release = drop_schema};
    out->n_children = p->n_cols;
    out->children = calloc((size_t)p->n_cols + 1, sizeof(void *));
    live++;
    for (int j = 0; j < p->n_cols; j++) {
        struct ArrowSchema *s = out->children[j] = calloc(1, sizeof *s);
        *s = (struct ArrowSchema){.format = p->cols[j].format,
                                  .name = p->cols[j].name,
                                  .flags = ARROW_FLAG_NULLABLE,
                                  .release = drop_schema};
        live++;
        if (!p->cols[j].levels_format) continue;
        s->dictionary = calloc(1, sizeof *s);
        *s->dictionary =
            (struct ArrowSchema){.format = p->cols[j].levels_format, .name = ""};
    }
    return 0;
}

static void give_column(const struct given *g, int b, struct ArrowArray *a)
{
    const void **buffers = calloc(16, sizeof *buffers);
    int n = g->at[b].n_buffers ? g->at[b].n_buffers : 2;
    for (int k = 0; k < 5; k++) buffers[k] = g->at[b].buffer[k];
    for (int k = 0; k < 3; k++) buffers[8 + k] = g->at[b].levels[k];
    *a = (struct ArrowArray){.length = g->at[b].n,
                             .offset = g->at[b].offset,
                             .null_count = g->at[b].nulls,
                             .n_buffers = n,
                             .buffers = buffers,
                             .release = drop_array,
                             .private_data = buffers};
    live++;
    if (!g->levels_format) return;
    a->dictionary = calloc(1, sizeof *a);
    *a->dictionary = (struct ArrowArray){
        .length = g->at[b].n_levels, .n_buffers = 3, .buffers = buffers + 8};
}

static int give_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct producer *p = stream->private_data;
    static const void *buffers[1];
    *out = (struct ArrowArray){0};
    if (p->fails && p->next == p->n_batches) return EIO;
    if (p->next == p->n_batches) return 0;
    int b = p->next++;
    buffers[0] = p->outer_valid;
    *out = (struct ArrowArray){.length = p->n_cols ? p->cols[0].at[b].n : 0,
                               .n_buffers = 1,
                               .n_children = p->n_cols,
                               .null_count = p->outer_valid ? -1 : 0,
                               .buffers = buffers,
                               .release = drop_array};
    if (p->outer_length) {
        out->length = p->outer_length;
        out->offset = p->outer_offset;
    }
    out->children = calloc((size_t)p->n_cols + 1, sizeof(void *));
    live++;
    for (int j = 0; j < p->n_cols; j++) {
        out->children[j] = calloc(1, sizeof(struct ArrowArray));
        give_column(&p->cols[j], b, out->children[j]);
    }
    return 0;
}

static const char *give_error(struct ArrowArrayStream *stream)
{
    const struct producer *p = stream->private_data;
    return p->fails;
}

static void drop_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
    live--;
}

static tide_status take(struct producer *p, const struct tide_read_options *o,
                        tide_frame **f, tide_error *err)
{
    struct ArrowArrayStream s = {give_schema, give_next, give_error, drop_stream, p};
    start();
    live++;
    p->next = 0;
    tide_status st = tide_frame_from_arrow_stream(ctx, &s, o, f, err);
    CHECK(s.release == NULL);
    if (st != TIDE_OK) CHECK_INT(live, 0);
    return st;
}

/* One column of one batch. */
static tide_status take_one(const struct given *g, tide_frame **f, tide_error *err)
{
    struct producer p = {.cols = g, .n_cols = 1, .n_batches = 1};
    return take(&p, NULL, f, err);
}

static void check_cells(const tide_frame *f, int j, int n, const char *const *want)
{
    CHECK_INT(f->n_rows, n);
    for (int i = 0; i < n && i < f->n_rows; i++) {
        char text[80] = "";
        int64_t len = tide_frame_text(f, i, j, text, sizeof text);
        if (!want[i])
            CHECK_MSG(len == -1, "row %d is \"%s\", not missing", i, text);
        else
            CHECK_STR(len < 0 ? "(missing)" : text, want[i]);
    }
}

/* ---- types ---- */

static void check_type(const char *format, const void *data, int n, enum tide_type type,
                       const char *const *want)
{
    /* seen through a slice that leaves out the first value */
    struct given g = {
        "x", format, NULL, {{.n = n - 1, .offset = 1, .buffer = {NULL, data}}}};
    tide_frame *f;
    tide_error err;
    tide_status st = take_one(&g, &f, &err);
    CHECK_MSG(st == TIDE_OK, "%s: %s", format, err.message);
    if (st != TIDE_OK) return;
    CHECK_INT(f->cols[0].type, type);
    check_cells(f, 0, n - 1, want + 1);
    tide_frame_free(f);
    CHECK_INT(live, 0);
}

TEST(arrow_numbers_of_every_width)
{
    static const char *const small[] = {"0", "-1", "5"}, *const big[] = {"0", "255",
                                                                         "5"};
    check_type("c", (int8_t[]){0, -1, 5}, 3, TIDE_I64, small);
    check_type("C", (uint8_t[]){0, 255, 5}, 3, TIDE_I64, big);
    check_type("s", (int16_t[]){0, -1, 5}, 3, TIDE_I64, small);
    check_type("S", (uint16_t[]){0, 255, 5}, 3, TIDE_I64, big);
    check_type("i", (int32_t[]){0, -1, 5}, 3, TIDE_I64, small);
    check_type("I", (uint32_t[]){0, UINT32_MAX, 5}, 3, TIDE_I64,
               (const char *const[]){"", "4294967295", "5"});
    check_type("l", (int64_t[]){0, -1, 5}, 3, TIDE_I64, small);
    check_type("L", (uint64_t[]){0, 255, 5}, 3, TIDE_I64, big);
    check_type("e", (uint16_t[]){0, 0x3c00, 0x0001, 0x7e00, 0xc500}, 5, TIDE_F64,
               (const char *const[]){"", "1", "5.960464477539063e-08", NULL, "-5"});
    check_type("f", (float[]){0, 0.5f, -2.25f}, 3, TIDE_F64,
               (const char *const[]){"", "0.5", "-2.25"});
    check_type("g", (double[]){0, 0.1, NAN}, 3, TIDE_F64,
               (const char *const[]){"", "0.1", NULL});
    check_type("b", (uint8_t[]){0x0d}, 5, TIDE_BOOL,
               (const char *const[]){"", "false", "true", "true", "false"});
    check_type("n", NULL, 3, TIDE_F64, (const char *const[]){NULL, NULL, NULL});
    check_type("d:5,2,32", (int32_t[]){0, -12345, 7}, 3, TIDE_F64,
               (const char *const[]){"", "-123.45", "0.07"});
    check_type("d:38,3", (int64_t[]){0, 0, -1500, -1, 0, 1}, 3, TIDE_F64,
               (const char *const[]){"", "-1.5", "1.844674407370955e+16"});
}

TEST(arrow_times_of_every_unit)
{
    static const char *const want[] = {"", "1970-01-02", "1969-12-31"};
    check_type("tdD", (int32_t[]){0, 1, -1}, 3, TIDE_TIME, want);
    check_type("tdm", (int64_t[]){0, 86400000, -86400000}, 3, TIDE_TIME, want);
    check_type("tss:", (int64_t[]){0, 86400, -86400}, 3, TIDE_TIME, want);
    check_type("tsm:UTC", (int64_t[]){0, 86400000, -86400000}, 3, TIDE_TIME, want);
    check_type("tsu:", (int64_t[]){0, 86400000000, -86400000000}, 3, TIDE_TIME, want);
    check_type("tsn:Asia/Tokyo", (int64_t[]){0, 86400000000000, -86400000000000}, 3,
               TIDE_TIME, want);
    check_type("ttm", (int32_t[]){0, 1500, 2}, 3, TIDE_F64,
               (const char *const[]){"", "1.5", "0.002"});
    check_type("tDs", (int64_t[]){0, 90, -1}, 3, TIDE_F64,
               (const char *const[]){"", "90", "-1"});
}

TEST(arrow_texts_in_three_layouts)
{
    static const char *const want[] = {
        "ab", NULL, "", "ab", "ab", "\xc3\xa5ngstr\xc3\xb6m units",
        "ab", "ab", "", "",   "ab", "ab"};
    static const char bytes[] = "abab"
                                "ab"
                                "\xc3\xa5ngstr\xc3\xb6m units"
                                "abababab";
    static const int32_t at[] = {0, 2, 2, 2, 4, 6, 22, 24, 26, 26, 26, 28, 30};
    static const uint8_t valid[] = {0xfd, 0x0f};
    int64_t wide[13];
    uint8_t view[12][16] = {{0}};
    int64_t size[1] = {sizeof bytes - 1};
    for (int i = 0; i < 13; i++) wide[i] = at[i];
    for (int i = 0; i < 12; i++) {
        int32_t len = at[i + 1] - at[i], index = 0;
        memcpy(view[i], &len, 4);
        memcpy(view[i] + 4, bytes + at[i], len > 12 ? 4 : (size_t)len);
        if (len > 12) {
            memcpy(view[i] + 8, &index, 4);
            memcpy(view[i] + 12, &at[i], 4);
        }
    }
    const struct given g[] = {
        {"x", "u", NULL, {{12, 0, 1, {valid, at, bytes}, 3, 0, {0}}}},
        {"y", "U", NULL, {{12, 0, -1, {valid, wide, bytes}, 3, 0, {0}}}},
        {"z", "vu", NULL, {{12, 0, 1, {valid, view, bytes, size}, 4, 0, {0}}}}};
    struct producer p = {.cols = g, .n_cols = 3, .n_batches = 1};
    tide_frame *f;
    tide_error err;
    CHECK_INT(take(&p, NULL, &f, &err), TIDE_OK);
    for (int j = 0; j < 3; j++) {
        CHECK_INT(f->cols[j].type, TIDE_CAT);
        CHECK_INT(f->cols[j].dict.n, 3);
        CHECK_INT(f->cols[j].n_missing, 1);
        check_cells(f, j, 12, want);
    }
    tide_frame_free(f);
    static const char *const types[] = {"x=text", "y=text", "z=text"};
    struct tide_read_options o = {.types = {types, 3}};
    CHECK_INT(take(&p, &o, &f, &err), TIDE_OK);
    for (int j = 0; j < 3; j++) {
        CHECK_INT(f->cols[j].type, TIDE_TEXT);
        check_cells(f, j, 12, want);
    }
    tide_frame_free(f);
    CHECK_INT(live, 0);
}

TEST(arrow_batches_may_have_other_dictionaries_and_missing_rows)
{
    static const int32_t ab[] = {0, 1, 3}, cb[] = {0, 3, 4, 5};
    static const int8_t one[] = {1, 0, 1, 9}, two[] = {2, 0, 1};
    static const uint8_t valid[] = {0x07}, outer[] = {0x05};
    const struct given g = {"x",
                            "c",
                            "u",
                            {{4, 0, 1, {valid, one}, 2, 2, {NULL, ab, "axy"}},
                             {3, 0, 0, {NULL, two}, 2, 3, {NULL, cb, "cccxa"}}}};
    struct producer p = {.cols = &g, .n_cols = 1, .n_batches = 2};
    tide_frame *f;
    tide_error err;
    CHECK_INT(take(&p, NULL, &f, &err), TIDE_OK);
    check_cells(f, 0, 7, (const char *const[]){"xy", "a", "xy", NULL, "a", "ccc", "x"});
    CHECK_INT(f->cols[0].dict.n, 4);
    tide_frame_free(f);
    p.n_batches = 1;
    p.outer_valid = outer; /* rows 0 and 2 of the struct are there */
    p.outer_offset = 1;
    p.outer_length = 3;
    CHECK_INT(take(&p, NULL, &f, &err), TIDE_OK);
    check_cells(f, 0, 3, (const char *const[]){NULL, "xy", NULL});
    tide_frame_free(f);
    CHECK_INT(live, 0);
}

TEST(arrow_dictionaries_of_numbers_are_categories)
{
    static const int64_t levels[] = {30, 4};
    static const uint32_t index[] = {1, 0, 1};
    const struct given g = {
        "x", "I", "l", {{3, 0, 0, {NULL, index}, 2, 2, {NULL, levels}}}};
    tide_frame *f;
    CHECK_INT(take_one(&g, &f, NULL), TIDE_OK);
    CHECK_INT(f->cols[0].type, TIDE_CAT);
    check_cells(f, 0, 3, (const char *const[]){"4", "30", "4"});
    CHECK(f->cols[0].code == index); /* kept */
    tide_frame_free(f);
    CHECK_INT(live, 0);
}

TEST(arrow_keeps_what_needs_no_change)
{
    static const double x[] = {1, 2, 3};
    static const int64_t y[] = {4, 5, 6}, at[] = {0, 1, 2, 3};
    static const char text[] = "abc";
    const struct given g[] = {
        {"x", "g", NULL, {{2, 1, 0, {NULL, x}, 2, 0, {0}}}},
        {"y", "l", NULL, {{2, 1, 0, {NULL, y}, 2, 0, {0}}}},
        {"t", "tsu:", NULL, {{2, 1, 0, {NULL, y}, 2, 0, {0}}}},
        {"s", "U", NULL, {{2, 1, 0, {NULL, at, text}, 3, 0, {0}}}}};
    struct producer p = {.cols = g, .n_cols = 4, .n_batches = 1};
    tide_frame *f;
    CHECK_INT(take(&p, NULL, &f, NULL), TIDE_OK);
    CHECK(f->cols[0].f64 == x + 1);
    CHECK(f->cols[1].i64 == y + 1);
    CHECK(f->cols[2].i64 == y + 1);
    CHECK(f->cols[3].type == TIDE_TEXT && f->cols[3].text_at == at + 1);
    check_cells(f, 3, 2, (const char *const[]){"b", "c"});
    CHECK(live > 0);
    tide_frame_free(f);
    CHECK_INT(live, 0);
}

/* ---- refused ---- */

static void check_refused(const char *format, const void *data, tide_code code,
                          int64_t row, const char *words)
{
    struct given g = {
        "x", format, NULL, {{.n = 2, .buffer = {NULL, data, "\xff"}, .n_buffers = 3}}};
    tide_frame *f;
    tide_error err = {0};
    CHECK(take_one(&g, &f, &err) != TIDE_OK);
    CHECK_STR(tide_code_name(err.code), tide_code_name(code));
    CHECK_INT(err.row, row);
    CHECK_MSG(strstr(err.message, words) != NULL, "\"%s\" is not in: %s", words,
              err.message);
}

TEST(arrow_refuses_what_no_column_holds)
{
    check_refused("L", (uint64_t[]){1, UINT64_MAX}, TIDE_CODE_DATA_RANGE, 2,
                  "int column");
    check_refused("l", (int64_t[]){INT64_MIN, 1}, TIDE_CODE_DATA_RANGE, 1,
                  "int column");
    check_refused("tss:", (int64_t[]){1, INT64_MAX / 2}, TIDE_CODE_DATA_RANGE, 2,
                  "time");
    check_refused("g", (double[]){1, INFINITY}, TIDE_CODE_DATA_INFINITE, 2, "infinite");
    check_refused("u", (int32_t[]){0, 0, 1}, TIDE_CODE_CSV_ENCODING, 2, "UTF-8");
    check_refused("u", (int32_t[]){0, 1, 0}, TIDE_CODE_CSV_ENCODING, 1, "UTF-8");
    check_refused("u", (int32_t[]){1, 1, 0}, TIDE_CODE_ARROW_STREAM, 2, "offsets");
    check_refused("+l", (int32_t[]){0, 0, 0}, TIDE_CODE_DATA_TYPE, 0, "\"+l\"");
    check_refused("w:4", "12345678", TIDE_CODE_DATA_TYPE, 0, "\"w:4\"");
    check_refused("", "12345678", TIDE_CODE_DATA_TYPE, 0, "not read");
    const struct given g = {"x", "i", NULL, {{.n = 2, .buffer = {NULL, "12345678"}}}};
    struct producer p = {
        .cols = &g, .n_cols = 1, .n_batches = 1, .fails = "disk\non fire"};
    tide_frame *f;
    tide_error err;
    CHECK_INT(take(&p, NULL, &f, &err), TIDE_EDATA);
    CHECK_STR(err.message, "the stream has no next batch: \"disk\\non fire\"");
    static const char *const types[] = {"x=number"};
    struct tide_read_options o = {.types = {types, 1}};
    struct given u = {
        "x", "L", NULL, {{.n = 2, .buffer = {NULL, (uint64_t[]){1, UINT64_MAX}}}}};
    p = (struct producer){.cols = &u, .n_cols = 1, .n_batches = 1};
    CHECK_INT(take(&p, &o, &f, &err), TIDE_OK);
    check_cells(f, 0, 2, (const char *const[]){"1", "1.8446744073709552e+19"});
    tide_frame_free(f);
}

/* ---- there and back ---- */

static tide_frame *mixed_frame(int64_t n)
{
    double *x = calloc((size_t)n + 1, sizeof *x), *b = calloc((size_t)n + 1, sizeof *b);
    int64_t *k = calloc((size_t)n + 1, sizeof *k);
    const char **s = calloc((size_t)n + 1, sizeof *s);
    static const char *const words[] = {"", "a", "long word", "\xc3\xb6"};
    tide_frame *f = NULL;
    for (int64_t i = 0; i < n; i++) {
        x[i] = i % 7 == 3 ? (double)NAN : (double)i / 3;
        b[i] = i % 5 == 1 ? (double)NAN : (double)(i % 2);
        k[i] = i % 11 == 4 ? INT64_MIN : i * 1234567 - 99;
        s[i] = i % 6 == 2 ? NULL : words[i % 4];
    }
    const struct tide_column_in cols[] = {{"x", .f64 = x},
                                          {"k", .i64 = k},
                                          {"b", .f64 = b, .type = TIDE_BOOL},
                                          {"t", .i64 = k, .type = TIDE_TIME},
                                          {"c", .text = s},
                                          {"s", .text = s, .type = TIDE_TEXT},
                                          {"full", .f64 = b, .type = TIDE_F64}};
    CHECK_INT(tide_frame_new(ctx, n, 7, cols, &f, NULL), TIDE_OK);
    free(x);
    free(b);
    free(k);
    free((void *)s);
    return f;
}

TEST(arrow_gives_back_the_frame_it_was_given)
{
    start();
    for (int64_t n = 0; n <= 200; n += n < 9 ? 1 : 37) {
        static const char *const types[] = {"s=text", "c=category"};
        struct tide_read_options o = {.types = {types, 2}};
        tide_frame *f = mixed_frame(n), *g = NULL;
        struct ArrowArrayStream s;
        tide_error err = {0};
        char a[64], b[64];
        CHECK_INT(tide_frame_to_arrow_stream(f, &s, NULL), TIDE_OK);
        tide_frame_free(f); /* the stream keeps it */
        CHECK_INT(tide_frame_from_arrow_stream(ctx, &s, &o, &g, &err), TIDE_OK);
        CHECK_STR(err.message, "");
        f = mixed_frame(n);
        CHECK_INT(g->n_rows, n);
        CHECK_INT(g->n_cols, f->n_cols);
        for (int j = 0; j < f->n_cols; j++) {
            CHECK_STR(g->cols[j].name, f->cols[j].name);
            CHECK_INT(g->cols[j].type, f->cols[j].type);
            CHECK_INT(g->cols[j].n_missing, f->cols[j].n_missing);
            for (int64_t i = 0; i < n; i++) {
                CHECK_INT(tide_frame_text(g, i, j, a, sizeof a),
                          tide_frame_text(f, i, j, b, sizeof b));
                CHECK_STR(a, b);
            }
        }
        tide_frame_free(f);
        tide_frame_free(g);
    }
}

TEST(arrow_arrays_outlive_stream_and_frame)
{
    start();
    tide_frame *f = mixed_frame(100);
    const double *x = f->cols[0].f64;
    struct ArrowArrayStream s;
    struct ArrowArray a, child;
    CHECK_INT(tide_frame_to_arrow_stream(f, &s, NULL), TIDE_OK);
    tide_frame_free(f);
    CHECK_INT(s.get_next(&s, &a), 0);
    s.release(&s);
    child = *a.children[0]; /* moved out, as the interface allows */
    a.children[0]->release = NULL;
    a.release(&a);
    CHECK(child.buffers[1] == x); /* not copied */
    CHECK_INT(child.null_count, 14);
    CHECK(((const double *)child.buffers[1])[4] > 1.3);
    CHECK_INT(((const uint8_t *)child.buffers[0])[0], 0xf7);
    child.release(&child);
    CHECK(child.release == NULL);
}

TEST(arrow_survives_every_failing_call)
{
    start();
    CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), TIDE_OK);
    tide_frame *f = mixed_frame(150), *g;
    int64_t before = alloc_live();
    for (int k = 1; k < 1000; k++) {
        struct ArrowArrayStream s;
        tide_error err;
        alloc_fault_set(k, 0);
        tide_status st = tide_frame_to_arrow_stream(f, &s, &err);
        if (st == TIDE_OK) st = tide_frame_from_arrow_stream(ctx, &s, NULL, &g, &err);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        /* to the consumer, memory that the producer lacks is the stream's error */
        CHECK(hit ? st == TIDE_ENOMEM ||
                        (st == TIDE_EDATA && strstr(err.message, "memory"))
                  : st == TIDE_OK);
        if (st == TIDE_OK) tide_frame_free(g);
        CHECK_INT(alloc_live(), before);
        if (!hit) break;
    }
    tide_frame_free(f);
}
