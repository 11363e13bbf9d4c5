/* frame_parquet.c - the Parquet reader: every cell of the golden files, damage, options, limits */
#define _GNU_SOURCE
#include <errno.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "frame/parquet.h"
#include "support/unit.h"

static tide_ctx *ctx;

static const char *golden(const char *name)
{
    static char path[4096];
    const char *root = getenv("TIDEMILL_ROOT");
    snprintf(path, sizeof path, "%s/tests/golden/%s", root ? root : ".", name);
    return path;
}

static const char *file_of(const char *name)
{
    char file[256];
    snprintf(file, sizeof file, "parquet/%s.parquet", name);
    return golden(file);
}

static void start(void)
{
    if (ctx) return;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
}

static json_t *read_json(void)
{
    void *data = NULL;
    size_t n = 0;
    json_t *all = NULL;
    tide_error err;
    start();
    CHECK_INT(file_slurp(golden("parquet.json"), 1 << 20, &data, &n, &err), TIDE_OK);
    CHECK_INT(
        json_read(data, n, 1 << 20, "parquet.json", TIDE_CODE_TIDE_HEADER, &all, &err),
        TIDE_OK);
    mem_free(data);
    return all;
}

static int same_cell(const struct column *c, int64_t i, const json_t *want)
{
    char text[256];
    double v;
    if (json_is_null(want)) return column_text(c, i, text, sizeof text) == -1;
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return json_is_boolean(want) && c->b[i] == json_is_true(want);
    case TIDE_I64:
    case TIDE_TIME:
        return json_is_integer(want) && c->i64[i] == json_integer_value(want);
    case TIDE_F64:
        v = json_number_value(want);
        return json_is_number(want) && memcmp(&c->f64[i], &v, sizeof v) == 0;
    case TIDE_CAT:
    case TIDE_TEXT:
        break;
    }
    return column_text(c, i, text, sizeof text) == (int64_t)strlen(text) &&
           json_is_string(want) && strcmp(text, json_string_value(want)) == 0;
}

static void compare(const char *what, const tide_frame *f, const json_t *columns)
{
    size_t j, i;
    json_t *col, *cell;
    CHECK_INT(f->n_cols, json_array_size(columns));
    json_array_foreach(columns, j, col)
    {
        const struct column *c = &f->cols[j];
        const char *kind = json_get_str(col, "kind", "");
        const json_t *cells = json_object_get(col, "cells");
        int64_t missing = 0;
        CHECK_STR(c->name, json_get_str(col, "name", ""));
        if (strcmp(kind, "text") != 0) CHECK_STR(tide_type_name(c->type), kind);
        CHECK_INT(f->n_rows, json_array_size(cells));
        json_array_foreach(cells, i, cell)
        {
            missing += json_is_null(cell);
            if (same_cell(c, (int64_t)i, cell)) continue;
            char text[256] = "";
            column_text(c, (int64_t)i, text, sizeof text);
            UNIT_FAIL("%s: row %zu of '%s' is \"%s\"", what, i, c->name, text);
        }
        CHECK_MSG(c->n_missing == missing, "%s: '%s' has %lld missing, not %lld", what,
                  c->name, (long long)c->n_missing, (long long)missing);
    }
}

TEST(parquet_cells_are_those_of_the_writer)
{
    json_t *all = read_json(), *one;
    size_t k;
    CHECK(json_array_size(json_object_get(all, "cases")) > 25);
    json_array_foreach(json_object_get(all, "cases"), k, one)
    {
        const char *name = json_get_str(one, "name", "");
        static const char *const only[] = {"a"};
        struct tide_read_options o = {0};
        tide_frame *f;
        tide_error err;
        if (strcmp(name, "nested") == 0) o.columns = (struct tide_text_list){only, 1};
        tide_status st =
            parquet_read_table(ctx, file_of(name), NULL, 0, &o, 0, &f, &err);
        CHECK_MSG(st == TIDE_OK, "%s: %s", name, err.message);
        if (st != TIDE_OK) continue;
        compare(name, f, json_object_get(one, "columns"));
        tide_frame_free(f);
    }
    json_decref(all);
}

