/* base_arena.c - pushes, marks, sticky failure, the memory limit */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/asan.h"
#include "base/ctx.h"
#include "support/unit.h"

TEST(arena_blocks_are_aligned_and_apart)
{
    struct arena a = {0};
    unsigned char *p[400];
    size_t n[400];
    for (int i = 0; i < 400; i++) {
        n[i] = (size_t)((i * 37) % 3000);
        p[i] = arena_push(&a, n[i]);
        CHECK(p[i] && (uintptr_t)p[i] % 64 == 0);
        if (p[i]) memset(p[i], i & 255, n[i]);
    }
    for (int i = 0; i < 400; i++)
        for (size_t k = 0; k < n[i]; k++)
            if (p[i][k] != (i & 255)) UNIT_FAIL("block %d was written over", i);
    CHECK_INT(arena_status(&a, NULL), TIDE_OK);
    arena_free(&a);
    arena_free(&a);
    CHECK(a.chunk == NULL && a.total == 0);
}

TEST(arena_zero_clears_memory_used_before)
{
    struct arena a = {0};
    struct arena_mark m = arena_mark(&a);
    memset(arena_push(&a, 100), 0xff, 100);
    arena_reset(&a, m);
    const unsigned char *p = arena_zero(&a, 100);
    for (int i = 0; i < 100; i++) CHECK_INT(p[i], 0);
    arena_free(&a);
}

TEST(arena_reset_goes_back_over_chunks)
{
    struct arena a = {0};
    char *keep = arena_str(&a, "kept");
    size_t total = a.total;
    for (int round = 0; round < 3; round++) {
        struct arena_mark m = arena_mark(&a);
        for (int i = 0; i < 40; i++) memset(arena_push(&a, 200000), 1, 200000);
        CHECK(a.total > 8000000);
        arena_reset(&a, m);
        CHECK_INT(a.total, total);
        CHECK_STR(keep, "kept");
    }
    arena_free(&a);
}

TEST(arena_overflow_is_a_sticky_failure)
{
    struct arena a = {0};
    CHECK(arena_array(&a, INT64_MAX, 16) == NULL);
    CHECK(arena_push(&a, 8) == NULL);
    tide_error err;
    CHECK_INT(arena_status(&a, &err), TIDE_ENOMEM);
    CHECK_INT(err.code, TIDE_CODE_MEMORY);
    arena_free(&a);
    CHECK(arena_array(&a, -1, 1) == NULL);
    arena_free(&a);
    CHECK(arena_push(&a, SIZE_MAX - 10) == NULL);
    arena_free(&a);
    CHECK(arena_push(&a, 8) != NULL);
    arena_free(&a);
}

/* The scenario of the fault loop: small, large and absorbed memory. */
static tide_status scenario(struct tide_ctx *ctx, tide_error *err)
{
    struct arena a, b;
    arena_init(&a, ctx);
    arena_init(&b, ctx);
    double *x = arena_array(&a, 1000, sizeof *x);
    char *s = arena_strn(&a, "abcdef", 3);
    double *y = arena_zero(&b, 3 << 20);
    if (y && x && s) y[0] = x[0] = s[0];
    arena_absorb(&a, &b);
    char *z = arena_push(&a, 5 << 20);
    tide_status st = arena_status(&a, err);
    if (st == TIDE_OK) {
        CHECK_STR(s, "abc");
        z[0] = z[(5 << 20) - 1] = 1;
        CHECK(y[0] == 97.0 && y[1] == 0.0);
    }
    arena_free(&a);
    return st;
}

TEST(arena_survives_every_failing_call)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    int64_t before = alloc_live();
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        for (int k = 1; k < 100; k++) {
            tide_error err;
            alloc_fault_set(k, for_ever);
            tide_status st = scenario(ctx, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_INT(st, hit ? TIDE_ENOMEM : TIDE_OK);
            if (hit) CHECK_INT(err.code, TIDE_CODE_MEMORY);
            CHECK_INT(alloc_live(), before);
            CHECK_INT(atomic_load(&ctx->memory_used), 0);
            CHECK_INT(scenario(ctx, NULL), TIDE_OK);
            if (!hit) {
                CHECK_INT(k, 5); /* four pushes */
                break;
            }
        }
    }
    tide_ctx_free(ctx);
}

TEST(arena_honours_the_memory_limit)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_memory(ctx, (int64_t)64 << 20, NULL), TIDE_OK);
    struct arena a;
    arena_init(&a, ctx);
    CHECK(arena_push(&a, (size_t)50 << 20) != NULL);
    for (int i = 0; i < 10; i++)
        CHECK(arena_push(&a, 1 << 20) != NULL); /* no doubling now */
    CHECK(arena_push(&a, (size_t)20 << 20) == NULL);
    CHECK(arena_push(&a, 1) == NULL);
    tide_error err;
    CHECK_INT(arena_status(&a, &err), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_MEMORY_BUDGET);
    CHECK_STR(err.option, "memory");
    CHECK(strstr(err.message, "20 MiB") && strstr(err.message, "64 MiB"));
    arena_free(&a);
    CHECK(tide_ctx_peak_memory(ctx) <= (int64_t)64 << 20);
    CHECK(tide_ctx_peak_memory(ctx) >= (int64_t)60 << 20);
    CHECK_INT(atomic_load(&ctx->memory_used), 0);
    tide_ctx_free(ctx);
}

TEST(arena_absorb_moves_memory_and_its_charge)
{
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    struct arena to = {0}, from;
    arena_init(&from, ctx);
    char *mine = arena_str(&to, "mine"), *theirs = arena_str(&from, "theirs");
    CHECK(atomic_load(&ctx->memory_used) > 0);
    arena_absorb(&to, &from);
    CHECK_INT(atomic_load(&ctx->memory_used), 0);
    CHECK(from.chunk == NULL && from.ctx == ctx);
    tide_ctx_free(ctx);
    CHECK(arena_push(&to, 3000) != NULL);
    CHECK_STR(mine, "mine");
    CHECK_STR(theirs, "theirs");
    arena_free(&to);
}

#ifdef BASE_ASAN
TEST(arena_poisons_what_it_has_not_handed_out)
{
    struct arena a = {0};
    static const size_t sizes[] = {1, 63, 64, 100, 5000, (size_t)3 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena_mark m = arena_mark(&a);
        char *p = arena_push(&a, sizes[i]);
        CHECK(!__asan_region_is_poisoned(p, sizes[i]));
        CHECK(__asan_address_is_poisoned(p + sizes[i]));
        arena_push(&a, 64);
        CHECK(__asan_address_is_poisoned(p + sizes[i]));
        arena_reset(&a, m);
        if (i > 0 && i < 4) CHECK(__asan_address_is_poisoned(p));
        arena_push(&a, 10);
    }
    arena_free(&a);
}
#endif
