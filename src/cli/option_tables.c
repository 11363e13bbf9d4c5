/* option_tables.c - the option tables that verbs share */
#include <tidemill/tidemill.h>

#include "cli/verb.h"

static const char *const progress_names[] = {"auto", "yes", "no", NULL};
static const char *const error_names[] = {"text", "json", NULL};
static const char *const chart_names[] = {"key", "all", "none", NULL};

#define COMMON .flags = TIDE_COMMON
static const struct tide_param common_rows[] = {
    P_INT(cli_common, threads, "0", P_RANGE(0, 1024), COMMON, .metavar = "N",
          .alias = "-j n_jobs", .help = "threads to use; 0 = as many as there are"),
    P_BYTES(cli_common, memory, "0", P_RANGE(67108864, 9e18), COMMON, .metavar = "SIZE",
            .help = "memory the work may hold, at least 64M; 0 = no limit"),
    P_U64(cli_common, seed, "0", COMMON, .metavar = "N", .alias = "random_state",
          .help = "of everything random; the same seed gives the same bytes"),
    P_BOOL(cli_common, json, "no", COMMON, .help = "one JSON object on stdout"),
    P_BOOL(cli_common, quiet, "no", COMMON, .alias = "-q",
           .help = "no notes, no progress, no next command"),
    P_BOOL(cli_common, strict, "no", COMMON, .help = "warnings are errors"),
    P_ENUM(cli_common, errors, "text", error_names, COMMON,
           .help = "errors as lines or as JSON objects"),
    P_ENUM(cli_common, progress, "auto", progress_names, COMMON,
           .help = "progress line; auto = on a terminal only"),
    P_BOOL(cli_common, no_color, "no", COMMON, .alias = "no_colour",
           .help = "no colours (NO_COLOR does the same)"),
    P_BOOL(cli_common, help, "no", COMMON, .alias = "-h", .help = "this text"),
};
static const struct tide_param report_rows[] = {
    P_TEXT(cli_report, html, NULL, .metavar = "OUT",
           .help = "also write the report as one HTML file"),
    P_ENUM(cli_report, charts, "key", chart_names, .help = "charts in the terminal"),
    P_LIST(cli_report, require, .metavar = "'auc>=0.9'",
           .help = "exit 1 unless this number of the report is so"),
};

static const struct tide_params *common_table(void)
{
    static const struct tide_params table = TIDE_TABLE(common_rows, cli_common);
    return &table;
}

static const struct tide_params *report_table(void)
{
    static const struct tide_params table = TIDE_TABLE(report_rows, cli_report);
    return &table;
}

const struct cli_table cli_table_common = {"Common options", common_table};
const struct cli_table cli_table_report = {"Report", report_table};
const struct cli_table cli_table_read = {"Reading tables", tide_read_params};
const struct cli_table cli_table_problem = {"The problem", tide_problem_params};
const struct cli_table cli_table_train = {"Training", tide_train_params};
const struct cli_table cli_table_eval = {"Evaluation", tide_eval_params};
