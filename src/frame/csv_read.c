/* csv_read.c - a table from a file: options, phases, warnings, the finished frame */
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/csv.h"
#include "spec/reader.h"

/* ---- options ---- */

static tide_status bad_option(const char *option, const char *value, const char *wanted,
                              tide_error *err)
{
    char shown[160];
    err_quote(shown, sizeof shown, value, strlen(value), 100);
    err_set(err, TIDE_CODE_PARAM_VALUE, "expected %s for '%s', got \"%s\"", wanted,
            option, shown);
    return err_field(err, option);
}

static int is_mark(char c)
{
    return c > 31 && c < 127 && c != '"' && !(c >= '0' && c <= '9') &&
           !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z');
}

static tide_status take_delim(struct csv_reader *r, tide_error *err)
{
    static const struct {
        const char *word;
        char c;
    } words[] = {{"auto", 0},      {"tab", '\t'},   {"\\t", '\t'}, {"\t", '\t'},
                 {"comma", ','},   {"space", ' '},  {"pipe", '|'}, {"semicolon", ';'},
                 {"\x1f", '\x1f'}, {"\x1e", '\x1e'}};
    const char *text = r->o.delim;
    if (!text || !*text) return TIDE_OK;
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        if (strcmp(text, words[k].word) == 0) {
            r->d.delim = words[k].c;
            return TIDE_OK;
        }
    if (text[1] || !is_mark(text[0]))
        return bad_option("delim", text, "auto, tab, space or one mark", err);
    r->d.delim = text[0];
    return TIDE_OK;
}

static tide_status take_on_bad(struct csv_reader *r, tide_error *err)
{
    const char *text = r->o.on_bad;
    if (!text || !*text || !strcmp(text, "fail")) {
        r->on_bad = CSV_FAIL;
    } else if (!strcmp(text, "null")) {
        r->on_bad = CSV_NULL;
    } else if (!strcmp(text, "skip")) {
        r->on_bad = CSV_SKIP;
    } else if (!strncmp(text, "reject=", 7) && text[7]) {
        r->on_bad = CSV_REJECT;
        tide_status st = file_replace_begin(&r->reject, text + 7, err);
        r->rejecting = st == TIDE_OK;
        return st;
    } else {
        return bad_option("on-bad", text, "fail, null, skip or reject=FILE", err);
    }
    return TIDE_OK;
}

static tide_status take_options(struct csv_reader *r, const struct tide_read_options *o,
                                tide_error *err)
{
    if (o) r->o = *o;
    if (!r->o.max_field) r->o.max_field = 1 << 20;
    if (!r->o.max_line) r->o.max_line = 64 << 20;
    if (!r->o.max_columns) r->o.max_columns = 65536;
    if (r->o.max_line > 1 << 30) r->o.max_line = 1 << 30;
    r->d.quote = r->o.quote == 1 ? 0 : '"';
    r->d.lenient = r->o.quote == 2;
    const char *decimal = r->o.decimal, *thousands = r->o.thousands;
    if (decimal && *decimal && strcmp(decimal, "auto") != 0) {
        if (strcmp(decimal, ".") != 0 && strcmp(decimal, ",") != 0)
            return bad_option("decimal", decimal, "auto, a point or a comma", err);
        r->d.decimal = decimal[0];
    }
    if (thousands && *thousands) {
        if (thousands[1] || !(is_mark(thousands[0]) || thousands[0] == ' '))
            return bad_option("thousands", thousands, "one mark", err);
        r->d.thousands = thousands[0];
        if (r->d.decimal == r->d.thousands)
            return bad_option("thousands", thousands, "a mark other than --decimal's",
                              err);
        /* The mark of thousands cannot be that of decimals too: nothing to be guessed. */
        if (!r->d.decimal && (thousands[0] == '.' || thousands[0] == ','))
            r->d.decimal = thousands[0] == '.' ? ',' : '.';
    }
    r->d.comment = r->o.comment ? r->o.comment : "";
    r->d.n_comment = strlen(r->d.comment);
    tide_status st = take_delim(r, err);
    return st == TIDE_OK ? take_on_bad(r, err) : st;
}

/* ---- which columns, of which types ---- */

static int find_name(const struct csv_reader *r, const char *name, size_t n)
{
    for (int j = 0; j < r->n_cols; j++)
        if (strlen(r->cols[j].name) == n && memcmp(r->cols[j].name, name, n) == 0)
            return j;
    return -1;
}

static tide_status no_column(const struct csv_reader *r, const char *name, size_t n,
                             const char *option, const char *tail, tide_error *err)
{
    char shown[128], whole[256];
    err_quote(shown, sizeof shown, name, n, 60);
    err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'", shown);
    err_at(err, r->path, r->header_line, 1);
    str_format(whole, sizeof whole, "%.*s", (int)(n < 200 ? n : 200), name);
    err_field(err, whole);
    const char **names = mem_array((size_t)r->n_cols + 1, sizeof *names);
    if (!names) return TIDE_EDATA;
    for (int j = 0; j < r->n_cols; j++) names[j] = r->cols[j].name;
    const char *near = err_nearest(whole, names, r->n_cols);
    if (near) err_hint(err, option, "%s%s", near, tail);
    mem_free(names);
    return TIDE_EDATA;
}

