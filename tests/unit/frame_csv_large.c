/* Reading CSV files of many slabs: their blocks are found in parallel, read again later, and
 * make the table that one slab makes. */
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "frame/csv.h"
#include "support/unit.h"

static const char *temp_path(void)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/tidemill-large-%d.csv", (int)getpid());
    return path;
}

static int put_file(const char *path, const struct str *t)
{
    FILE *f = fopen(path, "w");
    if (!f) return -1;
    size_t n = fwrite(t->s, 1, t->len, f);
    return fclose(f) || n != t->len;
}

/* Numbers, names in and out of quotes, an id, a text of several lines; rows of several widths. */
static void make_text(struct str *t, int rows, int crlf, int lines)
{
    str_add(t, "n,x,name,id,text\n");
    for (int i = 0; i < rows; i++) {
        uint64_t row = (uint64_t)i;
        str_addf(t, "%d,%r,", (int)(gen_h(1, row, 0) % 1000), gen_z(1, row, 1));
        str_addf(t, gen_h(1, row, 2) % 20 ? "level %d," : "\"level %d\",",
                 (int)(gen_h(1, row, 3) % 300));
        str_addf(t, "%llx,", (unsigned long long)gen_h(1, row, 4));
        int words = (int)(gen_h(1, row, 5) % 30);
        str_add(t, "\"");
        for (int k = 0; lines && k < words; k++)
            str_add(t, k % 7 == 3 ? "one,\n" : k % 11 == 5 ? "\"\"two\"\" " : "three ");
        str_add(t, crlf && i % 3 ? "\"\r\n" : "\"\n");
    }
}

static void check_same(const tide_frame *f, const tide_frame *g)
{
    CHECK_INT(f->n_rows, g->n_rows);
    CHECK_INT(f->n_cols, g->n_cols);
    if (f->n_rows != g->n_rows || f->n_cols != g->n_cols) return;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *a = &f->cols[j], *b = &g->cols[j];
        int64_t n = f->n_rows;
        CHECK_INT(a->type, b->type);
        CHECK_INT(a->n_missing, b->n_missing);
        if (a->type != b->type) continue;
        if (a->f64) CHECK(!memcmp(a->f64, b->f64, (size_t)n * 8));
        if (a->i64) CHECK(!memcmp(a->i64, b->i64, (size_t)n * 8));
        if (a->code) CHECK(!memcmp(a->code, b->code, (size_t)n * 4));
        if (a->code) CHECK_INT(a->dict.n, b->dict.n);
        if (a->text_at) CHECK(!memcmp(a->text_at, b->text_at, (size_t)(n + 1) * 8));
        if (a->text) CHECK(!memcmp(a->text, b->text, (size_t)a->text_at[n]));
        CHECK_INT(a->text_missing != NULL, b->text_missing != NULL);
        if (a->text_missing && b->text_missing)
            CHECK(!memcmp(a->text_missing, b->text_missing, (size_t)n));
        for (int64_t i = 0; i < n && i < 50; i++) {
            char s[256], u[256];
            CHECK_INT(tide_frame_text(f, i, j, s, sizeof s),
                      tide_frame_text(g, i, j, u, sizeof u));
            CHECK_STR(s, u);
        }
    }
    for (int64_t i = 0; i < f->n_rows; i += 97)
        CHECK_INT(frame_line(f, i), frame_line(g, i));
}

/* The text read as one slab, which is what one to three threads make of a file of many. */
static tide_frame *read_all_ways(tide_ctx *ctx, const struct str *t)
{
    tide_frame *whole = NULL;
    tide_error err = {0};
    CHECK_INT(put_file(temp_path(), t), 0);
    CHECK_INT(csv_read_table(ctx, "t", t->s, t->len, NULL, 64 << 20, &whole, &err),
              TIDE_OK);
    for (int threads = 1; whole && threads <= 3; threads++) {
        tide_frame *f = NULL;
        CHECK_INT(tide_ctx_set_threads(ctx, threads, NULL), TIDE_OK);
        CHECK_INT(tide_frame_read(ctx, temp_path(), NULL, &f, &err), TIDE_OK);
        if (f) check_same(f, whole);
        tide_frame_free(f);
    }
    return whole;
}

TEST(a_file_of_many_slabs_is_the_table_of_one)
{
    for (int way = 0; way < 4; way++) {
        struct str t = {0};
        tide_ctx *ctx = NULL;
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        make_text(&t, 30000, way & 1, way & 2);
        if (way == 1) str_add(&t, "2.5,1,late,0,\"\""); /* widens; no newline */
        tide_frame *whole = read_all_ways(ctx, &t);
        if (whole) CHECK_INT(whole->cols[0].type, way == 1 ? TIDE_F64 : TIDE_I64);
        tide_frame_free(whole);
        tide_ctx_free(ctx);
        str_free(&t);
    }
    unlink(temp_path());
}

