/* problem.c - a table and the user's wishes made into target, classes, weights, features */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/numparse.h"
#include "math/sort.h"
#include "pipe/flow.h"
#include "pipe/screen.h"

#define MOST_CLASSES 65536
#define TASK_ANOMALY 3  /* of task_names */
#define FEW_VALUES   20 /* integers with more values are numbers */
#define MOST_WEIGHT  1e15
#define MOST_LABEL   4096
#define MOST_TARGET  1e150 /* squares and their sums stay finite */

static const char *const task_names[] = {"auto", "classify", "regress", "anomaly",
                                         NULL};
static const struct tide_param problem_rows[] = {
    P_TEXT(tide_problem_options, target, NULL, .metavar = "COLUMN",
           .help = "column to be learned; anomalies are found without",
           .alias = "label y response"),
    P_ENUM(tide_problem_options, task, "auto", task_names,
           .help = "what is learned; auto goes by the target's values",
           .alias = "objective_type"),
    P_TEXT(tide_problem_options, positive, NULL, .metavar = "LABEL",
           .help = "two classes: the one that counts as positive",
           .alias = "pos_label"),
    P_TEXT(tide_problem_options, weight, NULL, .metavar = "COLUMN",
           .help = "column of row weights", .alias = "weights sample_weight"),
    P_TEXT(tide_problem_options, id, NULL, .metavar = "COLUMN",
           .help = "column that names a row; never a feature", .alias = "row_id"),
    P_TEXT(tide_problem_options, group, NULL, .metavar = "COLUMN",
           .help = "rows alike here stay in one fold; the query of a ranking",
           .alias = "groups qid query_id group_id group_column"),
    P_LIST(tide_problem_options, drop, .metavar = "COLUMN",
           .help = "column to leave out", .alias = "ignore exclude"),
};
static const struct tide_params problem_table =
    TIDE_TABLE(problem_rows, tide_problem_options);

const struct tide_params *tide_problem_params(void)
{
    return &problem_table;
}

/* What the values of the target say. */
struct target_facts {
    int64_t n_present, n_missing, first_missing;
    int n_values; /* FEW_VALUES + 1: more */
    int all_whole;
    double values[FEW_VALUES + 1];
};

static const struct column *target_of(const struct problem *p)
{
    return &p->frame->cols[p->target];
}

static tide_status at_file(const struct problem *p, tide_error *err, int64_t row)
{
    if (err && row >= 0) err->row = row + 1;
    return err_at(err, p->frame->source, row >= 0 ? frame_line(p->frame, row) : 0, 0);
}

/* ---- columns by name ---- */

static tide_status find_column(const struct problem *p, const char *name,
                               const char *option, int *out, tide_error *err)
{
    *out = tide_frame_find(p->frame, name, option, err);
    if (*out >= 0) return TIDE_OK;
    return err_at(err, p->frame->source, p->frame->first_line > 0,
                  p->frame->first_line > 0),
           TIDE_EDATA;
}

static tide_status refuse_both(const char *a, const char *b, const char *name,
                               tide_error *err)
{
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "'%s' cannot be both '%s' and '%s'", name, a,
            b);
    return err_field(err, name);
}

/* Anomalies are learned without a target, all else with one. */
static tide_status check_target(const struct tide_problem_options *o, int has_target,
                                tide_error *err)
{
    if (has_target != (o->task == TASK_ANOMALY)) return TIDE_OK;
    if (has_target) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "anomalies are learned without a target, so 'target' cannot be given");
        err_field(err, "target");
        return err_hint(err, "drop", "%s", o->target);
    }
    err_set(err, TIDE_CODE_PARAM_VALUE, "a 'target' column is needed");
    return err_field(err, "target");
}