/* An item is a name, or names with commas between. */
static tide_status want_columns(struct csv_reader *r, const char *item, tide_error *err)
{
    int j = find_name(r, item, strlen(item));
    if (j >= 0) {
        r->cols[j].out = 0;
        return TIDE_OK;
    }
    for (const char *p = item;;) {
        size_t n = strcspn(p, ",");
        j = find_name(r, p, n);
        if (j < 0) return no_column(r, p, n, "columns", "", err);
        r->cols[j].out = 0;
        if (!p[n]) return TIDE_OK;
        p += n + 1;
    }
}

static tide_status declare_type(struct csv_reader *r, const char *item, tide_error *err)
{
    const char *eq = strrchr(item, '=');
    if (!eq || eq == item) return bad_option("types", item, "COLUMN=TYPE", err);
    int j = find_name(r, item, (size_t)(eq - item)), type = 0;
    if (j < 0) return no_column(r, item, (size_t)(eq - item), "types", eq, err);
    for (int k = TIDE_BOOL; k <= TIDE_TEXT; k++)
        if (strcmp(eq + 1, tide_type_name((enum tide_type)k)) == 0) type = k;
    if (!type)
        return bad_option("types", item, "bool, int, number, time, category or text",
                          err);
    r->cols[j].type = (uint8_t)type;
    r->cols[j].declared = 1;
    return TIDE_OK;
}

tide_status csv_choose_columns(struct csv_reader *r, int *n_out, tide_error *err)
{
    tide_status st = TIDE_OK;
    *n_out = 0;
    for (int j = 0; j < r->n_cols; j++) r->cols[j].out = r->o.columns.n ? -1 : 0;
    for (int k = 0; st == TIDE_OK && k < r->o.columns.n; k++)
        st = want_columns(r, r->o.columns.items[k], err);
    for (int k = 0; st == TIDE_OK && k < r->o.types.n; k++)
        st = declare_type(r, r->o.types.items[k], err);
    for (int j = 0; j < r->n_cols; j++)
        if (r->cols[j].out >= 0) r->cols[j].out = (*n_out)++;
    return st;
}

tide_status csv_for(struct csv_reader *r, int64_t n, par_fn fn, void *arg,
                    tide_error *err)
{
    if (r->slab < CSV_SLAB || r->src.total > CSV_SMALL || n < 1)
        return par_for(r->ctx, n, fn, arg, err);
    for (int64_t k = 0; k < n; k++) {
        if (ctx_cancelled(r->ctx)) return err_cancelled(err);
        fn(arg, k, 0);
    }
    return TIDE_OK;
}

void csv_lanes_init(struct csv_lanes *l, struct csv_reader *r)
{
    int64_t n = par_threads(r->ctx);
    l->r = r;
    l->n_blocks = r->n_blocks;
    l->n = (int)(n < r->n_blocks ? n : r->n_blocks);
    atomic_init(&l->next, 0);
}

int64_t csv_next(struct csv_lanes *l)
{
    if (ctx_cancelled(l->r->ctx)) return -1;
    long long k = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
    return k < l->n_blocks ? k : -1;
}

/* ---- the frame ---- */

static const char *delim_name(char delim, char *buf, size_t size)
{
    switch (delim) {
    case ',':
        return "comma";
    case '\t':
        return "tab";
    case ';':
        return "semicolon";
    case '|':
        return "pipe";
    case ' ':
        return "space";
    default:
        if (delim < 32)
            str_format(buf, size, "delimiter 0x%02x", (unsigned)delim);
        else
            str_format(buf, size, "delimiter %c", delim);
        return buf;
    }
}

static const char *describe(const struct csv_reader *r, struct arena *a)
{
    struct str t = {0};
    char buf[32];
    str_addf(&t, "%s, %s, %s", delim_name(r->d.delim, buf, sizeof buf),
             r->has_header ? "header" : "no header",
             r->d.cr            ? "CR"
             : r->crlf && r->lf ? "CRLF and LF"
             : r->crlf          ? "CRLF"
                                : "LF");
    if (r->d.decimal == ',') str_add(&t, ", decimal comma");
    if (r->d.lenient) str_add(&t, ", lenient quotes");
    if (!r->d.quote) str_add(&t, ", no quotes");
    str_add(&t, r->src.kind);
    if (r->n_blank)
        str_addf(&t, ", %lld blank line%s skipped", (long long)r->n_blank,
                 r->n_blank == 1 ? "" : "s");
    const char *text = arena_str(a, t.s ? t.s : "");
    if (t.failed) a->failed = TIDE_ENOMEM;
    str_free(&t);
    return text;
}

/* Lines of rows: a number when rows stand line by line, else the array that the conversion
 * filled. */
