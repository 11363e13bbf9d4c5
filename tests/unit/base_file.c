/* base_file.c - reading, error codes and hints, durable replacement under every fault */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/file.h"
#include "support/unit.h"

static char folder[64];

/* A new empty folder; all names below are in it. */
static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/tidemill-file-XXXXXX");
    if (!mkdtemp(folder)) UNIT_FAIL("no folder");
}

static const char *in_folder(const char *name)
{
    static char path[4][5000];
    static int next;
    char *p = path[next++ & 3];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

/* Files in the folder that are not `but` (NULL: all). */
static int files_but(const char *but)
{
    int n = 0;
    DIR *dir = opendir(folder);
    const struct dirent *e;
    while ((e = readdir(dir)))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             (!but || strcmp(e->d_name, but) != 0);
    closedir(dir);
    return n;
}

static void remove_folder(void)
{
    DIR *dir = opendir(folder);
    const struct dirent *e;
    while ((e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (unlink(in_folder(e->d_name)) != 0) rmdir(in_folder(e->d_name));
    }
    closedir(dir);
    CHECK_INT(rmdir(folder), 0);
}

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) != -1;
    return n;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    fwrite(text, 1, strlen(text), f);
    fclose(f);
}

static int holds(const char *path, const char *text)
{
    void *data;
    size_t n;
    if (file_slurp(path, 1 << 20, &data, &n, NULL) != TIDE_OK) return 0;
    int same = n == strlen(text) && memcmp(data, text, n) == 0;
    mem_free(data);
    return same;
}

static tide_status replace(struct tide_ctx *ctx, const char *path, const char *text,
                           tide_error *err)
{
    struct file_out out;
    size_t n = strlen(text), half = n / 2;
    tide_status st = file_replace_begin(&out, path, err);
    if (st == TIDE_OK) st = file_out_write(&out, text, half, err);
    if (st == TIDE_OK) st = file_out_write(&out, text + half, n - half, err);
    if (st == TIDE_OK) st = file_replace_commit(&out, ctx, err);
    file_replace_abort(&out);
    file_replace_abort(&out);
    return st;
}

/* ---- reading ---- */

TEST(file_reads_what_is_there)
{
    make_folder();
    const char *path = in_folder("a.csv");
    int fd;
    int64_t size;
    size_t got;
    char buf[100];
    put(path, "0123456789");
    CHECK_INT(file_open_read(path, &fd, &size, NULL), TIDE_OK);
    CHECK_INT(size, 10);
    CHECK_INT(file_read(fd, path, buf, 4, &got, NULL), TIDE_OK);
    CHECK_INT(got, 4);
    CHECK_INT(file_read(fd, path, buf + 4, 50, &got, NULL), TIDE_OK);
    CHECK_INT(got, 6);
    CHECK(memcmp(buf, "0123456789", 10) == 0);
    CHECK_INT(file_pread(fd, path, buf, 50, 7, &got, NULL), TIDE_OK);
    CHECK_INT(got, 3);
    CHECK(memcmp(buf, "789", 3) == 0);
    file_close(fd);
    file_close(-1);
    CHECK(file_same(path, path));
    CHECK(!file_same(path, in_folder("none")));
    CHECK_INT(link(path, in_folder("b.csv")), 0);
    CHECK(file_same(path, in_folder("b.csv")));
    remove_folder();
}

TEST(file_slurp_is_limited_and_terminated)
{
    make_folder();
    const char *path = in_folder("a");
    void *data;
    size_t n;
    tide_error err;
    put(path, "0123456789");
    CHECK_INT(file_slurp(path, 10, &data, &n, NULL), TIDE_OK);
    CHECK_INT(n, 10);
    CHECK_STR(data, "0123456789");
    mem_free(data);
    CHECK_INT(file_slurp(path, 9, &data, &n, &err), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_METADATA);
    CHECK(data == NULL);
    CHECK_INT(file_slurp("/dev/zero", 100000, &data, &n, &err), TIDE_ELIMIT);
    CHECK_INT(file_slurp("/proc/self/status", 1 << 20, &data, &n, NULL), TIDE_OK);
    CHECK(n > 100);
    mem_free(data);
    put(path, "");
    CHECK_INT(file_slurp(path, 10, &data, &n, NULL), TIDE_OK);
    CHECK_INT(n, 0);
    mem_free(data);
    remove_folder();
}

