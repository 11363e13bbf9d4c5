/* import_margins.c - raw scores of a foreign model on a table, for the comparison with its
 * peer: import_margins MODEL TABLE prints a line a row: scores in strict mode, then scores in
 * the default mode, as hexadecimal doubles; `probabilities` as third word: what predict gives */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/tidemill.h>

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

static tide_status probabilities(tide_ctx *ctx, const tide_model *m,
                                 const tide_frame *f, tide_error *err)
{
    tide_scores *s = NULL;
    tide_status st = tide_model_predict(ctx, m, f, &s, err);
    int k = st ? 0 : tide_scores_classes(s) ? tide_scores_classes(s) : 1;
    for (int64_t i = 0; !st && i < tide_scores_rows(s) * k; i++)
        printf("%a%c", tide_scores_values(s)[i], (i + 1) % k ? ' ' : '\n');
    tide_scores_free(s);
    return st;
}

int main(int argc, char **argv)
{
    tide_ctx *ctx = NULL;
    tide_model *m = NULL;
    tide_frame *f = NULL;
    tide_error err = {0};
    if (argc < 3) return 2;
    tide_status st = tide_ctx_new(&ctx, &err);
    if (!st) st = tide_model_import(ctx, argv[1], NULL, &m, &err);
    if (!st) st = tide_frame_read(ctx, argv[2], NULL, &f, &err);
    if (!st) st = argc > 3 ? probabilities(ctx, m, f, &err) : margins(ctx, m, f, &err);
    tide_frame_free(f);
    tide_model_free(m);
    tide_ctx_free(ctx);
    return st ? fail(&err) : 0;
}
