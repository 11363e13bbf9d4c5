/* fitting and predicting: binding by name, steps, blocks, early-stopping rows, importance */
#include "base/json.h"
#include "pipe/pipe.h"
#include "support/events.h"
#include "support/probe.h"
#include "support/table.h"

static struct events said;
static tide_ctx *ctx;
static tide_error err;
static struct problem *prob;
static tide_model *model;
static struct pipe_node nodes[4];
static tide_pipeline pipe_;

/* Fits steps and learner on a table; model is NULL with `err` when it cannot be. */
static tide_status fit_on(tide_frame *f, const char *target,
                          const struct tide_step *const *steps,
                          const struct tide_learner *learner, struct pipe_fit how)
{
    struct tide_problem_options o = {.target = target};
    memset(&err, 0, sizeof err);
    model = NULL;
    prob = NULL;
    memset(nodes, 0, sizeof nodes);
    pipe_ = probe_pipeline(nodes, steps, learner);
    tide_status st = problem_new(ctx, f, &o, &prob, &err);
    struct fit_info info = {0};
    if (!st) st = pipe_fit(ctx, prob, &pipe_, &how, &model, &info, &err);
    return st;
}

static void done(void)
{
    tide_model_free(model);
    problem_free(prob);
    probe_done(&pipe_);
    model = NULL;
    prob = NULL;
}

/* Scores of a CSV text by the model; the caller's array. */
static tide_status score(const char *csv, double *out, struct bind_counts *counts)
{
    tide_frame *f = table_text(ctx, csv);
    memset(&err, 0, sizeof err);
    tide_status st =
        pipe_predict(ctx, model, f, NULL, tide_frame_rows(f), out, counts, &err);
    static char name[32];
    if (counts && counts->n_extra) { /* borrowed from the frame that goes now */
        snprintf(name, sizeof name, "%s", counts->extra[0]);
        counts->extra[0] = name;
    }
    tide_frame_free(f);
    return st;
}

static const char train[] = "x,c,y\n1,b,1.5\n2,a,2.5\n3,b,3.5\n6,c,4.5\n";

