/* clock.h - monotonic time for progress and reports; never an input of a result */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include <stdint.h>
int64_t clock_ns(void);            /* CLOCK_MONOTONIC */
double clock_since(int64_t t0_ns); /* seconds */
int64_t clock_cpu_ns(void);        /* CPU time of the process */
#endif
