/* Random tables in random dialects: the reader gives what a slow reader of single bytes gives,
 * whatever the size of its slabs and the number of its threads. */
#include "base/rng.h"
#include "base/str.h"
#include "frame/csv.h"
#include "support/slow_csv.h"
#include "support/unit.h"

/* ---- random texts ---- */

struct dice {
    uint64_t seed, n;
};

static int roll(struct dice *d, int sides)
{
    return (int)(gen_h(d->seed, d->n++, 0) % (uint64_t)sides);
}

static void add_cell(struct dice *d, struct str *t, char delim, int wild)
{
    static const char *const plain[] = {
        "",         "1",          "2.5",  "-3",
        "NA",       "abc",        "x y",  "?",
        "null",     "1e3",        "true", "False",
        "\xc3\xa9", "2020-01-02", "-",    "longer text here",
        "#5"};
    static const char *const quoted[] = {"\"q\"",          "\"\"",   "\"a\"\"b\"",
                                         "\"two\nlines\"", "\"NA\"", "\"\"\"\"",
                                         "\"cr\r\nlf\"",   "\"1\""};
    static const char *const odd[] = {"a\"b", "5\"",       "\"1\"x",  "\"",    " \"a\"",
                                      "\xff", "a\xc0\x80", "\"x\"\"", "cr\rcr"};
    int kind = roll(d, 100);
    if (wild && kind < wild) {
        int k = roll(d, 10);
        if (k == 9)
            str_addn(t, "n\0l", 3);
        else
            str_add(t, odd[k]);
    } else if (kind < 30) {
        str_add(t, quoted[roll(d, 8)]);
        if (roll(d, 8) == 0) {
            t->s[--t->len] = delim; /* the delimiter inside */
            str_addc(t, '"');
        }
    } else {
        str_add(t, plain[roll(d, 17)]);
    }
}

static void make_text(struct dice *d, struct str *t, char delim)
{
    int cols = 1 + roll(d, 4), rows = roll(d, 40),
        wild = roll(d, 3) ? 0 : 1 + roll(d, 4);
    int ragged = roll(d, 3) ? 0 : 6, crlf = roll(d, 3);
    str_clear(t);
    for (int j = 0; j < cols; j++) str_addf(t, "%sc%d", j ? (char[]){delim, 0} : "", j);
    str_add(t, "\n");
    for (int i = 0; i < rows; i++) {
        int n = cols;
        if (ragged && roll(d, 30) < ragged) n += roll(d, 3) - 1;
        if (roll(d, 20) == 0) n = 0;
        if (roll(d, 25) == 0) str_add(t, "#remark \"\n");
        for (int j = 0; j < n; j++) {
            if (j) str_addc(t, delim);
            add_cell(d, t, delim, wild);
        }
        str_add(t, crlf == 1 || (crlf == 2 && roll(d, 2)) ? "\r\n" : "\n");
    }
    if (roll(d, 4) == 0) t->len--;
    t->s[t->len] = '\0';
}

/* ---- comparing ---- */

static tide_ctx *ctx;
static int sameness;

static void check_against_slow(const struct slow *r, const tide_frame *f, int round)
{
    CHECK_MSG(f->n_rows == r->n_rows - 1 && f->n_cols == r->n_cols,
              "round %d: %lld x %d, not %d x %d", round, (long long)f->n_rows,
              f->n_cols, r->n_rows - 1, r->n_cols);
    if (f->n_rows != r->n_rows - 1 || f->n_cols != r->n_cols) return;
    for (int i = 0; i < r->n_rows - 1; i++)
        for (int j = 0; j < r->n_cols; j++) {
            char got[256];
            int k = (i + 1) * r->n_cols + j;
            int64_t n = tide_frame_text(f, i, j, got, sizeof got), want = r->cell[k].n;
            if (r->cell[k].absent ||
                (!r->cell[k].quoted &&
                 csv_is_missing(r->cell[k].s, (size_t)r->cell[k].n)))
                want = -1;
            CHECK_MSG(n == want && (n < 0 || !memcmp(got, r->cell[k].s, (size_t)n)),
                      "round %d: cell %d %d is \"%s\" (%lld), not \"%.*s\" (%lld)",
                      round, i, j, got, (long long)n, (int)r->cell[k].n, r->cell[k].s,
                      (long long)want);
        }
}

