/* scale.c - the even line of each scale; logarithms of our own, the same bits everywhere */
#include <math.h>

#include "report/report.h"

/* ln m 2^e with m in [sqrt 1/2, sqrt 2): 2 artanh((m - 1) / (m + 1)) by its series. */
double scale_log(double x)
{
    static const double ln2 = 0.69314718055994530942;
    int e = 0;
    double m, s, q, sum = 0;
    if (!(x > 0)) return NAN;
    m = frexp(x, &e);
    if (m < 0.70710678118654752440) {
        m *= 2;
        e--;
    }
    s = (m - 1) / (m + 1);
    q = s * s;
    for (int k = 23; k >= 1; k -= 2) sum = sum * q + 1.0 / k;
    return 2 * s * sum + e * ln2;
}

double scale_even(int scale, double v)
{
    switch ((enum chart_scale)scale) {
    case SCALE_LOG:
        return scale_log(v > 0 ? v : 0);
    case SCALE_SYMLOG:
        return v < 0 ? -scale_log(1 - v) : scale_log(1 + v);
    case SCALE_LOGIT:
        return scale_log(v > 0 && v < 1 ? v / (1 - v) : 0);
    case SCALE_LINEAR:
    case SCALE_TIME:
    case SCALE_BAND:
        break;
    }
    return v;
}
