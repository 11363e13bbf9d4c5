/* frame_tcol.c - column files: what is written reads the same, cell by cell and bit by bit, in part
 * or in whole; what was not written so is refused */
#define _GNU_SOURCE
#include <float.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "frame/tcol.h"
#include "support/formats.h"
#include "support/unit.h"

extern const struct tide_reader tide_reader_tcol, tide_reader_csv;

static tide_ctx *ctx[2]; /* two threads, one */
static tide_error err;

static void start(void)
{
    for (int k = 0; k < 2 && !ctx[1]; k++) {
        CHECK_INT(tide_ctx_new(&ctx[k], NULL), TIDE_OK);
        CHECK_INT(tide_ctx_set_threads(ctx[k], 2 - k, NULL), TIDE_OK);
    }
}

/* ---- random tables ---- */

static uint64_t state = 1;
static uint32_t draw(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33);
}

static uint64_t draw64(void)
{
    return (uint64_t)draw() << 33 ^ (uint64_t)draw() << 11 ^ draw();
}

/* One value in `gap` is missing; 0: none. */
static int is_gap(uint32_t gap)
{
    return gap && draw() % gap == 0;
}

static void add_whole(struct column *c, struct arena *a, uint32_t gap)
{
    int64_t *v = arena_array(a, c->n_rows + 1, sizeof *v);
    int bits = (int)(draw() % 64), shift = (int)(draw() % 2);
    int64_t low = draw() % 3 ? (int64_t)draw() - 1000 : INT64_MIN + 1;
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint64_t u = draw64() & ((UINT64_C(1) << bits) - (uint64_t)shift);
        v[i] = is_gap(gap) ? I64_MISSING : (int64_t)((uint64_t)low + u);
        if (v[i] == I64_MISSING && !gap) v[i] = 0;
    }
    c->i64 = v;
}

static void add_numbers(struct column *c, struct arena *a, uint32_t gap)
{
    double *v = arena_array(a, c->n_rows + 1, sizeof *v);
    uint32_t kind = draw() % 3;
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint64_t bits = draw64() & ~(UINT64_C(1) << 62); /* no infinity, no NaN */
        if (kind == 0)
            memcpy(&v[i], &bits, 8);
        else
            v[i] = (double)(int)draw() * (kind == 1 ? 0.25 : 0.1);
        if (draw() % 50 == 0) v[i] = -0.0;
        if (is_gap(gap)) v[i] = (double)NAN;
    }
    c->f64 = v;
}

static void add_bools(struct column *c, struct arena *a, uint32_t gap)
{
    uint8_t *v = arena_push(a, (size_t)c->n_rows + 1);
    for (int64_t i = 0; i < c->n_rows; i++)
        v[i] = is_gap(gap) ? BOOL_MISSING : draw() & 1;
    c->b = v;
    c->bool_style = draw() & 3;
}

static void add_codes(struct column *c, struct arena *a, uint32_t gap)
{
    static const uint32_t sizes[] = {1, 3, 254, 255, 256, 65534, 65535, 65536};
    uint32_t n = sizes[draw() % 8], at = 0;
    uint32_t *offset = arena_array(a, (int64_t)n + 1, sizeof *offset);
    char *bytes = arena_push(a, (size_t)n * 16), word[32];
    for (uint32_t k = 0; k < n; k++) { /* the first is the empty text */
        int len = k ? snprintf(word, sizeof word, "\xc3\x96%x", k * 2654435761u) : 0;
        offset[k] = at;
        memcpy(bytes + at, word, (size_t)len);
        at += (uint32_t)len;
    }
    offset[n] = at;
    uint32_t *code = arena_array(a, c->n_rows + 1, sizeof *code);
    for (int64_t i = 0; i < c->n_rows; i++)
        code[i] = is_gap(gap) ? CODE_MISSING : draw() % n;
    c->code = code;
    c->dict = (struct dict){n, offset, bytes};
}

