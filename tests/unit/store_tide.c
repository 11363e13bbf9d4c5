/* .tide files: round trips, every prefix, every byte, repaired structural damage, faults
 *
 * The models are small ones of every learner this build has, on a table with gaps and
 * categories, so a learner that is added is tested here without a line. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "pipe/pipe.h"
#include "store/store.h"
#include "support/events.h"
#include "support/table.h"

static struct events said;
static tide_error err;
static int threads = 2;

struct fitted {
    tide_ctx *ctx;
    tide_frame *frame;
    struct problem *p;
    tide_model *m;
    struct arena a;
    uint8_t *data;
    size_t n;
};

/* A model by its pipeline text, with its bytes. 0 when it could be made. */
static int fit_text(struct fitted *f, const char *text, const char *target,
                    int64_t rows)
{
    tide_pipeline *pipe = NULL;
    struct tide_problem_options o = {.target = target, .task = target ? 0 : 3};
    struct pipe_fit how = {.seed = 42};
    *f = (struct fitted){.ctx = events_ctx(&said)};
    CHECK(!tide_ctx_set_threads(f->ctx, threads, NULL));
    memset(&err, 0, sizeof err);
    arena_init(&f->a, NULL);
    f->frame = table_mixed(f->ctx, rows, 11);
    tide_status st = pipeline_parse(text, &pipe, &err);
    if (!st) st = problem_new(f->ctx, f->frame, &o, &f->p, &err);
    if (!st) st = pipe_fit(f->ctx, f->p, pipe, &how, &f->m, NULL, &err);
    if (!st) st = model_add_profile(f->ctx, f->m, f->p, &err);
    if (!st) st = model_add_golden(f->ctx, f->m, &err);
    if (!st) st = tide_write_model(f->m, &f->a, &f->data, &f->n, &err);
    CHECK_MSG(st == TIDE_OK, "%s on %s: %s", text, target ? target : "nothing",
              err.message);
    pipeline_free(pipe);
    return (int)st;
}

static void fitted_free(struct fitted *f)
{
    tide_model_free(f->m);
    problem_free(f->p);
    tide_frame_free(f->frame);
    arena_free(&f->a);
    tide_ctx_free(f->ctx);
}

/* What learner i is tested on; NULL: it learns without a target. */
static const char *target_of(int i)
{
    uint32_t tasks = learner_get(i)->tasks;
    return tasks & TIDE_CLASSIFY ? "answer" : tasks & TIDE_REGRESS ? "amount" : NULL;
}

/* The default pipeline of learner i for a target, with its small parameters. */
static int fit_learner(struct fitted *f, int i, const char *target, int64_t rows)
{
    const struct tide_learner *l = learner_get(i);
    struct tide_problem_options o = {.target = target, .task = target ? 0 : 3};
    tide_ctx *ctx = events_ctx(&said);
    tide_frame *frame = table_mixed(ctx, rows, 11);
    struct problem *p = NULL;
    tide_pipeline *pipe = NULL;
    struct str text = {0};
    const char *items[16];
    static char small[256];
    struct tide_text_list sets = {items, 0};
    snprintf(small, sizeof small, "%s", l->small ? l->small : "");
    for (char *s = small; *s && sets.n < 16;) {
        while (*s == ' ' || *s == ',') s++;
        if (*s) items[sets.n++] = s;
        while (*s && *s != ',' && *s != ' ') s++;
        if (*s) *s++ = '\0';
    }
    CHECK(!problem_new(ctx, frame, &o, &p, &err));
    CHECK_MSG(!pipeline_default(l->name, &sets, p, &pipe, NULL, &err), "%s: %s",
              l->name, err.message);
    if (pipe) pipeline_print(pipe, &text);
    int bad = pipe ? fit_text(f, text.s, target, rows) : 1;
    str_free(&text);
    pipeline_free(pipe);
    problem_free(p);
    tide_frame_free(frame);
    tide_ctx_free(ctx);
    return bad;
}

static tide_status open_bytes(const struct fitted *f, const uint8_t *data, size_t n)
{
    tide_model *m = NULL;
    memset(&err, 0, sizeof err);
    tide_status st = tide_model_open_memory(f->ctx, data, n, &m, &err);
    CHECK((st == TIDE_OK) == (m != NULL));
    tide_model_free(m);
    return st;
}

