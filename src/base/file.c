/* file.c - reading, and durable replacement, through one table of operations
 *
 * An fsync error is final: the kernel may have dropped the dirty pages, so asking again
 * would lie. Temporary files carry the writer's pid and an exclusive flock; one whose
 * writer is dead (or is this process) and whose lock is free belongs to nobody. */
#define _GNU_SOURCE
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"

#define SETTLE_NS   20000000
#define SCAN_MAX    10000 /* names looked at in one folder */
#define TEMP_PREFIX ".tidemill-"
#define TEMP_SUFFIX ".tmp"
#define TEMP_TRIES  100
#define TEMPS_SHOWN 8
#define WRITE_MAX   ((size_t)1 << 30) /* one call; Linux stops at 2 GiB */

/* ---- the table, and faults before it ---- */

static int real_open(const char *path, int flags, int mode)
{
    return open(path, flags, mode);
}

static ssize_t real_pread(int fd, void *buf, size_t n, int64_t offset)
{
    return pread(fd, buf, n, (off_t)offset);
}

static int real_ftruncate(int fd, int64_t size)
{
    return ftruncate(fd, (off_t)size);
}

static const struct file_ops real = {
    .open = real_open,
    .read = read,
    .pread = real_pread,
    .write = write,
    .fsync = fsync,
    .rename = rename,
    .close = close,
    .unlink = unlink,
    .ftruncate = real_ftruncate,
};

static atomic_int fault_watched; /* has a test ever asked? */
static atomic_llong fault_at, fault_calls;
static atomic_int fault_for_ever, fault_kind, fault_injected, fault_interrupted;

void file_fault_set(int64_t k, int for_ever, int kind)
{
    atomic_store(&fault_at, 0);
    atomic_store(&fault_calls, 0);
    atomic_store(&fault_injected, 0);
    atomic_store(&fault_interrupted, 0);
    atomic_store(&fault_for_ever, for_ever);
    atomic_store(&fault_kind, kind);
    atomic_store(&fault_at, k);
    atomic_store(&fault_watched, 1);
}

int64_t file_fault_count(void)
{
    return atomic_load(&fault_calls);
}

int file_fault_hit(void)
{
    return atomic_load(&fault_injected);
}

/* Counts a call. 0 to go on, -1 with errno set to fail it; *short_n is set to ask for a
 * transfer of one byte. */
static int fault_next(int *short_n)
{
    *short_n = 0;
    if (!atomic_load_explicit(&fault_watched, memory_order_relaxed)) return 0;
    if (atomic_exchange(&fault_interrupted, 0)) return 0; /* the call after an EINTR */
    long long call = atomic_fetch_add(&fault_calls, 1) + 1;
    long long at = atomic_load(&fault_at);
    if (at <= 0 || call < at || (call > at && !atomic_load(&fault_for_ever))) return 0;
    atomic_store(&fault_injected, 1);
    int kind = atomic_load(&fault_kind);
    if (kind == FILE_FAULT_SHORT) {
        *short_n = 1;
        return 0;
    }
    if (kind == FILE_FAULT_EINTR) atomic_store(&fault_interrupted, 1);
    errno = kind == FILE_FAULT_EINTR ? EINTR : kind;
    return -1;
}

