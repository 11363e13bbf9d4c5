/* Reports of scored rows: numbers, notes, charts, verdict. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "eval/eval.h"
#include "spec/spec.h"
#include "support/unit.h"

enum { ROWS = 3000 };
static double out2[ROWS * 2], out3[ROWS * 3], out1[ROWS], y1[ROWS];
static int32_t k2[ROWS], k3[ROWS], label2[ROWS], label3[ROWS];
static const char *const names2[] = {"no", "yes"}, *const names3[] = {"a", "b", "c"};

static double noise(int i, unsigned m)
{
    return (double)((unsigned)i * 2654435761u % m) / m;
}

static void fill(void)
{
    for (int i = 0; i < ROWS; i++) {
        double p = noise(i, 10007), q = noise(i + 17, 9973);
        out2[2 * i + 1] = p;
        out2[2 * i] = 1 - p;
        k2[i] = q < p;
        label2[i] = p >= 0.5;
        k3[i] = i % 3;
        for (int k = 0; k < 3; k++)
            out3[3 * i + k] = k == (q < 0.7 ? i % 3 : (i + 1) % 3) ? 0.6 : 0.2;
        label3[i] = q < 0.7 ? i % 3 : (i + 1) % 3;
        y1[i] = 10 * p;
        out1[i] = 10 * p + q - 0.5;
    }
}

static struct scored binary(void)
{
    fill();
    return (struct scored){.task = TIDE_CLASSIFY,
                           .n = ROWS,
                           .n_classes = 2,
                           .positive = 1,
                           .k = k2,
                           .out = out2,
                           .label = label2,
                           .labels = names2};
}

static tide_ctx *ctx;
static tide_report *report_of(const struct scored *s, const char *first, int all)
{
    tide_error err = {0};
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_report *r = report_new(ctx, "eval", "Title", &err);
    tide_status status = eval_report_metrics(ctx, r, s, first, all, 100, 1, &err);
    CHECK_MSG(status == TIDE_OK, "metrics: %s", err.message);
    status = eval_report_charts(ctx, r, s, &err);
    CHECK_MSG(status == TIDE_OK, "charts: %s", err.message);
    status = report_status(r, &err);
    CHECK_MSG(status == TIDE_OK, "report: %s", err.message);
    return r;
}

static const struct tide_chart *chart_of(const tide_report *r, const char *key)
{
    for (int i = 0; i < r->n; i++)
        if (r->items[i].kind == REPORT_CHART &&
            strcmp(r->items[i].chart->key, key) == 0)
            return r->items[i].chart;
    return NULL;
}

TEST(the_chosen_metric_comes_first)
{
    struct scored s = binary();
    tide_report *r = report_of(&s, "f_beta(beta=2)", 0);
    CHECK_INT(r->items[0].kind, REPORT_METRIC);
    CHECK_STR(r->items[0].metric.key, "f_beta(beta=2)");
    CHECK(r->items[0].metric.main);
    CHECK(r->items[0].metric.lo < r->items[0].metric.value);
    for (int i = 1; i < r->n; i++)
        CHECK(r->items[i].kind != REPORT_METRIC || !r->items[i].metric.main);
    tide_report_free(r);
}

TEST(numbers_are_found_by_key)
{
    struct scored s = binary();
    tide_report *r = report_of(&s, NULL, 0);
    double value;
    const char *reason;
    report_fact_int(r, "rows", ROWS);
    CHECK_INT(tide_report_number(r, "auc", &value, &reason), 0);
    CHECK(value > 0.7 && value < 1 && !reason);
    CHECK_INT(tide_report_number(r, "rows", &value, NULL), 0);
    CHECK(value == ROWS);
    CHECK(tide_report_number(r, "acc", &value, NULL) != 0 && isnan(value));
    CHECK_STR(tide_report_nearest(r, "acuracy"), "accuracy");
    tide_report_free(r);
}

TEST(one_class_leaves_a_reason)
{
    struct scored s = binary();
    for (int i = 0; i < ROWS; i++) k2[i] = 0;
    tide_report *r = report_of(&s, NULL, 0);
    double value;
    const char *reason = NULL;
    CHECK_INT(tide_report_number(r, "auc", &value, &reason), 0);
    CHECK(isnan(value));
    CHECK_STR(reason, "auc needs both classes; all 3000 rows are 'no'");
    CHECK(!chart_of(r, "roc") && !chart_of(r, "pr") && chart_of(r, "confusion"));
    tide_report_free(r);
}

TEST(all_metrics_of_two_classes)
{
    struct scored s = binary();
    tide_report *r = report_of(&s, "auc", 1);
    double value;
    static const char *const want[] = {"kappa", "lift", "gain",
                                       "iba",   "cost", "brier_resolution"};
    for (int i = 0; i < 6; i++)
        CHECK_MSG(tide_report_number(r, want[i], &value, NULL) == 0, "no %s", want[i]);
    CHECK(tide_report_number(r, "rmse", &value, NULL) != 0);
    tide_report_free(r);
}

TEST(charts_of_two_classes)
{
    static const char *const keys[] = {"roc",       "pr",          "gain",  "threshold",
                                       "confusion", "calibration", "scores"};
    struct scored s = binary();
    tide_report *r = report_of(&s, NULL, 0);
    for (int i = 0; i < (int)(sizeof keys / sizeof keys[0]); i++) {
        const struct tide_chart *c = chart_of(r, keys[i]);
        CHECK_MSG(c != NULL, "no chart %s", keys[i]);
        for (int j = 0; c && j < c->n_series; j++) CHECK(c->series[j].n <= 512);
        if (c) CHECK_INT(c->n, ROWS);
    }
    CHECK(chart_of(r, "roc")->is_key);
    CHECK(strstr(chart_of(r, "roc")->summary, "95 %") != NULL);
    CHECK(strstr(chart_of(r, "pr")->summary, "'yes'") != NULL);
    tide_report_free(r);
}

TEST(charts_of_three_classes)
{
    fill();
    struct scored s = {.task = TIDE_CLASSIFY,
                       .n = ROWS,
                       .n_classes = 3,
                       .k = k3,
                       .out = out3,
                       .label = label3,
                       .labels = names3};
    tide_report *r = report_of(&s, NULL, 1);
    const struct tide_chart *c = chart_of(r, "confusion");
    CHECK(c && c->is_key && c->n_series == 4 && c->series[0].n == 9);
    CHECK(chart_of(r, "roc") && chart_of(r, "calibration"));
    CHECK(!chart_of(r, "pr") && !chart_of(r, "threshold"));
    tide_report_free(r);
}

TEST(charts_of_values)
{
    fill();
    struct scored s = {
        .task = TIDE_REGRESS, .n = ROWS, .y = y1, .out = out1, .n_features = 4};
    tide_report *r = report_of(&s, NULL, 1);
    const struct tide_chart *c = chart_of(r, "predicted");
    double value, rows = 0;
    CHECK(c && c->is_key && c->marks[0].kind == MARK_HEX);
    for (int64_t i = 0; c && i < c->series[2].n; i++) rows += c->series[2].num[i];
    CHECK_NEAR(rows, ROWS, 0);
    CHECK(chart_of(r, "residuals") && chart_of(r, "errors"));
    CHECK(tide_report_number(r, "ndcg", &value, NULL) != 0);
    CHECK_INT(tide_report_number(r, "rmse", &value, NULL), 0);
    tide_report_free(r);
    s.n = 50;
    r = report_of(&s, "mae", 0);
    CHECK_INT(chart_of(r, "predicted")->marks[0].kind, MARK_POINT);
    tide_report_free(r);
}

TEST(reports_of_very_few_rows)
{
    struct scored s = binary();
    for (s.n = 1; s.n < 6; s.n++) tide_report_free(report_of(&s, NULL, 1));
    s.n = 0;
    tide_report_free(report_of(&s, NULL, 1));
    fill();
    struct scored v = {.task = TIDE_REGRESS, .y = y1, .out = out1, .n_features = 4};
    for (; v.n < 6; v.n++) tide_report_free(report_of(&v, NULL, 1));
}

TEST(long_names_do_not_break_summaries)
{
    static const char *const names[] = {
        "a class whose name goes on for rather longer than anybody would like to read",
        "another class whose name is no shorter than that of the first one, alas"};
    struct scored s = binary();
    s.labels = names;
    tide_report_free(report_of(&s, NULL, 1));
}

static char advised[400];

static const char *verdict_text(double train, double valid, double sd, double baseline)
{
    static char text[400];
    const struct tide_metric *m;
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, NULL, &m, NULL), TIDE_OK);
    tide_report *r = report_new(ctx, "train", "Title", NULL);
    struct eval_verdict q = {train, valid, sd, baseline, learner_find("gbdt", NULL)};
    eval_verdict(r, m, &q);
    advised[0] = '\0';
    if (r->n_advice) snprintf(advised, sizeof advised, "%s", r->advice[0].text);
    snprintf(text, sizeof text, "%s", r->verdict ? r->verdict : "");
    CHECK_INT(report_status(r, NULL), TIDE_OK);
    tide_report_free(r);
    return text;
}

TEST(verdicts_name_the_numbers)
{
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK(
        strstr(verdict_text(0.69, 0.695, 0.01, 0.693), "Underfits: log_loss is 0.695"));
    CHECK(strstr(verdict_text(0.05, 0.70, 0.01, 0.693), "no better than the baseline"));
    CHECK_STR(verdict_text(0.05, 0.50, 0.01, 0.693),
              "Overfits: log_loss is 0.05 on its own rows and 0.5 on others, so less "
              "than half of what it learned over the baseline (0.693) holds for new "
              "rows; the folds vary by 0.01.");
    CHECK(strstr(advised, "fewer leaves (--set leaves=...)"));
    /* one wild fold */
    CHECK(
        strstr(verdict_text(0.01, 90.0, 300.0, 0.693), "no better than the baseline"));
    CHECK(strstr(verdict_text(0.50, 90.0, 300.0, 0.693), "Underfits"));
    CHECK_STR(
        verdict_text(0.007, 0.18, 0.05, 0.66),
        "Fits: log_loss is 0.18 on rows it has not seen and 0.66 for the baseline; "
        "its own rows look better than new ones will (0.007), as boosting does; "
        "the folds vary by 0.05.");
    CHECK(strstr(advised, "more rows would narrow the gap"));
    CHECK(strstr(verdict_text(0.00, 0.10, 0.01, 0.693), "Fits: log_loss is 0.1 on"));
    CHECK(strstr(verdict_text(0.00, 0.10, 0.30, 0.693), "Fits well")); /* luck */
    CHECK(strstr(verdict_text(0.00, 0.05, 0.01, 0.693), "Fits well")); /* a tenth */
    CHECK(strstr(verdict_text(0.05, 0.38, 0.40, 0.693), "no better than"));
    CHECK(strstr(verdict_text(0.05, 0.38, 0.20, 0.693), "Overfits"));
    CHECK_STR(verdict_text(0.0, 0.0, 0.0, 0.0),
              "Nothing to learn: log_loss is 0 for the baseline already.");
    CHECK(strstr(verdict_text(0.28, 0.30, 0.01, 0.693), "Fits well"));
    CHECK(strstr(verdict_text(0.28, 0.30, 0.01, (double)NAN), "Fits well"));
    CHECK(strstr(verdict_text((double)NAN, 0.30, 0.01, 0.6), "No verdict"));
}

