/* replay.c - runs a fuzz target on files and folders of files: the corpora, in ./check
 *
 * The last line is "N passed, 0 failed"; a file that fails ends the program, named. */
#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "fuzz.h"

static const char *current = "";
static int passed;

static void tell(int signal_number)
{
    ssize_t n = write(2, "failed: ", 8);
    n += write(2, current, strlen(current));
    n += write(2, "\n", 1);
    (void)n;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) return perror(path), 1;
    size_t cap = 1 << 20, n = 0;
    uint8_t *all = malloc(cap), *exact = NULL;
    if (all) n = fread(all, 1, cap, f);
    int bad = !all || ferror(f) || !feof(f);
    fclose(f);
    if (!bad) exact = malloc(n ? n : 1); /* so that the sanitizer sees its end */
    if (exact) {
        if (n) memcpy(exact, all, n);
        current = path;
        LLVMFuzzerTestOneInput(exact, n);
        passed++;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(exact);
    free(all);
    return !exact;
}

static int run(const char *path)
{
    DIR *d = opendir(path);
    if (!d) return run_file(path);
    int bad = 0;
    char name[4096];
    for (const struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        bad += run_file(name);
    }
    closedir(d);
    return bad;
}

int main(int argc, char **argv)
{
    int failed = 0;
    signal(SIGABRT, tell);
    signal(SIGSEGV, tell);
    for (int i = 1; i < argc; i++) failed += run(argv[i]);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
