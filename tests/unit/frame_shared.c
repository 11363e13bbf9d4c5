/* Every table of the optional data folder (../shared/data, or TIDEMILL_DATA) is read with the
 * rows, columns, missing share and numeric columns that its README states. */
#include "frame/csv.h"
#include "support/unit.h"

static char folder[1024];

struct stated {
    char file[128];
    long long rows;
    int columns, numeric, other;
    double missing;
};

/* | `file.csv.gz` | rows | columns (n num, m cat) | missing % | ... */
static int parse_row(const char *line, struct stated *s)
{
    char cols[256];
    memset(s, 0, sizeof *s);
    if (sscanf(line, "| `%127[^`]` | %lld | %255[^|]| %lf |", s->file, &s->rows, cols,
               &s->missing) != 4)
        return 0;
    return strstr(s->file, ".csv.") && sscanf(cols, "%d (%d num, %d cat)", &s->columns,
                                              &s->numeric, &s->other) == 3;
}

/* | `raw/file.arff.gz` | rows | columns | ...: ARFF and LIBSVM, whose features are counted alone */
static int parse_raw(const char *line, struct stated *s)
{
    memset(s, 0, sizeof *s);
    if (sscanf(line, "| `%127[^`]` | %lld | %d |", s->file, &s->rows, &s->columns) != 3)
        return 0;
    int is_svm = strstr(line, "| libsvm") != NULL;
    s->columns += is_svm;
    return strncmp(s->file, "raw/", 4) == 0 && (is_svm || strstr(s->file, ".arff."));
}

static void compare_raw(tide_ctx *ctx, const struct stated *s)
{
    char path[1200];
    tide_error err = {0};
    tide_frame *f = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, s->file);
    if (tide_frame_read(ctx, path, NULL, &f, &err) != TIDE_OK)
        UNIT_FAIL("%s:%lld:%lld: %s", err.file, (long long)err.line,
                  (long long)err.column, err.message);
    CHECK_MSG(tide_frame_rows(f) == s->rows, "%s: %lld rows, not %lld", s->file,
              (long long)tide_frame_rows(f), s->rows);
    CHECK_MSG(tide_frame_columns(f) == s->columns, "%s: %d columns, not %d", s->file,
              tide_frame_columns(f), s->columns);
    tide_frame_free(f);
}

static void compare(tide_ctx *ctx, const struct stated *s)
{
    char path[1200];
    tide_error err = {0};
    tide_frame *f = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, s->file);
    if (tide_frame_read(ctx, path, NULL, &f, &err) != TIDE_OK) {
        UNIT_FAIL("%s:%lld:%lld: %s", err.file, (long long)err.line,
                  (long long)err.column, err.message);
        return;
    }
    int numeric = 0;
    int64_t missing = 0;
    for (int j = 0; j < tide_frame_columns(f); j++) {
        enum tide_type t = tide_frame_type(f, j);
        numeric += t == TIDE_BOOL || t == TIDE_I64 || t == TIDE_F64;
        missing += tide_frame_missing(f, j);
    }
    double share = 100.0 * (double)missing / ((double)s->rows * s->columns);
    CHECK_MSG(tide_frame_rows(f) == s->rows, "%s: %lld rows, not %lld", s->file,
              (long long)tide_frame_rows(f), s->rows);
    CHECK_MSG(tide_frame_columns(f) == s->columns, "%s: %d columns, not %d", s->file,
              tide_frame_columns(f), s->columns);
    CHECK_MSG(fabs(share - s->missing) <= 0.0051, "%s: %.4f %% missing, not %.2f",
              s->file, share, s->missing);
    if (numeric != s->numeric) {
        UNIT_FAIL("%s: %d numeric columns, not %d", s->file, numeric, s->numeric);
        for (int j = 0; j < tide_frame_columns(f); j++)
            fprintf(stderr, "  %s %s\n", tide_frame_name(f, j),
                    tide_type_name(tide_frame_type(f, j)));
    }
    tide_frame_free(f);
}

TEST(tables_of_the_data_folder_are_as_stated)
{
    const char *root = getenv("TIDEMILL_ROOT"), *data = getenv("TIDEMILL_DATA");
    char line[4096];
    int n = 0, n_raw = 0;
    if (data)
        snprintf(folder, sizeof folder, "%s", data);
    else
        snprintf(folder, sizeof folder, "%s/../shared/data", root ? root : ".");
    snprintf(line, sizeof line, "%s/README.md", folder);
    FILE *readme = fopen(line, "r");
    if (!readme) {
        printf("skipped: no data folder (TIDEMILL_DATA)\n");
        return;
    }
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    while (fgets(line, sizeof line, readme)) {
        struct stated s;
        if (parse_raw(line, &s)) {
            compare_raw(ctx, &s);
            n_raw++;
        }
        if (!parse_row(line, &s)) continue;
        compare(ctx, &s);
        n++;
    }
    fclose(readme);
    tide_ctx_free(ctx);
    printf("%d tables and %d files of other formats read\n", n, n_raw);
    CHECK(n > 50);
    CHECK(n_raw >= 15);
}
