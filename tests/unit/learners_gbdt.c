/* learners_gbdt.c - boosting: formulas on paper, same bytes whatever the machine, bad inputs */
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

/* A table with numbers, missing values, a category of `levels` levels and a constant. */
struct sample {
    struct toy *t;
    struct fit_data d;
    double *y;
    int32_t *k;
};
static struct sample sample_new(int64_t n, uint32_t levels, int classes, int extra)
{
    struct sample s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b"),
           *c = toy_number(s.t, "c");
    uint32_t *g = toy_category(s.t, "g", levels);
    double *e = extra ? toy_number(s.t, "constant") : NULL;
    s.y = calloc((size_t)n, sizeof *s.y);
    s.k = calloc((size_t)n, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(1, i, 0);
        b[i] = toy_u(1, i, 1) < 0.2 ? (double)NAN : floor(toy_u(1, i, 2) * 12);
        c[i] = toy_u(1, i, 3) - 0.5;
        double u = toy_u(1, i, 4);
        g[i] = u < 0.05 ? CODE_MISSING : (uint32_t)(u * u * levels);
        if (e) e[i] = 7;
        double z = 2 * (a[i] > 0.4) + (isnan(b[i]) ? 1.5 : b[i] / 12) +
                   3 * a[i] * c[i] + (g[i] % 3 == 1 ? 1 : -0.5) + toy_u(1, i, 5);
        s.y[i] = z;
        s.k[i] = (int32_t)(z * classes / 4.0) % classes;
        if (s.k[i] < 0) s.k[i] = 0;
    }
    s.d = toy_data(s.t, classes, s.y, s.k, 5);
    return s;
}
static struct sample numbers(int64_t n) /* regression */
{
    struct sample s = sample_new(n, 30, 1, 0);
    s.d.task = TIDE_REGRESS;
    s.d.y = s.y;
    s.d.k = NULL;
    s.d.n_classes = 0;
    return s;
}
static void sample_free(struct sample *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->k);
}

TEST(first_leaves_and_gain_are_those_of_the_paper)
{
    /* Chen and Guestrin 2016: leaf -G/(H + l2); the gain is not halved here */
    struct toy *t = toy_new(6);
    double *x = toy_number(t, "x");
    const int32_t k[6] = {0, 0, 1, 1, 1, 0};
    for (int i = 0; i < 6; i++) x[i] = k[i];
    struct fit_data d = {
        .x = toy_view(t), .task = TIDE_CLASSIFY, .n_classes = 2, .k = k};
    struct toy_model *m = toy_fit(GBDT, "trees=1,rate=1,leaves=2,min_rows=1,patience=0",
                                  &d, t->n_levels, NULL);
    int64_t n = 0;
    const double *leaf = toy_array(m, "leaf", &n),
                 *gain = toy_array(m, "node_gain", NULL);
    CHECK_INT(n, 2);
    CHECK_NEAR(leaf[0], -0.8571428571428571, 1e-12);
    CHECK_NEAR(leaf[1], 0.8571428571428571, 1e-12);
    CHECK_NEAR(gain[0], 2 * (1.1857142857142857 + 0.1), 1e-12);
    toy_model_free(m);
    m = toy_fit(GBDT, "trees=1,rate=1,leaves=2,min_rows=1,min_gain=2.572", &d,
                t->n_levels, NULL);
    toy_array(m, "leaf", &n);
    CHECK_INT(n, 1);
    toy_model_free(m);
    m = toy_fit(GBDT, "trees=1,rate=1,leaves=2,min_rows=1,l1=1", &d, t->n_levels, NULL);
    leaf = toy_array(m, "leaf", &n); /* |G| = 1.5, less 1 */
    CHECK_INT(n, 2);
    CHECK_NEAR(leaf[0], -0.5 / 1.75, 1e-12);
    toy_model_free(m);
    toy_free(t);
}

/* The best stump by trying everything: thresholds, both missing directions. */
static double best_stump(const double *x, const double *y, int n, int min_rows)
{
    double best = 0, mean = 0;
    for (int i = 0; i < n; i++) mean += y[i] / n;
    for (int c = 0; c < n; c++)
        for (int dir = 0; dir < 2; dir++) {
            double gl = 0, hl = 0, gr = 0, hr = 0;
            if (isnan(x[c])) continue;
            for (int i = 0; i < n; i++) {
                int left = isnan(x[i]) ? dir : x[i] <= x[c];
                *(left ? &gl : &gr) += mean - y[i];
                *(left ? &hl : &hr) += 1;
            }
            if (hl < min_rows || hr < min_rows) continue;
            double gain = gl * gl / (hl + 1) + gr * gr / (hr + 1);
            best = gain > best ? gain : best;
        }
    return best;
}

