/* names.c - names of kinds and traits */
#include "spec/entry.h"

const char *tide_kind_name(enum tide_kind kind)
{
    static const char *const names[] = {"learner", "step", "metric", "generator",
                                        "reader"};
    return (unsigned)kind < TIDE_KINDS ? names[kind] : "";
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
