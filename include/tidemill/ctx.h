/* ctx.h - what may change speed and talk, never a result: threads, memory, log, cancel */
#ifndef TIDEMILL_CTX_H
#define TIDEMILL_CTX_H

#include <tidemill/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_ctx tide_ctx;

enum tide_isa { TIDE_ISA_AUTO, TIDE_ISA_BASE, TIDE_ISA_AVX2, TIDE_ISA_AVX512 };
enum tide_event_kind { TIDE_EVENT_NOTE, TIDE_EVENT_WARNING };

/* A note (only `message` is set) or a warning (every field an error has). */
typedef void (*tide_event_fn)(void *payload, enum tide_event_kind kind,
                              const tide_error *event);

/* Progress of long work: phase ("reading", "fitting fold 2 of 5"), done of total units
 * (total 0: unknown), an optional short text such as "auc 0.912". Called from the thread
 * that called the library, at most every 50 ms. Return non-zero to cancel. This and other
 * callbacks of a running fit: calls with another context run on one thread, and a child
 * process that is forked in one must not return from it. */
typedef int (*tide_progress_fn)(void *payload, const char *phase, double done,
                                double total, const char *text);

/* A context with defaults: threads by affinity and cgroup quota, no memory limit, silent.
 * Ownership: the caller frees it. Errors: TIDE_ENOMEM. Threads: one call at a time a
 * context, but for tide_ctx_cancel. */
TIDE_API TIDE_MUST_USE tide_status tide_ctx_new(tide_ctx **out, tide_error *err);
/* Frees a context and joins its threads; NULL is a no-op. */
TIDE_API void tide_ctx_free(tide_ctx *ctx);
/* 0 = automatic; at most 1024. Errors: TIDE_EINVAL. */
TIDE_API TIDE_MUST_USE tide_status tide_ctx_set_threads(tide_ctx *ctx, int threads,
                                                        tide_error *err);
/* Bytes the library may hold for this context, 0 = no limit, else at least 64 MiB. */
TIDE_API TIDE_MUST_USE tide_status tide_ctx_set_memory(tide_ctx *ctx, int64_t bytes,
                                                       tide_error *err);
/* Forces a kernel set. Errors: TIDE_EINVAL when this machine lacks it. */
TIDE_API TIDE_MUST_USE tide_status tide_ctx_set_isa(tide_ctx *ctx, enum tide_isa isa,
                                                    tide_error *err);
TIDE_API void tide_ctx_set_events(tide_ctx *ctx, tide_event_fn fn, void *payload);
TIDE_API void tide_ctx_set_progress(tide_ctx *ctx, tide_progress_fn fn, void *payload);
/* Asks the running call to stop with TIDE_ECANCELLED. Safe from any thread and from a
 * signal handler. Stays set until tide_ctx_uncancel. */
TIDE_API void tide_ctx_cancel(tide_ctx *ctx);
TIDE_API void tide_ctx_uncancel(tide_ctx *ctx);
/* Peak bytes held for this context since it was made. */
TIDE_API int64_t tide_ctx_peak_memory(const tide_ctx *ctx);

#ifdef __cplusplus
}
#endif
#endif
