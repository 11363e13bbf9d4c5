/* frame_parquet_write.c - Parquet and compressed streams that are written: the reader finds every
 * cell, type, missing value and level again; failures of memory and sinks are clean errors */
#define _GNU_SOURCE
#include <float.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/codec_out.h"
#include "frame/parquet_put.h"
#include "support/formats.h"
#include "support/unit.h"

static tide_ctx *ctx;

static void start(void)
{
    if (ctx) return;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
}

/* ---- runs ---- */

TEST(runs_are_read_as_they_were_written)
{
    static uint32_t v[3000], back[3000];
    uint32_t state = 7;
    for (int width = 0; width <= 32; width++)
        for (int64_t n = 0; n < 3000; n = n < 40 ? n + 1 : n * 3) {
            struct str t = {0};
            uint32_t last = 0;
            for (int64_t i = 0; i < n; i++) {
                state = state * 1664525u + 1013904223u;
                if ((state >> 24) % 32 < (width & 1 ? 2 : 20)) last = state >> 3;
                v[i] = width == 32 ? last : width == 0 ? 0 : last & ((1u << width) - 1);
            }
            pq_put_runs(&t, v, n, width);
            int r = pq_rle((const uint8_t *)t.s, t.len, width, n, back);
            CHECK_MSG(r == 0 && memcmp(v, back, (size_t)n * sizeof *v) == 0,
                      "width %d, %lld numbers", width, (long long)n);
            str_free(&t);
        }
}

/* ---- a table of everything ---- */

enum { N_COLS = 9 };

static void add_words(struct column *c, struct arena *a, int64_t n)
{
    static const char *const words[] = {"", "a", "\xc3\x96k\xc3\xb6", "unused",
                                        "a longer word than twelve bytes"};
    uint32_t *at = arena_array(a, 6, sizeof *at), *code = arena_array(a, n + 1, 4);
    char *bytes = arena_push(a, 128);
    at[0] = 0;
    for (uint32_t k = 0; k < 5; k++) {
        size_t len = strlen(words[k]);
        memcpy(bytes + at[k], words[k], len);
        at[k + 1] = at[k] + (uint32_t)len;
    }
    for (int64_t i = 0; i < n; i++)
        code[i] = i % 7 == 5       ? CODE_MISSING
                  : i / 100 % 2    ? 1
                  : i * 7 % 5 == 3 ? 4
                                   : (uint32_t)(i * 7 % 5);
    *c = (struct column){.name = "word", .type = TIDE_CAT, .n_rows = n, .code = code};
    c->dict = (struct dict){5, at, bytes};
}

static void add_free_text(struct column *c, struct arena *a, int64_t n, int64_t longest)
{
    int64_t *at = arena_array(a, n + 1, sizeof *at), bytes = 0;
    uint8_t *missing = arena_zero(a, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++) {
        at[i] = bytes;
        missing[i] = i % 11 == 4;
        if (!missing[i]) bytes += i == n / 2 ? longest : 8 + i % 5;
    }
    at[n] = bytes;
    char *text = arena_push(a, (size_t)bytes + 32);
    for (int64_t i = 0; i < n; i++) {
        int64_t len = at[i + 1] - at[i];
        if (len) memset(text + at[i], 'a' + (int)(i % 26), (size_t)len);
        for (int k = 0; len && k < 8; k++) /* all different */
            text[at[i] + k] = (char)('A' + (i >> 4 * k & 15));
    }
    c->type = TIDE_TEXT;
    c->text_at = at;
    c->text = text;
    c->text_missing = missing;
}

