"""The lines of a sweep's answer, for every view."""

from __future__ import annotations

from lowlat import units
from lowlat.reports.model.sweep import REQUESTED, SustainableRate, Sweep


def objectives(sweep: Sweep) -> str:
    """The objectives, and where they come from."""
    shown = " and ".join(map(str, sweep.objectives))
    return shown if sweep.objective_rule == REQUESTED else f"{shown}, the default: {sweep.objective_rule}"


def answer(sweep: Sweep) -> str:
    """The highest rate that meets the objectives, with its interval."""
    found = sweep.answer
    rate = units.rate(found.rate)
    if found.bound == "below":
        return f"below {rate}: the lowest rate exceeds the objective{_interval(found)}"
    if found.bound == "at least":
        return f"at least {rate}: {_why_not_higher(sweep)}{_interval(found)}"
    return f"{rate}{_interval(found)}"


def _why_not_higher(sweep: Sweep) -> str:
    if sweep.loop_ceiling is None:
        return "no higher rate was measured"
    return f"{units.rate(sweep.loop_ceiling)} is the ceiling of the open loop itself, not of the engine"


def short(found: SustainableRate) -> str:
    """The answer as a label, e.g. `at least 20.0 M/s`."""
    return units.rate(found.rate) if found.bound == "within" else f"{found.bound} {units.rate(found.rate)}"


def runs(sweep: Sweep) -> str:
    """How many runs were made, and how many of them were noisy: stalls of the host are part of response times."""
    made = [run for point in sweep.points for run in point.runs]
    noisy = sum(bool(run.os_noise.noisy) for run in made)
    return f"{units.plural(len(made), 'run')} in random order, {noisy} of them noisy"


def _interval(found: SustainableRate) -> str:
    if found.confidence is None:
        return f" ({_range(found)}; too few runs for a confidence interval)"
    return f" ({found.confidence:.0%} interval: {_range(found)})"


def _range(found: SustainableRate) -> str:
    if found.lower is None:
        return "any rate" if found.upper is None else f"below {units.rate(found.upper)}"
    if found.upper is None:
        return f"above {units.rate(found.lower)}"
    return f"{units.rate(found.lower)} to {units.rate(found.upper)}"
