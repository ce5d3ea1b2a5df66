"""`fuzz.py` in forks of a process that has loaded every parser: a fraction of the time of a start."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3]))  # last, as in fuzz.py

from tests.fuzz.parsers.fuzz import main
from tests.zygote import end, serve

if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    if serve(control) is not None:
        main()
        end(0)
