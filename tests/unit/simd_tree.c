/* simd_tree.c - quantiser, histogram, partition and split scan against their plain meaning,
 * on every instruction set of this machine */
#include "base/rng.h"
#include "simd/simd.h"
#include "support/unit.h"

static int sets_of(const struct simd_table *out[3])
{
    int n = 0;
    out[n++] = &simd_table_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
        out[n++] = &simd_table_avx2;
    if (__builtin_cpu_supports("avx512vbmi2")) out[n++] = &simd_table_avx512;
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
    static uint8_t codes[N * 72];
    static uint32_t gq[N], ids[N];
    static uint64_t hist[72 * 256], want[72 * 256];
    for (int i = 0; i < N; i++) {
        int32_t g = (int32_t)(draw((uint64_t)i, 3) % 65533) - 32766;
        gq[i] = (uint32_t)g << 16 | (draw((uint64_t)i, 4) & 65535);
    }
    for (size_t i = 0; i < sizeof codes; i++) codes[i] = (uint8_t)draw(i, 5);
    for (int lanes = 1; lanes <= 64; lanes += lanes < 34 ? 1 : 10) {
        int64_t stride = (lanes + 7) / 8 * 8;
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
                set[s]->tree_hist(codes, stride, lanes, with_ids ? ids : NULL, n, gq,
                                  hist);
                CHECK_MSG(memcmp(hist, want, sizeof hist) == 0, "%d lanes differ on %s",
                          lanes, set[s]->name);
            }
        }
    }
}

TEST(partition_is_stable_and_works_in_place)
{
    enum { N = 3000 };
    const struct simd_table *set[3];
    int sets = sets_of(set);
    static uint8_t column[N], left[256];
    static uint32_t ids[N], in_place[N], right[N + 64];
    for (int i = 0; i < N; i++) column[i] = (uint8_t)draw((uint64_t)i, 7);
    for (int i = 0; i < 256; i++) left[i] = draw((uint64_t)i, 8) & 1;
    for (int n = 0; n <= N; n = n < 70 ? n + 1 : n * 3)
        for (int s = 0; s < sets; s++) {
            for (int i = 0; i < n; i++) in_place[i] = ids[i] = draw((uint64_t)i, 9) % N;
            int64_t l = set[s]->tree_part(column, in_place, n, left, in_place, right),
                    a = 0, b = 0;
            int bad = 0;
            for (int i = 0; i < n; i++)
                if (left[column[ids[i]]])
                    bad += in_place[a++] != ids[i];
                else
                    bad += right[b++] != ids[i];
            CHECK_INT(l, a);
            CHECK_MSG(!bad, "%d of %d rows differ on %s", bad, n, set[s]->name);
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
