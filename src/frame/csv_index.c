/* csv_index.c - slabs of text become blocks of whole rows with an index of their cells
 *
 * The kernel finds delimiters and newlines outside quotes by quote parity. That is the truth
 * only while quotes are regular: an opening quote follows a delimiter or a line's start, a
 * closing one stands before a delimiter, a line's end or another quote. Slabs with quotes
 * are checked for it; what is irregular, and what has comments, lenient quotes or blanks as
 * delimiters, goes through a scanner that reads byte by byte. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "frame/csv.h"

/* The first fault of structure in a text: the one that a reader of single bytes would
 * notice first (`order`), so that slabs do not matter. */
struct fault {
    int64_t order; /* INT64_MAX: none */
    int64_t at;    /* the place it is told of */
    tide_code code;
    int64_t got; /* fields of a row, bytes of a limit */
    int hash;    /* the row begins with # */
};

/* What one pass over a slab found. Counts are of complete rows. */
struct scan {
    int64_t n_pos, n_tail; /* cell ends in r->pos: of complete rows, behind them */
    int64_t n_rows, cut;
    int slow;        /* r->starts holds the start of each row */
    int64_t open_at; /* quote still open at the end, or -1 */
    int high;
    int judge;                      /* rows answer for their UTF-8 one by one */
    struct fault fault, tail_fault; /* of complete rows; of the row behind them */
    int64_t n_bare, bare_at;
    int64_t last_start, last_cell; /* of the row that is not complete */
    int64_t last_end;              /* how far that cell goes for certain */
};

static const struct fault no_fault = {.order = INT64_MAX};

static void note_fault(struct fault *f, int64_t order, int64_t at, tide_code code,
                       int64_t got)
{
    if (order < f->order) *f = (struct fault){order, at, code, got, 0};
}

/* ---- quotes ---- */

/* The quote still open at the end of regular text, or -1. */
static int64_t open_quote(const struct csv_dialect *d, const char *s, int64_t n)
{
    const char *end = s + n, *p = s;
    while ((p = memchr(p, d->quote, (size_t)(end - p)))) {
        const char *open = p++;
        for (;;) {
            p = memchr(p, d->quote, (size_t)(end - p));
            if (!p) return open - s;
            p++;
            if (p >= end || *p != d->quote) break;
            p++; /* doubled */
        }
    }
    return -1;
}

/* ---- the scanner ---- */

struct walk {
    const struct csv_reader *r;
    const char *s;
    int64_t n, i;
    int64_t cell;  /* start of the cell at hand */
    int64_t blank; /* blanks begin here that end it, or are behind the row; -1: none */
    int64_t k;     /* cells of the row so far */
    int64_t n_bare, bare_at;
    struct fault fault;
    int64_t open_at;
};

/* From the start of a cell to the delimiter or newline behind it; -1: the text ends before. */
static int64_t walk_cell(struct walk *w)
{
    const struct csv_dialect *d = &w->r->d;
    const char *s = w->s;
    int64_t i = w->i, n = w->n;
    w->cell = i;
    if (d->trim)
        while (i < n && s[i] == ' ') i++;
    if (d->quote && i < n && s[i] == d->quote) {
        int64_t open = i++;
        for (;;) {
            const char *q = i < n ? memchr(s + i, d->quote, (size_t)(n - i)) : NULL;
            if (!q) {
                w->open_at = open;
                return -1;
            }
            i = q - s + 1;
            if (i >= n) return -1;
            if (s[i] != d->quote) break;
            i++;
        }
        int ends = s[i] == d->delim || s[i] == '\n';
        if (s[i] == '\r') {
            if (i + 1 >= n) return -1;
            ends = s[i + 1] == '\n';
        }
        if (!ends && !d->lenient) /* a CR is judged by the byte behind it */
            note_fault(&w->fault, i + (s[i] == '\r'), i, TIDE_CODE_CSV_QUOTE, 1);
        if (!ends && w->n_bare++ == 0) w->bare_at = i;
    }
    int64_t first_quote = -1;
    for (; i < n && s[i] != d->delim && s[i] != '\n'; i++)
        if (d->quote && s[i] == d->quote && first_quote < 0) first_quote = i;
    if (first_quote >= 0 && w->n_bare++ == 0) w->bare_at = first_quote;
    return i < n ? i : -1;
}

