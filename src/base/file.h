/* file.h - the only door to the file system; where I/O faults are injected
 *
 * All calls go through one table of operations, so tests can make the k-th call fail with
 * EIO, ENOSPC, EINTR or a short count. Read and write loops survive EINTR and short counts. */
#ifndef BASE_FILE_H
#define BASE_FILE_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tidemill/status.h>

struct tide_ctx;
struct file_ops {
    int (*open)(const char *path, int flags, int mode);
    ssize_t (*read)(int fd, void *buf, size_t n);
    ssize_t (*pread)(int fd, void *buf, size_t n, int64_t offset);
    ssize_t (*write)(int fd, const void *buf, size_t n);
    int (*fsync)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*close)(int fd);
    int (*unlink)(const char *path);
    int (*ftruncate)(int fd, int64_t size);
};
/* Tests. kind: an errno to inject, or FILE_FAULT_SHORT (1-byte transfers), FILE_FAULT_EINTR
 * (one EINTR before success). k is 1-based; for_ever as in alloc.h; k = 0 disarms. */
enum { FILE_FAULT_SHORT = -1, FILE_FAULT_EINTR = -2 };
void file_fault_set(int64_t k, int for_ever, int kind);
int64_t file_fault_count(void);
int file_fault_hit(void);

/* Opens for reading; "-" is standard input (dup'ed). Checks: exists (hint: nearest name in
 * the folder), is no directory, can be read. size is -1 when not a regular file. */
tide_status file_open_read(const char *path, int *fd, int64_t *size, tide_error *err);
/* Reads up to n bytes (fewer only at the end). *got = bytes. */
tide_status file_read(int fd, const char *path, void *buf, size_t n, size_t *got,
                      tide_error *err);
tide_status file_pread(int fd, const char *path, void *buf, size_t n, int64_t offset,
                       size_t *got, tide_error *err);
/* Waits until a pipe, terminal or device can be read; *ready is at least 1, and that many
 * bytes are read without waiting (or the end is met). Polls ctx for cancel. */
tide_status file_wait(int fd, const char *path, struct tide_ctx *ctx, int64_t *ready,
                      tide_error *err);
void file_close(int fd); /* for reading: errors do not matter */
/* Whole file into a mem_alloc block, refusing more than max bytes (limit-metadata). */
tide_status file_slurp(const char *path, int64_t max, void **data, size_t *size,
                       tide_error *err);

/* Durable replacement: a 0600 temporary file in the target's folder, renamed over the target
 * at commit after fsync, then fsync of the folder. Abort removes it. Stale temporaries of
 * ours (dead pid in the name) beside the target are removed at begin. Mode of the result:
 * that of the old file, else 0640 & ~umask. */
struct file_out {
    int fd;
    int64_t written;
    char path[4096], temp[4128];
    int to_stdout; /* "-" */
    int is_special; /* target exists and is no regular file (/dev/null, FIFO): written directly */
    unsigned mode; /* of the result */
    int slot;      /* where file_abandon finds the temporary file; 0: nowhere */
};
tide_status file_replace_begin(struct file_out *out, const char *path, tide_error *err);
tide_status file_out_write(struct file_out *out, const void *data, size_t n,
                           tide_error *err);
tide_status file_replace_commit(struct file_out *out, struct tide_ctx *ctx,
                                tide_error *err);
void file_replace_abort(struct file_out *out); /* no-op when not begun or committed */
/* Removes the temporary files that are being written, for a program that ends at once: calls
 * nothing but unlink, so a signal handler may call it. Replacing goes wrong after it. */
void file_abandon(void);
/* Opens those of descriptors 0, 1, 2 that are closed on /dev/null, so that no data file lands
 * there. For a program's start. */
void file_open_standard(void);
/* Can `path` be written (folder exists and is writable, not a directory)? Before long work. */
tide_status file_check_writable(const char *path, tide_error *err);
/* A file with bytes to seek in: no pipe, device or folder? Follows links. */
int file_is_regular(const char *path);
/* Size, time of the last change and permission bits of a regular file; follows links. Non-zero
 * when there is none, and for names that /dev and /proc give to what is open. */
struct file_facts {
    int64_t size, mtime_ns;
    unsigned mode;
};
int file_facts(const char *path, struct file_facts *out);
/* Waits, for 20 ms at most, until a change of the file would give it another time: clocks of file
 * systems tick slower than programs run. */
void file_settle(const struct file_facts *facts);
/* Does anything stand at the path? */
int file_exists(const char *path);
/* Are both names the same file (device and inode)? */
int file_same(const char *a, const char *b);
/* err from errno for `path`: file-missing, file-access, ... */
tide_status file_errno(tide_error *err, const char *path, int error_number);
#endif
