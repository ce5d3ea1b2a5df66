#!/usr/bin/env bash
# Builds the wheel of this interpreter into dist/, repairs it for the oldest glibc that it runs on, and writes its bill
# of materials. Releases come from cibuildwheel, in a container with an older glibc (.github/workflows/release.yml).
set -euo pipefail
bin=$(cd "$1" && pwd)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH PATH="$bin:$PATH"
rm -rf build/wheel dist
"$bin/python" -m pip --disable-pip-version-check -q wheel . --no-deps --no-build-isolation -w build/wheel
"$bin/auditwheel" repair --plat auto -w dist build/wheel/*.whl
"$bin/python" tools/release/bill_of_materials.py dist/*.whl
