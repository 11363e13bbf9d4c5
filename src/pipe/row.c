/* row.c - one row at a time: bound once by name, then scored without a table
 *
 * A learner with `predict_row` behind no active step is called with the caller's numbers in the
 * model's order: no allocation, nothing shared is written. Any other model gets a table of one
 * row of its own a call, which allocates. Both give the bits of tide_model_predict. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "pipe/flow.h"

#define MOST_ORDERED 256 /* values that are put in order on the stack */

struct tide_row_predictor {
    tide_model *model;                /* shared */
    const struct fitted_node *direct; /* NULL: through a table of one row */
    int32_t n_columns, width;
    int32_t *from; /* [n_columns] place among the caller's values; NULL: as it is */
};

static tide_status bind_names(struct tide_row_predictor *p, const char *const *names,
                              int n, tide_error *err)
{
    const struct schema *s = &p->model->schema;
    int in_order = n == s->n_cols;
    p->from = mem_array((size_t)s->n_cols + 1, sizeof *p->from);
    if (!p->from) return err_nomem(err, 0);
    for (int j = 0; j < s->n_cols; j++) {
        int at = 0;
        while (at < n && strcmp(names[at], s->cols[j].name) != 0) at++;
        if (at == n) {
            err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s', which the model needs",
                    s->cols[j].name);
            return err_field(err, s->cols[j].name);
        }
        p->from[j] = at;
        in_order &= at == j;
    }
    if (in_order) {
        mem_free(p->from);
        p->from = NULL;
    }
    return TIDE_OK;
}

tide_status tide_row_predictor_new(tide_model *model, const char *const *names, int n,
                                   tide_row_predictor **out, tide_error *err)
{
    if (!out) return err_set(err, TIDE_CODE_HANDLE_INVALID, "'out' is NULL");
    *out = NULL;
    if (!model) return err_set(err, TIDE_CODE_HANDLE_INVALID, "'model' is NULL");
    for (int i = 0; names && i < n; i++)
        if (!names[i])
            return err_set(err, TIDE_CODE_HANDLE_INVALID, "'names[%d]' is NULL", i);
    struct tide_row_predictor *p = mem_zalloc(sizeof *p);
    if (!p) return err_nomem(err, sizeof *p);
    const struct fitted_node *last = &model->nodes[model->n_nodes - 1];
    int is_idle = 1;
    for (int k = 0; k + 1 < model->n_nodes; k++) is_idle &= model->nodes[k].n_in == 0;
    p->model = model;
    p->direct = is_idle && last->learner->predict_row ? last : NULL;
    p->n_columns = model->schema.n_cols;
    p->width = schema_width(&model->schema);
    tide_status st = names ? bind_names(p, names, n, err) : TIDE_OK;
    if (st) {
        mem_free(p->from);
        mem_free(p);
        return st;
    }
    atomic_fetch_add(&model->refs, 1);
    *out = p;
    return TIDE_OK;
}

void tide_row_predictor_free(tide_row_predictor *p)
{
    if (!p) return;
    tide_model_free(p->model);
    mem_free(p->from);
    mem_free(p);
}

int tide_row_predictor_width(const tide_row_predictor *p)
{
    return p ? p->width : 0;
}

int tide_row_predictor_columns(const tide_row_predictor *p)
{
    return p ? p->n_columns : 0;
}

const char *tide_row_predictor_name(const tide_row_predictor *p, int column)
{
    if (!p || column < 0 || column >= p->n_columns) return NULL;
    return p->model->schema.cols[column].name;
}

double tide_row_predictor_level(const tide_row_predictor *p, int column,
                                const char *text)
{
    if (!p || !text || column < 0 || column >= p->n_columns) return (double)NAN;
    const struct schema_column *c = &p->model->schema.cols[column];
    uint32_t code =
        c->type == TIDE_CAT ? bind_level(&c->levels, text, strlen(text)) : CODE_MISSING;
    return code == CODE_MISSING ? (double)NAN : code;
}

static tide_status refuse_infinity(const tide_row_predictor *p, const double *x,
                                   tide_error *err)
{
    for (int32_t j = 0; j < p->n_columns; j++)
        if (isinf(x[j])) {
            const char *name = p->model->schema.cols[j].name;
            err_set(err, TIDE_CODE_DATA_INFINITE, "'%s' is infinite", name);
            return err_field(err, name);
        }
    return TIDE_OK;
}

/* A table of one row through all steps. */
static tide_status by_table(const tide_row_predictor *p, const double *x, double *out,
                            tide_error *err)
{
    const struct schema *s = &p->model->schema;
    struct arena a;
    arena_init(&a, NULL);
    struct column *own = arena_array(&a, s->n_cols, sizeof *own);
    const struct column **cols = arena_array(&a, s->n_cols, sizeof *cols);
    uint32_t *code = arena_array(&a, s->n_cols, sizeof *code);
    tide_status st = arena_status(&a, err);
    for (int j = 0; !st && j < s->n_cols; j++) {
        const struct schema_column *want = &s->cols[j];
        own[j] = (struct column){.name = want->name, .n_rows = 1};
        own[j].n_missing = isnan(x[j]);
        own[j].type = want->type == TIDE_CAT ? TIDE_CAT : TIDE_F64;
        if (want->type == TIDE_CAT) {
            code[j] =
                x[j] >= 0 && x[j] < want->levels.n ? (uint32_t)x[j] : CODE_MISSING;
            own[j].code = &code[j];
            own[j].dict = want->levels;
        } else {
            own[j].f64 = x + j;
        }
        cols[j] = &own[j];
    }
    struct view v = {.n_rows = 1, .n_cols = s->n_cols, .cols = cols};
    if (!st) st = predict_rows(NULL, p->model, &v, 0, 1, out, err);
    arena_free(&a);
    return st;
}

/* The largest magnitude tells; NaN is smaller than anything here. Four at a time, and no branch
 * between them. */
static int has_infinite(const double *x, int32_t n)
{
    double a = 0, b = 0, c = 0, d = 0;
    int32_t j = 0;
    for (; j + 4 <= n; j += 4) {
        double w = fabs(x[j]), y = fabs(x[j + 1]), z = fabs(x[j + 2]),
               v = fabs(x[j + 3]);
        a = w > a ? w : a;
        b = y > b ? y : b;
        c = z > c ? z : c;
        d = v > d ? v : d;
    }
    for (; j < n; j++) a = fabs(x[j]) > a ? fabs(x[j]) : a;
    a = b > a ? b : a;
    c = d > c ? d : c;
    return (c > a ? c : a) > 0x1.fffffffffffffp1023;
}

static tide_status predict_ordered(const tide_row_predictor *p, const double *x,
                                   double *out, tide_error *err)
{
    if (has_infinite(x, p->n_columns)) return refuse_infinity(p, x, err);
    if (!p->direct) return by_table(p, x, out, err);
    p->direct->learner->predict_row(p->direct->object, x, out);
    return TIDE_OK;
}

tide_status tide_predict_row(const tide_row_predictor *p, const double *values,
                             double *out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    if (!p || !values || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                       !p        ? "predictor"
                       : !values ? "values"
                                 : "out");
    if (!p->from) return predict_ordered(p, values, out, err);
    double few[MOST_ORDERED];
    double *x = few;
    if (p->n_columns > MOST_ORDERED) x = mem_array((size_t)p->n_columns, sizeof *x);
    if (!x) return err_nomem(err, 0);
    for (int32_t j = 0; j < p->n_columns; j++) x[j] = values[p->from[j]];
    tide_status st = predict_ordered(p, x, out, err);
    if (x != few) mem_free(x);
    return st;
}
