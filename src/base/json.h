/* json.h - JSON over jansson: limits first, allocation through base/alloc.c
 *
 * Reading checks size, depth (32), number length (400) and UTF-8 before jansson sees the
 * text; repeated keys are refused. Writing: json_text gives compact text with shortest
 * round-trip numbers and members in insertion order. Values are jansson's json_t. */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include <jansson.h>

#include <tidemill/status.h>

#include "base/str.h"

/* `file` names the source in errors; code_bad is the code for what is not JSON. */
tide_status json_read(const char *text, size_t n, size_t max_bytes, const char *file,
                      tide_code code_bad, json_t **out, tide_error *err);
/* NaN becomes null. indent 0 = compact. Errors stick in t->failed. */
void json_write(struct str *t, const json_t *value, int indent);
json_t *json_f64(double v); /* null for NaN and infinities */
/* Sets a member, taking the value over; non-zero when either is NULL (out of memory). */
int json_put(json_t *object, const char *key, json_t *value);
int json_put_str(json_t *object, const char *key, const char *s);
int json_put_f64(json_t *object, const char *key, double v);
int json_put_i64(json_t *object, const char *key, int64_t v);
/* Getters with a default; wrong types give the default. */
double json_get_f64(const json_t *object, const char *key, double fallback);
int64_t json_get_i64(const json_t *object, const char *key, int64_t fallback);
const char *json_get_str(const json_t *object, const char *key, const char *fallback);
/* Installs the allocation functions once; called by ctx creation and json_read. */
void json_init(void);
#endif
