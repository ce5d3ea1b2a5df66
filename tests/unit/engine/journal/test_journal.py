"""Recovery restores the same books, tape and counters, to the byte, for any batching and any snapshot. What cannot be
recovered is refused with a reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import (
    JournalError,
    JournalExistsError,
    JournalHeldError,
    JournalWriteError,
    NoJournalError,
    SnapshotError,
)
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.header import JOURNAL, JournalHead, pack_head
from lowlat.engine.journal.names import snapshot_path
from lowlat.engine.journal.records import BlockKind, Fault, SyncPolicy
from lowlat.engine.matching.commands import command, commands, extended_command, extended_commands
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import (
    Commands,
    CommandType,
    MatchAlgorithm,
    PoolPolicy,
    Reason,
    SelfTradePrevention,
    Side,
    TickRounding,
    TradingPhase,
)
from lowlat.errors import ArrayError, BusyError, FormatError, UsageError
from tests import journal_by_hand
from tests.property.world_streams import WORLD_STREAMS
from tests.waiting import PATIENCE_S

INSTRUMENTS = (
    Instrument(tick=5, lot=10, price_min=-100, price_max=10_000, unit=Decimal("0.005")),
    Instrument(algorithm=MatchAlgorithm.PRO_RATA, off_tick=TickRounding.PASSIVE),
)


ROOM_BYTES = 1 << 30

without_sanitizers = pytest.mark.skipif(
    bool(_core.build_facts()["sanitize"]), reason="sanitizers take more address space than is left"
)


def state(engine: Engine) -> bytes:
    """Books, stops, tape, clock and counters: everything that later events depend on."""
    return _core.save_state(engine.matcher)[0]


def world() -> tuple[EngineConfig, Commands]:
    """Five thousand commands of every kind, some of them invalid."""
    stream = WORLD_STREAMS["deep"]
    return stream.settings, stream.commands([7], 5_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "day.journal"


@pytest.fixture
def small_files() -> Iterator[None]:
    """Limit files of this process to 64 KiB, to simulate a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def limit(order_id: int, price: int = 100, quantity: int = 5, side: Side = Side.BUY) -> tuple[int, ...]:
    return command(CommandType.LIMIT, order_id, side=side, price=price, quantity=quantity)


@pytest.mark.parametrize("sync", SyncPolicy)
@pytest.mark.parametrize("batch", [1, 7, 5_000])
def test_what_is_recovered_is_what_was_there(path: Path, sync: SyncPolicy, batch: int) -> None:
    settings, stream = world()
    plain = Engine.of(settings)
    stream = stream[: 200 * batch]
    with JournaledEngine.journaling(path, settings, sync=sync, interval_ns=100_000) as engine:
        for start in range(0, len(stream), batch):
            part = stream[start : start + batch]
            assert np.array_equal(engine.process(part), plain.process(part))
        before = state(engine)
    assert before == state(plain)
    with JournaledEngine.recover(path) as back:
        assert state(back) == before
        assert back.counters == plain.counters
        assert back.recovery is not None
        assert (back.recovery.commands, back.recovery.torn_bytes, back.recovery.torn) == (len(stream), 0, None)
        back.check_invariants()


def test_plain_and_wide_batches_are_read_as_the_format_says(path: Path) -> None:
    first, second = (
        commands(limit(1), limit(2)),
        extended_commands(extended_command(CommandType.ADVANCE_TIME, quantity=9)),
    )
    with JournaledEngine.create(path, INSTRUMENTS, orders=77, trades=33) as engine:
        engine.process(first)
        engine.process(second)
        engine.drain_trades()
    read = journal_by_hand.read(path.read_bytes())
    assert read.payloads == [(1, first.tobytes()), (2, second.tobytes()), (3, b"")]
    assert read.end == path.stat().st_size
    assert (read.said["orders"], read.said["trades"], len(read.said["identity"])) == (77, 33, 32)
    with JournalFile(path) as file:
        assert file.settings == engine.settings
        assert [(block.kind, block.sequence) for block in file.blocks()] == [
            (BlockKind.COMMANDS, 0),
            (BlockKind.EXTENDED_COMMANDS, 2),
            (BlockKind.DRAIN, 3),
        ]
        assert (file.fault, file.end.sequence, file.end.blocks, file.held) == (Fault.NONE, 3, 3, False)