/* ---- repairing what a mutation broke on the way ---- */

static uint32_t u32_at(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static uint64_t u64_at(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}
static void repair(uint8_t *data, size_t n)
{
    uint32_t sections = u32_at(data + 24);
    for (uint32_t i = 0; i < sections && 64 + 48 * (uint64_t)(i + 1) <= n; i++) {
        uint8_t *e = data + 64 + 48 * i;
        uint64_t at = u64_at(e + 16), size = u64_at(e + 24);
        if (at <= n && size <= n - at) put32(e + 40, crc32c(0, data + at, size));
    }
    put32(data + 60, crc32c(0, data, 60));
    struct sha256 s;
    sha256_init(&s);
    sha256_add(&s, data, n - 32);
    sha256_end(&s, data + n - 32);
}

/* A copy with room behind it. */
static uint8_t *copy_of(const struct fitted *f, size_t more)
{
    uint8_t *c = malloc(f->n + more);
    memcpy(c, f->data, f->n);
    memset(c + f->n, 0, more);
    return c;
}

#define REFUSED(name)                                                                  \
    do {                                                                               \
        CHECK(open_bytes(&f, c, n) != TIDE_OK);                                        \
        CHECK_STR(tide_code_name(err.code), name);                                     \
    } while (0)

/* ---- round trips ---- */

static void round_trip(struct fitted *f)
{
    tide_model *m = NULL;
    int64_t rows = tide_frame_rows(f->frame);
    size_t k = (size_t)schema_width(&f->m->schema);
    double *a = malloc((size_t)rows * k * 8), *b = malloc((size_t)rows * k * 8);
    CHECK_MSG(!tide_model_open_memory(f->ctx, f->data, f->n, &m, &err), "%s [%s] %s",
              err.message, tide_code_name(err.code), err.place);
    if (m) {
        CHECK(!pipe_predict(f->ctx, f->m, f->frame, NULL, rows, a, NULL, &err));
        CHECK(!pipe_predict(f->ctx, m, f->frame, NULL, rows, b, NULL, &err));
        CHECK(memcmp(a, b, (size_t)rows * k * 8) == 0);
        uint8_t *again = NULL;
        size_t n = 0;
        CHECK(!tide_write_model(m, &f->a, &again, &n, &err));
        CHECK(n == f->n && again && memcmp(again, f->data, n) == 0);
        CHECK_INT(strlen(tide_model_sha256(m)), 64);
        CHECK_INT(tide_model_bytes(m), f->n);
    }
    tide_model_free(m);
    free(a);
    free(b);
}

TEST(every_learner_survives_a_round_trip_and_a_second_fit_gives_the_same_bytes)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++)
        for (int task = 0; task < 3; task++) {
            static const char *const targets[] = {"answer", "amount", NULL};
            struct fitted f, g;
            const char *target = targets[task];
            if (!(learner_get(i)->tasks >> task & 1)) continue;
            if (fit_learner(&f, i, target, 150)) {
                fitted_free(&f);
                continue;
            }
            round_trip(&f);
            if (!fit_learner(&g, i, target, 150))
                CHECK_MSG(g.n == f.n && memcmp(g.data, f.data, f.n) == 0,
                          "%s: another fit, other bytes", learner_get(i)->name);
            fitted_free(&g);
            fitted_free(&f);
        }
}

TEST(n26_threads_change_no_byte)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        const char *target = target_of(i);
        static const int counts[] = {1, 3, 7};
        uint8_t *first = NULL;
        size_t n = 0;
        for (int k = 0; k < 3; k++) {
            struct fitted f;
            threads = counts[k];
            if (!fit_learner(&f, i, target, 6000)) {
                if (!first) {
                    n = f.n;
                    first = copy_of(&f, 0);
                }
                CHECK_MSG(f.n == n && memcmp(f.data, first, n) == 0, "%s: %d threads",
                          learner_get(i)->name, counts[k]);
            }
            fitted_free(&f);
        }
        free(first);
    }
    threads = 2;
}

/* ---- damage ---- */

