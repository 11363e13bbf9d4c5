/* learners_sample.c - rows drawn by gradients: shares, order, same bytes, what it costs */
#include "learners/tree/row_sample.h"
#include "simd/vmath.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

TEST(chances_add_up_to_the_share_and_grow_with_the_gradient)
{
    enum { N = 5000 };
    static uint32_t packed[3 * N], list[N];
    static int64_t count[ROW_SAMPLE_LEVELS];
    for (int32_t outputs = 1; outputs <= 3; outputs += 2)
        for (int how = SAMPLE_GOSS; how <= SAMPLE_MVS; how++)
            for (int s = 1; s <= 9; s += 2) {
                struct grad g = {.n_outputs = outputs, .rows.n = N, .packed = packed};
                struct row_chances c;
                double sum = 0, share = s / 10.0;
                for (int i = 0; i < N * outputs; i++) {
                    double u = toy_u(4, i, 0);
                    int32_t q = (int32_t)(u * u * u * 32000 * (i % 2 ? 1 : -1));
                    packed[i] = (uint32_t)q << 16 | 7;
                }
                for (int i = 0; i < N; i++) list[i] = (uint32_t)i;
                row_chances_find(&g, (enum row_sampling)how, share, list, N, count, &c);
                for (int i = 0; i < N; i++) {
                    double p = row_chance(&g, &c, i);
                    CHECK(p > 0 && p <= 1);
                    sum += p;
                    if (outputs == 1 && i > 1) {
                        int a = abs((int16_t)(packed[i] >> 16)),
                            b = abs((int16_t)(packed[i - 1] >> 16));
                        CHECK(a <= b || p >= row_chance(&g, &c, i - 1));
                    }
                }
                CHECK_MSG(fabs(sum / N - share) < 1e-3, "%s: %g, not %g",
                          row_sampling_names[how], sum / N, share);
            }
}

/* Two classes of 20,000 rows; the true log-odds lie on y. */
static struct toy *odds(double *y, int32_t *k, int n)
{
    struct toy *t = toy_new(n);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b"), *c = toy_number(t, "c");
    for (int i = 0; i < n; i++) {
        a[i] = toy_u(1, i, 0);
        b[i] = toy_u(1, i, 1);
        c[i] = toy_u(1, i, 2);
        y[i] = 8 * (a[i] - 0.5) * (b[i] - 0.3) + 3 * (c[i] > 0.9) - 2;
        k[i] = toy_u(1, i, 3) < vm_expit(y[i]);
    }
    return t;
}

TEST(drawn_by_gradients_a_model_is_as_good_and_the_same_bytes)
{
    enum { N = 20000 };
    static double y[N], p[2 * N];
    static int32_t k[N];
    struct toy *t = odds(y, k, N);
    struct fit_data d = {
        .x = toy_view(t), .task = TIDE_CLASSIFY, .n_classes = 2, .k = k, .seed = 3};
    double gap[3];
    for (int how = 0; how < 3; how++) {
        char options[128];
        uint64_t want = 0;
        snprintf(options, sizeof options, "trees=60,rate=0.1,patience=0,rows=0.3,%s%s",
                 "sampling=", row_sampling_names[how]);
        for (int v = 0; v < 2; v++) {
            struct toy_how with = {.threads = 1 + 2 * v, .isa = v ? TIDE_ISA_BASE : 0};
            struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, &with);
            tide_error err = {0};
            CHECK_INT(m->status, TIDE_OK);
            if (v == 0) want = m->hash;
            CHECK(m->hash == want);
            CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, N, p, &err), 0);
            gap[how] = 0;
            for (int i = 0; i < N; i++)
                gap[how] += fabs(p[2 * i + 1] - vm_expit(y[i])) / N;
            toy_model_free(m);
        }
        CHECK_MSG(gap[how] < 0.05 && gap[how] < 1.15 * gap[0], "%s: %g, uniform %g",
                  row_sampling_names[how], gap[how], gap[0]);
    }
    toy_free(t);
}

