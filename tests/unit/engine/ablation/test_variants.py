"""Every technique, measured for real, but briefly: both variants do their work, in a process of their own too."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import msgspec
import pytest

from lowlat.engine import _core
from lowlat.engine.ablation.process import VariantProcess, variant_process
from lowlat.engine.ablation.protocol import AblationJob, VariantJob
from lowlat.engine.ablation.registry import BY_NAME, TECHNIQUES
from lowlat.engine.ablation.technique import NotAvailableError, VariantRun
from lowlat.engine.bench.engines import engine_entry
from lowlat.engine.bench.run import RunPlan, settings_of
from lowlat.engine.flow.order_flow import Flow
from lowlat.engine.flow.profile import load_profile
from lowlat.engine.flow.synthetic import synthetic_flow
from lowlat.engine.matching.config_codec import to_plain
from lowlat.errors import RunFailedError
from lowlat.probes.clock.scale import TickScale
from lowlat.probes.cpu.affinity import allowed_cpus

SCALE = TickScale.of_frequency(2e9)


@pytest.fixture(scope="module")
def flow() -> Flow:
    return synthetic_flow(load_profile("steady"), 300, 1)


def a_run(flow: Flow, *, with_it: bool, allowed: tuple[int, ...] | None = None) -> VariantRun:
    cpus = allowed or allowed_cpus()
    return VariantRun(
        with_it=with_it,
        operations=300,
        seed=1,
        scale=SCALE,
        cpu=cpus[0],
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
    except NotAvailableError as error:
        pytest.skip(str(error))
    decisive = figures.figure(technique.decides)
    assert decisive is not None and decisive > 0
    assert figures.wall_ns > 0 and figures.figure("throughput") == pytest.approx(1e9 / figures.wall_ns)
    if figures.p50_ns is not None:
        assert figures.p50_ns <= (figures.p99_ns or 0) <= (figures.p999_ns or 0)


@pytest.mark.parametrize("name", ["padding", "ring", "spin"])
def test_two_threads_need_two_cpus(flow: Flow, name: str) -> None:
    with pytest.raises(NotAvailableError, match=r"CPU 0 is the only one; allow two$"):
        BY_NAME[name].measure(a_run(flow, with_it=True, allowed=(0,)))


def test_look_ahead_executes_the_same(flow: Flow) -> None:
    """Both variants leave the same books, with as many events."""
    left = []
    for with_it in (True, False):
        engine = engine_entry("native").make_compiled(settings_of(flow, RunPlan()))
        done = _core.ablate_look_ahead(engine.matcher, flow.commands, with_it=with_it)
        left.append((done.commands, done.events, engine.counters, engine.trades().tobytes()))
    assert left[0] == left[1] and left[0][1] >= len(flow.commands)


def test_every_technique_says_what_it_is() -> None:
    names = [each.name for each in TECHNIQUES]
    assert len(set(names)) == len(names)
    for each in BY_NAME.values():
        prose = (each.why, each.mechanism, each.limits)
        assert all(text.endswith(".") and "  " not in text for text in prose), each.name
        assert not each.with_it.endswith(".") and not each.without.endswith("."), each.name
        assert len(each.title) <= 34, "a row fits 80 columns"


@pytest.fixture(scope="module")
def process(flow: Flow) -> Iterator[VariantProcess]:
    with tempfile.TemporaryFile() as file:
        flow.commands.tofile(file)
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        job = AblationJob(
            parent=os.getpid(),
            commands_fd=file.fileno(),
            wide=False,
            seeded=flow.seeded,
            settings=to_plain(settings_of(flow, RunPlan())),
            cpu=allowed_cpus()[0],
            multiplier=SCALE.multiplier,
            shift=SCALE.shift,
        )
        with variant_process(job) as process:
            yield process


def job_of(technique: str, *, operations: int = 100) -> VariantJob:
    return VariantJob(technique=technique, with_it=True, operations=operations, seed=1)


def test_a_process_answers_job_after_job_and_outlives_a_failed_one(process: VariantProcess) -> None:
    assert process.run(job_of("look-ahead")).figures
    failed = process.run(job_of("no such technique"))
    assert failed.figures is None and failed.failure == "KeyError: 'no such technique'"
    assert process.run(job_of("control")).figures


def test_memory_that_is_not_to_be_had_is_no_defect(process: VariantProcess) -> None:
    answer = process.run(job_of("pre-fault", operations=1 << 50))
    assert answer.absent is not None and "not enough memory" in answer.absent


def test_a_process_that_ends_is_reported(process: VariantProcess) -> None:
    """The last test: a line that is no job ends it."""
    with pytest.raises(RunFailedError, match=r"^the process that makes the runs exited with code 70: "):
        process.run(Unreadable())  # type: ignore[arg-type]


class Unreadable(msgspec.Struct):
    """No job."""
