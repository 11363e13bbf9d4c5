/* ticks.c - at most seven round numbers of an axis
 *
 * Steps of 1, 2, 2.5 or 5 times a power of ten (Heckbert's nice numbers, Graphics Gems 1990);
 * a tick is k steps computed by one product or quotient, so 3 x 0.1 prints as 0.3. All labels
 * of an axis share the number of decimals and the SI prefix or the exponent. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "report/report.h"

struct step {
    double m;
    int e;
};

static double power10(int e)
{
    double p = 1;
    for (; e > 0; e--) p *= 10;
    return p;
}

static double power_of(int e)
{
    return e < 0 ? 1 / power10(-e) : power10(e);
}

static double step_times(const struct step *s, double k)
{
    return s->e < 0 ? k * s->m / power10(-s->e) : k * s->m * power10(s->e);
}

static struct step next_step(struct step s)
{
    static const double nice[] = {1, 2, 2.5, 5};
    for (int i = 0; i < 3; i++)
        if (s.m == nice[i]) return (struct step){nice[i + 1], s.e};
    return (struct step){1, s.e + 1};
}

static void put_label(struct tick *t, const char *text, const char *tail)
{
    (void)str_format(t->label, sizeof t->label, "%s%s", text, tail);
}

/* Common prefix or exponent of all labels. */
static void label_linear(struct ticks *out, const struct step *s, double most)
{
    static const char *const si[] = {"", "k", "M", "G", "T"};
    struct figure f;
    char tail[16] = "";
    int decimals = -s->e + (s->m == 2.5), shift = 0;
    if (most >= 1e6 && most < 1e15) {
        while (shift < 4 && most / power10(3 * shift) >= 1000) shift++;
        memcpy(tail, si[shift], strlen(si[shift]) + 1);
        shift *= 3;
    } else if (most >= 1e15 || most < 1e-3) {
        while (most / power10(shift) >= 10 && shift < 308) shift++;
        while (shift > -308 && most * power10(-shift) < 1) shift--;
        if (most > 0) (void)str_format(tail, sizeof tail, "e%d", shift);
    }
    decimals += shift;
    if (decimals < 0) decimals = 0;
    if (decimals > 14) decimals = 14;
    for (int i = 0; i < out->n; i++) {
        double v = out->at[i].value;
        v = shift < 0 ? v * power10(-shift) : v / power10(shift);
        (void)figure_fixed(&f, v, decimals, most >= 10000);
        put_label(&out->at[i], f.s, v == 0 ? "" : tail);
    }
}

static void make_linear(double lo, double hi, int most, struct ticks *out)
{
    struct step s = {1, 0};
    double range = hi - lo, slack = range * 1e-9, first;
    if (!(range > 0) || !isfinite(range)) return;
    while (s.e > -300 && step_times(&s, 1) > range / most) s.e--;
    for (;; s = next_step(s)) {
        first = ceil((lo - slack) / step_times(&s, 1));
        if (step_times(&s, first + most) > hi + slack) break;
    }
    for (int i = 0; i < most; i++) {
        double v = step_times(&s, first + i);
        if (v > hi + slack) break;
        if (v < lo - slack || (out->n > 0 && v <= out->at[out->n - 1].value)) continue;
        out->at[out->n++].value = v == 0 ? 0 : v;
    }
    label_linear(out, &s, fabs(lo) > fabs(hi) ? fabs(lo) : fabs(hi));
}

static void label_power(struct tick *t, double m, int e)
{
    struct figure f;
    if (e >= -3 && e <= 5)
        put_label(t, figure_fixed(&f, t->value, e < 0 ? -e : 0, 1), "");
    else
        (void)str_format(t->label, sizeof t->label, "%de%d", (int)m, e);
}

/* Decades, with 2 and 5 between when fewer than three show. */
static void make_log(double lo, double hi, int most, struct ticks *out)
{
    static const double between[] = {1, 2, 5};
    int e0 = 0, e1, n, every = 1, dense;
    while (e0 > -308 && power_of(e0) > lo) e0--;
    while (e0 < 308 && power_of(e0 + 1) <= lo) e0++;
    for (e1 = e0; e1 < 308 && power_of(e1 + 1) <= hi;) e1++;
    n = e1 - e0 + 1;
    dense = n <= 3;
    while ((n + every - 1) / every > most) every++;
    for (int e = e0; e <= e1; e += every)
        for (int i = 0; i < (dense ? 3 : 1); i++) {
            struct step s = {between[i], e};
            double v = step_times(&s, 1);
            if (v < lo * (1 - 1e-9) || v > hi * (1 + 1e-9) || out->n == most) continue;
            out->at[out->n].value = v;
            label_power(&out->at[out->n++], between[i], e);
        }
    if (out->n < 2) {
        out->n = 0;
        make_linear(lo, hi, most, out);
    }
}

