/* base_par.c - loops and crews: same results for any thread count, cancel, fork, float state */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/par.h"
#include "support/unit.h"

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif

static struct tide_ctx *ctx_with(int threads)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, threads, NULL), TIDE_OK);
    return ctx;
}

#define N_BLOCKS 1001
struct sums {
    double part[N_BLOCKS];
    int count[N_BLOCKS];
    struct tide_ctx *ctx;
    atomic_int max_worker, bad;
};

static void sum_block(void *arg, int64_t block, int worker)
{
    struct sums *s = arg;
    double sum = 0;
    for (int i = 1; i < 300; i++) sum += 1.0 / (double)(block * 300 + i);
    s->part[block] = sum;
    s->count[block]++; /* TSan tells when two threads run one block */
    int seen = atomic_load(&s->max_worker);
    while (worker > seen &&
           !atomic_compare_exchange_weak(&s->max_worker, &seen, worker)) {
    }
}

static double sum_all(int threads, struct sums *s)
{
    struct tide_ctx *ctx = ctx_with(threads);
    double total = 0;
    memset(s, 0, sizeof *s);
    for (int round = 1; round <= 20; round++) {
        CHECK_INT(par_for(ctx, N_BLOCKS, sum_block, s, NULL), TIDE_OK);
        for (int i = 0; i < N_BLOCKS; i++) CHECK_INT(s->count[i], round);
    }
    CHECK(atomic_load(&s->max_worker) < par_threads(ctx));
    for (int i = 0; i < N_BLOCKS; i++) total += s->part[i];
    tide_ctx_free(ctx);
    return total;
}

TEST(par_for_gives_the_same_blocks_for_any_threads)
{
    static struct sums one, other;
    static const int threads[] = {2, 3, 7};
    int64_t before = alloc_live();
    double want = sum_all(1, &one);
    for (int i = 0; i < 3; i++) {
        double got = sum_all(threads[i], &other);
        CHECK(memcmp(&want, &got, sizeof got) == 0);
        CHECK(memcmp(one.part, other.part, sizeof one.part) == 0);
    }
    CHECK_INT(alloc_live(), before);
}

TEST(par_for_takes_no_context_and_no_blocks)
{
    static struct sums s;
    memset(&s, 0, sizeof s);
    CHECK_INT(par_for(NULL, 5, sum_block, &s, NULL), TIDE_OK);
    CHECK_INT(s.count[4], 1);
    CHECK_INT(par_for(NULL, 0, sum_block, &s, NULL), TIDE_OK);
    CHECK_INT(s.count[5], 0);
    CHECK_INT(par_threads(NULL), 1);
}

static void outer_block(void *arg, int64_t block, int worker)
{
    struct sums *s = arg, inner = {.bad = 0};
    (void)worker;
    if (par_for(s->ctx, 10, sum_block, &inner, NULL) != TIDE_OK)
        atomic_store(&s->bad, 1);
    if (atomic_load(&inner.max_worker) != 0) atomic_store(&s->bad, 1);
    for (int i = 0; i < 10; i++)
        if (inner.count[i] != 1) atomic_store(&s->bad, 1);
    s->count[block]++;
}

TEST(par_for_runs_nested_loops_inline)
{
    static struct sums s;
    memset(&s, 0, sizeof s);
    s.ctx = ctx_with(3);
    CHECK_INT(par_for(s.ctx, 100, outer_block, &s, NULL), TIDE_OK);
    CHECK_INT(atomic_load(&s.bad), 0);
    for (int i = 0; i < 100; i++) CHECK_INT(s.count[i], 1);
    tide_ctx_free(s.ctx);
}

