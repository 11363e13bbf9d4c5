/* explain_model.c - contributions through steps, the figures of `explain` against the model itself */
#include <tidemill/tidemill.h>

#include "eval/chart.h"
#include "eval/report_data.h"
#include "support/unit.h"

struct fitted {
    tide_ctx *ctx;
    tide_frame *frame;
    tide_model *model;
};

static struct fitted fit(const char *kind, const char *pipeline)
{
    struct fitted f = {0};
    tide_error err = {0};
    tide_report *report = NULL;
    struct tide_problem_options problem = {.target = "y"};
    struct tide_train_options train = {.pipeline = pipeline, .cv = 1};
    CHECK_INT(tide_ctx_new(&f.ctx, &err), 0);
    CHECK_INT(tide_frame_make(f.ctx, kind, 400, NULL, &f.frame, &err), 0);
    CHECK_MSG(
        !tide_train(f.ctx, f.frame, NULL, &problem, &train, &f.model, &report, &err),
        "%s", err.message);
    tide_report_free(report);
    return f;
}

static void unfit(struct fitted *f)
{
    tide_model_free(f->model);
    tide_frame_free(f->frame);
    tide_ctx_free(f->ctx);
}

/* The first margin of a row with so many margins. */
static double margin_of(const tide_scores *s, int64_t i, int margins)
{
    int k = tide_scores_classes(s);
    const double *p = tide_scores_values(s) + i * (k ? k : 1);
    return k == 2 && margins == 1 ? log(p[1] / p[0]) : p[0];
}

static void check_sums(const char *kind, const char *pipeline, double tolerance)
{
    struct fitted f = fit(kind, pipeline);
    tide_error err = {0};
    tide_shap *shap = NULL;
    tide_scores *scores = NULL;
    CHECK_MSG(!tide_model_shap(f.ctx, f.model, f.frame, NULL, &shap, &err), "%s",
              err.message);
    CHECK_INT(tide_model_predict(f.ctx, f.model, f.frame, &scores, &err), 0);
    int p = tide_shap_columns(shap);
    CHECK_INT(tide_shap_rows(shap), 400);
    CHECK(tide_shap_name(shap, 0) && !tide_shap_name(shap, p) &&
          !tide_shap_name(shap, -1));
    for (int64_t i = 0; i < 400; i++) {
        const double *phi =
            tide_shap_values(shap) + i * tide_shap_outputs(shap) * (p + 1);
        double sum = 0;
        for (int j = 0; j <= p; j++) sum += phi[j];
        CHECK_NEAR(sum, margin_of(scores, i, tide_shap_outputs(shap)), tolerance);
    }
    tide_shap_free(shap);
    tide_scores_free(scores);
    unfit(&f);
}

TEST(contributions_sum_to_the_margin)
{
    check_sums("classification", "gbdt(trees=40)", 1e-9);
    check_sums("friedman1", "gbdt(trees=40)", 1e-9);
    check_sums("friedman1", "tree(depth=7)", 1e-9);
    check_sums("friedman1", "gbdt(trees=40, offset=x9)", 1e-9);
    check_sums("friedman1", "forest(trees=9)", 1e-9);
    check_sums("classification", "forest(trees=9)", 1e-9);
    check_sums("airline_like", "extra_trees(trees=9)", 1e-9);
}

TEST(contributions_of_encoded_columns_come_back_to_their_column)
{
    check_sums("airline_like", "cat: encode:onehot; gbdt(trees=20)", 1e-9);
}

TEST(contributions_of_votes_and_linear_models_sum_to_the_margin)
{
    check_sums("classification", "adaboost(trees=20, depth=2)", 1e-9);
    check_sums("friedman1", "ridge", 1e-9);
    check_sums("friedman1", "scale:standard; ridge(l2=3)", 1e-9);
    check_sums("classification", "logistic", 1e-9);
    check_sums("airline_like", "cat: encode:onehot; logistic", 1e-9);
}

