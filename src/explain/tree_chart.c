/* tree_chart.c - the picture of one tree: `tidemill show MODEL --tree K --html FILE`
 *
 * From left to right, the upper branch is "yes". Drawn are the first levels; a subtree below them
 * is one box that says how many leaves it has. Where missing values go stands in the text, which
 * has all of the tree. */
#include <math.h>
#include <string.h>

#include <tidemill/model.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "eval/chart.h"
#include "eval/report_data.h"
#include "explain/tree_text.h"

#define LEVELS     4 /* of tests that are drawn */
#define BOXES_MOST 31

struct boxes {
    struct tree_writing w;
    struct arena *a;
    uint32_t n0, n_nodes, l0; /* of the tree: first node, nodes, first leaf */
    int n;
    uint32_t at[BOXES_MOST]; /* node of the tree, or nodes + leaf */
    int depth[BOXES_MOST];
    double x[BOXES_MOST], y[BOXES_MOST], parent[BOXES_MOST];
    const char *text[BOXES_MOST];
};

static int leaves_below(const struct boxes *b, uint32_t at)
{
    uint32_t stack[ENSEMBLE_DEPTH_MAX + 2];
    int n = 0, leaves = 0;
    for (;;) {
        while (at < b->n_nodes) {
            stack[n++] = b->w.e->node_right[b->n0 + at];
            at = b->w.e->node_left[b->n0 + at];
        }
        leaves++;
        if (!n) return leaves;
        at = stack[--n];
    }
}

/* "0.0435", "0.0435 + 3 columns"; of a vector the largest value with its class, or the central
 * quantile. */
static void put_value(const struct boxes *b, uint32_t leaf)
{
    const struct ensemble *e = b->w.e;
    const double *v = e->leaf + (size_t)leaf * (size_t)e->leaf_width;
    char t[NUM_PRINT_MAX];
    const struct schema *s = &b->w.m->schema;
    int32_t top = 0;
    for (int32_t k = 1; k < e->leaf_width && !s->n_outputs; k++)
        if (v[k] > v[top]) top = k;
    if (s->n_outputs == e->leaf_width) top = shares_centre(s->shares, s->n_outputs);
    const char *name = top < s->n_classes   ? s->labels[top]
                       : top < s->n_outputs ? s->outputs[top]
                                            : NULL;
    if (e->leaf_width > 1 && name) {
        str_add_visible(b->w.out, name, strlen(name));
        str_addc(b->w.out, ' ');
    }
    const struct ensemble_linear *l = e->linear;
    (void)num_print_g(t, l ? l->constant[leaf] : v[top], 4);
    str_add(b->w.out, t);
    if (l && l->first[leaf + 1] > l->first[leaf])
        str_addf(b->w.out, " + %u columns", l->first[leaf + 1] - l->first[leaf]);
}

static void put_box(struct boxes *b, int i)
{
    struct str text = {0};
    b->w.out = &text;
    if (b->at[i] >= b->n_nodes)
        put_value(b, b->l0 + (b->at[i] - b->n_nodes));
    else if (b->depth[i] < LEVELS)
        tree_put_test(&b->w, b->n0 + b->at[i]);
    else
        str_addf(&text, "... %d leaves", leaves_below(b, b->at[i]));
    b->text[i] = text.failed ? NULL : arena_str(b->a, text.s ? text.s : "");
    if (!b->text[i]) b->a->failed = 1;
    str_free(&text);
}