TEST(par_pool_follows_a_change_of_threads)
{
    static struct sums s;
    struct tide_ctx *ctx = ctx_with(2);
    for (int threads = 1; threads < 6; threads++) {
        memset(&s, 0, sizeof s);
        CHECK_INT(tide_ctx_set_threads(ctx, threads, NULL), TIDE_OK);
        CHECK_INT(par_for(ctx, N_BLOCKS, sum_block, &s, NULL), TIDE_OK);
        CHECK(atomic_load(&s.max_worker) < threads);
        CHECK_INT(s.count[N_BLOCKS - 1], 1);
    }
    tide_ctx_free(ctx);
}

/* ---- cancel ---- */

static void slow_block(void *arg, int64_t block, int worker)
{
    struct timespec ms = {0, 2000000};
    (void)block;
    (void)worker;
    atomic_fetch_add((atomic_int *)arg, 1);
    nanosleep(&ms, NULL);
}

struct cancel {
    struct tide_ctx *ctx;
    atomic_int ran;
};

/* Cancels some time after the first block has begun. */
static void *cancel_soon(void *arg)
{
    struct cancel *c = arg;
    struct timespec ms = {0, 10000000};
    do {
        nanosleep(&ms, NULL);
    } while (atomic_load(&c->ran) == 0);
    tide_ctx_cancel(c->ctx);
    return NULL;
}

TEST(par_for_stops_soon_after_cancel)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct tide_ctx *ctx = ctx_with(threads);
        struct cancel c = {.ctx = ctx};
        pthread_t id;
        tide_error err;
        int64_t t0 = clock_ns();
        CHECK_INT(pthread_create(&id, NULL, cancel_soon, &c), 0);
        CHECK_INT(par_for(ctx, 100000, slow_block, &c.ran, &err), TIDE_ECANCELLED);
        CHECK_INT(err.code, TIDE_CODE_CANCELLED);
        CHECK_MSG(clock_since(t0) < 2.0, "took %g s", clock_since(t0));
        CHECK(atomic_load(&c.ran) > 0);
        pthread_join(id, NULL);
        CHECK_INT(par_for(ctx, 2, slow_block, &c.ran, NULL), TIDE_ECANCELLED);
        tide_ctx_uncancel(ctx);
        CHECK_INT(par_for(ctx, 2, slow_block, &c.ran, NULL), TIDE_OK);
        tide_ctx_free(ctx);
    }
}

static int count_progress(void *payload, const char *phase, double done, double total,
                          const char *text)
{
    int *calls = payload;
    CHECK_STR(phase, "waiting");
    CHECK_STR(text, "");
    CHECK(done >= 0 && done <= total && total == 300);
    return ++*calls >= 3;
}

TEST(par_for_progress_reports_on_the_caller_and_can_cancel)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct tide_ctx *ctx = ctx_with(threads);
        atomic_int ran = 0;
        int calls = 0;
        tide_ctx_set_progress(ctx, count_progress, &calls);
        CHECK_INT(par_for_progress(ctx, 300, slow_block, &ran, "waiting", NULL),
                  TIDE_ECANCELLED);
        CHECK_INT(calls, 3);
        CHECK(atomic_load(&ran) < 300);
        tide_ctx_free(ctx);
    }
}

/* ---- fork ---- */

#ifndef UNDER_TSAN /* it allows no threads in a forked child */
static int child_answer(struct tide_ctx *ctx)
{
    static struct sums s;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(5);
        memset(&s, 0, sizeof s);
        int good = par_for(ctx, N_BLOCKS, sum_block, &s, NULL) == TIDE_OK;
        for (int i = 0; i < N_BLOCKS; i++) good &= s.count[i] == 1;
        tide_ctx_free(ctx);
        _exit(good ? 7 : 8);
    }
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(par_for_works_in_a_forked_child_and_then_in_the_parent)
{
    static struct sums s;
    struct tide_ctx *ctx = ctx_with(3);
    memset(&s, 0, sizeof s);
    CHECK_INT(par_for(ctx, N_BLOCKS, sum_block, &s, NULL), TIDE_OK);
    for (int i = 0; i < 3; i++) CHECK_INT(child_answer(ctx), 7);
    CHECK_INT(par_for(ctx, N_BLOCKS, sum_block, &s, NULL), TIDE_OK);
    CHECK_INT(s.count[0], 2);
    tide_ctx_free(ctx);
}

