"""The whole order path in real processes: nothing lost, the same events as a closed loop, books as the engine's.

Every check of a pass is shown to reject a pass that is wrong.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.arrivals import ArrivalsError
from engine.book_errors import BookHeldError
from engine.book_writer import MappedBookWriter
from engine.flood import flood
from engine.flow import Flow
from engine.job import OpenLoop, PathPlaces, Pipeline
from engine.mapped_book import MappedBookReader
from engine.native_engine import Engine
from engine.order_path import PACED_MEASURES, PATH_MEASURES, OrderPath, Passed, producer_of
from engine.path_place import book_names, choose_path
from engine.profile import Arrivals, load_profile
from engine.run import RunFailedError, RunPlan, measure, settings_of
from engine.settings import Settings
from lowlat_errors import ExitCode
from probes.affinity import AffinityError, allowed_cpus
from probes.clock import calibrate_quick
from probes.clock_scale import TickScale
from reports.model import Report

from engine import _core

STEADY = flood(load_profile("steady"), 20_000, 3)
MANY = flood(load_profile("many-symbols"), 20_000, 3)


def measured(flow: Flow, folder: Path, load: Pipeline | OpenLoop, runs: int = 1) -> Report:
    return measure(flow, RunPlan(runs=runs, load=load, books=folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="module")
def one_producer(folder: Path) -> Report:
    return measured(STEADY, folder, Pipeline(1), runs=2)


def test_one_producer_gives_the_events_of_the_closed_loop(one_producer: Report) -> None:
    closed = measure(STEADY, RunPlan(runs=1))
    assert one_producer.status == "ok", one_producer.status_reasons
    assert one_producer.verification is not None and closed.verification is not None
    assert one_producer.verification.digest == closed.verification.digest
    assert one_producer.load.rejected == 2 * closed.load.rejected


@pytest.mark.parametrize(("flow", "producers"), [(STEADY, 2), (STEADY, 4), (MANY, 3)])
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
    """Means do add up, other than percentiles; each stage is rounded down to whole nanoseconds."""
    mean = {series.measure: series.mean for series in one_producer.summary if series.op == "all"}
    stages = mean["stage:queued"] + mean["stage:matched"] + mean["stage:published"]
    assert mean["service"] == pytest.approx(stages, rel=0.002, abs=3)


def test_a_path_at_a_rate_measures_from_the_planned_start(folder: Path) -> None:
    report = measured(STEADY, folder, Pipeline(2, Arrivals(process="poisson", rate=100_000)))
    whole = {series.measure: series for series in report.summary if series.op == "all"}
    assert set(whole) == set(PACED_MEASURES)
    assert whole["response"].mean == pytest.approx(whole["slip"].mean + whole["service"].mean, rel=0.002, abs=3)
    assert (report.load.target_rate, report.load.arrivals) == (100_000, "poisson")


def test_books_stay_behind_closed_and_are_the_engines(folder: Path) -> None:
    measured(STEADY, folder, Pipeline(1))
    engine = Engine.of(settings_of(STEADY, RunPlan()))
    engine.process(STEADY.commands)
    with MappedBookReader("STEADY", folder=folder, live_only=False) as book:
        best = book.best()
    assert (best.bid_price, best.ask_price) == (engine.best().bid_price, engine.best().ask_price)


def test_threads_on_one_cpu_are_said_to_measure_the_scheduler(folder: Path) -> None:
    cpu = allowed_cpus()[0]
    report = measure(STEADY, RunPlan(runs=1, cpus=(cpu,), load=Pipeline(2), books=folder))
    assert report.status == "ok", report.status_reasons
    assert report.placement is not None
    assert report.placement.threads == {"matcher": cpu, "producer[0]": cpu, "producer[1]": cpu, "publisher": cpu}
    assert "4 threads on 1 CPUs: those that take turns measure the scheduler" in report.placement.warnings


def test_a_book_that_another_writes_is_refused(folder: Path) -> None:
    with MappedBookWriter("STEADY", folder=folder), pytest.raises(RunFailedError, match="has a live writer") as refused:
        measured(STEADY, folder, Pipeline(1))
    assert refused.value.exit_code == ExitCode.USAGE


def test_a_rate_that_takes_more_than_a_day_is_refused(folder: Path) -> None:
    with pytest.raises(ArrivalsError, match="more than a day"):
        measured(STEADY, folder, OpenLoop(Arrivals(process="constant", rate=0 + 1)), runs=1) if len(
            STEADY.measured
        ) > 86_400 else measure(
            flood(load_profile("steady"), 90_000, 3),
            RunPlan(runs=1, load=OpenLoop(Arrivals(process="constant", rate=1))),
        )
