#!/usr/bin/env bash
# Fits a profile to a journal and checks it, and another one, against it; prints everything for the documentation.
set -euo pipefail
bin=$(cd "$(dirname "$0")/../../.venv/bin" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Without a terminal, the environment sets the width.
export PATH="$bin:$PATH" COLUMNS=120
shown() { echo "\$ $1"; bash -c "$1" 2>&1 | sed -e 's/[[:space:]]*$//'; }

lowlat bench --profile equity --commands 200k --runs 1 --journal day.journal >bench.txt 2>&1
echo '```console'
shown "lowlat profile fit day.journal -o mine.toml"
shown "lowlat profile check mine.toml day.journal"
shown "lowlat profile check steady day.journal | tail -n 1"
echo '```'
