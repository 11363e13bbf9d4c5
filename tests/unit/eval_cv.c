/* Folds and the evaluation of a fitted model, on real pipelines. */
#include "base/alloc.h"
#include "base/ctx.h"
#include "eval/eval.h"
#include "support/unit.h"

enum { ROWS = 400 };
static double x1[ROWS], x2[ROWS], value[ROWS];
static const char *label[ROWS];

static double noise(int i, unsigned m)
{
    return (double)((unsigned)i * 2654435761u % m) / m;
}

/* 'yes' where x1 is large, one row in ten the other way round; value follows x1 */
static void fill(void)
{
    for (int i = 0; i < ROWS; i++) {
        x1[i] = noise(i, 1009);
        x2[i] = noise(i + 77, 997);
        label[i] = (x1[i] > 0.5) != (noise(i, 631) < 0.1) ? "yes" : "no";
        value[i] = 10 * x1[i] + x2[i];
    }
}

static tide_frame *frame_of(tide_ctx *ctx, int n)
{
    struct tide_column_in cols[] = {{.name = "x1", .f64 = x1},
                                    {.name = "x2", .f64 = x2},
                                    {.name = "label", .text = label},
                                    {.name = "value", .f64 = value}};
    tide_frame *frame = NULL;
    tide_error err = {0};
    tide_status status = tide_frame_new(ctx, n, 4, cols, &frame, &err);
    CHECK_MSG(status == TIDE_OK, "frame: %s", err.message);
    return frame;
}

struct bench {
    tide_ctx *ctx;
    tide_frame *frame;
    struct problem *p;
    tide_pipeline *pipeline;
    const struct tide_metric *metric;
    struct arena a;
    int32_t fold[ROWS];
};

static void bench_open(struct bench *b, const char *target, const char *drop,
                       const char *text)
{
    const char *drops[1] = {drop};
    struct tide_problem_options o = {.target = target,
                                     .drop = {.n = 1, .items = drops}};
    tide_error err = {0};
    fill();
    memset(b, 0, sizeof *b);
    CHECK_INT(tide_ctx_new(&b->ctx, NULL), TIDE_OK);
    arena_init(&b->a, NULL);
    b->frame = frame_of(b->ctx, ROWS);
    tide_status status = problem_new(b->ctx, b->frame, &o, &b->p, &err);
    CHECK_MSG(status == TIDE_OK, "problem: %s", err.message);
    status = pipeline_parse(text, &b->pipeline, &err);
    CHECK_MSG(status == TIDE_OK, "pipeline: %s", err.message);
    CHECK_INT(eval_metric_default(b->p->task, NULL, &b->metric, NULL), TIDE_OK);
    status = fold_assign(b->p->n_rows, b->p->rows, b->p->k, b->p->n_classes, 5,
                         FOLD_PHILOX, 1, b->fold, &err);
    CHECK_MSG(status == TIDE_OK, "folds: %s", err.message);
}

static void bench_close(struct bench *b)
{
    arena_free(&b->a);
    pipeline_free(b->pipeline);
    problem_free(b->p);
    tide_frame_free(b->frame);
    tide_ctx_free(b->ctx);
}

static tide_status bench_run(struct bench *b, int k, struct cv_result *cv)
{
    tide_error err = {0};
    tide_status status = eval_cross_validate(b->ctx, b->p, b->pipeline, b->fold, k,
                                             b->metric, 1, "fitting", &b->a, cv, &err);
    CHECK_MSG(status == TIDE_OK || status == TIDE_ECANCELLED || status == TIDE_ENOMEM,
              "%s", err.message);
    return status;
}

TEST(every_row_is_scored_by_a_model_that_has_not_seen_it)
{
    struct bench b;
    struct cv_result cv;
    int right = 0;
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    CHECK_INT(bench_run(&b, 5, &cv), TIDE_OK);
    for (int i = 0; i < ROWS; i++) {
        CHECK_NEAR(cv.out[2 * i] + cv.out[2 * i + 1], 1, 1e-9);
        right += cv.label[i] == b.p->k[i];
    }
    CHECK(right > ROWS * 8 / 10);
    for (int f = 0; f < 5; f++)
        CHECK(cv.fold_metric[f] > 0 && cv.fold_metric[f] < 2 && cv.train_metric[f] > 0);
    bench_close(&b);
}

