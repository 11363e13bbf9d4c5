/* rank_codes.h - columns as u16 ranks of their distinct values, for forests
 *
 * A number's code is its rank among the column's distinct values: exact up to 65,533 of them,
 * equal counts above. A category's code is the rank of its level by mean target (one order for the
 * whole fit, as Wright and Koenig 2019), so a split on levels is a cut like any other. Where a
 * column has missing cells code 0 is missing and ranks begin at 1. */
#ifndef LEARNERS_TREE_RANK_CODES_H
#define LEARNERS_TREE_RANK_CODES_H
#include "base/arena.h"
#include "spec/entry.h"

#define RANK_STEP 64
#define RANK_MOST 65534 /* ranks of a column, so at most 65,533 edges */

struct rank_col {
    uint8_t kind;    /* 0 number, 1 category */
    uint8_t missing; /* 1: code 0 is missing */
    uint8_t on;      /* more than one code among the rows */
    int32_t n_rank;  /* without missing */
    uint16_t *code;  /* [n_rows] rank + missing */
    double *edge;    /* numbers: [n_rank - 1] midway to the next rank */
    /* where thresholds lie: numbers less their median, categories the rank; no two alike */
    float *image;        /* [n_rank]; [-1], missing, is -infinity */
    float *mark;         /* every RANK_STEP-th image, to begin a search with */
    uint32_t n_level;    /* categories */
    uint8_t *level_code; /* [n_level] rank, 255: not among the rows */
    uint32_t hash;       /* of the name, for draws */
};
struct rank_codes {
    int64_t n_rows;
    int32_t n_cols;
    struct rank_col *col;
};
/* Weights and targets as integers, the same that trees add up. */
struct ensemble; /* infer/ensemble.h */
struct rank_target {
    int32_t n_classes;  /* 0: numbers */
    const uint32_t *w;  /* [n_rows] units */
    const int64_t *aux; /* [n_rows] class number, or target in units */
    /* trees that others will stand behind: levels keep their codes, and one without a code is
     * missing; or NULL */
    const struct ensemble *from;
};
/* A search for the highest rank whose image is not above x, in two steps, so that the memory of the
 * second can be asked for: where to look, and the rank (0 if all are above). */
int32_t rank_near(const struct rank_col *c, float x);
int32_t rank_from(const struct rank_col *c, int32_t near, float x);
tide_status rank_codes_make(struct tide_ctx *ctx, const struct fit_data *d,
                            const struct rank_target *target, struct arena *a,
                            struct rank_codes *out, tide_error *err);
#endif
