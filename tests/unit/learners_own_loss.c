/* learners_own_loss.c - losses by callback: the models of the built-in ones, checks, going on */
#include <math.h>
#include <pthread.h>

#include <tidemill/model.h>

#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

/* Targets whose mean is exactly 0, and 0 or 1 in equal parts. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y, *share, *w;
};
static struct table table_new(int64_t n, uint64_t seed)
{
    struct table s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b");
    uint32_t *g = toy_category(s.t, "g", 6);
    s.y = calloc((size_t)n, sizeof *s.y);
    s.share = calloc((size_t)n, sizeof *s.share);
    s.w = calloc((size_t)n, sizeof *s.w);
    for (int64_t i = 0; i < n; i++) {
        int odd = (int)(i % 2);
        double u = toy_u(seed, i / 2, 1);
        s.y[i] = odd ? -u - 0.5 : u + 0.5;
        a[i] = s.y[i] + 2 * toy_u(seed, i, 2);
        b[i] = toy_u(seed, i, 3) < 0.1 ? (double)NAN : toy_u(seed, i, 4) - 0.3 * odd;
        g[i] = (uint32_t)(3 * toy_u(seed, i, 5) + 3 * odd * toy_u(seed, i, 6));
        s.share[i] = odd;
        s.w[i] = i % 4 < 2 ? 1 : 2.5;
    }
    s.d = (struct fit_data){
        .x = toy_view(s.t), .task = TIDE_REGRESS, .y = s.y, .seed = 5};
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->share);
    free(s->w);
}

/* What the callbacks below saw, and what they are to do wrong. */
struct seen {
    int calls, values, bad_call, bad_value;
    int64_t n, n_value, bad_row;
    double bad_g, bad_h;
    int give_up, other_thread, had_weights;
    pthread_t thread;
};
static struct seen seen_new(void)
{
    return (struct seen){.bad_row = -1, .thread = pthread_self()};
}

static int enter(struct seen *s, const double *w, int64_t n)
{
    s->calls++;
    s->n = n;
    s->had_weights = w != NULL;
    s->other_thread |= !pthread_equal(s->thread, pthread_self());
    return s->calls == s->bad_call ? s->give_up : 0;
}
static void spoil(const struct seen *s, double *g, double *h)
{
    if (s->calls != s->bad_call || s->bad_row < 0) return;
    g[s->bad_row] = s->bad_g;
    h[s->bad_row] = s->bad_h;
}

static int squared(const double *score, const double *y, const double *w, int64_t n,
                   double *g, double *h, void *payload)
{
    struct seen *s = payload;
    int stop = enter(s, w, n);
    for (int64_t i = 0; i < n; i++) {
        g[i] = score[i] - y[i];
        h[i] = 1;
    }
    spoil(s, g, h);
    return stop;
}
static double squared_value(const double *score, const double *y, const double *w,
                            int64_t n, void *payload)
{
    struct seen *s = payload;
    double sum = 0, all = 0;
    s->values++;
    s->n_value = n;
    s->other_thread |= !pthread_equal(s->thread, pthread_self());
    for (int64_t i = 0; i < n; i++) {
        double v = w ? w[i] : 1;
        sum += v * (score[i] - y[i]) * (score[i] - y[i]);
        all += v;
    }
    return s->values == s->bad_value ? (double)NAN : sum / all;
}
static int logistic(const double *score, const double *y, const double *w, int64_t n,
                    double *g, double *h, void *payload)
{
    int stop = enter(payload, w, n);
    for (int64_t i = 0; i < n; i++) {
        double p = 1 / (1 + exp(-score[i]));
        g[i] = p - y[i];
        h[i] = p * (1 - p);
    }
    return stop;
}
static struct tide_loss loss_of(tide_gradient_fn gradient, tide_loss_fn value,
                                struct seen *s)
{
    return (struct tide_loss){sizeof(struct tide_loss), gradient, value, s};
}

static void scores_of(const struct toy_model *m, const struct table *s, double *out)
{
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, s->t->n, out, NULL), 0);
}

TEST(squares_by_callback_give_the_bytes_of_the_built_in_loss)
{
    static const char *const options[] = {
        "trees=25,patience=0", "trees=25,patience=0,rows=0.6,decay=0.95",
        "trees=15,patience=0,rows=0.5,sampling=goss,l1=0.2,max_leaf=0.6",
        "trees=15,patience=0,growth=symmetric,depth=3", "trees=15,patience=0,dart=0.2"};
    struct table s = table_new(5000, 1);
    for (int v = 0; v < 10; v++) {
        char text[128];
        struct seen seen = seen_new();
        struct tide_loss loss = loss_of(squared, NULL, &seen);
        struct toy_how how = {.threads = 1 + v % 3};
        snprintf(text, sizeof text, "%s,loss=custom", options[v / 2]);
        s.d.w = v % 2 ? s.w : NULL;
        s.d.own_loss = NULL;
        struct toy_model *want =
            toy_fit(GBDT, options[v / 2], &s.d, s.t->n_levels, NULL);
        s.d.own_loss = &loss;
        struct toy_model *m = toy_fit(GBDT, text, &s.d, s.t->n_levels, &how);
        CHECK_MSG(m->status == TIDE_OK, "%s: %s", text, m->err.message);
        CHECK_MSG(m->hash == want->hash, "%s: other bytes", text);
        CHECK_INT(seen.calls, v < 4 ? 25 : 15);
        CHECK_INT(seen.n, 5000);
        CHECK_INT(seen.had_weights, v % 2);
        CHECK(!seen.other_thread);
        CHECK(m->info.note == NULL);
        toy_model_free(m);
        toy_model_free(want);
    }
    table_free(&s);
}

