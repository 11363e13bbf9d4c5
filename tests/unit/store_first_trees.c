/* store_first_trees.c - the first trees of a model are a model that was trained with fewer */
#include <tidemill/tidemill.h>

#include "base/alloc.h"
#include "store/import.h"
#include "support/unit.h"

static tide_ctx *ctx;

static tide_ctx *context(void)
{
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    return ctx;
}

static tide_model *train(const tide_frame *frame, const char *pipeline)
{
    tide_error err = {0};
    tide_report *report = NULL;
    tide_model *model = NULL;
    struct tide_problem_options problem = {.target = "y"};
    struct tide_train_options how = {.pipeline = pipeline, .cv = 1};
    CHECK_MSG(
        !tide_train(context(), frame, NULL, &problem, &how, &model, &report, &err),
        "%s", err.message);
    tide_report_free(report);
    return model;
}

static tide_frame *table(const char *kind)
{
    tide_error err = {0};
    tide_frame *frame = NULL;
    CHECK_MSG(!tide_frame_make(context(), kind, 300, NULL, &frame, &err), "%s",
              err.message);
    return frame;
}

/* The first n trees of `whole` against `few`: scores, rows one by one, contributions. */
static void check_same(const tide_frame *frame, tide_model *whole,
                       const tide_model *few, int n)
{
    tide_error err = {0};
    tide_model *first = NULL;
    tide_scores *a = NULL, *b = NULL;
    tide_shap *p = NULL, *q = NULL;
    tide_row_predictor *row = NULL;
    CHECK_MSG(!tide_model_first_trees(context(), whole, n, &first, &err), "%s",
              err.message);
    tide_model_free(whole); /* it is held */
    CHECK_INT(tide_model_predict(context(), first, frame, &a, &err), 0);
    CHECK_INT(tide_model_predict(context(), few, frame, &b, &err), 0);
    int64_t rows = tide_frame_rows(frame);
    int k = tide_scores_width(a);
    CHECK(memcmp(tide_scores_values(a), tide_scores_values(b),
                 (size_t)(rows * k) * sizeof(double)) == 0);
    CHECK_INT(tide_row_predictor_new(first, NULL, 0, &row, &err), 0);
    for (int64_t i = 0; i < rows; i++) {
        double x[64], out[16];
        for (int j = 0; j < tide_row_predictor_columns(row); j++)
            x[j] = tide_frame_number(
                frame, i,
                tide_frame_find(frame, tide_row_predictor_name(row, j), "", &err));
        CHECK_INT(tide_predict_row(row, x, out, &err), 0);
        CHECK(memcmp(out, tide_scores_values(a) + i * k, (size_t)k * 8) == 0);
    }
    CHECK_INT(tide_model_shap(context(), first, frame, NULL, &p, &err), 0);
    CHECK_INT(tide_model_shap(context(), few, frame, NULL, &q, &err), 0);
    CHECK(memcmp(tide_shap_values(p), tide_shap_values(q),
                 (size_t)(rows * tide_shap_outputs(p) * (tide_shap_columns(p) + 1)) *
                     sizeof(double)) == 0);
    tide_shap_free(p);
    tide_shap_free(q);
    tide_row_predictor_free(row);
    tide_scores_free(a);
    tide_scores_free(b);
    tide_model_free(first);
}

static void check_kind(const char *kind, const char *many, const char *few, int n)
{
    tide_frame *frame = table(kind);
    tide_model *small = train(frame, few);
    check_same(frame, train(frame, many), small, n);
    tide_model_free(small);
    tide_frame_free(frame);
}

TEST(the_first_20_of_50_trees_are_a_model_of_20)
{
    check_kind("classification", "gbdt(trees=50, patience=0)",
               "gbdt(trees=20, patience=0)", 20);
    check_kind("friedman1", "gbdt(trees=50, patience=0)", "gbdt(trees=20, patience=0)",
               20);
    check_kind("blobs", "gbdt(trees=50, patience=0)", "gbdt(trees=20, patience=0)", 20);
    check_kind("friedman1", "gbdt(trees=50, patience=0, loss=quantile, quantile=.1,.9)",
               "gbdt(trees=20, patience=0, loss=quantile, quantile=.1,.9)", 20);
    check_kind("blobs", "forest(trees=20)", "forest(trees=7)", 7);
    check_kind("friedman1", "extra_trees(trees=9)", "extra_trees(trees=9)", 9);
}

