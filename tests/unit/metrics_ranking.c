/* Metrics of the order of scores, with the vectors of the checks "proba.*". */
#include "../support/metric.h"
#include "math/roc.h"

static const int32_t t4[] = {0, 0, 1, 1};
static const double s4[] = {0.1, 0.4, 0.35, 0.8};
static const int32_t t10[] = {0, 0, 1, 1, 0, 1, 0, 1, 1, 0};
static const double s10[] = {0.1, 0.4, 0.35, 0.8, 0.65, 0.9, 0.3, 0.5, 0.7, 0.6};

TEST(average_precision_is_the_step_sum)
{
    CHECK_NEAR(metric_scores("ap", t4, s4, 4, 0).value, 0.8333333333333333, 1e-12);
    CHECK_NEAR(metric_scores("average_precision", t4, s4, 4, 0).value,
               0.8333333333333333, 1e-12);
}

TEST(auc_counts_pairs_exactly)
{
    static const int32_t t[] = {0, 1, 0, 1, 1, 0, 0, 1};
    static const double s[] = {0.2, 0.2, 0.5, 0.5, 0.9, 0.1, 0.5, 0.7};
    CHECK(metric_scores("auc", t4, s4, 4, 0).value == 0.75);
    CHECK(metric_scores("roc_auc", t, s, 8, 0).value == 0.78125);
}

TEST(auc_of_tied_scores_is_one_half)
{
    static const double same[] = {0.3, 0.3, 0.3, 0.3};
    CHECK(metric_scores("auc", t4, same, 4, 0).value == 0.5);
}

TEST(auc_of_part_of_the_curve)
{
    CHECK_NEAR(metric_scores("auc(max_fpr=0.5)", t10, s10, 10, 0).value, 0.76, 1e-12);
    CHECK_NEAR(metric_scores("auc(max_fpr=1)", t10, s10, 10, 0).value,
               metric_scores("auc", t10, s10, 10, 0).value, 1e-15);
}

TEST(auc_with_one_class_says_why)
{
    static const int32_t no[] = {0, 0, 0, 0};
    struct tide_metric_out out = metric_scores("auc", no, s4, 4, 1);
    CHECK(!out.defined && isnan(out.value));
    CHECK_STR(out.reason, "auc needs both classes; all 4 rows are class 0");
    CHECK(isnan(metric_scores("ap", no, s4, 4, 1).value));
    CHECK(isnan(metric_scores("ks", no, s4, 4, 1).value));
}

/* thresholds, false and true positive rates of the four rows, highest first */
TEST(curves_step_at_distinct_scores)
{
    static const double fpr[] = {0, 0.5, 0.5, 1}, tpr[] = {0.5, 0.5, 1, 1};
    static const double precision[] = {1, 0.5, 0.6666666666666666, 0.5};
    static const double threshold[] = {0.8, 0.4, 0.35, 0.1};
    static const uint8_t pos[] = {0, 0, 1, 1};
    double tp[4], fp[4], at[4];
    struct arena a;
    struct roc r;
    arena_init(&a, NULL);
    CHECK_INT(roc_sort(&a, s4, pos, NULL, 4, &r), 0);
    CHECK_INT(r.n_groups, 4);
    roc_points(&r, tp, fp, at);
    for (int g = 0; g < 4; g++) {
        CHECK_NEAR(fp[g] / r.w_neg, fpr[g], 1e-13);
        CHECK_NEAR(tp[g] / r.w_pos, tpr[g], 1e-13);
        CHECK_NEAR(tp[g] / (tp[g] + fp[g]), precision[g], 1e-12);
        CHECK(at[g] == threshold[g]);
    }
    arena_free(&a);
}

TEST(ks_is_the_largest_distance)
{
    static const int32_t t[] = {0, 1, 0, 1, 1, 0, 0, 1};
    static const double s[] = {0.2, 0.25, 0.5, 0.55, 0.9, 0.1, 0.45, 0.7};
    CHECK_NEAR(metric_scores("ks", t, s, 8, 0).value, 0.75, 1e-12);
}

TEST(lift_and_gain_of_the_top)
{
    static const int32_t t[] = {1, 0, 1, 1, 0, 0, 1, 0, 0, 0};
    static const double s[] = {0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1};
    CHECK_NEAR(metric_scores("gain(at=0.3)", t, s, 10, 0).value, 0.5, 1e-12);
    CHECK_NEAR(metric_scores("lift(at=0.3)", t, s, 10, 0).value, 1.6666666666666667,
               1e-12);
}

