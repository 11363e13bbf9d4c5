/* The CSV index of every instruction set against a loop over bytes. */
#include "base/ctx.h"
#include "base/rng.h"
#include "simd/simd.h"
#include "support/unit.h"

static int64_t plain_index(const char *s, int64_t n, char delim, char quote, int *in,
                           uint32_t *pos, int64_t *quotes, int *high)
{
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        *high |= (s[i] & 0x80) != 0;
        if (quote && s[i] == quote)
            *in ^= 1, ++*quotes;
        else if (!*in && (s[i] == delim || s[i] == '\n'))
            pos[k++] = (uint32_t)i;
    }
    return k;
}

static void compare(const struct simd_table *t, uint64_t seed, const char *alphabet,
                    char quote)
{
    int64_t n = (int64_t)(gen_h(seed, 0, 0) % 700), letters = (int64_t)strlen(alphabet);
    char *s = malloc((size_t)n + 1);
    uint32_t *a = malloc(((size_t)n + 1) * sizeof *a),
             *b = malloc(((size_t)n + 1) * sizeof *b);
    if (!s || !a || !b) return;
    for (int64_t i = 0; i < n; i++)
        s[i] = alphabet[gen_h(seed, (uint64_t)i, 1) % (uint64_t)letters];
    int in_a = (int)(seed & 1), in_b = in_a, high_a = 0, high_b = 0;
    int64_t q_a = 5, q_b = 5;
    int64_t k = plain_index(s, n, ',', quote, &in_a, a, &q_a, &high_a);
    CHECK_INT(t->csv_index(s, n, ',', quote, &in_b, b, &q_b, &high_b), k);
    CHECK(memcmp(a, b, (size_t)k * sizeof *a) == 0);
    CHECK_INT(in_b, in_a);
    CHECK_INT(q_b, q_a);
    CHECK_INT(high_b, high_a);
    int64_t commas = 0;
    for (int64_t i = 0; i < n; i++) commas += s[i] == ',';
    CHECK_INT(t->count_byte(s, n, ','), commas);
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
                compare(t, seed, "abcdefghijklmnop,\n\"", 0);
                compare(t, seed, "abcdefghijklmnopqrstuvwxyz,0123456789\n\"\"", '"');
            }
        }
        tide_ctx_free(ctx);
    }
}