TEST(what_has_no_first_trees_is_refused)
{
    tide_error err = {0};
    tide_frame *frame = table("friedman1");
    tide_model *linear = train(frame, "ridge"), *trees = train(frame, "gbdt(trees=5)");
    tide_model *out = NULL;
    CHECK_INT(tide_model_first_trees(context(), linear, 1, &out, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    static const int64_t bad[] = {0, -1, 6, INT64_MAX};
    for (int i = 0; i < 4; i++) {
        err = (tide_error){0};
        CHECK_INT(tide_model_first_trees(context(), trees, bad[i], &out, &err),
                  TIDE_EINVAL);
        CHECK_INT(err.code, TIDE_CODE_PARAM_RANGE);
        CHECK(!out);
    }
    CHECK_INT(tide_model_first_trees(context(), NULL, 1, &out, &err), TIDE_EINVAL);
    CHECK_INT(tide_model_first_trees(context(), trees, 1, &out, &err), 0);
    CHECK_INT(tide_model_save(context(), out, "never.tide", &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    tide_model_free(out);
    tide_model_free(linear);
    tide_model_free(trees);
    tide_frame_free(frame);
}

/* Three rounds, whose mean is the score. */
static const char mean_of_three[] =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
    "max_feature_idx=0\nobjective=regression\naverage_output\nfeature_names=x\n"
    "feature_infos=[-1:1]\n\n"
    "Tree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=0\n"
    "decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=1 2\nleaf_count=3 1\n"
    "internal_count=4\nis_linear=0\nshrinkage=1\n\n\n"
    "Tree=1\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=1\n"
    "decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=3 6\nleaf_count=2 2\n"
    "internal_count=4\nis_linear=0\nshrinkage=1\n\n\n"
    "Tree=2\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=1\n"
    "decision_type=8\nleft_child=-1\nright_child=-2\nleaf_value=30 60\nleaf_count=2 2\n"
    "internal_count=4\nis_linear=0\nshrinkage=1\n\n\n"
    "end of trees\n\npandas_categorical:null\n";

TEST(a_mean_of_imported_trees_is_over_those_that_are_left)
{
    tide_error err = {0};
    tide_model *whole = NULL, *first = NULL;
    tide_row_predictor *row = NULL;
    double x = 0.5, out = 0;
    CHECK_MSG(!import_bytes(context(), mean_of_three, strlen(mean_of_three), "m.txt",
                            NULL, &whole, &err),
              "%s", err.message);
    if (!whole) return;
    CHECK_INT(tide_row_predictor_new(whole, NULL, 0, &row, &err), 0);
    CHECK_INT(tide_predict_row(row, &x, &out, &err), 0);
    CHECK_NEAR(out, (2 + 3 + 30) / 3.0, 1e-12);
    tide_row_predictor_free(row);
    CHECK_INT(tide_model_first_trees(context(), whole, 2, &first, &err), 0);
    CHECK_INT(tide_row_predictor_new(first, NULL, 0, &row, &err), 0);
    CHECK_INT(tide_predict_row(row, &x, &out, &err), 0);
    CHECK_NEAR(out, (2 + 3) / 2.0, 1e-12);
    tide_row_predictor_free(row);
    tide_model_free(first);
    tide_model_free(whole);
}

TEST(every_failed_allocation_is_an_error)
{
    tide_error err = {0};
    tide_frame *frame = table("friedman1");
    tide_model *whole = train(frame, "gbdt(trees=5)");
    for (int64_t k = 1;; k++) {
        tide_model *first = NULL;
        int64_t before = alloc_live();
        alloc_fault_set(k, 0);
        tide_status st = tide_model_first_trees(context(), whole, 3, &first, &err);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        tide_model_free(first);
        CHECK_INT(alloc_live(), before);
        if (!hit) break;
        CHECK_INT(st, TIDE_ENOMEM);
        CHECK(!first);
        if (st != TIDE_ENOMEM) break;
    }
    tide_model_free(whole);
    tide_frame_free(frame);
}
