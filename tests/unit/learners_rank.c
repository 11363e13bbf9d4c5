/* learners_rank.c - lambdarank and xendcg: derivatives and NDCG against slow references, order, groups */
#include <stdio.h>

#include "base/rng.h"
#include "learners/tree/rank_loss.h"
#include "learners/tree/row_sample.h"
#include "simd/vmath.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt, tide_learner_bagging,
    tide_learner_stacking;
#define GBDT &tide_learner_gbdt

/* Queries of 1 to `most` rows whose rows are scattered; labels 0 to 4 that x and z tell of. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y, *w, *x, *z;
    int64_t *group;
};
static struct table table_new(int64_t n, int64_t most)
{
    struct table s = {.t = toy_new(n)};
    s.x = toy_number(s.t, "x");
    s.z = toy_number(s.t, "z");
    s.y = calloc((size_t)n, sizeof *s.y);
    s.w = calloc((size_t)n, sizeof *s.w);
    s.group = calloc((size_t)n, sizeof *s.group);
    int64_t n_groups = 1 + 2 * n / (most + 1);
    for (int64_t i = 0; i < n; i++) {
        s.x[i] = floor(20 * toy_u(1, i, 0)) / 20;
        s.z[i] = toy_u(1, i, 1);
        s.group[i] = (int64_t)((double)n_groups * toy_u(1, i, 2)) * 1000003 - 77;
        s.y[i] = floor(5 * (0.7 * s.x[i] * s.z[i] + 0.3 * toy_u(1, i, 3)));
        s.w[i] = 0.5 + toy_u(1, i, 4);
    }
    s.d = (struct fit_data){.x = toy_view(s.t),
                            .task = TIDE_REGRESS,
                            .y = s.y,
                            .group = s.group,
                            .seed = 3};
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->w);
    free(s->group);
}

static double gain(double label)
{
    return pow(2, label) - 1;
}
static double discount(int place)
{
    return 1 / log2(place + 2);
}

/* Place of row i in its query: rows of larger score, then of equal score and smaller number. */
static int place_of(const struct table *s, const double *score, int64_t i)
{
    int place = 0;
    for (int64_t j = 0; j < s->t->n; j++)
        place += s->group[j] == s->group[i] &&
                 (score[j] > score[i] || (score[j] == score[i] && j < i));
    return place;
}

/* DCG of the best order: every row stands behind those of larger label. */
static double slow_best(const struct table *s, int64_t of, int places)
{
    double sum = 0;
    for (int64_t i = 0; i < s->t->n; i++) {
        int place = s->group[i] == s->group[of] ? place_of(s, s->y, i) : places;
        if (place < places) sum += gain(s->y[i]) * discount(place);
    }
    return sum;
}

/* All pairs of a query by the definition; out: derivatives of its rows. */
static void slow_lambdas(const struct table *s, const double *score, int64_t of,
                         int truncation, double *g, double *h)
{
    double best = slow_best(s, of, truncation), sum = 0, lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < s->t->n; i++) {
        if (s->group[i] != s->group[of]) continue;
        g[i] = h[i] = 0;
        lo = score[i] < lo ? score[i] : lo;
        hi = score[i] > hi ? score[i] : hi;
    }
    for (int64_t i = 0; i < s->t->n; i++)
        for (int64_t j = 0; j < s->t->n; j++) {
            if (s->group[i] != s->group[of] || s->group[j] != s->group[of]) continue;
            if (!(s->y[i] > s->y[j])) continue;
            int a = place_of(s, score, i), b = place_of(s, score, j);
            if (a >= truncation && b >= truncation) continue;
            double ds = score[i] - score[j];
            double delta = (gain(s->y[i]) - gain(s->y[j])) *
                           fabs(discount(a) - discount(b)) / best;
            if (lo < hi) delta /= 0.01 + fabs(ds);
            double p = 1 / (1 + exp(ds));
            g[i] -= p * delta;
            g[j] += p * delta;
            h[i] += p * (1 - p) * delta;
            h[j] += p * (1 - p) * delta;
            sum += 2 * p * delta;
        }
    for (int64_t i = 0; i < s->t->n && sum > 0; i++) {
        if (s->group[i] != s->group[of]) continue;
        g[i] *= log2(1 + sum) / sum;
        h[i] *= log2(1 + sum) / sum;
    }
}

