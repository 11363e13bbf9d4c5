/* faults.c - every allocation and every I/O call made to fail, one after the other
 *
 *   faults [--all] [SCENARIO...]
 *
 * For k = 1, 2, ... a scenario runs with its k-th call failing, once or from then on, until it
 * completes without meeting the fault (reliability: fault loops). After each: a clean error, no
 * leak, no temporary file, the old file or the new one byte for byte; and the same scenario
 * without faults gives the reference bytes. Without --all, k beyond 1,500 is sampled. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tidemill/tidemill.h>

#include "base/alloc.h"
#include "base/file.h"
#include "spec/learner.h"
#include "spec/spec.h"

static char folder[256], table[320], out[320], model[320];
static int every_k, passed, failed;

struct scenario {
    char name[48];
    const char *learner; /* train: of this learner */
    char set[64];
    int task;
    const char *target;
    /* 0 train and save, 1 predict, 2 eval, 3 look, 4 convert, 5 convert what was kept */
    int kind;
    const char *written; /* convert: a name whose ending tells how */
};

/* ---- the scenarios ---- */

static int to_file(void *payload, const void *data, size_t n)
{
    return file_out_write(payload, data, n, NULL) != TIDE_OK;
}

static tide_status run_train(tide_ctx *ctx, const struct scenario *s, tide_error *err)
{
    tide_frame *frame = NULL;
    tide_model *m = NULL;
    tide_report *report = NULL;
    const char *set = s->set;
    struct tide_problem_options problem = {.target = s->target, .task = s->task};
    struct tide_train_options train = {
        .learner = s->learner, .cv = s->target ? 2 : 0, .seed = 42};
    if (*set) train.set = (struct tide_text_list){&set, 1};
    tide_status st = tide_frame_read(ctx, table, NULL, &frame, err);
    if (!st) st = tide_train(ctx, frame, NULL, &problem, &train, &m, &report, err);
    if (!st) st = tide_model_save(ctx, m, out, err);
    tide_report_free(report);
    tide_model_free(m);
    tide_frame_free(frame);
    return st;
}

static tide_status run_predict(tide_ctx *ctx, tide_error *err)
{
    tide_frame *frame = NULL;
    tide_model *m = NULL;
    tide_scores *sc = NULL;
    struct file_out f = {0};
    struct tide_scores_csv how = {.proba = 1};
    tide_status st = tide_model_open(ctx, model, NULL, &m, err);
    if (!st) st = tide_frame_read(ctx, table, NULL, &frame, err);
    if (!st) st = tide_model_predict(ctx, m, frame, &sc, err);
    if (!st) st = file_replace_begin(&f, out, err);
    if (!st) st = tide_scores_write(sc, &how, to_file, &f, err);
    if (!st) st = file_replace_commit(&f, ctx, err);
    if (st) file_replace_abort(&f);
    tide_scores_free(sc);
    tide_model_free(m);
    tide_frame_free(frame);
    return st;
}

static tide_status run_report(tide_ctx *ctx, const struct scenario *s, tide_error *err)
{
    tide_frame *frame = NULL;
    tide_model *m = NULL;
    tide_report *report = NULL;
    struct file_out f = {0};
    struct tide_report_style style = {.format = TIDE_FORMAT_HTML};
    struct tide_eval_options options = {.seed = 42, .bootstrap = 20};
    struct tide_look_options look = {.target = s->target, .seed = 42};
    tide_status st = tide_frame_read(ctx, table, NULL, &frame, err);
    if (!st && s->kind == 2) st = tide_model_open(ctx, model, NULL, &m, err);
    if (!st)
        st = s->kind == 2 ? tide_model_eval(ctx, m, frame, &options, &report, err)
                          : tide_look(ctx, frame, &look, &report, err);
    if (!st) st = file_replace_begin(&f, out, err);
    if (!st) st = tide_report_write(report, &style, to_file, &f, err);
    if (!st) st = file_replace_commit(&f, ctx, err);
    if (st) file_replace_abort(&f);
    tide_report_free(report);
    tide_model_free(m);
    tide_frame_free(frame);
    return st;
}

static tide_status run_convert(tide_ctx *ctx, const struct scenario *s, tide_error *err)
{
    tide_frame *frame = NULL;
    struct file_out f = {0};
    struct tide_write_options how = {.path = s->written};
    tide_status st = tide_frame_read(ctx, table, NULL, &frame, err);
    if (!st) st = file_replace_begin(&f, out, err);
    if (!st) st = tide_frame_save(ctx, frame, &how, to_file, &f, err);
    if (!st) st = file_replace_commit(&f, ctx, err);
    if (st) file_replace_abort(&f);
    tide_frame_free(frame);
    return st;
}

