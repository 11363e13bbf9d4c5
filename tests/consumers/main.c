/* main.c - a program of somebody else, built against the installed library in four ways */
#include <stdio.h>
#include <string.h>

#include <tidemill/ctx.h>
#include <tidemill/model.h>
#include <tidemill/status.h>
#include <tidemill/version.h>

/* names that the library uses inside: they must not clash */
int arena_push(void);
int arena_push(void)
{
    return 7;
}

#define ROWS 400

/* derivatives of the squared error; *payload counts the rounds */
static int squared(const double *scores, const double *targets, const double *weights,
                   int64_t n, double *g, double *h, void *payload)
{
    int64_t i;
    (void)weights;
    ++*(int *)payload;
    for (i = 0; i < n; i++) {
        g[i] = scores[i] - targets[i];
        h[i] = 1;
    }
    return 0;
}

/* trains with a loss of this program: 0 when its scores are near the targets */
static int own_loss(tide_ctx *ctx, tide_error *err)
{
    static double x[ROWS], y[ROWS];
    static const char *const set[] = {"loss=custom", "trees=80", "rate=0.2"};
    struct tide_column_in cols[2];
    struct tide_problem_options problem;
    struct tide_train_options options;
    struct tide_loss loss;
    tide_frame *frame = NULL;
    tide_model *model = NULL;
    tide_report *report = NULL;
    tide_scores *scores = NULL;
    int i, calls = 0, far = 0;
    memset(cols, 0, sizeof cols);
    memset(&problem, 0, sizeof problem);
    memset(&options, 0, sizeof options);
    memset(&loss, 0, sizeof loss);
    for (i = 0; i < ROWS; i++) {
        x[i] = i % 20;
        y[i] = i % 20 < 7 ? -3 : 5;
    }
    cols[0].name = "x";
    cols[0].f64 = x;
    cols[1].name = "y";
    cols[1].f64 = y;
    problem.target = "y";
    options.learner = "gbdt";
    options.set.items = (const char **)set;
    options.set.n = 3;
    options.cv = 1;
    loss.size = (uint32_t)sizeof loss;
    loss.gradient = squared;
    loss.payload = &calls;
    options.own_loss = &loss;
    if (tide_frame_new(ctx, ROWS, 2, cols, &frame, err) != TIDE_OK) return 10;
    if (tide_train(ctx, frame, NULL, &problem, &options, &model, &report, err) !=
        TIDE_OK)
        return 11;
    if (tide_model_predict(ctx, model, frame, &scores, err) != TIDE_OK) return 12;
    for (i = 0; i < ROWS; i++) {
        double d = tide_scores_values(scores)[i] - y[i];
        far += d > 0.1 || d < -0.1;
    }
    tide_scores_free(scores);
    tide_report_free(report);
    tide_model_free(model);
    tide_frame_free(frame);
    return far || calls != 80 ? 13 : 0;
}

int main(void)
{
    tide_ctx *ctx = NULL;
    tide_error err;
    memset(&err, 0, sizeof err);
    err.size = (uint32_t)sizeof err;
    if (tide_ctx_new(&ctx, &err) != TIDE_OK) return 1;
    if (tide_ctx_set_threads(ctx, 2, &err) != TIDE_OK) return 2;
    if (tide_ctx_set_threads(ctx, -1, &err) != TIDE_EINVAL) return 3;
    if (strcmp(tide_code_name(TIDE_CODE_CSV_TYPE), "csv-type") != 0) return 4;
    int wrong = own_loss(ctx, &err);
    if (wrong) return wrong;
    tide_ctx_free(ctx);
    printf("tidemill %s, %d\n", TIDE_VERSION, arena_push());
    return 0;
}
