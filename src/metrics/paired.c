/* paired.c - is one model better than another, or was it luck */
#include "metrics/paired.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/rng.h"
#include "math/roc.h"
#include "math/sort.h"
#include "math/special.h"
#include "metrics/interval.h"
#include "simd/vmath.h"

#define WILCOXON_EXACT   200
#define PERMUTATION_BITS 16

/* ---- DeLong ---- */

/* Placements of one score, by row. */
static tide_status delong_places(struct arena *a, const uint8_t *pos,
                                 const double *score, int64_t n, double *area,
                                 double *by_row, tide_error *err)
{
    struct roc r;
    double *place;
    if (roc_sort(a, score, pos, NULL, n, &r)) return arena_status(a, err);
    *area = roc_area(&r);
    if (isnan(*area))
        return err_set(err, TIDE_CODE_DATA_ONE_CLASS, "auc needs rows of both classes");
    place = arena_array(a, n, sizeof *place);
    if (!place || roc_places(a, &r, place)) return arena_status(a, err);
    for (int64_t i = 0; i < n; i++) by_row[r.row[i]] = place[i] - *area;
    return TIDE_OK;
}

/* Sum over the rows of one class of x y / (m - 1) / m. */
static double delong_cov(const uint8_t *pos, int which, const double *x,
                         const double *y, int64_t n)
{
    double sum = 0, m = 0;
    for (int64_t i = 0; i < n; i++) {
        if ((pos[i] != 0) != which) continue;
        sum += x[i] * y[i];
        m += 1;
    }
    return sum / (m - 1) / m;
}

tide_status paired_delong(struct arena *a, const uint8_t *pos, const double *score_a,
                          const double *score_b, int64_t n, struct paired_delong *out,
                          tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    double *x = arena_array(a, n > 0 ? n : 1, sizeof *x);
    double *y = arena_array(a, n > 0 ? n : 1, sizeof *y);
    double va, vb, cov, se, diff;
    tide_status status;
    *out = (struct paired_delong){0};
    if (!x || !y) return arena_status(a, err);
    status = delong_places(a, pos, score_a, n, &out->auc_a, x, err);
    if (!status) status = delong_places(a, pos, score_b, n, &out->auc_b, y, err);
    if (status) return status;
    va = delong_cov(pos, 1, x, x, n) + delong_cov(pos, 0, x, x, n);
    vb = delong_cov(pos, 1, y, y, n) + delong_cov(pos, 0, y, y, n);
    cov = delong_cov(pos, 1, x, y, n) + delong_cov(pos, 0, x, y, n);
    diff = out->auc_a - out->auc_b;
    se = va + vb - 2 * cov;
    se = sqrt(se > 0 ? se : 0);
    out->se_a = sqrt(va);
    out->se_b = sqrt(vb);
    out->z = se > 0 ? diff / se : (double)NAN;
    out->p = vm_erfc(fabs(out->z) / 1.4142135623730951);
    out->lo = diff - INTERVAL_Z * se;
    out->hi = diff + INTERVAL_Z * se;
    arena_reset(a, mark);
    return TIDE_OK;
}

/* ---- McNemar ---- */

struct paired_test paired_mcnemar_exact(int64_t only_a, int64_t only_b)
{
    int64_t less = only_a < only_b ? only_a : only_b;
    struct paired_test t = {(double)less, 1, "exact"};
    if (only_a + only_b > 0) t.p = special_binom_two_sided(less, only_a + only_b);
    return t;
}

struct paired_test paired_mcnemar_corrected(int64_t only_a, int64_t only_b)
{
    double n = (double)only_a + (double)only_b;
    double d = fabs((double)only_a - (double)only_b) - 1;
    struct paired_test t = {0, 1, "chi2"};
    if (!(n > 0)) return t;
    if (d < 0) d = 0;
    t.statistic = d * d / n;
    t.p = special_chi2_sf(t.statistic, 1);
    return t;
}

/* ---- folds ---- */

struct paired_test paired_corrected_t(const double *d, int64_t n, double test_share)
{
    double mean = 0, var = 0;
    struct paired_test t = {(double)NAN, (double)NAN, "t"};
    if (n < 2) return t;
    for (int64_t i = 0; i < n; i++) mean += d[i];
    mean /= (double)n;
    for (int64_t i = 0; i < n; i++) var += (d[i] - mean) * (d[i] - mean);
    var /= (double)(n - 1);
    if (!(var > 0)) {
        if (mean == 0) t = (struct paired_test){0, 1, "t"};
        return t;
    }
    t.statistic = mean / sqrt((1 / (double)n + test_share) * var);
    t.p = 2 * special_t_cdf(-fabs(t.statistic), (double)(n - 1));
    return t;
}

/* ---- Wilcoxon ---- */

/* Law of the rank sum (in half ranks) under random signs, cut at `upto`: P(W <= upto). */
static tide_status wilcoxon_exact(struct arena *a, const int64_t *twice, int64_t n,
                                  int64_t upto, double *out, tide_error *err)
{
    double *p = arena_array(a, upto + 1, sizeof *p);
    if (!p) return arena_status(a, err);
    memset(p, 0, (size_t)(upto + 1) * sizeof *p);
    p[0] = 1;
    for (int64_t i = 0; i < n; i++)
        for (int64_t s = upto; s >= 0; s--)
            p[s] = 0.5 * p[s] + (s >= twice[i] ? 0.5 * p[s - twice[i]] : 0);
    *out = 0;
    for (int64_t s = 0; s <= upto; s++) *out += p[s];
    return TIDE_OK;
}

