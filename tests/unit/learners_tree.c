/* learners_tree.c - exact trees: the published numbers, brute force, pruning */
#include "base/ctx.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_tree;
#define TREE &tide_learner_tree

/* A carried table as view in file order; the last column is the target. */
struct table {
    tide_ctx *ctx;
    tide_frame *frame;
    const struct column *col[64];
    struct view view;
    struct fit_data d;
    double *y;
    uint32_t n_levels[64];
};
static int table_read(struct table *t, const char *file, uint32_t task)
{
    char path[512];
    tide_error err = {0};
    const char *root = getenv("TIDEMILL_ROOT");
    memset(t, 0, sizeof *t);
    snprintf(path, sizeof path, "%s/data/%s", root ? root : ".", file);
    CHECK_INT(tide_ctx_new(&t->ctx, &err), TIDE_OK);
    if (tide_frame_read(t->ctx, path, NULL, &t->frame, &err)) {
        UNIT_FAIL("%s", err.message);
        return -1;
    }
    int n_cols = t->frame->n_cols - 1;
    for (int j = 0; j < n_cols; j++) t->col[j] = &t->frame->cols[j];
    t->view =
        (struct view){.n_rows = t->frame->n_rows, .n_cols = n_cols, .cols = t->col};
    const struct column *target = &t->frame->cols[n_cols];
    t->d = (struct fit_data){.x = &t->view, .task = task};
    t->y = calloc((size_t)t->view.n_rows, sizeof *t->y);
    for (int64_t i = 0; i < t->view.n_rows; i++)
        t->y[i] = tide_frame_number(t->frame, i, n_cols);
    if (task == TIDE_CLASSIFY) {
        int32_t *k = calloc((size_t)t->view.n_rows, sizeof *k);
        for (int64_t i = 0; i < t->view.n_rows; i++) k[i] = (int32_t)t->y[i];
        t->d.k = k;
        t->d.n_classes = (int32_t)target->dict.n;
    } else {
        t->d.y = t->y;
    }
    return 0;
}
static void table_free(struct table *t)
{
    union {
        const int32_t *from;
        void *to;
    } k = {t->d.k};
    free(k.to);
    free(t->y);
    tide_frame_free(t->frame);
    tide_ctx_free(t->ctx);
}

/* Impurity of a leaf's shares. */
static double gini(const double *p, int k)
{
    double s = 1;
    for (int i = 0; i < k; i++) s -= p[i] * p[i];
    return s;
}

struct root {
    const char *file, *options;
    int feature;
    double thr, left, right;
    int n_left;
};

TEST(root_splits_are_the_published_ones)
{
    static const struct root list[] = {
        {"wine.csv.gz", "depth=1", 12, 755.0, 0.49216784351919485, 0.26464691468032975,
         111},
        {"wine.csv.gz", "depth=1,criterion=entropy", 6, 1.575, -1, -1, -1},
        {"breast_cancer.csv.gz", "depth=1", 20, 16.795, 0.15897967850404826,
         0.1090858725761773, 379},
        {"breast_cancer.csv.gz", "depth=1,criterion=entropy", 22, 105.95, -1, -1, -1},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const struct root *r = &list[i];
        struct table t;
        if (table_read(&t, r->file, TIDE_CLASSIFY)) continue;
        struct toy_model *m = toy_fit(TREE, r->options, &t.d, t.n_levels, NULL);
        int64_t n = 0;
        const double *edge = toy_array(m, "edge", &n);
        const double *leaf = toy_array(m, "leaf", NULL),
                     *cover = toy_array(m, "leaf_cover", NULL);
        const uint32_t *feature = toy_array(m, "column_feature", NULL);
        CHECK_INT(n, 1);
        CHECK_INT(feature[0], r->feature);
        CHECK_NEAR(edge[0], r->thr, 1e-5 / r->thr);
        if (r->n_left > 0) {
            CHECK_NEAR(cover[0], r->n_left, 0);
            CHECK_NEAR(gini(leaf, t.d.n_classes), r->left, 1e-12);
            CHECK_NEAR(gini(leaf + t.d.n_classes, t.d.n_classes), r->right, 1e-12);
        }
        toy_model_free(m);
        table_free(&t);
    }
}