/* Everything of a frame in one number. */
static uint64_t print_of(const tide_frame *f)
{
    uint64_t h = (uint64_t)f->n_rows;
    char text[512];
    for (int j = 0; j < f->n_cols; j++) {
        h = gen_h(h, (uint64_t)f->cols[j].type, (uint64_t)f->cols[j].n_missing);
        for (int64_t i = 0; i < f->n_rows; i++) {
            int64_t n = column_text(&f->cols[j], i, text, sizeof text);
            h = gen_h(h, (uint64_t)n, (uint64_t)frame_line(f, i));
            if (f->cols[j].code) h = gen_h(h, f->cols[j].code[i], 1);
            for (int64_t k = 0; k < n && k < 511; k++)
                h = gen_mix(h + (unsigned char)text[k]);
        }
    }
    return h;
}

/* Reads in several ways; all must agree. Returns the frame of the first, or NULL and err. */
static tide_frame *read_ways(struct dice *d, const struct str *t,
                             const struct tide_read_options *o, tide_error *err,
                             int round)
{
    tide_frame *first = NULL;
    memset(err, 0, sizeof *err);
    for (int way = 0; way < 4; way++) {
        tide_error e = {0};
        tide_frame *f = NULL;
        int64_t slab = way == 0 ? 1 << 20 : 1 + roll(d, way == 1 ? 8 : 300);
        if (tide_ctx_set_threads(ctx, 1 + way % 3, NULL) != TIDE_OK) return NULL;
        if (csv_read_table(ctx, "t", t->s, t->len, o, slab, &f, &e) != TIDE_OK)
            f = NULL;
        if (way == 0) {
            first = f;
            *err = e;
            continue;
        }
        CHECK_MSG((f == NULL) == (first == NULL) && e.code == err->code &&
                      e.line == err->line && e.column == err->column &&
                      e.offset == err->offset && !strcmp(e.message, err->message),
                  "round %d, slab %lld: \"%s\" at %lld:%lld, not \"%s\" at %lld:%lld",
                  round, (long long)slab, e.message, (long long)e.line,
                  (long long)e.column, err->message, (long long)err->line,
                  (long long)err->column);
        if (f && first)
            CHECK_MSG(print_of(f) == print_of(first),
                      "round %d: slab %lld gives another table", round,
                      (long long)slab);
        sameness += f && first;
        tide_frame_free(f);
    }
    return first;
}

static void one_round(int round, struct slow *r, struct str *t)
{
    static const char delims[] = ",;\t|";
    static const char *const bads[] = {"fail", "null", "skip"};
    struct dice d = {(uint64_t)round, 0};
    char delim[2] = {delims[roll(&d, 4)], 0}, types[8][32];
    const char *items[8];
    tide_error err;
    make_text(&d, t, delim[0]);
    r->delim = delim[0];
    r->on_bad = roll(&d, 3);
    int quote = roll(&d, 8) == 0 ? 1 : roll(&d, 6) == 0 ? 2 : 0;
    r->quote = quote == 1 ? 0 : '"';
    r->lenient = quote == 2;
    r->comment = roll(&d, 2) ? "#" : "";
    r->max_field = roll(&d, 4) ? 1 << 20 : 10 + roll(&d, 30);
    for (int j = 0; j < 8; j++) {
        snprintf(types[j], sizeof types[j], "c%d=text", j);
        items[j] = types[j];
    }
    int ends = t->len && t->s[t->len - 1] == '\n';
    if (!ends) t->s[t->len] = '\n'; /* over the terminator, for the slow reader */
    slow_read(r, t->s, (int64_t)t->len + !ends);
    if (!ends) t->s[t->len] = '\0';
    struct tide_read_options o = {.delim = delim,
                                  .quote = quote,
                                  .header = 1,
                                  .decimal = ".",
                                  .on_bad = bads[r->on_bad],
                                  .comment = r->comment,
                                  .max_field = r->max_field,
                                  .types = {items, r->n_cols}};
    tide_frame *f = read_ways(&d, t, &o, &err, round);
    if (r->order >= 0) {
        int64_t begin = r->at, line = 1;
        while (begin > 0 && t->s[begin - 1] != '\n') begin--;
        for (int64_t i = 0; i < r->at; i++) line += t->s[i] == '\n';
        CHECK_MSG(!f && err.code == r->code && err.line == line &&
                      err.column == r->at - begin + 1,
                  "round %d: %s at %lld:%lld, not %s at %lld:%lld", round,
                  tide_code_name(err.code), (long long)err.line, (long long)err.column,
                  tide_code_name(r->code), (long long)line,
                  (long long)(r->at - begin + 1));
    } else {
        CHECK_MSG(f != NULL, "round %d: %s", round, err.message);
        if (f) check_against_slow(r, f, round);
    }
    tide_frame_free(f);
    o.types.n = 0; /* whatever is inferred, it is the same in every way */
    tide_frame_free(read_ways(&d, t, &o, &err, round));
}

