/* grad.h - losses of boosting: base score, quantised gradients, order-free loss sums
 *
 * A score is [n][n_outputs] f64. Gradients of one round are made for all outputs at once. */
#ifndef LEARNERS_TREE_GRAD_H
#define LEARNERS_TREE_GRAD_H
#include "learners/tree/grow.h"
#include "learners/tree/objective.h"

struct grad {
    struct tide_ctx *ctx;
    const struct simd_table *simd;
    struct objective_fit loss; /* n_outputs is there too */
    int32_t n_outputs;
    uint64_t seed;
    struct grad_rows rows;
    const uint8_t *skip; /* [n] 1: no row of the fit; or NULL */
    double w_most;       /* largest weight */
    int by_pass;         /* bounds of the derivatives are looked for, not known */
    double *score;       /* [n][n_outputs] */
    /* [n], or NULL: score i lacks late_value[late[i]], which the next pass over the scores adds */
    const uint16_t *late;
    const double *late_value;
    int together;     /* 16 bits are enough for all outputs or for none */
    int for_vector;   /* set before grad_new: for leaves of several values (grow.h) */
    uint32_t *packed; /* [n_outputs][n]; for_vector [passes][n][vector_width] */
    int32_t *fine_g;  /* [n_outputs][n], made when first needed */
    uint32_t *fine_h;
    double *fine_most;      /* [n_outputs][g, h] the largest */
    double *made;           /* `prepare` of a round with fine outputs, tile by tile */
    struct grow_grad *out;  /* [n_outputs] */
    uint8_t *is_run;        /* [tiles] ids of a tile follow each other */
    double *work;           /* [threads][GRAD_TILE * (n_outputs + 2)] */
    struct grad_part *part; /* [blocks][n_outputs] */
};
#define GRAD_TILE 256
/* Where output k of a row stands in `packed`. */
static inline int64_t grad_place(const struct grad *g, int32_t k, int64_t row)
{
    int32_t width = g->for_vector ? vector_width(g->n_outputs) : 1;
    return ((int64_t)(k / width) * g->rows.n + row) * width + k % width;
}
tide_status grad_new(struct grad *g, struct arena *a, tide_error *err);
/* Gradients of round `round` (0-based) from the scores into out[]; what is late is added. */
tide_status grad_make(struct grad *g, int32_t round, tide_error *err);
/* Are 16 bits too few for output k of this round, or for all of them taken `together`? */
int grad_is_coarse(const struct grad *g, int32_t k);
/* The outputs for which they are, again in 32 bits (into out[]), from the same scores. */
tide_status grad_refine(struct grad *g, struct arena *a, tide_error *err);
/* Mean loss of rows list[0..m) (NULL: 0..m-1), weighted: sums in integers, so in any order. */
double grad_loss_of(const struct grad *g, const struct grad_rows *rows,
                    const double *score, const uint32_t *list, int64_t m,
                    double *scratch);
/* Unit in which n values up to most add up exactly in 63 bits: value -> rint(value * scale). */
double grad_sum_scale(double most, int64_t n);
/* Weighted mean of v over rows that `skip` leaves, and weight of each class: order-free. */
double grad_mean(const double *v, const double *w, const uint8_t *skip, int64_t n);
void grad_class_weights(const int32_t *k, const double *w, const uint8_t *skip,
                        int64_t n, int32_t n_classes, double *out);
#endif
