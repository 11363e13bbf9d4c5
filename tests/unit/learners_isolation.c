/* learners_isolation.c - isolation forests against isolation by hand, and at the edges */
#include <math.h>

#include "learners/tree/emit.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_isolation_forest;
static const struct tide_learner *const L = &tide_learner_isolation_forest;

static struct fit_data data_of(struct toy *t)
{
    return (struct fit_data){
        .x = toy_view(t), .task = TIDE_ANOMALY, .seed = 3, .phase = "fitting"};
}
static struct toy_model *fitted(struct toy *t, const char *options)
{
    struct fit_data d = data_of(t);
    struct toy_model *m = toy_fit(L, options, &d, t->n_levels, NULL);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    return m;
}
static double *scores(struct toy *t, const struct toy_model *m)
{
    double *z = calloc((size_t)t->n, sizeof *z);
    CHECK_INT(L->predict(m->object, &t->view, 0, t->n, z, NULL), TIDE_OK);
    return z;
}

/* 2 H(n-1) - 2 (n-1)/n, as the paper has it */
static double mean_depth(int64_t n)
{
    double h = 0;
    for (int64_t i = 1; i < n; i++) h += 1 / (double)i;
    return n > 1 ? 2 * h - 2 * (double)(n - 1) / (double)n : 0;
}

/* ---- isolation by hand: one tree by plain recursion, with another generator ---- */

enum { HAND_ROWS = 32, HAND_COLS = 2 };
struct hand {
    double x[HAND_COLS][HAND_ROWS];
    uint64_t state;
};
static double hand_u(struct hand *h)
{
    h->state = h->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(h->state >> 11) + 0.5) * 0x1p-53;
}
static void hand_tree(struct hand *h, const int *row, int n, int depth, int most,
                      double *path)
{
    int left[HAND_ROWS], right[HAND_ROWS], nl = 0, nr = 0;
    int j = hand_u(h) < 0.5, varies[2];
    double lo[2], hi[2];
    for (int k = 0; k < 2; k++) {
        lo[k] = hi[k] = h->x[k][row[0]];
        for (int i = 1; i < n; i++) {
            lo[k] = fmin(lo[k], h->x[k][row[i]]);
            hi[k] = fmax(hi[k], h->x[k][row[i]]);
        }
        varies[k] = hi[k] > lo[k];
    }
    if (!varies[j]) j = 1 - j;
    if (n < 2 || depth == most || !varies[j]) {
        for (int i = 0; i < n; i++) path[row[i]] += depth + mean_depth(n);
        return;
    }
    double cut = lo[j] + hand_u(h) * (hi[j] - lo[j]);
    for (int i = 0; i < n; i++)
        if (h->x[j][row[i]] <= cut)
            left[nl++] = row[i];
        else
            right[nr++] = row[i];
    hand_tree(h, left, nl, depth + 1, most, path);
    hand_tree(h, right, nr, depth + 1, most, path);
}

TEST(expected_depths_are_those_of_isolation_by_hand)
{
    struct hand h = {.state = 11};
    struct toy *t = toy_new(HAND_ROWS);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b"), path[HAND_ROWS] = {0};
    int row[HAND_ROWS], rounds = 20000;
    for (int i = 0; i < HAND_ROWS; i++) {
        a[i] = h.x[0][i] = exp(3 * toy_u(1, i, 0));
        b[i] = h.x[1][i] = i % 7; /* ties */
        row[i] = i;
    }
    for (int r = 0; r < rounds; r++) hand_tree(&h, row, HAND_ROWS, 0, 5, path);
    struct toy_model *m = fitted(t, "trees=20000");
    double *z = scores(t, m);
    for (int i = 0; i < HAND_ROWS; i++) /* three standard errors of two means: 0.04 */
        CHECK_NEAR(-log2(z[i]) * mean_depth(HAND_ROWS), path[i] / rounds, 0.04);
    free(z);
    toy_model_free(m);
    toy_free(t);
}

TEST(two_rows_and_equal_rows_score_one_half)
{
    struct toy *t = toy_new(2);
    double *x = toy_number(t, "x");
    x[1] = 1;
    struct toy_model *m = fitted(t, "");
    double *z = scores(t, m);
    CHECK_NEAR(z[0], 0.5, 1e-15); /* depth 1 of c(2) = 1 */
    CHECK_NEAR(z[1], 0.5, 1e-15);
    free(z);
    toy_model_free(m);
    toy_free(t);
    t = toy_new(300);
    toy_number(t, "x");
    m = fitted(t, "");
    z = scores(t, m); /* one leaf: c(256) of c(256) */
    for (int i = 0; i < 300; i++) CHECK_NEAR(z[i], 0.5, 1e-15);
    free(z);
    toy_model_free(m);
    toy_free(t);
}

