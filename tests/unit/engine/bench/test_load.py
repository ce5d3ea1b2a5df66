"""When a rate counts as missed: after a growing backlog, but not after one preemption at the end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lowlat.engine.bench.load import load_facts
from lowlat.engine.bench.loop_ceiling import LoopCeiling, ceiling_of, pipeline_ceiling
from lowlat.engine.bench.protocol import ClosedLoop, Delivery, OpenLoop, Pipeline
from lowlat.engine.flow.profile import Arrivals
from lowlat.errors import UsageError
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
    assert "requested (loop ceiling 41.0 M/s): its latencies are" in load.missed[0]


def test_a_closed_loop_has_no_rate_to_miss() -> None:
    load = load_facts(ClosedLoop(), [outcome(1_000, 0, wall_ns=MS, rejected=10)])  # type: ignore[list-item]
    assert (load.achieved_rate, load.missed, load.target_rate, load.loop_ceiling) == (1e6, (), None, None)
    assert (load.sent, load.acked, load.rejected) == (1_000, 990, 10)


def test_a_rate_above_the_ceiling_is_refused_and_one_at_it_is_not() -> None:
    """25 ns per command are 40 M/s."""
    ceiling = LoopCeiling(25.0, "the open loop")
    ceiling.check(40e6)
    with pytest.raises(UsageError, match=r"40\.1 M/s is above the ceiling of the open loop: .* reaches 40\.0 M/s here"):
        ceiling.check(40.1e6)


def test_only_loads_with_a_rate_have_a_ceiling() -> None:
    due = Arrivals(process="constant", rate=1)
    assert ceiling_of(ClosedLoop(), logged=False) is None
    assert ceiling_of(Pipeline(producers=1), logged=False) is None
    for load, what in ((OpenLoop(due), "the open loop"), (Pipeline(producers=1, arrivals=due), "the pipeline")):
        ceiling = ceiling_of(load, logged=False)
        assert ceiling is not None and ceiling.what.startswith(what) and ceiling.ns_per_command > 1


def test_the_ceiling_of_a_pipeline_is_that_of_its_busiest_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Producers read the clock once each, and share the commands; the matcher reads it twice; the publisher records."""

    def costs(produce: int, match: int, publish: int) -> None:
        for name, ns in (("produce", produce), ("match", match), ("publish", publish)):
            done = SimpleNamespace(cpu_ns=ns << 16)
            monkeypatch.setattr(f"lowlat.engine._core.{name}_nothing", lambda _count, done=done: done)

    costs(50, 10, 20)
    assert [pipeline_ceiling(producers).ns_per_command for producers in (1, 2, 4)] == [50, 25, 20]
    costs(50, 60, 20)
    assert pipeline_ceiling(1).ns_per_command == 60
