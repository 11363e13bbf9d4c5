/* linear.h - what ridge and logistic share: columns as standardised numbers, state, scores
 *
 * A design holds the columns that are not constant, each as z = (x - mean) / unit with unit a
 * power of two near the standard deviation, so that scaling back is exact. */
#ifndef LEARNERS_LINEAR_LINEAR_H
#define LEARNERS_LINEAR_LINEAR_H
#include "base/arena.h"
#include "frame/frame.h"
#include "spec/learner.h"
#include "spec/state.h"

struct linear_design {
    int64_t n;
    int p_all;       /* columns of the view */
    int p;           /* columns used */
    int *from;       /* [p] their numbers in the view */
    double **z;      /* [p][n] */
    double *unit;    /* [p] */
    double *mean;    /* [p] what was subtracted (0 without centring) */
    double *sd;      /* [p_all] standard deviation, divisor sum of weights */
    double *average; /* [p_all] weighted means of the columns as they are */
    double *ones;    /* [n] */
};
/* centre 0: constant columns stay, nothing is subtracted. */
tide_status linear_open(struct tide_ctx *ctx, const struct fit_data *d, int centre,
                        struct arena *a, struct linear_design *out, tide_error *err);
/* Coefficients in units of z, [n_out][p] and intercepts [n_out], become the state's arrays
 * "coef" [n_out][p_all], "intercept" [n_out], "sd" and "mean" [p_all]. Errors: numeric-diverged. */
tide_status linear_store(const struct linear_design *m, const char *learner, int n_out,
                         const double *theta, const double *intercept,
                         struct state *out, tide_error *err);
struct linear_model {
    int p, n_out;
    const double *coef, *intercept, *sd;
    const double *mean; /* NULL: of a file that does not hold it */
};
tide_status linear_load(const struct state *s, int n_out, int32_t n_cols,
                        const uint32_t *n_levels, struct arena *a,
                        struct linear_model **out, tide_error *err);
/* eta [n][n_out], one column after the other: a row's bits depend on that row alone. */
void linear_scores(const struct linear_model *m, const struct view *x, int64_t i0,
                   int64_t n, double *eta);
/* For the slot `linear`. */
void linear_form_of(const struct linear_model *m, struct linear_form *out);
/* Sum over outputs of |coef| sd, normalised. */
void linear_importance(const struct linear_model *m, double *out);
#endif
