/* rank_loss.h - lambdarank and xendcg: what the rows of a query ask of each other's scores
 * (rank_loss.c) */
#ifndef LEARNERS_TREE_RANK_LOSS_H
#define LEARNERS_TREE_RANK_LOSS_H
#include "base/arena.h"
#include "frame/frame.h"
#include "spec/entry.h"

#define RANK_PLACES     10 /* of the NDCG that stops the rounds */
#define RANK_LABEL_MOST 31 /* gains 2^label - 1 stay far inside 53 bits */
#define RANK_TRUNCATION 30 /* unless asked for */

struct rank;
/* Queries of the rows to learn from, and of those to watch: `valid`, else the rows with skip[i]
 * (whole queries; NULL: none). Everything is from the arena. */
tide_status rank_new(struct tide_ctx *ctx, const struct fit_data *d,
                     const struct fit_data *valid, const uint8_t *skip,
                     int32_t truncation, struct arena *a, struct rank **out,
                     tide_error *err);
/* First and second derivatives of every row at these scores [n] into rank_g and rank_h. */
tide_status rank_derive(struct rank *r, const double *score, tide_error *err);
/* The same of the cross-entropy surrogate of NDCG, whose labels are drawn anew in every round. */
tide_status rank_derive_entropy(struct rank *r, const double *score, int32_t round,
                                tide_error *err);
const double *rank_g(const struct rank *r); /* [n] */
const double *rank_h(const struct rank *r); /* [n] */
/* Weighted mean NDCG of the queries watched; score is that of the rows watched. */
double rank_watched(struct rank *r, const double *score);
/* `d` with the mean weight of its query as weight of every row. */
tide_status rank_weigh(const struct fit_data *d, struct arena *a, struct fit_data *to,
                       tide_error *err);
#endif
