/* look_table.c - the table as a whole: repeated rows and columns, columns that move together */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/str.h"
#include "eval/look.h"
#include "math/sort.h"

#define R_ROWS   20000 /* rows of the association map, evenly taken */
#define R_COLS   200
#define FEWEST   20   /* rows below which unique values mean nothing */
#define ID_SHARE 0.95 /* of text values that differ: identifiers */

/* ---- repeated rows ---- */

struct row_hashes {
    const tide_frame *f;
    uint64_t *h;
};

static uint64_t cell_hash(const struct column *c, int64_t i)
{
    uint64_t bits = 0;
    double v;
    switch ((enum tide_type)c->type) {
    case TIDE_F64:
        v = column_f64(c, i);
        if (isnan(v)) return 1;
        if (v != 0) memcpy(&bits, &v, sizeof bits); /* -0 equals 0 */
        return bits;
    case TIDE_I64:
    case TIDE_TIME:
        return (uint64_t)c->i64[i];
    case TIDE_BOOL:
        return c->b[i];
    case TIDE_CAT:
        return c->code[i];
    case TIDE_TEXT:
        if (c->text_missing && c->text_missing[i]) return 1;
        return hash64(c->text + c->text_at[i],
                      (size_t)(c->text_at[i + 1] - c->text_at[i]), 2);
    }
    return 0;
}

static void hash_block(void *arg, int64_t block, int worker)
{
    const struct row_hashes *r = arg;
    int64_t from = block * PAR_BLOCK, to = from + PAR_BLOCK;
    (void)worker;
    if (to > r->f->n_rows) to = r->f->n_rows;
    for (int64_t i = from; i < to; i++) r->h[i] = 0;
    for (int j = 0; j < r->f->n_cols; j++)
        for (int64_t i = from; i < to; i++)
            r->h[i] = gen_mix(r->h[i] ^ cell_hash(&r->f->cols[j], i)) + (uint64_t)j;
}

tide_status look_duplicates(struct look *l, tide_error *err)
{
    int64_t n = l->frame->n_rows;
    struct arena a;
    struct row_hashes r = {l->frame, NULL};
    uint32_t *order;
    tide_status s;
    if (n < 2) return TIDE_OK;
    arena_init(&a, l->ctx);
    r.h = arena_array(&a, n, sizeof *r.h);
    order = arena_array(&a, n, sizeof *order);
    s = arena_status(&a, err);
    if (!s) s = par_for(l->ctx, (n + PAR_BLOCK - 1) / PAR_BLOCK, hash_block, &r, err);
    if (!s && sort_index_u64(&a, r.h, n, order)) s = arena_status(&a, err);
    for (int64_t i = 1; !s && i < n; i++)
        l->n_duplicates += r.h[order[i]] == r.h[order[i - 1]];
    arena_free(&a);
    return s;
}

/* ---- what each column is ---- */

static void judge_column(struct look *l, struct look_column *p)
{
    int is_target = l->target >= 0 && p->c == &l->frame->cols[l->target];
    p->is_constant = p->n_distinct <= 1;
    if (p->c->type == TIDE_I64)
        p->is_id = p->n >= FEWEST && p->n_missing == 0 && p->n_distinct == p->n &&
                   p->max - p->min < 1.5 * (double)p->n;
    else if (p->c->type == TIDE_CAT || p->c->type == TIDE_TEXT)
        p->is_id = p->n >= FEWEST && (double)p->n_distinct >= ID_SHARE * (double)p->n;
    if (is_target) p->is_id = 0;
    if (p->how && p->n >= FEWEST)
        p->is_leak = str_same(p->how, "AUC")
                         ? p->value > LOOK_LEAK || p->value < 1 - LOOK_LEAK
                         : p->strength > LOOK_LEAK;
}

void look_judge(struct look *l)
{
    for (int j = 0; j < l->n_cols; j++) judge_column(l, &l->col[j]);
    for (int j = 0; j < l->n_cols; j++) {
        struct look_column *p = &l->col[j];
        p->twin = -1;
        for (int i = 0; i < j && p->twin < 0 && !p->is_constant && j < 4000; i++)
            if (l->col[i].content == p->content &&
                l->col[i].n_missing == p->n_missing &&
                l->col[i].n_distinct == p->n_distinct)
                p->twin = i;
        l->n_missing += p->n_missing;
    }
}

