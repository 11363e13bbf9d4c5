/* the colours can be told apart: WCAG 2 contrast; CIEDE2000 (Sharma, Wu, Dalal 2005) under normal
 * sight and full protanopia, deuteranopia, tritanopia (Machado, Oliveira, Fernandes 2009) */
#include "report/report.h"
#include "support/unit.h"

struct rgb {
    double c[3];
};

static struct rgb parse(const char *hex)
{
    struct rgb out;
    for (int i = 0; i < 3; i++) {
        char part[3] = {hex[1 + 2 * i], hex[2 + 2 * i], 0};
        double v = (double)strtol(part, NULL, 16) / 255;
        out.c[i] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
    return out;
}

static double luminance(const char *hex)
{
    struct rgb c = parse(hex);
    return 0.2126 * c.c[0] + 0.7152 * c.c[1] + 0.0722 * c.c[2];
}

static double contrast(const char *a, const char *b)
{
    double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
    return x > y ? x / y : y / x;
}

static const double sight[4][9] = {{1, 0, 0, 0, 1, 0, 0, 0, 1},
                                   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281,
                                    0.099216, -0.003882, -0.048116, 1.051998},
                                   {0.367322, 0.860646, -0.227968, 0.280085, 0.672501,
                                    0.047413, -0.011820, 0.042940, 0.968881},
                                   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809,
                                    0.147602, 0.004733, 0.691367, 0.303900}};