TEST(a_tree_cannot_learn_the_rows_it_is_scored_on)
{
    struct bench b;
    struct cv_result cv;
    int right = 0;
    fill();
    bench_open(&b, "label", "value", "tree(depth=30)");
    /* labels that have nothing to do with the columns */
    int32_t *k = arena_array(&b.a, ROWS, sizeof *k);
    for (int i = 0; i < ROWS; i++) k[i] = noise(i * 31 + 5, 7919) < 0.5;
    b.p->k = k;
    CHECK_INT(bench_run(&b, 5, &cv), TIDE_OK);
    for (int i = 0; i < ROWS; i++) right += cv.label[i] == k[i];
    CHECK_MSG(right > ROWS * 38 / 100 && right < ROWS * 62 / 100, "%d of %d right",
              right, ROWS);
    bench_close(&b);
}

TEST(values_are_validated_alike)
{
    struct bench b;
    struct cv_result cv;
    double sum = 0;
    bench_open(&b, "value", "label", "tree(depth=6)");
    CHECK_INT(bench_run(&b, 5, &cv), TIDE_OK);
    for (int i = 0; i < ROWS; i++) sum += fabs(cv.out[i] - value[i]);
    CHECK(sum / ROWS < 1);
    CHECK(cv.fold_metric[0] < 2);
    bench_close(&b);
}

TEST(a_hold_out_scores_its_rows_only)
{
    struct bench b;
    struct cv_result cv;
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    for (int i = 0; i < ROWS; i++) b.fold[i] = i % 4 != 0;
    CHECK_INT(bench_run(&b, 1, &cv), TIDE_OK);
    for (int i = 0; i < ROWS; i++) {
        CHECK((cv.label[i] >= 0) == (i % 4 == 0));
        CHECK(isnan(cv.out[2 * i]) == (i % 4 != 0));
    }
    bench_close(&b);
}

TEST(an_empty_fold_is_refused)
{
    struct bench b;
    struct cv_result cv;
    tide_error err = {0};
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    for (int i = 0; i < ROWS; i++) b.fold[i] = 0;
    CHECK_INT(eval_cross_validate(b.ctx, b.p, b.pipeline, b.fold, 2, b.metric, 1,
                                  "fitting", &b.a, &cv, &err),
              TIDE_EDATA);
    CHECK_STR(err.message, "fold 1 of 2 has 400 rows to score and 0 to fit on");
    bench_close(&b);
}

TEST(folds_do_not_depend_on_threads)
{
    struct bench b;
    struct cv_result one, three;
    bench_open(&b, "label", "value", "tree(depth=4)");
    CHECK_INT(tide_ctx_set_threads(b.ctx, 1, NULL), TIDE_OK);
    CHECK_INT(bench_run(&b, 5, &one), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(b.ctx, 3, NULL), TIDE_OK);
    CHECK_INT(bench_run(&b, 5, &three), TIDE_OK);
    CHECK(memcmp(one.out, three.out, sizeof(double) * 2 * ROWS) == 0);
    CHECK(memcmp(one.fold_metric, three.fold_metric, sizeof(double) * 5) == 0);
    bench_close(&b);
}

TEST(memory_may_end_anywhere)
{
    struct bench b;
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    for (int64_t k = 1; k < 4000; k += 1 + k / 16) {
        struct cv_result cv;
        struct arena a = {0};
        tide_status status;
        tide_error err = {0};
        arena_init(&a, NULL);
        alloc_fault_set(k, 0);
        status = eval_cross_validate(b.ctx, b.p, b.pipeline, b.fold, 2, b.metric, 1,
                                     "fitting", &a, &cv, &err);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        arena_free(&a);
        CHECK_MSG(hit ? status == TIDE_ENOMEM : status == TIDE_OK,
                  "fault %lld: status %d, %s", (long long)k, (int)status, err.message);
        if (!hit) break;
    }
    bench_close(&b);
}

/* ---- a model on a table ---- */

static tide_model *fitted(struct bench *b)
{
    struct pipe_fit how = {.seed = 1, .phase = "fitting"};
    struct fit_info info = {0};
    tide_model *m = NULL;
    tide_error err = {0};
    tide_status status = pipe_fit(b->ctx, b->p, b->pipeline, &how, &m, &info, &err);
    CHECK_MSG(status == TIDE_OK, "fit: %s", err.message);
    return m;
}

