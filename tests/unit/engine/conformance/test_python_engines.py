"""An engine in Python that does not end is ended, whatever it catches."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

import numpy as np
import pytest

from lowlat.child_process import ends_within
from lowlat.engine import COMMAND, EngineConfig, Instrument
from lowlat.engine.bench.engines import EngineEntry
from lowlat.engine.conformance import python_engines
from lowlat.engine.conformance.python_engines import PythonEngines
from lowlat.engine.matching.records import Commands, Events
from lowlat.errors import NotValidError
from tests.waiting import PATIENCE_S

SETTINGS = EngineConfig((Instrument(),), 100, 100)


def hangs() -> None:
    time.sleep(PATIENCE_S)


def hangs_whatever_is_raised() -> None:
    while True:
        with contextlib.suppress(BaseException):
            hangs()


def entry(act: Callable[[], None]) -> EngineEntry:
    class Stuck:
        def __init__(self, _: EngineConfig) -> None:
            pass

        def process(self, commands: Commands) -> Events:
            act()
            raise AssertionError(commands)

    return EngineEntry("stuck", "one that hangs", Stuck)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_engines, "STALL_LIMIT_S", 0.2)
    monkeypatch.setattr(python_engines, "_GRACE_S", 0.2)
    monkeypatch.setattr(python_engines.ENGINES, "provider", lambda _: ("mine", "1.0"))


def test_one_that_hangs_has_failed() -> None:
    engine = PythonEngines(entry(hangs)).engine(SETTINGS, extended=False)
    with pytest.raises(NotValidError, match=r"^the stuck engine hangs: no events for 0\.21 s$"):
        engine.process(np.zeros(1, COMMAND))


def test_one_that_swallows_every_exception_ends_its_process() -> None:
    engine = PythonEngines(entry(hangs_whatever_is_raised)).engine(SETTINGS, extended=False)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with contextlib.suppress(BaseException):
            engine.process(np.zeros(1, COMMAND))
        os._exit(0)
    assert ends_within(child, PATIENCE_S)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