TEST(auc_of_several_classes)
{
    /* by hand: classes 0, 1, 2 against the rest give 8/9, 6/9 and 1 */
    static const int32_t k[] = {0, 0, 1, 1, 2};
    static const double p[] = {0.7, 0.2, 0.1, 0.3, 0.6, 0.1, 0.4, 0.5,
                               0.1, 0.2, 0.5, 0.3, 0.1, 0.3, 0.6};
    struct tide_metric_in in = {
        .task = TIDE_CLASSIFY, .n = 5, .n_classes = 3, .k = k, .proba = p};
    struct tide_metric_out out = metric_ask("auc", &in, 1);
    /* class 0: positives .7 .3 against .4 .2 .1: 5 of 6 pairs; class 1: .5 .5 against .2 .6
     * .3: 4 of 6; class 2: 4 of 4 */
    CHECK_NEAR(out.value, (5.0 / 6 + 4.0 / 6 + 1) / 3, 1e-14);
    CHECK(out.lo < out.value && out.hi > out.value);
    /* pairs: (0|1) 3 of 4, (1|0) 2 of 4, (0|2) 2 of 2, (2|0) 2 of 2, (1|2) 2 of 2, (2|1) 2 of 2 */
    CHECK_NEAR(metric_ask("auc(multi=ovo)", &in, 0).value, (0.75 + 0.5 + 4) / 6, 1e-14);
}

/* Gaussian naive Bayes in sample: variances of the classes, 1e-9 of the largest added. */
static void naive_bayes(const double *x, const int32_t *k, int n, int p, double *proba)
{
    double mean[3][4] = {{0}}, var[3][4] = {{0}}, count[3] = {0}, most = 0;
    for (int i = 0; i < n; i++) count[k[i]] += 1;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++) mean[k[i]][j] += x[i * p + j] / count[k[i]];
    for (int i = 0; i < n; i++)
        for (int j = 0; j < p; j++) {
            double d = x[i * p + j] - mean[k[i]][j];
            var[k[i]][j] += d * d / count[k[i]];
        }
    for (int j = 0; j < p; j++) {
        double m = 0, v = 0;
        for (int i = 0; i < n; i++) m += x[i * p + j] / n;
        for (int i = 0; i < n; i++) v += (x[i * p + j] - m) * (x[i * p + j] - m) / n;
        most = v > most ? v : most;
    }
    for (int i = 0; i < n; i++) {
        double z[3], sum = 0;
        for (int c = 0; c < 3; c++) {
            z[c] = log(count[c] / n);
            for (int j = 0; j < p; j++) {
                double v = var[c][j] + 1e-9 * most, d = x[i * p + j] - mean[c][j];
                z[c] -= 0.5 * log(2 * 3.14159265358979323846 * v) + d * d / (2 * v);
            }
        }
        for (int c = 0; c < 3; c++) {
            double e = 0;
            for (int o = 0; o < 3; o++) e += exp(z[o] - z[c]);
            proba[3 * i + c] = 1 / e;
            sum += 1 / e;
        }
        for (int c = 0; c < 3; c++) proba[3 * i + c] /= sum;
    }
}

TEST(auc_of_naive_bayes_on_iris)
{
    char path[600];
    const char *root = getenv("TIDEMILL_ROOT");
    struct tide_read_options o = {0};
    static double x[150 * 4], proba[150 * 3];
    static int32_t k[150];
    tide_frame *frame = NULL;
    tide_error err = {0};
    snprintf(path, sizeof path, "%s/data/iris.csv.gz", root ? root : ".");
    tide_status status = tide_frame_read(metric_ctx(), path, &o, &frame, &err);
    CHECK_MSG(status == TIDE_OK, "%s", err.message);
    if (status) return;
    CHECK_INT(tide_frame_rows(frame), 150);
    for (int i = 0; i < 150; i++) {
        for (int j = 0; j < 4; j++) x[4 * i + j] = tide_frame_number(frame, i, j);
        k[i] = (int32_t)tide_frame_number(frame, i, 4);
    }
    naive_bayes(x, k, 150, 4, proba);
    struct tide_metric_in in = {
        .task = TIDE_CLASSIFY, .n = 150, .n_classes = 3, .k = k, .proba = proba};
    CHECK_NEAR(metric_ask("auc(multi=ovr)", &in, 0).value, 0.9949333333333333, 1e-9);
    CHECK_NEAR(metric_ask("auc(multi=ovo)", &in, 0).value, 0.9949333333333333, 1e-9);
    tide_frame_free(frame);
}

