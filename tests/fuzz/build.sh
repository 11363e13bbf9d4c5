#!/bin/bash -eu
# build.sh: as OSS-Fuzz builds (CC, CFLAGS, LIB_FUZZING_ENGINE, OUT are set); else see `run`
cd "$(dirname "$0")/../.."
meson setup build-oss -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
for options in tests/fuzz/fuzz_*.options; do
    target=$(basename "$options" .options)
    ninja -C build-oss "tests/fuzz/$target"
    cp "build-oss/tests/fuzz/$target" "$options" "$OUT/"
    cp "tests/fuzz/${target#fuzz_}.dict" "$OUT/$target.dict"
    (cd "tests/fuzz/corpus/${target#fuzz_}" && zip -q "$OUT/${target}_seed_corpus.zip" ./*)
done
