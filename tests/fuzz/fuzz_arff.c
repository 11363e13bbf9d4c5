/* fuzz_arff.c - the bytes of a table; fuzz_table.h says what must hold */
#include "frame/arff.h"
#include "fuzz/fuzz_table.h"

extern const struct tide_reader tide_reader_arff;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table_check(arff_read_table, &tide_reader_arff, data, size);
    return 0;
}
