/* charts.h - the charts of an evaluation report, by task; private to this room */
#ifndef EVAL_CHARTS_H
#define EVAL_CHARTS_H
#include "base/numparse.h"
#include "eval/eval.h"

#define CURVE_POINTS 512 /* of a curve after thinning, at most */

/* Each adds its charts to the report; what cannot be drawn is left out. */
tide_status class_charts(struct tide_ctx *ctx, tide_report *r, const struct scored *s,
                         tide_error *err);
tide_status value_charts(struct tide_ctx *ctx, tide_report *r, const struct scored *s,
                         tide_error *err);

/* 4 significant digits, from 10,000 whole numbers; returns out. */
const char *charts_figure(char out[NUM_PRINT_MAX], double v);
/* A name cut to 24 bytes, escaped. */
#define CHARTS_NAME 40
const char *charts_name(char out[CHARTS_NAME], const char *name);
/* Which of n points of a curve to draw: first, last, and every point that lies a 500th of the
 * curve's length (|dx| + |dy|) from the one before. Returns how many indices were written. */
int64_t charts_thin(const double *x, const double *y, int64_t n,
                    int64_t keep[CURVE_POINTS]);
/* "0.912 (0.905 to 0.919)" of a metric of these rows, or "-". */
tide_status charts_metric(struct tide_ctx *ctx, const char *name,
                          const struct scored *s, enum metric_interval ci, char out[96],
                          double *value, tide_error *err);
/* Finishes a chart and hands it over. */
tide_status charts_done(tide_report *r, struct tide_chart *c, const char *how_to_read,
                        tide_error *err);
#endif
