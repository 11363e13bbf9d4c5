/* dart.h - rounds of boosting on what a hashed few of the earlier rounds leave (dart.c) */
#ifndef LEARNERS_TREE_DART_H
#define LEARNERS_TREE_DART_H
#include "learners/tree/grow.h"

struct dart_rules {
    double rate;  /* chance of an earlier round to be dropped */
    double skip;  /* chance of a round to drop none */
    int32_t most; /* rounds dropped at once, on average at most; 0: no limit */
    uint64_t seed;
};
struct dart;
/* For trees grown over `codes`, of at most n_slots nodes. */
tide_status dart_new(struct tide_ctx *ctx, const struct dart_rules *rules,
                     const struct bin_codes *codes, const struct simd_table *simd,
                     int32_t n_outputs, int32_t rounds, int64_t n_slots,
                     struct arena *a, struct dart **out, tide_error *err);
/* Begins round `round` (0-based): takes the dropped trees off score [n][n_outputs]. */
tide_status dart_drop(struct dart *d, int32_t round, double *score, tide_error *err);
/* What is left of the rate for the trees that grow now. */
double dart_share(const struct dart *d);
/* Keeps output k's tree of the round, with the values that went into the scores; from any thread,
 * with an arena of its own. */
tide_status dart_keep(struct dart *d, int32_t k, const struct grow *g,
                      const double *value, struct arena *a);
/* Ends the round: what was dropped comes back with its new weight, into the scores and among the
 * trees that were emitted (t: round * n_outputs + k). */
void dart_return(struct dart *d, double *score, struct emit *t);
#endif
