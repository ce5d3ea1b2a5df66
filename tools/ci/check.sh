#!/usr/bin/env bash
# Checks formatting, lint and types; any finding fails.
set -euo pipefail
bin=$1
"$bin/ruff" format --check -q .
"$bin/ruff" check -q .
# A tree like the installed package: mypy does not follow the import hook of an editable install.
types=build/types
mkdir -p "$types/lowlat"
for file in lowlat/*; do ln -sfn "$PWD/$file" "$types/$file"; done
for package in engine fleet probes reports; do ln -sfn "$PWD/$package" "$types/lowlat/$package"; done
ln -sfn "$PWD/lowlat_cli" "$types/lowlat_cli"
MYPYPATH=$types "$bin/mypy" &  # takes one CPU
git ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs "$bin/clang-format" --dry-run -Werror
# The analyzer takes six times as long as all other checks together; `make analyze` runs it.
bash tools/ci/tidy.sh "$bin" '-clang-analyzer-*'
wait $!
echo "lowlat: check passed" >&2
