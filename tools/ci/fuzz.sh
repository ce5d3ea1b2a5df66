#!/usr/bin/env bash
# Fuzz the engine and every parser for so many seconds each, as many at once as there are CPUs: what is native under
# libFuzzer with sanitizers, what is in Python under Atheris (tests/fuzz/native, tests/fuzz/parsers). With `anyhow` as
# third word it uses gcc, and random inputs, where one of them is missing. FUZZ_ONLY='native itch': that one only.
# FUZZ_SEED=1: that seed chooses the inputs, as in CI, where a failure is then due to the change; else they are others
# each time. The committed corpus is only read; new inputs go to build/. The input that ends a fuzzer stays in
# build/fuzzed, and is printed in the command that runs it alone, in any clone (FUZZ_INPUT). To extend the corpus:
#   fuzz_commands -set_cover_merge=1 -use_counters=0 tests/fuzz/corpus build/fuzz-corpus-commands
set -euo pipefail
bin=$(cd "$1" && pwd)
seconds=$2
anyhow=${3:-}
only=${FUZZ_ONLY:-}
input=${FUZZ_INPUT:-}
seed=${FUZZ_SEED:-$((RANDOM + 1))}
clang=${CLANG:-clang++}
root=$PWD
mkdir -p build/fuzzed/native build/fuzzed/parser

build() {  # folder, compiler
    "$bin/cmake" -S . -B "build/$1" -G Ninja -DCMAKE_MAKE_PROGRAM="$bin/ninja" -DCMAKE_CXX_COMPILER="$2" \
        -DLOWLAT_FUZZ=ON >/dev/null
    "$bin/cmake" --build "build/$1" -- --quiet
}

lacks() {  # what, how to install it
    echo "lowlat: $1 is missing. Install it: $2" >&2
    exit 2
}

native() {  # name, its only input if there is one
    local program=$root/build/fuzz-$driver/fuzz_$1 corpus=$root/tests/fuzz/corpus new=$root/build/fuzz-corpus-$1
    if [ "$driver" = libfuzzer ]; then
        [ $# = 2 ] || mkdir -p "$new"
        "$program" -max_total_time="$seconds" -seed="$seed" -timeout=20 -max_len=2001 -print_final_stats=1 -verbosity=0 \
            -exact_artifact_path="crash-$1" "${2:-$new}" $([ $# = 2 ] || echo "$corpus")
    elif [ $# = 2 ]; then
        "$program" 0 0 "$2"
    else
        "$program" "$seconds" "$seed" "$corpus"/*
    fi
}

parser() {  # name, its only input if there is one
    PYTHONHASHSEED=$seed "$bin/python" -P "$root/tests/fuzz/parsers/fuzz.py" "$1" "$seconds" --seed "$seed" ${2:+--kept "$2"}
}

attempt() {  # native or parser, name
    local kept=build/fuzzed/$1/crash-$2
    echo "lowlat: fuzzing $1 $2" >&2
    rm -f "$kept"
    [ -z "$input" ] || base64 -d <<<"$input" | gzip -dc >"$kept"
    (cd "build/fuzzed/$1" && "$1" "$2" ${input:+"crash-$2"}) && return
    echo "lowlat: $1 $2 failed, $([ -f "$kept" ] && echo "by the input in $kept" || echo 'and left no input')" >&2
    [ ! -f "$kept" ] || echo "lowlat: run it again: make fuzz${anyhow:+ FUZZ=$anyhow} FUZZ_ONLY='$1 $2'" \
        "FUZZ_INPUT=$(gzip -9nc "$kept" | base64 -w0)" >&2
    return 1
}

driver=
if [[ $only == parser\ * ]]; then
    : # nothing to build
elif echo 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }' |
    "$clang" -x c++ -fsanitize=fuzzer,address,undefined - -o /dev/null 2>/dev/null; then
    driver=libfuzzer
    build fuzz-libfuzzer "$(command -v "$clang")"
elif [ "$anyhow" = anyhow ]; then
    driver=plain
    build fuzz-plain "$(command -v g++)"
else
    lacks "$clang with libFuzzer" "apt install clang libclang-rt-dev"
fi
if ! "$bin/python" -c "import atheris" 2>/dev/null && [ "$anyhow" != anyhow ]; then
    lacks "Atheris" "$bin/pip install atheris"
fi

fuzzers=$({
    printf 'native %s\n' commands snapshot journal itch
    "$bin/python" -P tests/fuzz/parsers/fuzz.py --list | sed 's/^/parser /'
} | grep -x -- "${only:-.*}") || {
    echo "lowlat: there is no fuzzer '$only'; write FUZZ_ONLY='native itch', or 'parser report'" >&2
    exit 2
}
export bin seconds seed root driver anyhow input
export -f native parser attempt
xargs -P "$(nproc)" -L 1 bash -euc 'attempt "$@"' fuzz <<<"$fuzzers"
echo "lowlat: fuzz passed: ${only:-$seconds s each}" >&2
