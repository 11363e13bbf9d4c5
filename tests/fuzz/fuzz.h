/* fuzz.h - what every fuzz target shares: entry points, and a check that ends the program */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* A finding: an oracle that does not hold. */
#define FUZZ_CHECK(cond, ...)                                                          \
    do {                                                                               \
        if (cond) break;                                                               \
        fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #cond);             \
        fprintf(stderr, __VA_ARGS__);                                                  \
        fputc('\n', stderr);                                                           \
        abort();                                                                       \
    } while (0)

/* Bytes as numbers, 0 behind the end. */
struct fuzz_bytes {
    const uint8_t *p;
    size_t n;
};
static inline uint8_t fuzz_u8(struct fuzz_bytes *b)
{
    if (!b->n) return 0;
    b->n--;
    return *b->p++;
}
#endif
