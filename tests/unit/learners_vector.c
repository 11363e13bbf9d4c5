/* learners_vector.c - trees whose leaves hold a value a class, through gbdt's own door */
#include "infer/ensemble.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

/* Numbers, missing values, a category of 3 levels and one of 40. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *w;
    int32_t *k;
};
static struct table table_new(int64_t n, int classes, uint64_t seed)
{
    struct table s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b");
    uint32_t *g = toy_category(s.t, "g", 40), *h = toy_category(s.t, "h", 3);
    s.w = calloc((size_t)n, sizeof *s.w);
    s.k = calloc((size_t)n, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(seed, i, 0);
        b[i] = toy_u(seed, i, 1) < 0.2 ? (double)NAN : floor(toy_u(seed, i, 2) * 12);
        g[i] = (uint32_t)(40 * toy_u(seed, i, 3) * toy_u(seed, i, 4));
        h[i] = (uint32_t)(3 * toy_u(seed, i, 6));
        double y = 2 * (a[i] > 0.4) + (isnan(b[i]) ? 1.5 : b[i] / 12) * (g[i] % 3) +
                   h[i] * a[i] + 0.5 * toy_u(seed, i, 5);
        s.w[i] = 0.5 + toy_u(seed, i, 9);
        s.k[i] = (int32_t)(y * 1.7) % classes;
    }
    s.d = (struct fit_data){.x = toy_view(s.t),
                            .task = TIDE_CLASSIFY,
                            .n_classes = classes,
                            .k = s.k,
                            .seed = 5};
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->w);
    free(s->k);
}

static struct toy_model *fit(const struct table *s, const char *options,
                             const struct toy_how *how)
{
    struct toy_model *m = toy_fit(GBDT, options, &s->d, s->t->n_levels, how);
    CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
    return m;
}
static uint64_t hash_of(const struct table *s, const char *options,
                        const struct toy_how *how)
{
    struct toy_model *m = fit(s, options, how);
    uint64_t hash = m->hash;
    toy_model_free(m);
    return hash;
}

/* Mean log-loss of the rows of s, and of the probabilities the sums. */
static double loss_of(const struct toy_model *m, const struct table *s)
{
    int64_t n = s->d.x->n_rows;
    int32_t k = s->d.n_classes;
    double *p = calloc((size_t)(n * k), sizeof *p), sum = 0;
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, n, p, NULL), TIDE_OK);
    for (int64_t i = 0; i < n; i++) {
        double all = 0;
        for (int32_t c = 0; c < k; c++) all += p[i * k + c];
        CHECK(fabs(all - 1) < 1e-12);
        sum -= log(p[i * k + s->k[i]]);
    }
    free(p);
    return sum / (double)n;
}

TEST(bytes_depend_on_no_thread_and_no_set)
{
    static const char *const options[] = {
        "trees=6,patience=0,multi=vector,leaves=15",
        "trees=6,patience=0,multi=vector,rows=0.7,columns=0.6,columns_node=0.7",
        "trees=6,patience=3,multi=vector,growth=level,sampling=goss,rows=0.5",
        "trees=4,patience=0,multi=vector,l1=0.5,l2=0,min_rows=1,path_smooth=5"};
    static const int classes[] = {3, 5, 11};
    for (int c = 0; c < 3; c++) { /* a small table, one with wide cells, two passes */
        struct table s = table_new(c == 1 ? 70000 : 5000, classes[c], 1);
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            s.d.w = o % 2 ? s.w : NULL;
            uint64_t want = hash_of(&s, options[o], NULL);
            for (int v = 0; v < 4; v++) {
                struct toy_how how = {.threads = 1 + v % 3};
                if (v == 2) how.isa = TIDE_ISA_BASE;
                if (v == 3) how.isa = TIDE_ISA_AVX2;
                CHECK_MSG(hash_of(&s, options[o], &how) == want,
                          "%s, %d classes: other bytes in variant %d", options[o],
                          classes[c], v);
            }
        }
        table_free(&s);
    }
}