static tide_status find_columns(struct problem *p, const struct tide_problem_options *o,
                                uint8_t *is_candidate, tide_error *err)
{
    p->target = p->weight_column = p->id_column = p->group_column = -1;
    int has_target = o->target && *o->target;
    tide_status st = check_target(o, has_target, err);
    if (!st && has_target) st = find_column(p, o->target, "target", &p->target, err);
    if (!st && o->weight)
        st = find_column(p, o->weight, "weight", &p->weight_column, err);
    if (!st && o->id) st = find_column(p, o->id, "id", &p->id_column, err);
    if (!st && o->group) st = find_column(p, o->group, "group", &p->group_column, err);
    if (st) return st;
    if (has_target && p->weight_column == p->target)
        return refuse_both("target", "weight", o->target, err);
    if (has_target && p->id_column == p->target)
        return refuse_both("target", "id", o->target, err);
    if (has_target && p->group_column == p->target)
        return refuse_both("target", "group", o->target, err);
    memset(is_candidate, 1, (size_t)p->frame->n_cols);
    for (int i = 0; i < o->drop.n; i++) {
        int j;
        st = find_column(p, o->drop.items[i], "drop", &j, err);
        if (st) return st;
        if (j == p->target) return refuse_both("target", "drop", o->target, err);
        is_candidate[j] = 0;
    }
    if (has_target) is_candidate[p->target] = 0;
    if (p->weight_column >= 0) {
        is_candidate[p->weight_column] = 0;
        p->weight_name = p->frame->cols[p->weight_column].name;
    }
    if (p->id_column >= 0) is_candidate[p->id_column] = 0;
    if (p->group_column >= 0) is_candidate[p->group_column] = 0;
    return TIDE_OK;
}

/* ---- task ---- */

/* Keeps the distinct values sorted while they are few. */
static void add_value(struct target_facts *f, double x)
{
    int at = 0;
    f->all_whole &= x == floor(x);
    if (f->n_values > FEW_VALUES) return;
    while (at < f->n_values && f->values[at] < x) at++;
    if (at < f->n_values && f->values[at] == x) return;
    if (f->n_values < FEW_VALUES)
        memmove(&f->values[at + 1], &f->values[at],
                (size_t)(f->n_values - at) * sizeof(double));
    if (at < FEW_VALUES && f->n_values < FEW_VALUES) f->values[at] = x;
    f->n_values++;
}

static void look_at_target(const struct problem *p, struct target_facts *f)
{
    const struct column *c = target_of(p);
    struct view v = {.n_rows = c->n_rows, .n_cols = 1, .cols = &c};
    *f = (struct target_facts){.all_whole = 1, .first_missing = -1};
    if (c->n_missing) f->n_missing = view_missing(&v, 0, &f->first_missing);
    f->n_present = c->n_rows - f->n_missing;
    double x[512];
    for (int64_t i = 0; column_is_numeric(c) && i < c->n_rows; i += 512) {
        int64_t n = c->n_rows - i < 512 ? c->n_rows - i : 512;
        view_numbers(&v, 0, i, n, x);
        for (int64_t k = 0; k < n; k++)
            if (!isnan(x[k])) add_value(f, x[k]);
    }
}

/* Integers that are codes of classes rather than amounts. */
static int looks_like_classes(const struct target_facts *f)
{
    int n = f->n_values;
    if (!f->all_whole || n < 2 || n > FEW_VALUES) return 0;
    int is_run = f->values[n - 1] - f->values[0] == n - 1 && 2 * n <= f->n_present;
    return is_run || f->n_present > (int64_t)n * FEW_VALUES;
}

static void guess_task(struct tide_ctx *ctx, struct problem *p,
                       const struct target_facts *f)
{
    const struct column *c = target_of(p);
    char *why = p->why_task;
    size_t size = sizeof p->why_task;
    p->task = TIDE_CLASSIFY;
    if (c->type == TIDE_CAT || c->type == TIDE_TEXT || c->type == TIDE_BOOL) {
        str_format(why, size, "%s column", tide_type_name((enum tide_type)c->type));
    } else if (looks_like_classes(f)) {
        double lo = f->values[0], hi = f->values[f->n_values - 1];
        str_format(why, size, "%d whole numbers from %r to %r", f->n_values, lo, hi);
        if (f->n_values > 2)
            ctx_note(
                ctx,
                "'%s' has %d whole numbers from %r to %r and is learned as classes; "
                "if they are amounts, --task regress may do better",
                c->name, f->n_values, lo, hi);
    } else {
        p->task = TIDE_REGRESS;
        if (f->n_values > FEW_VALUES)
            str_format(why, size, "numbers with more than %d values", FEW_VALUES);
        else
            str_format(why, size, "numbers with %d value%s", f->n_values,
                       f->n_values == 1 ? "" : "s");
    }
}