/* Texts; now and then bytes stand under a missing cell. */
static void add_texts(struct column *c, struct arena *a, uint32_t gap)
{
    static const char letters[] = "ab\xc3\xa9 \n";
    static const size_t most[] = {1, 40, 300};
    int64_t *at = arena_array(a, c->n_rows + 1, sizeof *at), bytes = 0;
    size_t longest = most[draw() % 3];
    uint8_t *missing = gap ? arena_push(a, (size_t)c->n_rows + 1) : NULL;
    char *text = arena_push(a, ((size_t)c->n_rows + 1) * (longest + 8) + 70000);
    for (int64_t i = 0; i < c->n_rows; i++) {
        at[i] = bytes;
        size_t n = draw() % (longest + 1);
        if (i == 7 && longest == 300) n = 66000;
        for (size_t k = 0; k + 6 <= n; k += 6) memcpy(text + bytes + k, letters, 6);
        bytes += (int64_t)(n / 6 * 6);
        if (!missing) continue;
        missing[i] = (uint8_t)is_gap(gap);
        if (missing[i] && draw() % 4) bytes = at[i];
    }
    at[c->n_rows] = bytes;
    c->text_at = at;
    c->text = text;
    c->text_missing = missing;
}

static tide_frame *random_frame(int64_t n_rows, int n_cols)
{
    tide_frame *f = NULL;
    char name[64];
    start();
    CHECK_INT(frame_begin(ctx[0], n_rows, n_cols, &f, NULL), TIDE_OK);
    for (int j = 0; j < n_cols; j++) {
        struct column *c = &f->cols[j];
        uint32_t gap = (uint32_t[]){0, 1, 2, 1000}[draw() % 4];
        name[0] = 0;
        if (j) snprintf(name, sizeof name, "c %d \"\xc3\xa4\"", j);
        c->name = arena_str(&f->arena, name);
        c->type = (uint8_t)(TIDE_BOOL + draw() % 6);
        if (c->type == TIDE_BOOL) add_bools(c, &f->arena, gap);
        if (c->type == TIDE_I64 || c->type == TIDE_TIME) add_whole(c, &f->arena, gap);
        if (c->type == TIDE_F64) add_numbers(c, &f->arena, gap);
        if (c->type == TIDE_CAT) add_codes(c, &f->arena, gap);
        if (c->type == TIDE_TEXT) add_texts(c, &f->arena, gap);
    }
    CHECK_INT(frame_seal(f, &err), TIDE_OK);
    return f;
}

/* ---- the same, bit by bit ---- */

static int same_bytes(const void *a, const void *b, size_t n)
{
    return n == 0 || memcmp(a, b, n) == 0;
}

static int same_texts(const struct column *a, const struct column *b)
{
    for (int64_t i = 0; i < a->n_rows; i++) {
        int64_t n = a->text_at[i + 1] - a->text_at[i];
        int gone = a->text_missing && a->text_missing[i];
        if (gone != (b->text_missing && b->text_missing[i])) return 0;
        if (gone) continue;
        if (n != b->text_at[i + 1] - b->text_at[i]) return 0;
        if (!same_bytes(a->text + a->text_at[i], b->text + b->text_at[i], (size_t)n))
            return 0;
    }
    return 1;
}

static int same_cells(const struct column *a, const struct column *b)
{
    size_t n = (size_t)a->n_rows;
    if (a->type == TIDE_TEXT) return same_texts(a, b);
    if (a->type == TIDE_BOOL)
        return same_bytes(a->b, b->b, n) && a->bool_style == b->bool_style;
    if (a->type == TIDE_F64) return same_bytes(a->f64, b->f64, n * 8);
    if (a->type != TIDE_CAT) return same_bytes(a->i64, b->i64, n * 8);
    uint32_t k = a->dict.n;
    return k == b->dict.n && same_bytes(a->code, b->code, n * 4) &&
           same_bytes(a->dict.offset, b->dict.offset, (k + (size_t)1) * 4) &&
           same_bytes(a->dict.bytes, b->dict.bytes, a->dict.offset[k]);
}

static int same_column(const struct column *a, const struct column *b)
{
    return strcmp(a->name, b->name) == 0 && a->type == b->type &&
           a->n_rows == b->n_rows && a->n_missing == b->n_missing && same_cells(a, b);
}

static int same_frame(const tide_frame *a, const tide_frame *b)
{
    if (a->n_rows != b->n_rows || a->n_cols != b->n_cols) return 0;
    for (int j = 0; j < a->n_cols; j++)
        if (!same_column(&a->cols[j], &b->cols[j])) {
            UNIT_FAIL("column %d of type %d differs", j, a->cols[j].type);
            return 0;
        }
    return 1;
}

