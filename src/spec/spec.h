/* spec.h - the face of this room: tables, values, descriptors by name */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H
#include "base/str.h"
#include "spec/entry.h"

struct tide_learner;
struct tide_step;
struct tide_metric;
struct tide_maker;
struct tide_reader;
/* Implemented over the generated registry. NULL + err (nearest name) when unknown. */
const struct tide_learner *learner_find(const char *name, tide_error *err);
const struct tide_step *step_find(const char *name, tide_error *err);
const struct tide_metric *metric_find(const char *name, tide_error *err);
const struct tide_maker *maker_find(const char *name, tide_error *err);
const struct tide_reader *reader_find(const char *name, tide_error *err);
/* 0 .. tide_registry_count(TIDE_METRIC) - 1 */
const struct tide_metric *metric_get(int i);
const struct tide_learner *learner_get(int i);
/* 0 .. tide_registry_count(TIDE_READER) - 1 */
const struct tide_reader *reader_get(int i);

/* The table that the values are of. */
const struct tide_params *values_table(const tide_values *values);
/* "trees=800, rate=0.1": all values, or only those that differ from the defaults. */
void values_print(struct str *out, const tide_values *values, int only_changed);
/* JSON object text of all values: {"trees": 800, ...}. */
void values_json(struct str *out, const tide_values *values);
/* One row as JSON (name, type, default, bounds, choices, aliases, help, when, tune). */
void param_json(struct str *out, const struct tide_param *row);
/* An entry with its parameters and traits as a JSON object (list KIND NAME --json). */
void entry_json(struct str *out, enum tide_kind kind, const struct tide_entry *entry);
/* JSON schema of a parameter table. */
void params_schema_json(struct str *out, const struct tide_params *table,
                        const char *title);
#endif
