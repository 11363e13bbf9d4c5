/* tide_check.c - what can be refused from the bytes alone (reliability.md 12, steps 1-3) */
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/size.h"
#include "store/store.h"

const uint8_t tide_magic[8] = {0x89, 'T', 'I', 'D', 'E', 0x0d, 0x0a, 0x1a};

static const char *const known_kinds[] = {
    "EDGES", "MAPS", "TREES", "NODES", "NODEW", "LEAVES", "LEAVES64", "LINLEAF",
    "COVER", "DICT", "DENSE", "STEP",  "VOCAB", "CALIB",  "PROFILE",  "GOLDEN",
};

int tide_kind_is_known(const char *kind)
{
    for (size_t i = 0; i < sizeof known_kinds / sizeof *known_kinds; i++)
        if (*kind == *known_kinds[i] && strcmp(kind, known_kinds[i]) == 0) return 1;
    return 0;
}

static tide_status refuse(tide_error *err, tide_status st, const char *file)
{
    err_at(err, file, 0, 0);
    return st;
}

/* ---- preamble ---- */

static int starts(const uint8_t *p, size_t n, const char *text, size_t len)
{
    return n >= len && memcmp(p, text, len) == 0;
}

/* What a foreign file looks like; a guess for the message only. */
static const char *foreign(const uint8_t *p, size_t n)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *what;
    } known[] = {
        {"\x7f"
         "ELF",
         4, "a program (ELF)"},
        {"GGUF", 4, "a GGUF model"},
        {"PK\x03\x04", 4, "a ZIP archive"},
        {"\x1f\x8b", 2, "a gzip file"},
        {"\x28\xb5\x2f\xfd", 4, "a zstd file"},
        {"\x89PNG", 4, "a PNG image"},
        {"\x93NUMPY", 6, "a NumPy array"},
        {"PAR1", 4, "a Parquet file"},
        {"tree\n", 5, "a LightGBM model"},
        {"{\"learner\"", 10, "an XGBoost model (JSON)"},
        {"{\"version\"", 10, "an XGBoost model (JSON)"},
        {"{L", 2, "an XGBoost model (UBJSON)"},
        {"{", 1, "JSON"},
        {"<", 1, "HTML or XML"},
    };
    if (n >= 2 && p[0] == 0x80 && p[1] <= 5) return "a Python pickle";
    if (n >= 9 && p[8] == '{' && p[7] == 0) return "a safetensors file";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (starts(p, n, known[i].bytes, known[i].n)) return known[i].what;
    for (size_t i = 0; i < n; i++)
        if (p[i] < 9 || (p[i] > 13 && p[i] < 32) || p[i] == 127)
            return "another format";
    return "text, perhaps a table";
}

static tide_status check_version(const struct tide_preamble *p, tide_error *err)
{
    if (p->major != TIDE_MAJOR) {
        err_set(err, TIDE_CODE_TIDE_VERSION,
                "format %u.%u is not known, this reader reads %d.%d", p->major,
                p->minor, TIDE_MAJOR, TIDE_MINOR);
    } else if (p->least_minor > TIDE_MINOR) {
        err_set(err, TIDE_CODE_TIDE_VERSION,
                "format %u.%u needs a newer reader than %d.%d", p->major,
                p->least_minor, TIDE_MAJOR, TIDE_MINOR);
        err_hint(err, "", "upgrade tidemill");
    } else if (p->minor < p->least_minor) {
        err_set(err, TIDE_CODE_TIDE_VERSION, "format %u.%u asks for a reader of %u.%u",
                p->major, p->minor, p->major, p->least_minor);
    } else {
        return TIDE_OK;
    }
    return TIDE_EMODEL;
}

static tide_status check_sizes(const uint8_t *head, const struct tide_preamble *p,
                               uint64_t size, tide_error *err)
{
    uint64_t table = (uint64_t)p->n_sections * TIDE_ENTRY_BYTES;
    if (p->header_bytes > TIDE_MOST_HEADER)
        return err_set(err, TIDE_CODE_LIMIT_METADATA,
                       "the header has %u bytes, at most %u are read", p->header_bytes,
                       TIDE_MOST_HEADER);
    if (p->n_sections > TIDE_MOST_SECTIONS)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS, "%u sections, at most %d are read",
                       p->n_sections, TIDE_MOST_SECTIONS);
    if (get64(head + 40) != TIDE_PREAMBLE)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS,
                       "the section table is not at byte %d", TIDE_PREAMBLE);
    if (get64(head + 48) != TIDE_PREAMBLE + table)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS,
                       "the header does not follow the section table");
    if (p->total < TIDE_PREAMBLE + table + p->header_bytes + TIDE_DIGEST)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS,
                       "a file of %llu bytes cannot hold its table and header",
                       (unsigned long long)p->total);
    if (size < p->total)
        return err_set(err, TIDE_CODE_TIDE_TRUNCATED,
                       "the file ends after %llu of %llu bytes",
                       (unsigned long long)size, (unsigned long long)p->total);
    if (size > p->total)
        return err_set(err, TIDE_CODE_TIDE_TRAILING, "%llu bytes follow the model",
                       (unsigned long long)(size - p->total));
    return TIDE_OK;
}

