/* math_nist.c - least squares on all 11 linear NIST StRD sets: at least 12 digits */
#include "math/linalg.h"
#include "math_nist_data.h"
#include "support/unit.h"

#define ROWS 100
static double col[12][ROWS], low[12][ROWS];
static const double *at[12], *low_at[12];

/* x^2 = x * x ... as value and error term */
static void powers(const struct nist *s)
{
    for (int k = 1; k < s->degree; k++)
        for (int i = 0; i < s->n; i++) {
            double x = s->x[i], h = col[s->intercept + k - 1][i],
                   l = low[s->intercept + k - 1][i];
            double p = x * h, e = fma(x, h, -p) + x * l;
            col[s->intercept + k][i] = p + e;
            low[s->intercept + k][i] = e - ((p + e) - p);
        }
}

static int design(const struct nist *s)
{
    memset(low, 0, sizeof low);
    for (int i = 0; i < s->n; i++) {
        col[0][i] = 1;
        for (int j = 0; j < s->p; j++) col[s->intercept + j][i] = s->x[i * s->p + j];
    }
    powers(s);
    for (int j = 0; j < 12; j++) at[j] = col[j], low_at[j] = low[j];
    return s->intercept + (s->degree > 1 ? s->degree : s->p);
}

TEST(all_linear_nist_sets_reach_twelve_digits)
{
    for (size_t k = 0; k < sizeof nist_sets / sizeof *nist_sets; k++) {
        const struct nist *s = &nist_sets[k];
        struct arena a;
        struct least_squares ls;
        tide_error err = {0};
        arena_init(&a, NULL);
        int p = design(s);
        CHECK(linalg_least_squares_pair(NULL, at, low_at, s->n, p, s->y, NULL, 0, NULL,
                                        &a, &ls, &err) == TIDE_OK);
        double digits = 16;
        for (int j = 0; j < p; j++) {
            double d = -log10(fabs(ls.coef[j] / s->b[j] - 1) + 1e-16);
            digits = d < digits ? d : digits;
        }
        if (getenv("UNIT_VERBOSE"))
            fprintf(stderr, "%-10s %5.1f digits, rank %d, rcond %.2g, %d steps\n",
                    s->name, digits, ls.rank, ls.rcond, ls.refined);
        CHECK_MSG(digits >= 12, "%s: %.1f digits", s->name, digits);
        CHECK_INT(ls.rank, p);
        arena_free(&a);
    }
}

TEST(hilbert_systems_are_exact)
{
    static double h[8][8], y[8];
    const double *c[8];
    struct arena a;
    struct least_squares ls;
    arena_init(&a, NULL);
    for (int i = 0; i < 8; i++) { /* times 360360: integers */
        y[i] = 0;
        for (int j = 0; j < 8; j++)
            h[j][i] = 360360.0 / (i + j + 1), y[i] += h[j][i] * (j + 1);
        c[i] = h[i];
    }
    CHECK(linalg_least_squares(NULL, c, 8, 8, y, NULL, 0, NULL, &a, &ls, NULL) ==
          TIDE_OK);
    for (int j = 0; j < 8; j++) CHECK_NEAR(ls.coef[j], j + 1, 1e-12);
    arena_free(&a);
}

