/* math_sort.c - stable orders, ties by row, NaN last */
#include "math/sort.h"
#include "support/unit.h"

static uint64_t seed = 3;
static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 20;
}
static double key[70000], copy[70000];
static uint64_t wide[70000];
static uint32_t narrow[70000], idx[70000];
static const int64_t sizes[] = {0, 1, 2, 3, 17, 1023, 1024, 1025, 70000};

static int before(double a, double b) /* a may stand before b */
{
    return b != b || a <= b;
}

TEST(numbers_sort_with_ties_by_row_and_nan_last)
{
    struct arena a;
    arena_init(&a, NULL);
    for (int s = 0; s < 9; s++)
        for (int kind = 0; kind < 6; kind++) {
            int64_t n = sizes[s];
            for (int64_t i = 0; i < n; i++) {
                double v = (double)(int64_t)(draw() % 2001) - 1000;
                key[i] = kind == 0 ? v : kind == 1 ? v * 1e300 : kind == 2 ? 5 : v / 7;
                if (kind == 3 && i % 11 == 0) key[i] = NAN;
                if (kind == 3 && i % 13 == 0) key[i] = i % 2 ? -0.0 : 0.0;
                if (kind == 4) { /* floats: a sort by 32 bits */
                    float f = (float)(i % 3 ? v / 7 : v * 0x1p-149);
                    if (i % 13 == 0) f = i % 2 ? -0.0f : 0.0f;
                    if (i % 17 == 0) f = i % 2 ? -INFINITY : INFINITY;
                    key[i] = i % 19 ? (double)f : (double)NAN;
                }
                if (kind == 5) /* mostly zeros, which are set apart */
                    key[i] = i % 3    ? (i % 7 ? 0.0 : -0.0)
                             : i % 31 ? v / 7
                                      : (double)NAN;
                if (kind == 1 && i % 17 == 0) key[i] = i % 2 ? -INFINITY : INFINITY;
            }
            struct arena_mark m = arena_mark(&a);
            CHECK(sort_index_f64(&a, key, n, idx) == 0);
            for (int64_t i = 1; i < n; i++) {
                double p = key[idx[i - 1]], q = key[idx[i]];
                CHECK(before(p, q));
                if (p == q || (p != p && q != q)) CHECK(idx[i - 1] < idx[i]);
            }
            memcpy(copy, key, sizeof key);
            CHECK(sort_f64(&a, copy, n) == 0);
            for (int64_t i = 0; i < n; i++)
                CHECK(copy[i] == key[idx[i]] ||
                      (copy[i] != copy[i] && key[idx[i]] != key[idx[i]]));
            arena_reset(&a, m);
        }
    arena_free(&a);
}

TEST(places_of_the_order_are_those_of_a_sort)
{
    struct arena a;
    arena_init(&a, NULL);
    for (int s = 1; s < 9; s++)
        for (int kind = 0; kind < 5; kind++) {
            int64_t n = sizes[s], place[21];
            double out[21];
            for (int64_t i = 0; i < n; i++) {
                double v = (double)(int64_t)(draw() % 200001) - 100000;
                key[i] = kind == 0   ? v / 7
                         : kind == 1 ? 5
                         : kind == 2 ? (i % 100 ? v * 1e-9 : v * 1e300)
                         : kind == 3 ? (i % 17 ? v : (double)INFINITY)
                                     : (double)(int64_t)(v / 40000);
            }
            for (int k = 0; k < 21; k++) place[k] = (n - 1) * k / 20;
            memcpy(copy, key, sizeof key);
            struct arena_mark m = arena_mark(&a);
            CHECK(sort_places_f64(&a, copy, n, place, 21, out) == 0);
            CHECK(sort_f64(&a, key, n) == 0);
            for (int k = 0; k < 21; k++) CHECK(out[k] == key[place[k]]);
            arena_reset(&a, m);
        }
    arena_free(&a);
}

TEST(integers_sort_stably)
{
    struct arena a;
    arena_init(&a, NULL);
    for (int s = 0; s < 9; s++)
        for (int kind = 0; kind < 2; kind++) {
            int64_t n = sizes[s];
            for (int64_t i = 0; i < n; i++) {
                wide[i] = kind ? draw() << 20 | draw() : draw() % 9;
                narrow[i] = (uint32_t)(kind ? draw() : draw() % 5);
            }
            CHECK(sort_index_u64(&a, wide, n, idx) == 0);
            for (int64_t i = 1; i < n; i++)
                CHECK(wide[idx[i - 1]] < wide[idx[i]] ||
                      (wide[idx[i - 1]] == wide[idx[i]] && idx[i - 1] < idx[i]));
            CHECK(sort_index_u32(&a, narrow, n, idx) == 0);
            for (int64_t i = 1; i < n; i++)
                CHECK(narrow[idx[i - 1]] < narrow[idx[i]] ||
                      (narrow[idx[i - 1]] == narrow[idx[i]] && idx[i - 1] < idx[i]));
        }
    arena_free(&a);
}

struct item {
    int k, at;
};
static int by_k(const void *a, const void *b, const void *arg)
{
    (void)arg;
    return ((const struct item *)a)->k - ((const struct item *)b)->k;
}

TEST(anything_sorts_by_a_comparison)
{
    struct arena a;
    static struct item x[1000];
    arena_init(&a, NULL);
    for (int n = 0; n < 1000; n += n < 20 ? 1 : 123) {
        for (int i = 0; i < n; i++) x[i] = (struct item){(int)(draw() % 10), i};
        CHECK(sort_any(&a, x, n, sizeof *x, by_k, NULL) == 0);
        for (int i = 1; i < n; i++)
            CHECK(x[i - 1].k < x[i].k ||
                  (x[i - 1].k == x[i].k && x[i - 1].at < x[i].at));
    }
    arena_free(&a);
}