/* Reads the text and keeps its columns, then reads what was kept. */
static tide_status run_kept(tide_ctx *ctx, tide_error *err)
{
    char kept[sizeof table + 8];
    tide_frame *first = NULL, *frame = NULL;
    struct file_out f = {0};
    struct tide_read_options how = {.cache = 1};
    snprintf(kept, sizeof kept, "%s.tcol", table);
    tide_status st = tide_frame_read(ctx, table, &how, &first, err);
    if (!st) st = tide_frame_read(ctx, table, &how, &frame, err);
    unlink(kept);
    if (!st) st = file_replace_begin(&f, out, err);
    if (!st) st = tide_frame_write(ctx, frame, 0, to_file, &f, err);
    if (!st) st = file_replace_commit(&f, ctx, err);
    if (st) file_replace_abort(&f);
    tide_frame_free(first);
    tide_frame_free(frame);
    return st;
}

static tide_status run(tide_ctx *ctx, const struct scenario *s, tide_error *err)
{
    memset(err, 0, sizeof *err);
    switch (s->kind) {
    case 0:
        return run_train(ctx, s, err);
    case 1:
        return run_predict(ctx, err);
    case 4:
        return run_convert(ctx, s, err);
    case 5:
        return run_kept(ctx, err);
    default:
        return run_report(ctx, s, err);
    }
}

/* ---- what must hold ---- */

struct bytes {
    char *data;
    size_t n;
};

static struct bytes slurp(const char *path)
{
    struct bytes b = {NULL, 0};
    FILE *f = fopen(path, "rb");
    if (!f) return b;
    b.data = malloc(1 << 24);
    b.n = fread(b.data, 1, 1 << 24, f);
    fclose(f);
    return b;
}

static void spill(const char *path, const char *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n) exit(9);
    fclose(f);
}

static int same(struct bytes a, const char *data, size_t n)
{
    return a.data && a.n == n && memcmp(a.data, data, n) == 0;
}

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    if (d) closedir(d);
    return n;
}

static void complain(const struct scenario *s, const char *mode, long k,
                     const char *what, const tide_error *err)
{
    if (failed++ < 20)
        fprintf(stderr, "%s, %s, k = %ld: %s (status %d, %s: %s)\n", s->name, mode, k,
                what, (int)err->status, tide_code_name(err->code), err->message);
}

struct loop {
    const char *mode;
    int is_io, for_ever, kind; /* kind: errno, or FILE_FAULT_* */
};

static void arm(const struct loop *l, long k)
{
    if (l->is_io)
        file_fault_set(k, l->for_ever, l->kind);
    else
        alloc_fault_set(k, l->for_ever);
}

static int hit(const struct loop *l)
{
    return l->is_io ? file_fault_hit() : alloc_fault_hit();
}

/* Where removing fails too, the temporary file stays; the next save must remove it. */
static int tidy_up(tide_ctx *ctx, const struct scenario *s, int files)
{
    tide_error err;
    return run(ctx, s, &err) == TIDE_OK && count_files() == files;
}

/* One loop over k. `old` is what the target held before. */
static void loop_over(const struct scenario *s, const struct loop *l, struct bytes want)
{
    static const char old[] = "the old file";
    int files = count_files();
    long k = 1, runs = 0, step = 1;
    for (;; k += step) {
        tide_ctx *ctx = NULL;
        tide_error err = {0};
        if (tide_ctx_new(&ctx, &err) || tide_ctx_set_threads(ctx, 1, &err)) exit(9);
        spill(out, old, sizeof old);
        int64_t live = alloc_live();
        arm(l, k);
        tide_status st = run(ctx, s, &err);
        int was_hit = hit(l);
        arm(l, 0);
        runs++;
        int survives = l->kind == FILE_FAULT_SHORT || l->kind == FILE_FAULT_EINTR;
        struct bytes now = slurp(out);
        if (st == TIDE_OK && !same(now, want.data, want.n))
            complain(s, l->mode, k, "done, but the file differs", &err);
        else if (st != TIDE_OK && !same(now, old, sizeof old) &&
                 !same(now, want.data, want.n))
            complain(s, l->mode, k, "neither the old file nor the new one", &err);
        else if (st != TIDE_OK && survives)
            complain(s, l->mode, k, "must survive this", &err);
        else if (st != TIDE_OK && !l->is_io && st != TIDE_ENOMEM)
            complain(s, l->mode, k, "expected out of memory", &err);
        else if (st != TIDE_OK && l->is_io && st != TIDE_EFILE && st != TIDE_EDATA)
            complain(s, l->mode, k, "expected a file error", &err);
        else if (st != TIDE_OK && !err.message[0])
            complain(s, l->mode, k, "no message", &err);
        else if (st != TIDE_OK && !was_hit)
            complain(s, l->mode, k, "fails without a fault", &err);
        else if (count_files() != files &&
                 !(l->is_io && l->for_ever && tidy_up(ctx, s, files)))
            complain(s, l->mode, k, "a file was left behind", &err);
        else if (alloc_live() != live && st != TIDE_OK)
            complain(s, l->mode, k, "memory was left behind", &err);
        else
            passed++;
        free(now.data);
        tide_ctx_free(ctx);
        if (!was_hit || failed > 20) break;
        if (!every_k && k >= 1500) step = 1 + (k * 7919) % 97;
    }
    printf("  %-28s %-22s %ld runs, %ld calls\n", s->name, l->mode, runs, k - 1);
    fflush(stdout);
}

