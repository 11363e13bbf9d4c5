/* imported_state.h - what an imported model says beside its ensemble: written by src/store,
 * read by src/learners/imported.c */
#ifndef INFER_IMPORTED_STATE_H
#define INFER_IMPORTED_STATE_H
#include <stdint.h>

enum imported_source { IMPORTED_XGBOOST = 1, IMPORTED_LIGHTGBM };
enum imported_link {
    IMPORTED_IDENTITY,
    IMPORTED_SIGMOID,     /* 1 / (1 + exp(-scale z)) */
    IMPORTED_SOFTMAX,     /* over all outputs */
    IMPORTED_EXP,         /* exp(z) */
    IMPORTED_ONE_VS_ALL,  /* the sigmoid of each output; they need not sum to 1 */
    IMPORTED_STEP,        /* 1 where z > 0, else 0 */
    IMPORTED_SQUARE,      /* sign(z) z^2 */
    IMPORTED_LOG_ONE_EXP, /* log(1 + exp(z)) */
    IMPORTED_LINKS
};
/* "import_how", i32 [8], the rest 0 */
enum {
    IMPORTED_AT_SOURCE,
    IMPORTED_AT_STRICT,
    IMPORTED_AT_LINK,
    IMPORTED_AT_DIVIDE, /* > 1: raw scores are sums, divided by this before the link */
    IMPORTED_HOW = 8
};
#endif
