/* look_target.c - the target, and how each column goes along with it
 *
 * | target \ column | number | category |
 * | number | |r| of Pearson | eta: root of the share of variance between levels |
 * | two classes | AUC of the column alone, by midranks | Cramer's V |
 * | more classes | eta, the classes as levels | Cramer's V |
 *
 * All are scaled to a strength of 0 to 1 (AUC: 2 |AUC - 1/2|). Levels of fewer than five rows
 * on average say nothing, so such columns are left out. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "eval/look.h"
#include "math/sort.h"

#define FEW_VALUES 20 /* whole numbers with more values are no classes */
#define ROWS_LEVEL 5
#define TABLE_MAX  4000000

/* ---- reading the target ---- */

static tide_status numbers_of(struct look *l, const struct column *c, double **out,
                              tide_error *err)
{
    const struct column *const cols[1] = {c};
    struct view v = {.n_rows = c->n_rows, .n_cols = 1, .cols = cols};
    *out = arena_array(&l->arena, c->n_rows + 1, sizeof **out);
    if (!*out) return arena_status(&l->arena, err);
    view_numbers(&v, 0, 0, c->n_rows, *out);
    return TIDE_OK;
}

/* Distinct numbers in order, at most FEW_VALUES + 1. */
static int few_values(const double *y, int64_t n, double *out)
{
    int m = 0;
    for (int64_t i = 0; i < n && m <= FEW_VALUES; i++) {
        int at = m;
        if (isnan(y[i])) continue;
        while (at > 0 && out[at - 1] > y[i]) at--;
        if (at > 0 && out[at - 1] == y[i]) continue;
        memmove(out + at + 1, out + at, (size_t)(m - at) * sizeof *out);
        out[at] = y[i];
        m++;
    }
    return m;
}

static int are_classes(const double *value, int n, int64_t present)
{
    if (n < 2 || n > FEW_VALUES) return 0;
    for (int i = 0; i < n; i++)
        if (value[i] != floor(value[i])) return 0;
    return (value[n - 1] - value[0] == n - 1 && 2 * n <= present) ||
           present > (int64_t)n * FEW_VALUES;
}

static tide_status classes_of_numbers(struct look *l, const double *y,
                                      const double *value, int n, tide_error *err)
{
    int64_t rows = l->frame->n_rows;
    int32_t *k = arena_array(&l->arena, rows + 1, sizeof *k);
    l->labels = arena_array(&l->arena, n, sizeof *l->labels);
    if (!k || !l->labels) return arena_status(&l->arena, err);
    l->n_classes = n;
    for (int c = 0; c < n; c++) {
        char t[64];
        (void)str_format(t, sizeof t, "%r", value[c]);
        l->labels[c] = arena_str(&l->arena, t);
    }
    for (int64_t i = 0; i < rows; i++) {
        k[i] = -1;
        for (int c = 0; c < n; c++)
            if (y[i] == value[c]) k[i] = c;
    }
    l->k = k;
    return arena_status(&l->arena, err);
}

static tide_status classes_of_levels(struct look *l, const struct column *c,
                                     tide_error *err)
{
    uint32_t n = c->type == TIDE_BOOL ? 2 : c->dict.n;
    int32_t *k = arena_array(&l->arena, c->n_rows + 1, sizeof *k);
    struct look_column p = {.c = c};
    l->labels = arena_array(&l->arena, (int64_t)n + 1, sizeof *l->labels);
    if (!k || !l->labels) return arena_status(&l->arena, err);
    for (uint32_t i = 0; i < n; i++) l->labels[i] = look_level(&p, i, &l->arena);
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint32_t code = c->type == TIDE_BOOL
                            ? (c->b[i] == BOOL_MISSING ? CODE_MISSING : c->b[i] != 0)
                            : c->code[i];
        k[i] = code == CODE_MISSING ? -1 : (int32_t)code;
    }
    l->n_classes = (int)n;
    l->k = k;
    return arena_status(&l->arena, err);
}

static tide_status count_classes(struct look *l, int by_name, tide_error *err)
{
    double *y = NULL;
    int64_t rows = l->frame->n_rows;
    l->class_n = arena_zero(&l->arena, ((size_t)l->n_classes + 1) * sizeof *l->class_n);
    if (l->n_classes == 2) y = arena_array(&l->arena, rows + 1, sizeof *y);
    if (!l->class_n || (l->n_classes == 2 && !y)) return arena_status(&l->arena, err);
    /* the last label: numbers stand in order, names in any */
    for (int c = 1; c < l->n_classes; c++)
        if (by_name ? strcmp(l->labels[c], l->labels[l->positive]) > 0 : 1)
            l->positive = c;
    for (int64_t i = 0; i < rows; i++) {
        if (l->k[i] >= 0) l->class_n[l->k[i]]++;
        l->n_target += l->k[i] >= 0;
        if (!y) continue;
        y[i] = l->k[i] == l->positive;
        if (l->k[i] < 0) y[i] = NAN;
    }
    l->y = y;
    return TIDE_OK;
}

