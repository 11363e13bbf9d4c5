/* cli.h - one run of the program: what was asked, the context, and how it talks
 *
 * Data goes to stdout, talk to stderr. Every text of a user passes str_add_visible before
 * it reaches a terminal. Memory of a run is freed by cli_end; verbs free what they open. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include <stddef.h>
#include <stdint.h>

#include <tidemill/tidemill.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/verb.h"

struct cli {
    const struct cli_verb *verb;
    const struct cli_common *common;
    tide_values *values[CLI_TABLES + 3]; /* own, shared ..., common, extra */
    const struct tide_params *tables[CLI_TABLES + 3];
    int n_values;
    tide_values *extra;      /* of values: the learner's or the maker's; or NULL */
    const char *extra_owner; /* "gbdt" */
    const char *const *args; /* positional */
    int n_args;
    tide_ctx *ctx;
    int64_t started_ns;
    double read_s;
};

/* ---- options.c: from argv to values ---- */
/* Fills verb's values; the learner's or maker's table joins by verb->extra. */
tide_status cli_parse(struct cli *c, int argc, char **argv, tide_error *err);
/* The struct of the verb's own table, or of a shared one. Borrowed. */
const void *cli_own(const struct cli *c);
const void *cli_shared(const struct cli *c, const struct cli_table *table);
int cli_given(const struct cli *c, const char *name);
/* Is --name (or --name=VALUE, with value NULL for any) among the words before "--"? Returns
 * the value's text ("" for none) or NULL. For what must be known before parsing. */
const char *cli_peek(int argc, char **argv, const char *name);
/* "max_depth" as "--max-depth", "-o" as it is. */
void cli_add_option(struct str *t, const char *name);

/* ---- talk.c: stderr ---- */
struct cli_talk {
    int json, quiet, strict; /* --errors json, -q, --strict */
    int live;                /* a progress line may be rewritten */
    int width;
};
void cli_talk_begin(const struct cli_talk *how);
void cli_error(const tide_error *err);
void cli_note(const char *fmt, ...); /* "note: ...", silenced by -q */
void cli_line(const char *fmt, ...); /* a plain line, silenced by -q */
/* The useful next command: words[] are quoted for the shell as needed. NULL-ended. */
void cli_next(const char *const *words);
/* Callbacks of the context. payload: the tide_ctx, which --strict cancels. */
void cli_on_event(void *payload, enum tide_event_kind kind, const tide_error *event);
int cli_on_progress(void *payload, const char *phase, double done, double total,
                    const char *text);
/* Clears the progress line, counts withheld warnings. */
void cli_talk_end(void);
/* With --strict: the first warning as an error (its status, err filled), else TIDE_OK. Asked before
 * anything is kept. */
tide_status cli_strict(tide_error *err);

/* ---- out.c: stdout, files, reports ---- */
int cli_pipe_closed(void); /* did the reader of stdout go away? */
tide_status cli_write(const char *text, size_t n, tide_error *err);
tide_status cli_write_str(const struct str *t, tide_error *err); /* also tells memory */
/* A sink: stdout for NULL or "-", else a durable replacement of the file. */
struct cli_sink {
    struct file_out file;
    int is_file, failed;
    int64_t bytes;
    tide_error err; /* of the write that failed */
};
tide_status cli_sink_open(struct cli_sink *s, const char *path, tide_error *err);
int cli_sink_put(void *sink, const void *data, size_t n);
/* Ends it: on `status` 0 the file is committed, else removed. A failed write's error wins. */
tide_status cli_sink_close(struct cli *c, struct cli_sink *s, tide_status status,
                           tide_error *err);
/* Is stdout a terminal, and how wide is it? */
int cli_colours(const struct cli *c);
int cli_width(int fd);
int cli_is_ascii(void);
/* Output paths: may be written, and none is an input (usage-same-file). NULL paths are skipped. */
tide_status cli_check_output(const char *option, const char *path,
                             const char *const *inputs, int n_inputs, tide_error *err);
/* Syntax of --require, before any work. */
tide_status cli_check_require(const struct cli *c, tide_error *err);
/* Names of --require that the report does not have: param-unknown. */
tide_status cli_know_require(const struct cli *c, const tide_report *report,
                             tide_error *err);
/* The report's own JSON object; json_decref it. */
tide_status cli_report_json(const tide_report *report, json_t **object,
                            tide_error *err);
/* The report as --json, --html and the terminal want it. `model` (nullable) and its path join the
 * JSON; `in_place` of stdout when stdout is taken: 1 = print nothing there. */
tide_status cli_show(struct cli *c, const tide_report *report, const tide_model *model,
                     const char *model_path, int stdout_taken, tide_error *err);
/* TIDE_ENO with the values that miss, when some do. */
tide_status cli_require(const struct cli *c, const tide_report *report,
                        tide_error *err);
/* "time", "peak_memory_bytes" and "model" into a JSON object; non-zero: out of memory. */
int cli_add_facts(struct cli *c, json_t *object, const tide_model *model,
                  const char *model_path);
/* A time for JSON, to the microsecond: more digits are noise. */
double cli_seconds(double s);
tide_status cli_write_json(const json_t *object, tide_error *err);

/* ---- files.c: tables, models and names ---- */
tide_status cli_read(struct cli *c, const char *path, int mixed, tide_frame **out,
                     tide_error *err);
/* "data/churn.csv.gz" + ".tide" -> "churn.tide"; folder dropped. mem_free the result. */
char *cli_stem(const char *path, const char *ending);

/* Does the metric exist, and does it belong to the task (0: any)? NULL is fine. */
tide_status cli_check_metric(const char *metric, int task, tide_error *err);

/* ---- help.c ---- */
const struct cli_verb *cli_verb_find(const char *name);
tide_status cli_unknown_verb(const char *name, tide_error *err);
void help_overview(struct str *out);
void help_verb(struct str *out, const struct cli_verb *verb, int width);
/* The rows of one table, with defaults, bounds and choices. dashes: as options. */
void help_rows(struct str *out, const struct tide_params *table, int dashes, int width);

/* ---- signals.c ---- */
void cli_signals(void);
/* The context to cancel; NULL: the first signal ends the program. */
void cli_signals_ctx(tide_ctx *ctx);
/* While a table is read, blocking reads may hide a cancel: after 80 ms the program ends. */
void cli_signals_reading(int reading);
#endif