def test_a_large_batch_takes_several_blocks(path: Path) -> None:
    stream = np.zeros(32_768 + 1, dtype=commands(limit(1)).dtype)  # a block holds a MiB, these are a record more
    with JournaledEngine.create(path, sync=SyncPolicy.NONE) as engine:
        engine.process(stream)
    with JournalFile(path) as file:
        assert [len(block.commands) for block in file.blocks()] == [32_768, 1]
        assert file.end.sequence == len(stream)


def test_it_goes_on_where_it_ended_again_and_again(path: Path) -> None:
    settings, stream = world()
    plain = Engine.of(settings)
    plain.process(stream[:4_000])
    JournaledEngine.journaling(path, settings).close()
    for start in range(0, 4_000, 1_000):
        with JournaledEngine.recover(path, sync=SyncPolicy.NONE) as engine:
            engine.process(stream[start : start + 1_000])
            after = state(engine)
    assert after == state(plain)


@pytest.mark.parametrize("policy", PoolPolicy)
def test_tape_and_pools_come_back_as_full_as_they_were(path: Path, policy: PoolPolicy) -> None:
    settings = EngineConfig(
        (Instrument(),), 3, 2, PoolPolicy.REJECT if policy is PoolPolicy.RECYCLE else policy, policy
    )
    stream = commands(
        *(limit(n, quantity=1, side=Side(n % 2)) for n in range(1, 12)), *(limit(n) for n in range(20, 27))
    )
    with JournaledEngine.journaling(path, settings) as engine:
        engine.process(stream[:6])
        engine.drain_trades()
        engine.process(stream[6:])
        before, counters, trades = state(engine), engine.counters, engine.trades()
        engine.snapshot()
    for _ in range(2):  # from the snapshot, then without
        with JournaledEngine.recover(path) as back:
            assert (state(back), back.counters) == (before, counters)
            assert np.array_equal(back.trades(), trades)
        snapshot_path(path).unlink(missing_ok=True)


def test_a_drain_lets_a_tape_that_refuses_go_on_after_recovery_too(path: Path) -> None:
    settings = EngineConfig((Instrument(),), 10, 1, when_trades_dry=PoolPolicy.REJECT)
    meet = [commands(limit(n), limit(n + 1, side=Side.SELL)) for n in (1, 3, 5)]
    with JournaledEngine.journaling(path, settings) as engine:
        engine.process(meet[0])
        assert engine.process(meet[1])[-1]["reason"] == Reason.TRADE_POOL_FULL
        engine.drain_trades()
    with JournaledEngine.recover(path) as back:
        assert back.process(commands(limit(9, side=Side.SELL)))[-1]["reason"] == Reason.NONE


@pytest.mark.parametrize("name", WORLD_STREAMS)
def test_a_restored_state_saves_the_same_bytes_and_goes_on_alike(name: str) -> None:
    stream = WORLD_STREAMS[name]
    commands_before, commands_after = stream.commands([3], 3_000), stream.commands([4], 3_000)
    engine, restored = Engine.of(stream.settings), Engine.of(stream.settings)
    engine.process(commands_before)
    saved = state(engine)
    _core.restore_state(restored.matcher, saved, ROOM_BYTES)
    restored.check_invariants()
    assert state(restored) == saved
    assert np.array_equal(restored.process(commands_after), engine.process(commands_after))
    assert state(restored) == state(engine)


def test_a_state_is_more_than_what_can_be_asked_of_the_books() -> None:
    """Otherwise two engines that behave differently later would compare equal: here only the participants differ."""
    one, other = Engine(), Engine()
    for engine, participant_id in ((one, 1), (other, 2)):
        engine.submit(1, Side.BUY, 5, 100, participant_id=participant_id, self_trade=SelfTradePrevention.CANCEL_BOTH)
    assert np.array_equal(one.orders(), other.orders())
    assert state(one) != state(other)
    one.set_phase(TradingPhase.HALTED)
    assert state(one) != state(Engine())


def test_recovery_begins_at_the_snapshot(path: Path) -> None:
    settings, stream = world()
    with JournaledEngine.journaling(path, settings) as engine:
        engine.process(stream[:3_000])
        saved = engine.snapshot()
        engine.process(stream[3_000:])
        before = state(engine)
    assert (saved.path, saved.sequence) == (snapshot_path(path), 3_000)
    assert saved.path.stat().st_size == saved.size
    with JournaledEngine.recover(path) as back:
        assert back.recovery is not None
        assert (back.recovery.commands, back.recovery.replayed) == (5_000, 2_000)
        assert state(back) == before
        back.snapshot()
    with JournaledEngine.recover(path) as back:
        assert back.recovery is not None and back.recovery.replayed == 0
        assert state(back) == before


