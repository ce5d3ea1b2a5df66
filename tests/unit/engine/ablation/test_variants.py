"""Every technique, measured for real, but briefly: both variants do their work, in a process of their own too."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.ablation import measured_engine, python_path, scheduling, surroundings, worker
from lowlat.engine.ablation.catalog import BY_NAME, TECHNIQUES
from lowlat.engine.ablation.process import VariantProcess, variant_process
from lowlat.engine.ablation.protocol import AblationJob, VariantJob
from lowlat.engine.ablation.run import second_cpu
from lowlat.engine.ablation.technique import VariantFigures, VariantRun
from lowlat.engine.analytics.level_updates import apply_level_updates
from lowlat.engine.analytics.vwap import vwap_of
from lowlat.engine.bench.engines import EngineEntry, engine_entry
from lowlat.engine.bench.placement import choose_place
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config import EngineConfig
from lowlat.engine.matching.config_codec import native_rules, to_plain
from lowlat.engine.matching.native import Engine
from lowlat.engine.matching.records import EVENT, Commands, Events, ExecType, Side
from lowlat.engine.reference.engine import ReferenceEngine
from lowlat.errors import NotValidError, RunFailedError, UsageError
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.memory.process_memory import huge_pages_of_process
from lowlat.probes.reading import Reading, known, unknown
from lowlat.probes.topology import read_topology
from tests.foreign import libraries
from tests.synthetic_hosts import host

_KIND = (EVENT.names or ()).index("kind")
SCALE = TickScale.of_frequency(2e9)


@pytest.fixture(autouse=True)
def _unpinned() -> Iterator[None]:
    """Runs in this process pin it."""
    allowed = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, allowed)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return synthetic_flow(load_profile("steady"), 300, 1)


def a_run(flow: Flow, *, with_it: bool, allowed: tuple[int, ...] | None = None) -> VariantRun:
    cpus = allowed or allowed_cpus()
    return VariantRun(
        with_it=with_it,
        operations=300,
        passes=2,
        seed=1,
        scale=SCALE,
        cpu=cpus[0],
        other_cpu=cpus[1] if len(cpus) > 1 else None,
        allowed=cpus,
        commands=flow.commands,
        seeded=flow.seeded,
        settings=settings_of(flow, RunPlan()),
    )


@pytest.mark.parametrize("with_it", [True, False])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_variant_has_the_figure_that_decides(flow: Flow, name: str, with_it: bool) -> None:
    technique = BY_NAME[name]
    try:
        figures = technique.measure(a_run(flow, with_it=with_it))
    except UsageError as error:
        pytest.skip(str(error))
    decisive = figures.figure(technique.decides)
    assert decisive is not None and decisive > 0
    assert figures.wall_ns > 0 and figures.figure("throughput") == pytest.approx(1e9 / figures.wall_ns)
    if figures.p50_ns is not None:
        assert figures.p50_ns <= (figures.p99_ns or 0) <= (figures.p999_ns or 0)


def test_no_right_to_real_time_priority_says_what_is_missing(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with pytest.raises(UsageError, match=r"ulimit -r 1"):
        BY_NAME["fifo"].measure(a_run(flow, with_it=False))


def test_one_cpu_leaves_nowhere_to_move_to(flow: Flow) -> None:
    with pytest.raises(UsageError, match=r"^CPU 0 is the only one, and there is nowhere to move to; allow two$"):
        BY_NAME["pin"].measure(a_run(flow, with_it=False, allowed=(0,)))


def test_the_far_node_is_another_one(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two nodes with memory as on a host with two sockets; the kernel refuses the one that is not there."""
    asked = []

    @contextlib.contextmanager
    def bound(node: int | None) -> Iterator[Reading[int]]:
        asked.append(node)
        yield known(node or 0, "set_mempolicy") if node == 0 else unknown("set_mempolicy", "there is no node 1")

    nodes = known((0, 1), "read from /sys")
    place = replace(read_topology(), nodes=unknown("/sys", "not read here"))
    monkeypatch.setattr(type(place), "memory_nodes", property(lambda _: nodes))
    monkeypatch.setattr(scheduling, "nearest_memory", lambda *_: known(0, "read from /sys"))
    monkeypatch.setattr(scheduling, "read_topology", lambda: place)
    monkeypatch.setattr(scheduling, "memory_bound_to", bound)
    assert BY_NAME["near-memory"].measure(a_run(flow, with_it=True)).cpu_ns
    with pytest.raises(UsageError, match="there is no node 1"):
        BY_NAME["near-memory"].measure(a_run(flow, with_it=False))
    assert asked == [0, 1]


