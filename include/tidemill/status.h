/* status.h - what a call answers: status, code, and an error with its place and remedy */
#ifndef TIDEMILL_STATUS_H
#define TIDEMILL_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TIDE_API      __attribute__((visibility("default")))
#define TIDE_MUST_USE __attribute__((warn_unused_result))
#else
#define TIDE_API
#define TIDE_MUST_USE
#endif

/* The class of an outcome. The program exits with this number, TIDE_ENOMEM excepted
 * (it exits with 6, as every limit does). Values never change. */
typedef enum tide_status {
    TIDE_OK = 0,          /* done */
    TIDE_ENO = 1,         /* the answer is no: a gate missed */
    TIDE_EINVAL = 2,      /* usage: an option, a parameter, pipeline text, a handle */
    TIDE_EDATA = 3,       /* the table or what is in it */
    TIDE_EMODEL = 4,      /* a model or project file */
    TIDE_EFILE = 5,       /* the file system */
    TIDE_ELIMIT = 6,      /* a limit or a resource */
    TIDE_ENUMERIC = 7,    /* numbers: divergence */
    TIDE_EPEER = 8,       /* another process */
    TIDE_ENOMEM = 16,     /* memory */
    TIDE_EINTERNAL = 70,  /* a bug of ours */
    TIDE_ECANCELLED = 130 /* asked to stop */
} tide_status;