TEST(derivatives_are_those_of_a_slow_reference)
{
    enum { N = 160 };
    for (int v = 0; v < 14;
         v++) { /* the last: one query, of more rows than are counted */
        struct table s = table_new(N, v >= 12 ? 100 * N : v % 3 == 2 ? 90 : 12);
        int truncation = v % 2 ? 3 : 30;
        double score[N], g[N], h[N];
        struct arena a;
        struct rank *r = NULL;
        arena_init(&a, NULL);
        for (int i = 0; i < N; i++) /* all alike, with ties, all different */
            score[i] = v < 3   ? 0
                       : v < 8 ? floor(5 * toy_u(9, i, (uint32_t)v)) / 2
                               : 4 * toy_u(9, i, (uint32_t)v);
        CHECK_INT(rank_new(NULL, &s.d, NULL, NULL, truncation, &a, &r, NULL), 0);
        CHECK_INT(rank_derive(r, score, NULL), 0);
        for (int i = 0; i < N; i++) {
            int first = 1;
            for (int j = 0; j < i; j++) first &= s.group[j] != s.group[i];
            if (first) slow_lambdas(&s, score, i, truncation, g, h);
        }
        for (int i = 0; i < N; i++) {
            CHECK_NEAR(rank_g(r)[i], g[i], 1e-12);
            CHECK_NEAR(rank_h(r)[i], h[i], 1e-12);
        }
        arena_free(&a);
        table_free(&s);
    }
}

/* Scores so far apart that their exponentials leave the range of f64, or their difference does. */
TEST(scores_far_apart_keep_derivatives_finite)
{
    enum { N = 160 };
    static const double apart[] = {30, 3000, 1e300};
    for (int v = 0; v < 3; v++) {
        struct table s = table_new(N, 40);
        double score[N], sum_g = 0, sum_abs = 0;
        struct arena a;
        struct rank *r = NULL;
        arena_init(&a, NULL);
        for (int i = 0; i < N; i++) score[i] = apart[v] * (toy_u(9, i, 0) - 0.5);
        CHECK_INT(rank_new(NULL, &s.d, NULL, NULL, 30, &a, &r, NULL), 0);
        CHECK_INT(rank_derive(r, score, NULL), 0);
        for (int i = 0; i < N; i++) {
            CHECK(isfinite(rank_g(r)[i]) && isfinite(rank_h(r)[i]) &&
                  rank_h(r)[i] >= 0);
            sum_g += rank_g(r)[i];
            sum_abs += fabs(rank_g(r)[i]);
        }
        CHECK(sum_abs > 0 && fabs(sum_g) <= 1e-12 * sum_abs);
        arena_free(&a);
        table_free(&s);
    }
}

/* Bruch's derivatives of the rows of a query, each sum by the definition. */
static void slow_entropy(const struct table *s, const double *score, int64_t of,
                         int round, double *g, double *h)
{
    struct rng_key key = rng_key(s->d.seed, "xendcg");
    double p[160], q[160], t[160], added[160], all_p = 0, all_q = 0;
    int64_t in[160], m = 0;
    for (int64_t i = 0; i < s->t->n; i++) {
        if (s->group[i] != s->group[of]) continue;
        in[m++] = i;
        p[i] = exp(score[i]);
        q[i] = pow(2, s->y[i]) - rng_u01(rng_at(key, i, (uint32_t)round, 0));
        all_p += p[i];
        all_q += q[i];
    }
    int teaches = m > 1 && slow_best(s, of, 30) > 0;
    for (int64_t k = 0; k < m; k++) {
        int64_t i = in[k];
        p[i] /= all_p;
        g[i] = t[i] = teaches ? p[i] - q[i] / all_q : 0;
        h[i] = teaches ? p[i] * (1 - p[i]) : 0;
    }
    for (int order = 2; order < 4 && teaches; order++) {
        for (int64_t k = 0; k < m; k++) {
            added[in[k]] = 0;
            for (int64_t j = 0; j < m; j++)
                if (j != k) added[in[k]] += p[in[k]] * t[in[j]] / (1 - p[in[j]]);
        }
        for (int64_t k = 0; k < m; k++) g[in[k]] += t[in[k]] = added[in[k]];
    }
}

