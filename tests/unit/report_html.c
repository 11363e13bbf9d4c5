/* one page, no request, nothing in it that we did not write - whatever the data holds */
#include <tidemill/report.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "report/report.h"
#include "support/sample_charts.h"
#include "support/unit.h"

#define HOSTILE                                                                        \
    "</script><img onerror=alert(1) src=x>\"'&\x1b[31m\xe2\x80\xae"                    \
    "evil\x01"

static tide_report *sample(const char *name)
{
    static const uint8_t right[] = {0, 1, 1};
    const char *head[] = {"column", name, "missing"};
    const char *cells[] = {name, "1,234", NULL, "plain", "-0.5", "3"};
    tide_error err = {0};
    tide_report *r = report_new(NULL, "train", name, &err);
    struct report_metric m = {.key = "auc",
                              .title = "area under the ROC curve",
                              .method = "DeLong",
                              .value = 0.81234,
                              .lo = 0.79,
                              .hi = 0.8333,
                              .n = 9158,
                              .worst = 0,
                              .chance = 0.5,
                              .best = 1,
                              .main = 1};
    json_t *parameters = json_object();
    CHECK(r != NULL);
    r->subtitle = arena_str(&r->arena, name);
    report_fact_str(r, "target", name);
    report_fact_int(r, "rows", 36631);
    report_fact_str(r, "pipeline", "num: impute:median; gbdt(trees=800)");
    json_put_f64(parameters, "rate", 0.1);
    json_put_str(parameters, "loss", name);
    report_fact_json(r, "parameters", parameters);
    report_verdict(r,
                   "Fits well: %s stands between 0.79 and 0.83 on rows it has not "
                   "seen, and guessing gives 0.5.",
                   name);
    report_metric(r, &m);
    m = (struct report_metric){.key = "log_loss",
                               .title = "log loss",
                               .value = NAN,
                               .lo = NAN,
                               .hi = NAN,
                               .chance = NAN,
                               .reason = "a class has no rows"};
    report_metric(r, &m);
    report_text(r, "A sentence about %s.", name);
    report_table(r, "columns", name, 3, head, right, 2, cells);
    report_heading(r, name);
    for (int i = 0; i < SAMPLE_CHARTS; i++) {
        struct tide_chart *c = sample_charts[i](&r->arena);
        CHECK(chart_finish(c, &err) == TIDE_OK);
        report_chart(r, c);
    }
    report_note(r, "%s is mostly missing", name);
    report_advice(r, "tidemill eval income.tide adult_test.csv --html eval.html",
                  "Look at rows that %s gets wrong.", name);
    CHECK(report_status(r, &err) == TIDE_OK);
    return r;
}

static int take(void *payload, const void *data, size_t n)
{
    str_addn(payload, data, n);
    return 0;
}

static struct str written(const tide_report *r, int format)
{
    struct str out = {0};
    struct tide_report_style style = {.format = format, .charts = 1};
    tide_error err = {0};
    CHECK_MSG(tide_report_write(r, &style, take, &out, &err) == TIDE_OK, "%s",
              err.message);
    return out;
}

static int count(const char *page, const char *what)
{
    int n = 0;
    for (const char *p = page; (p = strstr(p, what)) != NULL; p++) n++;
    return n;
}

TEST(names_from_data_make_no_element)
{
    static const char *const tags[] = {"<script", "<style", "<img",  "<iframe",
                                       "<a ",     "<svg",   "<meta", "<form"};
    tide_report *tame = sample("income"), *wild = sample(HOSTILE);
    struct str a = written(tame, TIDE_FORMAT_HTML), b = written(wild, TIDE_FORMAT_HTML);
    for (int i = 0; i < 8; i++)
        CHECK_MSG(count(a.s, tags[i]) == count(b.s, tags[i]), "%s", tags[i]);
    CHECK_INT(count(a.s, "<"), count(b.s, "<"));
    CHECK_INT(count(b.s, "</script>"), 1);
    CHECK_INT(count(b.s, "<img"), 0);
    for (const char *p = b.s; *p; p++) CHECK((unsigned char)*p >= 32 || *p == '\n');
    CHECK(!strstr(b.s, "\xe2\x80\xae"));
    CHECK(utf8_check(b.s, b.len) == 0);
    str_free(&a);
    str_free(&b);
    tide_report_free(tame);
    tide_report_free(wild);
}

TEST(the_page_asks_for_nothing_and_its_policy_lets_its_own_style_through)
{
    tide_report *r = sample("income");
    struct str a = written(r, TIDE_FORMAT_HTML);
    const char *from = strstr(a.s, "<style>") + 7, *to = strstr(a.s, "</style>");
    struct sha256 h;
    uint8_t digest[32];
    CHECK_INT(count(a.s, "http"), 1); /* http-equiv */
    CHECK_INT(count(a.s, " style="), 0);
    CHECK_INT(count(a.s, " onclick"), 0);
    CHECK_INT(count(a.s, "url("), 0);
    CHECK_INT(count(a.s, "src="), 0);
    CHECK_INT(count(a.s, "<h1>"), 1);
    CHECK_INT(count(a.s, "<main"), 1);
    CHECK_INT(count(a.s, "<bdi>"), count(a.s, "</bdi>"));
    CHECK_INT(count(a.s, "<figure"), SAMPLE_CHARTS);
    CHECK(strstr(a.s, "default-src 'none'"));
    sha256_init(&h);
    sha256_add(&h, from, (size_t)(to - from));
    sha256_end(&h, digest);
    /* the first byte of the digest is the first six bits of its base64 */
    CHECK_INT(
        strstr(a.s, "style-src 'sha256-")[18],
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[digest[0] >>
                                                                           2]);
    CHECK(count(a.s, "id=\"") > 3 * SAMPLE_CHARTS);
    str_free(&a);
    tide_report_free(r);
}

