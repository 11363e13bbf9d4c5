/* shap_model.c - Shapley contributions of a fitted pipeline, by the columns of its schema
 *
 * Rows go through the steps as in predict; the trees are explained on what the learner sees, and
 * each of its columns is added to the column it was made from. */
#include <string.h>

#include <tidemill/explain.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/par.h"
#include "base/size.h"
#include "explain/explain.h"
#include "infer/shap.h"
#include "pipe/flow.h"

struct tide_shap {
    struct arena arena; /* of no context: may outlive it */
    int64_t n;
    int32_t n_outputs, n_columns;
    const char **name;
    double *values;
};

struct shap_blocks {
    const struct ensemble *e;
    const struct view *v;
    const int32_t *origin;
    tide_shap *out;
    tide_error *bad; /* [workers] */
};

static tide_status explain_rows(const struct shap_blocks *s, int64_t i0, int64_t n,
                                tide_error *err)
{
    int64_t k = s->out->n_outputs, from = (int64_t)s->v->n_cols + 1,
            to = (int64_t)s->out->n_columns + 1;
    size_t bytes = (size_t)(n * k * from) * sizeof(double);
    double *phi = mem_alloc(bytes), *out = s->out->values + i0 * k * to;
    if (!phi) return err_nomem(err, bytes);
    tide_status status = shap_values(s->e, s->v, i0, n, phi, err);
    memset(out, 0, (size_t)(n * k * to) * sizeof *out);
    for (int64_t r = 0; !status && r < n * k; r++) {
        for (int64_t j = 0; j + 1 < from; j++)
            out[r * to + s->origin[j]] += phi[r * from + j];
        out[r * to + to - 1] = phi[r * from + from - 1];
    }
    mem_free(phi);
    return status;
}

static void explain_block(void *arg, int64_t block, int worker)
{
    struct shap_blocks *s = arg;
    int64_t i0 = block * SHAP_ROWS, n = s->out->n - i0;
    tide_error err = {0};
    if (n > SHAP_ROWS) n = SHAP_ROWS;
    if (explain_rows(s, i0, n, &err)) s->bad[worker] = err;
}

static tide_status explain_view(tide_ctx *ctx, struct shap_blocks *s, tide_error *err)
{
    int workers = par_threads(ctx);
    int64_t blocks = (s->out->n + SHAP_ROWS - 1) / SHAP_ROWS;
    s->bad = mem_zalloc((size_t)workers * sizeof *s->bad);
    if (!s->bad) return err_nomem(err, 0);
    tide_status status =
        par_for_progress(ctx, blocks, explain_block, s, "explaining", err);
    for (int k = 0; k < workers && !status; k++)
        if (s->bad[k].code) {
            status = s->bad[k].status;
            if (err) *err = s->bad[k];
        }
    mem_free(s->bad);
    return status;
}

const struct ensemble *explain_trees(const tide_model *model)
{
    const struct fitted_node *last = &model->nodes[model->n_nodes - 1];
    return last->learner->trees ? last->learner->trees(last->object) : NULL;
}

static tide_status shap_new(const tide_model *model, int64_t n, tide_shap **out,
                            tide_error *err)
{
    const struct ensemble *e = explain_trees(model);
    tide_shap *s = mem_zalloc(sizeof *s);
    if (!s) return err_nomem(err, sizeof *s);
    arena_init(&s->arena, NULL);
    s->n = n;
    s->n_columns = model->schema.n_cols;
    s->n_outputs = e->n_outputs;
    s->name = arena_array(&s->arena, s->n_columns, sizeof *s->name);
    for (int32_t j = 0; s->name && j < s->n_columns; j++)
        s->name[j] = arena_str(&s->arena, model->schema.cols[j].name);
    int64_t cells = 0;
    if (i64_mul(n, (int64_t)s->n_outputs * (s->n_columns + 1), &cells))
        cells = INT64_MAX;
    s->values = arena_array(&s->arena, cells, sizeof *s->values);
    *out = s;
    return arena_status(&s->arena, err);
}

tide_status explain_see(tide_ctx *ctx, const tide_model *model,
                        const struct view *bound, struct arena *a, struct view *v,
                        tide_error *err)
{
    tide_status status = TIDE_OK;
    *v = *bound;
    for (int k = 0; !status && k + 1 < model->n_nodes; k++) {
        struct view next;
        status = flow_apply(ctx, &model->nodes[k], v, a, &next, NULL, err);
        *v = next;
    }
    return status ? status : flow_match(&model->nodes[model->n_nodes - 1], v, err);
}

tide_status explain_shap(tide_ctx *ctx, const tide_model *model,
                         const struct view *bound, tide_shap **out, tide_error *err)
{
    struct shap_blocks s = {.e = explain_trees(model)};
    struct arena a;
    struct view v;
    int32_t *origin = NULL;
    *out = NULL;
    if (!s.e)
        return err_set(err, TIDE_CODE_PIPELINE_STEP,
                       "'%s' has no trees, and contributions are made from trees",
                       model->nodes[model->n_nodes - 1].learner->name);
    arena_init(&a, ctx);
    tide_status status = explain_see(ctx, model, bound, &a, &v, err);
    if (!status) status = model_origins(model, &a, &origin, err);
    if (!status) status = shap_new(model, v.n_rows, &s.out, err);
    s.v = &v;
    s.origin = origin;
    if (!status) status = explain_view(ctx, &s, err);
    if (status)
        tide_shap_free(s.out);
    else
        *out = s.out;
    arena_free(&a);
    return status;
}

tide_status tide_model_shap(tide_ctx *ctx, const tide_model *model,
                            const tide_frame *frame, tide_shap **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct arena a;
    struct bind_counts counts;
    const struct column **cols = NULL;
    if (!ctx || !model || !frame || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    arena_init(&a, ctx);
    tide_status status =
        bind_frame(ctx, &model->schema, frame, NULL, 0, &a, &cols, &counts, err);
    struct view v = {
        .n_rows = frame->n_rows, .n_cols = model->schema.n_cols, .cols = cols};
    if (!status) status = explain_shap(ctx, model, &v, out, err);
    arena_free(&a);
    return status;
}

void tide_shap_free(tide_shap *shap)
{
    if (!shap) return;
    arena_free(&shap->arena);
    mem_free(shap);
}

int64_t tide_shap_rows(const tide_shap *shap)
{
    return shap ? shap->n : 0;
}
int tide_shap_outputs(const tide_shap *shap)
{
    return shap ? shap->n_outputs : 0;
}
int tide_shap_columns(const tide_shap *shap)
{
    return shap ? shap->n_columns : 0;
}
const char *tide_shap_name(const tide_shap *shap, int column)
{
    return shap && column >= 0 && column < shap->n_columns ? shap->name[column] : NULL;
}
const double *tide_shap_values(const tide_shap *shap)
{
    return shap ? shap->values : NULL;
}
