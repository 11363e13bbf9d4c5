/* tree_text.c - one tree of a model as text, a line a node
 *
 * A test is written by what it sends to "yes", from the codes themselves: a threshold, or the
 * intervals or levels that a map sends left. Nothing recurses: depth is at most 512. */
#include "explain/tree_text.h"

#include <math.h>
#include <string.h>

#include <tidemill/model.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/par.h"
#include "explain/explain.h"

#define MOST_PARTS 12 /* levels or intervals of a test that are written out */

/* The learner's column: its name when no step stands before it. */
static void put_column(const struct tree_writing *w, uint32_t j)
{
    if (w->m->n_nodes == 1 && j < (uint32_t)w->m->schema.n_cols) {
        const char *name = w->m->schema.cols[j].name;
        str_add_visible(w->out, name, strlen(name));
    } else {
        str_addf(w->out, "column %u", j + 1);
    }
}

/* A derived feature by what it is made of. */
static void put_name(const struct tree_writing *w, uint32_t f)
{
    if (f < (uint32_t)w->e->n_features) {
        put_column(w, f);
        return;
    }
    const int32_t *source = w->e->source + 2 * (size_t)(f - (uint32_t)w->e->n_features);
    str_add(w->out, "target by ");
    put_column(w, (uint32_t)source[0]);
    if (source[1] < 0) return;
    str_add(w->out, " and ");
    put_column(w, (uint32_t)source[1]);
}

static int goes_left(const struct ensemble *e, uint32_t c, uint32_t code, uint16_t thr)
{
    if (e->column_mapped[c] == 1) code = e->map[256 * (size_t)c + code];
    return code <= thr;
}

static void put_separator(const struct tree_writing *w, int *n)
{
    str_add(w->out, *n ? ", " : "");
    ++*n;
}

static void put_levels(const struct tree_writing *w, uint32_t c, uint16_t thr)
{
    const struct ensemble *e = w->e;
    uint32_t f = e->column_feature[c], l0 = e->level_off[f];
    int n = 0, more = 0;
    str_add(w->out, " in {");
    for (uint32_t l = 0; l < e->level_off[f + 1] - l0; l++) {
        if (e->level_code[l0 + l] == 255 ||
            !goes_left(e, c, e->level_code[l0 + l], thr))
            continue;
        if (n == MOST_PARTS) {
            more++;
            continue;
        }
        put_separator(w, &n);
        size_t len = 0;
        const char *text =
            w->m->n_nodes == 1 ? dict_text(&w->m->schema.cols[f].levels, l, &len) : "";
        if (len)
            str_add_visible(w->out, text, len);
        else
            str_addf(w->out, "level %u", l + 1);
    }
    if (more) str_addf(w->out, " and %d more", more);
    str_addc(w->out, '}');
}

/* Intervals of codes that a map sends left. */
static void put_intervals(const struct tree_writing *w, uint32_t c, uint16_t thr)
{
    const struct ensemble *e = w->e;
    uint32_t f = e->column_feature[c], n_edge = e->edge_off[f + 1] - e->edge_off[f];
    const double *edge = e->edge + e->edge_off[f];
    int n = 0, more = 0;
    str_add(w->out, " in ");
    for (uint32_t k = 0; k <= n_edge; k++) {
        uint32_t from = k;
        if (!goes_left(e, c, k, thr)) continue;
        while (k < n_edge && goes_left(e, c, k + 1, thr)) k++;
        if (n == MOST_PARTS) {
            more++;
            continue;
        }
        put_separator(w, &n);
        str_addf(w->out, from ? "(%r, " : "(-inf, ", from ? edge[from - 1] : 0);
        str_addf(w->out, k < n_edge ? "%r]" : "inf)", k < n_edge ? edge[k] : 0);
    }
    if (more) str_addf(w->out, " and %d more", more);
    if (!n) str_add(w->out, "nothing");
}

/* Does the column's map leave numbers as they are? */
static int keeps_numbers(const struct ensemble *e, uint32_t c)
{
    for (int i = 0; e->column_mapped[c] == 1 && i < 255; i++)
        if (e->map[256 * (size_t)c + (size_t)i] != i) return 0;
    return 1;
}

void tree_put_test(const struct tree_writing *w, uint32_t node)
{
    const struct ensemble *e = w->e;
    uint32_t c = e->node_column[node], f = e->column_feature[c];
    uint32_t n_edge = e->edge_off[f + 1] - e->edge_off[f];
    uint16_t thr = e->node_thr[node];
    put_name(w, f);
    if (f >= (uint32_t)e->n_features)
        str_addf(w->out, " code <= %u", thr);
    else if (e->feature_kind[f])
        put_levels(w, c, thr);
    else if (!keeps_numbers(e, c))
        put_intervals(w, c, thr);
    else if (thr >= n_edge)
        str_add(w->out, " is a number");
    else
        str_addf(w->out, " <= %r", e->edge[e->edge_off[f] + thr]);
}

