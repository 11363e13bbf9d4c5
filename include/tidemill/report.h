/* report.h - named numbers, tables and charts; printed to a terminal, JSON or one HTML file */
#ifndef TIDEMILL_REPORT_H
#define TIDEMILL_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include <tidemill/ctx.h>
#include <tidemill/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_report tide_report;

enum tide_report_format {
    TIDE_FORMAT_TERM,
    TIDE_FORMAT_HTML,
    TIDE_FORMAT_JSON,
    TIDE_FORMAT_SVG,
    TIDE_FORMAT_TABLE
};
struct tide_report_style { /* zero means default */
    uint32_t size;
    int32_t format;    /* enum tide_report_format */
    int32_t colours;   /* TERM: 0 none, 16, 256 */
    int32_t ascii;     /* TERM: no braille, no block characters */
    int32_t width;     /* TERM: columns, 0 = 80 */
    int32_t charts;    /* TERM: 0 the key charts, 1 all, -1 none */
    const char *chart; /* only this chart (SVG, TERM, JSON, TABLE) */
};
TIDE_API void tide_report_free(tide_report *report);
/* Errors: param-unknown for an unknown chart key (nearest named); TIDE_EFILE from the sink. */
TIDE_API TIDE_MUST_USE tide_status
tide_report_write(const tide_report *report, const struct tide_report_style *style,
                  tide_sink_fn sink, void *payload, tide_error *err);
/* A number of the report by key ("auc", "rows"); NaN and a reason (borrowed, may be NULL) when
 * there is none. For gates and tests. Returns 0 when the key exists. */
TIDE_API int tide_report_number(const tide_report *report, const char *key,
                                double *value, const char **reason);
/* Nearest key to a misspelt one, or NULL (borrowed). */
TIDE_API const char *tide_report_nearest(const tide_report *report, const char *key);

#ifdef __cplusplus
}
#endif
#endif
