/* model.c - a fitted model: its life, its objects, and what it says of itself */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/json.h"
#include "pipe/flow.h"

/* The model may outlive the context it was made with, so its arena counts for none. */
tide_model *model_new(struct tide_ctx *ctx, tide_error *err)
{
    (void)ctx;
    tide_model *m = mem_zalloc(sizeof *m);
    if (!m) {
        err_nomem(err, sizeof *m);
        return NULL;
    }
    json_init();
    atomic_init(&m->refs, 1);
    arena_init(&m->arena, NULL);
    state_init(&m->profile, &m->arena);
    state_init(&m->golden, &m->arena);
    m->schema.threshold = 0.5;
    m->about = json_object();
    if (!m->about) {
        tide_model_free(m);
        err_nomem(err, 0);
        return NULL;
    }
    return m;
}

void tide_model_free(tide_model *model)
{
    while (model && atomic_fetch_sub(&model->refs, 1) == 1) {
        tide_model *whole = model->whole;
        pipeline_free(model->pipeline);
        json_decref(model->about);
        arena_free(&model->arena);
        mem_free(model);
        model = whole;
    }
}

const char *tide_model_sha256(const tide_model *model)
{
    return model->sha256;
}

int64_t tide_model_bytes(const tide_model *model)
{
    return model->file_bytes;
}

int tide_model_is_partial(const tide_model *model)
{
    return model->partial;
}

const char *tide_model_target(const tide_model *model)
{
    return model->schema.target;
}

tide_status model_load_nodes(tide_model *m, tide_error *err)
{
    const struct schema *s = &m->schema;
    int32_t n_out = schema_width(s);
    for (int k = 0; k < m->n_nodes; k++) {
        struct fitted_node *node = &m->nodes[k];
        tide_status st = TIDE_OK;
        if (node->learner)
            st = node->learner->load(&node->state, s->task, n_out, node->n_in,
                                     node->in_levels, &m->arena, &node->object, err);
        else if (node->n_in > 0)
            st = node->step->load(&node->state, node->n_in, node->in_levels, &m->arena,
                                  &node->object, err);
        if (!st) st = arena_status(&m->arena, err);
        if (st) return st;
    }
    return TIDE_OK;
}

/* A row in which every cell is missing, to see which column comes from where. */
static tide_status blank_row(const tide_model *m, struct arena *a, struct view *v,
                             tide_error *err)
{
    int n = m->schema.n_cols;
    struct column *own = arena_zero(a, (size_t)n * sizeof *own + 1);
    const struct column **cols = arena_array(a, n, sizeof *cols);
    double *x = arena_push(a, sizeof *x);
    int64_t *t = arena_push(a, sizeof *t);
    uint32_t *code = arena_push(a, sizeof *code);
    tide_status st = arena_status(a, err);
    if (st) return st;
    *x = NAN;
    *t = I64_MISSING;
    *code = CODE_MISSING;
    for (int j = 0; j < n; j++) {
        const struct schema_column *c = &m->schema.cols[j];
        own[j] = (struct column){.name = c->name, .n_rows = 1, .n_missing = 1};
        own[j].type = c->type == TIDE_CAT || c->type == TIDE_TIME ? c->type : TIDE_F64;
        if (c->type == TIDE_CAT) {
            own[j].code = code;
            own[j].dict = c->levels;
        } else if (c->type == TIDE_TIME) {
            own[j].i64 = t;
        } else {
            own[j].f64 = x;
        }
        cols[j] = &own[j];
    }
    *v = (struct view){.n_rows = 1, .n_cols = n, .cols = cols};
    return TIDE_OK;
}

tide_status model_origins(const tide_model *m, struct arena *a, int32_t **origin,
                          tide_error *err)
{
    struct view v = {0};
    tide_status st = blank_row(m, a, &v, err);
    int32_t *at = st ? NULL : arena_array(a, v.n_cols, sizeof *at);
    for (int j = 0; at && j < v.n_cols; j++) at[j] = j;
    if (!st) st = arena_status(a, err);
    for (int k = 0; !st && k + 1 < m->n_nodes; k++) {
        struct view next;
        const int32_t *from = NULL;
        st = flow_apply(m->arena.ctx, &m->nodes[k], &v, a, &next, &from, err);
        if (st) break;
        int32_t *moved = arena_array(a, next.n_cols, sizeof *moved);
        for (int j = 0; moved && j < next.n_cols; j++) moved[j] = at[from[j]];
        at = moved;
        v = next;
        st = arena_status(a, err);
    }
    if (!st) st = flow_match(&m->nodes[m->n_nodes - 1], &v, err);
    *origin = at;
    return st;
}

tide_status model_importance(const tide_model *m, double *out, tide_error *err)
{
    const struct fitted_node *last = &m->nodes[m->n_nodes - 1];
    struct arena a;
    int32_t *origin = NULL;
    for (int j = 0; j < m->schema.n_cols; j++) out[j] = 0;
    if (!last->learner->importance || last->n_in == 0) return TIDE_OK;
    arena_init(&a, NULL);
    double *inner = arena_zero(&a, (size_t)last->n_in * sizeof *inner);
    tide_status st = arena_status(&a, err);
    if (!st) st = model_origins(m, &a, &origin, err);
    if (!st) {
        last->learner->importance(last->object, inner);
        for (int32_t j = 0; j < last->n_in; j++) out[origin[last->in[j]]] += inner[j];
    }
    arena_free(&a);
    return st;
}