TEST(the_probe_scores_what_it_should)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double out[4];
    /* mean y 3, mean x 3, levels a b c */
    CHECK(!score(train, out, NULL));
    CHECK(out[0] == 3 + (1 - 3.0) + 2 / 8.0);
    CHECK(out[1] == 3 + (2 - 3.0) + 1 / 8.0);
    CHECK(out[3] == 3 + (6 - 3.0) + 3 / 8.0);
    CHECK_STR(tide_model_target(model), "y");
    CHECK_INT(model->schema.cols[0].n_levels, 3);
    CHECK(model->schema.cols[1].lo == 1 && model->schema.cols[1].hi == 6);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(c46_c48_columns_bind_by_name_in_any_order)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double a[4], b[4];
    struct bind_counts counts;
    CHECK(!score(train, a, NULL));
    CHECK(!score("more,c,x\n7,b,1\n8,a,2\n,b,3\n9,c,6\n", b, &counts));
    CHECK(memcmp(a, b, sizeof a) == 0);
    CHECK_INT(counts.n_extra, 1);
    CHECK_STR(counts.extra[0], "more");
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(c47_all_missing_names_are_listed)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "a,b,c,y\n1,2,3,1.5\n2,1,5,2.5\n4,3,2,3\n");
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double out[4];
    CHECK_INT(score("b\n1\n", out, NULL), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
    CHECK_STR(err.message, "the model needs 2 columns that are not here: 'a' and 'c'");
    CHECK_INT(score("b,c\n1,2\n", out, NULL), TIDE_EDATA);
    CHECK_STR(err.message, "no column 'a', which the model needs");
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(d19_text_where_numbers_were_is_refused_with_its_row)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double out[4], same[4];
    CHECK_INT(score("x,c\n1,a\nabc,b\n", out, NULL), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_TYPE);
    CHECK_STR(err.message, "'x' held numbers when the model was fitted, got \"abc\"");
    CHECK_INT(err.row, 2);
    CHECK_STR(err.field, "x");
    /* int, float, bool and empty interchange */
    CHECK(!score("x,c\n1.0,a\n0.5,b\n", out, NULL));
    CHECK(!score("x,c\n1,a\n", same, NULL));
    CHECK(out[0] == same[0]);
    CHECK(!score("x,c\ntrue,a\n", out, NULL));
    CHECK(out[0] == same[0]);
    CHECK(!score("x,c\n,a\n,b\n", out, NULL));
    CHECK(out[0] == 3 + 1 / 8.0);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(d18_unseen_levels_are_missing_and_counted)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double out[4], none[1];
    struct bind_counts counts;
    CHECK(!score("x,c\n1,zz\n1,a\n1,zz\n", out, &counts));
    CHECK_INT(counts.unseen, 2);
    CHECK_INT(counts.missing, 0);
    CHECK(!score("x,c\n1,\n", none, &counts));
    CHECK_INT(counts.missing, 1);
    CHECK(out[0] == none[0]);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(codes_that_read_as_numbers_find_their_levels)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "c,y\n3,1.5\n12,2.5\nx,3\n3,4\n");
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    CHECK_STR("category", tide_type_name(model->schema.cols[0].type));
    double a[2], b[4];
    CHECK(!score("c\n12\n3\n", a, NULL)); /* an int column */
    CHECK(!score("c\n12\n3\nx\n", b, NULL));
    CHECK(a[0] == b[0] && a[1] == b[1] && a[0] != a[1]);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(a_fold_knows_only_its_own_levels)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    const int64_t rows[] = {0, 2};
    CHECK(!fit_on(f, "y", NULL, &probe_learner,
                  (struct pipe_fit){.rows = rows, .n = 2, .seed = 1}));
    CHECK_INT(model->schema.cols[0].n_levels, 1);
    CHECK(model->schema.cols[1].hi == 3);
    double out[4];
    struct bind_counts counts;
    CHECK(!score(train, out, &counts));
    CHECK_INT(counts.unseen, 2);
    CHECK(out[0] == 2.5 + (1 - 2.0) + 1 / 8.0);
    CHECK(out[1] == 2.5 + (2 - 2.0));
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(steps_take_their_columns_and_see_only_training_rows)
{
    static const struct tide_step *const steps[] = {&probe_fill, NULL};
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "x,c,y\n1,b,1.5\n,a,2.5\n3,b,3.5\n,c,4.5\n");
    CHECK(!fit_on(f, "y", steps, &probe_learner, (struct pipe_fit){.seed = 1}));
    CHECK_INT(model->nodes[0].n_in, 1);
    CHECK_INT(model->nodes[0].in[0], 1); /* x, behind c */
    CHECK_INT(model->nodes[1].width, 2);
    double out[4];
    CHECK(!score("x,c\n,a\n2,a\n5,a\n", out, NULL)); /* mean x is 2 */
    CHECK(out[0] == out[1]);
    CHECK(out[2] == out[0] + 3);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(blocks_and_threads_change_no_bit)
{
    static const struct tide_step *const steps[] = {&probe_fill, NULL};
    ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 9001, 3);
    CHECK(!fit_on(f, "answer", steps, &probe_learner, (struct pipe_fit){.seed = 1}));
    int64_t n = 9001;
    double *all = malloc((size_t)n * 16), one[2];
    CHECK(!pipe_predict(ctx, model, f, NULL, n, all, NULL, &err));
    for (int64_t i = 0; i < n; i += 217) {
        CHECK(!pipe_predict(ctx, model, f, &i, 1, one, NULL, &err));
        CHECK(memcmp(one, all + 2 * i, sizeof one) == 0);
    }
    double *again = malloc((size_t)n * 16);
    CHECK(!tide_ctx_set_threads(ctx, 1, NULL));
    CHECK(!pipe_predict(ctx, model, f, NULL, n, again, NULL, &err));
    CHECK(memcmp(all, again, (size_t)n * 16) == 0);
    free(all);
    free(again);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