def test_both_average_prices_are_the_same() -> None:
    prices, quantities = python_path.records_to_average(seed=7)
    exact = vwap_of(prices, quantities)
    assert python_path.average_in_a_loop(prices.tolist(), quantities.tolist()) == (exact.notional, exact.volume)


def test_orders_that_enter_and_leave_can_be_executed_again(flow: Flow) -> None:
    rows = python_path.entering_and_leaving(a_run(flow, with_it=True))
    engine = ReferenceEngine.of(settings_of(flow, RunPlan()))
    for _ in range(2):
        kinds = [event[_KIND] for row in rows for event in engine.execute(row)]
        assert kinds.count(ExecType.REJECTED) == 0
        assert kinds.count(ExecType.CANCELLED) == len(rows) // 2
    assert len(engine.trades()) == 0


@pytest.mark.parametrize("name", ["padding", "seqlock", "ring", "spin", "yield"])
def test_two_threads_need_two_cpus(flow: Flow, name: str) -> None:
    with pytest.raises(UsageError, match=r"CPU 0 is the only one; allow two$"):
        BY_NAME[name].measure(a_run(flow, with_it=True, allowed=(0,)))


def test_look_ahead_executes_the_same(flow: Flow) -> None:
    """Both variants leave the same books, with as many events."""
    left = []
    for with_it in (True, False):
        engine = engine_entry("native").make_compiled(settings_of(flow, RunPlan()))
        done = _core.ablate_look_ahead(engine.matcher, flow.commands, with_it=with_it)
        left.append((done.commands, done.events, engine.counters, engine.trades().tobytes()))
    assert left[0] == left[1] and left[0][1] >= len(flow.commands)


def test_the_path_with_hints_and_the_one_without_execute_the_same(flow: Flow) -> None:
    settings = settings_of(flow, RunPlan())
    native = Engine.of(settings)
    expected = native.process(flow.commands)
    for hints in (True, False):
        path = _core.match_path(native_rules(settings), settings.orders, settings.trades, hints)
        assert path.execute(flow.commands).events == len(expected)
        ring = np.frombuffer(path.events(), EVENT)
        latest = np.roll(ring, -(len(expected) % len(ring)))
        assert latest.tolist() == expected[-len(ring) :].tolist()


@pytest.mark.parametrize(
    "work",
    [_core.ablate_level_scan, _core.ablate_price_sums, _core.ablate_level_updates],
    ids=["columns", "vectors", "level-vectors"],
)
def test_work_on_levels_has_the_same_result(work: Callable[..., _core.Pass]) -> None:
    given = 10_000, 7, SCALE.multiplier, SCALE.shift, None
    with_it, without = work(True, *given), work(False, *given)
    assert (with_it.commands, with_it.events) == (without.commands, without.events)
    assert with_it.events != work(True, 10_000, 8, *given[2:]).events


def test_levels_updated_in_a_loop_are_those_of_the_native_walk() -> None:
    levels, updates = python_path.levels_to_update(seed=3)
    native = apply_level_updates(levels, updates, Side.SELL)
    assert python_path.updated_in_a_loop(levels.tolist(), updates.tolist()) == native.tolist()