static tide_frame *everything(int64_t n, int64_t longest)
{
    static const char *const names[N_COLS] = {"number", "full", "int",  "bool", "time",
                                              "word",   "text", "none", "a.b c"};
    tide_frame *f = NULL;
    start();
    CHECK_INT(frame_begin(ctx, n, N_COLS, &f, NULL), TIDE_OK);
    struct arena *a = &f->arena;
    double *number = arena_array(a, n + 1, 8), *full = arena_array(a, n + 1, 8),
           *none = arena_array(a, n + 1, 8);
    int64_t *whole = arena_array(a, n + 1, 8), *time = arena_array(a, n + 1, 8);
    uint8_t *b = arena_push(a, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++) {
        number[i] = i % 5 == 3 ? (double)NAN : i % 3 ? (double)i * -0.1 : -0.0;
        full[i] = i == 0 ? DBL_MAX : i == 1 ? -5e-324 : (double)(i % 9);
        whole[i] = i % 6 == 1 ? I64_MISSING : i == 2 ? INT64_MAX : i * i - 100;
        time[i] = i % 8 == 7 ? I64_MISSING : (i - 5) * INT64_C(987654321987);
        b[i] = i % 9 == 8 ? BOOL_MISSING : i % 2 == 0;
        none[i] = NAN;
    }
    for (int j = 0; j < N_COLS; j++) f->cols[j].type = TIDE_F64;
    f->cols[0].f64 = number;
    f->cols[1].f64 = full;
    f->cols[2].type = TIDE_I64;
    f->cols[2].i64 = whole;
    f->cols[3].type = TIDE_BOOL;
    f->cols[3].b = b;
    f->cols[4].type = TIDE_TIME;
    f->cols[4].i64 = time;
    add_words(&f->cols[5], a, n);
    add_free_text(&f->cols[6], a, n, longest);
    f->cols[7].f64 = none;
    f->cols[8].f64 = full;
    for (int j = 0; j < N_COLS; j++) {
        f->cols[j].name = names[j];
        f->cols[j].n_rows = n;
    }
    CHECK_INT(frame_seal(f, NULL), TIDE_OK);
    return f;
}

static tide_status written(const tide_frame *f, const char *compression, struct str *t,
                           tide_error *err)
{
    struct tide_write_options o = {.format = "parquet", .compression = compression};
    str_clear(t);
    return tide_frame_save(ctx, f, &o, format_sink, t, err);
}

/* Bit by bit, dictionaries with the order of their levels. */
static void same_columns(const tide_frame *a, const tide_frame *b)
{
    for (int j = 0; j < a->n_cols; j++) {
        const struct column *x = &a->cols[j], *y = &b->cols[j];
        size_t n = (size_t)a->n_rows;
        CHECK_STR(y->name, x->name);
        CHECK_STR(tide_type_name((enum tide_type)y->type),
                  tide_type_name((enum tide_type)x->type));
        CHECK_INT(y->n_missing, x->n_missing);
        if (x->type != y->type) continue;
        if (x->type == TIDE_F64)
            for (size_t i = 0; i < n; i++)
                CHECK_MSG(memcmp(&x->f64[i], &y->f64[i], 8) == 0 ||
                              (isnan(x->f64[i]) && isnan(y->f64[i])),
                          "row %zu of '%s'", i, x->name);
        if (x->type == TIDE_I64 || x->type == TIDE_TIME)
            CHECK_MSG(memcmp(x->i64, y->i64, 8 * n) == 0, "'%s'", x->name);
        if (x->type == TIDE_BOOL)
            CHECK_MSG(memcmp(x->b, y->b, n) == 0, "'%s'", x->name);
        if (x->type == TIDE_CAT && n > 0) { /* no group, no dictionary */
            CHECK_MSG(memcmp(x->code, y->code, 4 * n) == 0, "'%s'", x->name);
            CHECK_INT(y->dict.n, x->dict.n);
            CHECK_MSG(memcmp(x->dict.offset, y->dict.offset, 4 * x->dict.n + 4) == 0 &&
                          memcmp(x->dict.bytes, y->dict.bytes,
                                 x->dict.offset[x->dict.n]) == 0,
                      "levels of '%s'", x->name);
        }
        for (int64_t i = 0; x->type == TIDE_TEXT && i < a->n_rows; i++) {
            int64_t len = x->text_at[i + 1] - x->text_at[i];
            CHECK_MSG(
                len == y->text_at[i + 1] - y->text_at[i] &&
                    x->text_missing[i] == y->text_missing[i] &&
                    (len == 0 || memcmp(x->text + x->text_at[i],
                                        y->text + y->text_at[i], (size_t)len) == 0),
                "row %lld of '%s'", (long long)i, x->name);
        }
    }
}

