"""When a rate counts as missed: after a growing backlog, but not after one preemption at the end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lowlat.engine.bench.load import load_facts
from lowlat.engine.bench.protocol import ClosedLoop, Delivery, OpenLoop
from lowlat.engine.flow.profile import Arrivals
from lowlat.reports.model.context import Load
from lowlat.reports.model.results import Throughput

MS = 1_000_000


def outcome(
    commands: int, late_ns: int, wall_ns: int = 1, rejected: int = 0, loop_ceiling: float | None = None
) -> SimpleNamespace:
    return SimpleNamespace(
        throughput=Throughput.of(commands, wall_ns, None),
        late_ns=late_ns,
        loop_ceiling=loop_ceiling,
        delivery=Delivery(sent=commands, acked=commands - rejected, rejected=rejected, updates=None),
        out_of_range=0,
    )


def at_rate(rate: int, *outcomes: SimpleNamespace) -> Load:
    return load_facts(OpenLoop(Arrivals(process="constant", rate=rate)), outcomes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "commands", "late_ns", "missed"),
    [
        (1_000_000, 2_000_000, 0, False),
        (1_000_000, 2_000_000, 19 * MS, False),  # within a percent of the two seconds
        (1_000_000, 2_000_000, 21 * MS, True),
        (100_000, 20_000, 4 * MS, False),  # one preemption at the end of 200 ms
        (100_000, 20_000, 6 * MS, True),
        (900_000_000, 50_000, 2 * MS, True),  # 56 us of schedule
        (1, 1, 3_000, False),
        (1, 3, 1_000, False),
    ],
)
def test_a_rate_is_missed_by_what_is_late_at_the_end(rate: int, commands: int, late_ns: int, missed: bool) -> None:
    assert bool(at_rate(rate, outcome(commands, late_ns)).missed) is missed


def test_the_rate_reached_is_that_of_the_schedule_and_what_was_late() -> None:
    """3 commands at 1/s take 3 s, though the last is due after 2; 100 ms late make 3 / 3.1 s."""
    assert at_rate(1, outcome(3, 0)).achieved_rate == 1
    assert at_rate(1, outcome(3, 100 * MS)).achieved_rate == pytest.approx(3 / 3.1)


def test_the_latest_run_is_named() -> None:
    (text,) = at_rate(1_000, outcome(1_000, 0), outcome(1_000, 1_000 * MS)).missed
    assert text.startswith("run 2 achieved 500/s of the 1.00 k/s requested")


def test_the_loop_ceiling_is_that_of_the_slowest_run_and_stands_beside_a_missed_rate() -> None:
    load = at_rate(20_000_000, outcome(10**7, 0, loop_ceiling=40e6), outcome(10**7, 300 * MS, loop_ceiling=41e6))
    assert load.loop_ceiling == 40e6
    assert "requested (the loop around nothing reaches 41.0 M/s): its latencies are" in load.missed[0]


def test_a_closed_loop_has_no_rate_to_miss() -> None:
    load = load_facts(ClosedLoop(), [outcome(1_000, 0, wall_ns=MS, rejected=10)])  # type: ignore[list-item]
    assert (load.achieved_rate, load.missed, load.target_rate, load.loop_ceiling) == (1e6, (), None, None)
    assert (load.sent, load.acked, load.rejected) == (1_000, 990, 10)
