"""Work in parts on a cluster gives what one process gives, however many workers there are, and if one is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lowlat.documents import text
from lowlat.engine.conformance import parts
from lowlat.engine.conformance.verify import VerifyPlan, verify
from lowlat.errors import InputError, UsageError
from lowlat.fleet import partition_process
from lowlat.fleet.attempts import ThisProcess, answers
from lowlat.fleet.campaign import verify_in_parts, verify_part
from lowlat.fleet.cluster import ConnectedCluster, connected
from lowlat.fleet.identity import FileIdentity
from lowlat.fleet.on_cluster import ClusterWorkers
from lowlat.fleet.partition_job import ReplayPlan
from lowlat.fleet.place import ClusterPlace
from lowlat.fleet.replay import replay_by_partition
from lowlat.reports.model.replays import Replays
from tests.foreign import libraries
from tests.itch_by_hand import message, prefixed
from tests.recorded_day import recorded_day

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)
PLAN = VerifyPlan(worlds=60, commands=200)
REBUILD = ReplayPlan(mode="rebuild")
SECOND = 10**9
KILLED_FIRST = """
import os, signal
import lowlat.fleet.partition_starter as program
replayed = program.replayed
program.replayed = lambda job: os.kill(os.getpid(), signal.SIGKILL) if job.partition.number == 1 else replayed(job)
program.main()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[ConnectedCluster]:
    with connected(ClusterPlace(local=2)) as found:
        yield found


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two days as LOBSTER files."""
    folder = tmp_path_factory.mktemp("days")
    for day in (1, 2):
        (folder / f"XYZ_{day}_message_1.csv").write_text(recorded_day(100 * day)[0])
    return sorted(str(file) for file in folder.iterdir())


@pytest.fixture(scope="module")
def itch_day(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A day of two symbols, each with a bid that trades, as an ITCH file."""
    symbols = [{"locate": 1, "stock": "ONE"}, {"locate": 2, "stock": "TWO"}]
    messages = [message("S", event_code=b"O"), *[message("R", **each) for each in symbols]]
    for number, symbol in enumerate(symbols, 1):
        at = (34_200 + number) * SECOND
        order = {"order_id": number, "shares": 100}
        messages.append(message("A", at, **symbol, **order, side=b"B", price=1_000_000))
        messages.append(message("E", at + 1, locate=number, **order, match=number))
    path = tmp_path_factory.mktemp("itch") / "day.itch"
    path.write_bytes(prefixed([*messages, message("S", 57_600 * SECOND, event_code=b"C")]))
    return str(path)


def replayed(
    files: list[str],
    workers: ThisProcess | ClusterWorkers,
    plan: ReplayPlan = REBUILD,
    progress: Callable[[str, float], None] = lambda _text, _share: None,
) -> Replays:
    return replay_by_partition(files, plan, "file", workers, (), lambda _line: None, progress)


@pytest.fixture(scope="module")
def here(days: list[str]) -> Replays:
    """The days replayed in one process."""
    return replayed(days, ThisProcess())


def test_the_result_is_that_of_one_process(cluster: ConnectedCluster, days: list[str], here: Replays) -> None:
    there = replayed(days, ClusterWorkers(cluster))
    assert (there.status, there.measured.workers) == ("ok", 2)
    assert text(there.result) == text(here.result)
    assert here.result.counts["events"] == 300 and here.result.digest is not None
    assert [run.attempts for run in there.measured.partitions] == [1, 1]


@pytest.mark.slow  # matching is measured in processes of its own
def test_the_same_when_an_engine_matches(cluster: ConnectedCluster, days: list[str]) -> None:
    here, there = (replayed(days, workers, ReplayPlan()) for workers in (ThisProcess(), ClusterWorkers(cluster)))
    assert text(there.result) == text(here.result)
    assert here.result.counts["bursts matched"] == here.result.counts["bursts"] == 6
    assert {series.op for series in there.measured.series} == {series.op for series in here.measured.series}
    assert [series.count for series in there.measured.series] == [series.count for series in here.measured.series]


