/* Parameters: descriptors are whole, both bounds fit, one step beyond does not, every alias
 * means its row, an unknown name gets the nearest */
#include <signal.h>
#include <sys/time.h>

#include "suite.h"

static int has_rows(const struct subject *s)
{
    return s->entry->params.n > 0;
}

static int ends_well(const char *text)
{
    size_t n = text ? strlen(text) : 0;
    return n > 0 && text[n - 1] != '.';
}

PROPERTY(descriptor, LEARNERS | STEPS, always)
{
    const struct tide_entry *e = s->entry;
    tide_error err = {0};
    CHECK(ends_well(e->title));
    CHECK(e->camel && e->camel[0] >= 'A' && e->camel[0] <= 'Z');
    CHECK(e->guide && e->guide[0] == 'Q');
    CHECK(e->tolerance >= 0 && e->tolerance < 1e-3);
    CHECK(s->tasks != 0);
    CHECK(!e->paper || *e->paper);
    CHECK(s->step ? s->step->takes != 0 : s->learner->small != NULL);
    CHECK(s->step || (e->tasks & ~(TIDE_CLASSIFY | TIDE_REGRESS | TIDE_ANOMALY)) == 0);
    CHECK(!(s->tasks & TIDE_CLASSIFY) || s->step || takes(s, TIDE_GIVES_PROBA));
    if (s->step)
        CHECK(s->step->fit && s->step->load && s->step->apply);
    else
        CHECK(s->learner->fit && s->learner->load && s->learner->predict);
    if (s->learner && !s->step) {
        const struct tide_learner *l = s->learner;
        int goes_on = takes(s, TIDE_CONTINUES);
        CHECK((l->resume != NULL) == goes_on && (l->rounds != NULL) == goes_on);
        CHECK(!goes_on || (l->counts && tide_params_find(&e->params, l->counts)));
    }
    CHECK(tide_registry_find(s->step ? TIDE_STEP : TIDE_LEARNER, e->name, &err) == e);
    for (int i = 0; i < e->params.n; i++) {
        const struct tide_param *row = &e->params.rows[i];
        CHECK_MSG(ends_well(row->help) && strlen(row->help) <= 72, "help of %s",
                  row->name);
        CHECK_MSG(row->offset < e->params.size, "place of %s", row->name);
        CHECK_MSG(!(row->tune_lo < row->tune_hi) || (row->lo == 0 && row->hi == 0) ||
                      (row->tune_lo >= row->lo && row->tune_hi <= row->hi),
                  "tuning range of %s", row->name);
    }
}

/* The canonical text of the pipeline parses to itself; defaults pass their own rules. */
PROPERTY(text_round_trip, LEARNERS | STEPS, always)
{
    char *once = NULL, *twice = NULL;
    tide_error err = {0};
    tide_values *v = NULL;
    CHECK_MSG(!tide_pipeline_check(s->text, &once, &err), "%s", err.message);
    if (once) CHECK_MSG(!tide_pipeline_check(once, &twice, &err), "%s", err.message);
    CHECK(once && twice && !strcmp(once, twice));
    tide_text_free(once);
    tide_text_free(twice);
    CHECK(!tide_values_new(&s->entry->params, s->name, &v, &err));
    CHECK(v && !tide_values_check(v, &err));
    for (int i = 0; v && i < s->entry->params.n; i++) { /* what is printed is read */
        const struct tide_param *row = &s->entry->params.rows[i];
        char text[256], again[256];
        tide_values *w = NULL;
        if (tide_values_text(v, row, text, sizeof text) <= 0) continue;
        CHECK(!tide_values_new(&s->entry->params, s->name, &w, &err));
        CHECK_MSG(!tide_values_set(w, row->name, text, &err), "%s=%s: %s", row->name,
                  text, err.message);
        tide_values_text(w, row, again, sizeof again);
        CHECK_MSG(!strcmp(text, again), "%s=%s prints %s", row->name, text, again);
        tide_values_free(w);
    }
    tide_values_free(v);
}

/* ---- fitting with one parameter changed ---- */

/* The pipeline with row=value, the other parameters as in .small. */
static void text_with(const struct subject *s, const struct tide_param *row,
                      const char *value, char *out, size_t size)
{
    char small[256], *at = small;
    struct str t = {0};
    snprintf(small, sizeof small, "%s", s->step ? "" : s->small);
    str_addf(&t, "%s(%s=%s", s->name, row->name, value);
    while (*at) {
        while (*at == ' ' || *at == ',') at++;
        size_t n = strcspn(at, ","), name = strcspn(at, "= ");
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)name, at);
        if (n && tide_params_find(&s->entry->params, key) != row)
            str_addf(&t, ", %.*s", (int)n, at);
        at += n;
    }
    str_add(&t, ")");
    if (s->step) {
        const char *carrier = s->learner->small ? s->learner->small : "";
        str_addf(&t, *carrier ? "; %s(%s)" : "; %s", s->learner->name, carrier);
    }
    snprintf(out, size, "%s", t.s ? t.s : "");
    str_free(&t);
}

