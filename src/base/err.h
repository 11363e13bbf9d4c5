/* err.h - filling a tide_error; all functions take a NULL error gladly
 *
 * return err_set(err, TIDE_CODE_CSV_TYPE, "expected a number in '%s', got \"%s\"", ...);
 * The format knows %s %d %i %u %c %x %% with l, ll, z, j sizes, widths, %.*s, and - our own -
 * %r: a double printed with the shortest digits that read back (%.4r: with 4 digits). No other
 * conversion. After a NULL error err_at and its like still return the status last set. */
#ifndef BASE_ERR_H
#define BASE_ERR_H
#include <stdarg.h>
#include <stddef.h>

#include <tidemill/status.h>

/* Clears the error, sets code, its status and the message. Returns the status. */
tide_status err_set(tide_error *err, tide_code code, const char *fmt, ...);
tide_status err_setv(tide_error *err, tide_code code, const char *fmt, va_list ap);
/* The message names the size if it is above 0. */
tide_status err_nomem(tide_error *err, size_t wanted);
tide_status err_cancelled(tide_error *err);
/* Add a place, field or remedy to an error just set; each returns err's status. */
tide_status err_at(tide_error *err, const char *file, int64_t line, int64_t column);
tide_status err_field(tide_error *err, const char *field);
tide_status err_place(tide_error *err, const char *fmt, ...);
tide_status err_hint(tide_error *err, const char *option, const char *fmt, ...);
/* Copies user text for a message: at most `max` bytes, cut at a UTF-8 border with "...",
 * control bytes and bad UTF-8 as \x1b, newline as \n. Always terminates; returns dst. */
char *err_quote(char *dst, size_t dst_size, const char *text, size_t len, size_t max);
/* The nearest of n names to `name` (edit distance, at most a third of its length + 1,
 * ties to the earlier), or NULL. Threads: any. */
const char *err_nearest(const char *name, const char *const *names, int n);
#endif
