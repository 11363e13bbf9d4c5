/* Metrics of predicted classes, with the vectors of the checks "cls.*". */
#include "../support/metric.h"
#include "metrics/confusion.h"

static const int32_t t3[] = {0, 1, 2, 0, 1, 2}, p3[] = {0, 2, 1, 0, 0, 1};
#define THREE(metric) metric_classes(metric, t3, p3, 6, 3)

/* A metric of one class of t3, p3 against the rest. */
static double of_class(const char *metric, int32_t k)
{
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 6,
                                .n_classes = 3,
                                .positive = k,
                                .k = t3,
                                .label = p3};
    return metric_ask(metric, &in, 0).value;
}

TEST(averages_follow_their_definitions)
{
    CHECK_NEAR(THREE("precision(average=macro)"), 0.2222222222222222, 1e-12);
    CHECK_NEAR(THREE("recall(average=macro)"), 0.3333333333333333, 1e-12);
    CHECK_NEAR(THREE("f1(average=macro)"), 0.26666666666666666, 1e-12);
    CHECK_NEAR(THREE("precision(average=micro)"), 0.3333333333333333, 1e-12);
    CHECK_NEAR(THREE("recall(average=micro)"), 0.3333333333333333, 1e-12);
    CHECK_NEAR(THREE("f1(average=micro)"), 0.3333333333333333, 1e-12);
    CHECK_NEAR(THREE("precision(average=weighted)"), 0.2222222222222222, 1e-12);
    CHECK_NEAR(THREE("recall(average=weighted)"), 0.3333333333333333, 1e-12);
    CHECK_NEAR(THREE("f1(average=weighted)"), 0.26666666666666666, 1e-12);
    CHECK_NEAR(THREE("f1"), THREE("f1(average=macro)"), 0);
    CHECK_NEAR(THREE("f_beta(average=macro, beta=0.5)"), 0.23809523809523805, 1e-12);
    CHECK_NEAR(THREE("f_beta(average=macro,beta=2)"), 0.30303030303030304, 1e-12);
}

TEST(one_class_against_the_rest)
{
    static const double f1[] = {0.8, 0, 0}, specificity[] = {0.75, 0.5, 0.75};
    for (int32_t k = 0; k < 3; k++) {
        CHECK_NEAR(of_class("f1(average=binary)", k), f1[k], 1e-12);
        CHECK_NEAR(of_class("specificity(average=binary)", k), specificity[k], 1e-12);
    }
}

TEST(confusion_rows_are_the_truth)
{
    static const int32_t t[] = {2, 0, 2, 2, 0, 1}, p[] = {0, 0, 2, 2, 0, 2};
    static const double want[3][3] = {{2, 0, 0}, {0, 0, 1}, {1, 0, 2}};
    struct metric_data d = {.n = 6, .n_classes = 3, .k = t, .label = p};
    struct confusion c;
    struct arena a;
    arena_init(&a, NULL);
    CHECK_INT(confusion_build(&a, &d, &c, NULL), TIDE_OK);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) CHECK_NEAR(c.cell[i * 4 + j], want[i][j], 0);
    arena_free(&a);
}

TEST(accuracy_and_its_kin)
{
    static const int32_t t4[] = {0, 1, 2, 3}, p4[] = {0, 2, 1, 3};
    static const int32_t tb[] = {0, 1, 0, 0, 1, 0}, pb[] = {0, 1, 0, 0, 0, 1};
    static const int32_t tz[] = {2, 2, 3, 4}, pz[] = {1, 2, 3, 4};
    CHECK(metric_classes("accuracy", t4, p4, 4, 4) == 0.5);
    CHECK_NEAR(metric_classes("balanced_accuracy", tb, pb, 6, 2), 0.625, 1e-12);
    CHECK_NEAR(metric_classes("zero_one_loss", tz, pz, 4, 5), 0.25, 1e-12);
    CHECK_NEAR(metric_classes("error", tz, pz, 4, 5), 0.25, 1e-12);
}

TEST(hamming_counts_every_label_of_a_table)
{
    static const int32_t t[] = {0, 1, 1, 1}, p[] = {0, 0, 0, 0};
    CHECK_NEAR(metric_classes("hamming", t, p, 4, 2), 0.75, 1e-12);
}

