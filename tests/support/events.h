/* events.h - notes and warnings of a context, kept for a test to look at */
#ifndef SUPPORT_EVENTS_H
#define SUPPORT_EVENTS_H
#include <tidemill/ctx.h>

#include "support/unit.h"

struct events {
    int n_notes, n_warnings;
    tide_code codes[64];
    char text[64][256]; /* warnings, then see notes */
    char notes[64][256];
};

static void events_keep(void *payload, enum tide_event_kind kind,
                        const tide_error *event)
{
    struct events *e = payload;
    if (kind == TIDE_EVENT_NOTE && e->n_notes < 64) {
        snprintf(e->notes[e->n_notes++], 256, "%.250s", event->message);
    } else if (kind == TIDE_EVENT_WARNING && e->n_warnings < 64) {
        e->codes[e->n_warnings] = event->code;
        snprintf(e->text[e->n_warnings++], 256, "%.250s", event->message);
    }
}

/* A context of two threads that tells `e`. */
static inline tide_ctx *events_ctx(struct events *e)
{
    tide_ctx *ctx = NULL;
    memset(e, 0, sizeof *e);
    if (tide_ctx_new(&ctx, NULL) || tide_ctx_set_threads(ctx, 2, NULL))
        UNIT_FAIL("no context");
    tide_ctx_set_events(ctx, events_keep, e);
    return ctx;
}

/* Warnings of a code. */
static inline int events_count(const struct events *e, tide_code code)
{
    int n = 0;
    for (int i = 0; i < e->n_warnings; i++) n += e->codes[i] == code;
    return n;
}

static inline int events_noted(const struct events *e, const char *part)
{
    for (int i = 0; i < e->n_notes; i++)
        if (strstr(e->notes[i], part)) return 1;
    return 0;
}
#endif