static double lab_f(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

static void lab(const char *hex, const double *m, double out[3])
{
    struct rgb c = parse(hex);
    double s[3], x, y, z;
    for (int i = 0; i < 3; i++) {
        s[i] = m[3 * i] * c.c[0] + m[3 * i + 1] * c.c[1] + m[3 * i + 2] * c.c[2];
        s[i] = s[i] < 0 ? 0 : s[i] > 1 ? 1 : s[i];
    }
    x = lab_f((0.4124564 * s[0] + 0.3575761 * s[1] + 0.1804375 * s[2]) / 0.95047);
    y = lab_f(0.2126729 * s[0] + 0.7151522 * s[1] + 0.0721750 * s[2]);
    z = lab_f((0.0193339 * s[0] + 0.1191920 * s[1] + 0.9503041 * s[2]) / 1.08883);
    out[0] = 116 * y - 16;
    out[1] = 500 * (x - y);
    out[2] = 200 * (y - z);
}

static double hue(double a, double b)
{
    double h = a == 0 && b == 0 ? 0 : atan2(b, a) * 180 / 3.14159265358979323846;
    return h < 0 ? h + 360 : h;
}

static double rad(double d)
{
    return d * 3.14159265358979323846 / 180;
}

static double delta(const double p[3], const double q[3])
{
    double c1 = hypot(p[1], p[2]), c2 = hypot(q[1], q[2]), cm = (c1 + c2) / 2,
           c7 = pow(cm, 7);
    double g = 0.5 * (1 - sqrt(c7 / (c7 + 6103515625.0)));
    double a1 = (1 + g) * p[1], a2 = (1 + g) * q[1], d1 = hypot(a1, p[2]),
           d2 = hypot(a2, q[2]);
    double h1 = hue(a1, p[2]), h2 = hue(a2, q[2]), dh = h2 - h1, hm = h1 + h2;
    if (d1 * d2 == 0) {
        dh = 0;
    } else {
        if (dh > 180) dh -= 360;
        if (dh < -180) dh += 360;
        if (fabs(h1 - h2) > 180) hm += hm < 360 ? 360 : -360;
        hm /= 2;
    }
    double dl = q[0] - p[0], dc = d2 - d1, dd = 2 * sqrt(d1 * d2) * sin(rad(dh / 2));
    double lm = (p[0] + q[0]) / 2, dm = (d1 + d2) / 2, d7 = pow(dm, 7);
    double t = 1 - 0.17 * cos(rad(hm - 30)) + 0.24 * cos(rad(2 * hm)) +
               0.32 * cos(rad(3 * hm + 6)) - 0.20 * cos(rad(4 * hm - 63));
    double sl = 1 + 0.015 * (lm - 50) * (lm - 50) / sqrt(20 + (lm - 50) * (lm - 50));
    double sc = 1 + 0.045 * dm, sh = 1 + 0.015 * dm * t;
    double rt = -sin(rad(60 * exp(-((hm - 275) / 25) * ((hm - 275) / 25)))) * 2 *
                sqrt(d7 / (d7 + 6103515625.0));
    return sqrt(dl / sl * (dl / sl) + dc / sc * (dc / sc) + dd / sh * (dd / sh) +
                rt * (dc / sc) * (dd / sh));
}

TEST(the_formula_of_distances_gives_published_values)
{
    static const double pairs[][7] = {
        {50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425},
        {50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0},
        {50, 2.5, 0, 73, 25, -18, 27.1492},
        {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644}};
    for (int i = 0; i < 4; i++)
        CHECK(fabs(delta(pairs[i], pairs[i] + 3) - pairs[i][6]) < 5e-5);
}

static const char *slot(int k, int dark)
{
    return dark ? palette_slots[k].dark : palette_slots[k].light;
}

TEST(any_two_series_are_told_apart)
{
    for (int dark = 0; dark < 2; dark++)
        for (int s = 0; s < 4; s++)
            for (int i = 1; i <= 8; i++)
                for (int j = 1; j < i; j++) {
                    double a[3], b[3], d, least = i <= 4 ? 20 : i <= 6 ? 12 : 9;
                    lab(slot(i, dark), sight[s], a);
                    lab(slot(j, dark), sight[s], b);
                    d = delta(a, b);
                    CHECK_MSG(d >= least, "%d and %d, sight %d, dark %d: %.2f", j, i, s,
                              dark, d);
                }
}

static const char *role(int dark, const char *name)
{
    const char *const(*r)[2] = dark ? palette_roles_dark : palette_roles_light;
    for (; r[0][0]; r++)
        if (strcmp(r[0][0], name) == 0) return r[0][1];
    UNIT_FAIL("no role %s", name);
    return "#000000";
}

TEST(marks_and_text_stand_out)
{
    static const char *const grounds[] = {"page", "panel"}, *const text[] = {
                                                                "ink",  "muted", "link",
                                                                "good", "warn",  "bad"};
    for (int dark = 0; dark < 2; dark++)
        for (int g = 0; g < 2; g++) {
            const char *ground = role(dark, grounds[g]);
            for (int k = 0; k <= 8; k++)
                CHECK_MSG(contrast(slot(k, dark), ground) >= 3.0, "slot %d on %s", k,
                          ground);
            for (int i = 0; i < 6; i++)
                CHECK_MSG(contrast(role(dark, text[i]), ground) >= 4.5, "%s on %s",
                          text[i], ground);
            if (g == 0) CHECK(contrast(role(dark, "axis"), ground) >= 3.0);
        }
}

TEST(numbers_in_cells_are_legible)
{
    for (int k = 0; k < 9; k++) {
        double s = contrast(palette_sequential[k], k > 4 ? "#FFFFFF" : "#1B1F23");
        double d =
            contrast(palette_diverging[k], k < 2 || k > 6 ? "#FFFFFF" : "#1B1F23");
        CHECK_MSG(s >= 4.5, "sequential %d: %.2f", k, s);
        CHECK_MSG(d >= 4.5, "diverging %d: %.2f", k, d);
    }
}

TEST(mirrored_classes_are_told_apart)
{
    for (int s = 0; s < 4; s++)
        for (int k = 0; k < 4; k++) {
            double a[3], b[3];
            lab(palette_diverging[k], sight[s], a);
            lab(palette_diverging[8 - k], sight[s], b);
            CHECK_MSG(delta(a, b) >= 15, "class %d, sight %d: %.2f", k, s, delta(a, b));
        }
}

TEST(values_fall_into_nine_classes)
{
    CHECK_INT(palette_class(0, 0, 9), 0);
    CHECK_INT(palette_class(9, 0, 9), 8);
    CHECK_INT(palette_class(4.5, 0, 9), 4);
    CHECK_INT(palette_class(1, 1, 1), 4);
    CHECK_INT(palette_class((double)NAN, 0, 9), 0);
}
