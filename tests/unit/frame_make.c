/* Synthetic tables: first rows, counts and means that their definitions state. */
#include "base/rng.h"
#include "frame/frame.h"
#include "spec/maker.h"
#include "support/unit.h"

extern const struct tide_maker tide_maker_higgs_like, tide_maker_airline_like,
    tide_maker_ctr_like, tide_maker_friedman1, tide_maker_ratings_like,
    tide_maker_sea_drift, tide_maker_blobs, tide_maker_moons, tide_maker_classification,
    tide_maker_higgs_rank, tide_maker_anomaly;

static tide_ctx *ctx;

static tide_frame *make_with(const struct tide_maker *m, int64_t n, int threads,
                             const char *const *set)
{
    tide_error err = {0};
    tide_frame *f = NULL;
    tide_values *v = NULL;
    if (!ctx && tide_ctx_new(&ctx, &err) != TIDE_OK) return NULL;
    CHECK_INT(tide_ctx_set_threads(ctx, threads, &err), TIDE_OK);
    CHECK_INT(tide_values_new(&m->params, m->name, &v, &err), TIDE_OK);
    for (; set && *set; set += 2)
        CHECK_INT(tide_values_set(v, set[0], set[1], &err), TIDE_OK);
    if (m->make(ctx, tide_values_struct(v), n, &f, &err) != TIDE_OK)
        UNIT_FAIL("%s", err.message);
    tide_values_free(v);
    return f;
}

static double total(const tide_frame *f, int j)
{
    double sum = 0;
    for (int64_t i = 0; i < f->n_rows; i++) {
        double v = tide_frame_number(f, i, j);
        if (v == v) sum += v;
    }
    return sum;
}

TEST(higgs_like_is_as_defined)
{
    static const double first[6] = {1.236312, -1.50529, -1.126908,
                                    1.115025, 0.773103, 1.1133};
    tide_frame *f = make_with(&tide_maker_higgs_like, 200000, 0, NULL);
    if (!f) return;
    CHECK_NEAR(total(f, 28), 108024, 0);
    for (int j = 0; j < 6; j++) CHECK_NEAR(tide_frame_number(f, 0, j), first[j], 1e-6);
    tide_frame_free(f);
}

TEST(higgs_rank_is_as_defined)
{
    static const int64_t want[5] = {59339, 47302, 47770, 31592, 13997};
    int64_t count[5] = {0};
    tide_frame *f = make_with(&tide_maker_higgs_rank, 200000, 0, NULL);
    tide_frame *same = make_with(&tide_maker_higgs_like, 100, 0, NULL);
    if (!f || !same) return;
    for (int64_t i = 0; i < f->n_rows; i++) {
        CHECK_INT(f->cols[28].i64[i], i / 50);
        count[f->cols[29].i64[i]]++;
    }
    for (int k = 0; k < 5; k++) CHECK_INT(count[k], want[k]);
    for (int j = 0; j < 28; j++)
        CHECK(!memcmp(f->cols[j].f64, same->cols[j].f64, 100 * sizeof(double)));
    tide_frame_free(f);
    tide_frame_free(same);
}

TEST(airline_like_is_as_defined)
{
    static const double first[8] = {4, 5, 7, 605, 5, 160, 173, 1162};
    static const double sums[9] = {3245916,  7997357,  1999693,   740550877, 3991628,
                                   42625999, 42560469, 569768940, 109223};
    tide_frame *f = make_with(&tide_maker_airline_like, 500000, 0, NULL);
    if (!f) return;
    for (int j = 0; j < 8; j++) CHECK_NEAR(tide_frame_number(f, 0, j), first[j], 0);
    for (int j = 0; j < 9; j++) CHECK_NEAR(total(f, j), sums[j], 0);
    tide_frame_free(f);
    const char *set[] = {"names", "yes", NULL};
    f = make_with(&tide_maker_airline_like, 1000, 1, set);
    char text[16];
    CHECK(f && tide_frame_text(f, 0, 5, text, sizeof text) == 4);
    CHECK_STR(text, "A160");
    tide_frame_free(f);
}

