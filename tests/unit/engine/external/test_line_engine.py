"""Whatever the process of an engine does, it ends in an error of one line, and so does the process."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine.conformance.cases import suites
from lowlat.engine.conformance.comparison import compare
from lowlat.engine.external import messages, process
from lowlat.engine.external.hosting import EngineHost
from lowlat.engine.external.naming import engine_command, is_process
from lowlat.engine.foreign.records import Capability
from lowlat.engine.matching.commands import command, commands, extended_commands
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.instrument import Instrument
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import COMMAND, Commands, CommandType, Side
from lowlat.errors import ExitCode, NotValidError, UsageError
from tests.built import ROOT
from tests.foreign import processes
from tests.waiting import PATIENCE_S, wait_until

SETTINGS = EngineConfig((Instrument(),), 100, 100)


def some_commands(count: int = 10) -> Commands:
    """Orders that trade."""
    sides = Side.BUY, Side.SELL
    return commands(
        *(command(CommandType.LIMIT, at + 1, side=sides[at % 2], price=100, quantity=at + 1) for at in range(count))
    )


def events_with(name: str, given: Commands) -> bytes:
    """The events of a new engine."""
    with EngineHost(name, PATIENCE_S) as host:
        return host.engine(SETTINGS, extended=False).process(given).tobytes()


def test_events_are_those_of_the_native_engine_byte_for_byte() -> None:
    given = some_commands(500)
    expected = Engine.of(SETTINGS).process(given).tobytes()
    with EngineHost(processes.simple_book()) as host:
        engine = host.engine(SETTINGS, extended=False)
        assert engine.process(given).tobytes() == expected
        engine.reset()
        assert b"".join(engine.process(given[at : at + 1]).tobytes() for at in range(len(given))) == expected
        assert engine.process(given[:0]).tobytes() == b""


def test_the_conversation_in_the_docs_is_one() -> None:
    """The lines of lowlat are those that it writes, and the answers those of the example engine."""
    page = (ROOT / "docs/reference/engine-protocol.md").read_text(encoding="utf-8")
    lines = page.partition('answer"\n')[2].partition("\n```")[0].splitlines()
    given = commands(
        command(CommandType.LIMIT, 1, side=Side.SELL, price=100, quantity=5),
        command(CommandType.LIMIT, 2, side=Side.BUY, price=101, quantity=3),
    )
    asked = [messages.hello(), messages.create(SETTINGS), *messages.command_lines(given, 0)]
    assert lines[::2] == [line.decode().rstrip() for line in asked]
    with EngineHost(processes.simple_book()) as host:
        answers = host.process.exchange(b"".join(asked), len(asked), lambda done: f"at line {done}")
    assert lines[1::2] == [line.decode() for line in answers]


def test_lines_carry_every_capability() -> None:
    """Each worked example, and worlds of all kinds: our own engine on the other side gives the same events."""
    with EngineHost(processes.ours()) as host:
        for suite in suites(host.description.capabilities, worlds=4, seed=7, commands=1, seeded_max=0):
            for make in suite.cases:
                case = make()
                assert case.lacks == () and compare(host, case)[0] is None, case.name


def test_what_it_says_of_itself() -> None:
    with EngineHost(processes.simple_book()) as host:
        told = host.description
    assert (told.name, told.version, told.language) == ("simple book in Python", "1.0", "Python")
    assert told.capabilities == {
        *(Capability.MARKET, Capability.IOC, Capability.FOK, Capability.REDUCE),
        *(Capability.REASONS, Capability.TRADE_IDS),
    }
    assert told.file == processes.simple_book()


def test_numbers_at_their_limits_arrive_whole() -> None:
    largest = extended_commands(
        (2**64 - 1, -(2**63), 2**63 - 1, 2**32 - 1, 255, 255, 255, 255, -(2**63), 2**64 - 1, 2**32 - 1, 7, 255)
    )
    with EngineHost(processes.simple_book()) as host:
        (event,) = host.engine(SETTINGS, extended=True).process(largest)
    expected = Engine.of(SETTINGS).process(largest)[0]
    assert event == expected and int(event["order_id"]) == 2**64 - 1


def test_more_than_both_pipes_hold_is_exchanged() -> None:
    """A megabyte each way in one call: neither side may wait for the other."""
    rejected = np.zeros(20_000, COMMAND)
    with EngineHost(processes.simple_book()) as host:
        assert len(host.engine(SETTINGS, extended=False).process(rejected)) == len(rejected)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("exits", "exited with code 7 at command 5"),
        ("crashes", "was killed by SIGSEGV at command 5"),
        ("is_killed", "was killed by SIGKILL at command 5"),
        ("raises", "exited with code 1 at command 5; the end of its stderr: ZeroDivisionError: "),
        ("garbage", r"gives no answer but '\\x1b[31mOrder accepted!' ("),
        ("empty_line", "gives no answer but an empty line ("),
        ("not_utf8", "gives no answer but '"),
        ("deep", "gives no answer but '[[[["),
        ("other_type", "Invalid value 'observation'"),
        ("no_events", "missing required field `events`"),
        ("unknown_field", "unknown field `orderId` - at `$.events[0]`"),
        ("text_for_number", "Expected `int`, got `str` - at `$.events[0].quantity`"),
        ("negative", "Expected `int` >= 0 - at `$.events[0].trade_id`"),
        ("more_than_32_bits", "Expected `int` <= 4294967295 - at `$.events[0].quantity`"),
        ("more_than_64_bits", "gives a number that an event cannot hold"),
        ("huge_number", "gives "),
        ("answers_twice", "answers command 5 at command 6"),
        ("huge_index", "gives no answer but '"),
        ("huge_version", "gives no answer but '"),
        ("half_a_character", "gives no answer but '"),
        ("other_index", "answers command 6 at command 5"),
        ("gives_up", r"gives up: NO_MEMORY the heap\nis full at command 5"),
        ("ends_at_once", "exited with code 0 at the hello"),
        ("half_line", "was killed by SIGKILL in the middle of a line at the hello"),
        ("other_version", "speaks lowlat.engine 2, and this lowlat lowlat.engine 1, at the hello"),
        ("other_protocol", "speaks tracebook.conformance 1, and"),
        ("unknown_capability", "'TELEPATHY' is no capability; known: MARKET"),
        ("no_name", "missing required field `engine`"),
    ],
)
def test_a_process_that_breaks_the_protocol_is_ended(fault: str, said: str) -> None:
    with pytest.raises(NotValidError, match=re.escape(said)) as caught:
        events_with(processes.bad(fault), some_commands())
    assert caught.value.exit_code == ExitCode.NOT_VALID
    text = str(caught.value)
    assert text.isprintable() and len(text) < 1_000


def test_an_answer_that_is_left_out_is_found() -> None:
    with pytest.raises(NotValidError, match="answers command 6 at command 5"), stalling("says_nothing") as host:
        host.engine(SETTINGS, extended=False).process(some_commands())


def test_an_answer_for_which_nothing_was_asked_is_found() -> None:
    with EngineHost(processes.bad("answers_twice")) as host:
        engine = host.engine(SETTINGS, extended=False)
        engine.process(some_commands(6))
        with pytest.raises(NotValidError, match="when it was to make an engine"):
            engine.reset()


@pytest.mark.parametrize("fault", ["one_event_less", "one_event_more"])
def test_another_number_of_events_is_for_the_comparison(fault: str) -> None:
    given = some_commands()
    assert len(events_with(processes.bad(fault), given)) != len(Engine.of(SETTINGS).process(given).tobytes())


def test_what_it_prints_to_stderr_never_stops_it() -> None:
    given = some_commands(100)
    assert events_with(processes.bad("prints_errors"), given) == Engine.of(SETTINGS).process(given).tobytes()


def test_the_end_of_a_process_is_seen_though_a_child_of_its_own_holds_its_output() -> None:
    """By its end, not by the silence after it: the limit of that would be hours away."""
    with (
        pytest.raises(NotValidError, match="exited with code 7 at command 5"),
        EngineHost(processes.bad("leaves_a_child"), 100 * PATIENCE_S) as host,
    ):
        host.engine(SETTINGS, extended=False).process(some_commands())


@pytest.mark.parametrize("fault", ["hangs", "hangs_with_child", "dribbles"])
def test_a_process_that_hangs_is_killed_with_its_children(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.05)
    child = tmp_path / "child"
    monkeypatch.setenv("TEST_ENGINE_CHILD", str(child))
    with pytest.raises(NotValidError, match=r"hangs: no answer for 0\.3 s at command 5"), stalling(fault) as host:
        host.engine(SETTINGS, extended=False).process(some_commands())
    if fault == "hangs_with_child":
        wait_until(lambda: processes.has_ended(int(child.read_text())), "the end of its child")


def test_a_line_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ENGINE_LINE_BYTES_MAX", 1 << 20)
    with pytest.raises(NotValidError, match=re.escape("writes a line of more than 1 MiB at command 5")):
        events_with(processes.bad("endless_line"), some_commands())


def test_a_process_that_ignores_the_end_of_its_input_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 0.05)
    with EngineHost(processes.bad("ignores_the_end")) as host:
        running = host.process.pid
    assert processes.has_ended(running)


def test_the_next_engine_has_a_new_process() -> None:
    given = some_commands()
    with EngineHost(processes.bad("crashes")) as host:
        for _ in range(2):
            with pytest.raises(NotValidError):
                host.engine(SETTINGS, extended=False).process(given)
        assert len(host.engine(SETTINGS, extended=False).process(given[:5])) > 5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ndjson:", "names no program; write 'ndjson:./my-engine'"),
        ("ndjson:  ''", "names no program"),
        ("ndjson:./mine 'half", "No closing quotation; quote the command as for a shell"),
        ("ndjson:./mine \0", "cannot contain NUL"),
        ("ndjson:./no-such-engine", "./no-such-engine cannot be started: there is no such program"),
        ("ndjson:/", "/ cannot be started: Permission denied; it is a directory"),
    ],
)
def test_what_cannot_be_started_is_said(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        EngineHost(name)


def test_a_file_that_is_no_program_is_said(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("what is this")
    with pytest.raises(UsageError, match="Permission denied; make it executable"):
        EngineHost(f"ndjson:{mine}")
    mine.chmod(0o755)
    with pytest.raises(UsageError, match="cannot be started: Exec format error"):
        EngineHost(f"ndjson:{mine}")


def test_a_command_is_split_as_a_shell_does() -> None:
    assert engine_command("ndjson:java -jar 'my engine.jar'").words == ("java", "-jar", "my engine.jar")
    assert is_process("ndjson:./mine") and not is_process("./ndjson:mine") and not is_process("ndjson")


@contextlib.contextmanager
def stalling(fault: str) -> Iterator[EngineHost]:
    """A host of an engine that gives no answer, however long one waits. Its start may take as long as it takes."""
    with EngineHost(processes.bad(fault), PATIENCE_S) as host:
        host.process.stall_limit_s = 0.3
        yield host