static void round_trip(const tide_frame *f, const char *compression)
{
    /* what was written keeps its text: a category and a text are told apart by their values */
    static const char *const typed[] = {"word=category", "text=text"};
    struct tide_read_options o = {.types = {typed, 2}};
    struct str t = {0};
    tide_frame *g = NULL;
    tide_error err = {0};
    CHECK_INT(written(f, compression, &t, &err), TIDE_OK);
    tide_status st = parquet_read_table(ctx, NULL, t.s, t.len, &o, 0, &g, &err);
    CHECK_MSG(st == TIDE_OK, "%s: %s", compression, err.message);
    if (g) {
        CHECK_INT(g->n_rows, f->n_rows);
        same_columns(f, g);
    }
    tide_frame_free(g);
    str_free(&t);
}

TEST(parquet_that_is_written_reads_the_same)
{
    static const int64_t rows[] = {0, 1, 2, 7, 8, 9, 63, 1000, 65536, 65537, 200000};
    static const char *const kinds[] = {"none", "gzip", "zstd", "auto"};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        /* a text longer than a page, and pages of texts that end by their bytes */
        tide_frame *f = everything(rows[k], rows[k] < 1000 ? 20 : 3 << 20);
        for (int c = 0; c < 4; c++)
            if (rows[k] < 100000 || c == 2) round_trip(f, kinds[c]);
        tide_frame_free(f);
    }
}

TEST(parquet_has_a_group_for_each_mebirow_and_threads_do_not_matter)
{
    tide_frame *f = everything((1 << 20) + 70000, 20), *g = NULL;
    struct str one = {0}, two = {0};
    round_trip(f, "zstd");
    CHECK_INT(written(f, "none", &two, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), TIDE_OK);
    CHECK_INT(written(f, "none", &one, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
    CHECK(one.len == two.len && memcmp(one.s, two.s, one.len) == 0);
    CHECK_INT(parquet_read_table(ctx, NULL, one.s, one.len, NULL, 0, &g, NULL),
              TIDE_OK);
    CHECK(g && strstr(g->dialect, "2 row groups, by tidemill"));
    tide_frame_free(g);
    tide_frame_free(f);
    str_free(&one);
    str_free(&two);
}

TEST(parquet_of_one_value_alone_is_not_refused_as_expanding_too_far)
{
    enum { N = 3000000 };
    tide_frame *f = NULL, *g = NULL;
    struct str t = {0};
    tide_error err = {0};
    start();
    CHECK_INT(frame_begin(ctx, N, 4, &f, NULL), TIDE_OK);
    double *v = arena_array(&f->arena, N, sizeof *v);
    for (int64_t i = 0; i < N; i++) v[i] = 1;
    for (int j = 0; j < 4; j++)
        f->cols[j] = (struct column){
            .name = &"a\0b\0c\0d"[2 * j], .type = TIDE_F64, .n_rows = N, .f64 = v};
    CHECK_INT(frame_seal(f, NULL), TIDE_OK);
    CHECK_INT(written(f, "zstd", &t, NULL), TIDE_OK);
    CHECK_MSG(t.len < 300000, "%zu bytes", t.len);
    tide_status st = parquet_read_table(ctx, NULL, t.s, t.len, NULL, 0, &g, &err);
    CHECK_MSG(st == TIDE_OK, "%s", err.message);
    if (g) same_columns(f, g);
    tide_frame_free(g);
    tide_frame_free(f);
    str_free(&t);
}

/* ---- options ---- */

TEST(endings_and_options_tell_the_compression)
{
    tide_frame *f = everything(50, 20);
    struct str t = {0};
    tide_error err;
    struct tide_write_options o = {.path = "x/T.CSV.GZ"};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_OK);
    CHECK_INT(codec_sniff(t.s, t.len), CODEC_GZIP);
    str_clear(&t);
    o.path = "t.jsonl.zst";
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_OK);
    CHECK_INT(codec_sniff(t.s, t.len), CODEC_ZSTD);
    str_clear(&t);
    o = (struct tide_write_options){.compression = "zstd"};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_OK);
    CHECK_INT(codec_sniff(t.s, t.len), CODEC_ZSTD);
    o = (struct tide_write_options){.path = "t.csv.gz", .compression = "zstd"};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "the ending says gzip, 'compression' says zstd");
    o = (struct tide_write_options){.compression = "lzma"};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    o = (struct tide_write_options){.path = "t.parquet.zst"};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "parquet compresses its own parts");
    o = (struct tide_write_options){.path = "t.parquet", .digits = 3};
    CHECK_INT(tide_frame_save(ctx, f, &o, format_sink, &t, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "'digits' has no meaning for parquet");
    tide_frame_free(f);
    str_free(&t);
}