static tide_frame *read_back(const struct str *t, const struct tide_read_options *o,
                             int which)
{
    tide_frame *f = NULL;
    memset(&err, 0, sizeof err);
    /* a block of its own, so that the sanitizer sees its end */
    char *exact = malloc(t->len + 1);
    memcpy(exact, t->s, t->len);
    tide_status st = tcol_read_table(ctx[which], "t", exact, t->len, o, &f, &err);
    free(exact);
    CHECK((st == TIDE_OK) == (f != NULL));
    CHECK_INT(st, err.status);
    return f;
}

static void write_to(const tide_frame *f, enum block_kind codec, int which,
                     struct str *out)
{
    *out = (struct str){0};
    CHECK_INT(tcol_write_table(ctx[which], f, codec, NULL, format_sink, out, &err),
              TIDE_OK);
}

static void round_trip(const tide_frame *f, enum block_kind codec)
{
    struct str a, b;
    write_to(f, codec, 0, &a);
    write_to(f, codec, 1, &b);
    CHECK(a.len == b.len && memcmp(a.s, b.s, a.len) == 0);
    CHECK_INT(a.len % 64, 0);
    for (int k = 0; k < 2; k++) {
        tide_frame *g = read_back(&a, NULL, k);
        if (!g) UNIT_FAIL("not read: %s", err.message);
        CHECK(g && same_frame(f, g));
        tide_frame_free(g);
    }
    str_free(&a);
    str_free(&b);
}

TEST(every_type_comes_back_bit_by_bit)
{
    static const int64_t rows[] = {0,    1,     2,     63,    64,    65,
                                   1000, 65535, 65536, 65537, 131075};
    static const enum block_kind codecs[] = {BLOCK_PLAIN, BLOCK_ZSTD, BLOCK_GZIP};
    for (int k = 0; k < 66; k++) {
        state = (uint64_t)k + 1;
        tide_frame *f = random_frame(rows[k % 11], k % 13);
        round_trip(f, codecs[k % 3]);
        tide_frame_free(f);
        if (unit_bad) {
            UNIT_FAIL("seed %d", k);
            return;
        }
    }
}

TEST(whole_numbers_take_the_narrowest_bytes)
{
    static const struct {
        int64_t lo, hi;
        int width;
    } cases[] = {{5, 5, 1},
                 {0, 254, 1},
                 {0, 255, 2},
                 {-100, 65434, 2},
                 {-100, 65435, 4},
                 {INT64_MIN + 1, INT64_MIN + 1 + UINT32_MAX - 1, 4},
                 {INT64_MAX - 254, INT64_MAX, 1},
                 {0, UINT32_MAX, 8},
                 {INT64_MIN + 1, INT64_MAX, 8}};
    start();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int64_t v[3] = {cases[k].lo, I64_MISSING, cases[k].hi};
        struct tide_column_in in = {.name = "x", .i64 = v};
        tide_frame *f = NULL;
        struct tcol_file file;
        struct str t;
        CHECK_INT(tide_frame_new(ctx[0], 3, 1, &in, &f, NULL), TIDE_OK);
        write_to(f, BLOCK_PLAIN, 0, &t);
        CHECK_INT(tcol_open(&file, ctx[0], NULL, t.s, t.len, 0, &err), TIDE_OK);
        CHECK_INT(file.blocks[0].width, cases[k].width);
        CHECK_INT(file.blocks[0].missing, 1);
        tcol_close(&file);
        round_trip(f, BLOCK_PLAIN);
        tide_frame_free(f);
        str_free(&t);
    }
}

TEST(a_table_without_columns_keeps_its_rows)
{
    tide_frame *f = NULL;
    start();
    CHECK_INT(frame_begin(ctx[0], 70000, 0, &f, NULL), TIDE_OK);
    round_trip(f, BLOCK_ZSTD);
    tide_frame_free(f);
}

TEST(constant_columns_are_not_taken_for_a_bomb)
{
    int64_t n = 12000000;
    tide_frame *f = NULL;
    start();
    CHECK_INT(frame_begin(ctx[0], n, 1, &f, NULL), TIDE_OK);
    f->cols[0].name = "x";
    f->cols[0].type = TIDE_F64;
    f->cols[0].f64 = arena_zero(&f->arena, (size_t)n * 8);
    CHECK_INT(frame_seal(f, NULL), TIDE_OK);
    round_trip(f, BLOCK_ZSTD);
    tide_frame_free(f);
}

