/* simd_tree.c - quantiser, histogram, partition and split scan against their plain meaning,
 * on every instruction set of this machine */
#include <float.h>
#include <math.h>

#include "base/rng.h"
#include "simd/simd.h"
#include "simd/vmath.h"
#include "support/unit.h"

static int sets_of(const struct simd_table *out[3])
{
    int n = 0;
    out[n++] = &simd_table_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        out[n++] = &simd_table_avx2;
    if (__builtin_cpu_supports("avx512vbmi2") &&
        __builtin_cpu_supports("avx512vpopcntdq"))
        out[n++] = &simd_table_avx512;
#endif
    return n;
}

static uint32_t draw(uint64_t i, uint32_t j)
{
    return rng_at(rng_key(7, "simd_tree"), (int64_t)i, j, 0).w[0];
}
static double unit(uint64_t i, uint32_t j)
{
    return draw(i, j) * 0x1p-32;
}

TEST(quantise_by_a_grid_has_the_codes_of_a_search)
{
    enum { ROWS = 700 };
    const struct simd_table *set[3];
    static struct simd_grid grid;
    int sets = sets_of(set), made = 0;
    double edge[254], x[ROWS];
    for (int kind = 0; kind < 5; kind++) /* evenly, in clusters, tiny, huge, skew */
        for (int n_edge = 1; n_edge <= 254;
             n_edge = n_edge < 20 ? n_edge + 1 : n_edge + 117) {
            double at = kind == 3 ? -1.7e308 : -1;
            for (int i = 0; i < n_edge; i++) {
                double step = 0.001 + unit((uint64_t)i, 90);
                if (kind == 1 && i % 3) step *= 1e-3;
                if (kind == 2) step *= 1e-300;
                if (kind == 3) step *= 1.3e306;
                if (kind == 4) step *= i;
                edge[i] = at += step;
            }
            for (int i = 0; i < ROWS; i++) {
                double e = edge[draw((uint64_t)i, 91) % (uint32_t)n_edge];
                x[i] = i % 31 == 0   ? (double)NAN
                       : i % 37 == 0 ? (i % 2 ? 1 : -1) * (double)INFINITY
                       : i % 2       ? e
                               : e + (unit((uint64_t)i, 92) - 0.5) * fabs(e) * 0.1;
            }
            if (!simd_grid_new(edge, n_edge, &grid)) continue;
            made++;
            for (int s = 0; s < sets; s++)
                for (int n = 0; n <= ROWS; n = n < 66 ? n + 1 : 2 * n) {
                    uint8_t want[ROWS], got[ROWS];
                    simd_table_base.quantise_u8(x, n, edge, n_edge, want);
                    set[s]->quantise_grid(&grid, x, n, edge, n_edge, got);
                    CHECK_MSG(memcmp(want, got, (size_t)n) == 0,
                              "kind %d, %d edges, %d rows on %s", kind, n_edge, n,
                              set[s]->name);
                }
        }
    CHECK_MSG(made > 10, "%d grids", made);
    CHECK(!simd_grid_new(edge, 3, &grid));
}

TEST(quantise_counts_the_edges_below)
{
    const struct simd_table *set[3];
    int sets = sets_of(set);
    double edge[1000], x[523];
    for (int n_edge = 0; n_edge <= 1000;
         n_edge = n_edge < 20 ? n_edge + 1 : n_edge * 2 - 7) {
        for (int i = 0; i < n_edge; i++) edge[i] = (double)i * 0.25 - 10;
        for (int i = 0; i < 523; i++)
            x[i] = i % 17 == 0 ? (double)NAN
                   : i % 3 == 0 && n_edge > 0
                       ? edge[draw((uint64_t)i, 1) % (uint32_t)n_edge]
                       : unit((uint64_t)i, 2) * 300 - 20;
        for (int s = 0; s < sets; s++) {
            uint8_t c8[523];
            uint16_t c16[523];
            if (n_edge <= 254) set[s]->quantise_u8(x, 523, edge, n_edge, c8);
            set[s]->quantise_u16(x, 523, edge, n_edge, c16);
            int bad = 0;
            for (int i = 0; i < 523; i++) {
                int want = 0;
                while (want < n_edge && edge[want] < x[i]) want++;
                if (isnan(x[i]))
                    bad += c16[i] != 65535 || (n_edge <= 254 && c8[i] != 255);
                else
                    bad += c16[i] != want || (n_edge <= 254 && c8[i] != want);
            }
            CHECK_MSG(!bad, "%d codes differ with %d edges on %s", bad, n_edge,
                      set[s]->name);
        }
    }
}

TEST(quantise_of_few_rows_is_the_same)
{
    double edge[3] = {-1, 0, 1}, x[3] = {-1, 0.5, 2};
    for (int n = 1; n <= 3; n++) {
        uint8_t c[3];
        simd_get(NULL)->quantise_u8(x, n, edge, 3, c);
        for (int i = 0; i < n; i++) CHECK_INT(c[i], i == 0 ? 0 : i + 1);
    }
}

