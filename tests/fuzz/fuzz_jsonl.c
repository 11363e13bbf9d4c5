/* fuzz_jsonl.c - the bytes of a table; fuzz_table.h says what must hold */
#include "frame/jsonl.h"
#include "fuzz/fuzz_table.h"

extern const struct tide_reader tide_reader_jsonl;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    table_check(jsonl_read_table, &tide_reader_jsonl, data, size);
    return 0;
}
