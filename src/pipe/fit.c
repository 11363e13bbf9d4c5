/* fit.c - fitting a pipeline on some rows of a problem
 *
 * Everything a model knows comes from the rows it is given here: the levels of its columns,
 * the state of each step, the learner. Rows watched for early stopping pass through the
 * fitted steps as new rows would. A step that reads the target (TIDE_USES_TARGET) shows the
 * learner what it says of rows it has not seen: five parts of the training rows are each
 * transformed by the step fitted on the other four. */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/fold_part.h"
#include "math/range.h"
#include "math/sort.h"
#include "pipe/flow.h"

/* One fit's memory and views. */
struct fitting {
    struct tide_ctx *ctx;
    const struct problem *p;
    const struct pipe_fit *how;
    tide_model *m;
    struct arena work;
    struct view x, watch; /* training rows, rows watched for stopping */
    struct fit_data d, d_watch;
};

/* ---- schema ---- */

struct scan {
    const struct problem *p;
    const int64_t *rows;
    int64_t n;
    struct schema_column *cols;
    uint8_t **seen; /* [n_cols][levels of the frame's dictionary], NULL for numbers */
};

static void scan_column(void *arg, int64_t j, int worker)
{
    const struct scan *s = arg;
    const struct column *c = &s->p->frame->cols[s->p->features[j]];
    struct schema_column *out = &s->cols[j];
    (void)worker;
    double chunk[512];
    struct view v = {.n_rows = s->n, .n_cols = 1, .cols = &c, .rows = s->rows};
    struct range range = range_new();
    out->lo = out->hi = NAN;
    out->n_missing = 0;
    if (c->type == TIDE_CAT) {
        for (int64_t i = 0; i < s->n; i++) {
            uint32_t code = c->code[view_row(&v, i)];
            if (code == CODE_MISSING)
                out->n_missing++;
            else
                s->seen[j][code] = 1;
        }
        return;
    }
    if (!s->rows && column_is_sparse(c) && c->n_at < s->n) {
        range_add(&range, c->nz, c->n_at);
        range_add(&range, &(double){0}, 1);
    } else {
        for (int64_t i = 0; i < s->n; i += 512) {
            int64_t n = s->n - i < 512 ? s->n - i : 512;
            view_numbers(&v, 0, i, n, chunk);
            range_add(&range, chunk, n);
        }
    }
    out->lo = range_lo(&range);
    out->hi = range_hi(&range);
    out->n_missing = range.n_missing;
}

static int level_cmp(const void *a, const void *b, const void *arg)
{
    const struct dict *d = arg;
    size_t na, nb;
    const char *x = dict_text(d, *(const uint32_t *)a, &na);
    const char *y = dict_text(d, *(const uint32_t *)b, &nb);
    int c = memcmp(x, y, na < nb ? na : nb);
    return c ? c : na < nb ? -1 : na > nb;
}

/* Sorts levels into byte order: by their first 8 bytes, then ties by all of them. */
static int sort_levels(struct arena *a, const struct dict *d, uint32_t *list,
                       uint32_t n)
{
    uint64_t *key = arena_array(a, n, sizeof *key);
    uint32_t *order = arena_array(a, n, sizeof *order);
    uint32_t *copy = arena_array(a, n, sizeof *copy);
    if (!key || !order || !copy) return -1;
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        const unsigned char *s = (const unsigned char *)dict_text(d, list[i], &len);
        key[i] = 0;
        for (size_t k = 0; k < 8; k++) key[i] = key[i] << 8 | (k < len ? s[k] : 0);
        copy[i] = list[i];
    }
    if (sort_index_u64(a, key, n, order)) return -1;
    for (uint32_t i = 0; i < n; i++) list[i] = copy[order[i]];
    for (uint32_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && key[order[j]] == key[order[i]]; j++) {
        }
        if (j - i > 1 && sort_any(a, list + i, j - i, sizeof *list, level_cmp, d))
            return -1;
    }
    return 0;
}