TEST(stumps_are_the_best_over_thresholds_and_missing_directions)
{
    for (int round = 0; round < 60; round++) {
        int n = 12 + 7 * (round % 9), min_rows = 1 + round % 5;
        struct toy *t = toy_new(n);
        double *x = toy_number(t, "x"), y[80];
        for (int i = 0; i < n; i++) {
            x[i] = toy_u(9, i, (uint32_t)round) < 0.2
                       ? (double)NAN
                       : floor(9 * toy_u(8, i, (uint32_t)round));
            y[i] = floor(64 * toy_u(7, i, (uint32_t)round)) +
                   (isnan(x[i]) ? 20 : 3 * x[i]);
        }
        struct fit_data d = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
        char options[64];
        snprintf(options, sizeof options, "trees=1,rate=1,leaves=2,min_rows=%d",
                 min_rows);
        struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        int64_t nodes = 0;
        const double *gain = toy_array(m, "node_gain", &nodes);
        double want = best_stump(x, y, n, min_rows);
        CHECK_NEAR(nodes ? gain[0] : 0, want, 2e-3);
        toy_model_free(m);
        toy_free(t);
    }
}

TEST(bytes_do_not_depend_on_threads_or_instruction_set)
{
    static const int32_t classes[3] = {0, 2, 4};
    for (int c = 0; c < 3; c++) {
        struct sample s =
            classes[c] ? sample_new(70000, 40, classes[c], 0) : numbers(70000);
        uint64_t want = 0;
        for (int v = 0; v < 7; v++) {
            static const int threads[7] = {1, 2, 3, 7, 16, 1, 3};
            struct toy_how how = {.threads = threads[v]};
            if (v >= 5) how.isa = TIDE_ISA_BASE;
            struct toy_model *m = toy_fit(GBDT, "trees=4,rows=0.8,columns=0.7", &s.d,
                                          s.t->n_levels, &how);
            CHECK_INT(m->status, TIDE_OK);
            if (v == 0) want = m->hash;
            CHECK_MSG(m->hash == want, "%d classes: other bytes in variant %d",
                      (int)classes[c], v);
            toy_model_free(m);
        }
        sample_free(&s);
    }
}

TEST(row_order_changes_no_byte)
{
    struct sample s = sample_new(5000, 40, 2, 0);
    struct toy_model *m = toy_fit(GBDT, "trees=10,rows=0.7", &s.d, s.t->n_levels, NULL);
    int64_t *rows = calloc(5000, sizeof *rows);
    int32_t *k = calloc(5000, sizeof *k);
    for (int64_t i = 0; i < 5000; i++) {
        rows[i] = (i * 1237 + 11) % 5000; /* the rows' own numbers stay their keys */
        k[i] = s.k[rows[i]];
    }
    struct view v = *s.d.x;
    v.rows = rows;
    struct fit_data d = s.d;
    d.x = &v;
    d.k = k;
    struct toy_model *q = toy_fit(GBDT, "trees=10,rows=0.7", &d, s.t->n_levels, NULL);
    CHECK(m->hash == q->hash);
    toy_model_free(m);
    toy_model_free(q);
    free(rows);
    free(k);
    sample_free(&s);
}

TEST(a_constant_column_changes_no_prediction)
{
    struct sample s = sample_new(3000, 10, 2, 0), e = sample_new(3000, 10, 2, 1);
    struct toy_model *m = toy_fit(GBDT, "trees=20", &s.d, s.t->n_levels, NULL);
    struct toy_model *q = toy_fit(GBDT, "trees=20", &e.d, e.t->n_levels, NULL);
    double *a = calloc(6000, sizeof *a), *b = calloc(6000, sizeof *b);
    tide_error err = {0};
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 3000, a, &err), 0);
    CHECK_INT(tide_learner_gbdt.predict(q->object, e.d.x, 0, 3000, b, &err), 0);
    CHECK(memcmp(a, b, 6000 * sizeof *a) == 0);
    for (int i = 0; i < 3000; i++) CHECK_NEAR(a[2 * i] + a[2 * i + 1], 1, 1e-12);
    free(a);
    free(b);
    toy_model_free(m);
    toy_model_free(q);
    sample_free(&s);
    sample_free(&e);
}

