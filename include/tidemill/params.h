/* params.h - parameter tables: one row a parameter, from which everything else is derived
 *
 * Flags and --help, validation and its sentence, nearest names, docs, JSON schema, tuning
 * space and model card come from these rows; none of them is written by hand. */
#ifndef TIDEMILL_PARAMS_H
#define TIDEMILL_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include <tidemill/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum tide_param_type {
    TIDE_PARAM_INT,   /* int32_t */
    TIDE_PARAM_I64,   /* int64_t */
    TIDE_PARAM_U64,   /* uint64_t (seeds) */
    TIDE_PARAM_REAL,  /* double */
    TIDE_PARAM_BOOL,  /* int32_t 0 or 1; text yes/no/true/false/1/0 */
    TIDE_PARAM_ENUM,  /* int32_t: index into choices */
    TIDE_PARAM_TEXT,  /* const char *: owned by the arena of the parse */
    TIDE_PARAM_BYTES, /* int64_t: 512M, 2G */
    TIDE_PARAM_LIST,  /* struct tide_text_list: the option may be given several times */
    TIDE_PARAM_REALS /* struct tide_real_list: one number, or rising ones with commas between */
};
enum tide_param_flags {
    TIDE_OPEN_LO = 1,
    TIDE_OPEN_HI = 2,   /* (lo, hi) ends that do not belong */
    TIDE_LOG = 4,       /* tuned on a log scale */
    TIDE_EXPERT = 8,    /* listed after the others */
    TIDE_REQUIRED = 16, /* no fallback: must be given */
    /* the same row stands in every verb (threads, seed, quiet ...) */
    TIDE_COMMON = 32,
    TIDE_EMPTY_OK = 64, /* text: '' is a value */
    TIDE_KEPT = 128     /* learner: stays what it was when a model is continued */
};
struct tide_text_list {
    const char *const *items;
    int n;
};
struct tide_real_list {
    const double *items; /* owned by the arena of the parse */
    int n;               /* at least 1, at most TIDE_REALS_MOST */
};
#define TIDE_REALS_MOST 99

struct tide_param {
    const char *name;
    const char *help; /* at most 72 characters, no full stop */
    /* space-separated names of the peers, and short flags such as -o */
    const char *alias;
    const char *when; /* "loss=quantile": matters only then */
    /* the default, as a user would write it; NULL: none (zero/NULL) */
    const char *fallback;
    const char *unit, *since, *metavar;
    const char *const *choices;      /* enum: NULL-ended */
    double lo, hi, tune_lo, tune_hi; /* lo == hi == 0: unbounded */
    uint32_t offset;
    uint8_t type, flags;
    /* enum: space-separated other names of each choice, in their order; NULL: none */
    const char *const *choice_alias;
};
struct tide_params {
    const struct tide_param *rows;
    int n;
    uint32_t size;
};

/* Refuses at compile time a row whose kind does not fit its field. */
#define TIDE_FIELD_IS(S, f, T) (0 * sizeof(char[_Generic(((struct S *)0)->f, T : 1)]))
#define TIDE_PARAM_ROW(S, f, T, kind, dflt)                                            \
    .name = #f, .type = (kind), .fallback = (dflt),                                    \
    .offset = (uint32_t)(offsetof(struct S, f) + TIDE_FIELD_IS(S, f, T))
/* one macro a line */
/* clang-format off */
#define P_INT(S, f, dflt, ...)  { TIDE_PARAM_ROW(S, f, int32_t, TIDE_PARAM_INT, dflt), __VA_ARGS__ }
#define P_I64(S, f, dflt, ...)  { TIDE_PARAM_ROW(S, f, int64_t, TIDE_PARAM_I64, dflt), __VA_ARGS__ }
#define P_U64(S, f, dflt, ...)  { TIDE_PARAM_ROW(S, f, uint64_t, TIDE_PARAM_U64, dflt), __VA_ARGS__ }
#define P_REAL(S, f, dflt, ...) { TIDE_PARAM_ROW(S, f, double, TIDE_PARAM_REAL, dflt), __VA_ARGS__ }
#define P_BOOL(S, f, dflt, ...) { TIDE_PARAM_ROW(S, f, int32_t, TIDE_PARAM_BOOL, dflt), __VA_ARGS__ }
#define P_TEXT(S, f, dflt, ...) { TIDE_PARAM_ROW(S, f, const char *, TIDE_PARAM_TEXT, dflt), __VA_ARGS__ }
#define P_BYTES(S, f, dflt, ...) { TIDE_PARAM_ROW(S, f, int64_t, TIDE_PARAM_BYTES, dflt), __VA_ARGS__ }
#define P_LIST(S, f, ...)                                                              \
    { TIDE_PARAM_ROW(S, f, struct tide_text_list, TIDE_PARAM_LIST, NULL), __VA_ARGS__ }
#define P_ENUM(S, f, dflt, names, ...)                                                 \
    { TIDE_PARAM_ROW(S, f, int32_t, TIDE_PARAM_ENUM, dflt), .choices = (names), __VA_ARGS__ }
#define P_REALS(S, f, dflt, ...)                                                       \
    { TIDE_PARAM_ROW(S, f, struct tide_real_list, TIDE_PARAM_REALS, dflt), __VA_ARGS__ }
#define P_RANGE(a, b) .lo = (a), .hi = (b)
#define P_TUNE(a, b) .tune_lo = (a), .tune_hi = (b)
#define TIDE_TABLE(rows_, S) { (rows_), (int)(sizeof(rows_) / sizeof((rows_)[0])), (uint32_t)sizeof(struct S) }
/* clang-format on */

/* A parsed set of values: owns its memory. */
typedef struct tide_values tide_values;
/* Defaults of a table. `owner` ("gbdt", "train") is named in errors. Ownership: caller frees. */
TIDE_API TIDE_MUST_USE tide_status tide_values_new(const struct tide_params *table,
                                                   const char *owner, tide_values **out,
                                                   tide_error *err);
TIDE_API void tide_values_free(tide_values *values);
/* Sets one parameter from text; name may be an alias; '-' and '_' are the same. Errors:
 * param-unknown (with the nearest), param-value, param-range, param-duplicate (set twice
 * with different text). */
TIDE_API TIDE_MUST_USE tide_status tide_values_set(tide_values *values,
                                                   const char *name, const char *text,
                                                   tide_error *err);
/* Required parameters are there and values lie in range. Call after the last set. */
TIDE_API TIDE_MUST_USE tide_status tide_values_check(const tide_values *values,
                                                     tide_error *err);
/* The struct described by the table. Borrowed. */
TIDE_API const void *tide_values_struct(const tide_values *values);
/* Was it set (not defaulted)? */
TIDE_API int tide_values_given(const tide_values *values, const char *name);
/* The row of a name or alias, or NULL. */
TIDE_API const struct tide_param *tide_params_find(const struct tide_params *table,
                                                   const char *name);
/* Current value as a user would write it, into out (cut at size). Returns the full length, -1
 * when memory is out. */
TIDE_API int tide_values_text(const tide_values *values, const struct tide_param *row,
                              char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