static tide_status refuse_regress(const struct problem *p, tide_error *err)
{
    const struct column *c = target_of(p);
    char text[128] = "", shown[128];
    for (int64_t i = 0; i < c->n_rows; i++) {
        int64_t n = column_text(c, i, text, sizeof text);
        if (n < 0) continue;
        size_t len = n < (int64_t)sizeof text ? (size_t)n : sizeof text - 1;
        err_quote(shown, sizeof shown, text, len, 60);
        err_set(err, TIDE_CODE_DATA_TARGET,
                "regression needs numbers and '%s' holds \"%s\"", c->name, shown);
        err_field(err, c->name);
        at_file(p, err, i);
        return err_hint(err, "task", "classify");
    }
    return TIDE_OK;
}

static tide_status choose_task(struct tide_ctx *ctx, struct problem *p, int32_t wish,
                               const struct target_facts *f, tide_error *err)
{
    const struct column *c = target_of(p);
    if (c->n_rows == 0) {
        err_set(err, TIDE_CODE_DATA_NO_ROWS, "0 data rows");
        return at_file(p, err, -1);
    }
    if (2 * f->n_missing > c->n_rows) {
        err_set(err, TIDE_CODE_DATA_TARGET_MISSING,
                "the target '%s' is missing in %lld of %lld rows, first in row %lld",
                c->name, (long long)f->n_missing, (long long)c->n_rows,
                (long long)f->first_missing + 1);
        err_field(err, c->name);
        return at_file(p, err, f->first_missing);
    }
    if (wish == 0) {
        guess_task(ctx, p, f);
        return TIDE_OK;
    }
    p->task = wish == 1 ? TIDE_CLASSIFY : TIDE_REGRESS;
    str_format(p->why_task, sizeof p->why_task, "asked for");
    if (p->task == TIDE_REGRESS && (c->type == TIDE_CAT || c->type == TIDE_TEXT))
        return refuse_regress(p, err);
    return TIDE_OK;
}

/* ---- rows and weights ---- */

static tide_status refuse_weight(const struct problem *p, int64_t row, double w,
                                 tide_error *err)
{
    const char *name = p->weight_name;
    if (isnan(w))
        err_set(err, TIDE_CODE_DATA_WEIGHT, "weight '%s' is missing in row %lld", name,
                (long long)row + 1);
    else
        err_set(err, TIDE_CODE_DATA_WEIGHT,
                "weight '%s' must be in [0, %r], got \"%r\" in row %lld", name,
                MOST_WEIGHT, w, (long long)row + 1);
    err_field(err, name);
    return at_file(p, err, row);
}

/* Rows with a target and a weight above 0. */
static tide_status take_rows(struct problem *p, tide_error *err)
{
    const struct column *c = p->target >= 0 ? target_of(p) : NULL;
    int64_t all = p->frame->n_rows;
    const struct column *wc =
        p->weight_column >= 0 ? &p->frame->cols[p->weight_column] : NULL;
    int64_t n = 0, *rows = arena_array(&p->arena, all, sizeof *rows);
    double *w = wc ? arena_array(&p->arena, all, sizeof *w) : NULL, x = 1;
    int all_one = 1, has_gaps = c && c->n_missing > 0;
    tide_status st = arena_status(&p->arena, err);
    if (st) return st;
    if (wc && !column_is_numeric(wc)) {
        err_set(err, TIDE_CODE_DATA_WEIGHT, "weight '%s' holds no numbers", wc->name);
        err_field(err, wc->name);
        return at_file(p, err, -1);
    }
    struct view v = {.n_rows = all, .n_cols = 1, .cols = &wc};
    for (int64_t i = 0; i < all; i++) {
        if (wc) view_numbers(&v, 0, i, 1, &x);
        if (!(x >= 0 && x <= MOST_WEIGHT)) return refuse_weight(p, i, x, err);
        if ((has_gaps && column_is_missing(c, i)) || x == 0) continue;
        all_one &= x == 1;
        if (w) w[n] = x;
        rows[n++] = i;
    }
    p->rows = rows;
    p->n_rows = n;
    p->w = all_one ? NULL : w;
    if (n) return TIDE_OK;
    if (wc)
        err_set(err, TIDE_CODE_DATA_WEIGHT, "every weight in '%s' is 0", wc->name);
    else
        err_set(err, TIDE_CODE_DATA_NO_ROWS,
                c ? "0 rows with a target" : "0 data rows");
    return at_file(p, err, -1);
}

