/* make_higgs.c - 28 numbers of a particle collision and whether it is the signal
 *
 * Shape of HIGGS (Baldi, Sadowski, Whiteson 2014). x0..x20 are momenta and angles of a lepton,
 * the missing energy and four jets; x21..x27 invariant masses of their combinations. The best
 * possible AUC is 0.8735. 200,000 rows of seed 1 have 108,024 positives.
 *
 * higgs_rank: the same rows as queries of 50 in a row. A label is how many of -1, 0.5, 2, 3.5 lie
 * below score + z(seed, row, 41). 200,000 rows of seed 1 have 59,339, 47,302, 47,770, 31,592 and
 * 13,997 rows of the labels 0 to 4; the true score has an NDCG@10 (gain 2^label - 1) of 0.8729,
 * row order one of 0.2863. */
#include <math.h>
#include <stddef.h>

#include "frame/make.h"
#include "simd/vmath.h"

struct higgs_params {
    uint64_t seed;
};

struct particle {
    double pt, eta, phi;
};

static double mass2(struct particle a, struct particle b)
{
    double d = a.eta - b.eta;
    d = d < -4 ? -4 : d > 4 ? 4 : d;
    return 2 * a.pt * b.pt * (vm_cosh(d) - vm_cos(a.phi - b.phi));
}

static double angle(uint64_t s, uint64_t i, uint64_t slot)
{
    return sqrt(3.0) * (2 * gen_u(s, i, slot) - 1);
}

static void momenta(uint64_t s, uint64_t i, double x[28])
{
    x[0] = vm_exp(0.5 * gen_z(s, i, 0));
    x[1] = gen_z(s, i, 1);
    x[2] = angle(s, i, 2);
    x[3] = vm_exp(0.6 * gen_z(s, i, 3));
    x[4] = angle(s, i, 4);
    for (uint64_t b = 5; b < 21; b += 4) {
        double tag = gen_u(s, i, b + 3);
        x[b] = vm_exp(0.5 * gen_z(s, i, b));
        x[b + 1] = gen_z(s, i, b + 1);
        x[b + 2] = angle(s, i, b + 2);
        x[b + 3] = tag < 0.5 ? 0 : tag < 0.75 ? 1.1 : 2.2;
    }
}

static double masses(double x[28])
{
    struct particle l = {x[0], x[1], x[2]}, v = {x[3], 0, x[4]}, jet[4];
    for (int k = 0; k < 4; k++)
        jet[k] = (struct particle){x[5 + 4 * k], x[6 + 4 * k], x[7 + 4 * k]};
    double m01 = mass2(jet[0], jet[1]), m02 = mass2(jet[0], jet[2]), mlv = mass2(l, v);
    double ml0 = mass2(l, jet[0]), m23 = mass2(jet[2], jet[3]);
    x[21] = sqrt(m01);
    x[22] = sqrt(m01 + m02);
    x[23] = sqrt(mlv);
    x[24] = sqrt(mlv + ml0);
    x[25] = sqrt(m23);
    x[26] = sqrt(mlv + m23);
    x[27] = sqrt(m01 + mlv + m23);
    double a = x[25] - 1.6, b = (x[23] - 1.4) / 0.9;
    return -4.55 + 4.2 * vm_exp(-(a * a)) + 2.4 * vm_exp(-(b * b)) +
           0.7 * (x[16] + x[20]) - 0.6 * vm_log(x[27] + 0.1) +
           0.8 * x[1] * vm_log(x[3]) + 0.5 * x[9];
}

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    uint64_t s = ((const struct higgs_params *)t->params)->seed;
    for (int64_t i = i0; i < i1; i++) {
        double x[28];
        momenta(s, (uint64_t)i, x);
        double score = masses(x);
        for (int j = 0; j < 28; j++) t->f64[j][i] = x[j];
        t->i64[28][i] = gen_u(s, (uint64_t)i, 40) < make_sig(score);
    }
}

static void fill_ranks(const struct make_task *t, int64_t i0, int64_t i1)
{
    static const double step[] = {-1, 0.5, 2, 3.5};
    uint64_t s = ((const struct higgs_params *)t->params)->seed;
    for (int64_t i = i0; i < i1; i++) {
        double x[28];
        momenta(s, (uint64_t)i, x);
        double score = masses(x) + gen_z(s, (uint64_t)i, 41);
        for (int j = 0; j < 28; j++) t->f64[j][i] = x[j];
        t->i64[28][i] = i / 50;
        t->i64[29][i] = 0;
        for (int k = 0; k < 4; k++) t->i64[29][i] += step[k] < score;
    }
}

static tide_status make_ranks(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                              tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {
        {"x%d", TIDE_F64, 28}, {"query", TIDE_I64, 1}, {"label", TIDE_I64, 1}};
    return make_table(ctx, cols, 3, fill_ranks, params, n_rows, out, err);
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    static const struct make_column cols[] = {{"x%d", TIDE_F64, 28},
                                              {"y", TIDE_I64, 1}};
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(higgs_params, seed, "1", .help = "seed of the rows"),
};
const struct tide_maker tide_maker_higgs_like = {
    .name = "higgs_like",
    .title = "28 numbers of collisions, signal or not",
    .camel = "HiggsLike",
    .guide = "Q10",
    .paper = "shape of Baldi, Sadowski, Whiteson 2014",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, higgs_params),
    .rows = 100000,
    .target = "y",
    .make = make,
};
const struct tide_maker tide_maker_higgs_rank = {
    .name = "higgs_rank",
    .title = "28 numbers of collisions, ranked within queries",
    .camel = "HiggsRank",
    .guide = "Q4 Q10",
    .paper = "shape of Baldi, Sadowski, Whiteson 2014",
    .tasks = TIDE_REGRESS,
    .params = TIDE_TABLE(rows, higgs_params),
    .rows = 100000,
    .target = "label",
    .make = make_ranks,
};
