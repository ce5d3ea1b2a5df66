#!/usr/bin/env bash
# Rewrites what is committed but generated: what schema/records.toml says, the type stubs of the native modules, and the schemas of
# the documents. Tests compare them with what is committed.
set -euo pipefail
bin=$1
"$bin/python" tools/generate
for package in engine probes reports; do
    "$bin/python" -P -m nanobind.stubgen -q -m "lowlat.$package._core" -o "$package/_core.pyi"
done
for kind in report sweep history comparison; do
    "$bin/python" -P -c "from lowlat.reports.io import schema; print(end=schema.generated_text(schema.${kind^^}))" >"reports/schema/$kind-1.schema.json"
done
