/* arena.c - chunks in a list, newest first; pushes bump a pointer in the newest
 *
 * Growth doubles up to 32 MiB, so a small job stays small and a large one makes few maps;
 * when the doubled chunk does not fit the memory limit, smaller ones are tried down to
 * what the push needs. What is left of the old chunk is lost, which keeps marks a pair of numbers. */
#include "base/arena.h"

#include <string.h>

#include "base/alloc.h"
#include "base/asan.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/size.h"

#define ALIGN       ((size_t)64)
#define FIRST_CHUNK ((size_t)4 << 10)
#define LAST_CHUNK  ((size_t)32 << 20)
#define MAP_UNIT    ((size_t)2 << 20)
#ifdef BASE_ASAN
#define REDZONE ALIGN /* poisoned bytes behind each block */
#else
#define REDZONE ((size_t)0)
#endif

struct arena_chunk {
    struct arena_chunk *prev;
    size_t size; /* whole chunk, this header included */
};
_Static_assert(sizeof(struct arena_chunk) <= ALIGN, "the header fits in front");

static char *chunk_bytes(struct arena_chunk *c)
{
    return (char *)c + ALIGN;
}

static void chunk_poison(struct arena_chunk *c, size_t from)
{
    ASAN_POISON(chunk_bytes(c) + from, c->size - ALIGN - from);
}

static void chunk_free(struct arena *a, struct arena_chunk *c)
{
    size_t size = c->size;
    ASAN_UNPOISON(c, size);
    a->total -= size;
    ctx_memory_give(a->ctx, (int64_t)size);
    mem_chunk_free(c, size);
}

void arena_init(struct arena *a, struct tide_ctx *ctx)
{
    *a = (struct arena){.ctx = ctx};
}

void arena_free(struct arena *a)
{
    if (!a) return;
    for (struct arena_chunk *c = a->chunk, *prev; c; c = prev) {
        prev = c->prev;
        chunk_free(a, c);
    }
    arena_init(a, a->ctx);
}

static void *push_fails(struct arena *a, tide_status why, size_t bytes)
{
    if (!a->failed) {
        a->failed = (int)why;
        a->failed_size = bytes;
    }
    return NULL;
}

/* One new chunk of `size` bytes in front of the list. */
static tide_status chunk_new(struct arena *a, size_t size)
{
    tide_status st = ctx_memory_take(a->ctx, (int64_t)size, NULL);
    if (st != TIDE_OK) return st;
    struct arena_chunk *c = mem_chunk(size);
    if (!c) {
        ctx_memory_give(a->ctx, (int64_t)size);
        return TIDE_ENOMEM;
    }
    c->prev = a->chunk;
    c->size = size;
    chunk_poison(c, 0);
    a->chunk = c;
    a->used = 0;
    a->cap = size - ALIGN;
    a->total += size;
    return TIDE_OK;
}

/* A chunk that takes `need` bytes: the doubled size, or else what can be had. */
static tide_status arena_grow(struct arena *a, size_t need)
{
    size_t least;
    if (size_add(need, ALIGN + MAP_UNIT, &least) || least > PTRDIFF_MAX)
        return TIDE_ENOMEM;
    least -= MAP_UNIT;
    if (least >= MEM_CHUNK_MAPPED) least = (least + MAP_UNIT - 1) & ~(MAP_UNIT - 1);
    size_t next = a->chunk ? a->chunk->size * 2 : FIRST_CHUNK;
    if (next >= MEM_CHUNK_MAPPED && next < MAP_UNIT) next = MAP_UNIT;
    if (next > LAST_CHUNK) next = LAST_CHUNK;
    for (; next > least; next /= 2) {
        if (next >= MEM_CHUNK_MAPPED && next < MAP_UNIT)
            continue; /* maps are whole units */
        if (chunk_new(a, next) == TIDE_OK) return TIDE_OK;
    }
    return chunk_new(a, least);
}

void *arena_push(struct arena *a, size_t bytes)
{
    if (a->failed) return NULL;
    if (alloc_fault_point() || bytes > PTRDIFF_MAX - ALIGN)
        return push_fails(a, TIDE_ENOMEM, bytes);
    size_t need = (bytes + ALIGN - 1) & ~(ALIGN - 1);
    need = (need ? need : ALIGN) + REDZONE;
    if (need > a->cap - a->used) {
        tide_status st = arena_grow(a, need);
        if (st != TIDE_OK) return push_fails(a, st, bytes);
    }
    char *p = chunk_bytes(a->chunk) + a->used;
    a->used += need;
    ASAN_UNPOISON(p, bytes);
    return p;
}

void *arena_zero(struct arena *a, size_t bytes)
{
    void *p = arena_push(a, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *arena_array(struct arena *a, int64_t n, size_t each)
{
    size_t bytes;
    if (n < 0 || size_mul((size_t)n, each, &bytes))
        return push_fails(a, TIDE_ENOMEM, 0);
    return arena_push(a, bytes);
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
    const char *end = memchr(s, 0, n);
    if (end) n = (size_t)(end - s);
    if (n == SIZE_MAX) return push_fails(a, TIDE_ENOMEM, n);
    char *p = arena_push(a, n + 1);
    if (!p) return NULL;
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

char *arena_str(struct arena *a, const char *s)
{
    return arena_strn(a, s, strlen(s));
}

void *arena_room(struct arena *a, struct arena_buffer *b, size_t n)
{
    if (b->p && n <= b->cap) return b->p;
    size_t cap = b->cap + b->cap / 2;
    if (cap < n) cap = n;
    b->p = arena_push(a, cap);
    b->cap = b->p ? cap : 0;
    return b->p;
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->chunk, a->used};
}

void arena_reset(struct arena *a, struct arena_mark m)
{
    while (a->chunk && a->chunk != m.chunk) {
        struct arena_chunk *prev = a->chunk->prev;
        chunk_free(a, a->chunk);
        a->chunk = prev;
    }
    a->used = a->chunk ? m.used : 0;
    a->cap = a->chunk ? a->chunk->size - ALIGN : 0;
    if (a->chunk) chunk_poison(a->chunk, a->used);
}

tide_status arena_status(const struct arena *a, tide_error *err)
{
    if (!a->failed) return TIDE_OK;
    if (a->failed == TIDE_ELIMIT)
        return ctx_memory_refused(a->ctx, (int64_t)a->failed_size, err);
    return err_nomem(err, a->failed_size);
}

void arena_absorb(struct arena *to, struct arena *from)
{
    if (from->failed) push_fails(to, (tide_status)from->failed, from->failed_size);
    if (from->chunk) {
        ctx_memory_move(from->ctx, to->ctx, (int64_t)from->total);
        to->total += from->total;
        if (to->chunk) { /* below the newest chunk, which goes on taking pushes */
            struct arena_chunk *oldest = from->chunk;
            while (oldest->prev) oldest = oldest->prev;
            oldest->prev = to->chunk->prev;
            to->chunk->prev = from->chunk;
        } else {
            to->chunk = from->chunk;
            to->used = from->used;
            to->cap = from->cap;
        }
    }
    arena_init(from, from->ctx);
}
