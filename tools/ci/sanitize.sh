#!/usr/bin/env bash
# Runs the tests under the address and undefined sanitizers, then under the thread sanitizer. Each build has its own
# folder (build/sanitize-*) and does not affect the installed build. Sanitized builds check the whole book after
# commands.
set -euo pipefail
bin=$(cd "$1" && pwd)
export LOWLAT_EXAMPLES=${LOWLAT_EXAMPLES:-40}

library() {  # a runtime library of the compiler that builds here
    local path
    path=$("${CXX:-c++}" -print-file-name="lib$1.so")
    [ -e "$path" ] || { echo "lowlat: the compiler has no lib$1.so. Install it: apt install g++" >&2; exit 2; }
    echo "$path"
}

# The thread sanitizer of older compilers fails with the address space randomization of newer kernels.
fixed_addresses=()
setarch -R true 2>/dev/null && fixed_addresses=(setarch -R)

build() {  # name, sanitizers
    echo "lowlat: building with -fsanitize=${2/;/,}" >&2
    rm -rf "build/sanitize-$1/site"
    PATH="$bin:$PATH" "$bin/python" -m pip --disable-pip-version-check -q install . --no-deps --no-build-isolation \
        --target "build/sanitize-$1/site" --config-settings=build-dir="build/sanitize-$1/cmake" \
        --config-settings=cmake.build-type=RelWithDebInfo --config-settings=cmake.define.LOWLAT_TESTS=ON \
        --config-settings="cmake.define.LOWLAT_SANITIZE=$2"
}

tests() {  # name, libraries to load first, what to run
    local name=$1 preload=$2 packages
    shift 2
    packages=$("$bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    # --capture=sys: keeps sanitizer reports on stderr, which pytest would otherwise swallow.
    # -S: no .pth files, so that the editable install does not take precedence over the sanitized build.
    "${fixed_addresses[@]}" env LD_PRELOAD="$preload" PYTHONPATH="build/sanitize-$name/site:$packages" \
        PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 "$bin/python" -S -P \
        -m pytest -q --capture=sys -p no:cacheprovider "$@"
}

sound() { echo "lowlat: $1: nothing found" >&2; }

export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1:exitcode=66

# All tests except those of the tests themselves: broken engines are plain Python.
properties=(tests/property --ignore=tests/property/test_broken_engines.py -k "not broken")

build address 'address;undefined'
"${fixed_addresses[@]}" build/sanitize-address/cmake/lowlat_native_tests >/dev/null
sound "address and undefined sanitizers, C++ tests"
tests address "$(library asan) $(library stdc++)" "${properties[@]}" tests/fuzz/test_commands_fuzz.py tests/fuzz/test_forged_snapshots.py \
    tests/unit/engine/matching/test_{engine,engine_threads,pools,records,worked_examples}.py \
    tests/unit/engine/shared_book/test_mapped_book.py tests/unit/engine/journal tests/unit/engine/flow/test_itch.py
sound "address and undefined sanitizers, properties and every flow profile"

build thread thread
"${fixed_addresses[@]}" build/sanitize-thread/cmake/lowlat_native_tests >/dev/null
sound "thread sanitizer, C++ tests"
tests thread "$(library tsan)" "${properties[@]}" tests/unit/engine/matching/test_engine_threads.py \
    tests/unit/engine/journal/test_journal.py
sound "thread sanitizer, properties, every flow profile, engines in threads"
"$bin/python" -P -m pytest -q -p no:cacheprovider tests/native/test_mapped_book_stress.py \
    tests/native/test_interval_stress.py -k "thread and sanitizer"
sound "thread sanitizer, writer and reader of a mapped book and of an interval log"
"$bin/python" -P -m pytest -q -p no:cacheprovider tests/native/test_c_interface.py \
    tests/native/test_every_interface.py -k "sanitizer"
sound "all three sanitizers, C programs and every interface of the engine"

echo "lowlat: sanitize passed: address, undefined and thread sanitizers found nothing" >&2