def test_by_symbol_each_has_its_own_books(itch_day: str) -> None:
    found = replay_by_partition([itch_day], REBUILD, "symbol", ThisProcess(), (), lambda _: None, lambda *_: None)
    assert [(each.symbols, each.counts["add"]) for each in found.result.partitions] == [(("ONE",), 1), (("TWO",), 1)]
    assert found.result.counts.items() >= {"events": 4, "add": 2, "execute": 2, "orders at the end": 0}.items()


def test_a_file_that_no_worker_has_is_named_after_three_attempts(cluster: ConnectedCluster, days: list[str]) -> None:
    found = replayed([days[0], "/nowhere/day.csv"], ClusterWorkers(cluster))
    assert (found.status, found.result.digest, len(found.result.partitions)) == ("invalid", None, 1)
    (failed,) = found.failed
    assert (failed.file, failed.attempts) == ("/nowhere/day.csv", 3)
    assert failed.error.startswith(f"/nowhere/day.csv: no such file (on {cluster.hosts[0].name}, tcp://127.0.0.1:")


def test_without_any_file_nothing_is_replayed(cluster: ConnectedCluster) -> None:
    with pytest.raises(InputError, match=r"/nowhere/day\.csv: no such file"):
        replayed(["/nowhere/day.csv"], ClusterWorkers(cluster, attempts_max=1))


def test_a_limit_of_memory_is_kept(days: list[str]) -> None:
    with pytest.raises(UsageError, match=r"_message_1.csv needs 128 MiB for .* a worker has a limit of 1.00 MiB"):
        replayed(days, ThisProcess(memory_bytes=1 << 20))


def test_a_damaged_recording_does_not_stop_the_others(days: list[str], here: Replays, tmp_path: Path) -> None:
    damaged = tmp_path / "XYZ_3_message_1.csv"
    damaged.write_text(Path(days[0]).read_text() + "34200.0,1\n")
    found = replayed([*days, str(damaged)], ThisProcess())
    assert found.result.partitions == here.result.partitions
    assert "XYZ_3_message_1.csv, row 101: 2 columns" in found.failed[0].error


@pytest.fixture
def no_starter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What an earlier test started is not used, and what this one starts ends."""
    monkeypatch.setattr(partition_process, "_IDLE", [])
    yield
    partition_process._end_idle()


@pytest.mark.usefixtures("no_starter")
def test_one_process_killed_loses_its_partition_only(days: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does for lack of memory."""
    monkeypatch.setattr(partition_process, "python_running", lambda _module: (sys.executable, "-P", "-c", KILLED_FIRST))
    found = replayed(days, ThisProcess())
    assert [each.number for each in found.result.partitions] == [2]
    assert found.failed[0].error == "its process was killed by SIGKILL"


@pytest.mark.usefixtures("no_starter")
def test_what_starts_them_is_started_again_if_it_is_killed(days: list[str], here: Replays) -> None:
    killed: list[int] = []

    def kill(told: str, _share: float) -> None:
        if told.startswith("1 of 2"):
            ((_, starter),) = partition_process._IDLE
            starter.kill()
            os.waitid(os.P_PID, starter.pid, os.WEXITED | os.WNOWAIT)
            killed.append(starter.pid)

    assert replayed(days, ThisProcess(), progress=kill).result == here.result
    assert [starter.pid for _, starter in partition_process._IDLE] != killed


