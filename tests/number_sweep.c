/* number_sweep.c - numbers of text against strtod, as many as asked for
 *
 *   number_sweep [N] [SEED]      N strings (default 300,000)
 *
 * Each string goes through num_parse and, in a column of others, through the kernels of every
 * instruction set; what these take must have the bits of strtod. Kinds: any bits printed with 17
 * digits, few digits with a mark, many digits with an exponent, integers up to and beyond 2^63,
 * midpoints between neighbours written out (and one digit off), denormals. Half of the columns hold
 * plain cells of one length class (to 8, 16 or 20 bytes), since kernels read those side by side.
 * Prints how many of all the kernels took. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/ctx.h>

#include "base/numparse.h"
#include "base/rng.h"
#include "simd/simd.h"

enum { CELLS = 4096, LONGEST = 800, KINDS = 6 };

static char text[CELLS * (LONGEST + 1) + 64];
static uint32_t at[CELLS + 1];
static double want[CELLS], got[CELLS];
static uint32_t left[CELLS];
static long long bad;

static uint64_t bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double any_double(uint64_t r)
{
    double x;
    memcpy(&x, &r, sizeof x);
    return isfinite(x) ? x : 1.5;
}

static int add_digits(char *s, uint64_t seed, uint64_t i, int digits, int mark)
{
    int n = 0;
    for (int k = 0; k < digits; k++) {
        if (k == mark) s[n++] = '.';
        s[n++] = (char)('0' + gen_h(seed, i, 100 + (uint64_t)k) % 10);
    }
    return n;
}

/* The midpoint between x and its neighbour has 54 bits: %.*g writes it out where long double
 * has 64; a digit behind it, or none, decides how it rounds. */
static int add_midpoint(char *s, double x, uint64_t r)
{
    long double middle = ((long double)x + (long double)nextafter(x, INFINITY)) / 2;
    int n = snprintf(s, LONGEST, "%.*Le", 20 + (int)(r % 740), middle);
    char *e = strchr(s, 'e');
    if (e && r >> 32 & 1) e[-1] = (char)('0' + (e[-1] - '0' + 1) % 10);
    return n;
}

/* A plain number of at most `most` bytes, as tables have them. */
static int add_plain(char *s, uint64_t seed, uint64_t i, int most)
{
    uint64_t r = gen_h(seed, i, 2);
    int minus = r % 3 == 0, has_mark = r >> 8 & 1, n = 0;
    int digits = 1 + (int)((r >> 16) % (uint64_t)(most - minus - has_mark));
    if (minus) s[n++] = '-';
    return n + add_digits(s + n, seed, i, digits,
                          has_mark ? (int)((r >> 32) % (uint64_t)digits) : -1);
}

static int add_cell(char *s, uint64_t seed, uint64_t i)
{
    uint64_t r = gen_h(seed, i, 0), q = gen_h(seed, i, 1);
    int n = 0, digits;
    switch (q % KINDS) {
    case 0:
        return snprintf(s, LONGEST, "%.17g", any_double(r));
    case 1:
        digits = 1 + (int)(r % 15);
        if (r >> 40 & 1) s[n++] = '-';
        return n + add_digits(s + n, seed, i, digits, (int)(r >> 32 & 15));
    case 2:
        digits = 1 + (int)(r % 40);
        n = add_digits(s, seed, i, digits, (int)(r >> 32) % 41);
        return n + snprintf(s + n, 16, "e%d", (int)(q >> 20 & 1023) - 512);
    case 3:
        return snprintf(s, LONGEST, "%s%" PRIu64, r & 1 ? "-" : "", q >> (r >> 8 & 63));
    case 4:
        return add_midpoint(s, fabs(any_double(r)), q >> 8);
    default:
        return snprintf(s, LONGEST, "%.*g", 1 + (int)(q >> 8 & 31),
                        any_double(r >> 12));
    }
}

static void check(const char *how, int i, double x)
{
    if (bits(x) == bits(want[i])) return;
    bad++;
    fprintf(stderr, "%s: \"%.*s\" is %a, not %a\n", how, (int)(at[i + 1] - at[i] - 1),
            text + at[i] + 1, x, want[i]);
}

/* at[i] is where the mark before cell i is; the first is in front of the text. */
static void fill(uint64_t seed, uint64_t first)
{
    static const int plain[8] = {0, 0, 0, 0, 8, 16, 20, 20};
    int most = plain[gen_h(seed, first, 3) % 8];
    uint32_t n = 0;
    at[0] = UINT32_MAX;
    for (int i = 0; i < CELLS; i++) {
        char *s = text + n;
        uint64_t number = first + (uint64_t)i;
        n += (uint32_t)(most ? add_plain(s, seed, number, most)
                             : add_cell(s, seed, number));
        text[n] = '\0';
        want[i] = strtod(s, NULL);
        text[n] = '\n';
        at[i + 1] = n++;
    }
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 300000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    static const enum tide_isa sets[] = {TIDE_ISA_BASE, TIDE_ISA_AVX2, TIDE_ISA_AVX512};
    const struct simd_table *table[3];
    uint64_t taken[3] = {0}, done = 0;
    int n_sets = 0;
    for (int k = 0; k < 3; k++) {
        tide_ctx *ctx = NULL;
        if (tide_ctx_new(&ctx, NULL)) return 70;
        if (tide_ctx_set_isa(ctx, sets[k], NULL) == TIDE_OK)
            table[n_sets++] = simd_get(ctx);
        tide_ctx_free(ctx);
    }
    for (; done < n && bad < 20; done += CELLS) {
        fill(seed, done);
        for (int i = 0; i < CELLS; i++) {
            double x = 0;
            num_parse(text + (uint32_t)(at[i] + 1), at[i + 1] - (uint32_t)(at[i] + 1),
                      '.', &x);
            check("num_parse", i, x);
        }
        for (int k = 0; k < n_sets; k++) {
            struct simd_cells c = {text, at + 1, 1, CELLS, '.', 1};
            int64_t n_left = table[k]->csv_numbers(&c, got, left);
            for (int64_t l = 0; l < n_left; l++) got[left[l]] = want[left[l]];
            for (int i = 0; i < CELLS; i++) check(table[k]->name, i, got[i]);
            taken[k] += (uint64_t)(CELLS - n_left);
        }
    }
    printf("%" PRIu64 " strings", done);
    for (int k = 0; k < n_sets; k++)
        printf(", %.0f %% taken by %s", 100.0 * (double)taken[k] / (double)done,
               table[k]->name);
    printf("\n%d passed, %d failed\n", bad == 0, bad != 0);
    return bad != 0;
}
