"""The whole order path with real threads and processes: nothing is lost, the events equal those of a closed loop, and
the books equal the engine's.

Each check of a pass must reject a pass that is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lowlat.engine import _core
from lowlat.engine.bench.pipeline import PACED_MEASURES, PATH_MEASURES, OrderPath, Passed, producer_of
from lowlat.engine.bench.pipeline_placement import book_names
from lowlat.engine.bench.protocol import OpenLoop, PathPlaces, Pipeline
from lowlat.engine.bench.run import RunPlan, measure, settings_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import Arrivals, load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.native import Engine
from lowlat.engine.shared_book.reader import MappedBookReader
from lowlat.engine.shared_book.writer import MappedBookWriter
from lowlat.errors import ExitCode, RunFailedError, UsageError
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.probes.errors import AffinityError
from lowlat.reports.model.report import Report
from tests.shallow_flows import shallow_flow

STEADY = shallow_flow("steady", 20_000, 3)
MANY = shallow_flow("many-symbols", 20_000, 3)
CPU_THAT_IS_NOT = 1023


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


def measured(flow: Flow, folder: Path, load: Pipeline | OpenLoop, runs: int = 1) -> Report:
    return measure(flow, RunPlan(runs=runs, load=load, books=folder, kernel_path=False))


@pytest.fixture(scope="module")
def one_producer(folder: Path) -> Report:
    return measured(STEADY, folder, Pipeline(1), runs=2)


def test_one_producer_gives_the_events_of_the_closed_loop(one_producer: Report) -> None:
    closed = measure(STEADY, RunPlan(runs=1, kernel_path=False))
    assert one_producer.status == "ok", one_producer.status_reasons
    assert one_producer.verification is not None and closed.verification is not None
    assert one_producer.verification.digest == closed.verification.digest
    assert one_producer.load.rejected == 2 * closed.load.rejected


@pytest.mark.parametrize(
    ("flow", "producers"), [(STEADY, 2), pytest.param(STEADY, 4, marks=pytest.mark.slow), (MANY, 3)]
)
def test_all_that_was_sent_is_carried_out_or_rejected(folder: Path, flow: Flow, producers: int) -> None:
    report = measured(flow, folder, Pipeline(producers))
    assert report.status == "ok", report.status_reasons
    load = report.load
    assert (load.model, load.producers, load.sent) == ("pipeline", producers, len(flow.measured))
    assert load.sent == load.acked + load.rejected
    assert load.updates is not None and load.updates >= load.sent
    whole = {series.measure: series.count for series in report.summary if series.op == "all"}
    assert whole == dict.fromkeys(PATH_MEASURES, load.sent)


def test_the_stages_add_up_to_the_whole(one_producer: Report) -> None:
    """Means add up, unlike percentiles; each stage is rounded down to whole nanoseconds."""
    mean = {series.measure: series.mean for series in one_producer.summary if series.op == "all"}
    stages = mean["stage:queued"] + mean["stage:matched"] + mean["stage:published"]
    assert mean["service"] == pytest.approx(stages, rel=0.002, abs=3)


def test_a_path_at_a_rate_measures_from_the_planned_start(folder: Path) -> None:
    report = measured(STEADY, folder, Pipeline(2, Arrivals(process="poisson", rate=100_000)))
    whole = {series.measure: series for series in report.summary if series.op == "all"}
    assert set(whole) == set(PACED_MEASURES)
    assert whole["response"].mean == pytest.approx(
        whole["scheduling_delay"].mean + whole["service"].mean, rel=0.002, abs=3
    )
    assert (report.load.target_rate, report.load.arrivals) == (100_000, "poisson")


def test_books_stay_behind_as_the_engine_left_them(tmp_path: Path) -> None:
    assert measured(STEADY, tmp_path, Pipeline(1)).status == "ok"
    engine = Engine.of(settings_of(STEADY, RunPlan()))
    engine.process(STEADY.commands)
    with MappedBookReader("STEADY", folder=tmp_path, live_only=False) as book:
        assert book.best() == engine.best()


def test_threads_on_one_cpu_are_said_to_measure_the_scheduler(folder: Path) -> None:
    cpu = allowed_cpus()[0]
    report = measure(STEADY, RunPlan(runs=1, cpus=(cpu,), load=Pipeline(2), books=folder, kernel_path=False))
    assert report.status == "ok", report.status_reasons
    assert report.placement is not None
    assert report.placement.threads == {"matcher": cpu, "producer[0]": cpu, "producer[1]": cpu, "publisher": cpu}
    assert "4 threads share 1 CPU: they measure the scheduler" in report.placement.warnings


def test_a_book_that_another_writes_is_refused(folder: Path) -> None:
    with MappedBookWriter("STEADY", folder=folder), pytest.raises(RunFailedError, match="has a live writer") as refused:
        measured(STEADY, folder, Pipeline(1))
    assert refused.value.exit_code == ExitCode.USAGE


def test_a_schedule_of_more_than_a_day_is_refused_before_any_run() -> None:
    flow = synthetic_flow(load_profile("steady"), 90_000, 3)
    with pytest.raises(UsageError, match="more than a day"):
        measure(flow, RunPlan(runs=1, load=OpenLoop(Arrivals(process="constant", rate=1))))


@pytest.mark.parametrize(
    ("name", "symbols", "books"),
    [
        ("steady", 1, ["STEADY"]),
        ("my flow (2).csv", 1, ["MY-FLOW-2-.CSV"]),
        ("../etc", 1, ["ETC"]),
        ("", 1, ["BOOK"]),
        ("many-symbols", 2, ["MANY-SYMBOLS-1", "MANY-SYMBOLS-2"]),
        ("x" * 40, 1, ["X" * 32]),
    ],
)
def test_books_are_named_for_the_flow(name: str, symbols: int, books: list[str]) -> None:
    assert book_names(name, symbols) == books


def test_an_orders_commands_have_one_sender_and_senders_share_evenly() -> None:
    ids = np.arange(1, 30_001, dtype=np.uint64)
    senders = producer_of(ids, 3)
    assert np.array_equal(senders, producer_of(ids, 3))
    assert all(9_500 < count < 10_500 for count in np.bincount(senders.astype(np.int64), minlength=3))


class Walked:
    """A pass in this process, and the same commands executed again in the order in which they were matched."""

    def __init__(self, folder: Path, producers: int) -> None:
        settings = settings_of(STEADY, RunPlan())
        engine, self.replayed = Engine.of(settings), Engine.of(settings)
        places = PathPlaces(
            producers=[None] * producers, publisher=None, may_spin=True, folder=str(folder), books=["WALKED"]
        )
        latencies = _core.Latencies(PATH_MEASURES)
        one_to_one = TickScale(1 << 63, 63)
        for each in (engine, self.replayed):
            each.process(STEADY.commands[: STEADY.seeded])
        self.path = OrderPath(engine, settings, places, None, STEADY.measured, None, one_to_one, latencies)
        self.path.start()
        self.path.run()
        self.passed = self.path.passed()
        hashed = _core.EventHash()
        hashed.add(self.replayed.process(STEADY.measured[self.passed.order]))
        self.hash = hashed.value

    def faults(self, passed: Passed | None = None, replayed: Engine | None = None) -> str:
        return " ".join(self.path.faults(passed or self.passed, replayed or self.replayed, self.hash))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    walk = Walked(tmp_path_factory.mktemp("walked"), 2)
    with walk.path:
        yield walk


def test_a_pass_that_is_right_has_no_faults(walked: Walked) -> None:
    assert walked.faults() == ""
    assert not np.array_equal(walked.passed.order, np.sort(walked.passed.order)), "two producers did take turns"


def test_a_pass_that_is_wrong_is_found_out(walked: Walked) -> None:
    passed = walked.passed

    def changed(**fields: object) -> str:
        return walked.faults(dataclasses.replace(passed, **fields))  # type: ignore[arg-type]

    assert "commands were lost: 20,000 to send, 19,999 sent" in changed(sent=passed.sent - 1)
    assert "commands were lost" in changed(acked=passed.acked - 1)
    assert "the CPUs' counters are not synchronized" in changed(backwards=1)
    assert "different events" in changed(event_hash=passed.event_hash ^ 1)
    twice = passed.order.copy()
    twice[0] = twice[1]
    assert "not every command was matched exactly once" in changed(order=twice)
    senders = producer_of(STEADY.measured["order_id"], 2)[passed.order]
    first, second = np.flatnonzero(senders == 0)[:2]
    overtaken = passed.order.copy()
    overtaken[[first, second]] = overtaken[[second, first]]
    assert "not matched in the order sent" in changed(order=overtaken)


def test_a_book_that_is_not_the_engines_is_found_out(walked: Walked) -> None:
    other = Engine.of(settings_of(STEADY, RunPlan()))
    other.process(STEADY.commands[: STEADY.seeded])
    assert "the mapped book WALKED ended in a different state than the engine's" in walked.faults(replayed=other)


@pytest.mark.parametrize("where", ["publisher", "producers"])
def test_a_thread_that_cannot_be_bound_ends_the_path(tmp_path: Path, where: str) -> None:
    """The others must not wait for it forever."""
    settings = settings_of(STEADY, RunPlan())
    cpus = {"publisher": None, "producers": [None, None]} | {
        where: CPU_THAT_IS_NOT if where == "publisher" else [None, CPU_THAT_IS_NOT]
    }
    places = PathPlaces(**cpus, may_spin=True, folder=str(tmp_path), books=["UNBOUND"])  # type: ignore[arg-type]
    latencies = _core.Latencies(PATH_MEASURES)
    scale = TickScale(1 << 63, 63)
    with (
        OrderPath(Engine.of(settings), settings, places, None, STEADY.measured, None, scale, latencies) as path,
        pytest.raises(AffinityError),
    ):
        path.start()
        path.run()


def test_a_matcher_that_fails_ends_the_others(tmp_path: Path) -> None:
    """They wait for its start, or at a ring; leaving must not wait for them forever."""
    settings = settings_of(STEADY, RunPlan())
    places = PathPlaces(producers=[None] * 2, publisher=None, may_spin=True, folder=str(tmp_path), books=["FAILED"])
    scale, latencies = TickScale(1 << 63, 63), _core.Latencies(PATH_MEASURES)
    engine = Engine.of(settings)
    with OrderPath(engine, settings, places, None, STEADY.measured, None, scale, latencies) as path:
        path.start()


def test_a_flooded_path_has_no_time_of_its_own_in_the_budget(one_producer: Report, folder: Path) -> None:
    def application(report: Report) -> tuple[int | None, str]:
        stage = next(stage for stage in report.budget if stage.stage == "application")
        return stage.measured_ns, stage.basis

    assert application(one_producer) == (
        None,
        "producers keep the queue full, so latency is queueing time; set a --rate",
    )
    paced = measured(STEADY, folder, Pipeline(1, Arrivals(process="constant", rate=50_000)))
    response = next(each for each in paced.summary if (each.op, each.measure) == ("all", "response"))
    assert application(paced)[0] == response.percentiles["99"].value
    assert application(paced)[1].startswith("p99 from the intended start of an order until the book shows its effect")


def test_producers_that_overtake_each_other_are_noted(folder: Path, one_producer: Report) -> None:
    assert not any("overtake" in note for note in one_producer.workload.notes)
    assert any("overtake" in note for note in measured(STEADY, folder, Pipeline(2)).workload.notes)
