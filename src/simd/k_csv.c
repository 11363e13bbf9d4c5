/* k_csv.c - positions of delimiters and newlines outside quotes */
#include "simd/simd.h"

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote, int *in_quote,
                          uint32_t *pos, int64_t *quotes, int *high);
int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte);

int64_t KERNEL(csv_index)(const char *text, int64_t n, char delim, char quote, int *in_quote,
                          uint32_t *pos, int64_t *quotes, int *high)
{
    int64_t count = 0, seen = 0;
    int quoted = *in_quote, any_high = 0;
    for (int64_t i = 0; i < n; i++) {
        char c = text[i];
        any_high |= (unsigned char)c >> 7;
        if (quote && c == quote) {
            quoted ^= 1;
            seen++;
        } else if (!quoted && (c == delim || c == '\n')) {
            pos[count++] = (uint32_t)i;
        }
    }
    *in_quote = quoted;
    *quotes += seen;
    *high |= any_high;
    return count;
}

int64_t KERNEL(count_byte)(const char *text, int64_t n, char byte)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += text[i] == byte;
    return count;
}
