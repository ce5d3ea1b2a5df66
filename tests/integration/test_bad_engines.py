"""Engines of shared libraries that break their contract: whatever one does ends in one line that says what, never in a
hang or with the code of an internal error; and what goes on can be told from a right one.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Events, ExecType
from lowlat.errors import ExitCode, LowlatError, NotValidError, PlugInError
from tests.foreign import libraries, run
from tests.foreign.within import Capability, compared
from tests.waiting import PATIENCE_S


@dataclass(frozen=True)
class Refused:
    """An error in words: the process can go on."""

    error: type[LowlatError]
    says: str


@dataclass(frozen=True)
class Ends:
    """The process ends, and its last line says why. `before`: the line before it."""

    says: str
    before: str = ""


OUTCOMES: dict[str, Refused | Ends] = {
    "no_symbol": Refused(PlugInError, "has no function lowlat_get_engine_interface; implement lowlat_engine.h"),
    "no_interface": Refused(PlugInError, "lowlat_get_engine_interface returned NULL"),
    "other_version": Refused(PlugInError, "implements version 2 of the engine interface, this lowlat takes version 1"),
    "too_small": Refused(PlugInError, "its interface has 72 bytes, fewer than 80; set `size` to sizeof"),
    "missing_function": Refused(PlugInError, "its interface lacks a function; it needs create, destroy, reset, and"),
    "creates_nothing": Refused(NotValidError, "made no engine for 1 symbols and 1000 orders: create returned NULL"),
    "counts_too_many": Refused(NotValidError, "events by its own count, to a room of 1024"),
    "crashes": Ends("crashed (SIGSEGV) in execute()"),
    "crashes_in_destroy": Ends("crashed (SIGSEGV) in destroy()"),
    "overflows_stack": Ends("crashed (SIGSEGV) in execute()"),
    "divides_by_zero": Ends("crashed (SIGFPE) in execute()"),
    "aborts": Ends("aborted (SIGABRT) in execute()"),
    "throws": Ends("aborted (SIGABRT) in execute()", before="  what():  no such order"),
    "exits": Ends("ended its process in execute()"),
    "exits_with_70": Ends("ended its process in execute()"),
    "hangs": Ends("hangs: no event for too long in execute()"),
    "hangs_in_create": Ends("hangs: no event for too long in create()"),
    "hangs_in_constructor": Ends("hangs: no event for too long in dlopen()"),
    "writes_past_room": Ends("wrote past the end of its room for events in process()"),
    "never_stops_calling_back": Ends("emits events without end in execute()"),
    "never_stops_draining": Ends("emits events without end in process()"),
}
"""What becomes of a process with this bad library."""

RUNS = ["claims_fok", "dirty_zero", "leaks", "never_resets", "prints", "skips_rejections", "swaps_events"]
"""The others run on. Each has a test of its own."""


def test_every_bad_library_is_tried() -> None:
    assert sorted([*OUTCOMES, *RUNS]) == list(libraries.BAD)


def ran(library: Path, events: Path) -> subprocess.CompletedProcess[str]:
    """`tests/foreign/run.py` with a library."""
    command = [sys.executable, "-P", run.__file__, library, events]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("name", OUTCOMES)
def test_it_ends_in_a_line_that_says_why(name: str, tmp_path: Path) -> None:
    library, expected, events = libraries.bad(name), OUTCOMES[name], tmp_path / "events.npz"
    done = ran(library, events)
    *before, last = done.stderr.splitlines()
    if isinstance(expected, Refused):
        assert (done.returncode, before) == (1, [])
        assert last.startswith(f"{expected.error.__name__}: ")
        assert expected.says in last
    else:
        assert (done.returncode, last) == (ExitCode.NOT_VALID, f"{library} {expected.says}")
        assert before[-1:] == ([expected.before] if expected.before else [])
    assert events.exists() == (name == "crashes_in_destroy")
    assert done.stdout == ""


@pytest.mark.parametrize(("content", "says"), [(None, "No such file or directory"), (b"#!/bin/sh\n", "file too short")])
def test_what_is_no_library(content: bytes | None, says: str, tmp_path: Path) -> None:
    library = tmp_path / "engine.so"
    if content is not None:
        library.write_bytes(content)
    done = ran(library, tmp_path / "events.npz")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("PlugInError: cannot be loaded: ") and str(library) in line and says in line


# -- those that run on -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """What `tests/foreign/run.py` wrote: the events of both runs, and what the heap grew by in the second."""

    first: Events
    second: Events
    grown: int
    out: str


def recorded(library: Path, folder: Path) -> Recorded:
    done = ran(library, folder / "events.npz")
    assert (done.returncode, done.stderr) == (0, "")
    with np.load(folder / "events.npz") as arrays:
        first, second = (arrays[name].view(EVENT) for name in ("first", "second"))
        return Recorded(first, second, int(arrays["grown"]), done.stdout)


LITTLE = int(Capability.MARKET | Capability.IOC)
"""What `simple_book.c` takes, and the bad libraries that are made from it."""


def right(capabilities: int = LITTLE) -> Events:
    """Our events for the commands that `tests/foreign/run.py` gives an engine of these capabilities."""
    return Engine.of(run.SETTINGS).process(run.given(capabilities))


def assert_right(events: Events) -> None:
    assert compared(events, LITTLE) == compared(right(), LITTLE)


def test_one_that_is_right(tmp_path: Path) -> None:
    """So that the differences below are those of the bad ones."""
    done = recorded(libraries.simple_book_in_c(), tmp_path)
    assert_right(done.first)
    assert_right(done.second)
    assert done.out == ""
    assert done.grown < 64 * len(run.given(LITTLE)) // 4


def test_one_that_leaks(tmp_path: Path) -> None:
    done = recorded(libraries.bad("leaks"), tmp_path)
    assert_right(done.second)
    assert done.grown >= 64 * len(run.given(LITTLE))


def test_one_that_prints(tmp_path: Path) -> None:
    done = recorded(libraries.bad("prints"), tmp_path)
    assert_right(done.first)
    assert done.out == '{"debug": "a command"}\n' * 2 * len(run.given(LITTLE))


def test_one_that_claims_what_it_cannot_do(tmp_path: Path) -> None:
    """The first difference is at a fill-or-kill order, which it has traded in part or canceled."""
    commands, ours = run.given(LITTLE | Capability.FOK), right(LITTLE | Capability.FOK)
    theirs = recorded(libraries.bad("claims_fok"), tmp_path).first
    at = next(at for at in range(len(ours)) if ours[at]["kind"] != theirs[at]["kind"])
    assert commands[ours[at]["sequence"]]["time_in_force"] == 2
    assert (ours[at]["kind"], theirs[at]["kind"]) == (ExecType.REJECTED, ExecType.ACCEPTED)


def test_one_that_leaves_the_zero_field_as_it_was(tmp_path: Path) -> None:
    events = recorded(libraries.bad("dirty_zero"), tmp_path).first
    assert compared(events, LITTLE) != compared(right(), LITTLE)
    events.view(np.uint32).reshape(len(events), 16)[:, 15] = 0
    assert_right(events)


def test_one_that_does_not_reset(tmp_path: Path) -> None:
    done = recorded(libraries.bad("never_resets"), tmp_path)
    assert_right(done.first)
    assert done.second[0]["sequence"] == len(run.given(LITTLE))
    assert compared(done.second, LITTLE) != compared(right(), LITTLE)


def test_one_that_says_nothing_of_what_it_rejects(tmp_path: Path) -> None:
    ours = right()
    theirs = recorded(libraries.bad("skips_rejections"), tmp_path).first
    assert ExecType.REJECTED in ours["kind"]
    assert compared(theirs, LITTLE) == compared(ours[ours["kind"] != ExecType.REJECTED], LITTLE)


def test_one_whose_events_are_out_of_order(tmp_path: Path) -> None:
    theirs = recorded(libraries.bad("swaps_events"), tmp_path).first
    assert (np.diff(theirs["sequence"].astype(np.int64)) < 0).any()
    assert_right(theirs[np.argsort(theirs["sequence"], kind="stable")])
