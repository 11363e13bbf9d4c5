/* term.c - text for a terminal: colours, cutting, wrapping, aligned tables
 *
 * Names come from data: what a terminal could obey is made visible before it is printed, and
 * widths are those of what is printed. */
#include <string.h>

#include "report/report.h"

#define COLUMN_LEAST 12
#define CUT_ROWS     100 /* tables up to here are cut so that rows can be told apart */
#define GAP          2

void term_ink(struct term *t, enum term_ink ink)
{
    static const char *const code[] = {"0", "1", "2", "32", "31"};
    if (t->colours > 0) str_addf(t->out, "\x1b[%sm", code[ink]);
}

void term_slot(struct term *t, int slot)
{
    static const int few[9] = {0, 34, 33, 32, 35, 95, 36, 91, 94};
    static const int many[9] = {0, 33, 130, 142, 98, 169, 37, 173, 140};
    if (t->colours <= 0) return;
    if (slot <= 0 || slot > 8)
        str_add(t->out, slot == 0 ? "\x1b[0m" : "\x1b[2m");
    else if (t->colours >= 256)
        str_addf(t->out, "\x1b[38;5;%dm", many[slot]);
    else
        str_addf(t->out, "\x1b[%dm", few[slot]);
}

void term_pad(struct term *t, int n)
{
    for (; n > 0; n--) str_addc(t->out, ' ');
}

void term_repeat(struct term *t, const char *s, int n)
{
    for (; n > 0; n--) str_add(t->out, s);
}

/* Width of one shown character and the bytes it takes. */
static int shown(const char *s, size_t n, char out[UTF8_SHOW_MAX], int *len,
                 size_t *used)
{
    *len = utf8_show(s, n, out, used);
    return utf8_width(out, (size_t)*len);
}

int term_width(const char *s)
{
    char c[UTF8_SHOW_MAX];
    int width = 0, len;
    size_t n = strlen(s), used;
    for (size_t i = 0; i < n; i += used) width += shown(s + i, n - i, c, &len, &used);
    return width;
}

/* Prints the characters from cell `from` up to cell `to`. */
static int put_cells(struct term *t, const char *s, int from, int to)
{
    char c[UTF8_SHOW_MAX];
    int at = 0, put = 0, len;
    size_t n = strlen(s), used;
    for (size_t i = 0; i < n; i += used) {
        int w = shown(s + i, n - i, c, &len, &used);
        if (at >= from && at + w <= to) {
            str_addn(t->out, c, (size_t)len);
            put += w;
        }
        at += w;
    }
    return put;
}

/* Cells in front of the mark of a text that is cut: half, one more where it is odd. */
static int half_of(const struct term *t, int cells)
{
    return (cells - (t->ascii ? 2 : 1) + 1) / 2;
}

/* Prints s in up to `cells` cells, `head` of them in front of the mark when it is cut. */
static int put_cut(struct term *t, const char *s, int cells, int head)
{
    int width = term_width(s), mark = t->ascii ? 2 : 1, put;
    if (cells <= 0 || width <= cells) return put_cells(t, s, 0, width);
    if (cells <= mark) return put_cells(t, s, 0, cells);
    put = put_cells(t, s, 0, head);
    str_add(t->out, t->ascii ? ".." : "\u2026");
    return put + mark + put_cells(t, s, width - (cells - mark - head), width);
}

int term_text(struct term *t, const char *s, int cells)
{
    return put_cut(t, s, cells, half_of(t, cells));
}

void term_wrap(struct term *t, const char *first, const char *s)
{
    int indent = term_width(first), at = indent, empty = 1;
    str_add(t->out, first);
    while (*s) {
        char word[512];
        size_t n = strcspn(s, " ");
        int w;
        if (n >= sizeof word) n = utf8_cut(s, n, sizeof word - 1);
        memcpy(word, s, n);
        word[n] = '\0';
        s += n;
        while (*s == ' ') s++;
        w = term_width(word);
        if (!empty && at + 1 + w > t->width) {
            str_addc(t->out, '\n');
            term_pad(t, indent);
            at = indent;
            empty = 1;
        }
        if (!empty) str_addc(t->out, ' ');
        (void)term_text(t, word, 0);
        at += w + !empty;
        empty = 0;
    }
    str_addc(t->out, '\n');
}

struct layout {
    int n_cols, shown;
    int *width, *least;
    int *head; /* of cut texts: cells in front of the mark */
    const uint8_t *right;
};

/* Numbers are never cut: only the widths of text columns may shrink. */
static int widest_text(const struct layout *l)
{
    int widest = -1;
    for (int j = 0; j < l->n_cols; j++)
        if (l->width[j] > l->least[j] && (widest < 0 || l->width[j] > l->width[widest]))
            widest = j;
    return widest;
}

/* How many texts of a column look like one above when they are cut so. */
static int64_t same_when_cut(const struct term *t, const struct layout *l, int j,
                             int head, int64_t n_rows, const char *const *cells)
{
    struct str made = {0};
    struct term cut = *t;
    int64_t same = 0;
    cut.out = &made;
    for (int64_t i = 0; i < n_rows; i++) {
        const char *s = cells[i * l->n_cols + j];
        size_t from = made.len;
        (void)put_cut(&cut, s ? s : "-", l->width[j], head);
        str_addc(&made, '\n');
        if (made.failed) break;
        for (size_t at = 0; at < from; at += strcspn(made.s + at, "\n") + 1)
            if (strncmp(made.s + at, made.s + from, made.len - from) == 0) {
                same++;
                break;
            }
    }
    str_free(&made);
    return same;
}

