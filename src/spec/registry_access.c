/* registry_access.c - descriptors by number and by name, over the generated arrays */
#include <string.h>

#include "base/err.h"
#include "spec/learner.h"
#include "spec/maker.h"
#include "spec/metric.h"
#include "spec/reader.h"
#include "spec/spec.h"
#include "spec/step.h"

extern const struct tide_learner *const registry_learner_all[];
extern const struct tide_step *const registry_step_all[];
extern const struct tide_metric *const registry_metric_all[];
extern const struct tide_maker *const registry_maker_all[];
extern const struct tide_reader *const registry_reader_all[];
extern const struct tide_learner *const registry_unlisted[]; /* NULL-ended */
extern const int registry_learner_count, registry_step_count, registry_metric_count,
    registry_maker_count, registry_reader_count;

int tide_registry_count(enum tide_kind kind)
{
    switch (kind) {
    case TIDE_LEARNER:
        return registry_learner_count;
    case TIDE_STEP:
        return registry_step_count;
    case TIDE_METRIC:
        return registry_metric_count;
    case TIDE_MAKER:
        return registry_maker_count;
    case TIDE_READER:
        return registry_reader_count;
    case TIDE_KINDS:
        break;
    }
    return 0;
}

const struct tide_entry *tide_registry_get(enum tide_kind kind, int i)
{
    if (i < 0 || i >= tide_registry_count(kind)) return NULL;
    switch (kind) {
    case TIDE_LEARNER:
        return &registry_learner_all[i]->entry;
    case TIDE_STEP:
        return &registry_step_all[i]->entry;
    case TIDE_METRIC:
        return &registry_metric_all[i]->entry;
    case TIDE_MAKER:
        return &registry_maker_all[i]->entry;
    case TIDE_READER:
        return &registry_reader_all[i]->entry;
    case TIDE_KINDS:
        break;
    }
    return NULL;
}

/* Index of a name, or -1 with the nearest name as hint. */
static int find(enum tide_kind kind, const char *name, tide_error *err)
{
    const char *names[256];
    int n = tide_registry_count(kind);
    n = n > 256 ? 256 : n;
    for (int i = 0; i < n; i++) {
        names[i] = tide_registry_get(kind, i)->name;
        if (strcmp(names[i], name) == 0) return i;
    }
    char shown[128];
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, kind == TIDE_STEP ? TIDE_CODE_PIPELINE_STEP : TIDE_CODE_PARAM_UNKNOWN,
            "no %s '%s'", tide_kind_name(kind), shown);
    const char *near = err_nearest(name, names, n);
    if (near)
        err_hint(err, "", "%s", near);
    else
        err_hint(err, "", "tidemill list %s", tide_kind_name(kind));
    return -1;
}

const struct tide_entry *tide_registry_find(enum tide_kind kind, const char *name,
                                            tide_error *err)
{
    int i = find(kind, name, err);
    return i < 0 ? NULL : tide_registry_get(kind, i);
}

const struct tide_learner *learner_find(const char *name, tide_error *err)
{
    for (int i = 0; registry_unlisted[i]; i++)
        if (strcmp(registry_unlisted[i]->name, name) == 0) return registry_unlisted[i];
    int i = find(TIDE_LEARNER, name, err);
    return i < 0 ? NULL : registry_learner_all[i];
}

const struct tide_step *step_find(const char *name, tide_error *err)
{
    int i = find(TIDE_STEP, name, err);
    return i < 0 ? NULL : registry_step_all[i];
}

const struct tide_metric *metric_find(const char *name, tide_error *err)
{
    int i = find(TIDE_METRIC, name, err);
    return i < 0 ? NULL : registry_metric_all[i];
}

const struct tide_maker *maker_find(const char *name, tide_error *err)
{
    int i = find(TIDE_MAKER, name, err);
    return i < 0 ? NULL : registry_maker_all[i];
}

const struct tide_reader *reader_find(const char *name, tide_error *err)
{
    int i = find(TIDE_READER, name, err);
    return i < 0 ? NULL : registry_reader_all[i];
}

const struct tide_metric *metric_get(int i)
{
    return registry_metric_all[i];
}
const struct tide_learner *learner_get(int i)
{
    return registry_learner_all[i];
}
const struct tide_reader *reader_get(int i)
{
    return registry_reader_all[i];
}
