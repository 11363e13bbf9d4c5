/* look.h - what `look` finds out about a table; private to this room
 *
 * One task a column, columns in parallel, each with scratch memory of its own; results lie in
 * fixed slots, so the account does not depend on the number of threads. */
#ifndef EVAL_LOOK_H
#define EVAL_LOOK_H
#include <tidemill/model.h>
#include <tidemill/registry.h>

#include "eval/chart.h"
#include "eval/report_data.h"
#include "frame/frame.h"

#define LOOK_TOP  12  /* levels kept */
#define LOOK_FULL 200 /* columns with a chart of their own */
#define LOOK_MAP  30  /* columns of the association map */
#define LOOK_BINS 10  /* of the target by a column's values */
#define LOOK_LEAK 0.999

struct look_bins {
    int n, is_log, is_integer;
    int64_t below, above;
    double lo[64], hi[64], count[64];
};
/* The target by parts of a column: deciles of numbers, levels of categories. */
struct look_part {
    double lo, hi; /* numbers: range of the part */
    uint32_t level;
    int64_t n;
    double sum, sum2; /* of the target (binary: 0 or 1) */
};
struct look_column {
    const struct column *c;
    int is_number; /* int, number, time; bool counts as a category of two */
    int64_t n, n_missing, n_distinct;
    uint64_t content, gaps; /* hashes of all values; of the rows that are missing */
    /* numbers */
    double mean, sd, skew, kurt, min, max, q05, q25, q50, q75, q95;
    int64_t n_outliers, n_zero;
    int is_whole;
    double sentinel; /* NaN: none */
    int64_t n_sentinel;
    struct look_bins *bins; /* NULL beyond LOOK_FULL */
    /* categories and text */
    int n_top;
    uint32_t top[LOOK_TOP];
    int64_t top_n[LOOK_TOP];
    int64_t n_like_numbers; /* cells of text that are numbers */
    uint32_t odd_level;     /* the most frequent level that is none */
    /* with the target */
    const char *how; /* "r", "AUC", "eta", "V"; NULL: not measured */
    double value, strength;
    int n_parts;
    struct look_part parts[LOOK_TOP];
    /* later: findings */
    int is_constant, is_id, is_leak, twin; /* twin: column it repeats, -1 none */
};
struct look_pair {
    int a, b;
    double r;
};
struct look {
    struct tide_ctx *ctx;
    const tide_frame *frame;
    struct arena arena;
    int n_cols;
    struct look_column *col;
    /* target; index -1: none */
    int target, n_classes, positive;
    uint32_t task;
    char why_task[96];
    const double *y;  /* [n_rows] regress, NaN missing; binary: 0 or 1 */
    const int32_t *k; /* [n_rows] classify, -1 missing */
    int64_t n_target; /* rows that have it */
    const char **labels;
    int64_t *class_n;
    /* the table */
    int64_t n_missing, n_duplicates;
    int n_numeric;
    int *numeric; /* columns of the map */
    double *r;    /* [n_numeric][n_numeric] */
    int64_t r_rows;
    struct look_pair pairs[10];
    int n_pairs;
    const char *file;
    tide_report *report;
};
/* One column; scratch from the arena. */
void look_column_scan(const struct look *l, struct look_column *p, struct arena *a);
void look_column_relate(const struct look *l, struct look_column *p,
                        const uint32_t *order, const double *x, int64_t m,
                        struct arena *a);
/* Level text of a category or bool column, or NULL. */
const char *look_level(const struct look_column *p, uint32_t level, struct arena *a);
tide_status look_target_read(struct look *l, const struct tide_look_options *o,
                             tide_error *err);
tide_status look_duplicates(struct look *l, tide_error *err);
tide_status look_correlate(struct look *l, tide_error *err);
void look_judge(struct look *l);
tide_status look_charts(struct look *l, tide_error *err);
void look_tables(struct look *l);
void look_findings(struct look *l);
void look_advice(struct look *l);
const char *look_count(struct arena *a, int64_t n); /* 32,561 */
/* A number of this column as a person reads it (times as dates). */
const char *look_number(const struct look_column *p, double v, struct arena *a);
#endif
