/* every sample chart in every form against tests/golden/chart, and what must hold for all */
#include <tidemill/report.h>

#include "report/report.h"
#include "support/sample_charts.h"
#include "support/unit.h"

static struct tide_chart *made(int i, struct arena *a)
{
    struct tide_chart *c = sample_charts[i](a);
    tide_error err = {0};
    CHECK_MSG(chart_finish(c, &err) == TIDE_OK, "%s", err.message);
    return c;
}

static void draw(const struct tide_chart *c, const char *form, struct str *out)
{
    struct arena a = {0};
    struct term t = {out, 80, 0, strcmp(form, "ascii.txt") == 0};
    if (strcmp(form, "svg") == 0) chart_svg(out, c, 1, &a);
    if (strstr(form, "txt")) chart_term(&t, c, &a);
    if (strcmp(form, "csv") == 0) chart_table_csv(out, c, &a);
    if (strcmp(form, "json") == 0) {
        json_t *o = chart_json(c);
        json_write(out, o, 0);
        str_addc(out, '\n');
        json_decref(o);
    }
    CHECK(!out->failed && !a.failed);
    arena_free(&a);
}

/* TIDEMILL_ACCEPT=1 writes the golden files instead: look at them before the commit. */
static void golden(const struct tide_chart *c, const char *form)
{
    char path[512], key[64], *old;
    const char *root = getenv("TIDEMILL_ROOT");
    struct str now = {0};
    FILE *f;
    size_t n = 0;
    draw(c, form, &now);
    snprintf(key, sizeof key, "%s", c->key);
    for (char *p = key; *p; p++)
        if (*p == '/') *p = '-';
    snprintf(path, sizeof path, "%s/tests/golden/chart/%s.%s", root ? root : ".", key,
             form);
    f = fopen(path, getenv("TIDEMILL_ACCEPT") ? "wb" : "rb");
    CHECK_MSG(f != NULL, "no file %s", path);
    if (f && getenv("TIDEMILL_ACCEPT")) {
        CHECK(fwrite(now.s, 1, now.len, f) == now.len);
    } else if (f) {
        old = malloc(1 << 20);
        n = fread(old, 1, 1 << 20, f);
        CHECK_MSG(n == now.len && memcmp(old, now.s, n) == 0, "%s differs", path);
        free(old);
    }
    if (f) fclose(f);
    str_free(&now);
}

TEST(charts_equal_their_golden_files)
{
    static const char *const forms[] = {"svg", "txt", "ascii.txt", "csv", "json"};
    struct arena a = {0};
    for (int i = 0; i < SAMPLE_CHARTS; i++)
        for (int k = 0; k < 5; k++) golden(made(i, &a), forms[k]);
    arena_free(&a);
}

/* ---- lines of text ---- */

TEST(no_line_passes_the_width_and_no_control_byte_passes_at_all)
{
    struct arena a = {0};
    for (int i = 0; i < SAMPLE_CHARTS; i++) {
        struct tide_chart *c = made(i, &a);
        for (int width = 40; width <= 200; width += 20)
            for (int ascii = 0; ascii < 2; ascii++) {
                struct str out = {0};
                struct term t = {&out, width, 0, ascii};
                chart_term(&t, c, &a);
                for (char *p = out.s; *p;) {
                    size_t n = strcspn(p, "\n");
                    CHECK_MSG(utf8_width(p, n) <= width, "%s at %d: %.*s", c->key,
                              width, (int)n, p);
                    for (size_t k = 0; k < n; k++) {
                        CHECK((unsigned char)p[k] >= 32);
                        if (ascii && i != 4)
                            CHECK_MSG((unsigned char)p[k] < 127, "%s: %.*s", c->key,
                                      (int)n, p);
                    }
                    p += n + (p[n] == '\n');
                }
                str_free(&out);
            }
    }
    arena_free(&a);
}

TEST(colours_end_where_they_began)
{
    struct arena a = {0};
    for (int i = 0; i < SAMPLE_CHARTS; i++) {
        struct str out = {0};
        struct term t = {&out, 80, 256, 0};
        const char *last = NULL;
        chart_term(&t, made(i, &a), &a);
        for (const char *p = out.s; (p = strchr(p, '\x1b')) != NULL; p++) last = p;
        CHECK(last && strncmp(last, "\x1b[0m", 4) == 0);
        str_free(&out);
    }
    arena_free(&a);
}
