/* cmd_eval.c - how good is a model on a table that has the target? */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "cli/cli.h"

#define ALSO_MOST 8

struct eval_own {
    const char *sha256;
    struct tide_text_list also;
};
static const struct tide_param rows[] = {
    P_TEXT(eval_own, sha256, NULL, .metavar = "HEX",
           .help = "the model file must have this SHA-256"),
    P_LIST(eval_own, also, .metavar = "FILE",
           .help = "one more table whose --stages are drawn beside", .alias = "valid"),
};

/* The tables of --also; read so far in *n, also where one fails. */
static tide_status read_also(struct cli *c, tide_frame **frame, int *n, tide_error *err)
{
    const struct eval_own *own = cli_own(c);
    tide_status s = TIDE_OK;
    if (own->also.n > ALSO_MOST) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "at most %d further tables, got \"%d\"",
                ALSO_MOST, own->also.n);
        return err_field(err, "also");
    }
    for (; *n < own->also.n && !s; *n += !s)
        s = cli_read(c, own->also.items[*n], 0, &frame[*n], err);
    return s;
}

static void next(const struct cli *c)
{
    char *to = cli_stem(c->args[1], "_predictions.csv");
    if (to && strcmp(c->args[1], "-") != 0)
        cli_next((const char *const[]){"tidemill", "predict", c->args[0], c->args[1],
                                       "-o", to, NULL});
    mem_free(to);
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct eval_own *own = cli_own(c);
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    struct tide_eval_options options =
        *(const struct tide_eval_options *)cli_shared(c, &cli_table_eval);
    tide_model *model = NULL;
    tide_frame *frame = NULL, *also[ALSO_MOST] = {NULL};
    tide_report *report = NULL;
    options.seed = c->common->seed;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_metric(options.metric, 0, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 2, err);
    if (!s) s = tide_model_open(c->ctx, c->args[0], own->sha256, &model, err);
    if (!s) s = cli_read(c, c->args[1], 0, &frame, err);
    if (!s) s = read_also(c, also, &options.n_also, err);
    options.also = (const tide_frame *const *)also;
    if (!s) s = tide_model_eval(c->ctx, model, frame, &options, &report, err);
    if (!s) s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, model, c->args[0], 0, err);
    if (!s) s = cli_require(c, report, err);
    if (!s) next(c);
    tide_report_free(report);
    tide_frame_free(frame);
    for (int i = 0; i < options.n_also; i++) tide_frame_free(also[i]);
    tide_model_free(model);
    return s;
}

const struct cli_verb cli_verb_eval = {
    .name = "eval",
    .usage = "MODEL FILE [options]",
    .title = "Judge a model on a table: metrics with intervals, curves",
    .group = "Judge",
    .params = TIDE_TABLE(rows, eval_own),
    .tables = {&cli_table_eval, &cli_table_read, &cli_table_report},
    .min_args = 2,
    .max_args = 2,
    .args = "a model and a table",
    .run = run,
    .examples = "tidemill eval churn.tide churn_test.csv\n"
                "tidemill eval churn.tide churn_test.csv --stages 20 --also churn.csv\n"
                "tidemill eval churn.tide churn_test.csv --require 'auc>=0.9' --json",
};
