/* voting.c - several learners, one answer
 *
 * Problem       different models err in different places; their mean errs less
 * Method        soft: the weighted mean of the members' probabilities (or values); hard: each member
 *               gives its weight to its most probable class, and shares of the votes are the
 *               probabilities
 * Missing       filled before: members get one view that all of them take
 * Order         members in the order they are named, each as if alone
 * Cost          that of the members
 * Differs from  scikit-learn: hard votes give probabilities too; a tie of two classes at 0.5 falls by the
 *               decision threshold to the positive one, there to the first
 * Guide         Q10
 */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "learners/members/members.h"

enum voting_how { VOTING_SOFT, VOTING_HARD };
static const char *const voting_hows[] = {"soft", "hard", NULL};

struct voting_params {
    const char *of, *weights;
    int32_t vote;
};
static const struct tide_param voting_rows[] = {
    P_TEXT(voting_params, of, NULL, .metavar = "MEMBERS",
           .help = "'logistic + gbdt(trees=100)'; else linear + forest + gbdt",
           .alias = "estimators members"),
    P_ENUM(voting_params, vote, "soft", voting_hows,
           .help = "mean of the probabilities, or a vote for each class",
           .alias = "voting"),
    P_TEXT(voting_params, weights, NULL, .metavar = "NUMBERS",
           .help = "'1,2,1': what each member counts"),
};

/* Numbers with commas between them into out [n]; 1 each where there is no text. */
static tide_status read_weights(const char *text, int n, double *out, tide_error *err)
{
    const char *s = text;
    int k = 0;
    for (int i = 0; i < n; i++) out[i] = 1;
    for (; s; k++) {
        size_t len = strcspn(s, ",");
        double x = 0;
        while (len && *s == ' ') s++, len--;
        if (num_parse(s, len, '.', &x) != NUM_OK || !(x >= 0) || k == n) break;
        out[k] = x;
        s = s[len] ? s + len + 1 : NULL;
    }
    double sum = 0;
    for (int i = 0; i < n; i++) sum += out[i];
    if (!text || (!s && k == n && sum > 0 && isfinite(sum))) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "'weights' is a number for each of the %d members, not below 0 and not all "
            "0, with commas between them",
            n);
    return err_field(err, "weights");
}

static tide_status voting_check(const void *params, tide_error *err)
{
    const struct voting_params *p = params;
    struct member_wishes w = {.n = 3};
    double weight[MEMBERS_MOST];
    tide_status st = p->of ? members_parse(p->of, &w, err) : TIDE_OK;
    if (!st) st = read_weights(p->weights, w.n, weight, err);
    if (p->of) members_free(&w);
    return st;
}

static tide_status voting_fit(struct tide_ctx *ctx, const void *params,
                              const struct fit_data *d, const struct fit_data *valid,
                              int32_t rounds, struct state *out, struct fit_info *info,
                              tide_error *err)
{
    const struct voting_params *p = params;
    const char *of = p->of                      ? p->of
                     : d->task == TIDE_CLASSIFY ? "logistic + forest + gbdt"
                                                : "ridge + forest + gbdt";
    struct member_wishes w;
    double weight[MEMBERS_MOST];
    (void)valid;
    (void)rounds;
    (void)info;
    tide_status st = members_parse(of, &w, err);
    if (!st) st = members_fit_data(&w, d, err);
    if (!st) st = read_weights(p->weights, w.n, weight, err);
    if (!st) {
        members_put_names(&w, 1, out);
        state_put(out, "DENSE", "weights", STATE_F64, w.n, 1, 1, weight);
        state_put(out, "DENSE", "vote", STATE_I32, 1, 1, 1, &p->vote);
    }
    for (int i = 0; !st && i < w.n; i++) st = member_fit(ctx, &w.of[i], d, i, out, err);
    members_free(&w);
    return st;
}

struct voting_model {
    struct members members;
    int is_hard;
    const double *weight;
    double total;
};

static tide_status voting_load(const struct state *s, uint32_t task, int32_t n_out,
                               int32_t n_cols, const uint32_t *n_levels,
                               struct arena *a, void **object, tide_error *err)
{
    const struct state_array *weight, *vote;
    struct voting_model *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    struct members *all = &m->members;
    tide_status st = members_load(s, task, n_out, n_cols, a, all, err);
    if (!st) st = state_need(s, "weights", STATE_F64, all->n, 1, &weight, err);
    if (!st) st = state_need(s, "vote", STATE_I32, 1, 1, &vote, err);
    if (st) return st;
    m->weight = weight->data;
    int32_t how = *(const int32_t *)vote->data;
    int fine = how == VOTING_SOFT || how == VOTING_HARD;
    for (int i = 0; i < all->n; i++) {
        fine &= m->weight[i] >= 0;
        m->total += m->weight[i];
    }
    if (!fine || !(m->total > 0) || !isfinite(m->total)) {
        err_set(err, TIDE_CODE_TIDE_VALUE, "votes or weights are out of range");
        return err_place(err, "section DENSE, weights");
    }
    m->is_hard = how == VOTING_HARD && task == TIDE_CLASSIFY;
    for (int i = 0; !st && i < all->n; i++)
        st = member_load(s, i, task, n_out, n_levels, a, &all->of[i], err);
    if (!st) *object = m;
    return st;
}

static tide_status voting_predict(const void *object, const struct view *x, int64_t i0,
                                  int64_t n, double *out, tide_error *err)
{
    const struct voting_model *m = object;
    return members_mean(&m->members, m->weight, m->total, m->is_hard, x, i0, n, out,
                        err);
}

static void voting_importance(const void *object, double *out)
{
    members_importance(&((const struct voting_model *)object)->members, out);
}

static void voting_describe(const void *object, char *out, size_t size)
{
    members_describe(&((const struct voting_model *)object)->members, out, size);
}

const struct tide_learner tide_learner_voting = {
    .name = "voting",
    .title = "Several learners and the mean of what they say",
    .camel = "Voting",
    .guide = "Q10",
    .paper = "Kittler, Hatef, Duin, Matas 1998",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_WEIGHTS | TIDE_GIVES_PROBA | TIDE_WANTS_SCALED,
    .tolerance = 0,
    .params = TIDE_TABLE(voting_rows, voting_params),
    .small = "of=tree+baseline",
    .min_rows = 2,
    .check = voting_check,
    .fit = voting_fit,
    .load = voting_load,
    .predict = voting_predict,
    .importance = voting_importance,
    .describe = voting_describe,
};