TEST(file_missing_names_the_nearest_file)
{
    make_folder();
    int fd;
    tide_error err;
    put(in_folder("train.csv"), "x");
    put(in_folder("test.csv"), "x");
    CHECK_INT(file_open_read(in_folder("trian.csv"), &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
    CHECK_INT(fd, -1);
    CHECK_STR(err.value, "did you mean 'train.csv'");
    CHECK(strstr(err.file, "/trian.csv") != NULL);
    CHECK_INT(file_open_read(in_folder("quite-other"), &fd, NULL, &err), TIDE_EFILE);
    CHECK_STR(err.value, "");
    CHECK_INT(file_open_read(in_folder("no/x"), &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
    CHECK(strstr(err.message, "there is no folder '") != NULL);
    CHECK_INT(file_open_read(in_folder("test.csv/x"), &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
    remove_folder();
}

TEST(file_errors_have_their_codes)
{
    make_folder();
    int fd;
    tide_error err;
    char name[6000];
    CHECK_INT(file_open_read(folder, &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_IS_DIRECTORY);
    CHECK_INT(file_open_read("", &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_NAME);
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    CHECK_INT(file_open_read(name, &fd, NULL, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_NAME);
    CHECK_INT(file_check_writable(name, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_NAME);
    static const struct {
        int number;
        tide_code code;
    } map[] = {{EMFILE, TIDE_CODE_LIMIT_FILES},     {ENFILE, TIDE_CODE_LIMIT_FILES},
               {EFBIG, TIDE_CODE_FILE_TOO_LARGE},   {ENOSPC, TIDE_CODE_FILE_NO_SPACE},
               {EDQUOT, TIDE_CODE_FILE_NO_SPACE},   {EACCES, TIDE_CODE_FILE_ACCESS},
               {EROFS, TIDE_CODE_FILE_ACCESS},      {EIO, TIDE_CODE_FILE_ERROR},
               {ENAMETOOLONG, TIDE_CODE_FILE_NAME}, {ENOMEM, TIDE_CODE_MEMORY}};
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        tide_status st = file_errno(&err, "x.csv", map[i].number);
        CHECK_INT(err.code, map[i].code);
        CHECK_INT(st, tide_code_status(map[i].code));
    }
    CHECK_INT(file_errno(NULL, "x.csv", ENOENT), TIDE_EFILE);
    remove_folder();
}

/* ---- replacement ---- */

TEST(file_replace_makes_and_replaces_with_the_right_mode)
{
    make_folder();
    const char *path = in_folder("model");
    struct stat st;
    mode_t mask = umask(0);
    CHECK_INT(replace(NULL, path, "one", NULL), TIDE_OK);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0640);
    umask(077);
    unlink(path);
    CHECK_INT(replace(NULL, path, "one", NULL), TIDE_OK);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK_INT(chmod(path, 0664), 0);
    CHECK_INT(replace(NULL, path, "two", NULL), TIDE_OK);
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0664);
    umask(mask);
    CHECK(holds(path, "two"));
    CHECK_INT(files_but("model"), 0);
    remove_folder();
}

TEST(file_replace_shows_nothing_before_the_commit)
{
    make_folder();
    const char *path = in_folder("model");
    struct file_out out;
    struct stat st;
    put(path, "old");
    CHECK_INT(file_replace_begin(&out, path, NULL), TIDE_OK);
    CHECK_INT(file_out_write(&out, "new", 3, NULL), TIDE_OK);
    CHECK_INT(fstat(out.fd, &st), 0);
    CHECK_INT(st.st_mode & 07777, 0600);
    CHECK(holds(path, "old"));
    CHECK_INT(files_but("model"), 1);
    file_replace_abort(&out);
    CHECK(holds(path, "old"));
    CHECK_INT(files_but("model"), 0);
    memset(&out, 0, sizeof out);
    file_replace_abort(&out); /* never begun */
    CHECK(fcntl(0, F_GETFD) != -1 || errno == EBADF);
    remove_folder();
}

TEST(file_replace_keeps_the_old_or_gives_the_new_under_every_fault)
{
    static const int kinds[] = {EIO, ENOSPC, FILE_FAULT_EINTR, FILE_FAULT_SHORT};
    make_folder();
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    const char *path = in_folder("model");
    int before = open_files();
    int64_t live = alloc_live();
    for (int v = 0; v < 8; v++) {
        int kind = kinds[v / 2], for_ever = v % 2, k, passed_over = 0;
        for (k = 1; k < 100; k++) {
            tide_error err;
            put(path, "old content");
            file_fault_set(k, for_ever, kind);
            tide_status st = replace(ctx, path, "the new content", &err);
            int hit = file_fault_hit();
            file_fault_set(0, 0, 0);
            if (kind < 0 || !hit) {
                CHECK_INT(st, TIDE_OK);
            } else if (st == TIDE_OK) {
                passed_over++; /* closing the folder, when all is safe */
            } else {
                CHECK_INT(st, TIDE_EFILE);
                CHECK_INT(err.code,
                          kind == EIO ? TIDE_CODE_FILE_ERROR : TIDE_CODE_FILE_NO_SPACE);
                CHECK_STR(err.file, path);
            }
            int is_new = holds(path, "the new content");
            CHECK(is_new || holds(path, "old content"));
            CHECK(is_new || st != TIDE_OK);
            if (!for_ever) CHECK_INT(files_but("model"), 0);
            /* the next save works and clears up what a dead disk left behind */
            CHECK_INT(replace(ctx, path, "the new content", NULL), TIDE_OK);
            CHECK(holds(path, "the new content"));
            CHECK_INT(files_but("model"), 0);
            CHECK_INT(open_files(), before);
            if (!hit) break;
        }
        CHECK(k > 8 && k < 100);
        CHECK_INT(passed_over, kind > 0);
    }
    CHECK_INT(alloc_live(), live);
    tide_ctx_free(ctx);
    remove_folder();
}

TEST(file_reading_survives_interruptions_and_reports_errors)
{
    static const int kinds[] = {EIO, FILE_FAULT_EINTR, FILE_FAULT_SHORT};
    make_folder();
    const char *path = in_folder("a");
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    put(path, text);
    int before = open_files();
    for (int v = 0; v < 6; v++) {
        int kind = kinds[v / 2], for_ever = v % 2;
        for (int k = 1; k < 20; k++) {
            void *data;
            size_t n;
            tide_error err;
            file_fault_set(k, for_ever, kind);
            tide_status st = file_slurp(path, 1 << 20, &data, &n, &err);
            int hit = file_fault_hit();
            file_fault_set(0, 0, 0);
            if (st == TIDE_OK) {
                CHECK_INT(n, sizeof text - 1);
                CHECK(memcmp(data, text, n) == 0);
                mem_free(data);
                CHECK(kind < 0 || k >= 3 || !hit); /* closing after reading may fail */
            } else {
                CHECK(kind == EIO);
                CHECK_INT(err.code, TIDE_CODE_FILE_ERROR);
            }
            CHECK_INT(open_files(), before);
            if (!hit) break;
        }
    }
    remove_folder();
}

TEST(file_slurp_survives_every_failing_allocation)
{
    make_folder();
    const char *path = in_folder("a");
    put(path, "0123456789");
    int64_t live = alloc_live();
    for (int k = 1; k < 10; k++) {
        void *data;
        size_t n;
        alloc_fault_set(k, 0);
        tide_status st = file_slurp(path, 100, &data, &n, NULL);
        int hit = alloc_fault_hit();
        alloc_fault_set(0, 0);
        CHECK_INT(st, hit ? TIDE_ENOMEM : TIDE_OK);
        mem_free(data);
        CHECK_INT(alloc_live(), live);
        if (!hit) break;
    }
    remove_folder();
}

TEST(file_replace_replaces_a_link_and_writes_through_to_devices)
{
    make_folder();
    const char *path = in_folder("link");
    struct stat st;
    put(in_folder("target"), "kept");
    CHECK_INT(symlink("target", path), 0);
    CHECK_INT(replace(NULL, path, "new", NULL), TIDE_OK);
    CHECK(lstat(path, &st) == 0 && S_ISREG(st.st_mode));
    CHECK(holds(in_folder("target"), "kept"));
    CHECK(holds(path, "new"));
    CHECK_INT(replace(NULL, "/dev/null", "gone", NULL), TIDE_OK);
    CHECK(lstat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    CHECK_INT(mkfifo(in_folder("pipe"), 0600), 0);
    int fd = open(in_folder("pipe"), O_RDONLY | O_NONBLOCK);
    char buf[10] = {0};
    CHECK_INT(replace(NULL, in_folder("pipe"), "hello", NULL), TIDE_OK);
    CHECK_INT(read(fd, buf, 9), 5);
    CHECK_STR(buf, "hello");
    close(fd);
    remove_folder();
}

TEST(file_replace_says_before_the_work_what_cannot_be)
{
    make_folder();
    tide_error err;
    struct file_out out;
    CHECK_INT(file_check_writable(in_folder("x"), &err), TIDE_OK);
    CHECK_INT(file_check_writable("-", &err), TIDE_OK);
    CHECK_INT(file_check_writable("/dev/null", &err), TIDE_OK);
    CHECK_INT(file_check_writable(in_folder("no/x"), &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
    CHECK_INT(file_check_writable(folder, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_IS_DIRECTORY);
    CHECK_INT(file_check_writable(in_folder("x/"), &err), TIDE_EFILE);
    CHECK_INT(file_check_writable("", &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_NAME);
    CHECK_INT(file_replace_begin(&out, in_folder("no/x"), &err), TIDE_EFILE);
    file_replace_abort(&out);
    CHECK_INT(file_replace_begin(&out, folder, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_IS_DIRECTORY);
    file_replace_abort(&out);
    if (getuid() != 0) {
        CHECK_INT(chmod(folder, 0500), 0);
        CHECK_INT(file_check_writable(in_folder("x"), &err), TIDE_EFILE);
        CHECK_INT(err.code, TIDE_CODE_FILE_ACCESS);
        CHECK_INT(chmod(folder, 0700), 0);
    }
    remove_folder();
}

TEST(file_replace_removes_what_dead_writers_left)
{
    make_folder();
    char name[128];
    int status;
    pid_t dead = fork();
    if (dead == 0) _exit(0);
    waitpid(dead, &status, 0);
    snprintf(name, sizeof name, ".tidemill-%ld-0123456789abcdef.tmp", (long)dead);
    put(in_folder(name), "stale");
    snprintf(name, sizeof name, ".tidemill-%ld-0123456789abcdef.tmp", (long)getpid());
    put(in_folder(name), "stale: an earlier process of our number");
    snprintf(name, sizeof name, ".tidemill-%ld-0123456789abcdef.tmp", (long)getppid());
    put(in_folder(name), "alive");
    put(in_folder(".tidemill-x.tmp"), "not ours");
    struct file_out mine;
    CHECK_INT(file_replace_begin(&mine, in_folder("a"), NULL), TIDE_OK);
    CHECK_INT(replace(NULL, in_folder("b"), "new", NULL), TIDE_OK);
    CHECK_INT(files_but(NULL), 4); /* the living one's, not ours, b, and mine */
    CHECK(holds(in_folder(name), "alive"));
    CHECK_INT(file_out_write(&mine, "mine", 4, NULL), TIDE_OK);
    CHECK_INT(file_replace_commit(&mine, NULL, NULL), TIDE_OK);
    CHECK(holds(in_folder("a"), "mine"));
    remove_folder();
}

TEST(file_abandon_removes_what_is_being_written_and_no_more)
{
    struct file_out out[10]; /* more than there are slots */
    char name[16];
    make_folder();
    put(in_folder("old"), "old");
    CHECK_INT(replace(NULL, in_folder("kept"), "kept", NULL), TIDE_OK);
    file_abandon(); /* nothing is open */
    CHECK_INT(files_but(NULL), 2);
    for (int k = 0; k < 10; k++) {
        snprintf(name, sizeof name, "f%d", k);
        CHECK_INT(file_replace_begin(&out[k], in_folder(k ? name : "old"), NULL),
                  TIDE_OK);
        CHECK_INT(file_out_write(&out[k], "new", 3, NULL), TIDE_OK);
    }
    CHECK_INT(files_but(NULL), 12);
    file_replace_abort(&out[3]); /* its slot is free again */
    CHECK_INT(file_replace_begin(&out[3], in_folder("again"), NULL), TIDE_OK);
    file_abandon();
    CHECK_INT(files_but(NULL), 4); /* two, and the two that no slot was free for */
    CHECK(holds(in_folder("old"), "old"));
    for (int k = 0; k < 10; k++) file_replace_abort(&out[k]);
    CHECK_INT(files_but(NULL), 2);
    remove_folder();
}

TEST(file_names_may_be_strange)
{
    make_folder();
    char name[256];
    memset(name, 'n', 255);
    name[255] = 0;
    CHECK_INT(replace(NULL, in_folder(name), "255", NULL), TIDE_OK);
    CHECK(holds(in_folder(name), "255"));
    CHECK_INT(replace(NULL, in_folder("a\n%s%n\xff"), "odd", NULL), TIDE_OK);
    CHECK(holds(in_folder("a\n%s%n\xff"), "odd"));
    int fd;
    tide_error err;
    CHECK_INT(file_open_read(in_folder("a\n%s%n"), &fd, NULL, &err), TIDE_EFILE);
    CHECK_STR(err.value, "did you mean 'a\\n%s%n\\xff'");
    remove_folder();
}

TEST(file_limits_are_named)
{
    make_folder();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit few = {8, 8}, small = {1000, 1000};
        tide_error err;
        static char big[5000];
        int fd, good = 1;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        memset(big, 'x', sizeof big - 1);
        good &= replace(NULL, in_folder("big"), big, &err) == TIDE_EFILE;
        good &= err.code == TIDE_CODE_FILE_TOO_LARGE;
        good &= files_but(NULL) == 0;
        setrlimit(RLIMIT_NOFILE, &few);
        tide_status st = TIDE_OK;
        for (int i = 0; i < 10 && st == TIDE_OK; i++)
            st = file_open_read("/dev/null", &fd, NULL, &err);
        good &= st == TIDE_ELIMIT && err.code == TIDE_CODE_LIMIT_FILES;
        _exit(good ? 7 : 8);
    }
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    remove_folder();
}

static int warnings;

static void count_warning(void *payload, enum tide_event_kind kind, const tide_error *e)
{
    (void)payload;
    warnings += kind == TIDE_EVENT_WARNING && e->code == TIDE_CODE_FILE_ERROR;
}

TEST(file_folder_that_refuses_sync_gets_one_warning)
{
    make_folder();
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    tide_ctx_set_events(ctx, count_warning, NULL);
    const char *path = in_folder("model");
    int seen = 0;
    warnings = 0;
    for (int k = 1; k < 20; k++) { /* one of them is the folder's fsync */
        int before = warnings;
        file_fault_set(k, 0, EINVAL);
        tide_status st = replace(ctx, path, "new", NULL);
        int hit = file_fault_hit();
        file_fault_set(0, 0, 0);
        if (!hit) break;
        if (warnings > before) {
            CHECK_INT(st, TIDE_OK);
            CHECK_INT(warnings, before + 1);
            seen++;
        } else if (st == TIDE_OK) {
            CHECK(holds(path, "new")); /* closing the folder */
        }
    }
    CHECK_INT(seen, 1);
    tide_ctx_free(ctx);
    remove_folder();
}
