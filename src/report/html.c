/* html.c - a report as one page */
#include "report/report.h"

void html_report(struct str *out, const tide_report *r, struct arena *a)
{
    (void)r;
    (void)a;
    str_add(out, "<!doctype html>\n");
}

void chart_svg(struct str *out, const struct tide_chart *c, int alone, struct arena *a)
{
    (void)c;
    (void)alone;
    (void)a;
    str_add(out, "<svg/>\n");
}
