/* par.c - par_for and par_crew on libpthreadpool; threads, fork, float state
 *
 * What the library below needs of us (each was measured):
 * - pthreadpool_create never returns when a thread cannot be started, so as many trial
 *   threads as it will want are started first and counted; a pool of that size is made.
 * - a pool does not survive fork and cannot be destroyed in the child: a generation counter,
 *   advanced by a pthread_atfork handler, tells an inherited pool, which is then forgotten.
 * - a waiting worker burns up to 20 ms: every command is given the yield flag.
 * - ThreadSanitizer does not see its synchronisation: release and acquire are declared
 *   around the block functions.
 * - any pool thread may run any item. A command therefore has as many items as threads; a
 *   worker that took one keeps it until there is nothing left to do (par_for) or the lead is
 *   done (par_crew), so one item is always left for the calling thread. */
#define _GNU_SOURCE
#include "base/par.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"

#define THREADS_MAX 1024
#define SPIN_PAUSES 2000 /* about 45 us, then sleep */

#if defined(__SANITIZE_THREAD__)
#define PAR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PAR_TSAN 1
#endif
#endif
#ifdef PAR_TSAN
#include <sanitizer/tsan_interface.h>
#define SEE_ACQUIRE(addr) __tsan_acquire(addr)
#define SEE_RELEASE(addr) __tsan_release(addr)
#else
#define SEE_ACQUIRE(addr) ((void)(addr))
#define SEE_RELEASE(addr) ((void)(addr))
#endif

struct par_pool {
    pthreadpool_t pool; /* NULL: not started, or one thread only */
    int asked;          /* threads wanted when it was started; 0: not started */
    int threads;        /* what it has, the caller included */
    int generation;     /* of the process that started it */
};

/* Forks seen by this process image; the one handler that this library installs. */
static atomic_int generation;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_watched;
/* The last pool that a child forgot: still referenced, so no leak checker complains. */
static _Atomic(pthreadpool_t) forgotten;

struct par_crew;
static _Thread_local int in_parallel; /* this thread runs a block or leads a crew */
static _Thread_local struct par_crew *led; /* the crew it leads, between two phases */
static _Thread_local const void *lead_of;  /* the job whose caller this thread is */

static void after_fork(void)
{
    atomic_fetch_add(&generation, 1);
}

static void watch_forks(void)
{
    fork_watched = pthread_atfork(NULL, NULL, after_fork) == 0;
}

/* ---- float state ---- */

#if defined(__x86_64__)
#define PLAIN_FLOAT 0x1f80u /* all exceptions masked, nearest, no FTZ, no DAZ */

/* Loading costs more than a small model's row, so only a state that differs is changed. */
static int is_plain(unsigned mxcsr)
{
    return (mxcsr & 0xffc0u) == PLAIN_FLOAT; /* below: flags of what has happened */
}

unsigned par_float_enter(void)
{
    unsigned saved = __builtin_ia32_stmxcsr();
    if (!is_plain(saved)) __builtin_ia32_ldmxcsr(PLAIN_FLOAT);
    return saved;
}

void par_float_leave(unsigned saved)
{
    if (!is_plain(saved)) __builtin_ia32_ldmxcsr(saved);
}
#elif defined(__aarch64__)
unsigned par_float_enter(void)
{
    uint64_t saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return (unsigned)saved;
}

void par_float_leave(unsigned saved)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)saved));
}
#else
unsigned par_float_enter(void)
{
    return 0;
}

void par_float_leave(unsigned saved)
{
    (void)saved;
}
#endif

