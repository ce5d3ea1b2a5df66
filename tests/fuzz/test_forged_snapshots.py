"""A snapshot whose checksums are right may still be forged: whatever its fields say, it is refused with the field's
name, or it is a state that the engine could be in. Each is loaded in a process with limits of memory and time.
"""

from __future__ import annotations

import faulthandler
import mmap
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from lowlat.engine import Instrument, Side, _core, command, commands
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import SnapshotError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import SNAPSHOT, SnapshotHead, pack_head, read_head
from lowlat.engine.journal.snapshot import restore_snapshot, snapshot_path
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import Commands, ExecInst
from lowlat.errors import FormatError
from tests.fuzz.rich_book import GROWING, SETTINGS, growing_commands, rich_commands
from tests.property.world_streams import WORLD_STREAMS

ROOM_BYTES: Final = 1 << 30
PATIENCE_S: Final = 60
"""For one forgery; loading takes microseconds."""
STRANGE: Final = bytes([0, 1, 2, 8, 0x7F, 0x80, 0xFF])
WORDS: Final = (0, 1, 1 << 31, 1 << 59, (1 << 63) - 1, (1 << 64) - 1)
Forgery = tuple[int, bytes]


def forgeries(state: bytes) -> Iterator[Forgery]:
    """Every byte with several values, and every word of eight bytes."""
    for at, byte in enumerate(state):
        for value in {*STRANGE, byte ^ 1, byte + 1 & 0xFF, byte - 1 & 0xFF} - {byte}:
            yield at, bytes([value])
    for at in range(0, len(state), 8):
        for word in WORDS:
            yield at, struct.pack("<Q", word)


def state_of(settings: EngineConfig, commands: Commands) -> bytes:
    engine = Engine.of(settings)
    engine.process(commands)
    return _core.save_state(engine.matcher)[0]


def endings(count: int, load: Callable[[int], None]) -> list[str]:
    """`load(number)` for each number, in a child process with limits. How the child ended where it did not go on."""
    reached, found, begin = mmap.mmap(-1, 8), [], 0
    while begin < count:
        child = os.fork()
        if child == 0:
            _load_all(range(begin, count), load, reached)
        status = os.waitpid(child, 0)[1]
        if status == 0:
            break
        (number,) = struct.unpack("<Q", reached[:8])
        ended = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {status >> 8}"
        found.append(f"{number}: {ended}")
        begin = number + 1
    return found


def _load_all(numbers: Sequence[int], load: Callable[[int], None], reached: mmap.mmap) -> None:
    """In the child: never returns."""
    try:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not _core.build_facts()["sanitize"]:
            # Not of addresses: an engine whose pools may grow has more of them from its start.
            resource.setrlimit(resource.RLIMIT_DATA, (2 * ROOM_BYTES, 2 * ROOM_BYTES))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        for number in numbers:
            reached[:8] = struct.pack("<Q", number)
            signal.alarm(PATIENCE_S)
            load(number)
        os._exit(0)
    finally:
        os._exit(70)


class Loader:
    """Restores forged states, and then uses the engine as anybody may."""

    def __init__(self, settings: EngineConfig, state: bytes, forged: Sequence[Forgery]) -> None:
        self.settings = settings
        self.state = state
        self.forged = forged
        self.after = WORLD_STREAMS["close"].commands([1], 300)
        self.empty = Engine.of(settings)

    def restored(self, state: bytes) -> Engine | None:
        engine = self.empty
        try:
            _core.restore_state(engine.matcher, state, ROOM_BYTES)
        except FormatError as error:
            assert str(error), "an error says what is wrong"
            return None
        self.empty = Engine.of(self.settings)  # pools that have grown stay large
        return engine

    def __call__(self, number: int) -> None:
        at, changed = self.forged[number]
        state = self.state[:at] + changed + self.state[at + len(changed) :]
        engine = self.restored(state)
        if engine is None:
            return
        assert _core.save_state(engine.matcher)[0] == state, "every byte of a state counts"
        engine.check_invariants()
        engine.process(self.after)
        for symbol in range(len(self.settings.instruments)):
            engine.orders(symbol), engine.stops(symbol), engine.indicative(symbol)
        engine.check_invariants()