TEST(ctr_like_is_as_defined)
{
    tide_frame *f = make_with(&tide_maker_ctr_like, 300000, 0, NULL);
    int64_t missing = 0;
    if (!f) return;
    CHECK_NEAR(total(f, 39), 24269, 0);
    for (int j = 0; j < 13; j++) missing += tide_frame_missing(f, j);
    CHECK_NEAR((double)missing / (13 * 300000.0), 0.269, 1e-3);
    tide_frame_free(f);
}

TEST(friedman1_is_as_defined)
{
    tide_frame *f = make_with(&tide_maker_friedman1, 500000, 0, NULL);
    if (!f) return;
    CHECK_NEAR(total(f, 10) / 500000, 14.4127, 1e-5);
    tide_frame_free(f);
}

TEST(ratings_like_is_as_defined)
{
    tide_frame *f = make_with(&tide_maker_ratings_like, 1000000, 0, NULL);
    if (!f) return;
    double mean = total(f, 2) / 1e6, square = 0;
    for (int64_t i = 0; i < f->n_rows; i++)
        square += (f->cols[2].f64[i] - mean) * (f->cols[2].f64[i] - mean);
    CHECK_NEAR(mean, 3.4871, 2e-5);
    CHECK_NEAR(sqrt(square / 1e6), 1.0562, 1e-4);
    tide_frame_free(f);
}

TEST(sea_drift_is_as_defined)
{
    tide_frame *f = make_with(&tide_maker_sea_drift, 400000, 0, NULL);
    if (!f) return;
    CHECK_NEAR(total(f, 3) / 400000, 0.3834, 6e-5);
    tide_frame_free(f);
}

TEST(blobs_are_as_defined)
{
    const char *set[] = {"clusters", "100", "columns", "10", NULL};
    tide_frame *f = make_with(&tide_maker_blobs, 100000, 0, set);
    if (!f) return;
    double inertia = 0;
    for (int64_t i = 0; i < f->n_rows; i++)
        for (int j = 0; j < 10; j++) {
            uint64_t c = (uint64_t)f->cols[10].i64[i];
            double centre = 10 * (2 * gen_u(9, c, (uint64_t)j) - 1);
            inertia += (f->cols[j].f64[i] - centre) * (f->cols[j].f64[i] - centre);
        }
    CHECK_NEAR(inertia, 999556.0, 1e-6);
    tide_frame_free(f);
}

/* Rows by the definition, of the columns of a cluster and of one row that strays. */
TEST(anomaly_is_as_defined)
{
    const uint64_t s = 27, d = 4;
    int64_t strays = 0;
    tide_frame *f = make_with(&tide_maker_anomaly, 50000, 2,
                              (const char *[]){"columns", "4", NULL});
    if (!f) return;
    CHECK_INT(f->n_cols, 5);
    for (uint64_t i = 0; i < 50000; i++) {
        int y = gen_u(s, i, d) < 0.01;
        uint64_t c = (uint64_t)(5 * gen_u(s, i, d + 1));
        strays += y;
        CHECK_INT(f->cols[4].i64[i], y);
        for (uint64_t j = 0; j < d && i % 97 == 0; j++) {
            double x = 10 * gen_u(s + 100, c, j) + (y ? 1.0 : 0.5) * gen_z(s, i, j);
            CHECK_NEAR(f->cols[j].f64[i], (double)(float)x, 0);
        }
    }
    CHECK(strays > 430 && strays < 570); /* 500, three standard errors */
    tide_frame_free(f);
}

TEST(tables_do_not_depend_on_threads)
{
    const struct tide_maker *all[] = {&tide_maker_higgs_like, &tide_maker_moons,
                                      &tide_maker_classification, &tide_maker_ctr_like};
    for (int m = 0; m < 4; m++) {
        tide_frame *a = make_with(all[m], 10000, 1, NULL),
                   *b = make_with(all[m], 10000, 3, NULL);
        for (int j = 0; a && b && j < a->n_cols; j++)
            CHECK(memcmp(a->cols[j].f64 ? (const void *)a->cols[j].f64 : a->cols[j].i64,
                         b->cols[j].f64 ? (const void *)b->cols[j].f64 : b->cols[j].i64,
                         10000 * sizeof(double)) == 0);
        tide_frame_free(a);
        tide_frame_free(b);
    }
    tide_ctx_free(ctx);
    ctx = NULL;
}
