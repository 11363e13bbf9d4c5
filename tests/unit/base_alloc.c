/* base_alloc.c - counting, injected failures, maps and their pool */
#include "base/alloc.h"
#include "base/asan.h"
#include "support/unit.h"

TEST(alloc_gives_unique_blocks_for_size_zero)
{
    int64_t before = alloc_live();
    char *a = mem_alloc(0), *b = mem_alloc(0);
    CHECK(a && b && a != b);
    CHECK_INT(alloc_live(), before + 2);
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
    CHECK_INT(alloc_live(), before);
}

TEST(alloc_refuses_products_that_overflow)
{
    CHECK(mem_array(SIZE_MAX / 2, 3) == NULL);
    CHECK(mem_alloc(SIZE_MAX) == NULL);
    CHECK(mem_map(SIZE_MAX) == NULL);
    CHECK(mem_map(SIZE_MAX - (1 << 20)) == NULL);
}

TEST(alloc_copies_strings)
{
    char *a = mem_strdup("tide"), *b = mem_strndup("tidemill", 4),
         *c = mem_strndup("ti", 9);
    CHECK_STR(a, "tide");
    CHECK_STR(b, "tide");
    CHECK_STR(c, "ti");
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

TEST(alloc_fault_fails_the_kth_call_once)
{
    alloc_fault_set(3, 0);
    void *p[5];
    for (int i = 0; i < 5; i++) p[i] = mem_zalloc(8);
    CHECK(p[0] && p[1] && !p[2] && p[3] && p[4]);
    CHECK_INT(alloc_fault_count(), 5);
    CHECK(alloc_fault_hit());
    alloc_fault_set(0, 0);
    for (int i = 0; i < 5; i++) mem_free(p[i]);
}

TEST(alloc_fault_can_last)
{
    alloc_fault_set(2, 1);
    void *p = mem_alloc(1), *q = mem_map(1), *r = mem_realloc(p, 100);
    CHECK(p && !q && !r);
    alloc_fault_set(0, 0);
    CHECK(!alloc_fault_hit());
    mem_free(p);
}

TEST(alloc_realloc_keeps_the_block_when_it_fails)
{
    char *p = mem_strdup("kept");
    alloc_fault_set(1, 0);
    CHECK(mem_realloc(p, 1 << 20) == NULL);
    alloc_fault_set(0, 0);
    CHECK_STR(p, "kept");
    p = mem_realloc(p, 1 << 20);
    CHECK_STR(p, "kept");
    mem_free(p);
}

TEST(alloc_maps_are_aligned_and_zeroed_even_when_reused)
{
    int64_t before = alloc_live();
    for (int round = 0; round < 3; round++) {
        size_t n = (size_t)3 << 20;
        unsigned char *p = mem_map(n);
        CHECK(p && ((uintptr_t)p & (((uintptr_t)2 << 20) - 1)) == 0);
        int dirty = 0;
        for (size_t i = 0; i < n; i += 4096) dirty |= p[i] | p[i + 4095];
        CHECK_INT(dirty, 0);
        memset(p, 0xff, n);
        mem_unmap(p, n);
    }
    mem_unmap(NULL, 5);
    CHECK_INT(alloc_live(), before);
}

TEST(alloc_pool_gives_chunks_of_the_right_size)
{
    char *p[12];
    size_t n[12];
    for (int i = 0; i < 12; i++) {
        n[i] = (size_t)(i % 4 + 1) << 21;
        p[i] = mem_map(n[i]);
    }
    for (int i = 0; i < 12; i++) mem_unmap(p[i], n[i]);
    for (int i = 0; i < 12; i++) {
        p[i] = mem_map(n[i]);
        p[i][0] = p[i][n[i] - 1] = 1; /* all of it is there */
    }
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < i; j++) CHECK(p[i] + n[i] <= p[j] || p[j] + n[j] <= p[i]);
    for (int i = 0; i < 12; i++) mem_unmap(p[i], n[i]);
}

TEST(alloc_keeps_a_large_map_for_the_next_that_fits)
{
#ifdef BASE_ASAN
    size_t large = (size_t)16 << 20, less = (size_t)14 << 20, few = (size_t)4 << 20;
#else
    size_t large = (size_t)40 << 20, less = (size_t)36 << 20, few = (size_t)12 << 20;
#endif
    char *p = mem_map(large);
    CHECK(p != NULL);
    if (!p) return;
    memset(p, 0xff, large);
    mem_unmap(p, large);
    char *q = mem_map(less);
    CHECK(q == p); /* its end went back */
    size_t dirty = 0;
    for (size_t i = 0; q && i < less; i++) dirty += q[i] != 0;
    CHECK_INT(dirty, 0);
    mem_unmap(q, less);
    char *r = mem_map(few); /* three times too large to be given for this */
    CHECK(r != NULL);
    mem_unmap(r, few);
}

TEST(alloc_keeps_no_large_map_under_a_limit)
{
    size_t n = (size_t)64 << 20;
    mem_frugal();
    for (int i = 0; i < 3; i++) {
        char *p = mem_chunk(n);
        CHECK(p != NULL);
        if (!p) return;
        CHECK_INT(p[n / 2], 0); /* fresh: the pages of the last were given back */
        p[n / 2] = 1;
        mem_chunk_free(p, n);
    }
}
