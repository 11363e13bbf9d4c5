/* alloc.c - malloc and mmap, counted, with injected failures
 *
 * The state is process-wide and atomic. Until a test calls alloc_fault_set nothing is
 * counted but what is alive. Maps given back are kept, for fresh pages cost more than most of
 * what is done with them (the kernel clears each); but what is kept and what is in use together never
 * exceed what was in use at once before, so the peak of a process is what it would be anyway,
 * and the kernel may take kept pages back (MADV_FREE). Slots need no lock (one held by another thread
 * at fork would stay held in the child): a map is 2 MiB aligned, so its size in units of
 * 2 MiB fits the low bits of the slot's word. */
#define _DEFAULT_SOURCE
#define _GNU_SOURCE
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/asan.h"
#include "base/size.h"

#define HUGE_BYTES ((size_t)2 << 20)
#define POOL_SLOTS 32
#define POOL_SMALL ((size_t)16 << 20) /* maps up to here are kept under a limit, too */
#ifdef BASE_ASAN
#define ALLOC_MAX ((size_t)1 << 38) /* beyond, ASan's malloc ends the process */
#else
#define ALLOC_MAX ((size_t)PTRDIFF_MAX)
#endif

static atomic_int fault_watched; /* has a test ever asked? */
static atomic_llong fault_at, fault_calls;
static atomic_int fault_for_ever, fault_injected;
static atomic_llong live;
static atomic_uintptr_t pool[POOL_SLOTS];
static atomic_llong map_used, map_kept, map_peak; /* bytes; peak of map_used */
#ifdef BASE_ASAN
static atomic_int frugal = 1; /* to poison a large map costs more than fresh pages */
#else
static atomic_int frugal;
#endif

void alloc_fault_set(int64_t k, int for_ever)
{
    atomic_store_explicit(&fault_at, 0, memory_order_relaxed);
    atomic_store_explicit(&fault_calls, 0, memory_order_relaxed);
    atomic_store_explicit(&fault_injected, 0, memory_order_relaxed);
    atomic_store_explicit(&fault_for_ever, for_ever, memory_order_relaxed);
    atomic_store_explicit(&fault_at, k, memory_order_relaxed);
    atomic_store_explicit(&fault_watched, 1, memory_order_relaxed);
}

int64_t alloc_fault_count(void)
{
    return atomic_load_explicit(&fault_calls, memory_order_relaxed);
}

int alloc_fault_hit(void)
{
    return atomic_load_explicit(&fault_injected, memory_order_relaxed);
}

int64_t alloc_live(void)
{
    return atomic_load_explicit(&live, memory_order_relaxed);
}

int alloc_fault_point(void)
{
    if (!atomic_load_explicit(&fault_watched, memory_order_relaxed)) return 0;
    long long call =
        atomic_fetch_add_explicit(&fault_calls, 1, memory_order_relaxed) + 1;
    long long at = atomic_load_explicit(&fault_at, memory_order_relaxed);
    if (at <= 0 || call < at) return 0;
    if (call > at && !atomic_load_explicit(&fault_for_ever, memory_order_relaxed))
        return 0;
    atomic_store_explicit(&fault_injected, 1, memory_order_relaxed);
    return 1;
}

static void *count_new(void *p)
{
    if (p) atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return p;
}