TEST(columns_read_in_part_are_as_in_the_whole)
{
    state = 77;
    tide_frame *f = random_frame(66000, 9);
    struct str t;
    write_to(f, BLOCK_PLAIN, 0, &t);
    struct tcol_file file;
    CHECK_INT(tcol_open(&file, ctx[0], NULL, t.s, t.len, 0, &err), TIDE_OK);
    for (int j = 1; j < 9; j++) {
        const char *name = f->cols[j].name;
        struct tide_read_options o = {.columns = {&name, 1}};
        /* the blocks of the column before are not even looked at */
        char *other = &t.s[file.blocks[j - 1].offset];
        *other ^= 1;
        tide_frame *g = read_back(&t, &o, j & 1);
        CHECK(g && g->n_cols == 1 && same_column(&f->cols[j], &g->cols[0]));
        tide_frame_free(g);
        CHECK(!read_back(&t, NULL, 0));
        CHECK_INT(err.code, TIDE_CODE_TCOL_DAMAGED);
        *other ^= 1;
    }
    tcol_close(&file);
    const char *none = "c 3 \"\xc3\xa4";
    struct tide_read_options o = {.columns = {&none, 1}};
    CHECK(!read_back(&t, &o, 0));
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
    CHECK_STR(err.value, f->cols[3].name);
    o = (struct tide_read_options){.max_columns = 8};
    CHECK(!read_back(&t, &o, 0));
    CHECK_INT(err.code, TIDE_CODE_LIMIT_COLUMNS);
    o = (struct tide_read_options){.delim = ";"};
    CHECK(!read_back(&t, &o, 0));
    CHECK_STR(err.message, "'delim' has no meaning for tcol");
    str_free(&t);
    tide_frame_free(f);
}

TEST(types_and_tokens_are_made_of_what_was_read)
{
    const char *const words[] = {"1", "n/a", "3"};
    struct tide_column_in in = {.name = "x", .text = words};
    tide_frame *f = NULL;
    struct str t;
    start();
    CHECK_INT(tide_frame_new(ctx[0], 3, 1, &in, &f, NULL), TIDE_OK);
    write_to(f, BLOCK_PLAIN, 0, &t);
    static const char *const types[] = {"x=int"}, *const na[] = {"n/a"};
    struct tide_read_options o = {.types = {types, 1}, .na = {na, 1}};
    tide_frame *g = read_back(&t, &o, 0);
    CHECK(g && g->cols[0].type == TIDE_I64 && g->cols[0].n_missing == 1 &&
          g->cols[0].i64[2] == 3);
    tide_frame_free(g);
    tide_frame_free(f);
    str_free(&t);
}

TEST(infinities_are_refused_with_their_row)
{
    double v[3] = {1, 0.1, 2};
    struct tide_column_in in = {.name = "x", .f64 = v};
    for (int k = 0; k < 2; k++) { /* in 8 bytes, in 4 */
        tide_frame *f = NULL;
        struct str t;
        v[1] = k ? 0.5 : 0.1;
        start();
        CHECK_INT(tide_frame_new(ctx[0], 3, 1, &in, &f, NULL), TIDE_OK);
        ((double *)f->cols[0].f64)[2] = -(double)INFINITY;
        write_to(f, BLOCK_PLAIN, 0, &t);
        CHECK(!read_back(&t, NULL, 0));
        CHECK_INT(err.code, TIDE_CODE_DATA_INFINITE);
        CHECK_STR(err.message, "row 3 of 'x' is infinite");
        CHECK_INT(err.row, 3);
        struct tide_read_options o = {.inf = 1};
        tide_frame *g = read_back(&t, &o, 0);
        CHECK(g && g->cols[0].n_missing == 1 && isnan(g->cols[0].f64[2]));
        tide_frame_free(g);
        tide_frame_free(f);
        str_free(&t);
    }
}

/* ---- what is refused ---- */

