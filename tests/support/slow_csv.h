/* slow_csv.h - a reader of tables one byte at a time, to compare the real one with
 *
 * It knows the delimiter, quotes, comments, short and long rows, and the first fault in the
 * order in which a reader of single bytes would notice it. */
#ifndef SUPPORT_SLOW_CSV_H
#define SUPPORT_SLOW_CSV_H
#include <string.h>

#include "base/str.h"
#include "frame/csv.h"

enum { SLOW_CELLS = 1 << 14, SLOW_BYTES = 1 << 16 };

struct slow {
    char delim, quote;
    int lenient, on_bad; /* 0 fail, 1 null, 2 skip */
    int64_t max_field;
    const char *comment;
    struct {
        const char *s;
        int64_t n;
        int quoted, absent;
    } cell[SLOW_CELLS];
    int n_cells, n_cols, n_rows; /* the header is row 0 */
    int full;                    /* gave up: too many cells */
    int64_t order, at;           /* the first fault, -1: none */
    tide_code code;
    char store[SLOW_BYTES]; /* texts without quotes */
    int64_t used;
};

static void slow_fault(struct slow *r, int64_t order, int64_t at, tide_code code)
{
    int is_byte = r->code == TIDE_CODE_CSV_NUL || r->code == TIDE_CODE_CSV_ENCODING;
    int wins = code == TIDE_CODE_CSV_QUOTE
                   ? is_byte /* of two at the same byte */
                   : code == TIDE_CODE_CSV_ENCODING && r->code == TIDE_CODE_LIMIT_FIELD;
    if (r->order >= 0 && r->order + wins <= order) return;
    r->order = order;
    r->at = at;
    r->code = code;
}

/* One cell from i on; returns the offset of the delimiter, newline, or the end. */
static int64_t slow_cell(struct slow *r, const char *s, int64_t n, int64_t i, int *open)
{
    char *out = r->store + r->used;
    int64_t k = 0, from = i;
    int quoted = r->quote && i < n && s[i] == r->quote, inside = quoted;
    *open = 0;
    for (i += quoted; i < n; i++) {
        if (inside && s[i] == r->quote && i + 1 < n && s[i + 1] == r->quote) {
            i++;
        } else if (inside && s[i] == r->quote) {
            inside = 0;
            int ends = s[i + 1] == r->delim || s[i + 1] == '\n' ||
                       (s[i + 1] == '\r' && i + 2 < n && s[i + 2] == '\n');
            if (!ends && !r->lenient) /* a CR is judged by the byte behind it */
                slow_fault(r, i + 1 + (s[i + 1] == '\r'), i + 1, TIDE_CODE_CSV_QUOTE);
            continue;
        } else if (!inside && (s[i] == r->delim || s[i] == '\n')) {
            break;
        }
        out[k++] = s[i];
    }
    if (i < n && s[i] == '\n' && k && out[k - 1] == '\r' && s[i - 1] == '\r') k--;
    if (i - from > r->max_field)
        slow_fault(r, from + r->max_field, from, TIDE_CODE_LIMIT_FIELD);
    if (inside) slow_fault(r, n, from, TIDE_CODE_CSV_QUOTE);
    *open = i >= n;
    r->cell[r->n_cells].s = out;
    r->cell[r->n_cells].n = k;
    r->cell[r->n_cells].absent = 0;
    r->cell[r->n_cells++].quoted = quoted;
    r->used += k;
    return i;
}

/* s ends with a newline. */
static void slow_read(struct slow *r, const char *s, int64_t n)
{
    r->n_cells = r->n_cols = r->n_rows = r->full = 0;
    r->used = 0;
    r->order = -1;
    for (int64_t i = 0; i < n; i++)
        if (s[i] == 0) slow_fault(r, i, i, TIDE_CODE_CSV_NUL);
    size_t bad = utf8_check(s, (size_t)n);
    if (bad && !r->on_bad)
        slow_fault(r, (int64_t)bad - 1, (int64_t)bad - 1, TIDE_CODE_CSV_ENCODING);
    for (int64_t i = 0; i < n;) {
        if (*r->comment && !strncmp(s + i, r->comment, strlen(r->comment))) {
            int64_t from = i;
            while (s[i++] != '\n') {
            }
            bad =
                r->on_bad && !r->n_cols ? utf8_check(s + from, (size_t)(i - from)) : 0;
            if (bad)
                slow_fault(r, from + (int64_t)bad - 1, from + (int64_t)bad - 1,
                           TIDE_CODE_CSV_ENCODING);
            continue;
        }
        r->full = r->n_cells + r->n_cols + n - i >= SLOW_CELLS;
        if (r->full) return;
        int64_t begin = i, excess = 0;
        int first = r->n_cells, open;
        for (;; i++) {
            if (r->n_cols && r->n_cells - first == r->n_cols) excess = i;
            i = slow_cell(r, s, n, i, &open);
            if (open || s[i] == '\n') break;
        }
        bad = r->on_bad ? utf8_check(s + begin, (size_t)(i - begin)) : 0;
        if (bad && !r->n_cols) /* the first row: names, or how many there are */
            slow_fault(r, begin + (int64_t)bad - 1, begin + (int64_t)bad - 1,
                       TIDE_CODE_CSV_ENCODING);
        if (open) return;
        int cells = r->n_cells - first;
        int64_t end = i++;
        int blank = end == begin || (end == begin + 1 && s[begin] == '\r');
        if (cells == 1 && blank && r->n_cols != 1) {
            r->n_cells = first;
            continue;
        }
        if (bad && r->n_cols) {
            r->n_cells = first;
            continue;
        }
        if (!r->n_cols) r->n_cols = cells;
        if (cells != r->n_cols && r->on_bad == 0)
            slow_fault(r, end, excess ? excess : begin, TIDE_CODE_CSV_FIELDS);
        if (cells > r->n_cols || (cells < r->n_cols && r->on_bad == 2)) {
            r->n_cells = first;
            continue;
        }
        for (; cells < r->n_cols; cells++) r->cell[r->n_cells++].absent = 1;
        r->n_rows++;
    }
}
#endif
