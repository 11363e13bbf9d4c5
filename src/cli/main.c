/* main.c - the program: which verb, under which circumstances, and with what exit code
 *
 * Exit codes: 0 done, 1 the answer is no, 2 usage, 3 data, 4 model, 5 files, 6 limits,
 * 7 numbers, 70 a bug, 130 interrupted, 141 the reader of stdout went away. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "cli/cli.h"

#define EXIT_PIPE 141

static int say_version(void)
{
    static const char text[] = "tidemill " TIDE_VERSION "\n";
    ssize_t put = write(STDOUT_FILENO, text, sizeof text - 1);
    return put < 0 ? (int)TIDE_EFILE : 0;
}

static int end(tide_status s, const tide_error *err)
{
    cli_talk_end();
    if (cli_pipe_closed()) return EXIT_PIPE;
    if (s) cli_error(err);
    return tide_status_exit(s);
}

static int say_text(struct str *t)
{
    tide_error err = {0};
    tide_status s = cli_write_str(t, &err);
    str_free(t);
    return end(s, &err);
}

static int overview(int is_asked)
{
    struct str t = {0};
    help_overview(&t);
    if (is_asked) return say_text(&t);
    ssize_t put = t.s ? write(STDERR_FILENO, t.s, t.len) : 0;
    (void)put;
    str_free(&t);
    return TIDE_EINVAL;
}

/* c: NULL, or a parse that may know the learner whose parameters are options too */
static int verb_help(const struct cli_verb *v, const struct cli *c)
{
    struct str t = {0};
    int width = cli_width(STDOUT_FILENO);
    help_verb(&t, v, width);
    if (c && c->extra) {
        str_addf(&t, "\nParameters of %s\n", c->extra_owner);
        help_rows(&t, c->tables[c->n_values - 1], 1, width > 100 ? 100 : width);
    }
    return say_text(&t);
}

/* The kernel set that TIDEMILL_ISA asks for; the library reads no environment. */
static tide_status set_isa(tide_ctx *ctx, tide_error *err)
{
    static const char *const names[] = {"auto", "base", "avx2", "avx512"};
    const char *asked = getenv("TIDEMILL_ISA");
    if (!asked || !*asked) return TIDE_OK;
    char shown[64];
    err_quote(shown, sizeof shown, asked, strlen(asked), 30);
    for (int i = 0; i < 4; i++) {
        if (strcmp(asked, names[i]) != 0) continue;
        if (!tide_ctx_set_isa(ctx, (enum tide_isa)i, NULL)) return TIDE_OK;
        err_set(err, TIDE_CODE_USAGE_ENVIRONMENT,
                "TIDEMILL_ISA asks for \"%s\", which this CPU lacks", shown);
        return err_hint(err, "", "auto, base, avx2 or avx512");
    }
    return err_set(err, TIDE_CODE_USAGE_ENVIRONMENT,
                   "TIDEMILL_ISA must be auto, base, avx2 or avx512, got \"%s\"",
                   shown);
}

/* Code, libraries, stacks and small blocks that no arena counts: part of --memory too. */
#define PROGRAM_BYTES ((int64_t)4 << 20)

static tide_status make_ctx(struct cli *c, tide_error *err)
{
    tide_status s = tide_ctx_new(&c->ctx, err);
    if (!s) s = set_isa(c->ctx, err);
    if (!s) s = tide_ctx_set_threads(c->ctx, c->common->threads, err);
    if (!s) s = tide_ctx_set_memory(c->ctx, c->common->memory, err);
    if (!s) s = ctx_memory_take(c->ctx, PROGRAM_BYTES, err);
    if (s) return s;
    tide_ctx_set_events(c->ctx, cli_on_event, c->ctx);
    tide_ctx_set_progress(c->ctx, cli_on_progress, NULL);
    cli_signals_ctx(c->ctx);
    return TIDE_OK;
}

static void set_talk(const struct cli *c)
{
    const char *term = getenv("TERM");
    int is_dumb = !term || !*term || strcmp(term, "dumb") == 0;
    int asked = c->common->progress;
    struct cli_talk how = {.json = c->common->errors,
                           .quiet = c->common->quiet,
                           .strict = c->common->strict,
                           .width = cli_width(STDERR_FILENO)};
    how.live = !how.quiet &&
               (asked == CLI_PROGRESS_YES ||
                (asked == CLI_PROGRESS_AUTO && !is_dumb && isatty(STDERR_FILENO)));
    cli_talk_begin(&how);
}

static int is_one_of(const char *word, const char *a, const char *b, const char *d)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, d) == 0;
}

/* -h or --help anywhere before "--" */
static int wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (is_one_of(argv[i], "-h", "--help", "-?")) return 1;
    return 0;
}

static int run_verb(const struct cli_verb *v, int argc, char **argv)
{
    struct cli c = {.verb = v, .started_ns = clock_ns()};
    tide_error err = {0};
    int code;
    const char *errors = cli_peek(argc, argv, "errors");
    struct cli_talk early = {.json = errors && strcmp(errors, "json") == 0,
                             .width = 80};
    cli_talk_begin(&early);
    tide_status s = cli_parse(&c, argc, argv, &err);
    if (s ? wants_help(argc, argv) : c.common->help) {
        code = verb_help(v, &c);
        goto done;
    }
    if (!s) {
        set_talk(&c);
        s = make_ctx(&c, &err);
    }
    if (!s) s = v->run(&c, &err);
    tide_error strict;
    tide_status refused = cli_strict(&strict);
    code = refused && s != TIDE_EINTERNAL ? end(refused, &strict) : end(s, &err);
done:
    cli_signals_ctx(NULL);
    for (int i = 0; i < c.n_values; i++) tide_values_free(c.values[i]);
    mem_free((void *)(uintptr_t)c.args);
    tide_ctx_free(c.ctx);
    return code;
}

int main(int argc, char **argv)
{
    if (argc > 1 && is_one_of(argv[1], "--version", "-V", "version"))
        return say_version();
    file_open_standard();
    cli_signals();
    if (argc < 2) return overview(0);
    if (is_one_of(argv[1], "--help", "-h", "help") && argc == 2) return overview(1);
    int asks = strcmp(argv[1], "help") == 0 && argc > 2;
    const struct cli_verb *v = cli_verb_find(argv[1 + asks]);
    if (!v) {
        tide_error err = {0};
        const char *errors = cli_peek(argc - 1, argv + 1, "errors");
        struct cli_talk how = {.json = errors && strcmp(errors, "json") == 0,
                               .width = 80};
        cli_talk_begin(&how);
        return end(cli_unknown_verb(argv[1 + asks], &err), &err);
    }
    if (asks) return verb_help(v, NULL);
    return run_verb(v, argc - 2, argv + 2);
}
