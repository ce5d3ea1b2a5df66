"""The document of recorded gaps: those of a timer outside this system have a row of their own, and stay unexplained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lowlat.engine.bench import jitter as bench_jitter
from lowlat.engine.bench.jitter import watched_after
from lowlat.probes.cpu.affinity import allowed_cpus
from lowlat.reports.io.json_codec import from_text
from lowlat.reports.model.context import Placement
from lowlat.reports.model.jitter import LONGEST_MIN
from lowlat.reports.model.report import Report
from lowlat.reports.terminal import jitter_lines
from tests.jitter_by_hand import document, every, watched

TIMER, UNKNOWN = 0, -1
TICKS = every(1_000_000, 9_000, UNKNOWN)
"""1,000 gaps, at 0.5 ms, 1.5 ms and so on."""
OTHERS = [(begin + 37_000_000 + at * 777_777, 400, UNKNOWN) for at, (begin, *_) in enumerate(TICKS[:20:3])]
KERNELS = every(100_000_000, 5_000, TIMER)


def test_a_period_is_a_cause_of_its_own() -> None:
    (cpu,) = watched([*TICKS, *OTHERS]).cpus
    causes = {each.cause: each for each in cpu.causes}
    assert set(causes) == {"unexplained, every 1.00 ms", "unexplained"}
    periodic, other = causes["unexplained, every 1.00 ms"], causes["unexplained"]
    assert (periodic.gaps, other.gaps, cpu.unexplained) == (len(TICKS), len(OTHERS), len(TICKS) + len(OTHERS))
    assert periodic.period_ns is not None and abs(periodic.period_ns - 1e6) < 100
    assert other.period_ns is None
    assert {gap.cause for gap in cpu.longest} == {"unexplained, every 1.00 ms"}


def test_causes_of_the_kernel_have_no_period() -> None:
    (cpu,) = watched([*TICKS, *KERNELS]).cpus
    assert {each.cause: each.period_ns is None for each in cpu.causes} == {
        "unexplained, every 1.00 ms": False,
        "timer interrupt": True,
    }


def test_the_note_says_what_a_period_means() -> None:
    said = " ".join(jitter_lines.notes(watched(TICKS)))
    assert "a timer outside this system causes them" in said
    assert "outside this system" not in " ".join(jitter_lines.notes(watched(OTHERS)))
    assert [row[0] for row in jitter_lines.cause_rows(watched(TICKS, TICKS))] == ["unexplained, every 1.00 ms"]


def test_too_many_gaps_are_noted_of_gaps_that_nobody_stopped() -> None:
    (cpu,) = watched(KERNELS).cpus
    full = document(replace(cpu, cpu=3, complete=False), cpu)
    assert "CPU 3 had too many gaps to keep" in " ".join(jitter_lines.notes(full))
    others = document(cpu), replace(full, status="interrupted"), replace(full, mode="wakeups", interval_ns=1_000_000)
    assert not [note for found in others for note in jitter_lines.notes(found) if "too many" in note]


REPORT = from_text((Path(__file__).parents[2] / "reports/report-1.json").read_text())


def placed(cpus: str, **threads: int) -> Report:
    placement = Placement(cpus=cpus, chosen_by="user", reasons=(), compromises=(), warnings=(), threads=threads)
    return replace(REPORT, placement=placement)


def after(report: Report) -> Report:
    return watched_after(report, lambda _what, _share: None)


def test_the_cpus_of_the_runs_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_jitter, "AFTER_S", 0.02)
    cpus = allowed_cpus()
    report = placed(str(cpus[-1]), matcher=cpus[-1], publisher=cpus[0])
    found = after(report)
    assert found.jitter is not None
    assert [each.cpu for each in found.jitter.cpus] == sorted({cpus[0], cpus[-1]})
    assert all(len(each.longest) <= LONGEST_MIN for each in found.jitter.cpus)
    assert found.jitter.duration_s == 0.02
    assert replace(found, jitter=None) == report


def test_why_there_is_no_jitter_is_said() -> None:
    assert after(placed("")).not_available["jitter"] == "the runs were not pinned to a CPU"
    away = after(placed("4095"))
    assert away.jitter is None
    assert "4095" in away.not_available["jitter"]
    stopped = replace(placed("0"), status="interrupted")
    assert after(stopped) is stopped
