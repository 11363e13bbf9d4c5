/* numparse.h - numbers from text and back, without a locale, exact to the last bit
 *
 * num_parse equals strtod on its grammar [+-]?(d+[.]?d*|[.]d+)([eE][+-]?d+)? bit for bit
 * (fast path, Eisel-Lemire 2021, big integers as the last resort). num_print writes the
 * shortest digits that read back equal (Raffaello Giulietti's Schubfach, 2021). */
#ifndef BASE_NUMPARSE_H
#define BASE_NUMPARSE_H
#include <stddef.h>
#include <stdint.h>

enum num_result {
    NUM_OK = 0,
    NUM_BAD,       /* not of the grammar */
    NUM_OVERFLOW,  /* finite text, infinite double; *out = +-HUGE_VAL */
    NUM_UNDERFLOW, /* non-zero text, *out = +-0 or denormal rounded to 0 */
    NUM_INEXACT_INT /* integer text beyond 2^53 that no double equals; *out is the nearest */
};
/* The whole of text[0..len) must match; no blanks. decimal: '.' or ','. */
enum num_result num_parse(const char *text, size_t len, char decimal, double *out);
/* The double nearest to w 10^q; 0 where that is left open, too large or too small. */
int num_round(uint64_t w, int q, double *out);
/* Decimal integer with optional sign; 1 when the whole text is one and fits in int64, else 0. */
int num_parse_i64(const char *text, size_t len, int64_t *out);
int num_parse_u64(const char *text, size_t len, uint64_t *out);
/* Shortest digits; NaN "nan", infinities "inf" "-inf", integers below 1e16 without exponent or
 * point, small exponents plain (0.0001), others 1e-05, 1e+22 as JSON takes. Returns length. */
#define NUM_PRINT_MAX 32
int num_print(char out[NUM_PRINT_MAX], double value);
/* `digits` (1 to 17) significant digits, correctly rounded, trailing zeros cut (like %.*g). */
int num_print_g(char out[NUM_PRINT_MAX], double value, int digits);
/* `decimals` (0 to 14) digits after the point, correctly rounded (like %.*f); from 1e15 on
 * the 17 digits of num_print_g. */
int num_print_f(char out[NUM_PRINT_MAX], double value, int decimals);
int num_print_i64(char out[NUM_PRINT_MAX], int64_t value);
#endif