/* One row from w->i on into pos; returns the number of cells, 0 when it is not complete. */
static int64_t walk_row(struct walk *w, uint32_t *pos)
{
    const struct csv_dialect *d = &w->r->d;
    w->k = 0;
    w->blank = -1;
    for (;;) {
        int64_t e = walk_cell(w);
        if (e < 0) return 0;
        if (d->trim && w->s[e] == ' ') { /* blanks before the line's end end no cell */
            int64_t next = e;
            while (next < w->n && w->s[next] == ' ') next++;
            if (next >= w->n || (w->s[next] == '\r' && next + 1 >= w->n)) {
                w->blank = e;
                return 0;
            }
            if (w->s[next] == '\n' || (w->s[next] == '\r' && w->s[next + 1] == '\n'))
                e = w->s[next] == '\n' ? next : next + 1;
        }
        pos[w->k++] = (uint32_t)e;
        w->i = e + 1;
        if (w->s[e] == '\n') return w->k;
    }
}

/* Skips a comment line; -1 when its end is not there yet. */
static int skip_comment(struct walk *w)
{
    const struct csv_dialect *d = &w->r->d;
    if (!d->n_comment || (size_t)(w->n - w->i) < d->n_comment ||
        memcmp(w->s + w->i, d->comment, d->n_comment) != 0)
        return 0;
    const char *nl = memchr(w->s + w->i, '\n', (size_t)(w->n - w->i));
    int64_t begin = w->i, end = nl ? nl - w->s : w->n, line = w->r->o.max_line;
    if (end - begin > line)
        note_fault(&w->fault, begin + line, begin, TIDE_CODE_LIMIT_LINE, 0);
    w->cell = end; /* no field */
    w->k = 0;
    if (!nl) return -1;
    w->i = end + 1;
    return 1;
}

static void scan_slow(const struct csv_reader *r, const char *s, int64_t n,
                      struct scan *out)
{
    struct walk w = {
        .r = r, .s = s, .n = n, .blank = -1, .open_at = -1, .fault = no_fault};
    out->slow = 1;
    out->n_pos = out->n_rows = out->cut = out->n_bare = 0;
    out->fault = no_fault;
    out->n_tail = 0;
    while (w.i < n) {
        int64_t begin = w.i;
        int skipped = skip_comment(&w);
        if (skipped < 0) {
            out->last_start = begin;
            break;
        }
        if (skipped) {
            out->cut = w.i;
            out->fault = w.fault;
            continue;
        }
        int64_t k = walk_row(&w, r->pos + out->n_pos);
        if (k == 0) {
            out->last_start = begin;
            out->n_tail = w.k;
            break;
        }
        r->starts[out->n_rows++] = (uint32_t)begin;
        out->n_pos += k;
        out->cut = w.i;
        if (w.n_bare && !out->n_bare) out->bare_at = w.bare_at;
        out->n_bare = w.n_bare;
        out->fault = w.fault;
    }
    out->open_at = w.open_at;
    out->last_cell = w.cell;
    out->last_end = w.blank < 0 ? n : w.blank;
    out->tail_fault = w.fault;
}

/* ---- one pass ---- */

static tide_status room_for(struct csv_reader *r, int64_t n, tide_error *err)
{
    if (n + CSV_PAD <= r->cap_pos) return TIDE_OK;
    r->pos = arena_array(&r->work, n + CSV_PAD, sizeof *r->pos);
    r->starts = arena_array(&r->work, n + CSV_PAD, sizeof *r->starts);
    r->cap_pos = n + CSV_PAD;
    return arena_status(&r->work, err);
}

static tide_status scan_text(struct csv_reader *r, const char *s, int64_t n,
                             struct scan *out, tide_error *err)
{
    const struct csv_dialect *d = &r->d;
    struct simd_csv seen = {0};
    tide_status st = room_for(r, n, err);
    if (st != TIDE_OK) return st;
    *out = (struct scan){.open_at = -1, .fault = no_fault, .tail_fault = no_fault};
    out->n_pos = simd_get(r->ctx)->csv_index(s, n, d->delim, d->quote, &seen, r->pos);
    out->high = seen.high;
    if (d->n_comment || d->lenient || d->trim || seen.irregular) {
        scan_slow(r, s, n, out);
        return TIDE_OK;
    }
    if (seen.in_quote) out->open_at = open_quote(d, s, n);
    int64_t k = out->n_pos;
    out->last_cell = k > 0 ? (int64_t)r->pos[k - 1] + 1 : 0;
    while (k > 0 && s[r->pos[k - 1]] != '\n') k--;
    out->cut = k > 0 ? (int64_t)r->pos[k - 1] + 1 : 0;
    out->n_tail = out->n_pos - k;
    out->n_pos = k;
    out->last_start = out->cut;
    out->last_end = n;
    return TIDE_OK;
}

