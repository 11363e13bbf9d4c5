/* fuzz_import_ubj.c - an XGBoost model as UBJSON */
#include "fuzz/import_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    import_run(data, size);
    return 0;
}