static void pause_once(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- how many threads ---- */

/* A small file of the kernel as text; not by file.h, whose calls tests count. */
static int read_kernel_text(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t n = 0;
    ssize_t got;
    while (n + 1 < size && (got = read(fd, buf + n, size - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    buf[n] = 0;
    return 0;
}

/* The decimal number at *s, which moves behind it; -1 when there is none. */
static int64_t take_number(const char **s)
{
    const char *p = *s;
    while (*p == ' ') p++;
    if (*p < '0' || *p > '9') return -1;
    int64_t v = 0;
    while (*p >= '0' && *p <= '9' && v < INT64_MAX / 16) v = v * 10 + (*p++ - '0');
    *s = p;
    return v;
}

static int quota_cpus(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0) return THREADS_MAX;
    int64_t cpus = quota / period + (quota % period != 0);
    return cpus < THREADS_MAX ? (int)cpus : THREADS_MAX;
}

/* Joins three parts; 0 when they fit. */
static int join_path(char *out, size_t size, const char *a, const char *b,
                     const char *c)
{
    size_t na = strlen(a), nb = strlen(b), nc = strlen(c);
    if (na + nb + nc >= size) return -1;
    memcpy(out, a, na);
    memcpy(out + na, b, nb);
    memcpy(out + na + nb, c, nc + 1);
    return 0;
}

/* CPUs that the group in `folder` may use: cpu.max of version 2, else version 1's pair. */
static int group_cpus(const char *root, const char *folder, int version)
{
    char path[1200], text[128];
    const char *s = text;
    if (version == 2) {
        if (join_path(path, sizeof path, root, folder, "/cpu.max") ||
            read_kernel_text(path, text, sizeof text))
            return THREADS_MAX;
        int64_t quota = take_number(&s); /* "max" is no number */
        return quota < 0 ? THREADS_MAX : quota_cpus(quota, take_number(&s));
    }
    if (join_path(path, sizeof path, root, folder, "/cpu.cfs_quota_us") ||
        read_kernel_text(path, text, sizeof text))
        return THREADS_MAX;
    int64_t quota = take_number(&s);
    if (join_path(path, sizeof path, root, folder, "/cpu.cfs_period_us") ||
        read_kernel_text(path, text, sizeof text))
        return THREADS_MAX;
    s = text;
    return quota_cpus(quota, take_number(&s));
}

/* The least over a group and all above it; `folder` is cut from the end. */
static int groups_cpus(const char *root, char *folder, int version)
{
    int least = THREADS_MAX;
    for (;;) {
        size_t n = strlen(folder);
        while (n && folder[n - 1] == '/') folder[--n] = 0;
        int cpus = group_cpus(root, folder, version);
        if (cpus < least) least = cpus;
        char *slash = strrchr(folder, '/');
        if (!slash) return least;
        *slash = 0;
    }
}

static int has_cpu_controller(const char *list, const char *end)
{
    while (list < end) {
        const char *comma = memchr(list, ',', (size_t)(end - list));
        const char *stop = comma ? comma : end;
        if (stop - list == 3 && memcmp(list, "cpu", 3) == 0) return 1;
        list = stop + 1;
    }
    return 0;
}

/* Lines of /proc/self/cgroup are id:controllers:path; version 2 has id 0 and no controllers. */
static int cgroup_cpus(void)
{
    char text[4096], folder[1024];
    if (read_kernel_text("/proc/self/cgroup", text, sizeof text)) return THREADS_MAX;
    int least = THREADS_MAX;
    for (char *line = text, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        char *list = strchr(line, ':');
        char *path = list ? strchr(list + 1, ':') : NULL;
        if (!path) continue;
        list++;
        int version = path == list ? 2 : has_cpu_controller(list, path) ? 1 : 0;
        if (!version || join_path(folder, sizeof folder, path + 1, "", "")) continue;
        const char *root = version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
        int cpus = groups_cpus(root, folder, version);
        if (cpus < least) least = cpus;
    }
    return least;
}

int par_threads_automatic(void)
{
    cpu_set_t set;
    int n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
    else if (sysconf(_SC_NPROCESSORS_ONLN) > 0) /* more than 1024 CPUs */
        n = THREADS_MAX;
    int quota = cgroup_cpus();
    if (n > quota) n = quota;
    return n < 1 ? 1 : n;
}

/* ---- the pool ---- */

struct trial_gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    int open;
};

static void *trial_wait(void *arg)
{
    struct trial_gate *g = arg;
    pthread_mutex_lock(&g->lock);
    while (!g->open) pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* How many of `wanted` threads can run at once besides this one? */
static int trial_threads(int wanted)
{
    struct trial_gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    pthread_t id[THREADS_MAX];
    int n = 0;
    while (n < wanted && n < THREADS_MAX &&
           pthread_create(&id[n], NULL, trial_wait, &g) == 0)
        n++;
    pthread_mutex_lock(&g.lock);
    g.open = 1;
    pthread_cond_broadcast(&g.opened);
    pthread_mutex_unlock(&g.lock);
    for (int i = 0; i < n; i++) pthread_join(id[i], NULL);
    return n;
}

struct par_pool *par_pool_new(void)
{
    pthread_once(&fork_once, watch_forks);
    return mem_zalloc(sizeof(struct par_pool));
}

static void pool_stop(struct par_pool *p)
{
    if (p->pool) {
        if (p->generation == atomic_load(&generation))
            pthreadpool_destroy(p->pool);
        else
            atomic_store(&forgotten, p->pool);
    }
    *p = (struct par_pool){0};
}

void par_pool_free(struct par_pool *pool)
{
    if (!pool) return;
    pool_stop(pool);
    mem_free(pool);
}

/* Threads that a loop of this context can use now; starts them when there are none. */
static int pool_ready(struct tide_ctx *ctx)
{
    if (!ctx || ctx->n_threads <= 1 || !ctx->pool || in_parallel || !fork_watched)
        return 1;
    struct par_pool *p = ctx->pool;
    if (p->asked == ctx->n_threads && p->generation == atomic_load(&generation))
        return p->threads;
    pool_stop(p);
    p->generation = atomic_load(&generation);
    p->asked = ctx->n_threads;
    p->threads = 1 + trial_threads(ctx->n_threads - 1);
    p->pool = p->threads > 1 ? pthreadpool_create((size_t)p->threads) : NULL;
    if (!p->pool) p->threads = 1;
    return p->threads;
}

/* Runs item once in (nearly always) each thread of the pool; job is what TSan hangs on. */
static void pool_run(struct tide_ctx *ctx, pthreadpool_task_1d_t item, void *job)
{
    const void *outer = lead_of;
    lead_of = job;
    ctx->in_parallel = 1;
    SEE_RELEASE(job);
    pthreadpool_parallelize_1d(ctx->pool->pool, item, job, (size_t)ctx->pool->threads,
                               PTHREADPOOL_FLAG_YIELD_WORKERS);
    SEE_ACQUIRE(job);
    ctx->in_parallel = 0;
    lead_of = outer;
}

/* ---- par_for ---- */

struct par_job {
    struct tide_ctx *ctx;
    par_fn fn;
    void *arg;
    int64_t n_blocks;
    const char *phase; /* progress, or NULL */
    atomic_llong next; /* the first unclaimed block */
    atomic_llong done;
    atomic_int stopped; /* a block was left out: cancelled */
};

static int job_report(struct par_job *job)
{
    long long done = atomic_load_explicit(&job->done, memory_order_relaxed);
    return job->phase && ctx_progress(job->ctx, job->phase, (double)done,
                                      (double)job->n_blocks, NULL, NULL) != TIDE_OK;
}

/* Claims and runs blocks until none is left or the call must stop. */
static void job_work(struct par_job *job, int worker, int is_lead)
{
    unsigned saved = par_float_enter();
    for (;;) {
        int stop = ctx_cancelled(job->ctx) || (is_lead && job_report(job));
        int64_t block = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (block >= job->n_blocks) break;
        if (stop) {
            atomic_store_explicit(&job->stopped, 1, memory_order_relaxed);
            break;
        }
        job->fn(job->arg, block, worker);
        atomic_fetch_add_explicit(&job->done, 1, memory_order_relaxed);
    }
    par_float_leave(saved);
}

static void job_item(void *arg, size_t item)
{
    struct par_job *job = arg;
    SEE_ACQUIRE(job);
    in_parallel++;
    job_work(job, (int)item, lead_of == job);
    in_parallel--;
    SEE_RELEASE(job);
}

static int led_members(const struct tide_ctx *ctx);

/* A block as a task of the crew that the calling thread leads. */
static void job_task(void *arg, int64_t block, int member)
{
    struct par_job *job = arg;
    if (ctx_cancelled(job->ctx) || (member == 0 && job_report(job)))
        atomic_store_explicit(&job->stopped, 1, memory_order_relaxed);
    if (atomic_load_explicit(&job->stopped, memory_order_relaxed)) return;
    job->fn(job->arg, block, member);
    atomic_fetch_add_explicit(&job->done, 1, memory_order_relaxed);
}

tide_status par_for_progress(struct tide_ctx *ctx, int64_t n_blocks, par_fn fn,
                             void *arg, const char *phase, tide_error *err)
{
    struct par_job job = {
        .ctx = ctx, .fn = fn, .arg = arg, .n_blocks = n_blocks, .phase = phase};
    if (n_blocks <= 0) return ctx_cancelled(ctx) ? err_cancelled(err) : TIDE_OK;
    if (n_blocks > 1 && led_members(ctx) > 1)
        crew_phase(led, n_blocks, job_task, &job);
    else if (n_blocks == 1 || pool_ready(ctx) == 1)
        job_work(&job, 0, !in_parallel);
    else
        pool_run(ctx, job_item, &job);
    return atomic_load(&job.stopped) ? err_cancelled(err) : TIDE_OK;
}

tide_status par_for(struct tide_ctx *ctx, int64_t n_blocks, par_fn fn, void *arg,
                    tide_error *err)
{
    return par_for_progress(ctx, n_blocks, fn, arg, NULL, err);
}

/* ---- par_crew ----
 *
 * One word holds phase << 32 | tasks not yet claimed; a claim takes one off. fn, arg and
 * n_tasks are read only after a claim succeeded, and the lead leaves a phase only when
 * every claimed task is done, so a late member can never see half of the next phase. Who
 * waits spins 2,000 pauses, then sleeps on a futex: members on `signal`, which counts
 * phases, the lead on `done`.
 *
 * Loops and crews that a lead starts for its own context are phases of its crew: the pool is
 * not asked again. `limit` is the team of such an inner crew; who is not in it claims nothing.
 * It changes between phases only, so whoever sees a phase's word sees its limit too. */

struct par_crew {
    struct tide_ctx *ctx;
    void (*lead)(struct par_crew *, void *);
    void *lead_arg;
    int n_members;
    par_fn fn; /* of the phase */
    void *arg;
    uint32_t n_tasks;
    uint32_t phase;
    atomic_int stopped; /* cancelled, sticky */
    atomic_int limit;   /* members that may claim */
    _Alignas(64) _Atomic uint64_t word;
    _Alignas(64) _Atomic uint32_t done;
    atomic_int lead_sleeps;
    _Alignas(64) _Atomic uint32_t signal;
    _Atomic uint32_t quit; /* futex of members beyond n_members */
    atomic_int sleepers;
    atomic_int joined;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

int crew_cancelled(struct par_crew *crew)
{
    if (ctx_cancelled(crew->ctx))
        atomic_store_explicit(&crew->stopped, 1, memory_order_relaxed);
    return atomic_load_explicit(&crew->stopped, memory_order_relaxed);
}

static int crew_takes(struct par_crew *crew, uint64_t word, int member)
{
    return (uint32_t)word != 0 &&
           member < atomic_load_explicit(&crew->limit, memory_order_relaxed);
}

/* Takes one task; its number, or -1 when none is left for this member. */
static int64_t crew_claim(struct par_crew *crew, int member)
{
    uint64_t word = atomic_load_explicit(&crew->word, memory_order_acquire);
    do {
        if (!crew_takes(crew, word, member)) return -1;
    } while (!atomic_compare_exchange_weak_explicit(
        &crew->word, &word, word - 1, memory_order_acq_rel, memory_order_acquire));
    return (int64_t)crew->n_tasks - (int64_t)(uint32_t)word;
}

/* Runs tasks of the present phase until none is left to claim. */
static void crew_work(struct par_crew *crew, int member)
{
    int64_t task;
    while ((task = crew_claim(crew, member)) >= 0) {
        uint32_t n = crew->n_tasks; /* not after the count: the lead may go on then */
        crew->fn(crew->arg, task, member);
        uint32_t done = atomic_fetch_add(&crew->done, 1) + 1;
        if (done == n && atomic_load(&crew->lead_sleeps)) futex_wake_all(&crew->done);
    }
}

static int crew_has_news(struct par_crew *crew, int member)
{
    return crew_takes(crew, atomic_load(&crew->word), member) ||
           atomic_load(&crew->quit);
}

static void member_wait(struct par_crew *crew, int member)
{
    /* who is not in the team would take time from those who are */
    for (int i = 0; i < SPIN_PAUSES && member < atomic_load(&crew->limit); i++) {
        if (crew_has_news(crew, member)) return;
        pause_once();
    }
    uint32_t seen = atomic_load(&crew->signal);
    atomic_fetch_add(&crew->sleepers, 1);
    if (!crew_has_news(crew, member)) futex_wait(&crew->signal, seen);
    atomic_fetch_sub(&crew->sleepers, 1);
}

static void lead_wait(struct par_crew *crew)
{
    uint32_t done;
    for (int i = 0; i < SPIN_PAUSES; i++) {
        if (atomic_load(&crew->done) == crew->n_tasks) return;
        pause_once();
    }
    atomic_store(&crew->lead_sleeps, 1);
    while ((done = atomic_load(&crew->done)) != crew->n_tasks)
        futex_wait(&crew->done, done);
    atomic_store(&crew->lead_sleeps, 0);
}

static void crew_call(struct par_crew *crew)
{
    atomic_fetch_add(&crew->signal, 1);
    if (atomic_load(&crew->sleepers)) futex_wake_all(&crew->signal);
}

void crew_phase(struct par_crew *crew, int64_t n_tasks, par_fn fn, void *arg)
{
    (void)crew_cancelled(crew);
    if (n_tasks <= 1 || atomic_load(&crew->limit) <= 1 || n_tasks > UINT32_MAX) {
        for (int64_t task = 0; task < n_tasks; task++) fn(arg, task, 0);
        return;
    }
    crew->fn = fn;
    crew->arg = arg;
    crew->n_tasks = (uint32_t)n_tasks;
    crew->phase++;
    atomic_store(&crew->done, 0);
    atomic_store(&crew->word, (uint64_t)crew->phase << 32 | crew->n_tasks);
    crew_call(crew);
    led = NULL; /* what a task starts runs inline */
    crew_work(crew, 0);
    led = crew;
    lead_wait(crew);
}

/* Runs the lead; the crew is free to go when it returns. */
static void crew_lead(struct par_crew *crew)
{
    unsigned saved = par_float_enter();
    struct par_crew *outer = led;
    led = crew;
    crew->lead(crew, crew->lead_arg);
    led = outer;
    par_float_leave(saved);
    atomic_store(&crew->quit, 1);
    futex_wake_all(&crew->quit);
    crew_call(crew);
}

static void crew_member(struct par_crew *crew)
{
    int member = 1 + atomic_fetch_add(&crew->joined, 1);
    if (member >= crew->n_members) { /* keeps its item, see the top of the file */
        while (!atomic_load(&crew->quit)) futex_wait(&crew->quit, 0);
        return;
    }
    unsigned saved = par_float_enter();
    while (!atomic_load(&crew->quit)) {
        crew_work(crew, member);
        member_wait(crew, member);
    }
    par_float_leave(saved);
}

static void crew_item(void *arg, size_t item)
{
    struct par_crew *crew = arg;
    (void)item;
    SEE_ACQUIRE(crew);
    in_parallel++;
    if (!atomic_load(&crew->quit)) {
        if (lead_of == crew)
            crew_lead(crew);
        else
            crew_member(crew);
    }
    in_parallel--;
    SEE_RELEASE(crew);
}

/* Members of this context's crew that the calling thread leads now; 0: there is none. */
static int led_members(const struct tide_ctx *ctx)
{
    return led && led->ctx == ctx ? atomic_load(&led->limit) : 0;
}

/* A crew keeps its members even where a callback asks for fewer threads meanwhile. */
int par_threads(const struct tide_ctx *ctx)
{
    int n = ctx && ctx->n_threads > 1 ? ctx->n_threads : 1;
    return led && led->ctx == ctx && led->n_members > n ? led->n_members : n;
}

/* A crew within the one that the calling thread leads. */
static tide_status crew_within(struct par_crew *crew, int n_members,
                               void (*lead)(struct par_crew *, void *), void *arg,
                               tide_error *err)
{
    int before = atomic_load(&crew->limit);
    atomic_store(&crew->limit, n_members < before ? n_members : before);
    lead(crew, arg);
    atomic_store(&crew->limit, before);
    return crew_cancelled(crew) ? err_cancelled(err) : TIDE_OK;
}

tide_status par_crew(struct tide_ctx *ctx, int n_members,
                     void (*lead)(struct par_crew *, void *), void *arg,
                     tide_error *err)
{
    struct par_crew crew = {.ctx = ctx, .lead = lead, .lead_arg = arg, .n_members = 1};
    if (ctx_cancelled(ctx)) return err_cancelled(err);
    if (led_members(ctx) > 1) return crew_within(led, n_members, lead, arg, err);
    int threads = n_members > 1 ? pool_ready(ctx) : 1;
    if (threads > 1) {
        crew.n_members = n_members < threads ? n_members : threads;
        atomic_store(&crew.limit, crew.n_members);
        pool_run(ctx, crew_item, &crew);
    } else {
        crew_lead(&crew);
    }
    return crew_cancelled(&crew) ? err_cancelled(err) : TIDE_OK;
}

/* ---- par_gate ----
 *
 * Who finds it taken, or waits for news, spins as the members of a crew do, then sleeps. */

static int gate_try(struct par_gate *gate)
{
    uint32_t open = 0;
    return atomic_compare_exchange_strong(&gate->lock, &open, 1);
}

void par_gate_enter(struct par_gate *gate)
{
    for (int i = 0; i < SPIN_PAUSES; i++) {
        if (atomic_load_explicit(&gate->lock, memory_order_relaxed) == 0 &&
            gate_try(gate))
            return;
        pause_once();
    }
    while (atomic_exchange(&gate->lock, 2) != 0) futex_wait(&gate->lock, 2);
}

void par_gate_leave(struct par_gate *gate)
{
    if (atomic_exchange(&gate->lock, 0) == 2) futex_wake_all(&gate->lock);
}

void par_gate_wait(struct par_gate *gate)
{
    uint32_t seen = atomic_load(&gate->news);
    par_gate_leave(gate);
    for (int i = 0; i < SPIN_PAUSES && atomic_load(&gate->news) == seen; i++)
        pause_once();
    if (atomic_load(&gate->news) == seen) {
        atomic_fetch_add(&gate->sleepers, 1);
        while (atomic_load(&gate->news) == seen) futex_wait(&gate->news, seen);
        atomic_fetch_sub(&gate->sleepers, 1);
    }
    par_gate_enter(gate);
}

void par_gate_tell(struct par_gate *gate)
{
    atomic_fetch_add(&gate->news, 1);
    if (atomic_load(&gate->sleepers)) futex_wake_all(&gate->news);
}

/* ---- sums ---- */

void par_tree_fold(double *part, int64_t width)
{
    for (int64_t step = 1; step < PAR_SHARDS; step *= 2) {
        for (int64_t s = 0; s < PAR_SHARDS; s += 2 * step) {
            double *to = part + s * width;
            const double *from = part + (s + step) * width;
            for (int64_t j = 0; j < width; j++) to[j] += from[j];
        }
    }
}