/* ---- faults of bytes and lengths ---- */

/* Where blanks delimit they are of no field: moves *cell to what it holds, returns its end. */
static int64_t field_of(const struct csv_reader *r, const char *s, int64_t *cell,
                        int64_t end)
{
    if (!r->d.trim) return end;
    while (*cell < end && s[*cell] == ' ') ++*cell;
    if (end - *cell > 1 && s[end - 1] == '\r' && s[end - 2] == ' ') end--;
    while (end > *cell && s[end - 1] == ' ') end--;
    return end;
}

/* Fields and lines that are too long, in complete rows and in the one behind them (up to
 * n). Noticed where the limit is passed. */
static void check_lengths(const struct csv_reader *r, const char *s,
                          const struct scan *sc, int64_t n, struct fault *f)
{
    int64_t cell = 0, row = 0, field = r->o.max_field, line = r->o.max_line;
    for (int64_t k = 0, i = 0; k < sc->n_pos + sc->n_tail; k++) {
        if (sc->slow && cell == row)
            cell = row = i < sc->n_rows ? r->starts[i] : sc->last_start;
        int64_t e = r->pos[k];
        if (field_of(r, s, &cell, e) - cell > field)
            note_fault(f, cell + field, cell, TIDE_CODE_LIMIT_FIELD, 0);
        cell = e + 1;
        if (s[e] != '\n') continue;
        if (e - row > line) note_fault(f, row + line, row, TIDE_CODE_LIMIT_LINE, 0);
        row = cell;
        i++;
    }
    if (sc->cut == n) return;
    cell = sc->open_at >= 0 ? sc->open_at : sc->last_cell;
    row = sc->last_start;
    if (field_of(r, s, &cell, n < sc->last_end ? n : sc->last_end) - cell > field)
        note_fault(f, cell + field, cell, TIDE_CODE_LIMIT_FIELD, 0);
    if (n - row > line) note_fault(f, row + line, row, TIDE_CODE_LIMIT_LINE, 0);
}

static void check_bytes(const char *s, int64_t n, int utf8, struct fault *f)
{
    const char *nul = memchr(s, 0, (size_t)n);
    if (nul) note_fault(f, nul - s, nul - s, TIDE_CODE_CSV_NUL, 0);
    size_t bad = utf8 ? utf8_check(s, (size_t)n) : 0;
    int64_t at = (int64_t)bad - 1;
    if (bad) note_fault(f, at, at, TIDE_CODE_CSV_ENCODING, 0);
}

/* Faults of bytes, lengths and quotes up to n, the row that is not complete included. */
static struct fault find_faults(const struct csv_reader *r, const char *s,
                                const struct scan *sc, int64_t n)
{
    struct fault f = sc->fault;
    if (sc->cut < n && sc->tail_fault.order < f.order) f = sc->tail_fault;
    check_bytes(s, n, sc->high && !sc->judge, &f);
    if (n > r->o.max_field || n > r->o.max_line) check_lengths(r, s, sc, n, &f);
    return f;
}

/* ---- sentences of structural faults ---- */

/* The column that text offset `at` belongs to, by the cell ends of the scan. */
static int column_at(const struct csv_reader *r, const char *s, const struct scan *sc,
                     int64_t at)
{
    int j = 0;
    for (int64_t k = 0; k < sc->n_pos + sc->n_tail && r->pos[k] < at; k++)
        j = s[r->pos[k]] == '\n' ? 0 : j + 1;
    return j;
}

static tide_status tell_limit(const struct csv_reader *r, const char *s,
                              const char *name, const struct fault *f, tide_error *err)
{
    struct str t = {0};
    int64_t limit = f->code == TIDE_CODE_LIMIT_FIELD ? r->o.max_field : r->o.max_line;
    str_addf(&t, "%lld", (long long)limit);
    if (f->code == TIDE_CODE_LIMIT_FIELD) {
        int open = r->d.quote && s[f->at] == r->d.quote;
        err_set(err, f->code,
                "the field that begins here in %s is longer than %s bytes", name,
                t.s ? t.s : "");
        if (open)
            err_hint(err, "quote", "none");
        else
            err_hint(err, "max-field", "%lld", (long long)limit * 16);
    } else {
        err_set(err, f->code, "the row that begins here is longer than %s bytes",
                t.s ? t.s : "");
        err_hint(err, "max-line", "%lld", (long long)limit * 16);
    }
    str_free(&t);
    return TIDE_ELIMIT;
}

