/* learners_forest.c - forests: without draws they are CART; boosting's votes; limits and gaps */
#include "base/ctx.h"
#include "learners/tree/forest_grow.h"
#include "learners/tree/oob_importance.h"
#include "support/toy_fit.h"
#include "support/toy_table.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_tree, tide_learner_forest,
    tide_learner_extra_trees, tide_learner_adaboost;

/* A carried table as view in file order; the last column is the target. */
struct table {
    tide_ctx *ctx;
    tide_frame *frame;
    const struct column *col[64];
    struct view view;
    struct fit_data d;
    double *y;
    int32_t *k;
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
    t->d = (struct fit_data){.x = &t->view, .task = task, .phase = "fitting"};
    t->y = calloc((size_t)t->view.n_rows, sizeof *t->y);
    t->k = calloc((size_t)t->view.n_rows, sizeof *t->k);
    for (int64_t i = 0; i < t->view.n_rows; i++) {
        t->y[i] = tide_frame_number(t->frame, i, n_cols);
        t->k[i] = task == TIDE_CLASSIFY ? (int32_t)t->y[i] : 0;
        if (task == TIDE_CLASSIFY && t->k[i] >= t->d.n_classes)
            t->d.n_classes = t->k[i] + 1;
    }
    t->d.y = t->y;
    t->d.k = t->k;
    return 0;
}
static void table_free(struct table *t)
{
    free(t->k);
    free(t->y);
    tide_frame_free(t->frame);
    tide_ctx_free(t->ctx);
}

static double *scores(const struct tide_learner *l, const struct table *t,
                      const struct toy_model *m)
{
    int64_t n = t->view.n_rows;
    int32_t k = t->d.task == TIDE_CLASSIFY ? t->d.n_classes : 1;
    tide_error err = {0};
    double *out = calloc((size_t)(n * k), sizeof *out);
    CHECK_MSG(l->predict(m->object, &t->view, 0, n, out, &err) == TIDE_OK, "%s",
              err.message);
    return out;
}

/* Share of rows that the model gets right. */
static double accuracy(const struct tide_learner *l, const struct table *t,
                       const struct toy_model *m)
{
    double *p = scores(l, t, m), good = 0;
    int32_t k = t->d.n_classes;
    for (int64_t i = 0; i < t->view.n_rows; i++) {
        int32_t best = 0;
        for (int32_t q = 1; q < k; q++)
            if (p[i * k + q] > p[i * k + best]) best = q;
        good += best == t->k[i];
    }
    free(p);
    return good / (double)t->view.n_rows;
}

/* The exact search of tree.c and the ranks of a forest split alike. */
TEST(one_tree_without_draws_is_cart)
{
    static const struct {
        const char *file, *tree, *forest;
        uint32_t task;
    } list[] = {
        {"wine.csv.gz", "depth=2", "depth=2", TIDE_CLASSIFY},
        {"wine.csv.gz", "depth=3,criterion=entropy", "depth=3,criterion=entropy",
         TIDE_CLASSIFY},
        {"breast_cancer.csv.gz", "depth=3,min_rows=5", "depth=3,min_rows=5",
         TIDE_CLASSIFY},
        {"breast_cancer.csv.gz", "depth=2,criterion=entropy",
         "depth=2,criterion=entropy", TIDE_CLASSIFY},
        {"breast_cancer.csv.gz", "leaves=6,min_rows=5", "leaves=6,min_rows=5",
         TIDE_CLASSIFY},
        {"diabetes.csv.gz", "depth=4,min_rows=5", "depth=4,min_rows=5", TIDE_REGRESS},
        {"diabetes.csv.gz", "leaves=7,min_rows=5", "leaves=7,min_rows=5", TIDE_REGRESS},
        {"concrete.csv", "depth=5,min_rows=5", "depth=5,min_rows=5", TIDE_REGRESS},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct table t;
        char options[200];
        snprintf(options, sizeof options, "trees=1,bootstrap=no,columns=1,%s",
                 list[i].forest);
        if (table_read(&t, list[i].file, list[i].task)) continue;
        int64_t n = t.view.n_rows * (t.d.n_classes ? t.d.n_classes : 1);
        struct toy_model *a =
            toy_fit(&tide_learner_tree, list[i].tree, &t.d, t.n_levels, NULL);
        struct toy_model *b =
            toy_fit(&tide_learner_forest, options, &t.d, t.n_levels, NULL);
        double *pa = scores(&tide_learner_tree, &t, a),
               *pb = scores(&tide_learner_forest, &t, b);
        int64_t far = 0;
        for (int64_t j = 0; j < n; j++)
            far += !(fabs(pa[j] - pb[j]) <= 1e-9 * fabs(pa[j]));
        CHECK_MSG(far == 0, "%s, %s: %lld numbers differ", list[i].file, list[i].tree,
                  (long long)far);
        free(pa);
        free(pb);
        toy_model_free(a);
        toy_model_free(b);
        table_free(&t);
    }
}

/* AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=10) of scikit-learn 1.9.1. */
TEST(votes_of_samme_are_those_of_scikit_learn)
{
    static const double want[10] = {
        2.4792086286733626, 2.005821327341225,  1.690893153153913, 1.1427840133136822,
        1.3544254776946223, 0.9733138715598915, 0.846432872431631, 0.962959572247596,
        0.3688488644367884, 0.6060100625848908};
    struct table t;
    int64_t n = 0;
    if (table_read(&t, "breast_cancer.csv.gz", TIDE_CLASSIFY)) return;
    struct toy_model *m =
        toy_fit(&tide_learner_adaboost, "trees=10", &t.d, t.n_levels, NULL);
    const double *vote = toy_array(m, "vote", &n);
    CHECK_INT(n, 10);
    for (int i = 0; i < 10 && n == 10; i++) CHECK_NEAR(vote[i], want[i], 1e-6);
    toy_model_free(m);
    table_free(&t);
}

TEST(full_trees_know_the_rows_they_saw)
{
    static const char *const files[] = {"wine.csv.gz", "breast_cancer.csv.gz",
                                        "iris.csv.gz", "digits.csv.gz"};
    /* AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=30) of scikit-learn
     * 1.9.1 on the same rows, to 4 digits */
    static const double boosted[] = {1, 1, 1, 0.9572};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct table t;
        if (table_read(&t, files[i], TIDE_CLASSIFY)) continue;
        struct toy_model *a =
            toy_fit(&tide_learner_extra_trees, "trees=5", &t.d, t.n_levels, NULL);
        struct toy_model *b =
            toy_fit(&tide_learner_forest, "trees=60", &t.d, t.n_levels, NULL);
        struct toy_model *c =
            toy_fit(&tide_learner_adaboost, "trees=30,depth=3", &t.d, t.n_levels, NULL);
        CHECK_NEAR(accuracy(&tide_learner_extra_trees, &t, a), 1, 0);
        CHECK(accuracy(&tide_learner_forest, &t, b) > 0.99);
        CHECK_NEAR(accuracy(&tide_learner_adaboost, &t, c), boosted[i], 5e-5);
        toy_model_free(a);
        toy_model_free(b);
        toy_model_free(c);
        table_free(&t);
    }
}

TEST(out_of_bag_rows_are_scored_when_asked_for)
{
    struct table t;
    double share = 0;
    if (table_read(&t, "breast_cancer.csv.gz", TIDE_CLASSIFY)) return;
    struct toy_model *m =
        toy_fit(&tide_learner_forest, "trees=100,oob=yes", &t.d, t.n_levels, NULL);
    CHECK(m->info.note && sscanf(m->info.note, "out-of-bag accuracy %lf", &share) == 1);
    CHECK_MSG(share > 0.93 && share < 0.99, "%g", share);
    toy_model_free(m);
    m = toy_fit(&tide_learner_forest, "trees=1,bootstrap=no,oob=yes", &t.d, t.n_levels,
                NULL);
    CHECK(!m->info.note);
    toy_model_free(m);
    table_free(&t);
}

/* Importance by shuffled columns of 20 trees on columns a, b, c, of which the target knows a. */
static void shuffled_worth(const struct fit_data *d, int threads, double worth[3])
{
    tide_ctx *ctx = toy_ctx(threads);
    struct arena a;
    struct forest_data data;
    struct forest f = {0};
    tide_error err = {0};
    struct forest_rules rules = {.criterion = d->task == TIDE_CLASSIFY ? FOREST_GINI
                                                                       : FOREST_SQUARED,
                                 .trees = 20,
                                 .columns = 3,
                                 .depth = 100,
                                 .min_rows = 1,
                                 .rows = 1,
                                 .seed = 3};
    arena_init(&a, ctx);
    CHECK_INT(forest_data_make(ctx, d, FOREST_PLAIN, NULL, &a, &data, &err), TIDE_OK);
    CHECK_INT(forest_grow(ctx, &data, &rules, 20, "growing", &f, &err), TIDE_OK);
    CHECK_INT(oob_importance(ctx, &f, &data, &rules, worth, &err), TIDE_OK);
    forest_free(&f);
    arena_free(&a);
    tide_ctx_free(ctx);
}

/* With every other value of a wrong half of the answers are, and where the target is a itself the
 * squared distance of two values of it is twice their variance. */
TEST(shuffled_columns_tell_what_they_are_worth)
{
    enum { N = 3000 };
    struct toy *toy = toy_new(N);
    double *x[3] = {toy_number(toy, "a"), toy_number(toy, "b"), toy_number(toy, "c")};
    static double y[N];
    static int32_t k[N];
    for (int i = 0; i < N; i++) {
        for (uint32_t j = 0; j < 3; j++) x[j][i] = toy_u(4, i, j);
        if (i % 50 == 7) x[1][i] = (double)NAN;
        y[i] = x[0][i];
        k[i] = x[0][i] > 0.5;
    }
    for (int classes = 0; classes <= 2; classes += 2) {
        struct fit_data d = toy_data(toy, classes, y, k, 3);
        double worth[3], again[3], want = classes ? 0.5 : 2.0 / 12;
        shuffled_worth(&d, 1, worth);
        shuffled_worth(&d, 3, again);
        CHECK(memcmp(worth, again, sizeof worth) == 0);
        CHECK_MSG(fabs(worth[0] - want) < 0.1 * want, "%g, not %g", worth[0], want);
        CHECK_MSG(worth[1] >= 0 && worth[1] < 0.02 * want && worth[2] < 0.02 * want,
                  "%g %g", worth[1], worth[2]);
    }
    toy_free(toy);
}

