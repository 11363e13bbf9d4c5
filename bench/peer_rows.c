/* peer_rows.c - single rows by the C interfaces of LightGBM and XGBoost, loaded at run time
 *
 * peer_rows lightgbm LIB MODEL FILE.f64 ROWS COLUMNS or peer_rows xgboost ...: FILE holds rows
 * of doubles. Prints nanoseconds of processor time a row, the least of five passes. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *symbol(void *lib, const char *name)
{
    void *p = dlsym(lib, name);
    if (!p) fprintf(stderr, "peer_rows: no %s\n", name), exit(1);
    return p;
}

#define LOAD(type, name)                                                               \
    type name;                                                                         \
    void *name##_at = symbol(lib, #name);                                              \
    memcpy(&name, &name##_at, sizeof name)

typedef int (*lgb_load)(const char *, int *, void **);
typedef int (*lgb_fast)(void *, int, int, int, int, int32_t, const char *, void **);
typedef int (*lgb_row)(void *, const void *, int64_t *, double *);

static double lightgbm(void *lib, const char *model, const double *x, int n, int p)
{
    LOAD(lgb_load, LGBM_BoosterCreateFromModelfile);
    LOAD(lgb_fast, LGBM_BoosterPredictForMatSingleRowFastInit);
    LOAD(lgb_row, LGBM_BoosterPredictForMatSingleRowFast);
    void *booster, *fast;
    int rounds;
    int64_t len;
    double out, best = 1e300, sum = 0;
    if (LGBM_BoosterCreateFromModelfile(model, &rounds, &booster)) exit(1);
    if (LGBM_BoosterPredictForMatSingleRowFastInit(booster, 0, 0, -1, 1, p,
                                                   "num_threads=1", &fast))
        exit(1);
    for (int r = 0; r < 5; r++) {
        double t = now();
        for (int i = 0; i < n; i++) {
            if (LGBM_BoosterPredictForMatSingleRowFast(fast, x + (size_t)i * (size_t)p,
                                                       &len, &out))
                exit(1);
            sum += out;
        }
        t = now() - t;
        if (t < best) best = t;
    }
    fprintf(stderr, "sum %g\n", sum);
    return best / n;
}

typedef int (*xgb_new)(const void *, uint64_t, void **);
typedef int (*xgb_load)(void *, const char *);
typedef int (*xgb_set)(void *, const char *, const char *);
typedef int (*xgb_dense)(void *, const char *, const char *, void *, const uint64_t **,
                         uint64_t *, const float **);

static double xgboost(void *lib, const char *model, const double *x, int n, int p)
{
    LOAD(xgb_new, XGBoosterCreate);
    LOAD(xgb_load, XGBoosterLoadModel);
    LOAD(xgb_set, XGBoosterSetParam);
    LOAD(xgb_dense, XGBoosterPredictFromDense);
    static const char config[] =
        "{\"type\":0,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
        "\"strict_shape\":false,\"cache_id\":0,\"missing\":NaN}";
    void *booster;
    const uint64_t *shape;
    uint64_t dims;
    const float *out;
    double best = 1e300, sum = 0;
    char array[256];
    if (XGBoosterCreate(NULL, 0, &booster) || XGBoosterLoadModel(booster, model) ||
        XGBoosterSetParam(booster, "nthread", "1"))
        exit(1);
    for (int r = 0; r < 3; r++) {
        double t = now();
        for (int i = 0; i < n; i++) {
            snprintf(array, sizeof array,
                     "{\"data\":[%llu,true],\"shape\":[1,%d],\"typestr\":\"<f8\","
                     "\"version\":3}",
                     (unsigned long long)(uintptr_t)(x + (size_t)i * (size_t)p), p);
            if (XGBoosterPredictFromDense(booster, array, config, NULL, &shape, &dims,
                                          &out))
                exit(1);
            sum += (double)out[0];
        }
        t = now() - t;
        if (t < best) best = t;
    }
    fprintf(stderr, "sum %g\n", sum);
    return best / n;
}

int main(int argc, char **argv)
{
    if (argc < 7) return 2;
    int n = atoi(argv[5]), p = atoi(argv[6]);
    double *x = malloc((size_t)n * (size_t)p * sizeof *x);
    FILE *f = fopen(argv[4], "rb");
    void *lib = dlopen(argv[2], RTLD_NOW);
    if (!x || !f || !lib || fread(x, sizeof *x, (size_t)n * (size_t)p, f) == 0) {
        fprintf(stderr, "peer_rows: %s\n", lib ? argv[4] : dlerror());
        return 1;
    }
    printf("%.1f\n", strcmp(argv[1], "xgboost") == 0 ? xgboost(lib, argv[3], x, n, p)
                                                     : lightgbm(lib, argv[3], x, n, p));
    return 0;
}