/* One margin a class: margins less one of them are logarithms of ratios. */
static void check_classes(const char *pipeline)
{
    struct fitted f = fit("blobs", pipeline);
    tide_error err = {0};
    tide_shap *shap = NULL;
    tide_scores *scores = NULL;
    CHECK_MSG(!tide_model_shap(f.ctx, f.model, f.frame, NULL, &shap, &err), "%s",
              err.message);
    CHECK_INT(tide_model_predict(f.ctx, f.model, f.frame, &scores, &err), 0);
    int line = tide_shap_columns(shap) + 1, k = tide_shap_outputs(shap);
    CHECK(k > 2);
    CHECK_INT(k, tide_scores_classes(scores));
    for (int64_t i = 0; shap && i < 400; i++) {
        const double *phi = tide_shap_values(shap) + i * k * line;
        const double *p = tide_scores_values(scores) + i * k;
        double margin[64] = {0};
        for (int q = 0; q < k; q++)
            for (int j = 0; j < line; j++) margin[q] += phi[q * line + j];
        for (int q = 1; q < k; q++)
            if (p[0] > 1e-200 && p[q] > 1e-200)
                CHECK_NEAR(margin[q] - margin[0], log(p[q] / p[0]), 1e-8);
    }
    tide_shap_free(shap);
    tide_scores_free(scores);
    unfit(&f);
}

TEST(contributions_to_several_margins_sum_to_each)
{
    check_classes("adaboost(trees=20, depth=2)");
    check_classes("logistic");
}

/* coef (x - mean) by the model's own answers: what a column adds, less what it adds in another
 * row, is how far the value moves when only that column moves; and the mean of what it adds to the
 * rows that its mean is of is 0. */
static void check_linear(const tide_frame *background, struct fitted *f)
{
    tide_error err = {0};
    tide_shap *shap = NULL, *pairs = NULL;
    struct tide_shap_options o = {.background = background};
    CHECK_MSG(!tide_model_shap(f->ctx, f->model, f->frame, &o, &shap, &err), "%s",
              err.message);
    o = (struct tide_shap_options){.interactions = 1};
    CHECK_INT(tide_model_shap(f->ctx, f->model, f->frame, &o, &pairs, &err), 0);
    tide_row_predictor *row = NULL;
    CHECK_INT(tide_row_predictor_new(f->model, NULL, 0, &row, &err), 0);
    int p = tide_shap_columns(shap), line = p + 1;
    const double *phi = tide_shap_values(shap);
    double x[64], a = 0, b = 0;
    for (int j = 0; j < p; j++) {
        double sum = 0;
        for (int64_t i = 0; i < 400; i++) sum += phi[i * line + j];
        CHECK_NEAR(sum / 400, 0, 1e-10);
        for (int64_t i = 1; i < 40; i++) {
            for (int k = 0; k < p; k++) {
                int at = tide_frame_find(f->frame, tide_shap_name(shap, k), "", &err);
                x[k] = tide_frame_number(f->frame, i, at);
                if (k == j) b = tide_frame_number(f->frame, 0, at);
            }
            CHECK_INT(tide_predict_row(row, x, &a, &err), 0);
            x[j] = b;
            CHECK_INT(tide_predict_row(row, x, &b, &err), 0);
            CHECK_NEAR(phi[i * line + j] - phi[j], a - b, 1e-9);
        }
    }
    const double *q = tide_shap_values(pairs);
    for (int j = 0; j < line; j++)
        for (int k = 0; k < line; k++)
            if (j == k)
                CHECK_NEAR(q[j * line + k], phi[j], 1e-10);
            else
                CHECK_NEAR(q[j * line + k], 0, 0);
    tide_row_predictor_free(row);
    tide_shap_free(shap);
    tide_shap_free(pairs);
}

