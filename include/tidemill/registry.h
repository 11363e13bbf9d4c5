/* registry.h - what this build knows: learners, steps, metrics, generators,
 * table formats */
#ifndef TIDEMILL_REGISTRY_H
#define TIDEMILL_REGISTRY_H

#include <tidemill/params.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tide_kind {
    TIDE_LEARNER,
    TIDE_STEP,
    TIDE_METRIC,
    TIDE_MAKER,
    TIDE_READER,
    TIDE_KINDS
};

/* tasks */
#define TIDE_CLASSIFY 1u
#define TIDE_REGRESS  2u
#define TIDE_ANOMALY  4u /* learns without a target */
/* The names of the tasks, NULL-ended, in bit order. */
TIDE_API const char *const *tide_task_names(void);

enum tide_trait {
    TIDE_TAKES_MISSING = 1,    /* NaN and missing codes are fine */
    TIDE_TAKES_CATEGORIES = 2, /* dictionary codes are fine */
    TIDE_TAKES_WEIGHTS = 4,
    TIDE_GIVES_PROBA = 8,
    /* uses a validation part of its rows to choose rounds */
    TIDE_STOPS_EARLY = 16,
    TIDE_WANTS_SCALED = 32,     /* default preparation standardises numbers */
    TIDE_IS_ORDERED = 64,       /* result depends on row order (online) */
    TIDE_CHANGES_ROWS = 128,    /* step: runs in fit only */
    TIDE_USES_TARGET = 256,     /* step: fit reads the target */
    TIDE_TAKES_ONE_CLASS = 512, /* learner fits a single class */
    TIDE_INTEGER_SUMS = 1024,   /* row order of a view changes no byte */
    TIDE_CONTINUES = 2048       /* learner: goes on from a fitted model */
};
/* The names of the traits, NULL-ended, in bit order. */
TIDE_API const char *const *tide_trait_names(void);

struct tide_entry {
    const char *name;  /* "gbdt", "impute:median", "auc" */
    const char *title; /* one line */
    const char *camel; /* class name in other languages */
    const char *guide; /* "Q10 Q13" */
    const char *paper; /* source of the method */
    uint32_t tasks, traits;
    double tolerance; /* 0: same bytes on every instruction set */
    struct tide_params params;
};
TIDE_API const char *tide_kind_name(enum tide_kind kind);
TIDE_API int tide_registry_count(enum tide_kind kind);
TIDE_API const struct tide_entry *tide_registry_get(enum tide_kind kind, int i);
/* By name; unknown: NULL and err with the nearest name (param-unknown; pipeline-step for steps). */
TIDE_API const struct tide_entry *tide_registry_find(enum tide_kind kind,
                                                     const char *name, tide_error *err);
/* What the registry knows as JSON text: one entry with its parameters, or with name NULL an
 * array of all of the kind; schema != 0: JSON schemas of the parameters instead.
 * Ownership: the caller frees *text by tide_text_free. Errors: param-unknown, memory. */
TIDE_API TIDE_MUST_USE tide_status tide_registry_json(enum tide_kind kind,
                                                      const char *name, int schema,
                                                      char **text, tide_error *err);
/* Any parameter table as JSON text: an array of its rows, or with a title a JSON schema.
 * Ownership: the caller frees *text by tide_text_free. Errors: memory. */
TIDE_API TIDE_MUST_USE tide_status tide_params_json(const struct tide_params *table,
                                                    const char *title, char **text,
                                                    tide_error *err);

#ifdef __cplusplus
}
#endif
#endif