static tide_status refuse_foreign(const uint8_t *head, size_t have, const char *file,
                                  tide_error *err)
{
    const char *what = foreign(head, have);
    tide_status st =
        err_set(err, TIDE_CODE_TIDE_MAGIC, "not a tidemill model: looks like %s", what);
    if (strstr(what, "XGBoost") || strstr(what, "LightGBM"))
        err_hint(err, "", "tidemill import %s", file);
    return st;
}

static tide_status preamble(const uint8_t *head, size_t have, uint64_t size,
                            const char *file, struct tide_preamble *out,
                            tide_error *err)
{
    size_t m = have < sizeof tide_magic ? have : sizeof tide_magic;
    if (m == 0)
        return err_set(err, TIDE_CODE_TIDE_TRUNCATED, "file is empty (0 bytes)");
    if (memcmp(head, tide_magic, m) != 0) return refuse_foreign(head, have, file, err);
    if (have < TIDE_PREAMBLE)
        return err_set(err, TIDE_CODE_TIDE_TRUNCATED, "the file ends after %llu bytes",
                       (unsigned long long)size);
    uint32_t mark = get32(head + 16);
    if (mark == __builtin_bswap32(TIDE_BYTE_MARK))
        return err_set(err, TIDE_CODE_TIDE_BYTE_ORDER,
                       "the file is big-endian and must be little-endian");
    if (crc32c(0, head, 60) != get32(head + 60)) {
        err_set(err, TIDE_CODE_TIDE_CHECKSUM, "checksum of the preamble differs");
        return err_place(err, "preamble");
    }
    if (mark != TIDE_BYTE_MARK)
        return err_set(err, TIDE_CODE_TIDE_BYTE_ORDER, "the byte-order mark is 0x%08x",
                       mark);
    if (get16(head + 14) || get32(head + 28) || get32(head + 56)) {
        err_set(err, TIDE_CODE_TIDE_FLAGS, "unknown flag bits in the preamble");
        return err_place(err, "preamble");
    }
    *out = (struct tide_preamble){.major = get16(head + 8),
                                  .minor = get16(head + 10),
                                  .least_minor = get16(head + 12),
                                  .header_bytes = get32(head + 20),
                                  .n_sections = get32(head + 24),
                                  .total = get64(head + 32)};
    tide_status st = check_version(out, err);
    return st ? st : check_sizes(head, out, size, err);
}

tide_status tide_check_preamble(const uint8_t *head, size_t have, uint64_t size,
                                const char *file, struct tide_preamble *out,
                                tide_error *err)
{
    tide_status st = preamble(head, have, size, file, out, err);
    return st ? refuse(err, st, file) : TIDE_OK;
}

/* ---- sections ---- */

static tide_status bad_section(tide_error *err, tide_code code, int i,
                               const struct tide_section *s, const char *what)
{
    err_set(err, code, "%s", what);
    err_place(err, "section %s %u (entry %d)", s->kind, s->instance, i);
    return TIDE_EMODEL;
}

static tide_status read_kind(const uint8_t *p, int i, struct tide_section *s,
                             tide_error *err)
{
    int n = 0, bad = 0;
    memcpy(s->kind, p, 8);
    s->kind[8] = '\0';
    while (s->kind[n]) n++;
    for (int k = 0; k < 8; k++) {
        int is_letter = (s->kind[k] >= 'A' && s->kind[k] <= 'Z') ||
                        (s->kind[k] >= '0' && s->kind[k] <= '9');
        bad |= k < n ? !is_letter : s->kind[k] != 0;
    }
    if (n && !bad) return TIDE_OK;
    memcpy(s->kind, "?", 2);
    return bad_section(err, TIDE_CODE_TIDE_SECTION, i, s,
                       "a section's name is not of capitals and digits");
}

