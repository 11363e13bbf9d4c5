/* describe.c - what a table or an entry says of itself: JSON for list, JSON schema */
#include <string.h>

#include "base/numparse.h"
#include "spec/spec.h"

static const char *const type_names[] = {"int",    "int",  "seed", "number", "bool",
                                         "choice", "text", "size", "list",   "numbers"};
static const char *const schema_types[] = {"integer", "integer", "integer", "number",
                                           "boolean", "string",  "string",  "integer",
                                           "array",   NULL};

static void add_member(struct str *out, const char *key, const char *text)
{
    if (!text || !*text) return;
    str_addf(out, ",\"%s\":", key);
    str_add_json(out, text, strlen(text));
}

static void add_words(struct str *out, const char *key, const char *words)
{
    if (!words || !*words) return;
    str_addf(out, ",\"%s\":[", key);
    for (const char *p = words; *p;) {
        size_t len = strcspn(p, " ");
        if (p != words) str_addc(out, ',');
        str_add_json(out, p, len);
        p += len + strspn(p + len, " ");
    }
    str_addc(out, ']');
}

static void add_bound(struct str *out, const char *key, double value)
{
    char text[NUM_PRINT_MAX];
    num_print(text, value);
    if (value - value == 0) str_addf(out, ",\"%s\":%s", key, text);
}

static void add_choices(struct str *out, const char *key, const struct tide_param *row)
{
    str_addf(out, ",\"%s\":[", key);
    for (int i = 0; row->choices[i]; i++)
        str_addf(out, "%s\"%s\"", i ? "," : "", row->choices[i]);
    str_addc(out, ']');
}

/* Other names of each choice, in the order of the choices. */
static void add_choice_aliases(struct str *out, const struct tide_param *row)
{
    str_add(out, ",\"choice_aliases\":[");
    for (int i = 0; row->choices[i]; i++) {
        const char *p = row->choice_alias[i];
        str_add(out, i ? ",[" : "[");
        for (const char *from = p; *p;) {
            size_t len = strcspn(p, " ");
            if (p != from) str_addc(out, ',');
            str_add_json(out, p, len);
            p += len + strspn(p + len, " ");
        }
        str_addc(out, ']');
    }
    str_addc(out, ']');
}

static void add_default(struct str *out, const struct tide_param *row)
{
    if (!row->fallback) return;
    int is_text = row->type == TIDE_PARAM_TEXT || row->type == TIDE_PARAM_ENUM ||
                  row->type == TIDE_PARAM_BYTES;
    str_add(out, ",\"default\":");
    if (row->type == TIDE_PARAM_BOOL)
        str_add(out,
                row->fallback[0] == 'y' || row->fallback[0] == '1' ? "true" : "false");
    else if (is_text || !*row->fallback)
        str_add_json(out, row->fallback, strlen(row->fallback));
    else
        str_add(out, row->fallback);
}

void param_json(struct str *out, const struct tide_param *row)
{
    str_addf(out, "{\"name\":\"%s\",\"type\":\"%s\"", row->name, type_names[row->type]);
    add_default(out, row);
    if (row->lo < row->hi) {
        add_bound(out, "min", row->lo);
        add_bound(out, "max", row->hi);
        if (row->flags & TIDE_OPEN_LO) str_add(out, ",\"open_min\":true");
        if (row->flags & TIDE_OPEN_HI) str_add(out, ",\"open_max\":true");
    }
    if (row->type == TIDE_PARAM_ENUM) add_choices(out, "choices", row);
    if (row->choice_alias) add_choice_aliases(out, row);
    if (row->tune_lo < row->tune_hi) {
        add_bound(out, "tune_min", row->tune_lo);
        add_bound(out, "tune_max", row->tune_hi);
        if (row->flags & TIDE_LOG) str_add(out, ",\"tune_log\":true");
    }
    add_words(out, "aliases", row->alias);
    add_member(out, "unit", row->unit);
    add_member(out, "when", row->when);
    add_member(out, "help", row->help);
    str_addc(out, '}');
}

static void add_flags(struct str *out, const char *key, uint32_t bits,
                      const char *const *names)
{
    int n = 0;
    str_addf(out, ",\"%s\":[", key);
    for (int i = 0; names[i]; i++)
        if (bits >> i & 1) str_addf(out, "%s\"%s\"", n++ ? "," : "", names[i]);
    str_addc(out, ']');
}

void entry_json(struct str *out, enum tide_kind kind, const struct tide_entry *entry)
{
    str_addf(out, "{\"kind\":\"%s\",\"name\":\"%s\"", tide_kind_name(kind),
             entry->name);
    add_member(out, "title", entry->title);
    add_member(out, "class", entry->camel);
    add_words(out, "guide", entry->guide);
    add_member(out, "paper", entry->paper);
    if (entry->tasks) add_flags(out, "tasks", entry->tasks, tide_task_names());
    if (kind == TIDE_LEARNER || kind == TIDE_STEP)
        add_flags(out, "traits", entry->traits, tide_trait_names());
    if (kind == TIDE_LEARNER) {
        str_add(out, ",\"tolerance\":");
        str_num(out, entry->tolerance);
    }
    str_add(out, ",\"parameters\":[");
    for (int i = 0; i < entry->params.n; i++) {
        if (i) str_addc(out, ',');
        param_json(out, &entry->params.rows[i]);
    }
    str_add(out, "]}");
}

static void schema_bounds(struct str *out, const struct tide_param *row)
{
    if (!(row->lo < row->hi)) return;
    add_bound(out, row->flags & TIDE_OPEN_LO ? "exclusiveMinimum" : "minimum", row->lo);
    add_bound(out, row->flags & TIDE_OPEN_HI ? "exclusiveMaximum" : "maximum", row->hi);
}

static void schema_property(struct str *out, const struct tide_param *row)
{
    str_addf(out, "\"%s\":{\"type\":", row->name);
    if (row->type == TIDE_PARAM_REALS) { /* one number, or a list of them */
        str_add(out, "[\"number\",\"array\"],\"items\":{\"type\":\"number\"");
        schema_bounds(out, row);
        str_addf(out, "},\"minItems\":1,\"maxItems\":%d", TIDE_REALS_MOST);
    } else {
        str_addf(out, "\"%s\"", schema_types[row->type]);
    }
    if (row->type == TIDE_PARAM_LIST) str_add(out, ",\"items\":{\"type\":\"string\"}");
    if (row->type == TIDE_PARAM_ENUM) add_choices(out, "enum", row);
    schema_bounds(out, row);
    add_default(out, row);
    add_member(out, "description", row->help);
    str_addc(out, '}');
}

void params_schema_json(struct str *out, const struct tide_params *table,
                        const char *title)
{
    str_add(out,
            "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":");
    str_add_json(out, title, strlen(title));
    str_add(out, ",\"type\":\"object\",\"properties\":{");
    for (int i = 0; i < table->n; i++) {
        if (i) str_addc(out, ',');
        schema_property(out, &table->rows[i]);
    }
    str_add(out, "},\"additionalProperties\":false}");
}
