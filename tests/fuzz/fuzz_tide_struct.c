/* fuzz_tide_struct.c - model files whose sizes, checksums and digest are right
 *
 * The mutator takes a file apart (header, sections), changes one part, and writes it again:
 * offsets, counts, CRCs and the digest are made anew, and the shape of a section whose size
 * changed, so that what arrives behind the checksums is hostile. */
#include <stddef.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/size.h"
#include "fuzz/tide_oracle.h"

#ifdef FUZZ_LIBFUZZER

enum { MOST_PARTS = 64, MOST_FILE = 1 << 16 };

struct part {
    uint8_t entry[TIDE_ENTRY_BYTES];
    size_t n, each;
    uint8_t *bytes; /* in the store */
};
struct file {
    uint8_t head[TIDE_PREAMBLE];
    size_t n_header, used;
    int n_parts;
    struct part part[MOST_PARTS];
    uint8_t header[MOST_FILE];
    uint8_t store[4 * MOST_FILE];
};
static struct file work;

/* Reads with no trust; 0 = taken apart. */
static int take_apart(struct file *f, const uint8_t *data, size_t size)
{
    if (size < TIDE_PREAMBLE + TIDE_DIGEST || size > MOST_FILE) return 1;
    memcpy(f->head, data, TIDE_PREAMBLE);
    uint32_t n = get32(data + 24), header = get32(data + 20);
    size_t at = TIDE_PREAMBLE + (size_t)n * TIDE_ENTRY_BYTES;
    if (n > MOST_PARTS || header > size || at + header + TIDE_DIGEST > size) return 1;
    memcpy(f->header, data + at, header);
    f->n_header = header;
    f->n_parts = (int)n;
    f->used = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct part *p = &f->part[i];
        memcpy(p->entry, data + TIDE_PREAMBLE + (size_t)i * TIDE_ENTRY_BYTES,
               TIDE_ENTRY_BYTES);
        uint64_t from = get64(p->entry + 16), bytes = get64(p->entry + 24),
                 count = get64(p->entry + 32);
        if (from > size || bytes > size - from) return 1;
        p->n = (size_t)bytes;
        p->each = count && bytes / count <= 8 && bytes >= count ? bytes / count : 1;
        p->bytes = f->store + f->used;
        memcpy(p->bytes, data + from, p->n);
        f->used += p->n + 256; /* room to grow */
        if (f->used + MOST_FILE > sizeof f->store) return 1;
    }
    return 0;
}

/* Writes the parts with everything that must agree made to agree; 0 = no room. */
static size_t put_together(const struct file *f, uint8_t *out, size_t max)
{
    size_t table = (size_t)f->n_parts * TIDE_ENTRY_BYTES;
    size_t at = TIDE_PREAMBLE + table + f->n_header;
    if (at + TIDE_DIGEST > max) return 0;
    memcpy(out, f->head, TIDE_PREAMBLE);
    memcpy(out + TIDE_PREAMBLE + table, f->header, f->n_header);
    for (int i = 0; i < f->n_parts; i++) {
        const struct part *p = &f->part[i];
        uint8_t *entry = out + TIDE_PREAMBLE + (size_t)i * TIDE_ENTRY_BYTES;
        size_t from = (at + 63) / 64 * 64;
        if (from + p->n + TIDE_DIGEST > max) return 0;
        memset(out + at, 0, from - at);
        memcpy(out + from, p->bytes, p->n);
        memcpy(entry, p->entry, TIDE_ENTRY_BYTES);
        put64(entry + 16, from);
        put64(entry + 24, p->n);
        put64(entry + 32, p->n / p->each);
        uint32_t crc = crc32c(0, out + from, p->n);
        memcpy(entry + 40, &crc, sizeof crc);
        at = from + p->n;
    }
    uint32_t header = (uint32_t)f->n_header, parts = (uint32_t)f->n_parts;
    memcpy(out + 20, &header, 4);
    memcpy(out + 24, &parts, 4);
    put64(out + 32, at + TIDE_DIGEST);
    put64(out + 40, TIDE_PREAMBLE);
    put64(out + 48, TIDE_PREAMBLE + table);
    uint32_t crc = crc32c(0, out, 60);
    memcpy(out + 60, &crc, sizeof crc);
    struct sha256 s;
    sha256_init(&s);
    sha256_add(&s, out, at);
    sha256_end(&s, out + at);
    return at + TIDE_DIGEST;
}

static uint32_t roll(uint64_t *r, size_t sides)
{
    *r = oracle_mix(*r + 0x1234567);
    return sides ? (uint32_t)((*r >> 20) % sides) : 0;
}

