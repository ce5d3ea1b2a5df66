"""As `tests/zygote.py`, for commands whose calls fail as planned. Started with the shim in LD_PRELOAD."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.zygote import load_modules, serve


def become(plan: str) -> NoReturn:
    """Run the command in this process, a fork, with the shim armed."""
    from lowlat_cli import errors
    from lowlat_cli.main import main

    if sys.argv[1] == "--sabotaged":  # for the test of the test
        del sys.argv[1]
        errors.refusal = lambda _error: None
    os.putenv("FAULT_PLAN", plan)  # the children's shim
    code = 97
    if ctypes.CDLL(None).fault_arm(plan.encode(), 0) == 0:
        code = main()
    os._exit(code)


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    load_modules()
    if asked := serve(control):
        try:
            become(asked["plan"])
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is an outcome)
            os.write(2, f"Traceback: {error!r}\n".encode())
            os._exit(98)
