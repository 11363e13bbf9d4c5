/* paired.h - tests of one model against another on the same rows or folds */
#ifndef METRICS_PAIRED_H
#define METRICS_PAIRED_H
#include <stdint.h>

#include <tidemill/status.h>

#include "base/arena.h"

struct paired_test {
    double statistic, p; /* two-sided */
    const char *method;  /* "exact", "normal", "t" ..., static */
};
/* Areas under two ROC curves of the same rows (DeLong et al. 1988). pos[i] 1: positive. */
struct paired_delong {
    double auc_a, auc_b, se_a, se_b;
    double z, p, lo, hi; /* of auc_a - auc_b, 95 % */
};
/* Errors: data-one-class. NaN z and p when both orders are the same. */
tide_status paired_delong(struct arena *a, const uint8_t *pos, const double *score_a,
                          const double *score_b, int64_t n, struct paired_delong *out,
                          tide_error *err);
/* Rows that only one of two models has right. McNemar 1947; exact: binomial at 1/2. */
struct paired_test paired_mcnemar_exact(int64_t only_a, int64_t only_b);
struct paired_test paired_mcnemar_corrected(int64_t only_a, int64_t only_b);
/* Differences of n folds (Nadeau and Bengio 2003): test_share is rows of a fold over rows
 * trained on. */
struct paired_test paired_corrected_t(const double *d, int64_t n, double test_share);
/* Wilcoxon's signed ranks; zeros left out, ties share ranks; exact to 200 differences (the law of the
 * ranks as they are), else normal. statistic: the smaller rank sum. */
tide_status paired_wilcoxon(struct arena *a, const double *d, int64_t n,
                            struct paired_test *out, tide_error *err);
/* Mean difference under random signs: all of them to 2^16, else `draws` keyed by seed. */
struct paired_test paired_permutation(const double *d, int64_t n, int64_t draws,
                                      uint64_t seed);
/* n data sets (rows) by k models: Friedman 1937, ties corrected. */
tide_status paired_friedman(struct arena *a, const double *m, int64_t n, int64_t k,
                            struct paired_test *out, tide_error *err);
#endif
