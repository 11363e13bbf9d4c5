/* Ranking of one list, with the vectors of the checks "rank.*". */
#include "../support/metric.h"

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
