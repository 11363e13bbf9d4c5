/* import_margins.c - raw scores of a foreign model on a table, for the comparison with its
 * peer: import_margins MODEL TABLE prints a line a row: scores in strict mode, then scores in
 * the default mode, as hexadecimal doubles; `probabilities` as third word: what predict gives, once
 * single rows have given the same bits, in both modes */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/tidemill.h>

#include "base/err.h"
#include "learners/imported.h"
#include "pipe/flow.h"
#include "store/import.h"

static int fail(const tide_error *err)
{
    fprintf(stderr, "%s:%lld: %s (%s)\n", err->file, (long long)err->line, err->message,
            tide_code_name(err->code));
    return (int)err->status;
}

static tide_status margins(tide_ctx *ctx, const tide_model *m, const tide_frame *f,
                           tide_error *err)
{
    struct arena a;
    const struct column **cols = NULL;
    const struct state_array *shape = state_find(&m->nodes[0].state, "shape");
    int32_t k = ((const int32_t *)shape->data)[3];
    arena_init(&a, ctx);
    tide_status st =
        bind_frame(ctx, &m->schema, f, NULL, f->n_rows, &a, &cols, NULL, err);
    struct view v = {.n_rows = f->n_rows, .n_cols = m->schema.n_cols, .cols = cols};
    double *out[2] = {arena_array(&a, f->n_rows * k, sizeof(double)),
                      arena_array(&a, f->n_rows * k, sizeof(double))};
    if (!st) st = arena_status(&a, err);
    for (int strict = 0; !st && strict < 2; strict++)
        st = imported_margin(m->nodes[0].object, &v, 0, f->n_rows, strict, out[strict],
                             err);
    for (int64_t i = 0; !st && i < f->n_rows; i++) {
        for (int32_t q = 0; q < 2 * k; q++)
            printf("%s%a", q ? " " : "", out[q < k][i * k + q % k]);
        printf("\n");
    }
    arena_free(&a);
    return st;
}

/* Row i of the table as a row predictor takes it, columns in the model's order. */
static void put_row(const tide_row_predictor *p, const tide_model *m,
                    const tide_frame *f, int64_t i, double *x)
{
    char text[256];
    tide_error err = {0};
    for (int j = 0; j < m->schema.n_cols; j++) {
        int at = tide_frame_find(f, m->schema.cols[j].name, "", &err);
        x[j] = tide_frame_number(f, i, at);
        if (m->schema.cols[j].type != TIDE_CAT || isnan(x[j])) continue;
        (void)tide_frame_text(f, i, at, text, sizeof text);
        x[j] = tide_row_predictor_level(p, j, text);
    }
}

/* Single rows have the bits of the batch. */
static tide_status rows_agree(tide_model *m, const tide_frame *f, const tide_scores *s,
                              int k, tide_error *err)
{
    tide_row_predictor *p = NULL;
    tide_status st = tide_row_predictor_new(m, NULL, 0, &p, err);
    int n = tide_row_predictor_columns(p);
    double *x = calloc((size_t)n + 1, sizeof *x);
    double *out = calloc((size_t)k, sizeof *out);
    if (!x || !out) st = TIDE_ENOMEM;
    for (int64_t i = 0; !st && i < tide_scores_rows(s); i++) {
        put_row(p, m, f, i, x);
        st = tide_predict_row(p, x, out, err);
        if (!st && memcmp(out, tide_scores_values(s) + i * k, (size_t)k * sizeof *out))
            st = err_set(err, TIDE_CODE_TIDE_VALUE, "row %lld differs from the batch",
                         (long long)i);
    }
    free(x);
    free(out);
    tide_row_predictor_free(p);
    return st;
}

static tide_status probabilities(tide_ctx *ctx, tide_model *m, const tide_frame *f,
                                 int is_shown, tide_error *err)
{
    tide_scores *s = NULL;
    tide_status st = tide_model_predict(ctx, m, f, &s, err);
    int k = st ? 0 : tide_scores_classes(s) ? tide_scores_classes(s) : 1;
    if (!st) st = rows_agree(m, f, s, k, err);
    for (int64_t i = 0; !st && is_shown && i < tide_scores_rows(s) * k; i++)
        printf("%a%c", tide_scores_values(s)[i], (i + 1) % k ? ' ' : '\n');
    tide_scores_free(s);
    return st;
}

int main(int argc, char **argv)
{
    tide_ctx *ctx = NULL;
    tide_model *m = NULL, *strict = NULL;
    tide_frame *f = NULL;
    tide_error err = {0};
    if (argc < 3) return 2;
    tide_status st = tide_ctx_new(&ctx, &err);
    if (!st) st = tide_model_import(ctx, argv[1], NULL, &m, &err);
    if (!st) st = tide_frame_read(ctx, argv[2], NULL, &f, &err);
    if (!st && argc > 3) {
        struct tide_import_options own = {.size = sizeof own, .sums = 1};
        st = tide_model_import(ctx, argv[1], &own, &strict, &err);
        if (!st) st = probabilities(ctx, strict, f, 0, &err);
        if (!st) st = probabilities(ctx, m, f, 1, &err);
    } else if (!st) {
        st = margins(ctx, m, f, &err);
    }
    tide_frame_free(f);
    tide_model_free(strict);
    tide_model_free(m);
    tide_ctx_free(ctx);
    return st ? fail(&err) : 0;
}
