/* softmax_newton.h - the penalised logistic objective and its two Newton solvers
 *
 * n_out = 1: two classes, theta and b score class 1. n_out = n_classes: one row a class; the
 * optimum is the one whose rows and intercepts sum to 0. */
#ifndef LEARNERS_LINEAR_SOFTMAX_NEWTON_H
#define LEARNERS_LINEAR_SOFTMAX_NEWTON_H
#include <stdint.h>

#include "base/arena.h"

struct tide_ctx;
struct softmax_problem {
    struct tide_ctx *ctx;
    int64_t n;
    int p, n_classes, n_out;
    const double *const *z; /* [p][n] */
    const double *ones;     /* [n] */
    const double *w;        /* [n] or NULL */
    const int32_t *k;       /* [n] */
    double *penalty; /* [p]: objective + sum penalty_j theta_j^2 / 2 for every row */
    int no_penalty;
    double tol;
    int max_iter;
    const char *phase;
    /* result */
    double *theta, *b; /* [n_out][p], [n_out]; start at 0 */
    double objective;
    int iterations, converged, separated;
};
tide_status softmax_newton(struct softmax_problem *q, struct arena *a, tide_error *err);
#endif