/* Twice the mid-rank of each of n sorted sizes; returns sum of t^3 - t over ties. */
static double wilcoxon_ranks(const double *size, const uint32_t *idx, int64_t n,
                             int64_t *twice)
{
    double ties = 0;
    for (int64_t i = 0, j; i < n; i = j) {
        double t;
        for (j = i; j < n && size[idx[j]] == size[idx[i]]; j++) {
        }
        for (int64_t s = i; s < j; s++) twice[idx[s]] = i + 1 + j;
        t = (double)(j - i);
        ties += t * t * t - t;
    }
    return ties;
}

static double wilcoxon_normal(int64_t n, double w, double ties)
{
    double m = (double)n;
    double mean = m * (m + 1) / 4, var = m * (m + 1) * (2 * m + 1) / 24 - ties / 48;
    return var > 0 ? vm_erfc(fabs(w - mean) / sqrt(2 * var)) : 1;
}

tide_status paired_wilcoxon(struct arena *a, const double *d, int64_t n,
                            struct paired_test *out, tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    int64_t cap = n > 0 ? n : 1, m = 0, plus = 0, all = 0, less;
    double *size = arena_array(a, cap, sizeof *size), ties, p = 1;
    uint8_t *up = arena_array(a, cap, 1);
    uint32_t *idx = arena_array(a, cap, sizeof *idx);
    int64_t *twice = arena_array(a, cap, sizeof *twice);
    tide_status status = TIDE_OK;
    *out = (struct paired_test){0, 1, "exact"};
    if (!size || !up || !idx || !twice) return arena_status(a, err);
    for (int64_t i = 0; i < n; i++) {
        if (d[i] == 0 || isnan(d[i])) continue;
        up[m] = d[i] > 0;
        size[m++] = fabs(d[i]);
    }
    if (sort_index_f64(a, size, m, idx)) return arena_status(a, err);
    ties = wilcoxon_ranks(size, idx, m, twice);
    for (int64_t i = 0; i < m; i++) {
        all += twice[i];
        plus += up[i] ? twice[i] : 0;
    }
    less = plus < all - plus ? plus : all - plus;
    out->statistic = (double)less / 2;
    if (m > 0 && m <= WILCOXON_EXACT) {
        status = wilcoxon_exact(a, twice, m, less, &p, err);
        p *= 2;
    } else if (m > 0) {
        p = wilcoxon_normal(m, out->statistic, ties);
        out->method = "normal";
    }
    out->p = p < 1 ? p : 1;
    if (!status) arena_reset(a, mark);
    return status;
}

/* ---- permutation of signs ---- */

struct paired_test paired_permutation(const double *d, int64_t n, int64_t draws,
                                      uint64_t seed)
{
    struct rng_key key = rng_key(seed, "signs");
    struct paired_test t = {(double)NAN, 1, "signs"};
    int exact = n <= PERMUTATION_BITS;
    double sum = 0, size = 0, slack;
    int64_t hits = 0, all = exact ? (int64_t)1 << n : draws;
    if (n < 1) return t;
    for (int64_t i = 0; i < n; i++) {
        sum += d[i];
        size += fabs(d[i]);
    }
    slack = size * 1e-12; /* equal sums in another order are ties */
    for (int64_t b = 0; b < all; b++) {
        double s = 0;
        struct rng_word r = {{0}};
        for (int64_t i = 0; i < n; i++) {
            uint32_t bits;
            if (!exact && (i & 127) == 0) r = rng_at(key, i >> 7, 0, (uint32_t)b);
            bits = exact ? (uint32_t)(b >> i) : r.w[(i & 127) >> 5] >> (i & 31);
            s += bits & 1 ? d[i] : -d[i];
        }
        hits += fabs(s) >= fabs(sum) - slack;
    }
    t.statistic = sum / (double)n;
    t.p = exact ? (double)hits / (double)all : (double)(hits + 1) / (double)(all + 1);
    if (exact) t.method = "exact";
    return t;
}

/* ---- Friedman ---- */

tide_status paired_friedman(struct arena *a, const double *m, int64_t n, int64_t k,
                            struct paired_test *out, tide_error *err)
{
    struct arena_mark mark = arena_mark(a);
    uint32_t *idx = arena_array(a, k > 0 ? k : 1, sizeof *idx);
    int64_t *twice = arena_array(a, k > 0 ? k : 1, sizeof *twice);
    double *sum = arena_array(a, k > 0 ? k : 1, sizeof *sum);
    double ties = 0, squares = 0, rows = (double)n, models = (double)k, fix;
    *out = (struct paired_test){(double)NAN, (double)NAN, "chi2"};
    if (!idx || !twice || !sum) return arena_status(a, err);
    if (n < 1 || k < 2)
        return err_set(
            err, TIDE_CODE_DATA_FEW_ROWS,
            "friedman's test needs 1 data set and 2 models, not %lld and %lld",
            (long long)n, (long long)k);
    for (int64_t j = 0; j < k; j++) sum[j] = 0;
    for (int64_t i = 0; i < n; i++) {
        if (sort_index_f64(a, m + i * k, k, idx)) return arena_status(a, err);
        ties += wilcoxon_ranks(m + i * k, idx, k, twice);
        for (int64_t j = 0; j < k; j++) sum[j] += (double)twice[j] / 2;
    }
    for (int64_t j = 0; j < k; j++) squares += sum[j] * sum[j];
    fix = 1 - ties / (rows * models * (models * models - 1));
    arena_reset(a, mark);
    if (!(fix > 0)) {
        *out = (struct paired_test){0, 1, "chi2"};
        return TIDE_OK;
    }
    out->statistic =
        (12 / (rows * models * (models + 1)) * squares - 3 * rows * (models + 1)) / fix;
    out->p = special_chi2_sf(out->statistic, models - 1);
    return TIDE_OK;
}
