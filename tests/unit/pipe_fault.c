/* r01 and r07: every allocation of a fit and a predict fails once, and for ever after;
 * cancel at any call; nothing leaks and the next call works */
#include "base/alloc.h"
#include "pipe/pipe.h"
#include "support/events.h"
#include "support/probe.h"
#include "support/table.h"

static struct events said;
static const struct tide_step *const steps[] = {&probe_fill, &probe_tmean, NULL};

/* All of a small job; the status of the first call that fails. */
static tide_status job(tide_ctx *ctx, const tide_frame *f, const tide_pipeline *pipe_,
                       double *first, tide_error *err)
{
    struct tide_problem_options o = {.target = "answer"};
    struct pipe_fit how = {.seed = 1};
    struct problem *p = NULL;
    tide_model *m = NULL;
    tide_scores *s = NULL;
    struct fit_info info = {0};
    tide_status st = problem_new(ctx, f, &o, &p, err);
    if (!st) st = pipe_fit(ctx, p, pipe_, &how, &m, &info, err);
    if (!st) st = model_add_profile(ctx, m, p, err);
    if (!st) st = model_add_golden(ctx, m, err);
    if (!st) st = model_check_golden(ctx, m, err);
    if (!st) st = tide_model_predict(ctx, m, f, &s, err);
    if (!st) *first = tide_scores_values(s)[0];
    tide_scores_free(s);
    tide_model_free(m);
    problem_free(p);
    return st;
}

TEST(r01_every_failing_allocation_is_survived)
{
    tide_ctx *ctx = events_ctx(&said);
    CHECK(!tide_ctx_set_threads(ctx, 1, NULL));
    tide_frame *f = table_mixed(ctx, 60, 4);
    struct pipe_node nodes[4] = {{0}};
    tide_pipeline pipe_ = probe_pipeline(nodes, steps, &probe_learner);
    tide_error err = {0};
    double want = 0, got = 0;
    CHECK_MSG(!job(ctx, f, &pipe_, &want, &err), "%s", err.message);
    int64_t live = alloc_live();
    int k = 1;
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (k = 1; k < 20000; k++) {
            memset(&err, 0, sizeof err);
            alloc_fault_set(k, for_ever);
            tide_status st = job(ctx, f, &pipe_, &got, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(st == TIDE_ENOMEM || (st == TIDE_OK && (!hit || !for_ever)),
                      "fault %d: %d %s", k, (int)st, err.message);
            CHECK_MSG(alloc_live() == live, "fault %d leaks", k);
            if (st == TIDE_OK) CHECK(got == want);
            if (!hit || alloc_live() != live) break;
        }
    CHECK(k > 50);
    CHECK(!job(ctx, f, &pipe_, &got, &err));
    CHECK(got == want);
    probe_done(&pipe_);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(r07_cancel_is_answered_and_forgotten)
{
    tide_ctx *ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 500, 4);
    struct pipe_node nodes[4] = {{0}};
    tide_pipeline pipe_ = probe_pipeline(nodes, steps, &probe_learner);
    tide_error err = {0};
    double got;
    tide_ctx_cancel(ctx);
    CHECK_INT(job(ctx, f, &pipe_, &got, &err), TIDE_ECANCELLED);
    CHECK_INT(err.code, TIDE_CODE_CANCELLED);
    tide_ctx_uncancel(ctx);
    CHECK_INT(job(ctx, f, &pipe_, &got, &err), TIDE_OK);
    probe_done(&pipe_);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}
