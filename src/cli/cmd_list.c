/* cmd_list.c - what this build knows: learners, steps, metrics, generators,
 * readers, verbs */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct list_own {
    int32_t schema;
};
static const struct tide_param rows[] = {
    P_BOOL(list_own, schema, "no", .help = "JSON schema of the parameters"),
};
/* Kinds of the registry, then verbs. */
#define VERBS TIDE_KINDS

static const char *kind_text(int kind)
{
    return kind == VERBS ? "verb" : tide_kind_name((enum tide_kind)kind);
}

/* "learner", "learners", "maker": the kind, or -1. */
static int kind_find(const char *word, tide_error *err)
{
    const char *names[TIDE_KINDS + 1];
    for (int i = 0; i <= VERBS; i++) {
        names[i] = kind_text(i);
        size_t n = strlen(names[i]);
        if (strncmp(word, names[i], n) == 0 && (!word[n] || strcmp(word + n, "s") == 0))
            return i;
    }
    if (strcmp(word, "maker") == 0 || strcmp(word, "makers") == 0) return TIDE_MAKER;
    char shown[128];
    err_quote(shown, sizeof shown, word, strlen(word), 60);
    err_set(err, TIDE_CODE_PARAM_UNKNOWN, "list knows no kind '%s'", shown);
    const char *near = err_nearest(word, names, VERBS + 1);
    err_hint(err, "", "%s",
             near ? near : "learner, step, metric, generator, reader or verb");
    return -1;
}

/* ---- JSON ---- */

/* Parses text of the library, which it frees, into *out. */
static tide_status take_json(char *text, json_t **out, tide_error *err)
{
    tide_status s = json_read(text, strlen(text), (size_t)64 << 20, "registry",
                              TIDE_CODE_INTERNAL, out, err);
    tide_text_free(text);
    return s;
}

static tide_status add_options(json_t *list, const struct tide_params *table,
                               const char *heading, tide_error *err)
{
    char *text = NULL;
    json_t *rows_json = NULL;
    tide_status s = tide_params_json(table, NULL, &text, err);
    if (!s) s = take_json(text, &rows_json, err);
    for (size_t i = 0; !s && i < json_array_size(rows_json); i++) {
        json_t *row = json_array_get(rows_json, i);
        if (json_put_str(row, "group", heading) || json_array_append(list, row))
            s = err_nomem(err, 0);
    }
    json_decref(rows_json);
    return s;
}

static tide_status verb_json(const struct cli_verb *v, json_t **out, tide_error *err)
{
    json_t *o = json_object(), *list = json_array();
    int bad = json_put_str(o, "kind", "verb") | json_put_str(o, "name", v->name);
    bad |= json_put_str(o, "title", v->title) | json_put_str(o, "usage", v->usage);
    bad |= json_put_str(o, "group", v->group);
    tide_status s = bad ? err_nomem(err, 0) : TIDE_OK;
    if (!s) s = add_options(list, &v->params, "own", err);
    for (int i = 0; i < CLI_TABLES && v->tables[i] && !s; i++)
        s = add_options(list, v->tables[i]->get(), v->tables[i]->title, err);
    if (!s) s = add_options(list, cli_table_common.get(), cli_table_common.title, err);
    if (json_put(o, "parameters", list) && !s) s = err_nomem(err, 0);
    *out = o;
    return s;
}

static tide_status verb_schema(const struct cli_verb *v, json_t **out, tide_error *err)
{
    char *text = NULL;
    tide_status s = tide_params_json(&v->params, v->name, &text, err);
    return s ? s : take_json(text, out, err);
}

static tide_status one_verb(const struct cli_verb *v, int schema, json_t **out,
                            tide_error *err)
{
    return schema ? verb_schema(v, out, err) : verb_json(v, out, err);
}

/* An array of all of a kind, or with a name that entry. */
static tide_status kind_json(int kind, const char *name, int schema, json_t **out,
                             tide_error *err)
{
    *out = NULL;
    if (kind != VERBS) {
        char *text = NULL;
        tide_status s =
            tide_registry_json((enum tide_kind)kind, name, schema, &text, err);
        return s ? s : take_json(text, out, err);
    }
    if (name) {
        const struct cli_verb *v = cli_verb_find(name);
        return v ? one_verb(v, schema, out, err) : cli_unknown_verb(name, err);
    }
    tide_status s = TIDE_OK;
    *out = json_array();
    for (int i = 0; i < registry_verb_count && !s; i++) {
        json_t *o = NULL;
        s = one_verb(registry_verb_all[i], schema, &o, err);
        if (json_array_append_new(*out, o) && !s) s = err_nomem(err, 0);
    }
    return s;
}

