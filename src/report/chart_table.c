/* chart_table.c - the numbers behind a chart, as tables and as CSV
 *
 * Marks that share their first series (the same x) share a table. A grid of cells becomes a
 * matrix when every pair occurs once. Long tables show their two ends and the deciles between;
 * all rows stand in the JSON and in the CSV. */
#include <math.h>
#include <string.h>

#include "base/numparse.h"
#include "report/report.h"

#define ROWS_FULL 50
#define ROWS_THIN 11

static void uses_of(const struct chart_mark *m, int out[9])
{
    const int use[9] = {m->x,  m->bins_lo, m->lo,   m->hi,  m->y,
                        m->q1, m->q3,      m->size, m->text};
    memcpy(out, use, sizeof use);
    if (m->bins_lo >= 0 && m->lo >= 0)
        out[1] = -1; /* the left edges already stand there */
}

static int first_series(const struct chart_mark *m)
{
    int use[9];
    uses_of(m, use);
    for (int i = 0; i < 9; i++)
        if (use[i] >= 0) return use[i];
    return -1;
}

/* Series of n values that no mark draws stand beside the first mark's. */
static int loose_series(const struct tide_chart *c, int lead, int64_t n, int *out)
{
    int found = 0;
    for (int i = 0; i < lead; i++)
        if (c->marks[i].kind != MARK_RULE) return 0;
    for (int s = 0; s < c->n_series; s++) {
        int drawn = c->series[s].n != n;
        for (int i = 0; i < c->n_marks; i++) {
            int use[9];
            uses_of(&c->marks[i], use);
            for (int k = 0; k < 9; k++)
                drawn |= use[k] == s || c->marks[i].bins_lo == s;
        }
        if (!drawn) out[found++] = s;
    }
    return found;
}

/* Series of all marks that belong to mark `lead`'s table, in order, each once. */
static int grid_series(const struct tide_chart *c, int lead, int *out)
{
    int first = first_series(&c->marks[lead]), n = 0;
    for (int i = lead; i < c->n_marks; i++) {
        int use[9];
        if (c->marks[i].kind == MARK_RULE || first_series(&c->marks[i]) != first)
            continue;
        uses_of(&c->marks[i], use);
        for (int k = 0; k < 9; k++) {
            int seen = use[k] < 0 || c->series[use[k]].n != c->series[first].n;
            for (int j = 0; j < n; j++) seen |= out[j] == use[k];
            if (!seen) out[n++] = use[k];
        }
    }
    return n + loose_series(c, lead, c->series[first].n, out + n);
}

static const char *cell_text(const struct chart_series *s, int64_t i, struct arena *a,
                             int all)
{
    struct figure f;
    char t[NUM_PRINT_MAX];
    if (s->text) return s->text[i];
    if (isnan(s->num[i])) return NULL;
    if (!all) return arena_str(a, figure_number(&f, s->num[i], 4));
    (void)num_print(t, s->num[i]);
    return arena_str(a, t);
}

static int make_grid(const struct tide_chart *c, int lead, struct arena *a, int all,
                     struct chart_grid *g)
{
    int use[24];
    int64_t n;
    memset(g, 0, sizeof *g);
    g->n_cols = grid_series(c, lead, use);
    n = c->series[use[0]].n;
    g->n_rows = all || n <= ROWS_FULL ? n : ROWS_THIN;
    g->head = arena_array(a, g->n_cols, sizeof *g->head);
    g->right = arena_zero(a, (size_t)g->n_cols);
    g->cell = arena_array(a, g->n_rows * g->n_cols + 1, sizeof *g->cell);
    if (!g->head || !g->right || !g->cell) return -1;
    for (int j = 0; j < g->n_cols; j++) {
        const struct chart_series *s = &c->series[use[j]];
        g->head[j] = s->name;
        g->right[j] = s->num != NULL;
        for (int64_t i = 0; i < g->n_rows; i++) {
            int64_t row = g->n_rows == n ? i : i * (n - 1) / (ROWS_THIN - 1);
            g->cell[i * g->n_cols + j] = cell_text(s, row, a, all);
        }
    }
    return a->failed ? -1 : 0;
}

