/* math_range.c - least, largest and missing values in pieces */
#include "math/range.h"
#include "support/unit.h"

TEST(pieces_of_any_length_give_the_range_of_all)
{
    double x[40];
    for (int i = 0; i < 40; i++) x[i] = i % 7 == 3 ? (double)NAN : (i * 17 % 40) - 20.5;
    for (int cut = 0; cut <= 40; cut++) {
        struct range r = range_new();
        range_add(&r, x + cut, 40 - cut);
        range_add(&r, x, cut);
        double lo = INFINITY, hi = -INFINITY;
        int missing = 0;
        for (int i = 0; i < 40; i++) {
            missing += isnan(x[i]) != 0;
            lo = x[i] < lo ? x[i] : lo;
            hi = x[i] > hi ? x[i] : hi;
        }
        CHECK(range_lo(&r) == lo && range_hi(&r) == hi);
        CHECK_INT(r.n_missing, missing);
    }
}

TEST(a_range_of_nothing_is_missing_and_zero_has_no_sign)
{
    struct range r = range_new();
    range_add(&r, (double[]){NAN, NAN}, 2);
    CHECK(isnan(range_lo(&r)) && isnan(range_hi(&r)));
    CHECK_INT(r.n_missing, 2);
    range_add(&r, (double[]){-0.0}, 1);
    CHECK(range_lo(&r) == 0 && !signbit(range_lo(&r)) && !signbit(range_hi(&r)));
    range_add(&r, (double[]){-INFINITY, 1, 2, 3, INFINITY}, 5);
    CHECK(isinf(range_lo(&r)) && isinf(range_hi(&r)));
}