static tide_status list_json(const struct cli *c, int kind, const char *name,
                             tide_error *err)
{
    const struct list_own *own = cli_own(c);
    json_t *object = NULL;
    tide_status s = TIDE_OK;
    if (name) {
        s = kind_json(kind, name, own->schema, &object, err);
    } else {
        object = json_object();
        for (int k = 0; k <= VERBS && !s; k++) {
            char key[32];
            json_t *all = NULL;
            if (kind >= 0 && k != kind) continue;
            s = kind_json(k, NULL, own->schema, &all, err);
            str_format(key, sizeof key, "%ss", kind_text(k));
            if (json_put(object, key, all) && !s) s = err_nomem(err, 0);
        }
    }
    if (!s) s = cli_write_json(object, err);
    json_decref(object);
    return s;
}

/* ---- text ---- */

static void add_names(struct str *t, int kind)
{
    size_t widest = 0;
    int n =
        kind == VERBS ? registry_verb_count : tide_registry_count((enum tide_kind)kind);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n; i++) {
            const struct tide_entry *e =
                kind == VERBS ? NULL : tide_registry_get((enum tide_kind)kind, i);
            const char *name = e ? e->name : registry_verb_all[i]->name;
            const char *title = e ? e->title : registry_verb_all[i]->title;
            size_t len = strlen(name);
            if (pass == 0) {
                widest = len > widest ? len : widest;
                continue;
            }
            str_addf(t, "  %s", name);
            for (size_t k = len; k < widest + 2; k++) str_addc(t, ' ');
            str_addf(t, "%s\n", title ? title : "");
        }
}

static void add_bits(struct str *t, const char *what, uint32_t bits,
                     const char *const *names)
{
    int n = 0;
    for (int i = 0; names[i]; i++)
        if (bits >> i & 1) str_addf(t, "%s%s", n++ ? ", " : what, names[i]);
    if (n) str_addc(t, '\n');
}

static tide_status one_text(struct str *t, int kind, const char *name, tide_error *err)
{
    if (kind == VERBS) {
        const struct cli_verb *v = cli_verb_find(name);
        if (!v) return cli_unknown_verb(name, err);
        help_verb(t, v, cli_width(1));
        return TIDE_OK;
    }
    const struct tide_entry *e = tide_registry_find((enum tide_kind)kind, name, err);
    if (!e) return TIDE_EINVAL;
    str_addf(t, "%s: %s\n", e->name, e->title ? e->title : "");
    add_bits(t, "tasks: ", e->tasks, tide_task_names());
    if (kind == TIDE_LEARNER || kind == TIDE_STEP)
        add_bits(t, "traits: ", e->traits, tide_trait_names());
    if (e->paper) str_addf(t, "source: %s\n", e->paper);
    if (e->guide) str_addf(t, "guide: %s\n", e->guide);
    if (e->params.n) str_add(t, "\nParameters\n");
    help_rows(t, &e->params, 0, cli_width(1));
    return TIDE_OK;
}

static tide_status list_text(int kind, const char *name, tide_error *err)
{
    struct str t = {0};
    tide_status s = TIDE_OK;
    if (name) s = one_text(&t, kind, name, err);
    for (int k = 0; !name && k <= VERBS; k++) {
        if (kind >= 0 && k != kind) continue;
        if (kind < 0)
            str_addf(&t, "%s%c%ss\n", k ? "\n" : "", kind_text(k)[0] - 32,
                     kind_text(k) + 1);
        add_names(&t, k);
    }
    if (!s) s = cli_write_str(&t, err);
    str_free(&t);
    return s;
}

static void next(int kind, const char *name)
{
    if (name && kind == TIDE_MAKER) {
        cli_next(
            (const char *const[]){"tidemill", "make", name, "-o", "table.csv", NULL});
    } else if (!name && kind >= 0) {
        const struct tide_entry *e =
            kind == VERBS ? NULL : tide_registry_get((enum tide_kind)kind, 0);
        const char *first = e ? e->name : kind == VERBS ? "train" : NULL;
        if (first)
            cli_next((const char *const[]){"tidemill", "list", kind_text(kind), first,
                                           NULL});
    } else if (!name) {
        cli_next((const char *const[]){"tidemill", "list", "learner", NULL});
    }
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct list_own *own = cli_own(c);
    const char *name = c->n_args > 1 ? c->args[1] : NULL;
    int kind = c->n_args > 0 ? kind_find(c->args[0], err) : -1;
    if (kind < 0 && c->n_args > 0) return TIDE_EINVAL;
    tide_status s = c->common->json || own->schema ? list_json(c, kind, name, err)
                                                   : list_text(kind, name, err);
    if (!s) next(kind, name);
    return s;
}

const struct cli_verb cli_verb_list = {
    .name = "list",
    .usage = "[KIND [NAME]] [options]",
    .title = "List learners, steps, metrics, generators, readers and verbs",
    .group = "Know",
    .params = TIDE_TABLE(rows, list_own),
    .max_args = 2,
    .args = "nothing, a kind, or a kind and a name",
    .run = run,
    .examples = "tidemill list\n"
                "tidemill list learner gbdt\n"
                "tidemill list metric --json",
};
