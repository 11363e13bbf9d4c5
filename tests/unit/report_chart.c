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

/* ---- pictures ---- */

struct box {
    int x0, y0, x1, y1;
    char text[64];
};

/* A number as 0.1 px. */
static int tenths(const char **p)
{
    int sign = **p == '-' ? -1 : 1, v = 0;
    if (**p == '-') ++*p;
    for (; **p >= '0' && **p <= '9'; ++*p) v = v * 10 + (**p - '0');
    v *= 10;
    if (**p == '.') {
        ++*p;
        v += *(*p)++ - '0';
        CHECK_MSG(!(**p >= '0' && **p <= '9'), "more than one decimal");
    }
    return sign * v;
}

static int attribute(const char *tag, const char *name)
{
    const char *end = strchr(tag, '>'), *p = strstr(tag, name);
    if (!p || p > end) return -1;
    p += strlen(name);
    return tenths(&p);
}

static void check_path(const char *p, int w, int h, const char *key)
{
    int x = 0, y = 0;
    while (*p != '"') {
        char op = *p++;
        if (op == 'z') continue;
        if (op == 'M' || op == 'l') {
            int a = tenths(&p);
            p += *p == ' ';
            int b = tenths(&p);
            x = op == 'M' ? a : x + a;
            y = op == 'M' ? b : y + b;
        } else if (op == 'h') {
            x += tenths(&p);
        } else if (op == 'v') {
            y += tenths(&p);
        } else {
            UNIT_FAIL("%s: path has '%c'", key, op);
            return;
        }
        if (x < 0 || y < 0 || x > w || y > h) {
            UNIT_FAIL("%s: %d, %d is outside of %d x %d", key, x, y, w, h);
            return;
        }
    }
}

/* Text as it will be seen: entities are one character. */
static void seen(const char *p, char *out, size_t size)
{
    size_t n = 0;
    for (; *p != '<' && n + 1 < size; p++) {
        if (*p == '&') p = strchr(p, ';');
        out[n++] = *p;
    }
    out[n] = '\0';
}

static void check_texts(const char *svg, int w, int h, const char *key)
{
    static struct box box[400];
    int n = 0;
    for (const char *p = svg; (p = strstr(p, "<text ")) != NULL; p++) {
        const char *end = strchr(p, '>');
        int x = attribute(p, " x=\""), y = attribute(p, " y=\""), width, from;
        if (x < 0 || n == 400) continue; /* upright */
        seen(end + 1, box[n].text, sizeof box[n].text);
        width = text_width(box[n].text, strlen(box[n].text),
                           strncmp(p, "<text class=\"at", 15) == 0 ? 12 : 11);
        from = x;
        if (strstr(p, "\"middle\"") && strstr(p, "\"middle\"") < end)
            from = x - width / 2;
        if (strstr(p, "\"end\"") && strstr(p, "\"end\"") < end) from = x - width;
        CHECK_MSG(from >= -1 && from + width <= w + 1 && y <= h,
                  "%s: \"%s\" from %d to %d of %d", key, box[n].text, from,
                  from + width, w);
        box[n].x0 = from;
        box[n].x1 = from + width;
        box[n].y0 = y - 80;
        box[n].y1 = y + 20;
        for (int i = 0; i < n; i++)
            CHECK_MSG(box[i].x1 <= box[n].x0 || box[n].x1 <= box[i].x0 ||
                          box[i].y1 <= box[n].y0 || box[n].y1 <= box[i].y0,
                      "%s: \"%s\" lies on \"%s\"", key, box[i].text, box[n].text);
        n++;
    }
}

/* Open and close balance, as far as our own writer goes. */
static void check_svg(const struct tide_chart *c, int alone)
{
    struct arena a = {0};
    struct str out = {0};
    const char *p, *box;
    int w, h, depth = 0;
    chart_svg(&out, c, alone, &a);
    CHECK(!out.failed && !a.failed);
    box = strstr(out.s, "viewBox=\"0 0 ") + 13;
    w = tenths(&box);
    box++;
    h = tenths(&box);
    for (p = out.s; (p = strchr(p, '<')) != NULL; p++) {
        const char *end = strchr(p, '>');
        CHECK(end != NULL);
        depth += p[1] == '/' ? -1 : end[-1] == '/' ? 0 : 1;
        CHECK(depth >= 0);
    }
    CHECK_INT(depth, 0);
    CHECK(!strstr(out.s, "nan") && !strstr(out.s, "inf"));
    for (p = out.s; (p = strstr(p, " d=\"")) != NULL; p++)
        check_path(p + 4, w, h, c->key);
    check_texts(out.s, w, h, c->key);
    str_free(&out);
    arena_free(&a);
}

