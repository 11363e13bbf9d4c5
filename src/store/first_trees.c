/* first_trees.c - a fitted model that uses only the first trees of its learner
 *
 * The learner's state is written again with fewer trees and loaded like one from a file; all
 * else is shared with the whole model, which is held. */
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "infer/ensemble.h"
#include "pipe/pipe.h"

/* What the learner keeps beside its trees. */
static void copy_others(const struct state *from, struct state *to)
{
    for (int i = 0; i < from->n; i++) {
        const struct state_array *q = &from->arrays[i];
        char kind[sizeof q->kind + 1] = {0};
        if (state_find(to, q->name)) continue;
        memcpy(kind, q->kind, sizeof q->kind);
        state_put(to, kind, q->name, (enum state_type)q->type, q->dim[0], q->dim[1],
                  q->dim[2], q->data);
    }
}

/* The whole model's parts in *m, but for the learner's state and object. */
static tide_status share(tide_model *whole, tide_model *m, tide_error *err)
{
    m->schema = whole->schema;
    m->profile = whole->profile;
    m->golden = whole->golden;
    m->n_nodes = whole->n_nodes;
    m->seed = whole->seed;
    m->partial = whole->partial;
    m->file_bytes = whole->file_bytes;
    memcpy(m->sha256, whole->sha256, sizeof m->sha256);
    json_decref(m->about);
    m->about = json_incref(whole->about);
    m->nodes = arena_array(&m->arena, whole->n_nodes, sizeof *m->nodes);
    if (!m->nodes) return arena_status(&m->arena, err);
    memcpy(m->nodes, whole->nodes, (size_t)whole->n_nodes * sizeof *m->nodes);
    atomic_fetch_add(&whole->refs, 1);
    m->whole = whole;
    return pipeline_copy(whole->pipeline, &m->pipeline, err);
}

static tide_status load_first(tide_model *m, const struct ensemble *e, int32_t rounds,
                              tide_error *err)
{
    struct fitted_node *node = &m->nodes[m->n_nodes - 1];
    const struct state whole = node->state;
    state_init(&node->state, &m->arena);
    ensemble_save_first(e, rounds, &node->state);
    copy_others(&whole, &node->state);
    tide_status st = arena_status(&m->arena, err);
    if (st) return st;
    int32_t n_out = schema_width(&m->schema);
    st = node->learner->load(&node->state, m->schema.task, n_out, node->n_in,
                             node->in_levels, &m->arena, &node->object, err);
    return st ? st : arena_status(&m->arena, err);
}

static const struct ensemble *trees_of(const tide_model *model)
{
    const struct fitted_node *last = &model->nodes[model->n_nodes - 1];
    return last->learner->trees ? last->learner->trees(last->object) : NULL;
}

int64_t tide_model_trees(const tide_model *model)
{
    const struct ensemble *e = model ? trees_of(model) : NULL;
    return e ? ensemble_rounds(e) : 0;
}

tide_status tide_model_first_trees(tide_ctx *ctx, tide_model *model, int64_t trees,
                                   tide_model **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    if (out) *out = NULL;
    if (!ctx || !model || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                       !ctx     ? "ctx"
                       : !model ? "model"
                                : "out");
    const struct ensemble *e = trees_of(model);
    if (!e) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s has no trees to take the first of",
                model->nodes[model->n_nodes - 1].learner->name);
        return err_field(err, "trees");
    }
    int32_t rounds = ensemble_rounds(e);
    if (trees < 1 || trees > rounds) {
        err_set(err, TIDE_CODE_PARAM_RANGE,
                "'trees' must be in [1, %d], the trees of the model, got \"%lld\"",
                (int)rounds, (long long)trees);
        return err_field(err, "trees");
    }
    tide_model *m = model_new(ctx, err);
    if (!m) return err ? err->status : TIDE_ENOMEM;
    tide_status st = share(model, m, err);
    if (!st) st = load_first(m, e, (int32_t)trees, err);
    if (st)
        tide_model_free(m);
    else
        *out = m;
    return st;
}
