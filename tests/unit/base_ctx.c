/* base_ctx.c - settings, events, progress, cancel, memory */
#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "support/unit.h"

TEST(ctx_new_fails_cleanly_without_memory)
{
    int64_t before = alloc_live();
    for (int k = 1; k < 10; k++) {
        tide_ctx *ctx = (tide_ctx *)&before;
        tide_error err;
        alloc_fault_set(k, 0);
        tide_status st = tide_ctx_new(&ctx, &err);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        CHECK_INT(st, hit ? TIDE_ENOMEM : TIDE_OK);
        CHECK((ctx == NULL) == hit);
        tide_ctx_free(ctx);
        CHECK_INT(alloc_live(), before);
        if (!hit) break;
    }
    tide_ctx_free(NULL);
}

TEST(ctx_settings_are_checked)
{
    tide_ctx *ctx = NULL;
    tide_error err;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK(ctx->n_threads >= 1);
    CHECK_INT(par_threads(ctx), ctx->n_threads);
    CHECK_INT(tide_ctx_set_threads(ctx, 1025, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_RANGE);
    CHECK_STR(err.field, "threads");
    CHECK_INT(tide_ctx_set_threads(ctx, -1, NULL), TIDE_EINVAL);
    CHECK_INT(tide_ctx_set_threads(ctx, 7, NULL), TIDE_OK);
    CHECK_INT(par_threads(ctx), 7);
    CHECK_INT(tide_ctx_set_threads(ctx, 0, NULL), TIDE_OK);
    CHECK_INT(par_threads(ctx), par_threads_automatic());
    CHECK_INT(tide_ctx_set_memory(ctx, 1000, &err), TIDE_EINVAL);
    CHECK_INT(tide_ctx_set_memory(ctx, -5, &err), TIDE_EINVAL);
    CHECK_INT(tide_ctx_set_memory(ctx, 0, &err), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(NULL, 1, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_HANDLE_INVALID);
    tide_ctx_free(ctx);
}

TEST(ctx_isa_is_what_the_machine_has)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    enum tide_isa best = ctx_isa(ctx);
    CHECK(best >= TIDE_ISA_BASE && best <= TIDE_ISA_AVX512);
    CHECK_INT(ctx_isa(NULL), best);
    CHECK_INT(tide_ctx_set_isa(ctx, TIDE_ISA_BASE, NULL), TIDE_OK);
    CHECK_INT(ctx_isa(ctx), TIDE_ISA_BASE);
    for (int isa = TIDE_ISA_AVX2; isa <= TIDE_ISA_AVX512; isa++)
        CHECK_INT(tide_ctx_set_isa(ctx, (enum tide_isa)isa, NULL),
                  isa <= (int)best ? TIDE_OK : TIDE_EINVAL);
    CHECK_INT(tide_ctx_set_isa(ctx, (enum tide_isa)9, NULL), TIDE_EINVAL);
    tide_ctx_free(ctx);
}

struct heard {
    int notes, warnings, calls, answer;
    char text[800];
};

static void hear(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    struct heard *h = payload;
    h->notes += kind == TIDE_EVENT_NOTE;
    h->warnings += kind == TIDE_EVENT_WARNING;
    snprintf(h->text, sizeof h->text, "%s", event->message);
}

static int hear_progress(void *payload, const char *phase, double done, double total,
                         const char *text)
{
    struct heard *h = payload;
    h->calls++;
    snprintf(h->text, sizeof h->text, "%s %d/%d %s", phase, (int)done, (int)total,
             text);
    return h->answer;
}

TEST(ctx_notes_and_warnings_reach_the_caller)
{
    tide_ctx *ctx = NULL;
    struct heard h = {0};
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    ctx_note(ctx, "nobody listens");
    tide_ctx_set_events(ctx, hear, &h);
    ctx_note(ctx, "%d rows, '%s'", 12, "x");
    CHECK_INT(h.notes, 1);
    CHECK_STR(h.text, "12 rows, 'x'");
    tide_error w;
    err_set(&w, TIDE_CODE_DATA_CONSTANT, "'x' is constant");
    ctx_warn(ctx, &w);
    CHECK_INT(h.warnings, 1);
    CHECK_STR(h.text, "'x' is constant");
    ctx_warn(NULL, &w);
    ctx_note(NULL, "x");
    tide_ctx_free(ctx);
}

TEST(ctx_progress_is_throttled_and_can_cancel)
{
    tide_ctx *ctx = NULL;
    struct heard h = {0};
    tide_error err;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_ctx_set_progress(ctx, hear_progress, &h);
    ctx_phase_prefix(ctx, "fold %d of %d: ", 2, 5);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(ctx_progress(ctx, "fitting", i, 1000, "auc 0.9", &err), TIDE_OK);
    CHECK(h.calls >= 1 && h.calls < 50);
    CHECK(strncmp(h.text, "fold 2 of 5: fitting ", 21) == 0);
    h.answer = 1;
    ctx->progress_last_ns = 0;
    CHECK_INT(ctx_progress(ctx, "fitting", 1, 2, NULL, &err), TIDE_ECANCELLED);
    CHECK_INT(err.code, TIDE_CODE_CANCELLED);
    CHECK(ctx_cancelled(ctx));
    tide_ctx_uncancel(ctx);
    CHECK(!ctx_cancelled(ctx));
    tide_ctx_cancel(ctx);
    CHECK_INT(ctx_progress(ctx, "fitting", 1, 2, NULL, NULL), TIDE_ECANCELLED);
    CHECK(!ctx_cancelled(NULL));
    CHECK_INT(ctx_progress(NULL, "x", 1, 2, NULL, NULL), TIDE_OK);
    tide_ctx_free(ctx);
}

TEST(ctx_memory_names_what_is_wanted)
{
    tide_ctx *ctx = NULL;
    tide_error err;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_memory(ctx, (int64_t)100 << 20, NULL), TIDE_OK);
    CHECK_INT(ctx_memory_take(ctx, (int64_t)60 << 20, &err), TIDE_OK);
    CHECK_INT(ctx_memory_take(ctx, (int64_t)60 << 20, &err), TIDE_ELIMIT);
    CHECK_STR(err.message,
              "60 MiB more are needed, and 60 of the limit's 100 MiB are taken");
    CHECK_STR(err.option, "memory");
    CHECK_STR(err.value, "150M");
    CHECK_INT(ctx_memory_take(ctx, INT64_MAX, NULL), TIDE_ELIMIT);
    ctx_memory_give(ctx, (int64_t)60 << 20);
    CHECK_INT(ctx_memory_take(ctx, (int64_t)100 << 20, &err), TIDE_OK);
    CHECK_INT(tide_ctx_peak_memory(ctx), (int64_t)100 << 20);
    CHECK_INT(ctx_memory_take(NULL, INT64_MAX, NULL), TIDE_OK);
    tide_ctx_free(ctx);
}
