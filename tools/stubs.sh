#!/usr/bin/env bash
# Rewrites what is committed but generated: the type stubs of the native modules, and the schema of the report. Tests
# compare both with what is committed.
set -euo pipefail
bin=$1
for package in engine probes reports; do
    "$bin/python" -P -m nanobind.stubgen -q -m "$package._core" -o "$package/_core.pyi"
done
"$bin/python" -P -c 'from reports.schema import generated_text; print(end=generated_text())' >reports/schema/report-1.schema.json
