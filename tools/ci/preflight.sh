#!/usr/bin/env bash
# Prints one line with what to install if a requirement that the build cannot fetch itself is missing.
set -u
python=${1:-python3}
missing() {
    echo "lowlat: $1. Install it: $2" >&2
    exit 2
}
command -v "$python" >/dev/null || missing "no $python found" "apt install python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    missing "$("$python" --version) is too old, 3.11 or newer is needed" "apt install python3.11, then make PYTHON=python3.11"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing "Python's venv module is missing" "apt install python3-venv"
"$python" - <<'PY' || missing "Python.h is missing" "apt install python3-dev"
import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())
PY
command -v "${CXX:-c++}" >/dev/null || missing "no C++ compiler (${CXX:-c++}) found" "apt install g++"
echo 'int main() { return [](auto x) { return x; }(0); }' | "${CXX:-c++}" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null ||
    missing "${CXX:-c++} does not compile C++20" "apt install g++ (12 or newer), or set CXX"
