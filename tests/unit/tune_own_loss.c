/* tune_own_loss.c - a loss by callback through the public interface: training, files, what is refused */
#include <unistd.h>

#include <tidemill/tidemill.h>

#include "pipe/pipe.h"
#include "support/table.h"

static tide_ctx *ctx;

static int gradient(const double *scores, const double *targets, const double *weights,
                    int64_t n, double *g, double *h, void *payload)
{
    (void)weights;
    ++*(int *)payload;
    for (int64_t i = 0; i < n; i++) {
        g[i] = scores[i] - targets[i];
        h[i] = 1;
    }
    return 0;
}
static double value(const double *scores, const double *targets, const double *weights,
                    int64_t n, void *payload)
{
    double sum = 0;
    (void)weights, (void)payload;
    for (int64_t i = 0; i < n; i++) sum += fabs(scores[i] - targets[i]);
    return sum / (double)n;
}

static tide_status train(const tide_frame *f, struct tide_train_options o,
                         const tide_model *from, tide_model **out, tide_error *err)
{
    struct tide_problem_options p = {.target = "amount"};
    tide_report *r = NULL;
    memset(err, 0, sizeof *err);
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    tide_status st =
        from ? tide_train_from(ctx, from, NULL, f, NULL, &p, &o, out, &r, err)
             : tide_train(ctx, f, NULL, &p, &o, out, &r, err);
    tide_report_free(r);
    return st;
}

TEST(a_model_of_a_callers_loss_is_saved_and_goes_on)
{
    int calls = 0;
    struct tide_loss loss = {sizeof loss, gradient, NULL, &calls};
    struct tide_train_options o = {
        .pipeline = "gbdt(trees=9, loss=custom)", .cv = 1, .own_loss = &loss};
    tide_model *m = NULL, *read = NULL, *on = NULL, *whole = NULL;
    tide_scores *a = NULL, *b = NULL;
    tide_error err;
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    tide_frame *f = table_mixed(ctx, 700, 4);
    CHECK_MSG(!train(f, o, NULL, &m, &err), "%s", err.message);
    CHECK_INT(calls, 9);
    char path[] = "/tmp/tune_own_loss.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    CHECK_MSG(!tide_model_save(ctx, m, path, &err), "%s", err.message);
    CHECK_MSG(!tide_model_open(ctx, path, NULL, &read, &err), "%s", err.message);
    unlink(path);
    struct tide_train_options further = {.own_loss = &loss};
    const char *set = "trees=4";
    further.set = (struct tide_text_list){&set, 1};
    CHECK_MSG(!train(f, further, read, &on, &err), "%s", err.message);
    CHECK_INT(calls, 13);
    o.pipeline = "gbdt(trees=13, loss=custom)";
    CHECK_MSG(!train(f, o, NULL, &whole, &err), "%s", err.message);
    CHECK_INT(tide_model_predict(ctx, on, f, &a, &err), 0);
    CHECK_INT(tide_model_predict(ctx, whole, f, &b, &err), 0);
    CHECK(memcmp(tide_scores_values(a), tide_scores_values(b), 700 * sizeof(double)) ==
          0);
    further.own_loss = NULL; /* the model's loss is still the caller's */
    tide_model *no = NULL;
    CHECK_INT(train(f, further, read, &no, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    tide_scores_free(a);
    tide_scores_free(b);
    tide_model_free(m);
    tide_model_free(read);
    tide_model_free(on);
    tide_model_free(whole);
    tide_frame_free(f);
}

TEST(folds_are_fitted_by_the_callers_loss_and_the_baseline_is_not)
{
    int calls = 0;
    struct tide_loss loss = {sizeof loss, gradient, value, &calls};
    struct tide_train_options o = {
        .pipeline = "gbdt(trees=30, loss=custom)", .cv = 3, .own_loss = &loss};
    tide_model *m = NULL;
    tide_error err;
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    tide_frame *f = table_mixed(ctx, 600, 5);
    CHECK_MSG(!train(f, o, NULL, &m, &err), "%s", err.message);
    CHECK(calls > 4 * 5);
    tide_model_free(m);
    tide_frame_free(f);
}

TEST(a_loss_that_no_learner_takes_is_refused)
{
    static const struct tide_train_options asked[] = {{.learner = "gbdt", .cv = 1},
                                                      {.learner = "ridge"},
                                                      {.learner = "auto"},
                                                      {.pipeline = "forest(trees=3)"}};
    int calls = 0;
    struct tide_loss loss = {sizeof loss, gradient, value, &calls};
    tide_error err;
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    tide_frame *f = table_mixed(ctx, 100, 6);
    for (int v = 0; v < 4; v++) {
        struct tide_train_options o = asked[v];
        tide_model *m = NULL;
        o.own_loss = &loss;
        CHECK_INT(train(f, o, NULL, &m, &err), TIDE_EINVAL);
        CHECK_STR(err.message, "'own_loss' is for a learner whose loss is custom");
        CHECK(m == NULL && calls == 0);
    }
    tide_frame_free(f);
}
