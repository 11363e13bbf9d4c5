/* ctx.h - the inside of tide_ctx, for the library's rooms */
#ifndef BASE_CTX_H
#define BASE_CTX_H
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <tidemill/ctx.h>

struct par_pool; /* base/par.c */

struct tide_ctx {
    int threads;          /* as asked for; 0 = automatic */
    int n_threads;        /* what par_for uses */
    enum tide_isa isa;    /* as asked for */
    int64_t memory_limit; /* 0 = none */
    atomic_llong memory_used, memory_peak;
    atomic_int cancel; /* set from anywhere */
    tide_event_fn event;
    void *event_payload;
    tide_progress_fn progress;
    void *progress_payload;
    int64_t progress_last_ns; /* throttle */
    char progress_prefix[64]; /* e.g. "fold 2 of 5: "; set with ctx_phase_prefix */
    struct par_pool *pool;
    int lanes_apart; /* tests: no two columns share a byte (learners/tree/bundle.h) */
    int in_parallel; /* nesting: an inner par_for runs inline */
};

/* Warning with place and hint already in *w (code set); message limited as any. */
void ctx_warn(struct tide_ctx *ctx, const tide_error *w);
/* A one-line note for the user. Formats as err.h does. */
void ctx_note(struct tide_ctx *ctx, const char *fmt, ...);
/* Non-zero when the call must stop. Cheap: poll it per block. */
int ctx_cancelled(const struct tide_ctx *ctx);
/* Throttled progress; returns TIDE_ECANCELLED (err filled) when asked to stop, else OK.
 * Call on the calling thread only. */
tide_status ctx_progress(struct tide_ctx *ctx, const char *phase, double done,
                         double total, const char *text, tide_error *err);
void ctx_phase_prefix(struct tide_ctx *ctx, const char *fmt, ...);
/* Counts bytes against the limit. Returns TIDE_OK, or TIDE_ELIMIT memory-budget with the
 * size wanted, the limit and the option (--memory). ctx may be NULL (no limit). */
tide_status ctx_memory_take(struct tide_ctx *ctx, int64_t bytes, tide_error *err);
void ctx_memory_give(struct tide_ctx *ctx, int64_t bytes);
/* Moves a charge between contexts (NULL: none) without asking the limit. */
void ctx_memory_move(struct tide_ctx *from, struct tide_ctx *to, int64_t bytes);
/* The memory-budget error for `bytes` more, as ctx_memory_take gives it. */
tide_status ctx_memory_refused(const struct tide_ctx *ctx, int64_t bytes,
                               tide_error *err);
/* The kernel set in force (resolves AUTO by CPUID). */
enum tide_isa ctx_isa(const struct tide_ctx *ctx);
#endif