/* ---- classes ---- */

/* Distinct values of the target before they have an order. */
struct classes {
    uint32_t n;
    uint32_t *raw; /* [n_rows] which of them */
    int64_t *row;  /* [n] a row that has it */
};

static tide_status classes_of_levels(struct problem *p, struct classes *out,
                                     tide_error *err)
{
    const struct column *c = target_of(p);
    uint32_t *number = arena_array(&p->arena, c->dict.n, sizeof *number);
    out->row = arena_array(&p->arena, c->dict.n, sizeof *out->row);
    tide_status st = arena_status(&p->arena, err);
    if (st) return st;
    memset(number, 0xff, c->dict.n * sizeof *number);
    for (int64_t i = 0; i < p->n_rows; i++) {
        uint32_t code = c->code[p->rows[i]];
        if (number[code] == UINT32_MAX) {
            out->row[out->n] = p->rows[i];
            number[code] = out->n++;
        }
        out->raw[i] = number[code];
    }
    return TIDE_OK;
}

/* Values of any other type, through a table of hashes of their 8 bytes or their text. */
static tide_status classes_of_values(struct problem *p, struct classes *out,
                                     tide_error *err)
{
    enum { SLOTS = 4 * MOST_CLASSES };
    const struct column *c = target_of(p);
    struct view v = {.n_rows = c->n_rows, .n_cols = 1, .cols = &c};
    uint32_t *slot = arena_array(&p->arena, SLOTS, sizeof *slot);
    uint64_t *key = arena_array(&p->arena, SLOTS, sizeof *key);
    out->row = arena_array(&p->arena, MOST_CLASSES + 1, sizeof *out->row);
    tide_status st = arena_status(&p->arena, err);
    if (st) return st;
    memset(slot, 0xff, SLOTS * sizeof *slot);
    for (int64_t i = 0; i < p->n_rows; i++) {
        int64_t r = p->rows[i];
        uint64_t h;
        if (c->type == TIDE_TEXT) {
            h = hash64(c->text + c->text_at[r],
                       (size_t)(c->text_at[r + 1] - c->text_at[r]), 0);
        } else if (c->type == TIDE_I64 || c->type == TIDE_TIME) {
            h = hash64(&c->i64[r], sizeof c->i64[r], 0);
        } else {
            double x;
            view_numbers(&v, 0, r, 1, &x);
            x += 0.0; /* -0 is 0 */
            h = hash64(&x, sizeof x, 0);
        }
        uint32_t at = (uint32_t)h & (SLOTS - 1);
        while (slot[at] != UINT32_MAX && key[at] != h) at = (at + 1) & (SLOTS - 1);
        if (slot[at] == UINT32_MAX) {
            if (out->n > MOST_CLASSES) return TIDE_OK; /* refused by the caller */
            key[at] = h;
            out->row[out->n < MOST_CLASSES ? out->n : MOST_CLASSES] = r;
            slot[at] = out->n++;
        }
        out->raw[i] = slot[at];
    }
    return TIDE_OK;
}

static tide_status refuse_classes(const struct problem *p, uint32_t n, tide_error *err)
{
    const struct column *c = target_of(p);
    err_set(err, TIDE_CODE_DATA_CLASSES, "'%s' has %s%u classes in %lld rows", c->name,
            n > MOST_CLASSES ? "more than " : "", n > MOST_CLASSES ? MOST_CLASSES : n,
            (long long)p->n_rows);
    err_field(err, c->name);
    at_file(p, err, -1);
    if (column_is_numeric(c)) return err_hint(err, "task", "regress");
    return TIDE_EDATA;
}

struct label {
    const char *text;
    double number;
    uint32_t raw;
};

static int label_cmp(const void *a, const void *b, const void *arg)
{
    const struct label *x = a, *y = b;
    if (*(const int *)arg && x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->text, y->text);
}