/* The levels that occur, in byte order. */
static tide_status dict_of_seen(struct fitting *f, const struct dict *from,
                                const uint8_t *seen, struct dict *out, tide_error *err)
{
    uint32_t *list = arena_array(&f->work, from->n, sizeof *list), n = 0;
    if (!list) return arena_status(&f->work, err);
    size_t bytes = 0;
    for (uint32_t c = 0; c < from->n; c++)
        if (seen[c]) {
            list[n++] = c;
            bytes += from->offset[c + 1] - from->offset[c];
        }
    if (sort_levels(&f->work, from, list, n)) return arena_status(&f->work, err);
    uint32_t *offset = arena_array(&f->m->arena, (int64_t)n + 1, sizeof *offset);
    char *text = arena_push(&f->m->arena, bytes + 1);
    tide_status st = arena_status(&f->m->arena, err);
    if (st) return st;
    offset[0] = 0;
    for (uint32_t c = 0; c < n; c++) {
        size_t len;
        const char *s = dict_text(from, list[c], &len);
        memcpy(text + offset[c], s, len);
        offset[c + 1] = offset[c] + (uint32_t)len;
    }
    *out = (struct dict){n, offset, text};
    return TIDE_OK;
}

static tide_status schema_columns(struct fitting *f, const int64_t *rows, int64_t n,
                                  tide_error *err)
{
    const struct problem *p = f->p;
    struct schema *s = &f->m->schema;
    s->n_cols = p->n_features;
    s->cols = arena_zero(&f->m->arena, (size_t)s->n_cols * sizeof *s->cols + 1);
    uint8_t **seen = arena_zero(&f->work, (size_t)s->n_cols * sizeof *seen + 1);
    tide_status st = arena_status(&f->m->arena, err);
    if (!st) st = arena_status(&f->work, err);
    for (int j = 0; !st && j < s->n_cols; j++) {
        const struct column *c = &p->frame->cols[p->features[j]];
        s->cols[j].name = arena_str(&f->m->arena, c->name);
        s->cols[j].type = c->type;
        if (c->type == TIDE_CAT) seen[j] = arena_zero(&f->work, c->dict.n + 1u);
    }
    if (!st) st = arena_status(&f->m->arena, err);
    if (!st) st = arena_status(&f->work, err);
    struct scan scan = {p, rows, n, s->cols, seen};
    if (!st) st = par_for(f->ctx, s->n_cols, scan_column, &scan, err);
    for (int j = 0; !st && j < s->n_cols; j++) {
        if (!seen[j]) continue;
        const struct column *c = &p->frame->cols[p->features[j]];
        st = dict_of_seen(f, &c->dict, seen[j], &s->cols[j].levels, err);
        s->cols[j].n_levels = s->cols[j].levels.n;
    }
    return st;
}

static tide_status schema_target(struct fitting *f, tide_error *err)
{
    const struct problem *p = f->p;
    struct schema *s = &f->m->schema;
    struct arena *a = &f->m->arena;
    s->task = p->task;
    if (p->target >= 0) {
        s->target = arena_str(a, p->frame->cols[p->target].name);
        s->target_type = p->frame->cols[p->target].type;
    }
    s->n_classes = p->task == TIDE_CLASSIFY ? p->n_classes : 0;
    s->positive = p->positive;
    s->weight = p->weight_name ? arena_str(a, p->weight_name) : NULL;
    s->id = p->id_column >= 0 ? arena_str(a, p->frame->cols[p->id_column].name) : NULL;
    s->group = p->group_column >= 0 ? arena_str(a, p->frame->cols[p->group_column].name)
                                    : NULL;
    s->labels = arena_array(a, s->n_classes, sizeof *s->labels);
    for (int32_t k = 0; s->labels && k < s->n_classes; k++)
        s->labels[k] = arena_str(a, p->labels[k]);
    return arena_status(a, err);
}

/* ---- rows ---- */

