/* stacking.c - a learner over what other learners say of rows they have not seen
 *
 * Problem       which of several models to believe, and how far, is itself a thing to learn
 * Method        Wolpert 1992: each member is fitted on all folds but one and scores that one; on these
 *               out-of-fold scores the final learner is fitted; then every member is fitted on all rows.
 *               Two classes give one column a member (the second's probability), more give one each
 * Missing       filled before: members get one view that all of them take
 * Order         folds are keyed by seed and row; members in the order they are named
 * Cost          (folds + 1) x the members, and the final learner
 * Differs from  scikit-learn: the final learner sees the scores alone (there: passthrough=False), folds are
 *               shuffled by the seed
 * Guide         Q10
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "frame/fold_part.h"
#include "learners/members/members.h"

struct stacking_params {
    const char *of, *final;
    int32_t folds;
};
static const struct tide_param stacking_rows[] = {
    P_TEXT(stacking_params, of, NULL, .metavar = "MEMBERS",
           .help = "'logistic + gbdt(trees=100)'; else linear + forest + gbdt",
           .alias = "estimators members"),
    P_TEXT(stacking_params, final, NULL, .metavar = "LEARNER",
           .help = "learner over their scores; else logistic or ridge",
           .alias = "final_estimator meta"),
    P_INT(stacking_params, folds, "5", P_RANGE(2, 100), P_TUNE(3, 10),
          .help = "parts for the scores that the final learner sees", .alias = "cv"),
};

static tide_status parse_final(const char *text, struct member_wishes *w,
                               tide_error *err)
{
    tide_status st = members_parse(text, w, err);
    if (!st && w->n != 1) {
        err_set(err, TIDE_CODE_PARAM_VALUE, "there is one learner in 'final', not %d",
                w->n);
        st = err_field(err, "final");
    }
    return st;
}

static tide_status stacking_check(const void *params, tide_error *err)
{
    const struct stacking_params *p = params;
    struct member_wishes w = {0}, last = {0};
    tide_status st = p->of ? members_parse(p->of, &w, err) : TIDE_OK;
    if (!st && w.n == MEMBERS_MOST) {
        err_set(err, TIDE_CODE_PARAM_VALUE, "at most %d members are stacked",
                MEMBERS_MOST - 1);
        st = err_field(err, "of");
    }
    if (!st && p->final) st = parse_final(p->final, &last, err);
    members_free(&w);
    members_free(&last);
    return st;
}

static int32_t columns_of(uint32_t task, int32_t n_out)
{
    return task == TIDE_CLASSIFY && n_out != 2 ? n_out : 1;
}

/* Columns of the final learner: n rows of `width` scores, their names in the arena. */
struct scores {
    int32_t n_cols;
    int64_t n;
    double *x; /* [n_cols][n] */
    struct column *cols;
    const struct column **col;
    struct view v;
};

static void scores_view(struct scores *s)
{
    for (int32_t j = 0; j < s->n_cols; j++) {
        s->cols[j].type = TIDE_F64;
        s->cols[j].n_rows = s->n;
        s->cols[j].f64 = s->x + j * s->n;
        s->col[j] = &s->cols[j];
    }
    s->v = (struct view){.n_rows = s->n, .n_cols = s->n_cols, .cols = s->col};
}

/* Puts a member's answers [n][n_out] into its columns, at rows `at` (NULL: in order). */
static void scores_put(struct scores *s, uint32_t task, int32_t n_out, int member,
                       const double *said, int64_t n, const int64_t *at)
{
    int32_t width = columns_of(task, n_out), skip = n_out - width;
    for (int32_t c = 0; c < width; c++) {
        double *to = s->x + (member * width + c) * s->n;
        for (int64_t i = 0; i < n; i++)
            to[at ? at[i] : i] = said[i * n_out + (width == 1 ? skip : c)];
    }
}

static tide_status scores_new(struct scores *s, int32_t n_cols, int64_t n,
                              struct arena *a, tide_error *err)
{
    s->n_cols = n_cols;
    s->n = n;
    s->x = arena_array(a, n_cols * n + 1, sizeof *s->x);
    s->cols = arena_zero(a, ((size_t)n_cols + 1) * sizeof *s->cols);
    s->col = arena_array(a, (int64_t)n_cols + 1, sizeof *s->col);
    for (int32_t j = 0; s->cols && j < n_cols; j++) {
        char name[32];
        snprintf(name, sizeof name, "score %06d", (int)j);
        s->cols[j].name = arena_str(a, name);
    }
    if (!a->failed) scores_view(s);
    return arena_status(a, err);
}

