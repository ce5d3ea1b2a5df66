#!/usr/bin/env bash
# Formatting, lint and types of everything; every finding fails.
set -euo pipefail
bin=$1
"$bin/ruff" format --check -q .
"$bin/ruff" check -q .
"$bin/mypy"
git ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs "$bin/clang-format" --dry-run -Werror
commands=$(find build -maxdepth 2 -name compile_commands.json -path '*Release*' | head -n 1)
if "$bin/clang-tidy" --version >/dev/null 2>&1 && [ -n "$commands" ]; then
    # nanobind's own sources are compiled here too, and are not ours to tidy.
    git ls-files '*/native/*.cpp' ':!tools' ':!tests' | xargs -P 2 -n 1 "$bin/clang-tidy" -p "$(dirname "$commands")" --quiet 2>/dev/null
else
    echo "lowlat: clang-tidy is not available here; skipped" >&2
fi
echo "lowlat: check passed" >&2