/* ---- streams ---- */

TEST(streams_are_one_member_and_give_back_what_was_put)
{
    enum { N = 3 << 20 };
    static const enum codec_kind kinds[] = {CODEC_GZIP, CODEC_ZSTD};
    static const enum block_kind blocks[] = {BLOCK_GZIP, BLOCK_ZSTD};
    struct block_coder coder = {0};
    char *data = mem_alloc(N), *back = mem_alloc(N);
    uint32_t state = 3;
    for (int i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (char)(i & 1 << 18 ? state >> 24 : state >> 31);
    }
    for (int k = 0; k < 2; k++)
        for (size_t step = 0; step < 3; step++) {
            static const size_t each[] = {1000, 300000, N};
            struct codec_out *c = NULL;
            struct str t = {0};
            size_t n = step == 0 ? 12345 : N;
            CHECK_INT(codec_out_open(kinds[k], format_sink, &t, &c, NULL), TIDE_OK);
            for (size_t i = 0; i < n; i += each[step])
                CHECK_INT(
                    codec_out_put(c, data + i, n - i < each[step] ? n - i : each[step]),
                    0);
            CHECK_INT(codec_out_end(c, NULL), TIDE_OK);
            codec_out_free(c);
            CHECK_INT(block_decode(&coder, blocks[k], t.s, t.len, back, n), BLOCK_OK);
            CHECK(memcmp(data, back, n) == 0);
            str_free(&t);
        }
    block_coder_free(&coder);
    mem_free(data);
    mem_free(back);
}

static int to_fd(void *payload, const void *data, size_t n)
{
    return write(*(int *)payload, data, n) != (ssize_t)n;
}

TEST(streams_of_one_row_for_ever_are_not_refused_as_expanding_too_far)
{
    static const enum codec_kind kinds[] = {CODEC_GZIP, CODEC_ZSTD};
    enum { N = 1 << 20 };
    char *data = mem_alloc(N), *back = mem_alloc(N);
    for (int i = 0; i < N; i++) data[i] = "1,2.5,x\n"[i % 8];
    for (int k = 0; k < 2; k++) {
        char path[] = "/tmp/tide_stream_XXXXXX", head[64];
        struct codec_out *c = NULL;
        struct codec *in = NULL;
        tide_error err = {0};
        int fd = mkstemp(path);
        size_t got = 0;
        CHECK_INT(codec_out_open(kinds[k], to_fd, &fd, &c, NULL), TIDE_OK);
        for (int i = 0; i < 150; i++) CHECK_INT(codec_out_put(c, data, N), 0);
        CHECK_INT(codec_out_end(c, NULL), TIDE_OK);
        codec_out_free(c);
        CHECK(lseek(fd, 0, SEEK_END) < 150 * N / 400);
        lseek(fd, 0, SEEK_SET);
        CHECK_INT(read(fd, head, sizeof head), sizeof head);
        CHECK_INT(codec_open(fd, path, head, sizeof head, 1000, &in, &err), TIDE_OK);
        for (int i = 0; i < 150; i++) {
            tide_status st = codec_read(in, back, N, &got, &err);
            CHECK_MSG(st == TIDE_OK, "%d: %s", i, err.message);
            if (st != TIDE_OK) break;
            CHECK(got == N && memcmp(data, back, N) == 0);
        }
        CHECK_INT(codec_read(in, back, N, &got, &err), TIDE_OK);
        CHECK_INT(got, 0);
        codec_close(in);
        unlink(path);
    }
    mem_free(data);
    mem_free(back);
}

