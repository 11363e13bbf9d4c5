/* The CSV index of every instruction set against a loop over bytes. */
#include "base/ctx.h"
#include "base/rng.h"
#include "simd/simd.h"
#include "support/unit.h"

static int64_t plain_index(const char *s, int64_t n, char delim, char quote,
                           struct simd_csv *f, uint32_t *pos)
{
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        char before = i ? s[i - 1] : '\n', behind = i + 1 < n ? s[i + 1] : '\n';
        f->high |= (s[i] & 0x80) != 0;
        f->nul |= s[i] == 0;
        f->lines += s[i] == '\n';
        if (!quote || s[i] != quote) {
            if (f->in_quote || (s[i] != delim && s[i] != '\n')) continue;
            pos[k++] = (uint32_t)i;
            f->rows += s[i] == '\n';
            continue;
        }
        f->quotes++;
        f->in_quote ^= 1;
        if (f->in_quote)
            f->irregular |= before != delim && before != '\n' && before != quote;
        else if (behind == '\r')
            f->irregular |= i + 2 < n && s[i + 2] != '\n';
        else
            f->irregular |= behind != delim && behind != '\n' && behind != quote;
    }
    return k;
}

static void compare(const struct simd_table *t, uint64_t seed, const char *alphabet,
                    char quote)
{
    int64_t n = (int64_t)(gen_h(seed, 0, 0) % 700), letters = (int64_t)strlen(alphabet);
    char *s = malloc((size_t)n + 64);
    uint32_t *a = malloc(((size_t)n + 64) * sizeof *a),
             *b = malloc(((size_t)n + 64) * sizeof *b);
    if (!s || !a || !b) return;
    for (int64_t i = 0; i < n; i++)
        s[i] = alphabet[gen_h(seed, (uint64_t)i, 1) % (uint64_t)letters];
    if (seed % 7 == 0 && n) s[gen_h(seed, 0, 2) % (uint64_t)n] = 0;
    struct simd_csv f = {.in_quote = (int)(seed & 1)}, g = f;
    int64_t k = plain_index(s, n, ',', quote, &f, a);
    CHECK_INT(t->csv_index(s, n, ',', quote, &g, b), k);
    CHECK(memcmp(a, b, (size_t)k * sizeof *a) == 0);
    CHECK_INT(g.in_quote, f.in_quote);
    CHECK_INT(g.quotes, f.quotes);
    CHECK_INT(g.lines, f.lines);
    CHECK_INT(g.rows, f.rows);
    CHECK_INT(g.high, f.high);
    CHECK_INT(g.nul, f.nul);
    CHECK_INT(g.irregular, f.irregular);
    int64_t commas = 0;
    for (int64_t i = 0; i < n; i++) commas += s[i] == ',';
    CHECK_INT(t->count_byte(s, n, ','), commas);
    uint64_t print = t->csv_print(s, n);
    CHECK(print == simd_table_base.csv_print(s, n));
    if (n) {
        s[gen_h(seed, 0, 3) % (uint64_t)n] ^= 1;
        CHECK(print != t->csv_print(s, n));
    }
    free(s);
    free(a);
    free(b);
}

TEST(csv_index_is_equal_on_every_set)
{
    const enum tide_isa sets[] = {TIDE_ISA_BASE, TIDE_ISA_AVX2, TIDE_ISA_AVX512};
    for (int k = 0; k < 3; k++) {
        tide_ctx *ctx = NULL;
        CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
        if (tide_ctx_set_isa(ctx, sets[k], NULL) == TIDE_OK) {
            const struct simd_table *t = simd_get(ctx);
            for (uint64_t seed = 0; seed < 500; seed++) {
                compare(t, seed, "ab,c\"\n12 \xc3\xa9", '"');
                compare(t, seed, ",\n", '"');
                compare(t, seed, "ab,\"\n\r", '"');
                compare(t, seed, "abcdefghijklmnopqrst\",,,,,,,", '"');
                compare(t, seed, "abcdefghijklmnop,\n\"", 0);
                compare(t, seed, "abcdefghijklmnopqrstuvwxyz,0123456789\n\"\"", '"');
            }
        }
        tide_ctx_free(ctx);
    }
}