TEST(a_logistic_callback_gives_the_scores_of_the_built_in_loss)
{
    enum { N = 6000 };
    static double raw[N], want[N];
    struct table s = table_new(N, 2);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(logistic, NULL, &seen);
    s.d.y = s.share;
    struct toy_model *a = toy_fit(GBDT, "trees=40,patience=0,loss=cross_entropy", &s.d,
                                  s.t->n_levels, NULL);
    s.d.own_loss = &loss;
    struct toy_model *b =
        toy_fit(GBDT, "trees=40,patience=0,loss=custom", &s.d, s.t->n_levels, NULL);
    CHECK_INT(b->status, 0);
    scores_of(a, &s, want);
    scores_of(b, &s, raw);
    double most = 0, mean = 0;
    for (int i = 0; i < N; i++) {
        /* other scales of the integers, so other roundings: trees may split otherwise */
        double d = fabs(1 / (1 + exp(-raw[i])) - want[i]);
        most = d > most ? d : most;
        mean += d / N;
    }
    CHECK_MSG(mean < 0.005 && most < 0.1, "probabilities differ by %g, at most %g",
              mean, most);
    toy_model_free(a);
    toy_model_free(b);
    table_free(&s);
}

TEST(a_derivative_that_is_no_number_names_row_and_round)
{
    struct table s = table_new(400, 3);
    static const double bad[][2] = {{NAN, 1},       {INFINITY, 1}, {0, NAN},
                                    {0, -INFINITY}, {1e200, 1},    {0, 1e200}};
    for (int v = 0; v < 6; v++) {
        struct seen seen = seen_new();
        struct tide_loss loss = loss_of(squared, NULL, &seen);
        seen.bad_call = 3;
        seen.bad_row = 17;
        seen.bad_g = bad[v][0];
        seen.bad_h = bad[v][1];
        s.d.own_loss = &loss;
        struct toy_model *m =
            toy_fit(GBDT, "trees=5,patience=0,loss=custom", &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->status, TIDE_ENUMERIC);
        CHECK_INT(m->err.row, 18);
        CHECK_MSG(strstr(m->err.message, v % 6 == 2 || v == 3 || v == 5
                                             ? "the second derivative"
                                             : "the first derivative") &&
                      strstr(m->err.message, "row 18 in round 3"),
                  "%s", m->err.message);
        toy_model_free(m);
    }
    table_free(&s);
}

TEST(a_callback_that_gives_up_ends_the_fit)
{
    struct table s = table_new(400, 4);
    for (int v = 0; v < 2; v++) { /* v: in the folds that choose the rounds */
        struct seen seen = seen_new();
        struct tide_loss loss = loss_of(squared, v ? squared_value : NULL, &seen);
        seen.bad_call = 12;
        seen.give_up = 77;
        s.d.own_loss = &loss;
        struct toy_model *m =
            toy_fit(GBDT, "trees=50,loss=custom", &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->status, TIDE_ENUMERIC);
        CHECK_MSG(strstr(m->err.message, v ? "round 3 with 77" : "round 12 with 77"),
                  "%s", m->err.message);
        CHECK(!m->info.partial);
        toy_model_free(m);
    }
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, squared_value, &seen);
    seen.bad_value = 7;
    s.d.own_loss = &loss;
    struct toy_model *m =
        toy_fit(GBDT, "trees=50,loss=custom", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->status, TIDE_ENUMERIC);
    CHECK(strstr(m->err.message, "value of the loss") != NULL);
    toy_model_free(m);
    table_free(&s);
}

TEST(second_derivatives_below_0_are_0_and_counted)
{
    struct table s = table_new(400, 5);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, NULL, &seen);
    seen.bad_call = 2;
    seen.bad_row = 9;
    seen.bad_h = -3;
    s.d.own_loss = &loss;
    struct toy_model *m =
        toy_fit(GBDT, "trees=5,patience=0,loss=custom", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->status, 0);
    CHECK_STR(m->info.note, "second derivatives below 0, taken as 0: 1");
    toy_model_free(m);
    table_free(&s);
}

