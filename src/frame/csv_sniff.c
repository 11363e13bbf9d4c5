/* csv_sniff.c - what the first bytes tell: no table at all, encoding, line ends, delimiter
 *
 * The delimiter is the candidate that splits most rows into as many fields as the first row
 * has; ties go to the one whose fields are numbers and dates more often. */
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "frame/csv.h"

#define HEAD_BYTES ((size_t)64 << 10)
#define HEAD_MOST  ((size_t)4 << 20) /* when the first rows are longer */
#define ROWS_MOST  256

/* ---- what is no text table ---- */

static const struct magic {
    const char *bytes;
    size_t n, at;
    const char *what, *hint;
} magics[] = {
    {"\x89PNG\r\n\x1a\n", 8, 0, "a PNG image", NULL},
    {"\xff\xd8\xff", 3, 0, "a JPEG image", NULL},
    {"GIF8", 4, 0, "a GIF image", NULL},
    {"\x7f"
     "ELF",
     4, 0, "an ELF program", NULL},
    {"PAR1", 4, 0, "a Parquet file", NULL},
    {"ARROW1", 6, 0, "an Arrow file", NULL},
    {"SQLite format 3", 15, 0, "an SQLite database", NULL},
    {"\x89HDF\r\n\x1a\n", 8, 0, "an HDF5 file", NULL},
    {"\x93NUMPY", 6, 0, "a NumPy array", NULL},
    {"%PDF-", 5, 0, "a PDF document", NULL},
    {"BZh", 3, 0, "bzip2 data", "bzip2 -d"},
    {"\xfd"
     "7zXZ",
     5, 0, "xz data", "xz -d"},
    {"7z\xbc\xaf", 4, 0, "a 7z archive", NULL},
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0, "an XLS or DOC file", NULL},
    {"ustar", 5, 257, "a tar archive", NULL},
    {"RDX3\n", 5, 0, "an R data file", NULL},
    {"RDX2\n", 5, 0, "an R data file", NULL},
    {"\x80\x04\x95", 3, 0, "a Python pickle", NULL},
};

static int contains(const char *s, size_t n, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(s + i, word, len) == 0) return 1;
    return 0;
}

/* Does the text begin with the word, whatever the case? */
static int begins(const char *s, size_t n, const char *word)
{
    size_t i = 0;
    for (; word[i] && i < n; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
        if (c != word[i]) return 0;
    }
    return !word[i];
}

static const char *what_it_is(const char *s, size_t n, const char **hint)
{
    *hint = NULL;
    for (size_t m = 0; m < sizeof magics / sizeof magics[0]; m++)
        if (n >= magics[m].at + magics[m].n &&
            memcmp(s + magics[m].at, magics[m].bytes, magics[m].n) == 0) {
            *hint = magics[m].hint;
            return magics[m].what;
        }
    if (n >= 4 && memcmp(s, "PK\3\4", 4) == 0)
        return contains(s, n, "[Content_Types].xml") || contains(s, n, "xl/")
                   ? "an XLSX file"
                   : "a ZIP archive";
    size_t i = 0;
    if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) i = 3;
    while (i < n && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t')) i++;
    if (begins(s + i, n - i, "<!doctype html") || begins(s + i, n - i, "<html"))
        return "HTML";
    if (begins(s + i, n - i, "<?xml")) return "XML";
    size_t controls = 0;
    for (i = 0; i < n; i++)
        controls +=
            (unsigned char)s[i] < 32 && s[i] != '\n' && s[i] != '\r' && s[i] != '\t';
    if (controls * 20 > n && utf8_check(s, n) != 0) return "binary data";
    return NULL;
}

/* Bytes 0 at every second place: UTF-16 without a mark. */
static int is_bare_utf16(const char *s, size_t n)
{
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < n; i++) zeros[i & 1] += s[i] == 0;
    size_t most = zeros[0] > zeros[1] ? zeros[0] : zeros[1];
    return n >= 8 && most * 3 > n && zeros[0] + zeros[1] - most <= n / 64;
}