TEST(a_model_is_evaluated_on_a_table)
{
    struct bench b;
    struct tide_eval_options o = {
        .metric = "f_beta(beta=2)", .seed = 1, .bootstrap = 100};
    tide_report *r = NULL;
    tide_error err = {0};
    double number;
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    tide_model *m = fitted(&b);
    label[3] = NULL;
    label[5] = "perhaps";
    tide_frame *other = frame_of(b.ctx, ROWS);
    tide_status status = tide_model_eval(b.ctx, m, other, &o, &r, &err);
    CHECK_MSG(status == TIDE_OK, "%s", err.message);
    CHECK_INT(tide_report_number(r, "rows", &number, NULL), 0);
    CHECK(number == ROWS - 1);
    CHECK_INT(tide_report_number(r, "auc", &number, NULL), 0);
    CHECK(number > 0.8);
    CHECK_STR(r->items[0].metric.key, "f_beta(beta=2)");
    CHECK_STR(json_get_str(r->facts, "positive", ""), "yes");
    CHECK_STR(json_get_str(r->facts, "model", ""), "tree");
    CHECK(r->n_notes >= 3);
    CHECK_STR(r->notes[0], "1 rows without a value of 'label' are left out");
    CHECK(strstr(r->notes[1], "'perhaps'") != NULL);
    CHECK(strstr(r->notes[2], "'value'") != NULL);
    tide_report_free(r);
    tide_frame_free(other);
    tide_model_free(m);
    bench_close(&b);
}

/* Queries of 20 rows; a sample of the training rows must not cut them. */
TEST(a_ranker_is_validated_and_evaluated_by_its_groups)
{
    static double query[ROWS], relevance[ROWS];
    struct tide_column_in cols[] = {{.name = "x1", .f64 = x1},
                                    {.name = "x2", .f64 = x2},
                                    {.name = "query", .f64 = query},
                                    {.name = "relevance", .f64 = relevance}};
    struct tide_problem_options o = {
        .target = "relevance", .group = "query", .task = 2};
    struct bench b = {0};
    struct cv_result cv;
    struct fit_aims aims;
    tide_model *model = NULL;
    tide_report *r = NULL;
    tide_error err = {0};
    struct pipe_fit how = {.seed = 1};
    fill();
    for (int i = 0; i < ROWS; i++) {
        query[i] = i % 20;
        relevance[i] = floor(4 * x1[i] * x1[i]);
    }
    CHECK_INT(tide_ctx_new(&b.ctx, NULL), TIDE_OK);
    arena_init(&b.a, NULL);
    CHECK_INT(tide_frame_new(b.ctx, ROWS, 4, cols, &b.frame, NULL), TIDE_OK);
    CHECK_INT(problem_new(b.ctx, b.frame, &o, &b.p, &err), TIDE_OK);
    CHECK_INT(b.p->n_features, 2);
    CHECK_INT(pipeline_parse("gbdt(trees=20, loss=lambdarank)", &b.pipeline, NULL),
              TIDE_OK);
    pipeline_aims(b.pipeline, &aims);
    CHECK(aims.tasks == TIDE_REGRESS && eval_is_ranked(&aims));
    CHECK_INT(eval_metric_default(TIDE_REGRESS, aims.metric, &b.metric, NULL), TIDE_OK);
    CHECK_INT(fold_assign_groups(ROWS, b.p->group, 4, 1, b.fold, NULL), TIDE_OK);
    CHECK_INT(bench_run(&b, 4, &cv), TIDE_OK);
    for (int f = 0; f < 4; f++)
        CHECK(cv.fold_metric[f] > 0.95 && cv.fold_metric[f] <= 1);
    CHECK_INT(pipe_fit(b.ctx, b.p, b.pipeline, &how, &model, NULL, &err), TIDE_OK);
    CHECK_STR(model->schema.group, "query");
    struct tide_eval_options e = {.seed = 1};
    CHECK_INT(tide_model_eval(b.ctx, model, b.frame, &e, &r, &err), TIDE_OK);
    double got = 0;
    const char *why = NULL;
    CHECK(r && tide_report_number(r, "ndcg", &got, &why) == 0 && got > 0.95);
    CHECK(r && tide_report_number(r, "rmse", &got, &why) != 0);
    tide_report_free(r);
    tide_model_free(model);
    bench_close(&b);
}

