/* forest_fit.h - what forest.c and extra_trees.c share: parameters, fit, the model */
#ifndef LEARNERS_TREE_FOREST_FIT_H
#define LEARNERS_TREE_FOREST_FIT_H
#include "spec/learner.h"

struct forest_params {
    int32_t trees, depth, leaves, min_rows, criterion, class_weight, bootstrap, oob,
        importance;
    double columns, rows, min_gain;
};
extern const char *const forest_criteria[], *const forest_class_weights[],
                                                *const forest_importances[];

tide_status forest_check(const void *params, tide_error *err);
tide_status forest_fit(struct tide_ctx *ctx, const struct forest_params *p, int random,
                       const struct fit_data *d, int32_t rounds, struct state *out,
                       struct fit_info *info, tide_error *err);
/* Trees behind those of the model: by their numbers, so on the same rows they are the trees of one
 * fit. */
tide_status forest_resume(struct tide_ctx *ctx, const struct forest_params *p,
                          int random, const struct fit_data *d, int32_t rounds,
                          const struct fit_resume *from, struct state *out,
                          struct fit_info *info, tide_error *err);
int32_t forest_rounds(const void *object);
void forest_cost(const void *params, const struct fit_data *d, struct fit_cost *out);
tide_status forest_load(const struct state *s, uint32_t task, int32_t n_out,
                        int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                        void **object, tide_error *err);
tide_status forest_predict(const void *object, const struct view *x, int64_t i0,
                           int64_t n, double *out, tide_error *err);
void forest_importance(const void *object, double *out);
void forest_predict_row(const void *object, const double *x, double *out);
const struct ensemble *forest_trees(const void *object);
void forest_describe(const void *object, char *out, size_t size);
#endif
