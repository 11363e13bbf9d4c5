/* explain.h - inside of explain/ */
#ifndef EXPLAIN_EXPLAIN_H
#define EXPLAIN_EXPLAIN_H
#include <tidemill/explain.h>

#include "base/numparse.h"
#include "eval/eval.h"
#include "pipe/pipe.h"

struct ensemble;
/* The trees whose leaves add up to a model's margins, or NULL. */
const struct ensemble *explain_trees(const tide_model *model);
/* Are its margins sums that can be shared out: over trees, or of columns? */
int explain_has_parts(const tide_model *model);
/* What the learner sees of bound columns: the view after the steps, in the arena. */
tide_status explain_see(tide_ctx *ctx, const tide_model *model,
                        const struct view *bound, struct arena *a, struct view *v,
                        tide_error *err);
/* Contributions of a view of bound columns without row numbers. */
tide_status explain_shap(tide_ctx *ctx, const tide_model *model,
                         const struct view *bound,
                         const struct tide_shap_options *options, tide_shap **out,
                         tide_error *err);

/* One explanation: the sample, bound, and what the model says of it. */
struct explanation {
    tide_ctx *ctx;
    const tide_model *m;
    const struct tide_explain_options *o;
    struct arena arena;
    struct view v; /* bound columns of the sample, without row numbers */
    int64_t n;
    int32_t width;      /* scores of a row */
    int32_t class_no;   /* the class or quantile that is drawn; 0 for values */
    double *out, *work; /* [n][width] the model's scores; room for others */
    double *weight;     /* [columns] how important: the order of the curves */
    tide_report *report;
};
/* Scores of the sample with column j put in the place of its own, into e->work. */
tide_status explain_with(struct explanation *e, int j, const struct column *instead,
                         tide_error *err);
/* Four significant digits; returns out. */
const char *explain_figure(char out[NUM_PRINT_MAX], double v);
/* "probability of yes", "q0.5 of price", or the target's name. */
const char *explain_says(const struct explanation *e);

tide_status explain_permutation(struct explanation *e, const tide_frame *frame,
                                const int64_t *rows, tide_error *err);
tide_status explain_contributions(struct explanation *e, tide_error *err);
/* Partial dependence and accumulated local effects of column j. */
tide_status explain_curves(struct explanation *e, int j, tide_error *err);
#endif
