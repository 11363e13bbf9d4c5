/* slow_fsync.c - an fsync that takes a second and that no signal cuts short (tests/cancel.py)
 *
 * Loaded before the C library it stands in for a disk that is slow to sync. */
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int fsync(int fd)
{
    struct timespec left = {.tv_sec = 1};
    while (nanosleep(&left, &left) != 0) {
    }
    return fd < 0 ? -1 : 0;
}
