/* arena.h - bump allocation with a sticky failure, freed as a whole
 *
 * Invariant: after the first failed push every further push returns NULL and arena_status
 * says why; so a group of pushes is tested once. Blocks are 64-byte aligned. A push is one
 * call for fault injection. Small arenas start with a 4 KiB heap chunk and grow by doubling; chunks of
 * 1 MiB and more come from mem_map. Bytes are counted against the ctx's memory limit by chunk. Under
 * AddressSanitizer what was not handed out is poisoned. One thread uses an arena at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include <stddef.h>
#include <stdint.h>

#include <tidemill/status.h>

struct tide_ctx;
struct arena_chunk;
struct arena {
    struct tide_ctx *ctx; /* may be NULL: no limit */
    struct arena_chunk *chunk;
    size_t used, cap; /* of the current chunk */
    size_t total;     /* bytes of all chunks */
    int failed;       /* 0, or the tide_status of the first failure */
    size_t failed_size;
};
struct arena_mark {
    struct arena_chunk *chunk;
    size_t used;
};

/* Memory that is used again and again; zeroed = none yet. */
struct arena_buffer {
    uint8_t *p;
    size_t cap;
};

void arena_init(struct arena *a, struct tide_ctx *ctx);
/* Releases everything; the arena is as after arena_init. A zeroed arena is fine too. */
void arena_free(struct arena *a);
void *arena_push(struct arena *a, size_t bytes); /* not cleared */
void *arena_zero(struct arena *a, size_t bytes); /* cleared */
/* Checked product, not cleared. */
void *arena_array(struct arena *a, int64_t n, size_t each);
char *arena_str(struct arena *a, const char *s);
char *arena_strn(struct arena *a, const char *s, size_t n);
/* The buffer with at least n bytes, whose contents are lost when it grows; NULL when the arena
 * failed. */
void *arena_room(struct arena *a, struct arena_buffer *b, size_t n);
/* For temporary work: take a mark, push, and go back to it. */
struct arena_mark arena_mark(const struct arena *a);
void arena_reset(struct arena *a, struct arena_mark m);
/* TIDE_OK, or the sticky failure as TIDE_ENOMEM or memory-budget. */
tide_status arena_status(const struct arena *a, tide_error *err);
/* Moves all chunks of `from` into `to` (ownership of memory that outlives a call). */
void arena_absorb(struct arena *to, struct arena *from);
#endif