static int op_open(const char *path, int flags, int mode)
{
    int fd, short_n;
    do {
        fd = fault_next(&short_n) ? -1
                                  : real.open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static ssize_t op_read(int fd, void *buf, size_t n)
{
    ssize_t got;
    int short_n;
    do {
        got = fault_next(&short_n) ? -1 : real.read(fd, buf, short_n && n ? 1 : n);
    } while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t op_pread(int fd, void *buf, size_t n, int64_t offset)
{
    ssize_t got;
    int short_n;
    do {
        got = fault_next(&short_n) ? -1
                                   : real.pread(fd, buf, short_n && n ? 1 : n, offset);
    } while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t op_write(int fd, const void *buf, size_t n)
{
    ssize_t put;
    int short_n;
    do {
        put = fault_next(&short_n) ? -1 : real.write(fd, buf, short_n && n ? 1 : n);
    } while (put < 0 && errno == EINTR);
    return put;
}

static int op_fsync(int fd)
{
    int r, short_n;
    do {
        r = fault_next(&short_n) ? -1 : real.fsync(fd);
    } while (r < 0 && errno == EINTR);
    return r;
}

static int op_rename(const char *from, const char *to)
{
    int r, short_n;
    do {
        r = fault_next(&short_n) ? -1 : real.rename(from, to);
    } while (r < 0 && errno == EINTR);
    return r;
}

static int op_unlink(const char *path)
{
    int r, short_n;
    do {
        r = fault_next(&short_n) ? -1 : real.unlink(path);
    } while (r < 0 && errno == EINTR);
    return r;
}

/* Never again: after an error, EINTR included, Linux has released the number. */
static int op_close(int fd)
{
    int short_n, fault = fault_next(&short_n), number = errno;
    int r = real.close(fd);
    atomic_store(&fault_interrupted, 0);
    if (fault) {
        errno = number;
        r = -1;
    }
    return r < 0 && errno != EINTR ? -1 : 0;
}

/* ---- errors ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The folder part of `path`: "." when there is none. 0 when it fits. */
static int folder_of(const char *path, char *out, size_t size)
{
    const char *name = base_name(path);
    size_t n = (size_t)(name - path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (n >= size || size < 2) return -1;
    memcpy(out, n ? path : ".", n ? n : 1);
    out[n ? n : 1] = 0;
    return 0;
}

/* Puts the nearest file name of the folder into best; 0 when there is one. Ties go to the
 * earlier in byte order, whatever the order of the folder. */
static int nearest_file(const char *folder, const char *name, char *best, size_t size)
{
    DIR *dir = opendir(folder);
    if (!dir) return -1;
    best[0] = 0;
    const struct dirent *e;
    for (int i = 0; i < SCAN_MAX && (e = readdir(dir)); i++) {
        size_t n = strlen(e->d_name);
        if (e->d_name[0] == '.' || n >= size) continue;
        const char *two[2] = {best, e->d_name};
        if (!best[0]) two[0] = e->d_name;
        if (best[0] && strcmp(e->d_name, best) < 0) {
            two[0] = e->d_name;
            two[1] = best;
        }
        const char *near = err_nearest(name, two, best[0] ? 2 : 1);
        if (near == e->d_name) memcpy(best, e->d_name, n + 1);
    }
    closedir(dir);
    return best[0] ? 0 : -1;
}

static tide_status file_missing(tide_error *err, const char *path)
{
    char folder[PATH_MAX], best[NAME_MAX + 1], shown[NAME_MAX * 4 + 4];
    struct stat st;
    int whole = folder_of(path, folder, sizeof folder) == 0;
    if (whole && strchr(path, '/') &&
        (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))) {
        err_quote(shown, sizeof shown, folder, strlen(folder), 200);
        err_set(err, TIDE_CODE_FILE_MISSING, "there is no folder '%s'", shown);
        return err_at(err, path, 0, 0);
    }
    err_set(err, TIDE_CODE_FILE_MISSING, "no such file");
    err_at(err, path, 0, 0);
    if (err && whole && *base_name(path) &&
        nearest_file(folder, base_name(path), best, sizeof best) == 0) {
        err_quote(shown, sizeof shown, best, strlen(best), 120);
        err_hint(err, "", "did you mean '%s'", shown);
    }
    return TIDE_EFILE;
}

tide_status file_errno(tide_error *err, const char *path, int error_number)
{
    tide_code code = TIDE_CODE_FILE_ERROR;
    const char *text = NULL;
    switch (error_number) {
    case ENOENT:
    case ENOTDIR:
        return file_missing(err, path);
    case EISDIR:
        code = TIDE_CODE_FILE_IS_DIRECTORY;
        text = "is a directory";
        break;
    case EACCES:
    case EPERM:
        code = TIDE_CODE_FILE_ACCESS;
        text = "access is denied";
        break;
    case EROFS:
        code = TIDE_CODE_FILE_ACCESS;
        text = "the file system is read-only";
        break;
    case ENOSPC:
        code = TIDE_CODE_FILE_NO_SPACE;
        text = "no space left";
        break;
    case EDQUOT:
        code = TIDE_CODE_FILE_NO_SPACE;
        text = "the disk quota is used up";
        break;
    case EFBIG:
    case EOVERFLOW:
        code = TIDE_CODE_FILE_TOO_LARGE;
        text = "the file is larger than allowed here";
        break;
    case ENAMETOOLONG:
        code = TIDE_CODE_FILE_NAME;
        text = "the file name is too long";
        break;
    case ELOOP:
        code = TIDE_CODE_FILE_NAME;
        text = "symbolic links lead in a circle";
        break;
    case EILSEQ:
        code = TIDE_CODE_FILE_NAME;
        text = "the file system cannot store this name";
        break;
    case EMFILE:
    case ENFILE:
        code = TIDE_CODE_LIMIT_FILES;
        text = "too many open files";
        break;
    case ENOMEM:
        return err_nomem(err, 0);
    default:
        break;
    }
    if (text)
        err_set(err, code, "%s", text);
    else
        err_set(err, code, "input or output error (errno %d)", error_number);
    return err_at(err, path, 0, 0);
}

/* ---- reading ---- */

tide_status file_open_read(const char *path, int *fd, int64_t *size, tide_error *err)
{
    struct stat st;
    *fd = -1;
    if (size) *size = -1;
    int opened = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                        : op_open(path, O_RDONLY, 0);
    if (opened < 0) {
        int number = *path ? errno : 0;
        if (*path) return file_errno(err, path, number);
        return err_set(err, TIDE_CODE_FILE_NAME, "the file name is empty");
    }
    if (fstat(opened, &st) != 0 || S_ISDIR(st.st_mode)) {
        int number = S_ISDIR(st.st_mode) ? EISDIR : errno;
        op_close(opened);
        return file_errno(err, path, number);
    }
    if (size && S_ISREG(st.st_mode)) *size = (int64_t)st.st_size;
    *fd = opened;
    return TIDE_OK;
}

tide_status file_read(int fd, const char *path, void *buf, size_t n, size_t *got,
                      tide_error *err)
{
    *got = 0;
    while (*got < n) {
        size_t want = n - *got < WRITE_MAX ? n - *got : WRITE_MAX;
        ssize_t r = op_read(fd, (char *)buf + *got, want);
        if (r < 0) return file_errno(err, path, errno);
        if (r == 0) break;
        *got += (size_t)r;
    }
    return TIDE_OK;
}

tide_status file_pread(int fd, const char *path, void *buf, size_t n, int64_t offset,
                       size_t *got, tide_error *err)
{
    *got = 0;
    while (*got < n) {
        size_t want = n - *got < WRITE_MAX ? n - *got : WRITE_MAX;
        ssize_t r = op_pread(fd, (char *)buf + *got, want, offset + (int64_t)*got);
        if (r < 0) return file_errno(err, path, errno);
        if (r == 0) break;
        *got += (size_t)r;
    }
    return TIDE_OK;
}

void file_close(int fd)
{
    if (fd >= 0) (void)op_close(fd);
}

static tide_status slurp_too_big(const char *path, int64_t max, tide_error *err)
{
    err_set(err, TIDE_CODE_LIMIT_METADATA, "the file has more than %lld bytes",
            (long long)max);
    return err_at(err, path, 0, 0);
}

tide_status file_slurp(const char *path, int64_t max, void **data, size_t *size,
                       tide_error *err)
{
    int fd;
    int64_t known;
    char *buf = NULL;
    size_t n = 0, got;
    *data = NULL;
    *size = 0;
    tide_status st = file_open_read(path, &fd, &known, err);
    if (st != TIDE_OK) return st;
    if (known > max) {
        st = slurp_too_big(path, max, err);
        goto done;
    }
    size_t cap = known > 0 ? (size_t)known + 1 : (size_t)64 << 10;
    for (;;) {
        char *more = mem_realloc(buf, cap + 1); /* and a terminator */
        if (!more) {
            st = err_nomem(err, cap + 1);
            goto done;
        }
        buf = more;
        st = file_read(fd, path, buf + n, cap - n, &got, err);
        if (st != TIDE_OK) goto done;
        n += got;
        if ((int64_t)n > max) {
            st = slurp_too_big(path, max, err);
            goto done;
        }
        if (n < cap) break;
        cap = cap <= SIZE_MAX / 4 ? cap * 2 : cap + 4096;
    }
    buf[n] = 0;
    *data = buf;
    *size = n;
    buf = NULL;
done:
    mem_free(buf);
    file_close(fd);
    return st;
}

/* ---- durable replacement ---- */

static uint64_t random_word(void)
{
    uint64_t w = 0;
    struct timespec t;
    if (getrandom(&w, sizeof w, GRND_NONBLOCK) == (ssize_t)sizeof w) return w;
    clock_gettime(CLOCK_MONOTONIC, &t); /* a number that differs is enough: O_EXCL */
    return (uint64_t)t.tv_nsec * 0x9e3779b97f4a7c15u + (uint64_t)t.tv_sec;
}

/* The pid in a name of ours, or 0 when it is none. */
static long temp_pid(const char *name)
{
    size_t n = strlen(name), before = sizeof TEMP_PREFIX - 1,
           after = sizeof TEMP_SUFFIX - 1;
    if (n < before + after + 3 || memcmp(name, TEMP_PREFIX, before) != 0 ||
        memcmp(name + n - after, TEMP_SUFFIX, after) != 0)
        return 0;
    long pid = 0;
    const char *p = name + before;
    while (*p >= '0' && *p <= '9' && pid < INT_MAX / 10) pid = pid * 10 + (*p++ - '0');
    return *p == '-' ? pid : 0;
}

/* Nobody writes to it: the writer is gone, or is this process, and the lock is free. */
static int temp_is_stale(const char *path, long pid)
{
    struct stat st;
    if (pid != (long)getpid() && (kill((pid_t)pid, 0) == 0 || errno != ESRCH)) return 0;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    int stale =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (stale) (void)op_unlink(path); /* while locked, so that its maker would notice */
    close(fd);
    return stale;
}

static void remove_stale(const char *folder)
{
    char path[PATH_MAX + NAME_MAX + 2];
    DIR *dir = opendir(folder);
    if (!dir) return;
    const struct dirent *e;
    for (int i = 0; i < SCAN_MAX && (e = readdir(dir)); i++) {
        long pid = temp_pid(e->d_name);
        if (pid <= 0) continue;
        str_format(path, sizeof path, "%s/%s", folder, e->d_name);
        (void)temp_is_stale(path, pid);
    }
    closedir(dir);
}

/* Names of temporary files that are being written, for file_abandon: in memory of their own, as
 * a signal comes at any time. Where more are open than fit, the next begin in their folder
 * removes what is left. */
enum { SLOT_FREE, SLOT_TAKEN, SLOT_SHOWN };
static struct {
    atomic_int state;
    char path[sizeof((struct file_out *)0)->temp];
} temps[TEMPS_SHOWN];

static void temp_show(struct file_out *out)
{
    for (int k = 0; k < TEMPS_SHOWN && !out->slot; k++) {
        int was = SLOT_FREE;
        if (!atomic_compare_exchange_strong(&temps[k].state, &was, SLOT_TAKEN))
            continue;
        memcpy(temps[k].path, out->temp, sizeof temps[k].path);
        atomic_store(&temps[k].state, SLOT_SHOWN);
        out->slot = k + 1;
    }
}

/* The name is nobody's any more. */
static void temp_forget(struct file_out *out)
{
    if (out->slot) atomic_store(&temps[out->slot - 1].state, SLOT_FREE);
    out->slot = 0;
    out->temp[0] = 0;
}

void file_abandon(void)
{
    for (int k = 0; k < TEMPS_SHOWN; k++)
        if (atomic_load(&temps[k].state) == SLOT_SHOWN) (void)unlink(temps[k].path);
}

/* Makes and locks the temporary file; what umask leaves of 0640 goes to out->mode. */
static tide_status temp_make(struct file_out *out, const char *folder, tide_error *err)
{
    struct stat st;
    for (int i = 0; i < TEMP_TRIES; i++) {
        int n = str_format(out->temp, sizeof out->temp, "%s/%s%ld-%016llx%s", folder,
                           TEMP_PREFIX, (long)getpid(),
                           (unsigned long long)random_word(), TEMP_SUFFIX);
        if (n < 0 || (size_t)n >= sizeof out->temp) {
            out->temp[0] = 0;
            return file_errno(err, out->path, ENAMETOOLONG);
        }
        temp_show(out); /* before the file is there: no moment is without its name */
        out->fd = op_open(out->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);
        int number = errno;
        if (out->fd < 0) temp_forget(out);
        if (out->fd < 0 && number == EEXIST) continue;
        if (out->fd < 0) return file_errno(err, out->path, number);
        int busy = flock(out->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (!busy && fstat(out->fd, &st) == 0 && st.st_nlink > 0) {
            out->mode = (unsigned)st.st_mode & 0777;
            if (fchmod(out->fd, 0600) != 0) { /* some file systems have no modes */
            }
            return TIDE_OK;
        }
        op_close(out->fd); /* taken for stale by another process: a new name */
        (void)op_unlink(out->temp);
        temp_forget(out);
    }
    out->fd = -1;
    return file_errno(err, out->path, EEXIST);
}

static int is_under(const char *path, const char *folder)
{
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int is_place_of_devices(const char *path)
{
    return is_under(path, "/proc/") ||
           (is_under(path, "/dev/") && !is_under(path, "/dev/shm/"));
}

static int is_stdout(const char *path)
{
    return str_same(path, "-") || str_same(path, "/dev/stdout") ||
           str_same(path, "/dev/fd/1") || str_same(path, "/proc/self/fd/1");
}

/* Looks at what stands at `path`: special, a directory, a regular file's mode (or -1). */
static tide_status target_look(const char *path, int *special, int *mode,
                               tide_error *err)
{
    struct stat st;
    *special = 0;
    *mode = -1;
    if (!*path) return err_set(err, TIDE_CODE_FILE_NAME, "the file name is empty");
    if (strlen(path) >= sizeof((struct file_out *)0)->path)
        return file_errno(err, path, ENAMETOOLONG);
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && path[strlen(path) - 1] != '/') return TIDE_OK;
        return file_errno(err, path, errno == ENOENT ? EISDIR : errno);
    }
    if (S_ISDIR(st.st_mode)) return file_errno(err, path, EISDIR);
    *special = !S_ISREG(st.st_mode) || is_place_of_devices(path);
    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) *mode = (int)(st.st_mode & 0777);
    return TIDE_OK;
}

static tide_status replace_begin(struct file_out *out, const char *path,
                                 tide_error *err)
{
    char folder[PATH_MAX];
    int mode;
    tide_status st = target_look(path, &out->is_special, &mode, err);
    if (st != TIDE_OK) return st;
    memcpy(out->path, path, strlen(path) + 1);
    if (out->is_special) {
        out->fd = op_open(path, O_WRONLY, 0);
        return out->fd < 0 ? file_errno(err, path, errno) : TIDE_OK;
    }
    if (folder_of(path, folder, sizeof folder))
        return file_errno(err, path, ENAMETOOLONG);
    remove_stale(folder);
    st = temp_make(out, folder, err);
    if (st == TIDE_OK && mode >= 0) out->mode = (unsigned)mode;
    return st;
}

tide_status file_replace_begin(struct file_out *out, const char *path, tide_error *err)
{
    memset(out, 0, sizeof *out);
    out->fd = -1;
    if (is_stdout(path)) {
        out->to_stdout = 1;
        out->fd = STDOUT_FILENO;
        out->path[0] = '-';
        return TIDE_OK;
    }
    tide_status st = replace_begin(out, path, err);
    if (st != TIDE_OK) out->path[0] = 0; /* not begun */
    return st;
}

tide_status file_out_write(struct file_out *out, const void *data, size_t n,
                           tide_error *err)
{
    const char *p = data;
    while (n) {
        ssize_t put = op_write(out->fd, p, n < WRITE_MAX ? n : WRITE_MAX);
        if (put < 0) {
            int number = errno;
            struct statvfs fs;
            tide_status st = file_errno(err, out->path, number);
            if (number == ENOSPC && fstatvfs(out->fd, &fs) == 0) {
                err_set(err, TIDE_CODE_FILE_NO_SPACE,
                        "no space left: %llu bytes more are needed and %llu are free",
                        (unsigned long long)n,
                        (unsigned long long)fs.f_bavail * fs.f_frsize);
                err_at(err, out->path, 0, 0);
            }
            return st;
        }
        p += put;
        n -= (size_t)put;
        out->written += (int64_t)put;
    }
    return TIDE_OK;
}

/* After the rename: 0, or the errno of an error that matters. *refused: the file system
 * does not sync folders, or this folder cannot be opened for it. */
static int folder_sync(const char *folder, int *refused)
{
    int fd = op_open(folder, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        *refused = errno == EACCES || errno == EPERM;
        return *refused ? 0 : errno;
    }
    int number = op_fsync(fd) ? errno : 0;
    *refused = number == EINVAL || number == EBADF || number == ENOTSUP;
    (void)op_close(fd);
    return *refused ? 0 : number;
}

static void warn_unsynced(struct tide_ctx *ctx, const char *path, const char *folder)
{
    tide_error w;
    char shown[256];
    err_quote(shown, sizeof shown, folder, strlen(folder), 200);
    err_set(
        &w, TIDE_CODE_FILE_ERROR,
        "the file is written, but the folder '%s' cannot be synced: after a power cut "
        "the old file may be back",
        shown);
    err_at(&w, path, 0, 0);
    ctx_warn(ctx, &w);
}

static tide_status replace_commit(struct file_out *out, struct tide_ctx *ctx,
                                  tide_error *err)
{
    char folder[PATH_MAX];
    if (fchmod(out->fd, (mode_t)out->mode) !=
        0) { /* 0600 then: never wider than asked */
    }
    if (op_fsync(out->fd) != 0) return file_errno(err, out->path, errno);
    int closed = op_close(out->fd), number = errno;
    out->fd = -1;
    if (closed != 0) return file_errno(err, out->path, number);
    if (op_rename(out->temp, out->path) != 0) return file_errno(err, out->path, errno);
    temp_forget(out);
    if (folder_of(out->path, folder, sizeof folder)) return TIDE_OK;
    int refused = 0;
    number = folder_sync(folder, &refused);
    if (refused) warn_unsynced(ctx, out->path, folder);
    return number ? file_errno(err, out->path, number) : TIDE_OK;
}

tide_status file_replace_commit(struct file_out *out, struct tide_ctx *ctx,
                                tide_error *err)
{
    tide_status st = TIDE_OK;
    if (!out->path[0])
        return err_set(err, TIDE_CODE_INTERNAL, "commit of a file that was not begun");
    if (out->is_special) {
        if (op_close(out->fd) != 0) st = file_errno(err, out->path, errno);
        out->fd = -1;
    } else if (!out->to_stdout) {
        st = replace_commit(out, ctx, err);
    }
    file_replace_abort(out); /* after success there is nothing left to remove */
    return st;
}

void file_replace_abort(struct file_out *out)
{
    if (!out || !out->path[0]) return;
    if (out->fd >= 0 && !out->to_stdout) (void)op_close(out->fd);
    if (out->temp[0]) (void)op_unlink(out->temp);
    temp_forget(out);
    out->fd = -1;
    out->path[0] = 0;
}

void file_open_standard(void)
{
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        int got = open("/dev/null", fd ? O_WRONLY : O_RDONLY); /* the lowest free: fd */
        if (got >= 0 && got != fd) (void)close(got);
    }
}

tide_status file_check_writable(const char *path, tide_error *err)
{
    char folder[PATH_MAX];
    struct stat fs;
    int special, mode;
    if (is_stdout(path)) return TIDE_OK;
    tide_status st = target_look(path, &special, &mode, err);
    if (st != TIDE_OK) return st;
    if (special) return access(path, W_OK) ? file_errno(err, path, errno) : TIDE_OK;
    if (folder_of(path, folder, sizeof folder))
        return file_errno(err, path, ENAMETOOLONG);
    if (stat(folder, &fs) != 0) return file_errno(err, path, errno);
    if (access(folder, W_OK | X_OK) != 0) {
        int number = errno;
        st = file_errno(err, path, number);
        if (number == EACCES) {
            err_set(err, TIDE_CODE_FILE_ACCESS, "the folder cannot be written to");
            err_at(err, path, 0, 0);
        }
    }
    return st;
}

int file_is_regular(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

int file_facts(const char *path, struct file_facts *out)
{
    struct stat s;
    *out = (struct file_facts){0};
    if (is_place_of_devices(path) || stat(path, &s) != 0 || !S_ISREG(s.st_mode))
        return -1;
    out->size = (int64_t)s.st_size;
    out->mtime_ns = (int64_t)s.st_mtim.tv_sec * 1000000000 + s.st_mtim.tv_nsec;
    out->mode = (unsigned)s.st_mode & 0777;
    return 0;
}

void file_settle(const struct file_facts *facts)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return;
    int64_t since = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - facts->mtime_ns;
    if (since < 0 || since >= SETTLE_NS) return;
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)(SETTLE_NS - since)}, NULL);
}

int file_exists(const char *path)
{
    struct stat s;
    return lstat(path, &s) == 0;
}

int file_same(const char *a, const char *b)
{
    struct stat sa, sb;
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}