TEST(diabetes_at_depth_two_is_the_published_tree)
{
    struct table t;
    if (table_read(&t, "diabetes.csv.gz", TIDE_REGRESS)) return;
    struct toy_model *m = toy_fit(TREE, "depth=2", &t.d, t.n_levels, NULL);
    const double *leaf = toy_array(m, "leaf", NULL),
                 *cover = toy_array(m, "leaf_cover", NULL);
    const double *edge = toy_array(m, "edge", NULL);
    static const double want[4] = {96.30994152046783, 159.74468085106383,
                                   162.68103448275863, 225.87962962962962};
    static const double rows[4] = {171, 47, 116, 108};
    static const double cut[3] = {0.006188885, 0.014811382, -0.003761176};
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(leaf[i], want[i], 1e-13);
        CHECK_NEAR(cover[i], rows[i], 0);
    }
    for (int i = 0; i < 3; i++) CHECK_NEAR(edge[i], cut[i], 1e-6);
    toy_model_free(m);
    table_free(&t);
}

static double r2_at(const struct table *t, const char *options)
{
    struct toy_model *m = toy_fit(TREE, options, &t->d, t->n_levels, NULL);
    int64_t n = t->view.n_rows;
    double *out = calloc((size_t)n, sizeof *out), mean = 0, se = 0, sy = 0;
    tide_error err = {0};
    CHECK_INT(tide_learner_tree.predict(m->object, &t->view, 0, n, out, &err), 0);
    for (int64_t i = 0; i < n; i++) mean += t->y[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        se += (out[i] - t->y[i]) * (out[i] - t->y[i]);
        sy += (t->y[i] - mean) * (t->y[i] - mean);
    }
    free(out);
    toy_model_free(m);
    return 1 - se / sy;
}

TEST(diabetes_depths_have_the_published_r2)
{
    struct table t;
    if (table_read(&t, "diabetes.csv.gz", TIDE_REGRESS)) return;
    CHECK_NEAR(r2_at(&t, "depth=1"), 0.2915416506220587, 1e-12);
    CHECK_NEAR(r2_at(&t, "depth=2"), 0.4333700982246038, 1e-12);
    CHECK_NEAR(r2_at(&t, "depth=3"), 0.5006720154703376, 1e-12);
    CHECK_NEAR(r2_at(&t, "depth=4"), 0.5756115863814724, 1e-12);
    CHECK_NEAR(r2_at(&t, "depth=0"), 1, 1e-12);
    table_free(&t);
}

TEST(iris_is_fitted_exactly_and_pruned_to_its_root)
{
    struct table t;
    if (table_read(&t, "iris.csv.gz", TIDE_CLASSIFY)) return;
    struct toy_model *m = toy_fit(TREE, "depth=0", &t.d, t.n_levels, NULL);
    double out[450];
    int right = 0;
    tide_error err = {0};
    CHECK_INT(tide_learner_tree.predict(m->object, &t.view, 0, 150, out, &err), 0);
    for (int i = 0; i < 150; i++) right += out[3 * i + t.d.k[i]] == 1;
    CHECK_INT(right, 150);
    toy_model_free(m);
    m = toy_fit(TREE, "depth=2", &t.d, t.n_levels, NULL);
    right = 0;
    CHECK_INT(tide_learner_tree.predict(m->object, &t.view, 0, 150, out, &err), 0);
    for (int i = 0; i < 150; i++) {
        int best = 0;
        for (int k = 1; k < 3; k++)
            best = out[3 * i + k] > out[3 * i + best] ? k : best;
        right += best == t.d.k[i];
    }
    CHECK_INT(right, 144);
    toy_model_free(m);
    /* the root's impurity is 2/3; its split takes 1/3 off: dearer leaves leave the root alone */
    int64_t leaves = 0;
    m = toy_fit(TREE, "ccp_alpha=0.34", &t.d, t.n_levels, NULL);
    toy_array(m, "leaf_cover", &leaves);
    CHECK_INT(leaves, 1);
    toy_model_free(m);
    m = toy_fit(TREE, "ccp_alpha=0.3", &t.d, t.n_levels, NULL);
    toy_array(m, "leaf_cover", &leaves);
    CHECK(leaves >= 2);
    toy_model_free(m);
    table_free(&t);
}

TEST(sorted_levels_find_the_best_partition)
{
    static const uint32_t cat[8] = {0, 0, 1, 1, 2, 2, 3, 3};
    static const double y[8] = {1, 1, 0, 0, 1, 0, 0, 1};
    struct toy *t = toy_new(8);
    memcpy(toy_category(t, "c", 4), cat, sizeof cat);
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
    struct toy_model *m = toy_fit(TREE, "leaves=2", &d, t->n_levels, NULL);
    const double *gain = toy_array(m, "node_gain", NULL);
    CHECK_NEAR(gain[0], 0.08333333333333336, 1e-12);
    toy_model_free(m);
    toy_free(t);
}

