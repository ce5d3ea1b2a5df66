"""Prints the output of `lowlat report --history` for four short benchmarks, as text for the README."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

LOWLAT = Path(sys.executable).with_name("lowlat")
BENCHES = 4

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for index in range(BENCHES):
            bench = [LOWLAT, "bench", "--commands", "200k", "--runs", "3", "--output", f"results/{index}.json"]
            Path(folder, "results").mkdir(exist_ok=True)
            subprocess.run(bench, cwd=folder, check=True, capture_output=True)
        history = [LOWLAT, "report", "--history", "results"]
        text = subprocess.run(history, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    print(f"```console\n$ lowlat report --history results\n{lines}\n```")