/* Bytes between blocks are zeros and none is free. */
TEST(every_prefix_and_every_changed_byte_is_refused)
{
    state = 5;
    tide_frame *f = random_frame(5, 7);
    struct str t;
    write_to(f, BLOCK_PLAIN, 0, &t);
    for (size_t n = 0; n < t.len; n++) {
        struct str part = {.s = t.s, .len = n};
        tide_frame *g = read_back(&part, NULL, 1);
        CHECK_MSG(!g, "a prefix of %zu bytes is read", n);
        tide_frame_free(g);
    }
    for (size_t i = 0; i < t.len; i++)
        for (int bit = 0; bit < 8; bit += 3) {
            t.s[i] = (char)(t.s[i] ^ 1 << bit);
            tide_frame *g = read_back(&t, NULL, 1);
            CHECK_MSG(!g, "byte %zu changed is not seen", i);
            CHECK(err.code == TIDE_CODE_TCOL_DAMAGED ||
                  err.code == TIDE_CODE_TCOL_VERSION);
            tide_frame_free(g);
            t.s[i] = (char)(t.s[i] ^ 1 << bit);
        }
    str_addn(&t, "0123456789012345678901234567890123456789012345678901234567890123",
             64);
    CHECK(!read_back(&t, NULL, 0));
    str_free(&t);
    tide_frame_free(f);
}

/* A file of one column whose parts are changed and then get right checksums again. */
static struct str craft;
static struct tcol_file craft_file;

static void craft_begin(const tide_frame *f, enum block_kind codec)
{
    str_free(&craft);
    write_to(f, codec, 0, &craft);
    CHECK_INT(tcol_open(&craft_file, ctx[0], NULL, craft.s, craft.len, 0, &err),
              TIDE_OK);
}

static void set32(size_t at, uint32_t v)
{
    memcpy(craft.s + at, &v, 4);
}

static char *entry(int64_t i)
{
    return craft.s + craft_file.end + i * TCOL_ENTRY;
}

static void craft_seal(void)
{
    size_t end = craft.len - TCOL_HEAD;
    int64_t n = craft_file.n_entries, header = craft_file.end + n * TCOL_ENTRY;
    uint64_t n_header;
    memcpy(&n_header, craft.s + end + 24, 8);
    for (int64_t i = 0; i < n; i++) {
        const struct tcol_block *b = &craft_file.blocks[i];
        uint32_t crc = crc32c(0, craft.s + b->offset, (size_t)b->stored);
        memcpy(entry(i) + 32, &crc, 4);
    }
    set32(60, crc32c(0, craft.s, 60));
    set32(end + 32, crc32c(0, craft.s + craft_file.end, (size_t)n * TCOL_ENTRY));
    set32(end + 36, crc32c(0, craft.s + header, (size_t)n_header));
    set32(end + 60, crc32c(0, craft.s + end, 60));
}

static void craft_refused(const char *clause)
{
    craft_seal();
    tide_frame *g = read_back(&craft, NULL, 0);
    CHECK_MSG(!g && strstr(err.message, clause), "\"%s\", not \"%s\"",
              g ? "read" : err.message, clause);
    tide_frame_free(g);
    tcol_close(&craft_file);
}

/* The text `from` of the header becomes `to`, of the same length. */
static void craft_header(const char *from, const char *to)
{
    char *at = memmem(craft.s, craft.len, from, strlen(from));
    CHECK(at && strlen(from) == strlen(to));
    if (at) memcpy(at, to, strlen(to));
}

static tide_frame *one_column(enum tide_type type)
{
    static const char *const words[] = {"ab", NULL, "cd", "ab", "\xc3\xa9"};
    static const int64_t whole[] = {1, 200, INT64_MIN, 3, 4};
    struct tide_column_in in = {.name = "x", .type = (int32_t)type};
    static const int64_t bits[] = {0, 1, INT64_MIN, 1, 0};
    tide_frame *f = NULL;
    start();
    if (type == TIDE_CAT || type == TIDE_TEXT)
        in.text = words;
    else
        in.i64 = type == TIDE_BOOL ? bits : whole;
    CHECK_INT(tide_frame_new(ctx[0], 5, 1, &in, &f, NULL), TIDE_OK);
    return f;
}

