/* transform.c - what the learner sees: a table after the steps of a model
 *
 * The same binding and the same steps as in predict, on all rows at once; the result is a
 * frame of its own that holds no memory of the input. */
#include <string.h>

#include "base/err.h"
#include "pipe/flow.h"

static void *copied(struct arena *a, const void *from, int64_t n, size_t size)
{
    void *to = arena_array(a, n, size);
    if (to && n > 0) memcpy(to, from, (size_t)n * size);
    return to;
}

/* A column of a view without row numbers, copied into the arena. */
static void copy_column(const struct column *from, struct arena *a, struct column *to)
{
    int64_t n = from->n_rows;
    *to = (struct column){
        .name = arena_str(a, from->name), .type = from->type, .n_rows = n};
    if (from->type == TIDE_F64) {
        if (column_is_sparse(from)) {
            to->at = copied(a, from->at, from->n_at + 1, sizeof *from->at);
            to->nz = copied(a, from->nz, from->n_at + 1, sizeof *from->nz);
            to->n_at = from->n_at;
            return;
        }
        to->f64 = copied(a, from->f64, n, sizeof *from->f64);
    } else if (from->type == TIDE_BOOL) {
        to->b = copied(a, from->b, n, sizeof *from->b);
    } else if (from->type == TIDE_CAT) {
        const struct dict *d = &from->dict;
        to->code = copied(a, from->code, n, sizeof *from->code);
        to->dict.n = d->n;
        to->dict.offset = copied(a, d->offset, (int64_t)d->n + 1, sizeof *d->offset);
        to->dict.bytes = copied(a, d->bytes, d->offset[d->n], 1);
    } else {
        to->i64 = copied(a, from->i64, n, sizeof *from->i64);
    }
}

static tide_status frame_of_view(struct tide_ctx *ctx, const struct view *v,
                                 tide_frame **out, tide_error *err)
{
    tide_frame *f;
    tide_status st = frame_begin(ctx, v->n_rows, v->n_cols, &f, err);
    if (st) return st;
    for (int j = 0; j < v->n_cols && !f->arena.failed; j++)
        copy_column(v->cols[j], &f->arena, &f->cols[j]);
    st = frame_seal(f, err);
    if (st)
        tide_frame_free(f);
    else
        *out = f;
    return st;
}

tide_status tide_model_transform(tide_ctx *ctx, const tide_model *model,
                                 const tide_frame *frame, tide_frame **out,
                                 tide_error *err)
{
    struct arena a;
    struct bind_counts counts;
    const struct column **cols = NULL;
    if (!ctx || !model || !frame || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    arena_init(&a, ctx);
    int64_t *rows = arena_array(&a, frame->n_rows, sizeof *rows);
    for (int64_t i = 0; rows && i < frame->n_rows; i++) rows[i] = i;
    tide_status st = arena_status(&a, err);
    if (!st)
        st = bind_frame(ctx, &model->schema, frame, NULL, 0, &a, &cols, &counts, err);
    struct view v = {.n_rows = frame->n_rows,
                     .n_cols = model->schema.n_cols,
                     .cols = cols,
                     .rows = rows};
    /* gathered as in predict, which counts the missing cells that steps look at */
    if (!st) st = flow_gather(ctx, &v, &a, &v, err);
    for (int k = 0; !st && k + 1 < model->n_nodes; k++) {
        struct view next;
        st = flow_apply(ctx, &model->nodes[k], &v, &a, &next, NULL, err);
        v = next;
    }
    if (!st) st = frame_of_view(ctx, &v, out, err);
    arena_free(&a);
    return st;
}