/* One element of a section becomes another one, or a number from the edge. */
static void change_element(struct part *p, uint64_t *r)
{
    static const double edges[] = {0.0,    -0.0,   1,     -1,  1e308, -1e308,
                                   5e-324, 1e-310, 1e300, 0.5, 2,     4294967296.0};
    size_t n = p->n / p->each;
    if (!n) return;
    uint8_t *to = p->bytes + p->each * roll(r, n);
    uint64_t word = 0;
    switch (roll(r, 6)) {
    case 0:
        memmove(to, p->bytes + p->each * roll(r, n), p->each);
        return;
    case 1:
        word = roll(r, 2) ? UINT64_MAX : UINT64_C(0x8000000080000000);
        break;
    case 2:
        word = roll(r, n + 2);
        break;
    case 3: {
        double x = edges[roll(r, sizeof edges / sizeof *edges)];
        float y = (float)(fabs(x) > 3e38 ? 3e38 : x);
        if (p->each == 4)
            memcpy(&word, &y, sizeof y);
        else
            memcpy(&word, &x, sizeof x);
        break;
    }
    case 4:
        to[roll(r, p->each)] ^= (uint8_t)(1u << roll(r, 8));
        return;
    default:
        memcpy(&word, to, p->each);
        word += roll(r, 2) ? 1 : UINT64_MAX;
        break;
    }
    memcpy(to, &word, p->each);
}

/* A digit, a bit or a word of the JSON text. */
static void change_header(struct file *f, uint64_t *r)
{
    size_t n = f->n_header, at = roll(r, n);
    if (!n) return;
    if (roll(r, 3)) {
        for (size_t k = 0; k < n; k++, at = (at + 1) % n) /* the next number */
            if (f->header[at] >= '0' && f->header[at] <= '9') break;
        f->header[at] = (uint8_t)('0' + roll(r, 10));
        return;
    }
    f->n_header = LLVMFuzzerMutate(f->header, n, sizeof f->header / 2);
}

/* The header's text anew; takes the value over. */
static void keep_header(struct file *f, json_t *header)
{
    struct str t = {0};
    json_write(&t, header, 0);
    if (!t.failed && t.len < sizeof f->header) {
        f->n_header = t.len;
        memcpy(f->header, t.s, t.len);
    }
    str_free(&t);
    json_decref(header);
}

/* Entry i of the header's arrays follows the new size of its section. */
static void mend_shape(struct file *f, int i)
{
    json_t *header = NULL;
    if (json_read((const char *)f->header, f->n_header, MOST_FILE, "fuzz",
                  TIDE_CODE_TIDE_HEADER, &header, NULL))
        return;
    json_t *array = json_array_get(json_object_get(header, "arrays"), (size_t)i);
    json_t *shape = json_object_get(array, "shape");
    if (json_array_size(shape) > 0) {
        int64_t rest = 1;
        size_t last = json_array_size(shape) - 1;
        for (size_t d = 0; d < last; d++)
            if (i64_mul(rest, json_integer_value(json_array_get(shape, d)), &rest))
                rest = 0; /* sizes that no section has, and stay so */
        int64_t cells = (int64_t)(f->part[i].n / f->part[i].each);
        if (last && rest > 0 && cells % rest == 0)
            cells /= rest;
        else if (last)
            json_array_set_new(shape, 0, json_integer(1));
        json_array_set_new(shape, last, json_integer(cells));
    }
    keep_header(f, header);
}

/* Drops section i, from the header too. */
static void drop_part(struct file *f, int i)
{
    json_t *header = NULL;
    if (json_read((const char *)f->header, f->n_header, MOST_FILE, "fuzz",
                  TIDE_CODE_TIDE_HEADER, &header, NULL))
        return;
    json_array_remove(json_object_get(header, "arrays"), (size_t)i);
    keep_header(f, header);
    memmove(&f->part[i], &f->part[i + 1],
            (size_t)(f->n_parts - i - 1) * sizeof f->part[0]);
    f->n_parts--;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    uint64_t r = oracle_mix(seed);
    struct file *f = &work;
    if (take_apart(f, data, size)) return LLVMFuzzerMutate(data, size, max);
    int changes = 1 + (int)roll(&r, 3);
    size_t kinds = roll(&r, 2) ? 64 : 46; /* numbers alone: what loads is often these */
    for (int k = 0; k < changes; k++) {
        int i = f->n_parts ? (int)roll(&r, (size_t)f->n_parts) : 0;
        uint32_t what = roll(&r, kinds);
        if (what < 46 && f->n_parts) {
            change_element(&f->part[i], &r);
        } else if (what < 57) {
            change_header(f, &r);
        } else if (what < 61 && f->n_parts) {
            struct part *p = &f->part[i];
            size_t n = LLVMFuzzerMutate(p->bytes, p->n, p->n + 200);
            p->n = n / p->each * p->each;
            mend_shape(f, i);
        } else if (what == 61 && f->n_parts) {
            f->part[i].entry[roll(&r, 16)] ^= (uint8_t)(1u << roll(&r, 8));
        } else if (what == 62) {
            f->head[8 + roll(&r, 8)] ^= (uint8_t)(1u << roll(&r, 3));
        } else if (f->n_parts) {
            drop_part(f, i);
        }
    }
    size_t n = put_together(f, data, max);
    return n ? n : LLVMFuzzerMutate(data, size, max);
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)oracle_run(data, size);
    return 0;
}
