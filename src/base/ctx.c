/* ctx.c - the context: threads, memory limit, events, progress, cancel */
#define _POSIX_C_SOURCE 200809L
#include "base/ctx.h"

#include <stdarg.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"

#define THREADS_MAX      1024
#define MEMORY_MIN       ((int64_t)64 << 20)
#define PROGRESS_STEP_NS 50000000

static tide_status no_ctx(tide_error *err)
{
    return err_set(err, TIDE_CODE_HANDLE_INVALID, "the context is NULL");
}

tide_status tide_ctx_new(tide_ctx **out, tide_error *err)
{
    if (!out) return no_ctx(err);
    *out = NULL;
    struct tide_ctx *ctx = mem_zalloc(sizeof *ctx);
    if (!ctx) return err_nomem(err, sizeof *ctx);
    ctx->pool = par_pool_new();
    if (!ctx->pool) {
        mem_free(ctx);
        return err_nomem(err, 0);
    }
    ctx->n_threads = par_threads_automatic();
    *out = ctx;
    return TIDE_OK;
}

void tide_ctx_free(tide_ctx *ctx)
{
    if (!ctx) return;
    par_pool_free(ctx->pool);
    mem_free(ctx);
}

tide_status tide_ctx_set_threads(tide_ctx *ctx, int threads, tide_error *err)
{
    if (!ctx) return no_ctx(err);
    if (threads < 0 || threads > THREADS_MAX) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'threads' must be in [0, %d], got \"%d\"",
                THREADS_MAX, threads);
        err_field(err, "threads");
        err_hint(err, "threads", "0");
        return TIDE_EINVAL;
    }
    ctx->threads = threads;
    ctx->n_threads = threads ? threads : par_threads_automatic();
    return TIDE_OK;
}

tide_status tide_ctx_set_memory(tide_ctx *ctx, int64_t bytes, tide_error *err)
{
    if (!ctx) return no_ctx(err);
    if (bytes != 0 && bytes < MEMORY_MIN) {
        err_set(err, TIDE_CODE_PARAM_RANGE,
                "'memory' must be 0 or at least 64 MiB, got \"%lld\" bytes",
                (long long)bytes);
        err_field(err, "memory");
        err_hint(err, "memory", "64M");
        return TIDE_EINVAL;
    }
    ctx->memory_limit = bytes;
    if (bytes) mem_frugal();
    return TIDE_OK;
}

/* ---- kernel sets ---- */

static enum tide_isa isa_best(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("popcnt"))
        return TIDE_ISA_BASE;
    /* older AVX-512 parts, without VBMI2, take avx2 */
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512vbmi") ||
        !__builtin_cpu_supports("avx512vbmi2") ||
        !__builtin_cpu_supports("avx512vpopcntdq"))
        return TIDE_ISA_AVX2;
    return TIDE_ISA_AVX512;
#else
    return TIDE_ISA_BASE;
#endif
}

enum tide_isa ctx_isa(const struct tide_ctx *ctx)
{
    if (ctx && ctx->isa != TIDE_ISA_AUTO) return ctx->isa;
    return isa_best();
}

tide_status tide_ctx_set_isa(tide_ctx *ctx, enum tide_isa isa, tide_error *err)
{
    static const char *const names[] = {"auto", "base", "avx2", "avx512"};
    if (!ctx) return no_ctx(err);
    if ((int)isa < TIDE_ISA_AUTO || isa > TIDE_ISA_AVX512) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'isa' must be in [0, 3], got \"%d\"",
                (int)isa);
        return err_field(err, "isa");
    }
    enum tide_isa best = isa_best();
    if (isa > best) {
        err_set(err, TIDE_CODE_PARAM_VALUE,
                "this machine cannot run the kernel set '%s'", names[isa]);
        err_field(err, "isa");
        return err_hint(err, "isa", "%s", names[best]);
    }
    ctx->isa = isa;
    return TIDE_OK;
}

/* ---- events, progress, cancel ---- */

void tide_ctx_set_events(tide_ctx *ctx, tide_event_fn fn, void *payload)
{
    if (!ctx) return;
    ctx->event = fn;
    ctx->event_payload = payload;
}

void tide_ctx_set_progress(tide_ctx *ctx, tide_progress_fn fn, void *payload)
{
    if (!ctx) return;
    ctx->progress = fn;
    ctx->progress_payload = payload;
}

void tide_ctx_cancel(tide_ctx *ctx)
{
    if (ctx) atomic_store(&ctx->cancel, 1);
}

void tide_ctx_uncancel(tide_ctx *ctx)
{
    if (ctx) atomic_store(&ctx->cancel, 0);
}