/* One round on paper: columns of few codes, so every split can be tried. */
struct paper {
    const struct table *s;
    int64_t n;
    int32_t k;
    double *g, *h; /* [n][k] */
};
static double paper_score(const struct paper *p, const uint8_t *in, int side)
{
    double sum = 0;
    for (int32_t c = 0; c < p->k; c++) {
        double g = 0, h = 0;
        for (int64_t i = 0; i < p->n; i++)
            if (in[i] == side) {
                g += p->g[i * p->k + c];
                h += p->h[i * p->k + c];
            }
        sum += g * g / (h + 1);
    }
    return sum;
}

TEST(a_tree_of_two_leaves_is_the_best_split_on_paper)
{
    enum { N = 400, K = 5 };
    for (uint64_t seed = 1; seed < 6; seed++) {
        struct toy *t = toy_new(N);
        double *x[3] = {toy_number(t, "a"), toy_number(t, "b"), toy_number(t, "c")};
        int32_t k[N];
        double w[N], g[N * K], h[N * K], share[K] = {0}, all = 0;
        uint8_t in[N];
        for (int64_t i = 0; i < N; i++) {
            for (int j = 0; j < 3; j++)
                x[j][i] = floor(9 * toy_u(seed, i, (uint32_t)j));
            if (toy_u(seed, i, 5) < 0.3) x[1][i] = (double)NAN;
            k[i] =
                (int32_t)(x[0][i] + (isnan(x[1][i]) ? 6 : 0) + 4 * toy_u(seed, i, 6)) %
                K;
            w[i] = 0.5 + toy_u(seed, i, 7);
            share[k[i]] += w[i];
            all += w[i];
        }
        for (int64_t i = 0; i < N; i++)
            for (int c = 0; c < K; c++) {
                double p = share[c] / all;
                g[i * K + c] = w[i] * (p - (k[i] == c));
                h[i * K + c] = w[i] * p * (1 - p) * K / (K - 1);
            }
        struct table s = {.t = t};
        s.d = (struct fit_data){.x = toy_view(t),
                                .task = TIDE_CLASSIFY,
                                .n_classes = K,
                                .k = k,
                                .w = w,
                                .seed = seed};
        struct paper paper = {&s, N, K, g, h};
        double best = 0, best_value[2][K];
        for (int j = 0; j < 3; j++)
            for (int cut = 0; cut < 9; cut++)
                for (int left = 0; left < 2; left++) {
                    for (int64_t i = 0; i < N; i++)
                        in[i] = isnan(x[j][i]) ? (uint8_t)left : x[j][i] <= cut;
                    double gain =
                        paper_score(&paper, in, 0) + paper_score(&paper, in, 1);
                    if (!(gain > best)) continue;
                    best = gain;
                    for (int c = 0; c < K; c++) {
                        double sum[2][2] = {{0}};
                        for (int64_t i = 0; i < N; i++) {
                            sum[in[i]][0] += g[i * K + c];
                            sum[in[i]][1] += h[i * K + c];
                        }
                        for (int side = 0; side < 2; side++)
                            best_value[side][c] = -sum[side][0] / (sum[side][1] + 1);
                    }
                }
        struct toy_model *m = fit(&s,
                                  "trees=1,rate=1,leaves=2,min_rows=1,patience=0,"
                                  "multi=vector",
                                  NULL);
        int64_t leaves = 0, gains = 0;
        const double *leaf = toy_array(m, "leaf", &leaves);
        const double *gain = toy_array(m, "node_gain", &gains);
        memset(in, 1, sizeof in);
        CHECK_INT(leaves, 2);
        CHECK_INT(gains, 1);
        for (int c = 0; c < K && leaves == 2; c++) {
            CHECK(fabs(leaf[c] - best_value[1][c]) < 2e-3);
            CHECK(fabs(leaf[K + c] - best_value[0][c]) < 2e-3);
        }
        CHECK(gains == 1 &&
              fabs(gain[0] - (best - paper_score(&paper, in, 1))) < 1e-2 * gain[0]);
        toy_model_free(m);
        toy_free(t);
    }
}