tide_status look_target_read(struct look *l, const struct tide_look_options *o,
                             tide_error *err)
{
    const struct column *c;
    double *y = NULL, value[FEW_VALUES + 2];
    int n = 0, wish = o ? o->task : 0;
    int64_t present = 0;
    tide_status s;
    l->target = -1;
    if (!o || !o->target || !*o->target) return TIDE_OK;
    l->target = tide_frame_find(l->frame, o->target, "target", err);
    if (l->target < 0) return TIDE_EDATA;
    c = &l->frame->cols[l->target];
    if (c->type == TIDE_TEXT)
        return err_set(
            err, TIDE_CODE_DATA_TARGET,
            "the target '%s' is free text: too many different values for classes",
            c->name);
    if (c->type == TIDE_CAT || c->type == TIDE_BOOL) {
        if (wish == 2 && c->type == TIDE_CAT)
            return err_set(err, TIDE_CODE_DATA_TARGET,
                           "the target '%s' is a category, and 'task' is regress",
                           c->name);
        l->task = TIDE_CLASSIFY;
        (void)str_format(l->why_task, sizeof l->why_task, "%s column",
                         tide_type_name((enum tide_type)c->type));
        s = classes_of_levels(l, c, err);
        return s ? s : count_classes(l, 1, err);
    }
    s = numbers_of(l, c, &y, err);
    if (s) return s;
    for (int64_t i = 0; i < c->n_rows; i++) present += !isnan(y[i]);
    n = few_values(y, c->n_rows, value);
    if (wish == 1 && n > FEW_VALUES)
        return err_set(
            err, TIDE_CODE_DATA_CLASSES,
            "the target '%s' has more than %d values, and 'task' is classify", c->name,
            FEW_VALUES);
    if (wish == 1 || (wish == 0 && are_classes(value, n, present))) {
        l->task = TIDE_CLASSIFY;
        (void)str_format(l->why_task, sizeof l->why_task, "%d whole numbers", n);
        s = classes_of_numbers(l, y, value, n, err);
        return s ? s : count_classes(l, 0, err);
    }
    l->task = TIDE_REGRESS;
    (void)str_format(l->why_task, sizeof l->why_task, "%s column",
                     tide_type_name((enum tide_type)c->type));
    l->y = y;
    l->n_target = present;
    return TIDE_OK;
}

/* ---- how a column goes along with it ---- */

static void relate_r(const struct look *l, struct look_column *p, const double *x)
{
    double mx = 0, my = 0, n = 0, sxx = 0, syy = 0, sxy = 0;
    for (int64_t i = 0; i < p->c->n_rows; i++) { /* co-moments, Welford's way */
        double dx, dy;
        if (isnan(x[i]) || isnan(l->y[i])) continue;
        n++;
        dx = x[i] - mx;
        dy = l->y[i] - my;
        mx += dx / n;
        my += dy / n;
        sxx += dx * (x[i] - mx);
        syy += dy * (l->y[i] - my);
        sxy += dx * (l->y[i] - my);
    }
    if (n < 3 || !(sxx > 0) || !(syy > 0)) return;
    p->how = "r";
    p->value = sxy / (sqrt(sxx) * sqrt(syy));
    p->strength = fabs(p->value);
}

static void relate_auc(const struct look *l, struct look_column *p,
                       const uint32_t *order, const double *x, int64_t m)
{
    double below = 0, won = 0, n_pos = 0;
    for (int64_t i = 0; i < m;) {
        double pos = 0, neg = 0;
        int64_t j = i;
        for (; j < m && x[order[j]] == x[order[i]]; j++) {
            pos += l->k[order[j]] == l->positive;
            neg += l->k[order[j]] >= 0 && l->k[order[j]] != l->positive;
        }
        won += pos * (below + neg / 2);
        below += neg;
        n_pos += pos;
        i = j;
    }
    if (n_pos == 0 || below == 0) return;
    p->how = "AUC";
    p->value = won / (n_pos * below);
    p->strength = 2 * fabs(p->value - 0.5);
}

/* eta of numbers v by groups g (-1 or NaN: left out). */
static void relate_eta(struct look_column *p, const double *v, const int32_t *g,
                       int n_groups, struct arena *a)
{
    double *sum = arena_zero(a, ((size_t)n_groups + 1) * sizeof *sum);
    double *n = arena_zero(a, ((size_t)n_groups + 1) * sizeof *n);
    double mean = 0, all = 0, total = 0, between = 0;
    if (!sum || !n) return;
    for (int64_t i = 0; i < p->c->n_rows; i++) {
        double d;
        if (g[i] < 0 || isnan(v[i])) continue;
        all++;
        d = v[i] - mean;
        mean += d / all;
        total += d * (v[i] - mean);
        sum[g[i]] += v[i];
        n[g[i]]++;
    }
    for (int k = 0; k < n_groups; k++)
        if (n[k] > 0) between += n[k] * (sum[k] / n[k] - mean) * (sum[k] / n[k] - mean);
    if (all < 3 || !(total > 0)) return;
    p->how = "eta";
    p->value = p->strength = sqrt(between < total ? between / total : 1);
}

