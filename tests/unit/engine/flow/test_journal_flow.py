"""A journal's commands as a flow: each command once, in order, for an engine like the one that wrote it. Its
cross-check executes the same commands as recovery.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lowlat.documents import values
from lowlat.engine import (
    CommandType,
    Engine,
    EngineConfig,
    Instrument,
    MatchAlgorithm,
    PoolPolicy,
    Side,
    command,
    commands,
    extended_command,
)
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.feed.source import unpacked_beginning
from lowlat.engine.flow.readers.journal import READER, read_journal_flow
from lowlat.engine.journal import file as journal_file_module
from lowlat.engine.journal.dump_document import dumped_command, flag_names
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.errors import JournalDamagedError, JournalError, NoJournalError
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.records import Fault, SyncPolicy
from lowlat.engine.journal.verify import check_journal
from lowlat.engine.matching.commands import extended_commands
from lowlat.engine.matching.records import COMMAND, EXTENDED_COMMAND, Commands

PLAIN = commands(
    command(CommandType.LIMIT, 1, side=Side.SELL, price=100, quantity=5),
    command(CommandType.LIMIT, 2, side=Side.BUY, price=101, quantity=3),
    command(CommandType.CANCEL, 1),
)
WIDE = extended_commands(
    extended_command(CommandType.LIMIT, 3, price=99, quantity=50, display_quantity=10, participant_id=7),
    extended_command(77, 4, trigger=-1, expiry=2**64 - 1),  # type: ignore[arg-type]
)


def journal(path: Path, *batches: Commands | None, **options: Any) -> Path:
    """A journal of these batches; None empties the trade tape."""
    with JournaledEngine.create(path, orders=70, trades=9, sync=SyncPolicy.NONE, **options) as engine:
        for batch in batches:
            engine.drain_trades() if batch is None else engine.process(batch)
    return path


def test_plain_commands_stay_plain(tmp_path: Path) -> None:
    flow = read_journal_flow(journal(tmp_path / "a.journal", PLAIN[:1], PLAIN[1:]))
    assert (flow.commands.dtype, flow.seeded, flow.name) == (COMMAND, 0, "a.journal")
    assert flow.commands.tobytes() == PLAIN.tobytes()
    assert flow.commands.ctypes.data % 64 == 0
    assert {kind: count for kind, count in flow.mix.items() if count} == {"limit": 2, "cancel": 1}


def test_one_wide_block_widens_all_with_zeros(tmp_path: Path) -> None:
    flow = read_journal_flow(journal(tmp_path / "a.journal", PLAIN, WIDE, PLAIN))
    assert flow.commands.dtype == EXTENDED_COMMAND and flow.commands.ctypes.data % 64 == 0
    for name in COMMAND.names or ():
        assert flow.commands[name].tolist() == [*PLAIN[name], *WIDE[name], *PLAIN[name]]
    assert flow.commands[3:5].tobytes() == WIDE.tobytes()
    assert not flow.commands.view(np.uint8).reshape(-1, 64)[[0, 1, 2, 5, 6, 7], 32:].any()
    assert {kind: count for kind, count in flow.mix.items() if count} == {"limit": 5, "cancel": 2, "other": 1}
    assert sum(flow.mix.values()) == len(flow.measured) == 8


def test_the_engine_is_the_journals_unless_told_otherwise(tmp_path: Path) -> None:
    symbols = (Instrument(tick=5), Instrument(algorithm=MatchAlgorithm.PRO_RATA))
    path = tmp_path / "a.journal"
    made = {"when_orders_dry": PoolPolicy.GROW, "when_trades_dry": PoolPolicy.REJECT}
    flow = read_journal_flow(journal(path, PLAIN, symbols=symbols, **made))
    assert settings_of(flow, RunPlan()) == EngineConfig(symbols, 70, 9, PoolPolicy.GROW, PoolPolicy.REJECT)
    told = settings_of(flow, RunPlan(orders=8, trades=7, on_exhaustion=PoolPolicy.REJECT))
    assert told == EngineConfig(symbols, 8, 7, PoolPolicy.REJECT, PoolPolicy.REJECT)


def test_drains_are_noted_where_they_change_nothing(tmp_path: Path) -> None:
    for policy in (PoolPolicy.RECYCLE, PoolPolicy.GROW):
        flow = read_journal_flow(journal(tmp_path / policy.name, PLAIN, None, PLAIN, None, when_trades_dry=policy))
        assert flow.notes[1:] == ("the trade tape was emptied 2 times, which does not affect events here",)
    with pytest.raises(JournalError, match=r"its engine rejects .* emptied it 1 time, .* 'lowlat journal verify'"):
        read_journal_flow(journal(tmp_path / "refusing", PLAIN, None, when_trades_dry=PoolPolicy.REJECT))


def test_a_torn_tail_is_left_out_and_noted(tmp_path: Path) -> None:
    path = journal(tmp_path / "a.journal", PLAIN, PLAIN)
    path.write_bytes(path.read_bytes()[:-1])
    flow = read_journal_flow(path)
    assert len(flow.commands) == 3
    assert flow.notes[1:] == (f"skipped: torn tail of {40 + 3 * 32 + 8 - 1} bytes",)


def test_a_journal_that_is_being_written_is_noted(tmp_path: Path) -> None:
    with JournaledEngine.create(tmp_path / "a.journal", sync=SyncPolicy.NONE) as engine:
        engine.process(PLAIN)
        assert read_journal_flow(engine.path).notes[1:] == ("still being written; read as of now",)


def test_nothing_is_measured_of_an_empty_or_damaged_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="has no commands"):
        read_journal_flow(journal(tmp_path / "empty"))
    with pytest.raises(JournalError, match="has no commands"):
        read_journal_flow(journal(tmp_path / "drained", None))
    path = journal(tmp_path / "a.journal", PLAIN, PLAIN)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(JournalDamagedError, match="block 1"):
        read_journal_flow(path)
    with pytest.raises(NoJournalError):
        read_journal_flow(tmp_path / "missing")


def test_a_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"LOWLATJ")
    assert READER.knows_beginning(journal(tmp_path / "a.journal").read_bytes())
    assert not READER.knows_beginning(unpacked_beginning(tmp_path / "short", 256))
    for name in ("missing", "."):
        with pytest.raises(OSError, match=r"No such file|is a directory"):
            unpacked_beginning(tmp_path / name, 256)


@pytest.mark.parametrize("stretch", [1, 100, 1_000])
def test_stretches_of_any_length_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stretch: int) -> None:
    """Stretches end within heads, payloads and ends of blocks, after blocks, and among zeros."""
    monkeypatch.setattr(journal_file_module, "STRETCH_BYTES", stretch)
    path = journal(tmp_path / "a.journal", PLAIN, WIDE, None, PLAIN[:1])
    sound = path.read_bytes()
    begin = JournalFile(path).beginning.end
    for content in (
        sound,
        sound[:-1],
        sound[:-30],
        sound + bytes(5_000),
        sound[:-9] + b"!" + sound[-8:],
        sound[:begin],
    ):
        path.write_bytes(content)
        with JournalFile(path) as file:
            engine = Engine.of(file.settings)
            *_, (place, fault, _) = file.stretches(file.beginning, engine.matcher)
            assert (place.end, place.blocks, place.sequence, place.chain, fault) == (
                *(file.end.end, file.end.blocks, file.end.sequence, file.end.chain, file.fault),
            )
            assert engine.counters.commands == place.sequence == sum(len(block.commands) for block in file.blocks())


def test_a_check_executes_what_recovery_executes(tmp_path: Path) -> None:
    path = journal(tmp_path / "a.journal", PLAIN[:2], None, WIDE)
    check = check_journal(path)
    with JournaledEngine.recover(path) as engine:
        counters = engine.counters
    assert check.recovered is not None and check.recovered.stop.fault is Fault.NONE
    books = check.recovered.books
    assert books is not None
    assert (books.live_orders, books.trades, books.trades_on_tape) == (
        *(counters.live_orders, counters.trades, counters.trades_held),
    )
    assert (books.live_orders, books.trades, books.trades_on_tape) == (2, 1, 0)


def test_progress_goes_from_nothing_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file_module, "STRETCH_BYTES", 300)
    told: list[float] = []
    check_journal(journal(tmp_path / "a.journal", *[PLAIN] * 20), lambda _text, share: told.append(share))
    assert len(told) > 5 and told == sorted(told) and told[-1] == 1.0


def test_a_command_in_names() -> None:
    assert flag_names(0) == []
    assert flag_names(0b1110_0101) == ["POST_ONLY", "ALL_OR_NONE", 0b1110_0000]
    row = WIDE[1:].tolist()[0]
    assert values(dumped_command(6, row)) == {
        **{"command": 6, "order_id": 4, "price": 0, "quantity": 0, "symbol": 0, "kind": 77, "side": "BUY"},
        **{"time_in_force": "GTC", "flags": [], "trigger": -1, "expiry": 2**64 - 1, "display": 0, "owner": 0},
        "self_trade": "NONE",
    }
    assert list(values(dumped_command(0, PLAIN.tolist()[0]))) == ["command", *(COMMAND.names or ())]
