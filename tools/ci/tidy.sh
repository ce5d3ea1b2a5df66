#!/usr/bin/env bash
# Runs clang-tidy on the native modules, with these checks added to those of .clang-tidy; any finding fails.
set -euo pipefail
bin=$1 checks=$2
commands=$(find build -maxdepth 2 -name compile_commands.json -path '*Release*' | head -n 1)
if ! "$bin/clang-tidy" --version >/dev/null 2>&1 || [ -z "$commands" ]; then
    echo "lowlat: clang-tidy is not available here; skipped" >&2
    exit 0
fi
# Skip nanobind's sources, which are compiled here too.
git ls-files '*/native/*.cpp' ':!tools' ':!tests' |
    xargs -P "$(nproc)" -n 1 "$bin/clang-tidy" -p "$(dirname "$commands")" --quiet --checks="$checks" 2>/dev/null