TEST(cross_entropy_derivatives_are_those_of_a_slow_reference)
{
    enum { N = 160 };
    for (int v = 0; v < 8; v++) {
        struct table s = table_new(N, v % 3 == 2 ? 90 : 8);
        double score[N], g[N], h[N];
        struct arena a;
        struct rank *r = NULL;
        arena_init(&a, NULL);
        for (int i = 0; i < N; i++) {
            score[i] = v < 2 ? 0 : 4 * toy_u(9, i, (uint32_t)v);
            if (v == 3) s.y[i] = 0;
        }
        CHECK_INT(rank_new(NULL, &s.d, NULL, NULL, 30, &a, &r, NULL), 0);
        CHECK_INT(rank_derive_entropy(r, score, v, NULL), 0);
        for (int i = 0; i < N; i++) {
            int first = 1;
            for (int j = 0; j < i; j++) first &= s.group[j] != s.group[i];
            if (first) slow_entropy(&s, score, i, v, g, h);
        }
        for (int i = 0; i < N; i++) {
            CHECK_NEAR(rank_g(r)[i], g[i], 1e-12);
            CHECK_NEAR(rank_h(r)[i], h[i], 1e-12);
            CHECK(v != 3 || rank_g(r)[i] == 0);
        }
        arena_free(&a);
        table_free(&s);
    }
}

TEST(a_row_far_above_the_others_keeps_cross_entropy_finite)
{
    struct table s = table_new(40, 40);
    double score[40] = {0};
    struct arena a;
    struct rank *r = NULL;
    arena_init(&a, NULL);
    for (int i = 0; i < 40; i++) s.group[i] = 1;
    score[11] = 900;
    CHECK_INT(rank_new(NULL, &s.d, NULL, NULL, 30, &a, &r, NULL), 0);
    CHECK_INT(rank_derive_entropy(r, score, 0, NULL), 0);
    for (int i = 0; i < 40; i++)
        CHECK(fabs(rank_g(r)[i]) < 1e13 && rank_h(r)[i] >= 0 && rank_h(r)[i] <= 0.25);
    arena_free(&a);
    table_free(&s);
}

/* NDCG of the first ten places, rows of one score sharing theirs. */
static double slow_ndcg(const struct table *s, const double *score, int64_t of)
{
    double sum = 0, best = slow_best(s, of, 10);
    for (int64_t i = 0; i < s->t->n; i++) {
        if (s->group[i] != s->group[of]) continue;
        int first = 0, alike = 0;
        double mean = 0;
        for (int64_t j = 0; j < s->t->n; j++) {
            if (s->group[j] != s->group[of]) continue;
            first += score[j] > score[i];
            alike += score[j] == score[i];
        }
        for (int p = first; p < first + alike && p < 10; p++)
            mean += discount(p) / alike;
        sum += gain(s->y[i]) * mean;
    }
    return best > 0 ? sum / best : 1;
}

TEST(ndcg_of_the_rows_watched_is_that_of_a_slow_reference)
{
    enum { N = 160 };
    for (int v = 0; v < 8; v++) {
        struct table s = table_new(N, v % 2 ? 40 : 8);
        struct arena a;
        struct rank *r = NULL;
        double score[N], sum = 0, all = 0;
        uint8_t skip[N];
        arena_init(&a, NULL);
        for (int i = 0; i < N; i++) {
            score[i] = v < 2 ? 0 : floor(9 * toy_u(8, i, (uint32_t)v));
            skip[i] = v < 4 || s.group[i] % 2 == 0;
            if (v == 3) s.y[i] = 0;
        }
        s.d.w = v > 5 ? s.w : NULL;
        struct fit_data d;
        CHECK_INT(rank_weigh(&s.d, &a, &d, NULL), 0);
        CHECK_INT(rank_new(NULL, &d, NULL, skip, 30, &a, &r, NULL), 0);
        for (int i = 0; i < N; i++) {
            double w = 0;
            int first = 1, rows = 0;
            for (int j = 0; j < i; j++) first &= s.group[j] != s.group[i];
            if (!first || !skip[i]) continue;
            for (int j = 0; j < N; j++) {
                if (s.group[j] != s.group[i]) continue;
                w += v > 5 ? s.w[j] : 1;
                rows++;
            }
            sum += w / rows * slow_ndcg(&s, score, i);
            all += w / rows;
        }
        CHECK_NEAR(rank_watched(r, score), sum / all, 1e-12);
        arena_free(&a);
        table_free(&s);
    }
}