/* Probabilities: the middle and the round ends. */
static void make_logit(double lo, double hi, int most, struct ticks *out)
{
    static const double at[] = {0.0001, 0.001, 0.01,  0.1,   0.5,
                                0.9,    0.99,  0.999, 0.9999};
    static const char *const text[] = {"0.0001", "0.001", "0.01",  "0.1",   "0.5",
                                       "0.9",    "0.99",  "0.999", "0.9999"};
    for (int i = 0; i < 9; i++) {
        if (at[i] < lo || at[i] > hi || out->n == most) continue;
        out->at[out->n].value = at[i];
        put_label(&out->at[out->n++], text[i], "");
    }
}

/* ---- calendar ---- */

struct date {
    int64_t year;
    int month, day;
};

/* Days since 1970-01-01 and back (proleptic Gregorian; years of March to February). */
static int64_t days_of(struct date d)
{
    int64_t y = d.year - (d.month <= 2), era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct date date_of(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct date){yoe + era * 400 + (month <= 2), month,
                         (int)(doy - (153 * mp + 2) / 5 + 1)};
}

static void label_time(struct tick *t, double step)
{
    int64_t s = (int64_t)floor(t->value), day = (int64_t)floor((double)s / 86400.0);
    int64_t rest = s - day * 86400;
    struct date d = date_of(day);
    if (step >= 360 * 86400.0)
        (void)str_format(t->label, sizeof t->label, "%lld", (long long)d.year);
    else if (step >= 28 * 86400.0)
        (void)str_format(t->label, sizeof t->label, "%lld-%02d", (long long)d.year,
                         d.month);
    else if (step >= 86400)
        (void)str_format(t->label, sizeof t->label, "%02d-%02d", d.month, d.day);
    else
        (void)str_format(t->label, sizeof t->label, "%02d:%02d", (int)(rest / 3600),
                         (int)(rest / 60 % 60));
}

static void make_months(double lo, double hi, int months, int most, struct ticks *out)
{
    struct date d = date_of((int64_t)floor(lo / 86400.0));
    d.day = 1;
    if (months >= 12) {
        d.month = 1;
        d.year -= ((d.year % (months / 12)) + months / 12) % (months / 12);
    } else {
        d.month -= (d.month - 1) % months;
    }
    while (out->n < most) {
        double v = (double)days_of(d) * 86400.0;
        if (v > hi) break;
        if (v >= lo) {
            out->at[out->n].value = v;
            label_time(&out->at[out->n++], months * 30.0 * 86400.0);
        }
        d.month += months;
        while (d.month > 12) {
            d.month -= 12;
            d.year++;
        }
    }
}

static void make_time(double lo, double hi, int most, struct ticks *out)
{
    static const double steps[] = {60,    120,   300,    600,    900,
                                   1800,  3600,  7200,   10800,  21600,
                                   43200, 86400, 172800, 604800, 1209600};
    static const int months[] = {1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000};
    double range = hi - lo;
    if (!(range > 0) || fabs(lo) > 1e13 || fabs(hi) > 1e13) return;
    for (int i = 0; i < 15; i++) {
        if (range / steps[i] >= most) continue;
        for (double k = ceil(lo / steps[i]); out->n < most && k * steps[i] <= hi; k++) {
            out->at[out->n].value = k * steps[i];
            label_time(&out->at[out->n++], steps[i]);
        }
        return;
    }
    for (int i = 0; i < 12; i++)
        if (range / (months[i] * 30.0 * 86400.0) < most) {
            make_months(lo, hi, months[i], most, out);
            return;
        }
}

void ticks_make(int scale, double lo, double hi, int most, struct ticks *out)
{
    out->n = 0;
    if (most > TICKS_MAX) most = TICKS_MAX;
    if (most < 2) most = 2;
    switch ((enum chart_scale)scale) {
    case SCALE_LOG:
        make_log(lo, hi, most, out);
        return;
    case SCALE_LOGIT:
        make_logit(lo, hi, most, out);
        return;
    case SCALE_TIME:
        make_time(lo, hi, most, out);
        return;
    case SCALE_LINEAR:
    case SCALE_SYMLOG:
    case SCALE_BAND:
        break;
    }
    make_linear(lo, hi, most, out);
}
