/* csv_header.c - names of the columns, from the first row or by number */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "frame/csv.h"
#include "frame/level_set.h"

enum { HEADER_AUTO, HEADER_YES, HEADER_NO, HEADER_RENAME };

struct header {
    struct csv_reader *r;
    const struct csv_block *b;
    const uint32_t *end;
    uint32_t begin;
    int n;
    struct level_set names;
    int n_empty, first_empty;
};

static struct csv_cell header_cell(const struct header *h, int j)
{
    uint32_t s = j ? h->end[j - 1] + 1 : h->begin, e = h->end[j];
    const char *t = h->b->text;
    if (j == h->n - 1 && e > s && t[e - 1] == '\r') e--;
    if (h->r->d.trim) {
        while (s < e && t[s] == ' ') s++;
        while (e > s && t[e - 1] == ' ') e--;
    }
    return (struct csv_cell){t + s, e - s,
                             e > s && h->r->d.quote && t[s] == h->r->d.quote};
}

/* A first row is names unless one of its cells is a number or a date. */
static int looks_like_names(const struct header *h)
{
    for (int j = 0; j < h->n; j++) {
        struct csv_cell c = header_cell(h, j);
        double v;
        int64_t us;
        if (c.quoted) continue;
        enum csv_number kind = csv_parse_number(h->r, c, &v);
        if (kind != CSV_OTHER && kind != CSV_MISSING && kind != CSV_INFINITE) return 0;
        if (csv_parse_time(h->r, c, &us) == CSV_NUMBER) return 0;
    }
    return 1;
}

static tide_status refuse_name(const struct header *h, int j, int64_t limit,
                               tide_error *err)
{
    err_set(err, TIDE_CODE_LIMIT_NAME, "the name of column %d has more than %lld bytes",
            j + 1, (long long)limit);
    return csv_place(h->r, h->b, header_cell(h, j).s - h->b->text, err);
}

static tide_status refuse_twice(const struct header *h, const char *name, int first,
                                int j, tide_error *err)
{
    char shown[128];
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, TIDE_CODE_CSV_DUPLICATE_NAME,
            "column name '%s' stands at columns %d and %d", shown, first + 1, j + 1);
    err_hint(err, "header", "rename");
    err_field(err, name);
    return csv_place(h->r, h->b, header_cell(h, j).s - h->b->text, err);
}

/* name_2, name_3 ...: the first that is free. */
static const char *free_name(struct header *h, const char *name, int j)
{
    struct arena *a = &h->r->work;
    size_t size = strlen(name) + 16;
    char *more = arena_push(a, size);
    for (int k = 2; more; k++) {
        str_format(more, size, "%s_%d", name, k);
        uint32_t code = level_set_add(&h->names, more, strlen(more), 0);
        if (code == CODE_MISSING) return NULL;
        if (code == (uint32_t)j) return more;
    }
    return NULL;
}

static tide_status take_name(struct header *h, int j, tide_error *err)
{
    struct csv_reader *r = h->r;
    struct csv_cell c = header_cell(h, j);
    char *name = NULL;
    if (r->has_header && c.n) {
        if (c.n > 2 * CSV_NAME + 2) return refuse_name(h, j, CSV_NAME, err);
        name = arena_push(&r->work, c.n + 1);
        if (!name) return arena_status(&r->work, err);
        size_t n = c.n;
        if (c.quoted)
            n = csv_unquote(c.s, c.n, r->d.quote, name);
        else
            memcpy(name, c.s, n);
        name[n] = '\0';
        if (n > CSV_NAME) return refuse_name(h, j, CSV_NAME, err);
    }
    int empty = !name || !*name;
    if (empty) {
        if (r->has_header && h->n_empty++ == 0) h->first_empty = j;
        name = arena_push(&r->work, 32);
        if (name) str_format(name, 32, "column_%d", j + 1);
    }
    uint32_t code =
        name ? level_set_add(&h->names, name, strlen(name), 0) : CODE_MISSING;
    if (code != CODE_MISSING && code < (uint32_t)j) {
        if (!empty && r->o.header != HEADER_RENAME)
            return refuse_twice(h, name, (int)code, j, err);
        name = (char *)free_name(h, name, j);
    }
    r->cols[j].name = name;
    return arena_status(&r->work, err);
}

static void warn_of_empty(const struct header *h)
{
    tide_error w = {0};
    int j = h->first_empty;
    char more[64] = "";
    if (h->n_empty > 1)
        str_format(more, sizeof more, ", and %d more have none", h->n_empty - 1);
    err_set(&w, TIDE_CODE_CSV_NAME, "column %d has no name and is called '%s'%s", j + 1,
            h->r->cols[j].name, more);
    csv_place(h->r, h->b, header_cell(h, j).s - h->b->text, &w);
    ctx_warn(h->r->ctx, &w);
}

tide_status csv_take_header(struct csv_reader *r, const struct csv_block *b,
                            const uint32_t *end, uint32_t begin, int n, tide_error *err)
{
    struct header h = {.r = r, .b = b, .end = end, .begin = begin, .n = n};
    r->cols = arena_zero(&r->work, (size_t)n * sizeof *r->cols);
    if (!r->cols || level_set_init(&h.names, &r->work, &r->work, n) != 0)
        return arena_status(&r->work, err);
    r->n_cols = n;
    r->has_header =
        r->o.header == HEADER_AUTO ? looks_like_names(&h) : r->o.header != HEADER_NO;
    tide_status st = TIDE_OK;
    for (int j = 0; st == TIDE_OK && j < n; j++) st = take_name(&h, j, err);
    if (st == TIDE_OK && h.n_empty) warn_of_empty(&h);
    return st;
}