/* Rows of the frame, targets and weights of positions `at` (NULL: all) of the problem. */
static tide_status take_rows(struct fitting *f, const int64_t *at, int64_t n,
                             struct view *v, struct fit_data *d, tide_error *err)
{
    const struct problem *p = f->p;
    *d = (struct fit_data){.task = p->task,
                           .n_classes = p->task == TIDE_CLASSIFY ? p->n_classes : 0,
                           .positive = p->positive,
                           .y = p->y,
                           .k = p->k,
                           .w = p->w,
                           .group = p->group,
                           .seed = f->how->seed,
                           .phase = f->how->phase ? f->how->phase : "fitting",
                           .own_loss = f->how->own_loss};
    *v = (struct view){.n_rows = at ? n : p->n_rows, .rows = problem_view_rows(p)};
    if (!at) return TIDE_OK;
    int64_t *rows = arena_array(&f->work, n, sizeof *rows);
    double *y = p->y ? arena_array(&f->work, n, sizeof *y) : NULL;
    double *w = p->w ? arena_array(&f->work, n, sizeof *w) : NULL;
    int32_t *k = p->k ? arena_array(&f->work, n, sizeof *k) : NULL;
    int64_t *group = p->group ? arena_array(&f->work, n, sizeof *group) : NULL;
    tide_status st = arena_status(&f->work, err);
    if (st) return st;
    for (int64_t i = 0; i < n; i++) {
        rows[i] = p->rows[at[i]];
        if (y) y[i] = p->y[at[i]];
        if (w) w[i] = p->w[at[i]];
        if (k) k[i] = p->k[at[i]];
        if (group) group[i] = p->group[at[i]];
    }
    v->rows = rows;
    d->y = y;
    d->w = w;
    d->k = k;
    d->group = group;
    return TIDE_OK;
}

static tide_status bind_training(struct fitting *f, tide_error *err)
{
    const struct column **cols = NULL;
    tide_status st = take_rows(f, f->how->rows, f->how->n, &f->x, &f->d, err);
    if (!st && f->x.n_rows == 0)
        st = err_set(err, TIDE_CODE_DATA_NO_ROWS, "0 data rows to fit on");
    if (!st && f->how->from) st = resume_schema(f->how->from, f->m, err);
    if (!st && !f->how->from) st = schema_target(f, err);
    if (!st) st = schema_outputs(f->m->pipeline, &f->m->schema, &f->m->arena, err);
    if (!st && !f->how->from) st = schema_columns(f, f->x.rows, f->x.n_rows, err);
    if (!st)
        st = bind_frame(f->ctx, &f->m->schema, f->p->frame, f->x.rows, f->x.n_rows,
                        &f->work, &cols, NULL, err);
    if (!st && f->how->valid)
        st = take_rows(f, f->how->valid, f->how->n_valid, &f->watch, &f->d_watch, err);
    f->x.cols = f->watch.cols = cols;
    f->x.n_cols = f->watch.n_cols = f->m->schema.n_cols;
    return st;
}

/* ---- which columns a node takes ---- */

static int takes_kind(uint32_t takes, const struct column *c)
{
    return (takes & (c->type == TIDE_CAT ? STEP_CATEGORY : STEP_NUMERIC)) != 0;
}

static tide_status refuse_kind(const struct pipe_node *node, const char *what,
                               tide_error *err)
{
    err_set(err, TIDE_CODE_PIPELINE_ORDER, "%s takes %s, not %s", node->step->name,
            node->step->takes & STEP_CATEGORY ? "categories" : "numbers", what);
    return err_field(err, node->select);
}

/* Marks the columns that a step takes. */
static tide_status select_columns(const struct fitting *f, const struct pipe_node *node,
                                  const struct view *v, uint8_t *mark, tide_error *err)
{
    const char *select = node->select;
    uint32_t takes = node->step->takes, wanted = takes;
    if (strcmp(select, "num") == 0)
        wanted = STEP_NUMERIC;
    else if (strcmp(select, "cat") == 0)
        wanted = STEP_CATEGORY;
    else if (*select && strcmp(select, "all") != 0)
        wanted = 0;
    if (wanted && !(wanted & takes))
        return refuse_kind(node, wanted == STEP_NUMERIC ? "numbers" : "categories",
                           err);
    int n = 0;
    for (int j = 0; j < v->n_cols; j++) {
        const struct column *c = v->cols[j];
        mark[j] = (uint8_t)(wanted ? takes_kind(wanted & takes, c)
                                   : strcmp(c->name, select) == 0);
        n += mark[j];
        if (mark[j] && !takes_kind(takes, c))
            return refuse_kind(node, c->type == TIDE_CAT ? "categories" : "numbers",
                               err);
    }
    if (wanted || n > 0) return TIDE_OK;
    if (str_same(select, f->m->schema.target)) {
        err_set(err, TIDE_CODE_PIPELINE_LEAK, "'%s' is the target and no feature",
                select);
    } else {
        const char *near = NULL, *names[256];
        int most = v->n_cols < 256 ? v->n_cols : 256;
        for (int j = 0; j < most; j++) names[j] = v->cols[j]->name;
        near = err_nearest(select, names, most);
        err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s' for %s among the features",
                select, node->step->name);
        if (near) err_hint(err, "", "%s", near);
    }
    return err_field(err, select);
}

