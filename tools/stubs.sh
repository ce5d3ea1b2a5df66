#!/usr/bin/env bash
# Rewrites the type stubs of the native modules; tests/unit/test_stubs.py compares them with what is committed.
set -euo pipefail
bin=$1
out=${2:-.}
for package in engine probes reports; do
    mkdir -p "$out/$package"
    "$bin/python" -P -m nanobind.stubgen -q -m "$package._core" -o "$out/$package/_core.pyi"
done