/* ---- columns and types ---- */

static tide_status read_with(const char *name, const struct tide_read_options *o,
                             tide_frame **f, tide_error *err)
{
    start();
    return parquet_read_table(ctx, file_of(name), NULL, 0, o, 0, f, err);
}

TEST(parquet_reads_only_the_columns_that_are_wanted)
{
    static const char *const both[] = {"word,i32"}, *const none[] = {"wort"};
    struct tide_read_options o = {.columns = {both, 1}};
    tide_frame *f;
    tide_error err;
    CHECK_INT(read_with("codec_zstd_1", &o, &f, &err), TIDE_OK);
    CHECK_INT(f->n_cols, 2);
    CHECK_STR(f->cols[0].name, "i32");
    CHECK_STR(f->cols[1].name, "word");
    tide_frame_free(f);
    o.columns = (struct tide_text_list){none, 1};
    CHECK_INT(read_with("codec_zstd_1", &o, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
    CHECK_STR(err.value, "word");
    CHECK_INT(read_with("nested", NULL, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_TYPE);
    CHECK_STR(err.message, "column 'b.list.element' is nested, which is not read");
    CHECK_STR(err.option, "columns");
    CHECK_STR(err.value, "a");
}

TEST(parquet_types_can_be_declared)
{
    static const char *const types[] = {"i32=number", "truth=int", "word=text",
                                        "us=category"};
    static const char *const na[] = {"a"}, *const bad[] = {"word=number"};
    struct tide_read_options o = {.types = {types, 4}, .na = {na, 1}};
    tide_frame *f;
    tide_error err;
    char text[64];
    CHECK_INT(read_with("codec_none_1", &o, &f, &err), TIDE_OK);
    int word = tide_frame_find(f, "word", NULL, NULL);
    CHECK_INT(f->cols[tide_frame_find(f, "i32", NULL, NULL)].type, TIDE_F64);
    CHECK_INT(f->cols[tide_frame_find(f, "truth", NULL, NULL)].type, TIDE_I64);
    CHECK_INT(f->cols[word].type, TIDE_TEXT);
    CHECK_INT(f->cols[tide_frame_find(f, "us", NULL, NULL)].type, TIDE_CAT);
    CHECK_INT(tide_frame_text(f, 1, word, text, sizeof text), -1); /* "a" */
    CHECK_INT(tide_frame_text(f, 0, word, text, sizeof text), 0);
    tide_frame_free(f);
    o = (struct tide_read_options){.types = {bad, 1}};
    CHECK_INT(read_with("codec_none_1", &o, &f, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_TYPE);
    CHECK_INT(err.row, 1);
}

TEST(parquet_texts_become_a_category_or_text_by_the_rule_of_csv)
{
    tide_frame *f;
    tide_error err;
    CHECK_INT(read_with("fallback", NULL, &f, &err), TIDE_OK);
    CHECK_INT(f->cols[tide_frame_find(f, "unique", NULL, NULL)].type, TIDE_TEXT);
    const struct column *c = &f->cols[tide_frame_find(f, "word", NULL, NULL)];
    CHECK_INT(c->type, TIDE_CAT);
    CHECK(c->dict.n <= 6);
    tide_frame_free(f);
}

TEST(parquet_gives_the_same_frame_for_any_threads)
{
    static const char *const names[] = {"groups", "fallback", "pages_2"};
    char a[256], b[256];
    start();
    for (int k = 0; k < 3; k++) {
        tide_frame *f[2];
        for (int t = 0; t < 2; t++) {
            CHECK_INT(tide_ctx_set_threads(ctx, t ? 3 : 1, NULL), TIDE_OK);
            CHECK_INT(read_with(names[k], NULL, &f[t], NULL), TIDE_OK);
        }
        for (int j = 0; j < f[0]->n_cols; j++) {
            const struct column *x = &f[0]->cols[j], *y = &f[1]->cols[j];
            CHECK_INT(x->type, y->type);
            CHECK_INT(x->dict.n, y->dict.n);
            for (int64_t i = 0; i < f[0]->n_rows; i++) {
                CHECK_INT(column_text(x, i, a, sizeof a),
                          column_text(y, i, b, sizeof b));
                CHECK_STR(a, b);
                if (x->type == TIDE_CAT) CHECK_INT(x->code[i], y->code[i]);
            }
        }
        tide_frame_free(f[0]);
        tide_frame_free(f[1]);
    }
}

/* ---- damage ---- */

static void *slurp(const char *name, size_t *n)
{
    void *data = NULL;
    start();
    CHECK_INT(file_slurp(file_of(name), 1 << 20, &data, n, NULL), TIDE_OK);
    return data;
}

static tide_status read_bytes(const void *data, size_t n, tide_error *err)
{
    tide_frame *f;
    tide_status st = parquet_read_table(ctx, NULL, data, n, NULL, 1 << 16, &f, err);
    if (st == TIDE_OK) tide_frame_free(f);
    return st;
}

TEST(parquet_finds_every_truncation)
{
    size_t n;
    char *data = slurp("codec_snappy_2", &n);
    tide_error err;
    CHECK_INT(read_bytes(data, n, &err), TIDE_OK);
    for (size_t cut = 0; cut < n; cut++) {
        char *part = mem_alloc(cut); /* its end is watched by AddressSanitizer */
        if (cut) memcpy(part, data, cut);
        CHECK_INT(read_bytes(part, cut, &err), TIDE_EDATA);
        CHECK_INT(err.code, TIDE_CODE_PARQUET_DAMAGED);
        mem_free(part);
    }
    mem_free(data);
}

TEST(parquet_survives_every_changed_byte)
{
    static const char *const names[] = {"codec_none_1", "delta_2", "fallback",
                                        "split_1",      "int96",   "groups",
                                        "codec_lz4_2"};
    static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x10};
    int64_t live = 0;
    for (int k = 0; k < 7; k++) {
        size_t n;
        uint8_t *data = slurp(names[k], &n);
        live = alloc_live();
        for (size_t i = 0; i < n; i += 1 + n / 1500)
            for (int b = 0; b < 4; b++) {
                tide_error err = {0};
                data[i] ^= flips[b];
                tide_status st = read_bytes(data, n, &err);
                if (st != TIDE_OK) CHECK(err.message[0] && err.status == st);
                data[i] ^= flips[b];
            }
        CHECK_INT(alloc_live(), live);
        mem_free(data);
    }
}

TEST(parquet_refuses_rows_that_the_file_is_too_small_for)
{
    size_t n;
    uint8_t *data = slurp("codec_none_1", &n);
    tide_error err;
    tide_frame *f;
    CHECK_INT(parquet_read_table(ctx, NULL, data, n, NULL, 1, &f, &err), TIDE_OK);
    tide_frame_free(f);
    /* a page that tells the checksum wrong */
    int hit = 0;
    for (size_t i = 4; i < 200 && !hit; i++) {
        data[i] ^= 0x40;
        if (read_bytes(data, n, &err) != TIDE_OK)
            hit = strstr(err.message, "checksum") != NULL;
        data[i] ^= 0x40;
    }
    CHECK(hit);
    mem_free(data);
}

TEST(parquet_survives_every_failing_call)
{
    static const char *const names[] = {"fallback", "codec_gzip_1", "types_dictionary"};
    tide_error err;
    tide_frame *f;
    start();
    CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), TIDE_OK);
    for (int n = 0; n < 3; n++) {
        CHECK_INT(read_with(names[n], NULL, &f, &err), TIDE_OK);
        tide_frame_free(f);
        int64_t live = alloc_live();
        for (int k = 1; k < 5000; k++) {
            alloc_fault_set(k, 0);
            tide_status st = read_with(names[n], NULL, &f, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(st == (hit ? TIDE_ENOMEM : TIDE_OK), "%s, call %d: %d", names[n],
                      k, st);
            if (st == TIDE_OK) tide_frame_free(f);
            CHECK_INT(alloc_live(), live);
            if (!hit) break;
        }
        for (int k = 1; k < 300; k++) {
            file_fault_set(k, 0, EIO);
            tide_status st = read_with(names[n], NULL, &f, &err);
            int hit = file_fault_hit();
            file_fault_set(0, 0, 0);
            if (st == TIDE_OK) tide_frame_free(f);
            CHECK(st == TIDE_OK || err.code == TIDE_CODE_FILE_ERROR);
            if (!hit) break;
        }
    }
}

/* ---- encodings by themselves ---- */

TEST(parquet_runs_hold_packed_groups_and_repeats)
{
    /* the example of the format: 0..7 in 3 bits, then six times 5 */
    static const uint8_t bytes[] = {3, 0x88, 0xc6, 0xfa, 12, 5};
    uint32_t out[14];
    CHECK_INT(pq_rle(bytes, sizeof bytes, 3, 14, out), 0);
    for (uint32_t i = 0; i < 8; i++) CHECK_INT(out[i], i);
    for (int i = 8; i < 14; i++) CHECK_INT(out[i], 5);
    CHECK_INT(pq_rle(bytes, sizeof bytes, 3, 15, out), -1);
    CHECK_INT(pq_rle(bytes, 3, 3, 8, out), -1);
    CHECK_INT(pq_rle(bytes, 0, 0, 14, out), 0);
    CHECK_INT(out[13], 0);
}

TEST(parquet_runs_of_every_width)
{
    for (int width = 1; width <= 32; width++) {
        uint8_t bytes[1 + 32 * 5] = {5 << 1 | 1};
        uint32_t want[40], out[40], x = 12345;
        uint32_t mask = width == 32 ? UINT32_MAX : (1u << width) - 1;
        for (int i = 0; i < 40; i++) {
            x = x * 1664525u + 1013904223u;
            want[i] = x & mask;
            for (int b = 0; b < width; b++)
                bytes[1 + (i * width + b) / 8] |=
                    (uint8_t)((want[i] >> b & 1) << (i * width + b) % 8);
        }
        for (int n = 33; n <= 40; n++) {
            CHECK_INT(pq_rle(bytes, 1 + (size_t)width * 5, width, n, out), 0);
            CHECK(memcmp(out, want, (size_t)n * sizeof *out) == 0);
        }
    }
}

TEST(parquet_deltas_wrap_and_are_counted)
{
    /* 128 a block, 4 miniblocks, 3 values from 7: deltas -2, +100 */
    static const uint8_t head[] = {0x80, 0x01, 4, 3, 14, 3, 7, 0, 0, 0};
    uint8_t bytes[sizeof head + 28] = {0};
    int64_t out[3];
    size_t used;
    memcpy(bytes, head, sizeof head);
    bytes[sizeof head] = 0;     /* -2 - -2 */
    bytes[sizeof head] |= 0x80; /* 102 in 7 bits from bit 7 */
    bytes[sizeof head] = (uint8_t)(102u << 7 & 255);
    bytes[sizeof head + 1] = (uint8_t)(102u << 7 >> 8);
    CHECK_INT(pq_delta(bytes, sizeof bytes, 3, out, &used), 0);
    CHECK_INT(out[0], 7);
    CHECK_INT(out[1], 5);
    CHECK_INT(out[2], 105);
    CHECK_INT(used, sizeof bytes);
    CHECK_INT(pq_delta(bytes, sizeof bytes - 1, 3, out, &used), -1);
    CHECK_INT(pq_delta(bytes, sizeof bytes, 2, out, &used), -1);
}
