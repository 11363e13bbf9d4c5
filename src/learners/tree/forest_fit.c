/* forest_fit.c - forests of independent trees: fit, out-of-bag score, the fitted model */
#include "learners/tree/forest_fit.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "frame/frame.h"
#include "learners/tree/forest_grow.h"
#include "learners/tree/oob_importance.h"
#include "learners/tree/out_of_bag.h"

enum { CRITERION_AUTO, CRITERION_GINI, CRITERION_ENTROPY, CRITERION_SQUARED };
const char *const forest_criteria[] = {"auto", "gini", "entropy", "squared", NULL};
const char *const forest_class_weights[] = {"none", "balanced", NULL};
const char *const forest_importances[] = {"impurity", "permutation", NULL};

struct forest_model {
    struct ensemble *e;
    const double *importance;
    int32_t n_out;
};

static tide_status rules_of(const struct forest_params *p, int random,
                            const struct fit_data *d, const struct forest_data *data,
                            struct forest_rules *out, tide_error *err)
{
    int regress = d->task == TIDE_REGRESS;
    int32_t on = 0;
    for (int32_t f = 0; f < data->codes.n_cols; f++) on += data->codes.col[f].on;
    if (p->criterion != CRITERION_AUTO &&
        regress != (p->criterion == CRITERION_SQUARED))
        return err_set(err, TIDE_CODE_PARAM_CONFLICT, "criterion '%s' does not fit %s",
                       forest_criteria[p->criterion],
                       regress ? "a number as target" : "classes as target");
    *out = (struct forest_rules){.criterion = regress ? FOREST_SQUARED
                                              : p->criterion == CRITERION_ENTROPY
                                                  ? FOREST_ENTROPY
                                                  : FOREST_GINI,
                                 .random = random,
                                 .trees = p->trees,
                                 .depth = p->depth ? p->depth : ENSEMBLE_DEPTH_MAX,
                                 .leaves = p->leaves,
                                 .min_rows = p->min_rows ? p->min_rows
                                             : regress   ? 5
                                                         : 1,
                                 .min_gain = p->min_gain,
                                 .rows = p->bootstrap ? p->rows : 0,
                                 .seed = d->seed};
    double share = p->columns > 0 ? p->columns * on : regress ? on / 3.0 : sqrt(on);
    out->columns = share < 1 ? 1 : (int32_t)share;
    return TIDE_OK;
}

/* ------------------------------------------------------------------- out of bag --- */

#define OOB_ROWS 1024

struct oob {
    const struct forest *f;
    const struct forest_data *data;
    const struct forest_rules *rules;
    struct oob_sums *part; /* [blocks] */
    uint8_t *saw_all;      /* [trees] */
    double *sum;           /* [workers][width] */
    double mean;
};

static void oob_block(void *arg, int64_t block, int worker)
{
    const struct oob *o = arg;
    const struct fit_data *d = o->data->d;
    int32_t width = o->data->width;
    double *sum = o->sum + (int64_t)worker * width;
    int64_t end =
        (block + 1) * OOB_ROWS < o->data->n ? (block + 1) * OOB_ROWS : o->data->n;
    for (int64_t i = block * OOB_ROWS; i < end; i++) {
        int32_t trees = 0;
        for (int32_t k = 0; k < width; k++) sum[k] = 0;
        for (int32_t t = 0; t < o->f->n_trees; t++) {
            const struct forest_tree *tree = &o->f->tree[t];
            if (o->saw_all[t] || forest_multiplicity(o->rules, t, view_id(d->x, i)))
                continue;
            const double *leaf =
                tree->leaf + forest_leaf(tree, &o->data->codes, i) * width;
            for (int32_t k = 0; k < width; k++) sum[k] += leaf[k];
            trees++;
        }
        oob_add(&o->part[block], d, i, sum, trees, o->mean);
    }
}