TEST(weights_count_as_rows_in_order_metrics)
{
    static const double w[] = {1, 2, 3, 1};
    static const double proba[] = {0.9, 0.1, 0.6, 0.4, 0.65, 0.35, 0.2, 0.8};
    static const int32_t t[] = {0, 0, 0, 1, 1, 1, 1};
    static const double s[] = {0.1, 0.4, 0.4, 0.35, 0.35, 0.35, 0.8};
    static const char *const names[] = {"auc", "ap", "ks", "gain(at=0.4)",
                                        "auc(max_fpr=0.4)"};
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 4,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t4,
                                .proba = proba,
                                .w = w};
    for (int i = 0; i < 5; i++)
        CHECK_NEAR(metric_ask(names[i], &in, 0).value,
                   metric_scores(names[i], t, s, 7, 0).value, 1e-14);
}

TEST(intervals_hold_the_order_metrics)
{
    static const char *const names[] = {
        "auc", "ap", "ks", "lift(at=0.3)", "gain(at=0.3)", "auc(max_fpr=0.5)"};
    for (int i = 0; i < 6; i++) {
        struct tide_metric_out a = metric_scores(names[i], t10, s10, 10, 1);
        CHECK_MSG(a.lo <= a.value && a.value <= a.hi && a.lo < a.hi, "%s: %g in %g %g",
                  names[i], a.value, a.lo, a.hi);
    }
    CHECK_STR(metric_scores("auc", t10, s10, 10, 1).method, "delong");
    CHECK_STR(metric_scores("ap", t10, s10, 10, 1).method, "bootstrap");
}

TEST(a_perfect_order_still_has_an_interval)
{
    static const double s[] = {0.1, 0.2, 0.7, 0.8};
    struct tide_metric_out out = metric_scores("auc", t4, s, 4, 1);
    CHECK(out.value == 1 && out.hi == 1 && out.lo > 0.2 && out.lo < 0.5);
    CHECK_STR(out.method, "wilson");
}

TEST(a_probability_that_is_no_number_is_refused)
{
    static const double s[] = {0.1, NAN, 0.7, 0.8};
    double proba[8];
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 4,
                                .n_classes = 2,
                                .positive = 1,
                                .k = t4,
                                .proba = proba};
    struct tide_metric_out out;
    tide_error err = {0};
    for (int i = 0; i < 4; i++) {
        proba[2 * i] = 1 - s[i];
        proba[2 * i + 1] = s[i];
    }
    CHECK_INT(tide_metric_value(metric_ctx(), "auc", &in, 0, &out, &err), TIDE_EINVAL);
    CHECK_INT(tide_metric_value(metric_ctx(), "log_loss", &in, 0, &out, &err),
              TIDE_EINVAL);
    CHECK_INT(tide_metric_value(metric_ctx(), "ece", &in, 0, &out, &err), TIDE_EINVAL);
}

TEST(average_precision_of_many_rows_is_bounded_by_influence)
{
    enum { N = 21000 };
    static int32_t k[N];
    static double proba[2 * N], w[N];
    struct tide_metric_in in = {.task = TIDE_CLASSIFY,
                                .n = 20000,
                                .n_classes = 2,
                                .positive = 1,
                                .k = k,
                                .proba = proba};
    for (unsigned i = 0; i < N; i++) {
        double p = (i * 2654435761u % 30011) / 30011.0;
        proba[2 * i + 1] = p;
        proba[2 * i] = 1 - p;
        k[i] = (i * 40503u % 9973) / 9973.0 < p * p;
        w[i] = 1;
    }
    struct tide_metric_out drawn = metric_ask("ap", &in, 1);
    in.n = N;
    struct tide_metric_out closed = metric_ask("ap", &in, 1);
    CHECK_STR(drawn.method, "bootstrap");
    CHECK_STR(closed.method, "influence");
    CHECK(closed.lo < closed.value && closed.value < closed.hi);
    CHECK_NEAR((closed.hi - closed.lo) / (drawn.hi - drawn.lo), sqrt(20000.0 / N), 0.1);
    in.w = w;
    CHECK_NEAR(metric_ask("ap", &in, 1).lo, closed.lo, 1e-12);
    /* and DeLong's interval is that of drawn rows */
    closed = metric_ask("auc", &in, 1);
    drawn = metric_ask("auc(interval=bootstrap)", &in, 1);
    CHECK_STR(drawn.method, "bootstrap");
    CHECK_NEAR((closed.hi - closed.lo) / (drawn.hi - drawn.lo), 1, 0.1);
    CHECK(closed.value == drawn.value);
}
