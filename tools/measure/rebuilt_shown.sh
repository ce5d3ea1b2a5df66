#!/usr/bin/env bash
# The books of a synthetic ITCH day, rebuilt, as a terminal shows it.
set -euo pipefail
bin=$(cd "$(dirname "$0")/../../.venv/bin" && pwd)
export PATH="$bin:$PATH"
"$bin/python" tools/generate/session.py \
    "@'$bin/python' '$PWD/tools/measure/itch_day.py' 20M > day.itch" \
    'lowlat replay day.itch --mode rebuild'