/* Largest impurity decrease of one split by trying all, missing both ways. */
static double best_gini(const double *x, const int32_t *k, const double *w, int n)
{
    double best = 0, all = 0, root[2] = {0};
    for (int i = 0; i < n; i++) {
        root[k[i]] += w[i];
        all += w[i];
    }
    double own = 1 - (root[0] * root[0] + root[1] * root[1]) / all / all;
    for (int c = 0; c < n; c++)
        for (int dir = 0; dir < 2; dir++) {
            double s[2][2] = {{0}};
            if (isnan(x[c])) continue;
            for (int i = 0; i < n; i++)
                s[isnan(x[i]) ? dir : x[i] <= x[c]][k[i]] += w[i];
            double a = s[0][0] + s[0][1], b = s[1][0] + s[1][1];
            if (a <= 0 || b <= 0) continue;
            double left = 1 - (s[0][0] * s[0][0] + s[0][1] * s[0][1]) / a / a;
            double right = 1 - (s[1][0] * s[1][0] + s[1][1] * s[1][1]) / b / b;
            double gain = own - a / all * left - b / all * right;
            best = gain > best ? gain : best;
        }
    return best;
}

TEST(first_splits_are_the_best_with_missing_values_and_weights)
{
    for (int round = 0; round < 80; round++) {
        enum { N = 40 };
        struct toy *t = toy_new(N);
        double *x = toy_number(t, "x"), w[N];
        int32_t k[N];
        for (int i = 0; i < N; i++) {
            x[i] = toy_u(5, i, (uint32_t)round) < 0.25
                       ? (double)NAN
                       : floor(9 * toy_u(6, i, (uint32_t)round));
            k[i] = toy_u(7, i, (uint32_t)round) < (isnan(x[i]) ? 0.8 : x[i] / 9);
            w[i] = round % 2 ? 1 : 0.1 + toy_u(8, i, (uint32_t)round);
        }
        struct fit_data d = {.x = toy_view(t),
                             .task = TIDE_CLASSIFY,
                             .n_classes = 2,
                             .k = k,
                             .w = round % 2 ? NULL : w};
        struct toy_model *m = toy_fit(TREE, "depth=1", &d, t->n_levels, NULL);
        const double *gain = toy_array(m, "node_gain", NULL);
        CHECK_NEAR(gain[0], best_gini(x, k, w, N), 1e-9);
        toy_model_free(m);
        toy_free(t);
    }
}

TEST(trees_are_the_same_for_any_threads_and_row_order)
{
    enum { N = 30000 };
    struct toy *t = toy_new(N);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b");
    uint32_t *c = toy_category(t, "c", 20);
    static double y[N], y2[N], w[N], w2[N];
    static int64_t rows[N];
    for (int i = 0; i < N; i++) {
        a[i] = toy_u(1, i, 1);
        b[i] = toy_u(1, i, 2) < 0.1 ? (double)NAN : floor(50 * toy_u(1, i, 3));
        c[i] = (uint32_t)(20 * toy_u(1, i, 4));
        y[i] = a[i] * 3 + (c[i] % 4) + toy_u(1, i, 5);
        w[i] = 0.5 + toy_u(1, i, 6);
        rows[i] = (i * 7919) % N;
    }
    for (int i = 0; i < N; i++) {
        y2[i] = y[rows[i]];
        w2[i] = w[rows[i]];
    }
    struct view v = *toy_view(t), v2 = v;
    v2.rows = rows;
    struct fit_data d = {.x = &v, .task = TIDE_REGRESS, .y = y, .w = w}, d2 = d;
    d2.x = &v2;
    d2.y = y2;
    d2.w = w2;
    const char *options = "min_rows=5,depth=12";
    struct toy_model *m = toy_fit(TREE, options, &d, t->n_levels, NULL);
    struct toy_how how = {.threads = 3, .isa = TIDE_ISA_BASE};
    struct toy_model *q = toy_fit(TREE, options, &d, t->n_levels, &how);
    struct toy_model *r = toy_fit(TREE, options, &d2, t->n_levels, NULL);
    CHECK(m->hash == q->hash);
    CHECK(m->hash == r->hash);
    toy_model_free(m);
    toy_model_free(q);
    toy_model_free(r);
    toy_free(t);
}

TEST(every_failing_allocation_of_a_tree_is_an_error)
{
    struct toy *t = toy_new(300);
    double *x = toy_number(t, "x"), y[300];
    uint32_t *c = toy_category(t, "c", 5);
    for (int i = 0; i < 300; i++) {
        x[i] = toy_u(1, i, 1);
        c[i] = (uint32_t)(5 * toy_u(1, i, 2));
        y[i] = x[i] + c[i];
    }
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
    toy_fail_each(&tide_learner_tree, "ccp_alpha=0.0001", &d, t->n_levels, 1);
    toy_free(t);
}
