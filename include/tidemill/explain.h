/* explain.h - why a model says what it says */
#ifndef TIDEMILL_EXPLAIN_H
#define TIDEMILL_EXPLAIN_H

#include <tidemill/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Contributions of columns to the margins of rows: exact path-dependent Shapley values of tree
 * ensembles; coefficient times distance from the column's mean in linear models. What a step made of a column is added up under that column. A row's contributions
 * and its bias sum to the margin: log-odds of the second class for two classes, one margin a
 * class for more, the value for numbers; class shares for trees and forests.
 * Errors: as tide_model_predict; param-conflict; pipeline-step where a margin is no such sum, tide-schema where
 * the model does not say what its nodes saw, or what the means were. Ownership: caller frees. */
typedef struct tide_shap tide_shap;
struct
    tide_shap_options {   /* NULL or zero: path-dependent contributions to the margin */
    int32_t interactions; /* of pairs of columns; path-dependent only */
    /* interventional: a column that is absent is taken from each of these rows in turn */
    const tide_frame *background;
    int32_t
        on_scores; /* with a background: to the probability of trees with one margin */
};
TIDE_API TIDE_MUST_USE tide_status tide_model_shap(
    tide_ctx *ctx, const tide_model *model, const tide_frame *frame,
    const struct tide_shap_options *options, tide_shap **out, tide_error *err);
TIDE_API void tide_shap_free(tide_shap *shap);
TIDE_API int64_t tide_shap_rows(const tide_shap *shap);
TIDE_API int tide_shap_outputs(const tide_shap *shap);
TIDE_API int tide_shap_columns(const tide_shap *shap);
/* Name of a column of the model. */
TIDE_API const char *tide_shap_name(const tide_shap *shap, int column);
/* [rows][outputs][columns + 1], the last of each being the bias; of interactions
 * [rows][outputs][columns + 1][columns + 1], symmetric, a line summing to its contribution. */
TIDE_API const double *tide_shap_values(const tide_shap *shap);

/* What a model rests on and how: permutation importance with intervals (where the table has the
 * target), mean absolute contributions of columns (trees and linear models), and for the
 * most important columns partial dependence with the spread over rows, and accumulated local
 * effects. Works for every model. Errors: as tide_model_predict, data-no-rows. Caller frees. */
struct tide_explain_options {
    int32_t top;     /* columns with curves */
    int32_t repeats; /* permutations of a column */
    int32_t sample;  /* rows that are looked at, drawn evenly */
    uint64_t seed;
};
TIDE_API const struct tide_params *tide_explain_params(void);
TIDE_API TIDE_MUST_USE tide_status tide_model_explain(
    tide_ctx *ctx, const tide_model *model, const tide_frame *frame,
    const struct tide_explain_options *options, tide_report **out, tide_error *err);

#ifdef __cplusplus
}
#endif
#endif