static tide_status check_entry(const struct tide_layout *f, int i, uint64_t before,
                               tide_error *err)
{
    const uint8_t *p = f->data + TIDE_PREAMBLE + (size_t)i * TIDE_ENTRY_BYTES;
    struct tide_section *s = &f->sections[i];
    uint64_t last = f->total - TIDE_DIGEST, end;
    tide_status st = read_kind(p, i, s, err);
    if (st) return st;
    s->flags = get32(p + 8);
    s->instance = get32(p + 12);
    s->offset = get64(p + 16);
    s->size = get64(p + 24);
    s->count = get64(p + 32);
    s->crc = get32(p + 40);
    if (s->flags & ~TIDE_REQUIRED_BIT || get32(p + 44))
        return bad_section(err, TIDE_CODE_TIDE_FLAGS, i, s, "unknown flag bits");
    if (s->offset % 64)
        return bad_section(err, TIDE_CODE_TIDE_BOUNDS, i, s,
                           "offset is no multiple of 64");
    if (s->offset < before)
        return bad_section(err, TIDE_CODE_TIDE_BOUNDS, i, s,
                           "overlaps what comes before it");
    if (__builtin_add_overflow(s->offset, s->size, &end) || end > last)
        return bad_section(err, TIDE_CODE_TIDE_BOUNDS, i, s, "lies beyond the file");
    if (s->offset - before >= 64)
        return bad_section(err, TIDE_CODE_TIDE_BOUNDS, i, s,
                           "a gap of 64 bytes or more is before it");
    for (uint64_t k = before; k < s->offset; k++)
        if (f->data[k])
            return bad_section(err, TIDE_CODE_TIDE_BOUNDS, i, s,
                               "the gap before it is not zero");
    if (s->count ? s->size % s->count || s->size / s->count > 8 : s->size)
        return bad_section(err, TIDE_CODE_TIDE_SIZE, i, s,
                           "size is no multiple of the element count");
    s->is_known = tide_kind_is_known(s->kind);
    if (!s->is_known && s->flags & TIDE_REQUIRED_BIT) {
        err_set(err, TIDE_CODE_TIDE_SECTION,
                "section '%s' is required and this reader does not know it", s->kind);
        err_place(err, "section %s %u (entry %d)", s->kind, s->instance, i);
        err_hint(err, "", "upgrade tidemill");
        return TIDE_EMODEL;
    }
    for (int k = 0; k < i; k++)
        if (f->sections[k].instance == s->instance &&
            memcmp(f->sections[k].kind, s->kind, sizeof s->kind) == 0)
            return bad_section(err, TIDE_CODE_TIDE_SECTION, i, s, "is there twice");
    return TIDE_OK;
}

static tide_status check_table(const struct tide_layout *f, tide_error *err)
{
    uint64_t before = f->header_at + f->header_bytes;
    for (int i = 0; i < f->n_sections; i++) {
        tide_status st = check_entry(f, i, before, err);
        if (st) return st;
        before = f->sections[i].offset + f->sections[i].size;
    }
    if (before + TIDE_DIGEST != f->total)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS,
                       "the digest does not follow the last section");
    return TIDE_OK;
}

static tide_status check_sums(struct tide_layout *f, tide_error *err)
{
    for (int i = 0; i < f->n_sections; i++) {
        const struct tide_section *s = &f->sections[i];
        if (crc32c(0, f->data + s->offset, s->size) != s->crc)
            return bad_section(err, TIDE_CODE_TIDE_CHECKSUM, i, s, "checksum differs");
    }
    struct sha256 body, whole;
    uint8_t digest[32];
    sha256_init(&body);
    sha256_add(&body, f->data, f->total - TIDE_DIGEST);
    whole = body;
    sha256_end(&body, digest);
    if (memcmp(digest, f->data + f->total - TIDE_DIGEST, sizeof digest) != 0)
        return err_set(err, TIDE_CODE_TIDE_CHECKSUM, "the digest at the end differs");
    sha256_add(&whole, digest, sizeof digest);
    sha256_end(&whole, digest);
    sha256_hex(digest, f->sha256);
    return TIDE_OK;
}

tide_status tide_check_bytes(const uint8_t *data, size_t n, const char *file,
                             struct arena *a, struct tide_layout *out, tide_error *err)
{
    struct tide_preamble p;
    tide_status st = tide_check_preamble(data, n < TIDE_PREAMBLE ? n : TIDE_PREAMBLE, n,
                                         file, &p, err);
    if (st) return st;
    *out = (struct tide_layout){.data = data,
                                .total = p.total,
                                .header_bytes = p.header_bytes,
                                .header_at = TIDE_PREAMBLE +
                                             (uint64_t)p.n_sections * TIDE_ENTRY_BYTES,
                                .n_sections = (int)p.n_sections};
    out->sections = arena_zero(a, p.n_sections * sizeof *out->sections + 1);
    st = arena_status(a, err);
    if (st) return st;
    st = check_table(out, err);
    if (!st) st = check_sums(out, err);
    return st ? refuse(err, st, file) : TIDE_OK;
}
