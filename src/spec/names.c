/* names.c - names of kinds, tasks and traits */
#include "spec/entry.h"

const char *tide_kind_name(enum tide_kind kind)
{
    static const char *const names[] = {"learner", "step", "metric", "generator",
                                        "reader"};
    return (unsigned)kind < TIDE_KINDS ? names[kind] : "";
}

const char *const *tide_task_names(void)
{
    static const char *const names[] = {"classify", "regress", "anomaly", NULL};
    return names;
}

const char *task_name(uint32_t task)
{
    const char *const *names = tide_task_names();
    for (int i = 0; names[i]; i++)
        if (task >> i & 1) return names[i];
    return "";
}

const char *const *tide_trait_names(void)
{
    static const char *const names[] = {"missing",   "categories",   "weights",
                                        "proba",     "early_stop",   "scaled",
                                        "ordered",   "changes_rows", "uses_target",
                                        "one_class", "integer_sums", "continues",
                                        NULL};
    return names;
}
