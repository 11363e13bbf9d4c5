/* Columns of numbers: what the kernels of every set take equals num_parse to the last bit, and
 * what num_parse does not take plainly is left. */
#include "base/ctx.h"
#include "base/numparse.h"
#include "base/rng.h"
#include "base/str.h"
#include "simd/simd.h"
#include "support/unit.h"

#define ROWS 150
#define COLS 3

static uint64_t roll(uint64_t seed, uint64_t i, uint64_t j, uint64_t sides)
{
    return gen_h(seed, i, j) % sides;
}

/* Digits with or without sign, mark, exponent; now and then something that is no number. */
static void add_cell(struct str *t, uint64_t seed, uint64_t i)
{
    static const char *const odd[] = {"",    "-",    ".",     "-.",   "1.2.3", "x",
                                      "+1",  "1e5",  "-0",    "NA",   "1-",    "--1",
                                      "-1.", "-.5",  "12 ",   "0x10", "1,",    "\"1\"",
                                      "nan", "1e-9", "00000", "5."};
    if (roll(seed, i, 0, 8) == 0) {
        str_add(t, odd[roll(seed, i, 1, sizeof odd / sizeof odd[0])]);
        return;
    }
    int digits = 1 + (int)roll(seed, i, 2, roll(seed, i, 3, 4) ? 9 : 24);
    int mark = (int)roll(seed, i, 4, (uint64_t)digits + 4);
    if (roll(seed, i, 5, 3) == 0) str_add(t, "-");
    for (int k = 0; k < digits; k++) {
        if (k == mark) str_add(t, ".");
        str_addc(t,
                 (char)('0' + roll(seed, i, 10 + (uint64_t)k,
                                   roll(seed, i, 6, 5) ? 10 : 1 + (uint64_t)(k > 3))));
    }
}

static void check_column(const struct simd_table *t, const struct simd_cells *c,
                         uint64_t seed)
{
    double out[ROWS], want;
    int64_t whole[ROWS], want_whole;
    uint32_t left[ROWS], left_whole[ROWS];
    int64_t n = t->csv_numbers(c, out, left), m = t->csv_integers(c, whole, left_whole);
    uint8_t is_left[ROWS] = {0}, whole_left[ROWS] = {0};
    for (int64_t k = 0; k < n; k++) is_left[left[k]]++;
    for (int64_t k = 0; k < m; k++) whole_left[left_whole[k]]++;
    for (int64_t i = 0; i < c->n; i++) {
        uint32_t b = c->end[i * COLS - 1] + 1, e = c->end[i * COLS];
        if (c->last && e > b && c->text[e - 1] == '\r') e--;
        const char *s = c->text + b;
        int size = (int)(e - b);
        int ok = num_parse(s, e - b, '.', &want) == NUM_OK;
        CHECK(is_left[i] <= 1 && whole_left[i] <= 1);
        CHECK_MSG(is_left[i] || (ok && memcmp(&want, &out[i], 8) == 0),
                  "%s, seed %llu: \"%.*s\" is %.17g, not %.17g", t->name,
                  (unsigned long long)seed, size, s, out[i], want);
        ok = num_parse_i64(s, e - b, &want_whole) && !(want_whole == 0 && *s == '-');
        CHECK_MSG(whole_left[i] || (ok && want_whole == whole[i]),
                  "%s, seed %llu: \"%.*s\" is %lld", t->name, (unsigned long long)seed,
                  size, s, (long long)whole[i]);
        /* what is read as a number and is an integer is one: types rest on it */
        CHECK(is_left[i] || !ok || !whole_left[i]);
        /* the common ones must not be left, or the kernel is none */
        if (size && size <= 8 && strspn(s, "0123456789") >= (size_t)size)
            CHECK(!is_left[i] && !whole_left[i]);
    }
}

static void check_table(const struct simd_table *t, uint64_t seed)
{
    struct str text = {0};
    uint32_t end[ROWS * COLS + 1];
    int crlf = (int)(seed & 1);
    end[0] = UINT32_MAX;
    for (int k = 0; k < ROWS * COLS; k++) {
        add_cell(&text, seed, (uint64_t)k);
        if (k % COLS == COLS - 1 && crlf) str_add(&text, "\r");
        end[k + 1] = (uint32_t)text.len;
        str_add(&text, k % COLS == COLS - 1 ? "\n" : ";");
    }
    for (int k = 0; k < 64; k++) str_add(&text, "1"); /* what is behind is not read */
    for (int j = 0; j < COLS; j++) {
        struct simd_cells c = {text.s, end + 1 + j,  COLS, 1 + (int64_t)(seed % ROWS),
                               '.',    j == COLS - 1};
        check_column(t, &c, seed);
    }
    str_free(&text);
}

TEST(numbers_of_a_column_equal_num_parse_on_every_set)
{
    const enum tide_isa sets[] = {TIDE_ISA_BASE, TIDE_ISA_AVX2, TIDE_ISA_AVX512};
    for (int k = 0; k < 3; k++) {
        tide_ctx *ctx = NULL;
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        if (tide_ctx_set_isa(ctx, sets[k], NULL) == TIDE_OK)
            for (uint64_t seed = 0; seed < 2000; seed++)
                check_table(simd_get(ctx), seed);
        tide_ctx_free(ctx);
    }
}

TEST(a_product_that_rounds_equals_the_text)
{
    for (uint64_t i = 0; i < 20000; i++) {
        char text[64];
        double want, got;
        uint64_t w = gen_h(1, i, 0) >> roll(1, i, 1, 50);
        int q = (int)roll(1, i, 2, 60) - 40;
        int n = str_format(text, sizeof text, "%llue%d", (unsigned long long)w, q);
        if (!num_round(w, q, &got)) continue;
        CHECK(num_parse(text, (size_t)n, '.', &want) == NUM_OK);
        CHECK_MSG(memcmp(&want, &got, 8) == 0, "%s is %.17g, not %.17g", text, got,
                  want);
    }
}
