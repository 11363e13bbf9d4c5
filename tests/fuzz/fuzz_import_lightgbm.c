/* fuzz_import_lightgbm.c - a LightGBM model as text */
#include "fuzz/import_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    import_run(data, size);
    return 0;
}