static tide_ctx *running;
static void stop_running(int number)
{
    (void)number;
    tide_ctx_cancel(running);
}
static void set_alarm(long ms)
{
    struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}

/* Fits, or is refused in a sentence; long work (a bound of rounds) is asked to stop and may
 * leave a part. Any task that takes the value will do. */
static void fits_with(const struct subject *s, const struct tide_param *row,
                      const char *value)
{
    char text[1024];
    struct sigaction act, old;
    text_with(s, row, value, text, sizeof text);
    memset(&act, 0, sizeof act);
    act.sa_handler = stop_running;
    act.sa_flags = SA_RESTART;
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(1);
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct how how = {.text = text};
        running = ctx;
        sigaction(SIGALRM, &act, &old);
        set_alarm(SUITE_SLOW ? 300 : 60);
        struct made x = make(ctx, f, s, j, &how);
        set_alarm(0);
        sigaction(SIGALRM, &old, NULL);
        tide_ctx_uncancel(ctx);
        int stopped = x.st == TIDE_ECANCELLED;
        CHECK_MSG(!x.st || stopped || is_refusal(&x) ||
                      x.err.code == TIDE_CODE_MEMORY_BUDGET || x.st == TIDE_ENOMEM,
                  "%s: status %d, %s", text, (int)x.st, x.err.message);
        CHECK_MSG(!x.st || strlen(x.err.message) > 4, "%s: no sentence", text);
        if (!x.st) check_model(ctx, &x, f, text);
        made_free(&x);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
}

static int is_real(const struct tide_param *row)
{
    return row->type == TIDE_PARAM_REAL || row->type == TIDE_PARAM_REALS;
}

static void number_text(const struct tide_param *row, double x, char *out, size_t size)
{
    if (is_real(row) || row->type == TIDE_PARAM_BYTES) {
        char text[NUM_PRINT_MAX];
        num_print(text, x);
        snprintf(out, size, "%s", text);
    } else {
        snprintf(out, size, "%.0f", x);
    }
}

static int is_number(const struct tide_param *row)
{
    return row->type == TIDE_PARAM_INT || row->type == TIDE_PARAM_I64 ||
           row->type == TIDE_PARAM_U64 || is_real(row);
}

/* The outermost values of a row: they belong. */
static void ends_of(const struct tide_param *row, double *lo, double *hi)
{
    int real = is_real(row);
    *lo = row->lo;
    *hi = row->hi;
    if (row->lo == row->hi) { /* unbounded */
        *lo = real                          ? -DBL_MAX
              : row->type == TIDE_PARAM_U64 ? 0
              : row->type == TIDE_PARAM_INT ? INT32_MIN
                                            : -9007199254740992.0;
        *hi = real                          ? DBL_MAX
              : row->type == TIDE_PARAM_INT ? INT32_MAX
                                            : 9007199254740992.0;
        return;
    }
    if (row->flags & TIDE_OPEN_LO) *lo = real ? nextafter(*lo, INFINITY) : *lo + 1;
    if (row->flags & TIDE_OPEN_HI) *hi = real ? nextafter(*hi, -INFINITY) : *hi - 1;
    if (isinf(*hi)) *hi = DBL_MAX;
}

PROPERTY(bounds_fit, LEARNERS | STEPS, has_rows)
{
    for (int i = 0; i < s->entry->params.n; i++) {
        const struct tide_param *row = &s->entry->params.rows[i];
        char text[64];
        double lo, hi;
        if (row->type == TIDE_PARAM_BOOL) {
            fits_with(s, row, "yes");
            fits_with(s, row, "no");
        } else if (row->type == TIDE_PARAM_ENUM) {
            for (int k = 0; row->choices[k]; k++) fits_with(s, row, row->choices[k]);
        } else if (is_number(row)) {
            ends_of(row, &lo, &hi);
            number_text(row, lo, text, sizeof text);
            fits_with(s, row, text);
            number_text(row, hi, text, sizeof text);
            fits_with(s, row, text);
        }
    }
}

static void refused(const struct subject *s, const struct tide_param *row,
                    const char *text)
{
    tide_values *v = NULL;
    tide_error err = {0};
    CHECK(!tide_values_new(&s->entry->params, s->name, &v, NULL));
    tide_status st = tide_values_set(v, row->name, text, &err);
    CHECK_MSG(st == TIDE_EINVAL && (err.code == TIDE_CODE_PARAM_RANGE ||
                                    err.code == TIDE_CODE_PARAM_VALUE),
              "%s=%s: %s", row->name, text, st ? tide_code_name(err.code) : "taken");
    CHECK_MSG(!strcmp(err.field, row->name) && strstr(err.message, row->name),
              "%s=%s: not named in \"%s\"", row->name, text, err.message);
    tide_values_free(v);
}

