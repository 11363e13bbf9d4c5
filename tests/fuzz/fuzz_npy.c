/* fuzz_npy.c - the bytes of a table; fuzz_table.h says what must hold */
#include "frame/npy.h"
#include "fuzz/fuzz_table.h"

extern const struct tide_reader tide_reader_npy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table_check(npy_read_table, &tide_reader_npy, data, size);
    return 0;
}
