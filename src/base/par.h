/* par.h - parallel loops over blocks; the only user of libpthreadpool
 *
 * The algorithm fixes n_blocks and what a block is; which thread runs a block is nobody's
 * business, so results go into per-block slots and are folded in block order afterwards.
 * Nested calls and single blocks run inline. A forked child builds a pool of its own. */
#ifndef BASE_PAR_H
#define BASE_PAR_H
#include <stdint.h>

#include <tidemill/status.h>

struct tide_ctx;
/* worker: 0..par_threads-1, to index scratch memory only - never results. */
typedef void (*par_fn)(void *arg, int64_t block, int worker);

/* Runs fn for blocks 0..n_blocks-1. Polls cancel before each block. Returns TIDE_OK or
 * TIDE_ECANCELLED. MXCSR is round-to-nearest without FTZ/DAZ inside blocks. */
tide_status par_for(struct tide_ctx *ctx, int64_t n_blocks, par_fn fn, void *arg,
                    tide_error *err);
/* As par_for, but reports progress (phase, blocks done, n_blocks) on the calling thread. */
tide_status par_for_progress(struct tide_ctx *ctx, int64_t n_blocks, par_fn fn,
                             void *arg, const char *phase, tide_error *err);
int par_threads(const struct tide_ctx *ctx); /* upper bound of worker + 1 */

/* For ctx.c. The threads a new context uses: the least of affinity mask, cgroup CPU quota and
 * 1024. A pool starts its threads at the first loop that needs them; par_pool_new answers
 * NULL when memory is out; par_pool_free joins the threads (not in a forked child, which
 * never had them). */
int par_threads_automatic(void);
struct par_pool *par_pool_new(void);
void par_pool_free(struct par_pool *pool);
/* Round-to-nearest without FTZ/DAZ and with exceptions masked, for the entry of a public
 * call; par_float_leave puts back what par_float_enter gave. Blocks have it anyway. */
unsigned par_float_enter(void);
void par_float_leave(unsigned saved);
/* First line of a public call that computes: the host's float state is set aside until the
 * call returns, by whichever way. */
#define PAR_FLOAT_SCOPE                                                                \
    unsigned par_float_scope __attribute__((cleanup(par_float_end), unused)) =         \
        par_float_enter()
static inline void par_float_end(const unsigned *saved)
{
    par_float_leave(*saved);
}
/* par_crew: one pool command for many short phases (trees.md 8), which `lead` gives. */
struct par_crew;
/* Runs `lead` on the calling thread; while it runs, other members help inside crew_phase. Loops
 * and crews of the same context that the lead starts between its phases are phases of its crew,
 * an inner crew of at most n_members; what a phase's tasks start runs inline. */
tide_status par_crew(struct tide_ctx *ctx, int n_members,
                     void (*lead)(struct par_crew *, void *), void *arg,
                     tide_error *err);
/* Called by lead only: runs fn(arg, task, member) for tasks 0..n-1 by the whole crew, returns
 * when all are done. n == 1 runs inline. */
void crew_phase(struct par_crew *crew, int64_t n_tasks, par_fn fn, void *arg);
/* Non-zero, and from then on for the whole crew, once the call must stop. crew_phase always
 * runs all tasks: a long phase asks here in fn, the lead between phases. par_crew then
 * returns TIDE_ECANCELLED. */
int crew_cancelled(struct par_crew *crew);

/* A gate at what the members of a phase share: one is inside at a time, and may wait there for the
 * others' news. All zero: open. What is told must come from a member that runs a task already: the
 * crew may run the tasks of a phase one after the other. */
struct par_gate {
    _Atomic uint32_t lock; /* 0 free, 1 taken, 2 taken and somebody sleeps */
    _Atomic uint32_t news;
    _Atomic uint32_t sleepers;
};
void par_gate_enter(struct par_gate *gate);
void par_gate_leave(struct par_gate *gate);
/* Of who is inside. wait: leaves, and comes back after the next par_gate_tell. */
void par_gate_wait(struct par_gate *gate);
void par_gate_tell(struct par_gate *gate);

/* The fixed order of floating-point sums over rows (algorithms.md 11): compute blocks of
 * PAR_BLOCK rows; 64 shards own contiguous block ranges; blocks of a shard add in order,
 * shards meet in a fixed binary tree. */
#define PAR_BLOCK  4096
#define PAR_SHARDS 64
/* Sums `width` doubles per shard: part is [PAR_SHARDS][width]; the result lands in part[0..width-1]. */
void par_tree_fold(double *part, int64_t width);
/* First block of shard s of n_blocks blocks (s may be PAR_SHARDS: the end). */
static inline int64_t par_shard_begin(int64_t n_blocks, int s)
{
    return n_blocks * s / PAR_SHARDS;
}
#endif