static tide_status tell_fault(const struct csv_reader *r, const struct csv_block *b,
                              const struct scan *sc, const struct fault *f,
                              tide_error *err)
{
    char name[160];
    int j = column_at(r, b->text, sc, f->at);
    csv_name_of(r, j, name, sizeof name);
    switch (f->code) {
    case TIDE_CODE_CSV_NUL:
        err_set(err, f->code, "NUL byte in %s", name);
        break;
    case TIDE_CODE_CSV_ENCODING:
        err_set(err, f->code, "byte 0x%02x in %s is not UTF-8",
                (unsigned)(unsigned char)b->text[f->at], name);
        err_hint(err, "", "iconv -f latin1 -t utf-8");
        break;
    case TIDE_CODE_CSV_QUOTE:
        if (f->got) {
            err_set(err, f->code, "text after the closing quote in %s", name);
            err_hint(err, "quote", "lenient");
        } else {
            err_set(err, f->code, "the quote opened here in %s is never closed", name);
            err_hint(err, "quote", "none");
        }
        break;
    case TIDE_CODE_CSV_FIELDS:
        err_set(err, f->code, "expected %d field%s, got %lld", r->n_cols,
                r->n_cols == 1 ? "" : "s", (long long)f->got);
        if (f->hash)
            err_hint(err, "comment", "'#'");
        else
            err_hint(err, "on-bad", f->got < r->n_cols ? "null" : "skip");
        break;
    case TIDE_CODE_LIMIT_COLUMNS:
        err_set(err, f->code, "more than %d columns, which is the limit",
                r->o.max_columns);
        err_hint(err, "max-columns", "%lld", (long long)r->o.max_columns * 16);
        break;
    default:
        tell_limit(r, b->text, name, f, err);
        break;
    }
    if (f->code != TIDE_CODE_CSV_FIELDS && r->cols && j < r->n_cols)
        err_field(err, r->cols[j].name);
    return csv_place(r, b, f->at, err);
}

/* ---- rows ---- */

struct rows {
    struct csv_reader *r;
    struct csv_block *b;
    struct scan *sc;
    struct fault *fault;
    int64_t n_end;
};

/* Where a row of k cells starts and which place of it is at fault. */
static int64_t row_fault_at(const struct rows *w, int64_t begin, int64_t k0, int64_t k)
{
    if (k <= w->r->n_cols) return begin;
    return (int64_t)w->r->pos[k0 + w->r->n_cols - 1] + 1;
}

static tide_status reject_row(struct csv_reader *r, const struct csv_block *b,
                              int64_t begin, int64_t end, tide_error *err)
{
    if (!r->rejecting) return TIDE_OK;
    return file_out_write(&r->reject, b->text + begin, (size_t)(end - begin), err);
}

/* A row that does not fit: 1 = keep it (filled), 0 = leave it out. */
static int bad_row(struct rows *w, int64_t begin, int64_t end, const struct fault *f,
                   tide_status *st, tide_error *err)
{
    struct csv_reader *r = w->r;
    if (r->on_bad == CSV_FAIL) {
        if (f->order < w->fault->order) *w->fault = *f;
        return 0;
    }
    if (f->order > w->fault->order) return 0;
    r->n_bad++;
    if (r->n_warned++ < CSV_PRINTED) {
        tide_error warning = {0};
        (void)tell_fault(r, w->b, w->sc, f, &warning);
        warning.option[0] = warning.value[0] = '\0';
        ctx_warn(r->ctx, &warning);
    }
    if (r->on_bad == CSV_NULL && f->code == TIDE_CODE_CSV_FIELDS && f->got < r->n_cols)
        return 1;
    *st = reject_row(r, w->b, begin, end + 1, err);
    return 0;
}

