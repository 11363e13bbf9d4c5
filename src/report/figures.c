/* figures.c - numbers and names as people read them */
#include <math.h>
#include <string.h>

#include "base/numparse.h"
#include "report/report.h"

/* Copies digits with a comma before each group of three; the fraction follows as it is. */
static void group(struct figure *f, const char *digits)
{
    size_t sign = digits[0] == '-', whole = strcspn(digits + sign, "."), at = 0;
    if (sign) f->s[at++] = '-';
    for (size_t i = 0; i < whole && at + 2 < sizeof f->s; i++) {
        if (i > 0 && (whole - i) % 3 == 0) f->s[at++] = ',';
        f->s[at++] = digits[sign + i];
    }
    for (const char *p = digits + sign + whole; *p && at + 1 < sizeof f->s; p++)
        f->s[at++] = *p;
    f->s[at] = '\0';
}

const char *figure_number(struct figure *f, double v, int digits)
{
    char t[NUM_PRINT_MAX];
    if (isnan(v)) {
        memcpy(f->s, "-", 2);
    } else if (fabs(v) < 1e15 && (fabs(v) >= 1000 || v == floor(v))) {
        /* whole numbers stay whole, and large ones lose their fraction only */
        if (fabs(v) >= 1000 && v != floor(v) && fabs(v) < 10000 && digits > 4)
            (void)num_print_g(t, v, digits);
        else
            (void)num_print_f(t, v == 0 ? 0 : v, 0);
        group(f, t);
    } else {
        (void)num_print_g(t, v, digits);
        memcpy(f->s, t, strlen(t) + 1);
    }
    return f->s;
}

const char *figure_count(struct figure *f, int64_t n)
{
    char t[NUM_PRINT_MAX];
    (void)num_print_i64(t, n);
    group(f, t);
    return f->s;
}

const char *figure_fixed(struct figure *f, double v, int decimals, int thousands)
{
    char t[NUM_PRINT_MAX];
    (void)num_print_f(t, v, decimals);
    if (t[0] == '-' && strspn(t + 1, "0.") == strlen(t + 1)) /* no minus zero */
        memmove(t, t + 1, strlen(t));
    if (thousands && fabs(v) >= 1000 && fabs(v) < 1e15)
        group(f, t);
    else
        memcpy(f->s, t, strlen(t) + 1);
    return f->s;
}

static double larger(double a, double b)
{
    return fabs(b) > a ? fabs(b) : a; /* a NaN b leaves a */
}

void figure_estimate(struct figure *value, struct figure *lo, struct figure *hi,
                     const struct report_metric *m)
{
    double most = larger(larger(larger(0, m->value), m->lo), m->hi);
    int decimals = 3, has_ends = !isnan(m->lo) && !isnan(m->hi);
    if (!(most > 1e-8 && most < 1e9) || isnan(m->value) ||
        (!has_ends && m->value == floor(m->value))) {
        (void)figure_number(value, m->value, 4);
        (void)figure_number(lo, m->lo, 4);
        (void)figure_number(hi, m->hi, 4);
        return;
    }
    for (; most < 1; most *= 10) decimals++; /* 4 digits of the largest */
    for (; most >= 10 && decimals > 0; most /= 10) decimals--;
    (void)figure_fixed(value, m->value, decimals, 1);
    (void)figure_number(lo, m->lo, 4);
    (void)figure_number(hi, m->hi, 4);
    if (!has_ends) return;
    (void)figure_fixed(lo, m->lo, decimals, 1);
    (void)figure_fixed(hi, m->hi, decimals, 1);
}

void figure_words(struct str *t, const char *key)
{
    for (; *key; key++) str_addc(t, *key == '_' ? ' ' : *key);
}
