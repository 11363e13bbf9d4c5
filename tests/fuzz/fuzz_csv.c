/* fuzz_csv.c - a dialect and the bytes of a table
 *
 * However the text is cut into slabs and however many threads read it, the table, the error
 * and the warnings are the same. Where the first bytes leave nothing to be guessed and all
 * columns are text, the table and the error are those of a slow reader of single bytes. */
#include <tidemill/ctx.h>

#include "base/str.h"
#include "frame/csv.h"
#include "fuzz/fuzz.h"
#include "support/slow_csv.h"

enum { MOST = 4096, MOST_TEXT_COLUMNS = 48 };

/* What a reading gave, but for the frame. */
struct outcome {
    tide_status status;
    tide_error err;
    uint64_t said; /* warnings and notes */
    tide_frame *frame;
};

static tide_ctx *ctx[2]; /* one thread, three */
static struct slow slow;
static char copy[MOST + 2];

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static void hear(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    struct outcome *o = payload;
    o->said = mix(o->said, (uint64_t)kind);
    o->said = mix(o->said, (uint64_t)event->code);
    o->said = mix(o->said, (uint64_t)event->line);
    o->said = mix(o->said, (uint64_t)event->column);
    for (const char *s = event->message; *s; s++) o->said = mix(o->said, (uint8_t)*s);
}

static void read_way(const char *text, size_t n, const struct tide_read_options *o,
                     int64_t slab, int threads, struct outcome *out)
{
    memset(out, 0, sizeof *out);
    tide_ctx_set_events(ctx[threads], hear, out);
    out->status =
        csv_read_table(ctx[threads], "t", text, n, o, slab, &out->frame, &out->err);
    FUZZ_CHECK((out->status == TIDE_OK) == (out->frame != NULL), "status %d",
               (int)out->status);
    FUZZ_CHECK(out->status == out->err.status, "status %d, in the error %d",
               (int)out->status, (int)out->err.status);
    FUZZ_CHECK(out->status == TIDE_OK || out->status == TIDE_EDATA ||
                   out->status == TIDE_ELIMIT || out->status == TIDE_EINVAL,
               "status %d: %s", (int)out->status, out->err.message);
}

static int same(const void *a, const void *b, size_t n)
{
    return (!a && !b) || (a && b && !memcmp(a, b, n));
}

static int same_column(const struct column *a, const struct column *b)
{
    size_t n = (size_t)a->n_rows;
    if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->n_rows != b->n_rows ||
        a->n_missing != b->n_missing)
        return 0;
    if (!same(a->f64, b->f64, n * sizeof *a->f64) ||
        !same(a->i64, b->i64, n * sizeof *a->i64) || !same(a->b, b->b, n) ||
        !same(a->code, b->code, n * sizeof *a->code))
        return 0;
    if (a->type == TIDE_CAT)
        return a->dict.n == b->dict.n &&
               same(a->dict.offset, b->dict.offset,
                    (a->dict.n + 1) * sizeof(uint32_t)) &&
               (!a->dict.n ||
                same(a->dict.bytes, b->dict.bytes, a->dict.offset[a->dict.n]));
    if (a->type != TIDE_TEXT) return 1;
    for (size_t i = 0; i < n; i++) {
        int gap = a->text_missing && a->text_missing[i];
        if (gap != (b->text_missing && b->text_missing[i])) return 0;
    }
    return same(a->text_at, b->text_at, (n + 1) * sizeof *a->text_at) &&
           (!a->text_at[n] || same(a->text, b->text, (size_t)a->text_at[n]));
}