TEST(m01_m02_every_prefix_is_refused)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        struct fitted f;
        if (!fit_learner(&f, i, target_of(i), 60)) {
            for (size_t n = 0; n < f.n; n++) {
                CHECK_INT(open_bytes(&f, f.data, n), TIDE_EMODEL);
                CHECK_INT(err.code, TIDE_CODE_TIDE_TRUNCATED);
                CHECK_STR(err.file, "memory");
            }
        }
        fitted_free(&f);
    }
}

TEST(m03_every_flipped_byte_is_refused)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        struct fitted f;
        if (!fit_learner(&f, i, target_of(i), 60)) {
            uint8_t *c = copy_of(&f, 0);
            size_t step = 1 + f.n / 12000, passed = 0;
            for (size_t k = 0; k < f.n; k += step)
                for (int x = 0; x < 2; x++) {
                    c[k] ^= x ? 0xff : 0x01;
                    passed += open_bytes(&f, c, f.n) == TIDE_OK;
                    c[k] = f.data[k];
                }
            CHECK_INT(passed, 0);
            free(c);
        }
        fitted_free(&f);
    }
}

/* Damage that somebody repaired the checksums of: refused, or a model that can be used. */
TEST(m04_repaired_damage_is_refused_or_harmless)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        struct fitted f;
        if (fit_learner(&f, i, target_of(i), 60)) {
            fitted_free(&f);
            continue;
        }
        size_t k = (size_t)schema_width(&f.m->schema);
        double *out = malloc(60 * k * 8);
        uint64_t seed = 17;
        for (int round = 0; round < 1500; round++) {
            uint8_t *c = copy_of(&f, 0);
            uint64_t r = gen_mix(seed += 0x9e3779b97f4a7c15u);
            size_t at = 64 + (size_t)(r % (f.n - 96));
            static const uint32_t values[] = {0,          1,          0x7fffffff,
                                              0xffffffff, 0x80000000, 255};
            if (round % 3 == 0)
                c[at] = (uint8_t)(r >> 40);
            else if (round % 3 == 1)
                c[at] ^= (uint8_t)(1u << (r >> 61));
            else if (at + 4 < f.n - 32)
                put32(c + (at & ~(size_t)3), values[(r >> 33) % 6]);
            repair(c, f.n);
            tide_model *m = NULL;
            if (!tide_model_open_memory(f.ctx, c, f.n, &m, &err)) {
                if (m->schema.n_classes == f.m->schema.n_classes)
                    (void)pipe_predict(f.ctx, m, f.frame, NULL, 60, out, NULL, &err);
            } else {
                CHECK(err.message[0] != '\0');
                CHECK_STR(err.file, "memory");
            }
            tide_model_free(m);
            free(c);
        }
        free(out);
        fitted_free(&f);
    }
}

/* ---- single faults ---- */

static int first_learner(void)
{
    int best = 0;
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++)
        if (!strcmp(learner_get(i)->name, "gbdt")) best = i;
    return best;
}

TEST(m05_foreign_files_are_named)
{
    struct fitted f;
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } foreign[] = {
        {"\x80\x04\x95rest of a pickle", 20, "a Python pickle"},
        {"\177ELF..............", 18, "a program (ELF)"},
        {"GGUF................", 18, "a GGUF model"},
        {"\x50\0\0\0\0\0\0\0{\"__metadata__\"", 20, "a safetensors file"},
        {"a,b,c\n1,2,3\n4,5,6\n", 18, "text, perhaps a table"},
        {"{\"learner\":{\"attr", 17, "an XGBoost model (JSON)"},
        {"tree\nversion=v4\nnum", 18, "a LightGBM model"},
        {"PK\x03\x04...........", 14, "a ZIP archive"},
    };
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        char want[128];
        const uint8_t *c = (const uint8_t *)foreign[i].bytes;
        size_t n = foreign[i].n;
        REFUSED("tide-magic");
        snprintf(want, sizeof want, "not a tidemill model: looks like %s",
                 foreign[i].what);
        CHECK_STR(err.message, want);
    }
    fitted_free(&f);
}

