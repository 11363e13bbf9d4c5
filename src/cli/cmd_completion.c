/* cmd_completion.c - a completion script for the shell, from the tables of the verbs */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct completion_own {
    int32_t unused;
};

static void add_flags(struct str *t, const struct tide_params *table)
{
    for (int i = 0; i < table->n; i++) {
        str_addc(t, ' ');
        cli_add_option(t, table->rows[i].name);
    }
}

/* "  --loss) words="a b" ;;" for every option that has choices */
static void add_choices(struct str *t, const struct tide_params *table)
{
    for (int i = 0; i < table->n; i++) {
        const struct tide_param *row = &table->rows[i];
        if (row->type != TIDE_PARAM_ENUM) continue;
        str_add(t, "        ");
        cli_add_option(t, row->name);
        str_add(t, ") words='");
        for (int k = 0; row->choices[k]; k++)
            str_addf(t, "%s%s", k ? " " : "", row->choices[k]);
        str_add(t, "' ;;\n");
    }
}

static void add_entries(struct str *t, const char *option, enum tide_kind kind,
                        const char *before)
{
    str_addf(t, "        %s) words='%s", option, before);
    for (int i = 0; i < tide_registry_count(kind); i++)
        str_addf(t, " %s", tide_registry_get(kind, i)->name);
    str_add(t, "' ;;\n");
}

static void add_verb(struct str *t, const struct cli_verb *v)
{
    str_addf(t, "    %s)\n        options='", v->name);
    add_flags(t, &v->params);
    for (int i = 0; i < CLI_TABLES && v->tables[i]; i++)
        add_flags(t, v->tables[i]->get());
    add_flags(t, cli_table_common.get());
    str_add(t, "'\n        case $before in\n");
    add_choices(t, &v->params);
    for (int i = 0; i < CLI_TABLES && v->tables[i]; i++)
        add_choices(t, v->tables[i]->get());
    add_choices(t, cli_table_common.get());
    add_entries(t, "--learner", TIDE_LEARNER, "auto");
    add_entries(t, "--metric", TIDE_METRIC, "");
    add_entries(t, "make", TIDE_MAKER, "");
    add_entries(t, "--format", TIDE_READER, "auto");
    add_entries(t, "--to", TIDE_READER, "auto");
    str_add(t, "        list) words='learner step metric generator reader verb' ;;\n"
               "        completion) words='bash' ;;\n"
               "        esac ;;\n");
}

static void add_bash(struct str *t)
{
    str_add(
        t,
        "# tidemill completion for bash: eval \"$(tidemill completion bash)\"\n"
        "_tidemill() {\n"
        "    local now=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
        "    local words='' options=''\n"
        "    COMPREPLY=()\n"
        "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
        "        COMPREPLY=($(compgen -W '--help --version");
    for (int i = 0; i < registry_verb_count; i++)
        str_addf(t, " %s", registry_verb_all[i]->name);
    str_add(t, "' -- \"$now\"))\n"
               "        return\n"
               "    fi\n"
               "    case ${COMP_WORDS[1]} in\n");
    for (int i = 0; i < registry_verb_count; i++) add_verb(t, registry_verb_all[i]);
    str_add(t, "    esac\n"
               "    case $now in\n"
               "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$now\")) ;;\n"
               "    *) [ -n \"$words\" ] && COMPREPLY=($(compgen -W \"$words\" -- "
               "\"$now\")) ;;\n"
               "    esac\n"
               "}\n"
               "complete -o default -F _tidemill tidemill\n");
}

static tide_status run(struct cli *c, tide_error *err)
{
    struct str t = {0};
    if (strcmp(c->args[0], "bash") != 0) {
        char shown[64];
        err_quote(shown, sizeof shown, c->args[0], strlen(c->args[0]), 30);
        err_set(err, TIDE_CODE_PARAM_VALUE, "completion knows bash, got \"%s\"", shown);
        return err_hint(err, "", "tidemill completion bash");
    }
    add_bash(&t);
    tide_status s = cli_write_str(&t, err);
    str_free(&t);
    return s;
}

const struct cli_verb cli_verb_completion = {
    .name = "completion",
    .usage = "bash",
    .title = "Print a completion script for a shell",
    .group = "Know",
    .params = {.rows = NULL, .n = 0, .size = sizeof(struct completion_own)},
    .min_args = 1,
    .max_args = 1,
    .args = "the shell: bash",
    .run = run,
    .examples = "eval \"$(tidemill completion bash)\"",
};
