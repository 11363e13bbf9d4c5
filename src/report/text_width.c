/* text_width.c - how wide text is, whatever font the reader has
 *
 * Advance widths in 1/1000 em, for each character the widest of Arial, DejaVu Sans, Roboto and
 * Segoe UI; 0.72 em for other letters, 1 em for wide ones (East Asian), 0 for combining marks. A
 * label placed by these never reaches further than it was given room for. */
#include <string.h>

#include "report/report.h"

#define OTHER 720

static const uint16_t advance[95] = {
    318,  401, 460, 838, 636, 950, 800, 275, 390, 390, 500, 838, 330, 410, 330, 390,
    636,  636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 556,
    1015, 690, 690, 730, 770, 670, 615, 780, 760, 300, 510, 670, 570, 900, 760, 790,
    670,  790, 730, 670, 620, 740, 690, 990, 690, 670, 690, 390, 390, 390, 838, 556,
    500,  615, 640, 560, 640, 620, 360, 640, 640, 280, 280, 580, 280, 980, 640, 620,
    640,  640, 415, 525, 400, 640, 600, 830, 600, 600, 530, 640, 340, 640, 838};

int text_width(const char *s, size_t n, int px)
{
    int64_t sum = 0;
    size_t used;
    for (size_t i = 0; i < n; i += used) {
        char c[UTF8_SHOW_MAX];
        int len = utf8_show(s + i, n - i, c, &used);
        unsigned char first = (unsigned char)c[0];
        if (len > 1 && first == '\\')
            sum += OTHER; /* drawn as one symbol */
        else if (first >= 32 && first < 127)
            sum += advance[first - 32];
        else
            sum += utf8_width(c, (size_t)len) == 2   ? 1000
                   : utf8_width(c, (size_t)len) == 1 ? OTHER
                                                     : 0;
    }
    return (int)((sum * px + 99) / 100);
}

void text_shorten(struct str *out, const char *s, int letters)
{
    size_t len = strlen(s), i = 0;
    int n = 0, k = 0, head = (letters - 1 + 1) / 2, tail = letters - 1 - head;
    for (size_t j = 0; j < len; j++) n += ((unsigned char)s[j] & 0xc0) != 0x80;
    if (n <= letters) {
        str_add(out, s);
        return;
    }
    for (; i < len && (k < head || ((unsigned char)s[i] & 0xc0) == 0x80); i++)
        k += ((unsigned char)s[i] & 0xc0) != 0x80;
    while (i > 0 && k > head) k -= ((unsigned char)s[--i] & 0xc0) != 0x80;
    str_addn(out, s, i);
    str_add(out, "\u2026");
    for (i = len; i > 0 && tail > 0;) tail -= ((unsigned char)s[--i] & 0xc0) != 0x80;
    str_add(out, s + i);
}