TEST(stopping_cuts_to_the_best_round)
{
    struct sample s = sample_new(4000, 10, 2, 0);
    for (int i = 0; i < 4000; i++) s.k[i] = toy_u(3, i, 0) < 0.3 + 0.4 * (s.y[i] > 2.5);
    struct toy_model *m =
        toy_fit(GBDT, "trees=300,rate=0.3,patience=10", &s.d, s.t->n_levels, NULL);
    int64_t trees = 0;
    toy_array(m, "tree_output", &trees);
    CHECK(m->info.rounds < 300);
    CHECK_INT(m->info.rounds, m->info.best_round + 10);
    CHECK_INT(trees, m->info.best_round);
    CHECK(m->info.note && strstr(m->info.note, "best round"));
    struct toy_how fixed = {.rounds = 37};
    struct toy_model *q = toy_fit(GBDT, "trees=300", &s.d, s.t->n_levels, &fixed);
    CHECK_INT(q->info.rounds, 37);
    CHECK_INT(q->info.best_round, 37);
    struct toy_how given = {.valid = &s.d}; /* its own rows: the loss never rises */
    struct toy_model *r = toy_fit(GBDT, "trees=60", &s.d, s.t->n_levels, &given);
    CHECK_INT(r->info.best_round, 60);
    toy_model_free(m);
    toy_model_free(q);
    toy_model_free(r);
    sample_free(&s);
}

TEST(weight_two_is_close_to_the_row_twice)
{
    enum { N = 1200 };
    struct sample s = numbers(N);
    static double w[N], y[2 * N], a[N], b[N];
    static int64_t rows[2 * N];
    int64_t n = 0;
    for (int i = 0; i < N; i++) {
        w[i] = 1 + (i % 3 == 0);
        for (int j = 0; j < (int)w[i]; j++) {
            rows[n] = i;
            y[n++] = s.y[i];
        }
    }
    /* few codes and no row minimum: cuts and counts are the same for both */
    double *x = calloc(N, sizeof *x);
    for (int i = 0; i < N; i++) x[i] = floor(s.t->col[0].f64[i] * 100);
    struct toy *t = toy_new(N);
    memcpy(toy_number(t, "x"), x, N * sizeof *x);
    struct view v = *toy_view(t), twice = v;
    struct fit_data d = {.x = &v, .task = TIDE_REGRESS, .y = s.y, .w = w}, d2 = d;
    twice.n_rows = n;
    twice.rows = rows;
    d2.x = &twice;
    d2.y = y;
    d2.w = NULL;
    const char *options = "trees=30,min_rows=1,leaves=8,patience=0";
    struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
    struct toy_model *q = toy_fit(GBDT, options, &d2, t->n_levels, NULL);
    tide_error err = {0};
    CHECK_INT(tide_learner_gbdt.predict(m->object, &v, 0, N, a, &err), 0);
    CHECK_INT(tide_learner_gbdt.predict(q->object, &v, 0, N, b, &err), 0);
    for (int i = 0; i < N; i++) CHECK_NEAR(a[i], b[i], 0.02);
    free(x);
    toy_model_free(m);
    toy_model_free(q);
    toy_free(t);
    sample_free(&s);
}

TEST(min_rows_is_exact_where_h_is_no_count)
{
    struct sample s = sample_new(3000, 10, 2, 0);
    for (int i = 0; i < 3000; i++)
        s.k[i] = toy_u(4, i, 0) < (s.y[i] > 3.5 ? 0.5 : 0.01);
    struct toy_model *m = toy_fit(GBDT, "trees=30,min_rows=40,min_hessian=0,leaves=60",
                                  &s.d, s.t->n_levels, NULL);
    int64_t leaves = 0;
    const double *cover = toy_array(m, "leaf_cover", &leaves);
    CHECK(leaves > 100);
    for (int64_t i = 0; i < leaves; i++)
        CHECK_MSG(cover[i] >= 40, "a leaf of %g rows", cover[i]);
    toy_model_free(m);
    sample_free(&s);
}

