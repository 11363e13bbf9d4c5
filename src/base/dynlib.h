/* dynlib.h - libraries loaded when first needed, so that start and size do not pay for them */
#ifndef BASE_DYNLIB_H
#define BASE_DYNLIB_H

/* The first of the NULL-ended names that loads; stays loaded. NULL: none is there. */
void *dynlib_open(const char *const *names);
/* Copies the address of a function into *out (a pointer to it); non-zero: there is none. */
int dynlib_function(void *lib, const char *name, void *out);
#endif
