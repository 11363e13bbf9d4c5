/* simd.c - which kernel set is in force */
#include "simd/simd.h"

#include "base/ctx.h"

const struct simd_table *simd_get(const struct tide_ctx *ctx)
{
#if defined(__x86_64__)
    switch (ctx_isa(
        ctx)) { /* CPUID was asked there; a set this machine lacks never comes back */
    case TIDE_ISA_AVX512:
        return &simd_table_avx512;
    case TIDE_ISA_AVX2:
        return &simd_table_avx2;
    case TIDE_ISA_AUTO:
    case TIDE_ISA_BASE:
        break;
    }
#else
    (void)ctx;
#endif
    return &simd_table_base;
}