@pytest.mark.usefixtures("no_starter")
def test_a_defect_in_the_process_of_a_partition_reads_as_one(days: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = ("sh", "-c", "printf 'Traceback:\\nKeyError: 1\\n' >&2; exit 70")
    monkeypatch.setattr(partition_process, "python_running", lambda _module: program)
    found = replayed(days, ThisProcess())
    assert (found.status, found.result.partitions) == ("invalid", ())
    assert {each.error for each in found.failed} == {"internal error: KeyError: 1"}


def test_a_file_that_is_replaced_after_it_was_surveyed_is_not_replayed(days: list[str], tmp_path: Path) -> None:
    day = tmp_path / "day_message_1.csv"
    day.write_text(Path(days[0]).read_text())

    def replace(told: str, _share: float) -> None:
        if told.startswith("1 of 2"):
            day.write_text(Path(days[1]).read_text())

    found = replayed([days[0], str(day)], ThisProcess(), progress=replace)
    assert [each.number for each in found.result.partitions] == [1]
    assert "day_message_1.csv: here it is another file" in found.failed[0].error


def test_ctrl_c_leaves_what_is_there(days: list[str]) -> None:
    def interrupt(told: str, _share: float) -> None:
        if told.startswith("1 of 2"):
            raise KeyboardInterrupt

    found = replayed(days, ThisProcess(), progress=interrupt)
    assert (found.status, found.status_reasons) == ("interrupted", ("stopped after 1 of 2 partitions",))
    assert [each.number for each in found.result.partitions] == [1]


def defective() -> None:
    raise AttributeError("no such name")


def test_a_defect_ends_the_work_with_the_traceback_of_its_worker(cluster: ConnectedCluster) -> None:
    with pytest.raises(AttributeError, match="no such name") as raised:
        list(answers(ClusterWorkers(cluster), defective, {1: ()}, lambda: None))
    assert "in defective" in "".join(raised.value.__notes__)


def die_once(marker: Path) -> str:
    """End the first worker that comes here."""
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return "alive"
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@pytest.mark.slow  # starts a cluster that it can spoil
def test_a_lost_worker_has_its_call_made_elsewhere(tmp_path: Path) -> None:
    with connected(ClusterPlace(local=2)) as doomed:
        workers = ClusterWorkers(doomed)
        calls: dict[int, tuple[object, ...]] = {1: (tmp_path / "dead",), 2: (tmp_path / "dead",)}
        found = {each.number: each for each in answers(workers, die_once, calls, lambda: None)}
    assert {each.value for each in found.values()} == {"alive"}
    assert sorted(each.attempts for each in found.values()) in ([1, 2], [2, 2])


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of so few examples that the first fault is in none of the first ones."""
    monkeypatch.setitem(parts._LEAST, "worked examples", 3)


@pytest.mark.slow
@pytest.mark.usefixtures("small_parts")
def test_the_first_fault_is_that_of_one_process(cluster: ConnectedCluster) -> None:
    engine = str(libraries.broken("fok-trades-in-part"))
    alone = verify(engine, PLAN)
    there = verify_in_parts(engine, PLAN, ClusterWorkers(cluster), lambda _text, _share: None)
    assert alone.status == "differs" and alone.counterexample is not None
    assert alone.suites[0].cases + alone.suites[0].skipped > 3  # not in the first part
    assert text(there) == text(alone)


@pytest.mark.slow  # executes all profiles twice
def test_an_engine_that_conforms_has_the_same_document() -> None:
    engine = str(libraries.simple_book())
    here = verify_in_parts(engine, PLAN, ThisProcess(), lambda _text, _share: None)
    assert here.status == "conforms"
    assert text(here) == text(verify(engine, PLAN))


def test_another_library_at_the_same_path_is_not_compared() -> None:
    engine = libraries.simple_book()
    other = FileIdentity(str(engine), engine.stat().st_size, "0" * 64)
    with pytest.raises(UsageError, match="here it is another file"):
        verify_part(str(engine), PLAN, [other], bool)


def test_a_file_that_is_not_there_is_named_before_the_work(tmp_path: Path) -> None:
    plan = VerifyPlan(recorded=(str(tmp_path / "day.csv"),))
    with pytest.raises(InputError, match=r"day\.csv: no such file"):
        verify_in_parts("reference", plan, ThisProcess(), lambda _text, _share: None)