static void compare(const struct outcome *a, const struct outcome *b, int64_t slab,
                    int threads)
{
    const tide_error *x = &a->err, *y = &b->err;
    FUZZ_CHECK(x->code == y->code && x->line == y->line && x->column == y->column &&
                   x->offset == y->offset && !strcmp(x->message, y->message) &&
                   !strcmp(x->option, y->option) && !strcmp(x->value, y->value),
               "slab %lld, context %d: \"%s\" at %lld:%lld, not \"%s\" at %lld:%lld",
               (long long)slab, threads, y->message, (long long)y->line,
               (long long)y->column, x->message, (long long)x->line,
               (long long)x->column);
    if (!a->frame) return;
    const tide_frame *f = a->frame, *g = b->frame;
    FUZZ_CHECK(a->said == b->said, "slab %lld, context %d: other warnings",
               (long long)slab, threads);
    FUZZ_CHECK(f->n_rows == g->n_rows && f->n_cols == g->n_cols &&
                   f->n_bad_rows == g->n_bad_rows && !strcmp(f->dialect, g->dialect),
               "slab %lld: %lld x %d, %s, not %lld x %d, %s", (long long)slab,
               (long long)g->n_rows, g->n_cols, g->dialect, (long long)f->n_rows,
               f->n_cols, f->dialect);
    for (int j = 0; j < f->n_cols; j++)
        FUZZ_CHECK(same_column(&f->cols[j], &g->cols[j]),
                   "slab %lld: column %d differs", (long long)slab, j);
    for (int64_t i = 0; i < f->n_rows; i++)
        FUZZ_CHECK(frame_line(f, i) == frame_line(g, i), "slab %lld: line of row %lld",
                   (long long)slab, (long long)i);
}

/* ---- the slow reader ---- */

/* Lone CRs end lines where there is no LF outside quotes: made LF, as the reader does. */
static void even_line_ends(char *s, size_t n, char quote)
{
    size_t lf = 0, cr = 0;
    int quoted = 0;
    for (size_t i = 0; i < n; i++) {
        quoted ^= quote && s[i] == quote;
        if (quoted) continue;
        lf += s[i] == '\n';
        cr += s[i] == '\r' && (i + 1 == n || s[i + 1] != '\n');
    }
    if (n && s[n - 1] == '\r' && lf == 0) cr++;
    for (size_t i = 0; i < n && lf == 0 && cr > 0; i++)
        if (s[i] == '\r') s[i] = '\n';
}

static void run_slow(const struct tide_read_options *o, const char *text, size_t n)
{
    size_t mark = n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
    n -= mark;
    memcpy(copy, text + mark, n);
    slow.delim = o->delim[0];
    slow.quote = o->quote == 1 ? 0 : '"';
    slow.lenient = o->quote == 2;
    slow.on_bad = o->on_bad[0] == 'n' ? 1 : o->on_bad[0] == 's' ? 2 : 0;
    slow.comment = o->comment;
    slow.max_field = o->max_field ? o->max_field : 1 << 20;
    even_line_ends(copy, n, slow.quote);
    if (n && copy[n - 1] != '\n') copy[n++] = '\n';
    copy[n] = '\0';
    slow_read(&slow, copy, (int64_t)n);
}

/* The first bytes may say that it is no table, or of another encoding, before any row. */
static int is_refused_as_a_whole(const tide_error *e)
{
    return e->code == TIDE_CODE_CSV_NOT_TEXT ||
           (e->code == TIDE_CODE_CSV_ENCODING && e->line == 0);
}

static void compare_fault(const tide_error *e)
{
    int64_t line = 1, begin = slow.at;
    for (int64_t i = 0; i < slow.at; i++) line += copy[i] == '\n';
    while (begin > 0 && copy[begin - 1] != '\n') begin--;
    FUZZ_CHECK(e->code == slow.code && e->line == line &&
                   e->column == slow.at - begin + 1,
               "%s at %lld:%lld, not %s at %lld:%lld", tide_code_name(e->code),
               (long long)e->line, (long long)e->column, tide_code_name(slow.code),
               (long long)line, (long long)(slow.at - begin + 1));
}

