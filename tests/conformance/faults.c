/* Memory that is refused, limits, cancelling, forks: the answer is exact and the context is
 * fit for the next call. Every single allocation is in tests/fault; here is a sample. */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

/* A fit, its bytes and its scores; the status of the first call that was refused. */
static tide_status work(tide_ctx *ctx, const tide_frame *f, const struct subject *s,
                        const struct job *j, struct made *x, double *z)
{
    *x = make(ctx, f, s, j, NULL);
    if (!x->st) x->st = pipe_predict(ctx, x->m, f, NULL, 0, z, NULL, &x->err);
    return x->st;
}

PROPERTY(allocations, LEARNERS | STEPS, always)
{
    enum { ROWS = 65 };
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(1);
        tide_frame *f = frame_for(ctx, s, j, ROWS);
        double z0[ROWS * 3], z[ROWS * 3];
        struct made first, x;
        work(ctx, f, s, j, &first, z0);
        CHECK_MADE(first);
        int64_t live = alloc_live();
        alloc_fault_set(0, 0);
        work(ctx, f, s, j, &x, z);
        int64_t calls = alloc_fault_count();
        made_free(&x);
        CHECK(calls > 10);
        int64_t turns = SUITE_SLOW ? 25 : 50;
        for (int64_t t = 0; t < 2 * turns && !suite_bad; t++) {
            int for_ever = t >= turns;
            /* the first of them one by one, then further and further apart */
            int64_t at = t % turns,
                    k = at < 10 ? at + 1 : 10 + calls * (at - 9) / turns;
            alloc_fault_set(k, for_ever);
            work(ctx, f, s, j, &x, z);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(x.st == TIDE_ENOMEM || (x.st == TIDE_OK && !(hit && for_ever)),
                      "allocation %lld of %lld: status %d, %s", (long long)k,
                      (long long)calls, (int)x.st, x.err.message);
            CHECK_MSG(x.st != TIDE_ENOMEM || x.err.code == TIDE_CODE_MEMORY,
                      "allocation %lld: code %s", (long long)k,
                      tide_code_name(x.err.code));
            if (!x.st) CHECK(!made_differ(&x, &first));
            made_free(&x);
            CHECK_MSG(alloc_live() == live, "allocation %lld of %lld leaks %lld",
                      (long long)k, (long long)calls, (long long)(alloc_live() - live));
        }
        work(ctx, f, s, j, &x, z);
        CHECK_SAME_FILE(x, first, "after refused memory");
        made_free(&x);
        made_free(&first);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
}

/* The limit is honoured: refused by its own code or done within it, and given back. */
PROPERTY(memory_limit, LEARNERS | STEPS, always)
{
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(2), *plain = ctx_open(2);
        tide_frame *f = frame_for(plain, s, j, MANY_ROWS);
        struct made first = make(ctx, f, s, j, NULL);
        CHECK_MADE(first);
        int64_t peak = tide_ctx_peak_memory(ctx), used = ctx->memory_used;
        made_free(&first);
        CHECK_MSG(ctx->memory_used <= used && ctx->memory_used == 0,
                  "%lld bytes are still held", (long long)ctx->memory_used);
        first = make(ctx, f, s, j, NULL);
        for (int part = 1; part <= 8; part *= 2) {
            tide_ctx *tight = ctx_open(2);
            tight->memory_limit = peak / part; /* below what the public call takes */
            struct made x = make(tight, f, s, j, NULL);
            CHECK_MSG(!x.st || x.err.code == TIDE_CODE_MEMORY_BUDGET,
                      "limit %lld: status %d, %s", (long long)(peak / part), (int)x.st,
                      x.err.message);
            CHECK_MSG(!x.st || !strcmp(x.err.option, "memory"), "no remedy: %s",
                      x.err.option);
            CHECK(tide_ctx_peak_memory(tight) <= tight->memory_limit);
            if (!x.st) CHECK_SAME_FILE(x, first, "limit of 1/%d", part);
            made_free(&x);
            CHECK(tight->memory_used == 0);
            tight->memory_limit = 0;
            x = make(tight, f, s, j, NULL);
            CHECK_SAME_FILE(x, first, "after a limit");
            made_free(&x);
            tide_ctx_free(tight);
        }
        made_free(&first);
        tide_frame_free(f);
        tide_ctx_free(ctx);
        tide_ctx_free(plain);
    }
}

/* ---- cancel ---- */

struct stopper {
    tide_ctx *ctx;
    int64_t calls, at; /* stop at this call, 0: never */
};
static int stop_at(void *payload, const char *phase, double done, double total,
                   const char *text)
{
    struct stopper *p = payload;
    (void)phase, (void)done, (void)total, (void)text;
    p->ctx->progress_last_ns = 0; /* every call, not one in 50 ms */
    return ++p->calls == p->at;
}

