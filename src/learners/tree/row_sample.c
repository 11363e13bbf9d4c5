/* row_sample.c - rows drawn by the size of their gradients (trees.md 6)
 *
 * goss    Two thirds of the share are the rows of largest |g|; the others are drawn alike (Ke et
 *         al. 2017).
 * mvs     The chance is sqrt(g^2 + mean^2)/mu, at most 1, with the mu that gives the share:
 *         least variance of the sums for their number of rows (Ibragimov and Gusev 2019).
 * groups  Whole groups are put aside for stopping, by draws for their keys.
 * Order   Thresholds come from counts of the quantised |g|, so any order of rows gives the same.
 * Guide   Q10
 */
#include "learners/tree/row_sample.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "math/sort.h"

const char *const row_sampling_names[4] = {"uniform", "goss", "mvs", NULL};

/* Sum of |g| over the outputs, in levels. */
static int64_t size_of(const struct grad *g, int shift, int64_t row)
{
    int64_t sum = 0;
    for (int32_t k = 0; k < g->n_outputs; k++) {
        int32_t q = (int16_t)(g->packed[grad_place(g, k, row)] >> 16);
        sum += q < 0 ? -q : q;
    }
    sum >>= shift;
    return sum < ROW_SAMPLE_LEVELS ? sum : ROW_SAMPLE_LEVELS - 1;
}

static double mvs_size(double ridge, int64_t level)
{
    return sqrt((double)level * (double)level + ridge * ridge);
}

/* Rows expected when chances are size/mu, at most 1. */
static double mvs_rows(const int64_t *count, double ridge, double mu)
{
    double sum = 0;
    for (int64_t v = 0; v < ROW_SAMPLE_LEVELS; v++) {
        double p = count[v] ? mvs_size(ridge, v) / mu : 0;
        sum += (double)count[v] * (p < 1 ? p : 1);
    }
    return sum;
}

static void find_mvs(const int64_t *count, int64_t n, double share,
                     struct row_chances *out)
{
    double sum = 0, want = share * (double)n, lo = 0;
    for (int64_t v = 0; v < ROW_SAMPLE_LEVELS; v++) sum += (double)(v * count[v]);
    out->ridge = sum / (double)n > 1 ? sum / (double)n : 1;
    double hi = 2 * ROW_SAMPLE_LEVELS / share;
    for (int i = 0; i < 50; i++) {
        double mu = 0.5 * (lo + hi);
        *(mvs_rows(count, out->ridge, mu) > want ? &lo : &hi) = mu;
    }
    out->edge = hi;
}

static void find_goss(const int64_t *count, int64_t n, double share,
                      struct row_chances *out)
{
    double top = 2 * share / 3 * (double)n, want = share * (double)n;
    int64_t above = 0, v = ROW_SAMPLE_LEVELS;
    while (v > 0 && (double)(above + count[v - 1]) <= top) above += count[--v];
    out->edge = (double)v; /* rows of this level and above are taken */
    out->rest = n > above ? (want - (double)above) / (double)(n - above) : 1;
}

void row_chances_find(const struct grad *g, enum row_sampling how, double share,
                      const uint32_t *list, int64_t n, int64_t *count,
                      struct row_chances *out)
{
    *out = (struct row_chances){.how = how};
    while ((int64_t)g->n_outputs * ROW_SAMPLE_LEVELS >> out->shift > ROW_SAMPLE_LEVELS)
        out->shift++;
    memset(count, 0, ROW_SAMPLE_LEVELS * sizeof *count);
    for (int64_t i = 0; i < n; i++) count[size_of(g, out->shift, list[i])]++;
    if (n == 0) return;
    if (how == SAMPLE_MVS)
        find_mvs(count, n, share, out);
    else
        find_goss(count, n, share, out);
}

double row_chance(const struct grad *g, const struct row_chances *c, int64_t row)
{
    int64_t v = size_of(g, c->shift, row);
    double p = c->how == SAMPLE_MVS   ? mvs_size(c->ridge, v) / c->edge
               : (double)v >= c->edge ? 1
                                      : c->rest;
    return p < 1 ? p : 1;
}

/* ---- groups ---- */

int64_t row_groups_draw(const int64_t *group, int64_t n, uint64_t seed, struct arena *a,
                        int64_t *unit)
{
    struct rng_key key = rng_key(seed, "stop");
    uint64_t *draw = arena_array(a, n + 1, sizeof *draw);
    uint32_t *order = arena_array(a, n + 1, sizeof *order);
    int64_t n_groups = 0;
    if (!draw || !order) return 0;
    for (int64_t i = 0; i < n; i++) draw[i] = rng_u64(rng_at(key, group[i], 0, 0));
    if (sort_index_u64(a, draw, n, order)) return 0;
    for (int64_t p = 0; p < n; p++) { /* two groups of one draw count as one */
        if (p && draw[order[p]] != draw[order[p - 1]]) n_groups++;
        unit[order[p]] = n_groups;
    }
    return n > 0 ? n_groups + 1 : 0;
}