/* What a line of text says of a test besides. */
static void put_rest(const struct tree_writing *w, uint32_t node)
{
    const struct ensemble *e = w->e;
    uint32_t c = e->node_column[node];
    if (e->column_mapped[c] == 2 ||
        (e->column_mapped[c] == 1 && goes_left(e, c, 255, e->node_thr[node])))
        str_add(w->out, " or missing");
    if (e->node_cover && e->node_cover[node] > 0)
        str_addf(w->out, "  [cover %.6r", e->node_cover[node]);
    if (e->node_gain && e->node_gain[node] > 0)
        str_addf(w->out, "%sgain %.6r",
                 e->node_cover && e->node_cover[node] > 0 ? ", " : "  [",
                 e->node_gain[node]);
    if ((e->node_cover && e->node_cover[node] > 0) ||
        (e->node_gain && e->node_gain[node] > 0))
        str_addc(w->out, ']');
}

/* "0.5 + 2 size - 0.1 age, 0.7 where one is missing" */
static void put_linear(const struct tree_writing *w, uint32_t leaf)
{
    const struct ensemble_linear *l = w->e->linear;
    uint32_t from = l->first[leaf], to = l->first[leaf + 1];
    str_addf(w->out, "%r", l->constant[leaf]);
    for (uint32_t i = from; i < to; i++) {
        str_addf(w->out, l->coef[i] < 0 ? " - %r " : " + %r ", fabs(l->coef[i]));
        put_column(w, l->feature[i]);
    }
    if (to > from)
        str_addf(w->out, ", %r where %s is missing", w->e->leaf[leaf],
                 to - from > 1 ? "one" : "that");
}

static void put_leaf(const struct tree_writing *w, uint32_t leaf)
{
    const struct ensemble *e = w->e;
    if (e->linear) put_linear(w, leaf);
    for (int32_t q = 0; !e->linear && q < e->leaf_width; q++)
        str_addf(w->out, q ? " %r" : "%r",
                 e->leaf[(size_t)leaf * (size_t)e->leaf_width + (size_t)q]);
    if (e->leaf_cover && e->leaf_cover[leaf] > 0)
        str_addf(w->out, "  [cover %.6r]", e->leaf_cover[leaf]);
}

static void put_tree(const struct tree_writing *w, int32_t t)
{
    const struct ensemble *e = w->e;
    struct {
        uint32_t at;
        uint16_t depth;
    } stack[ENSEMBLE_DEPTH_MAX + 2];
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, at = 0;
    int n_stack = 0, depth = 0;
    const char *side = "";
    for (;;) {
        for (int i = 0; i < depth; i++) str_add(w->out, "  ");
        str_add(w->out, side);
        if (at < n) {
            tree_put_test(w, n0 + at);
            put_rest(w, n0 + at);
            str_addc(w->out, '\n');
            stack[n_stack].at = e->node_right[n0 + at];
            stack[n_stack++].depth = (uint16_t)++depth;
            at = e->node_left[n0 + at];
            side = "yes: ";
            continue;
        }
        put_leaf(w, e->tree_leaf[t] + (at - n));
        str_addc(w->out, '\n');
        if (!n_stack || w->out->failed) return;
        at = stack[--n_stack].at;
        depth = stack[n_stack].depth;
        side = "no: ";
    }
}

void tree_put_head(const struct tree_writing *w, int32_t t)
{
    const struct ensemble *e = w->e;
    const struct schema *s = &w->m->schema;
    int32_t output = e->tree_output[t];
    str_addf(w->out, "tree %d of %d", (int)t + 1, (int)e->n_trees);
    const char *of = output < s->n_classes   ? s->labels[output]
                     : output < s->n_outputs ? s->outputs[output]
                                             : NULL;
    if (e->n_outputs > 1 && e->leaf_width == 1 && of) {
        str_add(w->out, " for ");
        str_add_visible(w->out, of, strlen(of));
    }
    str_addf(w->out, ": %u leaves, depth %u", e->tree_leaf[t + 1] - e->tree_leaf[t],
             e->tree_depth[t]);
}

tide_status tree_open(const tide_model *model, int64_t tree, struct arena *a,
                      struct ensemble **out, tide_error *err)
{
    const struct fitted_node *last = &model->nodes[model->n_nodes - 1];
    if (!state_find(&last->state, "tree_node")) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s has no trees", last->learner->name);
        return err_field(err, "tree");
    }
    tide_status st =
        ensemble_load(&last->state, last->n_in, last->in_levels, a, out, err);
    const struct ensemble *own = explain_trees(model);
    if (!st && own && own->linear)
        st = ensemble_load_linear(&last->state, *out, a, err);
    if (st || (tree >= 1 && tree <= (*out)->n_trees)) return st;
    err_set(err, TIDE_CODE_PARAM_RANGE, "'tree' must be in [1, %d], got \"%lld\"",
            (int)(*out)->n_trees, (long long)tree);
    return err_field(err, "tree");
}

tide_status tide_model_tree(tide_ctx *ctx, const tide_model *model, int64_t tree,
                            char **text, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct ensemble *e = NULL;
    struct arena a;
    struct str out = {0};
    if (!model || !text)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *text = NULL;
    arena_init(&a, ctx);
    tide_status st = tree_open(model, tree, &a, &e, err);
    if (!st) {
        struct tree_writing w = {.m = model, .e = e, .out = &out};
        tree_put_head(&w, (int32_t)tree - 1);
        str_addc(&out, '\n');
        put_tree(&w, (int32_t)tree - 1);
        st = out.failed ? err_nomem(err, out.len) : TIDE_OK;
    }
    if (!st) *text = out.s;
    if (st) str_free(&out);
    arena_free(&a);
    return st;
}
