"""What a report says of the load: how commands came, at which rate, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lowlat import units
from lowlat.engine.bench.protocol import ClosedLoop, Load, OpenLoop, Outcome, Pipeline
from lowlat.engine.flow.profile import Arrivals
from lowlat.reports.model import context

LATE_SHARE: Final = 0.01
LATE_NS: Final = 5_000_000
"""A run has missed its rate when its last command ends later than it was due by more than this share of the schedule,
and by more than this time (or the whole schedule, if that is shorter). What a queue that grows leaves at the end is a
share of the run; what one preemption leaves there, a few milliseconds at most, says nothing of the rate."""


def load_facts(load: Load, outcomes: Sequence[Outcome]) -> context.Load:
    """The facts of a load over all runs."""
    passes = [outcome.plain or outcome.stamped for outcome in outcomes]
    deliveries = [outcome.delivery for outcome in outcomes if outcome.delivery is not None]
    commands = sum(done.commands for done in passes)
    rejected = sum(outcome.rejected for outcome in outcomes)
    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return context.Load(
        model=_model(load),
        target_rate=due.rate if due else None,
        achieved_rate=commands * 1e9 / sum(_taken_ns(outcome, due) for outcome in outcomes),
        sent=sum(each.sent for each in deliveries) if deliveries else commands,
        acked=sum(each.acked for each in deliveries) if deliveries else commands - rejected,
        rejected=sum(each.rejected for each in deliveries) if deliveries else rejected,
        out_of_range=sum(outcome.out_of_range for outcome in outcomes),
        missed=_missed(due, outcomes) if due else (),
        arrivals=due.process if due else None,
        producers=load.producers if isinstance(load, Pipeline) else None,
        updates=sum(each.updates for each in deliveries) if deliveries else None,
    )


def _model(load: Load) -> context.LoadModel:
    match load:
        case ClosedLoop():
            return "closed"
        case OpenLoop():
            return "open"
        case Pipeline():
            return "pipeline"


def _taken_ns(outcome: Outcome, due: Arrivals | None) -> float:
    """How long the commands took. At a rate that is the whole schedule, and what the last command was late."""
    if due is None:
        return (outcome.plain or outcome.stamped).wall_ns
    return _schedule_ns(outcome, due) + outcome.late_ns


def _schedule_ns(outcome: Outcome, due: Arrivals) -> float:
    return outcome.stamped.commands * 1e9 / due.rate


def _missed(due: Arrivals, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Why the rate counts as missed: the run that was latest, if it was too late."""
    run, latest = max(enumerate(outcomes), key=lambda each: each[1].late_ns)
    schedule_ns = _schedule_ns(latest, due)
    if latest.late_ns <= max(LATE_SHARE * schedule_ns, min(LATE_NS, schedule_ns)):
        return ()
    reached = units.rate(latest.stamped.commands * 1e9 / _taken_ns(latest, due))
    return (
        f"run {run} reached {reached} of the {units.rate(due.rate)} asked: its times are how long the queue became, "
        "not how long commands take; ask for a lower --rate",
    )
