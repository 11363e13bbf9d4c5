/* toy_fit.h - fit, load and predict through a descriptor, in one call */
#ifndef SUPPORT_TOY_FIT_H
#define SUPPORT_TOY_FIT_H
#include <tidemill/ctx.h>
#include <tidemill/params.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "support/toy_table.h"
#include "support/unit.h"

struct toy_model {
    struct arena arena;
    struct state state;
    struct fit_info info;
    void *object;
    tide_status status;
    tide_error err;
    uint64_t hash;
};
struct toy_how {
    int threads; /* 0: 1 */
    enum tide_isa isa;
    const struct fit_data *valid;
    int32_t rounds;
    tide_ctx *ctx; /* NULL: a new one */
    const struct fit_snapshot *snapshot;
};

static inline tide_ctx *toy_ctx(int threads)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, threads, NULL), TIDE_OK);
    return ctx;
}

/* What is fitted: y where classes is 0, else k. Borrowed. */
static inline struct fit_data toy_data(struct toy *t, int classes, const double *y,
                                       const int32_t *k, uint64_t seed)
{
    return (struct fit_data){.x = toy_view(t),
                             .task = classes ? TIDE_CLASSIFY : TIDE_REGRESS,
                             .n_classes = classes,
                             .y = classes ? NULL : y,
                             .k = classes ? k : NULL,
                             .seed = seed};
}

/* options: "trees=5,rate=1,quantile=[0.1,0.9]". */
static inline void toy_set(tide_values *values, const char *options)
{
    char text[256] = {0};
    tide_error err = {0};
    memcpy(text, options, strlen(options) < 255 ? strlen(options) : 255);
    for (char *at = text; *at;) {
        char *eq = strchr(at, '='),
             *end = strchr(eq[1] == '[' ? strchr(eq, ']') : at, ',');
        if (end) *end = 0;
        *eq = 0;
        CHECK_MSG(tide_values_set(values, at, eq + 1, &err) == TIDE_OK, "%s",
                  err.message);
        at = end ? end + 1 : at + strlen(at) + 1 + strlen(eq + 1);
    }
}

/* Scores of a row. */
static inline int32_t toy_outputs(const struct tide_learner *learner,
                                  const tide_values *values, const struct fit_data *d)
{
    struct fit_aims aims = {.tasks = learner->tasks};
    if (d->task == TIDE_CLASSIFY) return d->n_classes;
    if (learner->aims) learner->aims(tide_values_struct(values), &aims);
    return aims.quantiles.n > 1 ? aims.quantiles.n : 1;
}

static inline struct toy_model *toy_fit(const struct tide_learner *learner,
                                        const char *options, const struct fit_data *d,
                                        const uint32_t *n_levels,
                                        const struct toy_how *how)
{
    static const struct toy_how plain;
    struct toy_model *m = calloc(1, sizeof *m);
    tide_ctx *ctx = how && how->ctx ? how->ctx : NULL, *own = NULL;
    tide_values *values = NULL;
    if (!how) how = &plain;
    arena_init(&m->arena, NULL);
    state_init(&m->state, &m->arena);
    if (!ctx) {
        CHECK_INT(tide_ctx_new(&own, &m->err), TIDE_OK);
        ctx = own;
        CHECK_INT(tide_ctx_set_threads(ctx, how->threads ? how->threads : 1, &m->err),
                  TIDE_OK);
        if (how->isa) CHECK_INT(tide_ctx_set_isa(ctx, how->isa, &m->err), TIDE_OK);
    }
    CHECK_INT(tide_values_new(&learner->params, learner->name, &values, &m->err),
              TIDE_OK);
    toy_set(values, options);
    m->info.snapshot = how->snapshot;
    m->status = learner->fit(ctx, tide_values_struct(values), d, how->valid,
                             how->rounds, &m->state, &m->info, &m->err);
    if (m->status == TIDE_OK || m->info.partial) {
        tide_error err = {0};
        int32_t k = toy_outputs(learner, values, d);
        m->hash = toy_hash(&m->state);
        CHECK_MSG(learner->load(&m->state, d->task, k, d->x->n_cols, n_levels,
                                &m->arena, &m->object, &err) == TIDE_OK,
                  "%s at %s", err.message, err.place);
    }
    tide_values_free(values);
    tide_ctx_free(own);
    return m;
}
static inline void toy_model_free(struct toy_model *m)
{
    arena_free(&m->arena);
    free(m);
}
/* Fits and loads with the k-th allocation failing, from then on, for every k until none fails: an
 * error each time, and nothing is left. */
static inline void toy_fail_each(const struct tide_learner *learner,
                                 const char *options, const struct fit_data *d,
                                 const uint32_t *n_levels, int threads)
{
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    tide_values *values = NULL;
    int64_t k = 1, hit = 1;
    CHECK_INT(tide_ctx_new(&ctx, &err), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, threads, &err), TIDE_OK);
    CHECK_INT(tide_values_new(&learner->params, learner->name, &values, &err), TIDE_OK);
    toy_set(values, options);
    int64_t live = alloc_live();
    for (; k < 1000 && hit; k++) {
        struct arena a;
        struct state state;
        struct fit_info info = {0};
        void *object = NULL;
        int32_t n_out = toy_outputs(learner, values, d);
        arena_init(&a, ctx);
        state_init(&state, &a);
        alloc_fault_set(k, 1);
        tide_status status = learner->fit(ctx, tide_values_struct(values), d, NULL, 0,
                                          &state, &info, &err);
        if (!status)
            status = learner->load(&state, d->task, n_out, d->x->n_cols, n_levels, &a,
                                   &object, &err);
        hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        arena_free(&a);
        CHECK_MSG(hit ? status == TIDE_ENOMEM : status == TIDE_OK,
                  "allocation %lld: status %d", (long long)k, (int)status);
        CHECK_INT(alloc_live(), live);
    }
    CHECK(!hit && k > 20);
    tide_values_free(values);
    tide_ctx_free(ctx);
}
static inline const void *toy_array(const struct toy_model *m, const char *name,
                                    int64_t *n)
{
    const struct state_array *a = state_find(&m->state, name);
    if (n) *n = a ? a->dim[0] : 0;
    return a ? a->data : NULL;
}
#endif