/* What the learner saw in a step that reads the target must not hold the row's own target. */
TEST(steps_that_read_the_target_are_cross_fitted)
{
    static const struct tide_step *const steps[] = {&probe_tmean, NULL};
    ctx = events_ctx(&said);
    static char csv[8192];
    int n = snprintf(csv, sizeof csv, "c,y\n");
    for (int i = 0; i < 200; i++) /* levels of two rows, targets are noise */
        n += snprintf(csv + n, sizeof csv - (size_t)n, "L%d,%d.5\n", i / 2,
                      i * 37 % 101);
    tide_frame *f = table_text(ctx, csv);
    CHECK(!fit_on(f, "y", steps, &probe_learner, (struct pipe_fit){.seed = 1}));
    const struct state_array *in_learner = state_find(&model->nodes[1].state, "mean");
    const struct state_array *in_step = state_find(&model->nodes[0].state, "mean");
    double plain = 0;
    for (int64_t k = 0; k < in_step->dim[0]; k++)
        plain += ((const double *)in_step->data)[k] / (double)in_step->dim[0];
    /* plain: the mean of level means; what the learner saw differs (levels unseen in a part) */
    CHECK(((const double *)in_learner->data)[0] != plain);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(n02_what_a_learner_cannot_take_names_the_step)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "x,y\n1,1.5\n,2.5\n3,3.5\n");
    CHECK_INT(fit_on(f, "y", NULL, &probe_strict, (struct pipe_fit){.seed = 1}),
              TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_MISSING);
    CHECK_STR(err.message, "strict cannot take missing values and 'x' has 1");
    CHECK_STR(err.value, "impute:median");
    CHECK_INT(err.row, 2);
    done();
    tide_frame_free(f);
    f = table_text(ctx, train);
    CHECK_INT(fit_on(f, "y", NULL, &probe_strict, (struct pipe_fit){.seed = 1}),
              TIDE_EDATA);
    CHECK_STR(err.message, "strict takes numbers and 'c' holds categories");
    done();
    tide_frame_free(f);
    f = table_text(ctx, "x,y\n1,a\n2,a\n3,a\n");
    CHECK_INT(fit_on(f, "y", NULL, &probe_strict, (struct pipe_fit){.seed = 1}),
              TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_ONE_CLASS);
    done();
    tide_frame_free(f);
    f = table_text(ctx, "x,y\n1,1.5\n2,2.5\n3,3.5\n");
    CHECK(!fit_on(f, "y", NULL, &probe_strict, (struct pipe_fit){.seed = 1}));
    double out[4];
    CHECK_INT(score("x\n1\n\n", out, NULL),
              TIDE_EDATA); /* a gap only in the new file */
    CHECK_STR(err.message,
              "strict cannot take missing values and 'x' has one in row 2");
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(a_selection_must_fit)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    struct tide_problem_options o = {.target = "y"};
    CHECK(!problem_new(ctx, f, &o, &prob, &err));
    static const struct tide_step *const steps[] = {&probe_fill, NULL};
    static const struct {
        const char *select;
        tide_code code;
    } bad[] = {
        {"cat", TIDE_CODE_PIPELINE_ORDER},
        {"c", TIDE_CODE_PIPELINE_ORDER},
        {"y", TIDE_CODE_PIPELINE_LEAK},
        {"zz", TIDE_CODE_DATA_COLUMN},
    };
    memset(nodes, 0, sizeof nodes);
    pipe_ = probe_pipeline(nodes, steps, &probe_learner);
    struct pipe_fit how = {.seed = 1};
    for (int i = 0; i < 4; i++) {
        snprintf(nodes[0].select, sizeof nodes[0].select, "%s", bad[i].select);
        CHECK(pipe_fit(ctx, prob, &pipe_, &how, &model, NULL, &err) != TIDE_OK);
        CHECK_INT(err.code, bad[i].code);
    }
    snprintf(nodes[0].select, sizeof nodes[0].select, "x");
    CHECK(!pipe_fit(ctx, prob, &pipe_, &how, &model, NULL, &err));
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(d27_no_rows_and_d06_no_columns)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, train);
    const int64_t rows[] = {0};
    CHECK_INT(fit_on(f, "y", NULL, &probe_learner,
                     (struct pipe_fit){.rows = rows, .n = 0, .seed = 1}),
              TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_NO_ROWS);
    CHECK(model == NULL);
    done();
    tide_frame_free(f);
    f = table_text(ctx, "x,y\n1,1.5\n1,2.5\n");
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    double out[2];
    CHECK(!score("x\n1\n2\n", out, NULL));
    CHECK(out[0] == 2 && out[1] == 2);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(importance_goes_back_through_the_steps)
{
    static const struct tide_step *const steps[] = {&probe_fill, &probe_tmean, NULL};
    ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 300, 5);
    CHECK(!fit_on(f, "amount", steps, &probe_learner, (struct pipe_fit){.seed = 1}));
    double w[8];
    CHECK_INT(model->schema.n_cols, 5);
    CHECK(!model_importance(model, w, &err));
    for (int j = 0; j < 5; j++) CHECK_NEAR(w[j], 0.2, 1e-15);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(truth_maps_labels_and_lists_unknown_ones)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "x,y\n1,0\n2,1\n3,0\n4,1\n");
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    struct arena a;
    struct truth t;
    arena_init(&a, NULL);
    tide_frame *g = table_text(ctx, "x,y\n1,1\n2,\n3,7\n4,0\n");
    CHECK(!pipe_truth(ctx, model, g, &a, &t, &err));
    CHECK_INT(t.n, 3);
    CHECK_INT(t.n_missing, 1);
    CHECK_INT(t.k[0], 1);
    CHECK_INT(t.k[1], 2); /* unknown */
    CHECK_INT(t.k[2], 0);
    CHECK_INT(t.rows[1], 2);
    CHECK_INT(t.n_unknown, 1);
    CHECK_STR(t.unknown[0], "7");
    tide_frame_free(g);
    g = table_text(ctx, "x,y\n1,1.0\n2,0.0\n5,0.5\n");
    CHECK(!pipe_truth(ctx, model, g, &a, &t, &err));
    CHECK(t.k[0] == 1 && t.k[1] == 0 && t.k[2] == 2);
    tide_frame_free(g);
    arena_free(&a);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

