/* flow.c - picking, gathering and replacing columns */
#include "pipe/flow.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "math/sort.h"

uint32_t flow_levels(const struct column *c)
{
    return c->type == TIDE_CAT ? c->dict.n : 0;
}

struct view flow_pick(const struct view *v, const int32_t *in, int n, struct arena *a)
{
    struct view out = *v;
    const struct column **cols = arena_array(a, n, sizeof *cols);
    for (int j = 0; cols && j < n; j++) cols[j] = v->cols[in[j]];
    out.cols = cols;
    out.n_cols = cols ? n : 0;
    return out;
}

/* ---- gathering ---- */

struct gather {
    const struct view *v;
    struct column *cols;
};

static size_t cell_size(uint8_t type)
{
    if (type == TIDE_BOOL) return 1;
    return type == TIDE_CAT ? sizeof(uint32_t) : sizeof(double);
}

static void gather_column(void *arg, int64_t j, int worker)
{
    const struct gather *g = arg;
    const struct column *from = g->v->cols[j];
    struct column *to = &g->cols[j];
    const int64_t *rows = g->v->rows, n = g->v->n_rows;
    (void)worker;
    int64_t missing = 0;
    if (column_is_sparse(from)) {
        double *x = (double *)(uintptr_t)to->nz;
        to->n_at = view_nonzero(g->v, (int)j, (uint32_t *)(uintptr_t)to->at, x);
        for (int64_t i = 0; i < to->n_at; i++) missing += isnan(x[i]) != 0;
    } else if (from->type == TIDE_F64) {
        double *x = (double *)(uintptr_t)to->f64;
        for (int64_t i = 0; i < n; i++) {
            x[i] = from->f64[rows[i]];
            missing += isnan(x[i]) != 0;
        }
    } else if (from->type == TIDE_BOOL) {
        uint8_t *x = (uint8_t *)(uintptr_t)to->b;
        for (int64_t i = 0; i < n; i++) {
            x[i] = from->b[rows[i]];
            missing += x[i] == BOOL_MISSING;
        }
    } else if (from->type == TIDE_CAT) {
        uint32_t *x = (uint32_t *)(uintptr_t)to->code;
        for (int64_t i = 0; i < n; i++) {
            x[i] = from->code[rows[i]];
            missing += x[i] == CODE_MISSING;
        }
    } else {
        int64_t *x = (int64_t *)(uintptr_t)to->i64;
        for (int64_t i = 0; i < n; i++) {
            x[i] = from->i64[rows[i]];
            missing += x[i] == I64_MISSING;
        }
    }
    to->n_missing = missing;
}

/* How many cells the rows have in a sparse column. */
static void count_column(void *arg, int64_t j, int worker)
{
    const struct gather *g = arg;
    (void)worker;
    if (column_is_sparse(g->v->cols[j]))
        g->cols[j].n_at = view_nonzero(g->v, (int)j, NULL, NULL);
}

static void sparse_room(struct column *c, const struct column *like, int64_t n,
                        int64_t n_at, struct arena *a)
{
    *c = (struct column){
        .name = like->name, .type = like->type, .n_rows = n, .n_at = n_at};
    c->at = arena_array(a, n_at + 1, sizeof *c->at);
    c->nz = arena_array(a, n_at + 1, sizeof *c->nz);
}

/* An uninitialised column like `like`, of n rows. */
static void column_room(struct column *c, const struct column *like, int64_t n,
                        struct arena *a)
{
    *c = (struct column){.name = like->name, .type = like->type, .n_rows = n};
    void *cells = arena_array(a, n, cell_size(like->type));
    if (like->type == TIDE_F64)
        c->f64 = cells;
    else if (like->type == TIDE_BOOL)
        c->b = cells;
    else if (like->type == TIDE_CAT)
        c->code = cells;
    else
        c->i64 = cells;
    if (like->type == TIDE_CAT) c->dict = like->dict;
}