TEST(sizes_and_codes_that_lie_are_refused)
{
    static const struct {
        enum tide_type type;
        int entry, at; /* a byte of an entry, or (entry -1) of the first block */
        uint8_t value;
        const char *clause;
    } lies[] = {
        {TIDE_I64, 0, 40, 3, "block 0 is not as the header says"},  /* width */
        {TIDE_I64, 0, 40, 2, "block 0 is not as the header says"},  /* and size */
        {TIDE_I64, 0, 41, 1, "block 0 is not as the header says"},  /* codec */
        {TIDE_I64, 0, 41, 3, "'x' cannot be unpacked"},             /* codec */
        {TIDE_I64, 0, 0, 128, "block 0 is not as the header says"}, /* offset */
        {TIDE_I64, 0, 8, 70, "block 0 is not as the header says"},  /* stored */
        {TIDE_I64, 0, 16, 9, "block 0 is not as the header says"},  /* raw */
        {TIDE_I64, 0, 23, 0x80, "block 0 is not as the header says"},
        {TIDE_I64, 0, 31, 0x7f, NULL}, /* base: 1 + 2^62 and more is fine */
        {TIDE_I64, 0, 36, 2, "the blocks of 'x' miss 2 cells"},
        {TIDE_I64, -1, 0, 255, "another number of missing cells"},
        {TIDE_F64, 0, 31, 1, "block 0 is not as the header says"}, /* base */
        {TIDE_BOOL, -1, 0, 2, "holds what is no truth value"},
        {TIDE_CAT, -1, 0, 3, "holds a level that the column does not have"},
        {TIDE_CAT, -1, 0, 255, "another number of missing cells"},
        {TIDE_TEXT, -1, 0, 200, "holds texts longer than it"},
        {TIDE_TEXT, -1, 0, 1, "holds bytes of no text"},
        {TIDE_TEXT, -1, 5, 0xff, "holds text that is not UTF-8"},
    };
    for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
        tide_frame *f = one_column(lies[k].type);
        craft_begin(f, BLOCK_PLAIN);
        char *at = lies[k].entry < 0 ? craft.s + TCOL_HEAD : entry(lies[k].entry);
        at[lies[k].at] = (char)lies[k].value;
        if (lies[k].clause)
            craft_refused(lies[k].clause);
        else
            tcol_close(&craft_file);
        tide_frame_free(f);
    }
}

TEST(texts_are_whole_characters_and_numbers_stay_in_64_bits)
{
    tide_frame *f = one_column(TIDE_TEXT);
    craft_begin(f, BLOCK_PLAIN);
    craft.s[TCOL_HEAD + 3] = 3; /* "ab\xc3", "\xa9": UTF-8 only together */
    craft.s[TCOL_HEAD + 4] = 1;
    craft_refused("begins inside a character");
    tide_frame_free(f);
    f = one_column(TIDE_I64);
    craft_begin(f, BLOCK_PLAIN);
    memset(entry(0) + 24, 0xff, 7);
    entry(0)[31] = 0x7f;
    craft_refused("holds a number beyond 64 bits");
    craft_begin(f, BLOCK_PLAIN);
    memset(entry(0) + 24, 0, 7);
    entry(0)[31] = (char)0x80;
    craft_refused("has a base that no number has");
    tide_frame_free(f);
}

TEST(levels_that_lie_are_refused)
{
    tide_frame *f = one_column(TIDE_CAT); /* ab, cd, e acute */
    size_t dict = TCOL_HEAD + TCOL_ALIGN;
    craft_begin(f, BLOCK_PLAIN);
    set32(dict, 1);
    craft_refused("has levels that do not fill it");
    craft_begin(f, BLOCK_PLAIN);
    set32(dict + 4, 5);
    craft_refused("has levels out of order");
    craft_begin(f, BLOCK_PLAIN);
    memcpy(craft.s + dict + 18, "ab", 2);
    craft_refused("has a level twice");
    craft_begin(f, BLOCK_PLAIN);
    craft.s[dict + 16] = (char)0xff;
    craft_refused("has a level that is not UTF-8");
    tide_frame_free(f);
}

