/* file_wait.c - waiting for a pipe without missing a request to stop */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/file.h"

#define TICK_MS 50

tide_status file_wait(int fd, const char *path, struct tide_ctx *ctx, int64_t *ready,
                      tide_error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, TICK_MS), waiting = 0;
        if (ctx && ctx_cancelled(ctx)) return err_cancelled(err);
        if (n < 0 && errno != EINTR) return file_errno(err, path, errno);
        if (n <= 0) continue;
        /* At the end of a pipe 0 bytes wait and a read answers at once. */
        *ready = ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0 ? waiting
                 : p.revents & POLLHUP                             ? 1
                                                                   : INT_MAX;
        if (*ready == INT_MAX && ioctl(fd, FIONREAD, &waiting) == 0) *ready = 1;
        return TIDE_OK;
    }
}