TEST(histograms_add_every_row_once)
{
    enum { N = 1500 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint8_t codes[N * 24];
    static uint32_t gq[N], ids[N];
    static uint64_t hist[TREE_HIST_LANES * 256], want[TREE_HIST_LANES * 256];
    for (int i = 0; i < N; i++) {
        int32_t g = (int32_t)(draw((uint64_t)i, 3) % 65533) - 32766;
        gq[i] = (uint32_t)g << 16 | (draw((uint64_t)i, 4) & 65535);
    }
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (uint8_t)draw(i, 5);
    for (int lanes = 1; lanes <= TREE_HIST_LANES; lanes++) {
        int64_t stride = (lanes + 7) / 8 * 8 + (lanes % 3 ? 0 : 8);
        for (int with_ids = 0; with_ids < 2; with_ids++) {
            int64_t n = 0;
            memset(want, 0, sizeof want);
            for (uint32_t i = 0; i < N; i++) {
                if (with_ids && draw(i, 6) % 3) continue;
                ids[n++] = i;
                int64_t g = (int32_t)gq[i] >> 16, h = gq[i] & 65535;
                for (int l = 0; l < lanes; l++)
                    want[l * 256 + codes[i * stride + l]] +=
                        ((uint64_t)g << 32) + (uint64_t)h;
            }
            for (int s = 0; s < sets; s++) {
                memset(hist, 0, sizeof hist);
                set[s]->tree_hist(codes, stride, lanes, with_ids ? ids : NULL, n, gq, 0,
                                  hist);
                CHECK_MSG(memcmp(hist, want, sizeof hist) == 0, "%d lanes differ on %s",
                          lanes, set[s]->name);
            }
        }
    }
}

/* Rows that are fetched ahead. */
TEST(histograms_of_far_rows_add_every_row_once)
{
    enum { N = 3000, STRIDE = 1024, LANES = 15 };
    static const int sizes[7] = {1, 2, 16, 17, 96, 97, N};
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint8_t codes[N * STRIDE];
    static uint32_t gq[N], ids[N];
    static uint64_t hist[LANES * 256], want[LANES * 256];
    for (uint32_t i = 0; i < N; i++) {
        gq[i] = draw(i, 3);
        ids[i] = i;
        for (int l = 0; l < LANES; l++)
            codes[i * STRIDE + (uint32_t)l] = (uint8_t)draw(i * 31 + (uint32_t)l, 5);
    }
    for (int k = 0; k < 7; k++) {
        int n = sizes[k];
        ids[n - 1] = n == N ? N - 1 : (uint32_t)N - 2; /* the last one is far */
        memset(want, 0, sizeof want);
        for (int i = 0; i < n; i++)
            for (int l = 0; l < LANES; l++)
                want[l * 256 + codes[ids[i] * STRIDE + (uint32_t)l]] +=
                    ((uint64_t)(int64_t)((int32_t)gq[ids[i]] >> 16) << 32) +
                    (gq[ids[i]] & 65535);
        for (int s = 0; s < sets; s++) {
            memset(hist, 0, sizeof hist);
            set[s]->tree_hist(codes, STRIDE, LANES, ids, n, gq, 1, hist);
            CHECK_MSG(memcmp(hist, want, sizeof hist) == 0, "%d rows differ on %s", n,
                      set[s]->name);
        }
        ids[n - 1] = (uint32_t)n - 1;
    }
}

/* Codes that go left: any, those up to one with or without the missing, those up to one and a
 * further one, all, none. */
static void sides_by_kind(int kind, uint8_t left[256])
{
    for (int c = 0; c < 256; c++)
        left[c] = (uint8_t)(kind == 0 ? draw((uint64_t)c, 8) & 1 : c <= 17 * kind);
    if (kind > 0) left[255] = kind & 1 ? 1 : 0;
    if (kind == 3) left[200] = 1;
    if (kind > 4) memset(left, kind == 5 ? 1 : 0, 256);
}

TEST(partition_is_stable_and_works_in_place)
{
    enum { N = 3000, APART = 150, KINDS = 7 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint8_t column[N * APART + 64], left[256];
    static uint32_t ids[N], in_place[N], right[N + 64];
    for (int i = 0; i < N * APART; i++) column[i] = (uint8_t)draw((uint64_t)i, 7);
    for (int n = 0; n <= N; n = n < 70 ? n + 1 : n == 1890 ? N : n * 3)
        for (int k = 0; k < KINDS * 2 * sets; k++) {
            const struct simd_table *on = set[k % sets];
            int is_far = k / sets % 2, bad = 0;
            sides_by_kind(k / sets / 2, left);
            for (int i = 0; i < n; i++) {
                uint32_t u = draw((uint64_t)i, 9);
                in_place[i] = ids[i] = is_far ? (uint32_t)i * APART + u % APART : u % N;
            }
            int64_t l = on->tree_part(column, in_place, n, left, in_place, right),
                    a = 0, b = 0;
            for (int i = 0; i < n; i++)
                if (left[column[ids[i]]])
                    bad += in_place[a++] != ids[i];
                else
                    bad += right[b++] != ids[i];
            CHECK_INT(l, a);
            CHECK_MSG(!bad, "%d of %d rows differ on %s", bad, n, on->name);
        }
}

TEST(ranks_are_places_among_the_codes_that_are_there)
{
    enum { N = 4096, CODES = 65534 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint64_t seen[CODES / 32 + 1];
    static uint16_t code[N], raw[N], place[CODES];
    for (uint32_t codes = 1; codes <= CODES;
         codes = codes < 9000 ? codes * 7 : CODES + 1)
        for (int n = 1; n <= N; n = n < 5 ? n + 1 : n * 3)
            for (int s = 0; s < sets; s++) {
                uint32_t want = 0;
                int bad = 0;
                memset(place, 0, sizeof place);
                for (int i = 0; i < n; i++) {
                    code[i] = raw[i] = (uint16_t)(draw((uint64_t)i, 11) % codes);
                    place[raw[i]] = 1;
                }
                for (uint32_t c = 0; c < codes; c++)
                    if (place[c]) place[c] = (uint16_t)want++;
                uint32_t got = set[s]->tree_rank(code, n, codes, seen, code);
                CHECK_INT(got, want);
                for (int i = 0; i < n; i++) bad += code[i] != place[raw[i]];
                for (size_t k = 0; k < CODES / 32 + 1; k++) bad += seen[k] != 0;
                CHECK_MSG(!bad, "%d differ on %s", bad, set[s]->name);
            }
}

TEST(lists_of_cells_hold_sums_up_to_each)
{
    enum { N = 300 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    uint64_t cell[N], sum[N];
    uint16_t code[N];
    for (int n = 1; n <= N; n++)
        for (int s = 0; s < sets; s++) {
            int64_t m = 0;
            uint64_t all = 0;
            for (int c = 0; c < n; c++)
                cell[c] = draw((uint64_t)c, 12) % 3
                              ? (uint64_t)draw((uint64_t)c, 13) << 8
                              : 0;
            int64_t got = set[s]->tree_list(cell, n, code, sum);
            for (int c = 0; c < n; c++) {
                uint64_t v = draw((uint64_t)c, 12) % 3
                                 ? (uint64_t)draw((uint64_t)c, 13) << 8
                                 : 0;
                CHECK_INT(cell[c], 0);
                all += v;
                if (!v) continue;
                CHECK(m < got && code[m] == c && sum[m] == all);
                m++;
            }
            CHECK_INT(got, m);
        }
}

TEST(the_first_cut_of_least_gini_impurity_wins)
{
    enum { N = 100 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    uint64_t sum[N];
    for (int n = 1; n <= N; n++)
        for (int64_t least = 1; least < 30; least += 13)
            for (int s = 0; s < sets; s++) {
                int64_t a = 0, b = 0, want = -1;
                double num = (double)INFINITY, den = 1, best[2] = {num, den};
                for (int i = 0; i < n; i++) {
                    a += draw((uint64_t)i, 14) % 3;
                    b += draw((uint64_t)i, 15) % (n % 2 ? 2 : 40);
                    sum[i] = (uint64_t)a | (uint64_t)b << 32;
                }
                int64_t s0 = a + 1, s1 = b + 2;
                for (int i = 0; i < n; i++) {
                    double l0 = (double)(sum[i] & UINT32_MAX),
                           l1 = (double)(sum[i] >> 32);
                    double r0 = (double)s0 - l0, r1 = (double)s1 - l1;
                    double nl = l0 + l1, nr = r0 + r1;
                    double x = l0 * l1 * nr + r0 * r1 * nl;
                    if (nl < (double)least || nr < (double)least) continue;
                    if (!(x * den < num * (nl * nr))) continue;
                    num = x;
                    den = nl * nr;
                    want = i;
                }
                CHECK_INT(set[s]->tree_gini(sum, n, s0, s1, least, best), want);
                CHECK(best[0] == num && best[1] == den);
            }
}

/* The plain loop over a column's cells that tree_cells and tree_few must agree with. */
static int cut_of(const uint32_t *cell, int64_t n, struct simd_cut *cut)
{
    int found = 0, open = 0;
    uint32_t left = 0;
    for (int64_t c = 0; c < n; c++) {
        if (!cell[c]) continue;
        if (open) cut->hi = (uint16_t)c;
        open = 0;
        left += cell[c];
        double l0 = left & 65535, l1 = left >> 16;
        double r0 = (double)cut->s0 - l0, r1 = (double)cut->s1 - l1;
        double nl = l0 + l1, nr = r0 + r1, num = l0 * l1 * nr + r0 * r1 * nl;
        if (nl < (double)cut->least || nr < (double)cut->least) continue;
        if (!(num * cut->den < cut->num * (nl * nr))) continue;
        cut->num = num;
        cut->den = nl * nr;
        cut->left = left;
        cut->lo = (uint16_t)c;
        found = open = 1;
    }
    return found;
}

static int is_same_cut(const struct simd_cut *a, const struct simd_cut *b)
{
    return a->num == b->num && a->den == b->den && a->left == b->left &&
           a->lo == b->lo && a->hi == b->hi;
}

/* The best so far is none, or one that some columns beat. */
static struct simd_cut cut_begin(int64_t s0, int64_t s1, int kind)
{
    struct simd_cut cut = {
        .num = (double)INFINITY, .den = 1, .s0 = s0, .s1 = s1, .least = 1};
    if (kind & 1) cut.least = 3;
    if (kind & 2) {
        cut.num = (double)s0 * (double)s1 * 0.9;
        cut.den = (double)(s0 + s1);
    }
    return cut;
}

TEST(cells_give_the_first_cut_of_least_impurity)
{
    enum { N = 900 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint32_t cell[N], copy[N];
    for (int n = 1; n <= N; n = n < 40 ? n + 1 : n * 2 - 3)
        for (uint32_t k = 0; k < 24; k++) {
            int64_t s0 = 0, s1 = 0;
            uint32_t big = k % 3 == 2 ? 32767 / (2 * (uint32_t)n) : 2;
            for (int c = 0; c < n; c++) {
                uint32_t a = draw((uint64_t)c, 100 + k) % (big + 1);
                uint32_t b = draw((uint64_t)c, 200 + k) % (big + 1);
                if (draw((uint64_t)c, 300 + k) % 4 < k % 4) a = b = 0;
                cell[c] = a | b << 16;
                s0 += a;
                s1 += b;
            }
            struct simd_cut want = cut_begin(s0, s1, (int)k / 6);
            int found = cut_of(cell, n, &want);
            for (int s = 0; s < sets; s++) {
                struct simd_cut got = cut_begin(s0, s1, (int)k / 6);
                int left = 0;
                memcpy(copy, cell, sizeof cell);
                CHECK_INT(set[s]->tree_cells(copy, n, &got), found);
                CHECK(is_same_cut(&got, &want));
                for (int c = 0; c < n; c++) left += copy[c] != 0;
                CHECK_INT(left, 0);
            }
        }
}

TEST(a_handful_of_rows_gives_the_cut_that_cells_give)
{
    enum { CODES = 256 };
    const struct simd_table *set[3];
    int sets = sets_of(set), tried = 0;
    uint16_t code[CODES + 1] = {0}, ids[SIMD_FEW] = {0};
    uint32_t two[SIMD_FEW] = {0}, cell[CODES];
    for (uint32_t k = 0; k < 400; k++)
        for (int n = 1; n <= SIMD_FEW; n++) {
            int64_t s0 = 0, s1 = 0;
            uint32_t codes = 1 + draw(k, 41) % (k % 2 ? 6 : CODES),
                     heavy = k % 3 ? 3 : 30;
            memset(cell, 0, sizeof cell);
            for (int i = 0; i < n; i++) {
                ids[i] = (uint16_t)((draw(k, 40) + 7 * (uint32_t)i) % CODES);
                code[ids[i]] = (uint16_t)(draw((uint64_t)i, 1000 + k) % codes);
                uint32_t w = 1 + draw((uint64_t)i, 3000 + k) % heavy;
                int second = draw((uint64_t)i, 5000 + k) % 2;
                two[i] = w << 16 * second;
                cell[code[ids[i]]] += two[i];
                *(second ? &s1 : &s0) += w;
            }
            struct simd_cut want = cut_begin(s0, s1, (int)k % 4);
            int found = cut_of(cell, codes, &want);
            for (int s = 0; s < sets; s++) {
                struct simd_cut got = cut_begin(s0, s1, (int)k % 4);
                int is = set[s]->tree_few(code, ids, two, n, &got);
                if (is < 0) continue; /* has no quick way */
                tried++;
                CHECK_INT(is, found);
                CHECK(is_same_cut(&got, &want));
            }
        }
    CHECK(tried >= 400 * 8 * sets);
}

TEST(few_rows_go_to_their_sides_in_order)
{
    const struct simd_table *set[3];
    int sets = sets_of(set);
    for (int n = 1; n <= SIMD_PART; n++)
        for (uint32_t k = 0; k < 60; k++)
            for (int s = 0; s < sets; s++) {
                float image[3 * 64];
                uint16_t code[65] = {0}, ids[SIMD_PART], want[SIMD_PART];
                uint32_t pay[SIMD_PART];
                int l = 0, r = 0, at[2][SIMD_PART];
                int step = k % 8 < 4 ? 1 : 3;
                for (int i = 0; i < 64; i++) {
                    code[i] = (uint16_t)(draw((uint64_t)i, 70 + k) % 9);
                    image[i * step] = code[i] ? (float)code[i] : -(float)INFINITY;
                }
                struct simd_part side = {.image = k % 2 ? image : NULL,
                                         .step = step,
                                         .code = code,
                                         .floor =
                                             k % 4 == 1 ? -FLT_MAX : -(float)INFINITY,
                                         .top = (float)(k % 9),
                                         .sub = k % 4 == 0,
                                         .most = (uint16_t)(k % 9)};
                for (int i = 0; i < n; i++) {
                    uint16_t id = ids[i] = (uint16_t)((5 * i + (int)k) % 64);
                    float v = k % 2 ? image[id * step] : 0;
                    int left = side.image
                                   ? v >= side.floor && v <= side.top
                                   : (uint16_t)(code[id] - side.sub) <= side.most;
                    pay[i] = 1000u + id;
                    if (left)
                        at[0][l++] = id;
                    else
                        at[1][r++] = id;
                }
                for (int i = 0; i < n; i++)
                    want[i] = (uint16_t)(i < l ? at[0][i] : at[1][i - l]);
                CHECK_INT(set[s]->tree_part_few(&side, ids, pay, n), l);
                for (int i = 0; i < n; i++)
                    CHECK(ids[i] == want[i] && pay[i] == 1000u + want[i]);
            }
}

TEST(ranges_pass_over_missing_and_sides_are_added_up)
{
    enum { N = 100 };
    const float inf = (float)INFINITY;
    const struct simd_table *set[3];
    int sets = sets_of(set);
    float x[N];
    uint32_t pay[N];
    for (int n = 1; n <= N; n++)
        for (int kind = 0; kind < 4; kind++) { /* none, some, most, all missing */
            float least = inf, most = -inf, range[2];
            int gaps = 0;
            for (int i = 0; i < n; i++) {
                uint32_t r = draw((uint64_t)i, 16 + (uint32_t)kind);
                x[i] = r % 3 < (uint32_t)kind ? -inf : (float)(r % 37) - 18;
                pay[i] = draw((uint64_t)i, 20) % 2000;
                gaps |= x[i] == -inf;
                least = x[i] < least && x[i] != -inf ? x[i] : least;
                most = x[i] > most ? x[i] : most;
            }
            for (int s = 0; s < sets; s++) {
                CHECK_INT(set[s]->tree_span(NULL, NULL, x, n, range), gaps);
                CHECK(range[0] == least && range[1] == most);
                uint16_t back[N];
                float y[N];
                for (int i = 0; i < n; i++) back[i] = (uint16_t)(n - 1 - i);
                CHECK_INT(set[s]->tree_span(x, back, y, n, range), gaps);
                CHECK(range[0] == least && range[1] == most);
                for (int i = 0; i < n; i++) CHECK(y[i] == x[n - 1 - i]);
                for (int top = -20; top < 20; top += 7)
                    for (int low = 0; low < 2; low++) {
                        float floor = low ? -FLT_MAX : -inf;
                        uint64_t want = 0;
                        for (int i = 0; i < n; i++)
                            if (x[i] >= floor && x[i] <= (float)top)
                                want += (uint64_t)(pay[i] >> 1) << 32 * (pay[i] & 1);
                        CHECK(set[s]->tree_between(x, pay, n, floor, (float)top) ==
                              want);
                    }
            }
        }
}

TEST(columns_side_by_side_have_the_ranges_and_sums_of_each)
{
    enum { N = 40, ROWS = 50, COLUMNS = 11 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    float image[ROWS * COLUMNS], x[N * SIMD_DRAWN];
    uint16_t ids[N];
    uint32_t two[N];
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        uint32_t r = draw(i, 90);
        image[i] = r % 41 ? (float)(r % 37) - 18 : -(float)INFINITY;
    }
    for (uint32_t i = 0; i < N; i++) {
        ids[i] = (uint16_t)(draw(i, 91) % ROWS);
        two[i] = (1 + draw(i, 92) % 9) << 16 * (draw(i, 93) % 2);
    }
    for (int lanes = 1; lanes <= SIMD_DRAWN; lanes++)
        for (int n = 1; n <= N; n++)
            for (int s = 0; s < sets; s++) {
                int by_rows = n % 2, each = simd_drawn_step(lanes);
                struct simd_cells_of of = {
                    .image = image, .step = by_rows ? COLUMNS : 1, .lanes = lanes};
                float low[SIMD_DRAWN], high[SIMD_DRAWN], top[SIMD_DRAWN] = {0};
                uint32_t left[SIMD_DRAWN];
                for (int k = 0; k < lanes; k++) {
                    int column = (3 * k + n) % COLUMNS;
                    of.at[k] = column * (by_rows ? 1 : ROWS);
                    top[k] = (float)((7 * k + n) % 37) - 18;
                }
                set[s]->tree_ranges(&of, ids, n, x, low, high);
                set[s]->tree_lefts(x, two, n, lanes, top, left);
                for (int k = 0; k < lanes; k++) {
                    float least = (float)INFINITY, most = -least;
                    uint32_t sum = 0;
                    for (int i = 0; i < n; i++) {
                        float v = image[of.at[k] + ids[i] * of.step];
                        CHECK(x[each * i + k] == v);
                        least = v < least ? v : least;
                        most = v > most ? v : most;
                        sum += v <= top[k] ? two[i] : 0;
                    }
                    CHECK(low[k] == least && high[k] == most && left[k] == sum);
                }
            }
}

TEST(gains_are_the_formula_and_the_first_best_wins)
{
    const struct simd_table *set[3];
    int sets = sets_of(set);
    double gl[255], hl[255], gain[3][255];
    for (int n = 1; n <= 255; n += 7) {
        struct simd_split split = {
            .g = 3, .h = 300, .l1 = n % 2 ? 0.5 : 0, .l2 = 1, .min_h = 2};
        for (int i = 0; i < n; i++) {
            gl[i] = floor(unit((uint64_t)i, 10) * 8) - 4;
            hl[i] = floor(300.0 * i / n);
        }
        int64_t best = -1;
        for (int s = 0; s < sets; s++) {
            int64_t at = set[s]->tree_gain(gl, hl, n, &split, gain[s]);
            CHECK(s == 0 || at == best);
            CHECK(memcmp(gain[s], gain[0], (size_t)n * sizeof(double)) == 0);
            best = at;
        }
        for (int i = 0; i < n; i++) {
            double a = fabs(gl[i]) - split.l1, b = fabs(split.g - gl[i]) - split.l1;
            double p = hl[i], q = split.h - p;
            a = a > 0 ? a : 0;
            b = b > 0 ? b : 0;
            if (p < 2 || q < 2)
                CHECK(gain[0][i] == -1);
            else
                CHECK_NEAR(gain[0][i], a * a / (p + 1) + b * b / (q + 1), 1e-13);
            CHECK(gain[0][i] < gain[0][best] ||
                  (i >= best && gain[0][i] == gain[0][best]));
        }
    }
}

/* Where the best split of packed or wide cells lies, by gains in f64. */
static double gain_at(const int64_t *g, const int64_t *h, int i, int64_t sum_g,
                      int64_t sum_h, double l2)
{
    double a = (double)g[i], b = (double)(sum_g - g[i]), p = (double)h[i],
           q = (double)(sum_h - h[i]);
    return a * a / (p + l2) + b * b / (q + l2) -
           (double)sum_g * (double)sum_g / ((double)sum_h + l2);
}

TEST(the_scan_finds_the_best_split_of_integer_sums)
{
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint64_t packed[256], wide[512];
    for (int round = 0; round < 400; round++) {
        int n = 1 + round % 255;
        int64_t g[256], h[256], sum_g = 0, sum_h = 0, from[2] = {0, 0}, scaled = -2;
        for (int c = 0; c < 256; c++) {
            uint32_t u = draw((uint64_t)(round * 256 + c), 11);
            int64_t cg = u % 3 ? 0 : (int32_t)(u % 2000001) - 1000000;
            int64_t ch = u % 3 ? 0 : 1 + (u >> 4) % 3000000;
            if (c >= n && c < 255) cg = ch = 0;
            packed[c] = ((uint64_t)cg << 32) + (uint64_t)ch;
            wide[2 * c] = (uint64_t)(cg * 70001);
            wide[2 * c + 1] = (uint64_t)(ch * 70001);
            g[c] = sum_g += cg;
            h[c] = sum_h += ch;
        }
        if (round % 2) { /* missing values on the left as well */
            from[0] = g[255] - g[254];
            from[1] = h[255] - h[254];
        }
        for (int kind = 0; kind < 3; kind++) { /* 2: packed and not scaled */
            int is_wide = kind == 1;
            int64_t unit = is_wide ? 70001 : 1, first = -2, left[2] = {0, 0};
            double l2 = round % 5, m = round % 7 == 0 ? 4e7 : 1;
            struct simd_scan s = {.h = sum_h * unit,
                                  .min_h = (int64_t)m * unit,
                                  .g_scale = is_wide ? 0x1p-44f : 0x1p-28f,
                                  .h_scale = is_wide ? 0x1p-46f : 0x1p-30f};
            if (kind == 2) s.g_scale = s.h_scale = 1;
            s.l2 = (float)(l2 * (double)unit) * s.h_scale;
            s.mean = (float)((double)(sum_g * unit) /
                             ((double)s.h + 2 * l2 * (double)unit)) *
                     (s.g_scale / s.h_scale);
            for (int k = 0; k < sets; k++) {
                int64_t sum[2] = {from[0] * unit, from[1] * unit};
                int64_t at =
                    set[k]->tree_scan(is_wide ? wide : packed, is_wide, n, &s, sum);
                CHECK_MSG(k == 0 || at == first, "code %d, not %d, on %s", (int)at,
                          (int)first, set[k]->name);
                CHECK(k == 0 || (sum[0] == left[0] && sum[1] == left[1]));
                first = at;
                left[0] = sum[0];
                left[1] = sum[1];
            }
            CHECK(kind < 2 || first == scaled);
            scaled = kind == 0 ? first : scaled;
            double best = -1, got = -1;
            for (int c = 0; c < n; c++) {
                int64_t gl = g[c] + from[0], hl = h[c] + from[1];
                if (hl < (int64_t)m || sum_h - hl < (int64_t)m) continue;
                double gain = gain_at(&gl, &hl, 0, sum_g, sum_h, l2);
                best = gain > best ? gain : best;
                if (c == first) got = gain;
            }
            if (first >= 0) CHECK_INT(left[0], (g[first] + from[0]) * unit);
            if (first >= 0) CHECK_INT(left[1], (h[first] + from[1]) * unit);
            CHECK_MSG(got >= best - 1e-4 * fabs(best), "gain %g, best %g", got, best);
        }
    }
}

/* Cells of one column in a node, by kind: all met, few met, alike (ties), a part of the range met,
 * and sums that need all 32 bits. Behind the codes anything may lie. */
static struct simd_scan scan_cells(uint32_t k, int n, uint64_t cells[256])
{
    int kind = (int)(k % 5), from = kind == 3 ? n / 3 : 0,
        to = kind == 3 ? n - n / 4 : n;
    int64_t sum_g = 0, sum_h = 0;
    for (int c = 0; c < 256; c++) {
        uint32_t u = draw((uint64_t)k * 256 + (uint64_t)c, 17);
        int64_t g = (int32_t)(u % 2001) - 1000, h = 1 + (u >> 12) % 500;
        if (c < from || c >= to || (kind == 1 && u % 16)) g = h = 0;
        if (kind == 2) g = c % 2 ? 7 : -7, h = 50;
        if (kind == 4) h *= 30000;
        cells[c] = ((uint64_t)g << 32) + (uint64_t)h;
        if (c < n) sum_g += g;
        if (c < n) sum_h += h;
        if (c >= n) cells[c] = (uint64_t)u << 32 | (u * 2654435761u);
    }
    struct simd_scan s = {.h = sum_h + 40, /* of rows without a value */
                          .min_h = 1 + sum_h * (int64_t)(k / 5 % 4) / 6,
                          .g_scale = 1,
                          .h_scale = 1,
                          .l2 = (float)(k / 20 % 3)};
    s.mean = (float)sum_g / ((float)sum_h + 41);
    return s;
}

TEST(scans_have_one_answer_on_every_set)
{
    const struct simd_table *set[3];
    int sets = sets_of(set), found = 0, rounds = 0;
    for (int n = 1; n < 256; n++)
        for (uint32_t k = 0; k < 120; k++, rounds++) {
            uint64_t cells[256];
            struct simd_scan s = scan_cells(k, n, cells);
            int64_t want = -2, left[2] = {0, 0}, from = k % 2 ? 40 : 0;
            for (int i = 0; i < sets; i++) {
                int64_t sum[2] = {-from, from};
                int64_t at = set[i]->tree_scan(cells, 0, n, &s, sum);
                if (i == 0) want = at;
                CHECK_MSG(at == want, "code %d, not %d, of %d, kind %u, on %s", (int)at,
                          (int)want, n, k, set[i]->name);
                CHECK(i == 0 || at < 0 || (sum[0] == left[0] && sum[1] == left[1]));
                left[0] = sum[0];
                left[1] = sum[1];
            }
            found += want >= 0;
        }
    CHECK(found > rounds / 2 && found < rounds);
}

TEST(a_column_is_ruled_out_only_where_no_rank_is_above_the_floor)
{
    const struct simd_table *set[3];
    int sets = sets_of(set), out[3] = {0, 0, 0}, rounds = 0;
    const double share[] = {0.01, 0.5, 0.97, 1.03, 2};
    for (int n = 1; n < 256; n++)
        for (uint32_t k = 0; k < 120; k++) {
            uint64_t cells[256];
            struct simd_scan s = scan_cells(k, n, cells);
            int64_t from = k % 2 ? 40 : 0, g = -from, h = from;
            double d[256], pq[256], most = 0, mean = (double)s.mean, l2 = (double)s.l2;
            for (int c = 0; c < n; c++) {
                g += (int32_t)(cells[c] >> 32);
                h += (uint32_t)cells[c];
                double p = (double)h + l2, q = (double)(s.h - h) + l2;
                d[c] = fabs((double)g - p * mean);
                pq[c] = h >= s.min_h && s.h - h >= s.min_h ? p * q : -1;
                if (pq[c] > 0 && d[c] * d[c] / pq[c] > most) most = d[c] * d[c] / pq[c];
            }
            double error = 0x1p-20 * ((double)s.h + 2 * l2) * fabs(mean);
            for (int j = 0; j < 5; j++, rounds++) {
                float floor = (float)(share[j] * most);
                int64_t sum[2] = {-from, from};
                for (int i = 0; i < sets; i++) {
                    if (set[i]->tree_scan_may(cells, n, &s, sum, floor)) continue;
                    out[i]++;
                    for (int c = 0; c < n; c++)
                        CHECK(pq[c] < 0 ||
                              d[c] <=
                                  sqrt((double)floor * pq[c]) * (1 + 0x1p-18) + error);
                }
            }
        }
    for (int i = 0; i < sets; i++) /* no set but this one looks */
        CHECK(strcmp(set[i]->name, "avx2") != 0 || out[i] > rounds / 4);
}

TEST(dither_is_the_generator_and_rounds_down)
{
    const struct simd_table *set[3];
    int sets = sets_of(set);
    struct rng_key key = rng_key(5, "dither");
    struct simd_dither d = {key.k0, key.k1, 17, 2};
    for (int64_t id0 = 0; id0 < 9; id0++)
        for (int64_t n = 0; n < 80; n++)
            for (int s = 0; s < sets; s++) {
                uint32_t u[80], out[80];
                double g[80], h[80];
                int64_t sum[3] = {0, 0, 0}, want[3] = {0, 0, 0};
                int64_t id = id0 + (id0 == 8 ? INT64_C(0x3fffffff0) : 0);
                set[s]->tree_dither(&d, id, n, u);
                for (int64_t i = 0; i < n; i++) {
                    g[i] = unit((uint64_t)i, 12) * 2 - 1;
                    h[i] = unit((uint64_t)i, 13) / 4;
                }
                set[s]->tree_quantise(g, h, u, n, 16384, 131072, out, sum);
                int bad = 0;
                for (int64_t i = 0; i < n; i++) {
                    struct rng_word w = rng_philox(key, (uint32_t)((id + i) >> 2),
                                                   (uint32_t)((id + i) >> 34), 17, 2);
                    bad += u[i] != w.w[(id + i) & 3];
                    int64_t q = (int64_t)floor(g[i] * 16384 + (u[i] & 65535) * 0x1p-16);
                    int64_t p = (int64_t)floor(h[i] * 131072 + (u[i] >> 16) * 0x1p-16);
                    bad += out[i] != ((uint32_t)q << 16 | (uint32_t)p);
                    want[0] += q < 0 ? -q : q;
                    want[1] += p;
                    want[2] = p > want[2] ? p : want[2];
                }
                CHECK_MSG(!bad, "%d rows from %lld differ on %s", bad, (long long)id,
                          set[s]->name);
                CHECK(memcmp(sum, want, sizeof sum) == 0);
            }
}

TEST(dither_of_any_ids_is_that_of_each_row)
{
    enum { N = 400 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    struct rng_key key = rng_key(5, "dither");
    struct simd_dither d = {key.k0, key.k1, 3, 1};
    for (int kind = 0; kind < 3; kind++) /* with gaps, far apart, in no order */
        for (int64_t n = 0; n <= N; n = n < 5 ? n + 1 : 2 * n + 3) {
            int64_t ids[N], at = kind;
            uint32_t u[N], one;
            for (int64_t i = 0; i < n; i++) {
                at += 1 + (kind == 1 ? draw((uint64_t)i, 71)
                                     : !(draw((uint64_t)i, 72) % 4));
                ids[i] = kind == 2 ? draw((uint64_t)i, 73) : at;
            }
            for (int s = 0; s < sets; s++) {
                int bad = 0;
                set[s]->tree_dither_ids(&d, ids, n, u);
                for (int64_t i = 0; i < n; i++) {
                    simd_table_base.tree_dither(&d, ids[i], 1, &one);
                    bad += u[i] != one;
                }
                CHECK_MSG(!bad, "%d of %lld rows differ on %s", bad, (long long)n,
                          set[s]->name);
            }
        }
}

/* Scores near 0, far out on both sides, and no number at all. */
static double logit_score(int i)
{
    static const double odd[] = {0,     -0.0, 20.7, -20.8,    25,        -25, 1e-30,
                                 -1e-9, 800,  -800, INFINITY, -INFINITY, NAN, 1e300};
    enum { ODD = sizeof odd / sizeof odd[0] };
    return i < ODD ? odd[i] : (unit((uint64_t)i, 80) * 2 - 1) * (i % 3 ? 6 : 30);
}

TEST(derivatives_of_log_odds_are_near_the_exact_ones)
{
    enum { N = 20000 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static double score[N], g[N], h[N], g0[N], h0[N];
    static int32_t k[N];
    for (int i = 0; i < N; i++) {
        score[i] = logit_score(i);
        k[i] = (int32_t)(draw((uint64_t)i, 81) % 4) - 1;
    }
    for (int s = 0; s < sets; s++) {
        double off_g = 0, off_h = 0, off_tail = 0;
        set[s]->tree_logit(score, k, N, g, h);
        for (int i = 0; i < N; i++) {
            double p = vm_expit(score[i]), y = k[i] == 1;
            CHECK(fabs(g[i]) <= 1 && h[i] >= 0 && h[i] <= 0.25);
            if (k[i] < 0) CHECK(g[i] == 0 && h[i] == 0);
            if (k[i] < 0 || score[i] != score[i]) continue;
            /* of a row that is nearly right what is left is small, and still known */
            double rest = y > 0 ? -vm_expit(-score[i]) : p;
            off_g = fmax(off_g, fabs(g[i] - rest));
            off_h = fmax(off_h, fabs(h[i] - p * vm_expit(-score[i])));
            if (fabs(rest) < 0x1p-10)
                off_tail = fmax(off_tail, fabs(g[i] - rest) / (fabs(rest) + 0x1p-10));
        }
        CHECK_MSG(off_g < 1.2e-7 && off_h < 1.2e-7 && off_tail < 1e-6,
                  "%s: g off by %g, h by %g, tail by %g", set[s]->name, off_g, off_h,
                  off_tail);
        if (!s) {
            memcpy(g0, g, sizeof g);
            memcpy(h0, h, sizeof h);
        }
        CHECK(memcmp(g0, g, sizeof g) == 0 && memcmp(h0, h, sizeof h) == 0);
    }
}

TEST(integers_from_log_odds_are_those_of_their_derivatives)
{
    enum { N = 700 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    double score[N], g[N], h[N];
    int32_t k[N];
    uint32_t u[N], draws[N], out[N], want[N];
    for (int i = 0; i < N; i++) {
        score[i] = logit_score(i);
        k[i] = (int32_t)(draw((uint64_t)i, 82) % 4) - 1;
        u[i] = i % 5 ? draw((uint64_t)i, 83) : i % 2 ? UINT32_MAX : 0;
        draws[i] = k[i] < 0 ? 0 : u[i];
    }
    for (int s = 0; s < sets; s++)
        for (int n = 0; n <= N; n = n < 20 ? n + 1 : 2 * n - 1) {
            int64_t sum[3] = {1, 2, 3}, sum_want[3] = {1, 2, 3};
            simd_table_base.tree_logit(score, k, n, g, h);
            simd_table_base.tree_quantise(g, h, draws, n, SIMD_LOGIT_G, SIMD_LOGIT_H,
                                          want, sum_want);
            set[s]->tree_logit_quantise(score, k, u, n, out, sum);
            CHECK_MSG(memcmp(out, want, (size_t)n * sizeof *out) == 0, "%d rows on %s",
                      n, set[s]->name);
            CHECK(memcmp(sum, sum_want, sizeof sum) == 0);
        }
}

TEST(vector_histograms_are_those_of_each_output)
{
    enum { N = 3000, LANES = 19, STRIDE = 32, WIDE = 8 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint8_t codes[N * STRIDE];
    static uint32_t gq[N * WIDE], one[N], ids[N];
    static uint64_t hist[LANES * 256 * WIDE], want[LANES * 256];
    int64_t n_ids = 0;
    for (int i = 0; i < N * STRIDE; i++) codes[i] = (uint8_t)draw((uint64_t)i, 40);
    for (int i = 0; i < N * WIDE; i++) gq[i] = draw((uint64_t)i, 41);
    for (int i = 0; i < N; i++)
        if (draw((uint64_t)i, 42) % 3) ids[n_ids++] = (uint32_t)i;
    for (int s = 0; s < sets; s++)
        for (int width = 4; width <= WIDE; width += 4)
            for (int by_ids = 0; by_ids < 2; by_ids++) {
                const uint32_t *rows = by_ids ? ids : NULL;
                int64_t n = by_ids ? n_ids : N, bad = 0;
                memset(hist, 0, sizeof hist);
                set[s]->tree_hist_vector(codes, STRIDE, LANES, rows, n, gq, width,
                                         hist);
                for (int q = 0; q < width; q++) {
                    for (int i = 0; i < N; i++) one[i] = gq[i * width + q];
                    memset(want, 0, sizeof want);
                    for (int l = 0; l < LANES; l += TREE_HIST_LANES) {
                        int some =
                            LANES - l < TREE_HIST_LANES ? LANES - l : TREE_HIST_LANES;
                        simd_table_base.tree_hist(codes + l, STRIDE, some, rows, n, one,
                                                  0, want + 256 * l);
                    }
                    for (int c = 0; c < LANES * 256; c++)
                        bad += hist[c * width + q] != want[c];
                }
                CHECK_MSG(!bad, "%s, width %d: %lld cells differ", set[s]->name, width,
                          (long long)bad);
            }
}

/* Gain of one output's split less what the node has, in f64. */
static double vector_gain(double gl, double hl, double g, double h, double l2)
{
    return gl * gl / (hl + l2) + (g - gl) * (g - gl) / (h - hl + l2) -
           g * g / (h + 2 * l2);
}

TEST(vector_scans_rank_as_the_gain_on_every_set)
{
    enum { CODES = 203, WIDE = 8 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    const double l2 = 1000;
    for (int c = 0; c < 6; c++) { /* width 4, 8; packed, wide, packed with large sums */
        int width = c & 1 ? WIDE : 4, wide = c >> 1 == 1, is_large = c >> 1 == 2;
        static uint64_t cells[CODES * WIDE * 2];
        int64_t g[WIDE][CODES], h[WIDE][CODES], all[WIDE][2] = {{0}};
        int64_t start[2 * WIDE] = {0}, h_left[CODES], h_want[CODES];
        float gain[CODES], want[CODES];
        struct simd_outputs o = {.width = width,
                                 .g_scale = 0x1p-31f,
                                 .h_scale = 0x1p-32f,
                                 .l2 = (float)(l2 * 0x1p-32)};
        for (int q = 0; q < width; q++) {
            start[q] = (int64_t)(draw((uint64_t)q, 50) % 10000) - 5000;
            start[width + q] = draw((uint64_t)q, 51) % 10000;
            all[q][0] = start[q];
            all[q][1] = start[width + q];
            for (int i = 0; i < CODES; i++) {
                uint64_t at = (uint64_t)(i * WIDE + q);
                g[q][i] = (int64_t)(draw(at, 52) % 2000000) - 1000000 - 4000 * i;
                h[q][i] = draw(at, 53) % 3 ? draw(at, 54) % 4000000 : 0;
                if (is_large && q % 2) h[q][i] *= 12;
                all[q][0] += g[q][i];
                all[q][1] += h[q][i];
                size_t cell = (size_t)(i * width + q);
                if (wide) {
                    cells[2 * cell] = (uint64_t)g[q][i];
                    cells[2 * cell + 1] = (uint64_t)h[q][i];
                } else {
                    cells[cell] = ((uint64_t)g[q][i] << 32) + (uint64_t)h[q][i];
                }
            }
            double sum = (double)all[q][1] + 2 * l2;
            o.sum[q] = (float)(sum * 0x1p-32);
            o.mean[q] = (float)((double)all[q][0] / sum * 2);
            o.total[q] = (uint64_t)all[q][1] + (wide ? 0 : (uint64_t)all[q][0] << 32);
        }
        for (int s = 0; s < sets; s++) {
            double worst = 0, most = 0;
            int64_t bad = 0;
            memset(gain, 0, sizeof gain);
            memset(h_left, 0, sizeof h_left);
            set[s]->tree_scan_vector(cells, wide, CODES, &o, start, gain, h_left);
            int64_t gl[WIDE], hl[WIDE];
            for (int q = 0; q < width; q++) {
                gl[q] = start[q];
                hl[q] = start[width + q];
            }
            for (int i = 0; i < CODES; i++) {
                double exact = 0;
                int64_t sum = 0;
                for (int q = 0; q < width; q++) {
                    sum += hl[q] += h[q][i];
                    gl[q] += g[q][i];
                    exact += vector_gain((double)gl[q], (double)hl[q],
                                         (double)all[q][0], (double)all[q][1], l2);
                }
                exact *= 0x1p-30; /* g_scale^2 / h_scale */
                bad += sum != h_left[i];
                worst = fmax(worst, fabs(exact - (double)gain[i]));
                most = fmax(most, exact);
            }
            CHECK_MSG(!bad && worst < 1e-5 * most, "%s: %g of %g, %lld sums",
                      set[s]->name, worst, most, (long long)bad);
            if (!s) {
                memcpy(want, gain, sizeof want);
                memcpy(h_want, h_left, sizeof h_want);
            }
            CHECK(memcmp(want, gain, sizeof want) == 0);
            CHECK(memcmp(h_want, h_left, sizeof h_want) == 0);
        }
    }
}

TEST(softmax_by_class_has_the_bits_of_softmax_by_row)
{
    enum { MOST = 1200 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static double score[MOST], row[MOST], z[MOST], g[MOST], h[MOST];
    int32_t at[MOST];
    for (int i = 0; i < MOST; i++) {
        score[i] = draw((uint64_t)i, 60) % 1000 * 0.1 - 50;
        at[i] = (int32_t)(draw((uint64_t)i, 61) % 13);
    }
    for (int s = 0; s < sets; s++)
        for (int k = 2; k < 14; k++)
            for (int n = 1; n * k <= MOST; n = 3 * n + 1) {
                memcpy(row, score, sizeof row);
                simd_table_base.vsoftmax(row, n, k);
                set[s]->tree_softmax(score, n, k, z);
                for (int c = 0; c < k; c++) {
                    const double *p = z + c * n;
                    set[s]->tree_softmax_grad(p, at, n, c, 1.25, g, h);
                    for (int i = 0; i < n; i++) {
                        CHECK(memcmp(&p[i], &row[i * k + c], sizeof *p) == 0);
                        CHECK(g[i] == p[i] - (at[i] == c));
                        CHECK(h[i] == p[i] * (1 - p[i]) * 1.25);
                    }
                }
            }
}

TEST(places_and_pairs_of_a_query_have_one_result_on_every_set)
{
    enum { MOST = 100 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    double s[MOST + 8], e[MOST + 8], gain[MOST + 8], discount[MOST + 8];
    double g[3][MOST + 8], h[3][MOST + 8], sum[3];
    for (int m = 1; m <= MOST; m++) {
        uint32_t place[MOST];
        for (int i = 0; i < MOST + 8; i++) {
            s[i] = -0.01 * (i < m ? i : 0);
            e[i] = exp(s[i]);
            gain[i] = draw((uint64_t)i, 62) % 5;
            discount[i] = i < m ? 1 / log2(i + 2) : 2;
        }
        struct simd_pairs q = {m, s, e, gain, discount, 0.3, 0.01, 1};
        for (int t = 0; t < sets; t++) {
            memset(g[t], 0, sizeof g[t]);
            memset(h[t], 0, sizeof h[t]);
            sum[t] = set[t]->rank_pairs(&q, 30, g[t], h[t]);
            CHECK(memcmp(g[t], g[0], (size_t)m * sizeof **g) == 0);
            CHECK(memcmp(h[t], h[0], (size_t)m * sizeof **h) == 0);
            CHECK(sum[t] == sum[0]);
            double few[MOST];
            for (int i = 0; i < m; i++) few[i] = draw((uint64_t)i, 63) % 20;
            set[t]->rank_places(few, m, place);
            for (int i = 0; i < m; i++) {
                uint32_t before = 0;
                for (int j = 0; j < m; j++)
                    before += few[j] > few[i] || (few[j] == few[i] && j < i);
                CHECK_INT(place[i], before);
            }
        }
    }
}
