"""An engine behind rings: its events are whole, and whatever it does ends in an error of one line."""

import re
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.external import process, ring_engine
from lowlat.engine.external.hosting import EngineHost
from lowlat.engine.external.ring_engine import CAPACITY
from lowlat.engine.foreign.compared import ComparedEngine
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands
from lowlat.errors import NotValidError
from tests.foreign import processes
from tests.unit.engine.external.test_line_engine import some_commands
from tests.waiting import PATIENCE_S

SETTINGS = EngineConfig((Instrument(),), 20_000, 100)


def widened(plain: Commands) -> Commands:
    """The same as `EXTENDED_COMMAND` records."""
    extended = np.zeros(len(plain), EXTENDED_COMMAND)
    for name in COMMAND.names or ():
        extended[name] = plain[name]
    return extended


@pytest.mark.parametrize("extended", [False, True])
def test_events_are_those_of_the_native_engine_byte_for_byte(*, extended: bool) -> None:
    """More of them than either ring holds."""
    plain = some_commands(2 * CAPACITY)
    given = widened(plain) if extended else plain
    expected = Engine.of(SETTINGS).process(plain).tobytes()
    with EngineHost(processes.ring_book()) as host:
        engine = host.ring_engine(SETTINGS, extended=extended)
        assert engine.process(given).tobytes() == expected
        engine.reset()
        few = given[:200]
        assert expected.startswith(b"".join(engine.process(few[at : at + 1]).tobytes() for at in range(len(few))))
        assert engine.process(given[:0]).tobytes() == b""
        other = host.ring_engine(SETTINGS, extended=not extended)
        assert expected.startswith(other.process(plain[:200] if extended else widened(plain[:200])).tobytes())


def test_measured_loops_take_it() -> None:
    given = some_commands(300)
    events = Engine.of(SETTINGS).process(given)
    with EngineHost(processes.ring_book()) as host:
        engine = host.ring_engine(SETTINGS, extended=False)
        batched = _core.run_batched(engine.matcher, given)
        engine.reset()
        single = _core.run_one_at_a_time(engine.matcher, given)
    assert batched.events == single.events == len(events)
    assert batched.tail == single.tail == events.tobytes()[-len(single.tail) :]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("crashes", "was killed by SIGSEGV at command 5"),
        ("exits", "exited with code 7 at command 5"),
        ("truncates", "was killed by SIGBUS at command"),
        pytest.param("never_ends", "emits events without end at command 6", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_breaks_the_protocol_is_ended(fault: str, said: str) -> None:
    with EngineHost(processes.ring_book(fault), PATIENCE_S) as host:
        engine = host.ring_engine(SETTINGS, extended=False)
        with pytest.raises(NotValidError, match=re.escape(said)):
            engine.process(some_commands(10))
        assert host.process.over


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hangs", "hangs: no answer for 0\\.3 s at command 5"),
        ("never_marks", "hangs: no answer for 0\\.3 s at command 9"),
        ("truncates_and_hangs", "truncated the file of a ring at command \\d"),
    ],
)
def test_a_process_that_hangs_is_ended(fault: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.05)
    with EngineHost(processes.ring_book(fault), PATIENCE_S) as host:
        host.process.stall_limit_s = 0.3
        engine = host.ring_engine(SETTINGS, extended=False)
        with pytest.raises(NotValidError, match=f"{said}$"):
            engine.process(some_commands(10))


def test_a_scribbled_ring_is_a_hang_or_another_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that were not read yet are lost; else there are records that are none."""
    monkeypatch.setattr(process, "GRACE_S", 0.05)
    with EngineHost(processes.ring_book("scribbles"), PATIENCE_S) as host:
        host.process.stall_limit_s = 0.3
        compared = ComparedEngine(host.ring_engine(SETTINGS, extended=False), Engine.of(SETTINGS))
        try:
            compared.process(some_commands(10))
        except NotValidError as error:
            assert re.search(r"hangs: no answer for 0\.3 s at command \d$", str(error))
        else:
            assert compared.difference is not None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("swaps", "sequence 6 instead of 5"),
        ("other_quantity", "quantity"),
        ("answers_twice", "sequence 5 instead of 6"),
    ],
)
def test_another_event_is_for_the_comparison(fault: str, said: str) -> None:
    with EngineHost(processes.ring_book(fault)) as host:
        compared = ComparedEngine(host.ring_engine(SETTINGS, extended=False), Engine.of(SETTINGS))
        compared.process(some_commands(10))
    assert compared.difference is not None and said in compared.difference and compared.differs_at in (5, 6)


def test_files_of_rings_are_gone_once_both_have_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_engine, "_MEMORY", tmp_path)
    with EngineHost(processes.ring_book()) as host:
        engine = host.ring_engine(SETTINGS, extended=False)
        assert not [*tmp_path.iterdir()]
        assert len(engine.process(some_commands(4))) > 4