def test_recovery_removes_what_a_kill_in_a_snapshot_left(path: Path) -> None:
    settings, stream = world()
    if (child := os.fork()) == 0:
        try:
            engine = JournaledEngine.journaling(path, settings)
            engine.process(stream[:10])
            os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
            engine.snapshot()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(list(path.parent.glob(".lowlat-*.tmp"))) == 1
    with JournaledEngine.recover(path) as back:
        assert back.recovery is not None and back.recovery.commands == 10
        assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_snapshot_that_cannot_be_trusted_is_left_out_and_named(path: Path, tmp_path: Path) -> None:
    settings, stream = world()
    with JournaledEngine.journaling(path, settings) as engine:
        engine.process(stream[:300])
        saved = engine.snapshot().path
        before = state(engine)
    sound = saved.read_bytes()
    with JournaledEngine.journaling(tmp_path / "other", settings) as other:
        foreign = other.snapshot().path.read_bytes()
    spoilt = {
        "is damaged: the checksum of its state": sound[:-1] + bytes([sound[-1] ^ 1]),
        "is damaged: the checksum": sound[:-8],
        "a damaged header": sound[:40] + bytes([sound[40] ^ 1]) + sound[41:],
        "was never a complete": sound[:7],
        "version 3": sound[:8] + b"\3" + sound[9:],
        "belongs to another journal": foreign,
        "ends within its header": b"",
        "does not begin with 'LOWLATS'": path.read_bytes(),
    }
    for why, content in spoilt.items():
        saved.write_bytes(content)
        with JournaledEngine.recover(path) as back:
            assert back.recovery is not None and back.recovery.replayed == 300
            assert why in (back.recovery.snapshot_fault or ""), why
            assert state(back) == before


def test_a_journal_shorter_than_its_snapshot_has_lost_its_end(path: Path) -> None:
    with JournaledEngine.create(path) as engine:
        engine.process(commands(limit(1)))
        length = path.stat().st_size
        engine.process(commands(limit(2)))
        engine.snapshot()
    with path.open("r+b") as file:
        file.truncate(length)
    with pytest.raises(JournalError, match="was truncated"):
        JournaledEngine.recover(path)


def test_states_of_other_engines_are_refused() -> None:
    two, one = Engine(2), Engine(1)
    with pytest.raises(FormatError, match="symbols"):
        _core.restore_state(one.matcher, state(two), ROOM_BYTES)
    saved = state(one)
    with pytest.raises(FormatError, match="ends too early"):
        _core.restore_state(one.matcher, saved[:-1], ROOM_BYTES)
    with pytest.raises(FormatError, match="length: 1 bytes are left over"):
        _core.restore_state(one.matcher, saved + b"\0", ROOM_BYTES)


def test_a_batch_that_the_disk_has_no_room_for_is_taken_back_whole(path: Path, small_files: None) -> None:
    settings = EngineConfig((Instrument(),), 5_000)
    first = commands(*(limit(n) for n in range(1, 1_000)))
    large = commands(*(limit(n) for n in range(2_000, 4_000)))
    with JournaledEngine.journaling(path, settings) as engine:
        engine.process(first)
        before, length = state(engine), path.stat().st_size
        with pytest.raises(JournalWriteError, match="accepted none of the batch: File too large"):
            engine.process(large)
        assert state(engine) == before and engine.can_go_on and path.stat().st_size == length
        assert len(engine.process(large[:100])) == 100
        after = state(engine)
    with JournaledEngine.recover(path) as back:
        assert state(back) == after


def test_a_journal_without_room_for_its_head_is_not_left_behind(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(JournalWriteError, match="cannot write"):
            JournaledEngine.create(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()


WITHOUT_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from lowlat.engine import CommandType, EXTENDED_COMMAND, JournaledEngine, Side
from lowlat.engine.journal.errors import JournalWriteError
from lowlat.errors import NotValidError

count, slices = int(sys.argv[2]), int(sys.argv[3])
engine = JournaledEngine.create(Path(sys.argv[1]), orders=count + 1, trades=10)
sells = np.zeros(count, EXTENDED_COMMAND)
sells["order_id"], sells["kind"], sells["side"], sells["price"] = np.arange(count), CommandType.LIMIT, Side.SELL, 100
sells["quantity"], sells["display_quantity"] = slices, slices > 1
for part in np.split(sells, 20):
    engine.process(part)
sweep = np.zeros(1, EXTENDED_COMMAND)
sweep["order_id"], sweep["kind"], sweep["side"], sweep["quantity"] = count, CommandType.MARKET, Side.BUY, count * slices
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[4]), -1))
try:
    engine.process(sweep)