TEST(pictures_stay_inside_and_labels_apart)
{
    struct arena a = {0};
    for (int i = 0; i < SAMPLE_CHARTS; i++)
        for (int alone = 0; alone < 2; alone++) check_svg(made(i, &a), alone);
    arena_free(&a);
}

static uint64_t draw_state;
static double draw_number(void)
{
    static const double size[] = {1, 1e-12, 1e-3, 1e3, 1e6, 1e15, 1e-300, 1e300};
    draw_state = draw_state * 6364136223846793005u + 1442695040888963407u;
    double u = (double)(draw_state >> 11) * 0x1p-53 - 0.5;
    if (draw_state % 61 == 0) return (double)NAN;
    if (draw_state % 31 == 0) return 0;
    return u * size[draw_state / 977 % 8 * (draw_state / 7919 % 2)];
}

TEST(any_numbers_give_a_picture_and_a_text)
{
    static const char *const name[] = {"a", "b b b b b b b b b b b b b b b b b b b b",
                                       "\xe4\xb8\xad\xe6\x96\x87", "<&>", ""};
    static const int kinds[] = {MARK_LINE,     MARK_STEP, MARK_POINT, MARK_BAR,
                                MARK_INTERVAL, MARK_BAND, MARK_HEX,   MARK_BOX};
    for (int round = 0; round < 400; round++) {
        struct arena a = {0};
        double x[40], y[40], z[40], shift, times;
        const char *names[40];
        int n = round % 40, kind = kinds[round / 3 % 8],
            scale = round % 7 == 0    ? SCALE_LOG
                    : round % 11 == 0 ? SCALE_TIME
                                      : SCALE_LINEAR;
        struct tide_chart *c = chart_new(&a, "any", "Whatever comes", n);
        struct chart_mark *m;
        draw_state = (uint64_t)round * 7919 + 1;
        shift = round % 5 ? 0 : draw_number() * 1e6;
        times = round % 3 ? 1 : 1e-4;
        for (int i = 0; i < n; i++) {
            x[i] = draw_number();
            y[i] = shift + times * draw_number();
            z[i] = y[i] + fabs(draw_number());
            if (scale == SCALE_LOG) x[i] = fabs(x[i]) + 1e-9;
            if (scale == SCALE_TIME) x[i] = x[i] * 1e9;
            if (isinf(x[i]) || isinf(y[i]) || isinf(z[i])) x[i] = y[i] = z[i] = 1;
            names[i] = name[(i * 7 + round) % 5];
        }
        chart_summary(c, "Numbers of every size, gaps and zeros among them, drawn "
                         "without a thought.");
        chart_axis_x(c, "x of a long name that goes on and on and on and on", "unit",
                     scale, 0, 0);
        chart_axis_y(c, "y", NULL, SCALE_LINEAR, 0, 0);
        m = chart_mark(c, kind, "what it is", 1 + round % 8);
        m->x = round % 4 == 1 && kind != MARK_HEX ? chart_text(c, "x", names, n)
                                                  : chart_num(c, "x", x, n);
        m->y = chart_num(c, "y", y, n);
        if (kind == MARK_INTERVAL || kind == MARK_BAND || kind == MARK_BOX) {
            m->lo = m->q1 = m->y;
            m->hi = m->q3 = chart_num(c, "z", z, n);
        }
        if (kind == MARK_HEX) m->size = m->y;
        if (kind == MARK_BAR && round % 2 && m->x == 0 && c->series[0].text)
            m->horizontal = 0;
        if (chart_finish(c, NULL) == TIDE_OK) {
            struct str out = {0};
            struct term t = {&out, 40 + round % 100, 0, round % 2};
            check_svg(c, round % 2);
            chart_term(&t, c, &a);
            CHECK(!out.failed && utf8_check(out.s, out.len) == 0);
            str_free(&out);
        }
        arena_free(&a);
    }
}

TEST(ticks_are_few_inside_and_in_order)
{
    for (int round = 0; round < 2000; round++) {
        struct ticks t;
        draw_state = (uint64_t)round * 104729 + 3;
        double lo = draw_number(), hi = lo + fabs(draw_number());
        int scale = round % 3 == 0   ? SCALE_LOG
                    : round % 3 == 1 ? SCALE_TIME
                                     : SCALE_LINEAR;
        if (scale == SCALE_LOG) {
            lo = fabs(lo) + 1e-12;
            hi = lo * 1e7;
        }
        if (isnan(lo) || isnan(hi) || isinf(hi)) continue;
        ticks_make(scale, lo, hi, TICKS_MAX, &t);
        CHECK(t.n <= TICKS_MAX);
        for (int i = 0; i < t.n; i++) {
            double slack = (hi - lo) * 1e-6;
            CHECK(t.at[i].value >= lo - slack && t.at[i].value <= hi + slack);
            CHECK(i == 0 || t.at[i].value > t.at[i - 1].value);
            CHECK(t.at[i].label[0] != '\0');
        }
    }
}
