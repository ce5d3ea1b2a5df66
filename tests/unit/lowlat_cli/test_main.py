"""What ends the command before its first modules are loaded is one line and an exit code, never a traceback with 1."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from lowlat.errors import ExitCode
from lowlat_cli.main import main

INTERRUPTED = "lowlat: interrupted before any result\n"
WHERE_TO_LOOK = "; check memory, disk, limits (ulimit -a) and PYTHONPATH\n"


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, INTERRUPTED),
        (ImportError("no Pattern in re"), ExitCode.USAGE, f"lowlat: error: no Pattern in re{WHERE_TO_LOOK}"),
        (MemoryError("none left"), ExitCode.USAGE, f"lowlat: error: none left{WHERE_TO_LOOK}"),
        (ValueError("boo"), ExitCode.INTERNAL, f"lowlat: internal error: ValueError: boo{WHERE_TO_LOOK}"),
    ],
)
def test_modules_that_cannot_be_loaded(
    raised: BaseException,
    code: ExitCode,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Finder:
        """Asked first for every module."""

        def find_spec(self, name: str, _path: Sequence[str] | None, _target: object = None) -> None:
            if name == "lowlat_cli.errors":
                raise raised

    monkeypatch.delitem(sys.modules, "lowlat_cli.errors", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert (main(), *capsys.readouterr()) == (code, "", line)