except MemoryError:
    print("no memory", engine.can_go_on)
try:
    engine.process(sweep)
except (MemoryError, JournalWriteError) as error:
    print(type(error).__name__, error)
try:
    print(engine.counters.live_orders)
except NotValidError:
    print("broken")
engine.close()
"""


def without_memory(path: Path, orders: int, slices: int, more: int) -> list[str]:
    """What an engine says that gets an order for all lots of its book, and so many bytes more."""
    arguments = [str(path), str(orders), str(slices), str(more)]
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_MEMORY, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    return done.stdout.splitlines()


@without_sanitizers
def test_an_engine_that_is_behind_its_journal_goes_no_further(path: Path) -> None:
    """Each of 20,000 icebergs refills 200 times: more events than memory was reserved for."""
    behind = f"JournalWriteError {path} is missing what this engine has done; close it, and recover"
    assert without_memory(path, 20_000, 200, 64_000_000) == ["no memory False", behind, "broken"]
    with JournaledEngine.recover(path) as back:
        assert back.counters.commands == 20_001 and back.counters.live_orders == 0


@without_sanitizers
def test_without_memory_for_events_nothing_is_written(path: Path) -> None:
    assert without_memory(path, 200_000, 1, 4_000_000) == [
        "no memory True",
        "MemoryError the system refused the allocation",
        "200000",
    ]
    with JournaledEngine.recover(path) as back:
        assert back.counters.commands == back.counters.live_orders == 200_000


def test_two_engines_cannot_write_one_journal(path: Path) -> None:
    with JournaledEngine.create(path):
        with pytest.raises(JournalHeldError, match="is being written by another engine"):
            JournaledEngine.recover(path)
        with JournalFile(path) as file:
            assert file.held
    with pytest.raises(JournalExistsError, match="exists; recover"):
        JournaledEngine.create(path)
    JournaledEngine.recover(path).close()


def test_what_is_no_journal_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoJournalError, match="does not exist; name a journal"):
        JournaledEngine.recover(tmp_path / "none")
    with pytest.raises(NoJournalError, match="it is a device; name a regular file"):
        JournaledEngine.recover(Path("/dev/zero"))
    with pytest.raises(JournalError, match="cannot open"):
        JournaledEngine.recover(tmp_path)
    with pytest.raises(JournalError, match="cannot create"):
        JournaledEngine.create(tmp_path / "no" / "folder")
    for content, why in (
        (b"order,price\n1,2\n", "does not begin with 'LOWLATJ'"),
        (b"LOW", "never a complete journal"),
        (b"", "never"),
    ):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(NoJournalError, match=why):
            JournaledEngine.recover(tmp_path / "file")


def test_a_closed_engine_and_a_reset_are_refused(path: Path) -> None:
    engine = JournaledEngine.create(path)
    with pytest.raises(JournalError, match="create a new engine"):
        engine.reset()
    engine.close()
    engine.close()
    for refused in (lambda: engine.process(commands(limit(1))), engine.drain_trades, engine.snapshot):
        with pytest.raises(JournalError, match="was closed"):
            refused()
    assert not engine.can_go_on


def test_an_array_that_is_none_of_commands_changes_neither_journal_nor_book(path: Path) -> None:
    with JournaledEngine.create(path) as engine:
        with pytest.raises(ArrayError, match="make them an array of"):
            engine.process(np.zeros(3))  # type: ignore[arg-type]
        assert engine.process(commands()).size == 0
    with JournalFile(path) as file:
        assert file.end.blocks == 0


def test_a_snapshot_of_another_end_is_left_out_though_it_is_as_long(path: Path) -> None:
    """As after a journal was restored from a copy, and another day was appended."""
    with JournaledEngine.create(path) as engine:
        engine.process(commands(limit(1)))
    copy = path.read_bytes()
    with JournaledEngine.recover(path) as engine:
        engine.process(commands(limit(2)))
        engine.snapshot()
    path.write_bytes(copy)
    snapshot = snapshot_path(path).read_bytes()
    snapshot_path(path).unlink()
    with JournaledEngine.recover(path) as engine:
        engine.process(commands(limit(3)))
    snapshot_path(path).write_bytes(snapshot)
    with JournaledEngine.recover(path) as back:
        assert back.orders()["order_id"].tolist() == [1, 3]
        assert back.recovery is not None and "does not match" in (back.recovery.snapshot_fault or "")


def test_damage_before_a_snapshot_is_told_and_does_without(path: Path) -> None:
    with JournaledEngine.create(path) as engine:
        engine.process(commands(limit(1)))
        first = path.stat().st_size
        engine.process(commands(limit(2)))
        engine.snapshot()
        engine.process(commands(limit(3)))
    data = bytearray(path.read_bytes())
    data[first - 20] ^= 1
    path.write_bytes(data)
    with JournaledEngine.recover(path) as back:
        assert back.recovery is not None
        assert "damaged at block 0" in (back.recovery.damage or "")
        assert back.orders()["order_id"].tolist() == [1, 2, 3]


FORKS = """
import os, sys
from pathlib import Path
from lowlat.engine import JournaledEngine, CommandType, SyncPolicy, command, commands
from lowlat.engine.journal.errors import JournalError