static tide_status refuse(const struct csv_reader *r, const char *s, size_t n,
                          tide_error *err)
{
    const char *hint;
    int mark32 = n >= 4 && (memcmp(s, "\xff\xfe\0\0", 4) == 0 ||
                            memcmp(s, "\0\0\xfe\xff", 4) == 0);
    int mark16 =
        n >= 2 && (memcmp(s, "\xff\xfe", 2) == 0 || memcmp(s, "\xfe\xff", 2) == 0);
    if (mark32 || mark16 || is_bare_utf16(s, n)) {
        const char *name = mark32   ? "utf-32"
                           : mark16 ? "utf-16"
                           : s[0]   ? "utf-16le"
                                    : "utf-16be";
        err_set(err, TIDE_CODE_CSV_ENCODING, "looks like UTF-%s", mark32 ? "32" : "16");
        err_hint(err, "", "iconv -f %s -t utf-8", name);
        return err_at(err, r->path, 0, 0);
    }
    const char *what = what_it_is(s, n, &hint);
    if (!what) return TIDE_OK;
    err_set(err, TIDE_CODE_CSV_NOT_TEXT, "looks like %s", what);
    if (hint) err_hint(err, "", "%s", hint);
    return err_at(err, r->path, 0, 0);
}

/* ---- line ends ---- */

static void sniff_line_ends(struct csv_reader *r, const char *s, size_t n)
{
    size_t lf = 0, crlf = 0, cr = 0;
    int quoted = 0;
    for (size_t i = 0; i < n; i++) {
        if (r->d.quote && s[i] == r->d.quote) quoted ^= 1;
        if (quoted) continue;
        if (s[i] == '\n') lf++;
        if (s[i] != '\r') continue;
        if (i + 1 < n && s[i + 1] == '\n')
            crlf++;
        else if (i + 1 < n)
            cr++;
    }
    if (n && s[n - 1] == '\r' && lf == 0) cr++;
    r->d.cr = lf == 0 && cr > 0;
    r->crlf = crlf > 0;
    r->lf = lf > crlf || (lf == 0 && !r->d.cr);
}

/* ---- delimiter ---- */

struct candidate {
    char delim;
    int rows, as_first, fields, most; /* most: rows of the commonest other count */
    int typed, cells, comma, dot;     /* numbers and dates; decimal commas and points */
};

/* Is it a number with this decimal mark, or a date? */
static int looks_typed(const char *s, size_t n, char decimal)
{
    double v;
    int64_t us;
    while (n && (*s == ' ')) s++, n--;
    while (n && (s[n - 1] == ' ')) n--;
    if (n > 1 && s[0] == '"' && s[n - 1] == '"') s++, n -= 2;
    if (!n) return 0;
    return num_parse(s, n, decimal, &v) != NUM_BAD || time_parse(s, n, &us) == 0;
}

static void count_cell(struct candidate *c, const char *s, size_t n)
{
    int point = looks_typed(s, n, '.');
    int comma = !point && looks_typed(s, n, ',');
    c->cells++;
    c->typed += point || (comma && c->delim != ',');
    c->comma += comma && memchr(s, ',', n) != NULL;
    c->dot += point && memchr(s, '.', n) != NULL;
}

/* Number of fields of the row at s; *next is the start of the row behind it, or NULL when
 * the text ends inside the row. */
static int split_row(const struct csv_reader *r, struct candidate *c, const char *s,
                     const char *end, const char **next)
{
    int fields = 0;
    *next = NULL;
    for (;;) {
        if (c->delim == ' ')
            while (s < end && *s == ' ') s++;
        const char *cell = s;
        if (r->d.quote && s < end && *s == r->d.quote) {
            for (s++; s < end; s++) {
                if (*s != r->d.quote) continue;
                if (s + 1 < end && s[1] == r->d.quote)
                    s++;
                else
                    break;
            }
        }
        while (s < end && *s != c->delim && *s != '\n') s++;
        if (s == end) return fields;
        const char *stop = s;
        if (*s == '\n' && stop > cell && stop[-1] == '\r') stop--;
        if (c->delim != ' ' || stop > cell || fields == 0) {
            fields++;
            count_cell(c, cell, (size_t)(stop - cell));
        }
        if (*s++ == '\n') break;
    }
    *next = s;
    return fields;
}

static int is_skipped(const struct csv_reader *r, const char *s, const char *end)
{
    if (s < end && *s == '\n') return 1;
    if (end - s > 1 && s[0] == '\r' && s[1] == '\n') return 1;
    return r->d.n_comment && (size_t)(end - s) >= r->d.n_comment &&
           memcmp(s, r->d.comment, r->d.n_comment) == 0;
}

