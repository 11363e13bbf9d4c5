/* chart.h - one description of a chart, drawn by every back end (reports.md 3) */
#ifndef EVAL_CHART_H
#define EVAL_CHART_H
#include <stdint.h>

#include "base/arena.h"

enum chart_mark_kind {
    MARK_LINE,
    MARK_STEP,
    MARK_BAND,
    MARK_BAR,
    MARK_BOX,
    MARK_POINT,
    MARK_TICK,
    MARK_INTERVAL,
    MARK_RULE,
    MARK_CELL,
    MARK_HEX,
    MARK_PATH,
    MARK_NODE,
    MARK_TEXT
};
enum chart_scale {
    SCALE_LINEAR,
    SCALE_LOG,
    SCALE_SYMLOG,
    SCALE_LOGIT,
    SCALE_TIME,
    SCALE_BAND
};
struct chart_axis {
    const char *label, *unit;
    int scale;     /* enum chart_scale */
    double lo, hi; /* domain; lo == hi: from the data */
    int reversed;
};
struct chart_series {
    const char *name;
    int64_t n;
    const double *num;
    const char *const *text;
};
struct chart_mark {
    int kind;
    const char *label; /* legend or direct label, NULL: none */
    int x, y, lo, hi, size,
        text; /* indices of series, -1: none. BAR: x category/number, y value. CELL: x, y, size = value.
                                   * BOX: lo, y = median, hi plus q1, q3 */
    int q1, q3;
    int slot; /* colour 1..8, 0: muted */
    int horizontal;
    /* RULE: 'x' (x = a), 'y' (y = a), 'l' (y = a + b x). HEX: x, y centres, size rows; a is the
     * distance of centres in a row, b of rows, odd rows lie a / 2 further right */
    double a, b;
    int rule;
    /* BAR histogram: series of left edges (lo) and right edges (hi); bins_lo equals lo, y holds counts */
    int bins_lo;
};
struct tide_chart {
    struct arena *arena;
    const char *key, *title, *subtitle, *summary, *unit, *how_to_read, *guide;
    int64_t n; /* rows behind it */
    struct chart_axis x, y, colour;
    struct chart_series series[24];
    int n_series;
    struct chart_mark marks[12];
    int n_marks;
    const char *notes[3];
    int n_notes;
    int is_key;      /* drawn on the terminal without --charts */
    char error[160]; /* first mistake, refused by chart_finish */
};
struct tide_chart *chart_new(struct arena *a, const char *key, const char *title,
                             int64_t n);
/* Copies n values; returns the series index (or -1, sticky). */
int chart_num(struct tide_chart *c, const char *name, const double *v, int64_t n);
int chart_text(struct tide_chart *c, const char *name, const char *const *v, int64_t n);
/* A mark with everything unset (-1); fill its fields. */
struct chart_mark *chart_mark(struct tide_chart *c, int kind, const char *label,
                              int slot);
void chart_axis_x(struct tide_chart *c, const char *label, const char *unit, int scale,
                  double lo, double hi);
void chart_axis_y(struct tide_chart *c, const char *label, const char *unit, int scale,
                  double lo, double hi);
void chart_summary(struct tide_chart *c, const char *fmt, ...);
void chart_note(struct tide_chart *c, const char *fmt, ...);
/* Checks the description (reports.md 3 last paragraph). Errors: internal with chart and part. */
tide_status chart_finish(struct tide_chart *c, tide_error *err);
/* Aggregation (chart_bin.c): histogram of n values by reports.md's rule, at most 64 bins. */
struct chart_bins {
    int n;
    double *lo, *hi, *count;
    int64_t below, above, n_missing;
    int is_integer, is_log;
};
tide_status chart_histogram(struct arena *a, const double *v, int64_t n,
                            struct chart_bins *out, tide_error *err);
#endif