TEST(faults_late_in_a_large_file_have_their_place)
{
    static const struct {
        const char *row, *want;
        int64_t column;
    } all[] = {{"1,2,a,b\n", "expected 5 fields, got 4", 1},
               {"1,x,a,b,\"c\"\n", "expected a number in 'x', got \"x\"", 3},
               {"1,2,a,b,\"c\"d\n", "text after the closing quote in 'text'", 12},
               {"1,2,a,\xff,\"c\"\n", "byte 0xff in 'id' is not UTF-8", 7}};
    for (int k = 0; k < 4; k++) {
        struct str t = {0};
        tide_frame *f = NULL;
        tide_ctx *ctx = NULL;
        tide_error err = {0};
        make_text(&t, 20000, 0, 0);
        str_add(&t, all[k].row);
        make_text(&t, 20000, 0, 0);
        CHECK_INT(put_file(temp_path(), &t), 0);
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        CHECK_INT(tide_frame_read(ctx, temp_path(), NULL, &f, &err), TIDE_EDATA);
        CHECK(strstr(err.message, all[k].want) != NULL);
        CHECK_INT(err.line, 20002);
        CHECK_INT(err.column, all[k].column);
        tide_ctx_free(ctx);
        str_free(&t);
    }
    unlink(temp_path());
}

/* Rows whose columns turn out wider than the first block suggests: from row `turn` on. */
static void make_turning(struct str *t, int rows, int turn, int way)
{
    str_add(t, "a,b,c,d,e\n");
    for (int i = 0; i < rows; i++) {
        uint64_t row = (uint64_t)i;
        int late = i >= turn, n = (int)(gen_h(2, row, 0) % 1000);
        if (late && way == 1) { /* more rows than the file's size suggests */
            str_add(t, "1,2,x,,\n");
            continue;
        }
        str_addf(t, late && way == 2 ? "%d.25," : "%d,", n);
        str_addf(t, "%r,", gen_z(2, row, 1));
        str_addf(t, "name %d,", late && way == 3 ? i : n % 40);
        str_addf(t, late && way == 4 ? "\"two\nlines %d\"," : "word%d,", n % 7);
        str_add(t, !late && way == 5 ? "\n" : n % 2 ? "true\n" : "false\n");
    }
}

TEST(columns_filled_while_reading_follow_what_comes_later)
{
    for (int way = 0; way < 6; way++) {
        struct str t = {0};
        tide_ctx *ctx = NULL;
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        make_turning(&t, way == 1 ? 300000 : 60000, 40000, way);
        tide_frame *whole = read_all_ways(ctx, &t);
        if (whole) {
            CHECK_INT(whole->cols[0].type, way == 2 ? TIDE_F64 : TIDE_I64);
            CHECK_INT(whole->cols[2].type, TIDE_CAT);
            CHECK_INT(whole->cols[4].type, TIDE_BOOL);
        }
        tide_frame_free(whole);
        tide_ctx_free(ctx);
        str_free(&t);
    }
    unlink(temp_path());
}

/* Texts of about 150 bytes; from row `turn` on they are longer (1), short (2), among blank lines (3),
 * or end without quotes (4). Some are missing, and one column says that it is text. */
static void make_long(struct str *t, int rows, int turn, int way)
{
    str_add(t, "id,long,short,end\n");
    for (int i = 0; i < rows; i++) {
        uint64_t row = (uint64_t)i;
        int late = i >= turn, words = 10 + (int)(gen_h(3, row, 0) % 40);
        if (late && way == 3 && i % 50 == 0) str_add(t, "\n");
        str_addf(t, "%d,", i);
        if (late && way == 1) words *= 8;
        if (late && way == 2) words = 1;
        if (gen_h(3, row, 1) % 10 == 0) words = 0;
        if (words) str_add(t, "\"");
        for (int k = 0; k < words; k++)
            str_add(t, k % 9 == 4 ? "line\n" : k % 13 == 7 ? "\"\"q\"\"" : "abc ");
        str_addf(t, words ? "\"," : i % 3 ? "," : "NA,");
        str_addf(t, i % 7 ? "\"w%d\"," : ",", (int)(gen_h(3, row, 2) % 30));
        str_addf(t, late && way == 4 ? "%d\n" : "\"\"\"%d\"\n", i % 100);
    }
}

