#!/usr/bin/env bash
# Fuzz the engine for so many seconds, under libFuzzer, with sanitizers (see tests/fuzz/native). With `anyhow` as third
# word it uses gcc and random inputs if there is no libFuzzer. The committed corpus is only read; new inputs go to
# build/, and inputs that crash the engine to build/crash-*. To extend the corpus:
#   fuzz_commands -set_cover_merge=1 -use_counters=0 tests/fuzz/corpus build/fuzz-corpus
set -euo pipefail
bin=$(cd "$1" && pwd)
seconds=$2
clang=${CLANG:-clang++}

build() {  # folder, compiler
    "$bin/cmake" -S . -B "build/$1" -G Ninja -DCMAKE_MAKE_PROGRAM="$bin/ninja" -DCMAKE_CXX_COMPILER="$2" \
        -DLOWLAT_FUZZ=ON >/dev/null
    "$bin/cmake" --build "build/$1" -- --quiet
}

if echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    "$clang" -x c++ -fsanitize=fuzzer,address,undefined - -o /dev/null 2>/dev/null; then
    build fuzz-libfuzzer "$(command -v "$clang")"
    mkdir -p build/fuzz-corpus
    build/fuzz-libfuzzer/fuzz_commands -max_total_time="$seconds" -max_len=1001 -print_final_stats=1 \
        -artifact_prefix=build/ build/fuzz-corpus tests/fuzz/corpus
elif [ "${3:-}" = anyhow ]; then
    build fuzz-plain "$(command -v g++)"
    (cd build && fuzz-plain/fuzz_commands "$seconds" "$RANDOM" ../tests/fuzz/corpus/*)
else
    echo "lowlat: $clang with libFuzzer is missing. Install it: apt install clang libclang-rt-dev" >&2
    exit 2
fi
echo "lowlat: fuzz passed: $seconds s" >&2