static tide_status name_classes(struct problem *p, const struct classes *cls,
                                tide_error *err)
{
    const struct column *c = target_of(p);
    struct label *list = arena_array(&p->arena, cls->n, sizeof *list);
    int32_t *number = arena_array(&p->arena, cls->n, sizeof *number);
    int32_t *k = arena_array(&p->arena, p->n_rows, sizeof *k);
    const char **labels = arena_array(&p->arena, cls->n, sizeof *labels);
    tide_status st = arena_status(&p->arena, err);
    int all_numbers = 1;
    char text[MOST_LABEL + 1];
    for (uint32_t i = 0; !st && i < cls->n; i++) {
        int64_t n = column_text(c, cls->row[i], text, sizeof text);
        if (n > MOST_LABEL) {
            err_set(err, TIDE_CODE_DATA_TARGET, "a label of '%s' has %lld bytes",
                    c->name, (long long)n);
            return at_file(p, err, cls->row[i]);
        }
        list[i].text = arena_strn(&p->arena, text, (size_t)n);
        list[i].raw = i;
        all_numbers &= num_parse(text, (size_t)n, '.', &list[i].number) != NUM_BAD;
        st = arena_status(&p->arena, err);
    }
    if (!st && sort_any(&p->arena, list, cls->n, sizeof *list, label_cmp, &all_numbers))
        st = arena_status(&p->arena, err);
    if (st) return st;
    for (uint32_t i = 0; i < cls->n; i++) {
        labels[i] = list[i].text;
        number[list[i].raw] = (int32_t)i;
    }
    for (int64_t i = 0; i < p->n_rows; i++) k[i] = number[cls->raw[i]];
    p->k = k;
    p->labels = labels;
    p->n_classes = (int32_t)cls->n;
    p->positive = p->n_classes - 1;
    return TIDE_OK;
}

static tide_status make_classes(struct problem *p, tide_error *err)
{
    struct classes cls = {0};
    cls.raw = arena_array(&p->arena, p->n_rows, sizeof *cls.raw);
    tide_status st = arena_status(&p->arena, err);
    if (!st)
        st = target_of(p)->type == TIDE_CAT ? classes_of_levels(p, &cls, err)
                                            : classes_of_values(p, &cls, err);
    if (st) return st;
    if (cls.n > MOST_CLASSES || (cls.n > 2 && 2 * (int64_t)cls.n > p->n_rows))
        return refuse_classes(p, cls.n, err);
    return name_classes(p, &cls, err);
}

static tide_status choose_positive(struct problem *p, const char *wish, tide_error *err)
{
    if (!wish) return TIDE_OK;
    if (p->task != TIDE_CLASSIFY || p->n_classes > 2) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'positive' needs two classes and '%s' has %s", target_of(p)->name,
                p->task == TIDE_REGRESS ? "numbers" : "more");
        return err_field(err, "positive");
    }
    double x, y;
    int is_number = num_parse(wish, strlen(wish), '.', &x) != NUM_BAD;
    for (int32_t k = 0; k < p->n_classes; k++) {
        const char *s = p->labels[k];
        int same = strcmp(s, wish) == 0;
        if (!same && is_number)
            same = num_parse(s, strlen(s), '.', &y) != NUM_BAD && x == y;
        if (!same) continue;
        p->positive = k;
        return TIDE_OK;
    }
    char shown[128];
    err_quote(shown, sizeof shown, wish, strlen(wish), 60);
    err_set(err, TIDE_CODE_PARAM_VALUE, "no row has '%s' = \"%s\"", target_of(p)->name,
            shown);
    err_field(err, "positive");
    const char *near = err_nearest(wish, p->labels, p->n_classes);
    return err_hint(err, "positive", "%s", near ? near : p->labels[p->n_classes - 1]);
}

/* ---- warnings ---- */

static void warn_missing(struct tide_ctx *ctx, const struct problem *p, int64_t first)
{
    tide_error w = {0};
    if (!p->n_target_missing) return;
    err_set(&w, TIDE_CODE_DATA_TARGET_MISSING,
            "%lld row%s without '%s' left out, first row %lld",
            (long long)p->n_target_missing, p->n_target_missing == 1 ? "" : "s",
            target_of(p)->name, (long long)first + 1);
    err_field(&w, target_of(p)->name);
    at_file(p, &w, first);
    ctx_warn(ctx, &w);
}