def test_the_kernel_takes_pages_that_are_not_locked() -> None:
    """Each of them is faulted in again when it is read, and locked ones are not."""
    pages = 256
    with tempfile.TemporaryFile() as file:
        file.write(bytes(pages * mmap.PAGESIZE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        given = pages, 1, SCALE.multiplier, SCALE.shift, None, file.fileno()
        try:
            found = [_core.ablate_reclaimed_reads(locked, *given) for locked in (True, False)]
        except OSError as error:
            pytest.skip(str(error))
    faults = [each.minor_faults + each.major_faults for each in found]
    assert faults[0] == 0
    assert faults[1] >= pages / 64  # a fault may map what is around it: 64 KiB by default


@pytest.mark.parametrize(
    ("error", "said"),
    [(errno.EPERM, "ulimit -l"), (errno.ENOTSUP, "took no pages of a file in"), (errno.ENOSYS, "cannot be asked")],
)
def test_pages_that_cannot_be_locked_or_taken_are_no_failure(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, error: int, said: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(_core, "ablate_reclaimed_reads", refuse)
    with pytest.raises(UsageError, match=said):
        BY_NAME["lock"].measure(a_run(flow, with_it=True))


def test_every_technique_says_what_it_is() -> None:
    names = [each.name for each in TECHNIQUES]
    assert len(set(names)) == len(names)
    for each in BY_NAME.values():
        prose = (each.why, each.mechanism, each.limits)
        assert all(text.endswith(".") and "  " not in text for text in prose), each.name
        assert not each.with_it.endswith(".") and not each.without.endswith("."), each.name
        assert len(each.title) <= 32, "a row fits 80 columns, with an interval such as 0.002-0.002"


@pytest.fixture(scope="module")
def process(flow: Flow) -> Iterator[VariantProcess]:
    with process_of(flow, "native", flow.seeded) as process:
        yield process


@contextlib.contextmanager
def process_of(flow: Flow, engine: str, seeded: int) -> Iterator[VariantProcess]:
    with tempfile.TemporaryFile() as file:
        flow.commands.tofile(file)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        job = msgspec.structs.replace(job_for(flow, file.fileno()), engine=engine, seeded=seeded)
        with variant_process(job) as process:
            yield process


def job_for(flow: Flow, commands_fd: int) -> AblationJob:
    return AblationJob(
        parent=os.getpid(),
        commands_fd=commands_fd,
        wide=False,
        seeded=flow.seeded,
        settings=to_plain(settings_of(flow, RunPlan())),
        engine="native",
        cpu=allowed_cpus()[0],
        other_cpu=next(iter(allowed_cpus()[1:]), None),
        multiplier=SCALE.multiplier,
        shift=SCALE.shift,
    )


def job_of(technique: str, *, operations: int = 100) -> VariantJob:
    return VariantJob(technique=technique, with_it=True, operations=operations, passes=2, seed=1)


def test_a_process_answers_job_after_job_and_outlives_a_failed_one(process: VariantProcess) -> None:
    assert process.run(job_of("look-ahead")).figures
    failed = process.run(job_of("no such technique"))
    assert failed.figures is None and failed.failure == "KeyError: 'no such technique'"
    assert process.run(job_of("control")).figures


@pytest.mark.parametrize(
    ("error", "absent", "failure"),
    [
        (UsageError("there is one CPU"), "there is one CPU", None),
        (NotValidError("the events differ"), None, "NotValidError: the events differ"),
    ],
)
def test_only_what_a_host_lacks_is_not_available(
    flow: Flow, monkeypatch: pytest.MonkeyPatch, error: Exception, absent: str | None, failure: str | None
) -> None:
    def fails(_: VariantRun) -> VariantFigures:
        raise error

    monkeypatch.setitem(BY_NAME, "fails", replace(BY_NAME["control"], measure=fails))
    answer = worker.answer_to(job_for(flow, 0), flow.commands, job_of("fails"))
    assert (answer.absent, answer.failure, answer.figures) == (absent, failure, None)


@pytest.mark.parametrize(
    ("asked", "allowed", "second"),
    [
        ((2,), range(8), 1),  # of another core, of the same package
        ((2, 7), range(8), 7),
        ((2, 0), range(8), 0),
        ((2,), (0, 2, 6, 7), 6),  # a sibling only if there is nothing else
        ((2,), (0, 2), 0),
        ((2,), (2,), None),
        (None, range(8), None),
    ],
)
def test_a_second_thread_has_a_core_of_its_own(
    asked: tuple[int, ...] | None, allowed: Sequence[int], second: int | None
) -> None:
    packages = tuple(host(cores).packages[0] for cores in ([(0, 2), (1, 3)], [(4, 6), (5, 7)]))
    place = replace(choose_place(None), cpus=asked, topology=replace(host([]), packages=packages))
    assert second_cpu(place, allowed) == second


AROUND = tuple(name for name, technique in BY_NAME.items() if technique.around)


@pytest.fixture(scope="module", params=["reference", "library"])
def around(flow: Flow, request: pytest.FixtureRequest) -> Iterator[tuple[str, VariantProcess]]:
    """An engine of somebody else, and the process that makes its runs."""
    engine = str(libraries.simple_book()) if request.param == "library" else request.param
    with process_of(flow, engine, 100) as process:
        yield engine, process


@pytest.mark.parametrize("name", AROUND)
def test_around_an_engine_of_somebody_else(around: tuple[str, VariantProcess], name: str) -> None:
    """Each run in a process of its own: some lock all of its memory, or stop its collector."""
    engine, process = around
    for with_it in (True, False):
        wanted = VariantJob(technique=name, with_it=with_it, operations=50, passes=1, seed=1)
        answer = process.run(wanted)
        assert answer.failure is None
        if answer.figures is None:
            pytest.skip(answer.absent or "")
        assert answer.figures.figure(BY_NAME[name].for_engine(engine_entry(engine)).decides)


class Vast:
    """An engine in Python that asks for huge pages."""

    def __init__(self, settings: EngineConfig) -> None:
        self._books = ReferenceEngine.of(settings)
        self._memory = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._memory.madvise(mmap.MADV_HUGEPAGE)
        self._memory.write(bytes(8 << 20))

    def process(self, commands: Commands) -> Events:
        return self._books.process(commands)


def test_huge_pages_of_an_engine_in_python_are_seen(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(flow, with_it=True)
    before, vast = huge_pages_of_process().value, Vast(run.settings)
    if (huge_pages_of_process().value or 0) == (before or 0):
        pytest.skip("not available here, because the kernel gives no huge pages")
    del vast
    monkeypatch.setattr(measured_engine, "engine_entry", lambda _: EngineEntry("vast", "with vast memory", Vast))
    assert surroundings.huge_pages(run).cpu_ns


def test_what_is_inside_lowlat_is_not_measured_around_another_engine(flow: Flow) -> None:
    job = msgspec.structs.replace(job_for(flow, 0), engine="reference")
    for name in BY_NAME.keys() - set(AROUND):
        answer = worker.answer_to(job, flow.commands, job_of(name))
        assert answer.absent == "this is inside lowlat, and the measured engine is another"


def test_a_pass_over_an_engine_in_python_is_shorter() -> None:
    reference, native = engine_entry("reference"), engine_entry("native")
    batch, counter = BY_NAME["batch"], BY_NAME["counter"]
    assert batch.for_engine(native) is batch
    assert batch.for_engine(reference).operations == 2_000 < batch.operations
    assert counter.for_engine(reference).operations == counter.operations


@pytest.mark.parametrize("code", [3, 0])
def test_how_an_engine_ended_its_process_is_told(flow: Flow, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_: VariantRun) -> VariantFigures:
        os.write(2, b"x" * 100_000 + b"\nout of ideas\n")
        os._exit(code)

    monkeypatch.setitem(BY_NAME, "crashes", replace(BY_NAME["control"], measure=crash))
    answer = worker.in_own_process(job_for(flow, 0), flow.commands, job_of("crashes"))
    assert answer.failure == f"its process exited with code {code}: out of ideas"


def test_memory_that_is_not_to_be_had_is_no_defect(process: VariantProcess) -> None:
    answer = process.run(job_of("pre-fault", operations=1 << 50))
    assert answer.absent is not None and "not enough memory" in answer.absent


def test_a_run_that_does_not_end_is_stopped(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RUN_LIMIT_S", 0.05)
    monkeypatch.setitem(BY_NAME, "stuck", replace(BY_NAME["control"], measure=lambda _: time.sleep(60)))
    begin = time.monotonic()
    answer = worker.in_own_process(job_for(flow, 0), flow.commands, job_of("stuck"))
    assert answer.absent is not None and answer.absent.startswith("a run of it did not end within 0.05 s")
    assert time.monotonic() - begin < 30


def test_a_process_that_ends_is_reported(process: VariantProcess) -> None:
    """The last test: a line that is no job ends it."""
    with pytest.raises(RunFailedError, match=r"^the process that makes the runs exited with code 70: "):
        process.run(Unreadable())  # type: ignore[arg-type]


class Unreadable(msgspec.Struct):
    """No job."""
