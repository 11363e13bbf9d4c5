/* files.c - reading tables, and names made from names */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"

tide_status cli_read(struct cli *c, const char *path, int mixed, tide_frame **out,
                     tide_error *err)
{
    const struct tide_read_options *given = cli_shared(c, &cli_table_read);
    struct tide_read_options how = *given;
    int64_t t0 = clock_ns();
    if (mixed) how.mixed = 1;
    cli_signals_reading(1);
    tide_status s = tide_frame_read(c->ctx, path, &how, out, err);
    cli_signals_reading(0);
    c->read_s += clock_since(t0);
    return s;
}

static int cut_end(char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);
    if (n <= k || strcmp(name + n - k, end) != 0) return 0;
    name[n - k] = '\0';
    return 1;
}

char *cli_stem(const char *path, const char *ending)
{
    static const char *const packed[] = {".gz", ".zst"}, *const kinds[] = {
                                                             ".csv", ".tsv", ".txt",
                                                             ".tide"};
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    if (!*base || strcmp(base, "-") == 0) base = "stdin";
    size_t n = strlen(base) + strlen(ending) + 1;
    char *name = mem_alloc(n);
    if (!name) return NULL;
    str_format(name, n, "%s", base);
    for (int i = 0; i < 2; i++)
        if (cut_end(name, packed[i])) break;
    for (int i = 0; i < 4; i++)
        if (cut_end(name, kinds[i])) break;
    size_t used = strlen(name);
    str_format(name + used, n - used, "%s", ending);
    return name;
}

tide_status cli_check_metric(const char *metric, int task, tide_error *err)
{
    char name[128];
    if (!metric) return TIDE_OK;
    str_format(name, sizeof name, "%.*s", (int)strcspn(metric, "( "), metric);
    const struct tide_entry *entry = tide_registry_find(TIDE_METRIC, name, err);
    if (!entry) return TIDE_EINVAL;
    uint32_t wanted = task == 1 ? TIDE_CLASSIFY : task == 2 ? TIDE_REGRESS : 0;
    if (!wanted || !entry->tasks || entry->tasks & wanted) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'--metric %s' is for %s, and '--task' is %s", name,
            wanted == TIDE_CLASSIFY ? "numbers" : "classes",
            wanted == TIDE_CLASSIFY ? "classify" : "regress");
    return err_field(err, "metric");
}