static void warn_classes(struct tide_ctx *ctx, const struct problem *p, int64_t *count)
{
    tide_error w = {0};
    const char *name = target_of(p)->name;
    int32_t least = 0;
    for (int64_t i = 0; i < p->n_rows; i++) count[p->k[i]]++;
    for (int32_t k = 1; k < p->n_classes; k++)
        if (count[k] < count[least]) least = k;
    if (p->n_classes == 1)
        err_set(&w, TIDE_CODE_DATA_ONE_CLASS, "every row has '%s' = \"%s\"", name,
                p->labels[0]);
    else if ((double)count[least] * p->n_classes < 0.02 * (double)p->n_rows)
        err_set(&w, TIDE_CODE_DATA_IMBALANCE, "'%s' = \"%s\" in %lld of %lld rows",
                name, p->labels[least], (long long)count[least], (long long)p->n_rows);
    else
        return;
    err_field(&w, name);
    err_at(&w, p->frame->source, 0, 0);
    ctx_warn(ctx, &w);
}

static tide_status refuse_target(const struct problem *p, int64_t row, double y,
                                 tide_error *err)
{
    err_set(err, TIDE_CODE_DATA_RANGE,
            "the target '%s' must be in [-%r, %r], got \"%r\" in row %lld",
            target_of(p)->name, MOST_TARGET, MOST_TARGET, y, (long long)row + 1);
    err_field(err, target_of(p)->name);
    return at_file(p, err, row);
}

static tide_status make_target(struct tide_ctx *ctx, struct problem *p, tide_error *err)
{
    if (p->task == TIDE_CLASSIFY) {
        tide_status st = make_classes(p, err);
        if (st) return st;
        int64_t *count =
            arena_zero(&p->arena, (size_t)p->n_classes * sizeof *count + 1);
        if (!count) return arena_status(&p->arena, err);
        warn_classes(ctx, p, count);
        return TIDE_OK;
    }
    const struct column *c = target_of(p);
    double *y = arena_array(&p->arena, p->n_rows, sizeof *y);
    if (!y) return arena_status(&p->arena, err);
    struct view v = {.n_rows = p->n_rows, .n_cols = 1, .cols = &c, .rows = p->rows};
    view_numbers(&v, 0, 0, p->n_rows, y);
    p->y = y;
    for (int64_t i = 0; i < p->n_rows; i++)
        if (fabs(y[i]) > MOST_TARGET) return refuse_target(p, p->rows[i], y[i], err);
    int is_constant = 1;
    for (int64_t i = 1; i < p->n_rows; i++) is_constant &= y[i] == y[0];
    if (!is_constant) return TIDE_OK;
    tide_error w = {0};
    err_set(&w, TIDE_CODE_DATA_CONSTANT, "the target '%s' is %r in every row", c->name,
            y[0]);
    err_field(&w, c->name);
    err_at(&w, p->frame->source, 0, 0);
    ctx_warn(ctx, &w);
    return TIDE_OK;
}

/* Task, rows, classes or numbers of the target that the options name. */
static tide_status take_target(struct tide_ctx *ctx, struct problem *p,
                               const struct tide_problem_options *options,
                               tide_error *err)
{
    struct target_facts facts;
    look_at_target(p, &facts);
    p->n_target_missing = facts.n_missing;
    tide_status st = choose_task(ctx, p, options->task, &facts, err);
    if (!st) st = take_rows(p, err);
    if (!st) warn_missing(ctx, p, facts.first_missing);
    if (!st) st = make_target(ctx, p, err);
    return st ? st : choose_positive(p, options->positive, err);
}

/* Rows alone. */
static tide_status take_no_target(struct problem *p,
                                  const struct tide_problem_options *options,
                                  tide_error *err)
{
    p->task = TIDE_ANOMALY;
    str_format(p->why_task, sizeof p->why_task, "no target");
    if (!options->positive) return take_rows(p, err);
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "anomalies are learned without classes, so 'positive' cannot be given");
    return err_field(err, "positive");
}

static struct problem *problem_begin(struct tide_ctx *ctx, const tide_frame *frame,
                                     tide_error *err)
{
    struct problem *p = mem_zalloc(sizeof *p);
    if (!p) {
        err_nomem(err, sizeof *p);
        return NULL;
    }
    arena_init(&p->arena, ctx);
    p->frame = frame_ref(frame);
    return p;
}