/* Cramer's V of levels g (-1: left out) and classes. */
static void relate_v(const struct look *l, struct look_column *p, const int32_t *g,
                     int n_groups, struct arena *a)
{
    int64_t size = (int64_t)n_groups * l->n_classes, n = 0;
    int rows = 0, cols = 0;
    double *t, *row, *col, chi = 0;
    if (size > TABLE_MAX) return;
    t = arena_zero(a, ((size_t)size + 1) * sizeof *t);
    row = arena_zero(a, ((size_t)n_groups + 1) * sizeof *row);
    col = arena_zero(a, ((size_t)l->n_classes + 1) * sizeof *col);
    if (!t || !row || !col) return;
    for (int64_t i = 0; i < p->c->n_rows; i++) {
        if (g[i] < 0 || l->k[i] < 0) continue;
        t[(int64_t)g[i] * l->n_classes + l->k[i]]++;
        row[g[i]]++;
        col[l->k[i]]++;
        n++;
    }
    for (int i = 0; i < n_groups; i++) rows += row[i] > 0;
    for (int j = 0; j < l->n_classes; j++) cols += col[j] > 0;
    if (n < 3 || rows < 2 || cols < 2) return;
    for (int i = 0; i < n_groups; i++)
        for (int j = 0; j < l->n_classes; j++) {
            double e = row[i] * col[j] / (double)n,
                   d = t[(int64_t)i * l->n_classes + j] - e;
            if (e > 0) chi += d * d / e;
        }
    p->how = "V";
    p->value = sqrt(chi / ((double)n * ((rows < cols ? rows : cols) - 1)));
    if (p->value > 1) p->value = 1;
    p->strength = p->value;
}

static void add_part(const struct look *l, struct look_part *part, int64_t row)
{
    double y = l->y[row];
    if (isnan(y)) return;
    part->n++;
    part->sum += y;
    part->sum2 += y * y;
}

/* Rows in order of x, in at most LOOK_BINS parts of equal size that do not split ties. */
static void parts_of_numbers(const struct look *l, struct look_column *p,
                             const uint32_t *order, const double *x, int64_t m)
{
    int64_t i = 0;
    for (int k = 0; k < LOOK_BINS && i < m; k++) {
        struct look_part *part = &p->parts[p->n_parts];
        int64_t end = m * (k + 1) / LOOK_BINS;
        if (end <= i) continue;
        while (end < m && x[order[end]] == x[order[end - 1]]) end++;
        *part = (struct look_part){.lo = x[order[i]], .hi = x[order[end - 1]]};
        for (; i < end; i++) add_part(l, part, order[i]);
        p->n_parts += part->n > 0;
    }
}

static void parts_of_levels(const struct look *l, struct look_column *p,
                            const int32_t *g)
{
    p->n_parts = p->n_top;
    for (int t = 0; t < p->n_top; t++)
        p->parts[t] = (struct look_part){.level = p->top[t]};
    for (int64_t i = 0; i < p->c->n_rows; i++)
        for (int t = 0; g[i] >= 0 && t < p->n_top; t++)
            if ((uint32_t)g[i] == p->top[t]) {
                add_part(l, &p->parts[t], i);
                break;
            }
}

static void relate_levels(const struct look *l, struct look_column *p, struct arena *a)
{
    const struct column *c = p->c;
    int32_t *g;
    int n = c->type == TIDE_BOOL ? 2 : (int)c->dict.n;
    if (p->n_distinct * ROWS_LEVEL > p->n && p->n_distinct > 2) return;
    g = arena_array(a, c->n_rows + 1, sizeof *g);
    if (!g) return;
    for (int64_t i = 0; i < c->n_rows; i++)
        g[i] = c->type == TIDE_BOOL ? (c->b[i] == BOOL_MISSING ? -1 : c->b[i] != 0)
               : c->code[i] == CODE_MISSING ? -1
                                            : (int32_t)c->code[i];
    if (l->task == TIDE_REGRESS)
        relate_eta(p, l->y, g, n, a);
    else
        relate_v(l, p, g, n, a);
    if (l->y && p->how) parts_of_levels(l, p, g);
}

void look_column_relate(const struct look *l, struct look_column *p,
                        const uint32_t *order, const double *x, int64_t m,
                        struct arena *a)
{
    if (l->target < 0 || p->c == &l->frame->cols[l->target]) return;
    if (!p->is_number) {
        relate_levels(l, p, a);
        return;
    }
    if (l->task == TIDE_REGRESS)
        relate_r(l, p, x);
    else if (l->n_classes == 2)
        relate_auc(l, p, order, x, m);
    else
        relate_eta(p, x, l->k, l->n_classes, a);
    if (l->y && p->how) parts_of_numbers(l, p, order, x, m);
}
