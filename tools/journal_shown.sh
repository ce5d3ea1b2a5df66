#!/usr/bin/env bash
# A journal of a measured flow: checked, shown, and torn as by a crash; prints it all for the README.
set -euo pipefail
bin=$(cd "$(dirname "$0")/../.venv/bin" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Off a terminal the width is the environment's.
export PATH="$bin:$PATH" COLUMNS=110
shown() { echo "\$ $1"; bash -c "$1" 2>&1 | sed -e 's/[[:space:]]*$//'; }

lowlat bench -n 200k --runs 1 --journal day.journal >/dev/null
echo '```console'
shown "lowlat journal verify day.journal"
shown "lowlat journal dump day.journal --from 10k --limit 5"
shown "truncate -s -1000 day.journal"
shown "lowlat journal verify day.journal | grep -e commands -e end -e recovered"
echo '```'