TEST(a_leaf_has_the_rows_asked_for)
{
    struct table s = table_new(6000, 4, 2);
    struct toy_model *m =
        fit(&s, "trees=10,patience=0,multi=vector,min_rows=90,leaves=60", NULL);
    int64_t leaves = 0;
    const double *cover = toy_array(m, "leaf_cover", &leaves);
    int64_t few = 0;
    for (int64_t i = 0; i < leaves; i++) few += cover[i] < 90;
    CHECK(leaves > 100);
    CHECK_INT(few, 0);
    toy_model_free(m);
    table_free(&s);
}

TEST(classes_are_learned_as_well_as_by_trees_with_as_many_leaves)
{
    struct table s = table_new(8000, 4, 3), other = table_new(8000, 4, 4);
    struct toy_model *vector =
        fit(&s, "trees=40,patience=0,rate=0.1,multi=vector,leaves=60", NULL);
    struct toy_model *trees = fit(&s, "trees=40,patience=0,rate=0.1,leaves=15", NULL);
    double a = loss_of(vector, &other), b = loss_of(trees, &other);
    CHECK_MSG(a < 1.1 * b, "log-loss %g, by trees %g", a, b);
    toy_model_free(vector);
    toy_model_free(trees);
    table_free(&s);
    table_free(&other);
}

TEST(stopping_on_rows_to_watch_keeps_the_best_round)
{
    struct table s = table_new(3000, 4, 5), other = table_new(3000, 4, 6);
    struct toy_how how = {.valid = &other.d};
    struct toy_model *m =
        fit(&s, "trees=300,rate=0.5,patience=5,multi=vector,leaves=60", &how);
    struct toy_model *cut =
        fit(&s, "trees=300,rate=0.5,patience=5,multi=vector,leaves=60",
            &(struct toy_how){.valid = &other.d, .rounds = m->info.best_round});
    CHECK(m->info.best_round > 1 && m->info.rounds == m->info.best_round + 5);
    CHECK(cut->hash == m->hash);
    CHECK_INT(tide_learner_gbdt.rounds(m->object), m->info.best_round);
    toy_model_free(m);
    toy_model_free(cut);
    table_free(&s);
    table_free(&other);
}

static struct toy_model *go_on(const struct toy_model *from, const char *options,
                               const struct table *s, int refit, double decay)
{
    struct toy_model *m = calloc(1, sizeof *m);
    struct fit_resume how = {from->object, refit, decay};
    tide_ctx *ctx = NULL;
    tide_values *v = NULL;
    arena_init(&m->arena, NULL);
    state_init(&m->state, &m->arena);
    CHECK_INT(tide_ctx_new(&ctx, &m->err), TIDE_OK);
    CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &m->err), 0);
    toy_set(v, options);
    m->status = tide_learner_gbdt.resume(ctx, tide_values_struct(v), &s->d, NULL, 0,
                                         &how, &m->state, &m->info, &m->err);
    if (m->status == TIDE_OK) m->hash = toy_hash(&m->state);
    tide_values_free(v);
    tide_ctx_free(ctx);
    return m;
}

TEST(rounds_in_two_parts_are_the_bytes_of_one_fit)
{
    struct table s = table_new(4000, 5, 7);
    struct toy_model *half = fit(&s, "trees=6,patience=0,multi=vector,rows=0.8", NULL);
    struct toy_model *whole =
        fit(&s, "trees=11,patience=0,multi=vector,rows=0.8", NULL);
    struct toy_model *on =
        go_on(half, "trees=11,patience=0,multi=vector,rows=0.8", &s, 0, 0);
    CHECK_INT(on->status, TIDE_OK);
    CHECK(on->hash == whole->hash);
    toy_model_free(on);
    on = go_on(half, "trees=11,patience=0,rows=0.8", &s, 0, 0); /* auto: as they are */
    CHECK_INT(on->status, TIDE_OK);
    CHECK(on->hash == whole->hash);
    toy_model_free(on);
    on = go_on(half, "trees=11,patience=0,multi=trees,rows=0.8", &s, 0, 0);
    CHECK_INT(on->status, TIDE_EMODEL);
    toy_model_free(on);
    toy_model_free(half);
    toy_model_free(whole);
    table_free(&s);
}

