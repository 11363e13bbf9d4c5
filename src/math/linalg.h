/* linalg.h - dense linear algebra of our own: the same bits everywhere (no BLAS)
 *
 * Matrices are column-major n x p with columns given by pointers or a leading dimension. */
#ifndef MATH_LINALG_H
#define MATH_LINALG_H
#include <stdint.h>

#include "base/arena.h"

struct tide_ctx;
/* Weighted Gram and moments over rows in the fixed order of base/par.h:
 * gram [p][p] (full, symmetric) = sum_r w_r x_ri x_rj, xty [p] = sum_r w_r x_ri y_r, both of
 * columns shifted by `shift` [p] (NULL = 0) and y shifted by y_shift. y NULL: no xty. */
tide_status linalg_gram(struct tide_ctx *ctx, const double *const *x, int64_t n, int p,
                        const double *w, const double *shift, const double *y,
                        double y_shift, double *gram, double *xty, tide_error *err);
/* Weighted means of columns over rows in the fixed order; total weight in *sum_w. */
tide_status linalg_means(struct tide_ctx *ctx, const double *const *x, int64_t n, int p,
                         const double *w, double *mean, double *sum_w, tide_error *err);
/* Cholesky L L' of the symmetric n x n matrix a (row-major, lower triangle overwritten by L).
 * Returns 0, or 1 + the first column whose pivot is not > tiny. */
int linalg_cholesky(double *a, int n);
void linalg_cholesky_solve(const double *l, int n, double *b); /* in place */
/* Reciprocal condition estimate (1-norm) of the matrix whose Cholesky factor is l. */
double linalg_cholesky_rcond(const double *l, int n, double norm1);

/* Least squares of reliability.md 4.4: min sum w (y - x b)^2 + l2 |b|^2 for columns x[p] (an
 * intercept column, if wanted, is one of x; penalise[j] = 0 leaves column j unpenalised). QR of
 * power-of-two scaled columns, refinement of the augmented system in double-double; rank
 * deficiency gives the minimum-norm solution of that rank. */
struct least_squares {
    double *coef; /* [p] */
    int rank;
    double rcond;       /* reciprocal condition estimate of scaled columns */
    int refined;        /* refinement steps taken */
    uint8_t *dependent; /* [p]: 1 = follows from other columns; NULL at full rank */
    /* of the first of these: column `first` = sum of relation[j] x_j [p], terms below
     * rounding 0; -1 and NULL at full rank */
    int first;
    double *relation;
};
tide_status linalg_least_squares(struct tide_ctx *ctx, const double *const *x,
                                 int64_t n, int p, const double *y, const double *w,
                                 double l2, const uint8_t *penalise, struct arena *a,
                                 struct least_squares *out, tide_error *err);
/* The same with error terms of the columns (x_lo[j] or the whole x_lo may be NULL): column j
 * is x[j] + x_lo[j]. Polynomials made in double-double need it (NIST's Filip). */
tide_status linalg_least_squares_pair(struct tide_ctx *ctx, const double *const *x,
                                      const double *const *x_lo, int64_t n, int p,
                                      const double *y, const double *w, double l2,
                                      const uint8_t *penalise, struct arena *a,
                                      struct least_squares *out, tide_error *err);
/* More columns than rows, given by rows [n] of length p: the b of least norm among those with
 * min sum (y - x b)^2 + l2 |b|^2, by a pivoted QR of the rows and least squares for n numbers.
 * Memory O(n p). *rank: rows that do not follow from others. */
tide_status linalg_least_norm(struct tide_ctx *ctx, const double *const *row, int n,
                              int64_t p, const double *y, double l2, double *coef,
                              int *rank, tide_error *err);
/* Estimate of the 1-norm of an inverse (Higham 1988) from solves in place with it and its
 * transpose; 0 when memory is out. */
typedef void (*linalg_solve)(const void *arg, int transposed, double *b);
double linalg_inverse_norm1(int n, linalg_solve solve, const void *arg);
#endif
