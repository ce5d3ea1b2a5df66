#!/usr/bin/env bash
# Formatting, lint and types of everything; every finding fails.
set -euo pipefail
bin=$1
"$bin/ruff" format --check -q .
"$bin/ruff" check -q .
# As installed, with the sources in their places: an editable install is an import hook, which mypy does not follow.
types=build/types
mkdir -p "$types/lowlat"
for file in lowlat/*; do ln -sfn "$PWD/$file" "$types/$file"; done
for package in engine probes reports; do ln -sfn "$PWD/$package" "$types/lowlat/$package"; done
ln -sfn "$PWD/lowlat_cli" "$types/lowlat_cli"
MYPYPATH=$types "$bin/mypy"
git ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs "$bin/clang-format" --dry-run -Werror
commands=$(find build -maxdepth 2 -name compile_commands.json -path '*Release*' | head -n 1)
if "$bin/clang-tidy" --version >/dev/null 2>&1 && [ -n "$commands" ]; then
    # nanobind's own sources are compiled here too, and are not ours to tidy.
    git ls-files '*/native/*.cpp' ':!tools' ':!tests' | xargs -P 2 -n 1 "$bin/clang-tidy" -p "$(dirname "$commands")" --quiet 2>/dev/null
else
    echo "lowlat: clang-tidy is not available here; skipped" >&2
fi
echo "lowlat: check passed" >&2
