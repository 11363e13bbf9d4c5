/* sort.c - stable sorts: least significant digit first, 11 bits a pass
 *
 * Histograms of all digits come from one pass; a digit that is the same everywhere costs
 * nothing more. Below SMALL keys a merge sort is faster than clearing the histograms. Doubles
 * map to integers of the same order: negative ones inverted, positive ones with the sign set.
 * Columns are often floats or small whole numbers: doubles without rows that all fit a float
 * are sorted by 32 bits. Where only a few places of the order are asked for, the parts of the
 * range that hold them are sorted. */
#include "math/sort.h"

#include <float.h>
#include <string.h>

#define SMALL 1024
#define BITS  11
#define SLOTS (1 << BITS)

static uint64_t key_of(double x)
{
    uint64_t u;
    if (x != x) return UINT64_MAX;
    x += 0.0; /* -0 becomes +0 */
    memcpy(&u, &x, sizeof u);
    return u >> 63 ? ~u : u | (UINT64_C(1) << 63);
}

static double value_of(uint64_t k)
{
    double x;
    uint64_t u = k >> 63 ? k & ~(UINT64_C(1) << 63) : ~k;
    if (k == UINT64_MAX) u = UINT64_C(0x7ff8000000000000);
    memcpy(&x, &u, sizeof x);
    return x;
}

/* Keys with their row numbers (idx NULL: keys alone), and room for as many again. */
struct radix {
    uint64_t *key, *key2;
    uint32_t *idx, *idx2;
    int64_t n;
};

static void merge_runs(struct radix *s, int64_t lo, int64_t mid, int64_t hi)
{
    int64_t a = lo, b = mid;
    for (int64_t o = lo; o < hi; o++) {
        int64_t from = a < mid && (b >= hi || s->key[a] <= s->key[b]) ? a++ : b++;
        s->key2[o] = s->key[from];
        if (s->idx) s->idx2[o] = s->idx[from];
    }
}

static void swap_sides(struct radix *s)
{
    uint64_t *k = s->key;
    uint32_t *i = s->idx;
    s->key = s->key2, s->key2 = k;
    s->idx = s->idx2, s->idx2 = i;
}

static void sort_small(struct radix *s)
{
    for (int64_t width = 1; width < s->n; width *= 2) {
        for (int64_t lo = 0; lo < s->n; lo += 2 * width) {
            int64_t mid = lo + width < s->n ? lo + width : s->n;
            int64_t hi = lo + 2 * width < s->n ? lo + 2 * width : s->n;
            merge_runs(s, lo, mid, hi);
        }
        swap_sides(s);
    }
}

/* Counts of a digit become the places of its first key and behind its last. */
static void digit_places(uint32_t *first, uint32_t *end)
{
    uint32_t at = 0;
    for (int d = 0; d < SLOTS; d++) {
        uint32_t here = first[d];
        first[d] = at;
        end[d] = at += here;
    }
}

/* The first half of the keys goes up from the first places, the second half down from the
 * last, in turn: as stable as one run from the front, and two chains of counters wait less
 * for each other. */
static void radix_pass(struct radix *s, int shift, uint32_t *first)
{
    uint32_t end[SLOTS];
    int64_t i = 0, j = s->n - 1;
    digit_places(first, end);
    for (; i < j; i++, j--) {
        uint32_t up = first[(s->key[i] >> shift) & (SLOTS - 1)]++;
        uint32_t down = --end[(s->key[j] >> shift) & (SLOTS - 1)];
        s->key2[up] = s->key[i];
        s->key2[down] = s->key[j];
        if (s->idx) s->idx2[up] = s->idx[i], s->idx2[down] = s->idx[j];
    }
    if (i == j) {
        uint32_t up = first[(s->key[i] >> shift) & (SLOTS - 1)];
        s->key2[up] = s->key[i];
        if (s->idx) s->idx2[up] = s->idx[i];
    }
    swap_sides(s);
}

/* Sorts s->key (and s->idx) by the bits from low_bit to high_bit in place of the caller's
 * choice: look at s->key afterwards. The bits below keep the order that they have. */
static int radix_sort(struct arena *a, struct radix *s, int low_bit, int high_bit)
{
    if (s->n < SMALL) {
        sort_small(s);
        return 0;
    }
    int n_pass = (high_bit - low_bit + BITS - 1) / BITS;
    uint32_t *count = arena_zero(a, sizeof *count * SLOTS * 6);
    if (!count) return -1;
    for (int64_t i = 0; i < s->n; i++)
        for (int p = 0; p < n_pass; p++)
            count[p * SLOTS +
                  (int)((s->key[i] >> (low_bit + p * BITS)) & (SLOTS - 1))]++;
    for (int p = 0; p < n_pass; p++) {
        uint32_t *c = count + p * SLOTS;
        if (c[(s->key[0] >> (low_bit + p * BITS)) & (SLOTS - 1)] != s->n)
            radix_pass(s, low_bit + p * BITS, c);
    }
    return 0;
}