TEST(default_metrics_by_task)
{
    const struct tide_metric *m;
    tide_error err = {0};
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, NULL, &m, &err), TIDE_OK);
    CHECK_STR(m->name, "log_loss");
    CHECK_INT(eval_metric_default(TIDE_REGRESS, "", &m, &err), TIDE_OK);
    CHECK_STR(m->name, "rmse");
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, "roc_auc", &m, &err), TIDE_OK);
    CHECK_STR(m->name, "auc");
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, "rmse", &m, &err), TIDE_EINVAL);
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, "f_beta(beta=2)", &m, &err),
              TIDE_EINVAL);
    CHECK_INT(eval_metric_default(TIDE_CLASSIFY, "acuracy", &m, &err), TIDE_EINVAL);
    CHECK_STR(err.field, "metric");
}

/* Everything a report does, with the k-th allocation failing. */
static tide_status whole_report(const struct scored *s)
{
    tide_error err = {0};
    tide_report *r = report_new(ctx, "eval", "Title", &err);
    if (!r) return err.status;
    report_heading(r, "Heading");
    report_text(r, "%d rows", 7);
    report_fact_str(r, "target", "label");
    report_note(r, "a note");
    report_advice(r, "tidemill look", "an advice");
    tide_status status = eval_report_metrics(
        ctx, r, s, s->task == TIDE_CLASSIFY ? "f_beta(beta=2)" : "huber(delta=2)", 1,
        20, 1, &err);
    if (!status) status = eval_report_charts(ctx, r, s, &err);
    if (!status) status = report_status(r, &err);
    tide_report_free(r);
    return status;
}

