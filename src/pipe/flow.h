/* flow.h - columns on their way through fitted steps (private to pipe)
 *
 * A node meets a view whose columns stand in byte order of names, takes some of them, and
 * puts others in their place; what it does not take passes by. The same function moves
 * columns in fit, in predict and over one golden row, so a fitted step cannot see training
 * rows in any other way than new ones. */
#ifndef PIPE_FLOW_H
#define PIPE_FLOW_H
#include "pipe/pipe.h"

/* Codes of a category column, 0 for a number. */
uint32_t flow_levels(const struct column *c);
/* A view of the columns in[0..n). NULL columns when the arena failed. */
struct view flow_pick(const struct view *v, const int32_t *in, int n, struct arena *a);
/* The same rows with rows == NULL: columns are copied, ids keep the rows they came from. */
tide_status flow_gather(struct tide_ctx *ctx, const struct view *v, struct arena *a,
                        struct view *out, tide_error *err);
/* Applies a fitted step to a view without row numbers. from (nullable) gets, for every
 * column of *out, the column of v that it derives from. */
tide_status flow_apply(struct tide_ctx *ctx, const struct fitted_node *node,
                       const struct view *v, struct arena *a, struct view *out,
                       const int32_t **from, tide_error *err);
/* As flow_apply, with columns already made from node's share of v. */
tide_status flow_merge(const struct fitted_node *node, const struct view *v,
                       const struct step_out *made, struct arena *a, struct view *out,
                       const int32_t **from, tide_error *err);
/* Is v what the node was fitted on (number of columns, levels)? Errors: tide-schema. */
tide_status flow_match(const struct fitted_node *node, const struct view *v,
                       tide_error *err);

/* Columns of a frame in the model's order and codes: bind.c. */
tide_status bind_frame(struct tide_ctx *ctx, const struct schema *schema,
                       const tide_frame *frame, const int64_t *rows, int64_t n,
                       struct arena *a, const struct column ***cols,
                       struct bind_counts *counts, tide_error *err);
/* Code of a text in a dictionary in byte order, or CODE_MISSING. */
uint32_t bind_level(const struct dict *levels, const char *text, size_t len);

/* Number of the class that a text names, n_classes for none: predict.c. */
int32_t schema_class(const struct schema *s, const char *text, size_t len);

/* What a model that goes on from another has from it: resume.c. The other need not outlive it. */
tide_status resume_schema(const tide_model *from, tide_model *m, tide_error *err);
/* Columns and state of a node, loaded where it is a step. */
tide_status resume_node(const struct fitted_node *from, tide_model *m,
                        struct fitted_node *node, tide_error *err);
/* The problem's features are the model's columns, its classes those of the model. */
tide_status resume_problem(struct tide_ctx *ctx, const struct schema *s,
                           struct problem *p, tide_error *err);

/* Scores view rows [0, n) of bound columns: predict.c. */
tide_status predict_view(struct tide_ctx *ctx, const tide_model *m,
                         const struct view *v, double *out, tide_error *err);
/* The same in one block, on the calling thread; ctx may be NULL. */
tide_status predict_rows(struct tide_ctx *ctx, const tide_model *m,
                         const struct view *x, int64_t i0, int64_t n, double *out,
                         tide_error *err);
/* The text form of one value, quotes taken off: pipeline_text.c. */
tide_status pipeline_set_value(tide_values *values, const struct tide_params *table,
                               const char *name, const char *raw, size_t len,
                               tide_error *err);
/* Sets the values that a list of name=value names. */
tide_status pipeline_read_sets(const struct tide_learner *l,
                               const struct tide_text_list *sets, tide_values *to,
                               tide_error *err);
#endif