TEST(every_loss_and_weight_can_be_drawn_by_gradients)
{
    enum { N = 3000 };
    static double y[N], w[N], out[N];
    static int32_t k[N];
    struct toy *t = odds(y, k, N);
    for (int i = 0; i < N; i++) {
        y[i] = vm_expit(y[i]);
        w[i] = 0.1 + 9 * toy_u(2, i, 0);
    }
    static const char *const losses[] = {"squared", "absolute", "pseudo_huber",
                                         "gamma",   "poisson",  "cross_entropy"};
    for (int v = 0; v < 12; v++) {
        struct fit_data d = {.x = toy_view(t),
                             .task = TIDE_REGRESS,
                             .y = y,
                             .w = v % 2 ? w : NULL,
                             .seed = 3};
        char options[128];
        double error = 0, mean = 0, plain = 0;
        tide_error err = {0};
        snprintf(options, sizeof options,
                 "trees=80,rate=0.1,rows=0.2,sampling=%s,loss=%s",
                 v % 4 < 2 ? "mvs" : "goss", losses[v / 2]);
        struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
        CHECK_INT(tide_learner_gbdt.predict(m->object, d.x, 0, N, out, &err), 0);
        for (int i = 0; i < N; i++) mean += y[i] / N;
        for (int i = 0; i < N; i++) {
            error += fabs(out[i] - y[i]) / N;
            plain += fabs(mean - y[i]) / N;
        }
        CHECK_MSG(error < 0.3 * plain, "%s: mean error %g of %g", options, error,
                  plain);
        toy_model_free(m);
    }
    toy_free(t);
}

TEST(decay_shrinks_each_round_by_the_same_factor)
{
    static double y[400];
    struct toy *t = toy_new(400);
    double *x = toy_number(t, "x");
    for (int i = 0; i < 400; i++) y[i] = 100 * (x[i] = i % 2);
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
    struct toy_model *m = toy_fit(GBDT, "trees=3,rate=0.5,decay=0.5,l2=0,patience=0",
                                  &d, t->n_levels, NULL);
    int64_t n = 0;
    const double *leaf = toy_array(m, "leaf", &n);
    CHECK_INT(n, 6); /* residuals 50, 25, 18.75 with rates 1/2, 1/4, 1/8 */
    CHECK_NEAR(leaf[1], 25, 1e-2);
    CHECK_NEAR(leaf[3], 6.25, 1e-2);
    CHECK_NEAR(leaf[5], 2.34375, 1e-2);
    toy_model_free(m);
    char text[128];
    m = toy_fit(GBDT, "trees=1,patience=0", &d, t->n_levels, NULL);
    tide_learner_gbdt.describe(m->object, text, sizeof text);
    CHECK_MSG(!strncmp(text, "1 tree, 2 leaves;", 17), "%s", text);
    toy_model_free(m);
    toy_free(t);
}

TEST(columns_are_drawn_by_level_and_by_node)
{
    enum { N = 4000 };
    static double y[N];
    static int32_t k[N];
    struct toy *t = odds(y, k, N);
    double *e = toy_number(t, "e");
    for (int i = 0; i < N; i++) {
        e[i] = toy_u(9, i, 0);
        y[i] += 3 * e[i];
    }
    struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = 3};
    static const char *const options[] = {"", ",columns_node=0.3",
                                          ",columns_level=0.3"};
    for (int v = 0; v < 3; v++) {
        char text[128];
        uint64_t want = 0;
        int64_t roots[4] = {0}, trees = 0;
        snprintf(text, sizeof text, "trees=200,leaves=4,patience=0%s", options[v]);
        for (int threads = 1; threads <= 3; threads += 2) {
            struct toy_how how = {.threads = threads};
            struct toy_model *m = toy_fit(GBDT, text, &d, t->n_levels, &how);
            CHECK_INT(m->status, TIDE_OK);
            if (threads == 1) want = m->hash;
            CHECK(m->hash == want);
            toy_array(m, "tree_output", &trees);
            const uint32_t *first = toy_array(m, "tree_node", NULL),
                           *column = toy_array(m, "node_column", NULL),
                           *feature = toy_array(m, "column_feature", NULL);
            int mixed = 0, level = 0;
            for (int64_t i = 0; i < trees && threads == 1; i++) {
                if (first[i + 1] == first[i]) continue;
                roots[feature[column[first[i]]]]++;
                mixed++;
                level += first[i + 1] - first[i] > 1;
            }
            CHECK(threads > 1 || (mixed > 100 && level > 50));
            toy_model_free(m);
        }
        if (v)
            for (int j = 0; j < 4; j++) CHECK(roots[j] > 10); /* each has its turn */
    }
    toy_free(t);
}