/* Powers 0 to 15 of 27 numbers in [0.1, 1): nearly dependent, and still of full rank. */
TEST(a_polynomial_of_degree_fifteen_keeps_its_rank)
{
    static double x[16][27], y[27];
    const double *c[16];
    struct arena a;
    struct least_squares ls;
    arena_init(&a, NULL);
    for (int i = 0; i < 27; i++) {
        double t = 0.1 + 0.9 * i / 27;
        x[15][i] = 1;
        for (int j = 0; j < 15; j++) x[j][i] = j ? x[j - 1][i] * t : t;
        y[i] = 0;
        for (int j = 0; j < 16; j++) y[i] += (j % 2 ? -1.0 : 1.0) * x[j][i];
    }
    for (int j = 0; j < 16; j++) c[j] = x[j];
    uint8_t pen[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
    CHECK(linalg_least_squares(NULL, c, 27, 16, y, NULL, 0, pen, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_INT(ls.rank, 16);
    CHECK(ls.rcond < 1e-11);
    CHECK(!ls.dependent);
    arena_free(&a);
}

TEST(dependent_columns_give_the_least_norm)
{
    static double x[5][40], y[40];
    const double *c[5];
    struct arena a;
    struct least_squares ls;
    arena_init(&a, NULL);
    for (int i = 0; i < 40; i++) {
        x[0][i] = 1;
        x[1][i] = (i * 7) % 11;
        x[2][i] = (i * i) % 17;
        x[3][i] = x[1][i];
        x[4][i] = 2 * x[2][i] + x[1][i];
        y[i] = 3 + 2 * x[1][i] + x[2][i];
    }
    for (int j = 0; j < 5; j++) c[j] = x[j];
    uint8_t pen[5] = {0, 1, 1, 1, 1};
    CHECK(linalg_least_squares(NULL, c, 40, 5, y, NULL, 0, pen, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_INT(ls.rank, 3);
    /* least |c| with c1 + c3 + c4 = 2, c2 + 2 c4 = 1 */
    double expect[5] = {3, 8. / 11, -1. / 11, 8. / 11, 6. / 11};
    for (int j = 0; j < 5; j++) CHECK_NEAR(ls.coef[j], expect[j], 1e-12);
    CHECK(ls.dependent && ls.dependent[0] == 0);
    CHECK(linalg_least_squares(NULL, c + 1, 40, 1, y, NULL, 0, NULL, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_INT(ls.rank, 1);
    arena_free(&a);
}

TEST(more_columns_than_rows_and_empty_columns)
{
    static double x[6][3] = {{1, 2, 3}, {0, 0, 0},   {1, 0, 1},
                             {2, 1, 5}, {1e9, 1, 2}, {3, 1, 4}};
    double y[3] = {1, 2, 3};
    const double *c[6];
    struct arena a;
    struct least_squares ls;
    arena_init(&a, NULL);
    for (int j = 0; j < 6; j++) c[j] = x[j];
    CHECK(linalg_least_squares(NULL, c, 3, 6, y, NULL, 0, NULL, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_INT(ls.rank, 3);
    for (int i = 0; i < 3; i++) {
        double s = 0;
        for (int j = 0; j < 6; j++) s += x[j][i] * ls.coef[j];
        CHECK_NEAR(s, y[i], 1e-9);
    }
    CHECK_NEAR(ls.coef[1], 0, 0);
    CHECK(linalg_least_squares(NULL, c + 1, 3, 1, y, NULL, 0, NULL, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_INT(ls.rank, 0);
    CHECK_NEAR(ls.coef[0], 0, 0);
    arena_free(&a);
}

TEST(the_penalty_and_weights_act)
{
    double x[4] = {1, 2, 3, 4}, one[4] = {1, 1, 1, 1}, y[4] = {2, 3, 5, 9},
           w[4] = {1, 2, 1, 1};
    double x2[5] = {1, 2, 2, 3, 4}, one2[5] = {1, 1, 1, 1, 1}, y2[5] = {2, 3, 3, 5, 9};
    const double *c[2] = {one, x}, *c2[2] = {one2, x2};
    uint8_t pen[2] = {0, 1};
    struct arena a;
    struct least_squares ls, twice;
    arena_init(&a, NULL);
    CHECK(linalg_least_squares(NULL, c, 4, 2, y, NULL, 1.5, pen, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK_NEAR(ls.coef[1], 11.5 / (5 + 1.5), 1e-15); /* centred: Sxy / (Sxx + l2) */
    CHECK_NEAR(ls.coef[0], 4.75 - 2.5 * ls.coef[1], 1e-15);
    CHECK(linalg_least_squares(NULL, c, 4, 2, y, w, 1.5, pen, &a, &ls, NULL) ==
          TIDE_OK);
    CHECK(linalg_least_squares(NULL, c2, 5, 2, y2, NULL, 1.5, pen, &a, &twice, NULL) ==
          TIDE_OK);
    CHECK_NEAR(ls.coef[0], twice.coef[0], 1e-14);
    CHECK_NEAR(ls.coef[1], twice.coef[1], 1e-14);
    arena_free(&a);
}