static uint64_t hash_of(const struct table *s, const struct fit_data *d,
                        const char *options, const struct toy_how *how)
{
    struct toy_model *m = toy_fit(GBDT, options, d, s->t->n_levels, how);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    uint64_t hash = m->hash;
    toy_model_free(m);
    return hash;
}

TEST(bytes_depend_on_no_thread_no_set_and_no_order_of_rows)
{
    static const char *const options[] = {
        "trees=6,loss=lambdarank",
        "trees=6,loss=rank:ndcg,rows=0.7,truncation=5",
        "trees=6,loss=lambdamart,patience=0,dart=0.4,dart_skip=0",
        "trees=6,loss=lambdarank,rows=0.5,sampling=goss",
        "trees=6,loss=xendcg",
        "trees=6,loss=rank_xendcg,patience=0,rows=0.5,sampling=goss"};
    for (int size = 0; size < 2; size++) {
        struct table s = table_new(size ? 9001 : 701, 60);
        int64_t n = s.t->n, *rows = calloc((size_t)n, sizeof *rows);
        int64_t *group = calloc((size_t)n, sizeof *group);
        double *y = calloc((size_t)n, sizeof *y), *w = calloc((size_t)n, sizeof *w);
        struct view turned = *s.d.x;
        s.d.w = s.w;
        for (int64_t i = 0; i < n; i++) { /* 7 divides neither */
            rows[i] = (i * 7 + 3) % n;
            y[i] = s.y[rows[i]];
            w[i] = s.w[rows[i]];
            group[i] = s.group[rows[i]];
        }
        turned.rows = rows;
        struct fit_data other = s.d;
        other.x = &turned;
        other.y = y;
        other.w = w;
        other.group = group;
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            uint64_t want = hash_of(&s, &s.d, options[o], NULL);
            for (int v = 0; v < 4; v++) {
                struct toy_how how = {.threads = 1 + v % 3};
                if (v == 2) how.isa = TIDE_ISA_BASE;
                if (v == 3) how.isa = TIDE_ISA_AVX2;
                CHECK_MSG(hash_of(&s, &s.d, options[o], &how) == want,
                          "%s: other bytes in variant %d", options[o], v);
            }
            CHECK_MSG(hash_of(&s, &other, options[o], NULL) == want,
                      "%s: other bytes for another order of rows", options[o]);
        }
        free(rows);
        free(group);
        free(y);
        free(w);
        table_free(&s);
    }
}

static void check_ranks(const char *loss)
{
    enum { N = 6000 };
    struct table s = table_new(N, 40);
    static double out[N], none[N];
    struct arena a;
    struct rank *r = NULL;
    tide_error err = {0};
    char options[96];
    arena_init(&a, NULL);
    snprintf(options, sizeof options, "trees=200,rate=0.2,patience=10,loss=%s", loss);
    struct toy_model *m = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    CHECK(m->info.best_round > 0 && m->info.rounds < 200);
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, N, out, &err), 0);
    CHECK_INT(rank_new(NULL, &s.d, &s.d, NULL, 30, &a, &r, NULL), 0);
    CHECK_MSG(rank_watched(r, out) > 0.9, "%s: %g", loss, rank_watched(r, out));
    CHECK_MSG(rank_watched(r, none) < 0.6, "%g", rank_watched(r, none));
    toy_model_free(m);
    arena_free(&a);
    table_free(&s);
}

TEST(scores_rank_better_than_chance_and_stop_by_ndcg)
{
    check_ranks("lambdarank");
    check_ranks("xendcg");
}

TEST(a_query_weighs_the_mean_of_its_rows)
{
    struct table s = table_new(1500, 30);
    static double w[1500];
    s.d.w = s.w;
    uint64_t want = hash_of(&s, &s.d, "trees=5,loss=lambdarank", NULL);
    /* the mean of each query for every row: exact where weights are eighths */
    for (int i = 0; i < 1500; i++) s.w[i] = 1 + 2 * (double)(s.group[i] % 3 == 0);
    uint64_t even = hash_of(&s, &s.d, "trees=5,loss=lambdarank", NULL);
    CHECK(even != want);
    for (int i = 0; i < 1500;
         i++) { /* +1 and -1 on two rows of a query, where there are */
        w[i] += s.w[i];
        for (int j = i + 1; j < 1500 && w[i] == s.w[i]; j++)
            if (s.group[j] == s.group[i] && w[j] == 0) {
                w[i] += 0.5;
                w[j] -= 0.5;
            }
    }
    s.d.w = w;
    CHECK(hash_of(&s, &s.d, "trees=5,loss=lambdarank", NULL) == even);
    table_free(&s);
}