/* Scores of every row, in one batch and row by row, which must have the same bits. */
static double *scores_of(const struct toy_model *m, const struct sample *s, int k)
{
    int64_t n = s->d.x->n_rows;
    double *out = calloc((size_t)(n * k), sizeof *out), row[8], x[8];
    tide_error err = {0};
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, n, out, &err), 0);
    for (int64_t i = 0; i < n; i += 7) {
        for (int j = 0; j < s->d.x->n_cols; j++) {
            uint32_t code = CODE_MISSING;
            view_numbers(s->d.x, j, i, 1, &x[j]);
            if (!s->t->n_levels[j]) continue;
            view_codes(s->d.x, j, i, 1, &code);
            x[j] = code == CODE_MISSING ? (double)NAN : code;
        }
        tide_learner_gbdt.predict_row(m->object, x, row);
        CHECK(memcmp(row, out + i * k, (size_t)k * sizeof *row) == 0);
    }
    return out;
}

TEST(levels_split_by_order_are_numbers)
{
    static const struct {
        uint32_t levels;
        const char *options;
    } c[] = {
        {40, "trees=20,patience=0,cat_split=order"},
        {200, "trees=12,patience=0,cat_split=order,min_rows=1,leaves=200"},
        {9, "trees=12,patience=0,cat_split=order,growth=symmetric"},
        {40, "trees=9,patience=0,cat_split=order,rows=0.6,l1=0.2,monotone=+a"},
    };
    for (size_t o = 0; o < sizeof c / sizeof c[0]; o++)
        for (int classes = 2; classes < 4; classes++) {
            if (classes > 2 && strstr(c[o].options, "monotone")) continue;
            struct sample s = sample_new(3000, c[o].levels, classes, 0);
            struct sample t = sample_new(3000, c[o].levels, classes, 0);
            struct toy *numbers = toy_new(3000);
            for (int j = 0; j < s.d.x->n_cols; j++) {
                double *to = toy_number(numbers, s.d.x->cols[j]->name);
                for (int64_t i = 0; i < 3000; i++) {
                    uint32_t code = CODE_MISSING;
                    view_numbers(s.d.x, j, i, 1, &to[i]);
                    if (!s.t->n_levels[j]) continue;
                    view_codes(s.d.x, j, i, 1, &code);
                    to[i] = code == CODE_MISSING ? (double)NAN : code;
                }
            }
            toy_free(t.t);
            t.t = numbers;
            t.d.x = toy_view(numbers);
            struct toy_model *m =
                toy_fit(GBDT, c[o].options, &s.d, s.t->n_levels, NULL);
            struct toy_model *q =
                toy_fit(GBDT, c[o].options, &t.d, t.t->n_levels, NULL);
            double *a = scores_of(m, &s, classes), *b = scores_of(q, &t, classes);
            for (int64_t i = 0; i < 3000 * classes; i++)
                CHECK_MSG(a[i] == b[i], "%s: score %lld", c[o].options, (long long)i);
            free(a);
            free(b);
            toy_model_free(m);
            toy_model_free(q);
            sample_free(&s);
            sample_free(&t);
        }
}

TEST(more_than_254_levels_keep_the_frequent_ones)
{
    struct sample s = sample_new(6000, 400, 2, 0);
    struct toy_model *m = toy_fit(GBDT, "trees=20", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->status, TIDE_OK);
    int64_t n = 0;
    const uint8_t *code = toy_array(m, "level_code", &n);
    int most = 0;
    CHECK_INT(n, 400);
    for (int64_t i = 0; i < n; i++)
        most = code[i] != 255 && code[i] > most ? code[i] : most;
    CHECK_INT(most, 254);
    toy_model_free(m);
    sample_free(&s);
}

TEST(heavy_tails_take_32_bits)
{
    struct sample s = numbers(3000);
    for (int i = 0; i < 3000; i++) s.y[i] = i == 17 ? 1e9 : s.y[i];
    struct toy_model *m =
        toy_fit(GBDT, "trees=200,min_rows=1,patience=0", &s.d, s.t->n_levels, NULL);
    struct toy_how how = {.threads = 3, .isa = TIDE_ISA_BASE};
    struct toy_model *q =
        toy_fit(GBDT, "trees=200,min_rows=1,patience=0", &s.d, s.t->n_levels, &how);
    CHECK(m->hash == q->hash);
    double *out = calloc(3000, sizeof *out), se = 0;
    tide_error err = {0};
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 3000, out, &err), 0);
    for (int i = 0; i < 3000; i++) se += i == 17 ? 0 : fabs(out[i] - s.y[i]);
    /* the outlier's 1e9 shrinks by half a tree at first; 16 bits would leave levels of 30,000 */
    CHECK_MSG(se / 3000 < 60000, "mean error %g", se / 3000);
    free(out);
    toy_model_free(m);
    toy_model_free(q);
    sample_free(&s);
}

