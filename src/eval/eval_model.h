/* eval_model.h - a model's scores of a table's rows; private to this room */
#ifndef EVAL_EVAL_MODEL_H
#define EVAL_EVAL_MODEL_H
#include <tidemill/model.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "eval/eval.h"
#include "eval/metric_text.h"

struct evaluation {
    struct tide_ctx *ctx;
    const tide_model *m;
    const tide_frame *frame;
    const struct tide_eval_options *o;
    struct arena arena;
    struct truth truth;
    struct bind_counts counts;
    struct scored rows;
    tide_report *report;
};
/* Scores of the rows in e->truth by e->m, into e->rows and the arena. */
tide_status evaluation_score(struct evaluation *e, tide_error *err);
/* The metric after growing numbers of trees, on the rows and on those of e->o->also. */
tide_status eval_report_stages(struct evaluation *e, const struct metric_text *metric,
                               tide_error *err);
#endif