/* Each stage's figure is that of the model of the first trees. */
TEST(stages_are_models_of_first_trees)
{
    struct bench b;
    tide_report *r = NULL, *one = NULL;
    tide_model *first = NULL;
    tide_error err = {0};
    double number, wanted;
    bench_open(&b, "label", "value", "gbdt(trees=10, leaves=4, patience=0)");
    tide_model *m = fitted(&b);
    const tide_frame *also[9] = {b.frame, b.frame};
    struct tide_eval_options o = {.metric = "auc",
                                  .seed = 1,
                                  .bootstrap = 20,
                                  .stages = 4,
                                  .n_also = 2,
                                  .also = also};
    tide_status status = tide_model_eval(b.ctx, m, b.frame, &o, &r, &err);
    CHECK_MSG(status == TIDE_OK, "%s", err.message);
    json_t *stages = json_object_get(r->facts, "stages");
    json_t *trees = json_object_get(stages, "trees");
    json_t *values = json_object_get(stages, "values");
    CHECK_INT((int)json_array_size(trees), 4);
    CHECK_INT((int)json_object_size(values), 3);
    json_t *line = json_object_get(values, "memory"),
           *twin = json_object_get(values, "memory (3)");
    static const int at[] = {3, 5, 8, 10};
    struct tide_eval_options plain = {.metric = "auc", .seed = 1, .bootstrap = 20};
    for (int i = 0; i < 4; i++) {
        CHECK_INT((int)json_integer_value(json_array_get(trees, (size_t)i)), at[i]);
        CHECK_INT(tide_model_first_trees(b.ctx, m, at[i], &first, &err), TIDE_OK);
        CHECK_INT(tide_model_eval(b.ctx, first, b.frame, &plain, &one, &err), TIDE_OK);
        CHECK_INT(tide_report_number(one, "auc", &wanted, NULL), 0);
        number = json_number_value(json_array_get(line, (size_t)i));
        CHECK(number == wanted);
        CHECK(json_number_value(json_array_get(twin, (size_t)i)) == wanted);
        tide_report_free(one);
        tide_model_free(first);
    }
    tide_report_free(r);
    o.n_also = 9;
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "at most 8 further tables, got \"9\"");
    o.n_also = 3; /* one that is no table */
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "a table of 'also' is NULL");
    o.n_also = 2;
    o.stages = 0;
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "further tables are for stages");
    tide_model_free(m);
    bench_close(&b);
}

TEST(a_model_without_trees_has_no_stages)
{
    struct bench b;
    struct tide_eval_options o = {.stages = 4};
    tide_report *r = NULL;
    tide_error err = {0};
    bench_open(&b, "label", "value", "logistic");
    tide_model *m = fitted(&b);
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "logistic has no trees to take the first of");
    tide_model_free(m);
    bench_close(&b);
}

TEST(a_wrong_metric_shows_before_the_work)
{
    struct bench b;
    struct tide_eval_options o = {.metric = "rmse"};
    tide_report *r = NULL;
    tide_error err = {0};
    bench_open(&b, "label", "value", "tree(depth=3, min_rows=30)");
    tide_model *m = fitted(&b);
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    CHECK(!r);
    CHECK_STR(err.message, "metric \"rmse\" is for regression");
    o.metric = "acuracy";
    CHECK_INT(tide_model_eval(b.ctx, m, b.frame, &o, &r, &err), TIDE_EINVAL);
    tide_model_free(m);
    bench_close(&b);
}

TEST(a_model_of_values_is_evaluated)
{
    struct bench b;
    tide_report *r = NULL;
    tide_error err = {0};
    double number;
    bench_open(&b, "value", "label", "tree(depth=6)");
    tide_model *m = fitted(&b);
    tide_status status = tide_model_eval(b.ctx, m, b.frame, NULL, &r, &err);
    CHECK_MSG(status == TIDE_OK, "%s", err.message);
    CHECK_INT(tide_report_number(r, "r2", &number, NULL), 0);
    CHECK(number > 0.9);
    tide_report_free(r);
    tide_model_free(m);
    bench_close(&b);
}
