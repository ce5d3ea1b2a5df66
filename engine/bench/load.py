"""The load as a report describes it: how commands arrived, at which rate, and whether the engine kept up."""

from __future__ import annotations

from collections.abc import Sequence

from lowlat import units
from lowlat.engine.bench.passes import added
from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop, Pipeline, RunOutcome
from lowlat.engine.flow.profile import Arrivals
from lowlat.reports.model import context
from lowlat.reports.model.lateness import is_late


def load_facts(load: Load, outcomes: Sequence[RunOutcome]) -> context.Load:
    """The facts of a load over all runs."""
    commands = sum(outcome.throughput.commands for outcome in outcomes)
    deliveries = [outcome.delivery for outcome in outcomes]
    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return context.Load(
        model=_model(load),
        target_rate=due.rate if due else None,
        achieved_rate=commands * 1e9 / sum(_taken_ns(outcome, due) for outcome in outcomes),
        sent=sum(each.sent for each in deliveries),
        acked=sum(each.acked for each in deliveries),
        rejected=sum(each.rejected for each in deliveries),
        out_of_range=sum(outcome.out_of_range for outcome in outcomes),
        missed=_missed(due, outcomes) if due else (),
        arrivals=due.process if due else None,
        producers=load.producers if isinstance(load, Pipeline) else None,
        updates=added(each.updates for each in deliveries),
        loop_ceiling=_loop_ceiling(outcomes),
    )


def _model(load: Load) -> context.LoadModel:
    match load:
        case ClosedLoop():
            return "closed"
        case OpenLoop():
            return "open"
        case Pipeline():
            return "pipeline"


def _loop_ceiling(outcomes: Sequence[RunOutcome]) -> float | None:
    """That of the slowest run."""
    return min((each.loop_ceiling for each in outcomes if each.loop_ceiling is not None), default=None)


def _taken_ns(outcome: RunOutcome, due: Arrivals | None) -> float:
    """How long the commands took. With intended start times: the whole schedule plus the delay of the last command."""
    if due is None:
        return outcome.throughput.wall_ns
    return _schedule_ns(outcome, due) + outcome.late_ns


def _schedule_ns(outcome: RunOutcome, due: Arrivals) -> float:
    return outcome.throughput.commands * 1e9 / due.rate


def _missed(due: Arrivals, outcomes: Sequence[RunOutcome]) -> tuple[str, ...]:
    """Why the rate was missed: names the latest run, if it was too late."""
    run, latest = max(enumerate(outcomes), key=lambda each: each[1].late_ns)
    if not is_late(latest.late_ns, latest.throughput.commands, due.rate):
        return ()
    reached = units.rate(latest.throughput.commands * 1e9 / _taken_ns(latest, due))
    loop = f" (loop ceiling {units.rate(latest.loop_ceiling)})" if latest.loop_ceiling else ""
    return (
        f"run {run + 1} achieved {reached} of the {units.rate(due.rate)} requested{loop}: its latencies are queueing "
        "time, not service time; use a lower --rate",
    )