TEST(importance_by_shuffling_needs_rows_out_of_bag)
{
    struct table t;
    double share[30], by_impurity[30];
    if (table_read(&t, "breast_cancer.csv.gz", TIDE_CLASSIFY)) return;
    struct toy_model *m =
        toy_fit(&tide_learner_forest, "trees=60,importance=permutation", &t.d,
                t.n_levels, NULL);
    struct toy_model *n =
        toy_fit(&tide_learner_forest, "trees=60", &t.d, t.n_levels, NULL);
    double sum = 0;
    tide_learner_forest.importance(m->object, share);
    tide_learner_forest.importance(n->object, by_impurity);
    for (int f = 0; f < t.view.n_cols; f++) sum += share[f];
    CHECK_NEAR(sum, 1, 1e-12);
    CHECK(memcmp(share, by_impurity, (size_t)t.view.n_cols * sizeof *share) != 0);
    toy_model_free(n);
    toy_model_free(m);
    tide_values *v = NULL;
    tide_error err = {0};
    CHECK_INT(tide_values_new(&tide_learner_forest.params, "forest", &v, &err), 0);
    toy_set(v, "importance=permutation,bootstrap=no");
    CHECK_INT(tide_learner_forest.check(tide_values_struct(v), &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    tide_values_free(v);
    table_free(&t);
}

TEST(a_criterion_of_the_other_task_is_refused)
{
    struct table t;
    if (table_read(&t, "iris.csv.gz", TIDE_CLASSIFY)) return;
    struct toy_model *m =
        toy_fit(&tide_learner_forest, "criterion=squared", &t.d, t.n_levels, NULL);
    CHECK_INT(m->status, TIDE_EINVAL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    toy_model_free(m);
    table_free(&t);
}

/* One step of a 32-bit float at 1e9 is 64; at 0, where the median moves them, it is not enough for
 * the values around 1e12 beside them. */
TEST(values_that_32_bits_hold_for_equal_are_parted)
{
    enum { N = 300 };
    struct toy *toy = toy_new(N);
    double *x = toy_number(toy, "x");
    int32_t k[N];
    for (int i = 0; i < N; i++) {
        x[i] = i % 7 == 3 ? (double)NAN : i < N / 2 ? 1e9 + i * 1e-6 : 1e12 + i * 1e-3;
        k[i] = i % 7 == 3 ? 1 : i * 7919 % 13 < 6;
    }
    struct fit_data d = {.x = toy_view(toy),
                         .task = TIDE_CLASSIFY,
                         .n_classes = 2,
                         .k = k,
                         .phase = "fitting"};
    const uint32_t n_levels[1] = {0};
    const struct tide_learner *learners[] = {&tide_learner_forest,
                                             &tide_learner_extra_trees};
    for (int l = 0; l < 2; l++) {
        struct toy_model *m =
            toy_fit(learners[l], "trees=3,bootstrap=no", &d, n_levels, NULL);
        double p[2 * N];
        tide_error err = {0};
        CHECK_INT(m->status, TIDE_OK);
        CHECK_INT(learners[l]->predict(m->object, d.x, 0, N, p, &err), TIDE_OK);
        int wrong = 0;
        for (int i = 0; i < N; i++) wrong += p[2 * i + k[i]] != 1;
        CHECK_MSG(!wrong, "%s: %d rows", learners[l]->name, wrong);
        toy_model_free(m);
    }
    toy_free(toy);
}

TEST(rows_are_drawn_about_as_often_as_asked_for)
{
    struct forest_rules rules = {.rows = 1, .seed = 5};
    for (int turn = 0; turn < 2; turn++) {
        double sum = 0, none = 0, n = 0;
        rules.rows = turn ? 0.5 : 1;
        for (int64_t id = 0; id < 4000; id++)
            for (int32_t tree = 0; tree < 20; tree++) {
                uint32_t m = forest_multiplicity(&rules, tree, id);
                sum += m;
                none += m == 0;
                n++;
            }
        CHECK_NEAR(sum / n, rules.rows, 0.02);
        CHECK_NEAR(none / n, exp(-rules.rows), 0.02);
    }
    rules.rows = 0;
    CHECK_INT(forest_multiplicity(&rules, 3, 7), 1);
}

TEST(a_sum_of_weights_has_no_order)
{
    double w[1000], back[1000];
    for (int i = 0; i < 1000; i++) w[i] = 1.0 / (i + 1);
    for (int i = 0; i < 1000; i++) back[i] = w[999 - i];
    CHECK(forest_sum(w, NULL, 1000) == forest_sum(back, NULL, 1000));
    CHECK_NEAR(forest_sum(w, NULL, 1000), 7.485470860550345, 1e-14);
    CHECK(forest_sum(w, NULL, 0) == 0);
}
