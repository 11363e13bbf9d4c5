/* chart_text.h - what the parts of the terminal's charts share */
#ifndef REPORT_CHART_TEXT_H
#define REPORT_CHART_TEXT_H
#include "report/report.h"

const char *chart_text_marker(const struct term *t, int slot);
const char *chart_text_bar(const struct term *t, int slot); /* a full cell of a bar */
/* Marks beside names: bars, intervals, boxes, points, one row a name (chart_rows.c). */
void chart_rows(struct term *t, const struct plot *p, struct arena *a);
#endif