TEST(par_for_goes_on_when_no_thread_can_be_started)
{
    pid_t pid = fork();
    if (pid == 0) {
        static struct sums s;
        alarm(10);
        if (getuid() == 0 && setuid(65534) != 0) _exit(7); /* root has no such limit */
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_NPROC, &none);
        struct tide_ctx *ctx = ctx_with(4);
        int good = par_for(ctx, N_BLOCKS, sum_block, &s, NULL) == TIDE_OK;
        good &= s.count[N_BLOCKS - 1] == 1 && atomic_load(&s.max_worker) == 0;
        tide_ctx_free(ctx);
        _exit(good ? 7 : 8);
    }
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 7, "status %d", status);
}
#endif

/* ---- float state ---- */

#if defined(__x86_64__)
static void float_block(void *arg, int64_t block, int worker)
{
    (void)block;
    (void)worker;
    if ((__builtin_ia32_stmxcsr() & ~0x3fu) != 0x1f80)
        atomic_store((atomic_int *)arg, 1);
}

TEST(par_blocks_have_plain_float_state_and_the_host_keeps_its_own)
{
    unsigned saved = __builtin_ia32_stmxcsr(), host = 0x1f80 | 0x8040 | 0x2000;
    for (int threads = 1; threads <= 3; threads++) {
        struct tide_ctx *ctx = ctx_with(threads);
        atomic_int bad = 0;
        __builtin_ia32_ldmxcsr(host); /* FTZ, DAZ, round down */
        tide_status st = par_for(ctx, 200, float_block, &bad, NULL);
        unsigned after = __builtin_ia32_stmxcsr();
        __builtin_ia32_ldmxcsr(saved);
        CHECK_INT(st, TIDE_OK);
        CHECK_INT(after, host);
        CHECK_INT(atomic_load(&bad), 0);
        tide_ctx_free(ctx);
    }
}
#endif

/* ---- crews ---- */

#define N_PHASES 2000
struct crew_work {
    int64_t value[64];
    int64_t total;
    atomic_int max_member;
    struct tide_ctx *ctx;
    int phases;
};

static void crew_task(void *arg, int64_t task, int member)
{
    struct crew_work *w = arg;
    w->value[task] = w->value[task] * 3 + w->total % 1000 + task;
    int seen = atomic_load(&w->max_member);
    while (member > seen &&
           !atomic_compare_exchange_weak(&w->max_member, &seen, member)) {
    }
}

static void crew_lead_fn(struct par_crew *crew, void *arg)
{
    struct crew_work *w = arg;
    for (int p = 0; p < N_PHASES && !crew_cancelled(crew); p++) {
        int64_t n = p % 64 + 1;
        crew_phase(crew, n, crew_task, w);
        for (int64_t i = 0; i < n; i++) w->total = (w->total + w->value[i]) % 1000003;
        for (int64_t i = 0; i < n; i++) w->value[i] %= 1000003;
        w->phases++;
        if (p % 500 == 499) usleep(2000); /* members fall asleep */
    }
}

TEST(par_crew_gives_the_same_result_for_any_team)
{
    int64_t want = -1;
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        struct tide_ctx *ctx = ctx_with(threads);
        for (int members = 1; members <= threads; members++) {
            struct crew_work w = {.total = 1};
            CHECK_INT(par_crew(ctx, members, crew_lead_fn, &w, NULL), TIDE_OK);
            if (want < 0) want = w.total;
            CHECK_INT(w.total, want);
            CHECK_INT(w.phases, N_PHASES);
            CHECK(atomic_load(&w.max_member) < members);
        }
        tide_ctx_free(ctx);
    }
}

