/* report_data.h - the data of a report: facts, numbers with intervals, tables, charts, advice
 *
 * Builders never fail visibly: the first failure sticks and report_status tells. Everything is
 * copied into the report's arena. Order of calls is order of appearance. JSON of a report: facts and
 * "metrics" at top level under their keys, then "notes", "verdict", "tables", "charts". */
#ifndef EVAL_REPORT_DATA_H
#define EVAL_REPORT_DATA_H
#include <tidemill/report.h>

#include "base/arena.h"
#include "base/json.h"

enum report_item_kind {
    REPORT_TEXT,
    REPORT_METRIC,
    REPORT_TABLE,
    REPORT_CHART,
    REPORT_HEADING
};
struct report_metric {
    const char *key, *title, *method, *reason; /* reason: why undefined, else NULL */
    double value, lo, hi;                      /* NaN: no interval */
    int64_t n;
    double worst, chance, best; /* NaN: none */
    int main;                   /* shown first and large */
};
struct report_table {
    const char *key, *title;
    int n_cols;
    int64_t n_rows;
    const char *const *head; /* [n_cols] */
    /* [n_rows][n_cols] text, already formatted; NULL = "-" */
    const char *const *cell;
    const uint8_t *right; /* [n_cols] 1: right-aligned numbers */
};
struct report_item {
    int kind;
    const char *text; /* TEXT: sentence; HEADING */
    struct report_metric metric;
    struct report_table table;
    struct tide_chart *chart;
};
struct tide_report {
    struct arena arena;
    /* "train", "Model of income on adult_train.csv.gz" */
    const char *kind, *title, *subtitle;
    json_t *facts; /* object: members land at the top level of the JSON */
    struct report_item *items;
    int n, cap;
    const char *verdict; /* up to 3 sentences */
    struct {
        const char *text, *command;
    } advice[16];
    int n_advice;
    const char *notes[32];
    int n_notes;
    int failed; /* sticky tide_status */
};
tide_report *report_new(struct tide_ctx *ctx, const char *kind, const char *title,
                        tide_error *err);
void report_heading(tide_report *r, const char *text);
void report_text(tide_report *r, const char *fmt, ...);
void report_metric(tide_report *r, const struct report_metric *m);
/* head and cells are copied. */
void report_table(tide_report *r, const char *key, const char *title, int n_cols,
                  const char *const *head, const uint8_t *right, int64_t n_rows,
                  const char *const *cells);
/* a finished chart of this report's arena */
void report_chart(tide_report *r, struct tide_chart *chart);
void report_fact_str(tide_report *r, const char *key, const char *value);
void report_fact_num(tide_report *r, const char *key, double value);
void report_fact_int(tide_report *r, const char *key, int64_t value);
/* takes value over */
void report_fact_json(tide_report *r, const char *key, json_t *value);
void report_verdict(tide_report *r, const char *fmt, ...);
void report_note(tide_report *r, const char *fmt, ...);
/* command may be NULL */
void report_advice(tide_report *r, const char *command, const char *fmt, ...);
tide_status report_status(const tide_report *r, tide_error *err);
#endif