/* Where to cut the texts of a column: in the middle, or where fewer of them become the same. */
static void choose_cuts(const struct term *t, struct layout *l, int64_t n_rows,
                        const char *const *cells)
{
    for (int j = 0; j < l->n_cols; j++) {
        int rest = l->width[j] - (t->ascii ? 2 : 1), half = half_of(t, l->width[j]);
        int cut = 0;
        for (int64_t i = 0; i < n_rows && n_rows <= CUT_ROWS; i++) {
            const char *s = cells[i * l->n_cols + j];
            cut |= s && term_width(s) > l->width[j];
        }
        l->head[j] = half;
        if (!cut || rest < 1 || j >= l->shown) continue;
        int64_t least = same_when_cut(t, l, j, half, n_rows, cells);
        for (int off = 1; least && off <= half; off++)
            for (int side = -1; side <= 1; side += 2) {
                int head = half + side * off;
                if (head < 0 || head > rest) continue;
                int64_t same = same_when_cut(t, l, j, head, n_rows, cells);
                if (same >= least) continue;
                least = same;
                l->head[j] = head;
            }
    }
}

/* Widths by content, the widest text cut first until all fit; columns that cannot fit are
 * left out. */
static int lay_out(struct term *t, struct layout *l, const char *const *head,
                   int64_t n_rows, const char *const *cells, struct arena *a)
{
    int total = 0;
    l->width = arena_array(a, l->n_cols, sizeof *l->width);
    l->least = arena_array(a, l->n_cols, sizeof *l->least);
    l->head = arena_array(a, l->n_cols, sizeof *l->head);
    if (!l->width || !l->least || !l->head) return -1;
    for (int j = 0; j < l->n_cols; j++) {
        int w = head[j] ? term_width(head[j]) : 0, is_number = l->right && l->right[j];
        for (int64_t i = 0; i < n_rows; i++) {
            const char *s = cells[i * l->n_cols + j];
            int k = s ? term_width(s) : 1;
            if (k > w) w = k;
        }
        l->width[j] = w;
        l->least[j] = w < COLUMN_LEAST || (is_number && w < 24) ? w : COLUMN_LEAST;
        total += w + GAP;
    }
    for (int j = widest_text(l); total > t->width && j >= 0; j = widest_text(l)) {
        l->width[j]--;
        total--;
    }
    l->shown = l->n_cols;
    while (total > t->width && l->shown > 1) total -= l->width[--l->shown] + GAP;
    while (total > t->width && l->width[0] > 1) { /* one column that is too wide */
        l->width[0]--;
        total--;
    }
    choose_cuts(t, l, n_rows, cells);
    return 0;
}

/* A cell's text from byte `at` on, up to the last blank that fits; returns the next byte. */
static size_t fit_words(const char *s, size_t at, int width)
{
    size_t end = at, n = strlen(s), blank = 0;
    int w = 0;
    char c[UTF8_SHOW_MAX];
    while (end < n) {
        int len;
        size_t used;
        w += shown(s + end, n - end, c, &len, &used);
        if (w > width) return blank > at ? blank : end > at ? end : at + used;
        if (s[end] == ' ') blank = end;
        end += used;
    }
    return n;
}

/* The last text column goes on below itself where it is too long. */
static void put_rest(struct term *t, const char *s, size_t at, int indent, int width)
{
    size_t n = strlen(s);
    while (at < n) {
        char part[512];
        size_t end, len;
        while (s[at] == ' ') at++;
        end = fit_words(s, at, width);
        len = end - at < sizeof part ? end - at
                                     : utf8_cut(s + at, end - at, sizeof part - 1);
        memcpy(part, s + at, len);
        part[len] = '\0';
        if (len == 0) return;
        if (indent > 0) {
            str_addc(t->out, '\n');
            term_pad(t, indent);
        }
        (void)term_text(t, part, 0);
        at = end;
    }
}

static void put_row(struct term *t, const struct layout *l, const char *const *cells)
{
    int indent = 0;
    for (int j = 0; j < l->shown; j++) {
        const char *s = cells[j] ? cells[j] : "-";
        int w = term_width(s), is_number = l->right && l->right[j],
            is_last = j + 1 == l->shown;
        int pad = w < l->width[j] ? l->width[j] - w : 0;
        term_pad(t, GAP + (is_number ? pad : 0));
        indent += GAP;
        if (is_last && !is_number && w > l->width[j]) {
            size_t end = fit_words(s, 0, l->width[j]);
            char part[512];
            size_t len = end < sizeof part ? end : utf8_cut(s, end, sizeof part - 1);
            memcpy(part, s, len);
            part[len] = '\0';
            (void)term_text(t, part, 0);
            put_rest(t, s, end, indent, l->width[j]);
        } else {
            w = put_cut(t, s, l->width[j], l->head[j]);
            if (!is_number && !is_last) term_pad(t, l->width[j] - w);
        }
        indent += l->width[j];
    }
    str_addc(t->out, '\n');
}

void term_table(struct term *t, int n_cols, const char *const *head,
                const uint8_t *right, int64_t n_rows, const char *const *cells,
                struct arena *a)
{
    struct layout l = {.n_cols = n_cols, .right = right};
    if (n_cols <= 0) return;
    if (lay_out(t, &l, head, n_rows, cells, a)) {
        t->out->failed = 1;
        return;
    }
    term_ink(t, TERM_MUTED);
    put_row(t, &l, head);
    term_ink(t, TERM_PLAIN);
    for (int64_t i = 0; i < n_rows; i++) put_row(t, &l, cells + i * n_cols);
    if (l.shown < n_cols) {
        term_ink(t, TERM_MUTED);
        str_addf(t->out, "  %d more column%s: --json or --html\n", n_cols - l.shown,
                 n_cols - l.shown > 1 ? "s" : "");
        term_ink(t, TERM_PLAIN);
    }
}
