/* make_airline.c - flights with carrier, airports and hour, and whether they were late
 *
 * Shape of the airline benchmark: 6,600 effects of origin and carrier together are worth 0.05
 * of AUC to a learner that combines categories. The best possible AUC is 0.7738. 500,000 rows
 * of seed 2 have 109,223 positives. Airports, carriers and their effects do not depend on the
 * seed. */
#include <math.h>
#include <stddef.h>

#include "frame/make.h"

struct airline_params {
    uint64_t seed;
    int32_t names;
};

enum { MONTH, DAY, WEEKDAY, DEP_TIME, CARRIER, ORIGIN, DEST, DISTANCE, LATE };
#define CARRIERS 22
#define AIRPORTS 300

static double distance(uint64_t a, uint64_t b)
{
    double dx = gen_u(102, a, 0) - gen_u(102, b, 0);
    double dy = 0.6 * (gen_u(102, a, 1) - gen_u(102, b, 1));
    return floor(90 + 2500 * sqrt(dx * dx + dy * dy) + 0.5);
}

static double score_of(const int64_t v[9], int64_t hour)
{
    uint64_t og = (uint64_t)v[ORIGIN], de = (uint64_t)v[DEST],
             ca = (uint64_t)v[CARRIER];
    int64_t mo = v[MONTH], dow = v[WEEKDAY];
    double holiday = mo == 1 || mo == 6 || mo == 7 || mo == 12;
    return -2.35 + 1.75 * make_pow((double)(hour - 5) / 19, 1.3) +
           0.45 * gen_z(202, ca, 0) + 0.40 * gen_z(102, og, 2) +
           0.25 * gen_z(102, de, 2) + 0.55 * gen_z(102, og, 3) * holiday +
           0.35 * (dow == 4 || dow == 5) - 0.45 * (dow == 6) +
           0.5 * gen_z(302, 22 * og + ca, 0) +
           0.5 * gen_z(402, 24 * ca + (uint64_t)hour, 0) +
           0.00012 * (double)v[DISTANCE];
}

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    uint64_t s = ((const struct airline_params *)t->params)->seed;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row;
        int64_t v[9], hour = 5 + (int64_t)(19 * make_pow(gen_u(s, i, 3), 0.9));
        v[MONTH] = 1 + (int64_t)(12 * gen_u(s, i, 0));
        v[DAY] = 1 + (int64_t)(31 * gen_u(s, i, 1));
        v[WEEKDAY] = 1 + (int64_t)(7 * gen_u(s, i, 2));
        v[DEP_TIME] = 100 * hour + (int64_t)(60 * gen_u(s, i, 4));
        v[CARRIER] = (int64_t)(CARRIERS * make_pow(gen_u(s, i, 5), 1.6));
        v[ORIGIN] = (int64_t)(AIRPORTS * make_pow(gen_u(s, i, 6), 2.5));
        v[DEST] = (int64_t)(AIRPORTS * make_pow(gen_u(s, i, 7), 2.5));
        if (v[DEST] == v[ORIGIN]) v[DEST] = (v[DEST] + 1) % AIRPORTS;
        v[DISTANCE] = (int64_t)distance((uint64_t)v[ORIGIN], (uint64_t)v[DEST]);
        v[LATE] = gen_u(s, i, 8) < make_sig(score_of(v, hour));
        for (int j = 0; j < 9; j++) t->i64[j][row] = v[j];
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {
        {"Month", TIDE_I64, 1},     {"DayofMonth", TIDE_I64, 1},
        {"DayOfWeek", TIDE_I64, 1}, {"DepTime", TIDE_I64, 1},
        {"Carrier", TIDE_I64, 1},   {"Origin", TIDE_I64, 1},
        {"Dest", TIDE_I64, 1},      {"Distance", TIDE_I64, 1},
        {"y", TIDE_I64, 1},
    };
    const struct airline_params *p = params;
    tide_frame *f;
    tide_status st = make_table(ctx, cols, 9, fill, params, n_rows, &f, err);
    if (st == TIDE_OK && p->names) st = make_category(f, CARRIER, CARRIERS, "C", err);
    if (st == TIDE_OK && p->names) st = make_category(f, ORIGIN, AIRPORTS, "A", err);
    if (st == TIDE_OK && p->names) st = make_category(f, DEST, AIRPORTS, "A", err);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        f = NULL;
    }
    *out = f;
    return st;
}

static const struct tide_param rows[] = {
    P_U64(airline_params, seed, "2", .help = "seed of the rows"),
    P_BOOL(airline_params, names, "no",
           .help = "carriers and airports as categories C5, A160 instead of numbers"),
};
const struct tide_maker tide_maker_airline_like = {
    .name = "airline_like",
    .title = "flights with carrier, airports and hour, late or not",
    .camel = "AirlineLike",
    .guide = "Q10",
    .paper = "shape of the airline delay benchmark (ASA Data Expo 2009)",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, airline_params),
    .rows = 100000,
    .target = "y",
    .make = make,
};