/* scikit-learn's page of IsolationForest: 0.1 and 0 are usual, 90 is not, for any seed */
TEST(the_far_value_is_called_whatever_the_seed)
{
    static const double x[] = {-1.1, 0.3, 0.5, 100}, asked[] = {0.1, 0, 90};
    struct toy *t = toy_new(4);
    memcpy(toy_number(t, "x"), x, sizeof x);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct fit_data d = data_of(t);
        d.seed = seed;
        struct toy_model *m = toy_fit(L, "", &d, t->n_levels, NULL);
        CHECK_NEAR(m->info.threshold, 0.5, 0);
        for (int i = 0; i < 3; i++) {
            double z;
            L->predict_row(m->object, &asked[i], &z);
            CHECK((z >= m->info.threshold) == (i == 2));
        }
        toy_model_free(m);
    }
    toy_free(t);
}

/* Two columns of a cloud, one row far out. */
static struct toy *cloud(int64_t n)
{
    struct toy *t = toy_new(n);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b");
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(1, i, 0) + toy_u(1, i, 1);
        b[i] = toy_u(1, i, 2) + toy_u(1, i, 3);
    }
    a[n / 2] = 6;
    b[n / 2] = -5;
    return t;
}

TEST(samples_are_distinct_and_thresholds_few)
{
    struct toy *t = cloud(3000);
    struct toy_model *m = fitted(t, "trees=400");
    const struct ensemble *e = L->trees(m->object);
    CHECK_INT(e->n_trees, 400);
    for (int32_t k = 0; k < e->n_trees; k++) {
        double rows = 0;
        CHECK(e->tree_depth[k] <= 8);
        for (uint32_t i = e->tree_leaf[k]; i < e->tree_leaf[k + 1]; i++)
            rows += e->leaf_cover[i];
        CHECK_NEAR(rows, 256, 0);
        CHECK_NEAR(e->node_cover[e->tree_node[k]], 256, 0);
    }
    for (int j = 0; j < 2; j++) CHECK_INT(e->edge_off[j + 1] - e->edge_off[j], 254);
    toy_model_free(m);
    m = fitted(t, "trees=50,sample=1000");
    CHECK(L->trees(m->object)->edge_off[1] > 254); /* scored on 16 bits */
    toy_model_free(m);
    toy_free(t);
}

TEST(contamination_calls_that_share_of_the_training_rows)
{
    static const double share[] = {0.0001, 0.01, 0.1, 0.5};
    struct toy *t = cloud(2000);
    for (int k = 0; k < 4; k++) {
        char option[40];
        int called = 0, most = 0;
        snprintf(option, sizeof option, "contamination=%g", share[k]);
        struct toy_model *m = fitted(t, option);
        double *z = scores(t, m);
        for (int i = 0; i < 2000; i++) {
            called += z[i] >= m->info.threshold;
            most = z[i] > z[most] ? i : most;
        }
        CHECK_INT(called, k ? (int)(2000 * share[k]) : 1);
        CHECK_INT(most, 1000);
        free(z);
        toy_model_free(m);
    }
    toy_free(t);
}

TEST(a_gap_and_a_rare_level_are_strange)
{
    struct toy *t = toy_new(1000);
    double *gap = toy_number(t, "gap");
    uint32_t *k = toy_category(t, "k", 4);
    for (int i = 0; i < 1000; i++) {
        gap[i] = i == 10 ? (double)NAN : 7; /* one value, and one gap */
        k[i] = i == 20 ? 3 : (uint32_t)i % 3;
    }
    struct toy_model *m = fitted(t, "sample=1000");
    double *z = scores(t, m);
    for (int i = 0; i < 1000; i++)
        CHECK(i == 10 || i == 20 || (z[10] > z[i] + 0.05 && z[20] > z[i] + 0.05));
    free(z);
    k[0] = CODE_MISSING; /* unseen in training, and so is a gap among the levels */
    z = scores(t, m);
    CHECK(z[0] > 0 && z[0] < 1);
    free(z);
    toy_model_free(m);
    toy_free(t);
}

TEST(columns_of_many_levels_share_a_code)
{
    struct toy *t = toy_new(3000);
    uint32_t *k = toy_category(t, "k", 1500);
    for (int i = 0; i < 3000; i++) k[i] = i < 1500 ? (uint32_t)i : (uint32_t)i % 100;
    struct toy_model *m = fitted(t, "");
    double *z = scores(t, m);
    for (int i = 0; i < 3000; i++) CHECK(z[i] > 0 && z[i] < 1);
    free(z);
    toy_model_free(m);
    toy_free(t);
}

/* A hostile state: a score must stay in (0, 1]. */
TEST(a_leaf_above_0_is_refused)
{
    struct toy *t = cloud(100);
    struct toy_model *m = fitted(t, "trees=3");
    const struct state_array *leaf = state_find(&m->state, "leaf");
    void *object = NULL;
    tide_error err = {0};
    CHECK(leaf && leaf->type == STATE_F64);
    if (leaf) ((double *)(uintptr_t)leaf->data)[1] = 0.25;
    CHECK_INT(
        L->load(&m->state, TIDE_ANOMALY, 1, 2, t->n_levels, &m->arena, &object, &err),
        TIDE_EMODEL);
    CHECK(!object);
    toy_model_free(m);
    toy_free(t);
}

TEST(every_allocation_may_fail)
{
    struct toy *t = cloud(400);
    struct fit_data d = data_of(t);
    toy_fail_each(L, "trees=5,sample=64,contamination=0.1", &d, t->n_levels, 2);
    toy_free(t);
}
