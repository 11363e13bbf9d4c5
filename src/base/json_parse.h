/* json_parse.h - the parser behind json_read */
#ifndef BASE_JSON_PARSE_H
#define BASE_JSON_PARSE_H
#include <jansson.h>

#define JSON_PARSE_DEPTH 33 /* one more than json_read lets through */

/* The value of a whole text, or NULL: *clause says what is wrong at byte *at, and is NULL
 * when memory is out. The text is UTF-8 without NUL, its depth is checked. */
json_t *json_parse(const char *text, size_t n, size_t *at, const char **clause);
#endif