static tide_status node_columns(struct fitting *f, const struct pipe_node *from,
                                struct fitted_node *node, tide_error *err)
{
    const struct view *v = &f->x;
    uint8_t *mark = arena_zero(&f->work, (size_t)v->n_cols + 1);
    if (!mark) return arena_status(&f->work, err);
    if (from->learner) memset(mark, 1, (size_t)v->n_cols);
    tide_status st = from->step ? select_columns(f, from, v, mark, err) : TIDE_OK;
    if (st) return st;
    int32_t *in = arena_array(&f->m->arena, v->n_cols, sizeof *in);
    node->in_levels = arena_array(&f->m->arena, v->n_cols, sizeof *node->in_levels);
    node->width = v->n_cols;
    for (int j = 0; in && node->in_levels && j < v->n_cols; j++) {
        if (!mark[j]) continue;
        in[node->n_in] = j;
        node->in_levels[node->n_in++] = flow_levels(v->cols[j]);
    }
    node->in = in;
    return arena_status(&f->m->arena, err);
}

/* ---- steps ---- */

#define PARTS 5

/* Copies the cells of a part's columns to their places among all rows. */
static void scatter(const struct column *from, const int64_t *rows, struct column *to)
{
    if (column_is_sparse(to))
        return; /* steps make none: passed on, the cells are the same */
    for (int64_t i = 0; i < from->n_rows; i++) {
        if (to->type == TIDE_F64)
            ((double *)(uintptr_t)to->f64)[rows[i]] = column_f64(from, i);
        else if (to->type == TIDE_CAT)
            ((uint32_t *)(uintptr_t)to->code)[rows[i]] = from->code[i];
        else if (to->type == TIDE_BOOL)
            ((uint8_t *)(uintptr_t)to->b)[rows[i]] = from->b[i];
        else
            ((int64_t *)(uintptr_t)to->i64)[rows[i]] = from->i64[i];
    }
}

/* One part through the step fitted on the others; its cells replace those of `made`. */
static tide_status cross_part(struct fitting *f, const struct fitted_node *node,
                              const void *params, const struct view *x,
                              const int32_t *fold, int32_t which,
                              const struct step_out *made, tide_error *err)
{
    struct fold_part others, mine;
    struct fit_data d = f->d;
    struct state state;
    struct step_out out = {0};
    void *object = NULL;
    state_init(&state, &f->work);
    d.x = x;
    tide_status st = fold_part(&d, fold, which, 0, &f->work, &others, err);
    if (!st) st = fold_part(&d, fold, which, 1, &f->work, &mine, err);
    if (st || mine.x.n_rows == 0 || others.x.n_rows == 0) return st;
    st = node->step->fit(f->ctx, params, &others.d, &state, err);
    if (!st)
        st = node->step->load(&state, node->n_in, node->in_levels, &f->work, &object,
                              err);
    struct view gathered;
    if (!st) st = flow_gather(f->ctx, &mine.x, &f->work, &gathered, err);
    if (!st) st = node->step->apply(f->ctx, object, &gathered, &f->work, &out, err);
    if (st) return st;
    for (int j = 0; j < made->n_cols && made->n_cols == out.n_cols; j++)
        if (out.cols[j]->type == made->cols[j]->type)
            scatter(out.cols[j], mine.at, (struct column *)(uintptr_t)made->cols[j]);
    return TIDE_OK;
}

/* Rewrites the training columns of a step that reads the target. The columns are copied
 * first, since a step may have passed some on. */