TEST(rounds_stop_by_the_value_of_the_loss_or_not_at_all)
{
    for (int v = 0; v < 2; v++) { /* folds choose; a tenth of the rows is put aside */
        struct table s = table_new(v ? 5000 : 600, 6);
        struct seen seen = seen_new();
        struct tide_loss loss = loss_of(squared, squared_value, &seen);
        s.d.own_loss = &loss;
        for (int threads = 1; threads < 4; threads += 2) {
            static uint64_t hash;
            struct toy_how how = {.threads = threads};
            struct toy_model *m = toy_fit(GBDT, "trees=900,loss=custom,patience=10",
                                          &s.d, s.t->n_levels, &how);
            CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
            CHECK(m->info.best_round > 5 && m->info.best_round < 800);
            CHECK(m->info.note != NULL);
            CHECK(!seen.other_thread);
            if (v) CHECK(seen.n + seen.n_value == 5000 && seen.n_value > 400);
            if (threads > 1) CHECK(m->hash == hash);
            hash = m->hash;
            toy_model_free(m);
        }
        loss.value = NULL;
        struct toy_model *m =
            toy_fit(GBDT, "trees=60,loss=custom", &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->info.best_round, 60);
        CHECK_INT(seen.n, s.t->n); /* nothing is put aside */
        CHECK_STR(m->info.note, "the loss has no value, so 'patience' stops no round");
        toy_model_free(m);
        table_free(&s);
    }
}

TEST(rows_given_to_watch_reach_the_value)
{
    struct table s = table_new(3000, 7), other = table_new(700, 8);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, squared_value, &seen);
    struct toy_how how = {.valid = &other.d};
    s.d.own_loss = &loss;
    struct toy_model *m =
        toy_fit(GBDT, "trees=900,patience=5,loss=custom", &s.d, s.t->n_levels, &how);
    CHECK_INT(m->status, 0);
    CHECK_INT(seen.n, 3000);
    CHECK_INT(seen.n_value, 700);
    CHECK(m->info.rounds == m->info.best_round + 5);
    toy_model_free(m);
    table_free(&s);
    table_free(&other);
}

TEST(a_constant_target_is_learned_from_0)
{
    enum { N = 200 };
    static double score[N];
    struct table s = table_new(N, 9);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, NULL, &seen);
    for (int i = 0; i < N; i++) s.y[i] = 4;
    s.d.own_loss = &loss;
    struct toy_model *m = toy_fit(GBDT, "trees=60,rate=0.3,patience=0,l2=0,loss=custom",
                                  &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->status, 0);
    scores_of(m, &s, score);
    for (int i = 0; i < N; i++) CHECK_NEAR(score[i], 4, 1e-3);
    toy_model_free(m);
    table_free(&s);
}

TEST(a_callers_model_goes_on_and_is_refitted)
{
    struct table s = table_new(2500, 10);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, NULL, &seen);
    const char *options = "trees=20,patience=0,loss=custom,columns=0.7";
    s.d.own_loss = &loss;
    struct toy_model *whole = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
    struct toy_model *part = toy_fit(GBDT, "trees=8,patience=0,loss=custom,columns=0.7",
                                     &s.d, s.t->n_levels, NULL);
    for (int refit = 0; refit < 2; refit++) {
        struct fit_resume how = {(refit ? whole : part)->object, refit, 0};
        struct toy_model on = {.status = 0};
        tide_values *v = NULL;
        tide_ctx *ctx = NULL;
        CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
        arena_init(&on.arena, NULL);
        state_init(&on.state, &on.arena);
        CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, NULL), 0);
        toy_set(v, options);
        CHECK_INT(tide_learner_gbdt.resume(ctx, tide_values_struct(v), &s.d, NULL, 0,
                                           &how, &on.state, &on.info, &on.err),
                  0);
        CHECK_MSG(toy_hash(&on.state) == whole->hash, "refit %d: other bytes", refit);
        tide_values_free(v);
        tide_ctx_free(ctx);
        arena_free(&on.arena);
    }
    toy_model_free(whole);
    toy_model_free(part);
    table_free(&s);
}

TEST(without_a_function_the_loss_is_refused)
{
    struct table s = table_new(100, 11);
    struct tide_loss loss = {sizeof loss, NULL, NULL, NULL};
    for (int v = 0; v < 2; v++) {
        s.d.own_loss = v ? &loss : NULL;
        struct toy_model *m =
            toy_fit(GBDT, "trees=5,loss=custom", &s.d, s.t->n_levels, NULL);
        CHECK_INT(m->status, TIDE_EINVAL);
        CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
        toy_model_free(m);
    }
    table_free(&s);
}

TEST(memory_that_runs_out_is_said_with_a_callers_loss)
{
    struct table s = table_new(150, 12);
    struct seen seen = seen_new();
    struct tide_loss loss = loss_of(squared, squared_value, &seen);
    s.d.own_loss = &loss;
    toy_fail_each(GBDT, "trees=3,loss=custom", &s.d, s.t->n_levels, 1);
    table_free(&s);
}
