/* frame_tcol_cache.c - tables kept beside their file: when they are used, when they are made anew, and
 * that nobody can tell the difference */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "frame/tcol.h"
#include "support/events.h"
#include "support/formats.h"

#define FILE_NAME "unit_cache.csv"
#define KEPT_NAME "unit_cache.csv.tcol"

static struct events events;
static tide_ctx *ctx;
static tide_error err;

static void put_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text, 1, n, f) == n);
    if (f) fclose(f);
}

/* The file with a time of its own, so that no test hangs on a clock. */
static void set_time(const char *path, long s, long ns)
{
    struct timespec t[2] = {{s, ns}, {s, ns}};
    CHECK_INT(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void begin(const char *text)
{
    if (!ctx) ctx = events_ctx(&events);
    memset(&events, 0, sizeof events);
    unlink(KEPT_NAME);
    rmdir(KEPT_NAME);
    put_file(FILE_NAME, text, strlen(text));
    set_time(FILE_NAME, 1000000, 5);
}

static tide_frame *read_how(const char *path, struct tide_read_options o)
{
    tide_frame *f = NULL;
    memset(&events, 0, sizeof events);
    memset(&err, 0, sizeof err);
    tide_status st = tide_frame_read(ctx, path, &o, &f, &err);
    CHECK_INT(st, err.status);
    CHECK((st == TIDE_OK) == (f != NULL));
    return f;
}

static tide_frame *cached(void)
{
    return read_how(FILE_NAME, (struct tide_read_options){.cache = 1});
}

static void read_and_forget(struct tide_read_options o)
{
    o.cache = 1;
    tide_frame_free(read_how(FILE_NAME, o));
}

/* All that a reader leaves in a frame. */
static void same_tables(const tide_frame *a, const tide_frame *b)
{
    const char *what = a && b ? format_difference(a, b) : "no table";
    if (what) UNIT_FAIL("%s", what);
    if (!a || !b) return;
    CHECK_STR(a->source, b->source);
    CHECK_STR(a->dialect, b->dialect);
    CHECK_INT(a->n_bad_rows, b->n_bad_rows);
    CHECK_INT(a->first_line, b->first_line);
    for (int64_t i = 0; i < a->n_rows; i++)
        CHECK_INT(frame_line(a, i), frame_line(b, i));
    for (int j = 0; j < a->n_cols; j++) CHECK_INT(a->cols[j].type, b->cols[j].type);
}

static const char table[] =
    "a,b,,d\n1,x,true,0.5\n\n2,y,False,inf\n3,x,,9007199254740993\n"
    "4,x,true,1,1\n5,y,true,2\n";

TEST(a_second_run_says_and_gives_what_the_first_did)
{
    struct tide_read_options o = {.cache = 1, .on_bad = "skip", .inf = 1};
    begin(table);
    tide_frame *f = read_how(FILE_NAME, o);
    struct events first = events;
    CHECK(events_noted(&first, "the columns of " FILE_NAME " are kept in " KEPT_NAME));
    tide_frame *g = read_how("./" FILE_NAME, o);
    CHECK_INT(events.n_warnings, first.n_warnings);
    CHECK(events.n_warnings > 1);
    for (int i = 0; i < events.n_warnings; i++) {
        CHECK_STR(events.text[i], first.text[i]);
        CHECK_INT(events.codes[i], first.codes[i]);
    }
    CHECK_INT(events.n_notes, first.n_notes - 1);
    CHECK(events_noted(&events, "./" FILE_NAME ": 1 row left out"));
    if (g) g->source = FILE_NAME;
    same_tables(f, g);
    CHECK(g && g->n_bad_rows == 1 && frame_line(g, 1) == 4);
    tide_frame_free(f);
    tide_frame_free(g);
}

TEST(a_second_run_does_not_look_at_the_text)
{
    begin("a,b\n1,2\n3,4\n");
    tide_frame *f = cached();
    put_file(FILE_NAME, "\xff,\"\n1,x\n3,\"\n", 12);
    set_time(FILE_NAME, 1000000, 5);
    tide_frame *g = cached();
    CHECK_INT(events.n_notes, 0);
    same_tables(f, g);
    tide_frame_free(f);
    tide_frame_free(g);
}

TEST(another_size_time_name_or_option_makes_it_anew)
{
    static const char *const na[] = {"x"}, *const types[] = {"a=number"},
                             *const cols[] = {"a"};
    static const struct {
        struct tide_read_options o;
        const char *what;
    } other[] = {
        {{.na = {na, 1}}, "option 'na' differs"},
        {{.types = {types, 1}}, "option 'types' differs"},
        {{.columns = {cols, 1}}, "option 'columns' differs"},
        {{.delim = ","}, "option 'delim' differs"},
        {{.on_bad = "null"}, "option 'on-bad' differs"},
        {{.header = 1}, "option 'header' differs"},
        {{.max_field = 77}, "option 'max-field' differs"},
        {{.max_columns = 77}, "option 'max-columns' differs"},
        {{.inf = 1}, "option 'inf' differs"},
        {{.format = "csv"}, "option 'format' differs"},
    };
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
        begin("a,b\n1,x\n3,y\n5,x\n6,y\n");
        read_and_forget((struct tide_read_options){0});
        read_and_forget(other[k].o);
        CHECK_MSG(events_noted(&events, other[k].what), "no note: %s", other[k].what);
        read_and_forget(other[k].o);
        CHECK_INT(events.n_notes, 0);
    }
    begin("a,b\n1,x\n3,y\n");
    read_and_forget((struct tide_read_options){0});
    set_time(FILE_NAME, 1000000, 6);
    tide_frame *f = cached();
    CHECK(events_noted(&events,
                       KEPT_NAME " is made anew: the time of " FILE_NAME " differs"));
    tide_frame_free(f);
    put_file(FILE_NAME, "a,b\n1,x\n3,yy\n", 13);
    set_time(FILE_NAME, 1000000, 6);
    f = cached();
    CHECK(events_noted(&events, "the size of " FILE_NAME " differs"));
    CHECK_INT(events.n_notes, 1);
    tide_frame_free(f);
    CHECK_INT(rename(KEPT_NAME, "unit_other.csv.tcol"), 0);
    CHECK_INT(rename(FILE_NAME, "unit_other.csv"), 0);
    tide_frame_free(read_how("unit_other.csv", (struct tide_read_options){.cache = 1}));
    CHECK(events_noted(&events, "the name of the file differs"));
    unlink("unit_other.csv");
    unlink("unit_other.csv.tcol");
}

TEST(a_change_right_after_a_run_is_seen)
{
    begin("");
    for (int i = 0; i < 10; i++) {
        char text[] = "a\n0\n";
        for (int k = 0; k < 2; k++) {
            text[2] = (char)('0' + 2 * i % 10 + k);
            put_file(FILE_NAME, text, 4);
            tide_frame *f = cached();
            CHECK(f && f->cols[0].i64[0] == text[2] - '0');
            tide_frame_free(f);
        }
    }
}

TEST(names_and_options_may_be_any_bytes)
{
    static const char path[] = "unit \xff\n.csv";
    static const char *const one[] = {"\xfe"}, *const two[] = {"\xfd"};
    begin("a\n1\n");
    put_file(path, "a,b\n1,x\n", 8);
    struct tide_read_options o = {.cache = 1, .na = {one, 1}};
    tide_frame_free(read_how(path, o));
    tide_frame_free(read_how(path, o));
    CHECK_INT(events.n_notes, 0);
    o.na.items = two;
    tide_frame_free(read_how(path, o));
    CHECK(events_noted(&events, "option 'na' differs"));
    unlink(path);
    unlink("unit \xff\n.csv.tcol");
}

/* What a program writes for a default and what a caller leaves at zero are one. */
TEST(defaults_are_the_same_however_they_are_said)
{
    const struct tide_params *rows = tide_read_params();
    tide_values *values = NULL;
    begin("a,b\n1,x\n3,y\n");
    CHECK_INT(tide_values_new(rows, "", &values, NULL), TIDE_OK);
    read_and_forget(*(const struct tide_read_options *)tide_values_struct(values));
    read_and_forget((struct tide_read_options){.delim = "", .on_bad = "fail"});
    CHECK_INT(events.n_notes, 0);
    tide_values_free(values);
}

/* look takes mixed columns as text, train refuses them: one file serves both when there is none. */
TEST(look_and_train_share_what_is_kept)
{
    struct str t = {0};
    begin("a,b\n1,x\n3,y\n");
    read_and_forget((struct tide_read_options){0});
    read_and_forget((struct tide_read_options){.mixed = 1});
    CHECK_INT(events.n_notes, 0);
    for (int i = 0; i < 400; i++)
        str_addf(&t, i == 300 ? "%sn/a,1\n" : "%s%d,1\n", i ? "" : "a,b\n", i);
    begin(t.s);
    read_and_forget((struct tide_read_options){.mixed = 1});
    CHECK(events_noted(&events, "is mixed"));
    read_and_forget((struct tide_read_options){.mixed = 1});
    CHECK(events_noted(&events, "is mixed"));
    CHECK_INT(events.n_notes, 1);
    tide_frame *f = cached();
    CHECK(!f && err.code == TIDE_CODE_CSV_TYPE);
    CHECK(events_noted(&events, "option 'mixed' differs"));
    str_free(&t);
}

TEST(a_damaged_file_is_told_and_made_anew)
{
    static char whole[1 << 16], bad[1 << 16];
    begin("a,b\n1,x\n3,y\n\n4,x\n5,x\n");
    tide_frame *f = cached();
    FILE *in = fopen(KEPT_NAME, "rb");
    size_t n = in ? fread(whole, 1, sizeof whole, in) : 0;
    if (in) fclose(in);
    CHECK(n > 500);
    for (size_t i = 0; i < n; i += i < 200 ? 7 : 61) {
        memcpy(bad, whole, n);
        bad[i] = (char)(bad[i] ^ 4);
        put_file(KEPT_NAME, bad, i % 3 ? n : i);
        tide_frame *g = cached();
        if (i % 3)
            CHECK_INT(events.n_warnings + events.n_notes, 1);
        else
            CHECK_INT(events.n_warnings, 1);
        same_tables(f, g);
        tide_frame_free(g);
        g = cached();
        CHECK_INT(events.n_warnings + events.n_notes, 0);
        same_tables(f, g);
        tide_frame_free(g);
    }
    tide_frame_free(f);
}

TEST(what_cannot_be_kept_does_not_stop_the_run)
{
    begin("a,b\n1,x\n3,y\n");
    CHECK_INT(mkdir(KEPT_NAME, 0700), 0);
    tide_frame *f = cached();
    CHECK(f && f->n_rows == 2);
    CHECK_INT(events.n_warnings, 1);
    CHECK_STR(events.text[0], "the columns are not kept: this is no file");
    tide_frame_free(f);
    rmdir(KEPT_NAME);
    /* a table that somebody made is not ours to replace */
    f = read_how(FILE_NAME, (struct tide_read_options){0});
    struct str t = {0};
    CHECK_INT(tcol_write_table(ctx, f, BLOCK_PLAIN, NULL, format_sink, &t, &err),
              TIDE_OK);
    put_file(KEPT_NAME, t.s, t.len);
    tide_frame_free(f);
    f = cached();
    CHECK(f && f->n_rows == 2);
    CHECK_STR(events.text[0], "the columns are not kept: this is a table of its own");
    tide_frame_free(f);
    unlink(KEPT_NAME);
    /* in memory only */
    put_file("unit_cache.tcol", t.s, t.len);
    f = read_how("unit_cache.tcol", (struct tide_read_options){.cache = 1});
    CHECK(f && f->n_rows == 2 && access("unit_cache.tcol.tcol", F_OK) != 0);
    CHECK_INT(events.n_notes + events.n_warnings, 0);
    tide_frame_free(f);
    unlink("unit_cache.tcol");
    str_free(&t);
}

TEST(only_files_are_kept)
{
    begin("a,b\n1,x\n3,y\n");
    struct tide_read_options o = {.cache = 1};
    CHECK(!read_how("-", o));
    CHECK_STR(err.message,
              "'cache' keeps the columns of a file, and standard input is none");
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    CHECK(!read_how("sqlite:x.db?secret", o));
    CHECK_STR(err.message, "'cache' keeps the columns of a file, and sqlite: is none");
    CHECK(!read_how("/dev/null", o));
    CHECK_STR(err.message,
              "'cache' keeps the columns of a file, and /dev/null is none");
    CHECK(!read_how("/tmp", o));
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    CHECK(!read_how("unit_no_such.csv", o));
    CHECK_INT(err.code, TIDE_CODE_FILE_MISSING);
    CHECK(access("unit_no_such.csv.tcol", F_OK) != 0);
    o.on_bad = "reject=unit_rejects.csv";
    CHECK(!read_how(FILE_NAME, o));
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
}

TEST(who_may_not_read_the_file_may_not_read_what_is_kept)
{
    struct stat s;
    begin("a,b\n1,x\n3,y\n");
    CHECK_INT(chmod(FILE_NAME, 0600), 0);
    tide_frame_free(cached());
    CHECK_INT(stat(KEPT_NAME, &s), 0);
    CHECK_INT(s.st_mode & 0177, 0);
    CHECK_INT(chmod(KEPT_NAME, 0644), 0);
    set_time(FILE_NAME, 1000000, 7);
    tide_frame_free(cached());
    CHECK_INT(stat(KEPT_NAME, &s), 0);
    CHECK_INT(s.st_mode & 0177, 0);
}

/* An error is told each time, and nothing is kept of it. */
TEST(a_table_that_cannot_be_read_is_not_kept)
{
    begin("a,b\n1,x\n3\n");
    CHECK(!cached());
    CHECK_INT(err.code, TIDE_CODE_CSV_FIELDS);
    CHECK(access(KEPT_NAME, F_OK) != 0);
}

static void touch_it(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    events_keep(payload, kind, event);
    if (kind == TIDE_EVENT_WARNING) set_time(FILE_NAME, 1000000, 9);
}

TEST(a_file_that_changes_while_it_is_read_is_not_kept)
{
    begin("a,\n1,x\n3,y\n"); /* a warning: a column has no name */
    tide_ctx_set_events(ctx, touch_it, &events);
    tide_frame *f = cached();
    tide_ctx_set_events(ctx, events_keep, &events);
    CHECK(f && events_noted(&events, "changed while it was read"));
    CHECK(access(KEPT_NAME, F_OK) != 0);
    tide_frame_free(f);
}

static void stop(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    events_keep(payload, kind, event);
    if (kind == TIDE_EVENT_WARNING) tide_ctx_cancel(ctx);
}

TEST(a_cancelled_run_keeps_nothing)
{
    begin("a,\n1,x\n3,y\n");
    tide_ctx_set_events(ctx, stop, &events);
    tide_frame *f = cached();
    tide_ctx_set_events(ctx, events_keep, &events);
    tide_ctx_uncancel(ctx);
    CHECK(!f && err.status == TIDE_ECANCELLED);
    CHECK(access(KEPT_NAME, F_OK) != 0);
    tide_frame_free(f);
}

TEST(any_format_of_files_is_kept)
{
    const char *text = "{\"a\":1,\"b\":\"x\"}\n\n{\"b\":\"y\"}\n";
    begin("a\n1\n");
    put_file("unit_cache.jsonl", text, strlen(text));
    struct tide_read_options o = {.cache = 1};
    tide_frame *f = read_how("unit_cache.jsonl", o);
    tide_frame *g = read_how("unit_cache.jsonl", o);
    CHECK_INT(events.n_notes, 0);
    same_tables(f, g);
    tide_frame_free(f);
    tide_frame_free(g);
    unlink("unit_cache.jsonl");
    unlink("unit_cache.jsonl.tcol");
    unlink(FILE_NAME);
    unlink(KEPT_NAME);
}
