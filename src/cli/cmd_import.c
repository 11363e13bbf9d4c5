/* cmd_import.c - a model of another program as a model file */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct import_own {
    const char *output;
};
static const struct tide_param rows[] = {
    P_TEXT(import_own, output, NULL, .alias = "-o", .metavar = "MODEL",
           .flags = TIDE_REQUIRED, .help = "where the model goes"),
};
static const struct cli_table import_table = {"The model", tide_import_params};

static tide_status show(struct cli *c, const tide_model *model, tide_error *err)
{
    const struct import_own *own = cli_own(c);
    tide_report *report = NULL;
    tide_status s = tide_model_show(c->ctx, model, &report, err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, model, own->output, 0, err);
    if (!s) s = cli_require(c, report, err);
    tide_report_free(report);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct import_own *own = cli_own(c);
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    tide_model *model = NULL;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_output("output", own->output, c->args, 1, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 1, err);
    if (!s)
        s = tide_model_import(c->ctx, c->args[0], cli_shared(c, &import_table), &model,
                              err);
    if (!s) s = cli_strict(err);
    if (!s) s = tide_model_save(c->ctx, model, own->output, err);
    if (!s) s = show(c, model, err);
    if (!s)
        cli_next(
            (const char *const[]){"tidemill", "predict", own->output, "FILE", NULL});
    tide_model_free(model);
    return s;
}

const struct cli_verb cli_verb_import = {
    .name = "import",
    .usage = "FILE -o MODEL [options]",
    .title = "Import a model of XGBoost or LightGBM",
    .group = "Use",
    .params = TIDE_TABLE(rows, import_own),
    .tables = {&import_table, &cli_table_report},
    .min_args = 1,
    .max_args = 1,
    .args = "a model of XGBoost (JSON, UBJSON) or LightGBM (text)",
    .run = run,
    .examples = "tidemill import booster.json -o churn.tide --target churned\n"
                "tidemill import lightgbm.txt -o churn.tide --sums source",
};
