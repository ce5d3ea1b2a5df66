"""The lines of a sweep's answer, for every view."""

from __future__ import annotations

from lowlat import units
from lowlat.reports.model.results import Run
from lowlat.reports.model.sweep import REQUESTED, SustainableRate, Sweep, undecided_runs


def objectives(sweep: Sweep) -> str:
    """The objectives, and where they come from."""
    shown = " and ".join(map(str, sweep.objectives))
    return shown if sweep.objective_rule == REQUESTED else f"{shown}, the default: {sweep.objective_rule}"


def answer(sweep: Sweep) -> str:
    """The highest rate that meets the objectives, with its interval."""
    found = sweep.answer
    if found.rate is None:
        return f"not measurable here{_interval(found)}"
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
    if found.rate is None:
        return found.bound
    return units.rate(found.rate) if found.bound == "within" else f"{found.bound} {units.rate(found.rate)}"


def what(sweep: Sweep) -> str:
    """What the figures by rate are."""
    left_out = any(run.waited_ns for run in _runs(sweep))
    on_cpu = ", while the engine had its CPU" if left_out else ""
    return f"response time of all operations, from the intended start{on_cpu}, in the lower-quartile run at each rate"


def runs(sweep: Sweep) -> str:
    """How many runs were made, what other programs took of them, and how many say nothing."""
    made = _runs(sweep)
    waited_ns, wall_ns = sum(run.waited_ns or 0 for run in made), sum(run.os_noise.wall_ns for run in made)
    left_out = f"; other programs had the CPU for {waited_ns / wall_ns:.0%} of the time, left out" if waited_ns else ""
    undecided = undecided_runs(sweep)
    return (
        f"{units.plural(len(made), 'run')} in random order{left_out}{f'; {undecided} undecided' if undecided else ''}"
    )


def _runs(sweep: Sweep) -> list[Run]:
    return [run for point in sweep.points for run in point.runs]


def _interval(found: SustainableRate) -> str:
    if found.rate is None:
        return "" if found.lower is None and found.upper is None else f", only that it is {_range(found)}"
    if found.confidence is None:
        return f" ({_range(found)}; too few runs for a confidence interval)"
    return f" ({found.confidence:.0%} interval: {_range(found)})"


def _range(found: SustainableRate) -> str:
    if found.lower is None:
        return "any rate" if found.upper is None else f"below {units.rate(found.upper)}"
    if found.upper is None:
        return f"above {units.rate(found.lower)}"
    return f"{units.rate(found.lower)} to {units.rate(found.upper)}"
