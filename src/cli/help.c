/* help.c - the overview and the help of a verb, from the tables */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

static const char *const groups[] = {"Explore", "Learn", "Judge", "Use", "Know", NULL};

const struct cli_verb *cli_verb_find(const char *name)
{
    for (int i = 0; i < registry_verb_count; i++)
        if (strcmp(registry_verb_all[i]->name, name) == 0) return registry_verb_all[i];
    return NULL;
}

tide_status cli_unknown_verb(const char *name, tide_error *err)
{
    const char *names[64];
    int n = 0;
    for (; n < registry_verb_count && n < 64; n++)
        names[n] = registry_verb_all[n]->name;
    char shown[128];
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, TIDE_CODE_USAGE_VERB, "no verb '%s'", shown);
    const char *near = err_nearest(name, names, n);
    return err_hint(err, "", "%s", near ? near : "tidemill --help");
}

static void pad(struct str *t, size_t from, size_t width)
{
    for (size_t n = t->len - from; n < width; n++) str_addc(t, ' ');
}

void help_overview(struct str *t)
{
    str_add(t, "tidemill " TIDE_VERSION ": learn from tables, on one machine\n"
               "usage: tidemill VERB [arguments] [options]\n");
    for (int g = 0; groups[g]; g++) {
        str_addf(t, "\n%s\n", groups[g]);
        for (int i = 0; i < registry_verb_count; i++) {
            const struct cli_verb *v = registry_verb_all[i];
            if (strcmp(v->group, groups[g]) != 0) continue;
            size_t from = t->len;
            str_addf(t, "  %s", v->name);
            pad(t, from, 14);
            str_addf(t, "%s\n", v->title);
        }
    }
    str_add(t, "\nOptions and examples: tidemill VERB --help\n"
               "Version: tidemill --version\n"
               "A file named - is standard input or output.\n");
}

/* ---- rows ---- */

static const char *metavar(const struct tide_param *row)
{
    static const char *const names[] = {
        [TIDE_PARAM_INT] = "N",     [TIDE_PARAM_I64] = "N",
        [TIDE_PARAM_U64] = "N",     [TIDE_PARAM_REAL] = "X",
        [TIDE_PARAM_BOOL] = "",     [TIDE_PARAM_ENUM] = "NAME",
        [TIDE_PARAM_TEXT] = "TEXT", [TIDE_PARAM_BYTES] = "SIZE",
        [TIDE_PARAM_LIST] = "TEXT", [TIDE_PARAM_REALS] = "X,X..."};
    if (row->metavar) return row->metavar;
    return row->type < sizeof names / sizeof *names ? names[row->type] : "";
}

/* The short flag among the aliases ("-o"), or NULL; *len its length. */
static const char *short_flag(const struct tide_param *row, size_t *len)
{
    for (const char *p = row->alias; p && *p;) {
        *len = strcspn(p, " ");
        if (*p == '-') return p;
        p += *len + strspn(p + *len, " ");
    }
    return NULL;
}

static void add_head(struct str *t, const struct tide_param *row, int dashes)
{
    size_t len = 0;
    const char *flag = dashes ? short_flag(row, &len) : NULL;
    str_add(t, "  ");
    if (flag) {
        str_addn(t, flag, len);
        str_add(t, ", ");
    }
    if (dashes)
        cli_add_option(t, row->name);
    else
        str_add(t, row->name);
    const char *what = dashes ? metavar(row) : "";
    if (*what) str_addf(t, " %s", what);
}

/* What stands in brackets after the help, apart by semicolons. */
static void add_fact(struct str *t, const char *before, const char *text)
{
    str_addf(t, "%s%s%s", t->len ? "; " : "", before, text);
}

static void add_bounds(struct str *t, const struct tide_param *row)
{
    struct str b = {0};
    int is_number = row->type <= TIDE_PARAM_REAL || row->type == TIDE_PARAM_REALS;
    if (!is_number || !(row->lo < row->hi)) return;
    if (row->hi < 9e15)
        str_addf(&b, "in %c%r, %r%c", row->flags & TIDE_OPEN_LO ? '(' : '[', row->lo,
                 row->hi, row->flags & TIDE_OPEN_HI ? ')' : ']');
    else
        str_addf(&b, "%s %r", row->flags & TIDE_OPEN_LO ? "above" : "at least",
                 row->lo);
    if (b.s) add_fact(t, "", b.s);
    str_free(&b);
}

