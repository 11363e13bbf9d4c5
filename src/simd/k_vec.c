/* k_vec.c - sums, dot products and Gram blocks in fixed lanes
 *
 * sum, dot, dot3: 8 lanes, lane l takes elements l, l+8, ...; folded ((0+1)+(2+3))+((4+5)+(6+7)).
 * gram: 4 lanes a pair, rows in pieces of GRAM_PIECE, each piece folded (0+1)+(2+3) and added
 * to g; a last piece short of 4 rows is filled up with zeros. No fma: two-pipe machines lose
 * nothing, and the base set stays fast. */
#include <string.h>

#include "simd/simd.h"

double KERNEL(sum)(const double *x, int64_t n);
double KERNEL(dot)(const double *x, const double *y, int64_t n);
double KERNEL(dot3)(const double *x, const double *y, const double *w, int64_t n);
void KERNEL(axpy)(double a, const double *x, double *y, int64_t n);
void KERNEL(shift_scale)(const double *x, double shift, const double *w, double *out,
                         int64_t n);
void KERNEL(gram_rect)(const double *const *x, int p, const double *const *y, int q,
                       int64_t n, double *g, int64_t ldg, int upper);
void KERNEL(gram)(const double *const *x, const double *w, int64_t n, int p, double *g);

typedef double v4 __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) void load4(v4 *v, const double *p)
{
    memcpy(v, p, sizeof *v);
}

static inline __attribute__((always_inline)) double fold8(const v4 *a, const v4 *b)
{
    v4 p = *a, q = *b;
    return ((p[0] + p[1]) + (p[2] + p[3])) + ((q[0] + q[1]) + (q[2] + q[3]));
}

/* The last n % 8 elements go to the lanes they would have. */
static inline __attribute__((always_inline)) void tail8(double t[8], const double *x,
                                                        int64_t n)
{
    memset(t, 0, 8 * sizeof *t);
    memcpy(t, x, (size_t)n * sizeof *t);
}

double KERNEL(sum)(const double *x, int64_t n)
{
    v4 a = {0, 0, 0, 0}, b = a, u, v;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        load4(&u, x + i);
        load4(&v, x + i + 4);
        a += u;
        b += v;
    }
    if (i < n) {
        double t[8];
        tail8(t, x + i, n - i);
        load4(&u, t);
        load4(&v, t + 4);
        a += u;
        b += v;
    }
    return fold8(&a, &b);
}

double KERNEL(dot)(const double *x, const double *y, int64_t n)
{
    v4 a = {0, 0, 0, 0}, b = a, u, v, s, t;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        load4(&u, x + i);
        load4(&v, x + i + 4);
        load4(&s, y + i);
        load4(&t, y + i + 4);
        a += u * s;
        b += v * t;
    }
    if (i < n) {
        double p[8], q[8];
        tail8(p, x + i, n - i);
        tail8(q, y + i, n - i);
        load4(&u, p);
        load4(&v, p + 4);
        load4(&s, q);
        load4(&t, q + 4);
        a += u * s;
        b += v * t;
    }
    return fold8(&a, &b);
}

double KERNEL(dot3)(const double *x, const double *y, const double *w, int64_t n)
{
    v4 a = {0, 0, 0, 0}, b = a, u, v, s, t, e, f;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        load4(&u, x + i);
        load4(&v, x + i + 4);
        load4(&s, y + i);
        load4(&t, y + i + 4);
        load4(&e, w + i);
        load4(&f, w + i + 4);
        a += u * s * e;
        b += v * t * f;
    }
    if (i < n) {
        double p[8], q[8], r[8];
        tail8(p, x + i, n - i);
        tail8(q, y + i, n - i);
        tail8(r, w + i, n - i);
        for (int l = 0; l < 8; l++) p[l] = p[l] * q[l] * r[l];
        load4(&u, p);
        load4(&v, p + 4);
        a += u;
        b += v;
    }
    return fold8(&a, &b);
}