TEST(m06_m28_versions_and_byte_order)
{
    struct fitted f;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    uint8_t *c = copy_of(&f, 0);
    size_t n = f.n;
    c[8] = 0;
    repair(c, n);
    REFUSED("tide-version");
    CHECK_STR(err.message, "format 0.0 is not known, this reader reads 1.1");
    c[8] = 999 & 255, c[9] = 999 >> 8;
    repair(c, n);
    REFUSED("tide-version");
    memcpy(c, f.data, n);
    c[10] = 7, c[12] = 7;
    repair(c, n);
    REFUSED("tide-version");
    CHECK_STR(err.message, "format 1.7 needs a newer reader than 1.1");
    CHECK_STR(err.value, "upgrade tidemill");
    memcpy(c, f.data, n);
    c[10] = 7; /* a newer file that an older reader may read */
    repair(c, n);
    CHECK(!open_bytes(&f, c, n));
    memcpy(c, f.data, n);
    for (int k = 0; k < 2; k++) {
        uint8_t t = c[16 + k];
        c[16 + k] = c[19 - k];
        c[19 - k] = t;
    }
    REFUSED("tide-byte-order");
    free(c);
    fitted_free(&f);
}

TEST(m07_to_m13_bounds_of_sections)
{
    struct fitted f;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    uint8_t *c = copy_of(&f, 256);
    size_t n = f.n;
    uint8_t *second = c + 64 + 48;
    uint64_t at = u64_at(second + 16), size = u64_at(second + 24);
#define WITH(change, code)                                                             \
    do {                                                                               \
        memcpy(c, f.data, f.n);                                                        \
        change;                                                                        \
        repair(c, n);                                                                  \
        REFUSED(code);                                                                 \
    } while (0)
    WITH(put64(second + 24, n), "tide-bounds");          /* M07 beyond the file */
    WITH(put64(second + 24, UINT64_MAX), "tide-bounds"); /* M10 wraps */
    WITH(put64(second + 16, UINT64_MAX & ~63ull), "tide-bounds");
    WITH(put64(second + 16, at - 64), "tide-bounds"); /* M08 overlap */
    WITH(put64(second + 16, at + 64), "tide-bounds"); /* M09 gap */
    WITH(put64(second + 16, at + 8), "tide-bounds");  /* M12 alignment */
    WITH(put32(c + 24, UINT32_MAX), "tide-bounds");   /* M11 */
    WITH(put32(second + 8, 2), "tide-flags");         /* M37 */
    WITH(put32(second + 44, 1), "tide-flags");
    WITH(put32(c + 28, 1), "tide-flags");
    WITH(put64(second + 32, u64_at(second + 32) + 1), "tide-size");
    WITH(put32(c + 20, 200u << 20), "limit-metadata");       /* M25 */
    WITH(memcpy(second, c + 64, 16), "tide-section");        /* twice */
    WITH(memcpy(second, "WHAT\0\0\0\0", 8), "tide-section"); /* M40 required */
    WITH(memcpy(second, "wh.t\0\0\0\0", 8), "tide-section");
    WITH(memcpy(second, "A\0B\0\0\0\0\0", 8), "tide-section");
    int found = 0;
    for (uint32_t k = 0; k + 1 < u32_at(c + 24) && !found; k++) { /* a byte in a gap */
        const uint8_t *e = f.data + 64 + 48 * k;
        uint64_t end = u64_at(e + 16) + u64_at(e + 24);
        if (end % 64 == 0) continue;
        found = 1;
        WITH(c[end] = 1, "tide-bounds");
    }
    CHECK(found);
    CHECK(size > 0);
    n = f.n + 128; /* M13 */
    memcpy(c, f.data, f.n);
    REFUSED("tide-trailing");
    CHECK_STR(err.message, "128 bytes follow the model");
    free(c);
    fitted_free(&f);
}

/* The file with another header text; sections move. */
static uint8_t *with_header(const struct fitted *f, const char *json, size_t len,
                            size_t *n)
{
    uint32_t old = u32_at(f->data + 20), sections = u32_at(f->data + 24);
    uint64_t head = 64 + 48 * (uint64_t)sections, from = u64_at(f->data + 64 + 16);
    uint64_t to = (head + len + 63) & ~63ull;
    (void)old;
    *n = f->n - from + to;
    uint8_t *c = calloc(1, *n);
    memcpy(c, f->data, head);
    memcpy(c + head, json, len);
    memcpy(c + to, f->data + from, f->n - from);
    put32(c + 20, (uint32_t)len);
    put64(c + 32, *n);
    for (uint32_t k = 0; k < sections; k++)
        put64(c + 64 + 48 * k + 16, u64_at(c + 64 + 48 * k + 16) - from + to);
    repair(c, *n);
    return c;
}