static tide_status oob_note(struct tide_ctx *ctx, const struct forest *f,
                            const struct forest_data *data,
                            const struct forest_rules *rules, struct arena *a,
                            const char **note, tide_error *err)
{
    int64_t blocks = (data->n + OOB_ROWS - 1) / OOB_ROWS, sum = 0, weight = 0;
    struct oob o = {.f = f, .data = data, .rules = rules};
    o.part = arena_zero(a, (size_t)(blocks + 1) * sizeof *o.part);
    o.sum = arena_array(a, (int64_t)par_threads(ctx) * data->width, sizeof *o.sum);
    o.saw_all = arena_array(a, (int64_t)f->n_trees + 1, 1);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int32_t t = 0; t < f->n_trees; t++)
        o.saw_all[t] = (uint8_t)forest_saw_all(rules, data, t);
    for (int64_t i = 0; i < data->n; i++) {
        sum += data->aux[i] * (int64_t)data->w[i];
        weight += data->w[i];
    }
    o.mean = data->y_mid + (double)sum / (double)weight * data->y_unit;
    status = par_for(ctx, blocks, oob_block, &o, err);
    for (int64_t b = 1; b < blocks; b++) oob_fold(&o.part[0], &o.part[b]);
    *note = oob_text(&o.part[0], data->d->task, "tree", a);
    return status ? status : arena_status(a, err);
}

/* -------------------------------------------------------------------------- fit --- */

struct forest_fitting {
    struct tide_ctx *ctx;
    const struct forest_params *p;
    const struct fit_data *d;
    const struct forest_model *from; /* NULL: none */
    int32_t goal;                    /* trees in all */
    struct forest_data data;
    struct forest_rules rules;
    struct forest f; /* behind those of `from` */
    int is_whole;    /* importances are those that were asked for */
    struct arena a;
    struct fit_info *info;
};

/* ctx NULL: after a cancellation, which must not stop this. */
static tide_status save_model(const struct forest_fitting *m, struct tide_ctx *ctx,
                              struct state *out, tide_error *err)
{
    const struct forest_data *data = &m->data;
    struct ensemble *e = NULL;
    struct arena a;
    arena_init(&a, ctx);
    double *base = arena_zero(&a, (size_t)data->width * sizeof *base);
    int is_known = !m->p->importance || m->is_whole;
    double *none = arena_zero(&a, ((size_t)data->codes.n_cols + 1) * sizeof *none);
    tide_status status = arena_status(&a, err);
    if (!status)
        status = forest_emit(ctx, &m->f, data, data->width, LINK_MEAN_PROBA, base,
                             out->arena, &e, err);
    if (!status && m->from)
        status = forest_join(ctx, m->from->e, e, m->d->x, out->arena, &e, err);
    if (!status) {
        ensemble_save_kept(e, out);
        state_put(out, "TREES", "importance", STATE_F64, data->codes.n_cols, 1, 1,
                  is_known ? m->f.importance : none);
        status = arena_status(out->arena, err);
    }
    arena_free(&a);
    return status;
}

static tide_status show_so_far(const struct forest_fitting *m, tide_error *err)
{
    const struct fit_snapshot *to = m->info->snapshot;
    struct arena a;
    struct state so_far;
    arena_init(&a, m->ctx);
    state_init(&so_far, &a);
    tide_status status = save_model(m, m->ctx, &so_far, err);
    if (!status) status = to->take(to->payload, &so_far, err);
    arena_free(&a);
    return status;
}

static tide_status grow_all(struct forest_fitting *m, tide_error *err)
{
    const struct fit_snapshot *shown = m->info->snapshot;
    tide_status status = TIDE_OK;
    for (int32_t at = m->f.first; at < m->goal && !status;) {
        int32_t to = m->goal;
        if (shown && to - at > shown->every - at % shown->every)
            to = at + shown->every - at % shown->every;
        m->rules.trees = to - at;
        status =
            forest_grow(m->ctx, &m->data, &m->rules, m->goal, m->d->phase, &m->f, err);
        at = to;
        if (!status && at < m->goal) status = show_so_far(m, err);
    }
    return status;
}

