/* look_report.c - the account of a table: tables, what is worth a look, what to do next */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "eval/charts.h"
#include "eval/look.h"

#define MOSTLY   0.5  /* share of missing cells that is worth a word */
#define SUSPECT  0.95 /* strength that asks for an explanation */
#define SKEWED   3.0
#define MANY     50   /* levels: high cardinality */
#define UNEVEN   0.05 /* share of the smallest class */
#define FINDINGS 400

const char *look_number(const struct look_column *p, double v, struct arena *a)
{
    char t[NUM_PRINT_MAX];
    if (isnan(v)) return "-";
    if (p->c->type == TIDE_TIME && fabs(v) < 9e12) {
        (void)time_print(t, sizeof t, (int64_t)floor(v + 0.5) * 1000000);
        return arena_str(a, t);
    }
    if ((fabs(v) >= 1000 || v == floor(v)) && fabs(v) < 1e15)
        (void)num_print_f(t, v, 0);
    else
        (void)num_print_g(t, v, 4);
    return arena_str(a, t);
}

static const char *percent(struct arena *a, int64_t part, int64_t whole)
{
    char t[48], n[NUM_PRINT_MAX];
    double share = whole ? 100.0 * (double)part / (double)whole : 0;
    if (part == 0) return "0";
    (void)num_print_g(n, share, share < 1 ? 2 : 3);
    (void)str_format(t, sizeof t, "%s%%", n);
    return arena_str(a, t);
}

const char *look_count(struct arena *a, int64_t n)
{
    char digits[NUM_PRINT_MAX], t[48];
    int len = num_print_i64(digits, n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-') t[at++] = ',';
        t[at++] = digits[i];
    }
    t[at] = '\0';
    return arena_str(a, t);
}

/* "37, 17 to 90" or "Private 70 %, Self-emp 8 %" */
static const char *typical(struct look *l, const struct look_column *p)
{
    struct arena *a = &l->arena;
    struct str t = {0};
    const char *out;
    if (p->n == 0) return "nothing";
    if (p->is_number) {
        str_addf(&t, "median %s, %s to %s", look_number(p, p->q50, a),
                 look_number(p, p->min, a), look_number(p, p->max, a));
    } else if (p->n_top > 0) {
        for (int k = 0; k < p->n_top && k < 2; k++) {
            const char *s = look_level(p, p->top[k], a);
            char name[CHARTS_NAME], v[NUM_PRINT_MAX];
            if (!s || !*s) s = "(empty)";
            (void)err_quote(name, sizeof name, s, strlen(s), 16);
            double share = 100.0 * (double)p->top_n[k] / (double)p->n;
            if (share >= 10)
                (void)num_print_f(v, share, 0);
            else
                (void)num_print_g(v, share, 2);
            str_addf(&t, "%s%s %s%%", k ? ", " : "", name, v);
        }
    } else {
        str_add(&t, "free text");
    }
    out = arena_str(a, t.s ? t.s : "");
    if (t.failed) l->report->failed = TIDE_ENOMEM;
    str_free(&t);
    return out;
}

static void table_columns(struct look *l)
{
    static const char *const with[] = {"column",   "type",   "missing",
                                       "distinct", "target", "values"};
    static const char *const without[] = {"column", "type", "missing", "distinct",
                                          "values"};
    static const uint8_t right[] = {0, 0, 1, 1, 0, 0};
    int cols = l->target >= 0 ? 6 : 5;
    struct arena *a = &l->arena;
    const char **cell = arena_array(a, (int64_t)l->n_cols * cols + 1, sizeof *cell);
    if (!cell) return;
    for (int j = 0; j < l->n_cols; j++) {
        const struct look_column *p = &l->col[j];
        const char **row = cell + (int64_t)j * cols;
        row[0] = p->c->name;
        row[1] = tide_type_name((enum tide_type)p->c->type);
        row[2] = percent(a, p->n_missing, l->frame->n_rows);
        row[3] = look_count(a, p->n_distinct);
        row[cols - 1] = typical(l, p);
        if (cols < 6) continue;
        row[4] = j == l->target ? "target" : NULL;
        if (p->how) {
            char t[48], v[NUM_PRINT_MAX];
            (void)num_print_g(v, p->value, 3);
            (void)str_format(t, sizeof t, "%s %s", p->how, v);
            row[4] = arena_str(a, t);
        }
    }
    report_table(l->report, "columns", "Columns", cols, cols == 6 ? with : without,
                 right, l->n_cols, cell);
}

