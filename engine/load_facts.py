"""What a report says of the load: how commands came, at which rate, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.job import ClosedLoop, Load, OpenLoop, Outcome, Pipeline
from reports import facts, units

KEPT_UP: Final = 0.99
"""Share of the asked rate that every run has to reach. A run that falls behind does not come back by luck: what is
missing at its end is the backlog, and a percent of a run is far more than the stamps and the last command take."""


def load_facts(load: Load, outcomes: Sequence[Outcome]) -> facts.Load:
    """The facts of a load over all runs."""
    passes = [outcome.plain or outcome.stamped for outcome in outcomes]
    deliveries = [outcome.delivery for outcome in outcomes if outcome.delivery is not None]
    commands = sum(done.commands for done in passes)
    rejected = sum(outcome.rejected for outcome in outcomes)
    due = None if isinstance(load, ClosedLoop) else load.arrivals
    return facts.Load(
        model=_model(load),
        target_rate=due.rate if due else None,
        achieved_rate=commands * 1e9 / sum(done.wall_ns for done in passes),
        sent=sum(each.sent for each in deliveries) if deliveries else commands,
        acked=sum(each.acked for each in deliveries) if deliveries else commands - rejected,
        rejected=sum(each.rejected for each in deliveries) if deliveries else rejected,
        out_of_range=sum(outcome.out_of_range for outcome in outcomes),
        missed=_missed(due.rate, outcomes) if due else (),
        arrivals=due.process if due else None,
        producers=load.producers if isinstance(load, Pipeline) else None,
        updates=sum(each.updates for each in deliveries) if deliveries else None,
    )


def _model(load: Load) -> facts.LoadModel:
    match load:
        case ClosedLoop():
            return "closed"
        case OpenLoop():
            return "open"
        case Pipeline():
            return "pipeline"


def _missed(rate: int, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Why the rate counts as missed: the slowest run, if it is too slow."""
    reached = [outcome.stamped.commands * 1e9 / outcome.stamped.wall_ns for outcome in outcomes]
    slowest = min(reached)
    if slowest >= KEPT_UP * rate:
        return ()
    run = reached.index(slowest)
    return (
        f"run {run} reached {units.rate(slowest)} of the {units.rate(rate)} asked: this is how long a backlog gets, "
        "not how long commands take; ask for a lower --rate",
    )
