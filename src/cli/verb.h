/* verb.h - the descriptor of a verb: one file cmd_NAME.c each, found by tools/registry.py
 *
 * A verb's options are its own table and tables it shares with others; parsing, --help,
 * the completion script and `list verb --json` all come from these rows. */
#ifndef CLI_VERB_H
#define CLI_VERB_H
#include <tidemill/params.h>

struct cli;

/* A table that several verbs share: its heading in --help, its rows, who is named in errors. */
struct cli_table {
    const char *title;
    const struct tide_params *(*get)(void);
};
#define CLI_TABLES 4

struct cli_verb {
    const char *name;
    const char *usage; /* "FILE --target COL [options]": what follows the name */
    const char *title; /* one line for the overview */
    const char *group; /* heading of the overview: see help.c */
    struct tide_params params;
    const struct cli_table *tables[CLI_TABLES]; /* NULL-ended unless full */
    int min_args, max_args;
    const char
        *args; /* "a table" or "a model and a table": named when arguments lack */
    const char *examples; /* lines without the leading blanks */
    /* The table that the arguments add to the options (the learner's, the maker's): NULL and TIDE_OK
     * when there is none. *owner is named in errors. */
    tide_status (*extra)(int argc, char **argv, const struct tide_params **table,
                         const char **owner, tide_error *err);
    /* NULL, or which table would know an option that no table of the verb has: for the hint */
    const char *(*knows)(const char *option, int exact);
    tide_status (*run)(struct cli *c, tide_error *err);
};
extern const struct cli_verb *const registry_verb_all[];
extern const int registry_verb_count;

/* The shared tables (option_tables.c). */
extern const struct cli_table cli_table_common, cli_table_report, cli_table_read,
    cli_table_problem, cli_table_train, cli_table_eval;

enum cli_progress { CLI_PROGRESS_AUTO, CLI_PROGRESS_YES, CLI_PROGRESS_NO };
/* Every verb has these. */
struct cli_common {
    int32_t threads;
    int64_t memory;
    uint64_t seed;
    int32_t json, quiet, strict, errors, progress, no_color, help;
};
/* Verbs with a report have these. */
struct cli_report {
    const char *html;
    int32_t charts; /* enum: key all none */
    struct tide_text_list require;
};
#endif
