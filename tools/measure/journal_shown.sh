#!/usr/bin/env bash
# Verifies, shows, compacts and tears (as in a crash) journals of measured flows; prints everything for the README.
set -euo pipefail
bin=$(cd "$(dirname "$0")/../../.venv/bin" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Without a terminal, the environment sets the width.
export PATH="$bin:$PATH" COLUMNS=250
shown() { echo "\$ $1"; bash -c "$1" 2>&1 | sed -e 's/[[:space:]]*$//'; }

echo '```console'
shown "lowlat bench --journal day.journal | grep ^journal"
shown "lowlat bench --journal small.journal --batch 256 | grep ^journal"
shown "lowlat bench -p all-kinds --journal wide.journal | grep ^journal"
shown "lowlat journal verify day.journal"
shown "lowlat journal dump day.journal --from 10k --limit 5"
shown "lowlat journal compact small.journal"
shown "lowlat journal verify small.journal | grep -e segments -e size -e commands -e snapshot -e recovered"
shown "truncate -s -1000 day.journal"
shown "lowlat journal verify day.journal | grep -e commands -e end -e recovered"
echo '```'
