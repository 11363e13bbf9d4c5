/* registry_json.c - the registry and any table as JSON text, for the program and bindings */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "spec/spec.h"

static tide_status hand_over(struct str *t, char **text, tide_error *err)
{
    if (t->failed || !t->s) {
        size_t n = t->len;
        str_free(t);
        return err_nomem(err, n);
    }
    *text = t->s;
    return TIDE_OK;
}

static void add_entry(struct str *t, enum tide_kind kind, const struct tide_entry *e,
                      int schema)
{
    if (schema)
        params_schema_json(t, &e->params, e->name);
    else
        entry_json(t, kind, e);
}

tide_status tide_registry_json(enum tide_kind kind, const char *name, int schema,
                               char **text, tide_error *err)
{
    struct str t = {0};
    *text = NULL;
    if (name) {
        const struct tide_entry *e = tide_registry_find(kind, name, err);
        if (!e) return TIDE_EINVAL;
        add_entry(&t, kind, e, schema);
        return hand_over(&t, text, err);
    }
    str_addc(&t, '[');
    for (int i = 0; i < tide_registry_count(kind); i++) {
        if (i) str_addc(&t, ',');
        add_entry(&t, kind, tide_registry_get(kind, i), schema);
    }
    str_addc(&t, ']');
    return hand_over(&t, text, err);
}

tide_status tide_params_json(const struct tide_params *table, const char *title,
                             char **text, tide_error *err)
{
    struct str t = {0};
    *text = NULL;
    if (title) {
        params_schema_json(&t, table, title);
        return hand_over(&t, text, err);
    }
    str_addc(&t, '[');
    for (int i = 0; i < table->n; i++) {
        if (i) str_addc(&t, ',');
        param_json(&t, &table->rows[i]);
    }
    str_addc(&t, ']');
    return hand_over(&t, text, err);
}