void ctx_warn(struct tide_ctx *ctx, const tide_error *w)
{
    if (ctx && ctx->event) ctx->event(ctx->event_payload, TIDE_EVENT_WARNING, w);
}

void ctx_note(struct tide_ctx *ctx, const char *fmt, ...)
{
    if (!ctx || !ctx->event) return;
    tide_error note = {.size = sizeof note, .offset = -1};
    va_list ap;
    va_start(ap, fmt);
    str_formatv(note.message, sizeof note.message, fmt, ap);
    va_end(ap);
    ctx->event(ctx->event_payload, TIDE_EVENT_NOTE, &note);
}

int ctx_cancelled(const struct tide_ctx *ctx)
{
    return ctx && atomic_load_explicit(&ctx->cancel, memory_order_relaxed);
}

tide_status ctx_progress(struct tide_ctx *ctx, const char *phase, double done,
                         double total, const char *text, tide_error *err)
{
    if (ctx_cancelled(ctx)) return err_cancelled(err);
    if (!ctx || !ctx->progress) return TIDE_OK;
    int64_t now = clock_ns();
    if (ctx->progress_last_ns && now - ctx->progress_last_ns < PROGRESS_STEP_NS)
        return TIDE_OK;
    ctx->progress_last_ns = now;
    char full[192];
    str_format(full, sizeof full, "%s%s", ctx->progress_prefix, phase);
    if (!ctx->progress(ctx->progress_payload, full, done, total, text ? text : ""))
        return TIDE_OK;
    tide_ctx_cancel(ctx); /* the whole call must see it */
    return err_cancelled(err);
}

void ctx_phase_prefix(struct tide_ctx *ctx, const char *fmt, ...)
{
    if (!ctx) return;
    va_list ap;
    va_start(ap, fmt);
    str_formatv(ctx->progress_prefix, sizeof ctx->progress_prefix, fmt, ap);
    va_end(ap);
}

/* ---- memory ---- */

static void memory_add(struct tide_ctx *ctx, int64_t bytes)
{
    long long now =
        atomic_fetch_add_explicit(&ctx->memory_used, bytes, memory_order_relaxed) +
        bytes;
    long long peak = atomic_load_explicit(&ctx->memory_peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak_explicit(
                             &ctx->memory_peak, &peak, now, memory_order_relaxed,
                             memory_order_relaxed)) {
    }
}

tide_status ctx_memory_take(struct tide_ctx *ctx, int64_t bytes, tide_error *err)
{
    if (!ctx || bytes <= 0) return TIDE_OK;
    if (ctx->memory_limit) {
        long long used = atomic_load_explicit(&ctx->memory_used, memory_order_relaxed);
        do {
            if (bytes > ctx->memory_limit - used)
                return ctx_memory_refused(ctx, bytes, err);
        } while (!atomic_compare_exchange_weak_explicit(
            &ctx->memory_used, &used, used + bytes, memory_order_relaxed,
            memory_order_relaxed));
        memory_add(ctx, 0);
    } else {
        memory_add(ctx, bytes);
    }
    return TIDE_OK;
}

void ctx_memory_give(struct tide_ctx *ctx, int64_t bytes)
{
    if (ctx && bytes > 0)
        atomic_fetch_sub_explicit(&ctx->memory_used, bytes, memory_order_relaxed);
}

void ctx_memory_move(struct tide_ctx *from, struct tide_ctx *to, int64_t bytes)
{
    if (from == to || bytes <= 0) return;
    ctx_memory_give(from, bytes);
    if (to) memory_add(to, bytes);
}

static long long mib_up(int64_t bytes)
{
    return (long long)(bytes / (1 << 20) + (bytes % (1 << 20) != 0));
}

tide_status ctx_memory_refused(const struct tide_ctx *ctx, int64_t bytes,
                               tide_error *err)
{
    int64_t limit = ctx ? ctx->memory_limit : 0;
    int64_t used =
        ctx ? atomic_load_explicit(&ctx->memory_used, memory_order_relaxed) : 0;
    err_set(err, TIDE_CODE_MEMORY_BUDGET,
            "%lld MiB more are needed, and %lld of the limit's %lld MiB are taken",
            mib_up(bytes), mib_up(used), mib_up(limit));
    /* What comes after this need is not known: a quarter more than either. */
    long long wanted = mib_up(used) + mib_up(bytes);
    if (wanted < mib_up(limit)) wanted = mib_up(limit);
    err_hint(err, "memory", "%lldM", wanted + (wanted + 3) / 4);
    return TIDE_ELIMIT;
}

int64_t tide_ctx_peak_memory(const tide_ctx *ctx)
{
    return ctx ? atomic_load_explicit(&ctx->memory_peak, memory_order_relaxed) : 0;
}