/* What is wrong with a row of k cells; its code is 0 when nothing is. */
static struct fault judge_row(const struct rows *w, int64_t begin, int64_t end,
                              int64_t k0, int64_t k)
{
    const struct csv_reader *r = w->r;
    const char *s = w->b->text;
    struct fault f = {.order = end, .got = k};
    size_t bad = w->sc->judge ? utf8_check(s + begin, (size_t)(end - begin)) : 0;
    if (bad) {
        f.order = f.at = begin + (int64_t)bad - 1;
        f.code = TIDE_CODE_CSV_ENCODING;
    } else if (k != r->n_cols) {
        f.at = row_fault_at(w, begin, k0, k);
        f.code = TIDE_CODE_CSV_FIELDS;
        f.hash = r->first_is_remark || (s[begin] == '#' && !r->d.n_comment);
    }
    return f;
}

static int is_blank(const struct csv_reader *r, const char *s, int64_t n)
{
    if (n > 0 && s[n - 1] == '\r') n--;
    if (r->d.trim)
        while (n > 0 && s[n - 1] == ' ') n--;
    return n == 0;
}

/* Row by row: blank lines are skipped, rows of another length are judged. */
static tide_status take_rows(struct rows *w, int64_t begin, int64_t k0, int64_t row0,
                             tide_error *err)
{
    struct csv_reader *r = w->r;
    struct csv_block *b = w->b;
    int64_t n_rows = 0, at = 0;
    tide_status st = TIDE_OK;
    for (int64_t k = k0; k < w->sc->n_pos && st == TIDE_OK; row0++) {
        int64_t last = k;
        if (w->sc->slow) begin = r->starts[row0];
        while (b->text[r->pos[last]] != '\n') last++;
        int64_t cells = last - k + 1, end = r->pos[last];
        int keep = 1;
        if (cells == 1 && r->n_cols > 1 && is_blank(r, b->text + begin, end - begin)) {
            r->n_blank++;
            keep = 0;
        } else {
            struct fault f = judge_row(w, begin, end, k, cells);
            if (f.code) keep = bad_row(w, begin, end, &f, &st, err);
        }
        if (keep) {
            b->start[n_rows++] = (uint32_t)begin;
            for (int64_t c = 0; c < cells; c++) b->end[at++] = r->pos[k + c];
            if (cells < r->n_cols && b->end[at - 1] > begin &&
                b->text[b->end[at - 1] - 1] == '\r')
                b->end[at - 1]--;
            for (int64_t c = cells; c < r->n_cols; c++, at++)
                b->end[at] = b->end[at - 1];
        }
        begin = end + 1;
        k = last + 1;
    }
    b->n_rows = n_rows;
    return st;
}

/* Does every n_cols-th cell end at a newline, and no other? */
static int is_rectangle(const struct csv_reader *r, const char *s, const uint32_t *pos,
                        int64_t n)
{
    if (n % r->n_cols != 0) return 0;
    for (int64_t k = 0; k < n; k += r->n_cols) {
        for (int j = 0; j < r->n_cols - 1; j++)
            if (s[pos[k + j]] == '\n') return 0;
        if (s[pos[k + r->n_cols - 1]] != '\n') return 0;
    }
    return 1;
}

static tide_status build_rows(struct csv_reader *r, struct csv_block *b,
                              struct scan *sc, int64_t begin, int64_t k0, int64_t row0,
                              struct fault *fault, tide_error *err)
{
    int64_t n = sc->n_pos - k0;
    if (n <= 0) return TIDE_OK;
    if (!sc->slow && !sc->judge && is_rectangle(r, b->text, r->pos + k0, n)) {
        b->n_rows = n / r->n_cols;
        b->first = (uint32_t)begin;
        b->skip = k0;
        return TIDE_OK;
    }
    int64_t rows = 0;
    for (int64_t k = k0; k < sc->n_pos; k++) rows += b->text[r->pos[k]] == '\n';
    int64_t cells;
    if (__builtin_mul_overflow(rows, (int64_t)r->n_cols, &cells)) cells = INT64_MAX;
    struct arena_mark mark = arena_mark(&r->work);
    b->start = arena_array(&r->work, rows, sizeof *b->start);
    b->end = arena_array(&r->work, cells, sizeof *b->end);
    tide_status st = arena_status(&r->work, err);
    struct rows w = {r, b, sc, fault, 0};
    if (st == TIDE_OK) st = take_rows(&w, begin, k0, row0, err);
    if (st == TIDE_OK && !b->n_rows) { /* blank lines alone leave nothing */
        arena_reset(&r->work, mark);
        b->start = b->end = NULL;
    }
    return st;
}

