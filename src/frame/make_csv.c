/* make_csv.c - texts that CSV readers are measured on: csv-mixed, csv-wide, csv-quoted, csv-bad
 *
 * u_j and z_j are gen_u and gen_z of the seed, the row (from 0) and slot j.
 *
 * csv-mixed   `%d` 1000 u_0; `%d` 1e6 u_1; `%.2f` 1000 |z_2|; `%.3f` 10 z_3; `%.6f` u_4; `%.5g`
 *             exp(3 z_5); shortest double of u_6; `%.1f` 100 z_7, empty if u_8 < 0.05; name
 *             floor(12 u_9) of twelve; `k%05d` 5000 u_10^2. If u_11 < 0.05 both texts are quoted,
 *             and in their middle stands a comma if u_12 < 1/40, then `""` if u_13 < 1/400.
 * csv-wide    `%.4f` z_j.
 * csv-quoted  the row; 50 + floor(151 u_0) words in quotes, before every tenth a newline instead of
 *             a blank, before every fiftieth `""`; label tT with topic T = floor(20 u_1). Word w is
 *             "wN" of 50,000: r = floor(exp(u_(1001+2w) ln 50001) - 1), N = r if u_(1000+2w) < 0.8,
 *             else 50 + (20 r + T) mod 49950.
 * csv-bad     csv-mixed with rows r mod 100003 = 17 broken in turn: key left out; `,more` behind it;
 *             `12x4` for large; a byte 0xFF before name. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/numparse.h"
#include "base/str.h"
#include "frame/make.h"
#include "simd/vmath.h"

struct csv_params {
    uint64_t seed;
    int32_t columns;
};

#define NAMES     12
#define WORDS     50000
#define TOPICS    20
#define BAD_EVERY 100003
#define BAD_FIRST 17

enum fault { FAULT_SHORT, FAULT_LONG, FAULT_NUMBER, FAULT_BYTE, FAULTS, NO_FAULT };

static void add_fixed(struct str *t, double v, int decimals)
{
    char text[NUM_PRINT_MAX];
    str_addn(t, text, (size_t)num_print_f(text, v, decimals));
}

/* ---- csv-mixed and csv-bad ---- */

struct quoting {
    int quoted, comma, twice;
};

static void add_text(struct str *t, const char *text, const struct quoting *q)
{
    size_t n = strlen(text), half = n / 2;
    if (q->quoted) str_addc(t, '"');
    str_addn(t, text, half);
    if (q->quoted && q->comma) str_addc(t, ',');
    if (q->quoted && q->twice) str_add(t, "\"\"");
    str_addn(t, text + half, n - half);
    if (q->quoted) str_addc(t, '"');
}

static void add_numbers(uint64_t s, uint64_t i, enum fault fault, struct str *t)
{
    char text[NUM_PRINT_MAX];
    str_addf(t, "%d,", (int)(1000 * gen_u(s, i, 0)));
    if (fault == FAULT_NUMBER)
        str_add(t, "12x4,");
    else
        str_addf(t, "%d,", (int)(1e6 * gen_u(s, i, 1)));
    add_fixed(t, 1000 * fabs(gen_z(s, i, 2)), 2);
    str_addc(t, ',');
    add_fixed(t, 10 * gen_z(s, i, 3), 3);
    str_addc(t, ',');
    add_fixed(t, gen_u(s, i, 4), 6);
    str_addc(t, ',');
    str_addn(t, text, (size_t)num_print_g(text, vm_exp(3 * gen_z(s, i, 5)), 5));
    str_addc(t, ',');
    str_addn(t, text, (size_t)num_print(text, gen_u(s, i, 6)));
    str_addc(t, ',');
    if (gen_u(s, i, 8) >= 0.05) add_fixed(t, 100 * gen_z(s, i, 7), 1);
    str_addc(t, ',');
}

static void add_mixed(uint64_t s, uint64_t i, enum fault fault, struct str *t)
{
    static const char *const names[NAMES] = {
        "red",       "blue",       "green",       "violet",
        "orange",    "crimson",    "indigo",      "magenta",
        "turquoise", "chartreuse", "ultramarine", "cornflowerblue"};
    struct quoting q = {gen_u(s, i, 11) < 0.05, gen_u(s, i, 12) < 1.0 / 40,
                        gen_u(s, i, 13) < 1.0 / 400};
    double u = gen_u(s, i, 10);
    char key[16];
    int k = (int)(5000 * (u * u));
    add_numbers(s, i, fault, t);
    if (fault == FAULT_BYTE) str_addc(t, '\xff');
    add_text(t, names[(int)(NAMES * gen_u(s, i, 9))], &q);
    str_format(key, sizeof key, "k0%d%d%d%d", k / 1000, k / 100 % 10, k / 10 % 10,
               k % 10);
    if (fault != FAULT_SHORT) {
        str_addc(t, ',');
        add_text(t, key, &q);
    }
    str_add(t, fault == FAULT_LONG ? ",more\n" : "\n");
}