tide_status flow_gather(struct tide_ctx *ctx, const struct view *v, struct arena *a,
                        struct view *out, tide_error *err)
{
    *out = *v;
    if (!v->rows) return TIDE_OK;
    struct column *cols = arena_array(a, v->n_cols, sizeof *cols);
    const struct column **list = arena_array(a, v->n_cols, sizeof *list);
    for (int j = 0; cols && list && j < v->n_cols; j++) {
        cols[j] = (struct column){.name = NULL};
        list[j] = &cols[j];
    }
    tide_status st = arena_status(a, err);
    if (st) return st;
    struct gather g = {v, cols};
    st = par_for(ctx, v->n_cols, count_column, &g, err);
    for (int j = 0; !st && j < v->n_cols; j++) {
        int64_t n_at = cols[j].n_at;
        if (column_is_sparse(v->cols[j]))
            sparse_room(&cols[j], v->cols[j], v->n_rows, n_at, a);
        else
            column_room(&cols[j], v->cols[j], v->n_rows, a);
    }
    if (!st) st = arena_status(a, err);
    if (st) return st;
    st = par_for(ctx, v->n_cols, gather_column, &g, err);
    out->cols = list;
    out->ids = v->ids ? v->ids : v->rows;
    out->rows = NULL;
    return st;
}

/* ---- steps ---- */

tide_status flow_match(const struct fitted_node *node, const struct view *v,
                       tide_error *err)
{
    const char *name = node->step ? node->step->name : node->learner->name;
    if (v->n_cols != node->width)
        return err_set(err, TIDE_CODE_TIDE_SCHEMA,
                       "%s was fitted beside %d columns and meets %d", name,
                       node->width, v->n_cols);
    for (int j = 0; j < node->n_in; j++) {
        const struct column *c = v->cols[node->in[j]];
        if (flow_levels(c) == node->in_levels[j] && c->type != TIDE_TEXT) continue;
        err_set(err, TIDE_CODE_TIDE_SCHEMA, "%s needs %u levels in '%s' and meets %u",
                name, node->in_levels[j], c->name, flow_levels(c));
        return err_field(err, c->name);
    }
    return TIDE_OK;
}

struct moved {
    const struct column *col;
    int32_t from;
};

static int moved_cmp(const void *a, const void *b, const void *arg)
{
    (void)arg;
    return strcmp(((const struct moved *)a)->col->name,
                  ((const struct moved *)b)->col->name);
}

tide_status flow_merge(const struct fitted_node *node, const struct view *v,
                       const struct step_out *made, struct arena *a, struct view *out,
                       const int32_t **from, tide_error *err)
{
    int n = 0, most = v->n_cols - node->n_in + made->n_cols;
    struct moved *all = arena_array(a, most, sizeof *all);
    const struct column **cols = arena_array(a, most, sizeof *cols);
    int32_t *origin = arena_array(a, most, sizeof *origin);
    tide_status st = arena_status(a, err);
    if (st) return st;
    for (int j = 0, k = 0; j < v->n_cols; j++) {
        if (k < node->n_in && node->in[k] == j)
            k++;
        else
            all[n++] = (struct moved){v->cols[j], j};
    }
    for (int j = 0; j < made->n_cols; j++) {
        int32_t f = made->from ? made->from[j] : 0;
        if (f < 0 || f >= node->n_in) f = 0;
        all[n++] = (struct moved){made->cols[j], node->in[f]};
    }
    if (sort_any(a, all, n, sizeof *all, moved_cmp, NULL)) return arena_status(a, err);
    for (int j = 0; j < n; j++) {
        cols[j] = all[j].col;
        origin[j] = all[j].from;
    }
    *out = *v;
    out->cols = cols;
    out->n_cols = n;
    if (from) *from = origin;
    return TIDE_OK;
}

tide_status flow_apply(struct tide_ctx *ctx, const struct fitted_node *node,
                       const struct view *v, struct arena *a, struct view *out,
                       const int32_t **from, tide_error *err)
{
    struct step_out made = {0};
    tide_status st = flow_match(node, v, err);
    if (st) return st;
    if (node->n_in > 0) {
        struct view part = flow_pick(v, node->in, node->n_in, a);
        st = arena_status(a, err);
        if (!st) st = node->step->apply(ctx, node->object, &part, a, &made, err);
        if (st) return st;
    }
    return flow_merge(node, v, &made, a, out, from, err);
}