TEST(a_refit_on_its_own_rows_changes_nothing)
{
    struct table s = table_new(4000, 5, 8);
    const char *options = "trees=5,patience=0,multi=vector";
    struct toy_model *m = fit(&s, options, NULL);
    struct toy_model *again = go_on(m, options, &s, 1, 0.5);
    CHECK_INT(again->status, TIDE_OK);
    CHECK(again->hash == m->hash);
    toy_model_free(again);
    toy_model_free(m);
    table_free(&s);
}

TEST(tiny_tables_give_a_model)
{
    for (int64_t n = 2; n < 12; n++) {
        struct table s = table_new(n, 3, 9);
        toy_model_free(fit(&s, "trees=5,multi=vector,min_rows=1", NULL));
        for (int64_t i = 0; i < n; i++) s.k[i] = 1;
        toy_model_free(fit(&s, "trees=5,multi=vector,min_rows=1", NULL));
        table_free(&s);
    }
}

TEST(a_round_may_draw_no_row)
{
    struct table s = table_new(8, 3, 4);
    for (int way = 0; way < 2; way++) {
        struct toy_model *m = fit(&s,
                                  way ? "multi=vector,trees=20,patience=0,rows=0.1,"
                                        "sampling=goss"
                                      : "multi=vector,trees=20,patience=0,rows=0.1",
                                  NULL);
        toy_model_free(m);
    }
    table_free(&s);
}

TEST(heavy_weights_are_learned_from_in_finer_steps)
{
    struct table s = table_new(20000, 4, 10);
    s.d.w = s.w;
    s.w[17] = 1e5; /* 16 bits have nothing left for the others */
    const char *options = "trees=30,patience=0,multi=vector,rate=0.3,leaves=60";
    struct toy_model *m = fit(&s, options, NULL);
    uint64_t base = hash_of(&s, options, &(struct toy_how){.isa = TIDE_ISA_BASE});
    CHECK(base == m->hash);
    CHECK(hash_of(&s, options, &(struct toy_how){.threads = 3}) == m->hash);
    struct toy_model *trees = fit(&s, "trees=30,patience=0,rate=0.3,leaves=15", NULL);
    double a = loss_of(m, &s), b = loss_of(trees, &s);
    CHECK_MSG(a < 1.1 * b, "log-loss %g, by trees %g", a, b);
    toy_model_free(m);
    toy_model_free(trees);
    table_free(&s);
}

TEST(what_does_not_go_with_it_is_refused)
{
    static const char *const options[] = {"multi=vector,monotone=+a",
                                          "multi=vector,growth=symmetric",
                                          "multi=vector,dart=0.1,patience=0"};
    static const char *const field[] = {"monotone", "growth", "dart"};
    for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
        tide_values *v = NULL;
        tide_error err = {.size = sizeof err};
        CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
        toy_set(v, options[o]);
        CHECK_INT(tide_learner_gbdt.check(tide_values_struct(v), &err), TIDE_EINVAL);
        CHECK_STR(err.field, field[o]);
        tide_values_free(v);
    }
    struct table s = table_new(100, 3, 11);
    double y[100] = {1, 2};
    s.d.task = TIDE_REGRESS;
    s.d.y = y;
    struct toy_model *m = toy_fit(GBDT, "multi=vector", &s.d, s.t->n_levels, NULL);
    CHECK(m->status != TIDE_OK);
    CHECK_STR(m->err.field, "multi");
    toy_model_free(m);
    table_free(&s);
}

TEST(every_failing_allocation_is_an_error)
{
    struct table s = table_new(300, 5, 12);
    for (int threads = 1; threads <= 2; threads++)
        toy_fail_each(GBDT, "trees=2,patience=0,multi=vector,min_rows=5", &s.d,
                      s.t->n_levels, threads);
    table_free(&s);
}
