#include "base/arena.h"
#include "spec/state.h"
#include "support/unit.h"

static struct arena memory;

static struct state fresh(void)
{
    struct state s;
    arena_init(&memory, NULL);
    state_init(&s, &memory);
    return s;
}

TEST(what_was_put_is_found_aligned_and_equal)
{
    struct state s = fresh();
    const double w[6] = {1, 2, 3, 4, 5, 6};
    state_put(&s, "DENSE", "weights", STATE_F64, 2, 3, 1, w);
    const struct state_array *it = state_find(&s, "weights");
    CHECK(it != NULL);
    if (it) {
        CHECK(memcmp(it->data, w, sizeof w) == 0);
        CHECK((uintptr_t)it->data % 64 == 0);
        CHECK_INT(it->n_dims, 2);
        CHECK_INT(it->dim[2], 1);
        CHECK(memcmp(it->kind, "DENSE\0\0\0", 8) == 0);
    }
    CHECK(state_find(&s, "weight") == NULL);
    arena_free(&memory);
}

TEST(many_arrays_keep_their_order_and_new_ones_are_zero)
{
    struct state s = fresh();
    for (int i = 0; i < 100; i++) {
        char name[24];
        snprintf(name, sizeof name, "a%d", i);
        int32_t *x = state_new(&s, "STEP", name, STATE_I32, i, 1, 1);
        CHECK(x != NULL);
        for (int k = 0; x && k < i; k++) CHECK_INT(x[k], 0);
    }
    CHECK_INT(s.n, 100);
    CHECK_STR(s.arrays[42].name, "a42");
    CHECK_INT(s.arrays[0].dim[0], 0);
    arena_free(&memory);
}

TEST(need_refuses_absence_type_size_and_infinity)
{
    struct state s = fresh();
    const double x[2] = {1, INFINITY};
    const struct state_array *it;
    tide_error err = {0};
    state_put(&s, "DENSE", "x", STATE_F64, 2, 1, 1, x);
    CHECK_INT(state_need(&s, "y", STATE_F64, 2, 1, &it, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_SCHEMA);
    CHECK_INT(state_need(&s, "x", STATE_F32, 2, 1, &it, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_SCHEMA);
    CHECK_STR(err.message, "array 'x' has type f64, not f32");
    CHECK_INT(state_need(&s, "x", STATE_F64, 3, 1, &it, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_SIZE);
    CHECK_STR(err.message, "array 'x' is 2 by 1, not 3 by 1");
    CHECK_INT(state_need(&s, "x", STATE_F64, -1, -1, &it, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_VALUE);
    CHECK_STR(err.place, "section DENSE, array x");
    CHECK(it == NULL);
    arena_free(&memory);
}

TEST(need_gives_the_array_that_fits)
{
    struct state s = fresh();
    const uint32_t x[3] = {1, 2, 3};
    const struct state_array *it;
    state_put(&s, "DICT", "levels", STATE_U32, 3, 1, 1, x);
    CHECK_INT(state_need(&s, "levels", STATE_U32, 3, 1, &it, NULL), TIDE_OK);
    CHECK(it && ((const uint32_t *)it->data)[2] == 3);
    CHECK_INT(state_need(&s, "levels", STATE_U32, -1, -1, &it, NULL), TIDE_OK);
    arena_free(&memory);
}

TEST(a_product_that_overflows_fails_stickily)
{
    struct state s = fresh();
    CHECK(state_new(&s, "DENSE", "huge", STATE_F64, INT64_MAX, 8, 1) == NULL);
    state_put(&s, "DENSE", "more", STATE_F64, INT64_MAX, 8, 1, NULL);
    CHECK_INT(s.n, 0);
    CHECK(arena_status(&memory, NULL) != TIDE_OK);
    arena_free(&memory);
}
