/* dynlib.c - dlopen and dlsym, nowhere else */
#include "base/dynlib.h"

#include <dlfcn.h>
#include <string.h>

void *dynlib_open(const char *const *names)
{
    void *lib = NULL;
    for (; !lib && *names; names++) lib = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    return lib;
}

int dynlib_function(void *lib, const char *name, void *out)
{
    void *found = dlsym(lib, name);
    memcpy(out, &found,
           sizeof found); /* C has no cast from data to function pointers */
    return found == NULL;
}