static tide_status cross_fit(struct fitting *f, const struct fitted_node *node,
                             const void *params, const struct view *x,
                             struct step_out *made, tide_error *err)
{
    int32_t *fold = arena_array(&f->work, x->n_rows, sizeof *fold);
    int64_t *ids = arena_array(&f->work, x->n_rows, sizeof *ids);
    int64_t *same = arena_array(&f->work, x->n_rows, sizeof *same);
    tide_status st = arena_status(&f->work, err);
    if (st || x->n_rows < 2 * PARTS) return st;
    for (int64_t i = 0; i < x->n_rows; i++) {
        ids[i] = view_id(x, i);
        same[i] = i;
    }
    const int64_t *group =
        fold_groups(f->d.group, x->n_rows) >= PARTS ? f->d.group : NULL;
    st = group ? fold_assign_groups(x->n_rows, group, PARTS, f->how->seed, fold, err)
               : fold_assign(x->n_rows, ids, NULL, 0, PARTS, FOLD_PHILOX, f->how->seed,
                             fold, err);
    struct view all = {
        .n_rows = x->n_rows, .n_cols = made->n_cols, .cols = made->cols, .rows = same};
    if (!st) st = flow_gather(f->ctx, &all, &f->work, &all, err);
    if (st) return st;
    made->cols = (const struct column **)(uintptr_t)all.cols;
    for (int32_t k = 0; !st && k < PARTS; k++)
        st = cross_part(f, node, params, x, fold, k, made, err);
    return st;
}

/* A step that another model fitted meets these rows as new ones, those that read the target,
 * too: what it says of them does not come from their targets. */
static tide_status keep_step(struct fitting *f, const struct fitted_node *node,
                             tide_error *err)
{
    struct view next;
    tide_status st = flow_apply(f->ctx, node, &f->x, &f->work, &next, NULL, err);
    if (st) return st;
    f->x = next;
    if (!f->how->valid) return TIDE_OK;
    st = flow_apply(f->ctx, node, &f->watch, &f->work, &next, NULL, err);
    if (!st) f->watch = next;
    return st;
}

static tide_status fit_step(struct fitting *f, const struct pipe_node *from,
                            struct fitted_node *node, tide_error *err)
{
    const void *params = tide_values_struct(from->values);
    struct step_out made = {0};
    struct view part, next;
    tide_status st = TIDE_OK;
    if (f->d.task == TIDE_ANOMALY && node->step->traits & TIDE_USES_TARGET)
        return err_set(err, TIDE_CODE_PIPELINE_ORDER,
                       "%s reads the target and anomalies are learned without",
                       node->step->name);
    if (node->n_in > 0) {
        part = flow_pick(&f->x, node->in, node->n_in, &f->work);
        f->d.x = &part;
        st = arena_status(&f->work, err);
        if (!st) st = node->step->fit(f->ctx, params, &f->d, &node->state, err);
        if (!st) st = arena_status(&f->m->arena, err);
        if (!st)
            st = node->step->load(&node->state, node->n_in, node->in_levels,
                                  &f->m->arena, &node->object, err);
        if (!st)
            st = node->step->apply(f->ctx, node->object, &part, &f->work, &made, err);
        if (!st && node->step->traits & TIDE_USES_TARGET)
            st = cross_fit(f, node, params, &part, &made, err);
    }
    if (!st) st = flow_merge(node, &f->x, &made, &f->work, &next, NULL, err);
    if (st) return st;
    f->x = next;
    if (!f->how->valid) return TIDE_OK;
    st = flow_apply(f->ctx, node, &f->watch, &f->work, &next, NULL, err);
    if (!st) f->watch = next;
    return st;
}

/* ---- learner ---- */

static tide_status refuse_missing(const struct fitting *f, const char *learner, int j,
                                  tide_error *err)
{
    int64_t first = -1, n = view_missing(&f->x, j, &first);
    const char *name = f->x.cols[j]->name;
    if (n == 0) return TIDE_OK;
    err_set(err, TIDE_CODE_DATA_MISSING,
            "%s cannot take missing values and '%s' has %lld", learner, name,
            (long long)n);
    if (err) err->row = view_id(&f->x, first) + 1;
    err_field(err, name);
    return err_hint(err, "", "%s",
                    f->x.cols[j]->type == TIDE_CAT ? "impute:mode" : "impute:median");
}

