#!/usr/bin/env bash
# Regenerates the committed generated files: those from schema/records.toml, the type stubs of the native modules, the
# schemas of the documents, and the man pages. Tests compare them with the committed files.
set -euo pipefail
bin=$1
"$bin/python" tools/generate
for package in engine probes reports; do
    "$bin/python" -P -m nanobind.stubgen -q -m "lowlat.$package._core" -o "$package/_core.pyi"
done
"$bin/python" -P tools/generate/schemas.py lowlat/schema
"$bin/python" -P tools/generate/man_pages.py docs/man
