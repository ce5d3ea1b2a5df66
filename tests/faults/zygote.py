"""Runs `lowlat` commands in forks of one process that has loaded all of its modules: a tenth of the time of a start.

Reads a line of JSON for each command, `{"arguments", "folder", "plan"}`, and answers with the process's id; then with
its exit code, when it has ended. Started with the shim in LD_PRELOAD.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import json
import os
import pkgutil
import sys
from pathlib import Path
from typing import Any, NoReturn


def load_modules() -> None:
    """Import what a command may import, so that its own calls are the ones that fail."""
    import lowlat
    import lowlat_cli

    for package in (lowlat, lowlat_cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    for name in ("rich.table", "rich.progress", "rich.tree", "traceback", "runpy", "jinja2"):
        importlib.import_module(name)
    from lowlat_cli.main import main

    sys.argv = ["lowlat", "profile", "list"]  # loads what the parser loads late
    with contextlib.redirect_stdout(io.StringIO()):
        main()


def become(arguments: list[str], folder: str, plan: str) -> NoReturn:
    """Run a command in this process, a fork, with its output in files beside its folder."""
    os.chdir(folder)
    for stream, file in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{folder}.{file}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = ["lowlat", *arguments]
    from lowlat_cli import errors
    from lowlat_cli.main import main

    if arguments[0] == "--sabotaged":  # for the test of the test
        del sys.argv[1]
        errors.refusal = lambda _error: None
    os.putenv("FAULT_PLAN", plan)  # the children's shim
    code = 97
    if ctypes.CDLL(None).fault_arm(plan.encode(), 0) == 0:
        code = main()
    os._exit(code)


def _say(answer: object) -> None:
    sys.stdout.write(f"{answer}\n")
    sys.stdout.flush()


def serve() -> None:
    """Run commands until stdin ends."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                become(**asked)
            except BaseException as error:  # noqa: BLE001 (the fork must not go on here)
                os.write(2, f"Traceback: {error!r}\n".encode())
                os._exit(98)
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    load_modules()
    _say("ready")
    serve()
