/* cmd_explain.c - what does a model rest on, and how? */
#include <tidemill/explain.h>

#include "cli/cli.h"

struct explain_own {
    const char *sha256;
};
static const struct tide_param rows[] = {
    P_TEXT(explain_own, sha256, NULL, .metavar = "HEX",
           .help = "the model file must have this SHA-256"),
};
static const struct cli_table explain_table = {"Explanation", tide_explain_params};

static tide_status run(struct cli *c, tide_error *err)
{
    const struct explain_own *own = cli_own(c);
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    struct tide_explain_options options =
        *(const struct tide_explain_options *)cli_shared(c, &explain_table);
    tide_model *model = NULL;
    tide_frame *frame = NULL;
    tide_report *report = NULL;
    options.seed = c->common->seed;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 2, err);
    if (!s) s = tide_model_open(c->ctx, c->args[0], own->sha256, &model, err);
    if (!s) s = cli_read(c, c->args[1], 0, &frame, err);
    if (!s) s = tide_model_explain(c->ctx, model, frame, &options, &report, err);
    if (!s) s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, model, c->args[0], 0, err);
    if (!s) s = cli_require(c, report, err);
    if (!s)
        cli_next((const char *const[]){"tidemill", "predict", c->args[0], c->args[1],
                                       "--explain", NULL});
    tide_report_free(report);
    tide_frame_free(frame);
    tide_model_free(model);
    return s;
}

const struct cli_verb cli_verb_explain = {
    .name = "explain",
    .usage = "MODEL FILE [options]",
    .title = "Say what a model rests on: importance, contributions, curves",
    .group = "Judge",
    .params = TIDE_TABLE(rows, explain_own),
    .tables = {&explain_table, &cli_table_read, &cli_table_report},
    .min_args = 2,
    .max_args = 2,
    .args = "a model and a table",
    .run = run,
    .examples = "tidemill explain churn.tide churn_test.csv\n"
                "tidemill explain churn.tide churn_test.csv --top 8 --html why.html",
};
