/* ours.c - times of libtidemill by its public calls, one thread: batches, single rows, contributions
 *
 * ours MODEL FILE [REPEATS [OUT]]: prints one JSON object, nanoseconds of processor time a row, the least
 * of REPEATS; checks on the way that rows one by one are the bits of the batch. With OUT it takes
 * contributions, too, writes them there and prints scores and columns; shap_gap is how far their sum is
 * from the probability of two classes. Built by bench/predict and bench/shap. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tidemill/tidemill.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int fail(const tide_error *err)
{
    fprintf(stderr, "ours: %s\n", err->message);
    return 1;
}

/* [rows][outputs][columns + 1] doubles */
static int put_values(const char *path, const tide_shap *shap)
{
    FILE *f = fopen(path, "wb");
    size_t n = (size_t)tide_shap_rows(shap) * (size_t)tide_shap_outputs(shap) *
               ((size_t)tide_shap_columns(shap) + 1);
    if (!f) return 1;
    size_t put = fwrite(tide_shap_values(shap), sizeof(double), n, f);
    return fclose(f) || put != n;
}

static void put_rest(const tide_shap *shap, const double *score, int64_t n)
{
    printf(", \"outputs\": %d, \"columns\": [", tide_shap_outputs(shap));
    for (int j = 0; j < tide_shap_columns(shap); j++)
        printf("%s\"%s\"", j ? ", " : "", tide_shap_name(shap, j));
    printf("], \"scores\": [");
    for (int64_t i = 0; i < n; i++) printf("%s%.17g", i ? ", " : "", score[i]);
    printf("]");
}

int main(int argc, char **argv)
{
    tide_ctx *ctx;
    tide_error err = {0};
    tide_model *model;
    tide_frame *frame;
    tide_scores *scores = NULL;
    tide_shap *shap = NULL;
    tide_row_predictor *row;
    int repeats = argc > 3 ? atoi(argv[3]) : 5, with_shap = argc > 4;
    if (argc < 3) return 2;
    if (tide_ctx_new(&ctx, &err) || tide_ctx_set_threads(ctx, 1, &err))
        return fail(&err);
    if (tide_model_open(ctx, argv[1], NULL, &model, &err)) return fail(&err);
    if (tide_frame_read(ctx, argv[2], NULL, &frame, &err)) return fail(&err);
    if (tide_row_predictor_new(model, NULL, 0, &row, &err)) return fail(&err);
    int64_t n = tide_frame_rows(frame);
    int columns = tide_row_predictor_columns(row), k = tide_row_predictor_width(row);
    double *x = malloc((size_t)(n * columns) * sizeof *x);
    double *out = malloc((size_t)(n * k) * sizeof *out);
    if (!x || !out) return 1;
    for (int j = 0; j < columns; j++) {
        int at = tide_frame_find(frame, tide_row_predictor_name(row, j), "", &err);
        if (at < 0) return fail(&err);
        for (int64_t i = 0; i < n; i++)
            x[i * columns + j] = tide_frame_number(frame, i, at);
    }
    double batch = INFINITY, single = INFINITY, explain = INFINITY, gap = 0;
    for (int r = 0; r < repeats; r++) {
        double t = now();
        if (tide_model_predict(ctx, model, frame, &scores, &err)) return fail(&err);
        t = now() - t;
        batch = t < batch ? t : batch;
        t = now();
        for (int64_t i = 0; i < n; i++)
            if (tide_predict_row(row, x + i * columns, out + i * k, &err))
                return fail(&err);
        t = now() - t;
        single = t < single ? t : single;
        if (memcmp(out, tide_scores_values(scores), (size_t)(n * k) * sizeof *out) !=
            0) {
            fprintf(stderr, "ours: rows and batch differ\n");
            return 1;
        }
        if (r + 1 < repeats) tide_scores_free(scores);
    }
    for (int r = 0; with_shap && r < repeats; r++) {
        tide_shap_free(shap);
        double t = now();
        if (tide_model_shap(ctx, model, frame, NULL, &shap, &err)) return fail(&err);
        t = now() - t;
        explain = t < explain ? t : explain;
    }
    for (int64_t i = 0; shap && k == 2 && tide_shap_outputs(shap) == 1 && i < n; i++) {
        const double *phi = tide_shap_values(shap) + i * (columns + 1);
        double sum = 0, p = tide_scores_values(scores)[2 * i + 1];
        for (int j = 0; j <= columns; j++) sum += phi[j];
        gap = fmax(gap, fabs(1 / (1 + exp(-sum)) - p));
    }
    printf("{\"batch_ns\": %.1f, \"row_ns\": %.1f, \"shap_ns\": %.1f, \"shap_gap\": "
           "%.3g",
           batch / (double)n, single / (double)n, with_shap ? explain / (double)n : 0.0,
           gap);
    if (shap && put_values(argv[4], shap)) return 1;
    if (shap) put_rest(shap, tide_scores_values(scores), n * k);
    printf("}\n");
    return 0;
}
