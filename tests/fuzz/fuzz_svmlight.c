/* fuzz_svmlight.c - the bytes of a table; fuzz_table.h says what must hold */
#include "frame/svmlight.h"
#include "fuzz/fuzz_table.h"

extern const struct tide_reader tide_reader_svmlight;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table_check(svmlight_read_table, &tide_reader_svmlight, data, size);
    return 0;
}