TEST(contributions_of_a_linear_model_are_distances_from_the_mean)
{
    struct fitted f = fit("friedman1", "ridge(l2=0.5)");
    check_linear(NULL, &f);
    check_linear(f.frame, &f);
    tide_error err = {0};
    tide_shap *shap = NULL;
    struct tide_shap_options o = {.background = f.frame, .on_scores = 1};
    CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, &o, &shap, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    unfit(&f);
}

TEST(a_margin_that_is_no_sum_has_no_contributions)
{
    static const char *const none[] = {"baseline", "adaboost(trees=5)"};
    for (int k = 0; k < 2; k++) {
        struct fitted f = fit("friedman1", none[k]);
        tide_error err = {0};
        tide_shap *shap = NULL;
        CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, NULL, &shap, &err),
                  TIDE_EINVAL);
        CHECK_INT(err.code, TIDE_CODE_PIPELINE_STEP);
        CHECK(!shap);
        CHECK_INT(tide_model_shap(NULL, f.model, f.frame, NULL, &shap, &err),
                  TIDE_EINVAL);
        unfit(&f);
    }
}

TEST(interactions_and_backgrounds_sum_to_the_model)
{
    struct fitted f = fit("airline_like", "cat: encode:onehot; gbdt(trees=10)");
    tide_error err = {0};
    tide_shap *plain = NULL, *pairs = NULL, *score = NULL;
    tide_scores *scores = NULL;
    struct tide_shap_options o = {.interactions = 1};
    CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, NULL, &plain, &err), 0);
    CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, &o, &pairs, &err), 0);
    o.background = f.frame;
    CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, &o, &score, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    o = (struct tide_shap_options){.on_scores = 1};
    CHECK_INT(tide_model_shap(f.ctx, f.model, f.frame, &o, &score, &err), TIDE_EINVAL);
    o.background = f.frame;
    CHECK_MSG(!tide_model_shap(f.ctx, f.model, f.frame, &o, &score, &err), "%s",
              err.message);
    CHECK_INT(tide_model_predict(f.ctx, f.model, f.frame, &scores, &err), 0);
    int64_t line = tide_shap_columns(plain) + 1;
    for (int64_t i = 0; i < 400 && score; i++) {
        const double *q = tide_shap_values(pairs) + i * line * line;
        double all = 0;
        for (int64_t j = 0; j < line; j++) {
            double sum = 0;
            for (int64_t k = 0; k < line; k++) sum += q[j * line + k];
            CHECK_NEAR(sum, tide_shap_values(plain)[i * line + j], 1e-10);
            all += tide_shap_values(score)[i * line + j];
        }
        CHECK_NEAR(all, tide_scores_values(scores)[2 * i + 1], 1e-10);
    }
    tide_shap_free(plain);
    tide_shap_free(pairs);
    tide_shap_free(score);
    tide_scores_free(scores);
    unfit(&f);
}

struct text {
    char *s;
    size_t n;
};
static int put(void *payload, const void *data, size_t n)
{
    struct text *t = payload;
    t->s = realloc(t->s, t->n + n + 1);
    memcpy(t->s + t->n, data, n);
    t->n += n;
    t->s[t->n] = 0;
    return 0;
}

static struct text explain(struct fitted *f, int threads)
{
    struct text t = {0};
    tide_error err = {0};
    tide_report *report = NULL;
    struct tide_explain_options o = {.top = 3, .repeats = 3, .sample = 150, .seed = 4};
    struct tide_report_style style = {.size = sizeof style, .format = TIDE_FORMAT_JSON};
    CHECK_INT(tide_ctx_set_threads(f->ctx, threads, &err), 0);
    CHECK_MSG(!tide_model_explain(f->ctx, f->model, f->frame, &o, &report, &err), "%s",
              err.message);
    if (!report) return t;
    CHECK_INT(tide_report_write(report, &style, put, &t, &err), 0);
    tide_report_free(report);
    return t;
}

