/* Ranking of lists, with the vectors of the checks "rank.*". */
#include "../support/metric.h"
#include "eval/metric_text.h"

static const double t[] = {10, 0, 0, 1, 5}, s1[] = {0.1, 0.2, 0.3, 4, 70};
static const double s2[] = {0.05, 1.1, 1.0, 0.5, 0.0}, tied[] = {1, 0, 0, 0, 1};

TEST(dcg_and_ndcg_of_scores)
{
    CHECK_NEAR(metric_values("dcg", t, s1, 5), 9.499457825916874, 1e-12);
    CHECK_NEAR(metric_values("ndcg", t, s1, 5), 0.6956940443813074, 1e-12);
    CHECK_NEAR(metric_values("ndcg", t, s2, 5), 0.49368019137737595, 1e-12);
    CHECK_NEAR(metric_values("ndcg(k=4)", t, s2, 5), 0.35202411006344875, 1e-12);
}

TEST(equal_scores_share_their_places)
{
    CHECK_NEAR(metric_values("ndcg(k=1)", t, tied, 5), 0.75, 1e-12);
    CHECK_NEAR(metric_values("ndcg(k=1, ties=order)", t, tied, 5), 0.5, 1e-12);
}

TEST(exponential_gain)
{
    static const double rel[] = {3, 2, 3, 0, 1, 2}, place[] = {6, 5, 4, 3, 2, 1};
    CHECK_NEAR(metric_values("dcg(gain=exponential)", rel, place, 6),
               13.848263629272981, 1e-12);
    CHECK_NEAR(metric_values("dcg(gain=exponential)", rel, rel, 6), 14.595390756454924,
               1e-12);
    CHECK_NEAR(metric_values("ndcg(gain=exponential)", rel, place, 6),
               0.9488107485678985, 1e-12);
}

TEST(precision_and_recall_at_five)
{
    static const double flag[] = {0, 1, 1, 0, 1, 0, 0, 1},
                        place[] = {8, 7, 6, 5, 4, 3, 2, 1};
    CHECK_NEAR(metric_values("map(k=5, relevant=5)", flag, place, 8),
               0.35333333333333333, 1e-12);
    CHECK_NEAR(metric_values("mrr", flag, place, 8), 0.5, 1e-12);
    CHECK_NEAR(metric_values("recall_k(k=5, relevant=5)", flag, place, 8), 0.6, 1e-12);
    CHECK_NEAR(metric_values("precision_k(k=5)", flag, place, 8), 0.6, 1e-12);
}

TEST(a_list_without_relevant_rows_is_undefined)
{
    static const double none[] = {0, 0, 0, 0, 0};
    struct tide_metric_in in = {.task = TIDE_REGRESS, .n = 5, .y = none, .pred = s1};
    CHECK_STR(metric_ask("ndcg", &in, 0).reason,
              "no row is relevant: all 5 are 0 or below");
}

/* ---- several lists ---- */

/* Row i belongs to list i % 4; no row of the last list is relevant. */
static const double many_y[60] = {3, 2, 2, 0, 0, 2, 3, 0, 3, 1, 1, 0, 1, 2, 1,
                                  0, 1, 4, 3, 0, 2, 0, 2, 0, 3, 4, 0, 0, 3, 0,
                                  4, 0, 0, 3, 2, 0, 3, 0, 1, 0, 2, 0, 4, 0, 0,
                                  2, 1, 0, 0, 4, 3, 0, 1, 4, 2, 0, 4, 1, 3, 0};
static const double many_s[60] = {7, 6, 7, 8, 3, 7, 0, 4, 2, 3, 7, 2, 7, 7, 1,
                                  0, 5, 7, 7, 7, 0, 2, 8, 1, 2, 3, 7, 8, 7, 1,
                                  1, 7, 0, 7, 1, 5, 3, 5, 2, 6, 8, 4, 1, 8, 8,
                                  6, 3, 8, 5, 8, 4, 3, 1, 0, 3, 2, 3, 2, 3, 8};

static struct metric_value of_lists(const char *metric, const double *w, int n_lists)
{
    static int64_t group[60];
    struct metric_text text;
    struct metric_value v = {0};
    tide_error err = {0};
    struct metric_data d = {.task = TIDE_REGRESS,
                            .n = 60,
                            .y = many_y,
                            .pred = many_s,
                            .w = w,
                            .group = group};
    for (int i = 0; i < 60; i++) group[i] = i % n_lists * -7;
    CHECK_INT(metric_text_parse(metric, &text, &err), TIDE_OK);
    CHECK_INT(text.metric->value(metric_ctx(), metric_text_params(&text), &d,
                                 METRIC_CI_95, 1, &v, &err),
              TIDE_OK);
    metric_text_free(&text);
    return v;
}

/* means of scikit-learn 1.9's ndcg_score([y], [s], k) over the lists; it says 0 for the last */
TEST(ndcg_of_several_lists_is_their_mean)
{
    CHECK_NEAR(of_lists("ndcg", NULL, 4).value, 0.7359535078387572, 1e-12);
    CHECK_NEAR(of_lists("ndcg(k=10, empty=skip)", NULL, 4).value, 0.6479380104516763,
               1e-12);
    CHECK_NEAR(of_lists("ndcg(k=3)", NULL, 4).value, 0.6683138437892542, 1e-12);
    CHECK_NEAR(of_lists("ndcg(k=60)", NULL, 4).value, 0.8597287462058256, 1e-12);
    CHECK_NEAR(of_lists("ndcg(gain=exponential)", NULL, 4).value, 0.6426555614667947,
               1e-12);
    CHECK_NEAR(of_lists("ndcg(gain=exponential, empty=zero)", NULL, 4).value,
               0.6426555614667947 - 0.25, 1e-12);
}

TEST(a_list_weighs_the_mean_of_its_rows)
{
    double w[60];
    for (int i = 0; i < 60; i++) w[i] = i % 4 == 1 ? 2 + (i < 30 ? 0.5 : -0.5) : 0.5;
    double one = 0.5595282919944073, two = 0.8009442372561044,
           three = 0.5833415021045172;
    double mean = 0;
    for (int i = 1; i < 60; i += 4) mean += w[i] / 15;
    CHECK_NEAR(of_lists("ndcg", w, 4).value,
               (0.5 * one + mean * two + 0.5 * three + 0.5) / (mean + 1.5), 1e-12);
}

TEST(lists_are_drawn_for_the_interval)
{
    struct metric_value v = of_lists("ndcg", NULL, 4);
    CHECK_STR(v.method, "bootstrap");
    CHECK(v.lo < v.value && v.value < v.hi && v.lo > 0.5 && v.hi <= 1);
    CHECK(isnan(of_lists("ndcg", NULL, 1).lo)); /* one list: nothing to draw */
    v = of_lists("map", NULL, 4);
    CHECK(v.defined && v.value > 0 && v.value <= 1);
    double with = of_lists("mrr(empty=one)", NULL, 4).value,
           without = of_lists("mrr", NULL, 4).value;
    CHECK_NEAR(with - without, 0.25, 1e-12);
}
