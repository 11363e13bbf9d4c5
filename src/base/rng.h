/* rng.h - Philox4x32-10 (Salmon et al. 2011), keyed by seed and purpose, never by draw order
 *
 * u = rng_u01(rng_at(rng_key(seed, "bag"), row, column_hash, draw)). Nothing depends on who
 * draws first. Test vectors: zero key and counter give 6627e8d5 e169c58d bc57ac4c 9b00dbd8. */
#ifndef BASE_RNG_H
#define BASE_RNG_H
#include <stdint.h>

struct rng_key {
    uint32_t k0, k1;
};
struct rng_word {
    uint32_t w[4];
};

struct rng_key rng_key(uint64_t seed, const char *purpose);
struct rng_word rng_philox(struct rng_key key, uint32_t c0, uint32_t c1, uint32_t c2,
                           uint32_t c3);
/* Counter = (row low, row high, column hash, draw). */
struct rng_word rng_at(struct rng_key key, int64_t row, uint32_t column, uint32_t draw);
double rng_u01(struct rng_word w);   /* in (0, 1): ((w0<<21 | w1>>11) + 0.5) 2^-53 */
uint64_t rng_u64(struct rng_word w); /* w0 high, w1 low */
uint64_t rng_below(struct rng_word w, uint64_t n); /* high half of a 64x64 product */
double rng_normal(struct rng_word w);              /* by AS 241 on rng_u01 */
/* data.md section 3: the splitmix generator of synthetic data. */
uint64_t gen_mix(uint64_t z);
uint64_t gen_h(uint64_t s, uint64_t i, uint64_t j);
double gen_u(uint64_t s, uint64_t i, uint64_t j);
double gen_z(uint64_t s, uint64_t i, uint64_t j);
#endif