static int radix_room(struct arena *a, int64_t n, int with_index, struct radix *s)
{
    *s = (struct radix){.n = n};
    s->key = arena_array(a, n, sizeof *s->key);
    s->key2 = arena_array(a, n, sizeof *s->key2);
    if (with_index) {
        s->idx = arena_array(a, n, sizeof *s->idx);
        s->idx2 = arena_array(a, n, sizeof *s->idx2);
        if (!s->idx || !s->idx2) return -1;
        for (int64_t i = 0; i < n; i++) s->idx[i] = (uint32_t)i;
    }
    return s->key && s->key2 ? 0 : -1;
}

/* ------------------------------------------------- doubles that are floats --- */

static uint32_t key_of_f32(double x)
{
    float f = (float)(x + 0.0);
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    u ^= (0 - (u >> 31)) | UINT32_C(1) << 31;
    return x != x ? UINT32_MAX : u;
}

static double value_of_f32(uint32_t k)
{
    float f;
    uint32_t u = k >> 31 ? k & ~(UINT32_C(1) << 31) : ~k;
    if (k == UINT32_MAX) return value_of(UINT64_MAX);
    memcpy(&f, &u, sizeof f);
    return (double)f;
}

#define SOME 256

/* Keys of values that floats hold; 0 where one does not. */
static int keys_of_floats(const double *x, int64_t n, uint32_t *key)
{
    for (int64_t i = 0; i < n; i += SOME) {
        int m = n - i < SOME ? (int)(n - i) : SOME;
        uint64_t lost = 0;
        for (int j = 0; j < m; j++) {
            double is = x[i + j], back = (double)(float)is;
            uint64_t u, v;
            memcpy(&u, &is, sizeof u);
            memcpy(&v, &back, sizeof v);
            lost |= u ^ v;
        }
        if (lost) return 0;
        for (int j = 0; j < m; j++) key[i + j] = key_of_f32(x[i + j]);
    }
    return 1;
}

/* Half the bytes and half the passes of sort_f64, or 1 when values are no floats. Two sets of
 * counters, since the high digit of most keys is one of a few. */
static int sort_floats(struct arena *a, double *x, int64_t n)
{
    enum { N_PASS = 3 };
    uint32_t some[SOME];
    if (!keys_of_floats(x, n < SOME ? n : SOME, some)) return 1; /* no room is needed */
    uint32_t *key = arena_array(a, n, sizeof *key), *to = arena_array(a, n, sizeof *to);
    uint32_t(*first)[SLOTS] = arena_zero(a, N_PASS * sizeof *first), end[SLOTS];
    uint32_t(*odd)[SLOTS] = arena_zero(a, N_PASS * sizeof *odd);
    if (!key || !to || !first || !odd) return -1;
    if (!keys_of_floats(x, n, key)) return 1;
    for (int64_t i = 0; i < n; i++) {
        uint32_t(*count)[SLOTS] = i & 1 ? odd : first;
        for (int p = 0; p < N_PASS; p++) count[p][key[i] >> (p * BITS) & (SLOTS - 1)]++;
    }
    for (int p = 0; p < N_PASS; p++) {
        uint32_t *c = first[p], *swap = key;
        int shift = p * BITS;
        for (int d = 0; d < SLOTS; d++) c[d] += odd[p][d];
        if (c[key[0] >> shift & (SLOTS - 1)] == n) continue;
        digit_places(c, end);
        int64_t i = 0, j = n - 1;
        for (; i < j; i++, j--) {
            uint32_t up = c[key[i] >> shift & (SLOTS - 1)]++;
            uint32_t down = --end[key[j] >> shift & (SLOTS - 1)];
            to[up] = key[i];
            to[down] = key[j];
        }
        if (i == j) to[c[key[i] >> shift & (SLOTS - 1)]] = key[i];
        key = to;
        to = swap;
    }
    for (int64_t i = 0; i < n; i++) x[i] = value_of_f32(key[i]);
    return 0;
}

static int sort_index(struct arena *a, struct radix *s, int key_bits, uint32_t *idx)
{
    if (radix_sort(a, s, 0, key_bits)) return -1;
    if (s->n > 0) memcpy(idx, s->idx, (size_t)s->n * sizeof *idx);
    return 0;
}

/* The key above the row number in one word: half the passes, and nothing to carry along.
 * 1 when values are no floats; idx is scratch until then. */
static int sort_index_floats(struct arena *a, const double *x, int64_t n, uint32_t *idx)
{
    struct radix s;
    if (!keys_of_floats(x, n, idx)) return 1;
    if (radix_room(a, n, 0, &s)) return -1;
    for (int64_t i = 0; i < n; i++) s.key[i] = (uint64_t)idx[i] << 32 | (uint64_t)i;
    if (radix_sort(a, &s, 32, 64)) return -1;
    for (int64_t i = 0; i < n; i++) idx[i] = (uint32_t)s.key[i];
    return 0;
}

int sort_index_f64(struct arena *a, const double *key, int64_t n, uint32_t *idx)
{
    struct radix s;
    int done = n >= SMALL ? sort_index_floats(a, key, n, idx) : 1;
    if (done <= 0) return done;
    if (radix_room(a, n, 1, &s)) return -1;
    for (int64_t i = 0; i < n; i++) s.key[i] = key_of(key[i]);
    return sort_index(a, &s, 64, idx);
}