static tide_status say_of_fit(struct forest_fitting *m, struct state *out,
                              tide_error *err)
{
    const char *note = NULL;
    int64_t nodes = m->from ? m->from->e->tree_node[m->from->e->n_trees] : 0;
    tide_status status = TIDE_OK;
    if (m->p->oob && m->rules.rows > 0 && m->from)
        note = "no out-of-bag score: which rows the model's first trees have seen is "
               "not known";
    else if (m->p->oob && m->rules.rows > 0)
        status = oob_note(m->ctx, &m->f, &m->data, &m->rules, &m->a, &note, err);
    for (int32_t t = 0; t < m->f.n_trees; t++) nodes += m->f.tree[t].n_nodes;
    if (!nodes) note = "no split helps: the model says the same for every row";
    if (!status && note) m->info->note = arena_str(out->arena, note);
    return status ? status : arena_status(out->arena, err);
}

static tide_status fit_run(struct forest_fitting *m, int random, struct state *out,
                           tide_error *err)
{
    const struct ensemble *from = m->from ? m->from->e : NULL;
    arena_init(&m->a, m->ctx);
    tide_status status = forest_data_make(
        m->ctx, m->d, m->p->class_weight ? FOREST_BALANCED : FOREST_PLAIN, from, &m->a,
        &m->data, err);
    if (!status) status = rules_of(m->p, random, m->d, &m->data, &m->rules, err);
    int32_t nc = m->data.codes.n_cols;
    m->f.importance = mem_zalloc(((size_t)nc + 1) * sizeof *m->f.importance);
    if (!status && !m->f.importance) status = err_nomem(err, 0);
    if (!status && from) {
        m->f.first = from->n_trees;
        memcpy(m->f.importance, m->from->importance,
               (size_t)nc * sizeof *m->f.importance);
    }
    if (!status) status = grow_all(m, err);
    if (!status && m->p->importance)
        status =
            oob_importance(m->ctx, &m->f, &m->data, &m->rules, m->f.importance, err);
    m->is_whole = !status;
    m->info->converged = -1;
    if (!status) status = say_of_fit(m, out, err);
    int partial = status == TIDE_ECANCELLED && m->f.n_trees > 0;
    if (!status || partial) {
        tide_status saved =
            save_model(m, partial ? NULL : m->ctx, out, partial ? NULL : err);
        m->info->partial = partial && !saved;
        status = saved ? saved : status;
    }
    forest_free(&m->f);
    arena_free(&m->a);
    return status;
}

tide_status forest_check(const void *params, tide_error *err)
{
    const struct forest_params *p = params;
    if (!p->importance || p->bootstrap) return TIDE_OK;
    err_set(
        err, TIDE_CODE_PARAM_CONFLICT,
        "importance=permutation needs rows that a tree has not seen: bootstrap=yes");
    return err_field(err, "importance");
}

tide_status forest_fit(struct tide_ctx *ctx, const struct forest_params *p, int random,
                       const struct fit_data *d, int32_t rounds, struct state *out,
                       struct fit_info *info, tide_error *err)
{
    struct forest_fitting m = {.ctx = ctx,
                               .p = p,
                               .d = d,
                               .goal = rounds > 0 ? rounds : p->trees,
                               .info = info};
    return fit_run(&m, random, out, err);
}

/* Are the model's columns those of the rows? Levels keep the codes that they have there. */
static int is_like(const struct ensemble *e, const struct view *x)
{
    int same =
        e->n_features == x->n_cols && !e->n_derived && e->leaf_cover && e->node_cover;
    for (int32_t f = 0; same && f < x->n_cols; f++) {
        const struct column *c = x->cols[f];
        int levels = c->type == TIDE_CAT ? (int)c->dict.n : 0;
        same = e->feature_kind[f] == (c->type == TIDE_CAT) &&
               (int)(e->level_off[f + 1] - e->level_off[f]) == levels;
    }
    return same;
}

