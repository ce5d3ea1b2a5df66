#!/usr/bin/env bash
# Fuzz the engine and every parser for so many seconds each, as many at once as there are CPUs: what is native under libFuzzer with sanitizers, what is in
# Python under Atheris (tests/fuzz/native, tests/fuzz/parsers). With `anyhow` as third word it uses gcc, and random
# inputs, where one of them is missing. The committed corpus is only read; new inputs go to build/, and what ends a
# fuzzer to build/crash-NAME. To extend the corpus:
#   fuzz_commands -set_cover_merge=1 -use_counters=0 tests/fuzz/corpus build/fuzz-corpus-commands
set -euo pipefail
bin=$(cd "$1" && pwd)
seconds=$2
clang=${CLANG:-clang++}
root=$PWD
mkdir -p build

build() {  # folder, compiler
    "$bin/cmake" -S . -B "build/$1" -G Ninja -DCMAKE_MAKE_PROGRAM="$bin/ninja" -DCMAKE_CXX_COMPILER="$2" \
        -DLOWLAT_FUZZ=ON >/dev/null
    "$bin/cmake" --build "build/$1" -- --quiet
}

lacks() {  # what, how to install it
    echo "lowlat: $1 is missing. Install it: $2" >&2
    exit 2
}

native() {  # name
    echo "lowlat: fuzzing $1" >&2
    if [ "$driver" = libfuzzer ]; then
        mkdir -p "build/fuzz-corpus-$1"
        "build/fuzz-libfuzzer/fuzz_$1" -max_total_time="$seconds" -timeout=20 -max_len=2001 -print_final_stats=1 \
            -verbosity=0 -exact_artifact_path="build/crash-$1" "build/fuzz-corpus-$1" tests/fuzz/corpus
    else
        (cd build && "fuzz-plain/fuzz_$1" "$seconds" "$RANDOM" ../tests/fuzz/corpus/*)
    fi
}

if echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    "$clang" -x c++ -fsanitize=fuzzer,address,undefined - -o /dev/null 2>/dev/null; then
    driver=libfuzzer
    build fuzz-libfuzzer "$(command -v "$clang")"
elif [ "${3:-}" = anyhow ]; then
    driver=plain
    build fuzz-plain "$(command -v g++)"
else
    lacks "$clang with libFuzzer" "apt install clang libclang-rt-dev"
fi
if ! "$bin/python" -c "import atheris" 2>/dev/null && [ "${3:-}" != anyhow ]; then
    lacks "Atheris" "$bin/pip install atheris"
fi
parser() {  # name
    echo "lowlat: fuzzing $1" >&2
    cd build && "$bin/python" -P "$root/tests/fuzz/parsers/fuzz.py" "$1" "$seconds"
}

export bin seconds root driver
export -f native parser
{
    printf 'native %s\n' commands snapshot journal itch
    "$bin/python" -P tests/fuzz/parsers/fuzz.py --list | sed 's/^/parser /'
} | xargs -P "$(nproc)" -L 1 bash -euc '"$@"' fuzz
echo "lowlat: fuzz passed: $seconds s each" >&2
