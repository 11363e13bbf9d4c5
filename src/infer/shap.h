/* shap.h - exact Shapley contributions of tree ensembles */
#ifndef INFER_SHAP_H
#define INFER_SHAP_H
#include "infer/ensemble.h"

/* Path-dependent contributions (Lundberg et al. 2020) of view rows [i0, i0 + n) to the margins:
 * phi [n][n_outputs][n_features + 1], the last of each being the expected margin; a row sums to
 * its margin. Errors: tide-schema where the ensemble has no covers, memory. Any thread. */
tide_status shap_values(const struct ensemble *e, const struct view *x, int64_t i0,
                        int64_t n, double *phi, tide_error *err);
/* Interactions: phi [n][n_outputs][n_features + 1][n_features + 1], symmetric; a line sums to its
 * contribution, and the last corner holds the expected margin. */
tide_status shap_interactions(const struct ensemble *e, const struct view *x,
                              int64_t i0, int64_t n, double *phi, tide_error *err);
/* Interventional contributions against background rows: phi as of shap_values, the last being
 * the mean over the background. on_scores (one output only): contributions to the score behind
 * the link instead of the margin; each pair of rows is scaled by the slope of the link between
 * them. Needs no covers. Errors: limit-depth where a path tests more than 64 features. */
tide_status shap_interventional(const struct ensemble *e, const struct view *x,
                                int64_t i0, int64_t n, const struct view *background,
                                int on_scores, double *phi, tide_error *err);
struct simd_table;
/* With a kernel set (tests). */
tide_status shap_values_on(const struct simd_table *simd, const struct ensemble *e,
                           const struct view *x, int64_t i0, int64_t n, double *phi,
                           tide_error *err);
#define SHAP_ROWS 512 /* rows that are taken at once: callers cut blocks by it */
#endif
