/* resume.c - what a model that goes on from another has from it
 *
 * Schema, dictionaries, classes and fitted steps are copied as they are: the other model may be
 * freed. Rows to go on with are bound by name as rows to predict are, so what is missing or of
 * another type is said in the same words; a category the model has not seen is missing.
 * Guide   Q10
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "pipe/flow.h"

/* ---- schema and nodes ---- */

static void *copy_of(struct arena *a, const void *from, size_t bytes)
{
    void *to = arena_push(a, bytes + 1);
    if (to && bytes) memcpy(to, from, bytes);
    return to;
}

static void copy_column(const struct schema_column *from, struct arena *a,
                        struct schema_column *to)
{
    const struct dict *d = &from->levels;
    *to = *from;
    to->name = arena_str(a, from->name);
    if (from->type != TIDE_CAT) return;
    to->levels.offset = copy_of(a, d->offset, ((size_t)d->n + 1) * sizeof *d->offset);
    to->levels.bytes = copy_of(a, d->bytes, d->offset[d->n]);
}

tide_status resume_schema(const tide_model *from, tide_model *m, tide_error *err)
{
    const struct schema *s = &from->schema;
    struct arena *a = &m->arena;
    m->schema = *s;
    m->schema.target = arena_str(a, s->target);
    m->schema.weight = s->weight ? arena_str(a, s->weight) : NULL;
    m->schema.id = s->id ? arena_str(a, s->id) : NULL;
    m->schema.group = s->group ? arena_str(a, s->group) : NULL;
    m->schema.cols = arena_array(a, (int64_t)s->n_cols + 1, sizeof *m->schema.cols);
    m->schema.labels =
        arena_array(a, (int64_t)s->n_classes + 1, sizeof *m->schema.labels);
    for (int j = 0; m->schema.cols && j < s->n_cols; j++)
        copy_column(&s->cols[j], a, &m->schema.cols[j]);
    for (int32_t k = 0; m->schema.labels && k < s->n_classes; k++)
        m->schema.labels[k] = arena_str(a, s->labels[k]);
    return arena_status(a, err);
}

tide_status resume_node(const struct fitted_node *from, tide_model *m,
                        struct fitted_node *node, tide_error *err)
{
    struct arena *a = &m->arena;
    node->width = from->width;
    node->n_in = from->n_in;
    node->in = copy_of(a, from->in, (size_t)from->n_in * sizeof *from->in);
    node->in_levels =
        copy_of(a, from->in_levels, (size_t)from->n_in * sizeof *from->in_levels);
    for (int i = 0; node->step && i < from->state.n; i++) {
        const struct state_array *q = &from->state.arrays[i];
        char kind[sizeof q->kind + 1] = {0};
        memcpy(kind, q->kind, sizeof q->kind);
        state_put(&node->state, kind, q->name, (enum state_type)q->type, q->dim[0],
                  q->dim[1], q->dim[2], q->data);
    }
    tide_status st = arena_status(a, err);
    if (!st && node->step && node->n_in > 0)
        st = node->step->load(&node->state, node->n_in, node->in_levels, a,
                              &node->object, err);
    return st ? st : arena_status(a, err);
}

/* ---- problem ---- */

static tide_status refuse_class(const struct problem *p, int32_t k, tide_error *err)
{
    const struct column *c = &p->frame->cols[p->target];
    char shown[128];
    int64_t i = 0;
    while (p->k[i] != k) i++;
    err_quote(shown, sizeof shown, p->labels[k], strlen(p->labels[k]), 60);
    err_set(err, TIDE_CODE_DATA_CLASSES,
            "'%s' holds \"%s\", a class that the model does not know", c->name, shown);
    err_field(err, c->name);
    if (err) err->row = p->rows[i] + 1;
    return err_at(err, p->frame->source, frame_line(p->frame, p->rows[i]), 0);
}

/* The model's numbers of the classes that these rows have. */
static tide_status like_classes(const struct schema *s, struct problem *p,
                                tide_error *err)
{
    int32_t *number = arena_array(&p->arena, p->n_classes, sizeof *number);
    int32_t *k = arena_array(&p->arena, p->n_rows, sizeof *k);
    const char **labels = arena_array(&p->arena, s->n_classes, sizeof *labels);
    tide_status st = arena_status(&p->arena, err);
    for (int32_t c = 0; !st && c < p->n_classes; c++) {
        number[c] = schema_class(s, p->labels[c], strlen(p->labels[c]));
        if (number[c] == s->n_classes) st = refuse_class(p, c, err);
    }
    for (int32_t c = 0; !st && c < s->n_classes; c++)
        labels[c] = arena_str(&p->arena, s->labels[c]);
    if (st) return st;
    for (int64_t i = 0; i < p->n_rows; i++) k[i] = number[p->k[i]];
    p->k = k;
    p->labels = labels;
    p->n_classes = s->n_classes;
    p->positive = s->positive;
    return arena_status(&p->arena, err);
}

tide_status resume_problem(struct tide_ctx *ctx, const struct schema *s,
                           struct problem *p, tide_error *err)
{
    const struct column **cols = NULL;
    int32_t *list = arena_array(&p->arena, s->n_cols, sizeof *list);
    tide_status st = arena_status(&p->arena, err);
    if (!st)
        st = bind_frame(ctx, s, p->frame, p->rows, p->n_rows, &p->arena, &cols, NULL,
                        err);
    for (int j = 0; !st && j < s->n_cols; j++)
        list[j] = tide_frame_find(p->frame, s->cols[j].name, "", NULL);
    if (st) return st;
    p->features = list;
    p->n_features = s->n_cols;
    return p->task == TIDE_CLASSIFY ? like_classes(s, p, err) : TIDE_OK;
}