void KERNEL(axpy)(double a, const double *restrict x, double *restrict y, int64_t n)
{
    for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

void KERNEL(shift_scale)(const double *restrict x, double shift,
                         const double *restrict w, double *restrict out, int64_t n)
{
    if (w)
        for (int64_t i = 0; i < n; i++) out[i] = (x[i] - shift) * w[i];
    else
        for (int64_t i = 0; i < n; i++) out[i] = x[i] - shift;
}

/* ---- Gram: g[i*ldg + j] += sum_r x_i[r] y_j[r] ---- */
#define GRAM_PIECE 256
#define GRAM_I     3
#define GRAM_J     3

/* One tile of up to 3 x 3 pairs over n <= GRAM_PIECE rows, n a multiple of 4. Columns short
 * of 3 repeat the last one; what they give is not stored. */
static inline __attribute__((always_inline)) void
gram_tile(const double *const *x, int ni, const double *const *y, int nj, int64_t r0,
          int64_t n, double *g, int64_t ldg)
{
    const double *x0 = x[0] + r0, *x1 = x[ni > 1 ? 1 : 0] + r0,
                 *x2 = x[ni > 2 ? 2 : 0] + r0;
    const double *y0 = y[0] + r0, *y1 = y[nj > 1 ? 1 : 0] + r0,
                 *y2 = y[nj > 2 ? 2 : 0] + r0;
    v4 z = {0, 0, 0, 0}, acc[GRAM_I][GRAM_J] = {{z, z, z}, {z, z, z}, {z, z, z}};
    for (int64_t r = 0; r < n; r += 4) {
        v4 a, b0, b1, b2;
        load4(&b0, y0 + r);
        load4(&b1, y1 + r);
        load4(&b2, y2 + r);
        load4(&a, x0 + r);
        acc[0][0] += a * b0;
        acc[0][1] += a * b1;
        acc[0][2] += a * b2;
        load4(&a, x1 + r);
        acc[1][0] += a * b0;
        acc[1][1] += a * b1;
        acc[1][2] += a * b2;
        load4(&a, x2 + r);
        acc[2][0] += a * b0;
        acc[2][1] += a * b1;
        acc[2][2] += a * b2;
    }
    for (int i = 0; i < ni; i++)
        for (int j = 0; j < nj; j++) {
            v4 s = acc[i][j];
            g[i * ldg + j] += (s[0] + s[1]) + (s[2] + s[3]);
        }
}

/* Last rows, fewer than 4: as if filled up with zeros. */
static void gram_rest(const double *const *x, int p, const double *const *y, int q,
                      int64_t r0, int n, double *g, int64_t ldg, int upper)
{
    for (int i = 0; i < p; i++)
        for (int j = upper ? i : 0; j < q; j++) {
            double s[4] = {0, 0, 0, 0};
            for (int r = 0; r < n; r++) s[r] = x[i][r0 + r] * y[j][r0 + r];
            g[i * ldg + j] += (s[0] + s[1]) + (s[2] + s[3]);
        }
}

void KERNEL(gram_rect)(const double *const *x, int p, const double *const *y, int q,
                       int64_t n, double *g, int64_t ldg, int upper)
{
    int64_t whole = n - n % 4;
    for (int64_t r0 = 0; r0 < whole; r0 += GRAM_PIECE) {
        int64_t m = whole - r0 < GRAM_PIECE ? whole - r0 : GRAM_PIECE;
        for (int i = 0; i < p; i += GRAM_I) {
            int ni = p - i < GRAM_I ? p - i : GRAM_I;
            for (int j = upper ? i : 0; j < q; j += GRAM_J)
                gram_tile(x + i, ni, y + j, q - j < GRAM_J ? q - j : GRAM_J, r0, m,
                          g + i * ldg + j, ldg);
        }
    }
    if (whole < n) gram_rest(x, p, y, q, whole, (int)(n - whole), g, ldg, upper);
}

/* As gram_rect of w x_i with x_j, i <= j. The lower part within a tile is left as garbage
 * would be, so tiles on the diagonal go through a small square. */
void KERNEL(gram)(const double *const *x, const double *w, int64_t n, int p, double *g)
{
    double piece[GRAM_I][GRAM_PIECE], small[GRAM_I * GRAM_J];
    const double *wx[GRAM_I];
    for (int64_t r0 = 0; r0 < n; r0 += GRAM_PIECE) {
        int64_t m = n - r0 < GRAM_PIECE ? n - r0 : GRAM_PIECE;
        for (int i = 0; i < p; i += GRAM_I) {
            int ni = p - i < GRAM_I ? p - i : GRAM_I;
            for (int k = 0; k < ni; k++) {
                const double *c = x[i + k] + r0;
                if (w)
                    for (int64_t r = 0; r < m; r++) piece[k][r] = c[r] * w[r0 + r];
                else
                    memcpy(piece[k], c, (size_t)m * sizeof *c);
                wx[k] = piece[k];
            }
            for (int j = i; j < p; j += GRAM_J) {
                const double *y[GRAM_J];
                int nj = p - j < GRAM_J ? p - j : GRAM_J;
                for (int k = 0; k < nj; k++) y[k] = x[j + k] + r0;
                memset(small, 0, sizeof small);
                KERNEL(gram_rect)(wx, ni, y, nj, m, small, GRAM_J, 0);
                for (int a = 0; a < ni; a++)
                    for (int b = j == i ? a : 0; b < nj; b++)
                        g[(int64_t)(i + a) * p + j + b] += small[a * GRAM_J + b];
            }
        }
    }
}