TEST(reader_equals_a_slow_reader_in_every_way)
{
    const char *more = getenv("TIDEMILL_ROUNDS");
    int rounds = more ? (int)strtol(more, NULL, 10) : 100;
    struct slow *r = calloc(1, sizeof *r);
    struct str t = {0};
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    for (int k = 0; r && k < rounds && unit_bad < 20; k++) {
        int before = unit_bad;
        one_round(k, r, &t);
        if (unit_bad != before) {
            struct str shown = {0};
            str_add_visible(&shown, t.s, t.len);
            fprintf(stderr, "the text of round %d: %s\n", k, shown.s);
            str_free(&shown);
        }
    }
    CHECK(sameness > rounds);
    str_free(&t);
    free(r);
    tide_ctx_free(ctx);
}

/* What the fuzzer found: faults that only the end of a slab made. */
TEST(faults_do_not_depend_on_where_a_slab_ends)
{
    static const struct {
        const char *text;
        size_t n;
        struct tide_read_options o;
        tide_code code;
        int64_t line, column;
    } all[] = {
        {",,,,\021,b\0\0\0\023,\"5\n",
         15,
         {.max_columns = 3},
         TIDE_CODE_LIMIT_COLUMNS,
         1,
         1},
        {"x\n123456789012\xf0\x9f\x98\x80\n",
         19,
         {.max_field = 12},
         TIDE_CODE_LIMIT_FIELD,
         2,
         1},
        {"x\n123456789012\xf0\x9f\x98y\n",
         19,
         {.max_field = 12},
         TIDE_CODE_CSV_ENCODING,
         2,
         13},
        {"a b\nc                 d\n", 24, {.max_field = 12, .delim = " "}, 0, 0, 0},
        {"a b\nc                 \r\n",
         24,
         {.max_field = 12, .delim = " "},
         TIDE_CODE_CSV_FIELDS,
         2,
         1},
        {"a b\nc     \"234567890123\n",
         24,
         {.max_field = 12, .delim = " "},
         TIDE_CODE_LIMIT_FIELD,
         2,
         7},
        {"a b\nc                   1234567890123\n",
         38,
         {.max_field = 12, .max_line = 20, .delim = " "},
         TIDE_CODE_LIMIT_LINE,
         2,
         1}};
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (int64_t slab = 0; slab < 30; slab++) {
            tide_frame *f = NULL;
            tide_error err = {0};
            (void)csv_read_table(ctx, "t", all[k].text, all[k].n, &all[k].o, slab, &f,
                                 &err);
            CHECK_MSG(err.code == all[k].code && err.line == all[k].line &&
                          err.column == all[k].column,
                      "text %zu, slab %lld: \"%s\" at %lld:%lld", k, (long long)slab,
                      err.message, (long long)err.line, (long long)err.column);
            tide_frame_free(f);
        }
    tide_ctx_free(ctx);
}
