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
for package in engine probes reports; do ln -sfn "$PWD/$package" "$types/lowlat/$package"; done
ln -sfn "$PWD/lowlat_cli" "$types/lowlat_cli"
MYPYPATH=$types "$bin/mypy"
git ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs "$bin/clang-format" --dry-run -Werror
commands=$(find build -maxdepth 2 -name compile_commands.json -path '*Release*' | head -n 1)
if "$bin/clang-tidy" --version >/dev/null 2>&1 && [ -n "$commands" ]; then
    # Skip nanobind's sources, which are compiled here too.
    git ls-files '*/native/*.cpp' ':!tools' ':!tests' | xargs -P 2 -n 1 "$bin/clang-tidy" -p "$(dirname "$commands")" --quiet 2>/dev/null
else
    echo "lowlat: clang-tidy is not available here; skipped" >&2
fi
echo "lowlat: check passed" >&2
