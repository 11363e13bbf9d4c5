/* k_pairs.c - a query's rows in their order and what its pairs say (lambdarank)
 *
 * rank_places counts, for each row, the rows that stand before it: no branch depends on a score.
 * rank_pairs takes 8 rows at a time below one place. With e = exp(score), the chance that a pair
 * is the wrong way round is e_low / (e_low + e_high), one exponential a row instead of one a pair, and
 * one division serves it and the distance of the scores. Sums over rows run in 8 lanes that meet
 * in one order, so all sets give equal bits. */
#include <math.h>

#include "simd/simd.h"
#include "simd/vmath_core.h"

void KERNEL(rank_places)(const double *s, int64_t m, uint32_t *place);
double KERNEL(rank_pairs)(const struct simd_pairs *q, int64_t tops, double *g,
                          double *h);

#define AT_ONCE 8
#define FAR     1e9 /* scores further apart weigh as if they were no further */

void KERNEL(rank_places)(const double *restrict s, int64_t m, uint32_t *restrict place)
{
    for (int64_t i = 0; i < m; i++) {
        int64_t before = 0;
        for (int64_t j = 0; j < i; j++) before += s[j] >= s[i];
        for (int64_t j = i + 1; j < m; j++) before += s[j] > s[i];
        place[i] = (uint32_t)before;
    }
}

static inline double fold(const double v[AT_ONCE])
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* Place i with the places below it; the sum of the weights of its pairs. */
static inline double place_pairs(const struct simd_pairs *q, int64_t i,
                                 double *restrict g, double *restrict h)
{
    const double *restrict e = q->e, *restrict s = q->s;
    const double *restrict gain = q->gain, *restrict discount = q->discount;
    const double e_i = e[i], s_i = s[i], gain_i = gain[i], discount_i = discount[i];
    const double near = q->near, slope = q->slope, inverse = q->inverse;
    double g_i[AT_ONCE] = {0}, h_i[AT_ONCE] = {0}, sum[AT_ONCE] = {0};
    for (int64_t j0 = (i + 1) / AT_ONCE * AT_ONCE; j0 < q->m; j0 += AT_ONCE)
        for (int64_t l = 0; l < AT_ONCE; l++) {
            int64_t j = j0 + l;
            double gap = gain_i - gain[j], apart = fabs(s_i - s[j]);
            double nearer = discount_i - discount[j];
            /* rows above, and behind the last, lie no nearer to the top: their weight is 0 */
            nearer = core_select(nearer > 0, nearer, 0);
            apart = near + slope * core_select(apart < FAR, apart, FAR);
            double low = core_select(gap >= 0, e[j], e_i);
            double high = core_select(gap >= 0, e_i, e[j]);
            double one = 1 / ((e_i + e[j]) * apart);
            double lambda = fabs(gap) * nearer * inverse * (low * one);
            double hessian = lambda * (high * one * apart);
            double signed_lambda = core_select(gap >= 0, lambda, -lambda);
            g_i[l] += signed_lambda;
            h_i[l] += hessian;
            sum[l] += lambda;
            g[j] += signed_lambda;
            h[j] += hessian;
        }
    g[i] -= fold(g_i);
    h[i] += fold(h_i);
    return fold(sum);
}

double KERNEL(rank_pairs)(const struct simd_pairs *q, int64_t tops, double *g,
                          double *h)
{
    double sum = 0;
    for (int64_t i = 0; i < tops && i + 1 < q->m; i++) sum += place_pairs(q, i, g, h);
    return sum;
}
