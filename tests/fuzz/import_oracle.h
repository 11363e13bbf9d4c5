/* import_oracle.h - what holds for every foreign model that is taken
 *
 * The engine's raw scores are those of the slow interpreter (imported_margin, strict) up to
 * rounding, with linear leaves to the bit, on 8 rows of the model's own columns. The model is written, and what was written
 * passes tide_oracle.h: it loads, predicts the same in every way and writes back the same. */
#ifndef FUZZ_IMPORT_ORACLE_H
#define FUZZ_IMPORT_ORACLE_H
#include "fuzz/tide_oracle.h"
#include "learners/imported.h"
#include "pipe/flow.h"
#include "store/import.h"

static void import_compare(const tide_model *m, const tide_frame *f)
{
    const struct state *s = &m->nodes[0].state;
    const struct state_array *leaf = state_find(s, "leaf"),
                             *base = state_find(s, "base");
    const struct column **cols = NULL;
    struct arena a;
    double size = 0;
    arena_init(&a, NULL);
    int64_t k = base->dim[0], trees = state_find(s, "tree_output")->dim[0];
    for (int64_t i = 0; i < leaf->dim[0] * leaf->dim[1]; i++)
        size += fabs(((const double *)leaf->data)[i]);
    for (int64_t i = 0; i < k; i++) size += fabs(((const double *)base->data)[i]);
    double *fast = arena_array(&a, ORACLE_ROWS * k, sizeof *fast);
    double *slow = arena_array(&a, ORACLE_ROWS * k, sizeof *slow);
    tide_status st =
        bind_frame(oracle_ctx[0], &m->schema, f, NULL, 0, &a, &cols, NULL, NULL);
    struct view v = {.n_rows = ORACLE_ROWS, .n_cols = m->schema.n_cols, .cols = cols};
    if (!st && fast && slow) {
        st = imported_margin(m->nodes[0].object, &v, 0, ORACLE_ROWS, 0, fast, NULL);
        FUZZ_CHECK(st == TIDE_OK, "status %d", (int)st);
        st = imported_margin(m->nodes[0].object, &v, 0, ORACLE_ROWS, 1, slow, NULL);
        FUZZ_CHECK(st == TIDE_OK, "status %d", (int)st);
        int is_linear = state_find(s, "linear_first") != NULL;
        if (is_linear)
            FUZZ_CHECK(
                memcmp(fast, slow, (size_t)(ORACLE_ROWS * k) * sizeof *fast) == 0,
                "linear leaves differ, first %a and strictly %a", fast[0], slow[0]);
        for (int64_t i = 0; !is_linear && size < 1e38 && i < ORACLE_ROWS * k; i++)
            FUZZ_CHECK(fabs(fast[i] - slow[i]) <= (double)(trees + 1) * 0x1p-23 * size,
                       "score %lld is %a and strictly %a", (long long)i, fast[i],
                       slow[i]);
    }
    arena_free(&a);
}

static void import_run(const uint8_t *data, size_t size)
{
    tide_model *m = NULL;
    tide_error err = {0};
    struct arena a;
    uint8_t *bytes = NULL;
    size_t n = 0;
    if (oracle_start()) return;
    tide_status st = import_bytes(oracle_ctx[0], data, size, "fuzz", NULL, &m, &err);
    if (st) {
        FUZZ_CHECK(!m, "a model beside status %d", (int)st);
        if (err.code != TIDE_CODE_PARAM_CONFLICT) /* a column with the target's name */
            oracle_check_error(st, &err);
        return;
    }
    if (m->schema.n_cols <= ORACLE_MOST_CELLS / ORACLE_ROWS) {
        tide_frame *f = oracle_frame(&m->schema);
        if (f) import_compare(m, f);
        tide_frame_free(f);
    }
    arena_init(&a, NULL);
    st = tide_write_model(m, &a, &bytes, &n, &err);
    FUZZ_CHECK(st == TIDE_OK || st == TIDE_ELIMIT, "cannot be written: %s",
               err.message);
    if (!st) FUZZ_CHECK(oracle_run(bytes, n), "what was written does not load");
    arena_free(&a);
    tide_model_free(m);
}
#endif