TEST(a_report_gives_the_same_bytes_twice)
{
    for (int format = TIDE_FORMAT_TERM; format <= TIDE_FORMAT_JSON; format++) {
        tide_report *one = sample(HOSTILE), *two = sample(HOSTILE);
        struct str a = written(one, format), b = written(two, format);
        CHECK_STR(a.s, b.s);
        str_free(&a);
        str_free(&b);
        tide_report_free(one);
        tide_report_free(two);
    }
}

TEST(json_holds_facts_and_metrics_under_their_keys)
{
    tide_report *r = sample(HOSTILE);
    struct str a = written(r, TIDE_FORMAT_JSON);
    json_t *o = NULL, *m;
    tide_error err = {0};
    CHECK(json_read(a.s, a.len, 1 << 24, "report", TIDE_CODE_INTERNAL, &o, &err) ==
          TIDE_OK);
    CHECK_STR(json_get_str(o, "target", ""), HOSTILE);
    CHECK_INT(json_get_i64(o, "rows", 0), 36631);
    m = json_object_get(json_object_get(o, "metrics"), "auc");
    CHECK(json_get_f64(m, "value", 0) == 0.81234 && json_get_f64(m, "hi", 0) == 0.8333);
    m = json_object_get(json_object_get(o, "metrics"), "log_loss");
    CHECK(json_is_null(json_object_get(m, "value")));
    CHECK_STR(json_get_str(m, "reason", ""), "a class has no rows");
    CHECK_INT(json_array_size(json_object_get(o, "charts")), SAMPLE_CHARTS);
    CHECK_INT(json_array_size(json_object_get(o, "advice")), 1);
    json_decref(o);
    str_free(&a);
    tide_report_free(r);
}

TEST(the_terminal_gets_no_escape_of_the_data)
{
    tide_report *r = sample(HOSTILE);
    struct str a = written(r, TIDE_FORMAT_TERM);
    CHECK(!strchr(a.s, '\x1b') && !strchr(a.s, '\x01'));
    CHECK(strstr(a.s, "\\x1b[31m"));
    str_free(&a);
    tide_report_free(r);
}

TEST(one_chart_alone_by_key_and_the_nearest_of_an_unknown_one)
{
    tide_report *r = sample("income");
    struct tide_report_style style = {.format = TIDE_FORMAT_SVG, .chart = "roc"};
    struct str out = {0};
    tide_error err = {0};
    CHECK(tide_report_write(r, &style, take, &out, &err) == TIDE_OK);
    CHECK(strncmp(out.s, "<svg", 4) == 0);
    style.chart = "rok";
    CHECK(tide_report_write(r, &style, take, &out, &err) == TIDE_EINVAL);
    CHECK_STR(err.value, "roc");
    style.chart = NULL;
    CHECK(tide_report_write(r, &style, take, &out, &err) == TIDE_EINVAL);
    str_free(&out);
    tide_report_free(r);
}

struct sunk {
    size_t n;
};
static int count_bytes(void *payload, const void *data, size_t n)
{
    (void)data;
    ((struct sunk *)payload)->n += n;
    return 0;
}

static int refuse(void *payload, const void *data, size_t n)
{
    (void)payload;
    (void)data;
    (void)n;
    return 1;
}

TEST(a_sink_that_stops_is_a_file_error)
{
    tide_report *r = sample("income");
    struct tide_report_style style = {.format = TIDE_FORMAT_HTML};
    tide_error err = {0};
    CHECK(tide_report_write(r, &style, refuse, NULL, &err) == TIDE_EFILE);
    tide_report_free(r);
}

/* TIDEMILL_PAGE=FILE writes the tame page, to be looked at. */
TEST(the_page_can_be_looked_at)
{
    const char *path = getenv("TIDEMILL_PAGE");
    tide_report *r = sample("income");
    struct str a = written(r, TIDE_FORMAT_HTML);
    FILE *f = path ? fopen(path, "wb") : NULL;
    CHECK(a.len < 200000);
    if (f) {
        fwrite(a.s, 1, a.len, f);
        fclose(f);
    }
    str_free(&a);
    tide_report_free(r);
}

/* Every allocation of every form may fail: an error, or (where the JSON library can do without
 * what it asked for) the whole report; never a part, nothing left behind. */
TEST(starved_renderers_say_so)
{
    static const int formats[] = {TIDE_FORMAT_TERM, TIDE_FORMAT_JSON, TIDE_FORMAT_HTML};
    for (int f = 0; f < 3; f++) {
        tide_report *r = sample("income");
        struct tide_report_style style = {
            .format = formats[f], .charts = 1, .colours = 16};
        int64_t live = alloc_live();
        tide_status s = TIDE_ENOMEM;
        int hit = 1;
        struct sunk all = {0};
        size_t whole;
        CHECK(tide_report_write(r, &style, count_bytes, &all, NULL) == TIDE_OK);
        whole = all.n;
        for (int64_t k = 1; hit; k += 1 + k / 50) {
            struct sunk sunk = {0};
            tide_error err = {0};
            alloc_fault_set(k, (int)(k % 2));
            s = tide_report_write(r, &style, count_bytes, &sunk, &err);
            hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(s == TIDE_OK ? sunk.n == whole : hit && s == TIDE_ENOMEM,
                      "format %d, call %d: %d, %d bytes of %d", formats[f], (int)k,
                      (int)s, (int)sunk.n, (int)whole);
            CHECK_MSG(alloc_live() == live, "format %d, call %d: %d blocks", formats[f],
                      (int)k, (int)(alloc_live() - live));
            if (s && !hit) break;
        }
        tide_report_free(r);
    }
}
