/* ingest_make.c - tables as text for bench/ingest: KIND ROWS [COLUMNS], CSV on standard output
 *
 * csv-mixed: `%d` 1000 u0; `%d` 1e6 u1; `%.2f` 1000 |z2|; `%.3f` 10 z3; `%.6f` u4; `%.5g` exp(3 z5);
 * shortest double of u6; `%.1f` 100 z7, empty if u8 < 0.05; a name of 12; `k%05d` 5000 u10^2. If
 * u11 < 0.05 both texts are quoted, with a comma if u12 < 1/40 and a doubled quote if u13 < 1/400.
 * csv-wide: `%.4f` z_j. csv-quoted: a number, quoted text of 50 to 200 words with a newline every
 * tenth and a doubled quote every fiftieth, a label. u and z are gen_u and gen_z of the seed,
 * row and slot, so a table is the same everywhere. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/numparse.h"
#include "base/rng.h"

static const char *const names[12] = {
    "red",    "blue",    "green",     "violet",     "orange",      "crimson",
    "indigo", "magenta", "turquoise", "chartreuse", "ultramarine", "cornflowerblue"};

static void put_text(const char *text, int quoted, int comma, int twice)
{
    size_t half = strlen(text) / 2;
    if (!quoted) {
        fputs(text, stdout);
        return;
    }
    printf("\"%.*s%s%s%s\"", (int)half, text, comma ? "," : "", twice ? "\"\"" : "",
           text + half);
}

static void mixed(uint64_t i)
{
    enum { SEED = 34 };
    char shortest[64], key[16];
    double u[14];
    for (uint64_t j = 0; j < 14; j++) u[j] = gen_u(SEED, i, j);
    int n = num_print(shortest, u[6]);
    printf("%d,%d,%.2f,%.3f,%.6f,%.5g,%.*s,", (int)(1000 * u[0]), (int)(1e6 * u[1]),
           1000 * fabs(gen_z(SEED, i, 2)), 10 * gen_z(SEED, i, 3), u[4],
           exp(3 * gen_z(SEED, i, 5)), n, shortest);
    if (u[8] >= 0.05) printf("%.1f", 100 * gen_z(SEED, i, 7));
    snprintf(key, sizeof key, "k%05d", (int)(5000 * u[10] * u[10]));
    int quoted = u[11] < 0.05, comma = u[12] < 1.0 / 40, twice = u[13] < 1.0 / 400;
    putchar(',');
    put_text(names[(int)(12 * u[9])], quoted, comma, twice);
    putchar(',');
    put_text(key, quoted, comma, twice);
    putchar('\n');
}

static void quoted(uint64_t i)
{
    enum { SEED = 36 };
    int words = 50 + (int)(151 * gen_u(SEED, i, 0));
    printf("%llu,\"", (unsigned long long)i);
    for (int k = 0; k < words; k++) {
        double u = gen_u(SEED, i, (uint64_t)k + 2);
        int letters = 2 + (int)(7 * u);
        uint64_t h = gen_h(SEED + 1, (uint64_t)(20000 * u * u), 0);
        if (k) putchar(k % 10 == 0 ? '\n' : ' ');
        if (k % 50 == 49) fputs("\"\"", stdout);
        for (; letters > 0; letters--, h /= 26) putchar('a' + (int)(h % 26));
    }
    printf("\",%s\n", gen_u(SEED, i, 1) < 0.5 ? "ham" : "spam");
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr,
                "usage: ingest_make csv-mixed|csv-wide|csv-quoted ROWS [COLUMNS]\n");
        return 2;
    }
    uint64_t rows = strtoull(argv[2], NULL, 10);
    int cols = argc > 3 ? atoi(argv[3]) : 1000;
    if (!strcmp(argv[1], "csv-mixed")) {
        puts("small,large,price,delta,share,scale,exact,holes,name,key");
        for (uint64_t i = 0; i < rows; i++) mixed(i);
    } else if (!strcmp(argv[1], "csv-quoted")) {
        puts("id,text,label");
        for (uint64_t i = 0; i < rows; i++) quoted(i);
    } else if (!strcmp(argv[1], "csv-wide")) {
        for (int j = 0; j < cols; j++) printf("%sx%d", j ? "," : "", j);
        putchar('\n');
        for (uint64_t i = 0; i < rows; i++)
            for (int j = 0; j < cols; j++)
                printf("%.4f%c", gen_z(35, i, (uint64_t)j), j + 1 < cols ? ',' : '\n');
    } else {
        fprintf(stderr, "ingest_make: no kind '%s'\n", argv[1]);
        return 2;
    }
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