PROPERTY(cancel, LEARNERS | STEPS, always)
{
    FOR_JOBS(s, j)
    {
        struct stopper stop = {.ctx = ctx_open(2)};
        tide_ctx *ctx = stop.ctx;
        tide_frame *f = frame_for(ctx, s, j, 700);
        tide_ctx_set_progress(ctx, stop_at, &stop);
        struct made first = make(ctx, f, s, j, NULL);
        int64_t calls = stop.calls;
        CHECK_MADE(first);
        for (int turn = 0; turn < 20 && !suite_bad; turn++) {
            stop.calls = 0;
            stop.at = turn ? 1 + (calls - 1) * turn / 20 : 0;
            if (turn && stop.at > calls) break;
            if (!turn) tide_ctx_cancel(ctx); /* before it began */
            struct made x = make(ctx, f, s, j, NULL);
            CHECK_MSG(x.st == TIDE_ECANCELLED || (turn && calls == 0),
                      "cancelled at call %lld of %lld: status %d, %s",
                      (long long)stop.at, (long long)calls, (int)x.st, x.err.message);
            CHECK(x.st != TIDE_ECANCELLED || x.err.code == TIDE_CODE_CANCELLED);
            tide_ctx_uncancel(ctx);
            stop.at = 0;
            if (x.m && x.st == TIDE_ECANCELLED &&
                x.m->partial) { /* whole, if smaller */
                double *z = scores_of(ctx, x.m, f, NULL, 0);
                check_scores(x.m, z, 700, "a partial model");
                free(z);
            }
            made_free(&x);
        }
        stop.at = 0;
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_SAME_FILE(x, first, "after cancelling");
        made_free(&x);
        made_free(&first);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
}

struct racer {
    tide_ctx *ctx;
    int64_t wait;
};
static void *cancel_soon(void *arg)
{
    struct racer *r = arg;
    for (volatile int64_t i = 0; i < r->wait; i++) continue;
    tide_ctx_cancel(r->ctx);
    return NULL;
}
/* From another thread at no particular moment: cancelled or done, nothing else. */
PROPERTY(cancel_by_thread, LEARNERS | STEPS, always)
{
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(2);
        tide_frame *f = frame_for(ctx, s, j, 700);
        struct made first = make(ctx, f, s, j, NULL);
        for (int turn = 0; turn < 10; turn++) {
            pthread_t thread;
            struct racer r = {ctx, (int64_t)1 << (10 + turn)};
            CHECK(pthread_create(&thread, NULL, cancel_soon, &r) == 0);
            struct made x = make(ctx, f, s, j, NULL);
            pthread_join(thread, NULL);
            tide_ctx_uncancel(ctx);
            CHECK_MSG(x.st == TIDE_OK || x.err.code == TIDE_CODE_CANCELLED,
                      "status %d, %s", (int)x.st, x.err.message);
            if (!x.st) CHECK(!made_differ(&x, &first));
            made_free(&x);
        }
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_SAME_FILE(x, first, "after cancelling");
        made_free(&x);
        made_free(&first);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
}

/* ---- fork ---- */

PROPERTY(fork_after_fit, LEARNERS | STEPS, always)
{
#ifdef SUITE_TSAN
    SKIP("no forks of several threads under ThreadSanitizer");
    (void)s;
#else
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(3);
        tide_frame *f = frame_for(ctx, s, j, MANY_ROWS);
        struct made first = make(ctx, f, s, j, NULL);
        double *z = first.st ? NULL : scores_of(ctx, first.m, f, NULL, 0);
        CHECK_MADE(first);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) { /* the old context, and a new one */
            alarm(SUITE_SLOW ? 30 : 5);
            double *y = scores_of(ctx, first.m, f, NULL, 0);
            if (!first.st)
                check_near(y, z, MANY_ROWS * width_of(first.m), 0, "in the child");
            struct made x = make(ctx, f, s, j, NULL);
            CHECK_SAME_FILE(x, first, "the parent's context in the child");
            tide_ctx *own = ctx_open(2);
            struct made w = make(own, f, s, j, NULL);
            CHECK_SAME_FILE(w, first, "the child's own context");
            fflush(NULL);
            _exit(suite_bad ? 1 : 0);
        }
        int status = 0;
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "the child ended with %d", status);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_SAME_FILE(x, first, "the parent after the fork");
        made_free(&x);
        made_free(&first);
        free(z);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
#endif
}