/* What the learner cannot take, with the step that would fix it. */
static tide_status check_fit(const struct fitting *f, const struct tide_learner *l,
                             tide_error *err)
{
    if (!(l->tasks & f->d.task)) {
        int finds = f->d.task == TIDE_ANOMALY;
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s cannot %s", l->name,
                finds ? "find anomalies" : task_name(f->d.task));
        return finds ? err_hint(err, "learner", "isolation_forest")
                     : err_hint(err, "task", "%s", task_name(l->tasks));
    }
    if (f->d.task == TIDE_CLASSIFY && f->d.n_classes == 1 &&
        !(l->traits & TIDE_TAKES_ONE_CLASS)) {
        err_set(err, TIDE_CODE_DATA_ONE_CLASS,
                "%s needs two classes and every row has '%s' = \"%s\"", l->name,
                f->m->schema.target, f->p->labels[0]);
        return err_hint(err, "learner", "baseline");
    }
    if (f->x.n_rows < l->min_rows) {
        err_set(err, TIDE_CODE_DATA_FEW_ROWS, "%s needs %d rows and has %lld", l->name,
                (int)l->min_rows, (long long)f->x.n_rows);
        return f->d.task == TIDE_ANOMALY ? TIDE_EDATA
                                         : err_hint(err, "learner", "baseline");
    }
    if (f->d.w && !(l->traits & TIDE_TAKES_WEIGHTS))
        return err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s cannot take row weights",
                       l->name);
    for (int j = 0; j < f->x.n_cols; j++) {
        const struct column *c = f->x.cols[j];
        tide_status st = TIDE_OK;
        if (!(l->traits & TIDE_TAKES_CATEGORIES) && c->type == TIDE_CAT) {
            err_set(err, TIDE_CODE_DATA_TYPE,
                    "%s takes numbers and '%s' holds categories", l->name, c->name);
            err_field(err, c->name);
            return err_hint(err, "", "cat: encode:onehot");
        }
        if (!(l->traits & TIDE_TAKES_MISSING)) st = refuse_missing(f, l->name, j, err);
        if (st) return st;
    }
    return TIDE_OK;
}

/* Under a memory limit a fit that cannot stay within it is refused before it begins. */
static tide_status check_cost(struct fitting *f, const struct tide_learner *l,
                              const void *params, tide_error *err)
{
    struct fit_cost cost = {0};
    if (!l->cost || !f->ctx || !f->ctx->memory_limit) return TIDE_OK;
    l->cost(params, &f->d, &cost);
    tide_status st = ctx_memory_take(f->ctx, cost.scratch_bytes, err);
    if (!st) ctx_memory_give(f->ctx, cost.scratch_bytes);
    return st;
}

static tide_status run_learner(struct fitting *f, const struct tide_learner *l,
                               const void *params, struct fitted_node *node,
                               struct fit_info *info, tide_error *err)
{
    const struct fit_data *watch = f->how->valid ? &f->d_watch : NULL;
    const tide_model *from = f->how->from;
    if (!from)
        return l->fit(f->ctx, params, &f->d, watch, f->how->rounds, &node->state, info,
                      err);
    struct fit_resume resume = {.object = from->nodes[from->n_nodes - 1].object,
                                .refit = f->how->refit,
                                .decay = f->how->decay};
    tide_status st = flow_match(node, &f->x, err);
    return st ? st
              : l->resume(f->ctx, params, &f->d, watch, f->how->rounds, &resume,
                          &node->state, info, err);
}

/* What the learner has so far, as a model: its state is the node's for as long as the call takes. */
struct snapshot {
    struct fitting *f;
    struct fitted_node *node;
};

static tide_status take_snapshot(void *payload, const struct state *s, tide_error *err)
{
    const struct snapshot *job = payload;
    const struct tide_snapshot *to = job->f->how->snapshot;
    struct fitted_node *node = job->node;
    tide_model *m = job->f->m;
    struct state own = node->state;
    int32_t n_out = schema_width(&m->schema);
    node->state = *s;
    m->partial = 1;
    tide_status st = node->learner->load(s, job->f->d.task, n_out, node->n_in,
                                         node->in_levels, s->arena, &node->object, err);
    if (!st) st = to->take(to->payload, m, err);
    node->state = own;
    node->object = NULL;
    m->partial = 0;
    m->sha256[0] = '\0'; /* a file that was written is not the fitted model's */
    m->file_bytes = 0;
    return st;
}