static int keep_text(void *payload, const void *data, size_t n)
{
    struct str *t = payload;
    str_addn(t, data, n);
    return 0;
}

TEST(scores_are_written_as_csv)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, "id,x,y\nr1,1,-a\nr2,2,b\nr3,3,-a\nr4,4,b\n");
    struct tide_problem_options o = {.target = "y", .id = "id"};
    CHECK(!problem_new(ctx, f, &o, &prob, &err));
    memset(nodes, 0, sizeof nodes);
    pipe_ = probe_pipeline(nodes, NULL, &probe_learner);
    struct pipe_fit how = {.seed = 1};
    CHECK(!pipe_fit(ctx, prob, &pipe_, &how, &model, NULL, &err));
    tide_scores *s = NULL;
    CHECK(!tide_model_predict(ctx, model, f, &s, &err));
    CHECK_INT(tide_scores_rows(s), 4);
    CHECK_INT(tide_scores_classes(s), 2);
    CHECK_STR(tide_scores_label(s, 1), "b");
    CHECK_INT(said.n_notes, 0);
    struct str out = {0};
    struct tide_scores_csv csv = {.proba = 0, .frame = f, .id = "id"};
    CHECK(!tide_scores_write(s, &csv, keep_text, &out, &err));
    CHECK_STR(out.s, "id,prediction\nr1,-a\nr2,b\nr3,b\nr4,b\n");
    str_clear(&out);
    csv = (struct tide_scores_csv){.proba = 1, .spreadsheet_safe = 1};
    CHECK(!tide_scores_write(s, &csv, keep_text, &out, &err));
    CHECK(strncmp(out.s, "prediction,p_-a,p_b\n'-a,0.75,0.25\n", 30) == 0);
    str_free(&out);
    tide_scores_free(s);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(labels_follow_the_threshold_and_ties_the_lower_class)
{
    tide_model m = {.schema = {.n_classes = 2, .positive = 1, .threshold = 0.3}};
    CHECK_INT(model_label(&m, (const double[]){0.6, 0.4}), 1);
    CHECK_INT(model_label(&m, (const double[]){0.8, 0.2}), 0);
    m.schema.positive = 0;
    CHECK_INT(model_label(&m, (const double[]){0.3, 0.7}), 0);
    m.schema.n_classes = 3;
    CHECK_INT(model_label(&m, (const double[]){0.2, 0.4, 0.4}), 1);
}

