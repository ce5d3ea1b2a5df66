#!/usr/bin/env bash
# Stresses the rings: 1 to 4 producers, more than 10^8 records in all, then broken rings that must be rejected.
#   tools/ci/stress.sh                     compiled like the release
#   tools/ci/stress.sh --sanitize thread   fewer records under a sanitizer (thread, or address,undefined)
set -euo pipefail
cd "$(dirname "$0")/../.."
sanitize=
if [ "${1:-}" = --sanitize ]; then
    sanitize=${2:?which sanitizer}
elif [ $# -gt 0 ]; then
    echo "usage: tools/ci/stress.sh [--sanitize thread|address,undefined]" >&2
    exit 2
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

flags=(-O3 -DNDEBUG)
[ "$(uname -m)" = x86_64 ] && flags+=(-march=x86-64-v2)
scale=1
if [ -n "$sanitize" ]; then
    flags+=(-O1 -g "-fsanitize=$sanitize" -fno-sanitize-recover=all)
    scale=10
fi
"${CXX:-c++}" -std=c++20 "${flags[@]}" -I. tools/measure/native/ring_stress.cpp -pthread -o "$scratch/ring_stress"
export TSAN_OPTIONS="halt_on_error=1:exitcode=66 ${TSAN_OPTIONS:-}"

# kind, producers, records, capacity, batch. Includes rings small enough to be always full, and one record per batch.
accept() {
    "$scratch/ring_stress" "$1" "$2" $(($3 / scale)) "$4" "$5" 60000
}
for producers in 1 2 3 4; do
    accept mpsc "$producers" 30000000 65536 64
    accept mpsc "$producers" 3000000 65536 1
    accept mpsc "$producers" 1000000 8 16
    accept mpsc-events "$producers" 3000000 1024 64
done
accept spsc 1 30000000 32768 64
accept spsc 1 3000000 32768 1
accept spsc 1 500000 1 2

# Whether a run ends with one of the given exit codes. Finding the fault depends on chance, so try up to thirty runs.
reject() {
    local codes=$1
    shift
    for _ in $(seq 30); do
        local code=0
        "$scratch/ring_stress" "$@" 1000 >"$scratch/out" 2>&1 || code=$?
        if [[ " $codes " == *" $code "* ]]; then
            echo "rejected as it must be: $1 (exit code $code)"
            return
        fi
    done
    echo "$1 is broken, and was accepted thirty times" >&2
    exit 1
}
if [ "$sanitize" = thread ]; then
    for broken in plain-tail early; do reject "1 66" "$broken" 2 200000 1024 64; done
    reject "1 66" overwriting 1 200000 64 4
    reject 66 relaxed 2 200000 1024 64
else
    reject 1 plain-tail 4 4000000 64 4
    reject 1 old-head 3 1000000 8 16
    reject 1 early 2 4000000 64 64
    reject 1 overwriting 1 1000000 64 4
fi
