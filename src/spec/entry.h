/* entry.h - what every descriptor begins with */
#ifndef SPEC_ENTRY_H
#define SPEC_ENTRY_H
#include <tidemill/registry.h>

/* The fields of struct tide_entry, usable as .name = ... and as .entry */
#define TIDE_ENTRY                                                                     \
    union {                                                                            \
        struct tide_entry entry;                                                       \
        struct {                                                                       \
            const char *name, *title, *camel, *guide, *paper;                          \
            uint32_t tasks, traits;                                                    \
            double tolerance;                                                          \
            struct tide_params params;                                                 \
        };                                                                             \
    }

struct view;
struct column;
struct arena;
struct tide_ctx;
struct state;
struct tide_loss; /* <tidemill/model.h> */

/* One problem as steps and learners see it: features, target, weights. Arrays are in view
 * order. A learner never sees a file. */
struct fit_data {
    const struct view *x;
    uint32_t task;     /* TIDE_CLASSIFY, TIDE_REGRESS or TIDE_ANOMALY */
    int32_t n_classes; /* classify: >= 1 (1: every row is of one class) */
    int32_t positive;  /* two classes: the number of the one that metrics count */
    const double *y;   /* regress: [n] finite */
    const int32_t *k;  /* classify: [n] class number */
    /* [n] weights > 0 finite, or NULL = all 1 (rows of weight 0 were left out) */
    const double *w;
    const int64_t *group; /* [n] key of the row's group, equal in a group; or NULL */
    uint64_t seed;
    /* What to show the user while this runs: phase for ctx_progress. */
    const char *phase;
    const struct tide_loss *own_loss; /* the caller's, for loss=custom; or NULL */
};
/* "classify" of TIDE_CLASSIFY; static. */
const char *task_name(uint32_t task);
#endif