/* The file with `a` in its header replaced by `b`. */
static uint8_t *with_text(const struct fitted *f, const char *a, const char *b,
                          size_t *n)
{
    uint32_t len = u32_at(f->data + 20);
    uint64_t head = 64 + 48 * (uint64_t)u32_at(f->data + 24);
    char *text = malloc(len + 1), *out = malloc(len + strlen(b) + 1);
    memcpy(text, f->data + head, len);
    text[len] = '\0';
    const char *hit = strstr(text, a);
    CHECK_MSG(hit != NULL, "the header has no %s", a);
    size_t before = hit ? (size_t)(hit - text) : 0;
    memcpy(out, text, before);
    memcpy(out + before, b, strlen(b));
    const char *rest = hit ? hit + strlen(a) : "";
    memcpy(out + before + strlen(b), rest, strlen(rest) + 1);
    uint8_t *c = with_header(f, out, strlen(out), n);
    free(text);
    free(out);
    return c;
}

TEST(hostile_headers_are_refused)
{
    struct fitted f;
    static const struct {
        const char *a, *b, *code;
    } cases[] = {
        {"\"task\":\"classify\"", "\"task\":\"dance\"", "tide-header"},
        {"\"task\":\"classify\"", "\"task\":\"regress\"", "tide-classes"},
        {"\"classes\":[\"no\",\"yes\"]", "\"classes\":[]", "tide-classes"},
        {"\"classes\":[\"no\",\"yes\"]", "\"classes\":[\"no\",\"no\"]", "tide-classes"},
        {"\"classes\":[\"no\",\"yes\"]", "\"classes\":[\"no\",7]", "tide-header"},
        {"\"positive\":1", "\"positive\":2", "tide-header"},
        {"\"threshold\":0.5", "\"threshold\":1.5", "tide-value"},
        {"\"seed\":\"42\"", "\"seed\":\"-1\"", "tide-header"},
        {"\"required\":[]", "\"required\":[\"wings\"]", "tide-header"},
        {"\"name\":\"age\"", "\"name\":\"zzz\"", "tide-schema"},
        {"\"name\":\"age\"", "\"name\":5", "tide-header"},
        {"\"type\":\"int\"", "\"type\":\"text\"", "tide-header"},
        {"\"levels\":5", "\"levels\":4", NULL},
        {"\"levels\":5", "\"levels\":4000000000", NULL},
        {"\"levels\":5", "\"levels\":-1", "tide-header"},
        {"\"pipeline\":\"", "\"pipeline\":\"what:ever; ", "tide-header"},
        {"\"nodes\":[{", "\"nodes\":[{\"name\":\"x\"},{", "tide-schema"},
        {"\"width\":", "\"width\":9", "tide-schema"},
        {"\"shape\":[", "\"shape\":[9223372036854775807,", "tide-size"},
        {"\"shape\":[", "\"shape\":[-1,", "tide-size"},
        {"\"arrays\":[{", "\"arrays\":[{\"section\":\"NODES\"},{", "tide-schema"},
        {"\"instance\":0", "\"instance\":1", "tide-schema"},
        {"\"part\":\"schema\"", "\"part\":\"moon\"", "tide-schema"},
        {"\"about\":{", "\"about\":[],\"x\":{", "tide-header"},
        {"\"seed\":\"42\"", "\"seed\":\"42\",\"seed\":\"43\"", "tide-header"},
        {"{\"tidemill\"", "[\"tidemill\"", "tide-header"},
    };
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        uint8_t *c = with_text(&f, cases[i].a, cases[i].b, &n);
        CHECK_MSG(open_bytes(&f, c, n) == TIDE_EMODEL, "%s passes", cases[i].b);
        if (cases[i].code)
            CHECK_MSG(!strcmp(tide_code_name(err.code), cases[i].code), "%s: %s (%s)",
                      cases[i].b, tide_code_name(err.code), err.message);
        free(c);
    }
    fitted_free(&f);
}