TEST(groups_are_put_aside_whole)
{
    enum { N = 3000 };
    struct table s = table_new(N, 30);
    static int64_t unit[N];
    struct arena a;
    arena_init(&a, NULL);
    int64_t n = row_groups_draw(s.group, N, 1, &a, unit), distinct = 0;
    for (int i = 0; i < N; i++) {
        int first = 1;
        CHECK(unit[i] >= 0 && unit[i] < n);
        for (int j = 0; j < i; j++) {
            CHECK((s.group[j] == s.group[i]) == (unit[j] == unit[i]));
            first &= s.group[j] != s.group[i];
        }
        distinct += first;
    }
    CHECK_INT(n, distinct);
    arena_free(&a);
    /* every other loss then draws whole groups, too */
    uint64_t grouped = hash_of(&s, &s.d, "trees=40,patience=2", NULL);
    s.d.group = NULL;
    CHECK(hash_of(&s, &s.d, "trees=40,patience=2", NULL) != grouped);
    table_free(&s);
}

TEST(one_query_and_queries_of_one_row_are_learned)
{
    struct table s = table_new(300, 30);
    for (int i = 0; i < 300; i++) s.group[i] = 5;
    (void)hash_of(&s, &s.d, "trees=4,loss=lambdarank", NULL);
    for (int i = 0; i < 300; i++) s.group[i] = i;
    (void)hash_of(&s, &s.d, "trees=4,loss=lambdarank,l2=0,min_hessian=0", NULL);
    (void)hash_of(&s, &s.d, "trees=4,loss=xendcg,l2=0,min_hessian=0", NULL);
    for (int i = 0; i < 300; i++) s.y[i] = 2;
    struct toy_model *m =
        toy_fit(GBDT, "trees=4,loss=lambdarank", &s.d, s.t->n_levels, NULL);
    double out = 1;
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 1, &out, &m->err), 0);
    CHECK(out == 0);
    toy_model_free(m);
    table_free(&s);
}

TEST(targets_that_are_no_labels_and_rows_without_queries_are_refused)
{
    static const double bad[] = {-1, 2.5, 32};
    struct table s = table_new(100, 10);
    struct toy_model *m;
    for (int v = 0; v < 3; v++) {
        double was = s.y[41];
        s.y[41] = bad[v];
        m = toy_fit(GBDT, "trees=3,loss=lambdarank", &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->err.code, TIDE_CODE_DATA_TARGET);
        CHECK_INT(m->err.row, 42);
        CHECK_MSG(strstr(m->err.message, "whole numbers in [0, 31]") != NULL, "%s",
                  m->err.message);
        toy_model_free(m);
        s.y[41] = was;
    }
    s.d.group = NULL;
    m = toy_fit(GBDT, "trees=3,loss=lambdarank", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    CHECK_STR(m->err.option, "group");
    toy_model_free(m);
    table_free(&s);
}

TEST(members_learn_the_same_queries)
{
    struct table s = table_new(400, 20);
    double out[2] = {0, 0};
    struct toy_model *m =
        toy_fit(&tide_learner_bagging, "members=2,of=gbdt(loss=lambdarank)", &s.d,
                s.t->n_levels, NULL);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    CHECK_INT(tide_learner_bagging.predict(m->object, s.d.x, 0, 2, out, &m->err), 0);
    CHECK(isfinite(out[0]) && out[0] != out[1]);
    toy_model_free(m);
    m = toy_fit(&tide_learner_stacking, "folds=3,of=gbdt(loss=lambdarank)+ridge", &s.d,
                s.t->n_levels, NULL);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    toy_model_free(m);
    table_free(&s);
}

TEST(failing_allocations_of_queries_leave_nothing)
{
    struct table s = table_new(400, 20);
    s.d.w = s.w;
    toy_fail_each(GBDT, "trees=2,loss=lambdarank", &s.d, s.t->n_levels, 2);
    table_free(&s);
}
