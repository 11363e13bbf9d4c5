/* time.c - ISO 8601 dates and times to microseconds since 1970 UTC and back
 *
 * Taken: YYYY-MM-DD, then optionally T or a blank and HH:MM[:SS[.fraction]], then optionally
 * Z or an offset +HH[:MM]. Years 0001 to 9999, proleptic Gregorian calendar; no leap second.
 * Days are counted from 1 March, so that the leap day ends a year. */
#include <string.h>

#include "base/str.h"
#include "frame/frame.h"

#define DAY_US 86400000000

/* Two digits at s, or -1. */
static int two_digits(const char *s)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9') return -1;
    return (s[0] - '0') * 10 + (s[1] - '0');
}

static int64_t days_of_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, yoe = y % 400; /* y >= 0 */
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int month_days(int year, int month)
{
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30,
                                           31, 31, 30, 31, 30, 31};
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The ten bytes of a date. */
static int parse_date(const char *s, int64_t *days)
{
    if (s[4] != '-' || s[7] != '-') return -1;
    int c = two_digits(s), y = two_digits(s + 2), m = two_digits(s + 5),
        d = two_digits(s + 8);
    if (c < 0 || y < 0 || m < 1 || m > 12 || d < 1) return -1;
    int year = c * 100 + y;
    if (year < 1 || d > month_days(year, m)) return -1;
    *days = days_of_date(year, m, d);
    return 0;
}

/* Z, +HH, +HHMM or +HH:MM up to the end. */
static int parse_offset(const char *s, const char *end, int64_t *us)
{
    *us = 0;
    if (s == end) return 0;
    if (*s == 'Z' || *s == 'z') return s + 1 == end ? 0 : -1;
    if (*s != '+' && *s != '-') return -1;
    ptrdiff_t n = end - s - 1;
    if (n != 2 && n != 4 && n != 5) return -1;
    if (n == 5 && s[3] != ':') return -1;
    int h = two_digits(s + 1), m = n == 2 ? 0 : two_digits(end - 2);
    if (h < 0 || h > 23 || m < 0 || m > 59) return -1;
    *us = (h * 60 + m) * (*s == '-' ? -60000000ll : 60000000ll);
    return 0;
}

static int parse_clock(const char *s, const char *end, int64_t *us)
{
    if (end - s < 5 || s[2] != ':') return -1;
    int h = two_digits(s), m = two_digits(s + 3), sec = 0;
    int64_t part = 0, shift;
    s += 5;
    if (end - s >= 3 && *s == ':') {
        sec = two_digits(s + 1);
        s += 3;
        if (end - s >= 2 && (*s == '.' || *s == ',')) {
            int64_t unit = 100000;
            const char *digits = ++s;
            for (; s < end && *s >= '0' && *s <= '9'; s++, unit /= 10)
                part += (*s - '0') * unit;
            if (s == digits) return -1;
        }
    }
    if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59) return -1;
    if (s < end && *s == ' ') s++;
    if (parse_offset(s, end, &shift) != 0) return -1;
    *us = ((h * 60 + m) * 60 + sec) * 1000000ll + part - shift;
    return 0;
}

int time_parse_near(const char *s, size_t len, struct time_date *last, int64_t *us)
{
    int64_t days, clock = 0;
    uint64_t head;
    uint16_t tail;
    if (len < 10) return -1;
    memcpy(&head, s, sizeof head);
    memcpy(&tail, s + sizeof head, sizeof tail);
    if (!head || head != last->head || tail != last->tail) {
        if (parse_date(s, &days) != 0) return -1;
        *last = (struct time_date){head, tail, days};
    }
    if (len > 10) {
        if (s[10] != 'T' && s[10] != 't' && s[10] != ' ') return -1;
        if (parse_clock(s + 11, s + len, &clock) != 0) return -1;
    }
    *us = last->days * DAY_US + clock;
    return 0;
}

int time_parse(const char *s, size_t len, int64_t *us)
{
    struct time_date none = {0};
    return time_parse_near(s, len, &none, us);
}

int time_print(char *out, size_t size, int64_t us)
{
    int64_t days = us / DAY_US, rest = us % DAY_US;
    if (rest < 0) {
        rest += DAY_US;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1);
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int64_t year = yoe + era * 400 + (month <= 2);
    int sec = (int)(rest / 1000000), part = (int)(rest % 1000000);
    int n = str_format(out, size, "%04lld-%02d-%02d", (long long)year, month, day);
    if (rest == 0 || n < 0 || (size_t)n >= size) return n;
    n += str_format(out + n, size - (size_t)n, "T%02d:%02d:%02d", sec / 3600,
                    sec / 60 % 60, sec % 60);
    if (part == 0 || (size_t)n >= size) return n;
    return n + str_format(out + n, size - (size_t)n, ".%06d", part);
}