struct stacking {
    struct tide_ctx *ctx;
    const struct fit_data *d;
    struct member_wishes *w;
    const uint32_t *levels;
    int32_t n_out;
};

/* One fold scored by all members, which have seen the other folds alone. */
static tide_status score_fold(const struct stacking *s, const int32_t *fold,
                              int32_t which, struct scores *to, tide_error *err)
{
    struct arena a;
    struct fold_part others, mine;
    arena_init(&a, s->ctx);
    tide_status st = fold_part(s->d, fold, which, 0, &a, &others, err);
    if (!st) st = fold_part(s->d, fold, which, 1, &a, &mine, err);
    double *said =
        st ? NULL : arena_array(&a, mine.x.n_rows * s->n_out + 1, sizeof *said);
    if (!st) st = arena_status(&a, err);
    for (int i = 0; !st && mine.x.n_rows && i < s->w->n; i++) {
        struct state state;
        struct member m = {.learner = s->w->of[i].learner, .n_cols = s->d->x->n_cols};
        state_init(&state, &a);
        st = member_fit(s->ctx, &s->w->of[i], &others.d, i, &state, err);
        if (!st)
            st = member_load(&state, i, s->d->task, s->n_out, s->levels, &a, &m, err);
        if (!st) st = member_predict(&m, &mine.x, 0, mine.x.n_rows, said, err);
        if (!st) scores_put(to, s->d->task, s->n_out, i, said, mine.x.n_rows, mine.at);
    }
    arena_free(&a);
    return st;
}

static tide_status out_of_fold(const struct stacking *s, int32_t folds,
                               struct scores *to, struct arena *a, tide_error *err)
{
    int64_t n = s->d->x->n_rows;
    int32_t *fold = arena_array(a, n, sizeof *fold);
    int64_t *ids = arena_array(a, n, sizeof *ids);
    tide_status st = arena_status(a, err);
    if (st) return st;
    for (int64_t i = 0; i < n; i++) ids[i] = view_id(s->d->x, i);
    if (folds > n) folds = (int32_t)n;
    int64_t groups = fold_groups(s->d->group, n);
    if (groups > 1 && folds > groups) folds = (int32_t)groups;
    st = groups > 1
             ? fold_assign_groups(n, s->d->group, folds, s->d->seed, fold, err)
             : fold_assign(n, ids, NULL, 0, folds, FOLD_PHILOX, s->d->seed, fold, err);
    for (int32_t f = 0; !st && f < folds; f++) {
        st = ctx_progress(s->ctx, s->d->phase, f, folds + 1, "folds of the stack", err);
        if (!st) st = score_fold(s, fold, f, to, err);
    }
    return st;
}

static tide_status fit_all(struct stacking *s, const struct stacking_params *p,
                           const struct member_wish *last, struct state *out,
                           tide_error *err)
{
    struct arena a;
    struct scores scores;
    const struct view *x = s->d->x;
    arena_init(&a, s->ctx);
    uint32_t *levels = arena_array(&a, (int64_t)x->n_cols + 1, sizeof *levels);
    tide_status st = arena_status(&a, err);
    for (int32_t j = 0; !st && j < x->n_cols; j++)
        levels[j] = x->cols[j]->type == TIDE_CAT ? x->cols[j]->dict.n : 0;
    s->levels = levels;
    if (!st)
        st = scores_new(&scores, s->w->n * columns_of(s->d->task, s->n_out), x->n_rows,
                        &a, err);
    if (!st) st = out_of_fold(s, p->folds, &scores, &a, err);
    struct fit_data d = *s->d;
    int64_t *ids = st ? NULL : arena_array(&a, x->n_rows, sizeof *ids);
    if (!st) st = arena_status(&a, err);
    for (int64_t i = 0; !st && i < x->n_rows; i++) ids[i] = view_id(x, i);
    if (!st) {
        scores.v.ids = ids;
        d.x = &scores.v;
        st = member_fit(s->ctx, last, &d, s->w->n, out, err);
    }
    for (int i = 0; !st && i < s->w->n; i++)
        st = member_fit(s->ctx, &s->w->of[i], s->d, i, out, err);
    arena_free(&a);
    return st;
}