tide_status forest_resume(struct tide_ctx *ctx, const struct forest_params *p,
                          int random, const struct fit_data *d, int32_t rounds,
                          const struct fit_resume *from, struct state *out,
                          struct fit_info *info, tide_error *err)
{
    struct forest_fitting m = {.ctx = ctx,
                               .p = p,
                               .d = d,
                               .from = from->object,
                               .goal = rounds > 0 ? rounds : p->trees,
                               .info = info};
    if (p->importance) { /* which rows those trees have seen is not known */
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "trees of a model with importance=permutation are grown in one fit: "
                "give 'trees' and train anew");
        return err_field(err, "importance");
    }
    if (!is_like(m.from->e, d->x))
        return err_set(err, TIDE_CODE_TIDE_VALUE,
                       "the trees ask for other columns than the model has");
    return fit_run(&m, random, out, err);
}

int32_t forest_rounds(const void *object)
{
    return ((const struct forest_model *)object)->e->n_trees;
}

void forest_cost(const void *params, const struct fit_data *d, struct fit_cost *out)
{
    const struct forest_params *p = params;
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    double k = d->task == TIDE_CLASSIFY ? d->n_classes : 1;
    double leaves = p->leaves > 0 && p->leaves < n ? p->leaves : n / 4 + 1;
    out->scratch_bytes =
        (int64_t)(n * (18 * f + 64) + p->trees * leaves * (36 + 8 * k));
    if (p->importance) out->scratch_bytes += (int64_t)(p->trees * f * 8 + n * 48);
    out->model_bytes = (int64_t)(p->trees * leaves * (30 + 8 * k));
    out->work = n * sqrt(f) * p->trees * 20;
}

/* -------------------------------------------------------------------- the model --- */

tide_status forest_load(const struct state *s, uint32_t task, int32_t n_out,
                        int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                        void **object, tide_error *err)
{
    struct forest_model *m = arena_zero(a, sizeof *m);
    const struct state_array *importance = NULL;
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (!status)
        status = state_need(s, "importance", STATE_F64, n_cols, 1, &importance, err);
    if (status) return status;
    int32_t want = task == TIDE_CLASSIFY ? n_out : 1;
    if (m->e->n_outputs != want || m->e->leaf_width != want ||
        m->e->link != LINK_MEAN_PROBA) {
        err_set(err, TIDE_CODE_TIDE_CLASSES,
                "the trees give other outputs than the model says");
        return err_place(err, "section TREES");
    }
    double *keep = arena_array(a, n_cols + 1, sizeof *keep);
    if (!keep) return arena_status(a, err);
    if (n_cols) memcpy(keep, importance->data, (size_t)n_cols * sizeof *keep);
    for (int32_t f = 0; f < n_cols; f++)
        if (keep[f] < 0) {
            err_set(err, TIDE_CODE_TIDE_VALUE, "an importance is below 0");
            return err_place(err, "section TREES, importance %d", (int)f);
        }
    m->importance = keep;
    m->n_out = want;
    *object = m;
    return TIDE_OK;
}

tide_status forest_predict(const void *object, const struct view *x, int64_t i0,
                           int64_t n, double *out, tide_error *err)
{
    const struct forest_model *m = object;
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status) ensemble_link(m->e, m->n_out, n, out, out);
    return status;
}

void forest_predict_row(const void *object, const double *x, double *out)
{
    const struct forest_model *m = object;
    ensemble_row(m->e, x, out);
    ensemble_link(m->e, m->n_out, 1, out, out);
}

const struct ensemble *forest_trees(const void *object)
{
    return ((const struct forest_model *)object)->e;
}

void forest_importance(const void *object, double *out)
{
    const struct forest_model *m = object;
    double sum = 0;
    for (int32_t f = 0; f < m->e->n_features; f++) sum += m->importance[f];
    for (int32_t f = 0; f < m->e->n_features; f++)
        out[f] = sum > 0 && isfinite(sum) ? m->importance[f] / sum : 0;
}

void forest_describe(const void *object, char *out, size_t size)
{
    (void)ensemble_count_text(((const struct forest_model *)object)->e, out, size);
}