def batch(number):
    return commands(command(CommandType.LIMIT, number, price=100, quantity=1))

with JournaledEngine.create(Path(sys.argv[1]), sync=SyncPolicy.INTERVAL, interval_ns=50_000) as engine:
    engine.process(batch(1))
    child = os.fork()
    if child == 0:
        try:
            engine.process(batch(99))
        except JournalError as error:
            print(error, flush=True)
    else:
        engine.process(batch(2))
        os.waitpid(child, 0)
        engine.process(batch(3))
"""


def test_a_fork_has_no_part_in_the_journal(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORKS, str(path)], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert "of which this is a fork" in done.stdout
    with JournaledEngine.recover(path) as back:
        assert back.orders()["order_id"].tolist() == [1, 2, 3]


def test_it_is_not_closed_under_a_thread_that_executes(tmp_path: Path) -> None:
    settings = EngineConfig((Instrument(),), 2_000_000)
    large = np.tile(commands(limit(1)), 1_500_000)
    large["order_id"] = np.arange(1, len(large) + 1)

    def refusals(path: Path) -> int:
        """How often closing was refused while a thread executed; the scheduler may prevent any overlap."""
        refused = 0
        with JournaledEngine.journaling(path, settings, sync=SyncPolicy.NONE) as engine:

            def process() -> None:
                with contextlib.suppress(JournalError):  # closed before it began
                    engine.process(large)

            thread = threading.Thread(target=process)
            thread.start()
            while thread.is_alive() and not engine.journal.closed:
                try:
                    engine.close()
                except BusyError:
                    refused += 1
            thread.join()
        with JournalFile(path) as file:
            assert file.end.sequence in (0, len(large)) and file.fault is Fault.NONE
        path.unlink()
        return refused

    assert any(refusals(tmp_path / "day.journal") for _ in range(20))


def test_an_engine_that_is_dropped_lets_go_of_its_journal(path: Path) -> None:
    JournaledEngine.create(path).process(commands(limit(1)))
    with JournaledEngine.recover(path) as back:
        assert back.counters.commands == 1


def test_an_empty_file_is_no_journal_yet(path: Path) -> None:
    """As left by a kill between creating the file and writing its head."""
    path.touch()
    JournaledEngine.create(path).close()
    JournaledEngine.recover(path).close()


def test_commands_that_pass_the_journal_by_end_it(path: Path) -> None:
    with JournaledEngine.create(path) as engine:
        engine.matcher.process(commands(limit(1)), False)
        with pytest.raises(JournalWriteError, match="is missing what this engine has done"):
            engine.process(commands(limit(2)))
        assert not engine.can_go_on


def test_policies_that_there_are_not_are_refused_before_a_file_is_made(path: Path) -> None:
    for interval_ns in (0, -1, 999, 2**63 - 1, 1e7):
        with pytest.raises(UsageError, match=r"interval_ns: .* is outside 1000"):
            JournaledEngine.create(path, interval_ns=interval_ns)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="sync: 7 is not a SyncPolicy"):
        JournaledEngine.create(path, sync=7)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"create an engine with a journal by JournaledEngine\.create"):
        JournaledEngine()
    assert not path.exists()


def test_a_head_with_what_no_engine_has_is_refused(path: Path) -> None:
    said = json.loads(JournalHead.of(EngineConfig((Instrument(),))).to_json())
    path.write_bytes(pack_head(JOURNAL, json.dumps(said | {"symbols": []}).encode())[0])
    with pytest.raises(UsageError, match="1 to 65536 symbols"):
        JournaledEngine.recover(path)
    for wrong in ({"identity": "\x1b]0;"}, {"orders": "many"}, {"symbols": [[1, 1]]}, {"when_orders_dry": 3}):
        path.write_bytes(pack_head(JOURNAL, json.dumps(said | wrong).encode())[0])
        with pytest.raises(JournalError, match="cannot read"):
            JournaledEngine.recover(path)


GROWS = """
import resource, sys
from pathlib import Path
from lowlat.engine import JournaledEngine, CommandType, SyncPolicy, PoolPolicy, command, commands