TEST(any_learner_is_explained_and_threads_change_nothing)
{
    static const char *const cases[][2] = {
        {"friedman1", "ridge"},
        {"friedman1", "gbdt(trees=20)"},
        {"airline_like", "gbdt(trees=20)"},
        {"blobs", "gbdt(trees=10)"},
        {"airline_like", "cat: encode:onehot; logistic"},
        {"friedman1", "adaboost(trees=5)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fitted f = fit(cases[i][0], cases[i][1]);
        struct text a = explain(&f, 1), b = explain(&f, 3);
        CHECK(a.s && b.s && strcmp(a.s, b.s) == 0);
        CHECK(a.s && strstr(a.s, "\"permutation\""));
        CHECK(a.s && strstr(a.s, "pdp_"));
        CHECK(a.s && (strstr(cases[i][1], "adaboost") == NULL) ==
                         (strstr(a.s, "\"contributions\"") != NULL));
        free(a.s);
        free(b.s);
        unfit(&f);
    }
}

/* The number that follows a key of a chart's summary, after `from`. */
static double number_after(const char *text, const char *from, const char *key)
{
    const char *at = text ? strstr(text, from) : NULL;
    at = at ? strstr(at, key) : NULL;
    return at ? strtod(at + strlen(key), NULL) : (double)NAN;
}

/* Ridge is linear: its local effects and dependence go by slope times distance. */
TEST(curves_of_a_linear_model_are_lines)
{
    struct fitted f = fit("friedman1", "ridge(alpha=0.0001)");
    struct text t = explain(&f, 1);
    double change = number_after(t.s, "ale_x3", "changes by ");
    double low = number_after(t.s, "pdp_x3", "goes from ");
    double high = number_after(t.s, "pdp_x3", " to ");
    CHECK_NEAR(change, high - low, 0.01);
    CHECK_MSG(change > 8 && change < 12, "x3 has a slope of 10, not %g", change);
    free(t.s);
    unfit(&f);
}

/* Trees of shared tests have 15 inner boxes and 16 ends; below them leaves are only counted. */
TEST(a_tree_is_drawn_to_its_fourth_level)
{
    struct fitted f =
        fit("friedman1",
            "gbdt(trees=2, growth=symmetric, depth=5, min_rows=1, patience=0)");
    tide_error err = {0};
    tide_report *r = NULL;
    CHECK_MSG(!tide_model_tree_report(f.ctx, f.model, 1, &r, &err), "%s", err.message);
    const struct tide_chart *c = NULL;
    for (int i = 0; i < r->n; i++)
        if (r->items[i].chart) c = r->items[i].chart;
    CHECK(c && c->n_marks == 1 && c->marks[0].kind == MARK_NODE);
    const double *x = c->series[c->marks[0].x].num, *y = c->series[c->marks[0].y].num;
    const double *parent = c->series[c->marks[0].lo].num;
    int64_t n = c->series[c->marks[0].y].n, ends = 0;
    CHECK(n > 20 && n <= 31);
    CHECK(parent[0] == -1 && x[0] == 0);
    for (int64_t i = 1; i < n; i++) {
        int64_t up = (int64_t)parent[i], first = -1, last = -1;
        CHECK(up >= 0 && up < i && x[i] == x[up] + 1 && x[i] <= 4);
        for (int64_t j = i + 1; j < n; j++) {
            if ((int64_t)parent[j] != i) continue;
            if (first < 0) first = j;
            last = j;
        }
        if (first < 0)
            CHECK(y[i] == (double)ends++);
        else
            CHECK(y[i] == (y[first] + y[last]) / 2);
    }
    tide_report_free(r);
    CHECK_INT(tide_model_tree_report(f.ctx, f.model, 3, &r, &err), TIDE_EINVAL);
    CHECK(!r);
    unfit(&f);
    f = fit("friedman1", "gbdt(trees=1, min_gain=1e200, patience=0)");
    CHECK_MSG(!tide_model_tree_report(f.ctx, f.model, 1, &r, &err), "%s", err.message);
    tide_report_free(r);
    unfit(&f);
}