/* Boxes from the root down, each before its branches; rows of ends from the top. */
static void place_boxes(struct boxes *b)
{
    struct {
        uint32_t at;
        int depth, parent;
    } stack[LEVELS + 2] = {{0, 0, -1}};
    int n = 1;
    double row = 0;
    while (n) {
        int i = b->n++;
        n--;
        b->at[i] = stack[n].at;
        b->depth[i] = stack[n].depth;
        b->parent[i] = stack[n].parent;
        b->x[i] = b->depth[i];
        if (b->at[i] >= b->n_nodes || b->depth[i] == LEVELS) {
            b->y[i] = row++;
            continue;
        }
        uint32_t left = b->w.e->node_left[b->n0 + b->at[i]];
        stack[n].at = b->w.e->node_right[b->n0 + b->at[i]];
        stack[n].parent = i;
        stack[n++].depth = b->depth[i] + 1;
        stack[n].at = left;
        stack[n].parent = i;
        stack[n++].depth = b->depth[i] + 1;
        b->y[i] = -1;
    }
    for (int i = b->n - 1; i >= 0; i--) { /* branches have larger numbers */
        double first = NAN, last = NAN;
        for (int j = b->n - 1; b->y[i] < 0 && j > i; j--) {
            if ((int)b->parent[j] != i) continue;
            if (isnan(last)) last = b->y[j];
            first = b->y[j];
        }
        if (b->y[i] < 0) b->y[i] = (first + last) / 2;
    }
}

static tide_status draw(struct boxes *b, tide_report *r, tide_error *err)
{
    double rows = 0;
    char first[120];
    int ends = 0, is_mean = b->w.e->link == LINK_MEAN_PROBA;
    struct tide_chart *c = chart_new(b->a, "tree", "The tree", 0);
    place_boxes(b);
    for (int i = 0; i < b->n; i++) {
        put_box(b, i);
        rows = b->y[i] > rows ? b->y[i] : rows;
        ends += b->at[i] >= b->n_nodes;
    }
    if (b->a->failed) return arena_status(b->a, err);
    chart_axis_x(c, "level", NULL, SCALE_LINEAR, 0, LEVELS);
    chart_axis_y(c, "end", NULL, SCALE_LINEAR, 0, rows > 0 ? rows : 1);
    c->y.reversed = 1;
    struct chart_mark *m = chart_mark(c, MARK_NODE, NULL, 1);
    m->x = chart_num(c, "level", b->x, b->n);
    m->y = chart_num(c, "row", b->y, b->n);
    m->lo = chart_num(c, "parent", b->parent, b->n);
    m->text = chart_text(c, "test or value", b->text, b->n);
    (void)err_quote(first, sizeof first, b->text[0], strlen(b->text[0]), 60);
    if (b->n_nodes)
        chart_summary(
            c, "The first of its %d test%s is %s; the picture shows %d of %d leaves.",
            (int)b->n_nodes, b->n_nodes == 1 ? "" : "s", first, ends,
            (int)b->n_nodes + 1);
    else
        chart_summary(c, "The tree has no test and says %s, the same for every row.",
                      first);
    c->how_to_read = is_mean ? "From left to right: a row whose answer is yes goes up, "
                               "another down. The "
                               "number at the end is what the tree says; the model is "
                               "the mean of its trees."
                             : "From left to right: a row whose answer is yes goes up, "
                               "another down. The "
                               "number at the end is what the tree adds to the score.";
    tide_status status = chart_finish(c, err);
    if (!status) report_chart(r, c);
    return status;
}

tide_status tide_model_tree_report(tide_ctx *ctx, const tide_model *model, int64_t tree,
                                   tide_report **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct ensemble *e = NULL;
    struct str title = {0};
    if (out) *out = NULL;
    if (!ctx || !model || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    struct arena a;
    arena_init(&a, ctx);
    tide_status status = tree_open(model, tree, &a, &e, err);
    tide_report *r = NULL;
    if (!status) {
        int32_t t = (int32_t)tree - 1;
        struct tree_writing w = {.m = model, .e = e, .out = &title};
        tree_put_head(&w, t);
        r = title.failed ? NULL : report_new(ctx, "tree", title.s, err);
        status = r ? TIDE_OK : err_nomem(err, 0);
        struct boxes b = {.w = w, .n0 = e->tree_node[t], .l0 = e->tree_leaf[t]};
        b.n_nodes = e->tree_node[t + 1] - b.n0;
        b.a = r ? &r->arena : &a;
        if (!status) report_fact_int(r, "tree", tree);
        if (!status) status = draw(&b, r, err);
        if (!status) status = report_status(r, err);
    }
    str_free(&title);
    arena_free(&a);
    if (status)
        tide_report_free(r);
    else
        *out = r;
    return status;
}