/* like: the schema whose features and classes the problem takes over, or NULL. */
static tide_status problem_make(struct tide_ctx *ctx, const tide_frame *frame,
                                const struct tide_problem_options *options,
                                const struct schema *like, struct problem **out,
                                tide_error *err)
{
    struct problem *p = problem_begin(ctx, frame, err);
    *out = NULL;
    if (!p) return TIDE_ENOMEM;
    uint8_t *is_candidate = arena_push(&p->arena, (size_t)frame->n_cols + 1);
    tide_status st = arena_status(&p->arena, err);
    if (!st) st = find_columns(p, options, is_candidate, err);
    if (!st)
        st = p->target >= 0 ? take_target(ctx, p, options, err)
                            : take_no_target(p, options, err);
    if (!st && p->group_column >= 0)
        st = pipe_groups(frame, p->group_column, p->rows, p->n_rows, &p->arena,
                         &p->group, err);
    if (!st)
        st = like ? resume_problem(ctx, like, p, err)
                  : screen_features(ctx, p, is_candidate, err);
    if (st)
        problem_free(p);
    else
        *out = p;
    return st;
}

tide_status problem_new(struct tide_ctx *ctx, const tide_frame *frame,
                        const struct tide_problem_options *options,
                        struct problem **out, tide_error *err)
{
    return problem_make(ctx, frame, options, NULL, out, err);
}

tide_status problem_labels(struct tide_ctx *ctx, const tide_frame *frame,
                           const char *column, const char *positive,
                           struct problem **out, tide_error *err)
{
    struct tide_problem_options o = {.target = column, .task = 1, .positive = positive};
    struct problem *p = problem_begin(ctx, frame, err);
    *out = NULL;
    if (!p) return TIDE_ENOMEM;
    uint8_t *unused = arena_push(&p->arena, (size_t)frame->n_cols + 1);
    tide_status st = arena_status(&p->arena, err);
    if (!st) st = find_columns(p, &o, unused, err);
    /* no context: what it warns of, few anomalies and gaps, is as it should be here */
    if (!st) st = take_target(NULL, p, &o, err);
    if (st ? err && err->code == TIDE_CODE_DATA_CLASSES : p->n_classes != 2) {
        err_set(err, TIDE_CODE_DATA_CLASSES,
                "labels of anomalies need two classes and '%s' has %s", column,
                !st && p->n_classes == 1 ? "one" : "more");
        st = err_field(err, column);
    }
    if (st)
        problem_free(p);
    else
        *out = p;
    return st;
}

/* What the options say must be what the model says. */
static tide_status refuse_other(const char *option, const char *own, const char *given,
                                tide_error *err)
{
    char shown[128];
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "the model's '%s' is %s, got \"%s\"", option,
            own, err_quote(shown, sizeof shown, given, strlen(given), 60));
    return err_field(err, option);
}

tide_status problem_resume(struct tide_ctx *ctx, const tide_frame *frame,
                           const struct tide_problem_options *options,
                           const struct tide_model *model, struct problem **out,
                           tide_error *err)
{
    const struct schema *s = &model->schema;
    struct tide_problem_options o = *options;
    int32_t task = s->task == TIDE_CLASSIFY ? 1 : 2;
    const char *positive = s->n_classes == 2 ? s->labels[s->positive] : NULL;
    *out = NULL;
    if (!s->target) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a model without a target has nothing to go on from");
        return err_field(err, "continue");
    }
    if (o.target && *o.target && strcmp(o.target, s->target) != 0)
        return refuse_other("target", s->target, o.target, err);
    if (o.task && o.task != task)
        return refuse_other("task", task_names[task], task_names[o.task], err);
    if (o.positive && (!positive || strcmp(o.positive, positive) != 0))
        return refuse_other("positive", positive ? positive : "none", o.positive, err);
    if (o.group && s->group && strcmp(o.group, s->group) != 0)
        return refuse_other("group", s->group, o.group, err);
    if (o.drop.n) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model's columns stay, so 'drop' cannot be given");
        return err_field(err, "drop");
    }
    o.target = s->target;
    o.task = task;
    o.positive = NULL; /* the rows need not have both classes */
    if (!o.weight) o.weight = s->weight;
    if (!o.group) o.group = s->group;
    if (!o.id && s->id && tide_frame_find(frame, s->id, "id", NULL) >= 0) o.id = s->id;
    tide_status st = problem_make(ctx, frame, &o, s, out, err);
    if (!st) str_format((*out)->why_task, sizeof(*out)->why_task, "as in the model");
    return st;
}

void problem_free(struct problem *p)
{
    if (!p) return;
    tide_frame_free((tide_frame *)(uintptr_t)p->frame);
    arena_free(&p->arena);
    mem_free(p);
}