#define OUTPUTS "\"outputs\":[\"q0.1\",\"q0.5\",\"q0.9\"]"
TEST(outputs_are_those_of_the_pipeline)
{
    struct fitted f;
    static const struct {
        const char *a, *b;
    } cases[] = {
        {OUTPUTS, "\"outputs\":[\"q0.1\",\"q0.9\"]"},
        {OUTPUTS, "\"outputs\":[\"q0.1\",\"q0.6\",\"q0.9\"]"},
        {OUTPUTS, "\"outputs\":[\"q0.1\",5,\"q0.9\"]"},
        {OUTPUTS, "\"outputs\":7"},
        {OUTPUTS, "\"other\":7"},
        {"quantile=[0.1,0.5,0.9]", "quantile=[0.1,0.9]"},
        {"quantile=[0.1,0.5,0.9]", "quantile=0.5"},
    };
    if (fit_text(&f, "gbdt(trees=3, loss=quantile, quantile=0.1,0.5,0.9)", "amount",
                 60))
        return;
    CHECK_INT(schema_width(&f.m->schema), 3);
    round_trip(&f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        uint8_t *c = with_text(&f, cases[i].a, cases[i].b, &n);
        CHECK_MSG(open_bytes(&f, c, n) == TIDE_EMODEL, "%s passes", cases[i].b);
        CHECK_STR(tide_code_name(err.code), "tide-classes");
        free(c);
    }
    fitted_free(&f);
    /* one value a row has no names */
    if (fit_text(&f, "gbdt(trees=3, loss=quantile)", "amount", 60)) return;
    size_t n;
    uint8_t *c = with_text(&f, "\"threshold\"", OUTPUTS ",\"threshold\"", &n);
    CHECK_INT(open_bytes(&f, c, n), TIDE_EMODEL);
    CHECK_STR(tide_code_name(err.code), "tide-classes");
    free(c);
    fitted_free(&f);
}

TEST(m25_depth_of_the_header)
{
    struct fitted f;
    size_t n;
    char *deep = malloc(20001);
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    uint8_t *c = with_header(&f, deep, 20000, &n);
    REFUSED("limit-depth");
    free(c);
    free(deep);
    fitted_free(&f);
}

TEST(m26_names_are_kept_and_only_shown)
{
    struct fitted f;
    size_t n;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    uint8_t *c =
        with_text(&f, "\"name\":\"answer\"", "\"name\":\"<script>../x\\u001b[2J\"", &n);
    tide_model *m = NULL;
    CHECK_MSG(!tide_model_open_memory(f.ctx, c, n, &m, &err), "%s", err.message);
    if (m) CHECK_STR(tide_model_target(m), "<script>../x\x1b[2J");
    tide_model_free(m);
    free(c);
    char *longer = malloc(70000 + 32);
    int k = snprintf(longer, 32, "\"name\":\"");
    memset(longer + k, 'a', 70000);
    memcpy(longer + k + 70000, "\"", 2);
    c = with_text(&f, "\"name\":\"answer\"", longer, &n);
    REFUSED("tide-header");
    free(longer);
    free(c);
    fitted_free(&f);
}

TEST(m40_an_unknown_optional_section_is_skipped_with_a_note)
{
    struct fitted f;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    /* the last section (golden scores) becomes one of the future; its entry is taken off */
    uint8_t *entry = f.data + 64 + 48 * (u32_at(f.data + 24) - 1);
    uint8_t saved[8];
    memcpy(saved, entry, 8);
    memcpy(entry, "FUTURE\0\0", 8);
    repair(f.data, f.n);
    CHECK(open_bytes(&f, f.data, f.n) != TIDE_OK); /* the header still lists it */
    CHECK_STR(tide_code_name(err.code), "tide-section");
    memcpy(entry, saved, 8);
    repair(f.data, f.n);
    CHECK(!open_bytes(&f, f.data, f.n));
    fitted_free(&f);
}

TEST(golden_rows_notice_a_changed_leaf)
{
    struct fitted f;
    int n_seen = 0;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    uint8_t *c = copy_of(&f, 0);
    for (uint32_t k = 0; k < u32_at(c + 24); k++) {
        uint8_t *e = c + 64 + 48 * k;
        if (memcmp(e, "LEAVES", 6) != 0) continue;
        double x;
        uint8_t *p = c + u64_at(e + 16);
        memcpy(&x, p, 8);
        x = x + 1;
        memcpy(p, &x, 8);
        n_seen++;
    }
    repair(c, f.n);
    size_t n = f.n;
    if (n_seen) REFUSED("tide-golden");
    free(c);
    fitted_free(&f);
}