static void compare_slow(const struct outcome *o)
{
    if (slow.full || is_refused_as_a_whole(&o->err)) return;
    if (slow.order >= 0) {
        compare_fault(&o->err);
        return;
    }
    if (!slow.n_cols) {
        FUZZ_CHECK(o->err.code == TIDE_CODE_CSV_EMPTY, "%s", o->err.message);
        return;
    }
    const tide_frame *f = o->frame;
    FUZZ_CHECK(f != NULL, "%s", o->err.message);
    FUZZ_CHECK(f->n_rows == slow.n_rows && f->n_cols == slow.n_cols,
               "%lld x %d, not %d x %d", (long long)f->n_rows, f->n_cols, slow.n_rows,
               slow.n_cols);
    for (int i = 0, k = 0; i < slow.n_rows; i++)
        for (int j = 0; j < slow.n_cols; j++, k++) {
            char got[MOST + 1];
            int64_t n = tide_frame_text(f, i, j, got, sizeof got);
            int64_t want = slow.cell[k].n;
            const char *s = slow.cell[k].s;
            if (slow.cell[k].absent ||
                (!slow.cell[k].quoted && csv_is_missing(s, (size_t)want)))
                want = -1;
            FUZZ_CHECK(n == want && (n < 0 || !memcmp(got, s, (size_t)n)),
                       "cell %d %d is \"%s\" (%lld), not \"%.*s\" (%lld)", i, j,
                       n < 0 ? "" : got, (long long)n, (int)slow.cell[k].n, s,
                       (long long)want);
        }
}

/* ---- the target ---- */

static int start(void)
{
    if (ctx[0]) return 0;
    for (int k = 0; k < 2; k++)
        if (tide_ctx_new(&ctx[k], NULL) ||
            tide_ctx_set_threads(ctx[k], k ? 3 : 1, NULL))
            return 1;
    return 0;
}

/* All columns as text, where the delimiter is told and the first row is data. */
static int ask_for_text(struct tide_read_options *o, const char *text, size_t n)
{
    static char name[MOST_TEXT_COLUMNS][24];
    static const char *items[MOST_TEXT_COLUMNS];
    o->header = 2;
    o->max_line = o->max_columns = 0;
    run_slow(o, text, n);
    if (slow.n_cols > MOST_TEXT_COLUMNS) return 0;
    for (int j = 0; j < slow.n_cols; j++) {
        if (!items[j]) snprintf(name[j], sizeof name[j], "column_%d=text", j + 1);
        items[j] = name[j];
    }
    o->types = (struct tide_text_list){items, slow.n_cols};
    return 1;
}

/* Four bytes of dialect, then the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const delims[] = {"auto", ",", ";", "tab", "|", " ", "^", ","};
    static const char *const bads[] = {"fail", "null", "skip", "fail"};
    static const char *const decimals[] = {"auto", ".", ",", "."};
    static const char *const thousands[] = {"", ",", ".", " "};
    static const char *const na[] = {"?", "-"};
    if (size < 4 || size > MOST || start()) return 0;
    uint8_t a = data[0], b = data[1], c = data[2], d = data[3];
    const char *text = (const char *)data + 4;
    size_t n = size - 4;
    struct tide_read_options o = {.delim = delims[a & 7],
                                  .quote = (a >> 3 & 3) % 3,
                                  .on_bad = bads[a >> 5 & 3],
                                  .header = b & 3,
                                  .comment = b & 4 ? "#" : "",
                                  .decimal = decimals[b >> 3 & 3],
                                  .thousands = thousands[b >> 5 & 3],
                                  .inf = b >> 7,
                                  .mixed = c >> 1 & 1,
                                  .max_field = c & 4 ? 12 : 0,
                                  .max_line = c & 16 ? 40 : 0,
                                  .max_columns = c & 32 ? 3 : 0};
    if (!strcmp(o.decimal, o.thousands)) o.thousands = ""; /* is refused */
    if (c & 1) o.na = (struct tide_text_list){(const char *const *)na, 2};
    int plain = (c & 8) && (a & 7) != 0 && (a & 7) != 5;
    if (plain) {
        struct tide_read_options wish = o;
        wish.delim = (a & 7) == 3 ? "\t" : o.delim;
        wish.na.n = 0;
        plain = ask_for_text(&wish, text, n);
        if (plain) o = wish;
    }
    struct outcome first, other;
    int64_t slab = 1 + d % 64;
    int threads = d == 0xff && c >> 6 == 3; /* seldom: idle threads spin */
    read_way(text, n, &o, 0, 0, &first);
    if (plain) compare_slow(&first);
    read_way(text, n, &o, slab, threads, &other);
    compare(&first, &other, slab, threads);
    tide_frame_free(first.frame);
    tide_frame_free(other.frame);
    return 0;
}