static void table_numbers(struct look *l)
{
    static const char *const head[] = {"column", "mean", "sd",  "min",  "25 %",
                                       "median", "75 %", "max", "skew", "outliers"};
    static const uint8_t right[] = {0, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct arena *a = &l->arena;
    const char **cell = arena_array(a, (int64_t)l->n_cols * 10 + 1, sizeof *cell);
    int64_t n = 0;
    for (int j = 0; cell && j < l->n_cols; j++) {
        const struct look_column *p = &l->col[j];
        const char **row = cell + n * 10;
        char t[NUM_PRINT_MAX];
        if (!p->is_number || p->n == 0 || p->c->type == TIDE_TIME) continue;
        row[0] = p->c->name;
        row[1] = look_number(p, p->mean, a);
        row[2] = look_number(p, p->sd, a);
        row[3] = look_number(p, p->min, a);
        row[4] = look_number(p, p->q25, a);
        row[5] = look_number(p, p->q50, a);
        row[6] = look_number(p, p->q75, a);
        row[7] = look_number(p, p->max, a);
        (void)num_print_f(t, fabs(p->skew) < 0.005 ? 0 : p->skew,
                          fabs(p->skew) < 10 ? 2 : 1);
        row[8] = arena_str(a, t);
        row[9] = percent(a, p->n_outliers, p->n);
        n++;
    }
    if (n) report_table(l->report, "numbers", "Numbers", 10, head, right, n, cell);
}

static void table_target(struct look *l)
{
    static const char *const head[] = {"class", "rows", "share"};
    static const uint8_t right[] = {0, 1, 1};
    int n = l->n_classes < 20 ? l->n_classes : 20;
    const char **cell = arena_array(&l->arena, (int64_t)n * 3 + 1, sizeof *cell);
    if (!cell || l->target < 0 || l->task != TIDE_CLASSIFY) return;
    for (int c = 0; c < n; c++) {
        cell[c * 3] = l->labels[c];
        cell[c * 3 + 1] = look_count(&l->arena, l->class_n[c]);
        cell[c * 3 + 2] = percent(&l->arena, l->class_n[c], l->n_target);
    }
    report_table(l->report, "classes", "Classes of the target", 3, head, right, n,
                 cell);
    if (n < l->n_classes)
        report_note(l->report, "%d further classes are not listed", l->n_classes - n);
}

static void table_pairs(struct look *l)
{
    static const char *const head[] = {"column", "and", "r"};
    static const uint8_t right[] = {0, 0, 1};
    const char *cell[30];
    for (int i = 0; i < l->n_pairs; i++) {
        char t[NUM_PRINT_MAX];
        (void)num_print_g(t, l->pairs[i].r, 3);
        cell[i * 3] = l->col[l->pairs[i].a].c->name;
        cell[i * 3 + 1] = l->col[l->pairs[i].b].c->name;
        cell[i * 3 + 2] = arena_str(&l->arena, t);
    }
    if (l->n_pairs)
        report_table(l->report, "pairs",
                     "Numbers that move together (|r| of 0.5 and more)", 3, head, right,
                     l->n_pairs, cell);
}

void look_tables(struct look *l)
{
    table_columns(l);
    table_numbers(l);
    table_target(l);
    table_pairs(l);
}

/* ---- findings ---- */

struct findings {
    struct look *l;
    const char **cell; /* [n][3]: column, what, detail */
    int64_t n, cap;
};

static void find(struct findings *f, int j, const char *what, const char *fmt, ...)
{
    va_list ap;
    char t[320];
    if (f->n == f->cap) return;
    va_start(ap, fmt);
    (void)str_formatv(t, sizeof t, fmt, ap);
    va_end(ap);
    f->cell[f->n * 3] = f->l->col[j].c->name;
    f->cell[f->n * 3 + 1] = what;
    f->cell[f->n * 3 + 2] = arena_str(&f->l->arena, t);
    f->n++;
}

static void find_first(struct findings *f, int j)
{
    struct look *l = f->l;
    const struct look_column *p = &l->col[j];
    char v[NUM_PRINT_MAX];
    if (p->is_leak)
        find(f, j, "leak",
             "%s %s: it gives the target away; will it be known when you predict?",
             p->how, charts_figure(v, p->value));
    else if (p->how && p->strength > SUSPECT)
        find(f, j, "suspect",
             "%s %s with the target: will it be known when you predict?", p->how,
             charts_figure(v, p->value));
    if (p->is_id)
        find(f, j, "identifier", "%s different values in %s rows",
             look_count(&f->l->arena, p->n_distinct), look_count(&f->l->arena, p->n));
    if (p->n == 0)
        find(f, j, "empty", "no value at all");
    else if (p->is_constant)
        find(f, j, "constant", "one value in all %s rows%s",
             look_count(&f->l->arena, p->n),
             p->n_missing ? " that are not missing" : "");
    if (p->twin >= 0)
        find(f, j, "duplicate", "the same as column '%s'", l->col[p->twin].c->name);
}

static void find_mixed(struct findings *f, int j)
{
    const struct look_column *p = &f->l->col[j];
    const char *odd = look_level(p, p->odd_level, &f->l->arena);
    char name[CHARTS_NAME];
    int64_t others = p->n - p->n_like_numbers;
    if (p->is_number || p->n_like_numbers == 0 || others == 0) return;
    if (2 * p->n_like_numbers < p->n) return;
    find(f, j, "mixed types", "%s numbers and %s others%s%s%s",
         look_count(&f->l->arena, p->n_like_numbers), look_count(&f->l->arena, others),
         odd ? ", most often '" : "", odd ? charts_name(name, odd) : "",
         odd ? "'" : "");
}

static void find_shape(struct findings *f, int j)
{
    const struct look_column *p = &f->l->col[j];
    char v[NUM_PRINT_MAX];
    if (p->is_number && !isnan(p->sentinel))
        find(f, j, "sentinel",
             "%s in %s rows, far from all others: missing in disguise?",
             look_number(p, p->sentinel, &f->l->arena),
             look_count(&f->l->arena, p->n_sentinel));
    if ((double)p->n_missing > MOSTLY * (double)p->c->n_rows && p->n > 0)
        find(f, j, "mostly missing", "%s of the rows",
             percent(&f->l->arena, p->n_missing, p->c->n_rows));
    if (p->c->type == TIDE_CAT && !p->is_id && p->n_distinct > MANY)
        find(f, j, "many levels", "%s levels, %s rows a level",
             look_count(&f->l->arena, p->n_distinct),
             look_count(&f->l->arena, (p->n / p->n_distinct)));
    if (p->is_number && p->c->type != TIDE_TIME && fabs(p->skew) > SKEWED &&
        p->n_distinct > 2 && isnan(p->sentinel))
        find(f, j, "skew", "skewness %s%s", charts_figure(v, p->skew),
             p->q75 > p->q25 ? ": a logarithm may help linear models"
                             : ", most rows have one value");
}

/* Columns whose gaps fall on the same rows. */
static void note_gaps(struct look *l)
{
    for (int j = 0; j < l->n_cols; j++) {
        struct str t = {0};
        int n = 1, first = 1;
        char name[CHARTS_NAME];
        if (l->col[j].n_missing == 0) continue;
        for (int i = 0; i < j; i++)
            first &= l->col[i].gaps != l->col[j].gaps ||
                     l->col[i].n_missing != l->col[j].n_missing;
        if (!first) continue;
        str_addf(&t, "'%s'", charts_name(name, l->col[j].c->name));
        for (int i = j + 1; i < l->n_cols; i++)
            if (l->col[i].gaps == l->col[j].gaps &&
                l->col[i].n_missing == l->col[j].n_missing)
                if (n++ < 6)
                    str_addf(&t, ", '%s'", charts_name(name, l->col[i].c->name));
        if (n > 1)
            report_note(l->report, "missing together, in the same %s rows: %s%s",
                        look_count(&l->arena, l->col[j].n_missing), t.s ? t.s : "",
                        n > 6 ? " and more" : "");
        if (t.failed) l->report->failed = TIDE_ENOMEM;
        str_free(&t);
    }
}

/* The table in a sentence or two. */
static void look_verdict(struct look *l, int n_findings)
{
    int with = 0, leaks = 0;
    for (int j = 0; j < l->n_cols; j++) {
        with += l->col[j].n_missing > 0;
        leaks += l->col[j].is_leak;
    }
    if (leaks == 1)
        report_verdict(
            l->report,
            "One column gives the target away: find out why before you train.");
    else if (leaks)
        report_verdict(
            l->report,
            "%d columns give the target away: find out why before you train.", leaks);
    else if (l->target >= 0)
        report_verdict(l->report, "No column gives the target away.");
    if (with)
        report_verdict(
            l->report, "%d of %d columns have missing values (%s of all cells).", with,
            l->n_cols, percent(&l->arena, l->n_missing, l->frame->n_rows * l->n_cols));
    else if (l->frame->n_rows)
        report_verdict(l->report, "Nothing is missing.");
    if (n_findings)
        report_verdict(l->report, "%d thing%s worth a look.", n_findings,
                       n_findings == 1 ? " is" : "s are");
}

void look_findings(struct look *l)
{
    static const char *const head[] = {"column", "what", "why"};
    struct findings f = {.l = l, .cap = FINDINGS};
    f.cell = arena_array(&l->arena, FINDINGS * 3, sizeof *f.cell);
    if (!f.cell) return;
    for (int j = 0; j < l->n_cols; j++) find_first(&f, j);
    for (int j = 0; j < l->n_cols; j++) find_mixed(&f, j);
    for (int j = 0; j < l->n_cols; j++) find_shape(&f, j);
    for (int i = 0; i < l->n_pairs; i++)
        if (fabs(l->pairs[i].r) > 0.99) {
            char v[NUM_PRINT_MAX];
            find(&f, l->pairs[i].b, "nearly the same", "r %s with '%s'",
                 charts_figure(v, l->pairs[i].r), l->col[l->pairs[i].a].c->name);
        }
    if (f.n)
        report_table(l->report, "findings", "Worth a look", 3, head, NULL, f.n, f.cell);
    look_verdict(l, (int)f.n);
    if (f.n == FINDINGS)
        report_note(l->report, "only the first %d findings are listed", FINDINGS);
    if (l->n_duplicates)
        report_note(l->report, "%s rows repeat an earlier one (%s)",
                    look_count(&l->arena, l->n_duplicates),
                    percent(&l->arena, l->n_duplicates, l->frame->n_rows));
    note_gaps(l);
}

/* ---- advice ---- */

/* A word of a shell command. */
static void add_word(struct str *t, const char *s)
{
    int plain = *s != '\0';
    for (const char *p = s; *p; p++)
        plain &= (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                 (*p >= '0' && *p <= '9') || strchr("_./-", *p) != NULL;
    str_addc(t, ' ');
    if (!plain) str_addc(t, '\'');
    for (const char *p = s; *p; p++) {
        if (*p == '\'')
            str_add(t, "'\\''");
        else
            str_addc(t, *p);
    }
    if (!plain) str_addc(t, '\'');
}

static void add_train(const struct look *l, struct str *t)
{
    str_add(t, "tidemill train");
    add_word(t, l->file);
    str_add(t, " --target");
    add_word(t, l->target >= 0 ? l->frame->cols[l->target].name : "COLUMN");
}

static void advise_drop(struct look *l)
{
    struct str t = {0};
    int n = 0;
    add_train(l, &t);
    for (int j = 0; j < l->n_cols && n < 6; j++) {
        const struct look_column *p = &l->col[j];
        if (j == l->target || !(p->is_leak || p->twin >= 0)) continue;
        str_add(&t, " --drop");
        add_word(&t, p->c->name);
        n++;
    }
    if (n)
        report_advice(l->report, t.s,
                      "Leave out what gives the target away or stands there twice "
                      "(identifiers and constant columns are left out by themselves).");
    if (t.failed) l->report->failed = TIDE_ENOMEM;
    str_free(&t);
}

static void advise_sentinel(struct look *l)
{
    for (int j = 0; j < l->n_cols; j++) {
        const struct look_column *p = &l->col[j];
        struct str t = {0};
        const char *value;
        char name[CHARTS_NAME];
        if (!p->is_number || isnan(p->sentinel)) continue;
        value = look_number(p, p->sentinel, &l->arena);
        str_add(&t, "tidemill look");
        add_word(&t, l->file);
        str_add(&t, " --na");
        add_word(&t, value);
        report_advice(l->report, t.s, "If %s in '%s' means missing, read it so.", value,
                      charts_name(name, p->c->name));
        if (t.failed) l->report->failed = TIDE_ENOMEM;
        str_free(&t);
        return; /* one example is enough */
    }
}

static void advise_balance(struct look *l)
{
    int64_t least = l->n_target;
    struct str t = {0};
    if (l->target < 0 || l->task != TIDE_CLASSIFY || l->n_classes < 2) return;
    for (int c = 0; c < l->n_classes; c++)
        if (l->class_n[c] < least) least = l->class_n[c];
    if ((double)least >= UNEVEN * (double)l->n_target) return;
    add_train(l, &t);
    str_addf(&t, " --metric %s", l->n_classes == 2 ? "average_precision" : "log_loss");
    report_advice(l->report, t.s,
                  "The smallest class has %s of %s rows: accuracy will look good "
                  "whatever the "
                  "model does, so choose by another metric.",
                  look_count(&l->arena, least), look_count(&l->arena, l->n_target));
    if (t.failed) l->report->failed = TIDE_ENOMEM;
    str_free(&t);
}

void look_advice(struct look *l)
{
    advise_drop(l);
    advise_sentinel(l);
    advise_balance(l);
    if (l->target < 0)
        report_advice(l->report, NULL,
                      "Name the column you want to predict (--target COLUMN) to see "
                      "what goes along with it, and what gives it away.");
    else
        report_advice(l->report, NULL,
                      "Train: missing values and categories are taken care of.");
}
