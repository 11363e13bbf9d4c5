/* options.c - argv against the verb's tables: values, nearest names, positional arguments */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "cli/cli.h"

void cli_add_option(struct str *t, const char *name)
{
    if (*name == '-') {
        str_add(t, name);
        return;
    }
    str_add(t, "--");
    for (const char *p = name; *p; p++) str_addc(t, *p == '_' ? '-' : *p);
}

const char *cli_peek(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, len) != 0)
            continue;
        const char *rest = argv[i] + 2 + len;
        if (*rest == '=') return rest + 1;
        if (!*rest) return i + 1 < argc ? argv[i + 1] : "";
    }
    return NULL;
}

const void *cli_own(const struct cli *c)
{
    return tide_values_struct(c->values[0]);
}

const void *cli_shared(const struct cli *c, const struct cli_table *table)
{
    for (int i = 0; i < CLI_TABLES && c->verb->tables[i]; i++)
        if (c->verb->tables[i] == table) return tide_values_struct(c->values[i + 1]);
    return NULL;
}

int cli_given(const struct cli *c, const char *name)
{
    for (int i = 0; i < c->n_values; i++)
        if (tide_params_find(c->tables[i], name))
            return tide_values_given(c->values[i], name);
    return 0;
}

/* The row of an option as written ("max-depth" or "-o"); *which: its values. */
static const struct tide_param *find_row(const struct cli *c, const char *name,
                                         int *which)
{
    for (int i = 0; i < c->n_values; i++) {
        const struct tide_param *row = tide_params_find(c->tables[i], name);
        if (!row) continue;
        *which = i;
        return row;
    }
    return NULL;
}

/* ---- an option that no table has ---- */

struct names {
    const char *at[1024];
    char words[16384];
    int n;
    size_t used;
};

static void names_add(struct names *all, const char *name, size_t len)
{
    if (len < 2 || name[0] == '-' || all->n == 1024 ||
        all->used + len + 1 > sizeof all->words)
        return;
    char *copy = all->words + all->used;
    for (size_t i = 0; i < len; i++) copy[i] = name[i] == '_' ? '-' : name[i];
    copy[len] = '\0';
    all->at[all->n++] = copy;
    all->used += len + 1;
}

static void names_add_table(struct names *all, const struct tide_params *table)
{
    for (int i = 0; i < table->n; i++)
        names_add(all, table->rows[i].name, strlen(table->rows[i].name));
    for (int i = 0; i < table->n; i++)
        for (const char *p = table->rows[i].alias; p && *p;) {
            size_t len = strcspn(p, " ");
            names_add(all, p, len);
            p += len + strspn(p + len, " ");
        }
}

static tide_status unknown_option(const struct cli *c, const char *dashed,
                                  const char *name, tide_error *err)
{
    char shown[128];
    err_quote(shown, sizeof shown, dashed, strcspn(dashed, "="), 60);
    const char *owner = c->verb->knows ? c->verb->knows(name, 1) : NULL;
    if (owner) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'%s' is a parameter of a learner, and '--learner' names none that has "
                "it",
                shown);
        err_field(err, name);
        return err_hint(err, "learner", "%s", owner);
    }
    struct names *all = mem_alloc(sizeof *all);
    if (!all) return err_nomem(err, sizeof *all);
    all->n = 0;
    all->used = 0;
    for (int i = 0; i < c->n_values; i++) names_add_table(all, c->tables[i]);
    const char *near = err_nearest(name, all->at, all->n);
    if (!near && c->verb->knows) near = c->verb->knows(name, 0);
    err_set(err, TIDE_CODE_PARAM_UNKNOWN, "no option '%s'", shown);
    err_field(err, name);
    struct str hint = {0};
    if (near)
        cli_add_option(&hint, near);
    else
        str_addf(&hint, "tidemill %s --help", c->verb->name);
    err_hint(err, "", "%s", hint.s ? hint.s : "");
    str_free(&hint);
    mem_free(all);
    return TIDE_EINVAL;
}

/* ---- one option ---- */

