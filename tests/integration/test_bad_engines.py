"""Engines of shared libraries that break their contract: whatever one does ends in one line that says what, never in a
hang or with the code of an internal error; and what goes on can be told from a right one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events, ExecType, TimeInForce
from lowlat.errors import ExitCode, LowlatError, NotValidError, PlugInError
from tests.foreign import libraries, run
from tests.foreign.apart import engine_process
from tests.foreign.within import commands_within, compared
from tests.property.streams import STREAMS
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

IN_A_COMMAND = ("in execute()", "in process()", "to a room of 1024")
"""How the outcomes of a bad command end."""

RUNS = [
    "claims_fok",
    "dirty_zero",
    "leaks",
    "never_resets",
    "prints",
    "prints_errors",
    "skips_rejections",
    "swaps_events",
]
"""The others run on. Each has a test of its own; `prints_errors` in `test_verify.py`."""


def test_every_bad_library_is_tried() -> None:
    assert sorted([*OUTCOMES, *RUNS]) == list(libraries.BAD)


SETTINGS = EngineConfig((Instrument(),), orders=1_000)
LITTLE = int(Capability.MARKET | Capability.IOC)
"""What `simple_book.c` takes, and the bad libraries that are made from it."""


def given(capabilities: int = LITTLE) -> Commands:
    """The commands that an engine of these capabilities gets."""
    return commands_within(STREAMS["touch"].commands(1, 3_000), capabilities)


def job(library: Path, commands: Commands, stall_limit_ms: int = 1_000) -> run.Job:
    """Two runs, a reset between them."""
    return run.Job(library, SETTINGS, [commands, commands], frozenset({1}), stall_limit_ms)


@pytest.mark.parametrize("name", OUTCOMES)
def test_it_ends_in_a_line_that_says_why(name: str) -> None:
    assert_ends(name, run.run)


@pytest.mark.parametrize("loop", [run.run_batched, run.run_one_at_a_time])
@pytest.mark.parametrize("name", [name for name, outcome in OUTCOMES.items() if outcome.says.endswith(IN_A_COMMAND)])
def test_so_it_does_in_the_measured_loops(name: str, loop: Callable[[run.Job], object]) -> None:
    """It was right while it was verified, and is not while it is measured."""
    assert_ends(name, loop)


def assert_ends(name: str, loop: Callable[[run.Job], object]) -> None:
    library, expected = libraries.bad(name), OUTCOMES[name]
    with engine_process() as process:
        if isinstance(expected, Refused):
            with pytest.raises(expected.error, match=re.escape(expected.says)):
                process.ask(loop, job(library, given()))
            assert process.end() == (0, "", "")
            return
        with pytest.raises(EOFError):
            process.ask(loop, job(library, given(), 500 if expected.says.startswith("hangs") else 1_000))
        code, out, err = process.end()
    *before, last = err.splitlines()
    assert (code, out, last) == (ExitCode.NOT_VALID, "", f"{library} {expected.says}")
    assert before[-1:] == ([expected.before] if expected.before else [])


@pytest.mark.parametrize(("content", "says"), [(None, "No such file or directory"), (b"#!/bin/sh\n", "file too short")])
def test_what_is_no_library(content: bytes | None, says: str, tmp_path: Path) -> None:
    library = tmp_path / "engine.so"
    if content is not None:
        library.write_bytes(content)
    with (
        engine_process() as process,
        pytest.raises(PlugInError, match=f"cannot be loaded: {library}: .*{says}.*; build "),
    ):
        process.ask(run.capabilities, library)


# -- those that run on -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """The events of two runs, what the heap grew by in the second, and what came out on stdout."""

    first: Events
    second: Events
    grown: int
    out: str


def recorded(library: Path, capabilities: int = LITTLE) -> Recorded:
    with engine_process() as process:
        done = process.ask(run.run, job(library, given(capabilities), stall_limit_ms=int(PATIENCE_S * 1_000)))
        code, out, err = process.end()
    assert (code, err) == (0, "")
    first, second = (np.frombuffer(bytearray(events), EVENT) for events in done.events)
    return Recorded(first, second, done.grown[1], out)


def right(capabilities: int = LITTLE) -> Events:
    """Our events for the same commands."""
    return Engine.of(SETTINGS).process(given(capabilities))


def assert_right(events: Events) -> None:
    assert compared(events, LITTLE) == compared(right(), LITTLE)


def chosen(events: Events, which: NDArray[np.generic]) -> Events:
    """Some of the events, with the bytes that belong to no field: numpy would leave those out."""
    return events.view(f"V{EVENT.itemsize}")[which].view(EVENT)


def test_one_that_is_right() -> None:
    """So that the differences below are those of the bad ones."""
    done = recorded(libraries.simple_book_in_c())
    assert_right(done.first)
    assert_right(done.second)
    assert done.out == ""
    assert done.grown < 16 * len(given())


def test_one_that_leaks() -> None:
    done = recorded(libraries.bad("leaks"))
    assert_right(done.second)
    assert done.grown >= 64 * len(given())


def test_one_that_prints() -> None:
    done = recorded(libraries.bad("prints"))
    assert_right(done.first)
    assert done.out == '{"debug": "a command"}\n' * 2 * len(given())


def test_one_that_claims_what_it_cannot_do() -> None:
    """The first difference is at a fill-or-kill order that could not trade whole."""
    capabilities = LITTLE | Capability.FOK
    ours, theirs = right(capabilities), recorded(libraries.bad("claims_fok"), capabilities).first
    at = next(at for at in range(len(ours)) if ours[at]["kind"] != theirs[at]["kind"])
    assert given(capabilities)[ours[at]["sequence"]]["time_in_force"] == TimeInForce.FOK
    assert (ours[at]["kind"], theirs[at]["kind"]) == (ExecType.REJECTED, ExecType.ACCEPTED)


def test_one_that_leaves_the_zero_field_as_it_was() -> None:
    events = recorded(libraries.bad("dirty_zero")).first
    assert compared(events, LITTLE) != compared(right(), LITTLE)
    events.view(np.uint32).reshape(len(events), 16)[:, 15] = 0
    assert_right(events)


def test_one_that_does_not_reset() -> None:
    done = recorded(libraries.bad("never_resets"))
    assert_right(done.first)
    assert done.second[0]["sequence"] == len(given())


def test_one_that_says_nothing_of_what_it_rejects() -> None:
    ours, theirs = right(), recorded(libraries.bad("skips_rejections")).first
    assert ExecType.REJECTED in ours["kind"]
    assert compared(theirs, LITTLE) == compared(chosen(ours, ours["kind"] != ExecType.REJECTED), LITTLE)


def test_one_whose_events_are_out_of_order() -> None:
    theirs = recorded(libraries.bad("swaps_events")).first
    assert (np.diff(theirs["sequence"].astype(np.int64)) < 0).any()
    assert_right(chosen(theirs, np.argsort(theirs["sequence"], kind="stable")))