/* X(value, NAME, "code-name", status, "default clause") - values never change */
#define TIDE_CODE_LIST(X)                                                              \
    X(0, OK, "ok", TIDE_OK, "done")                                                    \
    X(1, REQUIRE, "require", TIDE_ENO, "the requirement is not met")                   \
    X(10, USAGE_VERB, "usage-verb", TIDE_EINVAL, "a verb is needed")                   \
    X(11, USAGE_SAME_FILE, "usage-same-file", TIDE_EINVAL, "the output is the input")  \
    X(12, USAGE_ENVIRONMENT, "usage-environment", TIDE_EINVAL,                         \
      "an environment variable has a value it cannot have")                            \
    X(13, USAGE_OWNER, "usage-owner", TIDE_EINVAL, "the file belongs to someone else") \
    X(20, PARAM_UNKNOWN, "param-unknown", TIDE_EINVAL, "unknown name")                 \
    X(21, PARAM_VALUE, "param-value", TIDE_EINVAL,                                     \
      "a value of another kind is needed")                                             \
    X(22, PARAM_RANGE, "param-range", TIDE_EINVAL, "the value is out of range")        \
    X(23, PARAM_CONFLICT, "param-conflict", TIDE_EINVAL,                               \
      "two options exclude each other")                                                \
    X(24, PARAM_DUPLICATE, "param-duplicate", TIDE_EINVAL, "given twice")              \
    X(30, PIPELINE_SYNTAX, "pipeline-syntax", TIDE_EINVAL,                             \
      "the pipeline text is not well formed")                                          \
    X(31, PIPELINE_STEP, "pipeline-step", TIDE_EINVAL, "unknown step")                 \
    X(32, PIPELINE_CYCLE, "pipeline-cycle", TIDE_EINVAL, "steps form a cycle")         \
    X(33, PIPELINE_ORDER, "pipeline-order", TIDE_EINVAL,                               \
      "steps stand in an order that cannot work")                                      \
    X(34, PIPELINE_LEAK, "pipeline-leak", TIDE_EINVAL,                                 \
      "the target is among the features")                                              \
    X(50, CSV_EMPTY, "csv-empty", TIDE_EDATA, "file is empty")                         \
    X(51, CSV_FIELDS, "csv-fields", TIDE_EDATA, "wrong number of fields")              \
    X(52, CSV_QUOTE, "csv-quote", TIDE_EDATA, "quotes do not match")                   \
    X(53, CSV_NUL, "csv-nul", TIDE_EDATA, "NUL byte in the text")                      \
    X(54, CSV_ENCODING, "csv-encoding", TIDE_EDATA, "not UTF-8")                       \
    X(55, CSV_DUPLICATE_NAME, "csv-duplicate-name", TIDE_EDATA,                        \
      "two columns have one name")                                                     \
    X(56, CSV_NAME, "csv-name", TIDE_EDATA, "a column has no name")                    \
    X(57, CSV_TYPE, "csv-type", TIDE_EDATA, "a value of another type is expected")     \
    X(58, CSV_COMPRESSED, "csv-compressed", TIDE_EDATA, "compressed data is damaged")  \
    X(59, CSV_NOT_TEXT, "csv-not-text", TIDE_EDATA, "not a text table")                \
    X(60, NPY_HEADER, "npy-header", TIDE_EDATA,                                        \
      "the array's header is not as it must be")                                       \
    X(61, JSON_SYNTAX, "json-syntax", TIDE_EDATA, "not JSON")                          \
    X(62, JSON_DUPLICATE_KEY, "json-duplicate-key", TIDE_EDATA, "a key stands twice")  \
    X(63, JSON_UTF8, "json-utf8", TIDE_EDATA, "text that is not Unicode")              \
    X(64, ARFF_HEADER, "arff-header", TIDE_EDATA,                                      \
      "the ARFF header is not as it must be")                                          \
    X(65, SVMLIGHT_SYNTAX, "svmlight-syntax", TIDE_EDATA, "not a row of SVMlight")     \
    X(66, SQL, "sql", TIDE_EDATA, "the database refused")                              \
    X(70, PARQUET_DAMAGED, "parquet-damaged", TIDE_EDATA, "a Parquet file is damaged") \
    X(71, PARQUET_FEATURE, "parquet-feature", TIDE_EDATA,                              \
      "a Parquet file uses what is not read")                                          \
    X(72, ARROW_STREAM, "arrow-stream", TIDE_EDATA, "an Arrow stream ended in error")  \
    X(73, TCOL_DAMAGED, "tcol-damaged", TIDE_EDATA, "a column file is damaged")        \
    X(74, TCOL_VERSION, "tcol-version", TIDE_EDATA,                                    \
      "a column file of another version")                                              \
    X(80, DATA_NO_ROWS, "data-no-rows", TIDE_EDATA, "0 data rows")                     \
    X(81, DATA_FEW_ROWS, "data-few-rows", TIDE_EDATA, "too few rows")                  \
    X(82, DATA_NO_FEATURES, "data-no-features", TIDE_EDATA, "no feature columns")      \
    X(83, DATA_COLUMN, "data-column", TIDE_EDATA, "no such column")                    \
    X(84, DATA_TYPE, "data-type", TIDE_EDATA, "a column has another type")             \
    X(85, DATA_RANGE, "data-range", TIDE_EDATA, "a number is out of range")            \
    X(86, DATA_INFINITE, "data-infinite", TIDE_EDATA, "infinite value")                \
    X(87, DATA_MISSING, "data-missing", TIDE_EDATA, "missing values")                  \
    X(88, DATA_TARGET, "data-target", TIDE_EDATA, "the target does not fit the task")  \
    X(89, DATA_TARGET_MISSING, "data-target-missing", TIDE_EDATA,                      \
      "missing target values")                                                         \
    X(90, DATA_CLASSES, "data-classes", TIDE_EDATA, "too many classes")                \
    X(91, DATA_ONE_CLASS, "data-one-class", TIDE_EDATA, "only one class")              \
    X(92, DATA_FOLDS, "data-folds", TIDE_EDATA, "folds cannot be made")                \
    X(93, DATA_WEIGHT, "data-weight", TIDE_EDATA, "weights cannot be used")            \
    X(94, DATA_PRECISION, "data-precision", TIDE_EDATA, "digits are lost")             \
    X(95, DATA_CONSTANT, "data-constant", TIDE_EDATA, "constant column")               \
    X(96, DATA_RANK, "data-rank", TIDE_EDATA, "columns depend on each other")          \
    X(97, DATA_LEAK, "data-leak", TIDE_EDATA, "a column gives the target away")        \
    X(98, DATA_ID, "data-id", TIDE_EDATA, "column of identifiers")                     \
    X(99, DATA_IMBALANCE, "data-imbalance", TIDE_EDATA, "classes are very uneven")     \
    X(120, TIDE_TRUNCATED, "tide-truncated", TIDE_EMODEL, "the model file ends early") \
    X(121, TIDE_TRAILING, "tide-trailing", TIDE_EMODEL, "bytes follow the model")      \
    X(122, TIDE_MAGIC, "tide-magic", TIDE_EMODEL, "not a model file")                  \
    X(123, TIDE_BYTE_ORDER, "tide-byte-order", TIDE_EMODEL,                            \
      "byte order of another machine")                                                 \
    X(124, TIDE_VERSION, "tide-version", TIDE_EMODEL, "unknown format version")        \
    X(125, TIDE_CHECKSUM, "tide-checksum", TIDE_EMODEL, "checksum differs")            \
    X(126, TIDE_HASH, "tide-hash", TIDE_EMODEL, "SHA-256 differs")                     \
    X(127, TIDE_HEADER, "tide-header", TIDE_EMODEL,                                    \
      "the model's header is not as it must be")                                       \
    X(128, TIDE_BOUNDS, "tide-bounds", TIDE_EMODEL, "a section lies out of bounds")    \
    X(129, TIDE_SECTION, "tide-section", TIDE_EMODEL,                                  \
      "a section is unknown, absent or there twice")                                   \
    X(130, TIDE_FLAGS, "tide-flags", TIDE_EMODEL, "unknown flag bits")                 \
    X(131, TIDE_SIZE, "tide-size", TIDE_EMODEL, "sizes do not agree")                  \
    X(132, TIDE_TREE, "tide-tree", TIDE_EMODEL, "a tree is not a tree")                \
    X(133, TIDE_FEATURE, "tide-feature", TIDE_EMODEL,                                  \
      "a column or level is out of range")                                             \
    X(134, TIDE_VALUE, "tide-value", TIDE_EMODEL, "a number is out of range")          \
    X(135, TIDE_CLASSES, "tide-classes", TIDE_EMODEL, "the classes cannot be")         \
    X(136, TIDE_SCHEMA, "tide-schema", TIDE_EMODEL,                                    \
      "header and sections disagree about columns")                                    \
    X(137, TIDE_GOLDEN, "tide-golden", TIDE_EMODEL, "golden rows give other scores")   \
    X(140, IMPORT_SYNTAX, "import-syntax", TIDE_EMODEL,                                \
      "the foreign model is not well formed")                                          \
    X(141, IMPORT_VALUE, "import-value", TIDE_EMODEL,                                  \
      "a value of the foreign model cannot be")                                        \
    X(142, IMPORT_UNSUPPORTED, "import-unsupported", TIDE_EMODEL,                      \
      "this kind of model cannot be imported")                                         \
    X(143, IMPORT_PICKLE, "import-pickle", TIDE_EMODEL,                                \
      "pickles run code and are not read")                                             \
    X(150, FILE_MISSING, "file-missing", TIDE_EFILE, "no such file")                   \
    X(151, FILE_IS_DIRECTORY, "file-is-directory", TIDE_EFILE, "is a directory")       \
    X(152, FILE_ACCESS, "file-access", TIDE_EFILE, "access is denied")                 \
    X(153, FILE_NO_SPACE, "file-no-space", TIDE_EFILE, "no space left")                \
    X(154, FILE_CHANGED, "file-changed", TIDE_EFILE,                                   \
      "the file changed while it was read")                                            \
    X(155, FILE_ERROR, "file-error", TIDE_EFILE, "input or output error")              \
    X(156, FILE_TOO_LARGE, "file-too-large", TIDE_EFILE, "the file is too large")      \
    X(157, FILE_NAME, "file-name", TIDE_EFILE, "the file name cannot be used")         \
    X(170, LIMIT_FIELD, "limit-field", TIDE_ELIMIT, "a field is too long")             \
    X(171, LIMIT_LINE, "limit-line", TIDE_ELIMIT, "a line is too long")                \
    X(172, LIMIT_COLUMNS, "limit-columns", TIDE_ELIMIT, "too many columns")            \
    X(173, LIMIT_NAME, "limit-name", TIDE_ELIMIT, "a column name is too long")         \
    X(174, LIMIT_EXPAND, "limit-expand", TIDE_ELIMIT,                                  \
      "compressed data expands too far")                                               \
    X(175, LIMIT_DEPTH, "limit-depth", TIDE_ELIMIT, "nested too deep")                 \
    X(176, LIMIT_METADATA, "limit-metadata", TIDE_ELIMIT, "the header is too large")   \
    X(177, LIMIT_NUMBER, "limit-number", TIDE_ELIMIT, "a number has too many digits")  \
    X(178, LIMIT_FILES, "limit-files", TIDE_ELIMIT, "too many open files")             \
    X(179, MEMORY, "memory", TIDE_ENOMEM, "out of memory")                             \
    X(180, MEMORY_BUDGET, "memory-budget", TIDE_ELIMIT,                                \
      "more memory is needed than allowed")                                            \
    X(190, NUMERIC_DIVERGED, "numeric-diverged", TIDE_ENUMERIC, "the fit diverged")    \
    X(191, NUMERIC_SEPARABLE, "numeric-separable", TIDE_ENUMERIC,                      \
      "classes are separated")                                                         \
    X(200, HANDLE_INVALID, "handle-invalid", TIDE_EINVAL,                              \
      "handle or argument that cannot be")                                             \
    X(201, BUSY, "busy", TIDE_EINVAL, "the context is in use")                         \
    X(202, CANCELLED, "cancelled", TIDE_ECANCELLED, "cancelled")                       \
    X(255, INTERNAL, "internal", TIDE_EINTERNAL, "internal error")