PROPERTY(beyond_bounds, LEARNERS | STEPS, has_rows)
{
    for (int i = 0; i < s->entry->params.n; i++) {
        const struct tide_param *row = &s->entry->params.rows[i];
        char text[400];
        double lo, hi;
        if (row->type == TIDE_PARAM_TEXT || row->type == TIDE_PARAM_LIST) continue;
        refused(s, row, "");
        refused(s, row, "no such thing");
        if (row->type == TIDE_PARAM_ENUM || row->type == TIDE_PARAM_BOOL) {
            refused(s, row, "2");
            continue;
        }
        refused(s, row, "nan");
        refused(s, row, "inf");
        refused(s, row, "1e400");
        if (!is_number(row)) continue;
        int real = is_real(row);
        ends_of(row, &lo, &hi);
        if (row->lo == row->hi) {
            if (row->type == TIDE_PARAM_INT) {
                refused(s, row, "-2147483649");
                refused(s, row, "2147483648");
            } else if (!real) {
                refused(s, row, "18446744073709551616");
            }
            continue;
        }
        number_text(row, real ? nextafter(lo, -INFINITY) : lo - 1, text, sizeof text);
        refused(s, row, text);
        if (hi >= DBL_MAX) continue;
        number_text(row, real ? nextafter(hi, INFINITY) : hi + 1, text, sizeof text);
        refused(s, row, text);
        if (!real) refused(s, row, "1.5");
    }
}

/* ---- names ---- */

PROPERTY(aliases, LEARNERS | STEPS, has_rows)
{
    const struct tide_params *table = &s->entry->params;
    for (int i = 0; i < table->n; i++) {
        const struct tide_param *row = &table->rows[i];
        CHECK_MSG(tide_params_find(table, row->name) == row, "%s is not itself",
                  row->name);
        for (const char *p = row->alias; p && *p;) {
            char alias[64], text[256], one[256], two[256];
            size_t n = strcspn(p, " ");
            tide_values *a = NULL, *b = NULL;
            tide_error err = {0};
            snprintf(alias, sizeof alias, "%.*s", (int)n, p);
            p += n + strspn(p + n, " ");
            CHECK_MSG(tide_params_find(table, alias) == row, "%s is not %s", alias,
                      row->name);
            CHECK(!tide_values_new(table, s->name, &a, NULL));
            CHECK(!tide_values_new(table, s->name, &b, NULL));
            double lo = 0, hi = 0;
            if (is_number(row)) {
                ends_of(row, &lo, &hi);
                number_text(row, hi, text, sizeof text);
            } else if (tide_values_text(a, row, text, sizeof text) <= 0) {
                snprintf(text, sizeof text, "x");
            }
            CHECK_MSG(!tide_values_set(a, row->name, text, &err), "%s", err.message);
            CHECK_MSG(!tide_values_set(b, alias, text, &err), "%s", err.message);
            tide_values_text(a, row, one, sizeof one);
            tide_values_text(b, row, two, sizeof two);
            CHECK_MSG(!strcmp(one, two), "%s=%s is %s, %s gives %s", row->name, text,
                      one, alias, two);
            CHECK_MSG(tide_values_given(b, row->name), "%s is not noted", alias);
            tide_values_free(a);
            tide_values_free(b);
        }
    }
}

PROPERTY(unknown_name, LEARNERS | STEPS, always)
{
    const struct tide_params *table = &s->entry->params;
    tide_values *v = NULL;
    tide_error err = {0};
    CHECK(!tide_values_new(table, s->name, &v, NULL));
    tide_status st = tide_values_set(v, "qzxwvy_nothing", "1", &err);
    CHECK(st == TIDE_EINVAL && err.code == TIDE_CODE_PARAM_UNKNOWN);
    CHECK(strstr(err.message, s->name) && strstr(err.message, "qzxwvy_nothing"));
    for (int i = 0; i < table->n; i++) { /* a letter doubled */
        char typo[80];
        const char *name = table->rows[i].name;
        snprintf(typo, sizeof typo, "%s%c", name, name[strlen(name) - 1]);
        if (tide_params_find(table, typo)) continue;
        memset(&err, 0, sizeof err);
        st = tide_values_set(v, typo, "1", &err);
        CHECK(st == TIDE_EINVAL && err.code == TIDE_CODE_PARAM_UNKNOWN);
        CHECK_MSG(strstr(err.value, name), "%s: nearest is \"%s\"", typo, err.value);
    }
    tide_values_free(v);
    char text[256];
    tide_pipeline *p = NULL;
    memset(&err, 0, sizeof err);
    snprintf(text, sizeof text, s->step ? "%s(qzxwvy=1); %s" : "%s(qzxwvy=1)", s->name,
             s->learner->name);
    CHECK(pipeline_parse(text, &p, &err) == TIDE_EINVAL);
    CHECK(err.code == TIDE_CODE_PARAM_UNKNOWN && err.column > 0);
    pipeline_free(p);
    memset(&err, 0, sizeof err);
    snprintf(text, sizeof text, s->step ? "%sx; %s" : "%sx", s->name, s->learner->name);
    CHECK(pipeline_parse(text, &p, &err) == TIDE_EINVAL);
    CHECK_MSG(strstr(err.value, s->name), "nearest to '%s' is \"%s\" (%s)", text,
              err.value, err.message);
    pipeline_free(p);
}
