/* cmd_eval.c - how good is a model on a table that has the target? */
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"

struct eval_own {
    const char *sha256;
};
static const struct tide_param rows[] = {
    P_TEXT(eval_own, sha256, NULL, .metavar = "HEX",
           .help = "the model file must have this SHA-256"),
};

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
    tide_frame *frame = NULL;
    tide_report *report = NULL;
    options.seed = c->common->seed;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_metric(options.metric, 0, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 2, err);
    if (!s) s = tide_model_open(c->ctx, c->args[0], own->sha256, &model, err);
    if (!s) s = cli_read(c, c->args[1], 0, &frame, err);
    if (!s) s = tide_model_eval(c->ctx, model, frame, &options, &report, err);
    if (!s) s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, model, c->args[0], 0, err);
    if (!s) s = cli_require(c, report, err);
    if (!s) next(c);
    tide_report_free(report);
    tide_frame_free(frame);
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
                "tidemill eval churn.tide churn_test.csv --require 'auc>=0.9' --json",
};
