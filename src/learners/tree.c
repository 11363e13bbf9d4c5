/* tree.c - a single decision tree
 *
 * Problem       a tree of tests x <= t whose leaves say the class shares or the mean of their rows
 * Method        CART (Breiman, Friedman, Olshen, Stone 1984): the cut of largest impurity
 *               decrease, exactly, until leaves are pure or a limit holds; then cost-complexity pruning
 * Missing       both directions are tried at every cut; where a node had none, more cover
 * Order         integer sums only: same bytes for any threads, instruction set, row order
 * Cost          rows x columns x levels; 16 bytes a row and column
 * Differs from  scikit-learn: features stay 64-bit, ties go to the first column by name
 * Guide         Q1 Q10
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "learners/tree/exact.h"
#include "spec/learner.h"

enum { CRITERION_AUTO, CRITERION_GINI, CRITERION_ENTROPY, CRITERION_SQUARED };
static const char *const tree_criteria[] = {"auto", "gini", "entropy", "squared", NULL};

struct tree_params {
    int32_t depth, leaves, min_rows, min_split, criterion;
    double min_gain, ccp_alpha;
};
static const struct tide_param tree_rows[] = {
    P_INT(tree_params, depth, "0", P_RANGE(0, 512), P_TUNE(2, 30),
          .help = "most levels, 0 for no limit", .alias = "max_depth"),
    P_INT(tree_params, leaves, "0", P_RANGE(0, 1000000000),
          .help = "most leaves, best first, 0 for no limit",
          .alias = "max_leaf_nodes max_leaves num_leaves"),
    P_INT(tree_params, min_rows, "1", P_RANGE(1, 1000000000), P_TUNE(1, 100),
          .flags = TIDE_LOG, .help = "fewest rows of a leaf",
          .alias = "min_samples_leaf min_child_samples"),
    P_INT(tree_params, min_split, "2", P_RANGE(2, 1000000000),
          .help = "fewest rows of a node that is split", .alias = "min_samples_split"),
    P_REAL(tree_params, min_gain, "0", P_RANGE(0, 1e300), .flags = TIDE_EXPERT,
           .help = "least weighted impurity decrease of a split",
           .alias = "min_impurity_decrease"),
    P_REAL(tree_params, ccp_alpha, "0", P_RANGE(0, 1e300),
           .help = "cost of a leaf in pruning, 0 for none", .alias = "prune"),
    P_ENUM(tree_params, criterion, "auto", tree_criteria,
           .help = "impurity: gini or entropy for classes, squared for numbers"),
};

static tide_status tree_rules(const struct tree_params *p, const struct fit_data *d,
                              struct exact_rules *out, tide_error *err)
{
    int regress = d->task == TIDE_REGRESS;
    if (p->criterion != CRITERION_AUTO &&
        regress != (p->criterion == CRITERION_SQUARED))
        return err_set(err, TIDE_CODE_PARAM_CONFLICT, "criterion '%s' does not fit %s",
                       tree_criteria[p->criterion],
                       regress ? "a number as target" : "classes as target");
    *out = (struct exact_rules){.depth = p->depth,
                                .leaves = p->leaves,
                                .min_rows = p->min_rows,
                                .min_split = p->min_split,
                                .min_gain = p->min_gain,
                                .ccp_alpha = p->ccp_alpha};
    out->criterion = regress                             ? EXACT_SQUARED
                     : p->criterion == CRITERION_ENTROPY ? EXACT_ENTROPY
                                                         : EXACT_GINI;
    return TIDE_OK;
}

static tide_status tree_fit(struct tide_ctx *ctx, const void *params,
                            const struct fit_data *d, const struct fit_data *valid,
                            int32_t rounds, struct state *out, struct fit_info *info,
                            tide_error *err)
{
    int32_t k = d->task == TIDE_CLASSIFY ? d->n_classes : 1;
    struct exact_rules rules;
    struct bin_cuts cuts = {0};
    struct ensemble *e = NULL;
    struct emit emit;
    struct arena a;
    (void)valid;
    (void)rounds;
    tide_status status = tree_rules(params, d, &rules, err);
    if (status) return status;
    if (d->x->n_rows > INT32_MAX)
        return err_set(err, TIDE_CODE_MEMORY_BUDGET, "tree takes at most %d rows",
                       INT32_MAX);
    arena_init(&a, ctx);
    emit_init(&emit, k, k);
    double *base = arena_zero(&a, (size_t)k * sizeof *base);
    struct emit_feature *f = arena_zero(&a, ((size_t)d->x->n_cols + 1) * sizeof *f);
    status = arena_status(&a, err);
    if (!status) status = exact_tree(ctx, d, &rules, &emit, &cuts, &a, err);
    for (int32_t j = 0; j < d->x->n_cols && !status; j++) {
        f[j].kind = cuts.feature[j].kind;
        f[j].n_level = cuts.feature[j].n_level;
        f[j].level_code = cuts.feature[j].level_code;
    }
    if (!status)
        status = emit_finish(&emit, f, d->x->n_cols,
                             d->task == TIDE_CLASSIFY ? LINK_MEAN_PROBA : LINK_IDENTITY,
                             base, &a, &e, err);
    if (!status) {
        ensemble_save(e, out);
        status = arena_status(out->arena, err);
        info->converged = -1;
        if (e->tree_node[1] == 0)
            info->note = "no split helps: the model says the same for every row";
    }
    emit_free(&emit);
    arena_free(&a);
    return status;
}

static void tree_cost(const void *params, const struct fit_data *d,
                      struct fit_cost *out)
{
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    (void)params;
    out->scratch_bytes = (int64_t)(n * (12 * f + 32));
    out->model_bytes = (int64_t)(n * 120);
    out->work = n * f * 20;
}

struct tree_model {
    struct ensemble *e;
    uint32_t task;
    int32_t n_out;
};

static tide_status tree_load(const struct state *s, uint32_t task, int32_t n_out,
                             int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                             void **object, tide_error *err)
{
    struct tree_model *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (status) return status;
    int32_t want = task == TIDE_CLASSIFY ? n_out : 1;
    if (m->e->n_outputs != want || m->e->leaf_width != want ||
        m->e->link != (task == TIDE_CLASSIFY ? LINK_MEAN_PROBA : LINK_IDENTITY)) {
        err_set(err, TIDE_CODE_TIDE_CLASSES,
                "the tree gives other outputs than the model says");
        return err_place(err, "section TREES");
    }
    m->task = task;
    m->n_out = want;
    *object = m;
    return TIDE_OK;
}

static tide_status tree_predict(const void *object, const struct view *x, int64_t i0,
                                int64_t n, double *out, tide_error *err)
{
    const struct tree_model *m = object;
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status) ensemble_link(m->e, m->n_out, n, out, out);
    return status;
}

static void tree_predict_row(const void *object, const double *x, double *out)
{
    const struct tree_model *m = object;
    ensemble_row(m->e, x, out);
    ensemble_link(m->e, m->n_out, 1, out, out);
}

static const struct ensemble *tree_trees(const void *object)
{
    return ((const struct tree_model *)object)->e;
}

static void tree_importance(const void *object, double *out)
{
    ensemble_importance(((const struct tree_model *)object)->e, out);
}

static void tree_describe(const void *object, char *out, size_t size)
{
    const struct ensemble *e = ((const struct tree_model *)object)->e;
    str_format(out, size, "%u leaves, %u levels", e->tree_leaf[e->n_trees],
               e->n_trees ? e->tree_depth[0] : 0u);
}

const struct tide_learner tide_learner_tree = {
    .name = "tree",
    .title = "Decision tree",
    .camel = "Tree",
    .guide = "Q1 Q10",
    .paper = "Breiman, Friedman, Olshen, Stone 1984",
    .small = "depth=6",
    .min_rows = 2,
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS | TIDE_INTEGER_SUMS,
    .params = TIDE_TABLE(tree_rows, tree_params),
    .cost = tree_cost,
    .fit = tree_fit,
    .load = tree_load,
    .predict = tree_predict,
    .predict_row = tree_predict_row,
    .trees = tree_trees,
    .importance = tree_importance,
    .describe = tree_describe,
};