CASES = {"rich": (SETTINGS, rich_commands), "growing": (GROWING, growing_commands)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_no_forged_state_ends_the_process(name: str) -> None:
    settings, commands = CASES[name]
    state = state_of(settings, commands())
    loader = Loader(settings, state, list(forgeries(state)))
    assert loader.restored(state) is not None
    found = endings(len(loader.forged), loader)
    assert not found, [(each, loader.forged[int(each.split(":")[0])]) for each in found[:9]]


def test_what_ends_the_process_is_found() -> None:
    """The harness rejects a loader that crashes, one that hangs in a loop, and one that raises something untyped."""

    def broken(number: int) -> None:
        if number == 1:
            os.abort()  # which no sanitizer turns into an exit of its own, as it does SIGSEGV
        if number == 3:
            raise KeyError("untyped")
        if number == 4:
            signal.alarm(1)
            while True:
                pass

    assert endings(6, broken) == ["1: SIGABRT", "3: exit 70", "4: SIGALRM"]


FIELDS = {
    # Offset in the state, bytes, and what the error has to say.
    "symbols": (68, b"\x03", "symbols 3 is not that of the settings"),
    "sequence": (7, b"\xff", "sequence .* is more commands than there can be"),
    "clock": (23, b"\x80", "clock .* is a time that no command can set"),
    "tape_capacity": (47, b"\x08", "tape_capacity 576460752303423494 is not the size in the settings, doubled"),
    "tape_held": (48, b"\x09", "tape_held 9 is more than the tape takes"),
    "orders_max": (67, b"\x20", "orders_max 536871040 is not the size in the settings, doubled"),
    "growths": (72, b"\x01", "growths 1 does not explain"),
    "trade": (80 + 16, b"\x01", r"trade 0 on the tape: price \d+ is outside the band"),
    "last": (272, b"\x02", "symbol 0: last .* is not that of the newest trade"),
    "phase": (272 + 24, b"\x09", "symbol 0: phase 9 is unknown"),
    "traded": (272 + 25, b"\x02", "symbol 0: traded 2 is neither 0 nor 1"),
    "orders": (272 + 11, b"\x7f", "symbol 0: orders .* is more than the pool has room for"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_the_error_names_the_field(field: str) -> None:
    at, changed, what = FIELDS[field]
    state = state_of(SETTINGS, rich_commands())
    with pytest.raises(FormatError, match=what):
        _core.restore_state(Engine.of(SETTINGS).matcher, state[:at] + changed + state[at + len(changed) :], ROOM_BYTES)


def test_the_error_names_the_order() -> None:
    """The one byte that ended `journal verify`: a trailing stop that calls itself a limit order."""
    state = state_of(SETTINGS, rich_commands())
    kind = 56  # of OrderAttributes
    trailing = next(at for at in range(272, len(state)) if state[at + kind : at + kind + 2] == b"\x08\x08")
    forged = state[: trailing + kind] + b"\x01" + state[trailing + kind + 1 :]
    with pytest.raises(FormatError, match=r"symbol 0, buy stops, order \d+: kind 1 does not wait"):
        _core.restore_state(Engine.of(SETTINGS).matcher, forged, ROOM_BYTES)


def test_orders_that_would_have_traded_are_refused_also_behind_one_that_may_cross() -> None:
    """An all-or-none order may cross the book. When it left, the others would cross it for ever."""
    settings = EngineConfig((Instrument(),), orders=64)
    resting = commands(
        command(1, 1, side=Side.SELL, quantity=5, price=10),
        command(1, 2, side=Side.BUY, quantity=9, price=11, flags=ExecInst.ALL_OR_NONE),
        command(1, 3, side=Side.BUY, quantity=5, price=9),
    )
    state = state_of(settings, resting)
    nine, ten = (struct.pack("<q", ~ticks) for ticks in (9, 10))
    assert state.count(nine) == 1
    _core.restore_state(Engine.of(settings).matcher, state, ROOM_BYTES)
    with pytest.raises(FormatError, match="its books break an invariant: a book is crossed by all-or-none orders only"):
        _core.restore_state(Engine.of(settings).matcher, state.replace(nine, ten), ROOM_BYTES)


def test_pools_that_do_not_fit_are_refused_before_they_are_taken() -> None:
    state = state_of(GROWING, growing_commands())
    with pytest.raises(FormatError, match=r"orders_max 128 and tape_capacity 8 need [\d,]+ bytes, and 9 are available"):
        _core.restore_state(Engine.of(GROWING).matcher, state, 9)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "day.journal"
    with JournaledEngine.journaling(path, SETTINGS) as engine:
        engine.process(rich_commands())
        engine.snapshot()
    return path


def forge(journal: Path, **fields: int) -> None:
    """Change fields of the snapshot's head, or a byte of its state by `at` and `byte`; all sums are right."""
    path = snapshot_path(journal)
    head, start, _ = read_head(memoryview(path.read_bytes()), SNAPSHOT, SnapshotHead.from_json, "")
    state = bytearray(path.read_bytes()[start:])
    if "at" in fields:
        state[fields.pop("at")] = fields.pop("byte")
    said = {name: getattr(head, name) for name in head.__struct_fields__} | fields
    said |= {"state_bytes": len(state), "state_checksum": _core.crc32c(bytes(state))}
    path.write_bytes(pack_head(SNAPSHOT, SnapshotHead(**said).to_json())[0] + state)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"at": 47, "byte": 8}, "does not hold a state of this engine: tape_capacity"),
        ({"sequence": 7}, "it was taken after 1 block and 7 commands, and there are 1 and"),
        ({"blocks": 7}, "it was taken after 7 blocks"),
        ({"at": 1, "byte": 1}, "contradicts itself: its state is after 331 commands, its header says 75"),
    ],
)
def test_recovery_does_without_a_forged_snapshot(journal: Path, fields: dict[str, int], what: str) -> None:
    forge(journal, **fields)
    with JournalFile(journal) as file, pytest.raises(SnapshotError, match=what):
        restore_snapshot(file, Engine.of(SETTINGS))
    with JournaledEngine.recover(journal) as back:
        assert back.recovery is not None and back.recovery.replayed == len(rich_commands())
        assert what in str(back.recovery.snapshot_fault)
    check = check_journal(journal)
    assert check.snapshot is not None and what in str(check.snapshot.fault)
    assert check.recovered is not None and check.problem is None


def test_an_honest_snapshot_is_used(journal: Path) -> None:
    forge(journal)
    with JournaledEngine.recover(journal) as back:
        assert back.recovery is not None and back.recovery.replayed == 0
