/* save_loop.c - saves two models in turn over one file until it is killed (tests/kill.py)
 *
 *   save_loop MODEL_A MODEL_B OUT [slow]
 *
 * slow: bytes are written one by one, so that a kill meets files of every length and a disk
 * (or memory) that syncs at once is no faster than the killer. */
#include <stdio.h>
#include <string.h>

#include <tidemill/tidemill.h>

#include "base/file.h"

int main(int argc, char **argv)
{
    tide_ctx *ctx = NULL;
    tide_model *m[2] = {NULL, NULL};
    tide_error err = {0};
    if (argc < 4 || tide_ctx_new(&ctx, &err) ||
        tide_model_open(ctx, argv[1], NULL, &m[0], &err) ||
        tide_model_open(ctx, argv[2], NULL, &m[1], &err)) {
        fprintf(stderr, "save_loop: %s\n", err.message);
        return 2;
    }
    if (argc > 4 && strcmp(argv[4], "slow") == 0)
        file_fault_set(1, 1, FILE_FAULT_SHORT);
    puts("ready");
    fflush(stdout);
    for (int i = 0;; i++)
        if (tide_model_save(ctx, m[i & 1], argv[3], &err)) {
            fprintf(stderr, "save_loop: %s\n", err.message);
            return 3;
        }
}