static void starve(const struct scored *s)
{
    int64_t live = alloc_live();
    CHECK_INT(whole_report(s), TIDE_OK);
    CHECK_INT(alloc_live(), live);
    for (int64_t k = 1;; k += 1 + k / 32) {
        alloc_fault_set(k, 0);
        tide_status status = whole_report(s);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        CHECK_MSG(status == (hit ? TIDE_ENOMEM : TIDE_OK), "fault %lld: status %d",
                  (long long)k, (int)status);
        CHECK_INT(alloc_live(), live);
        if (!hit) break;
    }
}

TEST(memory_may_end_anywhere_in_a_report)
{
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    struct scored s = binary();
    s.n = 200;
    starve(&s);
    struct scored three = {.task = TIDE_CLASSIFY,
                           .n = 100,
                           .n_classes = 3,
                           .k = k3,
                           .out = out3,
                           .label = label3,
                           .labels = names3};
    starve(&three);
    struct scored v = {
        .task = TIDE_REGRESS, .n = 2100, .y = y1, .out = out1, .n_features = 4};
    starve(&v);
}

TEST(a_model_of_one_class_is_reported)
{
    static const double ones[5] = {1, 1, 1, 1, 1};
    static const int32_t k[] = {0, 0, 1, 0, 0}, label[5] = {0};
    struct scored s = {.task = TIDE_CLASSIFY,
                       .n = 5,
                       .n_classes = 1,
                       .k = k,
                       .out = ones,
                       .label = label,
                       .labels = names2};
    tide_report *r = report_of(&s, NULL, 1);
    double value;
    CHECK_INT(tide_report_number(r, "accuracy", &value, NULL), 0);
    CHECK_NEAR(value, 0.8, 1e-15);
    tide_report_free(r);
}