/* Where a reader of single bytes knows that a delimiter begins another field: blanks do so only
 * when something follows them. */
static int64_t noticed_at(const struct csv_reader *r, const char *text, int64_t pos)
{
    while (r->d.trim && text[pos] == ' ') pos++;
    return pos;
}

/* The first row that is not blank: names or data. Stores where data begin. */
static tide_status find_header(struct csv_reader *r, struct csv_block *b,
                               struct scan *sc, struct fault *fault, int64_t *begin,
                               int64_t *k0, int64_t *row0, tide_error *err)
{
    int64_t at = 0, k = 0, row = 0;
    for (; k < sc->n_pos; row++) {
        int64_t last = k;
        if (sc->slow) at = r->starts[row];
        while (b->text[r->pos[last]] != '\n') last++;
        int64_t end = r->pos[last];
        if (last == k && is_blank(r, b->text + at, end - at)) {
            r->n_blank++;
            at = end + 1;
            k = last + 1;
            continue;
        }
        if (last - k + 1 > r->o.max_columns)
            note_fault(fault, noticed_at(r, b->text, r->pos[k + r->o.max_columns - 1]),
                       at, TIDE_CODE_LIMIT_COLUMNS, 0);
        if (fault->order <= end) return TIDE_OK; /* told by the caller */
        r->header_line = csv_line_of(b, at);
        r->first_is_remark = b->text[at] == '#' && !r->d.n_comment;
        tide_status st =
            csv_take_header(r, b, r->pos + k, (uint32_t)at, (int)(last - k + 1), err);
        *begin = r->has_header ? end + 1 : at;
        *k0 = r->has_header ? last + 1 : k;
        *row0 = r->has_header ? row + 1 : row;
        return st;
    }
    *k0 = sc->n_pos;
    return TIDE_OK;
}

tide_status csv_add_block(struct csv_reader *r, const struct csv_block *b,
                          tide_error *err)
{
    if (r->n_blocks == r->cap_blocks) {
        int64_t cap = r->cap_blocks ? r->cap_blocks * 2 : 64;
        struct csv_block *more = arena_array(&r->work, cap, sizeof *more);
        if (!more) return arena_status(&r->work, err);
        if (r->n_blocks) memcpy(more, r->blocks, (size_t)r->n_blocks * sizeof *more);
        r->blocks = more;
        r->cap_blocks = cap;
    }
    r->blocks[r->n_blocks] = *b;
    if (r->again) r->blocks[r->n_blocks].text = NULL;
    r->n_blocks++;
    return TIDE_OK;
}

/* One physical line a row, and nothing else? Also moves the line count on. */
static void count_lines(struct csv_reader *r, struct csv_block *b, int64_t begin)
{
    int64_t before = 0, all = simd_get(r->ctx)->count_byte(b->text, b->n, '\n');
    if (begin) before = simd_get(r->ctx)->count_byte(b->text, begin, '\n');
    b->plain = !b->start && all - before == b->n_rows;
    r->n_lines += all;
}

static struct fault block_faults(const struct csv_reader *r, const struct csv_block *b,
                                 const struct scan *sc, int64_t n)
{
    struct fault f = find_faults(r, b->text, sc, n);
    if (sc->cut < n && sc->open_at >= 0) /* noticed at the end of the file */
        note_fault(&f, n, sc->open_at, TIDE_CODE_CSV_QUOTE, 0);
    return f;
}

