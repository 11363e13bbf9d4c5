/* str.h - growing text, UTF-8, sizes and durations as people read them */
#ifndef BASE_STR_H
#define BASE_STR_H
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed = empty; s is NULL or terminated. */
struct str {
    char *s;
    size_t len, cap;
    int failed;
};
void str_free(struct str *t);
void str_clear(struct str *t); /* keeps the memory, and a failure */
void str_add(struct str *t, const char *s);
void str_addn(struct str *t, const char *s, size_t n);
void str_addc(struct str *t, char c);
void str_addf(struct str *t, const char *fmt, ...); /* err.h's conversions */
void str_addv(struct str *t, const char *fmt, va_list ap);
void str_num(struct str *t, double v); /* shortest */
void str_num_g(struct str *t, double v, int digits);
/* snprintf of err.h's conversions; returns the length it would have. */
int str_format(char *out, size_t size, const char *fmt, ...);
int str_formatv(char *out, size_t size, const char *fmt, va_list ap);

/* 0 when s[0..n) is UTF-8 (no overlong, surrogate, above U+10FFFF), else 1 + offset. */
size_t utf8_check(const char *s, size_t n);
int utf8_width(const char *s, size_t n); /* terminal cells (East Asian wide = 2) */
/* Bytes of the character at s (n > 0), its code point in *cp; 0 when it is not UTF-8. */
int utf8_decode(const char *s, size_t n, uint32_t *cp);
/* The largest k <= max at which s[0..n) can be cut without splitting a character. */
size_t utf8_cut(const char *s, size_t n, size_t max);
/* One character as a person may safely see it: itself, or for control and direction
 * characters and bad bytes "\x1b" for each byte ("\n" for a newline). Not terminated;
 * returns the bytes written, stores those read in *used. */
#define UTF8_SHOW_MAX 16
int utf8_show(const char *s, size_t n, char out[UTF8_SHOW_MAX], size_t *used);
/* Escapes control bytes and bad UTF-8 for a terminal or a message. */
void str_add_visible(struct str *t, const char *s, size_t n);
/* & < > " ' and control bytes */
void str_add_html(struct str *t, const char *s, size_t n);
void str_add_json(struct str *t, const char *s, size_t n); /* quoted JSON string */
/* Quoted if needed. */
void str_add_csv(struct str *t, const char *s, size_t n, int spreadsheet_safe);
int str_same(const char *a, const char *b); /* NULL-safe equality */
/* Insertions, deletions, replacements and swaps of neighbours; ASCII case does not count. */
int str_edit_distance(const char *a, const char *b);
/* "1.4 GB", "12.3 s" */
void str_add_bytes(struct str *t, int64_t bytes);
void str_add_seconds(struct str *t, double s);
#endif
