/* alloc.h - the only place that calls malloc and maps memory; where failures are injected
 *
 * Every allocation of the library, arena pushes included, counts as one call here. With
 * alloc_fault_set the k-th call (1-based) from then on fails, once or for ever. The counter
 * is compiled in always: it costs one relaxed atomic load when nothing is armed. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H
#include <stddef.h>
#include <stdint.h>

/* NULL when memory is out (or a fault was injected). Size 0 gives a unique pointer. */
void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
void *mem_array(size_t n, size_t each); /* checked product, not cleared */
void *mem_realloc(void *p, size_t bytes);
void mem_free(void *p); /* NULL is a no-op */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);

/* 2 MiB-aligned, zeroed pages with MADV_HUGEPAGE. Maps given back are kept for the next that
 * fits, never more than leaves the peak of the process as it is. */
void *mem_map(size_t bytes);
void mem_unmap(void *p, size_t bytes);
/* From now on large maps go back at once: a limit on memory was set. For good. */
void mem_frugal(void);

/* For arena.c, which counts its pushes itself: no fault call, not cleared, 64-byte aligned;
 * a map from MEM_CHUNK_MAPPED bytes on, else from the heap. */
#define MEM_CHUNK_MAPPED ((size_t)1 << 20)
void *mem_chunk(size_t bytes);
void mem_chunk_free(void *p, size_t bytes); /* NULL is a no-op */

/* Tests. k = 0 disarms. for_ever: every call from the k-th on fails. */
void alloc_fault_set(int64_t k, int for_ever);
int64_t alloc_fault_count(
    void); /* calls since the last alloc_fault_set, also a disarming one */
int alloc_fault_hit(void);   /* has the armed fault been injected? */
int alloc_fault_point(void); /* for arenas: counts one call, non-zero = fail it */
int64_t alloc_live(void);    /* mem_* blocks and maps alive now (leak checks) */
#endif