static void count_gone(void)
{
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

void *mem_alloc(size_t bytes)
{
    if (alloc_fault_point() || bytes > ALLOC_MAX) return NULL;
    return count_new(malloc(bytes ? bytes : 1));
}

void *mem_zalloc(size_t bytes)
{
    if (alloc_fault_point() || bytes > ALLOC_MAX) return NULL;
    return count_new(calloc(1, bytes ? bytes : 1));
}

void *mem_array(size_t n, size_t each)
{
    size_t bytes;
    if (size_mul(n, each, &bytes)) bytes = SIZE_MAX; /* counted, then refused */
    return mem_alloc(bytes);
}

void *mem_realloc(void *p, size_t bytes)
{
    if (!p) return mem_alloc(bytes);
    if (alloc_fault_point() || bytes > ALLOC_MAX) return NULL;
    return realloc(p, bytes ? bytes : 1);
}

void mem_free(void *p)
{
    if (!p) return;
    count_gone();
    free(p);
}

char *mem_strndup(const char *s, size_t n)
{
    const char *end = memchr(s, 0, n);
    if (end) n = (size_t)(end - s);
    char *copy = n < SIZE_MAX ? mem_alloc(n + 1) : NULL;
    if (!copy) return NULL;
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

/* ---- maps ---- */

/* bytes rounded up to whole huge pages, or 0 when that overflows */
static size_t map_bytes(size_t bytes)
{
    size_t sum;
    if (bytes > ALLOC_MAX || size_add(bytes, HUGE_BYTES - 1, &sum)) return 0;
    sum &= ~(HUGE_BYTES - 1);
    return sum ? sum : HUGE_BYTES;
}

/* What a slot holds becomes the caller's, when it still is `word`. */
static void *slot_take(int i, uintptr_t word)
{
    uintptr_t units = word & (HUGE_BYTES - 1);
    if (!atomic_compare_exchange_strong_explicit(
            &pool[i], &word, 0, memory_order_acquire, memory_order_relaxed))
        return NULL;
    atomic_fetch_sub_explicit(&map_kept, (long long)(units * HUGE_BYTES),
                              memory_order_relaxed);
    return (char *)(word - units); /* provenance: an address from mmap */
}

static int slot_free(int i, uintptr_t word)
{
    size_t size = (word & (HUGE_BYTES - 1)) * HUGE_BYTES;
    char *p = slot_take(i, word);
    if (!p) return 0;
    ASAN_UNPOISON(p, size);
    munmap(p, size);
    return 1;
}

/* A kept map of this size, or the least that is up to a quarter larger: its end goes back. */
static void *pool_take(size_t bytes)
{
    uintptr_t units = bytes / HUGE_BYTES, most = units + units / 4;
    for (;;) {
        uintptr_t best = 0, word;
        int at = -1;
        for (int i = 0; i < POOL_SLOTS; i++) {
            word = atomic_load_explicit(&pool[i], memory_order_relaxed);
            uintptr_t n = word & (HUGE_BYTES - 1);
            if (n < units || n > most || (best && n >= best)) continue;
            best = n;
            at = i;
            if (n == units) break;
        }
        if (at < 0) return NULL;
        word = atomic_load_explicit(&pool[at], memory_order_relaxed);
        if ((word & (HUGE_BYTES - 1)) != best) continue; /* taken by another */
        char *p = slot_take(at, word);
        if (!p) continue;
        ASAN_UNPOISON(p, best * HUGE_BYTES);
        if (best > units) munmap(p + bytes, (best - units) * HUGE_BYTES);
        return p;
    }
}

static int pool_keep(void *p, size_t bytes)
{
    uintptr_t units = bytes / HUGE_BYTES;
    if (units >= HUGE_BYTES ||
        (bytes > POOL_SMALL && atomic_load_explicit(&frugal, memory_order_relaxed)))
        return 0;
    ASAN_POISON(p, bytes);
#ifdef MADV_FREE
    if (bytes > POOL_SMALL) (void)madvise(p, bytes, MADV_FREE);
#endif
    for (int again = 2; again > 0; again--) {
        uintptr_t least = 0;
        int at = -1;
        for (int i = 0; i < POOL_SLOTS; i++) {
            uintptr_t word = 0;
            if (atomic_compare_exchange_strong_explicit(
                    &pool[i], &word, (uintptr_t)p + units, memory_order_release,
                    memory_order_relaxed)) {
                atomic_fetch_add(&map_kept, (long long)bytes);
                return 1;
            }
            if (at >= 0 && (word & (HUGE_BYTES - 1)) >= (least & (HUGE_BYTES - 1)))
                continue;
            least = word;
            at = i;
        }
        if ((least & (HUGE_BYTES - 1)) >= units || !slot_free(at, least)) return 0;
    }
    return 0;
}

/* Gives kept maps back, the largest first, until `bytes` more in use make no new peak. */
static void pool_yield(long long bytes)
{
    for (int tries = 0; tries < 2 * POOL_SLOTS; tries++) {
        uintptr_t most = 0;
        int at = -1;
        if (atomic_load(&map_used) + bytes + atomic_load(&map_kept) <=
            atomic_load(&map_peak))
            return;
        for (int i = 0; i < POOL_SLOTS; i++) {
            uintptr_t word = atomic_load_explicit(&pool[i], memory_order_relaxed);
            if ((word & (HUGE_BYTES - 1)) <= (most & (HUGE_BYTES - 1))) continue;
            most = word;
            at = i;
        }
        if (at < 0) return;
        slot_free(at, most);
    }
}

static void count_used(long long bytes)
{
    long long used = atomic_fetch_add(&map_used, bytes) + bytes;
    long long peak = atomic_load(&map_peak);
    while (used > peak && !atomic_compare_exchange_weak(&map_peak, &peak, used)) {
    }
}

/* A fresh mapping: one huge page more than asked for, both ends cut off. */
static void *map_fresh(size_t bytes)
{
    size_t all;
    if (size_add(bytes, HUGE_BYTES, &all)) return NULL;
    char *p =
        mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t front = (HUGE_BYTES - ((uintptr_t)p & (HUGE_BYTES - 1))) & (HUGE_BYTES - 1);
    size_t back = HUGE_BYTES - front;
    if (front) munmap(p, front);
    if (back) munmap(p + front + bytes, back);
    p += front;
#ifdef MADV_HUGEPAGE
    (void)madvise(p, bytes,
                  MADV_HUGEPAGE); /* a wish: refused where the kernel has none */
#endif
    return p;
}

static void *map_get(size_t bytes, int cleared)
{
    bytes = map_bytes(bytes);
    if (!bytes) return NULL;
    void *p = pool_take(bytes);
    if (p && cleared) memset(p, 0, bytes);
    if (!p) {
        pool_yield((long long)bytes);
        p = map_fresh(bytes);
    }
    if (p) count_used((long long)bytes);
    return count_new(p);
}

void *mem_map(size_t bytes)
{
    return alloc_fault_point() ? NULL : map_get(bytes, 1);
}

void mem_unmap(void *p, size_t bytes)
{
    if (!p) return;
    bytes = map_bytes(bytes);
    count_gone();
    count_used(-(long long)bytes);
    if (pool_keep(p, bytes)) return;
    ASAN_UNPOISON(p, bytes);
    munmap(p, bytes);
}

void mem_frugal(void)
{
    atomic_store_explicit(&frugal, 1, memory_order_relaxed);
}

void *mem_chunk(size_t bytes)
{
    if (bytes >= MEM_CHUNK_MAPPED) return map_get(bytes, 0);
    return count_new(aligned_alloc(64, (bytes + 63) & ~(size_t)63));
}

void mem_chunk_free(void *p, size_t bytes)
{
    if (bytes >= MEM_CHUNK_MAPPED)
        mem_unmap(p, bytes);
    else
        mem_free(p);
}
