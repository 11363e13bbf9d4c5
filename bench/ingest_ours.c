/* ingest_ours.c - our side of bench/ingest: a worker that reads tables when told to
 *
 * Lines of standard input: "read THREADS MEMORY FILE" times one tide_frame_read ("kept ..." one from
 * the columns kept beside the file, as --cache does, "skip ..." leaves bad rows out) and answers
 * with seconds of wall, of CPU (all threads) and the peak of resident memory in MiB; "places" tells
 * LINE:COLUMN of each bad row of the table read last (at most 20 are told); "dump FOLDER" writes the columns of the table
 * read last, for the comparison: column J as J.f64, J.i64, J.bool, or J.code with J.at and J.text
 * (levels), or J.at, J.text and J.gap; and "columns" with a line for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <tidemill/tidemill.h>

#include "frame/frame.h"

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void reset_peak(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f) return;
    fputs("5", f);
    fclose(f);
}

static double peak_mib(void)
{
    char line[256];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6)) kib = atof(line + 6);
    if (f) fclose(f);
    return kib / 1024;
}

static int put(const char *folder, int j, const char *kind, const void *data, size_t n)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%d.%s", folder, j, kind);
    FILE *f = fopen(path, "wb");
    if (!f) return 1;
    int bad = n && fwrite(data, 1, n, f) != n;
    return fclose(f) || bad;
}

/* Which rows of a text column are missing, a byte each. */
static int put_gaps(const char *folder, int j, const struct column *c)
{
    size_t n = (size_t)c->n_rows;
    if (c->text_missing) return put(folder, j, "gap", c->text_missing, n);
    uint8_t *none = calloc(n + 1, 1);
    int bad = !none || put(folder, j, "gap", none, n);
    free(none);
    return bad;
}

static int dump(const tide_frame *f, const char *folder)
{
    char path[1200];
    int bad = 0;
    snprintf(path, sizeof path, "%s/columns", folder);
    FILE *list = fopen(path, "w");
    if (!list) return 1;
    for (int j = 0; j < f->n_cols; j++) {
        const struct column *c = &f->cols[j];
        size_t n = (size_t)c->n_rows;
        fprintf(list, "%s %s\n", tide_type_name((enum tide_type)c->type), c->name);
        if (c->f64) bad |= put(folder, j, "f64", c->f64, n * 8);
        if (c->i64) bad |= put(folder, j, "i64", c->i64, n * 8);
        if (c->b) bad |= put(folder, j, "bool", c->b, n);
        if (c->code) {
            bad |= put(folder, j, "code", c->code, n * 4);
            bad |= put(folder, j, "at", c->dict.offset, (c->dict.n + (size_t)1) * 4);
            bad |= put(folder, j, "text", c->dict.bytes, c->dict.offset[c->dict.n]);
        }
        if (c->text_at) {
            bad |= put(folder, j, "at", c->text_at, (n + 1) * 8);
            bad |= put(folder, j, "text", c->text, (size_t)c->text_at[n]);
            bad |= put_gaps(folder, j, c);
        }
    }
    return fclose(list) || bad;
}

/* Where the reader found fault, as a line of LINE:COLUMN. */
struct places {
    char text[2048];
    int n;
};

static void take_place(void *payload, enum tide_event_kind kind, const tide_error *e)
{
    struct places *p = payload;
    if (kind != TIDE_EVENT_WARNING || p->n > (int)sizeof p->text - 48) return;
    p->n += snprintf(p->text + p->n, 48, "%lld:%lld ", (long long)e->line,
                     (long long)e->column);
}

int main(void)
{
    struct places places = {0};
    char line[2048], file[1100], how[8];
    tide_ctx *ctx = NULL;
    tide_frame *frame = NULL;
    tide_error err = {0};
    int threads;
    long long memory;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%7s %d %lld %1099[^\n]", how, &threads, &memory, file) == 4) {
            struct tide_read_options options = {.cache = !strcmp(how, "kept"),
                                                .on_bad =
                                                    strcmp(how, "skip") ? "" : "skip"};
            tide_frame_free(frame);
            tide_ctx_free(ctx);
            frame = NULL;
            if (tide_ctx_new(&ctx, &err) != TIDE_OK ||
                tide_ctx_set_threads(ctx, threads, &err) != TIDE_OK ||
                tide_ctx_set_memory(ctx, memory, &err) != TIDE_OK)
                return 1;
            places = (struct places){0};
            tide_ctx_set_events(ctx, take_place, &places);
            reset_peak();
            double wall = seconds(CLOCK_MONOTONIC),
                   cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
            if (tide_frame_read(ctx, file, &options, &frame, &err) != TIDE_OK)
                printf("error %s:%lld: %s\n", err.file, (long long)err.line,
                       err.message);
            else
                printf("%.6f %.6f %.1f\n", seconds(CLOCK_MONOTONIC) - wall,
                       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, peak_mib());
        } else if (frame && !strcmp(line, "places")) {
            puts(places.text);
        } else if (frame && sscanf(line, "dump %1099[^\n]", file) == 1) {
            puts(dump(frame, file) ? "error" : "done");
        } else {
            puts("error no command");
        }
        fflush(stdout);
    }
    tide_frame_free(frame);
    tide_ctx_free(ctx);
    return 0;
}