static void add_names(struct str *t, const struct tide_param *row)
{
    int n = 0;
    for (const char *p = row->alias; p && *p;) {
        size_t len = strcspn(p, " ");
        if (*p != '-') {
            if (n++)
                str_add(t, ", ");
            else
                add_fact(t, "also ", "");
            str_addn(t, p, len);
        }
        p += len + strspn(p + len, " ");
    }
}

/* Choices, bounds, default, aliases. */
static void add_facts(struct str *t, const struct tide_param *row)
{
    int is_no = row->type == TIDE_PARAM_BOOL && str_same(row->fallback, "no");
    if (row->type == TIDE_PARAM_ENUM)
        for (int i = 0; row->choices[i]; i++)
            str_addf(t, "%s%s", i ? ", " : "", row->choices[i]);
    add_bounds(t, row);
    if (row->fallback && *row->fallback && !is_no)
        add_fact(t, "default ", row->fallback);
    if (row->flags & TIDE_REQUIRED) add_fact(t, "", "required");
    if (row->type == TIDE_PARAM_LIST) add_fact(t, "", "may be repeated");
    if (row->when) add_fact(t, "when ", row->when);
    add_names(t, row);
}

/* Words of `text` from column `left` on, wrapped at `width`; the cursor stands at `left`. */
static void add_wrapped(struct str *t, const char *text, size_t left, size_t width)
{
    size_t at = left;
    for (const char *p = text; *p;) {
        size_t len = strcspn(p, " ");
        if (at > left && at + 1 + len > width) {
            str_addc(t, '\n');
            for (size_t i = 0; i < left; i++) str_addc(t, ' ');
            at = left;
        } else if (at > left) {
            str_addc(t, ' ');
            at++;
        }
        str_addn(t, p, len);
        at += len;
        p += len + strspn(p + len, " ");
    }
    str_addc(t, '\n');
}

static void add_row(struct str *t, const struct tide_param *row, int dashes, int width)
{
    enum { LEFT = 26 };
    struct str text = {0}, facts = {0};
    size_t from = t->len;
    add_head(t, row, dashes);
    if (t->len - from >= LEFT) {
        str_addc(t, '\n');
        from = t->len;
    }
    pad(t, from, LEFT);
    str_add(&text, row->help ? row->help : "");
    add_facts(&facts, row);
    if (facts.len) str_addf(&text, " (%s)", facts.s);
    add_wrapped(t, text.s ? text.s : "", LEFT, width > 40 ? (size_t)width : 40);
    str_free(&text);
    str_free(&facts);
}

void help_rows(struct str *t, const struct tide_params *table, int dashes, int width)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < table->n; i++)
            if (((table->rows[i].flags & TIDE_EXPERT) != 0) == pass)
                add_row(t, &table->rows[i], dashes, width);
}

static void add_examples(struct str *t, const char *examples)
{
    if (!examples) return;
    str_add(t, "\nExamples\n");
    for (const char *p = examples; *p;) {
        size_t len = strcspn(p, "\n");
        str_addf(t, "  %.*s\n", (int)len, p);
        p += len + (p[len] == '\n');
    }
}

void help_verb(struct str *t, const struct cli_verb *v, int width)
{
    width = width > 100 ? 100 : width;
    str_addf(t, "%s\nusage: tidemill %s %s\n", v->title, v->name, v->usage);
    if (v->params.n) {
        str_add(t, "\nOptions\n");
        help_rows(t, &v->params, 1, width);
    }
    for (int i = 0; i < CLI_TABLES && v->tables[i]; i++) {
        str_addf(t, "\n%s\n", v->tables[i]->title);
        help_rows(t, v->tables[i]->get(), 1, width);
    }
    str_addf(t, "\n%s\n", cli_table_common.title);
    help_rows(t, cli_table_common.get(), 1, width);
    add_examples(t, v->examples);
}