TEST(long_texts_find_their_place_while_reading)
{
    for (int way = 0; way < 5; way++) {
        struct str t = {0};
        tide_ctx *ctx = NULL;
        tide_error err = {0};
        static const char *const items[] = {"short=text", "end=text"};
        struct tide_read_options o = {.types = {items, 2}};
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        make_long(&t, 30000, way == 2 ? 5000 : 20000, way);
        tide_frame *whole = read_all_ways(ctx, &t), *f = NULL;
        if (whole) CHECK_INT(whole->cols[1].type, way == 2 ? TIDE_CAT : TIDE_TEXT);
        tide_frame_free(whole);
        whole = NULL;
        CHECK_INT(csv_read_table(ctx, "t", t.s, t.len, &o, 64 << 20, &whole, &err),
                  TIDE_OK);
        CHECK_INT(tide_frame_read(ctx, temp_path(), &o, &f, &err), TIDE_OK);
        if (f && whole) check_same(f, whole);
        if (f)
            CHECK(f->cols[2].text_missing != NULL && f->cols[3].text_missing == NULL);
        tide_frame_free(f);
        tide_frame_free(whole);
        tide_ctx_free(ctx);
        str_free(&t);
    }
    unlink(temp_path());
}

TEST(blank_lines_at_the_end_are_no_rows_to_make_room_for)
{
    struct str t = {0};
    tide_ctx *ctx = NULL;
    str_add(&t, "a,b,c,d,e,f,g,h\n");
    for (int i = 0; i < 60000; i++) str_addf(&t, "%d,2,3,4,5,6,7,8\n", i);
    for (int i = 0; i < 8000000; i++) str_addc(&t, '\n');
    tide_frame *f = NULL;
    tide_error err = {0};
    CHECK_INT(put_file(temp_path(), &t), 0);
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_frame_read(ctx, temp_path(), NULL, &f, &err), TIDE_OK);
    if (f) CHECK_INT(f->n_rows, 60000);
    int64_t peak = tide_ctx_peak_memory(ctx);
    CHECK_MSG(peak < 16 * (int64_t)t.len, "%lld bytes for a text of %lld",
              (long long)peak, (long long)t.len);
    tide_frame_free(f);
    tide_ctx_free(ctx);
    str_free(&t);
    unlink(temp_path());
}

TEST(the_text_does_not_stay_in_memory)
{
    struct str t = {0};
    tide_frame *f = NULL;
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    str_add(&t, "a,b\n");
    for (int i = 0; i < 1000000; i++)
        str_addf(&t, "%d000000000000.5,%d00000000.125\n", i, 7 * i);
    CHECK_INT(put_file(temp_path(), &t), 0);
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
    CHECK_INT(tide_frame_read(ctx, temp_path(), NULL, &f, &err), TIDE_OK);
    int64_t columns = 2 * 8 * (f ? f->n_rows : 0), peak = tide_ctx_peak_memory(ctx);
    CHECK_MSG(peak <= columns + columns * 3 / 10 + (16 << 20),
              "%lld bytes for columns of %lld", (long long)peak, (long long)columns);
    CHECK((int64_t)t.len > peak); /* so that it would be seen */
    tide_frame_free(f);
    tide_ctx_free(ctx);
    str_free(&t);
    unlink(temp_path());
}

/* Writes over a digit of the first row once reading has begun. */
static int spoil(void *payload, const char *phase, double done, double total,
                 const char *text)
{
    int *spoiled = payload;
    (void)phase, (void)done, (void)total, (void)text;
    if (*spoiled) return 0;
    FILE *f = fopen(temp_path(), "r+");
    if (!f) return 0;
    *spoiled = !fseek(f, 17, SEEK_SET) && fputc('x', f) == 'x';
    fclose(f);
    return 0;
}

TEST(a_file_changed_while_it_is_read_is_an_error)
{
    struct str t = {0};
    tide_frame *f = NULL;
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    int spoiled = 0;
    make_text(&t, 20000, 0, 1);
    CHECK_INT(put_file(temp_path(), &t), 0);
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_ctx_set_progress(ctx, spoil, &spoiled);
    CHECK_INT(tide_frame_read(ctx, temp_path(), NULL, &f, &err), TIDE_EFILE);
    CHECK(spoiled && !f);
    CHECK_INT(err.code, TIDE_CODE_FILE_CHANGED);
    CHECK_STR(err.message, "the file was changed while it was read");
    tide_ctx_free(ctx);
    str_free(&t);
    unlink(temp_path());
}