TEST(matthews_and_kappa)
{
    static const int32_t tm[] = {1, 1, 1, 0}, pm[] = {1, 0, 1, 1};
    static const int32_t tk[] = {0, 2, 0, 1, 2}, pk[] = {0, 2, 0, 1, 0};
    static const int32_t tq[] = {0, 1, 2, 2, 1, 0, 3, 3},
                         pq[] = {0, 2, 2, 1, 1, 0, 3, 2};
    CHECK_NEAR(metric_classes("mcc", tm, pm, 4, 2), -0.3333333333333333, 1e-12);
    CHECK_NEAR(metric_classes("kappa", tk, pk, 5, 3), 0.6875, 1e-12);
    CHECK_NEAR(metric_classes("kappa(weights=quadratic)", tq, pq, 8, 4),
               0.8333333333333334, 1e-12);
}

TEST(jaccard_binary_columns_and_classes)
{
    static const int32_t t[2][3] = {{0, 1, 1}, {1, 1, 0}},
                         p[2][3] = {{1, 1, 1}, {1, 0, 0}};
    static const int32_t tc[] = {0, 1, 2, 2}, pc[] = {0, 2, 1, 2};
    static const double want[] = {1, 0, 0.3333333333333333};
    double macro = 0;
    CHECK_NEAR(metric_classes("jaccard", t[0], p[0], 3, 2), 0.6666666666666666, 1e-12);
    for (int j = 0; j < 3; j++) {
        int32_t tj[2] = {t[0][j], t[1][j]}, pj[2] = {p[0][j], p[1][j]};
        macro += metric_classes("jaccard", tj, pj, 2, 2) / 3;
    }
    CHECK_NEAR(macro, 0.6666666666666666, 1e-12);
    for (int32_t k = 0; k < 3; k++) {
        struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                    .n = 4,
                                    .n_classes = 3,
                                    .positive = k,
                                    .k = tc,
                                    .label = pc};
        CHECK_NEAR(metric_ask("jaccard(average=binary)", &in, 0).value, want[k], 1e-12);
    }
}

TEST(likelihood_ratios_divide_by_false_alarms)
{
    static const int32_t t[] = {0, 1, 0, 1, 0}, p[] = {1, 1, 0, 0, 0};
    CHECK_NEAR(metric_classes("lr_plus", t, p, 5, 2), 1.5, 1e-12);
    CHECK_NEAR(metric_classes("lr_minus", t, p, 5, 2), 0.75, 1e-12);
}

TEST(geometric_mean_with_and_without_correction)
{
    CHECK_NEAR(THREE("g_mean"), 0, 1e-12);
    CHECK_NEAR(THREE("g_mean(correction=0.001)"), 0.010000000000000002, 1e-12);
}

/* 40 true and 20 false positives, 10 false and 130 true negatives */
static void two_hundred(int32_t *t, int32_t *p)
{
    for (int i = 0; i < 200; i++) {
        t[i] = i < 50;
        p[i] = i < 40 || (i >= 50 && i < 70);
    }
}

TEST(balanced_error_and_youden)
{
    int32_t t[200], p[200];
    two_hundred(t, p);
    CHECK_NEAR(1 - metric_classes("balanced_accuracy", t, p, 200, 2),
               0.16666666666666663, 1e-12);
    CHECK_NEAR(metric_classes("youden", t, p, 200, 2), 0.6666666666666666, 1e-12);
    CHECK_NEAR(metric_classes("cost(fp=1, fn=9)", t, p, 200, 2), (20 + 90) / 200.0,
               1e-12);
    CHECK_NEAR(metric_classes("iba", t, p, 200, 2),
               (1 + 0.1 * (0.8 - 130.0 / 150)) * 0.8 * 130 / 150, 1e-12);
}

TEST(the_cheapest_threshold_is_elkans)
{
    CHECK_NEAR(confusion_cost_threshold(1, 9), 0.1, 1e-12);
}

TEST(zero_division_is_zero)
{
    static const int32_t t[] = {0, 0, 0, 0}, p[] = {0, 0, 0, 0};
    CHECK(metric_classes("precision", t, p, 4, 2) == 0);
    CHECK(metric_classes("recall", t, p, 4, 2) == 0);
    CHECK(metric_classes("f1", t, p, 4, 2) == 0);
    CHECK(metric_classes("mcc", t, p, 4, 2) == 0);
}