TEST(nothing_to_learn_gives_a_model_that_says_so)
{
    struct sample s = sample_new(50, 3, 2, 0);
    tide_error err = {0};
    double out[100];
    for (int i = 0; i < 50; i++) s.k[i] = 1;
    struct toy_model *m = toy_fit(GBDT, "trees=5", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->status, TIDE_OK);
    CHECK(m->info.note && strstr(m->info.note, "one class"));
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 50, out, &err), 0);
    CHECK_NEAR(out[1], 1, 1e-6);
    toy_model_free(m);
    s.d.n_classes = 1;
    for (int i = 0; i < 50; i++) s.k[i] = 0;
    m = toy_fit(GBDT, "trees=5", &s.d, s.t->n_levels, NULL);
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 50, out, &err), 0);
    CHECK_NEAR(out[49], 1, 0);
    toy_model_free(m);
    struct fit_data d = {.x = s.d.x, .task = TIDE_REGRESS, .y = s.y};
    for (int i = 0; i < 50; i++) s.y[i] = 42.1;
    m = toy_fit(GBDT, "trees=5", &d, s.t->n_levels, NULL);
    CHECK(m->info.note && strstr(m->info.note, "one value"));
    CHECK_INT(tide_learner_gbdt.predict(m->object, s.d.x, 0, 50, out, &err), 0);
    CHECK_NEAR(out[7], 42.1, 0);
    toy_model_free(m);
    sample_free(&s);
    struct toy *t = toy_new(30);
    double *x = toy_number(t, "x"), y[30];
    for (int i = 0; i < 30; i++) {
        x[i] = (double)NAN;
        y[i] = i;
    }
    struct fit_data none = {.x = toy_view(t), .task = TIDE_REGRESS, .y = y};
    m = toy_fit(GBDT, "trees=5", &none, t->n_levels, NULL);
    CHECK(m->info.note && strstr(m->info.note, "no column"));
    CHECK_INT(tide_learner_gbdt.predict(m->object, none.x, 0, 30, out, &err), 0);
    CHECK_NEAR(out[7], 14.5, 1e-12);
    toy_model_free(m);
    toy_free(t);
}

/* Pairs that scores put in the right order, by definition; and the mean absolute error. */
static double figure_of(const struct sample *s, const double *out, int is_auc)
{
    int64_t n = s->d.x->n_rows;
    double right = 0, pairs = 0, error = 0;
    for (int64_t i = 0; i < n; i++) {
        error += is_auc ? 0 : fabs(out[i] - s->y[i]);
        for (int64_t j = 0; is_auc && j < n; j++) {
            if (s->k[i] != 1 || s->k[j] != 0) continue;
            double a = out[2 * i + 1], b = out[2 * j + 1];
            pairs++;
            right += a > b ? 1 : a == b ? 0.5 : 0;
        }
    }
    return is_auc ? -right / pairs : error / (double)n;
}

/* The best round is that of the model whose metric, computed from its predictions, is best. */
static void check_stop_metric(int is_auc)
{
    enum { ROUNDS = 30 };
    struct sample fit = is_auc ? sample_new(1500, 10, 2, 0) : numbers(1500);
    struct sample other = is_auc ? sample_new(400, 10, 2, 0) : numbers(400);
    for (int i = 0; i < 1500; i++) {
        fit.k[i] = toy_u(3, i, 0) < 0.3 + 0.4 * (fit.y[i] > 2.5);
        fit.y[i] += 4 * toy_u(8, i, 0) * toy_u(8, i, 1);
    }
    for (int i = 0; i < 400; i++)
        other.k[i] = toy_u(4, i, 0) < 0.3 + 0.4 * (other.y[i] > 2.5);
    struct toy_how how = {.valid = &other.d};
    struct toy_model *m = toy_fit(GBDT,
                                  is_auc ? "trees=30,rate=0.3,stop_on=auc"
                                         : "trees=30,rate=0.3,stop_on=mae",
                                  &fit.d, fit.t->n_levels, &how);
    CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
    int best = 0;
    double least = 0;
    for (int r = 1; r <= ROUNDS; r++) {
        struct toy_how fixed = {.rounds = r};
        struct toy_model *q =
            toy_fit(GBDT, "trees=30,rate=0.3", &fit.d, fit.t->n_levels, &fixed);
        double *out = scores_of(q, &other, is_auc ? 2 : 1);
        double v = figure_of(&other, out, is_auc);
        if (best == 0 || v < least - 1e-12) {
            least = v;
            best = r;
        }
        free(out);
        toy_model_free(q);
    }
    CHECK_INT(m->info.best_round, best);
    toy_model_free(m);
    sample_free(&fit);
    sample_free(&other);
}