static void try_delim(const struct csv_reader *r, struct candidate *c, const char *s,
                      const char *end)
{
    int count[ROWS_MOST], first = 0;
    while (s && s < end && c->rows < ROWS_MOST) {
        if (is_skipped(r, s, end)) {
            s = memchr(s, '\n', (size_t)(end - s));
            if (s) s++;
            continue;
        }
        int fields = split_row(r, c, s, end, &s);
        if (!s) break;
        if (!c->rows) first = fields;
        count[c->rows++] = fields;
        c->as_first += fields == first;
    }
    c->fields = first;
    for (int i = 0; i < c->rows; i++) {
        int same = 0;
        for (int k = 0; k < c->rows; k++) same += count[k] == count[i];
        if (count[i] > 1 && same > c->most) c->most = same;
    }
}

/* Is a the better delimiter? Shares are compared by cross products. */
static int is_better(const struct candidate *a, const struct candidate *b)
{
    int64_t x = (int64_t)a->as_first * b->rows, y = (int64_t)b->as_first * a->rows;
    if (x != y) return x > y;
    x = (int64_t)a->typed * b->cells;
    y = (int64_t)b->typed * a->cells;
    return x > y;
}

static void sniff_delim(struct csv_reader *r, const char *s, size_t n, int at_end)
{
    static const char tried[] = {',', '\t', ';', '|', ' '};
    struct candidate all[sizeof tried] = {{0}}, *best = NULL;
    char *copy = arena_push(&r->work, n + 1);
    if (!copy) return; /* the arena tells */
    memcpy(copy, s, n);
    for (size_t i = 0; r->d.cr && i < n; i++)
        if (copy[i] == '\r') copy[i] = '\n';
    if (at_end && n && copy[n - 1] != '\n') copy[n++] = '\n';
    for (size_t k = 0; k < sizeof tried; k++) {
        struct candidate *c = &all[k];
        c->delim = r->d.delim ? r->d.delim : tried[k];
        try_delim(r, c, copy, copy + n);
        if (r->d.delim) {
            best = c;
            break;
        }
        if (c->fields < 2 || c->as_first * 2 < c->rows) continue;
        if (c->delim == ' ' &&
            (best || c->as_first < c->rows || c->typed * 2 < c->cells))
            continue;
        if (!best || is_better(c, best)) best = c;
    }
    /* No candidate fits the first row: it may be a remark above the table. */
    for (size_t k = 0; !best && k + 1 < sizeof tried; k++)
        if (all[k].most * 2 >= all[k].rows && all[k].most > 0) best = &all[k];
    if (!best) best = &all[0];
    r->d.delim = best->delim;
    if (!r->d.decimal)
        r->d.decimal =
            best->delim != ',' && best->comma > 0 && best->dot == 0 ? ',' : '.';
    r->d.trim = r->d.delim == ' ';
}

/* ---- the head ---- */

static int newlines(const char *s, size_t n)
{
    int found = 0;
    for (size_t i = 0; i < n && found < 2; i++) found += s[i] == '\n' || s[i] == '\r';
    return found;
}

tide_status csv_sniff(struct csv_reader *r, tide_error *err)
{
    size_t n = 0, cap = HEAD_BYTES, got = 0;
    int at_end = 0;
    char *head = NULL;
    if (!r->src.codec && r->src.size >= 0 && (uint64_t)r->src.size < cap)
        cap = (size_t)r->src.size + 1; /* a small table takes little memory */
    for (;;) {                         /* larger until two rows are in it */
        char *more = arena_push(&r->work, cap + CSV_PAD);
        if (!more) return arena_status(&r->work, err);
        if (n) memcpy(more, head, n);
        head = more;
        tide_status st = csv_source_read(&r->src, head + n, cap - n, &got, err);
        if (st != TIDE_OK) return st;
        at_end = n + got < cap;
        n += got;
        if (at_end || cap >= HEAD_MOST || newlines(head, n) >= 2) break;
        cap *= 4;
    }
    tide_status st = refuse(r, head, n < HEAD_BYTES ? n : HEAD_BYTES, err);
    if (st != TIDE_OK) return st;
    size_t mark = n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    sniff_line_ends(r, head + mark, n - mark);
    sniff_delim(r, head + mark, n - mark, at_end);
    /* The head is read again, as the first bytes of the source. */
    if (r->src.fd >= 0 || r->src.codec) { /* memory holds its own */
        r->src.head = head;
        r->src.head_len = n;
    }
    r->src.head_at = mark;
    r->src.total += (int64_t)mark - (int64_t)n;
    return arena_status(&r->work, err);
}