/* Makes a block of the complete rows of a text. */
static tide_status take_block(struct csv_reader *r, struct csv_block *b,
                              struct scan *sc, int64_t n, tide_error *err)
{
    int64_t begin = 0, k0 = 0, row0 = 0;
    tide_status st = TIDE_OK;
    if (sc->cut == n) sc->n_tail = 0; /* belongs to the next block */
    struct fault fault = block_faults(r, b, sc, n);
    b->n = sc->cut;
    if (!r->n_cols) st = find_header(r, b, sc, &fault, &begin, &k0, &row0, err);
    if (!r->n_cols && sc->n_tail >= r->o.max_columns) /* no row is complete */
        note_fault(&fault,
                   noticed_at(r, b->text, r->pos[sc->n_pos + r->o.max_columns - 1]),
                   sc->last_start, TIDE_CODE_LIMIT_COLUMNS, 0);
    if (r->on_bad != CSV_FAIL && r->n_cols && fault.code == TIDE_CODE_CSV_ENCODING &&
        fault.at >= begin) { /* not in the first row: a matter of its own */
        sc->judge = 1;
        fault = block_faults(r, b, sc, n);
    }
    if (st == TIDE_OK && r->n_cols)
        st = build_rows(r, b, sc, begin, k0, row0, &fault, err);
    if (st != TIDE_OK) return st;
    if (fault.order != INT64_MAX) return tell_fault(r, b, sc, &fault, err);
    if (sc->n_bare && r->n_bare == 0) {
        r->bare_line = csv_line_of(b, sc->bare_at);
        int64_t line = sc->bare_at;
        while (line > 0 && b->text[line - 1] != '\n') line--;
        r->bare_column = sc->bare_at - line + 1;
        r->bare_field = column_at(r, b->text, sc, sc->bare_at);
    }
    r->n_bare += sc->n_bare;
    b->row0 = r->n_rows;
    r->n_rows += b->n_rows;
    count_lines(r, b, begin);
    if (!b->n_rows) return TIDE_OK;
    b->first_line = csv_line_of(b, b->start ? b->start[0] : b->first);
    if (r->again) b->print = simd_get(r->ctx)->csv_print(b->text, b->n);
    return csv_add_block(r, b, err);
}

/* No row is complete: is it because one is too long? */
static tide_status check_partial(struct csv_reader *r, const struct csv_block *b,
                                 struct scan *sc, int64_t n, tide_error *err)
{
    struct fault limit = no_fault;
    sc->judge = r->on_bad != CSV_FAIL && r->n_cols;
    check_lengths(r, b->text, sc, n, &limit);
    int64_t columns = sc->n_pos + sc->n_tail;
    if (!r->n_cols && columns >= r->o.max_columns)
        note_fault(&limit, noticed_at(r, b->text, r->pos[r->o.max_columns - 1]), 0,
                   TIDE_CODE_LIMIT_COLUMNS, 0);
    if (limit.order == INT64_MAX) return TIDE_OK;
    struct fault first = find_faults(r, b->text, sc, n);
    if (limit.order < first.order)
        first = limit;
    else if (first.code == TIDE_CODE_CSV_ENCODING && n - first.at < 4)
        return TIDE_OK; /* the rest of a character may follow */
    return tell_fault(r, b, sc, &first, err);
}

void csv_cr_to_lf(char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '\r') s[i] = '\n';
}

int64_t csv_slab(const struct csv_reader *r)
{
    int64_t wide = (int64_t)r->n_cols * 512; /* room for a fair number of rows */
    return r->slab > wide || r->slab < 65536 ? r->slab : wide;
}

/* The text from `offset` on, up to about `slab` bytes, into b. carry: what is left of the
 * text before, where it is not read again. */
static tide_status fill_slab(struct csv_reader *r, size_t slab, const char *carry,
                             size_t n_carry, struct csv_block *b, size_t *n,
                             int *at_end, tide_error *err)
{
    size_t got = 0;
    tide_status st;
    if (r->again) {
        st = csv_window_room(&r->look, (int64_t)slab, 0, err);
        if (st != TIDE_OK) return st;
        b->text = r->look.text;
        st = csv_source_fetch(&r->src, b->text, slab, b->offset, &got, err);
        r->src.total = b->offset + (int64_t)got;
        if (st == TIDE_OK && got < slab && r->src.total < r->src.size)
            st = csv_source_short(&r->src, r->src.total, err);
    } else {
        b->text = arena_push(&r->text, n_carry + slab + CSV_PAD);
        if (!b->text) return arena_status(&r->text, err);
        if (n_carry) memcpy(b->text, carry, n_carry);
        st = csv_source_read(&r->src, b->text + n_carry, slab, &got, err);
    }
    if (st == TIDE_OK)
        st = ctx_progress(r->ctx, "reading", (double)r->src.total,
                          r->src.codec || r->src.size < 0 ? 0 : (double)r->src.size,
                          NULL, err);
    if (st != TIDE_OK) return st;
    if (ctx_cancelled(r->ctx)) return err_cancelled(err);
    if (r->d.cr) csv_cr_to_lf(b->text + n_carry, got);
    *n = n_carry + got;
    *at_end = got < slab;
    if (*at_end && *n && b->text[*n - 1] != '\n') {
        b->text[(*n)++] = '\n';
        b->closed = 1;
    }
    memset(b->text + *n, 0, CSV_PAD - 1);
    return TIDE_OK;
}

