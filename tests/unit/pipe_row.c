/* pipe_row.c - single rows by the public call: the bits of the batch, no allocation */
#include <tidemill/tidemill.h>

#include "base/alloc.h"
#include "support/unit.h"

struct fitted {
    tide_ctx *ctx;
    tide_frame *frame;
    tide_model *model;
    tide_scores *scores;
};

static struct fitted fit(const char *kind, const char *target, const char *pipeline)
{
    struct fitted f = {0};
    tide_error err = {0};
    tide_report *report = NULL;
    struct tide_problem_options problem = {.target = target};
    struct tide_train_options train = {.pipeline = pipeline, .cv = 1};
    CHECK_INT(tide_ctx_new(&f.ctx, &err), 0);
    CHECK_MSG(!tide_frame_make(f.ctx, kind, 500, NULL, &f.frame, &err), "%s",
              err.message);
    CHECK_MSG(
        !tide_train(f.ctx, f.frame, NULL, &problem, &train, &f.model, &report, &err),
        "%s", err.message);
    CHECK_MSG(!tide_model_predict(f.ctx, f.model, f.frame, &f.scores, &err), "%s",
              err.message);
    tide_report_free(report);
    return f;
}

static void unfit(struct fitted *f)
{
    tide_scores_free(f->scores);
    tide_model_free(f->model);
    tide_frame_free(f->frame);
    tide_ctx_free(f->ctx);
}

/* Every row by the predictor, its values put in the caller's order, against the batch. */
static void compare(struct fitted *f, int is_direct)
{
    tide_error err = {0};
    tide_row_predictor *p = NULL;
    const char *names[64];
    int n = tide_frame_columns(f->frame), k = tide_scores_classes(f->scores);
    double x[64], out[16];
    char text[256];
    if (k == 0) k = 1;
    for (int j = 0; j < n; j++) names[j] = tide_frame_name(f->frame, j);
    CHECK_MSG(!tide_row_predictor_new(f->model, names, n, &p, &err), "%s", err.message);
    CHECK_INT(tide_row_predictor_width(p), k);
    int columns = tide_row_predictor_columns(p);
    int64_t live = 0;
    for (int64_t i = 0; i < tide_frame_rows(f->frame); i++) {
        for (int j = 0; j < n; j++) {
            x[j] = tide_frame_number(f->frame, i, j);
            if (tide_frame_type(f->frame, j) != TIDE_CAT) continue;
            int to = 0;
            while (to < columns &&
                   strcmp(tide_row_predictor_name(p, to), names[j]) != 0)
                to++;
            int64_t len = tide_frame_text(f->frame, i, j, text, sizeof text);
            x[j] = len < 0 ? (double)NAN : tide_row_predictor_level(p, to, text);
        }
        if (i == 0) alloc_fault_set(0, 0);
        CHECK_INT(tide_predict_row(p, x, out, &err), 0);
        live = i == 0 ? alloc_fault_count() : live;
        CHECK_MSG(memcmp(out, tide_scores_values(f->scores) + i * k,
                         (size_t)k * sizeof *out) == 0,
                  "row %d differs", (int)i);
    }
    CHECK_MSG(!is_direct || live == 0, "%d allocations", (int)live);
    tide_row_predictor_free(p);
}

TEST(rows_of_trees_are_scored_without_allocating)
{
    struct fitted f = fit("classification", "y", "gbdt(trees=30)");
    compare(&f, 1);
    unfit(&f);
    f = fit("airline_like", "y", "gbdt(trees=30)");
    compare(&f, 1);
    unfit(&f);
    f = fit("friedman1", "y", "tree(depth=6)");
    compare(&f, 1);
    unfit(&f);
    f = fit("classification", "y", "forest(trees=8)");
    compare(&f, 1);
    unfit(&f);
    f = fit("airline_like", "y", "extra_trees(trees=8)");
    compare(&f, 1);
    unfit(&f);
    f = fit("friedman1", "y", "gbdt(trees=30, offset=x9)");
    compare(&f, 1);
    unfit(&f);
}

TEST(rows_behind_steps_are_scored_the_same)
{
    struct fitted f =
        fit("airline_like", "y",
            "num: impute:median; num: scale:standard; cat: encode:onehot; logistic");
    compare(&f, 0);
    unfit(&f);
}

TEST(what_a_row_lacks_is_named)
{
    struct fitted f = fit("friedman1", "y", "gbdt(trees=5)");
    const char *names[] = {"y", "x1"};
    tide_row_predictor *p = NULL;
    tide_error err = {0};
    CHECK_INT(tide_row_predictor_new(f.model, names, 2, &p, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
    CHECK(!p);
    CHECK_INT(tide_row_predictor_new(f.model, NULL, 0, &p, &err), 0);
    double x[64] = {0}, out[2];
    x[tide_row_predictor_columns(p) - 1] = INFINITY;
    CHECK_INT(tide_predict_row(p, x, out, &err), TIDE_EDATA);
    CHECK_INT(err.code, TIDE_CODE_DATA_INFINITE);
    CHECK_INT(tide_predict_row(NULL, x, out, &err), TIDE_EINVAL);
    CHECK(!tide_row_predictor_name(p, -1));
    CHECK(isnan(tide_row_predictor_level(p, 0, "x")));
    tide_row_predictor_free(p);
    unfit(&f);
}