static void mixed_head(const void *params, struct str *out)
{
    (void)params;
    str_add(out, "small,large,price,delta,share,scale,exact,holes,name,key\n");
}

static void mixed_row(const void *params, int64_t row, struct str *out)
{
    add_mixed(((const struct csv_params *)params)->seed, (uint64_t)row, NO_FAULT, out);
}

static void bad_row(const void *params, int64_t row, struct str *out)
{
    enum fault fault = row % BAD_EVERY == BAD_FIRST
                           ? (enum fault)(row / BAD_EVERY % FAULTS)
                           : NO_FAULT;
    add_mixed(((const struct csv_params *)params)->seed, (uint64_t)row, fault, out);
}

/* ---- csv-wide ---- */

static void wide_head(const void *params, struct str *out)
{
    const struct csv_params *p = params;
    for (int j = 0; j < p->columns; j++) str_addf(out, "%sx%d", j ? "," : "", j);
    str_addc(out, '\n');
}

static void wide_row(const void *params, int64_t row, struct str *out)
{
    const struct csv_params *p = params;
    for (int j = 0; j < p->columns; j++) {
        if (j) str_addc(out, ',');
        add_fixed(out, gen_z(p->seed, (uint64_t)row, (uint64_t)j), 4);
    }
    str_addc(out, '\n');
}

/* ---- csv-quoted ---- */

static int word_of(uint64_t s, uint64_t i, uint64_t w, int topic)
{
    double u = gen_u(s, i, 1001 + 2 * w);
    int r = (int)floor(vm_exp(u * vm_log(WORDS + 1)) - 1);
    if (gen_u(s, i, 1000 + 2 * w) < 0.8) return r;
    return 50 + (TOPICS * r + topic) % (WORDS - 50);
}

static void quoted_head(const void *params, struct str *out)
{
    (void)params;
    str_add(out, "id,text,label\n");
}

static void quoted_row(const void *params, int64_t row, struct str *out)
{
    uint64_t s = ((const struct csv_params *)params)->seed, i = (uint64_t)row;
    int words = 50 + (int)(151 * gen_u(s, i, 0)),
        topic = (int)(TOPICS * gen_u(s, i, 1));
    str_addf(out, "%lld,\"", (long long)row);
    for (int w = 0; w < words; w++) {
        if (w) str_addc(out, w % 10 == 9 ? '\n' : ' ');
        if (w % 50 == 49) str_add(out, "\"\"");
        str_addf(out, "w%d", word_of(s, i, (uint64_t)w, topic));
    }
    str_addf(out, "\",t%d\n", topic);
}

/* ---- descriptors ---- */

static const struct tide_param mixed_rows[] = {
    P_U64(csv_params, seed, "32", .help = "seed of the rows"),
};
static const struct tide_param wide_rows[] = {
    P_U64(csv_params, seed, "33", .help = "seed of the rows"),
    P_INT(csv_params, columns, "1000", P_RANGE(1, 65536), .alias = "n-features d",
          .help = "number of columns"),
};
static const struct tide_param quoted_rows[] = {
    P_U64(csv_params, seed, "33", .help = "seed of the rows"),
};
const struct tide_maker tide_maker_csv_mixed = {
    .name = "csv-mixed",
    .title = "a text: numbers in many forms, missing ones, two categories, some quotes",
    .camel = "CsvMixed",
    .guide = "",
    .paper = "",
    .params = TIDE_TABLE(mixed_rows, csv_params),
    .rows = 100000,
    .text_head = mixed_head,
    .text_row = mixed_row,
};
const struct tide_maker tide_maker_csv_wide = {
    .name = "csv-wide",
    .title = "a text: a thousand columns of numbers with four decimals",
    .camel = "CsvWide",
    .guide = "",
    .paper = "",
    .params = TIDE_TABLE(wide_rows, csv_params),
    .rows = 1000,
    .text_head = wide_head,
    .text_row = wide_row,
};
const struct tide_maker tide_maker_csv_quoted = {
    .name = "csv-quoted",
    .title = "a text: long quoted texts with newlines and doubled quotes",
    .camel = "CsvQuoted",
    .guide = "",
    .paper = "",
    .params = TIDE_TABLE(quoted_rows, csv_params),
    .rows = 10000,
    .text_head = quoted_head,
    .text_row = quoted_row,
};
const struct tide_maker tide_maker_csv_bad = {
    .name = "csv-bad",
    .title = "a text: csv-mixed with a broken row in 100,003",
    .camel = "CsvBad",
    .guide = "Q13",
    .paper = "",
    .params = TIDE_TABLE(mixed_rows, csv_params),
    .rows = 500000,
    .text_head = mixed_head,
    .text_row = bad_row,
};