TEST(headers_that_lie_are_refused)
{
    static const char *const lies[][3] = {
        {"\"rows\":5", "\"rows\":6", "block 0 is not as the header says"},
        {"\"rows\":5", "\"rows\":0", "a column lacks its numbers"},
        {"\"rows\":5", "\"rows\":\"", ""},
        {"\"rows\":5", "\"r\\ws\":5", ""},
        {"\"missing\":1", "\"missing\":2", "miss 1 cells and the header says 2"},
        {"\"missing\":1", "\"missing\":6", "a column lacks its numbers"},
        {"\"type\":\"int\"", "\"type\":\"in\\\"", ""},
        {"\"type\":\"int\"", "\"type\":\"inx\"", "a column is of no type"},
        {"\"name\":\"x\"", "\"nome\":\"x\"", "a column has no name"},
        {"\"lines\":false", "\"lines\":true ", "1 blocks are not those of 5 rows"},
        {"\"lines\":false", "\"linex\":false", "lacks rows or columns"},
    };
    tide_frame *f = one_column(TIDE_I64);
    for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
        craft_begin(f, BLOCK_PLAIN);
        craft_header(lies[k][0], lies[k][1]);
        craft_refused(lies[k][2]);
    }
    craft_begin(f, BLOCK_PLAIN);
    craft.s[8] = 2;
    craft_refused("version 2 of column files; this program reads 1");
    CHECK_INT(err.code, TIDE_CODE_TCOL_VERSION);
    craft_begin(f, BLOCK_PLAIN);
    set32(16, 0x04030201);
    craft_refused("byte order of another machine");
    tide_frame_free(f);
}

/* What is compressed is refused before it is unpacked when it would fill the memory. */
TEST(a_block_that_unpacks_to_too_much_is_refused)
{
    tide_frame *f = one_column(TIDE_TEXT);
    craft_begin(f, BLOCK_PLAIN);
    uint64_t raw = UINT64_C(1) << 34;
    entry(0)[41] = BLOCK_ZSTD;
    memcpy(entry(0) + 16, &raw, 8);
    craft_refused("more than 1000-fold");
    CHECK_INT(err.status, TIDE_ELIMIT);
    tide_frame_free(f);
}

TEST(the_memory_of_the_context_is_a_limit)
{
    struct str t;
    tide_frame *f = NULL, *g = NULL;
    tide_ctx *small = NULL;
    int64_t n = 10000000;
    start();
    CHECK_INT(frame_begin(ctx[0], n, 1, &f, NULL), TIDE_OK);
    f->cols[0].name = "x";
    f->cols[0].type = TIDE_I64;
    f->cols[0].i64 = arena_zero(&f->arena, (size_t)n * 8);
    CHECK_INT(frame_seal(f, NULL), TIDE_OK);
    write_to(f, BLOCK_PLAIN, 0, &t);
    CHECK_INT(tide_ctx_new(&small, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_memory(small, 64 << 20, NULL), TIDE_OK);
    CHECK_INT(tcol_read_table(small, "t", t.s, t.len, NULL, &g, &err), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_MEMORY_BUDGET);
    tide_ctx_free(small);
    tide_frame_free(f);
    str_free(&t);
}

/* ---- files ---- */

static int to_disk(void *payload, const void *data, size_t n)
{
    return file_out_write(payload, data, n, NULL) != TIDE_OK;
}

TEST(a_file_a_compressed_file_and_memory_are_the_same)
{
    static const char *const names[] = {"unit_tcol.tcol", "unit_tcol.dat"};
    state = 31;
    tide_frame *f = random_frame(66000, 6), *g = NULL;
    for (int k = 0; k < 2; k++) {
        struct file_out out;
        struct tide_write_options how = {.format = "tcol"};
        CHECK_INT(file_replace_begin(&out, names[k], NULL), TIDE_OK);
        CHECK_INT(tide_frame_save(ctx[0], f, &how, to_disk, &out, &err), TIDE_OK);
        CHECK_INT(file_replace_commit(&out, NULL, NULL), TIDE_OK);
        CHECK_INT(tide_frame_read(ctx[0], names[k], NULL, &g, &err), TIDE_OK);
        CHECK(g && same_frame(f, g));
        CHECK_STR(g ? g->dialect : "", "tcol");
        tide_frame_free(g);
    }
    CHECK_INT(truncate(names[1], 5000), 0);
    CHECK_INT(tide_frame_read(ctx[0], names[1], NULL, &g, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_TCOL_DAMAGED);
    unlink(names[0]);
    unlink(names[1]);
    tide_frame_free(f);
}
