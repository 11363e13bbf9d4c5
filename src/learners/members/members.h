/* members.h - learners inside a learner: what voting, bagging and stacking share
 *
 * Members are named in a text such as "logistic + gbdt(trees=100)". Each is fitted like a learner of
 * its own; its arrays stand in the state of the whole under "<number>/<name>" (names of arrays are so
 * short that this fits; a conformance test loads every learner as a member). What it is called is
 * in the array "members", so that a state alone rebuilds everything. A member that holds members
 * itself is refused, so nothing here nests. */
#ifndef LEARNERS_MEMBERS_MEMBERS_H
#define LEARNERS_MEMBERS_MEMBERS_H
#include "frame/frame.h"
#include "spec/learner.h"
#include "spec/spec.h"
#include "spec/state.h"

enum { MEMBERS_MOST = 32 };

struct member_wish {
    const struct tide_learner *learner;
    tide_values *values;
};
struct member_wishes {
    int n;
    struct member_wish of[MEMBERS_MOST];
};
/* Errors: param-value with what is wrong, param-unknown and param-range as of the members.
 * Freed by members_free, also after an error. */
tide_status members_parse(const char *text, struct member_wishes *out, tide_error *err);
void members_free(struct member_wishes *w);
/* Refuses a member that cannot do the task or take what the data has. */
tide_status members_fit_data(const struct member_wishes *w, const struct fit_data *d,
                             tide_error *err);
/* Writes the names, one a line: what members_load reads. */
void members_put_names(const struct member_wishes *w, int times, struct state *out);
/* Fits one and puts its arrays under its number. */
tide_status member_fit(struct tide_ctx *ctx, const struct member_wish *w,
                       const struct fit_data *d, int number, struct state *out,
                       tide_error *err);

/* A fitted member; cols: the columns of the view that it takes, NULL for all. */
struct member {
    const struct tide_learner *learner;
    void *object;
    int32_t n_cols;
    const int32_t *cols;
};
/* The fitted members of a learner. */
struct members {
    struct member *of;
    int n;
    uint32_t task;
    int32_t n_out, n_cols;
};
/* The members that a state names, without objects: of[i] takes all n_cols columns. */
tide_status members_load(const struct state *s, uint32_t task, int32_t n_out,
                         int32_t n_cols, struct arena *a, struct members *out,
                         tide_error *err);
/* Rebuilds the object of member `number` for the columns that it takes. */
tide_status member_load(const struct state *s, int number, uint32_t task, int32_t n_out,
                        const uint32_t *n_levels, struct arena *a, struct member *m,
                        tide_error *err);
tide_status member_predict(const struct member *m, const struct view *x, int64_t i0,
                           int64_t n, double *out, tide_error *err);
/* The weighted mean of what the members say; weights sum to `total`. is_vote: each gives its
 * weight to its most probable class alone. */
tide_status members_mean(const struct members *m, const double *weight, double total,
                         int is_vote, const struct view *x, int64_t i0, int64_t n,
                         double *out, tide_error *err);
/* Mean importance by columns of the view, summing to 1; without memory all 0. */
void members_importance(const struct members *m, double *out);
/* "3 members: logistic, gbdt, tree" */
void members_describe(const struct members *m, char *out, size_t size);
#endif
