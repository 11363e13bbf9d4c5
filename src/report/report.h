/* report.h - the face of this room: one description, drawn as text, SVG, table, JSON and HTML
 *
 * Every renderer appends to a struct str, whose failure is sticky, and takes scratch memory from
 * an arena of its caller. Nothing here reads the clock, the environment or a file, and no
 * number depends on a library's logarithm, so the same report gives the same bytes. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H
#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "eval/chart.h"
#include "eval/report_data.h"

/* ---- figures (figures.c) ---- */
struct figure {
    char s[48];
};
/* `digits` significant digits as people read them: 0.1235, 12,346, 1.2e-07; NaN is "-". */
const char *figure_number(struct figure *f, double v, int digits);
const char *figure_count(struct figure *f, int64_t n); /* 36,631 */
/* Exactly `decimals` digits after the point; thousands apart or not. */
const char *figure_fixed(struct figure *f, double v, int decimals, int thousands);
/* A metric and the ends of its interval with one number of decimals. */
void figure_estimate(struct figure *value, struct figure *lo, struct figure *hi,
                     const struct report_metric *m);
/* "learning_rate" as words: "learning rate" */
void figure_words(struct str *t, const char *key);

/* ---- scales and ticks ---- */
double scale_log(double x); /* natural logarithm, own digits; NaN for x <= 0 */
/* Value to the line on which its scale is even; NaN outside of the scale's reach. */
double scale_even(int scale, double v);
#define TICKS_MAX 7
struct tick {
    double value;
    char label[24];
};
struct ticks {
    int n;
    struct tick at[TICKS_MAX];
};
/* At most `most` (2 to TICKS_MAX) ticks in [lo, hi], by nice numbers. */
void ticks_make(int scale, double lo, double hi, int most, struct ticks *out);

/* ---- a chart's axes, resolved (plot.c) ---- */
struct plot_axis {
    int scale; /* SCALE_BAND when the values are names */
    int reversed;
    double lo, hi;           /* domain */
    double even_lo, even_hi; /* the same on the even line */
    int n_cats;
    const char **cats; /* SCALE_BAND: names in order of appearance */
    int cap;
};
struct plot {
    struct arena *arena;
    const struct tide_chart *chart;
    struct plot_axis x, y;
    double colour_lo, colour_hi; /* of CELL and HEX values */
    int n_bars;                  /* marks of grouped bars side by side */
    int is_empty;                /* nothing to draw */
};
/* Returns 0, or -1 when the arena failed. */
int plot_init(struct plot *p, const struct tide_chart *c, struct arena *a);
/* Place of a value on an axis, 0 to 1 from the low end; NaN for a gap. */
double plot_at(const struct plot_axis *axis, double v);
/* Value i of a series on an axis (names: the middle of their band, 0.5, 1.5, ...). */
double plot_value(const struct plot *p, const struct plot_axis *axis, int series,
                  int64_t i);
int64_t plot_length(const struct tide_chart *c, const struct chart_mark *m);
/* Histogram bars have edges instead of names. */
int plot_is_histogram(const struct chart_mark *m);
const char *plot_cell(const struct chart_series *s, int64_t i, struct figure *f,
                      int digits);

/* ---- numbers behind a chart (chart_table.c) ---- */
struct chart_grid {
    int n_cols;
    int64_t n_rows;
    const char **head;
    const char **cell; /* [n_rows][n_cols] */
    uint8_t *right;
};
/* The chart's series as at most `cap` grids; rows above 50 are thinned to 11 unless `all`.
 * Returns their number, -1 when the arena failed. */
#define CHART_GRIDS 12
int chart_table_grids(const struct tide_chart *c, struct arena *a, int all,
                      struct chart_grid out[CHART_GRIDS]);
void chart_table_csv(struct str *out, const struct tide_chart *c, struct arena *a);

/* ---- terminal ---- */
struct term {
    struct str *out;
    int width, colours, ascii;
};
enum term_ink { TERM_PLAIN, TERM_BOLD, TERM_MUTED, TERM_GOOD, TERM_BAD };
void term_ink(struct term *t, enum term_ink ink);
void term_slot(struct term *t, int slot); /* colour of a series; 0 resets */
/* Text safe for a terminal, cut in the middle to `cells` (0: never). Returns its width. */
int term_text(struct term *t, const char *s, int cells);
void term_pad(struct term *t, int n);
void term_repeat(struct term *t, const char *s, int n);
int term_width(const char *s); /* as term_text would print it */
/* Wrapped at the width; the first line begins with `first`, others with as many blanks. */
void term_wrap(struct term *t, const char *first, const char *s);
void term_table(struct term *t, int n_cols, const char *const *head,
                const uint8_t *right, int64_t n_rows, const char *const *cells,
                struct arena *a);
void chart_term(struct term *t, const struct tide_chart *c, struct arena *a);
void report_term(struct term *t, const tide_report *r, int charts, struct arena *a);

/* ---- JSON; NULL when memory is out ---- */
json_t *chart_json(const struct tide_chart *c);
json_t *report_json(const tide_report *r);

/* ---- SVG and HTML ---- */
/* alone: a file of its own with colours inside, else part of a page. */
void chart_svg(struct str *out, const struct tide_chart *c, int alone, struct arena *a);
/* Width of text at a font size in px, in 0.1 px, as the widest of the usual fonts. */
int text_width(const char *s, size_t n, int px);
/* Cut in the middle to `letters` characters. */
void text_shorten(struct str *out, const char *s, int letters);
struct palette_slot {
    const char *light, *dark, *dash;
};
extern const struct palette_slot palette_slots[9]; /* [0]: muted */
extern const char *const palette_sequential[9], *const palette_diverging[9];
extern const char *const palette_roles_light[][2], *const palette_roles_dark[][2];
/* Class 0..8 of a value in [lo, hi]. */
int palette_class(double v, double lo, double hi);
/* Custom properties of both themes. */
void palette_css(struct str *out);
/* Style of the parts of a picture. */
void html_chart_css(struct str *out);
/* A key as an element id: letters, digits and '-' stay, other bytes become _hh. */
void html_id(struct str *out, const char *key);
void html_report(struct str *out, const tide_report *r, struct arena *a);
#endif