static tide_status stacking_fit(struct tide_ctx *ctx, const void *params,
                                const struct fit_data *d, const struct fit_data *valid,
                                int32_t rounds, struct state *out,
                                struct fit_info *info, tide_error *err)
{
    const struct stacking_params *p = params;
    int classify = d->task == TIDE_CLASSIFY;
    const char *of = p->of      ? p->of
                     : classify ? "logistic + forest + gbdt"
                                : "ridge + forest + gbdt";
    struct member_wishes w = {0}, last = {0};
    (void)valid;
    (void)rounds;
    (void)info;
    tide_status st = members_parse(of, &w, err);
    if (!st)
        st = parse_final(p->final   ? p->final
                         : classify ? "logistic"
                                    : "ridge",
                         &last, err);
    if (!st) st = members_fit_data(&w, d, err);
    if (!st) st = members_fit_data(&last, d, err);
    struct stacking s = {ctx, d, &w, NULL, classify ? d->n_classes : 1};
    if (!st) {
        struct member_wishes all = w;
        all.of[all.n++] = last.of[0];
        members_put_names(&all, 1, out);
        st = fit_all(&s, p, &last.of[0], out, err);
    }
    members_free(&w);
    members_free(&last);
    return st;
}

struct stacking_model {
    struct members members; /* without the final one */
    struct member final;
};

static tide_status stacking_load(const struct state *s, uint32_t task, int32_t n_out,
                                 int32_t n_cols, const uint32_t *n_levels,
                                 struct arena *a, void **object, tide_error *err)
{
    struct stacking_model *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    struct members *all = &m->members;
    tide_status st = members_load(s, task, n_out, n_cols, a, all, err);
    if (st) return st;
    if (all->n < 2 || all->n > MEMBERS_MOST) {
        err_set(err, TIDE_CODE_TIDE_VALUE, "a stack has 1 to %d members and a last one",
                MEMBERS_MOST - 1);
        return err_place(err, "section DENSE, members");
    }
    m->final = all->of[--all->n];
    m->final.n_cols = all->n * columns_of(task, n_out);
    uint32_t *numbers = arena_zero(a, ((size_t)m->final.n_cols + 1) * sizeof *numbers);
    st = arena_status(a, err);
    for (int i = 0; !st && i < all->n; i++)
        st = member_load(s, i, task, n_out, n_levels, a, &all->of[i], err);
    if (!st) st = member_load(s, all->n, task, n_out, numbers, a, &m->final, err);
    if (!st) *object = m;
    return st;
}

static tide_status stacking_predict(const void *object, const struct view *x,
                                    int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct stacking_model *m = object;
    const struct members *all = &m->members;
    struct scores s = {.n_cols = m->final.n_cols, .n = n};
    s.x = mem_array((size_t)s.n_cols * (size_t)n + 1, sizeof *s.x);
    s.cols = mem_zalloc(((size_t)s.n_cols + 1) * sizeof *s.cols);
    s.col = mem_array((size_t)s.n_cols + 1, sizeof *s.col);
    tide_status st = s.x && s.cols && s.col ? TIDE_OK : err_nomem(err, 0);
    if (!st) scores_view(&s);
    for (int i = 0; !st && i < all->n; i++) {
        st = member_predict(&all->of[i], x, i0, n, out, err);
        if (!st) scores_put(&s, all->task, all->n_out, i, out, n, NULL);
    }
    if (!st) st = member_predict(&m->final, &s.v, 0, n, out, err);
    mem_free(s.col);
    mem_free(s.cols);
    mem_free(s.x);
    return st;
}

static void stacking_importance(const void *object, double *out)
{
    members_importance(&((const struct stacking_model *)object)->members, out);
}

static void stacking_describe(const void *object, char *out, size_t size)
{
    const struct stacking_model *m = object;
    members_describe(&m->members, out, size);
    size_t at = strlen(out);
    snprintf(out + at, size - at, "; over them %s", m->final.learner->name);
}

const struct tide_learner tide_learner_stacking = {
    .name = "stacking",
    .title = "A learner over what other learners say",
    .camel = "Stacking",
    .guide = "Q10",
    .paper = "Wolpert 1992",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_WEIGHTS | TIDE_GIVES_PROBA | TIDE_WANTS_SCALED,
    .tolerance = 0,
    .params = TIDE_TABLE(stacking_rows, stacking_params),
    .small = "of=tree+baseline, folds=3",
    .min_rows = 4,
    .check = stacking_check,
    .fit = stacking_fit,
    .load = stacking_load,
    .predict = stacking_predict,
    .importance = stacking_importance,
    .describe = stacking_describe,
};