tide_status csv_read_blocks(struct csv_reader *r, tide_error *err)
{
    const char *carry = NULL;
    size_t n_carry = 0, slab = (size_t)r->slab;
    int64_t offset = (int64_t)r->src.head_at;
    int at_end = 0;
    while (!at_end) {
        int64_t left = r->src.size - (r->again ? offset : r->src.total);
        if (!r->src.codec && r->src.size >= 0 && (int64_t)slab > left)
            slab = (size_t)(left > 0 ? left : 0) + 64;
        struct csv_block b = {.line0 = r->n_lines + 1, .offset = offset};
        size_t n = 0;
        tide_status st = fill_slab(r, slab, carry, n_carry, &b, &n, &at_end, err);
        if (st != TIDE_OK) return st;
        if (n == 0) break;
        struct scan sc;
        st = scan_text(r, b.text, (int64_t)n, &sc, err);
        if (st == TIDE_OK && sc.cut == 0 && !at_end) {
            st = check_partial(r, &b, &sc, (int64_t)n, err);
            slab = n > slab ? n : slab * 2;
        } else if (st == TIDE_OK) {
            st = take_block(r, &b, &sc, at_end ? (int64_t)n : sc.cut, err);
            slab = (size_t)csv_slab(r);
        }
        if (st != TIDE_OK) return st;
        carry = b.text + sc.cut;
        n_carry = r->again ? 0 : n - (size_t)sc.cut;
        offset += sc.cut;
        if (r->again && sc.cut && !at_end && r->n_cols) {
            st = csv_skim(r, &offset, err);
            if (st != TIDE_OK) return st;
        }
    }
    return TIDE_OK;
}

/* The starts and ends of a block's rows, for good: some are about to go. */
static tide_status keep_index(struct csv_reader *r, struct csv_block *b,
                              tide_error *err)
{
    tide_status st = csv_load(r, b, &r->look, err);
    if (st != TIDE_OK) return st;
    const struct csv_block *from = &r->look.b;
    int64_t n = b->n_rows * r->n_cols;
    uint32_t *start = arena_array(&r->work, b->n_rows, sizeof *start);
    uint32_t *end = arena_array(&r->work, n, sizeof *end);
    if (!start || !end) return arena_status(&r->work, err);
    for (int64_t i = 0; i < b->n_rows; i++)
        start[i] = from->start ? from->start[i] : from->end[i * r->n_cols - 1] + 1;
    memcpy(end, from->end, (size_t)n * sizeof *end);
    b->start = start;
    b->end = end;
    return TIDE_OK;
}

/* The bad rows of one block go: out of its index, to the file of rejected rows. */
static tide_status drop_of_block(struct csv_reader *r, struct csv_block *b,
                                 tide_error *err)
{
    const uint8_t *bad = r->bad + b->row0;
    int64_t n = 0;
    tide_status st = keep_index(r, b, err);
    for (int64_t i = 0; st == TIDE_OK && i < b->n_rows; i++) {
        uint32_t *end = b->end + i * r->n_cols;
        if (bad[i]) {
            st = reject_row(r, &r->look.b, b->start[i], (int64_t)end[r->n_cols - 1] + 1,
                            err);
            continue;
        }
        b->start[n] = b->start[i];
        memmove(b->end + n * r->n_cols, end, (size_t)r->n_cols * sizeof *end);
        n++;
    }
    if (st != TIDE_OK) return st;
    b->plain = 0;
    if (n) b->first_line = csv_line_of(&r->look.b, b->start[0]);
    b->n_rows = n;
    return TIDE_OK;
}

tide_status csv_drop_rows(struct csv_reader *r, tide_error *err)
{
    int64_t total = 0;
    for (int64_t k = 0; k < r->n_blocks; k++) {
        struct csv_block *b = &r->blocks[k];
        if (b->n_rows && memchr(r->bad + b->row0, 1, (size_t)b->n_rows)) {
            tide_status st = drop_of_block(r, b, err);
            if (st != TIDE_OK) return st;
        }
        b->row0 = total;
        total += b->n_rows;
    }
    r->look.of = NULL; /* its rows are others now */
    r->n_rows = total;
    return TIDE_OK;
}
