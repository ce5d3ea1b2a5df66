"""`lowlat journal` and `lowlat replay` of a journal, on files as left by a crash, a bad disk or a wrong name. Nothing
after damage is trusted, no file is changed, and one line says what to do.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lowlat import engine
from lowlat.documents import published
from lowlat.engine import (
    CommandType,
    ExecInst,
    PoolPolicy,
    SelfTradePrevention,
    Side,
    command,
    commands,
    extended_command,
    load_profile,
    synthetic_flow,
)
from lowlat.engine.journal.engine import JournaledEngine
from lowlat.engine.journal.file import JournalFile
from lowlat.engine.journal.names import segment_path, snapshot_path
from lowlat.engine.journal.records import SyncPolicy
from lowlat.engine.journal.snapshot import write_snapshot
from lowlat.engine.matching.commands import extended_commands
from lowlat.errors import ExitCode
from lowlat.reports.io.json_codec import from_text
from tests.waiting import PATIENCE_S

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

SELL = command(CommandType.LIMIT, 1, side=Side.SELL, price=100, quantity=5)
BUY = command(CommandType.LIMIT, 2, side=Side.BUY, price=101, quantity=3)
ICEBERG = extended_command(
    CommandType.LIMIT,
    3,
    price=99,
    quantity=50,
    display_quantity=10,
    participant_id=7,
    flags=ExecInst.POST_ONLY,
    self_trade=SelfTradePrevention.DECREMENT,
)
STRANGE = extended_command(99, 4, side=7, quantity=-1, flags=0x44)  # type: ignore[arg-type]
DAY = (
    "   command  kind                  order  symbol  side    quantity         price  tif  terms\n"
    "         0  LIMIT                     1       0  SELL           5           100  GTC\n"
    "         1  LIMIT                     2       0  BUY            3           101  GTC\n"
    "         2  LIMIT                     3       0  BUY           50            99  GTC  "
    "POST_ONLY, display 10, participant 7, self-trade DECREMENT\n"
    "         3  99                        4          7             -1                     ALL_OR_NONE, flags 0x40\n"
    "            DRAIN                                                                     "
    "the trade tape was emptied before command 4\n"
    "         4  CANCEL                    3       0\n"
)
"""Four blocks: two plain commands, two wide ones, a drain, one plain command."""


def written(path: Path, **options: Any) -> JournaledEngine:
    """A journal of five commands, its engine still open: order 1 has 2 of 5 lots left, and there was one trade."""
    day = JournaledEngine.create(path, orders=100, trades=10, sync=SyncPolicy.NONE, **options)
    day.process(commands(SELL, BUY))
    day.process(extended_commands(ICEBERG, STRANGE))
    day.drain_trades()
    day.process(commands(command(CommandType.CANCEL, 3)))
    return day


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Path]:
    """The closed journal; a test must leave it unchanged unless it damages it on purpose."""
    path = tmp_path / "day.journal"
    written(path).close()
    yield path


def begins(path: Path) -> list[int]:
    """The offsets of the blocks."""
    with JournalFile(path) as file:
        return [head.offset for head in file.heads(file.beginning, file.end)]


def flip(path: Path, byte: int) -> None:
    """Change one bit."""
    content = bytearray(path.read_bytes())
    content[byte] ^= 0x10
    path.write_bytes(content)


def document(done: subprocess.CompletedProcess[str], name: str = "journal") -> dict[str, Any]:
    """The only document on stdout, valid by the committed schema."""
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(published(f"lowlat.{name}/1")).validate(found)
    return found


def test_a_sound_journal(lowlat: Run, day: Path, tmp_path: Path) -> None:
    before = (day.read_bytes(), day.stat().st_mtime_ns)
    done = lowlat("journal", "verify", day.name)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    lines = {line[:12].strip(): line[14:] for line in done.stdout.splitlines()}
    assert list(lines) == [
        *("journal", "identity", "engine", "size", "commands", "end", "writer", "snapshot", "recovered", "speed")
    ]
    assert lines["engine"] == "1 symbol · 100 orders (reject on exhaustion) · 10 trades (recycle on exhaustion)"
    assert lines["commands"] == "5 (3 plain, 2 wide) · trade tape emptied 1 time"
    assert lines["end"] == f"intact, ends after block 3 at byte {len(before[0]):,}"
    assert lines["recovered"].startswith("1 live order · 1 trade, 0 on tape · 5 commands executed · state sha256:")
    assert (lines["writer"], lines["snapshot"]) == ("none", "none")
    assert (day.read_bytes(), day.stat().st_mtime_ns) == before and list(tmp_path.iterdir()) == [day]


def test_a_sound_journal_as_a_document(lowlat: Run, day: Path) -> None:
    done = lowlat("journal", "verify", day, "--json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    found = document(done)
    with JournalFile(day) as file:
        assert (found["file"], found["identity"]) == (str(day), file.head.identity)
    assert found["commands"] == {"all": 5, "plain": 3, "wide": 2}
    assert (found["drains"], found["held"], found["snapshot"], found["problem"]) == (1, False, None, None)
    size = found["size_bytes"]
    assert found["end"] == {
        **{"state": "sound", "segment": 1, "blocks": 4, "byte": size, "commands": 5},
        **{"reason": None, "torn_bytes": 0},
    }
    recovered = found["recovered"]
    assert [recovered[name] for name in ("commands", "replayed", "live_orders", "trades", "trades_on_tape")] == [
        *(5, 5, 1, 1, 0)
    ]
    assert found["speed"]["commands_per_s"] > 0


def test_a_snapshot_is_used_and_held_against_the_whole_journal(lowlat: Run, tmp_path: Path) -> None:
    day = tmp_path / "day.journal"
    with written(day) as open_day:
        open_day.snapshot()
        open_day.process(commands(command(CommandType.REDUCE, 1, quantity=1)))
    found = document(lowlat("journal", "verify", day, "--json"))
    assert found["snapshot"] == {"file": str(snapshot_path(day)), "used": True, "commands": 5, "fault": None}
    assert (found["recovered"]["commands"], found["recovered"]["replayed"], found["problem"]) == (6, 1, None)
    snapshot_path(day).unlink()
    assert document(lowlat("journal", "verify", day, "--json"))["recovered"]["state"] == found["recovered"]["state"]


def test_a_damaged_snapshot_is_told_and_not_needed(lowlat: Run, tmp_path: Path) -> None:
    day = tmp_path / "day.journal"
    with written(day) as open_day:
        flip(open_day.snapshot().path, -1)
    done = lowlat("journal", "verify", day, "--json")
    assert done.returncode == ExitCode.OK
    assert done.stderr.startswith("lowlat: the snapshot was not used: ") and "damaged" in done.stderr
    found = document(done)
    assert (found["snapshot"]["used"], found["recovered"]["replayed"]) == (False, 5)


def test_a_snapshot_of_other_books_is_found(lowlat: Run, tmp_path: Path) -> None:
    """Its sums and counts match, so recovery trusts it; only executing the whole journal reveals the difference."""
    day = tmp_path / "day.journal"
    with written(day) as open_day, JournalFile(day) as file:
        other = engine.Engine.of(open_day.settings)
        other.process(commands(*[command(CommandType.CANCEL, 99)] * file.end.sequence))
        state, _ = engine._core.save_state(other.matcher)
        write_snapshot(day, file.head.identity, state, file.end)
    done = lowlat("journal", "verify", day, "--json")
    assert done.returncode == ExitCode.NOT_VALID
    assert "gives different books than a full replay of" in done.stderr and done.stderr.count("\n") == 1
    assert document(done)["recovered"]["live_orders"] == 0
    assert "its state DIFFERS from a full replay" in lowlat("journal", "verify", day).stdout


def test_a_snapshot_that_does_not_fit_is_found(lowlat: Run, tmp_path: Path) -> None:
    """As after a journal was truncated by hand and continued past the position of its snapshot."""
    day = tmp_path / "day.journal"
    with written(day) as open_day:
        open_day.snapshot()
        end = begins(day)[-1]
    os.truncate(day, end)
    content = snapshot_path(day).read_bytes()
    snapshot_path(day).unlink()
    with JournaledEngine.recover(day, sync=SyncPolicy.NONE) as again:
        again.process(commands(SELL, BUY, SELL))
    snapshot_path(day).write_bytes(content)
    done = lowlat("journal", "verify", day, "--json")
    assert done.returncode == ExitCode.OK
    assert "the snapshot was not used: " in done.stderr and "no block ends where the snapshot" in done.stderr
    found = document(done)
    assert (found["end"]["state"], found["snapshot"]["used"]) == ("sound", False)
    assert found["recovered"] is not None
    with JournaledEngine.recover(day) as back:
        assert back.recovery is not None and back.recovery.replayed == back.recovery.commands
        assert "does not match" in (back.recovery.snapshot_fault or "")


def test_damage_before_the_snapshot_does_not_hinder_recovery(lowlat: Run, tmp_path: Path) -> None:
    day = tmp_path / "day.journal"
    with written(day) as open_day:
        open_day.snapshot()
        open_day.process(commands(SELL))
    second = begins(day)[1]
    flip(day, second + 40)
    done = lowlat("journal", "verify", day, "--json")
    assert done.returncode == ExitCode.NOT_VALID
    assert f"damaged at block 1, byte {second:,} of {day}" in done.stderr
    assert f"recovery starts after that, from {snapshot_path(day)}; keep copies of both" in done.stderr
    found = document(done)
    assert (found["end"]["state"], found["recovered"]["commands"]) == ("damaged", 6)
    JournaledEngine.recover(day).close()


def test_a_journal_that_ends_before_its_snapshot(lowlat: Run, tmp_path: Path) -> None:
    day = tmp_path / "day.journal"
    with written(day) as open_day:
        open_day.snapshot()
    os.truncate(day, begins(day)[-1])
    done = lowlat("journal", "verify", day, "--json")
    assert done.returncode == ExitCode.NOT_VALID
    assert "was truncated" in done.stderr and done.stderr.count("\n") == 1
    found = document(done)
    assert (found["end"]["state"], found["recovered"]) == ("damaged", None)


@pytest.mark.parametrize("left", [-3, 9])
def test_a_torn_tail_is_told_and_no_damage(lowlat: Run, day: Path, left: int) -> None:
    """Truncated within the end of the last block, and within its head."""
    last, size = begins(day)[-1], day.stat().st_size
    cut = size - 3 if left < 0 else last + left
    os.truncate(day, cut)
    done = lowlat("journal", "verify", day, "--json")
    told = (
        f"lowlat: torn tail of {cut - last} bytes: the batch from block 3, byte {last:,} of {day}, after 4 commands, "
        "was not written completely; recovery truncates it, to resume with command 4\n"
    )
    assert (done.returncode, done.stderr) == (ExitCode.OK, told)
    found = document(done)
    assert (found["end"]["state"], found["end"]["torn_bytes"], found["end"]["commands"]) == ("torn", cut - last, 4)
    assert found["recovered"]["live_orders"] == 2
    done = lowlat("journal", "dump", day)
    assert (done.returncode, done.stderr) == (ExitCode.OK, told)
    assert done.stdout == DAY[: DAY.index("         4  CANCEL")]
    assert day.stat().st_size == cut


@pytest.mark.parametrize(
    ("within", "reason"),
    [
        (9, "its header checksum does not match"),
        (50, "its command checksum does not match"),
        (-1, "its end marker does not match"),
    ],
)
def test_a_flipped_bit_is_named_and_nothing_behind_it_is_shown(
    lowlat: Run, day: Path, within: int, reason: str
) -> None:
    begin = begins(day)
    flip(day, begin[1] + within if within > 0 else begin[2] - 1)
    done = lowlat("journal", "verify", day, "--json")
    assert (done.returncode, done.stderr) == (ExitCode.NOT_VALID, damaged(day, begin[1], reason))
    found = document(done)
    assert (found["end"]["state"], found["end"]["blocks"], found["end"]["byte"]) == ("damaged", 1, begin[1])
    assert (found["commands"]["all"], found["recovered"]) == (2, None)


def damaged(path: Path, byte: int, reason: str) -> str:
    """The output for a journal whose second block is damaged."""
    return (
        f"lowlat: error: damaged at block 1, byte {byte:,} of {path}, after 2 commands: {reason}; nothing after "
        "that can be trusted. To continue from the previous batch, keep a copy and truncate the file: "
        f"truncate -s {byte} {path}\n"
    )


def test_the_sound_part_of_a_damaged_journal_is_shown_and_goes_on_when_cut(lowlat: Run, day: Path) -> None:
    begin = begins(day)
    flip(day, begin[1] + 50)
    expected = damaged(day, begin[1], "its command checksum does not match")
    done = lowlat("journal", "dump", day)
    assert (done.returncode, done.stderr) == (ExitCode.NOT_VALID, expected)
    assert done.stdout == DAY[: DAY.index("         2  LIMIT")]
    done = lowlat("journal", "dump", day, "--json")
    assert done.returncode == ExitCode.NOT_VALID
    shown = document(done, "journal-commands")
    assert (len(shown["commands"]), shown["end"]["state"]) == (2, "damaged")
    done = lowlat("replay", day)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.NOT_VALID, "", expected)
    os.truncate(day, begin[1])  # as was advised
    assert document(lowlat("journal", "verify", day, "--json"))["end"]["state"] == "sound"


def test_what_is_no_journal_that_can_be_read(lowlat: Run, day: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("34200.1,1,11,50,5850100,-1\n")
    (tmp_path / "begun").write_bytes(b"LOWL")
    os.mkfifo(tmp_path / "pipe")
    flip(day, 9)
    (tmp_path / "head.journal").write_bytes(day.read_bytes())
    flip(tmp_path / "head.journal", 9)
    flip(tmp_path / "head.journal", 40)
    cases = {
        "text": (2, "text is not a journal: it does not begin with 'LOWLATJ'\n"),
        "begun": (2, "begun ends within its header: it was never a complete journal; remove it\n"),
        "pipe": (2, "pipe is not a journal: it is a named pipe; name a regular file\n"),
        ".": (2, ". is not a journal: it is a directory; name a file in it\n"),
        "missing": (2, "missing does not exist; name a journal\n"),
        "day.journal": (
            2,
            "day.journal has version 4098, but this lowlat reads version 2; use the lowlat that wrote it\n",
        ),
        "head.journal": (
            3,
            "head.journal has a damaged header: its checksum does not match; nothing can be trusted\n",
        ),
    }
    for name, (code, line) in cases.items():
        done = lowlat("journal", "verify" if name < "h" else "dump", name)
        assert (done.returncode, done.stdout, done.stderr) == (code, "", f"lowlat: error: {line}")


def test_a_journal_may_be_read_while_it_is_written(lowlat: Run, tmp_path: Path) -> None:
    day = tmp_path / "day.journal"
    with written(day) as writer:
        done = lowlat("journal", "verify", day, "--json")
        assert (done.returncode, done.stderr) == (ExitCode.OK, "")
        assert document(done)["held"] is True
        assert "an engine is writing it" in lowlat("journal", "verify", day).stdout
        writer.process(commands(SELL))
        assert lowlat("journal", "dump", day, "--from", 5).stdout.splitlines()[1].split()[:3] == ["5", "LIMIT", "1"]


def test_the_commands_as_lines(lowlat: Run, day: Path, tmp_path: Path) -> None:
    done = lowlat("journal", "dump", day)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.OK, DAY, "")
    done = lowlat("journal", "dump", day, "--from", 1, "--limit", 2)
    assert (done.stdout, done.stderr) == ("".join(DAY.splitlines(keepends=True)[i] for i in (0, 2, 3)), "")
    done = lowlat("journal", "dump", day, "--from", 9)
    assert (done.returncode, done.stdout.count("\n")) == (ExitCode.OK, 1)
    done = lowlat("journal", "dump", day, "-o", "day.txt")
    assert (done.stdout, done.stderr) == ("", "lowlat: wrote day.txt\n")
    assert (tmp_path / "day.txt").read_text() == DAY


def test_the_commands_as_a_document(lowlat: Run, day: Path, tmp_path: Path) -> None:
    done = lowlat("journal", "dump", day, "-o", "day.json")
    assert (done.stdout, done.stderr) == (DAY, "lowlat: wrote day.json\n")
    done = lowlat("journal", "dump", day, "--json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert (tmp_path / "day.json").read_text() == done.stdout
    found = document(done, "journal-commands")
    assert [each["command"] for each in found["commands"]] == [0, 1, 2, 3, 4, 4]
    assert found["commands"][0] == {
        **{"command": 0, "order_id": 1, "price": 100, "quantity": 5, "symbol": 0},
        **{"kind": "LIMIT", "side": "SELL", "time_in_force": "GTC", "flags": []},
    }
    assert found["commands"][3] == {
        **{"command": 3, "order_id": 4, "price": 0, "quantity": -1, "symbol": 0},
        **{"kind": 99, "side": 7, "time_in_force": "GTC", "flags": ["ALL_OR_NONE", 64]},
        **{"trigger": 0, "expiry": 0, "display": 0, "owner": 0, "self_trade": "NONE"},
    }
    assert found["commands"][4] == {"command": 4, "kind": "DRAIN"}
    assert (found["end"]["state"], found["end"]["commands"]) == ("sound", 5)
    found = document(lowlat("journal", "dump", day, "--json", "--from", 2, "--limit", 1), "journal-commands")
    assert ([each["order_id"] for each in found["commands"]], found["from"], found["end"]) == ([3], 2, None)
    assert document(lowlat("journal", "dump", day, "--json", "--from", 9), "journal-commands")["commands"] == []


@pytest.mark.parametrize("verb", ["verify", "dump", "compact"])
def test_output_never_takes_the_place_of_the_journal(lowlat: Run, day: Path, verb: str) -> None:
    before = day.read_bytes()
    done = lowlat("journal", verb, day.name, "-o", day)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert done.stderr == "lowlat: error: -o names a file of the journal day.journal itself; name another file\n"
    assert day.read_bytes() == before
    for other in ("day.journal.snapshot", "day.journal.000001", "day.journal.new"):
        assert lowlat("journal", verb, day.name, "-o", day.with_name(other)).returncode == ExitCode.USAGE
    assert lowlat("journal", "verify", day.name, "-o", day.with_name("day.journal.txt")).returncode == ExitCode.OK


def in_segments(path: Path) -> Path:
    """Five commands in three segments, the last one torn."""
    with written(path) as day:
        day.rotate()
        day.rotate()
        day.process(commands(SELL))
    os.truncate(path, path.stat().st_size - 1)
    return path


def test_a_journal_in_segments_is_shown_as_one(lowlat: Run, tmp_path: Path) -> None:
    day = in_segments(tmp_path / "day.journal")
    torn = (
        f"lowlat: torn tail of 79 bytes: the batch from block 4, byte 320 of {day}, after 5 commands, was not written"
    )
    done = lowlat("journal", "verify", day)
    assert done.returncode == ExitCode.OK and done.stderr.startswith(torn)
    assert "segments      3 files: day.journal.000001 to day.journal\n" in done.stdout
    assert "commands      5 (3 plain, 2 wide)" in done.stdout
    found = document(lowlat("journal", "verify", day, "--json"))
    assert [(each["number"], each["first_command"]) for each in found["segments"]] == [(1, 0), (2, 5), (3, 5)]
    assert [each["file"] for each in found["segments"]] == [f"{day}.000001", f"{day}.000002", str(day)]
    assert found["size_bytes"] == sum(each["size_bytes"] for each in found["segments"])
    assert (found["end"]["segment"], found["end"]["state"]) == (3, "torn")
    assert lowlat("journal", "dump", day).stdout == DAY


def test_compaction_leaves_one_file_and_the_snapshot(lowlat: Run, tmp_path: Path) -> None:
    day = in_segments(tmp_path / "day.journal")
    done = lowlat("journal", "compact", day.name, "--keep", 1)
    assert done.returncode == ExitCode.OK
    assert done.stderr.endswith("was not written completely; it was cut off, to resume with command 5\n")
    assert "snapshot      after 5 commands · " in done.stdout
    assert "removed       2 files, " in done.stdout and ": day.journal.000001, day.journal.000002\n" in done.stdout
    done = lowlat("journal", "compact", day.name, "--json")
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    found = document(done, "journal-compaction")
    assert [each["file"] for each in found["removed"]] == ["day.journal.000003", "day.journal.000004"]
    assert found["snapshot"]["commands"] == 5
    assert sorted(file.name for file in tmp_path.iterdir()) == ["day.journal", "day.journal.snapshot"]
    assert lowlat("journal", "compact", day).stdout.splitlines()[-1].startswith("removed       1 file, ")
    done = lowlat("journal", "verify", day)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert "1 file: day.journal · commands before 5 removed by compaction" in done.stdout
    assert "snapshot      after 5 commands, used\n" in done.stdout and "speed" not in done.stdout
    assert "1 live order · 1 trade, 0 on tape · 0 commands executed" in done.stdout
    done = lowlat("replay", day)
    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "cannot be measured: it begins with command 5, since compaction removed those before" in done.stderr
    with JournaledEngine.recover(day), JournalFile(day):
        done = lowlat("journal", "compact", day)
    assert done.returncode == ExitCode.USAGE and "is being written by another engine" in done.stderr
    snapshot_path(day).unlink()
    for verb in ("verify", "compact"):
        done = lowlat("journal", verb, day)
        assert done.returncode == ExitCode.NOT_VALID and "put the snapshot back from a copy" in done.stderr


def test_a_segment_that_is_missing_was_not_removed_by_compaction(lowlat: Run, tmp_path: Path) -> None:
    day = in_segments(tmp_path / "day.journal")
    with JournaledEngine.recover(day) as engine:
        engine.snapshot()
    segment_path(day, 2).unlink()
    done = lowlat("journal", "verify", day)
    assert done.returncode == ExitCode.NOT_VALID
    assert f"1 file: day.journal · {segment_path(day, 2)} is missing\n" in done.stdout
    segment_path(day, 1).unlink()
    assert "1 file: day.journal · commands before 5 removed by compaction" in lowlat("journal", "verify", day).stdout
    snapshot_path(day).unlink()
    assert "1 file: day.journal · commands before 5 missing" in lowlat("journal", "verify", day).stdout


def test_a_reader_that_has_seen_enough_ends_it_silently(start: Start, tmp_path: Path) -> None:
    """The last batch is damaged, far after the part that `head` reads, so the damage is not found."""
    path = tmp_path / "long.journal"
    commands = synthetic_flow(load_profile("steady"), 50_000, 1).commands
    with JournaledEngine.create(path, sync=SyncPolicy.NONE) as long:
        for begin in range(0, len(commands), 10_000):
            long.process(commands[begin : begin + 10_000])
    flip(path, -1)
    for flags in ((), ("--json",)):
        process = start("journal", "dump", path, *flags)
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=PATIENCE_S)) == ("", ExitCode.OK)
        process.stderr.close()


@pytest.mark.parametrize("profile", ["steady", "all-kinds"])
def test_a_replay_gives_the_events_of_the_flow_that_was_journaled(lowlat: Run, tmp_path: Path, profile: str) -> None:
    flow = synthetic_flow(load_profile(profile), 2_000, 5)
    path = tmp_path / "flood.journal"
    with JournaledEngine.create(path, flow.instruments, orders=flow.orders, sync=SyncPolicy.NONE) as engine:
        for begin in range(0, len(flow.commands), 700):
            engine.process(flow.commands[begin : begin + 700])
    bench = lowlat("bench", "-p", profile, "-n", "2k", "--seed", 5, "--runs", 1, "--json")
    replay = lowlat("replay", path, "--runs", 1, "--json", "--format", "journal")
    assert (bench.returncode, replay.returncode, replay.stderr) == (ExitCode.OK, ExitCode.OK, "")
    benched, replayed = from_text(bench.stdout), from_text(replay.stdout)
    assert benched.verification is not None and replayed.verification is not None
    assert replayed.verification.digest == benched.verification.digest
    assert replayed.engine == benched.engine
    assert (replayed.workload.profile, replayed.workload.commands) == ("flood.journal", len(flow.commands))


def test_what_replay_refuses_of_journals(lowlat: Run, day: Path, tmp_path: Path) -> None:
    JournaledEngine.create(tmp_path / "empty.journal").close()
    written(tmp_path / "drained.journal", when_trades_dry=PoolPolicy.REJECT).close()
    (tmp_path / "rows.csv").write_text("34200.1,1,11,50,5850100,-1\n")
    cases = {
        "empty.journal": "empty.journal has no commands: there is nothing to measure",
        "drained.journal": "drained.journal cannot be measured: its engine rejects commands while the trade tape is "
        "full, and emptied it 1 time, which a benchmark cannot repeat; use 'lowlat journal verify' instead",
        "day.journal --expect rows.csv": "--expect is for a venue's recording, and day.journal is a journal; remove it",
        "day.journal --format lobster": "day.journal is a journal, not a LOBSTER file; use --format journal",
        "rows.csv --format journal": "rows.csv is a LOBSTER file, not a journal; use --format lobster",
        "day.journal --pipeline": "a pipeline's queues carry plain commands, and those of day.journal are extended "
        "commands; remove --pipeline",
    }
    for arguments, line in cases.items():
        done = lowlat("replay", *arguments.split())
        assert (done.returncode, done.stdout, done.stderr) == (ExitCode.USAGE, "", f"lowlat: error: {line}\n")


@pytest.mark.parametrize(
    "arguments",
    [("journal",), ("journal", "verify", "-h"), ("journal", "dump", "--help"), ("journal", "compact", "-h")],
)
def test_help_opens_with_examples(lowlat: Run, arguments: tuple[str, ...]) -> None:
    done = lowlat(*arguments)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
    assert "Examples:\n    lowlat journal " in done.stdout.split("Usage:")[0]