/* ---- columns that move together ---- */

static int is_mapped(const struct look *l, int j)
{
    const struct look_column *p = &l->col[j];
    return p->is_number && !p->is_constant && !p->is_id && p->twin < 0 &&
           p->c->type != TIDE_TIME && j != l->target;
}

/* Pearson over rows that both have. */
static double pearson(const double *x, const double *y, int64_t n)
{
    double mx = 0, my = 0, m = 0, sxx = 0, syy = 0, sxy = 0;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]) || isnan(y[i])) continue;
        mx += x[i];
        my += y[i];
        m++;
    }
    mx /= m;
    my /= m;
    for (int64_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        if (isnan(dx) || isnan(dy)) continue;
        sxx += dx * dx;
        syy += dy * dy;
        sxy += dx * dy;
    }
    if (!(m > 2) || !(sxx > 0) || !(syy > 0)) return NAN;
    return sxy / (sqrt(sxx) * sqrt(syy));
}

static void keep_pair(struct look *l, int a, int b, double r)
{
    int at = l->n_pairs;
    if (!(fabs(r) >= 0.5)) return;
    if (at == 10 && fabs(r) <= fabs(l->pairs[9].r)) return;
    if (at == 10)
        at--;
    else
        l->n_pairs++;
    while (at > 0 && fabs(l->pairs[at - 1].r) < fabs(r)) {
        l->pairs[at] = l->pairs[at - 1];
        at--;
    }
    l->pairs[at] = (struct look_pair){a, b, r};
}

struct correlation {
    struct look *l;
    double *x; /* [n_numeric][rows] */
    int64_t rows;
};

static void correlate_row(void *arg, int64_t i, int worker)
{
    const struct correlation *c = arg;
    int n = c->l->n_numeric;
    (void)worker;
    for (int j = 0; j < i; j++)
        c->l->r[i * n + j] = pearson(c->x + i * c->rows, c->x + j * c->rows, c->rows);
    c->l->r[i * n + i] = 1;
}

tide_status look_correlate(struct look *l, tide_error *err)
{
    int64_t n = l->frame->n_rows, step, cap;
    struct correlation c = {.l = l};
    struct arena a;
    tide_status s;
    l->numeric = arena_array(&l->arena, R_COLS, sizeof *l->numeric);
    if (!l->numeric) return arena_status(&l->arena, err);
    for (int j = 0; j < l->n_cols && l->n_numeric < R_COLS; j++)
        if (is_mapped(l, j)) l->numeric[l->n_numeric++] = j;
    if (l->n_numeric < 2 || n < FEWEST) return TIDE_OK;
    cap = l->n_numeric <= 40 ? R_ROWS : R_ROWS / 5;
    step = (n + cap - 1) / cap;
    c.rows = l->r_rows = (n + step - 1) / step;
    arena_init(&a, l->ctx);
    l->r = arena_array(&l->arena, (int64_t)l->n_numeric * l->n_numeric, sizeof *l->r);
    c.x = arena_array(&a, c.rows * l->n_numeric, sizeof *c.x);
    s = arena_status(&l->arena, err);
    if (!s) s = arena_status(&a, err);
    for (int j = 0; !s && j < l->n_numeric; j++) {
        const struct column *const cols[1] = {l->col[l->numeric[j]].c};
        struct view v = {.n_rows = n, .n_cols = 1, .cols = cols};
        for (int64_t i = 0; i < c.rows; i++)
            view_numbers(&v, 0, i * step, 1, c.x + j * c.rows + i);
    }
    if (!s) s = par_for(l->ctx, l->n_numeric, correlate_row, &c, err);
    arena_free(&a);
    for (int i = 0; !s && i < l->n_numeric; i++)
        for (int j = 0; j < i; j++) {
            double r = l->r[i * l->n_numeric + j];
            l->r[j * l->n_numeric + i] = r;
            keep_pair(l, l->numeric[j], l->numeric[i], r);
        }
    return s;
}
