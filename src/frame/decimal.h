/* decimal.h - unscaled integers of any size with a decimal scale, as the nearest double */
#ifndef FRAME_DECIMAL_H
#define FRAME_DECIMAL_H
#include <stdint.h>

/* v / 10^scale, correctly rounded; 0 <= scale <= 76. */
double decimal_i64(int64_t v, int scale);
/* A two's complement integer of n <= 32 bytes, big end first (big) or last. */
double decimal_bytes(const uint8_t *p, int n, int big, int scale);
#endif