/* Cells as a matrix, when names of y by names of x fill it. */
static int make_matrix(const struct tide_chart *c, const struct chart_mark *m,
                       struct arena *a, struct chart_grid *g)
{
    struct plot p;
    const struct chart_series *v = &c->series[m->size];
    int64_t nx, ny;
    if (plot_init(&p, c, a)) return -1;
    nx = p.x.n_cats;
    ny = p.y.n_cats;
    if (nx * ny != v->n || nx > 24 || ny > ROWS_FULL || !v->num) return 1;
    memset(g, 0, sizeof *g);
    g->n_cols = (int)nx + 1;
    g->n_rows = ny;
    g->head = arena_array(a, g->n_cols, sizeof *g->head);
    g->right = arena_zero(a, (size_t)g->n_cols);
    g->cell = arena_zero(a, (size_t)(g->n_rows * g->n_cols + 1) * sizeof *g->cell);
    if (!g->head || !g->right || !g->cell) return -1;
    g->head[0] = c->y.label ? c->y.label : "";
    for (int64_t j = 0; j < nx; j++) {
        g->head[j + 1] = p.x.cats[j];
        g->right[j + 1] = 1;
    }
    for (int64_t i = 0; i < ny; i++) g->cell[i * g->n_cols] = p.y.cats[i];
    for (int64_t i = 0; i < v->n; i++) {
        int64_t x = (int64_t)plot_value(&p, &p.x, m->x, i);
        int64_t y = (int64_t)plot_value(&p, &p.y, m->y, i);
        g->cell[y * g->n_cols + x + 1] = cell_text(v, i, a, 0);
    }
    return a->failed ? -1 : 0;
}

int chart_table_grids(const struct tide_chart *c, struct arena *a, int all,
                      struct chart_grid out[CHART_GRIDS])
{
    int n = 0;
    for (int i = 0; i < c->n_marks && n < CHART_GRIDS; i++) {
        const struct chart_mark *m = &c->marks[i];
        int done = m->kind == MARK_RULE || m->kind == MARK_TICK || first_series(m) < 0,
            bad;
        for (int j = 0; j < i; j++)
            done |= c->marks[j].kind != MARK_RULE &&
                    first_series(&c->marks[j]) == first_series(m);
        if (done) continue;
        bad = 1;
        if (m->kind == MARK_CELL && !all && m->x >= 0 && m->y >= 0 && m->size >= 0)
            bad = make_matrix(c, m, a, &out[n]);
        if (bad > 0) bad = make_grid(c, i, a, all, &out[n]);
        if (bad < 0) return -1;
        n++;
    }
    return n;
}

static void csv_field(struct str *out, const char *s)
{
    if (s) str_add_csv(out, s, strlen(s), 0);
}

void chart_table_csv(struct str *out, const struct tide_chart *c, struct arena *a)
{
    struct chart_grid grid[CHART_GRIDS];
    int n = chart_table_grids(c, a, 1, grid);
    if (n < 0) out->failed = 1;
    for (int g = 0; g < n; g++) {
        if (g > 0) str_addc(out, '\n');
        for (int j = 0; j < grid[g].n_cols; j++) {
            if (j > 0) str_addc(out, ',');
            csv_field(out, grid[g].head[j]);
        }
        str_addc(out, '\n');
        for (int64_t i = 0; i < grid[g].n_rows; i++) {
            for (int j = 0; j < grid[g].n_cols; j++) {
                if (j > 0) str_addc(out, ',');
                csv_field(out, grid[g].cell[i * grid[g].n_cols + j]);
            }
            str_addc(out, '\n');
        }
    }
}
