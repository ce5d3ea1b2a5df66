"""Whether two reports may be compared, and what weakens it if they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from lowlat import units
from lowlat.reports.errors import NotComparableError
from lowlat.reports.model.report import Report

RUNS_MIN: Final = 2
"""Of a single run nobody can tell what is chance."""

_SAME: Final[dict[str, Callable[[Report], Any]]] = {
    "seed": lambda report: report.workload.seed,
    "profile": lambda report: report.workload.profile,
    "commands": lambda report: report.workload.commands,
    "workload hash": lambda report: report.workload.hash,
    "load model": lambda report: report.load.model,
    "target rate": lambda report: report.load.target_rate,
    "arrivals": lambda report: report.load.arrivals,
    "producers": lambda report: report.load.producers,
    "engine": lambda report: report.engine.name,
}
_SURROUNDINGS: Final[dict[str, Callable[[Report], Any]]] = {
    "processor": lambda report: report.host.cpu,
    "cores": lambda report: report.host.cores,
    "measured CPUs": lambda report: report.host.measured_cpus,
    "kernel": lambda report: report.host.kernel,
    "kernel command line": lambda report: report.host.cmdline,
    "governor": lambda report: report.host.governor,
    "turbo": lambda report: report.host.turbo,
    "isolated CPUs": lambda report: report.host.isolated,
    "virtualization": lambda report: report.host.virtualization,
    "clock source": lambda report: report.clock.source,
    "compiler": lambda report: report.tool.build.compiler,
    "compiler flags": lambda report: report.tool.build.flags,
    "instruction set": lambda report: report.tool.build.isa,
}


def check_valid(reports: Sequence[Report], side: str) -> None:
    """Raises `NotComparableError` for a side with a report that is not valid."""
    for report in reports:
        if report.status == "invalid":
            why = "; ".join(report.status_reasons) or "no reason given"
            raise NotComparableError(f"{side} is not valid, so there is nothing to compare: {why}")


def check_repeated(reports: Sequence[Report], side: str) -> None:
    """Raises `NotComparableError` for a side of a single run, or none."""
    runs = sum(len(report.runs) for report in reports)
    if runs < RUNS_MIN:
        raise NotComparableError(
            f"{side} has {units.plural(runs, 'run')}: nobody could tell a change from chance; "
            "take --runs 10 on both sides"
        )


def check_same_work(reports: Sequence[Report]) -> None:
    """Raises `NotComparableError`, with what differs, unless all reports are of the same work and settings."""
    if different := tuple(differences(reports)):
        raise NotComparableError(
            f"these reports do not compare, since they differ in {'; '.join(different)}; "
            "measure both sides with the same options"
        )


def differences(reports: Sequence[Report]) -> Iterator[str]:
    """What the work and the settings of the reports differ in, with the values."""
    yield from _differing(reports, _SAME)
    names = dict.fromkeys(name for report in reports for name in report.engine.settings)
    settings = {f"engine setting {name}": _setting(name) for name in names}
    yield from _differing(reports, settings)


def weaknesses(reports: Sequence[Report]) -> Iterator[str]:
    """What of hosts, builds and endings weakens a comparison of these reports, a line each."""
    if different := tuple(_differing(reports, _SURROUNDINGS)):
        yield f"measured in different surroundings: {'; '.join(different)}"
    for report in reports:
        if report.status == "interrupted":
            yield f"a report is of fewer runs than asked: {'; '.join(report.status_reasons) or 'no reason given'}"


def _setting(name: str) -> Callable[[Report], Any]:
    return lambda report: report.engine.settings.get(name)


def _differing(reports: Sequence[Report], facts: dict[str, Callable[[Report], Any]]) -> Iterator[str]:
    for name, of in facts.items():
        values = list(dict.fromkeys(_shown(of(report)) for report in reports))
        if len(values) > 1:
            yield f"{name} ({' and '.join(map(_cut, values))})"


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _cut(shown: str) -> str:
    """Enough of a hash to tell two apart by eye."""
    return f"{shown[:23]}..." if shown.startswith("sha256:") and len(shown) > 26 else shown
