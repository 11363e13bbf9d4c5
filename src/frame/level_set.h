/* level_set.h - distinct texts in order of first appearance: how dictionaries are made
 *
 * Slots (open addressing, at most half full) live in `temp`, what is kept in `keep`; the two
 * may be one arena. A failed push of either arena makes level_set_add answer CODE_MISSING. */
#ifndef FRAME_LEVEL_SET_H
#define FRAME_LEVEL_SET_H
#include "frame/frame.h"

struct level {
    const char *s;
    uint32_t len, hash;
};
struct level_set {
    struct arena *keep, *temp;
    struct level *level; /* [n] in order of first appearance */
    uint32_t n, cap;
    uint32_t *slot; /* code + 1, 0 = free */
    uint32_t mask;  /* slots - 1 */
    int64_t bytes;  /* of all levels */
    char *spare;    /* room for texts that are copied */
    size_t n_spare;
};
/* hint: how many texts will be added at most (rows); sizes the first table. */
int level_set_init(struct level_set *set, struct arena *keep, struct arena *temp,
                   int64_t hint);
/* Code of the text. copy: a new level's text is copied into `keep`, else it is borrowed. */
uint32_t level_set_add(struct level_set *set, const char *s, size_t len, int copy);
uint32_t level_set_add_hashed(struct level_set *set, const char *s, size_t len,
                              uint32_t hash, int copy);
/* Brings the levels into byte order; place[n] gets the new code of each. 0: they were in it, 1: they were
 * not, -1: the arena `temp` failed. Nothing can be added any more. */
int level_set_sort(struct level_set *set, uint32_t *place);
/* The levels as a dictionary; -1 when the arena failed or the bytes pass 4 GiB. */
int level_set_dict(const struct level_set *set, struct arena *a, struct dict *out);
#endif