static void all_loops(const struct scenario *s)
{
    static const struct loop loops[] = {
        {"allocation k fails", 0, 0, 0},
        {"allocations from k fail", 0, 1, 0},
        {"I/O call k: EIO", 1, 0, EIO},
        {"I/O from k: EIO", 1, 1, EIO},
        {"I/O from k: no space", 1, 1, ENOSPC},
        {"I/O call k: interrupted", 1, 0, FILE_FAULT_EINTR},
        {"I/O from k: short counts", 1, 1, FILE_FAULT_SHORT},
    };
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    if (tide_ctx_new(&ctx, &err) || tide_ctx_set_threads(ctx, 1, &err)) exit(9);
    tide_status st = run(ctx, s, &err);
    tide_ctx_free(ctx);
    if (st) {
        complain(s, "no fault", 0, "does not run at all", &err);
        return;
    }
    struct bytes want = slurp(out);
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++)
        loop_over(s, &loops[i], want);
    free(want.data);
}

/* ---- set-up ---- */

static void write_table(int rows)
{
    FILE *f = fopen(table, "w");
    if (!f) exit(9);
    fputs("a,b,c,kind,yes,amount\n", f);
    for (int i = 0; i < rows; i++) {
        int u = (i * 7919 + 13) % 101, v = (i * 104729 + 7) % 89;
        if (i % 11 == 3)
            fprintf(f, ",%d.5,%d,k%d,", v, i % 7, i % 4);
        else
            fprintf(f, "%d,%d.5,%d,%s,", u, v, i % 7,
                    i % 13 == 5 ? ""
                    : i % 3     ? "red"
                                : "blue");
        fprintf(f, "%s,%d.25\n", (u + v + i % 5) % 3 ? "yes" : "no", u + 2 * v);
    }
    fclose(f);
}

static int is_wanted(const char *name, int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') continue;
        n++;
        if (strstr(name, argv[i])) return 1;
    }
    return n == 0;
}

static void small_of(const struct tide_learner *l, char *set, size_t size)
{
    snprintf(set, size, "%s", l->small ? l->small : "");
    char *comma = strchr(set, ','); /* the first pair is the one that bounds the work */
    if (comma) *comma = '\0';
}

int main(int argc, char **argv)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/tide_faults_XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder)) return 9;
    snprintf(table, sizeof table, "%s/t.csv", folder);
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(model, sizeof model, "%s/m.tide", folder);
    for (int i = 1; i < argc; i++) every_k |= strcmp(argv[i], "--all") == 0;
    write_table(60);
    int n = tide_registry_count(TIDE_LEARNER);
    for (int i = 0; i < n; i++) {
        const struct tide_learner *l = learner_get(i);
        for (int task = 1; task <= 3; task++) {
            static const char *const target[] = {NULL, "yes", "amount", NULL};
            static const char *const what[] = {NULL, "classes", "values", "anomalies"};
            if (!(l->tasks >> (task - 1) & 1)) continue;
            struct scenario s = {
                .learner = l->name, .task = task, .target = target[task]};
            snprintf(s.name, sizeof s.name, "train %s %s", l->name, what[task]);
            small_of(l, s.set, sizeof s.set);
            if (is_wanted(s.name, argc, argv)) all_loops(&s);
        }
    }
    struct scenario make = {.name = "train gbdt classes",
                            .learner = "gbdt",
                            .set = "trees=3",
                            .task = 1,
                            .target = "yes"};
    tide_ctx *ctx = NULL;
    tide_error err = {0};
    if (tide_ctx_new(&ctx, &err) || run(ctx, &make, &err) || rename(out, model))
        return 9;
    tide_ctx_free(ctx);
    struct scenario rest[] = {
        {.name = "predict", .kind = 1},
        {.name = "eval", .kind = 2},
        {.name = "look", .kind = 3, .target = "yes"},
        {.name = "convert parquet", .kind = 4, .written = "t.parquet"},
        {.name = "convert tcol", .kind = 4, .written = "t.tcol"},
        {.name = "convert what was kept", .kind = 5},
        {.name = "convert gzip", .kind = 4, .written = "t.csv.gz"},
        {.name = "convert zstd", .kind = 4, .written = "t.jsonl.zst"}};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        if (is_wanted(rest[i].name, argc, argv)) all_loops(&rest[i]);
    unlink(table);
    unlink(out);
    unlink(model);
    rmdir(folder);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0 || passed == 0;
}
