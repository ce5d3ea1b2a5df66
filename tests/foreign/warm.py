"""`run.py` in forks of a process that has loaded the engine: a fraction of the time of a start."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # last: `lowlat` is the installed one

from tests.foreign.run import answer_requests
from tests.zygote import end, serve

if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    if serve(control) is not None:
        answer_requests()
        end(0)