typedef enum tide_code {
#define TIDE_CODE_ENUM(value, NAME, text, status, clause) TIDE_CODE_##NAME = value,
    TIDE_CODE_LIST(TIDE_CODE_ENUM)
#undef TIDE_CODE_ENUM
} tide_code;

/* What went wrong, where, and the remedy. Lives with the caller; zeroed or filled by the
 * failing call. Strings are always terminated, cut at their size; 0 numbers do not apply.
 * line, column, row are 1-based; offset is the 0-based byte, -1 when it does not apply. */
typedef struct tide_error {
    uint32_t size; /* sizeof(struct tide_error) of the caller, or 0 */
    tide_status status;
    tide_code code;
    int64_t line, column, row, offset;
    char file[256];    /* as the user wrote it */
    char field[128];   /* column or parameter name */
    char place[128];   /* JSON pointer or model section */
    char message[640]; /* one lower-case clause, without the remedy */
    char option[48];   /* remedy: a parameter ... */
    char value[160];   /* ... and its value; with an empty option, a plain hint */
} tide_error;

/* "csv-type" for TIDE_CODE_CSV_TYPE; "internal" for an unknown number. Threads: any. */
TIDE_API const char *tide_code_name(tide_code code);
/* The status that a code belongs to. Threads: any. */
TIDE_API tide_status tide_code_status(tide_code code);
/* The process exit code of a status: 6 for TIDE_ENOMEM, else its number. Threads: any. */
TIDE_API int tide_status_exit(tide_status status);

#ifdef __cplusplus
}
#endif
#endif