/* ---- files ---- */

static char folder[64];
static const char *path_in(const char *name)
{
    static char path[4][128];
    static int k;
    if (!folder[0]) {
        snprintf(folder, sizeof folder, "/tmp/store_tide_XXXXXX");
        CHECK(mkdtemp(folder) != NULL);
    }
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

TEST(m39_a_file_is_saved_opened_and_held_to_its_sha)
{
    struct fitted f;
    tide_model *m = NULL;
    const char *path = path_in("a.tide");
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    CHECK_MSG(!tide_model_save(f.ctx, f.m, path, &err), "%s", err.message);
    char sha[65];
    snprintf(sha, sizeof sha, "%s", tide_model_sha256(f.m));
    CHECK_INT(strlen(sha), 64);
    CHECK(!tide_model_open(f.ctx, path, sha, &m, &err));
    CHECK_STR(tide_model_sha256(m), sha);
    CHECK_INT(tide_model_bytes(m), f.n);
    tide_model_free(m);
    sha[0] = sha[0] == 'a' ? 'b' : 'a';
    CHECK_INT(tide_model_open(f.ctx, path, sha, &m, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_TIDE_HASH);
    CHECK_STR(err.file, path);
    CHECK_INT(tide_model_open(f.ctx, path, "abc", &m, &err), TIDE_EINVAL);
    CHECK_INT(tide_model_open(f.ctx, path_in("absent.tide"), NULL, &m, &err),
              TIDE_EFILE);
    CHECK(m == NULL);
    unlink(path);
    fitted_free(&f);
    rmdir(folder);
    folder[0] = '\0';
}

TEST(f08_every_fault_of_a_save_leaves_the_old_file_or_the_new)
{
    struct fitted f, g;
    tide_model *m = NULL;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    CHECK(!fit_learner(&g, first_learner(), "answer", 80));
    const char *path = path_in("b.tide");
    CHECK(!tide_model_save(f.ctx, f.m, path, &err));
    char before[65], after[65];
    snprintf(before, sizeof before, "%s", tide_model_sha256(f.m));
    const char *other = path_in("c.tide");
    CHECK(!tide_model_save(g.ctx, g.m, other, &err));
    snprintf(after, sizeof after, "%s", tide_model_sha256(g.m));
    unlink(other);
    for (int k = 1; k < 100; k++) {
        file_fault_set(k, 0, 5 /* EIO */);
        tide_status st = tide_model_save(g.ctx, g.m, path, &err);
        int hit = file_fault_hit();
        file_fault_set(0, 0, 0);
        CHECK(!tide_model_open(f.ctx, path, NULL, &m, &err));
        const char *sha = m ? tide_model_sha256(m) : "";
        CHECK(!strcmp(sha, before) || !strcmp(sha, after));
        if (st == TIDE_OK) CHECK_STR(sha, after);
        tide_model_free(m);
        if (!hit) break;
        CHECK(!tide_model_save(f.ctx, f.m, path, &err));
    }
    unlink(path);
    CHECK(rmdir(folder) == 0); /* no temporary file is left */
    folder[0] = '\0';
    fitted_free(&f);
    fitted_free(&g);
}

TEST(r01_every_failing_allocation_of_an_open_is_survived)
{
    struct fitted f;
    CHECK(!fit_learner(&f, first_learner(), "answer", 60));
    int64_t live = alloc_live();
    for (int for_ever = 0; for_ever < 2; for_ever++)
        for (int k = 1; k < 5000; k++) {
            tide_model *m = NULL;
            alloc_fault_set(k, for_ever);
            tide_status st = tide_model_open_memory(f.ctx, f.data, f.n, &m, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            tide_model_free(m);
            CHECK_MSG(hit ? st == TIDE_ENOMEM : st == TIDE_OK, "fault %d: %d %s", k, st,
                      err.message);
            CHECK_INT(alloc_live(), live);
            if (!hit || alloc_live() != live) break;
        }
    fitted_free(&f);
}