/* Items of a tree: who finishes one tells of the two below it. */
#define N_ITEMS 255
struct gate_work {
    struct par_gate gate;
    int state
        [N_ITEMS]; /* 0 waits for the one above, 1 can be taken, 2 at work, 3 done */
    int n_at_work, n_done, inside, most_inside;
    int slow; /* every so many sleep for a while */
};

static int gate_pick(const struct gate_work *w)
{
    for (int i = 0; i < N_ITEMS; i++)
        if (w->state[i] == 1) return i;
    return -1;
}

static void gate_task(void *arg, int64_t task, int member)
{
    struct gate_work *w = arg;
    (void)task;
    (void)member;
    par_gate_enter(&w->gate);
    while (w->n_done < N_ITEMS) {
        w->most_inside = ++w->inside > w->most_inside ? w->inside : w->most_inside;
        int item = gate_pick(w);
        w->inside--;
        if (item < 0) {
            CHECK(w->n_at_work > 0);
            par_gate_wait(&w->gate);
            continue;
        }
        w->state[item] = 2;
        w->n_at_work++;
        par_gate_leave(&w->gate);
        if (item % w->slow == 0) usleep(500); /* the others fall asleep */
        par_gate_enter(&w->gate);
        w->state[item] = 3;
        w->n_at_work--;
        w->n_done++;
        for (int k = 2 * item + 1; k <= 2 * item + 2 && k < N_ITEMS; k++)
            w->state[k] = 1;
        par_gate_tell(&w->gate);
    }
    par_gate_leave(&w->gate);
}

static void gate_lead(struct par_crew *crew, void *arg)
{
    struct gate_work *w = arg;
    for (int run = 0; run < 20; run++) {
        *w = (struct gate_work){.state = {1}, .slow = run % 2 ? 16 : N_ITEMS};
        crew_phase(crew, 7, gate_task, w);
        CHECK_INT(w->n_done, N_ITEMS);
        CHECK_INT(w->n_at_work, 0);
        CHECK_INT(w->most_inside, 1);
    }
}

TEST(members_take_turns_at_a_gate_and_wait_for_news)
{
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        struct tide_ctx *ctx = ctx_with(threads);
        struct gate_work w;
        CHECK_INT(par_crew(ctx, threads, gate_lead, &w, NULL), TIDE_OK);
        tide_ctx_free(ctx);
    }
}

static void slow_task(void *arg, int64_t task, int member)
{
    slow_block(arg, task, member);
}

static void slow_lead(struct par_crew *crew, void *arg)
{
    while (!crew_cancelled(crew)) crew_phase(crew, 4, slow_task, arg);
}

TEST(par_crew_stops_soon_after_cancel)
{
    for (int threads = 1; threads <= 3; threads++) {
        struct tide_ctx *ctx = ctx_with(threads);
        struct cancel c = {.ctx = ctx};
        pthread_t id;
        tide_error err;
        int64_t t0 = clock_ns();
        CHECK_INT(pthread_create(&id, NULL, cancel_soon, &c), 0);
        CHECK_INT(par_crew(ctx, threads, slow_lead, &c.ran, &err), TIDE_ECANCELLED);
        CHECK_INT(err.code, TIDE_CODE_CANCELLED);
        CHECK_MSG(clock_since(t0) < 2.0, "took %g s", clock_since(t0));
        pthread_join(id, NULL);
        tide_ctx_free(ctx);
    }
}

static void nested_lead(struct par_crew *crew, void *arg)
{
    struct sums *s = arg;
    CHECK_INT(par_for(s->ctx, 50, sum_block, s, NULL), TIDE_OK);
    crew_phase(crew, 1, sum_block, s);
    crew_phase(crew, 0, sum_block, s);
}

