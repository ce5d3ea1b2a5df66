#!/usr/bin/env bash
# Shows a live book in one tmux pane and a pipeline run in another; prints both screens for the README.
set -euo pipefail
command -v tmux >/dev/null || { echo "tmux is needed: apt install tmux" >&2; exit 2; }
bin=$(cd "$(dirname "$0")/../../.venv/bin" && pwd)
runtime=$(mktemp -d)
session=lowlat-book-$$
trap 'tmux kill-session -t "$session" 2>/dev/null || true; rm -rf "$runtime"' EXIT

bench="lowlat bench --pipeline --producers 2 --rate 50k -n 500k --runs 1"
book="lowlat book EQUITY --watch --levels 5"
tmux new-session -d -s "$session" -x 100 -y 24 "XDG_RUNTIME_DIR=$runtime PATH=$bin:$PATH $bench; sleep 60"
for _ in $(seq 100); do [ -e "$runtime/lowlat/EQUITY.book" ] && break; sleep 0.1; done
sleep 2
tmux split-window -t "$session" "XDG_RUNTIME_DIR=$runtime PATH=$bin:$PATH $book"
sleep 3
screen() { tmux capture-pane -p -t "$session.$1" | sed -e 's/[[:space:]]*$//' | sed -e '/./,$!d' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
left_out='<!-- not run: needs two terminals -->'
echo "$left_out"
echo '```console'
echo "\$ $book"
screen 1
echo '```'
echo
echo "$left_out"
echo '```console'
echo "\$ $bench"
screen 0
echo '```'
