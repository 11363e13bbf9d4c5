/* frame_decimal.c - decimals as the nearest double, by division and by digits */
#include "base/numparse.h"
#include "frame/decimal.h"
#include "support/unit.h"

TEST(decimal_is_the_double_that_its_text_is)
{
    uint64_t x = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        int64_t v = (int64_t)x >> (x & 63);
        int scale = (int)(x >> 20 & 31);
        char text[64];
        double want = 0;
        uint8_t bytes[16];
        snprintf(text, sizeof text, "%llde-%d", (long long)v, scale);
        (void)num_parse(text, strlen(text), '.', &want);
        double got = decimal_i64(v, scale);
        CHECK_MSG(got == want, "%s is %.17g, not %.17g", text, got, want);
        for (int k = 0; k < 16; k++)
            bytes[k] = k < 8 ? (uint8_t)((uint64_t)v >> 8 * k) : v < 0 ? 255 : 0;
        CHECK(decimal_bytes(bytes, 16, 0, scale) == want);
    }
}

TEST(decimal_of_32_bytes)
{
    uint8_t least[32] = {0x80}, most[32];
    memset(most, 255, sizeof most);
    most[0] = 0x7f;
    CHECK_NEAR(decimal_bytes(least, 32, 1, 0) / -5.78960446186581e76, 1, 1e-14);
    CHECK_NEAR(decimal_bytes(most, 32, 1, 76) / 5.78960446186581, 1, 1e-14);
    CHECK(decimal_bytes((const uint8_t *)"\xff", 1, 1, 2) == -0.01);
    CHECK(decimal_bytes((const uint8_t *)"", 0, 1, 2) == 0);
    CHECK(decimal_i64(INT64_MIN, 0) == -9223372036854775808.0);
}
