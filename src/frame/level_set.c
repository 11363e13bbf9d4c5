/* level_set.c - distinct texts in order of first appearance, or brought into byte order */
#include "frame/level_set.h"

#include <string.h>

#include "base/hash.h"

int level_set_init(struct level_set *set, struct arena *keep, struct arena *temp,
                   int64_t hint)
{
    uint32_t slots = 16;
    while (slots < 1024 && slots < 2 * hint) slots *= 2;
    *set = (struct level_set){.keep = keep, .temp = temp, .mask = slots - 1};
    set->slot = arena_zero(temp, slots * sizeof *set->slot);
    return set->slot ? 0 : -1;
}

static int grow_slots(struct level_set *set)
{
    size_t slots = ((size_t)set->mask + 1) * 4;
    uint32_t *slot = arena_zero(set->temp, slots * sizeof *slot);
    if (!slot) return -1;
    uint32_t mask = (uint32_t)(slots - 1);
    for (uint32_t c = 0; c < set->n; c++) {
        uint32_t at = set->level[c].hash & mask;
        while (slot[at]) at = (at + 1) & mask;
        slot[at] = c + 1;
    }
    set->slot = slot;
    set->mask = mask;
    return 0;
}

/* Copies stand close together: a push of the arena for each would cost 64 bytes. */
static char *own_text(struct level_set *set, const char *s, size_t len)
{
    if (len > set->n_spare || !set->spare) {
        size_t piece = set->bytes < 1024 ? 1024 : (size_t)set->bytes;
        if (piece > 65536) piece = 65536;
        if (piece < len) piece = len;
        set->spare = arena_push(set->keep, piece);
        set->n_spare = set->spare ? piece : 0;
        if (!set->spare) return NULL;
    }
    char *own = set->spare;
    if (len) memcpy(own, s, len);
    set->spare += len;
    set->n_spare -= len;
    return own;
}

static uint32_t add_level(struct level_set *set, const char *s, size_t len,
                          uint32_t hash, int copy)
{
    if (set->n >= CODE_MISSING - 2 || len > UINT32_MAX) return CODE_MISSING;
    if (set->n == set->cap) {
        uint32_t cap = set->cap ? set->cap * 2 : 8;
        struct level *more = arena_array(set->keep, cap, sizeof *more);
        if (!more) return CODE_MISSING;
        if (set->n) memcpy(more, set->level, set->n * sizeof *more);
        set->level = more;
        set->cap = cap;
    }
    if (copy) {
        s = own_text(set, s, len);
        if (!s) return CODE_MISSING;
    }
    set->level[set->n] = (struct level){s, (uint32_t)len, hash};
    set->bytes += (int64_t)len;
    return set->n++;
}

uint32_t level_set_add_hashed(struct level_set *set, const char *s, size_t len,
                              uint32_t hash, int copy)
{
    uint32_t at = hash & set->mask;
    for (; set->slot[at]; at = (at + 1) & set->mask) {
        const struct level *l = &set->level[set->slot[at] - 1];
        if (l->hash == hash && l->len == len && memcmp(l->s, s, len) == 0)
            return set->slot[at] - 1;
    }
    uint32_t code = add_level(set, s, len, hash, copy);
    if (code == CODE_MISSING) return code;
    set->slot[at] = code + 1;
    if (set->n > set->mask / 2 && grow_slots(set) != 0) return CODE_MISSING;
    return code;
}

uint32_t level_set_add(struct level_set *set, const char *s, size_t len, int copy)
{
    return level_set_add_hashed(set, s, len, (uint32_t)hash64(s, len, 0), copy);
}

static int is_before(const struct level *x, const struct level *y)
{
    int c = memcmp(x->s, y->s, x->len < y->len ? x->len : y->len);
    return c < 0 || (c == 0 && x->len < y->len);
}

/* Runs of `width` numbers of levels in order, merged to runs of twice as many. */
static void merge_levels(const struct level *l, const uint32_t *from, uint32_t n,
                         uint32_t width, uint32_t *to)
{
    for (uint32_t lo = 0; lo < n; lo += 2 * width) {
        uint32_t mid = n - lo < width ? n : lo + width;
        uint32_t hi = n - mid < width ? n : mid + width, a = lo, b = mid;
        for (uint32_t o = lo; o < hi; o++) {
            int right = a == mid || (b < hi && is_before(&l[from[b]], &l[from[a]]));
            to[o] = from[right ? b++ : a++];
        }
    }
}

int level_set_sort(struct level_set *set, uint32_t *place)
{
    uint32_t n = set->n, *order = arena_array(set->temp, n, sizeof *order);
    uint32_t *other = arena_array(set->temp, n, sizeof *other), *swap;
    struct level *old = arena_array(set->temp, n, sizeof *old);
    int moved = 0;
    if (!order || !other || !old) return -1;
    for (uint32_t c = 0; c < n; c++) {
        order[c] = c;
        old[c] = set->level[c];
    }
    for (uint32_t width = 1; width < n; width *= 2) {
        merge_levels(old, order, n, width, other);
        swap = order, order = other, other = swap;
    }
    for (uint32_t c = 0; c < n; c++) {
        place[order[c]] = c;
        set->level[c] = old[order[c]];
        moved |= order[c] != c;
    }
    return moved;
}

int level_set_dict(const struct level_set *set, struct arena *a, struct dict *out)
{
    if (set->bytes > UINT32_MAX) return -1;
    uint32_t *offset = arena_array(a, (int64_t)set->n + 1, sizeof *offset);
    char *bytes = arena_push(a, (size_t)set->bytes + 1);
    if (!offset || !bytes) return -1;
    uint32_t at = 0;
    for (uint32_t c = 0; c < set->n; c++) {
        offset[c] = at;
        if (set->level[c].len) memcpy(bytes + at, set->level[c].s, set->level[c].len);
        at += set->level[c].len;
    }
    offset[set->n] = at;
    bytes[at] = '\0';
    *out = (struct dict){set->n, offset, bytes};
    return 0;
}