static tide_status fit_learner(struct fitting *f, const struct pipe_node *from,
                               struct fitted_node *node, struct fit_info *info,
                               tide_error *err)
{
    const struct tide_learner *l = node->learner;
    tide_status st = check_fit(f, l, err);
    if (st) return st;
    f->d.x = &f->x;
    f->d_watch.x = &f->watch;
    info->converged = -1;
    struct snapshot job = {f, node};
    struct fit_snapshot snapshot = {.take = take_snapshot, .payload = &job};
    if (f->how->snapshot) {
        snapshot.every = f->how->snapshot->every;
        info->snapshot = &snapshot;
    }
    st = check_cost(f, l, tide_values_struct(from->values), err);
    if (!st) st = run_learner(f, l, tide_values_struct(from->values), node, info, err);
    info->snapshot = NULL;
    if (st && !(st == TIDE_ECANCELLED && info->partial)) return st;
    f->m->partial = st == TIDE_ECANCELLED;
    if (f->d.task == TIDE_ANOMALY) f->m->schema.threshold = info->threshold;
    tide_status loaded = arena_status(&f->m->arena, st ? NULL : err);
    int32_t n_out = schema_width(&f->m->schema);
    if (!loaded)
        loaded = l->load(&node->state, f->d.task, n_out, node->n_in, node->in_levels,
                         &f->m->arena, &node->object, st ? NULL : err);
    if (loaded) f->m->partial = 0; /* no whole model came of it */
    return st ? st : loaded;
}

static tide_status fit_nodes(struct fitting *f, struct fit_info *info, tide_error *err)
{
    tide_model *m = f->m;
    tide_pipeline *pipe = m->pipeline;
    const tide_model *from = f->how->from;
    tide_status st = TIDE_OK;
    m->n_nodes = pipe->n;
    m->nodes = arena_zero(&m->arena, (size_t)pipe->n * sizeof *m->nodes);
    if (!m->nodes) return arena_status(&m->arena, err);
    if (pipe->n > 1) {
        st = flow_gather(f->ctx, &f->x, &f->work, &f->x, err);
        if (!st && f->how->valid)
            st = flow_gather(f->ctx, &f->watch, &f->work, &f->watch, err);
    }
    for (int k = 0; !st && k < pipe->n; k++) {
        struct fitted_node *node = &m->nodes[k];
        node->step = pipe->nodes[k].step;
        node->learner = pipe->nodes[k].learner;
        state_init(&node->state, &m->arena);
        st = from ? resume_node(&from->nodes[k], m, node, err)
                  : node_columns(f, &pipe->nodes[k], node, err);
        if (!st && ctx_cancelled(f->ctx)) st = err_cancelled(err);
        if (st) break;
        st = node->learner ? fit_learner(f, &pipe->nodes[k], node, info, err)
             : from        ? keep_step(f, node, err)
                           : fit_step(f, &pipe->nodes[k], node, err);
    }
    return st;
}

tide_status pipe_fit(struct tide_ctx *ctx, const struct problem *p,
                     const tide_pipeline *pipeline, const struct pipe_fit *how,
                     tide_model **out, struct fit_info *info, tide_error *err)
{
    struct fitting f = {.ctx = ctx, .p = p, .how = how};
    struct fit_info unseen = {0};
    *out = NULL;
    f.m = model_new(ctx, err);
    if (!f.m) return TIDE_ENOMEM;
    f.m->seed = how->seed;
    arena_init(&f.work, ctx);
    tide_status st = pipeline_copy(pipeline, &f.m->pipeline, err);
    if (!st) st = bind_training(&f, err);
    if (!st) st = fit_nodes(&f, info ? info : &unseen, err);
    arena_free(&f.work);
    if (st == TIDE_OK || (st == TIDE_ECANCELLED && f.m->partial))
        *out = f.m;
    else
        tide_model_free(f.m);
    return st;
}