TEST(golden_rows_hold_and_a_changed_score_is_refused)
{
    static const struct tide_step *const steps[] = {&probe_fill, NULL};
    ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 500, 3);
    CHECK(!fit_on(f, "answer", steps, &probe_learner, (struct pipe_fit){.seed = 9}));
    CHECK(!model_add_profile(ctx, model, prob, &err));
    CHECK(!model_add_golden(ctx, model, &err));
    CHECK(!model_check_golden(ctx, model, &err));
    CHECK_INT(strlen(json_get_str(model->about, "data_hash", "")), 16);
    double *score_of = (double *)(uintptr_t)state_find(&model->golden, "score")->data;
    score_of[5] = nextafter(score_of[5], 2);
    CHECK_INT(model_check_golden(ctx, model, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_GOLDEN);
    CHECK_STR(err.place, "section GOLDEN, row 2");
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(the_data_hash_covers_used_columns_only)
{
    ctx = events_ctx(&said);
    static const char *const csv[] = {
        "a,b,y\n1,u,1.5\n2,v,2.5\n4,u,3\n", "b,y,a\nu,1.5,1\nv,2.5,2\nu,3,4\n",
        "a,b,k,y\n1,u,7,1.5\n2,v,7,2.5\n4,u,7,3\n", "a,b,y\n1,u,1.5\n2,v,2.5\n4,v,3\n"};
    char hash[4][20];
    for (int i = 0; i < 4; i++) {
        tide_frame *f = table_text(ctx, csv[i]);
        CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
        CHECK(!model_add_profile(ctx, model, prob, &err));
        snprintf(hash[i], sizeof hash[i], "%s",
                 json_get_str(model->about, "data_hash", ""));
        done();
        tide_frame_free(f);
    }
    CHECK_STR(hash[1], hash[0]);
    CHECK_STR(hash[2], hash[0]);
    CHECK(strcmp(hash[3], hash[0]) != 0);
    tide_ctx_free(ctx);
}

TEST(rows_watched_for_stopping_pass_through_the_fitted_steps)
{
    static const struct tide_step *const steps[] = {&probe_fill, &probe_tmean, NULL};
    ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 400, 5);
    int64_t rows[300], valid[100];
    for (int i = 0; i < 400; i++) *(i % 4 ? &rows[i - i / 4 - 1] : &valid[i / 4]) = i;
    CHECK(!fit_on(
        f, "amount", steps, &probe_learner,
        (struct pipe_fit){
            .rows = rows, .n = 300, .valid = valid, .n_valid = 100, .seed = 1}));
    done();
    CHECK(!fit_on(
        f, "amount", NULL, learner_find("gbdt", &err),
        (struct pipe_fit){
            .rows = rows, .n = 300, .valid = valid, .n_valid = 100, .seed = 1}));
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

/* More levels than a search by halves is used for, with long common beginnings. */
TEST(many_levels_are_sorted_and_found)
{
    ctx = events_ctx(&said);
    static char csv[100000];
    int n = snprintf(csv, sizeof csv, "c,y\n");
    for (int i = 0; i < 900; i++)
        n += snprintf(csv + n, sizeof csv - (size_t)n, "%s%d,%d.5\n",
                      i % 3 ? "common-prefix-" : "p", i * 7919 % 997 % 500, i);
    tide_frame *f = table_text(ctx, csv);
    CHECK(!fit_on(f, "y", NULL, &probe_learner, (struct pipe_fit){.seed = 1}));
    const struct dict *d = &model->schema.cols[0].levels;
    CHECK(d->n > 300);
    for (uint32_t c = 1; c < d->n; c++) {
        char a[64], b[64];
        size_t na, nb;
        const char *s = dict_text(d, c - 1, &na), *t = dict_text(d, c, &nb);
        snprintf(a, sizeof a, "%.*s", (int)na, s);
        snprintf(b, sizeof b, "%.*s", (int)nb, t);
        CHECK(strcmp(a, b) < 0);
    }
    double *out = malloc(900 * sizeof *out), one[1];
    struct bind_counts counts;
    CHECK(!pipe_predict(ctx, model, f, NULL, 900, out, &counts, &err));
    CHECK_INT(counts.unseen, 0);
    for (int i = 0; i < 900; i += 31) {
        char row[64];
        snprintf(row, sizeof row, "c\n%s%d\n", i % 3 ? "common-prefix-" : "p",
                 i * 7919 % 997 % 500);
        CHECK(!score(row, one, NULL));
        CHECK(one[0] == out[i]);
    }
    free(out);
    done();
    tide_frame_free(f);
    tide_ctx_free(ctx);
}