/* ---- parameters ---- */

static tide_status refuse_learner(const struct tide_learner *l, int refit,
                                  tide_error *err)
{
    struct str names = {0};
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        const struct tide_learner *other = learner_get(i);
        if (refit ? !other->refits : !(other->traits & TIDE_CONTINUES)) continue;
        str_addf(&names, "%s%s", names.len ? ", " : "", other->name);
    }
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "a model of %s cannot be %s; one of these learners can: %s", l->name,
            refit ? "refitted" : "continued", names.s ? names.s : "none");
    str_free(&names);
    return TIDE_EINVAL;
}

/* Text of a value; freed by the caller. */
static char *text_of(const tide_values *v, const struct tide_param *row)
{
    int n = tide_values_text(v, row, NULL, 0);
    char *text = n < 0 ? NULL : mem_alloc((size_t)n + 1);
    if (text) (void)tide_values_text(v, row, text, (size_t)n + 1);
    return text;
}

/* One row of the parameters: what was asked for, where the model does not forbid it. */
static tide_status merge_row(const struct tide_learner *l, const struct tide_param *row,
                             const tide_values *had, const tide_values *asked,
                             tide_values *to, tide_error *err)
{
    int is_asked = tide_values_given(asked, row->name);
    if (!is_asked && !tide_values_given(had, row->name)) return TIDE_OK;
    char *old = text_of(had, row), *text = text_of(is_asked ? asked : had, row);
    tide_status st = old && text ? TIDE_OK : err_nomem(err, 0);
    if (!st && row->flags & TIDE_KEPT && strcmp(old, text) != 0) {
        st = *old ? err_set(err, TIDE_CODE_PARAM_CONFLICT,
                            "the model's '%s' stays %s, got \"%s\"", row->name, old,
                            text)
                  : err_set(err, TIDE_CODE_PARAM_CONFLICT,
                            "the model was fitted without '%s' and goes on without it",
                            row->name);
        err_field(err, row->name);
    }
    if (!st && *text)
        st = pipeline_set_value(to, &l->params, row->name, text, strlen(text), err);
    mem_free(old);
    mem_free(text);
    return st;
}

/* All rounds: those of the model, and as many as were asked for or as its fit allowed; of a partial
 * model, what its fit had still to come. */
static tide_status merge_rounds(const struct tide_learner *l, const tide_model *model,
                                int refit, const tide_values *had,
                                const tide_values *asked, tide_values *to,
                                tide_error *err)
{
    const struct tide_param *row = tide_params_find(&l->params, l->counts);
    const tide_values *from = tide_values_given(asked, row->name) ? asked : had;
    const void *at = (const char *)tide_values_struct(from) + row->offset;
    int32_t further, rounds = l->rounds(model->nodes[model->n_nodes - 1].object);
    char text[NUM_PRINT_MAX];
    memcpy(&further, at, sizeof further);
    if (refit && from == asked) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a refit adds no trees, so '%s' cannot be given", row->name);
        return err_field(err, row->name);
    }
    if (from == had && model->partial && further > rounds) further -= rounds;
    str_format(text, sizeof text, "%lld",
               (long long)rounds + (refit ? 0 : (long long)further));
    return pipeline_set_value(to, &l->params, row->name, text, strlen(text), err);
}

static tide_status merge_values(const tide_model *model, int refit,
                                const struct tide_text_list *sets,
                                struct pipe_node *node, tide_error *err)
{
    const struct tide_learner *l = node->learner;
    tide_values *had = node->values, *asked = NULL, *to = NULL;
    tide_status st = tide_values_new(&l->params, l->name, &asked, err);
    if (!st) st = tide_values_new(&l->params, l->name, &to, err);
    if (!st) st = pipeline_read_sets(l, sets, asked, err);
    for (int i = 0; !st && i < l->params.n; i++)
        if (strcmp(l->params.rows[i].name, l->counts) != 0)
            st = merge_row(l, &l->params.rows[i], had, asked, to, err);
    if (!st) st = merge_rounds(l, model, refit, had, asked, to, err);
    if (!st) st = tide_values_check(to, err);
    if (!st && l->check) st = l->check(tide_values_struct(to), err);
    tide_values_free(asked);
    if (st) {
        tide_values_free(to);
        return st;
    }
    tide_values_free(had);
    node->values = to;
    return TIDE_OK;
}

tide_status pipeline_resume(const struct tide_model *model, int refit,
                            const struct tide_text_list *sets, tide_pipeline **out,
                            tide_error *err)
{
    const struct tide_learner *l = model->nodes[model->n_nodes - 1].learner;
    *out = NULL;
    if (refit ? !l->refits : !l->resume) return refuse_learner(l, refit, err);
    tide_status st = pipeline_copy(model->pipeline, out, err);
    if (!st) st = merge_values(model, refit, sets, &(*out)->nodes[(*out)->n - 1], err);
    if (st) {
        pipeline_free(*out);
        *out = NULL;
    }
    return st;
}
