/* fuzz_tide.c - the bytes of a model file, as they come (checksums and digest mostly wrong) */
#include "fuzz/tide_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)oracle_run(data, size);
    return 0;
}