TEST(undefined_says_why)
{
    static const int32_t t[] = {0, 0, 0}, p[] = {0, 0, 0};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 3,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t,
                                .label = p};
    struct tide_metric_out out = metric_ask("youden", &in, 1);
    CHECK(!out.defined && isnan(out.value) && isnan(out.lo));
    CHECK_STR(out.reason, "there is no row of the positive class");
    in.n = 0;
    out = metric_ask("accuracy", &in, 1);
    CHECK_STR(out.reason, "0 rows");
    out = metric_ask("kappa", &in, 0);
    CHECK(!out.defined);
}

TEST(weights_count_as_rows)
{
    static const int32_t t[] = {0, 0, 1, 1, 1, 2}, p[] = {0, 1, 1, 1, 2, 2};
    static const double w[] = {2, 1, 3, 1, 2, 1};
    int32_t tw[10], pw[10];
    int n = 0;
    const char *const names[] = {
        "accuracy", "balanced_accuracy", "precision", "f1(average=weighted)", "mcc",
        "kappa",    "jaccard",           "g_mean"};
    struct tide_metric_in in = {
        .task = TIDE_CLASSIFY, .n = 6, .n_classes = 3, .k = t, .label = p, .w = w};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < (int)w[i]; j++) {
            tw[n] = t[i];
            pw[n++] = p[i];
        }
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(metric_ask(names[i], &in, 0).value,
                   metric_classes(names[i], tw, pw, n, 3), 1e-14);
}

TEST(a_class_the_model_does_not_know_counts_as_wrong)
{
    static const int32_t t[] = {0, 1, 2, 0}, p[] = {0, 1, 0, 0};
    CHECK_NEAR(metric_classes("accuracy", t, p, 4, 2), 0.75, 0);
    CHECK_NEAR(metric_classes("balanced_accuracy", t, p, 4, 2), 2.0 / 3, 1e-15);
}

TEST(intervals_hold_the_value)
{
    static const char *const names[] = {"accuracy",
                                        "precision",
                                        "recall",
                                        "f1",
                                        "mcc",
                                        "kappa",
                                        "jaccard",
                                        "g_mean",
                                        "youden",
                                        "lr_plus",
                                        "balanced_accuracy",
                                        "cost",
                                        "iba"};
    int32_t t[200], p[200];
    double w[200];
    two_hundred(t, p);
    for (int i = 0; i < 200; i++) w[i] = 1 + i % 3;
    for (int i = 0; i < METRIC_COUNT(names); i++) {
        struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                    .n = 200,
                                    .n_classes = 2,
                                    .positive = 1,
                                    .k = t,
                                    .label = p};
        struct tide_metric_out a = metric_ask(names[i], &in, 1), b;
        CHECK_MSG(a.lo < a.value && a.value < a.hi, "%s: %g in %g %g", names[i],
                  a.value, a.lo, a.hi);
        b = metric_ask(names[i], &in, 1);
        CHECK(a.lo == b.lo && a.hi == b.hi);
        in.w = w;
        a = metric_ask(names[i], &in, 1);
        CHECK_MSG(a.lo < a.value && a.value < a.hi, "%s weighted: %g in %g %g",
                  names[i], a.value, a.lo, a.hi);
    }
}

TEST(bad_text_names_the_metric)
{
    static const int32_t t[] = {0, 1}, p[] = {0, 1};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 2,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t,
                                .label = p};
    static const char *const bad[] = {"accuracyy",
                                      "f_beta(beta=2",
                                      "f_beta(beta)",
                                      "f_beta(beta=-1)",
                                      "f_beta(bta=1)",
                                      "mcc(x=1)",
                                      "",
                                      "rmse",
                                      "f1(average=some)"};
    struct tide_metric_out out;
    for (int i = 0; i < METRIC_COUNT(bad); i++) {
        tide_error err = {0};
        CHECK_MSG(tide_metric_value(metric_ctx(), bad[i], &in, 0, &out, &err) ==
                      TIDE_EINVAL,
                  "%s was taken", bad[i]);
        CHECK(err.message[0]);
    }
}