int sort_index_u64(struct arena *a, const uint64_t *key, int64_t n, uint32_t *idx)
{
    struct radix s;
    if (radix_room(a, n, 1, &s)) return -1;
    if (n > 0) memcpy(s.key, key, (size_t)n * sizeof *key);
    return sort_index(a, &s, 64, idx);
}

int sort_index_u32(struct arena *a, const uint32_t *key, int64_t n, uint32_t *idx)
{
    struct radix s;
    if (radix_room(a, n, 1, &s)) return -1;
    for (int64_t i = 0; i < n; i++) s.key[i] = key[i];
    return sort_index(a, &s, 32, idx);
}

/* Sorts what is not 0, which is little, and puts the zeros to their place. */
static int sort_around_zeros(struct arena *a, double *x, int64_t n)
{
    int64_t m = 0, lo = 0;
    for (int64_t i = 0; i < n; i++) {
        double v = x[i];
        x[m] = v;
        m += v != 0;
    }
    if (sort_f64(a, x, m)) return -1;
    for (int64_t hi = m; lo < hi;) {
        int64_t mid = lo + (hi - lo) / 2;
        if (x[mid] <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    memmove(x + lo + n - m, x + lo, (size_t)(m - lo) * sizeof *x);
    for (int64_t i = lo; i < lo + n - m; i++) x[i] = 0;
    return 0;
}

static int64_t zeros_in(const double *x, int64_t n)
{
    int64_t zeros = 0;
    for (int64_t i = 0; i < n; i++) zeros += x[i] == 0;
    return zeros;
}

int sort_f64(struct arena *a, double *x, int64_t n)
{
    struct radix s;
    if (n >= SMALL) {
        if (zeros_in(x, n) > n / 4) return sort_around_zeros(a, x, n);
        int done = sort_floats(a, x, n);
        if (done <= 0) return done;
    }
    if (radix_room(a, n, 0, &s)) return -1;
    for (int64_t i = 0; i < n; i++) s.key[i] = key_of(x[i]);
    if (radix_sort(a, &s, 0, 64)) return -1;
    for (int64_t i = 0; i < n; i++) x[i] = value_of(s.key[i]);
    return 0;
}

/* ------------------------------------------------------- values at some places --- */

#define CELLS 4096

/* Which of CELLS equal parts of the range a value lies in: never less for more. */
static inline int cell_of(double x, double lo, double scale)
{
    int c = (int)((x - lo) * scale);
    return c < CELLS ? c : CELLS - 1;
}

int sort_places_f64(struct arena *a, double *x, int64_t n, const int64_t *place,
                    int n_place, double *out)
{
    double lo = n > 0 ? x[0] : 0, hi = lo;
    for (int64_t i = 0; i < n; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    double scale = CELLS / (hi - lo);
    int64_t rest = 0, before = 0, kept = 0;
    if (n < SMALL || !(hi - lo <= DBL_MAX) || !(scale <= DBL_MAX)) {
        if (sort_f64(a, x, n)) return -1;
        for (int k = 0; k < n_place; k++) out[k] = x[place[k]];
        return 0;
    }
    uint32_t *count = arena_zero(a, CELLS * sizeof *count);
    int64_t *at = arena_array(a, n_place, sizeof *at);
    uint8_t *wanted = arena_zero(a, CELLS);
    if (!count || !at || !wanted) return -1;
    for (int64_t i = 0; i < n; i++) count[cell_of(x[i], lo, scale)]++;
    for (int c = 0, k = 0; c < CELLS && k < n_place; c++) {
        for (; k < n_place && place[k] < before + count[c]; k++) {
            at[k] = kept + place[k] - before;
            wanted[c] = 1;
        }
        before += count[c];
        kept += wanted[c] ? count[c] : 0;
    }
    for (int64_t i = 0; i < n; i++) {
        double v = x[i];
        x[rest] = v;
        rest += wanted[cell_of(v, lo, scale)];
    }
    if (sort_f64(a, x, rest)) return -1;
    for (int k = 0; k < n_place; k++) out[k] = x[at[k]];
    return 0;
}

int sort_any(struct arena *a, void *base, int64_t n, size_t each, sort_cmp cmp,
             const void *arg)
{
    char *from = base, *to = arena_array(a, n, each);
    if (!to) return -1;
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t lo = 0; lo < n; lo += 2 * width) {
            int64_t mid = lo + width < n ? lo + width : n;
            int64_t hi = lo + 2 * width < n ? lo + 2 * width : n, l = lo, r = mid;
            for (int64_t o = lo; o < hi; o++) {
                int left =
                    l < mid && (r >= hi || cmp(from + (size_t)l * each,
                                               from + (size_t)r * each, arg) <= 0);
                int64_t pick = left ? l++ : r++;
                memcpy(to + (size_t)o * each, from + (size_t)pick * each, each);
            }
        }
        char *t = from;
        from = to, to = t;
    }
    if (from != (char *)base) memcpy(base, from, (size_t)n * each);
    return 0;
}