static void keep_lines(const struct csv_reader *r, tide_frame *f)
{
    int64_t first = 0;
    for (int64_t k = 0; k < r->n_blocks && !first; k++)
        if (r->blocks[k].n_rows) first = r->blocks[k].first_line;
    f->first_line = first ? first : r->header_line + 1;
    f->line_of_row = r->line_of_row;
}

static void warn_at_end(const struct csv_reader *r)
{
    char name[160];
    if (r->n_bare) {
        tide_error w = {0};
        char more[64] = "";
        if (r->n_bare > 1)
            str_format(more, sizeof more, ", and %lld more", (long long)r->n_bare - 1);
        csv_name_of(r, r->bare_field, name, sizeof name);
        err_set(&w, TIDE_CODE_CSV_QUOTE,
                r->d.lenient
                    ? "text around a quote in %s is taken literally%s"
                    : "a quote inside an unquoted field of %s is taken literally%s",
                name, more);
        err_at(&w, r->path, r->bare_line, r->bare_column);
        ctx_warn(r->ctx, &w);
    }
    if (r->n_bad)
        ctx_note(r->ctx, "%s: %lld row%s %s", r->path, (long long)r->n_bad,
                 r->n_bad == 1 ? "" : "s",
                 r->on_bad == CSV_NULL   ? "repaired or left out"
                 : r->on_bad == CSV_SKIP ? "left out"
                                         : "rejected");
}

static tide_status refuse_empty(const struct csv_reader *r, tide_error *err)
{
    if (r->n_lines == 0) {
        err_set(err, TIDE_CODE_CSV_EMPTY, "file is empty (%lld bytes)",
                (long long)r->src.total);
    } else {
        err_set(err, TIDE_CODE_CSV_EMPTY, "%lld line%s, all blank%s",
                (long long)r->n_lines, r->n_lines == 1 ? "" : "s",
                r->d.n_comment ? " or comments" : "");
    }
    return err_at(err, r->path, 0, 0);
}

static tide_status make_frame(struct csv_reader *r, tide_frame **out, tide_error *err)
{
    int n_out = 0;
    tide_frame *f = NULL;
    tide_status st = csv_choose_columns(r, &n_out, err);
    if (st == TIDE_OK) st = csv_infer(r, 1, err);
    if (st == TIDE_OK) st = csv_convert(r, n_out, &f, err);
    if (st == TIDE_OK) keep_lines(r, f);
    if (st == TIDE_OK && r->rejecting) {
        r->rejecting = 0;
        st = file_replace_commit(&r->reject, r->ctx, err);
    }
    if (st == TIDE_OK) {
        f->source = arena_str(&f->arena, r->path);
        f->dialect = describe(r, &f->arena);
        f->n_bad_rows = r->n_bad;
        for (int j = 0; j < r->n_cols; j++) f->n_mixed += r->cols[j].mixed;
        st = arena_status(&f->arena, err);
    }
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    warn_at_end(r);
    *out = f;
    return TIDE_OK;
}

tide_status csv_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                           size_t n_data, const struct tide_read_options *options,
                           int64_t slab, tide_frame **out, tide_error *err)
{
    struct csv_reader r = {.ctx = ctx, .slab = slab ? slab : CSV_SLAB};
    tide_status st;
    *out = NULL;
    r.path = strcmp(path, "-") == 0 ? "stdin" : path;
    r.src.fd = -1;
    arena_init(&r.text, ctx);
    arena_init(&r.work, ctx);
    csv_window_init(&r.look, ctx);
    st = take_options(&r, options, err);
    if (st == TIDE_OK) {
        if (data)
            csv_source_memory(&r.src, ctx, data, n_data);
        else
            st = csv_source_open(&r.src, ctx, path, err);
    }
    if (st == TIDE_OK) st = csv_sniff(&r, err);
    r.again = !r.src.codec && (r.src.fd < 0 || (r.src.sized && r.src.size > CSV_SMALL));
    if (st == TIDE_OK) st = csv_read_blocks(&r, err);
    if (st == TIDE_OK && !r.n_cols) st = refuse_empty(&r, err);
    if (st == TIDE_OK) st = make_frame(&r, out, err);
    if (r.rejecting) file_replace_abort(&r.reject);
    csv_early_drop(&r);
    csv_source_close(&r.src);
    arena_free(&r.text);
    arena_free(&r.work);
    csv_window_free(&r.look);
    return st;
}

static tide_status read_csv(struct tide_ctx *ctx, const char *path,
                            const struct tide_read_options *options, tide_frame **out,
                            tide_error *err)
{
    return csv_read_table(ctx, path, NULL, 0, options, 0, out, err);
}

static tide_status write_csv(struct tide_ctx *ctx, const tide_frame *frame,
                             tide_sink_fn sink, void *payload, tide_error *err)
{
    return tide_frame_write(ctx, frame, 0, sink, payload, err);
}

const struct tide_reader tide_reader_csv = {
    .name = "csv",
    .title = "rows of text with a mark between fields",
    .camel = "CSV",
    .guide = "Q13",
    .paper = "RFC 4180",
    .endings = ".csv .tsv .tab .txt .data",
    .read = read_csv,
    .write = write_csv,
};