static tide_status needs_value(const struct tide_param *row, tide_error *err)
{
    struct str what = {0}, option = {0};
    cli_add_option(&option, row->name);
    static const char *const kinds[] = {
        [TIDE_PARAM_INT] = "a whole number", [TIDE_PARAM_I64] = "a whole number",
        [TIDE_PARAM_U64] = "a whole number", [TIDE_PARAM_REAL] = "a number",
        [TIDE_PARAM_BOOL] = "yes or no",     [TIDE_PARAM_ENUM] = "one of",
        [TIDE_PARAM_TEXT] = "a text",        [TIDE_PARAM_BYTES] = "a size such as 512M",
        [TIDE_PARAM_LIST] = "a text",        [TIDE_PARAM_REALS] = "numbers"};
    str_add(&what, row->type < sizeof kinds / sizeof *kinds ? kinds[row->type] : "");
    if (row->type == TIDE_PARAM_ENUM)
        for (int i = 0; row->choices[i]; i++)
            str_addf(&what, "%s %s", i ? "," : "", row->choices[i]);
    int is_number = row->type <= TIDE_PARAM_REAL || row->type == TIDE_PARAM_REALS;
    if (row->lo < row->hi && is_number && row->hi < 9e18)
        str_addf(&what, " in %c%r, %r%c", row->flags & TIDE_OPEN_LO ? '(' : '[',
                 row->lo, row->hi, row->flags & TIDE_OPEN_HI ? ')' : ']');
    err_set(err, TIDE_CODE_PARAM_VALUE, "'%s' needs a value: %s",
            option.s ? option.s : "", what.s ? what.s : "");
    err_field(err, row->name);
    str_free(&what);
    str_free(&option);
    return TIDE_EINVAL;
}

/* argv[*i] is an option; takes its value, which may be argv[*i + 1]. */
static tide_status take_option(struct cli *c, int argc, char **argv, int *i,
                               tide_error *err)
{
    const char *word = argv[*i], *value = NULL;
    char name[256];
    int is_long = word[1] == '-';
    const char *text = is_long ? word + 2 : word;
    size_t len = is_long ? strcspn(text, "=") : 2;
    if (text[len] == '=')
        value = text + len + 1;
    else if (!is_long && text[len])
        value = text + len;
    str_format(name, sizeof name, "%.*s", (int)(len < 255 ? len : 255), text);
    int which = 0;
    int is_wrong = len > 255 || (is_long && name[0] == '-');
    const struct tide_param *row = is_wrong ? NULL : find_row(c, name, &which);
    if (!row) return unknown_option(c, word, name, err);
    if (!value && row->type == TIDE_PARAM_BOOL)
        value = "yes";
    else if (!value) {
        if (*i + 1 >= argc) return needs_value(row, err);
        value = argv[++*i];
    }
    return tide_values_set(c->values[which], row->name, value, err);
}

static tide_status add_table(struct cli *c, const struct tide_params *table,
                             const char *owner, tide_error *err)
{
    c->tables[c->n_values] = table;
    tide_status s = tide_values_new(table, owner, &c->values[c->n_values], err);
    if (!s) c->n_values++;
    return s;
}

static tide_status add_tables(struct cli *c, int argc, char **argv, tide_error *err)
{
    const struct cli_verb *v = c->verb;
    const struct tide_params *extra = NULL;
    tide_status s = add_table(c, &v->params, v->name, err);
    for (int i = 0; i < CLI_TABLES && v->tables[i] && !s; i++)
        s = add_table(c, v->tables[i]->get(), v->name, err);
    if (!s) s = add_table(c, cli_table_common.get(), v->name, err);
    if (s) return s;
    c->common = tide_values_struct(c->values[c->n_values - 1]);
    if (v->extra) s = v->extra(argc, argv, &extra, &c->extra_owner, err);
    if (s || !extra) return s;
    s = add_table(c, extra, c->extra_owner, err);
    if (!s) c->extra = c->values[c->n_values - 1];
    return s;
}

static tide_status wrong_count(const struct cli *c, tide_error *err)
{
    const struct cli_verb *v = c->verb;
    if (c->n_args < v->min_args) {
        err_set(err, TIDE_CODE_PARAM_VALUE, "%s needs %s", v->name, v->args);
        return err_hint(err, "", "tidemill %s %s", v->name, v->usage);
    }
    char shown[128];
    const char *one = c->args[v->max_args];
    err_quote(shown, sizeof shown, one, strlen(one), 60);
    err_set(err, TIDE_CODE_PARAM_VALUE, "%s has no place for \"%s\"", v->name, shown);
    return err_hint(err, "", "tidemill %s %s", v->name, v->usage);
}

tide_status cli_parse(struct cli *c, int argc, char **argv, tide_error *err)
{
    tide_status s = add_tables(c, argc, argv, err);
    if (s) return s;
    const char **args = mem_array((size_t)argc + 1, sizeof *args);
    if (!args) return err_nomem(err, 0);
    c->args = args;
    int is_ended = 0;
    for (int i = 0; i < argc; i++) {
        if (is_ended || argv[i][0] != '-' || !argv[i][1])
            args[c->n_args++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            is_ended = 1;
        else
            s = take_option(c, argc, argv, &i, err);
        if (s) return s;
    }
    if (c->common->help) return TIDE_OK;
    if (c->n_args < c->verb->min_args || c->n_args > c->verb->max_args)
        return wrong_count(c, err);
    for (int i = 0; i < c->n_values; i++) {
        s = tide_values_check(c->values[i], err);
        if (!s) continue;
        return err->value[0]
                   ? s
                   : err_hint(err, "", "tidemill %s %s", c->verb->name, c->verb->usage);
    }
    return TIDE_OK;
}