def batch(first):
    return commands(*(command(CommandType.LIMIT, n, price=100, quantity=1) for n in range(first, first + 10_000)))

def allow_35_mb_more(limit, column):
    used = int(Path("/proc/self/statm").read_text().split()[column]) * resource.getpagesize()
    resource.setrlimit(limit, (used + 35_000_000, -1))

batches = [batch(1 + 10_000 * n) for n in range(40)]
engine = JournaledEngine.create(Path(sys.argv[1]), orders=10_000, when_orders_dry=PoolPolicy.GROW, sync=SyncPolicy.NONE)
if sys.argv[2] == "live":
    allow_35_mb_more(resource.RLIMIT_DATA, 5)  # addresses for its growth it has already
try:
    for each in batches:
        engine.process(each)
except MemoryError:
    print("no memory", engine.can_go_on, engine.counters.order_refusals > 0)
engine.close()
if sys.argv[2] == "recovery":
    allow_35_mb_more(resource.RLIMIT_AS, 0)
    try:
        JournaledEngine.recover(Path(sys.argv[1]))
    except MemoryError:
        print("no memory to recover with")
"""


@without_sanitizers
@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("live", "no memory False True\n"),
        pytest.param("recovery", "no memory to recover with\n", marks=pytest.mark.slow),
    ],
)
def test_pools_that_cannot_grow_never_make_other_books(path: Path, when: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", GROWS, str(path), when],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout == told
    with JournaledEngine.recover(path) as back:  # with memory
        assert back.counters.order_refusals == 0
        assert back.counters.live_orders == back.counters.commands


def test_a_snapshot_that_cannot_be_written_is_an_error_and_changes_nothing(path: Path) -> None:
    with JournaledEngine.create(path) as engine:
        snapshot_path(path).mkdir()
        with pytest.raises(SnapshotError, match="is a directory"):
            engine.snapshot()
        engine.process(commands(limit(1)))


def test_threads_that_share_an_engine_get_its_error_and_the_journal_stays_whole(path: Path) -> None:
    settings = EngineConfig((Instrument(),), 100_000)
    refused = []
    with JournaledEngine.journaling(path, settings, sync=SyncPolicy.NONE) as engine:

        def submit_many(first: int) -> None:
            for start in range(first, first + 2_000, 20):
                try:
                    engine.process(commands(*(limit(n) for n in range(start, start + 20))))
                except BusyError:
                    refused.append(start)

        threads = [threading.Thread(target=submit_many, args=(10_000 * n,)) for n in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = state(engine)
        assert engine.counters.commands == 6_000 - 20 * len(refused)
    with JournaledEngine.recover(path) as back:
        assert state(back) == after


WITHOUT_A_THREAD = """
import resource, sys
from lowlat.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalError
from lowlat.engine.journal.records import SyncPolicy
path = sys.argv[1]
pages = int(open("/proc/self/statm").read().split()[0])
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (6 << 20), hard))
try:
    JournaledEngine.create(path, orders=100, trades=100, sync=SyncPolicy.INTERVAL)
    print("made")
except (JournalError, MemoryError) as error:
    print("refused")
resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
JournaledEngine.recover(path).close()
print("recovered")
"""


def test_a_journal_whose_thread_cannot_start_is_let_go(path: Path) -> None:
    """Its file is closed, so that it can be opened again by this process. Paths may be text."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", WITHOUT_A_THREAD, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["refused", "recovered"], "")