TEST(any_metric_may_end_the_rounds)
{
    check_stop_metric(1);
    check_stop_metric(0);
    struct sample s = sample_new(4000, 10, 2, 0);
    struct toy_model *m =
        toy_fit(GBDT, "trees=300,rate=0.3,patience=10", &s.d, s.t->n_levels, NULL);
    struct toy_model *q =
        toy_fit(GBDT, "trees=300,rate=0.3,patience=10,stop_on=log_loss", &s.d,
                s.t->n_levels, NULL);
    CHECK_INT(q->info.best_round, m->info.best_round); /* the metric is the loss */
    CHECK(q->hash == m->hash);
    toy_model_free(m);
    toy_model_free(q);
    m = toy_fit(GBDT, "stop_on=rmse", &s.d, s.t->n_levels, NULL);
    CHECK_STR(m->err.message, "metric 'rmse' is not for classes");
    toy_model_free(m);
    sample_free(&s);
}

TEST(folds_choose_the_rounds_of_large_tables_where_asked_for)
{
    struct sample s = sample_new(4000, 10, 2, 0);
    for (int i = 0; i < 4000; i++) s.k[i] = toy_u(3, i, 0) < 0.3 + 0.4 * (s.y[i] > 2.5);
    struct toy_how two = {.threads = 2};
    struct toy_model *m = toy_fit(GBDT, "trees=100,rate=0.3,patience=5,rounds_by=folds",
                                  &s.d, s.t->n_levels, NULL);
    struct toy_model *q = toy_fit(GBDT, "trees=100,rate=0.3,patience=5,rounds_by=folds",
                                  &s.d, s.t->n_levels, &two);
    struct toy_how fixed = {.rounds = m->info.rounds};
    struct toy_model *r =
        toy_fit(GBDT, "trees=100,rate=0.3", &s.d, s.t->n_levels, &fixed);
    CHECK(m->info.note && strstr(m->info.note, "chosen by 5 folds"));
    CHECK(m->info.rounds > 1 && m->info.rounds < 100);
    CHECK(m->hash == q->hash && m->hash == r->hash); /* all rows, so many rounds */
    toy_model_free(m);
    toy_model_free(q);
    toy_model_free(r);
    sample_free(&s);
}

TEST(a_loss_of_the_other_task_is_refused)
{
    struct sample s = sample_new(50, 3, 2, 0);
    struct toy_model *m = toy_fit(GBDT, "loss=squared", &s.d, s.t->n_levels, NULL);
    CHECK_INT(m->err.code, TIDE_CODE_PARAM_CONFLICT);
    toy_model_free(m);
    sample_free(&s);
}

static int stop_after(void *payload, const char *phase, double done, double total,
                      const char *text)
{
    (void)phase;
    (void)total;
    (void)text;
    return done >= *(const double *)payload;
}

TEST(a_cancelled_fit_leaves_the_whole_rounds)
{
    struct sample s = sample_new(20000, 10, 2, 0);
    double after = 3;
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    CHECK_INT(tide_ctx_new(&ctx, &err), TIDE_OK);
    tide_ctx_set_progress(ctx, stop_after, &after);
    struct toy_how how = {.ctx = ctx};
    struct toy_model *m =
        toy_fit(GBDT, "trees=5000,patience=0", &s.d, s.t->n_levels, &how);
    CHECK_INT(m->status, TIDE_ECANCELLED);
    CHECK(m->info.partial && m->object);
    int64_t trees = 0;
    toy_array(m, "tree_output", &trees);
    CHECK_INT(trees, m->info.best_round);
    CHECK(trees >= 3);
    toy_model_free(m);
    tide_ctx_free(ctx);
    sample_free(&s);
}

TEST(every_failing_allocation_is_an_error_and_leaks_nothing)
{
    struct sample s = sample_new(2200, 300, 3, 0);
    toy_fail_each(&tide_learner_gbdt, "trees=2,rows=0.8", &s.d, s.t->n_levels, 2);
    sample_free(&s);
}