TEST(par_crew_lead_may_call_par_for)
{
    static struct sums s;
    memset(&s, 0, sizeof s);
    s.ctx = ctx_with(2);
    CHECK_INT(par_crew(s.ctx, 2, nested_lead, &s, NULL), TIDE_OK);
    CHECK_INT(s.count[0], 2);
    CHECK_INT(s.count[49], 1);
    tide_ctx_free(s.ctx);
}

static void count_block(void *arg, int64_t block, int worker)
{
    (void)block;
    (void)worker;
    atomic_fetch_add((atomic_int *)arg, 1);
}

/* Crews of fewer members within a crew, and loops between them. */
struct inner_crews {
    struct crew_work work;
    atomic_int blocks;
    int members;
};

static void inner_block(void *arg, int64_t block, int worker)
{
    struct inner_crews *c = arg;
    (void)block;
    CHECK(worker < par_threads(c->work.ctx));
    CHECK_INT(par_for(c->work.ctx, 3, count_block, &c->blocks, NULL), TIDE_OK);
}

static void outer_lead(struct par_crew *crew, void *arg)
{
    struct inner_crews *c = arg;
    (void)crew;
    for (int i = 0; i < 3; i++) {
        CHECK_INT(par_crew(c->work.ctx, c->members, crew_lead_fn, &c->work, NULL),
                  TIDE_OK);
        CHECK_INT(par_for(c->work.ctx, 40, inner_block, c, NULL), TIDE_OK);
    }
}

TEST(par_crew_within_a_crew_keeps_to_its_members)
{
    int64_t want = -1;
    for (int threads = 1; threads <= 4; threads++) {
        struct tide_ctx *ctx = ctx_with(threads);
        for (int members = 1; members <= threads + 1; members++) {
            struct inner_crews c = {.work = {.total = 1, .ctx = ctx},
                                    .members = members};
            CHECK_INT(par_crew(ctx, threads, outer_lead, &c, NULL), TIDE_OK);
            if (want < 0) want = c.work.total;
            CHECK_INT(c.work.total, want);
            CHECK_INT(c.work.phases, 3 * N_PHASES);
            CHECK_INT(atomic_load(&c.blocks), 3 * 40 * 3);
            CHECK(atomic_load(&c.work.max_member) < members);
            CHECK(atomic_load(&c.work.max_member) < threads);
        }
        tide_ctx_free(ctx);
    }
}

static void loop_until_cancelled(struct par_crew *crew, void *arg)
{
    struct cancel *c = arg;
    tide_status status = TIDE_OK;
    (void)crew;
    while (!status) status = par_for(c->ctx, 8, slow_block, &c->ran, NULL);
    CHECK_INT(status, TIDE_ECANCELLED);
}

TEST(par_for_of_a_crew_stops_soon_after_cancel)
{
    struct tide_ctx *ctx = ctx_with(2);
    struct cancel c = {.ctx = ctx};
    pthread_t id;
    int64_t t0 = clock_ns();
    CHECK_INT(pthread_create(&id, NULL, cancel_soon, &c), 0);
    CHECK_INT(par_crew(ctx, 2, loop_until_cancelled, &c, NULL), TIDE_ECANCELLED);
    CHECK_MSG(clock_since(t0) < 2.0, "took %g s", clock_since(t0));
    pthread_join(id, NULL);
    tide_ctx_free(ctx);
}

/* ---- the tree of sums ---- */

TEST(par_tree_fold_adds_in_a_fixed_tree)
{
    static double part[PAR_SHARDS * 3];
    for (int s = 0; s < PAR_SHARDS; s++)
        for (int j = 0; j < 3; j++) part[s * 3 + j] = s + 100 * j;
    par_tree_fold(part, 3);
    CHECK_NEAR(part[0], 2016, 0);
    CHECK_NEAR(part[1], 2016 + 6400, 0);
    CHECK_NEAR(part[2], 2016 + 12800, 0);
    CHECK_INT(par_shard_begin(1000, 0), 0);
    CHECK_INT(par_shard_begin(1000, PAR_SHARDS), 1000);
}