/* ---- failures ---- */

struct stubborn {
    int64_t left; /* puts taken before the first that is not */
};

static int refuse(void *payload, const void *data, size_t n)
{
    (void)data;
    (void)n;
    return ((struct stubborn *)payload)->left-- <= 0;
}

static const struct tide_write_options ways[] = {
    {.format = "parquet"},
    {.format = "parquet", .compression = "gzip"},
    {.format = "parquet", .compression = "none"},
    {.path = "t.csv.gz"},
    {.path = "t.jsonl.zst"},
};
enum { N_WAYS = sizeof ways / sizeof ways[0] };

TEST(a_sink_that_takes_no_more_is_an_error_at_every_put)
{
    tide_frame *f = everything(9000, 20);
    for (int w = 0; w < N_WAYS; w++) {
        int done = 0;
        for (int64_t k = 0; !done && k < 1000; k++) {
            struct stubborn s = {k};
            tide_error err = {0};
            tide_status st = tide_frame_save(ctx, f, &ways[w], refuse, &s, &err);
            done = st == TIDE_OK;
            if (!done && err.code != TIDE_CODE_FILE_ERROR)
                UNIT_FAIL("way %d, put %lld: %s", w, (long long)k, err.message);
        }
        CHECK(done);
    }
    tide_frame_free(f);
}

TEST(every_failed_allocation_of_a_writer_is_an_error_and_leaks_nothing)
{
    tide_frame *f = everything(300, 20);
    CHECK_INT(tide_ctx_set_threads(ctx, 1, NULL), TIDE_OK);
    for (int w = 0; w < N_WAYS; w++) {
        int done = 0;
        int64_t live = alloc_live();
        for (int64_t k = 1; !done && k < 5000; k++) {
            struct stubborn all = {INT64_MAX};
            tide_error err = {0};
            alloc_fault_set(k, 0);
            tide_status st = tide_frame_save(ctx, f, &ways[w], refuse, &all, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            done = st == TIDE_OK && !hit;
            if (st != TIDE_OK && st != TIDE_ENOMEM)
                UNIT_FAIL("way %d, allocation %lld: %s", w, (long long)k, err.message);
            if (alloc_live() != live)
                UNIT_FAIL("way %d, allocation %lld leaks", w, (long long)k);
        }
        CHECK(done);
    }
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
    tide_frame_free(f);
}

static int stop_at_once(void *payload, const char *phase, double done, double total,
                        const char *text)
{
    (void)payload;
    (void)text;
    CHECK_STR(phase, "writing");
    CHECK(done > 0 && done <= total);
    return 1;
}

TEST(writing_tells_its_progress_and_can_be_stopped)
{
    for (int w = 0; w < N_WAYS; w++) {
        tide_ctx *own = NULL;
        tide_frame *f = everything(3000, 20);
        struct stubborn all = {INT64_MAX};
        tide_error err = {0};
        CHECK_INT(tide_ctx_new(&own, NULL), TIDE_OK);
        tide_ctx_set_progress(own, stop_at_once, NULL);
        CHECK_INT(tide_frame_save(own, f, &ways[w], refuse, &all, &err),
                  TIDE_ECANCELLED);
        tide_ctx_free(own);
        tide_frame_free(f);
    }
}
