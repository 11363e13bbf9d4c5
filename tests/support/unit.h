/* unit.h - the smallest test frame: TEST(sentence) { CHECK(...); } found by constructor order
 *
 * A file of tests includes this once; main is here. `./test` runs all, `./test NAME...` those
 * whose name contains one of the words. The last line is "N passed, N failed". */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit_case {
    const char *name;
    void (*run)(void);
};
static struct unit_case unit_cases[1024];
static int unit_n, unit_bad;

#define TEST(name)                                                                     \
    static void unit_run_##name(void);                                                 \
    __attribute__((constructor)) static void unit_add_##name(void)                     \
    {                                                                                  \
        unit_cases[unit_n++] = (struct unit_case){#name, unit_run_##name};             \
    }                                                                                  \
    static void unit_run_##name(void)

#define UNIT_FAIL(...)                                                                 \
    do {                                                                               \
        unit_bad++;                                                                    \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                \
        fprintf(stderr, __VA_ARGS__);                                                  \
        fputc('\n', stderr);                                                           \
    } while (0)
#define CHECK(cond)                                                                    \
    do {                                                                               \
        if (!(cond)) UNIT_FAIL("not so: %s", #cond);                                   \
    } while (0)
#define CHECK_MSG(cond, ...)                                                           \
    do {                                                                               \
        if (!(cond)) UNIT_FAIL(__VA_ARGS__);                                           \
    } while (0)
#define CHECK_INT(a, b)                                                                \
    do {                                                                               \
        long long unit_a = (long long)(a), unit_b = (long long)(b);                    \
        if (unit_a != unit_b) UNIT_FAIL("%s is %lld, not %lld", #a, unit_a, unit_b);   \
    } while (0)
#define CHECK_STR(a, b)                                                                \
    do {                                                                               \
        const char *unit_a = (a), *unit_b = (b);                                       \
        if (!unit_a || !unit_b || strcmp(unit_a, unit_b) != 0)                         \
            UNIT_FAIL("%s is \"%s\", not \"%s\"", #a, unit_a ? unit_a : "(null)",      \
                      unit_b ? unit_b : "(null)");                                     \
    } while (0)
/* |a - b| <= tol * max(1, |b|); NaN equals NaN */
#define CHECK_NEAR(a, b, tol)                                                          \
    do {                                                                               \
        double unit_a = (a), unit_b = (b);                                             \
        double unit_m = fabs(unit_b) > 1 ? fabs(unit_b) : 1;                           \
        if (!(fabs(unit_a - unit_b) <= (tol)*unit_m) &&                                \
            !(isnan(unit_a) && isnan(unit_b)))                                         \
            UNIT_FAIL("%s is %.17g, not %.17g", #a, unit_a, unit_b);                   \
    } while (0)

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;
    for (int i = 0; i < unit_n; i++) {
        int wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted |= strstr(unit_cases[i].name, argv[k]) != NULL;
        if (!wanted) continue;
        int before = unit_bad;
        unit_cases[i].run();
        if (unit_bad == before) {
            passed++;
        } else {
            failed++;
            fprintf(stderr, "failed: %s\n", unit_cases[i].name);
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
#endif
