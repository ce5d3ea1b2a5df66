"""The document of recorded gaps: those of a timer outside this system have a row of their own, and stay unexplained."""

from __future__ import annotations

from lowlat.reports.terminal import jitter_lines
from tests.jitter_by_hand import every, watched

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
